//! Python's `re`, translated for a backtracking engine with a limit.
//!
//! What people write about origins means the same in both; what does not is left undecided.

use std::sync::Arc;

use fancy_regex::{Regex, RegexBuilder};

use crate::limits::python::pattern::BACKTRACK_LIMIT;
use crate::syntax::kept::Kept;

/// How a pattern is applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// `re.match`: from the start.
    Match,
    /// `re.fullmatch`: from the start to the end.
    Full,
    /// `re.search`: anywhere.
    Search,
}

impl How {
    /// The way with a name of the `re` module.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "match" => Some(Self::Match),
            "fullmatch" => Some(Self::Full),
            "search" => Some(Self::Search),
            _ => None,
        }
    }
}

/// Does the pattern match? Nothing if that cannot be decided, a wrong pattern included.
#[must_use]
pub fn matches(pattern: &str, flags: &str, text: &str, how: How) -> Option<bool> {
    compiled(pattern, flags, how)?.is_match(text).ok()
}

/// The pattern for the engine; nothing if it means something else there, or nothing at all.
pub(crate) fn compiled(pattern: &str, flags: &str, how: How) -> Option<Arc<Regex>> {
    thread_local! {
        static KNOWN: Kept<Option<Arc<Regex>>> = Kept::default();
    }
    let translated = translate(pattern, flags.contains('x'), flags.contains('m'))?;
    let flags: String = flags
        .chars()
        .filter(|flag| "imsx".contains(*flag))
        .collect();
    let flags = if flags.is_empty() {
        String::new()
    } else {
        format!("(?{flags})")
    };
    let (global, translated) = leading_flags(&translated);
    let whole = match how {
        How::Search => format!("{global}{flags}(?:{translated})"),
        How::Match => format!(r"{global}{flags}\A(?:{translated})"),
        How::Full => format!(r"{global}{flags}\A(?:{translated})\z"),
    };
    let build = |whole: &str| {
        let mut builder = RegexBuilder::new(whole);
        builder.backtrack_limit(BACKTRACK_LIMIT);
        builder.build().ok().map(Arc::new)
    };
    KNOWN.with(|known| known.get(whole, build))
}

/// The text as a pattern that matches it alone.
pub(crate) fn escaped(text: &str) -> String {
    let mut pattern = String::with_capacity(text.len());
    for c in text.chars() {
        if r"\.+*?()|[]{}^$#&-~".contains(c) {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern
}

/// Is the pattern one that Python refuses to compile? Only what is certain: nothing to repeat,
/// brackets that do not close.
#[must_use]
pub fn is_invalid(pattern: &str) -> bool {
    let first = pattern.trim_start_matches("(?i)").trim_start_matches('^');
    if first.starts_with(['*', '+', '?']) {
        return true;
    }
    let mut depth = 0_i32;
    let mut in_class = false;
    let mut chars = pattern.chars().peekable();
    let mut at_class_start = false;
    while let Some(c) = chars.next() {
        match c {
            '\\' if chars.next().is_none() => return true,
            '\\' => {}
            '[' if !in_class => {
                in_class = true;
                at_class_start = true;
                if chars.peek() == Some(&'^') {
                    chars.next();
                }
                continue;
            }
            ']' if in_class && !at_class_start => in_class = false,
            '(' if !in_class => depth += 1,
            ')' if !in_class => {
                depth -= 1;
                if depth < 0 {
                    return true;
                }
            }
            _ => {}
        }
        at_class_start = false;
    }
    in_class || depth != 0
}

/// Inline flags that apply to all of the pattern, and the rest.
fn leading_flags(pattern: &str) -> (&str, &str) {
    let end = pattern
        .strip_prefix("(?")
        .and_then(|rest| rest.find(')').map(|at| at + 3));
    match end {
        Some(end)
            if pattern[2..end - 1]
                .bytes()
                .all(|flag| b"imsx".contains(&flag)) =>
        {
            pattern.split_at(end)
        }
        _ => ("", pattern),
    }
}

/// The pattern in the engine's words; nothing for what means something else there.
fn translate(pattern: &str, verbose: bool, multiline: bool) -> Option<String> {
    let mut result = String::with_capacity(pattern.len());
    let mut chars = pattern.chars().peekable();
    let mut in_class = false;
    while let Some(c) = chars.next() {
        match c {
            '\\' => {
                let escaped = chars.next()?;
                match escaped {
                    // Python's `\Z` is the very end; the engine's allows a newline.
                    'Z' if !in_class => result.push_str(r"\z"),
                    'z' | 'G' | 'K' | 'h' | 'H' | 'R' | 'X' | 'p' | 'P' | 'e' | 'Q' | 'E' | 'k'
                    | 'g' | 'O' | 'N' | 'u' | 'U' => return None,
                    '0'..='9' if in_class || escaped == '0' => return None,
                    // The engine knows no escape of these; as they stand they mean themselves.
                    '/' | '"' | '\'' | ':' | ',' | '@' | '=' | ';' | '%' | '_' | '`' | '!'
                    | '<' | '>' | ' ' => {
                        if verbose && escaped == ' ' {
                            return None;
                        }
                        result.push(escaped);
                    }
                    _ => {
                        result.push('\\');
                        result.push(escaped);
                    }
                }
            }
            '[' if in_class => result.push_str(r"\["),
            '[' => {
                in_class = true;
                result.push('[');
                if chars.peek() == Some(&'^') {
                    chars.next();
                    result.push('^');
                }
                if chars.peek() == Some(&']') {
                    chars.next();
                    result.push_str(r"\]");
                }
            }
            ']' => {
                in_class = false;
                result.push(']');
            }
            '&' | '~' if in_class => {
                result.push('\\');
                result.push(c);
            }
            // Before a newline at the very end, too.
            '$' if !in_class && !multiline => result.push_str(r"(?=\n?\z)"),
            '(' if !in_class && chars.peek() == Some(&'?') => {
                result.push('(');
                let rest: String = chars.clone().take(2).collect();
                // Conditionals, comments and recursion.
                if rest == "?(" || rest == "?#" || rest == "?&" || rest == "?R" {
                    return None;
                }
            }
            _ => result.push(c),
        }
    }
    (!in_class).then_some(result)
}

#[cfg(test)]
mod tests {
    use super::{How, is_invalid, matches};

    /// Expected values: CPython 3.11.
    #[test]
    fn patterns_match_as_in_python() {
        for (pattern, flags, text, how, expected) in [
            (
                r"^https://\w+\.x\.com$",
                "",
                "https://a.x.com",
                How::Match,
                true,
            ),
            (
                r"^https://\w+\.x\.com$",
                "",
                "https://a.x.com\n",
                How::Match,
                true,
            ),
            (
                r"^https://\w+\.x\.com",
                "",
                "https://a.x.com.evil.com",
                How::Match,
                true,
            ),
            (r"x\.com$", "", "https://x.com", How::Match, false),
            (r"x\.com$", "", "https://x.com", How::Search, true),
            (r"https://a|https://b", "", "https://b", How::Full, true),
            (r"https://a|https://b", "", "https://bc", How::Full, false),
            (r"https://a|https://b", "", "https://bc", How::Match, true),
            (r"HTTPS://X", "i", "https://x", How::Full, true),
            (r"(?i)HTTPS://X", "", "https://x", How::Full, true),
            (r"https:\/\/x\.com", "", "https://x.com", How::Full, true),
            (r"https://[^/]+\Z", "", "https://x.com\n", How::Match, true),
            (r"https://x\Z", "", "https://x\n", How::Match, false),
            (r"[[]x", "", "[x", How::Full, true),
            (r"[]x]+", "", "]x", How::Full, true),
            (
                r"http://localhost:*",
                "",
                "http://localhost.evil.com",
                How::Match,
                true,
            ),
            (r".*", "", "a\nb", How::Full, false),
            (r".*", "s", "a\nb", How::Full, true),
        ] {
            assert_eq!(
                matches(pattern, flags, text, how),
                Some(expected),
                "{pattern} {text}"
            );
        }
        assert_eq!(matches(r"(?P<n>a)(?(n)b|c)", "", "ab", How::Full), None);
        assert_ne!(
            matches("(a*)*c", "", &"a".repeat(60), How::Full),
            Some(true)
        );
    }

    #[test]
    fn invalid_patterns() {
        for pattern in ["*.x.com", "(a", "a)", "[a", "a\\", "^*"] {
            assert!(is_invalid(pattern), "{pattern}");
        }
        for pattern in ["a*", r"\*", "[*]", "[]a]", r"(a)\)", "^a"] {
            assert!(!is_invalid(pattern), "{pattern}");
        }
    }
}
