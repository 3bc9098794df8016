//! Routes of Spring Cloud Gateway that code makes: `RouteLocatorBuilder`, and Kotlin's language for it.
//!
//! Facts: spring-cloud-gateway-server (`RouteLocatorBuilder`, `BooleanSpec`, `GatewayFilterSpec`,
//! `RouteLocatorDsl.kt`).

use std::sync::Arc;

use super::beans::{self, Known};
use super::gateway::{Said, request_filter, response_filter};
use super::host::{Node, entries, object, push, text_of};
use super::model::{Application, Gateway, GatewayRoute, ResponseFilter};
use super::path::PathPattern;
use crate::limits::spring::functional::MAX_ROUTES;
use crate::source::Span;
use crate::syntax::jvm::ast::simple;
use crate::syntax::jvm::eval::heap::Val;
use crate::syntax::jvm::eval::{Call, Result};

/// A route as far as it is made.
#[derive(Clone, Debug)]
pub(super) struct Route {
    patterns: Vec<PathPattern>,
    methods: Vec<String>,
    /// Its paths are not all in view.
    open: bool,
    filters: Vec<ResponseFilter>,
    said: Vec<Said>,
    span: Span,
}

/// The bean that routes are made with.
pub(super) fn builder(m: &mut Node<'_>, span: Span) -> Val {
    m.host_object(object::LOCATOR, 0, span)
}

/// `routes()`, `route(…)`, and what stands in a route.
pub(super) fn call(m: &mut Node<'_>, kind: u16, number: u32, call: &Call<'_>) -> Result<Val> {
    match kind {
        object::LOCATOR => builder_call(m, call)?,
        object::ROUTE => route_call(m, number as usize, call)?,
        _ => filter_call(m, number as usize, call),
    }
    Ok(call.receiver.clone())
}

/// Calls the blocks among the arguments.
fn run_blocks(m: &mut Node<'_>, receiver: &Val, call: &Call<'_>) -> Result<()> {
    for arg in call.args {
        if m.is_function(arg) {
            let args = std::slice::from_ref(receiver);
            m.call_function(arg, Some(receiver), args, call.span)?;
        }
    }
    Ok(())
}

fn builder_call(m: &mut Node<'_>, call: &Call<'_>) -> Result<()> {
    match call.method {
        "routes" => run_blocks(m, &call.receiver.clone(), call),
        "route" => {
            let route = Route {
                patterns: Vec::new(),
                methods: Vec::new(),
                open: false,
                filters: Vec::new(),
                said: Vec::new(),
                span: call.name_span.to(call.span),
            };
            let number = push(&mut m.host.change().routes, route);
            let route = m.host_object(object::ROUTE, number, call.span);
            run_blocks(m, &route, call)
        }
        _ => Ok(()),
    }
}

fn route_call(m: &mut Node<'_>, at: usize, call: &Call<'_>) -> Result<()> {
    match call.method {
        "path" => {
            let texts = entries(m, call.args, call.open);
            let paths = texts.items.iter().filter(|item| item.text.starts_with('/'));
            let paths: Vec<Option<PathPattern>> =
                paths.map(|item| PathPattern::parse(&item.text)).collect();
            let flags = call.args.iter().any(|arg| arg.as_bool().is_some());
            let route = &mut m.host.change().routes[at];
            route.open |= (texts.open && !flags) || paths.iter().any(Option::is_none);
            route.patterns.extend(paths.into_iter().flatten());
        }
        "method" => {
            let (vals, _) = m.flattened(call.args);
            let names = vals.iter().filter_map(|val| {
                let text = val.as_foreign().map(|path| simple(path).to_owned());
                text.or_else(|| text_of(m, val))
            });
            let names: Vec<String> = names.collect();
            m.host.change().routes[at].methods.extend(names);
        }
        // What else leads to the route, or away from it.
        "or" | "not" | "negate" | "predicate" | "asyncPredicate" => {
            m.host.change().routes[at].open = true;
        }
        "filters" => {
            let number = u32::try_from(at).unwrap_or(u32::MAX);
            let filters = m.host_object(object::ROUTE_FILTERS, number, call.span);
            return run_blocks(m, &filters, call);
        }
        _ => {}
    }
    Ok(())
}

fn filter_call(m: &mut Node<'_>, at: usize, call: &Call<'_>) {
    let text = |val: Option<&Val>| val.and_then(|val| text_of(m, val));
    let Some(first) = text(call.args.first()) else {
        return;
    };
    let second = text(call.args.get(1));
    // The names in property files begin with a capital.
    let mut name = call.method.to_owned();
    if let Some(initial) = name.get_mut(..1) {
        initial.make_ascii_uppercase();
    }
    let span = call.name_span.to(call.span);
    let filter = response_filter(&name, &first, second.as_deref(), span);
    let said = request_filter(&name, &first, second.as_deref(), span);
    let route = &mut m.host.change().routes[at];
    route.filters.extend(filter);
    route.said.extend(said);
}

/// Adds what the `RouteLocator` beans make to the gateway.
pub(super) fn apply(m: &mut Node<'_>, known: &Arc<Known>, app: &mut Application) -> Vec<Said> {
    let mut said = Vec::new();
    let beans = known.of_type(&["RouteLocator", "RouteDefinitionLocator"]);
    if beans.is_empty() {
        return said;
    }
    app.reactive = true;
    let mut gateway = app.gateway.take().unwrap_or_else(|| Gateway {
        mappings: Vec::new(),
        simple: false,
        routes: Vec::new(),
        open: false,
        span: app.place,
    });
    for at in beans {
        let before = m.host.data.routes.len();
        let made = beans::bean(m, at);
        let built = made.is_some_and(|val| matches!(m.as_host(&val), Some((object::LOCATOR, _))));
        let routes: Vec<Route> = m.host.data.routes.iter().skip(before).cloned().collect();
        gateway.open |= !built || routes.is_empty() || routes.len() > MAX_ROUTES;
        for route in routes.into_iter().take(MAX_ROUTES) {
            // Without a path, the other conditions decide.
            gateway.open |= route.open || route.patterns.is_empty();
            said.extend(route.said);
            for pattern in route.patterns {
                gateway.routes.push(GatewayRoute {
                    pattern,
                    methods: route.methods.clone(),
                    filters: route.filters.clone(),
                    span: route.span,
                });
            }
        }
    }
    app.gateway = Some(gateway);
    said
}
