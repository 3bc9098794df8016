//! Code of the project that handles requests: filters, sources, entry points, handlers. It is run
//! for the request at hand.

use std::sync::Arc;

use super::exchange::{Exchange, Policy};
use super::headers;
use super::host::{Node, Position, config_of, object, push, text_of};
use super::model::Code;
use super::respond::{Stop, exchange, filters, links};
use super::{constants, cookies};
use crate::model::{Answer, HeaderLine, Known, ValueSource};
use crate::source::Span;
use crate::syntax::jvm::ast::{Class, Method, simple};
use crate::syntax::jvm::eval::heap::{V, Val};
use crate::syntax::jvm::eval::{Abrupt, Call, Result};

type Way = std::result::Result<(), Stop>;

/// What is known of something that was thrown.
pub(super) fn words_of(val: &Val) -> String {
    val.as_foreign()
        .map_or_else(|| "an exception".to_owned(), |path| simple(path).to_owned())
}

/// The number of an `HttpStatus` constant.
pub(super) fn status_of(path: &str) -> Option<u16> {
    let (class, name) = path.rsplit_once('.')?;
    if !simple(class).ends_with("HttpStatus") && !simple(class).ends_with("HttpStatusCode") {
        return None;
    }
    constants::status(name)
}

fn status(val: &Val) -> Known<u16> {
    let number = val.as_number().or_else(|| {
        let path = val.as_foreign()?;
        status_of(path).map(f64::from)
    });
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "checked"
    )]
    let number = number
        .filter(|number| (100.0..1000.0).contains(number))
        .map(|number| number as u16);
    number.into()
}

/// Runs a filter of the project.
pub(super) fn filter(m: &mut Node<'_>, instance: &Val, position: Position, span: Span) -> Way {
    let reactive = m.host.app().reactive;
    let method = m.class_of(instance).and_then(|class| {
        filter_method(m, &class, reactive).filter(|_| !skips(m, instance, &class, span))
    });
    // Of others nothing is known; most let requests pass.
    if method.is_none() && !m.is_function(instance) {
        return go_on(m, position);
    }
    let next = next_object(m, position, span);
    let before = std::mem::replace(&mut exchange(m).went_on, false);
    let result = if let Some((owner, method)) = method {
        let args = arguments(m, &method, &next);
        m.invoke(instance, &owner, &method, &args, span)
    } else {
        let kinds: &[u16] = if reactive {
            &[object::EXCHANGE]
        } else {
            &[object::REQUEST, object::RESPONSE]
        };
        let mut args: Vec<Val> = kinds
            .iter()
            .map(|kind| m.host_object(*kind, 0, span))
            .collect();
        args.push(next);
        m.call_function(instance, None, &args, span)
    };
    let went_on = exchange(m).went_on;
    exchange(m).went_on |= before;
    if let Some(stop) = exchange(m).stopped.take() {
        return Err(stop);
    }
    match result {
        Ok(_) | Err(Abrupt::Return(..) | Abrupt::Break(_) | Abrupt::Continue) => {}
        Err(other) => return Err(other.into()),
    }
    if !went_on {
        answered(exchange(m), span);
    }
    Ok(())
}

/// What a filter's class does with a request.
fn filter_method(
    m: &Node<'_>,
    class: &Arc<Class>,
    reactive: bool,
) -> Option<(Arc<Class>, Arc<Method>)> {
    let names: &[&str] = if reactive {
        &["filter"]
    } else {
        &["doFilterInternal", "doFilter"]
    };
    let mut names = names.iter();
    let found = names.find_map(|name| m.program().method(class, name, None, None));
    found.filter(|(_, method)| method.body.is_some())
}

/// `OncePerRequestFilter.shouldNotFilter`.
fn skips(m: &mut Node<'_>, instance: &Val, class: &Arc<Class>, span: Span) -> bool {
    let program = Arc::clone(m.program());
    let found = program.method(class, "shouldNotFilter", None, None);
    let Some((owner, method)) = found.filter(|(_, method)| method.body.is_some()) else {
        return false;
    };
    let request = m.host_object(object::REQUEST, 0, span);
    let result = m.invoke(instance, &owner, &method, &[request], span);
    result.ok().and_then(|val| val.as_bool()) == Some(true)
}

/// The response is the filter's own.
pub(super) fn answered(exchange: &mut Exchange, span: Span) {
    if exchange.finished.is_some() {
        return;
    }
    let options = exchange.request.method == "OPTIONS";
    let kind = match exchange.status {
        Known::Known(401 | 403) => Answer::Authentication,
        Known::Known(300..=399) => Answer::Redirect,
        Known::Known(200..=299) if options => Answer::Cors,
        _ => Answer::Fixed,
    };
    let status = exchange.status;
    exchange.finish(status, kind, exchange.status_at.or(Some(span)));
}

/// Sends the request on from a position.
fn go_on(m: &mut Node<'_>, position: Position) -> Way {
    exchange(m).went_on = true;
    match position {
        Position::Filter(at) => filters(m, at),
        Position::Link(chain, at, next) => links(m, chain, at, next),
        Position::Nowhere => Ok(()),
    }
}

pub(super) fn next_object(m: &mut Node<'_>, position: Position, span: Span) -> Val {
    let number = push(&mut m.host.change().positions, position);
    m.host_object(object::NEXT, number, span)
}

/// Arguments for a method by the types of its parameters.
pub(super) fn arguments(m: &mut Node<'_>, method: &Arc<Method>, next: &Val) -> Vec<Val> {
    let mut args = Vec::new();
    for param in &method.params {
        let span = param.span;
        let val = match param.ty.simple() {
            "ServletRequest" | "HttpServletRequest" | "ServerHttpRequest" => {
                m.host_object(object::REQUEST, 0, span)
            }
            "ServletResponse" | "HttpServletResponse" | "ServerHttpResponse" => {
                m.host_object(object::RESPONSE, 0, span)
            }
            "ServerWebExchange" => m.host_object(object::EXCHANGE, 0, span),
            "FilterChain" | "WebFilterChain" | "GatewayFilterChain" => next.clone(),
            "HttpHeaders" => m.host_object(object::REQUEST_HEADERS, 0, span),
            _ => header_param(m, param),
        };
        args.push(val);
    }
    args
}

/// `@RequestHeader("Origin") String origin`.
fn header_param(m: &mut Node<'_>, param: &crate::syntax::jvm::ast::Param) -> Val {
    let unknown = Val::unknown("an argument of a handler", param.span);
    let Some(annotation) = param.annotation("RequestHeader") else {
        return unknown;
    };
    let named = ["value", "name"]
        .into_iter()
        .find_map(|name| m.annotation(annotation, name));
    let name = named
        .and_then(|val| text_of(m, &val))
        .unwrap_or_else(|| param.name.to_string());
    request_header(m, &name, param.span)
}

/// A `CorsConfigurationSource` of the project's own code.
pub(super) fn source(m: &mut Node<'_>, val: &Val) -> std::result::Result<Policy, Stop> {
    let span = val.span;
    let reactive = m.host.app().reactive;
    let kind = if reactive {
        object::EXCHANGE
    } else {
        object::REQUEST
    };
    let request = m.host_object(kind, 0, span);
    let result = match m.class_of(val) {
        Some(class) => {
            let program = Arc::clone(m.program());
            let found = program.method(&class, "getCorsConfiguration", Some(1), None);
            match found.filter(|(_, method)| method.body.is_some()) {
                Some((owner, method)) => m.invoke(val, &owner, &method, &[request], span),
                None => return Ok(Policy::Unknown),
            }
        }
        None => m.call_function(val, None, &[request], span),
    };
    let result = result?;
    if result.is_null() {
        return Ok(Policy::Absent);
    }
    Ok(config_of(m, &result).map_or(Policy::Unknown, Policy::Is))
}

/// An `AuthenticationEntryPoint` of the project's own code.
pub(super) fn entry_point(m: &mut Node<'_>, val: &Val, span: Option<Span>) -> Way {
    let place = span.unwrap_or(val.span);
    let request = m.host_object(object::REQUEST, 0, place);
    let response = m.host_object(object::RESPONSE, 0, place);
    let error = Val::unknown("an exception of authentication", place);
    exchange(m).status = Known::Known(200);
    match m.class_of(val) {
        Some(class) => {
            let program = Arc::clone(m.program());
            let found = program.method(&class, "commence", None, None);
            if let Some((owner, method)) = found.filter(|(_, method)| method.body.is_some()) {
                let web = m.host_object(object::EXCHANGE, 0, place);
                let args = if method.params.len() == 2 {
                    vec![web, error]
                } else {
                    vec![request, response, error]
                };
                m.invoke(val, &owner, &method, &args, place)?;
            } else {
                exchange(m).status = Known::Unknown;
            }
        }
        None => {
            m.call_function(val, None, &[request, response, error], place)?;
        }
    }
    let exchange = exchange(m);
    let status = exchange.status;
    exchange.finish(status, Answer::Authentication, span);
    if let Some(finished) = &mut exchange.finished {
        finished.kind = Answer::Authentication;
    }
    Ok(())
}

/// Runs a handler that sets headers itself.
pub(super) fn handler(m: &mut Node<'_>, code: &Code, span: Span) -> Way {
    let before = exchange(m).status;
    let result = match code {
        Code::Method(class, method) => {
            let this = m.create(class, span)?;
            let next = next_object(m, Position::Nowhere, span);
            let args = arguments(m, method, &next);
            m.invoke(&this, class, method, &args, span)
        }
        Code::Function(function) => {
            let request = m.host_object(object::REQUEST, 0, span);
            m.call_function(function, None, &[request], span)
        }
    };
    match result {
        Ok(_) | Err(Abrupt::Return(..) | Abrupt::Throw(_)) => {}
        Err(other) => return Err(other.into()),
    }
    // Which status the handler gives is for the request to say.
    let exchange = exchange(m);
    exchange.status = before;
    exchange.finished = None;
    Ok(())
}

/// What is known of a header of the request.
fn request_header(m: &mut Node<'_>, name: &str, span: Span) -> Val {
    let request = &exchange(m).request;
    let name = name.to_ascii_lowercase();
    if let Some(value) = request.header(&name) {
        return Val::string(value, span);
    }
    let certain = matches!(
        name.as_str(),
        "origin"
            | "access-control-request-method"
            | "access-control-request-headers"
            | "access-control-request-private-network"
    );
    // Browsers send preflights without any header of a script, and without cookies.
    let own = matches!(
        name.as_str(),
        "host" | "connection" | "referer" | "user-agent" | "cache-control" | "pragma" | "forwarded"
    ) || ["accept", "sec-", "x-forwarded-", "x-real-", "x-request-"]
        .iter()
        .any(|start| name.starts_with(start));
    if request.exact || certain || (request.is_preflight() && !own) {
        Val::null(span)
    } else {
        Val::foreign(format!("request.headers.{name}"), span)
    }
}

/// A call on the request, the response, the chain, or what belongs to them.
pub(super) fn call(
    m: &mut Node<'_>,
    kind: u16,
    number: u32,
    call: &Call<'_>,
) -> Option<Result<Val>> {
    if !m.host.is_asking() && kind != object::FREE_HEADERS {
        return Some(Ok(Val::unknown("there is no request yet", call.span)));
    }
    match kind {
        object::REQUEST => Some(Ok(request_call(m, call))),
        object::REQUEST_HEADERS => Some(Ok(request_headers_call(m, call))),
        object::RESPONSE => Some(Ok(response_call(m, number, call))),
        object::RESPONSE_HEADERS => Some(Ok(headers::call(m, call, None))),
        object::ENTITY => Some(Ok(headers::call(m, call, None))),
        object::FREE_HEADERS => Some(Ok(headers::call(m, call, Some(number)))),
        object::EXCHANGE => Some(Ok(match call.method {
            "getRequest" => m.host_object(object::REQUEST, 0, call.span),
            "getResponse" => m.host_object(object::RESPONSE, 0, call.span),
            _ => Val::unknown("a part of the exchange", call.span),
        })),
        object::NEXT => {
            let position = m.host.data.positions[number as usize];
            Some(pass_on(m, position, call.span))
        }
        _ => None,
    }
}

/// The chain is asked to go on; what ends the request early ends the filter as well.
fn pass_on(m: &mut Node<'_>, position: Position, span: Span) -> Result<Val> {
    if exchange(m).finished.is_some() {
        return Ok(Val::void(span));
    }
    match go_on(m, position) {
        Ok(()) => Ok(Val::foreign("reactor.core.publisher.Mono", span)),
        Err(Stop::Thrown(words, place)) => {
            let val = Val::foreign(format!("thrown.{words}"), place.unwrap_or(span));
            exchange(m).stopped = Some(Stop::Thrown(words, place));
            Err(Abrupt::Throw(val))
        }
        Err(Stop::Spent) => Err(Abrupt::Stop),
    }
}

fn request_call(m: &mut Node<'_>, call: &Call<'_>) -> Val {
    let span = call.span;
    let reactive = m.host.app().reactive;
    let first = call.args.first().and_then(|val| text_of(m, val));
    let request = exchange(m).request.clone();
    let url = &request.url;
    match call.method {
        "getHeader" => match first {
            Some(name) => request_header(m, &name, span),
            None => Val::unknown("a header of the request", span),
        },
        "getHeaders" | "headers" if call.args.is_empty() => {
            m.host_object(object::REQUEST_HEADERS, 0, span)
        }
        "getServletRequest" | "servletRequest" | "exchange" => call.receiver.clone(),
        "getMethod" if reactive => Val::foreign(
            format!("org.springframework.http.HttpMethod.{}", request.method),
            span,
        ),
        "getMethod" | "getMethodValue" => Val::string(request.method.as_str(), span),
        "getRequestURI" | "getServletPath" | "getPath" => {
            let path = exchange(m).path.clone();
            Val::string(path, span)
        }
        "getRequestURL" => Val::string(format!("{}://{}{}", url.scheme, url.host, url.path), span),
        "getContextPath" => Val::string("", span),
        "getScheme" => Val::string(url.scheme.as_str(), span),
        "getServerName" => Val::foreign("request.headers.host", span),
        "getPathInfo" => Val::null(span),
        "getCookies" | "getUserPrincipal" | "getRemoteUser" if request.is_preflight() => {
            Val::null(span)
        }
        "getParameter" => Val::foreign("request.query", span),
        "getQueryString" => Val::foreign("request.query", span),
        "getCookies" => Val::foreign("request.cookies", span),
        _ => Val::foreign(format!("request.{}", call.method), span),
    }
}

fn request_headers_call(m: &mut Node<'_>, call: &Call<'_>) -> Val {
    let first = call.args.first().and_then(|val| text_of(m, val));
    match (call.method, first) {
        ("getOrigin", _) => request_header(m, "origin", call.span),
        ("getFirst" | "get" | "getHeader" | "header" | "firstHeader", Some(name)) => {
            let val = request_header(m, &name, call.span);
            if matches!(call.method, "get" | "header") && !val.is_null() {
                return m.list(vec![val], false, call.span);
            }
            val
        }
        ("containsKey" | "containsHeader" | "contains", Some(name)) => {
            match request_header(m, &name, call.span).v {
                V::Null => Val::bool(false, call.span),
                V::String(_) => Val::bool(true, call.span),
                _ => Val::unknown("a header of the request", call.span),
            }
        }
        _ => Val::unknown("headers of the request", call.span),
    }
}

/// `number`: one more than that of the headers that are sent with a body; 0: those of the response.
fn response_call(m: &mut Node<'_>, number: u32, call: &Call<'_>) -> Val {
    let span = call.span;
    let args = call.args;
    match call.method {
        "setHeader" | "addHeader" | "setIntHeader" | "addIntHeader" => {
            // Containers pass over a value that is null.
            if let [name, value, ..] = args
                && !value.is_null()
                && let Some(name) = text_of(m, name)
            {
                let line = line(m, &name, value, span);
                write(exchange(m), line, call.method.starts_with("set"));
            }
        }
        "setStatus" | "setStatusCode" | "setRawStatusCode" => {
            if let Some(val) = args.first() {
                let status = status(val);
                let exchange = exchange(m);
                if exchange.finished.is_none() {
                    exchange.status = status;
                    exchange.status_at = Some(span);
                }
            }
            return Val::bool(true, span);
        }
        "sendError" => {
            let status = args.first().map_or(Known::Unknown, status);
            let kind = match status {
                Known::Known(401 | 403) => Answer::Authentication,
                _ => Answer::Fixed,
            };
            let exchange = exchange(m);
            match status {
                Known::Known(status) => exchange.send_error(status, kind, Some(span)),
                Known::Unknown => exchange.finish(Known::Unknown, kind, Some(span)),
            }
        }
        "sendRedirect" => {
            if let Some(to) = args.first() {
                let line = line(m, "Location", to, span);
                exchange(m).set(line);
            }
            exchange(m).finish(Known::Known(302), Answer::Redirect, Some(span));
        }
        "getHeaders" if args.is_empty() => {
            return match number.checked_sub(1) {
                Some(free) => m.host_object(object::FREE_HEADERS, free, span),
                None => m.host_object(object::RESPONSE_HEADERS, 0, span),
            };
        }
        "getServletResponse" => return m.host_object(object::RESPONSE, 0, span),
        "getHeader" | "containsHeader" => {
            let name = args
                .first()
                .and_then(|val| text_of(m, val))
                .unwrap_or_default();
            let value = exchange(m)
                .headers
                .iter()
                .find(|line| line.name.eq_ignore_ascii_case(&name))
                .map(|line| line.value.clone());
            return match (call.method, value) {
                ("containsHeader", value) => Val::bool(value.is_some(), span),
                (_, None) => Val::null(span),
                (_, Some(Known::Known(value))) => Val::string(value, span),
                _ => Val::unknown("a header of the response", span),
            };
        }
        "getStatus" => {
            return match exchange(m).status {
                Known::Known(status) => Val::number(f64::from(status), span),
                Known::Unknown => Val::unknown("the status", span),
            };
        }
        "reset" => exchange(m).headers.clear(),
        _ => return Val::foreign(format!("response.{}", call.method), span),
    }
    Val::void(span)
}

/// Are an entity's headers added to those of the response? WebFlux puts them in their place.
pub(super) fn adds_entity_headers(m: &Node<'_>) -> bool {
    m.host.versions.entity_headers_add() && !m.host.app().reactive
}

/// Puts the lines of an entity's headers into the response.
pub(super) fn send_free(m: &mut Node<'_>, number: u32) {
    let lines = m.host.data.free_headers[number as usize].clone();
    if m.host.is_asking() {
        let replaces = !adds_entity_headers(m);
        for line in lines {
            write(exchange(m), line, replaces);
        }
    }
}

pub(super) fn write(exchange: &mut Exchange, line: HeaderLine, replaces: bool) {
    if exchange.finished.is_some() {
        // It depends on how much of the response is already sent.
        exchange.unseen.push(line.name.to_ascii_lowercase());
    } else if replaces {
        exchange.set(line);
    } else {
        exchange.add(line);
    }
}

/// A header line with a value of the program.
pub(super) fn line(m: &mut Node<'_>, name: &str, val: &Val, span: Span) -> HeaderLine {
    let (items, open) = m.flattened(std::slice::from_ref(val));
    let texts: Option<Vec<String>> = items.iter().map(|item| text_of(m, item)).collect();
    // `setAccessControlAllowMethods` joins by the comma alone, the other lists have a space.
    let methods = name.eq_ignore_ascii_case("Access-Control-Allow-Methods");
    let comma = if methods { "," } else { ", " };
    let text = texts.filter(|_| !open).map(|texts| texts.join(comma));
    let source = m.source(val.span);
    let written = text.as_deref().is_some_and(|text| source.contains(text));
    let exchange = exchange(m);
    let origin = exchange.request.origin.clone();
    let mut sources = Vec::new();
    let mut decided_by = None;
    let mut value: Known<String> = text.clone().into();
    if let Some(path) = val.as_foreign() {
        sources.extend(source_of(path));
        value = Known::Unknown;
    }
    if text.is_some() && text == origin && !written {
        sources.push(ValueSource::Origin);
        decided_by.clone_from(&exchange.evidence);
    }
    // A list of unknown content has the origin that stands for its members.
    if exchange.request.symbolic
        && value == Known::Unknown
        && sources.is_empty()
        && name.eq_ignore_ascii_case(super::exchange::ACAO)
        && let Some(origin) = origin
    {
        value = Known::Known(origin);
    }
    HeaderLine {
        name: name.to_owned(),
        value,
        span,
        // What was computed elsewhere is changed where it is sent.
        value_span: written.then_some(val.span),
        sources,
        decided_by,
    }
}

fn source_of(path: &str) -> Option<ValueSource> {
    let rest = path.strip_prefix("request.")?;
    Some(match rest {
        "query" => ValueSource::Query,
        "cookies" => ValueSource::Cookie,
        "headers.referer" => ValueSource::Referer,
        "headers.host" => ValueSource::Host,
        _ if rest.starts_with("headers.") => ValueSource::Header,
        _ => return None,
    })
}

/// Classes of Spring that handlers make.
pub(super) fn construct(m: &mut Node<'_>, class: &str, call: &Call<'_>) -> Option<Val> {
    match class {
        "Cookie" if !m.host.is_asking() => Some(cookies::made(m, call)),
        "DefaultCookieSerializer" => Some(cookies::serializer(m, call.span)),
        "HttpHeaders" => {
            let number = push(&mut m.host.change().free_headers, Vec::new());
            Some(m.host_object(object::FREE_HEADERS, number, call.span))
        }
        "ResponseEntity" | "HttpEntity" => {
            for arg in call.args {
                if let Some((object::FREE_HEADERS, number)) = m.as_host(arg) {
                    send_free(m, number);
                }
            }
            Some(m.host_object(object::ENTITY, 0, call.span))
        }
        "StaticHeadersWriter" => {
            let mut lines = Vec::new();
            if let [name, values @ ..] = call.args
                && let Some(name) = text_of(m, name)
            {
                let (values, _) = m.flattened(values);
                for value in values {
                    lines.push(line(m, &name, &value, call.span));
                }
            } else if let Some(list) = call.args.first() {
                let (items, _) = m.flattened(std::slice::from_ref(list));
                for item in items {
                    if let Some((object::FREE_HEADERS, number)) = m.as_host(&item) {
                        lines.extend(m.host.data.free_headers[number as usize].clone());
                    }
                }
            }
            let number = push(&mut m.host.change().free_headers, lines);
            Some(m.host_object(object::FREE_HEADERS, number, call.span))
        }
        "Header" => {
            let [name, values @ ..] = call.args else {
                return None;
            };
            let name = text_of(m, name)?;
            let (values, _) = m.flattened(values);
            let lines = values
                .iter()
                .map(|value| line(m, &name, value, call.span))
                .collect();
            let number = push(&mut m.host.change().free_headers, lines);
            Some(m.host_object(object::FREE_HEADERS, number, call.span))
        }
        _ => None,
    }
}

/// The lines of a `HeaderWriter`.
pub(super) fn writer_lines(m: &mut Node<'_>, val: &Val) -> Vec<HeaderLine> {
    match m.as_host(val) {
        Some((object::FREE_HEADERS, number)) => m.host.data.free_headers[number as usize].clone(),
        _ => Vec::new(),
    }
}

/// Static methods of Spring's classes.
pub(super) fn foreign_call(m: &mut Node<'_>, path: &str, call: &Call<'_>) -> Option<Result<Val>> {
    let span = call.span;
    if path.starts_with("request.") || path.starts_with("response.") {
        return None;
    }
    let val = match (simple(path), call.method) {
        ("CorsUtils", "isPreFlightRequest") => {
            if !m.host.is_asking() {
                return None;
            }
            Val::bool(exchange(m).is_preflight(), span)
        }
        ("CorsUtils", "isCorsRequest") => {
            if !m.host.is_asking() {
                return None;
            }
            Val::bool(exchange(m).is_cors(), span)
        }
        (
            "ResponseEntity" | "ServerResponse",
            "ok"
            | "status"
            | "created"
            | "accepted"
            | "noContent"
            | "badRequest"
            | "notFound"
            | "of"
            | "unprocessableEntity"
            | "internalServerError"
            | "permanentRedirect"
            | "temporaryRedirect"
            | "seeOther"
            | "unprocessableContent"
            | "from",
        ) if m.host.is_asking() => m.host_object(object::ENTITY, 0, span),
        ("ResponseCookie", "from") if !m.host.is_asking() => cookies::made(m, call),
        ("Header", "of") => return None,
        _ => return None,
    };
    Some(Ok(val))
}

/// A method that a class of the project inherits from a library: `super.doFilter(…)` goes on.
pub(super) fn inherited_call(m: &mut Node<'_>, call: &Call<'_>) -> Option<Result<Val>> {
    if !m.host.is_asking() {
        return None;
    }
    for arg in call.args {
        if let Some((object::NEXT, number)) = m.as_host(arg) {
            let position = m.host.data.positions[number as usize];
            return Some(pass_on(m, position, call.span));
        }
    }
    None
}

/// Code out of view is given the chain: it lets most requests pass.
pub(super) fn escape(m: &mut Node<'_>, args: &[Val], span: Span) {
    if !m.host.is_asking() {
        return;
    }
    for arg in args {
        if let Some((object::NEXT, number)) = m.as_host(arg) {
            let position = m.host.data.positions[number as usize];
            // What it throws is noted in the exchange.
            let _ = pass_on(m, position, span);
        }
    }
}
