//! Syntax trees to [`ast`](super::ast).

mod declarations;
mod expressions;
mod literals;
mod statements;

use tree_sitter::Node;

use super::ast::{Module, Name};
use crate::source::SourceFile;
use crate::syntax::tree::Reader;

/// Lowers a file's tree.
pub(super) fn module(root: Node<'_>, file: &SourceFile) -> Module {
    let mut lower = Lower(Reader::new(file));
    Module {
        body: lower.statements(root),
        span: file.span(),
        has_errors: root.has_error(),
    }
}

struct Lower<'a>(Reader<'a>);

impl Lower<'_> {
    fn name(&self, node: Node<'_>) -> Name {
        self.0.text(node).into()
    }
}
