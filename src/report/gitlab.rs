//! Code Quality reports of GitLab
//! (<https://docs.gitlab.com/ci/testing/code_quality/#code-quality-report-format>).

use std::io::{self, Write};

use serde::Serialize;

use super::place::place;
use super::text::{line, short_line, write_json};
use super::{Paths, Report};
use crate::model::{Category, Finding, Severity};

#[derive(Serialize)]
struct Issue<'a> {
    description: String,
    check_name: &'a str,
    fingerprint: &'a str,
    severity: &'static str,
    location: Location,
}

#[derive(Serialize)]
struct Location {
    path: String,
    lines: Lines,
}

#[derive(Serialize)]
struct Lines {
    begin: usize,
    end: usize,
}

/// Writes the findings as one JSON document.
///
/// # Errors
/// `out` refuses.
pub fn write(report: &Report, paths: &Paths, out: &mut dyn Write) -> io::Result<()> {
    let issues = report.findings.iter().map(|finding| {
        let place = place(finding.primary.span, &report.sources, paths);
        Issue {
            description: format!("{}: {}", line(&finding.rule), short_line(&finding.message)),
            check_name: &finding.rule,
            fingerprint: &finding.fingerprint,
            severity: severity(finding),
            location: Location {
                path: place.path,
                lines: Lines {
                    begin: place.start.line,
                    end: place.end.line,
                },
            },
        }
    });
    write_json(&issues.collect::<Vec<_>>(), out)
}

fn severity(finding: &Finding) -> &'static str {
    match (finding.severity, finding.category) {
        (Severity::Error, Category::Security) => "critical",
        (Severity::Error, _) => "major",
        (Severity::Warning, _) => "minor",
        (Severity::Note, _) => "info",
    }
}
