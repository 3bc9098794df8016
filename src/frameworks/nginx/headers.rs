//! The header filters: headers-more, `expires`, `add_header`, and what they drop.

use super::config::{AddHeader, Effective, Level, LevelId, LevelKind, Module, More};
use super::phases::Made;
use super::run::Run;
use super::upstream::unseen_without;
use super::value::{Doubt, Value};
use crate::model::{
    Answer, AnsweredBy, DropReason, Dropped, HeaderLine, Known, Outcome, Response, SharedCache,
    ValueSource,
};
use crate::source::Span;

/// The statuses on which a header without `always` is sent.
const fn is_safe(status: u16) -> bool {
    matches!(
        status,
        200 | 201 | 204 | 206 | 301 | 302 | 303 | 304 | 307 | 308
    )
}

/// Is it a header of the CORS protocol, or one that caches of CORS responses need?
pub(super) fn is_cors(name: &str) -> bool {
    is_control(name)
        || name.eq_ignore_ascii_case("vary")
        || name.eq_ignore_ascii_case("timing-allow-origin")
}

/// `Access-Control-…`
pub(super) fn is_control(name: &str) -> bool {
    name.get(..15)
        .is_some_and(|start| start.eq_ignore_ascii_case("access-control-"))
}

const ACAO: &str = "access-control-allow-origin";

impl<'a> Run<'a> {
    /// Will nginx itself do CORS here, so that the upstream surely does not?
    pub(super) fn assumed_absent(&self, name: &str) -> bool {
        (is_control(name) || name.eq_ignore_ascii_case("vary")) && self.does_cors()
    }

    /// A probe takes nginx's own CORS as a sign that the upstream does none; a request to a live
    /// server takes nothing.
    fn does_cors(&self) -> bool {
        !self.request.exact && self.config.levels[self.level].does_cors
    }

    /// Sends an answer through the header filters.
    pub(super) fn send(&mut self, made: Made) -> Response {
        if made.closed {
            return self.closed(&made);
        }
        let mut status = self.final_status(made.status);
        if self.foreign.is_some() && self.method == "OPTIONS" {
            status = Known::Unknown;
        }
        if self.asks_access {
            // A subrequest's headers go nowhere, and their variables are not computed.
            return Response::new(status, made.kind, made.span);
        }
        self.status = status.known();
        let mut response = Response {
            outcome: Outcome::Status(status),
            headers: Vec::new(),
            unseen: Vec::new(),
            dropped: Vec::new(),
            withholds_origin: false,
            disabled: std::mem::take(&mut self.disabled),
            answered_by: AnsweredBy {
                kind: made.kind,
                span: made.span,
                before_cors: made.before_cors,
                inner: made.kind == Answer::Authentication && self.is_inner(made.span),
            },
            cacheable: Known::Unknown,
            stored: None,
            assumes: Vec::new(),
        };
        if self.foreign.is_some() && self.method == "OPTIONS" {
            response.unseen.push("*".into());
        }
        self.pass_upstream(&made, &mut response);
        response.headers.extend(made.lines);
        self.more(status, &mut response);
        self.expires(status, &mut response);
        self.add(status, &mut response);
        self.unseen_here(&mut response);
        self.inner_blocks(status, &mut response);
        response.cacheable = self.cacheable(status, &response);
        response
    }

    /// The upstream's lines, without those that are hidden.
    fn pass_upstream(&mut self, made: &Made, response: &mut Response) {
        let Some(module) = made.upstream else {
            return;
        };
        let config = self.config;
        let of = |hide: &super::config::Hide| hide.module == module;
        let hide = config.nearest(self.level, |level| {
            level.hide.iter().any(of).then_some(&level.hide)
        });
        let pass = config.nearest(self.level, |level| {
            level.pass.iter().any(of).then_some(&level.pass)
        });
        let hidden: Vec<(&str, Span)> = hide
            .into_iter()
            .flatten()
            .filter(|hide| of(hide))
            .filter(|hide| {
                !pass
                    .into_iter()
                    .flatten()
                    .any(|pass| of(pass) && pass.name.eq_ignore_ascii_case(&hide.name))
            })
            .map(|hide| (hide.name.as_str(), hide.span))
            .collect();
        let hiding = |name: &str| {
            hidden
                .iter()
                .find(|(hidden, _)| hidden.eq_ignore_ascii_case(name))
        };
        let cors = self.does_cors();
        let (lines, unseen) = match &self.upstream {
            Some(upstream) => (upstream.lines.as_slice(), upstream.unseen.clone()),
            None => (&[][..], vec!["*".into()]),
        };
        let replaced = cors || hiding(ACAO).is_some();
        response.stored = self.stored(module, lines, &unseen, replaced);
        for line in lines {
            match hiding(&line.name) {
                None => response.headers.push(line.clone()),
                Some((_, by)) => response.dropped.push(Dropped {
                    name: line.name.clone(),
                    value: line.value.clone(),
                    span: line.span,
                    reason: DropReason::Hidden,
                    by: Some(*by),
                    by_cors: true,
                }),
            }
        }
        if unseen.iter().any(|name| name == "*") {
            for (name, span) in &hidden {
                if is_cors(name) {
                    response.dropped.push(Dropped {
                        name: (*name).to_owned(),
                        value: Known::Unknown,
                        span: *span,
                        reason: DropReason::Hidden,
                        by: Some(*span),
                        by_cors: true,
                    });
                }
            }
        }
        let kept = unseen_without(&unseen, |name| {
            hiding(name).is_some()
                || (cors && (is_control(name) || name.eq_ignore_ascii_case("vary")))
        });
        response.unseen.extend(kept);
    }

    /// headers-more, outer levels first.
    fn more(&mut self, status: Known<u16>, response: &mut Response) {
        let config = self.config;
        if !config.levels[self.level].has_more {
            return;
        }
        let mut chain: Vec<&'a Level> = config.chain(self.level).collect();
        chain.reverse();
        for more in chain.into_iter().flat_map(|level| &level.more) {
            let applies = match status {
                _ if more.statuses.is_empty() => true,
                Known::Known(status) => more.statuses.contains(&status),
                Known::Unknown => false,
            };
            if !applies {
                continue;
            }
            let meant = |name: &str| {
                if more.prefix {
                    name.get(..more.name.len())
                        .is_some_and(|start| start.eq_ignore_ascii_case(&more.name))
                } else {
                    name.eq_ignore_ascii_case(&more.name)
                }
            };
            if more.typed {
                // Which content type a response has is not told; for another one
                // the value is not evaluated, and captures stay.
                let name = more.name.to_ascii_lowercase();
                response.headers.retain(|line| !meant(&line.name));
                response.unseen.push(name);
                continue;
            }
            let value = match &more.value {
                Some(value) => {
                    if value.constant().is_none() {
                        self.stands(response);
                    }
                    self.complex(value)
                }
                None => Value::empty(),
            };
            let empty = value.known_text() == Some("");
            // The first line of the name is replaced where it stands.
            let mut place = None;
            if !more.append {
                let mut kept = Vec::with_capacity(response.headers.len());
                for line in response.headers.drain(..) {
                    if !meant(&line.name) {
                        kept.push(line);
                        continue;
                    }
                    place.get_or_insert(kept.len());
                    let reason = match more.value {
                        Some(_) => DropReason::Overwritten,
                        None => DropReason::Hidden,
                    };
                    response.dropped.push(Dropped {
                        name: line.name,
                        value: line.value,
                        span: line.span,
                        reason,
                        by: Some(more.span),
                        by_cors: is_control(&more.name),
                    });
                }
                response.headers = kept;
                if more.value.is_none() {
                    hide_unseen(more, &meant, response);
                }
                response.unseen = unseen_without(&response.unseen, meant);
            }
            if may_be_empty(&value) {
                response.unseen.push(more.name.to_ascii_lowercase());
            } else if !empty {
                let line = self.line(&more.name, value, more.span, Some(more.value_span), false);
                let place = place.unwrap_or(response.headers.len());
                response.headers.insert(place, line);
            }
        }
    }

    /// Shows `$sent_http_…` the lines that stand already.
    fn stands(&mut self, response: &Response) {
        let lines = response.headers.iter();
        self.sent = lines
            .map(|line| (line.name.clone(), line.value.clone()))
            .collect();
        self.sent_unseen.clone_from(&response.unseen);
    }

    fn expires(&mut self, status: Known<u16>, response: &mut Response) {
        let set = self
            .config
            .nearest(self.level, |level| level.expires.as_ref());
        let Some((Some(value), span)) = set else {
            return;
        };
        if !status.known().is_none_or(is_safe) {
            return;
        }
        response
            .headers
            .retain(|line| !line.name.eq_ignore_ascii_case("cache-control"));
        response.unseen = unseen_without(&response.unseen, |name| name == "cache-control");
        response.headers.push(HeaderLine {
            name: "Cache-Control".into(),
            value: value.clone(),
            span: *span,
            value_span: None,
            sources: Vec::new(),
            decided_by: None,
        });
    }

    /// `add_header`.
    fn add(&mut self, status: Known<u16>, response: &mut Response) {
        let safe = status.known().is_none_or(is_safe);
        let config = self.config;
        self.stands(response);
        let mut late = Vec::new();
        for (level, header) in config.headers(self.level) {
            if !safe && !header.always {
                if is_cors(&header.name) {
                    late.push((level, header));
                }
                continue;
            }
            let value = self.complex(&header.value);
            if value.known_text() == Some("") {
                response.withholds_origin |=
                    header.name.eq_ignore_ascii_case(ACAO) && header.value.constant().is_none();
                continue;
            }
            if may_be_empty(&value) {
                let name = header.name.to_ascii_lowercase();
                self.sent.push((name.clone(), Known::Unknown));
                response.unseen.push(name);
                continue;
            }
            let gated = config.levels[level].kind == LevelKind::If;
            let line = self.line(&header.name, value, header.span, header.value_span, gated);
            if header.name.eq_ignore_ascii_case("etag")
                || header.name.eq_ignore_ascii_case("last-modified")
            {
                response
                    .headers
                    .retain(|other| !other.name.eq_ignore_ascii_case(&header.name));
            }
            self.sent.push((line.name.clone(), line.value.clone()));
            response.headers.push(line);
        }
        for (_, header) in late {
            if let Some(value) = self.would_be(header) {
                response.dropped.push(Dropped {
                    name: header.name.clone(),
                    value,
                    span: header.span,
                    reason: DropReason::Status,
                    by: None,
                    by_cors: false,
                });
            }
        }
    }

    /// The value of a header that is not sent; `None` if it would be empty, or may be.
    fn would_be(&mut self, header: &'a AddHeader) -> Option<Known<String>> {
        let value = self.complex(&header.value);
        match value.text {
            Known::Known(text) if text.is_empty() => None,
            Known::Unknown if !value.filled && value.doubt == Doubt::Foreign => None,
            text => Some(text.map(std::borrow::Cow::into_owned)),
        }
    }

    fn line(
        &self,
        name: &str,
        value: Value<'a>,
        span: Span,
        value_span: Option<Span>,
        gated: bool,
    ) -> HeaderLine {
        let mut text = value.text.map(std::borrow::Cow::into_owned);
        if text == Known::Unknown
            && value.doubt == Doubt::Placeholder
            && self.request.symbolic
            && name.eq_ignore_ascii_case(ACAO)
            && let Some(origin) = &self.request.origin
        {
            text = Known::Known(origin.clone());
        }
        let mut decided_by = None;
        if is_control(name) {
            decided_by = value.decided;
            if decided_by.is_none() && (gated || value.sources.has(ValueSource::Origin)) {
                decided_by = self.gate;
            }
        }
        HeaderLine {
            name: name.to_owned(),
            value: text,
            span,
            value_span,
            sources: value.sources.list(),
            decided_by: decided_by.cloned(),
        }
    }

    /// What may be there besides, because of something at these levels that cannot be read.
    fn unseen_here(&self, response: &mut Response) {
        let level = &self.config.levels[self.level];
        if level.unseen_headers {
            response.unseen = vec!["*".into()];
        }
    }

    /// Lines of outer blocks, and of earlier `if`s, that the deciding block replaces.
    fn inner_blocks(&mut self, status: Known<u16>, response: &mut Response) {
        let config = self.config;
        let safe = status.known().is_none_or(is_safe);
        let deciding = &config.levels[self.level];
        let mut lost: Vec<(&'a AddHeader, Span, bool)> = Vec::new();
        // Headers of earlier true `if`s.
        if let Some((last, earlier)) = self.true_ifs.split_last()
            && *last == self.level
        {
            let by = deciding
                .add_headers
                .first()
                .map_or(deciding.span, |header| header.span);
            let cors = self.replaces(deciding);
            for level in earlier {
                for header in &config.levels[*level].add_headers {
                    lost.push((header, by, cors));
                }
            }
        }
        let mut at = self.level;
        while let Effective::Own(owner) = config.levels[at].effective {
            let replacing = &config.levels[owner];
            let (Some(outside), Some(first)) = (replacing.parent, replacing.add_headers.first())
            else {
                break;
            };
            // `add_header X "";` sends nothing: whoever writes only that wants the headers gone.
            let on_purpose = replacing
                .add_headers
                .iter()
                .all(|header| header.value.constant() == Some(""));
            if replacing.inherits_nothing || on_purpose {
                break;
            }
            let cors = self.replaces(replacing);
            for (_, header) in config.headers(outside) {
                let rewritten = replacing
                    .add_headers
                    .iter()
                    .any(|own| own.name.eq_ignore_ascii_case(&header.name));
                if !rewritten {
                    lost.push((header, first.span, cors));
                }
            }
            at = outside;
        }
        for (header, by, by_cors) in lost {
            if !is_cors(&header.name) || !(safe || header.always) {
                continue;
            }
            let name = &header.name;
            let known = response.lines(name).next().is_some()
                || response
                    .dropped
                    .iter()
                    .any(|dropped| dropped.name.eq_ignore_ascii_case(name));
            if known {
                continue;
            }
            if let Some(value) = self.would_be(header) {
                response.dropped.push(Dropped {
                    name: name.clone(),
                    value,
                    span: header.span,
                    reason: DropReason::InnerBlock,
                    by: Some(by),
                    by_cors,
                });
            }
        }
    }

    /// Does the block set CORS headers itself, or answer this OPTIONS?
    fn replaces(&self, level: &Level) -> bool {
        level
            .add_headers
            .iter()
            .any(|header| is_control(&header.name))
            || (level.kind == LevelKind::If && self.method == "OPTIONS")
    }

    /// RFC 9111 §3, as far as the configuration tells.
    fn cacheable(&self, status: Known<u16>, response: &Response) -> Known<bool> {
        if !matches!(&*self.method, "GET" | "HEAD") || self.authenticated {
            return Known::Known(false);
        }
        let directives = match response.value("cache-control") {
            Known::Known(value) => value.unwrap_or_default().to_ascii_lowercase(),
            Known::Unknown => return Known::Unknown,
        };
        if directives.contains("no-store") || directives.contains("private") {
            return Known::Known(false);
        }
        status.map(|_| true)
    }

    /// The `proxy_cache` that keeps this response; `replaced` if the stored CORS headers do not leave
    /// nginx.
    fn stored(
        &self,
        module: Module,
        lines: &[HeaderLine],
        unseen: &[String],
        replaced: bool,
    ) -> Option<SharedCache> {
        if module == Module::Other || !matches!(&*self.method, "GET" | "HEAD") {
            return None;
        }
        let config = self.config;
        let (zone, span) = config.nearest(self.level, |level| level.cache.as_ref())?;
        zone.as_ref()?;
        let key = config.nearest(self.level, |level| level.cache_key.as_ref());
        let keyed = key.is_some_and(|key| config.depends_on_origin(key, 0));
        let ignored = config.nearest(self.level, |level| level.ignore_vary) == Some(true);
        let vary = |name: &str| name.eq_ignore_ascii_case("vary");
        let varies = unseen.iter().any(|name| name == "*" || vary(name))
            || lines.iter().any(|line| {
                vary(&line.name)
                    && match &line.value {
                        Known::Known(value) => value.split(',').any(|member| {
                            let member = member.trim();
                            member == "*" || member.eq_ignore_ascii_case("origin")
                        }),
                        Known::Unknown => true,
                    }
            });
        let allowed = lines
            .iter()
            .find(|line| line.name.eq_ignore_ascii_case(ACAO));
        let stores_origin = match allowed {
            _ if replaced => Known::Known(false),
            Some(line) => Known::Known(
                line.sources.contains(&ValueSource::Origin) || line.decided_by.is_some(),
            ),
            None if unseen.iter().any(|name| name == "*" || name == ACAO) => Known::Unknown,
            None => Known::Known(false),
        };
        Some(SharedCache {
            span: *span,
            keyed_by_origin: Known::Known(keyed),
            honours_vary: !ignored && varies,
            stores_origin,
            evidence: allowed.map(|line| line.span),
        })
    }
}

impl super::config::Config {
    /// The `add_header` list of a level, each with the level that it is written at.
    pub(super) fn headers(&self, level: LevelId) -> Vec<(LevelId, &AddHeader)> {
        match &self.levels[level].effective {
            Effective::None => Vec::new(),
            Effective::Own(owner) => self.levels[*owner]
                .add_headers
                .iter()
                .map(|header| (*owner, header))
                .collect(),
            Effective::Merged(owners) => owners
                .iter()
                .flat_map(|owner| {
                    self.levels[*owner]
                        .add_headers
                        .iter()
                        .map(|header| (*owner, header))
                })
                .collect(),
        }
    }
}

/// Notes the headers that an upstream out of view may send and `more_clear_headers` takes away.
fn hide_unseen(more: &More, meant: &dyn Fn(&str) -> bool, response: &mut Response) {
    let names = [
        "Access-Control-Allow-Origin",
        "Access-Control-Allow-Credentials",
    ];
    for name in names {
        if meant(name) && response.may_have_unseen(name) {
            response.dropped.push(Dropped {
                name: name.into(),
                value: Known::Unknown,
                span: more.span,
                reason: DropReason::Hidden,
                by: Some(more.span),
                by_cors: true,
            });
        }
    }
}

/// May the value be empty, so that nothing is sent?
fn may_be_empty(value: &Value<'_>) -> bool {
    value.text == Known::Unknown && !value.filled && value.doubt == Doubt::Foreign
}

/// An answer that nobody made: used where nothing can be told.
pub(super) fn unknown() -> Response {
    let mut response = Response::new(Known::Unknown, Answer::Handler, None);
    response.unseen.push("*".into());
    response
}
