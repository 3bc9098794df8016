//! How long it takes to do nothing but parse the files that a run parses, on one thread:
//! `cargo bench --bench parsed -- FOLDER`. The bare minimum for benches/compare.sh.

use std::io::Write as _;
use std::path::PathBuf;
use std::time::Instant;

use corslint::check::{Options, check};
use corslint::syntax::{java, javascript, kotlin, nginx, properties, python, xml, yaml};

fn main() {
    let mut arguments = std::env::args_os().skip(1);
    // Cargo adds `--bench`.
    let folder = arguments.find(|argument| argument != "--bench");
    let Some(folder) = folder.map(PathBuf::from) else {
        return;
    };
    let options = Options {
        paths: vec![folder],
        ..Options::default()
    };
    let report = check(&options).expect("the rules are right");
    let files = report.sources.files();
    let bytes: usize = files.iter().map(|file| file.text().len()).sum();
    let largest = files.iter().map(|file| file.text().len()).max();
    let start = Instant::now();
    for file in &files {
        let ending = file.path().extension().and_then(|ending| ending.to_str());
        match ending.unwrap_or_default() {
            "js" | "cjs" | "mjs" | "jsx" | "ts" | "cts" | "mts" | "tsx" => {
                drop(javascript::parse(file));
            }
            "py" | "pyw" => drop(python::parse(file)),
            "java" => drop(java::parse(file)),
            "kt" => drop(kotlin::parse(file)),
            "yml" | "yaml" => drop(yaml::parse(file)),
            "properties" => drop(properties::parse(file)),
            "xml" => drop(xml::parse(file)),
            "json" => {}
            _ => drop(nginx::parse(file)),
        }
    }
    let seconds = start.elapsed().as_secs_f64();
    let _ = writeln!(
        std::io::stdout(),
        "{} files, {:.2} MB (the largest {} bytes): {:.2} s of bare parsing, {:.3} s per MB",
        files.len(),
        bytes as f64 / 1e6,
        largest.unwrap_or(0),
        seconds,
        seconds / (bytes as f64 / 1e6)
    );
}
