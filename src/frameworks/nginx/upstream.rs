//! Upstreams: another server of the same configuration, or one out of view.

use crate::limits::nginx::MAX_PROXIES;
use std::borrow::Cow;

use super::complex::Complex;
use super::config::{Config, LocationId, Matching, Module, ServerId};
use super::location::{Found, find};
use super::phases::{Made, Start, Step};
use super::run::{Run, UpstreamAnswer};
use crate::model::{
    Answer, Application, HeaderLine, Known, Outcome, Request, Response, Url, ValueSource,
};
use crate::source::Span;

/// Headers of an upstream that nginx never passes on.
const HIDDEN: [&str; 10] = [
    "date",
    "server",
    "x-pad",
    "x-accel-expires",
    "x-accel-redirect",
    "x-accel-limit-rate",
    "x-accel-buffering",
    "x-accel-charset",
    "status",
    "content-length",
];

/// Headers that may decide something about a cross-origin exchange.
const RELEVANT: [&str; 16] = [
    "access-control-allow-origin",
    "access-control-allow-credentials",
    "access-control-allow-methods",
    "access-control-allow-headers",
    "access-control-expose-headers",
    "access-control-max-age",
    "access-control-allow-private-network",
    "timing-allow-origin",
    "vary",
    "cache-control",
    "expires",
    "location",
    "content-type",
    "set-cookie",
    "www-authenticate",
    "etag",
];

/// The names of [`RELEVANT`] that `unseen` (with `*` for all) may mean, without `gone`.
pub(super) fn unseen_without(unseen: &[String], gone: impl Fn(&str) -> bool) -> Vec<String> {
    if unseen.iter().any(|name| name == "*") {
        if !RELEVANT.iter().any(|name| gone(name)) {
            return vec!["*".into()];
        }
        return RELEVANT
            .iter()
            .filter(|name| !gone(name))
            .map(|name| (*name).to_owned())
            .collect();
    }
    unseen.iter().filter(|name| !gone(name)).cloned().collect()
}

/// The lines that nginx passes on, with the one that it obeys.
fn passed_on(mut lines: Vec<HeaderLine>) -> Vec<HeaderLine> {
    lines.retain(|line| {
        let name = &line.name;
        !HIDDEN
            .iter()
            .any(|hidden| name.eq_ignore_ascii_case(hidden))
            || name.eq_ignore_ascii_case("x-accel-redirect")
    });
    lines
}

impl UpstreamAnswer {
    /// May it send this besides what is known?
    pub(super) fn may_send(&self, name: &str) -> bool {
        self.unseen
            .iter()
            .any(|unseen| unseen == "*" || unseen.eq_ignore_ascii_case(name))
    }
}

impl<'a> Run<'a> {
    /// `proxy_pass` and its kin.
    pub(super) fn pass(
        &mut self,
        module: Module,
        target: &'a super::complex::Complex,
        span: Span,
    ) -> Step {
        let constant = target.constant().is_some();
        let target = self.complex(target);
        let inner = target
            .known_text()
            .map(str::to_owned)
            .filter(|_| module == Module::Proxy && self.depth < MAX_PROXIES)
            .and_then(|target| self.ask_inner(&target, constant));
        let (status, answer) = match inner {
            Some(response) => {
                let status = match response.outcome {
                    Outcome::Status(status) => status,
                    _ => return self.bad_gateway(span),
                };
                let answer = UpstreamAnswer {
                    lines: passed_on(response.headers),
                    unseen: response.unseen,
                };
                (status, answer)
            }
            None => {
                if self.request.application == Application::Unreachable && !self.asks_access {
                    return self.bad_gateway(span);
                }
                (self.application_status(), self.application_answer(span))
            }
        };
        let redirect = answer
            .lines
            .iter()
            .find(|line| line.name.eq_ignore_ascii_case("x-accel-redirect"))
            .map(|line| line.value.clone());
        if let Some(Known::Known(uri)) = redirect {
            if uri.starts_with('@') {
                return Step::Named(uri);
            }
            if self.method != "HEAD" {
                self.method = Cow::Borrowed("GET");
                self.client_method = Cow::Borrowed("GET");
            }
            let (path, args) = super::phases::split_args(&uri);
            self.rewritten = Some(super::value::Sources::NONE);
            self.exists();
            return Step::Internal(path, args);
        }
        // `$upstream_http_…` shows it from here on, whatever is answered in the end.
        self.upstream = Some(answer);
        let mut made = Made::new(status, Answer::Upstream, Some(span));
        let intercept = self
            .config
            .nearest(self.level, |level| level.intercept_errors);
        if let Known::Known(status) = status
            && status >= 300
            && intercept == Some(true)
            && self.has_error_page(status)
        {
            return Step::Special(status, made);
        }
        made.upstream = Some(module);
        Step::Send(made)
    }

    /// The headers of an application out of view: what the request states, else anything.
    fn application_answer(&self, span: Span) -> UpstreamAnswer {
        let Known::Known(headers) = &self.request.application_headers else {
            return UpstreamAnswer {
                lines: Vec::new(),
                unseen: vec!["*".into()],
            };
        };
        let lines = headers.iter().map(|(name, value)| HeaderLine {
            name: name.clone(),
            value: Known::Known(value.clone()),
            span,
            value_span: None,
            sources: vec![ValueSource::Upstream],
            decided_by: None,
        });
        UpstreamAnswer {
            lines: passed_on(lines.collect()),
            unseen: Vec::new(),
        }
    }

    fn bad_gateway(&mut self, span: Span) -> Step {
        self.upstream = Some(UpstreamAnswer::default());
        let made = Made::new(Known::Known(502), Answer::ErrorPage, Some(span));
        Step::Special(502, made)
    }

    /// The answer of a server of the same configuration.
    fn ask_inner(&mut self, target: &str, constant: bool) -> Option<Response> {
        let (scheme, rest) = target.split_once("://")?;
        if !matches!(scheme, "http" | "https") {
            return None;
        }
        let (authority, path) = match rest.strip_prefix("unix:") {
            Some(_) => return None,
            None => match rest.find(['/', '?']) {
                Some(at) => rest.split_at(at),
                None => (rest, ""),
            },
        };
        let (server, port) = self.config.inner_server(authority, scheme)?;
        let path = self.upstream_path(path, constant);
        let (path, query) = match path.split_once('?') {
            Some((path, query)) => (path.to_owned(), Some(query.to_owned())),
            None => (path, self.args.as_deref().map(str::to_owned)),
        };
        let mut request = Request {
            url: Url {
                scheme: scheme.to_owned(),
                host: authority
                    .rsplit_once(':')
                    .map_or(authority, |(host, _)| host)
                    .to_ascii_lowercase(),
                port: Some(port),
                path,
                query: query.filter(|query| !query.is_empty()),
            },
            method: self.method.clone().into_owned(),
            ..self.request.clone()
        };
        self.upstream_request(&mut request);
        let server = self
            .config
            .ports
            .get(&port)
            .and_then(|ports| ports.choose(self.config, &request.url.host))
            .map_or(server, |(server, _)| server);
        let mut inner = Run::new(self.config, server, &request, self.oracle);
        inner.depth = self.depth + 1;
        inner.asks_access = self.asks_access;
        let mut response = inner.respond(Start::Server);
        self.rewrite_location(target, constant, &mut response);
        Some(response)
    }

    /// The path that an upstream is asked for.
    fn upstream_path(&self, path: &str, constant: bool) -> String {
        if path.is_empty() {
            if self.unparsed {
                return self.request.url.path.clone();
            }
            return encode(&self.uri);
        }
        if !constant {
            return path.to_owned();
        }
        if !self.in_prefix {
            return encode(&self.uri);
        }
        let prefix = self.location.map_or(0, |id| {
            let location = &self.config.locations[id];
            match location.matching {
                Matching::Exact | Matching::Prefix { .. } => location.name.len(),
                _ => 0,
            }
        });
        let (path, query) = path
            .split_once('?')
            .map_or((path, ""), |(path, _)| (path, ""));
        format!(
            "{path}{}{query}",
            encode(self.uri.get(prefix..).unwrap_or_default())
        )
    }

    /// Applies `proxy_set_header` and `proxy_method`.
    fn upstream_request(&mut self, request: &mut Request) {
        let config = self.config;
        let method = config.nearest(self.level, |level| level.proxy_method.as_ref());
        if let Some(method) = method
            && let Some(method) = self.complex(method).known_text()
        {
            request.method = method.to_owned();
        }
        let headers = config.nearest(self.level, |level| {
            let mut own = level.upstream_headers.iter();
            own.any(|(module, ..)| *module == Module::Proxy)
                .then_some(&level.upstream_headers)
        });
        for (module, name, value) in headers.into_iter().flatten() {
            if *module != Module::Proxy {
                continue;
            }
            let value = self.complex(value);
            let Some(text) = value.known_text() else {
                continue;
            };
            let name = name.to_ascii_lowercase();
            let text = (!text.is_empty()).then(|| text.to_owned());
            match name.as_str() {
                "origin" => request.origin = text,
                "host" => {
                    if let Some(host) = text {
                        let host = host.rsplit_once(':').map_or(&*host, |(host, _)| host);
                        request.url.host = host.to_ascii_lowercase();
                    }
                }
                "access-control-request-method" => request.requested_method = text,
                "access-control-request-headers" => {
                    request.requested_headers = text
                        .iter()
                        .flat_map(|text| text.split(','))
                        .map(|name| name.trim().to_owned())
                        .collect();
                }
                "cookie" if text.is_none() => request.cookies = false,
                _ => {
                    request.headers.retain(|(other, _)| *other != name);
                    if let Some(text) = text {
                        request.headers.push((name, text));
                    }
                }
            }
        }
    }

    /// `proxy_redirect default`.
    fn rewrite_location(&self, target: &str, constant: bool, response: &mut Response) {
        let Some(id) = self.location.filter(|_| constant) else {
            return;
        };
        let location = &self.config.locations[id];
        let rest = target.split_once("://").map_or("", |(_, rest)| rest);
        let (from, to) = if rest.contains('/') {
            match location.matching {
                Matching::Exact | Matching::Prefix { .. } => {
                    (target.to_owned(), location.name.as_str())
                }
                _ => return,
            }
        } else {
            (format!("{target}/"), "/")
        };
        for line in &mut response.headers {
            if line.name.eq_ignore_ascii_case("location")
                && let Known::Known(text) = &line.value
                && let Some(rest) = text.strip_prefix(&from)
            {
                let text = format!("{to}{rest}");
                let made = self.location_line(super::value::Value::known(text), line.span);
                line.value = made.value;
            }
        }
    }
}

/// Percent-encodes what a request line cannot hold.
fn encode(path: &str) -> String {
    let mut encoded = String::with_capacity(path.len());
    for character in path.chars() {
        match character {
            ' ' | '%' | '?' | '#' | '\0'..='\x1f' | '\x7f' => {
                encoded.push_str(&format!("%{:02X}", u32::from(character)));
            }
            character => encoded.push(character),
        }
    }
    encoded
}

impl Config {
    /// The server of this configuration that an address leads to.
    pub(super) fn inner_server(&self, authority: &str, scheme: &str) -> Option<(ServerId, u16)> {
        let addresses = self.upstreams.get(authority);
        let mut found = None;
        let own = [authority.to_owned()];
        for address in addresses.map_or(&own[..], Vec::as_slice) {
            let (host, port) = match address.rsplit_once(':') {
                Some((host, port)) if !port.ends_with(']') => (host, port.parse().ok()?),
                _ => (
                    address.as_str(),
                    if scheme == "https" && addresses.is_none() {
                        443
                    } else {
                        80
                    },
                ),
            };
            let loopback = host == "localhost"
                || host == "[::1]"
                || host
                    .parse::<std::net::Ipv4Addr>()
                    .is_ok_and(|address| address.is_loopback());
            if !loopback {
                return None;
            }
            let server = self.ports.get(&port)?.default?;
            found.get_or_insert((server, port));
        }
        found
    }

    /// The server, location and path of this configuration that a constant `proxy_pass` leads to
    /// for the URIs below `prefix`.
    pub(super) fn behind(
        &self,
        target: &Complex,
        prefix: &str,
    ) -> Option<(ServerId, Option<LocationId>)> {
        let (scheme, rest) = target.constant()?.split_once("://")?;
        let (authority, path) = match rest.find(['/', '?']) {
            Some(at) => rest.split_at(at),
            None => (rest, prefix),
        };
        let (server, _) = self.inner_server(authority, scheme)?;
        let location = match find(self, &self.servers[server].table, path) {
            Found::Location(id, _) | Found::Redirect(id) => Some(id),
            Found::Server | Found::Unknown => None,
        };
        Some((server, location))
    }
}
