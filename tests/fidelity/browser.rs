//! What a real browser did with a request, and what corslint says it does.
//!
//! The cases are those of `fixtures/browser/browser.json`, or made in its form.

use corslint::fetch::{
    Browser, Call, Check, Failure, Initiator, Mode, Played, can_reuse, exposes, play,
};
use corslint::model::{Answer, HeaderLine, Known, Outcome, Request, Response, Url};
use corslint::source::{Sources, Span};
use serde_json::Value;

const PORT: &str = "8000";
const SERVER: &str = "http://localhost:9000";
const OTHER: &str = "http://127.0.0.1:9001";
const CLOSED: &str = "http://localhost:9009";

/// All recorded cases.
pub(crate) fn cases() -> Vec<Value> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/browser/browser.json");
    let text = std::fs::read_to_string(path).expect("the recording");
    let recording: Value = serde_json::from_str(&text).expect("JSON");
    recording["cases"].as_array().expect("cases").clone()
}

/// A request that reached a server.
#[derive(Debug, PartialEq)]
pub(crate) struct Sent {
    at: String,
    method: String,
    origin: Option<String>,
    request_method: Option<String>,
    request_headers: Option<String>,
    authorization: bool,
}

impl Sent {
    /// Access-Control-Request-Headers.
    pub(crate) fn request_headers(&self) -> Option<&str> {
        self.request_headers.as_deref()
    }
}

/// What happened, by the recording or by us.
#[derive(Debug, PartialEq)]
pub(crate) struct Happened {
    pub(crate) allowed: bool,
    pub(crate) failure: Option<Failure>,
    pub(crate) console: Option<String>,
    pub(crate) sent: Vec<Sent>,
    pub(crate) status: Option<u16>,
    pub(crate) readable: Option<Vec<String>>,
}

/// A case with the origin of its page.
pub(crate) struct Case<'a> {
    pub(crate) case: &'a Value,
    span: Span,
    /// The page's origin as the placeholder `{origin}` has it.
    origin: String,
}

impl<'a> Case<'a> {
    pub(crate) fn new(case: &'a Value) -> Self {
        let origin = match case["page"].as_str() {
            Some("address") => format!("http://127.0.0.1:{PORT}"),
            Some("port80") => "http://localhost".into(),
            _ => format!("http://localhost:{PORT}"),
        };
        let span = Sources::new().add("a".into(), "a".into()).span();
        Self { case, span, origin }
    }

    pub(crate) fn name(&self) -> &str {
        self.case["name"].as_str().expect("a name")
    }

    /// The origin that the page's requests have.
    fn page(&self) -> String {
        match self.case["page"].as_str() {
            Some("sandboxed" | "data") => "null".into(),
            _ => self.origin.clone(),
        }
    }

    fn filled(&self, text: &str, request_origin: &str) -> String {
        let mut text = text
            .replace("{request_origin}", request_origin)
            .replace("{origin}", &self.origin)
            .replace("{port}", PORT)
            .replace("{closed}", CLOSED);
        for hop in (1..=9).rev() {
            text = text.replace(&format!("{{url{hop}}}"), &self.url(hop));
        }
        // The address of the request may itself be one of a case's own.
        if text.contains("{url}") {
            text = text.replace("{url}", &self.url(0));
        }
        text.replace("{server}", SERVER).replace("{other}", OTHER)
    }

    fn url(&self, hop: usize) -> String {
        if let (0, Some(url)) = (hop, self.case["request"]["url"].as_str()) {
            return self.filled(url, "");
        }
        let at = hop
            .checked_sub(1)
            .map_or(&Value::Null, |then| &self.case["then"][then]["at"]);
        let server = if at == "{other}" { OTHER } else { SERVER };
        format!("{server}/{hop}")
    }

    pub(crate) fn include(&self) -> bool {
        self.case["request"]["credentials"] == "include"
    }

    fn initiator(&self) -> Initiator {
        match self.case["request"]["api"].as_str() {
            None | Some("fetch") => Initiator::Fetch,
            Some("xhr") => Initiator::Xhr,
            Some("image") => Initiator::Other("image"),
            Some("script" | "module" | "module-import") => Initiator::Other("script"),
            Some("style") => Initiator::Other("CSS stylesheet"),
            Some("font") => Initiator::Other("font"),
            Some("eventsource") => Initiator::Other("resource"),
            Some(other) => {
                assert_eq!(other, "audio");
                Initiator::Other("audio")
            }
        }
    }

    fn call(&self) -> Call {
        let request = &self.case["request"];
        let text = |name: &str| request[name].as_str();
        let mut headers = pairs(&request["headers"]);
        // A body brings its own type.
        if let Some(kind) = text("blob").filter(|kind| !kind.is_empty()) {
            headers.push(("content-type".into(), kind.into()));
        }
        Call {
            initiator: self.initiator(),
            origin: self.page(),
            url: url::Url::parse(&self.url(0)).expect("a URL"),
            method: text("method").unwrap_or("GET").into(),
            headers,
            include: self.include(),
            mode: match text("mode") {
                Some("same-origin") => Mode::SameOrigin,
                _ => Mode::Cors,
            },
            follow: text("redirect") != Some("error"),
            force_preflight: request["upload_listener"] == true,
        }
    }

    fn response(&self, answer: &Value, request_origin: &str) -> Response {
        let status = answer["status"].as_u64().unwrap_or(500);
        let status = u16::try_from(status).expect("a status");
        let mut response = Response::new(Known::Known(status), Answer::Handler, Some(self.span));
        if answer["close"] == true {
            response.outcome = Outcome::NeverAnswers;
        }
        response.headers = pairs(&answer["headers"])
            .into_iter()
            .map(|(name, value)| HeaderLine {
                name,
                value: Known::Known(self.filled(&value, request_origin)),
                span: self.span,
                value_span: None,
                sources: Vec::new(),
                decided_by: None,
            })
            .collect();
        response
    }

    /// What the servers answer.
    fn answer(&self, request: &Request) -> Response {
        let url = request.url.to_string();
        let origin = request.origin.as_deref().unwrap_or_default();
        if url.starts_with(CLOSED) {
            return self.response(&serde_json::json!({ "close": true }), origin);
        }
        let hop = (0..=9).find(|hop| self.url(*hop) == url);
        let Some(hop) = hop else {
            // The page's own server, which knows nothing of CORS.
            return self.response(&serde_json::json!({ "status": 200 }), origin);
        };
        let answers = hop
            .checked_sub(1)
            .map_or(self.case, |then| &self.case["then"][then]);
        let kind = if request.is_preflight() {
            "preflight"
        } else if request.origin.is_none() && !self.case["plain"].is_null() {
            "plain"
        } else {
            "actual"
        };
        self.response(&answers[kind], origin)
    }

    /// What was loaded from the same address before, and what was kept of it.
    fn before(&self) -> Option<(Request, Response)> {
        let before = &self.case["before"];
        if before.is_null() {
            return None;
        }
        let url = url::Url::parse(&self.url(0)).expect("a URL");
        let url = Url::of(&url).expect("a web URL");
        let origin = (before["page"] == "port80").then_some("http://localhost");
        let request = Request::actual(url, origin);
        let response = self.answer(&request);
        Some((request, response))
    }

    /// What our side makes of it.
    pub(crate) fn ours(&self) -> (Happened, Played) {
        let before = self.before();
        let mut sent = Vec::new();
        let played = play(&self.call(), Browser::Chrome, |request| {
            if let Some((earlier, stored)) = &before
                && can_reuse(earlier, stored, request) == Known::Known(true)
            {
                return stored.clone();
            }
            let at = request.url.to_string();
            if !at.starts_with(&format!("{}/", self.origin)) && !at.starts_with(CLOSED) {
                sent.push(Sent {
                    at,
                    method: request.method.clone(),
                    origin: request.origin.clone(),
                    request_method: request.requested_method.clone(),
                    request_headers: request.header("access-control-request-headers"),
                    authorization: request.header("authorization").is_some(),
                });
            }
            self.answer(request)
        });
        assert_ne!(played.check, Check::Unknown, "{}", self.name());
        let happened = Happened {
            allowed: played.check == Check::Pass,
            failure: played.check.failure(),
            console: played.console.clone(),
            sent,
            status: self.status(&played),
            readable: self.readable(&played),
        };
        (happened, played)
    }

    /// Elements tell nobody.
    fn is_script(&self) -> bool {
        matches!(self.initiator(), Initiator::Fetch | Initiator::Xhr)
    }

    fn status(&self, played: &Played) -> Option<u16> {
        let response = played.response().filter(|_| self.is_script())?;
        response.status()
    }

    fn readable(&self, played: &Played) -> Option<Vec<String>> {
        let response = played.response().filter(|_| self.is_script())?;
        let same_origin = played.steps.last()?.same_origin;
        let names = response.headers.iter().map(|line| line.name.to_lowercase());
        // The recording server adds these.
        let added = ["connection", "content-length", "content-type"].map(str::to_owned);
        let has_body = response.status() != Some(204);
        let mut names: Vec<_> = names
            .chain(added)
            .filter(|name| {
                let is_sent = has_body || name != "content-length";
                let exposed = exposes(response, name, self.include()) == Known::Known(true);
                is_sent && (same_origin || exposed)
            })
            .collect();
        names.sort();
        names.dedup();
        Some(names)
    }

    /// What the browser did, by the recording or by a result in its form.
    pub(crate) fn recorded(&self, result: &Value) -> Happened {
        let text = |value: &Value| value.as_str().map(|text| self.filled(text, ""));
        let console = text(&result["console"]);
        let sent = result["sent"].as_array().expect("requests");
        let sent = sent.iter().map(|request| Sent {
            at: text(&request["at"]).expect("an address"),
            method: text(&request["method"]).expect("a method"),
            origin: text(&request["origin"]),
            request_method: text(&request["request_method"]),
            request_headers: text(&request["request_headers"]),
            authorization: request["authorization"] == true,
        });
        let allowed = result["verdict"] == "allowed";
        let status = result["status"].as_u64();
        let readable = result["readable_headers"].as_array();
        Happened {
            allowed,
            failure: (!allowed).then(|| self.failure(console.as_deref(), &result["network"])),
            console,
            sent: sent.collect(),
            status: status.and_then(|status| u16::try_from(status).ok()),
            readable: readable.map(|names| {
                let names = names.iter().filter_map(Value::as_str);
                names.map(str::to_owned).collect()
            }),
        }
    }

    /// The kind of failure by the words of the console, or by the browser's own error.
    fn failure(&self, console: Option<&str>, network: &Value) -> Failure {
        let Some(console) = console else {
            return match network.as_str() {
                Some("net::ERR_UNSAFE_REDIRECT") => Failure::RedirectScheme,
                Some("net::ERR_TOO_MANY_REDIRECTS") => Failure::Redirects,
                _ if self.case["request"]["redirect"] == "error" => Failure::RedirectMode,
                _ => Failure::Network,
            };
        };
        let words = [
            (
                "No 'Access-Control-Allow-Origin' header",
                Failure::AcaoMissing,
            ),
            ("not equal to the supplied origin", Failure::AcaoMismatch),
            ("contains multiple values", Failure::AcaoMultiple),
            ("contains the invalid value", Failure::AcaoInvalid),
            ("must not be the wildcard", Failure::AcaoWildcardCredentials),
            ("which must be 'true'", Failure::AcacNotTrue),
            ("does not have HTTP ok status", Failure::PreflightStatus),
            ("Redirect is not allowed", Failure::PreflightRedirect),
            (
                "is not allowed by Access-Control-Allow-Methods",
                Failure::Method,
            ),
            (
                "is not allowed by Access-Control-Allow-Headers",
                Failure::Header,
            ),
            (
                "Cannot parse Access-Control-Allow-Methods",
                Failure::MethodsSyntax,
            ),
            (
                "Cannot parse Access-Control-Allow-Headers",
                Failure::HeadersSyntax,
            ),
            (
                "contains a username and password",
                Failure::RedirectCredentials,
            ),
            ("Not allowed to load local resource", Failure::Scheme),
            ("is not supported", Failure::Scheme),
            ("only supported for protocol schemes", Failure::Scheme),
            ("Request mode is \"same-origin\"", Failure::Mode),
        ];
        let found = words.iter().find(|(words, _)| console.contains(words));
        found.expect("a known text").1
    }
}

/// A list of name and value.
pub(crate) fn pairs(headers: &Value) -> Vec<(String, String)> {
    let headers = headers.as_array().map(Vec::as_slice).unwrap_or_default();
    headers
        .iter()
        .map(|pair| {
            let text = |at: usize| pair[at].as_str().expect("a header").to_owned();
            (text(0), text(1))
        })
        .collect()
}
