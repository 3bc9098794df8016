//! Packages, imports, classes, functions and properties.

use std::sync::Arc;

use tree_sitter::Node;

use crate::source::{SourceFile, Span};
use crate::syntax::jvm::ast::{
    Annotation, AnnotationArg, Arg, Body, Class, ClassKind, Field, Import, Initializer, Language,
    Method, Name, Param, Type, Unit, join,
};
use crate::syntax::tree::{Reader, child, children, first, has_token};

/// Reads a file's tree.
pub(super) fn unit(root: Node<'_>, file: &Arc<SourceFile>) -> Unit {
    let mut kotlin = Kotlin(Reader::new(file), Vec::new(), Vec::new());
    let mut unit = Unit {
        file: Arc::clone(file),
        language: Language::Kotlin,
        package: Name::from(""),
        imports: Vec::new(),
        classes: Vec::new(),
        broken: root.has_error(),
    };
    let span = file.span();
    let stem = file
        .path()
        .file_stem()
        .unwrap_or_default()
        .to_string_lossy();
    let mut outside = Class {
        name: format!("{stem}Kt").into(),
        kind: ClassKind::File,
        is_static: true,
        ..Class::empty(span, span.part(0, 0))
    };
    kotlin.top(root, &mut unit, &mut outside);
    outside.path = join(&unit.package, &outside.name);
    if !outside.fields.is_empty() || !outside.methods.is_empty() {
        unit.classes.push(Arc::new(outside));
    }
    unit
}

/// What stands before a declaration.
#[derive(Default)]
struct Modifiers {
    annotations: Vec<Annotation>,
    words: Vec<String>,
}

impl Modifiers {
    fn has(&self, word: &str) -> bool {
        self.words.iter().any(|known| known == word)
    }
}

/// Is this node a type?
fn is_type(node: Node<'_>) -> bool {
    matches!(
        node.kind(),
        "user_type"
            | "nullable_type"
            | "function_type"
            | "non_nullable_type"
            | "parenthesized_type"
    )
}

/// A file, the operators that are applied further out than the grammar says, and the annotations of
/// the next declaration that the grammar takes for those of an expression.
pub(super) struct Kotlin<'a>(
    pub(super) Reader<'a>,
    pub(super) Vec<usize>,
    pub(super) Vec<Annotation>,
);

impl Kotlin<'_> {
    fn top(&mut self, root: Node<'_>, unit: &mut Unit, outside: &mut Class) {
        for node in children(root) {
            match node.kind() {
                "package_header" => {
                    if let Some(path) = child(node, "qualified_identifier") {
                        unit.package = self.0.path(path).into();
                    }
                }
                "import" => {
                    let Some(path) = child(node, "qualified_identifier") else {
                        continue;
                    };
                    unit.imports.push(Import {
                        path: self.0.path(path).into(),
                        wildcard: has_token(node, "*"),
                        is_static: false,
                        alias: child(node, "identifier").map(|alias| self.0.text(alias).into()),
                    });
                }
                // What was understood inside is still declared.
                "ERROR" if self.0.enter() => {
                    self.top(node, unit, outside);
                    self.0.leave();
                }
                "function_declaration" | "property_declaration" => self.member(node, outside),
                "annotated_expression" => {
                    self.in_front(node);
                    continue;
                }
                _ => {
                    let class = self.class(node, &unit.package);
                    unit.classes.extend(class.map(Arc::new));
                }
            }
            self.2.clear();
        }
    }

    /// `@A @B(1)` on a line of its own may be read as the expression `(1)` with annotations, and is
    /// those of the declaration that follows.
    fn in_front(&mut self, node: Node<'_>) {
        let mut inner = Some(node);
        while let Some(node) = inner.take() {
            let mut found = Vec::new();
            for part in children(node) {
                match part.kind() {
                    "annotation" => self.annotation(part, &mut found),
                    "annotated_expression" => inner = Some(part),
                    "parenthesized_expression" => {
                        let Some((value, annotation)) = first(part).zip(found.last_mut()) else {
                            continue;
                        };
                        let value = self.expr(value);
                        annotation.span = self.0.span(node);
                        annotation.args = several(vec![AnnotationArg {
                            name: "value".into(),
                            name_span: value.span,
                            value,
                        }]);
                    }
                    _ => {}
                }
            }
            self.2.extend(found);
        }
    }

    fn modifiers(&mut self, node: Node<'_>) -> Modifiers {
        let mut result = Modifiers {
            annotations: std::mem::take(&mut self.2),
            words: Vec::new(),
        };
        for list in children(node) {
            if !matches!(list.kind(), "modifiers" | "parameter_modifiers") {
                continue;
            }
            for modifier in children(list) {
                if modifier.kind() == "annotation" {
                    self.annotation(modifier, &mut result.annotations);
                } else {
                    result.words.push(self.0.text(modifier).to_owned());
                }
            }
        }
        result
    }

    fn annotation(&mut self, node: Node<'_>, result: &mut Vec<Annotation>) {
        let target = child(node, "use_site_target");
        let target: Option<Name> =
            target.map(|target| self.0.text(target).trim_end_matches(':').into());
        for inner in children(node) {
            let (ty, args) = match inner.kind() {
                "constructor_invocation" => (first(inner), child(inner, "value_arguments")),
                "use_site_target" => continue,
                _ => (Some(inner), None),
            };
            let Some(ty) = ty else { continue };
            let args = args.map(|args| self.args(args)).unwrap_or_default();
            let args = args.into_iter().map(|arg| AnnotationArg {
                name_span: arg.value.span,
                name: arg.name.unwrap_or_else(|| "value".into()),
                value: arg.value,
            });
            result.push(Annotation {
                args: several(args.collect()),
                name: self.ty(ty).name,
                target: target.clone(),
                span: self.0.span(node),
            });
        }
    }

    /// A class of any kind; nothing if the node is none.
    pub(super) fn class(&mut self, node: Node<'_>, outer: &str) -> Option<Class> {
        let companion = node.kind() == "companion_object";
        let modifiers = self.modifiers(node);
        let kind = match node.kind() {
            "object_declaration" | "companion_object" => ClassKind::Object,
            "class_declaration" if has_token(node, "interface") => ClassKind::Interface,
            "class_declaration" if modifiers.has("enum") => ClassKind::Enum,
            "class_declaration" if modifiers.has("annotation") => ClassKind::Annotation,
            "class_declaration" => ClassKind::Class,
            _ => return None,
        };
        let name = node.child_by_field_name("name");
        if name.is_none() && !companion {
            return None;
        }
        let span = self.0.span(node);
        let name_span = name.map_or(span.part(0, 0), |name| self.0.span(name));
        let name = name.map_or("Companion", |name| self.0.text(name));
        let mut class = Class {
            name: name.into(),
            path: join(outer, name),
            kind,
            is_abstract: kind == ClassKind::Interface
                || modifiers.has("abstract")
                || modifiers.has("sealed"),
            is_static: !modifiers.has("inner"),
            is_companion: companion,
            annotations: modifiers.annotations,
            ..Class::empty(span, name_span)
        };
        self.parents(node, &mut class);
        if let Some(constructor) = child(node, "primary_constructor") {
            self.primary(constructor, &mut class);
        }
        self.bodies(node, &mut class);
        Some(class)
    }

    /// `object : T { … }`.
    pub(super) fn anonymous(&mut self, node: Node<'_>) -> Class {
        let span = self.0.span(node);
        let mut class = Class::empty(span, span.part(0, 6));
        self.parents(node, &mut class);
        self.bodies(node, &mut class);
        class
    }

    fn parents(&mut self, node: Node<'_>, class: &mut Class) {
        let list = child(node, "delegation_specifiers").map(children);
        for specifier in list.unwrap_or_default() {
            for inner in children(specifier) {
                match inner.kind() {
                    "constructor_invocation" => {
                        class.superclass = first(inner).map(|ty| self.ty(ty));
                        let args = child(inner, "value_arguments");
                        class.super_args = args.map(|args| self.args(args)).unwrap_or_default();
                    }
                    "explicit_delegation" => {
                        class.interfaces.extend(first(inner).map(|ty| self.ty(ty)));
                    }
                    _ if is_type(inner) => class.interfaces.push(self.ty(inner)),
                    _ => {}
                }
            }
        }
    }

    fn bodies(&mut self, node: Node<'_>, class: &mut Class) {
        for body in children(node) {
            if matches!(body.kind(), "class_body" | "enum_class_body") && self.0.enter() {
                for member in children(body) {
                    self.member(member, class);
                }
                self.0.leave();
            }
        }
    }

    fn primary(&mut self, node: Node<'_>, class: &mut Class) {
        let annotations = self.modifiers(node).annotations;
        let mut params = Vec::new();
        let list = child(node, "class_parameters").map(children);
        for node in list.unwrap_or_default() {
            if node.kind() != "class_parameter" {
                continue;
            }
            let modifiers = self.modifiers(node);
            let Some(param) = self.param(node, &modifiers, None) else {
                continue;
            };
            if has_token(node, "val") || has_token(node, "var") {
                class.fields.push(Arc::new(Field {
                    name: Arc::clone(&param.name),
                    name_span: param.span,
                    annotations: param.annotations.clone(),
                    ty: param.ty.clone(),
                    init: None,
                    getter: None,
                    is_static: false,
                    is_final: has_token(node, "val"),
                    is_late: false,
                    constant: None,
                    span: param.span,
                }));
            }
            params.push(param);
        }
        class.constructors.push(Arc::new(Method {
            annotations,
            params,
            is_primary: true,
            ..self.method_of(&class.name, class.name_span, self.0.span(node))
        }));
    }

    fn method_of(&self, name: &Name, name_span: Span, span: Span) -> Method {
        Method {
            name: Arc::clone(name),
            name_span,
            annotations: Vec::new(),
            params: Vec::new(),
            returns: None,
            body: None,
            is_static: false,
            receiver: None,
            is_primary: false,
            delegates: None,
            language: Language::Kotlin,
            span,
        }
    }

    /// A parameter; its default may stand beside it.
    fn param(
        &mut self,
        node: Node<'_>,
        modifiers: &Modifiers,
        default: Option<Node<'_>>,
    ) -> Option<Param> {
        let span = self.0.span(node);
        let name = child(node, "identifier")?;
        let parts = children(node);
        let ty = parts.iter().copied().find(|part| is_type(*part));
        let own = parts.into_iter().skip_while(|part| !is_type(*part)).nth(1);
        let default = default.or(own);
        Some(Param {
            name: self.0.text(name).into(),
            annotations: modifiers.annotations.clone(),
            ty: ty.map_or_else(|| Type::unwritten(span), |ty| self.ty(ty)),
            varargs: modifiers.has("vararg"),
            default: default.map(|default| self.expr(default)),
            span,
        })
    }

    pub(super) fn params(&mut self, node: Node<'_>) -> Vec<Param> {
        let mut result = Vec::new();
        let mut modifiers = Modifiers::default();
        let parts = children(node);
        for (at, part) in parts.iter().enumerate() {
            match part.kind() {
                "parameter_modifiers" => {
                    for modifier in children(*part) {
                        if modifier.kind() == "annotation" {
                            self.annotation(modifier, &mut modifiers.annotations);
                        } else {
                            modifiers.words.push(self.0.text(modifier).to_owned());
                        }
                    }
                }
                "parameter" => {
                    let next = parts.get(at + 1).copied();
                    let default = next
                        .filter(|next| !matches!(next.kind(), "parameter" | "parameter_modifiers"));
                    let param = self.param(*part, &modifiers, default);
                    result.extend(param);
                    modifiers = Modifiers::default();
                }
                _ => {}
            }
        }
        result
    }

    /// A member of a class, or something declared outside of classes.
    fn member(&mut self, node: Node<'_>, class: &mut Class) {
        let is_static = matches!(class.kind, ClassKind::Object | ClassKind::File);
        match node.kind() {
            "function_declaration" => {
                let method = self.function(node).map(|method| Method {
                    is_static,
                    ..method
                });
                class.methods.extend(method.map(Arc::new));
            }
            "property_declaration" => {
                let field = self
                    .property(node)
                    .map(|field| Field { is_static, ..field });
                class.fields.extend(field.map(Arc::new));
            }
            "anonymous_initializer" => {
                let body = first(node).map(|block| self.statements(block));
                class.initializers.push(Initializer {
                    is_static,
                    body: body.unwrap_or_default(),
                });
            }
            "secondary_constructor" => {
                let constructor = self.secondary(node, class);
                class.constructors.push(Arc::new(constructor));
            }
            "enum_entry" => {
                let constant = self.constant(node, class);
                class.fields.extend(constant.map(Arc::new));
            }
            "ERROR" if self.0.enter() => {
                for inner in children(node) {
                    self.member(inner, class);
                }
                self.0.leave();
            }
            _ => {
                let path = Arc::clone(&class.path);
                let nested = self.class(node, &path);
                class.nested.extend(nested.map(Arc::new));
            }
        }
    }

    /// A function.
    pub(super) fn function(&mut self, node: Node<'_>) -> Option<Method> {
        let name = node.child_by_field_name("name")?;
        let modifiers = self.modifiers(node);
        let types: Vec<Node<'_>> = children(node)
            .into_iter()
            .filter(|part| is_type(*part))
            .collect();
        let before = |ty: &&Node<'_>| ty.end_byte() <= name.start_byte();
        let receiver = types.iter().find(before).map(|ty| self.ty(*ty));
        let returns = types.iter().find(|ty| !before(ty)).map(|ty| self.ty(*ty));
        let params = child(node, "function_value_parameters");
        let params = params.map(|params| self.params(params)).unwrap_or_default();
        let name_span = self.0.span(name);
        let body = child(node, "function_body").and_then(|body| self.body(body));
        let name: Name = self.0.text(name).into();
        Some(Method {
            annotations: modifiers.annotations,
            params,
            returns,
            receiver,
            body,
            ..self.method_of(&name, name_span, self.0.span(node))
        })
    }

    /// A block, or what follows `=`.
    pub(super) fn body(&mut self, node: Node<'_>) -> Option<Body> {
        let inner = first(node)?;
        Some(if inner.kind() == "block" && !has_token(node, "=") {
            Body::Block(self.statements(inner))
        } else {
            Body::Expr(self.expr(inner))
        })
    }

    fn secondary(&mut self, node: Node<'_>, class: &Class) -> Method {
        let annotations = self.modifiers(node).annotations;
        let params = child(node, "function_value_parameters");
        let params = params.map(|params| self.params(params)).unwrap_or_default();
        let delegates = child(node, "constructor_delegation_call").map(|call| {
            let args = child(call, "value_arguments");
            let args = args.map(|args| self.args(args)).unwrap_or_default();
            (has_token(call, "this"), args)
        });
        let body = child(node, "block").map(|block| Body::Block(self.statements(block)));
        Method {
            annotations,
            params,
            delegates,
            body,
            ..self.method_of(&class.name, class.name_span, self.0.span(node))
        }
    }

    /// A property, or a variable of its shape.
    pub(super) fn property(&mut self, node: Node<'_>) -> Option<Field> {
        let modifiers = self.modifiers(node);
        let variable = child(node, "variable_declaration")?;
        let name = child(variable, "identifier")?;
        let ty = children(variable).into_iter().find(|part| is_type(*part));
        let init = self.initial(node);
        let getter = child(node, "getter").and_then(|getter| child(getter, "function_body"));
        let getter = getter.and_then(|body| self.body(body));
        let span = self.0.span(node);
        Some(Field {
            name: self.0.text(name).into(),
            name_span: self.0.span(name),
            is_late: modifiers.has("lateinit"),
            annotations: modifiers.annotations,
            ty: ty.map_or_else(|| Type::unwritten(span), |ty| self.ty(ty)),
            init,
            getter,
            is_static: false,
            is_final: has_token(node, "val"),
            constant: None,
            span,
        })
    }

    /// What follows `=` or `by`.
    pub(super) fn initial(&mut self, node: Node<'_>) -> Option<crate::syntax::jvm::ast::Expr> {
        if let Some(delegate) = child(node, "property_delegate") {
            return first(delegate).map(|inner| self.expr(inner));
        }
        let mut after = false;
        let mut cursor = node.walk();
        let parts: Vec<Node<'_>> = node.children(&mut cursor).collect();
        for part in parts {
            if after && part.is_named() && !part.kind().ends_with("comment") {
                return Some(self.expr(part));
            }
            after |= !part.is_named() && part.kind() == "=";
        }
        None
    }

    fn constant(&mut self, node: Node<'_>, class: &Class) -> Option<Field> {
        let name = child(node, "identifier")?;
        let args = child(node, "value_arguments");
        let args: Vec<Arg> = args.map(|args| self.args(args)).unwrap_or_default();
        Some(Field {
            name: self.0.text(name).into(),
            name_span: self.0.span(name),
            annotations: Vec::new(),
            ty: Type {
                name: Arc::clone(&class.name),
                ..Type::unwritten(class.name_span)
            },
            init: None,
            getter: None,
            is_static: true,
            is_final: true,
            is_late: false,
            constant: Some(args),
            span: self.0.span(node),
        })
    }

    /// A type.
    pub(super) fn ty(&mut self, node: Node<'_>) -> Type {
        let span = self.0.span(node);
        if !self.0.enter() {
            return Type::unwritten(span);
        }
        let ty = match node.kind() {
            "nullable_type" | "parenthesized_type" | "non_nullable_type" => {
                let inner = children(node).into_iter().find(|part| is_type(*part));
                inner.map_or_else(|| Type::unwritten(span), |inner| self.ty(inner))
            }
            "user_type" => {
                let mut names = Vec::new();
                let mut args = Vec::new();
                for part in children(node) {
                    match part.kind() {
                        "identifier" => names.push(self.0.text(part)),
                        "type_arguments" => {
                            for projection in children(part) {
                                let inner =
                                    children(projection).into_iter().find(|part| is_type(*part));
                                args.extend(inner.map(|inner| self.ty(inner)));
                            }
                        }
                        _ => {}
                    }
                }
                let name = names.join(".");
                // `Array<T>` is Java's `T[]`.
                if name == "Array" && args.len() == 1 {
                    Type {
                        array: true,
                        span,
                        ..args.remove(0)
                    }
                } else {
                    Type {
                        name: name.into(),
                        args,
                        array: false,
                        span,
                    }
                }
            }
            _ => Type::unwritten(span),
        };
        self.0.leave();
        ty
    }

    pub(super) fn args(&mut self, node: Node<'_>) -> Vec<Arg> {
        let mut result = Vec::new();
        for argument in children(node) {
            if argument.kind() != "value_argument" {
                continue;
            }
            let parts = children(argument);
            let named = has_token(argument, "=") && parts.len() > 1;
            let Some(value) = parts.last() else { continue };
            let spread = has_token(argument, "*") || value.kind() == "spread_expression";
            let value = match value.kind() {
                "spread_expression" => first(*value).unwrap_or(*value),
                _ => *value,
            };
            result.push(Arg {
                name: named.then(|| self.0.text(parts[0]).into()),
                value: self.expr(value),
                spread,
            });
        }
        result
    }
}

/// `@A("x", "y")` gives its one parameter two values.
fn several(args: Vec<AnnotationArg>) -> Vec<AnnotationArg> {
    use crate::syntax::jvm::ast::{Expr, ExprKind};
    let positional = args.iter().filter(|arg| &*arg.name == "value").count();
    if positional < 2 {
        return args;
    }
    let (values, mut others): (Vec<_>, Vec<_>) =
        args.into_iter().partition(|arg| &*arg.name == "value");
    let span = values[0].name_span;
    let items: Vec<Expr> = values.into_iter().map(|arg| arg.value).collect();
    others.insert(
        0,
        AnnotationArg {
            name: "value".into(),
            name_span: span,
            value: Expr {
                kind: ExprKind::Array(items),
                span,
            },
        },
    );
    others
}
