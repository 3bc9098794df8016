//! Tree-sitter's tree to [`ast`](super::ast).

use std::sync::Arc;

use tree_sitter::Node;

use super::ast::{
    Argument, Class, Comparison, Comprehension, Expr, ExprKind, Form, Function, Module, Name,
    Parameter, SequenceKind, Stmt, StmtKind,
};
use super::literal;
use crate::source::{SourceFile, Span};
use crate::syntax::tree::{self, Grammar, Reader, children, first};

const TOO_DEEP: &str = "it is nested too deeply";
const SYNTAX: &str = "it is a syntax error";
const FOREIGN: &str = "it is a construct that corslint does not model";

/// Parses a file. Never fails: what cannot be parsed is unknown.
#[must_use]
pub fn parse(file: &SourceFile) -> Module {
    let Some(tree) = tree::parse(Grammar::Python, file.text()) else {
        return Module {
            errors: vec![file.span()],
            ..Module::default()
        };
    };
    let mut lower = Lower {
        reader: Reader::new(file),
        errors: Vec::new(),
        yields: false,
    };
    let body = lower.block(tree.root_node());
    Module {
        body,
        errors: lower.errors,
    }
}

struct Lower<'a> {
    reader: Reader<'a>,
    errors: Vec<Span>,
    /// A `yield` was met in the current function.
    yields: bool,
}

/// All children, keywords and signs among them.
fn all<'t>(node: Node<'t>) -> Vec<Node<'t>> {
    node.children(&mut node.walk()).collect()
}

impl Lower<'_> {
    fn span(&self, node: Node<'_>) -> Span {
        self.reader.span(node)
    }

    /// A method that says that it is to be written elsewhere: another class stands here when it runs.
    fn raised(&mut self, node: Node<'_>) -> StmtKind {
        let raised = first(node).map(|value| self.text(value));
        let is_stub = raised.is_some_and(|text| text.starts_with("NotImplementedError"));
        if !is_stub {
            return StmtKind::Raise;
        }
        let (kind, span) = (ExprKind::Unknown(FOREIGN), self.span(node));
        StmtKind::Return(Some(Expr { kind, span }))
    }

    fn text(&self, node: Node<'_>) -> &str {
        self.reader.text(node)
    }

    fn name(&self, node: Node<'_>) -> Name {
        Arc::from(self.text(node))
    }

    fn block(&mut self, node: Node<'_>) -> Vec<Stmt> {
        if !self.reader.enter() {
            return Vec::new();
        }
        let children = children(node).into_iter();
        let body = children.map(|child| self.statement(child)).collect();
        self.reader.leave();
        body
    }

    fn field_block(&mut self, node: Node<'_>, field: &str) -> Vec<Stmt> {
        let block = node.child_by_field_name(field);
        block.map(|block| self.block(block)).unwrap_or_default()
    }

    fn statement(&mut self, node: Node<'_>) -> Stmt {
        let span = self.span(node);
        let kind = match node.kind() {
            "expression_statement" => return self.expression_statement(node, span),
            "if_statement" => self.if_statement(node),
            "for_statement" => {
                let target = self.field(node, "left");
                let items = self.field(node, "right");
                StmtKind::For(target, items, self.field_block(node, "body"))
            }
            "while_statement" => StmtKind::Loop(self.field_block(node, "body")),
            "try_statement" => self.try_statement(node),
            "with_statement" => self.with_statement(node),
            "function_definition" => StmtKind::Function(Vec::new(), self.function(node)),
            "class_definition" => StmtKind::Class(Vec::new(), self.class(node)),
            "decorated_definition" => self.decorated(node),
            "return_statement" => StmtKind::Return(first(node).map(|value| self.expression(value))),
            "raise_statement" => self.raised(node),
            "break_statement" => StmtKind::Break,
            "continue_statement" => StmtKind::Continue,
            "import_statement" => StmtKind::Import(self.imported(node)),
            "import_from_statement" => self.import_from(node),
            "global_statement" | "nonlocal_statement" => StmtKind::Global(
                children(node)
                    .into_iter()
                    .map(|name| self.name(name))
                    .collect(),
            ),
            "delete_statement" => {
                let mut targets = Vec::new();
                for target in children(node) {
                    if target.kind() == "expression_list" {
                        targets.extend(
                            children(target)
                                .into_iter()
                                .map(|target| self.expression(target)),
                        );
                    } else {
                        targets.push(self.expression(target));
                    }
                }
                StmtKind::Delete(targets)
            }
            "pass_statement"
            | "future_import_statement"
            | "assert_statement"
            | "print_statement"
            | "comment"
            | "type_alias_statement" => StmtKind::Pass,
            "ERROR" => {
                self.errors.push(span);
                StmtKind::Unknown(self.block(node))
            }
            "block" | "match_statement" | "case_clause" => StmtKind::Unknown(self.block(node)),
            _ => StmtKind::Unknown(Vec::new()),
        };
        Stmt { kind, span }
    }

    fn expression_statement(&mut self, node: Node<'_>, span: Span) -> Stmt {
        let mut parts = children(node).into_iter();
        let kind = match (parts.next(), parts.next()) {
            (Some(child), None) => match child.kind() {
                "assignment" => self.assignment(child),
                "augmented_assignment" => {
                    let target = self.field(child, "left");
                    let operator = child.child_by_field_name("operator");
                    let operator = operator.map(|node| self.text(node).trim_end_matches('='));
                    let operator: Arc<str> = Arc::from(operator.unwrap_or_default());
                    StmtKind::Augment(target, operator, self.field(child, "right"))
                }
                _ => StmtKind::Expr(self.expression(child)),
            },
            // A tuple without brackets.
            (Some(_), Some(_)) => {
                let items = children(node)
                    .into_iter()
                    .map(|child| self.expression(child))
                    .collect();
                StmtKind::Expr(Expr {
                    kind: ExprKind::Sequence(SequenceKind::Tuple, items),
                    span,
                })
            }
            _ => StmtKind::Pass,
        };
        Stmt { kind, span }
    }

    fn assignment(&mut self, node: Node<'_>) -> StmtKind {
        let mut targets = vec![self.field(node, "left")];
        let annotation = node.child_by_field_name("type");
        let annotation = annotation.map(|node| Arc::from(self.text(node)));
        let mut value = node.child_by_field_name("right");
        while let Some(inner) = value.filter(|value| value.kind() == "assignment") {
            targets.push(self.field(inner, "left"));
            value = inner.child_by_field_name("right");
        }
        let value = value.map(|value| self.expression(value));
        StmtKind::Assign(targets, value, annotation)
    }

    fn if_statement(&mut self, node: Node<'_>) -> StmtKind {
        let mut tests = vec![(
            self.field(node, "condition"),
            self.field_block(node, "consequence"),
        )];
        let mut rest = Vec::new();
        for child in children(node) {
            match child.kind() {
                "elif_clause" => tests.push((
                    self.field(child, "condition"),
                    self.field_block(child, "consequence"),
                )),
                "else_clause" => rest = self.field_block(child, "body"),
                _ => {}
            }
        }
        StmtKind::If(tests, rest)
    }

    fn try_statement(&mut self, node: Node<'_>) -> StmtKind {
        let body = self.field_block(node, "body");
        let (mut handlers, mut otherwise, mut finally) = (Vec::new(), Vec::new(), Vec::new());
        for child in children(node) {
            match child.kind() {
                "except_clause" | "except_group_clause" => {
                    let mut names = Vec::new();
                    let mut handler = Vec::new();
                    for part in children(child) {
                        if part.kind() == "block" {
                            handler = self.block(part);
                        } else {
                            let text = self.text(part);
                            let words = text.split(|c: char| !c.is_alphanumeric() && c != '_');
                            names.extend(words.filter(|word| !word.is_empty()).map(Arc::from));
                        }
                    }
                    handlers.push((names, handler));
                }
                "else_clause" => otherwise = self.field_block(child, "body"),
                "finally_clause" => {
                    let block = children(child)
                        .into_iter()
                        .find(|child| child.kind() == "block");
                    finally = block.map(|block| self.block(block)).unwrap_or_default();
                }
                _ => {}
            }
        }
        StmtKind::Try(body, handlers, otherwise, finally)
    }

    fn with_statement(&mut self, node: Node<'_>) -> StmtKind {
        let mut items = Vec::new();
        let clause = children(node)
            .into_iter()
            .find(|child| child.kind() == "with_clause");
        for item in clause.into_iter().flat_map(children) {
            let Some(value) = item.child_by_field_name("value") else {
                continue;
            };
            if value.kind() == "as_pattern" {
                let mut parts = children(value).into_iter();
                let (value, alias) = (parts.next(), parts.next());
                let target = alias.and_then(|alias| alias.named_child(0));
                let target = target.map(|target| self.expression(target));
                if let Some(value) = value {
                    items.push((self.expression(value), target));
                }
            } else {
                items.push((self.expression(value), None));
            }
        }
        StmtKind::With(items, self.field_block(node, "body"))
    }

    fn decorated(&mut self, node: Node<'_>) -> StmtKind {
        let mut decorators = Vec::new();
        for child in children(node)
            .into_iter()
            .filter(|child| child.kind() == "decorator")
        {
            if let Some(expression) = first(child) {
                decorators.push(self.expression(expression));
            }
        }
        let definition = node.child_by_field_name("definition");
        match definition {
            Some(definition) if definition.kind() == "function_definition" => {
                StmtKind::Function(decorators, self.function(definition))
            }
            Some(definition) => StmtKind::Class(decorators, self.class(definition)),
            None => StmtKind::Pass,
        }
    }

    fn function(&mut self, node: Node<'_>) -> Arc<Function> {
        let name = node.child_by_field_name("name");
        let parameters = node.child_by_field_name("parameters");
        let parameters = parameters.map(|node| self.parameters(node));
        let outer = std::mem::replace(&mut self.yields, false);
        let body = self.field_block(node, "body");
        let generator = std::mem::replace(&mut self.yields, outer);
        Arc::new(Function {
            name: name.map_or_else(|| Arc::from(""), |name| self.name(name)),
            name_span: self.span(name.unwrap_or(node)),
            span: self.span(node),
            parameters: parameters.unwrap_or_default(),
            body,
            generator,
        })
    }

    fn parameters(&mut self, node: Node<'_>) -> Vec<Parameter> {
        let mut parameters = Vec::new();
        for child in children(node) {
            let inner = match child.kind() {
                "typed_parameter" => first(child).unwrap_or(child),
                _ => child,
            };
            let (form, name) = match inner.kind() {
                "list_splat_pattern" => (Form::Star, first(inner)),
                "dictionary_splat_pattern" => (Form::DoubleStar, first(inner)),
                "default_parameter" | "typed_default_parameter" => {
                    (Form::Positional, inner.child_by_field_name("name"))
                }
                "identifier" => (Form::Positional, Some(inner)),
                // Markers of positional-only and keyword-only parameters.
                _ => continue,
            };
            let Some(name) = name else { continue };
            let default = inner.child_by_field_name("value");
            parameters.push(Parameter {
                name: self.name(name),
                form,
                default: default.map(|value| self.expression(value)),
            });
        }
        parameters
    }

    fn class(&mut self, node: Node<'_>) -> Arc<Class> {
        let name = node.child_by_field_name("name");
        let bases = node.child_by_field_name("superclasses");
        let bases = bases.into_iter().flat_map(children);
        let bases: Vec<_> = bases
            .filter(|base| base.kind() != "keyword_argument")
            .collect();
        Arc::new(Class {
            name: name.map_or_else(|| Arc::from(""), |name| self.name(name)),
            name_span: self.span(name.unwrap_or(node)),
            bases: bases
                .into_iter()
                .map(|base| self.expression(base))
                .collect(),
            body: self.field_block(node, "body"),
        })
    }

    fn imported(&self, node: Node<'_>) -> Vec<(Name, Option<Name>)> {
        let names = children(node)
            .into_iter()
            .filter_map(|child| match child.kind() {
                "dotted_name" => Some((self.name(child), None)),
                "aliased_import" => {
                    let name = child.child_by_field_name("name")?;
                    let alias = child.child_by_field_name("alias")?;
                    Some((self.name(name), Some(self.name(alias))))
                }
                _ => None,
            });
        names.collect()
    }

    fn import_from(&self, node: Node<'_>) -> StmtKind {
        let module = node.child_by_field_name("module_name");
        let Some(module) = module else {
            return StmtKind::Pass;
        };
        let text = self.text(module);
        let dots = text.bytes().take_while(|byte| *byte == b'.').count();
        let path: String = text[dots..].split_whitespace().collect();
        let mut names = Vec::new();
        let mut everything = false;
        for child in children(node) {
            if child.id() == module.id() {
                continue;
            }
            match child.kind() {
                "wildcard_import" => everything = true,
                "dotted_name" => names.push((self.name(child), self.name(child))),
                "aliased_import" => {
                    let name = child.child_by_field_name("name");
                    let alias = child.child_by_field_name("alias");
                    if let (Some(name), Some(alias)) = (name, alias) {
                        names.push((self.name(name), self.name(alias)));
                    }
                }
                _ => {}
            }
        }
        StmtKind::From(dots, Arc::from(path), names, everything)
    }

    fn field(&mut self, node: Node<'_>, field: &str) -> Expr {
        match node.child_by_field_name(field) {
            Some(child) => self.expression(child),
            None => Expr {
                kind: ExprKind::Unknown(SYNTAX),
                span: self.span(node),
            },
        }
    }

    fn boxed(&mut self, node: Node<'_>, field: &str) -> Box<Expr> {
        Box::new(self.field(node, field))
    }

    fn expression(&mut self, node: Node<'_>) -> Expr {
        let span = self.span(node);
        if !self.reader.enter() {
            let kind = ExprKind::Unknown(TOO_DEEP);
            return Expr { kind, span };
        }
        let kind = self.expression_kind(node);
        self.reader.leave();
        match kind {
            // Brackets are not part of what stands in them.
            ExprKind::Star(inner) if node.kind() == "parenthesized_expression" => *inner,
            kind => Expr { kind, span },
        }
    }

    fn expression_kind(&mut self, node: Node<'_>) -> ExprKind {
        if node.is_missing() {
            return ExprKind::Unknown(SYNTAX);
        }
        match node.kind() {
            "none" => ExprKind::None,
            "true" => ExprKind::Bool(true),
            "false" => ExprKind::Bool(false),
            "integer" | "float" => literal::number(self.text(node))
                .map_or(ExprKind::Unknown(FOREIGN), ExprKind::Number),
            "string" | "concatenated_string" => self.string(node),
            "identifier" | "keyword_identifier" => ExprKind::Name(self.name(node)),
            "attribute" => {
                let attribute = node.child_by_field_name("attribute");
                let name = attribute.map_or_else(|| Arc::from(""), |name| self.name(name));
                ExprKind::Attribute(self.boxed(node, "object"), name)
            }
            "subscript" => self.subscript(node),
            "call" => self.call(node),
            "list" | "list_pattern" => self.sequence(node, SequenceKind::List),
            "tuple" | "expression_list" | "pattern_list" | "tuple_pattern" => {
                self.sequence(node, SequenceKind::Tuple)
            }
            "set" => self.sequence(node, SequenceKind::Set),
            "dictionary" => self.dictionary(node),
            "binary_operator" => {
                let operator = node.child_by_field_name("operator");
                let operator = operator.map_or_else(|| Arc::from(""), |node| self.name(node));
                let left = self.boxed(node, "left");
                ExprKind::Binary(left, operator, self.boxed(node, "right"))
            }
            "unary_operator" => {
                let operator = node.child_by_field_name("operator");
                let operator = operator.map_or_else(|| Arc::from(""), |node| self.name(node));
                ExprKind::Unary(operator, self.boxed(node, "argument"))
            }
            "boolean_operator" => {
                let operator = node.child_by_field_name("operator");
                let is_and = operator.is_some_and(|operator| operator.kind() == "and");
                let (left, right) = (self.boxed(node, "left"), self.boxed(node, "right"));
                if is_and {
                    ExprKind::And(left, right)
                } else {
                    ExprKind::Or(left, right)
                }
            }
            "not_operator" => ExprKind::Not(self.boxed(node, "argument")),
            "comparison_operator" => self.comparison(node),
            "conditional_expression" => {
                let parts: Vec<_> = children(node);
                let [yes, test, no] = parts.as_slice() else {
                    return ExprKind::Unknown(SYNTAX);
                };
                let test = Box::new(self.expression(*test));
                let yes = Box::new(self.expression(*yes));
                ExprKind::Conditional(test, yes, Box::new(self.expression(*no)))
            }
            "lambda" => self.lambda(node),
            "list_comprehension" | "generator_expression" => {
                self.comprehension(node, SequenceKind::List)
            }
            "set_comprehension" => self.comprehension(node, SequenceKind::Set),
            "dictionary_comprehension" => self.comprehension(node, SequenceKind::List),
            "parenthesized_expression" => match first(node) {
                // Unwrapped in `expression`.
                Some(inner) => ExprKind::Star(Box::new(self.expression(inner))),
                None => ExprKind::Unknown(SYNTAX),
            },
            "list_splat" | "list_splat_pattern" | "dictionary_splat" => match first(node) {
                Some(inner) => ExprKind::Star(Box::new(self.expression(inner))),
                None => ExprKind::Unknown(SYNTAX),
            },
            "named_expression" => {
                let name = node.child_by_field_name("name");
                let name = name.map_or_else(|| Arc::from(""), |name| self.name(name));
                ExprKind::Walrus(name, self.boxed(node, "value"))
            }
            "await" => match first(node) {
                Some(inner) => ExprKind::Await(Box::new(self.expression(inner))),
                None => ExprKind::Unknown(SYNTAX),
            },
            "yield" => {
                self.yields = true;
                ExprKind::Unknown(FOREIGN)
            }
            "as_pattern_target" => match first(node) {
                Some(inner) => self.expression_kind(inner),
                None => ExprKind::Unknown(SYNTAX),
            },
            "ERROR" => {
                self.errors.push(self.span(node));
                ExprKind::Unknown(SYNTAX)
            }
            _ => ExprKind::Unknown(FOREIGN),
        }
    }

    fn string(&mut self, node: Node<'_>) -> ExprKind {
        let strings: Vec<Node<'_>> = if node.kind() == "string" {
            vec![node]
        } else {
            children(node)
        };
        let mut parts: Vec<Expr> = Vec::new();
        let mut text = String::new();
        let mut formatted = false;
        for string in strings {
            let start = all(string)
                .into_iter()
                .find(|child| child.kind() == "string_start");
            let start = start.map(|start| self.text(start).to_ascii_lowercase());
            let start = start.unwrap_or_default();
            let raw = start.contains('r');
            let format = start.contains('f') || start.contains('t');
            for child in all(string) {
                match child.kind() {
                    "string_content" => {
                        let content = self.text(child);
                        let decoded = if raw {
                            content.to_owned()
                        } else {
                            literal::decode(content)
                        };
                        if format {
                            text.push_str(&decoded.replace("{{", "{").replace("}}", "}"));
                        } else {
                            text.push_str(&decoded);
                        }
                    }
                    "interpolation" => {
                        formatted = true;
                        let span = self.span(child);
                        parts.push(Expr {
                            kind: ExprKind::Text(Arc::from(std::mem::take(&mut text))),
                            span,
                        });
                        let plain = children(child).len() == 1;
                        let part = match child.child_by_field_name("expression") {
                            Some(inner) if plain => self.expression(inner),
                            _ => Expr {
                                kind: ExprKind::Unknown(FOREIGN),
                                span,
                            },
                        };
                        parts.push(part);
                    }
                    "ERROR" => return ExprKind::Unknown(SYNTAX),
                    _ => {}
                }
            }
        }
        if !formatted {
            return ExprKind::Text(Arc::from(text));
        }
        parts.push(Expr {
            kind: ExprKind::Text(Arc::from(text)),
            span: self.span(node),
        });
        ExprKind::Format(parts)
    }

    fn subscript(&mut self, node: Node<'_>) -> ExprKind {
        let value = self.boxed(node, "value");
        let Some(index) = node.child_by_field_name("subscript") else {
            return ExprKind::Unknown(SYNTAX);
        };
        if index.kind() != "slice" {
            return ExprKind::Item(value, Box::new(self.expression(index)));
        }
        let mut bounds = [None, None];
        let mut at = 0;
        for child in all(index) {
            if child.kind() == ":" {
                at += 1;
            } else if child.is_named() && at < 2 {
                bounds[at] = Some(Box::new(self.expression(child)));
            }
        }
        if at > 1 {
            return ExprKind::Unknown(FOREIGN);
        }
        ExprKind::Slice(value, bounds)
    }

    fn call(&mut self, node: Node<'_>) -> ExprKind {
        let function = self.boxed(node, "function");
        let Some(list) = node.child_by_field_name("arguments") else {
            return ExprKind::Unknown(SYNTAX);
        };
        let mut arguments = Vec::new();
        if list.kind() == "generator_expression" {
            let value = self.expression(list);
            let span = value.span;
            arguments.push(Argument {
                form: Form::Positional,
                value,
                span,
            });
            return ExprKind::Call(function, arguments);
        }
        for child in children(list) {
            let span = self.span(child);
            let (form, value) = match child.kind() {
                "keyword_argument" => {
                    let name = child.child_by_field_name("name");
                    let Some(name) = name else { continue };
                    let form = Form::Keyword(self.name(name), self.span(name));
                    (form, self.field(child, "value"))
                }
                "list_splat" | "dictionary_splat" => {
                    let form = if child.kind() == "list_splat" {
                        Form::Star
                    } else {
                        Form::DoubleStar
                    };
                    let Some(inner) = first(child) else {
                        continue;
                    };
                    (form, self.expression(inner))
                }
                _ => (Form::Positional, self.expression(child)),
            };
            arguments.push(Argument { form, value, span });
        }
        ExprKind::Call(function, arguments)
    }

    fn sequence(&mut self, node: Node<'_>, kind: SequenceKind) -> ExprKind {
        let items = children(node)
            .into_iter()
            .map(|child| self.expression(child))
            .collect();
        ExprKind::Sequence(kind, items)
    }

    fn dictionary(&mut self, node: Node<'_>) -> ExprKind {
        let mut entries = Vec::new();
        for child in children(node) {
            match child.kind() {
                "pair" => {
                    let key = self.field(child, "key");
                    entries.push((Some(key), self.field(child, "value")));
                }
                "dictionary_splat" => {
                    if let Some(inner) = first(child) {
                        entries.push((None, self.expression(inner)));
                    }
                }
                _ => {
                    let span = self.span(child);
                    let kind = ExprKind::Unknown(SYNTAX);
                    entries.push((None, Expr { kind, span }));
                }
            }
        }
        ExprKind::Dict(entries)
    }

    fn comparison(&mut self, node: Node<'_>) -> ExprKind {
        let mut operands = Vec::new();
        let mut operators: Vec<String> = Vec::new();
        let mut joined = true;
        for child in all(node) {
            if child.is_named() && child.kind() != "comment" {
                operands.push(child);
                joined = false;
            } else if child.kind() != "comment" {
                match operators.last_mut().filter(|_| joined) {
                    Some(last) => {
                        last.push(' ');
                        last.push_str(child.kind());
                    }
                    None => operators.push(child.kind().to_owned()),
                }
                joined = true;
            }
        }
        let mut result: Option<Expr> = None;
        for (pair, operator) in operands.windows(2).zip(&operators) {
            let comparison = match operator.as_str() {
                "==" | "is" => Comparison::Equal,
                "!=" | "<>" | "is not" => Comparison::NotEqual,
                "in" => Comparison::In,
                "not in" => Comparison::NotIn,
                "<" => Comparison::Less,
                "<=" => Comparison::LessEqual,
                ">" => Comparison::Greater,
                ">=" => Comparison::GreaterEqual,
                _ => return ExprKind::Unknown(FOREIGN),
            };
            let (left, right) = (self.expression(pair[0]), self.expression(pair[1]));
            let span = left.span.to(right.span);
            let kind = ExprKind::Compare(Box::new(left), comparison, Box::new(right));
            let one = Expr { kind, span };
            result = Some(match result {
                Some(before) => Expr {
                    span: before.span.to(span),
                    kind: ExprKind::And(Box::new(before), Box::new(one)),
                },
                None => one,
            });
        }
        result.map_or(ExprKind::Unknown(SYNTAX), |result| result.kind)
    }

    fn lambda(&mut self, node: Node<'_>) -> ExprKind {
        let parameters = node.child_by_field_name("parameters");
        let parameters = parameters.map(|node| self.parameters(node));
        let value = self.field(node, "body");
        let span = value.span;
        ExprKind::Lambda(Arc::new(Function {
            name: Arc::from(""),
            name_span: self.span(node),
            span: self.span(node),
            parameters: parameters.unwrap_or_default(),
            body: vec![Stmt {
                kind: StmtKind::Return(Some(value)),
                span,
            }],
            generator: false,
        }))
    }

    fn comprehension(&mut self, node: Node<'_>, kind: SequenceKind) -> ExprKind {
        let Some(body) = node.child_by_field_name("body") else {
            return ExprKind::Unknown(SYNTAX);
        };
        let (element, value) = if body.kind() == "pair" {
            let key = self.field(body, "key");
            (key, Some(self.field(body, "value")))
        } else {
            (self.expression(body), None)
        };
        let mut clauses: Vec<(Expr, Expr, Vec<Expr>)> = Vec::new();
        for child in children(node) {
            match child.kind() {
                "for_in_clause" => {
                    let target = self.field(child, "left");
                    clauses.push((target, self.field(child, "right"), Vec::new()));
                }
                "if_clause" => {
                    if let (Some(clause), Some(test)) = (clauses.last_mut(), first(child)) {
                        clause.2.push(self.expression(test));
                    }
                }
                _ => {}
            }
        }
        ExprKind::Comprehension(Box::new(Comprehension {
            kind,
            element,
            value,
            clauses,
        }))
    }
}
