//! SARIF 2.1.0
//! (<https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html>), as code scanning services
//! read it.

use std::io::{self, Write};

use serde_json::{Map, Value, json};

use super::place::{Place, place, uri};
use super::terminal::request_lines;
use super::text::{assumption, write_json};
use super::{Paths, Report};
use crate::model::{Category, Finding, Fix, Label, Severity};
use crate::rules::{Level, Rule};
use crate::source::Span;

/// What relative URIs start from: the working directory.
const BASE: &str = "SRCROOT";

/// Writes the report; with `suppressed`, the findings that comments suppress as well.
///
/// # Errors
/// `out` refuses.
pub fn write(
    report: &Report,
    paths: &Paths,
    suppressed: bool,
    out: &mut dyn Write,
) -> io::Result<()> {
    let mut view = View {
        report,
        paths,
        rules: Vec::new(),
    };
    let mut results: Vec<Value> = Vec::new();
    for finding in &report.findings {
        results.push(view.result(finding));
    }
    if suppressed {
        for entry in &report.suppressed {
            let mut result = view.result(&entry.finding);
            let mut suppression = json!({ "kind": "inSource" });
            if !entry.reason.is_empty() {
                suppression["justification"] = entry.reason.as_str().into();
            }
            result["suppressions"] = json!([suppression]);
            results.push(result);
        }
    }
    let notifications = report.errors.iter().map(|problem| {
        let mut notification = json!({ "level": "error", "message": { "text": problem.text } });
        if let Some(path) = &problem.path {
            let location = artifact(&super::place::path_text(path, paths));
            let location = json!({ "physicalLocation": { "artifactLocation": location } });
            notification["locations"] = json!([location]);
        }
        notification
    });
    let invocation = json!({
        "executionSuccessful": report.errors.is_empty(),
        "toolExecutionNotifications": notifications.collect::<Vec<_>>(),
    });
    let descriptors: Vec<Value> = view.rules.iter().map(|id| view.descriptor(id)).collect();
    let mut run = json!({
        "tool": { "driver": {
            "name": env!("CARGO_PKG_NAME"),
            "version": env!("CARGO_PKG_VERSION"),
            "semanticVersion": env!("CARGO_PKG_VERSION"),
            "rules": descriptors,
        } },
        "columnKind": "unicodeCodePoints",
        "invocations": [invocation],
        "results": results,
    });
    if let Some(folder) = paths.folder() {
        let folder = folder.to_string_lossy().replace('\\', "/");
        let slash = if folder.starts_with('/') { "" } else { "/" };
        let base = format!("file://{slash}{}/", uri(folder.trim_end_matches('/')));
        run["originalUriBaseIds"] = json!({ BASE: { "uri": base } });
    }
    let log = json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [run],
    });
    write_json(&log, out)
}

struct View<'a> {
    report: &'a Report,
    paths: &'a Paths,
    /// Ids in the order of first use.
    rules: Vec<&'a str>,
}

impl<'a> View<'a> {
    fn result(&mut self, finding: &'a Finding) -> Value {
        let known = self.rules.iter().position(|id| *id == finding.rule);
        let index = known.unwrap_or_else(|| {
            self.rules.push(&finding.rule);
            self.rules.len() - 1
        });
        let mut location = self.location(&finding.primary);
        let logical = finding.endpoints.iter().take(1);
        let logical: Vec<_> = logical
            .map(|name| json!({ "fullyQualifiedName": name, "kind": "resource" }))
            .collect();
        if !logical.is_empty() {
            location["logicalLocations"] = logical.into();
        }
        let related = finding.related.iter().enumerate().map(|(index, label)| {
            let mut location = self.location(label);
            location["id"] = index.into();
            location
        });
        let mut result = json!({
            "ruleId": finding.rule,
            "ruleIndex": index,
            "kind": "fail",
            "level": finding.severity.name(),
            "message": { "text": message(finding) },
            "locations": [location],
            "relatedLocations": related.collect::<Vec<_>>(),
            "partialFingerprints": { "corslint/v1": finding.fingerprint },
            "properties": {
                "category": finding.category,
                "certainty": finding.certainty,
            },
        });
        if let Some(request) = &finding.request {
            let text = request_lines(request).join("; ");
            let primary = Label {
                span: finding.primary.span,
                text,
            };
            let story = std::iter::once(&primary).chain(&finding.related);
            let steps = story.map(|label| json!({ "location": self.location(label) }));
            let flow = json!({ "locations": steps.collect::<Vec<_>>() });
            result["codeFlows"] = json!([{
                "message": { "text": "the request that shows it, and what its answer rests on" },
                "threadFlows": [flow],
            }]);
        }
        if !finding.fixes.is_empty() {
            let fixes = finding.fixes.iter().map(|fix| self.fix(fix));
            result["fixes"] = fixes.collect::<Vec<_>>().into();
        }
        result
    }

    fn place(&self, span: Span) -> Place {
        place(span, &self.report.sources, self.paths)
    }

    fn location(&self, label: &Label) -> Value {
        let place = self.place(label.span);
        let mut location = json!({ "physicalLocation": {
            "artifactLocation": artifact(&place.path),
            "region": region(&place),
        } });
        if !label.text.is_empty() {
            location["message"] = json!({ "text": label.text });
        }
        location
    }

    fn fix(&self, fix: &Fix) -> Value {
        let mut changes: Vec<(String, Vec<Value>)> = Vec::new();
        for edit in &fix.edits {
            let place = self.place(edit.span);
            let replacement = json!({
                "deletedRegion": region(&place),
                "insertedContent": { "text": edit.text },
            });
            match changes.iter_mut().find(|(path, _)| *path == place.path) {
                Some((_, replacements)) => replacements.push(replacement),
                None => changes.push((place.path, vec![replacement])),
            }
        }
        let changes = changes.into_iter().map(|(path, replacements)| {
            json!({ "artifactLocation": artifact(&path), "replacements": replacements })
        });
        json!({
            "description": { "text": fix.title },
            "artifactChanges": changes.collect::<Vec<_>>(),
        })
    }

    fn descriptor(&self, id: &str) -> Value {
        let mut sets = self.report.rules.iter();
        let Some(rule) = sets.find_map(|rules| rules.get(id)) else {
            return json!({ "id": id });
        };
        let mut descriptor = descriptor(rule);
        if let Some(address) = self.report.page_of(rule) {
            descriptor["helpUri"] = address.into();
        }
        descriptor
    }
}

/// What the rule's file says to readers.
fn descriptor(rule: &Rule) -> Value {
    let definition = &rule.definition;
    let worst = match &definition.severity {
        Level::Fixed(severity) => *severity,
        Level::Cases(cases) => {
            let levels = cases.iter().map(|case| case.level);
            levels.max().unwrap_or(Severity::Warning)
        }
    };
    let mut tags = vec!["cors".to_owned(), definition.category.name().to_owned()];
    let mut properties = Map::new();
    properties.insert("precision".into(), "high".into());
    properties.insert("problem.severity".into(), problem_severity(worst).into());
    if definition.category == Category::Security {
        // On the scale of CVSS: code scanning calls 7.0 and more high, 4.0 and more medium.
        let number = match worst {
            Severity::Error => "8.1",
            Severity::Warning => "5.4",
            Severity::Note => "2.0",
        };
        properties.insert("security-severity".into(), number.into());
    }
    let mut descriptor = json!({
        "id": definition.id,
        "defaultConfiguration": { "level": worst.name() },
    });
    if let Ok(docs) = rule.docs() {
        let words: Vec<_> = docs.summary().split_whitespace().collect();
        descriptor["shortDescription"] = json!({ "text": words.join(" ") });
        let text = docs.explanation.trim();
        descriptor["fullDescription"] = json!({ "text": words.join(" ") });
        descriptor["help"] = json!({ "text": text, "markdown": text });
        let weaknesses = docs.references.iter();
        let weaknesses = weaknesses.filter_map(|reference| reference.strip_prefix("CWE-"));
        tags.extend(weaknesses.map(|number| format!("external/cwe/cwe-{number}")));
    }
    properties.insert("tags".into(), tags.into());
    descriptor["properties"] = Value::Object(properties);
    descriptor
}

const fn problem_severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "recommendation",
    }
}

/// The message, and below it what a browser does about it and how to repair it.
fn message(finding: &Finding) -> String {
    let mut text = finding.message.clone();
    for note in &finding.notes {
        text.push('\n');
        text.push_str(note);
    }
    let conditions = finding.conditions.iter();
    let conditions = conditions.map(|(condition, holds)| (&condition.text, *holds));
    let assumed = finding.assumes.iter();
    let assumed = assumed.map(|assumption| (&assumption.text, assumption.holds));
    for (condition, holds) in conditions.chain(assumed) {
        text.push('\n');
        text.push_str(&assumption(condition, holds));
    }
    if let Some(help) = &finding.help {
        text.push_str("\nhelp: ");
        text.push_str(help.trim_end());
    }
    text
}

/// A relative path from the base; one that leads out of it, or an absolute one, as a URI of its own.
fn artifact(path: &str) -> Value {
    if path.starts_with('/') {
        return json!({ "uri": format!("file://{}", uri(path)) });
    }
    json!({ "uri": uri(path), "uriBaseId": BASE })
}

fn region(place: &Place) -> Value {
    json!({
        "startLine": place.start.line,
        "startColumn": place.start.column,
        "endLine": place.end.line,
        "endColumn": place.end.column,
        "byteOffset": place.start.byte,
        "byteLength": place.end.byte - place.start.byte,
    })
}
