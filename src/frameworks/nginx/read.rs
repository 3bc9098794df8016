//! From the files of a project to sites.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::Nginx;
use super::compile::{Context, compile, maps};
use super::include::{Expanded, Library, expand};
use super::observe::observe;
use crate::frameworks::{Project, Reading};
use crate::source::SourceFile;
use crate::syntax::nginx::{Body, Directive};
use crate::syntax::words::{Content, NGINX};

/// Reads the nginx configurations of a project: one site for each main configuration, and one for
/// each file that nothing includes.
#[must_use]
pub fn read(project: Project<'_>) -> Reading {
    let mut library = Library::new(project.environment);
    let mut reading = Reading::default();
    let mut included = HashSet::new();
    let mut mains = Vec::new();
    let mut alone = Vec::new();
    for file in project.files {
        let parsed = library.parsed(file);
        let context = context(&parsed.directives);
        let expanded = expand(
            file,
            &bases(file, context, &project),
            &project,
            &mut library,
        );
        included.extend(expanded.files.iter().skip(1).map(|file| file.id()));
        if context == Context::Main {
            mains.push((Arc::clone(file), context, expanded));
        } else {
            alone.push((Arc::clone(file), context, expanded));
        }
    }
    // Files that only include one another have to start somewhere.
    let mut roots: Vec<_> = mains;
    let (fragments, free): (Vec<_>, Vec<_>) = alone
        .into_iter()
        .partition(|(file, ..)| included.contains(&file.id()));
    roots.extend(free);
    let mut covered: HashSet<_> = roots
        .iter()
        .flat_map(|(.., expanded)| expanded.files.iter().map(|file| file.id()))
        .collect();
    for fragment in fragments {
        if !covered.contains(&fragment.0.id()) {
            covered.extend(fragment.2.files.iter().map(|file| file.id()));
            roots.push(fragment);
        }
    }
    let with_maps: Vec<_> = roots
        .iter()
        .enumerate()
        .filter(|(_, (_, context, _))| matches!(context, Context::Main | Context::Http))
        .map(|(root, (file, _, expanded))| WithMaps {
            root,
            path: file.path(),
            maps: maps(&expanded.directives).collect(),
        })
        .collect();
    let mut seen = HashSet::new();
    for (at, (file, context, expanded)) in roots.iter().enumerate() {
        for file in &expanded.files {
            if seen.insert(file.id()) {
                reading.files.push(Arc::clone(file));
            }
        }
        for (path, why) in &expanded.unreadable {
            reading.skipped.push((path.clone(), why.to_string()));
        }
        let elsewhere = if *context == Context::Main {
            Vec::new()
        } else {
            nearest_maps(at, file.path(), &with_maps)
        };
        let site = site(file, *context, expanded, &elsewhere, &mut library);
        reading.sites.push(Box::new(site));
    }
    reading
}

/// The maps that may define the variables of a file which nothing includes: for each variable those
/// of the file that lies nearest, and none if several lie equally near.
fn nearest_maps<'a>(root: usize, path: &Path, files: &[WithMaps<'a>]) -> Vec<&'a Directive> {
    let others = || files.iter().filter(|file| file.root != root);
    let mut nearest: HashMap<&str, (usize, Option<usize>)> = HashMap::new();
    for other in others() {
        let pairs = path.components().zip(other.path.components());
        let shared = pairs.take_while(|(one, other)| one == other).count();
        for map in &other.maps {
            let best = nearest.entry(&map.args[1].text).or_default();
            if shared > best.0 {
                *best = (shared, Some(other.root));
            } else if shared == best.0 && best.1 != Some(other.root) {
                best.1 = None;
            }
        }
    }
    let mut found = Vec::new();
    for other in others() {
        let maps = other.maps.iter().copied();
        found.extend(maps.filter(|map| {
            let best = nearest.get(map.args[1].text.as_str());
            best.is_some_and(|best| best.1 == Some(other.root))
        }));
    }
    found
}

/// The maps of a configuration.
struct WithMaps<'a> {
    /// Its place among all.
    root: usize,
    path: &'a Path,
    maps: Vec<&'a Directive>,
}

fn site(
    file: &SourceFile,
    context: Context,
    expanded: &Expanded,
    elsewhere: &[&Directive],
    library: &mut Library,
) -> Nginx {
    let start = crate::source::Span::new(file.id(), 0, 0);
    let config = compile(&expanded.directives, context, start, elsewhere);
    let mut unknowns: Vec<_> = expanded
        .missing
        .iter()
        .map(|(span, path)| (*span, format!("`{path}` is not in view")))
        .collect();
    for level in &config.levels {
        for span in [level.filter, level.foreign].into_iter().flatten() {
            unknowns.push((span, "what this code does is not known".to_owned()));
        }
    }
    let observations = observe(&config, context, expanded, library);
    // What no file of a configuration names, it does not send.
    let mut texts = expanded.files.iter().map(|file| file.text());
    let has_policy = texts.any(|text| NGINX.judge(text.as_bytes()) == Content::Seed);
    Nginx::new(config, observations, unknowns, has_policy)
}

/// What a file is by what stands at its top.
fn context(directives: &[Directive]) -> Context {
    let has = |names: &[&str]| {
        directives
            .iter()
            .any(|directive| names.contains(&directive.name.text.as_str()))
    };
    let block = |name: &str| {
        directives.iter().any(|directive| {
            directive.name.text == name && matches!(directive.body, Body::Block(_))
        })
    };
    let of_location = [
        "if",
        "limit_except",
        "proxy_pass",
        "return",
        "rewrite",
        "set",
    ];
    if block("http") || block("events") || block("stream") || block("mail") {
        Context::Main
    } else if block("server") {
        Context::Http
    } else if has(&["location", "listen", "server_name"]) {
        Context::Server
    } else if !has(&of_location)
        && has(&[
            "map",
            "geo",
            "upstream",
            "split_clients",
            "log_format",
            "limit_req_zone",
            "limit_conn_zone",
            "proxy_cache_path",
            "fastcgi_cache_path",
        ])
    {
        Context::Http
    } else {
        Context::Location
    }
}

/// The folders that the relative paths of a file's includes may start from. A main file's own; a
/// snippet's main file may lie in a folder above it.
fn bases(file: &SourceFile, context: Context, project: &Project<'_>) -> Vec<PathBuf> {
    let own = file.path().parent().unwrap_or(Path::new("")).to_path_buf();
    if context == Context::Main {
        return vec![own];
    }
    let mut bases = vec![own.clone()];
    let above = own.ancestors().skip(1).take(3).map(Path::to_path_buf);
    bases.extend(above.filter(|folder| folder.starts_with(project.root)));
    bases
}
