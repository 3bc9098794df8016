//! Syntax trees to [`ast`](super::ast).

use std::sync::Arc;

use tree_sitter::Node;

use super::ast::{
    Argument, Body, Class, ClassMember, Export, Expr, ExprKind, Function, Import, Key, Module,
    Name, Param, Pattern, Property, Stmt,
};
use crate::source::{SourceFile, Span};

/// Deeper nesting is unknown.
const MAX_DEPTH: u32 = 250;

/// Lowers a file's tree.
pub(super) fn module(root: Node<'_>, file: &SourceFile) -> Module {
    let mut lower = Lower { file, depth: 0 };
    Module {
        body: lower.statements(root),
        span: file.span(),
        has_errors: root.has_error(),
    }
}

struct Lower<'a> {
    file: &'a SourceFile,
    depth: u32,
}

type Tree<'t> = Node<'t>;

impl Lower<'_> {
    fn span(&self, node: Tree<'_>) -> Span {
        let at = |byte: usize| u32::try_from(byte).unwrap_or(u32::MAX);
        Span::new(self.file.id(), at(node.start_byte()), at(node.end_byte()))
    }

    fn text(&self, node: Tree<'_>) -> &str {
        self.file.slice(self.span(node))
    }

    fn name(&self, node: Tree<'_>) -> Name {
        self.text(node).into()
    }

    fn statements(&mut self, node: Tree<'_>) -> Vec<Stmt> {
        children(node)
            .into_iter()
            .map(|child| self.statement(child))
            .filter(|statement| !matches!(statement, Stmt::Empty))
            .collect()
    }

    fn block(&mut self, node: Option<Tree<'_>>) -> Vec<Stmt> {
        match node {
            Some(node) if node.kind() == "statement_block" => self.statements(node),
            Some(node) => vec![self.statement(node)],
            None => Vec::new(),
        }
    }

    fn statement(&mut self, node: Tree<'_>) -> Stmt {
        if self.depth >= MAX_DEPTH {
            return Stmt::Unknown(self.span(node));
        }
        self.depth += 1;
        let statement = self.shallow_statement(node);
        self.depth -= 1;
        statement
    }

    fn shallow_statement(&mut self, node: Tree<'_>) -> Stmt {
        let span = self.span(node);
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
                Stmt::Declare(declarators.collect())
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
                list: self.expr_of(field("right"), span),
                of: field("operator").is_some_and(|node| self.text(node) == "of"),
                body: self.statement_of(field("body")),
            },
            "for_statement" => {
                let start = field("initializer").map(|start| Box::new(self.statement(start)));
                let test = field("condition").map(|test| self.expr(test));
                let step = field("increment").map(|step| self.expr(step));
                Stmt::Loop(start, test, step, self.statement_of(field("body")))
            }
            "while_statement" | "do_statement" => {
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

    fn statement_of(&mut self, node: Option<Tree<'_>>) -> Box<Stmt> {
        Box::new(self.unboxed(node))
    }

    fn unboxed(&mut self, node: Option<Tree<'_>>) -> Stmt {
        node.map_or(Stmt::Empty, |node| self.statement(node))
    }

    fn case(&mut self, node: Tree<'_>) -> Option<(Option<Expr>, Vec<Stmt>)> {
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

    fn enumeration(&mut self, node: Tree<'_>) -> Stmt {
        let span = self.span(node);
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

    fn source(&self, node: Tree<'_>) -> Option<Name> {
        let source = node.child_by_field_name("source")?;
        Some(self.string(source))
    }

    fn import(&mut self, node: Tree<'_>) -> Stmt {
        let span = self.span(node);
        let mut import = Import {
            source: "".into(),
            default: None,
            namespace: None,
            require: false,
            names: Vec::new(),
            span,
        };
        if self.text(node).starts_with("import type") {
            return Stmt::Empty;
        }
        let clause = children(node)
            .into_iter()
            .find(|child| matches!(child.kind(), "import_clause" | "import_require_clause"));
        if let Some(clause) = clause.filter(|clause| clause.kind() == "import_require_clause") {
            let Some(source) = self.source(clause) else {
                return Stmt::Unknown(span);
            };
            import.source = source;
            import.require = true;
            import.namespace = first(clause).map(|name| self.name(name));
            return Stmt::Import(import);
        }
        let Some(source) = self.source(node) else {
            return Stmt::Unknown(span);
        };
        import.source = source;
        for child in clause.map(children).unwrap_or_default() {
            match child.kind() {
                "identifier" => import.default = Some(self.name(child)),
                "namespace_import" => import.namespace = first(child).map(|name| self.name(name)),
                "named_imports" => {
                    for specifier in children(child) {
                        import.names.extend(self.specifier(specifier));
                    }
                }
                _ => {}
            }
        }
        Stmt::Import(import)
    }

    /// Name outside, name inside.
    fn specifier(&self, node: Tree<'_>) -> Option<(Name, Name)> {
        if !matches!(node.kind(), "import_specifier" | "export_specifier") {
            return None;
        }
        let name = node.child_by_field_name("name")?;
        let alias = node.child_by_field_name("alias").unwrap_or(name);
        let text = |node: Tree<'_>| match node.kind() {
            "string" => self.string(node),
            _ => self.name(node),
        };
        Some((text(name), text(alias)))
    }

    fn export(&mut self, node: Tree<'_>) -> Stmt {
        let span = self.span(node);
        let has = |text: &str| {
            let mut cursor = node.walk();
            node.children(&mut cursor).any(|child| child.kind() == text)
        };
        let is_default = has("default");
        if let Some(declaration) = node.child_by_field_name("declaration") {
            if !is_default {
                let mut statement = self.statement(declaration);
                if let Stmt::Class(_, class) = &mut statement {
                    self.add_decorators(class, node);
                }
                return Stmt::Export(Export::Declaration(Box::new(statement)));
            }
            let kind = match declaration.kind() {
                "class_declaration" | "abstract_class_declaration" => {
                    let mut class = Arc::new(self.class(declaration));
                    self.add_decorators(&mut class, node);
                    ExprKind::Class(class)
                }
                "function_declaration" | "generator_function_declaration" => {
                    ExprKind::Function(self.function(declaration))
                }
                _ => return Stmt::Empty,
            };
            return Stmt::Export(Export::Default(Expr { kind, span }));
        }
        if let Some(value) = node.child_by_field_name("value") {
            return Stmt::Export(Export::Default(self.expr(value)));
        }
        let source = self.source(node);
        if has("=") {
            return match first(node) {
                Some(value) => Stmt::Export(Export::Assign(self.expr(value))),
                None => Stmt::Unknown(span),
            };
        }
        let named = children(node);
        if let Some(clause) = named.iter().find(|child| child.kind() == "export_clause") {
            let names = children(*clause)
                .into_iter()
                .filter_map(|specifier| self.specifier(specifier));
            return Stmt::Export(Export::Names(names.collect(), source));
        }
        let Some(source) = source else {
            return Stmt::Empty;
        };
        let namespace = named
            .iter()
            .find(|child| child.kind() == "namespace_export")
            .and_then(|child| first(*child));
        Stmt::Export(Export::All(source, namespace.map(|name| self.name(name))))
    }

    fn add_decorators(&mut self, class: &mut Arc<Class>, node: Tree<'_>) {
        let decorators = self.decorators(node);
        if let Some(class) = Arc::get_mut(class) {
            class.decorators.extend(decorators);
        }
    }

    fn decorators(&mut self, node: Tree<'_>) -> Vec<Expr> {
        children(node)
            .into_iter()
            .filter(|child| child.kind() == "decorator")
            .filter_map(first)
            .map(|child| self.expr(child))
            .collect()
    }

    fn function(&mut self, node: Tree<'_>) -> Arc<Function> {
        let field = |name| node.child_by_field_name(name);
        let mut params = Vec::new();
        if let Some(single) = field("parameter") {
            params.push(self.param(single));
        }
        for child in field("parameters").map(children).unwrap_or_default() {
            if child.kind() != "comment" && self.text(child) != "this" {
                params.push(self.param(child));
            }
        }
        let body = match field("body") {
            Some(body) if body.kind() == "statement_block" => Body::Block(self.statements(body)),
            Some(body) => Body::Expr(Box::new(self.expr(body))),
            None => Body::Block(Vec::new()),
        };
        let mut cursor = node.walk();
        let marks: Vec<&str> = node
            .children(&mut cursor)
            .map(|child| child.kind())
            .collect();
        Arc::new(Function {
            name: field("name").map(|name| self.name(name)),
            params,
            body,
            arrow: node.kind() == "arrow_function",
            is_async: marks.contains(&"async"),
            generator: marks.contains(&"*"),
            span: self.span(node),
        })
    }

    fn param(&mut self, node: Tree<'_>) -> Param {
        let mut param = Param {
            pattern: Pattern::Unknown,
            default: None,
            rest: false,
            property: None,
        };
        match node.kind() {
            "required_parameter" | "optional_parameter" => {
                let inner = node.child_by_field_name("pattern");
                if let Some(inner) = inner {
                    let nested = self.param(inner);
                    param.pattern = nested.pattern;
                    param.rest = nested.rest;
                    param.default = nested.default;
                }
                if let Some(value) = node.child_by_field_name("value") {
                    param.default = Some(self.expr(value));
                }
                let mut cursor = node.walk();
                let modified = node
                    .children(&mut cursor)
                    .any(|child| matches!(child.kind(), "accessibility_modifier" | "readonly"));
                if let (true, Some(inner)) = (modified, inner) {
                    param.property = Some(self.name(inner));
                }
            }
            "assignment_pattern" => {
                param.pattern = self.pattern_of(node.child_by_field_name("left"));
                let value = node.child_by_field_name("right");
                param.default = value.map(|value| self.expr(value));
            }
            "rest_pattern" => {
                param.pattern = self.pattern_of(first(node));
                param.rest = true;
            }
            _ => param.pattern = self.pattern(node),
        }
        param
    }

    fn pattern_of(&mut self, node: Option<Tree<'_>>) -> Pattern {
        node.map_or(Pattern::Unknown, |node| self.pattern(node))
    }

    fn pattern(&mut self, node: Tree<'_>) -> Pattern {
        if self.depth >= MAX_DEPTH {
            return Pattern::Unknown;
        }
        self.depth += 1;
        let pattern = self.shallow_pattern(node);
        self.depth -= 1;
        pattern
    }

    fn shallow_pattern(&mut self, node: Tree<'_>) -> Pattern {
        match node.kind() {
            "identifier" | "shorthand_property_identifier_pattern" => {
                Pattern::Name(self.name(node), self.span(node))
            }
            "member_expression" | "subscript_expression" => Pattern::Member(self.expr(node)),
            "non_null_expression" | "parenthesized_expression" | "as_expression" => {
                self.pattern_of(first(node))
            }
            "object_pattern" => {
                let mut entries = Vec::new();
                let mut rest = None;
                for child in children(node) {
                    match child.kind() {
                        "shorthand_property_identifier_pattern" => {
                            entries.push((Key::Name(self.name(child)), self.pattern(child), None));
                        }
                        "object_assignment_pattern" => {
                            let left = child.child_by_field_name("left");
                            let default = child.child_by_field_name("right");
                            let Some(left) = left else { continue };
                            let default = default.map(|value| self.expr(value));
                            let key = Key::Name(self.name(left));
                            entries.push((key, self.pattern(left), default));
                        }
                        "pair_pattern" => {
                            let key = child.child_by_field_name("key");
                            let value = child.child_by_field_name("value");
                            let (Some(key), Some(value)) = (key, value) else {
                                continue;
                            };
                            let key = self.key(key);
                            let param = self.param(value);
                            entries.push((key, param.pattern, param.default));
                        }
                        "rest_pattern" => rest = Some(Box::new(self.pattern_of(first(child)))),
                        _ => {}
                    }
                }
                Pattern::Object(entries, rest)
            }
            "array_pattern" => {
                let mut items = Vec::new();
                let mut rest = None;
                let mut cursor = node.walk();
                let mut hole = true;
                for child in node.children(&mut cursor) {
                    match child.kind() {
                        "[" => {}
                        "," | "]" => {
                            if hole && child.kind() == "," {
                                items.push(None);
                            }
                            hole = true;
                            continue;
                        }
                        "rest_pattern" => rest = Some(Box::new(self.pattern_of(first(child)))),
                        _ => {
                            let param = self.param(child);
                            items.push(Some((param.pattern, param.default)));
                        }
                    }
                    hole = child.kind() == "[";
                }
                Pattern::Array(items, rest)
            }
            _ => Pattern::Unknown,
        }
    }

    fn key(&mut self, node: Tree<'_>) -> Key {
        match node.kind() {
            "string" => Key::Name(self.string(node)),
            "computed_property_name" => match first(node) {
                Some(inner) if inner.kind() == "string" => Key::Name(self.string(inner)),
                Some(inner) => Key::Computed(self.expr(inner)),
                None => Key::Computed(unknown(self.span(node))),
            },
            _ => Key::Name(self.name(node)),
        }
    }

    fn class(&mut self, node: Tree<'_>) -> Class {
        let mut parent = None;
        if let Some(heritage) = children(node)
            .into_iter()
            .find(|child| child.kind() == "class_heritage")
        {
            let clause = first(heritage);
            let value = match clause {
                Some(clause) if clause.kind() == "extends_clause" => {
                    clause.child_by_field_name("value")
                }
                Some(clause) if clause.kind() == "implements_clause" => None,
                other => other,
            };
            parent = value.map(|value| self.expr(value));
        }
        let mut members = Vec::new();
        let mut pending = Vec::new();
        let body = node.child_by_field_name("body").map(children);
        for child in body.unwrap_or_default() {
            if child.kind() == "decorator" {
                pending.extend(first(child).map(|inner| self.expr(inner)));
                continue;
            }
            let mut cursor = child.walk();
            let marks: Vec<&str> = child
                .children(&mut cursor)
                .map(|mark| mark.kind())
                .collect();
            let is_static = marks.contains(&"static");
            let (name, member) = match child.kind() {
                "method_definition" => {
                    let getter = marks.contains(&"get");
                    let method = self.function(child);
                    (
                        child.child_by_field_name("name"),
                        (Some(method), getter, None),
                    )
                }
                "public_field_definition" | "field_definition" => {
                    let name = child
                        .child_by_field_name("name")
                        .or_else(|| child.child_by_field_name("property"));
                    let value = child.child_by_field_name("value");
                    let value = value.map(|value| self.expr(value));
                    (name, (None, false, value))
                }
                _ => continue,
            };
            let mut decorators = std::mem::take(&mut pending);
            decorators.extend(self.decorators(child));
            let Some(Key::Name(name)) = name.map(|name| self.key(name)) else {
                continue;
            };
            let (method, getter, value) = member;
            members.push(ClassMember {
                name,
                is_static,
                method,
                getter,
                value,
                decorators,
            });
        }
        Class {
            name: node.child_by_field_name("name").map(|name| self.name(name)),
            parent,
            members,
            decorators: self.decorators(node),
            span: self.span(node),
        }
    }

    fn expr_of(&mut self, node: Option<Tree<'_>>, around: Span) -> Expr {
        node.map_or_else(|| unknown(around), |node| self.expr(node))
    }

    fn expr(&mut self, node: Tree<'_>) -> Expr {
        let span = self.span(node);
        if self.depth >= MAX_DEPTH || node.is_error() || node.is_missing() {
            return unknown(span);
        }
        self.depth += 1;
        let mut expr = self.shallow_expr(node, span);
        self.depth -= 1;
        // An error inside a small expression may have changed what it means.
        if node.has_error() && has_direct_error(node) {
            expr = unknown(span);
        }
        expr
    }

    fn shallow_expr(&mut self, node: Tree<'_>, span: Span) -> Expr {
        let field = |name| node.child_by_field_name(name);
        let kind = match node.kind() {
            "string" => ExprKind::String(self.string(node)),
            "number" => number(self.text(node)).map_or(ExprKind::Unknown, ExprKind::Number),
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
                let operator = field("operator").and_then(|node| operator(self.text(node)));
                let argument = Box::new(self.expr_of(field("argument"), span));
                operator.map_or(ExprKind::Unknown, |operator| {
                    ExprKind::Unary(operator, argument)
                })
            }
            "binary_expression" => {
                let operator = field("operator").and_then(|node| operator(self.text(node)));
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
                let text = field("operator").map(|node| self.text(node));
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
                let text = field("operator").map_or("", |node| self.text(node));
                let operator = if text == "--" { "-" } else { "+" };
                let left = Box::new(self.expr_of(field("argument"), span));
                let one = Expr {
                    kind: ExprKind::Number(1.0),
                    span,
                };
                ExprKind::Update(operator, left, Box::new(one))
            }
            "member_expression" => {
                let object = Box::new(self.expr_of(field("object"), span));
                match field("property") {
                    Some(property) => {
                        ExprKind::Member(object, self.name(property), self.span(property))
                    }
                    None => ExprKind::Unknown,
                }
            }
            "subscript_expression" => {
                let object = Box::new(self.expr_of(field("object"), span));
                match field("index") {
                    Some(index) if index.kind() == "string" => {
                        ExprKind::Member(object, self.string(index), self.span(index))
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
    fn inner(&mut self, node: Tree<'_>, span: Span) -> Expr {
        self.expr_of(first(node), span)
    }

    fn template(&mut self, node: Tree<'_>) -> Vec<Expr> {
        let mut parts: Vec<Expr> = Vec::new();
        for child in children(node) {
            let span = self.span(child);
            match child.kind() {
                "string_fragment" => parts.push(Expr {
                    kind: ExprKind::String(self.name(child)),
                    span,
                }),
                "escape_sequence" => parts.push(Expr {
                    kind: ExprKind::String(unescape(self.text(child)).into()),
                    span,
                }),
                _ => parts.push(self.inner(child, span)),
            }
        }
        parts
    }

    fn arguments(&mut self, node: Option<Tree<'_>>) -> Vec<Argument> {
        let children = node.map(children).unwrap_or_default();
        children
            .into_iter()
            .filter(|child| child.kind() != "comment")
            .map(|child| {
                let spread = child.kind() == "spread_element";
                let value = if spread {
                    self.inner(child, self.span(child))
                } else {
                    self.expr(child)
                };
                Argument { value, spread }
            })
            .collect()
    }

    fn properties(&mut self, node: Tree<'_>) -> Vec<Property> {
        let mut properties = Vec::new();
        for child in children(node) {
            let span = self.span(child);
            match child.kind() {
                "pair" => {
                    let Some(key_node) = child.child_by_field_name("key") else {
                        continue;
                    };
                    let key_span = self.span(key_node);
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
                    let name_span = self.span(name);
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

    fn string(&self, node: Tree<'_>) -> Name {
        let text = self.text(node);
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

const fn unknown(span: Span) -> Expr {
    Expr {
        kind: ExprKind::Unknown,
        span,
    }
}

/// Named children without comments.
fn children(node: Node<'_>) -> Vec<Node<'_>> {
    let mut cursor = node.walk();
    node.named_children(&mut cursor)
        .filter(|child| child.kind() != "comment")
        .collect()
}

fn first(node: Node<'_>) -> Option<Node<'_>> {
    children(node).into_iter().next()
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

/// The operator as a constant.
fn operator(text: &str) -> Option<&'static str> {
    const OPERATORS: [&str; 28] = [
        "&&",
        "||",
        "??",
        "==",
        "===",
        "!=",
        "!==",
        "<",
        ">",
        "<=",
        ">=",
        "+",
        "-",
        "*",
        "/",
        "%",
        "**",
        "in",
        "instanceof",
        "!",
        "typeof",
        "void",
        "delete",
        "~",
        "&",
        "|",
        "^",
        "<<",
    ];
    OPERATORS.into_iter().find(|known| *known == text)
}

fn number(text: &str) -> Option<f64> {
    let text = text.replace('_', "");
    let lower = text.to_ascii_lowercase();
    let radix = |prefix: &str, radix| {
        let digits = lower.strip_prefix(prefix)?;
        u64::from_str_radix(digits, radix).ok()
    };
    if let Some(value) = radix("0x", 16)
        .or_else(|| radix("0o", 8))
        .or_else(|| radix("0b", 2))
    {
        #[expect(
            clippy::cast_precision_loss,
            reason = "JavaScript's numbers are doubles"
        )]
        return Some(value as f64);
    }
    text.parse().ok()
}

/// The text that escape sequences stand for (ECMAScript, "Static Semantics: SV").
fn unescape(text: &str) -> String {
    let mut result = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(next) = chars.next() {
        if next != '\\' {
            result.push(next);
            continue;
        }
        let Some(escaped) = chars.next() else { break };
        match escaped {
            'n' => result.push('\n'),
            't' => result.push('\t'),
            'r' => result.push('\r'),
            'b' => result.push('\u{8}'),
            'f' => result.push('\u{c}'),
            'v' => result.push('\u{b}'),
            '0' => result.push('\0'),
            '\n' => {}
            'x' => push_code(&mut result, take(&mut chars, 2)),
            'u' => {
                let rest = chars.as_str();
                if let Some(braced) = rest.strip_prefix('{') {
                    let digits = braced.split('}').next().unwrap_or_default().to_owned();
                    chars = braced.get(digits.len()..).unwrap_or_default().chars();
                    chars.next();
                    push_code(&mut result, digits);
                } else {
                    push_code(&mut result, take(&mut chars, 4));
                }
            }
            other => result.push(other),
        }
    }
    result
}

fn take(chars: &mut std::str::Chars<'_>, count: usize) -> String {
    chars.by_ref().take(count).collect()
}

fn push_code(result: &mut String, digits: String) {
    let code = u32::from_str_radix(&digits, 16).ok();
    result.push(code.and_then(char::from_u32).unwrap_or('\u{fffd}'));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_decoded() {
        assert_eq!(unescape(r"a\.b"), "a.b");
        assert_eq!(unescape(r"\\d\x41\u{42}\u0043\n"), "\\dABC\n");
        assert_eq!(unescape("\\"), "");
    }

    #[test]
    fn numbers_of_every_notation() {
        assert_eq!(number("1_000"), Some(1000.0));
        assert_eq!(number("0x1f"), Some(31.0));
        assert_eq!(number("1e3"), Some(1000.0));
        assert_eq!(number("10n"), None);
    }
}
