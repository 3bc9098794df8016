//! From the program's calls to applications.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::policy::{OPTIONS, Options, is_regex};
use super::respond::{App, Hook, HookKind, Resource, RouteOf};
use super::routes::{INERT, map};
use crate::frameworks::answers::is_secure;
use crate::frameworks::python::evidence::{self, Speakers};
use crate::frameworks::python::handler::compared_origins;
use crate::frameworks::python::{self, leaves, setting, truthy, url};
use crate::frameworks::{Project, Reading};
use crate::limits::flask::read::MAX_ENDPOINTS;
use crate::model::{
    AllowedOrigin, Allows, Endpoint, Exposure, Known, Observation, ObservationKind, Origin,
    OriginProblem, Route, Settings,
};
use crate::source::{SourceFile, Span};
use crate::syntax::python::object::{K, Val};
use crate::syntax::python::version::Versions;
use crate::syntax::python::{Arguments, Call, Effect, Program};
use crate::syntax::value::{Conditions, Kind, Value};

pub(super) struct Reader<'p> {
    pub(super) program: &'p Program,
    /// The request headers that the program reads.
    reads_headers: &'p [String],
    /// What of it speaks of CORS headers.
    pub(super) speakers: &'p Speakers,
    conditions: Conditions,
    versions: Versions,
    files: Arc<Vec<Arc<SourceFile>>>,
    pub(super) observations: Vec<Observation>,
    unknowns: Vec<(Span, String)>,
    /// The call that makes the application.
    pub(super) app: usize,
    /// There may be routes that are not in view.
    pub(super) open: bool,
}

/// What of a configuration is not in view.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Hidden {
    Nothing,
    /// Files or objects of Python.
    Files,
    Anything,
}

pub(super) fn read(project: &Project<'_>) -> Reading {
    let program = Arc::new(python::program(project, &["Flask("]).frozen());
    let versions = python::versions(project, "flask-cors");
    let files: Vec<Arc<SourceFile>> = program
        .modules()
        .iter()
        .map(|module| Arc::clone(&module.file))
        .collect();
    let mut reading = Reading {
        files: files.clone(),
        ..Reading::default()
    };
    let files = Arc::new(files);
    let reads_headers = evidence::reads_headers(&program);
    let speakers = Speakers::of(&program);
    let mut seen: Vec<(Span, usize)> = Vec::new();
    for (index, call) in program.calls.iter().enumerate() {
        if !is_app(call) {
            continue;
        }
        let touched = program
            .calls
            .iter()
            .filter(|other| other.receiver == Some(index));
        let touched = touched.count();
        if seen
            .iter()
            .any(|(span, count)| *span == call.span && *count >= touched)
        {
            continue;
        }
        seen.push((call.span, touched));
        let reader = Reader {
            program: &program,
            reads_headers: &reads_headers,
            speakers: &speakers,
            conditions: Conditions::default(),
            versions,
            files: Arc::clone(&files),
            observations: Vec::new(),
            unknowns: Vec::new(),
            app: index,
            open: false,
        };
        let mut app = reader.site(&program);
        let compared = compared_origins(&app, &program);
        for (endpoint, origins) in app.endpoints.iter_mut().zip(compared) {
            endpoint.settings.origins.extend(origins);
            endpoint.secure = is_secure(&endpoint.settings);
        }
        if reading.sites.is_empty() {
            app.observations.extend(evidence::sockets(&program));
        }
        reading.sites.push(Box::new(app));
    }
    reading
}

fn is_app(call: &Call) -> bool {
    call.effect == Effect::Call && matches!(&*call.path, "flask.Flask" | "flask.app.Flask")
}

impl Reader<'_> {
    fn site(mut self, program: &Arc<Program>) -> App {
        let span = self.program.calls[self.app].span;
        let blueprints = self.blueprints();
        let hooks = self.hooks(&blueprints);
        let mut routes = Vec::new();
        self.routes(self.app, "", None, &mut routes);
        for (blueprint, prefix) in &blueprints {
            self.routes(*blueprint, prefix, Some(*blueprint), &mut routes);
        }
        let endpoints = self.endpoints(&mut routes, &hooks, span);
        for hook in &hooks {
            self.observe(hook);
            self.observe_paths(hook, &routes);
        }
        for route in &routes {
            for options in &route.decorators {
                self.observe_options(options, "every request that it serves ends in status 500");
            }
        }
        self.cookie(&hooks);
        App {
            conditions: self.conditions.as_slice().to_vec(),
            endpoints,
            map: map(&routes),
            open: self.open || python::is_given_away(program, self.app, &INERT),
            own_not_found: self.handles_not_found(),
            routes,
            hooks,
            observations: self.observations,
            unknowns: self.unknowns,
            caching: python::caching(program),
            program: Arc::clone(program),
            span,
        }
    }

    fn export(&mut self, value: &Val) -> Value {
        self.program.export(value, &mut self.conditions)
    }

    pub(super) fn options(&self, span: Span) -> Options {
        Options::new(span, self.versions, Arc::clone(&self.files))
    }

    /// What the application's configuration says of the extension before call `until`, and whether
    /// there may be more.
    pub(super) fn config(&mut self, until: usize) -> (BTreeMap<String, Value>, bool) {
        let keys = OPTIONS.map(|option| format!("CORS_{}", option.to_ascii_uppercase()));
        let (pairs, hidden) = self.configured(until, &keys);
        let mut found: BTreeMap<String, Value> = BTreeMap::new();
        for (key, value) in pairs {
            let Some(option) = key.strip_prefix("CORS_") else {
                continue;
            };
            if option == "HEADERS" {
                self.old_headers(&value);
            }
            // `None` is skipped.
            let value = self.export(&value).map(&mut |value| match value.kind {
                Kind::Null => Value::new(Kind::Undefined, value.span),
                _ => value.clone(),
            });
            found.insert(option.to_ascii_lowercase(), value);
        }
        let open = match hidden {
            Hidden::Nothing => false,
            // What no file speaks of is in no file either.
            Hidden::Files => self.speaks_of_options(),
            Hidden::Anything => true,
        };
        (found, open)
    }

    /// What the application's configuration says before call `until`; of objects, these keys.
    pub(super) fn configured(
        &mut self,
        until: usize,
        keys: &[String],
    ) -> (Vec<(String, Val)>, Hidden) {
        let base = format!("#{}.config", self.app);
        let mut hidden = Hidden::Nothing;
        let mut pairs: Vec<(String, Val)> = Vec::new();
        let program = self.program;
        for call in program.calls.iter().take(until) {
            let Some(rest) = call.path.strip_prefix(base.as_str()) else {
                continue;
            };
            match (call.effect, rest) {
                (Effect::SetItem, _) => {
                    let key = rest.trim_start_matches('[').trim_end_matches(']');
                    if let Some(value) = call.arguments.positional.first() {
                        pairs.push((key.to_owned(), value.clone()));
                    }
                }
                (Effect::Call, ".update" | ".from_mapping") => {
                    for (name, _, value) in &call.arguments.keywords {
                        pairs.push((name.to_string(), value.clone()));
                    }
                    if let Some(entries) = call.arguments.positional.first() {
                        match program.entries(entries) {
                            Some(entries) => {
                                for (key, value) in entries {
                                    let key = key.as_text().unwrap_or_default();
                                    pairs.push((key.to_owned(), value));
                                }
                            }
                            None => hidden = Hidden::Anything,
                        }
                    }
                }
                (Effect::Call, ".from_object") => {
                    let mut evaluator = program.clone();
                    let given = call.arguments.get(0, "obj").cloned();
                    let given = given.map(|value| match value.as_text() {
                        Some(dotted) => evaluator.named(dotted, call.module, value.span),
                        None => value,
                    });
                    let attributes = keys.iter().map(|key| {
                        let value = attribute(&mut evaluator, given.as_ref()?, key, call.span)?;
                        Some((key.clone(), value))
                    });
                    match &given {
                        Some(given) if in_view(given) => {
                            pairs.extend(attributes.flatten());
                        }
                        _ => hidden = hidden.max(Hidden::Files),
                    }
                }
                (Effect::Call, ".from_pyfile") => hidden = hidden.max(Hidden::Files),
                (
                    Effect::Call,
                    ".from_envvar" | ".from_json" | ".from_file" | ".from_prefixed_env",
                ) => hidden = Hidden::Anything,
                _ => {}
            }
        }
        (pairs, hidden)
    }

    /// Does any file name an option of the extension as a setting?
    fn speaks_of_options(&self) -> bool {
        self.files.iter().any(|file| file.text().contains("CORS_"))
    }

    pub(super) fn add_keywords(&mut self, options: &mut Options, arguments: &Arguments) {
        options.open |= arguments.open;
        for (name, place, value) in &arguments.keywords {
            let value = self.export(value);
            if OPTIONS.contains(&&**name) {
                options.given.insert(name.to_string(), value);
            } else {
                self.unknown_option(name, *place, options.span);
            }
        }
    }

    /// Every hook in the order of registration.
    fn hooks(&mut self, blueprints: &[(usize, String)]) -> Vec<Hook> {
        let mut hooks = Vec::new();
        let program = self.program;
        for (index, call) in program.calls.iter().enumerate() {
            let owner = |owner: usize| {
                let blueprint = blueprints.iter().any(|(known, _)| *known == owner);
                (owner == self.app || blueprint).then(|| blueprint.then_some(owner))
            };
            if call.effect != Effect::Call {
                continue;
            }
            let proxied = call.path.strip_prefix("flask.current_app.");
            let proxied = proxied.filter(|_| call.receiver.is_none() && self.is_only_app());
            let method = proxied.unwrap_or_else(|| call.method());
            let receiver = call.receiver.or(proxied.map(|_| self.app));
            if let Some(blueprint) = receiver.and_then(owner) {
                let kind = match method {
                    "after_request" | "after_app_request" => function_of(call).map(HookKind::After),
                    "before_request" | "before_app_request" => {
                        function_of(call).map(HookKind::Before)
                    }
                    _ => None,
                };
                let blueprint = blueprint.filter(|_| !method.contains("_app_"));
                if let Some(kind) = kind {
                    hooks.push(self.hook(kind, call, blueprint));
                }
                continue;
            }
            let (own, earlier) = match &*call.path {
                "flask_cors.CORS" | "flask_cors.extension.CORS" => (call, None),
                _ if method == "init_app" => {
                    let made = call.receiver.and_then(|made| program.calls.get(made));
                    match made {
                        Some(made) if made.path.starts_with("flask_cors.") => (call, Some(made)),
                        _ => continue,
                    }
                }
                _ => continue,
            };
            let target = own.arguments.get(0, "app").and_then(Val::call);
            let Some(blueprint) = target.and_then(owner) else {
                continue;
            };
            let kind = self.extension(index, own, earlier, blueprint.is_some());
            hooks.push(self.hook(kind, call, blueprint));
        }
        hooks
    }

    /// Is this the application that `flask.current_app` stands for?
    fn is_only_app(&self) -> bool {
        let place = self.program.calls[self.app].span;
        let mut apps = self.program.calls.iter().filter(|call| is_app(call));
        apps.all(|app| app.span == place)
    }

    fn hook(&mut self, kind: HookKind, call: &Call, blueprint: Option<usize>) -> Hook {
        let of_app = &self.program.calls[self.app].conditions;
        let mut needs = Vec::new();
        let mut sure = true;
        for (atom, holds) in call
            .conditions
            .iter()
            .filter(|known| !of_app.contains(known))
        {
            match self.conditions.atom(self.program.condition(*atom).clone()) {
                Some(at) => needs.push((at, *holds)),
                None => sure = false,
            }
        }
        Hook {
            kind,
            span: call.span,
            blueprint,
            needs,
            sure,
        }
    }

    fn extension(
        &mut self,
        index: usize,
        call: &Call,
        earlier: Option<&Call>,
        on_blueprint: bool,
    ) -> HookKind {
        let mut options = self.options(call.span);
        if !on_blueprint {
            let (config, open) = self.config(index);
            options.given.extend(config);
            options.open |= open;
        }
        if let Some(earlier) = earlier {
            self.add_keywords(&mut options, &earlier.arguments.clone());
        }
        let mut arguments = call.arguments.clone();
        arguments.keywords.retain(|(name, _, _)| &**name != "app");
        self.add_keywords(&mut options, &arguments);
        for (name, value) in &options.given {
            if python::has_unknown(value) {
                self.unknowns.push((value.span, format!("`{name}`")));
            }
        }
        let intercepts = truthy(options.get("intercept_exceptions")) != Some(false)
            || options.get("intercept_exceptions").kind == Kind::Undefined;
        let resources = options.get("resources").clone();
        let mut open = false;
        let resources = self.resources(&resources, &options, &mut open);
        HookKind::Cors {
            base: Box::new(options),
            resources,
            open,
            intercepts,
        }
    }

    fn resources(&mut self, value: &Value, options: &Options, open: &mut bool) -> Vec<Resource> {
        let resource = |pattern: &str, span: Span, options: &Options| Resource {
            pattern: pattern.to_owned(),
            span,
            flags: String::new(),
            compiled: false,
            options: options.clone(),
        };
        match &value.kind {
            Kind::Undefined => vec![resource("/*", options.span, options)],
            Kind::String(text) => vec![resource(text, value.span, options)],
            Kind::Regex(regex) => vec![Resource {
                flags: regex.flags.clone(),
                compiled: true,
                ..resource(&regex.pattern, value.span, options)
            }],
            Kind::List(list) => {
                *open |= list.open;
                let mut found = Vec::new();
                for item in &list.items {
                    match &item.kind {
                        Kind::String(text) => found.push(resource(text, item.span, options)),
                        Kind::Regex(regex) => found.push(Resource {
                            flags: regex.flags.clone(),
                            compiled: true,
                            ..resource(&regex.pattern, item.span, options)
                        }),
                        _ => *open = true,
                    }
                }
                found
            }
            Kind::Map(map) => {
                *open |= map.open;
                let mut found = Vec::new();
                for entry in &map.entries {
                    let mut own = options.clone();
                    match &entry.value.kind {
                        Kind::Map(inner) => {
                            own.open |= inner.open;
                            for option in &inner.entries {
                                if OPTIONS.contains(&option.key.as_str()) {
                                    own.given.insert(option.key.clone(), option.value.clone());
                                } else {
                                    self.unknown_option(&option.key, option.key_span, options.span);
                                }
                            }
                        }
                        Kind::Unknown(_) | Kind::OneOf(_) => *open = true,
                        _ => {
                            own.rejected = Some("ValueError: not a dictionary of options".into());
                            self.observations.push(Observation {
                                kind: ObservationKind::Rejected,
                                span: entry.value.span,
                                name: entry.key.clone(),
                                text: "the application does not start: ValueError, a dictionary of options belongs here".into(),
                                suggestion: None,
                                related: Vec::new(),
                                severe: true,
                            });
                        }
                    }
                    found.push(resource(&entry.key, entry.key_span, &own));
                }
                let literal = |resource: &Resource| !is_regex(&resource.pattern);
                let slashes = |text: &str| text.matches('/').count();
                if self.versions.since((6, 0, 0)) == Some(false) {
                    found.sort_by_key(|resource| std::cmp::Reverse(resource.pattern.len()));
                } else {
                    found.sort_by_key(|resource| {
                        let text = &resource.pattern;
                        let key = std::cmp::Reverse((slashes(text), text.len()));
                        (!literal(resource), key)
                    });
                }
                found
            }
            _ => {
                *open = true;
                Vec::new()
            }
        }
    }

    fn endpoints(&self, routes: &mut [RouteOf], hooks: &[Hook], span: Span) -> Vec<Endpoint> {
        let mut endpoints: Vec<Endpoint> = Vec::new();
        let place = hooks
            .iter()
            .find(|hook| matches!(hook.kind, HookKind::Cors { .. }))
            .map_or(span, |hook| hook.span);
        for route in routes.iter_mut().take(MAX_ENDPOINTS) {
            let path = route.path.sample();
            let methods = route
                .methods
                .iter()
                .flatten()
                .filter(|method| !matches!(method.as_str(), "HEAD" | "OPTIONS"));
            let methods: Vec<Route> = methods
                .map(|method| Route {
                    method: method.clone(),
                    span: route.span,
                })
                .collect();
            let known = endpoints.iter().position(|known| known.url.path == path);
            route.endpoint = known.unwrap_or(endpoints.len());
            if let Some(known) = known {
                endpoints[known].routes.extend(methods);
                continue;
            }
            // The innermost decides what the view's response carries.
            let mut all: Vec<&Options> = route.decorators.last().into_iter().collect();
            if all.is_empty() {
                all = covering(hooks, &path, route.blueprint);
            }
            endpoints.push(Endpoint {
                name: format!("route {}", route.path.text),
                span: route
                    .decorators
                    .last()
                    .map_or(place, |options| options.span),
                url: url(&path),
                secure: Known::Unknown,
                exposure: Exposure::Public,
                management: false,
                reads_headers: self.reads_headers.to_vec(),
                routes: methods,
                settings: settings(&all),
            });
        }
        if endpoints.is_empty() {
            let all = covering(hooks, "/", None);
            let mut path = "/".to_owned();
            let mut chosen = all;
            if chosen.is_empty() {
                let resources = hooks.iter().filter_map(|hook| match &hook.kind {
                    HookKind::Cors { resources, .. } => resources.first(),
                    _ => None,
                });
                if let Some(first) = resources.into_iter().next() {
                    let literal: String = first
                        .pattern
                        .trim_start_matches('^')
                        .chars()
                        .take_while(|c| c.is_ascii_alphanumeric() || "/-_".contains(*c))
                        .collect();
                    path = if literal.starts_with('/') {
                        literal
                    } else {
                        path
                    };
                    chosen = covering(hooks, &path, None);
                }
            }
            endpoints.push(Endpoint {
                name: "application".into(),
                span: place,
                url: url(&path),
                secure: Known::Unknown,
                exposure: Exposure::Public,
                management: false,
                reads_headers: self.reads_headers.to_vec(),
                routes: Vec::new(),
                settings: settings(&chosen),
            });
        }
        endpoints
    }
}

fn covering<'h>(hooks: &'h [Hook], path: &str, blueprint: Option<usize>) -> Vec<&'h Options> {
    let mut found = Vec::new();
    for hook in hooks {
        if hook.blueprint.is_some() && hook.blueprint != blueprint {
            continue;
        }
        if let HookKind::Cors { resources, .. } = &hook.kind {
            let first = resources
                .iter()
                .find(|resource| resource.covers(path) != Some(false));
            found.extend(first.map(|resource| &resource.options));
        }
    }
    found
}

fn function_of(call: &Call) -> Option<usize> {
    match call.arguments.positional.first()?.kind {
        K::Function(function) => Some(function),
        _ => None,
    }
}

fn settings(all: &[&Options]) -> Settings {
    let mut settings = Settings::default();
    for options in all {
        let mut found = Vec::new();
        leaves(options.get("origins"), &mut found);
        for value in found {
            match &value.kind {
                Kind::List(list) => {
                    for item in &list.items {
                        let mut items = Vec::new();
                        leaves(item, &mut items);
                        settings.origins.extend(items.into_iter().filter_map(entry));
                    }
                    if list.open {
                        settings.origins.push(python::unknown_origin(value.span));
                    }
                }
                Kind::Undefined => settings.origins.push(AllowedOrigin {
                    allows: Allows::Any,
                    ..python::unknown_origin(options.span)
                }),
                _ => settings.origins.extend(entry(value)),
            }
        }
        let of = |name: &str| setting(options.get(name));
        settings.credentials = settings.credentials.or_else(|| of("supports_credentials"));
        settings.methods = settings.methods.or_else(|| of("methods"));
        settings.headers = settings.headers.or_else(|| of("allow_headers"));
        settings.exposed_headers = settings.exposed_headers.or_else(|| of("expose_headers"));
        settings.max_age = settings.max_age.or_else(|| of("max_age"));
        let private = settings.private_network;
        settings.private_network = private.or_else(|| of("allow_private_network"));
    }
    settings
}

fn entry(value: &Value) -> Option<AllowedOrigin> {
    let of = |allows| AllowedOrigin {
        allows,
        ..python::unknown_origin(value.span)
    };
    Some(match &value.kind {
        Kind::String(text) if matches!(text.as_str(), "*" | ".*") => of(Allows::Any),
        Kind::String(text) if is_regex(text) => of(Allows::Pattern(text.clone())),
        Kind::String(text) => {
            // Letters are compared without regard to case.
            let problem = Origin::parse(text).err();
            AllowedOrigin {
                problem: problem.filter(|problem| *problem != OriginProblem::UpperCase),
                ..of(Allows::Exact(text.clone()))
            }
        }
        Kind::Regex(regex) => of(Allows::Pattern(regex.pattern.clone())),
        Kind::Unknown(_) => of(Allows::Unknown),
        _ => return None,
    })
}

/// Is it known what a value holds?
fn in_view(value: &Val) -> bool {
    match &value.kind {
        K::Class(_) | K::Instance(..) | K::Module(_) => true,
        K::OneOf(_, yes, no) => in_view(yes) && in_view(no),
        _ => false,
    }
}

/// An attribute of something in view, if it has it in some form.
fn attribute(program: &mut Program, of: &Val, name: &str, span: Span) -> Option<Val> {
    let missing = Val::new(K::None, span);
    let value = program.each(of, &mut |program, of| {
        let found = match of.kind {
            K::Class(class) | K::Instance(class, _) => program.class_attribute(class, name, span),
            K::Module(index) => {
                let names = program.modules()[index].names;
                Some(program.get_name(names, name, span))
            }
            _ => None,
        };
        let found = found.filter(|value| value.kind != K::Missing);
        found.unwrap_or_else(|| missing.clone())
    });
    (value != missing).then_some(value)
}
