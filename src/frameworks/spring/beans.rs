//! What a container would make: bean methods, components, and who gets them.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex};

use super::customizers;
use super::deployment::Deployment;
use super::host::Node;
use super::locator;
use super::security;
use crate::frameworks::boot;
use crate::source::Span;
use crate::syntax::jvm::ast::{
    Annotation, Body, Class, ClassKind, Expr, ExprKind, Method, Stmt, annotation, simple,
};
use crate::syntax::jvm::eval::heap::Val;
use crate::syntax::jvm::eval::{Injection, Result};
use crate::syntax::jvm::program::Program;

/// Annotations that make a class a bean.
const STEREOTYPES: [&str; 14] = [
    "Component",
    "Configuration",
    "AutoConfiguration",
    "Service",
    "Repository",
    "Controller",
    "RestController",
    "ControllerAdvice",
    "RestControllerAdvice",
    "SpringBootApplication",
    "SpringBootConfiguration",
    "EnableWebSecurity",
    "EnableWebFluxSecurity",
    "EnableAutoConfiguration",
];

/// The class of JHipster's properties.
pub(super) const JHIPSTER: &str = "JHipsterProperties";

/// A `@Bean` method.
#[derive(Clone, Debug)]
pub(super) struct Bean {
    /// Its names; the first one is its own.
    pub(super) names: Vec<String>,
    /// What it is declared to return, by simple name.
    pub(super) ty: String,
    pub(super) class: Arc<Class>,
    pub(super) method: Arc<Method>,
}

/// The beans of an application in one world.
#[derive(Clone, Debug, Default)]
pub(super) struct Known {
    pub(super) beans: Vec<Bean>,
    /// Classes with a stereotype.
    pub(super) components: Vec<Arc<Class>>,
    /// All classes of the application.
    pub(super) classes: Vec<Arc<Class>>,
    pub(super) reactive: bool,
    /// Whether code at these places can change what is sent; the same in every world.
    pub(super) speaking: Arc<Speaking>,
}

/// What is known of places in the code: do they have one of some words?
pub(super) type Speaking = Mutex<HashMap<(Span, &'static [&'static str]), bool>>;

impl Known {
    /// Finds what is there if the world's conditions are as they are.
    ///
    /// `stereotyped`: the places of the classes that may be components ([`is_component`]).
    pub(super) fn new(
        program: &Program,
        classes: Vec<Arc<Class>>,
        stereotyped: &HashSet<Span>,
        reactive: bool,
        speaking: Arc<Speaking>,
        deployment: &Deployment<'_>,
    ) -> Self {
        let mut known = Self {
            reactive,
            speaking,
            ..Self::default()
        };
        for class in &classes {
            if !deployment.allows(&class.annotations) || !outer_allowed(program, class, deployment)
            {
                continue;
            }
            if stereotyped.contains(&class.span) {
                known.components.push(Arc::clone(class));
            }
            for method in &class.methods {
                let Some(bean) = annotation(&method.annotations, "Bean") else {
                    continue;
                };
                if !deployment.allows(&method.annotations) {
                    continue;
                }
                known.beans.push(Bean {
                    names: names_of(bean, method),
                    ty: bean_type(method),
                    class: Arc::clone(class),
                    method: Arc::clone(method),
                });
            }
        }
        known.classes = classes;
        known
    }

    /// The bean methods whose declared type has one of these simple names.
    pub(super) fn of_type(&self, types: &[&str]) -> Vec<usize> {
        let beans = self.beans.iter().enumerate();
        beans
            .filter(|(_, bean)| types.contains(&bean.ty.as_str()))
            .map(|(at, _)| at)
            .collect()
    }

    /// The bean method of a name.
    pub(super) fn named(&self, name: &str) -> Option<usize> {
        self.beans
            .iter()
            .position(|bean| bean.names.iter().any(|known| known == name))
    }

    /// The component of a name.
    pub(super) fn component_named(&self, name: &str) -> Option<&Arc<Class>> {
        self.components
            .iter()
            .find(|class| component_name(class) == name)
    }
}

/// `Introspector.decapitalize`, or the name that the stereotype gives.
pub(super) fn component_name(class: &Class) -> String {
    let named = STEREOTYPES
        .iter()
        .filter_map(|name| class.annotation(name))
        .find_map(|annotation| {
            super::deployment::texts_of(annotation.arg("value")?)
                .into_iter()
                .next()
        });
    if let Some(name) = named.filter(|name| !name.is_empty()) {
        return name;
    }
    let mut letters = class.name.chars();
    let (first, second) = (letters.next(), letters.next());
    match (first, second) {
        (Some(a), Some(b)) if a.is_uppercase() && b.is_uppercase() => class.name.to_string(),
        (Some(a), _) => format!("{}{}", a.to_lowercase(), &class.name[a.len_utf8()..]),
        _ => String::new(),
    }
}

fn outer_allowed(program: &Program, class: &Class, deployment: &Deployment<'_>) -> bool {
    let outer = program.around(class.span);
    outer
        .iter()
        .all(|outer| outer.span == class.span || deployment.allows(&outer.annotations))
}

/// Has a class a stereotype, its own or that of an annotation of the project?
pub(super) fn is_component(program: &Program, class: &Arc<Class>) -> bool {
    if class.kind == ClassKind::Annotation || class.kind == ClassKind::Interface {
        return false;
    }
    let stereotype = |annotation: &Annotation| {
        let name = simple(&annotation.name);
        STEREOTYPES.contains(&name)
            || program
                .class_at(annotation.span, name, None)
                .is_some_and(|own| {
                    STEREOTYPES
                        .iter()
                        .any(|known| own.annotation(known).is_some())
                })
    };
    class.annotations.iter().any(stereotype)
}

/// Has a class any annotation by which it may become a bean?
pub(super) fn has_stereotype(program: &Program, class: &Arc<Class>) -> bool {
    is_component(program, class)
        || class.annotations.iter().any(|annotation| {
            let name = simple(&annotation.name);
            name.starts_with("Enable") || name.ends_with("Configuration") || name == "Named"
        })
}

fn names_of(bean: &Annotation, method: &Method) -> Vec<String> {
    let mut names: Vec<String> = ["value", "name"]
        .iter()
        .filter_map(|name| bean.arg(name))
        .flat_map(super::deployment::texts_of)
        .collect();
    if names.is_empty() {
        names.push(method.name.to_string());
    }
    names
}

/// The declared type; Kotlin may leave it to the expression.
fn bean_type(method: &Method) -> String {
    if let Some(ty) = &method.returns {
        return ty.simple().to_owned();
    }
    match &method.body {
        Some(Body::Expr(expr)) => type_of(expr, method).unwrap_or_default(),
        _ => String::new(),
    }
}

/// The type of an expression, as far as its words show it.
fn type_of(expr: &Expr, method: &Method) -> Option<String> {
    let (receiver, name, args) = match &expr.kind {
        ExprKind::Call(receiver, name, _, args) => (receiver.as_deref(), &**name, args),
        ExprKind::New(ty, ..) => return Some(ty.simple().to_owned()),
        ExprKind::Cast(_, ty) => return Some(ty.simple().to_owned()),
        _ => return None,
    };
    let Some(receiver) = receiver else {
        let param = method.params.iter().find(|param| &*param.name == name);
        return match param.map(|param| param.ty.simple()) {
            // Kotlin's language for WebFlux builds the chain as well.
            Some("ServerHttpSecurity") => Some("SecurityWebFilterChain".to_owned()),
            Some(_) => None,
            None => Some(name.to_owned()),
        };
    };
    match name {
        "apply" | "also" => type_of(receiver, method),
        "let" | "run" => match args.last().map(|arg| &arg.value.kind) {
            Some(ExprKind::Lambda(lambda)) => match lambda.body.last() {
                Some(Stmt::Expr(last)) => type_of(last, method),
                _ => None,
            },
            _ => None,
        },
        "build" | "getOrBuild" => {
            let mut root = receiver;
            while let ExprKind::Call(Some(receiver), ..) = &root.kind {
                root = receiver;
            }
            let ExprKind::Name(name) = &root.kind else {
                return None;
            };
            let param = method.params.iter().find(|param| param.name == *name)?;
            match param.ty.simple() {
                "HttpSecurity" => Some("SecurityFilterChain".to_owned()),
                "ServerHttpSecurity" => Some("SecurityWebFilterChain".to_owned()),
                _ => None,
            }
        }
        _ => None,
    }
}

/// Is it a bean that may be a filter chain: made of an `HttpSecurity`, and of a type that is not in
/// view?
pub(super) fn may_be_chain(bean: &Bean) -> bool {
    let mut params = bean.method.params.iter();
    bean.method.returns.is_none()
        && params.any(|param| matches!(param.ty.simple(), "HttpSecurity" | "ServerHttpSecurity"))
}

/// What a bean method gives; made once.
pub(super) fn bean(m: &mut Node<'_>, at: usize) -> Option<Val> {
    let known = Arc::clone(&m.host.known);
    let bean = known.beans.get(at)?;
    let span = bean.method.span;
    let made = |m: &Node<'_>| {
        let mut beans = m.host.data.beans.iter();
        beans.find(|(known, _)| *known == span).cloned()
    };
    if let Some((_, val)) = made(m) {
        return val;
    }
    m.host.change().beans.push((span, None));
    let this = boot::bean_of_class(m, &bean.class, span);
    let val = m
        .invoke_injected(&this, &bean.class, &bean.method, span)
        .ok();
    if let Some(val) = &val {
        // What it throws leaves it as far as it was.
        let _ = match m.class_of(val) {
            Some(class) if is_component(m.program(), &class) => Ok(()),
            Some(class) => complete(m, val, &class, &bean.method),
            None => bind(m, val, bean.method.annotation("ConfigurationProperties")),
        };
    }
    let beans = &mut m.host.change().beans;
    if let Some(slot) = beans.iter_mut().find(|(known, _)| *known == span) {
        slot.1.clone_from(&val);
    }
    val
}

/// What a container does with the object that a bean method has made: properties, fields, methods.
fn complete(
    m: &mut Node<'_>,
    val: &Val,
    class: &Arc<Class>,
    method: &Method,
) -> crate::syntax::jvm::eval::Result<()> {
    let bound = method.annotation("ConfigurationProperties");
    let bound = bound.or_else(|| class.annotation("ConfigurationProperties"));
    bind(m, val, bound)?;
    m.complete(val, class, val.span)
}

/// Binds an object as `@ConfigurationProperties` says.
fn bind(m: &mut Node<'_>, val: &Val, annotation: Option<&Annotation>) -> Result<()> {
    let Some(annotation) = annotation else {
        return Ok(());
    };
    let mut names = ["value", "prefix"].iter();
    let prefix = names.find_map(|name| m.annotation(annotation, name));
    let prefix = prefix.as_ref().and_then(Val::as_str).unwrap_or_default();
    boot::bind(m, val, prefix)
}

/// A call of a bean method gives the bean.
pub(super) fn intercept(
    m: &mut Node<'_>,
    _class: &Arc<Class>,
    method: &Arc<Method>,
    _args: &[Val],
) -> Option<Result<Val>> {
    annotation(&method.annotations, "Bean")?;
    let known = Arc::clone(&m.host.known);
    let at = known
        .beans
        .iter()
        .position(|bean| bean.method.span == method.span)?;
    let beans = &m.host.data.beans;
    // While it is made, it runs.
    if beans
        .iter()
        .any(|(span, val)| *span == method.span && val.is_none())
    {
        return None;
    }
    bean(m, at).map(Ok)
}

/// Types of Spring whose beans are looked for by type.
fn satisfies(declared: &str, wanted: &str) -> bool {
    declared == wanted
        || match wanted {
            "CorsConfigurationSource" => declared == "UrlBasedCorsConfigurationSource",
            "Filter" => matches!(declared, "CorsFilter" | "OncePerRequestFilter"),
            "WebFilter" => declared == "CorsWebFilter",
            "AuthenticationEntryPoint" => declared.ends_with("EntryPoint"),
            _ => false,
        }
}

/// What a parameter or field of a bean is given.
pub(super) fn inject(m: &mut Node<'_>, place: &Injection<'_>) -> Option<Val> {
    let wanted = place.ty.simple();
    match wanted {
        "HttpSecurity" | "ServerHttpSecurity" => {
            let http = security::http(m, wanted == "ServerHttpSecurity", place.span);
            customizers::apply(m, &http);
            return Some(http);
        }
        "CorsRegistry" => return None,
        "RouteLocatorBuilder" => return Some(locator::builder(m, place.span)),
        // A library's, whose part about CORS is a `CorsConfiguration` (`tech.jhipster.config`).
        JHIPSTER => return Some(Val::foreign(JHIPSTER, place.span)),
        _ => {}
    }
    let has = |name: &str| annotation(place.annotations, name).is_some();
    if !has("Value") && !wanted.is_empty() {
        let known = Arc::clone(&m.host.known);
        let fitting: Vec<usize> = known
            .beans
            .iter()
            .enumerate()
            .filter(|(_, bean)| satisfies(&bean.ty, wanted))
            .map(|(at, _)| at)
            .collect();
        let qualified = annotation(place.annotations, "Qualifier")
            .and_then(|annotation| annotation.arg("value"))
            .and_then(|arg| super::deployment::texts_of(arg).into_iter().next());
        let name = qualified.as_deref().unwrap_or(place.name);
        let by_name = || {
            fitting
                .iter()
                .copied()
                .find(|at| known.beans[*at].names.iter().any(|own| own == name))
        };
        let primary = || {
            fitting
                .iter()
                .copied()
                .find(|at| annotation(&known.beans[*at].method.annotations, "Primary").is_some())
        };
        let chosen = match fitting.as_slice() {
            [only] => Some(*only),
            _ => by_name().or_else(primary),
        };
        if let Some(at) = chosen {
            let busy = m
                .host
                .data
                .beans
                .iter()
                .any(|(span, val)| *span == known.beans[at].method.span && val.is_none());
            if !busy && let Some(val) = bean(m, at) {
                return Some(val);
            }
        }
    }
    boot::inject(m, place)
}

/// A place in an order.
pub(super) type Order = crate::model::Known<i64>;

/// The number of `@Order` on something.
pub(super) fn order_of(m: &mut Node<'_>, annotations: &[Annotation]) -> Option<Order> {
    let order = annotation(annotations, "Order").or_else(|| annotation(annotations, "Priority"))?;
    let Some(val) = m.annotation(order, "value") else {
        return Some(Order::Known(i64::from(i32::MAX)));
    };
    Some(number(&val).into())
}

/// The order of an instance whose class implements `Ordered`.
pub(super) fn order_of_instance(m: &mut Node<'_>, val: &Val, span: Span) -> Option<Order> {
    let class = m.class_of(val)?;
    let program = Arc::clone(m.program());
    let (owner, method) = program.method(&class, "getOrder", Some(0), None)?;
    method.body.as_ref()?;
    let result = m.invoke(val, &owner, &method, &[], span).ok();
    Some(result.as_ref().and_then(number).into())
}

#[expect(clippy::cast_possible_truncation, reason = "orders are 32 bits wide")]
pub(super) fn number(val: &Val) -> Option<i64> {
    val.as_number().map(|number| number as i64)
}
