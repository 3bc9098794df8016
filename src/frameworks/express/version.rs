//! Which versions of packages a project uses: package.json, or a lock file beside it.

use std::path::Path;

use serde_json::Value;

use super::path::Major;
use crate::limits::express::version::MAX_FOLDERS;
use crate::source::read_text;

/// The versions that make a difference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Versions {
    /// Express; 4 if nothing says it.
    pub(super) express: Major,
    /// The major version of Socket.IO.
    pub(super) socket: Option<u32>,
}

impl Versions {
    /// Those of the project in a folder.
    pub(super) fn of(root: &Path) -> Self {
        let express = match major(root, "express") {
            Some(5..) => Major::Five,
            _ => Major::Four,
        };
        Self {
            express,
            socket: major(root, "socket.io"),
        }
    }
}

/// The major version of a package by the nearest package.json that depends on it. What was installed
/// is asked where the range allows several, or is none (`latest`, `workspace:*`).
fn major(root: &Path, package: &str) -> Option<u32> {
    for folder in root.ancestors().take(MAX_FOLDERS) {
        let text = read_text(&folder.join("package.json")).ok();
        let json: Option<Value> = text.and_then(|text| serde_json::from_str(&text).ok());
        let groups = ["dependencies", "devDependencies", "peerDependencies"];
        let range = json.as_ref().and_then(|json| {
            let mut groups = groups.iter();
            groups.find_map(|group| json[group][package].as_str())
        });
        let Some(range) = range else { continue };
        let mut folders = folder.ancestors().take(MAX_FOLDERS);
        return of_range(range)
            .or_else(|| folders.find_map(|folder| installed(folder, package)))
            .or_else(|| leading(range));
    }
    None
}

/// The only major version that a range allows.
fn of_range(range: &str) -> Option<u32> {
    let plain = range.trim().trim_start_matches(['^', '~', '=', 'v']);
    let plain = plain.split('-').next().unwrap_or_default();
    let is_version = |c: char| c.is_ascii_digit() || matches!(c, '.' | 'x' | 'X' | '*');
    plain
        .chars()
        .all(is_version)
        .then(|| leading(plain))
        .flatten()
}

/// The number that a version begins with, behind signs.
fn leading(version: &str) -> Option<u32> {
    let version = version.trim_start_matches(|c: char| "^~=v<> \"'".contains(c));
    let end = version.find(|c: char| !c.is_ascii_digit());
    version[..end.unwrap_or(version.len())].parse().ok()
}

/// The major version that a lock file of a folder names.
fn installed(folder: &Path, package: &str) -> Option<u32> {
    let text = |name: &str| read_text(&folder.join(name)).ok();
    text("package-lock.json")
        .and_then(|text| of_npm(&text, package))
        .or_else(|| text("yarn.lock").and_then(|text| of_yarn(&text, package)))
        .or_else(|| text("pnpm-lock.yaml").and_then(|text| of_pnpm(&text, package)))
}

fn of_npm(text: &str, package: &str) -> Option<u32> {
    let json: Value = serde_json::from_str(text).ok()?;
    let new = &json["packages"][format!("node_modules/{package}")]["version"];
    let old = &json["dependencies"][package]["version"];
    leading(new.as_str().or(old.as_str())?)
}

/// `express@^4.17.1:`, and below it `version "4.18.2"` or `version: 4.18.2`.
fn of_yarn(text: &str, package: &str) -> Option<u32> {
    let mut lines = text.lines();
    lines.find(|line| {
        let name = line.trim_start_matches('"').strip_prefix(package);
        name.is_some_and(|rest| rest.starts_with('@'))
    })?;
    let line = lines.next()?.trim();
    leading(line.strip_prefix("version")?.trim_start_matches([':', ' ']))
}

/// `express@4.18.2:` or `/express@4.18.2:` or `/express/4.18.2:` as a key.
fn of_pnpm(text: &str, package: &str) -> Option<u32> {
    text.lines().find_map(|line| {
        let key = line.trim().trim_start_matches(['\'', '/']);
        let version = key.strip_prefix(package)?.strip_prefix(['@', '/'])?;
        leading(version)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_name_one_major_version_or_none() {
        for (range, major) in [
            ("^4.21.2", Some(4)),
            ("~5.1.0", Some(5)),
            ("5", Some(5)),
            ("4.x", Some(4)),
            ("5.0.0-beta.1", Some(5)),
            ("latest", None),
            ("*", None),
            ("workspace:*", None),
            (">=4 <6", None),
            ("^4.0.0 || ^5.0.0", None),
        ] {
            assert_eq!(of_range(range), major, "{range}");
        }
    }

    #[test]
    fn lock_files_name_what_is_installed() {
        let npm = r#"{ "packages": { "node_modules/express": { "version": "5.1.0" } } }"#;
        assert_eq!(of_npm(npm, "express"), Some(5));
        let old = r#"{ "dependencies": { "express": { "version": "4.18.2" } } }"#;
        assert_eq!(of_npm(old, "express"), Some(4));
        let yarn =
            "express-jwt@^6:\n  version \"6.0.0\"\n\n\"express@^5.0.0\":\n  version \"5.0.1\"\n";
        assert_eq!(of_yarn(yarn, "express"), Some(5));
        let berry = "\"express@npm:*\":\n  version: 4.19.2\n";
        assert_eq!(of_yarn(berry, "express"), Some(4));
        let pnpm =
            "packages:\n\n  express-session@1.18.0:\n\n  express@5.1.0:\n    resolution: {}\n";
        assert_eq!(of_pnpm(pnpm, "express"), Some(5));
        assert_eq!(of_pnpm("  /express@4.18.2:\n", "express"), Some(4));
    }
}
