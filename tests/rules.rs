//! The rule files as a whole: complete, documented, and right about their own examples.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;

use corslint::check::{Options, check};
use corslint::config::Lookup;
use corslint::frameworks;
use corslint::rules::{Definition, Example, Help, Rule, RuleSet, Text, Texts};

use crate::support::TempDir;

/// Every rule of the catalogue.
const CATALOGUE: &[&str] = &[
    // security
    "any-origin-with-credentials",
    "lookalike-origin",
    "null-origin",
    "insecure-origin",
    "shared-host-origin",
    "any-subdomain-with-credentials",
    "development-origin",
    "any-origin",
    "request-derived-origin",
    "header-injection",
    "cache-poisoning",
    "forged-upstream-origin",
    "websocket-any-origin",
    "policy-origin",
    // broken
    "wildcard-with-credentials",
    "missing-always",
    "preflight-after-auth",
    "preflight-unanswered",
    "preflight-without-headers",
    "headers-dropped",
    "actual-without-headers",
    "preflight-redirected",
    "invalid-origin",
    "duplicate-allow-origin",
    "malformed-header",
    "invalid-credentials-value",
    "method-not-allowed",
    "header-not-allowed",
    "wildcard-is-literal",
    "authorization-not-covered",
    "rejected-by-framework",
    "never-answers",
    "stateful-pattern",
    "middleware-order",
    "cors-not-active",
    "path-scope",
    "spa-fallback-lost",
    "header-stripped",
    "csrf-blocks-origin",
    "cookie-not-sent",
    // no effect
    "conflicting-settings",
    "unmatched-wildcard",
    "unknown-option",
    "wrong-type",
    "private-network-obsolete",
    "client-sets-response-header",
    "opaque-response",
    // hygiene
    "missing-vary",
    "max-age-capped",
    "preflight-not-cached",
    "rejects-without-origin",
    "deprecated-setting",
    // of the program itself
    "syntax-error",
    "unused-suppression",
    "unknown-rule",
];

fn rules() -> std::sync::Arc<RuleSet> {
    RuleSet::builtin().expect("the built-in rules load")
}

/// Runs `test` on every rule and fails with all complaints.
#[track_caller]
fn for_each_rule(test: impl Fn(&Rule) -> Vec<String>) {
    let rules = rules();
    let mut complaints = String::new();
    for rule in rules.rules() {
        for complaint in test(rule) {
            let _ = writeln!(complaints, "{}: {complaint}", rule.definition.id);
        }
    }
    assert!(complaints.is_empty(), "\n{complaints}");
}

#[test]
fn the_catalogue_is_covered() {
    let rules = rules();
    let defined: BTreeSet<&str> = rules
        .rules()
        .map(|rule| rule.definition.id.as_str())
        .collect();
    let catalogue: BTreeSet<&str> = CATALOGUE.iter().copied().collect();
    assert_eq!(defined, catalogue);
}

#[test]
fn expressions_paths_labels_and_placeholders_are_known() {
    for_each_rule(|rule| rule.check().err().into_iter().collect());
}

#[test]
fn texts_are_written_as_agreed() {
    for_each_rule(|rule| {
        let definition = &rule.definition;
        let mut complaints = Vec::new();
        for text in texts(&definition.message) {
            let first = text.chars().next().unwrap_or(' ');
            if text.trim() != text || text.is_empty() {
                complaints.push(format!("message with spaces around it or none: {text:?}"));
            }
            if first.is_uppercase() || text.ends_with('.') || text.contains('\n') {
                complaints.push(format!(
                    "a message is one line, starts in lower case and has no dot at its end: {text:?}"
                ));
            }
        }
        let places = definition.primary.as_slice().iter();
        let labels = places
            .chain(&definition.related)
            .filter_map(|place| place.text.as_ref());
        let notes = definition.notes.iter().map(text_of);
        for text in labels.flat_map(texts).chain(notes) {
            if text.ends_with('.') || text.contains('\n') || text.trim() != text {
                complaints.push(format!(
                    "labels and notes are one line without a dot: {text:?}"
                ));
            }
        }
        for place in &definition.related {
            if place.text.is_none() {
                complaints.push("a related place says nothing".into());
            }
        }
        complaints
    });
}

#[test]
fn every_rule_is_documented() {
    for_each_rule(|rule| {
        let definition = &rule.definition;
        let docs = rule.docs().expect("readers' part");
        let mut complaints = Vec::new();
        let summary = docs.summary();
        if !summary.ends_with('.')
            || summary.len() > 200
            || summary.contains('\n') && summary.len() > 200
        {
            complaints.push(format!(
                "the explanation starts with one short sentence: {summary:?}"
            ));
        }
        if docs.explanation.trim().split("\n\n").count() < 3 {
            complaints.push("the explanation says what, why and how to repair".into());
        }
        if docs.references.is_empty() {
            complaints.push("no references".into());
        }
        for reference in &docs.references {
            let weakness = reference.strip_prefix("CWE-");
            let known = reference.starts_with("https://")
                || weakness.is_some_and(|number| number.bytes().all(|byte| byte.is_ascii_digit()));
            if !known {
                complaints.push(format!("neither an address nor a weakness: {reference:?}"));
            }
        }
        let since: Vec<_> = docs.since.split('.').map(str::parse::<u16>).collect();
        if since.len() != 3 || since.iter().any(Result::is_err) {
            complaints.push(format!("`since` is no version: {:?}", docs.since));
        }
        if definition.help.is_none() {
            complaints.push("no help".into());
        }
        complaints
    });
}

#[test]
fn every_framework_that_a_rule_speaks_of_has_examples() {
    let known: Vec<&str> = frameworks::ALL
        .iter()
        .map(|framework| framework.name)
        .collect();
    for_each_rule(|rule| {
        let definition = &rule.definition;
        let docs = rule.docs().expect("readers' part");
        let mut claimed: BTreeSet<&str> = BTreeSet::new();
        let examples = || docs.bad.iter().chain(&docs.good);
        claimed.extend(examples().map(|example| example.framework.as_str()));
        if let Some(Help::PerFramework(map)) = &definition.help {
            // `framework.spelling` is a part of the framework.
            let names = map.keys().filter_map(|name| name.split('.').next());
            claimed.extend(names.filter(|name| *name != "any"));
        }
        let mut complaints = Vec::new();
        if claimed.is_empty() {
            complaints.push("no examples".into());
        }
        for framework in claimed {
            let count = |examples: &[Example]| {
                let of_it = examples
                    .iter()
                    .filter(|example| example.framework == framework);
                of_it.count()
            };
            if count(&docs.bad) < 2 || count(&docs.good) < 2 {
                complaints.push(format!(
                    "fewer than two bad or two good examples for {framework}"
                ));
            }
            if !known.contains(&framework) {
                complaints.push(format!(
                    "examples for {framework}, which corslint does not read"
                ));
            }
        }
        for example in &docs.bad {
            if marked(&example.code, &definition.id).is_empty() {
                complaints.push(format!("a bad example marks no line: {}", title(example)));
            }
        }
        for example in &docs.good {
            if example.code.contains("# ~ ") || example.code.contains("// ~ ") {
                complaints.push(format!("a good example marks a line: {}", title(example)));
            }
        }
        if let Some(example) = examples().find(|example| example.title.is_none()) {
            complaints.push(format!("an example without a title: {}", example.code));
        }
        complaints
    });
}

#[test]
fn examples_are_reported_exactly_where_they_are_marked() {
    for_each_rule(|rule| {
        let docs = rule.docs().expect("readers' part");
        let examples = docs.bad.iter().chain(&docs.good);
        examples
            .filter_map(|example| run_example(&rule.definition, example).err())
            .collect()
    });
}

/// Compares the lines that the rule reports with those that are marked.
fn run_example(definition: &Definition, example: &Example) -> Result<(), String> {
    let expected = marked(&example.code, &definition.id);
    let folder = TempDir::new();
    let name = match &example.file {
        Some(name) => name.as_str(),
        None => match example.framework.as_str() {
            "nginx" => "conf.d/site.conf",
            "django" => "settings.py",
            "flask" | "starlette" => "main.py",
            "spring" if example.code.contains("fun ") => "src/main/kotlin/Shop.kt",
            "spring" => "src/main/java/Shop.java",
            "express" => {
                let five = example.code.contains("// Express 5");
                let version = if five { "^5.1.0" } else { "^4.21.2" };
                let package = format!("{{ \"dependencies\": {{ \"express\": \"{version}\" }} }}");
                folder.write("package.json", &package);
                "app.js"
            }
            other => return Err(format!("no usual file name for {other}")),
        },
    };
    let path = folder.write(name, &example.code);
    let config = example.config.as_ref();
    let config = config.map(|text| folder.write("corslint.toml", text));
    let options = Options {
        paths: vec![folder.path().to_path_buf()],
        pedantic: true,
        config: config.map_or(Lookup::Off, Lookup::File),
        ..Options::default()
    };
    let report = check(&options).map_err(|error| error.to_string())?;
    let title = title(example);
    if let Some(problem) = report.errors.first() {
        return Err(format!("{title}: {}", problem.text));
    }
    if report.summary.files != 1 {
        return Err(format!(
            "{title}: the file is not read: {:?}",
            report.skipped
        ));
    }
    let mut reported = BTreeSet::new();
    let mut all = String::new();
    for finding in &report.findings {
        let file = report.sources.get(finding.primary.span.file);
        let line = file.position(finding.primary.span.start).line;
        let _ = write!(all, "\n    {line}: {}: {}", finding.rule, finding.message);
        if finding.rule == definition.id && file.path() == Path::new(&path) {
            reported.insert(line);
        }
    }
    if reported == expected {
        return Ok(());
    }
    let undecided = report.summary.undecided.get(&definition.id).copied();
    Err(format!(
        "{title}: reported lines {reported:?}, marked {expected:?}, undecided {}; all findings:{all}\n{}",
        undecided.unwrap_or_default(),
        numbered(&example.code)
    ))
}

/// The lines that end in the marker of `rule`, counted from 1.
fn marked(code: &str, rule: &str) -> BTreeSet<usize> {
    let marks = |line: &str| {
        let comment = ["# ~ ", "// ~ "];
        comment.iter().any(|mark| {
            let behind = line.rsplit_once(mark);
            // Comments of XML have an end.
            behind.is_some_and(|(_, id)| id.trim_end().trim_end_matches("-->").trim_end() == rule)
        })
    };
    let lines = code.lines().enumerate();
    lines
        .filter(|(_, line)| marks(line))
        .map(|(index, _)| index + 1)
        .collect()
}

fn title(example: &Example) -> String {
    format!(
        "{} example {:?}",
        example.framework,
        example.title.as_deref().unwrap_or_default()
    )
}

fn numbered(code: &str) -> String {
    let lines = code.lines().enumerate();
    lines.fold(String::new(), |mut text, (index, line)| {
        let _ = writeln!(text, "    {:>3} {line}", index + 1);
        text
    })
}

fn text_of(text: &Text) -> &str {
    match text {
        Text::Plain(text) => text,
        Text::Case(case) => &case.text,
    }
}

fn texts(texts: &Texts) -> Vec<&str> {
    match texts {
        Texts::One(text) => vec![text],
        Texts::Many(texts) => texts.iter().map(text_of).collect(),
    }
}

/// Every rule that can apply to an Express program has examples for it; those that cannot are known,
/// with the reason.
#[test]
fn rules_without_express_examples_cannot_apply_there() {
    const NOT_THERE: [(&str, &str); 10] = [
        ("cache-poisoning", "nginx's own cache"),
        ("csrf-blocks-origin", "a list of Django's and of Spring's"),
        ("forged-upstream-origin", "a proxy's rewriting"),
        ("header-injection", "Node refuses line breaks in headers"),
        ("headers-dropped", "nginx's inheritance"),
        ("missing-always", "Express sends headers with every status"),
        ("spa-fallback-lost", "nginx's `if`"),
        ("syntax-error", "nginx's own check"),
        ("unknown-rule", "about comments"),
        ("unused-suppression", "about comments"),
    ];
    let rules = RuleSet::builtin().expect("the rules are right");
    let without: Vec<&str> = rules
        .rules()
        .filter(|rule| {
            let docs = rule.docs().expect("the rules are right");
            let shown = |examples: &[Example]| {
                examples
                    .iter()
                    .any(|example| example.framework == "express")
            };
            !(shown(&docs.bad) && shown(&docs.good))
        })
        .map(|rule| rule.definition.id.as_str())
        .collect();
    let known: Vec<&str> = NOT_THERE.iter().map(|(id, _)| *id).collect();
    assert_eq!(without, known);
}
