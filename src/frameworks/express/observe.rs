//! What no response shows: options that the package does not read, or reads differently.

use super::host::{Node, Noted, Program};
use super::kind_of;
use super::respond::Loaded;
use super::{cors, site};
use crate::model::{
    Condition, Endpoint, Known, Observation, ObservationKind, Request, Response, Site, World,
};
use crate::source::Span;
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
pub(super) fn program(loaded: &Loaded, observations: &mut Vec<Observation>) {
    let mut machine = site::viewer(loaded);
    for noted in &loaded.program.noted {
        match noted {
            Noted::Options(options, span) => {
                let options = unpack(&machine, options);
                observe_options(&mut machine, &options, *span, observations);
            }
            Noted::Socket(Some(options), span) => {
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
            Noted::Socket(None, _) => {}
        }
    }
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

fn add(observations: &mut Vec<Observation>, observation: Observation) {
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
    while let Some(origin) = origins.pop() {
        match (&origin.v, kind_of(machine, &origin)) {
            (V::Object(_), Some(ObjectKind::Array(items, _))) if items.len() < 1000 => {
                inside_list = true;
                origins.extend(items);
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
