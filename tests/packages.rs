//! The files around the packages agree with each other, and name exact versions of what they use.

use std::fs;
use std::path::Path;

fn read(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
    let text = fs::read_to_string(path).expect(name);
    text.replace("\r\n", "\n")
}

/// What `mark` stands before, up to a quote, a space or the end of the line, wherever it stands.
fn behind<'t>(text: &'t str, mark: &str) -> Vec<&'t str> {
    let parts = text.split(mark).skip(1);
    let ends = |c: char| matches!(c, '"' | '\'' | '\n' | ' ');
    parts
        .map(|rest| rest.split(ends).next().unwrap_or_default())
        .collect()
}

#[test]
fn every_file_speaks_of_the_same_version() {
    let version = env!("CARGO_PKG_VERSION");
    for (name, mark, number) in [
        ("action.yml", "default: \"", 1),
        ("packages/gitlab-ci.yml", "corslint==", 1),
        ("packages/pre-commit-mirror/pyproject.toml", "corslint==", 1),
        (
            "packages/pre-commit-mirror/pyproject.toml",
            "version = \"",
            1,
        ),
        ("packages/pre-commit-mirror/README.md", "rev: v", 1),
        ("README.md", "rev: v", 1),
        ("packages/npm/corslint/package.json", "\"version\": \"", 1),
        ("packages/npm/corslint/package.json", "-x64\": \"", 3),
        ("packages/npm/corslint/package.json", "-arm64\": \"", 2),
    ] {
        let text = read(name);
        let mut found = behind(&text, mark);
        found.retain(|text| text.starts_with(|c: char| c.is_ascii_digit()));
        assert_eq!(found, vec![version; number], "{name}: {mark}");
    }
}

#[test]
fn what_the_workflows_use_is_named_exactly() {
    let release = read(".github/workflows/release.yml");
    let actions = behind(&release, "uses: ");
    assert!(actions.len() > 5, "{actions:?}");
    for action in actions {
        let (_, commit) = action.split_once('@').expect("a version");
        let is_hash = commit.len() == 40 && commit.bytes().all(|byte| byte.is_ascii_hexdigit());
        assert!(is_hash, "{action}: a tag can be moved");
    }
    let gitlab = read("packages/gitlab-ci.yml");
    for image in behind(&gitlab, "image: ") {
        let (_, digest) = image.split_once("@sha256:").expect("a digest");
        assert_eq!(digest.len(), 64, "{image}");
    }
    for (name, text) in [
        ("release.yml", &release),
        ("action.yml", &read("action.yml")),
        ("gitlab-ci.yml", &gitlab),
    ] {
        assert!(!text.contains("-latest"), "{name}");
        for line in text.lines() {
            let installs = [
                "pip install",
                "cargo install",
                "npm install",
                "toolchain install",
            ];
            if installs.iter().any(|words| line.contains(words)) {
                let exact =
                    line.contains("==") || line.contains("@$") || line.contains("\"$RUST\"");
                assert!(exact, "{name}: {line}");
            }
        }
    }
}

#[test]
fn both_hooks_are_the_same_but_for_their_language() {
    let own = read(".pre-commit-hooks.yaml");
    let own = own.lines().filter(|line| !line.starts_with('#'));
    let mirror = read("packages/pre-commit-mirror/.pre-commit-hooks.yaml");
    let own = own.collect::<Vec<_>>().join("\n") + "\n";
    assert_eq!(own.replace("language: rust", "language: python"), mirror);
}
