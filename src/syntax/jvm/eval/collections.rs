//! Lists, sets, arrays, maps and optional values.

use super::heap::{ObjectKind, Sequence, V, Val};
use super::{Abrupt, Call, Comparison, Host, Machine, Result};
use crate::limits::jvm::collections::MAX_ITEMS;
use crate::source::Span;

impl<H: Host> Machine<'_, H> {
    /// A map.
    pub fn map(&mut self, entries: Vec<(Val, Val)>, open: bool, span: Span) -> Val {
        self.allocate(ObjectKind::Map { entries, open }, span)
    }

    /// A map of pairs.
    pub(super) fn map_of_pairs(&mut self, pairs: &[Val], open: bool, span: Span) -> Val {
        let (pairs, more) = self.flattened(pairs);
        let mut entries = Vec::new();
        let mut open = open || more;
        for pair in &pairs {
            match self.object(pair).map(|object| &object.kind) {
                Some(ObjectKind::Pair(key, value)) => entries.push((key.clone(), value.clone())),
                _ => open = true,
            }
        }
        self.map(entries, open, span)
    }

    /// Adds elements to a list.
    pub(super) fn extend(&mut self, list: &Val, more: Vec<Val>, opens: bool) {
        let Some(id) = list.as_id() else { return };
        if let ObjectKind::List { items, open, .. } = &mut self.objects.get_mut(id).kind {
            *open |= opens || items.len() + more.len() > MAX_ITEMS;
            let room = MAX_ITEMS.saturating_sub(items.len());
            items.extend(more.into_iter().take(room));
        }
    }

    /// Is a value among others? Nothing if that cannot be told.
    pub(super) fn is_among(&mut self, items: &[Val], open: bool, val: &Val) -> Option<bool> {
        let mut unknown = open;
        for item in items {
            let equal = self.equal(item, val);
            self.note(val, item, Comparison::Equal, equal);
            match equal {
                Some(true) => return Some(true),
                Some(false) => {}
                None => unknown = true,
            }
        }
        if unknown && val.as_str().is_some_and(|text| self.host.is_member(text)) {
            return Some(true);
        }
        if unknown && items.is_empty() {
            let why = Val::unknown("a list that is not in view", val.span);
            self.note(val, &why, Comparison::Equal, None);
        }
        (!unknown).then_some(false)
    }

    /// A method of a sequence.
    pub(super) fn call_list(
        &mut self,
        items: Vec<Val>,
        open: bool,
        kind: Sequence,
        call: &Call<'_>,
    ) -> Result<Val> {
        let span = call.span;
        let why = "an element that is not in view";
        let truth = |known: Option<bool>| match known {
            Some(known) => Val::bool(known, span),
            None => Val::unknown("a list that is not in view", span),
        };
        Ok(match (call.method, call.args) {
            ("size" | "length" | "count", []) => match open {
                false => Val::number(items.len() as f64, span),
                true => Val::unknown("a list that is not in view", span),
            },
            ("isEmpty" | "isNullOrEmpty" | "none", []) => {
                truth((!open || !items.is_empty()).then_some(items.is_empty()))
            }
            ("isNotEmpty" | "any", []) => {
                truth((!open || !items.is_empty()).then_some(!items.is_empty()))
            }
            ("contains", [val]) => {
                let known = self.is_among(&items, open, val);
                truth(known)
            }
            ("containsAll", [others]) => {
                let (others, more) = self.items(others).unwrap_or((Vec::new(), true));
                let mut all = (!more).then_some(true);
                for other in &others {
                    match self.is_among(&items, open, other) {
                        Some(true) => {}
                        Some(false) => all = Some(false),
                        None => all = all.filter(|all| !all),
                    }
                }
                truth(all)
            }
            ("indexOf", [val]) => {
                let place = items
                    .iter()
                    .position(|item| self.equal(item, val) == Some(true));
                match (place, open) {
                    (Some(place), _) => Val::number(place as f64, span),
                    (None, false) => Val::number(-1.0, span),
                    _ => Val::unknown("a list that is not in view", span),
                }
            }
            ("get" | "elementAt" | "getOrNull", [at]) => {
                let place = at.as_number().map(|at| at as usize);
                match place.and_then(|at| items.get(at)) {
                    Some(val) => val.clone(),
                    None if !open && place.is_some() && call.method != "getOrNull" => {
                        let error = "java.lang.IndexOutOfBoundsException";
                        return Err(Abrupt::Throw(Val::foreign(error, span)));
                    }
                    None if !open && place.is_some() => Val::null(span),
                    None => Val::unknown(why, span),
                }
            }
            ("getIfAvailable" | "getIfUnique" | "getObject", []) => match items.first() {
                Some(val) => val.clone(),
                None => Val::unknown(why, span),
            },
            ("getFirst" | "first" | "firstOrNull" | "single", []) => match items.first() {
                Some(val) => val.clone(),
                None if !open && call.method == "firstOrNull" => Val::null(span),
                None => Val::unknown(why, span),
            },
            ("getLast" | "last" | "lastOrNull", []) => match items.last() {
                Some(val) if !open => val.clone(),
                _ => Val::unknown(why, span),
            },
            ("add" | "addLast" | "offer" | "push", [val]) => {
                self.extend(call.receiver, vec![val.clone()], false);
                Val::bool(true, span)
            }
            ("add" | "addFirst", _) if call.args.len() <= 2 => {
                let Some(val) = call.args.last() else {
                    return self.call_host(call);
                };
                let mut items = items;
                let at = call.args[0].as_number().map_or(0, |at| at as usize);
                let at = at.min(items.len());
                items.insert(at, val.clone());
                self.set_items(call.receiver, items, open, kind);
                Val::void(span)
            }
            ("addAll" | "plusAssign", _) => {
                let (more, mut opens) = self.flattened(call.args);
                let known: Vec<Val> = more
                    .iter()
                    .filter(|val| !val.is_opaque())
                    .cloned()
                    .collect();
                opens |= known.len() < more.len();
                self.extend(call.receiver, known, opens);
                Val::bool(true, span)
            }
            ("set", [at, val]) => {
                let mut items = items;
                match at.as_number().map(|at| at as usize) {
                    Some(at) if at < items.len() => items[at] = val.clone(),
                    _ => items = Vec::new(),
                }
                self.set_items(call.receiver, items, open, kind);
                Val::void(span)
            }
            ("remove" | "minus", [val]) => {
                let kept: Vec<Val> = items
                    .iter()
                    .filter(|item| self.equal(item, val) != Some(true))
                    .cloned()
                    .collect();
                if call.method == "minus" {
                    return Ok(self.list(kept, open, span));
                }
                self.set_items(call.receiver, kept, open, kind);
                Val::bool(true, span)
            }
            ("clear", []) => {
                self.set_items(call.receiver, Vec::new(), false, kind);
                Val::void(span)
            }
            ("equals", [other]) => self.compare(call.receiver, other, span),
            ("toString", []) => {
                let comma = Val::string(", ", span);
                let joined = self.join_texts(&items, open, &comma, span);
                match joined.as_str() {
                    Some(text) => Val::string(format!("[{text}]"), span),
                    None => joined,
                }
            }
            ("clone" | "copyOf", []) => self.allocate(ObjectKind::List { items, open, kind }, span),
            ("iterator" | "listIterator", []) => call.receiver.clone(),
            _ => match self.call_stream(&items, open, call)? {
                Some(val) => val,
                None => return self.call_host(call),
            },
        })
    }

    fn set_items(&mut self, list: &Val, items: Vec<Val>, open: bool, kind: Sequence) {
        if let Some(id) = list.as_id() {
            self.objects.get_mut(id).kind = ObjectKind::List { items, open, kind };
        }
    }

    /// A method of a map.
    pub(super) fn call_map(
        &mut self,
        mut entries: Vec<(Val, Val)>,
        open: bool,
        call: &Call<'_>,
    ) -> Result<Val> {
        let span = call.span;
        let find = |machine: &Self, entries: &[(Val, Val)], key: &Val| {
            let mut places = entries.iter();
            places.position(|(known, _)| machine.equal(known, key) == Some(true))
        };
        let unknown = Val::unknown("an entry that is not in view", span);
        Ok(match (call.method, call.args) {
            ("get" | "getValue" | "getOrDefault" | "getOrElse", [key, rest @ ..]) => {
                match (find(self, &entries, key), rest.first()) {
                    (Some(at), _) => entries[at].1.clone(),
                    (None, _) if open || key.is_opaque() => unknown,
                    (None, Some(default)) if self.is_function(default) => {
                        return self.call_function(default, None, &[], span);
                    }
                    (None, Some(default)) => default.clone(),
                    (None, None) => Val::null(span),
                }
            }
            ("put" | "set" | "putIfAbsent", [key, value]) => {
                match find(self, &entries, key) {
                    Some(at) if call.method != "putIfAbsent" => entries[at].1 = value.clone(),
                    Some(_) => {}
                    None => entries.push((key.clone(), value.clone())),
                }
                self.set_entries(call.receiver, entries, open);
                Val::null(span)
            }
            ("putAll", [other]) => {
                let (mut open, other) = (open, self.object(other).map(|object| &object.kind));
                match other {
                    Some(ObjectKind::Map {
                        entries: more,
                        open: opens,
                    }) => {
                        entries.extend(more.iter().cloned());
                        open |= opens;
                    }
                    _ => open = true,
                }
                self.set_entries(call.receiver, entries, open);
                Val::void(span)
            }
            ("containsKey" | "contains", [key]) => {
                let keys: Vec<Val> = entries.into_iter().map(|(key, _)| key).collect();
                match self.is_among(&keys, open, key) {
                    Some(known) => Val::bool(known, span),
                    None => unknown,
                }
            }
            ("keySet" | "keys" | "getKeys", []) => {
                let keys = entries.into_iter().map(|(key, _)| key).collect();
                self.list(keys, open, span)
            }
            ("values" | "getValues", []) => {
                let values = entries.into_iter().map(|(_, value)| value).collect();
                self.list(values, open, span)
            }
            ("entrySet" | "entries" | "getEntries", []) => {
                let (pairs, open) = self.elements(call.receiver);
                self.list(pairs, open, span)
            }
            ("size" | "count", []) if !open => Val::number(entries.len() as f64, span),
            ("isEmpty", []) if !open || !entries.is_empty() => Val::bool(entries.is_empty(), span),
            ("forEach", [function]) => {
                for (key, value) in entries {
                    // Kotlin gives an entry to a lambda with one parameter.
                    let one = match self.object(function).map(|object| &object.kind) {
                        Some(ObjectKind::Lambda(lambda, _)) => lambda.params.len() < 2,
                        _ => false,
                    };
                    if one {
                        let pair = self.allocate(ObjectKind::Pair(key, value), span);
                        self.call_function(function, None, &[pair], span)?;
                    } else {
                        self.call_function(function, None, &[key, value], span)?;
                    }
                }
                Val::void(span)
            }
            ("computeIfAbsent" | "getOrPut", [key, function]) => match find(self, &entries, key) {
                Some(at) => entries[at].1.clone(),
                None => {
                    let value =
                        self.call_function(function, None, std::slice::from_ref(key), span)?;
                    entries.push((key.clone(), value.clone()));
                    self.set_entries(call.receiver, entries, open);
                    value
                }
            },
            ("remove", [key]) => {
                if let Some(at) = find(self, &entries, key) {
                    entries.remove(at);
                }
                self.set_entries(call.receiver, entries, open);
                Val::void(span)
            }
            ("toMap" | "toMutableMap" | "orEmpty", []) => call.receiver.clone(),
            ("map" | "filter" | "any" | "all" | "none" | "flatMap" | "mapNotNull", _) => {
                let (pairs, open) = self.elements(call.receiver);
                match self.call_stream(&pairs, open, call)? {
                    Some(val) => val,
                    None => return self.call_host(call),
                }
            }
            _ => return self.call_host(call),
        })
    }

    fn set_entries(&mut self, map: &Val, entries: Vec<(Val, Val)>, open: bool) {
        if let Some(id) = map.as_id() {
            self.objects.get_mut(id).kind = ObjectKind::Map { entries, open };
        }
    }

    /// A method of an optional value.
    pub(super) fn call_optional(&mut self, inner: Option<Val>, call: &Call<'_>) -> Result<Val> {
        let span = call.span;
        // Whether something out of view is there cannot be told.
        let opaque = inner
            .as_ref()
            .is_some_and(|val| matches!(val.v, V::Unknown(_)));
        Ok(match (call.method, call.args) {
            ("isPresent" | "isEmpty", _) if opaque => {
                Val::unknown("a value that is not in view", span)
            }
            ("isPresent", _) => Val::bool(inner.is_some(), span),
            ("isEmpty", _) => Val::bool(inner.is_none(), span),
            ("get" | "orElseThrow" | "getOrNull", _) => match inner {
                Some(val) => val,
                None => {
                    let error = "java.util.NoSuchElementException";
                    return Err(Abrupt::Throw(Val::foreign(error, span)));
                }
            },
            ("orElse", [other]) => match inner {
                Some(val) if opaque => val,
                Some(val) => val,
                None => other.clone(),
            },
            ("orElseGet", [other]) => match inner {
                Some(val) => val,
                None => return self.call_function(other, None, &[], span),
            },
            ("ifPresent" | "ifPresentOrElse", [function, rest @ ..]) => {
                match (inner, rest.first()) {
                    (Some(val), _) => {
                        self.call_function(function, None, &[val], span)?;
                    }
                    (None, Some(other)) => {
                        self.call_function(other, None, &[], span)?;
                    }
                    (None, None) => {}
                }
                Val::void(span)
            }
            ("map" | "flatMap", [function]) => match inner {
                Some(val) => {
                    let val = self.call_function(function, None, &[val], span)?;
                    let is_optional = |machine: &Self| {
                        let object = machine.object(&val);
                        object.is_some_and(|object| matches!(object.kind, ObjectKind::Optional(_)))
                    };
                    if call.method == "flatMap" && is_optional(self) {
                        return Ok(val);
                    }
                    let inner = (!val.is_null()).then_some(val);
                    self.allocate(ObjectKind::Optional(inner), span)
                }
                None => call.receiver.clone(),
            },
            ("filter", [function]) => match inner {
                Some(val) => {
                    let holds =
                        self.call_function(function, None, std::slice::from_ref(&val), span)?;
                    let kept = self.decide(&holds, span).then_some(val);
                    self.allocate(ObjectKind::Optional(kept), span)
                }
                None => call.receiver.clone(),
            },
            ("stream", []) => {
                let items = inner.into_iter().collect();
                self.list(items, false, span)
            }
            _ if opaque => Val::unknown("a value that is not in view", span),
            _ => return self.call_host(call),
        })
    }
}
