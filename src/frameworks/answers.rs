//! What frameworks share that run code for one request in several ways.

use crate::model::{Allows, Answer, HeaderLine, Known, Outcome, Response, Settings};

/// A probe that is no preflight is a request that succeeds: where some way leads to the handler,
/// the ways that refuse the request are not asked about.
pub(crate) fn keep_successes(responses: &mut Vec<Response>) {
    let succeeds = |response: &Response| {
        let refused = matches!(
            response.answered_by.kind,
            Answer::Authentication | Answer::Redirect | Answer::ErrorPage | Answer::NotFound
        );
        matches!(response.outcome, Outcome::Status(_)) && !refused
    };
    if responses.iter().any(succeeds) {
        responses.retain(succeeds);
    }
}

/// One response that says what all of them agree on.
pub(crate) fn merge(responses: Vec<Response>) -> Response {
    let mut responses = responses.into_iter();
    let Some(mut merged) = responses.next() else {
        return Response::new(Known::Unknown, Answer::Handler, None);
    };
    for response in responses {
        if merged.outcome != response.outcome {
            merged.outcome = Outcome::Status(Known::Unknown);
        }
        if merged.cacheable != response.cacheable {
            merged.cacheable = Known::Unknown;
        }
        let names: Vec<String> = merged
            .headers
            .iter()
            .chain(&response.headers)
            .map(|line| line.name.to_ascii_lowercase())
            .collect();
        let mut lines: Vec<HeaderLine> = Vec::new();
        for name in names {
            if lines
                .iter()
                .any(|line| line.name.eq_ignore_ascii_case(&name))
            {
                continue;
            }
            let ours: Vec<HeaderLine> = merged.lines(&name).cloned().collect();
            let theirs: Vec<HeaderLine> = response.lines(&name).cloned().collect();
            let values = |lines: &[HeaderLine]| -> Vec<Known<String>> {
                lines.iter().map(|line| line.value.clone()).collect()
            };
            if values(&ours) == values(&theirs) {
                lines.extend(ours);
            } else if let Some(line) = ours.first().or(theirs.first()) {
                lines.push(HeaderLine {
                    value: Known::Unknown,
                    ..line.clone()
                });
            }
        }
        merged.headers = lines;
        merged
            .dropped
            .retain(|dropped| response.dropped.contains(dropped));
    }
    merged
}

/// May a shared cache keep the response (RFC 9111 §3), as far as its own lines tell?
pub(crate) fn cacheable(response: &Response, method: &str) -> Known<bool> {
    let forbids = |value: &str| {
        let value = value.to_ascii_lowercase();
        value.contains("no-store") || value.contains("private")
    };
    match (response.status(), response.value("cache-control")) {
        (Some(200), Known::Known(Some(value))) => Known::Known(method == "GET" && !forbids(&value)),
        (Some(200), Known::Known(None)) => Known::Known(method == "GET"),
        (Some(_), Known::Known(_)) => Known::Known(false),
        _ => Known::Unknown,
    }
}

/// A page that came over https may call nothing that is reached over plain http.
pub(crate) fn is_secure(settings: &Settings) -> Known<bool> {
    let from_https = settings.origins.iter().any(|entry| match &entry.allows {
        Allows::Exact(text) | Allows::Pattern(text) => text.contains("https"),
        Allows::Predicate(texts) => texts.iter().any(|text| text.contains("https")),
        _ => false,
    });
    if from_https {
        Known::Known(true)
    } else {
        Known::Unknown
    }
}

/// Does a cookie's name say that it stands for a login? One against forged requests does not.
pub(crate) fn is_login(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    let has = |parts: &[&str]| parts.iter().any(|part| lower.contains(part));
    has(&["sess", "token", "sid", "auth", "jwt"]) && !has(&["csrf", "xsrf"])
}
