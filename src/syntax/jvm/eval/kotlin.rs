//! What Kotlin's standard library adds.

use super::heap::{ObjectKind, Sequence, V, Val};
use super::{Call, Host, Machine, Result};

impl<H: Host> Machine<'_, H> {
    /// `apply`, `also`, `let`, `run`, `takeIf`, `takeUnless`, `ifEmpty`, `use` on any value.
    pub(super) fn kotlin_scope_function(&mut self, call: &Call<'_>) -> Result<Option<Val>> {
        let [function] = call.args else {
            return Ok(None);
        };
        let known = matches!(
            call.method,
            "apply"
                | "also"
                | "let"
                | "run"
                | "takeIf"
                | "takeUnless"
                | "ifEmpty"
                | "ifBlank"
                | "use"
        );
        let is_lambda = matches!(
            self.object(function).map(|object| &object.kind),
            Some(ObjectKind::Lambda(..) | ObjectKind::Reference(..))
        );
        let own = self.class_of(call.receiver);
        let own = own.and_then(|class| {
            self.program
                .method(&class, call.method, Some(1), self.sources)
        });
        if !known || !is_lambda || own.is_some() || !self.in_kotlin(call) {
            return Ok(None);
        }
        let receiver = call.receiver;
        let one = std::slice::from_ref(receiver);
        Ok(Some(match call.method {
            "apply" => {
                self.call_function(function, Some(receiver), &[], call.span)?;
                receiver.clone()
            }
            "also" => {
                self.call_function(function, None, one, call.span)?;
                receiver.clone()
            }
            "let" | "use" => self.call_function(function, None, one, call.span)?,
            "run" => self.call_function(function, Some(receiver), &[], call.span)?,
            "takeIf" | "takeUnless" => {
                let holds = self.call_function(function, None, one, call.span)?;
                match self.truth(&holds) {
                    Some(holds) if holds == (call.method == "takeIf") => receiver.clone(),
                    Some(_) => Val::null(call.span),
                    None => Val::unknown("a test of something that is not in view", call.span),
                }
            }
            _ => {
                let empty = match (&receiver.v, self.items(receiver)) {
                    (V::String(text), _) if call.method == "ifBlank" => text.trim().is_empty(),
                    (V::String(text), _) => text.is_empty(),
                    (_, Some((items, open))) => items.is_empty() && !open,
                    _ => false,
                };
                if empty {
                    self.call_function(function, None, &[], call.span)?
                } else {
                    receiver.clone()
                }
            }
        }))
    }

    fn in_kotlin(&self, call: &Call<'_>) -> bool {
        let unit = self.program.unit(call.span);
        unit.is_some_and(|unit| unit.language == crate::syntax::jvm::ast::Language::Kotlin)
    }

    /// Functions of Kotlin's standard library; `this` is the innermost receiver.
    pub(super) fn kotlin_function(
        &mut self,
        call: &Call<'_>,
        this: Option<&Val>,
    ) -> Result<Option<Val>> {
        let span = call.span;
        let sequence = |machine: &mut Self, kind| {
            let items = call.args.to_vec();
            let open = call.open;
            machine.allocate(ObjectKind::List { items, open, kind }, span)
        };
        Ok(Some(match (call.method, call.args) {
            (
                "listOf" | "mutableListOf" | "arrayListOf" | "listOfNotNull" | "emptyList"
                | "sequenceOf",
                _,
            ) => {
                let list = sequence(self, Sequence::List);
                if call.method == "listOfNotNull" {
                    let (mut items, open) = self.items(&list).unwrap_or_default();
                    items.retain(|item| !item.is_null());
                    return Ok(Some(self.list(items, open, span)));
                }
                list
            }
            ("setOf" | "mutableSetOf" | "hashSetOf" | "linkedSetOf" | "emptySet", _) => {
                sequence(self, Sequence::Set)
            }
            ("arrayOf" | "emptyArray" | "arrayOfNulls", _) => sequence(self, Sequence::Array),
            ("mapOf" | "mutableMapOf" | "hashMapOf" | "linkedMapOf" | "emptyMap", _) => {
                self.map_of_pairs(call.args, call.open, span)
            }
            ("buildList" | "buildSet", [.., function]) => {
                let list = self.list(Vec::new(), false, span);
                self.call_function(function, Some(&list), &[], span)?;
                list
            }
            ("buildString", [function]) => {
                let builder = self.allocate(ObjectKind::Builder(String::new()), span);
                self.call_function(function, Some(&builder), &[], span)?;
                match self.shown(&builder) {
                    Some(text) => Val::string(text, span),
                    None => Val::unknown("a text that is not in view", span),
                }
            }
            ("with", [receiver, function]) => {
                self.call_function(function, Some(receiver), &[], span)?
            }
            ("run", [function]) => self.call_function(function, None, &[], span)?,
            ("lazy", [.., function]) => self.call_function(function, None, &[], span)?,
            ("apply" | "also" | "let", [function]) if this.is_some() => {
                let this = this.cloned().unwrap_or(Val::void(span));
                let val = self.call_function(function, Some(&this), &[], span)?;
                if call.method == "let" { val } else { this }
            }
            ("repeat", [count, function]) => {
                let count = count.as_number().unwrap_or(1.0).clamp(0.0, 100.0) as usize;
                for at in 0..count {
                    let at = Val::number(at as f64, span);
                    self.call_function(function, None, &[at], span)?;
                }
                Val::void(span)
            }
            ("Pair", [first, second]) => {
                self.allocate(ObjectKind::Pair(first.clone(), second.clone()), span)
            }
            ("require" | "check" | "println" | "print", _) => Val::void(span),
            ("requireNotNull" | "checkNotNull", [val, ..]) => val.clone(),
            ("error", _) => {
                let error = Val::foreign("java.lang.IllegalStateException", span);
                return Err(super::Abrupt::Throw(error));
            }
            // Kotlin's standard library has a function of this name, which throws.
            ("TODO", _) => {
                let error = Val::foreign("kotlin.NotImplementedError", span);
                return Err(super::Abrupt::Throw(error));
            }
            _ => return Ok(None),
        }))
    }
}
