//! Functional endpoints: `RouterFunction`s, of Spring MVC and WebFlux alike
//! (`RouterFunctions`, `RequestPredicates`, `RouterFunctionBuilder`, Kotlin's `RouterFunctionDsl`).

use std::sync::Arc;

use super::beans::{self, Known};
use super::build::speaks;
use super::host::{Node, object, push, text_of};
use super::model::{Code, Handler};
use super::path::PathPattern;
use crate::limits::spring::functional::{MAX_PARTS, MAX_ROUTES};
use crate::source::Span;
use crate::syntax::jvm::ast::simple;
use crate::syntax::jvm::eval::heap::{ObjectKind, Val};
use crate::syntax::jvm::eval::{Call, Result};

/// What a request must have to be routed.
#[derive(Clone, Debug, Default)]
pub(super) struct Predicate {
    methods: Vec<String>,
    /// Written one after the other: those of the routes around come first.
    paths: Vec<String>,
    /// It asks for something else as well.
    unknown: bool,
}

/// One route.
#[derive(Clone, Debug)]
pub(super) struct Route {
    predicate: Predicate,
    handler: Option<Val>,
    span: Span,
}

const METHODS: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

fn router(m: &mut Node<'_>, routes: Vec<Route>, span: Span) -> Val {
    let number = push(&mut m.host.change().routers, routes);
    m.host_object(object::ROUTER, number, span)
}

fn predicate(m: &mut Node<'_>, predicate: Predicate, span: Span) -> Val {
    let number = push(&mut m.host.change().predicates, predicate);
    m.host_object(object::PREDICATE, number, span)
}

fn predicate_of(m: &Node<'_>, val: &Val) -> Predicate {
    match m.as_host(val) {
        Some((object::PREDICATE, number)) => m.host.data.predicates[number as usize].clone(),
        _ => Predicate {
            unknown: true,
            ..Predicate::default()
        },
    }
}

/// The routes of a router; what it costs to copy them is paid.
fn routes_of(m: &mut Node<'_>, val: &Val) -> Result<Vec<Route>> {
    let Some((object::ROUTER, number)) = m.as_host(val) else {
        return Ok(Vec::new());
    };
    let data = Arc::clone(&m.host.data);
    let routes = &data.routers[number as usize];
    let size: usize = routes.iter().map(|route| 1 + route.predicate.size()).sum();
    m.pay(16 * size)?;
    Ok(routes.clone())
}

impl Predicate {
    fn of_path(m: &Node<'_>, val: &Val) -> Self {
        let text = text_of(m, val);
        Self {
            unknown: text.is_none(),
            paths: text.into_iter().collect(),
            ..Self::default()
        }
    }

    fn and(mut self, other: &Self) -> Self {
        if self.size() + other.size() > MAX_PARTS {
            return Self {
                unknown: true,
                ..Self::default()
            };
        }
        self.methods.extend(other.methods.iter().cloned());
        self.paths.extend(other.paths.iter().cloned());
        self.unknown |= other.unknown;
        self
    }

    /// How many methods and paths it is made of.
    const fn size(&self) -> usize {
        self.methods.len() + self.paths.len()
    }

    fn pattern(&self) -> Option<PathPattern> {
        let parts = self.paths.iter().map(|path| {
            let path = path.trim_end_matches('/');
            if path.is_empty() || path.starts_with('/') {
                path.to_owned()
            } else {
                format!("/{path}")
            }
        });
        let path: String = parts.collect();
        PathPattern::parse(if path.is_empty() { "/" } else { &path })
    }
}

/// Static methods of `RouterFunctions` and `RequestPredicates`, and Kotlin's `router { }`.
pub(super) fn foreign_call(m: &mut Node<'_>, path: &str, call: &Call<'_>) -> Option<Result<Val>> {
    let span = call.span;
    let class = simple(path);
    let kotlin = path.ends_with("web.servlet.function") || path.ends_with("function.server");
    match (class, call.method, call.args) {
        (_, "router" | "coRouter", [block]) if kotlin => {
            let made = router(m, Vec::new(), span);
            let args = [made.clone()];
            Some(
                m.call_function(block, Some(&made), &args, span)
                    .map(|_| made),
            )
        }
        ("RouterFunctions", "route", []) => Some(Ok(router(m, Vec::new(), span))),
        ("RouterFunctions", "route" | "nest", [condition, inner]) => {
            let condition = predicate_of(m, condition);
            let routes = if call.method == "route" {
                vec![Route {
                    predicate: condition,
                    handler: Some(inner.clone()),
                    span: call.name_span.to(span),
                }]
            } else {
                match nested(m, &condition, inner) {
                    Ok(routes) => routes,
                    Err(end) => return Some(Err(end)),
                }
            };
            Some(Ok(router(m, routes, span)))
        }
        ("RequestPredicates", name, args) => {
            let found = match (name, args) {
                (name, [path]) if METHODS.contains(&name) => Predicate {
                    methods: vec![name.to_owned()],
                    ..Predicate::of_path(m, path)
                },
                ("path", [path]) => Predicate::of_path(m, path),
                ("method", [method]) => Predicate {
                    methods: method
                        .as_foreign()
                        .map(|path| simple(path).to_owned())
                        .into_iter()
                        .collect(),
                    unknown: method.as_foreign().is_none(),
                    ..Predicate::default()
                },
                ("all", []) => Predicate {
                    paths: vec!["/**".into()],
                    ..Predicate::default()
                },
                // Media types and the like: of equal paths, each may serve.
                ("accept" | "contentType" | "version", _) => Predicate::default(),
                _ => Predicate {
                    unknown: true,
                    ..Predicate::default()
                },
            };
            Some(Ok(predicate(m, found, span)))
        }
        _ => None,
    }
}

/// The routes of a router with what stands around it.
fn nested(m: &mut Node<'_>, around: &Predicate, router: &Val) -> Result<Vec<Route>> {
    let routes = routes_of(m, router)?;
    m.pay(16 * routes.len() * around.size())?;
    let nested = routes.into_iter().map(|route| Route {
        predicate: around.clone().and(&route.predicate),
        ..route
    });
    Ok(nested.collect())
}

/// A call on a predicate.
pub(super) fn predicate_call(m: &mut Node<'_>, number: u32, call: &Call<'_>) -> Val {
    let this = m.host.data.predicates[number as usize].clone();
    let found = match (call.method, call.args) {
        ("and", [other]) => this.and(&predicate_of(m, other)),
        _ => Predicate {
            unknown: true,
            ..this
        },
    };
    predicate(m, found, call.span)
}

/// A call on a router or its builder, which are one here.
pub(super) fn router_call(m: &mut Node<'_>, number: u32, call: &Call<'_>) -> Result<Val> {
    let at = number as usize;
    let span = call.name_span.to(call.span);
    let add = |m: &mut Node<'_>, routes: Vec<Route>| {
        let known = &mut m.host.change().routers[at];
        if known.len() < MAX_ROUTES {
            known.extend(routes);
        }
    };
    match (call.method, call.args) {
        (name, [path, rest @ ..]) if METHODS.contains(&name) => {
            let mut condition = Predicate {
                methods: vec![name.to_owned()],
                ..Predicate::of_path(m, path)
            };
            if let [other, _] = rest {
                condition = condition.and(&predicate_of(m, other));
            }
            let route = Route {
                predicate: condition,
                handler: rest.last().cloned(),
                span,
            };
            add(m, vec![route]);
        }
        ("route" | "andRoute", [condition, handler]) => {
            let route = Route {
                predicate: predicate_of(m, condition),
                handler: Some(handler.clone()),
                span,
            };
            add(m, vec![route]);
        }
        ("path" | "nest" | "andNest", [condition, inner]) => {
            let condition = match text_of(m, condition) {
                Some(_) => Predicate::of_path(m, condition),
                None => predicate_of(m, condition),
            };
            let inner = if m.is_function(inner) {
                let made = router(m, Vec::new(), span);
                let args = [made.clone()];
                let given = m.call_function(inner, Some(&made), &args, span)?;
                // A supplier gives the router, a consumer fills it.
                if m.as_host(&given).is_some() {
                    given
                } else {
                    made
                }
            } else {
                inner.clone()
            };
            let routes = nested(m, &condition, &inner)?;
            add(m, routes);
        }
        ("add" | "and" | "andOther", [other]) => {
            let routes = routes_of(m, other)?;
            add(m, routes);
        }
        _ => {}
    }
    Ok(call.receiver.clone())
}

/// Every route of the application's `RouterFunction` beans.
pub(super) fn handlers(m: &mut Node<'_>, known: &Arc<Known>) -> Vec<Handler> {
    let mut handlers = Vec::new();
    // Kotlin may leave the type of a bean to the call that makes it.
    for at in known.of_type(&["RouterFunction", "router", "coRouter"]) {
        let Some(val) = beans::bean(m, at) else {
            continue;
        };
        for route in routes_of(m, &val).unwrap_or_default() {
            let Some(pattern) = route.predicate.pattern() else {
                continue;
            };
            if route.predicate.unknown && route.predicate.paths.is_empty() {
                continue;
            }
            let code = route
                .handler
                .filter(|handler| speaks(m, code_span(m, handler)));
            handlers.push(Handler {
                patterns: vec![pattern],
                methods: route.predicate.methods,
                cors: None,
                span: route.span,
                reads: Vec::new(),
                code: code.map(Code::Function),
                has_body: false,
            });
        }
    }
    handlers
}

/// Where the code of a function, or of an object of the project, stands.
pub(super) fn code_span(m: &Node<'_>, handler: &Val) -> Span {
    let kind = m.object(handler).map(|object| &object.kind);
    if let Some(ObjectKind::Reference(Some(of), name, _)) = kind
        && let Some(class) = m.class_of(of)
        && let Some((_, method)) = m.program().method(&class, name, None, None)
    {
        return method.span;
    }
    match kind {
        Some(ObjectKind::Lambda(lambda, _)) => lambda.span,
        _ => m.class_of(handler).map_or(handler.span, |class| class.span),
    }
}
