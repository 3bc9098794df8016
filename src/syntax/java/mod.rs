//! Java: files to the program model that it shares with Kotlin.

mod declarations;
mod expressions;
mod text;

use std::sync::Arc;

use crate::source::SourceFile;
use crate::syntax::jvm::ast::Unit;
use crate::syntax::tree::{self, Grammar};

/// Parses a file.
#[must_use]
pub fn parse(file: &Arc<SourceFile>) -> Option<Unit> {
    let tree = tree::parse(Grammar::Java, file.text())?;
    Some(declarations::unit(tree.root_node(), file))
}
