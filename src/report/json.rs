//! The report for programs: JSON, version 1.
//!
//! Its types are its own, so that the model can change and the format does not. Fields may be added
//! within a version; none is renamed, removed or given another meaning.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::Path;

use serde::Serialize;

use super::text::write_json;
use super::{Paths, Problem, Report};
use crate::model;
use crate::model::{Category, Certainty, Severity};
use crate::source::{self, Sources, Span};

#[derive(Serialize)]
struct Document<'a> {
    version: u32,
    tool: Tool,
    findings: Vec<Finding<'a>>,
    summary: Summary<'a>,
    errors: Vec<Message<'a>>,
}

#[derive(Serialize)]
struct Tool {
    name: &'static str,
    version: &'static str,
}

#[derive(Serialize)]
struct Finding<'a> {
    rule: &'a str,
    category: Category,
    severity: Severity,
    certainty: Certainty,
    message: &'a str,
    path: String,
    range: Range,
    related: Vec<Related<'a>>,
    notes: &'a [String],
    help: Option<&'a str>,
    request: Option<Request<'a>>,
    assumes: Vec<Assumption<'a>>,
    fingerprint: &'a str,
    /// What a program can do about it.
    fixes: Vec<Fix<'a>>,
}

#[derive(Serialize)]
struct Fix<'a> {
    title: &'a str,
    safe: bool,
    edits: Vec<Edit<'a>>,
}

/// What is written in the place of a stretch of source.
#[derive(Serialize)]
struct Edit<'a> {
    path: String,
    range: Range,
    text: &'a str,
}

#[derive(Serialize)]
struct Related<'a> {
    path: String,
    range: Range,
    text: &'a str,
}

/// From the first character to the one behind the last.
#[derive(Serialize)]
struct Range {
    start: Position,
    end: Position,
}

/// `line` and `column` count from 1, `column` in Unicode characters; `byte` from 0 in the file.
#[derive(Serialize)]
struct Position {
    line: usize,
    column: usize,
    byte: usize,
}

#[derive(Serialize)]
struct Request<'a> {
    method: &'a str,
    url: String,
    /// In the order of sending, without those that say nothing about CORS.
    headers: Vec<Header<'a>>,
}

#[derive(Serialize)]
struct Header<'a> {
    name: &'a str,
    value: String,
}

#[derive(Serialize)]
struct Assumption<'a> {
    text: &'a str,
    holds: bool,
    /// `deployment`: the same for every request; `request`: may differ between requests.
    kind: &'static str,
}

#[derive(Serialize)]
struct Summary<'a> {
    files: usize,
    endpoints: usize,
    partly_known_endpoints: usize,
    findings: Counts,
    suppressed: usize,
    /// Findings that the baseline holds.
    baselined: usize,
    /// Entries of the baseline whose findings are gone.
    stale: Vec<Stale<'a>>,
    unknown: usize,
    undecided: &'a BTreeMap<String, usize>,
    examined: usize,
    excluded_folders: usize,
    skipped: usize,
    skipped_files: Vec<Message<'a>>,
    errors: usize,
}

#[derive(Serialize)]
struct Stale<'a> {
    fingerprint: &'a str,
    rule: &'a str,
    path: &'a str,
}

#[derive(Serialize)]
struct Counts {
    error: usize,
    warning: usize,
    note: usize,
}

#[derive(Serialize)]
struct Message<'a> {
    path: Option<String>,
    text: &'a str,
}

/// Writes the report as one JSON document.
///
/// # Errors
/// `out` refuses.
pub fn write(report: &Report, paths: &Paths, out: &mut dyn Write) -> io::Result<()> {
    let view = View {
        sources: &report.sources,
        paths,
    };
    let numbers = &report.summary;
    let stale = report.baseline.iter().flat_map(|outcome| &outcome.stale);
    let stale = stale.map(|entry| Stale {
        fingerprint: &entry.fingerprint,
        rule: &entry.rule,
        path: &entry.path,
    });
    let document = Document {
        version: 1,
        tool: Tool {
            name: env!("CARGO_PKG_NAME"),
            version: env!("CARGO_PKG_VERSION"),
        },
        findings: report.findings.iter().map(|f| view.finding(f)).collect(),
        summary: Summary {
            files: numbers.files,
            endpoints: numbers.endpoints,
            partly_known_endpoints: numbers.partly,
            findings: Counts {
                error: report.count(Severity::Error),
                warning: report.count(Severity::Warning),
                note: report.count(Severity::Note),
            },
            suppressed: report.suppressed.len(),
            baselined: report.baseline.as_ref().map_or(0, |outcome| outcome.known),
            stale: stale.collect(),
            unknown: numbers.unknown,
            undecided: &numbers.undecided,
            examined: numbers.examined,
            excluded_folders: numbers.excluded,
            skipped: report.skipped.len(),
            skipped_files: report.skipped.iter().map(|p| view.message(p)).collect(),
            errors: report.errors.len(),
        },
        errors: report.errors.iter().map(|p| view.message(p)).collect(),
    };
    write_json(&document, out)
}

#[derive(Clone, Copy)]
struct View<'a> {
    sources: &'a Sources,
    paths: &'a Paths,
}

impl<'a> View<'a> {
    fn finding(self, finding: &'a model::Finding) -> Finding<'a> {
        let (path, range) = self.place(finding.primary.span);
        let related = finding.related.iter().map(|label| {
            let (path, range) = self.place(label.span);
            let text = label.text.as_str();
            Related { path, range, text }
        });
        let deployment = finding
            .conditions
            .iter()
            .map(|(condition, holds)| Assumption {
                text: &condition.text,
                holds: *holds,
                kind: "deployment",
            });
        let request = finding.assumes.iter().map(|assumption| Assumption {
            text: &assumption.text,
            holds: assumption.holds,
            kind: "request",
        });
        Finding {
            rule: &finding.rule,
            category: finding.category,
            severity: finding.severity,
            certainty: finding.certainty,
            message: &finding.message,
            path,
            range,
            related: related.collect(),
            notes: &finding.notes,
            help: finding.help.as_deref(),
            request: finding.request.as_ref().map(request_of),
            assumes: deployment.chain(request).collect(),
            fingerprint: &finding.fingerprint,
            fixes: finding.fixes.iter().map(|fix| self.fix(fix)).collect(),
        }
    }

    fn fix(self, fix: &'a model::Fix) -> Fix<'a> {
        let edits = fix.edits.iter().map(|edit| {
            let (path, range) = self.place(edit.span);
            let text = edit.text.as_str();
            Edit { path, range, text }
        });
        Fix {
            title: &fix.title,
            safe: fix.safe,
            edits: edits.collect(),
        }
    }

    fn place(self, span: Span) -> (String, Range) {
        let file = self.sources.get(span.file);
        let position = |byte| {
            let source::Position { line, column, byte } = file.position(byte);
            Position { line, column, byte }
        };
        let range = Range {
            start: position(span.start),
            end: position(span.end.max(span.start)),
        };
        (self.path(file.path()), range)
    }

    fn path(self, path: &Path) -> String {
        self.paths.relative(path).to_string_lossy().into_owned()
    }

    fn message(self, problem: &'a Problem) -> Message<'a> {
        Message {
            path: problem.path.as_deref().map(|path| self.path(path)),
            text: &problem.text,
        }
    }
}

fn request_of(request: &model::Request) -> Request<'_> {
    let known = [
        "host",
        "origin",
        "access-control-request-method",
        "access-control-request-headers",
        "cookie",
    ];
    let others = request.headers.iter().map(|(name, _)| name.as_str());
    let names = known.into_iter().chain(others);
    Request {
        method: &request.method,
        url: request.url.to_string(),
        headers: names
            .filter_map(|name| {
                let value = request.header(name)?;
                Some(Header { name, value })
            })
            .collect(),
    }
}
