//! An application as a site: its endpoints, and what its policies say.

use std::sync::Arc;

use super::areas::{Area, Signature, candidates, signature, signature_of};
use super::beans::Known as Beans;
use super::cors::{Cors, Entries, is_regex, regex_of};
use super::exchange::{Compared, Exchange, Policy};
use super::host::{Data, Node, Spring};
use super::model::Application;
use super::{dialect, observe, respond};
use crate::frameworks::answers::{cacheable, is_secure, keep_successes, merge};
use crate::frameworks::boot;
use crate::limits::spring::site::{DEPTH, MAX_ENDPOINTS, MAX_WAYS, STEPS};
use crate::model::{
    AllowedOrigin, Allows, Answer, Application as Behind, Condition, Endpoint, Exposure, Known,
    Observation, Origin, Outcome, Request, Response, Setting, Settings, Site, Url, World,
};
use crate::source::{SourceFile, Span};
use crate::syntax::jvm::eval::Image;
use crate::syntax::value::Budget;

const FOREIGN: &str = "https://evil.example";

/// An application in one world.
#[derive(Debug)]
pub(super) struct Loaded {
    pub(super) image: Image,
    pub(super) data: Arc<Data>,
    pub(super) settings: Arc<boot::Settings>,
    pub(super) components: boot::Beans,
    pub(super) known: Arc<Beans>,
    pub(super) app: Arc<Application>,
    pub(super) notes: super::build::Notes,
}

/// What came of asking.
struct Answered {
    response: Response,
    comparisons: Vec<Compared>,
    policies: Vec<Cors>,
}

/// Asks an application.
fn ask(loaded: &Loaded, request: &Request, method: &str) -> Answered {
    if let Some((words, span)) = &loaded.app.refusal {
        return Answered {
            response: refused(words, *span),
            comparisons: Vec::new(),
            policies: Vec::new(),
        };
    }
    let mut ways = vec![Vec::new()];
    let mut responses: Vec<Response> = Vec::new();
    let mut comparisons: Vec<Compared> = Vec::new();
    let mut policies: Vec<Cors> = Vec::new();
    let mut unsure = false;
    let mut tried = 0;
    while let Some(decisions) = ways.pop() {
        tried += 1;
        let exchange = Exchange::new(request, method, loaded.app.place, decisions);
        let host = Spring::asking(loaded, exchange);
        let mut machine = Node::over(&loaded.image, host, Budget::new(STEPS, DEPTH));
        respond::run(&mut machine);
        let exchange = machine.host.exchange();
        unsure |= exchange.unsure;
        for compared in std::mem::take(&mut exchange.comparisons) {
            if !comparisons.contains(&compared) {
                comparisons.push(compared);
            }
        }
        for policy in std::mem::take(&mut exchange.policies) {
            if !policies.contains(&policy) {
                policies.push(policy);
            }
        }
        let response = response_of(exchange, method);
        if !responses.contains(&response) {
            responses.push(response);
        }
        if tried >= MAX_WAYS {
            break;
        }
        ways.extend(exchange.next_way());
    }
    if !request.exact && request.method != "OPTIONS" && !unsure {
        keep_successes(&mut responses);
    }
    Answered {
        response: merge(responses),
        comparisons,
        policies,
    }
}

fn response_of(exchange: &Exchange, method: &str) -> Response {
    let (kind, span, before_cors) = exchange
        .finished
        .map_or((Answer::Handler, None, !exchange.cors_seen), |finished| {
            (finished.kind, finished.span, finished.before_cors)
        });
    let mut response = Response::new(exchange.status, kind, span);
    response.answered_by.before_cors = before_cors;
    response.headers.clone_from(&exchange.headers);
    response.dropped.clone_from(&exchange.dropped);
    response.unseen.clone_from(&exchange.unseen);
    response.unseen.sort();
    response.unseen.dedup();
    response.cacheable = cacheable(&response, method);
    response
}

/// The application does not start.
fn refused(words: &str, span: Span) -> Response {
    let mut response = Response::new(Known::Unknown, Answer::ErrorPage, Some(span));
    response.outcome = Outcome::Throws(words.to_owned());
    response.answered_by.before_cors = true;
    response
}

/// An application in all its worlds.
pub(super) struct SpringSite {
    /// By the bits of the worlds of all conditions.
    loaded: Vec<Arc<Loaded>>,
    /// The conditions that make a difference, and the number of the full world for each of theirs.
    relevant: Vec<Condition>,
    worlds: Vec<usize>,
    areas: Vec<Area>,
    endpoints: Vec<Endpoint>,
    observations: Vec<Observation>,
    unknowns: Vec<(Span, String)>,
    files: Vec<Arc<SourceFile>>,
}

impl SpringSite {
    /// The site of an application that was loaded once for each world of `conditions`.
    ///
    /// `files`: all that it was read from.
    pub(super) fn new(
        loaded: Vec<Arc<Loaded>>,
        conditions: &[Condition],
        files: Vec<Arc<SourceFile>>,
    ) -> Self {
        let mut site = Self {
            files,
            loaded,
            relevant: Vec::new(),
            worlds: Vec::new(),
            areas: Vec::new(),
            endpoints: Vec::new(),
            observations: Vec::new(),
            unknowns: Vec::new(),
        };
        site.find_areas();
        site.find_differences(conditions);
        site.make_endpoints();
        site.observations.extend(observe::all(&site.loaded));
        site
    }

    fn find_areas(&mut self) {
        let mut areas: Vec<Area> = Vec::new();
        for loaded in &self.loaded {
            for area in candidates(&loaded.app) {
                let full = areas.len() >= MAX_ENDPOINTS;
                let known = areas.iter_mut().find(|known| {
                    known.signature == area.signature && known.management == area.management
                });
                match known {
                    Some(known) => known.take(area),
                    None if !full => areas.push(area),
                    None => {}
                }
            }
        }
        self.areas = areas;
    }

    fn find_differences(&mut self, conditions: &[Condition]) {
        let digests: Vec<Vec<String>> = self
            .loaded
            .iter()
            .map(|loaded| self.areas.iter().map(|area| digest(loaded, area)).collect())
            .collect();
        let alike = |a: usize, b: usize| digests.iter().all(|world| world[a] == world[b]);
        let mut kept: Vec<(usize, Area)> = Vec::new();
        for (at, area) in std::mem::take(&mut self.areas).into_iter().enumerate() {
            let same = kept
                .iter_mut()
                .find(|(known, other)| alike(*known, at) && other.management == area.management);
            match same {
                Some((_, known)) => known.take(area),
                None => kept.push((at, area)),
            }
        }
        self.areas = kept.into_iter().map(|(_, area)| area).collect();
        let matters = |bit: usize| {
            (0..digests.len()).any(|world| {
                let other = world ^ (1 << bit);
                other < digests.len() && digests[world] != digests[other]
            })
        };
        let relevant: Vec<usize> = (0..conditions.len()).filter(|bit| matters(*bit)).collect();
        self.relevant = relevant
            .iter()
            .map(|bit| conditions[*bit].clone())
            .collect();
        self.worlds = (0..1_usize << relevant.len())
            .map(|bits| {
                relevant
                    .iter()
                    .enumerate()
                    .filter(|(new, _)| bits >> new & 1 == 1)
                    .map(|(_, old)| 1 << old)
                    .sum()
            })
            .collect();
    }

    fn in_world(&self, world: &World) -> &Loaded {
        let bits = world.holds.iter().enumerate();
        let index: usize = bits.map(|(at, holds)| usize::from(*holds) << at).sum();
        let full = self.worlds.get(index).copied().unwrap_or(0);
        self.loaded.get(full).unwrap_or(&self.loaded[0])
    }

    fn make_endpoints(&mut self) {
        let mut endpoints = Vec::new();
        let mut misspelt = Vec::new();
        for area in &self.areas {
            let mut settings = Settings::default();
            for full in &self.worlds {
                let Some(loaded) = self.loaded.get(*full) else {
                    continue;
                };
                let actual = Request::actual(url(&area.path), Some(FOREIGN));
                let answered = ask(loaded, &actual, &area.method);
                for policy in &answered.policies {
                    add_policy(&mut settings, policy, loaded);
                }
                add_hand_written(&mut settings, &answered);
                let method = &area.method;
                let preflight = Request::preflight(url(&area.path), FOREIGN, method, &[]);
                let preflight = ask(loaded, &preflight, method);
                for response in [&answered.response, &preflight.response] {
                    observe::misspelt(response, &mut misspelt);
                }
                if answered
                    .response
                    .lines(super::exchange::ACAO)
                    .next()
                    .is_none()
                {
                    add_hand_written(&mut settings, &preflight);
                }
            }
            endpoints.push(Endpoint {
                name: area.name.clone(),
                span: area.span,
                url: url(&area.path),
                secure: is_secure(&settings),
                exposure: exposure(&self.loaded[0]),
                management: area.management,
                reads_headers: area.reads.clone(),
                routes: area.routes.clone(),
                settings,
            });
        }
        self.endpoints = endpoints;
        self.observations = misspelt;
    }
}

/// Do two ways to load an application answer differently anywhere?
pub(super) fn differ(one: &Loaded, other: &Loaded) -> bool {
    let areas = candidates(&one.app);
    let others = candidates(&other.app);
    areas.len() != others.len()
        || areas
            .iter()
            .zip(&others)
            .take(MAX_ENDPOINTS)
            .any(|(a, b)| a.signature != b.signature || digest(one, a) != digest(other, b))
}

/// What the answers in one world rest on. Code of a handler runs only for origins that are let in,
/// which nobody knows yet.
fn digest(loaded: &Loaded, area: &Area) -> String {
    let url = url(&area.path);
    let requests = [
        Request::actual(url.clone(), Some(FOREIGN)),
        Request::preflight(
            url,
            FOREIGN,
            &area.method,
            &["authorization", "content-type"],
        ),
    ];
    let mut digest = format!("{:?};", area.code);
    for request in requests {
        let answered = ask(loaded, &request, &area.method);
        let response = &answered.response;
        let by = &response.answered_by;
        let place = by.span.filter(|_| by.kind != Answer::Handler);
        digest.push_str(&format!(
            "{:?} {:?} {:?} {place:?} {:?} {:?} {:?};",
            response.outcome,
            response.headers,
            by.kind,
            by.before_cors,
            answered.comparisons,
            answered.policies,
        ));
    }
    digest
}

fn exposure(loaded: &Loaded) -> Exposure {
    let address = loaded.settings.get("server.address");
    match address.as_ref().and_then(|value| value.as_str()) {
        Some("127.0.0.1" | "localhost" | "::1") => Exposure::Loopback,
        Some(text) if text.starts_with("10.") || text.starts_with("192.168.") => Exposure::Private,
        _ => Exposure::Public,
    }
}

fn url(path: &str) -> Url {
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
    if !request.exact && (request.method == "GET" || request.is_preflight()) {
        area
    } else {
        &request.method
    }
}

/// Adds what a configuration says.
fn add_policy(settings: &mut Settings, cors: &Cors, loaded: &Loaded) {
    let place = cors.span.unwrap_or(loaded.app.place);
    let open = |list: &Option<Entries>| list.as_ref().is_some_and(|list| list.open);
    for entry in cors.origins.iter().flat_map(|list| &list.items) {
        let span = entry.span.unwrap_or(place);
        if entry.text == "*" {
            add_origin(settings, Allows::Any, span, None);
            continue;
        }
        // Compared without regard to case.
        let problem = Origin::parse(&entry.text.to_lowercase()).err();
        add_origin(settings, Allows::Exact(entry.text.clone()), span, problem);
    }
    for entry in cors.patterns.iter().flat_map(|list| &list.items) {
        let span = entry.span.unwrap_or(place);
        let allows = if entry.text == "*" {
            Allows::Any
        } else if entry.text.contains('*') || entry.text.contains(":[") {
            Allows::Pattern(regex_of(&entry.text))
        } else {
            Allows::Exact(entry.text.clone())
        };
        let problem = match &allows {
            Allows::Exact(text) if !is_regex(text) => Origin::parse(text).err(),
            _ => None,
        };
        add_origin(settings, allows, span, problem);
    }
    if open(&cors.origins) || open(&cors.patterns) {
        add_origin(settings, Allows::Unknown, place, None);
    }
    let list = |list: &Option<Entries>| {
        let list = list.as_ref().filter(|list| !list.open)?;
        Some(Setting {
            values: list.texts().iter().map(|text| (*text).to_owned()).collect(),
            span: list.items.iter().find_map(|item| item.span),
        })
    };
    if settings.methods.is_none() {
        settings.methods = list(&cors.methods);
    }
    if settings.headers.is_none() {
        settings.headers = list(&cors.headers);
    }
    if settings.exposed_headers.is_none() {
        settings.exposed_headers = list(&cors.exposed);
    }
    if settings.credentials.is_none() {
        settings.credentials = cors.credentials.and_then(|written| {
            Some(Setting {
                values: vec![written.value.known()?.to_string()],
                span: written.span,
            })
        });
    }
    if settings.private_network.is_none() {
        settings.private_network = cors.private_network.and_then(|written| {
            Some(Setting {
                values: vec![written.value.known()?.to_string()],
                span: written.span,
            })
        });
    }
    if settings.max_age.is_none() {
        settings.max_age = cors.max_age.and_then(|written| {
            Some(Setting {
                values: vec![written.value.known()?.to_string()],
                span: written.span,
            })
        });
    }
}

/// Adds what code of the project compares the origin with, or sends as it is.
fn add_hand_written(settings: &mut Settings, answered: &Answered) {
    for compared in &answered.comparisons {
        let allows = match (&compared.text, compared.whole, compared.pattern) {
            (Some(text), true, false) => Allows::Exact(text.clone()),
            (Some(text), _, true) => Allows::Pattern(text.clone()),
            (Some(text), false, false) if text.len() < 2 => continue,
            (Some(text), false, false) => Allows::Predicate(vec![text.clone()]),
            (None, ..) => Allows::Unknown,
        };
        let problem = match &allows {
            Allows::Exact(text) => Origin::parse(text).err(),
            _ => None,
        };
        add_origin(settings, allows, compared.span, problem);
    }
    let line = answered.response.lines(super::exchange::ACAO).next();
    let Some(line) = line else { return };
    let span = line.value_span.unwrap_or(line.span);
    match &line.value {
        Known::Known(value) if value == "*" => add_origin(settings, Allows::Any, span, None),
        Known::Known(value) if value == FOREIGN => {
            if line.decided_by.is_none() && answered.policies.is_empty() {
                add_origin(settings, Allows::Any, span, None);
            }
        }
        Known::Known(value) => {
            let problem = Origin::parse(value).err();
            add_origin(settings, Allows::Exact(value.clone()), span, problem);
            if let Some(entry) = settings.origins.iter_mut().find(|entry| entry.span == span) {
                entry.fixed = true;
            }
        }
        Known::Unknown if answered.policies.is_empty() => {
            add_origin(settings, Allows::Unknown, span, None);
        }
        Known::Unknown => {}
    }
}

fn add_origin(
    settings: &mut Settings,
    allows: Allows,
    span: Span,
    problem: Option<crate::model::OriginProblem>,
) {
    let known = settings
        .origins
        .iter()
        .any(|known| known.span == span && known.allows == allows);
    if !known && settings.origins.len() < 1000 {
        settings.origins.push(AllowedOrigin {
            allows,
            span,
            problem,
            negated: false,
            fixed: false,
        });
    }
}

impl Site for SpringSite {
    fn framework(&self) -> &'static str {
        "spring"
    }

    fn dialect(&self, span: Span) -> Option<&'static str> {
        let file = self.files.iter().find(|file| file.id() == span.file)?;
        dialect::of(file, span)
    }

    fn conditions(&self) -> &[Condition] {
        &self.relevant
    }

    fn endpoints(&self) -> &[Endpoint] {
        &self.endpoints
    }

    fn route(&self, request: &Request) -> Option<usize> {
        let path = &request.url.path;
        let mut worlds = self.loaded.iter();
        if request.exact && !worlds.any(|loaded| respond::serves(&loaded.app, path)) {
            return None;
        }
        let app = &self.loaded.first()?.app;
        let method = request
            .requested_method
            .as_deref()
            .filter(|_| request.is_preflight())
            .unwrap_or(&request.method);
        let wanted = signature(app, path, method);
        let whole = respond::handler_at(app, path, method).map(|handler| Signature {
            numbers: wanted.clone(),
            handler: Some(signature_of(handler)),
        });
        let told = |area: &Area, known: &dyn Fn(&Signature) -> bool| {
            known(&area.signature) || area.others.iter().any(known)
        };
        let exact = |area: &Area| area.path == *path && !area.management;
        let by_handler = |area: &Area| {
            whole
                .as_ref()
                .is_some_and(|whole| told(area, &|known| known == whole))
        };
        // Below the actuator's path nothing else is looked for.
        let actuator = app
            .actuator
            .as_ref()
            .is_some_and(|actuator| path.starts_with(&format!("{}/", actuator.base)));
        let managed = |area: &Area| area.management && actuator;
        let alike = |area: &Area| told(area, &|known| known.numbers == wanted);
        let find = |test: &dyn Fn(&Area) -> bool| self.areas.iter().position(test);
        find(&managed)
            .or_else(|| find(&by_handler))
            .or_else(|| find(&exact))
            .or_else(|| find(&alike))
            .or_else(|| (!self.areas.is_empty()).then_some(0))
    }

    fn unrouted(&self, request: &Request, world: &World) -> Vec<Response> {
        vec![ask(self.in_world(world), request, method_of(request, "GET")).response]
    }

    fn respond(&self, endpoint: usize, request: &Request, world: &World) -> Vec<Response> {
        let area = self
            .areas
            .get(endpoint)
            .map_or("GET", |area| area.method.as_str());
        let answered = ask(self.in_world(world), request, method_of(request, area));
        let mut response = answered.response;
        if let Behind::Answers(status) = request.application
            && !request.exact
            && response.answered_by.kind == Answer::Handler
            && request.method != "OPTIONS"
            && matches!(response.outcome, Outcome::Status(Known::Unknown))
        {
            response.outcome = Outcome::Status(Known::Known(status));
        }
        vec![response]
    }

    fn observations(&self) -> &[Observation] {
        &self.observations
    }

    fn unknowns(&self) -> &[(Span, String)] {
        &self.unknowns
    }
}

/// A policy that is in view.
pub(super) const fn known_policy(policy: &Policy) -> Option<&Cors> {
    match policy {
        Policy::Is(cors) => Some(cors),
        _ => None,
    }
}
