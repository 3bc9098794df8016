//! Statements.

use std::sync::Arc;

use super::heap::{Id, ObjectKind, V, Val};
use super::{Abrupt, Host, Machine, Result};
use crate::limits::javascript::statements::MAX_ROUNDS;
use crate::syntax::javascript::ast::{
    Argument, Body, Class, Expr, ExprKind, Function, Key, Name, Pattern, Property, Reach, Stmt,
};

/// How a statement ends.
#[derive(Debug)]
pub(super) enum Flow {
    Normal,
    Return(Val),
    Break,
    Continue,
}

impl<H: Host> Machine<'_, H> {
    /// Executes statements in a scope of their own making.
    pub(super) fn exec_all(&mut self, statements: &[Stmt], scope: Id) -> Result<Flow> {
        self.hoist(statements, scope);
        for statement in statements {
            match self.exec(statement, scope)? {
                Flow::Normal => {}
                other => return Ok(other),
            }
        }
        Ok(Flow::Normal)
    }

    /// Declares functions before anything runs.
    pub(super) fn hoist(&mut self, statements: &[Stmt], scope: Id) {
        for statement in statements {
            let declared = match statement {
                Stmt::Export(crate::syntax::javascript::ast::Export::Declaration(inner)) => inner,
                other => other,
            };
            if let Stmt::Function(name, function) = declared {
                let val = self.closure(function, scope);
                self.declare(scope, name, val);
            }
        }
    }

    pub(super) fn closure(&mut self, function: &Arc<Function>, scope: Id) -> Val {
        let kind = ObjectKind::Function(Arc::clone(function), scope);
        self.allocate(kind, function.span)
    }

    pub(super) fn class_value(&mut self, class: &Arc<Class>, scope: Id) -> Result<Val> {
        let parent = match &class.parent {
            Some(parent) => Some(Box::new(self.eval(parent, scope)?)),
            None => None,
        };
        let kind = ObjectKind::Class(Arc::clone(class), scope, parent);
        let val = self.allocate(kind, class.span);
        for member in class.members.iter().filter(|member| member.is_static) {
            let value = match (&member.method, &member.value) {
                (Some(method), _) => self.closure(method, scope),
                (None, Some(value)) => {
                    let inner = self.scope(Some(scope));
                    self.declare(inner, &"this".into(), val.clone());
                    self.eval(value, inner)?
                }
                (None, None) => Val::undefined(class.span),
            };
            if let Some(id) = val.as_id() {
                self.objects
                    .get_mut(id)
                    .set(&member.name, class.span, value);
            }
        }
        for decorator in &class.decorators {
            match self.eval(decorator, scope) {
                Ok(_) | Err(Abrupt::Throw(_)) => {}
                Err(stop) => return Err(stop),
            }
        }
        Ok(val)
    }

    pub(super) fn exec(&mut self, statement: &Stmt, scope: Id) -> Result<Flow> {
        self.step()?;
        match statement {
            Stmt::Unknown(_) | Stmt::Empty | Stmt::Import(_) => {}
            Stmt::Declare(reach, declarators) => {
                let target = self.reached(*reach, scope);
                for (pattern, value) in declarators {
                    let val = match value {
                        Some(value) => self.eval(value, scope)?,
                        None => match pattern {
                            // `var` again keeps what is there.
                            Pattern::Name(name, _)
                                if *reach == Reach::Function
                                    && self.scopes.get(target).variables.contains_key(name) =>
                            {
                                continue;
                            }
                            Pattern::Name(_, span) => Val::undefined(*span),
                            _ => continue,
                        },
                    };
                    self.bind(pattern, val, target)?;
                }
            }
            // Hoisted.
            Stmt::Function(..) => {}
            Stmt::Class(name, class) => {
                let val = self.class_value(class, scope)?;
                self.declare(scope, name, val);
            }
            Stmt::Enum(name, members, span) => {
                let val = self.enumeration(members, *span, scope)?;
                self.declare(scope, name, val);
            }
            Stmt::Expr(expr) => {
                let val = self.eval_effect(expr, scope)?;
                if matches!(expr.kind, ExprKind::Call(..)) && val.span == expr.span {
                    H::discard(self, &val);
                }
            }
            Stmt::Return(value, span) => {
                return Ok(Flow::Return(match value {
                    Some(value) => self.eval(value, scope)?,
                    None => Val::undefined(*span),
                }));
            }
            Stmt::Throw(value) => {
                let val = self.eval(value, scope)?;
                return Err(Abrupt::Throw(val));
            }
            Stmt::If(test, yes, no) => return self.exec_if(test, yes, no.as_deref(), scope),
            Stmt::Block(statements) => {
                let inner = self.block(scope);
                return self.exec_all(statements, inner);
            }
            Stmt::ForEach {
                pattern,
                declared,
                list,
                of,
                body,
            } => {
                let items = self.listed(list, *of, scope)?;
                for item in items.into_iter().take(MAX_ROUNDS) {
                    let inner = self.block(scope);
                    match declared {
                        Some(reach) => {
                            let target = self.reached(*reach, inner);
                            self.bind(pattern, item, target)?;
                        }
                        None => self.assign_pattern(pattern, item, inner, false)?,
                    }
                    match self.exec(body, inner)? {
                        Flow::Break => break,
                        Flow::Return(val) => return Ok(Flow::Return(val)),
                        Flow::Normal | Flow::Continue => {}
                    }
                }
            }
            Stmt::Loop(start, test, step, body) => {
                let mut inner = self.block(scope);
                if let Some(start) = start {
                    self.exec(start, inner)?;
                }
                for _ in 0..MAX_ROUNDS {
                    let goes_on = match test {
                        Some(test) => self.goes_on(test, inner)?,
                        None => Some(true),
                    };
                    if goes_on == Some(false) {
                        break;
                    }
                    match self.exec(body, inner)? {
                        Flow::Break => break,
                        Flow::Return(val) => return Ok(Flow::Return(val)),
                        Flow::Normal | Flow::Continue => {}
                    }
                    // What is not known to go on is done once.
                    if goes_on.is_none() {
                        break;
                    }
                    // Every round has variables of its own.
                    if matches!(start.as_deref(), Some(Stmt::Declare(Reach::Block, _))) {
                        let copy = self.scopes.get(inner).clone();
                        inner = self.scopes.add(copy);
                    }
                    if let Some(step) = step {
                        self.eval(step, inner)?;
                    }
                }
            }
            Stmt::DoLoop(body, test) => {
                for _ in 0..MAX_ROUNDS {
                    match self.exec(body, scope)? {
                        Flow::Break => break,
                        Flow::Return(val) => return Ok(Flow::Return(val)),
                        Flow::Normal | Flow::Continue => {}
                    }
                    if self.goes_on(test, scope)? != Some(true) {
                        break;
                    }
                }
            }
            Stmt::Try(block, handler, finalizer) => {
                let inner = self.block(scope);
                let mut result = self.exec_all(block, inner);
                if let (Err(Abrupt::Throw(error)), Some((parameter, body))) = (&result, handler) {
                    let error = error.clone();
                    let inner = self.block(scope);
                    if let Some(parameter) = parameter {
                        self.bind(parameter, error, inner)?;
                    }
                    result = self.exec_all(body, inner);
                }
                let inner = self.block(scope);
                match self.exec_all(finalizer, inner)? {
                    Flow::Normal => {}
                    other => return Ok(other),
                }
                return result;
            }
            Stmt::Switch(value, cases) => return self.switch(value, cases, scope),
            Stmt::Break => return Ok(Flow::Break),
            Stmt::Continue => return Ok(Flow::Continue),
            Stmt::Export(export) => self.export(export, scope)?,
        }
        Ok(Flow::Normal)
    }

    fn exec_if(&mut self, test: &Expr, yes: &Stmt, no: Option<&Stmt>, scope: Id) -> Result<Flow> {
        let val = self.eval(test, scope)?;
        let known = match &val.v {
            V::Choice(_) | V::Test(..) | V::Env(_) => None,
            _ => self.truth(&val),
        };
        // A configuration that is refused at start answers no request.
        let refuses = known.is_none() && no.is_none() && self.loading() && gives_up(yes);
        let holds = match known {
            Some(known) => known,
            None if refuses => false,
            None => self.decide(&val, test.span),
        };
        if holds {
            self.exec(yes, scope)
        } else {
            no.map_or(Ok(Flow::Normal), |no| self.exec(no, scope))
        }
    }

    /// Does the test of a loop hold?
    fn goes_on(&mut self, test: &Expr, scope: Id) -> Result<Option<bool>> {
        let val = self.eval(test, scope)?;
        let val = self.force(val);
        Ok(self.truth(&val))
    }

    /// What a loop goes through: elements, or names.
    fn listed(&mut self, list: &Expr, of: bool, scope: Id) -> Result<Vec<Val>> {
        let val = self.eval(list, scope)?;
        let val = self.force(val);
        let items = if of {
            self.items(&val)
        } else {
            self.keys(&val)
        };
        let (mut items, open) = items.unwrap_or((Vec::new(), true));
        if open && items.is_empty() {
            items.push(Val::unknown("the list is not in view", list.span));
        }
        Ok(items)
    }

    fn switch(
        &mut self,
        value: &Expr,
        cases: &[(Option<Expr>, Vec<Stmt>)],
        scope: Id,
    ) -> Result<Flow> {
        let val = self.eval(value, scope)?;
        let inner = self.block(scope);
        let mut start = None;
        for (at, (test, _)) in cases.iter().enumerate() {
            let Some(test) = test else { continue };
            let other = self.eval(test, inner)?;
            let equal = self.binary("===", &val, &other, test.span);
            if self.decide(&equal, test.span) {
                start = Some(at);
                break;
            }
        }
        let start = start.or_else(|| cases.iter().position(|(test, _)| test.is_none()));
        for (_, body) in cases.iter().skip(start.unwrap_or(cases.len())) {
            match self.exec_all(body, inner)? {
                Flow::Normal => {}
                Flow::Break => break,
                other => return Ok(other),
            }
        }
        Ok(Flow::Normal)
    }

    fn enumeration(
        &mut self,
        members: &[(Name, Option<Expr>)],
        span: crate::source::Span,
        scope: Id,
    ) -> Result<Val> {
        let val = self.allocate(ObjectKind::Plain, span);
        let mut next = Some(0.0);
        for (name, value) in members {
            let member = match (value, next) {
                (Some(value), _) => self.eval(value, scope)?,
                (None, Some(number)) => Val::number(number, span),
                (None, None) => Val::unknown("it follows a computed member", span),
            };
            next = match member.v {
                V::Number(number) => Some(number + 1.0),
                _ => None,
            };
            if let Some(id) = val.as_id() {
                self.objects.get_mut(id).set(name, member.span, member);
            }
        }
        Ok(val)
    }
}

/// Does a statement end in `throw` or `process.exit()`?
fn gives_up(statement: &Stmt) -> bool {
    match statement {
        Stmt::Throw(_) => true,
        Stmt::Block(statements) => statements.last().is_some_and(gives_up),
        Stmt::Expr(expr) => matches!(
            &expr.kind,
            ExprKind::Call(callee, _) if matches!(
                &callee.kind,
                ExprKind::Member(object, name, _)
                    if &**name == "exit" && matches!(&object.kind, ExprKind::Name(name) if &**name == "process")
            )
        ),
        _ => false,
    }
}

/// Does evaluating it do more than give a value?
pub(super) fn has_effect(expr: &Expr) -> bool {
    match &expr.kind {
        ExprKind::Call(callee, args) => !only_converts(callee, args),
        ExprKind::New(..)
        | ExprKind::Assign(..)
        | ExprKind::Update(..)
        | ExprKind::Await(_)
        | ExprKind::Import(_) => true,
        ExprKind::Template(parts) | ExprKind::Sequence(parts) => parts.iter().any(has_effect),
        ExprKind::Array(items) => items.iter().any(|item| has_effect(&item.value)),
        ExprKind::Object(properties) => properties.iter().any(|property| match property {
            Property::Value(Key::Computed(key), _, value) => has_effect(key) || has_effect(value),
            Property::Value(_, _, value) | Property::Spread(value) => has_effect(value),
            Property::Accessor(_) => false,
        }),
        ExprKind::Unary(_, inner) => has_effect(inner),
        ExprKind::Binary(_, a, b) | ExprKind::Logical(_, a, b) | ExprKind::Index(a, b) => {
            has_effect(a) || has_effect(b)
        }
        ExprKind::Conditional(a, b, c) => has_effect(a) || has_effect(b) || has_effect(c),
        ExprKind::Member(object, ..) => has_effect(object),
        _ => false,
    }
}

/// Does a call make a value of others and nothing else: `parseInt(x, 10)`, `x.split(',').map((y) => y.trim())`?
fn only_converts(callee: &Expr, args: &[Argument]) -> bool {
    const FUNCTIONS: [&str; 5] = ["parseInt", "parseFloat", "Number", "String", "Boolean"];
    const METHODS: [&str; 10] = [
        "split",
        "trim",
        "toLowerCase",
        "toUpperCase",
        "toString",
        "slice",
        "join",
        "concat",
        "map",
        "filter",
    ];
    let converts = match &callee.kind {
        ExprKind::Name(name) => FUNCTIONS.contains(&&**name),
        ExprKind::Member(object, name, _) => METHODS.contains(&&**name) && !has_effect(object),
        _ => false,
    };
    let has_none = |arg: &Argument| match &arg.value.kind {
        ExprKind::Function(function) => match &function.body {
            Body::Expr(value) => !has_effect(value),
            Body::Block(_) => false,
        },
        _ => !has_effect(&arg.value),
    };
    converts && args.iter().all(has_none)
}
