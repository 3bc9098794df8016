//! The copies that a browser keeps (RFC 9111), as far as they decide about CORS: a stored response
//! is checked like a fresh one.

use crate::model::{Known, Request, Response};

/// May the copy that `stored` got in answer to `earlier` answer `request`, a request for the same
/// URL, without asking the server? Only explicit lifetimes count, and no time has passed.
#[must_use]
pub fn can_reuse(earlier: &Request, stored: &Response, request: &Request) -> Known<bool> {
    if earlier.url != request.url || !matches!(&*request.method, "GET" | "HEAD") {
        return Known::Known(false);
    }
    let control = match stored.value("cache-control") {
        Known::Known(value) => value.unwrap_or_default(),
        Known::Unknown => return Known::Unknown,
    };
    if !is_fresh(&control) {
        return Known::Known(false);
    }
    stored.value("vary").map(|vary| {
        let vary = vary.unwrap_or_default().to_ascii_lowercase();
        let mut names = vary.split(',').map(super::trim);
        names.all(|name| name != "*" && earlier.header(name) == request.header(name))
    })
}

/// Does a Cache-Control let a private cache use the response for some time?
fn is_fresh(control: &str) -> bool {
    let control = control.to_ascii_lowercase();
    let mut lifetime = None;
    for directive in control.split(',').map(super::trim) {
        let (name, value) = directive.split_once('=').unwrap_or((directive, ""));
        match name {
            "no-store" | "no-cache" => return false,
            "max-age" => lifetime = value.trim_matches('"').parse::<u64>().ok(),
            _ => {}
        }
    }
    lifetime.is_some_and(|seconds| seconds > 0)
}

#[cfg(test)]
mod tests {
    use super::is_fresh;

    #[test]
    fn lifetimes() {
        for (control, fresh) in [
            ("public, max-age=600", true),
            ("Max-Age=\"5\"", true),
            ("max-age=0", false),
            ("no-store", false),
            ("no-cache, max-age=600", false),
            ("", false),
            ("max-age=soon", false),
        ] {
            assert_eq!(is_fresh(control), fresh, "{control}");
        }
    }
}
