//! Bytes to tokens, as `ngx_conf_read_token` does it.

use nom::branch::alt;
use nom::bytes::complete::{take, take_till, take_while, take_while1};
use nom::character::complete::char;
use nom::combinator::{recognize, value};
use nom::multi::many0_count;
use nom::sequence::pair;
use nom::{IResult, Parser as _};

/// Bytes that nginx's buffer holds (`NGX_CONF_BUFFER`); a token and what ends it must fit.
const BUFFER: usize = 4096;

/// One token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Token {
    /// A word.
    Word(Word),
    /// `;`
    Semicolon,
    /// `{`
    Open,
    /// `}` where a token may start.
    Close,
    /// The end of the file.
    End,
}

/// A word's place; offsets count from the start of the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Word {
    /// First byte, the quote if there is one.
    pub(super) start: usize,
    /// One past the last byte, the closing quote included.
    pub(super) end: usize,
    /// One past the last byte of what the quotes enclose; without quotes the same as `end`.
    pub(super) content_end: usize,
    /// The quote that it starts with.
    pub(super) quote: Option<u8>,
    /// What is wrong with it.
    pub(super) fault: Option<Fault>,
}

/// What is wrong with a word or comment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// Something that ends no word follows a closing quote.
    Unexpected,
    /// The file ends inside.
    Unterminated,
    /// Does not fit the buffer.
    TooLong,
}

impl Word {
    /// First byte of the text, behind the quote if there is one.
    pub(super) fn content_start(&self) -> usize {
        self.start + usize::from(self.quote.is_some())
    }
}

/// Reads tokens of a file.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lexer<'a> {
    text: &'a [u8],
    at: usize,
}

type Input<'a> = &'a [u8];

const fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n')
}

/// A comment, its line end not included.
fn comment(input: Input<'_>) -> IResult<Input<'_>, Input<'_>> {
    recognize(pair(char('#'), take_till(|byte| byte == b'\n'))).parse_complete(input)
}

/// A backslash and what it shields.
fn escape(input: Input<'_>) -> IResult<Input<'_>, ()> {
    value((), pair(char('\\'), take(1usize))).parse_complete(input)
}

/// A word without quotes. A brace right behind `$` belongs to it.
fn bare(input: Input<'_>) -> IResult<Input<'_>, Input<'_>> {
    let plain = |byte: u8| !is_space(byte) && !matches!(byte, b';' | b'{' | b'\\' | b'$');
    recognize(many0_count(alt((
        value((), take_while1(plain)),
        value((), pair(char('$'), take_while(|byte| byte == b'{'))),
        escape,
    ))))
    .parse_complete(input)
}

/// What stands between two quotes, up to the second one or the end of the file.
fn quoted<'a>(quote: u8) -> impl FnMut(Input<'a>) -> IResult<Input<'a>, Input<'a>> {
    move |input| {
        let plain = move |byte: u8| byte != quote && byte != b'\\';
        recognize(many0_count(alt((value((), take_while1(plain)), escape)))).parse_complete(input)
    }
}

/// The punctuation that stands for itself.
fn punctuation(input: Input<'_>) -> IResult<Input<'_>, Token> {
    alt((
        value(Token::Semicolon, char(';')),
        value(Token::Open, char('{')),
        value(Token::Close, char('}')),
    ))
    .parse_complete(input)
}

impl<'a> Lexer<'a> {
    pub(super) const fn new(text: &'a [u8], at: usize) -> Self {
        Self { text, at }
    }

    /// The offset of the next byte to read.
    pub(super) const fn offset(&self) -> usize {
        self.at
    }

    /// Goes on at an offset.
    pub(super) const fn seek(&mut self, at: usize) {
        self.at = at;
    }

    fn rest(&self) -> Input<'a> {
        self.text.get(self.at..).unwrap_or_default()
    }

    /// Applies a parser that cannot fail and gives how many bytes it took.
    fn run(&mut self, parser: impl FnMut(Input<'a>) -> IResult<Input<'a>, Input<'a>>) -> usize {
        let mut parser = parser;
        let taken = parser(self.rest()).map_or(0, |(_, taken)| taken.len());
        self.at += taken;
        taken
    }

    /// The next token and, if a comment before it does not fit nginx's buffer, that comment's
    /// offset.
    pub(super) fn next(&mut self) -> (Token, Option<usize>) {
        let mut long_comment = None;
        loop {
            self.run(|input| take_while(is_space).parse_complete(input));
            let start = self.at;
            if self.run(comment) == 0 {
                break;
            }
            if self.at - start >= BUFFER {
                long_comment.get_or_insert(start);
            }
        }
        let token = match punctuation(self.rest()) {
            Ok((_, token)) => {
                self.at += 1;
                token
            }
            Err(_) => self.word(),
        };
        (token, long_comment)
    }

    /// Where the comments up to the end of the text are.
    pub(super) fn comments(mut self) -> Vec<std::ops::Range<usize>> {
        let mut found = Vec::new();
        loop {
            self.run(|input| take_while(is_space).parse_complete(input));
            let start = self.at;
            if self.run(comment) > 0 {
                found.push(start..self.at);
            } else if matches!(self.next(), (Token::End, _)) {
                return found;
            }
        }
    }

    fn word(&mut self) -> Token {
        let start = self.at;
        let quote = match self.rest().first() {
            None => return Token::End,
            Some(quote @ (b'"' | b'\'')) => Some(*quote),
            Some(_) => None,
        };
        let (content_end, fault) = match quote {
            Some(quote) => {
                self.at += 1;
                self.run(quoted(quote));
                (self.at, self.close_quote(quote, start + 1))
            }
            None => {
                self.run(bare);
                let fault = self.end_bare(start);
                (self.at, fault)
            }
        };
        Token::Word(Word {
            start,
            end: self.at,
            content_end,
            quote,
            fault,
        })
    }

    /// nginx keeps a token in its buffer until the byte behind it is read, and one byte longer if
    /// that is a space.
    fn too_long(&self, start: usize) -> bool {
        let space = self.rest().first().copied().is_some_and(is_space);
        let last = self.at + usize::from(space);
        last - start >= BUFFER && last < self.text.len()
    }

    /// Takes a backslash that is the last byte of the file and shields nothing.
    fn last_backslash(&mut self) {
        if self.rest() == b"\\" {
            self.at += 1;
        }
    }

    fn end_bare(&mut self, start: usize) -> Option<Fault> {
        self.last_backslash();
        if self.too_long(start) {
            Some(Fault::TooLong)
        } else if self.rest().is_empty() {
            Some(Fault::Unterminated)
        } else {
            None
        }
    }

    fn close_quote(&mut self, quote: u8, content: usize) -> Option<Fault> {
        self.last_backslash();
        if self.at - content >= BUFFER {
            return Some(Fault::TooLong);
        }
        if self.rest().first() != Some(&quote) {
            return Some(Fault::Unterminated);
        }
        self.at += 1;
        if self.too_long(content) {
            return Some(Fault::TooLong);
        }
        match self.rest().first() {
            None => Some(Fault::Unterminated),
            Some(byte) if is_space(*byte) || matches!(byte, b';' | b'{' | b')') => None,
            Some(_) => Some(Fault::Unexpected),
        }
    }
}

/// The decoded text of a word's source: some escapes lose their backslash, three become control
/// characters, all others stay as they are.
pub(super) fn unescape(source: &str) -> String {
    if !source.contains('\\') {
        return source.to_owned();
    }
    let mut text = String::with_capacity(source.len());
    let mut rest = source;
    while let Some(at) = rest.find('\\') {
        let (plain, escaped) = rest.split_at(at);
        text.push_str(plain);
        let decoded = match escaped.as_bytes().get(1) {
            Some(b'"') => '"',
            Some(b'\'') => '\'',
            Some(b'\\') => '\\',
            Some(b't') => '\t',
            Some(b'r') => '\r',
            Some(b'n') => '\n',
            _ => {
                text.push('\\');
                rest = &escaped[1..];
                continue;
            }
        };
        text.push(decoded);
        rest = &escaped[2..];
    }
    text.push_str(rest);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The decoded words and punctuation of a text, a fault as `!` behind its word.
    fn tokens(text: &str) -> Vec<String> {
        let mut lexer = Lexer::new(text.as_bytes(), 0);
        let mut found = Vec::new();
        loop {
            found.push(match lexer.next().0 {
                Token::End => return found,
                Token::Semicolon => ";".into(),
                Token::Open => "{".into(),
                Token::Close => "}".into(),
                Token::Word(word) => {
                    let inside = &text[word.content_start()..word.content_end];
                    let fault = if word.fault.is_some() { "!" } else { "" };
                    format!("<{}>{fault}", unescape(inside))
                }
            });
        }
    }

    #[track_caller]
    fn check(text: &str, expected: &str) {
        assert_eq!(tokens(text).join(" "), expected, "{text:?}");
    }

    #[test]
    fn only_four_characters_separate() {
        check("a b\tc\rd\ne;", "<a> <b> <c> <d> <e> ;");
        check("a\u{c}b\u{b}c\u{a0}d;", "<a\u{c}b\u{b}c\u{a0}d> ;");
    }

    #[test]
    fn a_closing_brace_does_not_end_a_word() {
        check("X-A a}b;", "<X-A> <a}b> ;");
        check("a{b;}", "<a> { <b> ; }");
        check("a;}b;", "<a> ; } <b> ;");
    }

    #[test]
    fn an_opening_brace_ends_a_word_except_behind_a_dollar() {
        check("a{2}$ ;", "<a> { <2}$> ;");
        check("${name}x;", "<${name}x> ;");
        check(r"~ \.php${ x", r"<~> <\.php${> <x>!");
        check("$${{a ;", "<$${{a> ;");
        check(r"$\{a{", r"<$\{a> {");
    }

    #[test]
    fn quotes_count_only_at_the_start() {
        check(r#"a"b"c 'x"y' "x'y";"#, r#"<a"b"c> <x"y> <x'y> ;"#);
        check(r#""" '';"#, "<> <> ;");
        check("\"a;{}# b\nc\";", "<a;{}# b\nc> ;");
    }

    #[test]
    fn few_things_may_follow_a_closing_quote() {
        check(r#""a""b";"#, r#"<a>! <b> ;"#);
        check(r#""a"b;"#, r#"<a>! <b> ;"#);
        check(r#"($x ~ "re"){"#, "<($x> <~> <re> <)> {");
        check(r#""re")x y;"#, "<re> <)x> <y> ;");
        check(r#""a"}"#, "<a>! }");
        check(r#""a"#, "<a>!");
    }

    #[test]
    fn escapes() {
        check(r#"\"\'\\ "\"\'\\";"#, r#"<"'\> <"'\> ;"#);
        check(r"a\tb\rc\nd;", "<a\tb\rc\nd> ;");
        check(r"\.\d\$v\é;", r"<\.\d\$v\é> ;");
        check(r"a\ b\;c\{d;", r"<a\ b\;c\{d> ;");
        check(r"\\n \\;", r"<\n> <\> ;");
    }

    #[test]
    fn comments_start_only_where_a_token_may() {
        check("a#b # c ; {\nd;#e", "<a#b> <d> ;");
        check("'#' \\# ;", r"<#> <\#> ;");
        check("#a\r;\n;", ";");
    }

    #[test]
    fn a_backslash_at_the_end_ends() {
        check("a\\", "<a\\>!");
        check("'\\", "<>!");
        check("\\", "<\\>!");
    }

    #[test]
    fn a_token_must_fit_the_buffer() {
        let fault = |text: &str| match Lexer::new(text.as_bytes(), 0).next().0 {
            Token::Word(word) => word.fault,
            token => panic!("{token:?}"),
        };
        let bare = |length: usize, end: &str| fault(&("a".repeat(length) + end));
        assert_eq!(bare(4095, ";x"), None);
        assert_eq!(bare(4096, ";x"), Some(Fault::TooLong));
        assert_eq!(bare(4094, " ;x"), None);
        assert_eq!(bare(4095, " ;x"), Some(Fault::TooLong));
        let quoted =
            |length: usize, end: &str| fault(&("\"".to_owned() + &"a".repeat(length) + end));
        assert_eq!(quoted(4094, "\";x"), None);
        assert_eq!(quoted(4095, "\";x"), Some(Fault::TooLong));
        assert_eq!(quoted(4093, "\" ;x"), None);
        assert_eq!(quoted(4094, "\" ;x"), Some(Fault::TooLong));
        let comment = |length: usize| {
            let text = "#".repeat(length) + "\na;";
            Lexer::new(text.as_bytes(), 0).next().1
        };
        assert_eq!(comment(4095), None);
        assert_eq!(comment(4096), Some(0));
    }
}
