//! `--fix`, `--unsafe-fixes`, `--diff`: every folder of `fixtures/fixes/` is a project; `safe.diff` says
//! what `--fix` does to it, `unsafe.diff`, if it is there, what `--unsafe-fixes` does besides.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use corslint::check::{Options, check};
use corslint::config::Lookup;
use corslint::fixes::Fixing;
use corslint::fixes::apply::{self, Fixed};
use corslint::model::{Finding, Severity};
use corslint::report::Report;
use corslint::rules::RuleSet;
use rayon::prelude::*;
use serde_json::Value;

use crate::support::{TempDir, compare_snapshot, run};

/// What stands beside the configuration of a case.
const BESIDE: [&str; 7] = [
    "answers.txt",
    "expected.json",
    "expected.txt",
    "recorded.json",
    "requests.toml",
    "safe.diff",
    "unsafe.diff",
];

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures")
}

fn folders(path: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(path).expect("a folder of fixtures");
    let paths = entries.map(|entry| entry.expect("an entry").path());
    let mut folders: Vec<PathBuf> = paths.filter(|path| path.is_dir()).collect();
    folders.sort();
    folders
}

fn copy(from: &Path, to: &TempDir, below: &Path) {
    for entry in fs::read_dir(from).expect("a folder") {
        let path = entry.expect("an entry").path();
        let name = path.file_name().expect("a name");
        if path.is_dir() {
            copy(&path, to, &below.join(name));
        } else if !BESIDE.iter().any(|beside| name == *beside) {
            to.write(below.join(name), fs::read(&path).expect("a readable file"));
        }
    }
}

fn project(case: &Path) -> TempDir {
    let folder = TempDir::new();
    copy(case, &folder, Path::new(""));
    folder
}

fn fixed(folder: &TempDir, fix: Fixing) -> Report {
    let options = Options {
        paths: vec![folder.path().to_path_buf()],
        config: Lookup::Off,
        fix,
        ..Options::default()
    };
    check(&options).expect("a run")
}

fn changes(report: &Report) -> &Fixed {
    report.fixed.as_ref().expect("fixing was asked for")
}

/// What is wrong with what became of a project: a fix that did not end, findings that came, files that
/// cannot be read any more.
fn complaints(before: &Report, folder: &TempDir, fix: Fixing) -> Vec<String> {
    let after = fixed(folder, fix);
    let mut complaints = Vec::new();
    if changes(&after).count() == 0 {
        return complaints;
    }
    let count = |report: &Report| {
        let mut count: BTreeMap<String, usize> = BTreeMap::new();
        for finding in &report.findings {
            *count.entry(finding.rule.clone()).or_default() += 1;
        }
        count
    };
    let (old, new) = (count(before), count(&after));
    for (rule, number) in &new {
        let added = |finding: &&Finding| finding.rule == *rule && finding.severity > Severity::Note;
        let worse = fix == Fixing::Safe || after.findings.iter().any(|finding| added(&finding));
        if old.get(rule).is_none_or(|old| old < number) && worse {
            complaints.push(format!("{rule}: {number} findings afterwards"));
        }
    }
    for rule in changes(&after).rules.keys() {
        if new
            .get(rule)
            .is_some_and(|left| Some(left) >= old.get(rule))
        {
            complaints.push(format!("{rule} was fixed, and is no less there"));
        }
    }
    if after.errors != before.errors || after.skipped != before.skipped {
        complaints.push(format!("{:?}, {:?}", after.errors, after.skipped));
    }
    apply::write(changes(&after)).expect("a writable folder");
    let again = fixed(folder, fix);
    let second = changes(&again).count();
    if second > 0 {
        complaints.push(format!(
            "a second run applies {second} more: {:?}",
            changes(&again).rules
        ));
    }
    let places = |report: &Report| {
        let finding =
            |finding: &corslint::model::Finding| (finding.rule.clone(), finding.primary.span.start);
        let mut places: Vec<_> = report.findings.iter().map(finding).collect();
        places.sort();
        places
    };
    if places(&after) != places(&again) {
        complaints.push("what is reported differs from what a fresh run reports".into());
    }
    complaints
}

#[test]
fn fixes_are_as_written() {
    let cases = folders(&fixtures().join("fixes"));
    assert!(cases.len() > 30);
    let differences = cases.par_iter().flat_map(|case| {
        let folder = project(case);
        let mut differences = Vec::new();
        let mut safe = run(folder.path(), &["--diff"]);
        let mut all = run(folder.path(), &["--diff", "--unsafe-fixes"]);
        // Lines end as those around them do.
        for run in [&mut safe, &mut all] {
            if case.ends_with("crlf-nginx") {
                let text = run.stdout.split('\n');
                let mut added = text.filter(|line| line.starts_with("+ "));
                assert!(added.all(|line| line.ends_with('\r')), "{run:?}");
            }
            run.stdout = run.stdout.replace("\r\n", "\n");
        }
        assert_eq!(safe.code, i32::from(!safe.stdout.is_empty()), "{safe:?}");
        differences.extend(compare_snapshot(&case.join("safe.diff"), &safe.stdout).err());
        let expected = case.join("unsafe.diff");
        if all.stdout != safe.stdout {
            differences.extend(compare_snapshot(&expected, &all.stdout).err());
        } else if expected.exists() {
            differences.push(format!("{}: nothing unsafe", expected.display()));
        }
        if all.stdout.is_empty() {
            differences.push(format!("{}: nothing is fixed", case.display()));
        }
        let before = fixed(&folder, Fixing::No);
        let complaints = complaints(&before, &folder, Fixing::Safe);
        differences.extend(
            complaints
                .iter()
                .map(|text| format!("{}: {text}", case.display())),
        );
        differences
    });
    let differences: Vec<String> = differences.collect();
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

#[test]
fn all_fixtures_and_examples_survive_their_fixes() {
    let mut cases = Vec::new();
    for framework in [
        "nginx",
        "express",
        "project",
        "django",
        "flask",
        "starlette",
        "spring",
    ] {
        cases.extend(folders(&fixtures().join(framework)));
    }
    cases.retain(|case| !case.ends_with("recorded"));
    let projects = cases
        .iter()
        .map(|case| (case.display().to_string(), project(case)));
    let mut projects: Vec<_> = projects.collect();
    let rules = RuleSet::builtin().expect("the built-in rules load");
    for rule in rules.rules().filter(|rule| !rule.definition.fix.is_empty()) {
        for (index, example) in rule.docs().expect("examples").bad.iter().enumerate() {
            let usual = match example.framework.as_str() {
                "nginx" => "nginx.conf",
                "express" => "app.js",
                "spring" => "App.java",
                _ => "settings.py",
            };
            let folder = TempDir::new();
            folder.write(example.file.as_deref().unwrap_or(usual), &example.code);
            projects.push((format!("{} {index}", rule.definition.id), folder));
        }
    }
    let results = projects.par_iter().map(|(name, folder)| {
        let before = fixed(folder, Fixing::No);
        let repairable =
            |finding: &Finding| !finding.repairs.is_empty() || !finding.fixes.is_empty();
        if !before.findings.iter().any(repairable) {
            return (false, Vec::new());
        }
        let complaints = complaints(&before, folder, Fixing::All);
        let named = complaints.iter().map(|text| format!("{name}: {text}"));
        (true, named.collect())
    });
    let results: Vec<(bool, Vec<String>)> = results.collect();
    let complaints: Vec<_> = results
        .iter()
        .flat_map(|(_, texts)| texts.clone())
        .collect();
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
    let tried = results.iter().filter(|(tried, _)| *tried).count();
    assert!(tried > 100, "fixes are tried in {tried} projects only");
}

const MISSING_ALWAYS: &str = "server {\n    location / {\n        add_header Access-Control-Allow-Origin https://app.example.com;\n        proxy_pass http://127.0.0.1:9000;\n    }\n}\n";

#[test]
fn fixing_writes_and_reports_what_is_left() {
    let folder = TempDir::new();
    let text = MISSING_ALWAYS.replace(
        "        proxy_pass",
        "        add_header Access-Control-Allow-Credentials 1;\n        proxy_pass",
    );
    let file = folder.write("site.conf", &text);
    let plain = run(folder.path(), &[]);
    assert_eq!(plain.code, 1);
    assert_eq!(plain.stderr, "[*] 1 fixable with `--fix`.\n", "{plain:?}");
    let run = run(folder.path(), &["--fix"]);
    assert_eq!(run.code, 1, "{run:?}");
    assert_eq!(run.stderr, "1 fix applied.\n");
    assert!(
        run.stdout.starts_with("error[invalid-credentials-value]"),
        "{run:?}"
    );
    assert!(!run.stdout.contains("missing-always"));
    let now = fs::read_to_string(&file).expect("the file");
    assert_eq!(
        now,
        text.replace("example.com;", "example.com always;")
            .replace(" 1;", " 1 always;")
    );
}

#[test]
fn nothing_left_is_a_clean_run() {
    let folder = TempDir::new();
    folder.write("site.conf", MISSING_ALWAYS);
    let first = run(folder.path(), &["--fix"]);
    assert_eq!((first.code, first.stderr.as_str()), (0, "1 fix applied.\n"));
    let second = run(folder.path(), &["--fix"]);
    assert_eq!((second.code, second.stderr.as_str()), (0, ""));
    let diff = run(folder.path(), &["--diff"]);
    assert_eq!(
        (diff.code, diff.stdout.as_str(), diff.stderr.as_str()),
        (0, "", "Nothing to fix.\n")
    );
}

#[test]
fn a_diff_changes_nothing() {
    let folder = TempDir::new();
    let file = folder.write("a b/site.conf", MISSING_ALWAYS);
    let run = run(folder.path(), &["--diff"]);
    assert_eq!(run.code, 1);
    assert_eq!(
        run.stdout,
        "--- a b/site.conf\n+++ a b/site.conf\n@@ -1,6 +1,6 @@\n server {\n     location / {\n\
         -        add_header Access-Control-Allow-Origin https://app.example.com;\n\
         +        add_header Access-Control-Allow-Origin https://app.example.com always;\n         \
         proxy_pass http://127.0.0.1:9000;\n     }\n }\n"
    );
    assert_eq!(run.stderr, "1 fix would be applied.\n");
    assert_eq!(fs::read_to_string(file).expect("the file"), MISSING_ALWAYS);
}

#[test]
fn the_edits_in_json_and_sarif_are_those_that_are_made() {
    for case in folders(&fixtures().join("fixes")) {
        let folder = project(&case);
        let json = run(folder.path(), &["--format", "json"]);
        let json: Value = serde_json::from_str(&json.stdout).expect("JSON");
        let sarif = run(folder.path(), &["--format", "sarif"]);
        let sarif: Value = serde_json::from_str(&sarif.stdout).expect("SARIF");
        let findings = json["findings"].as_array().expect("findings");
        let results = sarif["runs"][0]["results"].as_array().expect("results");
        assert_eq!(findings.len(), results.len());
        let mut offered = 0;
        for (finding, result) in findings.iter().zip(results) {
            let fixes = finding["fixes"].as_array().expect("a list");
            for (index, fix) in fixes.iter().enumerate() {
                offered += 1;
                let mut from_json = Vec::new();
                for edit in fix["edits"].as_array().expect("edits") {
                    let path = edit["path"].as_str().expect("a path");
                    let text = fs::read_to_string(folder.path().join(path)).expect("the file");
                    let (start, end) = (&edit["range"]["start"], &edit["range"]["end"]);
                    for place in [start, end] {
                        let number = |name: &str| place[name].as_u64().expect("a number") as usize;
                        let line = text.split_inclusive('\n').take(number("line") - 1);
                        let before: usize = line.map(str::len).sum();
                        let rest = text[before..].chars().take(number("column") - 1);
                        assert_eq!(
                            before + rest.map(char::len_utf8).sum::<usize>(),
                            number("byte")
                        );
                    }
                    let start = start["byte"].as_u64().expect("a number");
                    let end = end["byte"].as_u64().expect("a number");
                    from_json.push((path.to_owned(), start, end - start, edit["text"].clone()));
                }
                let mut from_sarif = Vec::new();
                for change in result["fixes"][index]["artifactChanges"]
                    .as_array()
                    .expect("changes")
                {
                    let path = change["artifactLocation"]["uri"].as_str().expect("a path");
                    for replacement in change["replacements"].as_array().expect("replacements") {
                        let region = &replacement["deletedRegion"];
                        let start = region["byteOffset"].as_u64().expect("an offset");
                        let length = region["byteLength"].as_u64().expect("a length");
                        let text = replacement["insertedContent"]["text"].clone();
                        from_sarif.push((path.to_owned(), start, length, text));
                    }
                }
                from_json.sort_by_key(|edit| (edit.0.clone(), edit.1));
                from_sarif.sort_by_key(|edit| (edit.0.clone(), edit.1));
                assert_eq!(from_json, from_sarif, "{}", case.display());
            }
        }
        assert!(offered > 0, "{}", case.display());
    }
}

#[test]
fn a_file_that_was_changed_meanwhile_is_left_alone() {
    let folder = TempDir::new();
    let a = folder.write("a.conf", MISSING_ALWAYS);
    let b = folder.write("b.conf", MISSING_ALWAYS);
    let report = fixed(&folder, Fixing::Safe);
    let touched = format!("{MISSING_ALWAYS}# mine\n");
    fs::write(&b, &touched).expect("a writable file");
    let error = apply::write(changes(&report)).expect_err("b was changed");
    assert_eq!(error.path, b);
    assert_eq!(
        error.to_string(),
        "was changed while corslint ran; run it again; no file was changed"
    );
    assert_eq!(fs::read_to_string(a).expect("a file"), MISSING_ALWAYS);
    assert_eq!(fs::read_to_string(b).expect("a file"), touched);
}

#[test]
fn a_file_that_somebody_writes_to_all_the_time_ends_the_run_with_2() {
    use std::io::Write as _;
    use std::sync::atomic::{AtomicBool, Ordering};
    let folder = TempDir::new();
    let a = folder.write("a.conf", MISSING_ALWAYS);
    let b = folder.write("b.conf", MISSING_ALWAYS);
    let done = AtomicBool::new(false);
    let ended = std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut file = fs::File::options().append(true).open(&b).expect("b");
            while !done.load(Ordering::Relaxed) {
                file.write_all(b"# mine\n").expect("a writable file");
                std::thread::sleep(std::time::Duration::from_micros(200));
            }
        });
        let ended = run(folder.path(), &["--fix"]);
        done.store(true, Ordering::Relaxed);
        ended
    });
    assert_eq!((ended.code, ended.stdout.as_str()), (2, ""), "{ended:?}");
    let words =
        "error: b.conf: was changed while corslint ran; run it again; no file was changed\n";
    assert_eq!(ended.stderr, words);
    assert_eq!(fs::read_to_string(&a).expect("a file"), MISSING_ALWAYS);
    let left = fs::read_to_string(&b).expect("a file");
    assert!(
        left.starts_with(MISSING_ALWAYS) && !left.contains("always"),
        "{left}"
    );
    let entries = fs::read_dir(folder.path()).expect("a folder");
    assert_eq!(entries.count(), 2, "nothing is left behind");
}

#[cfg(unix)]
#[test]
fn a_repair_that_cannot_be_written_beside_its_file_ends_the_run_with_2() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = TempDir::new();
    let file = folder.write("conf.d/a.conf", MISSING_ALWAYS);
    let inner = file.parent().expect("a folder");
    fs::set_permissions(inner, fs::Permissions::from_mode(0o555)).expect("permissions");
    // Root may write everywhere.
    let is_root = fs::write(inner.join("probe"), "").is_ok();
    let ended = run(folder.path(), &["--fix"]);
    fs::set_permissions(inner, fs::Permissions::from_mode(0o755)).expect("permissions");
    if !is_root {
        assert_eq!(ended.code, 2, "{ended:?}");
        assert!(
            ended
                .stderr
                .starts_with("error: conf.d/a.conf: cannot be written: "),
            "{ended:?}"
        );
        assert_eq!(fs::read_to_string(&file).expect("a file"), MISSING_ALWAYS);
    }
}

#[cfg(unix)]
#[test]
fn read_only_files_and_links_that_lead_out_are_left_alone() {
    use std::os::unix::fs::{PermissionsExt as _, symlink};
    let folder = TempDir::new();
    let file = folder.write("a.conf", MISSING_ALWAYS);
    fs::set_permissions(&file, fs::Permissions::from_mode(0o444)).expect("permissions");
    let run_ = run(folder.path(), &["--fix"]);
    assert_eq!(run_.code, 2);
    assert_eq!(
        run_.stderr,
        "error: a.conf: cannot be written: it is read-only; no file was changed\n"
    );
    assert_eq!(fs::read_to_string(&file).expect("a file"), MISSING_ALWAYS);
    assert_eq!(
        fs::read_dir(folder.path()).expect("a folder").count(),
        1,
        "nothing is left behind"
    );

    let outside = TempDir::new();
    let target = outside.write("real.conf", MISSING_ALWAYS);
    let link = folder.path().join("link.conf");
    symlink(&target, &link).expect("a link");
    let run_ = run(folder.path(), &["--fix", "link.conf"]);
    assert_eq!(run_.code, 2, "{run_:?}");
    assert!(
        run_.stderr
            .contains("a link that leads out of the project is not followed"),
        "{run_:?}"
    );
    assert_eq!(fs::read_to_string(&target).expect("a file"), MISSING_ALWAYS);

    // Permissions stay, and a link inside the project stays a link.
    let inside = TempDir::new();
    let real = inside.write("sites/real.conf", MISSING_ALWAYS);
    fs::set_permissions(&real, fs::Permissions::from_mode(0o640)).expect("permissions");
    inside.write("package.json", "{}");
    let link = inside.path().join("link.conf");
    symlink(&real, &link).expect("a link");
    assert_eq!(run(inside.path(), &["--fix", "link.conf"]).code, 0);
    assert!(fs::symlink_metadata(&link).expect("a link").is_symlink());
    assert!(
        fs::read_to_string(&real)
            .expect("a file")
            .contains("always")
    );
    let mode = fs::metadata(&real).expect("a file").permissions().mode();
    assert_eq!(mode & 0o777, 0o640);
}

#[test]
fn only_what_was_named_is_changed() {
    let folder = TempDir::new();
    folder.write("package.json", "{}");
    let a = folder.write("a.conf", MISSING_ALWAYS);
    let b = folder.write("b.conf", MISSING_ALWAYS);
    assert_eq!(run(folder.path(), &["--fix", "a.conf"]).code, 0);
    assert_ne!(fs::read_to_string(a).expect("a file"), MISSING_ALWAYS);
    assert_eq!(fs::read_to_string(b).expect("a file"), MISSING_ALWAYS);
}

#[test]
fn what_is_known_suppressed_or_deselected_is_not_fixed() {
    let folder = TempDir::new();
    let text = MISSING_ALWAYS.replace(
        "com;",
        "com;  # corslint: ignore[missing-always] nobody reads them",
    );
    let file = folder.write("a.conf", &text);
    assert_eq!(run(folder.path(), &["--fix"]).code, 0);
    assert_eq!(fs::read_to_string(&file).expect("a file"), text);
    let file = folder.write("a.conf", MISSING_ALWAYS);
    assert_eq!(
        run(folder.path(), &["--fix", "--ignore", "missing-always"]).code,
        0
    );
    assert_eq!(
        run(folder.path(), &["--baseline", "known", "--write-baseline"]).code,
        0
    );
    assert_eq!(
        run(folder.path(), &["--fix", "--baseline", "known"]).code,
        0
    );
    assert_eq!(fs::read_to_string(&file).expect("a file"), MISSING_ALWAYS);
}

#[test]
fn arguments_that_contradict_each_other_are_refused() {
    let folder = TempDir::new();
    folder.write("a.conf", MISSING_ALWAYS);
    for arguments in [
        &["--unsafe-fixes"][..],
        &["--fix", "--diff"],
        &["--fix", "--write-baseline", "--baseline", "x"],
        &["--diff", "--format", "json"],
        &["-", "--stdin-filename", "a.conf", "--fix"],
    ] {
        let run = run(folder.path(), arguments);
        assert_eq!(run.code, 2, "{arguments:?}: {run:?}");
        assert!(run.stderr.starts_with("error: "), "{run:?}");
    }
}
