//! What a Python program computes with, before it becomes a [`Value`](crate::syntax::value::Value).
//!
//! Texts and numbers are plain; lists, dictionaries and everything with attributes live on a heap
//! and are shared by reference, as in Python.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::ast::{Name, SequenceKind};
use crate::limits::python::object::MAX_FORMS;
use crate::source::Span;

/// An index of the heap.
pub type Id = usize;

/// A value with its place.
#[derive(Clone, Debug, PartialEq)]
pub struct Val {
    /// What it is.
    pub kind: K,
    /// Where a person would change it.
    pub span: Span,
}

/// What a value is.
#[derive(Clone, Debug, PartialEq)]
pub enum K {
    /// No such name, key or attribute.
    Missing,
    /// `None`.
    None,
    /// `True` or `False`.
    Bool(bool),
    /// A number.
    Number(f64),
    /// A text.
    Text(Arc<str>),
    /// A text of unknown content; the environment variable that it is, if it is one.
    SomeText(Option<Arc<str>>),
    /// A list, tuple, set or dictionary.
    Ref(Id),
    /// A function of the program.
    Function(usize),
    /// A class of the program.
    Class(usize),
    /// An instance of a class; its attributes.
    Instance(usize, Id),
    /// A module of the program.
    Module(usize),
    /// Something of a library; see [`Foreign`].
    Foreign(Arc<Foreign>),
    /// A method with what it belongs to.
    Method(Box<Val>, Name),
    /// A compiled pattern: text, flags in Python's letters.
    Regex(Arc<str>, Arc<str>),
    /// One of two, by a condition.
    OneOf(usize, Box<Val>, Box<Val>),
    /// Cannot be told.
    Unknown(&'static str),
}

/// Something that a library made, by the path that leads to it: `fastapi.FastAPI`, `#3.router`
/// (an attribute of what call 3 gave).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Foreign {
    /// The path.
    pub path: Arc<str>,
    /// The call at its start, if it starts with one.
    pub call: Option<usize>,
}

impl Val {
    /// A value at a place.
    #[must_use]
    pub const fn new(kind: K, span: Span) -> Self {
        Self { kind, span }
    }

    /// Something that cannot be told.
    #[must_use]
    pub const fn unknown(why: &'static str, span: Span) -> Self {
        Self::new(K::Unknown(why), span)
    }

    /// A text.
    #[must_use]
    pub fn text(text: &str, span: Span) -> Self {
        Self::new(K::Text(Arc::from(text)), span)
    }

    /// Something of a library.
    #[must_use]
    pub fn foreign(path: &str, span: Span) -> Self {
        let call = path.strip_prefix('#').and_then(|rest| {
            let digits = rest.split(|c: char| !c.is_ascii_digit()).next()?;
            digits.parse().ok()
        });
        let path = Arc::from(path);
        Self::new(K::Foreign(Arc::new(Foreign { path, call })), span)
    }

    /// One of two, or the one if they are equal.
    #[must_use]
    pub fn one_of(condition: usize, yes: Self, no: Self, span: Span) -> Self {
        let forms = yes.forms() + no.forms();
        if forms > MAX_FORMS {
            return Self::unknown("it depends on too many conditions", span);
        }
        if yes == no {
            return yes;
        }
        Self::new(K::OneOf(condition, Box::new(yes), Box::new(no)), span)
    }

    /// How many plain values it may be.
    fn forms(&self) -> usize {
        match &self.kind {
            K::OneOf(_, yes, no) => yes.forms() + no.forms(),
            _ => 1,
        }
    }

    /// The path of something foreign.
    #[must_use]
    pub fn path(&self) -> Option<&str> {
        match &self.kind {
            K::Foreign(foreign) => Some(&foreign.path),
            _ => None,
        }
    }

    /// The number of the call that gave it.
    #[must_use]
    pub fn call(&self) -> Option<usize> {
        match &self.kind {
            K::Foreign(foreign) => foreign.call,
            _ => None,
        }
    }

    /// The text, if it is one.
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        match &self.kind {
            K::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The same value elsewhere.
    #[must_use]
    pub fn at(mut self, span: Span) -> Self {
        self.span = span;
        self
    }
}

/// An object on the heap.
#[derive(Clone, Debug, PartialEq)]
pub enum Obj {
    /// A list, tuple or set; there may be more if `open`.
    List {
        /// Which of them.
        kind: SequenceKind,
        /// What is known to be in it.
        items: Vec<Val>,
        /// There may be more.
        open: bool,
    },
    /// A dictionary.
    Dict {
        /// Keys and values, in order.
        entries: Vec<(Val, Val)>,
        /// There may be more.
        open: bool,
    },
    /// Names with values: a module, a class, a call, an instance.
    Names {
        /// The names.
        names: BTreeMap<Name, Val>,
        /// There may be more.
        open: bool,
    },
    /// Cannot be told.
    Unknown(&'static str),
}

/// An object that may depend on conditions.
#[derive(Clone, Debug, PartialEq)]
pub enum Tree {
    /// It does not.
    Leaf(Obj),
    /// One of two.
    Split(usize, Arc<Tree>, Arc<Tree>),
}

impl Tree {
    /// `yes` if the condition holds, else `no`.
    pub(super) fn merge(
        condition: usize,
        yes: &Arc<Self>,
        no: &Arc<Self>,
        span: Span,
    ) -> Arc<Self> {
        if Arc::ptr_eq(yes, no) || (yes.forms() + no.forms() <= MAX_FORMS && yes == no) {
            return Arc::clone(yes);
        }
        if let (
            Self::Leaf(Obj::Names { names: a, open: x }),
            Self::Leaf(Obj::Names { names: b, open: y }),
        ) = (yes.as_ref(), no.as_ref())
        {
            let mut names = BTreeMap::new();
            let missing = Val::new(K::Missing, span);
            for name in a.keys().chain(b.keys()) {
                let yes = a.get(name).unwrap_or(&missing);
                let no = b.get(name).unwrap_or(&missing);
                let span = if yes.kind == K::Missing {
                    no.span
                } else {
                    yes.span
                };
                let value = Val::one_of(condition, yes.clone(), no.clone(), span);
                names.insert(Arc::clone(name), value);
            }
            let open = *x || *y;
            return Arc::new(Self::Leaf(Obj::Names { names, open }));
        }
        Self::split(condition, Arc::clone(yes), Arc::clone(no))
    }

    /// One of two, if that is not one of too many.
    pub(super) fn split(condition: usize, yes: Arc<Self>, no: Arc<Self>) -> Arc<Self> {
        Arc::new(if yes.forms() + no.forms() > MAX_FORMS {
            Self::Leaf(Obj::Unknown("it depends on too many conditions"))
        } else {
            Self::Split(condition, yes, no)
        })
    }

    /// How many plain objects it may be.
    fn forms(&self) -> usize {
        match self {
            Self::Leaf(_) => 1,
            Self::Split(_, yes, no) => yes.forms() + no.forms(),
        }
    }
}
