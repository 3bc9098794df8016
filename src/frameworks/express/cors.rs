//! The package `cors` (2.8): what it does with a request.
//!
//! Follows `lib/index.js` of <https://github.com/expressjs/cors> step by step.

use super::dispatch::exchange as exchange_of;
use super::exchange::{self, Callback, Then};
use super::host::Node;
use super::model::function;
use crate::limits::express::cors::MAX_NESTING;
use crate::model::{Answer, Known};
use crate::source::Span;
use crate::syntax::javascript::ast::Pattern;
use crate::syntax::javascript::eval::heap::{ObjectKind, V, Val};
use crate::syntax::javascript::eval::{Abrupt, Call, Result};
use crate::syntax::javascript::regex;

/// The options that the package reads.
pub(super) const OPTIONS: [&str; 9] = [
    "origin",
    "methods",
    "allowedHeaders",
    "headers",
    "exposedHeaders",
    "credentials",
    "maxAge",
    "preflightContinue",
    "optionsSuccessStatus",
];

/// The methods that it allows if nothing is said.
pub(super) const METHODS: &str = "GET,HEAD,PUT,PATCH,POST,DELETE";

/// Is a foreign path the package?
pub(super) fn is_package(path: &str) -> bool {
    matches!(path, "cors" | "cors.default")
}

/// What came of calling the origin function or the delegate.
enum Called {
    /// The callback was called: error, value.
    Back(Val, Val),
    /// It never was.
    Never,
    /// Nobody knows.
    Unknown,
}

/// Runs the middleware; what it passes on goes to `next`.
pub(super) fn run(machine: &mut Node<'_>, options: &Val, next: &Val, span: Span) -> Result<()> {
    if let Some(exchange) = &mut machine.host.exchange {
        exchange.meets_cors(span, "cors()");
    }
    let options = machine.force(options.clone());
    let options = if machine.is_callable(&options) {
        let request = super::dispatch::request_value(machine, span);
        match ask(machine, &options, request, Then::Options, span)? {
            Called::Back(error, options) => {
                if machine.decide(&error, error.span) {
                    return pass(machine, next, Some(error), span);
                }
                machine.force(options)
            }
            Called::Never => return silent(machine, options.span),
            Called::Unknown => return give_up(machine, next, span),
        }
    } else {
        options
    };
    if options.is_opaque() {
        return give_up(machine, next, span);
    }
    let Some(mut origin) = option(machine, &options, "origin") else {
        let star = Val::string("*", options.span);
        return answer(machine, &options, Some(star), next, span);
    };
    origin = machine.force(origin);
    let falsy = match &origin.v {
        V::Env(_) => !machine.decide(&origin, origin.span),
        _ => machine.truth(&origin) == Some(false),
    };
    if falsy {
        if let Some(exchange) = exchange_of(machine) {
            exchange.silent_package = true;
        }
        return pass(machine, next, None, span);
    }
    if machine.is_callable(&origin) {
        let place = parameter(machine, &origin).unwrap_or(span);
        let given = super::exchange::request_header(machine, "origin", place);
        let then = if lacks_methods(machine, &options) {
            Then::Throws
        } else {
            Then::Headers
        };
        match ask(machine, &origin, given, then, span)? {
            Called::Back(error, value) => {
                if machine.decide(&error, error.span) {
                    return pass(machine, next, Some(error), span);
                }
                if !machine.decide(&value, value.span) {
                    if let Some(exchange) = exchange_of(machine) {
                        exchange.silent_package = true;
                    }
                    return pass(machine, next, None, span);
                }
                origin = machine.force(value);
            }
            Called::Never => return silent(machine, origin.span),
            Called::Unknown => origin = Val::something("the function is not in view", origin.span),
        }
    }
    answer(machine, &options, Some(origin), next, span)
}

/// Nobody calls back: the request hangs.
fn silent(machine: &mut Node<'_>, function: Span) -> Result<()> {
    if let Some(exchange) = exchange_of(machine) {
        exchange.silent = Some(function);
    }
    Ok(())
}

/// The options cannot be told: neither can the headers.
fn give_up(machine: &mut Node<'_>, next: &Val, span: Span) -> Result<()> {
    let unknown = Val::something("the options are not in view", span);
    let options = machine.allocate(ObjectKind::Plain, span);
    if let Some(id) = options.as_id() {
        machine.objects.get_mut(id).open = true;
    }
    answer(machine, &options, Some(unknown), next, span)
}

/// Calls `function(given, callback)`.
fn ask(
    machine: &mut Node<'_>,
    function: &Val,
    given: Val,
    then: Then,
    span: Span,
) -> Result<Called> {
    let Some(exchange) = &mut machine.host.exchange else {
        return Ok(Called::Unknown);
    };
    let escaped = std::mem::replace(&mut exchange.escaped, false);
    exchange.callbacks.push(Callback { then, called: None });
    let number = exchange.callbacks.len() - 1;
    let callback = V::Host(
        function::CALLBACK,
        u32::try_from(number).unwrap_or(u32::MAX),
    );
    let callback = Val::new(callback, span);
    let result = machine.call(function, &Val::undefined(span), &[given, callback], span);
    let Some(exchange) = &mut machine.host.exchange else {
        return Ok(Called::Unknown);
    };
    let lost = std::mem::replace(&mut exchange.escaped, escaped);
    let callback = exchange.callbacks.get_mut(number);
    let called = callback.and_then(|callback| callback.called.take());
    match (called, result) {
        (Some((error, value)), _) => Ok(Called::Back(error, value)),
        (None, Err(abrupt)) => Err(abrupt),
        (None, Ok(_)) if lost || machine.function(function).is_none() => Ok(Called::Unknown),
        (None, Ok(_)) => Ok(Called::Never),
    }
}

/// The callback of an origin function or a delegate is called.
pub(super) fn call_back(machine: &mut Node<'_>, number: u32, call: &Call<'_>) -> Result<Val> {
    let none = Val::undefined(call.span);
    let mut args = call.args.iter().map(|arg| machine.force(arg.clone()));
    let error = args.next().unwrap_or(none.clone());
    let value = args.next().unwrap_or(none.clone());
    let exchange = machine.host.exchange.as_ref();
    let then = exchange.and_then(|exchange| exchange.then(number));
    let goes_on = machine.truth(&error) == Some(false);
    let throws = match then {
        Some(Then::Throws) => goes_on && machine.truth(&value) == Some(true),
        Some(Then::Options) => {
            goes_on && {
                let origin = option(machine, &value, "origin");
                let fixed = origin.is_none_or(|origin| {
                    machine.truth(&origin) == Some(true) && !machine.is_callable(&origin)
                });
                fixed && lacks_methods(machine, &value)
            }
        }
        _ => false,
    };
    if throws {
        return Err(no_methods(call.span));
    }
    if let Some(exchange) = exchange_of(machine) {
        exchange.call_back(number, error, value);
    }
    Ok(none)
}

/// Is this a preflight, and are the methods neither a list nor a text?
fn lacks_methods(machine: &mut Node<'_>, options: &Val) -> bool {
    let preflight = exchange_of(machine).is_some_and(|exchange| exchange.method == "OPTIONS");
    let methods = option(machine, options, "methods").map(|methods| machine.force(methods));
    preflight && methods.is_some_and(|methods| methods.is_nullish())
}

fn no_methods(span: Span) -> Abrupt {
    Abrupt::Throw(Val::something(
        "Cannot read properties of undefined (reading 'join')",
        span,
    ))
}

/// The place of a function's first parameter.
fn parameter(machine: &Node<'_>, function: &Val) -> Option<Span> {
    match machine.function(function)?.params.first()?.pattern {
        Pattern::Name(_, span) => Some(span),
        _ => None,
    }
}

fn pass(machine: &mut Node<'_>, next: &Val, error: Option<Val>, span: Span) -> Result<()> {
    let args: Vec<Val> = error.into_iter().collect();
    let next = next.clone();
    machine.call(&next, &Val::undefined(span), &args, span)?;
    Ok(())
}

/// An own option; `None` if the default is in force. Options that are no object say nothing.
fn option(machine: &Node<'_>, options: &Val, name: &str) -> Option<Val> {
    let object = machine.object(options)?;
    match object.slot(name) {
        Some(slot) => Some(slot.value.clone()),
        None if object.open => Some(Val::unknown("the options are not in view", options.span)),
        None => None,
    }
}

/// Sets the headers, and ends a preflight.
fn answer(
    machine: &mut Node<'_>,
    options: &Val,
    origin: Option<Val>,
    next: &Val,
    span: Span,
) -> Result<()> {
    let preflight = machine
        .host
        .exchange
        .as_ref()
        .is_some_and(|exchange| exchange.method == "OPTIONS");
    if let Some(exchange) = exchange_of(machine)
        && !exchange.in_route
        && exchange.path == exchange.request.url.path
    {
        exchange.policies.push(span);
    }
    // The headers are put together before the first is set.
    if lacks_methods(machine, options) {
        return Err(no_methods(span));
    }
    if let Some(origin) = origin {
        set_origin(machine, &origin, span);
    }
    if let Some(credentials) = option(machine, options, "credentials") {
        let credentials = machine.force(credentials);
        match credentials.v {
            V::Bool(true) => {
                let text = Known::Known("true".to_owned());
                set(
                    machine,
                    "Access-Control-Allow-Credentials",
                    text,
                    &credentials,
                    span,
                );
            }
            _ if credentials.is_opaque() => {
                set(
                    machine,
                    "Access-Control-Allow-Credentials",
                    Known::Unknown,
                    &credentials,
                    span,
                );
            }
            _ => {}
        }
    }
    if preflight {
        set_methods(machine, options, span);
        set_allowed_headers(machine, options, span);
        if let Some(age) = option(machine, options, "maxAge") {
            let age = machine.force(age);
            let given = matches!(age.v, V::Number(_)) || machine.truth(&age) != Some(false);
            if given {
                let text = machine.to_text(&age).map(|text| text.to_string());
                if text.as_deref() != Some("") {
                    set(machine, "Access-Control-Max-Age", text.into(), &age, span);
                }
            }
        }
    }
    if let Some(exposed) = option(machine, options, "exposedHeaders") {
        let exposed = machine.force(exposed);
        set_list(machine, "Access-Control-Expose-Headers", &exposed, span);
    }
    if !preflight {
        return pass(machine, next, None, span);
    }
    let goes_on = option(machine, options, "preflightContinue");
    if let Some(goes_on) = goes_on
        && machine.decide(&goes_on, goes_on.span)
    {
        return pass(machine, next, None, span);
    }
    let status = option(machine, options, "optionsSuccessStatus");
    let status = status.map(|status| machine.force(status));
    if let Some(exchange) = &mut machine.host.exchange {
        let before = exchange.status;
        exchange.set_status(&status.unwrap_or(Val::number(204.0, span)));
        exchange.finish(Answer::Cors, span);
        if exchange.finished.is_none() {
            exchange.status = before;
        }
    }
    Ok(())
}

fn set(machine: &mut Node<'_>, name: &str, value: Known<String>, val: &Val, span: Span) {
    let written = exchange::is_written(machine, val);
    if let Some(exchange) = exchange_of(machine) {
        let line = exchange.line(name, value, val, span, written);
        exchange.set(vec![line]);
    }
}

fn set_origin(machine: &mut Node<'_>, origin: &Val, span: Span) {
    const NAME: &str = "Access-Control-Allow-Origin";
    if let Some(text) = origin.as_str() {
        let text = text.to_owned();
        let star = text == "*";
        set(machine, NAME, Known::Known(text), origin, span);
        if !star && let Some(exchange) = exchange_of(machine) {
            exchange.vary("Origin", span);
        }
        return;
    }
    let given = machine
        .host
        .exchange
        .as_ref()
        .and_then(|exchange| exchange.request.origin.clone());
    let opaque = origin.is_opaque();
    if let Some(exchange) = exchange_of(machine) {
        // A text that is not in view may be `*`, which needs none.
        if opaque && !exchange.request.symbolic {
            exchange.vary_perhaps(span);
        } else {
            exchange.vary("Origin", span);
        }
    }
    match allows(machine, origin, given.as_deref()) {
        Some(true) => {
            let Some(given) = given else { return };
            let val = Val::string(given.as_str(), origin.span);
            if let Some(exchange) = exchange_of(machine) {
                let line = exchange.line(NAME, Known::Known(given), &val, span, false);
                exchange.set(vec![line]);
            }
        }
        Some(false) => {}
        // Whether there is a line is unknown, which a line of unknown content says best.
        None => set(machine, NAME, Known::Unknown, origin, span),
    }
}

/// `isOriginAllowed`; `None` if it cannot be told.
fn allows(machine: &mut Node<'_>, allowed: &Val, origin: Option<&str>) -> Option<bool> {
    allows_at(machine, allowed, origin, MAX_NESTING)
}

/// A list may be an element of itself.
fn allows_at(
    machine: &mut Node<'_>,
    allowed: &Val,
    origin: Option<&str>,
    depth: u32,
) -> Option<bool> {
    let allowed = machine.force(allowed.clone());
    let symbolic = machine
        .host
        .exchange
        .as_ref()
        .is_some_and(|exchange| exchange.request.symbolic);
    match &allowed.v {
        V::String(text) => {
            let holds = Some(&**text) == origin;
            note(machine, &allowed, holds, false);
            Some(holds)
        }
        V::Object(id) => {
            let object = machine.objects.get(*id).kind.clone();
            match object {
                ObjectKind::Array(items, open) => {
                    if depth == 0 || !machine.pay(items.len()) {
                        return None;
                    }
                    let mut unsure = false;
                    for item in items {
                        match allows_at(machine, &item, origin, depth - 1) {
                            Some(true) => return Some(true),
                            Some(false) => {}
                            None => unsure = true,
                        }
                    }
                    if open && symbolic {
                        return Some(true);
                    }
                    (!open && !unsure).then_some(false)
                }
                ObjectKind::Regex(pattern, flags, _) => {
                    let text = origin.unwrap_or("undefined");
                    let found = regex::find(&pattern, &flags, text, 0)?;
                    let sticky = flags.contains('y');
                    let holds = found.is_some_and(|found| !sticky || found.start == 0);
                    let mut by = Val::string(pattern, allowed.span);
                    by.span = machine.objects.get(*id).span;
                    note(machine, &by, holds, true);
                    Some(holds)
                }
                _ => Some(true),
            }
        }
        V::Unknown(_) | V::Foreign(_) | V::Env(_) => symbolic.then_some(true),
        _ => Some(machine.truth(&allowed).unwrap_or(true)),
    }
}

fn note(machine: &mut Node<'_>, by: &Val, holds: bool, pattern: bool) {
    use crate::syntax::javascript::eval::Comparison;
    let how = if pattern {
        Comparison::Pattern
    } else {
        Comparison::Equal
    };
    if let Some(exchange) = exchange_of(machine) {
        exchange.compared(by, how, true, holds);
    }
}

fn set_methods(machine: &mut Node<'_>, options: &Val, span: Span) {
    const NAME: &str = "Access-Control-Allow-Methods";
    let Some(methods) = option(machine, options, "methods") else {
        let default = Val::string(METHODS, span);
        set(machine, NAME, Known::Known(METHODS.into()), &default, span);
        return;
    };
    let methods = machine.force(methods);
    let text = machine.to_text(&methods).map(|text| text.to_string());
    if machine.truth(&methods) != Some(false) && text.as_deref() != Some("") {
        set(machine, NAME, text.into(), &methods, span);
    }
}

fn set_allowed_headers(machine: &mut Node<'_>, options: &Val, span: Span) {
    const NAME: &str = "Access-Control-Allow-Headers";
    let mut allowed = None;
    for name in ["allowedHeaders", "headers"] {
        let given = option(machine, options, name).map(|given| machine.force(given));
        if let Some(given) = given
            && machine.truth(&given) != Some(false)
        {
            allowed = Some(given);
            break;
        }
    }
    if let Some(allowed) = allowed {
        set_list(machine, NAME, &allowed, span);
        return;
    }
    let asked = exchange::request_header(machine, "access-control-request-headers", span);
    if let Some(exchange) = exchange_of(machine) {
        exchange.vary("Access-Control-Request-Headers", span);
    }
    if let Some(text) = asked.as_str().filter(|text| !text.is_empty()) {
        let text = Known::Known(text.to_owned());
        set(machine, NAME, text, &asked, span);
    }
}

/// A header of a list or text, unless it is empty.
fn set_list(machine: &mut Node<'_>, name: &str, val: &Val, span: Span) {
    // The package asks for a length, too.
    if machine.truth(val) == Some(false) || matches!(val.v, V::Bool(_) | V::Number(_)) {
        return;
    }
    let text = machine.to_text(val).map(|text| text.to_string());
    if text.as_deref() != Some("") {
        set(machine, name, text.into(), val, span);
    }
}
