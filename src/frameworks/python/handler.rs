//! Code that handles requests: views, hooks and middleware, evaluated for one request.

use std::sync::Arc;

use crate::limits::python::handler::{MAX_CONSTANT, MAX_TESTS, MAX_WATCHED, STEPS};
use crate::model::{
    AllowedOrigin, Allows, Answer, Application, Assumption, HeaderLine, Known, Origin, Outcome,
    Request, Response, Site, ValueSource, World,
};
use crate::source::Span;
use crate::syntax::python::object::{K, Obj, Val};
use crate::syntax::python::{Arguments, Call, Effect, Native, Program, WATCHED};

use super::unknown_origin;

/// What a handler gives back, for one outcome of its tests.
pub(crate) struct Outcomes {
    /// The tests assumed.
    pub(crate) assumes: Vec<Assumption>,
    /// What it returned.
    pub(crate) result: Val,
    /// What it did to things foreign, in order.
    pub(crate) effects: Vec<Call>,
}

/// Evaluates `run` with a request at hand: `request`, `response` and `call_next` are foreign names
/// that it may pass as arguments. `program` has the world decided.
pub(crate) fn outcomes(
    program: &mut Program,
    request: &Request,
    run: &mut dyn FnMut(&mut Program) -> Val,
) -> Option<Vec<Outcomes>> {
    let before = program.calls.len();
    let known = program.decisions();
    program.refill(STEPS);
    program.answering = true;
    prepare(program, request);
    let result = run(program);
    let effects: Vec<Call> = program.calls.iter().skip(before).cloned().collect();
    let mut atoms: Vec<usize> = Vec::new();
    let mut add = |atom: usize| {
        let is_open = !known.contains(&atom) && !program.is_of_origin(atom);
        if is_open && !atoms.contains(&atom) {
            atoms.push(atom);
        }
    };
    atoms_of(&result, &mut add);
    for effect in effects.iter().filter(|effect| matters(effect)) {
        effect.conditions.iter().for_each(|(atom, _)| add(*atom));
        for value in &effect.arguments.positional {
            atoms_of(value, &mut add);
        }
    }
    if atoms.len() > MAX_TESTS {
        return None;
    }
    let mut all = Vec::new();
    for bits in 0..1_usize << atoms.len() {
        let holds = |atom: usize| {
            let at = atoms.iter().position(|known| *known == atom)?;
            Some(bits >> at & 1 == 1)
        };
        let fits = |effect: &Call| {
            let mut conditions = effect.conditions.iter();
            conditions.all(|(atom, value)| holds(*atom).is_none_or(|holds| holds == *value))
        };
        let assumes = atoms.iter().map(|atom| {
            let condition = program.condition(*atom);
            Assumption {
                text: condition.text.clone(),
                holds: holds(*atom) == Some(true),
                span: condition.span,
            }
        });
        let effects = effects.iter().filter(|effect| fits(effect)).map(|effect| {
            let mut effect = effect.clone();
            for value in &mut effect.arguments.positional {
                *value = chosen(value, &holds);
            }
            for (_, _, value) in &mut effect.arguments.keywords {
                *value = chosen(value, &holds);
            }
            let mut conditions = effect.conditions.iter();
            if conditions.any(|(atom, _)| program.is_of_origin(*atom)) {
                make_uncertain(&mut effect);
            }
            effect
        });
        all.push(Outcomes {
            assumes: assumes.collect(),
            result: chosen(&result, &holds),
            effects: effects.collect(),
        });
    }
    Some(all)
}

/// Nobody can tell whether it happens.
fn make_uncertain(effect: &mut Call) {
    if effect.effect == Effect::Delete {
        effect.effect = Effect::SetItem;
        effect.arguments.positional = vec![Val::new(K::None, effect.span)];
    }
    let unknown = |value: &Val| Val::unknown("it depends on the origin", value.span);
    for (at, value) in effect.arguments.positional.iter_mut().enumerate() {
        // A call's first argument may be the name of the header.
        if at > 0 || effect.effect != Effect::Call || value.as_text().is_none() {
            *value = unknown(value);
        }
    }
    for (_, _, value) in &mut effect.arguments.keywords {
        *value = unknown(value);
    }
}

/// Can it change what is sent?
fn matters(effect: &Call) -> bool {
    effect.path.contains("headers")
        || effect.path.contains(".vary.")
        || effect.effect != Effect::Call
        || effect.path.contains('[')
}

fn atoms_of(value: &Val, add: &mut dyn FnMut(usize)) {
    if let K::OneOf(atom, yes, no) = &value.kind {
        add(*atom);
        atoms_of(yes, add);
        atoms_of(no, add);
    }
}

fn chosen(value: &Val, holds: &dyn Fn(usize) -> Option<bool>) -> Val {
    match &value.kind {
        K::OneOf(atom, yes, no) => match holds(*atom) {
            Some(true) => chosen(yes, holds),
            Some(false) => chosen(no, holds),
            None => Val::unknown("it depends on something unknown", value.span),
        },
        _ => value.clone(),
    }
}

/// Says what is known of the request under the names that the three families use.
fn prepare(program: &mut Program, request: &Request) {
    let Some(span) = program.modules().first().map(|module| module.file.span()) else {
        return;
    };
    let span = span.part(0, 0);
    let request = request.clone();
    let method = Val::text(&request.method, span);
    program.set_foreign_value("request.method", method);
    program.set_foreign_value("flask.request.method", Val::text(&request.method, span));
    for path in ["request.url.path", "request.path", "flask.request.path"] {
        program.set_foreign_value(path, Val::text(&request.url.path, span));
    }
    program.origin = request.origin.as_deref().map(Arc::from);
    let origin = match &request.origin {
        Some(origin) => origin_value(origin, span),
        None => Val::new(K::None, span),
    };
    for path in ["flask.request.origin", "request.origin"] {
        program.set_foreign_value(path, origin.clone());
    }
    // A browser sends no cookies with a preflight.
    if request.is_preflight() && !request.cookies {
        for path in [
            "request.cookies",
            "request.COOKIES",
            "flask.request.cookies",
        ] {
            let none = program.dict(Vec::new(), false, span);
            program.set_foreign_value(path, none);
        }
        for (path, holds) in [("is_authenticated", false), ("is_anonymous", true)] {
            let value = Val::new(K::Bool(holds), span);
            program.set_foreign_value(&format!("request.user.{path}"), value);
        }
    }
    for base in ["request", "flask.request"] {
        for (open, name) in [
            ("headers[", "origin"),
            ("headers[", "Origin"),
            ("environ[", "HTTP_ORIGIN"),
            ("META[", "HTTP_ORIGIN"),
        ] {
            program.set_foreign_value(&format!("{base}.{open}{name}]"), origin.clone());
        }
    }
    program.native = Some(Native(Arc::new(move |program, path, arguments, span| {
        if matches!(path, "flask.abort" | "werkzeug.exceptions.abort") {
            program.record(path, None, arguments.clone(), span);
            return Some(Val::foreign("raise", span));
        }
        native(&request, path, arguments, span)
    })));
}

/// Does a header carry what a browser never sends with a preflight: credentials?
fn is_credential(name: &str) -> bool {
    let words = ["key", "token", "auth", "csrf", "session"];
    matches!(name, "authorization" | "cookie")
        || (name.starts_with("x-") && words.iter().any(|word| name.contains(word)))
}

/// The origin of requests that only watch what it is compared with.
const WATCHER: &str = "https://watched.invalid";

fn origin_value(origin: &str, span: Span) -> Val {
    if origin == WATCHER {
        return Val::new(K::SomeText(Some(WATCHED.into())), span);
    }
    Val::text(origin, span)
}

/// The constants with which the code behind endpoints compares the origin, for each endpoint whose
/// settings name none.
pub(crate) fn compared_origins(site: &dyn Site, program: &Program) -> Vec<Vec<AllowedOrigin>> {
    let endpoints = site.endpoints().iter().take(MAX_WATCHED);
    let compared = endpoints.enumerate().map(|(at, endpoint)| {
        if !endpoint.settings.origins.is_empty() {
            return Vec::new();
        }
        let mut fixed = Vec::new();
        for holds in [false, true] {
            let world = World {
                holds: vec![holds; site.conditions().len()],
            };
            let url = || endpoint.url.clone();
            for request in [
                Request::actual(url(), Some(WATCHER)),
                Request::preflight(url(), WATCHER, "GET", &[]),
            ] {
                let responses = site.respond(at, &request, &world);
                responses.iter().for_each(|response| {
                    fixed.extend(fixed_origins(response));
                });
            }
        }
        let watched = program.take_watched();
        let mut found: Vec<AllowedOrigin> = watched.iter().filter_map(compared_origin).collect();
        for origin in fixed {
            if !found.contains(&origin) {
                found.push(origin);
            }
        }
        found
    });
    compared.collect()
}

/// Origins that are sent to everybody as they stand.
fn fixed_origins(response: &Response) -> Vec<AllowedOrigin> {
    let lines = response.lines("access-control-allow-origin");
    let fixed = lines.filter_map(|line| match &line.value {
        Known::Known(text) if text != WATCHER && text.contains("://") => Some(AllowedOrigin {
            allows: Allows::Exact(text.clone()),
            problem: Origin::parse(text).err(),
            fixed: true,
            ..unknown_origin(line.value_span.unwrap_or(line.span))
        }),
        _ => None,
    });
    fixed.collect()
}

fn compared_origin(value: &Val) -> Option<AllowedOrigin> {
    let allows = match &value.kind {
        K::Text(text) if text.contains(['.', ':']) && text.len() < MAX_CONSTANT => {
            Allows::Predicate(vec![text.to_string()])
        }
        K::Regex(pattern, _) => Allows::Pattern(pattern.to_string()),
        _ => return None,
    };
    Some(AllowedOrigin {
        allows,
        ..unknown_origin(value.span)
    })
}

/// What of a request has a name here, as a text and as a source of a header's value.
const OF_THE_REQUEST: [(&str, &str, ValueSource); 6] = [
    ("request.GET", "a query argument", ValueSource::Query),
    ("request.args", "a query argument", ValueSource::Query),
    ("request.values", "a query argument", ValueSource::Query),
    (
        "request.query_params",
        "a query argument",
        ValueSource::Query,
    ),
    ("request.cookies", "a cookie", ValueSource::Cookie),
    ("request.COOKIES", "a cookie", ValueSource::Cookie),
];
/// Methods of loggers, and functions that only look.
const TOLD: [&str; 9] = [
    "critical",
    "debug",
    "error",
    "exception",
    "info",
    "log",
    "pprint",
    "print",
    "warning",
];
const REFERER: &str = "the Referer";

/// Where the value of a header comes from, if it is a text of the request.
fn source(value: &Val) -> Option<ValueSource> {
    let K::SomeText(Some(name)) = &value.kind else {
        return None;
    };
    if &**name == REFERER {
        return Some(ValueSource::Referer);
    }
    let mut known = OF_THE_REQUEST.iter();
    known
        .find(|(_, known, _)| known == &&**name)
        .map(|(.., source)| *source)
}

fn native(request: &Request, path: &str, arguments: &Arguments, span: Span) -> Option<Val> {
    if path == "call_next" {
        return Some(Val::foreign("response", span));
    }
    let path = path.strip_prefix("flask.").unwrap_or(path);
    if let Some(base) = path.strip_suffix(".get")
        && let Some((_, name, _)) = OF_THE_REQUEST.iter().find(|(known, ..)| *known == base)
    {
        return Some(Val::new(K::SomeText(Some((*name).into())), span));
    }
    let getter = matches!(
        path,
        "request.headers.get" | "request.META.get" | "request.environ.get"
    );
    if !getter {
        return None;
    }
    let name = arguments
        .positional
        .first()?
        .as_text()?
        .to_ascii_lowercase();
    let name = match name.strip_prefix("http_") {
        Some(rest) if path != "request.headers.get" => rest.replace('_', "-"),
        _ => name,
    };
    let default = arguments.positional.get(1).cloned();
    let known = name == "origin"
        || name.starts_with("access-control-request")
        || (request.is_preflight() && is_credential(&name))
        || request.headers.iter().any(|(other, _)| *other == name)
        || request.exact;
    if !known {
        let name = (name == "referer").then(|| REFERER.into());
        return Some(Val::new(K::SomeText(name), span));
    }
    Some(match request.header(&name) {
        Some(value) if name == "origin" => origin_value(&value, span),
        Some(value) => Val::text(&value, span),
        None => default.unwrap_or(Val::new(K::None, span)),
    })
}

/// Applies what a handler did to the headers of `target` (`response`, `#12`).
pub(crate) fn apply_effects(
    program: &mut Program,
    effects: &[Call],
    target: &str,
    request: &Request,
    response: &mut Response,
) {
    for effect in effects {
        let Some(rest) = effect.path.strip_prefix(target) else {
            handed(program, effect, target, request, response);
            continue;
        };
        let value = effect.arguments.positional.first();
        let named = |prefix: &str| {
            let name = rest.strip_prefix(prefix)?.strip_suffix(']')?;
            Some(name.to_owned())
        };
        let name = named(".headers[").or_else(|| named("["));
        match (effect.effect, name) {
            (Effect::SetItem, Some(name)) => {
                if let Some(value) = value {
                    set_line(response, line(&name, value, effect.span, request));
                }
            }
            (Effect::Delete, Some(name)) => remove(response, &name),
            (Effect::SetAttribute, None) if rest == ".status_code" => {
                let status = value.and_then(number);
                response.outcome = Outcome::Status(status.into());
            }
            // Werkzeug: a text, or several.
            (Effect::SetAttribute, None) if rest == ".vary" => {
                remove(response, "vary");
                add_to_vary(program, value, effect.span, response);
            }
            (Effect::Call, _) if rest.starts_with(".vary.") => match rest {
                ".vary.add" | ".vary.update" => add_to_vary(program, value, effect.span, response),
                _ => response.unseen.push("vary".into()),
            },
            (Effect::Call, _) => call_effect(program, effect, rest, request, response),
            _ => {}
        }
    }
}

/// Adds a member, or the members of a list, to `Vary`.
fn add_to_vary(program: &mut Program, members: Option<&Val>, span: Span, response: &mut Response) {
    let texts = members.and_then(|members| match members.as_text() {
        Some(text) => Some(vec![text.to_owned()]),
        None => match program.items(members)? {
            (items, false) => items
                .iter()
                .map(|item| item.as_text().map(str::to_owned))
                .collect(),
            (_, true) => None,
        },
    });
    match texts {
        Some(texts) => texts.iter().for_each(|text| vary(response, text, span)),
        None => response.unseen.push("vary".into()),
    }
}

fn call_effect(
    program: &mut Program,
    effect: &Call,
    rest: &str,
    request: &Request,
    response: &mut Response,
) {
    let method = match rest.strip_prefix(".headers.") {
        Some(method) => method,
        None if matches!(rest, ".setdefault" | ".__setitem__") => &rest[1..],
        None => return,
    };
    let arguments = &effect.arguments;
    let name = arguments.positional.first().and_then(Val::as_text);
    match (method, name, arguments.positional.get(1)) {
        ("append" | "add" | "add_header", Some(name), Some(value)) => {
            response
                .headers
                .push(line(name, value, effect.span, request));
        }
        ("set" | "__setitem__", Some(name), Some(value)) => {
            set_line(response, line(name, value, effect.span, request));
        }
        ("setdefault", Some(name), Some(value)) => {
            if response.lines(name).next().is_none() {
                response
                    .headers
                    .push(line(name, value, effect.span, request));
            }
        }
        ("pop" | "remove", Some(name), _) => remove(response, name),
        ("add_vary_header", Some(name), _) => {
            let vary = Val::text(name, effect.span);
            response
                .headers
                .push(line("Vary", &vary, effect.span, request));
        }
        ("update" | "extend", _, _) => {
            let entries = arguments.positional.first().cloned();
            let Some(entries) = entries.and_then(|value| program.entries(&value)) else {
                response.unseen.push("*".into());
                return;
            };
            for (name, value) in entries {
                let Some(name) = name.as_text() else { continue };
                let line = line(name, &value, value.span, request);
                if method == "update" {
                    set_line(response, line);
                } else {
                    response.headers.push(line);
                }
            }
        }
        ("get" | "getlist" | "items" | "keys", ..) => {}
        _ => response.unseen.push("*".into()),
    }
}

/// What a function that is not in view does to a response that it is given.
fn handed(
    program: &mut Program,
    effect: &Call,
    target: &str,
    request: &Request,
    response: &mut Response,
) {
    let arguments = &effect.arguments;
    let keywords = arguments.keywords.iter().map(|(_, _, value)| value);
    let mut given = arguments.positional.iter().chain(keywords);
    if effect.effect != Effect::Call || !given.any(|value| value.path() == Some(target)) {
        return;
    }
    let name = effect.path.rsplit('.').next().unwrap_or_default();
    if TOLD.contains(&name) {
        return;
    }
    if &*effect.path != "django.utils.cache.patch_vary_headers" {
        response.unseen.push("*".into());
        return;
    }
    let names = arguments.positional.get(1);
    let names = names.or_else(|| arguments.keyword("newheaders")).cloned();
    let members = names.and_then(|names| program.items(&names));
    let Some((members, false)) = members else {
        response.unseen.push("vary".into());
        return;
    };
    for member in members {
        let vary = line("Vary", &member, effect.span, request);
        response.headers.push(vary);
    }
}

/// Adds where a redirect leads to, as far as it is told.
pub(crate) fn add_location(response: &mut Response, to: Option<&Val>, request: &Request) {
    let plain = |text: &str| {
        let starts = text.starts_with('/') || text.contains("://");
        starts
            && text
                .chars()
                .all(|c| c.is_ascii_graphic() && !"\"<>\\^`{|}".contains(c))
    };
    match to {
        Some(to) if to.as_text().is_some_and(plain) => {
            response
                .headers
                .push(line("Location", to, to.span, request));
        }
        _ => response.unseen.push("location".into()),
    }
}

/// Removes all lines of a name.
pub(crate) fn remove(response: &mut Response, name: &str) {
    response
        .headers
        .retain(|line| !line.name.eq_ignore_ascii_case(name));
}

/// A header line that a program sets.
pub(crate) fn line(name: &str, value: &Val, span: Span, request: &Request) -> HeaderLine {
    let known = match &value.kind {
        K::Text(text) => Known::Known(text.to_string()),
        K::Number(number) => Known::Known(format!("{number}")),
        K::Bool(value) => Known::Known(if *value { "True" } else { "False" }.into()),
        _ => Known::Unknown,
    };
    let echoes = match (&known, &request.origin) {
        (Known::Known(text), Some(origin)) => text == origin && value.span.start == value.span.end,
        _ => false,
    };
    HeaderLine {
        name: name.to_owned(),
        value: known,
        span,
        value_span: (value.span.start < value.span.end && value.span.file == span.file)
            .then_some(value.span),
        sources: match echoes {
            true => vec![ValueSource::Origin],
            false => source(value).into_iter().collect(),
        },
        decided_by: None,
    }
}

pub(crate) fn number(value: &Val) -> Option<u16> {
    match &value.kind {
        K::Number(number) => Some(*number as u16),
        // `"401 Unauthorized"`.
        K::Text(text) => text.get(..3)?.parse().ok(),
        K::Foreign(foreign) => {
            // `status.HTTP_401_UNAUTHORIZED`, `HTTPStatus.UNAUTHORIZED`.
            let name = foreign.path.rsplit('.').next()?;
            match name {
                "UNAUTHORIZED" => Some(401),
                "FORBIDDEN" => Some(403),
                "OK" => Some(200),
                "NO_CONTENT" => Some(204),
                _ => name.strip_prefix("HTTP_")?.get(..3)?.parse().ok(),
            }
        }
        _ => None,
    }
}

/// A probe of a request that succeeds is one that authentication lets through.
pub(crate) fn without_refusals(responses: &mut Vec<Response>, request: &Request) {
    let refused = |response: &Response| response.answered_by.kind == Answer::Authentication;
    let succeeds = request.application == Application::Answers(200)
        && !request.exact
        && !request.is_preflight();
    if succeeds && !responses.iter().all(refused) {
        responses.retain(|response| !refused(response));
    }
}

/// The kind of answer that a status stands for.
pub(crate) const fn kind_of_status(status: Option<u16>) -> Answer {
    match status {
        Some(401 | 403) => Answer::Authentication,
        Some(301 | 302 | 303 | 307 | 308) => Answer::Redirect,
        _ => Answer::Handler,
    }
}

/// A response about which nothing is known.
pub(crate) fn unknown_response(span: Option<Span>) -> Response {
    let mut response = Response::new(Known::Unknown, Answer::Handler, span);
    response.unseen.push("*".into());
    response
}

impl Program {
    /// The entries of a dictionary, or of a list of pairs, whose form is certain.
    pub(crate) fn entries(&self, value: &Val) -> Option<Vec<(Val, Val)>> {
        match self.object(value)? {
            Obj::Dict {
                entries,
                open: false,
            } => Some(entries),
            Obj::List {
                items, open: false, ..
            } => {
                let mut entries = Vec::new();
                for item in items {
                    let (pair, _) = self.items(&item)?;
                    let [name, value] = pair.as_slice() else {
                        return None;
                    };
                    entries.push((name.clone(), value.clone()));
                }
                Some(entries)
            }
            _ => None,
        }
    }
}

/// Sets a header: the first line of the name is replaced, others go.
pub(crate) fn set_line(response: &mut Response, line: HeaderLine) {
    let place = response
        .headers
        .iter()
        .position(|known| known.name.eq_ignore_ascii_case(&line.name));
    let Some(place) = place else {
        response.headers.push(line);
        return;
    };
    let name = line.name.clone();
    response.headers[place] = line;
    let mut at = 0;
    response.headers.retain(|known| {
        at += 1;
        at - 1 == place || !known.name.eq_ignore_ascii_case(&name)
    });
}

/// Adds a member to `Vary`.
pub(crate) fn vary(response: &mut Response, member: &str, span: Span) {
    response.headers.push(HeaderLine {
        name: "Vary".into(),
        value: Known::Known(member.into()),
        span,
        value_span: None,
        sources: Vec::new(),
        decided_by: None,
    });
}

#[cfg(test)]
mod tests {
    use super::without_refusals;
    use crate::model::{Answer, Known, Request, Response, Url};

    #[test]
    fn a_preflight_may_be_refused_though_the_request_succeeds() {
        let url = Url {
            scheme: "https".into(),
            host: "api.example.com".into(),
            port: None,
            path: "/".into(),
            query: None,
        };
        let origin = "https://app.example.com";
        for (request, left) in [
            (Request::actual(url.clone(), Some(origin)), 1),
            (Request::preflight(url, origin, "PUT", &[]), 2),
        ] {
            let response = |status, kind| Response::new(Known::Known(status), kind, None);
            let mut responses = vec![
                response(401, Answer::Authentication),
                response(200, Answer::Handler),
            ];
            without_refusals(&mut responses, &request);
            assert_eq!(responses.len(), left, "{}", request.method);
        }
    }
}
