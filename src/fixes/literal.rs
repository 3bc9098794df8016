//! Texts as they are written: quotes and escapes, and where each byte of what they mean stands.

use super::languages::Language;

/// A text in a source file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Literal {
    /// What it means.
    pub(super) text: String,
    /// For each byte of `text`, and for its end, the offset in the token.
    offsets: Vec<usize>,
    /// A backslash that is meant is written as two.
    doubled: bool,
}

/// How backslashes are read.
#[derive(Clone, Copy, PartialEq)]
enum Escapes {
    /// As they stand.
    None,
    /// JavaScript: an unknown one is left out.
    Dropped,
    /// Python, nginx: an unknown one stays.
    Kept,
    /// Java, Kotlin, YAML, properties: there are no unknown ones.
    Strict,
}

impl Literal {
    /// Reads a token; `None` if it is none, is put together of several, or holds what is not read
    /// here (numbers of characters, interpolation).
    pub(super) fn read(language: Language, token: &str) -> Option<Self> {
        use Language::{Java, JavaScript, Kotlin, Nginx, Properties, Python, Xml, Yaml};
        let prefix = match language {
            Python => token.find(['"', '\'']).unwrap_or(0),
            _ => 0,
        };
        let (prefix, rest) = token.split_at(prefix);
        let raw = match prefix {
            "" | "u" | "U" => false,
            "r" | "R" => true,
            _ => return None,
        };
        let triple = ["\"\"\"", "'''"];
        let triple = triple.iter().find(|quotes| rest.starts_with(**quotes));
        let quotes = match (language, rest.chars().next()?) {
            (Python | Kotlin | Java, _) if triple.is_some() => *triple?,
            (Python | JavaScript | Nginx | Yaml, '\'') => "'",
            (JavaScript, '`') => "`",
            (JavaScript, '/') => return Self::regex(rest),
            (Xml | Properties, _) => "",
            (_, '"') => "\"",
            (Nginx | Yaml, _) => "",
            _ => return None,
        };
        let escapes = match (language, quotes) {
            (Java, "\"\"\"") => return None,
            (Kotlin, "\"\"\"") | (Xml, _) | (Yaml, "") => Escapes::None,
            (Yaml, "'") => Escapes::None,
            (Python, _) if raw => Escapes::None,
            (JavaScript, _) => Escapes::Dropped,
            (Python | Nginx, _) => Escapes::Kept,
            (Java | Kotlin | Yaml | Properties, _) => Escapes::Strict,
        };
        let inner = rest.strip_prefix(quotes)?.strip_suffix(quotes)?;
        if rest.len() < 2 * quotes.len()
            || (language == Yaml && quotes == "'" && inner.contains("''"))
        {
            return None;
        }
        let interpolates =
            (quotes == "`" && inner.contains("${")) || (language == Kotlin && inner.contains('$'));
        if interpolates {
            return None;
        }
        Self::decode(
            inner,
            prefix.len() + quotes.len(),
            quotes,
            escapes,
            language,
        )
    }

    /// A regular expression between slashes.
    fn regex(token: &str) -> Option<Self> {
        let end = token.rfind('/').filter(|end| *end > 0)?;
        let flags = token[end + 1..]
            .bytes()
            .all(|byte| byte.is_ascii_lowercase());
        flags.then(|| Self {
            text: token[1..end].to_owned(),
            offsets: (1..=end).collect(),
            doubled: false,
        })
    }

    fn decode(
        inner: &str,
        start: usize,
        quotes: &str,
        escapes: Escapes,
        language: Language,
    ) -> Option<Self> {
        let mut text = String::new();
        let mut offsets = Vec::new();
        let mut push = |c: char, at: usize, whole: bool, text: &mut String| {
            for index in 0..c.len_utf8() {
                offsets.push(at + if whole { index } else { 0 });
            }
            text.push(c);
        };
        let mut characters = inner.char_indices().peekable();
        while let Some((at, c)) = characters.next() {
            let place = start + at;
            if c != '\\' || escapes == Escapes::None {
                // The token ends here: two texts side by side.
                if quotes.len() == 1 && quotes.starts_with(c) {
                    let raw_quote = escapes == Escapes::None && inner[..at].ends_with('\\');
                    if !raw_quote {
                        return None;
                    }
                }
                push(c, place, true, &mut text);
                continue;
            }
            let (_, escaped) = characters.next()?;
            let meant = match escaped {
                '\\' | '\'' | '"' => Some(escaped),
                'n' => Some('\n'),
                'r' => Some('\r'),
                't' => Some('\t'),
                'u' | 'x' | 'U' | 'N' | '0'..='9' if language != Language::Nginx => return None,
                'a' | 'b' | 'f' | 'v' | '\n' | '\r' if language != Language::Nginx => return None,
                _ => None,
            };
            match (meant, escapes) {
                (Some(meant), _) => push(meant, place, false, &mut text),
                (None, Escapes::Dropped) => push(escaped, place, false, &mut text),
                (None, Escapes::Kept) => {
                    push('\\', place, true, &mut text);
                    push(escaped, place + 1, true, &mut text);
                }
                (None, _) => return None,
            }
        }
        offsets.push(start + inner.len());
        // nginx reads a backslash before a letter as it stands.
        let doubled = escapes != Escapes::None && language != Language::Nginx;
        Some(Self {
            text,
            offsets,
            doubled,
        })
    }

    /// Where a byte of the text, or its end, is written: the offset in the token.
    pub(super) fn offset(&self, byte: usize) -> Option<usize> {
        self.offsets.get(byte).copied()
    }

    /// From the first to behind the last byte of the text, in the token.
    pub(super) fn range(&self) -> (usize, usize) {
        let first = self.offsets.first().copied().unwrap_or_default();
        (first, self.offsets.last().copied().unwrap_or(first))
    }

    /// A part of a text as it has to be written.
    pub(super) fn write(&self, text: &str) -> String {
        if self.doubled {
            text.replace('\\', "\\\\")
        } else {
            text.to_owned()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Language::{Java, JavaScript, Kotlin, Nginx, Properties, Python, Yaml};
    use super::*;

    #[test]
    fn texts_mean_what_their_language_says() {
        for (language, token, text) in [
            (JavaScript, r"'a\'b'", r"a'b"),
            (JavaScript, r"'a\.b\\.c'", r"a.b\.c"),
            (JavaScript, r"/^a\.b\//i", r"^a\.b\/"),
            (JavaScript, "`ab`", "ab"),
            (Python, r"'a\.b'", r"a\.b"),
            (Python, r"'a\\.b'", r"a\.b"),
            (Python, r#"r"a\.b""#, r"a\.b"),
            (Python, r#""""ab""""#, "ab"),
            (Java, r#""a\\.b""#, r"a\.b"),
            (Kotlin, r#""""a\.b""""#, r"a\.b"),
            (Nginx, r#""~^a\.b""#, r"~^a\.b"),
            (Nginx, r"~^a\.b$", r"~^a\.b$"),
            (Yaml, "https://a.example/", "https://a.example/"),
            (Yaml, "'a'", "a"),
            (Properties, r"a\\.b", r"a\.b"),
        ] {
            let literal = Literal::read(language, token).expect(token);
            assert_eq!(literal.text, text, "{token}");
            assert_eq!(literal.offsets.len(), text.len() + 1, "{token}");
            let (from, to) = literal.range();
            let written = &token[from..to];
            assert!(!written.starts_with(['"', '\'', '`']), "{token}: {written}");
        }
    }

    #[test]
    fn what_is_no_single_text_is_not_read() {
        for (language, token) in [
            (JavaScript, "`a${b}`"),
            (JavaScript, "'a' + 'b'"),
            (JavaScript, r"'\u0041'"),
            (JavaScript, "name"),
            (Python, "f'a'"),
            (Python, "'a' 'b'"),
            (Python, "name"),
            (Kotlin, "\"$name\""),
            (Java, "\"\"\"\na\"\"\""),
        ] {
            assert_eq!(Literal::read(language, token), None, "{token}");
        }
    }
}
