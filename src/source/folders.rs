//! Which files there are: a program's imports ask for hundreds of names of a few folders.

use std::collections::{HashMap, HashSet};
use std::ffi::{OsStr, OsString};
use std::io::ErrorKind;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use foldhash::fast::RandomState;

use crate::limits::discover::MAX_LISTED;

type Names = HashSet<OsString, RandomState>;

/// The names in folders, each listed once. The hash is a quick one, and that of a text: a path's looks at its
/// parts.
#[derive(Debug, Default)]
pub(crate) struct Folders {
    /// Nothing for a folder that cannot be listed, or holds too many names.
    known: Mutex<HashMap<OsString, Option<Names>, RandomState>>,
}

impl Folders {
    /// Is there a regular file, or a link to one?
    pub(crate) fn is_file(&self, path: &Path) -> bool {
        let may_be = match (path.parent(), path.file_name()) {
            (Some(folder), Some(name)) => self.may_hold(folder, name),
            _ => true,
        };
        may_be && path.is_file()
    }

    fn may_hold(&self, folder: &Path, name: &OsStr) -> bool {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if !known.contains_key(folder.as_os_str()) {
            // What the folder above does not hold is not looked for.
            let above = folder
                .parent()
                .and_then(|above| known.get(above.as_os_str()));
            let is_missing =
                |names: &Names| folder.file_name().is_some_and(|name| !names.contains(name));
            if above.and_then(Option::as_ref).is_some_and(is_missing) {
                return false;
            }
            known.insert(folder.into(), names(folder));
        }
        let names = known.get(folder.as_os_str()).and_then(Option::as_ref);
        names.is_none_or(|names| names.contains(name))
    }
}

fn names(folder: &Path) -> Option<Names> {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) => {
            let is_none = matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory);
            return is_none.then(Names::default);
        }
    };
    let mut names = Names::default();
    for entry in entries {
        names.insert(entry.ok()?.file_name());
        if names.len() > MAX_LISTED {
            return None;
        }
    }
    Some(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listed_folder_tells_what_asking_tells() {
        let place = tempfile::tempdir().expect("a folder");
        let root = place.path();
        let write = |name: &str| std::fs::write(root.join(name), "").expect("written");
        std::fs::create_dir(root.join("app")).expect("a folder");
        std::fs::create_dir(root.join("large")).expect("a folder");
        write("main.py");
        write("app/__init__.py");
        for number in 0..=MAX_LISTED {
            write(&format!("large/{number}.py"));
        }
        let folders = Folders::default();
        let asked = [
            "main.py",
            "app.py",
            "app",
            "os.py",
            "os/__init__.py",
            "app/__init__.py",
            "app/main.py",
            "app/os/path.py",
            "main.py/a.py",
            "large/0.py",
            "large/none.py",
            "..",
        ];
        for name in asked.iter().chain(asked.iter().rev()) {
            let path = root.join(name);
            assert_eq!(folders.is_file(&path), path.is_file(), "{name}");
        }
        assert!(folders.may_hold(&root.join("large"), OsStr::new("none.py")));
        assert!(!folders.may_hold(root, OsStr::new("none.py")));
    }
}
