//! Responses: what would be sent, and why.

use super::Known;
use crate::source::Span;

/// How an exchange ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// A response with this status.
    Status(Known<u16>),
    /// The connection is closed or the request hangs: no response ever.
    NeverAnswers,
    /// The framework throws; its own words.
    Throws(String),
}

/// Who made the response.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Answer {
    /// The application's own handler.
    Handler,
    /// An answer that stands in the configuration itself: a status and a fixed text.
    Fixed,
    /// An application behind a proxy.
    Upstream,
    /// The CORS layer, or the configuration's own OPTIONS answer.
    Cors,
    /// Authentication or access control: 401, 403 or a login redirect.
    Authentication,
    /// A redirect made by the server or framework.
    Redirect,
    /// The handler for static files.
    Static,
    /// Nobody: no route.
    NotFound,
    /// The route exists but not for this method.
    MethodNotAllowed,
    /// An error page of the server in front.
    ErrorPage,
}

impl Answer {
    /// The name rules use.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Handler => "handler",
            Self::Fixed => "fixed",
            Self::Upstream => "upstream",
            Self::Cors => "cors",
            Self::Authentication => "authentication",
            Self::Redirect => "redirect",
            Self::Static => "static",
            Self::NotFound => "not-found",
            Self::MethodNotAllowed => "method-not-allowed",
            Self::ErrorPage => "error-page",
        }
    }
}

/// What answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AnsweredBy {
    /// Who.
    pub kind: Answer,
    /// The place that makes it answer.
    pub span: Option<Span>,
    /// Does it stand before CORS headers could be added?
    pub before_cors: bool,
    /// Does it stand further inside than the CORS settings, which speak for other endpoints as well
    /// (nginx: a login of the location, headers of the server)?
    pub inner: bool,
}

/// Where (part of) a header value comes from, as far as a stranger can choose it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ValueSource {
    /// The `Origin` header.
    Origin,
    /// A query argument.
    Query,
    /// A cookie.
    Cookie,
    /// The `Referer` header.
    Referer,
    /// Another request header that names no origin of the service.
    Header,
    /// The service's own name: `Host`, scheme, server name.
    Host,
    /// The path as sent, percent-encoded.
    EncodedPath,
    /// The path after decoding, which can hold a line break.
    DecodedPath,
    /// A response header of the upstream.
    Upstream,
}

impl ValueSource {
    /// The name rules use.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Origin => "origin",
            Self::Query => "query",
            Self::Cookie => "cookie",
            Self::Referer => "referer",
            Self::Header => "header",
            Self::Host => "host",
            Self::EncodedPath => "encoded-path",
            Self::DecodedPath => "decoded-path",
            Self::Upstream => "upstream",
        }
    }
}

/// The list entry, pattern or comparison that let an origin in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// Where it is written.
    pub span: Span,
    /// Its text, decoded, as the engine sees it (a pattern without nginx's `~`).
    pub text: String,
    /// Byte offset in `span` at which `text` starts, if text and source agree byte for byte.
    pub offset: Option<u32>,
    /// It is a regular expression.
    pub pattern: bool,
}

/// One header line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeaderLine {
    /// Name as sent (case kept).
    pub name: String,
    /// Value.
    pub value: Known<String>,
    /// The place that sends it: the whole directive, call or entry.
    pub span: Span,
    /// The token of the value, where it can be told.
    pub value_span: Option<Span>,
    /// What of the value a stranger can choose.
    pub sources: Vec<ValueSource>,
    /// What let the origin in, for a value that depends on it.
    pub decided_by: Option<Decision>,
}

/// Why a line that was written is not sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DropReason {
    /// It is sent on some statuses only, and not on this one.
    Status,
    /// An inner block's own headers replace the outer block's.
    InnerBlock,
    /// A proxy layer removes what the upstream sends.
    Hidden,
    /// A later setting replaces it.
    Overwritten,
}

impl DropReason {
    /// The name rules use.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Status => "status",
            Self::InnerBlock => "inner-block",
            Self::Hidden => "hidden",
            Self::Overwritten => "overwritten",
        }
    }
}

/// A header line that was written for this response and is not sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dropped {
    /// Name as written.
    pub name: String,
    /// The value it would have had.
    pub value: Known<String>,
    /// The place that would have sent it.
    pub span: Span,
    /// Why it is not sent.
    pub reason: DropReason,
    /// The place that drops it (the inner block's first own header, the hiding directive).
    pub by: Option<Span>,
    /// The dropping block sets CORS headers itself or answers OPTIONS.
    pub by_cors: bool,
}

/// Something the matched policy switches off for this request (nginx: `try_files` under a true `if`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Disabled {
    /// Its name.
    pub name: String,
    /// Where it is written.
    pub span: Span,
    /// What switches it off.
    pub by: Span,
}

/// A shared cache of the same configuration that stores this response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SharedCache {
    /// The directive that turns it on.
    pub span: Span,
    /// The cache key holds the request's origin.
    pub keyed_by_origin: Known<bool>,
    /// It keeps variants apart by the stored response's own `Vary`.
    pub honours_vary: bool,
    /// The ACAO inside the stored copy depends on the request's origin.
    pub stores_origin: Known<bool>,
    /// What shows that it does.
    pub evidence: Option<Span>,
}

/// A request condition that a response rests on.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Assumption {
    /// What is assumed, in words ("`$arg_debug` is set"); equal text is the same condition.
    pub text: String,
    /// Whether it holds.
    pub holds: bool,
    /// Where it is asked.
    pub span: Option<Span>,
}

/// What would be sent for one request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    /// How it ends.
    pub outcome: Outcome,
    /// The lines, in order of sending.
    pub headers: Vec<HeaderLine>,
    /// Lower-case names (or `*` for all) of headers that somebody out of view may add: an
    /// upstream that is not in the configuration. A listed name without a line is unknown, not absent.
    pub unseen: Vec<String>,
    /// Lines that were written and are not sent.
    pub dropped: Vec<Dropped>,
    /// An Access-Control-Allow-Origin is written whose value is empty for this request, so that no
    /// line is sent; another request may get one.
    pub withholds_origin: bool,
    /// What the matched policy switches off.
    pub disabled: Vec<Disabled>,
    /// What answered.
    pub answered_by: AnsweredBy,
    /// May a shared cache keep it (RFC 9111)? `no-store` and `private` say no.
    pub cacheable: Known<bool>,
    /// A cache of the same configuration that stores it.
    pub stored: Option<SharedCache>,
    /// The request conditions assumed.
    pub assumes: Vec<Assumption>,
}

impl Response {
    /// A response with a status and nothing else.
    #[must_use]
    pub fn new(status: Known<u16>, kind: Answer, span: Option<Span>) -> Self {
        Self {
            outcome: Outcome::Status(status),
            headers: Vec::new(),
            unseen: Vec::new(),
            dropped: Vec::new(),
            withholds_origin: false,
            disabled: Vec::new(),
            answered_by: AnsweredBy {
                kind,
                span,
                before_cors: false,
                inner: false,
            },
            cacheable: Known::Unknown,
            stored: None,
            assumes: Vec::new(),
        }
    }

    /// The status, if there is one and it is known.
    #[must_use]
    pub const fn status(&self) -> Option<u16> {
        match self.outcome {
            Outcome::Status(Known::Known(status)) => Some(status),
            _ => None,
        }
    }

    /// The lines of a name, in any case.
    pub fn lines<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a HeaderLine> {
        self.headers
            .iter()
            .filter(move |line| line.name.eq_ignore_ascii_case(name))
    }

    /// The combined value of a header (RFC 9110 §5.3): lines joined by `, `; known `None` if absent.
    ///
    /// Who is out of view adds members to `Vary` and takes none away: its value is known there only
    /// if it names the Origin already.
    #[must_use]
    pub fn value(&self, name: &str) -> Known<Option<String>> {
        let mut combined: Option<String> = None;
        for line in self.lines(name) {
            let Known::Known(value) = &line.value else {
                return Known::Unknown;
            };
            match &mut combined {
                Some(text) => {
                    text.push_str(", ");
                    text.push_str(value);
                }
                None => combined = Some(value.clone()),
            }
        }
        let complete = match &combined {
            Some(value) => {
                !name.eq_ignore_ascii_case("vary")
                    || value
                        .split(',')
                        .map(str::trim)
                        .any(|member| member == "*" || member.eq_ignore_ascii_case("origin"))
            }
            None => false,
        };
        if !complete && self.may_have_unseen(name) {
            return Known::Unknown;
        }
        Known::Known(combined)
    }

    /// May somebody out of view add lines of this name?
    #[must_use]
    pub fn may_have_unseen(&self, name: &str) -> bool {
        self.unseen
            .iter()
            .any(|unseen| unseen == "*" || unseen.eq_ignore_ascii_case(name))
    }
}

#[cfg(test)]
mod tests {
    use super::{Answer, HeaderLine, Response};
    use crate::model::Known;
    use crate::source::Sources;

    fn response(vary: Option<&str>, unseen: &[&str]) -> Response {
        let mut response = Response::new(Known::Known(200), Answer::Handler, None);
        response.unseen = unseen.iter().map(|&name| name.into()).collect();
        response.headers = vary
            .map(|value| HeaderLine {
                name: "Vary".into(),
                value: Known::Known(value.into()),
                span: Sources::new().add("a".into(), "a".into()).span(),
                value_span: None,
                sources: Vec::new(),
                decided_by: None,
            })
            .into_iter()
            .collect();
        response
    }

    #[test]
    fn who_is_out_of_view_may_add_to_vary() {
        for (vary, unseen, known) in [
            (None, &[][..], true),
            (None, &["vary"], false),
            (Some("Accept"), &[], true),
            (Some("Accept"), &["etag"], true),
            (Some("Accept"), &["vary"], false),
            (Some("Accept"), &["*"], false),
            (Some("X-Origin"), &["*"], false),
            (Some("Accept, origin"), &["*"], true),
            (Some("*"), &["vary"], true),
        ] {
            let value = match known {
                true => Known::Known(vary.map(str::to_owned)),
                false => Known::Unknown,
            };
            assert_eq!(
                response(vary, unseen).value("vary"),
                value,
                "{vary:?} {unseen:?}"
            );
        }
    }
}
