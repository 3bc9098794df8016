//! `CORSMiddleware`: its arguments, and what it makes of requests (starlette/middleware/cors.py).

use crate::frameworks::python::handler::{set_line, vary};
use crate::frameworks::python::{decision, text, texts, truthy};
use crate::model::{
    Answer, AnsweredBy, Assumption, Decision, HeaderLine, Known, Outcome, Request, Response,
    ValueSource, Verdict, World,
};
use crate::source::Span;
use crate::syntax::python::pattern::{self, How};
use crate::syntax::python::version::Versions;
use crate::syntax::value::{Kind, Value};

/// Arguments behind `app`, in the order of their positions.
pub(super) const NAMES: [&str; 8] = [
    "allow_origins",
    "allow_methods",
    "allow_headers",
    "allow_credentials",
    "allow_origin_regex",
    "allow_private_network",
    "expose_headers",
    "max_age",
];

const METHODS: [&str; 7] = ["DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"];
const SAFELISTED: [&str; 4] = [
    "Accept",
    "Accept-Language",
    "Content-Language",
    "Content-Type",
];
const PREFLIGHT_VARY: &str = "Origin, Access-Control-Request-Method, Access-Control-Request-Headers, Access-Control-Request-Private-Network";

pub(super) const ACAO: &str = "Access-Control-Allow-Origin";
const ACAC: &str = "Access-Control-Allow-Credentials";

/// One `CORSMiddleware` as written.
#[derive(Clone, Debug)]
pub(super) struct Cors {
    /// The arguments, as [`NAMES`]; `Undefined` if not given.
    pub(super) arguments: [Value; 8],
    /// Source texts of origins and patterns: span to slice.
    pub(super) sources: Vec<(Span, String)>,
    /// There may be arguments that are not in view.
    pub(super) open: bool,
    /// The exception that its construction raises whatever the world.
    pub(super) rejected: Option<String>,
    pub(super) span: Span,
    pub(super) versions: Versions,
}

impl Cors {
    pub(super) fn argument(&self, name: &str) -> &Value {
        let at = NAMES.iter().position(|known| *known == name).unwrap_or(0);
        &self.arguments[at]
    }

    /// The policy in one world.
    pub(super) fn in_world(&self, world: &World) -> Self {
        let mut policy = self.clone();
        for argument in &mut policy.arguments {
            *argument = argument.in_world(world);
            if self.open && argument.kind == Kind::Undefined {
                argument.kind = Kind::Unknown("an argument that is not in view");
            }
        }
        policy
    }

    /// The exception with which this cannot be built, if it is certain.
    pub(super) fn failure(&self) -> Option<String> {
        if let Some(words) = &self.rejected {
            return Some(words.clone());
        }
        for name in ["allow_origins", "allow_methods", "allow_headers"] {
            let words = match &self.argument(name).kind {
                Kind::Null => "argument of type 'NoneType' is not iterable",
                Kind::Bool(_) => "argument of type 'bool' is not iterable",
                Kind::Number(_) => "argument of type 'int' is not iterable",
                _ => continue,
            };
            return Some(format!("TypeError: {words}"));
        }
        match &self.argument("allow_origin_regex").kind {
            Kind::String(text) if pattern::is_invalid(text) => {
                Some("re.error: the pattern cannot be compiled".into())
            }
            Kind::List(_) | Kind::Map(_) => {
                Some("TypeError: first argument must be string or compiled pattern".into())
            }
            _ => None,
        }
    }

    fn source(&self, span: Span) -> &str {
        let found = self.sources.iter().find(|(known, _)| *known == span);
        found.map_or("", |(_, text)| text)
    }

    /// `"*" in value`.
    fn has_star(&self, name: &str) -> Known<bool> {
        let value = self.argument(name);
        match &value.kind {
            Kind::Undefined => Known::Known(false),
            Kind::String(text) => Known::Known(text.contains('*')),
            Kind::List(list) => {
                if list.items.iter().any(|item| item.as_str() == Some("*")) {
                    Known::Known(true)
                } else if list.open || list.items.iter().any(Value::is_unknown) {
                    Known::Unknown
                } else {
                    Known::Known(false)
                }
            }
            Kind::Map(map) if !map.open => Known::Known(map.get("*").is_some()),
            _ => Known::Unknown,
        }
    }

    fn credentials(&self) -> Known<bool> {
        truthy(self.argument("allow_credentials")).into()
    }

    /// The place of the star that opens the list.
    fn star_span(&self) -> Option<Span> {
        let value = self.argument("allow_origins");
        match &value.kind {
            Kind::List(list) => {
                let star = list.items.iter().find(|item| item.as_str() == Some("*"));
                star.map(|star| star.span)
            }
            _ => Some(value.span),
        }
    }

    /// `is_allowed_origin`, with what decided.
    fn accepts(&self, request: &Request, origin: &str) -> (Verdict, Option<Decision>) {
        let star = self.has_star("allow_origins");
        if star == Known::Known(true) {
            return (Verdict::Yes, None);
        }
        let value = self.argument("allow_origins");
        let mut unknown = star == Known::Unknown;
        let regex = self.argument("allow_origin_regex");
        match &regex.kind {
            Kind::Undefined | Kind::Null => {}
            Kind::String(text) => match pattern::matches(text, "", origin, How::Full) {
                Some(true) => {
                    let decided = decision(text, regex.span, self.source(regex.span), true);
                    return (Verdict::Yes, Some(decided));
                }
                Some(false) => {}
                None => unknown = true,
            },
            Kind::Regex(compiled) => {
                match pattern::matches(&compiled.pattern, &compiled.flags, origin, How::Full) {
                    Some(true) => {
                        let source = self.source(regex.span);
                        let decided = decision(&compiled.pattern, regex.span, source, true);
                        return (Verdict::Yes, Some(decided));
                    }
                    Some(false) => {}
                    None => unknown = true,
                }
            }
            _ => unknown = true,
        }
        match &value.kind {
            Kind::Undefined => {}
            Kind::String(text) => {
                if text.contains(origin) {
                    let decided = decision(text, value.span, self.source(value.span), false);
                    return (Verdict::Yes, Some(decided));
                }
            }
            Kind::List(list) => {
                let found = list.items.iter().find(|item| item.as_str() == Some(origin));
                if let Some(found) = found {
                    let decided = decision(origin, found.span, self.source(found.span), false);
                    return (Verdict::Yes, Some(decided));
                }
                unknown |= list.open || list.items.iter().any(Value::is_unknown);
            }
            Kind::Map(map) if !map.open => {
                if map.get(origin).is_some() {
                    return (Verdict::Yes, None);
                }
            }
            _ => unknown = true,
        }
        match (unknown, request.symbolic) {
            (true, true) => (Verdict::Yes, None),
            (true, false) => (Verdict::Unknown, None),
            _ => (Verdict::No, None),
        }
    }

    fn line(&self, name: &str, value: Known<String>, argument: &str) -> HeaderLine {
        let written = self.argument(argument);
        let here = written.kind != Kind::Undefined && written.span.file == self.span.file;
        HeaderLine {
            name: name.into(),
            value,
            span: self.span,
            value_span: here.then_some(written.span),
            sources: Vec::new(),
            decided_by: None,
        }
    }

    fn explicit(&self, origin: &str, decided_by: Option<Decision>) -> HeaderLine {
        let argument = if self.has_star("allow_origins") == Known::Known(true)
            || self.argument("allow_origin_regex").kind == Kind::Undefined
        {
            "allow_origins"
        } else {
            "allow_origin_regex"
        };
        let star = self.star_span().filter(|span| span.file == self.span.file);
        let mut line = self.line(ACAO, Known::Known(origin.into()), argument);
        if self.has_star("allow_origins") == Known::Known(true) {
            line.value_span = star.or(line.value_span);
        } else if let Some(decided) = &decided_by
            && decided.span.file == self.span.file
        {
            line.value_span = Some(decided.span);
        }
        line.sources = vec![ValueSource::Origin];
        line.decided_by = decided_by;
        line
    }

    /// What is added to the response of an actual request (`CORSMiddleware.send`).
    pub(super) fn actual(&self, request: &Request, inner: Response) -> Vec<Response> {
        let always_varies = self.versions.since((1, 7, 0));
        let mut response = inner;
        let Some(origin) = &request.origin else {
            vary_if(&mut response, always_varies, self.span);
            return vec![response];
        };
        let all = self.has_star("allow_origins");
        match all {
            Known::Known(true) => {
                let mut star = self.line(ACAO, Known::Known("*".into()), "allow_origins");
                star.value_span = self.star_span().filter(|span| span.file == self.span.file);
                set_line(&mut response, star);
            }
            Known::Known(false) => {}
            Known::Unknown => {
                if !request.symbolic {
                    response.unseen.push(ACAO.to_ascii_lowercase());
                    response.unseen.push("vary".into());
                }
            }
        }
        let credentials = self.credentials();
        match credentials {
            Known::Known(true) => {
                let line = self.line(ACAC, Known::Known("true".into()), "allow_credentials");
                set_line(&mut response, line);
            }
            Known::Known(false) => {}
            Known::Unknown => response.unseen.push(ACAC.to_ascii_lowercase()),
        }
        self.expose(&mut response);
        if all == Known::Known(true) {
            return self.wildcard(request, origin, credentials, response);
        }
        let (verdict, decided) = self.accepts(request, origin);
        match verdict {
            Verdict::Yes => {
                set_line(&mut response, self.explicit(origin, decided));
                vary(&mut response, "Origin", self.span);
            }
            Verdict::No => vary_if(&mut response, always_varies, self.span),
            Verdict::Unknown => {
                response.unseen.push(ACAO.to_ascii_lowercase());
                response.unseen.push("vary".into());
            }
        }
        vec![response]
    }

    /// `*`: with credentials the origin is sent back, before 1.0 to whoever sends a cookie.
    fn wildcard(
        &self,
        request: &Request,
        origin: &str,
        credentials: Known<bool>,
        response: Response,
    ) -> Vec<Response> {
        let explicit = |mut response: Response| {
            set_line(&mut response, self.explicit(origin, None));
            vary(&mut response, "Origin", self.span);
            response
        };
        let plain = |mut response: Response| {
            vary_if(&mut response, self.versions.since((1, 7, 0)), self.span);
            response
        };
        let unsure = |mut response: Response| {
            for line in &mut response.headers {
                if line.name.eq_ignore_ascii_case(ACAO) {
                    line.value = Known::Unknown;
                }
            }
            response.unseen.push("vary".into());
            response
        };
        // What the two generations do with a cookie and without one.
        let old = |cookie: bool| cookie;
        let decide = |response: Response, cookie: bool| {
            let new = credentials.known();
            let reflects = match self.versions.since((1, 0, 0)) {
                Some(true) => new,
                Some(false) => Some(old(cookie)),
                None => new.filter(|new| *new == old(cookie)),
            };
            match reflects {
                Some(true) => explicit(response),
                Some(false) => plain(response),
                None => unsure(response),
            }
        };
        if self.versions.since((1, 0, 0)) == Some(true) {
            return vec![decide(response, request.cookies)];
        }
        let sure = request.exact || request.cookies;
        // Without credentials a browser sends no cookie that it would show.
        if sure || credentials == Known::Known(false) {
            return vec![decide(response, request.cookies)];
        }
        let with = |holds| {
            let mut response = decide(response.clone(), holds);
            response.assumes.push(Assumption {
                text: "the request carries a cookie".into(),
                holds,
                span: None,
            });
            response
        };
        vec![with(true), with(false)]
    }

    fn expose(&self, response: &mut Response) {
        let value = self.argument("expose_headers");
        match truthy(value) {
            Some(false) => {}
            Some(true) => {
                let joined = texts(value).map(|texts| join(&texts));
                let line = self.line(
                    "Access-Control-Expose-Headers",
                    joined.into(),
                    "expose_headers",
                );
                set_line(response, line);
            }
            None => response.unseen.push("access-control-expose-headers".into()),
        }
    }

    /// The answer to a preflight (`CORSMiddleware.preflight_response`).
    pub(super) fn preflight(&self, request: &Request, origin: &str, requested: &str) -> Response {
        let mut response = Response::new(Known::Unknown, Answer::Cors, Some(self.span));
        response.answered_by = AnsweredBy {
            kind: Answer::Cors,
            span: Some(self.span),
            before_cors: false,
            inner: false,
        };
        let all = self.has_star("allow_origins");
        let credentials = self.credentials();
        let (verdict, decided) = self.accepts(request, origin);
        let explicit = match (all, credentials) {
            (Known::Known(true), Known::Known(credentials)) => Known::Known(credentials),
            (Known::Known(true), Known::Unknown) => Known::Unknown,
            (Known::Known(false), _) => Known::Known(true),
            (Known::Unknown, _) if request.symbolic => Known::Known(true),
            (Known::Unknown, _) => Known::Unknown,
        };
        self.preflight_vary(explicit, &mut response);
        if explicit == Known::Known(false) {
            let mut star = self.line(ACAO, Known::Known("*".into()), "allow_origins");
            star.value_span = self.star_span().filter(|span| span.file == self.span.file);
            response.headers.push(star);
        }
        let mut failures: Vec<Option<bool>> = Vec::new();
        let methods = self.methods(&mut response);
        let max_age = self.argument("max_age");
        let seconds = match &max_age.kind {
            Kind::Undefined => Known::Known("600".into()),
            _ => text(max_age).into(),
        };
        response
            .headers
            .push(self.line("Access-Control-Max-Age", seconds, "max_age"));
        let headers = self.headers(&mut response);
        match credentials {
            Known::Known(true) => {
                let line = self.line(ACAC, Known::Known("true".into()), "allow_credentials");
                response.headers.push(line);
            }
            Known::Known(false) => {}
            Known::Unknown => response.unseen.push(ACAC.to_ascii_lowercase()),
        }
        match (verdict, explicit) {
            (Verdict::Yes, Known::Known(true)) => {
                response.headers.push(self.explicit(origin, decided));
                failures.push(Some(false));
            }
            (Verdict::Yes, Known::Known(false)) => failures.push(Some(false)),
            (Verdict::No, _) => failures.push(Some(true)),
            _ => {
                response.unseen.push(ACAO.to_ascii_lowercase());
                failures.push(None);
            }
        }
        failures.push(methods.map(|methods| !methods.allows(requested)));
        failures.push(self.refuses_headers(request, headers.as_deref(), &mut response));
        failures.push(self.private_network(request, &mut response));
        let status = if failures.contains(&Some(true)) {
            Known::Known(400)
        } else if failures.contains(&None) {
            Known::Unknown
        } else {
            Known::Known(200)
        };
        response.outcome = Outcome::Status(status);
        response
    }

    fn preflight_vary(&self, explicit: Known<bool>, response: &mut Response) {
        let value = match (self.versions.since((1, 7, 0)), explicit) {
            (Some(true), _) => Some(PREFLIGHT_VARY),
            (Some(false), Known::Known(true)) => Some("Origin"),
            (Some(false), Known::Known(false)) => None,
            (None, Known::Known(true)) => {
                response.unseen.push("vary".into());
                Some("Origin")
            }
            _ => {
                response.unseen.push("vary".into());
                None
            }
        };
        if let Some(value) = value {
            response.headers.push(HeaderLine {
                value_span: None,
                ..self.line("Vary", Known::Known(value.into()), "")
            });
        }
    }

    fn methods(&self, response: &mut Response) -> Option<Methods> {
        let value = self.argument("allow_methods");
        let known = match (&value.kind, self.has_star("allow_methods")) {
            (Kind::Undefined, _) => Some(Methods::List(vec!["GET".into()])),
            (_, Known::Known(true)) => {
                let all: Vec<String> = METHODS.iter().map(|method| (*method).into()).collect();
                // QUERY is there or not, by version; nobody asks for it.
                Some(Methods::List(all))
            }
            (Kind::String(text), _) => Some(Methods::Text(text.clone())),
            _ => texts(value)
                .map(|texts| Methods::List(texts.into_iter().map(|(text, _)| text).collect())),
        };
        let star = self.has_star("allow_methods") == Known::Known(true);
        let joined = match &known {
            Some(Methods::List(list)) if star => match self.versions.since((1, 7, 0)) {
                Some(true) => Some(format!("{}, QUERY", list.join(", "))),
                Some(false) => Some(list.join(", ")),
                // One more member or not: what matters is in both.
                None => Some(list.join(", ")),
            },
            Some(Methods::List(list)) => Some(list.join(", ")),
            Some(Methods::Text(text)) => {
                let letters: Vec<String> = text.chars().map(String::from).collect();
                Some(letters.join(", "))
            }
            None => None,
        };
        let line = self.line(
            "Access-Control-Allow-Methods",
            joined.into(),
            "allow_methods",
        );
        response.headers.push(line);
        known
    }

    /// The allowed names, lower case; `None` if unknown. `["*"]` for all.
    fn headers(&self, response: &mut Response) -> Option<Vec<String>> {
        let value = self.argument("allow_headers");
        if self.has_star("allow_headers") == Known::Known(true) {
            return Some(vec!["*".into()]);
        }
        let own = match &value.kind {
            Kind::Undefined => Some(Vec::new()),
            _ => texts(value),
        };
        let mut all: Option<Vec<String>> =
            own.map(|own| own.into_iter().map(|(text, _)| text).collect());
        if let Some(all) = &mut all {
            all.extend(SAFELISTED.iter().map(|name| (*name).to_owned()));
            all.sort();
            all.dedup();
        }
        let joined = all.as_ref().map(|all| all.join(", "));
        let line = self.line(
            "Access-Control-Allow-Headers",
            joined.into(),
            "allow_headers",
        );
        response.headers.push(line);
        all.map(|all| all.iter().map(|name| name.to_lowercase()).collect())
    }

    fn refuses_headers(
        &self,
        request: &Request,
        allowed: Option<&[String]>,
        response: &mut Response,
    ) -> Option<bool> {
        let asked = request.header("access-control-request-headers");
        let Some(asked) = asked else {
            return Some(false);
        };
        match allowed {
            Some([star]) if star == "*" => {
                let line = self.line(
                    "Access-Control-Allow-Headers",
                    Known::Known(asked),
                    "allow_headers",
                );
                response.headers.push(line);
                Some(false)
            }
            Some(allowed) => {
                let mut asked = asked.split(',');
                Some(asked.any(|name| {
                    let name = name.to_lowercase();
                    !allowed.iter().any(|known| *known == name.trim())
                }))
            }
            None => None,
        }
    }

    fn private_network(&self, request: &Request, response: &mut Response) -> Option<bool> {
        if request
            .header("access-control-request-private-network")
            .is_none()
        {
            return Some(false);
        }
        if self.versions.since((0, 51, 0)) == Some(false) {
            return Some(false);
        }
        let allowed = truthy(self.argument("allow_private_network"));
        if allowed == Some(true) {
            let line = self.line(
                "Access-Control-Allow-Private-Network",
                Known::Known("true".into()),
                "allow_private_network",
            );
            response.headers.push(line);
        }
        match (self.versions.since((0, 51, 0)), allowed) {
            (Some(_), allowed) => allowed.map(|allowed| !allowed),
            (None, Some(true)) => Some(false),
            _ => None,
        }
    }
}

/// `allow_methods` as it is asked with `in`.
enum Methods {
    List(Vec<String>),
    Text(String),
}

impl Methods {
    fn allows(&self, method: &str) -> bool {
        match self {
            Self::List(list) => list.iter().any(|known| known == method),
            Self::Text(text) => text.contains(method),
        }
    }
}

fn join(texts: &[(String, Span)]) -> String {
    let texts: Vec<&str> = texts.iter().map(|(text, _)| text.as_str()).collect();
    texts.join(", ")
}

fn vary_if(response: &mut Response, certain: Option<bool>, span: Span) {
    match certain {
        Some(true) => vary(response, "Origin", span),
        Some(false) => {}
        None => response.unseen.push("vary".into()),
    }
}
