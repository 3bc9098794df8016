//! Walking one folder.

use std::cmp::Ordering;
use std::ffi::OsStr;
use std::fs::FileType;
use std::path::{Path, PathBuf};

use walkdir::{DirEntry, WalkDir};

use super::ignores::{Ignores, NAMES};
use super::kinds::{self, Kind};

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

/// What a walk meets.
pub(super) enum Met {
    /// A regular file whose name is of a known kind.
    File(PathBuf, &'static Kind),
    /// A link of such a name; the regular file that it leads to, which lies in the folder that is walked.
    Link(PathBuf, PathBuf, &'static Kind),
    /// Something that would have been looked at and cannot be; the reason for people.
    Skipped(PathBuf, String),
    /// A folder of [`EXCLUDED`].
    Excluded,
}

/// Walks `root`, an absolute path without links, and calls `meet` in an order that depends on names
/// only, for what `excludes` (with `true` for folders) does not leave out.
///
/// Links to folders are not followed, so a walk always ends.
pub(super) fn walk(root: &Path, excludes: &dyn Fn(&Path, bool) -> bool, mut meet: impl FnMut(Met)) {
    let mut ignores = Ignores::above(root);
    let mut entries = WalkDir::new(root)
        .min_depth(1)
        .sort_by(|a, b| order(a.file_name(), b.file_name()))
        .into_iter();
    while let Some(entry) = entries.next() {
        let entry = match entry {
            Ok(entry) => entry,
            Err(error) => {
                let path = error.path().unwrap_or(root).to_path_buf();
                let words = match error.io_error() {
                    Some(error) => format!("cannot be read: {error}"),
                    None => "cannot be read".to_owned(),
                };
                meet(Met::Skipped(path, words));
                continue;
            }
        };
        let path = entry.path();
        let name = entry.file_name().to_str().unwrap_or_default();
        ignores.climb_to(path);
        if NAMES.contains(&name) {
            ignores.enter(path.parent().unwrap_or(root), name);
        }
        let kind = entry.file_type();
        if !kind.is_dir() {
            let met = candidate(root, &entry, kind, &ignores);
            met.filter(|_| !excludes(path, false)).map(&mut meet);
        } else if EXCLUDED.contains(&name) {
            meet(Met::Excluded);
            entries.skip_current_dir();
        } else if is_passed_by(name) || ignores.ignores(path, true) || excludes(path, true) {
            entries.skip_current_dir();
        }
    }
}

/// What to make of an entry that is no folder.
fn candidate(root: &Path, entry: &DirEntry, file_type: FileType, ignores: &Ignores) -> Option<Met> {
    let path = entry.path();
    let kind = kinds::of_path(path)?;
    let hidden = entry.file_name().as_encoded_bytes().starts_with(b".");
    if hidden || ignores.ignores(path, false) {
        return None;
    }
    let skipped = |words: &str| Some(Met::Skipped(path.to_path_buf(), words.to_owned()));
    if file_type.is_symlink() {
        let target = match path.canonicalize() {
            Ok(target) => target,
            Err(error) => return skipped(&format!("a link that leads nowhere: {error}")),
        };
        if !target.starts_with(root) {
            return skipped("a link to something outside the folder");
        }
        // Folders inside are met as themselves.
        if target.is_dir() {
            return None;
        }
        if !target.is_file() {
            return skipped("not a regular file");
        }
        return Some(Met::Link(path.to_path_buf(), target, kind));
    }
    if !file_type.is_file() {
        return skipped("not a regular file");
    }
    Some(Met::File(path.to_path_buf(), kind))
}

/// Is this a hidden folder that holds nothing of interest?
fn is_passed_by(name: &str) -> bool {
    name.starts_with('.') && !LOOKED_INTO.contains(&name)
}

/// Ignore files first, because they decide about their neighbours; then by bytes.
fn order(a: &OsStr, b: &OsStr) -> Ordering {
    let rank = |name: &OsStr| !NAMES.iter().any(|known| name == *known);
    (rank(a), a).cmp(&(rank(b), b))
}
