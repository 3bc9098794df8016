//! From settings modules to sites.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::observe::{self, Beside};
use super::respond::{Django, View};
use super::urls::{self, Urls};
use crate::frameworks::answers::is_secure;
use crate::frameworks::python::evidence::{self, Speakers, reads_headers};
use crate::frameworks::python::handler::compared_origins;
use crate::frameworks::python::{self, leaves, setting, url};
use crate::frameworks::{Project, Reading};
use crate::limits::django::read::{MAX_ROUTES, MAX_VIEWS, MIDDLEWARE_STEPS};
use crate::model::{
    AllowedOrigin, Allows, Condition, Endpoint, Exposure, Known, Origin, OriginProblem, Route,
    Settings, World,
};
use crate::source::{SourceFile, Span};
use crate::syntax::python::Program;
use crate::syntax::python::ast::SequenceKind;
use crate::syntax::python::object::{K, Obj, Val};
use crate::syntax::python::pattern::{self, How};
use crate::syntax::python::version::Versions;
use crate::syntax::value::{Conditions, Kind, Value};

/// Settings with their old names, which still hold.
pub(super) const ALIASES: [(&str, &str); 3] = [
    ("CORS_ALLOWED_ORIGINS", "CORS_ORIGIN_WHITELIST"),
    ("CORS_ALLOWED_ORIGIN_REGEXES", "CORS_ORIGIN_REGEX_WHITELIST"),
    ("CORS_ALLOW_ALL_ORIGINS", "CORS_ORIGIN_ALLOW_ALL"),
];

/// Settings whose default says something: an unknown value is not that.
const DEFAULTED: [&str; 6] = [
    "APPEND_SLASH",
    "PREPEND_WWW",
    "SECURE_SSL_REDIRECT",
    "SESSION_COOKIE_SAMESITE",
    "SESSION_COOKIE_SECURE",
    "WHITENOISE_ALLOW_ALL_ORIGINS",
];

/// Every setting that is looked at.
const NAMES: [&str; 25] = [
    "CORS_ALLOWED_ORIGINS",
    "CORS_ORIGIN_WHITELIST",
    "CORS_ALLOWED_ORIGIN_REGEXES",
    "CORS_ORIGIN_REGEX_WHITELIST",
    "CORS_ALLOW_ALL_ORIGINS",
    "CORS_ORIGIN_ALLOW_ALL",
    "CORS_ALLOW_CREDENTIALS",
    "CORS_ALLOW_METHODS",
    "CORS_ALLOW_HEADERS",
    "CORS_EXPOSE_HEADERS",
    "CORS_PREFLIGHT_MAX_AGE",
    "CORS_URLS_REGEX",
    "CORS_ALLOW_PRIVATE_NETWORK",
    "CORS_MODEL",
    "CORS_REPLACE_HTTPS_REFERER",
    "MIDDLEWARE",
    "MIDDLEWARE_CLASSES",
    "ALLOWED_HOSTS",
    "CSRF_TRUSTED_ORIGINS",
    "SESSION_COOKIE_SAMESITE",
    "SESSION_COOKIE_SECURE",
    "SECURE_SSL_REDIRECT",
    "PREPEND_WWW",
    "APPEND_SLASH",
    "WHITENOISE_ALLOW_ALL_ORIGINS",
];

/// Settings by name, in all worlds or in one.
#[derive(Clone, Debug)]
pub(super) struct Values {
    pub(super) by_name: BTreeMap<&'static str, Value>,
    files: Arc<Vec<Arc<SourceFile>>>,
    nothing: Value,
}

impl Values {
    pub(super) fn get(&self, name: &str) -> &Value {
        self.by_name.get(name).unwrap_or(&self.nothing)
    }

    /// In one world, with old names resolved.
    pub(super) fn in_world(&self, world: &World) -> Self {
        let by_name = self.by_name.iter();
        let mut by_name: BTreeMap<&'static str, Value> = by_name
            .map(|(name, value)| (*name, value.in_world(world)))
            .collect();
        for (new, old) in ALIASES {
            let unset = by_name
                .get(new)
                .is_none_or(|value| value.kind == Kind::Undefined);
            if unset && let Some(value) = by_name.get(old).cloned() {
                by_name.insert(new, value);
            }
        }
        Self {
            by_name,
            files: Arc::clone(&self.files),
            nothing: self.nothing.clone(),
        }
    }

    pub(super) fn slice(&self, span: Span) -> &str {
        let file = self.files.iter().find(|file| file.id() == span.file);
        file.map_or("", |file| file.slice(span))
    }

    /// The place of a setting's name, before its value.
    pub(super) fn name_span(&self, name: &str, value: Span) -> Span {
        let Some(file) = self.files.iter().find(|file| file.id() == value.file) else {
            return value;
        };
        let before = file.text().get(..value.start as usize).unwrap_or_default();
        let from = before
            .rfind(name)
            .filter(|at| value.start as usize - at < name.len() + 400);
        let Some(at) = from.and_then(|at| u32::try_from(at).ok()) else {
            return value;
        };
        let length = u32::try_from(name.len()).unwrap_or(0);
        Span::new(value.file, at, at + length)
    }
}

pub(super) fn read(project: &Project<'_>) -> Reading {
    let mut program = python::program(project, &[]);
    let mut versions = python::versions(project, "django-cors-headers");
    // A fork of 1.x under another name.
    if versions == Versions::ANY && python::versions(project, "django-cors-middleware") != versions
    {
        versions = Versions::exactly((1, 5, 0));
    }
    let settings: Vec<usize> = (0..program.modules().len())
        .filter(|index| is_settings(&program, *index))
        .collect();
    for index in &settings {
        load_middleware(&mut program, *index, project);
    }
    // A module is loaded once, whichever settings name it.
    let by_hand = || {
        let mut modules = program.modules().iter();
        modules.any(|module| evidence::sets_headers(module.file.text()))
    };
    let with_views = by_hand()
        || settings.iter().any(|index| {
            let names = program.modules()[*index].names;
            program.peek(names, "CORS_ALLOW_METHODS").is_some()
        });
    let urls: Vec<Option<Urls>> = settings
        .iter()
        .map(|index| urls::read(&mut program, *index, with_views, project.sources))
        .collect();
    let files: Vec<Arc<SourceFile>> = program
        .modules()
        .iter()
        .map(|module| Arc::clone(&module.file))
        .collect();
    let mut reading = Reading {
        files: files.clone(),
        ..Reading::default()
    };
    let program = Arc::new(program.frozen());
    let files = Arc::new(files);
    let imported = |index: usize| {
        let mut others = settings.iter().filter(|other| **other != index);
        others.any(|other| reaches(&program, *other, index))
    };
    let speakers = Speakers::of(&program);
    let views = views(&program, &speakers);
    for (index, urls) in settings.iter().copied().zip(urls) {
        if imported(index) {
            continue;
        }
        let shared = Shared {
            project,
            program: &program,
            files: &files,
            versions,
            views: &views,
            speakers: &speakers,
        };
        let mut site = site(&shared, index, urls);
        let compared = compared_origins(&site, &program);
        for (endpoint, origins) in site.endpoints.iter_mut().zip(compared) {
            endpoint.settings.origins.extend(origins);
            endpoint.secure = is_secure(&endpoint.settings);
        }
        reading.sites.push(Box::new(site));
    }
    reading
}

/// Reads the project's own middleware, and nothing that it imports.
fn load_middleware(program: &mut Program, settings: usize, project: &Project<'_>) {
    let names = program.modules()[settings].names;
    let span = program.modules()[settings].file.span();
    let list = program.get_name(names, "MIDDLEWARE", span);
    let items = program.items_of_all(&list);
    for item in items.map(|(items, _)| items).unwrap_or_default() {
        let module = item.as_text().and_then(|path| path.rsplit_once('.'));
        let Some((module, _)) = module else { continue };
        let library = ["django.", "corsheaders.", "whitenoise."];
        if !library.iter().any(|library| module.starts_with(library)) {
            program.refill(MIDDLEWARE_STEPS);
            program.load_alone(module, settings, project.sources);
        }
    }
}

/// Does a module define what only settings do?
fn is_settings(program: &Program, index: usize) -> bool {
    let names = program.modules()[index].names;
    ["MIDDLEWARE", "MIDDLEWARE_CLASSES", "INSTALLED_APPS"]
        .iter()
        .any(|name| {
            program.peek(names, name).is_some_and(|value| {
                !matches!(
                    value.kind,
                    K::Missing | K::Unknown(_) | K::Function(_) | K::Class(_)
                )
            })
        })
}

/// Does one module import everything of another, by however many steps?
fn reaches(program: &Program, from: usize, to: usize) -> bool {
    let mut todo = vec![from];
    let mut seen = Vec::new();
    while let Some(module) = todo.pop() {
        if seen.contains(&module) {
            continue;
        }
        seen.push(module);
        for next in &program.modules()[module].imports_all_of {
            if *next == to {
                return true;
            }
            todo.push(*next);
        }
    }
    false
}

/// Functions that handle requests and set CORS headers by hand.
fn views(program: &Program, speakers: &Speakers) -> Vec<View> {
    let mut found = Vec::new();
    for function in 0..program.function_count() {
        let defined = program.function(function);
        let first = defined.function.parameters.first();
        let takes_request = first.is_some_and(|first| &*first.name == "request");
        if !takes_request || defined.class.is_some() || !defined.is_outermost() {
            continue;
        }
        if speakers.sets_headers(program, function) {
            found.push(View {
                function: Some(function),
                class: None,
                name: defined.function.name.to_string(),
                span: defined.function.name_span,
            });
        }
    }
    found
}

/// What stands behind URLs and sets CORS headers by hand, of what `known` does not hold: classes, and
/// what decorators of the program made.
fn views_of_urls(
    program: &Program,
    urls: Option<&Urls>,
    speakers: &Speakers,
    known: &[View],
) -> Vec<View> {
    let mut found: Vec<View> = Vec::new();
    for (path, of) in urls.map(Urls::samples).unwrap_or_default() {
        if known.iter().chain(&found).any(|known| known.is(of)) {
            continue;
        }
        let view = match (of.class, of.function) {
            (Some(class), _) if speakers.class_sets_headers(program, class) => {
                let defined = &program.class(class).class;
                (defined.name.to_string(), defined.name_span)
            }
            (None, Some(function)) if speakers.sets_headers(program, function) => {
                let defined = &program.function(function).function;
                (format!("of {path}"), defined.name_span)
            }
            _ => continue,
        };
        let (name, span) = view;
        found.push(View {
            function: of.function,
            class: of.class,
            name,
            span,
        });
    }
    found
}

/// The methods of views for whose URLs the settings mean CORS to be on. Views that set headers by hand
/// have endpoints of their own.
fn routes(values: &Values, urls: &Urls, views: &[View]) -> Vec<Route> {
    let mut patterns = Vec::new();
    leaves(values.get("CORS_URLS_REGEX"), &mut patterns);
    let is_on = |path: &str| {
        patterns.iter().all(|value| match &value.kind {
            Kind::Undefined => true,
            Kind::String(text) => pattern::matches(text, "", path, How::Match) == Some(true),
            Kind::Regex(regex) => {
                let (text, flags) = (&regex.pattern, &regex.flags);
                pattern::matches(text, flags, path, How::Match) == Some(true)
            }
            _ => false,
        })
    };
    let samples = urls.samples().into_iter();
    let mut found: Vec<Route> = Vec::new();
    let others = samples.filter(|(path, of)| is_on(path) && !views.iter().any(|view| view.is(of)));
    for (_, of) in others {
        for route in &of.written {
            if found.len() < MAX_ROUTES && !found.contains(route) {
                found.push(route.clone());
            }
        }
    }
    found
}

/// What is to be known beside the values of the settings.
fn beside(program: &Program, index: usize, project: &Project<'_>) -> Beside {
    let module = &program.modules()[index];
    let mut unknown_names = Vec::new();
    for (name, value) in program.names_of(module.names) {
        let known = NAMES.contains(&&*name);
        let parts = module
            .parts
            .iter()
            .map(|part| &program.modules()[*part].file);
        let mut own = std::iter::once(&module.file).chain(parts);
        let file = own.find(|file| file.id() == value.span.file);
        let (false, true, Some(file)) = (known, name.starts_with("CORS_"), file) else {
            continue;
        };
        // A file may be two modules: for itself, and as a part of another one.
        let modules = program.modules().iter().enumerate();
        let once = modules.filter(|(at, module)| {
            let mut before = program.modules()[..*at].iter();
            !before.any(|other| other.file.id() == module.file.id())
        });
        let mentions: usize = once
            .map(|(_, module)| module.file.text().matches(&*name).count())
            .sum();
        if let Some(span) = assigned(file, &name)
            && mentions == 1
        {
            unknown_names.push((name.to_string(), span));
        }
    }
    let urls = program.peek(module.names, "ROOT_URLCONF");
    let urls = urls.as_ref().and_then(Val::as_text).map(|dotted| {
        let path = format!("{}.py", dotted.replace('.', "/"));
        let folders = module.file.path().ancestors().skip(1);
        let mut found = folders.filter_map(|folder| project.sources.load(&folder.join(&path)).ok());
        found.next()
    });
    Beside {
        unknown_names,
        sets: Vec::new(),
        localized: urls
            .flatten()
            .is_some_and(|file| file.text().contains("i18n_patterns(")),
    }
}

/// The name at the start of a line, where it is assigned.
fn assigned(file: &SourceFile, name: &str) -> Option<Span> {
    let at = file.text().find(name)?;
    let before = &file.text()[..at];
    let rest = file.text()[at + name.len()..].trim_start();
    let alone = before.is_empty() || before.ends_with('\n');
    let is_name = rest.starts_with('=') || rest.starts_with(':');
    (alone && is_name).then(|| file.span().part(at, at + name.len()))
}

/// What all settings modules of a project have in common.
struct Shared<'s> {
    project: &'s Project<'s>,
    program: &'s Arc<Program>,
    files: &'s Arc<Vec<Arc<SourceFile>>>,
    versions: Versions,
    views: &'s [View],
    speakers: &'s Speakers,
}

fn site(shared: &Shared<'_>, index: usize, urls: Option<Urls>) -> Django {
    let Shared {
        project,
        program,
        files,
        versions,
        views,
        speakers,
    } = *shared;
    let module = &program.modules()[index];
    let span = module.file.span().part(0, 0);
    let mut conditions = Conditions::default();
    let development = development(&module.file);
    let only_development = development.and_then(|text| {
        conditions.atom(Condition {
            text,
            span: Some(span),
            development: true,
        })
    });
    let mut evaluator = (**program).clone();
    let mut by_name = BTreeMap::new();
    let mut unknowns = Vec::new();
    let mut sets = Vec::new();
    for name in NAMES {
        let value = evaluator.get_name(module.names, name, span);
        // What only observations look at makes no worlds.
        let beside = matches!(
            name,
            "ALLOWED_HOSTS"
                | "CSRF_TRUSTED_ORIGINS"
                | "SESSION_COOKIE_SAMESITE"
                | "SESSION_COOKIE_SECURE"
                | "APPEND_SLASH"
                | "WHITENOISE_ALLOW_ALL_ORIGINS"
        );
        if let Some(Obj::List {
            kind: SequenceKind::Set,
            ..
        }) = evaluator.object(&value)
        {
            sets.push((name, value.span));
        }
        let mut scratch = Conditions::default();
        let used = if beside {
            &mut scratch
        } else {
            &mut conditions
        };
        let mut value = evaluator.export(&value, used);
        if !scratch.as_slice().is_empty() {
            value = Value::unknown("it depends on the deployment", value.span);
        }
        if name.starts_with("CORS_") && python::has_unknown(&value) {
            unknowns.push((value.span, format!("`{name}`")));
        }
        by_name.insert(name, value);
    }
    let values = Values {
        by_name,
        files: Arc::clone(files),
        nothing: Value::new(Kind::Undefined, span),
    };
    let middleware = values.get("MIDDLEWARE");
    let place = observe::cors_entry(&values).unwrap_or(match middleware.kind {
        Kind::Undefined => span,
        _ => middleware.span,
    });
    let main = Endpoint {
        name: "Django".into(),
        span: place,
        url: url(&path(&values, None, &[])),
        secure: Known::Unknown,
        exposure: Exposure::Public,
        management: false,
        reads_headers: reads_headers(program),
        routes: Vec::new(),
        settings: settings(&values, versions),
    };
    let mut endpoints = vec![main];
    let mut views = views.to_vec();
    views.truncate(MAX_VIEWS);
    let others = views_of_urls(program, urls.as_ref(), speakers, &views);
    views.extend(others);
    views.truncate(MAX_VIEWS);
    if let Some(urls) = &urls {
        endpoints[0].url.path = path(&values, Some(urls), &views);
        endpoints[0].routes = routes(&values, urls, &views);
    }
    for view in &views {
        let mut endpoint = endpoints[0].clone();
        endpoint.name = format!("view {}", view.name);
        endpoint.span = view.span;
        let samples = urls.as_ref().map(Urls::samples).unwrap_or_default();
        let served = samples.into_iter().find(|(_, of)| view.is(of));
        endpoint.routes = match &served {
            Some((_, of)) => of.written.clone(),
            None => Vec::new(),
        };
        endpoint.url.path = served.map_or_else(|| format!("/{}", view.name), |(path, _)| path);
        endpoints.push(endpoint);
    }
    // What is not in view is no observation.
    let mut seen = values.clone();
    seen.by_name
        .retain(|name, value| !value.is_unknown() || DEFAULTED.contains(name));
    let beside = Beside {
        sets,
        ..beside(program, index, project)
    };
    let observations = observe::observe(&seen, &conditions, versions, &beside);
    let signal =
        program.calls.iter().any(|call| {
            call.path
                .starts_with("corsheaders.signals.check_request_enabled.connect")
                || (&*call.path == "django.dispatch.receiver"
                    && call.arguments.positional.iter().any(|value| {
                        value.path() == Some("corsheaders.signals.check_request_enabled")
                    }))
        });
    Django {
        conditions: conditions.as_slice().to_vec(),
        only_development,
        endpoints,
        observations,
        unknowns,
        values,
        views,
        urls,
        versions,
        signal,
        wrapped: program
            .modules()
            .iter()
            .any(|module| evidence::speaks_asgi(module.file.text())),
        caching: python::caching(program),
        program: Arc::clone(program),
        span,
    }
}

/// A settings module that serves development only, by its name.
fn development(file: &SourceFile) -> Option<String> {
    let name = file
        .path()
        .file_stem()?
        .to_string_lossy()
        .to_ascii_lowercase();
    let words = [
        "dev",
        "develop",
        "development",
        "local",
        "test",
        "testing",
        "debug",
        "ci",
    ];
    let mut parts = name.split(['_', '-', '.']);
    parts
        .any(|part| words.contains(&part))
        .then(|| format!("the settings are `{name}`"))
}

/// A path for which CORS is on, of no view that sets headers by hand if there is another.
fn path(values: &Values, urls: Option<&Urls>, views: &[View]) -> String {
    let mut samples = urls.map(Urls::samples).unwrap_or_default();
    samples.sort_by_key(|(_, of)| views.iter().any(|view| view.is(of)));
    let mut served: Vec<String> = samples.into_iter().map(|(path, _)| path).collect();
    served.extend(urls.map(Urls::unseen).unwrap_or_default());
    let mut found = Vec::new();
    leaves(values.get("CORS_URLS_REGEX"), &mut found);
    let candidates = [
        "/",
        "/api/",
        "/api/items",
        "/api/v1/items",
        "/v1/items",
        "/graphql",
    ];
    for value in found {
        let (text, flags) = match &value.kind {
            Kind::String(text) => (text.as_str(), ""),
            Kind::Regex(regex) => (regex.pattern.as_str(), regex.flags.as_str()),
            _ => continue,
        };
        let literal: String = text
            .trim_start_matches('^')
            .chars()
            .take_while(|c| c.is_ascii_alphanumeric() || "/-_".contains(*c))
            .collect();
        let mut all = served.clone();
        all.extend(candidates.iter().map(|path| (*path).to_owned()));
        all.push(literal.clone());
        all.push(format!("{literal}items"));
        let is_on = |path: &String| {
            path.starts_with('/') && pattern::matches(text, flags, path, How::Match) == Some(true)
        };
        if let Some(path) = all.into_iter().find(is_on) {
            return path;
        }
    }
    served.into_iter().next().unwrap_or_else(|| "/".into())
}

fn settings(values: &Values, versions: Versions) -> Settings {
    let mut settings = Settings::default();
    let entry = |allows, span| AllowedOrigin {
        allows,
        ..python::unknown_origin(span)
    };
    for (new, old) in ALIASES {
        let mut found = Vec::new();
        leaves(values.get(new), &mut found);
        if found.iter().all(|value| value.kind == Kind::Undefined) {
            found.clear();
            leaves(values.get(old), &mut found);
        }
        for value in found {
            match (new, &value.kind) {
                ("CORS_ALLOW_ALL_ORIGINS", _) if python::truthy(value) == Some(true) => {
                    settings.origins.push(entry(Allows::Any, value.span));
                }
                ("CORS_ALLOW_ALL_ORIGINS", _) => {}
                (_, Kind::List(list)) => {
                    for item in &list.items {
                        let mut items = Vec::new();
                        leaves(item, &mut items);
                        for item in items {
                            settings.origins.push(match (&item.kind, new) {
                                // Before 3.0 a host stood for itself with every scheme.
                                (Kind::String(text), "CORS_ALLOWED_ORIGINS")
                                    if versions.since((3, 0, 0)) == Some(false)
                                        && !text.contains("://") =>
                                {
                                    entry(Allows::Predicate(vec![text.clone()]), item.span)
                                }
                                (Kind::String(text), "CORS_ALLOWED_ORIGINS") => AllowedOrigin {
                                    problem: problem(text),
                                    ..entry(Allows::Exact(matched(text)), item.span)
                                },
                                (Kind::String(text), _) => {
                                    entry(Allows::Pattern(text.clone()), item.span)
                                }
                                (Kind::Regex(regex), _) => {
                                    entry(Allows::Pattern(regex.pattern.clone()), item.span)
                                }
                                _ => entry(Allows::Unknown, item.span),
                            });
                        }
                    }
                    if list.open {
                        settings.origins.push(entry(Allows::Unknown, value.span));
                    }
                }
                (_, Kind::Unknown(_)) => {
                    settings.origins.push(entry(Allows::Unknown, value.span));
                }
                _ => {}
            }
        }
    }
    settings.credentials = setting(values.get("CORS_ALLOW_CREDENTIALS"));
    settings.methods = setting(values.get("CORS_ALLOW_METHODS"));
    settings.headers = setting(values.get("CORS_ALLOW_HEADERS"));
    settings.exposed_headers = setting(values.get("CORS_EXPOSE_HEADERS"));
    settings.max_age = setting(values.get("CORS_PREFLIGHT_MAX_AGE"));
    settings.private_network = setting(values.get("CORS_ALLOW_PRIVATE_NETWORK"));
    settings
}

/// Only scheme and network location count: a slash or path behind them does no harm.
fn matched(text: &str) -> String {
    match super::policy::split(text) {
        Some((scheme, place)) if !place.is_empty() && !scheme.is_empty() => {
            format!("{scheme}://{place}")
        }
        _ => text.to_owned(),
    }
}

/// Why no page's origin is ever equal to an entry, as the middleware compares them.
pub(super) fn problem(text: &str) -> Option<OriginProblem> {
    if text == "null" {
        return None;
    }
    match Origin::parse(&matched(text)) {
        Ok(_) => None,
        Err(OriginProblem::TrailingSlash | OriginProblem::Path) => None,
        Err(problem) => Some(problem),
    }
}
