//! What an application answers: layers from the outside in, then routes.

use std::sync::Arc;

use super::policy::Cors;
use super::read::status;
use super::route::{self, Entry, RouteOf, Routed};
use crate::frameworks::python::handler::{
    add_location, apply_effects, kind_of_status, line, outcomes, remove, unknown_response,
    without_refusals,
};
use crate::frameworks::python::{Caching, add_cacheable};
use crate::model::{
    Answer, Application, Condition, Endpoint, Known, Observation, Outcome, Request, Response, Site,
    World,
};
use crate::source::Span;
use crate::syntax::python::object::{K, Val};
use crate::syntax::python::{Arguments, Program};

/// Middleware.
#[derive(Clone, Debug)]
pub(super) struct Layer {
    pub(super) kind: LayerKind,
    pub(super) span: Span,
    /// Conditions of the site under which it is there.
    pub(super) needs: Vec<(usize, bool)>,
    /// These are all conditions.
    pub(super) sure: bool,
}

#[derive(Clone, Debug)]
pub(super) enum LayerKind {
    Cors(Box<Cors>),
    /// `async def f(request, call_next)`.
    Function(usize),
    /// A class of the program, with its arguments behind `app`.
    Class(usize, Arguments),
    /// Something of a library.
    Library(String),
    /// `ServerErrorMiddleware`: an application's own, around all that it was given.
    Errors,
    Unknown,
}

/// Layers that never answer and add no CORS headers.
const TRANSPARENT: [&str; 9] = [
    "GZipMiddleware",
    "SessionMiddleware",
    "RawContextMiddleware",
    "ContextMiddleware",
    "CorrelationIdMiddleware",
    "ProxyHeadersMiddleware",
    "BrotliMiddleware",
    "PrometheusMiddleware",
    "ProcessTimeMiddleware",
];

/// What stands behind an endpoint.
#[derive(Debug)]
pub(super) struct Area {
    pub(super) layers: Vec<Layer>,
    pub(super) entries: Vec<Entry>,
    /// There are, or may be, routes that are not in view.
    pub(super) open: bool,
    /// A slash at the end may be missing, or be too many.
    pub(super) redirects: bool,
    /// The number of the endpoint for what no other has.
    pub(super) endpoint: usize,
}

/// An application.
#[derive(Debug)]
pub(super) struct App {
    pub(super) conditions: Vec<Condition>,
    pub(super) endpoints: Vec<Endpoint>,
    /// The area of each endpoint.
    pub(super) area_of: Vec<usize>,
    /// The application itself, then those mounted below it.
    pub(super) areas: Vec<Area>,
    pub(super) observations: Vec<Observation>,
    pub(super) unknowns: Vec<(Span, String)>,
    pub(super) caching: Caching,
    pub(super) program: Arc<Program>,
    pub(super) span: Span,
}

impl Area {
    fn find(&self, request: &Request) -> Routed<'_> {
        let url = &request.url;
        route::find(&self.entries, &url.path, &request.method, self.redirects)
    }
}

/// What comes out of a layer.
enum Inner {
    Sent(Response),
    /// An exception that nobody has caught yet.
    Raised,
}

impl Site for App {
    fn framework(&self) -> &'static str {
        "starlette"
    }

    fn conditions(&self) -> &[Condition] {
        &self.conditions
    }

    fn endpoints(&self) -> &[Endpoint] {
        &self.endpoints
    }

    fn route(&self, request: &Request) -> Option<usize> {
        let mut at = 0;
        // An application may be mounted below one that is mounted.
        for _ in 0..self.areas.len() {
            let area = &self.areas[at];
            match area.find(request) {
                Routed::Route(route) | Routed::Refused(Some(route)) => return Some(route.endpoint),
                Routed::App(inner) => at = inner,
                _ => break,
            }
        }
        Some(self.areas[at].endpoint)
    }

    fn respond(&self, endpoint: usize, request: &Request, world: &World) -> Vec<Response> {
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

/// The layers that are there in a world; nothing if that cannot be told.
fn active<'l>(layers: &'l [Layer], world: &World) -> Option<Vec<&'l Layer>> {
    let mut found = Vec::new();
    for layer in layers {
        if !layer.sure {
            return None;
        }
        let mut needs = layer.needs.iter();
        if needs.all(|(at, holds)| world.holds.get(*at) == Some(holds)) {
            found.push(layer);
        }
    }
    Some(found)
}

impl App {
    fn answers(&self, endpoint: usize, request: &Request, world: &World) -> Vec<Response> {
        let area = &self.areas[self.area_of[endpoint]];
        let active: Option<Vec<&Layer>> = active(&area.layers, world);
        let Some(layers) = active else {
            return vec![unknown_response(Some(self.span))];
        };
        // The stack is built as a whole: one layer that cannot be built stops all.
        for layer in &layers {
            if let LayerKind::Cors(cors) = &layer.kind
                && let Some(words) = cors.in_world(world).failure()
            {
                let mut response = Response::new(Known::Unknown, Answer::Handler, Some(layer.span));
                response.outcome = Outcome::Throws(words);
                return vec![response];
            }
        }
        let run = Run {
            app: self,
            area,
            request,
            world,
        };
        let inner = run.layers(&layers);
        let responses: Vec<Response> = inner
            .into_iter()
            .map(|inner| match inner {
                Inner::Sent(response) => response,
                Inner::Raised => run.server_error(),
            })
            .collect();
        if responses.is_empty() || responses.len() > 16 {
            return vec![unknown_response(Some(self.span))];
        }
        responses
    }
}

struct Run<'r> {
    app: &'r App,
    area: &'r Area,
    request: &'r Request,
    world: &'r World,
}

impl Run<'_> {
    fn layers(&self, layers: &[&Layer]) -> Vec<Inner> {
        let Some((layer, rest)) = layers.split_first() else {
            return self.router();
        };
        let inside = |rest: &[&Layer]| self.layers(rest);
        match &layer.kind {
            LayerKind::Cors(cors) => {
                let cors = cors.in_world(self.world);
                if let (true, Some(origin), Some(requested)) = (
                    self.request.is_preflight(),
                    &self.request.origin,
                    &self.request.requested_method,
                ) {
                    let response = cors.preflight(self.request, origin, requested);
                    return vec![Inner::Sent(response)];
                }
                let mut all = Vec::new();
                for inner in inside(rest) {
                    match inner {
                        Inner::Sent(response) => {
                            let responses = cors.actual(self.request, response);
                            all.extend(responses.into_iter().map(Inner::Sent));
                        }
                        Inner::Raised => all.push(Inner::Raised),
                    }
                }
                all
            }
            LayerKind::Function(function) => self.code(layer, rest, &inside, &mut |program| {
                let span = layer.span;
                let arguments = Arguments {
                    positional: vec![
                        Val::foreign("request", span),
                        Val::foreign("call_next", span),
                    ],
                    ..Arguments::default()
                };
                program.call_function(*function, None, &arguments, span)
            }),
            LayerKind::Class(class, arguments) => {
                let bases = self.app.program.foreign_bases(*class);
                if !bases
                    .iter()
                    .any(|base| base.ends_with("BaseHTTPMiddleware"))
                {
                    return self.unknown(layer, inside(rest));
                }
                self.code(layer, rest, &inside, &mut |program| {
                    let span = layer.span;
                    let mut given = arguments.clone();
                    given.positional.insert(0, Val::foreign("app", span));
                    let class = Val::new(K::Class(*class), span);
                    let instance = program.call(&class, &given, span);
                    let dispatch = program.attribute(&instance, &"dispatch".into(), span);
                    let arguments = Arguments {
                        positional: vec![
                            Val::foreign("request", span),
                            Val::foreign("call_next", span),
                        ],
                        ..Arguments::default()
                    };
                    program.call(&dispatch, &arguments, span)
                })
            }
            LayerKind::Library(path) => {
                let name = path.rsplit('.').next().unwrap_or(path);
                if TRANSPARENT.contains(&name) {
                    return inside(rest);
                }
                match name {
                    // Only http requests are redirected, only foreign hosts refused.
                    "HTTPSRedirectMiddleware" if self.request.url.scheme == "https" => inside(rest),
                    "HTTPSRedirectMiddleware" => {
                        let status = Known::Known(307);
                        let mut response =
                            Response::new(status, Answer::Redirect, Some(layer.span));
                        response.answered_by.before_cors = self.has_cors(rest);
                        let mut url = self.request.url.clone();
                        url.scheme = "https".into();
                        let location = Val::text(&url.to_string(), layer.span);
                        let location = line("Location", &location, layer.span, self.request);
                        response.headers.push(location);
                        vec![Inner::Sent(response)]
                    }
                    "TrustedHostMiddleware" => inside(rest),
                    _ => self.unknown(layer, inside(rest)),
                }
            }
            LayerKind::Errors => inside(rest)
                .into_iter()
                .map(|inner| match inner {
                    Inner::Raised => Inner::Sent(self.server_error()),
                    sent => sent,
                })
                .collect(),
            LayerKind::Unknown => self.unknown(layer, inside(rest)),
        }
    }

    fn has_cors(&self, layers: &[&Layer]) -> bool {
        layers
            .iter()
            .any(|layer| matches!(layer.kind, LayerKind::Cors(_)))
    }

    /// Passes through something that may do anything to headers, and may answer itself.
    fn unknown(&self, _layer: &Layer, inner: Vec<Inner>) -> Vec<Inner> {
        inner
            .into_iter()
            .map(|inner| match inner {
                Inner::Sent(mut response) => {
                    if !matches!(response.outcome, Outcome::Status(Known::Known(200))) {
                        response.unseen.push("*".into());
                    }
                    Inner::Sent(response)
                }
                Inner::Raised => Inner::Raised,
            })
            .collect()
    }

    /// A layer that the program itself defines.
    fn code(
        &self,
        layer: &Layer,
        rest: &[&Layer],
        inside: &dyn Fn(&[&Layer]) -> Vec<Inner>,
        run: &mut dyn FnMut(&mut Program) -> Val,
    ) -> Vec<Inner> {
        let mut program = (*self.app.program).clone();
        program.assume(&self.app.conditions, self.world);
        let Some(all) = outcomes(&mut program, self.request, run) else {
            return vec![Inner::Sent(unknown_response(Some(layer.span)))];
        };
        let mut found = Vec::new();
        let before_cors = self.has_cors(rest);
        for outcome in all {
            let result = outcome.result.clone();
            let mut passed = Vec::new();
            match result.path() {
                Some("response") => {
                    for inner in inside(rest) {
                        passed.push(match inner {
                            Inner::Sent(mut response) => {
                                apply_effects(
                                    &mut program,
                                    &outcome.effects,
                                    "response",
                                    self.request,
                                    &mut response,
                                );
                                Inner::Sent(response)
                            }
                            Inner::Raised => Inner::Raised,
                        });
                    }
                }
                Some("raise") => passed.push(Inner::Raised),
                Some(_) if result.call().is_some() => {
                    match self.made(&mut program, &result, &outcome.effects, layer.span) {
                        Some(mut response) => {
                            response.answered_by.before_cors = before_cors;
                            passed.push(Inner::Sent(response));
                        }
                        None => passed.push(Inner::Sent(unknown_response(Some(layer.span)))),
                    }
                }
                _ => passed.push(Inner::Sent(unknown_response(Some(layer.span)))),
            }
            for mut inner in passed {
                if let Inner::Sent(response) = &mut inner {
                    response.assumes.extend(outcome.assumes.iter().cloned());
                }
                found.push(inner);
            }
        }
        found
    }

    /// A response that the program makes: `JSONResponse(…, status_code=401, headers={…})`.
    fn made(
        &self,
        program: &mut Program,
        result: &Val,
        effects: &[crate::syntax::python::Call],
        span: Span,
    ) -> Option<Response> {
        let call = program.calls.get(result.call()?)?.clone();
        let name = call.path.rsplit('.').next()?.to_owned();
        if !name.ends_with("Response") {
            return None;
        }
        let default = if name == "RedirectResponse" { 307 } else { 200 };
        let given = call.arguments.get(1, "status_code");
        let known = match given {
            Some(given) => status(Some(given)).into(),
            None => Known::Known(default),
        };
        let mut response = Response::new(known, kind_of_status(known.known()), Some(call.span));
        if name == "RedirectResponse" {
            add_location(&mut response, call.arguments.get(0, "url"), self.request);
        }
        if let Some(headers) = call.arguments.get(2, "headers") {
            match program.entries(headers) {
                Some(entries) => {
                    for (name, value) in entries {
                        let Some(name) = name.as_text() else { continue };
                        let line = line(name, &value, value.span, self.request);
                        response.headers.push(line);
                    }
                }
                None if headers.kind == K::None => {}
                None => response.unseen.push("*".into()),
            }
        }
        let target = result.path()?.to_owned();
        apply_effects(program, effects, &target, self.request, &mut response);
        let _ = span;
        Some(response)
    }

    fn server_error(&self) -> Response {
        Response::new(Known::Known(500), Answer::ErrorPage, Some(self.app.span))
    }

    fn router(&self) -> Vec<Inner> {
        let mut routes = Vec::new();
        route::routes(&self.area.entries, &mut routes);
        let sent = |status, kind, span| {
            let status = Known::Known(status);
            vec![Inner::Sent(Response::new(status, kind, Some(span)))]
        };
        match self.area.find(self.request) {
            Routed::Route(route) => self.handler(Some(route)),
            Routed::Page => self.handler(None),
            Routed::Refused(route) => {
                let span = route.map_or(self.app.span, |route| route.span);
                sent(405, Answer::MethodNotAllowed, span)
            }
            Routed::Redirect(to) => {
                let mut url = self.request.url.clone();
                url.path = to;
                let span = self.app.span;
                let mut response = Response::new(Known::Known(307), Answer::Redirect, Some(span));
                let location = Val::text(&url.to_string(), span);
                let location = line("Location", &location, span, self.request);
                response.headers.push(location);
                vec![Inner::Sent(response)]
            }
            Routed::NotFound if !self.area.open && !routes.is_empty() => {
                sent(404, Answer::NotFound, self.app.span)
            }
            Routed::Unseen if !self.area.open => {
                let status = Known::Unknown;
                let response = Response::new(status, Answer::Handler, Some(self.app.span));
                vec![Inner::Sent(response)]
            }
            _ => self.handler(None),
        }
    }

    fn handler(&self, route: Option<&RouteOf>) -> Vec<Inner> {
        let span = route.map_or(self.app.span, |route| route.span);
        let status = match self.request.application {
            Application::Answers(status) => status,
            Application::Throws => return vec![Inner::Raised],
            Application::Unreachable => {
                let status = Known::Known(502);
                return vec![Inner::Sent(Response::new(status, Answer::ErrorPage, None))];
            }
        };
        let known = match (&self.request.method[..], self.request.options_status) {
            ("OPTIONS", known) => known,
            _ => Known::Known(status),
        };
        let mut response = Response::new(known, Answer::Handler, Some(span));
        let own = route.filter(|route| route.own_headers);
        let Some(function) = own.and_then(|route| route.function) else {
            return vec![Inner::Sent(response)];
        };
        if status != 200 {
            // What it answers instead is not the code that sets the headers.
            for name in [
                "access-control-allow-origin",
                "access-control-allow-credentials",
                "vary",
            ] {
                response.unseen.push(name.into());
            }
            return vec![Inner::Sent(response)];
        }
        let mut program = (*self.app.program).clone();
        program.assume(&self.app.conditions, self.world);
        let all = outcomes(&mut program, self.request, &mut |program| {
            let mut arguments = Arguments::default();
            let parameters = program.function(function).function.parameters.clone();
            for parameter in parameters {
                let name = match &*parameter.name {
                    "request" | "req" => "request",
                    "response" | "resp" => "response",
                    _ => continue,
                };
                let value = Val::foreign(name, span);
                arguments
                    .keywords
                    .push((parameter.name.clone(), span, value));
            }
            program.call_function(function, None, &arguments, span)
        });
        let Some(all) = all else {
            return vec![Inner::Sent(unknown_response(Some(span)))];
        };
        let mut found = Vec::new();
        for outcome in all {
            let made = self.made(&mut program, &outcome.result, &outcome.effects, span);
            let mut sent = match (made, outcome.result.path()) {
                (Some(made), _) => made,
                (None, Some("raise")) => unknown_response(Some(span)),
                (None, _) => {
                    let mut response = response.clone();
                    let effects = &outcome.effects;
                    apply_effects(
                        &mut program,
                        effects,
                        "response",
                        self.request,
                        &mut response,
                    );
                    response
                }
            };
            remove(&mut sent, "content-length");
            sent.answered_by.kind = Answer::Handler;
            sent.assumes.extend(outcome.assumes.iter().cloned());
            found.push(Inner::Sent(sent));
        }
        found
    }
}
