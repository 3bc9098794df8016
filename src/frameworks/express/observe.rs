//! What no response shows: options that the package does not read, or reads differently.

use std::collections::HashSet;

use super::exchange::is_cors;
use super::host::{Node, Noted, Program};
use super::kind_of;
use super::respond::{Answered, Loaded};
use super::{cors, site};
use crate::model::{
    Allows, Condition, Endpoint, Known, Observation, ObservationKind, Origin, Request, Response,
    Setting, Settings, Site, World,
};
use crate::source::Span;
use crate::spelling::misspelt_header;
use crate::syntax::javascript::eval::heap::{ObjectKind, V, Val};

/// A project that has something to say and no application.
pub(super) struct Observed {
    pub(super) observations: Vec<Observation>,
}

impl Site for Observed {
    fn framework(&self) -> &'static str {
        "express"
    }

    fn conditions(&self) -> &[Condition] {
        &[]
    }

    fn endpoints(&self) -> &[Endpoint] {
        &[]
    }

    fn route(&self, _request: &Request) -> Option<usize> {
        None
    }

    fn respond(&self, _endpoint: usize, _request: &Request, _world: &World) -> Vec<Response> {
        vec![Response::new(
            Known::Unknown,
            crate::model::Answer::Handler,
            None,
        )]
    }

    fn observations(&self) -> &[Observation] {
        &self.observations
    }

    fn unknowns(&self) -> &[(Span, String)] {
        &[]
    }
}

/// Express refuses to start: its words and the place.
pub(super) fn refusal(program: &Program) -> Option<(String, Span)> {
    program.noted.iter().find_map(|noted| match noted {
        Noted::RefusedPath(_, words, span) => Some((words.clone(), *span)),
        _ => None,
    })
}

/// What is to be said about a loaded program.
pub(super) fn program(
    loaded: &Loaded,
    conditions: &[Condition],
    observations: &mut Vec<Observation>,
) {
    let in_development = loaded.asked.iter().any(|(at, holds)| {
        let condition = conditions.get(*at);
        *holds && condition.is_some_and(|condition| condition.development)
    });
    let mut machine = site::viewer(loaded);
    for noted in &loaded.program.noted {
        match noted {
            Noted::Options(options, span) => {
                let options = unpack(&machine, options);
                observe_options(&mut machine, &options, *span, observations);
            }
            Noted::Socket(Some(options), span) if !in_development => {
                observe_socket(&mut machine, options, *span, observations);
            }
            Noted::RefusedPath(text, words, span) => add(
                observations,
                Observation {
                    suggestion: Some("/{*any}".into()).filter(|_| text == "*"),
                    ..observation(
                        ObservationKind::Rejected,
                        *span,
                        text,
                        &format!("Express 5 throws `{words}` when it starts"),
                    )
                },
            ),
            Noted::PathOfFive(text, span) => {
                let words =
                    "only Express 5 reads it as every path; Express 4 finds no request for it";
                let mut found = observation(ObservationKind::PathScope, *span, text, words);
                found.suggestion = Some("*".into());
                add(observations, found);
            }
            Noted::Unused(span) => add(
                observations,
                observation(
                    ObservationKind::Unattached,
                    *span,
                    "cors()",
                    "the middleware that it makes is given to nobody",
                ),
            ),
            Noted::Renamed(span, name, new) => {
                let text = "Socket.IO 3 and later do not read it, and send no CORS headers";
                let mut found = observation(ObservationKind::Renamed, *span, name, text);
                found.suggestion = Some((*new).to_owned());
                add(observations, found);
            }
            Noted::Socket(..) | Noted::Session(..) => {}
        }
    }
}

/// Middleware before CORS refuses requests: what it answers cannot be read. Where it refuses the
/// preflight as well, the rules see it in the responses.
pub(super) fn too_late(
    actual: &Answered,
    preflight: &Answered,
    observations: &mut Vec<Observation>,
) {
    let Some((span, name)) = actual.policy_at else {
        return;
    };
    let passes = matches!(preflight.response.status(), Some(200..=299));
    let Some((status, by)) = actual.early.first().filter(|_| passes) else {
        return;
    };
    let text = format!("a middleware before it answers some requests with {status} itself");
    let mut found = observation(ObservationKind::Order, span, name, &text);
    found.severe = true;
    found
        .related
        .push((*by, format!("answers {status} without CORS headers")));
    add(observations, found);
}

/// `res.setHeader(name, undefined)` throws: every request without the header that it copies fails.
pub(super) fn undefined_header(name: &str, span: Span) -> Observation {
    let text = "where the request has no Origin, the value is undefined, and Node throws \
        `ERR_HTTP_INVALID_HEADER_VALUE`";
    observation(ObservationKind::Rejected, span, name, text)
}

/// A header of a name that nobody reads, or that Node refuses.
pub(super) fn malformed_header(header: &Val) -> Option<Observation> {
    let name = header.as_str()?;
    if name.contains([':', ' ']) && is_cors(name) {
        let text = "Node throws `ERR_INVALID_HTTP_TOKEN`: it is no name of a header";
        return Some(observation(
            ObservationKind::Rejected,
            header.span,
            name,
            text,
        ));
    }
    let meant = misspelt_header(name)?;
    let text = "no browser knows a header of this name";
    let mut found = observation(ObservationKind::MalformedHeader, header.span, name, text);
    found.suggestion = Some(meant.to_owned());
    Some(found)
}

/// Two calls of the package run for every route. `calls`: those of every world.
pub(super) fn stacked(machine: &Node<'_>, calls: &[Span], observations: &mut Vec<Observation>) {
    let [first, rest @ ..] = calls else { return };
    for call in rest {
        if machine.text(*call) == machine.text(*first) {
            continue;
        }
        let text = "preflights never reach it, and what the one before it refuses stays refused";
        let mut found = observation(ObservationKind::Overridden, *call, "cors()", text);
        found
            .related
            .push((*first, "answers every preflight".into()));
        add(observations, found);
    }
}

/// Sessions whose cookie is for one site, while pages of another one may send it.
pub(super) fn cookies(
    domains: &[(String, Span)],
    settings: &Settings,
    observations: &mut Vec<Observation>,
) {
    let allows = |setting: &Setting| setting.values.iter().any(|value| value == "true");
    if !settings.credentials.as_ref().is_some_and(allows) {
        return;
    }
    for (domain, call) in domains {
        for entry in &settings.origins {
            let (Allows::Exact(text), None) = (&entry.allows, &entry.problem) else {
                continue;
            };
            let Some(other) = Origin::parse(text).ok().and_then(|origin| {
                let domain = origin.registrable_domain();
                domain.map(str::to_owned)
            }) else {
                continue;
            };
            if other == *domain {
                continue;
            }
            let words = format!(
                "it is on another site than `{domain}`, and the cookie is not `SameSite=None; Secure`"
            );
            let mut found = observation(ObservationKind::Cookie, entry.span, text, &words);
            found
                .related
                .push((*call, "the cookie is made here".into()));
            add(observations, found);
        }
    }
}

/// The registrable domain that a cookie is for, unless pages of other sites may send it.
pub(super) fn cookie_domain(machine: &mut Node<'_>, options: &Val) -> Option<String> {
    let options = machine.force(options.clone());
    let cookie = match machine.own(&options, "cookie") {
        Some(cookie) => machine.force(cookie),
        None => options,
    };
    if machine.object(&cookie)?.open {
        return None;
    }
    let domain = machine.own(&cookie, "domain")?;
    let domain = machine.force(domain);
    let host = domain.as_str()?.trim_start_matches('.').to_owned();
    let same_site = machine.own(&cookie, "sameSite");
    let same_site = same_site.map(|val| machine.force(val));
    let secure = machine.own(&cookie, "secure");
    let secure = secure.map(|val| machine.force(val));
    let known = |val: &Option<Val>| !val.as_ref().is_some_and(Val::is_opaque);
    if !known(&same_site) || !known(&secure) {
        return None;
    }
    let none = same_site
        .as_ref()
        .and_then(Val::as_str)
        .is_some_and(|text| text.eq_ignore_ascii_case("none"));
    let secure = secure.is_some_and(|val| machine.truth(&val) != Some(false));
    if none && secure {
        return None;
    }
    let origin = Origin::parse(&format!("https://{host}")).ok()?;
    origin.registrable_domain().map(str::to_owned)
}

fn observation(kind: ObservationKind, span: Span, name: &str, text: &str) -> Observation {
    Observation {
        kind,
        span,
        name: name.into(),
        text: text.into(),
        suggestion: None,
        related: Vec::new(),
        severe: false,
    }
}

pub(super) fn add(observations: &mut Vec<Observation>, observation: Observation) {
    let same =
        |known: &Observation| known.kind == observation.kind && known.span == observation.span;
    if !observations.iter().any(same) {
        observations.push(observation);
    }
}

/// A choice by a condition is looked at on the side that is an object.
fn unpack(_machine: &Node<'_>, val: &Val) -> Val {
    match &val.v {
        V::Choice(choice) if matches!(choice.yes.v, V::Object(_)) => choice.yes.clone(),
        V::Choice(choice) => choice.no.clone(),
        _ => val.clone(),
    }
}

fn observe_options(
    machine: &mut Node<'_>,
    options: &Val,
    call: Span,
    observations: &mut Vec<Observation>,
) {
    let kind = kind_of(machine, options);
    match (&options.v, &kind) {
        (V::Undefined, _) => return,
        (V::Object(_), Some(ObjectKind::Plain)) => {}
        (V::Object(_), Some(ObjectKind::Array(..)))
        | (V::String(_) | V::Bool(_) | V::Number(_) | V::Null, _) => {
            let what = match &options.v {
                V::String(_) => "a text",
                V::Bool(_) => "a boolean",
                V::Null => "null",
                V::Number(_) => "a number",
                _ => "a list",
            };
            let mut found = observation(
                ObservationKind::WrongType,
                options.span,
                "options",
                &format!(
                    "`cors()` is given {what}, reads options from it, finds none, and allows every origin"
                ),
            );
            found.severe = true;
            found.suggestion = machine
                .text(options.span)
                .lines()
                .next()
                .filter(|_| matches!(what, "a text" | "a list"))
                .map(|text| format!("cors({{ origin: {text} }})"));
            found
                .related
                .push((call, "every origin is allowed here".into()));
            add(observations, found);
            return;
        }
        _ => return,
    }
    let keys = machine.own_keys(options);
    let has_origin = keys.iter().any(|(name, _)| &**name == "origin");
    for (name, span) in &keys {
        if cors::OPTIONS.contains(&&**name) {
            continue;
        }
        let near = nearest(name);
        let opens = near == Some("origin") && !has_origin;
        let mut found = observation(
            ObservationKind::UnknownOption,
            *span,
            name,
            if opens {
                "the package does not know it, so every origin is allowed"
            } else {
                "the package does not know it and ignores it"
            },
        );
        found.severe = opens;
        found.suggestion = near.map(Into::into);
        add(observations, found);
    }
    observe_values(machine, options, observations);
}

fn observe_values(machine: &mut Node<'_>, options: &Val, observations: &mut Vec<Observation>) {
    if let Some(credentials) = machine.own(options, "credentials") {
        let ignored = match &credentials.v {
            V::String(_) | V::Number(_) => machine.truth(&credentials) == Some(true),
            _ => false,
        };
        if ignored {
            let mut found = observation(
                ObservationKind::WrongType,
                credentials.span,
                "credentials",
                "only the boolean `true` allows credentials; this is ignored",
            );
            found.severe = true;
            found.suggestion = Some("true".into());
            add(observations, found);
        }
    }
    let Some(origin) = machine.own(options, "origin") else {
        return;
    };
    let mut origins = vec![origin];
    let mut inside_list = false;
    let mut seen = HashSet::new();
    while let Some(origin) = origins.pop() {
        match (&origin.v, kind_of(machine, &origin)) {
            (V::Object(id), Some(ObjectKind::Array(items, _))) if items.len() < 1000 => {
                inside_list = true;
                // A list may be an element of itself.
                if seen.insert(*id) {
                    origins.extend(items);
                }
            }
            (V::Object(_), Some(ObjectKind::Regex(pattern, flags, _)))
                if flags.contains(['g', 'y']) =>
            {
                let flag = if flags.contains('g') { 'g' } else { 'y' };
                let mut found = observation(
                    ObservationKind::StatefulPattern,
                    origin.span,
                    &format!("/{pattern}/{flags}"),
                    &format!("the flag `{flag}` makes it go on where the last match ended"),
                );
                let plain: String = flags.chars().filter(|c| !"gy".contains(*c)).collect();
                found.suggestion = Some(format!("/{pattern}/{plain}"));
                add(observations, found);
            }
            (V::String(text), _) if &**text == "*" && inside_list => {
                add(
                    observations,
                    observation(
                        ObservationKind::LiteralWildcard,
                        origin.span,
                        "*",
                        "in a list it is compared as it stands, and no browser sends it",
                    ),
                );
            }
            (V::String(text), _)
                if text.len() > 2 && text.starts_with('/') && text.ends_with('/') =>
            {
                let mut found = observation(
                    ObservationKind::WrongType,
                    origin.span,
                    "origin",
                    "a pattern in quotes is a text: it is compared or sent as it stands",
                );
                found.severe = true;
                found.suggestion = Some(text.to_string());
                add(observations, found);
            }
            _ => {}
        }
    }
}

/// Socket.IO's browsers connect by WebSocket as well, which no CORS header protects.
fn observe_socket(
    machine: &mut Node<'_>,
    options: &Val,
    call: Span,
    observations: &mut Vec<Observation>,
) {
    let origin = machine.own(options, "origin");
    let (open, span) = match &origin {
        None => (
            matches!(kind_of(machine, options), Some(ObjectKind::Plain)),
            options.span,
        ),
        Some(origin) => (
            matches!(&origin.v, V::Bool(true)) || origin.as_str() == Some("*"),
            origin.span,
        ),
    };
    if open {
        let mut found = observation(
            ObservationKind::WebSocket,
            span,
            "Socket.IO",
            "pages of every origin may connect",
        );
        found.related.push((call, "the server is made here".into()));
        add(observations, found);
    }
}

/// The option that a misspelt one means.
fn nearest(name: &str) -> Option<&'static str> {
    let plain = |text: &str| -> String {
        let letters = text.chars().filter(char::is_ascii_alphanumeric);
        letters.collect::<String>().to_ascii_lowercase()
    };
    let known = match plain(name).as_str() {
        "origins"
        | "alloworigin"
        | "alloworigins"
        | "allowedorigin"
        | "allowedorigins"
        | "accesscontrolalloworigin"
        | "orgin"
        | "oringin"
        | "whitelist" => "origin",
        "credential"
        | "allowcredentials"
        | "allowcredential"
        | "withcredentials"
        | "supportscredentials"
        | "accesscontrolallowcredentials"
        | "crendentials"
        | "credintials"
        | "credentails" => "credentials",
        "method"
        | "allowmethods"
        | "allowedmethods"
        | "allowmethod"
        | "accesscontrolallowmethods" => "methods",
        "allowheaders"
        | "allowedheader"
        | "header"
        | "allowheader"
        | "accesscontrolallowheaders" => "allowedHeaders",
        "exposeheaders" | "exposedheader" | "exposeheader" => "exposedHeaders",
        "maxages" | "maxage" | "accesscontrolmaxage" => "maxAge",
        "optionsuccessstatus" | "optionssuccessstatus" | "optionssuccess" | "optionsuccess" => {
            "optionsSuccessStatus"
        }
        "preflightcontinue" => "preflightContinue",
        _ => return None,
    };
    Some(known)
}
