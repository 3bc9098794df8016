//! Django with django-cors-headers: settings modules and the middleware.
//!
//! Facts: corsheaders/middleware.py, conf.py and checks.py of 4.9.0 and its changelog, compared with
//! the running packages.

mod methods;
mod observe;
mod policy;
mod read;
mod respond;
mod urls;

use std::path::Path;

use super::python::is_python;
use super::{Project, Reading};

/// Does this file have to do with Django's settings, or does it set CORS headers in Django?
#[must_use]
pub fn detect(path: &Path, text: &str) -> bool {
    if !is_python(path) {
        return false;
    }
    let settings = [
        "MIDDLEWARE",
        "INSTALLED_APPS",
        "corsheaders",
        "split_settings",
    ]
    .iter()
    .any(|word| text.contains(word));
    let cors = text.contains("CORS_") && !text.contains("flask") && !text.contains("fastapi");
    let by_hand = (text.contains("django") || text.contains("get_response"))
        && (text.contains("Access-Control-Allow") || text.contains("access-control-allow"));
    settings || cors || by_hand || sets_items(text)
}

/// Does a text set a CORS header as Django's responses take it, `response["Access-Control-…"]`?
/// Those of other frameworks have `headers` for that.
fn sets_items(text: &str) -> bool {
    let mut items = ["[\"Access-Control-Allow", "['Access-Control-Allow"]
        .iter()
        .flat_map(|item| text.match_indices(item));
    items.any(|(at, _)| !text[..at].ends_with("headers"))
}

/// Reads the settings modules of a project.
#[must_use]
pub fn read(project: Project<'_>) -> Reading {
    read::read(&project)
}
