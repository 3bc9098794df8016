//! URLs, origins, methods and headers as typed: what is wrong with them is told before anything is
//! read.

use crate::check::nearest_of;
use crate::fetch::{is_forbidden_method, is_token};
use crate::model::{Origin, Url, suggestion};

/// The methods of the HTTP method registry (RFC 9110 §16.1.1).
const METHODS: [&str; 41] = [
    "ACL",
    "BASELINE-CONTROL",
    "BIND",
    "CHECKIN",
    "CHECKOUT",
    "CONNECT",
    "COPY",
    "DELETE",
    "GET",
    "HEAD",
    "LABEL",
    "LINK",
    "LOCK",
    "MERGE",
    "MKACTIVITY",
    "MKCALENDAR",
    "MKCOL",
    "MKREDIRECTREF",
    "MKWORKSPACE",
    "MOVE",
    "OPTIONS",
    "ORDERPATCH",
    "PATCH",
    "POST",
    "PRI",
    "PROPFIND",
    "PROPPATCH",
    "PURGE",
    "PUT",
    "QUERY",
    "REBIND",
    "REPORT",
    "SEARCH",
    "TRACE",
    "TRACK",
    "UNBIND",
    "UNCHECKOUT",
    "UNLINK",
    "UNLOCK",
    "UPDATE",
    "VERSION-CONTROL",
];

/// An http or https URL; without a scheme, http is meant if `guess` says so.
pub(super) fn url(typed: &str, guess: bool) -> Result<url::Url, String> {
    let wrong = |why: &str| format!("`{}` is no URL to ask: {why}", typed.escape_debug());
    if typed.chars().any(char::is_control) {
        return Err(wrong("it holds a line break or another control character"));
    }
    let has_scheme = typed.contains("://");
    let text = if guess && !has_scheme {
        format!("http://{typed}")
    } else {
        typed.to_owned()
    };
    if !guess && !has_scheme {
        return Err(wrong("it does not start with `https://` or `http://`"));
    }
    let parsed = url::Url::parse(&text).map_err(|error| wrong(&error.to_string()))?;
    match Url::of(&parsed) {
        Some(_) => Ok(parsed),
        None => Err(wrong("its scheme is neither http nor https")),
    }
}

/// A serialized origin as a browser sends it.
pub(super) fn origin(typed: &str) -> Result<String, String> {
    match Origin::parse(typed) {
        Ok(origin) => Ok(origin.to_string()),
        Err(problem) => {
            let better = suggestion(typed);
            let better = better.map(|better| format!("; write `{better}`"));
            Err(format!(
                "`{}` is no origin: it {}{}",
                typed.escape_debug(),
                problem.text(),
                better.unwrap_or_default()
            ))
        }
    }
}

/// A method of the registry, in any case.
pub(super) fn method(typed: &str) -> Result<String, String> {
    if !is_token(typed) {
        return Err(format!("`{}` is no HTTP method", typed.escape_debug()));
    }
    let upper = typed.to_ascii_uppercase();
    if METHODS.contains(&&*upper) {
        return Ok(typed.to_owned());
    }
    let near = nearest_of(&upper, METHODS.into_iter());
    let near = near.map(|near| format!("; did you mean `{near}`?"));
    let near = near.unwrap_or_default();
    Err(format!("`{typed}` is an unknown HTTP method{near}"))
}

/// A method that a script may use.
pub(super) fn script_method(typed: &str) -> Result<String, String> {
    if is_forbidden_method(typed) {
        return Err(format!("no script may use the method `{typed}`"));
    }
    method(typed)
}

/// `Name: value`.
pub(super) fn header(typed: &str) -> Result<(String, String), String> {
    let shown = typed.escape_debug();
    let (name, value) = typed
        .split_once(':')
        .ok_or_else(|| format!("`{shown}` is no header: write `Name: value`"))?;
    let name = name.trim();
    if !is_token(name) {
        return Err(format!("`{shown}` is no header: its name is not a token"));
    }
    if value.chars().any(|c| c.is_control() && c != '\t') {
        return Err(format!(
            "`{shown}` is no header: its value holds a line break or another control character"
        ));
    }
    Ok((name.to_owned(), value.trim().to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls() {
        assert_eq!(url("localhost:3000/a", true).unwrap().path(), "/a");
        assert_eq!(url("https://a.example", false).unwrap().path(), "/");
        for wrong in [
            "a.example",
            "ftp://a.example",
            "https://",
            "http://a b",
            "http://a:x",
        ] {
            assert!(url(wrong, false).is_err(), "{wrong}");
        }
        assert!(url("http://a/\r\nX: y", true).is_err());
    }

    #[test]
    fn origins() {
        assert_eq!(
            origin("https://a.example").as_deref(),
            Ok("https://a.example")
        );
        assert_eq!(origin("null").as_deref(), Ok("null"));
        let wrong = origin("https://a.example/x").unwrap_err();
        assert!(wrong.ends_with("write `https://a.example`"), "{wrong}");
        for wrong in [
            "a.example",
            "*",
            "",
            "https://a.example:443",
            "https://a\r\nX: y",
        ] {
            assert!(origin(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn methods() {
        assert_eq!(method("patch").as_deref(), Ok("patch"));
        assert!(
            method("DELTE")
                .unwrap_err()
                .ends_with("did you mean `DELETE`?")
        );
        for wrong in ["", "G T", "GET\r\n", "FROBNICATE"] {
            assert!(method(wrong).is_err(), "{wrong}");
        }
        assert!(script_method("trace").is_err());
    }

    #[test]
    fn headers() {
        assert_eq!(header("X-A: b:c"), Ok(("X-A".into(), "b:c".into())));
        for wrong in ["X", "X A: b", ": b", "X: a\r\nY: b", "X: a\0"] {
            assert!(header(wrong).is_err(), "{wrong}");
        }
    }
}
