//! What rules propose to change.

use super::check_texts;
use super::definition::{Change, Definition};
use super::expression::{Expression, Names, Scope, path_kind};
use super::facts::{Fact, Node};
use super::judge::paths;
use super::texts::Writer;
use crate::model::{DropReason, Repair, RepairKind};
use crate::source::Span;

/// The changes that a rule proposes in a case, in its order.
pub(super) fn repairs(
    definition: &Definition,
    framework: &'static str,
    writer: &Writer<'_>,
) -> Vec<Repair> {
    let changes = definition.fix.iter().filter_map(|change| {
        if !change.when.as_deref().is_none_or(|when| writer.holds(when)) {
            return None;
        }
        let spans = spans(change, &writer.scope);
        let text = match &change.text {
            Some(texts) => Some(writer.texts(texts)?),
            None => None,
        };
        (!spans.is_empty()).then_some(Repair {
            kind: change.kind,
            spans,
            text,
            framework,
        })
    });
    changes.collect()
}

/// The places of the first path that leads to any.
fn spans(change: &Change, scope: &Scope<'_>) -> Vec<Span> {
    let mut found = paths(&change.at).iter().map(|path| {
        let Some(node) = scope.path(path) else {
            return Vec::new();
        };
        match &node.fact {
            Fact::List(list) if node.span.is_none() => {
                let elements = list
                    .0
                    .iter()
                    .filter(|element| concerns(change.kind, element));
                elements.filter_map(|element| element.span).collect()
            }
            // What sends the line, not its value.
            _ if change.kind == RepairKind::Vary => node.wide.or(node.span).into_iter().collect(),
            _ => node.span.into_iter().collect(),
        }
    });
    let mut spans = found.find(|spans| !spans.is_empty()).unwrap_or_default();
    spans.sort_unstable();
    spans.dedup();
    spans
}

/// Only what the status drops is mended by sending it with every status.
fn concerns(kind: RepairKind, element: &Node) -> bool {
    kind != RepairKind::Always
        || element.step("reason").and_then(Node::display).as_deref()
            == Some(DropReason::Status.name())
}

/// Checks paths, expressions and placeholders.
pub(super) fn check(change: &Change, names: Names) -> Result<(), String> {
    for path in paths(&change.at) {
        path_kind(path, names)?;
    }
    if let Some(when) = &change.when {
        Expression::compile(when, names)?;
    }
    let needs = matches!(
        change.kind,
        RepairKind::Text | RepairKind::Name | RepairKind::Pattern
    );
    if needs != change.text.is_some() {
        return Err(
            "a fix has `text` if its kind is `text`, `name` or `pattern`, else none".into(),
        );
    }
    change
        .text
        .as_ref()
        .map_or(Ok(()), |texts| check_texts(texts, names))
}
