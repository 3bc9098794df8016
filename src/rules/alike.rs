//! When two endpoints are alike: everything that rules read of them is equal, places and names aside.
//!
//! Large configurations repeat themselves; endpoints that are alike are judged once, and what was
//! decided is written down for each at its own places.

use std::hash::{Hash, Hasher};

use crate::model::{Allows, Endpoint, Outcome, Response, Setting};

/// What stands behind the last dot of a path's last segment, lower case; empty without one.
pub(super) fn ending(path: &str) -> String {
    let name = path.rsplit('/').next().unwrap_or_default();
    let ending = name.rsplit_once('.').map_or("", |(_, ending)| ending);
    ending.to_ascii_lowercase()
}

/// Adds what rules can read of an endpoint itself. Its path is left to [`super::RuleSet`].
pub(super) fn hash_endpoint(endpoint: &Endpoint, hasher: &mut impl Hasher) {
    endpoint.url.scheme.hash(hasher);
    endpoint.secure.hash(hasher);
    endpoint.exposure.hash(hasher);
    endpoint.management.hash(hasher);
    endpoint.reads_headers.hash(hasher);
    for route in &endpoint.routes {
        route.method.hash(hasher);
    }
    endpoint.url.host.hash(hasher);
    ending(&endpoint.url.path).hash(hasher);
    let settings = &endpoint.settings;
    settings.inherited.hash(hasher);
    for entry in &settings.origins {
        match &entry.allows {
            Allows::Exact(text) => (0, text).hash(hasher),
            Allows::Any => 1.hash(hasher),
            Allows::Pattern(text) => (2, text).hash(hasher),
            Allows::Predicate(constants) => (3, constants).hash(hasher),
            Allows::Unknown => 4.hash(hasher),
        }
        (entry.problem, entry.negated, entry.fixed).hash(hasher);
    }
    let lists = [
        &settings.credentials,
        &settings.methods,
        &settings.headers,
        &settings.exposed_headers,
        &settings.max_age,
        &settings.private_network,
    ];
    for setting in lists {
        let values = |setting: &Setting| (setting.values.clone(), setting.span.is_some());
        setting.as_ref().map(values).hash(hasher);
    }
}

/// Adds what rules can read of a response.
pub(super) fn hash_response(response: &Response, hasher: &mut impl Hasher) {
    match &response.outcome {
        Outcome::Status(status) => status.hash(hasher),
        Outcome::NeverAnswers => 1.hash(hasher),
        Outcome::Throws(words) => words.hash(hasher),
    }
    response.headers.len().hash(hasher);
    for line in &response.headers {
        (&line.name, &line.value, &line.sources).hash(hasher);
        let decided = line.decided_by.as_ref();
        decided
            .map(|decision| (&decision.text, decision.pattern))
            .hash(hasher);
    }
    response.unseen.hash(hasher);
    response.dropped.len().hash(hasher);
    for dropped in &response.dropped {
        (
            &dropped.name,
            &dropped.value,
            dropped.reason,
            dropped.by_cors,
        )
            .hash(hasher);
    }
    response.withholds_origin.hash(hasher);
    for disabled in &response.disabled {
        disabled.name.hash(hasher);
    }
    let by = &response.answered_by;
    (by.kind, by.before_cors, by.inner).hash(hasher);
    response.cacheable.hash(hasher);
    if let Some(stored) = &response.stored {
        (
            stored.keyed_by_origin,
            stored.honours_vary,
            stored.stores_origin,
        )
            .hash(hasher);
    }
    for assumption in &response.assumes {
        (&assumption.text, assumption.holds).hash(hasher);
    }
}
