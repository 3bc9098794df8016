//! Tokens to directives, as `ngx_conf_parse` does it, going on after errors.

use super::lexer::{self, Fault, Lexer, Token};
use super::table::{self, Syntax};
use super::{Body, Directive, Parsed, SyntaxError, Word, lua, template};
pub use crate::limits::nginx::parser::MAX_DEPTH;
pub use crate::limits::nginx::parser::MAX_ERRORS;
use crate::source::{SourceFile, Span};

/// A statement of more words is left as it is: each split moves them all.
const LONGEST_SPLIT: usize = 256;

const END_IN_STATEMENT: &str = r#"unexpected end of file, expecting ";" or "}""#;
const END_IN_BLOCK: &str = r#"unexpected end of file, expecting "}""#;
const BOM: char = '\u{feff}';

pub(super) fn parse(file: &SourceFile) -> Parsed {
    let template = template::read(file.text(), template::is_sample(file.path()));
    let lexed = match &template {
        Some(template) => template.masked.as_slice(),
        None => file.text().as_bytes(),
    };
    let mut parser = Parser {
        file,
        lexed,
        lexer: Lexer::new(lexed, 0),
        words: Vec::new(),
        blocks: Vec::new(),
        directives: Vec::new(),
        errors: Vec::new(),
        errors_before: 0,
    };
    parser.byte_order_mark();
    parser.run();
    let template = template.is_some();
    Parsed {
        directives: parser.directives,
        errors: if template { Vec::new() } else { parser.errors },
        template,
    }
}

/// A block whose end is not read yet.
struct Block {
    words: Vec<Word>,
    /// The directives that stood before the block.
    before: Vec<Directive>,
}

struct Parser<'a> {
    file: &'a SourceFile,
    /// What the lexer reads: the file's text, or the same length of a template's.
    lexed: &'a [u8],
    lexer: Lexer<'a>,
    /// The words of the statement so far.
    words: Vec<Word>,
    /// The blocks around it.
    blocks: Vec<Block>,
    /// The directives of the innermost block so far.
    directives: Vec<Directive>,
    errors: Vec<SyntaxError>,
    /// How many errors there were when the statement started.
    errors_before: usize,
}

impl Parser<'_> {
    fn span(&self, start: usize, end: usize) -> Span {
        self.file.span().part(start, end)
    }

    /// Keeps the first error of a statement.
    fn error(&mut self, start: usize, end: usize, message: impl Into<String>) {
        if self.errors.len() == self.errors_before && self.errors.len() < MAX_ERRORS {
            self.errors.push(SyntaxError {
                span: self.span(start, end),
                message: message.into(),
            });
        }
    }

    fn statement_ends(&mut self) {
        self.errors_before = self.errors.len();
    }

    /// nginx takes a byte order mark as a part of the first word.
    fn byte_order_mark(&mut self) {
        if !self.file.text().starts_with(BOM) {
            return;
        }
        if let (Token::Word(word), _) = self.lexer.next() {
            let name = self.text(&word);
            self.error(0, word.end, format!(r#"unknown directive "{name}""#));
        }
        self.statement_ends();
        self.lexer.seek(BOM.len_utf8());
    }

    fn run(&mut self) {
        loop {
            let (token, long_comment) = self.lexer.next();
            if let Some(start) = long_comment {
                self.too_long(start, None);
            }
            let end = self.lexer.offset();
            match token {
                Token::Word(word) => self.word(&word),
                Token::Semicolon if self.words.is_empty() => {
                    self.error(end - 1, end, r#"unexpected ";""#);
                    self.statement_ends();
                }
                Token::Semicolon => {
                    self.split_statement(false);
                    self.finish(Body::None, end);
                }
                Token::Open => self.open(end),
                Token::Close => self.close(end),
                Token::End => return self.end(),
            }
        }
    }

    fn text(&self, word: &lexer::Word) -> String {
        let span = self.span(word.content_start(), word.content_end);
        lexer::unescape(self.file.slice(span))
    }

    fn too_long(&mut self, start: usize, quote: Option<u8>) {
        let message = if let Some(quote) = quote {
            let quote = char::from(quote);
            format!(r#"too long parameter, probably missing terminating "{quote}" character"#)
        } else {
            let text = self.file.text().as_bytes();
            let begin = text
                .get(start..text.len().min(start + 10))
                .unwrap_or_default();
            let begin = String::from_utf8_lossy(begin);
            format!(r#"too long parameter "{begin}..." started"#)
        };
        self.error(start, start + 1, message);
    }

    fn word(&mut self, word: &lexer::Word) {
        let spans_lines = || self.lexed[word.start..word.end].contains(&b'\n');
        match word.fault {
            None => {}
            Some(Fault::Unexpected) => {
                let found = self
                    .file
                    .text()
                    .get(word.end..)
                    .and_then(|rest| rest.chars().next());
                let found = found.unwrap_or(char::REPLACEMENT_CHARACTER);
                let unexpected = format!(r#"unexpected "{found}""#);
                let is_multiline = spans_lines();
                self.error(word.end, word.end + found.len_utf8(), unexpected);
                if is_multiline {
                    return self.broken_quote(word);
                }
            }
            Some(Fault::TooLong) => {
                self.too_long(
                    word.start,
                    word.quote.filter(|_| word.content_end == word.end),
                );
                if word.quote.is_some() && spans_lines() {
                    return self.broken_quote(word);
                }
            }
            Some(Fault::Unterminated) => {
                self.error(word.start, word.end, END_IN_STATEMENT);
                if word.quote.is_some() && word.content_end == word.end {
                    return self.broken_quote(word);
                }
            }
        }
        self.words.push(Word {
            text: self.text(word),
            span: self.span(word.start, word.end),
            quoted: word.quote.is_some(),
        });
    }

    /// A quote that was meant to end on its own line, most likely: the word ends there, and with
    /// it the statement or its head.
    fn broken_quote(&mut self, word: &lexer::Word) {
        let inside = &self.lexed[word.content_start()..word.content_end];
        let line = inside
            .split(|byte| *byte == b'\n')
            .next()
            .unwrap_or_default();
        let line = line.trim_ascii_end();
        let head = line.strip_suffix(b"{");
        let kept = head
            .or(line.strip_suffix(b";"))
            .unwrap_or(line)
            .trim_ascii_end();
        let end = word.content_start() + kept.len();
        let stop = word.content_start() + line.len();
        let cut = lexer::Word {
            end,
            content_end: end,
            ..*word
        };
        self.words.push(Word {
            text: self.text(&cut),
            span: self.span(word.start, end),
            quoted: true,
        });
        self.lexer.seek(stop);
        match head {
            Some(_) => self.open(stop),
            None => self.finish(Body::None, stop),
        }
    }

    /// Makes a directive of the statement that ends at `end`.
    fn finish(&mut self, body: Body, end: usize) {
        let words = std::mem::take(&mut self.words);
        self.push(words, body, end);
        self.statement_ends();
    }

    fn push(&mut self, words: Vec<Word>, body: Body, end: usize) {
        let mut words = words.into_iter();
        let Some(name) = words.next() else {
            return;
        };
        let span = Span {
            end: self.span(0, end).end,
            ..name.span
        };
        self.directives.push(Directive {
            name,
            args: words.collect(),
            body,
            span,
        });
    }

    /// A semicolon is missing if a directive does not fit what it is given and a line inside the
    /// statement starts with another directive: makes statements of all but the last.
    fn split_statement(&mut self, has_block: bool) {
        while let Some(at) = self.missing_semicolon(has_block) {
            let rest = self.words.split_off(at);
            let (Some(name), Some(last)) = (self.words.first(), self.words.last()) else {
                return;
            };
            let (name, span, end) = (name.text.clone(), name.span, last.span.end as usize);
            let message = if has_block {
                format!(r#"directive "{name}" is not terminated by ";""#)
            } else {
                format!(r#"invalid number of arguments in "{name}" directive"#)
            };
            self.error(span.start as usize, span.end as usize, message);
            self.finish(Body::None, end);
            self.words = rest;
        }
    }

    /// The index of the word before which a semicolon is missing.
    fn missing_semicolon(&self, has_block: bool) -> Option<usize> {
        let (first, last) = (self.words.first()?, self.words.last()?);
        let lines = first.span.start as usize..last.span.end as usize;
        if !self.lexed.get(lines)?.contains(&b'\n') {
            return None;
        }
        let variants = table::variants(&first.text);
        let fits = |count: usize, has_block: bool| {
            let mut variants = variants.iter();
            variants.any(|v| v.syntax.is_block() == has_block && v.arity.allows(count))
        };
        let is_known = |words: &[Word]| {
            let name = words.first().map(|name| name.text.as_str());
            table::variants(name.unwrap_or_default())
                .iter()
                .any(|variant| variant.syntax == Syntax::Block)
        };
        if variants.is_empty()
            || self.words.len() > LONGEST_SPLIT
            || fits(self.words.len() - 1, has_block)
            || !self.blocks.iter().all(|block| is_known(&block.words))
        {
            return None;
        }
        let starts_line = |at: &usize| {
            let between =
                self.words[*at - 1].span.end as usize..self.words[*at].span.start as usize;
            self.lexed
                .get(between)
                .is_some_and(|blank| blank.contains(&b'\n'))
        };
        (1..self.words.len())
            .filter(|at| fits(*at - 1, false))
            .filter(starts_line)
            .find(|at| !table::variants(&self.words[*at].text).is_empty())
    }

    fn open(&mut self, end: usize) {
        self.split_statement(true);
        if self.words.is_empty() {
            self.error(end - 1, end, r#"unexpected "{""#);
        }
        let is_lua = |name: &Word| name.text.ends_with("_by_lua_block");
        if self.words.first().is_some_and(is_lua) {
            return self.foreign(end);
        }
        if self.blocks.len() >= MAX_DEPTH {
            self.error(end - 1, end, "blocks are nested too deeply");
            let stop = self.skip_block();
            return self.finish(Body::Block(Vec::new()), stop);
        }
        self.blocks.push(Block {
            words: std::mem::take(&mut self.words),
            before: std::mem::take(&mut self.directives),
        });
        self.statement_ends();
    }

    fn foreign(&mut self, start: usize) {
        let rest = self.lexed.get(start..).unwrap_or_default();
        let length = lua::block_end(rest);
        let end = start + length.unwrap_or(rest.len());
        if length.is_none() {
            self.error(
                start - 1,
                start,
                "unexpected end of file, expecting terminating characters for lua code block",
            );
        }
        let stop = end + usize::from(length.is_some());
        self.lexer.seek(stop);
        self.finish(Body::Foreign(self.span(start, end)), stop);
    }

    /// Reads to the end of a block without keeping anything; gives the offset behind it.
    fn skip_block(&mut self) -> usize {
        let mut depth = 1usize;
        while depth > 0 {
            match self.lexer.next().0 {
                Token::Open => depth += 1,
                Token::Close => depth -= 1,
                Token::End => break,
                Token::Word(_) | Token::Semicolon => {}
            }
        }
        self.lexer.offset()
    }

    fn close(&mut self, end: usize) {
        if !self.words.is_empty() {
            self.error(end - 1, end, r#"unexpected "}""#);
            self.finish(Body::None, end - 1);
        }
        if self.blocks.is_empty() {
            self.error(end - 1, end, r#"unexpected "}""#);
        }
        self.end_block(end);
        self.statement_ends();
    }

    /// Makes a directive of the innermost block, if there is one.
    fn end_block(&mut self, end: usize) {
        if let Some(block) = self.blocks.pop() {
            let inner = std::mem::replace(&mut self.directives, block.before);
            self.push(block.words, Body::Block(inner), end);
        }
    }

    fn end(&mut self) {
        let end = self.lexed.len();
        if !self.words.is_empty() {
            self.error(end, end, END_IN_STATEMENT);
            self.finish(Body::None, end);
        } else if !self.blocks.is_empty() && self.errors_before == self.errors.len() {
            self.error(end, end, END_IN_BLOCK);
        }
        while !self.blocks.is_empty() {
            self.end_block(end);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Sources;

    fn read(text: &str) -> Parsed {
        parse(&Sources::new().add("nginx.conf".into(), text.into()))
    }

    /// A tree as text: words in `<>`, blocks in braces.
    fn show(directives: &[Directive]) -> String {
        let one = |directive: &Directive| {
            let words = std::iter::once(&directive.name).chain(&directive.args);
            let words: Vec<_> = words.map(|word| format!("<{}>", word.text)).collect();
            let body = match &directive.body {
                Body::None => ";".into(),
                Body::Block(inner) => format!("{{{}}}", show(inner)),
                Body::Foreign(span) => format!("[{}..{}]", span.start, span.end),
            };
            words.join(" ") + &body
        };
        directives.iter().map(one).collect::<Vec<_>>().join(" ")
    }

    #[track_caller]
    fn check(text: &str, tree: &str, errors: &[&str]) {
        let parsed = read(text);
        let messages: Vec<_> = parsed.errors.iter().map(|e| e.message.as_str()).collect();
        assert_eq!(
            (show(&parsed.directives).as_str(), &messages[..]),
            (tree, errors),
            "{text}"
        );
    }

    #[test]
    fn directives_and_blocks() {
        check("a;b c{d e;f{}}g;", "<a>; <b> <c>{<d> <e>; <f>{}} <g>;", &[]);
        check("", "", &[]);
        check("# only\n# comments", "", &[]);
        check("{{# e #}} a b;", "<a> <b>;", &[]);
    }

    #[test]
    fn spans_reach_from_name_to_end() {
        let text = "a 'b' {\n c d;\n}";
        let sources = Sources::new();
        let file = sources.add("x".into(), text.into());
        let parsed = parse(&file);
        let block = &parsed.directives[0];
        assert_eq!(file.slice(block.span), text);
        assert_eq!(file.slice(block.args[0].span), "'b'");
        assert_eq!(block.args[0].text_offset(), Some(1));
        let Body::Block(inner) = &block.body else {
            panic!("{block:?}");
        };
        assert_eq!(file.slice(inner[0].span), "c d;");
        assert_eq!(file.slice(inner[0].args[0].part(0, 1)), "d");
    }

    #[test]
    fn escapes_hide_where_the_text_stands() {
        let parsed = read(r#"a b\.c "d\"e";"#);
        let args = &parsed.directives[0].args;
        assert_eq!(args[0].text_offset(), Some(0));
        assert_eq!(args[1].text_offset(), None);
        assert_eq!(args[1].part(0, 1), args[1].span);
    }

    #[test]
    fn empty_statements_are_refused() {
        check(";;a;", "<a>;", &[r#"unexpected ";""#, r#"unexpected ";""#]);
        check("{a;}b;", "<b>;", &[r#"unexpected "{""#]);
    }

    #[test]
    fn what_stands_behind_an_error_is_read() {
        check("a{b c }d;", "<a>{<b> <c>;} <d>;", &[r#"unexpected "}""#]);
        check("a;}b;", "<a>; <b>;", &[r#"unexpected "}""#]);
        check(r#"a "b"c;d;"#, "<a> <b> <c>; <d>;", &[r#"unexpected "c""#]);
        check(
            "a \"b;\nc \"d\";\ne;",
            "<a> <b>; <c> <d>; <e>;",
            &[r#"unexpected "d""#],
        );
        check(
            "a \"b {\nc d;}\ne;",
            "<a> <b>{<c> <d>;} <e>;",
            &[END_IN_STATEMENT],
        );
    }

    #[test]
    fn a_missing_semicolon_costs_no_directive() {
        check(
            "add_header A b always\nadd_header C d;",
            "<add_header> <A> <b> <always>; <add_header> <C> <d>;",
            &[r#"invalid number of arguments in "add_header" directive"#],
        );
        check(
            "server { root /a\n location / { return 204\n } }",
            "<server>{<root> </a>; <location> </>{<return> <204>;}}",
            &[
                r#"directive "root" is not terminated by ";""#,
                r#"unexpected "}""#,
            ],
        );
        // Where names mean nothing, lines are not split.
        check(
            "map $a $b { root x\nroot y; }",
            "<map> <$a> <$b>{<root> <x> <root> <y>;}",
            &[],
        );
        check(
            "unknown { root x\nroot y; }",
            "<unknown>{<root> <x> <root> <y>;}",
            &[],
        );
        check("root a\nb;", "<root> <a> <b>;", &[]);
        check("gzip_types a\nroot;", "<gzip_types> <a> <root>;", &[]);
    }

    #[test]
    fn files_that_end_too_early() {
        check("a b", "<a> <b>;", &[END_IN_STATEMENT]);
        check("a {b;", "<a>{<b>;}", &[END_IN_BLOCK]);
        check("a {b", "<a>{<b>;}", &[END_IN_STATEMENT]);
        check("a {", "<a>{}", &[END_IN_BLOCK]);
        check("a 'b", "<a> <b>;", &[END_IN_STATEMENT]);
        check("a 'b'", "<a> <b>;", &[END_IN_STATEMENT]);
    }

    #[test]
    fn a_byte_order_mark_is_an_unknown_directive() {
        check(
            "\u{feff}server {}",
            "<server>{}",
            &["unknown directive \"\u{feff}server\""],
        );
        check("\u{feff}", "", &["unknown directive \"\u{feff}\""]);
    }

    #[test]
    fn lua_blocks_are_not_read() {
        check(
            "content_by_lua_block { a(\"}\") } b;",
            "<content_by_lua_block>[22..30] <b>;",
            &[],
        );
        check(
            "set_by_lua_block $v {{}}",
            "<set_by_lua_block> <$v>[21..23]",
            &[],
        );
        check("content_by_lua 'a }';", "<content_by_lua> <a }>;", &[]);
        check(
            "content_by_lua_block { {",
            "<content_by_lua_block>[22..24]",
            &["unexpected end of file, expecting terminating characters for lua code block"],
        );
    }

    #[test]
    fn long_tokens_are_refused_and_skipped() {
        let long = "x".repeat(5000);
        let check = |text: String, words: usize, errors: &[&str]| {
            let parsed = read(&text);
            let found: Vec<_> = parsed.errors.iter().map(|e| e.message.as_str()).collect();
            assert_eq!(found, errors);
            let count = |directive: &Directive| 1 + directive.args.len();
            assert_eq!(parsed.directives.iter().map(count).sum::<usize>(), words);
            assert_eq!(parsed.directives.last().unwrap().name.text, "d");
        };
        let started = "too long parameter \"xxxxxxxxxx...\" started";
        let unclosed = "too long parameter, probably missing terminating \"'\" character";
        check(format!("{long};d;"), 2, &[started]);
        check(format!("a 'b;\n{long};\nd;"), 4, &[unclosed, started]);
        check(format!("a 'b;\n{long} c';\nd;"), 5, &[unclosed, started]);
        let comment = "too long parameter \"#xxxxxxxxx...\" started";
        check(format!("#{long}\nd;"), 1, &[comment]);
    }

    #[test]
    fn depth_is_bounded() {
        for text in [
            "a{".repeat(200_000),
            "a{".repeat(50_000) + &"}".repeat(50_000),
        ] {
            let parsed = read(&text);
            assert!(
                parsed
                    .errors
                    .iter()
                    .any(|e| e.message.contains("too deeply"))
            );
            assert!(parsed.errors.len() <= 2);
        }
        let braces = [r#"unexpected "{""#, r#"unexpected "{""#, END_IN_BLOCK];
        check("{{", "", &braces);
    }

    #[test]
    fn errors_are_bounded() {
        assert_eq!(read(&";".repeat(10_000)).errors.len(), MAX_ERRORS);
    }

    #[test]
    fn templates_are_read_without_errors() {
        let parsed = read("server {\n{% if a %}\nlisten {{ port }};\n{% endif %}\n} }");
        assert!(parsed.template);
        assert_eq!(parsed.errors, []);
        assert_eq!(show(&parsed.directives), "<server>{<listen> <{{ port }}>;}");
        assert!(read("listen ${PORT};").template);
        assert!(read("listen __PORT__;").template);
    }
}
