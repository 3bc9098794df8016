//! What an application answers: the view, then the hooks of responses.

use std::sync::Arc;

use super::policy::{Options, is_regex};
use super::route::{Map, Routed};
use crate::frameworks::python::handler::{
    Outcomes, add_location, apply_effects, kind_of_status, line, number, outcomes,
    unknown_response, without_refusals,
};
use crate::frameworks::python::path::PathPattern;
use crate::frameworks::python::{Caching, add_cacheable};
use crate::limits::flask::respond::MAX_OUTCOMES;
use crate::model::{
    Answer, Application, Assumption, Condition, Endpoint, Known, Observation, Outcome, Request,
    Response, Site, World,
};
use crate::source::Span;
use crate::syntax::python::object::{K, Val};
use crate::syntax::python::pattern::{self, How};
use crate::syntax::python::{Arguments, Call, Program};

/// A path pattern of `resources`.
#[derive(Clone, Debug)]
pub(super) struct Resource {
    pub(super) pattern: String,
    pub(super) span: Span,
    pub(super) flags: String,
    /// It was compiled by the program.
    pub(super) compiled: bool,
    pub(super) options: Options,
}

impl Resource {
    /// Does it cover a path? Literals are compared as they stand, patterns from the start.
    pub(super) fn covers(&self, path: &str) -> Option<bool> {
        let pattern = if self.pattern == "*" {
            ".*"
        } else {
            &self.pattern
        };
        if !self.compiled && !is_regex(pattern) {
            return Some(pattern == path);
        }
        let new = self.options.versions.since((6, 0, 0));
        let with = |flags: &str| pattern::matches(pattern, flags, path, How::Match);
        match (new, self.compiled) {
            (_, true) => with(&self.flags),
            (Some(true), _) => with(""),
            (Some(false), _) => with("i"),
            (None, _) => with("").filter(|covered| with("i") == Some(*covered)),
        }
    }
}

/// What runs on every response.
#[derive(Clone, Debug)]
pub(super) enum HookKind {
    /// The extension: resources in the order in which they are tried.
    Cors {
        /// What was given beside the resources; it is checked, too, if no resource uses it.
        base: Box<Options>,
        resources: Vec<Resource>,
        open: bool,
        intercepts: bool,
    },
    /// `@app.after_request`.
    After(usize),
    /// `@app.before_request`.
    Before(usize),
}

#[derive(Clone, Debug)]
pub(super) struct Hook {
    pub(super) kind: HookKind,
    pub(super) span: Span,
    /// The blueprint that it is limited to.
    pub(super) blueprint: Option<usize>,
    pub(super) needs: Vec<(usize, bool)>,
    pub(super) sure: bool,
}

/// A route with what decorates its view.
#[derive(Clone, Debug)]
pub(super) struct RouteOf {
    pub(super) path: PathPattern,
    /// As written, upper case; nothing if that cannot be told.
    pub(super) methods: Option<Vec<String>>,
    pub(super) strict_slashes: bool,
    /// `provide_automatic_options`, where it is given.
    pub(super) automatic: Option<bool>,
    /// The number of its endpoint.
    pub(super) endpoint: usize,
    pub(super) function: Option<usize>,
    pub(super) blueprint: Option<usize>,
    /// Every `@cross_origin` that stands below the route, the outermost first. The innermost sees the
    /// view's response and marks it as decided; the outermost sees OPTIONS first and answers it.
    pub(super) decorators: Vec<Options>,
    pub(super) own_headers: bool,
    pub(super) span: Span,
}

impl RouteOf {
    /// Does a decorator see to it that OPTIONS is routed here?
    pub(super) fn decorator_answers(&self) -> bool {
        let mut decorators = self.decorators.iter();
        decorators.any(|options| options.flag("automatic_options", true) != Known::Known(false))
    }
}

/// An application.
#[derive(Debug)]
pub(super) struct App {
    pub(super) conditions: Vec<Condition>,
    pub(super) endpoints: Vec<Endpoint>,
    pub(super) routes: Vec<RouteOf>,
    /// The rules of the routes in their order, and that of static files behind them.
    pub(super) map: Map,
    /// There may be routes that are not in view.
    pub(super) open: bool,
    /// The program answers in place of the page for paths that nobody serves.
    pub(super) own_not_found: bool,
    pub(super) hooks: Vec<Hook>,
    pub(super) observations: Vec<Observation>,
    pub(super) unknowns: Vec<(Span, String)>,
    pub(super) caching: Caching,
    pub(super) program: Arc<Program>,
    pub(super) span: Span,
}

impl Site for App {
    fn framework(&self) -> &'static str {
        "flask"
    }

    fn conditions(&self) -> &[Condition] {
        &self.conditions
    }

    fn endpoints(&self) -> &[Endpoint] {
        &self.endpoints
    }

    fn route(&self, request: &Request) -> Option<usize> {
        let found = match self.map.route(&request.url.path, &request.method) {
            Routed::Rule(at) | Routed::MethodNotAllowed(at) => self.routes.get(at),
            Routed::Redirect(to) => match self.map.route(&to, &request.method) {
                Routed::Rule(at) => self.routes.get(at),
                _ => None,
            },
            Routed::NotFound | Routed::Unknown => None,
        };
        Some(found.map_or(0, |route| route.endpoint))
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

/// A response on its way through the hooks.
#[derive(Clone)]
struct Made {
    response: Response,
    /// It came of an exception, so the extension sees it first.
    exception: bool,
    /// The decorator has decided already.
    evaluated: bool,
}

impl App {
    fn answers(&self, _endpoint: usize, request: &Request, world: &World) -> Vec<Response> {
        let mut hooks = Vec::new();
        for hook in &self.hooks {
            if !hook.sure {
                return vec![unknown_response(Some(self.span))];
            }
            let mut needs = hook.needs.iter();
            if needs.all(|(at, holds)| world.holds.get(*at) == Some(holds)) {
                hooks.push(hook);
            }
        }
        for hook in &hooks {
            let HookKind::Cors {
                base, resources, ..
            } = &hook.kind
            else {
                continue;
            };
            let of_resources = resources.iter().map(|resource| &resource.options);
            for options in of_resources.chain([&**base]) {
                if let Some(words) = options.in_world(world).failure() {
                    let mut response =
                        Response::new(Known::Unknown, Answer::Handler, Some(hook.span));
                    response.outcome = Outcome::Throws(words);
                    return vec![response];
                }
            }
        }
        let run = Run {
            app: self,
            request,
            world,
            hooks,
        };
        run.answer()
    }
}

struct Run<'r> {
    app: &'r App,
    request: &'r Request,
    world: &'r World,
    hooks: Vec<&'r Hook>,
}

impl Run<'_> {
    fn answer(&self) -> Vec<Response> {
        let routed = self
            .app
            .map
            .route(&self.request.url.path, &self.request.method);
        // Whom no rule serves belongs to no blueprint.
        let route = match routed {
            Routed::Rule(at) => self.app.routes.get(at),
            _ => None,
        };
        let made = self.made(&routed, route);
        let blueprint = route.and_then(|route| route.blueprint);
        let mut sent = Vec::new();
        for made in made {
            sent.extend(self.finish(made, blueprint));
        }
        if sent.is_empty() || sent.len() > MAX_OUTCOMES {
            return vec![unknown_response(Some(self.app.span))];
        }
        sent
    }

    fn made(&self, routed: &Routed, route: Option<&RouteOf>) -> Vec<Made> {
        if self.app.routes.is_empty() {
            return self.view(None);
        }
        let (mut made, passes) = self.before(route.and_then(|route| route.blueprint));
        if passes.is_empty() {
            return made;
        }
        let behind = self.behind_hooks(routed, route);
        for assumes in &passes {
            made.extend(behind.iter().map(|behind| {
                let mut behind = behind.clone();
                behind.response.assumes.extend(assumes.iter().cloned());
                behind
            }));
        }
        made
    }

    /// What routing comes to, if no hook answers first.
    fn behind_hooks(&self, routed: &Routed, route: Option<&RouteOf>) -> Vec<Made> {
        let span = self.app.span;
        let page = |status: Known<u16>, kind, span| Made {
            response: Response::new(status, kind, Some(span)),
            exception: true,
            evaluated: false,
        };
        let route = match (routed, route) {
            (Routed::Rule(_), Some(route)) => route,
            // Static files: which there are is not known.
            (Routed::Rule(_), None) => return vec![page(Known::Unknown, Answer::Handler, span)],
            (Routed::Redirect(to), _) => {
                let mut redirect = page(Known::Known(308), Answer::Redirect, span);
                let mut url = self.request.url.clone();
                url.path.clone_from(to);
                let location = Val::text(&url.to_string(), span);
                let location = line("Location", &location, span, self.request);
                redirect.response.headers.push(location);
                return vec![redirect];
            }
            (Routed::MethodNotAllowed(at), _) => {
                let refused = self.app.routes.get(*at);
                let span = refused.map_or(span, |route| route.span);
                let status = Known::Known(405);
                return vec![page(status, Answer::MethodNotAllowed, span)];
            }
            (Routed::NotFound, _) if !self.app.open => {
                let status = match self.app.own_not_found {
                    true => Known::Unknown,
                    false => Known::Known(404),
                };
                return vec![page(status, Answer::NotFound, span)];
            }
            (Routed::NotFound | Routed::Unknown, _) => {
                let response = unknown_response(Some(span));
                return vec![Made {
                    response,
                    exception: false,
                    evaluated: false,
                }];
            }
        };
        if self.request.method != "OPTIONS" {
            return self.view(Some(route));
        }
        let listed = route.methods.iter().flatten();
        let mut decorators = route
            .decorators
            .iter()
            .map(|options| options.in_world(self.world));
        let decorator = decorators
            .find(|options| options.flag("automatic_options", true) != Known::Known(false));
        let flask_answers = route.automatic.unwrap_or_else(|| {
            decorator.is_none() && !listed.into_iter().any(|method| method == "OPTIONS")
        });
        let mut response = Response::new(Known::Known(200), Answer::Handler, Some(route.span));
        if flask_answers {
            return vec![Made {
                response,
                exception: false,
                evaluated: false,
            }];
        }
        // The decorator answers OPTIONS itself, as Flask does, and adds its headers.
        let Some(options) = decorator else {
            return self.view(Some(route));
        };
        if options.failure().is_some() {
            return vec![failed(route.span)];
        }
        response.answered_by.kind = Answer::Cors;
        vec![Made {
            response: options.add_headers(self.request, response),
            exception: false,
            evaluated: true,
        }]
    }

    /// What the hooks before the view answer in its place, and under which assumptions all let a
    /// request pass; nothing if none does.
    fn before(&self, blueprint: Option<usize>) -> (Vec<Made>, Vec<Vec<Assumption>>) {
        let mut answered = Vec::new();
        let mut passes = vec![Vec::new()];
        for hook in &self.hooks {
            let HookKind::Before(function) = hook.kind else {
                continue;
            };
            if hook.blueprint.is_some() && hook.blueprint != blueprint {
                continue;
            }
            let mut program = (*self.app.program).clone();
            program.assume(&self.app.conditions, self.world);
            let all = outcomes(&mut program, self.request, &mut |program| {
                program.call_function(function, None, &Arguments::default(), hook.span)
            });
            let Some(all) = all.filter(|all| all.len() * passes.len() <= MAX_OUTCOMES) else {
                answered.push(Made {
                    response: unknown_response(Some(hook.span)),
                    exception: true,
                    evaluated: false,
                });
                return (answered, Vec::new());
            };
            if all.iter().all(|outcome| outcome.result.kind == K::None) {
                continue;
            }
            let before = std::mem::take(&mut passes);
            for outcome in all {
                let together = before.iter().map(|known: &Vec<Assumption>| {
                    let mut known = known.clone();
                    known.extend(outcome.assumes.iter().cloned());
                    known
                });
                if outcome.result.kind == K::None {
                    passes.extend(together);
                    continue;
                }
                let made = self.refusal(&mut program, &outcome, hook.span);
                answered.extend(together.map(|assumes| {
                    let mut made = made.clone();
                    made.response.assumes = assumes;
                    made
                }));
            }
        }
        (answered, passes)
    }

    /// What a hook before the view answers.
    fn refusal(&self, program: &mut Program, outcome: &Outcomes, span: Span) -> Made {
        let status = status_of(program, &outcome.result, &outcome.effects);
        let abort = outcome
            .effects
            .iter()
            .rfind(|call| call.path.ends_with("abort"));
        let place = abort.map_or(outcome.result.span, |abort| abort.span);
        let place = match place.start < place.end {
            true => place,
            false => span,
        };
        let raised = outcome.result.path() == Some("raise");
        let response = if raised {
            Response::new(status.into(), kind_of_status(status), Some(place))
        } else {
            let (result, effects) = (&outcome.result, &outcome.effects);
            let mut response = self.returned(program, result, effects, place);
            if status.is_some() {
                response.outcome = Outcome::Status(status.into());
            }
            response.answered_by.kind = kind_of_status(response.status());
            response
        };
        Made {
            response,
            exception: raised,
            evaluated: false,
        }
    }

    fn view(&self, route: Option<&RouteOf>) -> Vec<Made> {
        let span = route.map_or(self.app.span, |route| route.span);
        let (status, exception) = match self.request.application {
            Application::Answers(status) => (Known::Known(status), false),
            Application::Throws => (Known::Known(500), true),
            Application::Unreachable => {
                let response = Response::new(Known::Known(502), Answer::ErrorPage, None);
                return vec![Made {
                    response,
                    exception: false,
                    evaluated: true,
                }];
            }
        };
        let kind = if exception {
            Answer::ErrorPage
        } else {
            Answer::Handler
        };
        let response = Response::new(status, kind, Some(span));
        let own = route.filter(|route| route.own_headers && status == Known::Known(200));
        let all = match own.and_then(|route| route.function) {
            Some(function) => self.code(function, span),
            None => vec![response],
        };
        let decorator = route.and_then(|route| route.decorators.last());
        // An exception passes the decorator by.
        let Some(options) = decorator.filter(|_| !exception) else {
            return all
                .into_iter()
                .map(|response| Made {
                    response,
                    exception,
                    evaluated: false,
                })
                .collect();
        };
        let options = options.in_world(self.world);
        let outer = route.into_iter().flat_map(|route| &route.decorators);
        let mut outer = outer.map(|options| options.in_world(self.world));
        if outer.any(|options| options.failure().is_some()) {
            return vec![failed(span)];
        }
        all.into_iter()
            .map(|response| Made {
                response: options.add_headers(self.request, response),
                exception: false,
                evaluated: true,
            })
            .collect()
    }

    /// A view that sets headers itself.
    fn code(&self, function: usize, span: Span) -> Vec<Response> {
        let mut program = (*self.app.program).clone();
        program.assume(&self.app.conditions, self.world);
        let all = outcomes(&mut program, self.request, &mut |program| {
            program.call_function(function, None, &Arguments::default(), span)
        });
        let Some(all) = all else {
            return vec![unknown_response(Some(span))];
        };
        let made = all.into_iter().map(|outcome| {
            let mut response = self.returned(&mut program, &outcome.result, &outcome.effects, span);
            response.assumes = outcome.assumes;
            response
        });
        made.collect()
    }

    /// The response that a view's result stands for.
    fn returned(
        &self,
        program: &mut Program,
        result: &Val,
        effects: &[Call],
        span: Span,
    ) -> Response {
        let mut response = Response::new(Known::Known(200), Answer::Handler, Some(span));
        let parts = match &result.kind {
            K::Ref(_) => program.items(result).map(|(items, _)| items),
            K::Foreign(_) => {
                let made = result.call().and_then(|at| program.calls.get(at)).cloned();
                let name = made.as_ref().and_then(|call| call.path.rsplit('.').next());
                match name {
                    Some("make_response" | "jsonify" | "Response" | "render_template") => {
                        if let Some(call) = &made {
                            self.made_of(program, call, name == Some("jsonify"), &mut response);
                        }
                    }
                    Some("redirect") => {
                        let code = made.as_ref().and_then(|call| call.arguments.get(1, "code"));
                        let status = code.map_or(Known::Known(302), |code| number(code).into());
                        response.outcome = Outcome::Status(status);
                        let to = made
                            .as_ref()
                            .and_then(|call| call.arguments.get(0, "location"));
                        add_location(&mut response, to, self.request);
                    }
                    _ => return unknown_response(Some(span)),
                }
                let target = result.path().unwrap_or_default().to_owned();
                apply_effects(program, effects, &target, self.request, &mut response);
                return response;
            }
            K::Text(_) | K::SomeText(_) => return response,
            _ => return unknown_response(Some(span)),
        };
        // `body, status, headers`; a list or dictionary alone is a body.
        let parts = parts.unwrap_or_default();
        for part in parts.iter().skip(1) {
            match &part.kind {
                K::Number(_) => response.outcome = Outcome::Status(number(part).into()),
                K::Ref(_) => self.add_entries(program, part, &mut response),
                _ => response.unseen.push("*".into()),
            }
        }
        if let Some(body) = parts.first()
            && let Some(target) = body.path()
        {
            let target = target.to_owned();
            apply_effects(program, effects, &target, self.request, &mut response);
        }
        response
    }

    /// `make_response(body, 401, headers)`, `Response(body, status=401, headers=…)`.
    fn made_of(&self, program: &Program, call: &Call, is_json: bool, response: &mut Response) {
        // All that `jsonify` is given is the body.
        let at = if is_json { usize::MAX } else { 1 };
        for part in [
            call.arguments.get(at, "status"),
            call.arguments.get(at.saturating_add(1), "headers"),
        ]
        .into_iter()
        .flatten()
        {
            match &part.kind {
                K::Number(_) | K::Text(_) => {
                    response.outcome = Outcome::Status(number(part).into());
                }
                K::Ref(_) => self.add_entries(program, part, response),
                K::None => {}
                _ => {
                    response.outcome = Outcome::Status(Known::Unknown);
                    response.unseen.push("*".into());
                }
            }
        }
    }

    fn add_entries(&self, program: &Program, headers: &Val, response: &mut Response) {
        match program.entries(headers) {
            Some(entries) => {
                for (name, value) in entries {
                    let Some(name) = name.as_text() else { continue };
                    let line = line(name, &value, value.span, self.request);
                    response.headers.push(line);
                }
            }
            None => response.unseen.push("*".into()),
        }
    }

    /// Runs the hooks: on exceptions the extension first, then all of them, last registered first.
    fn finish(&self, made: Made, blueprint: Option<usize>) -> Vec<Response> {
        let mut response = made.response;
        // An error page of Flask itself has been through the hooks when the extension sees it.
        let thrown =
            self.request.application == Application::Throws && response.status() == Some(500);
        let intercepting = || {
            self.hooks.iter().filter(|hook| {
                let intercepts = matches!(
                    hook.kind,
                    HookKind::Cors {
                        intercepts: true,
                        ..
                    }
                );
                made.exception && intercepts && hook.blueprint.is_none()
            })
        };
        if !thrown {
            for hook in intercepting() {
                response = self.extension(hook, response, made.evaluated);
            }
        }
        let mut all = vec![response];
        // Hooks of a blueprint come before those of the application.
        let of_blueprint = self
            .hooks
            .iter()
            .rev()
            .filter(|hook| hook.blueprint.is_some());
        let of_app = self
            .hooks
            .iter()
            .rev()
            .filter(|hook| hook.blueprint.is_none());
        for hook in of_blueprint.chain(of_app) {
            if hook.blueprint.is_some() && hook.blueprint != blueprint {
                continue;
            }
            let mut next = Vec::new();
            for response in all {
                match &hook.kind {
                    HookKind::Cors { .. } => {
                        next.push(self.extension(hook, response, made.evaluated));
                    }
                    HookKind::After(function) => next.extend(self.after(*function, hook, response)),
                    HookKind::Before(_) => next.push(response),
                }
            }
            all = next;
        }
        if thrown {
            for hook in intercepting() {
                let again = all.into_iter();
                all = again
                    .map(|response| self.extension(hook, response, made.evaluated))
                    .collect();
            }
        }
        all
    }

    fn extension(&self, hook: &Hook, response: Response, evaluated: bool) -> Response {
        let HookKind::Cors {
            resources, open, ..
        } = &hook.kind
        else {
            return response;
        };
        let is_set = response
            .lines("access-control-allow-origin")
            .any(|line| line.value != Known::Known(String::new()));
        if is_set || evaluated {
            return response;
        }
        let mut response = response;
        if response.may_have_unseen("access-control-allow-origin") || *open {
            response.unseen.push("*".into());
            return response;
        }
        for resource in resources {
            match resource.covers(&self.request.url.path) {
                // Before 6.0 the longest text came first.
                Some(true)
                    if resource.options.versions.since((6, 0, 0)).is_none()
                        && resources.iter().any(|other| {
                            other.pattern.len() > resource.pattern.len()
                                && other.covers(&self.request.url.path) != Some(false)
                        }) =>
                {
                    response.unseen.push("*".into());
                    return response;
                }
                Some(true) => {
                    let options = resource.options.in_world(self.world);
                    return options.add_headers(self.request, response);
                }
                Some(false) => {}
                None => {
                    response.unseen.push("*".into());
                    return response;
                }
            }
        }
        response
    }

    fn after(&self, function: usize, hook: &Hook, response: Response) -> Vec<Response> {
        let mut program = (*self.app.program).clone();
        program.assume(&self.app.conditions, self.world);
        let all = outcomes(&mut program, self.request, &mut |program| {
            let arguments = Arguments {
                positional: vec![Val::foreign("response", hook.span)],
                ..Arguments::default()
            };
            program.call_function(function, None, &arguments, hook.span)
        });
        let Some(all) = all else {
            return vec![unknown_response(Some(hook.span))];
        };
        let mut found = Vec::new();
        for outcome in all {
            let mut response = response.clone();
            if outcome.result.path() == Some("response") {
                let effects = &outcome.effects;
                apply_effects(
                    &mut program,
                    effects,
                    "response",
                    self.request,
                    &mut response,
                );
            } else {
                response = unknown_response(Some(hook.span));
            }
            response.assumes.extend(outcome.assumes);
            found.push(response);
        }
        found
    }
}

/// The decorator throws: its options are refused for every request.
fn failed(span: Span) -> Made {
    Made {
        response: Response::new(Known::Known(500), Answer::ErrorPage, Some(span)),
        exception: true,
        evaluated: false,
    }
}

/// The status with which a hook ends a request: of `abort(401)`, or of what it returns.
fn status_of(program: &Program, result: &Val, effects: &[Call]) -> Option<u16> {
    if result.path() == Some("raise") {
        let abort = effects.iter().rfind(|call| call.path.ends_with("abort"));
        return abort.and_then(|call| number(call.arguments.positional.first()?));
    }
    if let K::Ref(_) = result.kind
        && let Some((items, _)) = program.items(result)
    {
        return items.get(1).and_then(number);
    }
    let call = program.calls.get(result.call()?)?;
    call.arguments.keyword("status").and_then(number)
}
