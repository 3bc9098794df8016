//! Endpoints: every server and location that a request can meet, with a URL that leads there.

use crate::limits::nginx::MAX_ATTEMPTS;
use crate::limits::nginx::MAX_PATH;
use std::collections::HashSet;

use regex_syntax::hir::{Class, Hir, HirKind};

use super::complex::{Complex, Part};
use super::config::{
    Config, Definition, Fallback, Handler, LevelId, Listen, LocationId, Matching, Op, ServerId,
    ServerName, Test,
};
use super::location::{Found, find};
use super::regex::{Groups, Outcome};
use super::settings::settings;
use super::variables::{Own, Var};
use crate::model::{Endpoint, Route, Url};
use crate::source::Span;

/// How a request to an endpoint's own URL starts.
#[derive(Debug)]
pub(super) struct Entrance {
    /// The server.
    pub(super) server: ServerId,
    /// The location; `None` for the server's own part.
    pub(super) location: Option<LocationId>,
    /// What the location's regex captures of the endpoint's path.
    pub(super) groups: Option<Groups>,
    /// Nothing leads there from outside.
    pub(super) forced: bool,
    /// Only an application out of view can send requests there (`X-Accel-Redirect`): what becomes
    /// of a preflight is its business.
    pub(super) handed_over: bool,
}

/// All endpoints in source order, with their entrances.
pub(super) fn endpoints(config: &Config) -> (Vec<Endpoint>, Vec<Entrance>) {
    let reached = internally_reached(config);
    // An application behind a proxy leads where it likes, and there the headers show that it does.
    let handed_over: HashSet<LocationId> = (0..config.locations.len())
        .filter(|id| {
            let location = &config.locations[*id];
            location.internal
                && !reached.contains(id)
                && config.levels[location.level].sends_cors()
                && asks_an_application(config, location.server)
        })
        .collect();
    let mut by_server: Vec<Vec<LocationId>> = vec![Vec::new(); config.servers.len()];
    for (id, location) in config.locations.iter().enumerate() {
        let wanted = match location.matching {
            Matching::Named => reached.contains(&id),
            _ => !location.internal || reached.contains(&id) || handed_over.contains(&id),
        };
        if wanted {
            by_server[location.server].push(id);
        }
    }
    let mut survey = Survey {
        config,
        handed_over,
        attempts: 0,
        endpoints: Vec::new(),
        entrances: Vec::new(),
    };
    for (server, locations) in by_server.into_iter().enumerate() {
        survey.server(server, locations.is_empty());
        for location in locations {
            survey.location(server, location);
        }
    }
    (survey.endpoints, survey.entrances)
}

struct Survey<'a> {
    config: &'a Config,
    handed_over: HashSet<LocationId>,
    attempts: usize,
    endpoints: Vec<Endpoint>,
    entrances: Vec<Entrance>,
}

impl Survey<'_> {
    fn server(&mut self, id: ServerId, alone: bool) {
        let server = &self.config.servers[id];
        let outside = ["/", "/corslint", "/corslint/outside.locations"]
            .into_iter()
            .find(|path| find(self.config, &server.table, path) == Found::Server);
        let path = match outside {
            Some(path) => path,
            None if alone => "/",
            None => return,
        };
        if server.implied && !alone {
            return;
        }
        self.add(id, None, path.to_owned(), None, false);
    }

    fn location(&mut self, server: ServerId, id: LocationId) {
        let config = self.config;
        let location = &config.locations[id];
        let table = &config.servers[server].table;
        if matches!(location.matching, Matching::Named) {
            self.add(server, Some(id), "/".into(), None, true);
            return;
        }
        let cost = 1 + table.regexes();
        let mut fallback = None;
        for path in self.candidates(id) {
            let groups = match &location.matching {
                Matching::Regex(pattern) => match pattern.find(&path) {
                    Outcome::Match(groups) => Some(groups),
                    _ => continue,
                },
                _ => None,
            };
            if self.attempts > MAX_ATTEMPTS {
                self.add(server, Some(id), path, groups, false);
                return;
            }
            self.attempts += cost;
            match find(config, table, &path) {
                Found::Location(found, groups) if found == id => {
                    self.add(server, Some(id), path, groups, location.internal);
                    return;
                }
                _ => {
                    fallback.get_or_insert(path);
                }
            }
        }
        let path = fallback.unwrap_or_else(|| "/".into());
        self.add(server, Some(id), path, None, true);
    }

    /// Paths that may lead to a location, the best first.
    fn candidates(&self, id: LocationId) -> Vec<String> {
        let location = &self.config.locations[id];
        let name = location.name.as_str();
        let files = self
            .config
            .nearest(location.level, |level| level.handler.as_ref())
            .is_none()
            && !location
                .script
                .iter()
                .any(|op| matches!(op, Op::Return { .. }));
        match &location.matching {
            Matching::Exact => vec![name.to_owned()],
            Matching::Named => Vec::new(),
            Matching::Prefix { .. } if !name.starts_with('/') => vec![format!("/{name}")],
            Matching::Prefix { .. } => {
                let slash = if name.ends_with('/') { "" } else { "/" };
                let file = format!("{name}{slash}file");
                let own = name.to_owned();
                let other = format!("{name}{slash}corslint");
                if files {
                    vec![file, other, own, format!("{name}x")]
                } else {
                    vec![own, file, other, format!("{name}x")]
                }
            }
            Matching::Regex(pattern) => {
                // A nested regex narrows what its outer prefix lets through.
                let mut prefix = String::new();
                let mut outer = location.parent;
                while let Some(id) = outer {
                    let location = &self.config.locations[id];
                    if let Matching::Prefix { .. } = location.matching {
                        prefix.clone_from(&location.name);
                        break;
                    }
                    outer = location.parent;
                }
                sample_paths(pattern.text(), &prefix)
            }
        }
    }

    fn add(
        &mut self,
        server: ServerId,
        location: Option<LocationId>,
        path: String,
        groups: Option<Groups>,
        forced: bool,
    ) {
        let config = self.config;
        let settings_of = &config.servers[server];
        let listen = listen(config, server);
        let ssl = listen.is_some_and(|listen| listen.ssl);
        let scheme = if ssl { "https" } else { "http" };
        let default = if ssl { 443 } else { 80 };
        let level = location.map_or(settings_of.level, |id| config.locations[id].level);
        let (name, span) = match location {
            Some(id) => (location_name(config, id), config.locations[id].span),
            None => (server_name(config, server), settings_of.span),
        };
        self.endpoints.push(Endpoint {
            name,
            span,
            url: Url {
                scheme: scheme.into(),
                host: host(config, server, listen),
                port: listen
                    .and_then(|listen| listen.port)
                    .filter(|port| *port != default),
                path,
                query: None,
            },
            secure: settings_of.secure,
            exposure: settings_of.exposure,
            management: false,
            reads_headers: reads_headers(config, server, location, level),
            routes: routes(config, server, location, level),
            settings: settings(config, server, location),
        });
        self.entrances.push(Entrance {
            server,
            location,
            groups,
            forced,
            handed_over: location.is_some_and(|id| self.handed_over.contains(&id)),
        });
    }
}

fn location_name(config: &Config, id: LocationId) -> String {
    let location = &config.locations[id];
    let sign = match &location.matching {
        Matching::Exact => "= ",
        Matching::Prefix { no_regex: true } => "^~ ",
        Matching::Regex(pattern) if pattern.is_caseless() => "~* ",
        Matching::Regex(_) => "~ ",
        _ => "",
    };
    format!("location {sign}{}", location.name)
}

fn server_name(config: &Config, id: ServerId) -> String {
    match config.servers[id].names.first() {
        Some(ServerName::Exact(name)) => format!("server {name}"),
        Some(ServerName::Suffix(name)) => format!("server *{name}"),
        Some(ServerName::Prefix(name)) => format!("server {name}*"),
        Some(ServerName::Regex(pattern)) => format!("server ~{}", pattern.text()),
        None => "server".into(),
    }
}

/// The address that speaks for a server: https before http.
fn listen(config: &Config, id: ServerId) -> Option<&Listen> {
    let listens = &config.servers[id].listens;
    listens
        .iter()
        .find(|listen| listen.ssl && listen.port.is_some())
        .or_else(|| listens.iter().find(|listen| listen.port.is_some()))
        .or_else(|| listens.first())
}

/// A host name that leads to a server.
fn host(config: &Config, id: ServerId, listen: Option<&Listen>) -> String {
    let port = listen
        .and_then(|listen| listen.port)
        .and_then(|port| config.ports.get(&port));
    let names = config.servers[id]
        .names
        .iter()
        .filter_map(|name| match name {
            ServerName::Exact(name) if name.is_empty() || name == "_" => None,
            ServerName::Exact(name) => Some(name.clone()),
            ServerName::Suffix(suffix) => Some(format!("www{suffix}")),
            ServerName::Prefix(prefix) => Some(format!("{prefix}example")),
            ServerName::Regex(pattern) => {
                let sampled = sample_paths(pattern.text(), "");
                let sampled = sampled.into_iter().map(|path| path.replace('/', ""));
                sampled
                    .filter(|host| !host.is_empty())
                    .find(|host| matches!(pattern.find(host), Outcome::Match(_)))
            }
        });
    let leads_here = |host: &String| {
        port.and_then(|port| port.choose(config, host))
            .is_some_and(|(found, _)| found == id)
    };
    let mut first = None;
    for name in names {
        if leads_here(&name) {
            return name;
        }
        first.get_or_insert(name);
    }
    let other = ["localhost", "service.example"]
        .into_iter()
        .map(str::to_owned)
        .find(leads_here);
    first.or(other).unwrap_or_else(|| "localhost".into())
}

/// Locations that only the configuration itself leads to, and does.
fn internally_reached(config: &Config) -> HashSet<LocationId> {
    let mut reached = HashSet::new();
    let mut owners: Vec<(LevelId, ServerId)> = config
        .locations
        .iter()
        .map(|location| (location.level, location.server))
        .collect();
    owners.extend(
        config
            .servers
            .iter()
            .enumerate()
            .map(|(id, server)| (server.level, id)),
    );
    let mut meet = |server: ServerId, target: &Complex| {
        let Some(Part::Text(text)) = target.parts.first() else {
            return;
        };
        let text = text.split('?').next().unwrap_or_default();
        let server = &config.servers[server];
        if text.starts_with('@') {
            reached.extend(server.named.get(text));
        } else if text.starts_with('/')
            && let Found::Location(id, _) | Found::Redirect(id) = find(config, &server.table, text)
        {
            reached.insert(id);
        }
    };
    for (level, server) in owners {
        let outer = [Some(level), config.levels[level].parent];
        for level in outer.into_iter().flatten() {
            for page in &config.levels[level].error_pages {
                if !only_preflights_end(config, server, page.status) {
                    meet(server, &page.target);
                }
            }
        }
        match config.levels[level]
            .try_files
            .as_ref()
            .map(|tried| &tried.last)
        {
            Some(Fallback::Uri(uri)) => meet(server, uri),
            Some(Fallback::Named(name)) => {
                let target = Complex {
                    parts: vec![Part::Text(name.clone())],
                };
                meet(server, &target);
            }
            _ => {}
        }
    }
    for location in &config.locations {
        for op in &location.script {
            if let Op::Rewrite(rewrite) = op {
                meet(location.server, &rewrite.replacement);
            }
        }
    }
    for (id, server) in config.servers.iter().enumerate() {
        for op in &server.script {
            if let Op::Rewrite(rewrite) = op {
                meet(id, &rewrite.replacement);
            }
        }
    }
    reached
}

/// Does a location of the server ask an application?
fn asks_an_application(config: &Config, server: ServerId) -> bool {
    config.locations.iter().any(|location| {
        let handler = config.levels[location.level].handler.as_ref();
        location.server == server && matches!(handler, Some(Handler::Pass { .. }))
    })
}

/// Do only preflights end with this status: 405, and what only `if ($request_method = OPTIONS)`
/// returns? Where an error page for it leads, no other request arrives.
fn only_preflights_end(config: &Config, server: ServerId, status: u16) -> bool {
    let locations = &config.locations;
    let scripts = locations
        .iter()
        .filter(|location| location.server == server)
        .map(|location| &location.script)
        .chain([&config.servers[server].script]);
    let (mut by_preflights, mut by_others) = (status == 405, false);
    for op in scripts.flatten() {
        match op {
            Op::If(check) => {
                let returns =
                    |op: &Op| matches!(op, Op::Return { status: other, .. } if *other == status);
                if check.body.iter().any(returns) {
                    let preflights = asks_for_options(&check.condition.test);
                    by_preflights |= preflights;
                    by_others |= !preflights;
                }
            }
            Op::Return { status: other, .. } => by_others |= *other == status,
            _ => {}
        }
    }
    by_preflights && !by_others
}

/// `$request_method = OPTIONS`
fn asks_for_options(test: &Test) -> bool {
    match test {
        Test::Equal {
            variable: Var::Own(Own::RequestMethod),
            value,
            negated: false,
        } => value.constant() == Some("OPTIONS"),
        Test::Match {
            variable: Var::Own(Own::RequestMethod),
            pattern,
            negated: false,
        } => {
            let matches = |method| matches!(pattern.find(method), Outcome::Match(_));
            matches("OPTIONS") && !["GET", "POST", "HEAD"].into_iter().any(matches)
        }
        _ => false,
    }
}

/// The methods that people name in conditions.
const METHODS: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

/// Methods that the location's own restrictions, conditions and headers name.
fn routes(
    config: &Config,
    server: ServerId,
    location: Option<LocationId>,
    level: LevelId,
) -> Vec<Route> {
    let mut routes: Vec<Route> = Vec::new();
    let mut add = |method: &str, span: Span| {
        let known = routes.iter().any(|route| route.method == method);
        if !known && method != "OPTIONS" && method != "HEAD" {
            routes.push(Route {
                method: method.to_owned(),
                span,
            });
        }
    };
    let handles = |level: LevelId| {
        let handler = config.levels[level].handler.as_ref();
        matches!(
            handler,
            Some(Handler::Pass { .. } | Handler::Foreign { .. })
        )
    };
    let limit = location.and_then(|id| config.locations[id].limit_except.as_ref());
    if let Some(limit) = limit.filter(|_| handles(level)) {
        for (method, span) in &limit.methods {
            add(method, *span);
        }
    }
    if config.levels[level].handler.is_none() {
        let dav = config.nearest(level, |level| level.dav_methods.as_ref());
        for (method, span) in dav.into_iter().flatten() {
            add(method, *span);
        }
    }
    let scripts = std::iter::once(&config.servers[server].script)
        .chain(location.map(|id| &config.locations[id].script));
    let mut levels = vec![level];
    for script in scripts {
        for op in script {
            let Op::If(check) = op else { continue };
            levels.extend(check.level);
            if handles(level) || check.level.is_some_and(handles) {
                named_methods(check, &mut add);
            }
        }
    }
    // A member in the wrong case was meant to be the method.
    for level in levels {
        for (_, header) in config.headers(level) {
            if !header
                .name
                .eq_ignore_ascii_case("access-control-allow-methods")
            {
                continue;
            }
            let members = header.value.constant().unwrap_or_default().split(',');
            for member in members.map(str::trim) {
                let upper = member.to_ascii_uppercase();
                let safelisted = matches!(upper.as_str(), "GET" | "POST");
                if upper != member && !safelisted && METHODS.contains(&upper.as_str()) {
                    add(&upper, header.value_span.unwrap_or(header.span));
                }
            }
        }
    }
    routes
}

/// The methods that a condition on `$request_method` asks for, to do something with the request
/// other than to answer it: a list of methods that are refused tells nothing of the others.
fn named_methods(check: &super::config::If, add: &mut impl FnMut(&str, Span)) {
    let (Test::Equal {
        variable,
        negated: false,
        ..
    }
    | Test::Match {
        variable,
        negated: false,
        ..
    }) = &check.condition.test
    else {
        return;
    };
    let answers = check.body.iter().any(|op| matches!(op, Op::Return { .. }));
    let Some(operand) = check.condition.decision.as_ref() else {
        return;
    };
    if *variable != Var::Own(Own::RequestMethod) || answers {
        return;
    }
    let words = operand
        .text
        .split(|character: char| !character.is_ascii_alphabetic());
    for word in words.filter(|word| METHODS.contains(word)) {
        add(word, operand.span);
    }
}

/// Request headers that every browser or proxy sends, or that decide nothing about an application.
const ORDINARY: [&str; 14] = [
    "origin",
    "host",
    "user-agent",
    "referer",
    "cookie",
    "upgrade",
    "connection",
    "accept",
    "accept-encoding",
    "accept-language",
    "range",
    "if-range",
    "if-none-match",
    "if-modified-since",
];

fn reads_headers(
    config: &Config,
    server: ServerId,
    location: Option<LocationId>,
    level: LevelId,
) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    let mut reader = Reader {
        config,
        names: &mut names,
        depth: 0,
    };
    reader.script(&config.servers[server].script);
    if let Some(id) = location {
        reader.script(&config.locations[id].script);
    }
    let passed = config.nearest(level, |level| {
        (!level.upstream_headers.is_empty()).then_some(&level.upstream_headers)
    });
    if matches!(
        config.levels[level].handler,
        Some(Handler::Pass { .. } | Handler::Foreign { .. })
    ) {
        for (_, _, value) in passed.into_iter().flatten() {
            reader.complex(value);
        }
    }
    names.sort_unstable();
    names.dedup();
    names
}

struct Reader<'a, 'n> {
    config: &'a Config,
    names: &'n mut Vec<String>,
    depth: usize,
}

impl Reader<'_, '_> {
    fn header(&mut self, name: &str) {
        let forwarded = name.starts_with("x-forwarded") || name.starts_with("access-control-");
        if !ORDINARY.contains(&name) && !forwarded && !name.starts_with("sec-") {
            self.names.push(name.to_owned());
        }
    }

    fn variable(&mut self, variable: &Var) {
        match variable {
            Var::Header(name) => self.header(name),
            Var::User(slot) if self.depth < 4 => {
                if let Definition::Map(map) = self.config.slots[*slot].definition {
                    self.depth += 1;
                    self.complex(&self.config.maps[map].source);
                    self.depth -= 1;
                }
            }
            _ => {}
        }
    }

    fn complex(&mut self, complex: &Complex) {
        for variable in complex.variables() {
            self.variable(variable);
        }
    }

    fn script(&mut self, ops: &[Op]) {
        for op in ops {
            match op {
                Op::If(check) => {
                    match &check.condition.test {
                        Test::Truthy(variable)
                        | Test::Equal { variable, .. }
                        | Test::Match { variable, .. } => self.variable(variable),
                        _ => {}
                    }
                    self.script(&check.body);
                }
                Op::Set { value, .. } => self.complex(value),
                _ => {}
            }
        }
    }
}

/// Paths that a pattern may match, to be tried; `prefix` is what an outer location asks for.
pub(super) fn sample_paths(pattern: &str, prefix: &str) -> Vec<String> {
    let pattern = plain(pattern);
    let parsed = regex_syntax::ParserBuilder::new()
        .unicode(false)
        .utf8(false)
        .nest_limit(100)
        .build()
        .parse(&pattern);
    let Ok(hir) = parsed else {
        return Vec::new();
    };
    let mut paths = Vec::new();
    // Variants of what optional parts and alternatives become.
    for variant in 0..12 {
        let mut path = String::new();
        sample(&hir, variant, &mut path);
        path.truncate(MAX_PATH);
        let mut add = |path: String| {
            if path.starts_with('/') && !paths.contains(&path) {
                paths.push(path);
            }
        };
        // A name with an ending reads better than a bare ending.
        if path.starts_with('.') {
            let slash = if prefix.ends_with('/') { "" } else { "/" };
            add(format!("{prefix}{slash}file{path}"));
            add(format!("/file{path}"));
        }
        add(path.clone());
        add(format!("/{path}"));
        add(format!("{prefix}{path}"));
        add(format!("{prefix}file{path}"));
        add(format!("/file{path}"));
        add(format!("{path}file"));
    }
    paths
}

/// The pattern without what only PCRE knows and sampling can do without: lookaround, atomic groups.
fn plain(pattern: &str) -> String {
    let mut plain = String::with_capacity(pattern.len());
    let bytes = pattern.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        let rest = &pattern[at..];
        if ["(?!", "(?<!", "(?=", "(?<="]
            .iter()
            .any(|open| rest.starts_with(open))
        {
            at += group_length(rest);
        } else if let Some(after) = rest.strip_prefix("(?>") {
            plain.push_str("(?:");
            at = pattern.len() - after.len();
        } else if rest.starts_with("\\/") {
            plain.push('/');
            at += 2;
        } else if rest.starts_with('\\') {
            let end = rest
                .char_indices()
                .nth(2)
                .map_or(rest.len(), |(end, _)| end);
            plain.push_str(&rest[..end]);
            at += end;
        } else {
            let end = rest
                .char_indices()
                .nth(1)
                .map_or(rest.len(), |(end, _)| end);
            plain.push_str(&rest[..end]);
            at += end;
        }
    }
    plain
}

/// The length of the group that a text starts with.
fn group_length(text: &str) -> usize {
    let mut depth = 0_usize;
    let mut escaped = false;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'(' => depth += 1,
            b')' => {
                depth -= 1;
                if depth == 0 {
                    return at + 1;
                }
            }
            _ => {}
        }
    }
    text.len()
}

fn sample(hir: &Hir, variant: usize, path: &mut String) {
    if path.len() > MAX_PATH {
        return;
    }
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => {}
        HirKind::Literal(literal) => path.push_str(&String::from_utf8_lossy(&literal.0)),
        HirKind::Class(class) => path.push(member(class)),
        HirKind::Repetition(repetition) => {
            let least = repetition.min.max(u32::from(variant & 1 == 1));
            let times = repetition.max.map_or(least, |most| least.min(most)).min(64);
            for _ in 0..times {
                sample(&repetition.sub, variant, path);
            }
        }
        HirKind::Capture(capture) => sample(&capture.sub, variant, path),
        HirKind::Concat(parts) => {
            for part in parts {
                sample(part, variant, path);
            }
        }
        HirKind::Alternation(choices) => {
            if let Some(choice) = choices.get((variant / 2) % choices.len().max(1)) {
                sample(choice, variant, path);
            }
        }
    }
}

/// A member of a class: a letter if there is one, then a digit.
fn member(class: &Class) -> char {
    let has = |wanted: char| match class {
        Class::Unicode(class) => class
            .iter()
            .any(|range| (range.start()..=range.end()).contains(&wanted)),
        Class::Bytes(class) => u8::try_from(wanted).is_ok_and(|wanted| {
            class
                .iter()
                .any(|range| (range.start()..=range.end()).contains(&wanted))
        }),
    };
    ('a'..='z')
        .chain('0'..='9')
        .chain('A'..='Z')
        .chain("-_./~".chars())
        .find(|wanted| has(*wanted))
        .unwrap_or('%')
}
