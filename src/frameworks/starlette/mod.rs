//! Starlette and FastAPI: `CORSMiddleware` in a stack of middleware.
//!
//! Facts: starlette/middleware/cors.py, starlette/applications.py and starlette/routing.py of
//! 0.46.2, 0.51.0, 1.0.0, 1.7.0 and 1.10.0, compared with the running packages.

mod observe;
mod policy;
mod read;
mod respond;
mod route;
mod routes;

use std::path::Path;

use super::python::is_python;
use super::{Project, Reading};

/// Does this file have to do with Starlette or FastAPI?
#[must_use]
pub fn detect(path: &Path, text: &str) -> bool {
    is_python(path)
        && (text.contains("fastapi") || text.contains("starlette"))
        && [
            "FastAPI(",
            "Starlette(",
            "CORSMiddleware",
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
