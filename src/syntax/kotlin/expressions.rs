//! Statements and expressions.

use std::sync::Arc;

use tree_sitter::Node;

use super::declarations::Kotlin;
use super::text;
use crate::source::Span;
use crate::syntax::jvm::ast::{
    Arg, Arm, Binary, Body, Expr, ExprKind, Lambda, Language, Loop, Name, Stmt, Test, Try, Type,
    Unary, When,
};
use crate::syntax::tree::{child, children, first, has_token, with_stack};

const TOO_DEEP: &str = "it is nested too deeply";
const BROKEN: &str = "the syntax is not understood";

impl Kotlin<'_> {
    /// The statements of a block.
    pub(super) fn statements(&mut self, node: Node<'_>) -> Vec<Stmt> {
        children(node)
            .into_iter()
            .filter(|child| !matches!(child.kind(), "lambda_parameters" | "label"))
            .map(|child| self.statement(child))
            .collect()
    }

    /// A statement or the statements of a block.
    fn branch(&mut self, node: Node<'_>) -> Vec<Stmt> {
        if node.kind() == "block" {
            self.statements(node)
        } else {
            vec![self.statement(node)]
        }
    }

    fn statement(&mut self, node: Node<'_>) -> Stmt {
        let span = self.0.span(node);
        if !self.0.enter() {
            return Stmt::Unknown(span);
        }
        let statement = with_stack(|| self.statement_now(node, span));
        self.0.leave();
        statement
    }

    fn statement_now(&mut self, node: Node<'_>, span: Span) -> Stmt {
        match node.kind() {
            "property_declaration" => self.local(node),
            "function_declaration" => match self.function(node) {
                Some(method) => Stmt::Function(Arc::new(method)),
                None => Stmt::Unknown(span),
            },
            "class_declaration" | "object_declaration" => match self.class(node, "") {
                Some(class) => Stmt::Class(Arc::new(class)),
                None => Stmt::Unknown(span),
            },
            "for_statement" => self.for_each(node),
            "while_statement" | "do_while_statement" => {
                let test = node.child_by_field_name("condition");
                let body = children(node).into_iter();
                let mut body = body.filter(|part| Some(part.id()) != test.map(|test| test.id()));
                let body = body.find(|part| part.kind() != "label");
                Stmt::Loop(Box::new(Loop {
                    start: Vec::new(),
                    test: test.map(|test| self.expr(test)),
                    step: Vec::new(),
                    body: body.map(|body| self.branch(body)).unwrap_or_default(),
                    body_first: node.kind() == "do_while_statement",
                }))
            }
            "try_expression" => Stmt::Try(Box::new(self.tried(node))),
            "ERROR" => Stmt::Unknown(span),
            _ => Stmt::Expr(self.expr(node)),
        }
    }

    fn local(&mut self, node: Node<'_>) -> Stmt {
        let span = self.0.span(node);
        if let Some(names) = child(node, "multi_variable_declaration") {
            let names = self.names(names);
            return match self.initial(node) {
                Some(init) => Stmt::Destructure(names, init),
                None => Stmt::Unknown(span),
            };
        }
        match self.property(node) {
            Some(field) => Stmt::Local(field.name, field.ty, field.init),
            None => Stmt::Unknown(span),
        }
    }

    /// The names of one variable or of several in parentheses.
    fn names(&mut self, node: Node<'_>) -> Vec<Name> {
        let name = |kotlin: &Self, node: Node<'_>| {
            let name = child(node, "identifier");
            name.map_or("_", |name| kotlin.0.text(name)).into()
        };
        if node.kind() == "variable_declaration" {
            return vec![name(self, node)];
        }
        let variables = children(node).into_iter();
        let variables = variables.filter(|child| child.kind() == "variable_declaration");
        variables.map(|variable| name(self, variable)).collect()
    }

    fn for_each(&mut self, node: Node<'_>) -> Stmt {
        let mut names = Vec::new();
        let mut list = None;
        let mut body = Vec::new();
        for part in children(node) {
            match part.kind() {
                "variable_declaration" | "multi_variable_declaration" if list.is_none() => {
                    names = self.names(part);
                }
                "annotation" | "label" => {}
                _ if list.is_none() => list = Some(self.expr(part)),
                _ => body = self.branch(part),
            }
        }
        match list {
            Some(list) => Stmt::ForEach(names, list, body),
            None => Stmt::Unknown(self.0.span(node)),
        }
    }

    fn tried(&mut self, node: Node<'_>) -> Try {
        let mut tried = Try {
            body: Vec::new(),
            catches: Vec::new(),
            finally: Vec::new(),
        };
        for part in children(node) {
            match part.kind() {
                "block" => tried.body = self.statements(part),
                "catch_block" => {
                    let name = child(part, "identifier");
                    let name: Name = name.map_or("_", |name| self.0.text(name)).into();
                    let ty = child(part, "user_type").map(|ty| self.ty(ty));
                    let body = child(part, "block").map(|block| self.statements(block));
                    let types = ty.into_iter().collect();
                    tried.catches.push((name, types, body.unwrap_or_default()));
                }
                "finally_block" => {
                    let block = first(part).map(|block| self.statements(block));
                    tried.finally = block.unwrap_or_default();
                }
                _ => {}
            }
        }
        tried
    }

    /// An expression, or a statement that is one.
    pub(super) fn expr(&mut self, node: Node<'_>) -> Expr {
        let span = self.0.span(node);
        if !self.0.enter() {
            return Expr::unknown(TOO_DEEP, span);
        }
        let expr = match prefixed(node).filter(|prefix| !self.1.contains(&prefix.id())) {
            // The grammar applies `!` and `-` before what follows a dot.
            Some(prefix) => {
                self.1.push(prefix.id());
                let inner = self.expr(node);
                self.1.pop();
                let operator = operator_before(prefix);
                let kind = match operator {
                    Some(operator) => ExprKind::Unary(operator, Box::new(inner)),
                    None => inner.kind,
                };
                Expr { kind, span }
            }
            None if has_error(node) => Expr::unknown(BROKEN, span),
            None => with_stack(|| self.plain(node, span)),
        };
        self.0.leave();
        expr
    }

    fn plain(&mut self, node: Node<'_>, span: Span) -> Expr {
        let inner = |kotlin: &mut Self| match first(node) {
            Some(inner) => kotlin.expr(inner),
            None => Expr::unknown(BROKEN, span),
        };
        let kind = match node.kind() {
            "parenthesized_expression" => return inner(self),
            "annotated_expression" | "labeled_expression" => {
                return match children(node).last() {
                    Some(last) => self.expr(*last),
                    None => Expr::unknown(BROKEN, span),
                };
            }
            "unary_expression" if self.1.contains(&node.id()) => return inner(self),
            _ => self.kind(node, span),
        };
        Expr { kind, span }
    }

    fn field(&mut self, node: Node<'_>, name: &str) -> Box<Expr> {
        Box::new(match node.child_by_field_name(name) {
            Some(node) => self.expr(node),
            None => Expr::unknown(BROKEN, self.0.span(node)),
        })
    }

    fn kind(&mut self, node: Node<'_>, span: Span) -> ExprKind {
        let source = self.0.text(node);
        let broken = || ExprKind::Unknown(BROKEN);
        match node.kind() {
            "identifier" => match source {
                "null" => ExprKind::Null,
                "true" => ExprKind::Bool(true),
                "false" => ExprKind::Bool(false),
                "break" => ExprKind::Break(None),
                "continue" => ExprKind::Continue,
                _ if source.starts_with("break@") => ExprKind::Break(None),
                _ if source.starts_with("continue@") => ExprKind::Continue,
                _ => ExprKind::Name(source.trim_matches('`').into()),
            },
            "string_literal" | "multiline_string_literal" => self.string(node),
            "character_literal" => {
                let inner = source.trim_matches('\'');
                let text = if inner.starts_with('\\') {
                    text::unescape(inner)
                } else {
                    inner.to_owned()
                };
                ExprKind::String(text.into())
            }
            "number_literal" | "float_literal" => match number(source) {
                Some(value) => ExprKind::Number(value),
                None => broken(),
            },
            "this_expression" => {
                let label = child(node, "identifier").map(|label| self.0.text(label).into());
                ExprKind::This(label)
            }
            "super_expression" => ExprKind::Super,
            "navigation_expression" => self.navigation(node),
            "call_expression" => self.call(node),
            "callable_reference" => match children(node).last() {
                Some(name) => {
                    let name: Name = self.0.text(*name).into();
                    let of = children(node)
                        .into_iter()
                        .next()
                        .filter(|of| of.id() != node.id());
                    let of = of.filter(|_| children(node).len() > 1);
                    let of = of.map(|of| Box::new(self.type_or_expr(of)));
                    ExprKind::Reference(of, name)
                }
                None => broken(),
            },
            "object_literal" => {
                let class = Arc::new(self.anonymous(node));
                let ty = class
                    .superclass
                    .clone()
                    .or_else(|| class.interfaces.first().cloned());
                let ty = ty.unwrap_or_else(|| Type::unwritten(span));
                ExprKind::New(ty, Vec::new(), Some(class))
            }
            "collection_literal" => {
                let items = children(node).into_iter().map(|item| self.expr(item));
                ExprKind::Array(items.collect())
            }
            "index_expression" => {
                let parts = children(node);
                match parts.as_slice() {
                    [of, at, ..] => {
                        ExprKind::Index(Box::new(self.expr(*of)), Box::new(self.expr(*at)))
                    }
                    _ => broken(),
                }
            }
            "unary_expression" => {
                let operator = operator_before(node).or_else(|| operator_behind(node));
                match operator {
                    Some(operator) => ExprKind::Unary(operator, self.field(node, "argument")),
                    None => broken(),
                }
            }
            "binary_expression" => self.binary(node),
            "in_expression" => {
                let (left, right) = (self.field(node, "left"), self.field(node, "right"));
                let kind = ExprKind::Binary(Binary::In, left, right);
                if has_token(node, "!in") {
                    ExprKind::Unary(Unary::Not, Box::new(Expr { kind, span }))
                } else {
                    kind
                }
            }
            "is_expression" => {
                let left = self.field(node, "left");
                let ty = node.child_by_field_name("right").map(|ty| self.ty(ty));
                let kind = ExprKind::Is(left, ty.unwrap_or_else(|| Type::unwritten(span)), None);
                if has_token(node, "!is") {
                    ExprKind::Unary(Unary::Not, Box::new(Expr { kind, span }))
                } else {
                    kind
                }
            }
            "as_expression" => {
                let ty = node.child_by_field_name("right").map(|ty| self.ty(ty));
                let ty = ty.unwrap_or_else(|| Type::unwritten(span));
                ExprKind::Cast(self.field(node, "left"), ty)
            }
            "infix_expression" | "range_expression" => self.infix(node),
            "spread_expression" => match first(node) {
                Some(inner) => self.expr(inner).kind,
                None => broken(),
            },
            "assignment" => {
                let operator = node.child_by_field_name("operator");
                let operator = operator.map_or_else(|| assigned(node), |sign| self.0.text(sign));
                let operator = match operator {
                    "+=" => Some(Binary::Add),
                    "-=" => Some(Binary::Subtract),
                    "*=" => Some(Binary::Multiply),
                    "/=" => Some(Binary::Divide),
                    "%=" => Some(Binary::Remainder),
                    _ => None,
                };
                let (left, right) = (self.field(node, "left"), self.field(node, "right"));
                ExprKind::Assign(left, operator, right)
            }
            "if_expression" => self.if_else(node),
            "when_expression" => self.when(node),
            "try_expression" => ExprKind::Block(vec![Stmt::Try(Box::new(self.tried(node)))]),
            "lambda_literal" => self.lambda(node),
            "annotated_lambda" => match child(node, "lambda_literal") {
                Some(lambda) => self.lambda(lambda),
                None => broken(),
            },
            "anonymous_function" => self.anonymous_function(node),
            "return_expression" => {
                let label = node.child_by_field_name("label");
                let value = children(node).into_iter();
                let mut value =
                    value.filter(|part| Some(part.id()) != label.map(|label| label.id()));
                let value = value.next().map(|value| Box::new(self.expr(value)));
                ExprKind::Return(value, label.map(|label| self.0.text(label).into()))
            }
            "throw_expression" => match first(node) {
                Some(value) => ExprKind::Throw(Box::new(self.expr(value))),
                None => broken(),
            },
            "block" => ExprKind::Block(self.statements(node)),
            _ => broken(),
        }
    }

    fn type_or_expr(&mut self, node: Node<'_>) -> Expr {
        if node.kind() == "user_type" {
            let span = self.0.span(node);
            return Expr {
                kind: ExprKind::Class(self.ty(node)),
                span,
            };
        }
        self.expr(node)
    }

    fn navigation(&mut self, node: Node<'_>) -> ExprKind {
        let parts = children(node);
        let (Some(of), Some(name)) = (parts.first(), parts.last()) else {
            return ExprKind::Unknown(BROKEN);
        };
        let text: Name = self.0.text(*name).trim_matches('`').into();
        if has_token(node, "::") {
            if &*text == "class" {
                let span = self.0.span(*of);
                return ExprKind::Class(Type {
                    name: self.0.path(*of).into(),
                    ..Type::unwritten(span)
                });
            }
            return ExprKind::Reference(Some(Box::new(self.expr(*of))), text);
        }
        let name_span = self.0.span(*name);
        let of = Box::new(self.expr(*of));
        if has_token(node, "?.") {
            let span = self.0.span(node);
            let subject = Box::new(Expr {
                kind: ExprKind::Subject,
                span: of.span,
            });
            let kind = ExprKind::Member(subject, text, name_span);
            return ExprKind::Safe(of, Box::new(Expr { kind, span }));
        }
        ExprKind::Member(of, text, name_span)
    }

    fn call(&mut self, node: Node<'_>) -> ExprKind {
        let parts = children(node);
        let Some(mut callee) = parts.first().copied() else {
            return ExprKind::Unknown(BROKEN);
        };
        let mut args: Vec<Arg> = Vec::new();
        let own = child(node, "value_arguments");
        let lambda = child(node, "annotated_lambda");
        // `f(x) { … }` may be read as a call of what `f(x)` gives.
        if own.is_none()
            && callee.kind() == "call_expression"
            && child(callee, "annotated_lambda").is_none()
            && let (Some(inner), Some(given)) = (first(callee), child(callee, "value_arguments"))
        {
            args.extend(self.args(given));
            callee = inner;
        }
        args.extend(own.map(|own| self.args(own)).unwrap_or_default());
        args.extend(lambda.map(|lambda| Arg {
            name: None,
            value: self.expr(lambda),
            spread: false,
        }));
        self.called(callee, args, self.0.span(node))
    }

    fn called(&mut self, callee: Node<'_>, args: Vec<Arg>, span: Span) -> ExprKind {
        match callee.kind() {
            "identifier" => {
                let name: Name = self.0.text(callee).trim_matches('`').into();
                ExprKind::Call(None, name, self.0.span(callee), args)
            }
            "navigation_expression" if !has_token(callee, "::") => {
                let parts = children(callee);
                let (Some(of), Some(name)) = (parts.first(), parts.last()) else {
                    return ExprKind::Unknown(BROKEN);
                };
                let name_span = self.0.span(*name);
                let name: Name = self.0.text(*name).trim_matches('`').into();
                let of = Box::new(self.expr(*of));
                if has_token(callee, "?.") {
                    let subject = Box::new(Expr {
                        kind: ExprKind::Subject,
                        span: of.span,
                    });
                    let kind = ExprKind::Call(Some(subject), name, name_span, args);
                    return ExprKind::Safe(of, Box::new(Expr { kind, span }));
                }
                ExprKind::Call(Some(of), name, name_span, args)
            }
            _ => ExprKind::Invoke(Box::new(self.expr(callee)), args),
        }
    }

    fn binary(&mut self, node: Node<'_>) -> ExprKind {
        if let Some(kind) = self.generic_call(node) {
            return kind;
        }
        let mut chain = Vec::new();
        let mut at = node;
        // Long chains are no deep nesting.
        loop {
            let right = self.field(at, "right");
            chain.push((operator(at), right, self.0.span(at)));
            match at.child_by_field_name("left") {
                Some(left) if left.kind() == "binary_expression" && !has_error(left) => at = left,
                _ => break,
            }
        }
        let mut left = *self.field(at, "left");
        while let Some((operator, right, span)) = chain.pop() {
            let kind = ExprKind::Binary(operator, Box::new(left), right);
            left = Expr { kind, span };
        }
        left.kind
    }

    /// `F<T>(x)`, which the grammar may read as two comparisons.
    fn generic_call(&mut self, node: Node<'_>) -> Option<ExprKind> {
        let right = node.child_by_field_name("right")?;
        let left = node.child_by_field_name("left")?;
        let compares =
            |node: Node<'_>, sign| node.kind() == "binary_expression" && has_token(node, sign);
        if right.kind() != "parenthesized_expression"
            || !has_token(node, ">")
            || !compares(left, "<")
        {
            return None;
        }
        let callee = left.child_by_field_name("left")?;
        if !matches!(callee.kind(), "identifier" | "navigation_expression") {
            return None;
        }
        let arg = first(right)?;
        let arg = Arg {
            name: None,
            value: self.expr(arg),
            spread: false,
        };
        Some(self.called(callee, vec![arg], self.0.span(node)))
    }

    fn infix(&mut self, node: Node<'_>) -> ExprKind {
        let parts = children(node);
        if node.kind() == "range_expression" {
            let operator = if has_token(node, "..<") {
                Binary::Until
            } else {
                Binary::Range
            };
            return match parts.as_slice() {
                [left, right] => {
                    let (left, right) = (self.expr(*left), self.expr(*right));
                    ExprKind::Binary(operator, Box::new(left), Box::new(right))
                }
                _ => ExprKind::Unknown(BROKEN),
            };
        }
        let [left, name, right] = parts.as_slice() else {
            return ExprKind::Unknown(BROKEN);
        };
        let (left, right) = (Box::new(self.expr(*left)), Box::new(self.expr(*right)));
        match self.0.text(*name) {
            "to" => ExprKind::Binary(Binary::Pair, left, right),
            "until" => ExprKind::Binary(Binary::Until, left, right),
            "and" => ExprKind::Binary(Binary::And, left, right),
            "or" => ExprKind::Binary(Binary::Or, left, right),
            other => {
                let arg = Arg {
                    name: None,
                    value: *right,
                    spread: false,
                };
                ExprKind::Call(Some(left), other.into(), self.0.span(*name), vec![arg])
            }
        }
    }

    fn if_else(&mut self, node: Node<'_>) -> ExprKind {
        let test = self.field(node, "condition");
        let (mut yes, mut no) = (Vec::new(), Vec::new());
        let mut place = 0;
        let mut cursor = node.walk();
        let parts: Vec<Node<'_>> = node.children(&mut cursor).collect();
        for part in parts {
            match part.kind() {
                ")" if !part.is_named() => place = 1,
                "else" if !part.is_named() => place = 2,
                kind if part.is_named() && !kind.ends_with("comment") => match place {
                    1 => yes = self.branch(part),
                    2 => no = self.branch(part),
                    _ => {}
                },
                _ => {}
            }
        }
        ExprKind::If(test, yes, no)
    }

    fn when(&mut self, node: Node<'_>) -> ExprKind {
        let subject = child(node, "when_subject").and_then(|subject| {
            let name = child(subject, "variable_declaration");
            let name = name.and_then(|name| self.names(name).into_iter().next());
            let value = children(subject).into_iter().last()?;
            Some((name, self.expr(value)))
        });
        let mut when = When {
            subject,
            arms: Vec::new(),
            falls_through: false,
        };
        for entry in children(node) {
            if entry.kind() != "when_entry" {
                continue;
            }
            let mut cursor = entry.walk();
            let conditions: Vec<Node<'_>> = entry
                .children_by_field_name("condition", &mut cursor)
                .collect();
            let mut tests: Vec<Test> = Vec::new();
            for condition in &conditions {
                if condition.is_named() {
                    tests.push(self.test(*condition));
                }
            }
            if has_token(entry, "else") {
                tests.push(Test::Else);
            }
            let body = children(entry).into_iter();
            let mut body = body.filter(|part| conditions.iter().all(|test| test.id() != part.id()));
            let body = body.next_back().map(|body| self.branch(body));
            when.arms.push(Arm {
                tests,
                body: body.unwrap_or_default(),
            });
        }
        ExprKind::When(Box::new(when))
    }

    fn test(&mut self, node: Node<'_>) -> Test {
        match (node.kind(), first(node)) {
            ("range_test", Some(list)) => Test::In(self.expr(list), !has_token(node, "!in")),
            ("type_test", Some(ty)) => Test::Is(self.ty(ty), !has_token(node, "!is")),
            _ => Test::Equal(self.expr(node)),
        }
    }

    fn lambda(&mut self, node: Node<'_>) -> ExprKind {
        let params = child(node, "lambda_parameters").map(children);
        let has_params = params.is_some();
        let params = params.unwrap_or_default().into_iter();
        let params = params.map(|param| self.names(param)).collect();
        ExprKind::Lambda(Arc::new(Lambda {
            params,
            has_params,
            body: self.statements(node),
            language: Language::Kotlin,
            is_function: false,
            span: self.0.span(node),
        }))
    }

    fn anonymous_function(&mut self, node: Node<'_>) -> ExprKind {
        let params = child(node, "function_value_parameters");
        let params = params.map(|params| self.params(params)).unwrap_or_default();
        let body = child(node, "function_body").and_then(|body| self.body(body));
        let body = match body {
            Some(Body::Block(statements)) => statements,
            Some(Body::Expr(expr)) => vec![Stmt::Expr(expr)],
            None => Vec::new(),
        };
        ExprKind::Lambda(Arc::new(Lambda {
            params: params.into_iter().map(|param| vec![param.name]).collect(),
            has_params: true,
            body,
            language: Language::Kotlin,
            is_function: true,
            span: self.0.span(node),
        }))
    }
}

/// Is something missing right here?
fn has_error(node: Node<'_>) -> bool {
    if node.is_error() || node.is_missing() {
        return true;
    }
    let holds_statements = matches!(
        node.kind(),
        "block" | "lambda_literal" | "annotated_lambda" | "if_expression" | "when_expression"
    );
    if holds_statements || !node.has_error() {
        return false;
    }
    node.children(&mut node.walk())
        .any(|child| child.is_error() || child.is_missing())
}

/// The `!x` or `-x` at the start of something that is applied to `x` first.
fn prefixed(node: Node<'_>) -> Option<Node<'_>> {
    let mut at = node;
    loop {
        let applied = matches!(
            at.kind(),
            "navigation_expression" | "call_expression" | "index_expression"
        );
        let behind = at.kind() == "unary_expression" && operator_behind(at).is_some();
        if !applied && !behind {
            break;
        }
        at = first(at)?;
    }
    let outer = at.id() != node.id();
    (outer && at.kind() == "unary_expression" && operator_before(at).is_some()).then_some(at)
}

fn operator_before(node: Node<'_>) -> Option<Unary> {
    let sign = node.child(0).filter(|sign| !sign.is_named())?;
    Some(match sign.kind() {
        "!" => Unary::Not,
        "-" => Unary::Minus,
        "+" => Unary::Plus,
        "++" => Unary::Step(1, true),
        "--" => Unary::Step(-1, true),
        _ => return None,
    })
}

fn operator_behind(node: Node<'_>) -> Option<Unary> {
    if node.child(0).is_some_and(|sign| !sign.is_named()) {
        return None;
    }
    Some(if has_token(node, "!!") {
        Unary::NotNull
    } else if has_token(node, "++") {
        Unary::Step(1, false)
    } else if has_token(node, "--") {
        Unary::Step(-1, false)
    } else {
        return None;
    })
}

/// The sign of an assignment.
fn assigned(node: Node<'_>) -> &'static str {
    ["+=", "-=", "*=", "/=", "%="]
        .into_iter()
        .find(|sign| has_token(node, sign))
        .unwrap_or("=")
}

fn operator(node: Node<'_>) -> Binary {
    let signs = [
        ("+", Binary::Add),
        ("-", Binary::Subtract),
        ("*", Binary::Multiply),
        ("/", Binary::Divide),
        ("%", Binary::Remainder),
        ("==", Binary::Equal),
        ("===", Binary::Equal),
        ("!=", Binary::NotEqual),
        ("!==", Binary::NotEqual),
        ("<=", Binary::LessEqual),
        ("<", Binary::Less),
        (">=", Binary::GreaterEqual),
        (">", Binary::Greater),
        ("&&", Binary::And),
        ("||", Binary::Or),
        ("?:", Binary::Elvis),
    ];
    signs
        .into_iter()
        .find(|(sign, _)| has_token(node, sign))
        .map_or(Binary::Other, |(_, operator)| operator)
}

fn number(literal: &str) -> Option<f64> {
    let text = literal.replace('_', "").to_ascii_lowercase();
    let integer = |digits: &str, radix| {
        let digits = digits.trim_end_matches(['l', 'u']);
        u64::from_str_radix(digits, radix)
            .ok()
            .map(|value| value as f64)
    };
    if let Some(hex) = text.strip_prefix("0x") {
        return integer(hex, 16);
    }
    if let Some(binary) = text.strip_prefix("0b") {
        return integer(binary, 2);
    }
    text.trim_end_matches(['l', 'f', 'u']).parse().ok()
}
