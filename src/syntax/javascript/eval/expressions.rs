//! Expressions.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::heap::{Id, ObjectKind, Slot, V, Val};
use super::statements::has_effect;
use super::{Abrupt, Call, Host, Machine, RED_ZONE, Result, STACK};
use crate::limits::javascript::MAX_TEXT;
use crate::source::Span;
use crate::syntax::javascript::ast::{Argument, Expr, ExprKind, Key, Name, Pattern, Property};

impl<H: Host> Machine<'_, H> {
    /// Evaluates an expression.
    pub(super) fn eval(&mut self, expr: &Expr, scope: Id) -> Result<Val> {
        self.step()?;
        if !self.budget.enter() {
            return Ok(Val::unknown("it is nested too deeply", expr.span));
        }
        let result = stacker::maybe_grow(RED_ZONE, STACK, || self.eval_now(expr, scope, false));
        self.budget.leave();
        result
    }

    /// Evaluates an expression whose value nobody uses.
    pub(super) fn eval_effect(&mut self, expr: &Expr, scope: Id) -> Result<Val> {
        self.eval_now(expr, scope, true)
    }

    fn eval_now(&mut self, expr: &Expr, scope: Id, for_effect: bool) -> Result<Val> {
        let span = expr.span;
        Ok(match &expr.kind {
            ExprKind::Unknown => Val::unknown("it is not evaluated", span),
            ExprKind::String(text) => Val::string(Arc::clone(text), span),
            ExprKind::Number(value) => Val::number(*value, span),
            ExprKind::Bool(value) => Val::bool(*value, span),
            ExprKind::Null => Val::new(V::Null, span),
            ExprKind::Undefined => Val::undefined(span),
            ExprKind::Regex(pattern, flags) => {
                let kind = ObjectKind::Regex(Arc::clone(pattern), Arc::clone(flags), 0);
                self.allocate(kind, span)
            }
            ExprKind::Template(parts) => self.template(parts, span, scope)?,
            ExprKind::Name(name) => self.variable(name, span, scope),
            ExprKind::This => self
                .lookup(scope, "this")
                .unwrap_or_else(|| Val::unknown("`this` is not known here", span)),
            ExprKind::Super => self
                .lookup(scope, "#super")
                .unwrap_or_else(|| Val::unknown("`super` is not known here", span)),
            ExprKind::Array(items) => {
                let (items, _, open) = self.arguments(items, scope)?;
                self.array(items, open, span)
            }
            ExprKind::Object(properties) => self.object_literal(properties, span, scope)?,
            ExprKind::Function(function) => {
                let inner = match &function.name {
                    Some(name) if !function.arrow => {
                        let inner = self.scope(Some(scope));
                        let val = self.closure(function, inner);
                        self.declare(inner, name, val);
                        inner
                    }
                    _ => scope,
                };
                self.closure(function, inner)
            }
            ExprKind::Class(class) => self.class_value(class, scope)?,
            ExprKind::Unary(operator, inner) => self.unary(operator, inner, span, scope)?,
            ExprKind::Binary(operator, left, right) => {
                let left = self.eval(left, scope)?;
                let right = self.eval(right, scope)?;
                self.binary(operator, &left, &right, span)
            }
            ExprKind::Logical(operator, left, right) => {
                let left_val = self.eval(left, scope)?;
                self.logical(
                    operator, left_val, left.span, right, for_effect, span, scope,
                )?
            }
            ExprKind::Conditional(test, yes, no) => {
                let test_val = self.eval(test, scope)?;
                self.conditional(test_val, test.span, yes, no, span, scope)?
            }
            ExprKind::Assign(pattern, value) => {
                let val = self.eval(value, scope)?;
                self.assign_pattern(pattern, val.clone(), scope, false)?;
                val
            }
            ExprKind::Update(operator, target, value) => {
                let old = self.eval(target, scope)?;
                let new = if matches!(*operator, "||" | "&&" | "??") {
                    self.logical(operator, old, target.span, value, false, span, scope)?
                } else {
                    let value = self.eval(value, scope)?;
                    self.binary(operator, &old, &value, span)
                };
                self.assign_expr(target, new.clone(), scope)?;
                new
            }
            ExprKind::Member(object, name, name_span) => {
                let object_val = self.eval(object, scope)?;
                self.member(&object_val, name, *name_span, span)?
            }
            ExprKind::Index(object, index) => {
                let object_val = self.eval(object, scope)?;
                let index_val = self.eval(index, scope)?;
                self.index(&object_val, &index_val, span)?
            }
            ExprKind::Call(callee, args) => self.eval_call(callee, args, span, scope)?,
            ExprKind::New(callee, args) => {
                let callee = self.eval(callee, scope)?;
                let (args, spans, _) = self.arguments(args, scope)?;
                let call = Call {
                    callee: &callee,
                    this: &Val::undefined(span),
                    args: &args,
                    arg_spans: &spans,
                    span,
                    new: true,
                };
                self.call_with(&call)?
            }
            ExprKind::Await(inner) => {
                let val = self.eval(inner, scope)?;
                let val = self.force(val);
                if let Some(ObjectKind::Rejected(error)) =
                    self.object(&val).map(|object| object.kind.clone())
                {
                    return Err(Abrupt::Throw(*error));
                }
                val
            }
            ExprKind::Sequence(parts) => {
                let mut last = Val::undefined(span);
                for part in parts {
                    last = self.eval(part, scope)?;
                }
                last
            }
            ExprKind::Import(source) => {
                let source = self.eval(source, scope)?;
                self.import_value(&source, span)
            }
        })
    }

    fn variable(&mut self, name: &Name, span: Span, scope: Id) -> Val {
        if let Some(val) = self.lookup(scope, name) {
            return val;
        }
        if let Some(native) = super::builtins::global(name, span) {
            return native;
        }
        H::global(self, name, span)
            .unwrap_or_else(|| Val::unknown("it is declared out of view", span))
    }

    /// Values, their places in the call, and whether there may be more.
    fn arguments(&mut self, list: &[Argument], scope: Id) -> Result<(Vec<Val>, Vec<Span>, bool)> {
        let mut values = Vec::with_capacity(list.len());
        let mut spans = Vec::with_capacity(list.len());
        let mut open = false;
        for argument in list {
            let val = self.eval(&argument.value, scope)?;
            if !argument.spread {
                values.push(val);
                spans.push(argument.value.span);
                continue;
            }
            let val = self.force(val);
            match self.items(&val) {
                Some((items, more)) => {
                    open |= !self.append(&mut values, items) || more;
                    let added = values.iter().skip(spans.len());
                    spans.extend(added.map(|item| item.span));
                }
                None => open = true,
            }
        }
        Ok((values, spans, open))
    }

    fn object_literal(&mut self, properties: &[Property], span: Span, scope: Id) -> Result<Val> {
        let val = self.allocate(ObjectKind::Plain, span);
        let Some(id) = val.as_id() else {
            return Ok(val);
        };
        // So that a table of 50,000 entries is not searched 50,000 times.
        let mut names: HashSet<Name> = HashSet::new();
        for property in properties {
            match property {
                Property::Value(key, key_span, value) => {
                    let value = self.eval(value, scope)?;
                    let name = match key {
                        Key::Name(name) => Some(Arc::clone(name)),
                        Key::Computed(key) => {
                            let key = self.eval(key, scope)?;
                            let key = self.force(key);
                            self.to_text(&key)
                        }
                    };
                    match name {
                        Some(name) if names.insert(Arc::clone(&name)) => {
                            self.objects.get_mut(id).add(name, *key_span, value);
                        }
                        Some(name) => self.objects.get_mut(id).set(&name, *key_span, value),
                        None => self.objects.get_mut(id).open = true,
                    }
                }
                Property::Spread(value) => {
                    let value = self.eval(value, scope)?;
                    let value = self.force(value);
                    self.spread_into(id, &value);
                    let object = self.objects.get_mut(id);
                    names.extend(object.properties.iter().map(|slot| Arc::clone(&slot.name)));
                }
                Property::Accessor(name) => {
                    let value = Val::unknown("accessors are not evaluated", span);
                    names.insert(Arc::clone(name));
                    self.objects.get_mut(id).set(name, span, value);
                }
            }
        }
        Ok(val)
    }

    /// Copies own properties.
    pub(super) fn spread_into(&mut self, target: Id, value: &Val) {
        let from = self.object(value).map(|object| {
            let slots: Vec<Slot> = object.properties.clone();
            (slots, object.open)
        });
        if let Some((slots, _)) = &from {
            let known = self.objects.get(target).properties.len();
            self.pay(slots.len() + known);
        }
        let target = self.objects.get_mut(target);
        match from {
            Some((slots, open)) => {
                let known = target.properties.iter().enumerate();
                let mut places: HashMap<Name, usize> = known
                    .map(|(at, slot)| (Arc::clone(&slot.name), at))
                    .collect();
                for slot in slots {
                    match places.entry(Arc::clone(&slot.name)) {
                        Entry::Occupied(at) => target.properties[*at.get()] = slot,
                        Entry::Vacant(at) => {
                            at.insert(target.properties.len());
                            target.properties.push(slot);
                        }
                    }
                }
                target.open |= open;
            }
            None if value.is_nullish() || matches!(value.v, V::Bool(_)) => {}
            None => {
                // Whatever was set before may have been replaced.
                for slot in &mut target.properties {
                    slot.value = Val::unknown("a spread may replace it", slot.value.span);
                }
                target.open = true;
            }
        }
    }

    fn template(&mut self, parts: &[Expr], span: Span, scope: Id) -> Result<Val> {
        let mut text = String::new();
        let mut known = true;
        for part in parts {
            let val = self.eval(part, scope)?;
            let val = self.force(val);
            match self.to_text(&val) {
                Some(part) if text.len() + part.len() <= MAX_TEXT => text.push_str(&part),
                _ => known = false,
            }
        }
        Ok(if known {
            Val::string(text, span)
        } else {
            Val::something("part of the text is unknown", span)
        })
    }

    #[expect(clippy::too_many_arguments, reason = "the parts of one operator")]
    fn logical(
        &mut self,
        operator: &str,
        left: Val,
        left_span: Span,
        right: &Expr,
        for_effect: bool,
        span: Span,
        scope: Id,
    ) -> Result<Val> {
        if for_effect {
            let goes_on = match operator {
                "&&" => self.decide(&left, left_span),
                "||" => !self.decide(&left, left_span),
                _ => self.force(left.clone()).is_nullish(),
            };
            return if goes_on {
                self.eval(right, scope)
            } else {
                Ok(left)
            };
        }
        match &left.v {
            // In every deployment it is something, and what is compared with it are its names.
            V::Env(name) if &**name == "NODE_ENV" && operator != "&&" => Ok(left),
            V::Env(name) => {
                let condition = self.is_set(&Arc::clone(name), left_span);
                let set = Val::something("the environment gives it", left.span);
                let other = self.eval(right, scope)?;
                Ok(match operator {
                    "&&" => {
                        let unset = Val::undefined(left.span);
                        Val::choice(condition, other, unset, span)
                    }
                    _ => Val::choice(condition, set, other, span),
                })
            }
            V::Test(condition, negated) => {
                let (condition, negated) = (*condition, *negated);
                let other = self.eval(right, scope)?;
                let settled = Val::bool(operator != "&&", left.span);
                let (yes, no) = match (operator, negated) {
                    ("??", _) => return Ok(left),
                    ("&&", false) | ("||", true) => (other, settled),
                    _ => (settled, other),
                };
                Ok(Val::choice(condition, yes, no, span))
            }
            V::Choice(choice) => {
                let choice = Arc::clone(choice);
                let mut side = |val: &Val| {
                    self.logical(operator, val.clone(), left_span, right, false, span, scope)
                };
                let (yes, no) = (side(&choice.yes)?, side(&choice.no)?);
                Ok(Val::choice(choice.condition, yes, no, span))
            }
            _ => {
                let truth = match operator {
                    "??" => match &left.v {
                        V::Unknown(unknown) if unknown.truthy == Some(true) => Some(true),
                        V::Unknown(_) | V::Foreign(_) => None,
                        _ => Some(!left.is_nullish()),
                    },
                    _ => self.truth(&left),
                };
                match truth {
                    Some(truth) if truth == (operator == "&&") => self.eval(right, scope),
                    Some(_) => Ok(left),
                    None if self.loading() && !has_effect(right) => {
                        let right = self.eval(right, scope)?;
                        let truthy = match (operator, self.truth(&right)) {
                            ("||" | "??", Some(true)) => Some(true),
                            ("&&", Some(false)) => Some(false),
                            _ => None,
                        };
                        let why = "it depends on something unknown";
                        let unknown = super::heap::Unknown { why, truthy };
                        Ok(Val::new(V::Unknown(unknown), span))
                    }
                    None => {
                        let holds = self.decide(&left, left_span);
                        if holds == (operator == "&&") {
                            self.eval(right, scope)
                        } else if operator == "&&" {
                            Ok(Val::bool(false, left.span))
                        } else {
                            let v = match left.v {
                                V::Unknown(_) => {
                                    return Ok(Val::something("it is unknown", left.span));
                                }
                                other => other,
                            };
                            Ok(Val::new(v, left.span))
                        }
                    }
                }
            }
        }
    }

    fn conditional(
        &mut self,
        test: Val,
        test_span: Span,
        yes: &Expr,
        no: &Expr,
        span: Span,
        scope: Id,
    ) -> Result<Val> {
        let test = match &test.v {
            V::Env(name) => {
                let condition = self.is_set(&Arc::clone(name), test_span);
                Val::new(V::Test(condition, false), test_span)
            }
            _ => test,
        };
        let lazy = !has_effect(yes) && !has_effect(no);
        if let (V::Test(condition, negated), true) = (&test.v, lazy) {
            let (condition, negated) = (*condition, *negated);
            let yes = self.eval(yes, scope)?;
            let no = self.eval(no, scope)?;
            let (yes, no) = if negated { (no, yes) } else { (yes, no) };
            return Ok(Val::choice(condition, yes, no, span));
        }
        let test = self.force(test);
        if lazy && self.loading() && self.truth(&test).is_none() && !matches!(test.v, V::Env(_)) {
            return Ok(Val::unknown("it depends on something unknown", span));
        }
        let holds = self.decide(&test, test_span);
        self.eval(if holds { yes } else { no }, scope)
    }

    fn eval_call(
        &mut self,
        callee: &Expr,
        args: &[Argument],
        span: Span,
        scope: Id,
    ) -> Result<Val> {
        let (function, this, name): (Option<Val>, Val, Option<(Name, Span)>) = match &callee.kind {
            ExprKind::Member(object, name, name_span) => {
                let this = self.eval(object, scope)?;
                let this = self.force(this);
                (None, this, Some((Arc::clone(name), *name_span)))
            }
            ExprKind::Super => {
                let this = self.lookup(scope, "this");
                let this = this.unwrap_or_else(|| Val::undefined(span));
                let parent = self.eval(callee, scope)?;
                let (args, spans, _) = self.arguments(args, scope)?;
                self.call_parent(&parent, &this, &args, &spans, span)?;
                return Ok(this);
            }
            _ => (Some(self.eval(callee, scope)?), Val::undefined(span), None),
        };
        // `a?.b()` of nothing is nothing.
        if name.is_some() && this.is_nullish() {
            return self.of_nothing(&this, callee.span, span);
        }
        let (args, spans, open) = self.arguments(args, scope)?;
        if open && args.is_empty() {
            let opaque = Val::unknown("the arguments are not in view", span);
            let args = [opaque];
            return self.finish_call(function, &this, name, &args, &[span], span);
        }
        let result = self.finish_call(function, &this, name, &args, &spans, span)?;
        let judged =
            self.is_about_subject(&this) || args.iter().any(|arg| self.is_about_subject(arg));
        if judged && result.is_opaque() {
            self.host.judged_unknown(&result);
        }
        Ok(result)
    }

    fn finish_call(
        &mut self,
        function: Option<Val>,
        this: &Val,
        name: Option<(Name, Span)>,
        args: &[Val],
        arg_spans: &[Span],
        span: Span,
    ) -> Result<Val> {
        let callee = match (function, name) {
            (Some(function), _) => function,
            (None, Some((name, name_span))) => {
                if let Some(result) = self.call_method(this, &name, args, span)? {
                    return Ok(result);
                }
                let mut callee = self.member(this, &name, name_span, span)?;
                callee.span = name_span;
                callee
            }
            (None, None) => Val::undefined(span),
        };
        self.call_with(&Call {
            callee: &callee,
            this,
            args,
            arg_spans,
            span,
            new: false,
        })
    }

    /// Reading from `undefined` or `null`: an error, unless the chain is optional. Which of the two
    /// is not kept, so it is `undefined` while loading, where an error would end the program.
    pub(super) fn of_nothing(&mut self, _this: &Val, _at: Span, span: Span) -> Result<Val> {
        Ok(Val::undefined(span))
    }

    /// Assigns to a pattern; declares its names if asked to.
    pub(super) fn assign_pattern(
        &mut self,
        pattern: &Pattern,
        val: Val,
        scope: Id,
        declare: bool,
    ) -> Result<()> {
        match pattern {
            Pattern::Name(name, _) => {
                if declare {
                    self.declare(scope, name, val);
                } else {
                    self.set_variable(scope, name, val);
                }
            }
            Pattern::Member(target) => self.assign_expr(target, val, scope)?,
            Pattern::Object(entries, rest) => {
                let val = self.force(val);
                let mut taken: Vec<Name> = Vec::new();
                for (key, target, default) in entries {
                    let part = match key {
                        Key::Name(name) => {
                            taken.push(Arc::clone(name));
                            self.member(&val, name, val.span, val.span)?
                        }
                        Key::Computed(key) => {
                            let key = self.eval(key, scope)?;
                            self.index(&val, &key, val.span)?
                        }
                    };
                    let part = self.or_default(part, default.as_ref(), scope)?;
                    self.assign_pattern(target, part, scope, declare)?;
                }
                if let Some(rest) = rest {
                    let left = self.allocate(ObjectKind::Plain, val.span);
                    if let Some(id) = left.as_id() {
                        self.spread_into(id, &val);
                        let object = self.objects.get_mut(id);
                        object.properties.retain(|slot| !taken.contains(&slot.name));
                    }
                    self.assign_pattern(rest, left, scope, declare)?;
                }
            }
            Pattern::Array(items, rest) => {
                let val = self.force(val);
                let (values, open) = self.items(&val).unwrap_or((Vec::new(), true));
                for (at, item) in items.iter().enumerate() {
                    let Some((target, default)) = item else {
                        continue;
                    };
                    let part = values.get(at).cloned().unwrap_or(if open {
                        Val::unknown("the list is not in view", val.span)
                    } else {
                        Val::undefined(val.span)
                    });
                    let part = self.or_default(part, default.as_ref(), scope)?;
                    self.assign_pattern(target, part, scope, declare)?;
                }
                if let Some(rest) = rest {
                    let left = values.get(items.len()..).unwrap_or_default().to_vec();
                    let left = self.array(left, open, val.span);
                    self.assign_pattern(rest, left, scope, declare)?;
                }
            }
            Pattern::Unknown => {}
        }
        Ok(())
    }

    fn or_default(&mut self, val: Val, default: Option<&Expr>, scope: Id) -> Result<Val> {
        match (default, &val.v) {
            (Some(default), V::Undefined) => self.eval(default, scope),
            (Some(default), V::Env(name)) => {
                let condition = self.is_set(&Arc::clone(name), default.span);
                let other = self.eval(default, scope)?;
                let set = Val::something("the environment gives it", val.span);
                Ok(Val::choice(condition, set, other, val.span))
            }
            _ => Ok(val),
        }
    }

    fn assign_expr(&mut self, target: &Expr, val: Val, scope: Id) -> Result<()> {
        match &target.kind {
            ExprKind::Name(name) => self.set_variable(scope, name, val),
            ExprKind::Member(object, name, name_span) => {
                let object = self.eval(object, scope)?;
                self.set_member(&object, name, *name_span, val);
            }
            ExprKind::Index(object, index) => {
                let object = self.eval(object, scope)?;
                let object = self.force(object);
                let index_val = self.eval(index, scope)?;
                let index_val = self.force(index_val);
                match self.to_text(&index_val) {
                    Some(name) => self.set_member(&object, &name, index.span, val),
                    None => {
                        if let Some(id) = object.as_id() {
                            self.objects.get_mut(id).open = true;
                        }
                    }
                }
            }
            _ => {}
        }
        Ok(())
    }
}
