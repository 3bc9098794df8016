//! What the Python frameworks share: a project's program, and code that handles requests.

pub(crate) mod evidence;
pub(crate) mod handler;
pub(crate) mod path;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::Project;
use super::answers::cacheable;
use crate::limits::python::{MAX_ENTRIES, STEPS};
use crate::model::{AllowedOrigin, Allows, Decision, Request, Response, Setting, Url};
use crate::source::{SourceFile, Span};
use crate::syntax::python::object::{K, Val};
use crate::syntax::python::version::{self, Versions};
use crate::syntax::python::{Arguments, Effect, Program};
use crate::syntax::value::{Kind, Value};

/// Is it Python, by its name?
pub(crate) fn is_python(path: &Path) -> bool {
    path.extension()
        .is_some_and(|ending| ending == "py" || ending == "pyw")
}

/// Is it code of tests or migrations, which serve nobody?
pub(crate) fn is_test(path: &Path, root: &Path) -> bool {
    let path = path.strip_prefix(root).unwrap_or(path);
    let in_tests = path.components().any(|part| {
        let name = part.as_os_str().to_string_lossy();
        matches!(
            &*name,
            "tests" | "test" | "testing" | "migrations" | "docs_src"
        )
    });
    let name = path.file_name().map(|name| name.to_string_lossy());
    let named = name.is_some_and(|name| {
        name.starts_with("test_") || name == "conftest.py" || name.ends_with("_test.py")
    });
    in_tests || named
}

/// Evaluates the files of a project, then the functions nobody called whose text holds one of
/// `words`: factories that a server calls.
pub(crate) fn program(project: &Project<'_>, words: &[&str]) -> Program {
    let mut files: Vec<Arc<SourceFile>> = project
        .files
        .iter()
        .filter(|file| !is_test(file.path(), project.root))
        .cloned()
        .collect();
    // What settings and applications need comes first, before steps run out.
    let is_main = |file: &Arc<SourceFile>| {
        ["MIDDLEWARE", "FastAPI(", "Starlette(", "Flask("]
            .iter()
            .any(|word| file.text().contains(word))
    };
    files.sort_by_key(|file| !is_main(file));
    let roots = vec![project.root.to_path_buf()];
    let program = Program::new(roots, &files, project.sources);
    let mut program = program.with_environment(project.environment);
    for file in files.iter().take(MAX_ENTRIES) {
        program.refill(STEPS);
        program.load(file.path());
    }
    for index in 0..program.function_count() {
        let defined = program.function(index);
        let called = defined.is_called() || !defined.is_outermost();
        let module = &program.modules()[defined.module];
        let text = module.file.slice(defined.function.span);
        if called || !words.iter().any(|word| text.contains(word)) {
            continue;
        }
        let span = defined.function.span;
        let this = defined.class.map(|class| {
            let class = Val::new(K::Class(class), span);
            program.call(&class, &Arguments::default(), span)
        });
        program.call_function(index, this, &Arguments::default(), span);
    }
    program
}

/// The versions of a package that the project's files allow.
pub(crate) fn versions(project: &Project<'_>, package: &str) -> Versions {
    let mut folders: Vec<PathBuf> = vec![project.root.to_path_buf()];
    for file in project.files {
        for folder in file.path().ancestors().skip(1) {
            if folder.starts_with(project.root) && !folders.iter().any(|known| known == folder) {
                folders.push(folder.to_path_buf());
            }
        }
    }
    folders.truncate(64);
    let folders: Vec<&Path> = folders.iter().map(PathBuf::as_path).collect();
    version::of_package(&folders, package, project.sources)
}

/// Is what call `app` made given to something, other than these packages, that may add routes?
pub(crate) fn is_given_away(program: &Program, app: usize, inert: &[&str]) -> bool {
    let path = format!("#{app}");
    program.calls.iter().any(|call| {
        let arguments = &call.arguments;
        let keywords = arguments.keywords.iter().map(|(_, _, value)| value);
        let mut given = arguments.positional.iter().chain(keywords);
        let is_app = |value: &Val| value.path() == Some(&path);
        if call.effect != Effect::Call || !given.any(is_app) {
            return false;
        }
        let mut made = call;
        while let Some(receiver) = made.receiver.and_then(|at| program.calls.get(at)) {
            made = receiver;
        }
        let package = made.path.split('.').next().unwrap_or_default();
        !inert.contains(&package)
    })
}

/// The URL of a service whose name nobody says.
pub(crate) fn url(path: &str) -> Url {
    Url {
        scheme: "https".into(),
        host: "service.example".into(),
        port: None,
        path: path.into(),
        query: None,
    }
}

/// Who decides what caches may keep of a program's responses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Caching {
    /// The program says something somewhere, which no response here shows.
    Unseen,
    /// Nobody, and what `Vary` lacks is left out by a library.
    Library,
    /// Nobody, and all CORS headers are written by hand.
    ByHand,
}

/// What the files of a program say of caches.
pub(crate) fn caching(program: &Program) -> Caching {
    let speaks = |words: &[&str]| {
        program.modules().iter().any(|module| {
            let text = module.file.text();
            words.iter().any(|word| text.contains(word))
        })
    };
    if speaks(&[
        "ache-Control",
        "ache-control",
        "cache_control",
        "never_cache",
        "no-store",
    ]) {
        Caching::Unseen
    } else if speaks(&["CORSMiddleware", "flask_cors", "corsheaders"]) {
        Caching::Library
    } else {
        Caching::ByHand
    }
}

/// Says of responses whether a cache may keep them, as far as the program is in view. A library's
/// responses without `Access-Control-Allow-Origin` are left out: nobody can mend their `Vary`.
pub(crate) fn add_cacheable(responses: &mut [Response], request: &Request, caching: Caching) {
    for response in responses {
        let allows = response
            .lines("access-control-allow-origin")
            .next()
            .is_some();
        if caching == Caching::ByHand || (caching == Caching::Library && allows) {
            response.cacheable = cacheable(response, &request.method);
        }
    }
}

/// What Python takes for true. Nothing if that cannot be told.
pub(crate) fn truthy(value: &Value) -> Option<bool> {
    Some(match &value.kind {
        Kind::String(text) => !text.is_empty(),
        Kind::Bool(value) => *value,
        Kind::Number(number) => *number != 0.0,
        Kind::Null | Kind::Undefined => false,
        Kind::List(list) if !list.items.is_empty() => true,
        Kind::List(list) if !list.open => false,
        Kind::Map(map) if !map.entries.is_empty() => true,
        Kind::Regex(_) => true,
        _ => return None,
    })
}

/// A text as Python's `str` writes it.
pub(crate) fn text(value: &Value) -> Option<String> {
    Some(match &value.kind {
        Kind::String(text) => text.clone(),
        Kind::Number(number) => format!("{number}"),
        Kind::Bool(true) => "True".into(),
        Kind::Bool(false) => "False".into(),
        Kind::Null => "None".into(),
        _ => return None,
    })
}

/// The texts of a list, or the letters of a text, with their places.
pub(crate) fn texts(value: &Value) -> Option<Vec<(String, Span)>> {
    match &value.kind {
        Kind::List(list) if !list.open => {
            let items = list.items.iter();
            items
                .map(|item| Some((item.as_str()?.to_owned(), item.span)))
                .collect()
        }
        Kind::Map(map) if !map.open => {
            let keys = map.entries.iter();
            Some(
                keys.map(|entry| (entry.key.clone(), entry.key_span))
                    .collect(),
            )
        }
        Kind::String(text) => Some(text.chars().map(|c| (c.to_string(), value.span)).collect()),
        _ => None,
    }
}

/// Where in a literal its text starts, if it stands there byte for byte.
pub(crate) fn offset(source: &str, text: &str) -> Option<u32> {
    if text.is_empty() {
        return None;
    }
    u32::try_from(source.find(text)?).ok()
}

/// What let an origin in.
pub(crate) fn decision(text: &str, span: Span, source: &str, pattern: bool) -> Decision {
    Decision {
        span,
        text: text.to_owned(),
        offset: offset(source, text),
        pattern,
    }
}

/// An entry that cannot be told.
pub(crate) const fn unknown_origin(span: Span) -> AllowedOrigin {
    AllowedOrigin {
        allows: Allows::Unknown,
        span,
        problem: None,
        negated: false,
        fixed: false,
    }
}

/// A setting as written.
pub(crate) fn setting(value: &Value) -> Option<Setting> {
    let values = match &value.kind {
        Kind::Undefined => return None,
        Kind::List(list) => {
            let texts = list.items.iter().map(text);
            texts.collect::<Option<Vec<_>>>().unwrap_or_default()
        }
        _ => text(value).into_iter().collect(),
    };
    Some(Setting {
        values,
        span: Some(value.span),
    })
}

/// Does a value hold something that no configuration in view tells?
pub(crate) fn has_unknown(value: &Value) -> bool {
    match &value.kind {
        Kind::Unknown(_) => true,
        Kind::List(list) => list.open || list.items.iter().any(has_unknown),
        Kind::Map(map) => map.open || map.entries.iter().any(|entry| has_unknown(&entry.value)),
        Kind::OneOf(one_of) => has_unknown(&one_of.yes) || has_unknown(&one_of.no),
        _ => false,
    }
}

/// Everything that a value may be, in any world.
pub(crate) fn leaves<'v>(value: &'v Value, found: &mut Vec<&'v Value>) {
    match &value.kind {
        Kind::OneOf(one_of) => {
            leaves(&one_of.yes, found);
            leaves(&one_of.no, found);
        }
        _ => found.push(value),
    }
}
