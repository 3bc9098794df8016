//! The recorded answers of the real nginx (`fixtures/nginx/*/recorded.json`) against `respond`.

#[path = "fidelity/mod.rs"]
mod fidelity;

use fidelity::{Failures, Record, cases, compare, read};

#[test]
fn recorded_answers_agree() {
    let mut failures = Failures::default();
    let mut rows = 0;
    for case in cases().iter().filter(|case| case.plan.not_live.is_none()) {
        let Ok(text) = std::fs::read_to_string(case.folder.join("recorded.json")) else {
            failures.add(&case.name, "no recorded.json: run the live suite");
            continue;
        };
        let reading = read(case);
        for row in Record::parse(&text)
            .rows
            .iter()
            .filter(|row| case.compares(&row.ask))
        {
            rows += 1;
            if let Err(differs) = compare(&reading, &row.ask, &row.answer) {
                failures.add(&case.name, differs);
            }
        }
    }
    assert!(rows > 0, "no recorded answers");
    failures.report();
}
