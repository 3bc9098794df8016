//! Frameworks: syntax to sites. Each knows its own semantics and nothing of rules.
//!
//! A framework is one module with three steps under the same names: `detect` (is this file
//! mine?), `read` (syntax to its own small settings) and `respond` (settings × request × world to
//! responses, behind [`Site`]).

pub(crate) mod answers;
pub mod boot;
pub mod django;
pub mod express;
pub mod flask;
pub mod nginx;
pub(crate) mod python;
pub mod spring;
pub mod starlette;

use std::path::Path;
use std::sync::Arc;

use crate::model::{Environment, Site};
use crate::source::{SourceFile, Sources};

/// A framework's entry points.
#[derive(Clone, Copy, Debug)]
pub struct Framework {
    /// Its name, as in `fixtures/` and in rules' examples.
    pub name: &'static str,
    /// Is this file, by its path and text, the framework's?
    pub detect: fn(&Path, &str) -> bool,
    /// Reads the files of a project that `detect` claimed.
    pub read: fn(Project<'_>) -> Reading,
}

/// Every framework.
pub const ALL: &[Framework] = &[
    Framework {
        name: "nginx",
        detect: nginx::detect,
        read: nginx::read,
    },
    Framework {
        name: "express",
        detect: express::detect,
        read: express::read,
    },
    Framework {
        name: "django",
        detect: django::detect,
        read: django::read,
    },
    Framework {
        name: "flask",
        detect: flask::detect,
        read: flask::read,
    },
    Framework {
        name: "spring",
        detect: spring::detect,
        read: spring::read,
    },
    Framework {
        name: "starlette",
        detect: starlette::detect,
        read: starlette::read,
    },
];

/// What a framework reads: one project.
#[derive(Clone, Copy, Debug)]
pub struct Project<'a> {
    /// The project's folder.
    pub root: &'a Path,
    /// The files that the framework's `detect` claimed, in path order.
    pub files: &'a [Arc<SourceFile>],
    /// For files that are included or imported by those.
    pub sources: &'a Sources,
    /// What the environment will hold; what it does not name stays unknown.
    pub environment: &'a Environment,
}

/// What came of reading a project.
#[derive(Default)]
pub struct Reading {
    /// The sites found.
    pub sites: Vec<Box<dyn Site>>,
    /// Files that were read as part of a site, the given ones and those they pull in.
    pub files: Vec<Arc<SourceFile>>,
    /// Files that could not be used, with the reason for people.
    pub skipped: Vec<(std::path::PathBuf, String)>,
}
