//! What an endpoint's settings evidently mean to allow.

use std::collections::HashSet;
use std::sync::Arc;

use super::exchange::ACAO;
use crate::config::Policy;
use crate::limits::rules::trusted::{MAX_CANDIDATES, MAX_TRUSTED};
use crate::model::{self, Allows, Endpoint, HostKind, Origin, Request, Response};

/// Stands for what is meant where every origin is allowed.
const ANYBODY: &str = "https://trusted.example";
/// Stands for a member of a list whose content is unknown.
const MEMBER: &str = "https://member-of-the-list.example";

/// What the settings mean to allow.
#[derive(Clone, Debug, Default)]
pub(super) struct Trusted {
    /// The origin of the trusted probe.
    pub(super) origin: String,
    pub(super) symbolic: bool,
    /// All that are known, `origin` among them unless it only stands for others.
    pub(super) all: Vec<String>,
}

/// Finds what the settings mean to allow: listed origins, samples of patterns, constants of
/// predicates; of several the first that is accepted, public https ones first.
pub(super) fn find_trusted(
    endpoint: &Endpoint,
    policy: Option<&Policy>,
    method: &str,
    ask: impl Fn(&Request) -> Arc<Vec<Response>>,
) -> Trusted {
    let mut candidates: Vec<String> = Vec::new();
    let mut known: HashSet<String> = HashSet::new();
    let mut add = |text: &str| {
        if candidates.len() < MAX_CANDIDATES
            && Origin::parse(text).is_ok_and(|origin| origin != Origin::Opaque)
            && known.insert(text.to_owned())
        {
            candidates.push(text.to_owned());
        }
    };
    for origin in policy.iter().flat_map(|policy| policy.named()) {
        add(origin);
    }
    let mut unknown = false;
    for entry in endpoint
        .settings
        .origins
        .iter()
        .filter(|entry| !entry.negated)
    {
        match &entry.allows {
            Allows::Exact(text) => add(text),
            Allows::Pattern(pattern) => {
                for sample in model::sample_pattern(pattern, 32) {
                    add(&sample);
                }
            }
            Allows::Predicate(constants) => {
                for constant in constants {
                    add(constant);
                    add(&format!("https://{}", constant.trim_start_matches('.')));
                    add(&format!("https://app.{}", constant.trim_start_matches('.')));
                }
            }
            Allows::Any => {}
            Allows::Unknown => unknown = true,
        }
    }
    candidates.sort_by_key(|origin| rank(origin));
    candidates.truncate(MAX_TRUSTED);
    let is_accepted = |origin: &String| {
        let url = || endpoint.url.clone();
        let requests = [
            Request {
                method: method.to_owned(),
                ..Request::actual(url(), Some(origin))
            },
            Request::preflight(url(), origin, "GET", &[]),
        ];
        requests.iter().any(|request| {
            ask(request).iter().any(|response| {
                let allowed = response.value(ACAO).known().flatten();
                allowed.is_some_and(|allowed| allowed == *origin)
            })
        })
    };
    let accepted: Vec<String> = candidates
        .iter()
        .filter(|origin| is_accepted(origin))
        .cloned()
        .collect();
    if let Some(origin) = accepted.first().cloned() {
        return Trusted {
            origin,
            symbolic: false,
            all: accepted,
        };
    }
    if unknown {
        return Trusted {
            origin: MEMBER.into(),
            symbolic: true,
            all: candidates,
        };
    }
    let origin = candidates
        .first()
        .cloned()
        .unwrap_or_else(|| ANYBODY.into());
    Trusted {
        origin,
        symbolic: false,
        all: candidates,
    }
}

/// Public https origins before public http ones, before the rest.
fn rank(origin: &str) -> u8 {
    let Ok(origin) = Origin::parse(origin) else {
        return 3;
    };
    let public =
        origin.host_kind() == Some(HostKind::Public) && origin.development_host().is_none();
    match (public, origin.scheme()) {
        (true, Some("https")) => 0,
        (true, _) => 1,
        (false, _) => 2,
    }
}
