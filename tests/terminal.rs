//! Both reports over hand-made findings: the same inputs through every format.

use std::path::{Path, PathBuf};

use corslint::model::{
    Application, Assumption, Category, Certainty, Condition, Edit, Finding, Fix, Label, Request,
    Severity, Url,
};
use corslint::report::{Paths, Problem, Report, Style, write_json, write_terminal};
use corslint::source::{SourceFile, Span};

use crate::formats::{assert_formats, assert_valid};
use crate::support::assert_snapshot;

const SITE: &str = r#"map $http_origin $cors {
    default                    "";
    "~^https://.*example\.com$"  $http_origin;
}

server {
    location /api/ {
        add_header Access-Control-Allow-Origin $cors always;
        add_header Access-Control-Allow-Credentials true always;
        include cors.conf;
    }
}
"#;

/// The span of the first `text` in a file.
fn span(file: &SourceFile, text: &str) -> Span {
    let start = file.text().find(text).expect("a text of the file");
    let at = |byte: usize| u32::try_from(byte).expect("a short file");
    Span::new(file.id(), at(start), at(start + text.len()))
}

fn label(span: Span, text: &str) -> Label {
    let text = text.to_owned();
    Label { span, text }
}

fn finding(rule: &str, severity: Severity, message: &str, primary: Label) -> Finding {
    Finding {
        rule: rule.into(),
        category: Category::Security,
        severity,
        certainty: Certainty::Certain,
        message: message.into(),
        primary,
        related: Vec::new(),
        notes: Vec::new(),
        help: None,
        fixes: Vec::new(),
        repairs: Vec::new(),
        request: None,
        conditions: Vec::new(),
        assumes: Vec::new(),
        fingerprint: "0123456789abcdef0123456789abcdef".into(),
        endpoints: vec!["location /api/".into()],
    }
}

fn url(path: &str) -> Url {
    Url {
        scheme: "https".into(),
        host: "api.example.com".into(),
        port: None,
        path: path.into(),
        query: None,
    }
}

/// As `corslint` in `/site` would show it.
fn terminal(report: &Report, color: bool) -> String {
    let mut out = Vec::new();
    let paths = Paths::from(Path::new("/site"));
    let style = Style {
        color,
        links: false,
    };
    write_terminal(report, &paths, style, &mut out).expect("a vector takes everything");
    String::from_utf8(out).expect("UTF-8")
}

fn json(report: &Report) -> String {
    let mut out = Vec::new();
    let paths = Paths::from(Path::new("/site"));
    write_json(report, &paths, &mut out).expect("a vector takes everything");
    String::from_utf8(out).expect("UTF-8")
}

/// Compares both formats with the files of this name, and colours with their absence.
#[track_caller]
fn assert_reports(name: &str, report: &Report) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/snapshots");
    let plain = terminal(report, false);
    assert_eq!(without_colors(&terminal(report, true)), plain);
    assert!(!plain.contains('\u{1b}'), "{plain}");
    assert_snapshot(&folder.join(format!("{name}.txt")), &plain);
    assert_snapshot(&folder.join(format!("{name}.json")), &json(report));
    assert_formats(name, report);
}

/// Takes out what termcolor writes: `ESC [ … m`.
fn without_colors(text: &str) -> String {
    let mut parts = text.split("\u{1b}[");
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (_, rest) = part.split_once('m').expect("a colour ends with m");
        plain.push_str(rest);
    }
    plain
}

/// One finding with everything that a finding can have.
fn full() -> Report {
    let mut report = Report::default();
    let site = report.sources.add("/site/nginx.conf".into(), SITE.into());
    let include = report.sources.add(
        "/site/conf.d/cors.conf".into(),
        "if ($request_method = OPTIONS) {\n    return 204;\n}\n".into(),
    );
    let mut first = finding(
        "lookalike-origin",
        Severity::Error,
        "origins outside example.com are accepted",
        label(
            span(&site, ".*"),
            "nothing separates the domain from what stands before it",
        ),
    );
    first.related = vec![label(
        span(
            &site,
            "add_header Access-Control-Allow-Credentials true always",
        ),
        "credentials are allowed here",
    )];
    first.notes = vec![
        "`https://evilexample.com` is accepted and can read responses with the visitor's cookies"
            .into(),
    ];
    first.help = Some("map $http_origin $cors {\n    \"~^https://([a-z0-9-]+\\.)*example\\.com$\"  $http_origin;\n}\n".into());
    first.fixes = vec![Fix {
        title: "put a dot before the domain".into(),
        edits: vec![Edit {
            span: span(&site, ".*"),
            text: "([a-z0-9-]+\\.)*".into(),
        }],
        safe: true,
    }];
    first.request = Some(Request {
        cookies: true,
        ..Request::actual(url("/api/"), Some("https://evilexample.com"))
    });
    let mut second = finding(
        "preflight-without-headers",
        Severity::Warning,
        "the preflight is answered without `Access-Control-Allow-Origin`",
        label(span(&include, "return 204;"), ""),
    );
    second.category = Category::Broken;
    second.certainty = Certainty::Conditional;
    second.related = vec![
        label(
            span(&include, "if ($request_method = OPTIONS)"),
            "for every preflight",
        ),
        label(
            span(
                &site,
                "location /api/ {\n        add_header Access-Control-Allow-Origin $cors always;",
            ),
            "this location",
        ),
    ];
    second.request = Some(Request::preflight(
        url("/api/"),
        "https://app.example.com",
        "PUT",
        &["content-type"],
    ));
    second.conditions = vec![(
        Condition {
            text: "`NODE_ENV` is \"production\"".into(),
            span: None,
            development: false,
        },
        true,
    )];
    second.assumes = vec![Assumption {
        text: "`$arg_debug` is set".into(),
        holds: false,
        span: Some(span(&include, "if")),
    }];
    let mut third = finding(
        "missing-always",
        Severity::Note,
        "errors lack the header",
        label(span(&site, "$cors always"), ""),
    );
    third.request = Some(Request {
        application: Application::Answers(404),
        symbolic: true,
        ..Request::actual(url("/api/x?y"), Some("https://trusted.example"))
    });
    report.findings = vec![second, first, third];
    report.summary.files = 2;
    report.summary.endpoints = 1;
    report.summary.examined = 7;
    report.summary.excluded = 1;
    report.summary.unknown = 3;
    report.summary.partly = 1;
    report.summary.undecided.insert("missing-vary".into(), 2);
    report.skipped = vec![Problem {
        path: Some("/site/big.conf".into()),
        text: "too large".into(),
    }];
    report.errors = vec![Problem {
        path: None,
        text: "something failed".into(),
    }];
    report
}

#[test]
fn findings_with_everything() {
    assert_reports("full", &full());
}

#[test]
fn nothing_from_a_file_reaches_the_terminal_unseen() {
    let mut report = Report::default();
    let text =
        "add_header X \"\u{1b}]0;owned\u{7}\u{202e}\u{9b}31m\u{200b}\";\r\n\tadd_header\tY z;\r\n";
    let path: PathBuf = "/site/evil\u{1b}[31m\n\u{202e}.conf".into();
    let file = report.sources.add(path.clone(), text.into());
    let hostile = "a \u{1b}[2Jb\nc\u{2066}";
    let mut found = finding(
        "rule\u{1b}[1m",
        Severity::Error,
        hostile,
        label(
            span(&file, "\"\u{1b}]0;owned\u{7}\u{202e}\u{9b}31m\u{200b}\""),
            hostile,
        ),
    );
    found.related = vec![label(span(&file, "\tY"), hostile)];
    found.notes = vec![hostile.into()];
    found.help = Some(hostile.into());
    found.request = Some(Request {
        headers: vec![(hostile.into(), hostile.into())],
        ..Request::actual(url(hostile), Some(hostile))
    });
    found.assumes = vec![Assumption {
        text: hostile.into(),
        holds: true,
        span: Some(found.primary.span),
    }];
    report.findings = vec![found];
    assert_reports("hostile", &report);
}

#[test]
fn long_lines_are_cut_around_the_labels() {
    let mut report = Report::default();
    let filler = "filler ".repeat(100);
    let text = format!("{filler}FIRST {filler}é{filler} SECOND{filler}\nnext\nSHORT\n");
    let file = report.sources.add("/site/min.conf".into(), text);
    let mut found = finding(
        "long-line",
        Severity::Warning,
        "both ends of a long line",
        label(span(&file, "FIRST"), "first"),
    );
    found.related = vec![
        label(span(&file, "SECOND"), "second"),
        label(span(&file, "SHORT"), "third"),
    ];
    // A label longer than what is shown around its ends.
    let start = span(&file, "FIRST");
    let long = finding(
        "long-label",
        Severity::Note,
        "x".repeat(2000).as_str(),
        label(start.to(span(&file, "SECOND")), "long"),
    );
    report.findings = vec![found, long];
    assert_reports("long-lines", &report);
}

#[test]
fn odd_places_are_shown_where_they_can_have_been_meant() {
    let mut report = Report::default();
    let file = report
        .sources
        .add("/site/odd.conf".into(), "\u{feff}aé漢字b\n\tlast".into());
    let empty = report.sources.add("/site/empty.conf".into(), String::new());
    let at = |start, end| label(Span::new(file.id(), start, end), "here");
    let found = |name, primary| finding(name, Severity::Note, "odd", primary);
    report.findings = vec![
        found("wide", label(span(&file, "漢字"), "two wide characters")),
        found("inside-a-character", at(5, 8)),
        found("end-of-file", at(19, 19)),
        found("past-the-end", at(500, 600)),
        found("over-the-end", at(14, 600)),
        found("backwards", at(14, 3)),
        found("over-lines", label(file.span(), "the first line")),
        found("empty-file", label(empty.span(), "nothing here")),
    ];
    assert_reports("odd-places", &report);
}

#[test]
fn many_places_are_counted() {
    let mut report = Report::default();
    let text: String = (0..40).map(|n| format!("line {n:02}\n")).collect();
    let file = report.sources.add("/site/many.conf".into(), text);
    let mut found = finding("many", Severity::Note, "many", label(span(&file, "00"), ""));
    found.related = (1..40)
        .map(|n| label(span(&file, &format!("{n:02}")), "one more"))
        .collect();
    let condition = |n| Condition {
        text: format!("condition {n}"),
        span: None,
        development: true,
    };
    found.conditions = (0..6).map(|n| (condition(n), true)).collect();
    report.findings = vec![found];
    let shown = terminal(&report, false);
    assert_eq!(shown.matches("one more").count(), 10);
    assert!(shown.contains("= and 29 more places\n"), "{shown}");
    assert_eq!(shown.matches("= assumed: condition").count(), 4);
    assert!(shown.contains("= and 2 more conditions\n"), "{shown}");
}

#[test]
fn the_last_line_counts() {
    let last = |report: &Report| {
        let shown = terminal(report, false);
        shown.lines().last().unwrap_or_default().to_owned()
    };
    let mut report = Report::default();
    report.summary.examined = 1;
    assert_eq!(
        last(&report),
        "Nothing to check: no CORS configuration found (1 file looked into)."
    );
    report.summary.files = 1;
    report.summary.endpoints = 2;
    assert_eq!(
        last(&report),
        "No CORS problems found in 1 file (2 endpoints)."
    );
    assert_eq!(
        last(&full()),
        "Found 1 error, 1 warning and 1 note in 2 files (1 endpoint, partly unknown); \
         1 file skipped; 1 folder not looked into; 1 failed."
    );
}

#[test]
fn json_has_the_promised_shape() {
    let value: serde_json::Value = serde_json::from_str(&json(&full())).expect("JSON");
    let keys = |value: &serde_json::Value| {
        let object = value.as_object().expect("an object");
        let mut keys: Vec<_> = object.keys().cloned().collect();
        keys.sort();
        keys.join(" ")
    };
    assert_eq!(keys(&value), "errors findings summary tool version");
    assert_eq!(value["version"], 1);
    let finding = &value["findings"][1];
    assert_eq!(
        keys(finding),
        "assumes category certainty fingerprint fixes help message notes path range related request rule severity"
    );
    assert_eq!(keys(&finding["range"]), "end start");
    assert_eq!(keys(&finding["range"]["start"]), "byte column line");
    assert_eq!(keys(&finding["related"][0]), "path range text");
    // `    "~^https://.*example`: line 3; 15 characters stand before the dot.
    let start = &finding["range"]["start"];
    assert_eq!((&start["line"], &start["column"]), (&3.into(), &16.into()));
    assert_eq!(start["byte"], SITE.find(".*").expect("in the text"));
    assert_eq!(value["summary"]["undecided"]["missing-vary"], 2);
    assert_eq!(value["summary"]["skipped"], 1);
    assert!(json(&full()).ends_with("}\n"));
}

#[test]
fn no_text_and_no_span_breaks_a_report() {
    // A linear congruential generator (Numerical Recipes): the same cases in every run.
    let mut state = 1_u32;
    let mut random = |below: usize| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as usize % below
    };
    let pieces = [
        "a",
        " ",
        "\t",
        "\n",
        "\r\n",
        "\r",
        "é",
        "漢",
        "🗻",
        "\u{1b}",
        "\u{202e}",
        "\u{feff}",
        "e\u{301}",
        "a long piece without anything in it that is longer than what is shown around a label",
    ];
    for _ in 0..500 {
        let mut report = Report::default();
        let text: String = (0..random(60))
            .map(|_| pieces[random(pieces.len())])
            .collect();
        let length = text.len() + 3;
        let file = report.sources.add("/site/x.conf".into(), text);
        let mut place = || {
            let at = |byte| u32::try_from(byte).expect("a short text");
            label(
                Span::new(file.id(), at(random(length)), at(random(length))),
                "here",
            )
        };
        let mut found = finding("random", Severity::Error, "random", place());
        found.related = (0..4).map(|_| place()).collect();
        report.findings = vec![found];
        let shown = terminal(&report, false);
        assert!(shown.starts_with("error[random]: random\n"), "{shown}");
        assert!(shown.contains(" ┌─ x.conf:"), "{shown}");
        assert_eq!(shown.matches("here").count(), 5, "{shown}");
        assert!(!shown.contains(['\u{1b}', '\u{202e}', '\r']), "{shown}");
        assert_valid(&report);
        let value: serde_json::Value = serde_json::from_str(&json(&report)).expect("JSON");
        assert_eq!(
            value["findings"][0]["related"].as_array().map(Vec::len),
            Some(4)
        );
    }
}
