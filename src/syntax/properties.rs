//! Java's `.properties` files (`java.util.Properties.load`).

use crate::source::{SourceFile, Span};

/// One entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its key, without escapes.
    pub key: String,
    /// Where the key is.
    pub key_span: Span,
    /// Its value, without escapes and line continuations.
    pub value: String,
    /// Where the value is; empty at the end of the line if nothing is there.
    pub value_span: Span,
    /// Which document it is in: Spring Boot separates them with `#---` or `!---`.
    pub document: usize,
}

/// The entries of a file, in order. Every text is a properties file.
#[must_use]
pub fn parse(file: &SourceFile) -> Vec<Entry> {
    let text = file.text();
    let mut entries = Vec::new();
    let mut document = 0;
    let mut at = if text.starts_with('\u{feff}') { 3 } else { 0 };
    while at < text.len() {
        let (end, next) = logical_line(text, at);
        let line = &text[at..end];
        let indent = line.len() - line.trim_start().len();
        let start = at + indent;
        at = next;
        let body = &text[start..end];
        if body.starts_with(['#', '!']) {
            document += usize::from(matches!(body.trim_end(), "#---" | "!---"));
            continue;
        }
        if body.is_empty() {
            continue;
        }
        let (key, value) = split(body);
        let span = |from: usize, to: usize| {
            let place = |offset: usize| u32::try_from(start + offset).unwrap_or(u32::MAX);
            Span::new(file.id(), place(from), place(to))
        };
        entries.push(Entry {
            key: unescape(&body[..key]),
            key_span: span(0, key),
            value: unescape(&body[value..]),
            value_span: span(value, body.len()),
            document,
        });
    }
    entries
}

/// The end of the line that starts at `at`, continued ones included, and the start of the next.
fn logical_line(text: &str, at: usize) -> (usize, usize) {
    let comment = text[at..].trim_start_matches([' ', '\t', '\u{c}']);
    let comment = comment.starts_with(['#', '!']);
    let mut from = at;
    loop {
        let rest = &text[from..];
        let Some(length) = rest.find(['\n', '\r']) else {
            return (text.len(), text.len());
        };
        let end = from + length;
        let width = if text[end..].starts_with("\r\n") {
            2
        } else {
            1
        };
        let slashes = text[at..end]
            .bytes()
            .rev()
            .take_while(|byte| *byte == b'\\')
            .count();
        if comment || slashes % 2 == 0 {
            return (end, end + width);
        }
        from = end + width;
    }
}

/// Where the key ends and the value starts.
fn split(body: &str) -> (usize, usize) {
    let blank = |c: char| matches!(c, ' ' | '\t' | '\u{c}');
    let mut escaped = false;
    let mut key = body.len();
    for (at, c) in body.char_indices() {
        if !escaped && (matches!(c, '=' | ':') || blank(c)) {
            key = at;
            break;
        }
        escaped = c == '\\' && !escaped;
    }
    let rest = body[key..].trim_start_matches(blank);
    let rest = rest.strip_prefix(['=', ':']).unwrap_or(rest);
    let rest = rest.trim_start_matches(blank);
    (key, body.len() - rest.len())
}

fn unescape(text: &str) -> String {
    let mut result = String::with_capacity(text.len());
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        if c != '\\' {
            result.push(c);
            continue;
        }
        match rest.next() {
            Some('t') => result.push('\t'),
            Some('n') => result.push('\n'),
            Some('r') => result.push('\r'),
            Some('f') => result.push('\u{c}'),
            Some('u') => {
                let digits: String = (0..4).map_while(|_| rest.next()).collect();
                let code = u32::from_str_radix(&digits, 16).ok();
                result.push(code.and_then(char::from_u32).unwrap_or('\u{fffd}'));
            }
            Some(line @ ('\n' | '\r')) => {
                if line == '\r' {
                    rest.next_if_eq(&'\n');
                }
                while rest
                    .next_if(|c| matches!(c, ' ' | '\t' | '\u{c}'))
                    .is_some()
                {}
            }
            Some(other) => result.push(other),
            None => {}
        }
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Sources;

    fn entries(text: &str) -> Vec<(String, String, usize)> {
        let file = Sources::new().add("no-such-folder/a.properties".into(), text.into());
        let entries = parse(&file).into_iter();
        entries
            .map(|entry| (entry.key, entry.value, entry.document))
            .collect()
    }

    fn one(text: &str) -> (String, String) {
        let mut all = entries(text);
        assert_eq!(all.len(), 1, "{text}");
        let (key, value, _) = all.remove(0);
        (key, value)
    }

    #[test]
    fn keys_and_values_are_told_apart() {
        for (text, key, value) in [
            ("a=b", "a", "b"),
            ("  a : b ", "a", "b "),
            ("a b c", "a", "b c"),
            ("a", "a", ""),
            ("a=", "a", ""),
            ("a==b", "a", "=b"),
            ("a\\ b\\=c = d", "a b=c", "d"),
            ("a=x\\\n   y\\\r\n z", "a", "xyz"),
            ("a=x\\\\", "a", "x\\"),
            ("a=\\u0041\\t", "a", "A\t"),
            ("a=https\\://x\\", "a", "https://x"),
            ("\u{feff}a=b", "a", "b"),
        ] {
            assert_eq!(one(text), (key.into(), value.into()), "{text:?}");
        }
    }

    #[test]
    fn comments_separate_documents() {
        let text = "# c\n! d \\\na=1\n#---\nb=2\n\n!---\nc=3";
        let expected = [("a", "1", 0), ("b", "2", 1), ("c", "3", 2)];
        let expected = expected.map(|(key, value, at)| (key.to_owned(), value.to_owned(), at));
        assert_eq!(entries(text), expected);
    }

    #[test]
    fn places_are_those_of_the_text() {
        let file = Sources::new().add(
            "no-such-folder/a.properties".into(),
            "x=1\n  a = b c\n".into(),
        );
        let entry = parse(&file).remove(1);
        assert_eq!(file.slice(entry.key_span), "a");
        assert_eq!(file.slice(entry.value_span), "b c");
    }
}
