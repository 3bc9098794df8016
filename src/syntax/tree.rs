//! What the readers of tree-sitter's trees share.

use std::cell::{Cell, RefCell};
use std::ops::ControlFlow;

use tree_sitter::{Language, Node, ParseOptions, Parser, Tree};

use crate::limits::syntax::{MAX_DEPTH, MAX_PARSE_CHECKS, MAX_PARSE_READS, PARSE_CHUNK};
use crate::source::{SourceFile, Span};

/// The grammars that are built in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Grammar {
    Java,
    JavaScript,
    Kotlin,
    Python,
    Tsx,
    TypeScript,
}

impl Grammar {
    pub(crate) const COUNT: usize = 6;

    pub(crate) fn language(self) -> Language {
        match self {
            Self::Java => tree_sitter_java::LANGUAGE.into(),
            Self::JavaScript => tree_sitter_javascript::LANGUAGE.into(),
            Self::Kotlin => tree_sitter_kotlin_ng::LANGUAGE.into(),
            Self::Python => tree_sitter_python::LANGUAGE.into(),
            Self::Tsx => tree_sitter_typescript::LANGUAGE_TSX.into(),
            Self::TypeScript => tree_sitter_typescript::LANGUAGE_TYPESCRIPT.into(),
        }
    }
}

thread_local! {
    /// A parser per language.
    static PARSERS: RefCell<[Option<Parser>; Grammar::COUNT]> = RefCell::default();
}

/// Parses a text with this thread's parser of the language. `None` if that would take too much work:
/// repairing what is wrong in a text may take longer than its length tells.
pub(crate) fn parse(grammar: Grammar, text: &str) -> Option<Tree> {
    let bytes = text.as_bytes();
    let mut checks = MAX_PARSE_CHECKS + bytes.len();
    let reads = Cell::new(MAX_PARSE_READS + bytes.len() / 64);
    let mut progress = |_: &tree_sitter::ParseState| {
        checks = checks.saturating_sub(1);
        if checks == 0 || reads.get() == 0 {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    };
    PARSERS.with_borrow_mut(|parsers| {
        let slot = &mut parsers[grammar as usize];
        let parser = match slot {
            Some(parser) => parser,
            None => {
                let mut parser = Parser::new();
                parser.set_language(&grammar.language()).ok()?;
                slot.insert(parser)
            }
        };
        let options = ParseOptions::new().progress_callback(&mut progress);
        // The scanner of a grammar may look ahead to the end of the text for every token, and never
        // asks whether to go on; so the text is given in parts, and ends where the work does.
        let mut read = |at: usize, _| {
            let left = reads.get().saturating_sub(1);
            reads.set(left);
            let end = if left == 0 { at } else { at + PARSE_CHUNK };
            bytes.get(at..end.min(bytes.len())).unwrap_or_default()
        };
        let tree = parser.parse_with_options(&mut read, None, Some(options));
        let tree = tree.filter(|_| reads.get() > 0);
        // It would go on with the text that was given up.
        if tree.is_none() {
            parser.reset();
        }
        tree
    })
}

/// A file whose tree is read.
pub(crate) struct Reader<'a> {
    /// The file.
    pub(crate) file: &'a SourceFile,
    depth: u32,
}

impl<'a> Reader<'a> {
    pub(crate) const fn new(file: &'a SourceFile) -> Self {
        Self { file, depth: 0 }
    }

    pub(crate) fn span(&self, node: Node<'_>) -> Span {
        // What is parsed may end with a line break that the file has not.
        let end = self.file.text().len();
        let at = |byte: usize| u32::try_from(byte.min(end)).unwrap_or(u32::MAX);
        Span::new(self.file.id(), at(node.start_byte()), at(node.end_byte()))
    }

    pub(crate) fn text(&self, node: Node<'_>) -> &'a str {
        self.file.slice(self.span(node))
    }

    /// The text without blanks, for names that may be written over several lines.
    pub(crate) fn path(&self, node: Node<'_>) -> String {
        self.text(node).split_whitespace().collect()
    }

    /// Goes one level deeper; `false` (and no [`Reader::leave`] is due) if that is too deep.
    pub(crate) const fn enter(&mut self) -> bool {
        if self.depth >= MAX_DEPTH {
            return false;
        }
        self.depth += 1;
        true
    }

    pub(crate) const fn leave(&mut self) {
        self.depth -= 1;
    }
}

/// Runs a part of a reader with as much stack as it needs. Threads have little of it.
pub(crate) fn with_stack<T>(read: impl FnOnce() -> T) -> T {
    stacker::maybe_grow(128 * 1024, 1024 * 1024, read)
}

/// The named children, without comments.
pub(crate) fn children<'t>(node: Node<'t>) -> Vec<Node<'t>> {
    let mut cursor = node.walk();
    node.named_children(&mut cursor)
        .filter(|child| !child.kind().ends_with("comment"))
        .collect()
}

/// The first named child that is no comment.
pub(crate) fn first(node: Node<'_>) -> Option<Node<'_>> {
    children(node).into_iter().next()
}

/// The first child of a kind.
pub(crate) fn child<'t>(node: Node<'t>, kind: &str) -> Option<Node<'t>> {
    children(node)
        .into_iter()
        .find(|child| child.kind() == kind)
}

/// Does a node have a child that is this keyword or sign?
pub(crate) fn has_token(node: Node<'_>, token: &str) -> bool {
    node.children(&mut node.walk())
        .any(|child| !child.is_named() && child.kind() == token)
}
