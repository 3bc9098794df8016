//! Playing single requests and whole exchanges against what was read, in every deployment world.

mod decide;
mod open;
mod policy;

pub use decide::{Deciding, deciding, why_dropped};
pub use open::{OpenError, Opened, open};
pub use policy::{Policy, policies};

use crate::fetch::{Browser, Call, Played, Step, play};
use crate::limits::simulate::{MAX_CONDITIONS, MAX_WAYS};
use crate::model::{
    Answer, Application, Assumption, Condition, Known, Request, Response, Site, Url, World,
};

/// One way that something may go.
#[derive(Clone, Debug, PartialEq)]
pub struct Way<T> {
    /// What happens.
    pub outcome: T,
    /// The deployment conditions that it needs, with the value that each must have.
    pub conditions: Vec<(Condition, bool)>,
    /// The request conditions that it rests on.
    pub assumes: Vec<Assumption>,
}

/// The endpoint of a site that a request meets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// One with a policy: its index.
    Endpoint(usize),
    /// None: the site answers by itself, by saying that there is no such route.
    Unrouted,
}

/// What of a site answers a request, if the site takes it at all.
#[must_use]
pub fn target_of(site: &dyn Site, request: &Request) -> Option<Target> {
    if site.endpoints().is_empty() {
        return None;
    }
    if let Some(endpoint) = site.route(request) {
        return Some(Target::Endpoint(endpoint));
    }
    let world = World {
        holds: vec![false; site.conditions().len()],
    };
    let answers = !site.unrouted(request, &world).is_empty();
    answers.then_some(Target::Unrouted)
}

/// The responses of a target in one world; never empty.
fn respond(
    site: &dyn Site,
    target: Option<Target>,
    request: &Request,
    world: &World,
) -> Vec<Response> {
    let responses = match target {
        Some(Target::Endpoint(endpoint)) => site.respond(endpoint, request, world),
        Some(Target::Unrouted) => site.unrouted(request, world),
        None => Vec::new(),
    };
    if !responses.is_empty() {
        return responses;
    }
    let mut response = Response::new(Known::Unknown, Answer::Upstream, None);
    response.unseen = vec!["*".into()];
    vec![response]
}

/// Every response that a request may get, equal ones once.
#[must_use]
pub fn responses(site: &dyn Site, target: Target, request: &Request) -> Vec<Way<Response>> {
    in_all_worlds(site, |world| {
        let responses = respond(site, Some(target), request, world);
        let ways = responses.into_iter().map(|response| {
            let assumes = response.assumes.clone();
            (response, assumes)
        });
        ways.collect()
    })
}

/// Is the status of a step of an exchange only what the application behind is said to answer?
#[must_use]
pub fn is_step_assumed(
    site: &dyn Site,
    call: &Call,
    application: Application,
    step: &Step,
) -> bool {
    let request = as_sent(&step.request, call, application);
    is_status_assumed(site, &request, &step.response)
}

/// Is the response's status only what the request says that the application behind answers? It is if
/// another answer of the application would give another status at the same place.
#[must_use]
pub fn is_status_assumed(site: &dyn Site, request: &Request, response: &Response) -> bool {
    let Application::Answers(status) = request.application else {
        return false;
    };
    if response.status() != Some(status) {
        return false;
    }
    let Some(target) = target_of(site, request) else {
        return false;
    };
    // Neither has a meaning to anybody.
    let other = if status == 299 { 298 } else { 299 };
    let mut asked = request.clone();
    asked.application = Application::Answers(other);
    responses(site, target, &asked).iter().any(|way| {
        way.outcome.status() == Some(other) && way.outcome.answered_by == response.answered_by
    })
}

/// Every way that an exchange of `browser` with a site may go, equal ones once. The application
/// behind answers as told. A redirect to a host that the site does not know gets an unknown answer.
#[must_use]
pub fn exchanges(
    site: &dyn Site,
    call: &Call,
    browser: Browser,
    application: Application,
) -> Vec<Way<Played>> {
    in_all_worlds(site, |world| {
        let mut ways = Vec::new();
        let mut oracle = Oracle::default();
        for _ in 0..MAX_WAYS {
            oracle.begin();
            let played = play(call, browser, |request| {
                let request = as_sent(request, call, application);
                oracle.choose(answers(site, call, &request, world))
            });
            ways.push((played, oracle.assumes.clone()));
            if !oracle.next() {
                break;
            }
        }
        ways
    })
}

/// A request of an exchange as the site meets it.
fn as_sent(request: &Request, call: &Call, application: Application) -> Request {
    let mut request = request.clone();
    request.application = application;
    request.cookies = call.include && !request.is_preflight();
    request
}

fn answers(site: &dyn Site, call: &Call, request: &Request, world: &World) -> Vec<Response> {
    let first = Url::of(&call.url);
    let is_known = |host: &str| {
        first.as_ref().is_some_and(|url| url.host == host)
            || site.endpoints().iter().any(|known| known.url.host == host)
    };
    let target = if is_known(&request.url.host) {
        target_of(site, request)
    } else {
        None
    };
    respond(site, target, request, world)
}

/// Walks every way through the choices of an exchange.
#[derive(Default)]
struct Oracle {
    /// Choice and number of choices, from the first request on.
    path: Vec<(usize, usize)>,
    at: usize,
    assumes: Vec<Assumption>,
}

impl Oracle {
    fn begin(&mut self) {
        self.at = 0;
        self.assumes.clear();
    }

    /// One of the responses that agree with what is assumed already.
    fn choose(&mut self, mut responses: Vec<Response>) -> Response {
        let agrees = |response: &Response| {
            response.assumes.iter().all(|new| {
                let mut known = self.assumes.iter();
                known.all(|known| known.text != new.text || known.holds == new.holds)
            })
        };
        let possible = responses.iter().any(agrees);
        if possible {
            responses.retain(agrees);
        }
        if self.at == self.path.len() {
            self.path.push((0, responses.len()));
        }
        let (choice, _) = self.path[self.at];
        self.at += 1;
        let response = responses.swap_remove(choice.min(responses.len() - 1));
        for assumed in &response.assumes {
            if !self.assumes.contains(assumed) {
                self.assumes.push(assumed.clone());
            }
        }
        response
    }

    /// Turns to the next way, if there is one.
    fn next(&mut self) -> bool {
        self.path.truncate(self.at);
        while let Some((choice, count)) = self.path.pop() {
            if choice + 1 < count {
                self.path.push((choice + 1, count));
                return true;
            }
        }
        false
    }
}

/// What happens in each world, equal outcomes once, with the conditions that all their worlds share.
fn in_all_worlds<T: PartialEq>(
    site: &dyn Site,
    run: impl Fn(&World) -> Vec<(T, Vec<Assumption>)>,
) -> Vec<Way<T>> {
    let conditions = site.conditions();
    let count = conditions.len().min(MAX_CONDITIONS);
    let worlds = (0..1_usize << count).map(|bits| World {
        holds: (0..conditions.len())
            .map(|at| at < count && bits >> at & 1 == 1)
            .collect(),
    });
    let mut found: Vec<(T, Vec<Assumption>, Vec<World>)> = Vec::new();
    for world in worlds {
        for (outcome, assumes) in run(&world) {
            let known = found
                .iter_mut()
                .find(|(known, also, _)| *known == outcome && *also == assumes);
            match known {
                Some((.., worlds)) => worlds.push(world.clone()),
                None => found.push((outcome, assumes, vec![world.clone()])),
            }
        }
    }
    let alone = found.len() == 1;
    let ways = found.into_iter().map(|(outcome, assumes, worlds)| {
        let shared = conditions.iter().enumerate().filter_map(|(at, condition)| {
            let holds = worlds.first()?.holds[at];
            let same = at < count && worlds.iter().all(|world| world.holds[at] == holds);
            (same && !alone).then(|| (condition.clone(), holds))
        });
        Way {
            outcome,
            conditions: shared.collect(),
            assumes,
        }
    });
    ways.collect()
}
