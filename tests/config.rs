//! Configuration files: which one is in force, what it does, and what is wrong with it.

use crate::support::{Run, TempDir, corslint, run};

/// Allows everybody, with and without credentials.
const ECHO: &str = "\
server {
    listen 443 ssl;
    location /a/ {
        add_header Access-Control-Allow-Origin $http_origin always;
        add_header Access-Control-Allow-Credentials true always;
        add_header Vary Origin always;
    }
    location /b/ {
        add_header Access-Control-Allow-Origin https://app.example.com/ always;
    }
}
";

const ANY: &str = "any-origin-with-credentials";
const INVALID: &str = "invalid-origin";

/// `file: rule severity` of every finding.
fn findings(run: &Run) -> Vec<String> {
    assert!(run.code < 2, "{}", run.stderr);
    let value: serde_json::Value = serde_json::from_str(&run.stdout).expect("JSON");
    let findings = value["findings"].as_array().expect("a list");
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    findings
        .iter()
        .map(|finding| {
            let (path, rule) = (text(&finding["path"]), text(&finding["rule"]));
            format!("{path}: {rule} {}", text(&finding["severity"]))
        })
        .collect()
}

fn json(folder: &TempDir, arguments: &[&str]) -> Vec<String> {
    let all = [&["--format", "json"], arguments].concat();
    findings(&run(folder.path(), &all))
}

#[test]
fn rules_are_selected_and_ignored() {
    let folder = TempDir::new();
    folder.write("echo.conf", ECHO);
    let both = [
        format!("echo.conf: {ANY} error"),
        format!("echo.conf: {INVALID} error"),
    ];
    assert_eq!(json(&folder, &[]), both);
    for (config, expected) in [
        (format!("select = [\"{ANY}\"]\n"), &both[..1]),
        (format!("ignore = [\"{ANY}\"]\n"), &both[1..]),
        ("# nothing\n".to_owned(), &both[..]),
    ] {
        folder.write("corslint.toml", &config);
        assert_eq!(json(&folder, &[]), expected, "{config}");
        assert_eq!(json(&folder, &["--no-config"]), both, "{config}");
        assert_eq!(json(&folder, &["echo.conf"]), expected, "{config}");
    }
    // What is typed is stronger.
    folder.write("corslint.toml", format!("select = [\"{ANY}\"]\n"));
    assert_eq!(json(&folder, &["--select", INVALID]), both[1..]);
    assert_eq!(json(&folder, &["--ignore", ANY]), [] as [String; 0]);
}

#[test]
fn severities_and_thresholds_are_set() {
    let folder = TempDir::new();
    folder.write("echo.conf", ECHO);
    let config =
        format!("fail-on = \"error\"\n[severity]\n{ANY} = \"warning\"\n{INVALID} = \"note\"\n");
    folder.write("corslint.toml", config);
    let expected = [
        format!("echo.conf: {ANY} warning"),
        format!("echo.conf: {INVALID} note"),
    ];
    assert_eq!(json(&folder, &[]), expected);
    assert_eq!(run(folder.path(), &[]).code, 0);
    assert_eq!(run(folder.path(), &["--fail-on", "warning"]).code, 1);
}

#[test]
fn overrides_are_for_their_paths() {
    let folder = TempDir::new();
    for name in ["a/echo.conf", "b/echo.conf", "c/echo.conf"] {
        folder.write(name, ECHO);
    }
    let config = format!(
        "[severity]\n{ANY} = \"note\"\n\
         [[overrides]]\npaths = [\"/a\"]\nignore = [\"{INVALID}\"]\n\
         [[overrides]]\npaths = [\"b/*.conf\"]\nselect = [\"{ANY}\"]\nseverity = {{ {ANY} = \"warning\" }}\n"
    );
    folder.write("corslint.toml", config);
    let expected = [
        format!("a/echo.conf: {ANY} note"),
        format!("b/echo.conf: {ANY} warning"),
        format!("c/echo.conf: {ANY} note"),
        format!("c/echo.conf: {INVALID} error"),
    ];
    assert_eq!(json(&folder, &[]), expected);
}

#[test]
fn the_nearest_file_is_in_force() {
    let folder = TempDir::new();
    for name in ["x.conf", "a/x.conf", "a/b/x.conf", "c/x.conf"] {
        folder.write(name, ECHO);
    }
    folder.write("corslint.toml", format!("ignore = [\"{ANY}\"]\n"));
    folder.write(
        "a/pyproject.toml",
        format!("[tool.corslint]\nignore = [\"{INVALID}\"]\n"),
    );
    // Not corslint's.
    folder.write("a/b/pyproject.toml", "[project]\nname = \"b\"\n");
    let expected = [
        format!("a/b/x.conf: {ANY} error"),
        format!("a/x.conf: {ANY} error"),
        format!("c/x.conf: {INVALID} error"),
        format!("x.conf: {INVALID} error"),
    ];
    assert_eq!(json(&folder, &[]), expected);
    let one = folder.write("one.toml", format!("ignore = [\"{INVALID}\"]\n"));
    let all = json(&folder, &["--config", one.to_str().expect("UTF-8")]);
    assert!(all.iter().all(|line| line.contains(ANY)), "{all:?}");
    assert_eq!(all.len(), 4);
    // A repository is a world of its own.
    folder.write("c/.git/HEAD", "");
    assert_eq!(json(&folder, &["c"]).len(), 2);
}

#[test]
fn what_is_excluded_is_not_read() {
    let folder = TempDir::new();
    folder.write("a/x.conf", ECHO);
    folder.write("examples/deep/x.conf", ECHO);
    folder.write("y.conf", ECHO);
    folder.write("corslint.toml", "exclude = [\"/examples\", \"y.conf\"]\n");
    let only = json(&folder, &[]);
    assert!(only.iter().all(|line| line.starts_with("a/")), "{only:?}");
    // A file that is named is always looked at, unless a hook names what has changed.
    assert_eq!(json(&folder, &["y.conf"]).len(), 2);
    assert_eq!(json(&folder, &["y.conf", "--force-exclude"]).len(), 0);
}

#[test]
fn rules_of_a_project_are_added() {
    let folder = TempDir::new();
    folder.write("deploy/x.conf", ECHO);
    folder.write(
        "corslint.toml",
        "rules = [\"policy\"]\nselect = [\"no-b\"]\n",
    );
    folder.write(
        "policy/no-b.toml",
        r#"
id = "no-b"
category = "security"
severity = "warning"
when = 'endpoint.path.startsWith("/b/") && trusted.actual.allow_origin != null'
message = "nothing below /b/ is for other origins"
primary = { at = "trusted.actual.allow_origin" }
since = "1.0.0"
explanation = "x"
"#,
    );
    assert_eq!(json(&folder, &[]), ["deploy/x.conf: no-b warning"]);
    assert_eq!(
        json(&folder, &["deploy/x.conf"]),
        ["deploy/x.conf: no-b warning"]
    );
}

#[test]
fn wrong_rules_of_a_project_are_refused() {
    let rule = "id = \"no-b\"\ncategory = \"security\"\nseverity = \"warning\"\n\
                when = 'trusted.actual.allow_origin != null'\nmessage = \"x\"\n\
                primary = { at = \"trusted.actual.allow_origin\" }\nsince = \"1.0.0\"\n\
                explanation = \"x\"\n";
    for (name, from, to, words) in [
        (
            "no-b",
            "!= null",
            "!= 1x",
            "no-b.toml: cannot parse the expression",
        ),
        ("no-b", "actual", "actuel", "no-b.toml: "),
        ("no-b", "severity", "severty", "unknown field `severty`"),
        (
            "no-c",
            "\"x\"",
            "\"y\"",
            "the id `no-b` and the file's name must be the same",
        ),
        (
            "missing-vary",
            "no-b",
            "missing-vary",
            "the id `missing-vary` is taken",
        ),
    ] {
        let folder = TempDir::new();
        folder.write("x.conf", ECHO);
        folder.write("corslint.toml", "rules = [\"policy\"]\n");
        folder.write(format!("policy/{name}.toml"), rule.replace(from, to));
        let run = run(folder.path(), &["--format", "json", "--output", "r.json"]);
        assert_eq!(run.code, 2, "{words}: {run:?}");
        assert!(run.stderr.starts_with("error: "), "{}", run.stderr);
        assert!(run.stderr.contains(words), "{}", run.stderr);
        assert!(!folder.path().join("r.json").exists(), "{words}");
    }
}

#[test]
fn wrong_files_are_refused_with_their_place() {
    for (name, text, expected) in [
        (
            "corslint.toml",
            "ignore = [\n  \"missing-vry\",\n]\n",
            "corslint.toml:2:3: there is no rule `missing-vry`; did you mean `missing-vary`?",
        ),
        (
            "corslint.toml",
            "[severity]\nx = \"error\"\n",
            "corslint.toml:2:1: there is no rule `x`",
        ),
        (
            "pyproject.toml",
            "[tool.corslint]\n[[tool.corslint.overrides]]\npaths = [\"x\"]\nignore = [\"x\"]\n",
            "pyproject.toml:4:11: there is no rule `x`",
        ),
        (
            "corslint.toml",
            "exclud = []\n",
            "corslint.toml:1:1: unknown key `exclud`; did you mean `exclude`?",
        ),
        (
            "corslint.toml",
            "select = [\"missing-vary\"]\nignore = [\"missing-vary\"]\n",
            "corslint.toml:2:11: `missing-vary` is named by `select` as well",
        ),
        (
            "corslint.toml",
            "[policy]\norigins = [\"https://a.example/\"]\n",
            "corslint.toml:2:12: `https://a.example/` can never equal an origin",
        ),
        (
            "corslint.toml",
            "exclude = [\"[z-a]\"]\n",
            "corslint.toml:1:12: `[z-a]` is no pattern for paths",
        ),
        (
            "corslint.toml",
            "[[overrides]]\npaths = []\n",
            "corslint.toml:2:1: no paths",
        ),
        (
            "corslint.toml",
            "pedantic = true\nrule-pages = \"https://docs.example/\"\n",
            "corslint.toml:2:1: `https://docs.example/` does not say where `{rule}`",
        ),
        (
            "corslint.toml",
            "rule-pages = \"https://docs.example/\\u001b]8;;{rule}\"\n",
            "corslint.toml:1:1: `https://docs.example/\\x1b]8;;{rule}` is no address",
        ),
        ("corslint.toml", "select = [", "corslint.toml:1:11: "),
        (
            "corslint.toml",
            "rules = [\"nowhere\"]\n",
            "nowhere: cannot list the rules in it",
        ),
        ("corslint.toml", "\u{0}", "corslint.toml: holds NUL bytes"),
    ] {
        let folder = TempDir::new();
        folder.write("x.conf", ECHO);
        folder.write(name, text);
        let run = run(folder.path(), &["--format", "json"]);
        assert_eq!((run.code, run.stdout.as_str()), (2, ""), "{text}");
        assert!(run.stderr.contains(expected), "{text}\n{}", run.stderr);
        assert!(run.stderr.starts_with("error: "), "{}", run.stderr);
    }
    let folder = TempDir::new();
    folder.write("x.conf", ECHO);
    for (arguments, words) in [
        (
            &["--config", "nowhere.toml"][..],
            "nowhere.toml: No such file",
        ),
        (&["--config", "x.conf"], "x.conf:1:"),
        (
            &["--config", "x.conf", "--no-config"],
            "cannot be used with",
        ),
    ] {
        let run = run(folder.path(), arguments);
        assert_eq!(run.code, 2);
        assert!(run.stderr.contains(words), "{}", run.stderr);
    }
}

#[test]
fn contradicting_files_are_refused() {
    let folder = TempDir::new();
    folder.write("x.conf", ECHO);
    folder.write("corslint.toml", "pedantic = true\n");
    folder.write("pyproject.toml", "[tool.corslint]\npedantic = false\n");
    let two = run(folder.path(), &[]);
    assert_eq!(two.code, 2);
    assert!(two.stderr.contains("keep one"), "{}", two.stderr);

    let folder = TempDir::new();
    folder.write("package.json", "{}");
    folder.write("deploy/x.conf", ECHO);
    folder.write("deploy/corslint.toml", "pedantic = true\n");
    let below = run(folder.path(), &[]);
    assert_eq!(below.code, 2);
    let words = "deploy/corslint.toml:1:1: `pedantic` counts for a whole project";
    assert!(below.stderr.contains(words), "{}", below.stderr);
}

#[test]
fn what_is_in_force_is_shown_with_its_reason() {
    let folder = TempDir::new();
    folder.write(
        "corslint.toml",
        "ignore = [\"missing-vary\"]\n\n[policy]\norigins = [\"https://a.example\"]\n",
    );
    folder.write("sub/x.conf", "");
    let shown = run(folder.path(), &["config", "sub/x.conf"]);
    assert_eq!((shown.code, shown.stderr.as_str()), (0, ""));
    for line in [
        "# corslint.toml is in force\n",
        "\nignore = [\"missing-vary\"]  # corslint.toml:1\n",
        "\npolicy = { origins = [\"https://a.example\"] }  # corslint.toml:3\n",
        "\nfail-on = \"warning\"  # default\n",
        "\npedantic = false  # default\n",
    ] {
        assert!(shown.stdout.contains(line), "{line}\n{}", shown.stdout);
    }
    let none = run(folder.path(), &["config", "--no-config"]);
    assert!(
        none.stdout
            .starts_with("# no configuration file is in force\n")
    );
    let schema = run(folder.path(), &["config", "--schema"]);
    let value: serde_json::Value = serde_json::from_str(&schema.stdout).expect("JSON");
    assert_eq!(value["title"], "corslint.toml");
    assert_eq!(run(folder.path(), &["config", "nowhere"]).code, 2);
}

#[test]
fn every_environment_is_a_deployment_of_its_own() {
    let folder = TempDir::new();
    folder.write(
        "settings.py",
        "import os\n\
         INSTALLED_APPS = [\"corsheaders\"]\n\
         MIDDLEWARE = [\"corsheaders.middleware.CorsMiddleware\"]\n\
         CORS_ALLOW_ALL_ORIGINS = os.environ[\"EVERYBODY\"] == \"yes\"\n\
         CORS_ALLOW_CREDENTIALS = True\n\
         CORS_ALLOWED_ORIGINS = [\"https://app.example.com/\"]\n",
    );
    let notes = |config: &str, arguments: &[&str]| {
        folder.write("corslint.toml", config);
        let all = [&["--format", "json", "--select", ANY], arguments].concat();
        let run = run(folder.path(), &all);
        let value: serde_json::Value = serde_json::from_str(&run.stdout).expect("JSON");
        let findings = value["findings"].as_array().cloned().unwrap_or_default();
        let notes = findings.iter().map(|finding| finding["notes"].to_string());
        notes.collect::<Vec<_>>()
    };
    let production = "[environments.production]\nEVERYBODY = \"no\"\n";
    let staging = "[environments.staging]\nEVERYBODY = \"yes\"\n";
    assert_eq!(notes(production, &[]), [] as [String; 0]);
    let both = notes(&format!("{production}{staging}"), &[]);
    assert_eq!(both.len(), 1);
    assert!(both[0].contains("in the environment `staging`"), "{both:?}");
    let all = notes(staging, &[]);
    assert!(!all[0].contains("in the environment"), "{all:?}");
    // What is typed is stronger.
    let typed = ["--env", "EVERYBODY=no"];
    assert_eq!(notes(staging, &typed), [] as [String; 0]);
}

/// The addresses that a rule's id leads to, in the order of findings; and the report without them.
fn links(text: &str) -> (Vec<String>, String) {
    let mut parts = text.split("\u{1b}]8;;");
    let mut plain = parts.next().unwrap_or_default().to_owned();
    let mut addresses = Vec::new();
    for part in parts {
        let (address, rest) = part.split_once("\u{1b}\\").expect("an address ends");
        if !address.is_empty() {
            addresses.push(address.to_owned());
        }
        plain.push_str(rest);
    }
    (addresses, plain)
}

#[test]
fn rules_lead_to_their_pages() {
    let folder = TempDir::new();
    folder.write("x.conf", ECHO);
    folder.write(
        "policy/own-rule.toml",
        r#"
id = "own-rule"
category = "security"
severity = "warning"
when = 'endpoint.path.startsWith("/b/") && trusted.actual.allow_origin != null'
message = "nothing below /b/ is for other origins"
primary = { at = "trusted.actual.allow_origin" }
since = "1.0.0"
explanation = "x"
references = ["CWE-942", "https://x.example/\u001b]8;;", "https://own.example/rules#own"]
"#,
    );
    let linked = |arguments: &[&str]| {
        let select = ["--select", "own-rule,any-origin-with-credentials"];
        let arguments = [&["--rules", "policy"], &select[..], arguments].concat();
        let mut command = corslint(folder.path());
        let command = command.args(arguments).env("FORCE_HYPERLINK", "1");
        Run::from(command.output().expect("it starts"))
    };
    let pages = |arguments: &[&str]| links(&linked(arguments).stdout).0;
    let helps = || {
        let sarif = linked(&["--format", "sarif"]);
        let sarif: serde_json::Value = serde_json::from_str(&sarif.stdout).expect("JSON");
        let rules = sarif["runs"][0]["tool"]["driver"]["rules"].as_array();
        let rules = rules.expect("rules").iter();
        let helps = rules.map(|rule| rule["helpUri"].as_str().expect("an address").to_owned());
        helps.collect::<Vec<_>>()
    };
    let own = "https://own.example/rules#own".to_owned();
    // Of a rule without a page, the first of its references.
    let reference = pages(&[]);
    assert_eq!(reference.len(), 2, "{reference:?}");
    assert!(reference.contains(&own) && reference.iter().all(|page| page.starts_with("https://")));
    assert_eq!(helps(), reference);
    let arguments = [
        "--rules",
        "policy",
        "--select",
        "own-rule,any-origin-with-credentials",
    ];
    let plain = run(folder.path(), &arguments);
    assert_eq!(links(&linked(&[]).stdout).1, plain.stdout);
    assert!(!plain.stdout.contains('\u{1b}'), "a pipe gets none");
    folder.write(
        "corslint.toml",
        "rule-pages = \"https://docs.example/cors/{rule}.html#{rule}\"\n",
    );
    let page =
        "https://docs.example/cors/any-origin-with-credentials.html#any-origin-with-credentials";
    let configured: Vec<_> = reference
        .into_iter()
        .map(|address| if address == own { address } else { page.into() })
        .collect();
    assert_eq!(pages(&[]), configured);
    assert_eq!(helps(), configured);
    for format in ["concise", "json", "github"] {
        assert!(
            !linked(&["--format", format]).stdout.contains('\u{1b}'),
            "{format}"
        );
    }
    linked(&["--output", "report.txt"]);
    let file = std::fs::read_to_string(folder.path().join("report.txt")).expect("a report");
    assert_eq!(file, run(folder.path(), &arguments).stdout);
}
