//! Texts with values inside.

use tree_sitter::Node;

use super::declarations::Kotlin;
use crate::source::Span;
use crate::syntax::jvm::ast::{Expr, ExprKind};
use crate::syntax::tree::children;

impl Kotlin<'_> {
    /// A string literal of either kind.
    pub(super) fn string(&mut self, node: Node<'_>) -> ExprKind {
        let mut parts: Vec<Expr> = Vec::new();
        let mut plain = String::new();
        let span = self.0.span(node);
        let flush = |plain: &mut String, parts: &mut Vec<Expr>| {
            if !plain.is_empty() {
                parts.push(Expr {
                    kind: ExprKind::String(std::mem::take(plain).into()),
                    span,
                });
            }
        };
        let pieces = children(node);
        let mut at = 0;
        while at < pieces.len() {
            let piece = pieces[at];
            at += 1;
            match piece.kind() {
                "escape_sequence" => plain.push_str(&unescape(self.0.text(piece))),
                "interpolation" => {
                    flush(&mut plain, &mut parts);
                    let inner = children(piece).into_iter().next();
                    parts.push(match inner {
                        Some(inner) => self.expr(inner),
                        None => Expr::unknown("an empty template", span),
                    });
                }
                _ => {
                    // The grammar cuts `$name` into texts.
                    let mut end = piece.end_byte();
                    while let Some(next) = pieces.get(at)
                        && next.kind() == "string_content"
                        && next.start_byte() == end
                    {
                        end = next.end_byte();
                        at += 1;
                    }
                    let start = piece.start_byte();
                    let place = |byte: usize| u32::try_from(byte).unwrap_or(u32::MAX);
                    let run = Span::new(self.0.file.id(), place(start), place(end));
                    self.template(run, &mut plain, &mut parts, &flush);
                }
            }
        }
        if parts.is_empty() {
            return ExprKind::String(plain.into());
        }
        flush(&mut plain, &mut parts);
        ExprKind::Template(parts)
    }

    fn template(
        &self,
        run: Span,
        plain: &mut String,
        parts: &mut Vec<Expr>,
        flush: &dyn Fn(&mut String, &mut Vec<Expr>),
    ) {
        let text = self.0.file.slice(run);
        let mut rest = 0;
        while let Some(found) = text[rest..].find('$') {
            let dollar = rest + found;
            let name = &text[dollar + 1..];
            let is_start = name.starts_with(|c: char| c.is_alphabetic() || c == '_');
            plain.push_str(&text[rest..dollar]);
            if !is_start {
                plain.push('$');
                rest = dollar + 1;
                continue;
            }
            let length = name.find(|c: char| !c.is_alphanumeric() && c != '_');
            let length = length.unwrap_or(name.len());
            flush(plain, parts);
            parts.push(Expr {
                kind: ExprKind::Name(name[..length].into()),
                span: run.part(dollar, dollar + 1 + length),
            });
            rest = dollar + 1 + length;
        }
        plain.push_str(&text[rest..]);
    }
}

/// The character that an escape stands for.
pub(super) fn unescape(escape: &str) -> String {
    let mut rest = escape.chars().skip(1);
    let first = rest.next();
    let c = match first {
        Some('n') => '\n',
        Some('t') => '\t',
        Some('r') => '\r',
        Some('b') => '\u{8}',
        Some('u') => {
            let digits: String = rest.collect();
            let code = u32::from_str_radix(&digits, 16).ok();
            code.and_then(char::from_u32).unwrap_or('\u{fffd}')
        }
        Some(other) => other,
        None => '\\',
    };
    c.to_string()
}
