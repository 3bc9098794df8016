//! How often each rule found something.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::io::{self, Write};

use serde::Serialize;

use super::Report;
use super::terminal::summary;
use super::text::{line, write_json};
use crate::model::Severity;

/// The findings of one rule.
#[derive(Serialize)]
struct Row<'a> {
    rule: &'a str,
    /// The worst.
    severity: Severity,
    count: usize,
    /// How many of them have a fix that is safe.
    fixable: usize,
}

/// The most frequent rule first.
fn rows(report: &Report) -> Vec<Row<'_>> {
    let mut rows: BTreeMap<&str, Row<'_>> = BTreeMap::new();
    for finding in &report.findings {
        let row = rows.entry(&finding.rule).or_insert(Row {
            rule: &finding.rule,
            severity: finding.severity,
            count: 0,
            fixable: 0,
        });
        row.severity = row.severity.max(finding.severity);
        row.count += 1;
        row.fixable += usize::from(finding.fixes.iter().any(|fix| fix.safe));
    }
    let mut rows: Vec<_> = rows.into_values().collect();
    rows.sort_by_key(|row| Reverse(row.count));
    rows
}

/// Writes a table for people, one rule per line, and the summary. `[*]` marks rules all of whose
/// findings `--fix` repairs, `[-]` those of which it repairs some.
///
/// # Errors
/// `out` refuses.
pub fn write(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let rows = rows(report);
    let digits = rows.first().map_or(0, |row| row.count.to_string().len());
    for row in &rows {
        let mark = match row.fixable {
            0 => "[ ]",
            some if some < row.count => "[-]",
            _ => "[*]",
        };
        writeln!(
            out,
            "{:digits$}  {:<7}  {mark} {}",
            row.count,
            row.severity.name(),
            line(row.rule)
        )?;
    }
    writeln!(out, "{}", summary(report))
}

/// Writes a list for programs: an object per rule with `rule`, `severity` (the worst), `count` and
/// `fixable`, how many of them `--fix` repairs.
///
/// # Errors
/// `out` refuses.
pub fn write_list(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    write_json(&rows(report), out)
}
