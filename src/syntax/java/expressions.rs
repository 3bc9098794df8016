//! Statements and expressions.

use std::sync::Arc;

use tree_sitter::Node;

use super::declarations::Java;
use super::text;
use crate::source::Span;
use crate::syntax::jvm::ast::{
    Arm, Binary, Expr, ExprKind, Lambda, Language, Loop, Name, Stmt, Test, Try, Type, Unary, When,
};
use crate::syntax::tree::{child, children, first, has_token, with_stack};

const TOO_DEEP: &str = "it is nested too deeply";
const BROKEN: &str = "the syntax is not understood";

impl Java<'_> {
    /// The statements of a block.
    pub(super) fn statements(&mut self, node: Node<'_>) -> Vec<Stmt> {
        let mut result = Vec::new();
        for child in children(node) {
            self.statement(child, &mut result);
        }
        result
    }

    /// A statement or the statements of a block.
    fn body(&mut self, node: Option<Node<'_>>) -> Vec<Stmt> {
        let Some(node) = node else { return Vec::new() };
        if node.kind() == "block" {
            return self.statements(node);
        }
        let mut result = Vec::new();
        self.statement(node, &mut result);
        result
    }

    fn statement(&mut self, node: Node<'_>, result: &mut Vec<Stmt>) {
        let span = self.0.span(node);
        if !self.0.enter() {
            result.push(Stmt::Unknown(span));
            return;
        }
        with_stack(|| self.statement_now(node, span, result));
        self.0.leave();
    }

    fn statement_now(&mut self, node: Node<'_>, span: Span, result: &mut Vec<Stmt>) {
        match node.kind() {
            "local_variable_declaration" => self.locals(node, result),
            "class_declaration"
            | "record_declaration"
            | "interface_declaration"
            | "enum_declaration" => {
                let class = self.class(node, "");
                result.extend(class.map(|class| Stmt::Class(Arc::new(class))));
            }
            "block" => result.push(Stmt::Block(self.statements(node))),
            "synchronized_statement" => {
                let body = node.child_by_field_name("body");
                result.push(Stmt::Block(self.body(body)));
            }
            "labeled_statement" => {
                if let Some(inner) = children(node).last() {
                    self.statement(*inner, result);
                }
            }
            "expression_statement" => {
                let expr = first(node).map(|expr| self.expr(expr));
                result.extend(expr.map(Stmt::Expr));
            }
            "explicit_constructor_invocation" => result.push(Stmt::Expr(self.delegation(node))),
            "enhanced_for_statement" => {
                let name = node.child_by_field_name("name");
                let name: Name = name.map_or("", |name| self.0.text(name)).into();
                let list = self.field(node, "value");
                let body = self.body(node.child_by_field_name("body"));
                result.push(Stmt::ForEach(vec![name], list, body));
            }
            "for_statement" | "while_statement" | "do_statement" => {
                let repeated = self.repeat(node);
                result.push(Stmt::Loop(Box::new(repeated)));
            }
            "try_statement" | "try_with_resources_statement" => {
                let tried = self.tried(node);
                result.push(Stmt::Try(Box::new(tried)));
            }
            "assert_statement" => {}
            "ERROR" => result.push(Stmt::Unknown(span)),
            _ => result.push(Stmt::Expr(self.expr(node))),
        }
    }

    fn locals(&mut self, node: Node<'_>, result: &mut Vec<Stmt>) {
        let ty = node.child_by_field_name("type").map(|ty| self.ty(ty));
        let ty = ty.unwrap_or_else(|| Type::unwritten(self.0.span(node)));
        for declarator in children(node) {
            if declarator.kind() != "variable_declarator" {
                continue;
            }
            let Some(name) = declarator.child_by_field_name("name") else {
                continue;
            };
            let mut ty = ty.clone();
            ty.array |= declarator.child_by_field_name("dimensions").is_some();
            let init = declarator.child_by_field_name("value");
            let init = init.map(|init| self.expr(init));
            result.push(Stmt::Local(self.0.text(name).into(), ty, init));
        }
    }

    /// `this(…)` and `super(…)`.
    fn delegation(&mut self, node: Node<'_>) -> Expr {
        let span = self.0.span(node);
        let to = node.child_by_field_name("constructor");
        let name = to.map_or("super", |to| self.0.text(to));
        let args = node.child_by_field_name("arguments");
        let args = args.map(|args| self.args(args)).unwrap_or_default();
        let name_span = to.map_or(span, |to| self.0.span(to));
        Expr {
            kind: ExprKind::Call(None, name.into(), name_span, args),
            span,
        }
    }

    fn repeat(&mut self, node: Node<'_>) -> Loop {
        let mut start = Vec::new();
        let mut cursor = node.walk();
        let inits: Vec<Node<'_>> = node.children_by_field_name("init", &mut cursor).collect();
        for init in inits {
            self.statement(init, &mut start);
        }
        let mut cursor = node.walk();
        let updates: Vec<Node<'_>> = node.children_by_field_name("update", &mut cursor).collect();
        let test = node.child_by_field_name("condition");
        Loop {
            start,
            test: test.map(|test| self.expr(test)),
            step: updates.into_iter().map(|step| self.expr(step)).collect(),
            body: self.body(node.child_by_field_name("body")),
            body_first: node.kind() == "do_statement",
        }
    }

    fn tried(&mut self, node: Node<'_>) -> Try {
        let mut body = Vec::new();
        let resources = node.child_by_field_name("resources");
        for resource in resources.map(children).unwrap_or_default() {
            if let Some(name) = resource.child_by_field_name("name") {
                let ty = resource.child_by_field_name("type").map(|ty| self.ty(ty));
                let ty = ty.unwrap_or_else(|| Type::unwritten(self.0.span(resource)));
                let value = resource.child_by_field_name("value");
                let value = value.map(|value| self.expr(value));
                body.push(Stmt::Local(self.0.text(name).into(), ty, value));
            }
        }
        body.extend(self.body(node.child_by_field_name("body")));
        let mut tried = Try {
            body,
            catches: Vec::new(),
            finally: Vec::new(),
        };
        for clause in children(node) {
            match clause.kind() {
                "catch_clause" => {
                    let param = child(clause, "catch_formal_parameter");
                    let name = param.and_then(|param| param.child_by_field_name("name"));
                    let name: Name = name.map_or("", |name| self.0.text(name)).into();
                    let types = param.and_then(|param| child(param, "catch_type"));
                    let types = types.map(children).unwrap_or_default();
                    let types = types.into_iter().map(|ty| self.ty(ty)).collect();
                    let body = self.body(clause.child_by_field_name("body"));
                    tried.catches.push((name, types, body));
                }
                "finally_clause" => tried.finally = self.body(first(clause)),
                _ => {}
            }
        }
        tried
    }

    fn field(&mut self, node: Node<'_>, name: &str) -> Expr {
        match node.child_by_field_name(name) {
            Some(node) => self.expr(node),
            None => Expr::unknown(BROKEN, self.0.span(node)),
        }
    }

    fn boxed(&mut self, node: Node<'_>, name: &str) -> Box<Expr> {
        Box::new(self.field(node, name))
    }

    /// An expression, or a statement that is one.
    pub(super) fn expr(&mut self, node: Node<'_>) -> Expr {
        let span = self.0.span(node);
        if !self.0.enter() {
            return Expr::unknown(TOO_DEEP, span);
        }
        let kind = if has_error(node) {
            ExprKind::Unknown(BROKEN)
        } else {
            with_stack(|| self.kind(node))
        };
        self.0.leave();
        match kind {
            // Parentheses are no expression of their own.
            ExprKind::Block(mut inner) if node.kind() == "parenthesized_expression" => {
                match inner.pop() {
                    Some(Stmt::Expr(expr)) => expr,
                    _ => Expr::unknown(BROKEN, span),
                }
            }
            kind => Expr { kind, span },
        }
    }

    fn kind(&mut self, node: Node<'_>) -> ExprKind {
        let source = self.0.text(node);
        match node.kind() {
            "null_literal" => ExprKind::Null,
            "true" => ExprKind::Bool(true),
            "false" => ExprKind::Bool(false),
            "string_literal" | "character_literal" => {
                if child(node, "string_interpolation").is_some() {
                    return ExprKind::Unknown("string templates are not evaluated");
                }
                ExprKind::String(text::string(source).into())
            }
            kind if kind.ends_with("_literal") && kind != "class_literal" => {
                match text::number(source) {
                    Some(value) => ExprKind::Number(value),
                    None => ExprKind::Unknown(BROKEN),
                }
            }
            "identifier" | "type_identifier" => ExprKind::Name(source.into()),
            "scoped_identifier" | "scoped_type_identifier" => self.scoped(node),
            "this" => ExprKind::This(None),
            "super" => ExprKind::Super,
            "parenthesized_expression" => {
                let inner = first(node).map(|inner| Stmt::Expr(self.expr(inner)));
                ExprKind::Block(inner.into_iter().collect())
            }
            "field_access" => self.member(node),
            "method_invocation" => self.call(node),
            "object_creation_expression" => self.creation(node),
            "array_creation_expression" => match node.child_by_field_name("value") {
                Some(value) => self.kind(value),
                None => {
                    let size = child(node, "dimensions_expr").and_then(first);
                    ExprKind::NewArray(size.map(|size| Box::new(self.expr(size))))
                }
            },
            "array_initializer" | "element_value_array_initializer" => {
                let items = children(node).into_iter().map(|item| self.expr(item));
                ExprKind::Array(items.collect())
            }
            "array_access" => ExprKind::Index(self.boxed(node, "array"), self.boxed(node, "index")),
            "unary_expression" | "update_expression" => self.unary(node),
            "binary_expression" => self.binary(node),
            "assignment_expression" => {
                let operator = node.child_by_field_name("operator");
                let operator = operator.map_or("=", |operator| self.0.text(operator));
                let operator = operator.strip_suffix('=').filter(|text| !text.is_empty());
                let (left, right) = (self.boxed(node, "left"), self.boxed(node, "right"));
                ExprKind::Assign(left, operator.map(binary), right)
            }
            "ternary_expression" => {
                let test = self.boxed(node, "condition");
                let yes = Stmt::Expr(self.field(node, "consequence"));
                let no = Stmt::Expr(self.field(node, "alternative"));
                ExprKind::If(test, vec![yes], vec![no])
            }
            "if_statement" => {
                let test = self.boxed(node, "condition");
                let yes = self.body(node.child_by_field_name("consequence"));
                let no = self.body(node.child_by_field_name("alternative"));
                ExprKind::If(test, yes, no)
            }
            "switch_expression" => self.switch(node),
            "lambda_expression" => self.lambda(node),
            "method_reference" => self.reference(node),
            "cast_expression" => {
                let ty = node.child_by_field_name("type").map(|ty| self.ty(ty));
                let ty = ty.unwrap_or_else(|| Type::unwritten(self.0.span(node)));
                ExprKind::Cast(self.boxed(node, "value"), ty)
            }
            "instanceof_expression" => {
                let left = self.boxed(node, "left");
                let name = node.child_by_field_name("name");
                match node.child_by_field_name("right") {
                    Some(right) => {
                        let ty = self.ty(right);
                        ExprKind::Is(left, ty, name.map(|name| self.0.text(name).into()))
                    }
                    None => ExprKind::Unknown("record patterns are not evaluated"),
                }
            }
            "class_literal" => match first(node) {
                Some(ty) => ExprKind::Class(self.ty(ty)),
                None => ExprKind::Unknown(BROKEN),
            },
            "return_statement" => {
                let value = first(node).map(|value| Box::new(self.expr(value)));
                ExprKind::Return(value, None)
            }
            "throw_statement" => match first(node) {
                Some(value) => ExprKind::Throw(Box::new(self.expr(value))),
                None => ExprKind::Unknown(BROKEN),
            },
            "yield_statement" => {
                ExprKind::Break(first(node).map(|value| Box::new(self.expr(value))))
            }
            "break_statement" => ExprKind::Break(None),
            "continue_statement" => ExprKind::Continue,
            "block" => ExprKind::Block(self.statements(node)),
            _ => ExprKind::Unknown(BROKEN),
        }
    }

    fn scoped(&mut self, node: Node<'_>) -> ExprKind {
        let parts = children(node);
        match (parts.first(), parts.last()) {
            (Some(scope), Some(name)) if parts.len() == 2 => {
                let of = Box::new(self.expr(*scope));
                ExprKind::Member(of, self.0.text(*name).into(), self.0.span(*name))
            }
            _ => ExprKind::Unknown(BROKEN),
        }
    }

    fn member(&mut self, node: Node<'_>) -> ExprKind {
        let Some(field) = node.child_by_field_name("field") else {
            return ExprKind::Unknown(BROKEN);
        };
        let Some(object) = node.child_by_field_name("object") else {
            return ExprKind::Unknown(BROKEN);
        };
        if field.kind() == "this" {
            return ExprKind::This(Some(self.0.text(object).into()));
        }
        let of = self.boxed(node, "object");
        ExprKind::Member(of, self.0.text(field).into(), self.0.span(field))
    }

    fn call(&mut self, node: Node<'_>) -> ExprKind {
        let Some(name) = node.child_by_field_name("name") else {
            return ExprKind::Unknown(BROKEN);
        };
        let object = node.child_by_field_name("object");
        let object = if has_token(node, "super") || child(node, "super").is_some() {
            // `Interface.super.m()`
            Some(Box::new(Expr {
                kind: ExprKind::Super,
                span: self.0.span(node),
            }))
        } else {
            object.map(|object| Box::new(self.expr(object)))
        };
        let args = node.child_by_field_name("arguments");
        let args = args.map(|args| self.args(args)).unwrap_or_default();
        ExprKind::Call(object, self.0.text(name).into(), self.0.span(name), args)
    }

    fn creation(&mut self, node: Node<'_>) -> ExprKind {
        let Some(ty) = node.child_by_field_name("type") else {
            return ExprKind::Unknown(BROKEN);
        };
        let ty = self.ty(ty);
        let args = node.child_by_field_name("arguments");
        let args = args.map(|args| self.args(args)).unwrap_or_default();
        let class = child(node, "class_body").map(|body| Arc::new(self.anonymous(body, &ty)));
        ExprKind::New(ty, args, class)
    }

    fn unary(&mut self, node: Node<'_>) -> ExprKind {
        if node.kind() == "update_expression" {
            let by = if has_token(node, "++") { 1 } else { -1 };
            let source = self.0.text(node);
            let before = source.starts_with("++") || source.starts_with("--");
            return match first(node) {
                Some(operand) => {
                    ExprKind::Unary(Unary::Step(by, before), Box::new(self.expr(operand)))
                }
                None => ExprKind::Unknown(BROKEN),
            };
        }
        let operator = node.child_by_field_name("operator");
        let operator = match operator.map_or("", |operator| self.0.text(operator)) {
            "!" => Unary::Not,
            "-" => Unary::Minus,
            "+" => Unary::Plus,
            _ => return ExprKind::Unknown("this operator is not evaluated"),
        };
        ExprKind::Unary(operator, self.boxed(node, "operand"))
    }

    /// Long chains of one operator are not nested deeply here: `a + b + …` over many lines.
    fn binary(&mut self, node: Node<'_>) -> ExprKind {
        let mut chain = Vec::new();
        let mut at = node;
        loop {
            let operator = at.child_by_field_name("operator");
            let operator = binary(operator.map_or("", |operator| self.0.text(operator)));
            let right = self.field(at, "right");
            chain.push((operator, right, self.0.span(at)));
            match at.child_by_field_name("left") {
                Some(left) if left.kind() == "binary_expression" && !has_error(left) => at = left,
                _ => break,
            }
        }
        let mut left = self.field(at, "left");
        while let Some((operator, right, span)) = chain.pop() {
            let kind = ExprKind::Binary(operator, Box::new(left), Box::new(right));
            left = Expr { kind, span };
        }
        left.kind
    }

    fn switch(&mut self, node: Node<'_>) -> ExprKind {
        let subject = self.field(node, "condition");
        let block = node.child_by_field_name("body");
        let mut when = When {
            subject: Some((None, subject)),
            arms: Vec::new(),
            falls_through: false,
        };
        for group in block.map(children).unwrap_or_default() {
            when.falls_through |= group.kind() == "switch_block_statement_group";
            let mut arm = Arm {
                tests: Vec::new(),
                body: Vec::new(),
            };
            for node in children(group) {
                if node.kind() == "switch_label" {
                    self.label(node, &mut arm.tests);
                } else {
                    self.statement(node, &mut arm.body);
                }
            }
            when.arms.push(arm);
        }
        ExprKind::When(Box::new(when))
    }

    fn label(&mut self, node: Node<'_>, tests: &mut Vec<Test>) {
        if has_token(node, "default") {
            tests.push(Test::Else);
        }
        for node in children(node) {
            match node.kind() {
                "pattern" => {
                    let ty = first(node).and_then(first);
                    match ty {
                        Some(ty) if child(node, "type_pattern").is_some() => {
                            tests.push(Test::Is(self.ty(ty), true));
                        }
                        _ => {
                            let why = "record patterns are not evaluated";
                            tests.push(Test::Equal(Expr::unknown(why, self.0.span(node))));
                        }
                    }
                }
                "guard" => {
                    let why = "guards are not evaluated";
                    tests.clear();
                    tests.push(Test::Equal(Expr::unknown(why, self.0.span(node))));
                }
                _ => tests.push(Test::Equal(self.expr(node))),
            }
        }
    }

    fn lambda(&mut self, node: Node<'_>) -> ExprKind {
        let params = node.child_by_field_name("parameters");
        let params: Vec<Vec<Name>> = match params {
            Some(params) if params.kind() == "identifier" => {
                vec![vec![self.0.text(params).into()]]
            }
            Some(params) if params.kind() == "inferred_parameters" => {
                let names = children(params).into_iter();
                names.map(|name| vec![self.0.text(name).into()]).collect()
            }
            Some(params) => {
                let params = self.params(params).into_iter();
                params.map(|param| vec![param.name]).collect()
            }
            None => Vec::new(),
        };
        let body = match node.child_by_field_name("body") {
            Some(body) if body.kind() == "block" => {
                let mut body = self.statements(body);
                // Only `return` gives a value.
                body.push(Stmt::Block(Vec::new()));
                body
            }
            Some(body) => vec![Stmt::Expr(self.expr(body))],
            None => Vec::new(),
        };
        ExprKind::Lambda(Arc::new(Lambda {
            params,
            has_params: true,
            body,
            language: Language::Java,
            is_function: true,
            span: self.0.span(node),
        }))
    }

    fn reference(&mut self, node: Node<'_>) -> ExprKind {
        let parts = children(node);
        let name = if self.0.text(node).trim_end().ends_with("new") {
            "new"
        } else {
            match parts.last() {
                Some(last) if parts.len() > 1 => self.0.text(*last),
                _ => return ExprKind::Unknown(BROKEN),
            }
        };
        let Some(of) = parts.first() else {
            return ExprKind::Unknown(BROKEN);
        };
        let of = match of.kind() {
            "generic_type" | "array_type" | "integral_type" => Expr {
                kind: ExprKind::Class(self.ty(*of)),
                span: self.0.span(*of),
            },
            _ => self.expr(*of),
        };
        ExprKind::Reference(Some(Box::new(of)), name.into())
    }
}

/// Is something missing right here?
fn has_error(node: Node<'_>) -> bool {
    if node.is_error() || node.is_missing() {
        return true;
    }
    // A block is read statement by statement.
    let holds_statements = matches!(
        node.kind(),
        "block" | "if_statement" | "lambda_expression" | "switch_expression"
    );
    if holds_statements || !node.has_error() {
        return false;
    }
    node.children(&mut node.walk())
        .any(|child| child.is_error() || child.is_missing())
}

fn binary(operator: &str) -> Binary {
    match operator {
        "+" => Binary::Add,
        "-" => Binary::Subtract,
        "*" => Binary::Multiply,
        "/" => Binary::Divide,
        "%" => Binary::Remainder,
        "==" => Binary::Equal,
        "!=" => Binary::NotEqual,
        "<" => Binary::Less,
        "<=" => Binary::LessEqual,
        ">" => Binary::Greater,
        ">=" => Binary::GreaterEqual,
        "&&" => Binary::And,
        "||" => Binary::Or,
        _ => Binary::Other,
    }
}
