//! Run-time values and objects.

use std::sync::Arc;

use crate::source::Span;
pub use crate::syntax::arena::{Arena, Id};
use crate::syntax::jvm::ast::{Class, Lambda, Method, Name};

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
    /// `null`.
    Null,
    /// Nothing: what a statement gives, and Kotlin's `Unit`.
    Void,
    /// `true` or `false`.
    Bool(bool),
    /// A number of any type; a `Duration` is its seconds.
    Number(f64),
    /// A text or character.
    String(Name),
    /// Something on the heap.
    Object(Id),
    /// A class of the project, left of a dot.
    Class(Arc<Class>),
    /// A class or constant of a library, or what code out of view made of one: the path to it
    /// (`org.springframework.http.HttpMethod.GET`, `*.Customizer.withDefaults()`).
    Foreign(Name),
    /// Cannot be told; why.
    Unknown(&'static str),
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
        Self::new(V::Unknown(why), span)
    }

    /// Nothing.
    #[must_use]
    pub const fn void(span: Span) -> Self {
        Self::new(V::Void, span)
    }

    /// `null`.
    #[must_use]
    pub const fn null(span: Span) -> Self {
        Self::new(V::Null, span)
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

    /// Something of a library.
    pub fn foreign(path: impl Into<Name>, span: Span) -> Self {
        Self::new(V::Foreign(path.into()), span)
    }

    /// The text, if it is one.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        match &self.v {
            V::String(text) => Some(text),
            _ => None,
        }
    }

    /// The truth value, if it is one.
    #[must_use]
    pub const fn as_bool(&self) -> Option<bool> {
        match self.v {
            V::Bool(value) => Some(value),
            _ => None,
        }
    }

    /// The number, if it is one.
    #[must_use]
    pub const fn as_number(&self) -> Option<f64> {
        match self.v {
            V::Number(value) => Some(value),
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

    /// The path, if it is something of a library.
    #[must_use]
    pub fn as_foreign(&self) -> Option<&str> {
        match &self.v {
            V::Foreign(path) => Some(path),
            _ => None,
        }
    }

    /// Is it `null`?
    #[must_use]
    pub const fn is_null(&self) -> bool {
        matches!(self.v, V::Null)
    }

    /// Is its content out of view?
    #[must_use]
    pub const fn is_opaque(&self) -> bool {
        matches!(self.v, V::Unknown(_) | V::Foreign(_))
    }

    /// The same elsewhere.
    #[must_use]
    pub fn at(mut self, span: Span) -> Self {
        self.span = span;
        self
    }
}

/// Variables.
#[derive(Clone, Debug, Default)]
pub struct Scope {
    /// Names and values.
    pub variables: Vec<(Name, Val)>,
    /// The scope around.
    pub parent: Option<Id>,
    /// `this`, or the receiver of a Kotlin block, if one starts here.
    pub this: Option<Val>,
    /// The class whose static members are seen from here, if one starts here.
    pub class: Option<Arc<Class>>,
}

/// Something with identity.
#[derive(Clone, Debug)]
pub struct Object {
    /// What it is.
    pub kind: ObjectKind,
    /// The fields of an instance, or the static ones of a class.
    pub fields: Vec<(Name, Val)>,
    /// Where it is made.
    pub span: Span,
}

/// What a sequence is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sequence {
    /// A list, a stream or another collection.
    List,
    /// A set.
    Set,
    /// An array.
    Array,
}

/// What an object is.
#[derive(Clone, Debug)]
pub enum ObjectKind {
    /// An instance of a class of the project; the scope around a local or anonymous class.
    Instance(Arc<Class>, Option<Id>),
    /// The static fields of a class.
    Statics,
    /// A sequence of values; `open` if there may be more of them.
    List {
        /// The elements that are known to be there.
        items: Vec<Val>,
        /// There may be more of them.
        open: bool,
        /// What kind of sequence.
        kind: Sequence,
    },
    /// A map, in order; `open` if there may be more in it.
    Map {
        /// The entries that are known to be there.
        entries: Vec<(Val, Val)>,
        /// There may be more of them.
        open: bool,
    },
    /// Two values, or the entry of a map.
    Pair(Val, Val),
    /// A lambda with the scope around.
    Lambda(Arc<Lambda>, Id),
    /// A function inside a function.
    Function(Arc<Method>, Id),
    /// `X::m`.
    Reference(Option<Val>, Name, Id),
    /// An `Optional`.
    Optional(Option<Val>),
    /// A text that is being built.
    Builder(String),
    /// A compiled regular expression.
    Regex(Name),
    /// A regular expression with the text that it is matched against.
    Matcher(Name, Val),
    /// Something of the framework: its kind and number.
    Host(u16, u32),
}

impl Object {
    /// The value of a field.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&Val> {
        let mut fields = self.fields.iter();
        fields
            .find(|(known, _)| &**known == name)
            .map(|(_, value)| value)
    }

    /// Sets a field.
    pub fn set(&mut self, name: &Name, value: Val) {
        match self.fields.iter_mut().find(|(known, _)| known == name) {
            Some((_, known)) => *known = value,
            None => self.fields.push((Arc::clone(name), value)),
        }
    }
}
