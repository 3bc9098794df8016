//! `docs/limits.md` lists the bounds of `src/limits.rs`, and there are no others.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use crate::support::assert_snapshot;

/// The table of all constants with what their comments say.
fn table(code: &str) -> String {
    let mut text = String::from(
        "# Limits\n\nMade from `src/limits.rs`. What would exceed a limit is unknown, skipped or reported; never wrong.\n",
    );
    let mut modules: Vec<&str> = Vec::new();
    let mut words: Vec<&str> = Vec::new();
    let mut open = false;
    for line in code.lines().map(str::trim) {
        if let Some(comment) = line.strip_prefix("/// ") {
            words.push(comment);
        } else if let Some(name) = line.strip_prefix("pub mod ") {
            modules.push(name.trim_end_matches(" {"));
            if modules.len() == 1 {
                let _ = write!(text, "\n## {}\n", words.join(" ").trim_end_matches('.'));
                open = false;
            }
            words.clear();
        } else if line == "}" {
            modules.pop();
        } else if let Some(constant) = line.strip_prefix("pub const ") {
            let (name, rest) = constant.split_once(": ").expect("a type");
            let value = rest.split_once(" = ").map_or(rest, |(_, value)| value);
            let place = modules
                .iter()
                .skip(1)
                .fold(String::new(), |text, name| text + name + "::");
            if !open {
                text += "\n| limit | value | |\n|---|---|---|\n";
                open = true;
            }
            let _ = writeln!(
                text,
                "| `{place}{name}` | {} | {} |",
                value
                    .trim_end_matches(';')
                    .replace(" * ", " × ")
                    .replace('*', "\\*"),
                words.join(" ")
            );
            words.clear();
        } else {
            words.clear();
        }
    }
    text
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            sources(&path, found);
        } else {
            found.push(path);
        }
    }
}

#[test]
fn limits_are_listed_with_their_values() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let code = std::fs::read_to_string(root.join("src/limits.rs")).expect("the limits");
    assert_snapshot(&root.join("docs/limits.md"), &table(&code));
}

#[test]
fn limits_of_reading_and_evaluating_stand_in_one_place() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    for folder in [
        "frameworks",
        "syntax",
        "rules",
        "model",
        "simulate",
        "discover",
    ] {
        sources(&root.join(folder), &mut files);
    }
    let mut elsewhere = Vec::new();
    for path in files {
        let code = std::fs::read_to_string(&path).expect("a source");
        for line in code.lines().filter(|line| line.contains("const ")) {
            let is_limit = ["const MAX_", "STEPS: ", "const DEPTH: ", "_LIMIT: "]
                .iter()
                .any(|sign| line.contains(sign));
            // How a search is built bounds no input.
            if is_limit && !line.contains("MAX_SPELLINGS") {
                elsewhere.push(format!("{}: {}", path.display(), line.trim()));
            }
        }
    }
    assert_eq!(elsewhere, [""; 0]);
}
