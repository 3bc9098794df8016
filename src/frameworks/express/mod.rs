//! Express, and what is built on it: an application is an ordered chain of layers, run abstractly.
//!
//! `read` loads the project's modules once per class of deployment worlds; what `express()`,
//! `cors()`, NestJS and Socket.IO make is kept as stacks of layers. `respond` sends a request
//! through them, running middleware and origin callbacks of the project themselves.

mod client;
mod cors;
mod dispatch;
mod environment;
mod exchange;
mod five;
mod host;
mod model;
mod observe;
mod packages;
mod path;
mod respond;
mod routes;
mod settings;
mod site;
mod stack;
mod version;

use std::path::Path;
use std::sync::Arc;

use self::host::{Express, Node};
use self::model::StackKind;
use self::respond::Loaded;
use self::version::Versions;
use super::{Project, Reading};
use crate::limits::express::{DEPTH, MAX_LOADS, MAX_STEPS, STEPS};
use crate::model::{Site, World};
use crate::source::SourceFile;
use crate::syntax::javascript::EXTENSIONS;
use crate::syntax::javascript::ast::Function;
use crate::syntax::javascript::eval::Library;
use crate::syntax::javascript::eval::heap::{ObjectKind, V, Val};
use crate::syntax::value::{Budget, Conditions};
use crate::syntax::words;

/// Is this a program for Node or a browser that has to do with CORS, or with applications?
#[must_use]
pub fn detect(path: &Path, text: &str) -> bool {
    let extension = path.extension().and_then(|text| text.to_str());
    extension.is_some_and(|text| EXTENSIONS.contains(&text))
        && words::JAVASCRIPT.judge(text.as_bytes()) != words::Content::Other
}

/// Reads the applications of a project.
#[must_use]
pub fn read(project: Project<'_>) -> Reading {
    let mut reading = Reading::default();
    let files = worth_reading(project, &mut reading);
    let project = Project {
        files: &files,
        ..project
    };
    let library =
        Arc::new(Library::new(project.root, project.sources).with_environment(project.environment));
    let versions = Versions::of(project.root);
    let mut registry = Conditions::default();
    let programs = load_all(project, &library, versions, &mut registry);
    let mut observations = Vec::new();
    for loaded in &programs {
        observe::program(loaded, registry.as_slice(), &mut observations);
    }
    client::files(project.files, &library, project.sources, &mut observations);
    let mut refused = None;
    for loaded in &programs {
        refused = refused.or_else(|| observe::refusal(&loaded.program));
    }
    let mut applications: Vec<site::Application> = Vec::new();
    let mut known: Vec<(crate::source::Span, StackKind)> = Vec::new();
    for loaded in &programs {
        let viewer = site::viewer(loaded);
        for stack in site::roots(&loaded.program, &|_| true) {
            let key = (stack.span, stack.kind);
            if known.contains(&key) || is_handler_elsewhere(&programs, stack) {
                continue;
            }
            known.push(key);
            let application = site::Application::new(
                stack.span,
                stack.kind,
                programs.clone(),
                &mut registry,
                refused.clone(),
            );
            if application.about_cors
                || site::is_about_cors(&viewer, stack)
                || is_beside_cors(project, stack)
            {
                applications.push(application);
            }
        }
    }
    reading.files = library.files();
    for application in applications {
        reading.sites.push(Box::new(application) as Box<dyn Site>);
    }
    if !observations.is_empty() {
        reading
            .sites
            .push(Box::new(observe::Observed { observations }));
    }
    reading
}

/// Is a function an application of its own only where the program does not come to use it?
fn is_handler_elsewhere(programs: &[Arc<Loaded>], stack: &model::Stack) -> bool {
    let others = programs.iter().flat_map(|loaded| &loaded.program.stacks);
    stack.kind == StackKind::Function
        && others
            .filter(|other| other.span != stack.span)
            .flat_map(|other| &other.layers)
            .flat_map(|layer| &layer.handlers)
            .any(|handler| handler.span == stack.span)
}

/// Is an application made in a file that speaks of CORS? Then it is evident that it sends no header.
fn is_beside_cors(project: Project<'_>, stack: &model::Stack) -> bool {
    let file = project
        .files
        .iter()
        .find(|file| file.id() == stack.span.file);
    stack.kind == StackKind::App
        && file.is_some_and(|file| {
            words::JAVASCRIPT.judge(file.text().as_bytes()) == words::Content::Seed
        })
}

/// The files that people write and run: no tests, no bundles.
fn worth_reading(project: Project<'_>, reading: &mut Reading) -> Vec<Arc<SourceFile>> {
    let mut files = Vec::new();
    for file in project.files {
        let path = file.path();
        let below = path.strip_prefix(project.root).unwrap_or(path);
        match reason_to_skip(below, file.text()) {
            Some(why) => reading.skipped.push((path.to_path_buf(), why.to_owned())),
            None => files.push(Arc::clone(file)),
        }
    }
    files
}

fn reason_to_skip(path: &Path, text: &str) -> Option<&'static str> {
    const TESTS: [&str; 9] = [
        "test",
        "tests",
        "__tests__",
        "__mocks__",
        "e2e",
        "spec",
        "specs",
        "cypress",
        "coverage",
    ];
    const BUILT: [&str; 5] = ["build", "dist", "out", "public", "wp-includes"];
    let folders = || {
        let parent = path.parent().into_iter().flat_map(Path::components);
        parent.filter_map(|part| part.as_os_str().to_str())
    };
    let name = path.file_name().and_then(|name| name.to_str())?;
    let is_test = [".test.", ".spec.", ".e2e-spec.", ".stories."]
        .iter()
        .any(|mark| name.contains(mark));
    if is_test || folders().any(|folder| TESTS.contains(&folder)) {
        return Some("a test");
    }
    if name.contains(".min.") || name.contains(".bundle.") || name.ends_with(".d.ts") {
        return Some("a generated file");
    }
    let lines = text.bytes().filter(|byte| *byte == b'\n').count() + 1;
    let long = text.len() > 20_000 && text.len() / lines > 250;
    if long || (folders().any(|folder| BUILT.contains(&folder)) && text.len() > 100_000) {
        return Some("a generated file");
    }
    None
}

/// Loads the project once for every class of worlds.
fn load_all(
    project: Project<'_>,
    library: &Arc<Library>,
    versions: Versions,
    registry: &mut Conditions,
) -> Vec<Arc<Loaded>> {
    let mut programs: Vec<Arc<Loaded>> = Vec::new();
    let mut taken = 0;
    for _ in 0..MAX_LOADS {
        if taken > MAX_STEPS {
            break;
        }
        let worlds = registry.worlds().into_iter();
        let open = worlds.filter_map(|world| {
            let otherwise = site::missing(&programs, &world)?;
            Some((world, otherwise))
        });
        // Every condition has its turn before any two hold at once.
        let holding =
            |(world, _): &(World, bool)| world.holds.iter().filter(|holds| **holds).count();
        let Some((world, otherwise)) = open.min_by_key(holding) else {
            break;
        };
        let mut host = Express::new(versions, registry.clone(), world.holds);
        host.otherwise = otherwise;
        let (loaded, steps) = load(project, library, registry, host);
        taken += steps;
        programs.push(Arc::new(loaded));
    }
    programs
}

fn load(
    project: Project<'_>,
    library: &Arc<Library>,
    registry: &mut Conditions,
    host: Express,
) -> (Loaded, u32) {
    let budget = Budget::new(STEPS, DEPTH);
    let mut machine = Node::new(host, Arc::clone(library), Some(project.sources), budget);
    for file in project.files {
        machine.load(file.path());
    }
    for path in entries(project) {
        let below = path.strip_prefix(project.root).unwrap_or(&path);
        let is_skipped = |file: Arc<SourceFile>| reason_to_skip(below, file.text()).is_some();
        if !project.sources.load(&path).is_ok_and(is_skipped) {
            machine.load(&path);
        }
    }
    machine.run_deferred();
    run_orphans(&mut machine, project.files);
    let steps = STEPS - machine.budget.left();
    let (image, mut host) = machine.freeze();
    *registry = std::mem::take(&mut host.registry);
    let asked = host
        .asked
        .iter()
        .map(|at| (*at, host.holds.get(*at).copied().unwrap_or(false)));
    let loaded = Loaded {
        image,
        program: Arc::clone(&host.program),
        asked: asked.collect(),
        otherwise: host.otherwise,
        undecided: host.undecided,
    };
    (loaded, steps)
}

/// Where programs usually start: a file without a word of Express may be what starts it.
fn entries(project: Project<'_>) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    let folders = ["", "src", "server", "app", "api", "backend"];
    for folder in folders {
        for name in ["index", "app", "server", "main"] {
            for extension in EXTENSIONS {
                let path = project.root.join(folder);
                let path = path.join(format!("{name}.{extension}"));
                if project.sources.folders().is_file(&path) {
                    found.push(path);
                }
            }
        }
    }
    found
}

/// Functions that nobody calls in view but that have to do with CORS: set-up functions are called,
/// handlers become applications of their own.
fn run_orphans(machine: &mut Node<'_>, files: &[Arc<SourceFile>]) {
    let mut orphans: Vec<Val> = Vec::new();
    for (path, exports) in machine.exports() {
        if !files.iter().any(|file| file.path() == path) {
            continue;
        }
        let mut candidates = vec![exports.clone()];
        for (name, _) in machine.own_keys(&exports) {
            candidates.extend(machine.own(&exports, &name));
        }
        // A class's own methods make its application.
        let classes = candidates.clone();
        for class in classes {
            for (name, _) in machine.own_keys(&class) {
                candidates.extend(machine.own(&class, &name));
            }
        }
        orphans.extend(candidates);
    }
    let in_use: Vec<crate::source::Span> = machine
        .host
        .program
        .stacks
        .iter()
        .flat_map(|stack| &stack.layers)
        .flat_map(|layer| &layer.handlers)
        .map(|handler| handler.span)
        .collect();
    let mut done: Vec<crate::source::Span> = Vec::new();
    for orphan in orphans {
        let Some(function) = machine.function(&orphan) else {
            continue;
        };
        let text = machine.text(function.span);
        if done.contains(&function.span)
            || in_use.contains(&function.span)
            || machine.was_called(&function)
            || !(site::speaks_of_cors(&text) || text.contains("express()"))
        {
            continue;
        }
        done.push(function.span);
        if is_handler(&function, &text) {
            let (_, number) = host::new_stack(machine, StackKind::Function, function.span);
            packages::add_handler(machine, number, orphan, function.span);
        } else if function.params.len() <= 3 && machine.call_back(&orphan, function.span).is_err() {
            return;
        }
    }
    machine.run_deferred();
}

/// Does a function look like `(request, response, next?)`?
fn is_handler(function: &Function, text: &str) -> bool {
    use crate::syntax::javascript::ast::Pattern;
    let name = |at: usize| match function.params.get(at).map(|param| &param.pattern) {
        Some(Pattern::Name(name, _)) => name.to_string(),
        _ => String::new(),
    };
    let response = name(1);
    matches!(function.params.len(), 2..=3)
        && matches!(response.as_str(), "res" | "response" | "resp" | "_res")
        && ["setHeader", "header", "set", "writeHead", "append"]
            .iter()
            .any(|method| text.contains(&format!("{response}.{method}(")))
}

/// The value of a heap object, for observers.
fn kind_of(machine: &Node<'_>, val: &Val) -> Option<ObjectKind> {
    match val.v {
        V::Object(id) => Some(machine.objects.get(id).kind.clone()),
        _ => None,
    }
}
