//! Versions of packages, as far as a project pins them.

use std::path::Path;
use std::sync::LazyLock;

use regex::Regex;

use crate::source::{Sources, read_text};
use crate::syntax::kept::Kept;

/// What is known of an installed version: it lies between these (both included).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Versions {
    /// The oldest possible.
    pub min: Version,
    /// The newest possible.
    pub max: Version,
}

/// Major, minor, patch.
pub type Version = (u16, u16, u16);

impl Versions {
    /// Nothing is known.
    pub const ANY: Self = Self {
        min: (0, 0, 0),
        max: (u16::MAX, 0, 0),
    };

    /// Exactly this.
    #[must_use]
    pub const fn exactly(version: Version) -> Self {
        Self {
            min: version,
            max: version,
        }
    }

    /// What one of the two allows.
    fn or(self, other: Self) -> Self {
        Self {
            min: self.min.min(other.min),
            max: self.max.max(other.max),
        }
    }

    /// Is it this version or newer? Nothing if both is possible.
    #[must_use]
    pub fn since(self, version: Version) -> Option<bool> {
        if self.min >= version {
            Some(true)
        } else if self.max < version {
            Some(false)
        } else {
            None
        }
    }
}

/// Files that pin versions, the surest first.
const LOCKS: [&str; 5] = [
    "uv.lock",
    "poetry.lock",
    "Pipfile.lock",
    "pdm.lock",
    "requirements.lock",
];
const LOOSE: [&str; 12] = [
    "requirements.txt",
    "requirements/base.txt",
    "requirements/production.txt",
    "requirements/prod.txt",
    "requirements/common.txt",
    "requirements/requirements.txt",
    "requirements.in",
    "pyproject.toml",
    "Pipfile",
    "setup.cfg",
    "setup.py",
    "environment.yml",
];

/// The versions that the project's files allow for a package. `folders` are looked into in order.
#[must_use]
pub fn of_package(folders: &[&Path], package: &str, sources: &Sources) -> Versions {
    for names in [&LOCKS[..], &LOOSE[..]] {
        for folder in folders {
            for name in names {
                let path = folder.join(name);
                if !sources.folders().is_file(&path) {
                    continue;
                }
                let found = read_text(&path).ok();
                let found = found.and_then(|text| in_text(&text, package, name.contains("lock")));
                if let Some(versions) = found {
                    return versions;
                }
            }
        }
    }
    Versions::ANY
}

/// A pattern for a package, which every project asks for.
fn compiled(pattern: String) -> Option<Regex> {
    thread_local! {
        static PATTERNS: Kept<Option<Regex>> = Kept::default();
    }
    PATTERNS.with(|known| known.get(pattern, |text| Regex::new(text).ok()))
}

/// What a file's text says about a package: several lines, for several Pythons or groups of
/// dependencies, allow what one of them does.
fn in_text(text: &str, package: &str, lock: bool) -> Option<Versions> {
    let name = regex::escape(package).replace("\\-", "[-_.]");
    if lock {
        let pattern = format!(
            r#"(?im)^name\s*=\s*"{name}"\s*\r?\nversion\s*=\s*"([0-9.]+)|"{name}":\s*\{{[^}}]*?"version":\s*"==([0-9.]+)|^{name}==([0-9.]+)"#
        );
        let pattern = compiled(pattern)?;
        let found = pattern.captures_iter(text).filter_map(|found| {
            let version = (1..=3).find_map(|at| found.get(at))?;
            version_of(version.as_str()).map(Versions::exactly)
        });
        return found.reduce(Versions::or);
    }
    let pattern = format!(
        r#"(?im)(?:^|["'\s\[,]){name}(?:\[[^\]]*\])?["']?\s*(?:=\s*(?:\{{[^}}]*version\s*=\s*)?["'])?\(?\s*((?:[=<>~!^]=?=?\s*[0-9][0-9a-z.*]*\s*,?\s*)+|[0-9][0-9.]*["'])"#
    );
    let pattern = compiled(pattern)?;
    let found = pattern
        .captures_iter(text)
        .filter_map(|found| Some(specified(found.get(1)?.as_str())));
    found.reduce(Versions::or)
}

/// The versions that a specifier allows.
fn specified(text: &str) -> Versions {
    static PART: LazyLock<Option<Regex>> =
        LazyLock::new(|| Regex::new(r"([=<>~!^]*)\s*([0-9][0-9.]*)(\.?\*)?").ok());
    let mut versions = Versions::ANY;
    let Some(part) = PART.as_ref() else {
        return versions;
    };
    let before = |(major, minor, patch): Version| match (major, minor, patch) {
        (major, minor, patch) if patch > 0 => (major, minor, patch - 1),
        (major, minor, _) if minor > 0 => (major, minor - 1, u16::MAX),
        (major, ..) => (major.saturating_sub(1), u16::MAX, u16::MAX),
    };
    for found in part.captures_iter(text) {
        let Some(version) = version_of(&found[2]) else {
            continue;
        };
        let components = found[2].split('.').filter(|part| !part.is_empty()).count();
        let next = match components {
            1 => (version.0.saturating_add(1), 0, 0),
            2 => (version.0, version.1.saturating_add(1), 0),
            _ => (version.0, version.1, version.2.saturating_add(1)),
        };
        let star = found.get(3).is_some();
        match &found[1] {
            "==" | "===" if star => {
                versions.min = versions.min.max(version);
                versions.max = versions.max.min(before(next));
            }
            "==" | "===" | "" => return Versions::exactly(version),
            ">=" => versions.min = versions.min.max(version),
            ">" => versions.min = versions.min.max(version),
            "<=" => versions.max = versions.max.min(version),
            "<" => versions.max = versions.max.min(before(version)),
            "~=" | "~" => {
                versions.min = versions.min.max(version);
                let end = match components {
                    0..=2 => (version.0.saturating_add(1), 0, 0),
                    _ => (version.0, version.1.saturating_add(1), 0),
                };
                versions.max = versions.max.min(before(end));
            }
            "^" => {
                versions.min = versions.min.max(version);
                let end = match version {
                    (0, 0, patch) if components > 2 => (0, 0, patch.saturating_add(1)),
                    (0, minor, _) if components > 1 => (0, minor.saturating_add(1), 0),
                    (major, ..) => (major.saturating_add(1), 0, 0),
                };
                versions.max = versions.max.min(before(end));
            }
            _ => {}
        }
    }
    versions
}

fn version_of(text: &str) -> Option<Version> {
    let mut parts = text.split('.').map(|part| part.parse::<u16>().ok());
    let major = parts.next()??;
    let minor = parts.next().flatten().unwrap_or(0);
    Some((major, minor, parts.next().flatten().unwrap_or(0)))
}

#[cfg(test)]
mod tests {
    use super::{Sources, Versions, in_text, of_package, specified};

    #[test]
    fn versions_are_read_from_all_files() {
        let between = |min, max| Some(Versions { min, max });
        let exactly = |version| Some(Versions::exactly(version));
        let most = u16::MAX;
        for (text, lock, expected) in [
            ("flask-cors==4.0.2\n", false, exactly((4, 0, 2))),
            (
                "Flask_Cors==4.0.2 ; python_version\n",
                false,
                exactly((4, 0, 2)),
            ),
            ("flask\nflask-cors\n", false, None),
            (
                "flask-cors>=4,<6\n",
                false,
                between((4, 0, 0), (5, most, most)),
            ),
            (
                "flask-cors~=5.0.1\n",
                false,
                between((5, 0, 1), (5, 0, most)),
            ),
            (
                "dependencies = [\"flask-cors>=6.0.1\"]",
                false,
                between((6, 0, 1), (most, 0, 0)),
            ),
            (
                "flask-cors = \"^4.0\"",
                false,
                between((4, 0, 0), (4, most, most)),
            ),
            ("flask-cors = \"4.0.1\"", false, exactly((4, 0, 1))),
            (
                "flask-cors[x]==4.0.*",
                false,
                between((4, 0, 0), (4, 0, most)),
            ),
            (
                "name = \"flask-cors\"\nversion = \"6.0.1\"",
                true,
                exactly((6, 0, 1)),
            ),
            (
                "\"flask-cors\": {\n \"hashes\": [],\n \"version\": \"==5.0.0\"",
                true,
                exactly((5, 0, 0)),
            ),
        ] {
            assert_eq!(in_text(text, "flask-cors", lock), expected, "{text}");
        }
    }

    /// Expected values: PEP 440, and Poetry's documentation for `^`.
    #[test]
    fn specifiers_allow_what_their_tools_say() {
        let most = u16::MAX;
        for (text, min, max) in [
            (">4.0.1", (4, 0, 1), (most, 0, 0)),
            (">=4,!=4.0.2", (4, 0, 0), (most, 0, 0)),
            ("<=4.0.2", (0, 0, 0), (4, 0, 2)),
            ("<4.0.2", (0, 0, 0), (4, 0, 1)),
            ("<4.1", (0, 0, 0), (4, 0, most)),
            ("~=5.0", (5, 0, 0), (5, most, most)),
            ("~=5.0.1", (5, 0, 1), (5, 0, most)),
            ("^4.0.1", (4, 0, 1), (4, most, most)),
            ("^0.46", (0, 46, 0), (0, 46, most)),
            ("^0.46.2", (0, 46, 2), (0, 46, most)),
            ("^0.0.3", (0, 0, 3), (0, 0, 3)),
            ("^0.0", (0, 0, 0), (0, 0, most)),
            ("^0", (0, 0, 0), (0, most, most)),
            ("==4.*", (4, 0, 0), (4, most, most)),
            ("===4.0.2", (4, 0, 2), (4, 0, 2)),
            ("4.0", (4, 0, 0), (4, 0, 0)),
        ] {
            assert_eq!(specified(text), Versions { min, max }, "{text}");
        }
    }

    #[test]
    fn what_lies_between_is_not_certain() {
        let versions = Versions {
            min: (4, 0, 2),
            max: (5, 0, 0),
        };
        assert_eq!(versions.since((4, 0, 2)), Some(true));
        assert_eq!(versions.since((4, 0, 3)), None);
        assert_eq!(versions.since((5, 0, 0)), None);
        assert_eq!(versions.since((5, 0, 1)), Some(false));
    }

    /// One package may be pinned for several Pythons.
    #[test]
    fn several_lines_allow_what_one_of_them_does() {
        let between = |min, max| Some(Versions { min, max });
        for (text, lock) in [
            (
                "flask-cors==4.0.2; python_version < \"3.9\"\nflask-cors==6.0.1; python_version >= \"3.9\"\n",
                false,
            ),
            (
                "name = \"flask-cors\"\nversion = \"6.0.1\"\n\n[[package]]\n\
                 name = \"flask-cors\"\nversion = \"4.0.2\"\n",
                true,
            ),
        ] {
            let found = in_text(text, "flask-cors", lock);
            assert_eq!(found, between((4, 0, 2), (6, 0, 1)), "{text}");
        }
    }

    /// Each kind of file, as its tool writes it, alone in a project.
    #[test]
    fn each_kind_of_file_is_found_in_a_project() {
        let most = u16::MAX;
        let of = |major, minor, patch| Versions::exactly((major, minor, patch));
        let between = |min, max| Versions { min, max };
        for (name, text, expected) in [
            (
                "uv.lock",
                "version = 1\nrequires-python = \">=3.11\"\n\n[[package]]\nname = \"flask\"\nversion = \"3.1.2\"\n\n\
                 [[package]]\nname = \"flask-cors\"\nversion = \"6.0.1\"\n\
                 source = { registry = \"https://packages.example/simple\" }\n",
                of(6, 0, 1),
            ),
            (
                "poetry.lock",
                "[[package]]\nname = \"Flask-Cors\"\nversion = \"4.0.2\"\noptional = false\n\n\
                 [package.dependencies]\nFlask = \">=0.9\"\n",
                of(4, 0, 2),
            ),
            (
                "Pipfile.lock",
                "{\n  \"default\": {\n    \"flask-cors\": {\n      \"hashes\": [\n        \"sha256:00\"\n      ],\n\
                 \x20     \"index\": \"pypi\",\n      \"version\": \"==3.0.10\"\n    }\n  }\n}\n",
                of(3, 0, 10),
            ),
            (
                "pdm.lock",
                "[[package]]\nname = \"flask-cors\"\nversion = \"5.0.0\"\n",
                of(5, 0, 0),
            ),
            (
                "requirements.lock",
                "-e file:.\nflask-cors==5.0.1\n    # via app\n",
                of(5, 0, 1),
            ),
            (
                "requirements.txt",
                "flask==3.1.2\nFlask_Cors==6.0.0 ; python_version >= \"3.9\" \\\n    --hash=sha256:00\n",
                of(6, 0, 0),
            ),
            (
                "requirements/production.txt",
                "-r base.txt\nflask-cors~=5.0.1\n",
                between((5, 0, 1), (5, 0, most)),
            ),
            (
                "requirements.in",
                "flask-cors<5\n",
                between((0, 0, 0), (4, most, most)),
            ),
            (
                "pyproject.toml",
                "[project]\nname = \"service\"\ndependencies = [\n    \"flask>=3\",\n    \"flask-cors>=4,<6\",\n]\n",
                between((4, 0, 0), (5, most, most)),
            ),
            (
                "pyproject.toml",
                "[tool.poetry.dependencies]\nflask-cors = { version = \"^4.0\", optional = true }\n",
                between((4, 0, 0), (4, most, most)),
            ),
            (
                "Pipfile",
                "[packages]\nflask-cors = \"==4.0.1\"\n",
                of(4, 0, 1),
            ),
            ("Pipfile", "[packages]\nflask-cors = \"*\"\n", Versions::ANY),
            (
                "setup.cfg",
                "[options]\ninstall_requires =\n    flask\n    flask-cors>=6\n",
                between((6, 0, 0), (most, 0, 0)),
            ),
            (
                "setup.py",
                "setup(\n    install_requires=[\n        'Flask-Cors==3.0.2',\n    ],\n)\n",
                of(3, 0, 2),
            ),
            (
                "environment.yml",
                "dependencies:\n  - python=3.11\n  - pip:\n      - flask-cors==4.0.0\n",
                of(4, 0, 0),
            ),
        ] {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(&path, text).unwrap();
            let found = of_package(&[folder.path()], "flask-cors", &Sources::new());
            assert_eq!(found, expected, "{name}: {text}");
            let other = of_package(&[folder.path()], "django-cors-headers", &Sources::new());
            assert_eq!(other, Versions::ANY, "{name}");
        }
    }

    #[test]
    fn a_lock_is_surer_than_what_is_asked_for() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            std::fs::write(folder.path().join(name), text).unwrap();
        };
        write("requirements.txt", "flask-cors==4.0.0\n");
        write("pyproject.toml", "dependencies = [\"flask-cors>=3\"]\n");
        write(
            "poetry.lock",
            "name = \"flask-cors\"\nversion = \"6.0.1\"\n",
        );
        let found = of_package(&[folder.path()], "flask-cors", &Sources::new());
        assert_eq!(found, Versions::exactly((6, 0, 1)));
        std::fs::remove_file(folder.path().join("poetry.lock")).unwrap();
        let found = of_package(&[folder.path()], "flask-cors", &Sources::new());
        assert_eq!(found, Versions::exactly((4, 0, 0)));
    }
}
