//! Run-time values, and the heap that they live on.
//!
//! A program is loaded once and then asked many times. So a heap can be frozen: a request works on
//! an overlay and leaves no trace for the next one.

use std::collections::HashMap;
use std::sync::Arc;

use crate::limits::javascript::heap::MAX_LEAVES;
use crate::source::Span;
pub use crate::syntax::arena::{Arena, Id};
use crate::syntax::javascript::ast::{Class, Function, Name};

/// A value and where it was written.
#[derive(Clone, Debug)]
pub struct Val {
    /// The value.
    pub v: V,
    /// The literal, or the expression that computes it.
    pub span: Span,
}

/// A run-time value.
#[derive(Clone, Debug)]
pub enum V {
    /// `undefined`.
    Undefined,
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number.
    Number(f64),
    /// A text.
    String(Name),
    /// Something on the heap.
    Object(Id),
    /// A function or name space of the language (`Array.isArray`, `process.env`).
    Native(Name),
    /// A function of the framework: its kind and number.
    Host(u16, u32),
    /// What a package out of view gives: the path to it (`passport.authenticate()`).
    Foreign(Name),
    /// An environment variable: set to something unknown, or not.
    Env(Name),
    /// A test of a deployment condition: its index, negated.
    Test(usize, bool),
    /// One of two, by a deployment condition.
    Choice(Arc<Choice>),
    /// Cannot be told.
    Unknown(Unknown),
}

/// One of two values.
#[derive(Debug)]
pub struct Choice {
    /// The index of the condition.
    pub condition: usize,
    /// If it holds.
    pub yes: Val,
    /// If it does not.
    pub no: Val,
    /// How many values there are to choose from, counted as often as a walk meets them.
    leaves: usize,
}

/// What is known about something unknown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unknown {
    /// Why.
    pub why: &'static str,
    /// Its truth value, if that is known.
    pub truthy: Option<bool>,
}

impl Val {
    /// A value at a place.
    #[must_use]
    pub const fn new(v: V, span: Span) -> Self {
        Self { v, span }
    }

    /// Something that cannot be told.
    #[must_use]
    pub const fn unknown(why: &'static str, span: Span) -> Self {
        Self::new(V::Unknown(Unknown { why, truthy: None }), span)
    }

    /// An unknown that counts as true: a text or object of unknown content.
    #[must_use]
    pub const fn something(why: &'static str, span: Span) -> Self {
        let truthy = Some(true);
        Self::new(V::Unknown(Unknown { why, truthy }), span)
    }

    /// `undefined`.
    #[must_use]
    pub const fn undefined(span: Span) -> Self {
        Self::new(V::Undefined, span)
    }

    /// One of two, by a condition. What a side says of the same condition is settled there; with more
    /// than [`MAX_LEAVES`] values it is unknown.
    #[must_use]
    pub fn choice(condition: usize, yes: Self, no: Self, span: Span) -> Self {
        let yes = yes.given(condition, true);
        let no = no.given(condition, false);
        let leaves = yes.leaves() + no.leaves();
        if leaves > MAX_LEAVES {
            return Self::unknown("it depends on too many conditions", span);
        }
        let choice = Choice {
            condition,
            yes,
            no,
            leaves,
        };
        Self::new(V::Choice(Arc::new(choice)), span)
    }

    /// What it is if a condition holds, or does not.
    pub(super) fn given(self, condition: usize, holds: bool) -> Self {
        match &self.v {
            V::Choice(choice) if choice.condition == condition => {
                let side = if holds { &choice.yes } else { &choice.no };
                side.clone()
            }
            V::Test(test, negated) if *test == condition => {
                Self::bool(holds != *negated, self.span)
            }
            _ => self,
        }
    }

    fn leaves(&self) -> usize {
        match &self.v {
            V::Choice(choice) => choice.leaves,
            _ => 1,
        }
    }

    /// A truth value.
    #[must_use]
    pub const fn bool(value: bool, span: Span) -> Self {
        Self::new(V::Bool(value), span)
    }

    /// A number.
    #[must_use]
    pub const fn number(value: f64, span: Span) -> Self {
        Self::new(V::Number(value), span)
    }

    /// A text.
    pub fn string(text: impl Into<Name>, span: Span) -> Self {
        Self::new(V::String(text.into()), span)
    }

    /// The text, if it is one.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        match &self.v {
            V::String(text) => Some(text),
            _ => None,
        }
    }

    /// The heap object, if it is one.
    #[must_use]
    pub const fn as_id(&self) -> Option<Id> {
        match self.v {
            V::Object(id) => Some(id),
            _ => None,
        }
    }

    /// Is it `undefined` or `null`?
    #[must_use]
    pub const fn is_nullish(&self) -> bool {
        matches!(self.v, V::Undefined | V::Null)
    }

    /// Is it `process.env`?
    #[must_use]
    pub fn is_environment(&self) -> bool {
        matches!(&self.v, V::Native(name) if &**name == "process.env")
    }

    /// Is its content out of view?
    #[must_use]
    pub const fn is_opaque(&self) -> bool {
        matches!(self.v, V::Unknown(_) | V::Foreign(_) | V::Env(_))
    }
}

/// Variables.
#[derive(Clone, Debug, Default)]
pub struct Scope {
    /// Name and value.
    pub variables: HashMap<Name, Val>,
    /// The scope around.
    pub parent: Option<Id>,
    /// It is that of a block, of which `var` knows nothing.
    pub is_block: bool,
}

/// Something with identity.
#[derive(Clone, Debug)]
pub struct Object {
    /// What it is.
    pub kind: ObjectKind,
    /// Own properties in order.
    pub properties: Vec<Slot>,
    /// It may have further properties.
    pub open: bool,
    /// Its class.
    pub class: Option<Id>,
    /// Where it is made.
    pub span: Span,
}

/// A property.
#[derive(Clone, Debug)]
pub struct Slot {
    /// Its name.
    pub name: Name,
    /// Where the name is written.
    pub key_span: Span,
    /// Its value.
    pub value: Val,
}

/// What an object is.
#[derive(Clone, Debug)]
pub enum ObjectKind {
    /// A plain object or instance.
    Plain,
    /// An array: its elements, and whether there may be more.
    Array(Vec<Val>, bool),
    /// A function with its scope.
    Function(Arc<Function>, Id),
    /// A function with `this` and first arguments bound.
    Bound(Box<Val>, Box<Val>, Vec<Val>),
    /// A class with its scope, and its parent.
    Class(Arc<Class>, Id, Option<Box<Val>>),
    /// A regular expression: pattern, flags, `lastIndex`.
    Regex(Name, Name, usize),
    /// A `Set`; whether there may be more in it.
    Set(Vec<Val>, bool),
    /// A `Map`; whether there may be more in it.
    Map(Vec<(Val, Val)>, bool),
    /// A promise that is rejected with a value; any other promise is its value.
    Rejected(Box<Val>),
    /// Something of the framework: its kind and number.
    Host(u16, u32),
}

impl Object {
    /// An object without properties.
    #[must_use]
    pub const fn new(kind: ObjectKind, span: Span) -> Self {
        Self {
            kind,
            properties: Vec::new(),
            open: false,
            class: None,
            span,
        }
    }

    /// An own property.
    #[must_use]
    pub fn slot(&self, name: &str) -> Option<&Slot> {
        self.properties.iter().find(|slot| &*slot.name == name)
    }

    /// Adds an own property that is not there yet.
    pub fn add(&mut self, name: Name, key_span: Span, value: Val) {
        self.properties.push(Slot {
            name,
            key_span,
            value,
        });
    }

    /// Sets an own property.
    pub fn set(&mut self, name: &str, key_span: Span, value: Val) {
        match self.properties.iter_mut().find(|slot| &*slot.name == name) {
            Some(slot) => {
                slot.value = value;
                slot.key_span = key_span;
            }
            None => self.add(name.into(), key_span, value),
        }
    }
}
