//! One request and the response as it comes to be.

use std::collections::BTreeSet;

use super::host::Node;
use super::model::{function, object};
use super::observe;
use crate::frameworks::answers::is_login;
use crate::limits::express::exchange::MAX_DECISIONS;
use crate::model::{
    Answer, Decision, DropReason, Dropped, HeaderLine, Known, Observation, Request, ValueSource,
};
use crate::source::Span;
use crate::syntax::javascript::eval::heap::{ObjectKind, V, Val};
use crate::syntax::javascript::eval::{Call, Comparison, Result};

/// The name of the file that stands for all that `express.static` finds.
pub(super) const SAMPLE_FILE: &str = "file.css";

/// What a browser once asked with before it let a page into the visitor's network.
pub(super) const PRIVATE_NETWORK: &str = "access-control-request-private-network";

/// A request and its response.
#[derive(Clone, Debug)]
pub(super) struct Exchange {
    pub(super) request: Request,
    /// The method and path as the layers see them.
    pub(super) method: String,
    pub(super) path: String,
    pub(super) headers: Vec<HeaderLine>,
    pub(super) dropped: Vec<Dropped>,
    pub(super) status: Known<u16>,
    pub(super) finished: Option<Finished>,
    /// `next` was called: with an error, perhaps.
    pub(super) next: Option<Option<Val>>,
    /// Which `next` counts now.
    pub(super) turn: u32,
    /// What runs now has passed the request on, or somebody out of view may answer it.
    pub(super) escaped: bool,
    /// The head is sent, and the body goes on.
    pub(super) begun: bool,
    /// Where a CORS header was set first, or the package ran.
    pub(super) cors_at: Option<Span>,
    /// The first of them that is no part of a route: place, and what to call it.
    pub(super) policy_at: Option<(Span, &'static str)>,
    /// A route is running.
    pub(super) in_route: bool,
    /// The origin function or delegate that never calls back.
    pub(super) silent: Option<Span>,
    /// What no response shows.
    pub(super) learned: Vec<Observation>,
    /// What the test that let the origin in was.
    pub(super) evidence: Option<Decision>,
    /// All that the origin was compared with.
    pub(super) comparisons: Vec<Compared>,
    /// The callbacks that functions of the project were given.
    pub(super) callbacks: Vec<Callback>,
    /// The package sent no headers for this origin, not even `Vary`: that is its way, and whether
    /// it matters depends on caches that are not in view.
    pub(super) silent_package: bool,
    /// The calls of the package that set headers for every route of the application.
    pub(super) policies: Vec<Span>,
    /// Request headers that the application evidently reads.
    pub(super) reads: BTreeSet<&'static str>,
    /// Cookies for one site only that are set: its registrable domain, and the call.
    pub(super) cookies: Vec<(String, Span)>,
    /// Whether the origin is allowed depends on something unknown.
    pub(super) unsure: bool,
    pub(super) request_val: Option<Val>,
    pub(super) response_val: Option<Val>,
    decisions: Vec<bool>,
    taken: usize,
}

/// A callback that an origin function or a delegate is given.
#[derive(Clone, Debug)]
pub(super) struct Callback {
    /// What comes after it: it runs inside of the call, and what it throws is the caller's to catch.
    pub(super) then: Then,
    /// Its first call: error, value.
    pub(super) called: Option<(Val, Val)>,
}

/// What the package does when a callback is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Then {
    /// It reads the options that it is given.
    Options,
    /// It sets headers for the origin.
    Headers,
    /// It tries to, and throws.
    Throws,
}

/// How the response ends.
#[derive(Clone, Debug)]
pub(super) struct Finished {
    pub(super) status: Known<u16>,
    pub(super) kind: Answer,
    pub(super) span: Span,
    pub(super) before_cors: bool,
}

/// Something that the origin was compared with.
#[derive(Clone, Debug)]
pub(super) struct Compared {
    pub(super) with: Val,
    pub(super) how: Comparison,
    /// The whole origin, not its host.
    pub(super) whole: bool,
}

impl Exchange {
    /// A request before any layer; `decisions` say which way unknown tests go.
    pub(super) fn new(request: &Request, method: &str, decisions: Vec<bool>) -> Self {
        Self {
            request: request.clone(),
            method: method.to_owned(),
            path: request.url.path.clone(),
            headers: Vec::new(),
            dropped: Vec::new(),
            status: Known::Known(200),
            finished: None,
            next: None,
            turn: 0,
            escaped: false,
            begun: false,
            cors_at: None,
            policy_at: None,
            in_route: false,
            silent: None,
            learned: Vec::new(),
            evidence: None,
            comparisons: Vec::new(),
            callbacks: Vec::new(),
            silent_package: false,
            policies: Vec::new(),
            reads: BTreeSet::new(),
            cookies: Vec::new(),
            unsure: false,
            request_val: None,
            response_val: None,
            decisions,
            taken: 0,
        }
    }

    /// Does `express.static` find a file? The one that stands for all is there; whether others are is
    /// not known, and nobody has files that are named like routes.
    pub(super) fn finds_file(&mut self) -> bool {
        let name = self.path.rsplit('/').next().unwrap_or_default();
        let likely = self.request.exact && (name.is_empty() || name.contains('.'));
        let stands_for_all = name == SAMPLE_FILE;
        matches!(self.method.as_str(), "GET" | "HEAD")
            && (stands_for_all && !self.request.exact || likely && self.decide())
    }

    /// The next unknown test's way.
    pub(super) fn decide(&mut self) -> bool {
        let at = self.taken;
        self.taken += 1;
        if at >= self.decisions.len() {
            if at >= MAX_DECISIONS {
                return true;
            }
            self.decisions.push(true);
        }
        self.decisions[at]
    }

    /// The decisions of the next way to try, if there is one.
    pub(super) fn next_way(&self) -> Option<Vec<bool>> {
        let mut decisions = self.decisions.clone();
        decisions.truncate(self.taken);
        while !decisions.pop()? {}
        decisions.push(false);
        Some(decisions)
    }

    /// What comes of the first call of a callback; `None` for later ones.
    pub(super) fn then(&self, number: u32) -> Option<Then> {
        let callback = self.callbacks.get(number as usize)?;
        callback.called.is_none().then_some(callback.then)
    }

    pub(super) fn call_back(&mut self, number: u32, error: Val, value: Val) {
        if let Some(callback) = self.callbacks.get_mut(number as usize) {
            callback.called.get_or_insert((error, value));
        }
    }

    pub(super) fn call_next(&mut self, turn: u32, error: Option<Val>) {
        if turn == self.turn && self.next.is_none() && self.finished.is_none() {
            self.next = Some(error);
        }
    }

    pub(super) fn compared(&mut self, with: &Val, how: Comparison, whole: bool, holds: bool) {
        if holds && let Some(text) = with.as_str() {
            self.evidence = Some(Decision {
                span: with.span,
                text: text.to_owned(),
                offset: Some(1),
                pattern: how == Comparison::Pattern,
            });
        }
        let known = |other: &Compared| {
            other.with.span == with.span && other.with.as_str() == with.as_str() && other.how == how
        };
        if self.comparisons.len() < 1000 && !self.comparisons.iter().any(known) {
            self.comparisons.push(Compared {
                with: with.clone(),
                how,
                whole,
            });
        }
    }

    pub(super) fn set_status(&mut self, status: &Val) {
        self.status = match &status.v {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "checked"
            )]
            V::Number(number) if (100.0..1000.0).contains(number) => Known::Known(*number as u16),
            _ => Known::Unknown,
        };
    }

    pub(super) fn status_value(&self, span: Span) -> Option<Val> {
        match self.status {
            Known::Known(status) => Some(Val::number(f64::from(status), span)),
            Known::Unknown => None,
        }
    }

    pub(super) fn finish(&mut self, kind: Answer, span: Span) {
        if self.finished.is_none() && self.next.is_none() {
            self.finished = Some(Finished {
                status: self.status,
                kind,
                span,
                before_cors: self.cors_at.is_none(),
            });
        }
    }

    /// Somebody sets this header at this place.
    fn sees_cors(&mut self, name: &str, span: Span) {
        if is_cors(name) {
            self.meets_cors(span, "Access-Control-Allow-Origin");
        }
    }

    /// From here on there are CORS headers.
    pub(super) fn meets_cors(&mut self, span: Span, name: &'static str) {
        self.cors_at.get_or_insert(span);
        if !self.in_route {
            self.policy_at.get_or_insert((span, name));
        }
    }

    /// Is there a line that says who may read?
    pub(super) fn cors_set(&self) -> bool {
        let mut names = self.headers.iter().map(|line| line.name.as_str());
        names.any(|name| name.eq_ignore_ascii_case("access-control-allow-origin"))
    }

    fn is_over(&self) -> bool {
        self.finished.is_some() || self.begun
    }

    /// Removes the lines of a name; those that said something about CORS are remembered.
    pub(super) fn remove(&mut self, name: &str, by: Span, reason: DropReason) {
        let mut kept = Vec::new();
        for line in std::mem::take(&mut self.headers) {
            if !line.name.eq_ignore_ascii_case(name) {
                kept.push(line);
            } else if is_cors(&line.name) {
                self.dropped.push(Dropped {
                    name: line.name,
                    value: line.value,
                    span: line.span,
                    reason,
                    by: Some(by),
                    by_cors: true,
                });
            }
        }
        self.headers = kept;
    }

    /// Sets a header to these lines.
    pub(super) fn set(&mut self, lines: Vec<HeaderLine>) {
        if self.is_over() {
            return;
        }
        if let Some(first) = lines.first() {
            let (name, span) = (first.name.clone(), first.span);
            let at = self
                .headers
                .iter()
                .position(|line| line.name.eq_ignore_ascii_case(&name));
            self.remove(&name, span, DropReason::Overwritten);
            let at = at.unwrap_or(self.headers.len()).min(self.headers.len());
            self.headers.splice(at..at, lines);
        }
    }

    /// Adds lines behind those of the same name.
    fn append(&mut self, name: &str, lines: Vec<HeaderLine>) {
        let same = |line: &HeaderLine| line.name.eq_ignore_ascii_case(name);
        let last = self.headers.iter().rposition(same);
        let at = last.map_or(self.headers.len(), |last| last + 1);
        self.headers.splice(at..at, lines);
    }

    /// Adds a member to Vary, unless it is there (the package `vary`).
    pub(super) fn vary(&mut self, member: &str, span: Span) {
        if self.is_over() {
            return;
        }
        let there = self.headers.iter().any(|line| {
            line.name.eq_ignore_ascii_case("vary")
                && line.value.as_ref().known().is_some_and(|value| {
                    value.split(',').any(|known| {
                        known.trim().eq_ignore_ascii_case(member) || known.trim() == "*"
                    })
                })
        });
        if there {
            return;
        }
        let line = self
            .headers
            .iter_mut()
            .find(|line| line.name.eq_ignore_ascii_case("vary"));
        match line {
            Some(line) => {
                if let Known::Known(value) = &mut line.value {
                    *value = format!("{value}, {member}");
                }
            }
            None => self.headers.push(HeaderLine {
                name: "Vary".into(),
                value: Known::Known(member.into()),
                span,
                value_span: None,
                sources: Vec::new(),
                decided_by: None,
            }),
        }
    }

    /// Whether `Vary` gets another member cannot be told.
    pub(super) fn vary_perhaps(&mut self, span: Span) {
        if self.is_over() {
            return;
        }
        self.vary("", span);
        let is_vary = |line: &&mut HeaderLine| line.name.eq_ignore_ascii_case("vary");
        if let Some(line) = self.headers.iter_mut().find(is_vary) {
            line.value = Known::Unknown;
        }
    }

    /// A header line with a value of the program.
    pub(super) fn line(
        &self,
        name: &str,
        value: Known<String>,
        val: &Val,
        span: Span,
        written: bool,
    ) -> HeaderLine {
        let mut sources = Vec::new();
        let mut decided_by = None;
        let mut value = value;
        if let V::Foreign(path) = &val.v {
            sources.extend(source_of(path));
        }
        let origin = self.request.origin.as_deref();
        if val.as_str().is_some() && val.as_str() == origin && !written {
            sources.push(ValueSource::Origin);
            decided_by.clone_from(&self.evidence);
        }
        // A list of unknown content has the origin that stands for its members.
        if self.request.symbolic
            && value == Known::Unknown
            && name.eq_ignore_ascii_case("access-control-allow-origin")
            && sources.is_empty()
            && let Some(origin) = origin
        {
            value = Known::Known(origin.to_owned());
        }
        HeaderLine {
            name: name.to_owned(),
            value,
            span,
            value_span: Some(val.span),
            sources,
            decided_by,
        }
    }
}

pub(super) fn is_cors(name: &str) -> bool {
    name.get(..15)
        .is_some_and(|start| start.eq_ignore_ascii_case("access-control-"))
}

fn source_of(path: &str) -> Option<ValueSource> {
    let rest = path.strip_prefix("req.")?;
    Some(if rest.starts_with("query") {
        ValueSource::Query
    } else if rest.starts_with("cookies") || rest.starts_with("signedCookies") {
        ValueSource::Cookie
    } else if rest == "headers.referer" || rest == "headers.referrer" {
        ValueSource::Referer
    } else if matches!(rest, "headers.host" | "hostname" | "host" | "protocol") {
        ValueSource::Host
    } else if rest.starts_with("params") {
        // Node refuses line breaks in header values.
        ValueSource::EncodedPath
    } else if rest.starts_with("headers.") {
        ValueSource::Header
    } else {
        return None;
    })
}

/// A property of the request.
pub(super) fn request_member(machine: &mut Node<'_>, name: &str, span: Span) -> Option<Val> {
    let exchange = machine.host.exchange.as_ref()?;
    let preflight = exchange.request.is_preflight();
    Some(match name {
        "method" => Val::string(exchange.method.as_str(), span),
        "path" => Val::string(exchange.path.as_str(), span),
        "url" => Val::string(
            target(&exchange.path, exchange.request.url.query.as_deref()),
            span,
        ),
        "originalUrl" => {
            let url = &exchange.request.url;
            Val::string(target(&url.path, url.query.as_deref()), span)
        }
        "headers" => machine.allocate(ObjectKind::Host(object::HEADERS, 0), span),
        "get" | "header" => Val::new(V::Host(function::REQUEST_GET, 0), span),
        "isAuthenticated" => Val::new(V::Host(function::IS_AUTHENTICATED, 0), span),
        // Browsers send no credentials with a preflight.
        "user" | "auth" if preflight => Val::undefined(span),
        // Who comes without a cookie gets a new session.
        "cookies" | "signedCookies" | "session" if preflight => {
            machine.allocate(ObjectKind::Plain, span)
        }
        "session" => Val::something("it depends on the visitor", span),
        _ => Val::new(V::Foreign(format!("req.{name}").into()), span),
    })
}

fn target(path: &str, query: Option<&str>) -> String {
    query.map_or_else(|| path.to_owned(), |query| format!("{path}?{query}"))
}

/// A header of the request.
pub(super) fn request_header(machine: &mut Node<'_>, name: &str, span: Span) -> Val {
    let Some(exchange) = &mut machine.host.exchange else {
        return Val::unknown("there is no request yet", span);
    };
    let name = name.to_ascii_lowercase();
    for noted in ["authorization", PRIVATE_NETWORK] {
        if name == noted {
            exchange.reads.insert(noted);
        }
    }
    let request = &exchange.request;
    if let Some(value) = request.header(&name) {
        return Val::string(value, span);
    }
    let certain = matches!(
        name.as_str(),
        "origin"
            | "access-control-request-method"
            | "access-control-request-headers"
            | PRIVATE_NETWORK
    );
    let credentials = matches!(name.as_str(), "authorization" | "cookie") || name.starts_with("x-");
    if request.exact || certain || (request.is_preflight() && credentials) {
        Val::undefined(span)
    } else {
        Val::new(V::Foreign(format!("req.headers.{name}").into()), span)
    }
}

/// A method of the response.
pub(super) fn response_call(machine: &mut Node<'_>, name: &str, call: &Call<'_>) -> Result<Val> {
    let span = call.span;
    let args: Vec<Val> = call
        .args
        .iter()
        .map(|arg| machine.force(arg.clone()))
        .collect();
    let this = call.this.clone();
    match name {
        "set" | "header" | "setHeader" | "setHeaders" => {
            if let [only] = args.as_slice() {
                set_all(machine, only, span, name == "setHeaders")?;
            } else if let [header, value, ..] = args.as_slice() {
                set_header(machine, header, value, span, name == "setHeader")?;
            }
        }
        "append" | "appendHeader" => {
            if let [header, value, ..] = args.as_slice()
                && let Some(header) = header.as_str()
            {
                let lines = lines(machine, header, value, span);
                if let Some(exchange) = &mut machine.host.exchange
                    && !exchange.is_over()
                {
                    exchange.sees_cors(header, span);
                    exchange.append(header, lines);
                }
            }
        }
        "vary" => {
            let Some(first) = args.first() else {
                return Ok(this);
            };
            let list = machine.items(first).filter(|_| first.as_id().is_some());
            let (items, open) = list.unwrap_or((vec![first.clone()], false));
            for item in items {
                let item = machine.force(item);
                let Some(exchange) = &mut machine.host.exchange else {
                    break;
                };
                match item.as_str() {
                    Some(members) => members
                        .split(',')
                        .for_each(|member| exchange.vary(member.trim(), span)),
                    None => exchange.vary_perhaps(span),
                }
            }
            if let (true, Some(exchange)) = (open, &mut machine.host.exchange) {
                exchange.vary_perhaps(span);
            }
        }
        "removeHeader" => {
            if let Some(header) = args.first().and_then(Val::as_str)
                && let Some(exchange) = &mut machine.host.exchange
                && !exchange.is_over()
            {
                exchange.remove(header, span, DropReason::Hidden);
            }
        }
        "getHeader" | "get" | "hasHeader" => {
            let header = args.first().and_then(Val::as_str);
            let exchange = machine.host.exchange.as_ref();
            let line = header.and_then(|header| {
                let headers = &exchange?.headers;
                headers
                    .iter()
                    .find(|line| line.name.eq_ignore_ascii_case(header))
            });
            return Ok(match (header, line) {
                (Some(_), Some(_)) if name == "hasHeader" => Val::bool(true, span),
                (Some(_), Some(line)) => match &line.value {
                    Known::Known(value) => Val::string(value.as_str(), span),
                    Known::Unknown => Val::unknown("the header's value is unknown", span),
                },
                (Some(header), None) if is_cors(header) || header.eq_ignore_ascii_case("vary") => {
                    match name {
                        "hasHeader" => Val::bool(false, span),
                        _ => Val::undefined(span),
                    }
                }
                _ => Val::unknown("the header's value is unknown", span),
            });
        }
        "cookie" => {
            let name = args.first().and_then(Val::as_str);
            if name.is_some_and(is_login)
                && let Some(options) = args.get(2)
                && let Some(domain) = observe::cookie_domain(machine, options)
                && let Some(exchange) = &mut machine.host.exchange
            {
                exchange.cookies.push((domain, span));
            }
        }
        "status" | "writeHead" | "sendStatus" | "redirect" => {
            return status_call(machine, name, &args, call);
        }
        "write" | "flushHeaders" => {
            if let Some(exchange) = &mut machine.host.exchange {
                exchange.begun |= exchange.finished.is_none();
            }
        }
        "location" => {
            if let Some(to) = args.first() {
                set_header(machine, &Val::string("Location", span), to, span, false)?;
            }
        }
        "format" => format(machine, args.first(), span)?,
        "send" | "json" | "jsonp" | "end" | "render" | "sendFile" | "sendfile" | "download" => {
            // Express 4: `send(status, body)` and `json(status, body)` of old.
            if let (Some(status), true) = (args.first(), args.len() > 1 && name != "end")
                && matches!(status.v, V::Number(_))
                && let Some(exchange) = &mut machine.host.exchange
            {
                exchange.set_status(status);
            }
            finish(machine, span);
        }
        _ => {}
    }
    Ok(this)
}

/// `res.format({ json() {…}, default() {…} })`: browsers accept everything unless they are told
/// otherwise, which gives the first.
fn format(machine: &mut Node<'_>, formats: Option<&Val>, span: Span) -> Result<()> {
    let Some(exchange) = &mut machine.host.exchange else {
        return Ok(());
    };
    exchange.vary("Accept", span);
    let accepts = exchange.request.header("accept");
    let first = accepts.is_none_or(|accepts| accepts.trim() == "*/*");
    let turn = exchange.turn;
    let keys = formats.map(|formats| machine.own_keys(formats));
    let keys = keys.unwrap_or_default();
    let key = keys.iter().find(|(name, _)| &**name != "default");
    let key = key.or(keys.first()).filter(|_| first || keys.len() == 1);
    let function = key.and_then(|(name, _)| machine.own(formats?, name));
    match function.filter(|function| machine.function(function).is_some()) {
        Some(function) => {
            let request = super::dispatch::request_value(machine, span);
            let response = super::dispatch::response_value(machine, span);
            let next = Val::new(V::Host(function::NEXT, turn), span);
            let args = [request, response, next];
            machine.call(&function, &Val::undefined(span), &args, span)?;
        }
        None => {
            if let Some(exchange) = &mut machine.host.exchange {
                exchange.status = Known::Unknown;
            }
            finish(machine, span);
        }
    }
    Ok(())
}

fn status_call(machine: &mut Node<'_>, name: &str, args: &[Val], call: &Call<'_>) -> Result<Val> {
    let span = call.span;
    let unknown = Val::unknown("it is not given", span);
    let first = args.first().unwrap_or(&unknown).clone();
    match name {
        "redirect" => {
            let (status, to) = match args {
                [status, to, ..] if matches!(status.v, V::Number(_)) => (status.clone(), to),
                _ => (Val::number(302.0, span), &first),
            };
            let value = to.as_str().map(str::to_owned);
            if let Some(exchange) = &mut machine.host.exchange {
                let written = true;
                let line = exchange.line("Location", value.into(), to, span, written);
                exchange.set(vec![line]);
                // The body is negotiated.
                exchange.vary("Accept", span);
                exchange.set_status(&status);
                exchange.finish(Answer::Redirect, span);
            }
        }
        _ => {
            if let Some(exchange) = &mut machine.host.exchange
                && !exchange.is_over()
            {
                exchange.set_status(&first);
            }
            if name == "writeHead" {
                for arg in args.iter().skip(1) {
                    set_all(machine, arg, span, true)?;
                }
            }
            if name == "sendStatus" {
                finish(machine, span);
            }
        }
    }
    Ok(call.this.clone())
}

/// The response is sent by the program; who that is follows from the status.
fn finish(machine: &mut Node<'_>, span: Span) {
    if let Some(exchange) = &mut machine.host.exchange {
        let preflight = exchange.method == "OPTIONS";
        let kind = match exchange.status {
            Known::Known(401 | 403) => Answer::Authentication,
            Known::Known(200..=299) if preflight => Answer::Cors,
            _ => Answer::Handler,
        };
        exchange.finish(kind, span);
    }
}

/// `res.set({…})`, `res.writeHead(status, {…})` and `res.setHeaders(new Map(…))`.
fn set_all(machine: &mut Node<'_>, val: &Val, span: Span, strict: bool) -> Result<()> {
    let Some(object) = machine.object(val) else {
        return Ok(());
    };
    let slots = object.properties.iter();
    let mut all: Vec<(Val, Val)> = slots
        .map(|slot| {
            let header = Val::string(slot.name.clone(), slot.key_span);
            (header, slot.value.clone())
        })
        .collect();
    if let ObjectKind::Map(pairs, _) = &object.kind {
        all.extend(pairs.iter().cloned());
    }
    for (header, value) in all {
        let value = machine.force(value);
        let place = header.span.to(value.span);
        let place = if place.end > place.start { place } else { span };
        set_header(machine, &header, &value, place, strict)?;
    }
    Ok(())
}

fn set_header(
    machine: &mut Node<'_>,
    header: &Val,
    value: &Val,
    span: Span,
    strict: bool,
) -> Result<()> {
    let Some(name) = header.as_str() else {
        return Ok(());
    };
    if strict && matches!(value.v, V::Undefined) {
        if let Some(exchange) = &mut machine.host.exchange
            && is_cors(name)
        {
            exchange.learned.push(observe::undefined_header(name, span));
        }
        let error = Val::something("Node refuses undefined header values", span);
        return Err(crate::syntax::javascript::eval::Abrupt::Throw(error));
    }
    let lines = lines(machine, name, value, span);
    if let Some(exchange) = &mut machine.host.exchange {
        exchange.learned.extend(observe::malformed_header(header));
        exchange.sees_cors(name, span);
        if lines.is_empty() {
            exchange.remove(name, span, DropReason::Overwritten);
        }
        exchange.set(lines);
    }
    Ok(())
}

/// One line, or one for each element of a list.
fn lines(machine: &mut Node<'_>, name: &str, value: &Val, span: Span) -> Vec<HeaderLine> {
    let items = match machine.items(value) {
        Some((items, false)) if value.as_id().is_some() => items,
        _ => vec![value.clone()],
    };
    items
        .iter()
        .filter_map(|item| {
            let item = machine.force(item.clone());
            let text = machine.to_text(&item);
            let written = is_written(machine, &item);
            let exchange = machine.host.exchange.as_ref()?;
            let text = text.map(|text| text.to_string());
            Some(exchange.line(name, text.into(), &item, span, written))
        })
        .collect()
}

/// Does the value stand in the source as it is?
pub(super) fn is_written(machine: &Node<'_>, val: &Val) -> bool {
    val.as_str()
        .is_some_and(|text| machine.text(val.span).contains(text))
}

/// Middleware of a package that is called with the request at hand.
pub(super) fn call_foreign(machine: &mut Node<'_>, call: &Call<'_>) -> Result<Val> {
    match call.args.get(2) {
        Some(next) => {
            let next = next.clone();
            machine.call(&next, &Val::undefined(call.span), &[], call.span)
        }
        None => {
            if let Some(exchange) = &mut machine.host.exchange {
                exchange.escaped = true;
            }
            Ok(Val::unknown(
                "it comes from code that is not in view",
                call.span,
            ))
        }
    }
}
