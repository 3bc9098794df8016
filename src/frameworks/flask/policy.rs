//! Options of Flask-CORS and the headers that they make (flask_cors/core.py).

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::frameworks::python::handler::vary;
use crate::frameworks::python::{decision, text, truthy};
use crate::model::{Decision, HeaderLine, Known, Request, Response, ValueSource, Verdict, World};
use crate::source::{SourceFile, Span};
use crate::syntax::python::pattern::{self, How};
use crate::syntax::python::version::Versions;
use crate::syntax::value::{Kind, Value};

pub(super) const OPTIONS: [&str; 13] = [
    "origins",
    "methods",
    "allow_headers",
    "expose_headers",
    "supports_credentials",
    "max_age",
    "send_wildcard",
    "automatic_options",
    "vary_header",
    "resources",
    "intercept_exceptions",
    "always_send",
    "allow_private_network",
];

const ACAO: &str = "Access-Control-Allow-Origin";
const METHODS: &str = "DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT";

/// Options of one resource or decorator.
#[derive(Clone, Debug)]
pub(super) struct Options {
    /// What was given, by name.
    pub(super) given: BTreeMap<String, Value>,
    /// There may be options that are not in view.
    pub(super) open: bool,
    /// The exception that reading them raises, whatever the world.
    pub(super) rejected: Option<String>,
    pub(super) span: Span,
    pub(super) versions: Versions,
    pub(super) files: Arc<Vec<Arc<SourceFile>>>,
    nothing: Value,
}

/// One allowed pattern, as the library resolves it.
enum Entry<'v> {
    Literal(&'v str, Span),
    Pattern(&'v str, &'v str, Span),
    Unknown,
}

impl Options {
    pub(super) fn new(span: Span, versions: Versions, files: Arc<Vec<Arc<SourceFile>>>) -> Self {
        Self {
            given: BTreeMap::new(),
            open: false,
            rejected: None,
            span,
            versions,
            files,
            nothing: Value::new(Kind::Undefined, span),
        }
    }

    pub(super) fn get(&self, name: &str) -> &Value {
        self.given.get(name).unwrap_or(&self.nothing)
    }

    /// In one world. A setting of the application that is `None` there is as if not given.
    pub(super) fn in_world(&self, world: &World) -> Self {
        let mut options = self.clone();
        for value in options.given.values_mut() {
            *value = value.in_world(world);
        }
        if self.open {
            options.nothing.kind = Kind::Unknown("an option that is not in view");
        }
        options
    }

    pub(super) fn flag(&self, name: &str, default: bool) -> Known<bool> {
        match &self.get(name).kind {
            Kind::Undefined => Known::Known(default),
            _ => truthy(self.get(name)).into(),
        }
    }

    pub(super) fn slice(&self, span: Span) -> &str {
        let file = self.files.iter().find(|file| file.id() == span.file);
        file.map_or("", |file| file.slice(span))
    }

    fn entries(&self, name: &str) -> Vec<Entry<'_>> {
        let value = self.get(name);
        fn entry(value: &Value) -> Entry<'_> {
            match &value.kind {
                Kind::String(text) if text == "*" => Entry::Pattern(".*", "i", value.span),
                Kind::String(text) if is_regex(text) => Entry::Pattern(text, "i", value.span),
                Kind::String(text) => Entry::Literal(text, value.span),
                Kind::Regex(regex) => Entry::Pattern(&regex.pattern, &regex.flags, value.span),
                _ => Entry::Unknown,
            }
        }
        match &value.kind {
            Kind::Undefined => vec![Entry::Pattern(".*", "i", self.span)],
            Kind::List(list) => {
                let mut all: Vec<Entry<'_>> = list.items.iter().map(entry).collect();
                if list.open {
                    all.push(Entry::Unknown);
                }
                all
            }
            // Nothing is equal to `None` written out.
            Kind::Null => Vec::new(),
            _ => vec![entry(value)],
        }
    }

    /// `.*` or `*` is among the origins, as a text.
    pub(super) fn all(&self) -> Known<bool> {
        let is_star = |value: &Value| matches!(value.as_str(), Some("*" | ".*"));
        let value = self.get("origins");
        match &value.kind {
            Kind::Undefined => Known::Known(true),
            Kind::List(list) => {
                if list.items.iter().any(is_star) {
                    Known::Known(true)
                } else if list.open || list.items.iter().any(Value::is_unknown) {
                    Known::Unknown
                } else {
                    Known::Known(false)
                }
            }
            Kind::Unknown(_) => Known::Unknown,
            _ => Known::Known(is_star(value)),
        }
    }

    /// The exception that these options raise when they are read.
    pub(super) fn failure(&self) -> Option<String> {
        if self.rejected.is_some() {
            return self.rejected.clone();
        }
        let wild = self.all() == Known::Known(true);
        if wild
            && self.flag("supports_credentials", false) == Known::Known(true)
            && self.flag("send_wildcard", false) == Known::Known(true)
        {
            return Some(
                "ValueError: Cannot use supports_credentials in conjunction withan origin string of '*'".into(),
            );
        }
        if self.invalid().is_some() && self.versions.since((6, 0, 5)) == Some(true) {
            return Some(
                "ValueError: Invalid regular expression in Flask-CORS configuration".into(),
            );
        }
        None
    }

    /// A pattern that cannot be compiled.
    pub(super) fn invalid(&self) -> Option<Span> {
        self.entries("origins")
            .iter()
            .find_map(|entry| match entry {
                Entry::Pattern(text, _, span) if pattern::is_invalid(text) => Some(*span),
                _ => None,
            })
    }

    fn matches(&self, name: &str, text: &str) -> (Verdict, Option<Decision>) {
        let mut unknown = false;
        for entry in self.entries(name) {
            match entry {
                Entry::Literal(literal, span) => {
                    if literal.to_lowercase() == text.to_lowercase() {
                        let decided = decision(literal, span, self.slice(span), false);
                        return (Verdict::Yes, Some(decided));
                    }
                }
                Entry::Pattern(regex, flags, span) => {
                    match pattern::matches(regex, flags, text, How::Match) {
                        Some(true) => {
                            let decided = decision(regex, span, self.slice(span), true);
                            let decided = (regex != ".*").then_some(decided);
                            return (Verdict::Yes, decided);
                        }
                        Some(false) => {}
                        // Older versions never match, and still older ones fail.
                        None if pattern::is_invalid(regex)
                            && self.versions.since((6, 0, 0)) == Some(true) => {}
                        None => unknown = true,
                    }
                }
                Entry::Unknown => unknown = true,
            }
        }
        (
            if unknown {
                Verdict::Unknown
            } else {
                Verdict::No
            },
            None,
        )
    }

    fn line(&self, name: &str, value: Known<String>, option: &str) -> HeaderLine {
        let written = self.get(option);
        let here = written.kind != Kind::Undefined && written.span.file == self.span.file;
        HeaderLine {
            name: name.into(),
            value,
            span: self.span,
            value_span: here.then_some(written.span),
            sources: Vec::new(),
            decided_by: None,
        }
    }

    /// `set_cors_headers`.
    pub(super) fn add_headers(&self, request: &Request, mut response: Response) -> Response {
        let all = self.all();
        let credentials = self.flag("supports_credentials", false);
        let mut values: Vec<HeaderLine> = Vec::new();
        let mut several = false;
        match &request.origin {
            Some(origin) => {
                let (verdict, decided) = self.matches("origins", origin);
                let verdict = match verdict {
                    Verdict::Unknown if request.symbolic => Verdict::Yes,
                    verdict => verdict,
                };
                let wild = match (all, self.flag("send_wildcard", false)) {
                    (Known::Known(true), wild) => wild,
                    (Known::Known(false), _) | (_, Known::Known(false)) => Known::Known(false),
                    _ => Known::Unknown,
                };
                match (wild, verdict) {
                    (Known::Known(true), _) => {
                        values.push(self.line(ACAO, Known::Known("*".into()), "origins"));
                    }
                    (Known::Unknown, _) | (_, Verdict::Unknown) => {
                        response.unseen.push("*".into());
                        return response;
                    }
                    (_, Verdict::No) => return response,
                    (_, Verdict::Yes) => {
                        let mut line = self.line(ACAO, Known::Known(origin.clone()), "origins");
                        line.sources = vec![ValueSource::Origin];
                        if let Some(decided) = &decided
                            && decided.span.file == self.span.file
                        {
                            line.value_span = Some(decided.span);
                        }
                        line.decided_by = decided;
                        values.push(line);
                    }
                }
            }
            None => match self.flag("always_send", true) {
                Known::Known(false) => return response,
                Known::Unknown => {
                    response.unseen.push("*".into());
                    return response;
                }
                Known::Known(true) => match (all, credentials) {
                    (Known::Known(true), Known::Known(true)) => return response,
                    (Known::Known(true), Known::Known(false)) => {
                        values.push(self.line(ACAO, Known::Known("*".into()), "origins"));
                    }
                    (Known::Known(false), _) => {
                        let entries = self.entries("origins");
                        if entries.iter().any(|entry| matches!(entry, Entry::Unknown)) {
                            response.unseen.push("*".into());
                            return response;
                        }
                        let mut literal: Vec<&str> = entries
                            .iter()
                            .filter_map(|entry| match entry {
                                Entry::Literal(text, _) => Some(*text),
                                _ => None,
                            })
                            .collect();
                        literal.sort_unstable();
                        several = literal.len() > 1;
                        // Only the first of them is kept when the lines are made.
                        let Some(first) = literal.first() else {
                            return response;
                        };
                        // An empty value is left out when the lines are made.
                        if !first.is_empty() {
                            let first = Known::Known((*first).to_owned());
                            values.push(self.line(ACAO, first, "origins"));
                        }
                    }
                    _ => {
                        response.unseen.push("*".into());
                        return response;
                    }
                },
            },
        }
        let star = values
            .first()
            .is_some_and(|line| line.value == Known::Known("*".into()));
        response.headers.append(&mut values);
        self.expose(&mut response);
        match credentials {
            Known::Known(true) => response.headers.push(self.line(
                "Access-Control-Allow-Credentials",
                Known::Known("true".into()),
                "supports_credentials",
            )),
            Known::Known(false) => {}
            Known::Unknown => response
                .unseen
                .push("access-control-allow-credentials".into()),
        }
        self.private_network(request, &mut response);
        if request.method == "OPTIONS" {
            self.preflight(request, &mut response);
        }
        self.vary(star, several, &mut response);
        response
    }

    fn expose(&self, response: &mut Response) {
        match joined(self.get("expose_headers")) {
            Known::Known(None) => {}
            Known::Known(Some(text)) if text.is_empty() => {}
            value => {
                let value = match value {
                    Known::Known(Some(text)) => Known::Known(text),
                    _ => Known::Unknown,
                };
                let line = self.line("Access-Control-Expose-Headers", value, "expose_headers");
                if line.value == Known::Unknown {
                    response.unseen.push("access-control-expose-headers".into());
                } else {
                    response.headers.push(line);
                }
            }
        }
    }

    fn private_network(&self, request: &Request, response: &mut Response) {
        let asked = request.header("access-control-request-private-network");
        if asked.as_deref() != Some("true") {
            return;
        }
        let default = match self.versions.since((5, 0, 0)) {
            Some(new) => Known::Known(!new),
            None => Known::Unknown,
        };
        let allowed = match self.get("allow_private_network").kind {
            Kind::Undefined => default,
            _ => truthy(self.get("allow_private_network")).into(),
        };
        let value = allowed.map(|allowed| if allowed { "true" } else { "false" }.to_owned());
        response.headers.push(self.line(
            "Access-Control-Allow-Private-Network",
            value,
            "allow_private_network",
        ));
    }

    fn preflight(&self, request: &Request, response: &mut Response) {
        let Some(asked) = &request.requested_method else {
            return;
        };
        let methods = match &self.get("methods").kind {
            Kind::Undefined => Known::Known(Some(METHODS.to_owned())),
            _ => joined(self.get("methods")),
        };
        let methods = match methods {
            Known::Known(Some(methods)) => methods.to_uppercase(),
            Known::Known(None) => return,
            Known::Unknown => {
                for name in ["methods", "headers"] {
                    response.unseen.push(format!("access-control-allow-{name}"));
                }
                response.unseen.push("access-control-max-age".into());
                return;
            }
        };
        if !methods.contains(&asked.to_uppercase()) {
            return;
        }
        if let Some(asked) = request.header("access-control-request-headers") {
            let mut allowed: Vec<&str> = Vec::new();
            let mut unknown = false;
            for name in asked.split(',').map(str::trim) {
                match self.matches("allow_headers", name).0 {
                    Verdict::Yes => allowed.push(name),
                    Verdict::No => {}
                    Verdict::Unknown => unknown = true,
                }
            }
            allowed.sort_unstable();
            if unknown {
                response.unseen.push("access-control-allow-headers".into());
            } else if !allowed.is_empty() {
                let value = Known::Known(allowed.join(", "));
                let line = self.line("Access-Control-Allow-Headers", value, "allow_headers");
                response.headers.push(line);
            }
        }
        let max_age = self.get("max_age");
        match truthy(max_age) {
            Some(false) => {}
            Some(true) => {
                let line = self.line("Access-Control-Max-Age", text(max_age).into(), "max_age");
                response.headers.push(line);
            }
            None => response.unseen.push("access-control-max-age".into()),
        }
        response.headers.push(self.line(
            "Access-Control-Allow-Methods",
            Known::Known(methods),
            "methods",
        ));
    }

    fn vary(&self, star: bool, several: bool, response: &mut Response) {
        let entries = self.entries("origins");
        let dynamic = several
            || entries.len() > 1
            || entries
                .iter()
                .any(|entry| matches!(entry, Entry::Pattern(..)));
        let unknown = entries.iter().any(|entry| matches!(entry, Entry::Unknown));
        match self.flag("vary_header", true) {
            Known::Known(false) => {}
            _ if star => {}
            Known::Known(true) if dynamic => vary(response, "Origin", self.span),
            Known::Known(true) if !unknown => {}
            _ => response.unseen.push("vary".into()),
        }
    }
}

/// Does the library take this text for a regular expression?
pub(super) fn is_regex(text: &str) -> bool {
    text.contains(['*', '\\', ']', '?', '$', '^', '[', '(', ')'])
}

/// `flexible_str`: sorted and joined; `None` for `None`.
fn joined(value: &Value) -> Known<Option<String>> {
    match &value.kind {
        Kind::Undefined | Kind::Null => Known::Known(None),
        Kind::List(list) if !list.open => {
            let texts: Option<Vec<String>> = list.items.iter().map(text).collect();
            match texts {
                Some(mut texts) => {
                    texts.sort();
                    Known::Known(Some(texts.join(", ")))
                }
                None => Known::Unknown,
            }
        }
        Kind::List(_) | Kind::Unknown(_) => Known::Unknown,
        _ => match text(value) {
            Some(text) => Known::Known(Some(text)),
            None => Known::Unknown,
        },
    }
}
