//! A Spring application in one world: what stands between a request and its handler.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::cors::Cors;
use super::exchange::Policy;
use super::path::PathPattern;
use super::version::Versions;
use crate::limits::spring::model::MAX_PATHS;
use crate::model::{HeaderLine, Known};
use crate::source::Span;
use crate::syntax::jvm::ast::{Class, Method};
use crate::syntax::jvm::eval::heap::Val;

/// An application.
#[derive(Clone, Debug)]
pub(super) struct Application {
    /// The class that starts it, or the first file.
    pub(super) place: Span,
    pub(super) versions: Versions,
    /// WebFlux instead of servlets.
    pub(super) reactive: bool,
    /// Spring Boot: errors are dispatched to `/error`.
    pub(super) boot: bool,
    /// What `addCorsMappings` registers.
    pub(super) global: Vec<Mapping>,
    pub(super) handlers: Vec<Handler>,
    pub(super) interceptors: Vec<Interceptor>,
    pub(super) advices: Vec<Advice>,
    pub(super) actuator: Option<Actuator>,
    /// Handlers that libraries bring (GraphQL, Spring Data REST), with their own configuration.
    pub(super) areas: Vec<Area>,
    pub(super) gateway: Option<Gateway>,
    /// Outside of Spring MVC, outermost first.
    pub(super) filters: Vec<Filter>,
    /// Where `web.xml` puts Spring Security.
    pub(super) security_order: Option<i64>,
    /// Of Spring Security, in the order in which they are asked.
    pub(super) chains: Vec<Chain>,
    /// The exception with which it does not start.
    pub(super) refusal: Option<(String, Span)>,
    /// The handlers of the paths that were asked for. Copies share them: the handlers are complete
    /// before anybody asks.
    known_paths: Arc<Mutex<HashMap<String, HandlersOfPath>>>,
}

/// How special a pattern is; the greatest of those that match wins.
pub(super) type Rank = (bool, usize, usize);

/// The numbers of the handlers of a path, with how special their patterns are.
pub(super) type HandlersOfPath = Arc<[(usize, Rank)]>;

impl Application {
    /// The numbers of the handlers whose patterns match a path, in order, with how special their
    /// patterns are.
    pub(super) fn handlers_at(&self, path: &str) -> HandlersOfPath {
        let known = self.known_paths.lock();
        let mut known = known.unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = known.get(path) {
            return Arc::clone(found);
        }
        let strict = self.versions.slash_matters();
        let handlers = self.handlers.iter().enumerate();
        let found: HandlersOfPath = handlers
            .filter_map(|(at, handler)| {
                let patterns = handler.patterns.iter();
                let rank = patterns
                    .filter(|pattern| pattern.matches(path, strict))
                    .map(PathPattern::specificity)
                    .max()?;
                Some((at, rank))
            })
            .collect();
        if known.len() < MAX_PATHS {
            known.insert(path.to_owned(), Arc::clone(&found));
        }
        found
    }

    /// One with nothing in it.
    pub(super) fn empty(place: Span, versions: Versions) -> Self {
        Self {
            place,
            versions,
            reactive: false,
            boot: true,
            global: Vec::new(),
            handlers: Vec::new(),
            interceptors: Vec::new(),
            advices: Vec::new(),
            actuator: None,
            areas: Vec::new(),
            gateway: None,
            filters: Vec::new(),
            security_order: None,
            chains: Vec::new(),
            refusal: None,
            known_paths: Arc::default(),
        }
    }
}

/// A path pattern with its configuration.
#[derive(Clone, Debug)]
pub(super) struct Mapping {
    pub(super) pattern: PathPattern,
    pub(super) policy: Policy,
    pub(super) span: Span,
}

/// Adds a mapping. Of equal patterns the last one wins, at the place of the first: all are kept in a
/// `LinkedHashMap`.
pub(super) fn put(mappings: &mut Vec<Mapping>, mapping: Mapping) {
    let mut known = mappings.iter_mut();
    match known.find(|known| known.pattern == mapping.pattern) {
        Some(known) => *known = mapping,
        None => mappings.push(mapping),
    }
}

/// The first mapping that matches decides.
pub(super) fn policy_for<'m>(mappings: &'m [Mapping], path: &str) -> Option<&'m Mapping> {
    mappings
        .iter()
        .find(|mapping| mapping.pattern.matches(path, false))
}

/// A handler method.
#[derive(Clone, Debug)]
pub(super) struct Handler {
    pub(super) patterns: Vec<PathPattern>,
    /// Empty: all.
    pub(super) methods: Vec<String>,
    /// Of its annotations.
    pub(super) cors: Option<Cors>,
    pub(super) span: Span,
    /// Lower-case names of request headers that it needs.
    pub(super) reads: Vec<String>,
    /// What runs, if it sets headers itself.
    pub(super) code: Option<Code>,
    /// What it returns is written as the body.
    pub(super) has_body: bool,
}

/// The code of a handler.
#[derive(Clone, Debug)]
pub(super) enum Code {
    Method(Arc<Class>, Arc<Method>),
    /// A `HandlerFunction`.
    Function(Val),
}

impl Code {
    /// Where it stands.
    pub(super) fn span(&self) -> Span {
        match self {
            Self::Method(_, method) => method.span,
            Self::Function(val) => val.span,
        }
    }
}

/// A `HandlerInterceptor` of the project, with the paths that it is asked for.
#[derive(Clone, Debug)]
pub(super) struct Interceptor {
    pub(super) instance: Val,
    /// None: every path.
    pub(super) include: Vec<PathPattern>,
    pub(super) exclude: Vec<PathPattern>,
    /// There are patterns that are not in view.
    pub(super) open: bool,
    /// Lower ones are asked first.
    pub(super) order: i64,
    pub(super) span: Span,
}

/// A `ResponseBodyAdvice` of the project.
#[derive(Clone, Debug)]
pub(super) struct Advice {
    pub(super) instance: Val,
    pub(super) span: Span,
}

/// The endpoints of the actuator.
#[derive(Clone, Debug)]
pub(super) struct Actuator {
    pub(super) base: String,
    /// The names of those that are exposed over HTTP.
    pub(super) exposed: Vec<String>,
    /// All are.
    pub(super) all: bool,
    pub(super) cors: Option<Cors>,
    pub(super) span: Span,
}

/// Handlers of a library below a path.
#[derive(Clone, Debug)]
pub(super) struct Area {
    pub(super) name: &'static str,
    pub(super) pattern: PathPattern,
    pub(super) methods: &'static [&'static str],
    /// Mappings of its own, beside the global ones.
    pub(super) mappings: Vec<Mapping>,
    pub(super) span: Span,
}

/// Spring Cloud Gateway.
#[derive(Clone, Debug)]
pub(super) struct Gateway {
    pub(super) mappings: Vec<Mapping>,
    /// Preflights are answered whether or not a route's predicate matches them.
    pub(super) simple: bool,
    /// Paths of the routes, with the methods that their predicates name; none: not in view.
    pub(super) routes: Vec<GatewayRoute>,
    /// There are further ones that are not in view.
    pub(super) open: bool,
    pub(super) span: Span,
}

/// A route of the gateway.
#[derive(Clone, Debug)]
pub(super) struct GatewayRoute {
    pub(super) pattern: PathPattern,
    pub(super) methods: Vec<String>,
    /// What it does to the response, in the order in which it is written.
    pub(super) filters: Vec<ResponseFilter>,
    pub(super) span: Span,
}

/// A filter of the gateway that changes headers of the response.
#[derive(Clone, Debug)]
pub(super) enum ResponseFilter {
    /// `AddResponseHeader`.
    Add(HeaderLine),
    /// `SetResponseHeader`.
    Set(HeaderLine),
    /// `RemoveResponseHeader`.
    Remove(String, Span),
    /// `DedupeResponseHeader`: the names, and which of the values stay.
    Dedupe(Vec<String>, Retain, Span),
    /// One of them, for headers that are not in view.
    Unknown(Span),
}

/// Which values `DedupeResponseHeader` keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Retain {
    First,
    Last,
    Unique,
}

/// A filter of the container.
#[derive(Clone, Debug)]
pub(super) struct Filter {
    pub(super) what: What,
    /// Lower ones stand further outside.
    pub(super) order: Known<i64>,
    /// Empty: every path.
    pub(super) patterns: Vec<PathPattern>,
    pub(super) span: Span,
}

/// What a filter is.
#[derive(Clone, Debug)]
pub(super) enum What {
    Cors(Source),
    Security,
    /// A class of the project.
    Hand(Val),
}

/// A `CorsConfigurationSource`.
#[derive(Clone, Debug)]
pub(super) enum Source {
    /// `UrlBasedCorsConfigurationSource`.
    Map(Vec<Mapping>),
    /// Code that is asked with the request: a lambda, or an object of the project's own class.
    Code(Val),
    /// What Spring MVC would do with the request.
    Mvc,
    /// Not in view.
    Unknown,
}

/// A `SecurityFilterChain`.
#[derive(Clone, Debug)]
pub(super) struct Chain {
    /// Any of them; empty: every request.
    pub(super) matchers: Vec<Matcher>,
    pub(super) links: Vec<Link>,
    pub(super) entry: Entry,
    /// Headers that it adds at the end, unless they are there.
    pub(super) writers: Vec<HeaderLine>,
    pub(super) order: Known<i64>,
    pub(super) span: Span,
    /// `.cors(…)` as it was written.
    pub(super) cors: ChainCors,
    /// It takes the user from the `Authorization` header: a token's.
    pub(super) by_token: bool,
}

/// What a chain says about CORS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum ChainCors {
    Absent,
    Disabled(Span),
    Enabled(Span),
}

/// A filter in a chain that matters here.
#[derive(Clone, Debug)]
pub(super) enum Link {
    Cors(Source, Option<Span>),
    /// Answers preflights the way Spring MVC does, lets all else pass.
    PreflightOnly(Span),
    Csrf(Option<Span>),
    Hand(Val, Span),
    Authorize(Vec<Rule>, Access, Option<Span>),
}

/// A request matcher.
#[derive(Clone, Debug)]
pub(super) struct Matcher {
    pub(super) method: Option<String>,
    pub(super) pattern: Option<PathPattern>,
    /// `CorsUtils::isPreFlightRequest`.
    pub(super) preflight: bool,
    /// None of these may match.
    pub(super) unless: Vec<Self>,
    /// What it asks is not in view.
    pub(super) unknown: bool,
    /// Requests of their own never match: dispatches to the error page (true), or others.
    pub(super) dispatch: Option<bool>,
}

/// Who may pass.
#[derive(Clone, Debug)]
pub(super) struct Rule {
    /// Any of them; empty: every request.
    pub(super) matchers: Vec<Matcher>,
    pub(super) access: Access,
    pub(super) span: Span,
}

/// What is asked of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Access {
    Permit,
    /// A known user, perhaps with a role.
    Authenticated,
    Deny,
    Unknown,
}

/// What answers a request without a known user.
#[derive(Clone, Debug)]
pub(super) enum Entry {
    /// `sendError`: the error page follows.
    SendError(u16),
    Status(Known<u16>),
    Login,
    /// A class or lambda of the project.
    Hand(Val),
}

impl Matcher {
    pub(super) const ANY: Self = Self {
        method: None,
        pattern: None,
        preflight: false,
        unless: Vec::new(),
        unknown: false,
        dispatch: None,
    };

    /// How many matchers it is made of.
    pub(super) fn size(&self) -> usize {
        1 + self.unless.iter().map(Self::size).sum::<usize>()
    }

    /// What matches where this one and another match; nothing if nothing does.
    pub(super) fn and(&self, other: &Self) -> Option<Self> {
        let method = match (&self.method, &other.method) {
            (Some(one), Some(two)) if one != two => return None,
            (one, two) => one.as_ref().or(two.as_ref()).cloned(),
        };
        let covers = |one: &PathPattern, two: &PathPattern| one.text() == "/**" || one == two;
        let (pattern, unclear) = match (&self.pattern, &other.pattern) {
            (Some(one), Some(two)) if covers(one, two) => (Some(two.clone()), false),
            (Some(one), Some(two)) => (Some(one.clone()), !covers(two, one)),
            (one, two) => (one.as_ref().or(two.as_ref()).cloned(), false),
        };
        Some(Self {
            method,
            pattern,
            preflight: self.preflight || other.preflight,
            unless: [self.unless.as_slice(), other.unless.as_slice()].concat(),
            unknown: self.unknown || other.unknown || unclear,
            dispatch: self.dispatch.or(other.dispatch),
        })
    }

    /// Does it match? Nothing if that is not in view.
    pub(super) fn matches(&self, method: &str, path: &str, preflight: bool) -> Option<bool> {
        let refused = self.method.as_ref().is_some_and(|known| known != method)
            || self
                .pattern
                .as_ref()
                .is_some_and(|pattern| !pattern.matches(path, false))
            || (self.preflight && !preflight)
            || self.dispatch.is_some();
        if refused {
            return Some(false);
        }
        let excluded = self
            .unless
            .iter()
            .map(|other| other.matches(method, path, preflight));
        let mut unknown = self.unknown;
        for excluded in excluded {
            match excluded {
                Some(true) => return Some(false),
                Some(false) => {}
                None => unknown = true,
            }
        }
        (!unknown).then_some(true)
    }
}

/// Does any of the matchers match? None at all match everything.
pub(super) fn any_matches(
    matchers: &[Matcher],
    method: &str,
    path: &str,
    preflight: bool,
) -> Option<bool> {
    if matchers.is_empty() {
        return Some(true);
    }
    let mut unknown = false;
    for matcher in matchers {
        match matcher.matches(method, path, preflight) {
            Some(true) => return Some(true),
            Some(false) => {}
            None => unknown = true,
        }
    }
    (!unknown).then_some(false)
}
