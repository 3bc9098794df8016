//! Asking: the probes of an endpoint, and the facts that rules read off the answers.
//!
//! Nothing is asked before a rule reads it.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::hash::{DefaultHasher, Hash as _};
use std::sync::{Arc, Mutex, PoisonError};

use super::alike::{ending, hash_endpoint, hash_response};
use super::exchange::{ACAO, Exchange, decision_of, dropped_lines, written};
use super::facts::{FactSource, Node};
use super::schema::{self, ENDPOINT_SCOPE, SITE_SCOPE};
use crate::config::Policy;
use crate::model::{
    self, AllowedOrigin, Allows, Application, Assumption, Decision, DevelopmentHost, Dropped,
    Endpoint, HostKind, Known, Lookalike, Observation, Origin, Request, Response, Setting, Site,
    World,
};
use crate::source::Span;

/// The origin that nobody means to allow.
pub(crate) const FOREIGN: &str = "https://evil.example";
const FOREIGN_HTTP: &str = "http://evil.example";
/// Stands for what is meant where every origin is allowed.
const ANYBODY: &str = "https://trusted.example";
/// Stands for a member of a list whose content is unknown.
const MEMBER: &str = "https://member-of-the-list.example";
/// The most request conditions that are told apart in one world.
const MAX_ASSUMPTIONS: usize = 4;
/// The most origins of one policy that look-alikes are made from.
const MAX_TRUSTED: usize = 32;
/// The most origins of one policy among which those are chosen.
const MAX_CANDIDATES: usize = 512;
/// The most listed origins that are asked about one by one.
const MAX_LISTED: usize = 256;

/// One endpoint in one world, with one assignment of its request conditions.
#[derive(Clone)]
pub(crate) struct Subject {
    inner: Arc<Inner>,
    scenario: Arc<Vec<Assumption>>,
}

struct Inner {
    site: Arc<dyn Site>,
    /// What the project means to trust, if it says so.
    policy: Option<Arc<Policy>>,
    endpoint: usize,
    world: World,
    trusted: Trusted,
    answers: Mutex<HashMap<Request, Arc<Vec<Response>>>>,
}

/// What the settings mean to allow.
#[derive(Clone, Debug)]
struct Trusted {
    /// The origin of the trusted probe.
    origin: String,
    symbolic: bool,
    /// All that are known, `origin` among them unless it only stands for others.
    all: Vec<String>,
}

/// The origins that an endpoint's settings evidently mean to allow in a world.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrustedOrigins {
    /// The origin that stands for them.
    pub origin: String,
    /// It only stands for the members of a list whose content is unknown.
    pub symbolic: bool,
}

/// The origin that stands for what an endpoint means to allow.
#[must_use]
pub fn trusted_origin(site: &Arc<dyn Site>, endpoint: usize, world: &World) -> TrustedOrigins {
    let inner = Inner::new(site, endpoint, world, None);
    TrustedOrigins {
        origin: inner.trusted.origin.clone(),
        symbolic: inner.trusted.symbolic,
    }
}

impl Subject {
    /// The endpoint in `world`, once per assignment of the request conditions that its main
    /// responses rest on.
    pub(crate) fn scenarios(
        site: &Arc<dyn Site>,
        endpoint: usize,
        world: &World,
        policy: Option<&Arc<Policy>>,
    ) -> Vec<Self> {
        let inner = Inner::new(site, endpoint, world, policy);
        let mut atoms: BTreeMap<String, Assumption> = BTreeMap::new();
        let main = inner.main_requests();
        for request in &main {
            for response in inner.ask(request).iter() {
                for assumption in &response.assumes {
                    atoms.insert(assumption.text.clone(), assumption.clone());
                }
            }
        }
        let atoms: Vec<Assumption> = atoms.into_values().take(MAX_ASSUMPTIONS).collect();
        let inner = Arc::new(inner);
        let scenarios = (0..1_usize << atoms.len()).map(|bits| {
            let mut scenario = atoms.clone();
            for (at, assumption) in scenario.iter_mut().enumerate() {
                assumption.holds = bits >> at & 1 == 1;
            }
            Self {
                inner: Arc::clone(&inner),
                scenario: Arc::new(scenario),
            }
        });
        scenarios
            .filter(|subject| main.iter().all(|request| subject.is_possible(request)))
            .collect()
    }

    /// Adds what tells this subject from others to a hash, places and names aside.
    pub(crate) fn hash(&self, hasher: &mut DefaultHasher) {
        hash_endpoint(self.endpoint(), hasher);
        let trusted = &self.inner.trusted;
        (&trusted.origin, trusted.symbolic, &trusted.all).hash(hasher);
        self.inner.policy.hash(hasher);
        let mut requests = self.inner.main_requests();
        requests.push(self.actual(Some("null")));
        for route in &self.endpoint().routes {
            requests.push(self.actual_with(&route.method, &trusted.origin));
            requests.push(self.preflight(&trusted.origin, &route.method, &[]));
        }
        for request in requests {
            for response in self.inner.ask(&request).iter() {
                hash_response(response, hasher);
            }
        }
    }

    /// The request conditions assumed.
    pub(crate) fn scenario(&self) -> &[Assumption] {
        &self.scenario
    }

    /// The root facts.
    pub(crate) fn facts(&self) -> Node {
        Node::map(&ENDPOINT_SCOPE, self.clone())
    }

    fn endpoint(&self) -> &Endpoint {
        &self.inner.site.endpoints()[self.inner.endpoint]
    }

    fn agrees(&self, response: &Response) -> bool {
        response.assumes.iter().all(|assumed| {
            let known = self
                .scenario
                .iter()
                .find(|known| known.text == assumed.text);
            known.is_none_or(|known| known.holds == assumed.holds)
        })
    }

    fn is_possible(&self, request: &Request) -> bool {
        self.inner
            .ask(request)
            .iter()
            .any(|response| self.agrees(response))
    }

    /// The response to a request; `None` if it cannot be told which of several.
    fn answer(&self, request: &Request) -> Option<Response> {
        let answers = self.inner.ask(request);
        let mut agreeing = answers.iter().filter(|response| self.agrees(response));
        let first = agreeing.next()?;
        agreeing.next().is_none().then(|| first.clone())
    }

    fn exchange(&self, request: Request) -> Option<Node> {
        let response = self.answer(&request)?;
        Some(Exchange::new(request, response).node())
    }

    fn actual(&self, origin: Option<&str>) -> Request {
        let mut request = Request::actual(self.endpoint().url.clone(), origin);
        request.symbolic = self.inner.is_symbolic(origin);
        request
    }

    /// An actual request with a method that the endpoint's own routes need.
    fn actual_with(&self, method: &str, origin: &str) -> Request {
        Request {
            method: method.to_owned(),
            ..self.actual(Some(origin))
        }
    }

    fn preflight(&self, origin: &str, method: &str, headers: &[&str]) -> Request {
        let mut request = Request::preflight(self.endpoint().url.clone(), origin, method, headers);
        request.symbolic = self.inner.is_symbolic(Some(origin));
        request
    }

    /// Is this origin sent back?
    fn accepts(&self, origin: &str) -> Option<Response> {
        let response = self.answer(&self.actual(Some(origin)))?;
        let allowed = response.value(ACAO).known().flatten();
        let refused = response.status().is_some_and(|status| status >= 400);
        (!refused && allowed.as_deref() == Some(origin)).then_some(response)
    }

    /// Is every origin allowed, as far as a foreign one shows?
    fn accepts_everybody(&self) -> bool {
        let Some(response) = self.answer(&self.actual(Some(FOREIGN))) else {
            return true;
        };
        let refused = response.status().is_some_and(|status| status >= 400);
        match response.value(ACAO) {
            Known::Known(None) => false,
            Known::Known(Some(allowed)) => !refused && (allowed == FOREIGN || allowed == "*"),
            Known::Unknown => !refused,
        }
    }

    /// Can a text that is not listed be accepted at all?
    fn has_patterns(&self) -> bool {
        let origins = &self.endpoint().settings.origins;
        origins.iter().any(|entry| {
            matches!(
                entry.allows,
                Allows::Pattern(_) | Allows::Predicate(_) | Allows::Unknown
            )
        })
    }

    fn lookalikes(&self) -> Vec<Node> {
        if !self.has_patterns() || self.accepts_everybody() {
            return Vec::new();
        }
        // Every name of a shared host, or a domain that is written somewhere: that is meant.
        let texts = self.texts();
        let shared_hosts: Vec<_> = model::shared_host_probes(&texts)
            .into_iter()
            .filter(|probe| !probe.affixed && self.accepts(&probe.origin).is_some())
            .map(|probe| format!(".{}", probe.below))
            .collect();
        let is_meant = |origin: &str| {
            let parsed = Origin::parse(origin).ok();
            let domain = parsed.as_ref().and_then(Origin::registrable_domain);
            domain.is_some_and(|domain| {
                model::mentions(&texts, domain)
                    || shared_hosts.iter().any(|host| domain.ends_with(host))
            })
        };
        let candidates = model::lookalikes(&self.inner.trusted.all);
        let accepted = candidates.into_iter().filter_map(|lookalike| {
            if is_meant(&lookalike.origin) {
                return None;
            }
            let response = self.accepts(&lookalike.origin)?;
            let decision = decision_of(&response).cloned();
            Some(self.lookalike(lookalike, decision))
        });
        accepted.collect()
    }

    fn lookalike(&self, lookalike: Lookalike, decision: Option<Decision>) -> Node {
        let span = decision.as_ref().map(|decision| decision.span);
        let source = LookalikeFacts {
            subject: self.clone(),
            lookalike,
            decision,
        };
        Node::map(&schema::LOOKALIKE, source).at(span)
    }

    fn variants(&self, candidates: Vec<Candidate>) -> Node {
        Node::list(self.variant_nodes(candidates, Self::accepts))
    }

    /// The candidates to which `accepts` gives the response that accepts them.
    fn variant_nodes(
        &self,
        candidates: Vec<Candidate>,
        accepts: impl Fn(&Self, &str) -> Option<Response>,
    ) -> Vec<Node> {
        let mut known: Vec<String> = Vec::new();
        let mut nodes = Vec::new();
        for candidate in candidates {
            if known.contains(&candidate.origin) {
                continue;
            }
            known.push(candidate.origin.clone());
            let Some(response) = accepts(self, &candidate.origin) else {
                continue;
            };
            let decision = decision_of(&response).cloned();
            let line = response
                .lines(ACAO)
                .next()
                .map(|line| line.value_span.unwrap_or(line.span));
            let listed = candidate.listed;
            let span = listed
                .or_else(|| decision.as_ref().map(|decision| decision.span))
                .or(line);
            let source = VariantFacts {
                subject: self.clone(),
                candidate,
                decision,
            };
            nodes.push(Node::map(&schema::VARIANT, source).at(span));
        }
        nodes
    }

    /// Listed origins, in order, as candidates of a group.
    fn listed(&self) -> impl Iterator<Item = (Origin, Candidate)> {
        let entries = self.endpoint().settings.origins.iter().take(MAX_LISTED);
        entries.filter_map(|entry| match &entry.allows {
            Allows::Exact(text) if !entry.negated => {
                let origin = Origin::parse(text).ok()?;
                let candidate = Candidate {
                    listed: Some(entry.span),
                    ..Candidate::new(text, text)
                };
                Some((origin, candidate))
            }
            _ => None,
        })
    }

    fn insecure(&self) -> Vec<Candidate> {
        if self.accepts_everybody() {
            return Vec::new();
        }
        let listed = self
            .listed()
            .filter(|(origin, _)| origin.scheme() == Some("http"));
        let mut candidates: Vec<_> = listed.map(|(_, candidate)| candidate).collect();
        if self.has_patterns() {
            let trusted = &self.inner.trusted.all;
            let variants = model::insecure_variants(trusted);
            candidates.extend(variants.iter().map(|origin| Candidate::new(origin, origin)));
        }
        candidates
    }

    fn development(&self) -> Vec<Candidate> {
        if self.accepts_everybody() {
            return Vec::new();
        }
        let is_development = |origin: &Origin| origin.development_host().is_some();
        let listed = self.listed().filter(|(origin, _)| is_development(origin));
        let mut candidates: Vec<_> = listed.map(|(_, candidate)| candidate).collect();
        if self.has_patterns() {
            let origins = model::development_origins();
            candidates.extend(origins.iter().map(|origin| Candidate::new(origin, origin)));
        }
        candidates
    }

    /// Accepted origins, one for each place that lets them in, that the project's policy does not name.
    fn untrusted(&self) -> Vec<Node> {
        let Some(policy) = &self.inner.policy else {
            return Vec::new();
        };
        let mut candidates: Vec<Candidate> = Vec::new();
        if self.accepts_everybody() {
            candidates.push(Candidate::new(FOREIGN, FOREIGN));
        } else {
            candidates.extend(self.listed().map(|(_, candidate)| candidate));
            let trusted = &self.inner.trusted.all;
            let look_alike = model::lookalikes(trusted);
            let look_alike = look_alike.iter().map(|lookalike| &lookalike.origin);
            let made = trusted.iter().chain(look_alike);
            candidates.extend(made.map(|origin| Candidate::new(origin, origin)));
            candidates.extend(self.subdomains());
            candidates.push(Candidate::new("null", "null"));
        }
        candidates.retain(|candidate| !policy.trusts(&candidate.origin));
        let mut places = HashSet::new();
        let mut nodes = self.variant_nodes(candidates, |subject, origin| {
            let response = subject.answer(&subject.actual(Some(origin)))?;
            let allowed = response.value(ACAO).known().flatten();
            let refused = response.status().is_some_and(|status| status >= 400);
            let everybody = allowed.as_deref() == Some("*");
            (!refused && (everybody || allowed.as_deref() == Some(origin))).then_some(response)
        });
        nodes.retain(|node| places.insert(node.span));
        nodes
    }

    fn subdomains(&self) -> Vec<Candidate> {
        if !self.has_patterns() || self.accepts_everybody() {
            return Vec::new();
        }
        let probes = model::subdomain_probes(&self.inner.trusted.all).into_iter();
        probes
            .map(|probe| Candidate::new(&probe.origin, &probe.below))
            .collect()
    }

    /// Everything that the settings write about origins.
    fn texts(&self) -> Vec<&str> {
        let mut texts: Vec<&str> = Vec::new();
        for entry in &self.endpoint().settings.origins {
            match &entry.allows {
                Allows::Exact(text) | Allows::Pattern(text) => texts.push(text),
                Allows::Predicate(constants) => texts.extend(constants.iter().map(String::as_str)),
                Allows::Any | Allows::Unknown => {}
            }
        }
        texts
    }

    fn shared_hosts(&self) -> Vec<Candidate> {
        if !self.has_patterns() || self.accepts_everybody() {
            return Vec::new();
        }
        let texts = self.texts();
        let probes = model::shared_host_probes(&texts).into_iter();
        probes
            .map(|probe| Candidate {
                affixed: probe.affixed,
                ..Candidate::new(&probe.origin, &probe.below)
            })
            .collect()
    }
}

impl Inner {
    fn new(
        site: &Arc<dyn Site>,
        endpoint: usize,
        world: &World,
        policy: Option<&Arc<Policy>>,
    ) -> Self {
        let mut inner = Self {
            site: Arc::clone(site),
            policy: policy.map(Arc::clone),
            endpoint,
            world: world.clone(),
            trusted: Trusted {
                origin: ANYBODY.into(),
                symbolic: false,
                all: Vec::new(),
            },
            answers: Mutex::default(),
        };
        inner.trusted = inner.find_trusted();
        inner
    }

    fn endpoint(&self) -> &Endpoint {
        &self.site.endpoints()[self.endpoint]
    }

    fn ask(&self, request: &Request) -> Arc<Vec<Response>> {
        let known = |answers: &Mutex<HashMap<Request, Arc<Vec<Response>>>>| {
            let answers = answers.lock().unwrap_or_else(PoisonError::into_inner);
            answers.get(request).map(Arc::clone)
        };
        if let Some(answer) = known(&self.answers) {
            return answer;
        }
        let answer = Arc::new(self.site.respond(self.endpoint, request, &self.world));
        let mut answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        answers.insert(request.clone(), Arc::clone(&answer));
        answer
    }

    fn is_symbolic(&self, origin: Option<&str>) -> bool {
        self.trusted.symbolic && origin == Some(self.trusted.origin.as_str())
    }

    /// The requests whose conditions split a world.
    fn main_requests(&self) -> Vec<Request> {
        let url = || self.endpoint().url.clone();
        let trusted = self.trusted.origin.as_str();
        let mut requests = vec![
            Request::actual(url(), Some(trusted)),
            Request::preflight(url(), trusted, "GET", &[]),
            Request {
                application: Application::Answers(404),
                ..Request::actual(url(), Some(trusted))
            },
        ];
        for request in &mut requests {
            request.symbolic = self.trusted.symbolic;
        }
        requests.push(Request::actual(url(), Some(FOREIGN)));
        requests.push(Request::preflight(url(), FOREIGN, "GET", &[]));
        requests.push(Request::actual(url(), None));
        requests
    }

    /// Finds what the settings mean to allow: listed origins, samples of patterns, constants of
    /// predicates; of several the first that is accepted, public https ones first.
    fn find_trusted(&self) -> Trusted {
        let mut candidates: Vec<String> = Vec::new();
        let mut known: HashSet<String> = HashSet::new();
        let mut add = |text: &str| {
            if candidates.len() < MAX_CANDIDATES
                && Origin::parse(text).is_ok_and(|origin| origin != Origin::Opaque)
                && known.insert(text.to_owned())
            {
                candidates.push(text.to_owned());
            }
        };
        for origin in self.policy.iter().flat_map(|policy| policy.named()) {
            add(origin);
        }
        let mut unknown = false;
        for entry in self
            .endpoint()
            .settings
            .origins
            .iter()
            .filter(|entry| !entry.negated)
        {
            match &entry.allows {
                Allows::Exact(text) => add(text),
                Allows::Pattern(pattern) => {
                    for sample in model::sample_pattern(pattern, 32) {
                        add(&sample);
                    }
                }
                Allows::Predicate(constants) => {
                    for constant in constants {
                        add(constant);
                        add(&format!("https://{}", constant.trim_start_matches('.')));
                        add(&format!("https://app.{}", constant.trim_start_matches('.')));
                    }
                }
                Allows::Any => {}
                Allows::Unknown => unknown = true,
            }
        }
        candidates.sort_by_key(|origin| rank(origin));
        candidates.truncate(MAX_TRUSTED);
        let is_accepted = |origin: &String| {
            let url = || self.endpoint().url.clone();
            let requests = [
                Request::actual(url(), Some(origin)),
                Request::preflight(url(), origin, "GET", &[]),
            ];
            requests.iter().any(|request| {
                self.ask(request).iter().any(|response| {
                    let allowed = response.value(ACAO).known().flatten();
                    allowed.is_some_and(|allowed| allowed == *origin)
                })
            })
        };
        let accepted: Vec<String> = candidates
            .iter()
            .filter(|origin| is_accepted(origin))
            .cloned()
            .collect();
        if let Some(origin) = accepted.first().cloned() {
            return Trusted {
                origin,
                symbolic: false,
                all: accepted,
            };
        }
        if unknown {
            return Trusted {
                origin: MEMBER.into(),
                symbolic: true,
                all: candidates,
            };
        }
        let origin = candidates
            .first()
            .cloned()
            .unwrap_or_else(|| ANYBODY.into());
        Trusted {
            origin,
            symbolic: false,
            all: candidates,
        }
    }
}

/// Public https origins before public http ones, before the rest.
fn rank(origin: &str) -> u8 {
    let Ok(origin) = Origin::parse(origin) else {
        return 3;
    };
    let public =
        origin.host_kind() == Some(HostKind::Public) && origin.development_host().is_none();
    match (public, origin.scheme()) {
        (true, Some("https")) => 0,
        (true, _) => 1,
        (false, _) => 2,
    }
}

impl FactSource for Subject {
    fn fact(&self, name: &str) -> Option<Node> {
        let probe = |origin: Option<String>| {
            Node::map(
                &schema::PROBE,
                Probe {
                    subject: self.clone(),
                    origin,
                },
            )
        };
        let endpoint = self.endpoint();
        Some(match name {
            "trusted" => {
                let origin = Some(self.inner.trusted.origin.clone());
                let subject = self.clone();
                Node::map(&schema::TRUSTED, Probe { subject, origin })
            }
            "foreign" => probe(Some(FOREIGN.into())),
            "foreign_http" => probe(Some(FOREIGN_HTTP.into())),
            "opaque" => probe(Some("null".into())),
            "none" => probe(None),
            "same_origin" => {
                let url = &endpoint.url;
                let port = url.port.map(|port| format!(":{port}")).unwrap_or_default();
                probe(Some(format!("{}://{}{port}", url.scheme, url.host)))
            }
            "lookalikes" => Node::list(self.lookalikes()),
            "insecure" => self.variants(self.insecure()),
            "shared_hosts" => self.variants(self.shared_hosts()),
            "subdomains" => self.variants(self.subdomains()),
            "development" => self.variants(self.development()),
            "untrusted" => Node::list(self.untrusted()),
            "settings" => {
                Node::map(&schema::SETTINGS, SettingsFacts(self.clone())).at(Some(endpoint.span))
            }
            "routes" => Node::list(
                (0..endpoint.routes.len())
                    .map(|index| {
                        let subject = self.clone();
                        let span = endpoint.routes[index].span;
                        Node::map(&schema::ROUTE, RouteFacts { subject, index }).at(Some(span))
                    })
                    .collect(),
            ),
            "endpoint" => {
                Node::map(&schema::ENDPOINT, EndpointFacts(self.clone())).at(Some(endpoint.span))
            }
            _ => return None,
        })
    }
}

struct Probe {
    subject: Subject,
    origin: Option<String>,
}

impl FactSource for Probe {
    fn fact(&self, name: &str) -> Option<Node> {
        let origin = self.origin.as_deref();
        let actual = |application| {
            let mut request = self.subject.actual(origin);
            request.application = application;
            self.subject.exchange(request)
        };
        let preflight = |method, headers: &[&str]| {
            let request = self.subject.preflight(origin?, method, headers);
            self.subject.exchange(request)
        };
        match name {
            "origin" => Some(Node::optional_text(origin)),
            "dropped" => Some(Node::list(self.dropped())),
            "symbolic" => Some(Node::bool(self.subject.inner.is_symbolic(origin))),
            "actual" => actual(Application::Answers(200)),
            "error" => actual(Application::Answers(404)),
            "uncaught" => actual(Application::Throws),
            "front_error" => actual(Application::Unreachable),
            "preflight" => preflight("GET", &[]),
            "preflight_headers" => preflight("POST", &["authorization", "content-type"]),
            _ => None,
        }
    }
}

impl Probe {
    /// What the actual responses, one for each method in use, and the preflight response lose.
    fn dropped(&self) -> Vec<Node> {
        let Some(origin) = self.origin.as_deref() else {
            return Vec::new();
        };
        let mut asked = vec![
            ("actual", self.subject.actual(Some(origin))),
            ("preflight", self.subject.preflight(origin, "GET", &[])),
        ];
        for route in &self.subject.endpoint().routes {
            asked.push(("actual", self.subject.actual_with(&route.method, origin)));
        }
        let mut nodes = Vec::new();
        let mut told = HashSet::new();
        for (name, request) in asked {
            if let Some(mut response) = self.subject.answer(&request) {
                let is_new = |line: &Dropped| told.insert((name, line.span, line.by));
                response.dropped.retain(is_new);
                nodes.extend(dropped_lines(&response, name, &request.method));
            }
        }
        nodes
    }
}

/// An origin that a group tries.
#[derive(Clone, Debug)]
struct Candidate {
    origin: String,
    of: String,
    listed: Option<Span>,
    affixed: bool,
}

impl Candidate {
    fn new(origin: &str, of: &str) -> Self {
        Self {
            origin: origin.into(),
            of: of.into(),
            listed: None,
            affixed: false,
        }
    }
}

struct VariantFacts {
    subject: Subject,
    candidate: Candidate,
    decision: Option<Decision>,
}

impl FactSource for VariantFacts {
    fn fact(&self, name: &str) -> Option<Node> {
        let Candidate {
            origin,
            of,
            listed,
            affixed,
        } = &self.candidate;
        let parsed = Origin::parse(origin).ok();
        match name {
            "origin" => Some(Node::text(origin)),
            "of" => Some(Node::text(of)),
            "host" => Some(Node::optional_text(parsed.as_ref().and_then(Origin::host))),
            "host_kind" => {
                let kind = parsed.as_ref().and_then(Origin::host_kind);
                Some(Node::optional_text(kind.map(HostKind::name)))
            }
            "listed" => Some(Node::bool(listed.is_some())),
            "tunnel" => {
                let host = parsed.as_ref().and_then(Origin::development_host);
                let tunnel = matches!(
                    host,
                    Some(DevelopmentHost::Tunnel | DevelopmentHost::Playground)
                );
                Some(Node::bool(tunnel))
            }
            "affixed" => Some(Node::bool(*affixed)),
            "written" => self.decision.as_ref().map(written),
            "actual" => self.subject.exchange(self.subject.actual(Some(origin))),
            _ => None,
        }
    }
}

struct LookalikeFacts {
    subject: Subject,
    lookalike: Lookalike,
    decision: Option<Decision>,
}

impl FactSource for LookalikeFacts {
    fn fact(&self, name: &str) -> Option<Node> {
        let Lookalike {
            origin,
            trusted,
            defect,
            ..
        } = &self.lookalike;
        match name {
            "origin" => Some(Node::text(origin)),
            "of" => Some(Node::text(trusted)),
            "host" => {
                let parsed = Origin::parse(origin).ok();
                Some(Node::optional_text(parsed.as_ref().and_then(Origin::host)))
            }
            "defect" => Some(Node::text(*defect).at(self.defect_span())),
            "written" => self.decision.as_ref().map(written),
            "actual" => self.subject.exchange(self.subject.actual(Some(origin))),
            _ => None,
        }
    }
}

impl LookalikeFacts {
    /// The place inside the pattern at which the defect sits, or the whole entry.
    fn defect_span(&self) -> Option<Span> {
        let decision = self.decision.as_ref()?;
        let narrow = || {
            let offset = decision.offset? as usize;
            let range = model::locate_defect(&decision.text, &self.lookalike)?;
            Some(decision.span.part(offset + range.start, offset + range.end))
        };
        decision
            .pattern
            .then(narrow)
            .flatten()
            .or(Some(decision.span))
    }
}

struct SettingsFacts(Subject);

impl FactSource for SettingsFacts {
    fn fact(&self, name: &str) -> Option<Node> {
        let settings = &self.0.endpoint().settings;
        let setting = |setting: &Option<Setting>| {
            Some(match setting {
                None => Node::null(),
                Some(setting) => Node::map(&schema::SETTING, setting.clone()).at(setting.span),
            })
        };
        match name {
            "origins" => {
                let origins = settings
                    .origins
                    .iter()
                    .map(|entry| Node::map(&schema::ORIGIN, entry.clone()).at(Some(entry.span)));
                Some(Node::list(origins.collect()))
            }
            "credentials" => setting(&settings.credentials),
            "methods" => setting(&settings.methods),
            "headers" => setting(&settings.headers),
            "exposed_headers" => setting(&settings.exposed_headers),
            "max_age" => setting(&settings.max_age),
            "inherited" => Some(Node::bool(settings.inherited)),
            _ => None,
        }
    }
}

impl FactSource for Setting {
    fn fact(&self, name: &str) -> Option<Node> {
        match name {
            "values" => Some(Node::texts(&self.values).at(self.span)),
            "text" => Some(Node::text(self.values.join(", ")).at(self.span)),
            "written" => Some(Node::bool(self.span.is_some())),
            _ => None,
        }
    }
}

impl FactSource for AllowedOrigin {
    fn fact(&self, name: &str) -> Option<Node> {
        match name {
            "kind" => Some(Node::text(match self.allows {
                Allows::Exact(_) => "exact",
                Allows::Any => "any",
                Allows::Pattern(_) => "pattern",
                Allows::Predicate(_) => "predicate",
                Allows::Unknown => "unknown",
            })),
            "text" => Some(match &self.allows {
                Allows::Exact(text) | Allows::Pattern(text) => Node::text(text).at(Some(self.span)),
                Allows::Predicate(constants) => Node::text(constants.join(", ")),
                Allows::Any => Node::text("*"),
                Allows::Unknown => return None,
            }),
            "problem" => Some(Node::optional_text(
                self.problem.map(|problem| problem.text()),
            )),
            "suggestion" => Some(match &self.allows {
                Allows::Exact(text) => Node::optional_text(crate::model::suggestion(text)),
                _ => Node::null(),
            }),
            "negated" => Some(Node::bool(self.negated)),
            "fixed" => Some(Node::bool(self.fixed)),
            _ => None,
        }
    }
}

struct RouteFacts {
    subject: Subject,
    index: usize,
}

impl FactSource for RouteFacts {
    fn fact(&self, name: &str) -> Option<Node> {
        let route = self.subject.endpoint().routes.get(self.index)?;
        match name {
            "method" => Some(Node::text(&route.method).at(Some(route.span))),
            "preflight" => {
                let origin = self.subject.inner.trusted.origin.clone();
                let request = self.subject.preflight(&origin, &route.method, &[]);
                self.subject.exchange(request)
            }
            _ => None,
        }
    }
}

struct EndpointFacts(Subject);

impl FactSource for EndpointFacts {
    fn fact(&self, name: &str) -> Option<Node> {
        let endpoint = self.0.endpoint();
        match name {
            "name" => Some(Node::text(&endpoint.name).at(Some(endpoint.span))),
            "path" => Some(Node::text(&endpoint.url.path)),
            "ending" => Some(Node::text(ending(&endpoint.url.path))),
            "host" => Some(Node::text(&endpoint.url.host)),
            "secure" => endpoint.secure.known().map(Node::bool),
            "exposure" => Some(Node::text(endpoint.exposure.name())),
            "management" => Some(Node::bool(endpoint.management)),
            "reads_headers" => Some(Node::texts(&endpoint.reads_headers)),
            "methods" => Some(Node::texts(
                endpoint.routes.iter().map(|route| &route.method),
            )),
            _ => None,
        }
    }
}

/// The root facts of a site as a whole.
pub(crate) fn site_facts(site: &dyn Site) -> Node {
    let observations = site.observations().iter().map(|observation| {
        Node::map(&schema::OBSERVATION, observation.clone()).at(Some(observation.span))
    });
    Node::map(&SITE_SCOPE, SiteFacts(Node::list(observations.collect())))
}

struct SiteFacts(Node);

impl FactSource for SiteFacts {
    fn fact(&self, name: &str) -> Option<Node> {
        (name == "observations").then(|| self.0.clone())
    }
}

impl FactSource for Observation {
    fn fact(&self, name: &str) -> Option<Node> {
        match name {
            "kind" => Some(Node::text(self.kind.name())),
            "name" => Some(Node::text(&self.name).at(Some(self.span))),
            "text" => Some(Node::text(&self.text).at(Some(self.span))),
            "suggestion" => Some(Node::optional_text(self.suggestion.as_ref())),
            "severe" => Some(Node::bool(self.severe)),
            _ => None,
        }
    }
}
