//! Findings that were there before corslint was: known, counted, and not reported.
//!
//! A baseline is a text with one line per finding, in order of paths, so that version control
//! merges it: fingerprint, rule, path. A fingerprint names one finding, not a number of them, so
//! that a repaired one is not made up for by a new one.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::model::Finding;

/// The first line of a baseline of this version.
const HEADER: &str = "# corslint baseline, version 1";

/// What all versions start with.
const TITLE: &str = "# corslint baseline, version ";

const EXPLANATION: &str = "\
# Findings that are known and not reported: fingerprint, rule, path. `corslint --baseline FILE
# --write-baseline` writes this file; a line may be deleted at any time.
";

/// One known finding.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Entry {
    /// From the project's base, with `/` between folders.
    pub path: String,
    /// The rule's id.
    pub rule: String,
    /// The finding's fingerprint.
    pub fingerprint: String,
}

impl Entry {
    /// The entry of a finding in a file with this path.
    #[must_use]
    pub fn new(finding: &Finding, path: String) -> Self {
        Self {
            path,
            rule: finding.rule.clone(),
            fingerprint: finding.fingerprint.clone(),
        }
    }
}

/// What a baseline did to a run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Findings that it holds.
    pub known: usize,
    /// Entries of files that were looked at whose findings are gone.
    pub stale: Vec<Entry>,
}

/// Reads a baseline: its entries by their fingerprints.
///
/// # Errors
/// Another version, or a line that is none; with the words for people.
pub fn read(text: &str) -> Result<BTreeMap<String, Entry>, String> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let first = text.lines().next().unwrap_or_default().trim_end();
    if first != HEADER {
        return Err(match first.strip_prefix(TITLE) {
            Some(version) => format!(
                "a baseline of version {version}, and this corslint reads version 1; write it again with --write-baseline"
            ),
            None => format!("no baseline: the first line of one is `{HEADER}`"),
        });
    }
    let mut entries = BTreeMap::new();
    for (index, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let mut parts = line.splitn(3, ' ');
        let parts = (parts.next(), parts.next(), parts.next());
        let (Some(fingerprint), Some(rule), Some(path)) = parts else {
            return Err(wrong(index));
        };
        let digits = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        if fingerprint.len() != 32 || !fingerprint.bytes().all(digits) {
            return Err(wrong(index));
        }
        let entry = Entry {
            path: path.to_owned(),
            rule: rule.to_owned(),
            fingerprint: fingerprint.to_owned(),
        };
        entries.insert(fingerprint.to_owned(), entry);
    }
    Ok(entries)
}

fn wrong(index: usize) -> String {
    format!(
        "line {} is no entry of a baseline (fingerprint, rule, path); was a merge left unfinished?",
        index + 1
    )
}

/// Writes a baseline.
#[must_use]
pub fn write(mut entries: Vec<Entry>) -> String {
    entries.sort();
    entries.dedup();
    let mut text = format!("{HEADER}\n{EXPLANATION}");
    for Entry {
        path,
        rule,
        fingerprint,
    } in entries
    {
        // A path on one line.
        let path = path.replace(['\n', '\r'], " ");
        let _ = writeln!(text, "{fingerprint} {rule} {path}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let entry = |path: &str, digit: &str| Entry {
            path: path.into(),
            rule: "missing-vary".into(),
            fingerprint: digit.repeat(32),
        };
        let entries = vec![
            entry("b c.conf", "a"),
            entry("a.conf", "0"),
            entry("b c.conf", "1"),
        ];
        let text = write(entries.clone());
        let paths: Vec<_> = text.lines().skip(3).map(|line| &line[46..]).collect();
        assert_eq!(paths, ["a.conf", "b c.conf", "b c.conf"]);
        let read = read(&text).expect("a baseline");
        let mut expected = entries;
        expected.sort_by(|a, b| a.fingerprint.cmp(&b.fingerprint));
        assert_eq!(read.into_values().collect::<Vec<_>>(), expected);
    }

    #[test]
    fn other_texts_are_refused() {
        let lines = |line: &str| format!("{HEADER}\n{line}\n");
        for (text, words) in [
            (String::new(), "no baseline"),
            ("{}".into(), "no baseline"),
            ("# corslint baseline, version 2\n".into(), "of version 2"),
            (lines("<<<<<<< HEAD"), "line 2 is no entry"),
            (lines(&format!("{} missing-vary", "a".repeat(32))), "line 2"),
            (
                lines(&format!("{} missing-vary x", "A".repeat(32))),
                "line 2",
            ),
        ] {
            let error = read(&text).expect_err("an error");
            assert!(error.contains(words), "{text}: {error}");
        }
        assert_eq!(read(&lines("")), Ok(BTreeMap::new()));
    }
}
