//! The browser's side: the CORS protocol of the Fetch standard over the model.
//!
//! What is checked is the standard's; where it leaves open which of several complaints comes first,
//! the order is Chromium's (`services/network/public/cpp/cors/cors.cc`). All functions take for
//! granted that the request is cross-origin: a same-origin response is read without any check.

mod browser;
mod call;
mod headers;
mod store;

pub use browser::{
    Browser, Context, Initiator, console, is_network_error, preflight_cache_seconds,
};
pub use call::{Call, Mode, Played, Step, play};
pub use headers::{
    DEFAULT_MAX_AGE, exposes, is_forbidden_method, is_forbidden_request_header,
    is_safelisted_method, is_safelisted_request_header, is_safelisted_response_header, is_token,
    max_age, needs_preflight, normalize_method, parse_list, unsafe_names, unsafe_request_headers,
};
pub use store::can_reuse;

use crate::model::{Known, Outcome, Request, Response, is_parsable_url};

/// Why a browser blocks an exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Failure {
    /// No Access-Control-Allow-Origin.
    AcaoMissing,
    /// Access-Control-Allow-Origin names another origin.
    AcaoMismatch,
    /// Access-Control-Allow-Origin holds several values.
    AcaoMultiple,
    /// Access-Control-Allow-Origin is neither an origin nor `*` nor `null`.
    AcaoInvalid,
    /// `*` for a request with credentials.
    AcaoWildcardCredentials,
    /// Access-Control-Allow-Credentials is not `true` for a request with credentials.
    AcacNotTrue,
    /// The preflight's status is not 2xx.
    PreflightStatus,
    /// The preflight is answered by a redirect.
    PreflightRedirect,
    /// Access-Control-Allow-Methods does not allow the method.
    Method,
    /// Access-Control-Allow-Headers does not allow a header.
    Header,
    /// Access-Control-Allow-Methods is not a list of tokens.
    MethodsSyntax,
    /// Access-Control-Allow-Headers is not a list of tokens.
    HeadersSyntax,
    /// A redirect leads to a URL with a user name or password.
    RedirectCredentials,
    /// A redirect leads out of http and https.
    RedirectScheme,
    /// There is a redirect, and the script wants none.
    RedirectMode,
    /// There are more than 20 redirects.
    Redirects,
    /// The URL is neither http nor https.
    Scheme,
    /// The URL has another origin, and the script wants its own only.
    Mode,
    /// There is no response.
    Network,
}

impl Failure {
    /// All kinds, in the order of their declaration.
    pub const ALL: [Self; 19] = [
        Self::AcaoMissing,
        Self::AcaoMismatch,
        Self::AcaoMultiple,
        Self::AcaoInvalid,
        Self::AcaoWildcardCredentials,
        Self::AcacNotTrue,
        Self::PreflightStatus,
        Self::PreflightRedirect,
        Self::Method,
        Self::Header,
        Self::MethodsSyntax,
        Self::HeadersSyntax,
        Self::RedirectCredentials,
        Self::RedirectScheme,
        Self::RedirectMode,
        Self::Redirects,
        Self::Scheme,
        Self::Mode,
        Self::Network,
    ];

    /// The name rules use (`acao-missing`, …).
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::AcaoMissing => "acao-missing",
            Self::AcaoMismatch => "acao-mismatch",
            Self::AcaoMultiple => "acao-multiple",
            Self::AcaoInvalid => "acao-invalid",
            Self::AcaoWildcardCredentials => "acao-wildcard-credentials",
            Self::AcacNotTrue => "acac-not-true",
            Self::PreflightStatus => "preflight-status",
            Self::PreflightRedirect => "preflight-redirect",
            Self::Method => "method",
            Self::Header => "header",
            Self::MethodsSyntax => "methods-syntax",
            Self::HeadersSyntax => "headers-syntax",
            Self::RedirectCredentials => "redirect-credentials",
            Self::RedirectScheme => "redirect-scheme",
            Self::RedirectMode => "redirect-mode",
            Self::Redirects => "too-many-redirects",
            Self::Scheme => "scheme",
            Self::Mode => "mode",
            Self::Network => "network",
        }
    }
}

/// Why a browser refuses, in plain words; completes "the browser refuses: …".
#[must_use]
pub const fn reason(failure: Failure) -> &'static str {
    match failure {
        Failure::AcaoMissing => "the response has no Access-Control-Allow-Origin",
        Failure::AcaoMismatch => {
            "Access-Control-Allow-Origin is not, byte for byte, the origin of the page"
        }
        Failure::AcaoMultiple => {
            "Access-Control-Allow-Origin holds more than one value, and only one is allowed"
        }
        Failure::AcaoInvalid => "Access-Control-Allow-Origin is neither an origin nor `*`",
        Failure::AcaoWildcardCredentials => {
            "Access-Control-Allow-Origin is `*`, which does not cover requests with credentials"
        }
        Failure::AcacNotTrue => {
            "Access-Control-Allow-Credentials is not `true`, and the request has credentials"
        }
        Failure::PreflightStatus => "the preflight is not answered with a status from 200 to 299",
        Failure::PreflightRedirect => {
            "the preflight is answered with a redirect, which browsers do not follow"
        }
        Failure::Method => "Access-Control-Allow-Methods does not list the method",
        Failure::Header => "Access-Control-Allow-Headers does not list a header of the request",
        Failure::MethodsSyntax => {
            "Access-Control-Allow-Methods is not a list of methods separated by commas"
        }
        Failure::HeadersSyntax => {
            "Access-Control-Allow-Headers is not a list of header names separated by commas"
        }
        Failure::RedirectCredentials => "the redirect leads to a URL with a user name or password",
        Failure::RedirectScheme => "the redirect leads to a URL that is neither http nor https",
        Failure::RedirectMode => "the script asked for no redirects, and there is one",
        Failure::Redirects => "there are more than 20 redirects",
        Failure::Scheme => "the URL is neither http nor https",
        Failure::Mode => "the script asked for its own origin only, and the URL has another",
        Failure::Network => "there is no response",
    }
}

/// What a browser makes of a response.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Check {
    /// It lets the script go on.
    Pass,
    /// It blocks.
    Fail(Failure),
    /// A header or status that decides is unknown.
    Unknown,
}

impl Check {
    /// Why it blocks, if it certainly does.
    #[must_use]
    pub const fn failure(self) -> Option<Failure> {
        match self {
            Self::Fail(failure) => Some(failure),
            _ => None,
        }
    }
}

/// The CORS check (Fetch standard, `#cors-check`) on a response to `request`;
/// `include`: the request's credentials mode is `include`.
#[must_use]
pub fn cors_check(request: &Request, response: &Response, include: bool) -> Check {
    if response.outcome == Outcome::NeverAnswers {
        return Check::Fail(Failure::Network);
    }
    let Some(origin) = &request.origin else {
        // Without an Origin header there was no CORS request.
        return Check::Pass;
    };
    let allowed = match response.value("access-control-allow-origin") {
        Known::Known(Some(value)) => value,
        Known::Known(None) => return Check::Fail(Failure::AcaoMissing),
        Known::Unknown => return Check::Unknown,
    };
    let allowed = trim(&allowed);
    if allowed == "*" {
        return if include {
            Check::Fail(Failure::AcaoWildcardCredentials)
        } else {
            Check::Pass
        };
    }
    if allowed != origin {
        return Check::Fail(acao_failure(allowed));
    }
    if !include {
        return Check::Pass;
    }
    match response.value("access-control-allow-credentials") {
        Known::Known(Some(value)) if trim(&value) == "true" => Check::Pass,
        Known::Known(_) => Check::Fail(Failure::AcacNotTrue),
        Known::Unknown => Check::Unknown,
    }
}

/// What Chromium says about a value that is not the origin.
fn acao_failure(value: &str) -> Failure {
    if value.contains([' ', ',']) {
        Failure::AcaoMultiple
    } else if value == "null" || is_parsable_url(value) {
        Failure::AcaoMismatch
    } else {
        Failure::AcaoInvalid
    }
}

/// The checks of a CORS-preflight fetch (Fetch standard, `#cors-preflight-fetch-0`) on the response
/// to the preflight `request`, for the method and headers that it asks for. As in every browser
/// today, `*` covers `Authorization`, although the standard wants it listed by name.
#[must_use]
pub fn preflight_check(request: &Request, response: &Response, include: bool) -> Check {
    let status = match &response.outcome {
        Outcome::Status(status) => *status,
        Outcome::NeverAnswers => return Check::Fail(Failure::Network),
        // Whatever the server makes of an exception, it is no success.
        Outcome::Throws(_) => Known::Known(500),
    };
    let status_check = match status {
        Known::Known(200..=299) => Check::Pass,
        Known::Known(301 | 302 | 303 | 307 | 308) => match response.value("location") {
            // Chromium finds a redirect before it looks at the headers.
            Known::Known(Some(_)) => return Check::Fail(Failure::PreflightRedirect),
            _ => Check::Fail(Failure::PreflightStatus),
        },
        Known::Known(_) => Check::Fail(Failure::PreflightStatus),
        Known::Unknown => Check::Unknown,
    };
    match (cors_check(request, response, include), status_check) {
        (Check::Fail(failure), _) => return Check::Fail(failure),
        // The status fails it whatever the headers are.
        (_, Check::Fail(failure)) => return Check::Fail(failure),
        (Check::Unknown, _) | (_, Check::Unknown) => return Check::Unknown,
        (Check::Pass, Check::Pass) => {}
    }
    let methods = Allowed::of(response, "access-control-allow-methods");
    let headers = Allowed::of(response, "access-control-allow-headers");
    if matches!(methods, Allowed::Malformed) {
        return Check::Fail(Failure::MethodsSyntax);
    }
    if matches!(headers, Allowed::Malformed) && !matches!(methods, Allowed::Unknown) {
        return Check::Fail(Failure::HeadersSyntax);
    }
    let method = request.requested_method.as_deref().unwrap_or("GET");
    let method_allowed = if is_safelisted_method(method) {
        Known::Known(true)
    } else {
        methods.allows_method(method, include)
    };
    if method_allowed == Known::Known(false) {
        return match headers {
            Allowed::Unknown => Check::Unknown,
            _ => Check::Fail(Failure::Method),
        };
    }
    let headers_allowed = request
        .requested_headers
        .iter()
        .map(|name| headers.allows_header(name, include))
        .fold(Known::Known(true), |all, one| match (all, one) {
            (Known::Known(false), _) | (_, Known::Known(false)) => Known::Known(false),
            (Known::Unknown, _) | (_, Known::Unknown) => Known::Unknown,
            _ => Known::Known(true),
        });
    match (method_allowed, headers_allowed) {
        (Known::Known(true), Known::Known(true)) => Check::Pass,
        (Known::Known(true), Known::Known(false)) => Check::Fail(Failure::Header),
        _ => Check::Unknown,
    }
}

/// The content of Access-Control-Allow-Methods or -Headers.
enum Allowed {
    List(Vec<String>),
    Malformed,
    Unknown,
}

impl Allowed {
    fn of(response: &Response, name: &str) -> Self {
        match response.value(name) {
            Known::Unknown => Self::Unknown,
            Known::Known(None) => Self::List(Vec::new()),
            Known::Known(Some(value)) => parse_list(&value).map_or(Self::Malformed, |list| {
                Self::List(list.into_iter().map(Into::into).collect())
            }),
        }
    }

    /// Methods are compared case-sensitively.
    fn allows_method(&self, method: &str, include: bool) -> Known<bool> {
        self.allows(include, |listed| listed == method)
    }

    fn allows_header(&self, name: &str, include: bool) -> Known<bool> {
        self.allows(include, |listed| listed.eq_ignore_ascii_case(name))
    }

    fn allows(&self, include: bool, is_it: impl Fn(&str) -> bool) -> Known<bool> {
        match self {
            Self::Unknown => Known::Unknown,
            Self::Malformed => Known::Known(false),
            Self::List(list) => Known::Known(
                list.iter()
                    .any(|listed| is_it(listed) || (listed == "*" && !include)),
            ),
        }
    }
}

/// Without leading and trailing HTTP white space (Fetch standard, "normalize" a header value).
fn trim(value: &str) -> &str {
    value.trim_matches([' ', '\t', '\r', '\n'])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Answer, HeaderLine, Url};
    use crate::source::Sources;

    const ORIGIN: &str = "https://a.example";
    const UNKNOWN: &str = "?";

    fn response(status: Option<u16>, headers: &[(&str, &str)]) -> Response {
        let span = Sources::new().add("a".into(), "a".into()).span();
        let mut response = Response::new(status.into(), Answer::Handler, None);
        let line = |(name, value): &(&str, &str)| HeaderLine {
            name: format!("Access-Control-Allow-{name}"),
            value: if *value == UNKNOWN {
                Known::Unknown
            } else {
                Known::Known((*value).into())
            },
            span,
            value_span: None,
            sources: Vec::new(),
            decided_by: None,
        };
        response.headers = headers.iter().map(line).collect();
        response
    }

    fn url() -> Url {
        Url {
            scheme: "https".into(),
            host: "api.example.com".into(),
            port: None,
            path: "/".into(),
            query: None,
        }
    }

    #[test]
    fn what_is_unknown_decides_only_where_it_matters() {
        let actual = Request::actual(url(), Some(ORIGIN));
        for (headers, without, with) in [
            (vec![("Origin", UNKNOWN)], Check::Unknown, Check::Unknown),
            (
                vec![("Origin", ORIGIN), ("Credentials", UNKNOWN)],
                Check::Pass,
                Check::Unknown,
            ),
            (
                vec![("Origin", "*"), ("Credentials", UNKNOWN)],
                Check::Pass,
                Check::Fail(Failure::AcaoWildcardCredentials),
            ),
            (
                vec![("Credentials", UNKNOWN)],
                Check::Fail(Failure::AcaoMissing),
                Check::Fail(Failure::AcaoMissing),
            ),
        ] {
            let response = response(None, &headers);
            assert_eq!(cors_check(&actual, &response, false), without);
            assert_eq!(cors_check(&actual, &response, true), with);
        }
        let mut behind_a_proxy = response(Some(200), &[]);
        behind_a_proxy.unseen = vec!["*".into()];
        assert_eq!(cors_check(&actual, &behind_a_proxy, false), Check::Unknown);
    }

    #[test]
    fn what_is_unknown_in_a_preflight() {
        let preflight = Request::preflight(url(), ORIGIN, "PUT", &["x-a"]);
        let origin = ("Origin", ORIGIN);
        for (status, headers, check) in [
            (
                Some(404),
                vec![("Origin", UNKNOWN)],
                Check::Fail(Failure::PreflightStatus),
            ),
            (None, vec![origin], Check::Unknown),
            (None, vec![], Check::Fail(Failure::AcaoMissing)),
            (
                Some(204),
                vec![origin, ("Methods", UNKNOWN), ("Headers", "x-b")],
                Check::Unknown,
            ),
            (
                Some(204),
                vec![origin, ("Methods", "GET"), ("Headers", UNKNOWN)],
                Check::Unknown,
            ),
            (
                Some(204),
                vec![origin, ("Methods", "PUT"), ("Headers", UNKNOWN)],
                Check::Unknown,
            ),
            (
                Some(204),
                vec![origin, ("Methods", "a b"), ("Headers", UNKNOWN)],
                Check::Fail(Failure::MethodsSyntax),
            ),
        ] {
            let response = response(status, &headers);
            assert_eq!(preflight_check(&preflight, &response, false), check);
        }
        let simple = Request::preflight(url(), ORIGIN, "POST", &[]);
        let response = response(Some(200), &[origin, ("Methods", UNKNOWN)]);
        assert_eq!(preflight_check(&simple, &response, false), Check::Pass);
    }

    #[test]
    fn no_response_and_no_origin() {
        let mut hanging = response(Some(200), &[]);
        hanging.outcome = Outcome::NeverAnswers;
        let actual = Request::actual(url(), Some(ORIGIN));
        let failure = Check::Fail(Failure::Network);
        assert_eq!(cors_check(&actual, &hanging, false), failure);
        let without = Request::actual(url(), None);
        let silent = response(Some(200), &[]);
        assert_eq!(cors_check(&without, &silent, false), Check::Pass);
    }
}
