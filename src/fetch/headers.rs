//! Methods and headers of the CORS protocol: safelists, forbidden names, list values.

use super::{Browser, trim};
use crate::model::{Known, Response};

/// How long a preflight is cached without a valid Access-Control-Max-Age, in seconds.
pub const DEFAULT_MAX_AGE: u64 = 5;

/// Is it a token (RFC 9110 §5.6.2): a method or a field name?
#[must_use]
pub fn is_token(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
}

/// The members of a comma-separated list of tokens (RFC 9110 §5.6.1; empty members are skipped), or
/// nothing if a member is not a token.
#[must_use]
pub fn parse_list(value: &str) -> Option<Vec<&str>> {
    value
        .split(',')
        .map(trim)
        .filter(|member| !member.is_empty())
        .map(|member| is_token(member).then_some(member))
        .collect()
}

/// The method as `fetch` sends it (Fetch standard, `#concept-method-normalize`): six methods are
/// written in upper case, others, `patch` among them, as they stand.
#[must_use]
pub fn normalize_method(method: &str) -> String {
    let upper = method.to_ascii_uppercase();
    match upper.as_str() {
        "DELETE" | "GET" | "HEAD" | "OPTIONS" | "POST" | "PUT" => upper,
        _ => method.into(),
    }
}

/// May a script never use this method (Fetch standard, `#forbidden-method`)?
#[must_use]
pub fn is_forbidden_method(method: &str) -> bool {
    ["CONNECT", "TRACE", "TRACK"]
        .iter()
        .any(|forbidden| method.eq_ignore_ascii_case(forbidden))
}

/// Does this method need no preflight (Fetch standard, `#cors-safelisted-method`)? Case-sensitive.
#[must_use]
pub fn is_safelisted_method(method: &str) -> bool {
    matches!(method, "GET" | "HEAD" | "POST")
}

/// Can a script never set this header (Fetch standard, `#forbidden-request-header`)?
#[must_use]
pub fn is_forbidden_request_header(name: &str, value: &str) -> bool {
    const NAMES: [&str; 21] = [
        "accept-charset",
        "accept-encoding",
        "access-control-request-headers",
        "access-control-request-method",
        "connection",
        "content-length",
        "cookie",
        "cookie2",
        "date",
        "dnt",
        "expect",
        "host",
        "keep-alive",
        "origin",
        "referer",
        "set-cookie",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "via",
    ];
    let name = name.to_ascii_lowercase();
    match name.as_str() {
        "x-http-method" | "x-http-method-override" | "x-method-override" => {
            value.split(',').map(trim).any(is_forbidden_method)
        }
        _ => {
            NAMES.contains(&name.as_str()) || name.starts_with("proxy-") || name.starts_with("sec-")
        }
    }
}

/// Does this header need no preflight (Fetch standard, `#cors-safelisted-request-header`)? The
/// 1024 bytes that all of them may have together are not looked at here.
#[must_use]
pub fn is_safelisted_request_header(name: &str, value: &str) -> bool {
    if value.len() > 128 {
        return false;
    }
    match name.to_ascii_lowercase().as_str() {
        "accept" => !value.bytes().any(is_unsafe_byte),
        "accept-language" | "content-language" => value
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b" *,-.;=".contains(&byte)),
        "content-type" => {
            let essence = trim(value.split(';').next().unwrap_or_default());
            !value.bytes().any(is_unsafe_byte)
                && [
                    "application/x-www-form-urlencoded",
                    "multipart/form-data",
                    "text/plain",
                ]
                .iter()
                .any(|safe| essence.eq_ignore_ascii_case(safe))
        }
        "range" => is_simple_range(value),
        _ => false,
    }
}

/// Fetch standard, "CORS-unsafe request-header byte".
fn is_unsafe_byte(byte: u8) -> bool {
    (byte < 0x20 && byte != b'\t') || byte == 0x7f || b"\"():<>?@[\\]{}".contains(&byte)
}

/// One range with a start: `bytes=0-99`, `bytes=5-` (Fetch standard, "parse a single range header
/// value" without white space, and a start).
fn is_simple_range(value: &str) -> bool {
    let Some((start, end)) = value
        .strip_prefix("bytes=")
        .and_then(|range| range.split_once('-'))
    else {
        return false;
    };
    let Some(start) = digits(start) else {
        return false;
    };
    end.is_empty() || digits(end).is_some_and(|end| start <= end)
}

fn digits(text: &str) -> Option<u64> {
    let only_digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    // More digits than fit are a very large number.
    only_digits.then(|| text.parse().unwrap_or(u64::MAX))
}

/// The lower-case, sorted names of the headers that the preflight names (Fetch standard,
/// `#cors-unsafe-request-header-names`), of those that a script has set. Forbidden headers are left
/// out, since the browser drops them.
#[must_use]
pub fn unsafe_request_headers(headers: &[(&str, &str)]) -> Vec<String> {
    unsafe_by(headers, is_safelisted_request_header)
}

/// Client hints that Chromium takes for safe, besides the standard's headers
/// (`services/network/public/cpp/cors/cors.cc`).
const CLIENT_HINTS: [&str; 7] = [
    "device-memory",
    "downlink",
    "dpr",
    "ect",
    "rtt",
    "viewport-width",
    "width",
];

/// Like [`unsafe_request_headers`], as a browser has it: Chromium takes client hints for safe.
#[must_use]
pub fn unsafe_names(headers: &[(&str, &str)], browser: Browser) -> Vec<String> {
    unsafe_by(headers, |name, value| {
        let name = name.to_ascii_lowercase();
        let is_hint = match &*name {
            "save-data" => value.eq_ignore_ascii_case("on"),
            name => CLIENT_HINTS.contains(&name),
        };
        browser == Browser::Chrome && is_hint || is_safelisted_request_header(&name, value)
    })
}

fn unsafe_by(headers: &[(&str, &str)], is_safe: impl Fn(&str, &str) -> bool) -> Vec<String> {
    let (safe, mut names): (Vec<_>, Vec<_>) = headers
        .iter()
        .filter(|(name, value)| !is_forbidden_request_header(name, value))
        .partition(|(name, value)| is_safe(name, value));
    if safe.iter().map(|(_, value)| value.len()).sum::<usize>() > 1024 {
        names.extend(safe);
    }
    let mut names: Vec<_> = names
        .into_iter()
        .map(|(name, _)| name.to_ascii_lowercase())
        .collect();
    names.sort_unstable();
    names.dedup();
    names
}

/// Does a cross-origin request with this method and these headers, as the script has set them, send
/// a preflight? (So do a stream as body and a listener for upload progress, whatever the headers.)
#[must_use]
pub fn needs_preflight(method: &str, headers: &[(&str, &str)]) -> bool {
    !is_safelisted_method(&normalize_method(method)) || !unsafe_request_headers(headers).is_empty()
}

/// Can a script read this response header without Access-Control-Expose-Headers (Fetch standard,
/// `#cors-safelisted-response-header-name`)?
#[must_use]
pub fn is_safelisted_response_header(name: &str) -> bool {
    [
        "cache-control",
        "content-language",
        "content-length",
        "content-type",
        "expires",
        "last-modified",
        "pragma",
    ]
    .iter()
    .any(|safe| name.eq_ignore_ascii_case(safe))
}

/// Can a script read the header `name` of a response that passed the CORS check? One wrong member
/// voids the whole Access-Control-Expose-Headers; `*` is a name like others with credentials.
#[must_use]
pub fn exposes(response: &Response, name: &str, include: bool) -> Known<bool> {
    if name.eq_ignore_ascii_case("set-cookie") || name.eq_ignore_ascii_case("set-cookie2") {
        return Known::Known(false);
    }
    if is_safelisted_response_header(name) {
        return Known::Known(true);
    }
    response
        .value("access-control-expose-headers")
        .map(|value| {
            let listed = value.as_deref().and_then(parse_list).unwrap_or_default();
            listed
                .iter()
                .any(|listed| listed.eq_ignore_ascii_case(name) || (*listed == "*" && !include))
        })
}

/// For how many seconds the standard lets a preflight be cached, by the combined value of
/// Access-Control-Max-Age: 5 if it is absent or no number. Browsers' own bounds are not applied.
#[must_use]
pub fn max_age(value: Option<&str>) -> u64 {
    value.map(trim).and_then(digits).unwrap_or(DEFAULT_MAX_AGE)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Answer, HeaderLine};
    use crate::source::Sources;

    #[test]
    fn lists_hold_tokens_only() {
        assert_eq!(parse_list("GET, PUT"), Some(vec!["GET", "PUT"]));
        assert_eq!(parse_list(" ,GET,,\tPUT ,"), Some(vec!["GET", "PUT"]));
        assert_eq!(parse_list(""), Some(vec![]));
        assert_eq!(parse_list("*"), Some(vec!["*"]));
        for wrong in ["GET; PUT", "GET PUT", "\"GET\"", "[GET]", "X-A:1", "é"] {
            assert_eq!(parse_list(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn methods() {
        assert_eq!(normalize_method("put"), "PUT");
        assert_eq!(normalize_method("patch"), "patch");
        assert!(is_forbidden_method("Trace"));
        assert!(!is_safelisted_method("get"));
        assert!(needs_preflight("patch", &[]));
        assert!(!needs_preflight("post", &[]));
    }

    #[test]
    fn safelisted_request_headers() {
        let long = "a".repeat(129);
        for (name, value, safe) in [
            ("Accept", "*/*", true),
            ("Accept", "a(b)", false),
            ("accept", "a\tb", true),
            ("accept", long.as_str(), false),
            ("Accept-Language", "de-DE,de;q=0.9", true),
            ("Content-Language", "de_DE", false),
            ("Content-Type", "text/plain;charset=UTF-8", true),
            ("Content-Type", " TEXT/PLAIN ", true),
            ("Content-Type", "text/plain; a=\"b\"", false),
            ("Content-Type", "multipart/form-data; boundary=x", true),
            ("Content-Type", "application/json", false),
            ("Content-Type", "", false),
            ("Range", "bytes=0-99", true),
            ("Range", "bytes=5-", true),
            ("Range", "bytes=-500", false),
            ("Range", "bytes=9-5", false),
            ("Range", "bytes=0-1,5-6", false),
            ("Authorization", "x", false),
        ] {
            assert_eq!(
                is_safelisted_request_header(name, value),
                safe,
                "{name}: {value}"
            );
        }
    }

    #[test]
    fn the_preflight_names_unsafe_headers_lower_case_and_sorted() {
        let names = unsafe_request_headers(&[
            ("X-B", "1"),
            ("Authorization", "x"),
            ("Accept", "*/*"),
            ("Cookie", "a=b"),
            ("x-b", "2"),
            ("Content-Type", "application/json"),
        ]);
        assert_eq!(names, ["authorization", "content-type", "x-b"]);
    }

    #[test]
    fn too_many_safe_bytes_are_unsafe() {
        let value = "a".repeat(128);
        let nine: Vec<_> = (0..9).map(|_| ("accept", value.as_str())).collect();
        assert_eq!(unsafe_request_headers(&nine), ["accept"]);
        assert!(unsafe_request_headers(&nine[..8]).is_empty());
    }

    #[test]
    fn forbidden_request_headers() {
        for name in ["Cookie", "Sec-Fetch-Mode", "proxy-authorization", "DNT"] {
            assert!(is_forbidden_request_header(name, "x"), "{name}");
        }
        assert!(is_forbidden_request_header(
            "X-HTTP-Method-Override",
            "get, TRACE"
        ));
        assert!(!is_forbidden_request_header(
            "X-HTTP-Method-Override",
            "PUT"
        ));
        assert!(!is_forbidden_request_header("User-Agent", "x"));
    }

    #[test]
    fn max_age_is_decimal_seconds_or_five() {
        assert_eq!(max_age(Some(" 600 ")), 600);
        assert_eq!(max_age(Some("0")), 0);
        assert_eq!(max_age(Some("99999999999999999999999")), u64::MAX);
        for odd in [
            None,
            Some(""),
            Some("-1"),
            Some("600, 600"),
            Some("10m"),
            Some("+1"),
        ] {
            assert_eq!(max_age(odd), 5, "{odd:?}");
        }
    }

    #[test]
    fn exposed_headers() {
        let file = Sources::new().add("a".into(), "a".into());
        let response = |value: &str| {
            let mut response = Response::new(Known::Known(200), Answer::Handler, None);
            response.headers.push(HeaderLine {
                name: "Access-Control-Expose-Headers".into(),
                value: Known::Known(value.into()),
                span: file.span(),
                value_span: None,
                sources: Vec::new(),
                decided_by: None,
            });
            response
        };
        let exposes = |value, name, include| exposes(&response(value), name, include).known();
        assert_eq!(exposes("ETag, x-total", "etag", true), Some(true));
        assert_eq!(exposes("ETag, x total", "etag", true), Some(false));
        assert_eq!(exposes("*", "etag", false), Some(true));
        assert_eq!(exposes("*", "etag", true), Some(false));
        assert_eq!(exposes("*", "set-cookie", false), Some(false));
        assert_eq!(exposes("", "Content-Type", true), Some(true));
    }
}
