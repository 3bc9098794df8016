//! Paths of Express 5: path-to-regexp 8, or the words with which it refuses one.

use crate::limits::express::five::MAX_COMBINATIONS;

/// A part of a path.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Token {
    Text(String),
    /// `:name`
    Parameter(String),
    /// `*name`
    Wildcard(String),
    /// `{…}`, which may be left out.
    Optional(Vec<Token>),
}

/// The expression for a path, without anchors.
pub(super) fn source(text: &str) -> Result<String, String> {
    let chars: Vec<char> = text.chars().collect();
    let mut reader = Reader {
        text,
        chars: &chars,
        at: 0,
    };
    let tokens = reader.tokens(false)?;
    let mut ways = vec![Vec::new()];
    flatten(&tokens, &mut ways);
    if ways.len() > MAX_COMBINATIONS {
        return Err(format!("Too many path combinations: {text}"));
    }
    let sources = ways.iter().map(|way| expression(way, text));
    let sources: Vec<String> = sources.collect::<Result<_, _>>()?;
    Ok(sources.join("|"))
}

struct Reader<'a> {
    text: &'a str,
    chars: &'a [char],
    at: usize,
}

impl Reader<'_> {
    fn tokens(&mut self, inside: bool) -> Result<Vec<Token>, String> {
        let mut tokens = Vec::new();
        let mut text = String::new();
        while let Some(next) = self.chars.get(self.at).copied() {
            let start = self.at;
            self.at += 1;
            match next {
                '}' if inside => {
                    add_text(&mut tokens, &mut text);
                    return Ok(tokens);
                }
                '\\' => {
                    let escaped = self.chars.get(self.at).copied();
                    let wrong = || {
                        format!(
                            "Unexpected end after \\ at index {}: {}",
                            self.at, self.text
                        )
                    };
                    text.push(escaped.ok_or_else(wrong)?);
                    self.at += 1;
                }
                ':' | '*' => {
                    let name = self.name()?;
                    add_text(&mut tokens, &mut text);
                    tokens.push(if next == ':' {
                        Token::Parameter(name)
                    } else {
                        Token::Wildcard(name)
                    });
                }
                '{' => {
                    add_text(&mut tokens, &mut text);
                    tokens.push(Token::Optional(self.tokens(true)?));
                }
                '}' | '(' | ')' | '[' | ']' | '+' | '?' | '!' => {
                    return Err(format!(
                        "Unexpected {next} at index {start}, expected end: {}",
                        self.text
                    ));
                }
                other => text.push(other),
            }
        }
        if inside {
            return Err(format!(
                "Unexpected end at index {}, expected }}: {}",
                self.at, self.text
            ));
        }
        add_text(&mut tokens, &mut text);
        Ok(tokens)
    }

    /// The name behind `:` or `*`, perhaps in quotes.
    fn name(&mut self) -> Result<String, String> {
        let is_part = |c: char| c == '$' || c == '_' || c.is_alphanumeric();
        let rest = &self.chars[self.at..];
        let mut name = String::new();
        match rest.first() {
            Some('"') => {
                let mut index = 1;
                loop {
                    match rest.get(index) {
                        None => {
                            let words =
                                format!("Unterminated quote at index {}: {}", self.at, self.text);
                            return Err(words);
                        }
                        Some('"') => break,
                        Some('\\') => {
                            name.extend(rest.get(index + 1));
                            index += 2;
                        }
                        Some(other) => {
                            name.push(*other);
                            index += 1;
                        }
                    }
                }
                self.at += index + 1;
            }
            Some(first) if is_part(*first) && !first.is_numeric() => {
                name.extend(rest.iter().take_while(|c| is_part(**c)));
                self.at += name.chars().count();
            }
            _ => {}
        }
        if name.is_empty() {
            return Err(format!(
                "Missing parameter name at index {}: {}",
                self.at, self.text
            ));
        }
        Ok(name)
    }
}

fn add_text(tokens: &mut Vec<Token>, text: &mut String) {
    if !text.is_empty() {
        tokens.push(Token::Text(std::mem::take(text)));
    }
}

/// Every way through the optional parts; the fuller ones first.
fn flatten(tokens: &[Token], ways: &mut Vec<Vec<Token>>) {
    for token in tokens {
        if ways.len() > MAX_COMBINATIONS {
            return;
        }
        if let Token::Optional(inside) = token {
            let mut all = Vec::new();
            for way in ways.iter() {
                let mut with = vec![way.clone()];
                flatten(inside, &mut with);
                all.extend(with);
                all.push(way.clone());
            }
            *ways = all;
        } else {
            for way in ways.iter_mut() {
                way.push(token.clone());
            }
        }
    }
}

/// Which captures were met: in the segment, and last.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
struct Seen {
    parameter: bool,
    wildcard: bool,
}

/// The expression for one way through a path: each capture stops before the text that follows it,
/// so that no two of them can share a text in several ways.
fn expression(tokens: &[Token], text: &str) -> Result<String, String> {
    let mut source = String::new();
    let (mut backtrack, mut behind_wildcard) = (String::new(), String::new());
    let mut last = Seen::default();
    let mut segment = Seen::default();
    for (index, token) in tokens.iter().enumerate() {
        let (name, kind) = match token {
            Token::Text(text) => {
                source.push_str(&escape(text));
                backtrack.push_str(text);
                if last.wildcard {
                    behind_wildcard.push_str(text);
                }
                if text.contains('/') {
                    segment = Seen::default();
                }
                continue;
            }
            Token::Optional(_) => continue,
            Token::Parameter(name) => (name, "param"),
            Token::Wildcard(name) => (name, "wildcard"),
        };
        if last != Seen::default() && backtrack.is_empty() {
            return Err(format!("Missing text before \"{name}\" {kind}: {text}"));
        }
        let rest = &tokens[index + 1..];
        last = Seen {
            parameter: kind == "param",
            wildcard: kind == "wildcard",
        };
        source.push_str(&if last.parameter {
            if segment.wildcard {
                format!("({}+)", negate("/", &backtrack))
            } else if wildcard_follows(rest) {
                format!("({}+)", negate("/", &text_ahead(rest)))
            } else if segment.parameter {
                let own = negate("/", &backtrack);
                format!("({own}+|{})", escape(&backtrack))
            } else {
                format!("({}+)", negate("/", ""))
            }
        } else if segment.wildcard {
            format!("({}+)", negate(&backtrack, ""))
        } else if behind_wildcard.is_empty() {
            "([^]+)".into()
        } else {
            let own = negate(&behind_wildcard, "");
            format!("({own}+|{}+)", negate("/", ""))
        });
        if last.wildcard {
            behind_wildcard.clear();
        }
        segment.parameter |= last.parameter;
        segment.wildcard |= last.wildcard;
        backtrack.clear();
    }
    Ok(source)
}

/// Does a wildcard follow in the same segment?
fn wildcard_follows(rest: &[Token]) -> bool {
    for token in rest {
        match token {
            Token::Wildcard(_) => return true,
            Token::Text(text) if text.contains('/') => return false,
            _ => {}
        }
    }
    false
}

fn text_ahead(rest: &[Token]) -> String {
    let texts = rest.iter().map_while(|token| match token {
        Token::Text(text) => Some(text.as_str()),
        _ => None,
    });
    texts.collect()
}

/// One character at which neither text begins.
fn negate(a: &str, b: &str) -> String {
    let (long, short) = if b.encode_utf16().count() > a.encode_utf16().count() {
        (b, a)
    } else {
        (a, b)
    };
    let short = if long == short { "" } else { short };
    let (long_count, short_count) = (long.chars().count(), short.chars().count());
    if short_count > 1 {
        format!("(?:(?!{}|{})[^])", escape(long), escape(short))
    } else if long_count > 1 && short.is_empty() {
        format!("(?:(?!{})[^])", escape(long))
    } else if long_count > 1 {
        format!("(?:(?!{})[^{}])", escape(long), escape(short))
    } else {
        format!("[^{}{}]", escape(long), escape(short))
    }
}

fn escape(text: &str) -> String {
    let mut escaped = String::new();
    for c in text.chars() {
        if ".+*?^${}()[]|/\\".contains(c) {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    escaped
}
