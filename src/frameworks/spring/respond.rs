//! What an application answers: filters, the security chain, the dispatcher, the error page.
//!
//! Servlet containers and WebFlux do the same here, but for the error page, which only a container
//! asks for by a second dispatch.

use std::sync::Arc;

use super::exchange::{Exchange, Policy, Processed};
use super::host::{Node, Position};
use super::model::{
    Access, Application, Chain, Entry, Handler, Link, Matcher, Rank, Rule, Source, What,
    any_matches, policy_for,
};
use super::{code, gateway, interceptors};
use crate::model::{Answer, Application as Behind, HeaderLine, Known};
use crate::source::Span;
use crate::syntax::jvm::eval::Abrupt;

/// What ends the way of a request early.
#[derive(Clone, Debug)]
pub(super) enum Stop {
    /// An exception that nobody in view catches.
    Thrown(String, Option<Span>),
    /// The work that may be done is done.
    Spent,
}

impl From<Abrupt> for Stop {
    fn from(abrupt: Abrupt) -> Self {
        match abrupt {
            Abrupt::Throw(val) => Self::Thrown(code::words_of(&val), Some(val.span)),
            _ => Self::Spent,
        }
    }
}

type Way = Result<(), Stop>;

/// The exchange of the request at hand.
pub(super) fn exchange<'m>(m: &'m mut Node<'_>) -> &'m mut Exchange {
    m.host.exchange()
}

/// Sends the request through everything, the error page included.
pub(super) fn run(m: &mut Node<'_>) {
    let app = Arc::clone(m.host.app());
    let end = filters(m, 0);
    let failed = match end {
        Ok(()) => exchange(m).error_sent(),
        Err(Stop::Thrown(words, span)) => {
            let exchange = exchange(m);
            exchange.fail(words, span);
            true
        }
        Err(Stop::Spent) => {
            exchange(m).give_up();
            false
        }
    };
    if failed && app.boot && !app.reactive {
        error_page(m);
    }
}

/// The container's second dispatch, to `/error`.
fn error_page(m: &mut Node<'_>) {
    let status = exchange(m).status;
    let before = exchange(m).start_error();
    match filters(m, 0) {
        Ok(()) => exchange(m).end_error(before, status),
        Err(Stop::Thrown(..)) => exchange(m).end_error(before, status),
        Err(Stop::Spent) => exchange(m).give_up(),
    }
}

/// The filters from the `at`th on, then the dispatcher.
pub(super) fn filters(m: &mut Node<'_>, at: usize) -> Way {
    let app = Arc::clone(m.host.app());
    let Some(filter) = app.filters.get(at) else {
        return dispatch(m);
    };
    let (path, is_error) = {
        let exchange = exchange(m);
        (exchange.path.clone(), exchange.is_error)
    };
    let matches = filter.patterns.is_empty()
        || filter
            .patterns
            .iter()
            .any(|pattern| pattern.matches(&path, false));
    match &filter.what {
        What::Security => security(m, at + 1),
        // The others run once for each request.
        _ if !matches || is_error => filters(m, at + 1),
        What::Cors(source) => {
            if cors_filter(m, source, Some(filter.span))? {
                filters(m, at + 1)
            } else {
                Ok(())
            }
        }
        What::Hand(instance) => code::filter(m, instance, Position::Filter(at + 1), filter.span),
    }
}

/// `CorsFilter.doFilterInternal`: does the request go on?
fn cors_filter(m: &mut Node<'_>, source: &Source, span: Option<Span>) -> Result<bool, Stop> {
    let policy = policy_of(m, source)?;
    let app = Arc::clone(m.host.app());
    let exchange = exchange(m);
    match exchange.process(&policy, app.versions) {
        Processed::Rejected => Ok(false),
        Processed::Throws(words) => Err(Stop::Thrown(words.to_owned(), span)),
        Processed::Accepted if exchange.is_preflight() => {
            let place = match &policy {
                Policy::Is(cors) => cors.span,
                _ => span,
            };
            let status = exchange.status;
            exchange.finish(status, Answer::Cors, place);
            Ok(false)
        }
        Processed::Accepted => Ok(true),
    }
}

/// `CorsConfigurationSource.getCorsConfiguration`.
fn policy_of(m: &mut Node<'_>, source: &Source) -> Result<Policy, Stop> {
    match source {
        Source::Map(mappings) => {
            let path = exchange(m).path.clone();
            let found = policy_for(mappings, &path);
            Ok(found.map_or(Policy::Absent, |mapping| mapping.policy.clone()))
        }
        Source::Code(val) => code::source(m, val),
        Source::Mvc => Ok(policy_of_mvc(m)),
        Source::Unknown => Ok(Policy::Unknown),
    }
}

/// `FilterChainProxy`: the first chain that matches.
fn security(m: &mut Node<'_>, next: usize) -> Way {
    let app = Arc::clone(m.host.app());
    let (method, path, preflight) = {
        let exchange = exchange(m);
        let method = exchange.request.method.clone();
        (method, exchange.path.clone(), exchange.is_preflight())
    };
    for (at, chain) in app.chains.iter().enumerate() {
        let matches = any_matches(&chain.matchers, &method, &path, preflight);
        if matches.unwrap_or_else(|| exchange(m).decide()) {
            let end = links(m, at, 0, next);
            let exchange = exchange(m);
            for line in &chain.writers {
                if !exchange.has(&line.name) {
                    exchange.add(line.clone());
                }
            }
            return end;
        }
    }
    filters(m, next)
}

/// The filters of a chain from the `at`th on, then those behind Spring Security.
pub(super) fn links(m: &mut Node<'_>, chain: usize, at: usize, next: usize) -> Way {
    let app = Arc::clone(m.host.app());
    let Some(this) = app.chains.get(chain) else {
        return filters(m, next);
    };
    let Some(link) = this.links.get(at) else {
        return filters(m, next);
    };
    let is_error = exchange(m).is_error;
    let goes_on = match link {
        Link::Authorize(rules, otherwise, span) => {
            // Before 6.0 the interceptor asked once for each request.
            let once = app.versions.security < (6, 0, 0);
            (is_error && once) || authorize(m, this, rules, *otherwise, *span)?
        }
        _ if is_error => true,
        Link::Cors(source, span) => cors_filter(m, source, *span)?,
        Link::PreflightOnly(span) => {
            if exchange(m).is_preflight() {
                dispatch(m)?;
                let exchange = exchange(m);
                let status = exchange.status;
                exchange.finish(status, Answer::Cors, Some(*span));
                false
            } else {
                true
            }
        }
        Link::Csrf(span) => csrf(m, *span),
        Link::Hand(instance, span) => {
            let position = Position::Link(chain, at + 1, next);
            return code::filter(m, instance, position, *span);
        }
    };
    if goes_on {
        links(m, chain, at + 1, next)
    } else {
        Ok(())
    }
}

/// `CsrfFilter`: a probe carries the token, a bare request does not.
fn csrf(m: &mut Node<'_>, span: Option<Span>) -> bool {
    let exchange = exchange(m);
    let safe = matches!(
        exchange.request.method.as_str(),
        "GET" | "HEAD" | "TRACE" | "OPTIONS"
    );
    if safe || !exchange.request.exact {
        return true;
    }
    exchange.send_error(403, Answer::Authentication, span);
    false
}

fn authorize(
    m: &mut Node<'_>,
    chain: &Chain,
    rules: &[Rule],
    otherwise: Access,
    span: Option<Span>,
) -> Result<bool, Stop> {
    let is_error = exchange(m).is_error;
    let (method, path, preflight, exact) = {
        let exchange = exchange(m);
        (
            exchange.request.method.clone(),
            exchange.path.clone(),
            exchange.is_preflight(),
            exchange.request.exact,
        )
    };
    let mut found = (otherwise, span);
    for rule in rules {
        let dispatches = |matcher: &Matcher| is_error && matcher.dispatch.is_some();
        let matches = match rule.matchers.iter().find(|matcher| dispatches(matcher)) {
            Some(matcher) if matcher.unknown => None,
            Some(matcher) => matcher.dispatch,
            None => any_matches(&rule.matchers, &method, &path, preflight),
        };
        if matches.unwrap_or_else(|| exchange(m).decide()) {
            found = (rule.access, Some(rule.span));
            break;
        }
    }
    let (access, span) = found;
    let passes = match access {
        Access::Permit => true,
        // Browsers send no credentials with a preflight; an actual request of a probe succeeds.
        Access::Authenticated => !exact && !preflight,
        Access::Deny => false,
        Access::Unknown => (!exact && !preflight) || exchange(m).decide(),
    };
    if !passes {
        refuse(m, &chain.entry, span.or(Some(chain.span)))?;
    }
    Ok(passes)
}

/// `AuthenticationEntryPoint.commence`.
fn refuse(m: &mut Node<'_>, entry: &Entry, span: Option<Span>) -> Way {
    match entry {
        Entry::SendError(status) => {
            exchange(m).send_error(*status, Answer::Authentication, span);
        }
        Entry::Status(status) => exchange(m).finish(*status, Answer::Authentication, span),
        Entry::Login => {
            let exchange = exchange(m);
            let url = &exchange.request.url;
            let port = url.port.map(|port| format!(":{port}")).unwrap_or_default();
            let login = format!("{}://{}{port}/login", url.scheme, url.host);
            let place = span.unwrap_or(exchange.place);
            exchange.headers.push(HeaderLine {
                name: "Location".into(),
                value: Known::Known(login),
                span: place,
                value_span: None,
                sources: Vec::new(),
                decided_by: None,
            });
            exchange.finish(Known::Known(302), Answer::Authentication, span);
        }
        Entry::Hand(val) => code::entry_point(m, val, span)?,
    }
    Ok(())
}

/// What `DispatcherServlet` or `DispatcherHandler` finds for a request.
enum Found {
    /// A handler with its own configuration; whether the framework looks for one at all.
    Handler(Box<FoundHandler>),
    /// The path exists, the method does not.
    WrongMethod(Option<Span>),
    /// Nobody.
    Nothing,
}

struct FoundHandler {
    own: Option<Policy>,
    /// There is something to process even if nothing applies.
    looks: bool,
    mappings: Mappings,
    kind: HandlerKind,
    span: Option<Span>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Mappings {
    Global,
    None,
    Area(usize),
    Gateway,
}

enum HandlerKind {
    Method(Option<usize>),
    /// `HttpOptionsHandler`.
    Options,
    /// Static files: there is none of this name.
    Files,
    /// Boot's error page.
    Error,
    /// The number of the route, if it is in view.
    Upstream(Option<usize>),
}

fn dispatch(m: &mut Node<'_>) -> Way {
    let app = Arc::clone(m.host.app());
    let found = find(m, &app);
    let found = match found {
        Found::Handler(found) => found,
        Found::WrongMethod(span) => {
            exchange(m).send_error(405, Answer::MethodNotAllowed, span);
            return Ok(());
        }
        Found::Nothing => {
            exchange(m).send_error(404, Answer::NotFound, None);
            return Ok(());
        }
    };
    let preflight = exchange(m).is_preflight();
    let handler = match (&found.kind, preflight) {
        (_, true) => Some("PreFlightHttpRequestHandler"),
        (HandlerKind::Method(Some(_)), _) => Some("HandlerMethod"),
        (HandlerKind::Files, _) => Some("ResourceHttpRequestHandler"),
        _ => None,
    };
    let first = app.versions.checks_preflights_first();
    if preflight && !first && !interceptors::before(m, handler)? {
        return Ok(());
    }
    let global = mappings_of(&app, found.mappings);
    let mut place = found.span;
    if found.looks || !global.is_empty() || preflight {
        let policy = combined(m, &found, global);
        if let Policy::Is(cors) = &policy {
            place = cors.span;
            if let Some(words) = cors.refusal(app.versions) {
                return Err(Stop::Thrown(words.to_owned(), cors.span));
            }
        }
        match exchange(m).process(&policy, app.versions) {
            Processed::Rejected => return Ok(()),
            Processed::Throws(words) => return Err(Stop::Thrown(words.to_owned(), found.span)),
            Processed::Accepted => {}
        }
    }
    if (first || !preflight) && !interceptors::before(m, handler)? {
        return Ok(());
    }
    if preflight {
        let exchange = exchange(m);
        let status = exchange.status;
        exchange.finish(status, Answer::Cors, place);
        return Ok(());
    }
    handle(m, &app, &found)
}

/// Runs the handler.
fn handle(m: &mut Node<'_>, app: &Application, found: &FoundHandler) -> Way {
    match &found.kind {
        HandlerKind::Options => {
            exchange(m).finish(Known::Known(200), Answer::Fixed, found.span);
        }
        HandlerKind::Files => exchange(m).send_error(404, Answer::NotFound, None),
        HandlerKind::Error => {
            let exchange = exchange(m);
            let status = exchange.status;
            exchange.finish(status, Answer::ErrorPage, None);
        }
        HandlerKind::Upstream(route) => {
            let exchange = exchange(m);
            let status = match exchange.request.application {
                Behind::Answers(status) if exchange.request.method != "OPTIONS" => {
                    Known::Known(status)
                }
                _ => Known::Unknown,
            };
            exchange.unseen.push("*".into());
            if let (Some(gateway), Some(route)) = (&app.gateway, route)
                && let Some(route) = gateway.routes.get(*route)
            {
                gateway::filter(exchange, &route.filters);
            }
            exchange.finish(status, Answer::Upstream, found.span);
        }
        HandlerKind::Method(at) => {
            let handler = at.and_then(|at| app.handlers.get(at));
            if let Some(Handler {
                code: Some(code),
                span,
                ..
            }) = handler
            {
                code::handler(m, code, *span)?;
            }
            let answers = matches!(exchange(m).request.application, Behind::Answers(_));
            if answers && handler.is_some_and(|handler| handler.has_body) {
                interceptors::advise(m)?;
            }
            match exchange(m).request.application {
                Behind::Answers(status) => {
                    exchange(m).finish(Known::Known(status), Answer::Handler, found.span);
                }
                Behind::Throws => {
                    return Err(Stop::Thrown("the handler throws".into(), found.span));
                }
                Behind::Unreachable => {
                    exchange(m).finish(Known::Unknown, Answer::ErrorPage, found.span);
                }
            }
        }
    }
    Ok(())
}

fn mappings_of(app: &Application, which: Mappings) -> &[super::model::Mapping] {
    match which {
        Mappings::Global => &app.global,
        Mappings::None => &[],
        Mappings::Area(at) => app.areas.get(at).map_or(&[], |area| &area.mappings),
        Mappings::Gateway => app
            .gateway
            .as_ref()
            .map_or(&[], |gateway| &gateway.mappings),
    }
}

/// Global and local configuration as one (`AbstractHandlerMapping.getHandler`).
fn combined(m: &mut Node<'_>, found: &FoundHandler, global: &[super::model::Mapping]) -> Policy {
    let path = exchange(m).path.clone();
    let global = policy_for(global, &path).map(|mapping| &mapping.policy);
    match (global, &found.own) {
        (Some(Policy::Unknown), _) | (_, Some(Policy::Unknown)) => Policy::Unknown,
        (Some(Policy::Is(global)), Some(Policy::Is(own))) => Policy::Is(global.combine(Some(own))),
        (Some(Policy::Is(only)), _) | (_, Some(Policy::Is(only))) => Policy::Is(only.clone()),
        _ => Policy::Absent,
    }
}

/// `HandlerMappingIntrospector.getCorsConfiguration`: exceptions are passed over.
fn policy_of_mvc(m: &mut Node<'_>) -> Policy {
    let app = Arc::clone(m.host.app());
    let first = find(m, &app);
    let files = || {
        Found::Handler(Box::new(FoundHandler {
            own: None,
            looks: true,
            mappings: Mappings::Global,
            kind: HandlerKind::Files,
            span: None,
        }))
    };
    for found in [first, files()] {
        let Found::Handler(found) = found else {
            continue;
        };
        let global = mappings_of(&app, found.mappings);
        match combined(m, &found, global) {
            Policy::Is(cors) if cors.refusal(app.versions).is_some() => {}
            policy => return policy,
        }
    }
    Policy::Absent
}

/// Asks the handler mappings in their order.
fn find(m: &mut Node<'_>, app: &Application) -> Found {
    let exchange = exchange(m);
    let path = exchange.path.clone();
    let preflight = exchange.is_preflight();
    let exact = exchange.request.exact;
    let wanted = if preflight {
        let asked = exchange.request.requested_method.clone();
        let asked = asked.unwrap_or_default();
        if !exact && asked == "GET" {
            exchange.method.clone()
        } else {
            asked
        }
    } else {
        exchange.method.clone()
    };
    let options = !preflight && wanted == "OPTIONS";
    if exchange.is_error {
        return Found::Handler(Box::new(FoundHandler {
            own: None,
            looks: false,
            mappings: Mappings::Global,
            kind: HandlerKind::Error,
            span: None,
        }));
    }
    if let Some(found) = find_actuator(app, &path, &wanted, preflight, options) {
        return found;
    }
    if let Some(found) = find_method(app, &path, &wanted, preflight, options, exact) {
        return found;
    }
    let area = app
        .areas
        .iter()
        .position(|area| area.pattern.matches(&path, false));
    if let Some(at) = area {
        let area = &app.areas[at];
        return if preflight || area.methods.contains(&wanted.as_str()) {
            Found::Handler(Box::new(FoundHandler {
                own: None,
                looks: false,
                mappings: if area.mappings.is_empty() {
                    Mappings::Global
                } else {
                    Mappings::Area(at)
                },
                kind: HandlerKind::Method(None),
                span: Some(area.span),
            }))
        } else {
            Found::WrongMethod(Some(area.span))
        };
    }
    if let Some(gateway) = &app.gateway {
        let route = gateway.routes.iter().position(|route| {
            route.pattern.matches(&path, false)
                && (route.methods.is_empty() || route.methods.contains(&exchange.request.method))
        });
        let open = gateway.open || gateway.routes.is_empty();
        if route.is_some() || open || (gateway.simple && preflight) {
            return Found::Handler(Box::new(FoundHandler {
                own: None,
                looks: false,
                mappings: Mappings::Gateway,
                kind: HandlerKind::Upstream(route),
                span: Some(route.map_or(gateway.span, |route| gateway.routes[route].span)),
            }));
        }
        return Found::Nothing;
    }
    // Handlers that are not in view.
    if !exact {
        return Found::Handler(Box::new(FoundHandler {
            own: None,
            looks: false,
            mappings: Mappings::Global,
            kind: HandlerKind::Method(None),
            span: None,
        }));
    }
    Found::Handler(Box::new(FoundHandler {
        own: None,
        // `ResourceHttpRequestHandler` is a `CorsConfigurationSource` that has nothing to say.
        looks: true,
        mappings: Mappings::Global,
        kind: HandlerKind::Files,
        span: None,
    }))
}

/// The endpoints that Boot's actuator brings.
const ENDPOINTS: [&str; 25] = [
    "auditevents",
    "beans",
    "caches",
    "conditions",
    "configprops",
    "env",
    "flyway",
    "health",
    "heapdump",
    "httpexchanges",
    "httptrace",
    "info",
    "integrationgraph",
    "liquibase",
    "logfile",
    "loggers",
    "mappings",
    "metrics",
    "prometheus",
    "quartz",
    "sbom",
    "scheduledtasks",
    "sessions",
    "startup",
    "threaddump",
];

fn find_actuator(
    app: &Application,
    path: &str,
    wanted: &str,
    preflight: bool,
    options: bool,
) -> Option<Found> {
    let actuator = app.actuator.as_ref()?;
    let rest = path.strip_prefix(actuator.base.as_str())?;
    let rest = rest
        .strip_prefix('/')
        .or_else(|| rest.is_empty().then_some(""))?;
    let name = rest.split('/').next().unwrap_or_default();
    let known = name.is_empty()
        || (actuator.all && ENDPOINTS.contains(&name))
        || actuator.exposed.iter().any(|id| id == name);
    if !known {
        return None;
    }
    let reads = matches!(wanted, "GET" | "HEAD");
    let own = actuator.cors.clone().map(Policy::Is);
    let kind = if reads {
        HandlerKind::Method(None)
    } else if preflight || options {
        HandlerKind::Options
    } else if actuator.all {
        // Which methods an endpoint has depends on its kind.
        HandlerKind::Method(None)
    } else {
        return Some(Found::WrongMethod(Some(actuator.span)));
    };
    Some(Found::Handler(Box::new(FoundHandler {
        looks: own.is_some(),
        own,
        mappings: Mappings::None,
        kind,
        span: Some(actuator.span),
    })))
}

/// Those of the handlers of a path that serve a method.
fn serving(
    app: &Application,
    by_path: &[(usize, Rank)],
    wanted: &str,
    options: bool,
) -> Vec<(usize, Rank)> {
    let serves = |handler: &Handler| {
        if handler.methods.is_empty() {
            return !options;
        }
        let serves = |method: &str| handler.methods.iter().any(|known| known == method);
        serves(wanted) || (wanted == "HEAD" && serves("GET"))
    };
    let serving = by_path.iter().filter(|(at, _)| serves(&app.handlers[*at]));
    serving.copied().collect()
}

/// The first of equals: an ambiguous mapping does not start anyway.
fn best_of(matching: &[(usize, Rank)]) -> Option<usize> {
    let best = matching.iter().rev().max_by_key(|(_, rank)| *rank);
    best.map(|(at, _)| *at)
}

/// The handler that serves a method under the annotation that holds at a path, but at another path.
/// One endpoint stands for all of them, so a probe of it means that one.
fn of_same_policy(app: &Application, by_path: &[(usize, Rank)], wanted: &str) -> Option<usize> {
    let policy = |handler: &Handler| handler.cors.as_ref().and_then(|cors| cors.span);
    let here = policy(&app.handlers[best_of(by_path)?])?;
    let serves = |handler: &Handler| handler.methods.iter().any(|method| method == wanted);
    let mut handlers = app.handlers.iter();
    handlers.position(|handler| policy(handler) == Some(here) && serves(handler))
}

/// Does something that is in view serve a path? Nothing in view at all may serve any.
pub(super) fn serves(app: &Application, path: &str) -> bool {
    let gateway = |gateway: &super::model::Gateway| {
        let mut routes = gateway.routes.iter();
        gateway.open
            || gateway.routes.is_empty()
            || routes.any(|route| route.pattern.matches(path, false))
    };
    // A part of a path that is not in view may be any.
    let unclear = |handler: &Handler| {
        let mut patterns = handler.patterns.iter();
        patterns.any(|pattern| pattern.text().contains("{unknown}"))
    };
    (app.handlers.is_empty() && app.gateway.is_none())
        || !app.handlers_at(path).is_empty()
        || app.handlers.iter().any(unclear)
        || app
            .areas
            .iter()
            .any(|area| area.pattern.matches(path, false))
        || app.gateway.as_ref().is_some_and(gateway)
        || find_actuator(app, path, "GET", false, false).is_some()
}

/// The handler that a path and method lead to; of another method's, if none serves this one.
pub(super) fn handler_at<'a>(
    app: &'a Application,
    path: &str,
    method: &str,
) -> Option<&'a Handler> {
    let by_path = app.handlers_at(path);
    let matching = serving(app, &by_path, method, method == "OPTIONS");
    best_of(&matching)
        .or_else(|| best_of(&by_path))
        .map(|at| &app.handlers[at])
}

/// `RequestMappingHandlerMapping`.
fn find_method(
    app: &Application,
    path: &str,
    wanted: &str,
    preflight: bool,
    options: bool,
    exact: bool,
) -> Option<Found> {
    let by_path = app.handlers_at(path);
    let matching = serving(app, &by_path, wanted, options);
    let place = by_path.first().map(|(at, _)| app.handlers[*at].span)?;
    let method_handler = |own: Option<Policy>, kind: HandlerKind, span: Span| {
        Found::Handler(Box::new(FoundHandler {
            looks: own.is_some(),
            own,
            mappings: Mappings::Global,
            kind,
            span: Some(span),
        }))
    };
    let elsewhere = || (!exact && !options).then(|| of_same_policy(app, &by_path, wanted))?;
    let Some(best) = best_of(&matching).or_else(elsewhere) else {
        return Some(if preflight || options {
            method_handler(None, HandlerKind::Options, place)
        } else {
            Found::WrongMethod(Some(place))
        });
    };
    let handler = &app.handlers[best];
    // A probe means the request that one of them answers.
    let ambiguous = preflight
        && exact
        && matching.len() > 1
        && matching
            .iter()
            .all(|(at, _)| app.handlers[*at].cors.is_some());
    let own = if ambiguous {
        Some(Policy::Is(super::cors::Cors::allow_everything(
            handler.span,
        )))
    } else {
        handler.cors.clone().map(Policy::Is)
    };
    Some(method_handler(
        own,
        HandlerKind::Method(Some(best)),
        handler.span,
    ))
}
