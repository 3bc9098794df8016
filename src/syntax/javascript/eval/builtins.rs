//! The language's own functions, as far as configurations use them.

use std::collections::HashSet;
use std::sync::Arc;

use super::heap::{Id, ObjectKind, V, Val};
use super::operators::text_number;
use super::{Abrupt, Call, Comparison, Host, Machine, Result};
use crate::source::Span;
use crate::syntax::javascript::ast::Name;
use crate::syntax::javascript::regex;

/// Names that mean something without being declared.
pub(super) fn global(name: &str, span: Span) -> Option<Val> {
    const NATIVE: [&str; 30] = [
        "Array",
        "Boolean",
        "Bun",
        "Error",
        "JSON",
        "Map",
        "Number",
        "Object",
        "Promise",
        "RangeError",
        "RegExp",
        "Set",
        "String",
        "TypeError",
        "URL",
        "WeakMap",
        "WeakSet",
        "console",
        "exit",
        "globalThis",
        "import.meta",
        "parseFloat",
        "parseInt",
        "process",
        "require",
        "setImmediate",
        "setTimeout",
        "setInterval",
        "queueMicrotask",
        "decodeURIComponent",
    ];
    match name {
        "undefined" => Some(Val::undefined(span)),
        "NaN" => Some(Val::number(f64::NAN, span)),
        "Infinity" => Some(Val::number(f64::INFINITY, span)),
        _ if NATIVE.contains(&name) => Some(Val::new(V::Native(name.into()), span)),
        _ => None,
    }
}

impl<H: Host> Machine<'_, H> {
    pub(super) fn native_member(&mut self, native: &str, name: &str, span: Span) -> Val {
        match (native, name) {
            // Bun and the bundlers of front ends fill theirs from the same environment.
            ("process" | "Bun" | "import.meta", "env") => {
                Val::new(V::Native("process.env".into()), span)
            }
            ("process", "default") => Val::new(V::Native("process".into()), span),
            ("import.meta", _) => Val::unknown("the module's place gives it", span),
            ("process.env", _) => match self.library.environment.get(name) {
                Some(text) => Val::string(text, span),
                None => Val::new(V::Env(name.into()), span),
            },
            ("globalThis", _) => {
                global(name, span).unwrap_or_else(|| Val::unknown("it is a global", span))
            }
            ("process.versions", "node") => Val::something("the process gives it", span),
            ("process.versions", _) => Val::unknown("the process gives it", span),
            ("process", "argv" | "platform" | "version" | "pid" | "stdin") => {
                Val::unknown("the process gives it", span)
            }
            _ => Val::new(V::Native(format!("{native}.{name}").into()), span),
        }
    }

    /// Calls a function of the language; `None` if it is not modelled.
    pub(super) fn call_native(&mut self, name: &str, call: &Call<'_>) -> Option<Result<Val>> {
        let span = call.span;
        let first = call.args.first().cloned();
        let first = first.map(|val| self.force(val));
        let arg = || first.clone().unwrap_or(Val::undefined(span));
        for how in ["resolve", "reject"] {
            let cell = name
                .strip_prefix('#')
                .and_then(|rest| rest.strip_prefix(how));
            if let Some(cell) = cell.and_then(|id| id.parse::<Id>().ok()) {
                let cell = self.objects.get_mut(cell);
                if cell.properties.is_empty() {
                    cell.set(how, span, arg());
                }
                return Some(Ok(Val::undefined(span)));
            }
        }
        Some(Ok(match name {
            "require" => self.import_value(&arg(), span),
            "require.resolve" => Val::unknown("it is a path", span),
            "String" => match first
                .as_ref()
                .map_or(Some("".into()), |val| self.to_text(val))
            {
                Some(text) => Val::string(text, arg().span),
                None => Val::unknown("it is the text of something unknown", span),
            },
            "Boolean" => match self.truth(&arg()) {
                Some(truth) => Val::bool(truth, span),
                None if self.loading() => Val::unknown("it is not known whether it holds", span),
                None => {
                    let holds = self.decide(&arg(), span);
                    Val::bool(holds, span)
                }
            },
            "Number" | "parseInt" | "parseFloat" | "Number.parseInt" | "Number.parseFloat" => {
                match &arg().v {
                    V::Number(number) if name.ends_with("Int") => match number.abs() {
                        size if size == 0.0 || (1e-6..1e21).contains(&size) => {
                            Val::number(number.trunc(), arg().span)
                        }
                        _ => Val::unknown("it is not a number of everyday size", span),
                    },
                    V::Number(number) => Val::number(*number, arg().span),
                    V::String(text) if name == "Number" => {
                        Val::number(text_number(text), arg().span)
                    }
                    V::String(text) => {
                        let radix = call.args.get(1).map(|radix| &radix.v);
                        let decimal = match radix {
                            None | Some(V::Undefined) => true,
                            Some(V::Number(radix)) => *radix == 10.0 || *radix == 0.0,
                            Some(_) => false,
                        };
                        match leading_number(text, name.ends_with("Float")) {
                            Some(number) if decimal => Val::number(number, arg().span),
                            _ => Val::unknown("it is not a number in view", span),
                        }
                    }
                    _ => Val::unknown("it is not a number in view", span),
                }
            }
            "Array.isArray" => match &arg().v {
                V::Object(id) => {
                    let is = matches!(self.objects.get(*id).kind, ObjectKind::Array(..));
                    Val::bool(is, span)
                }
                V::Unknown(_) | V::Foreign(_) => Val::unknown("its type is not known", span),
                _ => Val::bool(false, span),
            },
            "Array.of" => self.array(call.args.to_vec(), false, span),
            "Array.from" => {
                let (items, open) = self.items(&arg()).unwrap_or((Vec::new(), true));
                let list = self.array(items, open, span);
                match call.args.get(1) {
                    Some(_) => {
                        return Some(
                            self.call_method(&list, "map", &call.args[1..], span)
                                .map(|val| val.unwrap_or(list)),
                        );
                    }
                    None => list,
                }
            }
            "Object.keys" | "Object.getOwnPropertyNames" => {
                let (keys, open) = self.keys(&arg()).unwrap_or((Vec::new(), true));
                self.array(keys, open, span)
            }
            "Object.values" | "Object.entries" => {
                let object = arg();
                let slots = self.object(&object).map(|object| object.properties.clone());
                let open = self
                    .object(&object)
                    .is_none_or(|object| object.open || !matches!(object.kind, ObjectKind::Plain));
                let mut items = Vec::new();
                for slot in slots.unwrap_or_default() {
                    if name == "Object.values" {
                        items.push(slot.value);
                    } else {
                        let key = Val::string(slot.name, slot.key_span);
                        items.push(self.array(vec![key, slot.value], false, span));
                    }
                }
                self.array(items, open, span)
            }
            "Object.assign" => {
                let target = arg();
                if let Some(id) = target.as_id() {
                    for source in call.args.iter().skip(1) {
                        let source = self.force(source.clone());
                        self.spread_into(id, &source);
                    }
                }
                target
            }
            "Object.freeze" | "Object.seal" | "Promise.resolve" | "Promise.all" => arg(),
            "Promise.reject" => self.allocate(ObjectKind::Rejected(Box::new(arg())), span),
            "Promise" => return Some(self.promise(&arg(), span)),
            "Set" | "WeakSet" => {
                let (items, open) = self.items(&arg()).unwrap_or((Vec::new(), true));
                let mut texts = HashSet::new();
                let is_new = |item: &Val| match &item.v {
                    V::String(text) => texts.insert(Arc::clone(text)),
                    V::Number(number) => texts.insert(format!("\0{number}").into()),
                    _ => true,
                };
                let items = items.into_iter().filter(is_new).collect();
                self.allocate(ObjectKind::Set(items, open), span)
            }
            "Map" | "WeakMap" => {
                let (items, open) = self.items(&arg()).unwrap_or((Vec::new(), true));
                let pairs = items.iter().filter_map(|item| {
                    let (pair, _) = self.items(item)?;
                    Some((pair.first()?.clone(), pair.get(1)?.clone()))
                });
                let pairs: Vec<_> = pairs.collect();
                let open = open || pairs.len() != items.len();
                self.allocate(ObjectKind::Map(pairs, open), span)
            }
            "RegExp" => self.new_regex(&arg(), call.args.get(1), span),
            "URL" => {
                let base = call.args.get(1).cloned().map(|base| self.force(base));
                return Some(self.new_url(&arg(), base.as_ref(), span));
            }
            "Error" | "TypeError" | "RangeError" => {
                let error = self.allocate(ObjectKind::Plain, span);
                if let Some(id) = error.as_id() {
                    let object = self.objects.get_mut(id);
                    object.set("message", span, arg());
                    object.set("name", span, Val::string(name, span));
                    object.set("stack", span, Val::something("it is a trace", span));
                }
                error
            }
            "JSON.parse" => match arg().as_str().map(serde_json::from_str) {
                Some(Ok(value)) => self.json_value(&value, arg().span, 0),
                _ => Val::unknown("the text is not in view", span),
            },
            "process.exit" | "exit" => return Some(Err(Abrupt::Stop)),
            "setTimeout" | "setImmediate" | "setInterval" | "queueMicrotask"
            | "process.nextTick" => {
                if self.loading() {
                    self.deferred.push((arg(), span));
                } else if let Err(abrupt) = self.call_back(&arg(), span) {
                    return Some(Err(abrupt));
                }
                Val::something("it is a timer", span)
            }
            "decodeURIComponent" => match arg().as_str() {
                Some(text) if !text.contains('%') => arg(),
                _ => Val::unknown("it is decoded", span),
            },
            _ if name.starts_with("console.") => Val::undefined(span),
            _ => return None,
        }))
    }

    fn promise(&mut self, executor: &Val, span: Span) -> Result<Val> {
        let cell = self.allocate(ObjectKind::Plain, span);
        let Some(id) = cell.as_id() else {
            return Ok(cell);
        };
        let settle = |how: &str| Val::new(V::Native(format!("#{how}{id}").into()), span);
        let (resolve, reject) = (settle("resolve"), settle("reject"));
        self.call(executor, &Val::undefined(span), &[resolve, reject], span)?;
        Ok(match self.own(&cell, "resolve") {
            Some(val) => val,
            None => match self.own(&cell, "reject") {
                Some(error) => self.allocate(ObjectKind::Rejected(Box::new(error)), span),
                None => Val::unknown("the promise is settled elsewhere", span),
            },
        })
    }

    fn new_regex(&mut self, source: &Val, flags: Option<&Val>, span: Span) -> Val {
        let given = flags.cloned().map(|flags| self.force(flags));
        let given = given.filter(|flags| !flags.is_nullish());
        let inner = match self.object(source).map(|object| &object.kind) {
            Some(ObjectKind::Regex(pattern, flags, _)) => {
                Some((Arc::clone(pattern), Arc::clone(flags)))
            }
            _ => source.as_str().map(|text| (text.into(), "".into())),
        };
        let flags = match &given {
            Some(flags) => flags.as_str().map(Name::from),
            None => inner.as_ref().map(|(_, flags)| Arc::clone(flags)),
        };
        match (inner, flags) {
            (Some((pattern, _)), Some(flags)) => {
                let mut val = self.allocate(ObjectKind::Regex(pattern, flags, 0), span);
                val.span = source.span;
                val
            }
            _ => Val::something("the pattern is not in view", span),
        }
    }

    fn new_url(&mut self, source: &Val, base: Option<&Val>, span: Span) -> Result<Val> {
        let invalid = || {
            Err(Abrupt::Throw(Val::something(
                "the address is not valid",
                span,
            )))
        };
        let base = base.filter(|base| !matches!(base.v, V::Undefined));
        let Some(text) = source.as_str() else {
            return if source.is_nullish() && base.is_none() {
                invalid()
            } else {
                Ok(Val::something("the address is not in view", span))
            };
        };
        let parts = match base.map(Val::as_str) {
            None => split_url(text),
            Some(Some(base)) => {
                let resolved = url::Url::parse(base).and_then(|base| base.join(text));
                resolved.ok().and_then(|url| split_url(url.as_str()))
            }
            // Whatever the host is, the path is this one.
            Some(None) if text.starts_with('/') && !text[1..].starts_with(['/', '\\']) => {
                let stand_in = url::Url::parse("http://unknown.invalid");
                let resolved = stand_in.and_then(|base| base.join(text));
                resolved.ok().map(|url| {
                    let query = url.query().filter(|query| !query.is_empty());
                    let query = query.map(|query| format!("?{query}"));
                    vec![
                        ("pathname", url.path().to_owned()),
                        ("search", query.unwrap_or_default()),
                    ]
                })
            }
            Some(None) => return Ok(Val::something("the address is not in view", span)),
        };
        let Some(parts) = parts else {
            return invalid();
        };
        let url = self.allocate(ObjectKind::Plain, span);
        if let Some(id) = url.as_id() {
            for (name, value) in parts {
                let value = Val::string(value, source.span);
                self.objects.get_mut(id).set(name, span, value);
            }
            self.objects.get_mut(id).open = true;
        }
        Ok(url)
    }

    /// A method of the language; `None` if it is not one, so that the property is called.
    pub(super) fn call_method(
        &mut self,
        this: &Val,
        name: &str,
        args: &[Val],
        span: Span,
    ) -> Result<Option<Val>> {
        match &this.v {
            V::String(text) => {
                let text = Arc::clone(text);
                self.string_method(this, &text, name, args, span)
            }
            V::Number(_) | V::Bool(_) if matches!(name, "toString" | "toFixed") => {
                Ok(self.to_text(this).map(|text| Val::string(text, this.span)))
            }
            V::Env(_) | V::Unknown(_) => self.opaque_method(this, name, args, span),
            V::Object(id) => {
                let id = *id;
                if let Some(result) = self.change_list(id, name, args, span)? {
                    return Ok(Some(result));
                }
                let elements = match &self.objects.get(id).kind {
                    ObjectKind::Array(items, _) | ObjectKind::Set(items, _) => items.len(),
                    ObjectKind::Map(pairs, _) => pairs.len(),
                    _ => 0,
                };
                if elements > 0 && !self.pay(elements) {
                    return Err(Abrupt::Stop);
                }
                match self.objects.get(id).kind.clone() {
                    ObjectKind::Array(items, open) => {
                        self.list_method(id, this, items, open, name, args, span)
                    }
                    ObjectKind::Set(items, open) => {
                        self.set_method(id, items, open, name, args, span)
                    }
                    ObjectKind::Map(pairs, open) => {
                        self.map_method(id, pairs, open, name, args, span)
                    }
                    ObjectKind::Regex(pattern, flags, last) => {
                        Ok(self.regex_method(id, (&pattern, &flags, last), name, args, span))
                    }
                    ObjectKind::Function(..) | ObjectKind::Bound(..) | ObjectKind::Class(..) => {
                        self.function_method(this, name, args, span)
                    }
                    ObjectKind::Rejected(error) if matches!(name, "then" | "catch" | "finally") => {
                        self.settle_rejected(this, *error, name, args, span)
                            .map(Some)
                    }
                    ObjectKind::Plain if name == "hasOwnProperty" => {
                        let key = args.first().cloned().unwrap_or(Val::undefined(span));
                        Ok(Some(self.binary("in", &key, this, span)))
                    }
                    _ => self.promise_method(this, name, args, span),
                }
            }
            V::Host(..) => self.function_method(this, name, args, span),
            V::Native(native) => {
                let native = Arc::clone(native);
                if &*native == "Object.prototype.hasOwnProperty"
                    && name == "call"
                    && args.len() == 2
                {
                    return Ok(Some(self.binary("in", &args[1], &args[0], span)));
                }
                Ok(None)
            }
            _ => Ok(None),
        }
    }

    /// `then` of a value stands for that of a promise of it.
    pub(super) fn promise_method(
        &mut self,
        this: &Val,
        name: &str,
        args: &[Val],
        span: Span,
    ) -> Result<Option<Val>> {
        if self.own(this, name).is_some() {
            return Ok(None);
        }
        match (name, args.first()) {
            ("then", Some(function)) if self.is_callable(function) => {
                let result = self.call(
                    function,
                    &Val::undefined(span),
                    std::slice::from_ref(this),
                    span,
                )?;
                Ok(Some(result))
            }
            ("catch", Some(_)) => Ok(Some(this.clone())),
            ("finally", Some(function)) if self.is_callable(function) => {
                self.call(function, &Val::undefined(span), &[], span)?;
                Ok(Some(this.clone()))
            }
            _ => Ok(None),
        }
    }

    fn settle_rejected(
        &mut self,
        this: &Val,
        error: Val,
        name: &str,
        args: &[Val],
        span: Span,
    ) -> Result<Val> {
        let handler = if name == "then" {
            args.get(1)
        } else {
            args.first()
        };
        match handler {
            Some(function) if name != "finally" => {
                self.call(function, &Val::undefined(span), &[error], span)
            }
            _ => Ok(this.clone()),
        }
    }

    fn function_method(
        &mut self,
        this: &Val,
        name: &str,
        args: &[Val],
        span: Span,
    ) -> Result<Option<Val>> {
        let receiver = args.first().cloned().unwrap_or(Val::undefined(span));
        let rest = args.get(1..).unwrap_or_default();
        Ok(match name {
            "call" => Some(self.call(this, &receiver, rest, span)?),
            "apply" => {
                let list = rest.first().cloned().unwrap_or(Val::undefined(span));
                let (items, _) = self.items(&list).unwrap_or((Vec::new(), true));
                Some(self.call(this, &receiver, &items, span)?)
            }
            "bind" => {
                // What is bound keeps its `this`: a second binding only adds arguments.
                let kind = match self.object(this).map(|object| &object.kind) {
                    Some(ObjectKind::Bound(function, this, bound)) => {
                        let (function, this) = (function.clone(), this.clone());
                        let mut bound = bound.clone();
                        if !self.append(&mut bound, rest.to_vec()) {
                            return Err(Abrupt::Stop);
                        }
                        self.pay(bound.len());
                        ObjectKind::Bound(function, this, bound)
                    }
                    _ => {
                        let (function, this) = (Box::new(this.clone()), Box::new(receiver));
                        ObjectKind::Bound(function, this, rest.to_vec())
                    }
                };
                Some(self.allocate(kind, span))
            }
            _ => None,
        })
    }

    /// Methods of something whose content is unknown: the kind of the result is known at least.
    fn opaque_method(
        &mut self,
        this: &Val,
        name: &str,
        args: &[Val],
        span: Span,
    ) -> Result<Option<Val>> {
        let member = args
            .iter()
            .any(|arg| arg.as_str().is_some_and(|text| self.host.is_member(text)));
        Ok(match name {
            "split" if matches!(this.v, V::Env(_) | V::Unknown(_)) => {
                Some(self.array(Vec::new(), true, span))
            }
            "map" | "filter" | "concat" | "flatMap" | "flat" | "slice"
                if matches!(this.v, V::Unknown(_))
                    && !args.iter().any(|arg| self.function(arg).is_some()) =>
            {
                Some(Val::something("the list is not in view", span))
            }
            "trim" | "toLowerCase" | "toUpperCase" | "toString" | "replace" | "replaceAll" => {
                Some(Val::unknown("the text is not in view", span))
            }
            "includes" | "has" | "test" | "some" | "startsWith" | "endsWith" | "match"
                if member =>
            {
                Some(Val::bool(true, span))
            }
            "indexOf" | "search" if member => Some(Val::number(0.0, span)),
            "some" | "every" | "find" | "includes" | "indexOf" | "filter" if !self.loading() => {
                // Asked with a function: whether it says yes for a member.
                if name == "some" && self.is_asked_about_member(args, span)? {
                    return Ok(Some(Val::bool(true, span)));
                }
                Some(Val::unknown("the list is not in view", span))
            }
            _ => None,
        })
    }

    /// Does a test of list elements compare them with a member of every unknown list? The function
    /// is called with an unknown element; for a member any comparison with it holds.
    fn is_asked_about_member(&mut self, args: &[Val], span: Span) -> Result<bool> {
        let Some(function) = args.first().filter(|arg| self.is_callable(arg)) else {
            return Ok(false);
        };
        let element = Val::something("the list is not in view", span);
        let result = self.call(function, &Val::undefined(span), &[element], span)?;
        Ok(matches!(result.v, V::Bool(true)))
    }

    fn regex_method(
        &mut self,
        id: Id,
        (pattern, flags, last): (&str, &str, usize),
        name: &str,
        args: &[Val],
        span: Span,
    ) -> Option<Val> {
        if !matches!(name, "test" | "exec") {
            return None;
        }
        let arg = args.first().cloned().unwrap_or(Val::undefined(span));
        let arg = self.force(arg);
        let here = self.objects.get(id).span;
        let Some(text) = self.to_text(&arg) else {
            return Some(Val::unknown("the text is not in view", span));
        };
        let mut moved = last;
        let found = regex::exec(pattern, flags, &text, &mut moved);
        if let ObjectKind::Regex(_, _, last) = &mut self.objects.get_mut(id).kind {
            *last = moved;
        }
        let matched = found.as_ref().map(Option::is_some);
        let by = Val::string(pattern, here);
        self.note(&arg, &by, Comparison::Pattern, matched);
        Some(match (found, name) {
            (None, _) => Val::unknown("the pattern is too hard to try", span),
            (Some(found), "test") => Val::bool(found.is_some(), here),
            (Some(None), _) => Val::new(V::Null, span),
            (Some(Some(found)), _) => self.groups(found.groups, here),
        })
    }

    /// What `exec` and `match` give for a match.
    pub(super) fn groups(&mut self, groups: Option<Vec<Option<String>>>, span: Span) -> Val {
        let open = groups.is_none();
        let items = groups
            .into_iter()
            .flatten()
            .map(|group| group.map_or(Val::undefined(span), |text| Val::string(text, span)))
            .collect();
        let groups = self.array(items, open, span);
        // `index`, `groups`.
        if let Some(id) = groups.as_id() {
            self.objects.get_mut(id).open = true;
        }
        groups
    }
}

/// What `parseInt` and `parseFloat` read of a text, in decimal; `None` for what is written otherwise.
fn leading_number(text: &str, float: bool) -> Option<f64> {
    let text = text.trim_start();
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    let sign = text.len() - digits.len();
    if digits.starts_with("Infinity") || digits.starts_with("0x") || digits.starts_with("0X") {
        return None;
    }
    let is_part = |c: char| c.is_ascii_digit() || (float && c == '.');
    let end = digits.find(|c| !is_part(c)).unwrap_or(digits.len());
    let rest = &digits[end..];
    let number = &digits[..end];
    if float && (rest.starts_with(['e', 'E']) || number.matches('.').count() > 1) {
        return None;
    }
    if !number.contains(|c: char| c.is_ascii_digit()) {
        return Some(f64::NAN);
    }
    text[..sign + end].parse().ok()
}

/// The parts of an absolute URL that programs ask for, as the URL standard names them.
fn split_url(text: &str) -> Option<Vec<(&'static str, String)>> {
    let (scheme, rest) = text.trim().split_once("://")?;
    if scheme.is_empty() || !crate::model::is_parsable_url(text.trim()) {
        return None;
    }
    let scheme = scheme.to_ascii_lowercase();
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    let host = authority.rsplit('@').next().unwrap_or(authority);
    let host = host.to_ascii_lowercase();
    let (hostname, port) = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => (name, port),
        _ => (host.as_str(), ""),
    };
    let default = matches!((scheme.as_str(), port), ("http", "80") | ("https", "443"));
    let port = if default { "" } else { port };
    let host = if port.is_empty() {
        hostname.to_owned()
    } else {
        format!("{hostname}:{port}")
    };
    let path_end = path.find(['?', '#']).unwrap_or(path.len());
    let pathname = match &path[..path_end] {
        "" => "/",
        other => other,
    };
    let web = matches!(scheme.as_str(), "http" | "https");
    Some(vec![
        ("protocol", format!("{scheme}:")),
        ("hostname", hostname.to_owned()),
        ("host", host.clone()),
        ("port", port.to_owned()),
        (
            "origin",
            if web {
                format!("{scheme}://{host}")
            } else {
                "null".into()
            },
        ),
        ("pathname", pathname.to_owned()),
        (
            "href",
            format!("{scheme}://{host}{pathname}{}", &path[path_end..]),
        ),
    ])
}
