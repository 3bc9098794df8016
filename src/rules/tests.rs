//! The engine on a site made by hand: worlds, scenarios, merging, undecided facts.

use std::path::Path;
use std::sync::Arc;

use super::{Judge, Judged, Rule, RuleSet};
use crate::model::{
    Answer, Assumption, Certainty, Condition, Endpoint, Exposure, HeaderLine, Known, Observation,
    Request, Response, Settings, Severity, Site, Url, World,
};
use crate::source::{Sources, Span};

type Answers = Box<dyn Fn(&Request, &World) -> Vec<Response> + Send + Sync>;

struct Fake {
    conditions: Vec<Condition>,
    endpoints: Vec<Endpoint>,
    answers: Answers,
}

impl Site for Fake {
    fn framework(&self) -> &'static str {
        "fake"
    }
    fn conditions(&self) -> &[Condition] {
        &self.conditions
    }
    fn endpoints(&self) -> &[Endpoint] {
        &self.endpoints
    }
    fn route(&self, _request: &Request) -> Option<usize> {
        Some(0)
    }
    fn respond(&self, _endpoint: usize, request: &Request, world: &World) -> Vec<Response> {
        (self.answers)(request, world)
    }
    fn observations(&self) -> &[Observation] {
        &[]
    }
    fn unknowns(&self) -> &[(Span, String)] {
        &[]
    }
}

fn span(start: u32) -> Span {
    let file = Sources::new().add("fake".into(), " ".repeat(99));
    Span::new(file.id(), start, start + 1)
}

fn endpoint(name: &str) -> Endpoint {
    Endpoint {
        name: name.into(),
        span: span(0),
        url: Url {
            scheme: "https".into(),
            host: "api.example.com".into(),
            port: None,
            path: format!("/{name}"),
            query: None,
        },
        secure: Known::Known(true),
        exposure: Exposure::Public,
        management: false,
        reads_headers: Vec::new(),
        routes: Vec::new(),
        settings: Settings::default(),
    }
}

fn with_origin(value: Known<&str>) -> Response {
    let mut response = Response::new(Known::Known(200), Answer::Handler, None);
    response.headers.push(HeaderLine {
        name: "Access-Control-Allow-Origin".into(),
        value: value.map(Into::into),
        span: span(10),
        value_span: Some(span(20)),
        sources: Vec::new(),
        decided_by: None,
    });
    response
}

fn silent() -> Response {
    Response::new(Known::Known(200), Answer::Handler, None)
}

/// A rule that reports `*`.
fn rules(category: &str) -> RuleSet {
    let text = format!(
        r#"
id = "star"
category = "{category}"
severity = "error"
when = 'foreign.actual.allow_origin == "*"'
message = "sends {{foreign.actual.allow_origin}} to {{foreign.origin}}"
primary = {{ at = "foreign.actual.allow_origin" }}
since = "0.1.0"
explanation = "Stars. More."
"#
    );
    RuleSet::ordered(vec![Rule::added(Path::new("star.toml"), &text).unwrap()]).unwrap()
}

fn judge(category: &str, fake: Fake) -> Judged {
    let rules = rules(category);
    let site: Arc<dyn Site> = Arc::new(fake);
    Judge::new(&rules, false).site(&site)
}

fn condition(text: &str, development: bool) -> Condition {
    Condition {
        text: text.into(),
        span: None,
        development,
    }
}

#[test]
fn a_finding_names_the_world_that_it_needs() {
    let fake = |category: &str| {
        let answers = |_: &Request, world: &World| {
            vec![if world.holds[1] {
                with_origin(Known::Known("*"))
            } else {
                silent()
            }]
        };
        judge(
            category,
            Fake {
                conditions: vec![condition("a", false), condition("b", false)],
                endpoints: vec![endpoint("one")],
                answers: Box::new(answers),
            },
        )
    };
    let judged = fake("security");
    let [finding] = judged.findings.as_slice() else {
        panic!("one finding: {judged:?}")
    };
    assert_eq!(finding.message, "sends * to https://evil.example");
    assert_eq!(finding.primary.span, span(20));
    assert_eq!(finding.conditions, [(condition("b", false), true)]);
    assert_eq!(finding.certainty, Certainty::Conditional);
    assert_eq!(finding.severity, Severity::Error);
    assert!(fake("hygiene").findings.is_empty(), "needs every world");
}

#[test]
fn what_only_development_shows_is_a_note() {
    let answers = |_: &Request, world: &World| {
        vec![if world.holds[0] {
            with_origin(Known::Known("*"))
        } else {
            silent()
        }]
    };
    let judged = judge(
        "broken",
        Fake {
            conditions: vec![condition("DEBUG", true)],
            endpoints: vec![endpoint("one")],
            answers: Box::new(answers),
        },
    );
    assert_eq!(judged.findings[0].severity, Severity::Note);
}

#[test]
fn security_needs_one_possible_response_and_the_rest_all() {
    let fake = |category: &str| {
        let answers = |_: &Request, _: &World| {
            let assume = |holds, mut response: Response| {
                response.assumes.push(Assumption {
                    text: "a cookie is sent".into(),
                    holds,
                    span: None,
                });
                response
            };
            vec![
                assume(true, with_origin(Known::Known("*"))),
                assume(false, silent()),
            ]
        };
        judge(
            category,
            Fake {
                conditions: Vec::new(),
                endpoints: vec![endpoint("one")],
                answers: Box::new(answers),
            },
        )
    };
    let judged = fake("security");
    assert_eq!(judged.findings.len(), 1);
    assert!(judged.findings[0].assumes[0].holds);
    assert!(fake("broken").findings.is_empty());
}

#[test]
fn unknown_is_silent_and_counted() {
    let judged = judge(
        "security",
        Fake {
            conditions: Vec::new(),
            endpoints: vec![endpoint("one"), endpoint("two")],
            answers: Box::new(|_, _| vec![with_origin(Known::Unknown)]),
        },
    );
    assert!(judged.findings.is_empty());
    assert_eq!(judged.undecided.get("star"), Some(&2));
    assert!(judged.wrong.is_empty());
}

#[test]
fn endpoints_with_the_same_place_are_one_finding() {
    let fake = |names: &[&str]| -> Arc<dyn Site> {
        Arc::new(Fake {
            conditions: Vec::new(),
            endpoints: names.iter().map(|name| endpoint(name)).collect(),
            answers: Box::new(|_, _| vec![with_origin(Known::Known("*"))]),
        })
    };
    let rules = rules("security");
    let judge = Judge::new(&rules, false);
    let mut findings = judge.site(&fake(&["one", "two"])).findings;
    assert_eq!(findings.len(), 1);
    assert_eq!(findings[0].endpoints, ["one", "two"]);
    // Another site that includes the same file.
    findings.extend(judge.site(&fake(&["three"])).findings);
    let merged = judge.merge(findings);
    assert_eq!(merged.len(), 1);
    assert_eq!(merged[0].endpoints, ["one", "two", "three"]);
    assert_eq!(merged[0].notes, ["also in two and 1 more"]);
}

#[test]
fn a_place_that_a_better_rule_speaks_of_for_another_endpoint_is_left_to_it() {
    let rule = |id: &str, origin: &str, unless: &str| {
        let text = format!(
            r#"
id = "{id}"
category = "security"
severity = "error"
unless = [{unless}]
when = 'foreign.actual.allow_origin == "{origin}"'
message = "m"
primary = {{ at = "foreign.actual.allow_origin" }}
since = "0.1.0"
explanation = "E."
"#
        );
        Rule::added(Path::new(&format!("{id}.toml")), &text).unwrap()
    };
    let found = |unless: &str| -> Vec<String> {
        let rules = vec![rule("better", "*", ""), rule("worse", "null", unless)];
        let rules = RuleSet::ordered(rules).unwrap();
        let judge = Judge::new(&rules, false);
        let site: Arc<dyn Site> = Arc::new(Fake {
            conditions: Vec::new(),
            endpoints: vec![endpoint("one"), endpoint("two")],
            answers: Box::new(|request, _| {
                let value = if request.url.path == "/one" {
                    "*"
                } else {
                    "null"
                };
                vec![with_origin(Known::Known(value))]
            }),
        });
        let merged = judge.merge(judge.site(&site).findings);
        merged.into_iter().map(|finding| finding.rule).collect()
    };
    assert_eq!(found(""), ["better", "worse"]);
    assert_eq!(found("\"better\""), ["better"]);
}

#[test]
fn alike_endpoints_are_reported_at_their_own_places() {
    let answers = |request: &Request, _: &World| {
        let mut response = with_origin(Known::Known("*"));
        let start = if request.url.path == "/one" { 30 } else { 40 };
        response.headers[0].value_span = Some(span(start));
        vec![response]
    };
    let judged = judge(
        "security",
        Fake {
            conditions: Vec::new(),
            endpoints: vec![endpoint("one"), endpoint("two")],
            answers: Box::new(answers),
        },
    );
    let places: Vec<_> = judged
        .findings
        .iter()
        .map(|finding| finding.primary.span)
        .collect();
    assert_eq!(places, [span(30), span(40)]);
}

#[test]
fn mistakes_in_rules_are_errors() {
    let error = |when: &str| {
        let text = format!(
            "id = \"x\"\ncategory = \"broken\"\nseverity = \"error\"\nwhen = '{when}'\nmessage = \"m\"\n\
             primary = {{ at = \"foreign.actual.allow_origin\" }}\nsince = \"0\"\nexplanation = \"e\""
        );
        let rule = Rule::added(Path::new("x.toml"), &text).unwrap();
        rule.check().unwrap_err()
    };
    assert_eq!(
        error("foreign.actual.alow_origin == null"),
        "an exchange has no fact `alow_origin`"
    );
    assert_eq!(
        error("stranger.origin == null"),
        "an endpoint has no fact `stranger`"
    );
    assert!(error("each.origin == null").starts_with("`each` is used"));
    assert!(
        error("trusted.dropped.exists(d, d.reason == \"stauts\")")
            .starts_with("\"stauts\" is never")
    );
    assert!(error("foreign.").starts_with("cannot parse"));
}
