//! Python's own functions and methods, as far as configurations use them.

use std::sync::Arc;

use super::ast::{Name, SequenceKind};
use super::call::Arguments;
use super::eval::{insert, number_text};
use super::object::{K, Obj, Val};
use super::program::{MAX_LENGTH, Program};
use crate::source::Span;

const UNMODELLED: &str = "a call that corslint does not model";

/// Names that exist without an import.
const BUILTINS: [&str; 26] = [
    "str",
    "int",
    "float",
    "bool",
    "list",
    "tuple",
    "set",
    "frozenset",
    "dict",
    "len",
    "any",
    "all",
    "map",
    "filter",
    "sorted",
    "reversed",
    "zip",
    "enumerate",
    "range",
    "print",
    "open",
    "isinstance",
    "getattr",
    "hasattr",
    "setattr",
    "super",
];

impl Program {
    /// The value of a name.
    pub(super) fn variable(&mut self, name: &Name, span: Span) -> Val {
        self.look_up(name, 0, span)
    }

    fn look_up(&mut self, name: &Name, from: usize, span: Span) -> Val {
        let Some(scope) = self.scopes.get(from).copied() else {
            if &**name == "__name__" {
                return Val::text("__main__", span);
            }
            if &**name == "__file__" {
                return Val::new(K::SomeText(None), span);
            }
            if BUILTINS.contains(&&**name) || matches!(&**name, "globals" | "vars" | "locals") {
                return Val::foreign(name, span);
            }
            if matches!(
                &**name,
                "property" | "staticmethod" | "classmethod" | "object"
            ) {
                return Val::foreign(name, span);
            }
            return Val::unknown("a name that is not in view", span);
        };
        let value = self.get_name(scope, name, span);
        match value.kind {
            K::Missing => self.look_up(name, from + 1, span),
            K::OneOf(..) => self.each(&value, &mut |program, value| match value.kind {
                K::Missing => program.look_up(name, from + 1, span),
                _ => value.clone(),
            }),
            _ => value,
        }
    }

    /// A call of something that Python or its standard library brings.
    pub(super) fn builtin(&mut self, path: &str, arguments: &Arguments, span: Span) -> Option<Val> {
        let first = arguments.positional.first();
        Some(match path {
            "list" | "tuple" | "set" | "frozenset" | "sorted" | "reversed" => {
                let kind = match path {
                    "tuple" => SequenceKind::Tuple,
                    "set" | "frozenset" => SequenceKind::Set,
                    _ => SequenceKind::List,
                };
                let Some(first) = first else {
                    return Some(self.list(kind, Vec::new(), false, span));
                };
                self.each(first, &mut |program, value| {
                    let (items, open) = program.items(value).unwrap_or((Vec::new(), true));
                    program.list(kind, items, open, span)
                })
            }
            "dict" => {
                let mut entries = Vec::new();
                let mut open = arguments.open;
                if let Some(first) = first {
                    match &first.kind {
                        K::Ref(id) => match self.plain(*id) {
                            Some(Obj::Dict {
                                entries: known,
                                open: more,
                            }) => {
                                entries = known;
                                open |= more;
                            }
                            _ => open = true,
                        },
                        _ => open = true,
                    }
                }
                for (name, at, value) in &arguments.keywords {
                    insert(&mut entries, Val::text(name, *at), value.clone());
                }
                self.dict(entries, open, span)
            }
            "str" => match first {
                Some(first) => self.each(first, &mut |_, value| match &value.kind {
                    K::Text(_) | K::SomeText(_) => value.clone(),
                    K::Number(number) => Val::text(&number_text(*number), value.span),
                    K::Bool(true) => Val::text("True", span),
                    K::Bool(false) => Val::text("False", span),
                    K::None => Val::text("None", span),
                    _ => Val::new(K::SomeText(None), span),
                }),
                None => Val::text("", span),
            },
            "int" | "float" => match first {
                Some(first) => self.each(first, &mut |_, value| match &value.kind {
                    K::Number(_) => value.clone(),
                    K::Bool(value) => Val::new(K::Number(f64::from(u8::from(*value))), span),
                    K::Text(text) => match text.trim().parse() {
                        Ok(number) => Val::new(K::Number(number), span),
                        Err(_) => Val::unknown(UNMODELLED, span),
                    },
                    _ => Val::unknown("a number that is not in view", span),
                }),
                None => Val::new(K::Number(0.0), span),
            },
            "bool" => {
                let first = first?;
                let text = self.source(first.span);
                self.truth(first, &text, span)
            }
            "len" => {
                let first = first?;
                self.each(first, &mut |program, value| match program.items(value) {
                    Some((items, false)) => Val::new(K::Number(items.len() as f64), span),
                    _ => Val::unknown("the length of something unknown", span),
                })
            }
            "any" | "all" => {
                let first = first?;
                let (items, open) = self.items(first)?;
                let mut unknown = open;
                for item in items {
                    let truth = self.truth(&item, "an item", item.span);
                    match truth.kind {
                        K::Bool(holds) if holds == (path == "any") => {
                            return Some(Val::new(K::Bool(holds), span));
                        }
                        K::Bool(_) => {}
                        _ => unknown = true,
                    }
                }
                if unknown {
                    Val::unknown("items that are unknown", span)
                } else {
                    Val::new(K::Bool(path == "all"), span)
                }
            }
            "map" => {
                let (function, list) = (first?.clone(), arguments.positional.get(1)?);
                let (items, open) = self.items(list).unwrap_or((Vec::new(), true));
                let mut mapped = Vec::new();
                for item in items {
                    let place = item.span;
                    let argument = Arguments {
                        positional: vec![item],
                        ..Arguments::default()
                    };
                    let value = self.call(&function, &argument, span);
                    mapped.push(value.at(place));
                }
                self.list(SequenceKind::List, mapped, open, span)
            }
            "filter" => {
                let (function, list) = (first?.clone(), arguments.positional.get(1)?);
                let (items, mut open) = self.items(list).unwrap_or((Vec::new(), true));
                let mut kept = Vec::new();
                for item in items {
                    let value = match function.kind {
                        K::None => item.clone(),
                        _ => {
                            let argument = Arguments {
                                positional: vec![item.clone()],
                                ..Arguments::default()
                            };
                            self.call(&function, &argument, span)
                        }
                    };
                    match self.truth(&value, "an item", item.span).kind {
                        K::Bool(true) => kept.push(item),
                        K::Bool(false) => {}
                        _ => open = true,
                    }
                }
                self.list(SequenceKind::List, kept, open, span)
            }
            "print" | "setattr" => Val::new(K::None, span),
            "isinstance" => {
                let (value, class) = (first?.clone(), arguments.positional.get(1)?.clone());
                self.each(
                    &value,
                    &mut |program, value| match program.is_instance(value, &class) {
                        Some(known) => Val::new(K::Bool(known), span),
                        None => Val::unknown("a type that is unknown", span),
                    },
                )
            }
            "getattr" => {
                let (object, name) = (first?.clone(), arguments.positional.get(1)?);
                let name: Name = Arc::from(name.as_text()?);
                let default = arguments.positional.get(2).cloned();
                let value = self.attribute(&object, &name, span);
                match (&value.kind, default) {
                    (K::Unknown(_), Some(_)) => Val::unknown("an attribute or its default", span),
                    _ => value,
                }
            }
            "globals" | "vars" | "locals" | "open" | "zip" | "enumerate" | "range" | "hasattr" => {
                Val::unknown(UNMODELLED, span)
            }
            "re.compile" | "regex.compile" => {
                let first = first?;
                let flags = arguments.get(1, "flags").cloned();
                let flags = flags.map_or(Some(String::new()), |flags| regex_flags(&flags));
                match (first.as_text(), flags) {
                    (Some(text), Some(flags)) => {
                        Val::new(K::Regex(Arc::from(text), Arc::from(flags)), first.span)
                    }
                    _ => Val::unknown("a pattern that is not in view", span),
                }
            }
            "re.escape" => {
                let text = first?.as_text()?;
                Val::text(&escape(text), span)
            }
            "re.match" | "re.fullmatch" | "re.search" => {
                let pattern = first?.clone();
                let text = arguments.positional.get(1)?.clone();
                let flags = arguments.get(2, "flags").cloned();
                let flags = flags.map_or(Some(String::new()), |flags| regex_flags(&flags))?;
                let how = super::pattern::How::named(&path[3..])?;
                self.matched(&pattern, &flags, &text, how, span)?
            }
            "copy.copy" | "copy.deepcopy" | "typing.cast" => match path {
                "typing.cast" => arguments.positional.get(1)?.clone(),
                _ => self.copied(first?, span),
            },
            "functools.lru_cache" | "functools.cache" | "functools.wraps" => {
                Val::foreign("functools.cache()", span)
            }
            "functools.cache()" | "functools.update_wrapper" => first?.clone(),
            "logging.getLogger" | "pathlib.Path" | "Path" => Val::foreign("library object", span),
            "json.loads" => {
                let first = first?.clone();
                self.each(&first, &mut |program, value| match value.as_text() {
                    Some(text) => program.json_list(text, value.span),
                    None => Val::unknown("a text that is not in view", span),
                })
            }
            _ => return None,
        })
    }

    fn json_list(&mut self, text: &str, span: Span) -> Val {
        let Ok(serde_json::Value::Array(items)) = serde_json::from_str(text) else {
            return Val::unknown(UNMODELLED, span);
        };
        let texts: Option<Vec<Val>> = items
            .iter()
            .map(|item| item.as_str().map(|text| Val::text(text, span)))
            .collect();
        match texts {
            Some(items) => self.list(SequenceKind::List, items, false, span),
            None => Val::unknown(UNMODELLED, span),
        }
    }

    pub(super) fn copied(&mut self, value: &Val, span: Span) -> Val {
        match &value.kind {
            K::Ref(id) => {
                let Some(tree) = self.heap.get(*id).cloned() else {
                    return value.clone();
                };
                Val::new(K::Ref(self.heap.push(tree)), span)
            }
            _ => value.clone(),
        }
    }

    fn is_instance(&mut self, value: &Val, class: &Val) -> Option<bool> {
        if let K::Ref(_) = class.kind {
            let (classes, _) = self.items(class)?;
            let mut all_known = true;
            for class in classes {
                match self.is_instance(value, &class) {
                    Some(true) => return Some(true),
                    Some(false) => {}
                    None => all_known = false,
                }
            }
            return all_known.then_some(false);
        }
        let class = class.path()?;
        let is = match &value.kind {
            K::Text(_) | K::SomeText(_) => "str",
            K::Bool(_) => "bool",
            K::Number(_) => "int",
            K::None => "NoneType",
            K::Ref(id) => match self.plain(*id)? {
                Obj::List { kind, .. } => match kind {
                    SequenceKind::List => "list",
                    SequenceKind::Tuple => "tuple",
                    SequenceKind::Set => "set",
                },
                Obj::Dict { .. } => "dict",
                _ => return None,
            },
            _ => return None,
        };
        BUILTINS.contains(&class).then_some(is == class)
    }

    /// A method of a plain value or of an instance.
    pub(super) fn call_method(
        &mut self,
        object: &Val,
        name: &Name,
        arguments: &Arguments,
        span: Span,
    ) -> Val {
        match &object.kind {
            K::Instance(class, _) | K::Class(class) => {
                match self.class_attribute(*class, name, span) {
                    Some(method) => match method.kind {
                        K::Function(index) => {
                            self.call_function(index, Some(object.clone()), arguments, span)
                        }
                        _ => Val::unknown(UNMODELLED, span),
                    },
                    None => Val::unknown(UNMODELLED, span),
                }
            }
            K::Text(text) => {
                let text = Arc::clone(text);
                self.text_method(&text, object.span, name, arguments, span)
            }
            K::SomeText(source) => match &**name {
                "split" | "splitlines" => self.list(SequenceKind::List, Vec::new(), true, span),
                "strip" | "lower" | "upper" | "rstrip" | "lstrip" => {
                    Val::new(K::SomeText(source.clone()), span)
                }
                "replace" | "format" | "removesuffix" | "removeprefix" | "decode" | "encode" => {
                    Val::new(K::SomeText(None), span)
                }
                "startswith" | "endswith" => {
                    if let Some(part) = arguments.positional.first() {
                        self.watch(object, part);
                    }
                    Val::unknown("a text that is not in view", span)
                }
                _ => Val::unknown("a text that is not in view", span),
            },
            K::Ref(id) => self.container_method(*id, name, arguments, span),
            K::Regex(pattern, flags) => {
                let pattern_value = Val::new(K::Text(Arc::clone(pattern)), object.span);
                let flags = flags.to_string();
                match (
                    super::pattern::How::named(name),
                    arguments.positional.first(),
                ) {
                    (Some(how), Some(text)) => {
                        let text = text.clone();
                        self.matched(&pattern_value, &flags, &text, how, span)
                            .unwrap_or_else(|| Val::unknown(UNMODELLED, span))
                    }
                    _ => Val::unknown(UNMODELLED, span),
                }
            }
            _ => Val::unknown(UNMODELLED, span),
        }
    }

    /// A match: something true, or `None`.
    fn matched(
        &mut self,
        pattern: &Val,
        flags: &str,
        text: &Val,
        how: super::pattern::How,
        span: Span,
    ) -> Option<Val> {
        let place = pattern.span;
        let (pattern, flags) = match &pattern.kind {
            K::Regex(pattern, flags) => (pattern.to_string(), flags.to_string()),
            K::Text(pattern) => (pattern.to_string(), flags.to_owned()),
            _ => return Some(Val::unknown("a pattern that is not in view", span)),
        };
        Some(self.each(text, &mut |program, text| {
            let kind = K::Regex(Arc::from(&*pattern), Arc::from(&*flags));
            program.watch(text, &Val::new(kind, place));
            let verdict = text
                .as_text()
                .and_then(|text| super::pattern::matches(&pattern, &flags, text, how));
            match verdict {
                Some(known) => Val::new(if known { K::Bool(true) } else { K::None }, span),
                None => Val::unknown("a match that cannot be decided", span),
            }
        }))
    }

    fn text_method(
        &mut self,
        text: &str,
        place: Span,
        name: &Name,
        arguments: &Arguments,
        span: Span,
    ) -> Val {
        let argument = |at: usize| arguments.positional.get(at).and_then(Val::as_text);
        let chars = || {
            let set = argument(0).map(ToOwned::to_owned);
            move |c: char| match &set {
                Some(set) => set.contains(c),
                None => c.is_whitespace(),
            }
        };
        let new = |text: &str| Val::text(text, place);
        match &**name {
            "split" | "rsplit" if arguments.positional.len() <= 1 => {
                let parts: Vec<&str> = match argument(0) {
                    Some(separator) if !separator.is_empty() => text.split(separator).collect(),
                    Some(_) => return Val::unknown(UNMODELLED, span),
                    None => text.split_whitespace().collect(),
                };
                let items = parts.into_iter().take(MAX_LENGTH).map(new).collect();
                self.list(SequenceKind::List, items, false, span)
            }
            "splitlines" => {
                let items = text.lines().take(MAX_LENGTH).map(new).collect();
                self.list(SequenceKind::List, items, false, span)
            }
            "strip" => new(text.trim_matches(chars())),
            "lstrip" => new(text.trim_start_matches(chars())),
            "rstrip" => new(text.trim_end_matches(chars())),
            "lower" | "casefold" => new(&text.to_lowercase()),
            "upper" => new(&text.to_uppercase()),
            "encode" | "decode" => new(text),
            "startswith" | "endswith" => {
                let test = |part: &str| {
                    if &**name == "startswith" {
                        text.starts_with(part)
                    } else {
                        text.ends_with(part)
                    }
                };
                let Some(first) = arguments.positional.first() else {
                    return Val::unknown(UNMODELLED, span);
                };
                if let Some(part) = first.as_text() {
                    return Val::new(K::Bool(test(part)), span);
                }
                match self.items(first) {
                    Some((items, false)) if items.iter().all(|item| item.as_text().is_some()) => {
                        let any = items.iter().filter_map(Val::as_text).any(test);
                        Val::new(K::Bool(any), span)
                    }
                    _ => Val::unknown(UNMODELLED, span),
                }
            }
            "removesuffix" => new(text
                .strip_suffix(argument(0).unwrap_or("\0"))
                .unwrap_or(text)),
            "removeprefix" => new(text
                .strip_prefix(argument(0).unwrap_or("\0"))
                .unwrap_or(text)),
            "replace" => match (argument(0), argument(1)) {
                (Some(from), Some(to)) if !from.is_empty() => new(&text.replace(from, to)),
                _ => Val::new(K::SomeText(None), span),
            },
            "join" => {
                let Some((items, open)) = arguments
                    .positional
                    .first()
                    .and_then(|list| self.items(list))
                else {
                    return Val::new(K::SomeText(None), span);
                };
                let texts: Vec<&str> = items.iter().filter_map(Val::as_text).collect();
                if open || texts.len() != items.len() {
                    return Val::new(K::SomeText(None), span);
                }
                Val::text(&texts.join(text), span)
            }
            "format" if arguments.keywords.is_empty() && !arguments.open => {
                let mut result = String::new();
                let mut rest = text;
                for value in &arguments.positional {
                    match (rest.split_once("{}"), value.as_text()) {
                        (Some((before, after)), Some(text)) => {
                            result.push_str(before);
                            result.push_str(text);
                            rest = after;
                        }
                        _ => return Val::new(K::SomeText(None), span),
                    }
                }
                if rest.contains('{') {
                    return Val::new(K::SomeText(None), span);
                }
                result.push_str(rest);
                Val::text(&result, span)
            }
            _ => Val::unknown(UNMODELLED, span),
        }
    }

    fn container_method(
        &mut self,
        id: usize,
        name: &Name,
        arguments: &Arguments,
        span: Span,
    ) -> Val {
        let none = Val::new(K::None, span);
        let first = arguments.positional.first().cloned();
        match (&**name, first) {
            (
                "append" | "add" | "insert" | "remove" | "discard" | "clear" | "reverse" | "sort"
                | "update" | "setdefault" | "extend",
                first,
            ) => {
                if &**name == "extend"
                    && let Some(first) = &first
                {
                    self.extend(id, first);
                    return none;
                }
                let mut more = Vec::new();
                if let Some(value) = &first {
                    if let K::Ref(other) = value.kind
                        && let Some(Obj::Dict { entries, .. }) = self.plain(other)
                    {
                        more = entries;
                    } else if let Some((items, _)) = self.items(value) {
                        more = items.into_iter().map(|item| (item.clone(), item)).collect();
                    }
                }
                let index = arguments.positional.first().map(|at| at.kind.clone());
                let second = arguments.positional.get(1).cloned();
                self.update(id, &mut |_, obj| {
                    let mut obj = obj.clone();
                    mutate(&mut obj, name, arguments, &first, &second, &index, &more);
                    obj
                });
                match (&**name, first) {
                    ("setdefault", Some(key)) => {
                        let object = Val::new(K::Ref(id), span);
                        self.item(&object, &key, span)
                    }
                    _ => none,
                }
            }
            ("get", Some(key)) => {
                let default = arguments.positional.get(1).cloned().unwrap_or(none);
                self.read(id, span, &mut |_, obj| match obj {
                    Obj::Dict { entries, open } => {
                        match entries.iter().find(|(known, _)| known.kind == key.kind) {
                            Some((_, value)) => value.clone(),
                            None if *open || matches!(key.kind, K::Unknown(_)) => {
                                Val::unknown("a key that is not in view", span)
                            }
                            None => default.clone(),
                        }
                    }
                    _ => Val::unknown(UNMODELLED, span),
                })
            }
            ("copy", _) => self.copied(&Val::new(K::Ref(id), span), span),
            ("index", Some(value)) => self.read(id, span, &mut |program, obj| match obj {
                Obj::List { items, .. } => {
                    let at = items
                        .iter()
                        .position(|item| program.equal(item, &value) == Some(true));
                    match at {
                        Some(at) => Val::new(K::Number(at as f64), span),
                        None => Val::unknown("a place that is unknown", span),
                    }
                }
                _ => Val::unknown(UNMODELLED, span),
            }),
            ("keys" | "values" | "items", _) => {
                let which = name.clone();
                self.read(id, span, &mut |program, obj| match obj {
                    Obj::Dict { entries, open } => {
                        let mut items = Vec::new();
                        for (key, value) in entries {
                            items.push(match &*which {
                                "keys" => key.clone(),
                                "values" => value.clone(),
                                _ => {
                                    let pair = vec![key.clone(), value.clone()];
                                    program.list(SequenceKind::Tuple, pair, false, key.span)
                                }
                            });
                        }
                        program.list(SequenceKind::List, items, *open, span)
                    }
                    _ => Val::unknown(UNMODELLED, span),
                })
            }
            ("union", Some(other)) => {
                let this = Val::new(K::Ref(id), span);
                self.binary(&this, "+", &other, span)
            }
            _ => Val::unknown(UNMODELLED, span),
        }
    }
}

fn mutate(
    obj: &mut Obj,
    name: &str,
    arguments: &Arguments,
    first: &Option<Val>,
    second: &Option<Val>,
    index: &Option<K>,
    more: &[(Val, Val)],
) {
    match obj {
        Obj::List { items, open, .. } => match (name, first) {
            ("append" | "add", Some(value)) if items.len() < MAX_LENGTH => {
                items.push(value.clone());
            }
            ("insert", Some(_)) => match (index, second) {
                (Some(K::Number(at)), Some(value)) => {
                    let at = *at as i64;
                    let length = i64::try_from(items.len()).unwrap_or(i64::MAX);
                    let at = if at < 0 { at + length } else { at }.clamp(0, length);
                    items.insert(usize::try_from(at).unwrap_or_default(), value.clone());
                }
                _ => {
                    items.clear();
                    *open = true;
                }
            },
            ("remove" | "discard", Some(value)) => {
                match items.iter().position(|item| item.kind == value.kind) {
                    Some(at) => {
                        items.remove(at);
                    }
                    None if *open => {}
                    None => *open |= matches!(value.kind, K::Unknown(_) | K::OneOf(..)),
                }
            }
            ("update", Some(_)) => items.extend(more.iter().map(|(key, _)| key.clone())),
            ("clear", _) => items.clear(),
            ("reverse", _) => items.reverse(),
            ("sort", _) => {}
            _ => *open = true,
        },
        Obj::Dict { entries, open } => match (name, first) {
            ("update", _) => {
                if first.is_some() && more.is_empty() {
                    *open = true;
                }
                for (key, value) in more {
                    insert(entries, key.clone(), value.clone());
                }
                for (name, at, value) in &arguments.keywords {
                    insert(entries, Val::text(name, *at), value.clone());
                }
                *open |= arguments.open;
            }
            ("setdefault", Some(key)) => {
                if !entries.iter().any(|(known, _)| known.kind == key.kind) {
                    let none = Val::new(K::None, key.span);
                    let value = second.clone().unwrap_or(none);
                    insert(entries, key.clone(), value);
                }
            }
            ("clear", _) => entries.clear(),
            _ => *open = true,
        },
        _ => {}
    }
}

/// `re.I | re.M` and the like in Python's letters.
fn regex_flags(flags: &Val) -> Option<String> {
    let letter = |path: &str| {
        Some(match path.rsplit('.').next()? {
            "I" | "IGNORECASE" => "i",
            "M" | "MULTILINE" => "m",
            "S" | "DOTALL" => "s",
            "X" | "VERBOSE" => "x",
            "A" | "ASCII" => "a",
            "U" | "UNICODE" => "",
            _ => return None,
        })
    };
    match &flags.kind {
        K::Foreign(foreign) => foreign.path.split('|').map(letter).collect(),
        K::Number(number) if *number == 0.0 => Some(String::new()),
        _ => None,
    }
}

/// `re.escape` since Python 3.7.
fn escape(text: &str) -> String {
    let mut result = String::new();
    for c in text.chars() {
        if "()[]{}?*+-|^$\\.&~# \t\n\r\u{b}\u{c}".contains(c) {
            result.push('\\');
        }
        result.push(c);
    }
    result
}
