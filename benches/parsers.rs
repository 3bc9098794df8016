//! Parsing, and searching for words, per byte.

use corslint::source::Sources;
use corslint::syntax::words::{self, Words};
use corslint::syntax::{java, javascript, kotlin, properties, python, xml, yaml};
use divan::Bencher;
use divan::counter::BytesCount;

use crate::inputs::LANGUAGES;

/// Handlers in a text, about 250 KB in most languages.
const COUNT: usize = 600;

const NAMES: [&str; 8] = [
    "app.js",
    "app.ts",
    "main.py",
    "Api.java",
    "Api.kt",
    "application.yml",
    "application.properties",
    "beans.xml",
];

fn text(name: &str) -> String {
    let language = LANGUAGES.iter().find(|(known, _)| *known == name);
    language.map_or_else(String::new, |(_, text)| text(COUNT))
}

#[divan::bench(args = NAMES, sample_count = 20)]
fn parse(bencher: Bencher<'_, '_>, name: &str) {
    let sources = Sources::new();
    let file = sources.add(name.into(), text(name));
    let bencher = bencher.counter(BytesCount::of_str(file.text()));
    match name.rsplit('.').next().unwrap_or_default() {
        "js" | "ts" => bencher.bench_local(|| drop(javascript::parse(&file))),
        "py" => bencher.bench_local(|| drop(python::parse(&file))),
        "java" => bencher.bench_local(|| drop(java::parse(&file))),
        "kt" => bencher.bench_local(|| drop(kotlin::parse(&file))),
        "yml" => bencher.bench_local(|| drop(yaml::parse(&file))),
        "properties" => bencher.bench_local(|| drop(properties::parse(&file))),
        _ => bencher.bench_local(|| drop(xml::parse(&file))),
    }
}

/// The search that every file of a walk goes through, over a text without a word of interest.
#[divan::bench(args = ["app.js", "main.py", "Api.java"])]
fn search(bencher: Bencher<'_, '_>, name: &str) {
    let text = text(name).repeat(4);
    let text = text
        .replace("ors", "orz")
        .replace("rigin", "rigim")
        .replace("CORS", "KORS");
    let words: &Words = match name {
        "app.js" => &words::JAVASCRIPT,
        "main.py" => &words::PYTHON,
        _ => &words::JAVA,
    };
    bencher
        .counter(BytesCount::of_str(&text))
        .bench_local(|| words.judge(text.as_bytes()));
}
