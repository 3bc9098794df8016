//! The phases of a request: server rewrite, location, rewrite, access, `try_files`, content,
//! `error_page`. `headers` then sends what came of it.

use std::borrow::Cow;

use super::config::{
    Handler, LevelKind, LocationId, Matching, Module, Op, RewriteFlag, ServerName,
};
use super::location::{Found, find};
use super::regex::{Groups, Outcome};
use super::run::Run;
use super::value::{Sources, Value};
use super::variables::Captures;
use crate::model::{Answer, Application, HeaderLine, Known, Response, ValueSource};
use crate::source::Span;

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

    /// An answer of which nothing can be told.
    pub(super) const fn untold(span: Option<Span>) -> Self {
        let mut made = Self::new(Known::Unknown, Answer::Handler, span);
        made.upstream = Some(Module::Other);
        made
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
    /// Start again with another URI, and with other arguments.
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
                    if self.change() {
                        self.uri = Cow::Owned(uri);
                        self.unparsed = false;
                        self.in_prefix = true;
                        if let Some(args) = args {
                            self.args = Some(Cow::Owned(args));
                        }
                        self.internal = true;
                        self.start_at_server(None)
                    } else {
                        cycle()
                    }
                }
                Step::Named(name) => {
                    let named = self.config.servers[self.server].named.get(&name).copied();
                    match named {
                        Some(id) if self.change() => {
                            self.internal = true;
                            self.enter(id);
                            self.in_location(None)
                        }
                        _ => cycle(),
                    }
                }
            };
        }
    }

    fn change(&mut self) -> bool {
        self.changes = self.changes.saturating_sub(1);
        self.changes > 0
    }

    /// What nginx refuses before it looks at the configuration.
    fn refused(&self) -> Option<Made> {
        if self.depth > 0 {
            // A proxy sends what a rewrite made of the path, even without its slash.
            let wrong = !self.asks_access && !self.request.url.path.starts_with('/');
            return wrong
                .then(|| Made::new(Known::Known(400), Answer::ErrorPage, None).before_cors());
        }
        let method = self.method.as_ref();
        let status = if method == "TRACE" || method == "CONNECT" {
            405
        } else if method
            .bytes()
            .any(|byte| !byte.is_ascii_uppercase() && !b"_-".contains(&byte))
        {
            400
        } else if self
            .request
            .header("transfer-encoding")
            .is_some_and(|coding| !coding.eq_ignore_ascii_case("chunked"))
        {
            501
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
                    escaped: false,
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
            Found::Unknown => Step::Send(Made::untold(None)),
            Found::Redirect(id) => {
                self.enter(id);
                if self.forbidden(id) {
                    return self.not_found(id);
                }
                self.redirect_to_folder(Some(self.config.locations[id].span))
            }
            Found::Location(id, groups) => {
                self.enter(id);
                self.in_location(groups)
            }
        }
    }

    /// 301 to the URI with a slash.
    pub(super) fn redirect_to_folder(&self, span: Option<Span>) -> Step {
        let mut location = self.uri.clone().into_owned();
        location.push('/');
        if let Some(args) = self.args.as_deref().filter(|args| !args.is_empty()) {
            location.push('?');
            location.push_str(args);
        }
        let mut made = Made::new(Known::Known(301), Answer::Redirect, span).before_cors();
        if let Some(span) = span {
            let line = self.location_line(Value::known(location), span);
            made.lines.push(line);
        }
        Step::Special(301, made)
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
                escaped: false,
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
            if self.body_too_large() {
                return self.too_large();
            }
            return self.handle();
        }
        if self.body_too_large() {
            return self.too_large();
        }
        self.uri_changed = false;
        match self.script(&location.script) {
            Flow::Stop(step) => step,
            _ if self.uri_changed => {
                if !self.change() {
                    return cycle();
                }
                self.leave();
                self.choose()
            }
            _ => self.handle(),
        }
    }

    /// `client_max_body_size`, for a request that says how long its body is.
    fn body_too_large(&self) -> bool {
        let Some(length) = self.request.header("content-length") else {
            return false;
        };
        let most = self
            .config
            .nearest(self.level, |level| level.max_body)
            .unwrap_or(1 << 20);
        most != 0 && length.parse::<u64>().is_ok_and(|length| length > most)
    }

    fn too_large(&self) -> Step {
        let made = Made::new(Known::Known(413), Answer::ErrorPage, None).before_cors();
        Step::Special(413, made)
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
                Op::Break => {
                    self.in_prefix &= !self.uri_changed;
                    self.uri_changed = false;
                    return Flow::Break;
                }
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
            Outcome::NoMatch => {
                self.captures = None;
                return Flow::Next;
            }
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
            escaped: false,
        });
        self.set_named();
        if let Some(captures) = &mut self.captures {
            captures.escaped = matches!(rewrite.flag, RewriteFlag::Redirect(_));
        }
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
        self.unparsed = false;
        self.uri_changed = rewrite.flag != RewriteFlag::Break;
        self.in_prefix &= self.uri_changed;
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
        let options = self.method == "OPTIONS";
        let by_origin = self.inside_origin;
        let kind = match status {
            _ if options && status < 300 => Answer::Cors,
            301 | 302 | 303 | 307 | 308 => Answer::Redirect,
            401 | 403 if by_origin => Answer::Cors,
            401 | 403 => Answer::Authentication,
            404 | 410 => Answer::NotFound,
            405 => Answer::MethodNotAllowed,
            _ => Answer::Fixed,
        };
        let mut made = Made::new(Known::Known(status), kind, Some(span));
        if text.is_none() && matches!(status, 444 | 408 | 499) {
            made.closed = true;
            return Step::Send(made);
        }
        match text {
            text if matches!(status, 301 | 302 | 303 | 307 | 308) => {
                let value = text.map_or_else(Value::empty, |text| self.complex(text));
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
            Some(Handler::Pass { module, span, .. }) => match self.upstream_of(*module) {
                Some(target) => self.pass(*module, target, *span),
                // The handler of an earlier `if` without its settings.
                None => {
                    let made = Made::new(Known::Known(500), Answer::ErrorPage, Some(*span));
                    Step::Special(500, made)
                }
            },
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

    /// What a module's handler is to ask, by the settings that hold now.
    fn upstream_of(&self, module: Module) -> Option<&'a super::complex::Complex> {
        let config = self.config;
        for level in config.chain(self.level) {
            if let Some(Handler::Pass {
                module: other,
                target,
                ..
            }) = &level.handler
                && *other == module
            {
                return Some(target);
            }
            if !matches!(level.kind, LevelKind::If | LevelKind::LimitExcept) {
                break;
            }
        }
        None
    }

    pub(super) fn not_allowed(&self, span: Option<Span>) -> Step {
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
        self.page(status).is_some()
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
            return Some(Step::Send(Made::untold(Some(page.span))));
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
}

/// Too many internal redirects.
fn cycle() -> Step {
    let made = Made::new(Known::Known(500), Answer::ErrorPage, None);
    Step::Special(500, made)
}

/// Splits a URI at its `?`; without one, the redirect that it is for has no arguments.
pub(super) fn split_args(uri: &str) -> (String, Option<String>) {
    let (path, args) = uri.split_once('?').unwrap_or((uri, ""));
    (path.to_owned(), Some(args.to_owned()))
}
