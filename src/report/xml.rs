//! The two formats in XML: JUnit's test results and Checkstyle's report.

use std::io::{self, Write};

use super::place::{Place, place};
use super::text::{line, lines, short_line};
use super::{Paths, Report};
use crate::model::{Finding, Severity};

/// Writes the findings as failed tests, as JUnit does.
///
/// # Errors
/// `out` refuses.
pub fn write_junit(report: &Report, paths: &Paths, out: &mut dyn Write) -> io::Result<()> {
    let failures = report.findings.len();
    // Servers that read such reports take one without tests for a mistake.
    let tests = failures.max(1);
    writeln!(out, r#"<?xml version="1.0" encoding="UTF-8"?>"#)?;
    let counts = format!(r#"tests="{tests}" failures="{failures}" errors="0""#);
    writeln!(out, r#"<testsuites name="corslint" {counts}>"#)?;
    writeln!(out, r#"  <testsuite name="corslint" {counts}>"#)?;
    if report.findings.is_empty() {
        writeln!(
            out,
            r#"    <testcase name="no findings" classname="corslint"/>"#
        )?;
    }
    for finding in &report.findings {
        let place = place(finding.primary.span, &report.sources, paths);
        writeln!(
            out,
            r#"    <testcase name="{} at {}:{}" classname="{}" file="{}" line="{}">"#,
            escape(&line(&finding.rule)),
            place.start.line,
            place.start.column,
            escape(&line(&place.path)),
            escape(&line(&place.path)),
            place.start.line,
        )?;
        writeln!(
            out,
            r#"      <failure type="{}" message="{}">{}</failure>"#,
            finding.severity.name(),
            escape(&short_line(&finding.message)),
            escape(&body(finding, &place)),
        )?;
        writeln!(out, "    </testcase>")?;
    }
    writeln!(out, "  </testsuite>\n</testsuites>")
}

/// Writes the findings as Checkstyle does.
///
/// # Errors
/// `out` refuses.
pub fn write_checkstyle(report: &Report, paths: &Paths, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, r#"<?xml version="1.0" encoding="UTF-8"?>"#)?;
    writeln!(out, r#"<checkstyle version="4.3">"#)?;
    let mut open: Option<String> = None;
    for finding in &report.findings {
        let place = place(finding.primary.span, &report.sources, paths);
        if open.as_ref() != Some(&place.path) {
            if open.is_some() {
                writeln!(out, "  </file>")?;
            }
            writeln!(out, r#"  <file name="{}">"#, escape(&line(&place.path)))?;
            open = Some(place.path);
        }
        let severity = match finding.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Note => "info",
        };
        writeln!(
            out,
            r#"    <error line="{}" column="{}" severity="{severity}" message="{}" source="corslint.{}"/>"#,
            place.start.line,
            place.start.column,
            escape(&short_line(&finding.message)),
            escape(&line(&finding.rule)),
        )?;
    }
    if open.is_some() {
        writeln!(out, "  </file>")?;
    }
    writeln!(out, "</checkstyle>")
}

fn body(finding: &Finding, place: &Place) -> String {
    let mut text = format!(
        "{}:{}:{}: {}",
        line(&place.path),
        place.start.line,
        place.start.column,
        short_line(&finding.message)
    );
    for note in &finding.notes {
        text.push('\n');
        text.push_str(&short_line(note));
    }
    if let Some(help) = &finding.help {
        text.push_str("\nhelp: ");
        text.push_str(&lines(help.trim_end()));
    }
    text
}

/// For text and attributes. Control characters, which XML cannot hold, are gone already.
fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
        .replace('\'', "&apos;")
        .replace(['\u{fffe}', '\u{ffff}'], "\u{fffd}")
}
