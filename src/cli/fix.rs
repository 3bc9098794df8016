//! `--fix` and `--diff`: changed files, and what is said of them.

use std::io::IsTerminal as _;
use std::path::Path;

use similar::TextDiff;

use super::Exit;
use super::streams::{self, Failure};
use crate::fixes::apply::{self, Changed};
use crate::report::text::lines;
use crate::report::{FIXABLE, Paths, Report};
use crate::write::replace;

/// Writes what was repaired in memory.
pub(super) fn write(report: &Report, paths: &Paths) -> Result<(), Failure> {
    let Some(fixed) = &report.fixed else {
        return Ok(());
    };
    apply::write(fixed)
        .map_err(|error| Failure::Said(format!("{}: {error}", paths.show(&error.path))))
}

/// Shows what would be repaired, as a unified diff.
pub(super) fn show(report: &Report, paths: &Paths, output: Option<&Path>) -> Result<Exit, Failure> {
    let files = report.fixed.iter().flat_map(|fixed| &fixed.files);
    let diffs: Vec<String> = files.map(|changed| diff(changed, paths)).collect();
    let text = diffs.concat();
    match output {
        Some(path) => replace(path, text.as_bytes()).map_err(|error| {
            Failure::Said(format!("{}: cannot be written: {error}", paths.show(path)))
        })?,
        // What a file holds may drive a terminal; for programs it has to stay as it is.
        None if std::io::stdout().is_terminal() => {
            streams::write(|out| writeln!(out, "{}", lines(text.trim_end())))?;
        }
        None => streams::write(|out| out.write_all(text.as_bytes()))?,
    }
    let number = report.fixed.as_ref().map_or(0, apply::Fixed::count);
    match number {
        0 => streams::warn("Nothing to fix."),
        _ => streams::warn(&format!("{} would be applied.", fixes(number))),
    }
    Ok(match (report.errors.is_empty(), number) {
        (false, _) => Exit::Failed,
        (true, 0) => Exit::Clean,
        (true, _) => Exit::Findings,
    })
}

fn diff(changed: &Changed, paths: &Paths) -> String {
    let name = paths
        .relative(changed.before.path())
        .to_string_lossy()
        .replace('\\', "/");
    // A name on one line.
    let name = name.replace(['\n', '\r'], " ");
    let diff = TextDiff::from_lines(changed.before.text(), &changed.after);
    diff.unified_diff().header(&name, &name).to_string()
}

/// What was, and what can be, repaired: lines for people.
pub(super) fn summary(report: &Report) -> Vec<String> {
    let applied = report.fixed.as_ref().map_or(0, apply::Fixed::count);
    let with_fixes = report
        .findings
        .iter()
        .filter(|finding| !finding.fixes.is_empty());
    let (safe, others): (Vec<_>, Vec<_>) =
        with_fixes.partition(|finding| finding.fixes.iter().any(|fix| fix.safe));
    let left = match (safe.len(), others.len()) {
        (0, 0) => None,
        (0, more) => Some(format!("{more} fixable with `--fix --unsafe-fixes`.")),
        (safe, 0) => Some(format!("{FIXABLE} {safe} fixable with `--fix`.")),
        (safe, more) => Some(format!(
            "{FIXABLE} {safe} fixable with `--fix`, {more} more with `--unsafe-fixes`."
        )),
    };
    let applied = (applied > 0).then(|| format!("{} applied.", fixes(applied)));
    applied.into_iter().chain(left).collect()
}

fn fixes(number: usize) -> String {
    match number {
        1 => "1 fix".into(),
        _ => format!("{number} fixes"),
    }
}
