//! Client code: requests with response headers on them, and responses that nobody may read.

use std::path::Path;
use std::sync::Arc;

use crate::model::{Observation, ObservationKind};
use crate::source::{SourceFile, Sources, Span};
use crate::syntax::javascript::ast::{
    Argument, Body, Class, Export, Expr, ExprKind, Function, Key, Pattern, Property, Stmt,
};
use crate::syntax::javascript::eval::Library;

/// Looks at the calls of `fetch`, axios and `XMLHttpRequest` in these files.
pub(super) fn files(
    files: &[Arc<SourceFile>],
    library: &Library,
    sources: &Sources,
    observations: &mut Vec<Observation>,
) {
    for file in files {
        let text = file.text();
        let lower = text.to_ascii_lowercase();
        if !lower.contains("access-control-") && !lower.contains("no-cors") {
            continue;
        }
        let Some(loaded) = library.load(Path::new(file.path()), sources) else {
            continue;
        };
        let mut look = Look {
            file,
            found: observations,
            pending: Vec::new(),
        };
        look.statements(&loaded.module.body);
        look.flush();
    }
}

struct Look<'a> {
    file: &'a SourceFile,
    found: &'a mut Vec<Observation>,
    /// Opaque responses by the variable that holds them.
    pending: Vec<(Option<String>, Span)>,
}

impl Look<'_> {
    fn flush(&mut self) {
        self.pending.clear();
    }

    fn statements(&mut self, statements: &[Stmt]) {
        for statement in statements {
            self.statement(statement);
        }
    }

    fn statement(&mut self, statement: &Stmt) {
        match statement {
            Stmt::Declare(_, declarators) => {
                for (pattern, value) in declarators {
                    let Some(value) = value else { continue };
                    self.expr(value);
                    if let (Pattern::Name(name, _), Some(span)) = (pattern, opaque_call(value)) {
                        self.pending.push((Some(name.to_string()), span));
                    }
                }
            }
            Stmt::Function(_, function) => self.function(function),
            Stmt::Class(_, class) => self.class(class),
            Stmt::Expr(expr) | Stmt::Throw(expr) | Stmt::Return(Some(expr), _) => self.expr(expr),
            Stmt::If(test, yes, no) => {
                self.expr(test);
                self.statement(yes);
                no.iter().for_each(|no| self.statement(no));
            }
            Stmt::Block(body) => self.statements(body),
            Stmt::ForEach { list, body, .. } => {
                self.expr(list);
                self.statement(body);
            }
            Stmt::Loop(_, _, _, body) | Stmt::DoLoop(body, _) => self.statement(body),
            Stmt::Try(body, handler, last) => {
                self.statements(body);
                handler.iter().for_each(|(_, body)| self.statements(body));
                self.statements(last);
            }
            Stmt::Switch(value, cases) => {
                self.expr(value);
                cases.iter().for_each(|(_, body)| self.statements(body));
            }
            Stmt::Export(Export::Declaration(inner)) => self.statement(inner),
            Stmt::Export(Export::Default(expr) | Export::Assign(expr)) => self.expr(expr),
            _ => {}
        }
    }

    fn function(&mut self, function: &Function) {
        match &function.body {
            Body::Block(statements) => self.statements(statements),
            Body::Expr(expr) => self.expr(expr),
        }
    }

    fn class(&mut self, class: &Class) {
        for member in &class.members {
            member
                .method
                .iter()
                .for_each(|method| self.function(method));
            member.value.iter().for_each(|value| self.expr(value));
        }
    }

    fn expr(&mut self, expr: &Expr) {
        match &expr.kind {
            ExprKind::Call(callee, args) => {
                self.call(expr, callee, args);
                self.expr(callee);
                args.iter().for_each(|arg| self.expr(&arg.value));
            }
            ExprKind::New(callee, args) => {
                self.expr(callee);
                args.iter().for_each(|arg| self.expr(&arg.value));
            }
            ExprKind::Function(function) => self.function(function),
            ExprKind::Class(class) => self.class(class),
            ExprKind::Await(inner) | ExprKind::Unary(_, inner) | ExprKind::Import(inner) => {
                self.expr(inner);
            }
            ExprKind::Member(object, name, _) => {
                self.read(object, name);
                self.expr(object);
            }
            ExprKind::Assign(pattern, value) => {
                self.expr(value);
                if let (Pattern::Name(name, _), Some(span)) = (&**pattern, opaque_call(value)) {
                    self.pending.push((Some(name.to_string()), span));
                }
            }
            ExprKind::Binary(_, a, b)
            | ExprKind::Logical(_, a, b)
            | ExprKind::Index(a, b)
            | ExprKind::Update(_, a, b) => {
                self.expr(a);
                self.expr(b);
            }
            ExprKind::Conditional(a, b, c) => {
                [a, b, c].into_iter().for_each(|part| self.expr(part))
            }
            ExprKind::Array(items) => items.iter().for_each(|item| self.expr(&item.value)),
            ExprKind::Sequence(parts) | ExprKind::Template(parts) => {
                parts.iter().for_each(|part| self.expr(part));
            }
            ExprKind::Object(properties) => {
                for property in properties {
                    match property {
                        Property::Value(_, _, value) | Property::Spread(value) => self.expr(value),
                        Property::Accessor(_) => {}
                    }
                }
            }
            _ => {}
        }
    }

    fn call(&mut self, call: &Expr, callee: &Expr, args: &[Argument]) {
        let path = path_of(callee);
        let last = path.rsplit('.').next().unwrap_or_default();
        if is_request(&path) {
            for arg in args {
                self.headers(&arg.value);
            }
        } else if last == "setRequestHeader" {
            if let Some(ExprKind::String(name)) = args.first().map(|arg| &arg.value.kind)
                && is_response_header(name)
            {
                self.add_header(name, args[0].value.span);
            }
        } else if last == "then"
            && let ExprKind::Member(inner, _, _) = &callee.kind
            && let Some(span) = opaque_call(inner)
            && let Some(ExprKind::Function(function)) = args.first().map(|arg| &arg.value.kind)
            && let Some(Pattern::Name(name, _)) =
                function.params.first().map(|param| &param.pattern)
        {
            self.pending.push((Some(name.to_string()), span));
        }
        let _ = call;
    }

    /// `headers: { 'Access-Control-Allow-Origin': … }` inside a request's options.
    fn headers(&mut self, options: &Expr) {
        let ExprKind::Object(properties) = &options.kind else {
            return;
        };
        for property in properties {
            let Property::Value(Key::Name(key), span, value) = property else {
                continue;
            };
            if is_response_header(key) {
                self.add_header(key, *span);
            }
            if &**key == "headers" {
                match &value.kind {
                    ExprKind::New(_, args) => {
                        args.iter().for_each(|arg| self.headers(&arg.value));
                    }
                    _ => self.headers(value),
                }
            }
        }
    }

    fn add_header(&mut self, name: &str, span: Span) {
        self.add(Observation {
            kind: ObservationKind::RequestHeader,
            span,
            name: name.into(),
            text: "it is a response header, and this is a request".into(),
            suggestion: None,
            related: Vec::new(),
            severe: false,
        });
    }

    /// The body or status of an opaque response is read.
    fn read(&mut self, object: &Expr, name: &str) {
        const READS: [&str; 8] = [
            "json",
            "text",
            "blob",
            "arrayBuffer",
            "formData",
            "status",
            "ok",
            "headers",
        ];
        if !READS.contains(&name) {
            return;
        }
        let mode = match &object.kind {
            ExprKind::Name(variable) => self
                .pending
                .iter()
                .rev()
                .find(|(known, _)| known.as_deref() == Some(&**variable))
                .map(|(_, span)| *span),
            _ => opaque_call(object),
        };
        let Some(mode) = mode else { return };
        let mut span = object.span;
        span.end = span.end.max(object.span.end);
        self.add(Observation {
            kind: ObservationKind::OpaqueResponse,
            span: mode,
            name: name.into(),
            text: format!("the response is opaque: its `{name}` tells nothing"),
            suggestion: None,
            related: vec![(span, format!("`{name}` is read here"))],
            severe: false,
        });
    }

    fn add(&mut self, observation: Observation) {
        let same =
            |known: &Observation| known.kind == observation.kind && known.span == observation.span;
        if !self.found.iter().any(same) && self.file.span().file == observation.span.file {
            self.found.push(observation);
        }
    }
}

/// `a.b.c`, as far as it is names.
fn path_of(expr: &Expr) -> String {
    match &expr.kind {
        ExprKind::Name(name) => name.to_string(),
        ExprKind::This => "this".into(),
        ExprKind::Member(object, name, _) => format!("{}.{name}", path_of(object)),
        _ => String::new(),
    }
}

fn is_request(path: &str) -> bool {
    const METHODS: [&str; 8] = [
        "get", "post", "put", "patch", "delete", "request", "create", "head",
    ];
    let mut parts = path.rsplit('.');
    let last = parts.next().unwrap_or_default();
    let before = parts.next().unwrap_or_default().to_ascii_lowercase();
    matches!(last, "fetch" | "axios" | "$fetch" | "ky")
        || path == "$.ajax"
        || (METHODS.contains(&last)
            && [
                "axios",
                "http",
                "$http",
                "httpclient",
                "ky",
                "got",
                "superagent",
            ]
            .contains(&before.as_str()))
}

fn is_response_header(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    lower.starts_with("access-control-allow-")
        || matches!(
            lower.as_str(),
            "access-control-expose-headers" | "access-control-max-age"
        )
}

/// The place of `mode: 'no-cors'` in a call of `fetch`, awaited or not.
fn opaque_call(expr: &Expr) -> Option<Span> {
    match &expr.kind {
        ExprKind::Await(inner) => opaque_call(inner),
        ExprKind::Call(callee, args) if path_of(callee).ends_with("fetch") => {
            let ExprKind::Object(properties) = &args.get(1)?.value.kind else {
                return None;
            };
            properties.iter().find_map(|property| match property {
                Property::Value(Key::Name(key), _, value) if &**key == "mode" => {
                    matches!(&value.kind, ExprKind::String(mode) if &**mode == "no-cors")
                        .then_some(value.span)
                }
                _ => None,
            })
        }
        _ => None,
    }
}
