//! Putting edits into texts, and texts into files.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::model::{Edit, Finding, Fix};
use crate::source::{FileId, SourceFile, Sources, read_bytes};
use crate::write::replace;

/// What fixing did to a project, in memory.
#[derive(Clone, Debug, Default)]
pub struct Fixed {
    /// How many fixes were applied, by rule.
    pub rules: BTreeMap<String, usize>,
    /// The changed files, in order of their paths.
    pub files: Vec<Changed>,
}

impl Fixed {
    /// How many fixes were applied.
    #[must_use]
    pub fn count(&self) -> usize {
        self.rules.values().sum()
    }
}

/// A file with what is to stand in it.
#[derive(Clone, Debug)]
pub struct Changed {
    /// As it was read.
    pub before: Arc<SourceFile>,
    /// The new text.
    pub after: String,
    /// The folder that a link may not lead out of.
    pub base: PathBuf,
}

/// Why a file was not written.
#[derive(Debug)]
pub struct NotWritten {
    /// The file.
    pub path: PathBuf,
    /// Why, for people.
    pub why: String,
    /// How many files had been written before.
    pub written: usize,
}

impl fmt::Display for NotWritten {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.why)?;
        match self.written {
            0 => f.write_str("; no file was changed"),
            1 => f.write_str("; one other file was changed before"),
            more => write!(f, "; {more} other files were changed before"),
        }
    }
}

impl std::error::Error for NotWritten {}

/// The fixes that can be applied together, one per finding: none touches what another one changes.
/// With the rule that each belongs to, in the order of the findings.
pub(crate) fn choose(findings: &[Finding], unsafe_too: bool) -> Vec<(&str, &Fix)> {
    let mut taken: Vec<&Edit> = Vec::new();
    let mut chosen = Vec::new();
    for finding in findings {
        let fits = |fix: &&Fix| {
            (fix.safe || unsafe_too)
                && fix
                    .edits
                    .iter()
                    .all(|edit| !taken.iter().any(|other| collide(edit, other)))
        };
        if let Some(fix) = finding.fixes.iter().find(fits) {
            taken.extend(&fix.edits);
            chosen.push((finding.rule.as_str(), fix));
        }
    }
    chosen
}

/// Do two edits touch? Equal ones do not: they are applied once.
fn collide(a: &Edit, b: &Edit) -> bool {
    let touch = a.span.start <= b.span.end && b.span.start <= a.span.end;
    a.span.file == b.span.file && touch && a != b
}

/// The new texts of the files that edits change; of edits that touch the first counts.
pub(crate) fn edited<'e>(
    sources: &Sources,
    edits: impl Iterator<Item = &'e Edit>,
) -> (HashMap<FileId, String>, Shifts) {
    let mut by_file: HashMap<FileId, Vec<&Edit>> = HashMap::new();
    for edit in edits {
        let known = by_file.entry(edit.span.file).or_default();
        let is_in_the_way = |other: &&Edit| *other == edit || collide(edit, other);
        if !known.iter().any(is_in_the_way) {
            known.push(edit);
        }
    }
    let mut texts = HashMap::new();
    let mut shifts = Shifts::default();
    for (id, mut edits) in by_file {
        edits.sort_by_key(|edit| (edit.span.start, edit.span.end));
        let file = sources.get(id);
        let old = file.text();
        let mut text = String::with_capacity(old.len());
        let mut at = 0;
        for edit in &edits {
            text.push_str(&old[at..edit.span.start as usize]);
            text.push_str(&edit.text);
            at = edit.span.end as usize;
        }
        text.push_str(&old[at..]);
        texts.insert(id, text);
        let shift = |edit: &&Edit| (edit.span.start, edit.span.end, edit.text.len());
        shifts.0.insert(id, edits.iter().map(shift).collect());
    }
    (texts, shifts)
}

/// Where places are after an edit.
#[derive(Clone, Debug, Default)]
pub(crate) struct Shifts(HashMap<FileId, Vec<(u32, u32, usize)>>);

impl Shifts {
    /// The new offset of a byte; inside what was replaced, the start of what stands there now.
    pub(crate) fn place(&self, file: FileId, byte: u32) -> u32 {
        let mut offset = i64::from(byte);
        for (start, end, length) in self.0.get(&file).into_iter().flatten() {
            if *end <= byte {
                offset += i64::try_from(*length).unwrap_or(0) - i64::from(end - start);
            } else if *start < byte {
                offset -= i64::from(byte - start);
            }
        }
        u32::try_from(offset).unwrap_or(byte)
    }
}

/// Writes the changed files, each whole or not at all. All are looked at before the first is written.
///
/// # Errors
/// The first file that cannot be written: it was changed by somebody else since it was read, it is
/// not writable, or a link leads out of the project.
pub fn write(fixed: &Fixed) -> Result<(), NotWritten> {
    let fail = |changed: &Changed, why: String, written| NotWritten {
        path: changed.before.path().to_path_buf(),
        why,
        written,
    };
    for changed in &fixed.files {
        check(changed).map_err(|why| fail(changed, why, 0))?;
    }
    for (written, changed) in fixed.files.iter().enumerate() {
        let done = check(changed).and_then(|()| {
            let result = replace(changed.before.path(), changed.after.as_bytes());
            result.map_err(|error| format!("cannot be written: {error}"))
        });
        done.map_err(|why| fail(changed, why, written))?;
    }
    Ok(())
}

fn check(changed: &Changed) -> Result<(), String> {
    let path: &Path = changed.before.path();
    let real = path
        .canonicalize()
        .map_err(|error| format!("cannot be written: {error}"))?;
    let base = changed.base.canonicalize();
    if !base.is_ok_and(|base| real.starts_with(base)) {
        return Err("a link that leads out of the project is not followed".into());
    }
    let now = read_bytes(path).map_err(|why| format!("cannot be read again: {why}"))?;
    if now != changed.before.text().as_bytes() {
        return Err("was changed while corslint ran; run it again".into());
    }
    let metadata =
        std::fs::metadata(&real).map_err(|error| format!("cannot be written: {error}"))?;
    if metadata.permissions().readonly() {
        return Err("cannot be written: it is read-only".into());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Span;

    #[test]
    fn edits_are_put_in_and_places_move() {
        let sources = Sources::new();
        let file = sources.add("a".into(), "one two three".into());
        let edit = |start, end, text: &str| Edit {
            span: Span::new(file.id(), start, end),
            text: text.into(),
        };
        let edits = [
            edit(8, 13, "3"),
            edit(0, 3, "first"),
            edit(4, 4, ">"),
            edit(0, 3, "first"),
            edit(9, 10, "lost"),
        ];
        let (texts, shifts) = edited(&sources, edits.iter());
        assert_eq!(texts[&file.id()], "first >two 3");
        let place = |byte| shifts.place(file.id(), byte);
        assert_eq!(
            [place(0), place(1), place(4), place(8), place(10)],
            [0, 0, 7, 11, 11]
        );
    }
}
