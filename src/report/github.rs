//! Workflow commands of GitHub Actions, which become annotations
//! (<https://docs.github.com/en/actions/reference/workflow-commands-for-github-actions>).

use std::io::{self, Write};

use super::place::place;
use super::text::{line, lines, short_line};
use super::{Paths, Report};
use crate::model::Severity;

/// Writes one command per finding.
///
/// # Errors
/// `out` refuses.
pub fn write(report: &Report, paths: &Paths, out: &mut dyn Write) -> io::Result<()> {
    for finding in &report.findings {
        let place = place(finding.primary.span, &report.sources, paths);
        let command = match finding.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Note => "notice",
        };
        write!(
            out,
            "::{command} title={},file={},line={},",
            property(&format!("corslint ({})", line(&finding.rule))),
            property(&line(&place.path)),
            place.start.line
        )?;
        // Columns are for stretches of one line only.
        if place.start.line == place.end.line {
            let (start, end) = (place.start.column, place.end.column);
            write!(
                out,
                "endLine={},col={start},endColumn={end}",
                place.end.line
            )?;
        } else {
            write!(out, "endLine={}", place.end.line)?;
        }
        let mut text = short_line(&finding.message).into_owned();
        for note in &finding.notes {
            text.push('\n');
            text.push_str(&short_line(note));
        }
        if let Some(help) = &finding.help {
            text.push_str("\nhelp: ");
            text.push_str(&lines(help.trim_end()));
        }
        writeln!(out, "::{}", data(&text))?;
    }
    Ok(())
}

fn data(text: &str) -> String {
    text.replace('%', "%25")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
