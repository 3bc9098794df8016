//! What the readers of tree-sitter's trees share.

use tree_sitter::Node;

use crate::source::{SourceFile, Span};

/// Deeper nesting is unknown.
pub(crate) const MAX_DEPTH: u32 = 250;

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
        let at = |byte: usize| u32::try_from(byte).unwrap_or(u32::MAX);
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
