//! One request and the response as it comes to be.

use super::cors::{Check, Cors, List};
use super::version::Versions;
use crate::limits::spring::exchange::MAX_DECISIONS;
use crate::model::{
    Answer, Decision, DropReason, Dropped, HeaderLine, Known, Request, ValueSource,
};
use crate::source::Span;

pub(super) const ACAO: &str = "Access-Control-Allow-Origin";

/// A request and its response.
#[derive(Clone, Debug)]
pub(super) struct Exchange {
    pub(super) request: Request,
    /// The method that handlers are looked up by: a probe's GET stands for what its endpoint serves.
    pub(super) method: String,
    /// The path of this dispatch: `/error` once the container asks for an error page.
    pub(super) path: String,
    /// The container asks for an error page.
    pub(super) is_error: bool,
    pub(super) headers: Vec<HeaderLine>,
    pub(super) dropped: Vec<Dropped>,
    /// Names that somebody out of view may add.
    pub(super) unseen: Vec<String>,
    pub(super) status: Known<u16>,
    /// Where the status was set.
    pub(super) status_at: Option<Span>,
    pub(super) finished: Option<Finished>,
    /// What was thrown and nobody caught, first of all.
    pub(super) thrown: Option<String>,
    /// A CORS processor ran, or a CORS header was set.
    pub(super) cors_seen: bool,
    /// What the test that let the origin in was.
    pub(super) evidence: Option<Decision>,
    /// All that the origin was compared with.
    pub(super) comparisons: Vec<Compared>,
    /// The configurations that were asked.
    pub(super) policies: Vec<Cors>,
    /// Whether the origin is allowed depends on something unknown.
    pub(super) unsure: bool,
    /// A configuration that is not in view had its say.
    undecided: bool,
    error_sent: bool,
    /// The filter that runs has let the request pass.
    pub(super) went_on: bool,
    /// What ended the way behind the filter that runs.
    pub(super) stopped: Option<super::respond::Stop>,
    /// Where the application is, for what the framework does unasked.
    pub(super) place: Span,
    decisions: Vec<bool>,
    taken: usize,
}

/// How the response ends.
#[derive(Clone, Copy, Debug)]
pub(super) struct Finished {
    pub(super) kind: Answer,
    pub(super) span: Option<Span>,
    pub(super) before_cors: bool,
}

/// Something that a filter compared the origin with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Compared {
    pub(super) text: Option<String>,
    pub(super) span: Span,
    pub(super) pattern: bool,
    /// The whole origin, as a whole.
    pub(super) whole: bool,
}

/// What the CORS processor makes of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Processed {
    Accepted,
    /// 403, and nothing behind it runs.
    Rejected,
    /// An exception.
    Throws(&'static str),
}

/// The configuration that applies to a request.
#[derive(Clone, Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "there are few, and most of them are the large one"
)]
pub(super) enum Policy {
    /// None does.
    Absent,
    /// This one.
    Is(Cors),
    /// There is one that is not in view.
    Unknown,
}

impl Exchange {
    /// A request before any filter; `decisions` say which way unknown tests go.
    pub(super) fn new(request: &Request, method: &str, place: Span, decisions: Vec<bool>) -> Self {
        Self {
            request: request.clone(),
            method: method.to_owned(),
            path: request.url.path.clone(),
            is_error: false,
            headers: Vec::new(),
            dropped: Vec::new(),
            unseen: Vec::new(),
            status: Known::Known(200),
            status_at: None,
            finished: None,
            thrown: None,
            cors_seen: false,
            evidence: None,
            comparisons: Vec::new(),
            policies: Vec::new(),
            unsure: false,
            undecided: false,
            error_sent: false,
            went_on: false,
            stopped: None,
            place,
            decisions,
            taken: 0,
        }
    }

    /// None at all.
    pub(super) fn idle(place: Span) -> Self {
        let url = crate::model::Url {
            scheme: "http".into(),
            host: String::new(),
            port: None,
            path: "/".into(),
            query: None,
        };
        Self::new(&Request::actual(url, None), "GET", place, Vec::new())
    }

    /// Remembers what the origin was compared with.
    pub(super) fn compared(&mut self, compared: Compared) {
        if self.comparisons.len() < 1000 && !self.comparisons.contains(&compared) {
            self.comparisons.push(compared);
        }
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

    /// Is this a CORS-preflight request?
    pub(super) fn is_preflight(&self) -> bool {
        self.request.is_preflight()
    }

    /// `CorsUtils.isCorsRequest`: an `Origin` that is not the service's own.
    pub(super) fn is_cors(&self) -> bool {
        let url = &self.request.url;
        let port = match (url.port, url.scheme.as_str()) {
            (Some(80), "http") | (Some(443), "https") | (None, _) => String::new(),
            (Some(port), _) => format!(":{port}"),
        };
        let own = format!("{}://{}{port}", url.scheme, url.host);
        self.request
            .origin
            .as_ref()
            .is_some_and(|origin| *origin != own)
    }

    /// The response is made.
    pub(super) fn finish(&mut self, status: Known<u16>, kind: Answer, span: Option<Span>) {
        if self.finished.is_none() {
            self.status = status;
            self.finished = Some(Finished {
                kind,
                span,
                before_cors: !self.cors_seen,
            });
        }
    }

    /// `sendError`: the container's error page follows.
    pub(super) fn send_error(&mut self, status: u16, kind: Answer, span: Option<Span>) {
        self.finish(Known::Known(status), kind, span);
        self.error_sent = true;
    }

    /// Is the error page to be asked for?
    pub(super) const fn error_sent(&self) -> bool {
        self.error_sent
    }

    /// An exception comes out of all filters.
    pub(super) fn fail(&mut self, words: String, span: Option<Span>) {
        self.thrown.get_or_insert(words);
        self.finished = None;
        self.finish(Known::Known(500), Answer::ErrorPage, span);
    }

    /// Nothing more is known of the answer.
    pub(super) fn give_up(&mut self) {
        self.status = Known::Unknown;
        self.unseen.push("*".into());
        self.unsure = true;
        self.finish(Known::Unknown, Answer::Handler, None);
    }

    /// The dispatch to the error page begins; what answered before it.
    pub(super) fn start_error(&mut self) -> Option<Finished> {
        self.is_error = true;
        self.error_sent = false;
        "/error".clone_into(&mut self.path);
        self.finished.take()
    }

    /// The error page is made, or refused: who answered stays, unless somebody refused it.
    ///
    /// `status`: of the response before it. A preflight that is accepted on the way to the error page
    /// keeps it.
    pub(super) fn end_error(&mut self, before: Option<Finished>, status: Known<u16>) {
        let stays = self.finished.is_none_or(|finished| {
            finished.kind == Answer::ErrorPage
                || (finished.kind == Answer::Cors && self.status == status)
        });
        if stays {
            self.finished = before;
        }
    }

    /// Is there a line of this name?
    pub(super) fn has(&self, name: &str) -> bool {
        self.headers
            .iter()
            .any(|line| line.name.eq_ignore_ascii_case(name))
    }

    /// Removes the lines of a name; those about CORS are remembered.
    pub(super) fn remove(&mut self, name: &str, by: Span, reason: DropReason) {
        let mut kept = Vec::new();
        for line in std::mem::take(&mut self.headers) {
            if !line.name.eq_ignore_ascii_case(name) {
                kept.push(line);
            } else if is_cors_name(&line.name) {
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

    /// The upstream's lines of a name, which are not in view, are taken away.
    pub(super) fn hide(&mut self, name: &str, by: Span) {
        if is_cors_name(name) {
            self.dropped.push(Dropped {
                name: name.to_owned(),
                value: Known::Unknown,
                span: by,
                reason: DropReason::Hidden,
                by: Some(by),
                by_cors: false,
            });
        }
    }

    /// `setHeader`.
    pub(super) fn set(&mut self, line: HeaderLine) {
        self.cors_seen |= is_cors_name(&line.name);
        let at = self
            .headers
            .iter()
            .position(|known| known.name.eq_ignore_ascii_case(&line.name));
        self.remove(&line.name.clone(), line.span, DropReason::Overwritten);
        let at = at.unwrap_or(self.headers.len()).min(self.headers.len());
        self.headers.insert(at, line);
    }

    /// `addHeader`.
    pub(super) fn add(&mut self, line: HeaderLine) {
        self.cors_seen |= is_cors_name(&line.name);
        self.headers.push(line);
    }

    /// `DefaultCorsProcessor.processRequest` (servlet and reactive alike, but for the body of a 403).
    pub(super) fn process(&mut self, policy: &Policy, versions: Versions) -> Processed {
        self.cors_seen = true;
        // What was decided already is not in view, and it may leave nothing to decide.
        let policy = if self.undecided {
            &Policy::Unknown
        } else {
            policy
        };
        let cors = match policy {
            Policy::Absent if versions.skips_without_configuration() => return Processed::Accepted,
            Policy::Absent => None,
            Policy::Is(cors) => Some(cors),
            Policy::Unknown => {
                self.unseen.push("*".into());
                self.unsure = true;
                self.undecided = true;
                if self.is_preflight() {
                    self.status = Known::Unknown;
                }
                return Processed::Accepted;
            }
        };
        self.policies.extend(cors.cloned());
        let span = cors.and_then(|cors| cors.span);
        if versions.varies_always() {
            self.vary(span, versions);
        }
        if !self.is_cors() || self.has(ACAO) {
            return Processed::Accepted;
        }
        match cors {
            Some(cors) => {
                if versions.varies_refusals() {
                    self.vary(span, versions);
                }
                let processed = self.handle(cors, versions);
                if processed == Processed::Accepted {
                    self.vary(span, versions);
                }
                processed
            }
            None if self.is_preflight() => self.reject(None),
            None => Processed::Accepted,
        }
    }

    fn vary(&mut self, span: Option<Span>, versions: Versions) {
        let names: &[&str] = if versions.varies_by_three() {
            &[
                "Origin",
                "Access-Control-Request-Method",
                "Access-Control-Request-Headers",
            ]
        } else {
            &["Origin"]
        };
        let there = |line: &HeaderLine, name: &str| {
            line.name.eq_ignore_ascii_case("vary")
                && line
                    .value
                    .as_ref()
                    .known()
                    .is_some_and(|value| value == name)
        };
        for name in names {
            if !self.headers.iter().any(|line| there(line, name)) {
                self.headers.push(HeaderLine {
                    name: "Vary".into(),
                    value: Known::Known((*name).to_owned()),
                    span: span.unwrap_or(self.place),
                    value_span: None,
                    sources: Vec::new(),
                    decided_by: None,
                });
            }
        }
    }

    fn reject(&mut self, span: Option<Span>) -> Processed {
        self.finish(Known::Known(403), Answer::Cors, span);
        Processed::Rejected
    }

    /// `handleInternal`.
    fn handle(&mut self, cors: &Cors, versions: Versions) -> Processed {
        let origin = self.request.origin.clone().unwrap_or_default();
        let preflight = self.is_preflight();
        let (value, decided, value_span) =
            match cors.check_origin(&origin, self.request.symbolic, versions) {
                Check::Allowed(value, decided, span) => (Known::Known(value), decided, span),
                Check::Refused => return self.reject(cors.span),
                Check::Throws(words) => return Processed::Throws(words),
                Check::Unknown => {
                    self.unsure = true;
                    if !self.decide() {
                        return self.reject(cors.span);
                    }
                    (Known::Known(origin), None, None)
                }
            };
        let method = if preflight {
            self.request.requested_method.clone().unwrap_or_default()
        } else {
            self.request.method.clone()
        };
        // A probe's GET stands for the method that its endpoint serves.
        let method = if !self.request.exact && method == "GET" {
            self.method.clone()
        } else {
            method
        };
        let methods = match cors.check_method(&method, versions) {
            Some(None) => return self.reject(cors.span),
            Some(Some(methods)) => Known::Known(methods.join(",")),
            None => Known::Unknown,
        };
        let headers = match cors.check_headers(&self.request.requested_headers) {
            Some(None) if preflight => return self.reject(cors.span),
            Some(headers) => Known::Known(headers.unwrap_or_default()),
            None => Known::Unknown,
        };
        let echoed = value.as_ref().known().is_some_and(|value| value != "*");
        let span = cors.span.or(value_span).unwrap_or(self.place);
        let line = |name: &str, value: Known<String>, value_span: Option<Span>| HeaderLine {
            name: name.into(),
            value,
            span: value_span.filter(|_| name != ACAO).unwrap_or(span),
            value_span,
            sources: Vec::new(),
            decided_by: None,
        };
        let list_span = |list: List| cors.list(list)?.items.iter().find_map(|item| item.span);
        self.headers.push(HeaderLine {
            sources: if echoed {
                vec![ValueSource::Origin]
            } else {
                Vec::new()
            },
            decided_by: decided,
            ..line(ACAO, value, value_span)
        });
        if preflight {
            self.headers.push(line(
                "Access-Control-Allow-Methods",
                methods,
                list_span(List::Methods),
            ));
            let joined = headers.map(|headers| headers.join(", "));
            if joined != Known::Known(String::new()) {
                self.headers.push(line(
                    "Access-Control-Allow-Headers",
                    joined,
                    list_span(List::Headers),
                ));
            }
        }
        if let Some(exposed) = &cors.exposed {
            let known = !exposed.open;
            if exposed.open || !exposed.items.is_empty() {
                let joined = exposed.texts().join(", ");
                self.headers.push(line(
                    "Access-Control-Expose-Headers",
                    known.then_some(joined).into(),
                    list_span(List::Exposed),
                ));
            }
        }
        if let Some(credentials) = cors.credentials {
            match credentials.value {
                Known::Known(true) => self.headers.push(line(
                    "Access-Control-Allow-Credentials",
                    Known::Known("true".into()),
                    credentials.span,
                )),
                Known::Known(false) => {}
                Known::Unknown => self.unseen.push("access-control-allow-credentials".into()),
            }
        }
        let asked = self
            .request
            .header("access-control-request-private-network");
        if let Some(private) = cors.private_network
            && private.value == Known::Known(true)
            && asked.is_some_and(|text| text.eq_ignore_ascii_case("true"))
        {
            self.headers.push(line(
                "Access-Control-Allow-Private-Network",
                Known::Known("true".into()),
                private.span,
            ));
        }
        if let Some(max_age) = cors.max_age
            && preflight
        {
            self.headers.push(line(
                "Access-Control-Max-Age",
                max_age.value.map(|seconds| seconds.to_string()),
                max_age.span,
            ));
        }
        Processed::Accepted
    }
}

/// Is it the name of a CORS response header?
pub(super) fn is_cors_name(name: &str) -> bool {
    name.get(..15)
        .is_some_and(|start| start.eq_ignore_ascii_case("access-control-"))
}
