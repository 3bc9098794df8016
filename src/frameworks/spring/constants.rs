//! Constants of Spring and of the servlet API.

use crate::source::Span;
use crate::syntax::jvm::ast::simple;
use crate::syntax::jvm::eval::heap::Val;

/// The value of a constant, by its full path.
pub(super) fn constant(path: &str, span: Span) -> Option<Val> {
    let (class, name) = path.rsplit_once('.')?;
    let number = |value: f64| Some(Val::number(value, span));
    match (simple(class), name) {
        // One that a wildcard import brings is the same as any other.
        ("HttpMethod", name) if path.starts_with("*.") => {
            let path = format!("org.springframework.http.HttpMethod.{name}");
            Some(Val::foreign(path, span))
        }
        ("HttpHeaders", name) if name.bytes().all(|b| b.is_ascii_uppercase() || b == b'_') => {
            Some(Val::string(header_name(name), span))
        }
        ("CorsConfiguration", "ALL") => Some(Val::string("*", span)),
        ("Ordered", "HIGHEST_PRECEDENCE") => number(f64::from(i32::MIN)),
        ("Ordered", "LOWEST_PRECEDENCE") => number(f64::from(i32::MAX)),
        ("Integer" | "Int", "MIN_VALUE") => number(f64::from(i32::MIN)),
        ("Integer" | "Int", "MAX_VALUE") => number(f64::from(i32::MAX)),
        (_, "REQUEST_WRAPPER_FILTER_MAX_ORDER") => number(0.0),
        ("SecurityProperties" | "SecurityFilterProperties", "DEFAULT_FILTER_ORDER") => {
            number(-100.0)
        }
        ("SecurityProperties" | "SecurityFilterProperties", "BASIC_AUTH_ORDER") => {
            number(f64::from(i32::MAX) - 5.0)
        }
        ("SecurityProperties", "IGNORED_ORDER") => number(f64::from(i32::MIN)),
        ("HttpServletResponse", name) => number(f64::from(status(name.strip_prefix("SC_")?)?)),
        _ => None,
    }
}

fn header_name(constant: &str) -> String {
    match constant {
        "ETAG" => return "ETag".into(),
        "WWW_AUTHENTICATE" => return "WWW-Authenticate".into(),
        "TE" => return "TE".into(),
        _ => {}
    }
    let words = constant.split('_').map(|word| {
        let (first, rest) = word.split_at(word.len().min(1));
        format!("{first}{}", rest.to_lowercase())
    });
    words.collect::<Vec<_>>().join("-")
}

/// The number of a constant of `HttpStatus` (spring-web), or of `HttpServletResponse` without its
/// `SC_`.
pub(super) fn status(name: &str) -> Option<u16> {
    Some(match name {
        "OK" => 200,
        "CREATED" => 201,
        "ACCEPTED" => 202,
        "NON_AUTHORITATIVE_INFORMATION" => 203,
        "NO_CONTENT" => 204,
        "RESET_CONTENT" => 205,
        "PARTIAL_CONTENT" => 206,
        "MULTIPLE_CHOICES" => 300,
        "MOVED_PERMANENTLY" => 301,
        "FOUND" | "MOVED_TEMPORARILY" => 302,
        "SEE_OTHER" => 303,
        "NOT_MODIFIED" => 304,
        "TEMPORARY_REDIRECT" => 307,
        "PERMANENT_REDIRECT" => 308,
        "BAD_REQUEST" => 400,
        "UNAUTHORIZED" => 401,
        "PAYMENT_REQUIRED" => 402,
        "FORBIDDEN" => 403,
        "NOT_FOUND" => 404,
        "METHOD_NOT_ALLOWED" => 405,
        "NOT_ACCEPTABLE" => 406,
        "PROXY_AUTHENTICATION_REQUIRED" => 407,
        "REQUEST_TIMEOUT" => 408,
        "CONFLICT" => 409,
        "GONE" => 410,
        "LENGTH_REQUIRED" => 411,
        "PRECONDITION_FAILED" => 412,
        "PAYLOAD_TOO_LARGE" | "CONTENT_TOO_LARGE" | "REQUEST_ENTITY_TOO_LARGE" => 413,
        "UNSUPPORTED_MEDIA_TYPE" => 415,
        "I_AM_A_TEAPOT" => 418,
        "UNPROCESSABLE_ENTITY" | "UNPROCESSABLE_CONTENT" => 422,
        "LOCKED" => 423,
        "PRECONDITION_REQUIRED" => 428,
        "TOO_MANY_REQUESTS" => 429,
        "INTERNAL_SERVER_ERROR" => 500,
        "NOT_IMPLEMENTED" => 501,
        "BAD_GATEWAY" => 502,
        "SERVICE_UNAVAILABLE" => 503,
        "GATEWAY_TIMEOUT" => 504,
        _ => return None,
    })
}
