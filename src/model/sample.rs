//! Origins that a regular expression accepts.

use super::origin::Origin;
use super::pattern::{is_counted, tokens};
use crate::limits::model::sample::{MAX_LENGTH, MAX_PATTERN, MAX_STEPS, MAX_VARIANTS};
use regex_syntax::ParserBuilder;
use regex_syntax::hir::{Class, Hir, HirKind, Repetition};
use std::ops::Range;

/// Origins that a regular expression accepts, shortest first, at most `limit`; the caller asks the
/// real engine about each. Every alternative is tried; a wildcard becomes nothing or the label
/// `app`, digits become `3000`; sides without an anchor are not extended, and a missing scheme is
/// `https`. What the syntaxes of PCRE, ECMAScript, Python and Java have in common is understood;
/// lookaround is ignored, and a pattern with back references has no samples.
#[must_use]
pub fn sample_pattern(pattern: &str, limit: usize) -> Vec<String> {
    let Some(hir) = parse(pattern) else {
        return Vec::new();
    };
    // A lone `.` is nearly always meant as a dot; only where that is no host, also as a letter.
    for lone_dot in [".", ".a"] {
        let mut sampler = Sampler { lone_dot, steps: 0 };
        let variants = sampler.variants(&hir);
        let mut origins: Vec<_> = variants.iter().filter_map(Variant::origin).collect();
        // `.*example\.com` means example.com and what is below it, not appexample.com.
        if origins.iter().any(|(_, glued)| !glued) {
            origins.retain(|(_, glued)| !glued);
        }
        let mut origins: Vec<_> = origins.into_iter().map(|(origin, _)| origin).collect();
        origins.sort_unstable_by(|a, b| a.len().cmp(&b.len()).then_with(|| a.cmp(b)));
        origins.dedup();
        origins.truncate(limit);
        if !origins.is_empty() {
            return origins;
        }
    }
    Vec::new()
}

fn parse(pattern: &str) -> Option<Hir> {
    let translated = translate(pattern)?;
    ParserBuilder::new()
        .unicode(false)
        .utf8(false)
        .nest_limit(100)
        .build()
        .parse(&translated)
        .ok()
}

/// The pattern in the syntax of crate regex, or nothing.
fn translate(pattern: &str) -> Option<String> {
    if pattern.len() > MAX_PATTERN || !pattern.is_ascii() {
        return None;
    }
    let bytes = pattern.as_bytes();
    let mut out = String::with_capacity(pattern.len());
    let mut at = 0;
    let mut in_class = false;
    while let Some(&byte) = bytes.get(at) {
        let rest = &pattern[at..];
        match byte {
            b'\\' => {
                let escaped = *bytes.get(at + 1)?;
                at += 2;
                match escaped {
                    b'1'..=b'9' | b'k' | b'g' => return None,
                    b'Q' if !in_class => {
                        let quoted = &pattern[at..];
                        let length = quoted.find("\\E").unwrap_or(quoted.len());
                        out.push_str(&regex_syntax::escape(&quoted[..length]));
                        at = (at + length + 2).min(pattern.len());
                    }
                    b'E' | b'G' | b'K' => {}
                    b'Z' => out.push_str("\\z"),
                    b'h' => out.push_str("[ \\t]"),
                    _ if escaped.is_ascii_alphanumeric() => {
                        out.push('\\');
                        out.push(char::from(escaped));
                    }
                    _ => out.push_str(&regex_syntax::escape(&char::from(escaped).to_string())),
                }
                continue;
            }
            b'[' if in_class => {
                if let Some(end) = rest.strip_prefix("[:").and_then(|rest| rest.find(":]")) {
                    out.push_str(&rest[..end + 4]);
                    at += end + 4;
                    continue;
                }
                out.push_str("\\[");
            }
            b'&' | b'~' if in_class => {
                out.push('\\');
                out.push(char::from(byte));
            }
            b']' if in_class => {
                in_class = false;
                out.push(']');
            }
            b'[' => {
                in_class = true;
                out.push('[');
                // A `]` that comes first is a member.
                for first in ["^]", "]"] {
                    if rest[1..].starts_with(first) {
                        out.push_str(&first.replace(']', "\\]"));
                        at += first.len();
                        break;
                    }
                }
            }
            b'(' if !in_class => {
                if ["(?=", "(?!", "(?<=", "(?<!", "(?#"]
                    .iter()
                    .any(|look| rest.starts_with(look))
                {
                    at += group_length(rest)?;
                    // A quantifier behind it repeats nothing.
                    while matches!(bytes.get(at), Some(b'*' | b'+' | b'?')) {
                        at += 1;
                    }
                    continue;
                }
                if rest.starts_with("(?>") || rest.starts_with("(?|") {
                    out.push_str("(?:");
                    at += 3;
                    continue;
                }
                out.push('(');
            }
            b'{' if !in_class && !is_counted(rest) => out.push_str("\\{"),
            _ => out.push(char::from(byte)),
        }
        at += 1;
    }
    Some(out)
}

/// The length of the group that the text starts with.
fn group_length(text: &str) -> Option<usize> {
    let mut depth = 0usize;
    for token in tokens(text) {
        match &text[token.clone()] {
            "(" => depth += 1,
            ")" => {
                depth = depth.checked_sub(1)?;
                if depth == 0 {
                    return Some(token.end);
                }
            }
            _ => {}
        }
    }
    None
}

/// One string of the language.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Variant {
    text: Vec<u8>,
    /// Where a wildcard's label stands; none, if there is none or several.
    fillers: Vec<Range<usize>>,
}

impl Variant {
    fn new(text: Vec<u8>, filler: bool) -> Self {
        let fillers = if filler {
            std::iter::once(0..text.len()).collect()
        } else {
            Vec::new()
        };
        Self { text, fillers }
    }

    fn then(&self, next: &Self) -> Self {
        let offset = self.text.len();
        let mut text = self.text.clone();
        text.extend_from_slice(&next.text);
        let moved = next
            .fillers
            .iter()
            .map(|range| range.start + offset..range.end + offset);
        let fillers = self.fillers.iter().cloned().chain(moved).collect();
        Self { text, fillers }
    }

    /// The origin that it is, and whether a wildcard's label runs into fixed letters.
    fn origin(&self) -> Option<(String, bool)> {
        let text = std::str::from_utf8(&self.text).ok()?;
        let is_name = |byte: &u8| byte.is_ascii_alphanumeric();
        let glued = self.fillers.iter().any(|filler| {
            let before = filler.start.checked_sub(1);
            before
                .and_then(|before| self.text.get(before))
                .is_some_and(is_name)
                || self.text.get(filler.end).is_some_and(is_name)
        });
        if text == "null" {
            return None;
        }
        let start = match text.find("://") {
            Some(0) => "https",
            Some(_) => "",
            None if text.starts_with("//") => "https:",
            None if text.starts_with('.') => "https://app",
            None => "https://",
        };
        let origin = format!("{start}{text}");
        Origin::parse(&origin)
            .is_ok_and(|parsed| matches!(parsed, Origin::Tuple { .. }))
            .then_some((origin, glued))
    }
}

struct Sampler {
    lone_dot: &'static str,
    steps: usize,
}

impl Sampler {
    fn variants(&mut self, hir: &Hir) -> Vec<Variant> {
        match hir.kind() {
            HirKind::Empty | HirKind::Look(_) => vec![Variant::default()],
            HirKind::Literal(literal) => vec![Variant::new(literal.0.to_vec(), false)],
            HirKind::Class(class) => self
                .members(class)
                .into_iter()
                .map(|member| Variant::new(vec![member], false))
                .collect(),
            HirKind::Capture(capture) => self.variants(&capture.sub),
            HirKind::Repetition(repetition) => self.repeated(repetition),
            HirKind::Concat(parts) => {
                let mut all = vec![Variant::default()];
                for part in parts {
                    let next = self.variants(part);
                    all = self.product(&all, &next);
                }
                all
            }
            HirKind::Alternation(parts) => {
                let mut all = Vec::new();
                for part in parts {
                    all.append(&mut self.variants(part));
                }
                bounded(all)
            }
        }
    }

    fn product(&mut self, first: &[Variant], second: &[Variant]) -> Vec<Variant> {
        let mut all = Vec::new();
        for a in first {
            for b in second {
                self.steps += 1;
                if self.steps > MAX_STEPS {
                    return Vec::new();
                }
                if a.text.len() + b.text.len() <= MAX_LENGTH {
                    all.push(a.then(b));
                }
            }
        }
        bounded(all)
    }

    /// The bytes that a class on its own stands for.
    fn members(&self, class: &Class) -> Vec<u8> {
        let members = members(class);
        let lower: Vec<_> = members
            .iter()
            .copied()
            // Under a case-insensitive flag every letter is a class of two.
            .filter(|byte| {
                !members.contains(&byte.to_ascii_lowercase()) || !byte.is_ascii_uppercase()
            })
            .collect();
        if lower.len() <= 8 {
            return lower;
        }
        if members.len() >= 128 && members.contains(&b'.') {
            return self.lone_dot.bytes().collect();
        }
        b"a1-."
            .iter()
            .copied()
            .find(|wanted| members.contains(wanted))
            .or_else(|| lower.first().copied())
            .into_iter()
            .collect()
    }

    fn repeated(&mut self, repetition: &Repetition) -> Vec<Variant> {
        let min = repetition.min as usize;
        let max = repetition.max.map_or(usize::MAX, |max| max as usize);
        let mut all = Vec::new();
        if min == 0 {
            all.push(Variant::default());
        }
        if max == 0 || min > MAX_LENGTH {
            return all;
        }
        let class = match repetition.sub.kind() {
            HirKind::Class(class) => Some(members(class)),
            HirKind::Capture(capture) => match capture.sub.kind() {
                HirKind::Class(class) => Some(members(class)),
                _ => None,
            },
            _ => None,
        };
        if let Some(members) = class.filter(|members| members.len() > 8 && max > 1) {
            all.append(&mut fillers(&members, min, max));
            return all;
        }
        let once = self.variants(&repetition.sub);
        let first = once.first().cloned().into_iter().collect::<Vec<_>>();
        let mut repeated = once;
        for _ in 1..min.max(1) {
            repeated = self.product(&repeated, &first);
        }
        all.append(&mut repeated);
        bounded(all)
    }
}

/// What a repeated class stands for: a label (with and without a dot behind it), or digits.
fn fillers(members: &[u8], min: usize, max: usize) -> Vec<Variant> {
    let fitting = |wish: &[u8], other: u8| -> Vec<u8> {
        let mut text: Vec<_> = wish.iter().copied().take(max).collect();
        text.resize(text.len().max(min), other);
        text
    };
    let has = |wish: &[u8]| wish.iter().all(|byte| members.contains(byte));
    if has(b"ap") {
        let label = Variant::new(fitting(b"app", b'a'), true);
        let dot = Variant::new(b".".to_vec(), false);
        let with_dot = (has(b".") && max > 3).then(|| label.then(&dot));
        return std::iter::once(label).chain(with_dot).collect();
    }
    let text = if has(b"30") {
        fitting(b"3000", b'0')
    } else {
        let other = members.iter().copied().find(u8::is_ascii_alphanumeric);
        let Some(other) = other.or_else(|| members.first().copied()) else {
            return Vec::new();
        };
        fitting(&[other], other)
    };
    vec![Variant::new(text, false)]
}

fn members(class: &Class) -> Vec<u8> {
    let range =
        |start: u32, end: u32| (start..=end.min(255)).filter_map(|byte| u8::try_from(byte).ok());
    match class {
        Class::Bytes(class) => class
            .iter()
            .flat_map(|part| range(part.start().into(), part.end().into()))
            .collect(),
        Class::Unicode(class) => class
            .iter()
            .flat_map(|part| range(part.start().into(), part.end().into()))
            .collect(),
    }
}

/// The shortest ones, in their order, each once.
fn bounded(mut all: Vec<Variant>) -> Vec<Variant> {
    all.sort_by_key(|variant| variant.text.len());
    all.dedup();
    all.truncate(MAX_VARIANTS);
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_of_patterns() {
        for (pattern, expected) in [
            (
                r"^https://(.*\.)?example\.(com|org)$",
                vec![
                    "https://example.com",
                    "https://example.org",
                    "https://app.example.com",
                    "https://app.example.org",
                ],
            ),
            (r"example\.com", vec!["https://example.com"]),
            (r"\.example\.com$", vec!["https://app.example.com"]),
            (
                r"^https?://app\.example\.com$",
                vec!["http://app.example.com", "https://app.example.com"],
            ),
            (
                r"^https://app.example.com$",
                vec!["https://app.example.com"],
            ),
            (
                r"^https://(www.)?example.com$",
                vec!["https://example.com", "https://www.example.com"],
            ),
            (
                r"^https://.*example\.com$",
                vec!["https://example.com", "https://app.example.com"],
            ),
            (
                r"^https://.*\.example\.com$",
                vec!["https://app.example.com"],
            ),
            (
                r"^https:\/\/([a-z0-9-]+\.)*example\.com$",
                vec!["https://example.com", "https://app.example.com"],
            ),
            (
                r"^https://[^.]+\.example\.com$",
                vec!["https://app.example.com"],
            ),
            (
                r"^https://\w{2}\.example\.com$",
                vec!["https://ap.example.com"],
            ),
            (
                r"^http://localhost(:\d+)?$",
                vec!["http://localhost", "http://localhost:3000"],
            ),
            (r"^http://localhost:[0-9]{2}$", vec!["http://localhost:30"]),
            (
                r"(?i)^HTTPS://App\.Example\.com$",
                vec!["https://app.example.com"],
            ),
            (
                r"^https://myapp-.*\.vercel\.app$",
                vec!["https://myapp-.vercel.app", "https://myapp-app.vercel.app"],
            ),
            (
                r"^https://(?!evil).*\.example\.com$",
                vec!["https://app.example.com"],
            ),
            (
                r"^https://(?>a|b)\.example\.com$",
                vec!["https://a.example.com", "https://b.example.com"],
            ),
            (
                r"^https://[[:alnum:]]+\.example\.com\Z",
                vec!["https://app.example.com"],
            ),
            (r"^\Qhttps://a.example\E$", vec!["https://a.example"]),
            (r"//example\.com$", vec!["https://example.com"]),
            (
                r"^http[s]?://(localhost|foo\.bar)$",
                vec![
                    "http://foo.bar",
                    "https://foo.bar",
                    "http://localhost",
                    "https://localhost",
                ],
            ),
            (r"^https://.example\.com$", vec!["https://aexample.com"]),
            (r"^(null|https://a\.example)$", vec!["https://a.example"]),
            ("^https://example\\.com/$", vec![]),
            (r"^(https)://\1$", vec![]),
            ("(", vec![]),
            ("", vec![]),
            ("^$", vec![]),
        ] {
            assert_eq!(sample_pattern(pattern, 16), expected, "{pattern}");
        }
    }

    #[test]
    fn samples_match_their_pattern() {
        for pattern in [
            r"^https://(.*\.)?example\.(com|org)$",
            r"^https?://([a-z]{1,3}\.){2}example\.com(:\d{2,5})?$",
            r"^https://(a|bb|c[0-9]+)-[^.]*\.(example|test)\.com$",
            r"^https://.+\..+$",
            r"https://[\w.-]+\.example\.com",
        ] {
            let regex = regex::Regex::new(pattern).unwrap();
            let samples = sample_pattern(pattern, 64);
            assert!(!samples.is_empty(), "{pattern}");
            for sample in samples {
                assert!(regex.is_match(&sample), "{pattern} {sample}");
            }
        }
    }

    #[test]
    fn the_number_of_samples_is_bounded_and_evil_patterns_end() {
        let many: Vec<_> = (0..2000).map(|number| format!("a{number}")).collect();
        let pattern = format!(r"^https://({})\.example\.com$", many.join("|"));
        assert_eq!(sample_pattern(&pattern, 10), [] as [&str; 0], "too long");
        let pattern = format!(r"^https://({})\.example\.com$", many[..500].join("|"));
        assert_eq!(sample_pattern(&pattern, 10).len(), 10);
        for evil in [
            "(".repeat(5000),
            "(a|b)".repeat(1000),
            "(a?){1000}".into(),
            "((((a{1,1000}){1,1000}){1,1000}){1,1000})".into(),
            "a{100000000}".into(),
            ".*".repeat(4000),
            "[".repeat(4000),
            "\\".into(),
            "(?".into(),
            "[^".into(),
            "{1".into(),
            "(?!".into(),
        ] {
            let samples = sample_pattern(&evil, 10);
            assert!(samples.len() <= 10);
        }
    }
}
