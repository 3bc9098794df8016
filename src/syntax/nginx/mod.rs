//! nginx's configuration language: words, directives, blocks.
//!
//! The lexer follows `ngx_conf_read_token` in nginx's `src/core/ngx_conf_file.c`.

use crate::source::Span;

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
