//! What a loaded program answers to a request.

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

use super::dispatch::{self, End};
use super::exchange::{Compared, Exchange};
use super::host::{Express, Node, Program};
use super::model::{Layer, StackKind};
use crate::frameworks::answers::{cacheable, keep_successes, merge};
use crate::limits::express::respond::{ALL_STEPS, DEPTH, MAX_WAYS, STEPS};
use crate::model::{
    Answer, AnsweredBy, Application, Known, Observation, Outcome, Request, Response,
};
use crate::source::Span;
use crate::syntax::javascript::eval::Image;
use crate::syntax::javascript::eval::heap::{V, Val};
use crate::syntax::value::{Budget, Conditions};

/// A program in one class of worlds.
#[derive(Debug)]
pub(super) struct Loaded {
    pub(super) image: Image,
    pub(super) program: Arc<Program>,
    /// Conditions that loading asked for, and how they were decided.
    pub(super) asked: Vec<(usize, bool)>,
    /// How the conditions were taken for which there was no place, and whether there are any: then
    /// the world has two programs, one with all of them and one with none. What both answer is known.
    pub(super) otherwise: bool,
    pub(super) undecided: bool,
}

/// What came of asking.
pub(super) struct Answered {
    pub(super) response: Response,
    pub(super) comparisons: Vec<Compared>,
    /// Refusals by middleware that stands before CORS: status and place.
    pub(super) early: Vec<(u16, Span)>,
    /// The CORS middleware: place, and what to call it.
    pub(super) policy_at: Option<(Span, &'static str)>,
    /// A CORS header was set, or the package ran.
    pub(super) meets_cors: bool,
    /// The calls of the package that set headers for every route.
    pub(super) policies: Vec<Span>,
    /// Request headers that the application evidently reads.
    pub(super) reads: BTreeSet<&'static str>,
    /// Cookies for one site only that stand for a login: its registrable domain, and the call.
    pub(super) cookies: Vec<(String, Span)>,
    /// What no response shows.
    pub(super) learned: Vec<Observation>,
    /// The conditions known now.
    pub(super) conditions: Conditions,
    /// Those of them that were asked for, by index, and how they were decided: in all worlds that
    /// decide them so the answer is this one.
    pub(super) asked: Vec<(usize, bool)>,
    /// The steps that it took.
    pub(super) steps: u32,
}

/// Asks a stack of every program that a world may have. `may_learn`: conditions that are not known
/// yet are registered.
pub(super) fn answer(
    programs: &[(&Loaded, u32)],
    registry: &Conditions,
    holds: &[bool],
    request: &Request,
    method: &str,
    may_learn: bool,
) -> Answered {
    let mut responses: Vec<Response> = Vec::new();
    let mut comparisons = Vec::new();
    let mut conditions = registry.clone();
    let mut steps = 0;
    let mut asked: Vec<(usize, bool)> = Vec::new();
    let mut unsure = false;
    let mut early = Vec::new();
    let mut policy_at = None;
    let mut learned = Vec::new();
    let mut meets_cors = false;
    let mut policies = Vec::new();
    let mut reads = BTreeSet::new();
    let mut cookies = Vec::new();
    for (loaded, stack) in programs {
        let mut ways = vec![Vec::new()];
        let mut tried = 0;
        let mut spent = 0;
        while let Some(decisions) = ways.pop() {
            tried += 1;
            let exchange = Exchange::new(request, method, decisions);
            let mut host = Express::asking(&loaded.program, &conditions, holds, exchange);
            host.frozen = !may_learn;
            let budget = Budget::new(STEPS, DEPTH);
            let mut machine = Node::over(&loaded.image, host, budget);
            let end = dispatch::run(&mut machine, *stack);
            let response = respond(&mut machine, end, *stack);
            let Some(exchange) = machine.host.exchange.take() else {
                break;
            };
            spent += STEPS - machine.budget.left();
            for at in &machine.host.asked {
                if !asked.iter().any(|(known, _)| known == at) {
                    asked.push((*at, holds.get(*at).copied().unwrap_or(false)));
                }
            }
            conditions = std::mem::take(&mut machine.host.registry);
            unsure |= exchange.unsure;
            early.extend(early_refusal(&exchange, &response));
            policy_at = policy_at.or(exchange.policy_at);
            if exchange.policies.len() > policies.len() {
                policies.clone_from(&exchange.policies);
            }
            reads.extend(exchange.reads.iter().copied());
            cookies.extend(exchange.cookies.iter().cloned());
            meets_cors |= exchange.cors_at.is_some();
            learned.extend(exchange.learned.iter().cloned());
            comparisons.extend(exchange.comparisons.iter().cloned());
            let next = exchange.next_way();
            if !responses.contains(&response) {
                responses.push(response);
            }
            if tried >= MAX_WAYS || spent >= ALL_STEPS {
                break;
            }
            ways.extend(next);
        }
        steps += spent;
    }
    let preflight = request.method == "OPTIONS";
    if !request.exact && !preflight && !unsure {
        keep_successes(&mut responses);
    }
    Answered {
        response: merge(responses),
        comparisons,
        early,
        policy_at,
        meets_cors,
        policies,
        reads,
        cookies,
        learned,
        conditions,
        asked,
        steps,
    }
}

/// The status and place of an answer by which middleware refuses a request before CORS is met.
fn early_refusal(exchange: &Exchange, response: &Response) -> Option<(u16, Span)> {
    let (status, kind, span) = match &exchange.finished {
        Some(finished) => (finished.status, finished.kind, finished.span),
        None => (
            response.status().into(),
            response.answered_by.kind,
            response.answered_by.span?,
        ),
    };
    let refuses = matches!(
        kind,
        Answer::Handler | Answer::Authentication | Answer::ErrorPage
    );
    match status {
        Known::Known(status @ 400..)
            if refuses && exchange.cors_at.is_none() && !exchange.in_route =>
        {
            Some((status, span))
        }
        _ => None,
    }
}

fn respond(machine: &mut Node<'_>, end: End, stack: u32) -> Response {
    let program = Arc::clone(&machine.host.program);
    let stack = program.stacks.get(stack as usize);
    let span = stack.map(|stack| stack.span);
    let kind = stack.map(|stack| stack.kind);
    let routes_out_of_view = stack.is_some_and(|stack| !has_routes(&program, stack))
        && kind != Some(StackKind::Function);
    let Some(exchange) = machine.host.exchange.as_deref() else {
        return Response::new(Known::Unknown, Answer::Handler, span);
    };
    let request = exchange.request.clone();
    let options = exchange.method == "OPTIONS";
    let mut response = match end {
        End::Finished => match &exchange.finished {
            Some(finished) => {
                let mut response =
                    Response::new(finished.status, finished.kind, Some(finished.span));
                response.answered_by.before_cors = finished.before_cors;
                response
            }
            None => Response::new(Known::Unknown, Answer::Handler, span),
        },
        End::Passed(None) | End::LeavesRoute | End::LeavesStack => {
            let out_of_view = matches!(kind, Some(StackKind::Nest | StackKind::Socket));
            let escaped = stack.is_some_and(|stack| stack.escaped);
            if out_of_view || escaped || (routes_out_of_view && !request.exact) {
                let status = if options || request.exact {
                    Known::Unknown
                } else {
                    Known::Known(200)
                };
                Response::new(status, Answer::Handler, span)
            } else {
                let mut response = Response::new(Known::Known(404), Answer::NotFound, span);
                response.answered_by.before_cors = exchange.cors_at.is_none();
                response
            }
        }
        End::Passed(Some(error)) => {
            let (status, place) = error_status(machine, &error);
            let kind = match status {
                Known::Known(401 | 403) => Answer::Authentication,
                _ => Answer::ErrorPage,
            };
            Response::new(status, kind, Some(place))
        }
        End::Hangs(span, is_cors) => {
            let kind = if is_cors {
                Answer::Cors
            } else {
                Answer::Handler
            };
            let mut response = Response::new(Known::Unknown, kind, Some(span));
            response.outcome = Outcome::NeverAnswers;
            response
        }
        End::Unknown => {
            let mut response = Response::new(Known::Unknown, Answer::Handler, span);
            response.unseen.push("*".into());
            response
        }
    };
    let Some(exchange) = machine.host.exchange.as_deref() else {
        return response;
    };
    response.headers.clone_from(&exchange.headers);
    response.dropped.clone_from(&exchange.dropped);
    if !request.exact && !options && response.answered_by.kind == Answer::Handler {
        apply(&request, &mut response);
    }
    response.cacheable = cacheable(&response, &exchange.method);
    if exchange.silent_package && !exchange.cors_set() {
        response.cacheable = Known::Unknown;
    }
    response
}

/// The handler answers with the status that the probe asks for.
fn apply(request: &Request, response: &mut Response) {
    let Application::Answers(wanted) = request.application else {
        return;
    };
    let keep = matches!(response.outcome, Outcome::Status(Known::Known(status)) if status < 400);
    if wanted != 200 || !keep {
        response.outcome = Outcome::Status(Known::Known(wanted));
    }
}

/// Has a stack, or one inside, routes that answer?
pub(super) fn has_routes(program: &Program, stack: &super::model::Stack) -> bool {
    within(
        stack,
        |handler| inner_stack(program, handler),
        |layer| layer.method.is_some_and(|method| method != "OPTIONS"),
    )
}

/// Does something hold for a layer of a stack, or of one inside? A stack may be inside itself.
pub(super) fn within<'a>(
    stack: &'a super::model::Stack,
    inner: impl Fn(&Val) -> Option<&'a super::model::Stack>,
    holds: impl Fn(&Layer) -> bool,
) -> bool {
    let mut pending = vec![stack];
    let mut seen = HashSet::new();
    while let Some(stack) = pending.pop() {
        if !seen.insert(std::ptr::from_ref(stack)) {
            continue;
        }
        for layer in &stack.layers {
            if holds(layer) {
                return true;
            }
            pending.extend(layer.handlers.iter().filter_map(&inner));
        }
    }
    false
}

fn inner_stack<'a>(program: &'a Program, handler: &Val) -> Option<&'a super::model::Stack> {
    // Stacks are named by the place where they are made.
    matches!(handler.v, V::Object(_))
        .then(|| {
            program
                .stacks
                .iter()
                .find(|stack| stack.span == handler.span && stack.kind != StackKind::Function)
        })
        .flatten()
}

/// The status of Express's own error page (the package `finalhandler`), and where the error is.
fn error_status(machine: &Node<'_>, error: &Val) -> (Known<u16>, Span) {
    let own = ["status", "statusCode"]
        .into_iter()
        .find_map(|name| machine.own(error, name));
    let set = machine
        .host
        .exchange
        .as_deref()
        .map(|exchange| exchange.status);
    let status = match own.map(|val| val.v) {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "checked"
        )]
        Some(V::Number(status)) if (400.0..600.0).contains(&status) => Known::Known(status as u16),
        Some(V::Unknown(_) | V::Foreign(_) | V::Env(_)) => Known::Unknown,
        // What the language and Express throw themselves is something without a status.
        None if error.is_opaque() && machine.truth(error).is_none() => Known::Unknown,
        _ => match set {
            Some(Known::Known(status)) if (400..600).contains(&status) => Known::Known(status),
            Some(Known::Unknown) => Known::Unknown,
            _ => Known::Known(500),
        },
    };
    (status, error.span)
}

/// Express refuses to start.
pub(super) fn refused(words: &str, span: Span) -> Response {
    let mut response = Response::new(Known::Unknown, Answer::ErrorPage, Some(span));
    response.outcome = Outcome::Throws(words.to_owned());
    response.answered_by = AnsweredBy {
        kind: Answer::ErrorPage,
        span: Some(span),
        before_cors: true,
        inner: false,
    };
    response
}
