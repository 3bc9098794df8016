//! The routes of an application, and which handlers a request to one of them meets.

use std::collections::HashSet;
use std::sync::Arc;

use super::dispatch::{self, Inner};
use super::exchange::SAMPLE_FILE;
use super::host::{Node, Program, host_object, stack_number};
use super::model::{Layer, Middleware, object};
use super::site::{speaks_of_cors, url};
use crate::limits::express::routes::{MAX_MOUNTED, MAX_MOUNTS};
use crate::model::Request;
use crate::source::Span;
use crate::syntax::javascript::eval::Image;
use crate::syntax::javascript::eval::heap::{V, Val};
use crate::syntax::value::{Budget, Conditions};

/// A route that was found.
pub(super) struct Found {
    pub(super) path: String,
    pub(super) method: &'static str,
    pub(super) span: Span,
    /// It stands for routes that are not in view.
    pub(super) opaque: bool,
}

pub(super) struct Walk<'a> {
    pub(super) image: &'a Image,
    pub(super) program: &'a Arc<Program>,
    pub(super) found: Vec<Found>,
    /// The paths at which middleware is mounted.
    pub(super) mounts: Vec<String>,
    /// Stacks that were looked into, and below which path.
    pub(super) seen: HashSet<(u32, String)>,
}

impl Walk<'_> {
    pub(super) fn routes(&mut self, stack: u32, prefix: &str, depth: u32) {
        // A router may be mounted on itself.
        if self.seen.len() >= MAX_MOUNTED || !self.seen.insert((stack, prefix.to_owned())) {
            return;
        }
        let program = Arc::clone(self.program);
        let Some(stack) = program.stacks.get(stack as usize) else {
            return;
        };
        for layer in &stack.layers {
            if self.found.len() > 5000 {
                return;
            }
            for example in layer.path.examples() {
                self.layer(layer, &format!("{prefix}{example}"), depth);
            }
        }
    }

    fn layer(&mut self, layer: &Layer, path: &str, depth: u32) {
        let path = path.replace("//", "/");
        match layer.method {
            Some("OPTIONS") => {}
            Some(method) => self.found.push(Found {
                path: if path.is_empty() { "/".into() } else { path },
                method: if method == "ALL" { "GET" } else { method },
                span: layer.span,
                opaque: false,
            }),
            None => {
                if !self.mounts.contains(&path) && self.mounts.len() < MAX_MOUNTS {
                    self.mounts.push(path.clone());
                }
                self.inside(layer, path.trim_end_matches('/'), depth);
            }
        }
    }

    fn inside(&mut self, layer: &Layer, path: &str, depth: u32) {
        let machine = machine(self.image, self.program);
        for handler in &layer.handlers {
            if let (Some(inner), true) = (stack_number(&machine, handler), depth > 0) {
                self.routes(inner, path, depth - 1);
            } else if serves_files(&machine, handler).is_some() {
                self.found.push(Found {
                    path: format!("{path}/{SAMPLE_FILE}"),
                    method: "GET",
                    span: layer.span,
                    opaque: true,
                });
            } else if matches!(handler.v, V::Unknown(_)) && !path.is_empty() {
                self.found.push(Found {
                    path: format!("{path}/item"),
                    method: "GET",
                    span: layer.span,
                    opaque: true,
                });
            }
        }
    }
}

/// The function that sets CORS headers for files, if a handler serves some.
fn serves_files(machine: &Node<'_>, handler: &Val) -> Option<Span> {
    let Some((object::MIDDLEWARE, number)) = host_object(machine, handler) else {
        return None;
    };
    match machine.host.program.middleware.get(number as usize)? {
        Middleware::Static(Some(set), _) => Some(set.span),
        _ => None,
    }
}

/// A machine that only looks at values.
pub(super) fn machine<'s>(image: &Image, program: &Arc<Program>) -> Node<'s> {
    let request = Request::actual(url("/"), None);
    let exchange = super::exchange::Exchange::new(&request, "GET", Vec::new());
    let host = super::host::Express::asking(program, &Conditions::default(), &[], exchange);
    Node::over(image, host, Budget::new(0, 0))
}

/// What a request meets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Met {
    /// The places of the handlers before the one that answers.
    pub(super) handlers: Vec<Span>,
    /// The route that answers.
    pub(super) route: Option<Span>,
}

/// What a request with this method for this path meets.
pub(super) fn meets(
    image: &Image,
    program: &Arc<Program>,
    stack: u32,
    path: &str,
    method: &str,
) -> Met {
    let machine = machine(image, program);
    let mut handlers = Vec::new();
    let mut seen = HashSet::new();
    let route = trace(&machine, stack, path, method, &mut handlers, &mut seen, 12);
    Met { handlers, route }
}

/// Does a handler of these places decide by the path itself?
pub(super) fn looks_at_paths(image: &Image, program: &Arc<Program>, signature: &[Span]) -> bool {
    let machine = machine(image, program);
    signature.iter().any(|span| {
        let text = machine.text(*span);
        ["req.path", ".url", "originalUrl", "baseUrl", "request.path"]
            .iter()
            .any(|word| text.contains(word))
    })
}

fn trace(
    machine: &Node<'_>,
    stack: u32,
    path: &str,
    method: &str,
    spans: &mut Vec<Span>,
    seen: &mut HashSet<(u32, String)>,
    depth: u32,
) -> Option<Span> {
    // What did not answer a path does not answer it the second time.
    if !seen.insert((stack, path.to_owned())) {
        return None;
    }
    let program = Arc::clone(&machine.host.program);
    let stack = program.stacks.get(stack as usize)?;
    for layer in &stack.layers {
        let Inner::Path(inner) = dispatch::inner_path(layer, path) else {
            continue;
        };
        if let Some(serves) = layer.method {
            let own = dispatch::serves_method(serves, method);
            if !own && serves != "OPTIONS" {
                continue;
            }
            let last = layer.handlers.len().saturating_sub(1);
            for (at, handler) in layer.handlers.iter().enumerate() {
                let policy = machine
                    .function(handler)
                    .is_some_and(|function| speaks_of_cors(&machine.text(function.span)));
                if at < last || policy || serves == "OPTIONS" {
                    spans.push(handler.span);
                }
            }
            if own {
                return Some(layer.span);
            }
            continue;
        }
        for handler in &layer.handlers {
            match stack_number(machine, handler) {
                Some(inner_stack) if depth > 0 => {
                    let found = trace(machine, inner_stack, &inner, method, spans, seen, depth - 1);
                    if found.is_some() {
                        return found;
                    }
                }
                _ => spans.push(handler.span),
            }
            if path.ends_with(SAMPLE_FILE)
                && method == "GET"
                && let Some(set) = serves_files(machine, handler)
            {
                spans.push(set);
                return Some(layer.span);
            }
        }
    }
    None
}
