//! The report for people, in the style of compilers.

use std::borrow::Cow;
use std::io::{self, Write};

use codespan_reporting::diagnostic::{Diagnostic, LabelStyle, Severity as Level};
use codespan_reporting::term::termcolor::{Buffer, WriteColor as _};
use codespan_reporting::term::{Config, Styles, StylesWriter, emit_to_write_style};

use super::snippets::Snippets;
use super::text::{assumption, count, line, lines, short_line};
use super::{Paths, Report};
use crate::model::{Application, Finding, Request, Severity};
use crate::source::{Sources, Span};

/// The mark of what `--fix` repairs.
pub(crate) const FIXABLE: &str = "[*]";

/// The most related places that are shown of one finding; the rest is counted.
const MAX_RELATED: usize = 10;

/// The most conditions that are shown of one finding; the rest is counted.
const MAX_CONDITIONS: usize = 4;

/// What a terminal can show besides text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Style {
    /// Colours.
    pub color: bool,
    /// Links: from the id of a rule to its page.
    pub links: bool,
}

/// Writes every finding and the summary.
///
/// # Errors
/// `out` refuses.
pub fn write(report: &Report, paths: &Paths, style: Style, out: &mut dyn Write) -> io::Result<()> {
    let styles = Styles::default();
    let config = Config::default();
    for finding in &report.findings {
        let mut buffer = if style.color {
            Buffer::ansi()
        } else {
            Buffer::no_color()
        };
        let (snippets, mut diagnostic) = diagnostic(finding, &report.sources, paths);
        if let Some(page) = report.page(&finding.rule).filter(|_| style.links) {
            diagnostic = diagnostic.with_code(linked(&line(&finding.rule), &page));
        }
        let mut writer = StylesWriter::new(&mut buffer, &styles);
        if emit_to_write_style(&mut writer, &config, &snippets, &diagnostic).is_err() {
            buffer.clear();
            buffer.reset()?;
            let place = place(finding.primary.span, &report.sources, paths);
            let (level, rule) = (finding.severity.name(), line(&finding.rule));
            writeln!(buffer, "{level}[{rule}]: {}", diagnostic.message)?;
            writeln!(buffer, "  at {place}\n")?;
        }
        out.write_all(buffer.as_slice())?;
    }
    writeln!(out, "{}", summary(report))
}

/// A text that leads to an address, for terminals that know
/// [OSC 8](https://gist.github.com/egmontkob/eb114294efbcd5adb1944c9f3cb5feda).
fn linked(text: &str, address: &str) -> String {
    format!("\u{1b}]8;;{address}\u{1b}\\{text}\u{1b}]8;;\u{1b}\\")
}

fn diagnostic(
    finding: &Finding,
    sources: &Sources,
    paths: &Paths,
) -> (Snippets, Diagnostic<usize>) {
    let primary = std::iter::once((LabelStyle::Primary, &finding.primary));
    let related = finding.related.iter().take(MAX_RELATED);
    let labels = primary.chain(related.map(|label| (LabelStyle::Secondary, label)));
    let (snippets, labels) = Snippets::new(labels, sources, paths);
    let level = match finding.severity {
        Severity::Error => Level::Error,
        Severity::Warning => Level::Warning,
        Severity::Note => Level::Note,
    };
    let diagnostic = Diagnostic::new(level)
        .with_code(line(&finding.rule))
        .with_message(message(finding))
        .with_labels(labels)
        .with_notes(notes(finding, sources, paths));
    (snippets, diagnostic)
}

/// What is wrong, marked if `--fix` repairs it.
fn message(finding: &Finding) -> Cow<'_, str> {
    let text = short_line(&finding.message);
    if finding.fixes.iter().any(|fix| fix.safe) {
        return format!("{FIXABLE} {text}").into();
    }
    text
}

fn notes(finding: &Finding, sources: &Sources, paths: &Paths) -> Vec<String> {
    let mut notes: Vec<String> = finding
        .notes
        .iter()
        .map(|note| short_line(note).into_owned())
        .collect();
    if let Some(more) = finding
        .related
        .len()
        .checked_sub(MAX_RELATED)
        .filter(|more| *more > 0)
    {
        notes.push(format!("and {}", count(more, "more place")));
    }
    if let Some(request) = &finding.request {
        notes.push(titled("request", &request_lines(request).join("\n")));
    }
    notes.extend(conditions(finding, sources, paths));
    if let Some(help) = &finding.help {
        notes.push(titled("help", &lines(help.trim_end())));
    }
    notes
}

/// `title: text`, further lines under the first.
fn titled(title: &str, text: &str) -> String {
    let indent = format!("\n{}", " ".repeat(title.len() + 2));
    format!("{title}: {}", text.replace('\n', &indent))
}

/// What has to be so for the finding to hold.
fn conditions(finding: &Finding, sources: &Sources, paths: &Paths) -> Vec<String> {
    let deployment = finding.conditions.iter();
    let deployment = deployment.map(|(condition, holds)| (&condition.text, *holds, condition.span));
    let request = finding.assumes.iter();
    let request = request.map(|assumption| (&assumption.text, assumption.holds, assumption.span));
    let all: Vec<_> = deployment.chain(request).collect();
    let mut notes: Vec<String> = all
        .iter()
        .take(MAX_CONDITIONS)
        .map(|(text, holds, span)| {
            let place = span.map(|span| format!(" ({})", place(span, sources, paths)));
            assumption(&short_line(text), *holds) + &place.unwrap_or_default()
        })
        .collect();
    if let Some(more) = all
        .len()
        .checked_sub(MAX_CONDITIONS)
        .filter(|more| *more > 0)
    {
        notes.push(format!("and {}", count(more, "more condition")));
    }
    notes
}

/// `path:line`.
fn place(span: Span, sources: &Sources, paths: &Paths) -> String {
    let file = sources.get(span.file);
    format!(
        "{}:{}",
        paths.show(file.path()),
        file.position(span.start).line
    )
}

/// The request that shows a finding, in one or two lines.
pub(super) fn request_lines(request: &Request) -> Vec<String> {
    let query = request.url.query.as_ref().map(|query| format!("?{query}"));
    let target = format!(
        "{} {}{}",
        request.method,
        request.url.path,
        query.unwrap_or_default()
    );
    let mut first = format!("`{}`", short_line(&target));
    let mut second = Vec::new();
    match &request.origin {
        Some(origin) => {
            first.push_str(&format!(" with `Origin: {}`", short_line(origin)));
            if request.symbolic {
                first.push_str(" (it stands for any allowed origin)");
            }
        }
        None => first.push_str(" without `Origin`"),
    }
    if request.cookies {
        first.push_str(" and the visitor's cookies");
    }
    let mut header = |name: &str, value: &str| {
        second.push(format!("`{}`", short_line(&format!("{name}: {value}"))));
    };
    if let Some(method) = &request.requested_method {
        header("Access-Control-Request-Method", method);
    }
    if !request.requested_headers.is_empty() {
        header(
            "Access-Control-Request-Headers",
            &request.requested_headers.join(","),
        );
    }
    for (name, value) in &request.headers {
        header(name, value);
    }
    match request.application {
        Application::Answers(200) => {}
        Application::Answers(status) => second.push(format!("answered with {status}")),
        Application::Throws => second.push("the handler throws an error".into()),
        Application::Unreachable => second.push("the application behind does not answer".into()),
    }
    if second.is_empty() {
        return vec![first];
    }
    vec![first, second.join(", ")]
}

/// The last line: what was found, and in how much.
pub(super) fn summary(report: &Report) -> String {
    let numbers = &report.summary;
    let found: Vec<String> = [Severity::Error, Severity::Warning, Severity::Note]
        .into_iter()
        .map(|severity| (report.count(severity), severity.name()))
        .filter(|(number, _)| *number > 0)
        .map(|(number, name)| count(number, name))
        .collect();
    let mut text = match found.as_slice() {
        [] if numbers.files == 0 => "Nothing to check: no CORS configuration found".to_owned(),
        [] => "No CORS problems found".to_owned(),
        [one] => format!("Found {one}"),
        [rest @ .., last] => format!("Found {} and {last}", rest.join(", ")),
    };
    if numbers.files == 0 && found.is_empty() {
        text.push_str(&format!(
            " ({} looked into)",
            count(numbers.examined, "file")
        ));
    } else {
        let endpoints = count(numbers.endpoints, "endpoint");
        let partly = match (numbers.partly, numbers.endpoints) {
            (0, _) => String::new(),
            (1, 1) => ", partly unknown".to_owned(),
            (partly, all) if partly == all => ", all of them partly unknown".to_owned(),
            (partly, _) => format!(", {partly} of them partly unknown"),
        };
        let files = count(numbers.files, "file");
        text.push_str(&format!(" in {files} ({endpoints}{partly})"));
    }
    let mut more = Vec::new();
    if let Some(outcome) = report.baseline.as_ref().filter(|outcome| outcome.known > 0) {
        more.push(format!("{} in the baseline", outcome.known));
    }
    if !report.suppressed.is_empty() {
        more.push(format!("{} suppressed", report.suppressed.len()));
    }
    if !report.skipped.is_empty() {
        more.push(format!("{} skipped", count(report.skipped.len(), "file")));
    }
    if numbers.excluded > 0 {
        more.push(format!(
            "{} not looked into",
            count(numbers.excluded, "folder")
        ));
    }
    if !report.errors.is_empty() {
        more.push(format!("{} failed", report.errors.len()));
    }
    for part in more {
        text.push_str("; ");
        text.push_str(&part);
    }
    text.push('.');
    text
}
