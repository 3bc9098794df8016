//! What only reading shows.

use super::policy::{Cors, NAMES};
use super::read::Reader;
use super::respond::{Layer, LayerKind};
use crate::frameworks::python::evidence::{SessionCookie, observe_once};
use crate::frameworks::python::{leaves, truthy};
use crate::model::{Observation, ObservationKind, Origin};
use crate::source::Span;
use crate::spelling::nearest;
use crate::syntax::python::object::{K, Val};
use crate::syntax::python::{Arguments, Call, Program};
use crate::syntax::value::{Kind, Value};

/// An argument that `CORSMiddleware` does not have.
pub(super) fn unknown_argument(reader: &mut Reader<'_>, name: &str, span: Span, words: &str) {
    let known = nearest(name, NAMES.into_iter(), 3);
    reader.observations.push(Observation {
        kind: ObservationKind::Rejected,
        span,
        name: name.to_owned(),
        text: format!("the application does not start: {words}"),
        suggestion: known.map(ToOwned::to_owned),
        related: Vec::new(),
        severe: true,
    });
}

/// The arguments with which the program adds the only middleware of a name.
fn added<'p>(program: &'p Program, name: &str) -> Option<&'p Arguments> {
    let mut calls = program.calls.iter().filter(|call| {
        let adds =
            call.method() == "add_middleware" || &*call.path == "starlette.middleware.Middleware";
        let class = call.arguments.get(0, "middleware_class");
        let class = class.and_then(Val::path);
        adds && class.is_some_and(|path| path.rsplit('.').next() == Some(name))
    });
    let only = calls.next().filter(|_| calls.next().is_none());
    only.map(|call| &call.arguments).filter(|given| !given.open)
}

/// Origins on another site, allowed with credentials, that do not get the cookie of Starlette's
/// `SessionMiddleware` (`same_site="lax"`, `https_only=False`).
fn cookie(reader: &mut Reader<'_>, cors: &[&Cors]) {
    let program = reader.program;
    let (Some(session), Some(trusted)) = (
        added(program, "SessionMiddleware"),
        added(program, "TrustedHostMiddleware"),
    ) else {
        return;
    };
    let same_site = match session.keyword("same_site").map(|value| &value.kind) {
        None => "lax",
        Some(K::Text(text)) => text,
        Some(_) => return,
    };
    let secure = match session.keyword("https_only").map(|value| &value.kind) {
        None => false,
        Some(K::Bool(secure)) => *secure,
        Some(_) => return,
    };
    let Some(hosts) = trusted.get(1, "allowed_hosts") else {
        return;
    };
    let Some((items, false)) = program.items(hosts) else {
        return;
    };
    let names: Option<Vec<&str>> = items.iter().map(Val::as_text).collect();
    let Some(names) = names else { return };
    let names: Vec<&str> = names
        .into_iter()
        .map(|name| name.strip_prefix("*.").unwrap_or(name))
        .collect();
    let cookie = SessionCookie {
        hosts: &names,
        hosts_span: hosts.span,
        hosts_name: "allowed_hosts",
        same_site: Some(same_site),
        secure,
        repair: "app.add_middleware(SessionMiddleware, …, same_site=\"none\", https_only=True)",
    };
    for cors in cors {
        if cors.open || truthy(cors.argument("allow_credentials")) != Some(true) {
            continue;
        }
        let mut lists = Vec::new();
        leaves(cors.argument("allow_origins"), &mut lists);
        lists.retain(|list| list.as_list().is_some());
        for found in cookie.observations(&lists) {
            let mut known = reader.observations.iter();
            if !known.any(|known| known.kind == found.kind && known.span == found.span) {
                reader.observations.push(found);
            }
        }
    }
}

/// Middleware of a library that answers by itself, outside of the CORS middleware. No severe mistake:
/// most pages ask with https at once.
fn order(reader: &mut Reader<'_>, layers: &[Layer]) {
    let is_cors = |layer: &&Layer| matches!(layer.kind, LayerKind::Cors(_));
    let Some(inner) = layers.iter().rposition(|layer| is_cors(&layer)) else {
        return;
    };
    // With one outside of all, every answer has its headers.
    let outer = layers.iter().position(|layer| is_cors(&layer));
    let span = layers[inner].span;
    for layer in &layers[..outer.unwrap_or(inner)] {
        let LayerKind::Library(path) = &layer.kind else {
            continue;
        };
        let name = path.rsplit('.').next().unwrap_or(path);
        if name != "HTTPSRedirectMiddleware" || !(layer.sure && layer.needs.is_empty()) {
            continue;
        }
        let words = "redirects http requests to https";
        let known =
            |known: &Observation| known.kind == ObservationKind::Order && known.span == span;
        if reader.observations.iter().any(known) {
            continue;
        }
        reader.observations.push(Observation {
            kind: ObservationKind::Order,
            span,
            name: "CORSMiddleware".into(),
            text: format!("`{name}` stands around it and {words}, without CORS headers"),
            suggestion: None,
            related: vec![(layer.span, words.to_owned())],
            severe: false,
        });
    }
}

/// `CORSMiddleware(app, …)` whose value nobody takes: the application goes on without it.
pub(super) fn discarded(reader: &mut Reader<'_>, call: &Call) {
    let observation = Observation {
        kind: ObservationKind::Unattached,
        span: call.span,
        name: "CORSMiddleware".into(),
        text: "it gives back an application, which nobody takes".into(),
        suggestion: None,
        related: Vec::new(),
        severe: false,
    };
    observe_once(&mut reader.observations, observation);
}

/// Looks at all layers of a stack.
pub(super) fn stack(reader: &mut Reader<'_>, layers: &[Layer]) {
    let all = layers.iter();
    let cors: Vec<&Cors> = all
        .filter_map(|layer| match &layer.kind {
            LayerKind::Cors(cors) => Some(&**cors),
            _ => None,
        })
        .collect();
    cookie(reader, &cors);
    order(reader, layers);
    for cors in cors {
        let known = reader
            .observations
            .iter()
            .any(|seen| seen.related.iter().any(|(span, _)| *span == cors.span));
        if !known {
            types(reader, cors);
            wildcards(reader, cors);
        }
    }
}

fn add(
    reader: &mut Reader<'_>,
    kind: ObservationKind,
    value: &Value,
    name: &str,
    text: String,
    suggestion: Option<String>,
    severe: bool,
) {
    if reader
        .observations
        .iter()
        .any(|known| known.kind == kind && known.span == value.span)
    {
        return;
    }
    reader.observations.push(Observation {
        kind,
        span: value.span,
        name: name.to_owned(),
        text,
        suggestion,
        related: Vec::new(),
        severe,
    });
}

fn each_form(cors: &Cors, name: &str, f: &mut dyn FnMut(&Value)) {
    let mut found = Vec::new();
    leaves(cors.argument(name), &mut found);
    found.into_iter().for_each(f);
}

fn types(reader: &mut Reader<'_>, cors: &Cors) {
    for name in [
        "allow_origins",
        "allow_methods",
        "allow_headers",
        "expose_headers",
    ] {
        each_form(cors, name, &mut |value| {
            let Some(text) = value.as_str() else { return };
            if text.is_empty() || text == "*" && name != "expose_headers" {
                return;
            }
            let (text_is, severe) = match name {
                "allow_origins" if text.contains('*') => (
                    "a text with `*` in it, where a list belongs, allows every origin",
                    true,
                ),
                "allow_origins" => (
                    "a text is given where a list belongs, and every part of it is an allowed origin",
                    true,
                ),
                _ if text.contains('*') => return,
                "allow_methods" => (
                    "a text is given where a list belongs, and its letters are the methods",
                    true,
                ),
                _ => (
                    "a text is given where a list belongs, and its letters are the names",
                    true,
                ),
            };
            let parts: Vec<String> = text
                .split(',')
                .map(|part| format!("\"{}\"", part.trim()))
                .collect();
            let suggestion = Some(format!("[{}]", parts.join(", ")));
            add(
                reader,
                ObservationKind::WrongType,
                value,
                name,
                text_is.to_owned(),
                suggestion,
                severe,
            );
        });
    }
    each_form(cors, "allow_credentials", &mut |value| {
        let Some(text) = value.as_str() else { return };
        if matches!(
            text.to_ascii_lowercase().as_str(),
            "false" | "no" | "off" | "0"
        ) {
            let words = "a text that is not empty is true: credentials are allowed".to_owned();
            let suggestion = Some("False".to_owned());
            let kind = ObservationKind::WrongType;
            add(
                reader,
                kind,
                value,
                "allow_credentials",
                words,
                suggestion,
                true,
            );
        }
    });
    let Some(words) = cors.failure().filter(|_| cors.rejected.is_none()) else {
        return;
    };
    let span = [
        "allow_origins",
        "allow_methods",
        "allow_headers",
        "allow_origin_regex",
    ]
    .iter()
    .map(|name| cors.argument(name))
    .find(|value| {
        matches!(value.kind, Kind::Null | Kind::Bool(_) | Kind::Number(_))
            || (value.span == cors.argument("allow_origin_regex").span
                && value.kind != Kind::Undefined)
    });
    let value = span
        .cloned()
        .unwrap_or(Value::new(Kind::Undefined, cors.span));
    let text = format!("the application does not start: {words}");
    add(
        reader,
        ObservationKind::Rejected,
        &value,
        "CORSMiddleware",
        text,
        None,
        true,
    );
}

fn wildcards(reader: &mut Reader<'_>, cors: &Cors) {
    each_form(cors, "allow_origins", &mut |value| {
        let Some(list) = value.as_list() else { return };
        let star = list.items.iter().find(|item| item.as_str() == Some("*"));
        for item in &list.items {
            let Some(text) = item.as_str().filter(|text| *text != "*") else {
                continue;
            };
            if text.contains('*') && star.is_none() {
                let words = "the list is compared letter by letter; a pattern belongs into \
                             `allow_origin_regex`";
                let kind = ObservationKind::LiteralWildcard;
                let suggestion = regex_for(text);
                add(
                    reader,
                    kind,
                    item,
                    text,
                    words.to_owned(),
                    suggestion,
                    false,
                );
            }
            if let Some(star) = star
                && Origin::parse(text).is_ok()
            {
                let words = "`*` in the same list allows every origin";
                let before = reader.observations.len();
                let kind = ObservationKind::Overridden;
                add(reader, kind, item, text, words.to_owned(), None, true);
                if let Some(added) = reader.observations.get_mut(before) {
                    added
                        .related
                        .push((star.span, "this allows every origin".into()));
                }
            }
        }
        if let Some(star) = star {
            let regex = cors.argument("allow_origin_regex");
            if matches!(regex.kind, Kind::String(_)) {
                let words = "`*` in `allow_origins` allows every origin already";
                let before = reader.observations.len();
                let kind = ObservationKind::Overridden;
                add(
                    reader,
                    kind,
                    regex,
                    "allow_origin_regex",
                    words.to_owned(),
                    None,
                    true,
                );
                if let Some(added) = reader.observations.get_mut(before) {
                    added
                        .related
                        .push((star.span, "this allows every origin".into()));
                }
            }
        }
    });
}

/// The regular expression that a glob means.
fn regex_for(glob: &str) -> Option<String> {
    let (scheme, host) = glob.split_once("://*.")?;
    let host = host.trim_end_matches('/');
    (!host.contains(['*', '/']))
        .then(|| format!(r"{scheme}://([a-z0-9-]+\.)+{}", host.replace('.', r"\.")))
}
