//! The languages in which edits are made.

use std::borrow::Cow;
use std::path::Path;

use tree_sitter::Tree;

use crate::source::SourceFile;
use crate::syntax::tree::{self, Grammar};
use crate::syntax::{javascript, nginx};

/// A language.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Language {
    Nginx,
    JavaScript,
    Python,
    Java,
    Kotlin,
    Yaml,
    Properties,
    Xml,
}

impl Language {
    /// The language of a file that a framework reads.
    pub(super) fn of(framework: &str, path: &Path) -> Option<Self> {
        let ending = path.extension().and_then(|ending| ending.to_str());
        let ending = ending.unwrap_or_default().to_ascii_lowercase();
        if framework == "nginx" {
            return Some(Self::Nginx);
        }
        Some(match ending.as_str() {
            ending if javascript::EXTENSIONS.contains(&ending) => Self::JavaScript,
            "py" | "pyw" => Self::Python,
            "java" => Self::Java,
            "kt" | "kts" => Self::Kotlin,
            "yaml" | "yml" => Self::Yaml,
            "properties" => Self::Properties,
            "xml" => Self::Xml,
            _ => return None,
        })
    }

    /// The syntax tree, of a language that has a grammar.
    pub(super) fn tree(self, file: &SourceFile) -> Option<Tree> {
        let grammar = match self {
            Self::JavaScript => javascript::grammar(file.path()),
            Self::Python => Grammar::Python,
            Self::Java => Grammar::Java,
            Self::Kotlin => Grammar::Kotlin,
            Self::Nginx | Self::Yaml | Self::Properties | Self::Xml => return None,
        };
        let mut text = Cow::Borrowed(file.text());
        if grammar == Grammar::Kotlin && !text.ends_with('\n') {
            // The scanner does not come to an end behind some last words.
            text.to_mut().push('\n');
        }
        tree::parse(grammar, &text)
    }

    /// Can the whole text be read in this language?
    pub(super) fn parses(self, file: &SourceFile) -> bool {
        match self {
            Self::Nginx => nginx::parse(file).errors.is_empty(),
            Self::Xml => roxmltree::Document::parse(file.text()).is_ok(),
            // What cannot be read of these is not in the settings, and then the grade is bad.
            Self::Yaml | Self::Properties => true,
            Self::JavaScript | Self::Python | Self::Java | Self::Kotlin => {
                let tree = self.tree(file);
                tree.is_some_and(|tree| !tree.root_node().has_error())
            }
        }
    }
}
