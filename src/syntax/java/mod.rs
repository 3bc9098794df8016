//! Java: files to the program model that it shares with Kotlin.

mod declarations;
mod expressions;
mod text;

use std::sync::Arc;

use crate::source::SourceFile;
use crate::syntax::jvm::ast::Unit;

/// Parses a file.
#[must_use]
pub fn parse(file: &Arc<SourceFile>) -> Option<Unit> {
    let mut parser = tree_sitter::Parser::new();
    parser
        .set_language(&tree_sitter_java::LANGUAGE.into())
        .ok()?;
    let tree = parser.parse(file.text(), None)?;
    Some(declarations::unit(tree.root_node(), file))
}
