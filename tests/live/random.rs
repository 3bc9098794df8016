//! Random configurations against the real nginx, and their shrinking to the smallest that differs.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use crate::fidelity::{
    Ask, Case, Disagreement, FurtherAsk, Plan, Tally, Told, UpstreamRule, compare, read, sketch,
};
use crate::generate::{Generator, MISSING, URLS};
use crate::record::Session;
use crate::runs::{Run, origins, seeds};
use crate::tree::{Node, files, smaller};

/// Configurations in a normal run.
const CASES: u64 = 300;
/// The first seed of a normal run.
const SEED: u64 = 20_260_101;
/// Attempts at making a counter-example smaller.
const ATTEMPTS: usize = 600;

/// Requests beyond the standard ones, with the word that asks for them.
const FURTHER: [(&str, &str); 3] = [
    ("cookie", "GET 200 | cookie: a=b; x=1"),
    (
        "auth_basic",
        "GET 200 | authorization: Basic dXNlcjpzZWNyZXQ=",
    ),
    ("limit_except", "HEAD 200"),
];

/// The case of a tree: files, and what is asked.
fn case(tree: &[Node], seed: u64) -> Case {
    let headers: &[&str] = match seed % 4 {
        0 => &[],
        1 => &["Access-Control-Allow-Origin: https://up.example.com"],
        2 => &[
            "Access-Control-Allow-Origin: {origin}",
            "Vary: Accept",
            "Access-Control-Max-Age: 5",
        ],
        _ => &[
            "Access-Control-Allow-Credentials: true",
            "X-Powered-By: Express",
        ],
    };
    let files = files(tree);
    let has = |word: &str| files.iter().any(|(_, text)| text.contains(word));
    let mut ask = Vec::new();
    for (word, kind) in FURTHER {
        if has(word) {
            ask.push(FurtherAsk::everywhere(kind));
        }
    }
    let plan = Plan {
        ask,
        only: true,
        urls: URLS
            .iter()
            .map(|path| format!("http://api.example.com{path}"))
            .collect(),
        missing: MISSING
            .iter()
            .map(|path| format!("http://api.example.com{path}"))
            .collect(),
        files: BTreeMap::from([
            (".htpasswd".into(), "user:{PLAIN}secret".into()),
            ("/var/www/html/err.json".into(), "{}".into()),
        ]),
        upstream: vec![
            UpstreamRule {
                path: "/verify".into(),
                needs: Some("authorization, cookie".into()),
                ..UpstreamRule::default()
            },
            UpstreamRule {
                headers: headers.iter().map(|line| (*line).into()).collect(),
                ..UpstreamRule::default()
            },
        ],
        ..Plan::default()
    };
    Case {
        name: format!("seed-{seed}"),
        folder: Path::new("/generated").into(),
        files,
        plan,
    }
}

/// The first disagreement over `asks`; `None` if all agree or nginx refuses the configuration.
fn differs(tree: &[Node], seed: u64, ask: &Ask) -> Option<Disagreement> {
    let case = case(tree, seed);
    let session = Session::start(&case).ok()?;
    let answer = session.send(ask)?;
    let reading = read(&case);
    compare(&reading, ask, &answer, Told::All)
        .err()
        .map(|differs| *differs)
}

/// Takes away whatever does not matter for the disagreement.
fn shrink(mut tree: Vec<Node>, seed: u64, mut found: Disagreement) -> (Vec<Node>, Disagreement) {
    let mut attempts = 0;
    'again: loop {
        for candidate in smaller(&tree) {
            attempts += 1;
            if attempts > ATTEMPTS {
                return (tree, found);
            }
            if let Some(differs) = differs(&candidate, seed, &found.ask) {
                tree = candidate;
                found = differs;
                continue 'again;
            }
        }
        return (tree, found);
    }
}

#[test]
fn random_configurations_agree_with_nginx() {
    let seeds = seeds("CORSLINT_LIVE_CASES", CASES, SEED);
    let count = seeds.end - seeds.start;
    let origins: Vec<Option<String>> = origins(&["http://APP.example.com"])
        .into_iter()
        .map(|origin| origin.map(Into::into))
        .collect();
    let mut run = Run::default();
    let mut shares: BTreeMap<String, Tally> = BTreeMap::new();
    for seed in seeds {
        let tree = Generator::new(seed).configuration();
        let case = case(&tree, seed);
        let session = match Session::start(&case) {
            Ok(session) => session,
            Err(log) => {
                println!("seed {seed} is refused: {log}");
                run.refuse();
                continue;
            }
        };
        let record = session.record(&case, &origins);
        drop(session);
        let reading = read(&case);
        let mut tally = Tally::default();
        let mut first = None;
        for row in &record.rows {
            match compare(&reading, &row.ask, &row.answer, Told::All) {
                Ok(one) => tally.add(one),
                Err(differs) => first = first.or(Some(*differs)),
            }
        }
        run.add(tally);
        for construct in constructs(&case) {
            shares.entry(construct).or_default().add(tally);
        }
        if let Some(mut differs) = first {
            let mut tree = tree;
            if run.is_open() {
                (tree, differs) = shrink(tree, seed, differs);
            }
            let texts: Vec<String> = files(&tree)
                .into_iter()
                .map(|(name, text)| format!("--- {name}\n{text}"))
                .collect();
            run.differs(&case.name, &texts.join(""), &differs);
        }
    }
    for (construct, tally) in &shares {
        println!("{construct:<24} {tally}");
    }
    run.end("configurations", count, 5);
}

/// The names of the directives in a case.
fn constructs(case: &Case) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for text in case.texts() {
        for directive in sketch(text) {
            directive.walk(&mut Vec::new(), &mut |inner, around| {
                if !around.iter().any(|outer| outer == "map")
                    && inner.name.starts_with(|c: char| c.is_ascii_lowercase())
                {
                    names.insert(inner.name.clone());
                }
            });
        }
    }
    names
}
