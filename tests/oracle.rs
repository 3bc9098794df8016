//! The slow way as the oracle of the fast one: every file of a known kind is read, on one thread.
//!
//! `CORSLINT_ORACLE` names further folders, separated by `:`, to compare both ways on.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use corslint::check::{Options, check};
use corslint::report::{Paths, write_json};

use crate::support::TempDir;

/// The findings of a run as text, and the paths of all files that it read.
fn findings(folder: &Path, every_file: bool) -> Vec<String> {
    let options = Options {
        paths: vec![folder.to_path_buf()],
        pedantic: true,
        every_file,
        ..Options::default()
    };
    let report = check(&options).expect("the rules are right");
    let mut json = Vec::new();
    write_json(&report, &Paths::from(folder), &mut json).expect("a vector");
    let json: serde_json::Value = serde_json::from_slice(&json).expect("JSON");
    let findings = json["findings"].as_array().expect("a list").iter();
    findings
        // A file that nginx refuses is no matter of CORS where no file around it is.
        .filter(|finding| finding["rule"] != "syntax-error")
        .map(ToString::to_string)
        .collect()
}

/// Both ways find the same, in the same order.
fn agree(folder: &Path) -> Result<usize, String> {
    let fast = findings(folder, false);
    let one = rayon::ThreadPoolBuilder::new().num_threads(1).build();
    let slow = one.expect("a thread").install(|| findings(folder, true));
    if fast == slow {
        return Ok(fast.len());
    }
    let (fast, slow): (BTreeSet<_>, BTreeSet<_>) = (fast.iter().collect(), slow.iter().collect());
    let difference = |a: &BTreeSet<&String>, b: &BTreeSet<&String>| {
        let only: Vec<_> = a.difference(b).map(|text| text.as_str()).collect();
        only.join("\n")
    };
    Err(format!(
        "{}\nonly the fast way:\n{}\nonly the slow way:\n{}",
        folder.display(),
        difference(&fast, &slow),
        difference(&slow, &fast)
    ))
}

fn compare(folders: impl Iterator<Item = PathBuf>) -> usize {
    let results: Vec<_> = folders.map(|folder| agree(&folder)).collect();
    let wrong: Vec<_> = results.iter().filter_map(|r| r.as_ref().err()).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
    results.into_iter().filter_map(Result::ok).sum()
}

fn folders(path: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(path).expect("a folder");
    let mut folders: Vec<_> = entries
        .map(|entry| entry.expect("an entry").path())
        .collect();
    folders.retain(|path| path.is_dir());
    folders.sort();
    folders
}

#[test]
fn searching_for_words_loses_no_finding_of_a_fixture() {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    assert!(compare(folders(&fixtures).into_iter()) > 500);
}

/// A tree of many projects, of which some hold CORS, with all that a walk meets in between.
#[test]
fn searching_for_words_loses_no_finding_of_a_tree() {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    let tree = TempDir::new();
    let mut number = 0;
    for framework in folders(&fixtures) {
        for case in folders(&framework).iter().step_by(9) {
            number += 1;
            // More than one thread's share, at several depths, in some folders that are large.
            let place = tree.path().join(format!("team{}/{}", number % 5, number));
            std::fs::create_dir_all(&place).expect("a folder");
            for entry in std::fs::read_dir(case).expect("a case") {
                let entry = entry.expect("an entry").path();
                if entry.is_file() {
                    let name = entry.file_name().expect("a name");
                    std::fs::copy(&entry, place.join(name)).expect("a copy");
                }
            }
            for other in 0..number % 90 {
                std::fs::write(
                    place.join(format!("other{other}.js")),
                    "export const one = 1;\n",
                )
                .expect("a file");
            }
        }
    }
    assert!(compare(std::iter::once(tree.path().to_path_buf())) > 50);
}

#[test]
fn searching_for_words_loses_no_finding_of_named_projects() {
    let named = std::env::var_os("CORSLINT_ORACLE").unwrap_or_default();
    compare(std::env::split_paths(&named).filter(|path| path.is_dir()));
}
