//! From directives to a [`Config`]: blocks, servers, locations, and what is computed once.

use std::collections::HashMap;

use super::complex::{Complex, Part, Piece, has_placeholder, pieces};
use super::config::{
    Config, Definition, Effective, Handler, If, Inherit, Level, LevelId, LevelKind, LimitExcept,
    Listen, Location, LocationId, Matching, Op, Server, ServerId, ServerName, Slot, SlotId,
};
use super::location::Table;
use super::regex::{Pattern, group_names};
use super::variables::Var;
use crate::model::{Exposure, Known};
use crate::source::Span;
use crate::syntax::nginx::{Body, Directive};

/// What a file is when nothing includes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Context {
    /// A main configuration.
    Main,
    /// The inside of `http`.
    Http,
    /// The inside of `server`.
    Server,
    /// The inside of `location`.
    Location,
}

/// Builds the configuration of a tree whose includes are expanded; `span` stands for blocks that
/// are only implied. `known` are variables that other files may define.
pub(super) fn compile(
    tree: &[Directive],
    context: Context,
    span: Span,
    maps_elsewhere: &[&Directive],
) -> Config {
    let mut compiler = Compiler {
        config: Config::default(),
    };
    compiler.define(tree, 0);
    let level = compiler.level(LevelKind::Http, None, span);
    let elsewhere: Vec<&Directive> = maps_elsewhere
        .iter()
        .copied()
        .filter(|map| {
            map.args.get(1).is_some_and(|name| {
                let name = name.text.trim_start_matches('$').to_ascii_lowercase();
                !compiler.config.slot_names.contains_key(&name)
            })
        })
        .collect();
    for map in elsewhere {
        compiler.define(std::slice::from_ref(map), 0);
        compiler.map(map);
    }
    match context {
        Context::Main => {
            for directive in tree {
                if let ("http", Body::Block(inner)) =
                    (directive.name.text.as_str(), &directive.body)
                {
                    compiler.http(inner, level);
                }
            }
        }
        Context::Http => compiler.http(tree, level),
        Context::Server | Context::Location => {
            // People show the parts of a configuration in one piece.
            let of_http = |name: &str| matches!(name, "map" | "upstream");
            let (shown, tree): (Vec<Directive>, Vec<Directive>) = tree
                .iter()
                .cloned()
                .partition(|directive| of_http(&directive.name.text));
            compiler.http(&shown, level);
            compiler.config.levels[level].unseen = Some(span);
            compiler.config.partial = true;
            if context == Context::Server {
                compiler.server(&tree, span, level, true);
            } else {
                compiler.lone_location(&tree, span, level);
            }
        }
    }
    compiler.finish()
}

/// Maps of a file, for [`compile`] of a file beside it.
pub(super) fn maps(tree: &[Directive]) -> impl Iterator<Item = &Directive> {
    let inside_http = tree.iter().filter_map(|directive| match &directive.body {
        Body::Block(inner) if directive.name.text == "http" => Some(inner),
        _ => None,
    });
    tree.iter()
        .chain(inside_http.flatten())
        .filter(|directive| directive.name.text == "map" && directive.args.len() == 2)
}

pub(super) struct Compiler {
    pub(super) config: Config,
}

impl Compiler {
    pub(super) fn level(
        &mut self,
        kind: LevelKind,
        parent: Option<LevelId>,
        span: Span,
    ) -> LevelId {
        self.config.levels.push(Level::new(kind, parent, span));
        self.config.levels.len() - 1
    }

    /// Gives every variable that is defined somewhere its place.
    fn define(&mut self, tree: &[Directive], depth: usize) {
        for directive in tree {
            let name = directive.name.text.as_str();
            let args = &directive.args;
            let variable = |at: usize| {
                args.get(at)
                    .and_then(|word| word.text.strip_prefix('$'))
                    .map(str::to_owned)
            };
            let (defined, definition) = match name {
                "set" => (variable(0), Definition::Set),
                // Its map is known once it is compiled.
                "map" | "geo" | "split_clients" | "geoip2" => {
                    (variable(args.len().saturating_sub(1)), Definition::Opaque)
                }
                "auth_request_set" | "js_set" | "js_var" | "perl_set" | "secure_link_set" => {
                    (variable(0), Definition::Opaque)
                }
                _ if name.starts_with("set_") => (variable(0), Definition::Set),
                _ => (None, Definition::Set),
            };
            if let Some(defined) = defined {
                self.slot(&defined, definition);
            }
            match name {
                "if" | "location" | "rewrite" | "server_name" => {
                    for word in args {
                        self.define_groups(&word.text);
                    }
                }
                "map" => {
                    if let Body::Block(entries) = &directive.body {
                        for entry in entries {
                            self.define_groups(&entry.name.text);
                        }
                    }
                    continue;
                }
                "geo" | "split_clients" | "types" | "charset_map" => continue,
                "geoip2" => {
                    if let Body::Block(entries) = &directive.body {
                        for entry in entries {
                            if let Some(name) = entry.name.text.strip_prefix('$') {
                                self.slot(name, Definition::Opaque);
                            }
                        }
                    }
                    continue;
                }
                _ => {}
            }
            if let Body::Block(inner) = &directive.body
                && depth < 300
            {
                self.define(inner, depth + 1);
            }
        }
    }

    fn define_groups(&mut self, text: &str) {
        if text.contains("(?") {
            for name in group_names(text) {
                self.slot(name, Definition::Set);
            }
        }
    }

    /// The place of a user variable; the stronger definition stays.
    pub(super) fn slot(&mut self, name: &str, definition: Definition) -> SlotId {
        let name = name.to_ascii_lowercase();
        if let Some(slot) = self.config.slot_names.get(&name) {
            let old = &mut self.config.slots[*slot].definition;
            if *old == Definition::Set {
                *old = definition;
            }
            return *slot;
        }
        let slot = self.config.slots.len();
        self.config.slots.push(Slot {
            name: name.clone(),
            definition,
        });
        self.config.slot_names.insert(name, slot);
        slot
    }

    /// The variable of a name.
    pub(super) fn variable(&self, name: &str) -> Var {
        let lower = name.to_ascii_lowercase();
        if let Some(slot) = self.config.slot_names.get(&lower) {
            return Var::User(*slot);
        }
        Var::builtin(&lower).unwrap_or_else(|| Var::Undefined(name.to_owned()))
    }

    /// A complex value.
    pub(super) fn complex(&self, text: &str) -> Complex {
        if has_placeholder(text) {
            return Complex {
                parts: vec![Part::Placeholder],
            };
        }
        if !text.contains('$') {
            let parts = if text.is_empty() {
                Vec::new()
            } else {
                vec![Part::Text(text.to_owned())]
            };
            return Complex { parts };
        }
        let parts = pieces(text)
            .into_iter()
            .map(|piece| match piece {
                Piece::Text(text) => Part::Text(text.to_owned()),
                Piece::Name(name) => Part::Variable(self.variable(name)),
                Piece::Capture(group) => Part::Capture(group),
            })
            .collect();
        Complex { parts }
    }

    fn http(&mut self, tree: &[Directive], level: LevelId) {
        for directive in tree {
            match (directive.name.text.as_str(), &directive.body) {
                ("server", Body::Block(inner)) => {
                    self.server(inner, head(directive), level, false);
                }
                ("map", Body::Block(_)) => self.map(directive),
                ("upstream", Body::Block(inner)) => {
                    let Some(name) = directive.args.first() else {
                        continue;
                    };
                    let servers = inner
                        .iter()
                        .filter(|inner| inner.name.text == "server")
                        .filter_map(|inner| inner.args.first().map(|word| word.text.clone()))
                        .collect();
                    self.config.upstreams.insert(name.text.clone(), servers);
                }
                ("include", Body::None) => {
                    self.config.partial = true;
                    let text = directive.args.first().map_or("", |word| word.text.as_str());
                    if !is_harmless(text) && !text.contains(['*', '?', '[']) {
                        self.config.levels[level].unseen = Some(directive.span);
                    }
                }
                _ => self.setting(level, directive),
            }
        }
    }

    fn server(&mut self, tree: &[Directive], span: Span, outside: LevelId, implied: bool) {
        let level = self.level(LevelKind::Server, Some(outside), span);
        if implied {
            self.config.levels[level].unseen = Some(span);
        }
        let id = self.config.servers.len();
        let mut listens = Vec::new();
        let mut names = Vec::new();
        let mut merge_slashes = true;
        let mut ssl = false;
        let mut hidden = implied;
        for directive in tree {
            let args = &directive.args;
            match directive.name.text.as_str() {
                "listen" => listens.extend(listen(args.iter().map(|word| word.text.as_str()))),
                "server_name" => {
                    for word in args {
                        server_names(&word.text, &mut names);
                    }
                }
                "merge_slashes" => {
                    merge_slashes = args.first().is_none_or(|word| word.text != "off");
                }
                "ssl" => ssl = args.first().is_some_and(|word| word.text == "on"),
                "include" => hidden = true,
                _ => {}
            }
        }
        if listens.is_empty() && !hidden {
            listens.push(Listen {
                address: None,
                port: Some(80),
                ssl: false,
                default: false,
            });
        }
        for listen in &mut listens {
            listen.ssl |= ssl;
        }
        let secure = if listens.iter().any(|listen| listen.ssl) {
            Known::Known(true)
        } else if hidden || listens.iter().any(|listen| listen.port == Some(443)) {
            Known::Unknown
        } else {
            Known::Known(false)
        };
        self.config.servers.push(Server {
            level,
            names,
            exposure: exposure(&listens),
            listens,
            script: Vec::new(),
            table: Table::default(),
            named: HashMap::new(),
            span,
            secure,
            merge_slashes,
            implied,
        });
        let mut top = Vec::new();
        let mut script = Vec::new();
        for directive in tree {
            match directive.name.text.as_str() {
                "location" => self.location(directive, id, None, level, &mut top),
                "include" => {
                    let text = directive.args.first().map_or("", |word| word.text.as_str());
                    if !is_harmless(text) {
                        self.config.levels[level].unseen = Some(directive.span);
                        script.push(Op::Foreign(directive.span));
                    }
                }
                _ => {
                    if !self.rewrite_op(directive, None, &mut script) {
                        self.setting(level, directive);
                    }
                }
            }
        }
        let table = Table::build(&top, &self.config.locations);
        let server = &mut self.config.servers[id];
        server.script = script;
        server.table = table;
    }

    /// A snippet that stands in a location: everything around it is out of view.
    fn lone_location(&mut self, tree: &[Directive], span: Span, outside: LevelId) {
        let server = Directive {
            name: word("location", span),
            args: vec![word("/", span)],
            body: Body::Block(tree.to_vec()),
            span,
        };
        self.server(&[server], span, outside, true);
        for location in &self.config.locations {
            if location.parent.is_none() {
                let level = &mut self.config.levels[location.level];
                level.unseen = Some(span);
                level
                    .handler
                    .get_or_insert(super::config::Handler::Foreign { span });
            }
        }
    }

    fn location(
        &mut self,
        directive: &Directive,
        server: ServerId,
        parent: Option<LocationId>,
        outside: LevelId,
        siblings: &mut Vec<LocationId>,
    ) {
        let Body::Block(tree) = &directive.body else {
            return;
        };
        let Some((matching, name)) = matching(directive) else {
            return;
        };
        let span = head(directive);
        let level = self.level(LevelKind::Location, Some(outside), span);
        let id = self.config.locations.len();
        let named = matches!(matching, Matching::Named);
        self.config.locations.push(Location {
            matching,
            name: name.clone(),
            level,
            server,
            parent,
            table: Table::default(),
            script: Vec::new(),
            internal: false,
            limit_except: None,
            span,
            auto_redirect: false,
        });
        if named {
            self.config.servers[server].named.entry(name).or_insert(id);
        }
        siblings.push(id);
        let mut nested = Vec::new();
        let mut script = Vec::new();
        for directive in tree {
            match (directive.name.text.as_str(), &directive.body) {
                ("location", _) => self.location(directive, server, Some(id), level, &mut nested),
                ("internal", _) => self.config.locations[id].internal = true,
                ("limit_except", Body::Block(inner)) => {
                    let inner_level =
                        self.level(LevelKind::LimitExcept, Some(level), head(directive));
                    for setting in inner {
                        self.setting(inner_level, setting);
                    }
                    self.config.locations[id].limit_except = Some(LimitExcept {
                        methods: limit_methods(directive),
                        level: inner_level,
                    });
                }
                ("include", _) => {
                    let text = directive.args.first().map_or("", |word| word.text.as_str());
                    if !is_harmless(text) {
                        self.config.levels[level].unseen = Some(directive.span);
                        script.push(Op::Foreign(directive.span));
                    }
                }
                (name, _) => {
                    if name.ends_with("_pass") {
                        let location = &mut self.config.locations[id];
                        location.auto_redirect |= location.name.ends_with('/')
                            && matches!(
                                name,
                                "proxy_pass"
                                    | "fastcgi_pass"
                                    | "uwsgi_pass"
                                    | "scgi_pass"
                                    | "grpc_pass"
                                    | "memcached_pass"
                            );
                    }
                    if !self.rewrite_op(directive, Some(level), &mut script) {
                        self.setting(level, directive);
                    }
                }
            }
        }
        let table = Table::build(&nested, &self.config.locations);
        let location = &mut self.config.locations[id];
        location.table = table;
        location.script = script;
    }

    /// `if`: its settings, if it stands in a location, and its directives.
    pub(super) fn check(&mut self, directive: &Directive, location: Option<LevelId>) -> Option<If> {
        let Body::Block(tree) = &directive.body else {
            return None;
        };
        let condition = self.condition(&directive.args, directive.name.span);
        let span = head(directive);
        let level = location.map(|location| self.level(LevelKind::If, Some(location), span));
        let mut body = Vec::new();
        for inner in tree {
            if inner.name.text == "if" {
                continue;
            }
            if inner.name.text == "include" {
                body.push(Op::Foreign(inner.span));
                if let Some(level) = level {
                    self.config.levels[level].unseen = Some(inner.span);
                }
            } else if !self.rewrite_op(inner, None, &mut body)
                && let Some(level) = level
            {
                self.setting(level, inner);
            }
        }
        Some(If {
            condition,
            body,
            level,
        })
    }

    fn finish(mut self) -> Config {
        // A location stands before those nested in it.
        for at in 0..self.config.locations.len() {
            let parent = self.config.locations[at].parent;
            let outer = parent.is_some_and(|parent| self.config.locations[parent].internal);
            self.config.locations[at].internal |= outer;
        }
        self.inherit();
        self.does_cors();
        let config = &mut self.config;
        for (id, server) in config.servers.iter().enumerate() {
            for listen in &server.listens {
                if let Some(port) = listen.port {
                    let port = config.ports.entry(port).or_default();
                    port.add(id, &server.names, listen.default);
                }
            }
        }
        self.expose_backends();
        self.config
    }

    /// What a server of the same configuration proxies to is as public as that server.
    fn expose_backends(&mut self) {
        for at in 0..self.config.locations.len() {
            let location = &self.config.locations[at];
            let Some(Handler::Pass { target, .. }) = &self.config.levels[location.level].handler
            else {
                continue;
            };
            if let Some((server, _)) = self.config.behind(target, "/") {
                self.config.servers[server].exposure = Exposure::Public;
            }
        }
    }

    /// What each level takes from outside.
    fn inherit(&mut self) {
        for id in 0..self.config.levels.len() {
            let parent = self.config.levels[id].parent;
            let outside = parent.map(|parent| &self.config.levels[parent]);
            let mode = self
                .config
                .nearest(id, |level| level.inherit)
                .unwrap_or(Inherit::On);
            let level = &self.config.levels[id];
            let own = !level.add_headers.is_empty();
            let outer = match outside.map(|outside| &outside.effective) {
                None | Some(Effective::None) => Vec::new(),
                Some(Effective::Own(owner)) => vec![*owner],
                Some(Effective::Merged(owners)) => owners.clone(),
            };
            let effective = match (mode, own) {
                (Inherit::Off | Inherit::On, true) => Effective::Own(id),
                (Inherit::Off, false) => Effective::None,
                (Inherit::On, false) => lists(outer),
                (Inherit::Merge, own) => {
                    lists(own.then_some(id).into_iter().chain(outer).collect())
                }
            };
            let outer_more = outside.is_some_and(|outside| outside.has_more);
            let outer_unseen = outside.is_some_and(|outside| outside.unseen_headers);
            let replaces = mode != Inherit::Merge && own;
            let unseen = level.unseen.is_some()
                || level.filter.is_some()
                || (outer_unseen && !replaces && mode != Inherit::Off);
            // A header filter of code holds whatever add_header says.
            let filtered = self.config.nearest(id, |level| level.filter).is_some();
            let level = &mut self.config.levels[id];
            level.inherits_nothing = mode == Inherit::Off;
            level.effective = effective;
            level.has_more = outer_more || !level.more.is_empty();
            level.unseen_headers = unseen || filtered;
        }
    }

    /// Where nginx itself sends Access-Control-Allow-Origin for what lies behind.
    fn does_cors(&mut self) {
        let named = |name: &str| name.eq_ignore_ascii_case("access-control-allow-origin");
        for id in 0..self.config.levels.len() {
            let config = &self.config;
            let adds = config
                .headers(id)
                .iter()
                .any(|(_, header)| named(&header.name));
            let sets = config
                .chain(id)
                .flat_map(|level| &level.more)
                .any(|more| more.value.is_some() && named(&more.name));
            self.config.levels[id].does_cors = adds || sets;
        }
        // An `if` that goes on to the handler speaks for its location as well.
        for at in 0..self.config.locations.len() {
            let location = &self.config.locations[at];
            let inside: Vec<(LevelId, bool)> = location
                .script
                .iter()
                .filter_map(|op| match op {
                    Op::If(check) => check.level.map(|level| (level, returns(&check.body))),
                    _ => None,
                })
                .collect();
            let level = location.level;
            let levels = &mut self.config.levels;
            if inside
                .iter()
                .any(|(level, returns)| !returns && levels[*level].does_cors)
            {
                levels[level].does_cors = true;
            }
            if levels[level].does_cors {
                for (level, _) in inside {
                    levels[level].does_cors = true;
                }
            }
        }
    }
}

fn lists(owners: Vec<LevelId>) -> Effective {
    match owners.as_slice() {
        [] => Effective::None,
        [owner] => Effective::Own(*owner),
        _ => Effective::Merged(owners),
    }
}

fn returns(body: &[Op]) -> bool {
    body.iter().any(|op| {
        matches!(op, Op::Return { .. })
            || matches!(op, Op::Rewrite(rewrite)
                if matches!(rewrite.flag, super::config::RewriteFlag::Redirect(_)))
    })
}

/// A directive's words, without its block.
pub(super) fn head(directive: &Directive) -> Span {
    directive.args.last().map_or(directive.name.span, |last| {
        directive.name.span.to(last.span)
    })
}

fn word(text: &str, span: Span) -> crate::syntax::nginx::Word {
    crate::syntax::nginx::Word {
        text: text.to_owned(),
        span,
        quoted: false,
    }
}

/// How a location is chosen, and its name.
fn matching(directive: &Directive) -> Option<(Matching, String)> {
    let words: Vec<&str> = directive
        .args
        .iter()
        .map(|word| word.text.as_str())
        .collect();
    let regex = |text: &str, caseless: bool| {
        (
            Matching::Regex(Pattern::new(text, caseless)),
            text.to_owned(),
        )
    };
    Some(match words.as_slice() {
        ["=", name] => (Matching::Exact, (*name).to_owned()),
        ["^~", name] => (Matching::Prefix { no_regex: true }, (*name).to_owned()),
        ["~", name] => regex(name, false),
        ["~*", name] => regex(name, true),
        [name] => {
            if let Some(name) = name.strip_prefix('=') {
                (Matching::Exact, name.to_owned())
            } else if let Some(name) = name.strip_prefix("^~") {
                (Matching::Prefix { no_regex: true }, name.to_owned())
            } else if let Some(name) = name.strip_prefix("~*") {
                regex(name, true)
            } else if let Some(name) = name.strip_prefix('~') {
                regex(name, false)
            } else if name.starts_with('@') {
                (Matching::Named, (*name).to_owned())
            } else {
                (Matching::Prefix { no_regex: false }, (*name).to_owned())
            }
        }
        _ => return None,
    })
}

fn limit_methods(directive: &Directive) -> Vec<(String, Span)> {
    let mut methods: Vec<(String, Span)> = directive
        .args
        .iter()
        .map(|word| (word.text.to_ascii_uppercase(), word.span))
        .collect();
    if let Some((_, span)) = methods.iter().find(|(method, _)| method == "GET") {
        methods.push(("HEAD".into(), *span));
    }
    methods
}

/// Is an include that is not in view surely without influence on headers and answers?
pub(super) fn is_harmless(path: &str) -> bool {
    let path = path.to_ascii_lowercase();
    [
        "mime.types",
        "fastcgi",
        "uwsgi",
        "scgi",
        "proxy_params",
        "ssl",
        "tls",
        "letsencrypt",
        "certbot",
        "gzip",
        "brotli",
        "log",
        "modules",
        "koi-",
        "win-utf",
        "default.d",
    ]
    .iter()
    .any(|word| path.contains(word))
}

fn listen<'a>(mut args: impl Iterator<Item = &'a str>) -> Option<Listen> {
    let target = args.next()?;
    let mut listen = Listen {
        address: None,
        port: None,
        ssl: false,
        default: false,
    };
    for arg in args {
        listen.ssl |= arg == "ssl";
        listen.default |= matches!(arg, "default_server" | "default");
    }
    if target.starts_with("unix:") {
        listen.address = Some(target.to_owned());
        return Some(listen);
    }
    if let Ok(port) = target.parse() {
        listen.port = Some(port);
        return Some(listen);
    }
    let (address, port) = match target.rsplit_once(':') {
        Some((address, port)) if !port.ends_with(']') => (address, port.parse().ok()),
        _ if target.contains('$') || has_placeholder(target) => ("", None),
        _ => (target, Some(80)),
    };
    listen.port = port;
    if !matches!(address, "" | "*" | "0.0.0.0" | "[::]") && !has_placeholder(address) {
        listen.address = Some(address.to_owned());
    }
    Some(listen)
}

fn server_names(text: &str, names: &mut Vec<ServerName>) {
    if let Some(pattern) = text.strip_prefix('~') {
        names.push(ServerName::Regex(Pattern::new(pattern, true)));
        return;
    }
    let lower = text.to_ascii_lowercase();
    if has_placeholder(text) || lower.contains("${") {
        return;
    }
    if let Some(rest) = lower.strip_prefix("*.") {
        names.push(ServerName::Suffix(format!(".{rest}")));
    } else if let Some(rest) = lower.strip_prefix('.') {
        names.push(ServerName::Exact(rest.to_owned()));
        names.push(ServerName::Suffix(lower));
    } else if let Some(rest) = lower.strip_suffix(".*") {
        names.push(ServerName::Prefix(format!("{rest}.")));
    } else {
        names.push(ServerName::Exact(lower));
    }
}

fn exposure(listens: &[Listen]) -> Exposure {
    let kind = |listen: &Listen| {
        let Some(address) = &listen.address else {
            return Exposure::Public;
        };
        if address.starts_with("unix:") || address == "localhost" || address == "[::1]" {
            return Exposure::Loopback;
        }
        match address.parse::<std::net::Ipv4Addr>() {
            Ok(address) if address.is_loopback() => Exposure::Loopback,
            Ok(address) if address.is_private() || address.is_link_local() => Exposure::Private,
            _ => Exposure::Public,
        }
    };
    let kinds: Vec<Exposure> = listens.iter().map(kind).collect();
    if kinds.is_empty() || kinds.contains(&Exposure::Public) {
        Exposure::Public
    } else if kinds.contains(&Exposure::Private) {
        Exposure::Private
    } else {
        Exposure::Loopback
    }
}
