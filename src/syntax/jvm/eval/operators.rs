//! Operators and equality.

use super::heap::{ObjectKind, V, Val};
use super::values::constant;
use super::{Comparison, Host, Machine, Result};
use crate::limits::jvm::operators::MAX_TEXT;
use crate::source::Span;
use crate::syntax::jvm::ast::Binary;

impl<H: Host> Machine<'_, H> {
    /// Two texts joined.
    pub(super) fn concat(&mut self, left: &Val, right: &Val, span: Span) -> Val {
        match (self.shown(left), self.shown(right)) {
            (Some(left), Some(right)) if left.len() + right.len() <= MAX_TEXT => {
                if self.pay((left.len() + right.len()) / 16).is_err() {
                    return Val::unknown("a text that is too long", span);
                }
                Val::string(left + &right, span)
            }
            (Some(_), Some(_)) => Val::unknown("a text that is too long", span),
            _ => Val::unknown("a text with a part that is not in view", span),
        }
    }

    /// Are two values equal, if that can be told?
    #[must_use]
    pub fn equal(&self, left: &Val, right: &Val) -> Option<bool> {
        Some(match (&left.v, &right.v) {
            (V::Unknown(_), _) | (_, V::Unknown(_)) => return None,
            (V::Null, V::Null) | (V::Void, V::Void) => true,
            (V::Null, V::Foreign(path)) | (V::Foreign(path), V::Null) => {
                constant(path)?;
                false
            }
            (V::Null, _) | (_, V::Null) => false,
            (V::Bool(a), V::Bool(b)) => a == b,
            (V::Number(a), V::Number(b)) => (a - b).abs() < f64::EPSILON,
            (V::String(a), V::String(b)) => a == b,
            (V::Class(a), V::Class(b)) => a.path == b.path,
            (V::Foreign(a), V::Foreign(b)) => {
                let class = |path: &str| path.rsplit_once('.').map(|(class, _)| class.to_owned());
                if a == b && constant(a).is_some() {
                    return Some(true);
                }
                if class(a) != class(b) || constant(a).is_none() || constant(b).is_none() {
                    return None;
                }
                false
            }
            (V::Foreign(_), _) | (_, V::Foreign(_)) => return None,
            (V::Object(a), V::Object(b)) if a == b => true,
            (V::Object(a), V::Object(b)) => {
                match (&self.objects.get(*a).kind, &self.objects.get(*b).kind) {
                    (
                        ObjectKind::List {
                            items: a,
                            open: false,
                            ..
                        },
                        ObjectKind::List {
                            items: b,
                            open: false,
                            ..
                        },
                    ) => {
                        if a.len() != b.len() {
                            return Some(false);
                        }
                        let mut same = true;
                        for (a, b) in a.iter().zip(b) {
                            same &= self.equal(a, b)?;
                        }
                        same
                    }
                    (ObjectKind::Instance(..), ObjectKind::Instance(..))
                        if self.is_constant(*a) && self.is_constant(*b) =>
                    {
                        false
                    }
                    _ => return None,
                }
            }
            (V::Object(_), _) | (_, V::Object(_)) => {
                // An Optional or builder never equals a text.
                false
            }
            _ => false,
        })
    }

    /// Compares two values and tells the framework.
    pub(super) fn compare(&mut self, left: &Val, right: &Val, span: Span) -> Val {
        let equal = self.equal(left, right);
        self.note(left, right, Comparison::Equal, equal);
        self.note(right, left, Comparison::Equal, equal);
        let member = |val: &Val| val.as_str().is_some_and(|text| self.host.is_member(text));
        match equal {
            Some(equal) => Val::bool(equal, span),
            None if member(left) || member(right) => Val::bool(true, span),
            None => Val::unknown("a comparison with something that is not in view", span),
        }
    }

    pub(super) fn operate(
        &mut self,
        operator: Binary,
        left: &Val,
        right: &Val,
        span: Span,
    ) -> Result<Val> {
        let text = |val: &Val| matches!(val.v, V::String(_));
        let number = |value: f64| Val::number(value, span);
        Ok(match operator {
            Binary::Equal => self.compare(left, right, span),
            Binary::NotEqual => {
                let equal = self.compare(left, right, span);
                match equal.as_bool() {
                    Some(equal) => Val::bool(!equal, span),
                    None => equal,
                }
            }
            Binary::Pair => self.allocate(ObjectKind::Pair(left.clone(), right.clone()), span),
            Binary::In => {
                let args = super::functions::Args::positional(std::slice::from_ref(left));
                return self.call_method(&args.call(right, "contains", span, span));
            }
            Binary::Add if self.items(left).is_some() => {
                let (mut items, mut open) = self.items(left).unwrap_or_default();
                match self.items(right) {
                    Some((more, others)) => {
                        items.extend(more);
                        open |= others;
                    }
                    None if right.is_opaque() => open = true,
                    None => items.push(right.clone()),
                }
                self.list(items, open, span)
            }
            Binary::Add if text(left) || text(right) => self.concat(left, right, span),
            _ => match (left.as_number(), right.as_number()) {
                (Some(a), Some(b)) => match operator {
                    Binary::Add => number(a + b),
                    Binary::Subtract => number(a - b),
                    Binary::Multiply => number(a * b),
                    Binary::Divide if b != 0.0 && a.fract() == 0.0 && b.fract() == 0.0 => {
                        number((a / b).trunc())
                    }
                    Binary::Divide if b != 0.0 => number(a / b),
                    Binary::Remainder if b != 0.0 => number(a % b),
                    Binary::Less => Val::bool(a < b, span),
                    Binary::LessEqual => Val::bool(a <= b, span),
                    Binary::Greater => Val::bool(a > b, span),
                    Binary::GreaterEqual => Val::bool(a >= b, span),
                    Binary::Range | Binary::Until => {
                        let last = if operator == Binary::Range {
                            b
                        } else {
                            b - 1.0
                        };
                        let count = (last - a).clamp(-1.0, 1000.0) as i64;
                        let items = (0..=count).map(|at| number(a + at as f64)).collect();
                        self.list(items, last - a > 1000.0, span)
                    }
                    _ => Val::unknown("this operator is not evaluated", span),
                },
                _ => Val::unknown("an operation on something that is not in view", span),
            },
        })
    }
}
