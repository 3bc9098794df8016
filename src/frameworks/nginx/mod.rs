//! nginx: a configuration tree with phases, inherited header lists and lazily computed variables.

use std::path::Path;

use super::{Project, Reading};

/// Is this file an nginx configuration, or a piece of one?
#[must_use]
pub fn detect(_path: &Path, _text: &str) -> bool {
    false
}

/// Reads the nginx configurations of a project.
#[must_use]
pub fn read(_project: Project<'_>) -> Reading {
    Reading::default()
}
