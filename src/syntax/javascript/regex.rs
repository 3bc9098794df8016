//! Regular expressions with ECMAScript's meaning, on an engine that counts its steps.

use crate::limits::javascript::regex::{BACKTRACK_LIMIT, MAX_KEPT};
use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

/// Where a pattern matches a text from byte `start` on: the whole match's bytes and the groups.
/// `None` if it cannot be told: a construct that is not translated, or too much backtracking.
#[must_use]
pub fn find(pattern: &str, flags: &str, text: &str, start: usize) -> Option<Option<Match>> {
    if text.len() > 4096 || pattern.len() > 8192 {
        return None;
    }
    let regex = compile(pattern, flags)?;
    let captures = regex.captures_from_pos(text, start).ok()?;
    Some(captures.and_then(|captures| {
        let whole = captures.get(0)?;
        let groups = captures
            .iter()
            .map(|group| group.map(|group| group.as_str().to_owned()));
        Some(Match {
            start: whole.start(),
            end: whole.end(),
            groups: groups.collect(),
        })
    }))
}

/// One match.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Match {
    /// First byte.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
    /// The whole match, then the groups.
    pub groups: Vec<Option<String>>,
}

/// Replaces the first match, or all with the flag `g`; `None` if it cannot be told.
#[must_use]
pub fn replace(pattern: &str, flags: &str, text: &str, with: &str) -> Option<String> {
    let mut result = String::new();
    let mut at = 0;
    while let Some(found) = find(pattern, flags, text, at)? {
        if found.end == found.start {
            return None;
        }
        result.push_str(&text[at..found.start]);
        result.push_str(&expand(with, &found.groups)?);
        at = found.end;
        if !flags.contains('g') {
            break;
        }
    }
    result.push_str(&text[at..]);
    Some(result)
}

/// `$1` and `$&` of a replacement text.
fn expand(with: &str, groups: &[Option<String>]) -> Option<String> {
    let mut result = String::new();
    let mut chars = with.chars().peekable();
    while let Some(next) = chars.next() {
        if next != '$' {
            result.push(next);
            continue;
        }
        let group = match chars.next() {
            Some('$') => {
                result.push('$');
                continue;
            }
            Some('&') => 0,
            Some(digit) => digit.to_digit(10)? as usize,
            None => return None,
        };
        let text = groups.get(group)?.as_deref();
        result.push_str(text.unwrap_or_default());
    }
    Some(result)
}

/// Does the pattern compile in ECMAScript? `None` if it cannot be told.
#[must_use]
pub fn is_supported(pattern: &str, flags: &str) -> bool {
    compile(pattern, flags).is_some()
}

/// `None` if the pattern is not translated.
type Compiled = Option<Rc<fancy_regex::Regex>>;

/// A compiled pattern, kept: a program tests the same few patterns for every request.
fn compile(pattern: &str, flags: &str) -> Compiled {
    thread_local! {
        static KNOWN: RefCell<HashMap<(String, String), Compiled>> = RefCell::default();
    }
    let key = (pattern.to_owned(), flags.to_owned());
    KNOWN.with_borrow_mut(|known| {
        if known.len() >= MAX_KEPT {
            known.clear();
        }
        let regex = known
            .entry(key)
            .or_insert_with(|| build(pattern, flags).map(Rc::new));
        regex.clone()
    })
}

fn build(pattern: &str, flags: &str) -> Option<fancy_regex::Regex> {
    if flags.chars().any(|flag| !"dgimsuy".contains(flag)) {
        return None;
    }
    let mut translated = String::new();
    let mut inner = String::new();
    for (flag, letter) in [('i', 'i'), ('m', 'm'), ('s', 's')] {
        if flags.contains(flag) {
            inner.push(letter);
        }
    }
    if !inner.is_empty() {
        translated = format!("(?{inner})");
    }
    translated.push_str(&translate(pattern)?);
    fancy_regex::RegexBuilder::new(&translated)
        .backtrack_limit(BACKTRACK_LIMIT)
        .delegate_size_limit(1 << 20)
        .build()
        .ok()
}

/// A pattern of ECMAScript as the engine writes it.
fn translate(pattern: &str) -> Option<String> {
    let mut result = String::new();
    let mut chars = pattern.chars().peekable();
    let mut class = false;
    while let Some(next) = chars.next() {
        match next {
            '\\' => escape(&mut chars, class, &mut result)?,
            '[' if class => result.push_str("\\["),
            '[' => {
                class = true;
                result.push('[');
                if chars.next_if_eq(&'^').is_some() {
                    result.push('^');
                }
                if chars.peek() == Some(&']') {
                    // `[]` matches nothing, `[^]` everything.
                    chars.next();
                    class = false;
                    let negated = result.ends_with('^');
                    result.truncate(result.len() - if negated { 2 } else { 1 });
                    result.push_str(if negated { "(?s:.)" } else { "(?!)" });
                }
            }
            ']' if class => {
                class = false;
                result.push(']');
            }
            ']' => result.push_str("\\]"),
            '&' | '~' if class => result.extend(['\\', next]),
            '-' if class => result.push('-'),
            '.' if !class => result.push('.'),
            '{' if !class && !is_quantifier(chars.clone()) => result.push_str("\\{"),
            '}' if !class && !closes_quantifier(&result) => result.push_str("\\}"),
            '#' | ' ' => result.extend(['\\', next]),
            other => result.push(other),
        }
    }
    (!class).then_some(result)
}

fn escape(
    chars: &mut std::iter::Peekable<std::str::Chars<'_>>,
    class: bool,
    result: &mut String,
) -> Option<()> {
    let escaped = chars.next()?;
    match escaped {
        'd' => result.push_str(if class { "0-9" } else { "[0-9]" }),
        'D' if !class => result.push_str("[^0-9]"),
        'w' => result.push_str(if class { "A-Za-z0-9_" } else { "[A-Za-z0-9_]" }),
        'W' if !class => result.push_str("[^A-Za-z0-9_]"),
        's' | 'S' => result.extend(['\\', escaped]),
        'b' if class => result.push_str("\\x08"),
        'b' => result.push_str("(?-u:\\b)"),
        'B' if !class => result.push_str("(?-u:\\B)"),
        'n' | 'r' | 't' | 'f' | 'v' => result.extend(['\\', escaped]),
        'x' => code(chars, 2, result)?,
        'u' => code(chars, 4, result)?,
        'k' | 'p' | 'P' | 'c' => return None,
        '0' => result.push_str("\\x00"),
        digit @ '1'..='9' => result.extend(['\\', digit]),
        letter if letter.is_ascii_alphabetic() => result.push(letter),
        other => result.push_str(&regex::escape(&other.to_string())),
    }
    Some(())
}

fn code(
    chars: &mut std::iter::Peekable<std::str::Chars<'_>>,
    count: usize,
    result: &mut String,
) -> Option<()> {
    let digits: String = chars.by_ref().take(count).collect();
    let code = u32::from_str_radix(&digits, 16).ok()?;
    result.push_str(&format!("\\x{{{code:x}}}"));
    Some(())
}

/// Is what follows `{` a quantifier: `3}`, `3,}`, `3,5}`?
fn is_quantifier(rest: impl Iterator<Item = char>) -> bool {
    let inside: String = rest.take_while(|c| *c != '}').take(12).collect();
    let mut parts = inside.splitn(2, ',');
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let first = parts.next().unwrap_or_default();
    !first.is_empty() && digits(first) && parts.next().is_none_or(digits)
}

fn closes_quantifier(before: &str) -> bool {
    before.rsplit_once('{').is_some_and(|(head, inside)| {
        !head.ends_with('\\')
            && inside
                .bytes()
                .all(|byte| byte.is_ascii_digit() || byte == b',')
    }) || before.rsplit_once('{').is_some_and(|(head, inside)| {
        head.ends_with("\\x") && inside.bytes().all(|byte| byte.is_ascii_hexdigit())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn test(pattern: &str, flags: &str, text: &str) -> Option<bool> {
        find(pattern, flags, text, 0).map(|found| found.is_some())
    }

    /// Expected values: `new RegExp(pattern, flags).test(text)` in Node 20.
    #[test]
    fn patterns_mean_what_ecmascript_says() {
        for (pattern, flags, text, expected) in [
            (r"example\.com$", "", "https://evilexample.com", true),
            (r"example\.com$", "", "https://example.com\n", false),
            (r"^https:\/\/a\.b$", "", "https://a.b", true),
            (r"^https?:\/\/[^/]+\.b$", "i", "HTTPS://x.B", true),
            (r"\d", "", "٣", false),
            (r"[\w-]+\.b", "", "a-c.b", true),
            (r"^[^]$", "", "\n", true),
            (r"a{", "", "a{", true),
            (r"a{2}", "", "aa", true),
            (r"^a{,3}$", "", "a{,3}", true),
            (r"(?<!evil)example", "", "evilexample", false),
            (r"^(a|b)\1$", "", "aa", true),
            (r"[a&&b]", "", "&", true),
            (r"^\x41\u0042$", "", "AB", true),
            (r"localhost:\d{4}$", "", "http://localhost:3000", true),
            (r"^https\://x$", "", "https://x", true),
        ] {
            assert_eq!(
                test(pattern, flags, text),
                Some(expected),
                "/{pattern}/{flags} on {text}"
            );
        }
        assert_eq!(test(r"[a", "", "a"), None);
    }

    #[test]
    fn much_backtracking_is_given_up() {
        let text = "a".repeat(60) + "!";
        assert_eq!(test(r"^(?:(a+)\1?)+$", "", &text), None);
    }

    #[test]
    fn replacements_use_groups() {
        assert_eq!(
            replace(r"\/$", "", "https://a/", "").as_deref(),
            Some("https://a")
        );
        assert_eq!(
            replace("(a)", "g", "aba", "<$1>").as_deref(),
            Some("<a>b<a>")
        );
    }
}
