//! The real Express 4 and 5 with the real `cors` against `respond`.
//!
//! Needs Node and `npm ci` in `tests/live/express`.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::{Value, json};

use crate::fidelity::express::{Case, cases, compare};
use crate::fidelity::{Answer, Ask, Failures, Record, Row, Tally, own_base};

/// Node, running one application after the other.
pub(crate) struct Express {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Express {
    pub(crate) fn start() -> Self {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/live/express");
        assert!(
            folder.join("node_modules/cors").exists(),
            "run `npm ci` in tests/live/express"
        );
        let mut child = Command::new("node")
            .arg(folder.join("serve.cjs"))
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let input = child.stdin.take().unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        Self {
            child,
            input,
            output,
        }
    }

    /// The answers of an application to requests; `None` if it does not start.
    pub(crate) fn ask(&mut self, major: char, program: &Path, asks: &[Ask]) -> Option<Vec<Answer>> {
        let folder = tempfile();
        copy(program, &folder);
        let requests: Vec<Value> = asks.iter().map(request).collect();
        std::fs::write(folder.join("requests.json"), json!(requests).to_string()).unwrap();
        writeln!(self.input, "{major} {}", folder.display()).unwrap();
        let mut line = String::new();
        self.output.read_line(&mut line).unwrap();
        std::fs::remove_dir_all(&folder).unwrap();
        let json: Value = serde_json::from_str(&line).unwrap();
        let answers = json["answers"].as_array()?;
        let parse = |(ask, answer): (&Ask, &Value)| {
            let Some(status) = answer["status"].as_u64() else {
                return Answer::CLOSED;
            };
            let head = answer["head"].as_array().unwrap();
            let lines: Vec<&str> = head.iter().map(|line| line.as_str().unwrap()).collect();
            let (_, own) = own_base(&ask.url);
            Answer::parse(u16::try_from(status).unwrap(), &lines.join("\n"), own)
        };
        Some(asks.iter().zip(answers).map(parse).collect())
    }
}

impl Drop for Express {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub(crate) fn tempfile() -> std::path::PathBuf {
    use std::sync::atomic::{AtomicU32, Ordering};
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let number = COUNT.fetch_add(1, Ordering::Relaxed);
    let name = format!("corslint-express-{}-{number}", std::process::id());
    let folder = std::env::temp_dir().join(name);
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

fn copy(from: &Path, to: &Path) {
    for entry in std::fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() {
            std::fs::create_dir_all(&target).unwrap();
            copy(&path, &target);
        } else {
            std::fs::copy(&path, &target).unwrap();
        }
    }
}

fn request(ask: &Ask) -> Value {
    let (method, _) = ask.methods();
    let (target, _) = own_base(&ask.url);
    let headers: BTreeMap<String, String> = ask
        .header_lines()
        .iter()
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    json!({ "method": method, "path": target, "headers": headers })
}

/// Records every case anew and compares the answers with corslint's.
#[test]
fn fixtures_agree_with_express() {
    let mut express = Express::start();
    let mut failures = Failures::default();
    let mut tally = Tally::default();
    let mut count = 0;
    for case in cases().iter().filter(|case| case.plan.not_live.is_none()) {
        count += 1;
        let record = record(&mut express, case);
        let path = case.folder.join("recorded.json");
        let text = record.text(&case.origins());
        let before = std::fs::read_to_string(&path).ok();
        if before.as_ref().is_some_and(|before| *before != text) {
            failures.add(&case.name, "the recorded answers changed");
        }
        std::fs::write(&path, text).unwrap();
        let sites = case.read();
        for row in &record.rows {
            match compare(&sites, &row.ask, &row.answer) {
                Ok(other) => tally.add(other),
                Err(differs) => failures.add(&case.name, differs),
            }
        }
    }
    println!("{count} applications, {tally}");
    failures.report();
}

pub(crate) fn record(express: &mut Express, case: &Case) -> Record {
    let asks = case.asks();
    let answers = express.ask(case.major, &case.folder, &asks);
    // What does not start closes every connection.
    let answers = answers.unwrap_or_else(|| vec![Answer::CLOSED; asks.len()]);
    let rows = asks.into_iter().zip(answers);
    Record {
        server: format!("Express {}", case.major),
        rows: rows.map(|(ask, answer)| Row { ask, answer }).collect(),
    }
}
