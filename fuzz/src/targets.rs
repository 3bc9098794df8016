//! The targets: what each does with an input, and what must hold afterwards.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use corslint::check::{Options, check};
use corslint::config::{File, Lookup, Policy};
use corslint::fixes::Fixing;
use corslint::frameworks::{self, Framework};
use corslint::model::{Environment, Finding, Site, World};
use corslint::rules::{Judge, Rule, RuleSet};
use corslint::source::{SourceFile, Sources, Span};
use corslint::suppress::directive::directives;
use corslint::syntax::{comments, java, javascript, kotlin, nginx, properties, python, xml, yaml};

use crate::input::{Input, ROOT};

/// One target.
pub struct Target {
    /// Its name; `fuzz/seeds.py` knows the same ones.
    pub name: &'static str,
    /// The name of the file that an input's first text stands in.
    pub file: &'static str,
    /// Does it.
    pub run: fn(&str, &[u8]),
}

/// Every target.
pub const TARGETS: &[Target] = &[
    target("nginx", "nginx.conf", parse_nginx),
    target("javascript", "app.js", |file, data| {
        parse(file, data, |file| drop(javascript::parse(file)));
    }),
    target("typescript", "app.ts", |file, data| {
        parse(file, data, |file| drop(javascript::parse(file)));
    }),
    target("python", "app.py", |file, data| {
        parse(file, data, |file| drop(python::parse(file)));
    }),
    target("java", "App.java", |file, data| {
        parse(file, data, |file| drop(java::parse(file)));
    }),
    target("kotlin", "App.kt", |file, data| {
        parse(file, data, |file| drop(kotlin::parse(file)));
    }),
    target("yaml", "application.yml", |file, data| {
        parse(file, data, |file| drop(yaml::parse(file)));
    }),
    target("properties", "application.properties", |file, data| {
        parse(file, data, |file| drop(properties::parse(file)));
    }),
    target("xml", "beans.xml", |file, data| {
        parse(file, data, |file| drop(xml::parse(file)));
    }),
    target("respond-nginx", "nginx.conf", |file, data| {
        respond("nginx", file, data)
    }),
    target("respond-express", "app.js", |file, data| {
        respond("express", file, data)
    }),
    target("respond-django", "settings.py", |file, data| {
        respond("django", file, data)
    }),
    target("respond-flask", "app.py", |file, data| {
        respond("flask", file, data)
    }),
    target("respond-starlette", "app.py", |file, data| {
        respond("starlette", file, data)
    }),
    target("respond-spring", "App.java", |file, data| {
        respond("spring", file, data)
    }),
    target("fix-nginx", "nginx.conf", fix),
    target("fix-express", "app.js", fix),
    target("fix-django", "settings.py", fix),
    target("fix-flask", "app.py", fix),
    target("fix-starlette", "app.py", fix),
    target("fix-spring", "App.java", fix),
    target("rules", "rule.toml", load_rule),
    target("config", "corslint.toml", load_config),
    target("suppress", "nginx.conf", suppress),
];

const fn target(name: &'static str, file: &'static str, run: fn(&str, &[u8])) -> Target {
    Target { name, file, run }
}

fn parse(name: &str, data: &[u8], parse: impl Fn(&Arc<SourceFile>)) {
    if let Some(input) = Input::of(name, data) {
        input.add_to(&Sources::new()).iter().for_each(parse);
    }
}

fn parse_nginx(name: &str, data: &[u8]) {
    parse(name, data, |file| {
        let parsed = nginx::parse(file);
        let mut open: Vec<&nginx::Directive> = parsed.directives.iter().collect();
        while let Some(directive) = open.pop() {
            lies_in(directive.span, file);
            for word in directive.args.iter().chain([&directive.name]) {
                lies_in(word.span, file);
                assert!(directive.span.start <= word.span.start);
            }
            if let nginx::Body::Block(inner) = &directive.body {
                open.extend(inner);
            }
        }
        for error in &parsed.errors {
            lies_in(error.span, file);
        }
    });
}

/// Reads a project of one framework and asks all of it.
fn respond(framework: &str, name: &str, data: &[u8]) {
    let Some(input) = Input::of(name, data) else {
        return;
    };
    let sources = Sources::new();
    let files = input.add_to(&sources);
    let is_asked = |known: &&Framework| known.name == framework;
    let framework = frameworks::ALL.iter().find(is_asked).expect("a framework");
    for file in &files {
        let _ = (framework.detect)(file.path(), file.text());
    }
    let reading = (framework.read)(frameworks::Project {
        root: Path::new(ROOT),
        files: &files,
        sources: &sources,
        environment: &Environment::default(),
    });
    for site in reading.sites {
        let site: Arc<dyn Site> = Arc::from(site);
        ask(&input, &*site, &sources);
        // Judging takes longer than all else.
        if hash(data).is_multiple_of(16) {
            judge(&site, &sources);
        }
    }
}

/// How many endpoints of a site are asked.
const ENDPOINTS: usize = 8;

/// How many worlds of a site are asked.
const WORLDS: usize = 4;

fn ask(input: &Input<'_>, site: &dyn Site, sources: &Sources) {
    let count = site.conditions().len();
    let worlds = (0..(1_usize << count).min(WORLDS)).map(|bits| World {
        holds: (0..count).map(|at| bits >> at & 1 == 1).collect(),
    });
    let worlds: Vec<World> = worlds.collect();
    for (index, endpoint) in site.endpoints().iter().enumerate().take(ENDPOINTS) {
        exists(endpoint.span, sources);
        for request in input.requests(&endpoint.url) {
            let routed = site.route(&request);
            assert!(routed.is_none_or(|routed| routed < site.endpoints().len()));
            for world in &worlds {
                assert!(!site.respond(index, &request, world).is_empty());
            }
        }
    }
    for observation in site.observations() {
        exists(observation.span, sources);
    }
    for (span, _) in site.unknowns() {
        exists(*span, sources);
    }
}

fn judge(site: &Arc<dyn Site>, sources: &Sources) {
    let rules = RuleSet::builtin().expect("the rules are right");
    let judge = Judge::new(&rules, true);
    let judged = judge.site(site);
    assert_eq!(judged.wrong.len(), 0, "{:?}", judged.wrong);
    for finding in judge.merge(judged.findings) {
        check_spans(&finding, sources);
    }
}

fn check_spans(finding: &Finding, sources: &Sources) {
    assert!(!finding.message.is_empty());
    for label in std::iter::once(&finding.primary).chain(&finding.related) {
        exists(label.span, sources);
    }
    for edit in finding.fixes.iter().flat_map(|fix| &fix.edits) {
        exists(edit.span, sources);
    }
}

/// The span lies in its file on character boundaries.
fn exists(span: Span, sources: &Sources) {
    lies_in(span, &sources.get(span.file));
}

fn lies_in(span: Span, file: &SourceFile) {
    assert_eq!(span.file, file.id());
    let text = file.text().get(span.start as usize..span.end as usize);
    assert!(text.is_some(), "{span:?}");
}

/// Repairs a project, safely or not. What could be parsed can be parsed afterwards.
fn fix(name: &str, data: &[u8]) {
    let Some(input) = Input::of(name, data) else {
        return;
    };
    let folder = std::env::temp_dir().join(format!("corslint-fuzz-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&folder);
    for (name, text) in &input.files {
        let path = folder.join(name);
        let made = path.parent().map(std::fs::create_dir_all);
        if made.is_none_or(|made| made.is_err()) || std::fs::write(path, text).is_err() {
            return;
        }
    }
    let options = Options {
        paths: vec![folder],
        fix: Fixing::All,
        config: Lookup::Off,
        ..Options::default()
    };
    let report = check(&options).expect("the rules are right");
    for changed in report.fixed.iter().flat_map(|fixed| &fixed.files) {
        let path = changed.before.path();
        let (before, after) = (changed.before.text(), changed.after.as_str());
        assert!(
            is_broken(path, before) || !is_broken(path, after),
            "{}:\n{before}\n-- fixed --\n{after}",
            path.display()
        );
    }
}

fn is_broken(path: &Path, text: &str) -> bool {
    let file = Sources::new().add(path.to_path_buf(), text.to_owned());
    let ending = path.extension().and_then(|ending| ending.to_str());
    match ending.unwrap_or_default() {
        "js" | "cjs" | "mjs" | "jsx" | "ts" | "cts" | "mts" | "tsx" => {
            javascript::parse(&file).is_none_or(|module| module.has_errors)
        }
        "py" | "pyw" => !python::parse(&file).errors.is_empty(),
        "java" => java::parse(&file).is_none_or(|unit| unit.broken),
        "kt" => kotlin::parse(&file).is_none_or(|unit| unit.broken),
        "yml" | "yaml" => yaml::parse(&file).is_err(),
        "xml" => xml::parse(&file).is_err(),
        "properties" => false,
        _ => !nginx::parse(&file).errors.is_empty(),
    }
}

fn load_rule(name: &str, data: &[u8]) {
    if let Ok(text) = std::str::from_utf8(data) {
        let _ = Rule::added(Path::new(name), text).map(|rule| rule.check());
    }
}

fn load_config(name: &str, data: &[u8]) {
    if let Some(input) = Input::of(name, data) {
        for (name, text) in input.files {
            let Ok(Some(file)) = File::parse(Path::new(name), text.to_owned()) else {
                continue;
            };
            let _ = Policy::new(
                file.config
                    .policy
                    .map_or_else(Vec::new, |table| table.origins)
                    .as_slice(),
            );
        }
    }
}

/// Endings of files whose comments are read.
const ENDINGS: [&str; 9] = [
    "conf",
    "js",
    "ts",
    "py",
    "java",
    "kt",
    "yml",
    "properties",
    "xml",
];

fn suppress(_: &str, data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let ending = ENDINGS[usize::try_from(hash(data) % 9).expect("a small number")];
    let path = PathBuf::from(ROOT).join(format!("file.{ending}"));
    for comment in comments::comments(&path, text) {
        assert!(text.get(comment).is_some());
    }
    for directive in directives(&path, text) {
        assert!(text.get(directive.range).is_some());
        assert!(text.get(directive.comment).is_some());
        for (id, range) in directive.rules {
            assert_eq!(text.get(range), Some(&*id));
        }
    }
}

fn hash(data: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    data.hash(&mut hasher);
    hasher.finish()
}
