//! Packages, imports, classes and their members.

use std::sync::Arc;

use tree_sitter::Node;

use crate::source::SourceFile;
use crate::syntax::jvm::ast::{
    Annotation, AnnotationArg, Arg, Body, Class, ClassKind, Field, Import, Initializer, Language,
    Method, Name, Param, Type, Unit, join,
};
use crate::syntax::tree::{Reader, child, children, first, has_token};

/// Reads a file's tree.
pub(super) fn unit(root: Node<'_>, file: &Arc<SourceFile>) -> Unit {
    let mut java = Java(Reader::new(file));
    let mut unit = Unit {
        file: Arc::clone(file),
        language: Language::Java,
        package: Name::from(""),
        imports: Vec::new(),
        classes: Vec::new(),
        broken: root.has_error(),
    };
    for node in children(root) {
        match node.kind() {
            "package_declaration" => {
                let path = children(node)
                    .into_iter()
                    .find(|child| child.kind().ends_with("identifier"));
                if let Some(path) = path {
                    unit.package = java.0.path(path).into();
                }
            }
            "import_declaration" => unit.imports.extend(java.import(node)),
            _ => {
                let class = java.class(node, &unit.package);
                unit.classes.extend(class.map(Arc::new));
            }
        }
    }
    unit
}

/// What stands before a declaration.
#[derive(Default)]
struct Modifiers {
    annotations: Vec<Annotation>,
    is_static: bool,
    is_abstract: bool,
    is_final: bool,
}

pub(super) struct Java<'a>(pub(super) Reader<'a>);

impl Java<'_> {
    fn import(&self, node: Node<'_>) -> Option<Import> {
        let path = children(node)
            .into_iter()
            .find(|child| child.kind().ends_with("identifier"))?;
        Some(Import {
            path: self.0.path(path).into(),
            wildcard: child(node, "asterisk").is_some(),
            is_static: has_token(node, "static"),
            alias: None,
        })
    }

    fn modifiers(&mut self, node: Node<'_>) -> Modifiers {
        let mut result = Modifiers::default();
        let Some(modifiers) = child(node, "modifiers") else {
            return result;
        };
        result.is_static = has_token(modifiers, "static");
        result.is_abstract = has_token(modifiers, "abstract");
        result.is_final = has_token(modifiers, "final");
        result.annotations = children(modifiers)
            .into_iter()
            .filter_map(|child| self.annotation(child))
            .collect();
        result
    }

    fn annotation(&mut self, node: Node<'_>) -> Option<Annotation> {
        if !matches!(node.kind(), "annotation" | "marker_annotation") {
            return None;
        }
        let name = node.child_by_field_name("name")?;
        let args = node.child_by_field_name("arguments");
        let args = args.map(children).unwrap_or_default();
        let args = args.into_iter().map(|arg| {
            let key = arg
                .child_by_field_name("key")
                .filter(|_| arg.kind() == "element_value_pair");
            let value = match key {
                Some(_) => arg.child_by_field_name("value").unwrap_or(arg),
                None => arg,
            };
            AnnotationArg {
                name: key.map_or("value", |key| self.0.text(key)).into(),
                name_span: self.0.span(key.unwrap_or(arg)),
                value: self.expr(value),
            }
        });
        Some(Annotation {
            args: args.collect(),
            name: self.0.path(name).into(),
            target: None,
            span: self.0.span(node),
        })
    }

    /// A class of any kind; nothing if the node is none.
    pub(super) fn class(&mut self, node: Node<'_>, outer: &str) -> Option<Class> {
        let kind = match node.kind() {
            "class_declaration" => ClassKind::Class,
            "interface_declaration" => ClassKind::Interface,
            "enum_declaration" => ClassKind::Enum,
            "record_declaration" => ClassKind::Record,
            "annotation_type_declaration" => ClassKind::Annotation,
            _ => return None,
        };
        let name = node.child_by_field_name("name")?;
        let name_span = self.0.span(name);
        let name = self.0.text(name);
        let modifiers = self.modifiers(node);
        let mut class = Class {
            name: name.into(),
            path: join(outer, name),
            kind,
            annotations: modifiers.annotations,
            is_abstract: modifiers.is_abstract || kind == ClassKind::Interface,
            is_static: modifiers.is_static || kind != ClassKind::Class,
            superclass: node
                .child_by_field_name("superclass")
                .and_then(first)
                .map(|ty| self.ty(ty)),
            interfaces: self.interfaces(node),
            ..Class::empty(self.0.span(node), name_span)
        };
        if kind == ClassKind::Record
            && let Some(params) = node.child_by_field_name("parameters")
        {
            self.record(&mut class, params);
        }
        if let Some(body) = node.child_by_field_name("body")
            && self.0.enter()
        {
            self.members(&mut class, body);
            self.0.leave();
        }
        Some(class)
    }

    /// The body of an anonymous class.
    pub(super) fn anonymous(&mut self, body: Node<'_>, ty: &Type) -> Class {
        let span = self.0.span(body);
        let mut class = Class {
            interfaces: vec![ty.clone()],
            superclass: Some(ty.clone()),
            ..Class::empty(span, span)
        };
        if self.0.enter() {
            self.members(&mut class, body);
            self.0.leave();
        }
        class
    }

    fn interfaces(&mut self, node: Node<'_>) -> Vec<Type> {
        let list = node
            .child_by_field_name("interfaces")
            .or_else(|| child(node, "extends_interfaces"));
        let list = list.and_then(first).map(children).unwrap_or_default();
        list.into_iter().map(|ty| self.ty(ty)).collect()
    }

    fn record(&mut self, class: &mut Class, params: Node<'_>) {
        let params_span = self.0.span(params);
        let params = self.params(params);
        for param in &params {
            class.fields.push(Arc::new(Field {
                name: Arc::clone(&param.name),
                name_span: param.span,
                annotations: param.annotations.clone(),
                ty: param.ty.clone(),
                init: None,
                getter: None,
                is_static: false,
                is_final: true,
                is_late: false,
                constant: None,
                span: param.span,
            }));
        }
        class.constructors.push(Arc::new(Method {
            name: Arc::clone(&class.name),
            name_span: class.name_span,
            annotations: Vec::new(),
            params,
            returns: None,
            body: None,
            is_static: false,
            receiver: None,
            is_primary: true,
            delegates: None,
            language: Language::Java,
            span: params_span,
        }));
    }

    fn members(&mut self, class: &mut Class, body: Node<'_>) {
        for node in children(body) {
            match node.kind() {
                "field_declaration" | "constant_declaration" => self.fields(class, node),
                "method_declaration" | "annotation_type_element_declaration" => {
                    let method = self.method(node, class.kind);
                    class.methods.extend(method.map(Arc::new));
                }
                "constructor_declaration" => {
                    let method = self.method(node, class.kind);
                    class.constructors.extend(method.map(Arc::new));
                }
                "compact_constructor_declaration" => {
                    // Its body runs before the fields are set, on the parameters.
                    let body = node
                        .child_by_field_name("body")
                        .map(|body| Body::Block(self.statements(body)));
                    let annotations = self.modifiers(node).annotations;
                    if let Some(canonical) = class.constructors.first_mut() {
                        let canonical = Arc::make_mut(canonical);
                        canonical.body = body;
                        canonical.annotations = annotations;
                    }
                }
                "static_initializer" => {
                    let body = first(node).map(|block| self.statements(block));
                    class.initializers.push(Initializer {
                        is_static: true,
                        body: body.unwrap_or_default(),
                    });
                }
                "block" => {
                    let body = self.statements(node);
                    class.initializers.push(Initializer {
                        is_static: false,
                        body,
                    });
                }
                "enum_constant" => {
                    let constant = self.constant(node, class);
                    class.fields.extend(constant.map(Arc::new));
                }
                "enum_body_declarations" => self.members(class, node),
                _ => {
                    let path = Arc::clone(&class.path);
                    let nested = self.class(node, &path);
                    class.nested.extend(nested.map(Arc::new));
                }
            }
        }
    }

    fn constant(&mut self, node: Node<'_>, class: &Class) -> Option<Field> {
        let name = node.child_by_field_name("name")?;
        let args = node.child_by_field_name("arguments");
        let args = args.map(|args| self.args(args)).unwrap_or_default();
        Some(Field {
            name: self.0.text(name).into(),
            name_span: self.0.span(name),
            annotations: Vec::new(),
            ty: Type {
                name: Arc::clone(&class.name),
                args: Vec::new(),
                array: false,
                span: class.name_span,
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

    fn fields(&mut self, class: &mut Class, node: Node<'_>) {
        let Some(ty) = node.child_by_field_name("type") else {
            return;
        };
        let modifiers = self.modifiers(node);
        let ty = self.ty(ty);
        let in_interface = matches!(class.kind, ClassKind::Interface | ClassKind::Annotation);
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
            class.fields.push(Arc::new(Field {
                name: self.0.text(name).into(),
                name_span: self.0.span(name),
                annotations: modifiers.annotations.clone(),
                ty,
                init: init.map(|init| self.expr(init)),
                getter: None,
                is_static: modifiers.is_static || in_interface,
                is_final: modifiers.is_final || in_interface,
                is_late: false,
                constant: None,
                span: self.0.span(node),
            }));
        }
    }

    fn method(&mut self, node: Node<'_>, kind: ClassKind) -> Option<Method> {
        let name = node.child_by_field_name("name")?;
        let modifiers = self.modifiers(node);
        let returns = node.child_by_field_name("type").map(|ty| {
            let mut ty = self.ty(ty);
            ty.array |= node.child_by_field_name("dimensions").is_some();
            ty
        });
        let params = node.child_by_field_name("parameters");
        let body = match node.child_by_field_name("body") {
            Some(body) => Some(Body::Block(self.statements(body))),
            None if kind == ClassKind::Annotation => node
                .child_by_field_name("value")
                .map(|value| Body::Expr(self.expr(value))),
            None => None,
        };
        Some(Method {
            name: self.0.text(name).into(),
            name_span: self.0.span(name),
            annotations: modifiers.annotations,
            params: params.map(|params| self.params(params)).unwrap_or_default(),
            returns,
            body,
            is_static: modifiers.is_static,
            receiver: None,
            is_primary: false,
            delegates: None,
            language: Language::Java,
            span: self.0.span(node),
        })
    }

    pub(super) fn params(&mut self, node: Node<'_>) -> Vec<Param> {
        let mut params = Vec::new();
        for node in children(node) {
            let varargs = node.kind() == "spread_parameter";
            if !varargs && node.kind() != "formal_parameter" {
                continue;
            }
            let annotations = self.modifiers(node).annotations;
            let (name, ty) = if varargs {
                let declarator = child(node, "variable_declarator");
                let ty = children(node).into_iter().find(|child| {
                    !matches!(
                        child.kind(),
                        "modifiers" | "annotation" | "marker_annotation" | "variable_declarator"
                    )
                });
                (
                    declarator.and_then(|node| node.child_by_field_name("name")),
                    ty,
                )
            } else {
                (
                    node.child_by_field_name("name"),
                    node.child_by_field_name("type"),
                )
            };
            let Some(name) = name else { continue };
            let span = self.0.span(node);
            let mut ty = match ty {
                Some(ty) => self.ty(ty),
                None => Type::unwritten(span),
            };
            ty.array |= node.child_by_field_name("dimensions").is_some();
            params.push(Param {
                name: self.0.text(name).into(),
                annotations,
                ty,
                varargs,
                default: None,
                span,
            });
        }
        params
    }

    /// A type.
    pub(super) fn ty(&mut self, node: Node<'_>) -> Type {
        let span = self.0.span(node);
        let plain = |name: &str| Type {
            name: name.into(),
            args: Vec::new(),
            array: false,
            span,
        };
        if !self.0.enter() {
            return plain("");
        }
        let ty = match node.kind() {
            "array_type" => {
                let element = node.child_by_field_name("element");
                let element = element.map(|element| self.ty(element));
                Type {
                    array: true,
                    span,
                    ..element.unwrap_or_else(|| plain(""))
                }
            }
            "generic_type" => {
                let parts = children(node);
                let name = parts.first().map(|name| self.0.path(*name));
                let args = child(node, "type_arguments").map(children);
                let args = args.unwrap_or_default().into_iter();
                let args = args.filter(|arg| arg.kind() != "wildcard");
                Type {
                    args: args.map(|arg| self.ty(arg)).collect(),
                    ..plain(&name.unwrap_or_default())
                }
            }
            "annotated_type" => match children(node).last() {
                Some(inner) => self.ty(*inner),
                None => plain(""),
            },
            "var" => plain(""),
            _ => match self.0.path(node).as_str() {
                "var" => plain(""),
                name => plain(name),
            },
        };
        self.0.leave();
        ty
    }

    pub(super) fn args(&mut self, node: Node<'_>) -> Vec<Arg> {
        let args = children(node).into_iter().map(|arg| Arg {
            name: None,
            value: self.expr(arg),
            spread: false,
        });
        args.collect()
    }
}
