//! What tells browsers apart: the texts in their consoles, and how long they keep a preflight.
//!
//! Chromium's texts are those of `third_party/blink/renderer/platform/loader/cors/
//! cors_error_string.cc`, Firefox's of `dom/locales/en-US/chrome/security/security.properties` and
//! `netwerk/protocol/http/nsCORSListenerProxy.cpp`, Safari's of `Source/WebCore/loader/
//! CrossOriginAccessControl.cpp` and `CrossOriginPreflightResultCache.cpp`.

use super::headers::{DEFAULT_MAX_AGE, is_token};
use super::{Allowed, Failure, is_safelisted_method, trim};
use crate::model::{Known, Request, Response};

/// A family of browsers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Browser {
    /// Chrome, Edge and others on Chromium.
    Chrome,
    /// Firefox.
    Firefox,
    /// Safari and every browser on iOS.
    Safari,
}

/// What made the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Initiator {
    /// `fetch()`.
    Fetch,
    /// `XMLHttpRequest`.
    Xhr,
    /// An element or another API, by Chromium's name for it: `image`, `script`, `font`,
    /// `CSS stylesheet`, `audio`, `resource` for EventSource.
    Other(&'static str),
}

impl Initiator {
    const fn name(self) -> &'static str {
        match self {
            Self::Fetch => "fetch",
            Self::Xhr => "XMLHttpRequest",
            Self::Other(name) => name,
        }
    }
}

/// What a console text speaks of.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// What made the request.
    pub initiator: Initiator,
    /// The origin of the page.
    pub page: &'a str,
    /// The URL that was asked.
    pub url: &'a str,
    /// The URL at which a chain of redirects started.
    pub redirected_from: Option<&'a str>,
    /// The request's credentials mode is `include`.
    pub include: bool,
    /// The request that failed: the preflight, if it is that which failed.
    pub request: &'a Request,
    /// Its response.
    pub response: &'a Response,
}

/// The exact text that a browser prints for a failure; lines are separated by `\n`. Nothing if the
/// text needs what is unknown, or the browser prints none.
///
/// Safari looks at a preflight's status before its headers; its text follows its own order.
#[must_use]
pub fn console(failure: Failure, browser: Browser, context: &Context<'_>) -> Option<String> {
    match browser {
        Browser::Chrome => chrome(failure, context),
        Browser::Firefox => firefox(failure, context),
        Browser::Safari => safari(failure, context),
    }
}

/// Does Chrome print only its network error's name for a failure (`net::ERR_EMPTY_RESPONSE`,
/// `net::ERR_UNSAFE_REDIRECT`, `net::ERR_TOO_MANY_REDIRECTS`), and nothing about CORS?
#[must_use]
pub const fn is_network_error(failure: Failure) -> bool {
    matches!(
        failure,
        Failure::Network | Failure::RedirectScheme | Failure::RedirectMode | Failure::Redirects
    )
}

impl Context<'_> {
    /// The combined value of a response header, each line without the space around it; empty if it
    /// is absent.
    fn value(&self, name: &str) -> Option<String> {
        let lines = self.response.lines(name);
        let values = lines.map(|line| line.value.as_ref().known().map(|value| trim(value)));
        let values = values.collect::<Option<Vec<_>>>()?;
        if values.is_empty() && self.response.may_have_unseen(name) {
            return None;
        }
        Some(values.join(", "))
    }

    fn allow_origin(&self) -> Option<String> {
        self.value("access-control-allow-origin")
    }

    fn status(&self) -> Option<u16> {
        self.response.status()
    }

    fn method(&self) -> &str {
        self.request
            .requested_method
            .as_deref()
            .unwrap_or(&self.request.method)
    }

    /// The first requested header that is not allowed. Of several, Chromium names the one that its hash
    /// table of headers gives first, which only Chromium can tell.
    fn header(&self) -> Option<&str> {
        let headers = Allowed::of(self.response, "access-control-allow-headers");
        let names = self.request.requested_headers.iter();
        names
            .map(String::as_str)
            .find(|name| headers.allows_header(name, self.include) == Known::Known(false))
    }

    /// The first member of a list that is no token.
    fn wrong_member(&self, name: &str) -> Option<String> {
        let value = self.value(name)?;
        let mut members = value.split(',').map(trim);
        members
            .find(|member| !member.is_empty() && !is_token(member))
            .map(Into::into)
    }

    /// Is it a preflight without a status of success? Safari never gets to the headers of one.
    fn preflight_status_failed(&self) -> bool {
        self.request.is_preflight()
            && self
                .status()
                .is_some_and(|status| !(200..300).contains(&status))
    }
}

fn chrome(failure: Failure, context: &Context<'_>) -> Option<String> {
    // Have the server …: shown for fetch only. The credentials mode …: for XMLHttpRequest only.
    let repair = match context.initiator {
        Initiator::Fetch => " Have the server send the header with a valid value.",
        _ => "",
    };
    let with_credentials = match context.initiator {
        Initiator::Xhr => {
            " The credentials mode of requests initiated by the XMLHttpRequest is controlled by \
             the withCredentials attribute."
        }
        _ => "",
    };
    let reason = match failure {
        Failure::AcaoMissing => {
            "No 'Access-Control-Allow-Origin' header is present on the requested resource.".into()
        }
        Failure::AcaoMismatch => format!(
            "The 'Access-Control-Allow-Origin' header has a value '{}' that is not equal to the \
             supplied origin.{repair}",
            context.allow_origin()?
        ),
        Failure::AcaoMultiple => format!(
            "The 'Access-Control-Allow-Origin' header contains multiple values '{}', but only one \
             is allowed.{repair}",
            context.allow_origin()?
        ),
        Failure::AcaoInvalid => format!(
            "The 'Access-Control-Allow-Origin' header contains the invalid value '{}'.{repair}",
            context.allow_origin()?
        ),
        Failure::AcaoWildcardCredentials => format!(
            "The value of the 'Access-Control-Allow-Origin' header in the response must not be the \
             wildcard '*' when the request's credentials mode is 'include'.{with_credentials}"
        ),
        Failure::AcacNotTrue => format!(
            "The value of the 'Access-Control-Allow-Credentials' header in the response is '{}' \
             which must be 'true' when the request's credentials mode is \
             'include'.{with_credentials}",
            context.value("access-control-allow-credentials")?
        ),
        Failure::PreflightStatus => "It does not have HTTP ok status.".into(),
        Failure::PreflightRedirect => "Redirect is not allowed for a preflight request.".into(),
        Failure::Scheme | Failure::Mode => return chrome_before_sending(failure, context),
        // The place in Chromium that prints it has no location at hand.
        Failure::RedirectCredentials => "Redirect location '' contains a username and password, \
                                         which is disallowed for cross-origin requests."
            .into(),
        Failure::Method => format!(
            "Method {} is not allowed by Access-Control-Allow-Methods in preflight response.",
            context.method()
        ),
        Failure::Header => format!(
            "Request header field {} is not allowed by Access-Control-Allow-Headers in preflight \
             response.",
            context.header()?
        ),
        Failure::MethodsSyntax => {
            "Cannot parse Access-Control-Allow-Methods response header field in preflight response."
                .into()
        }
        Failure::HeadersSyntax => {
            "Cannot parse Access-Control-Allow-Headers response header field in preflight response."
                .into()
        }
        // See `is_network_error`.
        Failure::Network | Failure::RedirectScheme | Failure::RedirectMode | Failure::Redirects => {
            return None;
        }
    };
    let is_access_check = matches!(
        failure,
        Failure::AcaoMissing
            | Failure::AcaoMismatch
            | Failure::AcaoMultiple
            | Failure::AcaoInvalid
            | Failure::AcaoWildcardCredentials
            | Failure::AcacNotTrue
            | Failure::PreflightStatus
            | Failure::PreflightRedirect
    );
    let preflight = if is_access_check && context.request.is_preflight() {
        "Response to preflight request doesn't pass access control check: "
    } else {
        ""
    };
    let from = context
        .redirected_from
        .map(|url| format!(" (redirected from '{url}')"))
        .unwrap_or_default();
    Some(format!(
        "Access to {} at '{}'{from} from origin '{}' has been blocked by CORS policy: \
         {preflight}{reason}",
        context.initiator.name(),
        context.url,
        context.page
    ))
}

/// What Chromium says of a request that it does not even send.
fn chrome_before_sending(failure: Failure, context: &Context<'_>) -> Option<String> {
    let Context { url, page, .. } = context;
    let scheme = url.split(':').next().unwrap_or_default();
    Some(match (failure, context.initiator) {
        (Failure::Mode, _) => format!(
            "Fetch API cannot load {url}. Request mode is \"same-origin\" but the URL's origin is \
             not same as the request origin {page}."
        ),
        _ if scheme == "file" => format!("Not allowed to load local resource: {url}"),
        (_, Initiator::Fetch) => {
            format!("Fetch API cannot load {url}. URL scheme \"{scheme}\" is not supported.")
        }
        (_, initiator) => format!(
            "Access to {} at '{url}' from origin '{page}' has been blocked by CORS policy: Cross \
             origin requests are only supported for protocol schemes: chrome, \
             chrome-experimental-site-token-provider, chrome-extension, chrome-untrusted, data, \
             http, https, isolated-app.",
            initiator.name()
        ),
    })
}

fn firefox(failure: Failure, context: &Context<'_>) -> Option<String> {
    let status = || context.status().map(|status| status.to_string());
    let mut status_code = None;
    let reason = match failure {
        Failure::AcaoMissing => {
            status_code = Some(status()?);
            "CORS header ‘Access-Control-Allow-Origin’ missing".into()
        }
        Failure::AcaoMultiple | Failure::AcaoMismatch | Failure::AcaoInvalid => {
            let lines = context.response.lines("access-control-allow-origin");
            // Firefox counts lines and does not look for commas.
            if lines.count() > 1 {
                "Multiple CORS header ‘Access-Control-Allow-Origin’ not allowed".into()
            } else {
                format!(
                    "CORS header ‘Access-Control-Allow-Origin’ does not match ‘{}’",
                    context.allow_origin()?
                )
            }
        }
        Failure::AcaoWildcardCredentials => {
            "Credential is not supported if the CORS header ‘Access-Control-Allow-Origin’ is ‘*’"
                .into()
        }
        Failure::AcacNotTrue => {
            "expected ‘true’ in CORS header ‘Access-Control-Allow-Credentials’".into()
        }
        Failure::PreflightStatus => {
            status_code = Some(status()?);
            "CORS preflight response did not succeed".into()
        }
        Failure::PreflightRedirect | Failure::RedirectCredentials => {
            "CORS request external redirect not allowed".into()
        }
        Failure::Scheme => "CORS request not http".into(),
        // Its words for these are not known for certain.
        Failure::Mode | Failure::RedirectMode | Failure::RedirectScheme | Failure::Redirects => {
            return None;
        }
        Failure::Method => {
            "Did not find method in CORS header ‘Access-Control-Allow-Methods’".into()
        }
        Failure::Header => format!(
            "header ‘{}’ is not allowed according to header ‘Access-Control-Allow-Headers’ from \
             CORS preflight response",
            context.header()?
        ),
        Failure::MethodsSyntax => format!(
            "invalid token ‘{}’ in CORS header ‘Access-Control-Allow-Methods’",
            context.wrong_member("access-control-allow-methods")?
        ),
        Failure::HeadersSyntax => {
            // Firefox judges the method before it reads the other list.
            let methods = Allowed::of(context.response, "access-control-allow-methods");
            let method = context.method();
            if !is_safelisted_method(method)
                && methods.allows_method(method, context.include) == Known::Known(false)
            {
                return firefox(Failure::Method, context);
            }
            format!(
                "invalid token ‘{}’ in CORS header ‘Access-Control-Allow-Headers’",
                context.wrong_member("access-control-allow-headers")?
            )
        }
        Failure::Network => {
            status_code = Some("(null)".into());
            "CORS request did not succeed".into()
        }
    };
    let status_code = status_code
        .map(|status| format!(" Status code: {status}."))
        .unwrap_or_default();
    let url = match failure {
        Failure::AcaoWildcardCredentials => format!("‘{}’", context.url),
        _ => context.url.into(),
    };
    Some(format!(
        "Cross-Origin Request Blocked: The Same Origin Policy disallows reading the remote resource \
         at {url}. (Reason: {reason}).{status_code}"
    ))
}

fn safari(failure: Failure, context: &Context<'_>) -> Option<String> {
    let status = context.status();
    let reason = match failure {
        Failure::Network => None,
        // Its words for these are not known for certain.
        Failure::RedirectCredentials
        | Failure::RedirectScheme
        | Failure::RedirectMode
        | Failure::Redirects
        | Failure::Scheme
        | Failure::Mode => return None,
        _ if context.preflight_status_failed() => Some(format!(
            "Preflight response is not successful. Status code: {}",
            status?
        )),
        Failure::PreflightStatus | Failure::PreflightRedirect => Some(format!(
            "Preflight response is not successful. Status code: {}",
            status?
        )),
        Failure::AcaoMultiple if context.allow_origin()?.contains(',') => {
            Some("Access-Control-Allow-Origin cannot contain more than one origin.".into())
        }
        Failure::AcaoMissing
        | Failure::AcaoMismatch
        | Failure::AcaoMultiple
        | Failure::AcaoInvalid => Some(format!(
            "Origin {} is not allowed by Access-Control-Allow-Origin. Status code: {}",
            context.request.origin.as_deref()?,
            status?
        )),
        Failure::AcaoWildcardCredentials => Some(
            "Cannot use wildcard in Access-Control-Allow-Origin when credentials flag is true."
                .into(),
        ),
        Failure::AcacNotTrue => Some(
            "Credentials flag is true, but Access-Control-Allow-Credentials is not \"true\"."
                .into(),
        ),
        Failure::Method => Some(format!(
            "Method {} is not allowed by Access-Control-Allow-Methods.",
            context.method()
        )),
        Failure::Header => Some(format!(
            "Request header field {} is not allowed by Access-Control-Allow-Headers.",
            context.header()?
        )),
        Failure::MethodsSyntax => Some(format!(
            "Header Access-Control-Allow-Methods has an invalid value: {}",
            context.value("access-control-allow-methods")?
        )),
        Failure::HeadersSyntax => Some(format!(
            "Header Access-Control-Allow-Headers has an invalid value: {}",
            context.value("access-control-allow-headers")?
        )),
    };
    let verdict = match context.initiator {
        Initiator::Fetch => "Fetch API cannot load",
        Initiator::Xhr => "XMLHttpRequest cannot load",
        Initiator::Other(_) => return reason,
    };
    let verdict = format!("{verdict} {} due to access control checks.", context.url);
    Some(match reason {
        Some(reason) => format!("{reason}\n{verdict}"),
        None => verdict,
    })
}

/// For how many seconds a browser keeps a preflight's answer, by the combined value of
/// Access-Control-Max-Age. Zero: not at all.
#[must_use]
pub fn preflight_cache_seconds(browser: Browser, value: Option<&str>) -> u64 {
    let value = value.map(trim).unwrap_or_default();
    let signed = || {
        value.parse::<i64>().map_or(DEFAULT_MAX_AGE, |seconds| {
            u64::try_from(seconds).unwrap_or(0)
        })
    };
    match browser {
        Browser::Chrome => signed().min(7200),
        Browser::Safari => signed().min(600),
        Browser::Firefox if value.is_empty() => DEFAULT_MAX_AGE,
        Browser::Firefox if value.bytes().all(|byte| byte.is_ascii_digit()) => {
            value.parse().unwrap_or(u64::MAX).min(86400)
        }
        Browser::Firefox => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fetch::{Check, preflight_check};
    use crate::model::{Answer, HeaderLine, Url};
    use crate::source::Sources;

    fn response(status: u16, headers: &[(&str, &str)]) -> Response {
        let span = Sources::new().add("a".into(), "a".into()).span();
        let mut response = Response::new(Known::Known(status), Answer::Handler, Some(span));
        response.headers = headers
            .iter()
            .map(|(name, value)| HeaderLine {
                name: (*name).into(),
                value: Known::Known((*value).into()),
                span,
                value_span: None,
                sources: Vec::new(),
                decided_by: None,
            })
            .collect();
        response
    }

    fn printed(browser: Browser, response: &Response, include: bool) -> Option<String> {
        let url = Url {
            scheme: "https".into(),
            host: "api.example.com".into(),
            port: None,
            path: "/".into(),
            query: None,
        };
        let request = Request::preflight(url, "https://a.example", "PUT", &["x-a"]);
        let Check::Fail(failure) = preflight_check(&request, response, include) else {
            return None;
        };
        let context = Context {
            initiator: Initiator::Fetch,
            page: "https://a.example",
            url: "https://api.example.com/",
            redirected_from: None,
            include,
            request: &request,
            response,
        };
        console(failure, browser, &context)
    }

    /// Expected texts: composed by hand from the formats of Firefox's security.properties.
    #[test]
    fn firefox_says() {
        let start = "Cross-Origin Request Blocked: The Same Origin Policy disallows reading the \
                     remote resource at https://api.example.com/. (Reason: ";
        let origin = ("Access-Control-Allow-Origin", "https://a.example");
        let put = ("Access-Control-Allow-Methods", "PUT");
        for (status, headers, reason) in [
            (
                404,
                vec![],
                "CORS header ‘Access-Control-Allow-Origin’ missing). Status code: 404.",
            ),
            (
                404,
                vec![origin],
                "CORS preflight response did not succeed). Status code: 404.",
            ),
            (
                204,
                vec![("Access-Control-Allow-Origin", "https://b.example")],
                "CORS header ‘Access-Control-Allow-Origin’ does not match ‘https://b.example’).",
            ),
            (
                204,
                vec![origin, origin],
                "Multiple CORS header ‘Access-Control-Allow-Origin’ not allowed).",
            ),
            (
                204,
                vec![origin],
                "Did not find method in CORS header ‘Access-Control-Allow-Methods’).",
            ),
            (
                204,
                vec![origin, ("Access-Control-Allow-Headers", "a b")],
                "Did not find method in CORS header ‘Access-Control-Allow-Methods’).",
            ),
            (
                204,
                vec![origin, put, ("Access-Control-Allow-Headers", "x-a, a b")],
                "invalid token ‘a b’ in CORS header ‘Access-Control-Allow-Headers’).",
            ),
            (
                204,
                vec![origin, put],
                "header ‘x-a’ is not allowed according to header ‘Access-Control-Allow-Headers’ \
                 from CORS preflight response).",
            ),
        ] {
            let text = printed(Browser::Firefox, &response(status, &headers), false);
            assert_eq!(text, Some(format!("{start}{reason}")));
        }
    }

    /// Expected texts: composed by hand from WebKit's sources.
    #[test]
    fn safari_says() {
        let end = "Fetch API cannot load https://api.example.com/ due to access control checks.";
        let origin = ("Access-Control-Allow-Origin", "https://a.example");
        for (status, headers, include, reason) in [
            (
                404,
                vec![],
                false,
                "Preflight response is not successful. Status code: 404",
            ),
            (
                204,
                vec![],
                false,
                "Origin https://a.example is not allowed by Access-Control-Allow-Origin. Status \
                 code: 204",
            ),
            (
                204,
                vec![("Access-Control-Allow-Origin", "*")],
                true,
                "Cannot use wildcard in Access-Control-Allow-Origin when credentials flag is true.",
            ),
            (
                204,
                vec![origin, ("Access-Control-Allow-Methods", "GET; PUT")],
                false,
                "Header Access-Control-Allow-Methods has an invalid value: GET; PUT",
            ),
        ] {
            let text = printed(Browser::Safari, &response(status, &headers), include);
            assert_eq!(text, Some(format!("{reason}\n{end}")));
        }
    }

    #[test]
    fn unknown_values_are_never_printed() {
        let mut unknown = response(204, &[("Access-Control-Allow-Origin", "x")]);
        unknown.headers[0].value = Known::Unknown;
        assert_eq!(printed(Browser::Chrome, &unknown, false), None);
    }

    #[test]
    fn preflights_are_kept_within_each_browsers_bounds() {
        use Browser::{Chrome, Firefox, Safari};
        for (value, chrome, firefox, safari) in [
            (None, 5, 5, 5),
            (Some(""), 5, 5, 5),
            (Some("300"), 300, 300, 300),
            (Some("0"), 0, 0, 0),
            (Some("-1"), 0, 0, 0),
            (Some("10m"), 5, 0, 5),
            (Some("600, 600"), 5, 0, 5),
            (Some("100000"), 7200, 86400, 600),
        ] {
            assert_eq!(preflight_cache_seconds(Chrome, value), chrome, "{value:?}");
            assert_eq!(
                preflight_cache_seconds(Firefox, value),
                firefox,
                "{value:?}"
            );
            assert_eq!(preflight_cache_seconds(Safari, value), safari, "{value:?}");
        }
    }
}
