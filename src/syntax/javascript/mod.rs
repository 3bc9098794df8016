//! JavaScript and TypeScript: files to syntax trees, and programs to values.

pub mod ast;
pub mod eval;
mod lower;
pub mod regex;

use std::path::Path;

use crate::source::SourceFile;
use crate::syntax::tree::{self, Grammar};

/// The endings of the files that are read.
pub const EXTENSIONS: [&str; 8] = ["js", "cjs", "mjs", "jsx", "ts", "cts", "mts", "tsx"];

/// Parses a file by the grammar that its name stands for.
#[must_use]
pub fn parse(file: &SourceFile) -> Option<ast::Module> {
    let tree = tree::parse(grammar(file.path()), file.text())?;
    Some(lower::module(tree.root_node(), file))
}

/// The grammar that a file's name stands for.
pub(crate) fn grammar(path: &Path) -> Grammar {
    let extension = path.extension().and_then(|text| text.to_str());
    match extension.unwrap_or_default() {
        "ts" | "cts" | "mts" => Grammar::TypeScript,
        "tsx" => Grammar::Tsx,
        _ => Grammar::JavaScript,
    }
}
