//! Conditions: what is decided, both sides of what is not, and what holds.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, LazyLock};

use regex::Regex;

use super::object::{Id, K, Obj, Tree, Val};
use super::program::{MAX_ATOMS, Program, SPENT, WATCHED};
use crate::limits::python::condition::MAX_MADE;
use crate::model::{Condition, World};
use crate::source::Span;

impl Program {
    pub(super) fn decided(&self, condition: usize) -> Option<bool> {
        let known = self.path.iter().rev().find(|(at, _)| *at == condition);
        known.map(|(_, holds)| *holds)
    }

    /// The index of a condition; nothing if there are too many.
    pub fn atom(&mut self, text: String, span: Span, development: bool) -> Option<usize> {
        if let Some(at) = self.atoms.iter().position(|atom| atom.text == text) {
            return Some(at);
        }
        if self.atoms.len() >= MAX_ATOMS {
            return None;
        }
        Arc::make_mut(&mut self.atoms).push(Condition {
            text,
            span: Some(span),
            development,
        });
        Some(self.atoms.len() - 1)
    }

    /// The condition with an index.
    #[must_use]
    pub fn condition(&self, atom: usize) -> &Condition {
        &self.atoms[atom]
    }

    /// Runs something once if the condition holds and once if not, and joins state and results.
    pub fn branch<R>(
        &mut self,
        condition: usize,
        run: &mut dyn FnMut(&mut Self, bool) -> R,
        join: impl FnOnce(usize, R, R) -> R,
    ) -> R {
        if let Some(holds) = self.decided(condition) {
            return run(self, holds);
        }
        let depth = self.path.len();
        let mark = self.journal.len();
        let known = self.heap.len();
        self.branches += 1;
        self.path.push((condition, true));
        let yes = run(self, true);
        self.path.truncate(depth);
        // What the first side made of the heap is set aside.
        let mut then: BTreeMap<Id, Arc<Tree>> = BTreeMap::new();
        for (id, before) in self.journal.split_off(mark).into_iter().rev() {
            if id < known
                && let Some(after) = self.heap.set(id, before)
            {
                then.entry(id).or_insert(after);
            }
        }
        self.path.push((condition, false));
        let no = run(self, false);
        self.path.truncate(depth);
        // The oldest of several entries stands as it was before both sides.
        let mut before: BTreeMap<Id, Arc<Tree>> = BTreeMap::new();
        for (id, tree) in &self.journal[mark..] {
            before.entry(*id).or_insert_with(|| Arc::clone(tree));
        }
        let ids: BTreeSet<Id> = then.keys().chain(before.keys()).copied().collect();
        let span = self.atoms.get(condition).and_then(|atom| atom.span);
        for id in ids.into_iter().filter(|id| *id < known) {
            let otherwise = Arc::clone(&self.heap[id]);
            let yes = then.get(&id).or_else(|| before.get(&id));
            if let (Some(yes), Some(span)) = (yes, span)
                && !Arc::ptr_eq(yes, &otherwise)
            {
                self.replace(id, Tree::merge(condition, yes, &otherwise, span));
            }
        }
        self.branches -= 1;
        if self.branches == 0 {
            self.journal.clear();
        }
        join(condition, yes, no)
    }

    /// Applies `f` to every plain value that this may be, each under its conditions.
    pub fn each(&mut self, value: &Val, f: &mut dyn FnMut(&mut Self, &Val) -> Val) -> Val {
        match &value.kind {
            K::OneOf(condition, yes, no) => {
                let span = value.span;
                self.branch(
                    *condition,
                    &mut |program, holds| {
                        if !program.budget.step() {
                            return Val::unknown(SPENT, span);
                        }
                        program.each(if holds { yes } else { no }, f)
                    },
                    |condition, yes, no| Val::one_of(condition, yes, no, span),
                )
            }
            _ => f(self, value),
        }
    }

    /// Applies `f` to two values.
    pub(super) fn each_two(
        &mut self,
        left: &Val,
        right: &Val,
        f: &mut dyn FnMut(&mut Self, &Val, &Val) -> Val,
    ) -> Val {
        self.each(left, &mut |program, left| {
            program.each(right, &mut |program, right| f(program, left, right))
        })
    }

    /// Turns a value into one whose leaves are `True` or `False` wherever that can be told;
    /// what cannot becomes a condition of its own, named by `text`.
    pub(super) fn truth(&mut self, value: &Val, text: &str, span: Span) -> Val {
        self.each(value, &mut |program, value| {
            let known = match &value.kind {
                K::Missing | K::None => Some(false),
                K::Bool(known) => Some(*known),
                K::Number(number) => Some(*number != 0.0),
                K::Text(text) => Some(!text.is_empty()),
                K::SomeText(name) => {
                    let name = name.as_deref().unwrap_or(text);
                    let words = format!("`{name}` is not empty");
                    return match super::environment::means_development(name) {
                        Some(true) => program.condition_value(words, span, true, true),
                        Some(false) => {
                            program.condition_value(format!("not: {words}"), span, true, false)
                        }
                        None => program.condition_value(words, span, false, true),
                    };
                }
                K::Ref(id) => {
                    let id = *id;
                    return program.read(id, span, &mut |program, obj| {
                        let (empty, open) = match obj {
                            Obj::List { items, open, .. } => (items.is_empty(), *open),
                            Obj::Dict { entries, open } => (entries.is_empty(), *open),
                            _ => (true, true),
                        };
                        if empty && open {
                            let words = format!("`{text}` is not empty");
                            return program.condition_value(words, span, false, true);
                        }
                        Val::new(K::Bool(!empty), span)
                    });
                }
                K::Function(_) | K::Class(_) | K::Module(_) | K::Method(..) | K::Regex(..) => {
                    Some(true)
                }
                K::Instance(..) => Some(true),
                _ => None,
            };
            match known {
                Some(known) => Val::new(K::Bool(known), span),
                None => {
                    let development = super::environment::means_development(text);
                    let (words, dev, holds) = match development {
                        Some(true) => (text.to_owned(), true, true),
                        Some(false) => (format!("not {text}"), true, false),
                        None => (format!("`{text}`"), false, true),
                    };
                    program.condition_value(words, span, dev, holds)
                }
            }
        })
    }

    /// `True` if the condition holds (or the reverse).
    pub(super) fn condition_value(
        &mut self,
        text: String,
        span: Span,
        development: bool,
        holds: bool,
    ) -> Val {
        let Some(atom) = self.atom(text, span, development) else {
            return Val::unknown("it depends on too many conditions", span);
        };
        if self.answering && !self.of_origin.contains(&atom) && self.asks_for_origin(span) {
            Arc::make_mut(&mut self.of_origin).insert(atom);
        }
        let truth = |value| Val::new(K::Bool(value), span);
        match self.decided(atom) {
            Some(decided) => truth(decided == holds),
            None => Val::one_of(atom, truth(holds), truth(!holds), span),
        }
    }

    /// Does the origin of the request that is answered decide a condition? Then it is no condition that
    /// requests of any origin may fulfil.
    #[must_use]
    pub fn is_of_origin(&self, atom: usize) -> bool {
        self.of_origin.contains(&atom)
    }

    /// Does an expression name the origin of the request, or something that was made of it?
    fn asks_for_origin(&mut self, span: Span) -> bool {
        static HEADER: LazyLock<Option<Regex>> =
            LazyLock::new(|| Regex::new(r#"(?i)["']origin["']|HTTP_ORIGIN|\.origin\b"#).ok());
        let mut modules = self.modules.iter();
        let Some(module) = modules.find(|module| module.file.id() == span.file) else {
            return false;
        };
        let file = Arc::clone(&module.file);
        let text = file.slice(span);
        if HEADER.as_ref().is_some_and(|header| header.is_match(text)) {
            return true;
        }
        let is_letter = |c: char| c.is_alphanumeric() || c == '_';
        let names: BTreeSet<&str> = text.split(|c| !is_letter(c)).collect();
        let scopes = self.scopes.clone();
        names.into_iter().any(|name| {
            scopes.iter().any(|scope| {
                let value = self.get_name(*scope, name, span);
                self.is_made_of_origin(&value, 0)
            })
        })
    }

    fn is_made_of_origin(&self, value: &Val, depth: usize) -> bool {
        if depth > MAX_MADE {
            return false;
        }
        let is_made = |value: &Val| self.is_made_of_origin(value, depth + 1);
        match &value.kind {
            K::SomeText(Some(name)) => &**name == WATCHED,
            // A scheme stands in other things as well.
            K::Text(text) => {
                let is_scheme = matches!(&**text, "http" | "https");
                let origin = self.origin.as_deref();
                !is_scheme
                    && text.len() > 3
                    && origin.is_some_and(|origin| origin.contains(&**text))
            }
            K::OneOf(_, yes, no) => is_made(yes) || is_made(no),
            K::Foreign(foreign) => {
                let call = foreign.call.and_then(|call| self.calls.get(call));
                call.is_some_and(|call| {
                    let arguments = &call.arguments;
                    let keywords = arguments.keywords.iter().map(|(_, _, value)| value);
                    arguments.positional.iter().chain(keywords).any(is_made)
                })
            }
            _ => false,
        }
    }

    /// Decides everything that the world decides. `conditions` are those of [`Program::export`].
    pub fn assume(&mut self, conditions: &[Condition], world: &World) {
        for (condition, holds) in conditions.iter().zip(&world.holds) {
            for (at, atom) in self.atoms.iter().enumerate() {
                if atom.text == condition.text || (atom.development && condition.development) {
                    self.path.push((at, *holds));
                }
            }
        }
    }
}
