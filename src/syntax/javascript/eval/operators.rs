//! Operators and conversions.

use std::sync::Arc;

use super::heap::{Id, ObjectKind, V, Val};
use super::{Comparison, Host, Machine, Result};
use crate::limits::javascript::MAX_TEXT;
use crate::limits::javascript::operators::MAX_DEPTH;
use crate::source::Span;
use crate::syntax::javascript::ast::{Expr, ExprKind, Name};

impl<H: Host> Machine<'_, H> {
    /// The text of a primitive or of an array of primitives.
    #[must_use]
    pub fn to_text(&self, val: &Val) -> Option<Name> {
        self.text_at(val, MAX_DEPTH)
    }

    /// A list may be an element of itself.
    fn text_at(&self, val: &Val, depth: u32) -> Option<Name> {
        Some(match &val.v {
            V::String(text) => Arc::clone(text),
            // Others are written with an exponent.
            V::Number(number)
                if number.is_finite()
                    && *number != 0.0
                    && !(1e-6..1e21).contains(&number.abs()) =>
            {
                return None;
            }
            V::Number(number) => number_text(*number).into(),
            V::Bool(value) => value.to_string().into(),
            V::Null => "null".into(),
            V::Undefined => "undefined".into(),
            V::Object(_) if depth == 0 => return None,
            V::Object(id) => match &self.objects.get(*id).kind {
                ObjectKind::Array(items, false) => self.joined(items, ",", depth)?.into(),
                ObjectKind::Regex(pattern, flags, _) => format!("/{pattern}/{flags}").into(),
                ObjectKind::Plain if self.own(val, "href").is_some() => {
                    return self.text_at(&self.own(val, "href")?, depth - 1);
                }
                ObjectKind::Plain if self.own(val, "toString").is_none() => {
                    "[object Object]".into()
                }
                _ => return None,
            },
            _ => return None,
        })
    }

    /// What `join` makes of elements.
    pub(super) fn join(&self, items: &[Val], separator: &str) -> Option<String> {
        self.joined(items, separator, MAX_DEPTH)
    }

    fn joined(&self, items: &[Val], separator: &str, depth: u32) -> Option<String> {
        let mut text = String::new();
        for (at, item) in items.iter().enumerate() {
            if at > 0 {
                text.push_str(separator);
            }
            if !item.is_nullish() {
                text.push_str(&self.text_at(item, depth - 1)?);
            }
            if text.len() > MAX_TEXT {
                return None;
            }
        }
        Some(text)
    }

    fn to_number(&self, val: &Val) -> Option<f64> {
        Some(match &val.v {
            V::Number(number) => *number,
            V::Bool(value) => f64::from(u8::from(*value)),
            V::Null => 0.0,
            V::Undefined => f64::NAN,
            V::String(text) => text_number(text),
            _ => return None,
        })
    }

    pub(super) fn unary(
        &mut self,
        operator: &str,
        inner: &Expr,
        span: Span,
        scope: Id,
    ) -> Result<Val> {
        if operator == "delete" {
            if let ExprKind::Member(object, name, _) = &inner.kind {
                let object = self.eval(object, scope)?;
                if let Some(id) = object.as_id() {
                    let object = self.objects.get_mut(id);
                    object.properties.retain(|slot| slot.name != *name);
                }
            }
            return Ok(Val::bool(true, span));
        }
        let val = self.eval(inner, scope)?;
        Ok(match operator {
            "!" => match &val.v {
                V::Test(condition, negated) => Val::new(V::Test(*condition, !negated), span),
                V::Env(name) => {
                    let condition = self.is_set(&Arc::clone(name), inner.span);
                    Val::new(V::Test(condition, true), span)
                }
                V::Choice(choice) => {
                    let choice = Arc::clone(choice);
                    let yes = self.not(&choice.yes, inner.span, span);
                    let no = self.not(&choice.no, inner.span, span);
                    Val::choice(choice.condition, yes, no, span)
                }
                _ => match self.truth(&val) {
                    Some(truth) => Val::bool(!truth, span),
                    None if !self.loading() => {
                        let holds = self.decide(&val, inner.span);
                        Val::bool(!holds, span)
                    }
                    None => Val::unknown("it is not known whether it holds", span),
                },
            },
            "typeof" => {
                let val = self.force(val);
                match self.type_of(&val) {
                    Some(name) => Val::string(name, span),
                    None => Val::unknown("its type is not known", span),
                }
            }
            "void" => Val::undefined(span),
            "-" | "+" => {
                let val = self.force(val);
                match self.to_number(&val) {
                    Some(number) if operator == "-" => Val::number(-number, span),
                    Some(number) => Val::number(number, span),
                    None => Val::unknown("it is not a number in view", span),
                }
            }
            "~" => {
                let val = self.force(val);
                match self.to_number(&val) {
                    #[expect(clippy::cast_possible_truncation, reason = "as ECMAScript does")]
                    Some(number) => Val::number(f64::from(!(number as i32)), span),
                    None => Val::unknown("it is not a number in view", span),
                }
            }
            _ => Val::unknown("the operator is not evaluated", span),
        })
    }

    /// `!` of one side of a choice.
    fn not(&mut self, val: &Val, at: Span, span: Span) -> Val {
        match &val.v {
            V::Test(condition, negated) => Val::new(V::Test(*condition, !negated), span),
            V::Env(name) => {
                let condition = self.is_set(&Arc::clone(name), at);
                Val::new(V::Test(condition, true), span)
            }
            V::Choice(choice) => {
                let choice = Arc::clone(choice);
                let yes = self.not(&choice.yes, at, span);
                let no = self.not(&choice.no, at, span);
                Val::choice(choice.condition, yes, no, span)
            }
            _ => match self.truth(val) {
                Some(truth) => Val::bool(!truth, span),
                None => Val::unknown("it is not known whether it holds", span),
            },
        }
    }

    fn type_of(&self, val: &Val) -> Option<&'static str> {
        Some(match &val.v {
            V::Undefined => "undefined",
            V::Null => "object",
            V::Bool(_) => "boolean",
            V::Number(_) => "number",
            V::String(_) => "string",
            V::Host(..) => "function",
            V::Object(id) => match self.objects.get(*id).kind {
                ObjectKind::Function(..) | ObjectKind::Bound(..) | ObjectKind::Class(..) => {
                    "function"
                }
                ObjectKind::Host(..) => return None,
                _ => "object",
            },
            V::Native(name) if &**name == "process" => "object",
            _ => return None,
        })
    }

    pub(super) fn binary(&mut self, operator: &str, left: &Val, right: &Val, span: Span) -> Val {
        if matches!(operator, "===" | "==" | "!==" | "!=") {
            let equal = self.equals(left, right, operator.len() == 2, span);
            return if operator.starts_with('!') {
                negate(equal, span)
            } else {
                equal
            };
        }
        let left = self.force(left.clone());
        let right = self.force(right.clone());
        match operator {
            "+" => self.add(&left, &right, span),
            "in" => {
                let name = self.to_text(&left);
                let object = self.object(&right);
                match (name, object) {
                    (Some(name), Some(object)) if object.slot(&name).is_some() => {
                        Val::bool(true, span)
                    }
                    (Some(_), Some(object))
                        if matches!(object.kind, ObjectKind::Plain) && !object.open =>
                    {
                        Val::bool(false, span)
                    }
                    (Some(name), _) if right.is_environment() => {
                        match self.library.environment.get(&name) {
                            Some(_) => Val::bool(true, span),
                            None => Val::unknown("the environment says whether it is set", span),
                        }
                    }
                    _ => Val::unknown("the object is not in view", span),
                }
            }
            "<" | ">" | "<=" | ">=" if left.as_str().is_some() && right.as_str().is_some() => {
                match (left.as_str(), right.as_str()) {
                    // By UTF-16, which is the order of bytes as long as there are only letters of ASCII.
                    (Some(a), Some(b)) if a.is_ascii() && b.is_ascii() => {
                        let holds = match operator {
                            "<" => a < b,
                            ">" => a > b,
                            "<=" => a <= b,
                            _ => a >= b,
                        };
                        Val::bool(holds, span)
                    }
                    _ => Val::unknown("texts are compared", span),
                }
            }
            "instanceof" => Val::unknown("classes are not compared", span),
            _ => match (self.to_number(&left), self.to_number(&right)) {
                (Some(a), Some(b)) => arithmetic(operator, a, b, span),
                _ => Val::unknown("it is not a number in view", span),
            },
        }
    }

    fn add(&self, left: &Val, right: &Val, span: Span) -> Val {
        if let (V::Number(a), V::Number(b)) = (&left.v, &right.v) {
            return Val::number(a + b, span);
        }
        let is_plain =
            |val: &Val| matches!(val.v, V::Number(_) | V::Bool(_) | V::Null | V::Undefined);
        if is_plain(left) && is_plain(right) {
            return match (self.to_number(left), self.to_number(right)) {
                (Some(a), Some(b)) => Val::number(a + b, span),
                _ => Val::unknown("it is not a number in view", span),
            };
        }
        match (self.to_text(left), self.to_text(right)) {
            (Some(a), Some(b)) if a.len() + b.len() <= MAX_TEXT => {
                Val::string(format!("{a}{b}"), span)
            }
            (Some(text), None) | (None, Some(text)) if !text.is_empty() => {
                Val::something("part of the text is unknown", span)
            }
            _ => Val::unknown("part of the text is unknown", span),
        }
    }

    /// `===`, or `==` if loose.
    pub fn equals(&mut self, left: &Val, right: &Val, loose: bool, span: Span) -> Val {
        let (env, other) = match (&left.v, &right.v) {
            (V::Env(name), _) => (Some(Arc::clone(name)), right),
            (_, V::Env(name)) => (Some(Arc::clone(name)), left),
            _ => (None, right),
        };
        if let Some(name) = env {
            return self.env_equals(&name, other, span);
        }
        if let V::Choice(choice) = &left.v {
            if !self.budget.step() {
                return Val::unknown("it depends on too many conditions", span);
            }
            let choice = Arc::clone(choice);
            let given = |holds| right.clone().given(choice.condition, holds);
            let yes = self.equals(&choice.yes, &given(true), loose, span);
            let no = self.equals(&choice.no, &given(false), loose, span);
            return Val::choice(choice.condition, yes, no, span);
        }
        if let V::Choice(_) = right.v {
            return self.equals(right, left, loose, span);
        }
        let left = self.force(left.clone());
        let right = self.force(right.clone());
        let equal = self.is_equal(&left, &right, loose);
        let (subject, by) = if left.as_str().is_some_and(|text| self.host.is_subject(text)) {
            (&left, &right)
        } else {
            (&right, &left)
        };
        self.note(subject, by, Comparison::Equal, equal);
        match equal {
            Some(equal) => Val::bool(equal, if equal { by.span } else { span }),
            None => Val::unknown("one side is unknown", span),
        }
    }

    fn env_equals(&mut self, name: &Name, other: &Val, span: Span) -> Val {
        let other = self.force(other.clone());
        let Some(text) = self.to_text(&other) else {
            return Val::unknown("the environment is compared with something unknown", span);
        };
        if other.is_nullish() {
            let condition = self.is_set(name, span);
            return Val::new(V::Test(condition, true), span);
        }
        if matches!(
            &**name,
            "NODE_ENV" | "APP_ENV" | "ENVIRONMENT" | "ENV" | "NEXT_PUBLIC_ENV"
        ) {
            let lower = text.to_ascii_lowercase();
            if lower.starts_with("prod") || lower == "live" {
                let text = format!("{name} is not \"{text}\"");
                let condition = self.condition(text, span, true);
                return Val::new(V::Test(condition, true), span);
            }
            if lower.starts_with("dev") || lower.starts_with("test") || lower == "local" {
                let condition = self.condition(format!("{name} is \"{text}\""), span, true);
                return Val::new(V::Test(condition, false), span);
            }
        }
        let condition = self.condition(format!("{name} is \"{text}\""), span, false);
        Val::new(V::Test(condition, false), span)
    }

    /// Are two plain values equal? `None` if it cannot be told.
    #[must_use]
    pub fn is_equal(&self, left: &Val, right: &Val, loose: bool) -> Option<bool> {
        let member = |val: &Val| val.as_str().is_some_and(|text| self.host.is_member(text));
        if (left.is_opaque() && member(right)) || (right.is_opaque() && member(left)) {
            return Some(true);
        }
        let nullish = |val: &Val| match &val.v {
            V::Undefined | V::Null => Some(true),
            V::Unknown(unknown) if unknown.truthy != Some(true) => None,
            V::Foreign(_) | V::Env(_) => None,
            _ => Some(false),
        };
        if loose && (left.is_nullish() || right.is_nullish()) {
            return Some(nullish(left)? && nullish(right)?);
        }
        Some(match (&left.v, &right.v) {
            (V::Undefined, V::Undefined) | (V::Null, V::Null) => true,
            (V::Bool(a), V::Bool(b)) => a == b,
            (V::Number(a), V::Number(b)) => {
                #[expect(clippy::float_cmp, reason = "as ECMAScript does")]
                let equal = a == b;
                equal
            }
            (V::String(a), V::String(b)) => a == b,
            (V::Object(a), V::Object(b)) => a == b,
            (V::Host(a, b), V::Host(c, d)) => a == c && b == d,
            (V::Unknown(unknown), other) | (other, V::Unknown(unknown)) => {
                let falsy = match other {
                    V::Undefined | V::Null => true,
                    V::Bool(value) => !value,
                    V::String(text) => text.is_empty(),
                    _ => false,
                };
                if falsy && unknown.truthy == Some(true) {
                    return Some(false);
                }
                return None;
            }
            (V::Foreign(_) | V::Env(_), _) | (_, V::Foreign(_) | V::Env(_)) => return None,
            (
                V::Number(_) | V::Bool(_) | V::String(_),
                V::Number(_) | V::Bool(_) | V::String(_),
            ) if loose => {
                #[expect(clippy::float_cmp, reason = "as ECMAScript does")]
                let equal = self.to_number(left)? == self.to_number(right)?;
                equal
            }
            // Objects are made primitives first.
            (V::Object(_), V::Number(_) | V::Bool(_) | V::String(_))
            | (V::Number(_) | V::Bool(_) | V::String(_), V::Object(_))
                if loose =>
            {
                return None;
            }
            _ => false,
        })
    }
}

fn negate(val: Val, span: Span) -> Val {
    match val.v {
        V::Bool(value) => Val::bool(!value, span),
        V::Test(condition, negated) => Val::new(V::Test(condition, !negated), span),
        V::Choice(choice) => {
            let yes = negate(choice.yes.clone(), span);
            let no = negate(choice.no.clone(), span);
            Val::choice(choice.condition, yes, no, span)
        }
        other => Val::new(other, span),
    }
}

fn arithmetic(operator: &str, a: f64, b: f64, span: Span) -> Val {
    match operator {
        "-" => Val::number(a - b, span),
        "*" => Val::number(a * b, span),
        "/" => Val::number(a / b, span),
        "%" => Val::number(a % b, span),
        "**" => Val::number(a.powf(b), span),
        "<" => Val::bool(a < b, span),
        ">" => Val::bool(a > b, span),
        "<=" => Val::bool(a <= b, span),
        ">=" => Val::bool(a >= b, span),
        _ => Val::unknown("the operator is not evaluated", span),
    }
}

/// A number as JavaScript prints it, for those of everyday size.
#[must_use]
pub(super) fn number_text(number: f64) -> String {
    if number.is_nan() {
        "NaN".into()
    } else if number.is_infinite() {
        if number > 0.0 {
            "Infinity"
        } else {
            "-Infinity"
        }
        .into()
    } else {
        format!("{number}")
    }
}

pub(super) fn text_number(text: &str) -> f64 {
    let text = text.trim();
    let prefixed = |prefix: [&str; 2], radix| {
        let digits = prefix.iter().find_map(|prefix| text.strip_prefix(prefix))?;
        let digits = digits.chars().map(|c| c.to_digit(radix));
        digits
            .map(|digit| digit.map(f64::from))
            .reduce(|sum, digit| Some(sum? * f64::from(radix) + digit?))
    };
    for (prefix, radix) in [(["0x", "0X"], 16), (["0o", "0O"], 8), (["0b", "0B"], 2)] {
        if let Some(number) = prefixed(prefix, radix) {
            return number.unwrap_or(f64::NAN);
        }
    }
    match text {
        "" => 0.0,
        "Infinity" | "+Infinity" => f64::INFINITY,
        "-Infinity" => f64::NEG_INFINITY,
        // What Rust takes besides: `inf`, `nan`.
        _ if text.contains(['i', 'I', 'n', 'N']) => f64::NAN,
        _ => text.parse().unwrap_or(f64::NAN),
    }
}
