//! The phases of a request: server rewrite, location, rewrite, access, `try_files`, content,
//! `error_page`. `headers` then sends what came of it.

use std::borrow::Cow;
use std::cell::RefCell;

use super::config::{
    Config, Fallback, Handler, LevelId, LevelKind, LocationId, Matching, Module, Op, RewriteFlag,
    ServerId, ServerName,
};
use super::location::{Found, find, normalise};
use super::oracle::Oracle;
use super::regex::{Groups, Outcome};
use super::value::{Sources, Value};
use super::variables::Captures;
use crate::model::{
    Answer, Application, Decision, Disabled, HeaderLine, Known, Outcome as End, Request, Response,
    ValueSource,
};
use crate::source::Span;

/// Internal redirects after which nginx gives up (`NGX_HTTP_MAX_URI_CHANGES`).
const MAX_CHANGES: u8 = 10;

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
    handler: Option<&'a Handler>,
    /// Where the URI comes from, if it was rewritten.
    pub(super) rewritten: Option<Sources>,
    /// What was assumed of the client's variables.
    pub(super) assumed: Vec<(String, String)>,
    /// The upstream's answer.
    pub(super) upstream: Option<UpstreamAnswer>,
    /// Lines that stand already, for `$sent_http_…`.
    pub(super) sent: Vec<(String, Known<String>)>,
    pub(super) status: Option<u16>,
    pub(super) depth_of_maps: usize,
    /// How many proxies stand before this server.
    pub(super) depth: usize,
    /// The test that let the origin in last.
    pub(super) gate: Option<&'a Decision>,
    /// The same, while inside the `if` that asked.
    inside: Option<&'a Decision>,
    /// The last condition asked about the origin.
    pub(super) about_origin: bool,
    /// Inside an `if` that asked about the origin.
    inside_origin: bool,
    /// The status that an error page keeps.
    pub(super) kept_status: Option<u16>,
    in_error_page: bool,
    pub(super) internal: bool,
    /// It asks whether the main request may pass (`auth_request`).
    pub(super) asks_access: bool,
    /// Code that cannot be read stood on the way.
    pub(super) foreign: Option<Span>,
    /// The file that an internal redirect names is taken to exist.
    file_exists: bool,
    uri_changed: bool,
    changes: u8,
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

/// An answer before header filters.
#[derive(Debug)]
pub(super) struct Made {
    pub(super) status: Known<u16>,
    pub(super) kind: Answer,
    pub(super) span: Option<Span>,
    pub(super) before_cors: bool,
    /// Location.
    pub(super) lines: Vec<HeaderLine>,
    /// Who asked the upstream, if the upstream's headers come along.
    pub(super) upstream: Option<Module>,
    /// The connection is closed.
    pub(super) closed: bool,
}

impl Made {
    /// An answer with a status.
    pub(super) const fn new(status: Known<u16>, kind: Answer, span: Option<Span>) -> Self {
        Self {
            status,
            kind,
            span,
            before_cors: false,
            lines: Vec::new(),
            upstream: None,
            closed: false,
        }
    }

    const fn before_cors(mut self) -> Self {
        self.before_cors = true;
        self
    }
}

/// What comes next.
#[derive(Debug)]
pub(super) enum Step {
    /// Send this.
    Send(Made),
    /// Send this, unless an `error_page` takes over.
    Special(u16, Made),
    /// Start again with another URI.
    Internal(String, Option<String>),
    /// Go on in a named location.
    Named(String),
}

/// What a script of rewrite directives ends with.
enum Flow {
    Next,
    Break,
    Stop(Step),
}

/// Where a request starts.
#[derive(Clone, Copy)]
pub(super) enum Start<'g> {
    /// With the server's rewrite directives.
    Server,
    /// The same, and the location for the request's own path is known already.
    Routed(LocationId, Option<&'g Groups>),
    /// In this location, although nothing may lead there.
    Forced(LocationId),
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
            rewritten: None,
            assumed: Vec::new(),
            upstream: None,
            sent: Vec::new(),
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
            uri_changed: false,
            changes: MAX_CHANGES,
            disabled: Vec::new(),
            authenticated: false,
        }
    }

    /// The response to it.
    pub(super) fn respond(&mut self, start: Start<'_>) -> Response {
        if let Some(made) = self.refused() {
            return self.send(made);
        }
        self.capture_host();
        let mut step = match start {
            Start::Server => self.start_at_server(None),
            Start::Routed(id, groups) => self.start_at_server(Some((id, groups))),
            Start::Forced(id) => {
                self.internal = true;
                self.enter(id);
                self.in_location(None)
            }
        };
        loop {
            step = match step {
                Step::Send(made) => return self.send(made),
                Step::Special(status, made) => self.special(status, made),
                Step::Internal(uri, args) => {
                    if !self.change() {
                        let made = Made::new(Known::Known(500), Answer::ErrorPage, None);
                        return self.send(made);
                    }
                    self.uri = Cow::Owned(uri);
                    if let Some(args) = args {
                        self.args = Some(Cow::Owned(args));
                    }
                    self.internal = true;
                    self.start_at_server(None)
                }
                Step::Named(name) => {
                    let named = self.config.servers[self.server].named.get(&name).copied();
                    match named {
                        Some(id) if self.change() => {
                            self.internal = true;
                            self.enter(id);
                            self.in_location(None)
                        }
                        _ => {
                            let made = Made::new(Known::Known(500), Answer::ErrorPage, None);
                            return self.send(made);
                        }
                    }
                }
            };
        }
    }

    fn change(&mut self) -> bool {
        if self.changes == 0 {
            return false;
        }
        self.changes -= 1;
        true
    }

    /// What nginx refuses before it looks at the configuration.
    fn refused(&self) -> Option<Made> {
        if self.depth > 0 {
            return None;
        }
        let method = self.method.as_ref();
        let status = if method == "TRACE" || method == "CONNECT" {
            405
        } else if method
            .bytes()
            .any(|byte| !byte.is_ascii_uppercase() && !b"_-".contains(&byte))
        {
            400
        } else {
            return None;
        };
        Some(Made::new(Known::Known(status), Answer::ErrorPage, None).before_cors())
    }

    /// Captures of a server name's regex.
    fn capture_host(&mut self) {
        let names = &self.config.servers[self.server].names;
        for name in names {
            if let ServerName::Regex(pattern) = name
                && let Outcome::Match(groups) = pattern.find(&self.request.url.host)
            {
                let subject = Value::from(
                    self.request.url.host.as_str(),
                    Sources::of(ValueSource::Host),
                );
                self.captures = Some(Captures {
                    subject,
                    pattern,
                    groups,
                    path: false,
                });
                self.set_named();
                return;
            }
        }
    }

    fn start_at_server(&mut self, known: Option<(LocationId, Option<&Groups>)>) -> Step {
        self.leave();
        let script = &self.config.servers[self.server].script;
        let before = self.uri.clone();
        if !script.is_empty()
            && let Flow::Stop(step) = self.script(script)
        {
            return match step {
                Step::Send(made) => Step::Send(made.before_cors()),
                Step::Special(status, made) => Step::Special(status, made.before_cors()),
                step => step,
            };
        }
        self.uri_changed = false;
        match known {
            Some((id, groups)) if before == self.uri => {
                self.enter(id);
                self.in_location(groups.cloned())
            }
            _ => self.choose(),
        }
    }

    /// Back to the server's own settings.
    fn leave(&mut self) {
        self.level = self.config.servers[self.server].level;
        self.location = None;
        self.handler = None;
        self.true_ifs.clear();
    }

    /// Chooses the location for the URI and goes on there.
    fn choose(&mut self) -> Step {
        let table = &self.config.servers[self.server].table;
        match find(self.config, table, &self.uri) {
            Found::Server => {
                self.location = None;
                self.handle()
            }
            Found::Unknown => {
                let mut made = Made::new(Known::Unknown, Answer::Handler, None);
                made.upstream = Some(Module::Other);
                Step::Send(made)
            }
            Found::Redirect(id) => {
                self.enter(id);
                if self.forbidden(id) {
                    return self.not_found(id);
                }
                let mut location = self.uri.clone().into_owned();
                location.push('/');
                if let Some(args) = self.args.as_deref().filter(|args| !args.is_empty()) {
                    location.push('?');
                    location.push_str(args);
                }
                let span = self.config.locations[id].span;
                let mut made =
                    Made::new(Known::Known(301), Answer::Redirect, Some(span)).before_cors();
                made.lines
                    .push(self.location_line(Value::known(location), span));
                Step::Special(301, made)
            }
            Found::Location(id, groups) => {
                self.enter(id);
                self.in_location(groups)
            }
        }
    }

    fn enter(&mut self, id: LocationId) {
        self.true_ifs.clear();
        self.handler = None;
        self.location = Some(id);
        self.level = self.config.locations[id].level;
    }

    fn forbidden(&self, id: LocationId) -> bool {
        self.config.locations[id].internal && !self.internal
    }

    fn not_found(&self, id: LocationId) -> Step {
        let span = self.config.locations[id].span;
        let made = Made::new(Known::Known(404), Answer::NotFound, Some(span)).before_cors();
        Step::Special(404, made)
    }

    /// The phases from the location's rewrite directives on.
    fn in_location(&mut self, groups: Option<Groups>) -> Step {
        let Some(id) = self.location else {
            return self.handle();
        };
        let location = &self.config.locations[id];
        if let (Matching::Regex(pattern), Some(groups)) = (&location.matching, groups) {
            let subject = Value::from(self.uri.clone(), Sources::of(ValueSource::DecodedPath));
            self.captures = Some(Captures {
                subject,
                pattern,
                groups,
                path: true,
            });
            self.set_named();
        }
        if self.forbidden(id) {
            return self.not_found(id);
        }
        self.take_handler();
        if let Some(limit) = &location.limit_except
            && !limit
                .methods
                .iter()
                .any(|(method, _)| *method == self.method)
        {
            self.level = limit.level;
            self.take_handler();
            return self.handle();
        }
        self.uri_changed = false;
        match self.script(&location.script) {
            Flow::Stop(step) => step,
            _ if self.uri_changed => {
                if !self.change() {
                    let made = Made::new(Known::Known(500), Answer::ErrorPage, None);
                    return Step::Special(500, made);
                }
                self.leave();
                self.choose()
            }
            _ => self.handle(),
        }
    }

    fn take_handler(&mut self) {
        let level = &self.config.levels[self.level];
        match level.kind {
            LevelKind::LimitExcept => {
                if let Some(handler) = &level.handler {
                    self.handler = Some(handler);
                } else if !matches!(self.handler, Some(Handler::Pass { .. })) {
                    self.handler = None;
                }
            }
            _ => {
                if let Some(handler) = &level.handler {
                    self.handler = Some(handler);
                }
            }
        }
    }

    fn script(&mut self, ops: &'a [Op]) -> Flow {
        for op in ops {
            match op {
                Op::Set { slot, value, .. } => {
                    let mut value = self.complex(value);
                    if value.decided.is_none() {
                        value.decided = self.inside;
                    }
                    self.set(*slot, value);
                }
                Op::SetArgs(value) => {
                    let value = self.complex(value);
                    self.args = match value.text {
                        Known::Known(text) => Some(text),
                        Known::Unknown => None,
                    };
                }
                Op::Forget(slot) => {
                    let value = Value::unknown(Sources::NONE, super::value::Doubt::Foreign);
                    self.set(*slot, value);
                }
                Op::Foreign(span) => self.foreign = Some(*span),
                Op::Break => return Flow::Break,
                Op::Return { status, text, span } => {
                    return Flow::Stop(self.fixed(*status, text.as_ref(), *span));
                }
                Op::Rewrite(rewrite) => match self.rewrite(rewrite) {
                    Flow::Next => {}
                    flow => return flow,
                },
                Op::If(check) => {
                    let gate = self.gate;
                    if !self.holds(check) {
                        continue;
                    }
                    let outside = (self.inside, self.inside_origin);
                    if self.gate != gate {
                        self.inside = self.gate;
                    }
                    self.inside_origin = self.about_origin;
                    if let Some(level) = check.level {
                        self.level = level;
                        self.true_ifs.push(level);
                        self.take_handler();
                    }
                    let flow = self.script(&check.body);
                    (self.inside, self.inside_origin) = outside;
                    if !matches!(flow, Flow::Next) {
                        return flow;
                    }
                }
            }
        }
        Flow::Next
    }

    fn rewrite(&mut self, rewrite: &'a super::config::Rewrite) -> Flow {
        let groups = match rewrite.pattern.find(&self.uri) {
            Outcome::Match(groups) => groups,
            Outcome::NoMatch => return Flow::Next,
            Outcome::Unknown => {
                self.foreign = Some(rewrite.span);
                return Flow::Next;
            }
        };
        let subject = Value::from(self.uri.clone(), Sources::of(ValueSource::DecodedPath));
        self.captures = Some(Captures {
            subject,
            pattern: &rewrite.pattern,
            groups,
            path: true,
        });
        self.set_named();
        let target = self.complex(&rewrite.replacement);
        let old = self.args.clone();
        let args = match &rewrite.args {
            Some(args) => {
                let value = self.complex(args);
                match (value.text, rewrite.keep_args, &old) {
                    (Known::Known(new), true, Some(old)) if !old.is_empty() => {
                        Some(Cow::Owned(format!("{new}&{old}")))
                    }
                    (Known::Known(new), ..) => Some(new),
                    (Known::Unknown, ..) => None,
                }
            }
            None if rewrite.keep_args => old,
            None => Some(Cow::Borrowed("")),
        };
        if let RewriteFlag::Redirect(status) = rewrite.flag {
            let mut value = target;
            if let (Known::Known(text), Some(args)) = (&value.text, &args)
                && !args.is_empty()
            {
                value.text = Known::Known(Cow::Owned(format!("{text}?{args}")));
            }
            let mut made =
                Made::new(Known::Known(status), Answer::Redirect, Some(rewrite.span)).before_cors();
            made.lines.push(self.location_line(value, rewrite.span));
            return Flow::Stop(Step::Special(status, made));
        }
        let sources = target.sources;
        match target.text {
            Known::Known(uri) => {
                self.uri = uri;
                self.rewritten = Some(sources);
            }
            // Where this leads cannot be told.
            Known::Unknown => self.foreign = Some(rewrite.span),
        }
        self.args = args;
        self.internal = true;
        self.uri_changed = rewrite.flag != RewriteFlag::Break;
        match rewrite.flag {
            RewriteFlag::None => Flow::Next,
            _ => Flow::Break,
        }
    }

    /// `return`.
    fn fixed(
        &mut self,
        status: u16,
        text: Option<&'a super::complex::Complex>,
        span: Span,
    ) -> Step {
        // Within an error page, a bare error status gives way to the first error.
        let kept = self.kept_status.filter(|kept| *kept != 0);
        let status = match kept {
            Some(kept) if status >= 400 && text.is_none() => kept,
            _ => status,
        };
        let options = self.method == "OPTIONS";
        let by_origin = self.inside_origin;
        let kind = match status {
            _ if options && status < 300 => Answer::Cors,
            301 | 302 | 303 | 307 | 308 => Answer::Redirect,
            401 | 403 if by_origin => Answer::Cors,
            401 | 403 => Answer::Authentication,
            404 | 410 => Answer::NotFound,
            405 => Answer::MethodNotAllowed,
            _ => Answer::Handler,
        };
        let mut made = Made::new(Known::Known(status), kind, Some(span));
        if text.is_none() && matches!(status, 444 | 408 | 499) {
            made.closed = true;
            return Step::Send(made);
        }
        match text {
            Some(text) if matches!(status, 301 | 302 | 303 | 307 | 308) => {
                let value = self.complex(text);
                made.lines.push(self.location_line(value, span));
                Step::Special(status, made)
            }
            Some(_) => Step::Send(made),
            None if status < 400 => Step::Send(made),
            None => Step::Special(status, made),
        }
    }

    /// Access, `try_files`, content.
    fn handle(&mut self) -> Step {
        if let Some(step) = self.access() {
            return step;
        }
        if let Some(span) = self.config.nearest(self.level, |level| level.foreign) {
            self.foreign = Some(span);
        }
        if let Some(step) = self.try_files() {
            return step;
        }
        match self.handler {
            Some(Handler::Pass {
                module,
                target,
                span,
            }) => self.pass(*module, target, *span),
            Some(Handler::Fixed { span }) => {
                if self.method == "GET" || self.method == "HEAD" {
                    return Step::Send(Made::new(Known::Known(200), Answer::Handler, Some(*span)));
                }
                self.not_allowed(Some(*span))
            }
            Some(Handler::Foreign { span }) => {
                let status = self.application_status();
                let mut made = Made::new(status, Answer::Handler, Some(*span));
                made.upstream = Some(Module::Other);
                Step::Send(made)
            }
            None => self.files(),
        }
    }

    fn not_allowed(&self, span: Option<Span>) -> Step {
        let made = Made::new(Known::Known(405), Answer::MethodNotAllowed, span);
        Step::Special(405, made)
    }

    /// What the application behind answers.
    pub(super) fn application_status(&self) -> Known<u16> {
        if self.asks_access {
            return self.access_status();
        }
        match (&*self.method, self.request.application) {
            ("OPTIONS", Application::Answers(_) | Application::Throws) => {
                self.request.options_status
            }
            (_, Application::Answers(status)) => Known::Known(status),
            (_, Application::Throws) => Known::Known(500),
            (_, Application::Unreachable) => Known::Known(502),
        }
    }

    fn try_files(&mut self) -> Option<Step> {
        let level = &self.config.levels[self.level];
        if level.kind == LevelKind::If
            && let Some(id) = self.location
            && let Some(tried) = &self.config.levels[self.config.locations[id].level].try_files
        {
            self.disabled.push(Disabled {
                name: "try_files".into(),
                span: tried.span,
                by: level.span,
            });
            return None;
        }
        let tried = level.try_files.as_ref()?;
        let elsewhere = !matches!(tried.last, Fallback::Status(_));
        for (file, directory) in &tried.files {
            let path = self.complex(file);
            let named = path.known_text().map(str::to_owned);
            let own = named.as_deref() == Some(&*self.uri);
            let slash = self.uri.ends_with('/');
            if *directory {
                // A directory without its slash is redirected to; a path of the application is none.
                if own && slash && (self.uri == "/" || self.succeeds()) {
                    return None;
                }
                continue;
            }
            if !own || slash || !self.succeeds() {
                continue;
            }
            if !elsewhere
                || self.request.exact
                || self
                    .oracle
                    .borrow_mut()
                    .ask("the file exists".into(), Some(tried.span), true)
            {
                return None;
            }
        }
        Some(match &tried.last {
            Fallback::Status(status) => {
                let kind = if *status == 404 {
                    Answer::NotFound
                } else {
                    Answer::Static
                };
                let made = Made::new(Known::Known(*status), kind, Some(tried.span));
                Step::Special(*status, made)
            }
            Fallback::Named(name) => Step::Named(name.clone()),
            Fallback::Uri(uri) => {
                let value = self.complex(uri);
                let Known::Known(text) = value.text else {
                    let mut made = Made::new(Known::Unknown, Answer::Static, Some(tried.span));
                    made.upstream = Some(Module::Other);
                    return Some(Step::Send(made));
                };
                self.rewritten = Some(value.sources);
                let (path, args) = split_args(&text);
                self.file_exists = path != self.uri;
                Step::Internal(path, args)
            }
        })
    }

    /// Does the application (or the file system) have what is asked for?
    const fn succeeds(&self) -> bool {
        matches!(
            self.request.application,
            Application::Answers(200..=299) | Application::Unreachable
        )
    }

    /// The handlers for files: dav, index, autoindex, static.
    fn files(&mut self) -> Step {
        let level = self.level;
        let exists = self.file_exists || self.succeeds();
        let dav = self
            .config
            .nearest(level, |level| level.dav_methods.as_ref());
        if let Some((_, span)) =
            dav.and_then(|methods| methods.iter().find(|(method, _)| *method == self.method))
        {
            let status = if exists { 204 } else { 404 };
            let made = Made::new(Known::Known(status), Answer::Handler, Some(*span));
            return Step::Special(status, made);
        }
        let span = self.location.map(|id| self.config.locations[id].span);
        if !matches!(&*self.method, "GET" | "HEAD" | "POST") {
            return self.not_allowed(span);
        }
        if self.uri.ends_with('/') {
            return self.directory(exists, span);
        }
        if !exists {
            let status = match self.request.application {
                Application::Answers(status) if status >= 400 => status,
                Application::Answers(_) => 404,
                _ => 500,
            };
            let kind = if status == 404 {
                Answer::NotFound
            } else {
                Answer::Static
            };
            return Step::Special(status, Made::new(Known::Known(status), kind, span));
        }
        if self.method == "POST" {
            return self.not_allowed(span);
        }
        Step::Send(Made::new(Known::Known(200), Answer::Static, span))
    }

    fn directory(&mut self, exists: bool, span: Option<Span>) -> Step {
        let index = self
            .config
            .nearest(self.level, |level| level.index.as_ref());
        if exists {
            let name = match index {
                None => Some("index.html"),
                Some(names) => {
                    let mut constants = names.iter().map(super::complex::Complex::constant);
                    constants
                        .clone()
                        .find(|name| *name == Some("index.html"))
                        .unwrap_or_else(|| constants.next().flatten())
                }
            };
            if let Some(name) = name {
                self.file_exists = true;
                let uri = if name.starts_with('/') {
                    name.to_owned()
                } else {
                    format!("{}{name}", self.uri)
                };
                return Step::Internal(uri, None);
            }
        }
        let listed = self.config.nearest(self.level, |level| level.autoindex);
        if listed == Some(true) && (exists || self.uri == "/") {
            if self.method == "POST" {
                return self.not_allowed(span);
            }
            return Step::Send(Made::new(Known::Known(200), Answer::Static, span));
        }
        if self.method == "POST" && self.uri == "/" {
            return self.not_allowed(span);
        }
        let (status, kind) = if self.uri == "/" {
            (403, Answer::Static)
        } else {
            (404, Answer::NotFound)
        };
        Step::Special(status, Made::new(Known::Known(status), kind, span))
    }

    /// An error or special status: perhaps an `error_page` takes over.
    fn special(&mut self, status: u16, mut made: Made) -> Step {
        self.kept_status = Some(status);
        let seen = self.in_error_page;
        if !seen && self.changes > 0 {
            let recursive = self
                .config
                .nearest(self.level, |level| level.recursive_error_pages);
            self.in_error_page = recursive != Some(true);
            if let Some(step) = self.error_page(status) {
                return step;
            }
        }
        made.status = Known::Known(match status {
            494..=497 => 400,
            status => status,
        });
        self.kept_status = made.status.known();
        Step::Send(made)
    }

    /// Is there an error page for this status?
    pub(super) fn has_error_page(&self, status: u16) -> bool {
        self.page(status).is_some() && !self.in_error_page
    }

    fn page(&self, status: u16) -> Option<&'a super::config::ErrorPage> {
        let config = self.config;
        let pages = config.nearest(self.level, |level| {
            (!level.error_pages.is_empty()).then_some(&level.error_pages)
        })?;
        pages.iter().find(|page| page.status == status)
    }

    fn error_page(&mut self, status: u16) -> Option<Step> {
        let page = self.page(status)?;
        match page.overwrite {
            Some(Some(code)) => self.kept_status = Some(code),
            Some(None) => self.kept_status = Some(0),
            None => {}
        }
        let value = self.complex(&page.target);
        let Known::Known(target) = &value.text else {
            let mut made = Made::new(Known::Unknown, Answer::ErrorPage, Some(page.span));
            made.upstream = Some(Module::Other);
            return Some(Step::Send(made));
        };
        if target.starts_with('/') {
            if self.method != "HEAD" {
                self.method = Cow::Borrowed("GET");
                self.client_method = Cow::Borrowed("GET");
            }
            let (path, args) = split_args(target);
            // `error_page … $uri` asks for the request's own file.
            self.file_exists = path != self.uri;
            self.rewritten = Some(value.sources);
            return Some(Step::Internal(path, args));
        }
        if target.starts_with('@') {
            return Some(Step::Named(target.clone().into_owned()));
        }
        let redirect = match page.overwrite {
            Some(Some(code @ (301 | 302 | 303 | 307 | 308))) => code,
            _ => 302,
        };
        self.kept_status = Some(redirect);
        let mut made = Made::new(Known::Known(redirect), Answer::Redirect, Some(page.span));
        made.lines.push(self.location_line(value, page.span));
        Some(Step::Send(made))
    }

    /// What an internal redirect names is taken to exist.
    pub(super) const fn exists(&mut self) {
        self.file_exists = true;
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

    /// A response that ends without one.
    pub(super) fn closed(&self, made: &Made) -> Response {
        let mut response = Response::new(made.status, made.kind, made.span);
        response.outcome = End::NeverAnswers;
        response
    }
}

/// Splits a URI at its `?`.
pub(super) fn split_args(uri: &str) -> (String, Option<String>) {
    match uri.split_once('?') {
        Some((path, args)) => (path.to_owned(), Some(args.to_owned())),
        None => (uri.to_owned(), None),
    }
}
