//! One line per finding: `path:line:column: severity[rule]: message`.

use std::io::{self, Write};

use super::place::place;
use super::text::{line, short_line};
use super::{Paths, Report};

/// Writes every finding on a line of its own, and nothing else.
///
/// # Errors
/// `out` refuses.
pub fn write(report: &Report, paths: &Paths, out: &mut dyn Write) -> io::Result<()> {
    for finding in &report.findings {
        let place = place(finding.primary.span, &report.sources, paths);
        writeln!(
            out,
            "{}:{}:{}: {}[{}]: {}",
            line(&place.path),
            place.start.line,
            place.start.column,
            finding.severity.name(),
            line(&finding.rule),
            short_line(&finding.message),
        )?;
    }
    Ok(())
}
