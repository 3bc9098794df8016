//! nginx's configuration language: words, directives, blocks.
//!
//! The lexer follows `ngx_conf_read_token` in nginx's `src/core/ngx_conf_file.c`. [`parse`] reads
//! one file; what it includes is not its business.

pub mod check;
mod lexer;
mod lua;
mod parser;
pub mod sniff;
pub mod table;
mod template;

use crate::source::{SourceFile, Span};

pub use parser::{MAX_DEPTH, MAX_ERRORS};

/// Where the comments of a file are.
pub(crate) fn comments(text: &str) -> Vec<std::ops::Range<usize>> {
    lexer::Lexer::new(text.as_bytes(), 0).comments()
}

/// One word of a directive, decoded as nginx decodes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Word {
    /// The text after unquoting and unescaping; `$` still stands for variables.
    pub text: String,
    /// Where the word stands, quotes included.
    pub span: Span,
    /// Written in quotes. nginx forgets this; only fixes and messages may look at it.
    pub quoted: bool,
}

impl Word {
    /// How many bytes after the start of [`span`](Self::span) the text starts, if text and source
    /// agree byte for byte: 1 behind a quote, else 0. `None` if unescaping changed bytes.
    #[must_use]
    pub fn text_offset(&self) -> Option<u32> {
        // Unescaping only ever removes bytes, so equal lengths mean equal bytes.
        let quotes = if self.quoted { 2 } else { 0 };
        let written = (self.span.end - self.span.start) as usize;
        (written == self.text.len() + quotes).then_some(u32::from(self.quoted))
    }

    /// The span of the bytes `start..end` of [`text`](Self::text), or the whole word's span if
    /// unescaping changed bytes.
    #[must_use]
    pub fn part(&self, start: usize, end: usize) -> Span {
        self.text_offset().map_or(self.span, |offset| {
            self.span
                .part(start + offset as usize, end + offset as usize)
        })
    }
}

/// What stands behind a directive's words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Body {
    /// `;`
    None,
    /// `{ … }` with directives.
    Block(Vec<Directive>),
    /// `{ … }` with a foreign language (`*_by_lua_block`), unread; the span between the braces.
    Foreign(Span),
}

/// A directive: name, arguments, perhaps a block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Directive {
    /// The name.
    pub name: Word,
    /// The arguments.
    pub args: Vec<Word>,
    /// The block, if any.
    pub body: Body,
    /// From the name to `;` or `}`, both included.
    pub span: Span,
}

/// Something that nginx refuses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyntaxError {
    /// Where.
    pub span: Span,
    /// nginx's own words, without file and line.
    pub message: String,
}

/// What came of reading one file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Parsed {
    /// The directives; those with an error as far as they could be read.
    pub directives: Vec<Directive>,
    /// What nginx refuses, in the order of the file; at most one per statement and
    /// [`MAX_ERRORS`] in all. Empty for a template.
    pub errors: Vec<SyntaxError>,
    /// The file is not a configuration but makes one: it holds marks of Jinja, ERB, Go or
    /// handlebars templates, or words in capitals that a script replaces (`${X}`, `$X` that is not
    /// set, `__X__`, `@X@`, `{X}`). Its directives are best effort, and a placeholder stands in a
    /// word as it is written.
    pub template: bool,
}

/// Reads a file. Linear in its size; never fails, see [`Parsed::errors`].
#[must_use]
pub fn parse(file: &SourceFile) -> Parsed {
    parser::parse(file)
}
