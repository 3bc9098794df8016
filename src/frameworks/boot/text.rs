//! Texts of property files and annotations: their parts, placeholders and expressions.

use crate::source::Span;
use crate::syntax::value::{Kind, List, Value};

/// Parts between commas without the blanks around them, with the place of each.
pub(super) fn split_at_commas(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut at = 0;
    let parts = text.split(',').map(move |part| {
        let start = at + part.len() - part.trim_start().len();
        at += part.len() + 1;
        (start, part.trim())
    });
    parts.filter(|(_, part)| !part.is_empty())
}

/// Where the brace that opens a placeholder is closed.
pub(super) fn closing(text: &str) -> Option<usize> {
    let mut depth = 0;
    let mut at = 0;
    let bytes = text.as_bytes();
    while at < bytes.len() {
        if bytes[at] == b'}' {
            if depth == 0 {
                return Some(at);
            }
            depth -= 1;
        } else if bytes[at..].starts_with(b"${") {
            depth += 1;
            at += 1;
        }
        at += 1;
    }
    None
}

/// The colon that separates a default.
pub(super) fn top_level_colon(text: &str) -> Option<usize> {
    let mut depth = 0_usize;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'{' => depth += 1,
            b'}' => depth = depth.saturating_sub(1),
            b':' if depth == 0 => return Some(at),
            _ => {}
        }
    }
    None
}

/// Does Maven put a value into a text?
pub(super) fn is_filtered(text: &str) -> bool {
    let Some((_, rest)) = text.split_once('@') else {
        return false;
    };
    rest.split_once('@').is_some_and(|(name, _)| {
        !name.is_empty()
            && name
                .chars()
                .all(|c| c.is_alphanumeric() || matches!(c, '.' | '-' | '_'))
    })
}

/// `'a,b'.split(',')` and `{'a', 'b'}` of the expression language.
pub(super) fn evaluated(expression: &str, span: Span) -> Value {
    let list = |items: Vec<Value>| Value::new(Kind::List(List { items, open: false }), span);
    let quoted = |text: &str| {
        let text = text.trim();
        let inner = text
            .strip_prefix('\'')
            .and_then(|rest| rest.strip_suffix('\''));
        inner
            .filter(|inner| !inner.contains('\''))
            .map(ToOwned::to_owned)
    };
    if let Some((text, rest)) = expression.split_once(".split(")
        && let (Some(text), Some(separator)) =
            (quoted(text), rest.strip_suffix(')').and_then(quoted))
        && !separator.is_empty()
    {
        let parts = text.split(separator.as_str());
        return list(parts.map(|part| Value::string(part, span)).collect());
    }
    let inner = expression
        .strip_prefix('{')
        .and_then(|rest| rest.strip_suffix('}'));
    if let Some(inner) = inner {
        let items: Option<Vec<Value>> = inner
            .split(',')
            .map(|item| quoted(item).map(|text| Value::string(text, span)))
            .collect();
        if let Some(items) = items {
            return list(items);
        }
    }
    Value::unknown("an expression that is not evaluated", span)
}
