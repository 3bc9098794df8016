//! A request on its way through the layers (Express's router, `lib/router/index.js`).

use std::sync::Arc;

use super::cors;
use super::exchange::Exchange;
use super::host::{Node, host_object, is_uncalled_cors};
use super::model::{Layer, Middleware, StackKind, function, object};
use super::path::{Major, Match};
use super::site::speaks_of_cors;
use crate::limits::express::dispatch::MAX_NESTING;
use crate::model::{Answer, Application, Known};
use crate::source::Span;
use crate::syntax::javascript::ast::{Body, Pattern};
use crate::syntax::javascript::eval::heap::{ObjectKind, V, Val};
use crate::syntax::javascript::eval::{Abrupt, Result};

/// How a stack or a handler ends.
#[derive(Debug)]
pub(super) enum End {
    /// The response is sent.
    Finished,
    /// The request goes on, perhaps with an error.
    Passed(Option<Val>),
    /// `next('route')`: the other handlers of the layer are left out.
    LeavesRoute,
    /// `next('router')`: the other layers of the stack are left out.
    LeavesStack,
    /// Nobody answers, ever: what neither answers nor goes on, and is it there for CORS?
    Hangs(Span, bool),
    /// Cannot be told.
    Unknown,
}

/// Runs a whole application.
pub(super) fn run(machine: &mut Node<'_>, stack: u32) -> End {
    let path = exchange(machine).map(|exchange| exchange.path.clone());
    run_stack(machine, stack, &path.unwrap_or_default(), MAX_NESTING)
}

/// The request at hand.
pub(super) fn exchange<'a>(machine: &'a mut Node<'_>) -> Option<&'a mut Exchange> {
    machine.host.exchange.as_deref_mut()
}

fn run_stack(machine: &mut Node<'_>, number: u32, path: &str, depth: u32) -> End {
    let program = Arc::clone(&machine.host.program);
    let Some(stack) = program.stacks.get(number as usize) else {
        return End::Passed(None);
    };
    if depth == 0 {
        return End::Unknown;
    }
    let method = exchange(machine).map(|exchange| exchange.method.clone());
    let method = method.unwrap_or_default();
    let mut error: Option<Val> = None;
    let mut automatic: Option<Span> = None;
    for layer in &stack.layers {
        let inner = match inner_path(layer, path) {
            Inner::Path(inner) => inner,
            Inner::No => continue,
            Inner::BadEncoding => {
                if let (None, Some(exchange)) = (&error, exchange(machine)) {
                    exchange.status = Known::Known(400);
                    error = Some(Val::something("a parameter is badly encoded", layer.span));
                }
                continue;
            }
        };
        if let Some(serves) = layer.method {
            if error.is_some() {
                continue;
            }
            if !serves_method(serves, &method) {
                if method == "OPTIONS" {
                    automatic = automatic.or(Some(layer.span));
                }
                continue;
            }
        }
        let answers = layer.method.is_some() || stack.kind == StackKind::Function;
        let count = layer.handlers.len();
        for (at, handler) in layer.handlers.iter().enumerate() {
            let place = Place {
                terminal: answers && at + 1 == count,
                route: layer.method.is_some(),
                mounted_below: !matches!(layer.path, super::path::LayerPath::All),
                span: layer.span,
            };
            match run_handler(machine, handler, error.take(), &inner, place, depth) {
                End::Passed(passed) => error = passed,
                End::LeavesRoute if layer.method.is_some() => break,
                End::LeavesRoute => {}
                End::LeavesStack => return End::Passed(None),
                other => return other,
            }
        }
        if let Some(exchange) = exchange(machine) {
            path.clone_into(&mut exchange.path);
        }
    }
    if let (None, Some(span)) = (&error, automatic)
        && let Some(exchange) = exchange(machine)
    {
        exchange.status = Known::Known(200);
        exchange.next = None;
        exchange.finish(Answer::Handler, span);
        return End::Finished;
    }
    End::Passed(error)
}

/// What a layer makes of a path.
pub(super) enum Inner {
    /// It is not for it.
    No,
    /// Its handlers see this path.
    Path(String),
    /// Express refuses a parameter of it.
    BadEncoding,
}

/// The path that a layer's handlers see, if the layer is for this path.
pub(super) fn inner_path(layer: &Layer, path: &str) -> Inner {
    let found = match layer.method {
        Some(_) => layer.path.route(path),
        None => layer.path.mount(path),
    };
    let taken = match found {
        Match::No => return Inner::No,
        Match::BadEncoding => return Inner::BadEncoding,
        Match::At(..) if layer.method.is_some() => 0,
        Match::At(_, taken) => taken,
    };
    let rest = path.get(taken..).unwrap_or_default();
    Inner::Path(if rest.starts_with('/') {
        rest.to_owned()
    } else {
        format!("/{rest}")
    })
}

/// Does a route for `serves` serve requests with `method`?
pub(super) fn serves_method(serves: &str, method: &str) -> bool {
    serves == "ALL" || serves == method || (serves == "GET" && method == "HEAD")
}

/// Where a handler stands.
#[derive(Clone, Copy, Debug)]
struct Place {
    /// It is the last of a route: nobody answers if it does not.
    terminal: bool,
    route: bool,
    mounted_below: bool,
    span: Span,
}

fn run_handler(
    machine: &mut Node<'_>,
    handler: &Val,
    error: Option<Val>,
    path: &str,
    place: Place,
    depth: u32,
) -> End {
    let takes_errors = machine
        .function(handler)
        .is_some_and(|function| function.params.len() == 4);
    if takes_errors != error.is_some() {
        return End::Passed(error);
    }
    let Some(exchange) = exchange(machine) else {
        return End::Unknown;
    };
    path.clone_into(&mut exchange.path);
    exchange.turn += 1;
    exchange.next = None;
    exchange.escaped = false;
    exchange.in_route = place.route;
    let turn = exchange.turn;
    let probe = !exchange.request.exact;
    let throws = exchange.request.application;
    let throws = matches!(throws, Application::Throws | Application::Unreachable);
    let preflight = exchange.method == "OPTIONS";
    if place.terminal && probe && throws && !preflight {
        return End::Passed(Some(Val::something("the handler throws", place.span)));
    }
    if place.terminal && probe && !preflight && only_answers(machine, handler) {
        if let Some(exchange) = self::exchange(machine) {
            exchange.finish(Answer::Handler, place.span);
        }
        return End::Finished;
    }
    let next = Val::new(V::Host(function::NEXT, turn), place.span);
    let result = match host_object(machine, handler) {
        Some((object::STACK, number)) => return run_stack(machine, number, path, depth - 1),
        Some((object::MIDDLEWARE, number)) => run_middleware(machine, number, &next),
        _ if is_uncalled_cors(handler) => return End::Hangs(place.span, true),
        _ if machine.function(handler).is_some() => {
            let request = request_value(machine, place.span);
            let response = response_value(machine, place.span);
            let args = match &error {
                Some(error) => vec![error.clone(), request, response, next],
                None => vec![request, response, next],
            };
            let this = Val::undefined(place.span);
            machine.call(handler, &this, &args, place.span)
        }
        _ => return run_opaque(machine, handler, place),
    };
    after(machine, result, place)
}

/// Can a route's last handler do nothing but answer, as far as CORS and caches are concerned? What
/// it computes before that does not matter to a probe, which is a request that succeeds.
fn only_answers(machine: &Node<'_>, handler: &Val) -> bool {
    const MATTERS: [&str; 10] = [
        "eader",
        "riteHead",
        "vary",
        ".set(",
        ".append(",
        "ookie",
        "redirect",
        "uthorization",
        "origin",
        "arguments",
    ];
    let Some(function) = machine.function(handler) else {
        return false;
    };
    let name = |at: usize| match function.params.get(at).map(|param| &param.pattern) {
        Some(Pattern::Name(name, _)) => Some(name.to_string()),
        _ => None,
    };
    let (params, Some(response)) = (function.params.len(), name(1)) else {
        return false;
    };
    let Body::Block(_) = &function.body else {
        return false;
    };
    if !(2..=3).contains(&params) {
        return false;
    }
    let text = machine.text(function.span);
    // The parameters stand before the body.
    let Some((_, body)) = text.split_once('{') else {
        return false;
    };
    let answers = mentions(body, &response).any(|rest| rest.starts_with('.'))
        && mentions(body, &response).all(|rest| rest.starts_with('.'));
    let goes_on = name(2).is_some_and(|next| {
        mentions(body, &next).any(|rest| !rest.starts_with('(') || rest.starts_with("()"))
    });
    let matters = speaks_of_cors(body) || MATTERS.iter().any(|word| body.contains(word));
    answers && !goes_on && !matters
}

/// What follows each place where a text mentions a name.
fn mentions<'a>(text: &'a str, name: &'a str) -> impl Iterator<Item = &'a str> {
    let part = |c: char| c.is_alphanumeric() || c == '_' || c == '$';
    text.match_indices(name).filter_map(move |(at, _)| {
        let rest = &text[at + name.len()..];
        let inside = text[..at].ends_with(part) || rest.starts_with(part);
        (!inside && !text[..at].ends_with('.')).then_some(rest)
    })
}

/// What a handler left behind.
fn after(machine: &mut Node<'_>, result: Result<Val>, place: Place) -> End {
    let rejected = match &result {
        Ok(val) => match machine.object(val).map(|object| &object.kind) {
            Some(ObjectKind::Rejected(error)) => Some((**error).clone()),
            _ => None,
        },
        Err(_) => None,
    };
    let five = machine.host.program.major == Major::Five;
    let spent = machine.budget.is_spent();
    let Some(exchange) = exchange(machine) else {
        return End::Unknown;
    };
    if let Some(finished) = &mut exchange.finished {
        if !place.route && finished.status == Known::Known(404) {
            finished.kind = Answer::NotFound;
        } else if place.terminal && place.route && finished.kind == Answer::Authentication {
            finished.kind = Answer::Handler;
        }
        return End::Finished;
    }
    match result {
        Err(Abrupt::Throw(error)) => return End::Passed(Some(error)),
        Err(Abrupt::Stop) if spent => return End::Unknown,
        _ => {}
    }
    if let Some(passed) = exchange.next.take() {
        let Some(error) = passed else {
            return End::Passed(None);
        };
        return match error.as_str() {
            Some("route") => End::LeavesRoute,
            Some("router") => End::LeavesStack,
            _ if machine.decide(&error, error.span) => End::Passed(Some(error)),
            _ => End::Passed(None),
        };
    }
    if let Some(error) = rejected {
        return if five {
            End::Passed(Some(error))
        } else {
            End::Hangs(place.span, !place.route && exchange.cors_at.is_some())
        };
    }
    let answers = place.terminal && (exchange.escaped || !exchange.request.exact);
    if answers || exchange.begun {
        exchange.finish(Answer::Handler, place.span);
        return End::Finished;
    }
    if exchange.escaped {
        return End::Passed(None);
    }
    match exchange.silent {
        Some(function) => End::Hangs(function, true),
        None => End::Hangs(place.span, !place.route && exchange.cors_at.is_some()),
    }
}

/// A handler that is not in view.
fn run_opaque(machine: &mut Node<'_>, handler: &Val, place: Place) -> End {
    let probe = exchange(machine).is_some_and(|exchange| !exchange.request.exact);
    // Something out of view below a path of its own is taken for a router.
    let router = place.mounted_below && matches!(handler.v, V::Unknown(_)) && probe;
    if place.terminal || router {
        let preflight = exchange(machine).is_some_and(|exchange| exchange.method == "OPTIONS");
        if let Some(exchange) = exchange(machine) {
            if preflight {
                exchange.status = Known::Unknown;
            }
            exchange.finish(Answer::Handler, place.span);
        }
        return End::Finished;
    }
    End::Passed(None)
}

fn run_middleware(machine: &mut Node<'_>, number: u32, next: &Val) -> Result<Val> {
    let program = Arc::clone(&machine.host.program);
    let Some(middleware) = program.middleware.get(number as usize) else {
        return Ok(Val::undefined(next.span));
    };
    let none = Val::undefined(next.span);
    match middleware {
        Middleware::Cors(options, span) => {
            cors::run(machine, options, next, *span)?;
            return Ok(none);
        }
        Middleware::Authentication(authentication) => {
            if let Some(exchange) = exchange(machine)
                && authentication.reads_header
            {
                exchange.reads.insert("authorization");
            }
            if refuses(machine) {
                if let Some(exchange) = exchange(machine) {
                    exchange.status = Known::Known(authentication.status);
                    exchange.finish(Answer::Authentication, authentication.span);
                }
                return Ok(none);
            }
        }
        Middleware::TokenAuthentication(span) => {
            if let Some(exchange) = exchange(machine) {
                exchange.reads.insert("authorization");
            }
            let asks = exchange(machine).is_some_and(|exchange| {
                let asked = &exchange.request.requested_headers;
                exchange.method == "OPTIONS" && asked.iter().any(|name| name == "authorization")
            });
            if !asks && refuses(machine) {
                if let Some(exchange) = exchange(machine) {
                    exchange.status = Known::Known(401);
                    exchange.finish(Answer::Authentication, *span);
                }
                return Ok(none);
            }
        }
        Middleware::Json => {
            if let Some(exchange) = exchange(machine) {
                exchange.reads.insert("content-type");
            }
        }
        Middleware::Static(Some(set), span) => {
            if exchange(machine).is_some_and(Exchange::finds_file) {
                let response = response_value(machine, *span);
                let unknown = Val::unknown("it is about a file", *span);
                let args = [response, unknown.clone(), unknown];
                machine.call(set, &none, &args, *span)?;
                if let Some(exchange) = exchange(machine) {
                    exchange.finish(Answer::Static, *span);
                }
                return Ok(none);
            }
        }
        Middleware::Static(None, _) | Middleware::Pass => {}
    }
    let next = next.clone();
    machine.call(&next, &none, &[], none.span)
}

/// Is a request without credentials refused? Browsers send none with preflights; a probe that is
/// no preflight is one that succeeds.
fn refuses(machine: &mut Node<'_>) -> bool {
    exchange(machine).is_some_and(|exchange| {
        let request = &exchange.request;
        request.is_preflight() || (request.exact && request.header("authorization").is_none())
    })
}

/// Middleware or an application that the program calls itself.
pub(super) fn run_inline(
    machine: &mut Node<'_>,
    callee: &Val,
    next: &Val,
    span: Span,
) -> Result<Val> {
    match host_object(machine, callee) {
        Some((object::MIDDLEWARE, number)) => run_middleware(machine, number, next),
        Some((object::STACK, number)) => {
            let Some(exchange) = exchange(machine) else {
                return Ok(Val::undefined(span));
            };
            let (turn, path) = (exchange.turn, exchange.path.clone());
            let end = run_stack(machine, number, &path, MAX_NESTING / 2);
            if let Some(exchange) = self::exchange(machine) {
                exchange.turn = turn;
                exchange.path = path;
            }
            match end {
                End::Passed(error) if machine.is_callable(next) => {
                    let args: Vec<Val> = error.into_iter().collect();
                    machine.call(next, &Val::undefined(span), &args, span)
                }
                End::Passed(_) => {
                    if let Some(exchange) = self::exchange(machine) {
                        exchange.status = Known::Known(404);
                        exchange.finish(Answer::NotFound, span);
                    }
                    Ok(Val::undefined(span))
                }
                End::Finished | End::Hangs(..) | End::LeavesRoute | End::LeavesStack => {
                    Ok(Val::undefined(span))
                }
                End::Unknown => Err(Abrupt::Stop),
            }
        }
        _ => Ok(Val::undefined(span)),
    }
}

/// The request object of this exchange.
pub(super) fn request_value(machine: &mut Node<'_>, span: Span) -> Val {
    if let Some(known) = exchange(machine).and_then(|exchange| exchange.request_val.clone()) {
        return known;
    }
    let val = machine.allocate(ObjectKind::Host(object::REQUEST, 0), span);
    if let Some(exchange) = exchange(machine) {
        exchange.request_val = Some(val.clone());
    }
    val
}

/// The response object of this exchange.
pub(super) fn response_value(machine: &mut Node<'_>, span: Span) -> Val {
    if let Some(known) = exchange(machine).and_then(|exchange| exchange.response_val.clone()) {
        return known;
    }
    let val = machine.allocate(ObjectKind::Host(object::RESPONSE, 0), span);
    if let Some(exchange) = exchange(machine) {
        exchange.response_val = Some(val.clone());
    }
    val
}
