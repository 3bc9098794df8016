//! From the program's calls to routes.

use super::policy::Options;
use super::read::Reader;
use super::respond::RouteOf;
use super::route::{Map, Rule};
use crate::frameworks::python::path::{Dialect, PathPattern};
use crate::limits::flask::routes::MAX_BLUEPRINTS;
use crate::model::{Observation, ObservationKind};
use crate::syntax::python::object::{K, Val};
use crate::syntax::python::{Effect, Program};

/// Packages that are given an application and register no routes.
pub(super) const INERT: [&str; 16] = [
    "flask_bcrypt",
    "flask_caching",
    "flask_compress",
    "flask_cors",
    "flask_jwt_extended",
    "flask_limiter",
    "flask_login",
    "flask_mail",
    "flask_marshmallow",
    "flask_migrate",
    "flask_session",
    "flask_sqlalchemy",
    "flask_talisman",
    "flask_wtf",
    "print",
    "werkzeug",
];

impl Reader<'_> {
    /// Registered blueprints with their prefixes, those of blueprints among them.
    pub(super) fn blueprints(&mut self) -> Vec<(usize, String)> {
        let mut found: Vec<(usize, String)> = Vec::new();
        let mut todo = vec![(self.app, String::new())];
        while let Some((owner, above)) = todo.pop() {
            for call in self.program.calls.iter() {
                if call.receiver != Some(owner) || call.method() != "register_blueprint" {
                    continue;
                }
                let blueprint = call.arguments.get(0, "blueprint").and_then(Val::call);
                let Some(blueprint) = blueprint else {
                    self.open = true;
                    continue;
                };
                let made = self.program.calls.get(blueprint);
                let own = made.and_then(|made| made.arguments.keyword("url_prefix"));
                let prefix = call.arguments.keyword("url_prefix").or(own);
                let prefix = match prefix.map(|prefix| &prefix.kind) {
                    Some(K::Text(prefix)) => prefix,
                    None | Some(K::None) => "",
                    _ => {
                        self.open = true;
                        continue;
                    }
                };
                let prefix = format!("{above}{}", prefix.trim_end_matches('/'));
                let known = found.iter().any(|(known, _)| *known == blueprint);
                if !known && found.len() < MAX_BLUEPRINTS {
                    found.push((blueprint, prefix.clone()));
                    todo.push((blueprint, prefix));
                }
            }
        }
        found
    }

    pub(super) fn routes(
        &mut self,
        owner: usize,
        prefix: &str,
        blueprint: Option<usize>,
        found: &mut Vec<RouteOf>,
    ) {
        let program = self.program;
        for (index, call) in program.calls.iter().enumerate() {
            if call.receiver != Some(owner) || call.effect != Effect::Call {
                continue;
            }
            let (function, default) = match call.method() {
                "route" => (decorated(program, index), "GET"),
                "get" => (decorated(program, index), "GET"),
                "post" => (decorated(program, index), "POST"),
                "put" => (decorated(program, index), "PUT"),
                "delete" => (decorated(program, index), "DELETE"),
                "patch" => (decorated(program, index), "PATCH"),
                "add_url_rule" => {
                    let view = call.arguments.get(2, "view_func").map(|value| &value.kind);
                    let function = match view {
                        Some(K::Function(function)) => Some(*function),
                        _ => None,
                    };
                    (function, "GET")
                }
                _ => continue,
            };
            let Some(path) = call.arguments.get(0, "rule").and_then(Val::as_text) else {
                self.open = true;
                continue;
            };
            let methods = match call.arguments.keyword("methods") {
                Some(list) => program.items(list).map(|(items, _)| {
                    let texts = items.iter().filter_map(Val::as_text);
                    texts.map(str::to_ascii_uppercase).collect()
                }),
                // The class of a view says which methods it has.
                None if call.method() == "add_url_rule" && function.is_none() => None,
                None => Some(vec![default.to_owned()]),
            };
            let strict_slashes = match call.arguments.keyword("strict_slashes") {
                Some(value) => value.kind != K::Bool(false),
                None => self.strict_slashes(),
            };
            let automatic = match call.arguments.keyword("provide_automatic_options") {
                Some(value) => match value.kind {
                    K::Bool(automatic) => Some(automatic),
                    K::None => None,
                    _ => {
                        self.open = true;
                        continue;
                    }
                },
                None => None,
            };
            let speakers = self.speakers;
            let speaks = |function| speakers.include_function(program, function);
            let decorators = function.map(|function| self.decorators(function, index));
            found.push(RouteOf {
                path: PathPattern::new(Dialect::Flask, &format!("{prefix}{path}")),
                methods,
                strict_slashes,
                automatic,
                endpoint: 0,
                function,
                blueprint,
                decorators: decorators.unwrap_or_default(),
                own_headers: function.is_some_and(speaks),
                span: call.span,
            });
        }
    }

    /// The options of every `@cross_origin` below the route's own decorator, the outermost first.
    fn decorators(&mut self, function: usize, route: usize) -> Vec<Options> {
        let decorators = self.program.function(function).decorators.clone();
        let mut known = decorators.iter();
        let Some(at) = known.position(|known| known.call() == Some(route)) else {
            return Vec::new();
        };
        let mut found = Vec::new();
        let is_cross = |value: &Val| {
            let call = value.call().and_then(|call| self.program.calls.get(call));
            call.filter(|call| call.path.ends_with("cross_origin"))
                .cloned()
        };
        for (place, value) in decorators.iter().enumerate() {
            let Some(call) = is_cross(value) else {
                continue;
            };
            if place < at {
                let known = self
                    .observations
                    .iter()
                    .any(|known| known.span == call.span);
                if !known {
                    self.observations.push(Observation {
                        kind: ObservationKind::Unattached,
                        span: call.span,
                        name: "cross_origin".into(),
                        text: "the route above registers the view without it".into(),
                        suggestion: None,
                        related: vec![(
                            self.program.calls[route].span,
                            "the route must stand above it".into(),
                        )],
                        severe: false,
                    });
                }
                continue;
            }
            let mut options = self.options(call.span);
            let (config, open) = self.config(self.program.calls.len());
            options.given.extend(config);
            options.open |= open;
            self.add_keywords(&mut options, &call.arguments);
            found.push(options);
        }
        found
    }

    /// `app.url_map.strict_slashes`, unless a rule says otherwise.
    fn strict_slashes(&self) -> bool {
        let path = format!("#{}.url_map.strict_slashes", self.app);
        let mut calls = self.program.calls.iter();
        !calls.any(|call| {
            call.effect == Effect::SetAttribute
                && *call.path == *path
                && call
                    .arguments
                    .positional
                    .first()
                    .is_some_and(|value| value.kind == K::Bool(false))
        })
    }

    /// Does the program answer in place of the page for paths that nobody serves?
    pub(super) fn handles_not_found(&self) -> bool {
        self.program.calls.iter().any(|call| {
            call.receiver == Some(self.app)
                && matches!(call.method(), "errorhandler" | "register_error_handler")
                && !matches!(
                    call.arguments.positional.first().map(|code| &code.kind),
                    Some(K::Number(code)) if *code != 404.0
                )
        })
    }
}

/// The rules of routes in their order, and that of static files.
pub(super) fn map(routes: &[RouteOf]) -> Map {
    let mut map = Map::default();
    for route in routes {
        let methods = route.methods.clone().map(|mut methods| {
            if methods.iter().any(|method| method == "GET") {
                methods.push("HEAD".into());
            }
            // Whoever says so, either way, has to list OPTIONS (flask/sansio/app.py).
            if route.automatic.is_none() || route.decorator_answers() {
                methods.push("OPTIONS".into());
            }
            methods
        });
        let rule = Rule {
            methods,
            strict_slashes: route.strict_slashes,
        };
        map.add(&route.path, rule);
    }
    let files = PathPattern::new(Dialect::Flask, "/static/<path:filename>");
    let methods = ["GET", "HEAD", "OPTIONS"].map(str::to_owned);
    let rule = Rule {
        methods: Some(methods.to_vec()),
        strict_slashes: true,
    };
    map.add(&files, rule);
    map.sorted()
}

/// The function that a decorator is given.
fn decorated(program: &Program, decorator: usize) -> Option<usize> {
    let call = program
        .calls
        .iter()
        .find(|other| other.receiver == Some(decorator) && other.method().is_empty())?;
    match call.arguments.positional.first()?.kind {
        K::Function(function) => Some(function),
        _ => None,
    }
}
