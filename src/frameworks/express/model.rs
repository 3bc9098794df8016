//! What the program makes: stacks of layers, and middleware that is not written in the project.

use crate::source::Span;
use crate::syntax::javascript::eval::heap::Val;

use super::path::{Comparing, LayerPath};

/// An application, a router, or something that answers like one.
#[derive(Clone, Debug)]
pub(super) struct Stack {
    /// What it is.
    pub(super) kind: StackKind,
    /// Its layers in order.
    pub(super) layers: Vec<Layer>,
    /// Where it is made; names it in every world.
    pub(super) span: Span,
    /// How it compares paths.
    pub(super) comparing: Comparing,
    /// It is part of another.
    pub(super) mounted: bool,
    /// Something was done to it that is not in view.
    pub(super) escaped: bool,
    /// The hosts that it listens on; `None` for all addresses, and if that cannot be told.
    pub(super) hosts: Vec<Option<String>>,
}

/// What a stack is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum StackKind {
    /// `express()`.
    App,
    /// `express.Router()`.
    Router,
    /// Something that is used like an application, made out of view.
    Implicit,
    /// A NestJS application: its routes are not layers.
    Nest,
    /// The HTTP side of a Socket.IO server.
    Socket,
    /// `http.createServer(function)`, or a function exported to a platform.
    Function,
}

/// One layer.
#[derive(Clone, Debug)]
pub(super) struct Layer {
    /// For what paths.
    pub(super) path: LayerPath,
    /// `None` for `use`, else the method, upper case; `ALL` for all.
    pub(super) method: Option<&'static str>,
    /// Functions, middleware and stacks.
    pub(super) handlers: Vec<Val>,
    /// The call that adds it.
    pub(super) span: Span,
}

/// Middleware that is not written in the project.
#[derive(Clone, Debug)]
pub(super) enum Middleware {
    /// The package `cors`: its options or delegate, and the call.
    Cors(Val, Span),
    /// Serves files; whether one exists is not known, so it passes requests on. With the function
    /// that sets CORS headers for files that exist, if there is one, a file of its own stands for them.
    Static(Option<Val>, Span),
    /// Refuses requests that are not authenticated.
    Authentication(Authentication),
    /// The same, but lets preflights pass that ask for `Authorization` (express-jwt).
    TokenAuthentication(Span),
    /// Reads JSON, and passes requests on.
    Json,
    /// Passes requests on; headers that it sets do not matter here.
    Pass,
}

/// How a package asks for a login.
#[derive(Clone, Copy, Debug)]
pub(super) struct Authentication {
    /// The status of its refusals.
    pub(super) status: u16,
    /// It reads the header `Authorization`.
    pub(super) reads_header: bool,
    /// The call that makes it.
    pub(super) span: Span,
}

/// Kinds of host objects on the heap.
pub(super) mod object {
    pub(in super::super) const STACK: u16 = 1;
    pub(in super::super) const MIDDLEWARE: u16 = 2;
    pub(in super::super) const REQUEST: u16 = 3;
    pub(in super::super) const RESPONSE: u16 = 4;
    pub(in super::super) const HEADERS: u16 = 5;
    /// `app.route(path)`.
    pub(in super::super) const ROUTE: u16 = 6;
    /// How a package reads the environment.
    pub(in super::super) const SCHEMA: u16 = 7;
}

/// Kinds of host functions.
pub(super) mod function {
    /// `app.use` and the like: from here on by [`super::STACK_METHODS`].
    pub(in super::super) const STACK: u16 = 100;
    /// Methods of a route.
    pub(in super::super) const ROUTE: u16 = 200;
    /// Methods of the response.
    pub(in super::super) const RESPONSE: u16 = 300;
    /// `req.get`.
    pub(in super::super) const REQUEST_GET: u16 = 400;
    /// `req.isAuthenticated`.
    pub(in super::super) const IS_AUTHENTICATED: u16 = 401;
    /// `next`.
    pub(in super::super) const NEXT: u16 = 410;
    /// The callback that an origin function or delegate is given.
    pub(in super::super) const CALLBACK: u16 = 411;
    /// Methods of what reads the environment.
    pub(in super::super) const SCHEMA: u16 = 500;
}

/// Methods of applications and routers that matter.
pub(super) const STACK_METHODS: [&str; 18] = [
    "use",
    "all",
    "get",
    "post",
    "put",
    "delete",
    "patch",
    "head",
    "options",
    "route",
    "enableCors",
    "listen",
    "param",
    "set",
    "setGlobalPrefix",
    "query",
    "enable",
    "disable",
];

/// Methods of HTTP that a stack has functions for.
pub(super) fn http_method(name: &str) -> Option<&'static str> {
    Some(match name {
        "all" => "ALL",
        "get" => "GET",
        "post" => "POST",
        "put" => "PUT",
        "delete" | "del" => "DELETE",
        "patch" => "PATCH",
        "head" => "HEAD",
        "options" => "OPTIONS",
        "query" => "QUERY",
        _ => return None,
    })
}

/// Methods of the response that matter.
pub(super) const RESPONSE_METHODS: [&str; 37] = [
    "set",
    "header",
    "setHeader",
    "append",
    "appendHeader",
    "vary",
    "removeHeader",
    "getHeader",
    "get",
    "status",
    "sendStatus",
    "send",
    "json",
    "jsonp",
    "end",
    "render",
    "sendFile",
    "download",
    "redirect",
    "writeHead",
    "cookie",
    "type",
    "write",
    "setHeaders",
    "hasHeader",
    "flushHeaders",
    "format",
    "location",
    "sendfile",
    "clearCookie",
    "links",
    "attachment",
    "contentType",
    "on",
    "once",
    "addListener",
    "setTimeout",
];
