//! README shows what the program really prints.

use std::fs;
use std::path::Path;

use crate::support::{BLESS, TempDir, run};

/// The text between `<!-- name -->` and `<!-- /name -->`, and what stands around it.
fn parts<'a>(text: &'a str, name: &str) -> (&'a str, &'a str, &'a str) {
    let (before, rest) = text
        .split_once(&format!("<!-- {name} -->\n"))
        .expect("a marked part");
    let (part, after) = rest
        .split_once(&format!("<!-- /{name} -->\n"))
        .expect("its end");
    (before, part, after)
}

fn check(name: &str, actual: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    let text = fs::read_to_string(&path)
        .expect("README.md")
        .replace("\r\n", "\n");
    let (before, part, after) = parts(&text, name);
    if std::env::var_os(BLESS).is_some_and(|value| value == "1") {
        let text = format!("{before}<!-- {name} -->\n{actual}<!-- /{name} -->\n{after}");
        fs::write(&path, text).expect("README.md can be written");
        return;
    }
    assert_eq!(part, actual, "README.md is stale; run with {BLESS}=1");
}

/// The tour's nginx, repaired as README says.
fn repaired() -> TempDir {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = TempDir::new();
    for name in [
        "nginx.conf",
        "conf.d/api.conf",
        "snippets/partner-cors.conf",
    ] {
        let name = format!("fixtures/tour/nginx/{name}");
        let text = fs::read_to_string(root.join(&name)).expect("the tour");
        folder.write(name, text.replace("\r\n", "\n"));
    }
    let name = "fixtures/tour/nginx/conf.d/api.conf";
    let text = fs::read_to_string(folder.path().join(name)).expect("the tour");
    let inner = "            add_header Access-Control-Max-Age 86400;\n            add_header Content-Length 0;\n";
    assert!(text.contains(inner), "README speaks of these lines");
    let methods = "        add_header Access-Control-Allow-Methods";
    let age = "        add_header Access-Control-Max-Age 86400;\n";
    let text = text
        .replace(inner, "")
        .replacen(methods, &format!("{age}{methods}"), 1);
    folder.write(name, text);
    folder
}

#[test]
fn readme_is_true() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let tour = run(root, &["--color", "never", "fixtures/tour"]);
    check("tour", &format!("```text\n{}```\n", tour.stdout));
    let rule = ["--color", "never", "--select", "lookalike-origin"];
    let excerpt = run(root, &[&rule[..], &["fixtures/tour/nginx"]].concat());
    check("excerpt", &format!("```text\n{}```\n", excerpt.stdout));

    let message = "Access to fetch at 'https://api.example.com/v1/orders' from origin 'https://app.example.com' has been \
        blocked by CORS policy: Response to preflight request doesn't pass access control check: No \
        'Access-Control-Allow-Origin' header is present on the requested resource.";
    let explained = run(root, &["explain", message, "fixtures/tour/nginx"]);
    let command = "$ corslint explain \"Access to fetch at 'https://api.example.com/v1/orders' from origin …\" fixtures/tour/nginx";
    check(
        "explain",
        &format!("```text\n{command}\n{}```\n", explained.stdout),
    );

    let repaired = repaired();
    let arguments = "try https://api.example.com/v1/orders --origin https://app.example.com --method PUT \\
    --header 'Content-Type: application/json' --credentials --in fixtures/tour/nginx";
    let words = arguments.replace("\\\n    ", "");
    // The shell's words: what stands between quotes is one.
    let words = words
        .split('\'')
        .enumerate()
        .flat_map(|(index, part)| match index % 2 {
            0 => part.split_whitespace().collect(),
            _ => vec![part],
        });
    let played = run(repaired.path(), &words.collect::<Vec<_>>());
    assert_eq!(played.code, 0, "{played:?}");
    check(
        "try",
        &format!("```text\n$ corslint {arguments}\n{}```\n", played.stdout),
    );

    let rules = corslint::rules::RuleSet::builtin().expect("the rules are right");
    let mut rows: Vec<_> = rules.rules().collect();
    rows.sort_by_key(|rule| (rule.definition.category, rule.definition.id.clone()));
    let mut table = String::from("| rule | what | severity | what it says |\n|---|---|---|---|\n");
    for rule in rows {
        let docs = rule.docs().expect("the rules are right");
        let rule = &rule.definition;
        let severity = rule.severity.names();
        let category = rule.category.name();
        let summary = docs.summary().replace('\n', " ").replace('|', "\\|");
        table.push_str(&format!(
            "| `{}` | {category} | {severity} | {summary} |\n",
            rule.id
        ));
    }
    check("rules", &table);
}

/// What README shows of an existing repository.
const EXISTING: &str = "\
server {
    listen 443 ssl;
    server_name api.example.com;

    # The app, with the visitor's session.
    location /v1/ {
        add_header Access-Control-Allow-Origin $http_origin;
        add_header Access-Control-Allow-Credentials true;
        proxy_pass http://127.0.0.1:8000;
    }
}
";

/// The commands of the section about adoption, typed one after the other, print what it shows.
#[cfg(unix)]
#[test]
fn adoption_works_as_written() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = fs::read_to_string(root.join("README.md")).expect("README.md");
    let (_, section) = text
        .split_once("\n## Adopt it in five minutes\n")
        .expect("the section");
    let (section, _) = section.split_once("\n### ").expect("its end");
    let blocks = section.split("```console\n").skip(1);
    let blocks = blocks.filter_map(|rest| Some(rest.split_once("```\n")?.0));
    let mut steps: Vec<(&str, String)> = Vec::new();
    for line in blocks.flat_map(str::lines) {
        match (line.strip_prefix("$ "), steps.last_mut()) {
            (Some(command), _) => steps.push((command, String::new())),
            (None, Some((_, shown))) => shown.push_str(&format!("{line}\n")),
            (None, None) => panic!("{line}: what prints this?"),
        }
    }
    let folder = TempDir::new();
    folder.write(".git/HEAD", "");
    folder.write("deploy/nginx.conf", EXISTING);
    let binary = Path::new(env!("CARGO_BIN_EXE_corslint"));
    let mut path = binary.parent().expect("a folder").as_os_str().to_owned();
    path.push(":");
    path.push(std::env::var_os("PATH").unwrap_or_default());
    let mut typed = 0;
    for (command, shown) in steps {
        // `packages/check` installs.
        if command.starts_with("cargo install") || command.starts_with("cd ") {
            continue;
        }
        typed += 1;
        let output = std::process::Command::new("sh")
            .args(["-c", &format!("exec 2>&1; {command}")])
            .current_dir(folder.path())
            .env_clear()
            .env("PATH", &path)
            .output()
            .expect("a shell");
        let printed = String::from_utf8(output.stdout).expect("UTF-8");
        // README does not show what the first look finds.
        if command == "corslint" {
            assert!(
                printed.contains("\nFound 1 error, 1 warning and 1 note"),
                "{printed}"
            );
        } else {
            assert_eq!(printed, shown, "$ {command}");
        }
    }
    assert_eq!(typed, 6);
}

/// The configuration that README shows is one.
#[test]
fn the_configuration_is_read() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = fs::read_to_string(root.join("README.md")).expect("README.md");
    let (_, block) = text.split_once("```toml\n").expect("a configuration");
    let (block, _) = block.split_once("```\n").expect("its end");
    let folder = TempDir::new();
    folder.write(".git/HEAD", "");
    folder.write("deploy/nginx.conf", EXISTING);
    folder.write("corslint.toml", block);
    folder.write("policy/README", "no rules yet");
    let json = run(folder.path(), &["--format", "json"]);
    assert_eq!(json.code, 1, "{json:?}");
    assert!(json.stdout.contains("\"policy-origin\""), "{json:?}");
}
