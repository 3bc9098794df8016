//! Statements.

use std::sync::Arc;

use tree_sitter::Node;

use super::super::ast::{Expr, Key, Reach, Stmt};
use super::Lower;
use crate::syntax::tree::{children, first, with_stack};

impl Lower<'_> {
    pub(super) fn statements(&mut self, node: Node<'_>) -> Vec<Stmt> {
        children(node)
            .into_iter()
            .map(|child| self.statement(child))
            .filter(|statement| !matches!(statement, Stmt::Empty))
            .collect()
    }

    fn block(&mut self, node: Option<Node<'_>>) -> Vec<Stmt> {
        match node {
            Some(node) if node.kind() == "statement_block" => self.statements(node),
            Some(node) => vec![self.statement(node)],
            None => Vec::new(),
        }
    }

    pub(super) fn statement(&mut self, node: Node<'_>) -> Stmt {
        if !self.0.enter() {
            return Stmt::Unknown(self.0.span(node));
        }
        let statement = with_stack(|| self.shallow_statement(node));
        self.0.leave();
        statement
    }

    fn shallow_statement(&mut self, node: Node<'_>) -> Stmt {
        let span = self.0.span(node);
        let field = |name| node.child_by_field_name(name);
        match node.kind() {
            "expression_statement" => match first(node) {
                Some(child) => Stmt::Expr(self.expr(child)),
                None => Stmt::Empty,
            },
            "lexical_declaration" | "variable_declaration" => {
                let declarators = children(node)
                    .into_iter()
                    .filter(|child| child.kind() == "variable_declarator")
                    .map(|child| {
                        let pattern = self.pattern_of(child.child_by_field_name("name"));
                        let value = child
                            .child_by_field_name("value")
                            .map(|value| self.expr(value));
                        (pattern, value)
                    });
                let reach = match node.kind() {
                    "variable_declaration" => Reach::Function,
                    _ => Reach::Block,
                };
                Stmt::Declare(reach, declarators.collect())
            }
            "function_declaration" | "generator_function_declaration" => {
                let Some(name) = field("name") else {
                    return Stmt::Unknown(span);
                };
                Stmt::Function(self.name(name), self.function(node))
            }
            "class_declaration" | "abstract_class_declaration" => {
                let Some(name) = field("name") else {
                    return Stmt::Unknown(span);
                };
                Stmt::Class(self.name(name), Arc::new(self.class(node)))
            }
            "enum_declaration" => self.enumeration(node),
            "return_statement" => Stmt::Return(first(node).map(|value| self.expr(value)), span),
            "throw_statement" => match first(node) {
                Some(value) => Stmt::Throw(self.expr(value)),
                None => Stmt::Unknown(span),
            },
            "if_statement" => {
                let test = self.expr_of(field("condition"), span);
                let yes = self.statement_of(field("consequence"));
                let no = field("alternative").and_then(first);
                Stmt::If(test, yes, no.map(|no| Box::new(self.statement(no))))
            }
            "statement_block" => Stmt::Block(self.statements(node)),
            "for_in_statement" => Stmt::ForEach {
                pattern: self.pattern_of(field("left")),
                declared: field("kind").map(|kind| match self.0.text(kind) {
                    "var" => Reach::Function,
                    _ => Reach::Block,
                }),
                list: self.expr_of(field("right"), span),
                of: field("operator").is_some_and(|node| self.0.text(node) == "of"),
                body: self.statement_of(field("body")),
            },
            "for_statement" => {
                let start = field("initializer").map(|start| Box::new(self.statement(start)));
                let test = field("condition").map(|test| self.expr(test));
                let step = field("increment").map(|step| self.expr(step));
                Stmt::Loop(start, test, step, self.statement_of(field("body")))
            }
            "do_statement" => Stmt::DoLoop(
                self.statement_of(field("body")),
                self.expr_of(field("condition"), span),
            ),
            "while_statement" => {
                let test = field("condition").map(|test| self.expr(test));
                Stmt::Loop(None, test, None, self.statement_of(field("body")))
            }
            "try_statement" => {
                let handler = field("handler").map(|handler| {
                    let parameter = handler.child_by_field_name("parameter");
                    let parameter = parameter.map(|parameter| self.pattern(parameter));
                    (parameter, self.block(handler.child_by_field_name("body")))
                });
                let finalizer =
                    field("finalizer").and_then(|node| node.child_by_field_name("body"));
                Stmt::Try(self.block(field("body")), handler, self.block(finalizer))
            }
            "switch_statement" => {
                let value = self.expr_of(field("value"), span);
                let cases = field("body").map(children).unwrap_or_default();
                let cases = cases.into_iter().filter_map(|case| self.case(case));
                Stmt::Switch(value, cases.collect())
            }
            "labeled_statement" => self.unboxed(field("body")),
            "break_statement" if field("label").is_none() => Stmt::Break,
            "continue_statement" if field("label").is_none() => Stmt::Continue,
            "import_statement" => self.import(node),
            "export_statement" => self.export(node),
            "comment"
            | "hash_bang_line"
            | "html_comment"
            | "empty_statement"
            | "interface_declaration"
            | "type_alias_declaration"
            | "ambient_declaration"
            | "function_signature"
            | "import_alias"
            | "debugger_statement" => Stmt::Empty,
            // A `for` statement's parts are expressions where statements are looked for.
            kind if kind.ends_with("expression") => Stmt::Expr(self.expr(node)),
            _ => Stmt::Unknown(span),
        }
    }

    fn statement_of(&mut self, node: Option<Node<'_>>) -> Box<Stmt> {
        Box::new(self.unboxed(node))
    }

    fn unboxed(&mut self, node: Option<Node<'_>>) -> Stmt {
        node.map_or(Stmt::Empty, |node| self.statement(node))
    }

    fn case(&mut self, node: Node<'_>) -> Option<(Option<Expr>, Vec<Stmt>)> {
        if !matches!(node.kind(), "switch_case" | "switch_default") {
            return None;
        }
        let test = node.child_by_field_name("value");
        let test_id = test.map(|test| test.id());
        let test = test.map(|test| self.expr(test));
        let body = children(node)
            .into_iter()
            .filter(|child| Some(child.id()) != test_id)
            .map(|child| self.statement(child));
        Some((test, body.collect()))
    }

    fn enumeration(&mut self, node: Node<'_>) -> Stmt {
        let span = self.0.span(node);
        let (Some(name), Some(body)) = (
            node.child_by_field_name("name"),
            node.child_by_field_name("body"),
        ) else {
            return Stmt::Unknown(span);
        };
        let mut members = Vec::new();
        for child in children(body) {
            let (key, value) = if child.kind() == "enum_assignment" {
                let value = child.child_by_field_name("value");
                (child.child_by_field_name("name"), value)
            } else {
                (Some(child), None)
            };
            if let Some(Key::Name(key)) = key.map(|key| self.key(key)) {
                members.push((key, value.map(|value| self.expr(value))));
            }
        }
        Stmt::Enum(self.name(name), members, span)
    }
}
