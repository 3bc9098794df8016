//! Beans that change every `HttpSecurity` before a chain gets it, since Spring Security 7.0
//! (`HttpSecurityConfiguration.applyHttpSecurityCustomizers` and `applyTopLevelCustomizers`).

use std::sync::Arc;

use super::beans;
use super::host::Node;
use super::security;
use crate::model::Known;
use crate::syntax::jvm::ast::{Annotation, Type, simple};
use crate::syntax::jvm::eval::Call;
use crate::syntax::jvm::eval::heap::Val;

/// What a `Customizer` is for, and the method that takes it; none: all of `HttpSecurity`.
const TARGETS: [(&str, Option<&str>); 13] = [
    ("HttpSecurity", None),
    ("ServerHttpSecurity", None),
    ("CorsConfigurer", Some("cors")),
    ("CorsSpec", Some("cors")),
    ("CsrfConfigurer", Some("csrf")),
    ("CsrfSpec", Some("csrf")),
    ("HttpBasicConfigurer", Some("httpBasic")),
    ("HttpBasicSpec", Some("httpBasic")),
    ("ExceptionHandlingConfigurer", Some("exceptionHandling")),
    ("ExceptionHandlingSpec", Some("exceptionHandling")),
    ("HeadersConfigurer", Some("headers")),
    (
        "AuthorizationManagerRequestMatcherRegistry",
        Some("authorizeHttpRequests"),
    ),
    ("AuthorizeExchangeSpec", Some("authorizeExchange")),
];

/// Runs them on a new `HttpSecurity`.
pub(super) fn apply(m: &mut Node<'_>, http: &Val) {
    if !m.host.versions.has_customizers() {
        return;
    }
    let known = Arc::clone(&m.host.known);
    let of = |ty: &Type| {
        let target = ty.args.first().map(|arg| simple(&arg.name))?;
        let mut targets = TARGETS.iter();
        let (_, method) =
            targets.find(|(name, _)| ty.simple() == "Customizer" && *name == target)?;
        Some(*method)
    };
    let order = |m: &mut Node<'_>, annotations: &[Annotation]| {
        let order = beans::order_of(m, annotations);
        order.and_then(Known::known).unwrap_or(i64::MAX)
    };
    let mut found: Vec<(Option<&'static str>, i64, Val)> = Vec::new();
    for (at, bean) in known.beans.iter().enumerate() {
        if let Some(method) = bean.method.returns.as_ref().and_then(of)
            && let Some(val) = beans::bean(m, at)
        {
            let order = order(m, &bean.method.annotations);
            found.push((method, order, val));
        }
    }
    for class in &known.components {
        if let Some(method) = class.interfaces.iter().find_map(of) {
            let val = super::build::component(m, class);
            let order = order(m, &class.annotations);
            found.push((method, order, val));
        }
    }
    found.sort_by_key(|(method, order, _)| (method.is_some(), *order));
    for (method, _, val) in found {
        let args = [val.clone()];
        // One that fails is known only in part, as any code that does.
        let _ = match method {
            None => m.call_function(&val, None, std::slice::from_ref(http), val.span),
            Some(method) => {
                let call = Call {
                    receiver: http,
                    method,
                    name_span: val.span,
                    args: &args,
                    names: &[],
                    open: false,
                    span: val.span,
                };
                security::call_http(m, &call)
            }
        };
    }
}
