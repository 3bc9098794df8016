//! Code around the handlers of Spring MVC: `HandlerInterceptor`s and `ResponseBodyAdvice`.

use std::sync::Arc;

use super::beans::Known;
use super::build::{component, speaks};
use super::code;
use super::host::{Node, Position, entries, integer, object, push};
use super::model::{Advice, Interceptor};
use super::path::PathPattern;
use super::respond::{Stop, exchange};
use crate::model::Known as Fact;
use crate::syntax::jvm::eval::Call;
use crate::syntax::jvm::eval::heap::{V, Val};

/// What is registered with an `InterceptorRegistry`.
#[derive(Clone, Debug)]
pub(super) struct Registration {
    interceptor: Val,
    include: Vec<PathPattern>,
    exclude: Vec<PathPattern>,
    /// A pattern that is not in view.
    open: bool,
    order: i64,
}

/// `addInterceptor(…)` and what follows it.
pub(super) fn call(m: &mut Node<'_>, kind: u16, number: u32, call: &Call<'_>) -> Val {
    if kind == object::INTERCEPTORS {
        let ("addInterceptor", [interceptor]) = (call.method, call.args) else {
            return call.receiver.clone();
        };
        let registration = Registration {
            interceptor: interceptor.clone(),
            include: Vec::new(),
            exclude: Vec::new(),
            open: false,
            order: 0,
        };
        let number = push(&mut m.host.change().interceptors, registration);
        return m.host_object(object::INTERCEPTOR, number, call.span);
    }
    let at = number as usize;
    match call.method {
        "addPathPatterns" | "excludePathPatterns" => {
            let texts = entries(m, call.args, call.open);
            let patterns = texts.items.iter();
            let patterns: Vec<PathPattern> = patterns
                .map(|item| PathPattern::parse_ant(&item.text))
                .collect();
            let registration = &mut m.host.change().interceptors[at];
            registration.open |= texts.open;
            if call.method == "addPathPatterns" {
                registration.include.extend(patterns);
            } else {
                registration.exclude.extend(patterns);
            }
        }
        "order" => {
            let order = call.args.first().and_then(integer);
            m.host.change().interceptors[at].order = order.unwrap_or(0);
        }
        _ => {}
    }
    call.receiver.clone()
}

/// Everything that was registered, outermost first.
pub(super) fn registered(m: &Node<'_>) -> Vec<Interceptor> {
    let mut all: Vec<Interceptor> = m
        .host
        .data
        .interceptors
        .iter()
        .filter_map(|registration| {
            let class = m.class_of(&registration.interceptor)?;
            let text = m.source(class.span);
            let matters = speaks(m, class.span) || text.contains("return false");
            matters.then(|| Interceptor {
                instance: registration.interceptor.clone(),
                include: registration.include.clone(),
                exclude: registration.exclude.clone(),
                open: registration.open,
                order: registration.order,
                span: class.name_span,
            })
        })
        .collect();
    all.sort_by_key(|interceptor| interceptor.order);
    all
}

/// `ResponseBodyAdvice` that sets headers.
pub(super) fn advices(m: &mut Node<'_>, known: &Arc<Known>) -> Vec<Advice> {
    let program = Arc::clone(m.program());
    let mut advices = Vec::new();
    for class in &known.components {
        let advises = ["ControllerAdvice", "RestControllerAdvice"]
            .iter()
            .any(|name| class.annotation(name).is_some());
        if advises && program.is_a(class, "ResponseBodyAdvice", None) && speaks(m, class.span) {
            advices.push(Advice {
                instance: component(m, class),
                span: class.name_span,
            });
        }
    }
    advices
}

impl Interceptor {
    /// Is it asked for requests to a path? Nothing if that is not in view.
    fn matches(&self, path: &str) -> Option<bool> {
        let any = |patterns: &[PathPattern]| patterns.iter().any(|it| it.matches(path, false));
        if any(&self.exclude) {
            return Some(false);
        }
        if self.include.is_empty() && !self.open || any(&self.include) {
            return Some(true);
        }
        (!self.open).then_some(false)
    }
}

/// `preHandle` of every interceptor: does the request go on? `handler`: the class of what would
/// handle it, if that is in view.
pub(super) fn before(m: &mut Node<'_>, handler: Option<&str>) -> Result<bool, Stop> {
    let app = Arc::clone(m.host.app());
    let path = exchange(m).path.clone();
    for interceptor in &app.interceptors {
        let matches = interceptor.matches(&path);
        if !matches.unwrap_or_else(|| exchange(m).decide()) {
            continue;
        }
        if !pre_handle(m, interceptor, handler)? {
            code::answered(exchange(m), interceptor.span);
            return Ok(false);
        }
    }
    Ok(true)
}

fn pre_handle(
    m: &mut Node<'_>,
    interceptor: &Interceptor,
    handler: Option<&str>,
) -> Result<bool, Stop> {
    let span = interceptor.span;
    let Some(class) = m.class_of(&interceptor.instance) else {
        return Ok(true);
    };
    let program = Arc::clone(m.program());
    let found = program.method(&class, "preHandle", None, None);
    let Some((owner, method)) = found.filter(|(_, method)| method.body.is_some()) else {
        return Ok(true);
    };
    let next = code::next_object(m, Position::Nowhere, span);
    let mut args = code::arguments(m, &method, &next);
    if let Some(last) = args.get_mut(2) {
        *last = match handler {
            Some(handler) => Val::foreign(format!("instance.{handler}"), span),
            None => Val::unknown("what handles the request", span),
        };
    }
    let result = m.invoke(&interceptor.instance, &owner, &method, &args, span);
    if let Some(stop) = exchange(m).stopped.take() {
        return Err(stop);
    }
    let result = match result {
        Ok(val) => val,
        Err(crate::syntax::jvm::eval::Abrupt::Throw(_)) => {
            // Which of the project's exception handlers answers is not looked for.
            let exchange = exchange(m);
            exchange.unseen.push("*".into());
            exchange.unsure = true;
            exchange.finish(Fact::Unknown, crate::model::Answer::ErrorPage, Some(span));
            return Ok(false);
        }
        Err(other) => return Err(other.into()),
    };
    Ok(match result.v {
        V::Bool(goes_on) => goes_on,
        _ => exchange(m).decide(),
    })
}

/// `beforeBodyWrite`: its headers are put into the response with the body.
pub(super) fn advise(m: &mut Node<'_>) -> Result<(), Stop> {
    let app = Arc::clone(m.host.app());
    for advice in &app.advices {
        let span = advice.span;
        let Some(class) = m.class_of(&advice.instance) else {
            continue;
        };
        let program = Arc::clone(m.program());
        let found = program.method(&class, "beforeBodyWrite", None, None);
        let Some((owner, method)) = found.filter(|(_, method)| method.body.is_some()) else {
            continue;
        };
        let lines = push(&mut m.host.change().free_headers, Vec::new());
        let next = code::next_object(m, Position::Nowhere, span);
        let mut args = code::arguments(m, &method, &next);
        for (arg, param) in args.iter_mut().zip(&method.params) {
            if param.ty.simple() == "ServerHttpResponse" {
                *arg = m.host_object(object::RESPONSE, lines + 1, span);
            }
        }
        m.invoke(&advice.instance, &owner, &method, &args, span)?;
        code::send_free(m, lines);
    }
    Ok(())
}
