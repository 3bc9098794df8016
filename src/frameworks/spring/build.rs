//! From classes, beans and properties to an application in one world.

use std::sync::{Arc, PoisonError};

use super::beans::{self, Known};
use super::controllers;
use super::cors::Cors;
use super::exchange::Policy;
use super::host::{FilterBean, Node, Registered, object, push};
use super::model::{
    Access, Application, Chain, ChainCors, Entry, Filter, Link, Mapping, Matcher, Rule, Source,
    What,
};
use super::path::PathPattern;
use super::properties;
use super::security::{self, Http};
use super::version::Automatic;
use crate::frameworks::boot::{self, Build};
use crate::model::Known as Fact;
use crate::source::Span;
use crate::syntax::jvm::ast::{Class, Method};
use crate::syntax::jvm::eval::heap::Val;
use crate::syntax::jvm::program::Program;

/// Where Boot puts Spring Security.
const SECURITY_ORDER: i64 = -100;
const LOWEST: i64 = i32::MAX as i64;

/// What reading learned beside the application itself.
#[derive(Clone, Debug, Default)]
pub(super) struct Notes {
    /// Configurations that nothing applies: the place, its name, why.
    pub(super) unattached: Vec<(Span, String, String, Option<Span>)>,
    /// `CorsConfigurationSource` beans that some chain or filter uses.
    pub(super) used: Vec<Span>,
}

/// Runs what a container would run, and collects what came of it.
pub(super) fn application(
    m: &mut Node<'_>,
    known: &Arc<Known>,
    build: &Build,
    place: Span,
    notes: &mut Notes,
) -> Application {
    let mut app = Application::empty(place, m.host.versions);
    app.reactive = known.reactive;
    app.boot = true;
    registries(m, known, &mut app, notes);
    app.handlers = controllers::handlers(m, known, &mut app.refusal);
    properties::apply(m, build, &mut app, notes);
    filters(m, known, &mut app, notes);
    chains(m, known, build, &mut app, notes);
    app.filters.sort_by_key(|filter| filter.order);
    sockets(m, known);
    unattached(m, known, &app, notes);
    if let Some((words, span)) = m.host.data.refusals.first() {
        app.refusal = Some((words.clone(), *span));
    }
    app
}

/// A place where the container makes the object of a class.
pub(super) fn component(m: &mut Node<'_>, class: &Arc<Class>) -> Val {
    boot::bean_of_class(m, class, class.name_span)
}

fn program(m: &Node<'_>) -> Arc<Program> {
    Arc::clone(m.program())
}

fn method(m: &Node<'_>, class: &Arc<Class>, name: &str) -> Option<(Arc<Class>, Arc<Method>)> {
    let found = program(m).method(class, name, None, m.sources());
    found.filter(|(_, method)| method.body.is_some())
}

const CONFIGURERS: [&str; 5] = [
    "WebMvcConfigurer",
    "WebMvcConfigurerAdapter",
    "WebFluxConfigurer",
    "WebMvcConfigurationSupport",
    "DelegatingWebMvcConfiguration",
];

/// Everything that `addCorsMappings` registers.
fn registries(m: &mut Node<'_>, known: &Arc<Known>, app: &mut Application, notes: &mut Notes) {
    let program = program(m);
    let is_configurer = |class: &Arc<Class>| {
        CONFIGURERS
            .iter()
            .any(|name| program.is_a(class, name, None))
    };
    // Without its delegating form, the support class asks no configurers.
    let support = known
        .components
        .iter()
        .find(|class| {
            program.is_a(class, "WebMvcConfigurationSupport", None)
                && !program.is_a(class, "DelegatingWebMvcConfiguration", None)
        })
        .cloned();
    let mut instances: Vec<(Val, Arc<Class>)> = Vec::new();
    for class in &known.components {
        if is_configurer(class) && !class.is_abstract {
            instances.push((component(m, class), Arc::clone(class)));
        }
    }
    let of_bean = |ty: &str| CONFIGURERS.contains(&ty);
    for at in 0..known.beans.len() {
        let bean = &known.beans[at];
        let own = program.class_at(bean.method.span, &bean.ty, None);
        if !of_bean(&bean.ty) && !own.is_some_and(|class| is_configurer(&class)) {
            continue;
        }
        if let Some(val) = beans::bean(m, at)
            && let Some(class) = m.class_of(&val)
        {
            instances.push((val, class));
        }
    }
    for (instance, class) in instances {
        let Some((owner, method)) = method(m, &class, "addCorsMappings") else {
            continue;
        };
        if let Some(support) = &support
            && support.span != class.span
        {
            notes.unattached.push((
                method.name_span,
                "addCorsMappings".into(),
                format!("`{}` extends WebMvcConfigurationSupport, and then no WebMvcConfigurer is asked", support.name),
                Some(support.name_span),
            ));
            continue;
        }
        let registry = push(&mut m.host.change().registries, Vec::new());
        let val = m.host_object(object::REGISTRY, registry, method.span);
        // What it throws half-way leaves what was registered before.
        let _ = m.invoke(&instance, &owner, &method, &[val], method.span);
        app.global.extend(mappings(m, registry));
    }
    rest_repositories(m, known, app);
}

/// The WebSocket endpoints of the application.
fn sockets(m: &mut Node<'_>, known: &Arc<Known>) {
    const REGISTER: [&str; 2] = ["registerStompEndpoints", "registerWebSocketHandlers"];
    for class in &known.components {
        for name in REGISTER {
            let Some((owner, method)) = method(m, class, name) else {
                continue;
            };
            let instance = component(m, class);
            let registry = m.host_object(object::SOCKETS, 0, method.span);
            // What was registered before it throws stays.
            let _ = m.invoke(&instance, &owner, &method, &[registry], method.span);
        }
    }
}

/// Configurations that nothing applies.
fn unattached(m: &mut Node<'_>, known: &Arc<Known>, app: &Application, notes: &mut Notes) {
    let program = program(m);
    let injected = |ty: &str, but: Span| {
        known.beans.iter().any(|bean| {
            bean.method.span != but
                && bean
                    .method
                    .params
                    .iter()
                    .any(|param| param.ty.simple() == ty)
        }) || known.classes.iter().any(|class| {
            class.fields.iter().any(|field| field.ty.simple() == ty)
                || class
                    .constructors
                    .iter()
                    .any(|made| made.params.iter().any(|param| param.ty.simple() == ty))
        })
    };
    for at in known.of_type(&["CorsConfigurationSource", "UrlBasedCorsConfigurationSource"]) {
        let bean = known.beans[at].clone();
        let called = known.classes.iter().any(|class| {
            let text = m.source(class.span);
            text.matches(&format!("{}(", bean.method.name)).count()
                > usize::from(class.span == bean.class.span)
        });
        let unclear = injected(&bean.ty, bean.method.span)
            || called
            || app.chains.iter().any(|chain| {
                chain
                    .links
                    .iter()
                    .any(|link| matches!(link, Link::Cors(Source::Unknown, _)))
            });
        let without_chain = known.classes.iter().any(|class| {
            class.annotation("EnableWebSecurity").is_some()
                || class.annotation("EnableWebFluxSecurity").is_some()
        }) && app.chains.is_empty();
        if notes.used.contains(&bean.method.span) || unclear || without_chain {
            continue;
        }
        let disabled = app.chains.iter().find_map(|chain| match chain.cors {
            ChainCors::Disabled(span) => Some(span),
            _ => None,
        });
        let enabled = app.chains.iter().find_map(|chain| match chain.cors {
            ChainCors::Enabled(span) => Some(span),
            _ => None,
        });
        let (why, related) = match (disabled, enabled, app.chains.first()) {
            (Some(span), _, _) => ("the security chain switches CORS off".to_owned(), Some(span)),
            (_, Some(span), _) => (
                "`cors(…)` looks for a bean that is called `corsConfigurationSource`".to_owned(),
                Some(span),
            ),
            (_, _, Some(chain)) => (
                "no security chain calls `cors(…)`, and nothing else asks the bean".to_owned(),
                Some(chain.span),
            ),
            _ => (
                "only Spring Security asks such a bean, and it is not there; a `CorsFilter` needs it given".to_owned(),
                None,
            ),
        };
        let name = bean.names.first().cloned().unwrap_or_default();
        notes
            .unattached
            .push((bean.method.name_span, name, why, related));
    }
    for class in &known.classes {
        let configures = CONFIGURERS
            .iter()
            .any(|name| program.is_a(class, name, None))
            && class.method("addCorsMappings").is_some();
        if !configures || class.is_abstract || class.name.is_empty() {
            continue;
        }
        if beans::has_stereotype(&program, class) || is_named_elsewhere(m, known, class) {
            continue;
        }
        notes.unattached.push((
            class.name_span,
            class.name.to_string(),
            "the class is no bean: it has no `@Configuration`, and nobody makes one of it".into(),
            None,
        ));
    }
}

/// Does another class speak of this one?
fn is_named_elsewhere(m: &Node<'_>, known: &Known, class: &Arc<Class>) -> bool {
    known.classes.iter().any(|other| {
        let inside = |a: Span, b: Span| a.file == b.file && a.start >= b.start && a.end <= b.end;
        if inside(other.span, class.span) || inside(class.span, other.span) {
            return false;
        }
        m.source(other.span).contains(&*class.name)
    })
}

/// Spring Data REST has a registry of its own.
fn rest_repositories(m: &mut Node<'_>, known: &Arc<Known>, app: &mut Application) {
    let program = program(m);
    for class in &known.components {
        if !program.is_a(class, "RepositoryRestConfigurer", None)
            && !program.is_a(class, "RepositoryRestConfigurerAdapter", None)
        {
            continue;
        }
        let Some((owner, method)) = method(m, class, "configureRepositoryRestConfiguration") else {
            continue;
        };
        let instance = component(m, class);
        let registry = push(&mut m.host.change().registries, Vec::new());
        let args: Vec<Val> = method
            .params
            .iter()
            .map(|param| {
                if param.ty.simple() == "CorsRegistry" {
                    m.host_object(object::REGISTRY, registry, param.span)
                } else {
                    Val::foreign("RepositoryRestConfiguration", param.span)
                }
            })
            .collect();
        let _ = m.invoke(&instance, &owner, &method, &args, method.span);
        let mappings = mappings(m, registry);
        for mapping in &mappings {
            app.areas.push(super::model::Area {
                name: "Spring Data REST",
                pattern: mapping.pattern.clone(),
                methods: &["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"],
                mappings: mappings.clone(),
                span: mapping.span,
            });
        }
    }
}

/// The mappings of a registry, once it is complete.
fn mappings(m: &Node<'_>, registry: u32) -> Vec<Mapping> {
    let data = &m.host.data;
    let numbers = data.registries[registry as usize].iter();
    numbers
        .filter_map(|number| data.registrations.get(*number as usize))
        .map(|registered| mapping(m, registered))
        .collect()
}

fn mapping(m: &Node<'_>, registered: &Registered) -> Mapping {
    let config = registered
        .config
        .and_then(|at| m.host.data.configs.get(at as usize));
    let pattern = registered.pattern.clone();
    Mapping {
        // What is not in view most likely stands for much.
        pattern: pattern.unwrap_or_else(everything),
        policy: config.map_or(Policy::Unknown, |cors| Policy::Is(cors.clone())),
        span: registered.span,
    }
}

/// `/**`.
pub(super) fn everything() -> PathPattern {
    PathPattern::all()
}

/// What a `CorsConfigurationSource` value is.
pub(super) fn source_of(m: &Node<'_>, val: &Val) -> Source {
    match m.as_host(val) {
        Some((object::SOURCE, number)) => {
            let entries = m.host.data.sources[number as usize].entries.iter();
            Source::Map(entries.map(|entry| mapping(m, entry)).collect())
        }
        Some(_) => Source::Unknown,
        None if m.is_function(val) => Source::Code(val.clone()),
        None => match m.class_of(val) {
            Some(class) if method(m, &class, "getCorsConfiguration").is_some() => {
                Source::Code(val.clone())
            }
            _ => Source::Unknown,
        },
    }
}

/// The source of a `CorsFilter`.
fn source_of_filter(m: &Node<'_>, val: &Val) -> Option<Source> {
    let (kind, number) = m.as_host(val)?;
    if kind != object::FILTER {
        return None;
    }
    let source = m.host.data.filters.get(number as usize)?.clone();
    Some(source.map_or(Source::Unknown, |source| source_of(m, &source)))
}

const FILTERS: [&str; 5] = [
    "Filter",
    "OncePerRequestFilter",
    "GenericFilterBean",
    "HttpFilter",
    "WebFilter",
];

/// The filters of the container, Spring Security aside.
fn filters(m: &mut Node<'_>, known: &Arc<Known>, app: &mut Application, notes: &mut Notes) {
    let _ = notes;
    let program = program(m);
    for class in &known.components {
        if FILTERS.iter().any(|name| program.is_a(class, name, None)) && speaks(m, class.span) {
            let instance = component(m, class);
            let order = beans::order_of(m, &class.annotations)
                .or_else(|| beans::order_of_instance(m, &instance, class.span));
            app.filters.push(Filter {
                what: What::Hand(instance),
                order: order.unwrap_or(LOWEST),
                patterns: Vec::new(),
                span: class.name_span,
            });
        }
    }
    for at in 0..known.beans.len() {
        let bean = known.beans[at].clone();
        let own = program.class_at(bean.method.span, &bean.ty, None);
        let of_project = own
            .as_ref()
            .is_some_and(|class| FILTERS.iter().any(|name| program.is_a(class, name, None)));
        let of_spring = matches!(
            bean.ty.as_str(),
            "CorsFilter"
                | "CorsWebFilter"
                | "FilterRegistrationBean"
                | "Filter"
                | "WebFilter"
                | "OncePerRequestFilter"
                | "GenericFilterBean"
        );
        if !of_project && !of_spring {
            continue;
        }
        let Some(val) = beans::bean(m, at) else {
            continue;
        };
        // Servlet filters are not ordered by what stands on their bean methods; WebFlux's are.
        let order = if app.reactive {
            beans::order_of(m, &bean.method.annotations)
        } else {
            None
        };
        filter_bean(m, &val, order, bean.method.name_span, app);
    }
}

fn filter_bean(m: &mut Node<'_>, val: &Val, order: Option<i64>, span: Span, app: &mut Application) {
    if let Some((object::FILTER_BEAN, number)) = m.as_host(val) {
        let FilterBean {
            filter,
            order,
            patterns,
            enabled,
            span,
        } = m.host.data.filter_beans[number as usize].clone();
        let Some(filter) = filter.filter(|_| enabled) else {
            return;
        };
        let order = match order {
            Some(Fact::Known(order)) => order,
            _ => LOWEST,
        };
        if let Some(source) = source_of_filter(m, &filter) {
            app.filters.push(Filter {
                what: What::Cors(source),
                order,
                patterns,
                span,
            });
        } else if let Some(class) = m.class_of(&filter)
            && speaks(m, class.span)
        {
            // A component that is registered by hand stands where the registration says.
            app.filters.retain(|known| known.span != class.name_span);
            app.filters.push(Filter {
                what: What::Hand(filter),
                order,
                patterns,
                span: class.name_span,
            });
        }
        return;
    }
    if let Some(source) = source_of_filter(m, val) {
        app.filters.push(Filter {
            what: What::Cors(source),
            order: order.unwrap_or(LOWEST),
            patterns: Vec::new(),
            span,
        });
        return;
    }
    let (class_span, speaks_of_it) = match m.class_of(val) {
        Some(class) => (class.span, speaks(m, class.span)),
        None if m.is_function(val) => (val.span, speaks(m, val.span)),
        None => return,
    };
    if speaks_of_it && !app.filters.iter().any(|known| known.span == class_span) {
        let own = m.class_of(val).map(|class| class.annotations.clone());
        let own = own.and_then(|annotations| beans::order_of(m, &annotations));
        app.filters.push(Filter {
            what: What::Hand(val.clone()),
            order: own.or(order).unwrap_or(LOWEST),
            patterns: Vec::new(),
            span,
        });
    }
}

/// Can code at a place change what is sent?
pub(super) fn speaks(m: &Node<'_>, span: Span) -> bool {
    const WORDS: [&str; 9] = [
        "Access-Control",
        "access-control",
        "ACCESS_CONTROL",
        "setAccessControl",
        "\"OPTIONS\"",
        "HttpMethod.OPTIONS",
        "CorsUtils",
        "SC_UNAUTHORIZED",
        "SC_FORBIDDEN",
    ];
    let known = Arc::clone(&m.host.known);
    let speaking = known.speaking.lock();
    let mut speaking = speaking.unwrap_or_else(PoisonError::into_inner);
    *speaking.entry(span).or_insert_with(|| {
        let text = m.source(span);
        WORDS.iter().any(|word| text.contains(word))
    })
}

/// Spring Security's chains.
fn chains(
    m: &mut Node<'_>,
    known: &Arc<Known>,
    build: &Build,
    app: &mut Application,
    notes: &mut Notes,
) {
    let program = program(m);
    let mut chains: Vec<Chain> = Vec::new();
    let mut present = false;
    for class in &known.components {
        if !program.is_a(class, "WebSecurityConfigurerAdapter", None) {
            continue;
        }
        present = true;
        let instance = component(m, class);
        let order = beans::order_of(m, &class.annotations).unwrap_or(100);
        let mut http = None;
        for configure in class
            .methods
            .iter()
            .filter(|method| &*method.name == "configure")
        {
            match configure
                .params
                .first()
                .map(|param| param.ty.simple().to_owned())
                .as_deref()
            {
                Some("HttpSecurity") => {
                    let val = security::http(m, false, configure.name_span);
                    http = m.as_host(&val).map(|(_, number)| number);
                    let _ = m.invoke(&instance, class, configure, &[val], configure.span);
                }
                Some("WebSecurity") => {
                    let val = m.host_object(object::WEB, 0, configure.name_span);
                    let _ = m.invoke(&instance, class, configure, &[val], configure.span);
                }
                _ => {}
            }
        }
        if let Some(number) = http {
            chains.push(chain(m, known, number, order, app, notes));
        } else {
            chains.push(default_chain(m, known, build, class.name_span, app, notes));
        }
    }
    for at in known.of_type(&[
        "SecurityFilterChain",
        "SecurityWebFilterChain",
        "DefaultSecurityFilterChain",
    ]) {
        present = true;
        let bean = known.beans[at].clone();
        let order = beans::order_of(m, &bean.method.annotations).unwrap_or(LOWEST);
        let val = beans::bean(m, at);
        let number = val.as_ref().and_then(|val| m.as_host(val));
        match number {
            Some((object::CHAIN, number)) => {
                chains.push(chain(m, known, number, order, app, notes));
            }
            _ => chains.push(unknown_chain(m, bean.method.name_span, order)),
        }
    }
    for at in known.of_type(&["WebSecurityCustomizer"]) {
        if let Some(val) = beans::bean(m, at) {
            let web = m.host_object(object::WEB, 0, val.span);
            let _ = m.call_function(&val, Some(&web), std::slice::from_ref(&web), val.span);
        }
    }
    let kotlin_or_unseen = known.components.iter().any(|class| {
        class.annotation("EnableWebSecurity").is_some()
            || class.annotation("EnableWebFluxSecurity").is_some()
    });
    if !present && build.starters.security && !kotlin_or_unseen {
        chains.push(default_chain(m, known, build, app.place, app, notes));
        present = true;
    }
    let ignored = m.host.data.ignored.clone();
    chains.sort_by_key(|chain| chain.order);
    if !ignored.is_empty() {
        chains.insert(
            0,
            Chain {
                matchers: ignored,
                links: Vec::new(),
                entry: Entry::SendError(403),
                writers: Vec::new(),
                order: i64::MIN,
                span: app.place,
                cors: ChainCors::Absent,
            },
        );
    }
    if present {
        app.filters.push(Filter {
            what: What::Security,
            order: SECURITY_ORDER,
            patterns: Vec::new(),
            span: app.place,
        });
    }
    app.chains = chains;
}

/// A chain whose making is not in view.
fn unknown_chain(m: &Node<'_>, span: Span, order: i64) -> Chain {
    let _ = m;
    Chain {
        matchers: Vec::new(),
        links: vec![
            Link::Cors(Source::Unknown, Some(span)),
            Link::Authorize(Vec::new(), Access::Unknown, Some(span)),
        ],
        entry: Entry::Status(Fact::Unknown),
        writers: Vec::new(),
        order,
        span,
        cors: ChainCors::Absent,
    }
}

/// What Boot makes of a project that only has the library on its class path.
fn default_chain(
    m: &mut Node<'_>,
    known: &Arc<Known>,
    build: &Build,
    span: Span,
    app: &mut Application,
    notes: &mut Notes,
) -> Chain {
    let val = security::http(m, app.reactive, span);
    let number = m.as_host(&val).map_or(0, |(_, number)| number);
    let actuator = build.starters.actuator;
    {
        let http = &mut m.host.change().https[number as usize];
        http.basic = Some(None);
        http.login = true;
        http.authorizes = Some((true, span));
        if actuator {
            http.cors = ChainCors::Enabled(span);
            http.rules.push(Rule {
                matchers: vec![Matcher {
                    pattern: PathPattern::parse("/actuator/health/**"),
                    ..Matcher::ANY
                }],
                access: Access::Permit,
                span,
            });
        }
        http.rules.push(Rule {
            matchers: Vec::new(),
            access: Access::Authenticated,
            span,
        });
    }
    chain(m, known, number, LOWEST, app, notes)
}

/// A chain from what its `HttpSecurity` was told.
fn chain(
    m: &mut Node<'_>,
    known: &Arc<Known>,
    number: u32,
    order: i64,
    app: &mut Application,
    notes: &mut Notes,
) -> Chain {
    let http = m.host.data.https[number as usize].clone();
    let mut links: Vec<(i32, Link)> = Vec::new();
    if let Some(link) = cors_link(m, known, &http, app, notes) {
        links.push((security::cors_place(), link));
    }
    if http.csrf {
        links.push((
            security::place_of("CsrfFilter"),
            Link::Csrf(Some(http.span)),
        ));
    }
    for (filter, beside, side, span) in &http.added {
        let place = security::place_of(beside) + i32::from(*side);
        if let Some(source) = source_of_filter(m, filter) {
            links.push((place, Link::Cors(source, Some(*span))));
        } else if let Some(class) = m.class_of(filter) {
            if speaks(m, class.span) {
                app.filters.retain(|known| known.span != class.name_span);
                links.push((place, Link::Hand(filter.clone(), class.name_span)));
            }
        } else if m.is_function(filter) && speaks(m, filter.span) {
            links.push((place, Link::Hand(filter.clone(), *span)));
        }
    }
    if let Some((strict, span)) = http.authorizes {
        let otherwise = if strict { Access::Deny } else { Access::Permit };
        let rules = http.rules.clone();
        links.push((i32::MAX, Link::Authorize(rules, otherwise, Some(span))));
    }
    links.sort_by_key(|(place, _)| *place);
    let entry = http.entry(m);
    Chain {
        matchers: http.matchers.clone(),
        links: links.into_iter().map(|(_, link)| link).collect(),
        entry,
        writers: http.writers.clone(),
        order,
        span: http.span,
        cors: http.cors,
    }
}

/// The CORS filter of a chain, if there is one (`CorsConfigurer`, `ServerHttpSecurity.CorsSpec`).
fn cors_link(
    m: &mut Node<'_>,
    known: &Arc<Known>,
    http: &Http,
    app: &mut Application,
    notes: &mut Notes,
) -> Option<Link> {
    let span = match http.cors {
        ChainCors::Disabled(_) => return None,
        ChainCors::Enabled(span) => Some(span),
        ChainCors::Absent => None,
    };
    let place = span.unwrap_or(http.span);
    if let Some(val) = &http.source {
        notes.used.push(val.span);
        let source = source_of(m, val);
        mark_used(m, known, val, notes);
        return Some(Link::Cors(source, Some(place)));
    }
    let sources = known.of_type(&["CorsConfigurationSource", "UrlBasedCorsConfigurationSource"]);
    if http.reactive {
        let [only] = sources.as_slice() else {
            return None;
        };
        notes.used.push(known.beans[*only].method.span);
        let val = beans::bean(m, *only)?;
        return Some(Link::Cors(source_of(m, &val), Some(place)));
    }
    if span.is_none() {
        let automatic = match m.host.versions.enables_cors_itself() {
            Automatic::Never => false,
            Automatic::OneSource => sources.len() == 1,
            Automatic::UrlBased => !known
                .of_type(&["UrlBasedCorsConfigurationSource"])
                .is_empty(),
        };
        if !automatic {
            return None;
        }
    }
    if let Some(at) = known.named("corsFilter") {
        let val = beans::bean(m, at);
        let source = val.as_ref().and_then(|val| source_of_filter(m, val));
        let wrong = val.is_some() && source.is_none() && known.beans[at].ty != "CorsFilter";
        if wrong {
            refuse_filter(app, &known.beans[at].ty, known.beans[at].method.name_span);
        }
        return Some(Link::Cors(source.unwrap_or(Source::Unknown), Some(place)));
    }
    if let Some(class) = known.component_named("corsFilter") {
        refuse_filter(app, &class.path, class.name_span);
        return None;
    }
    if let Some(at) = known.named("corsConfigurationSource") {
        notes.used.push(known.beans[at].method.span);
        let val = beans::bean(m, at);
        let source = val.map_or(Source::Unknown, |val| source_of(m, &val));
        return Some(Link::Cors(source, Some(place)));
    }
    if let Some(class) = known.component_named("corsConfigurationSource").cloned() {
        let val = component(m, &class);
        return Some(Link::Cors(source_of(m, &val), Some(place)));
    }
    if m.host.versions.answers_preflights_only() {
        return Some(Link::PreflightOnly(place));
    }
    Some(Link::Cors(Source::Mvc, Some(place)))
}

fn refuse_filter(app: &mut Application, ty: &str, span: Span) {
    let words = format!(
        "BeanNotOfRequiredTypeException: Bean named 'corsFilter' is expected to be of type \
         'org.springframework.web.filter.CorsFilter' but was actually of type '{ty}'"
    );
    app.refusal = Some((words, span));
}

/// Remembers that the bean behind a value is in use.
fn mark_used(m: &Node<'_>, known: &Known, val: &Val, notes: &mut Notes) {
    for bean in &known.beans {
        let made = m
            .host
            .data
            .beans
            .iter()
            .find(|(span, _)| *span == bean.method.span);
        if let Some((_, Some(made))) = made
            && made.as_id().is_some()
            && made.as_id() == val.as_id()
        {
            notes.used.push(bean.method.span);
        }
    }
}

/// A configuration that does not start by itself.
pub(super) fn refusal_of(m: &Node<'_>, cors: &Cors) -> Option<&'static str> {
    cors.refusal(m.host.versions)
}
