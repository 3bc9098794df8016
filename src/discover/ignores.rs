//! `.gitignore`, `.ignore` and `.git/info/exclude`, for a walk that goes down folder by folder.

use std::path::Path;
use std::sync::Arc;

use ignore::gitignore::{Gitignore, GitignoreBuilder};

use crate::limits::discover::{MAX_IGNORE_LINE, MAX_IGNORE_LINES};
use crate::source::read_bytes;

/// The ignore files of one folder, and those above.
struct Level {
    above: Ignores,
    ignore: Option<Gitignore>,
    gitignore: Option<Gitignore>,
    exclude: Option<Gitignore>,
    /// A repository starts here: the ignore files of git above do not count.
    repository: bool,
}

/// The ignore files that are in force in one folder of a walk.
#[derive(Clone, Default)]
pub(super) struct Ignores(Option<Arc<Level>>);

/// What an entry of a folder means to [`Ignores`].
pub(super) const NAMES: [&str; 3] = [".git", ".gitignore", ".ignore"];

impl Ignores {
    /// What is in force above `root`: the ignore files between it and the repository that it
    /// lies in, if it lies in one.
    pub(super) fn above(root: &Path) -> Self {
        let mut ignores = Self::default();
        let above: Vec<_> = root.ancestors().skip(1).collect();
        if root.join(".git").exists() {
            return ignores;
        }
        let Some(depth) = above.iter().position(|folder| folder.join(".git").exists()) else {
            return ignores;
        };
        for folder in above[..=depth].iter().rev() {
            ignores = ignores.enter(folder, |name| folder.join(name).exists());
        }
        ignores
    }

    /// What is in force in `folder`, which lies in the folder of `self`; `has` tells which of
    /// [`NAMES`] it holds.
    pub(super) fn enter(&self, folder: &Path, has: impl Fn(&str) -> bool) -> Self {
        if !NAMES.iter().any(|name| has(name)) {
            return self.clone();
        }
        let read = |name: &str, path: &str| {
            let path = has(name).then(|| folder.join(path))?;
            matcher(folder, &path)
        };
        Self(Some(Arc::new(Level {
            above: self.clone(),
            ignore: read(".ignore", ".ignore"),
            gitignore: read(".gitignore", ".gitignore"),
            exclude: read(".git", ".git/info/exclude"),
            repository: has(".git"),
        })))
    }

    /// Is `path` ignored? The nearest file that speaks of it decides; `.ignore` before `.gitignore`
    /// before `.git/info/exclude`.
    pub(super) fn ignores(&self, path: &Path, is_folder: bool) -> bool {
        let says = |rules: &Option<Gitignore>| match rules.as_ref()?.matched(path, is_folder) {
            ignore::Match::None => None,
            ignore::Match::Ignore(_) => Some(true),
            ignore::Match::Whitelist(_) => Some(false),
        };
        let (mut plain, mut of_git, mut excluded) = (None, None, None);
        let mut outside = false;
        let mut next = self;
        while let Some(level) = &next.0 {
            plain = plain.or_else(|| says(&level.ignore));
            if !outside {
                of_git = of_git.or_else(|| says(&level.gitignore));
                excluded = excluded.or_else(|| says(&level.exclude));
            }
            outside |= level.repository;
            next = &level.above;
        }
        plain.or(of_git).or(excluded).unwrap_or(false)
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
        .take(MAX_IGNORE_LINES)
        .filter(|line| line.len() <= MAX_IGNORE_LINE)
    {
        let _ = builder.add_line(Some(path.to_path_buf()), line);
    }
    builder.build().ok().filter(|rules| !rules.is_empty())
}
