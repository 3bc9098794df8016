//! What Django answers: the middleware of the settings, from the outside in.

use std::sync::Arc;

use super::methods::ViewOf;
use super::policy::Policy;
use super::read::Values;
use super::urls::{Routed, Urls};
use crate::frameworks::python::evidence::speaks_of_headers;
use crate::frameworks::python::handler::{
    add_location, apply_effects, kind_of_status, line, number, outcomes, unknown_response,
    without_refusals,
};
use crate::frameworks::python::truthy;
use crate::frameworks::python::{Caching, add_cacheable};
use crate::model::{
    Answer, Application, Condition, Endpoint, Known, Observation, Request, Response, Site, Url,
    World,
};
use crate::source::Span;
use crate::syntax::python::object::{K, Val};
use crate::syntax::python::version::Versions;
use crate::syntax::python::{Arguments, Program};
use crate::syntax::value::Kind;

pub(super) const CORS: &str = "corsheaders.middleware.CorsMiddleware";

/// A view that sets headers by hand.
#[derive(Clone, Debug)]
pub(super) struct View {
    pub(super) function: Option<usize>,
    /// Or the class of one made of a class.
    pub(super) class: Option<usize>,
    pub(super) name: String,
    pub(super) span: Span,
}

impl View {
    /// Is it what a URL names?
    pub(super) fn is(&self, of: &ViewOf) -> bool {
        let function = self.function.is_some() && self.function == of.function;
        function || (self.class.is_some() && self.class == of.class)
    }
}

/// A settings module.
#[derive(Debug)]
pub(super) struct Django {
    pub(super) conditions: Vec<Condition>,
    /// The condition without which nothing is served by these settings.
    pub(super) only_development: Option<usize>,
    pub(super) endpoints: Vec<Endpoint>,
    pub(super) observations: Vec<Observation>,
    pub(super) unknowns: Vec<(Span, String)>,
    pub(super) values: Values,
    pub(super) views: Vec<View>,
    /// The URL configuration, if it is in view.
    pub(super) urls: Option<Urls>,
    pub(super) versions: Versions,
    pub(super) signal: bool,
    /// Something that speaks ASGI itself sets CORS headers.
    pub(super) wrapped: bool,
    pub(super) caching: Caching,
    pub(super) program: Arc<Program>,
    pub(super) span: Span,
}

impl Site for Django {
    fn framework(&self) -> &'static str {
        "django"
    }

    fn conditions(&self) -> &[Condition] {
        &self.conditions
    }

    fn endpoints(&self) -> &[Endpoint] {
        &self.endpoints
    }

    fn route(&self, request: &Request) -> Option<usize> {
        let view = match self.routed(&request.url.path) {
            Routed::View(view) => self.place_of(view),
            Routed::NotFound => None,
            Routed::Unknown => self.endpoints.iter().skip(1).position(|endpoint| {
                endpoint.url.path.trim_end_matches('/') == request.url.path.trim_end_matches('/')
            }),
        };
        Some(view.map_or(0, |at| at + 1))
    }

    fn respond(&self, endpoint: usize, request: &Request, world: &World) -> Vec<Response> {
        // What speaks ASGI itself stands around all of Django.
        if self.wrapped {
            return vec![unknown_response(Some(self.span))];
        }
        let mut responses = self.answers(endpoint, request, world);
        without_refusals(&mut responses, request);
        add_cacheable(&mut responses, request, self.caching);
        responses
    }

    fn observations(&self) -> &[Observation] {
        &self.observations
    }

    fn unknowns(&self) -> &[(Span, String)] {
        &self.unknowns
    }
}

impl Django {
    fn routed(&self, path: &str) -> Routed<'_> {
        let urls = self.urls.as_ref();
        urls.map_or(Routed::Unknown, |urls| urls.route(path))
    }

    /// Which of the views that set headers by hand one is.
    fn place_of(&self, of: &ViewOf) -> Option<usize> {
        let endpoints = self.endpoints.len().saturating_sub(1);
        let mut views = self.views.iter().take(endpoints);
        views.position(|view| view.is(of))
    }

    fn answers(&self, endpoint: usize, request: &Request, world: &World) -> Vec<Response> {
        if let Some(at) = self.only_development
            && world.holds.get(at) != Some(&true)
        {
            return vec![unknown_response(Some(self.span))];
        }
        let values = self.values.in_world(world);
        let middleware = values.get("MIDDLEWARE");
        let Kind::List(list) = &middleware.kind else {
            // Without a list there is no middleware; an unknown one may do anything.
            return match middleware.kind {
                Kind::Undefined => self.view(endpoint, request, world),
                _ => vec![unknown_response(Some(self.span))],
            };
        };
        let layers: Vec<(&str, Span)> = list
            .items
            .iter()
            .filter_map(|item| Some((item.as_str()?, item.span)))
            .collect();
        let hidden = list.open || layers.len() < list.items.len();
        if hidden && !layers.iter().any(|(path, _)| *path == CORS) {
            return vec![unknown_response(Some(self.span))];
        }
        let run = Run {
            site: self,
            values: &values,
            endpoint,
            request,
            world,
        };
        run.layers(&layers)
    }
}

struct Run<'r> {
    site: &'r Django,
    values: &'r Values,
    endpoint: usize,
    request: &'r Request,
    world: &'r World,
}

impl Run<'_> {
    fn layers(&self, layers: &[(&str, Span)]) -> Vec<Response> {
        let Some(((path, span), rest)) = layers.split_first() else {
            return self.site.view(self.endpoint, self.request, self.world);
        };
        let before_cors = rest.iter().any(|(path, _)| *path == CORS);
        match *path {
            CORS => {
                let policy = Policy {
                    values: self.values,
                    span: *span,
                    versions: self.site.versions,
                    signal: self.site.signal,
                };
                if let Some(response) = policy.preflight(self.request) {
                    return vec![response];
                }
                let inner = self.layers(rest).into_iter();
                inner
                    .map(|response| policy.add_headers(self.request, response))
                    .collect()
            }
            "django.middleware.security.SecurityMiddleware"
                if self.request.url.scheme == "http" && self.on("SECURE_SSL_REDIRECT") =>
            {
                let mut url = self.request.url.clone();
                url.scheme = "https".into();
                vec![self.redirect(&url.to_string(), *span, before_cors)]
            }
            "django.middleware.common.CommonMiddleware"
                if self.on("PREPEND_WWW") && !self.request.url.host.starts_with("www.") =>
            {
                let mut url = self.request.url.clone();
                url.host = format!("www.{}", url.host);
                vec![self.redirect(&url.to_string(), *span, before_cors)]
            }
            "django.middleware.common.CommonMiddleware" => {
                let inner = self.layers(rest);
                let Some(slashed) = self.slashed() else {
                    return inner;
                };
                let to = slashed.to_string();
                let not_found = |response: &Response| response.status() == Some(404);
                let mended = inner
                    .into_iter()
                    .map(|response| match not_found(&response) {
                        true => self.redirect(&to, *span, before_cors),
                        false => response,
                    });
                mended.collect()
            }
            path => match self.own_class(path) {
                Some(class) => self.code(class, *span, rest, before_cors),
                None => self.layers(rest),
            },
        }
    }

    /// Where `CommonMiddleware` sends who forgot the slash at the end.
    fn slashed(&self) -> Option<Url> {
        let path = &self.request.url.path;
        let setting = self.values.get("APPEND_SLASH");
        let appends = setting.kind == Kind::Undefined || truthy(setting) == Some(true);
        if !appends || path.ends_with('/') || self.site.routed(path) != Routed::NotFound {
            return None;
        }
        let mut url = self.request.url.clone();
        url.path.push('/');
        matches!(self.site.routed(&url.path), Routed::View(_)).then_some(url)
    }

    fn on(&self, name: &str) -> bool {
        truthy(self.values.get(name)) == Some(true)
    }

    fn redirect(&self, to: &str, span: Span, before_cors: bool) -> Response {
        let mut response = Response::new(Known::Known(301), Answer::Redirect, Some(span));
        response.answered_by.before_cors = before_cors;
        let location = Val::text(to, span);
        response
            .headers
            .push(line("Location", &location, span, self.request));
        response
    }

    /// A class or function of the project's own, and whether it speaks of headers.
    fn own_class(&self, path: &str) -> Option<(Val, bool)> {
        let (module, name) = path.rsplit_once('.')?;
        let program = &self.site.program;
        let ending = format!("{}.py", module.replace('.', "/"));
        let index = program.modules().iter().position(|loaded| {
            let file = loaded.file.path().to_string_lossy().replace('\\', "/");
            file.ends_with(&format!("/{ending}"))
        })?;
        let loaded = &program.modules()[index];
        let value = program.peek(loaded.names, name)?;
        let speaks = speaks_of_headers(loaded.file.text());
        matches!(value.kind, K::Class(_) | K::Function(_)).then_some((value, speaks))
    }

    /// Middleware of the project's own. What cannot be told of one that does not speak of headers
    /// is taken for nothing: most only look.
    fn code(
        &self,
        (class, speaks): (Val, bool),
        span: Span,
        rest: &[(&str, Span)],
        before_cors: bool,
    ) -> Vec<Response> {
        let mut program = (*self.site.program).clone();
        program.assume(&self.site.conditions, self.world);
        let run = &mut |program: &mut Program| {
            let foreign = |names: &[&str]| Arguments {
                positional: names.iter().map(|name| Val::foreign(name, span)).collect(),
                ..Arguments::default()
            };
            let instance = program.call(&class, &foreign(&["call_next"]), span);
            let K::Instance(index, _) = instance.kind else {
                return program.call(&instance, &foreign(&["request"]), span);
            };
            if program.class_attribute(index, "__call__", span).is_some() {
                return program.call(&instance, &foreign(&["request"]), span);
            }
            // Old style, or with `MiddlewareMixin`.
            let mut hook = |name: &str, arguments: &[&str], otherwise: Val| {
                if program.class_attribute(index, name, span).is_none() {
                    return otherwise;
                }
                let hook = program.attribute(&instance, &name.into(), span);
                program.call(&hook, &foreign(arguments), span)
            };
            let before = hook("process_request", &["request"], Val::new(K::None, span));
            let passed = Val::foreign("response", span);
            let after = hook("process_response", &["request", "response"], passed);
            program.each(&before, &mut |_, before| match before.kind {
                K::None => after.clone(),
                _ => before.clone(),
            })
        };
        let unknown = || match speaks {
            true => vec![unknown_response(Some(span))],
            false => self.layers(rest),
        };
        let all = outcomes(&mut program, self.request, run);
        let Some(all) = all else {
            return unknown();
        };
        let mut found = Vec::new();
        for outcome in all {
            let mut passed = match outcome.result.path() {
                Some("response") => self
                    .layers(rest)
                    .into_iter()
                    .map(|mut response| {
                        let effects = &outcome.effects;
                        apply_effects(
                            &mut program,
                            effects,
                            "response",
                            self.request,
                            &mut response,
                        );
                        response
                    })
                    .collect(),
                _ => match made(
                    &mut program,
                    &outcome.result,
                    &outcome.effects,
                    self.request,
                ) {
                    Some(mut response) => {
                        response.answered_by.before_cors = before_cors;
                        vec![response]
                    }
                    None => return unknown(),
                },
            };
            for response in &mut passed {
                response.assumes.extend(outcome.assumes.iter().cloned());
            }
            found.extend(passed);
        }
        found
    }
}

impl Django {
    fn view(&self, endpoint: usize, request: &Request, world: &World) -> Vec<Response> {
        let mut view = endpoint.checked_sub(1).and_then(|at| self.views.get(at));
        let mut served = None;
        match self.routed(&request.url.path) {
            Routed::View(of) => {
                served = Some(of);
                if endpoint == 0 {
                    view = self.place_of(of).and_then(|at| self.views.get(at));
                }
            }
            Routed::NotFound if endpoint == 0 => {
                let status = Known::Known(404);
                return vec![Response::new(status, Answer::NotFound, Some(self.span))];
            }
            Routed::NotFound | Routed::Unknown => {}
        }
        let answers = request.application == Application::Answers(200);
        if let Some(of) = served.filter(|of| answers && of.refuses(&request.method)) {
            let place = of.written.first().map_or(self.span, |route| route.span);
            let (status, kind) = (Known::Known(405), Answer::MethodNotAllowed);
            return vec![Response::new(status, kind, Some(place))];
        }
        let span = view.map_or(self.span, |view| view.span);
        let status = match request.application {
            Application::Answers(status) => Known::Known(status),
            Application::Throws => {
                return vec![Response::new(
                    Known::Known(500),
                    Answer::ErrorPage,
                    Some(span),
                )];
            }
            Application::Unreachable => {
                return vec![Response::new(Known::Known(502), Answer::ErrorPage, None)];
            }
        };
        let options = request.method == "OPTIONS";
        // Django's own class of views answers with the methods that there are.
        let by_class = served.is_some_and(|of| {
            let written = |class| self.program.has_method(class, "options");
            of.served.is_some() && of.class.is_some_and(|class| !written(class))
        });
        let status = match options && !by_class {
            true => request.options_status,
            false => status,
        };
        let Some(view) = view.filter(|_| !(options && by_class)) else {
            return vec![Response::new(status, Answer::Handler, Some(span))];
        };
        if request.application != Application::Answers(200) {
            let mut response = Response::new(status, Answer::Handler, Some(span));
            response.unseen.push("*".into());
            return vec![response];
        }
        let mut program = (*self.program).clone();
        program.assume(&self.conditions, world);
        let all = outcomes(&mut program, request, &mut |program| {
            let arguments = Arguments {
                positional: vec![Val::foreign("request", span)],
                ..Arguments::default()
            };
            if let Some(function) = view.function {
                return program.call_function(function, None, &arguments, span);
            }
            let nothing = Val::unknown("a view that is not in view", span);
            let Some(class) = view.class else {
                return nothing;
            };
            let name = match request.method.as_str() {
                "HEAD" if !program.has_method(class, "head") => "get".to_owned(),
                method => method.to_ascii_lowercase(),
            };
            if !program.has_method(class, &name) || program.has_method(class, "dispatch") {
                return nothing;
            }
            let class = Val::new(K::Class(class), span);
            let instance = program.call(&class, &Arguments::default(), span);
            let method = program.attribute(&instance, &name.as_str().into(), span);
            program.call(&method, &arguments, span)
        });
        let Some(all) = all else {
            return vec![unknown_response(Some(span))];
        };
        let mut found = Vec::new();
        for outcome in all {
            let made = made(&mut program, &outcome.result, &outcome.effects, request);
            let mut response = made.unwrap_or_else(|| unknown_response(Some(span)));
            response.answered_by.kind = Answer::Handler;
            response.assumes.extend(outcome.assumes);
            found.push(response);
        }
        found
    }
}

/// A response that the program makes: `HttpResponse(…)`, `JsonResponse(…, status=401)`.
fn made(
    program: &mut Program,
    result: &Val,
    effects: &[crate::syntax::python::Call],
    request: &Request,
) -> Option<Response> {
    let call = program.calls.get(result.call()?)?.clone();
    let name = call.path.rsplit('.').next()?.to_owned();
    let status = match name.as_str() {
        "HttpResponse"
        | "JsonResponse"
        | "Response"
        | "StreamingHttpResponse"
        | "FileResponse"
        | "render" => 200,
        "redirect" => 302,
        "HttpResponseForbidden" => 403,
        "HttpResponseBadRequest" => 400,
        "HttpResponseNotFound" => 404,
        "HttpResponseNotAllowed" => 405,
        "HttpResponseRedirect" => 302,
        "HttpResponsePermanentRedirect" => 301,
        _ => return None,
    };
    let status = match call.arguments.keyword("status") {
        Some(given) => number(given).into(),
        None => Known::Known(status),
    };
    let mut response = Response::new(status, kind_of_status(status.known()), Some(call.span));
    if matches!(
        name.as_str(),
        "redirect" | "HttpResponseRedirect" | "HttpResponsePermanentRedirect"
    ) {
        add_location(&mut response, call.arguments.positional.first(), request);
    }
    if let Some(headers) = call.arguments.keyword("headers") {
        match program.entries(headers) {
            Some(entries) => {
                for (name, value) in entries {
                    let Some(name) = name.as_text() else { continue };
                    response
                        .headers
                        .push(line(name, &value, value.span, request));
                }
            }
            None => response.unseen.push("*".into()),
        }
    }
    let target = result.path()?.to_owned();
    apply_effects(program, effects, &target, request, &mut response);
    Some(response)
}
