//! Spring Security's filter chains: which there are, and whether they handle CORS.

use std::sync::Arc;

use super::beans::{self, Known, Order};
use super::build::{LOWEST, Notes, acts, component, is_code, program, source_of, source_of_filter};
use super::functional;
use super::host::{Node, object};
use super::model::{
    Access, Application, Chain, ChainCors, Entry, Filter, Link, Matcher, Rule, Source, What,
};
use super::path::PathPattern;
use super::properties;
use super::security::{self, Http};
use super::version::Automatic;
use super::xml::Documents;
use crate::frameworks::boot::Build;
use crate::model::Known as Fact;
use crate::source::Span;
use crate::syntax::jvm::ast::Class;
use crate::syntax::jvm::eval::heap::Val;

/// Where Boot puts Spring Security.
const SECURITY_ORDER: Order = Fact::Known(-100);

/// Where the settings put it; they move the servlet filter only.
fn security_order(m: &Node<'_>, app: &Application) -> Order {
    if let Some(order) = app.security_order {
        return Fact::Known(order);
    }
    match m.host.settings.get("spring.security.filter.order") {
        Some(value) if !app.reactive => properties::text(&value)
            .and_then(|text| text.trim().parse().ok())
            .into(),
        _ => SECURITY_ORDER,
    }
}

/// Spring Security's chains.
pub(super) fn apply(
    m: &mut Node<'_>,
    known: &Arc<Known>,
    build: &Build,
    documents: &Documents,
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
        let order = beans::order_of(m, &class.annotations).unwrap_or(Fact::Known(100));
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
    let mut beans = known.of_type(&[
        "SecurityFilterChain",
        "SecurityWebFilterChain",
        "DefaultSecurityFilterChain",
    ]);
    let unclear = (0..known.beans.len()).filter(|at| beans::may_be_chain(&known.beans[*at]));
    beans.extend(unclear);
    beans.sort_unstable();
    beans.dedup();
    for at in beans {
        present = true;
        let bean = known.beans[at].clone();
        let order = beans::order_of(m, &bean.method.annotations).unwrap_or(LOWEST);
        let val = beans::bean(m, at);
        let number = val.as_ref().and_then(|val| m.as_host(val));
        match number {
            Some((object::CHAIN, number)) => {
                chains.push(chain(m, known, number, order, app, notes));
            }
            _ => chains.push(unknown_chain(bean.method.name_span, order)),
        }
    }
    for at in known.of_type(&["WebSecurityCustomizer"]) {
        if let Some(val) = beans::bean(m, at) {
            let web = m.host_object(object::WEB, 0, val.span);
            let _ = m.call_function(&val, Some(&web), std::slice::from_ref(&web), val.span);
        }
    }
    if let Some(span) = documents.security() {
        present = true;
        chains.push(unknown_chain(span, LOWEST));
    }
    let kotlin_or_unseen = known.components.iter().any(|class| {
        class.annotation("EnableWebSecurity").is_some()
            || class.annotation("EnableWebFluxSecurity").is_some()
    });
    // Spring Boot makes a chain where there is none.
    let boot = build.boot.is_some()
        || known
            .classes
            .iter()
            .any(|class| class.annotation("SpringBootApplication").is_some());
    if !present && app.security_order.is_some() {
        chains.push(unknown_chain(app.place, LOWEST));
        present = true;
    } else if !present && boot && build.starters.security && !kotlin_or_unseen {
        chains.push(default_chain(m, known, build, app.place, app, notes));
        present = true;
    }
    let ignored = m.host.data.ignored.clone();
    chains.sort_by_key(|chain| chain.order.known());
    if let [_, .., last] = chains.as_slice()
        && chains.iter().any(|chain| chain.order == Fact::Unknown)
    {
        // Which of them is asked first is not in view.
        let span = last.span;
        chains.insert(0, unknown_chain(span, Fact::Unknown));
    }
    if !ignored.is_empty() {
        chains.insert(
            0,
            Chain {
                matchers: ignored,
                links: Vec::new(),
                entry: Entry::SendError(403),
                writers: Vec::new(),
                order: Fact::Known(i64::MIN),
                span: app.place,
                cors: ChainCors::Absent,
                by_token: false,
            },
        );
    }
    if present {
        app.filters.push(Filter {
            what: What::Security,
            order: security_order(m, app),
            patterns: Vec::new(),
            span: app.place,
        });
    }
    app.chains = chains;
}

/// A chain whose making is not in view.
fn unknown_chain(span: Span, order: Order) -> Chain {
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
        by_token: false,
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
    super::customizers::apply(m, &val);
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
    order: Order,
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
        } else if is_code(m, filter) && acts(m, functional::code_span(m, filter)) {
            let class = m.class_of(filter);
            let span = class.map_or(*span, |class| class.name_span);
            app.filters.retain(|known| known.span != span);
            links.push((place, Link::Hand(filter.clone(), span)));
        }
    }
    if let Some((strict, span)) = http.authorizes {
        let otherwise = if strict { Access::Deny } else { Access::Permit };
        let rules = http.rules.clone();
        links.push((i32::MAX, Link::Authorize(rules, otherwise, Some(span))));
    }
    links.sort_by_key(|(place, _)| *place);
    let entry = http.entry(m);
    let by_token = http.bearer.is_some() || reads_tokens(m, &http);
    Chain {
        matchers: http.matchers.clone(),
        links: links.into_iter().map(|(_, link)| link).collect(),
        entry,
        writers: http.writers.clone(),
        order,
        span: http.span,
        cors: http.cors,
        by_token,
    }
}

/// Does a filter of the project, added to a chain, read the `Authorization` header?
fn reads_tokens(m: &Node<'_>, http: &Http) -> bool {
    const WORDS: [&str; 3] = [
        "\"Authorization\"",
        "\"authorization\"",
        "HttpHeaders.AUTHORIZATION",
    ];
    http.added.iter().any(|(filter, ..)| {
        let place = m.class_of(filter).map_or(filter.span, |class| class.span);
        let text = m.source(place);
        WORDS.iter().any(|word| text.contains(word))
    })
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
        let val = only_source(m, known, notes)?;
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

/// `ServerHttpSecurity.getBeanOrNull`: the bean that is a `CorsConfigurationSource`, if it is the only
/// one.
fn only_source(m: &mut Node<'_>, known: &Known, notes: &mut Notes) -> Option<Val> {
    const TYPES: [&str; 2] = ["CorsConfigurationSource", "UrlBasedCorsConfigurationSource"];
    let program = program(m);
    let is_source = |class: &Arc<Class>| program.is_a(class, TYPES[0], None);
    let mut beans = (0..known.beans.len()).filter(|at| {
        let bean = &known.beans[*at];
        TYPES.contains(&bean.ty.as_str())
            || program
                .class_at(bean.method.span, &bean.ty, None)
                .is_some_and(|class| is_source(&class))
    });
    let mut components = known.components.iter().filter(|class| is_source(class));
    match (beans.next(), components.next()) {
        (Some(bean), None) if beans.next().is_none() => {
            notes.used.push(known.beans[bean].method.span);
            beans::bean(m, bean)
        }
        (None, Some(class)) if components.next().is_none() => Some(component(m, class)),
        _ => None,
    }
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
