//! Properties, elements, classes.

use std::sync::Arc;

use super::heap::{Id, Object, ObjectKind, V, Val};
use super::{Call, Host, Machine, RED_ZONE, Result, STACK};
use crate::limits::javascript::{MAX_ITEMS, NAMES_PER_STEP};
use crate::source::Span;
use crate::syntax::javascript::ast::Name;

impl<H: Host> Machine<'_, H> {
    /// A property of a value.
    ///
    /// # Errors
    /// What a getter throws.
    pub fn member(&mut self, object: &Val, name: &str, name_span: Span, span: Span) -> Result<Val> {
        let object = self.force(object.clone());
        Ok(match &object.v {
            V::Undefined | V::Null => return self.of_nothing(&object, name_span, span),
            V::Object(id) => return self.object_member(*id, &object, name, name_span, span),
            V::String(text) => match name {
                #[expect(clippy::cast_precision_loss, reason = "texts are short")]
                "length" => Val::number(text.encode_utf16().count() as f64, span),
                _ => match name.parse::<usize>() {
                    Ok(at) if text.is_ascii() => match text.get(at..=at) {
                        Some(letter) => Val::string(letter, object.span),
                        None => Val::undefined(span),
                    },
                    Ok(_) => Val::unknown("the text is not only of ASCII", span),
                    Err(_) => Val::undefined(span),
                },
            },
            V::Native(native) => self.native_member(native, name, span),
            V::Foreign(_) | V::Host(..) => match H::member(self, &object, name, span) {
                Some(val) => val,
                None => match &object.v {
                    // What a module exports by default is taken for the module.
                    V::Foreign(_) if name == "default" => object,
                    V::Foreign(path) if path.len() < 200 => {
                        Val::new(V::Foreign(format!("{path}.{name}").into()), span)
                    }
                    _ => Val::unknown("it comes from code that is not in view", span),
                },
            },
            V::Unknown(_) => match H::member(self, &object, name, span) {
                Some(val) => val,
                None => Val::unknown("it belongs to something unknown", span),
            },
            _ => Val::unknown("it belongs to something unknown", span),
        })
    }

    fn object_member(
        &mut self,
        id: Id,
        this: &Val,
        name: &str,
        name_span: Span,
        span: Span,
    ) -> Result<Val> {
        let object = self.objects.get(id);
        if let ObjectKind::Host(..) = object.kind
            && let Some(val) = H::member(self, this, name, name_span)
        {
            return Ok(val);
        }
        let names = self.objects.get(id).properties.len();
        self.budget.spend(names / NAMES_PER_STEP);
        let object = self.objects.get(id);
        if let Some(slot) = object.slot(name) {
            return Ok(slot.value.clone());
        }
        let (open, class) = (object.open, object.class);
        if let Some(val) = own_of_kind(object, name, span) {
            return Ok(val);
        }
        if let Some(class) = class {
            return self.class_member(class, this, name, span);
        }
        let object = self.objects.get(id);
        if let ObjectKind::Class(_, _, Some(parent)) = &object.kind {
            let parent = (**parent).clone();
            if !self.budget.enter() {
                return Ok(Val::unknown("classes are nested too deeply", span));
            }
            let result = stacker::maybe_grow(RED_ZONE, STACK, || {
                self.member(&parent, name, name_span, span)
            });
            self.budget.leave();
            return result;
        }
        Ok(match &object.kind {
            ObjectKind::Host(..) => Val::unknown("it belongs to the framework", span),
            _ if open => Val::unknown("the object is not wholly in view", span),
            _ => Val::undefined(span),
        })
    }

    /// A method or getter of an instance.
    fn class_member(&mut self, class: Id, this: &Val, name: &str, span: Span) -> Result<Val> {
        let mut at = Some(class);
        while let Some(id) = at {
            self.step()?;
            let ObjectKind::Class(class, scope, parent) = self.objects.get(id).kind.clone() else {
                break;
            };
            let found = class
                .members
                .iter()
                .find(|member| !member.is_static && &*member.name == name);
            if let Some(member) = found
                && let Some(method) = &member.method
            {
                let inner = self.scope(Some(scope));
                if let Some(parent) = &parent {
                    self.declare(inner, &"#super".into(), (**parent).clone());
                }
                let function = self.closure(method, inner);
                if member.getter {
                    return self.call(&function, this, &[], span);
                }
                return Ok(function);
            }
            match parent.as_deref() {
                Some(Val {
                    v: V::Object(parent),
                    ..
                }) => at = Some(*parent),
                Some(_) => return Ok(Val::unknown("it is inherited from out of view", span)),
                None => at = None,
            }
        }
        Ok(Val::undefined(span))
    }

    pub(super) fn instantiate(&mut self, class: Id, call: &Call<'_>) -> Result<Val> {
        let instance = self.allocate(ObjectKind::Plain, call.span);
        if let Some(id) = instance.as_id() {
            self.objects.get_mut(id).class = Some(class);
        }
        self.construct(class, &instance, call.args, call.arg_spans, call.span)?;
        Ok(instance)
    }

    fn construct(
        &mut self,
        class: Id,
        this: &Val,
        args: &[Val],
        arg_spans: &[Span],
        span: Span,
    ) -> Result<()> {
        let ObjectKind::Class(class, scope, parent) = self.objects.get(class).kind.clone() else {
            return Ok(());
        };
        let inner = self.scope(Some(scope));
        self.declare(inner, &"this".into(), this.clone());
        if let Some(parent) = &parent {
            self.declare(inner, &"#super".into(), (**parent).clone());
        }
        let constructor = class
            .members
            .iter()
            .find(|member| &*member.name == "constructor" && member.method.is_some());
        if let (None, Some(parent)) = (constructor, &parent) {
            self.call_parent(parent, this, args, arg_spans, span)?;
        }
        for member in &class.members {
            if let (false, None, Some(id)) = (member.is_static, &member.method, this.as_id()) {
                let val = match &member.value {
                    Some(value) => self.eval(value, inner)?,
                    None => Val::undefined(span),
                };
                self.objects.get_mut(id).set(&member.name, span, val);
            }
        }
        if let Some(method) = constructor.and_then(|member| member.method.as_ref()) {
            let function = self.closure(method, inner);
            self.call(&function, this, args, span)?;
        }
        Ok(())
    }

    pub(super) fn call_parent(
        &mut self,
        parent: &Val,
        this: &Val,
        args: &[Val],
        arg_spans: &[Span],
        span: Span,
    ) -> Result<()> {
        match parent.as_id() {
            Some(id) if self.budget.enter() => {
                let result = stacker::maybe_grow(RED_ZONE, STACK, || {
                    self.construct(id, this, args, arg_spans, span)
                });
                self.budget.leave();
                result
            }
            _ => {
                if let Some(id) = this.as_id() {
                    self.objects.get_mut(id).open = true;
                }
                Ok(())
            }
        }
    }

    pub(super) fn set_member(&mut self, object: &Val, name: &str, name_span: Span, val: Val) {
        let object = self.force(object.clone());
        if H::assign(self, &object, name, &val) {
            return;
        }
        let Some(id) = object.as_id() else { return };
        let names = self.objects.get(id).properties.len();
        self.budget.spend(names / NAMES_PER_STEP);
        let target = self.objects.get_mut(id);
        match (&mut target.kind, name, name.parse::<usize>()) {
            (ObjectKind::Array(items, _), _, Ok(at)) if at <= items.len() => {
                if at == items.len() {
                    items.push(val);
                } else {
                    items[at] = val;
                }
            }
            // Elements are cut off, or left out before this one.
            (ObjectKind::Array(items, open), "length", _)
            | (ObjectKind::Array(items, open), _, Ok(_)) => {
                items.clear();
                *open = true;
            }
            (ObjectKind::Regex(_, _, last), "lastIndex", _) => *last = 0,
            _ => target.set(name, name_span, val),
        }
    }

    pub(super) fn index(&mut self, object: &Val, index: &Val, span: Span) -> Result<Val> {
        let index = self.force(index.clone());
        match self.to_text(&index) {
            Some(name) => self.member(object, &name, span, span),
            None => Ok(Val::unknown("the key is unknown", span)),
        }
    }

    /// The elements of something iterable, and whether there may be more; nothing if it is not in
    /// view at all.
    #[must_use]
    pub fn items(&self, val: &Val) -> Option<(Vec<Val>, bool)> {
        match &val.v {
            V::String(text) => {
                let letters = text.chars().take(1000);
                let items = letters.map(|c| Val::string(c.to_string(), val.span));
                Some((items.collect(), false))
            }
            V::Object(id) => match &self.objects.get(*id).kind {
                ObjectKind::Array(items, open) | ObjectKind::Set(items, open) => {
                    Some((items.clone(), *open))
                }
                _ => None,
            },
            V::Undefined | V::Null => Some((Vec::new(), false)),
            _ => None,
        }
    }

    /// Puts the items of one list behind those of another, at the cost of a step each: a list that is
    /// spread into itself doubles every time. `false` if they would be too many.
    pub(super) fn append(&mut self, list: &mut Vec<Val>, items: Vec<Val>) -> bool {
        let fit = list.len() + items.len() <= MAX_ITEMS;
        if fit && items.iter().all(|_| self.budget.step()) {
            list.extend(items);
            return true;
        }
        false
    }

    /// The names of own properties, and whether there may be more.
    pub(super) fn keys(&self, val: &Val) -> Option<(Vec<Val>, bool)> {
        let object = self.object(val)?;
        let names = object.properties.iter();
        let names = names.map(|slot| Val::string(Arc::clone(&slot.name), slot.key_span));
        match &object.kind {
            ObjectKind::Array(items, open) => {
                let indices = 0..items.len();
                let indices = indices.map(|at| Val::string(at.to_string(), val.span));
                Some((indices.collect(), *open))
            }
            ObjectKind::Host(..) => None,
            _ => Some((names.collect(), object.open)),
        }
    }

    /// An own or inherited property that is a plain value, for frameworks that read options.
    #[must_use]
    pub fn own(&self, val: &Val, name: &str) -> Option<Val> {
        let slot = self.object(val)?.slot(name)?;
        Some(slot.value.clone())
    }

    /// The names of own properties with the places where they are written.
    #[must_use]
    pub fn own_keys(&self, val: &Val) -> Vec<(Name, Span)> {
        let object = self.object(val);
        let slots = object.map(|object| object.properties.as_slice());
        slots
            .unwrap_or_default()
            .iter()
            .map(|slot| (Arc::clone(&slot.name), slot.key_span))
            .collect()
    }
}

#[expect(clippy::cast_precision_loss, reason = "lists are short")]
fn own_of_kind(object: &Object, name: &str, span: Span) -> Option<Val> {
    let unknown = || Val::unknown("the list is not in view", span);
    Some(match (&object.kind, name) {
        (ObjectKind::Array(items, open), "length") => {
            if *open {
                unknown()
            } else {
                Val::number(items.len() as f64, span)
            }
        }
        (ObjectKind::Array(items, open), _) => {
            let at: usize = name.parse().ok()?;
            match items.get(at) {
                Some(item) => item.clone(),
                None if *open => unknown(),
                None => Val::undefined(span),
            }
        }
        (ObjectKind::Set(items, open), "size") => {
            if *open {
                unknown()
            } else {
                Val::number(items.len() as f64, span)
            }
        }
        (ObjectKind::Map(pairs, open), "size") => {
            if *open {
                unknown()
            } else {
                Val::number(pairs.len() as f64, span)
            }
        }
        (ObjectKind::Function(function, _), "length") => {
            Val::number(function.length() as f64, span)
        }
        (ObjectKind::Function(function, _), "name") => {
            Val::string(function.name.clone().unwrap_or_default(), span)
        }
        (ObjectKind::Regex(pattern, ..), "source") => Val::string(Arc::clone(pattern), span),
        (ObjectKind::Regex(_, flags, _), "flags") => Val::string(Arc::clone(flags), span),
        (ObjectKind::Regex(_, flags, _), "global") => Val::bool(flags.contains('g'), span),
        _ => return None,
    })
}
