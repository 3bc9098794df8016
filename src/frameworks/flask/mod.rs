//! Flask with Flask-CORS: response hooks, the decorator, and headers set by hand.
//!
//! Facts: flask_cors/core.py, extension.py and decorator.py of 4.0.2 and 6.0.5, compared with the
//! running packages.

mod cookie;
mod observe;
mod policy;
mod read;
mod respond;
mod route;
mod routes;

use std::path::Path;

use super::python::is_python;
use super::{Project, Reading};

/// Does this file have to do with Flask?
#[must_use]
pub fn detect(path: &Path, text: &str) -> bool {
    is_python(path)
        && (text.contains("flask") || text.contains("Flask"))
        && [
            "Flask(",
            "flask_cors",
            "Blueprint(",
            "CORS_",
            "access-control",
            "Access-Control",
        ]
        .iter()
        .any(|word| text.contains(word))
}

/// Reads the applications of a project.
#[must_use]
pub fn read(project: Project<'_>) -> Reading {
    read::read(&project)
}
