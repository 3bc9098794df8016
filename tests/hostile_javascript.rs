//! JavaScript that nobody wrote by hand, or that nobody meant: bounded, counted, never a panic.

use corslint::check::{Options, check};
use corslint::report::Report;

use crate::support::TempDir;

const OPEN: &str = "const express = require('express');\nconst cors = require('cors');\n\
    const app = express();\napp.use(cors({ origin: true, credentials: true }));\n\
    app.get('/items', (req, res) => res.json([]));\napp.listen(3000);\n";

fn report(files: &[(&str, String)]) -> Report {
    let folder = TempDir::new();
    for (name, text) in files {
        folder.write(name, text);
    }
    let options = Options {
        paths: vec![folder.path().to_path_buf()],
        ..Options::default()
    };
    let report = check(&options).expect("the rules are right");
    assert_eq!(report.errors, []);
    report
}

fn rules(report: &Report) -> Vec<&str> {
    let findings = report.findings.iter();
    findings.map(|finding| finding.rule.as_str()).collect()
}

#[test]
fn what_stands_around_a_syntax_error_is_read() {
    let report = report(&[("app.js", format!("{OPEN}const = }} ) function ((\n"))]);
    assert_eq!(rules(&report), ["any-origin-with-credentials"]);
}

#[test]
fn nesting_without_end_is_bounded() {
    for (open, close) in [
        ("[", "]"),
        ("(", ")"),
        ("{a:", "}"),
        ("() => ", "1"),
        ("!", "x"),
    ] {
        let deep = format!(
            "const deep = {}0{};\n",
            open.repeat(20_000),
            close.repeat(20_000)
        );
        report(&[("app.js", format!("{OPEN}{deep}"))]);
    }
}

#[test]
fn a_bundle_is_skipped_and_named() {
    let report = report(&[
        ("app.js", OPEN.into()),
        (
            "bundle.js",
            format!("{}app.use(cors());", "a=1;".repeat(2_500_000)),
        ),
    ]);
    assert_eq!(rules(&report), ["any-origin-with-credentials"]);
    let skipped = report
        .skipped
        .iter()
        .filter_map(|problem| problem.path.as_ref());
    assert_eq!(
        skipped.filter(|path| path.ends_with("bundle.js")).count(),
        1
    );
}

#[test]
fn imports_in_a_circle_end() {
    let one = "const other = require('./two');\nexports.options = { origin: true, credentials: true };\nexports.other = () => other;\n";
    let two = "const one = require('./one');\nexports.cors = () => one.options;\n";
    let app = "const cors = require('cors');\nconst app = require('express')();\nconst two = require('./two');\n\
        app.use(cors(two.cors()));\napp.get('/items', (req, res) => res.json([]));\n";
    let report = report(&[
        ("app.js", app.into()),
        ("one.js", one.into()),
        ("two.js", two.into()),
    ]);
    // What the circle leaves undone is unknown, or known: never wrong.
    assert!(
        rules(&report)
            .iter()
            .all(|rule| *rule == "any-origin-with-credentials")
    );
}

#[test]
fn a_huge_list_of_origins_is_read() {
    let origins: Vec<String> = (0..50_000)
        .map(|number| format!("'https://a{number}.example.com'"))
        .collect();
    let app = format!(
        "const app = require('express')();\nconst cors = require('cors');\napp.use(cors({{ origin: [{}] }}));\n\
         app.get('/items', (req, res) => res.json([]));\n",
        origins.join(",\n")
    );
    assert_eq!(rules(&report(&[("app.js", app)])), [""; 0]);
}
