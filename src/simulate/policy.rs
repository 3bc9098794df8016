//! The policy of an endpoint, as its answers show it.

use std::sync::Arc;

use super::{Way, in_all_worlds};
use crate::fetch::{Check, cors_check, parse_list};
use crate::limits::simulate::policy::MAX_LISTED;
use crate::model::{Allows, Endpoint, Known, Outcome, Request, Response, Site, World};
use crate::rules::trusted_origin;

/// The origin that nobody means to allow.
const FOREIGN: &str = "https://evil.example";
/// A header that no list names.
const ANY_HEADER: &str = "x-corslint-any";
/// Who may read what an endpoint answers, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Every origin may, unless it is unknown.
    pub everyone: Known<bool>,
    /// Listed origins that are accepted.
    pub origins: Vec<String>,
    /// Patterns and code that accept further origins, as written.
    pub patterns: Vec<String>,
    /// The opaque origin is accepted.
    pub null: Known<bool>,
    /// Content of the list is not in view.
    pub unknown: bool,
    /// A reader may send credentials; nothing if nobody may read.
    pub credentials: Known<Option<bool>>,
    /// Access-Control-Allow-Methods of a preflight.
    pub methods: Known<Option<String>>,
    /// Access-Control-Allow-Headers of a preflight; it sends back what is asked for if `headers_echo`.
    pub headers: Known<Option<String>>,
    /// Every header that is asked for is allowed by name.
    pub headers_echo: bool,
    /// Access-Control-Expose-Headers of an actual response.
    pub exposed: Known<Option<String>>,
    /// Access-Control-Max-Age of a preflight.
    pub max_age: Known<Option<String>>,
    /// The status of a preflight.
    pub preflight_status: Known<u16>,
    /// What answers a preflight; nothing if that depends on more than the deployment.
    pub preflight_by: Option<&'static str>,
    /// Vary of an actual response.
    pub vary: Known<Option<String>>,
}

/// The policy of an endpoint in every world, equal ones once.
#[must_use]
pub fn policies(site: &Arc<dyn Site>, endpoint: usize) -> Vec<Way<Policy>> {
    in_all_worlds(site.as_ref(), |world| {
        vec![(policy(site, endpoint, world), Vec::new())]
    })
}

fn policy(site: &Arc<dyn Site>, index: usize, world: &World) -> Policy {
    let endpoint = &site.endpoints()[index];
    let ask = |request: &Request| site.respond(index, request, world);
    let method = served_method(site, index, world);
    let request = |origin: &str| Request {
        method: method.into(),
        ..Request::actual(endpoint.url.clone(), Some(origin))
    };
    let accepts = |origin: &str| {
        let request = request(origin);
        let responses = ask(&request);
        same(&responses, |response| match response.outcome {
            Outcome::Status(Known::Known(400..)) => Known::Known(false),
            _ => match cors_check(&request, response, false) {
                Check::Pass => Known::Known(true),
                Check::Fail(_) => Known::Known(false),
                Check::Unknown => Known::Unknown,
            },
        })
    };
    let everyone = accepts(FOREIGN);
    let trusted = trusted_origin(site, index, world);
    let reader = match everyone {
        Known::Known(true) => FOREIGN,
        _ => &trusted.origin,
    };
    let mut actual = request(reader);
    actual.symbolic = trusted.symbolic && reader != FOREIGN;
    let names = ["authorization", "content-type", ANY_HEADER];
    let mut preflight = Request::preflight(endpoint.url.clone(), reader, "PUT", &names);
    preflight.symbolic = actual.symbolic;
    // What answers is told by a preflight that asks for as little as possible.
    let least = Request {
        requested_method: Some(method.into()),
        requested_headers: Vec::new(),
        ..preflight.clone()
    };
    let (actuals, preflights, least) = (ask(&actual), ask(&preflight), ask(&least));
    let value =
        |responses: &[Response], name: &str| same(responses, |response| response.value(name));
    let credentials = same(&actuals, |response| {
        match (
            cors_check(&actual, response, false),
            cors_check(&actual, response, true),
        ) {
            (_, Check::Pass) => Known::Known(Some(true)),
            (Check::Fail(_), _) => Known::Known(None),
            (_, Check::Fail(_)) => Known::Known(Some(false)),
            _ => Known::Unknown,
        }
    });
    let headers = value(&preflights, "access-control-allow-headers");
    let echo = matches!(&headers, Known::Known(Some(list))
        if parse_list(list).is_some_and(|list| list.contains(&ANY_HEADER)));
    let by = same(&least, |response| {
        Known::Known(response.answered_by.kind.name())
    });
    Policy {
        everyone,
        origins: listed(endpoint, &accepts),
        patterns: patterns(endpoint),
        null: accepts("null"),
        unknown: has_unknown(endpoint),
        credentials,
        methods: value(&preflights, "access-control-allow-methods"),
        headers,
        headers_echo: echo,
        exposed: value(&actuals, "access-control-expose-headers"),
        max_age: value(&preflights, "access-control-max-age"),
        preflight_status: same(&least, |response| response.status().into()),
        preflight_by: by.known(),
        vary: value(&actuals, "vary"),
    }
}

/// A method that the endpoint has something for: `GET` if it can be.
fn served_method(site: &Arc<dyn Site>, index: usize, world: &World) -> &'static str {
    let url = &site.endpoints()[index].url;
    let is_served = |method: &&str| {
        let request = Request {
            method: (*method).into(),
            ..Request::actual(url.clone(), None)
        };
        let responses = site.respond(index, &request, world);
        let refuses = |response: &Response| {
            matches!(response.outcome, Outcome::Status(Known::Known(404 | 405)))
        };
        !responses.iter().all(refuses)
    };
    let methods = ["GET", "POST", "PUT", "PATCH", "DELETE"];
    methods.into_iter().find(is_served).unwrap_or("GET")
}

/// What all responses agree on.
fn same<T: PartialEq>(responses: &[Response], read: impl Fn(&Response) -> Known<T>) -> Known<T> {
    let mut values = responses.iter().map(read);
    let Some(first) = values.next() else {
        return Known::Unknown;
    };
    if values.all(|value| value == first) {
        first
    } else {
        Known::Unknown
    }
}

fn listed(endpoint: &Endpoint, accepts: &dyn Fn(&str) -> Known<bool>) -> Vec<String> {
    let mut origins: Vec<String> = Vec::new();
    for entry in endpoint.settings.origins.iter().take(MAX_LISTED) {
        if let Allows::Exact(text) = &entry.allows
            && text != "*"
            && !origins.contains(text)
            && accepts(text) == Known::Known(true)
        {
            origins.push(text.clone());
        }
    }
    origins
}

fn patterns(endpoint: &Endpoint) -> Vec<String> {
    let mut patterns: Vec<String> = Vec::new();
    for entry in endpoint
        .settings
        .origins
        .iter()
        .filter(|entry| !entry.negated)
    {
        let text = match &entry.allows {
            Allows::Pattern(pattern) => format!("/{pattern}/"),
            Allows::Predicate(constants) if constants.is_empty() => "(code)".into(),
            Allows::Predicate(constants) => format!("(code with {})", constants.join(", ")),
            _ => continue,
        };
        if !patterns.contains(&text) {
            patterns.push(text);
        }
    }
    patterns
}

fn has_unknown(endpoint: &Endpoint) -> bool {
    let mut origins = endpoint.settings.origins.iter();
    origins.any(|entry| entry.allows == Allows::Unknown)
}
