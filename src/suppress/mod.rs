//! Comments that say that a finding is known and wanted.

pub mod directive;

use std::collections::{HashMap, HashSet};
use std::ops::Range;
use std::sync::Arc;

use jiff::civil::Date;

use crate::model::{
    Condition, Edit, Endpoint, Finding, Fix, Observation, ObservationKind, Request, Response, Site,
    World,
};
use crate::source::{SourceFile, Span};
use directive::{Directive, directives};

/// A finding that a comment suppresses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suppressed {
    /// The finding.
    pub finding: Finding,
    /// Why; may be empty.
    pub reason: String,
}

/// The directives of the files of a run.
pub(crate) struct Suppressions {
    files: Vec<(Arc<SourceFile>, Vec<Entry>)>,
}

struct Entry {
    directive: Directive,
    /// Lines for which it counts, from 0; all lines if it is for the file.
    lines: Range<usize>,
    /// It also counts for this line, on which the next code stands.
    below: Option<usize>,
    /// It counts today.
    active: bool,
    /// Indexes of rules that suppressed something.
    used: HashSet<usize>,
}

/// Is there a rule of an id for a file? If not, the nearest one, if one is near.
pub(crate) type IsRule<'a> = dyn Fn(&SourceFile, &str) -> Result<(), Option<String>> + 'a;

/// What decides about a directive.
pub(crate) struct Context<'a> {
    /// The day on which `until=` is looked at.
    pub(crate) today: Date,
    /// Does a file ask for a reason?
    pub(crate) require_reason: &'a dyn Fn(&SourceFile) -> bool,
    /// What ids are known.
    pub(crate) is_rule: &'a IsRule<'a>,
    /// Would it have been reported that a rule finds something in this file?
    pub(crate) is_judged: &'a dyn Fn(&SourceFile, &str) -> bool,
}

impl Suppressions {
    /// Reads the directives of all files.
    pub(crate) fn read(
        files: impl Iterator<Item = Arc<SourceFile>>,
        context: &Context<'_>,
    ) -> Self {
        let files = files.filter_map(|file| {
            let directives = directives(file.path(), file.text());
            if directives.is_empty() {
                return None;
            }
            let reason = (context.require_reason)(&file);
            let entries = directives.into_iter().map(|mut directive| {
                if reason && directive.reason.is_empty() && directive.problem.is_none() {
                    let words = "no reason is given, and this project asks for one";
                    directive.problem = Some(words.into());
                }
                let expired = directive.until.filter(|until| *until < context.today);
                if let Some(until) = expired {
                    directive
                        .problem
                        .get_or_insert(format!("it was in force until {until}"));
                }
                let (lines, below) = extent(&file, &directive);
                Entry {
                    active: directive.problem.is_none(),
                    lines,
                    below,
                    used: HashSet::new(),
                    directive,
                }
            });
            let entries = entries.collect();
            Some((file, entries))
        });
        Self {
            files: files.collect(),
        }
    }

    /// Are there none?
    pub(crate) fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    /// Takes out the findings that are suppressed.
    pub(crate) fn apply(&mut self, findings: &mut Vec<Finding>) -> Vec<Suppressed> {
        if self.files.is_empty() {
            return Vec::new();
        }
        let mut suppressed = Vec::new();
        findings.retain(|finding| match self.suppressing(finding) {
            None => true,
            Some(reason) => {
                let finding = finding.clone();
                suppressed.push(Suppressed { finding, reason });
                false
            }
        });
        suppressed
    }

    /// The reason of the first directive that suppresses a finding. All that do are used.
    fn suppressing(&mut self, finding: &Finding) -> Option<String> {
        let mut reason = None;
        for (file, entries) in &mut self.files {
            let lines = |span: Span| {
                let last = span.end.max(span.start + 1) - 1;
                file.position(span.start).line - 1..file.position(last).line
            };
            let primary = Some(finding.primary.span).filter(|span| span.file == file.id());
            let labels = std::iter::once(&finding.primary).chain(&finding.related);
            let places = labels.filter(|label| label.span.file == file.id());
            let places: Vec<_> = places.map(|label| lines(label.span)).collect();
            if places.is_empty() {
                continue;
            }
            for entry in entries.iter_mut().filter(|entry| entry.active) {
                let ids = entry.directive.rules.iter();
                let Some(index) = ids.into_iter().position(|(id, _)| *id == finding.rule) else {
                    continue;
                };
                let touches = |place: &Range<usize>| {
                    place.start < entry.lines.end && entry.lines.start < place.end
                };
                let counts = if entry.directive.file_wide {
                    primary.is_some()
                } else {
                    let first = primary.map(|span| lines(span).start);
                    places.iter().any(touches) || (first.is_some() && entry.below == first)
                };
                if counts {
                    entry.used.insert(index);
                    reason.get_or_insert_with(|| entry.directive.reason.clone());
                }
            }
        }
        reason
    }

    /// What is wrong with the directives themselves, as a site whose observations say so, and the
    /// repairs by the places of these; about the files that `is_complete` tells to have been looked at
    /// wholly.
    pub(crate) fn observe(
        &self,
        context: &Context<'_>,
        is_complete: impl Fn(&SourceFile) -> bool,
    ) -> (Comments, HashMap<Span, Fix>) {
        let mut comments = Comments::default();
        let mut fixes = HashMap::new();
        for (file, entries) in self.files.iter().filter(|(file, _)| is_complete(file)) {
            for entry in entries {
                let directive = &entry.directive;
                if let Some(problem) = &directive.problem {
                    let kind = ObservationKind::UnusedSuppression;
                    let at = comments.observe(kind, file, &directive.range, problem.clone(), None);
                    if directive.until.is_some_and(|until| until < context.today) {
                        fixes.insert(at, removal(file, entry, &[]));
                    }
                    continue;
                }
                let mut idle = Vec::new();
                for (index, (id, range)) in directive.rules.iter().enumerate() {
                    if let Err(near) = (context.is_rule)(file, id) {
                        let text = format!("there is no rule `{id}`");
                        let kind = ObservationKind::UnknownRule;
                        let at = comments.observe(kind, file, range, text, near.clone());
                        let fix = near.map(|text| Fix {
                            title: format!("write `{text}`"),
                            edits: vec![Edit { span: at, text }],
                            safe: false,
                        });
                        fixes.extend(fix.map(|fix| (at, fix)));
                    } else if !entry.used.contains(&index) && (context.is_judged)(file, id) {
                        idle.push(index);
                    }
                }
                for index in &idle {
                    let (id, range) = &directive.rules[*index];
                    let text = format!("`{id}` reports nothing here");
                    let kind = ObservationKind::UnusedSuppression;
                    let at = comments.observe(kind, file, range, text, None);
                    // One edit takes all of them out.
                    if idle.first() == Some(index) {
                        fixes.insert(at, removal(file, entry, &idle));
                    }
                }
            }
        }
        (comments, fixes)
    }
}

fn span(file: &SourceFile, range: &Range<usize>) -> Span {
    let at = |byte| u32::try_from(byte).unwrap_or(u32::MAX);
    Span::new(file.id(), at(range.start), at(range.end))
}

/// The lines, from 0, for which a directive counts: those of its comment, and, where nothing else
/// stands beside it, the next one that holds code.
fn extent(file: &SourceFile, directive: &Directive) -> (Range<usize>, Option<usize>) {
    let line = |byte: usize| {
        let byte = u32::try_from(byte).unwrap_or(u32::MAX);
        file.position(byte).line - 1
    };
    let comment = &directive.comment;
    let (first, last) = (line(comment.start), line(comment.end.saturating_sub(1)));
    let lines = first..last + 1;
    if !stands_alone(file, comment) {
        return (lines, None);
    }
    let mut rest = file.text()[comment.end..].split_inclusive('\n').skip(1);
    let mut below = last + 1;
    loop {
        let text = rest.next().unwrap_or_default().trim_start();
        // Several comments above each other count for the same line.
        let is_comment = ["#", "//", "/*", "*", "<!--", "!"]
            .iter()
            .any(|sign| text.starts_with(sign));
        if !is_comment {
            return (lines, Some(below));
        }
        below += 1;
    }
}

/// Is there nothing else on the lines of a comment?
fn stands_alone(file: &SourceFile, comment: &Range<usize>) -> bool {
    let text = file.text();
    let before = text[..comment.start]
        .rsplit('\n')
        .next()
        .unwrap_or_default();
    let behind = text[comment.end..].split('\n').next().unwrap_or_default();
    before.trim().is_empty() && behind.trim().is_empty()
}

/// Takes rules out of a directive, or, if none are named or left, the directive out of its file.
fn removal(file: &SourceFile, entry: &Entry, rules: &[usize]) -> Fix {
    let directive = &entry.directive;
    let keeps = !rules.is_empty() && rules.len() < directive.rules.len();
    let (range, replacement) = if keeps {
        let kept = directive.rules.iter().enumerate();
        let kept = kept.filter(|(index, _)| !rules.contains(index));
        let kept: Vec<_> = kept.map(|(_, (id, _))| id.as_str()).collect();
        let places = directive.rules.iter().map(|(_, range)| range);
        let start = places.clone().map(|range| range.start).min();
        let end = places.map(|range| range.end).max();
        (
            start.unwrap_or_default()..end.unwrap_or_default(),
            kept.join(", "),
        )
    } else {
        (place_of_removal(file, directive), String::new())
    };
    Fix {
        title: "remove what suppresses nothing".into(),
        edits: vec![Edit {
            span: span(file, &range),
            text: replacement,
        }],
        safe: true,
    }
}

fn place_of_removal(file: &SourceFile, directive: &Directive) -> Range<usize> {
    let text = file.text();
    let comment = &directive.comment;
    let signs = |part: &str| {
        part.chars()
            .all(|c| c.is_whitespace() || "#/*!<>-".contains(c))
    };
    let alone = signs(&text[comment.start..directive.range.start])
        && signs(&text[directive.range.end..comment.end]);
    if !alone {
        let before = &text[comment.start..directive.range.start];
        let start = comment.start + before.trim_end().len();
        return start..directive.range.end;
    }
    let line = text[..comment.start].rfind('\n').map_or(0, |at| at + 1);
    if stands_alone(file, comment) {
        let end = text[comment.end..].find('\n');
        return line..end.map_or(text.len(), |end| comment.end + end + 1);
    }
    line + text[line..comment.start].trim_end().len()..comment.end
}

/// Comments as a site: it answers nothing and has only observations.
#[derive(Debug, Default)]
pub(crate) struct Comments {
    observations: Vec<Observation>,
}

impl Comments {
    fn observe(
        &mut self,
        kind: ObservationKind,
        file: &SourceFile,
        range: &Range<usize>,
        text: String,
        suggestion: Option<String>,
    ) -> Span {
        let span = span(file, range);
        self.observations.push(Observation {
            kind,
            span,
            name: file.slice(span).to_owned(),
            text,
            suggestion,
            related: Vec::new(),
            severe: false,
        });
        span
    }
}

impl Site for Comments {
    fn framework(&self) -> &'static str {
        "corslint"
    }

    fn conditions(&self) -> &[Condition] {
        &[]
    }

    fn endpoints(&self) -> &[Endpoint] {
        &[]
    }

    fn route(&self, _: &Request) -> Option<usize> {
        None
    }

    fn respond(&self, _: usize, _: &Request, _: &World) -> Vec<Response> {
        Vec::new()
    }

    fn observations(&self) -> &[Observation] {
        &self.observations
    }

    fn unknowns(&self) -> &[(Span, String)] {
        &[]
    }
}
