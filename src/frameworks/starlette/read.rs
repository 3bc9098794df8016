//! From the program's calls to applications.

use std::sync::Arc;

use super::observe;
use super::policy::{Cors, NAMES};
use super::respond::{App, Area, Layer, LayerKind};
use super::route::{self, Below, RouteOf};
use crate::frameworks::answers::is_secure;
use crate::frameworks::python::evidence::{self, Speakers};
use crate::frameworks::python::handler::compared_origins;
use crate::frameworks::python::{self, handler::number, has_unknown, leaves, setting, url};
use crate::frameworks::{Project, Reading};
use crate::limits::starlette::read::{MAX_AREAS, MAX_ENDPOINTS};
use crate::model::{
    AllowedOrigin, Allows, Endpoint, Exposure, Known, Observation, Origin, Route, Settings, Site,
};
use crate::source::Span;
use crate::syntax::python::object::{K, Val};
use crate::syntax::python::version::Versions;
use crate::syntax::python::{Arguments, Call, Effect, Program};
use crate::syntax::value::{Conditions, Kind, Value};

const CORS: &str = "starlette.middleware.cors.CORSMiddleware";

/// Packages that are given an application and register no routes.
const INERT: [&str; 10] = [
    "asyncio",
    "fastapi",
    "gunicorn",
    "httpx",
    "hypercorn",
    "logging",
    "mangum",
    "print",
    "starlette",
    "uvicorn",
];

pub(super) struct Reader<'p> {
    pub(super) program: &'p Program,
    /// The request headers that the program reads.
    reads_headers: &'p [String],
    /// What of it speaks of CORS headers.
    pub(super) speakers: &'p Speakers,
    pub(super) conditions: Conditions,
    pub(super) versions: Versions,
    pub(super) observations: Vec<Observation>,
    pub(super) unknowns: Vec<(Span, String)>,
}

pub(super) fn read(project: &Project<'_>) -> Reading {
    let program = python::program(project, &["FastAPI(", "Starlette("]);
    let versions = versions(project);
    let mut reading = Reading {
        files: program
            .modules()
            .iter()
            .map(|module| Arc::clone(&module.file))
            .collect(),
        ..Reading::default()
    };
    let program = Arc::new(program.frozen());
    let mounted = mounted(&program);
    let reads_headers = evidence::reads_headers(&program);
    let speakers = Speakers::of(&program);
    let mut seen: Vec<(Span, usize)> = Vec::new();
    for (index, call) in program.calls.iter().enumerate() {
        if !is_app(call) || mounted.contains(&index) {
            continue;
        }
        let touched = program
            .calls
            .iter()
            .filter(|other| other.receiver == Some(index));
        let touched = touched.count();
        // A factory that is called twice makes the same application twice.
        if seen
            .iter()
            .any(|(span, count)| *span == call.span && *count >= touched)
        {
            continue;
        }
        seen.push((call.span, touched));
        let mut reader = Reader {
            program: &program,
            reads_headers: &reads_headers,
            speakers: &speakers,
            conditions: Conditions::default(),
            versions,
            observations: Vec::new(),
            unknowns: Vec::new(),
        };
        let mut made = Made::default();
        reader.app(index, "", &[], &mut made);
        let span = call.span;
        let mut app = App {
            conditions: reader.conditions.as_slice().to_vec(),
            observations: reader.observations,
            unknowns: reader.unknowns,
            endpoints: made.endpoints,
            area_of: made.area_of,
            areas: made.areas,
            caching: python::caching(&program),
            program: Arc::clone(&program),
            span,
        };
        let compared = compared_origins(&app, &program);
        for (endpoint, origins) in app.endpoints.iter_mut().zip(compared) {
            endpoint.settings.origins.extend(origins);
            endpoint.secure = is_secure(&endpoint.settings);
        }
        if reading.sites.is_empty() {
            app.observations.extend(evidence::sockets(&program));
        }
        reading.sites.push(Box::new(app) as Box<dyn Site>);
    }
    reading
}

/// What an application is read to.
#[derive(Default)]
struct Made {
    endpoints: Vec<Endpoint>,
    /// The area of each endpoint.
    area_of: Vec<usize>,
    areas: Vec<Area>,
}

impl Made {
    fn add(&mut self, endpoint: Endpoint, area: usize) {
        self.endpoints.push(endpoint);
        self.area_of.push(area);
    }
}

pub(super) fn is_app(call: &Call) -> bool {
    call.effect == Effect::Call
        && matches!(
            &*call.path,
            "fastapi.FastAPI" | "fastapi.applications.FastAPI" | "starlette.applications.Starlette"
        )
}

/// The versions of Starlette; FastAPI says which it takes.
fn versions(project: &Project<'_>) -> Versions {
    let own = python::versions(project, "starlette");
    if own != Versions::ANY {
        return own;
    }
    let fastapi = python::versions(project, "fastapi");
    let newest = |version| fastapi.since(version) == Some(false);
    let max = if newest((0, 116, 0)) {
        (0, 46, u16::MAX)
    } else if newest((0, 120, 0)) {
        (0, 50, u16::MAX)
    } else {
        return own;
    };
    Versions {
        min: (0, 0, 0),
        max,
    }
}

/// Applications that are mounted below another one.
fn mounted(program: &Program) -> Vec<usize> {
    let mut found = Vec::new();
    for call in program.calls.iter() {
        let value = match call.method() {
            "mount" if call.receiver.is_some() => call.arguments.get(1, "app"),
            "starlette.routing.Mount" => call.arguments.get(1, "app"),
            _ => None,
        };
        found.extend(value.and_then(Val::call));
    }
    found
}

impl Reader<'_> {
    pub(super) fn call(&self, index: usize) -> Option<&Call> {
        self.program.calls.get(index)
    }

    /// Reads an application below a path, `outer` around it; the number of its area.
    fn app(&mut self, app: usize, prefix: &str, outer: &[Layer], made: &mut Made) -> usize {
        let own = self.layers(app);
        observe::stack(self, &own);
        let mut layers = outer.to_vec();
        layers.extend(own);
        let (mut entries, open, redirects) = self.entries(app, prefix);
        let call = self.call(app);
        let span = call.map_or_else(|| layers[0].span, |call| call.span);
        let open = open || python::is_given_away(self.program, app, &INERT);
        let mut all = Vec::new();
        route::routes(&entries, &mut all);
        let main: Vec<&RouteOf> = all
            .iter()
            .copied()
            .filter(|route| !route.own_headers)
            .collect();
        let name = match prefix {
            "" => "application".to_owned(),
            _ => format!("application mounted at {prefix}"),
        };
        let mut endpoint = self.endpoint(&name, span, &main, &layers);
        if all.is_empty() && !prefix.is_empty() {
            endpoint.url.path = format!("{prefix}/");
        }
        let area = made.areas.len();
        let main = made.endpoints.len();
        made.add(endpoint, area);
        made.areas.push(Area {
            layers: layers.clone(),
            entries: Vec::new(),
            open,
            redirects,
            endpoint: main,
        });
        route::each_route(&mut entries, &mut |route| {
            route.endpoint = main;
            if route.own_headers && made.endpoints.len() < MAX_ENDPOINTS {
                route.endpoint = made.endpoints.len();
                let name = format!("route {}", route.path.text);
                let mut endpoint = self.endpoint(&name, route.span, &[&*route], &layers);
                endpoint.url.path = route.path.sample();
                made.add(endpoint, area);
            }
        });
        route::each_app(&mut entries, &mut |prefix, below| {
            let Below::App(inner) = *below else { return };
            *below = match made.areas.len() {
                MAX_AREAS.. => Below::Unseen,
                _ => Below::App(self.app(inner, prefix, &layers, made)),
            };
        });
        made.areas[area].entries = entries;
        area
    }

    /// The layers of an application from the outside in.
    fn layers(&mut self, app: usize) -> Vec<Layer> {
        let mut layers = Vec::new();
        // `CORSMiddleware(app, …)`, and again around that.
        let mut wrapped = app;
        for index in 0..self.program.calls.len() {
            let call = &self.program.calls[index];
            let is_cors = &*call.path == CORS && call.effect == Effect::Call;
            if !is_cors || call.arguments.get(0, "app").and_then(Val::call) != Some(wrapped) {
                continue;
            }
            if self.program.is_discarded(call) {
                let call = call.clone();
                observe::discarded(self, &call);
                continue;
            }
            let mut arguments = call.arguments.clone();
            if !arguments.positional.is_empty() {
                arguments.positional.remove(0);
            }
            arguments.keywords.retain(|(name, _, _)| &**name != "app");
            let (span, conditions) = (call.span, call.conditions.clone());
            let class = Val::foreign(CORS, span);
            let layer = self.layer(&class, &arguments, span, &conditions, app);
            layers.insert(0, layer);
            wrapped = index;
        }
        let mut user = Vec::new();
        if let Some(list) = self
            .call(app)
            .and_then(|call| call.arguments.keyword("middleware"))
        {
            let list = list.clone();
            user.extend(self.listed(&list, app));
        }
        for index in 0..self.program.calls.len() {
            let call = &self.program.calls[index];
            match call.method() {
                "add_middleware" if call.receiver == Some(app) => {
                    let mut arguments = call.arguments.clone();
                    let class = if arguments.positional.is_empty() {
                        arguments.keyword("middleware_class").cloned()
                    } else {
                        Some(arguments.positional.remove(0))
                    };
                    let (span, conditions) = (call.span, call.conditions.clone());
                    if let Some(class) = class {
                        let layer = self.layer(&class, &arguments, span, &conditions, app);
                        user.insert(0, layer);
                    }
                }
                "middleware" if call.receiver == Some(app) => {
                    let decorated =
                        self.program.calls.iter().find(|other| {
                            other.receiver == Some(index) && other.method().is_empty()
                        });
                    let Some(decorated) = decorated else { continue };
                    let (span, conditions) = (call.span, decorated.conditions.clone());
                    if let Some(K::Function(function)) = decorated
                        .arguments
                        .positional
                        .first()
                        .map(|value| &value.kind)
                    {
                        let kind = LayerKind::Function(*function);
                        let layer = self.with_conditions(kind, span, &conditions, app);
                        user.insert(0, layer);
                    }
                }
                _ => {}
            }
        }
        let span = self.call(app).map(|call| call.span);
        layers.extend(span.map(|span| self.with_conditions(LayerKind::Errors, span, &[], app)));
        layers.extend(user);
        layers
    }

    /// The members of `middleware=[Middleware(…), …]`.
    fn listed(&mut self, list: &Val, app: usize) -> Vec<Layer> {
        let mut layers = Vec::new();
        let Some((items, _)) = self.program.items(list) else {
            let words = "the list of middleware is not in view".to_owned();
            self.unknowns.push((list.span, words));
            let kind = LayerKind::Unknown;
            return vec![self.with_conditions(kind, list.span, &[], app)];
        };
        for item in items {
            let call = item.call().and_then(|index| self.call(index)).cloned();
            match call {
                Some(call) if &*call.path == "starlette.middleware.Middleware" => {
                    let mut arguments = call.arguments.clone();
                    if arguments.positional.is_empty() {
                        continue;
                    }
                    let class = arguments.positional.remove(0);
                    layers.push(self.layer(&class, &arguments, call.span, &call.conditions, app));
                }
                _ => layers.push(self.with_conditions(LayerKind::Unknown, item.span, &[], app)),
            }
        }
        layers
    }

    fn with_conditions(
        &mut self,
        kind: LayerKind,
        span: Span,
        conditions: &[(usize, bool)],
        app: usize,
    ) -> Layer {
        let of_app = self.call(app).map(|call| call.conditions.clone());
        let of_app = of_app.unwrap_or_default();
        let mut needs = Vec::new();
        let mut sure = true;
        for (atom, holds) in conditions.iter().filter(|known| !of_app.contains(known)) {
            let condition = self.program.condition(*atom).clone();
            match self.conditions.atom(condition) {
                Some(at) => needs.push((at, *holds)),
                None => sure = false,
            }
        }
        Layer {
            kind,
            span,
            needs,
            sure,
        }
    }

    fn layer(
        &mut self,
        class: &Val,
        arguments: &Arguments,
        span: Span,
        conditions: &[(usize, bool)],
        app: usize,
    ) -> Layer {
        let kind = match &class.kind {
            K::Foreign(foreign) if &*foreign.path == CORS => {
                LayerKind::Cors(Box::new(self.cors(arguments, span)))
            }
            K::Foreign(foreign) => LayerKind::Library(foreign.path.to_string()),
            K::Class(index) => {
                let bases = self.program.foreign_bases(*index);
                if bases.iter().any(|base| base == CORS) {
                    LayerKind::Cors(Box::new(self.cors(arguments, span)))
                } else {
                    LayerKind::Class(*index, arguments.clone())
                }
            }
            _ => LayerKind::Unknown,
        };
        self.with_conditions(kind, span, conditions, app)
    }

    fn cors(&mut self, arguments: &Arguments, span: Span) -> Cors {
        let mut values: [Value; 8] = std::array::from_fn(|_| Value::new(Kind::Undefined, span));
        // Where `allow_private_network` stands depends on the version.
        let positions: &[usize] = match self.versions.since((0, 51, 0)) {
            Some(true) => &[0, 1, 2, 3, 4, 5, 6, 7],
            Some(false) => &[0, 1, 2, 3, 4, 6, 7],
            None => &[0, 1, 2, 3, 4],
        };
        let mut rejected = None;
        for (at, value) in arguments.positional.iter().enumerate() {
            if let Some(position) = positions.get(at) {
                values[*position] = self.program.export(value, &mut self.conditions);
            }
        }
        for (name, name_span, value) in &arguments.keywords {
            let known = NAMES.iter().position(|known| *known == &**name);
            let too_new = &**name == "allow_private_network"
                && self.versions.since((0, 51, 0)) == Some(false);
            match known.filter(|_| !too_new) {
                Some(at) => {
                    values[at] = self.program.export(value, &mut self.conditions);
                }
                None => {
                    let words = format!(
                        "TypeError: CORSMiddleware.__init__() got an unexpected keyword argument '{name}'"
                    );
                    observe::unknown_argument(self, name, *name_span, &words);
                    rejected = Some(words);
                }
            }
        }
        let mut sources = Vec::new();
        for at in [0, 4] {
            let mut found = Vec::new();
            leaves(&values[at], &mut found);
            for value in found {
                sources.push((value.span, self.slice(value.span)));
                if let Kind::List(list) = &value.kind {
                    for item in &list.items {
                        let mut items = Vec::new();
                        leaves(item, &mut items);
                        sources.extend(items.iter().map(|item| (item.span, self.slice(item.span))));
                    }
                }
            }
        }
        for (value, name) in values.iter().zip(NAMES) {
            if has_unknown(value) {
                self.unknowns.push((value.span, format!("`{name}`")));
            }
        }
        Cors {
            arguments: values,
            sources,
            open: arguments.open,
            rejected,
            span,
            versions: self.versions,
        }
    }

    pub(super) fn slice(&self, span: Span) -> String {
        let module = self
            .program
            .modules()
            .iter()
            .find(|module| module.file.id() == span.file);
        module.map_or_else(String::new, |module| module.file.slice(span).to_owned())
    }

    fn endpoint(&self, name: &str, span: Span, routes: &[&RouteOf], layers: &[Layer]) -> Endpoint {
        let cors: Vec<&Cors> = layers
            .iter()
            .filter_map(|layer| match &layer.kind {
                LayerKind::Cors(cors) => Some(&**cors),
                _ => None,
            })
            .collect();
        let served = routes
            .iter()
            .find(|route| route.methods.iter().any(|method| method == "GET"));
        let served = served.or(routes.first());
        let path = served.map_or_else(|| "/".to_owned(), |route| route.path.sample());
        let mut methods: Vec<Route> = Vec::new();
        for route in routes {
            for method in &route.methods {
                let known = methods.iter().any(|known| known.method == *method);
                if !known && !matches!(method.as_str(), "HEAD" | "OPTIONS" | "TRACE") {
                    methods.push(Route {
                        method: method.clone(),
                        span: route.span,
                    });
                }
            }
        }
        Endpoint {
            name: name.to_owned(),
            span,
            url: url(&path),
            secure: Known::Unknown,
            exposure: Exposure::Public,
            management: false,
            reads_headers: self.reads_headers.to_vec(),
            routes: methods,
            settings: settings(&cors),
        }
    }
}

fn settings(cors: &[&Cors]) -> Settings {
    let mut settings = Settings::default();
    for cors in cors {
        let mut values = Vec::new();
        leaves(cors.argument("allow_origins"), &mut values);
        for value in values {
            origins(value, &mut settings.origins);
        }
        let mut patterns = Vec::new();
        leaves(cors.argument("allow_origin_regex"), &mut patterns);
        for value in patterns {
            let text = match &value.kind {
                Kind::String(text) => text,
                Kind::Regex(regex) => &regex.pattern,
                Kind::Unknown(_) => {
                    settings.origins.push(python::unknown_origin(value.span));
                    continue;
                }
                _ => continue,
            };
            settings.origins.push(AllowedOrigin {
                allows: Allows::Pattern(text.clone()),
                ..python::unknown_origin(value.span)
            });
        }
        if cors.open {
            settings.origins.push(python::unknown_origin(cors.span));
        }
        let of = |name: &str| setting(cors.argument(name));
        settings.credentials = settings.credentials.or_else(|| of("allow_credentials"));
        settings.methods = settings.methods.or_else(|| of("allow_methods"));
        settings.headers = settings.headers.or_else(|| of("allow_headers"));
        settings.exposed_headers = settings.exposed_headers.or_else(|| of("expose_headers"));
        settings.max_age = settings.max_age.or_else(|| of("max_age"));
        let private = settings.private_network;
        settings.private_network = private.or_else(|| of("allow_private_network"));
    }
    settings
}

/// The entries of one form of `allow_origins`.
fn origins(value: &Value, found: &mut Vec<AllowedOrigin>) {
    let entry = |allows, span| AllowedOrigin {
        allows,
        ..python::unknown_origin(span)
    };
    match &value.kind {
        Kind::List(list) => {
            for item in &list.items {
                let mut items = Vec::new();
                leaves(item, &mut items);
                for item in items {
                    found.push(match item.as_str() {
                        Some("*") => entry(Allows::Any, item.span),
                        Some(text) => AllowedOrigin {
                            problem: Origin::parse(text).err(),
                            ..entry(Allows::Exact(text.to_owned()), item.span)
                        },
                        None if item.is_unknown() => python::unknown_origin(item.span),
                        None => continue,
                    });
                }
            }
            if list.open {
                found.push(python::unknown_origin(value.span));
            }
        }
        Kind::String(text) if text.contains('*') => found.push(entry(Allows::Any, value.span)),
        Kind::String(text) if !text.is_empty() => {
            found.push(entry(Allows::Predicate(vec![text.clone()]), value.span));
        }
        Kind::Unknown(_) => found.push(python::unknown_origin(value.span)),
        _ => {}
    }
}

/// A status that a program writes.
pub(super) fn status(value: Option<&Val>) -> Option<u16> {
    value.and_then(number)
}
