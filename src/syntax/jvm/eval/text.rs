//! Texts.

use super::heap::{ObjectKind, V, Val};
use super::{Abrupt, Call, Comparison, Host, Machine, Result};
use crate::limits::jvm::text::MAX_PARTS;
use crate::source::Span;

const OUT_OF_VIEW: &str = "a text that is not in view";

impl<H: Host> Machine<'_, H> {
    /// A method of a text.
    pub(super) fn call_text(&mut self, text: &str, call: &Call<'_>) -> Result<Val> {
        let span = call.span;
        let part = |text: &str| Val::string(text, call.receiver.span);
        let first = call.args.first();
        let number = |at: usize| call.args.get(at).and_then(Val::as_number);
        let given = first.and_then(Val::as_str);
        let ignore_case = call.arg(1, "ignoreCase").and_then(Val::as_bool) == Some(true);
        Ok(match call.method {
            "trim" | "strip" => part(text.trim()),
            "stripLeading" | "trimStart" => part(text.trim_start()),
            "stripTrailing" | "trimEnd" if call.args.is_empty() => part(text.trim_end()),
            "toLowerCase" | "lowercase" => part(&text.to_lowercase()),
            "toUpperCase" | "uppercase" => part(&text.to_uppercase()),
            "toString" | "intern" | "trimIndent" | "orEmpty" | "stripIndent" => {
                call.receiver.clone()
            }
            "length" | "count" if call.args.is_empty() => {
                Val::number(text.encode_utf16().count() as f64, span)
            }
            "isEmpty" | "isNullOrEmpty" => Val::bool(text.is_empty(), span),
            "isBlank" | "isNullOrBlank" => Val::bool(text.trim().is_empty(), span),
            "isNotEmpty" => Val::bool(!text.is_empty(), span),
            "isNotBlank" => Val::bool(!text.trim().is_empty(), span),
            "split" => return self.split(text, call),
            "equals" | "contentEquals" if !ignore_case => match first {
                Some(other) => self.compare(call.receiver, other, span),
                None => Val::unknown(OUT_OF_VIEW, span),
            },
            "equals" | "equalsIgnoreCase" => match (first, given) {
                (Some(other), Some(given)) => {
                    let equal = text.eq_ignore_ascii_case(given);
                    self.note(call.receiver, other, Comparison::Equal, Some(equal));
                    self.note(other, call.receiver, Comparison::Equal, Some(equal));
                    Val::bool(equal, span)
                }
                (Some(other), None) => self.compare(call.receiver, other, span),
                _ => Val::unknown(OUT_OF_VIEW, span),
            },
            "startsWith" | "endsWith" | "contains" | "indexOf" | "lastIndexOf" => {
                match (first, given) {
                    (Some(other), Some(given)) => {
                        self.search(text, call, other, given, ignore_case)
                    }
                    (Some(other), None) => return self.search_unknown(call, other),
                    _ => Val::unknown(OUT_OF_VIEW, span),
                }
            }
            "matches" => match first {
                Some(pattern) => self.matches_whole(pattern, call.receiver, span),
                None => Val::unknown(OUT_OF_VIEW, span),
            },
            "replace" | "replaceAll" | "replaceFirst" => {
                match (given, call.args.get(1).and_then(Val::as_str)) {
                    (Some(from), Some(to)) if call.method == "replace" => {
                        part(&text.replace(from, to))
                    }
                    (Some(from), Some(to)) => {
                        return self.replace(from, text, to, call);
                    }
                    _ => Val::unknown(OUT_OF_VIEW, span),
                }
            }
            "removeSuffix" => match given {
                Some(suffix) => part(text.strip_suffix(suffix).unwrap_or(text)),
                None => Val::unknown(OUT_OF_VIEW, span),
            },
            "removePrefix" => match given {
                Some(prefix) => part(text.strip_prefix(prefix).unwrap_or(text)),
                None => Val::unknown(OUT_OF_VIEW, span),
            },
            "substringAfter" | "substringBefore" | "substringAfterLast" | "substringBeforeLast" => {
                match given {
                    Some(mark) => {
                        let parts = if call.method.ends_with("Last") {
                            text.rsplit_once(mark)
                        } else {
                            text.split_once(mark)
                        };
                        match parts {
                            Some((before, _)) if call.method.contains("Before") => part(before),
                            Some((_, after)) => part(after),
                            None => part(text),
                        }
                    }
                    None => Val::unknown(OUT_OF_VIEW, span),
                }
            }
            "substring" | "subSequence" => {
                let units: Vec<u16> = text.encode_utf16().collect();
                let from = number(0).map(|at| at as usize);
                let to = number(1).map_or(units.len(), |at| at as usize);
                match from.and_then(|from| units.get(from..to)) {
                    Some(units) => part(&String::from_utf16_lossy(units)),
                    None if from.is_some() => {
                        let error = "java.lang.StringIndexOutOfBoundsException";
                        return Err(Abrupt::Throw(Val::foreign(error, span)));
                    }
                    None => Val::unknown(OUT_OF_VIEW, span),
                }
            }
            "charAt" | "get" => {
                let at = number(0).map(|at| at as usize);
                match at.and_then(|at| text.chars().nth(at)) {
                    Some(c) => part(&c.to_string()),
                    None => Val::unknown(OUT_OF_VIEW, span),
                }
            }
            "concat" | "plus" => match first {
                Some(other) => self.concat(call.receiver, other, span),
                None => Val::unknown(OUT_OF_VIEW, span),
            },
            "formatted" | "format" => self.format(text, call.args, span),
            "toBoolean" | "toBooleanStrict" => Val::bool(text.eq_ignore_ascii_case("true"), span),
            "toInt" | "toLong" | "toIntOrNull" | "toLongOrNull" => match text.parse() {
                Ok(value) => Val::number(value, span),
                Err(_) => Val::null(span),
            },
            "toRegex" | "toPattern" => {
                self.allocate(ObjectKind::Regex(text.into()), call.receiver.span)
            }
            "lines" => {
                let lines = text.lines().take(MAX_PARTS);
                let items = lines
                    .map(|line| Val::string(line, call.receiver.span))
                    .collect();
                self.list(items, false, span)
            }
            "hashCode" | "getBytes" | "toCharArray" | "chars" => Val::unknown(OUT_OF_VIEW, span),
            _ => return self.call_host(call),
        })
    }

    fn search(
        &mut self,
        text: &str,
        call: &Call<'_>,
        other: &Val,
        given: &str,
        ignore_case: bool,
    ) -> Val {
        let (text, given) = if ignore_case {
            (text.to_lowercase(), given.to_lowercase())
        } else {
            (text.to_owned(), given.to_owned())
        };
        let found = match call.method {
            "startsWith" => text.starts_with(&given),
            "endsWith" => text.ends_with(&given),
            _ => text.contains(&given),
        };
        self.note(call.receiver, other, Comparison::Part, Some(found));
        self.note(other, call.receiver, Comparison::Part, Some(found));
        let place = |at: Option<usize>| match at {
            Some(at) => text[..at].encode_utf16().count() as f64,
            None => -1.0,
        };
        match call.method {
            "indexOf" => Val::number(place(text.find(&given)), call.span),
            "lastIndexOf" => Val::number(place(text.rfind(&given)), call.span),
            _ => Val::bool(found, call.span),
        }
    }

    /// Is a pattern, or something that is not in view, in a text?
    fn search_unknown(&mut self, call: &Call<'_>, other: &Val) -> Result<Val> {
        if let Some(ObjectKind::Regex(_)) = self.object(other).map(|object| &object.kind) {
            return Ok(self.found_in(other, call.receiver, call.span));
        }
        let member = call
            .receiver
            .as_str()
            .is_some_and(|text| self.host.is_member(text));
        self.note(call.receiver, other, Comparison::Part, None);
        if member {
            return Ok(Val::bool(true, call.span));
        }
        Ok(Val::unknown(OUT_OF_VIEW, call.span))
    }

    fn split(&mut self, text: &str, call: &Call<'_>) -> Result<Val> {
        let span = call.span;
        let kotlin = call.args.len() > 1 && call.args[1..].iter().all(|arg| arg.as_str().is_some());
        let separators: Option<Vec<String>> = call
            .args
            .iter()
            .filter(|arg| arg.as_number().is_none() && arg.as_bool().is_none())
            .map(
                |arg| match (&arg.v, self.object(arg).map(|object| &object.kind)) {
                    (V::String(text), _) => Some(text.to_string()),
                    (_, Some(ObjectKind::Regex(pattern))) => Some(pattern.to_string()),
                    _ => None,
                },
            )
            .collect();
        let Some(separators) = separators.filter(|list| !list.is_empty()) else {
            let why = "the parts of a text that are not in view";
            return Ok(Val::unknown(why, span));
        };
        let mut parts: Vec<&str> = Vec::new();
        let owned: Vec<String>;
        if kotlin {
            parts.extend(text.split(|c: char| separators.iter().any(|one| *one == c.to_string())));
        } else if let Some(plain) = plain_separator(&separators[0]) {
            parts.extend(text.split(plain.as_str()));
        } else {
            let Some(found) = self.split_by(&separators[0], text) else {
                return Ok(Val::unknown("a pattern that is not evaluated", span));
            };
            owned = found;
            parts.extend(owned.iter().map(String::as_str));
        }
        // Java drops empty parts at the end; no list of origins depends on Kotlin's keeping them.
        while parts.len() > 1 && parts.last() == Some(&"") {
            parts.pop();
        }
        let at = call.receiver.span;
        let items = parts
            .into_iter()
            .take(MAX_PARTS)
            .map(|part| Val::string(part, at));
        let items = items.collect();
        Ok(self.array(items, false, span))
    }

    /// Texts joined by another.
    pub(super) fn join_texts(
        &mut self,
        items: &[Val],
        open: bool,
        separator: &Val,
        span: Span,
    ) -> Val {
        let texts: Option<Vec<String>> = items.iter().map(|item| self.shown(item)).collect();
        match (texts, separator.as_str()) {
            (Some(texts), Some(separator)) if !open => Val::string(texts.join(separator), span),
            _ => Val::unknown(OUT_OF_VIEW, span),
        }
    }

    /// `String.format` with `%s`, `%d` and `%n`.
    pub(super) fn format(&mut self, format: &str, args: &[Val], span: Span) -> Val {
        let mut result = String::new();
        let mut args = args.iter();
        let mut rest = format.chars();
        while let Some(c) = rest.next() {
            if c != '%' {
                result.push(c);
                continue;
            }
            match rest.next() {
                Some('s' | 'd' | 'b') => match args.next().and_then(|arg| self.shown(arg)) {
                    Some(text) => result.push_str(&text),
                    None => return Val::unknown(OUT_OF_VIEW, span),
                },
                Some('%') => result.push('%'),
                Some('n') => result.push('\n'),
                _ => return Val::unknown("a format that is not evaluated", span),
            }
        }
        Val::string(result, span)
    }

    /// A method of a text that is being built.
    pub(super) fn call_builder(&mut self, text: String, call: &Call<'_>) -> Result<Val> {
        let Some(id) = call.receiver.as_id() else {
            return self.call_host(call);
        };
        match (call.method, call.args) {
            ("append", [part]) => {
                let kind = match self.shown(part) {
                    Some(part) => ObjectKind::Builder(text + &part),
                    None => ObjectKind::Optional(Some(Val::unknown(OUT_OF_VIEW, call.span))),
                };
                self.objects.get_mut(id).kind = kind;
                Ok(call.receiver.clone())
            }
            ("toString", []) => Ok(Val::string(text, call.span)),
            _ => self.call_text(&text, call),
        }
    }

    /// `StringUtils` of Spring and Apache Commons.
    pub(super) fn string_utils(&mut self, method: &str, call: &Call<'_>) -> Result<Option<Val>> {
        let span = call.span;
        let Some(first) = call.args.first() else {
            return Ok(None);
        };
        let text = first.as_str();
        Ok(Some(match method {
            "hasText" | "isNotBlank" | "isBlank" | "hasLength" | "isNotEmpty" | "isEmpty" => {
                let blank = method.contains("Blank") || method == "hasText";
                let empty = match (&first.v, text) {
                    (V::Null, _) => true,
                    (_, Some(text)) if blank => text.trim().is_empty(),
                    (_, Some(text)) => text.is_empty(),
                    _ => return Ok(Some(Val::unknown(OUT_OF_VIEW, span))),
                };
                Val::bool(empty == matches!(method, "isBlank" | "isEmpty"), span)
            }
            "commaDelimitedListToStringArray"
            | "tokenizeToStringArray"
            | "split"
            | "commaDelimitedListToSet"
            | "delimitedListToStringArray" => {
                let separator = call.args.get(1).map_or(Some(","), Val::as_str);
                match (text, separator) {
                    (Some(text), Some(separator)) => {
                        let trim = method.starts_with("tokenize");
                        let parts = text.split(separator).take(MAX_PARTS);
                        let parts = parts.map(|part| if trim { part.trim() } else { part });
                        let parts = parts.filter(|part| !trim || !part.is_empty());
                        let items = parts.map(|part| Val::string(part, first.span)).collect();
                        self.array(items, false, span)
                    }
                    _ => Val::unknown(OUT_OF_VIEW, span),
                }
            }
            "collectionToCommaDelimitedString"
            | "arrayToCommaDelimitedString"
            | "join"
            | "collectionToDelimitedString" => {
                let Some((items, open)) = self.items(first) else {
                    return Ok(Some(Val::unknown(OUT_OF_VIEW, span)));
                };
                let comma = Val::string(",", span);
                let separator = call.args.get(1).cloned().unwrap_or(comma);
                self.join_texts(&items, open, &separator, span)
            }
            "toStringArray" => first.clone(),
            "equals"
            | "equalsIgnoreCase"
            | "startsWith"
            | "contains"
            | "endsWith"
            | "trim"
            | "startsWithIgnoreCase" => {
                let method = call.method.trim_end_matches("IgnoreCase");
                let method = if method == "equals" {
                    call.method
                } else {
                    method
                };
                let inner = Call {
                    receiver: first,
                    method,
                    args: &call.args[1..],
                    names: &[],
                    ..*call
                };
                return self.call_method(&inner).map(Some);
            }
            _ => return Ok(None),
        }))
    }
}

/// The text that a pattern stands for, if it is one without special characters.
fn plain_separator(pattern: &str) -> Option<String> {
    let mut result = String::new();
    let mut rest = pattern.chars();
    while let Some(c) = rest.next() {
        match c {
            '\\' => result.push(rest.next().filter(|c| !c.is_alphanumeric())?),
            '.' | '*' | '+' | '?' | '[' | ']' | '(' | ')' | '{' | '}' | '|' | '^' | '$' => {
                // One such character alone is a text in Kotlin, and `|` in Java splits everywhere.
                return None;
            }
            _ => result.push(c),
        }
    }
    (!result.is_empty()).then_some(result)
}
