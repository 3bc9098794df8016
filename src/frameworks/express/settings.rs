//! What a policy says, read off the answers that it gives.

use std::collections::BTreeMap;

use super::cors;
use super::exchange::is_cors;
use super::respond::Answered;
use super::site::FOREIGN;
use crate::model::{AllowedOrigin, Allows, Known, Origin, Setting, Settings, ValueSource};
use crate::source::Span;
use crate::syntax::javascript::eval::Comparison;
use crate::syntax::javascript::eval::heap::V;

/// The allowed origins that the answer to a foreign one shows.
pub(super) fn add_origins(settings: &mut Settings, answered: &Answered) {
    for compared in &answered.comparisons {
        let span = compared.with.span;
        let allows = match (&compared.with.v, compared.how) {
            (V::String(text), Comparison::Equal) if compared.whole => {
                Allows::Exact(text.to_string())
            }
            (V::String(text), Comparison::Pattern) => Allows::Pattern(text.to_string()),
            (V::String(text), _) => Allows::Predicate(vec![text.to_string()]),
            _ => Allows::Unknown,
        };
        if matches!(&allows, Allows::Predicate(texts) if texts.iter().all(|text| text.len() < 2)) {
            continue;
        }
        add_origin(settings, allows, span, false);
    }
    let line = answered
        .response
        .lines("access-control-allow-origin")
        .next();
    let Some(line) = line else { return };
    let span = line.value_span.unwrap_or(line.span);
    match &line.value {
        Known::Known(value) if value == "*" => add_origin(settings, Allows::Any, span, false),
        Known::Known(value) if line.sources.contains(&ValueSource::Origin) || value == FOREIGN => {
            let guarded = !answered.comparisons.is_empty() && line.decided_by.is_some();
            if !guarded {
                add_origin(settings, Allows::Any, span, false);
            }
        }
        Known::Known(value) => add_origin(settings, Allows::Exact(value.clone()), span, true),
        Known::Unknown => add_origin(settings, Allows::Unknown, span, false),
    }
}

fn add_origin(settings: &mut Settings, allows: Allows, span: Span, fixed: bool) {
    let problem = match &allows {
        Allows::Exact(text) if text != "*" => Origin::parse(text).err(),
        _ => None,
    };
    let entry = AllowedOrigin {
        allows,
        span,
        problem,
        negated: false,
        fixed,
    };
    let known = settings
        .origins
        .iter()
        .any(|known| known.span == entry.span && known.allows == entry.allows);
    if !known && settings.origins.len() < 1000 {
        settings.origins.push(entry);
    }
}

/// The other settings, as the answer to a preflight shows them.
pub(super) fn add_others(settings: &mut Settings, answered: &Answered) {
    let mut values: BTreeMap<&str, Setting> = BTreeMap::new();
    for line in &answered.response.headers {
        let (Known::Known(value), true) = (&line.value, is_cors(&line.name)) else {
            continue;
        };
        let name = match line.name.to_ascii_lowercase().as_str() {
            "access-control-allow-credentials" => "credentials",
            "access-control-allow-methods" => "methods",
            "access-control-allow-headers" => "headers",
            "access-control-expose-headers" => "exposed",
            "access-control-max-age" => "max-age",
            _ => continue,
        };
        let default = value == cors::METHODS && line.value_span == Some(line.span);
        let list = value.split(',').map(|item| item.trim().to_owned());
        values.insert(
            name,
            Setting {
                values: list.collect(),
                span: (!default).then_some(line.value_span.unwrap_or(line.span)),
            },
        );
    }
    let mut take = |name: &str, slot: &mut Option<Setting>| {
        if slot.is_none() {
            *slot = values.remove(name);
        }
    };
    take("credentials", &mut settings.credentials);
    take("methods", &mut settings.methods);
    take("headers", &mut settings.headers);
    take("exposed", &mut settings.exposed_headers);
    take("max-age", &mut settings.max_age);
}

/// The header for private networks, where the answer to a preflight that asks for it has one.
pub(super) fn add_private_network(settings: &mut Settings, answered: &Answered) {
    let line = answered
        .response
        .lines("access-control-allow-private-network");
    let Some(line) = line.into_iter().next() else {
        return;
    };
    if settings.private_network.is_none() && line.value != Known::Known("false".into()) {
        settings.private_network = Some(Setting {
            values: vec!["True".into()],
            span: Some(line.span),
        });
    }
}
