//! Methods of arrays, sets and maps.

use super::heap::{Id, ObjectKind, V, Val};
use super::{Abrupt, Comparison, Host, Machine, Result};
use crate::limits::javascript::MAX_ITEMS;
use crate::source::Span;

impl<H: Host> Machine<'_, H> {
    #[expect(clippy::too_many_arguments, reason = "an array taken apart")]
    pub(super) fn list_method(
        &mut self,
        id: Id,
        this: &Val,
        items: Vec<Val>,
        open: bool,
        name: &str,
        args: &[Val],
        span: Span,
    ) -> Result<Option<Val>> {
        let unknown = || Val::unknown("the list is not wholly in view", span);
        let arg = args.first().cloned().unwrap_or(Val::undefined(span));
        let none = Val::undefined(span);
        Ok(Some(match name {
            "push" | "unshift" => {
                if let ObjectKind::Array(list, _) = &mut self.objects.get_mut(id).kind {
                    if list.len() + args.len() > MAX_ITEMS {
                        return Err(Abrupt::Stop);
                    }
                    if name == "push" {
                        list.extend(args.iter().cloned());
                    } else {
                        list.splice(0..0, args.iter().cloned());
                    }
                }
                unknown()
            }
            "pop" | "shift" | "splice" | "sort" | "reverse" if name != "sort" => {
                let result = match (name, items.as_slice()) {
                    ("pop", [.., last]) => last.clone(),
                    ("shift", [first, ..]) => first.clone(),
                    _ => unknown(),
                };
                if let ObjectKind::Array(list, open) = &mut self.objects.get_mut(id).kind {
                    match name {
                        "pop" => drop(list.pop()),
                        "shift" if !list.is_empty() => drop(list.remove(0)),
                        "reverse" => list.reverse(),
                        _ => *open = true,
                    }
                }
                if name == "reverse" {
                    this.clone()
                } else {
                    result
                }
            }
            "sort" | "values" => this.clone(),
            "includes" | "indexOf" | "lastIndexOf" => {
                return Ok(Some(self.search_list(&items, open, name, &arg, span)));
            }
            "join" => {
                let separator = match args {
                    [] => Some(",".into()),
                    _ if matches!(arg.v, V::Undefined) => Some(",".into()),
                    _ => self.to_text(&arg),
                };
                match separator.and_then(|separator| self.join(&items, &separator)) {
                    Some(text) if !open => Val::string(text, span),
                    _ if items.is_empty() => unknown(),
                    _ => Val::something("the list is not wholly in view", span),
                }
            }
            "concat" => {
                let mut all = items;
                let mut open = open;
                for arg in args {
                    let arg = self.force(arg.clone());
                    match (arg.as_id(), self.items(&arg)) {
                        (Some(_), Some((more, unknown))) => {
                            open |= !self.append(&mut all, more) || unknown;
                        }
                        _ if arg.is_opaque() => open = true,
                        _ => all.push(arg),
                    }
                }
                self.array(all, open, span)
            }
            "slice" => {
                let end = args.get(1).map(|end| self.force(end.clone()));
                match (&arg.v, end.map(|end| end.v)) {
                    (V::Undefined, None) => self.array(items, open, span),
                    #[expect(
                        clippy::cast_possible_truncation,
                        clippy::cast_sign_loss,
                        reason = "checked"
                    )]
                    (V::Number(start), None) if *start >= 0.0 && !open => {
                        let left = items.get(*start as usize..).unwrap_or_default();
                        self.array(left.to_vec(), false, span)
                    }
                    _ => self.array(Vec::new(), true, span),
                }
            }
            "flat" => {
                let mut all = Vec::new();
                let mut open = open;
                for item in items {
                    match self.items(&item) {
                        Some((inner, more)) if item.as_id().is_some() => {
                            open |= !self.append(&mut all, inner) || more;
                        }
                        _ => all.push(item),
                    }
                }
                self.array(all, open, span)
            }
            "forEach" | "map" | "flatMap" | "filter" | "some" | "every" | "find" | "findIndex" => {
                return self
                    .list_loop(this, &items, open, name, &arg, span)
                    .map(Some);
            }
            "reduce" => {
                if open {
                    return Ok(Some(unknown()));
                }
                let mut rest = items.iter();
                let mut sum = match args.get(1) {
                    Some(start) => start.clone(),
                    None => rest.next().cloned().unwrap_or(none.clone()),
                };
                for item in rest {
                    sum = self.call(&arg, &none, &[sum, item.clone()], span)?;
                }
                sum
            }
            "toString" => match self.to_text(this) {
                Some(text) => Val::string(text, span),
                None => unknown(),
            },
            "at" => match &arg.v {
                V::Number(at) if *at == 0.0 => items.first().cloned().unwrap_or(none),
                _ => unknown(),
            },
            _ => return self.promise_method(this, name, args, span),
        }))
    }

    fn search_list(
        &mut self,
        items: &[Val],
        open: bool,
        name: &str,
        wanted: &Val,
        span: Span,
    ) -> Val {
        let wanted = self.force(wanted.clone());
        let mut unsure = open;
        let mut found = None;
        for (at, item) in items.iter().enumerate() {
            let item = self.force(item.clone());
            let equal = self.is_equal(&item, &wanted, false);
            self.note(&wanted, &item, Comparison::Equal, equal);
            match equal {
                Some(true) => {
                    found = Some((at, item.span));
                    break;
                }
                Some(false) => {}
                None => unsure = true,
            }
        }
        let member = wanted
            .as_str()
            .is_some_and(|text| self.host.is_member(text));
        if open && member && found.is_none() {
            found = Some((items.len(), span));
        }
        #[expect(clippy::cast_precision_loss, reason = "lists are short")]
        match (found, name) {
            (Some((_, at)), "includes") => Val::bool(true, at),
            (Some((at, place)), _) => Val::number(at as f64, place),
            (None, _) if unsure => Val::unknown("the list is not wholly in view", span),
            (None, "includes") => Val::bool(false, span),
            (None, _) => Val::number(-1.0, span),
        }
    }

    fn list_loop(
        &mut self,
        this: &Val,
        items: &[Val],
        open: bool,
        name: &str,
        function: &Val,
        span: Span,
    ) -> Result<Val> {
        let none = Val::undefined(span);
        let mut results = Vec::new();
        let mut unsure = open;
        for (at, item) in items.iter().enumerate() {
            #[expect(clippy::cast_precision_loss, reason = "lists are short")]
            let index = Val::number(at as f64, span);
            let args = [item.clone(), index.clone(), this.clone()];
            let val = self.call(function, &none, &args, span)?;
            if matches!(name, "forEach") {
                continue;
            }
            if matches!(name, "map" | "flatMap") {
                match self.items(&val) {
                    Some((inner, more)) if name == "flatMap" && val.as_id().is_some() => {
                        unsure |= !self.append(&mut results, inner) || more;
                    }
                    _ => results.push(val),
                }
                continue;
            }
            let val = self.force(val);
            let truth = match &val.v {
                // `filter(Boolean)` of the environment: an unset variable is left out.
                V::Env(_) | V::Foreign(_) => None,
                _ => self.truth(&val),
            };
            match (truth, name) {
                (Some(true), "filter") => results.push(item.clone()),
                (None, "filter") => {
                    results.push(item.clone());
                    unsure = true;
                }
                (Some(true), "some") => return Ok(Val::bool(true, item.span)),
                (Some(false), "every") => return Ok(Val::bool(false, item.span)),
                (Some(true), "find") if !unsure => return Ok(item.clone()),
                (Some(true), "findIndex") if !unsure => return Ok(index),
                (None, _) => unsure = true,
                _ => {}
            }
        }
        if open && name == "forEach" && items.is_empty() && self.loading() {
            self.call_back(function, span)?;
        }
        if open && name == "some" && !self.loading() {
            let element = Val::something("the list is not in view", span);
            let val = self.call(function, &none, &[element], span)?;
            if matches!(val.v, V::Bool(true)) {
                return Ok(Val::bool(true, span));
            }
        }
        Ok(match name {
            "forEach" => none,
            "map" | "flatMap" | "filter" => self.array(results, unsure, span),
            _ if unsure => Val::unknown("the list is not wholly in view", span),
            "some" => Val::bool(false, span),
            "every" => Val::bool(true, span),
            "findIndex" => Val::number(-1.0, span),
            _ => none,
        })
    }

    pub(super) fn set_method(
        &mut self,
        id: Id,
        items: Vec<Val>,
        open: bool,
        name: &str,
        args: &[Val],
        span: Span,
    ) -> Option<Val> {
        let arg = args.first().cloned().unwrap_or(Val::undefined(span));
        Some(match name {
            "has" => self.search_list(&items, open, "includes", &arg, span),
            "add" => {
                if let ObjectKind::Set(list, _) = &mut self.objects.get_mut(id).kind {
                    list.push(arg);
                }
                Val::new(V::Object(id), span)
            }
            "delete" | "clear" => {
                if let ObjectKind::Set(_, open) = &mut self.objects.get_mut(id).kind {
                    *open = true;
                }
                Val::unknown("it is changed", span)
            }
            "values" | "keys" => self.array(items, open, span),
            "forEach" => {
                let list = self.array(items, open, span);
                return self
                    .call_method(&list, "forEach", args, span)
                    .ok()
                    .flatten();
            }
            _ => return None,
        })
    }

    pub(super) fn map_method(
        &mut self,
        id: Id,
        pairs: Vec<(Val, Val)>,
        open: bool,
        name: &str,
        args: &[Val],
        span: Span,
    ) -> Option<Val> {
        let arg = args.first().cloned().unwrap_or(Val::undefined(span));
        let keys: Vec<Val> = pairs.iter().map(|(key, _)| key.clone()).collect();
        Some(match name {
            "has" => self.search_list(&keys, open, "includes", &arg, span),
            "get" => {
                let found = self.search_list(&keys, open, "indexOf", &arg, span);
                match found.v {
                    V::Number(at) if at >= 0.0 => {
                        #[expect(
                            clippy::cast_possible_truncation,
                            clippy::cast_sign_loss,
                            reason = "an index"
                        )]
                        let pair = pairs.get(at as usize);
                        pair.map_or_else(
                            || Val::unknown("the map is not in view", span),
                            |(_, val)| val.clone(),
                        )
                    }
                    V::Number(_) => Val::undefined(span),
                    _ => Val::unknown("the map is not in view", span),
                }
            }
            "set" => {
                let val = args.get(1).cloned().unwrap_or(Val::undefined(span));
                let at = (0..pairs.len())
                    .find(|at| self.is_equal(&keys[*at], &arg, false) == Some(true));
                if let ObjectKind::Map(pairs, _) = &mut self.objects.get_mut(id).kind {
                    match at {
                        Some(at) => pairs[at].1 = val,
                        None => pairs.push((arg, val)),
                    }
                }
                Val::new(V::Object(id), span)
            }
            "keys" => self.array(keys, open, span),
            "values" => {
                let values = pairs.into_iter().map(|(_, val)| val).collect();
                self.array(values, open, span)
            }
            _ => return None,
        })
    }
}
