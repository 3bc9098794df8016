//! What the text of a program shows beside its values: headers that it reads, sockets it opens.

use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap, HashSet};

use crate::limits::python::evidence::{MAX_FUNCTION, MAX_STEPS_APART, MAX_WRAPPED};
use crate::model::{Observation, ObservationKind, Origin};
use crate::source::Span;
use crate::syntax::python::object::{K, Val};
use crate::syntax::python::{Call, Effect, Program};
use crate::syntax::value::Value;

/// Before the name of a header that is read.
const READERS: [&str; 6] = [
    "headers.get(",
    "headers[",
    "META.get(",
    "META[",
    "environ.get(",
    "environ[",
];
/// What reads `Authorization` for the program.
const BEARERS: [&str; 5] = [
    "HTTPBearer(",
    "HTTPBasic(",
    "OAuth2PasswordBearer(",
    "@jwt_required(",
    "request.authorization",
];

/// Does the text of a function speak of the headers that matter here?
pub(crate) fn speaks_of_headers(text: &str) -> bool {
    sets_headers(text) || text.to_ascii_lowercase().contains("vary")
}

/// The names under which a program has something that speaks of CORS headers, or that names such a
/// thing itself.
#[derive(Clone, Debug, Default)]
pub(crate) struct Speakers {
    names: BTreeSet<String>,
    /// What is known of functions by their place: do they set CORS headers, and do they speak of
    /// any headers that matter?
    known: RefCell<HashMap<Span, (bool, bool)>>,
}

impl Speakers {
    pub(crate) fn of(program: &Program) -> Self {
        let modules = program.modules().iter();
        let speaking: Vec<_> = modules
            .filter(|module| sets_headers(module.file.text()))
            .collect();
        let mut found = Self::default();
        if speaking.is_empty() {
            return found;
        }
        for module in speaking {
            for (name, value) in program.names_of(module.names) {
                let is_here = value.span.file == module.file.id();
                let is_constant = matches!(value.kind, K::Text(_) | K::Ref(_));
                if is_here && is_constant && sets_headers(module.file.slice(value.span)) {
                    found.names.insert(name.to_string());
                }
            }
        }
        let mut places = HashSet::new();
        let functions = (0..program.function_count())
            .filter(|function| places.insert(program.function(*function).function.span));
        let functions: Vec<usize> = functions.collect();
        for _ in 0..MAX_STEPS_APART {
            let before = found.names.len();
            for function in &functions {
                let defined = program.function(*function);
                let text = text(program, *function);
                if sets_headers(text) || found.is_named(text) {
                    // A method of a request's own name is found by that of its class.
                    let name = match defined.class {
                        Some(class) if IS_CALLED.contains(&&*defined.function.name) => {
                            &program.class(class).class.name
                        }
                        _ => &defined.function.name,
                    };
                    found.names.insert(name.to_string());
                }
            }
            if found.names.len() == before {
                break;
            }
        }
        found
    }

    /// Does a text name something that speaks? One that is too long to be looked through may.
    fn is_named(&self, text: &str) -> bool {
        let mut words = text.split(|c: char| !c.is_alphanumeric() && c != '_');
        !self.names.is_empty()
            && (text.len() > MAX_FUNCTION || words.any(|word| self.names.contains(word)))
    }

    /// What the text of a function says: does it set CORS headers, and does it speak of any?
    fn look(&self, program: &Program, function: usize) -> (bool, bool) {
        let place = program.function(function).function.span;
        if let Some(known) = self.known.borrow().get(&place) {
            return *known;
        }
        let text = text(program, function);
        let sets = self.is_named(text) || sets_headers(text);
        let found = (sets, sets || speaks_of_headers(text));
        self.known.borrow_mut().insert(place, found);
        found
    }

    /// Does what a function answers depend on code that speaks of headers that matter here?
    pub(crate) fn include_function(&self, program: &Program, function: usize) -> bool {
        self.look(program, function).1 || self.wraps(program, function)
    }

    /// Does a function set CORS headers, or name something that does?
    pub(crate) fn sets_headers(&self, program: &Program, function: usize) -> bool {
        self.look(program, function).0 || self.wraps(program, function)
    }

    /// Does a function that a decorator made stand around one that sets CORS headers?
    fn wraps(&self, program: &Program, function: usize) -> bool {
        let mut known = vec![function];
        let mut at = 0;
        while let Some(function) = known.get(at).copied() {
            at += 1;
            for inner in program.captured_functions(function) {
                if self.look(program, inner).0 {
                    return true;
                }
                if known.len() < MAX_WRAPPED && !known.contains(&inner) {
                    known.push(inner);
                }
            }
        }
        false
    }

    /// Does a class, or one of the program's that it derives from?
    pub(crate) fn class_sets_headers(&self, program: &Program, class: usize) -> bool {
        let mut lineage = program.lineage(class).into_iter();
        lineage.any(|class| {
            let mut functions = program.functions_of(class).into_iter();
            functions.any(|function| self.sets_headers(program, function))
        })
    }
}

/// Methods that nobody calls by their name.
const IS_CALLED: [&str; 11] = [
    "__call__", "__init__", "delete", "dispatch", "get", "head", "options", "patch", "post", "put",
    "trace",
];

fn text(program: &Program, function: usize) -> &str {
    let defined = program.function(function);
    let file = &program.modules()[defined.module].file;
    file.slice(defined.function.span)
}

/// Does a text name CORS headers of a response?
pub(crate) fn sets_headers(text: &str) -> bool {
    text.to_ascii_lowercase().contains("access-control-allow")
}

/// Does a text set CORS headers in ASGI's own messages?
pub(crate) fn speaks_asgi(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    let header = ["b\"access-control-allow", "b'access-control-allow"];
    text.contains("http.response.start") && header.iter().any(|header| text.contains(header))
}

/// The request headers that the program evidently reads, of those that a preflight must allow.
pub(crate) fn reads_headers(program: &Program) -> Vec<String> {
    let mut texts = program.modules().iter().map(|module| module.file.text());
    if texts.any(reads_authorization) {
        vec!["authorization".into()]
    } else {
        Vec::new()
    }
}

fn reads_authorization(text: &str) -> bool {
    let is_read = |reader: &str| {
        text.match_indices(reader).any(|(at, _)| {
            let rest = text[at + reader.len()..].trim_start();
            let Some(quote) = rest.chars().next().filter(|c| matches!(c, '"' | '\'')) else {
                return false;
            };
            let Some((name, after)) = rest[1..].split_once(quote) else {
                return false;
            };
            let name = name.trim_start_matches("HTTP_");
            // `headers["Authorization"] = …` is a request of the program's own.
            let after = after.trim_start_matches(']').trim_start();
            let is_set = after.starts_with('=') && !after.starts_with("==");
            name.eq_ignore_ascii_case("authorization") && !is_set
        })
    };
    BEARERS.iter().any(|bearer| text.contains(bearer)) || READERS.iter().any(|word| is_read(word))
}

/// Adds an observation, unless one of its kind is known of the place: code is read once for every world.
pub(crate) fn observe_once(observations: &mut Vec<Observation>, observation: Observation) {
    let is_known =
        |known: &Observation| known.kind == observation.kind && known.span == observation.span;
    if !observations.iter().any(is_known) {
        observations.push(observation);
    }
}

/// The session cookie of a service: what keeps pages of other sites from having it sent along.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SessionCookie<'c> {
    /// The service's own hosts, and what they are called here.
    pub(crate) hosts: &'c [&'c str],
    pub(crate) hosts_span: Span,
    pub(crate) hosts_name: &'c str,
    /// Its `SameSite`, if it says so.
    pub(crate) same_site: Option<&'c str>,
    pub(crate) secure: bool,
    /// What to write instead.
    pub(crate) repair: &'c str,
}

impl SessionCookie<'_> {
    /// Why pages of other sites do not have it sent along.
    fn withheld(&self) -> Option<String> {
        match self.same_site {
            None => Some("says nothing of `SameSite`, which Chrome takes for `Lax`".into()),
            Some(text) if !text.eq_ignore_ascii_case("none") => {
                let (first, rest) = text.split_at_checked(1)?;
                let name = format!("{}{}", first.to_uppercase(), rest.to_lowercase());
                Some(format!("is `SameSite={name}`"))
            }
            Some(_) if !self.secure => {
                Some("is `SameSite=None` without `Secure`, so browsers refuse it".into())
            }
            Some(_) => None,
        }
    }

    /// Origins of lists, allowed with credentials, that are on another site than the service.
    pub(crate) fn observations(&self, lists: &[&Value]) -> Vec<Observation> {
        let Some(why) = self.withheld() else {
            return Vec::new();
        };
        let site = |origin: &str| {
            let origin = Origin::parse(origin).ok()?;
            origin.registrable_domain().map(ToOwned::to_owned)
        };
        let own = self.hosts.iter();
        let own: Option<Vec<String>> = own
            .map(|host| site(&format!("https://{}", host.trim_start_matches('.'))))
            .collect();
        // A host without a site of its own (`localhost`, `*`) may be any.
        let Some(own) = own.filter(|own| !own.is_empty()) else {
            return Vec::new();
        };
        let mut items: Vec<&Value> = Vec::new();
        for list in lists {
            match list.as_list() {
                Some(list) => items.extend(&list.items),
                None => items.push(list),
            }
        }
        let mut found = Vec::new();
        for item in items {
            let Some(text) = item.as_str() else { continue };
            if site(text).is_none_or(|other| own.contains(&other)) {
                continue;
            }
            let hosts = self.hosts_name;
            found.push(Observation {
                kind: ObservationKind::Cookie,
                span: item.span,
                name: text.to_owned(),
                text: format!("it is on another site than `{hosts}`, and the session cookie {why}"),
                suggestion: Some(self.repair.to_owned()),
                related: vec![(self.hosts_span, "the service's own names".into())],
                severe: false,
            });
        }
        found
    }
}

/// The servers of Socket.IO (`engineio.base_server`: `cors_allowed_origins`).
const SOCKETS: [&str; 4] = [
    "flask_socketio.SocketIO",
    "socketio.Server",
    "socketio.AsyncServer",
    "fastapi_socketio.SocketManager",
];

/// Socket.IO servers, and WebSocket routes of Starlette that trust a cookie, which take everybody.
pub(crate) fn sockets(program: &Program) -> Vec<Observation> {
    let mut found = Vec::new();
    for (index, call) in program.calls.iter().enumerate() {
        if call.effect != Effect::Call {
            continue;
        }
        let made = call.receiver.and_then(|made| program.calls.get(made));
        let initialised = call.method() == "init_app" && made.is_some_and(is_socket);
        if is_socket(call) || initialised {
            found.extend(open_server(program, call));
        }
        if matches!(call.method(), "websocket" | "websocket_route") && call.receiver.is_some() {
            found.extend(open_route(program, index, call));
        }
    }
    found
}

fn is_socket(call: &Call) -> bool {
    SOCKETS.contains(&&*call.path)
}

fn observation(span: Span, name: &str, text: &str, call: Span, related: &str) -> Observation {
    Observation {
        kind: ObservationKind::WebSocket,
        span,
        name: name.to_owned(),
        text: text.to_owned(),
        suggestion: None,
        related: vec![(call, related.to_owned())],
        severe: false,
    }
}

fn open_server(program: &Program, call: &Call) -> Option<Observation> {
    let origins = call.arguments.keyword("cors_allowed_origins")?;
    let text = match &origins.kind {
        K::Text(text) if &**text == "*" => "pages of every origin may connect",
        K::Ref(_) => {
            let (items, open) = program.items(origins)?;
            if open || !items.is_empty() {
                return None;
            }
            "an empty list turns the check off, so pages of every origin may connect"
        }
        _ => return None,
    };
    let made = "the server is made here";
    Some(observation(
        origins.span,
        "Socket.IO",
        text,
        call.span,
        made,
    ))
}

/// A WebSocket route whose function reads a cookie or session and never looks at `Origin`.
fn open_route(program: &Program, route: usize, call: &Call) -> Option<Observation> {
    let decorated = program
        .calls
        .iter()
        .find(|other| other.receiver == Some(route) && other.method().is_empty())?;
    let Some(K::Function(function)) = decorated
        .arguments
        .positional
        .first()
        .map(|value| &value.kind)
    else {
        return None;
    };
    let defined = program.function(*function);
    let file = &program.modules()[defined.module].file;
    let text = file.slice(defined.function.span);
    let cookie = [
        "websocket.cookies",
        "websocket.session",
        "ws.cookies",
        "ws.session",
        "Cookie(",
    ]
    .iter()
    .find_map(|word| Some((text.find(word)?, word.len())))?;
    if text.to_ascii_lowercase().contains("origin") {
        return None;
    }
    let path = call.arguments.get(0, "path").and_then(Val::as_text)?;
    let place = defined.function.span.part(cookie.0, cookie.0 + cookie.1);
    let text =
        "pages of every origin may open it, and `CORSMiddleware` does not look at WebSockets";
    let name = format!("WebSocket `{path}`");
    Some(observation(
        call.span,
        &name,
        text,
        place,
        "who it is for is told by a cookie",
    ))
}

#[cfg(test)]
mod tests {
    use super::reads_authorization;

    #[test]
    fn reading_a_header_is_not_setting_it() {
        for text in [
            "token = request.headers.get('Authorization')",
            "if request.headers[\"authorization\"] == x:",
            "request.META.get('HTTP_AUTHORIZATION', '')",
            "oauth2 = OAuth2PasswordBearer(tokenUrl='token')",
        ] {
            assert!(reads_authorization(text), "{text}");
        }
        for text in [
            "session.headers[\"Authorization\"] = token",
            "requests.get(url, headers={\"Authorization\": token})",
            "request.headers.get('Accept')",
        ] {
            assert!(!reads_authorization(text), "{text}");
        }
    }
}
