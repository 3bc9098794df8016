//! What comes behind parsing: reading programs as sites (the evaluators), asking them, judging rules.

use std::path::Path;
use std::sync::Arc;

use corslint::frameworks::{self, Framework, Reading};
use corslint::model::{Environment, Request, Site, World};
use corslint::rules::{Judge, RuleSet};
use corslint::source::Sources;
use divan::Bencher;
use divan::counter::ItemsCount;

use crate::inputs;

/// A framework, and a project of so many handlers.
const FRAMEWORKS: [&str; 3] = ["express", "starlette", "spring"];

/// Handlers of a project.
const COUNT: usize = 60;

struct Project {
    framework: &'static Framework,
    sources: Sources,
}

impl Project {
    fn of(name: &str) -> Self {
        let framework = frameworks::ALL.iter().find(|known| known.name == name);
        let (file, text) = match name {
            "express" => ("app.js", inputs::javascript(COUNT)),
            "starlette" => ("main.py", inputs::python(COUNT)),
            _ => ("Api.java", inputs::java(COUNT)),
        };
        let sources = Sources::new();
        sources.add(Path::new("/no-such-folder").join(file), text);
        Self {
            framework: framework.expect("a framework"),
            sources,
        }
    }

    fn read(&self) -> Reading {
        (self.framework.read)(frameworks::Project {
            root: Path::new("/no-such-folder"),
            files: &self.sources.files(),
            sources: &self.sources,
            environment: &Environment::default(),
        })
    }

    fn sites(&self) -> Vec<Arc<dyn Site>> {
        let sites = self.read().sites.into_iter();
        let sites: Vec<Arc<dyn Site>> = sites.map(Arc::from).collect();
        assert!(sites.iter().any(|site| !site.endpoints().is_empty()));
        sites
    }
}

/// Parsing and evaluating.
#[divan::bench(args = FRAMEWORKS, sample_count = 20)]
fn read(bencher: Bencher<'_, '_>, name: &str) {
    let project = Project::of(name);
    bencher
        .counter(ItemsCount::new(COUNT))
        .bench_local(|| project.read());
}

/// A request and a preflight to every endpoint.
#[divan::bench(args = FRAMEWORKS, sample_count = 20)]
fn respond(bencher: Bencher<'_, '_>, name: &str) {
    let sites = Project::of(name).sites();
    let count: usize = sites.iter().map(|site| site.endpoints().len()).sum();
    bencher.counter(ItemsCount::new(2 * count)).bench_local(|| {
        for site in &sites {
            let holds = vec![true; site.conditions().len()];
            let world = World { holds };
            for (index, endpoint) in site.endpoints().iter().enumerate() {
                let url = &endpoint.url;
                let origin = "https://app.example.com";
                let actual = Request::actual(url.clone(), Some(origin));
                divan::black_box(site.respond(index, &actual, &world));
                let preflight = Request::preflight(url.clone(), origin, "PUT", &["x-token"]);
                divan::black_box(site.respond(index, &preflight, &world));
            }
        }
    });
}

/// All rules on every endpoint.
#[divan::bench(args = FRAMEWORKS, sample_count = 20)]
fn judge(bencher: Bencher<'_, '_>, name: &str) {
    let rules = RuleSet::builtin().expect("the rules are right");
    let project = Project::of(name);
    let count: usize = project
        .sites()
        .iter()
        .map(|site| site.endpoints().len())
        .sum();
    bencher
        .counter(ItemsCount::new(count))
        .with_inputs(|| project.sites())
        .bench_local_values(|sites| {
            let judge = Judge::new(&rules, true);
            let judged: Vec<_> = sites.iter().map(|site| judge.site(site)).collect();
            judged
        });
}

/// Loading the rules that are built in, without compiling their expressions.
#[divan::bench]
fn load_rules() -> RuleSet {
    RuleSet::load(&[]).expect("the rules are right")
}
