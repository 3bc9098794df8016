//! Random paths, mounts and routers, against the routing of the real Express 4 and 5.

use crate::express::Express;
use crate::express_random::run;
use crate::fidelity::Ask;
use crate::generate::Random;
use crate::runs::{Run, seeds};

/// Applications in a normal run.
const CASES: u64 = 200;
/// The first seed of a normal run.
const SEED: u64 = 20_261_121;

/// Pieces of paths that both versions take.
const PIECES: [&str; 13] = [
    "/a",
    "/b",
    "/A",
    "/a/",
    "/api",
    "/:id",
    "/:id/:name",
    "/f.txt",
    "/:name.json",
    "/-:id",
    "",
    "/",
    "/a-b",
];
/// Those of Express 4 alone.
const OF_FOUR: [&str; 14] = [
    "*",
    "/*",
    "/:id?",
    "/:id(\\\\d+)",
    "/ab?c",
    "/a(bc)?",
    "/a+b",
    "/:id*",
    "/(a|b)",
    "/:from-:to",
    "/a*b",
    "/:file.:ext?",
    "/x:id(a|b)",
    "/.a",
];
/// Those of Express 5 alone.
const OF_FIVE: [&str; 10] = [
    "/*all",
    "{/:id}",
    "/{*all}",
    "/a{b}",
    "/:from-:to",
    "/*all/end",
    "/:file{.:ext}",
    "/:\\\"the id\\\"",
    "/a\\\\:b",
    "/*p-:id",
];
const PATTERNS: [&str; 6] = [
    "/^\\/a/",
    "/b$/",
    "/^\\/(a|b)\\/(\\d+)$/i",
    "/.*fly$/",
    "/^\\/api\\/?/",
    "/A/",
];
const ROUTERS: [&str; 5] = [
    "express.Router()",
    "express.Router()",
    "express.Router({ caseSensitive: true })",
    "express.Router({ strict: true })",
    "express.Router({ strict: true, caseSensitive: true, mergeParams: true })",
];
const SETTINGS: [&str; 6] = [
    "",
    "",
    "app.set('case sensitive routing', true);",
    "app.enable('strict routing');",
    "app.enable('case sensitive routing'); app.disable('case sensitive routing');",
    "app.set('strict routing', 1).enable('case sensitive routing');",
];
/// Pieces of what is asked for.
const ASKED: [&str; 24] = [
    "/a",
    "/b",
    "/A",
    "/api",
    "/7",
    "/x",
    "/f.txt",
    "/x.json",
    "/a-b",
    "/-7",
    "/",
    "/a/",
    "//",
    "/ab",
    "/abc",
    "/aab",
    "/butterfly",
    "/end",
    "/a:b",
    "/%20",
    "/%zz",
    "/%C3%A9",
    "/x7",
    "/.a",
];

fn path(random: &mut Random, five: bool) -> String {
    let mut text = String::new();
    for _ in 0..1 + random.below(2) {
        let own: &[&str] = if five { &OF_FIVE } else { &OF_FOUR };
        let pieces = if random.percent(45) { own } else { &PIECES };
        text.push_str(random.pick(pieces));
    }
    text
}

/// A path argument: a text, an expression, a list of them.
fn argument(random: &mut Random, five: bool) -> String {
    let text = |random: &mut Random| format!("\"{}\"", path(random, five));
    match random.below(10) {
        0 => random.pick(&PATTERNS).to_owned(),
        1 => format!("[{}, {}]", text(random), text(random)),
        2 => format!("[{}, {}]", random.pick(&PATTERNS), text(random)),
        _ => text(random),
    }
}

/// A handler that tells which one answered.
fn mark(number: usize) -> String {
    format!(
        "(req, res) => {{ res.set('Access-Control-Allow-Origin', 'https://r{number}.example'); res.end(); }}"
    )
}

fn layer(random: &mut Random, of: &str, number: usize, five: bool, depth: u32) -> String {
    let argument = argument(random, five);
    match random.below(12) {
        0 | 1 if depth > 0 => {
            let name = format!("router{number}");
            let router = random.pick(&ROUTERS);
            let mut text = format!("const {name} = {router};\n");
            for inner in 0..1 + random.below(3) {
                let inner = layer(random, &name, number * 10 + inner, five, depth - 1);
                text.push_str(&inner);
            }
            format!("{text}{of}.use({argument}, {name});\n")
        }
        2 => format!(
            "{of}.use({argument}, (req, res, next) => {{ res.vary('R{number}'); next(); }});\n"
        ),
        3 => format!("{of}.use({argument}, {});\n", mark(number)),
        4 => format!("{of}.all({argument}, {});\n", mark(number)),
        5 => format!(
            "{of}.get({argument}, (req, res, next) => next('route'), {});\n",
            mark(number)
        ),
        6 => format!("{of}.route({argument}).put({});\n", mark(number)),
        7 => format!("{of}.put({argument}, {});\n", mark(number)),
        _ => format!("{of}.get({argument}, {});\n", mark(number)),
    }
}

fn program(seed: u64, five: bool) -> String {
    let mut random = Random::new(seed);
    let settings = random.pick(&SETTINGS);
    let mut text =
        format!("const express = require('express');\nconst app = express();\n{settings}\n");
    for number in 1..3 + random.below(5) {
        text.push_str(&layer(&mut random, "app", number, five, 2));
    }
    text.push_str("app.listen(3000);\n");
    text
}

fn asks(seed: u64) -> Vec<Ask> {
    let mut random = Random::new(seed ^ 0xa5a5);
    let mut asks = Vec::new();
    for _ in 0..24 {
        let mut path = random.pick(&ASKED).to_owned();
        for _ in 0..random.below(3) {
            path.push_str(random.pick(&ASKED));
        }
        let url = format!("http://service.example{path}");
        for kind in ["GET 200", "OPTIONS>PUT 200", "OPTIONS 200"] {
            asks.push(Ask::of_kind(kind, &url, Some("https://app.example.com")));
        }
    }
    asks
}

#[test]
fn random_paths_are_routed_as_express_routes_them() {
    let seeds = seeds("CORSLINT_EXPRESS_PATHS", CASES, SEED);
    let count = seeds.end - seeds.start;
    let mut express = Express::start();
    let mut result = Run::default();
    for seed in seeds {
        let five = seed % 2 == 1;
        let text = program(seed, five);
        match run(&mut express, &text, five, &asks(seed)) {
            None => result.refuse(),
            Some((tally, differs)) => {
                result.add(tally);
                if let Some(differs) = differs {
                    result.differs(&format!("seed {seed}"), &text, &differs);
                }
            }
        }
    }
    result.end("applications with paths", count, 2);
}
