//! From the program's calls to routes.

use super::read::{Reader, is_app};
use super::route::{Below, Entry, RouteOf};
use crate::frameworks::python::path::{Dialect, PathPattern};
use crate::limits::starlette::routes::{MAX_DEPTH, MAX_ROUTES};
use crate::syntax::python::object::{K, Val};
use crate::syntax::python::{Call, Effect};

impl Reader<'_> {
    /// What an application below a path has; are there routes out of view, and does it redirect
    /// where only a slash at the end is wrong?
    pub(super) fn entries(&self, app: usize, prefix: &str) -> (Vec<Entry>, bool, bool) {
        let mut found = self.pages(app, prefix);
        let mut open = false;
        self.routes(app, prefix, 0, &mut found, &mut open);
        let call = self.call(app);
        let redirects = call.and_then(|call| call.arguments.keyword("redirect_slashes"));
        let redirects = redirects.is_none_or(|given| given.kind != K::Bool(false));
        (found, open, redirects)
    }

    /// The pages that FastAPI adds itself, before any route (`FastAPI.setup`).
    fn pages(&self, app: usize, prefix: &str) -> Vec<Entry> {
        let Some(call) = self
            .call(app)
            .filter(|call| call.path.starts_with("fastapi"))
        else {
            return Vec::new();
        };
        let url = |name: &str, default: &str| match call.arguments.keyword(name) {
            None => Some(Entry::Page(pattern(prefix, default))),
            Some(value) => match &value.kind {
                K::None => None,
                K::Text(path) => Some(Entry::Page(pattern(prefix, path))),
                _ => Some(Entry::Unseen(pattern(prefix, default))),
            },
        };
        let Some(description) = url("openapi_url", "/openapi.json") else {
            return Vec::new();
        };
        let redirect = url("swagger_ui_oauth2_redirect_url", "/docs/oauth2-redirect");
        let docs = url("docs_url", "/docs");
        let redirect = redirect.filter(|_| docs.is_some());
        let pages = [
            Some(description),
            docs,
            redirect,
            url("redoc_url", "/redoc"),
        ];
        pages.into_iter().flatten().collect()
    }

    /// The routes of an application or router.
    fn routes(
        &self,
        owner: usize,
        prefix: &str,
        depth: usize,
        found: &mut Vec<Entry>,
        open: &mut bool,
    ) {
        if depth > MAX_DEPTH || found.len() > MAX_ROUTES {
            *open = true;
            return;
        }
        let own = self
            .call(owner)
            .and_then(|call| call.arguments.keyword("prefix"));
        let own = own.and_then(Val::as_text).unwrap_or_default();
        let prefix = format!("{prefix}{own}");
        if let Some(list) = self
            .call(owner)
            .and_then(|call| call.arguments.get(1, "routes"))
        {
            self.listed_routes(list, &prefix, found, open);
        }
        for (index, call) in self.program.calls.iter().enumerate() {
            if call.receiver != Some(owner) || call.effect != Effect::Call {
                continue;
            }
            let method = call.method();
            match method {
                "get" | "post" | "put" | "delete" | "patch" | "options" | "head" | "trace"
                | "api_route" | "route" => {
                    let function = self.decorated(index);
                    let methods = match method {
                        "api_route" | "route" => self.method_list(call),
                        method => Some(vec![method.to_ascii_uppercase()]),
                    };
                    self.add_route(
                        call,
                        function,
                        methods,
                        &prefix,
                        method == "route",
                        found,
                        open,
                    );
                }
                "add_api_route" | "add_route" => {
                    let function = call.arguments.get(1, "endpoint").map(|value| &value.kind);
                    let function = match function {
                        Some(K::Function(function)) => Some(*function),
                        _ => None,
                    };
                    let methods = self.method_list(call);
                    self.add_route(
                        call,
                        function,
                        methods,
                        &prefix,
                        method == "add_route",
                        found,
                        open,
                    );
                }
                "include_router" => {
                    let more = call.arguments.keyword("prefix");
                    let more = more.map_or(Some(""), Val::as_text);
                    let router = call.arguments.get(0, "router").and_then(Val::call);
                    match (router, more) {
                        (Some(router), Some(more)) => {
                            let prefix = format!("{prefix}{more}");
                            self.routes(router, &prefix, depth + 1, found, open);
                        }
                        _ => *open = true,
                    }
                }
                "mount" => self.mount(call, &prefix, found, open),
                "host" => *open = true,
                _ => {}
            }
        }
    }

    /// What `mount` and `Mount` put below a path.
    fn mount(&self, call: &Call, prefix: &str, found: &mut Vec<Entry>, open: &mut bool) {
        let path = call.arguments.get(0, "path").and_then(Val::as_text);
        let Some(path) = path else {
            *open = true;
            return;
        };
        let prefix = format!("{prefix}{}", path.trim_end_matches('/'));
        let inner = call.arguments.get(1, "app").and_then(Val::call);
        let listed = call.arguments.keyword("routes");
        let below = match (inner, listed) {
            (Some(inner), _) if self.call(inner).is_some_and(is_app) => Below::App(inner),
            (None, Some(list)) if call.arguments.keyword("middleware").is_none() => {
                let mut inner = Vec::new();
                let mut more = false;
                self.listed_routes(list, &prefix, &mut inner, &mut more);
                if more {
                    Below::Unseen
                } else {
                    Below::Routes(inner)
                }
            }
            _ => Below::Unseen,
        };
        let prefix = PathPattern::new(Dialect::Starlette, &prefix);
        found.push(Entry::Below(prefix, below));
    }

    fn decorated(&self, decorator: usize) -> Option<usize> {
        let call = self
            .program
            .calls
            .iter()
            .find(|other| other.receiver == Some(decorator) && other.method().is_empty())?;
        match call.arguments.positional.first()?.kind {
            K::Function(function) => Some(function),
            _ => None,
        }
    }

    fn method_list(&self, call: &Call) -> Option<Vec<String>> {
        let Some(methods) = call.arguments.keyword("methods") else {
            return Some(vec!["GET".into()]);
        };
        let (items, _) = self.program.items(methods)?;
        let texts = items.iter().filter_map(Val::as_text);
        Some(texts.map(str::to_ascii_uppercase).collect())
    }

    #[expect(clippy::too_many_arguments, reason = "one caller's locals")]
    fn add_route(
        &self,
        call: &Call,
        function: Option<usize>,
        methods: Option<Vec<String>>,
        prefix: &str,
        with_head: bool,
        found: &mut Vec<Entry>,
        open: &mut bool,
    ) {
        let path = call.arguments.get(0, "path").and_then(Val::as_text);
        let Some(path) = path else {
            *open = true;
            return;
        };
        let Some(mut methods) = methods else {
            found.push(Entry::Unseen(pattern(prefix, path)));
            return;
        };
        // Starlette's own routes answer HEAD where they answer GET; FastAPI's do not.
        if with_head && methods.iter().any(|method| method == "GET") {
            methods.push("HEAD".into());
        }
        let own_headers = function.is_some_and(|function| self.sets_headers(function));
        found.push(Entry::Route(RouteOf {
            path: pattern(prefix, path),
            methods,
            function,
            own_headers,
            endpoint: 0,
            span: call.span,
        }));
    }

    /// The methods that a class of Starlette's `HTTPEndpoint` has, if that is all of it.
    fn methods_of(&self, class: usize) -> Option<Vec<String>> {
        let bases = self.program.foreign_bases(class);
        let plain = bases.iter().all(|base| base.ends_with("HTTPEndpoint"));
        if bases.is_empty() || !plain {
            return None;
        }
        let names = self.program.names_of(self.program.class(class).names);
        let mut methods = Vec::new();
        for (name, value) in names {
            let K::Function(function) = value.kind else {
                continue;
            };
            if self.sets_headers(function) || &*name == "dispatch" {
                return None;
            }
            if matches!(
                &*name,
                "get" | "head" | "post" | "put" | "patch" | "delete" | "options"
            ) {
                methods.push(name.to_ascii_uppercase());
            }
        }
        Some(methods)
    }

    /// Does a function speak of CORS headers, or name something that does?
    fn sets_headers(&self, function: usize) -> bool {
        self.speakers.include_function(self.program, function)
    }

    fn listed_routes(&self, list: &Val, prefix: &str, found: &mut Vec<Entry>, open: &mut bool) {
        let Some((items, more)) = self.program.items(list) else {
            *open = true;
            return;
        };
        *open |= more;
        for item in items {
            let Some(call) = item.call().and_then(|index| self.call(index)) else {
                *open = true;
                continue;
            };
            match &*call.path {
                // Middleware of its own stands around it.
                "starlette.routing.Route" if call.arguments.keyword("middleware").is_some() => {
                    let path = call.arguments.get(0, "path").and_then(Val::as_text);
                    match path {
                        Some(path) => found.push(Entry::Unseen(pattern(prefix, path))),
                        None => *open = true,
                    }
                }
                "starlette.routing.Route" | "fastapi.routing.APIRoute" => {
                    let endpoint = call.arguments.get(1, "endpoint").map(|value| &value.kind);
                    let function = match endpoint {
                        Some(K::Function(function)) => Some(*function),
                        Some(K::Class(class)) if call.arguments.keyword("methods").is_none() => {
                            let methods = self.methods_of(*class);
                            self.add_route(call, None, methods, prefix, true, found, open);
                            continue;
                        }
                        _ => {
                            self.add_route(call, None, None, prefix, true, found, open);
                            continue;
                        }
                    };
                    let methods = self.method_list(call);
                    self.add_route(call, function, methods, prefix, true, found, open);
                }
                "starlette.routing.Mount" => self.mount(call, prefix, found, open),
                "starlette.routing.Host" => *open = true,
                _ => {}
            }
        }
    }
}

/// A route's path behind what stands before it; nothing at all is `/`.
fn pattern(prefix: &str, path: &str) -> PathPattern {
    let path = format!("{prefix}{path}");
    let path = if path.is_empty() { "/" } else { &path };
    PathPattern::new(Dialect::Starlette, path)
}
