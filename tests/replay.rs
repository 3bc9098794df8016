//! The recorded answers of the real nginx (`fixtures/nginx/*/recorded.json`) against `respond`.

#[path = "fidelity/mod.rs"]
pub(crate) mod fidelity;

use fidelity::{Case, Failures, Record, Told, cases, compare, read};

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
