//! Operators, comparisons and formatted texts.

use super::Arguments;
use super::ast::{Comparison, Expr};
use super::eval::{insert, number_text};
use super::object::{K, Obj, Val};
use super::program::{MAX_LENGTH, Program, WATCHED};
use crate::source::Span;

impl Program {
    pub(super) fn format(&mut self, parts: &[Expr], span: Span) -> Val {
        let mut text = Val::text("", span);
        for part in parts {
            let part = self.eval(part);
            let part = self.each(&part, &mut |_, part| match &part.kind {
                K::Number(number) => Val::text(&number_text(*number), span),
                K::None => Val::text("None", span),
                K::Bool(true) => Val::text("True", span),
                K::Bool(false) => Val::text("False", span),
                K::Text(_) => part.clone(),
                _ => Val::new(K::SomeText(None), span),
            });
            text = self.binary(&text, "+", &part, span);
        }
        text.at(span)
    }

    pub(super) fn binary(&mut self, left: &Val, operator: &str, right: &Val, span: Span) -> Val {
        self.each_two(left, right, &mut |program, left, right| {
            program.binary_plain(left, operator, right, span)
        })
    }

    fn binary_plain(&mut self, left: &Val, operator: &str, right: &Val, span: Span) -> Val {
        let unknown = Val::unknown("an operator on something unknown", span);
        match (operator, &left.kind, &right.kind) {
            ("+", K::Text(a), K::Text(b)) if a.len() + b.len() <= MAX_LENGTH * 16 => {
                Val::text(&format!("{a}{b}"), span)
            }
            ("+", K::Text(_) | K::SomeText(_), K::Text(_) | K::SomeText(_)) => {
                Val::new(K::SomeText(None), span)
            }
            ("%", K::Text(_), _) => Val::new(K::SomeText(None), span),
            ("+" | "|", K::Ref(a), K::Ref(b)) => {
                let (a, b) = (*a, *b);
                self.read(a, span, &mut |program, a| {
                    program.read(b, span, &mut |program, b| program.concatenated(a, b, span))
                })
            }
            // Flags of patterns.
            ("|", K::Foreign(a), K::Foreign(b))
                if a.path.starts_with("re.") && b.path.starts_with("re.") =>
            {
                Val::foreign(&format!("{}|{}", a.path, b.path), span)
            }
            // A list and something unknown is a list with more in it.
            ("+", K::Ref(a), K::Unknown(_) | K::Foreign(_)) => {
                self.read(*a, span, &mut |program, a| match a {
                    Obj::List { kind, items, .. } => program.list(*kind, items.clone(), true, span),
                    _ => unknown.clone(),
                })
            }
            ("+", K::Unknown(_) | K::Foreign(_), K::Ref(b)) => {
                self.read(*b, span, &mut |program, b| match b {
                    Obj::List { kind, items, .. } => program.list(*kind, items.clone(), true, span),
                    _ => unknown.clone(),
                })
            }
            ("+", K::Number(a), K::Number(b)) => Val::new(K::Number(a + b), span),
            ("-", K::Number(a), K::Number(b)) => Val::new(K::Number(a - b), span),
            ("*", K::Number(a), K::Number(b)) => Val::new(K::Number(a * b), span),
            ("/", K::Foreign(_), _) => {
                // pathlib.
                Val::unknown("a path of the file system", span)
            }
            _ => unknown,
        }
    }

    fn concatenated(&mut self, a: &Obj, b: &Obj, span: Span) -> Val {
        match (a, b) {
            (
                Obj::List { kind, items, open },
                Obj::List {
                    items: more,
                    open: other,
                    ..
                },
            ) if items.len() + more.len() <= MAX_LENGTH => {
                let items = items.iter().chain(more).cloned().collect();
                self.list(*kind, items, *open || *other, span)
            }
            (
                Obj::Dict { entries, open },
                Obj::Dict {
                    entries: more,
                    open: other,
                },
            ) => {
                let mut entries = entries.clone();
                for (key, value) in more {
                    insert(&mut entries, key.clone(), value.clone());
                }
                self.dict(entries, *open || *other, span)
            }
            _ => Val::unknown("an operator on something unknown", span),
        }
    }

    pub(super) fn junction(&mut self, left: &Expr, right: &Expr, and: bool, span: Span) -> Val {
        let value = self.eval(left);
        self.each(&value, &mut |program, value| {
            let text = program.source(left.span);
            let truth = program.truth(value, &text, left.span);
            program.each(&truth, &mut |program, truth| match truth.kind {
                K::Bool(holds) if holds == and => program.eval(right),
                // What is empty is known to be falsy, and the reverse.
                K::Bool(holds) => match &value.kind {
                    K::SomeText(_) if !holds => Val::text("", value.span),
                    K::Unknown(_) | K::Foreign(_) => {
                        if and {
                            Val::new(K::Bool(false), span)
                        } else {
                            value.clone()
                        }
                    }
                    _ => value.clone(),
                },
                _ => Val::unknown("it depends on something unknown", span),
            })
        })
    }

    pub(super) fn compare(
        &mut self,
        left: &Val,
        comparison: Comparison,
        right: &Val,
        span: Span,
    ) -> Val {
        self.each_two(left, right, &mut |program, left, right| match program
            .compare_plain(left, comparison, right)
        {
            Some(known) => Val::new(K::Bool(known), span),
            None => program.compare_unknown(left, comparison, right, span),
        })
    }

    fn compare_plain(&mut self, left: &Val, comparison: Comparison, right: &Val) -> Option<bool> {
        match comparison {
            Comparison::Equal => self.equal(left, right),
            Comparison::NotEqual => self.equal(left, right).map(|equal| !equal),
            Comparison::In => self.contains(right, left),
            Comparison::NotIn => self.contains(right, left).map(|found| !found),
            _ => match (&left.kind, &right.kind) {
                (K::Number(a), K::Number(b)) => Some(match comparison {
                    Comparison::Less => a < b,
                    Comparison::LessEqual => a <= b,
                    Comparison::Greater => a > b,
                    _ => a >= b,
                }),
                _ => None,
            },
        }
    }

    /// Are two plain values equal?
    pub(super) fn equal(&self, left: &Val, right: &Val) -> Option<bool> {
        Some(match (&left.kind, &right.kind) {
            (K::Unknown(_) | K::Foreign(_) | K::OneOf(..) | K::Missing, _)
            | (_, K::Unknown(_) | K::Foreign(_) | K::OneOf(..) | K::Missing) => return None,
            (K::SomeText(_), K::Text(_) | K::SomeText(_)) | (K::Text(_), K::SomeText(_)) => {
                return None;
            }
            (K::Text(a), K::Text(b)) => a == b,
            (K::Number(a), K::Number(b)) => a == b,
            (K::Bool(a), K::Bool(b)) => a == b,
            (K::None, K::None) => true,
            (K::Ref(a), K::Ref(b)) if a == b => true,
            (K::Ref(_), K::Ref(_)) | (K::Instance(..), _) | (_, K::Instance(..)) => return None,
            (a, b) => a == b,
        })
    }

    /// Does a container hold a value?
    pub(super) fn contains(&mut self, container: &Val, value: &Val) -> Option<bool> {
        match (&container.kind, &value.kind) {
            (K::Text(text), K::Text(part)) => Some(text.contains(&**part)),
            (K::Ref(id), _) => {
                let (items, open) = match self.plain(*id)? {
                    Obj::List { items, open, .. } => (items, open),
                    Obj::Dict { entries, open } => {
                        (entries.into_iter().map(|(key, _)| key).collect(), open)
                    }
                    _ => return None,
                };
                let mut certain = !open;
                for item in &items {
                    match self.equal(item, value) {
                        Some(true) => return Some(true),
                        Some(false) => {}
                        None => certain = false,
                    }
                }
                certain.then_some(false)
            }
            // The headers of the request that is answered.
            (K::Foreign(foreign), K::Text(_)) => {
                let native = self.native.clone()?;
                let arguments = Arguments {
                    positional: vec![value.clone()],
                    ..Arguments::default()
                };
                let getter = format!("{}.get", foreign.path);
                match (native.0)(self, &getter, &arguments, value.span)?.kind {
                    K::None => Some(false),
                    K::Text(_) => Some(true),
                    K::SomeText(name) if name.as_deref() == Some(WATCHED) => Some(true),
                    _ => None,
                }
            }
            _ => None,
        }
    }
}
