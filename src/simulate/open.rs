//! Reading the sites of files and folders.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use crate::discover::{self, Excludes, Project};
use crate::frameworks;
use crate::model::{Environment, Site};
use crate::report::Problem;
use crate::source::{SourceFile, Sources};

/// What was read.
#[derive(Default)]
pub struct Opened {
    /// All files; spans point into them.
    pub sources: Sources,
    /// What answers requests. Those without endpoints are left out.
    pub sites: Vec<Arc<dyn Site>>,
    /// Named paths that could not be looked at.
    pub errors: Vec<Problem>,
}

/// Reads the sites of `paths` and of what belongs to them.
///
/// # Errors
/// The working directory cannot be told.
pub fn open(paths: &[PathBuf], environment: &Environment) -> io::Result<Opened> {
    let sources = Sources::new();
    let discovery = discover::discover(paths, None, &sources, Excludes::NONE)?;
    let mut sites = Vec::new();
    for project in &discovery.projects {
        let mut all = read(project, &sources, environment);
        if project.partial {
            let named = |site: &Arc<dyn Site>| {
                let mut endpoints = site.endpoints().iter();
                endpoints.any(|endpoint| project.names(sources.get(endpoint.span.file).path()))
            };
            // Where only an outer file was named, what it includes is meant.
            if all.iter().any(named) {
                all.retain(named);
            }
        }
        sites.append(&mut all);
    }
    Ok(Opened {
        sources,
        sites,
        errors: discovery.errors,
    })
}

fn read(project: &Project, sources: &Sources, environment: &Environment) -> Vec<Arc<dyn Site>> {
    let files = project.files.iter();
    let files: Vec<Arc<SourceFile>> = files.map(|found| Arc::clone(&found.file)).collect();
    let mut sites: Vec<Arc<dyn Site>> = Vec::new();
    for framework in frameworks::ALL {
        let claimed = files.iter();
        let claimed: Vec<_> = claimed
            .filter(|file| (framework.detect)(file.path(), file.text()))
            .map(Arc::clone)
            .collect();
        if claimed.is_empty() {
            continue;
        }
        let reading = (framework.read)(frameworks::Project {
            root: &project.root,
            files: &claimed,
            sources,
            environment,
        });
        let found = reading.sites.into_iter().map(Arc::from);
        sites.extend(found.filter(|site: &Arc<dyn Site>| !site.endpoints().is_empty()));
    }
    sites
}
