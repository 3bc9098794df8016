//! Constants of Spring and of the servlet API.

use crate::source::Span;
use crate::syntax::jvm::ast::simple;
use crate::syntax::jvm::eval::heap::Val;

/// The value of a constant, by its full path.
pub(super) fn constant(path: &str, span: Span) -> Option<Val> {
    let (class, name) = path.rsplit_once('.')?;
    let number = |value: f64| Some(Val::number(value, span));
    match (simple(class), name) {
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
        ("HttpServletResponse", name) => number(f64::from(servlet_status(name)?)),
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

fn servlet_status(name: &str) -> Option<u16> {
    Some(match name {
        "SC_OK" => 200,
        "SC_CREATED" => 201,
        "SC_ACCEPTED" => 202,
        "SC_NO_CONTENT" => 204,
        "SC_BAD_REQUEST" => 400,
        "SC_UNAUTHORIZED" => 401,
        "SC_FORBIDDEN" => 403,
        "SC_NOT_FOUND" => 404,
        "SC_METHOD_NOT_ALLOWED" => 405,
        "SC_INTERNAL_SERVER_ERROR" => 500,
        _ => return None,
    })
}
