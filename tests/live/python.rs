//! Runs the real packages of the Python frameworks and compares.
//!
//! Needs Python 3.11 with `venv`; two environments are made below `target/python`.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::fidelity::python::{FRAMEWORKS, asks, generation};
use crate::fidelity::{
    Answer, Application, Ask, Case, Failures, Record, Row, Tally, Told, cases_of, compare,
    origins_for, own_base, read_as,
};

/// The interpreter of a generation's environment, which is made if it is not there.
pub(crate) fn interpreter(generation: &str) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = root.join("target/python").join(generation);
    let python = folder.join("bin/python");
    let done = folder.join("complete");
    if !done.exists() {
        let run = |command: &mut Command| {
            let status = command.status().unwrap();
            assert!(status.success(), "{command:?}");
        };
        run(Command::new("python3").args(["-m", "venv"]).arg(&folder));
        let list = root.join(format!("tests/live/python/{generation}.txt"));
        run(Command::new(&python)
            .args(["-m", "pip", "install", "--quiet", "--requirement"])
            .arg(list));
        std::fs::write(done, "").unwrap();
    }
    python
}

/// What the real packages answer to the asks of cases, or why they do not.
pub(crate) fn answers(
    generation: &str,
    framework: &str,
    cases: &[(PathBuf, Vec<Ask>)],
) -> Vec<Result<Vec<Answer>, String>> {
    let job = json!({
        "framework": framework,
        "cases": cases.iter().map(|(folder, asks)| json!({
            "folder": folder,
            "asks": asks.iter().map(ask_json).collect::<Vec<_>>(),
        })).collect::<Vec<_>>(),
    });
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/live/python/serve.py");
    let mut child = Command::new(interpreter(generation))
        .arg("-B")
        .arg(script)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let text = job.to_string();
    let writer = std::thread::spawn(move || stdin.write_all(text.as_bytes()));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap().unwrap();
    let lines = String::from_utf8(output.stdout).unwrap();
    let results: Vec<_> = lines
        .lines()
        .zip(cases)
        .map(|(line, (_, asks))| parsed(line, asks))
        .collect();
    assert_eq!(results.len(), cases.len(), "the harness stopped early");
    results
}

fn ask_json(ask: &Ask) -> Value {
    let headers: Vec<(String, String)> = ask
        .header_lines()
        .iter()
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    let answer = match ask.application {
        Application::Answers(status) => json!(status),
        Application::Throws => json!("throw"),
        Application::Closes => panic!("nobody is behind an application"),
    };
    json!({ "url": ask.url, "method": ask.methods().0, "headers": headers, "answer": answer })
}

fn parsed(line: &str, asks: &[Ask]) -> Result<Vec<Answer>, String> {
    let value: Value = serde_json::from_str(line).map_err(|error| format!("{error}: {line}"))?;
    if let Some(error) = value["error"].as_str() {
        return Err(error.to_owned());
    }
    let rows = value.as_array().unwrap().iter().zip(asks);
    let answers = rows.map(|(row, ask)| {
        let Some(status) = row[0].as_u64() else {
            return Answer::CLOSED;
        };
        let head: String = row[1]
            .as_array()
            .unwrap()
            .iter()
            .map(|pair| {
                let text = |at: usize| pair[at].as_str().unwrap().to_owned();
                format!("{}: {}\n", text(0), text(1))
            })
            .collect();
        Answer::parse(u16::try_from(status).unwrap(), &head, own_base(&ask.url).1)
    });
    Ok(answers.collect())
}

/// The record of every case of a framework, with the generation that answered.
pub(crate) fn record(
    framework: &str,
    cases: &[Case],
    failures: &mut Failures,
) -> Vec<Option<Record>> {
    let mut records: Vec<Option<Record>> = vec![None; cases.len()];
    for which in ["new", "old"] {
        let chosen: Vec<usize> = (0..cases.len())
            .filter(|at| generation(&cases[*at]) == which)
            .collect();
        let jobs: Vec<_> = chosen
            .iter()
            .map(|at| (cases[*at].folder.clone(), asks(&cases[*at])))
            .collect();
        if jobs.is_empty() {
            continue;
        }
        let results = answers(which, framework, &jobs);
        for ((at, (_, asks)), result) in chosen.iter().zip(jobs).zip(results) {
            let answers = match result {
                Ok(answers) => answers,
                // The application does not start: nobody answers.
                Err(words) if cases[*at].plan.refused => {
                    let _ = words;
                    asks.iter().map(|_| Answer::CLOSED).collect()
                }
                Err(words) => {
                    failures.add(&cases[*at].name, format!("does not start: {words}\n"));
                    continue;
                }
            };
            let rows = asks.into_iter().zip(answers);
            let rows = rows.map(|(ask, answer)| Row { ask, answer }).collect();
            let server = format!("{framework}, {which} packages");
            records[*at] = Some(Record { server, rows });
        }
    }
    records
}

/// Records every case anew and compares the answers with corslint's.
#[test]
fn python_fixtures_agree() {
    let mut failures = Failures::default();
    let mut shares: BTreeMap<&str, (usize, Tally)> = BTreeMap::new();
    for framework in FRAMEWORKS {
        let cases = cases_of(framework);
        let records = record(framework, &cases, &mut failures);
        for (case, record) in cases.iter().zip(records) {
            let Some(record) = record else { continue };
            let path = case.folder.join("recorded.json");
            let text = record.text(&origins_for(&case.trusted()));
            let before = std::fs::read_to_string(&path).ok();
            if before.as_ref().is_some_and(|before| *before != text) {
                failures.add(&case.name, "the recorded answers changed");
            }
            std::fs::write(&path, text).unwrap();
            let reading = read_as(case, framework);
            let share = shares.entry(framework).or_default();
            share.0 += 1;
            for row in &record.rows {
                match compare(&reading, &row.ask, &row.answer, Told::All) {
                    Ok(tally) => share.1.add(tally),
                    Err(differs) => failures.add(&case.name, differs),
                }
            }
        }
    }
    for (framework, (cases, tally)) in shares {
        println!("{framework:<10} {cases} cases, {tally}");
    }
    failures.report();
}
