//! From classes, beans and properties to an application in one world.

use std::sync::{Arc, PoisonError};

use super::beans::{self, Known, Order};
use super::cookies::Bound;
use super::exchange::Policy;
use super::gateway::Said;
use super::host::{FilterBean, Node, Registered, entries, object, push, servlet_pattern, text_of};
use super::model::{Application, ChainCors, Filter, Link, Mapping, Source, What, put};
use super::path::PathPattern;
use super::properties;
use super::xml::{self, Documents};
use super::{chains, controllers, cookies, functional, interceptors, locator};
use crate::frameworks::boot::{self, Build};
use crate::model::Known as Fact;
use crate::source::Span;
use crate::syntax::jvm::ast::{Annotation, Class, ExprKind, Method, simple};
use crate::syntax::jvm::eval::heap::Val;
use crate::syntax::jvm::program::Program;

pub(super) const LOWEST: Order = Fact::Known(i32::MAX as i64);

/// What reading learned beside the application itself.
#[derive(Clone, Debug, Default)]
pub(super) struct Notes {
    /// Configurations that nothing applies: the place, its name, why.
    pub(super) unattached: Vec<(Span, String, String, Option<Span>)>,
    /// `CorsConfigurationSource` beans that some chain or filter uses.
    pub(super) used: Vec<Span>,
    /// Keys that no property has: the place, the name, what was meant.
    pub(super) unknown_keys: Vec<(Span, String, Option<String>)>,
    /// Prefixes of properties that are read no more: the place, the prefix, why.
    pub(super) renamed: Vec<(Span, String, String)>,
    /// What the gateway tells the services behind it.
    pub(super) said: Vec<Said>,
    /// Cookies that browsers keep from pages of other sites.
    pub(super) bound: Vec<Bound>,
}

/// Runs what a container would run, and collects what came of it.
pub(super) fn application(
    m: &mut Node<'_>,
    known: &Arc<Known>,
    build: &Build,
    documents: &Documents,
    place: Span,
    notes: &mut Notes,
) -> Application {
    let mut app = Application::empty(place, m.host.versions);
    app.reactive = known.reactive;
    app.boot = documents.container().is_none() || build.boot.is_some();
    registries(m, known, &mut app, notes);
    xml::mappings(m, documents, &mut app);
    app.handlers = controllers::handlers(m, known, &mut app.refusal);
    app.handlers.extend(functional::handlers(m, known));
    app.interceptors = interceptors::registered(m);
    app.advices = interceptors::advices(m, known);
    properties::apply(m, build, &mut app, notes);
    notes.said.extend(locator::apply(m, known, &mut app));
    filters(m, known, &mut app);
    web_filters(m, known, build, &mut app, notes);
    if !app.boot {
        xml::filters(m, known, documents, &mut app);
    }
    chains::apply(m, known, build, documents, &mut app, notes);
    in_order(&mut app);
    sockets(m, known);
    notes.bound = cookies::bound(m, known);
    unattached(m, known, &app, notes);
    if xml::hides(m, documents) {
        hide(&mut app, notes);
    }
    if let Some((words, span)) = m.host.data.refusals.first() {
        app.refusal = Some((words.clone(), *span));
    }
    app
}

/// Parts of the application are not in view: what nobody seems to apply may be applied there, and a
/// filter may stand there that decides about everything.
pub(super) fn hide(app: &mut Application, notes: &mut Notes) {
    notes.unattached.clear();
    cover(app);
}

/// Nothing is known of what the filters make of a request.
fn cover(app: &mut Application) {
    let outermost = Filter {
        what: What::Cors(Source::Unknown),
        order: Fact::Known(i64::MIN),
        patterns: Vec::new(),
        span: app.place,
    };
    app.filters.insert(0, outermost);
}

/// Puts the filters in their order.
fn in_order(app: &mut Application) {
    // Those that are not known come last, as those without any do.
    let last = i64::from(i32::MAX);
    app.filters
        .sort_by_key(|filter| filter.order.known().unwrap_or(last));
    let mut orders = app.filters.iter().map(|filter| filter.order);
    if app.filters.len() > 1 && orders.any(|order| order == Fact::Unknown) {
        cover(app);
    }
}

/// A place where the container makes the object of a class.
pub(super) fn component(m: &mut Node<'_>, class: &Arc<Class>) -> Val {
    boot::bean_of_class(m, class, class.name_span)
}

pub(super) fn program(m: &Node<'_>) -> Arc<Program> {
    Arc::clone(m.program())
}

fn method(m: &Node<'_>, class: &Arc<Class>, name: &str) -> Option<(Arc<Class>, Arc<Method>)> {
    let found = program(m).method(class, name, None, m.sources());
    found.filter(|(_, method)| method.body.is_some())
}

/// Annotations that make no controller of a class.
const HARMLESS: [&str; 12] = [
    "Slf4j",
    "Log4j2",
    "RequiredArgsConstructor",
    "AllArgsConstructor",
    "ComponentScan",
    "EntityScan",
    "MapperScan",
    "ServletComponentScan",
    "Transactional",
    "Order",
    "Import",
    "SuppressWarnings",
];

const CONFIGURERS: [&str; 5] = [
    "WebMvcConfigurer",
    "WebMvcConfigurerAdapter",
    "WebFluxConfigurer",
    "WebMvcConfigurationSupport",
    "DelegatingWebMvcConfiguration",
];

/// Does a class configure Spring MVC or WebFlux?
pub(super) fn is_configurer(m: &Node<'_>, class: &Arc<Class>) -> bool {
    CONFIGURERS
        .iter()
        .any(|name| m.program().is_a(class, name, None))
}

/// Everything that `addCorsMappings` registers.
fn registries(m: &mut Node<'_>, known: &Arc<Known>, app: &mut Application, notes: &mut Notes) {
    let program = program(m);
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
        if is_configurer(m, class) && !class.is_abstract {
            instances.push((component(m, class), Arc::clone(class)));
        }
    }
    let of_bean = |ty: &str| CONFIGURERS.contains(&ty);
    for at in 0..known.beans.len() {
        let bean = &known.beans[at];
        let own = program.class_at(bean.method.span, &bean.ty, None);
        if !of_bean(&bean.ty) && !own.is_some_and(|class| is_configurer(m, &class)) {
            continue;
        }
        if let Some(val) = beans::bean(m, at)
            && let Some(class) = m.class_of(&val)
        {
            instances.push((val, class));
        }
    }
    for (instance, class) in instances {
        if let Some((owner, method)) = method(m, &class, "addInterceptors") {
            let registry = m.host_object(object::INTERCEPTORS, 0, method.span);
            // What it throws half-way leaves what was registered before.
            let _ = m.invoke(&instance, &owner, &method, &[registry], method.span);
        }
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
        add_registered(m, registry, &mut app.global);
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
    dead_annotations(m, known, notes);
    for class in &known.classes {
        let configures = is_configurer(m, class) && class.method("addCorsMappings").is_some();
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

/// `@CrossOrigin` on classes in which Spring looks for no handlers.
fn dead_annotations(m: &Node<'_>, known: &Arc<Known>, notes: &mut Notes) {
    const NO_CONTROLLERS: [&str; 8] = [
        "SpringBootApplication",
        "Configuration",
        "Service",
        "Component",
        "Repository",
        "EnableWebSecurity",
        "ControllerAdvice",
        "RestControllerAdvice",
    ];
    let program = program(m);
    for class in &known.classes {
        let Some(annotation) = class.annotation("CrossOrigin") else {
            continue;
        };
        let stereotyped = NO_CONTROLLERS
            .iter()
            .any(|name| class.annotation(name).is_some());
        let others = class.annotations.iter().map(|other| simple(&other.name));
        // An annotation of somebody else may make a controller of it.
        let mut others = others.filter(|name| *name != "CrossOrigin");
        let plain = others.all(|name| {
            NO_CONTROLLERS.contains(&name) || name.starts_with("Enable") || HARMLESS.contains(&name)
        });
        let maps = class.methods.iter().any(|method| {
            let mut annotations = method.annotations.iter();
            annotations.any(|annotation| simple(&annotation.name).ends_with("Mapping"))
        });
        let extended = program.descendants(&class.name, m.sources()).len() > 1;
        let has_parents = class.superclass.is_some() || !class.interfaces.is_empty();
        if stereotyped && plain && !maps && !extended && !has_parents && !class.is_abstract {
            notes.unattached.push((
                annotation.span,
                "@CrossOrigin".into(),
                "the class is no controller, and Spring reads the annotation on those only".into(),
                None,
            ));
        }
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
        let mut mappings = Vec::new();
        add_registered(m, registry, &mut mappings);
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
fn add_registered(m: &Node<'_>, registry: u32, mappings: &mut Vec<Mapping>) {
    let data = &m.host.data;
    let numbers = data.registries[registry as usize].iter();
    let registered = numbers.filter_map(|number| data.registrations.get(*number as usize));
    add(m, registered, mappings);
}

fn add<'r>(
    m: &Node<'_>,
    registered: impl Iterator<Item = &'r Registered>,
    mappings: &mut Vec<Mapping>,
) {
    for registered in registered {
        let mapping = mapping(m, registered);
        match registered.pattern {
            Some(_) => put(mappings, mapping),
            None => mappings.push(mapping),
        }
    }
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
            let mut mappings = Vec::new();
            add(m, entries, &mut mappings);
            Source::Map(mappings)
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
pub(super) fn source_of_filter(m: &Node<'_>, val: &Val) -> Option<Source> {
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
fn filters(m: &mut Node<'_>, known: &Arc<Known>, app: &mut Application) {
    // Without Spring Boot only `web.xml` names filters.
    if !app.boot {
        return;
    }
    let program = program(m);
    for class in &known.components {
        if FILTERS.iter().any(|name| program.is_a(class, name, None)) && acts(m, class.span) {
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
        let place = bean.method.name_span;
        let val = match bean.method.annotation("FilterRegistration").cloned() {
            Some(annotation) => registered(m, &annotation, val, place),
            None => val,
        };
        filter_bean(m, &val, order, place, app);
    }
}

/// The registration that `@FilterRegistration` (Spring Boot 3.5) makes of a filter.
fn registered(m: &mut Node<'_>, annotation: &Annotation, filter: Val, span: Span) -> Val {
    let order = annotation.arg("order").is_some();
    let order = order.then(|| m.annotation(annotation, "order"));
    let order = order.map(|val| beans::number(&val?));
    let patterns = m.annotation(annotation, "urlPatterns");
    let (patterns, _) = m.flattened(patterns.as_slice());
    let patterns = patterns.iter().filter_map(|val| text_of(m, val));
    let enabled = annotation.arg("enabled");
    let registration = FilterBean {
        filter: Some(filter),
        order: order.map(Into::into),
        patterns: patterns.filter_map(|text| servlet_pattern(&text)).collect(),
        enabled: enabled.is_none_or(|arg| !matches!(arg.value.kind, ExprKind::Bool(false))),
        span,
    };
    let number = push(&mut m.host.change().filter_beans, registration);
    m.host_object(object::FILTER_BEAN, number, span)
}

/// Filters of the container's own annotation.
fn web_filters(
    m: &mut Node<'_>,
    known: &Arc<Known>,
    build: &Build,
    app: &mut Application,
    notes: &mut Notes,
) {
    let program = program(m);
    // A container that is given a WAR looks for them itself.
    let scanned = !app.boot
        || known.classes.iter().any(|class| {
            class.annotation("ServletComponentScan").is_some()
                || program.is_a(class, "SpringBootServletInitializer", None)
        });
    for class in &known.classes {
        let Some(annotation) = class.annotation("WebFilter").cloned() else {
            continue;
        };
        let is_filter = FILTERS.iter().any(|name| program.is_a(class, name, None));
        if !is_filter
            || beans::is_component(&program, class)
            || !acts(m, class.span)
            || app
                .filters
                .iter()
                .any(|known| known.span == class.name_span)
        {
            continue;
        }
        if scanned {
            let val = ["value", "urlPatterns"]
                .iter()
                .find_map(|name| m.annotation(&annotation, name));
            let texts = val.map(|val| entries(m, &[val], false)).unwrap_or_default();
            let patterns = texts.items.iter().filter(|item| item.text != "/*");
            let patterns = patterns.filter_map(|item| servlet_pattern(&item.text));
            let patterns = patterns.collect();
            let instance = component(m, class);
            app.filters.push(Filter {
                what: What::Hand(instance),
                order: LOWEST,
                patterns,
                span: class.name_span,
            });
        } else if build.boot.is_some()
            && known
                .classes
                .iter()
                .any(|class| class.annotation("SpringBootApplication").is_some())
            && !is_named_elsewhere(m, known, class)
        {
            notes.unattached.push((
                class.name_span,
                class.name.to_string(),
                "Spring Boot looks for `@WebFilter` only where `@ServletComponentScan` says so"
                    .into(),
                None,
            ));
        }
    }
}

pub(super) fn filter_bean(
    m: &mut Node<'_>,
    val: &Val,
    order: Option<Order>,
    span: Span,
    app: &mut Application,
) {
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
        let order = order.unwrap_or(LOWEST);
        if let Some(source) = source_of_filter(m, &filter) {
            app.filters.push(Filter {
                what: What::Cors(source),
                order,
                patterns,
                span,
            });
        } else if is_code(m, &filter) && acts(m, functional::code_span(m, &filter)) {
            let class = m.class_of(&filter);
            let span = class.map_or(span, |class| class.name_span);
            // A component that is registered by hand stands where the registration says.
            app.filters.retain(|known| known.span != span);
            app.filters.push(Filter {
                what: What::Hand(filter),
                order,
                patterns,
                span,
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
    let code = functional::code_span(m, val);
    let known = app.filters.iter().any(|known| known.span == code);
    if is_code(m, val) && acts(m, code) && !known {
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

/// Is it a function, or an object of a class of the project?
pub(super) fn is_code(m: &Node<'_>, val: &Val) -> bool {
    m.is_function(val) || m.class_of(val).is_some()
}

/// Can code at a place change what is sent?
pub(super) fn speaks(m: &Node<'_>, span: Span) -> bool {
    const WORDS: &[&str] = &[
        "Access-Control",
        "access-control",
        "ACCESS_CONTROL",
        "setAccessControl",
        // Kotlin's names of the same.
        "accessControlAllow",
        "accessControlExpose",
        "accessControlMaxAge",
        "\"OPTIONS\"",
        "HttpMethod.OPTIONS",
        "CorsUtils",
        "SC_UNAUTHORIZED",
        "SC_FORBIDDEN",
    ];
    says(m, span, WORDS)
}

/// Can a filter at a place answer by itself, or change what is sent?
pub(super) fn acts(m: &Node<'_>, span: Span) -> bool {
    const WORDS: &[&str] = &[
        "sendError(",
        "setStatus(",
        "setStatusCode(",
        "setRawStatusCode(",
        // Kotlin's names of the same.
        ".status = ",
        ".statusCode = ",
        ".rawStatusCode = ",
        "UNAUTHORIZED",
        "FORBIDDEN",
    ];
    speaks(m, span) || says(m, span, WORDS)
}

/// Does code at a place have one of these words?
fn says(m: &Node<'_>, span: Span, words: &'static [&'static str]) -> bool {
    let known = Arc::clone(&m.host.known);
    let speaking = known.speaking.lock();
    let mut speaking = speaking.unwrap_or_else(PoisonError::into_inner);
    *speaking.entry((span, words)).or_insert_with(|| {
        let text = m.source(span);
        words.iter().any(|word| text.contains(word))
    })
}
