//! Kotlin: files to the program model that it shares with Java.

mod declarations;
mod expressions;
mod text;

use std::sync::Arc;

use tree_sitter::Node;

use crate::source::SourceFile;
use crate::syntax::jvm::ast::Unit;

/// Parses a file.
#[must_use]
pub fn parse(file: &Arc<SourceFile>) -> Option<Unit> {
    let mut parser = tree_sitter::Parser::new();
    parser
        .set_language(&tree_sitter_kotlin_ng::LANGUAGE.into())
        .ok()?;
    let mut tree = parser.parse(file.text(), None)?;
    if tree.root_node().has_error() {
        // The grammar wants the last member of a class on a line of its own. Places stay the same.
        let lines = file.text().replace(" }", "\n}");
        tree = parser
            .parse(&lines, None)
            .filter(|other| errors(other.root_node()) < errors(tree.root_node()))
            .unwrap_or(tree);
    }
    Some(declarations::unit(tree.root_node(), file))
}

/// How many bytes are not understood.
fn errors(root: Node<'_>) -> usize {
    let mut count = 0;
    let mut open = vec![root];
    while let Some(node) = open.pop() {
        if node.is_error() || node.is_missing() {
            count += node.byte_range().len().max(1);
        } else if node.has_error() {
            open.extend(node.children(&mut node.walk()));
        }
    }
    count
}
