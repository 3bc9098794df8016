//! Values that programs compute, the same for every language that corslint evaluates.
//!
//! A configuration that is code (`CORS_ALLOWED_ORIGINS = [*BASE, os.environ["ORIGIN"]]`,
//! `cors({ origin: list })`) is evaluated, not matched. What an evaluator of any language gives to
//! its framework is a [`Value`]; the language's own objects, scopes and syntax stay inside.
//!
//! # The contract of an evaluator
//!
//! - **Never run, never guess.** What it does not model becomes [`Kind::Unknown`] with the reason.
//!   An operation on something unknown is unknown, unless the other operand decides it. A syntax
//!   error inside is unknown as well.
//! - **Spans are where a person would change it.** A literal has its own span, wherever it flows
//!   to; the elements of a list keep theirs; a computed value has that of the expression.
//! - **Deployment conditions are atoms.** A test of the environment (`NODE_ENV`, `DEBUG`, the
//!   default behind `||` or `os.environ.get(…, default)`) is registered in [`Conditions`] and is
//!   not decided: either the evaluator runs once per [`World`] and asks there, or it gives
//!   [`Kind::OneOf`]; [`Value::in_world`] turns the second into the first.
//! - **An unset variable is possible** wherever the program itself treats it as possible (a
//!   default, a test). Without one it is assumed to be set, to unknown content.
//! - **Bounded.** Every run has a [`Budget`]; when it is spent, what is left is unknown. A list that
//!   is not known to its end has `open` set; so has a map with keys that could not be told.
//! - **Nothing to do with CORS or HTTP**: those words belong to `frameworks`.

use crate::model::{Condition, World};
use crate::source::Span;

/// A value with its place.
#[derive(Clone, Debug, PartialEq)]
pub struct Value {
    /// What it is.
    pub kind: Kind,
    /// Where it is written, or the expression that computes it.
    pub span: Span,
}

/// What a value is.
#[derive(Clone, Debug, PartialEq)]
pub enum Kind {
    /// A text.
    String(String),
    /// `true` or `false`.
    Bool(bool),
    /// A number of any type.
    Number(f64),
    /// `None`, `null`.
    Null,
    /// JavaScript's `undefined`: nothing was given.
    Undefined,
    /// A list, tuple, set or array.
    List(List),
    /// A dictionary or plain object, in order.
    Map(Map),
    /// A regular expression.
    Regex(Regex),
    /// A function of the program; the number names it to the evaluator that made it.
    Function(usize),
    /// Something else that is known to be none of the above (an instance, a module); its name.
    Object(String),
    /// One of two, by a deployment condition.
    OneOf(Box<OneOf>),
    /// Cannot be told; why, in words.
    Unknown(&'static str),
}

/// A list.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct List {
    /// The elements that are known to be there.
    pub items: Vec<Value>,
    /// There may be more of them.
    pub open: bool,
}

/// A map.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Map {
    /// The entries that are known to be there; no key twice.
    pub entries: Vec<Entry>,
    /// There may be more of them, of any key that is not here.
    pub open: bool,
}

/// One entry of a map.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// Its key.
    pub key: String,
    /// Where the key is written.
    pub key_span: Span,
    /// Its value.
    pub value: Value,
}

/// A regular expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Regex {
    /// The pattern, decoded: as the engine sees it.
    pub pattern: String,
    /// Flags in the language's own letters.
    pub flags: String,
    /// Byte offset in the value's span at which the pattern stands byte for byte.
    pub offset: Option<u32>,
}

/// One of two values.
#[derive(Clone, Debug, PartialEq)]
pub struct OneOf {
    /// Index of the condition in its [`Conditions`].
    pub condition: usize,
    /// If it holds.
    pub yes: Value,
    /// If it does not.
    pub no: Value,
}

impl Value {
    /// A value at a place.
    #[must_use]
    pub const fn new(kind: Kind, span: Span) -> Self {
        Self { kind, span }
    }

    /// A text at a place.
    pub fn string(text: impl Into<String>, span: Span) -> Self {
        Self::new(Kind::String(text.into()), span)
    }

    /// Something that cannot be told.
    #[must_use]
    pub const fn unknown(why: &'static str, span: Span) -> Self {
        Self::new(Kind::Unknown(why), span)
    }

    /// `yes` if the condition with this index holds, else `no`; the plain value if they are equal.
    #[must_use]
    pub fn one_of(condition: usize, yes: Self, no: Self, span: Span) -> Self {
        if yes == no {
            return yes;
        }
        let one_of = OneOf { condition, yes, no };
        Self::new(Kind::OneOf(Box::new(one_of)), span)
    }

    /// The text, if it is one.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        match &self.kind {
            Kind::String(text) => Some(text),
            _ => None,
        }
    }

    /// The truth value, if it is one (no conversion).
    #[must_use]
    pub const fn as_bool(&self) -> Option<bool> {
        match self.kind {
            Kind::Bool(value) => Some(value),
            _ => None,
        }
    }

    /// The list, if it is one.
    #[must_use]
    pub const fn as_list(&self) -> Option<&List> {
        match &self.kind {
            Kind::List(list) => Some(list),
            _ => None,
        }
    }

    /// The map, if it is one.
    #[must_use]
    pub const fn as_map(&self) -> Option<&Map> {
        match &self.kind {
            Kind::Map(map) => Some(map),
            _ => None,
        }
    }

    /// Is nothing known about it? (A list with unknown elements is known to be a list.)
    #[must_use]
    pub const fn is_unknown(&self) -> bool {
        matches!(self.kind, Kind::Unknown(_))
    }

    /// The value in one world: no [`Kind::OneOf`] is left at any depth. A condition that the world
    /// does not decide makes it unknown.
    #[must_use]
    pub fn in_world(&self, world: &World) -> Self {
        let kind = match &self.kind {
            Kind::OneOf(one_of) => {
                return match world.holds.get(one_of.condition) {
                    Some(true) => one_of.yes.in_world(world),
                    Some(false) => one_of.no.in_world(world),
                    None => Self::unknown("it depends on too many conditions", self.span),
                };
            }
            Kind::List(list) => Kind::List(List {
                items: list.items.iter().map(|item| item.in_world(world)).collect(),
                open: list.open,
            }),
            Kind::Map(map) => Kind::Map(Map {
                entries: map
                    .entries
                    .iter()
                    .map(|entry| Entry {
                        key: entry.key.clone(),
                        key_span: entry.key_span,
                        value: entry.value.in_world(world),
                    })
                    .collect(),
                open: map.open,
            }),
            other => other.clone(),
        };
        Self::new(kind, self.span)
    }

    /// Applies an operation to the plain values that it may be: `f` never sees [`Kind::OneOf`] at
    /// the top. This is how an evaluator that builds `OneOf` computes with one.
    #[must_use]
    pub fn map(&self, f: &mut dyn FnMut(&Self) -> Self) -> Self {
        match &self.kind {
            Kind::OneOf(one_of) => {
                let (yes, no) = (one_of.yes.map(f), one_of.no.map(f));
                Self::one_of(one_of.condition, yes, no, self.span)
            }
            _ => f(self),
        }
    }

    /// Applies an operation to two values that may both be one of several. Equal conditions are
    /// decided together, so at most as many results come out as there are worlds.
    #[must_use]
    pub fn zip(&self, other: &Self, f: &mut dyn FnMut(&Self, &Self) -> Self) -> Self {
        self.map(&mut |left| {
            let mut result = other.map(&mut |right| f(left, right));
            result.span = left.span;
            result
        })
        .consistent(&mut Vec::new())
    }

    /// Removes branches that contradict the conditions decided further out.
    fn consistent(&self, decided: &mut Vec<(usize, bool)>) -> Self {
        let Kind::OneOf(one_of) = &self.kind else {
            return self.clone();
        };
        let known = decided.iter().find(|(at, _)| *at == one_of.condition);
        if let Some((_, holds)) = known {
            let branch = if *holds { &one_of.yes } else { &one_of.no };
            return branch.consistent(decided);
        }
        let mut branch = |value: &Self, holds| {
            decided.push((one_of.condition, holds));
            let value = value.consistent(decided);
            decided.pop();
            value
        };
        let (yes, no) = (branch(&one_of.yes, true), branch(&one_of.no, false));
        Self::one_of(one_of.condition, yes, no, self.span)
    }
}

impl Map {
    /// The entry of a key.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.key == key)
    }

    /// Sets a key; an entry that is there keeps its place in the order.
    pub fn set(&mut self, entry: Entry) {
        match self.entries.iter_mut().find(|known| known.key == entry.key) {
            Some(known) => *known = entry,
            None => self.entries.push(entry),
        }
    }
}

/// The deployment conditions of one site, each once.
#[derive(Clone, Debug, Default)]
pub struct Conditions {
    known: Vec<Condition>,
}

impl Conditions {
    /// The most conditions of a site: 64 worlds.
    pub const MAX: usize = 6;

    /// The index of a condition, registered if it is new; nothing if there are too many already:
    /// then what depends on it is unknown. Conditions are equal if their texts are, and all that
    /// hold only while developing are one, for which there is always a place.
    pub fn atom(&mut self, condition: Condition) -> Option<usize> {
        let same = |known: &Condition| {
            known.text == condition.text || (known.development && condition.development)
        };
        if let Some(at) = self.known.iter().position(same) {
            return Some(at);
        }
        // The last place is that of development: a finding there is a note.
        let developing = condition.development || self.known.iter().any(|known| known.development);
        if self.known.len() + usize::from(!developing) >= Self::MAX {
            return None;
        }
        self.known.push(condition);
        Some(self.known.len() - 1)
    }

    /// All of them, in the order of their indices.
    #[must_use]
    pub fn as_slice(&self) -> &[Condition] {
        &self.known
    }

    /// Every assignment of all of them; one empty world if there are none.
    #[must_use]
    pub fn worlds(&self) -> Vec<World> {
        let count = self.known.len();
        let world = |bits: usize| World {
            holds: (0..count).map(|at| bits >> at & 1 == 1).collect(),
        };
        (0..1_usize << count).map(world).collect()
    }
}

/// How much work a run may do. Shared by everything that one run calls.
#[derive(Clone, Copy, Debug)]
pub struct Budget {
    steps: u32,
    depth: u32,
}

impl Budget {
    /// `steps` expressions or statements, nested at most `depth` deep.
    #[must_use]
    pub const fn new(steps: u32, depth: u32) -> Self {
        Self { steps, depth }
    }

    /// Takes one step; `false` if none is left.
    #[must_use]
    pub const fn step(&mut self) -> bool {
        if self.steps == 0 {
            return false;
        }
        self.steps -= 1;
        true
    }

    /// Takes so many steps, or all that are left; `false` if none is left then.
    pub fn spend(&mut self, steps: usize) -> bool {
        let steps = u32::try_from(steps).unwrap_or(u32::MAX);
        self.steps = self.steps.saturating_sub(steps);
        self.steps > 0
    }

    /// Goes one level deeper; `false` (and no [`Budget::leave`] is due) if that is too deep.
    #[must_use]
    pub const fn enter(&mut self) -> bool {
        if self.depth == 0 {
            return false;
        }
        self.depth -= 1;
        true
    }

    /// Comes back from a level.
    pub const fn leave(&mut self) {
        self.depth += 1;
    }

    /// How many steps are left.
    #[must_use]
    pub const fn left(&self) -> u32 {
        self.steps
    }

    /// Is no step left?
    #[must_use]
    pub const fn is_spent(&self) -> bool {
        self.steps == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Sources;

    fn span() -> Span {
        Sources::new().add("a".into(), "text".into()).span()
    }

    fn condition(text: &str, development: bool) -> Condition {
        Condition {
            text: text.into(),
            span: None,
            development,
        }
    }

    fn number(value: f64) -> Value {
        Value::new(Kind::Number(value), span())
    }

    #[test]
    fn equal_and_development_conditions_are_one() {
        let mut conditions = Conditions::default();
        assert_eq!(conditions.atom(condition("A is set", false)), Some(0));
        assert_eq!(conditions.atom(condition("DEBUG", true)), Some(1));
        assert_eq!(conditions.atom(condition("A is set", false)), Some(0));
        assert_eq!(conditions.atom(condition("NODE_ENV is dev", true)), Some(1));
        assert_eq!(conditions.worlds().len(), 4);
        for name in ["b", "c", "d", "e"] {
            assert!(conditions.atom(condition(name, false)).is_some());
        }
        assert_eq!(conditions.atom(condition("f", false)), None);
    }

    #[test]
    fn development_always_finds_a_place() {
        let mut conditions = Conditions::default();
        for name in ["a", "b", "c", "d", "e"] {
            assert!(conditions.atom(condition(name, false)).is_some());
        }
        assert_eq!(conditions.atom(condition("f", false)), None);
        assert_eq!(conditions.atom(condition("DEBUG", true)), Some(5));
    }

    #[test]
    fn a_world_decides_at_every_depth() {
        let inner = Value::one_of(1, number(1.0), number(2.0), span());
        let list = Kind::List(List {
            items: vec![inner],
            open: false,
        });
        let value = Value::one_of(0, Value::new(list, span()), number(0.0), span());
        let world = |holds: &[bool]| World {
            holds: holds.to_vec(),
        };
        assert_eq!(value.in_world(&world(&[false, true])), number(0.0));
        let Kind::List(list) = value.in_world(&world(&[true, false])).kind else {
            panic!("a list");
        };
        assert_eq!(list.items, [number(2.0)]);
        assert!(value.in_world(&world(&[])).is_unknown());
    }

    #[test]
    fn equal_conditions_are_decided_together() {
        let left = Value::one_of(0, number(1.0), number(2.0), span());
        let right = Value::one_of(0, number(10.0), number(20.0), span());
        let sum = left.zip(&right, &mut |a, b| match (&a.kind, &b.kind) {
            (Kind::Number(a), Kind::Number(b)) => number(a + b),
            _ => Value::unknown("no numbers", span()),
        });
        let expected = Value::one_of(0, number(11.0), number(22.0), span());
        assert_eq!(sum, expected);
    }

    #[test]
    fn a_budget_ends() {
        let mut budget = Budget::new(1, 1);
        assert!(budget.step() && !budget.step() && budget.is_spent());
        assert!(budget.enter() && !budget.enter());
        budget.leave();
        assert!(budget.enter());
    }
}
