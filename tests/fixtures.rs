//! Every folder of `fixtures/<framework>/`: exactly the marked lines are reported, and the report
//! reads as `expected.txt` beside them says.
//!
//! A marker stands in a comment at the end of the line of a finding's primary place:
//! `add_header …; # ~ missing-vary, missing-always`. A line that looks like a mistake and is none says
//! so in the same way, `# !~ missing-vary`, and stays silent with pedantic rules as well.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use corslint::check::{Options, check};
use corslint::config::Lookup;
use corslint::report::Report;
use corslint::rules::{FactsRead, Rule, RuleSet};

use crate::support::{TempDir, compare_snapshot, run};

/// Folders of `fixtures/` that hold marked cases.
const MARKED: [&str; 7] = [
    "nginx",
    "express",
    "project",
    "django",
    "flask",
    "starlette",
    "spring",
];

/// Files of a case that say what to ask and what to expect; they are no part of the project.
const BESIDE: [&str; 5] = [
    "answers.txt",
    "requests.toml",
    "recorded.json",
    "expected.txt",
    "expected.json",
];

/// File, line, rule.
type Places = BTreeSet<(PathBuf, usize, String)>;

fn folders(path: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(path).expect("a folder of fixtures");
    let paths = entries.map(|entry| entry.expect("an entry").path());
    // Applications of others, recorded as they are, are not marked.
    let is_case = |path: &PathBuf| path.is_dir() && !path.ends_with("recorded");
    let mut folders: Vec<PathBuf> = paths.filter(is_case).collect();
    folders.sort();
    folders
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder of fixtures") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push(path);
        }
    }
    found
}

/// How a line says what is reported there.
const REPORTED: [&str; 2] = ["# ~ ", "// ~ "];
/// How a line says what is not, although it looks like it.
const SILENT: [&str; 2] = ["# !~ ", "// !~ "];

/// The rule ids that the markers of a text name, by line.
fn marked_with(signs: [&str; 2], text: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let marker = signs.iter().find_map(|sign| line.rsplit_once(sign));
        let Some((_, ids)) = marker else { continue };
        // The end of a comment of XML.
        let ids = ids.trim_end().trim_end_matches("-->");
        found.extend(ids.split(',').map(|id| (index + 1, id.trim().to_owned())));
    }
    found
}

/// Does the case ask for pedantic rules (`pedantic = true` in `requests.toml`)?
fn is_pedantic(case: &Path) -> bool {
    let plan = fs::read_to_string(case.join("requests.toml")).unwrap_or_default();
    plan.lines().any(|line| line == "pedantic = true")
}

fn is_configuration(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str());
    name.is_none_or(|name| !BESIDE.contains(&name))
}

fn marked(case: &Path) -> Places {
    places_with(REPORTED, case)
}

fn places_with(signs: [&str; 2], case: &Path) -> Places {
    let mut places = Places::new();
    for path in files(case).iter().filter(|path| is_configuration(path)) {
        let text = fs::read_to_string(path).expect("a text");
        let name = path.strip_prefix(case).expect("a file of the case");
        let markers = marked_with(signs, &text).into_iter();
        places.extend(markers.map(|(line, id)| (name.to_path_buf(), line, id)));
    }
    places
}

/// A copy of a case, where no other project is around it.
fn copy(case: &Path) -> TempDir {
    let folder = TempDir::new();
    for path in files(case).iter().filter(|path| is_configuration(path)) {
        let name = path.strip_prefix(case).expect("a file of the case");
        folder.write(name, fs::read(path).expect("a readable file"));
    }
    folder
}

fn check_copy(folder: &TempDir, pedantic: bool) -> Report {
    let options = Options {
        paths: vec![folder.path().to_path_buf()],
        pedantic,
        config: Lookup::Nearest,
        ..Options::default()
    };
    check(&options).expect("the rules are right")
}

fn reported(case: &Path, pedantic: bool) -> Places {
    let folder = copy(case);
    let report = check_copy(&folder, pedantic);
    assert_eq!(report.errors, [], "{}", case.display());
    let findings = report.findings.iter().map(|finding| {
        let span = finding.primary.span;
        let file = report.sources.get(span.file);
        let path = file.path();
        let name = path.strip_prefix(folder.path()).unwrap_or(path);
        let line = file.position(span.start).line;
        (name.to_path_buf(), line, finding.rule.clone())
    });
    findings.collect()
}

#[test]
fn fixtures_are_reported_as_marked() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    let mut wrong = String::new();
    for framework in MARKED {
        for case in folders(&root.join(framework)) {
            let (marked, reported) = (marked(&case), reported(&case, is_pedantic(&case)));
            for (path, line, id) in marked.difference(&reported) {
                let path = case.join(path);
                wrong.push_str(&format!("not reported: {}:{line} {id}\n", path.display()));
            }
            for (path, line, id) in reported.difference(&marked) {
                let path = case.join(path);
                wrong.push_str(&format!("not marked:   {}:{line} {id}\n", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}

#[test]
fn fixtures_read_as_expected() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    let mut wrong = String::new();
    for framework in MARKED {
        for case in folders(&root.join(framework)) {
            let expected = case.join("expected.txt");
            if marked(&case).is_empty() {
                assert!(
                    !expected.exists(),
                    "nothing is marked, so {} is stale",
                    expected.display()
                );
                continue;
            }
            let mut arguments = vec!["check", "--color", "never", "."];
            if is_pedantic(&case) {
                arguments.push("--pedantic");
            }
            let output = run(copy(&case).path(), &arguments);
            // What can be repaired is the matter of `tests/fixes.rs`.
            let text = output.stdout.replace("]: [*] ", "]: ");
            if let Err(difference) = compare_snapshot(&expected, &text) {
                wrong.push_str(&difference);
            }
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}

#[test]
fn what_only_looks_like_a_mistake_stays_silent() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    let mut wrong = String::new();
    for framework in MARKED {
        for case in folders(&root.join(framework)) {
            let silent = places_with(SILENT, &case);
            if silent.is_empty() {
                continue;
            }
            // Rules that are not pedantic are reported exactly where they are marked.
            let reported = reported(&case, true);
            for (path, line, id) in silent.intersection(&reported) {
                let path = case.join(path);
                wrong.push_str(&format!("reported: {}:{line} {id}\n", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}

/// Frameworks whose programs are run, so that constructs can be unknown.
const PROGRAMS: [&str; 5] = ["express", "spring", "django", "flask", "starlette"];

/// What a program decides has to be known: of the facts that the rules read over all cases of a
/// framework, one of ten may be unknown.
#[test]
#[expect(clippy::print_stdout, reason = "tests print what they counted")]
fn few_facts_are_unknown() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    for framework in PROGRAMS {
        let mut facts = FactsRead::default();
        for case in folders(&root.join(framework)) {
            facts += check_copy(&copy(&case), true).summary.facts;
        }
        let percent = 100.0 * facts.unknown as f64 / facts.all as f64;
        println!(
            "{framework}: {} of {} facts are unknown ({percent:.1} %)",
            facts.unknown, facts.all
        );
        assert!(facts.all > 1000, "{framework}: {} facts", facts.all);
        assert!(percent < 10.0, "{framework}: {percent:.1} % unknown");
    }
}

/// Rules with examples for a framework are those that it can show, in its own cases or in those of
/// whole projects: reported at least once, and twice not. `endings`: of the files that are looked at; none: all.
fn shows_every_rule_and_its_near_misses(framework: &str, projects: &[PathBuf], endings: &[&str]) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    let ids = |signs| {
        let cases = folders(&root.join(framework)).into_iter();
        let cases = cases.chain(projects.iter().cloned());
        let places = cases.flat_map(move |case| places_with(signs, &case));
        let counts = |path: &PathBuf| {
            let ending = path.extension().and_then(|ending| ending.to_str());
            endings.is_empty() || ending.is_some_and(|ending| endings.contains(&ending))
        };
        let places = places.filter(|(path, ..)| counts(path));
        places.map(|(.., id)| id).collect::<Vec<String>>()
    };
    let (reported, silent) = (ids(REPORTED), ids(SILENT));
    let rules = RuleSet::builtin().expect("the rules are right");
    let mut wrong = String::new();
    for rule in rules.rules() {
        let id = &rule.definition.id;
        if !has_examples(rule, framework) {
            continue;
        }
        if !reported.contains(id) {
            wrong.push_str(&format!("{id} is reported in no case\n"));
        }
        let near = silent.iter().filter(|other| *other == id).count();
        if near < 2 {
            wrong.push_str(&format!("{id} has {near} near misses\n"));
        }
    }
    for id in reported.iter().chain(&silent) {
        if rules.get(id).is_none() {
            wrong.push_str(&format!("no rule is called {id}\n"));
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}

fn has_examples(rule: &Rule, framework: &str) -> bool {
    let docs = rule.docs().expect("the rules are right");
    let mut examples = docs.bad.iter().chain(&docs.good);
    examples.any(|example| example.framework == framework)
}

fn projects() -> Vec<PathBuf> {
    folders(&Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/project"))
}

#[test]
fn nginx_shows_every_rule_and_its_near_misses() {
    shows_every_rule_and_its_near_misses("nginx", &projects(), &[]);
}

#[test]
fn express_shows_every_rule_and_its_near_misses() {
    shows_every_rule_and_its_near_misses("express", &projects(), &[]);
}

#[test]
fn spring_shows_every_rule_and_its_near_misses() {
    let endings = ["java", "kt", "yml", "properties", "xml"];
    shows_every_rule_and_its_near_misses("spring", &projects(), &endings);
}

/// Rules that a family of Python cannot show, and why; every other rule has examples for all three.
const NOT_IN_PYTHON: [(&str, &[&str], &str); 20] = [
    ("cache-poisoning", &PYTHON, "caches of a proxy"),
    (
        "client-sets-response-header",
        &PYTHON,
        "requests of clients and proxies",
    ),
    (
        "csrf-blocks-origin",
        &["flask", "starlette"],
        "no list of trusted origins of their own",
    ),
    (
        "deprecated-setting",
        &["starlette"],
        "no argument was renamed",
    ),
    (
        "duplicate-allow-origin",
        &["django"],
        "a response's headers are a dictionary",
    ),
    ("forged-upstream-origin", &PYTHON, "proxies"),
    (
        "header-injection",
        &PYTHON,
        "Django, Werkzeug and uvicorn refuse a line break",
    ),
    ("header-stripped", &PYTHON, "proxies"),
    ("headers-dropped", &PYTHON, "no block inherits headers"),
    (
        "malformed-header",
        &PYTHON,
        "names and values are arguments of their own",
    ),
    (
        "middleware-order",
        &["flask"],
        "`after_request` sees the answer of every hook and view",
    ),
    (
        "missing-always",
        &PYTHON,
        "no library's headers depend on a status",
    ),
    (
        "never-answers",
        &PYTHON,
        "a function that returns nothing is an error of the framework",
    ),
    ("opaque-response", &PYTHON, "clients"),
    ("path-scope", &["starlette"], "the middleware has no paths"),
    ("spa-fallback-lost", &PYTHON, "try_files"),
    ("stateful-pattern", &PYTHON, "patterns keep no state"),
    (
        "unknown-option",
        &["starlette"],
        "a TypeError: rejected-by-framework",
    ),
    (
        "websocket-any-origin",
        &["django"],
        "Django itself has no WebSockets",
    ),
    ("syntax-error", &PYTHON, "files that nginx refuses"),
];
const PYTHON: [&str; 3] = ["django", "flask", "starlette"];
/// What the linter says of its own comments.
const OF_COMMENTS: [&str; 2] = ["unknown-rule", "unused-suppression"];

/// Whole projects that import one of the packages count for their family.
fn python_shows_every_rule(framework: &str, packages: &[&str]) {
    let imports = |case: &PathBuf| {
        let mut texts = files(case)
            .into_iter()
            .filter(|path| path.extension().is_some_and(|ending| ending == "py"))
            .map(|path| fs::read_to_string(path).expect("a text"));
        texts.any(|text| packages.iter().any(|package| text.contains(package)))
    };
    let projects: Vec<PathBuf> = projects().into_iter().filter(imports).collect();
    shows_every_rule_and_its_near_misses(framework, &projects, &[]);
    let rules = RuleSet::builtin().expect("the rules are right");
    for rule in rules.rules() {
        let id = rule.definition.id.as_str();
        let mut others = NOT_IN_PYTHON.iter();
        let not_here =
            others.any(|(name, families, _)| *name == id && families.contains(&framework));
        if !OF_COMMENTS.contains(&id) {
            assert_eq!(
                has_examples(rule, framework),
                !not_here,
                "{framework}: {id}"
            );
        }
    }
}

#[test]
fn django_shows_every_rule_and_its_near_misses() {
    python_shows_every_rule("django", &["corsheaders", "django"]);
}

#[test]
fn flask_shows_every_rule_and_its_near_misses() {
    python_shows_every_rule("flask", &["from flask import", "from flask_cors import"]);
}

#[test]
fn starlette_shows_every_rule_and_its_near_misses() {
    python_shows_every_rule("starlette", &["from fastapi import", "from starlette."]);
}
