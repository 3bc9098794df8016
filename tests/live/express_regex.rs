//! Regular expressions of programs against Node's own engine, its `lastIndex` included.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use corslint::syntax::javascript::regex;
use serde_json::{Value, json};

use crate::generate::Random;
use crate::runs::seeds;

/// Patterns in a normal run.
const CASES: u64 = 6000;
/// The first seed of a normal run.
const SEED: u64 = 20_260_401;
/// Disagreements that are shown.
const SHOWN: usize = 12;

/// What people write.
const WRITTEN: [&str; 24] = [
    r"^https?:\/\/localhost(:\d+)?$",
    r"^https:\/\/.*\.example\.com$",
    r"\.example\.com$",
    r"example.com",
    r"^https:\/\/([a-z0-9-]+\.)*example\.com$",
    r"^https?:\/\/(www|app|api)\.example\.com(:[0-9]{2,5})?$",
    r"^(https?:\/\/)?([\w-]+\.)?example\.com\/?$",
    r"^chrome-extension:\/\/[a-z]{32}$",
    r"^https:\/\/[^.]+\.example\.com$",
    r"^https:\/\/(?!evil)[^/]+\.example\.com$",
    r"(?<=\/\/)app\.example",
    r"^https:\/\/preview-\d{1,4}--site\.netlify\.app$",
    r"vercel\.app$|localhost",
    r"^null$|^https:\/\/a$",
    r"^.+$",
    r".*",
    r"^https:\/\/[\w.-]+$",
    r"^https:\/\/\S+\.com$",
    r"\bexample\b",
    r"^https\:\/\/app\.example\.com",
    r"^(http|https):\/\/(.+\.)?example\.(com|org)$",
    r"[^\w.-]evil",
    r"^https:\/\/[a-zA-Z\d\-]+\.example\.com(?::\d+)?$",
    r"^(?<scheme>https?):\/\/(?<host>[^:]+)(?::(?<port>\d+))?$",
];

/// Pieces of patterns.
const ATOMS: [&str; 56] = [
    "a",
    "b",
    "p",
    "s",
    "e",
    "x",
    "/",
    r"\/",
    ":",
    r"\:",
    ".",
    r"\.",
    "-",
    r"\-",
    "_",
    "#",
    " ",
    "&",
    "~",
    "@",
    "https",
    "app",
    "example",
    "com",
    r"\d",
    r"\D",
    r"\w",
    r"\W",
    r"\s",
    r"\S",
    r"\b",
    r"\B",
    "^",
    "$",
    "[a-z]",
    "[^a-z]",
    r"[\w-]",
    r"[\w-z]",
    r"[a\-z]",
    "[a-z0-9.-]",
    "[^/:]",
    "[]",
    "[^]",
    r"[\d.]",
    r"[\]x]",
    "[&&a]",
    "[a--b]",
    "[~^]",
    r"\x61",
    r"\u0062",
    r"\0",
    r"\n",
    "}",
    "]",
    "{",
    r"\1",
];

const QUANTIFIERS: [&str; 13] = [
    "", "", "", "", "", "*", "+", "?", "*?", "+?", "{2}", "{1,3}", "{,2}",
];

const FLAGS: [&str; 12] = ["", "", "", "i", "g", "y", "gi", "m", "s", "gy", "ims", "gm"];

const TEXTS: [&str; 22] = [
    "https://app.example.com",
    "https://evilexample.com",
    "https://www.example.com:8443",
    "HTTPS://APP.EXAMPLE.COM",
    "http://localhost:3000",
    "http://localhost",
    "null",
    "",
    "https://app.example.com.evil.example",
    "https://app-example.com",
    "https://preview-12--site.netlify.app",
    "a",
    "ab",
    "aab-b_x.p:s/e",
    "example.com\nhttps://app.example.com",
    "a\rb",
    "x{2}",
    "a]b}#&~@ ",
    "undefined",
    "https://x.example.org",
    "chrome-extension://abcdefghijklmnopabcdefghijklmnop",
    "pppp///",
];

fn sequence(random: &mut Random, depth: usize) -> String {
    let mut pattern = String::new();
    for _ in 0..1 + random.below(4) {
        pattern.push_str(&match random.below(12) {
            0 | 1 if depth > 0 => {
                let kind = random.pick(&["(", "(", "(?:", "(?=", "(?!", "(?<=", "(?<!", "(?<n>"]);
                let inside = choice(random, depth - 1);
                format!("{kind}{inside}){}", random.pick(&QUANTIFIERS))
            }
            _ => format!("{}{}", random.pick(&ATOMS), random.pick(&QUANTIFIERS)),
        });
    }
    pattern
}

fn choice(random: &mut Random, depth: usize) -> String {
    let mut pattern = sequence(random, depth);
    while random.percent(20) {
        pattern.push('|');
        pattern.push_str(&sequence(random, depth));
    }
    pattern
}

/// A pattern, flags, and texts that one object is asked about in turn.
fn case(seed: u64) -> (String, String, Vec<&'static str>) {
    let mut random = Random::new(seed);
    let pattern = if random.percent(25) {
        random.pick(&WRITTEN).to_owned()
    } else {
        choice(&mut random, 2)
    };
    let flags = random.pick(&FLAGS).to_owned();
    let mut texts: Vec<&str> = (0..5).map(|_| random.pick(&TEXTS)).collect();
    // The same text again: what a stateful pattern says alternates.
    texts.extend([texts[0], texts[0], texts[0]]);
    (pattern, flags, texts)
}

fn node(cases: &[(String, String, Vec<&str>)]) -> Vec<Value> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/live/express/match.cjs");
    let mut child = Command::new("node")
        .arg(script)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    input
        .write_all(json!(cases).to_string().as_bytes())
        .unwrap();
    drop(input);
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Does a pattern use what is documented as unknown?
fn is_documented(pattern: &str) -> bool {
    const UNKNOWN: [&str; 8] = [r"\k", r"\p", r"\c", r"\0", r"\1", "(?<", "(?=", "(?!"];
    UNKNOWN.iter().any(|part| pattern.contains(part))
        || (pattern.contains('[')
            && [r"\D", r"\W", r"\S", r"\B"]
                .iter()
                .any(|set| pattern.contains(set)))
}

#[test]
fn patterns_agree_with_node() {
    let cases: Vec<_> = seeds("CORSLINT_REGEX_CASES", CASES, SEED)
        .map(case)
        .collect();
    let count = cases.len();
    let answers = node(&cases);
    let (mut refused, mut matches, mut unknown, mut without_groups) = (0, 0, 0, 0);
    let mut wrong = Vec::new();
    for ((pattern, flags, texts), answer) in cases.iter().zip(&answers) {
        let Some(answers) = answer.as_array() else {
            refused += 1;
            continue;
        };
        let mut last = 0;
        for (text, answer) in texts.iter().zip(answers) {
            matches += 1;
            let Some(found) = regex::exec(pattern, flags, text, &mut last) else {
                unknown += 1;
                if !is_documented(pattern) {
                    wrong.push(format!("/{pattern}/{flags} is unknown"));
                }
                break;
            };
            let real = answer[0].as_array();
            let groups = found.as_ref().map(|found| &found.groups);
            without_groups += usize::from(matches!(groups, Some(None)));
            let same = match (groups, real) {
                (None, None) => true,
                (Some(None), Some(_)) => true,
                (Some(Some(groups)), Some(real)) => json!(groups) == json!(real),
                _ => false,
            };
            if !same || answer[1] != json!(last) {
                wrong.push(format!(
                    "/{pattern}/{flags} on {text:?}: {answer}, not {found:?} and {last}"
                ));
                break;
            }
        }
    }
    println!(
        "{count} patterns, {refused} are none; {matches} matches, {unknown} patterns unknown, {without_groups} matches without groups"
    );
    let shown: Vec<&str> = wrong.iter().take(SHOWN).map(String::as_str).collect();
    assert!(
        wrong.is_empty(),
        "{}\n{} differ",
        shown.join("\n"),
        wrong.len()
    );
    // What is unknown tests nothing.
    let patterns = count - refused;
    assert!(
        unknown * 8 <= patterns,
        "{unknown} of {patterns} are unknown"
    );
    let refused_or_unknown = |pattern: &&&str| {
        let mut last = 0;
        regex::exec(pattern, "", "https://app.example.com", &mut last).is_none()
    };
    let rare: Vec<_> = WRITTEN.iter().filter(refused_or_unknown).collect();
    assert!(rare.is_empty(), "people write {rare:?}");
}
