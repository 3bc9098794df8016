//! The recorded answers of the real nginx (`fixtures/nginx/*/recorded.json`) against `respond`.

#[path = "fidelity/mod.rs"]
mod fidelity;

use fidelity::{Record, cases, compare, read};

#[test]
fn recorded_answers_agree() {
    let mut failures = Vec::new();
    let mut rows = 0;
    for case in cases() {
        let Ok(text) = std::fs::read_to_string(case.folder.join("recorded.json")) else {
            failures.push(format!("{}: no recorded.json; run the live suite", case.name));
            continue;
        };
        let reading = read(&case.folder, &case.files);
        for row in Record::parse(&text).rows {
            rows += 1;
            if let Err(differs) = compare(&reading, &row.ask, &row.answer) {
                failures.push(format!("{}\n{differs}", case.name));
            }
        }
    }
    assert!(rows > 0, "no recorded answers");
    let shown = failures.iter().take(20).cloned().collect::<Vec<_>>();
    assert!(failures.is_empty(), "{}\n{} disagreements", shown.join("\n"), failures.len());
}
