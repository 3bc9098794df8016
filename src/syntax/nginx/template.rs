//! Files that make a configuration: marks of Jinja, ERB, Go and handlebars templates, and words in
//! capitals between signs (`__X__`, `@X@`, `{X}`, `${X}`) that scripts replace.
//!
//! A template is read from a copy of its text of the same length, in which what stands for text
//! (`{{ x }}`) has become letters and what stands for nothing (`{% if x %}`) spaces.

use std::collections::HashSet;
use std::ffi::OsStr;
use std::ops::Range;
use std::path::Path;

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

/// No name that a script replaces is longer, in bytes.
const LONGEST_NAME: usize = 64;

/// What a template looks like once its marks are out of the way.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Template {
    /// As long as the text.
    pub(super) masked: Vec<u8>,
}

/// Does the file's name say that it is there to be copied and filled in?
pub(super) fn is_sample(path: &Path) -> bool {
    let ending = path.extension().and_then(OsStr::to_str);
    matches!(ending, Some("dist" | "example" | "sample"))
}

/// The text without its marks, if it has any outside comments.
///
/// In a `sample`, words between `<` and `>` are for people to replace.
pub(super) fn read(text: &str, sample: bool) -> Option<Template> {
    let bytes = text.as_bytes();
    let mut scanner = Scanner {
        text,
        bytes,
        sample,
        is_template: false,
        masks: Vec::new(),
        variables: Variables::default(),
        open_until: [0; MARKS.len()],
    };
    let mut at = 0;
    while let Some(next) = bytes.get(at..).and_then(next_sign) {
        at = scanner.sign(at + next);
    }
    if !scanner.is_template && !scanner.variables.is_environment() {
        return None;
    }
    let mut masked = bytes.to_vec();
    for (range, with) in scanner.masks {
        for byte in masked[range].iter_mut().filter(|byte| **byte != b'\n') {
            *byte = with;
        }
    }
    Some(Template { masked })
}

struct Scanner<'t> {
    text: &'t str,
    bytes: &'t [u8],
    sample: bool,
    is_template: bool,
    /// What to write over which bytes.
    masks: Vec<(Range<usize>, u8)>,
    variables: Variables<'t>,
    /// Up to here no mark of that kind closes; without it, time would grow with the square.
    open_until: [usize; MARKS.len()],
}

impl<'t> Scanner<'t> {
    /// Looks at the sign at an offset; gives the offset to go on at.
    fn sign(&mut self, at: usize) -> usize {
        let rest = &self.bytes[at..];
        match rest[0] {
            b'#' if starts_token(&self.bytes[..at]) => at + line_length(rest),
            b'$' => self.variable(at, rest),
            b'{' if opens_lua(self.text, at) => {
                at + 1 + lua::block_end(&rest[1..]).unwrap_or(rest.len() - 1)
            }
            b'{' | b'<' => self
                .mark(at, rest)
                .or_else(|| self.braced_word(at, rest))
                .or_else(|| self.angled_words(at, rest))
                .unwrap_or(at + 1),
            b'_' | b'@' => {
                let length = capitals(rest, b"__", b"__").or_else(|| capitals(rest, b"@", b"@"));
                self.is_template |= length.is_some();
                at + length.unwrap_or(1)
            }
            _ => at + 1,
        }
    }

    fn mask(&mut self, range: Range<usize>, is_text: bool) {
        self.masks.push((range, if is_text { b'x' } else { b' ' }));
    }

    /// A mark of a template language.
    fn mark(&mut self, at: usize, rest: &[u8]) -> Option<usize> {
        let (length, open, kind) = MARKS.iter().zip(&mut self.open_until).find_map(|it| {
            let ((open, close, kind), until) = it;
            let length = close_of(rest, open, close, *kind, at, until)?;
            Some((length, *open, *kind))
        })?;
        let end = at + length;
        // `{# … #}` alone is no sign: a comment of nginx may stand right behind a brace.
        self.is_template |= open != b"{#";
        let inside = self.text.get(at + open.len()..end).unwrap_or_default();
        let is_text = kind == Kind::Text && !is_code(inside) && !is_alone(self.text, at, end);
        self.mask(at..end, is_text);
        Some(end)
    }

    /// `{NAME}`
    fn braced_word(&mut self, at: usize, rest: &[u8]) -> Option<usize> {
        let end = at + capitals(rest, b"{", b"}")?;
        // `\p{LU}` is a class of characters.
        if !self.bytes[..at].ends_with(b"\\p") && !self.bytes[..at].ends_with(b"\\P") {
            self.is_template = true;
            self.mask(at..end, !is_alone(self.text, at, end));
        }
        Some(end)
    }

    /// `<your domain>`, in a file that is there to be copied.
    fn angled_words(&mut self, at: usize, rest: &[u8]) -> Option<usize> {
        let inside = rest.strip_prefix(b"<").filter(|_| self.sample)?;
        let inside = &inside[..inside.len().min(LONGEST_NAME)];
        let fits = |byte: &&u8| byte.is_ascii_alphanumeric() || b" ._-".contains(byte);
        let length = inside.iter().take_while(fits).count();
        let is_name = inside.first().is_some_and(u8::is_ascii_alphabetic)
            && inside.get(length) == Some(&b'>')
            // `(?<name>…)` is a group of a regular expression.
            && !self.bytes[..at].ends_with(b"?") && !self.bytes[..at].ends_with(b"?P");
        let end = at + length + 2;
        is_name.then(|| {
            self.is_template = true;
            self.mask(at..end, true);
            end
        })
    }

    /// `${NAME}`, `$NAME`
    fn variable(&mut self, at: usize, rest: &'t [u8]) -> usize {
        if let Some(length) = capitals(rest, b"${", b"}") {
            self.is_template = true;
            if is_alone(self.text, at, at + length) {
                self.mask(at..at + length, false);
            }
            return at + length;
        }
        self.variables.read(self.bytes, at);
        // A brace behind a dollar is no mark of its own.
        at + 1 + usize::from(rest.get(1) == Some(&b'{'))
    }
}

/// The offset of the next byte at which a mark or comment may start.
fn next_sign(text: &[u8]) -> Option<usize> {
    text.iter()
        .position(|byte| matches!(byte, b'{' | b'<' | b'$' | b'#' | b'_' | b'@'))
}

/// May a token start behind these bytes?
fn starts_token(before: &[u8]) -> bool {
    before
        .last()
        .is_none_or(|byte| matches!(byte, b' ' | b'\t' | b'\r' | b'\n' | b';' | b'{' | b'}'))
}

fn line_length(text: &[u8]) -> usize {
    text.iter()
        .position(|byte| *byte == b'\n')
        .unwrap_or(text.len())
}

/// The length of a name in capitals between signs that `text` starts with. nginx's own names are
/// written in lower case.
fn capitals(text: &[u8], open: &[u8], close: &[u8]) -> Option<usize> {
    let rest = text.strip_prefix(open)?;
    let rest = &rest[..rest.len().min(LONGEST_NAME)];
    let start = rest.iter().take_while(|byte| **byte == b'_').count();
    let name = &rest[start..];
    let length = name.iter().take_while(|byte| is_capital(byte)).count();
    let mut end = start + length;
    // The underscores of `__X__` look like the name's.
    if close.starts_with(b"_") {
        end -= name[..length]
            .iter()
            .rev()
            .take_while(|byte| **byte == b'_')
            .count();
    }
    let is_name = name.first().is_some_and(u8::is_ascii_uppercase) && end > start + 1;
    (is_name && rest[end..].starts_with(close)).then(|| open.len() + end + close.len())
}

fn is_capital(byte: &u8) -> bool {
    byte.is_ascii_uppercase() || byte.is_ascii_digit() || *byte == b'_'
}

/// Variables in capitals, as `envsubst` knows them from the environment.
#[derive(Debug, Default)]
struct Variables<'t> {
    used: HashSet<&'t [u8]>,
    defined: HashSet<&'t [u8]>,
}

impl<'t> Variables<'t> {
    /// Notes the variable at an offset if it is in capitals.
    fn read(&mut self, text: &'t [u8], at: usize) {
        let rest = &text[at + 1..];
        let near = &rest[..rest.len().min(LONGEST_NAME)];
        let length = near.iter().take_while(|byte| is_capital(byte)).count();
        let behind = &rest[length..];
        let is_whole = behind.first().is_none_or(|byte| !byte.is_ascii_lowercase());
        if length < 2 || !rest[0].is_ascii_uppercase() || !is_whole {
            return;
        }
        // `set $NAME` and `map … $NAME {`
        let head = &text[at.saturating_sub(LONGEST_NAME)..at];
        if head.trim_ascii_end().ends_with(b"set") || opens_block(behind) {
            self.defined.insert(&rest[..length]);
        } else {
            self.used.insert(&rest[..length]);
        }
    }

    /// Is one of them defined nowhere in the file?
    fn is_environment(&self) -> bool {
        self.used.iter().any(|name| !self.defined.contains(name))
    }
}

/// Is a brace the next thing?
fn opens_block(text: &[u8]) -> bool {
    let near = &text[..text.len().min(LONGEST_NAME)];
    near.trim_ascii_start().first() == Some(&b'{')
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
    let start = inside.iter().position(|byte| !matches!(byte, b'-' | b' '));
    let is_note = inside[start.unwrap_or(0)..].starts_with(b"/*");
    let one_line = kind == Kind::Text && !is_note;
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

#[cfg(test)]
mod tests {
    use super::read;

    fn masked(text: &str) -> Option<String> {
        read(text, false).map(|template| String::from_utf8(template.masked).unwrap())
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
    fn notes_may_have_lines() {
        assert_eq!(masked("a{{/* b\n */}}c").unwrap(), "a      \n     c");
        assert_eq!(masked("{# b\n #}{%c%}").unwrap(), "    \n        ");
        assert_eq!(
            masked(" ${BC}\n{DE}\na ${BC}").unwrap(),
            "      \n    \na ${BC}"
        );
    }

    #[test]
    fn words_in_capitals_between_signs() {
        assert_eq!(masked("a {NAME};").unwrap(), "a xxxxxx;");
        for text in [
            "${B_1}",
            "$BC/d",
            "__NAME_1__",
            "___NAME___",
            "@NAME@",
            "@@NAME@@",
        ] {
            let text = format!("a {text};");
            assert_eq!(masked(&text), Some(text));
        }
        for text in [
            "$Ab",
            "$A",
            "${ab}",
            "__name__",
            "__A",
            "@A",
            "@named",
            "{A}",
            r"\p{LU}",
            "set $BC 1; $BC",
            "map $a $BC { } $BC",
        ] {
            assert_eq!(masked(text), None, "{text}");
        }
        assert!(masked("set $BC 1; $BD").is_some());
    }

    #[test]
    fn words_between_angle_brackets_in_samples() {
        let sampled = |text: &str| read(text, true).map(|template| template.masked);
        assert_eq!(sampled("a <b c>;").unwrap(), b"a xxxxx;");
        assert_eq!(sampled("a x.<b-c>;").unwrap(), b"a x.xxxxx;");
        for text in ["a (?<b>c);", "a (?P<b>c);", "a <b;", "a < b>;", "a <>;"] {
            assert_eq!(sampled(text), None, "{text}");
        }
        assert_eq!(masked("a <b c>;"), None);
    }

    #[test]
    fn ordinary_files_are_no_templates() {
        assert_eq!(masked("a ${b}; # {{ c }} __D__\n"), None);
        assert_eq!(masked("a {# b #}\n}"), None);
        assert_eq!(masked("a {{ b;"), None);
        assert_eq!(masked("set_by_lua_block $a {{1}} b;"), None);
        assert_eq!(masked("log_by_lua_block { a = {{1}} } b;"), None);
        let text = "a {# b #}\n${BB}}";
        assert_eq!(masked(text).unwrap(), text.replace("{# b #}", "       "));
    }

    #[test]
    fn time_is_linear() {
        for mark in [
            "{{",
            "{% {{x}} ",
            "<%",
            "{#",
            "{{x}} ",
            "${AB}",
            "__",
            "__A",
            "$AB",
            "<a ",
            "<abc>",
        ] {
            let _ = read(&mark.repeat(30_000), true);
        }
    }
}
