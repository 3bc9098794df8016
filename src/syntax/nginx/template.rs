//! Files that make a configuration: marks of Jinja, ERB, Go and handlebars templates.
//!
//! A template is read from a copy of its text of the same length, in which what stands for text
//! (`{{ x }}`) has become letters and what stands for nothing (`{% if x %}`) spaces.

use super::lua;

/// What a mark stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// Text of one line.
    Text,
    /// Code or a note; nothing stands in its place.
    Nothing,
}

/// How marks open and close, longer ones first.
const MARKS: [(&[u8], &[u8], Kind); 7] = [
    (b"{{{", b"}}}", Kind::Text),
    (b"{{", b"}}", Kind::Text),
    (b"<%=", b"%>", Kind::Text),
    (b"<%-", b"%>", Kind::Text),
    (b"<%", b"%>", Kind::Nothing),
    (b"{%", b"%}", Kind::Nothing),
    (b"{#", b"#}", Kind::Nothing),
];

/// Words at which `{{ … }}` is code.
const KEYWORDS: [&str; 9] = [
    "if", "else", "end", "range", "with", "define", "template", "block", "include",
];

/// What a template looks like once its marks are out of the way.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Template {
    /// As long as the text.
    pub(super) masked: Vec<u8>,
}

/// The text without its marks, if it has any outside comments.
pub(super) fn read(text: &str) -> Option<Template> {
    // `{# … #}` alone is no sign: a comment of nginx may stand right behind a brace.
    if !["{{", "{%", "<%", "${"]
        .iter()
        .any(|mark| text.contains(mark))
    {
        return None;
    }
    let mut masked = text.as_bytes().to_vec();
    let mut is_template = false;
    // Up to here no mark of that kind closes; without it, time would grow with the square.
    let mut open_until = [0; MARKS.len()];
    let mut at = 0;
    while let Some(next) = text.as_bytes().get(at..).and_then(next_sign) {
        at += next;
        let rest = text.as_bytes().get(at..).unwrap_or_default();
        if rest.starts_with(b"{") && opens_lua(text, at) {
            at += 1 + lua::block_end(&rest[1..]).unwrap_or(rest.len() - 1);
            continue;
        }
        let found = MARKS.iter().zip(&mut open_until).find_map(|(mark, until)| {
            let (open, close, kind) = *mark;
            let end = close_of(rest, open, close, kind, at, until)?;
            Some((at + end, open, kind))
        });
        if let Some((end, open, kind)) = found {
            is_template |= open != b"{#";
            let inside = text.get(at + open.len()..end).unwrap_or_default();
            let is_text = kind == Kind::Text && !is_code(inside) && !is_alone(text, at, end);
            blank(&mut masked[at..end], if is_text { b'x' } else { b' ' });
            at = end;
        } else if rest.starts_with(b"#") {
            let starts_token = at == 0
                || matches!(
                    masked[at - 1],
                    b' ' | b'\t' | b'\r' | b'\n' | b';' | b'{' | b'}'
                );
            at += if starts_token {
                rest.iter()
                    .position(|byte| *byte == b'\n')
                    .unwrap_or(rest.len())
            } else {
                1
            };
        } else {
            is_template |= is_env(rest);
            at += 1;
        }
    }
    is_template.then_some(Template { masked })
}

/// The offset of the next byte at which a mark or comment may start.
fn next_sign(text: &[u8]) -> Option<usize> {
    text.iter()
        .position(|byte| matches!(byte, b'{' | b'<' | b'$' | b'#'))
}

/// The offset behind the mark that `rest`, at the offset `at` of the file, starts with.
fn close_of(
    rest: &[u8],
    open: &[u8],
    close: &[u8],
    kind: Kind,
    at: usize,
    open_until: &mut usize,
) -> Option<usize> {
    let inside = rest.strip_prefix(open)?;
    if at < *open_until {
        return None;
    }
    let one_line = kind == Kind::Text || open == b"{#";
    let stop = (0..inside.len())
        .find(|at| inside[*at..].starts_with(close) || (one_line && inside[*at] == b'\n'))
        .unwrap_or(inside.len());
    if inside[stop..].starts_with(close) {
        return Some(open.len() + stop + close.len());
    }
    *open_until = at + open.len() + stop;
    None
}

/// Does the brace at `at` open a block of Lua? In it, braces like to come in pairs.
fn opens_lua(text: &str, at: usize) -> bool {
    let ends = |byte: &u8| matches!(byte, b';' | b'{' | b'}');
    let before = text.as_bytes().get(..at).unwrap_or_default();
    let head = before.rsplit(ends).next().unwrap_or_default();
    let words = head
        .rsplit(u8::is_ascii_whitespace)
        .filter(|word| !word.is_empty());
    words.take(2).any(|word| word.ends_with(b"_by_lua_block"))
}

/// `${NAME}`, as `envsubst` replaces it; nginx's own variables are written in lower case.
fn is_env(text: &[u8]) -> bool {
    let Some(name) = text.strip_prefix(b"${") else {
        return false;
    };
    let is_name = |byte: &u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || *byte == b'_';
    let length = name.iter().take_while(|byte| is_name(byte)).count();
    name.first().is_some_and(u8::is_ascii_uppercase) && name.get(length) == Some(&b'}')
}

/// Does `{{ … }}` hold code and no value? `inside` is what follows the opening braces.
fn is_code(inside: &str) -> bool {
    let inside = inside.trim_start_matches(['-', '~', ' ', '\t']);
    let word = inside.split(|c: char| !c.is_ascii_alphanumeric()).next();
    inside.starts_with(['#', '/', '!', '^', '>', '*'])
        || word.is_some_and(|word| KEYWORDS.contains(&word))
}

/// Do only spaces stand beside `start..end` on its lines?
fn is_alone(text: &str, start: usize, end: usize) -> bool {
    let before = text.get(..start).unwrap_or_default();
    let behind = text.get(end..).unwrap_or_default();
    let is_blank = |c: &char| matches!(c, ' ' | '\t' | '\r');
    let stops = |c: Option<char>| c.is_none_or(|c| c == '\n');
    stops(before.chars().rev().find(|c| !is_blank(c)))
        && stops(behind.chars().find(|c| !is_blank(c)))
}

/// Overwrites bytes, but not the ends of lines.
fn blank(bytes: &mut [u8], with: u8) {
    for byte in bytes.iter_mut().filter(|byte| **byte != b'\n') {
        *byte = with;
    }
}

#[cfg(test)]
mod tests {
    use super::read;

    fn masked(text: &str) -> Option<String> {
        read(text).map(|template| String::from_utf8(template.masked).unwrap())
    }

    #[test]
    fn placeholders_become_letters() {
        assert_eq!(masked("a {{ b }};").unwrap(), "a xxxxxxx;");
        assert_eq!(masked("a <%= b %>/c;").unwrap(), "a xxxxxxxx/c;");
        assert_eq!(masked("a {{{b}}};").unwrap(), "a xxxxxxx;");
    }

    #[test]
    fn code_becomes_spaces() {
        assert_eq!(masked("{% if a %}\nb;").unwrap(), "          \nb;");
        assert_eq!(masked("{{ a }}\nb;").unwrap(), "       \nb;");
        assert_eq!(
            masked("{{if a}}b;{{ end }}").unwrap(),
            "        b;         "
        );
        assert_eq!(
            masked("<% if\n a %>b{# {{ #};").unwrap(),
            "     \n     b        ;"
        );
    }

    #[test]
    fn ordinary_files_are_no_templates() {
        assert_eq!(masked("a ${b}; # {{ c }}\n"), None);
        assert_eq!(masked("a {# b #}\n}"), None);
        assert_eq!(masked("a {{ b;"), None);
        assert_eq!(masked("set_by_lua_block $a {{1}} b;"), None);
        assert_eq!(masked("log_by_lua_block { a = {{1}} } b;"), None);
        assert!(masked("a ${B_1};").is_some());
        assert_eq!(
            masked("a {# b #}\n${B}}").unwrap(),
            "a {# b #}\n${B}}".replace("{# b #}", "       ")
        );
    }

    #[test]
    fn time_is_linear() {
        for mark in ["{{", "{% {{x}} ", "<%", "{#", "{{x}} ", "${A}"] {
            let _ = read(&mark.repeat(500_000));
        }
    }
}
