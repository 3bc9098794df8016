//! `CorsMiddleware` (corsheaders/middleware.py), in one world.

use super::read::Values;
use crate::frameworks::python::handler::{set_line, vary};
use crate::frameworks::python::{decision, text, texts, truthy};
use crate::model::{
    Answer, Decision, HeaderLine, Known, Outcome, Request, Response, ValueSource, Verdict,
};
use crate::source::Span;
use crate::syntax::python::pattern::{self, How};
use crate::syntax::python::version::Versions;
use crate::syntax::value::{Kind, Value};

const METHODS: [&str; 6] = ["DELETE", "GET", "OPTIONS", "PATCH", "POST", "PUT"];
const HEADERS: [&str; 6] = [
    "accept",
    "authorization",
    "content-type",
    "user-agent",
    "x-csrftoken",
    "x-requested-with",
];
/// Before 4.0.
const OLD_HEADERS: [&str; 9] = [
    "accept",
    "accept-encoding",
    "authorization",
    "content-type",
    "dnt",
    "origin",
    "user-agent",
    "x-csrftoken",
    "x-requested-with",
];

const ACAO: &str = "access-control-allow-origin";
const ACAC: &str = "access-control-allow-credentials";

/// The settings in one world, with the place of the middleware.
pub(super) struct Policy<'p> {
    pub(super) values: &'p Values,
    pub(super) span: Span,
    pub(super) versions: Versions,
    /// Receivers of `check_request_enabled` exist.
    pub(super) signal: bool,
}

/// What the middleware decides about an origin.
enum Found {
    Verdict(Verdict, Option<Decision>),
    /// An exception: the request ends in an error page.
    Fails,
}

impl Policy<'_> {
    fn get(&self, name: &str) -> &Value {
        self.values.get(name)
    }

    /// Is CORS on for this path?
    fn enabled(&self, path: &str) -> Option<bool> {
        let value = self.get("CORS_URLS_REGEX");
        let matched = match &value.kind {
            Kind::Undefined => Some(true),
            Kind::String(regex) => pattern::matches(regex, "", path, How::Match),
            Kind::Regex(regex) => pattern::matches(&regex.pattern, &regex.flags, path, How::Match),
            _ => None,
        };
        match matched {
            Some(false) if self.signal => None,
            matched => matched,
        }
    }

    fn all(&self) -> Known<bool> {
        truthy(self.get("CORS_ALLOW_ALL_ORIGINS")).into()
    }

    fn credentials(&self) -> Known<bool> {
        truthy(self.get("CORS_ALLOW_CREDENTIALS")).into()
    }

    fn line(&self, name: &str, value: Known<String>, setting: &str) -> HeaderLine {
        let written = self.get(setting);
        let span = match written.kind {
            Kind::Undefined => self.span,
            _ => written.span,
        };
        HeaderLine {
            name: name.into(),
            value,
            span,
            value_span: None,
            sources: Vec::new(),
            decided_by: None,
        }
    }

    /// The answer to a preflight; nothing if the middleware passes the request on.
    pub(super) fn preflight(&self, request: &Request) -> Option<Response> {
        let asks = request.method == "OPTIONS" && request.requested_method.is_some();
        if !asks {
            return None;
        }
        match self.enabled(&request.url.path) {
            Some(true) => {}
            Some(false) => return None,
            None => {
                let mut response = Response::new(Known::Unknown, Answer::Cors, Some(self.span));
                response.unseen.push("*".into());
                return Some(response);
            }
        }
        let response = Response::new(Known::Known(200), Answer::Cors, Some(self.span));
        Some(self.add_headers(request, response))
    }

    /// `add_response_headers`.
    pub(super) fn add_headers(&self, request: &Request, mut response: Response) -> Response {
        match self.enabled(&request.url.path) {
            Some(true) => {}
            Some(false) => return response,
            None => {
                response.unseen.push("*".into());
                return response;
            }
        }
        let varies = response.lines("vary").any(|line| match &line.value {
            Known::Known(value) => value
                .split(',')
                .any(|member| member.trim().eq_ignore_ascii_case("origin") || member.trim() == "*"),
            Known::Unknown => false,
        });
        if !varies {
            vary(&mut response, "origin", self.span);
        }
        let Some(origin) = request
            .origin
            .as_deref()
            .filter(|origin| !origin.is_empty())
        else {
            return response;
        };
        if split(origin).is_none() {
            return response;
        }
        let all = self.all();
        let (verdict, decided) = match all {
            Known::Known(true) => (Verdict::Yes, None),
            _ => match self.listed(request, origin) {
                Found::Verdict(verdict, decided) => (verdict, decided),
                Found::Fails => {
                    let mut error =
                        Response::new(Known::Unknown, Answer::ErrorPage, Some(self.span));
                    error.outcome = Outcome::Status(Known::Known(500));
                    return error;
                }
            },
        };
        let verdict = match (verdict, all) {
            (Verdict::No, Known::Unknown) => Verdict::Unknown,
            (Verdict::No, _) if self.signal => Verdict::Unknown,
            (verdict, _) => verdict,
        };
        match verdict {
            Verdict::No => {
                let old = self.versions.since((4, 3, 0)).map(|new| !new);
                match (self.credentials(), old) {
                    (Known::Known(false), _) | (_, Some(false)) => {}
                    (Known::Known(true), Some(true)) => {
                        let line =
                            self.line(ACAC, Known::Known("true".into()), "CORS_ALLOW_CREDENTIALS");
                        set_line(&mut response, line);
                    }
                    _ => response.unseen.push(ACAC.into()),
                }
                return response;
            }
            Verdict::Unknown => {
                response.unseen.push("*".into());
                return response;
            }
            Verdict::Yes => {}
        }
        self.allowed(request, origin, decided, response)
    }

    fn allowed(
        &self,
        request: &Request,
        origin: &str,
        decided: Option<Decision>,
        mut response: Response,
    ) -> Response {
        let credentials = self.credentials();
        let star = match (self.all(), credentials) {
            (Known::Known(true), Known::Known(credentials)) => Known::Known(!credentials),
            (Known::Known(false), _) => Known::Known(false),
            (Known::Unknown, _) if request.symbolic => Known::Known(false),
            _ => Known::Unknown,
        };
        let setting = match self.all() {
            Known::Known(true) => "CORS_ALLOW_ALL_ORIGINS",
            _ => "CORS_ALLOWED_ORIGINS",
        };
        let value = match star {
            Known::Known(true) => Known::Known("*".to_owned()),
            Known::Known(false) => Known::Known(origin.to_owned()),
            Known::Unknown => Known::Unknown,
        };
        let mut line = self.line(ACAO, value, setting);
        if star == Known::Known(false) {
            line.sources = vec![ValueSource::Origin];
        }
        if let Some(decided) = &decided {
            line.span = decided.span;
        }
        line.decided_by = decided;
        set_line(&mut response, line);
        match credentials {
            Known::Known(true) => {
                let line = self.line(ACAC, Known::Known("true".into()), "CORS_ALLOW_CREDENTIALS");
                set_line(&mut response, line);
            }
            Known::Known(false) => {}
            Known::Unknown => response.unseen.push(ACAC.into()),
        }
        let exposed = self.get("CORS_EXPOSE_HEADERS");
        match truthy(exposed) {
            Some(true) => {
                let line = self.line(
                    "access-control-expose-headers",
                    joined(exposed).into(),
                    "CORS_EXPOSE_HEADERS",
                );
                set_line(&mut response, line);
            }
            Some(false) => {}
            None => response.unseen.push("access-control-expose-headers".into()),
        }
        if request.method == "OPTIONS" {
            self.preflight_headers(&mut response);
        }
        let asked = request.header("access-control-request-private-network");
        if asked.as_deref() == Some("true") {
            match truthy(self.get("CORS_ALLOW_PRIVATE_NETWORK")) {
                Some(true) => {
                    let line = self.line(
                        "access-control-allow-private-network",
                        Known::Known("true".into()),
                        "CORS_ALLOW_PRIVATE_NETWORK",
                    );
                    set_line(&mut response, line);
                }
                Some(false) => {}
                None => response
                    .unseen
                    .push("access-control-allow-private-network".into()),
            }
        }
        response
    }

    fn preflight_headers(&self, response: &mut Response) {
        let headers = self.get("CORS_ALLOW_HEADERS");
        let headers = match &headers.kind {
            Kind::Undefined if self.versions.since((4, 0, 0)) == Some(false) => {
                Some(OLD_HEADERS.join(", "))
            }
            Kind::Undefined => Some(HEADERS.join(", ")),
            _ => joined(headers),
        };
        let line = self.line(
            "access-control-allow-headers",
            headers.into(),
            "CORS_ALLOW_HEADERS",
        );
        set_line(response, line);
        let methods = self.get("CORS_ALLOW_METHODS");
        let methods = match &methods.kind {
            Kind::Undefined => Some(METHODS.join(", ")),
            _ => joined(methods),
        };
        let line = self.line(
            "access-control-allow-methods",
            methods.into(),
            "CORS_ALLOW_METHODS",
        );
        set_line(response, line);
        let max_age = self.get("CORS_PREFLIGHT_MAX_AGE");
        let seconds = match (&max_age.kind, truthy(max_age)) {
            (Kind::Undefined, _) => Some("86400".to_owned()),
            (_, Some(false)) => return,
            (_, Some(true)) => text(max_age),
            (_, None) => {
                response.unseen.push("access-control-max-age".into());
                return;
            }
        };
        let line = self.line(
            "access-control-max-age",
            seconds.into(),
            "CORS_PREFLIGHT_MAX_AGE",
        );
        set_line(response, line);
    }

    /// `origin_found_in_white_lists`.
    fn listed(&self, request: &Request, origin: &str) -> Found {
        let mut unknown = false;
        let value = self.get("CORS_ALLOWED_ORIGINS");
        let wanted = split(origin);
        match &value.kind {
            Kind::Undefined => {}
            Kind::Null | Kind::Bool(_) | Kind::Number(_) => return Found::Fails,
            Kind::String(_) => {
                for (letter, span) in texts(value).unwrap_or_default() {
                    if split(&letter) == wanted {
                        return self.yes(&letter, span, false);
                    }
                }
            }
            Kind::List(list) => {
                // Before 3.0 an entry without a scheme is compared with the host alone.
                let by_host = self.versions.since((3, 0, 0)) == Some(false);
                let host = wanted.as_ref().map(|(_, place)| place.as_str());
                for item in &list.items {
                    match item.as_str() {
                        Some(text) if by_host && !text.contains("://") => {
                            if Some(text) == host {
                                return self.yes(text, item.span, false);
                            }
                        }
                        Some(text) if split(text) == wanted && wanted.is_some() => {
                            return self.yes(text, item.span, false);
                        }
                        Some(_) => {}
                        None => unknown = true,
                    }
                }
                unknown |= list.open;
            }
            _ => unknown = true,
        }
        let regexes = self.get("CORS_ALLOWED_ORIGIN_REGEXES");
        match &regexes.kind {
            Kind::Undefined => {}
            Kind::Null | Kind::Bool(_) | Kind::Number(_) => return Found::Fails,
            Kind::String(_) => {
                for (letter, span) in texts(regexes).unwrap_or_default() {
                    if pattern::is_invalid(&letter) {
                        return Found::Fails;
                    }
                    match pattern::matches(&letter, "", origin, How::Match) {
                        Some(true) => return self.yes(&letter, span, true),
                        Some(false) => {}
                        None => unknown = true,
                    }
                }
            }
            Kind::List(list) => {
                for item in &list.items {
                    let (text, flags) = match &item.kind {
                        Kind::String(text) => (text, ""),
                        Kind::Regex(regex) => (&regex.pattern, regex.flags.as_str()),
                        _ => {
                            unknown = true;
                            continue;
                        }
                    };
                    if pattern::is_invalid(text) {
                        return Found::Fails;
                    }
                    match pattern::matches(text, flags, origin, How::Match) {
                        Some(true) => return self.yes(text, item.span, true),
                        Some(false) => {}
                        None => unknown = true,
                    }
                }
                unknown |= list.open;
            }
            _ => unknown = true,
        }
        Found::Verdict(
            match (unknown, request.symbolic) {
                (true, true) => Verdict::Yes,
                (true, false) => Verdict::Unknown,
                _ => Verdict::No,
            },
            None,
        )
    }

    fn yes(&self, text: &str, span: Span, pattern: bool) -> Found {
        let decided = decision(text, span, self.values.slice(span), pattern);
        Found::Verdict(Verdict::Yes, Some(decided))
    }
}

fn joined(value: &Value) -> Option<String> {
    let texts = texts(value)?;
    let texts: Vec<String> = texts.into_iter().map(|(text, _)| text).collect();
    Some(texts.join(", "))
}

/// Scheme and network location as `urllib.parse.urlsplit` gives them (Python 3.11.4 and newer);
/// nothing if it raises.
pub(super) fn split(text: &str) -> Option<(String, String)> {
    let text = text.trim_start_matches(|c: char| c <= ' ');
    let text: String = text.chars().filter(|c| !"\t\r\n".contains(*c)).collect();
    let mut rest = text.as_str();
    let mut scheme = String::new();
    if let Some((before, after)) = text.split_once(':')
        && before.starts_with(|c: char| c.is_ascii_alphabetic())
        && before
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
    {
        scheme = before.to_ascii_lowercase();
        rest = after;
    }
    let Some(authority) = rest.strip_prefix("//") else {
        return Some((scheme, String::new()));
    };
    let authority = authority.split(['/', '?', '#']).next().unwrap_or_default();
    let (open, close) = (authority.contains('['), authority.contains(']'));
    (open == close).then(|| (scheme, authority.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::split;

    /// Expected values: CPython 3.11.7.
    #[test]
    fn urls_are_split_as_python_does() {
        for (text, scheme, place) in [
            ("https://x.com/", "https", "x.com"),
            ("HTTPS://X.com:1/a", "https", "X.com:1"),
            ("x.com", "", ""),
            ("*", "", ""),
            ("null", "", ""),
            ("localhost:3000", "localhost", ""),
            (" https://x.com", "https", "x.com"),
            ("https://x.com ", "https", "x.com "),
            ("//x.com", "", "x.com"),
        ] {
            assert_eq!(split(text), Some((scheme.into(), place.into())), "{text}");
        }
        assert_eq!(split("https://[x"), None);
    }
}
