//! Methods of `HttpHeaders`.

use super::code::{adds_entity_headers, line, send_free, write};
use super::host::{Node, object, text_of};
use super::respond::exchange;
use crate::model::{DropReason, HeaderLine};
use crate::source::Span;
use crate::syntax::jvm::eval::Call;
use crate::syntax::jvm::eval::heap::{ObjectKind, Val};

/// `HttpHeaders` of a response, or of an entity that is still to be sent.
pub(super) fn call(m: &mut Node<'_>, call: &Call<'_>, free: Option<u32>) -> Val {
    let args = call.args;
    let (name, replaces, value) = match (call.method, args) {
        ("addAll", [name, values]) => {
            let (items, open) = m.flattened(std::slice::from_ref(values));
            match text_of(m, name) {
                Some(name) if !open => {
                    for item in items {
                        put_header(m, call, free, &name, &item, false);
                    }
                }
                _ => exchange(m).unseen.push("*".into()),
            }
            return call.receiver.clone();
        }
        ("addAll" | "setAll" | "putAll", [map]) => {
            put_all(m, call, free, map);
            return call.receiver.clone();
        }
        ("remove", [name, ..]) => {
            match text_of(m, name) {
                Some(name) => remove_header(m, call.span, free, &name),
                None => exchange(m).unseen.push("*".into()),
            }
            return call.receiver.clone();
        }
        ("add" | "header" | "addIfAbsent", [name, value, ..]) => {
            (text_of(m, name), false, Some(value.clone()))
        }
        ("set" | "put" | "setHeader", [name, value, ..]) => {
            (text_of(m, name), true, Some(value.clone()))
        }
        ("headers", [only, ..]) => {
            if let Some((object::FREE_HEADERS, number)) = m.as_host(only) {
                send_free(m, number);
            }
            (None, false, None)
        }
        (method, [value, ..]) => {
            let name = method.strip_prefix("setAccessControl").map(dashed);
            let name = name.map(|rest| format!("Access-Control-{rest}"));
            let name = name.or_else(|| (method == "setVary").then(|| "Vary".to_owned()));
            (name, true, Some(value.clone()))
        }
        _ => (None, false, None),
    };
    let (Some(name), Some(value)) = (name, value) else {
        return call.receiver.clone();
    };
    if value.is_null() {
        // `setOrRemove`; what `set` and `add` are given is passed over where it is sent.
        if call.method == "setAccessControlAllowOrigin" {
            remove_header(m, call.span, free, &name);
        }
        return call.receiver.clone();
    }
    put_header(m, call, free, &name, &value, replaces);
    call.receiver.clone()
}

/// `addAll`, `setAll` and `putAll` of a map.
fn put_all(m: &mut Node<'_>, call: &Call<'_>, free: Option<u32>, map: &Val) {
    let replaces = call.method != "addAll";
    let lines = match m.as_host(map) {
        Some((object::FREE_HEADERS, other)) => m.host.data.free_headers[other as usize].clone(),
        _ => Vec::new(),
    };
    for line in lines {
        put_line(m, call, free, line, replaces);
    }
    let entries = match m.object(map).map(|object| &object.kind) {
        Some(ObjectKind::Map { entries, open }) if !open => entries.clone(),
        _ if m
            .as_host(map)
            .is_some_and(|(kind, _)| kind == object::FREE_HEADERS) =>
        {
            Vec::new()
        }
        _ => return exchange(m).unseen.push("*".into()),
    };
    for (name, value) in entries {
        match text_of(m, &name) {
            Some(name) => put_header(m, call, free, &name, &value, replaces),
            None => exchange(m).unseen.push("*".into()),
        }
    }
}

fn remove_header(m: &mut Node<'_>, span: Span, free: Option<u32>, name: &str) {
    match free {
        Some(number) => m.host.change().free_headers[number as usize]
            .retain(|known| !known.name.eq_ignore_ascii_case(name)),
        None => exchange(m).remove(name, span, DropReason::Overwritten),
    }
}

fn put_header(
    m: &mut Node<'_>,
    call: &Call<'_>,
    free: Option<u32>,
    name: &str,
    value: &Val,
    replaces: bool,
) {
    let line = line(m, name, value, call.span);
    put_line(m, call, free, line, replaces);
}

fn put_line(
    m: &mut Node<'_>,
    call: &Call<'_>,
    free: Option<u32>,
    line: HeaderLine,
    replaces: bool,
) {
    match free {
        Some(number) => {
            let lines = &mut m.host.change().free_headers[number as usize];
            if replaces {
                lines.retain(|known| !known.name.eq_ignore_ascii_case(&line.name));
            }
            lines.push(line);
        }
        None => {
            let adds = adds_entity_headers(m);
            let entity = m
                .as_host(call.receiver)
                .is_some_and(|(kind, _)| kind == object::ENTITY);
            write(exchange(m), line, replaces || (entity && !adds));
        }
    }
}

/// `AllowOrigin` as in a header's name.
fn dashed(name: &str) -> String {
    let mut text = String::new();
    for c in name.chars() {
        if c.is_ascii_uppercase() && !text.is_empty() {
            text.push('-');
        }
        text.push(c);
    }
    text
}
