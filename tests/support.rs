//! What several test modules share: temporary trees, the binary, snapshots.

// Several test targets include this file, and none uses all of it.
#![allow(dead_code)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};

use corslint::check::{Options, check};
use corslint::report::Report;

/// Set to `1`, it makes [`assert_snapshot`] write the expected files instead of comparing.
pub(crate) const BLESS: &str = "CORSLINT_BLESS";

/// A fresh folder, removed with everything in it when dropped.
///
/// It lies in the system's temporary folder: inside the checkout, the checkout's own `.git` would
/// be part of every test.
#[derive(Debug)]
pub(crate) struct TempDir(PathBuf);

impl TempDir {
    /// Makes one.
    pub(crate) fn new() -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let base = std::env::temp_dir()
            .canonicalize()
            .expect("a temporary folder");
        let name = format!(
            "corslint-{}-{}",
            std::process::id(),
            COUNT.fetch_add(1, Ordering::Relaxed)
        );
        let path = base.join(name);
        fs::create_dir(&path).expect("a fresh folder");
        Self(path)
    }

    /// The folder, absolute.
    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// Writes a file, with the folders above it.
    pub(crate) fn write(&self, name: impl AsRef<Path>, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.0.join(name);
        let folder = path.parent().expect("a file stands in a folder");
        fs::create_dir_all(folder).expect("folders above the file");
        fs::write(&path, content).expect("a writable temporary folder");
        path
    }
}

impl Drop for TempDir {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// The binary under test, started in `folder`, blind to the environment of whoever runs the tests.
pub(crate) fn corslint(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_corslint"));
    command.current_dir(folder).env_clear().stdin(Stdio::null());
    // Windows finds its system libraries through it.
    if let Some(root) = std::env::var_os("SystemRoot") {
        command.env("SystemRoot", root);
    }
    command
}

/// What came of running the binary.
#[derive(Debug)]
pub(crate) struct Run {
    /// Exit code; -1 for death by a signal.
    pub(crate) code: i32,
    /// Standard output.
    pub(crate) stdout: String,
    /// Standard error.
    pub(crate) stderr: String,
}

impl From<Output> for Run {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8(output.stdout).expect("UTF-8 on standard output"),
            stderr: String::from_utf8(output.stderr).expect("UTF-8 on standard error"),
        }
    }
}

/// Runs the binary in `folder` with `arguments`.
pub(crate) fn run(folder: &Path, arguments: &[&str]) -> Run {
    corslint(folder)
        .args(arguments)
        .output()
        .expect("the binary starts")
        .into()
}

/// Compares `actual` with the file `expected`; with [`BLESS`] set to `1`, writes that file instead.
///
/// Line ends do not matter: a checkout may have changed them.
#[track_caller]
pub(crate) fn assert_snapshot(expected: &Path, actual: &str) {
    let difference = compare_snapshot(expected, actual).err();
    assert!(difference.is_none(), "{}", difference.unwrap_or_default());
}

/// Like [`assert_snapshot`], for runners that collect several differences before they fail.
///
/// # Errors
/// The difference, for people.
pub(crate) fn compare_snapshot(expected: &Path, actual: &str) -> Result<(), String> {
    if std::env::var_os(BLESS).is_some_and(|value| value == "1") {
        if let Some(folder) = expected.parent() {
            fs::create_dir_all(folder).map_err(|error| error.to_string())?;
        }
        return fs::write(expected, actual).map_err(|error| error.to_string());
    }
    let name = expected.display();
    let known = fs::read_to_string(expected)
        .map_err(|error| format!("{name}: {error}; run with {BLESS}=1 to write it\n{actual}"))?
        .replace("\r\n", "\n");
    if known == actual {
        return Ok(());
    }
    let mut text = format!("{name} differs (run with {BLESS}=1 if the new text is right)\n");
    let (old, new): (Vec<_>, Vec<_>) = (known.lines().collect(), actual.lines().collect());
    let same_start = old.iter().zip(&new).take_while(|(a, b)| a == b).count();
    let rest = old.len().min(new.len()) - same_start;
    let same_end = old.iter().rev().zip(new.iter().rev());
    let same_end = same_end.take(rest).take_while(|(a, b)| a == b).count();
    if same_start + same_end == old.len() && old.len() == new.len() {
        text.push_str("only in their last line break\n");
    }
    for line in &old[same_start..old.len() - same_end] {
        text.push_str(&format!("- {line}\n"));
    }
    for line in &new[same_start..new.len() - same_end] {
        text.push_str(&format!("+ {line}\n"));
    }
    Err(text)
}

#[test]
fn a_snapshot_shows_the_lines_that_differ() {
    let folder = TempDir::new();
    let file = folder.write("expected", "one\ntwo\nthree\n");
    // Blessing is for the person who runs the tests, never for this one.
    if std::env::var_os(BLESS).is_some() {
        return;
    }
    assert_eq!(compare_snapshot(&file, "one\ntwo\nthree\n"), Ok(()));
    let difference = compare_snapshot(&file, "one\n2\nthree\n").expect_err("they differ");
    assert!(difference.ends_with("- two\n+ 2\n"), "{difference}");
    assert!(compare_snapshot(&folder.path().join("none"), "").is_err());
}

/// What is found in files, each a name and what it holds, that are a project.
pub(crate) fn report<T: AsRef<[u8]>>(files: &[(&str, T)]) -> Report {
    let folder = TempDir::new();
    for (name, text) in files {
        folder.write(name, text);
    }
    let options = Options {
        paths: vec![folder.path().to_path_buf()],
        ..Options::default()
    };
    let report = check(&options).expect("the rules are right");
    assert_eq!(report.errors, []);
    report
}

/// The rules of a report's findings, in order.
pub(crate) fn rules(report: &Report) -> Vec<&str> {
    let findings = report.findings.iter();
    findings.map(|finding| finding.rule.as_str()).collect()
}
