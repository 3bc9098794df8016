//! Calls: of the program's own functions, and of what is foreign.

use super::ast::{Argument, Expr, Form, Name, SequenceKind};
use super::exec::Flow;
use super::object::{K, Obj, Val};
use super::program::{Program, SPENT};
use crate::limits::python::call::MAX_WRAPPERS;
use crate::source::Span;

/// What was done to something foreign.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// It was called.
    Call,
    /// An attribute was set; the path ends in it.
    SetAttribute,
    /// An item was set; the path ends in it.
    SetItem,
    /// An item was deleted.
    Delete,
}

/// Arguments of a call.
#[derive(Clone, Debug, Default)]
pub struct Arguments {
    /// By position.
    pub positional: Vec<Val>,
    /// By name: name, its place, value.
    pub keywords: Vec<(Name, Span, Val)>,
    /// There may be more (`*args`, `**options` of unknown content).
    pub open: bool,
}

impl Arguments {
    /// The value given by position or name.
    #[must_use]
    pub fn get(&self, at: usize, name: &str) -> Option<&Val> {
        self.positional.get(at).or_else(|| self.keyword(name))
    }

    /// The value given by name.
    #[must_use]
    pub fn keyword(&self, name: &str) -> Option<&Val> {
        let found = self.keywords.iter().find(|(known, _, _)| &**known == name);
        found.map(|(_, _, value)| value)
    }
}

/// Something that the program did to something foreign.
#[derive(Clone, Debug)]
pub struct Call {
    /// What was called, set or deleted.
    pub path: std::sync::Arc<str>,
    /// The call at the start of the path.
    pub receiver: Option<usize>,
    /// What was done.
    pub effect: Effect,
    /// With which arguments; what was set is the first.
    pub arguments: Arguments,
    /// Where.
    pub span: Span,
    /// Under which conditions.
    pub conditions: Vec<(usize, bool)>,
    /// In which module.
    pub module: usize,
}

impl Call {
    /// The path behind the receiver (`add_middleware` of `#3.add_middleware`).
    #[must_use]
    pub fn method(&self) -> &str {
        match self.receiver {
            Some(_) => self.path.split_once('.').map_or("", |(_, method)| method),
            None => &self.path,
        }
    }
}

/// How the path of what a library does with a class of the program begins; the class's number follows.
const CLASS: char = '@';

/// The class whose inherited `as_view` a path names.
#[must_use]
pub fn class_of_view(path: &str) -> Option<usize> {
    let number = path.strip_prefix(CLASS)?.strip_suffix(".as_view")?;
    number.parse().ok()
}

impl Program {
    pub(super) fn call_expression(
        &mut self,
        callee: &Expr,
        arguments: &[Argument],
        span: Span,
    ) -> Val {
        let callee = self.eval(callee);
        let arguments = self.arguments(arguments);
        self.call(&callee, &arguments, span)
    }

    fn arguments(&mut self, list: &[Argument]) -> Arguments {
        let mut arguments = Arguments::default();
        for argument in list {
            let value = self.eval(&argument.value);
            match &argument.form {
                Form::Positional => arguments.positional.push(value),
                Form::Keyword(name, span) => {
                    arguments.keywords.push((name.clone(), *span, value));
                }
                Form::Star => match self.items(&value) {
                    Some((items, open)) => {
                        arguments.positional.extend(items);
                        arguments.open |= open;
                    }
                    None => arguments.open = true,
                },
                Form::DoubleStar => {
                    let entries = match &value.kind {
                        K::Ref(id) => self.plain(*id),
                        _ => None,
                    };
                    let Some(Obj::Dict { entries, open }) = entries else {
                        arguments.open = true;
                        continue;
                    };
                    arguments.open |= open;
                    for (key, value) in entries {
                        match key.as_text() {
                            Some(name) => {
                                let name = Name::from(name);
                                arguments.keywords.push((name, key.span, value));
                            }
                            None => arguments.open = true,
                        }
                    }
                }
            }
        }
        arguments
    }

    /// Calls something.
    pub fn call(&mut self, callee: &Val, arguments: &Arguments, span: Span) -> Val {
        self.each(callee, &mut |program, callee| match &callee.kind {
            K::Function(index) => program.call_function(*index, None, arguments, span),
            K::Method(object, name) => program.call_method(object, name, arguments, span),
            K::Class(index) => program.instantiate(*index, arguments, span),
            K::Foreign(foreign) => {
                let path = std::sync::Arc::clone(&foreign.path);
                program.call_foreign(&path, foreign.call, arguments, span)
            }
            K::Instance(class, _) => match program.class_attribute(*class, "__call__", span) {
                Some(method) => match method.kind {
                    K::Function(index) => {
                        program.call_function(index, Some(callee.clone()), arguments, span)
                    }
                    _ => Val::unknown("a call of something unknown", span),
                },
                None => Val::unknown("a call of something unknown", span),
            },
            _ => Val::unknown("a call of something unknown", span),
        })
    }

    fn call_foreign(
        &mut self,
        path: &str,
        receiver: Option<usize>,
        arguments: &Arguments,
        span: Span,
    ) -> Val {
        if let Some(value) = self.environment_call(path, receiver, arguments, span) {
            return value;
        }
        if let Some(value) = self.builtin(path, arguments, span) {
            return value;
        }
        // `map(str.strip, …)`
        if let Some(name) = path.strip_prefix("str.")
            && let Some((text, rest)) = arguments.positional.split_first()
        {
            let rest = Arguments {
                positional: rest.to_vec(),
                ..arguments.clone()
            };
            let name = Name::from(name);
            return self.each(text, &mut |program, text| match text.kind {
                K::Text(_) | K::SomeText(_) => program.call_method(text, &name, &rest, span),
                _ => Val::unknown("a method of something unknown", span),
            });
        }
        if let Some(native) = self.native.clone()
            && let Some(value) = (native.0)(self, path, arguments, span)
        {
            return value;
        }
        // What was set on it before can be read back.
        if let Some(base) = path.strip_suffix(".get")
            && let Some(key) = arguments.positional.first().and_then(Val::as_text)
        {
            let set = self.foreign_value(&format!("{base}[{key}]"), span);
            if !matches!(&set.kind, K::Foreign(foreign) if foreign.path.ends_with(']')) {
                return set;
            }
        }
        if path.starts_with("super") {
            return Val::unknown("a call of a base class", span);
        }
        if path == "split_settings.tools.include" {
            self.include_parts(&arguments.positional);
        }
        self.record(path, receiver, arguments.clone(), span)
    }

    /// Records a call; its result is known by its number.
    pub fn record(
        &mut self,
        path: &str,
        receiver: Option<usize>,
        arguments: Arguments,
        span: Span,
    ) -> Val {
        if self.calls.len() >= 100_000 {
            return Val::unknown(SPENT, span);
        }
        let at = self.calls.push(Call {
            path: path.into(),
            receiver,
            effect: Effect::Call,
            arguments,
            span,
            conditions: self.path.clone(),
            module: self.module,
        });
        Val::foreign(&format!("#{at}"), span)
    }

    pub(super) fn record_effect(&mut self, path: &str, effect: Effect, value: Val, span: Span) {
        let receiver = Val::foreign(path, span).call();
        let arguments = Arguments {
            positional: vec![value],
            ..Arguments::default()
        };
        let recorded = self.record(path, receiver, arguments, span);
        if let Some(call) = recorded.call().and_then(|at| self.calls.get_mut(at)) {
            call.effect = effect;
        }
    }

    /// Applies decorators from the inside out. What a library's decorator gives stands for the
    /// function itself.
    pub(super) fn decorate(&mut self, value: Val, decorators: &[Val]) -> Val {
        let mut value = value;
        for decorator in decorators.iter().rev() {
            let arguments = Arguments {
                positional: vec![value.clone()],
                ..Arguments::default()
            };
            match &decorator.kind {
                K::Foreign(foreign) => {
                    let path = std::sync::Arc::clone(&foreign.path);
                    let span = decorator.span;
                    self.record(&path, foreign.call, arguments, span);
                }
                K::Function(_) | K::Instance(..) | K::OneOf(..) => {
                    let result = self.call(decorator, &arguments, decorator.span);
                    value = self.wrapped_function(&result).unwrap_or(value);
                }
                _ => {}
            }
        }
        value
    }

    /// The function that a value is, or that decorators of libraries were called with.
    fn wrapped_function(&self, value: &Val) -> Option<Val> {
        let mut value = value;
        for _ in 0..MAX_WRAPPERS {
            if matches!(value.kind, K::Function(_)) {
                return Some(value.clone());
            }
            let call = value.call().and_then(|at| self.calls.get(at))?;
            value = call.arguments.positional.first()?;
        }
        None
    }

    /// Calls a function of the program.
    pub fn call_function(
        &mut self,
        index: usize,
        this: Option<Val>,
        arguments: &Arguments,
        span: Span,
    ) -> Val {
        if !self.functions[index].called
            && let Some(defined) = self.functions.get_mut(index)
        {
            defined.called = true;
        }
        let defined = self.functions[index].clone();
        if defined.function.generator && !self.answering {
            return Val::unknown("a generator", span);
        }
        let depth = self.stack.iter().filter(|at| **at == index).count();
        if depth > 2 || !self.budget.step() || !self.budget.enter() {
            return Val::unknown(SPENT, span);
        }
        self.stack.push(index);
        let frame = self.names();
        let this = this.filter(|_| !defined.is_static());
        self.bind_parameters(&defined, frame, this, arguments, span);
        let mut scopes = vec![frame];
        scopes.extend(&defined.scopes);
        let scopes = std::mem::replace(&mut self.scopes, scopes);
        let module = std::mem::replace(&mut self.module, defined.module);
        let class = self.class.take();
        let globals = std::mem::take(&mut self.globals);
        let flow = self.block(&defined.function.body);
        self.globals = globals;
        self.class = class;
        self.module = module;
        self.scopes = scopes;
        self.stack.pop();
        self.budget.leave();
        returned(flow, span)
    }

    fn bind_parameters(
        &mut self,
        defined: &super::program::Defined,
        frame: usize,
        this: Option<Val>,
        arguments: &Arguments,
        span: Span,
    ) {
        let mut positional = this.into_iter().chain(arguments.positional.iter().cloned());
        let mut used: Vec<&Name> = Vec::new();
        let parameters = &defined.function.parameters;
        let mut rest_taken = false;
        for (parameter, default) in parameters.iter().zip(&defined.defaults) {
            let value = match parameter.form {
                Form::Star => {
                    rest_taken = true;
                    let items: Vec<Val> = positional.by_ref().collect();
                    self.list(SequenceKind::Tuple, items, arguments.open, span)
                }
                Form::DoubleStar => {
                    let rest = arguments.keywords.iter();
                    let rest = rest.filter(|(name, _, _)| !used.contains(&name));
                    let entries =
                        rest.map(|(name, at, value)| (Val::text(name, *at), value.clone()));
                    let entries = entries.collect();
                    self.dict(entries, arguments.open, span)
                }
                _ => {
                    let next = if rest_taken { None } else { positional.next() };
                    let given = next.or_else(|| {
                        used.push(&parameter.name);
                        arguments.keyword(&parameter.name).cloned()
                    });
                    match (given, default) {
                        (Some(value), _) => value,
                        (None, Some(default)) if !arguments.open => default.clone(),
                        _ => Val::unknown("a parameter that nobody gives", span),
                    }
                }
            };
            self.set_name(frame, &parameter.name, value);
        }
    }

    fn instantiate(&mut self, class: usize, arguments: &Arguments, span: Span) -> Val {
        let attributes = self.names();
        let instance = Val::new(K::Instance(class, attributes), span);
        // Pydantic and dataclasses take their fields by name.
        for (name, _, value) in &arguments.keywords {
            let is_field = self.classes[class]
                .annotated
                .iter()
                .any(|(field, _)| field == name);
            if is_field {
                self.set_name(attributes, name, value.clone());
            }
        }
        if let Some(init) = self.class_attribute(class, "__init__", span)
            && let K::Function(index) = init.kind
        {
            self.call_function(index, Some(instance.clone()), arguments, span);
        }
        instance
    }

    /// An attribute of a class or of what it derives from.
    pub fn class_attribute(&mut self, class: usize, name: &str, span: Span) -> Option<Val> {
        self.class_attribute_below(class, name, span, 0)
    }

    fn class_attribute_below(
        &mut self,
        class: usize,
        name: &str,
        span: Span,
        depth: usize,
    ) -> Option<Val> {
        let names = self.classes[class].names;
        let value = self.get_name(names, name, span);
        if value.kind != K::Missing {
            return Some(value);
        }
        if depth > 20 {
            return None;
        }
        let bases = self.classes[class].bases.clone();
        bases.iter().find_map(|base| match base.kind {
            K::Class(index) if index != class => {
                self.class_attribute_below(index, name, span, depth + 1)
            }
            _ => None,
        })
    }

    /// A class of the program and all that it derives from there, each once.
    #[must_use]
    pub fn lineage(&self, class: usize) -> Vec<usize> {
        let mut found = vec![class];
        let mut at = 0;
        while let Some(class) = found.get(at).copied() {
            for base in &self.classes[class].bases {
                if let K::Class(index) = base.kind
                    && !found.contains(&index)
                {
                    found.push(index);
                }
            }
            at += 1;
        }
        found
    }

    /// Does a class of the program have a function of this name, its own or an inherited one?
    #[must_use]
    pub fn has_method(&self, class: usize, name: &str) -> bool {
        self.lineage(class).into_iter().any(|class| {
            let known = self.peek(self.classes[class].names, name);
            known.is_some_and(|known| known.kind != K::Missing)
        })
    }

    /// The paths of the libraries' classes that a class derives from; `?` for what is not known.
    #[must_use]
    pub fn foreign_bases(&self, class: usize) -> Vec<String> {
        let lineage = self.lineage(class).into_iter();
        let bases = lineage.flat_map(|class| &self.classes[class].bases);
        let paths = bases.filter_map(|base| match &base.kind {
            K::Class(_) => None,
            K::Foreign(foreign) => Some(foreign.path.to_string()),
            _ => Some("?".into()),
        });
        paths.collect()
    }

    /// `object.name`.
    pub fn attribute(&mut self, object: &Val, name: &Name, span: Span) -> Val {
        self.each(object, &mut |program, object| {
            program.attribute_plain(object, name, span)
        })
    }

    fn attribute_plain(&mut self, object: &Val, name: &Name, span: Span) -> Val {
        match &object.kind {
            K::Module(index) => {
                let names = self.modules[*index].names;
                let value = self.get_name(names, name, span);
                self.each(&value, &mut |program, value| match value.kind {
                    K::Missing => program.submodule(*index, name, span),
                    _ => value.clone(),
                })
            }
            K::Instance(class, attributes) => {
                let own = self.get_name(*attributes, name, span);
                self.each(&own, &mut |program, own| match own.kind {
                    K::Missing => program.inherited(object, *class, name, span),
                    _ => own.clone(),
                })
            }
            K::Class(class) => match self.class_attribute(*class, name, span) {
                Some(value) => match value.kind {
                    K::Function(index) if self.functions[index].is_class_method() => {
                        Val::new(K::Method(Box::new(object.clone()), name.clone()), span)
                    }
                    _ => value,
                },
                // What routes are given: a library's own method, with the class that it is called on.
                None if &**name == "as_view" => {
                    Val::foreign(&format!("{CLASS}{class}.as_view"), span)
                }
                None => Val::unknown("an attribute that is not in view", span),
            },
            K::Foreign(foreign) => {
                let path = format!("{}.{name}", foreign.path);
                self.foreign_value(&path, span)
            }
            K::Unknown(_) => object.clone().at(span),
            K::Missing | K::None => Val::unknown("an attribute of nothing", span),
            _ => Val::new(K::Method(Box::new(object.clone()), name.clone()), span),
        }
    }

    /// What was set at a foreign path, or the path itself.
    pub(super) fn foreign_value(&mut self, path: &str, span: Span) -> Val {
        let store = self.foreign;
        let set = self.get_name(store, path, span);
        self.each(&set, &mut |_, set| match set.kind {
            K::Missing => Val::foreign(path, span),
            _ => set.clone(),
        })
    }

    fn inherited(&mut self, object: &Val, class: usize, name: &Name, span: Span) -> Val {
        if let Some(value) = self.settings_field(class, name, span) {
            return value;
        }
        match self.class_attribute(class, name, span) {
            Some(value) => match value.kind {
                K::Function(index) if self.functions[index].is_property() => {
                    self.call_function(index, Some(object.clone()), &Arguments::default(), span)
                }
                K::Function(_) => Val::new(K::Method(Box::new(object.clone()), name.clone()), span),
                _ => value,
            },
            None => match self.foreign_bases(class).first() {
                Some(base) => Val::foreign(&format!("{base}().{name}"), span),
                None => Val::unknown("an attribute that is not in view", span),
            },
        }
    }

    /// `object[key]`.
    pub(super) fn item(&mut self, object: &Val, key: &Val, span: Span) -> Val {
        self.each_two(
            object,
            key,
            &mut |program, object, key| match &object.kind {
                K::Ref(id) => program.read(*id, span, &mut |_, obj| match (obj, &key.kind) {
                    (Obj::Dict { entries, open }, _) => {
                        let found = entries.iter().find(|(known, _)| known.kind == key.kind);
                        match found {
                            Some((_, value)) => value.clone(),
                            None if *open => Val::unknown("a key that is not in view", span),
                            None => Val::unknown("a key that does not exist", span),
                        }
                    }
                    (Obj::List { items, open, .. }, K::Number(at)) => {
                        let at = *at as i64;
                        let length = i64::try_from(items.len()).unwrap_or(i64::MAX);
                        let at = if at < 0 && !open { at + length } else { at };
                        let found = usize::try_from(at).ok().and_then(|at| items.get(at));
                        found
                            .cloned()
                            .unwrap_or_else(|| Val::unknown("an item that is not in view", span))
                    }
                    _ => Val::unknown("an item of something unknown", span),
                }),
                K::Foreign(foreign) => {
                    let path = std::sync::Arc::clone(&foreign.path);
                    if let Some(value) = program.environment_item(&path, key, span) {
                        return value;
                    }
                    let key = key.as_text().unwrap_or("?");
                    program.foreign_value(&format!("{path}[{key}]"), span)
                }
                _ => Val::unknown("an item of something unknown", span),
            },
        )
    }
}

fn returned(flow: Flow, span: Span) -> Val {
    match flow {
        Flow::Return(value) => value,
        Flow::Raise => Val::foreign("raise", span),
        Flow::Split(condition, yes, no) => {
            let (yes, no) = (returned(*yes, span), returned(*no, span));
            Val::one_of(condition, yes, no, span)
        }
        _ => Val::new(K::None, span),
    }
}

impl super::program::Defined {
    /// Did the program call it?
    #[must_use]
    pub const fn is_called(&self) -> bool {
        self.called
    }

    /// Does it stand in a module or in a class of a module?
    #[must_use]
    pub fn is_outermost(&self) -> bool {
        self.scopes.len() == 1
    }

    fn has_decorator(&self, names: &[&str]) -> bool {
        self.decorators.iter().filter_map(Val::path).any(|path| {
            names
                .iter()
                .any(|name| path.rsplit('.').next() == Some(name))
        })
    }

    fn is_static(&self) -> bool {
        self.has_decorator(&["staticmethod"])
    }

    fn is_class_method(&self) -> bool {
        self.has_decorator(&["classmethod"])
    }

    fn is_property(&self) -> bool {
        self.has_decorator(&["property", "cached_property", "computed_field"])
    }
}
