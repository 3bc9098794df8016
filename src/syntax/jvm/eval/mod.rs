//! Evaluating programs: a small abstract machine for Java and Kotlin.
//!
//! It runs what it knows and calls everything else unknown. What a framework's objects do is the
//! [`Host`]'s business. One run belongs to one world: where the program asks for something that
//! cannot be told, the host decides which way is taken.

mod classes;
mod collections;
mod expressions;
mod functions;
pub mod heap;
mod kotlin;
mod library;
mod names;
mod operators;
mod regex;
mod statements;
mod streams;
#[cfg(test)]
mod tests;
mod text;
mod values;

use std::collections::HashMap;
use std::sync::Arc;

use heap::{Arena, Id, Object, ObjectKind, Scope, Sequence, V, Val};

use super::ast::{Annotation, Class, Method, Name, Type};
use super::program::Program;
use crate::source::{Sources, Span};
use crate::syntax::value::Budget;

/// What ends an evaluation early.
#[derive(Debug)]
pub enum Abrupt {
    /// An exception is thrown.
    Throw(Val),
    /// The budget is spent.
    Stop,
    /// `return`; Kotlin's label.
    Return(Val, Option<Name>),
    /// `break`; the value of `yield`.
    Break(Option<Val>),
    /// `continue`.
    Continue,
}

/// The result of an expression.
pub type Result<T> = std::result::Result<T, Abrupt>;

/// A call of something that the machine does not know.
#[derive(Clone, Copy, Debug)]
pub struct Call<'a> {
    /// On what: a host object, an instance whose class inherits the method from a library, or
    /// something of a library.
    pub receiver: &'a Val,
    /// The method.
    pub method: &'a str,
    /// Where the method's name is.
    pub name_span: Span,
    /// Arguments.
    pub args: &'a [Val],
    /// Kotlin: their names.
    pub names: &'a [Option<Name>],
    /// There may be more arguments: a list that is not known to its end was spread.
    pub open: bool,
    /// The call from its name to its end.
    pub span: Span,
}

impl Call<'_> {
    /// An argument by position or, in Kotlin, by name.
    #[must_use]
    pub fn arg(&self, at: usize, name: &str) -> Option<&Val> {
        let named = self
            .names
            .iter()
            .position(|known| known.as_deref() == Some(name));
        if let Some(at) = named {
            return self.args.get(at);
        }
        let positional = self.names.get(at).is_none_or(Option::is_none);
        self.args.get(at).filter(|_| positional)
    }
}

/// A place that a container fills: a parameter or field.
#[derive(Clone, Copy, Debug)]
pub struct Injection<'a> {
    /// The class whose member it is.
    pub class: &'a Arc<Class>,
    /// Its annotations.
    pub annotations: &'a [Annotation],
    /// Its type as written.
    pub ty: &'a Type,
    /// Its name.
    pub name: &'a str,
    /// The parameter or field.
    pub span: Span,
    /// It is a field, which stays as it is unless somebody asks for it to be filled.
    pub is_field: bool,
}

/// How two texts are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// As a whole.
    Equal,
    /// One holds the other.
    Part,
    /// With a regular expression.
    Pattern,
}

/// What a framework adds to the language.
pub trait Host: Sized {
    /// Which way to take where a test is unknown; its text and place. `true` if it holds.
    fn decide(&mut self, test: &str, span: Span) -> bool;

    /// A new object of a library's class, by the path that names it.
    fn construct(
        machine: &mut Machine<'_, Self>,
        path: &str,
        call: &Call<'_>,
    ) -> Option<Result<Val>>;

    /// A call of something that is not in the project, if the framework knows it. Kotlin's
    /// properties are called by the names of their methods (`getX`, `isX`, `setX`), and a value
    /// that is called like a function by the name `invoke`.
    fn call(machine: &mut Machine<'_, Self>, call: &Call<'_>) -> Option<Result<Val>>;

    /// A field of a host object, or a constant of a library's class.
    fn member(machine: &mut Machine<'_, Self>, of: &Val, name: &str, span: Span) -> Option<Val>;

    /// What a container puts into a place.
    fn inject(machine: &mut Machine<'_, Self>, place: &Injection<'_>) -> Option<Val>;

    /// What a method of the project gives, if the framework does not let it run.
    fn intercept(
        machine: &mut Machine<'_, Self>,
        this: &Val,
        class: &Arc<Class>,
        method: &Arc<Method>,
        args: &[Val],
    ) -> Option<Result<Val>> {
        let _ = (machine, this, class, method, args);
        None
    }

    /// Code out of view is called with these arguments.
    fn escape(machine: &mut Machine<'_, Self>, args: &[Val], span: Span) {
        let _ = (machine, args, span);
    }

    /// Does this text stand for a member of every list whose content is unknown?
    fn is_member(&self, text: &str) -> bool {
        let _ = text;
        false
    }

    /// Is this the text, or a part of it, that the program is asked to judge?
    fn is_subject(&self, text: &str) -> bool {
        let _ = text;
        false
    }

    /// What the program is asked to judge was compared with something.
    fn compared(&mut self, subject: &str, with: &Val, how: Comparison, holds: bool) {
        let _ = (subject, with, how, holds);
    }

    /// What the program makes of what it is asked to judge cannot be told, because of this.
    fn judged_unknown(&mut self, with: &Val) {
        let _ = with;
    }
}

/// Stack that must be left before going deeper, and how much is added then.
const RED_ZONE: usize = 256 * 1024;
const STACK: usize = 4 * 1024 * 1024;

/// The abstract machine.
#[derive(Debug)]
pub struct Machine<'s, H> {
    /// The framework's part.
    pub host: H,
    /// Objects.
    pub objects: Arena<Object>,
    /// What may still be done.
    pub budget: Budget,
    scopes: Arena<Scope>,
    /// The static fields of classes, by path.
    statics: Arc<HashMap<Name, Id>>,
    program: Arc<Program>,
    sources: Option<&'s Sources>,
}

/// A program after it was loaded, shared by all requests.
#[derive(Clone, Debug)]
pub struct Image {
    objects: Arc<Vec<Object>>,
    scopes: Arc<Vec<Scope>>,
    statics: Arc<HashMap<Name, Id>>,
    program: Arc<Program>,
}

impl<'s, H: Host> Machine<'s, H> {
    /// A machine with nothing on its heap. With `sources`, files are read when a name leads to
    /// them.
    pub fn new(
        host: H,
        program: Arc<Program>,
        sources: Option<&'s Sources>,
        budget: Budget,
    ) -> Self {
        Self {
            host,
            objects: Arena::default(),
            budget,
            scopes: Arena::default(),
            statics: Arc::default(),
            program,
            sources,
        }
    }

    /// A machine over a loaded program.
    pub fn over(image: &Image, host: H, budget: Budget) -> Self {
        Self {
            objects: Arena::over(&image.objects),
            scopes: Arena::over(&image.scopes),
            statics: Arc::clone(&image.statics),
            ..Self::new(host, Arc::clone(&image.program), None, budget)
        }
    }

    /// Ends loading: the program as it is now, and the framework's part.
    pub fn freeze(self) -> (Image, H) {
        let image = Image {
            objects: self.objects.freeze(),
            scopes: self.scopes.freeze(),
            statics: self.statics,
            program: self.program,
        };
        (image, self.host)
    }

    /// The program.
    #[must_use]
    pub const fn program(&self) -> &Arc<Program> {
        &self.program
    }

    /// Where files are read from, while that is possible.
    #[must_use]
    pub const fn sources(&self) -> Option<&'s Sources> {
        self.sources
    }

    /// The source text of a span.
    #[must_use]
    pub fn source(&self, span: Span) -> String {
        let unit = self.program.unit(span);
        unit.map_or_else(String::new, |unit| unit.file.slice(span).to_owned())
    }

    fn step(&mut self) -> Result<()> {
        if self.budget.step() {
            Ok(())
        } else {
            Err(Abrupt::Stop)
        }
    }

    /// Takes the steps that it costs to copy so many bytes or elements: one for sixteen.
    ///
    /// # Errors
    ///
    /// The end of the budget.
    pub fn pay(&mut self, size: usize) -> Result<()> {
        for _ in 0..size / 16 {
            self.step()?;
        }
        Ok(())
    }

    /// Puts an object on the heap.
    pub fn allocate(&mut self, kind: ObjectKind, span: Span) -> Val {
        let object = Object {
            kind,
            fields: Vec::new(),
            span,
        };
        let id = self.objects.add(object);
        Val::new(V::Object(id), span)
    }

    /// A list.
    pub fn list(&mut self, items: Vec<Val>, open: bool, span: Span) -> Val {
        let kind = Sequence::List;
        self.allocate(ObjectKind::List { items, open, kind }, span)
    }

    /// An array.
    pub fn array(&mut self, items: Vec<Val>, open: bool, span: Span) -> Val {
        let kind = Sequence::Array;
        self.allocate(ObjectKind::List { items, open, kind }, span)
    }

    /// A value for something of the framework.
    pub fn host_object(&mut self, kind: u16, number: u32, span: Span) -> Val {
        self.allocate(ObjectKind::Host(kind, number), span)
    }

    /// The object behind a value, if it is one.
    #[must_use]
    pub fn object(&self, val: &Val) -> Option<&Object> {
        val.as_id().map(|id| self.objects.get(id))
    }

    /// The kind and number of something of the framework.
    #[must_use]
    pub fn as_host(&self, val: &Val) -> Option<(u16, u32)> {
        match self.object(val)?.kind {
            ObjectKind::Host(kind, number) => Some((kind, number)),
            _ => None,
        }
    }

    /// The class of an instance of the project.
    #[must_use]
    pub fn class_of(&self, val: &Val) -> Option<Arc<Class>> {
        match &self.object(val)?.kind {
            ObjectKind::Instance(class, _) => Some(Arc::clone(class)),
            _ => None,
        }
    }

    /// The elements of a sequence and whether there may be more.
    #[must_use]
    pub fn items(&self, val: &Val) -> Option<(Vec<Val>, bool)> {
        match &self.object(val)?.kind {
            ObjectKind::List { items, open, .. } => Some((items.clone(), *open)),
            _ => None,
        }
    }

    /// Arguments for a parameter that takes any number: arrays and collections among them are
    /// taken apart. `true` if there may be more.
    #[must_use]
    pub fn flattened(&self, args: &[Val]) -> (Vec<Val>, bool) {
        let mut result = Vec::new();
        let mut open = false;
        for arg in args {
            match self.items(arg) {
                Some((items, more)) => {
                    result.extend(items);
                    open |= more;
                }
                None => result.push(arg.clone()),
            }
        }
        (result, open)
    }

    /// The truth value, if it can be told without asking.
    #[must_use]
    pub const fn truth(&self, val: &Val) -> Option<bool> {
        val.as_bool()
    }

    /// Decides a test; asks the host if it must.
    pub fn decide(&mut self, val: &Val, span: Span) -> bool {
        self.truth(val).unwrap_or_else(|| {
            let text = self.source(span);
            self.host.decide(&text, span)
        })
    }

    fn scope(&mut self, parent: Option<Id>) -> Id {
        self.scopes.add(Scope {
            parent,
            ..Scope::default()
        })
    }

    fn declare(&mut self, scope: Id, name: &Name, val: Val) {
        let variables = &mut self.scopes.get_mut(scope).variables;
        match variables.iter_mut().find(|(known, _)| known == name) {
            Some((_, known)) => *known = val,
            None => variables.push((Arc::clone(name), val)),
        }
    }

    fn note(&mut self, subject: &Val, with: &Val, how: Comparison, holds: Option<bool>) {
        let Some(text) = subject.as_str().filter(|text| self.host.is_subject(text)) else {
            return;
        };
        let Some(holds) = holds else {
            self.host.judged_unknown(with);
            return;
        };
        if with.as_str().is_some() || with.is_opaque() {
            self.host.compared(text, with, how, holds);
        }
    }
}
