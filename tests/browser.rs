//! Replays what a real browser did (`fixtures/browser`): verdict, preflight, console text.

use corslint::fetch::{
    self, Browser, Check, Context, Failure, Initiator, console, cors_check, exposes,
    needs_preflight, normalize_method, preflight_cache_seconds, preflight_check,
    unsafe_request_headers,
};
use corslint::model::{Answer, HeaderLine, Known, Request, Response, Url};
use corslint::source::{Sources, Span};
use serde_json::Value;
use std::collections::BTreeMap;

const PORT: &str = "8000";
const SERVER: &str = "http://localhost:9000";
const OTHER: &str = "http://127.0.0.1:9001";

/// Kinds of cases in which no response is checked, or another part of the browser decides.
const OTHER_KINDS: [(&str, &str); 5] = [
    ("cache", "the HTTP cache answers, not the server"),
    ("network", "there is no response"),
    ("scheme", "the URL is not http, so nothing is sent"),
    ("mode", "the request is not in CORS mode"),
    ("own-origin", "a same-origin response is not checked"),
];

/// Cases whose outcome another part of the browser decides.
const OTHER_CASES: [(&str, &str); 5] = [
    (
        "redirect-userinfo-name-only",
        "the redirect's target is refused",
    ),
    ("redirect-file-url", "the redirect's target is refused"),
    ("redirect-mode-error", "the script refuses redirects"),
    (
        "header-common-user-agent",
        "Chromium drops a User-Agent set by script, the standard sends a preflight",
    ),
    (
        "safelist-client-hint-dpr",
        "Chromium takes DPR for safe, the standard does not",
    ),
];

fn cases() -> Vec<Value> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/browser/browser.json");
    let text = std::fs::read_to_string(path).expect("the recording");
    let recording: Value = serde_json::from_str(&text).expect("JSON");
    recording["cases"].as_array().expect("cases").clone()
}

fn is_replayed(case: &Value) -> bool {
    let is = |field: &str, list: &[(&str, &str)]| list.iter().any(|(name, _)| case[field] == *name);
    !is("kind", &OTHER_KINDS) && !is("name", &OTHER_CASES)
}

/// What happened, by the recording or by us.
#[derive(Debug, PartialEq)]
struct Happened {
    failure: Option<Failure>,
    console: Option<String>,
    preflights: Vec<(String, Option<String>)>,
}

struct Case<'a> {
    case: &'a Value,
    span: Span,
    /// The page's origin as the placeholder `{origin}` has it.
    origin: String,
}

impl<'a> Case<'a> {
    fn new(case: &'a Value, span: Span) -> Self {
        let origin = match case["page"].as_str() {
            Some("address") => format!("http://127.0.0.1:{PORT}"),
            Some("port80") => "http://localhost".into(),
            _ => format!("http://localhost:{PORT}"),
        };
        Self { case, span, origin }
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
            .replace("{port}", PORT);
        for hop in (1..=9).rev() {
            text = text.replace(&format!("{{url{hop}}}"), &self.url(hop));
        }
        text.replace("{url}", &self.url(0))
            .replace("{server}", SERVER)
            .replace("{other}", OTHER)
    }

    fn at(&self, hop: usize) -> &'static str {
        let at = hop
            .checked_sub(1)
            .map_or(&Value::Null, |then| &self.case["then"][then]["at"]);
        if at == "{other}" { OTHER } else { SERVER }
    }

    fn url(&self, hop: usize) -> String {
        format!("{}/{hop}", self.at(hop))
    }

    fn include(&self) -> bool {
        self.case["request"]["credentials"] == "include"
    }

    fn initiator(&self) -> Initiator {
        match self.case["request"]["api"].as_str() {
            None => Initiator::Fetch,
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

    /// The headers that the script or its body sets.
    fn headers(&self) -> Vec<(String, String)> {
        let request = &self.case["request"];
        let mut headers = pairs(&request["headers"]);
        let by_body = request["blob"].as_str().filter(|kind| !kind.is_empty());
        if let Some(kind) = by_body {
            headers.push(("content-type".into(), kind.into()));
        }
        headers
    }

    fn response(&self, answer: &Value, request_origin: &str) -> Response {
        let status = answer["status"].as_u64().unwrap_or(500);
        let status = u16::try_from(status).expect("a status");
        let mut response = Response::new(Known::Known(status), Answer::Handler, Some(self.span));
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

    fn failed(
        &self,
        url: &str,
        failure: Failure,
        request: &Request,
        response: &Response,
    ) -> Option<String> {
        let first = self.url(0);
        console(
            failure,
            Browser::Chrome,
            &Context {
                initiator: self.initiator(),
                page: &self.page(),
                url,
                redirected_from: (url != first).then_some(&first),
                include: self.include(),
                request,
                response,
            },
        )
    }

    /// What our side makes of it, redirects included.
    fn ours(&self) -> (Happened, Option<Response>) {
        let mut happened = Happened {
            failure: None,
            console: None,
            preflights: Vec::new(),
        };
        let request = &self.case["request"];
        let mut method = normalize_method(request["method"].as_str().unwrap_or("GET"));
        let mut origin = self.page();
        let headers = self.headers();
        let headers: Vec<_> = headers
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        let mut current = self.url(0);
        for hop in 0_usize.. {
            let answers = hop
                .checked_sub(1)
                .map_or(self.case, |then| &self.case["then"][then]);
            let url = Url {
                scheme: "http".into(),
                host: "localhost".into(),
                port: Some(9000),
                path: format!("/{hop}"),
                query: None,
            };
            let forced = request["upload_listener"] == true;
            if needs_preflight(&method, &headers) || forced {
                let names = unsafe_request_headers(&headers);
                let names: Vec<_> = names.iter().map(String::as_str).collect();
                let preflight = Request::preflight(url.clone(), &origin, &method, &names);
                let joined = preflight.header("access-control-request-headers");
                happened.preflights.push((method.clone(), joined));
                let response = self.response(&answers["preflight"], &origin);
                let check = preflight_check(&preflight, &response, self.include());
                assert_ne!(check, Check::Unknown);
                if let Check::Fail(failure) = check {
                    happened.failure = Some(failure);
                    happened.console = self.failed(&current, failure, &preflight, &response);
                    return (happened, None);
                }
            }
            let actual = Request {
                method: method.clone(),
                ..Request::actual(url, Some(&origin))
            };
            let response = self.response(&answers["actual"], &origin);
            let check = cors_check(&actual, &response, self.include());
            assert_ne!(check, Check::Unknown);
            if let Check::Fail(failure) = check {
                happened.failure = Some(failure);
                happened.console = self.failed(&current, failure, &actual, &response);
                return (happened, None);
            }
            let status = response.status().expect("a status");
            let location = response
                .value("location")
                .known()
                .flatten()
                .filter(|_| matches!(status, 301 | 302 | 303 | 307 | 308));
            let Some(location) = location else {
                return (happened, Some(response));
            };
            if status == 303 || (status < 303 && method == "POST") {
                method = "GET".into();
            }
            // Fetch standard, "HTTP-redirect fetch": the second foreign origin taints it.
            if origin_of(&current) != origin_of(&location) && origin_of(&current) != origin {
                origin = "null".into();
            }
            current = location;
        }
        unreachable!("a chain of redirects ends")
    }

    fn recorded(&self) -> Happened {
        let result = &self.case["result"];
        let console = result["console"].as_str().map(|text| self.filled(text, ""));
        let sent = result["sent"].as_array().expect("requests");
        let preflights = sent
            .iter()
            .filter(|request| request["preflight"] == true)
            .map(|request| {
                let method = request["request_method"].as_str().expect("a method");
                (
                    method.into(),
                    request["request_headers"].as_str().map(Into::into),
                )
            })
            .collect();
        Happened {
            failure: (result["verdict"] == "blocked").then(|| failure_of(console.as_deref())),
            console,
            preflights,
        }
    }
}

fn origin_of(url: &str) -> String {
    let url: Vec<_> = url.splitn(4, '/').collect();
    url[..3].join("/")
}

fn pairs(headers: &Value) -> Vec<(String, String)> {
    let headers = headers.as_array().map(Vec::as_slice).unwrap_or_default();
    headers
        .iter()
        .map(|pair| {
            let text = |at: usize| pair[at].as_str().expect("a header").to_owned();
            (text(0), text(1))
        })
        .collect()
}

/// The kind of failure by the words of the console.
fn failure_of(console: Option<&str>) -> Failure {
    let console = console.expect("a blocked request leaves a text");
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
    ];
    let found = words.iter().find(|(words, _)| console.contains(words));
    found.expect("a known text").1
}

#[test]
fn the_browser_is_foretold() {
    let span = Sources::new().add("a".into(), "a".into()).span();
    let mut differences = Vec::new();
    let mut replayed = 0;
    for case in cases().iter().filter(|case| is_replayed(case)) {
        replayed += 1;
        let case = Case::new(case, span);
        let (ours, recorded) = (case.ours().0, case.recorded());
        if ours != recorded {
            let name = &case.case["name"];
            differences.push(format!(
                "{name}\n  ours     {ours:?}\n  recorded {recorded:?}"
            ));
        }
    }
    assert!(differences.is_empty(), "{}", differences.join("\n"));
    assert_eq!(replayed, 296);
}

#[test]
fn what_is_left_out_exists() {
    let cases = cases();
    for (kind, _) in OTHER_KINDS {
        assert!(cases.iter().any(|case| case["kind"] == kind), "{kind}");
    }
    for (name, _) in OTHER_CASES {
        assert!(cases.iter().any(|case| case["name"] == name), "{name}");
    }
}

#[test]
fn readable_headers_are_foretold() {
    let span = Sources::new().add("a".into(), "a".into()).span();
    let all = cases();
    let exposing: Vec<_> = all.iter().filter(|case| case["kind"] == "expose").collect();
    assert!(!exposing.is_empty());
    for case in exposing {
        let case = Case::new(case, span);
        let (_, response) = case.ours();
        let response = response.expect("an answer");
        let names = response.headers.iter().map(|line| line.name.to_lowercase());
        let mut ours: Vec<_> = names
            // The recording server adds it.
            .chain(std::iter::once("content-length".to_owned()))
            .filter(|name| exposes(&response, name, case.include()) == Known::Known(true))
            .collect();
        ours.sort();
        ours.dedup();
        let recorded = case.case["result"]["readable_headers"].as_array();
        let recorded: Vec<_> = recorded
            .expect("names")
            .iter()
            .map(|name| name.as_str().expect("a name").to_owned())
            .collect();
        assert_eq!(ours, recorded, "{}", case.case["name"]);
    }
}

#[test]
fn the_second_preflight_is_foretold() {
    let span = Sources::new().add("a".into(), "a".into()).span();
    let mut seen = BTreeMap::new();
    for case in cases() {
        let repeat = &case["result"]["repeat"];
        let Some(sent) = repeat["preflight_sent"].as_bool() else {
            continue;
        };
        let headers = pairs(&case["preflight"]["headers"]);
        let values: Vec<_> = headers
            .iter()
            .filter(|(name, _)| name == "access-control-max-age")
            .map(|(_, value)| value.as_str())
            .collect();
        let value = (!values.is_empty()).then(|| values.join(", "));
        let seconds = preflight_cache_seconds(Browser::Chrome, value.as_deref());
        // A preflight that failed is not kept.
        let failed = Case::new(&case, span).ours().0.failure == Some(Failure::Method);
        assert_eq!(sent, failed || seconds == 0, "{}", case["name"]);
        *seen.entry(sent).or_insert(0) += 1;
    }
    assert_eq!(seen.len(), 2, "{seen:?}");
}

/// Headers with values that a careless or hostile hand could add.
const LINES: [(&str, &str); 24] = [
    ("Access-Control-Allow-Origin", ""),
    ("Access-Control-Allow-Origin", "*"),
    ("Access-Control-Allow-Origin", "**"),
    ("Access-Control-Allow-Origin", "null"),
    ("Access-Control-Allow-Origin", "https://evil.example"),
    ("Access-Control-Allow-Origin", "https://evil.example/"),
    ("Access-Control-Allow-Origin", "https://evil.example:443"),
    ("Access-Control-Allow-Origin", "HTTPS://evil.example"),
    ("Access-Control-Allow-Origin", "https://evil.example, *"),
    ("Access-Control-Allow-Origin", "https://a.example"),
    ("Access-Control-Allow-Credentials", "true"),
    ("Access-Control-Allow-Credentials", "false"),
    ("Access-Control-Allow-Methods", "PUT"),
    ("Access-Control-Allow-Methods", "*"),
    ("Access-Control-Allow-Methods", "a b"),
    ("Access-Control-Allow-Headers", "x-a"),
    ("Access-Control-Allow-Headers", "*"),
    ("Access-Control-Allow-Headers", "a b"),
    ("Access-Control-Expose-Headers", "*"),
    ("Access-Control-Max-Age", "600"),
    ("Vary", "Origin"),
    ("Location", "https://evil.example"),
    ("Allow", "PUT"),
    ("Origin", "https://evil.example"),
];

/// A response without an Access-Control-Allow-Origin that names the foreign origin or `*` blocks
/// it, whatever headers it has, and stays so when any other header is added.
#[test]
fn no_other_header_lets_a_foreign_origin_in() {
    let span = Sources::new().add("a".into(), "a".into()).span();
    let line = |(name, value): (&str, &str)| HeaderLine {
        name: name.into(),
        value: Known::Known(value.into()),
        span,
        value_span: None,
        sources: Vec::new(),
        decided_by: None,
    };
    let url = Url {
        scheme: "https".into(),
        host: "api.a.example".into(),
        port: None,
        path: "/".into(),
        query: None,
    };
    let origin = "https://evil.example";
    let actual = Request::actual(url.clone(), Some(origin));
    let preflight = Request::preflight(url, origin, "PUT", &["x-a"]);
    let check = |response: &Response, include| {
        [
            cors_check(&actual, response, include),
            preflight_check(&preflight, response, include),
        ]
    };
    let (mut passed, mut blocked) = (0, 0);
    for lines in LINES
        .iter()
        .flat_map(|a| LINES.iter().map(move |b| [*a, *b]))
        .flat_map(|[a, b]| LINES.iter().map(move |c| [a, b, *c]))
    {
        let mut response = Response::new(Known::Known(204), Answer::Handler, Some(span));
        response.headers = lines.into_iter().map(line).collect();
        let is_named = names_it(&response, origin);
        for include in [false, true] {
            for check in check(&response, include) {
                match check {
                    Check::Pass => {
                        assert!(is_named, "{lines:?}");
                        passed += 1;
                    }
                    Check::Fail(_) => blocked += 1,
                    Check::Unknown => unreachable!("everything is known"),
                }
            }
        }
    }
    assert!(passed > 100, "{passed}");
    assert!(blocked > 10_000, "{blocked}");
}

fn names_it(response: &Response, origin: &str) -> bool {
    let mut lines = response.lines("access-control-allow-origin");
    lines.any(|line| matches!(&line.value, Known::Known(value) if value == "*" || value == origin))
}

#[test]
fn names_of_failures_are_unique() {
    let names: std::collections::BTreeSet<_> =
        Failure::ALL.iter().map(|kind| kind.name()).collect();
    assert_eq!(names.len(), Failure::ALL.len());
    for failure in Failure::ALL {
        assert!(!fetch::reason(failure).is_empty());
    }
}
