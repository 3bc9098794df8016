//! Applications as sites: their endpoints, and what their policies say.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::fmt::Write as _;
use std::sync::{Arc, Mutex};

use super::exchange::{PRIVATE_NETWORK, SAMPLE_FILE};
use super::host::{Node, Noted, Program};
use super::model::{Stack, StackKind};
use super::observe;
use super::respond::{Loaded, answer, has_routes, refused, within};
use super::routes::{Found, Met, Walk, looks_at_paths, machine, meets};
use super::settings::{add_origins, add_others, add_private_network};
use crate::frameworks::answers::is_secure;
use crate::limits::express::site::{LEARNING_STEPS, MAX_ENDPOINTS};
use crate::model::{
    Condition, Endpoint, Exposure, HostKind, Known, Observation, Request, Response, Route,
    Settings, Site, Url, World,
};
use crate::source::Span;
use crate::syntax::javascript::eval::heap::Val;
use crate::syntax::value::Conditions;

/// The origin that nobody means to allow.
pub(super) const FOREIGN: &str = "https://evil.example";

/// One application.
pub(super) struct Application {
    /// Where the root is made.
    root: Span,
    kind: StackKind,
    programs: Vec<Arc<Loaded>>,
    /// All conditions of the project.
    registry: Conditions,
    /// Those that make a difference here, and for every assignment of them one of all.
    relevant: Vec<Condition>,
    worlds: Vec<World>,
    endpoints: Vec<Endpoint>,
    /// For each endpoint: the layers that its requests meet, and the method that stands for it.
    areas: Vec<Area>,
    /// Paths without routes whose requests meet other layers: what their answers depend on counts, too.
    unrouted: Vec<Area>,
    observations: Vec<Observation>,
    unknowns: Vec<(Span, String)>,
    refused: Option<(String, Span)>,
    /// Some answer has a CORS header, or depends on the origin.
    pub(super) about_cors: bool,
    /// What was answered, by endpoint and request.
    answers: Mutex<Answers>,
}

/// Answers by endpoint and request.
type Answers = HashMap<(Option<usize>, String), Vec<KnownAnswer>>;

/// An answer, with the worlds in which it is given.
struct KnownAnswer {
    program: usize,
    asked: Vec<(usize, bool)>,
    response: Response,
}

impl KnownAnswer {
    fn is_of(&self, program: usize, world: &World) -> bool {
        self.program == program && decides(world, &self.asked)
    }
}

/// What an area answers, with the worlds in which it does.
#[derive(Clone, Debug, Default)]
struct Digest {
    /// `None` if it was loaded in no such world.
    program: Option<usize>,
    asked: Vec<(usize, bool)>,
    text: String,
}

impl Digest {
    fn is_of(&self, site: &Application, world: &World) -> bool {
        let program = site.programs(world).map(|(number, _)| number);
        self.program == program && decides(world, &self.asked)
    }
}

/// Does a world decide these conditions so?
fn decides(world: &World, asked: &[(usize, bool)]) -> bool {
    asked
        .iter()
        .all(|(at, holds)| world.holds.get(*at).copied().unwrap_or(false) == *holds)
}

/// What makes an endpoint one of its own.
#[derive(Clone, Debug)]
struct Area {
    /// What the requests meet that it stands for.
    met: Vec<Met>,
    path: String,
    method: &'static str,
    routes: Vec<Route>,
    span: Span,
}

impl Area {
    /// Takes over the routes of an area that answers alike.
    fn take(&mut self, other: Self) {
        if self.method != "GET" && other.method == "GET" {
            self.path = other.path;
            self.method = other.method;
        }
        self.met.extend(other.met);
        for route in other.routes {
            if !self.routes.iter().any(|known| known.method == route.method) {
                self.routes.push(route);
            }
        }
    }

    fn is_health_check(&self) -> bool {
        const NAMES: [&str; 12] = [
            "status",
            "health",
            "healthz",
            "healthcheck",
            "health-check",
            "ping",
            "ready",
            "readyz",
            "live",
            "livez",
            "metrics",
            "favicon.ico",
        ];
        let last = self.path.rsplit('/').next().unwrap_or_default();
        self.routes
            .iter()
            .all(|route| route.method == "GET" || route.method == "HEAD")
            && NAMES.contains(&last.to_ascii_lowercase().as_str())
    }
}

impl Application {
    /// The application whose root stack is made at `root`.
    pub(super) fn new(
        root: Span,
        kind: StackKind,
        programs: Vec<Arc<Loaded>>,
        registry: &mut Conditions,
        refused: Option<(String, Span)>,
    ) -> Self {
        let mut site = Self {
            root,
            kind,
            programs,
            registry: Conditions::default(),
            relevant: Vec::new(),
            worlds: Vec::new(),
            endpoints: Vec::new(),
            areas: Vec::new(),
            unrouted: Vec::new(),
            observations: Vec::new(),
            unknowns: Vec::new(),
            refused,
            about_cors: false,
            answers: Mutex::default(),
        };
        site.find_areas();
        site.learn_conditions(registry);
        site.registry = registry.clone();
        site.find_differences();
        site.make_endpoints();
        site
    }

    /// Keeps the conditions that change an answer, and one of the areas that answer alike.
    fn find_differences(&mut self) {
        let worlds = self.registry.worlds();
        let mut asked: Vec<Vec<String>> = Vec::new();
        let count = self.areas.len() + self.unrouted.len();
        let mut known: Vec<Vec<Digest>> = vec![Vec::new(); count];
        for world in &worlds {
            let areas = self.areas.iter().chain(&self.unrouted);
            let digests = areas.zip(&mut known).map(|(area, known)| {
                let same = known.iter().find(|digest| digest.is_of(self, world));
                if let Some(digest) = same {
                    return digest.text.clone();
                }
                let digest = self.digest(area, world);
                known.push(digest.clone());
                digest.text
            });
            asked.push(digests.collect());
        }
        let count = self.registry.as_slice().len();
        self.about_cors = asked.iter().flatten().any(|digest| {
            digest.to_ascii_lowercase().contains("access-control-") || digest.contains("Never")
        });
        // Worlds in which the program was not loaded say nothing.
        let known: Vec<bool> = worlds
            .iter()
            .map(|world| self.programs(world).is_some())
            .collect();
        let matters = |at: usize| {
            (0..worlds.len()).any(|bits| {
                let other = bits ^ (1 << at);
                known[bits] && known[other] && asked[bits] != asked[other]
            })
        };
        let relevant: Vec<usize> = (0..count).filter(|at| matters(*at)).collect();
        self.relevant = relevant
            .iter()
            .map(|at| self.registry.as_slice()[*at].clone())
            .collect();
        self.worlds = (0..1_usize << relevant.len())
            .map(|bits| {
                let mut holds = vec![false; count];
                for (new, old) in relevant.iter().enumerate() {
                    holds[*old] = bits >> new & 1 == 1;
                }
                World { holds }
            })
            .collect();
        let alike = |a: usize, b: usize| asked.iter().all(|digests| digests[a] == digests[b]);
        let mut kept: Vec<(usize, Area)> = Vec::new();
        for (at, area) in std::mem::take(&mut self.areas).into_iter().enumerate() {
            match kept.iter_mut().find(|(known, _)| alike(*known, at)) {
                Some((_, known)) => known.take(area),
                None => kept.push((at, area)),
            }
        }
        // Who asks whether a service is alive is no page of another origin.
        if kept.len() > 1 {
            let all = kept.clone();
            kept.retain(|(_, area)| !area.is_health_check());
            if kept.is_empty() {
                kept = all;
            }
        }
        self.areas = kept.into_iter().map(|(_, area)| area).collect();
    }

    /// What the answers in one world rest on, as far as they can differ between areas and worlds.
    fn digest(&self, area: &Area, world: &World) -> Digest {
        let Some((number, programs)) = self.programs(world) else {
            return Digest::default();
        };
        let mut digest = Digest {
            program: Some(number),
            ..Digest::default()
        };
        for request in self.main_requests(area) {
            let method = method_of(&request, area.method);
            let holds = &world.holds;
            let answered = answer(&programs, &self.registry, holds, &request, method, false);
            let response = &answered.response;
            let by = &response.answered_by;
            let place = by.span.filter(|_| by.kind != crate::model::Answer::Handler);
            let compared: Vec<_> = answered
                .comparisons
                .iter()
                .map(|compared| (compared.with.span, &compared.with.v, compared.how))
                .collect();
            digest.asked.extend(&answered.asked);
            let _ = write!(
                digest.text,
                "{:?} {:?} {:?} {place:?} {:?} {:?} {compared:?};",
                response.outcome, response.headers, by.kind, by.before_cors, response.dropped,
            );
        }
        digest
    }

    /// The programs that one world of all conditions may have, with this application's stack, and the
    /// number of the first. Nothing if one of them was not loaded, or if none has the application.
    fn programs(&self, world: &World) -> Option<(usize, Vec<(&Loaded, u32)>)> {
        if missing(&self.programs, world).is_some() {
            return None;
        }
        let mut number = None;
        let mut found = Vec::new();
        for (at, loaded) in self.programs.iter().enumerate() {
            if agrees(loaded, world)
                && let Some(stack) = self.stack(&loaded.program)
            {
                number.get_or_insert(at);
                found.push((&**loaded, stack));
            }
        }
        Some((number?, found))
    }

    /// The world of all conditions that one of the relevant ones stands for.
    fn full_world(&self, world: &World) -> Option<&World> {
        let bits = world.holds.iter().enumerate();
        let index: usize = bits.map(|(at, holds)| usize::from(*holds) << at).sum();
        self.worlds.get(index)
    }

    fn stack(&self, program: &Program) -> Option<u32> {
        let found = program
            .stacks
            .iter()
            .position(|stack| stack.span == self.root && stack.kind == self.kind);
        found.and_then(|at| u32::try_from(at).ok())
    }

    fn find_areas(&mut self) {
        let mut areas: Vec<Area> = Vec::new();
        let mut unrouted: Vec<Area> = Vec::new();
        for loaded in &self.programs {
            let Some(number) = self.stack(&loaded.program) else {
                continue;
            };
            let stack = &loaded.program.stacks[number as usize];
            let mut walk = Walk {
                image: &loaded.image,
                program: &loaded.program,
                found: Vec::new(),
                mounts: vec!["/nothing-is-here".into()],
                seen: HashSet::new(),
            };
            walk.routes(number, "", 12);
            let mut found = walk.found;
            let mounts = walk.mounts.into_iter().map(|path| Found {
                path,
                method: "GET",
                span: stack.span,
                opaque: true,
            });
            if !has_routes(&loaded.program, stack) || found.is_empty() {
                found.push(Found {
                    path: "/".into(),
                    method: "GET",
                    span: stack.span,
                    opaque: true,
                });
            }
            for found in found {
                let Found { path, method, .. } = &found;
                let met = meets(&loaded.image, &loaded.program, number, path, method);
                let route = Route {
                    method: found.method.to_owned(),
                    span: found.span,
                };
                let full = areas.len() >= MAX_ENDPOINTS;
                let by_path = looks_at_paths(&loaded.image, &loaded.program, &met.handlers);
                let known = areas.iter_mut().find(|area| {
                    let same = area.met.iter().any(|known| known.handlers == met.handlers);
                    same && (!by_path || area.path == found.path)
                });
                match known {
                    Some(area) => {
                        if !area.met.contains(&met) {
                            area.met.push(met);
                        }
                        let better = area.method != "GET" && found.method == "GET";
                        if better {
                            area.path = found.path;
                            area.method = found.method;
                        }
                        let there = area.routes.iter().any(|known| known.method == route.method);
                        if !found.opaque && !there {
                            area.routes.push(route);
                        }
                    }
                    None if !full => areas.push(Area {
                        met: vec![met],
                        path: found.path,
                        method: found.method,
                        routes: if found.opaque {
                            Vec::new()
                        } else {
                            vec![route]
                        },
                        span: found.span,
                    }),
                    None => {}
                }
            }
            for found in mounts {
                let Found { path, method, .. } = &found;
                let met = meets(&loaded.image, &loaded.program, number, path, method);
                unrouted.push(Area {
                    met: vec![met],
                    path: found.path,
                    method: found.method,
                    routes: Vec::new(),
                    span: found.span,
                });
            }
        }
        let all_met = areas.iter().flat_map(|area| &area.met);
        let mut known: Vec<Vec<Span>> = all_met.map(|met| met.handlers.clone()).collect();
        unrouted.retain(|area| {
            let met = area.met.first().map(|met| met.handlers.clone());
            let new = met.filter(|met| !met.is_empty() && !known.contains(met));
            known.extend(new.clone());
            new.is_some()
        });
        self.areas = areas;
        self.unrouted = unrouted;
    }

    /// Asks every endpoint once, so that the conditions that requests depend on are known.
    fn learn_conditions(&self, registry: &mut Conditions) {
        let mut left = LEARNING_STEPS;
        for loaded in &self.programs {
            for area in self.areas.iter().chain(&self.unrouted) {
                if left == 0 {
                    return;
                }
                let Some(stack) = self.stack(&loaded.program) else {
                    continue;
                };
                for request in self.main_requests(area) {
                    let holds = holds_for(loaded, registry);
                    let method = method_of(&request, area.method);
                    let answered =
                        answer(&[(loaded, stack)], registry, &holds, &request, method, true);
                    left = left.saturating_sub(answered.steps);
                    *registry = answered.conditions;
                }
            }
        }
    }

    fn main_requests(&self, area: &Area) -> [Request; 2] {
        let url = url(&area.path);
        [
            Request::actual(url.clone(), Some(FOREIGN)),
            Request::preflight(
                url,
                FOREIGN,
                area.method,
                &["authorization", "content-type"],
            ),
        ]
    }

    fn make_endpoints(&mut self) {
        let mut endpoints = Vec::new();
        let mut observations = Vec::new();
        let mut blankets = Vec::new();
        let mut some_own = false;
        for area in &self.areas {
            let mut settings = Settings::default();
            let mut blanket = true;
            let mut own = false;
            let mut stacked: Option<Vec<Span>> = None;
            let mut reads = BTreeSet::new();
            let mut cookies = Vec::new();
            for world in &self.worlds {
                let Some((_, programs)) = self.programs(world) else {
                    continue;
                };
                let [actual, preflight] = self.main_requests(area);
                let ask = |request: &Request| {
                    let method = method_of(request, area.method);
                    let holds = &world.holds;
                    answer(&programs, &self.registry, holds, request, method, false)
                };
                let answered = ask(&actual);
                let mut asking = preflight.clone();
                let preflight = ask(&preflight);
                if preflight.reads.contains(PRIVATE_NETWORK) {
                    asking.headers.push((PRIVATE_NETWORK.into(), "true".into()));
                    add_private_network(&mut settings, &ask(&asking));
                }
                add_origins(&mut settings, &answered);
                // Who may is said for preflights only, where the headers are in the branch for `OPTIONS`.
                add_origins(&mut settings, &preflight);
                add_others(&mut settings, &preflight);
                add_others(&mut settings, &answered);
                let of_route = preflight.meets_cors && preflight.policy_at.is_none();
                blanket &= of_route && !answered.meets_cors;
                own |= answered.meets_cors;
                observe::too_late(&answered, &preflight, &mut observations);
                let without = Request::actual(url(&area.path), None);
                let without = ask(&without);
                for learned in answered.learned.iter().chain(&without.learned) {
                    observe::add(&mut observations, learned.clone());
                }
                stacked = Some(match stacked {
                    None => answered.policies.clone(),
                    Some(mut known) => {
                        known.retain(|call| answered.policies.contains(call));
                        known
                    }
                });
                reads.extend(&answered.reads);
                cookies.extend(answered.cookies.iter().cloned());
                if let Some((loaded, _)) = programs.first() {
                    let mut machine = machine(&loaded.image, &loaded.program);
                    for noted in &loaded.program.noted {
                        if let Noted::Session(options, call) = noted {
                            let domain = observe::cookie_domain(&mut machine, options);
                            cookies.extend(domain.map(|domain| (domain, *call)));
                        }
                    }
                }
                observe::cookies(&cookies, &settings, &mut observations);
            }
            if let (Some(calls), Some(loaded)) = (stacked, self.programs.first()) {
                let machine = machine(&loaded.image, &loaded.program);
                observe::stacked(&machine, &calls, &mut observations);
            }
            let has_body = |route: &Route| {
                let method = route.method.as_str();
                matches!(method, "POST" | "PUT" | "PATCH")
            };
            if !area.routes.iter().any(has_body) {
                reads.remove("content-type");
            }
            reads.remove(PRIVATE_NETWORK);
            blankets.push(blanket);
            some_own |= own;
            endpoints.push(Endpoint {
                name: self.name_of(area),
                span: area.span,
                url: url(&area.path),
                secure: is_secure(&settings),
                exposure: self.exposure(),
                management: false,
                reads_headers: reads.into_iter().map(str::to_owned).collect(),
                routes: area.routes.clone(),
                settings,
            });
        }
        // Where routes have policies of their own, one without has none, although a blanket
        // `app.options('*', cors())` answers its preflights.
        if some_own {
            let keep = |at: usize| !blankets.get(at).copied().unwrap_or(false);
            let mut at = 0..;
            endpoints.retain(|_| at.next().is_some_and(keep));
            let mut at = 0..;
            self.areas.retain(|_| at.next().is_some_and(keep));
        }
        self.endpoints = endpoints;
        self.observations = observations;
    }

    /// Who can reach the application, by the addresses that it listens on in every world.
    fn exposure(&self) -> Exposure {
        let mut kinds = Vec::new();
        for loaded in &self.programs {
            let number = self.stack(&loaded.program);
            let stack = number.and_then(|number| loaded.program.stacks.get(number as usize));
            let hosts = stack
                .map(|stack| stack.hosts.as_slice())
                .unwrap_or_default();
            if hosts.is_empty() {
                return Exposure::Public;
            }
            kinds.extend(hosts.iter().map(|host| {
                let host = host.as_deref().unwrap_or("0.0.0.0");
                let everywhere = matches!(host, "0.0.0.0" | "::" | "");
                let address = if host.contains(':') {
                    format!("[{host}]")
                } else {
                    host.to_owned()
                };
                (!everywhere).then(|| HostKind::of(&address))
            }));
        }
        let all = |kind: HostKind| kinds.iter().all(|found| *found == Some(kind));
        if kinds.is_empty() {
            Exposure::Public
        } else if all(HostKind::Loopback) {
            Exposure::Loopback
        } else if all(HostKind::Private) {
            Exposure::Private
        } else {
            Exposure::Public
        }
    }

    fn name_of(&self, area: &Area) -> String {
        match self.kind {
            StackKind::Socket => "Socket.IO".into(),
            _ if area.path.ends_with(SAMPLE_FILE) => "static files".into(),
            _ if area.routes.is_empty() => "every route".into(),
            _ => format!("{} {}", area.method, area.path),
        }
    }
}

pub(super) fn url(path: &str) -> Url {
    Url {
        scheme: "https".into(),
        host: "service.example".into(),
        port: None,
        path: path.into(),
        query: None,
    }
}

fn method_of<'a>(request: &'a Request, area: &'a str) -> &'a str {
    // A probe's GET stands for the method that the endpoint serves.
    if !request.exact && request.method == "GET" {
        area
    } else {
        &request.method
    }
}

fn agrees(loaded: &Loaded, world: &World) -> bool {
    decides(world, &loaded.asked)
}

/// The program that a world still lacks: how it takes the conditions for which there is no place.
pub(super) fn missing(programs: &[Arc<Loaded>], world: &World) -> Option<bool> {
    let agreeing = |otherwise: bool| {
        let mut programs = programs.iter();
        programs.find(|loaded| loaded.otherwise == otherwise && agrees(loaded, world))
    };
    match agreeing(true) {
        None => Some(true),
        Some(first) => (first.undecided && agreeing(false).is_none()).then_some(false),
    }
}

fn holds_for(loaded: &Loaded, registry: &Conditions) -> Vec<bool> {
    let mut holds = vec![false; registry.as_slice().len()];
    for (at, value) in &loaded.asked {
        if let Some(slot) = holds.get_mut(*at) {
            *slot = *value;
        }
    }
    holds
}

impl Application {
    /// What is answered; `endpoint` says which method a probe stands for.
    fn answers_to(
        &self,
        endpoint: Option<usize>,
        request: &Request,
        world: &World,
    ) -> Vec<Response> {
        if let Some((words, span)) = &self.refused {
            return vec![refused(words, *span)];
        }
        let Some(world) = self.full_world(world) else {
            return vec![unknown()];
        };
        let Some((number, programs)) = self.programs(world) else {
            return vec![unknown()];
        };
        let key = (endpoint, format!("{request:?}"));
        if let Ok(answers) = self.answers.lock()
            && let Some(known) = answers.get(&key)
            && let Some(known) = known.iter().find(|known| known.is_of(number, world))
        {
            return vec![known.response.clone()];
        }
        let area = endpoint.and_then(|endpoint| self.areas.get(endpoint));
        let method = method_of(request, area.map_or("GET", |area| area.method));
        let answered = answer(
            &programs,
            &self.registry,
            &world.holds,
            request,
            method,
            false,
        );
        if let Ok(mut answers) = self.answers.lock() {
            answers.entry(key).or_default().push(KnownAnswer {
                program: number,
                asked: answered.asked,
                response: answered.response.clone(),
            });
        }
        vec![answered.response]
    }
}

/// The methods whose routes a request may be for.
fn methods_of(request: &Request) -> Vec<&str> {
    let known = |method: &str| super::model::http_method(&method.to_ascii_lowercase());
    match (&request.requested_method, request.method.as_str()) {
        (Some(method), "OPTIONS") => vec![known(method).unwrap_or(method)],
        // Express answers `OPTIONS` of its own accord where a route with any method serves the path.
        (None, "OPTIONS") => vec!["OPTIONS", "GET", "POST", "PUT", "PATCH", "DELETE"],
        (_, method) => vec![method],
    }
}

impl Site for Application {
    fn framework(&self) -> &'static str {
        "express"
    }

    fn conditions(&self) -> &[Condition] {
        &self.relevant
    }

    fn endpoints(&self) -> &[Endpoint] {
        &self.endpoints
    }

    fn route(&self, request: &Request) -> Option<usize> {
        let mut of_route = None;
        for loaded in &self.programs {
            let Some(stack) = self.stack(&loaded.program) else {
                continue;
            };
            for method in methods_of(request) {
                let path = &request.url.path;
                let met = meets(&loaded.image, &loaded.program, stack, path, method);
                let area = |is: &dyn Fn(&Met) -> bool| {
                    let mut areas = self.areas.iter();
                    areas.position(|area| area.met.iter().any(is))
                };
                let same = area(&|known| *known == met);
                if same.is_some() {
                    return same;
                }
                if met.route.is_some() {
                    of_route = of_route.or_else(|| area(&|known| known.route == met.route));
                }
            }
        }
        of_route
    }

    fn unrouted(&self, request: &Request, world: &World) -> Vec<Response> {
        self.answers_to(None, request, world)
    }

    fn respond(&self, endpoint: usize, request: &Request, world: &World) -> Vec<Response> {
        self.answers_to(Some(endpoint), request, world)
    }

    fn observations(&self) -> &[Observation] {
        &self.observations
    }

    fn unknowns(&self) -> &[(Span, String)] {
        &self.unknowns
    }
}

fn unknown() -> Response {
    let mut response = Response::new(Known::Unknown, crate::model::Answer::Handler, None);
    response.unseen.push("*".into());
    response
}

/// Does a text set CORS headers, as far as its words tell?
pub(super) fn speaks_of_cors(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    lower.contains("access-control-") || lower.contains("cors")
}

/// The root stacks of a program: those that are part of no other and have something to say.
pub(super) fn roots<'a>(program: &'a Program, keep: &dyn Fn(&Stack) -> bool) -> Vec<&'a Stack> {
    program
        .stacks
        .iter()
        .filter(|stack| !stack.mounted && !stack.layers.is_empty() && keep(stack))
        .collect()
}

/// Does a stack, or one inside, set CORS headers?
pub(super) fn is_about_cors(machine: &Node<'_>, stack: &Stack) -> bool {
    use super::host::{host_object, stack_number};
    use super::model::{Middleware, object};
    let program = &machine.host.program;
    let inner = |handler: &Val| program.stacks.get(stack_number(machine, handler)? as usize);
    let is_about = |handler: &Val| match host_object(machine, handler) {
        Some((object::MIDDLEWARE, number)) => matches!(
            program.middleware.get(number as usize),
            Some(Middleware::Cors(..) | Middleware::Static(Some(_), _))
        ),
        Some((object::STACK, _)) => false,
        _ if super::host::is_uncalled_cors(handler) => true,
        _ => machine
            .function(handler)
            .is_some_and(|function| speaks_of_cors(&machine.text(function.span))),
    };
    within(stack, inner, |layer| layer.handlers.iter().any(is_about))
}

/// For looking at a program's values.
pub(super) fn viewer<'s>(loaded: &Loaded) -> Node<'s> {
    machine(&loaded.image, &loaded.program)
}
