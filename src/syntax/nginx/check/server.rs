//! `listen`, `server_name`, `upstream` and what stands in it.

use std::collections::{HashMap, HashSet};

use super::values::{self, Host, Url, UrlKind};
use super::{Body, Checker, Context, Level, Outcome, SyntaxError, Word, invalid_parameter, refuse};
use crate::source::Span;
use crate::syntax::nginx::Directive;

/// An address and port that a server listens on, and whether by QUIC.
pub(super) type Socket = (Host, i64, bool);

/// More ports than this in one `listen` are not compared with others.
const MANY_PORTS: i64 = 16;

/// What is known of each socket.
#[derive(Debug, Default)]
pub(super) struct Listeners {
    with_options: HashSet<Socket>,
    with_default: HashSet<Socket>,
}

/// The `upstream` blocks, and what is passed where; names in lower case.
#[derive(Debug, Default)]
pub(super) struct Upstreams {
    defined: HashSet<String>,
    with_port: HashMap<String, (i64, Span)>,
    without_port: HashMap<String, Span>,
}

impl Upstreams {
    /// False if there is one of that name.
    fn define(&mut self, name: &str) -> bool {
        self.defined.insert(name.to_ascii_lowercase())
    }

    /// Something is passed to a host, which may be an upstream; `has_default`: without a port a
    /// default counts.
    pub(super) fn used(&mut self, url: &Url, has_default: bool, span: Span) {
        let name = url.name.to_ascii_lowercase();
        match url.port {
            Some(port) => {
                self.with_port.entry(name).or_insert((port, span));
            }
            None if has_default || matches!(url.host, Host::Unix(_)) => {}
            None => {
                self.without_port.entry(name).or_insert(span);
            }
        }
    }

    /// Ports of what is an upstream.
    pub(super) fn with_port(&self) -> impl Iterator<Item = SyntaxError> {
        let wrong = |(name, _): &(&String, _)| self.defined.contains(*name);
        self.with_port
            .iter()
            .filter(wrong)
            .map(|(name, (port, span))| SyntaxError {
                span: *span,
                message: format!(r#"upstream "{name}" may not have port {port}"#),
            })
    }

    /// What is no upstream and has no port, if the configuration is complete.
    pub(super) fn without_port(&self) -> impl Iterator<Item = SyntaxError> {
        let is_fine = |name| self.defined.contains(name) || self.with_port.contains_key(name);
        self.without_port
            .iter()
            .filter(move |(name, _)| !is_fine(*name))
            .map(|(name, span)| SyntaxError {
                span: *span,
                message: format!(r#"no port in upstream "{name}""#),
            })
    }
}

impl<'t> Checker<'t> {
    pub(super) fn server(&mut self, directive: &'t Directive, level: &mut Level<'t>) -> Outcome {
        let args = directive.args.as_slice();
        let Some(first) = args.first() else {
            match directive.name.text.as_str() {
                "ip_hash" | "random" => {
                    level.note("no backup");
                }
                "least_conn" => {
                    level.seen.remove("no backup");
                }
                _ => {}
            }
            return Ok(());
        };
        match directive.name.text.as_str() {
            "listen" => self.listen(args, level),
            "server_name" => args.iter().try_for_each(|word| self.server_name(word)),
            "server" if level.context == Context::Upstream => upstream_server(args, level),
            "upstream" => {
                if self.upstreams.define(&first.text) {
                    return Ok(());
                }
                refuse(
                    first.span,
                    format!(r#"duplicate upstream "{}""#, first.text),
                )
            }
            "hash" => {
                level.note("no backup");
                self.variables.use_word(first)?;
                expect(args.get(1), "consistent")
            }
            "random" => {
                level.note("no backup");
                expect(Some(first), "two")?;
                match args.get(1) {
                    // `least_time` is a method of newer versions.
                    Some(word) if word.text.starts_with("least_time") => Ok(()),
                    word => expect(word, "least_conn"),
                }
            }
            "keepalive" if values::number(&first.text).is_none_or(|n| n == 0) => refuse(
                first.span,
                format!(r#"invalid value "{}" in "keepalive" directive"#, first.text),
            ),
            "zone" => self.upstream_zone(args),
            "resolver" => resolver(args),
            _ => Ok(()),
        }
    }

    fn listen(&mut self, args: &'t [Word], level: &mut Level<'t>) -> Outcome {
        let [address, options @ ..] = args else {
            return Ok(());
        };
        let url = match values::url(&address.text, UrlKind::Listen) {
            Ok(url) => url,
            Err(reason) => {
                return refuse(
                    address.span,
                    format!(
                        r#"{reason} in "{}" of the "listen" directive"#,
                        address.text
                    ),
                );
            }
        };
        let mut with_options = false;
        let mut is_default = false;
        let is_quic = options.iter().any(|option| option.text == "quic");
        for option in options {
            match listen_option(option)? {
                ListenOption::Plain => {}
                ListenOption::Socket => with_options = true,
                ListenOption::Default => is_default = true,
            }
        }
        let first = url.port.unwrap_or(80);
        let last = url.last_port.unwrap_or(first);
        // A name stands for addresses that only the resolver knows.
        if matches!(url.host, Host::Name(_)) || last - first > MANY_PORTS {
            return Ok(());
        }
        for port in first..=last {
            let port = if matches!(url.host, Host::Unix(_)) {
                0
            } else {
                port
            };
            let socket = (url.host.clone(), port, is_quic);
            let refuse = |what: &str| refuse(address.span, format!("{what} {}", show(&socket)));
            if !level.sockets.insert(socket.clone()) {
                return refuse("a duplicate listen");
            }
            if with_options && !self.listeners.with_options.insert(socket.clone()) {
                return refuse("duplicate listen options for");
            }
            if is_default && !self.listeners.with_default.insert(socket.clone()) {
                return refuse("a duplicate default server for");
            }
        }
        Ok(())
    }

    fn server_name(&mut self, word: &Word) -> Outcome {
        let name = word.text.as_str();
        if let Some(pattern) = name.strip_prefix('~') {
            if pattern.is_empty() {
                return refuse(word.span, format!(r#"empty regex in server name "{name}""#));
            }
            let caseless = pattern.bytes().any(|byte| byte.is_ascii_uppercase());
            return self.regex(pattern, word.span, caseless);
        }
        let is_invalid =
            (name.starts_with('*') && (name.len() < 3 || !name.starts_with("*."))) || name == ".";
        if is_invalid {
            return refuse(word.span, format!(r#"server name "{name}" is invalid"#));
        }
        if Key::read(name).is_none() {
            return refuse(
                word.span,
                format!(r#"invalid server name or wildcard "{name}""#),
            );
        }
        Ok(())
    }

    fn upstream_zone(&mut self, args: &'t [Word]) -> Outcome {
        let [name, size @ ..] = args else {
            return Ok(());
        };
        if name.text.is_empty() {
            return refuse(name.span, r#"invalid zone name """#);
        }
        let size = match size.first() {
            None => 0,
            Some(size) => match values::size(&size.text) {
                None => {
                    return refuse(size.span, format!(r#"invalid zone size "{}""#, size.text));
                }
                Some(bytes) if bytes < 8 * 4096 => {
                    return refuse(name.span, format!(r#"zone "{}" is too small"#, name.text));
                }
                Some(bytes) => bytes,
            },
        };
        self.zones.declare("upstream", &name.text, size, name.span)
    }

    pub(super) fn open_upstream(&mut self, directive: &'t Directive, below: &mut Level<'t>) {
        let inner = match &directive.body {
            Body::Block(inner) => inner.as_slice(),
            Body::None | Body::Foreign(_) => &[],
        };
        // NGINX Plus fills a zone at run time.
        let fills = |inner: &Directive| matches!(inner.name.text.as_str(), "server" | "zone");
        if inner.iter().any(fills) {
            below.note("servers");
        }
    }

    /// After a block: what it must hold.
    pub(super) fn leave(
        &mut self,
        directive: &'t Directive,
        inner: &'t [Directive],
        below: &Level<'t>,
    ) -> Outcome {
        let is_known = |inner: &Directive| {
            inner.name.text != "include" && !super::table::variants(&inner.name.text).is_empty()
        };
        if below.context == Context::Upstream && !below.has("servers") && inner.iter().all(is_known)
        {
            return refuse(directive.name.span, "no servers are inside upstream");
        }
        if below.context == Context::Server {
            return self.referers(inner);
        }
        Ok(())
    }

    /// `valid_referers server_names` adds the server's names, once all are known, to those that are
    /// written beside it.
    fn referers(&mut self, inner: &[Directive]) -> Outcome {
        let asked = std::mem::take(&mut self.referers);
        if asked.is_empty() {
            return Ok(());
        }
        let names = inner
            .iter()
            .filter(|directive| directive.name.text == "server_name")
            .flat_map(|directive| &directive.args)
            .map(|word| word.text.as_str());
        let mut names: Vec<&str> = names.collect();
        if names.is_empty() {
            names.push("");
        }
        // What the host's name is depends on the host.
        names.retain(|name| !name.starts_with('~') && *name != "$hostname");
        for (mut keys, span) in asked {
            for name in &names {
                keys.add_name(name, span)?;
            }
        }
        Ok(())
    }
}

enum ListenOption {
    /// One that several `listen` may repeat.
    Plain,
    /// One of the socket, which only one `listen` may have.
    Socket,
    Default,
}

fn listen_option(word: &Word) -> Result<ListenOption, SyntaxError> {
    let text = word.text.as_str();
    let invalid = |what: &str| SyntaxError {
        span: word.span,
        message: format!(r#"invalid {what} "{text}""#),
    };
    match text {
        "default_server" | "default" => return Ok(ListenOption::Default),
        // The last four belong to other versions.
        "ssl" | "http2" | "proxy_protocol" | "quic" | "http3" | "spdy" | "multipath" => {
            return Ok(ListenOption::Plain);
        }
        "bind" | "deferred" | "reuseport" => return Ok(ListenOption::Socket),
        _ => {}
    }
    let (key, value) = text.split_once('=').unwrap_or((text, ""));
    let number = values::number(value);
    let is_valid = match key {
        "accept_filter" => true,
        "setfib" | "fastopen" => number.is_some(),
        "backlog" => number.is_some_and(|number| number > 0),
        "rcvbuf" | "sndbuf" => values::size(value).is_some(),
        "ipv6only" => matches!(value, "on" | "off"),
        "so_keepalive" => is_keepalive(value),
        _ => return Err(invalid("parameter")),
    };
    if is_valid {
        Ok(ListenOption::Socket)
    } else {
        Err(invalid(key))
    }
}

/// `on`, `off`, or up to three numbers between colons, not all empty or zero.
fn is_keepalive(value: &str) -> bool {
    if matches!(value, "on" | "off") {
        return true;
    }
    let mut parts = value.splitn(3, ':');
    let mut some = false;
    let mut is_valid = |part: Option<&str>, read: fn(&str) -> Option<i64>| match part {
        None | Some("") => true,
        Some(part) => read(part).is_some_and(|number| {
            some |= number > 0;
            true
        }),
    };
    let seconds = |text: &str| values::time(text, true);
    let valid = is_valid(parts.next(), seconds)
        && is_valid(parts.next(), seconds)
        && is_valid(parts.next(), values::number);
    valid && some
}

fn show((host, port, _): &Socket) -> String {
    match host {
        Host::V4(address) => format!("{address}:{port}"),
        Host::V6(address) => format!("[{address}]:{port}"),
        Host::Unix(path) => format!("unix:{path}"),
        Host::Name(name) => format!("{name}:{port}"),
    }
}

fn expect(word: Option<&Word>, text: &str) -> Outcome {
    match word {
        Some(word) if word.text != text => invalid_parameter(word),
        _ => Ok(()),
    }
}

fn upstream_server(args: &[Word], level: &Level<'_>) -> Outcome {
    let [address, options @ ..] = args else {
        return Ok(());
    };
    for option in options {
        let text = option.text.as_str();
        let (key, value) = text.split_once('=').unwrap_or((text, ""));
        let is_valid = match key {
            "weight" => values::number(value).is_some_and(|number| number > 0),
            "max_conns" | "max_fails" => values::number(value).is_some(),
            "fail_timeout" => values::time(value, true).is_some(),
            "backup" if level.has("no backup") => {
                return refuse(
                    option.span,
                    r#"balancing method does not support parameter "backup""#,
                );
            }
            // The last ones belong to newer versions.
            "backup" | "down" | "resolve" | "service" | "route" | "drain" | "slow_start" => true,
            _ => false,
        };
        if !is_valid {
            return invalid_parameter(option);
        }
    }
    match values::url(&address.text, UrlKind::Host) {
        Ok(_) => Ok(()),
        Err(reason) => refuse(
            address.span,
            format!(r#"{reason} in upstream "{}""#, address.text),
        ),
    }
}

fn resolver(args: &[Word]) -> Outcome {
    let mut servers = 0;
    for word in args {
        let text = word.text.as_str();
        let is_valid = match text.split_once('=') {
            Some(("valid", time)) => values::time(time, true).is_some(),
            Some(("ipv4" | "ipv6", flag)) => matches!(flag, "on" | "off"),
            // `status_zone` belongs to another version.
            Some(("status_zone", _)) => true,
            _ => {
                servers += 1;
                if let Err(reason) = values::url(text, UrlKind::Host) {
                    return refuse(word.span, format!(r#"{reason} in resolver "{text}""#));
                }
                true
            }
        };
        if !is_valid {
            return refuse(word.span, format!("invalid parameter: {text}"));
        }
    }
    match args.first() {
        Some(first) if servers == 0 && first.text != "off" => {
            refuse(first.span, "no name servers defined")
        }
        _ => Ok(()),
    }
}

/// A name in a hash with wildcards (`ngx_hash_add_key`).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Key {
    /// The name itself.
    Exact(String),
    /// `*.example.com` or, with the flag, `.example.com`.
    Head(String, bool),
    /// `www.example.*`
    Tail(String),
}

impl Key {
    /// `None` if the wildcard is none that nginx supports. Upper case counts as lower.
    fn read(text: &str) -> Option<Self> {
        let text = text.to_ascii_lowercase();
        let stars = text.bytes().filter(|byte| *byte == b'*').count();
        if stars > 1 || text.contains("..") {
            return None;
        }
        let named = |rest: &str| rest.to_owned();
        match text.strip_prefix('.') {
            Some(rest) if !rest.is_empty() => return Some(Self::Head(named(rest), true)),
            _ => {}
        }
        if text.len() > 2 {
            if let Some(rest) = text.strip_prefix("*.") {
                return Some(Self::Head(named(rest), false));
            }
            if let Some(rest) = text.strip_suffix(".*") {
                return Some(Self::Tail(named(rest)));
            }
        }
        (stars == 0).then_some(Self::Exact(text))
    }
}

/// The keys of one hash with wildcards.
#[derive(Debug, Default)]
pub(super) struct Keys(HashSet<Key>);

impl Keys {
    /// Adds a name that may be a wildcard.
    pub(super) fn add_name(&mut self, text: &str, span: Span) -> Outcome {
        match Key::read(text) {
            Some(key) => self.add(key, text, span),
            None => refuse(span, format!(r#"invalid hostname or wildcard "{text}""#)),
        }
    }

    /// Adds a text in which `*` and dots mean nothing.
    pub(super) fn add_text(&mut self, text: &str, span: Span) -> Outcome {
        self.add(Key::Exact(text.to_ascii_lowercase()), text, span)
    }

    /// `.a` stands for `a` and `*.a`.
    fn add(&mut self, key: Key, text: &str, span: Span) -> Outcome {
        let is_new = match key {
            Key::Head(name, true) => {
                self.0.insert(Key::Exact(name.clone())) && self.0.insert(Key::Head(name, false))
            }
            key => self.0.insert(key),
        };
        if is_new {
            return Ok(());
        }
        let text = text.to_ascii_lowercase();
        refuse(span, format!(r#"conflicting parameter "{text}""#))
    }
}
