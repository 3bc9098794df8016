//! Asking: the probes of an endpoint in one world. Nothing is asked before a rule reads it.

use std::collections::{BTreeMap, HashMap};
use std::hash::{Hash as _, Hasher};
use std::sync::{Arc, Mutex, PoisonError};

use foldhash::fast::RandomState;

use super::alike::{hash_endpoint, hash_response};
use super::exchange::Exchange;
use super::facts::Node;
use super::schema::ENDPOINT_SCOPE;
use super::trusted::{Trusted, find_trusted};
use crate::config::Policy;
use crate::limits::rules::ask::MAX_ASSUMPTIONS;
use crate::model::{
    Application, Assumption, Endpoint, Known, Outcome, Request, Response, Site, World,
};

/// The origin that nobody means to allow.
pub(crate) const FOREIGN: &str = "https://evil.example";
/// One endpoint in one world, with one assignment of its request conditions.
#[derive(Clone)]
pub(crate) struct Subject {
    inner: Arc<Inner>,
    scenario: Arc<Vec<Assumption>>,
}

/// What was answered. Looked up a few times for every endpoint, so the hash is a quick one.
type Answers = HashMap<Request, Arc<Vec<Response>>, RandomState>;

struct Inner {
    site: Arc<dyn Site>,
    /// What the project means to trust, if it says so.
    policy: Option<Arc<Policy>>,
    endpoint: usize,
    world: World,
    trusted: Trusted,
    /// The method of the actual requests.
    method: String,
    answers: Mutex<Answers>,
}

/// The origins that an endpoint's settings evidently mean to allow in a world.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrustedOrigins {
    /// The origin that stands for them.
    pub origin: String,
    /// It only stands for the members of a list whose content is unknown.
    pub symbolic: bool,
    /// All that are known, `origin` among them unless it only stands for others.
    pub all: Vec<String>,
}

/// The origin that stands for what an endpoint means to allow.
#[must_use]
pub fn trusted_origin(site: &Arc<dyn Site>, endpoint: usize, world: &World) -> TrustedOrigins {
    trusted_origins(site, endpoint, world, None)
}

/// The origins that an endpoint or the project's own policy means to allow.
pub(crate) fn trusted_origins(
    site: &Arc<dyn Site>,
    endpoint: usize,
    world: &World,
    policy: Option<&Arc<Policy>>,
) -> TrustedOrigins {
    let inner = Inner::new(site, endpoint, world, policy);
    let Trusted {
        origin,
        symbolic,
        all,
    } = inner.trusted;
    TrustedOrigins {
        origin,
        symbolic,
        all,
    }
}

/// The method that the actual requests to an endpoint have: `GET`, or one of its routes' if it is known
/// that these do not answer `GET`.
pub(crate) fn method(endpoint: &Endpoint, ask: impl Fn(&Request) -> Arc<Vec<Response>>) -> String {
    let is_refused = |method: &str| {
        let request = Request {
            method: method.to_owned(),
            ..Request::actual(endpoint.url.clone(), None)
        };
        let refused = Outcome::Status(Known::Known(405));
        ask(&request)
            .iter()
            .all(|response| response.outcome == refused)
    };
    let mut routes = endpoint.routes.iter().map(|route| route.method.as_str());
    if endpoint.routes.is_empty() || routes.clone().any(|method| method == "GET") {
        return "GET".to_owned();
    }
    let served = is_refused("GET").then(|| routes.find(|method| !is_refused(method)));
    served.flatten().unwrap_or("GET").to_owned()
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
    pub(crate) fn hash(&self, hasher: &mut impl Hasher) {
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

    /// What the settings mean to allow.
    pub(super) fn trusted(&self) -> &Trusted {
        &self.inner.trusted
    }

    /// What the project means to trust, if it says so.
    pub(super) fn policy(&self) -> Option<&Policy> {
        self.inner.policy.as_deref()
    }

    /// Does this origin only stand for the members of a list whose content is unknown?
    pub(super) fn is_symbolic(&self, origin: Option<&str>) -> bool {
        self.inner.is_symbolic(origin)
    }

    pub(super) fn endpoint(&self) -> &Endpoint {
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
    pub(super) fn answer(&self, request: &Request) -> Option<Response> {
        let answers = self.inner.ask(request);
        let mut agreeing = answers.iter().filter(|response| self.agrees(response));
        let first = agreeing.next()?;
        agreeing.next().is_none().then(|| first.clone())
    }

    pub(super) fn exchange(&self, request: Request) -> Option<Node> {
        let response = self.answer(&request)?;
        Some(Exchange::new(request, response).node())
    }

    pub(super) fn actual(&self, origin: Option<&str>) -> Request {
        let mut request = self.inner.actual(origin);
        request.symbolic = self.inner.is_symbolic(origin);
        request
    }

    /// An actual request with a method that the endpoint's own routes need.
    pub(super) fn actual_with(&self, method: &str, origin: &str) -> Request {
        Request {
            method: method.to_owned(),
            ..self.actual(Some(origin))
        }
    }

    pub(super) fn preflight(&self, origin: &str, method: &str, headers: &[&str]) -> Request {
        let mut request = Request::preflight(self.endpoint().url.clone(), origin, method, headers);
        request.symbolic = self.inner.is_symbolic(Some(origin));
        request
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
            trusted: Trusted::default(),
            method: String::new(),
            answers: Mutex::default(),
        };
        inner.method = method(inner.endpoint(), |request| inner.ask(request));
        inner.trusted = find_trusted(
            inner.endpoint(),
            inner.policy.as_deref(),
            &inner.method,
            |request| inner.ask(request),
        );
        inner
    }

    fn endpoint(&self) -> &Endpoint {
        &self.site.endpoints()[self.endpoint]
    }

    fn ask(&self, request: &Request) -> Arc<Vec<Response>> {
        let known = |answers: &Mutex<Answers>| {
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

    fn actual(&self, origin: Option<&str>) -> Request {
        Request {
            method: self.method.clone(),
            ..Request::actual(self.endpoint().url.clone(), origin)
        }
    }

    fn is_symbolic(&self, origin: Option<&str>) -> bool {
        self.trusted.symbolic && origin == Some(self.trusted.origin.as_str())
    }

    /// The requests whose conditions split a world.
    fn main_requests(&self) -> Vec<Request> {
        let url = || self.endpoint().url.clone();
        let trusted = self.trusted.origin.as_str();
        let mut requests = vec![
            self.actual(Some(trusted)),
            Request::preflight(url(), trusted, "GET", &[]),
            Request {
                application: Application::Answers(404),
                ..self.actual(Some(trusted))
            },
        ];
        for request in &mut requests {
            request.symbolic = self.trusted.symbolic;
        }
        requests.push(self.actual(Some(FOREIGN)));
        requests.push(Request::preflight(url(), FOREIGN, "GET", &[]));
        requests.push(self.actual(None));
        requests
    }
}
