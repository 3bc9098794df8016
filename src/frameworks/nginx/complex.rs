//! Complex values: text with variables (`ngx_http_compile_complex_value`).

use super::variables::Var;

/// A part of a complex value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// Constant text.
    Text(String),
    /// A variable.
    Variable(Var),
    /// `$1` … `$9`.
    Capture(usize),
    /// What a template engine fills in before nginx reads the file.
    Placeholder,
}

/// Text with variables.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Complex {
    /// Its parts, in order.
    pub(super) parts: Vec<Part>,
}

impl Complex {
    /// The text, if no variable is in it.
    pub(super) fn constant(&self) -> Option<&str> {
        match self.parts.as_slice() {
            [] => Some(""),
            [Part::Text(text)] => Some(text),
            _ => None,
        }
    }

    /// The variable, if the value is just one.
    pub(super) fn variable(&self) -> Option<&Var> {
        match self.parts.as_slice() {
            [Part::Variable(variable)] => Some(variable),
            _ => None,
        }
    }

    /// The variables in it.
    pub(super) fn variables(&self) -> impl Iterator<Item = &Var> {
        self.parts.iter().filter_map(|part| match part {
            Part::Variable(variable) => Some(variable),
            _ => None,
        })
    }
}

/// A piece of a text, before variables are looked up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Piece<'a> {
    /// Constant text.
    Text(&'a str),
    /// A variable's name, as written.
    Name(&'a str),
    /// `$1` … `$9`.
    Capture(usize),
}

/// Splits a text at its variables as nginx does. A `$` that names nothing stays text.
pub(super) fn pieces(text: &str) -> Vec<Piece<'_>> {
    let bytes = text.as_bytes();
    let mut pieces = Vec::new();
    let mut start = 0;
    let mut at = 0;
    while at < bytes.len() {
        if bytes[at] != b'$' {
            at += 1;
            continue;
        }
        let (piece, end) = match bytes.get(at + 1) {
            Some(digit @ b'1'..=b'9') => (Piece::Capture(usize::from(digit - b'0')), at + 2),
            Some(b'{') => {
                let name = word(&bytes[at + 2..]);
                let end = at + 2 + name;
                if name == 0 || bytes.get(end) != Some(&b'}') {
                    at += 1;
                    continue;
                }
                (Piece::Name(&text[at + 2..end]), end + 1)
            }
            _ => {
                let name = word(&bytes[at + 1..]);
                if name == 0 {
                    at += 1;
                    continue;
                }
                (Piece::Name(&text[at + 1..at + 1 + name]), at + 1 + name)
            }
        };
        if start < at {
            pieces.push(Piece::Text(&text[start..at]));
        }
        pieces.push(piece);
        start = end;
        at = end;
    }
    if start < text.len() {
        pieces.push(Piece::Text(&text[start..]));
    }
    pieces
}

fn word(bytes: &[u8]) -> usize {
    bytes
        .iter()
        .take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_')
        .count()
}

/// Does a template engine still have to fill this text in (`{{ x }}`, `<%= x %>`, `{% if %}`, `__X__`,
/// `<your domain>`)?
pub(super) fn has_placeholder(text: &str) -> bool {
    if text.contains("{{") || text.contains("<%") || text.contains("{%") || text.contains("#{") {
        return true;
    }
    if has_gap(text) {
        return true;
    }
    // `__NAME__`
    text.match_indices("__").any(|(at, _)| {
        let rest = &text[at + 2..];
        let name = rest
            .bytes()
            .take_while(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
            .count();
        name > 0 && {
            let mut end = name;
            let bytes = rest.as_bytes();
            while bytes.get(end) == Some(&b'_') && bytes.get(end + 1) != Some(&b'_') {
                end += 1;
                end += rest[end..]
                    .bytes()
                    .take_while(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
                    .count();
            }
            rest[end..].starts_with("__")
        }
    })
}

/// Is there a `<name>` that a person is to replace? It is no group of a regular expression
/// (`(?<name>…)`), nor HTML.
fn has_gap(text: &str) -> bool {
    text.match_indices('<').any(|(at, _)| {
        let before = text[..at].bytes().next_back();
        let open = before.is_none_or(|byte| !byte.is_ascii_alphanumeric() && byte != b'?');
        let name = text[at + 1..].split('>').next().unwrap_or_default();
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || b" ._-".contains(&byte);
        open && at + 1 + name.len() < text.len()
            && name.starts_with(|c: char| c.is_ascii_alphabetic())
            && name.len() > 2
            && name.bytes().all(fits)
            && !text.contains("</")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_end_where_nginx_ends_them() {
        assert_eq!(
            pieces("a${b}c$d-e$1x$"),
            [
                Piece::Text("a"),
                Piece::Name("b"),
                Piece::Text("c"),
                Piece::Name("d"),
                Piece::Text("-e"),
                Piece::Capture(1),
                Piece::Text("x$"),
            ]
        );
        assert_eq!(pieces("$12"), [Piece::Capture(1), Piece::Text("2")]);
        assert_eq!(pieces(""), []);
    }

    #[test]
    fn placeholders_of_template_engines() {
        for text in [
            "{{ origin }}",
            "<%= @x %>",
            "https://__DOMAIN_NAME__/",
            "__X__",
            "<your domain>",
            "https://<your-domain>",
        ] {
            assert!(has_placeholder(text), "{text}");
        }
        for text in [
            "__init__",
            "a__b",
            "$http_origin",
            "____",
            "x{2}",
            "(?<name>a)",
            "(?P<name>a)",
            "<p>x</p>",
            "a <b",
        ] {
            assert!(!has_placeholder(text), "{text}");
        }
    }
}
