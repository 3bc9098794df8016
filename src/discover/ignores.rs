//! `.gitignore`, `.ignore` and `.git/info/exclude`, for a walk that goes down folder by folder.

use std::path::{Path, PathBuf};

use ignore::gitignore::{Gitignore, GitignoreBuilder};

use crate::source::read_bytes;

/// Longer lines of an ignore file are no patterns for paths that can exist.
const MAX_LINE_BYTES: usize = 4096;

/// Further lines are not read: every pattern becomes a part of an automaton.
const MAX_LINES: usize = 10_000;

/// The ignore files of one folder.
struct Level {
    folder: PathBuf,
    ignore: Option<Gitignore>,
    gitignore: Option<Gitignore>,
    exclude: Option<Gitignore>,
    /// A repository starts here: the ignore files of git above do not count.
    repository: bool,
}

/// The ignore files that are in force at one place of a walk.
pub(super) struct Ignores {
    levels: Vec<Level>,
}

/// What an entry of a folder means to [`Ignores`].
pub(super) const NAMES: [&str; 3] = [".git", ".gitignore", ".ignore"];

impl Ignores {
    /// What is in force above `root`: the ignore files between it and the repository that it
    /// lies in, if it lies in one.
    pub(super) fn above(root: &Path) -> Self {
        let mut ignores = Self { levels: Vec::new() };
        let above: Vec<_> = root.ancestors().skip(1).collect();
        if root.join(".git").exists() {
            return ignores;
        }
        let Some(depth) = above.iter().position(|folder| folder.join(".git").exists()) else {
            return ignores;
        };
        for folder in above[..=depth].iter().rev() {
            for name in NAMES {
                ignores.enter(folder, name);
            }
        }
        ignores
    }

    /// Leaves every folder that `path` is not in.
    pub(super) fn climb_to(&mut self, path: &Path) {
        while self
            .levels
            .last()
            .is_some_and(|level| !path.starts_with(&level.folder))
        {
            self.levels.pop();
        }
    }

    /// Takes note of one of [`NAMES`] in `folder`. To be called before anything else of the folder
    /// is asked about.
    pub(super) fn enter(&mut self, folder: &Path, name: &str) {
        let path = folder.join(name);
        if !path.exists() {
            return;
        }
        if self
            .levels
            .last()
            .is_none_or(|level| level.folder != folder)
        {
            self.levels.push(Level {
                folder: folder.to_path_buf(),
                ignore: None,
                gitignore: None,
                exclude: None,
                repository: false,
            });
        }
        let Some(level) = self.levels.last_mut() else {
            return;
        };
        match name {
            ".ignore" => level.ignore = matcher(folder, &path),
            ".gitignore" => level.gitignore = matcher(folder, &path),
            _ => {
                level.repository = true;
                level.exclude = matcher(folder, &path.join("info/exclude"));
            }
        }
    }

    /// Is `path` ignored? The nearest file that speaks of it decides; `.ignore` before `.gitignore`
    /// before `.git/info/exclude`.
    pub(super) fn ignores(&self, path: &Path, is_folder: bool) -> bool {
        let decide = |levels: &[Level], kind: fn(&Level) -> Option<&Gitignore>| {
            let mut rules = levels.iter().rev().filter_map(kind);
            rules.find_map(|rules| match rules.matched(path, is_folder) {
                ignore::Match::None => None,
                ignore::Match::Ignore(_) => Some(true),
                ignore::Match::Whitelist(_) => Some(false),
            })
        };
        let repository = self.levels.iter().rposition(|level| level.repository);
        let of_git = &self.levels[repository.unwrap_or(0)..];
        decide(&self.levels, |level| level.ignore.as_ref())
            .or_else(|| decide(of_git, |level| level.gitignore.as_ref()))
            .or_else(|| decide(of_git, |level| level.exclude.as_ref()))
            .unwrap_or(false)
    }
}

/// The patterns of one ignore file; a file that cannot be read has none, and a pattern that makes
/// no sense ignores nothing, as in git.
fn matcher(folder: &Path, path: &Path) -> Option<Gitignore> {
    let bytes = read_bytes(path).ok()?;
    let text = String::from_utf8_lossy(&bytes);
    let lines = text.trim_start_matches('\u{feff}').lines();
    let mut builder = GitignoreBuilder::new(folder);
    for line in lines
        .take(MAX_LINES)
        .filter(|line| line.len() <= MAX_LINE_BYTES)
    {
        let _ = builder.add_line(Some(path.to_path_buf()), line);
    }
    builder.build().ok().filter(|rules| !rules.is_empty())
}
