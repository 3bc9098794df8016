//! Statements.

use std::sync::Arc;

use super::ast::{Class, Expr, ExprKind, Function, Name, SequenceKind, Stmt, StmtKind};
use super::call::Effect;
use super::eval::insert;
use super::object::{Id, K, Obj, Val};
use super::program::{Defined, DefinedClass, MAX_LENGTH, Program};
use crate::source::Span;

/// How a statement ends.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Flow {
    /// The next one follows.
    Next,
    /// The function ends.
    Return(Val),
    /// An exception.
    Raise,
    /// The loop ends.
    Break,
    /// The loop goes on.
    Continue,
    /// One of two, by a condition.
    Split(usize, Box<Self>, Box<Self>),
}

fn join(condition: usize, yes: Flow, no: Flow) -> Flow {
    match (yes, no) {
        (Flow::Return(a), Flow::Return(b)) => {
            let span = a.span;
            Flow::Return(Val::one_of(condition, a, b, span))
        }
        (yes, no) if yes == no => yes,
        (yes, no) => Flow::Split(condition, Box::new(yes), Box::new(no)),
    }
}

impl Program {
    pub(super) fn block(&mut self, body: &[Stmt]) -> Flow {
        for (at, stmt) in body.iter().enumerate() {
            if !self.budget.step() || !self.budget.enter() {
                return Flow::Next;
            }
            let flow = self.statement(stmt);
            self.budget.leave();
            match flow {
                Flow::Next => {}
                Flow::Split(..) => {
                    let rest = &body[at + 1..];
                    return self.then(flow, &mut |program| program.block(rest));
                }
                flow => return flow,
            }
        }
        Flow::Next
    }

    /// Goes on where a split flow goes on.
    fn then(&mut self, flow: Flow, rest: &mut dyn FnMut(&mut Self) -> Flow) -> Flow {
        match flow {
            Flow::Next => rest(self),
            Flow::Split(condition, yes, no) => {
                let flow = self.branch(
                    condition,
                    &mut |program, holds| {
                        let side = if holds { &yes } else { &no };
                        program.then((**side).clone(), rest)
                    },
                    join,
                );
                self.without_failure(flow)
            }
            flow => flow,
        }
    }

    /// A deployment in which the program fails at start is none: the other side is assumed.
    fn without_failure(&mut self, flow: Flow) -> Flow {
        if self.answering || self.catching {
            return flow;
        }
        match flow {
            Flow::Split(condition, yes, no) if *yes == Flow::Raise => {
                self.path.push((condition, false));
                *no
            }
            Flow::Split(condition, yes, no) if *no == Flow::Raise => {
                self.path.push((condition, true));
                *yes
            }
            flow => flow,
        }
    }

    fn statement(&mut self, stmt: &Stmt) -> Flow {
        match &stmt.kind {
            StmtKind::Expr(expr) => {
                let value = self.eval(expr);
                if value.path() == Some("raise") {
                    return Flow::Raise;
                }
            }
            StmtKind::Assign(targets, value, annotation) => {
                self.assignment(targets, value.as_ref(), annotation.as_ref());
            }
            StmtKind::Augment(target, operator, value) => self.augment(target, operator, value),
            StmtKind::If(tests, rest) => return self.choose(tests, rest),
            StmtKind::For(target, items, body) => return self.repeat(target, items, body),
            StmtKind::Loop(body) | StmtKind::Unknown(body) => {
                let flow = self.perhaps(stmt.span, body);
                return match flow {
                    Flow::Return(_) | Flow::Raise => flow,
                    _ => Flow::Next,
                };
            }
            StmtKind::Try(body, handlers, otherwise, finally) => {
                return self.attempt(body, handlers, otherwise, finally);
            }
            StmtKind::With(items, body) => {
                for (item, target) in items {
                    let value = self.eval(item);
                    if let Some(target) = target {
                        self.assign(target, value);
                    }
                }
                return self.block(body);
            }
            StmtKind::Function(decorators, function) => {
                let decorators: Vec<Val> = decorators.iter().map(|d| self.eval(d)).collect();
                let value = self.define(function, decorators.clone(), function.name_span);
                let value = self.decorate(value, &decorators);
                self.bind(&function.name, value);
            }
            StmtKind::Class(decorators, class) => self.define_class(decorators, class),
            StmtKind::Return(value) => {
                let value = match value {
                    Some(value) => self.eval(value),
                    None => Val::new(K::None, stmt.span),
                };
                return Flow::Return(value);
            }
            StmtKind::Raise => return Flow::Raise,
            StmtKind::Break => return Flow::Break,
            StmtKind::Continue => return Flow::Continue,
            StmtKind::Import(names) => self.import(names, stmt.span),
            StmtKind::From(dots, path, names, everything) => {
                self.import_from(*dots, path, names, *everything, stmt.span);
            }
            StmtKind::Global(names) => self.globals.extend(names.iter().cloned()),
            StmtKind::Delete(targets) => targets.iter().for_each(|target| self.delete(target)),
            StmtKind::Pass => {}
        }
        Flow::Next
    }

    fn assignment(
        &mut self,
        targets: &[Expr],
        value: Option<&Expr>,
        annotation: Option<&Arc<str>>,
    ) {
        if let (Some(class), Some(annotation)) = (self.class, annotation)
            && let Some(ExprKind::Name(name)) = targets.first().map(|target| &target.kind)
        {
            let entry = (Arc::clone(name), Arc::clone(annotation));
            if let Some(class) = self.classes.get_mut(class) {
                class.annotated.push(entry);
            }
        }
        let Some(value) = value else { return };
        let value = self.eval(value);
        for target in targets {
            self.assign(target, value.clone());
        }
    }

    /// Binds a name where Python binds it.
    pub(super) fn bind(&mut self, name: &Name, value: Val) {
        let global = self.globals.contains(name);
        let scope = if global {
            self.scopes.last()
        } else {
            self.scopes.first()
        };
        if let Some(scope) = scope.copied() {
            self.set_name(scope, name, value);
        }
    }

    pub(super) fn assign(&mut self, target: &Expr, value: Val) {
        match &target.kind {
            ExprKind::Name(name) => self.bind(name, value),
            ExprKind::Star(inner) => self.assign(inner, value),
            ExprKind::Attribute(object, name) => {
                let object = self.eval(object);
                self.set_attribute(&object, name, value, target.span);
            }
            ExprKind::Item(object, key) => {
                let object = self.eval(object);
                let key = self.eval(key);
                self.set_item(&object, &key, value, target.span);
            }
            ExprKind::Sequence(_, targets) => {
                let items = self.items(&value);
                let starred = targets
                    .iter()
                    .any(|target| matches!(target.kind, ExprKind::Star(_)));
                match items {
                    Some((items, false)) if !starred && items.len() == targets.len() => {
                        for (target, item) in targets.iter().zip(items) {
                            self.assign(target, item);
                        }
                    }
                    _ => {
                        let unknown = Val::unknown("a part of something unknown", target.span);
                        for target in targets {
                            self.assign(target, unknown.clone());
                        }
                    }
                }
            }
            _ => {}
        }
    }

    fn set_attribute(&mut self, object: &Val, name: &Name, value: Val, span: Span) {
        self.each(object, &mut |program, object| {
            match &object.kind {
                K::Instance(_, id) => program.set_name(*id, name, value.clone()),
                K::Module(index) => {
                    let names = program.modules[*index].names;
                    program.set_name(names, name, value.clone());
                }
                K::Class(index) => {
                    let names = program.classes[*index].names;
                    program.set_name(names, name, value.clone());
                }
                K::Foreign(foreign) => {
                    let path = format!("{}.{name}", foreign.path);
                    program.set_foreign(&path, Effect::SetAttribute, value.clone(), span);
                }
                _ => {}
            }
            object.clone()
        });
    }

    /// Remembers and records what was set on something foreign.
    pub(super) fn set_foreign(&mut self, path: &str, effect: Effect, value: Val, span: Span) {
        let foreign = self.foreign;
        self.set_name(foreign, path, value.clone());
        self.record_effect(path, effect, value, span);
    }

    fn set_item(&mut self, object: &Val, key: &Val, value: Val, span: Span) {
        self.each(object, &mut |program, object| {
            match &object.kind {
                K::Ref(id) => program.update(*id, &mut |_, obj| {
                    let mut obj = obj.clone();
                    match (&mut obj, &key.kind) {
                        (Obj::Dict { entries, open }, _) => {
                            if matches!(key.kind, K::Unknown(_) | K::OneOf(..)) {
                                *open = true;
                            } else {
                                insert(entries, key.clone(), value.clone());
                            }
                        }
                        (Obj::List { items, open, .. }, K::Number(at)) => {
                            let at = *at as i64;
                            let length = i64::try_from(items.len()).unwrap_or(i64::MAX);
                            let at = if at < 0 { at + length } else { at };
                            match usize::try_from(at).ok().and_then(|at| items.get_mut(at)) {
                                Some(item) => *item = value.clone(),
                                None => *open = true,
                            }
                        }
                        (Obj::List { items, open, .. }, _) => {
                            items.clear();
                            *open = true;
                        }
                        _ => {}
                    }
                    obj
                }),
                K::Foreign(foreign) => {
                    let key = match &key.kind {
                        K::Text(text) => (**text).to_owned(),
                        _ => "?".to_owned(),
                    };
                    let path = format!("{}[{key}]", foreign.path);
                    program.set_foreign(&path, Effect::SetItem, value.clone(), span);
                }
                _ => {}
            }
            object.clone()
        });
    }

    fn delete(&mut self, target: &Expr) {
        match &target.kind {
            ExprKind::Name(name) => self.bind(name, Val::new(K::Missing, target.span)),
            ExprKind::Item(object, key) => {
                let object = self.eval(object);
                let key = self.eval(key);
                self.each(&object, &mut |program, object| {
                    match &object.kind {
                        K::Ref(id) => program.update(*id, &mut |_, obj| {
                            let mut obj = obj.clone();
                            match &mut obj {
                                Obj::Dict { entries, .. } => {
                                    entries.retain(|(known, _)| known.kind != key.kind);
                                }
                                Obj::List { items, open, .. } => {
                                    items.clear();
                                    *open = true;
                                }
                                _ => {}
                            }
                            obj
                        }),
                        K::Foreign(foreign) => {
                            let key = key.as_text().unwrap_or("?");
                            let path = format!("{}[{key}]", foreign.path);
                            let missing = Val::new(K::Missing, target.span);
                            program.set_foreign(&path, Effect::Delete, missing, target.span);
                        }
                        _ => {}
                    }
                    object.clone()
                });
            }
            _ => {}
        }
    }

    fn augment(&mut self, target: &Expr, operator: &str, value: &Expr) {
        let old = self.eval(target);
        let value = self.eval(value);
        // A list is extended in place, whoever else holds it.
        if operator == "+"
            && let K::Ref(id) = old.kind
            && let Some(Obj::List {
                kind: SequenceKind::List,
                ..
            }) = self.plain(id)
        {
            self.extend(id, &value);
            return;
        }
        let result = self.binary(&old, operator, &value, target.span.to(value.span));
        self.assign(target, result);
    }

    /// `list.extend`.
    pub(super) fn extend(&mut self, id: Id, value: &Val) {
        self.each(value, &mut |program, value| {
            let more = program.items(value);
            program.update(id, &mut |_, obj| {
                let mut obj = obj.clone();
                if let Obj::List { items, open, .. } = &mut obj {
                    match &more {
                        Some((more, also)) if items.len() + more.len() <= MAX_LENGTH => {
                            items.extend(more.iter().cloned());
                            *open |= *also;
                        }
                        _ => *open = true,
                    }
                }
                obj
            });
            value.clone()
        });
    }

    fn choose(&mut self, tests: &[(Expr, Vec<Stmt>)], rest: &[Stmt]) -> Flow {
        let Some(((test, body), others)) = tests.split_first() else {
            return self.block(rest);
        };
        // A guard of a script, or never true while the program runs.
        if let Some(holds) = static_test(test) {
            return if holds {
                self.block(body)
            } else {
                self.choose(others, rest)
            };
        }
        let value = self.eval(test);
        let text = self.source(test.span);
        let truth = self.truth(&value, &text, test.span);
        self.decide(&truth, &mut |program, holds| {
            if holds {
                program.block(body)
            } else {
                program.choose(others, rest)
            }
        })
    }

    fn decide(&mut self, truth: &Val, run: &mut dyn FnMut(&mut Self, bool) -> Flow) -> Flow {
        match &truth.kind {
            K::Bool(holds) => run(self, *holds),
            K::OneOf(condition, yes, no) => {
                let flow = self.branch(
                    *condition,
                    &mut |program, holds| program.decide(if holds { yes } else { no }, run),
                    join,
                );
                self.without_failure(flow)
            }
            _ => Flow::Next,
        }
    }

    /// Runs statements that may or may not run.
    fn perhaps(&mut self, span: Span, body: &[Stmt]) -> Flow {
        if body.is_empty() {
            return Flow::Next;
        }
        let text = format!("`{}` runs", self.source(span));
        match self.atom(text, span, false) {
            Some(atom) => self.branch(
                atom,
                &mut |program, holds| {
                    if holds {
                        program.block(body)
                    } else {
                        Flow::Next
                    }
                },
                join,
            ),
            None => Flow::Next,
        }
    }

    fn repeat(&mut self, target: &Expr, items: &Expr, body: &[Stmt]) -> Flow {
        let text = items.span;
        let items = self.eval(items);
        let (items, open) = self.items(&items).unwrap_or((Vec::new(), true));
        let flow = self.iterate(target, &items, body);
        if !open || flow != Flow::Next {
            return flow;
        }
        let words = format!("`{}` has more", self.source(text));
        let Some(atom) = self.atom(words, text, false) else {
            return Flow::Next;
        };
        let unknown = Val::unknown("an item of something unknown", text);
        let flow = self.branch(
            atom,
            &mut |program, holds| {
                if !holds {
                    return Flow::Next;
                }
                program.iterate(target, std::slice::from_ref(&unknown), body)
            },
            join,
        );
        self.without_failure(flow)
    }

    fn iterate(&mut self, target: &Expr, items: &[Val], body: &[Stmt]) -> Flow {
        for (at, item) in items.iter().enumerate() {
            if !self.budget.step() {
                return Flow::Next;
            }
            self.assign(target, item.clone());
            match self.block(body) {
                Flow::Next | Flow::Continue => {}
                Flow::Break => return Flow::Next,
                Flow::Split(condition, yes, no) => {
                    let rest = &items[at + 1..];
                    let flow = Flow::Split(condition, yes, no);
                    return self
                        .then_loop(flow, &mut |program| program.iterate(target, rest, body));
                }
                flow => return flow,
            }
        }
        Flow::Next
    }

    fn then_loop(&mut self, flow: Flow, rest: &mut dyn FnMut(&mut Self) -> Flow) -> Flow {
        match flow {
            Flow::Next | Flow::Continue => rest(self),
            Flow::Break => Flow::Next,
            Flow::Split(condition, yes, no) => self.branch(
                condition,
                &mut |program, holds| {
                    let side = if holds { &yes } else { &no };
                    program.then_loop((**side).clone(), rest)
                },
                join,
            ),
            flow => flow,
        }
    }

    fn attempt(
        &mut self,
        body: &[Stmt],
        handlers: &[(Vec<Name>, Vec<Stmt>)],
        otherwise: &[Stmt],
        finally: &[Stmt],
    ) -> Flow {
        let before = std::mem::replace(&mut self.catching, !handlers.is_empty());
        let asked = self.optional_environment.len();
        let flow = self.block(body);
        self.catching = before;
        let unset: Vec<usize> = self.optional_environment.split_off(asked);
        let handler = handlers.iter().find(|(names, _)| {
            let fits = |name: &Name| matches!(&**name, "KeyError" | "Exception" | "LookupError");
            names.is_empty() || names.iter().any(fits)
        });
        let flow = match (flow, handler.or(handlers.first())) {
            (Flow::Raise, Some((_, handler))) => self.block(handler),
            (flow, _) => {
                let flow = self.then(flow, &mut |program| program.block(otherwise));
                match (unset.first(), handler) {
                    // The variable may be missing, and then the handler has the last word.
                    (Some(atom), Some((_, handler))) if flow == Flow::Next => self.branch(
                        *atom,
                        &mut |program, set| {
                            if set {
                                Flow::Next
                            } else {
                                program.block(handler)
                            }
                        },
                        join,
                    ),
                    _ => flow,
                }
            }
        };
        self.then(flow, &mut |program| program.block(finally))
    }

    pub(super) fn define(
        &mut self,
        function: &Arc<Function>,
        decorators: Vec<Val>,
        span: Span,
    ) -> Val {
        let mut defaults = Vec::new();
        for parameter in &function.parameters {
            let default = parameter.default.as_ref();
            defaults.push(default.map(|default| self.eval(default)));
        }
        // Names of a class body are not seen from its methods.
        let skip = usize::from(self.class.is_some());
        self.functions.push(Defined {
            function: Arc::clone(function),
            module: self.module,
            scopes: self.scopes.iter().skip(skip).copied().collect(),
            defaults,
            class: self.class,
            decorators,
            called: false,
        });
        Val::new(K::Function(self.functions.len() - 1), span)
    }

    fn define_class(&mut self, decorators: &[Expr], class: &Arc<Class>) {
        let decorators: Vec<Val> = decorators.iter().map(|d| self.eval(d)).collect();
        let bases: Vec<Val> = class.bases.iter().map(|base| self.eval(base)).collect();
        let names = self.names();
        self.classes.push(DefinedClass {
            class: Arc::clone(class),
            bases,
            names,
            annotated: Vec::new(),
            decorators,
        });
        let index = self.classes.len() - 1;
        let outer = self.class.replace(index);
        let mut scopes = vec![names];
        scopes.extend(
            self.scopes
                .iter()
                .skip(usize::from(outer.is_some()))
                .copied(),
        );
        let scopes = std::mem::replace(&mut self.scopes, scopes);
        self.block(&class.body);
        self.scopes = scopes;
        self.class = outer;
        self.bind(&class.name, Val::new(K::Class(index), class.name_span));
    }
}

/// Small applications are set up below `if __name__ == "__main__"`; `TYPE_CHECKING` is never true.
fn static_test(test: &Expr) -> Option<bool> {
    match &test.kind {
        ExprKind::Compare(left, _, _) => match &left.kind {
            ExprKind::Name(name) if &**name == "__name__" => Some(true),
            _ => None,
        },
        ExprKind::Name(name) if &**name == "TYPE_CHECKING" => Some(false),
        _ => None,
    }
}
