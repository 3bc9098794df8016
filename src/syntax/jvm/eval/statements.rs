//! Statements.

use std::sync::Arc;

use super::heap::{Id, ObjectKind, V, Val};
use super::{Abrupt, Host, Machine, Result};
use crate::limits::jvm::statements::MAX_ROUNDS;
use crate::syntax::jvm::ast::{Loop, Name, Stmt, Try, Type, simple};

/// What is thrown and is no `Exception` (Java's and Kotlin's libraries).
const ERRORS: [&str; 8] = [
    "Error",
    "AssertionError",
    "ExceptionInInitializerError",
    "LinkageError",
    "NotImplementedError",
    "OutOfMemoryError",
    "StackOverflowError",
    "VirtualMachineError",
];

/// What an exception of Java's library extends, below `RuntimeException`.
fn parent(name: &str) -> Option<&'static str> {
    Some(match name {
        "NumberFormatException" => "IllegalArgumentException",
        "ArrayIndexOutOfBoundsException" | "StringIndexOutOfBoundsException" => {
            "IndexOutOfBoundsException"
        }
        "InputMismatchException" => "NoSuchElementException",
        "ArithmeticException"
        | "ClassCastException"
        | "IllegalArgumentException"
        | "IllegalStateException"
        | "IndexOutOfBoundsException"
        | "NoSuchElementException"
        | "NullPointerException"
        | "UnsupportedOperationException" => "RuntimeException",
        _ => return None,
    })
}

impl<H: Host> Machine<'_, H> {
    /// Executes statements in a scope; the value of the last one.
    pub(super) fn exec_all(&mut self, statements: &[Stmt], scope: Id) -> Result<Option<Val>> {
        let mut last = None;
        for statement in statements {
            last = self.exec(statement, scope)?;
        }
        Ok(last)
    }

    /// Executes a block in a scope of its own.
    pub(super) fn block(&mut self, statements: &[Stmt], scope: Id) -> Result<Option<Val>> {
        let scope = self.scope(Some(scope));
        self.exec_all(statements, scope)
    }

    fn exec(&mut self, statement: &Stmt, scope: Id) -> Result<Option<Val>> {
        self.step()?;
        match statement {
            Stmt::Expr(expr) => return self.eval(expr, scope).map(Some),
            Stmt::Local(name, ty, init) => {
                let val = match init {
                    Some(init) => self.eval(init, scope)?,
                    None => Val::unknown("nothing was assigned yet", ty.span),
                };
                self.declare(scope, name, val);
            }
            Stmt::Destructure(names, init) => {
                let val = self.eval(init, scope)?;
                self.destructure(names, &val, scope)?;
            }
            Stmt::ForEach(names, list, body) => {
                let list = self.eval(list, scope)?;
                self.for_each(names, &list, body, scope)?;
            }
            Stmt::Loop(repeated) => self.repeat(repeated, scope)?,
            Stmt::Block(statements) => {
                self.block(statements, scope)?;
            }
            Stmt::Try(tried) => return self.tried(tried, scope),
            Stmt::Class(class) => {
                let val = Val::new(V::Class(Arc::clone(class)), class.name_span);
                self.declare(scope, &class.name, val);
            }
            Stmt::Function(method) => {
                let kind = ObjectKind::Function(Arc::clone(method), scope);
                let val = self.allocate(kind, method.span);
                self.declare(scope, &method.name, val);
            }
            Stmt::Unknown(span) => {
                return Ok(Some(Val::unknown("the syntax is not understood", *span)));
            }
        }
        Ok(None)
    }

    /// Takes a value apart.
    pub(super) fn destructure(&mut self, names: &[Name], val: &Val, scope: Id) -> Result<()> {
        let parts: Option<Vec<Val>> = match self.object(val).map(|object| &object.kind) {
            Some(ObjectKind::Pair(first, second)) => Some(vec![first.clone(), second.clone()]),
            Some(ObjectKind::List {
                items, open: false, ..
            }) => Some(items.clone()),
            Some(ObjectKind::Instance(class, _)) => {
                let fields = class.constructors.iter().find(|found| found.is_primary);
                let names = fields.map(|found| found.params.iter().map(|param| &param.name));
                let object = self.object(val);
                names.map(|names| {
                    names
                        .filter_map(|name| object.and_then(|object| object.field(name)).cloned())
                        .collect()
                })
            }
            _ => None,
        };
        for (at, name) in names.iter().enumerate() {
            let part = parts.as_ref().and_then(|parts| parts.get(at)).cloned();
            let why = "a part of something that is not in view";
            self.declare(scope, name, part.unwrap_or(Val::unknown(why, val.span)));
        }
        Ok(())
    }

    fn for_each(&mut self, names: &[Name], list: &Val, body: &[Stmt], scope: Id) -> Result<()> {
        let (mut items, open) = self.elements(list);
        if open {
            // What is not in view goes through the loop as well.
            items.push(Val::unknown("an element that is not in view", list.span));
        }
        for item in items.into_iter().take(MAX_ROUNDS) {
            self.step()?;
            let scope = self.scope(Some(scope));
            match names {
                [name] => self.declare(scope, name, item),
                names => self.destructure(names, &item, scope)?,
            }
            match self.exec_all(body, scope) {
                Err(Abrupt::Break(_)) => break,
                Err(Abrupt::Continue) | Ok(_) => {}
                Err(other) => return Err(other),
            }
        }
        Ok(())
    }

    /// What a loop over a value meets, and whether there may be more.
    pub(super) fn elements(&mut self, val: &Val) -> (Vec<Val>, bool) {
        match self.object(val).map(|object| object.kind.clone()) {
            Some(ObjectKind::List { items, open, .. }) => (items, open),
            Some(ObjectKind::Map { entries, open }) => {
                let pairs = entries.into_iter().map(|(key, value)| {
                    let span = key.span;
                    self.allocate(ObjectKind::Pair(key, value), span)
                });
                (pairs.collect(), open)
            }
            _ => match &val.v {
                V::String(text) => {
                    let letters = text.chars();
                    let items = letters.map(|c| Val::string(c.to_string(), val.span));
                    (items.collect(), false)
                }
                V::Null => (Vec::new(), false),
                _ => (Vec::new(), true),
            },
        }
    }

    fn repeat(&mut self, repeated: &Loop, scope: Id) -> Result<()> {
        let scope = self.scope(Some(scope));
        self.exec_all(&repeated.start, scope)?;
        for round in 0..MAX_ROUNDS {
            self.step()?;
            let test = repeated.test.as_ref();
            if let Some(test) = test.filter(|_| round > 0 || !repeated.body_first) {
                let val = self.eval(test, scope)?;
                // If it cannot be told, one round shows what the body does.
                if !self.truth(&val).unwrap_or(round == 0) {
                    break;
                }
            }
            match self.block(&repeated.body, scope) {
                Err(Abrupt::Break(_)) => break,
                Err(Abrupt::Continue) | Ok(_) => {}
                Err(other) => return Err(other),
            }
            for step in &repeated.step {
                self.eval(step, scope)?;
            }
        }
        Ok(())
    }

    fn tried(&mut self, tried: &Try, scope: Id) -> Result<Option<Val>> {
        let mut result = self.block(&tried.body, scope);
        if let Err(Abrupt::Throw(error)) = &result {
            let error = error.clone();
            let caught = tried.catches.iter().find(|(_, types, _)| {
                types.is_empty() || types.iter().any(|ty| self.may_be(&error, ty))
            });
            if let Some((name, _, body)) = caught {
                let scope = self.scope(Some(scope));
                self.declare(scope, name, error);
                result = self.exec_all(body, scope);
            }
        }
        if !tried.finally.is_empty() && !matches!(result, Err(Abrupt::Stop)) {
            self.block(&tried.finally, scope)?;
        }
        result
    }

    /// May an exception be of a type?
    fn may_be(&self, error: &Val, ty: &Type) -> bool {
        let wanted = ty.simple();
        if wanted == "Throwable" {
            return true;
        }
        let fatal = self.is_fatal(error);
        if matches!(wanted, "Exception" | "RuntimeException") {
            return !fatal;
        }
        match &error.v {
            _ if fatal && wanted == "Error" => true,
            V::Foreign(path) => {
                let name = simple(path);
                match parent(name) {
                    Some(parent) => name == wanted || parent == wanted,
                    // Whether one exception of a library extends another is not in view.
                    None => name == wanted || (!fatal && wanted != "Error"),
                }
            }
            V::Object(_) => self
                .class_of(error)
                .is_none_or(|class| self.program.is_a(&class, wanted, self.sources)),
            _ => true,
        }
    }

    /// Is it an `Error`, which is no `Exception`?
    fn is_fatal(&self, error: &Val) -> bool {
        match &error.v {
            V::Foreign(path) => ERRORS.contains(&simple(path)),
            V::Object(_) => self.class_of(error).is_some_and(|class| {
                let is_a = |name: &&str| self.program.is_a(&class, name, self.sources);
                ERRORS.iter().any(is_a)
            }),
            _ => false,
        }
    }
}
