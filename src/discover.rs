//! Finding the files that matter: walking, ignore files, projects.
//!
//! A walk looks at names first and at the words of a text second. A file that holds a word of CORS
//! is a *seed*; the project of a seed also hands on its *companions*, files of the same kind
//! without such a word, because there the absence of CORS is the evidence. Projects without a
//! seed are of no interest, unless one of their files was named.
//!
//! All paths that leave this module are absolute, without `.` and `..`, and without links in
//! their folders; `report` shows them the way people type them.

mod ignores;
mod kinds;
mod walk;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::io;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use rayon::prelude::*;

use crate::report::Problem;
use crate::source::{SourceFile, Sources, read_text};
use crate::syntax::nginx::sniff;
use kinds::{Content, Kind};
use walk::Met;

/// Files that make their folder a project. `nginx.conf` does only if it is a main file.
const PROJECT_FILES: [&str; 7] = [
    ".git",
    "build.gradle",
    "build.gradle.kts",
    "manage.py",
    "package.json",
    "pom.xml",
    "pyproject.toml",
];

/// How much text of walked files is kept, in bytes; what is met later is skipped and counted.
const MAX_TOTAL_BYTES: usize = 512 * 1024 * 1024;

/// How many files that were met wait for being looked into together.
const MAX_PENDING: usize = 1024;

/// The fewest of them that are worth a thread.
const MIN_SHARE: usize = 32;

/// What was found.
#[derive(Debug, Default)]
pub struct Discovery {
    /// In order of their roots; none is empty.
    pub projects: Vec<Project>,
    /// Files and folders that were met and could not be looked at; no errors.
    pub skipped: Vec<Problem>,
    /// Named paths that could not be looked at.
    pub errors: Vec<Problem>,
    /// Files of a known kind that were looked into.
    pub examined: usize,
    /// Folders that were not looked into because of their names (`node_modules`, …).
    pub excluded: usize,
}

/// Files that belong together.
#[derive(Debug)]
pub struct Project {
    /// The nearest folder above the files with a project's file or an nginx main file in it, or
    /// with `.git`; else the named folder.
    pub root: PathBuf,
    /// What paths in fingerprints start from: the nearest folder at or above `root` with `.git`, or
    /// `root`.
    pub base: PathBuf,
    /// In order of their paths.
    pub files: Vec<Found>,
    /// No more than a part of the project was named: only findings that touch a file that the
    /// project [names](Project::names), by their primary or a related place, are of interest.
    pub partial: bool,
    /// All of it was looked at: without a project around them there is no telling what belongs to
    /// files that were named themselves.
    pub complete: bool,
}

/// A file to read.
#[derive(Debug)]
pub struct Found {
    /// The file with its text.
    pub file: Arc<SourceFile>,
    /// It was named, or lies in a folder that was. Else it is a companion from the rest of the
    /// project.
    pub named: bool,
}

impl Project {
    /// Is this a file that was named, or that lies in a folder that was?
    #[must_use]
    pub fn names(&self, path: &Path) -> bool {
        let place = self
            .files
            .binary_search_by(|found| found.file.path().cmp(path));
        place.is_ok_and(|index| self.files[index].named)
    }
}

/// Looks at `paths`, files and folders, and at `stdin`, a text with the name of the file that it
/// stands for. What is handed on is in `sources`.
///
/// # Errors
/// The working directory cannot be told.
pub fn discover(
    paths: &[PathBuf],
    stdin: Option<(&Path, &str)>,
    sources: &Sources,
    excludes: Excludes<'_>,
) -> io::Result<Discovery> {
    let mut search = Search {
        folder: std::env::current_dir()?.canonicalize()?,
        sources,
        excludes,
        found: BTreeMap::new(),
        real: HashSet::new(),
        walked: Vec::new(),
        roots: HashMap::new(),
        seeded: BTreeSet::new(),
        room: MAX_TOTAL_BYTES,
        result: Discovery::default(),
    };
    if let Some((name, text)) = stdin {
        let path = search.absolute(name);
        let file = sources.add(path, text.to_owned());
        search.hand_on(file, true);
    }
    // Folders last: a file that is named as well stays named.
    let (folders, files): (Vec<_>, Vec<_>) = paths.iter().partition(|path| path.is_dir());
    for path in files {
        search.file(path);
    }
    for path in folders {
        search.folder(path);
    }
    search.companions();
    Ok(search.finish())
}

/// Which paths, absolute ones, are not to be looked into, besides those that ignore files name.
#[derive(Clone, Copy)]
pub struct Excludes<'a> {
    /// Says it of a file (`false`) or folder (`true`).
    pub are: &'a dyn Fn(&Path, bool) -> bool,
    /// Files that were named themselves as well.
    pub even_named: bool,
}

impl Excludes<'_> {
    /// Nothing is excluded.
    pub const NONE: Self = Self {
        are: &|_, _| false,
        even_named: false,
    };
}

struct Search<'a> {
    /// The working directory.
    folder: PathBuf,
    sources: &'a Sources,
    excludes: Excludes<'a>,
    /// By path: the file, its project's root, whether it is named.
    found: BTreeMap<PathBuf, (Arc<SourceFile>, PathBuf, bool)>,
    /// Where the files really are; a file under a second name is no second file.
    real: HashSet<PathBuf>,
    /// Folders that were walked.
    walked: Vec<PathBuf>,
    /// The nearest project root at or above a folder.
    roots: HashMap<PathBuf, Option<PathBuf>>,
    /// Roots of projects that hold a seed or a file that was named itself.
    seeded: BTreeSet<PathBuf>,
    /// Bytes of text that may still be kept.
    room: usize,
    result: Discovery,
}

impl Search<'_> {
    /// The path in the form that leaves this module.
    fn absolute(&self, path: &Path) -> PathBuf {
        let path = self.folder.join(path);
        let real = match (path.parent(), path.file_name()) {
            (Some(parent), Some(name)) => parent.canonicalize().map(|parent| parent.join(name)),
            _ => path.canonicalize(),
        };
        real.unwrap_or_else(|_| without_dots(&path))
    }

    /// Takes a file that was named itself, whatever it is called and whatever ignores it.
    fn file(&mut self, path: &Path) {
        let absolute = self.absolute(path);
        if self.excludes.even_named && (self.excludes.are)(&absolute, false) {
            return;
        }
        match self.sources.load(&absolute) {
            Ok(file) => self.hand_on(file, true),
            Err(why) => self.result.errors.push(Problem {
                path: Some(path.to_path_buf()),
                text: why.to_string(),
            }),
        }
    }

    /// Walks a folder that was named.
    fn folder(&mut self, path: &Path) {
        // `is_dir` was asked already, so what fails here fails because of permissions.
        let readable = path
            .canonicalize()
            .and_then(|real| std::fs::read_dir(&real).map(|_| real));
        match readable {
            Ok(root) => {
                self.walk(&root, true, None);
                self.walked.push(root);
            }
            Err(error) => self.result.errors.push(Problem {
                path: Some(path.to_path_buf()),
                text: format!("cannot be read: {error}"),
            }),
        }
    }

    /// Walks `root`; with `only`, takes nothing but files of the project of that root.
    fn walk(&mut self, root: &Path, named: bool, only: Option<&Path>) {
        let mut files = Vec::new();
        // Links come last: a file is better known under its own name.
        let mut links = Vec::new();
        walk::walk(root, self.excludes.are, |met| match met {
            Met::File(path, kind) => {
                if only.is_none() || only == self.project(&path).as_deref() {
                    files.push((path, kind));
                }
                if files.len() == MAX_PENDING {
                    self.candidates(root, &mut files, named);
                }
            }
            Met::Link(path, target, kind) => links.push((path, target, kind)),
            Met::Skipped(path, text) if named => self.skip(path, text),
            Met::Excluded if named => self.result.excluded += 1,
            Met::Skipped(..) | Met::Excluded => {}
        });
        self.candidates(root, &mut files, named);
        for (path, target, kind) in links {
            if !self.real.contains(&target)
                && (only.is_none() || only == self.project(&path).as_deref())
            {
                self.candidates(root, &mut vec![(path, kind)], named);
            }
        }
    }

    /// Looks into files that were met, on all processors, and takes those that matter, in order.
    fn candidates(
        &mut self,
        walked: &Path,
        files: &mut Vec<(PathBuf, &'static Kind)>,
        named: bool,
    ) {
        // Under this name or, named before, under that of a link.
        files.retain(|(path, _)| !self.found.contains_key(path) && !self.real.contains(path));
        let look = |(path, kind): (PathBuf, &Kind)| {
            let looked = read_text(&path).map(|text| match kind.look_into(&text) {
                Content::Other => None,
                content => Some((content, text)),
            });
            (path, looked)
        };
        // A thread costs more than a few files.
        let looked: Vec<_> = if files.len() < MIN_SHARE {
            files.drain(..).map(look).collect()
        } else {
            files.par_drain(..).map(look).collect()
        };
        for (path, looked) in looked {
            match looked {
                Ok(found) => {
                    self.result.examined += usize::from(named);
                    if let Some((content, text)) = found {
                        self.take(walked, path, content, text, named);
                    }
                }
                Err(why) if named => self.skip(path, why.to_string()),
                Err(_) => {}
            }
        }
    }

    fn take(&mut self, walked: &Path, path: PathBuf, content: Content, text: String, named: bool) {
        if self.room < text.len() {
            let text = format!("more than {MAX_TOTAL_BYTES} bytes of configuration in one run");
            return self.skip(path, text);
        }
        self.room -= text.len();
        let root = self.project(&path).unwrap_or_else(|| walked.to_path_buf());
        if content == Content::Seed && named {
            self.seeded.insert(root.clone());
        }
        let file = self.sources.add(path.clone(), text);
        self.insert(path, file, root, named);
    }

    /// Takes a file that was named itself.
    fn hand_on(&mut self, file: Arc<SourceFile>, named: bool) {
        let path = file.path().to_path_buf();
        self.result.examined += 1;
        if kinds::of_path(&path).is_none() && kinds::of_text(file.text()).is_none() {
            let text = "not a kind of file that corslint reads".to_owned();
            return self.skip(path, text);
        }
        let root = self.project(&path).unwrap_or_else(|| {
            let parent = path.parent().unwrap_or(&self.folder);
            parent.to_path_buf()
        });
        self.seeded.insert(root.clone());
        self.insert(path, file, root, named);
    }

    fn insert(&mut self, path: PathBuf, file: Arc<SourceFile>, root: PathBuf, named: bool) {
        self.real.extend(path.canonicalize().ok());
        self.found.insert(path, (file, root, named));
    }

    fn skip(&mut self, path: PathBuf, text: String) {
        self.result.skipped.push(Problem {
            path: Some(path),
            text,
        });
    }

    /// The root of the project that a file lies in.
    fn project(&mut self, path: &Path) -> Option<PathBuf> {
        let folder = path.parent()?;
        let known = folder
            .ancestors()
            .find_map(|above| Some((above, self.roots.get(above)?.clone())));
        if let Some((above, root)) = &known
            && *above == folder
        {
            return root.clone();
        }
        let stop = known.as_ref().map(|(above, _)| *above);
        let unknown: Vec<&Path> = folder
            .ancestors()
            .take_while(|above| Some(*above) != stop)
            .collect();
        let mut root = known.and_then(|(_, root)| root);
        for above in unknown.into_iter().rev() {
            if is_project(above) && !root.as_ref().is_some_and(|root| is_module(above, root)) {
                root = Some(above.to_path_buf());
            }
            self.roots.insert(above.to_path_buf(), root.clone());
        }
        root
    }

    /// Adds what else belongs to the projects of which only a part was named.
    fn companions(&mut self) {
        for root in self.seeded.clone() {
            let partly = !self.walked.iter().any(|walked| root.starts_with(walked));
            // Without a project there is no telling what belongs together, and a repository alone
            // is none: it holds what has nothing to do with each other.
            if partly && is_project(&root) && !is_mere_repository(&root) {
                self.walk(&root.clone(), false, Some(&root));
            }
        }
    }

    fn finish(mut self) -> Discovery {
        let mut projects: BTreeMap<PathBuf, Vec<Found>> = BTreeMap::new();
        for (file, root, named) in self.found.into_values() {
            if self.seeded.contains(&root) {
                projects
                    .entry(root)
                    .or_default()
                    .push(Found { file, named });
            }
        }
        self.result.projects = projects
            .into_iter()
            .map(|(root, files)| {
                let base = root.ancestors().find(|above| above.join(".git").exists());
                let base = base.unwrap_or(&root).to_path_buf();
                let partial = files.iter().any(|found| !found.named);
                let walked = self.walked.iter().any(|walked| root.starts_with(walked));
                let complete = walked || is_project(&root);
                Project {
                    complete,
                    root,
                    base,
                    files,
                    partial,
                }
            })
            .collect();
        self.result.skipped.sort_by(|a, b| a.path.cmp(&b.path));
        self.result
    }
}

/// Does nothing but `.git` make this folder a project?
fn is_mere_repository(folder: &Path) -> bool {
    let other = |name: &&str| *name != ".git" && folder.join(name).exists();
    !PROJECT_FILES.iter().any(other) && !has_main(folder)
}

/// Is there an nginx main file of the usual name?
fn has_main(folder: &Path) -> bool {
    read_text(&folder.join("nginx.conf")).is_ok_and(|text| sniff::is_main(&text))
}

/// Does a project start in this folder?
fn is_project(folder: &Path) -> bool {
    PROJECT_FILES.iter().any(|name| folder.join(name).exists()) || has_main(folder)
}

/// Is the folder a module of the build around it, and nothing else? A build of Maven or Gradle is
/// one project with all its modules.
fn is_module(folder: &Path, root: &Path) -> bool {
    const BUILDS: [&str; 3] = ["build.gradle", "build.gradle.kts", "pom.xml"];
    let builds = |folder: &Path| BUILDS.iter().any(|name| folder.join(name).is_file());
    let others = || {
        let mut names = PROJECT_FILES.iter().filter(|name| !BUILDS.contains(name));
        names.any(|name| folder.join(name).exists())
    };
    builds(root) && builds(folder) && !others()
}

/// The path without `.` and `..`, by its text alone.
fn without_dots(path: &Path) -> PathBuf {
    let mut result = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => {
                result.pop();
            }
            _ => result.push(component),
        }
    }
    result
}
