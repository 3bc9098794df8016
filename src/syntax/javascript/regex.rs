//! Regular expressions with ECMAScript's meaning, on an engine that counts its steps.
//!
//! Unknown: texts that are longer than 4096 bytes, those that are not ASCII for the flags `i`, `g` and `y`
//! and for `\b`, `\B`, `\s` and `\S`, patterns longer than 8192 bytes, the flag `v`, `i` beside letters that
//! are not ASCII, `\k`, `\p`, `\P`, `\c`, `\u{…}`, octal escapes,
//! `\D`, `\W`, `\S` and `\B` in classes, references to groups that may not have taken part,
//! groups of a repeated group (their texts, not whether it matches), repeated lookaheads,
//! lookbehinds that the engine refuses, and what takes too much backtracking. Everything else is what Node says.

use std::sync::Arc;

use crate::limits::javascript::regex::{BACKTRACK_LIMIT, MAX_PATTERN, MAX_TEXT};
use crate::syntax::kept::Kept;

/// Where a pattern matches a text from byte `start` on: the whole match's bytes and the groups.
/// `None` if it cannot be told.
#[must_use]
pub fn find(pattern: &str, flags: &str, text: &str, start: usize) -> Option<Option<Match>> {
    Regex::new(pattern, flags)?.find_from(text, start)
}

/// A compiled pattern, for those that are used often.
#[derive(Clone, Debug)]
pub struct Regex {
    pattern: Arc<Pattern>,
    /// A text beyond ASCII may be searched, by characters.
    by_character: bool,
}

impl Regex {
    /// `None` if the pattern is wrong or not translated.
    #[must_use]
    pub fn new(pattern: &str, flags: &str) -> Option<Self> {
        if pattern.len() > MAX_PATTERN {
            return None;
        }
        let pattern = compile(pattern, flags)?;
        let by_character = !pattern.ascii && !flags.contains(['i', 'g', 'y']);
        Some(Self {
            pattern,
            by_character,
        })
    }

    /// The first match in a text; `None` if it cannot be told.
    #[must_use]
    pub fn find(&self, text: &str) -> Option<Option<Match>> {
        self.find_from(text, 0)
    }

    fn find_from(&self, text: &str, start: usize) -> Option<Option<Match>> {
        if text.len() > MAX_TEXT {
            return None;
        }
        // ECMAScript counts in 16-bit units, and has its own words, blanks and cases.
        let plain = |c: char| u32::from(c) < 0x1_0000;
        let meant = text.is_ascii() || (self.by_character && text.chars().all(plain));
        if !meant {
            return None;
        }
        let captures = self.pattern.regex.captures_from_pos(text, start).ok()?;
        Some(captures.and_then(|captures| {
            let whole = captures.get(0)?;
            let groups = captures
                .iter()
                .map(|group| group.map(|group| group.as_str().to_owned()));
            Some(Match {
                start: whole.start(),
                end: whole.end(),
                groups: self.pattern.groups.then(|| groups.collect()),
            })
        }))
    }
}

/// `RegExp.prototype.exec`: the search starts at `last`, and moves it, if the flags say so.
/// `None` if it cannot be told, which leaves `last` as it is.
#[must_use]
pub fn exec(pattern: &str, flags: &str, text: &str, last: &mut usize) -> Option<Option<Match>> {
    let sticky = flags.contains('y');
    let stateful = sticky || flags.contains('g');
    let start = if stateful { *last } else { 0 };
    let found = if start > text.len() {
        None
    } else {
        let found = find(pattern, flags, text, start)?;
        found.filter(|found| !sticky || found.start == start)
    };
    if stateful {
        *last = found.as_ref().map_or(0, |found| found.end);
    }
    Some(found)
}

/// One match.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Match {
    /// First byte.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
    /// The whole match, then the groups; `None` if the groups cannot be told.
    pub groups: Option<Vec<Option<String>>>,
}

/// Replaces the first match, or all with the flag `g`; `None` if it cannot be told.
#[must_use]
pub fn replace(pattern: &str, flags: &str, text: &str, with: &str) -> Option<String> {
    if flags.contains('y') {
        return None;
    }
    let mut result = String::new();
    let mut at = 0;
    while let Some(found) = find(pattern, flags, text, at)? {
        if found.end == found.start {
            return None;
        }
        result.push_str(&text[at..found.start]);
        if with.contains('$') {
            result.push_str(&expand(with, &found.groups?)?);
        } else {
            result.push_str(with);
        }
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

/// A compiled pattern.
#[derive(Debug)]
struct Pattern {
    regex: fancy_regex::Regex,
    /// The groups hold what ECMAScript says: no group is repeated.
    groups: bool,
    /// It asks for words or blanks, which are other ones beyond ASCII.
    ascii: bool,
}

/// `None` if the pattern is not translated.
type Compiled = Option<Arc<Pattern>>;

fn compile(pattern: &str, flags: &str) -> Compiled {
    thread_local! {
        static KNOWN: Kept<Compiled> = Kept::default();
    }
    // Flags hold no slash.
    let key = format!("{flags}/{pattern}");
    KNOWN.with(|known| known.get(key, |_| build(pattern, flags).map(Arc::new)))
}

fn build(pattern: &str, flags: &str) -> Option<Pattern> {
    let ignores_case = flags.contains('i');
    if flags.chars().any(|flag| !"dgimsuy".contains(flag)) || (ignores_case && !pattern.is_ascii())
    {
        return None;
    }
    let mut translator = Translator {
        chars: pattern.chars().collect(),
        at: 0,
        multiline: flags.contains('m'),
        dot_all: flags.contains('s'),
        result: String::new(),
        groups: Vec::new(),
        open: Vec::new(),
        repeats_groups: false,
        refers: Vec::new(),
    };
    if ignores_case {
        translator.result.push_str("(?i)");
    }
    translator.translate()?;
    let regex = fancy_regex::RegexBuilder::new(&translator.result)
        .backtrack_limit(BACKTRACK_LIMIT)
        .delegate_size_limit(1 << 20)
        .build()
        .ok()?;
    Some(Pattern {
        regex,
        groups: !translator.repeats_groups,
        ascii: ["\\b", "\\B", "\\s", "\\S"]
            .iter()
            .any(|class| pattern.contains(class)),
    })
}

/// Writes a pattern of ECMAScript as the engine writes it.
struct Translator {
    chars: Vec<char>,
    at: usize,
    multiline: bool,
    dot_all: bool,
    result: String,
    /// Capturing groups by number: where they begin and, once closed, end.
    groups: Vec<(usize, Option<usize>)>,
    /// Open parentheses.
    open: Vec<Open>,
    /// A group with captures in it is repeated.
    repeats_groups: bool,
    /// Groups that are referred to.
    refers: Vec<usize>,
}

/// An open parenthesis.
struct Open {
    /// The number of the capturing group.
    group: Option<usize>,
    /// How many capturing groups stand before it.
    before: usize,
    /// It looks ahead or behind.
    looks: bool,
}

impl Translator {
    fn next(&mut self) -> Option<char> {
        let next = self.chars.get(self.at).copied();
        self.at += 1;
        next
    }

    fn peek(&self, ahead: usize) -> Option<char> {
        self.chars.get(self.at + ahead).copied()
    }

    fn follows(&self, text: &str) -> bool {
        text.chars()
            .enumerate()
            .all(|(ahead, wanted)| self.peek(ahead) == Some(wanted))
    }

    fn translate(&mut self) -> Option<()> {
        while let Some(next) = self.next() {
            match next {
                '\\' => self.escape()?,
                '[' => self.class()?,
                ']' => self.result.push_str("\\]"),
                '.' if self.dot_all => self.result.push_str("(?s:.)"),
                '.' => self.result.push_str("[^\\n\\r\\x{2028}\\x{2029}]"),
                '^' if self.multiline => self.result.push_str("(?:(?<![^\\n\\r]))"),
                '$' if self.multiline => self.result.push_str("(?:(?![^\\n\\r]))"),
                '^' => self.result.push_str("(?:\\A)"),
                '$' => self.result.push_str("(?:\\z)"),
                '(' => self.group(),
                ')' => self.close()?,
                '{' => self.brace(),
                '}' | '#' | ' ' | '&' | '~' | '-' => self.result.extend(['\\', next]),
                other => self.result.push(other),
            }
        }
        (self.open.is_empty() && self.refers_to_what_took_part()).then_some(())
    }

    fn group(&mut self) {
        let special = self.follows("?");
        let named = self.follows("?<") && !matches!(self.peek(2), Some('=' | '!'));
        let captures = !special || named;
        let before = self.groups.len();
        if captures {
            self.groups.push((self.at, None));
        }
        let looks = special && !named && !self.follows("?:");
        self.open.push(Open {
            group: captures.then_some(before),
            before,
            looks,
        });
        self.result.push('(');
        if named {
            // Names are asked for nowhere, and the engine's alphabet for them is another one.
            while self.next().is_some_and(|next| next != '>') {}
        } else if special {
            while let Some(next) = self.chars.get(self.at) {
                if !matches!(next, '?' | '<' | '=' | '!' | ':') {
                    break;
                }
                self.result.push(*next);
                self.at += 1;
                if matches!(next, '=' | '!' | ':') {
                    break;
                }
            }
        }
    }

    fn close(&mut self) -> Option<()> {
        let Open {
            group,
            before,
            looks,
        } = self.open.pop()?;
        if let Some(group) = group.and_then(|group| self.groups.get_mut(group)) {
            group.1 = Some(self.at);
        }
        self.result.push(')');
        if looks && matches!(self.peek(0), Some('*' | '+' | '?' | '{')) {
            return None;
        }
        let repeats = match self.peek(0) {
            Some('*' | '+') => true,
            Some('{') => self.quantifier().is_some(),
            _ => false,
        };
        self.repeats_groups |= repeats && self.groups.len() > before;
        Some(())
    }

    /// Where the quantifier ends that begins at a `{`: `{3}`, `{3,}`, `{3,5}`.
    fn quantifier(&self) -> Option<usize> {
        let rest = self.chars.get(self.at + 1..)?;
        let end = rest.iter().position(|next| *next == '}')?;
        let inside: String = rest[..end].iter().collect();
        let (first, second) = inside.split_once(',').unwrap_or((&inside, ""));
        let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        (!first.is_empty() && digits(first) && digits(second)).then_some(self.at + end + 2)
    }

    fn brace(&mut self) {
        self.at -= 1;
        let end = self.quantifier();
        let end = end.unwrap_or(self.at + 1);
        if end == self.at + 1 {
            self.result.push('\\');
        }
        self.result.extend(&self.chars[self.at..end]);
        self.at = end;
    }

    /// A reference matches nothing at all where its group took no part; the engine then fails.
    fn refers_to_what_took_part(&self) -> bool {
        self.refers.is_empty() || {
            let alternatives = self.chars.iter().enumerate();
            let mut alternatives = alternatives.filter(|(_, next)| **next == '|');
            let optional = self
                .chars
                .windows(2)
                .any(|pair| pair[0] == ')' && matches!(pair[1], '?' | '*' | '{'));
            let inside = |at: usize| {
                self.refers.iter().all(|group| {
                    let (start, end) = self.groups[*group];
                    start <= at && end.is_some_and(|end| at < end)
                })
            };
            !optional && !self.repeats_groups && alternatives.all(|(at, _)| inside(at))
        }
    }

    fn escape(&mut self) -> Option<()> {
        let escaped = self.next()?;
        match escaped {
            'd' => self.result.push_str("[0-9]"),
            'D' => self.result.push_str("[^0-9]"),
            'w' => self.result.push_str("[A-Za-z0-9_]"),
            'W' => self.result.push_str("[^A-Za-z0-9_]"),
            's' | 'S' => self.result.extend(['\\', escaped]),
            // Texts are ASCII, so the engine's words are those of ECMAScript.
            'b' | 'B' => self
                .result
                .extend(["(?:\\", escaped.encode_utf8(&mut [0; 4]), ")"]),
            '1'..='9' => {
                let group = escaped.to_digit(10)? as usize - 1;
                let closed = self.groups.get(group)?.1.is_some();
                if !closed || self.peek(0).is_some_and(|next| next.is_ascii_digit()) {
                    return None;
                }
                self.refers.push(group);
                self.result.extend(['\\', escaped]);
            }
            _ => {
                let code = self.escaped(escaped)?;
                push_code(&mut self.result, code);
            }
        }
        Some(())
    }

    /// The character that an escape sequence stands for.
    fn escaped(&mut self, escaped: char) -> Option<char> {
        Some(match escaped {
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'f' => '\u{c}',
            'v' => '\u{b}',
            'x' => self.code(2)?,
            'u' => self.code(4)?,
            '0' if !self.peek(0).is_some_and(|next| next.is_ascii_digit()) => '\0',
            'k' | 'p' | 'P' | 'c' | '0'..='9' => return None,
            other => other,
        })
    }

    fn code(&mut self, count: usize) -> Option<char> {
        let mut code = 0;
        for _ in 0..count {
            code = code * 16 + self.next()?.to_digit(16)?;
        }
        char::from_u32(code)
    }

    fn class(&mut self) -> Option<()> {
        let negated = self.follows("^");
        self.at += usize::from(negated);
        if self.follows("]") {
            // `[]` matches nothing, `[^]` everything.
            self.at += 1;
            self.result
                .push_str(if negated { "(?s:.)" } else { "[^\\s\\S]" });
            return Some(());
        }
        self.result.push_str(if negated { "[^" } else { "[" });
        loop {
            let next = self.next()?;
            if next == ']' {
                self.result.push(']');
                return Some(());
            }
            let Some(first) = self.class_atom(next)? else {
                continue;
            };
            let ranges = self.follows("-") && !matches!(self.peek(1), Some(']') | None);
            push_code(&mut self.result, first);
            if !ranges {
                continue;
            }
            self.at += 1;
            let next = self.next()?;
            let before = self.result.len();
            match self.class_atom(next)? {
                Some(last) => {
                    self.result.push('-');
                    push_code(&mut self.result, last);
                }
                // `[a-\d]`: no range, but three things.
                None => self.result.insert_str(before, "\\x{2d}"),
            }
        }
    }

    /// One character of a class, or a set, which is written at once.
    #[expect(clippy::option_option, reason = "not told, a set, or a character")]
    fn class_atom(&mut self, next: char) -> Option<Option<char>> {
        if next != '\\' {
            return Some(Some(next));
        }
        let escaped = self.next()?;
        let set = match escaped {
            'd' => "0-9",
            'w' => "A-Za-z0-9_",
            's' => "\\s",
            'D' | 'W' | 'S' | 'B' => return None,
            'b' => return Some(Some('\u{8}')),
            _ => return Some(Some(self.escaped(escaped)?)),
        };
        self.result.push_str(set);
        // `[\w-z]`: what follows a set begins no range.
        if self.follows("-") {
            self.result.push_str("\\x{2d}");
            self.at += 1;
        }
        Some(None)
    }
}

fn push_code(result: &mut String, code: char) {
    result.push_str(&format!("\\x{{{:x}}}", u32::from(code)));
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
