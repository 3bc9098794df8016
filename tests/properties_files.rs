//! Properties of whole runs, over files as people have them and as nobody would write them.

use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use corslint::check::{Options, check};
use corslint::fixes::Fixing;
use corslint::report::{Paths, Report, write_concise, write_json};
use corslint::source::{Sources, Span};
use corslint::syntax::{java, javascript, nginx, python, yaml};
use proptest::prelude::*;
use serde_json::Value;

use crate::support::TempDir;

/// Endings and texts of the files of all fixtures that report something, by ending.
static TEXTS: LazyLock<Vec<(&str, String)>> = LazyLock::new(|| {
    const ENDINGS: [&str; 5] = ["conf", "js", "py", "java", "yml"];
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    let mut found = Vec::new();
    for ending in ENDINGS {
        let mut paths = Vec::new();
        let mut open = vec![fixtures.clone()];
        while let Some(folder) = open.pop() {
            for entry in std::fs::read_dir(folder).expect("a folder") {
                let path = entry.expect("an entry").path();
                if path.is_dir() {
                    open.push(path);
                } else if path.extension().is_some_and(|other| other == ending) {
                    paths.push(path);
                }
            }
        }
        paths.sort();
        let step = (paths.len() / 40).max(1);
        for path in paths.iter().step_by(step) {
            found.push((ending, std::fs::read_to_string(path).expect("a text")));
        }
    }
    found
});

/// Something that happens to a text, at a place in thousandths of it.
#[derive(Clone, Debug)]
enum Change {
    Insert(usize, &'static str),
    Delete(usize, usize),
    Repeat(usize, usize),
}

/// Characters of all lengths, and what languages give a meaning to.
const INSERTED: [&str; 16] = [
    "é", "€", "🦀", "\u{feff}", "\r\n", "\t", "\"", "'", "{", "}", ";", "\\", "*", "#", "null",
    "\u{202e}",
];

fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        3 => (0..=1000_usize, prop::sample::select(INSERTED.as_slice())).prop_map(|(at, text)| Change::Insert(at, text)),
        1 => (0..=1000_usize, 1..60_usize).prop_map(|(at, length)| Change::Delete(at, length)),
        1 => (0..=1000_usize, 1..200_usize).prop_map(|(at, length)| Change::Repeat(at, length)),
    ]
}

/// The character boundary at or before a place.
fn boundary(text: &str, at: usize) -> usize {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

fn changed(text: &str, changes: &[Change]) -> String {
    let mut text = text.to_owned();
    for change in changes {
        let (Change::Insert(at, _) | Change::Delete(at, _) | Change::Repeat(at, _)) = change;
        let start = boundary(&text, text.len() * at / 1000);
        match change {
            Change::Insert(_, inserted) => text.insert_str(start, inserted),
            Change::Delete(_, length) => {
                let end = boundary(&text, start + length).max(start);
                text.replace_range(start..end, "");
            }
            Change::Repeat(_, length) => {
                let end = boundary(&text, start + length).max(start);
                let part = text[start..end].to_owned();
                text.insert_str(end, &part);
            }
        }
    }
    text
}

/// Names and texts of up to five files.
fn files() -> impl Strategy<Value = Vec<(String, String)>> {
    let file = (
        any::<prop::sample::Index>(),
        prop::collection::vec(change(), 0..4),
    );
    prop::collection::vec(file, 1..6).prop_map(|files| {
        let files = files.into_iter().enumerate();
        let files = files.map(|(number, (index, changes))| {
            let (ending, text) = index.get(&TEXTS);
            let name = match *ending {
                "yml" => format!("part{number}/application.yml"),
                "java" => format!("part{number}/App{number}.java"),
                ending => format!("part{number}/app{number}.{ending}"),
            };
            (name, changed(text, &changes))
        });
        files.collect()
    })
}

fn written(files: &[(String, String)]) -> TempDir {
    let folder = TempDir::new();
    for (name, text) in files {
        folder.write(name, text);
    }
    folder
}

fn run(paths: Vec<PathBuf>) -> Report {
    let options = Options {
        paths,
        pedantic: true,
        ..Options::default()
    };
    check(&options).expect("the rules are right")
}

fn json(report: &Report, folder: &TempDir) -> String {
    let mut out = Vec::new();
    write_json(report, &Paths::from(folder.path()), &mut out).expect("a vector");
    String::from_utf8(out).expect("UTF-8")
}

/// Line and column from 1, the column in characters, of a place in a text.
fn position(text: &str, byte: usize) -> (usize, usize) {
    let before = &text[..byte];
    let line = before.rfind('\n').map_or(0, |at| at + 1);
    let column = before[line..].chars().count() + 1;
    let mark = usize::from(line == 0 && byte > 0 && text.starts_with('\u{feff}'));
    (before.matches('\n').count() + 1, column - mark)
}

/// Is there something in a text that is not in its language?
fn is_broken(path: &Path, text: &str) -> bool {
    let file = Sources::new().add(path.to_path_buf(), text.to_owned());
    let ending = path.extension().and_then(|ending| ending.to_str());
    match ending.unwrap_or_default() {
        "js" => javascript::parse(&file).is_none_or(|module| module.has_errors),
        "py" => !python::parse(&file).errors.is_empty(),
        "java" => java::parse(&file).is_none_or(|unit| unit.broken),
        "yml" => yaml::parse(&file).is_err(),
        _ => !nginx::parse(&file).errors.is_empty(),
    }
}

/// 48 cases, or `PROPTEST_CASES`.
fn config() -> ProptestConfig {
    let cases = std::env::var("PROPTEST_CASES");
    ProptestConfig {
        cases: cases.ok().and_then(|text| text.parse().ok()).unwrap_or(48),
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn spans_lie_in_their_files_on_character_boundaries(files in files()) {
        let folder = written(&files);
        let report = run(vec![folder.path().to_path_buf()]);
        let spans = report.findings.iter().flat_map(|finding| {
            let labels = std::iter::once(&finding.primary).chain(&finding.related);
            let edits = finding.fixes.iter().flat_map(|fix| &fix.edits);
            labels.map(|label| label.span).chain(edits.map(|edit| edit.span)).collect::<Vec<Span>>()
        });
        for span in spans {
            let file = report.sources.get(span.file);
            let part = file.text().get(span.start as usize..span.end as usize);
            prop_assert!(part.is_some(), "{span:?} of {}", file.path().display());
        }
    }

    #[test]
    fn what_is_repaired_can_still_be_parsed(files in files()) {
        let folder = written(&files);
        let options = Options {
            paths: vec![folder.path().to_path_buf()],
            fix: Fixing::All,
            ..Options::default()
        };
        let report = check(&options).expect("the rules are right");
        for changed in report.fixed.iter().flat_map(|fixed| &fixed.files) {
            let path = changed.before.path();
            let (before, after) = (changed.before.text(), changed.after.as_str());
            prop_assert!(is_broken(path, before) || !is_broken(path, after), "{before}\n-- fixed --\n{after}");
        }
    }

    #[test]
    fn json_says_what_was_found_and_comes_back_as_it_was(files in files()) {
        let folder = written(&files);
        let report = run(vec![folder.path().to_path_buf()]);
        let text = json(&report, &folder);
        let value: Value = serde_json::from_str(&text).expect("JSON");
        let again: Value = serde_json::from_str(&value.to_string()).expect("JSON");
        prop_assert_eq!(&value, &again);
        let found = value["findings"].as_array().expect("a list");
        prop_assert_eq!(found.len(), report.findings.len());
        for (shown, finding) in found.iter().zip(&report.findings) {
            prop_assert_eq!(shown["rule"].as_str(), Some(&*finding.rule));
            prop_assert_eq!(shown["message"].as_str(), Some(&*finding.message));
            prop_assert_eq!(shown["fingerprint"].as_str(), Some(&*finding.fingerprint));
            let path = folder.path().join(shown["path"].as_str().expect("a path"));
            let text = std::fs::read_to_string(path).expect("the file");
            for end in ["start", "end"] {
                let shown = &shown["range"][end];
                let number = |key: &str| usize::try_from(shown[key].as_u64().expect("a number"));
                let byte = number("byte").expect("a small number");
                let place = (number("line").expect("a line"), number("column").expect("a column"));
                prop_assert_eq!(place, position(&text, byte));
            }
        }
        // Formats list the same findings in the same order.
        let mut concise = Vec::new();
        write_concise(&report, &Paths::from(folder.path()), &mut concise).expect("a vector");
        let lines = String::from_utf8(concise).expect("UTF-8");
        for (line, finding) in lines.lines().zip(&report.findings) {
            prop_assert!(line.contains(&format!("[{}]", finding.rule)), "{line}");
        }
    }

    #[test]
    fn findings_depend_neither_on_the_order_of_files_nor_on_threads(files in files(), seed in any::<u64>()) {
        let folder = written(&files);
        let expected = json(&run(vec![folder.path().to_path_buf()]), &folder);
        // The same files made in another order.
        let mut shuffled = files.clone();
        shuffled.sort_by_key(|(name, _)| name.bytes().fold(seed, |sum, byte| sum.rotate_left(7) ^ u64::from(byte).wrapping_mul(seed | 1)));
        let other = written(&shuffled);
        prop_assert_eq!(&json(&run(vec![other.path().to_path_buf()]), &other), &expected);
        // The same run on one thread and on many.
        for threads in [1, 5] {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
            let report = pool.install(|| run(vec![folder.path().to_path_buf()]));
            prop_assert_eq!(&json(&report, &folder), &expected);
        }
        // The same files named one by one, in any order.
        let paths = |files: &[(String, String)]| {
            let paths = files.iter().map(|(name, _)| folder.path().join(name));
            paths.collect::<Vec<_>>()
        };
        let named = json(&run(paths(&files)), &folder);
        prop_assert_eq!(&json(&run(paths(&shuffled)), &folder), &named);
    }
}
