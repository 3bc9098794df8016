//! Methods: whose they are, and what the standard library's static ones do.

use std::sync::Arc;

use super::functions::Args;
use super::heap::{ObjectKind, Sequence, V, Val};
use super::values::constant;
use super::{Abrupt, Call, Host, Machine, Result};
use crate::syntax::jvm::ast::simple;

impl<H: Host> Machine<'_, H> {
    /// Calls a method of a value.
    pub(super) fn call_method(&mut self, call: &Call<'_>) -> Result<Val> {
        self.step()?;
        let args = Args {
            values: call.args.to_vec(),
            names: call.names.to_vec(),
            open: call.open,
        };
        if let Some(val) = self.kotlin_scope_function(call)? {
            return Ok(val);
        }
        if let V::Object(_) | V::String(_) | V::Number(_) | V::Null = call.receiver.v
            && self.as_host(call.receiver).is_none()
            && let Some(val) = self.extension(call, &args)?
        {
            return Ok(val);
        }
        match &call.receiver.v {
            V::Object(id) => {
                let kind = self.objects.get(*id).kind.clone();
                self.call_object(kind, call, &args)
            }
            V::String(text) => {
                let text = Arc::clone(text);
                self.pay(text.len() / 16)?;
                self.call_text(&text, call)
            }
            V::Number(_) | V::Bool(_) | V::Void => self.call_primitive(call),
            V::Class(class) => {
                let class = Arc::clone(class);
                let count = Some(call.args.len());
                if let Some(val) = self.call_static(&class, call.method, &args, count, call.span)? {
                    return Ok(val);
                }
                match (call.method, call.args) {
                    ("values", []) => return self.constants(&class, call.span),
                    ("valueOf", [name]) => {
                        if let Some(name) = name.as_str().map(ToOwned::to_owned) {
                            let val = self.static_field(&class, &name, call.span)?;
                            let why = "a constant that is not in view";
                            return Ok(val.unwrap_or(Val::unknown(why, call.span)));
                        }
                    }
                    ("getName" | "getCanonicalName", []) => {
                        return Ok(Val::string(Arc::clone(&class.path), call.span));
                    }
                    ("getSimpleName", []) => {
                        return Ok(Val::string(Arc::clone(&class.name), call.span));
                    }
                    _ => {}
                }
                // Kotlin: `Outer.Inner(…)`.
                let nested = class
                    .nested
                    .iter()
                    .find(|inner| *inner.name == *call.method);
                if let Some(inner) = nested.cloned() {
                    return self.instantiate_with(&inner, &args, None, call.span);
                }
                // An object declaration may extend a library's class.
                self.call_host(call)
            }
            V::Foreign(path) => {
                let path = Arc::clone(path);
                if let Some(val) = self.library_static(call)? {
                    return Ok(val);
                }
                if let Some(result) = H::call(self, call) {
                    return result;
                }
                match (call.method, constant(&path)) {
                    ("name" | "toString", Some(name)) if call.args.is_empty() => {
                        return Ok(Val::string(name, call.span));
                    }
                    ("equals", _) if call.args.len() == 1 => {
                        return Ok(self.compare(call.receiver, &call.args[0], call.span));
                    }
                    _ => {}
                }
                let class_like = |text: &str| text.starts_with(|c: char| c.is_uppercase());
                if class_like(call.method) {
                    // Kotlin: `a.b.C(…)`.
                    let class = Val::foreign(format!("{path}.{}", call.method), call.name_span);
                    return self.construct(&class, &args, call.span);
                }
                self.call_unknown(call)
            }
            V::Null => match call.method {
                "isNullOrEmpty" | "isNullOrBlank" => Ok(Val::bool(true, call.span)),
                "orEmpty" => Ok(self.list(Vec::new(), false, call.span)),
                "toString" => Ok(Val::string("null", call.span)),
                "equals" if call.args.len() == 1 => {
                    Ok(self.compare(call.receiver, &call.args[0], call.span))
                }
                _ => Err(Abrupt::Throw(Val::foreign(
                    "java.lang.NullPointerException",
                    call.span,
                ))),
            },
            V::Unknown(why) => {
                let why = *why;
                self.call_on_unknown(why, call)
            }
        }
    }

    fn call_on_unknown(&mut self, why: &'static str, call: &Call<'_>) -> Result<Val> {
        if matches!(call.method, "equals" | "equalsIgnoreCase" | "contentEquals")
            && let [other] = call.args
        {
            return Ok(self.compare(call.receiver, other, call.span));
        }
        let each = matches!(
            call.method,
            "forEach" | "forEachOrdered" | "onEach" | "ifPresent" | "peek" | "forEachIndexed"
        );
        if each
            && let Some(function) = call.args.first()
            && self.is_function(function)
        {
            // What is not in view goes through it as well.
            let element = Val::unknown("an element that is not in view", call.receiver.span);
            self.call_function(function, None, &[element], call.span)?;
            return Ok(Val::void(call.span));
        }
        let val = self.call_unknown(call)?;
        if val.as_bool().is_some() {
            return Ok(val);
        }
        Ok(Val::unknown(why, call.span))
    }

    fn call_object(&mut self, kind: ObjectKind, call: &Call<'_>, args: &Args) -> Result<Val> {
        match kind {
            ObjectKind::Instance(class, _) => self.call_instance(&class, call, args),
            ObjectKind::List { items, open, kind } => {
                self.pay(items.len())?;
                self.call_list(items, open, kind, call)
            }
            ObjectKind::Map { entries, open } => {
                self.pay(entries.len())?;
                self.call_map(entries, open, call)
            }
            ObjectKind::Pair(first, second) => Ok(match call.method {
                "first" | "key" | "getKey" | "getFirst" | "component1" | "getLeft" => first,
                "second" | "value" | "getValue" | "getSecond" | "component2" | "getRight" => second,
                _ => return self.call_host(call),
            }),
            ObjectKind::Lambda(..) | ObjectKind::Function(..) | ObjectKind::Reference(..) => {
                self.call_value(call.receiver, None, args, call.span)
            }
            ObjectKind::Optional(inner) => self.call_optional(inner, call),
            ObjectKind::Builder(text) => self.call_builder(text, call),
            ObjectKind::Regex(pattern) => self.call_regex(&pattern, call),
            ObjectKind::Matcher(pattern, text) => self.call_matcher(&pattern, &text, call),
            ObjectKind::Host(..) => {
                if let Some(result) = H::call(self, call) {
                    return result;
                }
                if matches!(call.method, "equals") && call.args.len() == 1 {
                    return Ok(self.compare(call.receiver, &call.args[0], call.span));
                }
                self.call_unknown(call)
            }
            ObjectKind::Statics => self.call_host(call),
        }
    }

    fn call_instance(
        &mut self,
        class: &Arc<crate::syntax::jvm::ast::Class>,
        call: &Call<'_>,
        args: &Args,
    ) -> Result<Val> {
        let count = Some(call.args.len());
        let found = self.program.method(class, call.method, count, self.sources);
        if let Some((owner, method)) = found
            && method.receiver.is_none()
            && (method.body.is_some() || call.receiver.as_id().is_none())
        {
            return self.invoke_with(call.receiver, &owner, &method, args, call.span);
        }
        if let Some(val) = self.accessor(call.receiver, call)? {
            return Ok(val);
        }
        let own = self.object(call.receiver);
        let own = own.and_then(|object| object.field(call.method)).cloned();
        if let Some(function) = own.filter(|val| self.is_function(val)) {
            return self.call_value(&function, None, args, call.span);
        }
        if let Some(id) = call.receiver.as_id() {
            let object = self.objects.get(id);
            let name = object.field("name()").cloned();
            match (call.method, name) {
                ("name" | "toString", Some(name)) => return Ok(name),
                ("ordinal", Some(_)) => {
                    let ordinal = object.field("ordinal()").cloned();
                    return Ok(ordinal.unwrap_or(Val::void(call.span)));
                }
                _ => {}
            }
        }
        match (call.method, call.args) {
            ("equals", [other]) => return Ok(self.compare(call.receiver, other, call.span)),
            ("getClass" | "javaClass" | "getJavaClass", []) => {
                return Ok(Val::new(V::Class(Arc::clone(class)), call.span));
            }
            _ => {}
        }
        if let Some(val) = self.static_field(class, call.method, call.span)?
            && self.is_function(&val)
        {
            return self.call_value(&val, None, args, call.span);
        }
        self.call_host(call)
    }

    fn call_primitive(&mut self, call: &Call<'_>) -> Result<Val> {
        let span = call.span;
        let number = call.receiver.as_number();
        Ok(match (call.method, number) {
            ("toString", _) => match self.shown(call.receiver) {
                Some(text) => Val::string(text, span),
                None => Val::unknown("a text that is not in view", span),
            },
            ("equals", _) if call.args.len() == 1 => {
                self.compare(call.receiver, &call.args[0], span)
            }
            ("not", _) => match call.receiver.as_bool() {
                Some(value) => Val::bool(!value, span),
                None => call.receiver.clone(),
            },
            // A Duration is its seconds.
            ("toMillis" | "inWholeMilliseconds", Some(value)) => Val::number(value * 1000.0, span),
            ("toMinutes", Some(value)) => Val::number((value / 60.0).trunc(), span),
            ("toHours", Some(value)) => Val::number((value / 3600.0).trunc(), span),
            ("toDays", Some(value)) => Val::number((value / 86400.0).trunc(), span),
            (
                "getSeconds" | "toSeconds" | "seconds" | "intValue" | "longValue" | "toLong"
                | "toInt" | "doubleValue" | "toDouble" | "inWholeSeconds" | "toJavaDuration"
                | "booleanValue" | "abs",
                _,
            ) => call.receiver.clone().at(span),
            ("minutes", Some(value)) => Val::number(value * 60.0, span),
            ("hours", Some(value)) => Val::number(value * 3600.0, span),
            ("days", Some(value)) => Val::number(value * 86400.0, span),
            _ => return self.call_host(call),
        })
    }

    /// Static methods of the standard library.
    pub(super) fn library_static(&mut self, call: &Call<'_>) -> Result<Option<Val>> {
        let V::Foreign(path) = &call.receiver.v else {
            return Ok(None);
        };
        let span = call.span;
        let class = simple(path);
        if path.contains('(') {
            return Ok(None);
        }
        let first = call.args.first();
        Ok(Some(match (class, call.method) {
            (
                "List" | "Arrays" | "Stream" | "ImmutableList" | "Lists",
                "of" | "asList" | "newArrayList",
            )
            | ("Set" | "ImmutableSet" | "Sets" | "EnumSet", "of" | "newHashSet")
            | ("List" | "Set" | "ImmutableList" | "ImmutableSet", "copyOf")
            | ("Arrays", "stream") => {
                let kind = match class {
                    "Set" | "ImmutableSet" | "Sets" | "EnumSet" => Sequence::Set,
                    _ => Sequence::List,
                };
                let spread = call.method == "copyOf" || call.args.len() == 1;
                let (items, mut open) = match first {
                    Some(one) if spread && self.items(one).is_some() => {
                        self.items(one).unwrap_or_default()
                    }
                    // `Arrays.asList(array)` of an array that is not in view.
                    Some(one) if spread && one.is_opaque() && self.may_be_list(one) => {
                        (Vec::new(), true)
                    }
                    _ => (call.args.to_vec(), false),
                };
                open |= call.open;
                self.allocate(ObjectKind::List { items, open, kind }, span)
            }
            ("Collections", "emptyList" | "emptySet") | ("Stream", "empty") => {
                self.list(Vec::new(), false, span)
            }
            ("Collections", "singletonList" | "singleton") => {
                self.list(call.args.to_vec(), call.open, span)
            }
            (
                "Collections",
                "unmodifiableList"
                | "unmodifiableSet"
                | "unmodifiableMap"
                | "unmodifiableCollection"
                | "synchronizedList"
                | "synchronizedMap",
            ) => first.cloned().unwrap_or(Val::void(span)),
            ("Collections", "addAll") => {
                let Some(list) = first else { return Ok(None) };
                let (items, open) = self.flattened(&call.args[1..]);
                self.extend(list, items, open);
                Val::bool(true, span)
            }
            ("Stream", "concat") => {
                let (items, open) = self.flattened(call.args);
                let opaque = items.iter().any(Val::is_opaque);
                let items = items.into_iter().filter(|item| !item.is_opaque()).collect();
                self.list(items, open || opaque, span)
            }
            ("Collections", "emptyMap") => self.map(Vec::new(), false, span),
            ("Map", "of") | ("Collections", "singletonMap") => {
                let pairs = call.args.chunks_exact(2);
                let entries = pairs.map(|pair| (pair[0].clone(), pair[1].clone()));
                let entries = entries.collect();
                self.map(entries, false, span)
            }
            ("Map", "entry") if call.args.len() == 2 => {
                let kind = ObjectKind::Pair(call.args[0].clone(), call.args[1].clone());
                self.allocate(kind, span)
            }
            ("Map", "ofEntries") => self.map_of_pairs(call.args, call.open, span),
            ("Map", "copyOf") => first.cloned().unwrap_or(Val::void(span)),
            ("Collectors", method) => Val::foreign(format!("{path}.{method}"), span)
                .at(span)
                .with_joiner(method, call, self),
            ("Optional", "of" | "ofNullable") => {
                let inner = first.filter(|val| !val.is_null()).cloned();
                self.allocate(ObjectKind::Optional(inner), span)
            }
            ("Optional", "empty") => self.allocate(ObjectKind::Optional(None), span),
            ("Objects", "requireNonNull" | "requireNonNullElse") => match (first, call.args.get(1))
            {
                (Some(val), Some(other)) if val.is_null() => other.clone(),
                (Some(val), _) => val.clone(),
                _ => return Ok(None),
            },
            ("Objects", "equals") if call.args.len() == 2 => {
                self.compare(&call.args[0], &call.args[1], span)
            }
            ("Objects", "nonNull" | "isNull") => {
                let Some(val) = first else { return Ok(None) };
                if val.is_opaque() {
                    Val::unknown("a value that is not in view", span)
                } else {
                    Val::bool(val.is_null() == (call.method == "isNull"), span)
                }
            }
            ("String", "join") => {
                let Some(separator) = first else {
                    return Ok(None);
                };
                let (items, open) = self.flattened(&call.args[1..]);
                self.join_texts(&items, open, separator, span)
            }
            ("String", "valueOf" | "copyValueOf") | ("Objects", "toString") => match first {
                Some(val) => match self.shown(val) {
                    Some(text) => Val::string(text, span),
                    None => Val::unknown("a text that is not in view", span),
                },
                None => return Ok(None),
            },
            ("String", "format") => {
                let Some(format) = first.and_then(Val::as_str).map(ToOwned::to_owned) else {
                    return Ok(Some(Val::unknown("a text that is not in view", span)));
                };
                self.format(&format, &call.args[1..], span)
            }
            ("Boolean", "parseBoolean" | "valueOf") | ("Boolean", "getBoolean") => {
                match first.map(|val| &val.v) {
                    Some(V::String(text)) => Val::bool(text.eq_ignore_ascii_case("true"), span),
                    Some(V::Bool(value)) => Val::bool(*value, span),
                    _ => Val::unknown("a text that is not in view", span),
                }
            }
            ("Integer" | "Long", "parseInt" | "parseLong" | "valueOf") => {
                match first.map(|val| &val.v) {
                    Some(V::String(text)) => match text.trim().parse() {
                        Ok(value) => Val::number(value, span),
                        Err(_) => {
                            let error = "java.lang.NumberFormatException";
                            return Err(Abrupt::Throw(Val::foreign(error, span)));
                        }
                    },
                    Some(V::Number(value)) => Val::number(*value, span),
                    _ => Val::unknown("a text that is not in view", span),
                }
            }
            ("Duration" | "TimeUnit", _) | ("SECONDS" | "MINUTES" | "HOURS" | "DAYS", _)
                if duration(class, call.method).is_some() =>
            {
                match (duration(class, call.method), first.and_then(Val::as_number)) {
                    (Some(unit), Some(value)) => Val::number(unit * value, span),
                    _ => Val::unknown("a duration that is not in view", span),
                }
            }
            ("Pattern", "compile") | ("Regex", "fromLiteral") => {
                match first.and_then(Val::as_str) {
                    Some(pattern) => {
                        let case = call.args.len() > 1;
                        let pattern = if case {
                            format!("(?i){pattern}")
                        } else {
                            pattern.to_owned()
                        };
                        self.allocate(
                            ObjectKind::Regex(pattern.into()),
                            first.map_or(span, |val| val.span),
                        )
                    }
                    None => Val::unknown("a pattern that is not in view", span),
                }
            }
            ("Pattern", "quote") | ("Regex", "escape") => match first.and_then(Val::as_str) {
                Some(text) => Val::string(format!("\\Q{text}\\E"), span),
                None => return Ok(None),
            },
            ("Pattern", "matches") if call.args.len() == 2 => {
                let text = call.args[1].clone();
                self.matches_whole(&call.args[0].clone(), &text, span)
            }
            ("StringUtils", method) => return self.string_utils(method, call),
            ("CollectionUtils" | "ObjectUtils", "isEmpty" | "isNotEmpty") => {
                let Some(val) = first else { return Ok(None) };
                let empty = match (&val.v, self.items(val)) {
                    (V::Null, _) => Some(true),
                    (V::String(text), _) => Some(text.is_empty()),
                    (_, Some((items, open))) => {
                        (!open || !items.is_empty()).then_some(items.is_empty())
                    }
                    _ => None,
                };
                match empty {
                    Some(empty) => Val::bool(empty == (call.method == "isEmpty"), span),
                    None => Val::unknown("a list that is not in view", span),
                }
            }
            ("Function" | "UnaryOperator", "identity") => Val::foreign("Function.identity()", span),
            ("System", "getenv" | "getProperty") => {
                if let Some(result) = H::call(self, call) {
                    return result.map(Some);
                }
                Val::unknown("it is set outside of the program", span)
            }
            _ => return Ok(None),
        }))
    }

    /// May what is not in view be a list or an array, and not one element?
    fn may_be_list(&self, val: &Val) -> bool {
        matches!(val.v, V::Unknown(_))
    }

    /// New objects of the standard library.
    pub(super) fn library_new(&mut self, path: &str, call: &Call<'_>) -> Result<Option<Val>> {
        let span = call.span;
        let first = call.args.first();
        Ok(Some(match simple(path) {
            "ArrayList" | "LinkedList" | "CopyOnWriteArrayList" | "Vector" => {
                let copied = first.filter(|val| val.as_number().is_none());
                match copied {
                    Some(val) => {
                        let (items, open) = self.items(val).unwrap_or((Vec::new(), true));
                        self.list(items, open, span)
                    }
                    None => self.list(Vec::new(), false, span),
                }
            }
            "HashSet" | "LinkedHashSet" | "TreeSet" => {
                let copied = first.filter(|val| val.as_number().is_none());
                let (items, open) = match copied {
                    Some(val) => self.items(val).unwrap_or((Vec::new(), true)),
                    None => (Vec::new(), false),
                };
                let kind = Sequence::Set;
                self.allocate(ObjectKind::List { items, open, kind }, span)
            }
            "HashMap" | "LinkedHashMap" | "TreeMap" | "ConcurrentHashMap" => {
                let copied = first.filter(|val| val.as_number().is_none());
                match copied
                    .and_then(|val| self.object(val))
                    .map(|object| object.kind.clone())
                {
                    Some(kind @ ObjectKind::Map { .. }) => self.allocate(kind, span),
                    _ => self.map(Vec::new(), copied.is_some(), span),
                }
            }
            "StringBuilder" | "StringBuffer" => {
                let text = match first.map(|val| &val.v) {
                    Some(V::String(text)) => text.to_string(),
                    None | Some(V::Number(_)) => String::new(),
                    _ => return Ok(Some(Val::unknown("a text that is not in view", span))),
                };
                self.allocate(ObjectKind::Builder(text), span)
            }
            "String" => match first {
                Some(val) => val.clone(),
                None => Val::string("", span),
            },
            "Regex" => match first.and_then(Val::as_str) {
                Some(pattern) => {
                    let ignore = call.args.len() > 1;
                    let pattern = if ignore {
                        format!("(?i){pattern}")
                    } else {
                        pattern.to_owned()
                    };
                    self.allocate(ObjectKind::Regex(pattern.into()), span)
                }
                None => Val::unknown("a pattern that is not in view", span),
            },
            "Pair" if call.args.len() == 2 => {
                let kind = ObjectKind::Pair(call.args[0].clone(), call.args[1].clone());
                self.allocate(kind, span)
            }
            _ => return Ok(None),
        }))
    }
}

impl Val {
    /// `Collectors.joining(…)` keeps its separator.
    fn with_joiner<H: Host>(
        self,
        method: &str,
        call: &Call<'_>,
        machine: &mut Machine<'_, H>,
    ) -> Self {
        if method != "joining" {
            return self;
        }
        let span = self.span;
        let separator = call.args.first().cloned().unwrap_or(Self::string("", span));
        machine.allocate(ObjectKind::Pair(self, separator), span)
    }
}

/// How many seconds one of a unit is.
fn duration(class: &str, method: &str) -> Option<f64> {
    let unit = match (class, method) {
        ("Duration", method) => method,
        (unit, "toSeconds") => unit,
        _ => return None,
    };
    Some(match unit {
        "ofSeconds" | "SECONDS" => 1.0,
        "ofMillis" => 0.001,
        "ofMinutes" | "MINUTES" => 60.0,
        "ofHours" | "HOURS" => 3600.0,
        "ofDays" | "DAYS" => 86400.0,
        _ => return None,
    })
}
