//! Streams, and what Kotlin does with collections.

use super::heap::{ObjectKind, Sequence, V, Val};
use super::{Call, Host, Machine, Result};
use crate::syntax::jvm::ast::simple;

impl<H: Host> Machine<'_, H> {
    /// Does a predicate hold? Nothing if that cannot be told.
    fn holds(&mut self, predicate: &Val, item: &Val, call: &Call<'_>) -> Result<Option<bool>> {
        let val = self.call_function(predicate, None, std::slice::from_ref(item), call.span)?;
        Ok(self.truth(&val))
    }

    /// A method of a stream or collection that makes something of its elements; nothing if it is
    /// none.
    pub(super) fn call_stream(
        &mut self,
        items: &[Val],
        open: bool,
        call: &Call<'_>,
    ) -> Result<Option<Val>> {
        let span = call.span;
        let element = || Val::unknown("an element that is not in view", call.receiver.span);
        let first = call.args.first();
        Ok(Some(match (call.method, first) {
            (
                "stream" | "orderedStream" | "parallelStream" | "sequential" | "sorted" | "boxed"
                | "toList" | "asList" | "asSequence" | "toMutableList" | "distinct"
                | "unmodifiable" | "iterator" | "orEmpty" | "asIterable" | "reversed" | "subList"
                | "limit" | "values" | "toTypedArray" | "toArray" | "toSet" | "toMutableSet"
                | "toHashSet" | "toUnmodifiableList" | "filterNotNull" | "parallel"
                | "requireNoNulls" | "asReversed" | "sortedBy",
                _,
            ) => {
                let mut items = items.to_vec();
                if call.method == "filterNotNull" {
                    items.retain(|item| !item.is_null());
                }
                if call.method == "limit"
                    && let Some(count) = first.and_then(Val::as_number)
                {
                    items.truncate(count as usize);
                }
                let kind = match call.method {
                    "toArray" | "toTypedArray" => Sequence::Array,
                    "toSet" | "toMutableSet" | "toHashSet" => Sequence::Set,
                    _ => Sequence::List,
                };
                self.allocate(ObjectKind::List { items, open, kind }, span)
            }
            ("forEach" | "forEachOrdered" | "onEach" | "peek", Some(function)) => {
                for item in items.iter().cloned().chain(open.then(element)) {
                    self.call_function(function, None, &[item], span)?;
                }
                if matches!(call.method, "onEach" | "peek") {
                    return Ok(Some(call.receiver.clone()));
                }
                Val::void(span)
            }
            ("map" | "mapToObj" | "mapNotNull" | "mapTo", Some(function)) => {
                if function.as_foreign().is_some() {
                    return Ok(Some(self.list(items.to_vec(), open, span)));
                }
                let mut mapped = Vec::new();
                for item in items {
                    let val =
                        self.call_function(function, None, std::slice::from_ref(item), span)?;
                    // A part of a literal is changed where the literal is written.
                    let val = if val.as_str().is_some() {
                        val.at(item.span)
                    } else {
                        val
                    };
                    if call.method != "mapNotNull" || !val.is_null() {
                        mapped.push(val);
                    }
                }
                self.list(mapped, open, span)
            }
            ("flatMap", Some(function)) => {
                let mut mapped = Vec::new();
                let mut open = open;
                for item in items {
                    let val =
                        self.call_function(function, None, std::slice::from_ref(item), span)?;
                    match self.items(&val) {
                        Some((items, more)) => {
                            mapped.extend(items);
                            open |= more;
                        }
                        None => open = true,
                    }
                }
                self.list(mapped, open, span)
            }
            ("filter" | "filterNot" | "removeIf" | "takeWhile", Some(function)) => {
                let mut kept = Vec::new();
                let mut open = open;
                let wanted = call.method != "filterNot" && call.method != "removeIf";
                for item in items {
                    match self.holds(function, item, call)? {
                        Some(holds) if holds == wanted => kept.push(item.clone()),
                        Some(_) => {}
                        None => open = true,
                    }
                }
                let list = self.list(kept, open, span);
                if call.method == "removeIf"
                    && let (Some(target), Some(source)) = (call.receiver.as_id(), list.as_id())
                {
                    let kind = self.objects.get(source).kind.clone();
                    self.objects.get_mut(target).kind = kind;
                }
                list
            }
            ("anyMatch" | "any" | "noneMatch" | "none" | "allMatch" | "all", Some(function)) => {
                let all = call.method.starts_with("all");
                let mut unknown = open;
                let mut decided = false;
                for item in items {
                    match self.holds(function, item, call)? {
                        Some(holds) if holds != all => {
                            decided = true;
                            break;
                        }
                        Some(_) => {}
                        None => unknown = true,
                    }
                }
                let mut known = (decided || !unknown).then_some(decided != all);
                if open && known.is_none() {
                    // What is asked about an element that is not in view.
                    known = self
                        .holds(function, &element(), call)?
                        .filter(|holds| *holds != all);
                }
                let negated = call.method.starts_with("none");
                match known {
                    Some(known) => Val::bool(known != negated, span),
                    None => Val::unknown("a list that is not in view", span),
                }
            }
            ("findFirst" | "findAny" | "find" | "firstOrNull" | "first", _) => {
                let mut found = None;
                let mut unknown = open;
                for item in items {
                    let holds = match first {
                        Some(function) => self.holds(function, item, call)?,
                        None => Some(true),
                    };
                    match holds {
                        Some(true) => {
                            found = Some(item.clone());
                            break;
                        }
                        Some(false) => {}
                        None => unknown = true,
                    }
                }
                let found = found.or_else(|| unknown.then(element));
                if call.method.starts_with("findFirst") || call.method == "findAny" {
                    self.allocate(ObjectKind::Optional(found), span)
                } else {
                    found.unwrap_or(Val::null(span))
                }
            }
            ("collect", Some(collector)) => self.collect(items, open, collector, call)?,
            ("joinToString", _) => {
                let comma = Val::string(", ", span);
                let separator = call.arg(0, "separator").cloned().unwrap_or(comma);
                self.join_texts(items, open, &separator, span)
            }
            ("plus", Some(other)) => self.operate(
                crate::syntax::jvm::ast::Binary::Add,
                call.receiver,
                other,
                span,
            )?,
            ("associate" | "associateWith" | "associateBy", Some(function)) => {
                let mut entries = Vec::new();
                let mut open = open;
                for item in items {
                    let val =
                        self.call_function(function, None, std::slice::from_ref(item), span)?;
                    match (call.method, self.object(&val).map(|object| &object.kind)) {
                        ("associateWith", _) => entries.push((item.clone(), val)),
                        ("associateBy", _) => entries.push((val, item.clone())),
                        (_, Some(ObjectKind::Pair(key, value))) => {
                            entries.push((key.clone(), value.clone()));
                        }
                        _ => open = true,
                    }
                }
                self.map(entries, open, span)
            }
            ("forEachIndexed", Some(function)) => {
                for (at, item) in items.iter().enumerate() {
                    let at = Val::number(at as f64, span);
                    self.call_function(function, None, &[at, item.clone()], span)?;
                }
                Val::void(span)
            }
            ("indices" | "withIndex" | "lastIndex", _) if !open => {
                if call.method == "lastIndex" {
                    return Ok(Some(Val::number(items.len() as f64 - 1.0, span)));
                }
                let mut result = Vec::new();
                for (at, item) in items.iter().enumerate() {
                    let at = Val::number(at as f64, span);
                    result.push(if call.method == "indices" {
                        at
                    } else {
                        self.allocate(ObjectKind::Pair(at, item.clone()), span)
                    });
                }
                self.list(result, false, span)
            }
            ("toMap", _) => self.map_of_pairs(items, open, span),
            _ => return Ok(None),
        }))
    }

    fn collect(
        &mut self,
        items: &[Val],
        open: bool,
        collector: &Val,
        call: &Call<'_>,
    ) -> Result<Val> {
        if let Some(ObjectKind::Pair(_, separator)) =
            self.object(collector).map(|object| object.kind.clone())
        {
            return Ok(self.join_texts(items, open, &separator, call.span));
        }
        let V::Foreign(path) = &collector.v else {
            return Ok(Val::unknown("a collector that is not evaluated", call.span));
        };
        Ok(match simple(path) {
            "toList" | "toUnmodifiableList" | "toSet" | "toUnmodifiableSet" | "toCollection" => {
                self.list(items.to_vec(), open, call.span)
            }
            _ => Val::unknown("a collector that is not evaluated", call.span),
        })
    }
}
