//! Random configurations against the real nginx, and their shrinking to the smallest that differs.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use crate::fidelity::{
    Ask, Case, Disagreement, FurtherAsk, Plan, Tally, Told, UpstreamRule, compare, read, sketch,
};
use crate::generate::{Generator, MISSING, URLS};
use crate::record::Session;
use crate::tree::{Node, files, smaller};

/// Configurations in a normal run.
const CASES: u64 = 300;
/// The first seed of a normal run.
const SEED: u64 = 20_260_101;
/// Counter-examples that are shrunk and shown.
const SHOWN: usize = 8;
/// Attempts at making a counter-example smaller.
const ATTEMPTS: usize = 600;

const ORIGINS: [Option<&str>; 6] = [
    None,
    Some("https://app.example.com"),
    Some("https://evil.example"),
    Some("null"),
    Some("https://app.example.com.evil.example"),
    Some("http://APP.example.com"),
];

/// Requests beyond the standard ones, with the word that asks for them.
const FURTHER: [(&str, &str); 3] = [
    ("cookie", "GET 200 | cookie: a=b; x=1"),
    (
        "auth_basic",
        "GET 200 | authorization: Basic dXNlcjpzZWNyZXQ=",
    ),
    ("limit_except", "HEAD 200"),
];

pub(crate) fn number(name: &str, default: u64) -> u64 {
    match std::env::var(name) {
        Ok(text) => text
            .parse()
            .unwrap_or_else(|_| panic!("{name} must be a number: {text}")),
        Err(_) => default,
    }
}

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
    let (count, seed) = (
        number("CORSLINT_LIVE_CASES", CASES),
        number("CORSLINT_LIVE_SEED", SEED),
    );
    let origins: Vec<Option<String>> = ORIGINS
        .iter()
        .map(|origin| origin.map(Into::into))
        .collect();
    let mut refused: Vec<String> = Vec::new();
    let mut total = Tally::default();
    let mut shares: BTreeMap<String, Tally> = BTreeMap::new();
    let mut failed = 0;
    let mut shown: BTreeMap<String, String> = BTreeMap::new();
    for seed in seed..seed + count {
        let tree = Generator::new(seed).configuration();
        let case = case(&tree, seed);
        let session = match Session::start(&case) {
            Ok(session) => session,
            Err(log) => {
                refused.push(log);
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
        total.add(tally);
        for construct in constructs(&case) {
            shares.entry(construct).or_default().add(tally);
        }
        if let Some(differs) = first {
            failed += 1;
            if failed <= SHOWN {
                let (tree, differs) = shrink(tree, seed, differs);
                let texts: Vec<String> = files(&tree)
                    .into_iter()
                    .map(|(name, text)| format!("--- {name}\n{text}"))
                    .collect();
                let text = texts.join("");
                shown.insert(text, format!("seed {seed}\n{differs}"));
            }
        }
    }
    for (construct, tally) in &shares {
        println!("{construct:<24} {tally}");
    }
    println!("{:<24} {total}", "all");
    println!("{count} configurations, {} refused by nginx", refused.len());
    let text: String = shown
        .iter()
        .map(|(text, differs)| format!("{text}{differs}\n"))
        .collect();
    assert!(
        failed == 0,
        "{text}\n{failed} of {count} configurations differ"
    );
    // What nginx refuses tests nothing.
    assert!(refused.len() as u64 * 5 <= count, "refused: {refused:?}");
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
