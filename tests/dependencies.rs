//! What corslint is built of: licences, sources and versions of every package.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

/// Licences that may be combined with ours. An expression is fine if one of its alternatives is.
const LICENCES: [&str; 10] = [
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "ISC",
    "MIT",
    "MIT-0",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
];

/// Packages that are there in more than one version, each with the one that wants the older.
const SEVERAL_VERSIONS: [(&str, &str); 7] = [
    ("bit-set", "fancy-regex, antlr4rust (of cel)"),
    ("bit-vec", "by way of bit-set"),
    ("fancy-regex", "jsonschema, in tests only"),
    ("getrandom", "ahash (of jsonschema), in tests only"),
    ("nom", "cel"),
    ("r-efi", "by way of getrandom"),
    ("syn", "derive macros, at build time only"),
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Is this expression satisfied by [`LICENCES`]? `/` is an old way to write `OR`.
fn is_allowed(expression: &str) -> bool {
    let expression = expression.replace('/', " OR ").replace(['(', ')'], "");
    expression.split(" AND ").all(|part| {
        part.split(" OR ")
            .any(|licence| LICENCES.contains(&licence.trim()))
    })
}

#[test]
fn licences_are_allowed() {
    let host = Command::new("rustc")
        .arg("-vV")
        .output()
        .expect("rustc stands beside cargo");
    let host = String::from_utf8(host.stdout).expect("text");
    let host = host.lines().find_map(|line| line.strip_prefix("host: "));
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version=1", "--locked", "--offline"])
        .arg(format!("--filter-platform={}", host.expect("a host")))
        .current_dir(root())
        .output()
        .expect("cargo runs");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let packages = metadata["packages"].as_array().expect("packages");
    assert!(packages.len() > 50, "{} packages", packages.len());
    for package in packages {
        let licence = package["license"].as_str().unwrap_or("none");
        assert!(is_allowed(licence), "{}: {licence}", package["name"]);
    }
}

#[test]
fn packages_come_from_the_registry_in_one_version() {
    let lock = std::fs::read_to_string(root().join("Cargo.lock")).expect("Cargo.lock");
    let lock: toml::Value = toml::from_str(&lock).expect("TOML");
    let mut versions: BTreeMap<&str, usize> = BTreeMap::new();
    for package in lock["package"].as_array().expect("packages") {
        let name = package["name"].as_str().expect("a name");
        *versions.entry(name).or_default() += 1;
        let source = package.get("source").and_then(toml::Value::as_str);
        match source {
            Some(source) => assert!(source.starts_with("registry+"), "{name}: {source}"),
            None => assert_eq!(name, "corslint"),
        }
    }
    let several: Vec<_> = versions
        .into_iter()
        .filter(|(_, count)| *count > 1)
        .collect();
    let several: Vec<_> = several.into_iter().map(|(name, _)| name).collect();
    let known: Vec<_> = SEVERAL_VERSIONS.iter().map(|(name, _)| *name).collect();
    assert_eq!(several, known);
}

#[test]
fn expressions_of_licences_are_read() {
    for licence in [
        "MIT",
        "MIT/Apache-2.0",
        "GPL-3.0 OR MIT",
        "(MIT OR Apache-2.0) AND Unicode-3.0",
    ] {
        assert!(is_allowed(licence), "{licence}");
    }
    for licence in ["GPL-3.0", "MIT AND GPL-3.0", "none", ""] {
        assert!(!is_allowed(licence), "{licence}");
    }
}
