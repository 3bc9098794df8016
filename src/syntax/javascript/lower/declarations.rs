//! Imports, exports, functions, patterns and classes.

use std::sync::Arc;

use tree_sitter::Node;

use super::super::ast::{
    Body, Class, ClassMember, Export, Expr, ExprKind, Function, Import, Key, Name, Param, Pattern,
    Stmt,
};
use super::Lower;
use super::expressions::unknown;
use crate::syntax::tree::{children, first, with_stack};

impl Lower<'_> {
    fn source(&self, node: Node<'_>) -> Option<Name> {
        let source = node.child_by_field_name("source")?;
        Some(self.string(source))
    }

    pub(super) fn import(&mut self, node: Node<'_>) -> Stmt {
        let span = self.0.span(node);
        let mut import = Import {
            source: "".into(),
            default: None,
            namespace: None,
            require: false,
            names: Vec::new(),
            span,
        };
        if self.0.text(node).starts_with("import type") {
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
    fn specifier(&self, node: Node<'_>) -> Option<(Name, Name)> {
        if !matches!(node.kind(), "import_specifier" | "export_specifier") {
            return None;
        }
        let name = node.child_by_field_name("name")?;
        let alias = node.child_by_field_name("alias").unwrap_or(name);
        let text = |node: Node<'_>| match node.kind() {
            "string" => self.string(node),
            _ => self.name(node),
        };
        Some((text(name), text(alias)))
    }

    pub(super) fn export(&mut self, node: Node<'_>) -> Stmt {
        let span = self.0.span(node);
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

    fn add_decorators(&mut self, class: &mut Arc<Class>, node: Node<'_>) {
        let decorators = self.decorators(node);
        if let Some(class) = Arc::get_mut(class) {
            class.decorators.extend(decorators);
        }
    }

    fn decorators(&mut self, node: Node<'_>) -> Vec<Expr> {
        children(node)
            .into_iter()
            .filter(|child| child.kind() == "decorator")
            .filter_map(first)
            .map(|child| self.expr(child))
            .collect()
    }

    pub(super) fn function(&mut self, node: Node<'_>) -> Arc<Function> {
        let field = |name| node.child_by_field_name(name);
        let mut params = Vec::new();
        if let Some(single) = field("parameter") {
            params.push(self.param(single));
        }
        for child in field("parameters").map(children).unwrap_or_default() {
            if child.kind() != "comment" && self.0.text(child) != "this" {
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
            span: self.0.span(node),
        })
    }

    fn param(&mut self, node: Node<'_>) -> Param {
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

    pub(super) fn pattern_of(&mut self, node: Option<Node<'_>>) -> Pattern {
        node.map_or(Pattern::Unknown, |node| self.pattern(node))
    }

    pub(super) fn pattern(&mut self, node: Node<'_>) -> Pattern {
        if !self.0.enter() {
            return Pattern::Unknown;
        }
        let pattern = with_stack(|| self.shallow_pattern(node));
        self.0.leave();
        pattern
    }

    fn shallow_pattern(&mut self, node: Node<'_>) -> Pattern {
        match node.kind() {
            "identifier" | "shorthand_property_identifier_pattern" => {
                Pattern::Name(self.name(node), self.0.span(node))
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

    pub(super) fn key(&mut self, node: Node<'_>) -> Key {
        match node.kind() {
            "string" => Key::Name(self.string(node)),
            "computed_property_name" => match first(node) {
                Some(inner) if inner.kind() == "string" => Key::Name(self.string(inner)),
                Some(inner) => Key::Computed(self.expr(inner)),
                None => Key::Computed(unknown(self.0.span(node))),
            },
            _ => Key::Name(self.name(node)),
        }
    }

    pub(super) fn class(&mut self, node: Node<'_>) -> Class {
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
            span: self.0.span(node),
        }
    }
}
