//! The order of findings, and what names them from run to run.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use sha2::{Digest, Sha256};

use crate::discover::Project;
use crate::limits::check::MAX_HEADING_LINES;
use crate::model::Finding;
use crate::source::{SourceFile, Sources, Span};

/// Path, place, rule.
pub(super) fn order(findings: &mut [Finding], sources: &Sources) {
    let files = findings.iter().map(|finding| finding.primary.span.file);
    let mut files: Vec<_> = files.collect::<HashSet<_>>().into_iter().collect();
    files.sort_by_cached_key(|file| sources.get(*file).path().to_path_buf());
    let ranks: HashMap<_, usize> = files.into_iter().zip(0..).collect();
    findings.sort_by(|a, b| {
        let key = |finding: &Finding| {
            let span = finding.primary.span;
            (ranks.get(&span.file).copied(), span.start, span.end)
        };
        key(a).cmp(&key(b)).then_with(|| a.rule.cmp(&b.rule))
    });
}

/// Lines longer than this, in bytes, are no part of a fingerprint; the token alone is.
const MAX_FINGERPRINT_LINE: usize = 1000;

/// Gives every finding a fingerprint: the first 32 hexadecimal digits of the SHA-256 of rule, path
/// (from the project's base, `/` between folders), the line that the one of the finding stands below
/// (`location /a/ {`), that line, the primary token, white space folded, and a number that tells equal
/// ones apart. No line numbers, and nothing that depends on where or with which arguments the run was
/// started.
pub(super) fn fingerprint(findings: &mut [Finding], projects: &[Project], sources: &Sources) {
    let mut paths: HashMap<_, String> = HashMap::new();
    let mut seen: HashMap<String, usize> = HashMap::new();
    for finding in findings {
        let file = sources.get(finding.primary.span.file);
        let path = paths
            .entry(file.id())
            .or_insert_with(|| from_base(file.path(), projects));
        let lines = Lines(&file);
        let at = file.position(finding.primary.span.start).line - 1;
        let short = |line: usize| {
            let text = lines.get(line);
            let text = text.filter(|text| text.len() <= MAX_FINGERPRINT_LINE);
            text.unwrap_or_default()
        };
        let line = short(at);
        let heading = lines.heading(at).map_or("", short);
        let token = file.slice(finding.primary.span);
        let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        let content = format!(
            "{}\0{path}\0{}\0{}\0{}",
            finding.rule,
            words(heading),
            words(line),
            words(token)
        );
        let count = seen.entry(content.clone()).or_default();
        let digest = Sha256::digest(format!("{content}\0{count}"));
        *count += 1;
        finding.fingerprint = digest[..16]
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
    }
}

/// The path from the base of the nearest project around it.
pub(super) fn from_base(path: &Path, projects: &[Project]) -> String {
    let bases = projects.iter().map(|project| project.base.as_path());
    let nearest = bases
        .filter_map(|base| path.strip_prefix(base).ok())
        .min_by_key(|rest| rest.as_os_str().len());
    let path = nearest.unwrap_or(path);
    path.to_string_lossy().replace('\\', "/")
}

/// The lines of a file, from 0.
struct Lines<'a>(&'a SourceFile);

impl<'a> Lines<'a> {
    fn get(&self, line: usize) -> Option<&'a str> {
        let starts = self.0.line_starts();
        let start = *starts.get(line)?;
        let end = starts.get(line + 1).copied().unwrap_or(self.0.span().end);
        Some(self.0.slice(Span::new(self.0.id(), start, end)))
    }

    /// The line that says what a line belongs to: the nearest one above that is less indented, and of an
    /// annotation the line that is annotated.
    fn heading(&self, line: usize) -> Option<usize> {
        let says = |line: &usize| {
            let text = self.get(*line).unwrap_or_default().trim_start();
            !text.is_empty() && !text.starts_with(['#', '/', '*', '}', ')', ']'])
        };
        let own = self.get(line)?;
        if own.trim_start().starts_with('@') {
            let mut below = (line + 1..self.0.line_starts().len()).take(MAX_HEADING_LINES);
            let is_annotated = |line: &usize| {
                says(line)
                    && !self
                        .get(*line)
                        .unwrap_or_default()
                        .trim_start()
                        .starts_with('@')
            };
            return below.find(is_annotated);
        }
        let indent = |text: &str| text.len() - text.trim_start().len();
        let mut above = (0..line).rev().take(MAX_HEADING_LINES);
        above.find(|other| {
            says(other)
                && self
                    .get(*other)
                    .is_some_and(|text| indent(text) < indent(own))
        })
    }
}
