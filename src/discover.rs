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
mod look;
mod walk;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::io;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use crate::limits::discover::MAX_TOTAL_BYTES;
use crate::report::Problem;
use crate::source::{SourceFile, Sources, read_text};
use crate::syntax::nginx::sniff;
use kinds::Content;
use look::{Eye, Looked};
use walk::{Met, Walk};

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
        eye: Eye::new(!excludes.nothing_by_words),
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

/// Says of a name whether a folder holds it.
pub type Holds<'a> = &'a dyn Fn(&str) -> bool;

/// Which paths, absolute ones, are not to be looked into, besides those that ignore files name.
#[derive(Clone, Copy)]
pub struct Excludes<'a> {
    /// Says it of a file (`false`) or folder (`true`).
    pub are: &'a (dyn Fn(&Path, bool) -> bool + Sync),
    /// Says of a folder, and of which names it holds, whether anything in it may be left out.
    pub any_in: &'a (dyn Fn(&Path, Holds<'_>) -> bool + Sync),
    /// Files that were named themselves as well.
    pub even_named: bool,
    /// Take every file of a known kind, whether it holds words of CORS or not.
    pub nothing_by_words: bool,
}

impl Excludes<'_> {
    /// Nothing is excluded.
    pub const NONE: Self = Self {
        are: &|_, _| false,
        any_in: &|_, _| false,
        even_named: false,
        nothing_by_words: false,
    };
}

struct Search<'a> {
    /// The working directory.
    folder: PathBuf,
    sources: &'a Sources,
    excludes: Excludes<'a>,
    /// What may matter, by path.
    found: BTreeMap<PathBuf, Held>,
    /// Where the files really are; a file under a second name is no second file.
    real: HashSet<PathBuf>,
    /// Folders that were walked.
    walked: Vec<PathBuf>,
    /// The nearest project root at or above a folder.
    roots: HashMap<PathBuf, Option<PathBuf>>,
    /// Roots of projects that hold a seed or a file that was named itself.
    seeded: BTreeSet<PathBuf>,
    eye: Eye,
    result: Discovery,
}

/// A file that matters if its project does.
struct Held {
    text: Text,
    /// The file that its path leads to.
    real: Option<PathBuf>,
    /// The root of its project.
    root: PathBuf,
    named: bool,
}

enum Text {
    File(Arc<SourceFile>),
    Read(String),
    /// Too much was held when it was looked into.
    Unread,
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
                self.walk(&root, true, false);
                self.walked.push(root);
            }
            Err(error) => self.result.errors.push(Problem {
                path: Some(path.to_path_buf()),
                text: format!("cannot be read: {error}"),
            }),
        }
    }

    /// Walks `root`; with `one_project`, takes nothing but files of the project that it lies in.
    fn walk(&mut self, root: &Path, named: bool, one_project: bool) {
        let project = self.project_at(root).map(Arc::from);
        let (found, real) = (&self.found, &self.real);
        let walk = Walk {
            root,
            excludes: self.excludes,
            // Under this name or, named before, under that of a link.
            is_known: &|path| found.contains_key(path) || real.contains(path),
            eye: &self.eye,
            one_project,
        };
        let walked = walk.run(project);
        if named {
            self.result.examined += walked.examined;
            self.result.excluded += walked.excluded;
        }
        // Links come last: a file is better known under its own name.
        let mut links = Vec::new();
        for (met, project) in walked.met {
            let project = project.map_or_else(|| root.to_path_buf(), |root| root.to_path_buf());
            match met {
                Met::File(path, looked) => self.take(path.clone(), path, looked, project, named),
                Met::Link(path, target, kind) => links.push((path, target, kind, project)),
                Met::Skipped(path, text) if named => self.skip(path, text),
                Met::Skipped(..) => {}
            }
        }
        for (path, target, kind, project) in links {
            if self.found.contains_key(&path) || self.real.contains(&target) {
                continue;
            }
            match self.eye.look(&path, kind) {
                Ok(looked) => {
                    self.result.examined += usize::from(named);
                    if let Some(looked) = looked {
                        self.take(path, target, looked, project, named);
                    }
                }
                Err(why) if named => self.skip(path, why.to_string()),
                Err(_) => {}
            }
        }
    }

    fn take(&mut self, path: PathBuf, real: PathBuf, looked: Looked, root: PathBuf, named: bool) {
        if looked.content == Content::Seed && named {
            self.seeded.insert(root.clone());
        }
        self.real.insert(real.clone());
        let held = Held {
            text: looked.text.map_or(Text::Unread, Text::Read),
            real: Some(real),
            root,
            named,
        };
        self.found.insert(path, held);
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
        self.real.extend(path.canonicalize().ok());
        let held = Held {
            text: Text::File(file),
            real: None,
            root,
            named,
        };
        self.found.insert(path, held);
    }

    fn skip(&mut self, path: PathBuf, text: String) {
        self.result.skipped.push(Problem {
            path: Some(path),
            text,
        });
    }

    /// The root of the project that a file lies in.
    fn project(&mut self, path: &Path) -> Option<PathBuf> {
        self.project_at(path.parent()?)
    }

    /// The root of the project that files in a folder belong to.
    fn project_at(&mut self, folder: &Path) -> Option<PathBuf> {
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
                self.walk(&root, false, true);
            }
        }
    }

    fn finish(mut self) -> Discovery {
        let mut projects: BTreeMap<PathBuf, Vec<Found>> = BTreeMap::new();
        let mut room = MAX_TOTAL_BYTES;
        for (path, held) in std::mem::take(&mut self.found) {
            if !self.seeded.contains(&held.root) {
                continue;
            }
            let text = match held.text {
                Text::File(file) => {
                    let named = held.named;
                    let files = projects.entry(held.root).or_default();
                    files.push(Found { file, named });
                    continue;
                }
                Text::Read(text) => Ok(text),
                Text::Unread => read_text(&path),
            };
            let text = match text {
                Ok(text) if text.len() <= room => text,
                Ok(_) => {
                    let bytes = MAX_TOTAL_BYTES;
                    let text = format!("more than {bytes} bytes of configuration in one run");
                    self.skip(path, text);
                    continue;
                }
                Err(why) => {
                    self.skip(path, why.to_string());
                    continue;
                }
            };
            room -= text.len();
            let file = self.sources.add_real(path, held.real, text);
            projects.entry(held.root).or_default().push(Found {
                file,
                named: held.named,
            });
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
