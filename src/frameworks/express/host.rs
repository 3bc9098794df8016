//! What Express adds to the language: applications, routers, requests, responses.

use std::collections::HashMap;
use std::sync::Arc;

use super::environment::Schema;
use super::exchange::Exchange;
use super::model::{
    Layer, Middleware, RESPONSE_METHODS, STACK_METHODS, Stack, StackKind, function, http_method,
    object,
};
use super::path::{Comparing, LayerPath, Major};
use super::version::Versions;
use super::{cors, environment, packages, stack};
use crate::limits::express::host::{MAX_LAYERS, MAX_UNKNOWN};
use crate::source::Span;
use crate::syntax::javascript::eval::heap::{ObjectKind, V, Val};
use crate::syntax::javascript::eval::{Call, Comparison, Host, Machine, Question, Result};
use crate::syntax::value::Conditions;

/// The machine that runs an Express program.
pub(super) type Node<'s> = Machine<'s, Express>;

/// What stays the same for every request.
#[derive(Clone, Debug)]
pub(super) struct Program {
    pub(super) major: Major,
    /// The major version of Socket.IO, if something says it.
    pub(super) socket: Option<u32>,
    pub(super) stacks: Vec<Stack>,
    pub(super) middleware: Vec<Middleware>,
    /// `app.route(path)`: its stack and path.
    pub(super) routes: Vec<(u32, LayerPath)>,
    /// Cookies set with attributes in view, and the like.
    pub(super) noted: Vec<Noted>,
    /// How packages read the environment.
    pub(super) schemas: Vec<Schema>,
    /// NestJS: what loads a part of the configuration, with the name of the part.
    pub(super) configurations: Vec<(String, Val)>,
}

/// Something that no response shows.
#[derive(Clone, Debug)]
pub(super) enum Noted {
    /// A call of `cors`, NestJS's or Socket.IO's options: the value and the call.
    Options(Val, Span),
    /// Socket.IO with these options.
    Socket(Option<Val>, Span),
    /// The options of a session, and the call.
    Session(Val, Span),
    /// A path that Express 5 refuses: path, words, place.
    RefusedPath(String, String, Span),
    /// A call of `cors` whose middleware nobody uses.
    Unused(Span),
    /// An option of Socket.IO 2 that later versions do not read, and how they call it.
    Renamed(Span, &'static str, &'static str),
    /// A path for Express 5 that Express 4 reads otherwise, for CORS: path, place.
    PathOfFive(String, Span),
}

/// The framework's part of a machine.
#[derive(Debug)]
pub(super) struct Express {
    pub(super) program: Arc<Program>,
    /// The deployment conditions found so far.
    pub(super) registry: Conditions,
    /// Which of them hold in this run.
    pub(super) holds: Vec<bool>,
    /// Conditions that this run asked for.
    pub(super) asked: Vec<usize>,
    /// How conditions are taken for which there is no place left.
    pub(super) otherwise: bool,
    /// Loading asked for such a condition.
    pub(super) undecided: bool,
    /// No condition may be added any more.
    pub(super) frozen: bool,
    /// What the request and its response are; nothing while loading.
    pub(super) exchange: Option<Box<Exchange>>,
    implicit: HashMap<String, u32>,
}

impl Express {
    /// Before anything is loaded.
    pub(super) fn new(versions: Versions, registry: Conditions, holds: Vec<bool>) -> Self {
        let program = Program {
            major: versions.express,
            socket: versions.socket,
            stacks: Vec::new(),
            middleware: Vec::new(),
            routes: Vec::new(),
            noted: Vec::new(),
            schemas: Vec::new(),
            configurations: Vec::new(),
        };
        Self {
            program: Arc::new(program),
            registry,
            holds,
            asked: Vec::new(),
            otherwise: true,
            undecided: false,
            frozen: false,
            exchange: None,
            implicit: HashMap::new(),
        }
    }

    /// For one request.
    pub(super) fn asking(
        program: &Arc<Program>,
        registry: &Conditions,
        holds: &[bool],
        exchange: Exchange,
    ) -> Self {
        Self {
            program: Arc::clone(program),
            registry: registry.clone(),
            holds: holds.to_vec(),
            asked: Vec::new(),
            otherwise: true,
            undecided: false,
            frozen: true,
            exchange: Some(Box::new(exchange)),
            implicit: HashMap::new(),
        }
    }

    pub(super) fn change(&mut self) -> &mut Program {
        Arc::make_mut(&mut self.program)
    }

    /// Does a deployment condition hold in this run's world? Nothing if it is not one of the site's.
    fn holds(&mut self, condition: crate::model::Condition) -> Option<bool> {
        let known = if self.frozen {
            let same = |known: &crate::model::Condition| {
                known.text == condition.text || (known.development && condition.development)
            };
            self.registry.as_slice().iter().position(same)?
        } else {
            self.registry.atom(condition)?
        };
        if !self.asked.contains(&known) {
            self.asked.push(known);
        }
        Some(self.holds.get(known).copied().unwrap_or(false))
    }

    fn stack_of(&mut self, key: &str, span: Span) -> u32 {
        if let Some(known) = self.implicit.get(key) {
            return *known;
        }
        let stack = self.add_stack(StackKind::Implicit, span);
        self.implicit.insert(key.to_owned(), stack);
        stack
    }

    pub(super) fn add_stack(&mut self, kind: StackKind, span: Span) -> u32 {
        let program = self.change();
        program.stacks.push(Stack {
            kind,
            layers: Vec::new(),
            span,
            mounted: false,
            escaped: false,
            hosts: Vec::new(),
            comparing: Comparing::default(),
        });
        u32::try_from(program.stacks.len() - 1).unwrap_or(u32::MAX)
    }

    pub(super) fn add_layer(&mut self, stack: u32, layer: Layer) {
        let program = self.change();
        let total: usize = program.stacks.iter().map(|stack| stack.layers.len()).sum();
        if total < MAX_LAYERS
            && let Some(stack) = program.stacks.get_mut(stack as usize)
        {
            stack.layers.push(layer);
        }
    }

    pub(super) fn note(&mut self, noted: Noted) {
        if !self.frozen && self.program.noted.len() < 1000 {
            self.change().noted.push(noted);
        }
    }
}

/// Does a test whose values are not in view hold while developing (`config.isDev`), or in
/// production only? Nothing if its words say neither, or if it says more than that.
fn is_about_development(text: &str) -> Option<bool> {
    if text.contains("||") || text.replace("?.", "").contains('?') {
        return None;
    }
    // What holds in development and under further conditions holds in development only.
    if text.contains("&&") {
        let mut parts = text
            .split("&&")
            .map(|part| is_about_development(part.trim()));
        return parts.any(|part| part == Some(true)).then_some(true);
    }
    let text = text.replace("!==", "!=").replace("===", "==");
    let plain = text.trim_start_matches(['!', '(', ' ']);
    let mut negated = text[..text.len() - plain.len()].matches('!').count() % 2 == 1;
    let plain = match (plain.matches("==").count(), plain.matches("!=").count()) {
        (0, 0) if !plain.contains(['!', '<', '>']) => plain,
        // `!a == b` compares `!a`.
        (equal, unequal) if equal + unequal == 1 && !negated => {
            negated = unequal == 1;
            if plain.ends_with("false") || plain.ends_with("true") {
                return None;
            }
            plain
        }
        _ => return None,
    };
    let words = words(plain);
    let says = |known: &[&str]| words.iter().any(|word| known.contains(&word.as_str()));
    match (
        says(&["dev", "develop", "development", "developing"]),
        says(&["prod", "production"]),
    ) {
        (true, false) => Some(!negated),
        (false, true) => Some(negated),
        _ => None,
    }
}

/// The words that names are made of, lower case: `isDev` and `IS_DEV` say `is` and `dev`.
fn words(text: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut before = ' ';
    for c in text.chars() {
        let starts = !before.is_alphanumeric() || c.is_uppercase() && !before.is_uppercase();
        if c.is_alphanumeric() && (starts || words.is_empty()) {
            words.push(String::new());
        }
        if let Some(word) = words.last_mut().filter(|_| c.is_alphanumeric()) {
            word.extend(c.to_lowercase());
        }
        before = c;
    }
    words
}

/// The kind and number of a host object.
pub(super) fn host_object(machine: &Node<'_>, val: &Val) -> Option<(u16, u32)> {
    match machine.object(val)?.kind {
        ObjectKind::Host(kind, number) => Some((kind, number)),
        _ => None,
    }
}

/// The stack behind a value.
pub(super) fn stack_number(machine: &Node<'_>, val: &Val) -> Option<u32> {
    match host_object(machine, val)? {
        (object::STACK, number) => Some(number),
        _ => None,
    }
}

/// A value for middleware that is not written in the project.
pub(super) fn middleware(machine: &mut Node<'_>, middleware: Middleware, span: Span) -> Val {
    let program = machine.host.change();
    program.middleware.push(middleware);
    let number = u32::try_from(program.middleware.len() - 1).unwrap_or(u32::MAX);
    machine.allocate(ObjectKind::Host(object::MIDDLEWARE, number), span)
}

/// A value for a new stack.
pub(super) fn new_stack(machine: &mut Node<'_>, kind: StackKind, span: Span) -> (Val, u32) {
    let number = machine.host.add_stack(kind, span);
    let val = machine.allocate(ObjectKind::Host(object::STACK, number), span);
    (val, number)
}

impl Host for Express {
    fn decide(&mut self, question: &Question<'_>) -> bool {
        let condition = match question {
            Question::Condition(condition) => Some((*condition).clone()),
            Question::Unknown(text, span) if self.exchange.is_none() => {
                let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
                if let Some(in_development) = is_about_development(&text) {
                    let text = format!("it runs in development (`{}`)", text.replace('`', ""));
                    let condition = crate::model::Condition {
                        text,
                        span: Some(*span),
                        development: true,
                    };
                    return self.holds(condition) == Some(in_development);
                }
                // What the environment says matters more than what is merely not in view.
                let unknown = |known: &&crate::model::Condition| known.text.ends_with("` holds");
                let known = self.registry.as_slice().iter().filter(unknown).count();
                let said = format!("`{text}` holds");
                let again = self
                    .registry
                    .as_slice()
                    .iter()
                    .any(|known| known.text == said);
                (text.len() <= 60 && (known < MAX_UNKNOWN || again)).then_some({
                    crate::model::Condition {
                        text: said,
                        span: Some(*span),
                        development: false,
                    }
                })
            }
            Question::Unknown(..) => None,
        };
        let is_condition = condition.is_some();
        if let Some(holds) = condition.and_then(|condition| self.holds(condition)) {
            return holds;
        }
        match &mut self.exchange {
            Some(exchange) => exchange.decide(),
            None if is_condition => {
                self.undecided = true;
                self.otherwise
            }
            None => true,
        }
    }

    fn member(machine: &mut Node<'_>, of: &Val, name: &str, span: Span) -> Option<Val> {
        match &of.v {
            V::Object(_) => {
                let (kind, number) = host_object(machine, of)?;
                host_member(machine, of, kind, number, name, span)
            }
            V::Unknown(_) => {
                let likely = matches!(name, "use" | "enableCors")
                    || (name == "options" && machine.loading());
                if !likely || !machine.loading() {
                    return None;
                }
                let key = format!("{}:{}", of.span.start, of.span.end);
                let stack = machine.host.stack_of(&key, of.span);
                stack_function(stack, name, span)
            }
            V::Foreign(path) => packages::member(path, name, span),
            _ => None,
        }
    }

    fn discard(machine: &mut Node<'_>, val: &Val) {
        let (Some((object::MIDDLEWARE, number)), true) =
            (host_object(machine, val), machine.loading())
        else {
            return;
        };
        let middleware = machine.host.program.middleware.get(number as usize);
        if matches!(middleware, Some(Middleware::Cors(..))) {
            machine.host.note(Noted::Unused(val.span));
        }
    }

    fn assign(machine: &mut Node<'_>, of: &Val, name: &str, value: &Val) -> bool {
        match host_object(machine, of) {
            Some((object::RESPONSE, _)) if name == "statusCode" => {
                let value = machine.force(value.clone());
                if let Some(exchange) = &mut machine.host.exchange {
                    exchange.set_status(&value);
                }
                true
            }
            _ => false,
        }
    }

    fn call(machine: &mut Node<'_>, call: &Call<'_>) -> Option<Result<Val>> {
        match &call.callee.v {
            V::Host(kind, number) => host_call(machine, *kind, *number, call),
            V::Foreign(path) => {
                let path = Arc::clone(path);
                packages::call(machine, &path, call)
            }
            V::Object(_) => {
                let (kind, _) = host_object(machine, call.callee)?;
                if !matches!(kind, object::MIDDLEWARE | object::STACK) {
                    return None;
                }
                let next = call.args.get(2).cloned();
                let next = next.unwrap_or(Val::undefined(call.span));
                machine.host.exchange.as_ref()?;
                let callee = call.callee.clone();
                Some(super::dispatch::run_inline(
                    machine, &callee, &next, call.span,
                ))
            }
            _ => None,
        }
    }

    fn global(machine: &mut Node<'_>, name: &str, span: Span) -> Option<Val> {
        match name {
            "app" | "server" | "router" | "api" | "application" if machine.loading() => {
                let key = format!("{:?} {name}", span.file);
                let stack = machine.host.stack_of(&key, span);
                Some(machine.allocate(ObjectKind::Host(object::STACK, stack), span))
            }
            "cors" | "express" | "passport" | "helmet" | "morgan" | "compression" => {
                Some(Val::new(V::Foreign(name.into()), span))
            }
            _ => None,
        }
    }

    fn escape(machine: &mut Node<'_>, args: &[Val], _span: Span) -> bool {
        for arg in args {
            let kind = host_object(machine, arg);
            if let Some(exchange) = &mut machine.host.exchange {
                match (&arg.v, kind) {
                    (V::Host(function::NEXT | function::CALLBACK, _), _)
                    | (_, Some((object::RESPONSE, _))) => exchange.escaped = true,
                    _ => {}
                }
                continue;
            }
            // Alone, or named: `initialize({ app })`.
            let mut given = vec![arg.clone()];
            for (name, _) in machine.own_keys(arg) {
                given.extend(machine.own(arg, &name));
            }
            for val in given {
                if let Some(number) = stack_number(machine, &val)
                    && let Some(stack) = machine.host.change().stacks.get_mut(number as usize)
                {
                    stack.escaped = true;
                }
            }
        }
        machine.host.exchange.is_some()
    }

    fn is_member(&self, text: &str) -> bool {
        let exchange = self.exchange.as_ref();
        exchange.is_some_and(|exchange| {
            exchange.request.symbolic && exchange.request.origin.as_deref() == Some(text)
        })
    }

    fn is_subject(&self, text: &str) -> bool {
        let exchange = self.exchange.as_ref();
        let origin = exchange.and_then(|exchange| exchange.request.origin.as_deref());
        text.len() > 3
            && origin.is_some_and(|origin| origin == text || origin.contains(&text.to_lowercase()))
    }

    fn compared(&mut self, subject: &str, with: &Val, how: Comparison, holds: bool) {
        if let Some(exchange) = &mut self.exchange {
            let whole = exchange.request.origin.as_deref() == Some(subject);
            exchange.compared(with, how, whole, holds);
        }
    }

    fn judged_unknown(&mut self, with: &Val) {
        if let Some(exchange) = &mut self.exchange {
            exchange.unsure = true;
            exchange.compared(with, Comparison::Equal, true, false);
        }
    }
}

fn stack_function(stack: u32, name: &str, span: Span) -> Option<Val> {
    let at = STACK_METHODS.iter().position(|known| *known == name)?;
    let at = u16::try_from(at).ok()?;
    Some(Val::new(V::Host(function::STACK + at, stack), span))
}

fn host_member(
    machine: &mut Node<'_>,
    of: &Val,
    kind: u16,
    number: u32,
    name: &str,
    span: Span,
) -> Option<Val> {
    match kind {
        object::STACK => stack_function(number, name, span),
        object::ROUTE => {
            let at = STACK_METHODS.iter().position(|known| *known == name)?;
            let at = u16::try_from(at).ok()?;
            Some(Val::new(V::Host(function::ROUTE + at, number), span))
        }
        object::RESPONSE => match name {
            "statusCode" => machine.host.exchange.as_ref()?.status_value(span),
            "headersSent" | "writableEnded" | "finished" => {
                let finished = machine.host.exchange.as_ref()?.finished.is_some();
                Some(Val::bool(finished, span))
            }
            "req" => Some(super::dispatch::request_value(machine, span)),
            _ => {
                let at = RESPONSE_METHODS.iter().position(|known| *known == name);
                let v = match (at, machine.own(of, name)) {
                    (Some(at), _) => V::Host(function::RESPONSE + u16::try_from(at).ok()?, 0),
                    (None, Some(own)) => return Some(own),
                    (None, None) => V::Foreign(format!("res.{name}").into()),
                };
                Some(Val::new(v, span))
            }
        },
        object::REQUEST => {
            if let Some(own) = machine.own(of, name) {
                return Some(own);
            }
            super::exchange::request_member(machine, name, span)
        }
        object::HEADERS => Some(super::exchange::request_header(machine, name, span)),
        object::SCHEMA => environment::member(number, name, span),
        _ => None,
    }
}

fn host_call(
    machine: &mut Node<'_>,
    kind: u16,
    number: u32,
    call: &Call<'_>,
) -> Option<Result<Val>> {
    if kind == function::CALLBACK {
        return Some(super::cors::call_back(machine, number, call));
    }
    if kind == function::NEXT {
        let error = call.args.first().cloned().map(|error| machine.force(error));
        if let Some(exchange) = &mut machine.host.exchange {
            exchange.call_next(number, error);
        }
        return Some(Ok(Val::undefined(call.span)));
    }
    if kind == function::REQUEST_GET {
        let name = call.args.first().cloned()?;
        let name = machine.force(name);
        let name = name.as_str().map(str::to_ascii_lowercase);
        return Some(Ok(match name {
            Some(name) => super::exchange::request_header(machine, &name, call.span),
            None => Val::unknown("the header's name is unknown", call.span),
        }));
    }
    if kind == function::IS_AUTHENTICATED {
        let exchange = machine.host.exchange.as_ref()?;
        return Some(Ok(if exchange.request.is_preflight() {
            Val::bool(false, call.span)
        } else {
            Val::unknown("it depends on the visitor", call.span)
        }));
    }
    if kind >= function::SCHEMA {
        return environment::call_method(machine, kind - function::SCHEMA, number, call);
    }
    if kind >= function::RESPONSE {
        let name = RESPONSE_METHODS.get(usize::from(kind - function::RESPONSE))?;
        return Some(super::exchange::response_call(machine, name, call));
    }
    if kind >= function::ROUTE {
        let name = STACK_METHODS.get(usize::from(kind - function::ROUTE))?;
        let (stack, path) = machine.host.program.routes.get(number as usize)?.clone();
        if let Some(method) = http_method(name) {
            let layer = Layer {
                path,
                method: Some(method),
                handlers: stack::handlers(machine, call.args),
                span: call.span,
            };
            machine.host.add_layer(stack, layer);
        }
        return Some(Ok(call.this.clone()));
    }
    let name = STACK_METHODS.get(usize::from(kind - function::STACK))?;
    stack::call(machine, number, name, call)
}

/// Reads the options of a call of the package: keeps them for what no response shows.
pub(super) fn cors_call(machine: &mut Node<'_>, call: &Call<'_>) -> Val {
    let options = call.args.first().cloned();
    let options = options.unwrap_or(Val::undefined(call.span));
    machine
        .host
        .note(Noted::Options(options.clone(), call.span));
    middleware(machine, Middleware::Cors(options, call.span), call.span)
}

/// Is this value the package's middleware factory itself, uncalled?
pub(super) fn is_uncalled_cors(val: &Val) -> bool {
    matches!(&val.v, V::Foreign(path) if cors::is_package(path))
}

#[cfg(test)]
mod tests {
    use super::is_about_development;

    #[test]
    fn tests_say_whether_they_hold_while_developing() {
        let cases = [
            ("config.isDev", Some(true)),
            ("!config.isDev", Some(false)),
            ("!!config.isDev", Some(true)),
            ("!(config.mode !== 'dev')", None),
            ("settings.IS_DEVELOPMENT", Some(true)),
            ("mode === 'development'", Some(true)),
            ("mode !== 'production'", Some(true)),
            ("config.isProd", Some(false)),
            ("flags.isProduction && !flags.isLocal", None),
            ("config.isDeviceReady", None),
            ("config.isDeveloperPortalEnabled", None),
            ("settings.productName", None),
            ("config.isDev === false", None),
            ("a != b && config.prod", None),
            ("config?.isDev && config.level !== 3", Some(true)),
            ("config.isDev || config.open", None),
        ];
        for (text, expected) in cases {
            assert_eq!(is_about_development(text), expected, "{text}");
        }
    }
}
