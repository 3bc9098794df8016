//! What applications and routers are told: `app.use`, routes, settings, `listen`.

use super::environment;
use super::host::{Node, Noted, host_object, middleware, stack_number};
use super::model::{Layer, Middleware, http_method, object};
use super::path::{self, Comparing, LayerPath, Major};
use crate::limits::express::stack::{MAX_HANDLERS, MAX_NESTING};
use crate::source::Span;
use crate::syntax::javascript::eval::heap::{ObjectKind, V, Val};
use crate::syntax::javascript::eval::{Call, Result};

/// A call of a method of an application or router.
pub(super) fn call(
    machine: &mut Node<'_>,
    stack: u32,
    name: &str,
    call: &Call<'_>,
) -> Option<Result<Val>> {
    let this = Some(Ok(call.this.clone()));
    if machine.host.exchange.is_some() {
        return this;
    }
    match name {
        "use" => {
            let (paths, rest) = paths(machine, stack, true, call.args);
            let handlers = handlers(machine, rest);
            for handler in &handlers {
                if let Some(inner) = stack_number(machine, handler)
                    && let Some(inner) = machine.host.change().stacks.get_mut(inner as usize)
                {
                    inner.mounted = true;
                }
            }
            let path = one_path(machine, stack, paths, "", &handlers, call.span);
            let layer = Layer {
                path,
                method: None,
                handlers,
                span: call.span,
            };
            machine.host.add_layer(stack, layer);
            this
        }
        "route" => {
            let (paths, _) = paths(machine, stack, false, call.args);
            let path = one_path(machine, stack, paths, "", &[], call.span);
            let program = machine.host.change();
            program.routes.push((stack, path));
            let number = u32::try_from(program.routes.len() - 1).ok()?;
            Some(Ok(machine.allocate(
                ObjectKind::Host(object::ROUTE, number),
                call.span,
            )))
        }
        "enableCors" => {
            let options = call.args.first().cloned();
            let options = options.unwrap_or(Val::undefined(call.span));
            enable_cors(machine, stack, options, call.span);
            this
        }
        "listen" => {
            listen(machine, stack, call.args);
            for arg in call.args {
                if machine.function(arg).is_some() {
                    machine.defer(arg.clone(), call.span);
                }
            }
            this
        }
        "set" | "enable" | "disable" => {
            setting(machine, stack, name, call.args);
            this
        }
        "get" if call.args.len() < 2 => {
            let class = call.args.first().cloned().map(|class| machine.force(class));
            let service = class.and_then(|class| environment::provided(machine, &class, call.span));
            let setting = || Val::unknown("it is a setting of the application", call.span);
            Some(Ok(service.unwrap_or_else(setting)))
        }
        _ => {
            let Some(method) = http_method(name) else {
                return this;
            };
            let (paths, rest) = paths(machine, stack, false, call.args);
            let handlers = handlers(machine, rest);
            let path = one_path(machine, stack, paths, method, &handlers, call.span);
            let layer = Layer {
                path,
                method: Some(method),
                handlers,
                span: call.span,
            };
            machine.host.add_layer(stack, layer);
            this
        }
    }
}

/// `listen(port, host)` or `listen({ port, host })`.
pub(super) fn listen(machine: &mut Node<'_>, stack: u32, args: &[Val]) {
    let args: Vec<Val> = args.iter().map(|arg| machine.force(arg.clone())).collect();
    let given = args.first().and_then(|first| machine.own(first, "host"));
    let host = given.map(|host| machine.force(host));
    let host = host.as_ref().or(args.get(1));
    let host = host.and_then(Val::as_str).map(str::to_owned);
    if let Some(stack) = machine.host.change().stacks.get_mut(stack as usize) {
        stack.hosts.push(host);
    }
}

/// Puts the package's middleware in front, as NestJS and Socket.IO do.
pub(super) fn enable_cors(machine: &mut Node<'_>, stack: u32, options: Val, span: Span) {
    machine.host.note(Noted::Options(options.clone(), span));
    let handler = middleware(machine, Middleware::Cors(options, span), span);
    let layer = Layer {
        path: LayerPath::All,
        method: None,
        handlers: vec![handler],
        span,
    };
    machine.host.add_layer(stack, layer);
}

/// Notes a path for CORS that this version of Express reads otherwise than it is meant.
fn note_path(machine: &mut Node<'_>, path: &LayerPath, method: &str, handlers: &[Val], span: Span) {
    let is_cors = |handler: &Val| match host_object(machine, handler) {
        Some((object::MIDDLEWARE, number)) => matches!(
            machine.host.program.middleware.get(number as usize),
            Some(Middleware::Cors(..))
        ),
        _ => false,
    };
    if let LayerPath::Pattern { text, .. } = path
        && machine.host.program.major == Major::Four
        && (method == "OPTIONS" || handlers.iter().any(is_cors))
        && path::is_wildcard_of_five(text)
    {
        let noted = Noted::PathOfFive(text.clone(), span);
        machine.host.note(noted);
    }
}

fn refuse(machine: &mut Node<'_>, path: &LayerPath, span: Span) {
    if let LayerPath::Refused(text, words) = path {
        let noted = Noted::RefusedPath(text.clone(), words.clone(), span);
        machine.host.note(noted);
    }
}

/// The path of a layer, after what it says about itself is noted.
fn one_path(
    machine: &mut Node<'_>,
    stack: u32,
    paths: Vec<LayerPath>,
    method: &str,
    handlers: &[Val],
    span: Span,
) -> LayerPath {
    for path in &paths {
        refuse(machine, path, span);
        note_path(machine, path, method, handlers, span);
    }
    LayerPath::any_of(paths, machine.host.program.major, comparing(machine, stack))
}

/// How a stack compares paths.
fn comparing(machine: &Node<'_>, stack: u32) -> Comparing {
    let stack = machine.host.program.stacks.get(stack as usize);
    stack.map(|stack| stack.comparing).unwrap_or_default()
}

/// `app.set(name, value)`, `app.enable(name)`, `app.disable(name)`: the router that the first layer
/// makes keeps what is set before.
fn setting(machine: &mut Node<'_>, stack: u32, name: &str, args: &[Val]) {
    let mut args = args.iter().map(|arg| machine.force(arg.clone()));
    let (Some(of), value) = (args.next(), args.next()) else {
        return;
    };
    let value = match name {
        "enable" => Some(true),
        "disable" => Some(false),
        _ => value.and_then(|value| machine.truth(&value)),
    };
    let (Some(of), Some(value)) = (of.as_str().map(str::to_owned), value) else {
        return;
    };
    let Some(stack) = machine.host.change().stacks.get_mut(stack as usize) else {
        return;
    };
    match of.as_str() {
        _ if !stack.layers.is_empty() => {}
        "case sensitive routing" => stack.comparing.sensitive = value,
        "strict routing" => stack.comparing.strict = value,
        _ => {}
    }
}

/// `express.Router({ caseSensitive, strict })`.
pub(super) fn router_options(machine: &mut Node<'_>, stack: u32, options: &Val) {
    let mut holds = |name: &str| {
        let value = machine.own(options, name)?;
        let value = machine.force(value);
        machine.truth(&value)
    };
    let comparing = Comparing {
        sensitive: holds("caseSensitive").unwrap_or(false),
        strict: holds("strict").unwrap_or(false),
    };
    if let Some(stack) = machine.host.change().stacks.get_mut(stack as usize) {
        stack.comparing = comparing;
    }
}

/// The paths that a call begins with, and the other arguments.
fn paths<'a>(
    machine: &mut Node<'_>,
    stack: u32,
    is_use: bool,
    args: &'a [Val],
) -> (Vec<LayerPath>, &'a [Val]) {
    let Some(first) = args.first() else {
        return (vec![LayerPath::All], args);
    };
    let val = machine.force(first.clone());
    let rest = &args[1..];
    let comparing = comparing(machine, stack);
    if let Some(path) = path_of(machine, &val, comparing) {
        return (vec![path], rest);
    }
    if let Some((items, _)) = machine.items(&val).filter(|_| val.as_id().is_some()) {
        let mut paths = Vec::new();
        for item in &items {
            let item = machine.force(item.clone());
            paths.extend(path_of(machine, &item, comparing));
        }
        if !paths.is_empty() {
            return (paths, rest);
        }
    } else if val.is_opaque() && !rest.is_empty() && (!is_use || is_likely_path(machine, first)) {
        // A prefix that is not in view: some path of its own.
        let major = machine.host.program.major;
        return (
            vec![LayerPath::new("/unknown-prefix", major, comparing)],
            rest,
        );
    }
    (vec![LayerPath::All], args)
}

fn path_of(machine: &Node<'_>, val: &Val, comparing: Comparing) -> Option<LayerPath> {
    let major = machine.host.program.major;
    match &val.v {
        V::String(text) => Some(LayerPath::new(text, major, comparing)),
        V::Object(_) => match &machine.object(val)?.kind {
            ObjectKind::Regex(pattern, flags, _) => Some(LayerPath::Regex(
                pattern.to_string(),
                flags.to_string(),
                major,
            )),
            _ => None,
        },
        _ => None,
    }
}

/// Is something out of view that `app.use` begins with a path, not middleware? A text that is put
/// together is, and what is called one.
fn is_likely_path(machine: &Node<'_>, val: &Val) -> bool {
    let text = machine.text(val.span);
    let is_text = matches!(val.v, V::Env(_))
        || text.starts_with(['`', '\'', '"'])
        || text.contains('+') && !text.ends_with(')');
    let name = text.trim_end_matches(|c: char| !c.is_alphanumeric());
    let name = name.to_ascii_lowercase();
    is_text
        || ["prefix", "path", "base", "url"]
            .iter()
            .any(|word| name.ends_with(word))
}

/// Handlers, with lists of them unrolled.
pub(super) fn handlers(machine: &mut Node<'_>, args: &[Val]) -> Vec<Val> {
    let mut all = Vec::new();
    unroll(machine, args, MAX_NESTING, &mut all);
    all
}

/// A list may be an element of itself.
fn unroll(machine: &mut Node<'_>, args: &[Val], depth: u32, all: &mut Vec<Val>) {
    for arg in args {
        let arg = machine.force(arg.clone());
        if depth == 0 || all.len() >= MAX_HANDLERS || !machine.budget.step() {
            all.push(Val::unknown("lists of handlers are nested", arg.span));
            return;
        }
        match machine.object(&arg).map(|object| &object.kind) {
            Some(ObjectKind::Array(items, _)) => {
                let items = items.clone();
                machine.pay(items.len());
                unroll(machine, &items, depth - 1, all);
            }
            // A module that exports its router as `default`.
            Some(ObjectKind::Plain) => match machine.own(&arg, "default") {
                Some(inner) => all.push(inner),
                None => all.push(arg),
            },
            _ => all.push(arg),
        }
    }
}
