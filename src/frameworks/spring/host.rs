//! What Spring adds to the language: configurations, sources, registries, filters.

use std::sync::Arc;

use super::constants::constant;
use super::cors::{Cors, Entries, Entry as Item, List, Written};
use super::exchange::Exchange;
use super::model::Application;
use super::path::PathPattern;
use super::security::{self, Http};
use super::site::Loaded;
use super::version::Versions;
use super::{beans, code, cookies, functional, interceptors, locator};
use crate::frameworks::boot::{self, Beans, Settings, Wired};
use crate::model::{Decision, HeaderLine, Known};
use crate::source::Span;
use crate::syntax::jvm::ast::{Class, Method, simple};
use crate::syntax::jvm::eval::heap::{ObjectKind, V, Val};
use crate::syntax::jvm::eval::{Call, Comparison, Host, Injection, Machine, Result};

/// The machine that runs a Spring application's code.
pub(super) type Node<'s> = Machine<'s, Spring>;

/// Kinds of host objects.
pub(super) mod object {
    pub(crate) const CONFIG: u16 = 1;
    pub(crate) const SOURCE: u16 = 2;
    pub(crate) const REGISTRY: u16 = 3;
    pub(crate) const REGISTRATION: u16 = 4;
    pub(crate) const FILTER: u16 = 5;
    pub(crate) const FILTER_BEAN: u16 = 6;
    pub(crate) const HTTP: u16 = 7;
    pub(crate) const SECTION: u16 = 8;
    pub(crate) const CHAIN: u16 = 9;
    pub(crate) const MATCHERS: u16 = 10;
    pub(crate) const WEB: u16 = 11;
    pub(crate) const SOCKETS: u16 = 12;
    pub(crate) const SOCKET: u16 = 13;
    pub(crate) const INTERCEPTORS: u16 = 14;
    pub(crate) const INTERCEPTOR: u16 = 15;
    pub(crate) const ROUTER: u16 = 16;
    pub(crate) const PREDICATE: u16 = 17;
    pub(crate) const REQUEST: u16 = 20;
    pub(crate) const RESPONSE: u16 = 21;
    pub(crate) const NEXT: u16 = 22;
    pub(crate) const REQUEST_HEADERS: u16 = 23;
    pub(crate) const RESPONSE_HEADERS: u16 = 24;
    pub(crate) const EXCHANGE: u16 = 25;
    pub(crate) const ENTITY: u16 = 26;
    pub(crate) const FREE_HEADERS: u16 = 27;
    /// An entry point that answers with the status that is its number.
    pub(crate) const STATUS: u16 = 28;
    pub(crate) const COOKIE: u16 = 29;
    pub(crate) const LOCATOR: u16 = 30;
    pub(crate) const ROUTE: u16 = 31;
    pub(crate) const ROUTE_FILTERS: u16 = 32;
}

/// Where a request goes on when a filter of the project lets it pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Position {
    /// With the filter of this number.
    Filter(usize),
    /// With a filter of a chain: chain, its number, the filter behind Spring Security.
    Link(usize, usize, usize),
    /// Nowhere: an interceptor, whose result says whether the request goes on.
    Nowhere,
}

/// A pattern with the number of a configuration, or with one that is not in view.
#[derive(Clone, Debug)]
pub(super) struct Registered {
    pub(super) pattern: Option<PathPattern>,
    pub(super) config: Option<u32>,
    pub(super) span: Span,
}

/// A `UrlBasedCorsConfigurationSource`.
#[derive(Clone, Debug, Default)]
pub(super) struct UrlSource {
    pub(super) entries: Vec<Registered>,
}

/// A `FilterRegistrationBean`.
#[derive(Clone, Debug)]
pub(super) struct FilterBean {
    pub(super) filter: Option<Val>,
    pub(super) order: Option<Known<i64>>,
    pub(super) patterns: Vec<PathPattern>,
    pub(super) enabled: bool,
    pub(super) span: Span,
}

/// A WebSocket endpoint, or a group of them.
#[derive(Clone, Debug)]
pub(super) struct Socket {
    pub(super) origins: Vec<Item>,
    pub(super) patterns: Vec<Item>,
    pub(super) sock_js: bool,
    pub(super) span: Span,
}

/// What the program has made so far.
#[derive(Clone, Debug, Default)]
pub(super) struct Data {
    pub(super) configs: Vec<Cors>,
    pub(super) sources: Vec<UrlSource>,
    /// Numbers of registrations.
    pub(super) registries: Vec<Vec<u32>>,
    pub(super) registrations: Vec<Registered>,
    /// The sources of `CorsFilter`s.
    pub(super) filters: Vec<Option<Val>>,
    pub(super) filter_beans: Vec<FilterBean>,
    pub(super) https: Vec<Http>,
    pub(super) sections: Vec<security::Section>,
    pub(super) matchers: Vec<Vec<super::model::Matcher>>,
    pub(super) ignored: Vec<super::model::Matcher>,
    pub(super) sockets: Vec<Socket>,
    pub(super) cookies: Vec<cookies::Cookie>,
    pub(super) interceptors: Vec<interceptors::Registration>,
    /// Of the gateway.
    pub(super) routes: Vec<locator::Route>,
    pub(super) routers: Vec<Vec<functional::Route>>,
    pub(super) predicates: Vec<functional::Predicate>,
    /// Exceptions at start-up.
    pub(super) refusals: Vec<(String, Span)>,
    /// Entries that were replaced by a later call that sets the whole list.
    pub(super) replaced: Vec<(Span, Span)>,
    /// Bean methods that were asked for, by their span, with what they gave.
    pub(super) beans: Vec<(Span, Option<Val>)>,
    /// Headers that are not part of a response yet.
    pub(super) free_headers: Vec<Vec<HeaderLine>>,
    /// Where filters send requests on.
    pub(super) positions: Vec<Position>,
}

/// The framework's part of a machine.
#[derive(Debug)]
pub(super) struct Spring {
    pub(super) data: Arc<Data>,
    pub(super) versions: Versions,
    pub(super) settings: Arc<Settings>,
    pub(super) components: Beans,
    pub(super) known: Arc<beans::Known>,
    app: Arc<Application>,
    exchange: Box<Exchange>,
    asking: bool,
}

impl Spring {
    /// Before anything is loaded.
    pub(super) fn new(
        versions: Versions,
        settings: Arc<Settings>,
        known: Arc<beans::Known>,
        place: Span,
    ) -> Self {
        Self {
            data: Arc::default(),
            versions,
            settings,
            components: Beans::default(),
            known,
            app: Arc::new(Application::empty(place, versions)),
            exchange: Box::new(Exchange::idle(place)),
            asking: false,
        }
    }

    /// For one request.
    pub(super) fn asking(loaded: &Loaded, exchange: Exchange) -> Self {
        Self {
            data: Arc::clone(&loaded.data),
            versions: loaded.app.versions,
            settings: Arc::clone(&loaded.settings),
            components: loaded.components.clone(),
            known: Arc::clone(&loaded.known),
            app: Arc::clone(&loaded.app),
            exchange: Box::new(exchange),
            asking: true,
        }
    }

    pub(super) fn change(&mut self) -> &mut Data {
        Arc::make_mut(&mut self.data)
    }

    /// The exchange at hand; while loading, one that nobody sends.
    pub(super) fn exchange(&mut self) -> &mut Exchange {
        &mut self.exchange
    }

    /// The application that is asked; while loading, one with nothing in it.
    pub(super) const fn app(&self) -> &Arc<Application> {
        &self.app
    }

    /// Is a request at hand?
    pub(super) const fn is_asking(&self) -> bool {
        self.asking
    }
}

/// Functions of Kotlin's library that make collections.
const KOTLIN: [&str; 9] = [
    "arrayListOf",
    "arrayOf",
    "emptyList",
    "listOf",
    "listOfNotNull",
    "mapOf",
    "mutableListOf",
    "setOf",
    "mutableSetOf",
];

impl Wired for Spring {
    fn settings(&self) -> &Settings {
        &self.settings
    }

    fn beans(&mut self) -> &mut Beans {
        &mut self.components
    }
}

impl Host for Spring {
    fn decide(&mut self, _test: &str, _span: Span) -> bool {
        // While loading, what is tested is taken to be there.
        !self.asking || self.exchange.decide()
    }

    fn construct(m: &mut Node<'_>, path: &str, call: &Call<'_>) -> Option<Result<Val>> {
        construct(m, simple(path), call).map(Ok)
    }

    fn call(m: &mut Node<'_>, call: &Call<'_>) -> Option<Result<Val>> {
        // In Kotlin's blocks the receiver is asked first, and these are everybody's.
        if KOTLIN.contains(&call.method) {
            return boot::call(m, call);
        }
        if let Some((kind, number)) = m.as_host(call.receiver) {
            // In a block of Kotlin, a class is made; only routers have methods in capitals.
            let of_class = call.method.starts_with(|c: char| c.is_uppercase());
            if kind != object::ROUTER && of_class {
                return None;
            }
            let done = match kind {
                object::CONFIG | object::REGISTRATION => {
                    Some(Ok(config_call(m, kind, number, call)))
                }
                object::SOURCE => Some(Ok(source_call(m, number, call))),
                object::REGISTRY => Some(Ok(registry_call(m, number, call))),
                object::FILTER_BEAN => Some(Ok(filter_bean_call(m, number, call))),
                object::SOCKETS | object::SOCKET => Some(Ok(socket_call(m, kind, number, call))),
                object::HTTP | object::SECTION | object::WEB | object::MATCHERS => {
                    Some(security::call(m, kind, number, call))
                }
                object::INTERCEPTORS | object::INTERCEPTOR => {
                    Some(Ok(interceptors::call(m, kind, number, call)))
                }
                object::ROUTER => Some(functional::router_call(m, number, call)),
                object::PREDICATE => Some(Ok(functional::predicate_call(m, number, call))),
                object::COOKIE => Some(Ok(cookies::call(m, number, call))),
                object::LOCATOR | object::ROUTE | object::ROUTE_FILTERS => {
                    Some(locator::call(m, kind, number, call))
                }
                object::FILTER | object::CHAIN => Some(Ok(call.receiver.clone())),
                _ => code::call(m, kind, number, call),
            };
            return done;
        }
        let own = match call.receiver.as_foreign().map(str::to_owned) {
            Some(path) => foreign_call(m, &path, call),
            None => code::inherited_call(m, call),
        };
        own.or_else(|| boot::call(m, call))
    }

    fn member(_m: &mut Node<'_>, of: &Val, name: &str, span: Span) -> Option<Val> {
        if let Some(path) = of.as_foreign() {
            return constant(&format!("{path}.{name}"), span);
        }
        None
    }

    fn inject(m: &mut Node<'_>, place: &Injection<'_>) -> Option<Val> {
        beans::inject(m, place)
    }

    fn intercept(
        m: &mut Node<'_>,
        _this: &Val,
        class: &Arc<Class>,
        method: &Arc<Method>,
        args: &[Val],
    ) -> Option<Result<Val>> {
        beans::intercept(m, class, method, args)
    }

    fn escape(m: &mut Node<'_>, args: &[Val], span: Span) {
        code::escape(m, args, span);
    }

    fn is_member(&self, text: &str) -> bool {
        let request = &self.exchange.request;
        self.asking && request.symbolic && request.origin.as_deref() == Some(text)
    }

    fn is_subject(&self, text: &str) -> bool {
        let Some(origin) = self.exchange.request.origin.as_deref() else {
            return false;
        };
        let host = || origin.split_once("://").map(|(_, host)| host);
        self.asking && (origin == text || host() == Some(text))
    }

    fn compared(&mut self, subject: &str, with: &Val, how: Comparison, holds: bool) {
        let exchange = &mut self.exchange;
        let whole = exchange.request.origin.as_deref() == Some(subject);
        if holds && let Some(text) = with.as_str() {
            exchange.evidence = Some(Decision {
                span: with.span,
                text: text.to_owned(),
                offset: Some(1),
                pattern: how == Comparison::Pattern,
            });
        }
        exchange.compared(super::exchange::Compared {
            text: with.as_str().map(str::to_owned),
            span: with.span,
            pattern: how == Comparison::Pattern,
            whole: whole && how == Comparison::Equal,
        });
    }

    fn judged_unknown(&mut self, with: &Val) {
        let exchange = &mut self.exchange;
        exchange.unsure = true;
        exchange.compared(super::exchange::Compared {
            text: None,
            span: with.span,
            pattern: false,
            whole: false,
        });
    }
}

/// The text of a value, constants of libraries included.
pub(super) fn text_of(m: &Node<'_>, val: &Val) -> Option<String> {
    match &val.v {
        V::String(text) => Some(text.to_string()),
        V::Foreign(path) => match constant(path, val.span).map(|val| val.v) {
            Some(V::String(text)) => Some(text.to_string()),
            Some(_) => None,
            None => m.shown(val),
        },
        _ => m.shown(val),
    }
}

/// The list that arguments make: arrays and collections are taken apart.
pub(super) fn entries(m: &Node<'_>, args: &[Val], open: bool) -> Entries {
    let (vals, more) = m.flattened(args);
    let mut entries = Entries {
        open: open || more,
        ..Entries::default()
    };
    for val in vals {
        match text_of(m, &val) {
            _ if val.is_null() => {}
            Some(text) => entries.items.push(Item {
                text,
                span: Some(val.span),
            }),
            None => entries.open = true,
        }
    }
    entries
}

/// A new object of one of Spring's classes.
fn construct(m: &mut Node<'_>, class: &str, call: &Call<'_>) -> Option<Val> {
    let span = call.span;
    match class {
        "CorsConfiguration" => {
            let mut cors = Cors::new(span);
            if let Some((object::CONFIG, number)) = call.args.first().and_then(|val| m.as_host(val))
            {
                cors = Cors {
                    span: Some(span),
                    ..m.host.data.configs[number as usize].clone()
                };
            }
            Some(new_config(m, cors, span))
        }
        "UrlBasedCorsConfigurationSource" => {
            let number = push(&mut m.host.change().sources, UrlSource::default());
            Some(m.host_object(object::SOURCE, number, span))
        }
        "CorsFilter" | "CorsWebFilter" => {
            let source = call.args.first().cloned();
            let number = push(&mut m.host.change().filters, source);
            Some(m.host_object(object::FILTER, number, span))
        }
        "FilterRegistrationBean" => {
            let bean = FilterBean {
                filter: call.args.first().cloned(),
                order: None,
                patterns: Vec::new(),
                enabled: true,
                span,
            };
            let number = push(&mut m.host.change().filter_beans, bean);
            Some(m.host_object(object::FILTER_BEAN, number, span))
        }
        _ => security::construct(m, class, call).or_else(|| code::construct(m, class, call)),
    }
}

/// Adds to a list; its number.
pub(super) fn push<T>(list: &mut Vec<T>, item: T) -> u32 {
    list.push(item);
    u32::try_from(list.len() - 1).unwrap_or(u32::MAX)
}

/// A value for a configuration.
pub(super) fn new_config(m: &mut Node<'_>, cors: Cors, span: Span) -> Val {
    let number = push(&mut m.host.change().configs, cors);
    m.host_object(object::CONFIG, number, span)
}

/// The configuration behind a value.
pub(super) fn config_of(m: &Node<'_>, val: &Val) -> Option<Cors> {
    let (kind, number) = m.as_host(val)?;
    let number = if kind == object::REGISTRATION {
        m.host.data.registrations.get(number as usize)?.config?
    } else {
        number
    };
    matches!(kind, object::CONFIG | object::REGISTRATION)
        .then(|| m.host.data.configs.get(number as usize).cloned())?
}

/// The methods of `CorsConfiguration` and `CorsRegistration`.
fn config_call(m: &mut Node<'_>, kind: u16, number: u32, call: &Call<'_>) -> Val {
    let at = if kind == object::REGISTRATION {
        m.host.data.registrations[number as usize].config
    } else {
        Some(number)
    };
    let Some(at) = at.map(|at| at as usize) else {
        return call.receiver.clone();
    };
    let versions = m.host.versions;
    let list = |name: &str| {
        let plural = format!("{}s", name.trim_end_matches('s'));
        Some(match plural.as_str() {
            "allowedOrigins" => List::Origins,
            "allowedOriginPatterns" => List::Patterns,
            "allowedMethods" => List::Methods,
            "allowedHeaders" => List::Headers,
            "exposedHeaders" => List::Exposed,
            _ => return None,
        })
    };
    let (verb, property) = split_verb(call.method);
    if let Some(list) = list(&property) {
        match verb {
            "get" => {
                let entries = m.host.data.configs[at].list(list).cloned();
                let Some(entries) = entries else {
                    return Val::null(call.span);
                };
                let items = entries.items.iter();
                let items = items
                    .map(|item| Val::string(item.text.as_str(), item.span.unwrap_or(call.span)))
                    .collect();
                return m.list(items, entries.open, call.span);
            }
            "add" => {
                let added = entries(m, call.args, call.open);
                let config = &mut m.host.change().configs[at];
                for item in added.items {
                    config.add(list, item, versions);
                }
                if added.open {
                    config.open(list);
                }
            }
            _ => {
                let null = call.args.len() == 1 && call.args[0].is_null();
                let new = entries(m, call.args, call.open);
                let data = m.host.change();
                let old = data.configs[at].list(list).cloned();
                let gone = old.into_iter().flat_map(|old| old.items);
                for item in gone {
                    let kept = new.has(&item.text);
                    if let Some(span) = item.span.filter(|_| !kept && !null) {
                        data.replaced.push((span, call.span));
                    }
                }
                data.configs[at].set(list, (!null).then_some(new), versions);
            }
        }
        return call.receiver.clone();
    }
    let first = call.args.first().cloned();
    let flag = |val: Option<&Val>| {
        let val = val?;
        let text = || val.as_str().map(|text| text.eq_ignore_ascii_case("true"));
        (!val.is_null()).then(|| Written {
            value: val.as_bool().or_else(text).into(),
            span: Some(val.span),
        })
    };
    match property.as_str() {
        "allowCredentials" if verb != "get" => {
            m.host.change().configs[at].credentials = flag(first.as_ref());
        }
        "allowPrivateNetwork" if verb != "get" => {
            m.host.change().configs[at].private_network = flag(first.as_ref());
        }
        "maxAge" if verb != "get" => {
            let written = first.filter(|val| !val.is_null()).map(|val| Written {
                value: integer(&val).into(),
                span: Some(val.span),
            });
            m.host.change().configs[at].max_age = written;
        }
        "applyPermitDefaultValues" => m.host.change().configs[at].apply_permit_defaults(),
        "combine" => {
            let other = first.and_then(|val| config_of(m, &val));
            let combined = m.host.data.configs[at].combine(other.as_ref());
            if kind == object::CONFIG {
                return new_config(m, combined, call.span);
            }
            m.host.change().configs[at] = combined;
        }
        "allowCredentials" | "allowPrivateNetwork" | "maxAge" => {
            return Val::unknown("a property of a CORS configuration", call.span);
        }
        _ => {}
    }
    call.receiver.clone()
}

/// A number without its fraction: an age in seconds, an order.
#[expect(clippy::cast_possible_truncation, reason = "no age is that long")]
pub(super) fn integer(val: &Val) -> Option<i64> {
    val.as_number().map(|number| number as i64)
}

/// `setAllowedOrigins` is `set` and `allowedOrigins`; a method without a verb is as it is.
fn split_verb(method: &str) -> (&str, String) {
    for verb in ["set", "add", "get", "is"] {
        if let Some(rest) = method.strip_prefix(verb)
            && rest.starts_with(|c: char| c.is_ascii_uppercase())
        {
            let (first, rest) = rest.split_at(1);
            let verb = if verb == "is" { "get" } else { verb };
            return (verb, format!("{}{rest}", first.to_lowercase()));
        }
    }
    ("", method.to_owned())
}

/// A path pattern of a value; one that Spring refuses is noted.
pub(super) fn pattern_of(m: &mut Node<'_>, val: &Val) -> Option<PathPattern> {
    let text = text_of(m, val)?;
    if !m.host.versions.has_patterns() {
        return Some(PathPattern::parse_ant(&text));
    }
    // Only since 7.0 more may follow `**` at the start.
    let middle = m.host.versions.takes_leading_stars();
    let parsed = PathPattern::parse(&text).filter(|pattern| middle || !pattern.begins_open());
    if parsed.is_none() {
        let words = format!(
            "PatternParseException: no more pattern data allowed after {{*...}} or ** pattern element in \"{text}\""
        );
        m.host.change().refusals.push((words, val.span));
    }
    parsed
}

fn source_call(m: &mut Node<'_>, number: u32, call: &Call<'_>) -> Val {
    match call.method {
        "registerCorsConfiguration" => {
            let pattern = call.args.first().cloned();
            let pattern = pattern.and_then(|val| pattern_of(m, &val));
            let config = call.args.get(1).and_then(|val| m.as_host(val));
            let entry = Registered {
                pattern,
                config: config
                    .filter(|(kind, _)| *kind == object::CONFIG)
                    .map(|(_, at)| at),
                span: call.span,
            };
            m.host.change().sources[number as usize].entries.push(entry);
        }
        "setCorsConfigurations" => {
            let map = call
                .args
                .first()
                .and_then(|val| m.object(val))
                .map(|object| object.kind.clone());
            let (entries, open) = match map {
                Some(ObjectKind::Map { entries, open }) => (entries, open),
                _ => (Vec::new(), true),
            };
            m.host.change().sources[number as usize].entries.clear();
            for (key, value) in entries {
                let pattern = pattern_of(m, &key);
                let config = m.as_host(&value);
                let entry = Registered {
                    pattern,
                    config: config
                        .filter(|(kind, _)| *kind == object::CONFIG)
                        .map(|(_, at)| at),
                    span: key.span,
                };
                m.host.change().sources[number as usize].entries.push(entry);
            }
            if open {
                let entry = Registered {
                    pattern: None,
                    config: None,
                    span: call.span,
                };
                m.host.change().sources[number as usize].entries.push(entry);
            }
        }
        _ => {}
    }
    call.receiver.clone()
}

fn registry_call(m: &mut Node<'_>, number: u32, call: &Call<'_>) -> Val {
    if call.method != "addMapping" {
        return call.receiver.clone();
    }
    let pattern = call.args.first().cloned();
    let pattern = pattern.and_then(|val| pattern_of(m, &val));
    let versions = m.host.versions;
    let mut cors = Cors::new(call.span);
    cors.apply_permit_defaults();
    if versions.credentials_by_default() {
        cors.credentials = Some(Written {
            value: Known::Known(true),
            span: None,
        });
    }
    let data = m.host.change();
    let config = push(&mut data.configs, cors);
    let registration = push(
        &mut data.registrations,
        Registered {
            pattern,
            config: Some(config),
            span: call.span,
        },
    );
    data.registries[number as usize].push(registration);
    m.host_object(object::REGISTRATION, registration, call.span)
}

fn filter_bean_call(m: &mut Node<'_>, number: u32, call: &Call<'_>) -> Val {
    let first = call.args.first().cloned();
    match call.method {
        "setFilter" => m.host.change().filter_beans[number as usize].filter = first,
        "setOrder" => {
            let order = first.and_then(|val| integer(&val));
            m.host.change().filter_beans[number as usize].order = Some(order.into());
        }
        "setEnabled" => {
            let enabled = first.and_then(|val| val.as_bool()) != Some(false);
            m.host.change().filter_beans[number as usize].enabled = enabled;
        }
        "addUrlPatterns" | "setUrlPatterns" => {
            let patterns = entries(m, call.args, call.open);
            let patterns = patterns
                .items
                .iter()
                .filter_map(|item| servlet_pattern(&item.text));
            let patterns: Vec<PathPattern> = patterns.collect();
            m.host.change().filter_beans[number as usize]
                .patterns
                .extend(patterns);
        }
        "getFilter" => {
            let filter = m.host.data.filter_beans[number as usize].filter.clone();
            return filter.unwrap_or_else(|| Val::null(call.span));
        }
        _ => {}
    }
    call.receiver.clone()
}

/// A servlet's URL pattern: `/x/*` stands for everything below.
pub(super) fn servlet_pattern(text: &str) -> Option<PathPattern> {
    match text.strip_suffix("/*") {
        Some(prefix) => PathPattern::parse(&format!("{prefix}/**")),
        None => PathPattern::parse(text),
    }
}

fn socket_call(m: &mut Node<'_>, kind: u16, number: u32, call: &Call<'_>) -> Val {
    if kind == object::SOCKETS {
        if matches!(call.method, "addEndpoint" | "addHandler") {
            let socket = Socket {
                origins: Vec::new(),
                patterns: Vec::new(),
                sock_js: false,
                span: call.span,
            };
            let number = push(&mut m.host.change().sockets, socket);
            return m.host_object(object::SOCKET, number, call.span);
        }
        return call.receiver.clone();
    }
    let list = entries(m, call.args, call.open);
    let socket = &mut m.host.change().sockets[number as usize];
    match call.method {
        "setAllowedOrigins" => socket.origins = list.items,
        "setAllowedOriginPatterns" => socket.patterns = list.items,
        "withSockJS" => socket.sock_js = true,
        _ => {}
    }
    call.receiver.clone()
}

/// Calls of what libraries have: constants' names, `Customizer.withDefaults()`.
fn foreign_call(m: &mut Node<'_>, path: &str, call: &Call<'_>) -> Option<Result<Val>> {
    let class = simple(path);
    let names_itself = matches!(
        call.method,
        "name" | "toString" | "getName" | "asHttpMethod"
    );
    let (outer, _) = path.rsplit_once('.').unwrap_or_default();
    if names_itself && matches!(simple(outer), "HttpMethod" | "RequestMethod") {
        return Some(Ok(Val::string(class, call.span)));
    }
    if class == "HttpMethod" && call.method == "valueOf" {
        return call.args.first().cloned().map(Ok);
    }
    if simple(outer) == "HttpStatus" && call.method == "value" {
        let status = super::code::status_of(path)?;
        return Some(Ok(Val::number(f64::from(status), call.span)));
    }
    if class == beans::JHIPSTER && call.method == "getCors" {
        let span = m.host.settings.has("jhipster.cors").unwrap_or(call.span);
        let config = new_config(m, Cors::new(span), span);
        return Some(boot::bind(m, &config, "jhipster.cors").map(|()| config));
    }
    if let Some(made) = security::foreign_call(m, class, call) {
        return Some(Ok(made));
    }
    if let Some(made) = functional::foreign_call(m, path, call) {
        return Some(made);
    }
    code::foreign_call(m, path, call)
}
