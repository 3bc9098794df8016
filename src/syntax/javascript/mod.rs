//! JavaScript and TypeScript: files to syntax trees, and programs to values.

pub mod ast;
pub mod eval;
mod lower;
pub mod regex;

use std::path::Path;

use crate::source::SourceFile;

/// The endings of the files that are read.
pub const EXTENSIONS: [&str; 8] = ["js", "cjs", "mjs", "jsx", "ts", "cts", "mts", "tsx"];

/// Parses a file by the grammar that its name stands for.
#[must_use]
pub fn parse(file: &SourceFile) -> Option<ast::Module> {
    let mut parser = tree_sitter::Parser::new();
    parser.set_language(&language(file.path())).ok()?;
    let tree = parser.parse(file.text(), None)?;
    Some(lower::module(tree.root_node(), file))
}

/// The grammar that a file's name stands for.
pub(crate) fn language(path: &Path) -> tree_sitter::Language {
    let extension = path.extension().and_then(|text| text.to_str());
    match extension.unwrap_or_default() {
        "ts" | "cts" | "mts" => tree_sitter_typescript::LANGUAGE_TYPESCRIPT.into(),
        "tsx" => tree_sitter_typescript::LANGUAGE_TSX.into(),
        _ => tree_sitter_javascript::LANGUAGE.into(),
    }
}
