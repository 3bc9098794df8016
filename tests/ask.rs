//! `curl`, `try`, `show` and `explain`: what they say, and what they refuse.

use serde_json::Value;

use crate::support::{Run, TempDir, run};

const SITE: &str = "\
server {
    listen 80;
    server_name api.example.com;
    location /api/ {
        add_header Access-Control-Allow-Origin https://app.example.com;
        add_header Access-Control-Allow-Credentials true;
        if ($request_method = OPTIONS) {
            add_header Access-Control-Allow-Origin https://app.example.com;
            add_header Access-Control-Allow-Methods 'GET, PUT';
            return 204;
        }
        proxy_pass http://app;
    }
    location = /moved { return 301 http://api.example.com/api/; }
}
server {
    listen 80;
    server_name other.example.com;
    location / {
        add_header Access-Control-Allow-Origin * always;
        add_header Access-Control-Expose-Headers X-Total always;
        add_header X-Total 1;
        return 200 ok;
    }
}
";

fn folder() -> TempDir {
    let folder = TempDir::new();
    folder.write("site.conf", SITE);
    folder
}

fn asked(arguments: &[&str]) -> Run {
    run(folder().path(), arguments)
}

fn json(arguments: &[&str]) -> Value {
    let run = asked(&[arguments, &["--format", "json"]].concat());
    serde_json::from_str(&run.stdout).expect(&run.stderr)
}

const ORIGIN: &str = "Origin: https://app.example.com";
const URL: &str = "http://api.example.com/api/items";

#[test]
fn curl_shows_each_header_with_its_place() {
    let run = asked(&["curl", "-i", "-H", ORIGIN, URL, "--in", "site.conf", "-k"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    let expected = "\
location /api/ (nginx, site.conf:4)
HTTP/1.1 200 OK                                       # assumed, see --status; answered by upstream, site.conf:12
Access-Control-Allow-Origin: https://app.example.com  # site.conf:5
Access-Control-Allow-Credentials: true                # site.conf:6
";
    assert!(run.stdout.starts_with(expected), "{}", run.stdout);
    assert_eq!(run.stderr, "note: `-k` is ignored\n");
}

#[test]
fn curl_for_programs() {
    let answer = json(&["curl", "-H", ORIGIN, URL, "--status=500"]);
    assert_eq!(answer["version"], 1);
    assert_eq!(answer["request"]["method"], "GET");
    assert_eq!(answer["request"]["url"], URL);
    let endpoint = &answer["endpoints"][0];
    assert_eq!(endpoint["framework"], "nginx");
    assert_eq!(endpoint["name"], "location /api/");
    assert_eq!(endpoint["path"], "site.conf");
    assert_eq!(endpoint["range"]["start"]["line"], 4);
    let response = &endpoint["responses"][0];
    assert_eq!(response["status"], 500);
    assert_eq!(response["status_assumed"], true);
    assert_eq!(
        response["dropped"][0]["name"],
        "Access-Control-Allow-Origin"
    );
    assert_eq!(response["dropped"][0]["from"]["start"]["line"], 5);
    let ok = json(&["curl", "-H", ORIGIN, URL]);
    let response = &ok["endpoints"][0]["responses"][0];
    assert_eq!(response["headers"][0][0], "Access-Control-Allow-Origin");
    assert_eq!(response["headers"][0][1], "https://app.example.com");
    assert_eq!(response["from"][0]["start"]["line"], 5);
    assert_eq!(response["assumes"], serde_json::json!([]));
}

/// A status is marked where only the application behind could tell it, in both commands.
#[test]
fn an_assumed_status_is_marked() {
    let preflight = [
        "-X",
        "OPTIONS",
        "-H",
        ORIGIN,
        "-H",
        "Access-Control-Request-Method: PUT",
    ];
    for (arguments, status, is_assumed) in [
        (vec![URL], 200, true),
        (vec![URL, "--status", "299"], 299, true),
        ([&preflight[..], &[URL]].concat(), 204, false),
        (
            [&preflight[..], &[URL, "--status", "204"]].concat(),
            204,
            false,
        ),
        (vec!["http://api.example.com/moved"], 301, false),
        (vec!["http://other.example.com/"], 200, false),
    ] {
        let answer = json(&[&["curl"], &arguments[..]].concat());
        let response = &answer["endpoints"][0]["responses"][0];
        assert_eq!(response["status"], status, "{arguments:?}");
        assert_eq!(response["status_assumed"], is_assumed, "{arguments:?}");
        let run = asked(&[&["curl"], &arguments[..]].concat());
        assert_eq!(
            run.stdout.contains("# assumed, see --status"),
            is_assumed,
            "{arguments:?}\n{}",
            run.stdout
        );
    }
    let put = [
        "try",
        URL,
        "--origin",
        "https://app.example.com",
        "--method",
        "PUT",
    ];
    let exchange = &json(&put)["endpoints"][0]["exchanges"][0];
    let assumed = |step: &str| exchange[step]["response"]["status_assumed"].clone();
    assert_eq!(
        (assumed("preflight"), assumed("actual")),
        (false.into(), true.into())
    );
}

/// Where the origin is refused by leaving its header out, the place that looks at it is named, not the
/// handler behind.
#[test]
fn the_place_that_refuses_an_origin_is_named() {
    let folder = TempDir::new();
    folder.write(
        "package.json",
        r#"{"dependencies":{"express":"^4","cors":"^2"}}"#,
    );
    folder.write(
        "app.js",
        "const express = require('express');\nconst cors = require('cors');\n\
         const app = express();\napp.use(cors({ origin: ['https://app.example.com', /x$/] }));\n\
         app.get('/', (req, res) => res.send('x'));\napp.listen(3000);\n",
    );
    let asked = [
        "try",
        "http://a.example/",
        "--origin",
        "https://evil.example",
    ];
    let run = run(folder.path(), &asked);
    let words = "decided at app.js:4: the answer depends on the Origin, and this one gets no \
                 Access-Control-Allow-Origin";
    assert!(run.stdout.contains(words), "{}", run.stdout);
}

/// What a browser prints is said to be unknown where it is, not left out.
#[test]
fn unknown_words_are_said_to_be_unknown() {
    let folder = TempDir::new();
    for (location, words) in [
        (
            "http://user:secret@other.example/",
            vec![
                "Chrome prints:\n    Access to fetch at",
                "Firefox prints, by its sources:\n",
                "CORS request external redirect not allowed",
                "Safari prints a message whose words are not known for certain",
            ],
        ),
        (
            "file:///etc/passwd",
            vec![
                "Chrome prints no message about CORS, only the failure of the request",
                "Firefox prints a message whose words",
                "Safari prints a message whose words",
            ],
        ),
    ] {
        let site = format!(
            "server {{ location / {{ add_header Access-Control-Allow-Origin * always;\n\
             return 302 {location}; }} }}\n"
        );
        folder.write("site.conf", site);
        let origin = ["--origin", "https://a.example"];
        let run = run(
            folder.path(),
            &[&["try", "http://b.example/"], &origin[..]].concat(),
        );
        assert_eq!(run.code, 1, "{}{}", run.stdout, run.stderr);
        for words in words {
            assert!(run.stdout.contains(words), "{words}\n{}", run.stdout);
        }
    }
}

/// The host chooses the server, the path the location.
#[test]
fn the_framework_chooses_the_endpoint() {
    for (arguments, name) in [
        (vec!["http://other.example.com/api/"], "location /"),
        (vec!["http://api.example.com/moved"], "location = /moved"),
        (
            vec!["-H", "Host: other.example.com", "http://127.0.0.1/api/"],
            "location /",
        ),
        (vec!["api.example.com/api"], "location /api/"),
    ] {
        let answer = json(&[&["curl"], &arguments[..]].concat());
        let endpoints = answer["endpoints"].as_array().expect("endpoints");
        assert_eq!(endpoints.len(), 1);
        assert_eq!(endpoints[0]["name"], name, "{arguments:?}");
    }
}

#[test]
fn unknown_values_are_null() {
    let folder = TempDir::new();
    folder.write(
        "default.conf.template",
        "server { location / { add_header Access-Control-Allow-Origin ${ORIGIN} always; return 204; } }\n",
    );
    let header = |arguments: &[&str]| {
        let arguments = [
            &["curl", "--format", "json", "http://a.example/"],
            arguments,
        ]
        .concat();
        let run = run(folder.path(), &arguments);
        let answer: Value = serde_json::from_str(&run.stdout).expect("JSON");
        answer["endpoints"][0]["responses"][0]["headers"][0][1].clone()
    };
    assert_eq!(header(&[]), Value::Null);
    assert_eq!(
        header(&["--env", "ORIGIN=https://a.example"]),
        "https://a.example"
    );
}

#[test]
fn try_plays_the_whole_exchange() {
    let base = [
        "try",
        URL,
        "--origin",
        "https://app.example.com",
        "--method",
        "PUT",
    ];
    let run = asked(&base);
    assert_eq!(run.code, 0, "{}{}", run.stdout, run.stderr);
    for words in [
        "1. preflight: the method PUT needs it",
        "> OPTIONS /api/items HTTP/1.1",
        "< Access-Control-Allow-Methods: GET, PUT",
        "2. actual request",
        "> PUT /api/items HTTP/1.1",
        "allowed",
    ] {
        assert!(run.stdout.contains(words), "{words}\n{}", run.stdout);
    }
    let run = asked(&[&base[..], &["--credentials"]].concat());
    assert_eq!(run.code, 1);
    for words in [
        "blocked: Access-Control-Allow-Credentials is not `true`",
        "(acac-not-true)",
        "decided at site.conf:6",
        "Chrome prints:",
        "Firefox prints, by its sources:",
        "Safari prints, by its sources:",
    ] {
        assert!(run.stdout.contains(words), "{words}\n{}", run.stdout);
    }
}

#[test]
fn try_for_programs() {
    let answer = json(&[
        "try",
        URL,
        "--origin",
        "https://app.example.com",
        "--status",
        "404",
    ]);
    let exchange = &answer["endpoints"][0]["exchanges"][0];
    assert_eq!(exchange["preflight"], Value::Null);
    assert_eq!(exchange["actual"]["response"]["status"], 404);
    assert_eq!(exchange["actual"]["failure"], "acao-missing");
    let verdict = &exchange["verdict"];
    assert_eq!(verdict["outcome"], "blocked");
    assert_eq!(verdict["decided_at"]["start"]["line"], 5);
    let console = verdict["browsers"][0]["console"].as_str().expect("a text");
    assert!(console.ends_with("header is present on the requested resource."));
}

#[test]
fn try_follows_redirects_and_reads_headers() {
    let moved = json(&[
        "try",
        "http://api.example.com/moved",
        "--origin",
        "https://app.example.com",
    ]);
    let verdict = &moved["endpoints"][0]["exchanges"][0]["verdict"];
    assert_eq!(verdict["failure"], "acao-missing");
    let other = json(&["try", "http://other.example.com/", "--origin", "null"]);
    let verdict = &other["endpoints"][0]["exchanges"][0]["verdict"];
    assert_eq!(verdict["outcome"], "allowed");
    let readable = verdict["readable_headers"].as_array().expect("names");
    assert!(readable.contains(&"x-total".into()), "{readable:?}");
}

#[test]
fn show_is_a_table_of_policies() {
    let run = asked(&["show"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    let rows: Vec<Vec<&str>> = run
        .stdout
        .lines()
        .map(|line| {
            line.split("  ")
                .map(str::trim)
                .filter(|cell| !cell.is_empty())
                .collect()
        })
        .collect();
    let row = |name: &str| {
        rows.iter()
            .find(|row| row.first() == Some(&name))
            .expect("a row")
    };
    assert_eq!(
        row("location /api/")[1..],
        [
            "https://app.example.com",
            "yes",
            "GET, PUT",
            "-",
            "cors 204",
            "-",
            "site.conf:4"
        ]
    );
    assert_eq!(row("location /")[1..3], ["everyone", "no"]);
    assert_eq!(row("location = /moved")[1], "nobody");
    let policies = json(&["show", "site.conf"]);
    let endpoints = policies["endpoints"].as_array().expect("endpoints");
    let api = endpoints
        .iter()
        .find(|endpoint| endpoint["name"] == "location /api/");
    let policy = &api.expect("the endpoint")["policies"][0];
    assert_eq!(
        policy["origins"],
        serde_json::json!(["https://app.example.com"])
    );
    assert_eq!(policy["everyone"], false);
    assert_eq!(policy["credentials"], true);
    assert_eq!(policy["methods"]["value"], "GET, PUT");
}

/// Flask answers a GET to a route that takes POST with 405, to anybody.
#[test]
fn show_asks_with_a_method_that_is_served() {
    let folder = TempDir::new();
    folder.write(
        "app.py",
        "from flask import Flask\nfrom flask_cors import cross_origin\n\napp = Flask(__name__)\n\n\n\
         @app.route(\"/items\", methods=[\"POST\"])\n@cross_origin(origins=\"https://app.example.com\")\n\
         def items():\n    return \"ok\"\n",
    );
    let run = run(folder.path(), &["show"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert!(
        run.stdout.contains("https://app.example.com"),
        "{}",
        run.stdout
    );
    assert!(!run.stdout.contains("nobody"), "{}", run.stdout);
}

const MESSAGE: &str = "Access to fetch at 'http://api.example.com/api/items' from origin \
    'https://app.example.com' has been blocked by CORS policy: No 'Access-Control-Allow-Origin' \
    header is present on the requested resource.";

#[test]
fn explain_finds_what_produces_a_message() {
    let run = asked(&["explain", MESSAGE, "site.conf"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    for words in [
        "acao-missing",
        "URL: http://api.example.com/api/items",
        "Possible causes, the most probable first",
        "location /api/ (nginx, site.conf:4)",
        "when the application answers 404",
        "at site.conf:5",
        "site.conf:5 missing-always",
        "help: add_header Access-Control-Allow-Origin",
    ] {
        assert!(run.stdout.contains(words), "{words}\n{}", run.stdout);
    }
    let explained = json(&["explain", MESSAGE, "."]);
    let message = &explained["messages"][0];
    assert_eq!(message["kinds"][0], "acao-missing");
    assert_eq!(message["evidence"][0]["application_status"], 404);
    assert_eq!(message["evidence"][0]["decided_at"]["start"]["line"], 5);
    let alone = json(&["explain", MESSAGE]);
    assert_eq!(alone["messages"][0]["evidence"], Value::Null);
    assert_eq!(alone["messages"][0]["browser"], "chrome");
}

#[test]
fn explain_says_when_another_origin_is_allowed() {
    let folder = TempDir::new();
    folder.write(
        "package.json",
        r#"{"dependencies":{"express":"^4","cors":"^2"}}"#,
    );
    folder.write(
        "app.js",
        "const app = require('express')();\nconst cors = require('cors');\n\
         app.use(cors({ origin: ['https://app.example.com'] }));\n\
         app.get('/api/items', (req, res) => res.json([]));\napp.listen(3000);\n",
    );
    let message = MESSAGE.replace(
        "origin 'https://app.example.com'",
        "origin 'http://localhost:5173'",
    );
    let run = run(folder.path(), &["explain", &message, "."]);
    let words = "the same request is allowed from https://app.example.com";
    assert!(run.stdout.contains(words), "{}", run.stdout);
}

#[test]
fn explain_of_a_rule_stays() {
    let rule = asked(&["explain", "missing-always"]);
    assert_eq!(rule.code, 0);
    assert!(rule.stdout.starts_with("missing-always\n"));
    let as_json = json(&["explain", "missing-always"]);
    assert_eq!(as_json["rules"][0]["id"], "missing-always");
    assert_eq!(asked(&["explain", "missing-always", "."]).code, 2);
}

#[test]
fn bad_input_is_refused() {
    let origin = ["--origin", "https://app.example.com"];
    let with = |arguments: &[&'static str]| [&["try", URL][..], &origin, arguments].concat();
    for (arguments, words) in [
        (vec!["try", "nonsense", "--origin", "null"], "is no URL"),
        (
            vec!["try", "ftp://a/", "--origin", "null"],
            "neither http nor https",
        ),
        (vec!["try", "http://a b/", "--origin", "null"], "is no URL"),
        (
            vec!["try", "http://a/\r\nX: y", "--origin", "null"],
            "line break",
        ),
        (vec!["try", URL], "--origin"),
        (
            vec!["try", URL, "--origin", "https://a.example/x"],
            "write `https://a.example`",
        ),
        (
            vec!["try", URL, "--origin", "https://a.example/"],
            "ends in a slash",
        ),
        (vec!["try", URL, "--origin", "a.example"], "is no origin"),
        (
            vec!["try", URL, "--origin", "https://a\r\nX: y"],
            "is no origin",
        ),
        (with(&["--method", "FETCH"]), "unknown HTTP method"),
        (with(&["--method", "GE T"]), "is no HTTP method"),
        (with(&["--method", "TRACE"]), "no script may use"),
        (with(&["--header", "X-A: a\r\nX-B: b"]), "line break"),
        (with(&["--header", "nonsense"]), "is no header"),
        (with(&["--status", "99"]), "from 200 to 599"),
        (with(&["--status", "abc"]), "from 200 to 599"),
        (with(&["--in", "nowhere"]), "nowhere"),
        (vec!["curl"], "CURL ARGUMENTS"),
        (vec!["curl", "-i"], "there is no URL"),
        (vec!["curl", "-d", "@secret", URL], "read a file"),
        (vec!["curl", "--url-query", "@secret", URL], "read a file"),
        (vec!["curl", "-K", "secret", URL], "file"),
        (vec!["curl", "-T", "secret", URL], "file"),
        (vec!["curl", "-b", "secret", URL], "read a file"),
        (vec!["curl", "-F", "a=@secret", URL], "read a file"),
        (vec!["curl", "-H", "X: a\nY: b", URL], "line break"),
        (vec!["curl", "-X", "G\nT", URL], "is no HTTP method"),
        (vec!["curl", URL, "http://a/"], "two URLs"),
        (vec!["curl", URL, "--status", "1000"], "from 200 to 599"),
        (vec!["curl", URL, "--format", "xml"], "xml"),
        (vec!["curl", URL, "--in"], "--in"),
        (
            vec!["explain", "nothing that a browser says"],
            "neither the id of a rule",
        ),
        (
            vec!["explain", "mising-always"],
            "did you mean `missing-always`",
        ),
        (vec!["explain", MESSAGE, "nowhere"], "nowhere"),
        (vec!["show", "nowhere"], "nowhere"),
    ] {
        let folder = folder();
        // What must not be read says so if it is.
        folder.write("secret", "X-Secret: read\n");
        let run = run(folder.path(), &arguments);
        assert_eq!(run.code, 2, "{arguments:?}\n{}{}", run.stdout, run.stderr);
        assert!(run.stderr.contains(words), "{arguments:?}\n{}", run.stderr);
        assert_eq!(run.stdout, "", "{arguments:?}");
        assert!(!run.stderr.contains("internal error"), "{}", run.stderr);
    }
}

#[test]
fn without_a_configuration_there_is_no_answer() {
    let folder = TempDir::new();
    for arguments in [
        &["curl", URL][..],
        &["try", URL, "--origin", "null"],
        &["show"],
    ] {
        let run = run(folder.path(), arguments);
        assert_eq!((run.code, run.stdout.as_str()), (2, ""));
        assert!(
            run.stderr.contains("no CORS configuration found"),
            "{}",
            run.stderr
        );
    }
}

#[test]
fn help_has_examples() {
    for command in ["curl", "try", "show", "explain"] {
        let help = asked(&[command, "--help"]);
        assert_eq!((help.code, help.stderr.as_str()), (0, ""), "{command}");
        for words in [
            "Examples:",
            "Usage: corslint",
            "--env <NAME=VALUE>",
            "--format",
        ] {
            assert!(
                help.stdout.contains(words),
                "{command}: {words}\n{}",
                help.stdout
            );
        }
    }
}

const APP: &str = "\
const express = require('express');
const cors = require('cors');
const app = express();
app.use('/api', cors({ origin: process.env.APP_ORIGIN, credentials: true }));
app.get('/api/items/:id', (req, res) => res.json({}));
app.post('/api/orders', (req, res) => res.json({}));
app.listen(3000);
";

fn express(config: &str) -> TempDir {
    let folder = TempDir::new();
    folder.write(
        "package.json",
        "{\"dependencies\": {\"express\": \"^5.1.0\"}}",
    );
    folder.write("app.js", APP);
    folder.write("old/app.js", APP);
    folder.write("corslint.toml", config);
    folder
}

const ENVIRONMENTS: &str = "\
exclude = [\"old\"]
[environments.production]
APP_ORIGIN = \"https://app.example.com\"
[environments.staging]
APP_ORIGIN = \"https://staging.example.com\"
";

/// `corslint.toml` counts for every command that reads configurations.
#[test]
fn the_configuration_is_honoured() {
    let folder = express(ENVIRONMENTS);
    let url = "http://api.example.com/api/items/7";
    let message = "Access to fetch at 'http://api.example.com/api/items/7' from origin \
        'https://staging.example.com' has been blocked by CORS policy: The \
        'Access-Control-Allow-Origin' header has a value 'https://app.example.com' that is not equal \
        to the supplied origin.";
    for (arguments, said, unsaid) in [
        (
            &["show"][..],
            &[
                "express in the environment `production`\n",
                "express in the environment `staging`\n",
                "https://app.example.com",
                "https://staging.example.com",
            ][..],
            "old/",
        ),
        (
            &["show", "--no-config"],
            &["unknown", "old/app.js"],
            "in the environment",
        ),
        (
            &["show", "--env", "APP_ORIGIN=https://x.example"],
            &["https://x.example"],
            "in the environment",
        ),
        (
            &["curl", "-H", ORIGIN, url],
            &[
                "GET /api/items/1 (express, app.js:5) in the environment `production`",
                "in the environment `staging`",
                "Access-Control-Allow-Origin: https://staging.example.com",
            ],
            "old/",
        ),
        (
            &["curl", "-H", ORIGIN, url, "--no-config"],
            &["(unknown)", "old/app.js"],
            "in the environment",
        ),
        (
            &["curl", "--no-config", "-H", ORIGIN, url],
            &["(unknown)", "old/app.js"],
            "in the environment",
        ),
        (
            &["--no-config", "curl", url],
            &["(unknown)", "old/app.js"],
            "in the environment",
        ),
        (
            &["try", url, "--origin", "https://app.example.com"],
            &[
                "in the environment `production`",
                "allowed\n",
                "in the environment `staging`",
                "acao-mismatch",
            ],
            "old/",
        ),
        (
            &["explain", message, "."],
            &[
                "in the environment `production`",
                "acao-mismatch: the response",
            ],
            "old/",
        ),
    ] {
        let run = run(folder.path(), arguments);
        for words in said {
            assert!(
                run.stdout.contains(words),
                "{arguments:?}: {words}\n{}{}",
                run.stdout,
                run.stderr
            );
        }
        assert!(
            !run.stdout.contains(unsaid),
            "{arguments:?}: {unsaid}\n{}",
            run.stdout
        );
    }
}

#[test]
fn a_wrong_configuration_is_an_error() {
    let folder = express("exlude = []\n");
    for arguments in [
        &["show"][..],
        &["curl", URL],
        &["try", URL, "--origin", "null"],
        &["explain", MESSAGE, "."],
        &["--config", "none.toml", "show"],
    ] {
        let run = run(folder.path(), arguments);
        assert_eq!((run.code, run.stdout.as_str()), (2, ""), "{arguments:?}");
        let expected = if arguments[0] == "--config" {
            "none.toml"
        } else {
            "corslint.toml:1:1"
        };
        assert!(
            run.stderr.contains(expected),
            "{arguments:?}\n{}",
            run.stderr
        );
    }
}

/// Express answers by itself where no route serves the path; no other endpoint's answer is shown.
#[test]
fn a_path_without_a_route_gets_the_framework_s_own_answer() {
    let folder = express("[environments.production]\nAPP_ORIGIN = \"https://app.example.com\"\n");
    let ask = |arguments: &[&str]| {
        let run = run(folder.path(), &[arguments, &["--in", "app.js"]].concat());
        assert_ne!(run.code, 2, "{}", run.stderr);
        run.stdout
    };
    let other = ask(&["curl", "-H", ORIGIN, "http://h/nothing"]);
    assert!(other.starts_with("no endpoint (express): "), "{other}");
    assert!(other.contains("HTTP/1.1 404 Not Found"), "{other}");
    assert!(!other.contains("Access-Control"), "{other}");
    // The middleware is met before the router gives up.
    let below = ask(&["curl", "-H", ORIGIN, "http://h/api/nothing"]);
    assert!(below.contains("HTTP/1.1 404 Not Found"), "{below}");
    assert!(
        below.contains("Access-Control-Allow-Origin: https://app.example.com"),
        "{below}"
    );
    let routed = ask(&["curl", "-H", ORIGIN, "http://h/API/Items/9/"]);
    assert!(
        routed.starts_with("GET /api/items/1 (express, app.js:5)"),
        "{routed}"
    );
    let put = ask(&[
        "try",
        "http://h/nothing",
        "--origin",
        "https://app.example.com",
    ]);
    assert!(
        put.contains("no endpoint (express)") && put.contains("acao-missing"),
        "{put}"
    );
    let json = ask(&["curl", "http://h/nothing", "--format", "json"]);
    let json: Value = serde_json::from_str(&json).expect("JSON");
    let endpoint = &json["endpoints"][0];
    assert_eq!(endpoint["framework"], "express");
    assert!(
        endpoint["name"].is_null() && endpoint["range"].is_null(),
        "{endpoint}"
    );
    assert_eq!(endpoint["responses"][0]["status"], 404);
}

#[test]
fn completions_and_the_manual_are_made_of_the_arguments() {
    for (shell, words) in [
        ("bash", "complete -F _corslint"),
        ("zsh", "#compdef corslint"),
        ("fish", "complete -c corslint"),
        ("powershell", "Register-ArgumentCompleter"),
    ] {
        let run = asked(&["completions", shell]);
        assert_eq!((run.code, run.stderr.as_str()), (0, ""), "{shell}");
        for words in [words, "explain", "--fail-on"] {
            let plain = words.trim_start_matches('-');
            assert!(run.stdout.contains(plain), "{shell}: {words}");
        }
    }
    let manual = asked(&["man"]);
    assert_eq!(manual.code, 0, "{}", manual.stderr);
    for words in [
        ".TH corslint 1",
        "corslint\\-explain(1)",
        "Exit codes",
        "SOURCE_DATE_EPOCH",
    ] {
        assert!(manual.stdout.contains(words), "{words}\n{}", manual.stdout);
    }
    let page = asked(&["man", "try"]);
    assert!(
        page.stdout.contains(".TH corslint-try 1"),
        "{}",
        page.stdout
    );
    assert_eq!(asked(&["man", "nothing"]).code, 2);
}
