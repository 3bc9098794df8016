//! The recorded answers of the real nginx (`fixtures/nginx/*/recorded.json`) against `respond`.

#[path = "fidelity/mod.rs"]
pub(crate) mod fidelity;

use fidelity::{Case, Failures, Record, Told, cases, compare, read};

use crate::support::TempDir;

/// Compares the records of all cases that `wanted` names.
fn replay(told: Told, wanted: impl Fn(&Case) -> bool) {
    let mut failures = Failures::default();
    let mut rows = 0;
    for case in cases().iter().filter(|case| wanted(case)) {
        let Ok(text) = std::fs::read_to_string(case.folder.join("recorded.json")) else {
            if case.plan.not_live.is_none() && !case.plan.refused {
                failures.add(&case.name, "no recorded.json: run the live suite");
            }
            continue;
        };
        let reading = read(case);
        let record = Record::parse(&text);
        for row in record.rows.iter().filter(|row| case.compares(&row.ask)) {
            rows += 1;
            if let Err(differs) = compare(&reading, &row.ask, &row.answer, told) {
                failures.add(&case.name, differs);
            }
        }
    }
    assert!(rows > 0, "no recorded answers");
    failures.report();
}

#[test]
fn recorded_answers_agree() {
    replay(Told::All, |_| true);
}

/// What the linter asks says nothing of files. Random cases rest on which files exist.
#[test]
fn recorded_answers_agree_without_knowing_files() {
    replay(Told::NoFiles, |case| !case.name.starts_with("random-"));
}

#[test]
fn recorded_answers_of_python_agree() {
    let mut failures = Failures::default();
    let mut rows = 0;
    for framework in fidelity::python::FRAMEWORKS {
        for case in fidelity::cases_of(framework) {
            let Ok(text) = std::fs::read_to_string(case.folder.join("recorded.json")) else {
                failures.add(&case.name, "no recorded.json: run the live suite");
                continue;
            };
            let reading = fidelity::read_as(&case, framework);
            for row in &Record::parse(&text).rows {
                rows += 1;
                if let Err(differs) = compare(&reading, &row.ask, &row.answer, Told::All) {
                    failures.add(&case.name, differs);
                }
            }
        }
    }
    assert!(rows > 0, "no recorded answers");
    failures.report();
}

/// Where no file says which version is installed, only what both recorded generations answer is
/// certain.
#[test]
fn without_a_version_nothing_is_certain_that_one_generation_answers_otherwise() {
    let mut failures = Failures::default();
    let mut generations = std::collections::BTreeSet::new();
    for framework in fidelity::python::FRAMEWORKS {
        for mut case in fidelity::cases_of(framework) {
            let text = std::fs::read_to_string(case.folder.join("recorded.json"));
            let record = Record::parse(&text.expect("recorded answers"));
            generations.insert(record.server.clone());
            let folder = TempDir::new();
            case.files.retain(|(name, _)| name != "requirements.txt");
            for (name, text) in &case.files {
                folder.write(name, text);
            }
            case.folder = folder.path().to_path_buf();
            // What an application does that this generation refuses to start is not asked.
            let rows = record.rows.iter().filter(|_| !case.plan.refused);
            let reading = fidelity::read_as(&case, framework);
            for row in rows {
                let mut answer = row.answer.clone();
                // What 1.7 adds to `*`: no page asks for it, so it is left out everywhere.
                for (_, value) in &mut answer.cors {
                    *value = value.replace(", QUERY", "");
                }
                if let Err(differs) = compare(&reading, &row.ask, &answer, Told::All) {
                    failures.add(&format!("{framework}/{}", case.name), differs);
                }
            }
        }
    }
    assert_eq!(generations.len(), 5, "{generations:?}");
    failures.report();
}

#[test]
fn recorded_answers_of_express_agree() {
    use fidelity::express;
    let mut failures = Failures::default();
    let mut rows = 0;
    for case in express::cases() {
        if case.plan.not_live.is_some() {
            continue;
        }
        let Ok(text) = std::fs::read_to_string(case.folder.join("recorded.json")) else {
            failures.add(&case.name, "no recorded.json: run the live suite");
            continue;
        };
        let sites = case.read();
        for row in Record::parse(&text).rows {
            rows += 1;
            if let Err(differs) = express::compare(&sites, &row.ask, &row.answer) {
                failures.add(&case.name, differs);
            }
        }
    }
    assert!(rows > 0, "no recorded answers");
    failures.report();
}
