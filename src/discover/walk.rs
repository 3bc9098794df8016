//! Walking one folder, and looking into its files on the way.
//!
//! Every folder is a piece of work of its own, and so is every share of a large folder's files. A
//! small tree is walked on one thread, since threads cost more than it; from [`ALONE`] files on, the
//! rest is done on all of them. What is met comes back in order of the paths.

use std::ffi::{OsStr, OsString};
use std::fs::FileType;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use rayon::Scope;
use walkdir::WalkDir;

use super::ignores::{Ignores, NAMES};
use super::kinds::{Kind, Kinds};
use super::look::{Eye, Looked};
use super::{Excludes, PROJECT_FILES, is_module, is_project};
use crate::config::FILE_NAMES;
use crate::source::Unreadable;

/// Folders that hold what others wrote or what a tool made: not looked into, and counted.
const EXCLUDED: [&str; 12] = [
    "__pycache__",
    "__pypackages__",
    "bower_components",
    "dist",
    "jspm_packages",
    "node_modules",
    "site-packages",
    "target",
    "vendor",
    "venv",
    "virtualenv",
    "web_modules",
];

/// Hidden folders in which deployments keep their configuration; other hidden ones are passed by.
const LOOKED_INTO: [&str; 12] = [
    ".conf",
    ".config",
    ".ddev",
    ".deploy",
    ".deployment",
    ".devcontainer",
    ".devops",
    ".docker",
    ".ebextensions",
    ".infra",
    ".nginx",
    ".platform",
];

/// The main file of an nginx configuration makes its folder a project.
const MAIN: &str = "nginx.conf";

/// So many files are looked into before threads are started.
const ALONE: usize = 48;

/// Files that one piece of work looks into.
const SHARE: usize = 64;

/// No more shares of files wait for a thread: whoever lists a folder is quicker than all who look into its files.
const WAITING: usize = 256;

/// Entries of a folder that are kept at once; of a larger folder, names that matter are asked for.
const LISTED: usize = 8192;

/// What a walk meets.
pub(super) enum Met {
    /// A regular file whose name is of a known kind, and what looking into it told.
    File(PathBuf, Looked),
    /// A link of such a name; the regular file that it leads to, which lies in the folder that is walked.
    Link(PathBuf, PathBuf, &'static Kind),
    /// Something that would have been looked at and cannot be; the reason for people.
    Skipped(PathBuf, String),
}

/// Everything that a walk met.
pub(super) struct Walked {
    /// Each with the root of the project that it lies in, in order of the paths.
    pub(super) met: Vec<(Met, Option<Arc<Path>>)>,
    /// Files that were looked into.
    pub(super) examined: usize,
    /// Folders of [`EXCLUDED`].
    pub(super) excluded: usize,
}

/// How to walk.
pub(super) struct Walk<'a> {
    /// The folder, an absolute path without links.
    pub(super) root: &'a Path,
    /// What is left out.
    pub(super) excludes: Excludes<'a>,
    /// Says which files are known already.
    pub(super) is_known: &'a (dyn Fn(&Path) -> bool + Sync),
    /// Looks into files.
    pub(super) eye: &'a Eye,
    /// Stay in the project of the root.
    pub(super) one_project: bool,
}

impl Walk<'_> {
    /// Walks. `project` is the root of the project that the folder lies in. Links to folders are not
    /// followed, so it always ends.
    pub(super) fn run(&self, project: Option<Arc<Path>>) -> Walked {
        let run = Run {
            walk: self,
            met: Mutex::default(),
            examined: AtomicUsize::new(0),
            excluded: AtomicUsize::new(0),
            waiting: AtomicUsize::new(0),
        };
        let mut open = vec![Work::Folder(Folder {
            path: self.root.to_path_buf(),
            ignores: Ignores::above(self.root),
            project,
            is_excluding: false,
        })];
        while run.examined.load(Ordering::Relaxed) < ALONE
            && let Some(work) = open.pop()
        {
            run.perform(work, &mut |next| open.push(next));
        }
        if !open.is_empty() {
            rayon::scope(|scope| open.into_iter().for_each(|work| run.share(scope, work)));
        }
        let mut met = run.met.into_inner().unwrap_or_else(PoisonError::into_inner);
        met.sort_unstable_by(|(a, _), (b, _)| path(a).cmp(path(b)));
        Walked {
            met,
            examined: run.examined.into_inner(),
            excluded: run.excluded.into_inner(),
        }
    }
}

fn path(met: &Met) -> &Path {
    match met {
        Met::File(path, _) | Met::Link(path, ..) | Met::Skipped(path, _) => path,
    }
}

/// A folder to walk.
#[derive(Clone)]
struct Folder {
    path: PathBuf,
    /// What is in force above it, and then in it.
    ignores: Ignores,
    /// The root of the project that it lies in.
    project: Option<Arc<Path>>,
    /// Something in it may be left out.
    is_excluding: bool,
}

enum Work {
    Folder(Folder),
    Files(Arc<Folder>, Vec<Candidate>),
}

/// An entry of a folder that may matter.
struct Candidate {
    name: OsString,
    file_type: FileType,
    kind: &'static Kind,
}

struct Run<'a> {
    walk: &'a Walk<'a>,
    met: Mutex<Vec<(Met, Option<Arc<Path>>)>>,
    examined: AtomicUsize,
    excluded: AtomicUsize,
    /// Shares of files that wait.
    waiting: AtomicUsize,
}

impl Run<'_> {
    /// Gives work to whoever is free.
    fn share<'s>(&'s self, scope: &Scope<'s>, work: Work) {
        scope.spawn(move |scope| self.perform(work, &mut |next| self.share(scope, next)));
    }

    fn perform(&self, work: Work, later: &mut dyn FnMut(Work)) {
        match work {
            Work::Folder(folder) => self.folder(folder, later),
            Work::Files(folder, files) => {
                self.waiting.fetch_sub(1, Ordering::Relaxed);
                for file in files {
                    self.candidate(&folder, file);
                }
            }
        }
    }

    fn meet(&self, folder: &Folder, met: Met) {
        let mut all = self.met.lock().unwrap_or_else(PoisonError::into_inner);
        all.push((met, folder.project.clone()));
    }

    fn unreadable(&self, folder: &Folder, why: &str) {
        let words = format!("cannot be read: {why}");
        self.meet(folder, Met::Skipped(folder.path.clone(), words));
    }

    fn folder(&self, mut folder: Folder, later: &mut dyn FnMut(Work)) {
        // One level: whoever is free walks the folders below.
        let entries = WalkDir::new(&folder.path).min_depth(1).max_depth(1);
        let mut entries = entries.into_iter();
        let kinds = Kinds::in_folder(&folder.path);
        let mut listed = Listed::default();
        let mut is_whole = false;
        let mut known: Option<Arc<Folder>> = None;
        while !is_whole {
            is_whole = self.list(&mut entries, &kinds, &folder, &mut listed);
            // All that is known of the folder comes from its first entries, or from asking.
            let current = match &known {
                Some(known) => Arc::clone(known),
                None => {
                    if !self.enter(&mut folder, &listed, is_whole) {
                        return;
                    }
                    let entered = Arc::new(folder.clone());
                    known = Some(Arc::clone(&entered));
                    entered
                }
            };
            for name in listed.folders.drain(..) {
                if let Some(work) = self.below(&current, &name) {
                    later(work);
                }
            }
            while listed.files.len() > SHARE && self.waiting.load(Ordering::Relaxed) < WAITING {
                let share = listed.files.split_off(listed.files.len() - SHARE);
                self.waiting.fetch_add(1, Ordering::Relaxed);
                later(Work::Files(Arc::clone(&current), share));
            }
            for file in listed.files.drain(..) {
                self.candidate(&current, file);
            }
            listed.seen = 0;
        }
    }

    /// Takes the next entries of a folder; `true` if these were the last ones.
    fn list(
        &self,
        entries: &mut walkdir::IntoIter,
        kinds: &Kinds,
        folder: &Folder,
        listed: &mut Listed,
    ) -> bool {
        for entry in entries {
            let entry = match entry {
                Ok(entry) => entry,
                Err(error) if error.path().is_some_and(|path| path != folder.path) => {
                    // An entry that is gone.
                    continue;
                }
                Err(error) => {
                    let why = error.io_error().map(ToString::to_string);
                    self.unreadable(folder, &why.unwrap_or_else(|| error.to_string()));
                    return true;
                }
            };
            let name = entry.file_name().to_owned();
            listed.seen += 1;
            if let Some(text) = name.to_str()
                && (NAMES.contains(&text)
                    || PROJECT_FILES.contains(&text)
                    || FILE_NAMES.contains(&text)
                    || text == MAIN)
            {
                listed.names.push(text.to_owned());
            }
            let file_type = entry.file_type();
            if file_type.is_dir() {
                listed.folders.push(name);
            } else if let Some(kind) = kinds.of_name(&name) {
                listed.files.push(Candidate {
                    name,
                    file_type,
                    kind,
                });
            }
            if listed.seen == LISTED {
                return false;
            }
        }
        true
    }

    /// Takes note of what a folder's names say; `false` if it is not to be walked.
    fn enter(&self, folder: &mut Folder, listed: &Listed, is_whole: bool) -> bool {
        let path = &folder.path;
        let has = |name: &str| {
            let is_listed = listed.names.iter().any(|known| known == name);
            is_listed || (!is_whole && path.join(name).exists())
        };
        let ignores = folder.ignores.enter(path, has);
        if *path != self.walk.root
            && (PROJECT_FILES.iter().any(|name| has(name)) || has(MAIN))
            && is_project(path)
            && !folder
                .project
                .as_ref()
                .is_some_and(|root| is_module(path, root))
        {
            if self.walk.one_project {
                return false;
            }
            folder.project = Some(Arc::from(path.as_path()));
        }
        folder.is_excluding = (self.walk.excludes.any_in)(path, &has);
        folder.ignores = ignores;
        true
    }

    fn excludes(&self, folder: &Folder, path: &Path, is_folder: bool) -> bool {
        folder.is_excluding && (self.walk.excludes.are)(path, is_folder)
    }

    /// The work that a folder inside of another is.
    fn below(&self, folder: &Folder, name: &OsStr) -> Option<Work> {
        let text = name.to_str().unwrap_or_default();
        if EXCLUDED.contains(&text) {
            self.excluded.fetch_add(1, Ordering::Relaxed);
            return None;
        }
        let path = folder.path.join(name);
        let is_left_out = is_passed_by(text)
            || folder.ignores.ignores(&path, true)
            || self.excludes(folder, &path, true);
        (!is_left_out).then(|| {
            Work::Folder(Folder {
                path,
                ..folder.clone()
            })
        })
    }

    /// Looks at an entry that is no folder.
    fn candidate(&self, folder: &Folder, candidate: Candidate) {
        if candidate.name.as_encoded_bytes().starts_with(b".") {
            return;
        }
        let path = folder.path.join(&candidate.name);
        if folder.ignores.ignores(&path, false) || self.excludes(folder, &path, false) {
            return;
        }
        if candidate.file_type.is_symlink() {
            if let Some(met) = self.link(path, candidate.kind) {
                self.meet(folder, met);
            }
        } else if !candidate.file_type.is_file() {
            let words = Unreadable::NotAFile.to_string();
            self.meet(folder, Met::Skipped(path, words));
        } else if !(self.walk.is_known)(&path) {
            match self.walk.eye.look(&path, candidate.kind) {
                Ok(looked) => {
                    self.examined.fetch_add(1, Ordering::Relaxed);
                    if let Some(looked) = looked {
                        self.meet(folder, Met::File(path, looked));
                    }
                }
                Err(why) => self.meet(folder, Met::Skipped(path, why.to_string())),
            }
        }
    }

    fn link(&self, path: PathBuf, kind: &'static Kind) -> Option<Met> {
        let target = match path.canonicalize() {
            Ok(target) => target,
            Err(error) => {
                let words = format!("a link that leads nowhere: {error}");
                return Some(Met::Skipped(path, words));
            }
        };
        if !target.starts_with(self.walk.root) {
            let words = "a link to something outside the folder".into();
            return Some(Met::Skipped(path, words));
        }
        // Folders inside are met as themselves.
        if target.is_dir() {
            return None;
        }
        Some(if target.is_file() {
            Met::Link(path, target, kind)
        } else {
            Met::Skipped(path, Unreadable::NotAFile.to_string())
        })
    }
}

/// Entries of a folder.
#[derive(Default)]
struct Listed {
    /// Those whose names say something about the whole folder.
    names: Vec<String>,
    folders: Vec<OsString>,
    files: Vec<Candidate>,
    /// How many were seen since the last ones were worked off.
    seen: usize,
}

/// Is this a hidden folder that holds nothing of interest?
fn is_passed_by(name: &str) -> bool {
    name.starts_with('.') && !LOOKED_INTO.contains(&name)
}
