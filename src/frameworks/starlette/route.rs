//! Which route serves a URL (starlette/routing.py).

use crate::frameworks::python::path::PathPattern;
use crate::source::Span;

/// A route.
#[derive(Clone, Debug)]
pub(super) struct RouteOf {
    /// With what stands before it.
    pub(super) path: PathPattern,
    pub(super) methods: Vec<String>,
    pub(super) function: Option<usize>,
    /// Its function sets CORS headers itself.
    pub(super) own_headers: bool,
    /// The number of its endpoint.
    pub(super) endpoint: usize,
    pub(super) span: Span,
}

/// What a router has, in the order in which it is tried.
#[derive(Clone, Debug)]
pub(super) enum Entry {
    Route(RouteOf),
    /// A page of FastAPI's own: its description, or a reader of that.
    Page(PathPattern),
    /// All below a path.
    Below(PathPattern, Below),
    /// A route of which only the path is in view.
    Unseen(PathPattern),
}

/// What stands below a path.
#[derive(Clone, Debug)]
pub(super) enum Below {
    Routes(Vec<Entry>),
    /// The application that this call makes, or, once all are read, the area with this number.
    App(usize),
    Unseen,
}

/// What routing comes to.
#[derive(Clone, Debug)]
pub(super) enum Routed<'e> {
    Route(&'e RouteOf),
    Page,
    /// The area of a mounted application.
    App(usize),
    /// This route has the path and not the method.
    Refused(Option<&'e RouteOf>),
    /// To this path.
    Redirect(String),
    NotFound,
    /// Something out of view serves it, or may.
    Unseen,
}

/// Finds what serves a path. `redirects`: a slash at the end may be missing, or be too many.
pub(super) fn find<'e>(
    entries: &'e [Entry],
    path: &str,
    method: &str,
    redirects: bool,
) -> Routed<'e> {
    let mut refused = None;
    for entry in entries {
        match entry {
            Entry::Route(route) => match route.path.matches(path) {
                Some(false) => {}
                Some(true) if route.methods.iter().any(|known| known == method) => {
                    return Routed::Route(route);
                }
                Some(true) => refused = refused.or(Some(Some(route))),
                None => return Routed::Unseen,
            },
            Entry::Page(page) => match page.matches(path) {
                Some(true) if matches!(method, "GET" | "HEAD") => return Routed::Page,
                Some(true) => refused = refused.or(Some(None)),
                _ => {}
            },
            Entry::Below(prefix, below) => match is_below(prefix, path) {
                Some(false) => {}
                Some(true) => {
                    return match below {
                        Below::Routes(inner) => find(inner, path, method, true),
                        Below::App(area) => Routed::App(*area),
                        Below::Unseen => Routed::Unseen,
                    };
                }
                None => return Routed::Unseen,
            },
            Entry::Unseen(route) => match route.matches(path) {
                Some(false) => {}
                _ => return Routed::Unseen,
            },
        }
    }
    if let Some(refused) = refused {
        return Routed::Refused(refused);
    }
    if redirects && path != "/" {
        let other = match path.strip_suffix('/') {
            Some(_) => path.trim_end_matches('/').to_owned(),
            None => format!("{path}/"),
        };
        match find(entries, &other, method, false) {
            Routed::NotFound if !is_below_one(entries, &other) => {}
            Routed::Unseen => return Routed::Unseen,
            _ => return Routed::Redirect(other),
        }
    }
    Routed::NotFound
}

/// Is a path below one of the entries, whatever that has there?
fn is_below_one(entries: &[Entry], path: &str) -> bool {
    entries.iter().any(|entry| match entry {
        Entry::Below(prefix, _) => is_below(prefix, path) == Some(true),
        _ => false,
    })
}

fn is_below(prefix: &PathPattern, path: &str) -> Option<bool> {
    let taken = prefix.taken(path)?;
    Some(taken.is_some_and(|taken| path[taken..].starts_with('/')))
}

/// All routes, those below a path among them.
pub(super) fn routes<'e>(entries: &'e [Entry], found: &mut Vec<&'e RouteOf>) {
    for entry in entries {
        match entry {
            Entry::Route(route) => found.push(route),
            Entry::Below(_, Below::Routes(inner)) => routes(inner, found),
            _ => {}
        }
    }
}

/// Calls `change` with every route, those below a path among them.
pub(super) fn each_route(entries: &mut [Entry], change: &mut dyn FnMut(&mut RouteOf)) {
    for entry in entries {
        match entry {
            Entry::Route(route) => change(route),
            Entry::Below(_, Below::Routes(inner)) => each_route(inner, change),
            _ => {}
        }
    }
}

/// Calls `change` with the place of every mounted application and its path.
pub(super) fn each_app(entries: &mut [Entry], change: &mut dyn FnMut(&str, &mut Below)) {
    for entry in entries {
        let Entry::Below(prefix, below) = entry else {
            continue;
        };
        match below {
            Below::Routes(inner) => each_app(inner, change),
            Below::App(_) => change(&prefix.text, below),
            Below::Unseen => {}
        }
    }
}
