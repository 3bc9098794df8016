//! Logs, shared memory zones, and what uses them.

use std::borrow::Cow;
use std::collections::HashMap;

use super::values;
use super::{Checker, Level, MAX_ERRORS, Outcome, SyntaxError, Word, invalid_parameter, refuse};
use crate::source::Span;
use crate::syntax::nginx::Directive;

/// The smallest zone: eight pages.
const MIN_ZONE: i64 = 8 * 4096;

/// The zones of shared memory by name.
#[derive(Debug, Default)]
pub(super) struct Zones<'t> {
    zones: HashMap<&'t str, Zone>,
}

#[derive(Debug)]
struct Zone {
    /// What it is for; a name has one use.
    tag: &'static str,
    /// Bytes; 0 while it is only used.
    size: i64,
    /// Something else than a use defines it.
    is_bound: bool,
    span: Span,
}

impl<'t> Zones<'t> {
    /// Names a zone, with its size where it is defined and 0 where it is used.
    pub(super) fn declare(
        &mut self,
        tag: &'static str,
        name: &'t str,
        size: i64,
        span: Span,
    ) -> Outcome {
        let zone = self.zones.entry(name).or_insert(Zone {
            tag,
            size,
            is_bound: false,
            span,
        });
        if zone.tag != tag {
            return refuse(
                span,
                format!(
                    r#"the shared memory zone "{name}" is already declared for a different use"#
                ),
            );
        }
        if zone.size == 0 {
            zone.size = size;
        }
        if size != 0 && size != zone.size {
            return refuse(
                span,
                format!(
                    r#"the size {size} of shared memory zone "{name}" conflicts with already declared size {}"#,
                    zone.size
                ),
            );
        }
        Ok(())
    }

    /// Gives a zone its key or path; false if it has one.
    pub(super) fn bind(&mut self, name: &str) -> bool {
        self.zones
            .get_mut(name)
            .is_some_and(|zone| !std::mem::replace(&mut zone.is_bound, true))
    }

    /// What is used and not defined.
    pub(super) fn undefined(&self, errors: &mut Vec<SyntaxError>) {
        let undefined = self.zones.iter().filter(|(_, zone)| zone.size == 0);
        errors.extend(undefined.map(|(name, zone)| SyntaxError {
            span: zone.span,
            message: if zone.tag.ends_with("_cache") {
                format!(r#""{}" zone "{name}" is unknown"#, zone.tag)
            } else {
                format!(r#"zero size shared memory zone "{name}""#)
            },
        }));
    }
}

/// `zone=NAME:SIZE`
fn named_size<'t>(word: &'t Word, value: &'t str) -> Result<(&'t str, i64), SyntaxError> {
    let size = value
        .split_once(':')
        .map(|(name, size)| (name, values::size(size)));
    let wrong = |what: String| SyntaxError {
        span: word.span,
        message: what,
    };
    match size {
        Some((name, Some(size))) if size >= MIN_ZONE => Ok((name, size)),
        Some((_, Some(_))) => Err(wrong(format!(r#"zone "{}" is too small"#, word.text))),
        _ => Err(wrong(format!(r#"invalid zone size "{}""#, word.text))),
    }
}

impl<'t> Checker<'t> {
    /// `limit_req_zone`, `limit_conn_zone`.
    pub(super) fn limit_zone(&mut self, directive: &'t Directive) -> Outcome {
        let name = directive.name.text.as_str();
        let [key, options @ ..] = directive.args.as_slice() else {
            return Ok(());
        };
        self.variables.use_word(key)?;
        let is_requests = name == "limit_req_zone";
        let mut zone = None;
        for option in options {
            match option.text.split_once('=') {
                Some(("zone", value)) => zone = Some((option, named_size(option, value)?)),
                Some(("rate", rate)) if is_requests => {
                    let rate = rate
                        .strip_suffix("r/s")
                        .or(rate.strip_suffix("r/m"))
                        .unwrap_or(rate);
                    if values::number(rate).is_none_or(|rate| rate == 0) {
                        return refuse(option.span, format!(r#"invalid rate "{}""#, option.text));
                    }
                }
                _ => return invalid_parameter(option),
            }
        }
        let Some((word, (zone, size))) = zone.filter(|(_, (name, _))| !name.is_empty()) else {
            return refuse(
                directive.name.span,
                format!(r#""{name}" must have "zone" parameter"#),
            );
        };
        let tag = if is_requests {
            "limit_req"
        } else {
            "limit_conn"
        };
        self.zones.declare(tag, zone, size, word.span)?;
        if self.zones.bind(zone) {
            return Ok(());
        }
        refuse(
            word.span,
            format!(r#"{name} "{zone}" is already bound to key "{}""#, key.text),
        )
    }

    pub(super) fn limit_req(&mut self, directive: &'t Directive, level: &mut Level<'t>) -> Outcome {
        let mut zone = None;
        for option in &directive.args {
            let text = option.text.as_str();
            let is_positive = |value: &str| values::number(value).is_some_and(|n| n > 0);
            match text.split_once('=') {
                Some(("zone", name)) => zone = Some((name, option)),
                Some((key @ ("burst" | "delay"), value)) => {
                    if !is_positive(value) {
                        return refuse(option.span, format!(r#"invalid {key} value "{text}""#));
                    }
                }
                None if text == "nodelay" => {}
                _ => return invalid_parameter(option),
            }
        }
        let Some((zone, word)) = zone else {
            return refuse(
                directive.name.span,
                r#""limit_req" must have "zone" parameter"#,
            );
        };
        self.zones.declare("limit_req", zone, 0, word.span)?;
        one_limit(directive, ("limit_req", zone), level)
    }

    pub(super) fn limit_conn(
        &mut self,
        directive: &'t Directive,
        level: &mut Level<'t>,
    ) -> Outcome {
        let [zone, number] = directive.args.as_slice() else {
            return Ok(());
        };
        self.zones.declare("limit_conn", &zone.text, 0, zone.span)?;
        one_limit(directive, ("limit_conn", &zone.text), level)?;
        match values::number(&number.text) {
            Some(1..=65535) => Ok(()),
            Some(65536..) => refuse(number.span, "connection limit must be less 65536"),
            _ => refuse(
                number.span,
                format!(r#"invalid number of connections "{}""#, number.text),
            ),
        }
    }

    /// `proxy_cache_path` and its likes; `tag` is the directive that uses the zone.
    pub(super) fn cache_path(&mut self, directive: &'t Directive, tag: &'static str) -> Outcome {
        let mut zone = None;
        for option in directive.args.iter().skip(1) {
            let text = option.text.as_str();
            let (key, value) = text.split_once('=').unwrap_or((text, ""));
            let is_valid = match key {
                "levels" => is_levels(value),
                "use_temp_path" => matches!(value, "on" | "off"),
                "keys_zone" => {
                    let size = value.split_once(':');
                    let size = size.and_then(|(name, size)| Some((name, values::size(size)?)));
                    let Some((name, size)) = size else {
                        return refuse(option.span, format!(r#"invalid keys zone size "{text}""#));
                    };
                    if size < 2 * 4096 {
                        return refuse(option.span, format!(r#"keys zone "{text}" is too small"#));
                    }
                    zone = Some((name, size, option));
                    true
                }
                "inactive" => values::time(value, true).is_some(),
                "max_size" | "min_free" => values::offset(value).is_some(),
                "loader_files" | "manager_files" | "purger_files" => {
                    values::number(value).is_some()
                }
                "loader_sleep" | "loader_threshold" | "manager_sleep" | "manager_threshold"
                | "purger_sleep" | "purger_threshold" => values::time(value, false).is_some(),
                "purger" => true,
                _ => return invalid_parameter(option),
            };
            if !is_valid {
                return refuse(option.span, format!(r#"invalid {key} value "{text}""#));
            }
        }
        let Some((name, size, word)) = zone.filter(|(name, _, _)| !name.is_empty()) else {
            return refuse(
                directive.name.span,
                format!(
                    r#""{}" must have "keys_zone" parameter"#,
                    directive.name.text
                ),
            );
        };
        self.zones.declare(tag, name, size, word.span)?;
        if self.zones.bind(name) {
            return Ok(());
        }
        refuse(word.span, format!(r#"duplicate zone "{name}""#))
    }

    /// `proxy_cache` and its likes.
    pub(super) fn cache(
        &mut self,
        tag: &'static str,
        store: &str,
        zone: &'t Word,
        level: &mut Level<'t>,
    ) -> Outcome {
        if zone.text == "off" {
            return Ok(());
        }
        if level.has(store) {
            return refuse(
                zone.span,
                format!(r#""{tag}" directive is incompatible with "{store}""#),
            );
        }
        self.variables.use_word(zone)?;
        if zone.text.contains('$') {
            return Ok(());
        }
        self.zones.declare(tag, &zone.text, 0, zone.span)
    }

    pub(super) fn cache_valid(&mut self, args: &[Word]) -> Outcome {
        let [codes @ .., time] = args else {
            return Ok(());
        };
        if values::time(&time.text, true).is_none() {
            return refuse(time.span, format!(r#"invalid time value "{}""#, time.text));
        }
        codes.iter().try_for_each(|code| {
            let number = values::number(&code.text);
            if code.text == "any" || number.is_some_and(|n| (100..=599).contains(&n)) {
                Ok(())
            } else {
                refuse(code.span, format!(r#"invalid status "{}""#, code.text))
            }
        })
    }

    pub(super) fn access_log(&mut self, args: &'t [Word]) -> Outcome {
        let [path, rest @ ..] = args else {
            return Ok(());
        };
        if path.text == "off" {
            return rest.first().map_or(Ok(()), invalid_parameter);
        }
        let is_syslog = path.text.starts_with("syslog:");
        if !is_syslog {
            self.variables.use_word(path)?;
        }
        if let Some(format) = rest.first() {
            let name = format.text.to_ascii_lowercase();
            let is_known = name == "combined" || self.log_formats[1].contains(name.as_str());
            if !is_known && self.if_complete.len() < MAX_ERRORS {
                self.if_complete.push(SyntaxError {
                    span: format.span,
                    message: format!(r#"unknown log format "{}""#, format.text),
                });
            }
        }
        let (mut buffered, mut flushed) = (false, false);
        for option in rest.iter().skip(1) {
            let (key, value) = option.text.split_once('=').unwrap_or((&option.text, ""));
            let wrong = |what: &str| refuse(option.span, format!(r#"invalid {what} "{value}""#));
            match (key, option.text.contains('=')) {
                ("buffer", true) => {
                    if values::size(value).is_none_or(|size| size == 0) {
                        return wrong("buffer size");
                    }
                    buffered = true;
                }
                ("flush", true) => {
                    if values::time(value, false).is_none_or(|time| time == 0) {
                        return wrong("flush time");
                    }
                    flushed = true;
                }
                ("gzip", has_level) => {
                    let is_level = values::number(value).is_some_and(|n| (1..=9).contains(&n));
                    if has_level && !is_level {
                        return wrong("compression level");
                    }
                    buffered = true;
                }
                ("if", true) => self.variables.use_text(value, option.span)?,
                _ => return invalid_parameter(option),
            }
        }
        if flushed && !buffered {
            return refuse(
                path.span,
                format!(r#"no buffer is defined for access_log "{}""#, path.text),
            );
        }
        if buffered && is_syslog {
            return refuse(path.span, "logs to syslog cannot be buffered");
        }
        if buffered && path.text.contains('$') {
            return refuse(path.span, "buffered logs cannot have variables in name");
        }
        Ok(())
    }

    pub(super) fn log_format(&mut self, args: &'t [Word]) -> Outcome {
        let [name, parts @ ..] = args else {
            return Ok(());
        };
        let lower = name.text.to_ascii_lowercase();
        self.log_formats[1].insert(Cow::Owned(lower));
        if name.text == "combined" || !self.log_formats[0].insert(Cow::Borrowed(name.text.as_str()))
        {
            return refuse(
                name.span,
                format!(r#"duplicate "log_format" name "{}""#, name.text),
            );
        }
        let parts = match parts {
            [first, rest @ ..] => match first.text.strip_prefix("escape=") {
                Some("json" | "none" | "default") => rest,
                Some(other) => {
                    return refuse(
                        first.span,
                        format!(r#"unknown log format escaping "{other}""#),
                    );
                }
                None => parts,
            },
            [] => parts,
        };
        parts
            .iter()
            .try_for_each(|part| self.variables.use_log_format(part))
    }
}

/// A zone may be named once in a block.
fn one_limit<'t>(
    directive: &'t Directive,
    limit: (&'t str, &'t str),
    level: &mut Level<'t>,
) -> Outcome {
    if level.limits.insert(limit) {
        return Ok(());
    }
    refuse(
        directive.name.span,
        format!(r#""{}" directive is duplicate"#, directive.name.text),
    )
}

/// Up to three digits 1 or 2 between colons.
fn is_levels(text: &str) -> bool {
    let levels: Vec<_> = text.split(':').collect();
    text.is_empty() || (levels.len() <= 3 && levels.iter().all(|level| matches!(*level, "1" | "2")))
}

/// The levels of `error_log`: one, or any number of `debug_*`.
pub(super) fn log_levels(words: &[Word]) -> Outcome {
    const LEVELS: [&str; 9] = [
        "emerg", "alert", "crit", "error", "warn", "notice", "info", "debug", "stderr",
    ];
    const DEBUG: [&str; 8] = [
        "debug_core",
        "debug_alloc",
        "debug_mutex",
        "debug_event",
        "debug_http",
        "debug_mail",
        "debug_stream",
        "debug_imap",
    ];
    let mut seen: Option<&Word> = None;
    for word in words {
        let text = word.text.as_str();
        let is_level = LEVELS.contains(&text);
        if !is_level && !DEBUG.contains(&text) {
            return refuse(word.span, format!(r#"invalid log level "{text}""#));
        }
        if let Some(seen) = seen
            && (is_level || LEVELS.contains(&seen.text.as_str()))
        {
            let what = if is_level { "duplicate" } else { "invalid" };
            return refuse(word.span, format!(r#"{what} log level "{text}""#));
        }
        seen = Some(word);
    }
    Ok(())
}
