//! Variables: their names, and their values during a request.

use crate::limits::nginx::MAX_VALUE;
use std::borrow::Cow;

use super::complex::{Complex, Part};
use super::config::{Definition, Matching, SlotId};
use super::regex::{Outcome, Pattern};
use super::run::Run;
use super::value::{Doubt, Sources, Value};
use crate::model::{Known, ValueSource};

/// A variable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Var {
    /// One that the configuration defines.
    User(SlotId),
    /// `$http_…`: a request header, lower case, with dashes.
    Header(String),
    /// `$arg_…`, lower case.
    Argument(String),
    /// `$cookie_…`
    Cookie(String),
    /// `$upstream_http_…`: lower case, with dashes.
    Upstream(String),
    /// `$sent_http_…`: lower case, with dashes.
    Sent(String),
    /// One of nginx's own.
    Own(Own),
    /// One of nginx's own that only the client decides.
    Client(String),
    /// One of nginx's own or of a module that nothing here can tell.
    Foreign(String),
    /// Nobody defines it: a template's placeholder.
    Undefined(String),
}

/// nginx's own variables that a request decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Own {
    /// `$request_method`
    RequestMethod,
    /// `$uri`, `$document_uri`, `$fastcgi_script_name`
    Uri,
    /// `$request_uri`
    RequestUri,
    /// `$request_filename`
    RequestFilename,
    /// `$document_root`, `$realpath_root`
    DocumentRoot,
    /// `$args`, `$query_string`
    Args,
    /// `$is_args`
    IsArgs,
    /// `$host`
    Host,
    /// `$server_name`
    ServerName,
    /// `$scheme`
    Scheme,
    /// `$https`
    Https,
    /// `$server_port`
    ServerPort,
    /// `$remote_addr`
    RemoteAddress,
    /// `$status`
    Status,
    /// `$proxy_host`
    ProxyHost,
    /// `$proxy_add_x_forwarded_for`, `$hostname` and other texts that matter to nobody here
    Text,
}

impl Var {
    /// The variable of a lower-case name, if it is one of nginx's own.
    pub(super) fn builtin(name: &str) -> Option<Self> {
        let dashed = |rest: &str| rest.replace('_', "-");
        if let Some(rest) = name.strip_prefix("http_") {
            return Some(Self::Header(dashed(rest)));
        }
        if let Some(rest) = name.strip_prefix("arg_") {
            return Some(Self::Argument(rest.to_owned()));
        }
        if let Some(rest) = name.strip_prefix("cookie_") {
            return Some(Self::Cookie(rest.to_owned()));
        }
        if let Some(rest) = name.strip_prefix("upstream_http_") {
            return Some(Self::Upstream(dashed(rest)));
        }
        if let Some(rest) = name.strip_prefix("sent_http_") {
            return Some(Self::Sent(dashed(rest)));
        }
        Some(match name {
            "request_method" => Self::Own(Own::RequestMethod),
            "uri" | "document_uri" | "fastcgi_script_name" => Self::Own(Own::Uri),
            "request_uri" => Self::Own(Own::RequestUri),
            "request_filename" => Self::Own(Own::RequestFilename),
            "document_root" | "realpath_root" => Self::Own(Own::DocumentRoot),
            "args" | "query_string" => Self::Own(Own::Args),
            "is_args" => Self::Own(Own::IsArgs),
            "host" => Self::Own(Own::Host),
            "server_name" => Self::Own(Own::ServerName),
            "scheme" => Self::Own(Own::Scheme),
            "https" => Self::Own(Own::Https),
            "server_port" => Self::Own(Own::ServerPort),
            "remote_addr" => Self::Own(Own::RemoteAddress),
            "status" => Self::Own(Own::Status),
            "proxy_host" => Self::Own(Own::ProxyHost),
            "proxy_add_x_forwarded_for" | "hostname" | "nginx_version" | "pid" | "proxy_port" => {
                Self::Own(Own::Text)
            }
            "remote_user" | "remote_port" | "binary_remote_addr" | "content_length"
            | "content_type" | "request" | "request_body" | "request_length"
            | "realip_remote_addr" | "server_protocol" | "http2" | "http3" | "invalid_referer"
            | "slice_range" | "gzip_ratio" | "connection" | "request_id" | "request_time"
            | "msec" | "time_iso8601" | "time_local" | "server_addr" | "limit_rate" => {
                Self::Client(name.to_owned())
            }
            _ if name.starts_with("ssl_") || name.starts_with("geoip") => {
                Self::Client(name.to_owned())
            }
            _ if [
                "upstream_",
                "connections_",
                "proxy_",
                "fastcgi_",
                "tcpinfo_",
                "uid_",
                "jwt_",
            ]
            .iter()
            .any(|prefix| name.starts_with(prefix))
                || matches!(
                    name,
                    "body_bytes_sent"
                        | "bytes_sent"
                        | "connection_requests"
                        | "connection_time"
                        | "request_body_file"
                        | "request_completion"
                        | "secure_link"
                        | "secure_link_expires"
                        | "pipe"
                        | "date_local"
                        | "date_gmt"
                        | "modern_browser"
                        | "ancient_browser"
                        | "msie"
                        | "memcached_key"
                        | "limit_conn_status"
                        | "limit_req_status"
                ) =>
            {
                Self::Foreign(name.to_owned())
            }
            _ => return None,
        })
    }
}

/// What the last regex that matched has captured.
#[derive(Debug)]
pub(super) struct Captures<'a> {
    /// What was matched.
    pub(super) subject: Value<'a>,
    /// The regex.
    pub(super) pattern: &'a Pattern,
    /// Byte ranges in the subject.
    pub(super) groups: super::regex::Groups,
    /// The subject is the request's path.
    pub(super) path: bool,
    /// They are escaped where they are used: in the target of a redirect (`e->quote` in
    /// `ngx_http_script.c`).
    pub(super) escaped: bool,
}

impl<'a> Run<'a> {
    /// The value of a complex value now.
    pub(super) fn complex(&mut self, complex: &'a Complex) -> Value<'a> {
        match complex.parts.as_slice() {
            [] => Value::empty(),
            [part] => self.part(part),
            parts => {
                let mut joined = String::new();
                let mut known = true;
                let mut value = Value::empty();
                let mut doubt = None;
                for part in parts {
                    let next = self.part(part);
                    value.sources = value.sources.and(next.sources);
                    value.decided = value.decided.or(next.decided);
                    value.filled |=
                        next.filled || next.known_text().is_some_and(|text| !text.is_empty());
                    match next.text {
                        Known::Known(text) => joined.push_str(&text),
                        Known::Unknown => {
                            known = false;
                            doubt = doubt.max(Some(next.doubt));
                        }
                    }
                }
                if joined.len() > MAX_VALUE {
                    known = false;
                    doubt = doubt.max(Some(Doubt::Foreign));
                }
                value.doubt = doubt.unwrap_or_default();
                value.text = if known {
                    Known::Known(Cow::Owned(joined))
                } else {
                    Known::Unknown
                };
                value
            }
        }
    }

    fn part(&mut self, part: &'a Part) -> Value<'a> {
        match part {
            Part::Text(text) => Value::known(text.as_str()),
            Part::Variable(variable) => self.variable(variable),
            Part::Capture(group) => self.capture(*group),
            Part::Placeholder => Value::unknown(Sources::NONE, Doubt::Placeholder),
        }
    }

    /// The value of a variable now.
    pub(super) fn variable(&mut self, variable: &'a Var) -> Value<'a> {
        match variable {
            Var::User(slot) => self.user(*slot),
            Var::Header(name) => self.header(name),
            Var::Argument(name) => self.argument(name),
            Var::Cookie(name) => self.cookie(name),
            Var::Upstream(name) => self.upstream_header(name),
            Var::Sent(name) => self.sent_header(name),
            Var::Own(own) => self.own(*own),
            Var::Client(name) => self.client(&format!("${name}"), Sources::NONE),
            Var::Foreign(_) => Value::unknown(Sources::NONE, Doubt::Foreign),
            Var::Undefined(_) => Value::unknown(Sources::NONE, Doubt::Placeholder),
        }
    }

    fn user(&mut self, slot: SlotId) -> Value<'a> {
        if let Some((_, value)) = self.variables.iter().find(|(other, _)| *other == slot) {
            return value.clone();
        }
        match self.config.slots[slot].definition {
            Definition::Set => Value::empty(),
            Definition::Opaque => Value::unknown(Sources::NONE, Doubt::Foreign),
            Definition::Map(map) => {
                let map = &self.config.maps[map];
                let value = self.map(map);
                if !map.volatile {
                    self.set(slot, value.clone());
                }
                value
            }
        }
    }

    /// Gives a user variable its value.
    pub(super) fn set(&mut self, slot: SlotId, value: Value<'a>) {
        match self.variables.iter_mut().find(|(other, _)| *other == slot) {
            Some((_, old)) => *old = value,
            None => self.variables.push((slot, value)),
        }
    }

    /// Something the client decides: what was assumed of it, else unknown, else (in an exact
    /// request) empty.
    fn client(&self, name: &str, sources: Sources) -> Value<'a> {
        if let Some((_, text)) = self.assumed.iter().find(|(other, _)| other == name) {
            return Value::from(text.clone(), sources);
        }
        if self.request.exact {
            return Value::from("", sources);
        }
        Value::unknown(sources, Doubt::Client)
    }

    fn header(&self, name: &str) -> Value<'a> {
        let sources = Sources::of(match name {
            "origin" => ValueSource::Origin,
            "referer" => ValueSource::Referer,
            "cookie" => ValueSource::Cookie,
            "host" => ValueSource::Host,
            _ => ValueSource::Header,
        });
        if name == "origin" {
            let text = self.request.origin.as_deref().unwrap_or_default();
            return Value::from(text, sources);
        }
        if name == "cookie" && self.request.cookies && !self.request.exact {
            return Value::unknown(sources, Doubt::Client);
        }
        match self.request.header(name) {
            Some(text) => Value::from(text, sources),
            None if name.starts_with("access-control-request-") => Value::from("", sources),
            None => self.client(&format!("$http_{}", name.replace('-', "_")), sources),
        }
    }

    fn argument(&self, name: &str) -> Value<'a> {
        let sources = Sources::of(ValueSource::Query);
        let Some(args) = &self.args else {
            return self.client(&format!("$arg_{name}"), sources);
        };
        let found = args.split('&').find_map(|pair| {
            let (key, value) = pair.split_once('=')?;
            key.eq_ignore_ascii_case(name).then(|| value.to_owned())
        });
        Value::from(found.unwrap_or_default(), sources)
    }

    fn cookie(&self, name: &str) -> Value<'a> {
        let sources = Sources::of(ValueSource::Cookie);
        let sent = self.request.headers.iter().find(|(key, _)| key == "cookie");
        let Some((_, cookies)) = sent else {
            return self.client(&format!("$cookie_{name}"), sources);
        };
        let found = cookies.split(';').find_map(|pair| {
            let (key, value) = pair.trim_start().split_once('=')?;
            key.eq_ignore_ascii_case(name).then(|| value.to_owned())
        });
        Value::from(found.unwrap_or_default(), sources)
    }

    fn upstream_header(&self, name: &str) -> Value<'a> {
        let sources = Sources::of(ValueSource::Upstream);
        let Some(upstream) = &self.upstream else {
            return Value::from("", sources);
        };
        let mut lines = upstream
            .lines
            .iter()
            .filter(|line| line.name.eq_ignore_ascii_case(name));
        match lines.next().map(|line| &line.value) {
            Some(Known::Known(text)) => Value::from(text.clone(), sources),
            Some(Known::Unknown) => Value::unknown(sources, Doubt::Foreign),
            None if !upstream.may_send(name) || self.assumed_absent(name) => {
                Value::from("", sources)
            }
            None => Value::unknown(sources, Doubt::Foreign),
        }
    }

    fn sent_header(&mut self, name: &'a str) -> Value<'a> {
        if let Some((_, value)) = self.sent_before.iter().find(|(before, _)| *before == name) {
            return value.clone();
        }
        let sources = Sources::of(ValueSource::Upstream);
        let mut unseen = self.sent_unseen.iter();
        let line = self
            .sent
            .iter()
            .find(|(sent, _)| sent.eq_ignore_ascii_case(name));
        // The first line counts, and what is out of view stands before all others.
        let value = if unseen.any(|unseen| unseen == "*" || unseen == name) {
            Value::unknown(sources, Doubt::Foreign)
        } else {
            match line.map(|(_, value)| value) {
                Some(Known::Known(text)) => Value::from(text.clone(), sources),
                Some(Known::Unknown) => Value::unknown(sources, Doubt::Foreign),
                None => Value::from("", sources),
            }
        };
        self.sent_before.push((name, value.clone()));
        value
    }

    fn own(&self, own: Own) -> Value<'a> {
        let url = &self.request.url;
        let host = Sources::of(ValueSource::Host);
        match own {
            Own::RequestMethod => Value::known(self.client_method.clone()),
            Own::Uri => Value::from(self.uri.clone(), self.uri_sources()),
            Own::RequestUri => {
                let mut text = url.path.clone();
                if let Some(query) = &url.query {
                    text.push('?');
                    text.push_str(query);
                }
                Value::from(text, Sources::of(ValueSource::EncodedPath))
            }
            Own::RequestFilename if self.names_files => match self.filename() {
                Some(name) => Value::from(name, self.uri_sources()),
                None => Value::unknown(self.uri_sources(), Doubt::Client),
            },
            Own::RequestFilename => Value::unknown(self.uri_sources(), Doubt::Client),
            Own::DocumentRoot if self.names_files => match self.root_text() {
                Some(root) => Value::known(root),
                None => Value::unknown(Sources::NONE, Doubt::Foreign),
            },
            Own::DocumentRoot | Own::Text => Value::unknown(Sources::NONE, Doubt::Foreign),
            Own::Args => {
                let sources = Sources::of(ValueSource::Query);
                match &self.args {
                    Some(args) => Value::from(args.clone(), sources),
                    None => self.client("$args", sources),
                }
            }
            Own::IsArgs => match &self.args {
                Some(args) if args.is_empty() => Value::empty(),
                Some(_) => Value::known("?"),
                None => self.client("$is_args", Sources::NONE),
            },
            Own::Host => Value::from(url.host.as_str(), host),
            Own::ServerName => Value::known(self.server_name()),
            Own::Scheme => Value::from(url.scheme.as_str(), Sources::NONE),
            Own::Https => Value::known(if url.scheme == "https" { "on" } else { "" }),
            Own::ServerPort => Value::known(self.port().to_string()),
            Own::RemoteAddress if self.request.exact => Value::known("127.0.0.1"),
            Own::RemoteAddress => self.client("$remote_addr", Sources::NONE),
            Own::Status => match self.status {
                Some(status) => Value::known(status.to_string()),
                None => Value::unknown(Sources::NONE, Doubt::Foreign),
            },
            Own::ProxyHost => Value::unknown(Sources::NONE, Doubt::Foreign),
        }
    }

    /// What of the path a stranger can choose, given the location that it led to.
    fn uri_sources(&self) -> Sources {
        if let Some(sources) = self.rewritten {
            return sources;
        }
        let location = self.location.map(|id| &self.config.locations[id].matching);
        match location {
            Some(Matching::Exact) => Sources::NONE,
            Some(Matching::Regex(pattern))
                if !holds_newline(pattern, &self.uri, None, (0, self.uri.len())) =>
            {
                Sources::of(ValueSource::EncodedPath)
            }
            _ => Sources::of(ValueSource::DecodedPath),
        }
    }

    fn capture(&self, group: usize) -> Value<'a> {
        let Some(captures) = &self.captures else {
            return Value::empty();
        };
        let Some(text) = captures.subject.known_text() else {
            return Value::unknown(captures.subject.sources, captures.subject.doubt);
        };
        let Some(Some((start, end))) = captures.groups.get(group).copied() else {
            return Value::empty();
        };
        let mut value = Value::from(
            String::from_utf8_lossy(text.as_bytes().get(start..end).unwrap_or_default())
                .into_owned(),
            captures.subject.sources,
        );
        value.decided = captures.subject.decided;
        if captures.path
            && value.sources.has(ValueSource::DecodedPath)
            && (captures.escaped
                || !holds_newline(captures.pattern, text, Some(group), (start, end)))
        {
            value.sources = value
                .sources
                .without(ValueSource::DecodedPath)
                .and(Sources::of(ValueSource::EncodedPath));
        }
        value
    }

    /// Gives the named groups of the last match their values.
    pub(super) fn set_named(&mut self) {
        let Some(captures) = &self.captures else {
            return;
        };
        let names: Vec<(SlotId, usize)> = captures
            .pattern
            .named()
            .filter_map(|(name, group)| {
                let slot = self.config.slot_names.get(&name.to_ascii_lowercase())?;
                Some((*slot, group))
            })
            .collect();
        for (slot, group) in names {
            let value = self.capture(group);
            self.set(slot, value);
        }
    }
}

/// Can the text between `range` hold a line break and the pattern still match, with the break
/// inside `group`?
fn holds_newline(
    pattern: &Pattern,
    subject: &str,
    group: Option<usize>,
    range: (usize, usize),
) -> bool {
    let middle = usize::midpoint(range.0, range.1);
    [range.0, middle, range.1].into_iter().any(|at| {
        let Some((before, after)) = subject.split_at_checked(at) else {
            return false;
        };
        let attempt = format!("{before}\n{after}");
        match pattern.find(&attempt) {
            Outcome::Match(groups) => group.is_none_or(|group| {
                groups
                    .get(group)
                    .copied()
                    .flatten()
                    .is_some_and(|(start, end)| attempt.as_bytes()[start..end].contains(&b'\n'))
            }),
            _ => false,
        }
    })
}

/// The name of one of nginx's own variables, as written.
pub(super) const fn own_name(own: Own) -> &'static str {
    match own {
        Own::RequestMethod => "$request_method",
        Own::Uri => "$uri",
        Own::RequestUri => "$request_uri",
        Own::RequestFilename => "$request_filename",
        Own::DocumentRoot => "$document_root",
        Own::Args => "$args",
        Own::IsArgs => "$is_args",
        Own::Host => "$host",
        Own::ServerName => "$server_name",
        Own::Scheme => "$scheme",
        Own::Https => "$https",
        Own::ServerPort => "$server_port",
        Own::RemoteAddress => "$remote_addr",
        Own::Status => "$status",
        Own::ProxyHost => "$proxy_host",
        Own::Text => "$hostname",
    }
}
