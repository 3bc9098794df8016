//! Methods of arrays, sets and maps.

use super::heap::{Id, ObjectKind, V, Val};
use super::{Abrupt, Comparison, Host, Machine, Result};
use crate::limits::javascript::MAX_ITEMS;
use crate::source::Span;
use crate::syntax::javascript::ast::Name;

impl<H: Host> Machine<'_, H> {
    /// What adds to a list or takes from it where it is; `None` if it is another method.
    pub(super) fn change_list(
        &mut self,
        id: Id,
        name: &str,
        args: &[Val],
        span: Span,
    ) -> Result<Option<Val>> {
        if !matches!(name, "push" | "unshift" | "pop" | "shift") {
            return Ok(None);
        }
        let ObjectKind::Array(list, open) = &mut self.objects.get_mut(id).kind else {
            return Ok(None);
        };
        if list.len() + args.len() > MAX_ITEMS {
            return Err(Abrupt::Stop);
        }
        let (open, length) = (*open, list.len());
        let unknown = || Val::unknown("the list is not wholly in view", span);
        let result = match name {
            "push" => {
                list.extend(args.iter().cloned());
                None
            }
            "unshift" => {
                list.splice(0..0, args.iter().cloned());
                None
            }
            "pop" if !open => Some(list.pop()),
            "shift" if !open => Some((length > 0).then(|| list.remove(0))),
            _ => return Ok(None),
        };
        // All others move.
        if matches!(name, "unshift" | "shift") && !self.pay(length) {
            return Err(Abrupt::Stop);
        }
        #[expect(clippy::cast_precision_loss, reason = "lists are short")]
        Ok(Some(match result {
            Some(taken) => taken.unwrap_or(Val::undefined(span)),
            None if open => unknown(),
            None => Val::number((length + args.len()) as f64, span),
        }))
    }

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
            "reverse" if !open => {
                if let ObjectKind::Array(list, _) = &mut self.objects.get_mut(id).kind {
                    list.reverse();
                }
                this.clone()
            }
            "pop" | "shift" | "splice" | "reverse" | "sort" | "fill" | "copyWithin" => {
                return self
                    .rearrange(id, this, items, open, name, args, span)
                    .map(Some);
            }
            "values" => this.clone(),
            "includes" | "indexOf" | "lastIndexOf" if args.len() > 1 => unknown(),
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
                let end = end.filter(|end| !matches!(end.v, V::Undefined));
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

    /// Changes a list in a way that may leave its elements or their order unknown.
    #[expect(clippy::too_many_arguments, reason = "an array taken apart")]
    fn rearrange(
        &mut self,
        id: Id,
        this: &Val,
        mut items: Vec<Val>,
        open: bool,
        name: &str,
        args: &[Val],
        span: Span,
    ) -> Result<Val> {
        let texts: Option<Vec<Name>> = items.iter().map(|item| self.to_text(item)).collect();
        let ascii = texts.filter(|texts| texts.iter().all(|text| text.is_ascii()));
        let (all, result) = match (name, ascii) {
            ("sort", Some(texts)) if args.is_empty() && !open => {
                let mut order: Vec<usize> = (0..items.len()).collect();
                // What is `undefined` comes last, whatever its text.
                order.sort_by_key(|at| (matches!(items[*at].v, V::Undefined), &texts[*at]));
                let sorted = order.into_iter().map(|at| items[at].clone());
                (Some(sorted.collect()), this.clone())
            }
            ("sort", _) if !open && args.first().is_some_and(|by| self.is_callable(by)) => {
                (self.sorted_by(&items, &args[0], span)?, this.clone())
            }
            ("splice", _) if !open && args.len() >= 2 => {
                let start = self.force(args[0].clone());
                let count = self.force(args[1].clone());
                match (whole(&start), whole(&count)) {
                    (Some(start), Some(count)) => {
                        let start = start.min(items.len());
                        let end = start.saturating_add(count).min(items.len());
                        let taken = items.splice(start..end, args[2..].iter().cloned());
                        let taken: Vec<Val> = taken.collect();
                        (Some(items), self.array(taken, false, span))
                    }
                    _ => (None, self.array(Vec::new(), true, span)),
                }
            }
            ("sort" | "reverse" | "fill" | "copyWithin", _) => (None, this.clone()),
            ("splice", _) => (None, self.array(Vec::new(), true, span)),
            _ => (None, Val::unknown("the list is not wholly in view", span)),
        };
        if let ObjectKind::Array(list, open) = &mut self.objects.get_mut(id).kind {
            *open = *open || all.is_none();
            *list = all.unwrap_or_default();
        }
        Ok(result)
    }

    /// Sorted by a function; `None` if its answers are not known.
    fn sorted_by(&mut self, items: &[Val], by: &Val, span: Span) -> Result<Option<Vec<Val>>> {
        let none = Val::undefined(span);
        let mut sorted: Vec<Val> = Vec::with_capacity(items.len());
        for item in items {
            let (mut low, mut high) = (0, sorted.len());
            while low < high {
                let middle = usize::midpoint(low, high);
                let args = [sorted[middle].clone(), item.clone()];
                let order = self.call(by, &none, &args, span)?;
                let order = self.force(order);
                match order.v {
                    V::Number(order) if order > 0.0 => high = middle,
                    V::Number(_) => low = middle + 1,
                    _ => return Ok(None),
                }
            }
            sorted.insert(low, item.clone());
        }
        Ok(Some(sorted))
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
    ) -> Result<Option<Val>> {
        let arg = args.first().cloned().unwrap_or(Val::undefined(span));
        Ok(Some(match name {
            "has" => self.search_list(&items, open, "includes", &arg, span),
            "add" => {
                if items.len() >= MAX_ITEMS {
                    return Err(Abrupt::Stop);
                }
                let arg = self.force(arg);
                let is_there = |item: &Val| self.is_equal(item, &arg, false) == Some(true);
                if !items.iter().any(is_there)
                    && let ObjectKind::Set(list, _) = &mut self.objects.get_mut(id).kind
                {
                    list.push(arg);
                }
                Val::new(V::Object(id), span)
            }
            "delete" | "clear" => {
                let arg = self.force(arg);
                let left = without(self, &items, |item| item, &arg, name);
                if let ObjectKind::Set(list, open) = &mut self.objects.get_mut(id).kind {
                    *open = left.is_none() || (*open && name != "clear");
                    *list = left.unwrap_or_default();
                }
                Val::unknown("it is changed", span)
            }
            "values" | "keys" => self.array(items, open, span),
            "forEach" => {
                let list = self.array(items, open, span);
                return self.call_method(&list, "forEach", args, span);
            }
            _ => return Ok(None),
        }))
    }

    pub(super) fn map_method(
        &mut self,
        id: Id,
        pairs: Vec<(Val, Val)>,
        open: bool,
        name: &str,
        args: &[Val],
        span: Span,
    ) -> Result<Option<Val>> {
        let arg = args.first().cloned().unwrap_or(Val::undefined(span));
        let keys: Vec<Val> = pairs.iter().map(|(key, _)| key.clone()).collect();
        Ok(Some(match name {
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
                if pairs.len() >= MAX_ITEMS {
                    return Err(Abrupt::Stop);
                }
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
            "delete" | "clear" => {
                let arg = self.force(arg);
                let left = without(self, &pairs, |(key, _)| key, &arg, name);
                if let ObjectKind::Map(pairs, open) = &mut self.objects.get_mut(id).kind {
                    *open = left.is_none() || (*open && name != "clear");
                    *pairs = left.unwrap_or_default();
                }
                Val::unknown("it is changed", span)
            }
            "keys" => self.array(keys, open, span),
            "values" => {
                let values = pairs.into_iter().map(|(_, val)| val).collect();
                self.array(values, open, span)
            }
            _ => return Ok(None),
        }))
    }
}

/// What is left without an element, or after `clear`; `None` if it cannot be told.
fn without<T: Clone, H: Host>(
    machine: &Machine<'_, H>,
    items: &[T],
    key: impl Fn(&T) -> &Val,
    gone: &Val,
    name: &str,
) -> Option<Vec<T>> {
    let mut left = Vec::new();
    for item in items.iter().filter(|_| name != "clear") {
        if !machine.is_equal(key(item), gone, false)? {
            left.push(item.clone());
        }
    }
    Some(left)
}

/// A number that is an index or a count.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "checked"
)]
pub(super) fn whole(val: &Val) -> Option<usize> {
    match val.v {
        V::Number(number) if number >= 0.0 && number.fract() == 0.0 && number < 1e9 => {
            Some(number as usize)
        }
        _ => None,
    }
}
