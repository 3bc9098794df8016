//! The real Chromium against `fetch`: the recorded cases anew, and generated ones.
//!
//! Needs Debian's `chromium` and `npm ci` in `tests/live/browser`; port 80 of this machine is used.

use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use crate::express::tempfile;
use crate::fidelity::Failures;
use crate::fidelity::browser::{Case, Happened, Sent, cases};

/// How many exchanges are generated in each run.
const GENERATED: usize = 400;

/// What Chromium makes of the cases.
fn record(cases: &[Value]) -> Vec<Value> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/live/browser");
    assert!(
        folder.join("node_modules/puppeteer-core").exists(),
        "run `npm ci` in tests/live/browser"
    );
    let files = tempfile();
    let (told, made) = (files.join("cases.json"), files.join("results.json"));
    std::fs::write(&told, json!(cases).to_string()).unwrap();
    let status = Command::new("node")
        .arg(folder.join("record.mjs"))
        .args([&told, &made])
        .status()
        .unwrap();
    assert!(status.success(), "the browser could not be asked");
    let text = std::fs::read_to_string(&made).unwrap();
    std::fs::remove_dir_all(&files).unwrap();
    let json: Value = serde_json::from_str(&text).unwrap();
    println!("{}", json["browser"].as_str().unwrap());
    json["results"].as_array().unwrap().clone()
}

/// Compares what we foretell with what Chromium did; counts what was allowed and blocked.
fn compare(cases: &[Value], failures: &mut Failures) -> (usize, usize) {
    let results = record(cases);
    assert_eq!(results.len(), cases.len());
    let (mut allowed, mut blocked) = (0, 0);
    for (case, result) in cases.iter().zip(&results) {
        let case = Case::new(case);
        let (mut ours, real) = (case.ours().0, case.recorded(result));
        if names_one_of_several(&ours, &real) {
            ours.console.clone_from(&real.console);
        }
        if real.allowed {
            allowed += 1;
        } else {
            blocked += 1;
        }
        if ours != real {
            let differs = format!("{}\n  ours {ours:?}\n  real {real:?}", case.case);
            failures.add(case.name(), differs);
        }
    }
    (allowed, blocked)
}

/// Of several headers that are not allowed, Chromium names one that only its hash table knows.
fn names_one_of_several(ours: &Happened, real: &Happened) -> bool {
    let header = |happened: &Happened| {
        let console = happened.console.as_deref()?;
        let (_, rest) = console.split_once("Request header field ")?;
        let (name, _) = rest.split_once(' ')?;
        Some(name.to_owned())
    };
    let (Some(ours), Some(named)) = (header(ours), header(real)) else {
        return false;
    };
    let asked = real.sent.last().and_then(Sent::request_headers);
    let mut asked = asked.unwrap_or_default().split(',');
    ours != named && asked.any(|name| name == named)
}

/// The recording is what today's Chromium does, and so is what we foretell of generated exchanges.
#[test]
fn chromium_does_as_foretold() {
    let mut failures = Failures::default();
    let (allowed, blocked) = compare(&cases(), &mut failures);
    println!("recorded: {allowed} allowed, {blocked} blocked");
    let seed = std::env::var("CORSLINT_SEED").ok();
    let seed = seed.and_then(|seed| seed.parse().ok()).unwrap_or(20260);
    let mut dice = Dice(seed);
    let cases = (0..GENERATED).map(|number| generated(number, &mut dice));
    let (allowed, blocked) = compare(&cases.collect::<Vec<_>>(), &mut failures);
    println!("generated with seed {seed}: {allowed} allowed, {blocked} blocked");
    assert!(allowed > 50 && blocked > 50, "{allowed} and {blocked}");
    failures.report();
}

/// Random numbers that are the same for the same seed (SplitMix64).
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^= mixed >> 31;
        usize::try_from(mixed % sides as u64).unwrap()
    }

    fn one_in(&mut self, sides: usize) -> bool {
        self.roll(sides) == 0
    }

    fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        from[self.roll(from.len())]
    }
}

const ORIGINS: [&str; 22] = [
    "*",
    "null",
    "",
    "{origin}/",
    "{origin}, {origin}",
    "{origin} ",
    "\t{origin}",
    "https://app.example.com",
    "HTTP://localhost:{port}",
    "http://localhost",
    "localhost",
    "*.example.com",
    "http://*.localhost",
    "\"{origin}\"",
    "{origin}, *",
    "**",
    "true",
    "{server}",
    "http://[::1]:{port}",
    "http://local host",
    "capacitor://localhost",
    "http://localhost:{port}?",
];

/// Node's parser takes no others.
const METHODS: [&str; 14] = [
    "GET", "get", "HEAD", "POST", "post", "PUT", "put", "Put", "DELETE", "delete", "PATCH",
    "OPTIONS", "QUERY", "PROPFIND",
];

const LISTS: [&str; 16] = [
    "*",
    "PUT, DELETE, PATCH",
    "put",
    "PUT;DELETE",
    "PUT DELETE",
    "",
    ",PUT,,PATCH,",
    "[\"PUT\"]",
    "*, PUT",
    "PUT, *",
    "x-a, X-B, content-type, authorization",
    "X-A",
    "Content-Type,Authorization,x-b",
    "x-a; x-b",
    "x-a x-b",
    "x-a, \"x-b\"",
];

const HEADERS: [(&str, &str); 18] = [
    ("X-A", "1"),
    ("x-b", ""),
    ("Content-Type", "application/json"),
    ("content-type", "text/plain; charset=utf-8"),
    ("Content-Type", "text/plain; x=\"y\""),
    ("Content-Type", "multipart/form-data"),
    ("Authorization", "Bearer t"),
    ("Accept", "application/json"),
    ("Accept", "a(b)"),
    ("Accept-Language", "de, en;q=0.5"),
    ("Accept-Language", "de_DE"),
    ("Content-Language", "de"),
    ("Range", "bytes=0-9"),
    ("Range", "bytes=-9"),
    ("Cache-Control", "no-cache"),
    ("Cookie", "a=b"),
    ("X-HTTP-Method-Override", "PUT"),
    ("User-Agent", "mine"),
];

/// The CORS headers of an answer: half of them as they should be.
fn answer(dice: &mut Dice, preflight: bool, redirect: Option<&str>) -> Value {
    let mut headers: Vec<(String, String)> = Vec::new();
    let mut add = |name: &str, value: &str| {
        headers.push((format!("Access-Control-{name}"), value.to_owned()));
    };
    let origin = match dice.roll(8) {
        0 => dice.pick(&ORIGINS),
        1 => "*",
        _ => "{request_origin}",
    };
    if !dice.one_in(15) {
        add("Allow-Origin", origin);
    }
    if dice.one_in(30) {
        add("Allow-Origin", dice.pick(&ORIGINS));
    }
    if !dice.one_in(3) {
        let values = ["true", "true", "true", "True", "false", "1", "true "];
        add("Allow-Credentials", dice.pick(&values));
    }
    if preflight {
        let good = ["PUT, DELETE, PATCH, PROPFIND, QUERY, OPTIONS", "*"];
        let methods = if dice.one_in(3) {
            dice.pick(&LISTS)
        } else {
            dice.pick(&good)
        };
        if !dice.one_in(10) {
            add("Allow-Methods", methods);
        }
        let good = [
            "x-a, X-B, Content-Type, Authorization, Accept, accept-language, range, Cache-Control, x-http-method-override",
            "*",
        ];
        let names = if dice.one_in(3) {
            dice.pick(&LISTS)
        } else {
            dice.pick(&good)
        };
        if !dice.one_in(10) {
            add("Allow-Headers", names);
        }
    } else if dice.one_in(2) {
        let values = [
            "*",
            "X-Total, etag",
            "x-total etag",
            "X-TOTAL",
            "etag, *",
            "",
        ];
        add("Expose-Headers", dice.pick(&values));
    }
    headers.push(("X-Total".into(), "1".into()));
    headers.push(("ETag".into(), "\"a\"".into()));
    let statuses: &[u16] = match (preflight, redirect) {
        (_, Some(_)) => &[301, 302, 303, 307, 308],
        (true, None) => &[204, 200, 204, 200, 204, 200, 204, 200, 299, 404, 401, 302],
        (false, None) => &[200, 200, 200, 201, 404, 500, 401, 302],
    };
    let status = statuses[dice.roll(statuses.len())];
    headers.extend(redirect.map(|target| ("Location".to_owned(), target.to_owned())));
    json!({ "status": status, "headers": headers })
}

fn generated(number: usize, dice: &mut Dice) -> Value {
    let mut request = json!({ "method": dice.pick(&METHODS) });
    let mut headers: Vec<(&str, &str)> = Vec::new();
    for _ in 0..dice.roll(4) {
        let header = HEADERS[dice.roll(HEADERS.len())];
        let known = headers
            .iter()
            .any(|(name, _)| name.eq_ignore_ascii_case(header.0));
        if !known {
            headers.push(header);
        }
    }
    request["headers"] = json!(headers);
    if dice.one_in(3) {
        request["credentials"] = "include".into();
    }
    if dice.one_in(4) {
        request["api"] = "xhr".into();
    }
    let mut case = json!({
        "name": format!("generated-{number}"),
        "request": request,
        "preflight": answer(dice, true, None),
    });
    let hops = if dice.one_in(5) { 1 + dice.roll(2) } else { 0 };
    let mut then = Vec::new();
    for hop in 0..=hops {
        let target = format!("{{url{}}}", hop + 1);
        let actual = answer(dice, false, (hop < hops).then_some(&*target));
        if hop == 0 {
            case["actual"] = actual;
            continue;
        }
        let at = if dice.one_in(2) {
            "{other}"
        } else {
            "{server}"
        };
        let preflight = answer(dice, true, None);
        then.push(json!({ "at": at, "preflight": preflight, "actual": actual }));
    }
    if !then.is_empty() {
        case["then"] = then.into();
    }
    match dice.roll(10) {
        0 => case["page"] = "sandboxed".into(),
        1 => case["page"] = "data".into(),
        2 => case["page"] = "address".into(),
        _ => {}
    }
    case
}
