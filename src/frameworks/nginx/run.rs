//! One request on its way: where it is, and what is known of it so far.

use crate::limits::nginx::MAX_CHANGES;
use std::borrow::Cow;
use std::cell::RefCell;

use super::config::{Config, Handler, LevelId, LocationId, ServerId, ServerName};
use super::location::normalise;
use super::oracle::Oracle;
use super::phases::Made;
use super::value::{Sources, Value};
use super::variables::Captures;
use crate::model::{Answer, Decision, Disabled, HeaderLine, Known, Outcome, Request, Response};
use crate::source::Span;

/// One request on its way.
pub(super) struct Run<'a> {
    pub(super) config: &'a Config,
    pub(super) request: &'a Request,
    pub(super) oracle: &'a RefCell<Oracle>,
    pub(super) server: ServerId,
    pub(super) method: Cow<'a, str>,
    pub(super) uri: Cow<'a, str>,
    /// `$request_method`, which stays the client's in a subrequest.
    pub(super) client_method: Cow<'a, str>,
    /// The query; `None` if the request does not say.
    pub(super) args: Option<Cow<'a, str>>,
    pub(super) variables: Vec<(usize, Value<'a>)>,
    pub(super) captures: Option<Captures<'a>>,
    pub(super) location: Option<LocationId>,
    /// The level whose settings hold.
    pub(super) level: LevelId,
    /// The levels of all `if`s that were true in this location.
    pub(super) true_ifs: Vec<LevelId>,
    pub(super) handler: Option<&'a Handler>,
    /// The URI is still the one that was sent.
    pub(super) unparsed: bool,
    /// The URI still starts with the location's prefix.
    pub(super) in_prefix: bool,
    /// Where the URI comes from, if it was rewritten.
    pub(super) rewritten: Option<Sources>,
    /// What was assumed of the client's variables.
    pub(super) assumed: Vec<(String, String)>,
    /// The upstream's answer.
    pub(super) upstream: Option<UpstreamAnswer>,
    /// Lines that stand already, for `$sent_http_…`.
    pub(super) sent: Vec<(String, Known<String>)>,
    /// Names that may be among those lines besides.
    pub(super) sent_unseen: Vec<String>,
    /// `$sent_http_…` variables keep the value of their first use.
    pub(super) sent_before: Vec<(&'a str, Value<'a>)>,
    pub(super) status: Option<u16>,
    pub(super) depth_of_maps: usize,
    /// How many proxies stand before this server.
    pub(super) depth: usize,
    /// The test that let the origin in last.
    pub(super) gate: Option<&'a Decision>,
    /// The same, while inside the `if` that asked.
    pub(super) inside: Option<&'a Decision>,
    /// The last condition asked about the origin.
    pub(super) about_origin: bool,
    /// Inside an `if` that asked about the origin.
    pub(super) inside_origin: bool,
    /// The status that an error page keeps.
    pub(super) kept_status: Option<u16>,
    pub(super) in_error_page: bool,
    pub(super) internal: bool,
    /// It asks whether the main request may pass (`auth_request`).
    pub(super) asks_access: bool,
    /// Code that cannot be read stood on the way.
    pub(super) foreign: Option<Span>,
    /// The file that an internal redirect names is taken to exist.
    pub(super) file_exists: bool,
    /// `$request_filename` and `$document_root` are wanted as in [`Request::files`].
    pub(super) names_files: bool,
    pub(super) uri_changed: bool,
    pub(super) changes: u8,
    pub(super) disabled: Vec<Disabled>,
    /// Access was given only because of credentials.
    pub(super) authenticated: bool,
}

/// What an upstream sent.
#[derive(Debug, Default)]
pub(super) struct UpstreamAnswer {
    /// Its lines.
    pub(super) lines: Vec<HeaderLine>,
    /// Names that it may send besides; `*` is all.
    pub(super) unseen: Vec<String>,
}

impl<'a> Run<'a> {
    /// A request to a server.
    pub(super) fn new(
        config: &'a Config,
        server: ServerId,
        request: &'a Request,
        oracle: &'a RefCell<Oracle>,
    ) -> Self {
        let settings = &config.servers[server];
        let path = request.url.path.as_str();
        let plain = !path.contains('%') && !path.contains("/.") && !path.contains("//");
        Self {
            config,
            request,
            oracle,
            server,
            method: Cow::Borrowed(&request.method),
            client_method: Cow::Borrowed(&request.method),
            uri: if plain {
                Cow::Borrowed(path)
            } else {
                Cow::Owned(normalise(path, settings.merge_slashes))
            },
            args: match &request.url.query {
                Some(query) => Some(Cow::Borrowed(query.as_str())),
                None if request.exact => Some(Cow::Borrowed("")),
                None => None,
            },
            variables: Vec::new(),
            captures: None,
            location: None,
            level: settings.level,
            true_ifs: Vec::new(),
            handler: None,
            unparsed: true,
            in_prefix: true,
            rewritten: None,
            assumed: Vec::new(),
            upstream: None,
            sent: Vec::new(),
            sent_unseen: Vec::new(),
            sent_before: Vec::new(),
            status: None,
            depth_of_maps: 0,
            depth: 0,
            gate: None,
            inside: None,
            about_origin: false,
            inside_origin: false,
            kept_status: None,
            in_error_page: false,
            internal: false,
            asks_access: false,
            foreign: None,
            file_exists: false,
            names_files: false,
            uri_changed: false,
            changes: MAX_CHANGES,
            disabled: Vec::new(),
            authenticated: false,
        }
    }

    /// The response's status after error pages had their say.
    pub(super) fn final_status(&self, status: Known<u16>) -> Known<u16> {
        match self.kept_status {
            Some(kept) if kept != 0 => Known::Known(kept),
            _ => status,
        }
    }

    /// The port that the request came in by.
    pub(super) fn port(&self) -> u16 {
        let url = &self.request.url;
        url.port
            .unwrap_or(if url.scheme == "https" { 443 } else { 80 })
    }

    /// The server's first name.
    pub(super) fn server_name(&self) -> &'a str {
        match self.config.servers[self.server].names.first() {
            Some(ServerName::Exact(name)) => name,
            _ => "",
        }
    }

    /// The Location line: nginx makes a path absolute.
    pub(super) fn location_line(&self, value: Value<'a>, span: Span) -> HeaderLine {
        let absolute = self
            .config
            .nearest(self.level, |level| level.absolute_redirect);
        let text = match &value.text {
            Known::Known(text) if text.starts_with('/') && absolute != Some(false) => {
                let url = &self.request.url;
                let port = self
                    .config
                    .nearest(self.level, |level| level.port_in_redirect);
                let default = if url.scheme == "https" { 443 } else { 80 };
                let port = match self.port() {
                    number if number != default && port != Some(false) => format!(":{number}"),
                    _ => String::new(),
                };
                let own = self
                    .config
                    .nearest(self.level, |level| level.server_name_in_redirect);
                let host = if own == Some(true) {
                    self.server_name()
                } else {
                    &url.host
                };
                Known::Known(format!("{}://{host}{port}{text}", url.scheme))
            }
            Known::Known(text) => Known::Known(text.clone().into_owned()),
            Known::Unknown => Known::Unknown,
        };
        HeaderLine {
            name: "Location".into(),
            value: text,
            span,
            value_span: None,
            sources: value.sources.list(),
            decided_by: None,
        }
    }

    /// A response that ends without one: meant so, and no part of CORS.
    pub(super) fn closed(&self, made: &Made) -> Response {
        let mut response = Response::new(made.status, Answer::Handler, made.span);
        response.outcome = Outcome::NeverAnswers;
        response
    }
}
