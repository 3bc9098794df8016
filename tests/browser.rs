//! Replays what a real browser did (`fixtures/browser`): verdict, kind of failure, console text,
//! requests, status, readable headers.

use corslint::fetch::{
    self, Browser, Check, Failure, cors_check, preflight_cache_seconds, preflight_check,
};
use corslint::model::{Answer, HeaderLine, Known, Request, Response, Url};
use corslint::source::Sources;
use std::collections::BTreeMap;

use crate::replay::fidelity::browser::{Case, cases, pairs};

#[test]
fn the_browser_is_foretold() {
    let mut differences = Vec::new();
    let all = cases();
    for case in &all {
        let case = Case::new(case);
        let (ours, recorded) = (case.ours().0, case.recorded(&case.case["result"]));
        if ours != recorded {
            differences.push(format!(
                "{}\n  ours     {ours:?}\n  recorded {recorded:?}",
                case.name()
            ));
        }
    }
    assert!(differences.is_empty(), "{}", differences.join("\n"));
    assert_eq!(all.len(), 316);
}

#[test]
fn the_second_preflight_is_foretold() {
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
        let failed = Case::new(&case).ours().0.failure == Some(Failure::Method);
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
