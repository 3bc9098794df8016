//! Suppression: in every language's comments, for what it says and nothing else.

use crate::support::{Run, TempDir, corslint, run};

/// `line: rule` of every finding.
fn findings(run: &Run) -> Vec<String> {
    assert!(run.code < 2, "{}", run.stderr);
    let value: serde_json::Value = serde_json::from_str(&run.stdout).expect("JSON");
    let findings = value["findings"].as_array().expect("a list");
    findings
        .iter()
        .map(|finding| {
            let line = &finding["range"]["start"]["line"];
            format!("{line}: {}", finding["rule"].as_str().unwrap_or_default())
        })
        .collect()
}

fn suppressed(run: &Run) -> u64 {
    let value: serde_json::Value = serde_json::from_str(&run.stdout).expect("JSON");
    value["summary"]["suppressed"].as_u64().expect("a number")
}

const JSON: [&str; 2] = ["--format", "json"];

/// Files that have one finding on the line with `HERE`, which is left out, and the rule.
const FILES: [(&str, &str, &str, &str); 7] = [
    (
        "x.conf",
        "server {\n location / {\n  add_header Access-Control-Allow-Origin $http_origin always;\n  add_header Vary Origin always;HERE\n  add_header Access-Control-Allow-Credentials true always;\n }\n}\n",
        "#",
        "any-origin-with-credentials",
    ),
    (
        "app.js",
        "const express = require('express');\nconst cors = require('cors');\nconst app = express();\napp.use(cors({ origin: true, credentials: true }));HERE\napp.get('/', (req, res) => res.json({}));\napp.listen(3000);\n",
        "//",
        "any-origin-with-credentials",
    ),
    (
        "settings.py",
        "INSTALLED_APPS = ['corsheaders']\nMIDDLEWARE = ['corsheaders.middleware.CorsMiddleware']\nCORS_ALLOW_CREDENTIALS = True\nCORS_ALLOW_ALL_ORIGINS = TrueHERE\n",
        "#",
        "any-origin-with-credentials",
    ),
    (
        "main.py",
        "from fastapi import FastAPI\nfrom fastapi.middleware.cors import CORSMiddleware\napp = FastAPI()\napp.add_middleware(CORSMiddleware, allow_origins=['*'], allow_credentials=True)HERE\n",
        "#",
        "any-origin-with-credentials",
    ),
    (
        "ItemController.java",
        "@RestController\n@RequestMapping(\"/api\")\n/* text \"\"\" */\n@CrossOrigin(originPatterns = \"*\", allowCredentials = \"true\")HERE\npublic class ItemController {\n    @GetMapping(\"/items\")\n    public String items() { return \"// no comment\"; }\n}\n",
        "//",
        "any-origin-with-credentials",
    ),
    (
        "ItemController.kt",
        "@RestController\n@RequestMapping(\"/api\")\n\n@CrossOrigin(originPatterns = [\"*\"], allowCredentials = \"true\")HERE\nclass ItemController {\n    @GetMapping(\"/items\")\n    fun items() = \"\"\"// no comment\"\"\"\n}\n",
        "//",
        "any-origin-with-credentials",
    ),
    (
        "application.yml",
        "management:\n  endpoints.web.cors:\n    allow-credentials: true\n    allowed-origin-patterns: \"*\"HERE\n",
        "#",
        "any-origin-with-credentials",
    ),
];

/// Comments that have an end, or a line of their own.
#[test]
fn comments_of_xml_and_properties_suppress() {
    let rule = "any-origin-with-credentials";
    let properties = "management.endpoints.web.cors.allow-credentials=true\nHEREmanagement.endpoints.web.cors.allowed-origin-patterns=*\n";
    let xml = "<beans xmlns:mvc=\"http://www.springframework.org/schema/mvc\">\n<mvc:cors>\nHERE<mvc:mapping path=\"/**\" allowed-origin-patterns=\"*\" allow-credentials=\"true\"/>\n</mvc:cors></beans>\n";
    for (name, text, open, close) in [
        ("application.properties", properties, "# ", "\n"),
        ("application.properties", properties, "! ", "\n"),
        ("mvc.xml", xml, "<!-- ", " -->\n"),
    ] {
        let folder = TempDir::new();
        let check = |comment: &str| {
            folder.write(name, text.replace("HERE", comment));
            run(folder.path(), &JSON)
        };
        let before = check("");
        assert!(
            findings(&before).iter().any(|f| f.ends_with(rule)),
            "{name}"
        );
        let rest = findings(&before).len() - 1;
        let after = check(&format!("{open}corslint: ignore[{rule}] known{close}"));
        assert_eq!(
            (findings(&after).len(), suppressed(&after)),
            (rest, 1),
            "{name} {:?}",
            findings(&after)
        );
        let other = check(&format!(
            "{open}corslint: ignore[missing-vary] known{close}"
        ));
        assert_eq!(suppressed(&other), 0, "{name}");
    }
}

#[test]
fn comments_of_every_language_suppress() {
    for (name, text, sign, rule) in FILES {
        let folder = TempDir::new();
        folder.write("package.json", r#"{ "dependencies": { "express": "4" } }"#);
        let check = |comment: String| {
            let line = if name == "x.conf" {
                "always;HERE"
            } else {
                "HERE"
            };
            let bare = line.trim_end_matches("HERE");
            folder.write(name, text.replacen(line, &format!("{bare}{comment}"), 1));
            run(folder.path(), &JSON)
        };
        let before = check(String::new());
        assert!(
            findings(&before).iter().any(|f| f.ends_with(rule)),
            "{name} {:?}",
            findings(&before)
        );
        let rest = findings(&before).len() - 1;
        // `HERE` of x.conf is on a line that is no part of the finding.
        let expected = if name == "x.conf" {
            (rest + 2, 0)
        } else {
            (rest, 1)
        };
        let after = check(format!(" {sign} corslint: ignore[{rule}] known"));
        assert_eq!(
            (findings(&after).len(), suppressed(&after)),
            expected,
            "{name} {:?}",
            findings(&after)
        );
        // Above the line.
        let above = format!("{sign} corslint: ignore[{rule}] known\n{sign} really\n");
        let mut lines: Vec<&str> = text.split_inclusive('\n').collect();
        let at = if name == "x.conf" { 2 } else { 3 };
        lines.insert(at, &above);
        folder.write(name, lines.concat().replace("HERE", ""));
        let after = run(folder.path(), &JSON);
        assert_eq!(suppressed(&after), 1, "{name} {:?}", findings(&after));
        assert_eq!(findings(&after).len(), rest, "{name}");
        // For the file.
        let wide = format!(
            "{sign} corslint: ignore-file[{rule}] known\n{}",
            text.replace("HERE", "")
        );
        folder.write(name, wide);
        let after = run(folder.path(), &JSON);
        assert_eq!(
            (findings(&after).len(), suppressed(&after)),
            (rest, 1),
            "{name}"
        );
        // Another rule, another place.
        let far = format!(
            "{sign} corslint: ignore[{rule}] known\n\n{}",
            text.replace("HERE", "")
        );
        folder.write(name, far);
        let after = run(folder.path(), &JSON);
        assert_eq!(suppressed(&after), 0, "{name}");
        assert!(
            findings(&after).contains(&"1: unused-suppression".into()),
            "{name}"
        );
    }
}

const LOCATION: &str = "server {\n location / {\n  add_header Access-Control-Allow-Origin https://a.example; # corslint: ignore[missing-always] until=2026-06-30\n  proxy_pass http://127.0.0.1:1;\n }\n}\n";

#[test]
fn a_day_can_be_set_and_the_clock_too() {
    let folder = TempDir::new();
    folder.write("x.conf", LOCATION);
    let at = |seconds: &str| {
        let mut command = corslint(folder.path());
        command.args(JSON).env("SOURCE_DATE_EPOCH", seconds);
        Run::from(command.output().expect("the binary starts"))
    };
    // 2026-06-30 23:59:59 and 2026-07-01 00:00:00 UTC.
    let last = at("1782863999");
    assert_eq!((findings(&last).len(), suppressed(&last)), (0, 1));
    let first = at("1782864000");
    assert_eq!(
        findings(&first),
        ["3: missing-always", "3: unused-suppression"]
    );
    let wrong = at("soon");
    assert_eq!(wrong.code, 2);
    assert!(
        wrong.stderr.contains("SOURCE_DATE_EPOCH"),
        "{}",
        wrong.stderr
    );
}

#[test]
fn only_what_was_looked_at_wholly_is_called_unused() {
    let folder = TempDir::new();
    let text = LOCATION.replace(" until=2026-06-30", "");
    let used = text.replace("https://a.example;", "https://a.example always;");
    folder.write("x.conf", &used);
    let unused = ["3: unused-suppression"];
    assert_eq!(findings(&run(folder.path(), &JSON)), unused);
    // The rule was not asked for.
    let only = ["--format", "json", "--select", "unused-suppression"];
    assert_eq!(findings(&run(folder.path(), &only)), [] as [&str; 0]);
    let without = ["--format", "json", "--ignore", "missing-always"];
    assert_eq!(findings(&run(folder.path(), &without)), [] as [&str; 0]);
    // Nobody knows what else belongs to this file.
    let named = ["--format", "json", "x.conf"];
    assert_eq!(findings(&run(folder.path(), &named)), [] as [&str; 0]);
    folder.write(".git/HEAD", "");
    assert_eq!(findings(&run(folder.path(), &named)), unused);
    // The run was not complete.
    let failed = run(folder.path(), &["--format", "json", ".", "nowhere.conf"]);
    assert_eq!(failed.code, 2);
    assert!(!failed.stdout.contains("unused-suppression"));
    // A rule that is quiet unless asked for.
    folder.write(
        "x.conf",
        used.replace("missing-always", "preflight-not-cached"),
    );
    assert_eq!(findings(&run(folder.path(), &JSON)), [] as [&str; 0]);
    let asked = ["--format", "json", "--pedantic"];
    assert!(findings(&run(folder.path(), &asked)).contains(&"3: unused-suppression".into()));
}

#[test]
fn suppressed_findings_are_counted_for_people() {
    let folder = TempDir::new();
    folder.write("x.conf", LOCATION.replace(" until=2026-06-30", ""));
    let shown = run(folder.path(), &[]);
    assert_eq!(shown.code, 0);
    assert_eq!(
        shown.stdout,
        "No CORS problems found in 1 file (1 endpoint, partly unknown); 1 suppressed.\n"
    );
}

#[test]
fn a_reason_can_be_required() {
    let folder = TempDir::new();
    folder.write("corslint.toml", "require-reason = true\n");
    let bare = LOCATION.replace(" until=2026-06-30", "");
    folder.write("x.conf", &bare);
    let refused = run(folder.path(), &JSON);
    assert_eq!(
        findings(&refused),
        ["3: missing-always", "3: unused-suppression"]
    );
    assert!(
        refused.stdout.contains("no reason is given"),
        "{}",
        refused.stdout
    );
    folder.write(
        "x.conf",
        bare.replace("[missing-always]", "[missing-always] T-12"),
    );
    assert_eq!(findings(&run(folder.path(), &JSON)), [] as [&str; 0]);
}
