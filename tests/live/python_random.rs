//! Random Python applications against the real packages, in two generations.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use crate::fidelity::python::{KINDS, generation};
use crate::fidelity::{Answer, Ask, Case, Plan, Told, compare, read_as};
use crate::generate::Random;
use crate::python::answers;
use crate::runs::{Run, origins, seeds};

/// Applications of each framework in a normal run.
const CASES: u64 = 200;
/// The first seed of a normal run.
const SEED: u64 = 20_260_101;
/// Applications that one harness is given.
const BATCH: usize = 100;
const ORIGINS: [&str; 22] = [
    "https://app.example.com",
    "https://app.example.com",
    "https://app.example.com",
    "https://admin.example.com",
    "https://example.com",
    "http://localhost:3000",
    "https://app.example.com/",
    "https://App.example.com",
    "HTTPS://app.example.com",
    "https://app.example.com:443",
    "https://app.example.com:8443",
    "https://*.example.com",
    "https://app.example.com ",
    " https://app.example.com",
    "app.example.com",
    "//app.example.com",
    "null",
    "*",
    "",
    "https://app.example.com/path",
    "https://app.example.com,https://example.com",
    "capacitor://localhost",
];

const PATTERNS: [&str; 16] = [
    r"^https://app\.example\.com$",
    r"https://app\.example\.com",
    r"^https://.*\.example\.com$",
    r"https://.*example\.com",
    r"^https://(app|admin)\.example\.com$",
    r"https://\w+\.example\.com\Z",
    r"example\.com",
    r".*",
    r"^https?://",
    r"(?i)https://APP\.example\.com",
    r"https://app.example.com|null",
    r"^null$",
    r"https://([a-z0-9-]+\.)*example\.com(:\d+)?",
    r"http://localhost(:[0-9]+)?",
    r"",
    r"https://(?!evil)[^/]+\.com$",
];

const METHODS: [&str; 8] = ["GET", "POST", "PUT", "DELETE", "get", "put", "*", "OPTIONS"];

const HEADERS: [&str; 6] = [
    "Content-Type",
    "authorization",
    "X-Token",
    "*",
    "x-requested-with",
    "",
];

/// A Python literal.
fn text(value: &str) -> String {
    if value.contains('\\') {
        return format!("r\"{value}\"");
    }
    format!("\"{value}\"")
}

fn list(random: &mut Random, choices: &[&str]) -> String {
    let count = random.below(4);
    let items: Vec<String> = (0..count).map(|_| text(random.pick(choices))).collect();
    match random.below(12) {
        0 => text(random.pick(choices)),
        1 => format!(
            "({}{})",
            items.join(", "),
            if items.is_empty() { "" } else { "," }
        ),
        2 if !items.is_empty() => format!("[{}] + [{}]", items[0], items[1..].join(", ")),
        3 => format!("[item for item in [{}]]", items.join(", ")),
        4 => format!(
            "list(({}{}))",
            items.join(", "),
            if items.is_empty() { "" } else { "," }
        ),
        _ => format!("[{}]", items.join(", ")),
    }
}

fn flag(random: &mut Random) -> &'static str {
    [
        "True",
        "True",
        "True",
        "False",
        "\"false\"",
        "0",
        "1",
        "\"\"",
    ][random.below(8)]
}

/// A function around the handlers that sets headers by hand.
fn by_hand(random: &mut Random, set: &str, origin: &str) -> String {
    let allowed = random.pick(&ORIGINS[..6]);
    let set_to = |value: &str| {
        set.replace("NAME", "Access-Control-Allow-Origin")
            .replace("VALUE", value)
    };
    let mut body = match random.below(5) {
        0 => set_to("\"*\""),
        1 => set_to(&format!("{origin} or \"*\"")),
        2 => format!("if {origin} == \"{allowed}\":\n        {}", set_to(origin)),
        3 => format!(
            "if ({origin} or \"\").endswith(\".example.com\"):\n        {}",
            set_to(origin)
        ),
        _ => set.replace("NAME", "X-Other").replace("VALUE", "\"1\""),
    };
    if random.percent(40) {
        let line = set
            .replace("NAME", "Access-Control-Allow-Credentials")
            .replace("VALUE", "\"true\"");
        let _ = write!(body, "\n    {line}");
    }
    if random.percent(30) {
        let line = set.replace("NAME", "Vary").replace("VALUE", "\"Origin\"");
        let _ = write!(body, "\n    {line}");
    }
    body
}

fn starlette_options(random: &mut Random, old: bool) -> String {
    let mut options = Vec::new();
    if random.percent(85) {
        options.push(format!("allow_origins={}", list(random, &ORIGINS)));
    }
    if random.percent(30) {
        options.push(format!(
            "allow_origin_regex={}",
            text(random.pick(&PATTERNS))
        ));
    }
    if random.percent(50) {
        options.push(format!("allow_credentials={}", flag(random)));
    }
    if random.percent(50) {
        options.push(format!("allow_methods={}", list(random, &METHODS)));
    }
    if random.percent(50) {
        options.push(format!("allow_headers={}", list(random, &HEADERS)));
    }
    if random.percent(30) {
        options.push(format!("expose_headers={}", list(random, &HEADERS[..5])));
    }
    if random.percent(30) {
        options.push(format!("max_age={}", random.pick(&["0", "60", "86400"])));
    }
    if !old && random.percent(10) {
        options.push(format!(
            "allow_private_network={}",
            random.pick(&["True", "False"])
        ));
    }
    options.join(", ")
}

fn starlette(random: &mut Random) -> Vec<(String, String)> {
    let old = random.percent(25);
    let mut layers = Vec::new();
    for _ in 0..=random.below(3) {
        layers.push(match random.below(10) {
            0 => "app.add_middleware(GZipMiddleware)\n".to_owned(),
            1 => {
                let body = by_hand(
                    random,
                    "response.headers[\"NAME\"] = VALUE",
                    "request.headers.get(\"origin\")",
                );
                format!(
                    "@app.middleware(\"http\")\nasync def by_hand(request, call_next):\n    response = await call_next(request)\n    {body}\n    return response\n"
                )
            }
            2 => "@app.middleware(\"http\")\nasync def authenticate(request, call_next):\n    if request.headers.get(\"authorization\") is None:\n        return JSONResponse({}, status_code=401)\n    return await call_next(request)\n".to_owned(),
            _ => format!("app.add_middleware(CORSMiddleware, {})\n", starlette_options(random, old)),
        });
    }
    let handler = if random.percent(25) {
        let body = by_hand(
            random,
            "response.headers[\"NAME\"] = VALUE",
            "request.headers.get(\"origin\")",
        );
        format!(
            "@app.get(\"/items\")\ndef items(request: Request, response: Response):\n    {body}\n    return []\n"
        )
    } else {
        "@app.get(\"/items\")\ndef items():\n    return []\n".to_owned()
    };
    let more = match random.below(3) {
        0 => "@app.post(\"/items\")\ndef add():\n    return {}\n",
        1 => "@app.put(\"/items\")\ndef change():\n    return {}\n",
        _ => "",
    };
    let main = format!(
        "from fastapi import FastAPI, Request, Response\nfrom fastapi.middleware.cors import CORSMiddleware\nfrom fastapi.middleware.gzip import GZipMiddleware\nfrom fastapi.responses import JSONResponse\n\napp = FastAPI()\n{}\n\n{handler}\n\n{more}",
        layers.join("\n")
    );
    let versions = if old {
        "starlette==0.46.2\nfastapi==0.115.12\n"
    } else {
        "starlette==1.10.0\nfastapi==0.165.0\n"
    };
    vec![
        ("main.py".into(), main),
        ("requirements.txt".into(), versions.into()),
    ]
}

fn django(random: &mut Random) -> Vec<(String, String)> {
    let mut settings = String::new();
    let mut add = |name: &str, value: String| {
        let _ = writeln!(settings, "{name} = {value}");
    };
    if random.percent(70) {
        let name = random.pick(&[
            "CORS_ALLOWED_ORIGINS",
            "CORS_ALLOWED_ORIGINS",
            "CORS_ORIGIN_WHITELIST",
        ]);
        add(name, list(random, &ORIGINS));
    }
    if random.percent(35) {
        let name = random.pick(&["CORS_ALLOWED_ORIGIN_REGEXES", "CORS_ORIGIN_REGEX_WHITELIST"]);
        add(name, list(random, &PATTERNS));
    }
    if random.percent(30) {
        let name = random.pick(&["CORS_ALLOW_ALL_ORIGINS", "CORS_ORIGIN_ALLOW_ALL"]);
        add(name, flag(random).to_owned());
    }
    if random.percent(60) {
        add("CORS_ALLOW_CREDENTIALS", flag(random).to_owned());
    }
    if random.percent(30) {
        add("CORS_ALLOW_METHODS", list(random, &METHODS));
    }
    if random.percent(30) {
        add("CORS_ALLOW_HEADERS", list(random, &HEADERS));
    }
    if random.percent(25) {
        add("CORS_EXPOSE_HEADERS", list(random, &HEADERS[..5]));
    }
    if random.percent(30) {
        add(
            "CORS_PREFLIGHT_MAX_AGE",
            random.pick(&["0", "600", "\"60\"", "-1"]).to_owned(),
        );
    }
    if random.percent(30) {
        let pattern = random.pick(&[
            "r\"^/api/\"",
            "r\"^/api/.*$\"",
            "\"api\"",
            "\"^/items\"",
            "r\"^.*$\"",
            "\"/\"",
        ]);
        add("CORS_URLS_REGEX", pattern.to_owned());
    }
    let mut middleware = vec![
        "django.middleware.security.SecurityMiddleware",
        "django.middleware.common.CommonMiddleware",
        "django.middleware.csrf.CsrfViewMiddleware",
        "django.contrib.sessions.middleware.SessionMiddleware",
    ];
    middleware.truncate(1 + random.below(4));
    if random.percent(92) {
        middleware.insert(
            random.below(middleware.len() + 1),
            "corsheaders.middleware.CorsMiddleware",
        );
    }
    let mut files = Vec::new();
    if random.percent(20) {
        middleware.insert(random.below(middleware.len() + 1), "own.Own");
        let body = by_hand(
            random,
            "response[\"NAME\"] = VALUE",
            "request.META.get(\"HTTP_ORIGIN\")",
        );
        let body = body.replace('\n', "\n    ");
        files.push((
            "own.py".to_owned(),
            format!("def Own(get_response):\n    def middleware(request):\n        response = get_response(request)\n        {body}\n        return response\n\n    return middleware\n"),
        ));
    }
    let lines: Vec<String> = middleware
        .iter()
        .map(|path| format!("    \"{path}\",\n"))
        .collect();
    let settings = format!(
        "SECRET_KEY = \"not a secret\"\nALLOWED_HOSTS = [\"*\"]\nROOT_URLCONF = \"serve\"\nINSTALLED_APPS = [\"corsheaders\"]\nMIDDLEWARE = [\n{}]\n\n{settings}",
        lines.join("")
    );
    files.push(("settings.py".into(), settings));
    files.push(("manage.py".into(), "# the project starts here\n".into()));
    files.push((
        "requirements.txt".into(),
        "Django==5.2.19\ndjango-cors-headers==4.9.0\n".into(),
    ));
    files
}

fn flask_options(random: &mut Random) -> Vec<(&'static str, String)> {
    let mut options = Vec::new();
    if random.percent(75) {
        let choices = if random.percent(70) {
            &ORIGINS[..]
        } else {
            &PATTERNS[..14]
        };
        options.push(("origins", list(random, choices)));
    }
    if random.percent(45) {
        options.push(("supports_credentials", flag(random).to_owned()));
    }
    if random.percent(30) {
        options.push(("methods", list(random, &METHODS)));
    }
    if random.percent(30) {
        options.push(("allow_headers", list(random, &HEADERS[..5])));
    }
    if random.percent(20) {
        options.push(("expose_headers", list(random, &HEADERS[..5])));
    }
    if random.percent(25) {
        options.push(("max_age", random.pick(&["0", "60", "\"60\""]).to_owned()));
    }
    if random.percent(15) {
        options.push(("send_wildcard", flag(random).to_owned()));
    }
    if random.percent(15) {
        options.push(("vary_header", flag(random).to_owned()));
    }
    if random.percent(15) {
        options.push(("always_send", flag(random).to_owned()));
    }
    options
}

fn keywords(options: &[(&str, String)]) -> String {
    let parts = options
        .iter()
        .map(|(name, value)| format!("{name}={value}"));
    parts.collect::<Vec<_>>().join(", ")
}

fn flask(random: &mut Random) -> Vec<(String, String)> {
    let old = random.percent(25);
    let mut text = "from flask import Flask, jsonify, request\nfrom flask_cors import CORS, cross_origin\n\napp = Flask(__name__)\n".to_owned();
    if random.percent(25) {
        for (name, value) in flask_options(random) {
            let _ = writeln!(
                text,
                "app.config[\"CORS_{}\"] = {value}",
                name.to_uppercase()
            );
        }
    }
    let hook = random.percent(25).then(|| {
        let body = by_hand(
            random,
            "response.headers[\"NAME\"] = VALUE",
            "request.headers.get(\"Origin\")",
        );
        format!(
            "\n\n@app.after_request\ndef by_hand(response):\n    {body}\n    return response\n\n\n"
        )
    });
    let extension = random.percent(80).then(|| {
        let mut options = flask_options(random);
        if random.percent(30) {
            let resource = random.pick(&[
                "/items", "/api/*", "/*", r"/it.*", "/other", "*", "^/items$",
            ]);
            let own = flask_options(random);
            let own: Vec<String> = own
                .iter()
                .map(|(name, value)| format!("\"{name}\": {value}"))
                .collect();
            let value = match random.below(3) {
                0 => format!("r\"{resource}\""),
                1 => format!("[r\"{resource}\", r\"/api/.*\"]"),
                _ => format!("{{r\"{resource}\": {{{}}}}}", own.join(", ")),
            };
            options.push(("resources", value));
        }
        match random.below(3) {
            0 => format!("CORS({}).init_app(app)\n", keywords(&options)),
            _ if options.is_empty() => "CORS(app)\n".to_owned(),
            _ => format!("CORS(app, {})\n", keywords(&options)),
        }
    });
    let hook = hook.unwrap_or_default();
    let extension = extension.unwrap_or_default();
    text += &if random.percent(50) {
        format!("{hook}{extension}")
    } else {
        format!("{extension}{hook}")
    };
    let methods = random.pick(&[
        "",
        ", methods=[\"GET\", \"POST\"]",
        ", methods=[\"PUT\", \"GET\"]",
    ]);
    let decorator = if random.percent(25) {
        format!("@cross_origin({})\n", keywords(&flask_options(random)))
    } else {
        String::new()
    };
    let _ = write!(
        text,
        "\n\n@app.route(\"/items\"{methods})\n{decorator}def items():\n    return jsonify([])\n"
    );
    let versions = if old {
        "Flask==3.0.3\nflask-cors==4.0.2\n"
    } else {
        "Flask==3.1.3\nflask-cors==6.0.5\n"
    };
    vec![
        ("app.py".into(), text),
        ("requirements.txt".into(), versions.into()),
    ]
}

fn case(framework: &str, seed: u64) -> Case {
    let mut random = Random::new(seed);
    let (files, urls) = match framework {
        "starlette" => (starlette(&mut random), &["/items", "/nowhere"][..]),
        "django" => (django(&mut random), &["/items", "/api/items"][..]),
        _ => (flask(&mut random), &["/items", "/nowhere"][..]),
    };
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{framework}-{seed}"));
    for (name, text) in &files {
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join(name), text).unwrap();
    }
    Case {
        name: format!("seed-{seed}"),
        folder,
        files,
        plan: Plan {
            urls: urls.iter().map(|url| (*url).to_owned()).collect(),
            trusted: vec![
                "https://app.example.com".into(),
                "https://example.com".into(),
            ],
            ..Plan::default()
        },
    }
}

fn asks(case: &Case) -> Vec<Ask> {
    let mut asks = Vec::new();
    for url in &case.plan.urls {
        let url = format!("https://service.example{url}");
        for kind in KINDS {
            for origin in origins(&["http://localhost:3000", "https://evilexample.com:8443"]) {
                asks.push(Ask::of_kind(kind, &url, origin));
            }
        }
    }
    asks
}

fn random_applications_agree(framework: &str) {
    let seeds = seeds("CORSLINT_LIVE_CASES", CASES, SEED);
    let count = seeds.end - seeds.start;
    let seeds: Vec<u64> = seeds.collect();
    let mut run = Run::default();
    for batch in seeds.chunks(BATCH) {
        let cases: Vec<Case> = batch.iter().map(|seed| case(framework, *seed)).collect();
        for which in ["new", "old"] {
            let chosen: Vec<&Case> = cases
                .iter()
                .filter(|case| generation(case) == which)
                .collect();
            let jobs: Vec<(PathBuf, Vec<Ask>)> = chosen
                .iter()
                .map(|case| (case.folder.clone(), asks(case)))
                .collect();
            if jobs.is_empty() {
                continue;
            }
            let results = answers(which, framework, &jobs);
            for ((case, (_, asks)), result) in chosen.iter().zip(&jobs).zip(results) {
                if result.is_err() {
                    run.refuse();
                }
                // What does not start answers nothing.
                let answers = result.unwrap_or_else(|_| vec![Answer::CLOSED; asks.len()]);
                let reading = read_as(case, framework);
                let differs = asks.iter().zip(&answers).find_map(|(ask, answer)| {
                    match compare(&reading, ask, answer, Told::All) {
                        Ok(tally) => {
                            run.add(tally);
                            None
                        }
                        Err(differs) => Some(differs),
                    }
                });
                if let Some(differs) = differs {
                    let (_, text) = case
                        .files
                        .iter()
                        .max_by_key(|(_, text)| text.len())
                        .unwrap();
                    run.differs(&case.name, text, &differs);
                }
            }
        }
        for case in &cases {
            std::fs::remove_dir_all(&case.folder).unwrap();
        }
    }
    run.end(&format!("{framework} applications"), count, 3);
}

#[test]
fn random_starlette_applications_agree() {
    random_applications_agree("starlette");
}

#[test]
fn random_django_sites_agree() {
    random_applications_agree("django");
}

#[test]
fn random_flask_applications_agree() {
    random_applications_agree("flask");
}
