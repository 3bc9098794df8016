//! Kotlin: files to the program model that it shares with Java.

mod declarations;
mod expressions;
mod text;

use std::sync::Arc;

use tree_sitter::Node;

use crate::source::SourceFile;
use crate::syntax::jvm::ast::Unit;
use crate::syntax::tree::{self, Grammar};

/// Parses a file.
#[must_use]
pub fn parse(file: &Arc<SourceFile>) -> Option<Unit> {
    // The scanner of the grammar never gets to the end of a file that ends in an annotation.
    let text = format!("{}\n", file.text());
    let mut tree = tree::parse(Grammar::Kotlin, &text)?;
    if tree.root_node().has_error() {
        // The grammar wants the last member of a class on a line of its own. Places stay the same.
        let lines = text.replace(" }", "\n}");
        tree = tree::parse(Grammar::Kotlin, &lines)
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
