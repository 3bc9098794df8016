//! From what a rule proposes to edits.

use super::languages::Language;
use super::literal::Literal;
use super::{pattern, statement};
use crate::model::{Edit, Finding, Fix, Repair, RepairKind, suggestion};
use crate::source::{SourceFile, Sources, Span};

/// One way to repair a finding, not graded yet.
#[derive(Clone, Debug)]
pub(crate) struct Way {
    /// The edits; `safe` says nothing yet.
    pub(crate) fix: Fix,
    /// It moves code, or says more than the text said: never safe.
    pub(crate) doubtful: bool,
    /// What the rule spoke of: where it may not find anything any more.
    pub(crate) about: Vec<Span>,
    /// The framework whose files it changes.
    pub(crate) framework: &'static str,
}

impl Way {
    /// Can every changed file still be read?
    pub(crate) fn parses(&self, before: &Sources, after: &Sources) -> bool {
        let mut edits = self.fix.edits.iter();
        edits.all(|edit| {
            let old = before.get(edit.span.file);
            let language = Language::of(self.framework, old.path());
            language.is_none_or(|language| {
                language.parses(&after.get(edit.span.file)) || !language.parses(&old)
            })
        })
    }
}

/// The ways to repair a finding, the best first.
pub(crate) fn ways(finding: &Finding, sources: &Sources) -> Vec<Way> {
    let ways = finding.repairs.iter().flat_map(|repair| {
        let made = repair.spans.first().map(|span| {
            let file = sources.get(span.file);
            let language = Language::of(repair.framework, file.path());
            language.map(|language| of_repair(finding, repair, language, &file))
        });
        let made = made.flatten().unwrap_or_default().into_iter();
        made.filter(|(_, edits)| !edits.is_empty())
            .map(|(title, edits)| Way {
                fix: Fix {
                    title,
                    edits,
                    safe: false,
                },
                doubtful: repair.kind == RepairKind::Order || is_reading(repair, sources),
                about: repair.spans.clone(),
                framework: repair.framework,
            })
    });
    ways.collect()
}

fn of_repair(
    finding: &Finding,
    repair: &Repair,
    language: Language,
    file: &SourceFile,
) -> Vec<(String, Vec<Edit>)> {
    let Some(span) = repair.spans.first().copied() else {
        return Vec::new();
    };
    let text = repair.text.as_deref().unwrap_or_default();
    match repair.kind {
        RepairKind::Always if language == Language::Nginx => {
            vec![(
                "add `always`".into(),
                statement::always(file, &repair.spans),
            )]
        }
        RepairKind::Always => Vec::new(),
        RepairKind::Vary => {
            let ways = statement::vary(language, repair.framework, file, span).into_iter();
            ways.map(|edits| ("send `Vary: Origin`".into(), edits))
                .collect()
        }
        RepairKind::Text => {
            let edit = replaced(language, file, span, text);
            edit.into_iter()
                .map(|edit| (format!("write `{text}`"), vec![edit]))
                .collect()
        }
        RepairKind::Name => vec![(
            format!("write `{text}`"),
            renamed(language, file, span, text),
        )],
        RepairKind::Pattern => tightened(language, file, span, text),
        RepairKind::Order => {
            let others = finding.related.iter().map(|label| label.span);
            let first = others.filter(|other| other.file == span.file).min();
            let edits = first.and_then(|other| statement::reorder(file, span, other));
            let title = format!("move {} to the front", file.slice(span));
            edits
                .into_iter()
                .map(|edits| (title.clone(), edits))
                .collect()
        }
    }
}

/// Is the new text more than the old one without a slip of the pen?
fn is_reading(repair: &Repair, sources: &Sources) -> bool {
    let Some(text) = repair
        .text
        .as_deref()
        .filter(|_| repair.kind == RepairKind::Text)
    else {
        return false;
    };
    let mut spans = repair.spans.iter();
    spans.any(|span| {
        let file = sources.get(span.file);
        let literal = Language::of(repair.framework, file.path())
            .and_then(|language| Literal::read(language, file.slice(*span)));
        literal.is_none_or(|literal| !is_slip(&literal.text, text))
    })
}

/// Does nothing but a slash, a default port, the case of letters or white space tell two texts apart?
pub(super) fn is_slip(text: &str, right: &str) -> bool {
    let text = text.trim().trim_end_matches('/').to_ascii_lowercase();
    let default = if text.starts_with("https:") {
        ":443"
    } else {
        ":80"
    };
    text.strip_suffix(default).unwrap_or(&text) == right
}

/// Another text within the same quotes.
fn replaced(language: Language, file: &SourceFile, span: Span, text: &str) -> Option<Edit> {
    let fits = |c: char| c.is_ascii_alphanumeric() || "-._:/[]".contains(c);
    if text.is_empty() || !text.chars().all(fits) {
        return None;
    }
    let literal = Literal::read(language, file.slice(span))?;
    // The whole of it is what is to be replaced, not a part of a list.
    let old = literal.text.trim();
    let meant =
        old.eq_ignore_ascii_case(text) || suggestion(&literal.text).as_deref() == Some(text);
    if !meant || literal.text == text {
        return None;
    }
    let (start, end) = literal.range();
    Some(Edit {
        span: span.part(start, end),
        text: text.to_owned(),
    })
}

fn renamed(language: Language, file: &SourceFile, span: Span, name: &str) -> Vec<Edit> {
    let is_name =
        |text: &str| !text.is_empty() && text.chars().all(|c| c.is_alphanumeric() || c == '_');
    let old = file.slice(span);
    if !is_name(name) {
        return Vec::new();
    }
    let spans = match Literal::read(language, old) {
        Some(literal) if is_name(&literal.text) && !is_name(old) => {
            let (start, end) = literal.range();
            vec![span.part(start, end)]
        }
        _ if !is_name(old) => Vec::new(),
        _ if language == Language::Python => statement::names(file, old),
        _ => vec![span],
    };
    let edits = spans.into_iter().map(|span| Edit {
        span,
        text: name.to_owned(),
    });
    edits.collect()
}

/// The ways to make the pattern at a place tighter.
fn tightened(
    language: Language,
    file: &SourceFile,
    span: Span,
    engine: &str,
) -> Vec<(String, Vec<Edit>)> {
    let Some((span, literal, mark)) = written(language, file, span, engine) else {
        return Vec::new();
    };
    let ways = pattern::tightenings(engine)
        .into_iter()
        .filter_map(|(title, insertions)| {
            let edits = insertions.into_iter().map(|(at, text)| {
                let offset = literal.offset(mark + at)?;
                Some(Edit {
                    span: span.part(offset, offset),
                    text: literal.write(text),
                })
            });
            let edits: Option<Vec<Edit>> = edits.collect();
            Some((title.to_owned(), edits?))
        });
    ways.collect()
}

/// The literal at a place, or in the call there, that a pattern is read from: where it stands, and how
/// much of it comes before the pattern.
fn written(
    language: Language,
    file: &SourceFile,
    span: Span,
    engine: &str,
) -> Option<(Span, Literal, usize)> {
    let mut places = vec![span];
    if let Some(tree) = language.tree(file) {
        places.extend(statement::literals(&tree, span));
    }
    places.into_iter().find_map(|place| {
        let literal = Literal::read(language, file.slice(place))?;
        // nginx writes `~` or `~*` in front of it.
        let mark = literal.text.strip_suffix(engine)?;
        let signs = mark.chars().all(|c| matches!(c, '~' | '*' | '!'));
        let mark = mark.len();
        signs.then_some((place, literal, mark))
    })
}
