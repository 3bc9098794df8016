//! README shows what the program really prints.

use std::fs;
use std::path::Path;

use crate::support::{BLESS, run};

/// The text between `<!-- name -->` and `<!-- /name -->`, and what stands around it.
fn parts<'a>(text: &'a str, name: &str) -> (&'a str, &'a str, &'a str) {
    let (before, rest) = text
        .split_once(&format!("<!-- {name} -->\n"))
        .expect("a marked part");
    let (part, after) = rest
        .split_once(&format!("<!-- /{name} -->\n"))
        .expect("its end");
    (before, part, after)
}

fn check(name: &str, actual: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    let text = fs::read_to_string(&path)
        .expect("README.md")
        .replace("\r\n", "\n");
    let (before, part, after) = parts(&text, name);
    if std::env::var_os(BLESS).is_some_and(|value| value == "1") {
        let text = format!("{before}<!-- {name} -->\n{actual}<!-- /{name} -->\n{after}");
        fs::write(&path, text).expect("README.md can be written");
        return;
    }
    assert_eq!(part, actual, "README.md is stale; run with {BLESS}=1");
}

#[test]
fn readme_is_true() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let tour = run(root, &["--color", "never", "fixtures/tour"]);
    check("tour", &format!("```text\n{}```\n", tour.stdout));
    let rule = ["--color", "never", "--select", "lookalike-origin"];
    let excerpt = run(root, &[&rule[..], &["fixtures/tour/nginx"]].concat());
    check("excerpt", &format!("```text\n{}```\n", excerpt.stdout));

    let message = "Access to fetch at 'https://api.example.com/v1/orders' from origin 'https://app.example.com' has been \
        blocked by CORS policy: Response to preflight request doesn't pass access control check: No \
        'Access-Control-Allow-Origin' header is present on the requested resource.";
    let explained = run(root, &["explain", message, "fixtures/tour/nginx"]);
    let command = "$ corslint explain \"Access to fetch at 'https://api.example.com/v1/orders' from origin …\" fixtures/tour/nginx";
    check(
        "explain",
        &format!("```text\n{command}\n{}```\n", explained.stdout),
    );

    let rules = corslint::rules::RuleSet::builtin().expect("the rules are right");
    let mut rows: Vec<_> = rules.rules().collect();
    rows.sort_by_key(|rule| (rule.definition.category, rule.definition.id.clone()));
    let mut table = String::from("| rule | what | severity | what it says |\n|---|---|---|---|\n");
    for rule in rows {
        let docs = rule.docs().expect("the rules are right");
        let rule = &rule.definition;
        let severity = rule.severity.names();
        let category = rule.category.name();
        let summary = docs.summary().replace('\n', " ").replace('|', "\\|");
        table.push_str(&format!(
            "| `{}` | {category} | {severity} | {summary} |\n",
            rule.id
        ));
    }
    check("rules", &table);
}
