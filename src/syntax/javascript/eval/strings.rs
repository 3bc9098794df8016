//! Methods of texts.

use std::sync::Arc;

use super::heap::{ObjectKind, V, Val};
use super::{Comparison, Host, Machine, Result};
use crate::source::Span;
use crate::syntax::javascript::ast::Name;
use crate::syntax::javascript::regex;

impl<H: Host> Machine<'_, H> {
    pub(super) fn string_method(
        &mut self,
        this: &Val,
        text: &Name,
        name: &str,
        args: &[Val],
        span: Span,
    ) -> Result<Option<Val>> {
        let unknown = || Val::unknown("the text is compared with something unknown", span);
        let same = |text: String| Val::string(text, this.span);
        let arg = args.first().cloned().unwrap_or(Val::undefined(span));
        let arg = self.force(arg);
        let member = self.host.is_member(text);
        let pattern = match self.object(&arg).map(|object| &object.kind) {
            Some(ObjectKind::Regex(pattern, flags, _)) => {
                Some((Arc::clone(pattern), Arc::clone(flags)))
            }
            _ => None,
        };
        Ok(Some(match name {
            "trim" => same(text.trim().to_owned()),
            "trimStart" => same(text.trim_start().to_owned()),
            "trimEnd" => same(text.trim_end().to_owned()),
            "toLowerCase" | "toLocaleLowerCase" => same(text.to_lowercase()),
            "toUpperCase" | "toLocaleUpperCase" => same(text.to_uppercase()),
            "toString" | "valueOf" | "normalize" => this.clone(),
            "startsWith" | "endsWith" | "includes" if args.len() < 2 => {
                let Some(part) = arg.as_str() else {
                    return Ok(Some(if member && arg.is_opaque() {
                        Val::bool(true, span)
                    } else {
                        unknown()
                    }));
                };
                let holds = match name {
                    "startsWith" => text.starts_with(part),
                    "endsWith" => text.ends_with(part),
                    _ => text.contains(part),
                };
                self.note(this, &arg, Comparison::Part, Some(holds));
                Val::bool(holds, arg.span)
            }
            "indexOf" | "lastIndexOf" if args.len() > 1 || !text.is_ascii() => unknown(),
            "indexOf" | "lastIndexOf" => {
                let Some(part) = arg.as_str() else {
                    return Ok(Some(if member && arg.is_opaque() {
                        Val::number(0.0, span)
                    } else {
                        unknown()
                    }));
                };
                let at = if name == "indexOf" {
                    text.find(part)
                } else {
                    text.rfind(part)
                };
                self.note(this, &arg, Comparison::Part, Some(at.is_some()));
                #[expect(clippy::cast_precision_loss, reason = "texts are short")]
                Val::number(at.map_or(-1.0, |at| at as f64), arg.span)
            }
            "split" if args.len() > 1 => self.array(Vec::new(), true, span),
            "split" => match (&arg.v, &pattern) {
                (V::String(separator), _) if !separator.is_empty() => {
                    let parts = text.split(&**separator).take(10_000);
                    let parts: Vec<Val> = parts.map(|part| same(part.to_owned())).collect();
                    self.array(parts, false, span)
                }
                (_, Some((pattern, flags))) => match split(pattern, flags, text) {
                    Some(parts) => {
                        let parts: Vec<Val> = parts.into_iter().map(same).collect();
                        self.array(parts, false, span)
                    }
                    None => self.array(Vec::new(), true, span),
                },
                (V::Undefined, _) => self.array(vec![this.clone()], false, span),
                _ => self.array(Vec::new(), true, span),
            },
            "match" | "search" => {
                let (pattern, flags) = match (&pattern, arg.as_str()) {
                    (Some(pattern), _) => pattern.clone(),
                    (None, Some(text)) => (text.into(), "".into()),
                    _ if member => return Ok(Some(Val::bool(true, span))),
                    _ => return Ok(Some(unknown())),
                };
                // Where a sticky pattern looks depends on what it was asked before.
                let sticky = flags.contains('y');
                let found = (!sticky).then(|| regex::find(&pattern, &flags, text, 0));
                let found = found.flatten();
                let by = Val::string(Arc::clone(&pattern), arg.span);
                let matched = found.as_ref().map(Option::is_some);
                self.note(this, &by, Comparison::Pattern, matched);
                match (found, name) {
                    (None, _) => unknown(),
                    (Some(found), "search") => {
                        #[expect(clippy::cast_precision_loss, reason = "texts are short")]
                        let at = found.map_or(-1.0, |found| found.start as f64);
                        Val::number(at, arg.span)
                    }
                    (Some(None), _) => Val::new(V::Null, span),
                    // All matches, without groups.
                    (Some(Some(_)), _) if flags.contains('g') => {
                        self.array(Vec::new(), true, arg.span)
                    }
                    (Some(Some(found)), _) => self.groups(found.groups, arg.span),
                }
            }
            "replace" | "replaceAll" => {
                let with = args.get(1).cloned().map(|with| self.force(with));
                let with = with.as_ref().and_then(Val::as_str);
                let result = match (&pattern, arg.as_str(), with) {
                    (Some((pattern, flags)), _, Some(with)) => {
                        regex::replace(pattern, flags, text, with)
                    }
                    (None, Some(part), Some(with)) if !with.contains('$') => {
                        Some(if name == "replace" {
                            text.replacen(part, with, 1)
                        } else {
                            text.replace(part, with)
                        })
                    }
                    _ => None,
                };
                result.map_or_else(unknown, same)
            }
            "slice" | "substring" | "substr" => {
                let end = args.get(1).cloned().map(|end| self.force(end));
                let end = end.filter(|end| !matches!(end.v, V::Undefined));
                match cut(text, name, &arg, end.as_ref()) {
                    Some(part) => same(part),
                    None => unknown(),
                }
            }
            "charAt" | "at" => match &arg.v {
                #[expect(
                    clippy::cast_possible_truncation,
                    clippy::cast_sign_loss,
                    reason = "checked"
                )]
                V::Number(at) if *at >= 0.0 => {
                    let letter = text.chars().nth(*at as usize);
                    same(letter.map(String::from).unwrap_or_default())
                }
                _ => unknown(),
            },
            "concat" => {
                let parts: Option<Vec<Name>> = args.iter().map(|arg| self.to_text(arg)).collect();
                match parts {
                    Some(parts) => same(format!("{text}{}", parts.concat())),
                    None => unknown(),
                }
            }
            "then" | "catch" | "finally" => return Ok(None),
            _ => unknown(),
        }))
    }
}

/// Splits at every match of a pattern without groups.
fn split(pattern: &str, flags: &str, text: &str) -> Option<Vec<String>> {
    let mut parts = Vec::new();
    let mut at = 0;
    while let Some(found) = regex::find(pattern, flags, text, at)? {
        let groups = found.groups.map_or(usize::MAX, |groups| groups.len());
        if found.end == found.start || groups > 1 || parts.len() > 10_000 {
            return None;
        }
        parts.push(text[at..found.start].to_owned());
        at = found.end;
    }
    parts.push(text[at..].to_owned());
    Some(parts)
}

/// `slice`, `substring`, `substr` of ASCII texts.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "texts are short and indices are clamped"
)]
fn cut(text: &str, name: &str, start: &Val, end: Option<&Val>) -> Option<String> {
    if !text.is_ascii() {
        return None;
    }
    let length = text.len() as f64;
    let number = |val: &Val| match val.v {
        V::Number(number) if number.is_finite() => Some(number),
        V::Undefined => Some(0.0),
        _ => None,
    };
    let clamp = |at: f64| {
        let at = if at < 0.0 && name != "substring" {
            length + at
        } else {
            at
        };
        at.clamp(0.0, length) as usize
    };
    let start = clamp(number(start)?);
    let end = match end {
        None => text.len(),
        Some(end) if name == "substr" => (start + number(end)?.max(0.0) as usize).min(text.len()),
        Some(end) => clamp(number(end)?),
    };
    let (start, end) = if name == "substring" && end < start {
        (end, start)
    } else {
        (start, end)
    };
    Some(text.get(start..end).unwrap_or_default().to_owned())
}
