//! What holds of every exchange, whatever the server answers.

use corslint::explain::recognise;
use corslint::fetch::{Browser, Call, Check, Initiator, cors_check, play, preflight_check};
use corslint::model::{Answer, HeaderLine, Known, Request, Response, Url};
use corslint::source::{Sources, Span};
use proptest::prelude::*;

const FOREIGN: &str = "https://evil.example";
const ACAO: &str = "Access-Control-Allow-Origin";

const NAMES: [&str; 10] = [
    ACAO,
    "access-control-allow-ORIGIN",
    "Access-Control-Allow-Credentials",
    "Access-Control-Allow-Methods",
    "Access-Control-Allow-Headers",
    "Access-Control-Expose-Headers",
    "Access-Control-Max-Age",
    "Vary",
    "Location",
    "Allow",
];

const VALUES: [&str; 20] = [
    "*",
    "null",
    "",
    FOREIGN,
    "https://evil.example/",
    "HTTPS://evil.example",
    "https://evil.example:443",
    "https://a.example",
    "https://a.example, *",
    "true",
    "True",
    "PUT",
    "PUT, x-a",
    "GET; PUT",
    "x-a",
    "X-A, content-type",
    "x a",
    "600",
    "Origin",
    "\"*\"",
];

fn span() -> Span {
    Sources::new().add("a".into(), "a".into()).span()
}

fn line(name: &str, value: Known<String>, span: Span) -> HeaderLine {
    HeaderLine {
        name: name.into(),
        value,
        span,
        value_span: None,
        sources: Vec::new(),
        decided_by: None,
    }
}

/// A header that a careless or hostile hand could write, or any text.
fn header() -> impl Strategy<Value = (String, String)> {
    let value = prop_oneof![
        4 => prop::sample::select(&VALUES[..]).prop_map(str::to_owned),
        1 => "[ -~]{0,20}",
    ];
    (
        prop::sample::select(&NAMES[..]).prop_map(str::to_owned),
        value,
    )
}

fn response(status: u16, headers: &[(String, String)]) -> Response {
    let span = span();
    let mut response = Response::new(Known::Known(status), Answer::Handler, Some(span));
    let lines = headers.iter();
    response.headers = lines
        .map(|(name, value)| line(name, Known::Known(value.clone()), span))
        .collect();
    response
}

fn responses() -> impl Strategy<Value = Response> {
    let statuses = prop::sample::select(&[200, 204, 204, 200, 301, 401, 404, 500][..]);
    (statuses, prop::collection::vec(header(), 0..6))
        .prop_map(|(status, headers)| response(status, &headers))
}

fn url() -> Url {
    let url = url::Url::parse("https://api.example.com/a").expect("a URL");
    Url::of(&url).expect("a web URL")
}

/// Both checks, without and with credentials, for an origin.
fn checks(origin: &str, response: &Response) -> [Check; 4] {
    let actual = Request::actual(url(), Some(origin));
    let preflight = Request::preflight(url(), origin, "PUT", &["x-a"]);
    [
        cors_check(&actual, response, false),
        cors_check(&actual, response, true),
        preflight_check(&preflight, response, false),
        preflight_check(&preflight, response, true),
    ]
}

/// Does a line name the origin, or everybody?
fn names(name: &str, value: &str, origin: &str) -> bool {
    name.eq_ignore_ascii_case(ACAO)
        && matches!(value.trim(), value if value == "*" || value == origin)
}

fn is_named(response: &Response, origin: &str) -> bool {
    let mut lines = response.headers.iter();
    lines.any(|line| matches!(&line.value, Known::Known(value) if names(&line.name, value, origin)))
}

fn call(method: &str, headers: Vec<(String, String)>, include: bool, xhr: bool) -> Call {
    let target = url::Url::parse("https://api.example.com/a").expect("a URL");
    Call {
        initiator: if xhr {
            Initiator::Xhr
        } else {
            Initiator::Fetch
        },
        method: method.into(),
        headers,
        include,
        ..Call::get("https://a.example", target)
    }
}

fn calls() -> impl Strategy<Value = Call> {
    let methods = prop::sample::select(&["GET", "POST", "PUT", "patch", "DELETE"][..]);
    let headers = prop::sample::subsequence(
        vec![
            ("X-A".to_owned(), "1".to_owned()),
            ("Content-Type".to_owned(), "application/json".to_owned()),
            ("Authorization".to_owned(), "x".to_owned()),
        ],
        0..=3,
    );
    (methods, headers, any::<bool>(), any::<bool>())
        .prop_map(|(method, headers, include, xhr)| call(method, headers, include, xhr))
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, max_global_rejects: 1_000_000, ..ProptestConfig::with_cases(1000) })]

    /// Adding a header never turns a foreign origin's block into an allowance unless it names that
    /// origin, `*` or `null`.
    #[test]
    fn no_other_header_lets_a_foreign_origin_in(
        before in responses(),
        (name, value) in header(),
        null in any::<bool>(),
    ) {
        let origin = if null { "null" } else { FOREIGN };
        prop_assume!(!is_named(&before, origin));
        prop_assert!(!checks(origin, &before).contains(&Check::Pass));
        prop_assume!(!names(&name, &value, origin));
        let mut after = before;
        after.headers.push(line(&name, Known::Known(value), span()));
        prop_assert!(!checks(origin, &after).contains(&Check::Pass));
    }

    /// Two Access-Control-Allow-Origin lines let nobody in, even if both say the same.
    #[test]
    fn two_lines_let_nobody_in(
        response in responses(),
        values in prop::array::uniform2(prop::sample::select(&VALUES[..])),
    ) {
        let mut response = response;
        let lines = values.map(|value| line(ACAO, Known::Known(value.into()), span()));
        response.headers.extend(lines);
        prop_assert!(!checks(FOREIGN, &response).contains(&Check::Pass));
    }

    /// Who may read with credentials may read without.
    #[test]
    fn credentials_ask_for_more(response in responses()) {
        let [actual, with, preflight, preflight_with] = checks("https://a.example", &response);
        prop_assert!(with != Check::Pass || actual == Check::Pass);
        prop_assert!(preflight_with != Check::Pass || preflight == Check::Pass);
    }

    /// What is told of a response with an unknown value is told of it with every value.
    #[test]
    fn unknown_never_guesses(response in responses(), at in any::<prop::sample::Index>()) {
        prop_assume!(!response.headers.is_empty());
        let mut unknown = response.clone();
        let at = at.index(unknown.headers.len());
        unknown.headers[at].value = Known::Unknown;
        let known = checks(FOREIGN, &response);
        for (known, unknown) in known.iter().zip(checks(FOREIGN, &unknown)) {
            let blocks = |check: &Check| check.failure().is_some();
            prop_assert!(
                unknown == Check::Unknown
                    || (unknown == Check::Pass) == (*known == Check::Pass)
                        && blocks(&unknown) == blocks(known)
            );
        }
    }

    /// The order of headers of different names does not matter.
    #[test]
    fn order_does_not_matter(response in responses()) {
        let mut sorted = response.clone();
        sorted.headers.sort_by_key(|line| line.name.to_lowercase());
        prop_assert_eq!(checks(FOREIGN, &response), checks(FOREIGN, &sorted));
    }

    /// Browsers agree on the outcome where the script sets nothing that they treat differently, and the
    /// words of each are recognised as what they stand for.
    #[test]
    fn browsers_agree_and_their_words_are_recognised(
        call in calls(),
        preflight in responses(),
        actual in responses(),
    ) {
        let play = |browser| play(&call, browser, |request| {
            if request.is_preflight() { preflight.clone() } else { actual.clone() }
        });
        let chrome = play(Browser::Chrome);
        for browser in [Browser::Chrome, Browser::Firefox, Browser::Safari] {
            let played = play(browser);
            prop_assert_eq!(played.check, chrome.check);
            let (Check::Fail(failure), Some(console)) = (played.check, &played.console) else {
                continue;
            };
            let found = recognise(console);
            prop_assert_eq!(found.len(), 1, "{}", console);
            let told: Vec<&str> = found[0].kinds.iter().map(String::as_str).collect();
            let same = told.contains(&failure.name()) || others_words(browser, &told);
            prop_assert!(same, "{} for {}: {}", told.join(" "), failure.name(), console);
            prop_assert_eq!(found[0].url.as_deref(), Some(&*played.steps.last().expect("a step").url));
        }
    }

    #[test]
    fn no_text_is_too_odd(text in "\\PC{0,200}") {
        let _ = recognise(&text);
    }
}

/// Firefox and Safari have one text for several of Chromium's kinds, or complain in another order.
fn others_words(browser: Browser, told: &[&str]) -> bool {
    match browser {
        Browser::Chrome => false,
        Browser::Firefox => told
            .iter()
            .any(|kind| matches!(*kind, "acao-mismatch" | "method")),
        Browser::Safari => told.contains(&"preflight-status"),
    }
}
