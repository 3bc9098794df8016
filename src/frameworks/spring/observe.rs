//! What no response shows: refused, overridden, unattached and dead configuration.

use std::sync::Arc;

use super::areas::all_mappings;
use super::cookies::Bound;
use super::cors::{Cors, Entries, Entry, STAR_WITH_CREDENTIALS, is_regex};
use super::exchange::Policy;
use super::host::Socket;
use super::model::{Application, Link, Mapping, Source, What};
use super::site::{Loaded, known_policy};
use crate::model::{Known, Observation, ObservationKind, Origin, Response};
use crate::source::Span;
use crate::spelling::misspelt_header;

/// Everything to be said about an application: what some world has, or what every world has.
pub(super) fn all(loaded: &[Arc<Loaded>]) -> Vec<Observation> {
    let each: Vec<Vec<Observation>> = loaded.iter().map(|loaded| world(loaded)).collect();
    let mut observations: Vec<Observation> = Vec::new();
    for observation in each.iter().flatten() {
        let same =
            |known: &Observation| known.kind == observation.kind && known.span == observation.span;
        let breaks = matches!(
            observation.kind,
            ObservationKind::Rejected | ObservationKind::WebSocket
        );
        let everywhere = each.iter().all(|world| world.iter().any(same));
        if (breaks || everywhere) && !observations.iter().any(same) {
            observations.push(observation.clone());
        }
    }
    observations
}

fn world(loaded: &Loaded) -> Vec<Observation> {
    let mut found = Vec::new();
    let app = &loaded.app;
    if let Some((words, span)) = &app.refusal {
        let mut observation = observation(
            ObservationKind::Rejected,
            *span,
            name_of(words),
            &format!("the application does not start: {words}"),
        );
        observation.severe = true;
        found.push(observation);
    }
    policies(app, &loaded.notes.bound, &mut found);
    scopes(app, &mut found);
    for (old, new) in &loaded.data.replaced {
        let mut observation = observation(
            ObservationKind::Overridden,
            *old,
            "the entry",
            "a later call sets the whole list, and what was added before is gone",
        );
        observation
            .related
            .push((*new, "this replaces the list".into()));
        found.push(observation);
    }
    for (span, name, why, related) in &loaded.notes.unattached {
        let mut observation = observation(ObservationKind::Unattached, *span, name, why);
        if let Some(related) = related {
            let text = if why.contains("switches CORS off") {
                "switched off here"
            } else if why.contains("no security chain calls") {
                "this chain has none"
            } else {
                "this is asked instead"
            };
            observation.related.push((*related, text.into()));
        }
        found.push(observation);
    }
    for (span, name, meant) in &loaded.notes.unknown_keys {
        let text = "no property has this name, and it is left out without a word";
        let mut observation = observation(ObservationKind::UnknownOption, *span, name, text);
        observation.suggestion.clone_from(meant);
        push(&mut found, observation);
    }
    for (span, name, text) in &loaded.notes.renamed {
        push(
            &mut found,
            observation(ObservationKind::Renamed, *span, name, text),
        );
    }
    for said in &loaded.notes.said {
        let (kind, text) = if said.forged {
            let text = "the upstream sees this, whoever asks";
            (ObservationKind::ForgedOrigin, text)
        } else {
            let text = "this goes to the upstream, not to the browser";
            (ObservationKind::RequestHeader, text)
        };
        push(&mut found, observation(kind, said.span, &said.header, text));
    }
    for socket in &loaded.data.sockets {
        web_socket(app, socket, &mut found);
    }
    found
}

/// Header lines of a name that no browser knows.
pub(super) fn misspelt(response: &Response, found: &mut Vec<Observation>) {
    for line in &response.headers {
        if let Some(meant) = misspelt_header(&line.name) {
            let text = "no browser knows a header of this name";
            let kind = ObservationKind::MalformedHeader;
            let mut observation = observation(kind, line.span, &line.name, text);
            observation.suggestion = Some(meant.to_owned());
            push(found, observation);
        }
    }
}

fn observation(kind: ObservationKind, span: Span, name: &str, text: &str) -> Observation {
    Observation {
        kind,
        span,
        name: name.to_owned(),
        text: text.to_owned(),
        suggestion: None,
        related: Vec::new(),
        severe: false,
    }
}

/// What a refusal is about.
fn name_of(words: &str) -> &'static str {
    if words == STAR_WITH_CREDENTIALS {
        "*"
    } else if words.contains("allowPrivateNetwork is true") {
        "allowPrivateNetwork"
    } else if words.contains("allowCredentials value") {
        "allowCredentials"
    } else if words.starts_with("PatternParse") {
        "the path pattern"
    } else if words.contains("named 'corsFilter'") {
        "corsFilter"
    } else {
        "the configuration"
    }
}

/// When a configuration that throws does so.
enum When {
    /// For every request that reaches it.
    Always,
    /// For requests from another origin.
    CrossOrigin,
}

fn policies(app: &Application, bound: &[Bound], found: &mut Vec<Observation>) {
    let mut seen: Vec<(Cors, When)> = Vec::new();
    let mut add = |mapping: &[Mapping], when: fn() -> When| {
        for cors in mapping
            .iter()
            .filter_map(|mapping| known_policy(&mapping.policy))
        {
            seen.push((cors.clone(), when()));
        }
    };
    add(&app.global, || When::Always);
    if let Some(gateway) = &app.gateway {
        add(&gateway.mappings, || When::Always);
    }
    for filter in &app.filters {
        if let What::Cors(Source::Map(mappings)) = &filter.what {
            add(mappings, || When::CrossOrigin);
        }
    }
    for link in app.chains.iter().flat_map(|chain| &chain.links) {
        if let Link::Cors(Source::Map(mappings), _) = link {
            add(mappings, || When::CrossOrigin);
        }
    }
    for handler in &app.handlers {
        let Some(own) = &handler.cors else { continue };
        seen.push((own.clone(), When::Always));
        let global = app.global.iter().find(|mapping| {
            let patterns = &handler.patterns;
            patterns
                .first()
                .is_some_and(|pattern| mapping.pattern.matches(&pattern.example(), false))
        });
        if let Some(Policy::Is(global)) = global.map(|mapping| &mapping.policy) {
            let combined = global.combine(Some(own));
            if global.refusal(app.versions).is_none() {
                seen.push((combined, When::Always));
            }
        }
    }
    for (cors, when) in &seen {
        refused(app, cors, when, found);
        values(app, cors, found);
        cookies(cors, bound, found);
    }
    if let Some(cors) = app
        .actuator
        .as_ref()
        .and_then(|actuator| actuator.cors.as_ref())
    {
        values(app, cors, found);
    }
}

fn refused(app: &Application, cors: &Cors, when: &When, found: &mut Vec<Observation>) {
    let Some(words) = cors.refusal(app.versions) else {
        return;
    };
    let star = cors.origins.as_ref().and_then(Entries::star);
    let Some(span) = star.and_then(|star| star.span).or(cors.span) else {
        return;
    };
    // What keeps the application from starting is said already.
    if app
        .refusal
        .as_ref()
        .is_some_and(|(known, _)| known == words)
    {
        return;
    }
    let which = if words == STAR_WITH_CREDENTIALS {
        "with credentials Spring takes no `*`, and throws an IllegalArgumentException for"
    } else {
        "with private-network access Spring takes no `*`, and throws an IllegalArgumentException for"
    };
    let requests = match when {
        When::Always => "every request that comes here: status 500",
        When::CrossOrigin => "every cross-origin request: status 500",
    };
    let mut observation = observation(
        ObservationKind::Rejected,
        span,
        "*",
        &format!("{which} {requests}"),
    );
    observation.severe = true;
    let flag = cors.credentials.and_then(|written| written.span);
    let flag = flag.or_else(|| cors.private_network.and_then(|written| written.span));
    if let Some(flag) = flag.filter(|flag| *flag != span) {
        observation
            .related
            .push((flag, "this rules out `*`".into()));
    }
    push(found, observation);
}

fn push(found: &mut Vec<Observation>, observation: Observation) {
    let same =
        |known: &Observation| known.kind == observation.kind && known.span == observation.span;
    if !found.iter().any(same) {
        found.push(observation);
    }
}

/// Origins of other sites than the one that a login's cookie is for.
fn cookies(cors: &Cors, bound: &[Bound], found: &mut Vec<Observation>) {
    if cors.allows_credentials() != Known::Known(true) {
        return;
    }
    for entry in cors.origins.iter().flat_map(|list| &list.items) {
        let origin = Origin::parse(&entry.text.to_lowercase()).ok();
        let site = origin.as_ref().and_then(Origin::registrable_domain);
        let (Some(site), Some(span)) = (site, entry.span) else {
            continue;
        };
        let Some(cookie) = bound.iter().find(|cookie| cookie.site != site) else {
            continue;
        };
        let words = format!(
            "it is on another site than `{}`, and the cookie is not `SameSite=None; Secure`",
            cookie.site
        );
        let mut observation = observation(ObservationKind::Cookie, span, &entry.text, &words);
        observation.suggestion = Some(cookie.repair.to_owned());
        observation
            .related
            .push((cookie.span, "the cookie is for this site only".into()));
        push(found, observation);
    }
}

/// Entries that can match nothing, or that another entry makes pointless.
fn values(app: &Application, cors: &Cors, found: &mut Vec<Observation>) {
    let written = |list: &Option<Entries>| -> Vec<(Entry, Span)> {
        let items = list.iter().flat_map(|list| &list.items);
        items
            .filter_map(|item| Some((item.clone(), item.span?)))
            .collect()
    };
    let star = cors.origins.as_ref().and_then(Entries::star);
    for (item, span) in written(&cors.origins) {
        if item.text.contains('*') && item.text != "*" && star.is_none() {
            let mut observation = observation(
                ObservationKind::LiteralWildcard,
                span,
                &item.text,
                "`allowedOrigins` is compared as a whole; patterns belong into `allowedOriginPatterns`",
            );
            if app.versions.has_patterns() {
                observation.suggestion = Some(format!("allowedOriginPatterns(\"{}\")", item.text));
            }
            push(found, observation);
        }
    }
    if let Some(star) = star.and_then(|star| star.span) {
        let others = written(&cors.origins)
            .into_iter()
            .chain(written(&cors.patterns));
        for (item, span) in others.filter(|(_, span)| *span != star) {
            let mut observation = observation(
                ObservationKind::Overridden,
                span,
                &item.text,
                "`*` among the allowed origins lets everybody in",
            );
            observation
                .related
                .push((star, "this allows every origin".into()));
            push(found, observation);
        }
    }
    for (item, span) in written(&cors.patterns) {
        if is_regex(&item.text) {
            let observation = observation(
                ObservationKind::LiteralWildcard,
                span,
                &item.text,
                "these are no regular expressions: `*` stands for any characters, and every other sign for itself",
            );
            push(found, observation);
        }
    }
    for (item, span) in written(&cors.methods) {
        let known = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
        if item.text.contains(',') {
            push(found, comma(span, &item.text, "method"));
        } else if !known.contains(&app.versions.method(&item.text).as_str())
            && known.contains(&item.text.to_uppercase().as_str())
        {
            let mut observation = observation(
                ObservationKind::WrongType,
                span,
                &item.text,
                "methods are compared letter by letter, and requests have them in upper case",
            );
            observation.severe = true;
            observation.suggestion = Some(format!("\"{}\"", item.text.to_uppercase()));
            push(found, observation);
        }
    }
    for (item, span) in written(&cors.headers) {
        if item.text.contains(',') {
            push(found, comma(span, &item.text, "header"));
        }
    }
}

/// Several names in one text.
fn comma(span: Span, text: &str, what: &str) -> Observation {
    let parts: Vec<String> = text
        .split(',')
        .map(|part| format!("\"{}\"", part.trim()))
        .collect();
    let mut observation = observation(
        ObservationKind::WrongType,
        span,
        text,
        &format!("one text is one {what} here, and no request has one of that name"),
    );
    observation.severe = true;
    observation.suggestion = Some(parts.join(", "));
    observation
}

/// Mappings that stand behind one that covers them.
fn scopes(app: &Application, found: &mut Vec<Observation>) {
    for mappings in all_mappings(app) {
        for (at, mapping) in mappings.iter().enumerate() {
            let before = mappings[..at]
                .iter()
                .find(|before| before.pattern.covers(&mapping.pattern));
            let Some(before) = before else { continue };
            let mut observation = observation(
                ObservationKind::PathScope,
                mapping.span,
                mapping.pattern.text(),
                &format!(
                    "`{}` is registered before it and is asked first",
                    before.pattern.text()
                ),
            );
            observation
                .related
                .push((before.span, "the first that matches decides".into()));
            push(found, observation);
        }
        for mapping in mappings {
            let text = mapping.pattern.text();
            if !text.is_empty() && !text.starts_with('/') {
                let mut observation = observation(
                    ObservationKind::PathScope,
                    mapping.span,
                    text,
                    "paths begin with a slash, and the pattern does not",
                );
                observation.suggestion = Some(format!("/{}", text.trim_start_matches('/')));
                push(found, observation);
            }
        }
    }
}

/// WebSocket endpoints that take everybody.
fn web_socket(app: &Application, socket: &Socket, found: &mut Vec<Observation>) {
    let star = |items: &[Entry]| items.iter().find(|item| item.text == "*").cloned();
    let pattern = star(&socket.patterns).and_then(|item| item.span);
    let origin = star(&socket.origins).and_then(|item| item.span);
    if let (Some(span), true, true) = (origin, socket.sock_js, app.versions.has_patterns()) {
        let mut observation = observation(
            ObservationKind::Rejected,
            span,
            "*",
            "SockJS allows credentials, and with them Spring takes no `*`: every request of another origin ends with status 500",
        );
        observation.severe = true;
        push(found, observation);
        return;
    }
    if let Some(span) = pattern.or(origin) {
        let mut observation = observation(
            ObservationKind::WebSocket,
            span,
            "*",
            "pages of every origin may open this WebSocket, and the visitor's cookies go with it",
        );
        observation
            .related
            .push((socket.span, "this endpoint".into()));
        push(found, observation);
    }
}
