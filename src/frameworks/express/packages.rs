//! Packages that matter: what calling them makes.

use super::host::{self, Node, Noted, cors_call, middleware, new_stack};
use super::model::{Authentication, Middleware, StackKind};
use super::site::speaks_of_cors;
use super::stack::enable_cors;
use super::{cors, environment, exchange, stack};
use crate::source::Span;
use crate::syntax::javascript::eval::heap::{ObjectKind, V, Val};
use crate::syntax::javascript::eval::{Call, Result};

/// Properties of foreign values that have a meaning.
pub(super) fn member(path: &str, name: &str, span: Span) -> Option<Val> {
    // The package is a function whose `default` is itself, whatever the module system makes of it.
    if name == "default" {
        return Some(Val::new(V::Foreign(path.into()), span));
    }
    // Then what compilers put around an import gives the package itself.
    if name == "__esModule" {
        return Some(Val::bool(true, span));
    }
    None
}

/// Is the path a function of the package, however it was imported?
fn is(path: &str, package: &str, name: &str) -> bool {
    path.strip_prefix(package)
        .and_then(|rest| rest.strip_prefix('.'))
        .is_some_and(|rest| rest == name)
}

/// Calls of packages that have a meaning.
pub(super) fn call(machine: &mut Node<'_>, path: &str, call: &Call<'_>) -> Option<Result<Val>> {
    let span = call.span;
    let first = call.args.first().cloned().map(|val| machine.force(val));
    if machine.host.exchange.is_some() && is_handler_call(machine, call) {
        return Some(exchange::call_foreign(machine, call));
    }
    // What adds methods to the response may answer with them.
    if path.starts_with("res.")
        && let Some(exchange) = &mut machine.host.exchange
    {
        exchange.escaped = true;
        return None;
    }
    if cors::is_package(path) {
        return Some(Ok(cors_call(machine, call)));
    }
    if path == "express" {
        return Some(Ok(new_stack(machine, StackKind::App, span).0));
    }
    if is(path, "express", "Router") || path == "express-promise-router" || path == "router" {
        let (val, number) = new_stack(machine, StackKind::Router, span);
        if let Some(options) = &first {
            stack::router_options(machine, number, options);
        }
        return Some(Ok(val));
    }
    if is(path, "express", "static") || path == "serve-static" {
        let options = call.args.get(1).cloned().map(|val| machine.force(val));
        let set = options.and_then(|options| machine.own(&options, "setHeaders"));
        let set = set.filter(|set| {
            let function = machine.function(set);
            function.is_some_and(|function| speaks_of_cors(&machine.text(function.span)))
        });
        return Some(Ok(middleware(machine, Middleware::Static(set, span), span)));
    }
    if is(path, "express", "json") || is(path, "body-parser", "json") {
        return Some(Ok(middleware(machine, Middleware::Json, span)));
    }
    if path.starts_with("express.") {
        return Some(Ok(middleware(machine, Middleware::Pass, span)));
    }
    if is(path, "http", "createServer") || is(path, "https", "createServer") {
        for arg in call.args {
            if let Some(stack) = host::stack_number(machine, arg) {
                let server = format!("http.Server#{stack}");
                return Some(Ok(Val::new(V::Foreign(server.into()), span)));
            }
            if machine.function(arg).is_some() {
                let (val, number) = new_stack(machine, StackKind::Function, span);
                add_handler(machine, number, arg.clone(), span);
                return Some(Ok(val));
            }
        }
        return Some(Ok(Val::new(V::Foreign("http.Server".into()), span)));
    }
    if let Some(server) = path.strip_prefix("http.Server#")
        && let Some(stack) = server.strip_suffix(".listen")
        && let Ok(stack) = stack.parse()
    {
        stack::listen(machine, stack, call.args);
        return None;
    }
    if path == "http-errors"
        && let Some(status) = first.clone().filter(|val| matches!(val.v, V::Number(_)))
    {
        let error = machine.allocate(ObjectKind::Plain, span);
        if let Some(id) = error.as_id() {
            let error = machine.objects.get_mut(id);
            error.open = true;
            error.set("status", span, status);
        }
        return Some(Ok(error));
    }
    if let Some(result) = environment::nest(machine, path, call) {
        return Some(result);
    }
    if let Some(result) = environment::call(machine, path, call) {
        return Some(result);
    }
    if path == "@nestjs/websockets.WebSocketGateway" {
        socket(machine, call);
        return None;
    }
    if path.ends_with("NestFactory.create") {
        // On Fastify it is another package that sends the headers.
        let fastify = |arg: &Val| matches!(&arg.v, V::Foreign(path) if path.contains("Fastify"));
        if call.args.iter().any(fastify) {
            return Some(Ok(Val::new(
                V::Foreign("NestFastifyApplication".into()),
                span,
            )));
        }
        let (val, number) = new_stack(machine, StackKind::Nest, span);
        for arg in call.args.iter().skip(1) {
            let arg = machine.force(arg.clone());
            if let Some(options) = machine.own(&arg, "cors") {
                nest_cors(machine, number, options, span);
            }
        }
        return Some(Ok(val));
    }
    if is(path, "routing-controllers", "createExpressServer") {
        let (val, number) = new_stack(machine, StackKind::Nest, span);
        let options = first.as_ref().and_then(|first| machine.own(first, "cors"));
        if let Some(options) = options {
            nest_cors(machine, number, options, span);
        }
        return Some(Ok(val));
    }
    if path == "socket.io" || is(path, "socket.io", "Server") {
        socket(machine, call);
        return Some(Ok(Val::new(V::Foreign("socket.io()".into()), span)));
    }
    if path.ends_with("passport.authenticate") {
        let name = first.as_ref().and_then(Val::as_str).unwrap_or_default();
        let redirects = [
            "google", "github", "facebook", "twitter", "oauth2", "saml", "oidc",
        ];
        let status = if redirects.contains(&name) { 302 } else { 401 };
        let kind = Middleware::Authentication(Authentication {
            status,
            reads_header: matches!(name, "jwt" | "bearer" | "token" | "basic"),
            span,
        });
        return Some(Ok(middleware(machine, kind, span)));
    }
    // Who is not logged in may be let through.
    let optional = |name: &str| {
        let required = first.as_ref().and_then(|first| machine.own(first, name));
        required.is_some_and(|required| machine.truth(&required) != Some(true))
    };
    let lets_pass = optional("credentialsRequired") || optional("authRequired");
    if matches!(
        path,
        "express-jwt" | "express-jwt.expressjwt" | "express-jwt.jwt"
    ) {
        if lets_pass {
            return Some(Ok(middleware(machine, Middleware::Pass, span)));
        }
        let kind = Middleware::TokenAuthentication(span);
        return Some(Ok(middleware(machine, kind, span)));
    }
    if matches!(
        path,
        "express-basic-auth" | "express-oauth2-jwt-bearer.auth"
    ) || path.ends_with(".requiresAuth") && path.starts_with("express-openid-connect")
    {
        if lets_pass {
            return Some(Ok(middleware(machine, Middleware::Pass, span)));
        }
        let kind = Middleware::Authentication(Authentication {
            status: 401,
            reads_header: !path.ends_with("requiresAuth"),
            span,
        });
        return Some(Ok(middleware(machine, kind, span)));
    }
    if matches!(path, "express-session" | "cookie-session") {
        if let Some(options) = call.args.first() {
            machine.host.note(Noted::Session(options.clone(), span));
        }
        return Some(Ok(middleware(machine, Middleware::Pass, span)));
    }
    const PASS: [&str; 15] = [
        "helmet",
        "morgan",
        "compression",
        "cookie-parser",
        "body-parser",
        "body-parser.urlencoded",
        "body-parser.raw",
        "body-parser.text",
        "express-rate-limit",
        "express-rate-limit.rateLimit",
        "method-override",
        "connect-flash",
        "response-time",
        "multer",
        "pino-http",
    ];
    if PASS.contains(&path) {
        return Some(Ok(middleware(machine, Middleware::Pass, span)));
    }
    None
}

/// Is something of a package called with a request and a response?
fn is_handler_call(machine: &Node<'_>, call: &Call<'_>) -> bool {
    use super::model::object;
    let response = call.args.get(1);
    let response = response.and_then(|val| host::host_object(machine, val));
    matches!(response, Some((object::RESPONSE, _)))
}

pub(super) fn add_handler(machine: &mut Node<'_>, stack: u32, handler: Val, span: Span) {
    use super::model::Layer;
    use super::path::LayerPath;
    let layer = Layer {
        path: LayerPath::All,
        method: None,
        handlers: vec![handler],
        span,
    };
    machine.host.add_layer(stack, layer);
}

/// NestJS: `cors: true` stands for the defaults, an object or function is passed on.
fn nest_cors(machine: &mut Node<'_>, stack: u32, options: Val, span: Span) {
    let options = machine.force(options);
    match &options.v {
        V::Bool(true) => {
            let options = Val::undefined(options.span);
            enable_cors(machine, stack, options, span);
        }
        _ if machine.truth(&options) == Some(false) => {}
        _ => enable_cors(machine, stack, options, span),
    }
}

/// Socket.IO: the option `cors` is given to the package; without it there are no headers.
fn socket(machine: &mut Node<'_>, call: &Call<'_>) {
    let span = call.span;
    let mut found = None;
    let mut asks = false;
    for arg in call.args {
        let arg = machine.force(arg.clone());
        asks |= machine.own(&arg, "allowRequest").is_some();
        let options = machine.own(&arg, "cors");
        found = found.or(options);
        let keys = machine.own_keys(&arg);
        let old = keys.iter().find(|(name, _)| &**name == "origins");
        if let Some((_, span)) =
            old.filter(|_| machine.host.program.socket.is_none_or(|major| major > 2))
        {
            let noted = Noted::Renamed(*span, "origins", "cors: { origin: … }");
            machine.host.note(noted);
        }
    }
    let Some(options) = found else { return };
    // It is there in every deployment, with or without headers.
    let (_, number) = new_stack(machine, StackKind::Socket, span);
    let options = machine.force(options);
    if machine.truth(&options) == Some(false) {
        return;
    }
    machine
        .host
        .note(Noted::Socket((!asks).then(|| options.clone()), span));
    enable_cors(machine, number, options, span);
}
