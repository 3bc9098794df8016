//! Places of source as formats for programs want them.

use std::path::Path;

use super::Paths;
use crate::source::{Position, Sources, Span};

/// A stretch of a file.
pub(super) struct Place {
    /// As a person in the working directory would type it, with `/` between folders.
    pub(super) path: String,
    pub(super) start: Position,
    /// The one behind the last character.
    pub(super) end: Position,
}

/// Where a span is.
pub(super) fn place(span: Span, sources: &Sources, paths: &Paths) -> Place {
    let file = sources.get(span.file);
    Place {
        path: path_text(file.path(), paths),
        start: file.position(span.start),
        end: file.position(span.end.max(span.start)),
    }
}

/// A path with `/` between folders; bytes that are no text become U+FFFD.
pub(super) fn path_text(path: &Path, paths: &Paths) -> String {
    let path = paths.relative(path);
    path.to_string_lossy().replace('\\', "/")
}

/// A path as a URI reference: everything but unreserved characters and `/` percent-encoded
/// (RFC 3986).
pub(super) fn uri(path: &str) -> String {
    let mut uri = String::with_capacity(path.len());
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            uri.push(char::from(byte));
        } else {
            uri.push_str(&format!("%{byte:02X}"));
        }
    }
    uri
}
