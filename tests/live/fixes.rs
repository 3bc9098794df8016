//! What `--fix` makes of the projects of `fixtures/fixes`, on the real servers: the request that broke
//! gets what was meant, and the repaired project answers as corslint says.

use std::collections::BTreeSet;
use std::path::Path;

use corslint::check::{Options, check};
use corslint::config::Lookup;
use corslint::fixes::{Fixing, apply};

use crate::express::Express;
use crate::fidelity::{
    Answer, Ask, Case, Failures, Tally, Told, compare, express as program, origins_for, python,
    read_as,
};
use crate::record::Session;
use crate::support::TempDir;

/// What the real servers must answer, written from what each repair promises: project, request, its
/// `Origin`, a header, and that header's value before and after the repair (`-`: none).
const MENDED: &str = "
always-nginx | GET 500 | https://app.example.com | access-control-allow-origin | - | https://app.example.com
always-nginx | GET 404 | https://app.example.com | access-control-allow-credentials | - | true
always-nginx | GET 404 | https://app.example.com | vary | - | origin
vary-nginx | GET 200 | - | vary | - | origin
vary-nginx | GET 200 | https://app.example.com | vary | - | origin
crlf-nginx | GET 200 | - | vary | - | origin
vary-nginx-if | GET 200 | - | vary | - | origin
vary-nginx-if | GET 200 | https://app.example.com | vary | - | origin
true-nginx | GET 200 | https://app.example.com | access-control-allow-credentials | True | true
port-nginx | GET 200 | https://app.example.com | access-control-allow-origin | https://app.example.com:443 | https://app.example.com
slash-nginx | GET 200 | https://app.example.com | access-control-allow-origin | - | https://app.example.com
anchor-nginx | GET 200 | https://app.example.com.evil.example | access-control-allow-origin | https://app.example.com.evil.example | -
boundary-nginx | GET 200 | https://evilexample.com | access-control-allow-origin | https://evilexample.com | -
dots-nginx | GET 200 | https://app-example.com | access-control-allow-origin | https://app-example.com | -
option-express | GET 200 | https://app.example.com | access-control-allow-origin | * | https://app.example.com
slash-express | GET 200 | https://app.example.com | access-control-allow-origin | - | https://app.example.com
slash-express | OPTIONS>PUT 200 | https://admin.example.com | access-control-allow-origin | - | https://admin.example.com
vary-express | GET 200 | - | vary | - | origin
true-express | GET 200 | https://app.example.com | access-control-allow-credentials | TRUE | true
pattern-express | GET 200 | https://app.example.com.evil.example | access-control-allow-origin | https://app.example.com.evil.example | -
pattern-express | GET 200 | https://app-example.com | access-control-allow-origin | https://app-example.com | -
rename-django | GET 200 | https://app.example.com | access-control-allow-origin | https://app.example.com | https://app.example.com
rename-django | GET 200 | https://admin.example.com | access-control-allow-origin | https://admin.example.com | https://admin.example.com
port-django | GET 200 | https://app.example.com | access-control-allow-origin | - | https://app.example.com
port-django | GET 200 | https://admin.example.com | access-control-allow-origin | - | https://admin.example.com
pattern-django | GET 200 | https://app.example.com.evil.example | access-control-allow-origin | https://app.example.com.evil.example | -
pattern-django | GET 200 | https://app-example.org | access-control-allow-origin | https://app-example.org | -
vary-django | GET 200 | - | vary | - | origin
vary-django | GET 200 | https://app.example.com | vary | - | origin
vary-django-known | GET 200 | - | vary | - | origin
option-flask | GET 200 | https://evil.example | access-control-allow-origin | https://evil.example | -
slash-flask | GET 200 | https://app.example.com | access-control-allow-origin | - | https://app.example.com
true-flask | GET 200 | https://app.example.com | access-control-allow-credentials | True | true
vary-flask | GET 200 | - | vary | - | origin
pattern-flask | GET 200 | https://app.example.com.evil.example | access-control-allow-origin | https://app.example.com.evil.example | -
slash-starlette | GET 200 | https://app.example.com | access-control-allow-origin | - | https://app.example.com
vary-starlette | GET 200 | - | vary | - | origin
pattern-starlette | GET 200 | https://app-example.com | access-control-allow-origin | https://app-example.com | -
";

/// Copies a project; a Django one gets the routes and the host of the suite.
fn copy(from: &Path, to: &TempDir) {
    for entry in std::fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|ends| ends != "diff") {
            let name = path.file_name().unwrap();
            let text = std::fs::read_to_string(&path).unwrap();
            let text = text
                .replace("ROOT_URLCONF = \"urls\"", "ROOT_URLCONF = \"serve\"")
                .replace("\"api.example.com\"]", "\"service.example\"]");
            to.write(name, text);
        }
    }
}

fn repair(folder: &TempDir) {
    let options = Options {
        paths: vec![folder.path().to_path_buf()],
        config: Lookup::Off,
        fix: Fixing::All,
        ..Options::default()
    };
    let fixed = check(&options).unwrap().fixed.unwrap();
    assert!(fixed.count() > 0);
    apply::write(&fixed).unwrap();
}

/// A project on its real server.
struct Served<'a> {
    name: &'a str,
    framework: &'a str,
    case: Case,
}

impl<'a> Served<'a> {
    fn new(name: &'a str, folder: &TempDir) -> Self {
        Self {
            name,
            framework: name.split('-').nth(1).unwrap(),
            case: Case::load(folder.path().to_path_buf()),
        }
    }

    /// What the suite of the framework asks.
    fn asks(&self) -> Vec<Ask> {
        match self.framework {
            "nginx" => {
                let session = Session::start(&self.case).unwrap();
                let record = session.record(&self.case, &origins_for(&self.case.trusted()));
                record.rows.into_iter().map(|row| row.ask).collect()
            }
            "express" => program::Case::load(&self.case.folder).asks(),
            _ => python::asks(&self.case),
        }
    }

    fn answers(&self, asks: &[Ask], express: &mut Express) -> Vec<Answer> {
        let folder = &self.case.folder;
        match self.framework {
            "nginx" => {
                let session = Session::start(&self.case).unwrap();
                asks.iter().map(|ask| session.send(ask).unwrap()).collect()
            }
            "express" => {
                let major = program::Case::load(folder).major;
                express.ask(major, folder, asks).unwrap()
            }
            framework => {
                let jobs = [(folder.clone(), asks.to_vec())];
                let generation = python::generation(&self.case);
                let mut results = crate::python::answers(generation, framework, &jobs);
                results.remove(0).unwrap()
            }
        }
    }

    /// Compares the real answers with what corslint says.
    fn compare(&self, asks: &[Ask], answers: &[Answer], failures: &mut Failures) -> Tally {
        let reading = read_as(&self.case, self.framework);
        let mut tally = Tally::default();
        for (ask, answer) in asks.iter().zip(answers) {
            let compared = match self.framework {
                "express" => program::compare(&reading.sites, ask, answer),
                _ => compare(&reading, ask, answer, Told::All),
            };
            match compared {
                Ok(other) => tally.add(other),
                Err(differs) => failures.add(self.name, differs),
            }
        }
        tally
    }
}

/// The value of a header as the table writes it.
fn value(answer: &Answer, header: &str) -> String {
    let lines = answer.cors.iter().filter(|(name, _)| name == header);
    let mut values: Vec<&str> = lines.map(|(_, value)| value.as_str()).collect();
    if header == "vary" && answer.vary.iter().any(|member| member == "origin") {
        values.push("origin");
    }
    if values.is_empty() {
        values.push("-");
    }
    values.join(", ")
}

#[test]
fn repaired_projects_answer_as_meant() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/fixes");
    let rows: Vec<Vec<&str>> = MENDED
        .trim()
        .lines()
        .map(|line| line.split(" | ").collect())
        .collect();
    let projects: BTreeSet<&str> = rows.iter().map(|row| row[0]).collect();
    let mut express = Express::start();
    let mut failures = Failures::default();
    let mut tally = Tally::default();
    for name in &projects {
        let folders = [TempDir::new(), TempDir::new()];
        folders.iter().for_each(|to| copy(&root.join(name), to));
        repair(&folders[1]);
        let [before, after] = folders.each_ref().map(|at| Served::new(name, at));

        let mut asks = after.asks();
        let promised: Vec<_> = rows.iter().filter(|row| row[0] == *name).collect();
        let urls = || asks.iter().map(|ask| &ask.url);
        let url = urls().find(|url| url.contains("/api/")).or(urls().next());
        let url = url.unwrap().clone();
        for row in &promised {
            let origin = Some(row[2]).filter(|origin| *origin != "-");
            asks.push(Ask::of_kind(row[1], &url, origin));
        }
        let broken = before.answers(&asks, &mut express);
        let whole = after.answers(&asks, &mut express);
        tally.add(after.compare(&asks, &whole, &mut failures));
        let first = asks.len() - promised.len();
        for (index, row) in promised.iter().enumerate() {
            let is = [&broken, &whole].map(|answers| value(&answers[first + index], row[3]));
            if is != [row[4], row[5]] {
                failures.add(name, format!("{row:?}: {is:?}"));
            }
        }
    }
    println!("{} repaired projects, {tally}", projects.len());
    failures.report();
}
