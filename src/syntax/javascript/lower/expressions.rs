//! Expressions.

use std::sync::Arc;

use tree_sitter::Node;

use super::super::ast::{Argument, Expr, ExprKind, Key, Name, Property};
use super::Lower;
use super::literals::{number, operator, unescape};
use crate::source::Span;
use crate::syntax::tree::{children, first, with_stack};

impl Lower<'_> {
    pub(super) fn expr_of(&mut self, node: Option<Node<'_>>, around: Span) -> Expr {
        node.map_or_else(|| unknown(around), |node| self.expr(node))
    }

    pub(super) fn expr(&mut self, node: Node<'_>) -> Expr {
        let span = self.0.span(node);
        if node.is_error() || node.is_missing() || !self.0.enter() {
            return unknown(span);
        }
        let mut expr = with_stack(|| self.shallow_expr(node, span));
        self.0.leave();
        // An error inside a small expression may have changed what it means.
        if node.has_error() && has_direct_error(node) {
            expr = unknown(span);
        }
        expr
    }

    fn shallow_expr(&mut self, node: Node<'_>, span: Span) -> Expr {
        let field = |name| node.child_by_field_name(name);
        let kind = match node.kind() {
            "string" => ExprKind::String(self.string(node)),
            "number" => number(self.0.text(node)).map_or(ExprKind::Unknown, ExprKind::Number),
            "true" => ExprKind::Bool(true),
            "false" => ExprKind::Bool(false),
            "null" => ExprKind::Null,
            "undefined" => ExprKind::Undefined,
            "regex" => {
                let pattern = field("pattern").map_or("".into(), |node| self.name(node));
                let flags = field("flags").map_or("".into(), |node| self.name(node));
                ExprKind::Regex(pattern, flags)
            }
            "template_string" => ExprKind::Template(self.template(node)),
            "identifier" | "shorthand_property_identifier" => ExprKind::Name(self.name(node)),
            // No name that a program can declare, so it cannot be shadowed.
            "meta_property" => ExprKind::Name("import.meta".into()),
            "this" => ExprKind::This,
            "super" => ExprKind::Super,
            "array" => ExprKind::Array(self.arguments(Some(node))),
            "object" => ExprKind::Object(self.properties(node)),
            "arrow_function" | "function_expression" | "generator_function" => {
                ExprKind::Function(self.function(node))
            }
            "class" => ExprKind::Class(Arc::new(self.class(node))),
            "parenthesized_expression"
            | "as_expression"
            | "satisfies_expression"
            | "non_null_expression"
            | "instantiation_expression" => return self.inner(node, span),
            "type_assertion" => match children(node).last() {
                Some(last) => return self.expr(*last),
                None => ExprKind::Unknown,
            },
            "unary_expression" => {
                let operator = field("operator").and_then(|node| operator(self.0.text(node)));
                let argument = Box::new(self.expr_of(field("argument"), span));
                operator.map_or(ExprKind::Unknown, |operator| {
                    ExprKind::Unary(operator, argument)
                })
            }
            "binary_expression" => {
                let operator = field("operator").and_then(|node| operator(self.0.text(node)));
                let left = Box::new(self.expr_of(field("left"), span));
                let right = Box::new(self.expr_of(field("right"), span));
                match operator {
                    Some(operator @ ("&&" | "||" | "??")) => {
                        ExprKind::Logical(operator, left, right)
                    }
                    Some(operator) => ExprKind::Binary(operator, left, right),
                    None => ExprKind::Unknown,
                }
            }
            "ternary_expression" => ExprKind::Conditional(
                Box::new(self.expr_of(field("condition"), span)),
                Box::new(self.expr_of(field("consequence"), span)),
                Box::new(self.expr_of(field("alternative"), span)),
            ),
            "assignment_expression" => ExprKind::Assign(
                Box::new(self.pattern_of(field("left"))),
                Box::new(self.expr_of(field("right"), span)),
            ),
            "augmented_assignment_expression" => {
                let text = field("operator").map(|node| self.0.text(node));
                let operator = text
                    .and_then(|text| text.strip_suffix('='))
                    .and_then(operator);
                let left = Box::new(self.expr_of(field("left"), span));
                let right = Box::new(self.expr_of(field("right"), span));
                operator.map_or(ExprKind::Unknown, |operator| {
                    ExprKind::Update(operator, left, right)
                })
            }
            "update_expression" => {
                let text = field("operator").map_or("", |node| self.0.text(node));
                let operator = if text == "--" { "-" } else { "+" };
                let left = Box::new(self.expr_of(field("argument"), span));
                let one = Expr {
                    kind: ExprKind::Number(1.0),
                    span,
                };
                let update = ExprKind::Update(operator, left, Box::new(one));
                // What comes before is the value that there was.
                let is_after = node.child(0).is_some_and(|first| first.is_named());
                if is_after {
                    let back = if operator == "-" { "+" } else { "-" };
                    let new = Expr { kind: update, span };
                    let one = Expr {
                        kind: ExprKind::Number(1.0),
                        span,
                    };
                    ExprKind::Binary(back, Box::new(new), Box::new(one))
                } else {
                    update
                }
            }
            "member_expression" => {
                let object = Box::new(self.expr_of(field("object"), span));
                match field("property") {
                    Some(property) => {
                        ExprKind::Member(object, self.name(property), self.0.span(property))
                    }
                    None => ExprKind::Unknown,
                }
            }
            "subscript_expression" => {
                let object = Box::new(self.expr_of(field("object"), span));
                match field("index") {
                    Some(index) if index.kind() == "string" => {
                        ExprKind::Member(object, self.string(index), self.0.span(index))
                    }
                    index => ExprKind::Index(object, Box::new(self.expr_of(index, span))),
                }
            }
            "call_expression" => {
                let Some(callee) = field("function") else {
                    return unknown(span);
                };
                if callee.kind() == "import" {
                    let source = field("arguments").and_then(first);
                    ExprKind::Import(Box::new(self.expr_of(source, span)))
                } else if field("arguments").is_some_and(|args| args.kind() == "template_string") {
                    ExprKind::Unknown
                } else {
                    let callee = Box::new(self.expr(callee));
                    ExprKind::Call(callee, self.arguments(field("arguments")))
                }
            }
            "new_expression" => {
                let callee = Box::new(self.expr_of(field("constructor"), span));
                ExprKind::New(callee, self.arguments(field("arguments")))
            }
            "await_expression" => ExprKind::Await(Box::new(self.inner(node, span))),
            "sequence_expression" => {
                let parts = children(node).into_iter().map(|child| self.expr(child));
                ExprKind::Sequence(parts.collect())
            }
            _ => ExprKind::Unknown,
        };
        Expr { kind, span }
    }

    /// The expression inside of something that only wraps it, with its own place.
    fn inner(&mut self, node: Node<'_>, span: Span) -> Expr {
        self.expr_of(first(node), span)
    }

    fn template(&mut self, node: Node<'_>) -> Vec<Expr> {
        let mut parts: Vec<Expr> = Vec::new();
        for child in children(node) {
            let span = self.0.span(child);
            match child.kind() {
                "string_fragment" => parts.push(Expr {
                    kind: ExprKind::String(self.name(child)),
                    span,
                }),
                "escape_sequence" => parts.push(Expr {
                    kind: ExprKind::String(unescape(self.0.text(child)).into()),
                    span,
                }),
                _ => parts.push(self.inner(child, span)),
            }
        }
        parts
    }

    fn arguments(&mut self, node: Option<Node<'_>>) -> Vec<Argument> {
        let children = node.map(children).unwrap_or_default();
        children
            .into_iter()
            .filter(|child| child.kind() != "comment")
            .map(|child| {
                let spread = child.kind() == "spread_element";
                let value = if spread {
                    self.inner(child, self.0.span(child))
                } else {
                    self.expr(child)
                };
                Argument { value, spread }
            })
            .collect()
    }

    fn properties(&mut self, node: Node<'_>) -> Vec<Property> {
        let mut properties = Vec::new();
        for child in children(node) {
            let span = self.0.span(child);
            match child.kind() {
                "pair" => {
                    let Some(key_node) = child.child_by_field_name("key") else {
                        continue;
                    };
                    let key_span = self.0.span(key_node);
                    let key = self.key(key_node);
                    let value = self.expr_of(child.child_by_field_name("value"), span);
                    properties.push(Property::Value(key, key_span, value));
                }
                "shorthand_property_identifier" => {
                    let value = self.expr(child);
                    properties.push(Property::Value(Key::Name(self.name(child)), span, value));
                }
                "spread_element" => properties.push(Property::Spread(self.inner(child, span))),
                "method_definition" => {
                    let Some(name) = child.child_by_field_name("name") else {
                        continue;
                    };
                    let mut cursor = child.walk();
                    let accessor = child
                        .children(&mut cursor)
                        .any(|mark| matches!(mark.kind(), "get" | "set"));
                    let name_span = self.0.span(name);
                    let key = self.key(name);
                    if accessor {
                        if let Key::Name(name) = key {
                            properties.push(Property::Accessor(name));
                        }
                        continue;
                    }
                    let kind = ExprKind::Function(self.function(child));
                    properties.push(Property::Value(key, name_span, Expr { kind, span }));
                }
                _ => {}
            }
        }
        properties
    }

    pub(super) fn string(&self, node: Node<'_>) -> Name {
        let text = self.0.text(node);
        let inner = text
            .get(1..text.len().saturating_sub(1))
            .unwrap_or_default();
        if inner.contains('\\') {
            unescape(inner).into()
        } else {
            inner.into()
        }
    }
}

pub(super) const fn unknown(span: Span) -> Expr {
    Expr {
        kind: ExprKind::Unknown,
        span,
    }
}

fn has_direct_error(node: Node<'_>) -> bool {
    let mut cursor = node.walk();
    node.children(&mut cursor)
        .any(|child| child.is_error() || child.is_missing())
        && !matches!(
            node.kind(),
            "arrow_function" | "function_expression" | "class"
        )
}
