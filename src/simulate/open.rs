//! Reading the sites of files and folders.

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use crate::config::{ConfigError, Configs, Lookup, deployments};
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
    /// For each site the name of the environment that it stands in, if its project's configuration
    /// names environments.
    pub environments: Vec<Option<String>>,
    /// Named paths that could not be looked at.
    pub errors: Vec<Problem>,
}

/// Why nothing could be read.
#[derive(Debug)]
pub enum OpenError {
    /// The working directory cannot be told.
    Folder(io::Error),
    /// A configuration file cannot be used.
    Config(ConfigError),
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Folder(error) => write!(f, "cannot tell the working directory: {error}"),
            Self::Config(error) => write!(f, "{error}"),
        }
    }
}

impl std::error::Error for OpenError {}

/// Reads the sites of `paths` and of what belongs to them, once for each environment that the
/// configuration of a project names, with what `typed` says on top. What the configuration excludes is
/// passed by, unless it is named.
///
/// # Errors
/// The working directory cannot be told, or a configuration file is wrong.
pub fn open(paths: &[PathBuf], typed: &Environment, lookup: &Lookup) -> Result<Opened, OpenError> {
    let configs = Configs::new(lookup).map_err(OpenError::Config)?;
    let sources = Sources::new();
    let excludes = Excludes {
        are: &|path, is_folder| configs.excludes(path, is_folder),
        even_named: false,
        any_in: &|folder, holds| configs.excludes_in(folder, holds),
        nothing_by_words: false,
    };
    let discovery = discover::discover(paths, None, &sources, excludes);
    let discovery = discovery.map_err(OpenError::Folder)?;
    configs.check().map_err(OpenError::Config)?;
    let mut opened = Opened::default();
    for project in &discovery.projects {
        let settings = configs.of_folder(&project.root);
        configs.check().map_err(OpenError::Config)?;
        for (name, environment) in deployments(settings.as_deref(), typed) {
            let mut sites = read(project, &sources, &environment);
            if project.partial {
                let named = |site: &Arc<dyn Site>| {
                    let mut endpoints = site.endpoints().iter();
                    endpoints.any(|endpoint| project.names(sources.get(endpoint.span.file).path()))
                };
                // Where only an outer file was named, what it includes is meant.
                if sites.iter().any(named) {
                    sites.retain(named);
                }
            }
            let name = (!name.is_empty()).then_some(name);
            opened
                .environments
                .extend(sites.iter().map(|_| name.clone()));
            opened.sites.append(&mut sites);
        }
    }
    opened.sources = sources;
    opened.errors = discovery.errors;
    Ok(opened)
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
