//! Views as URLs name them, and the methods that they serve (django/views/decorators/http.py,
//! django/views/generic/base.py).

use crate::limits::django::methods::MAX_DECORATORS;
use crate::model::Route;
use crate::source::Span;
use crate::syntax::python::object::{K, Val};
use crate::syntax::python::{Arguments, Call, Program, class_of_view};

/// Methods for which the class of a view may have a function.
const OF_CLASSES: [&str; 7] = ["get", "post", "put", "patch", "delete", "head", "options"];

/// Classes that answer what the view's own functions do not with 405, and OPTIONS with 200.
const PLAIN: [&str; 3] = [
    "django.views.View",
    "django.views.generic.View",
    "django.views.generic.base.View",
];

/// Decorators and mixins that let every method through.
const TRANSPARENT: [&str; 13] = [
    "cache_control",
    "cache_page",
    "condition",
    "csrf_exempt",
    "csrf_protect",
    "ensure_csrf_cookie",
    "etag",
    "gzip_page",
    "never_cache",
    "requires_csrf_token",
    "vary_on_cookie",
    "vary_on_headers",
    "xframe_options_exempt",
];

/// What stands behind a URL.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct ViewOf {
    /// The function of the program, if it is one.
    pub(super) function: Option<usize>,
    /// The class of the program, if it is one.
    pub(super) class: Option<usize>,
    /// The methods that it serves; others get 405. Nothing if that cannot be told.
    pub(super) served: Option<Vec<String>>,
    /// The methods that it is written for.
    pub(super) written: Vec<Route>,
}

impl ViewOf {
    /// Does it answer a method with 405?
    pub(super) fn refuses(&self, method: &str) -> bool {
        let served = self.served.as_ref();
        served.is_some_and(|served| !served.iter().any(|known| known == method))
    }

    fn restrict(mut self, methods: Option<Vec<(String, Span)>>) -> Self {
        self.served = methods
            .as_ref()
            .map(|methods| methods.iter().map(|(name, _)| name.clone()).collect());
        if let Some(methods) = methods {
            self.written = routes(methods);
        }
        self
    }
}

fn routes(methods: Vec<(String, Span)>) -> Vec<Route> {
    let routes = methods.into_iter();
    let routes = routes.filter(|(method, _)| !matches!(method.as_str(), "OPTIONS" | "HEAD"));
    routes
        .map(|(method, span)| Route { method, span })
        .collect()
}

/// What a value that stands in a route is. Nothing if it is no view.
pub(super) fn view(program: &mut Program, value: &Val) -> Option<ViewOf> {
    below(program, value, 0)
}

fn below(program: &mut Program, value: &Val, depth: usize) -> Option<ViewOf> {
    match value.kind {
        K::Function(function) => return Some(of_function(program, function)),
        K::Foreign(_) => {}
        _ => return None,
    }
    let call = value.call().and_then(|at| program.calls.get(at)).cloned();
    let Some(call) = call.filter(|_| depth < MAX_DECORATORS) else {
        return Some(ViewOf::default());
    };
    if let Some(class) = class_of_view(&call.path) {
        return Some(of_class(program, class, &call));
    }
    let inner = call.arguments.positional.iter();
    let inner = inner.cloned().find_map(|inner| {
        let inner = below(program, &inner, depth + 1)?;
        (inner != ViewOf::default()).then_some(inner)
    });
    let inner = inner.unwrap_or_default();
    // `require_http_methods(["GET"])(view)`: what was called made the decorator.
    let made = call.receiver.filter(|_| call.method().is_empty());
    let made = made.and_then(|made| program.calls.get(made));
    let decorator = made.unwrap_or(&call).clone();
    let given = made.map(|made| &made.arguments);
    Some(decorated(
        program,
        inner,
        &decorator.path,
        given,
        decorator.span,
    ))
}

fn of_function(program: &Program, function: usize) -> ViewOf {
    let view = ViewOf {
        function: Some(function),
        ..ViewOf::default()
    };
    let decorators = program.function(function).decorators.iter().rev();
    decorators
        .take(MAX_DECORATORS)
        .fold(view, |view, decorator| {
            let made = decorator.call().and_then(|at| program.calls.get(at));
            let path = made.map_or(decorator.path(), |made| Some(&*made.path));
            let given = made.map(|made| &made.arguments);
            decorated(
                program,
                view,
                path.unwrap_or_default(),
                given,
                decorator.span,
            )
        })
}

/// A view inside of a decorator, which may have been made with arguments.
fn decorated(
    program: &Program,
    inner: ViewOf,
    path: &str,
    given: Option<&Arguments>,
    span: Span,
) -> ViewOf {
    let name = path.rsplit('.').next().unwrap_or_default();
    let place = |method: &str| (method.to_owned(), span);
    let listed = |name| {
        let list = given.and_then(|given| given.get(0, name));
        list.and_then(|list| texts(program, list))
    };
    match name {
        "require_GET" => inner.restrict(Some(vec![place("GET")])),
        "require_POST" => inner.restrict(Some(vec![place("POST")])),
        "require_safe" => inner.restrict(Some(vec![place("GET"), place("HEAD")])),
        "require_http_methods" => inner.restrict(listed("request_method_list")),
        // Django REST framework answers OPTIONS itself.
        "api_view" => ViewOf {
            served: None,
            written: listed("http_method_names").map(routes).unwrap_or_default(),
            ..inner
        },
        _ if TRANSPARENT.contains(&name) => inner,
        // It may answer itself.
        _ => ViewOf {
            served: None,
            ..inner
        },
    }
}

/// The texts of a list, in capitals.
fn texts(program: &Program, list: &Val) -> Option<Vec<(String, Span)>> {
    let (items, open) = program.items(list)?;
    let texts = items.iter().map(|item| {
        let text = item.as_text()?.to_ascii_uppercase();
        Some((text, item.span))
    });
    let texts: Option<Vec<(String, Span)>> = texts.collect();
    texts.filter(|_| !open)
}

fn of_class(program: &mut Program, class: usize, call: &Call) -> ViewOf {
    let names = program.class_attribute(class, "http_method_names", call.span);
    let named = names.as_ref().map(|names| texts(program, names));
    let allowed = |method: &str| match &named {
        Some(Some(named)) => named.iter().any(|(name, _)| name == method),
        Some(None) => false,
        None => true,
    };
    let mut defined = Vec::new();
    for name in OF_CLASSES {
        let method = name.to_ascii_uppercase();
        let function = program.class_attribute(class, name, call.span);
        let Some(function) = function.filter(|_| allowed(&method)) else {
            continue;
        };
        let place = match function.kind {
            K::Function(function) => program.function(function).function.name_span,
            _ => function.span,
        };
        defined.push((method, place));
    }
    let bases = program.foreign_bases(class);
    let plain = bases.iter().all(|base| PLAIN.contains(&base.as_str()));
    let own = program.class_attribute(class, "dispatch", call.span);
    let known = plain && own.is_none() && !matches!(named, Some(None));
    let mut served: Vec<String> = defined.iter().map(|(name, _)| name.clone()).collect();
    for (method, with) in [("HEAD", "GET"), ("OPTIONS", "OPTIONS")] {
        let has = method == "OPTIONS" || served.iter().any(|name| name == with);
        if has && allowed(method) && !served.iter().any(|name| name == method) {
            served.push(method.to_owned());
        }
    }
    // `ItemViewSet.as_view({"delete": "destroy"})`.
    let actions = call.arguments.get(0, "actions");
    let actions = actions.and_then(|actions| program.entries(actions));
    for (method, _) in actions.into_iter().flatten() {
        if let Some(text) = method.as_text() {
            defined.push((text.to_ascii_uppercase(), method.span));
        }
    }
    ViewOf {
        function: None,
        class: Some(class),
        served: known.then_some(served),
        written: routes(defined),
    }
}
