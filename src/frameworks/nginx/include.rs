//! `include`: puts included files in the place of their directives.

use crate::limits::nginx::MAX_GLOB;
use crate::limits::nginx::MAX_INCLUDE_DEPTH;
use crate::limits::nginx::MAX_REPEATED;
use std::collections::{HashMap, HashSet};
use std::ffi::OsStr;
use std::path::{Component, Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;

use super::dump::Dump;
use super::observe::is_template;
use crate::frameworks::Project;
use crate::model::Environment;
use crate::source::{FileId, SourceFile, Span, Unreadable};
use crate::syntax::nginx::{Body, Directive, Parsed, parse};

/// Folders in which nginx's configuration is installed: an absolute path below one of them means
/// the same file beside the main one.
const INSTALLED: [&str; 8] = [
    "/etc/nginx",
    "/usr/local/etc/nginx",
    "/usr/local/nginx/conf",
    "/usr/local/openresty/nginx/conf",
    "/opt/nginx/conf",
    "/opt/nginx/etc",
    "/opt/bitnami/nginx/conf",
    "/opt/homebrew/etc/nginx",
];

/// Parsed files, each parsed once.
#[derive(Default)]
pub(super) struct Library {
    parsed: HashMap<FileId, Rc<Parsed>>,
    /// What `envsubst` will find.
    environment: Environment,
}

impl Library {
    /// Nothing parsed yet.
    pub(super) fn new(environment: &Environment) -> Self {
        Self {
            parsed: HashMap::new(),
            environment: environment.clone(),
        }
    }

    /// The parsed text of a file.
    pub(super) fn parsed(&mut self, file: &SourceFile) -> Rc<Parsed> {
        let parsed = self.parsed.entry(file.id()).or_insert_with(|| {
            let mut parsed = parse(file);
            if parsed.template || is_template(file.path()) {
                substitute(&mut parsed.directives, &self.environment);
            }
            Rc::new(parsed)
        });
        Rc::clone(parsed)
    }

    /// Every file parsed so far, in no order.
    pub(super) fn all(&self) -> impl Iterator<Item = &Parsed> {
        self.parsed.values().map(Rc::as_ref)
    }
}

/// Puts what is known of the environment into a template's words, as `envsubst` does. A value that
/// would not stay one word stays a placeholder.
fn substitute(directives: &mut [Directive], environment: &Environment) {
    for directive in directives {
        for word in &mut directive.args {
            let is_word = |text: &str| {
                let breaks = |c: char| c.is_whitespace() || matches!(c, ';' | '{' | '}');
                let quotes = |c| matches!(c, '"' | '\'' | '\\');
                !text.contains(quotes)
                    && (word.quoted || !text.is_empty() && !text.contains(breaks))
            };
            let filled = environment.substitute(&word.text, true);
            if let Some(text) = filled.filter(|text| is_word(text)) {
                word.text = text;
            }
        }
        if let Body::Block(inner) = &mut directive.body {
            substitute(inner, environment);
        }
    }
}

/// A configuration with everything that it includes.
#[derive(Default)]
pub(super) struct Expanded {
    /// The directives; an `include` that could not be followed stands as it is.
    pub(super) directives: Vec<Directive>,
    /// The file itself and all that it pulls in.
    pub(super) files: Vec<Arc<SourceFile>>,
    /// Some file is a template.
    pub(super) template: bool,
    /// Includes that lead back to a file that is being read: the place, and which file.
    pub(super) loops: Vec<(Span, String)>,
    /// Includes whose file is not in view.
    pub(super) missing: Vec<(Span, String)>,
    /// Files that are there and could not be read.
    pub(super) unreadable: Vec<(PathBuf, Unreadable)>,
}

/// Reads `file` and what it includes. `bases` are the folders that relative paths may start from;
/// the first in which something is found counts.
pub(super) fn expand(
    file: &Arc<SourceFile>,
    bases: &[PathBuf],
    project: &Project<'_>,
    library: &mut Library,
) -> Expanded {
    let mut expansion = Expansion {
        bases,
        project,
        library,
        stack: vec![file.id()],
        known: HashSet::from([file.id()]),
        repeats: 0,
        budget: MAX_REPEATED,
        dump: None,
        expanded: Expanded::default(),
    };
    let parsed = expansion.library.parsed(file);
    expansion.expanded.files.push(Arc::clone(file));
    expansion.expanded.template = parsed.template;
    let mut directives = Vec::with_capacity(parsed.directives.len());
    match Dump::of(file.text()) {
        None => expansion.level(&parsed.directives, &mut directives),
        Some(dump) => {
            expansion.dump = Some(Dumped {
                dump: Rc::new(dump),
                parsed,
                stack: Vec::new(),
            });
            expansion.section(0, &mut directives);
        }
    }
    let mut expanded = expansion.expanded;
    expanded.directives = directives;
    expanded
}

struct Expansion<'a> {
    bases: &'a [PathBuf],
    project: &'a Project<'a>,
    library: &'a mut Library,
    stack: Vec<FileId>,
    known: HashSet<FileId>,
    /// Files on the stack that were included before.
    repeats: usize,
    /// Directives that they may still add.
    budget: usize,
    /// The file is the output of `nginx -T`: what it includes is in it.
    dump: Option<Dumped>,
    expanded: Expanded,
}

/// The output of `nginx -T` while its files are put together.
struct Dumped {
    dump: Rc<Dump>,
    parsed: Rc<Parsed>,
    /// The files that are being read.
    stack: Vec<usize>,
}

impl Expansion<'_> {
    fn level(&mut self, directives: &[Directive], into: &mut Vec<Directive>) {
        for directive in directives {
            if directive.name.text == "include" && directive.body == Body::None {
                self.include(directive, into);
                continue;
            }
            let body = match &directive.body {
                Body::Block(inner) => {
                    let mut expanded = Vec::with_capacity(inner.len());
                    self.level(inner, &mut expanded);
                    Body::Block(expanded)
                }
                body => body.clone(),
            };
            if self.repeats > 0 {
                if self.budget == 0 {
                    continue;
                }
                self.budget -= 1;
            }
            into.push(Directive {
                name: directive.name.clone(),
                args: directive.args.clone(),
                body,
                span: directive.span,
            });
        }
    }

    fn include(&mut self, directive: &Directive, into: &mut Vec<Directive>) {
        let [word] = directive.args.as_slice() else {
            into.push(directive.clone());
            return;
        };
        let text = word.text.as_str();
        if let Some(dumped) = &self.dump {
            let sections = dumped.dump.find(text);
            for section in sections.iter().copied() {
                self.section(section, into);
            }
            if sections.is_empty() && !is_glob(text) {
                self.expanded.missing.push((word.span, text.to_owned()));
                into.push(directive.clone());
            }
            return;
        }
        let files = if super::complex::has_placeholder(text) || text.contains("${") {
            Vec::new()
        } else {
            self.resolve(text)
        };
        let Some(files) = (!files.is_empty()).then_some(files) else {
            if !self.is_empty_glob(text) {
                self.expanded.missing.push((word.span, text.to_owned()));
                into.push(directive.clone());
            }
            return;
        };
        for file in files {
            if self.stack.contains(&file.id()) {
                let name = file.path().display().to_string();
                self.expanded.loops.push((word.span, name));
                continue;
            }
            let repeated = self.known.contains(&file.id());
            if self.stack.len() >= MAX_INCLUDE_DEPTH || repeated && self.budget == 0 {
                self.expanded.missing.push((word.span, text.to_owned()));
                into.push(directive.clone());
                return;
            }
            if self.known.insert(file.id()) {
                self.expanded.files.push(Arc::clone(&file));
            }
            let parsed = self.library.parsed(&file);
            self.expanded.template |= parsed.template;
            self.stack.push(file.id());
            self.repeats += usize::from(repeated);
            self.level(&parsed.directives, into);
            self.repeats -= usize::from(repeated);
            self.stack.pop();
        }
    }

    /// One file of a dump. nginx would not have written a dump with a loop.
    fn section(&mut self, section: usize, into: &mut Vec<Directive>) {
        let Some(dumped) = &mut self.dump else { return };
        if dumped.stack.contains(&section) || dumped.stack.len() >= MAX_INCLUDE_DEPTH {
            return;
        }
        dumped.stack.push(section);
        let (dump, parsed) = (Rc::clone(&dumped.dump), Rc::clone(&dumped.parsed));
        // A file that others include often stands in a dump once.
        self.repeats += 1;
        self.level(dump.directives(section, &parsed.directives), into);
        self.repeats -= 1;
        if let Some(dumped) = &mut self.dump {
            dumped.stack.pop();
        }
    }

    /// The files that a path or glob means, in nginx's order.
    fn resolve(&mut self, text: &str) -> Vec<Arc<SourceFile>> {
        for candidate in self.candidates(text) {
            let paths = if is_glob(text) {
                self.glob(&candidate)
            } else {
                vec![candidate]
            };
            let mut files = Vec::new();
            for path in paths {
                match self.project.sources.load(&path) {
                    Ok(file) => files.push(file),
                    Err(Unreadable::Io(_) | Unreadable::NotAFile) => {}
                    Err(why) => self.expanded.unreadable.push((path, why)),
                }
            }
            if !files.is_empty() {
                return files;
            }
        }
        Vec::new()
    }

    /// Where an argument of `include` may point.
    fn candidates(&self, text: &str) -> Vec<PathBuf> {
        let path = Path::new(text);
        if !path.is_absolute() {
            return self
                .bases
                .iter()
                .map(|base| clean(&base.join(path)))
                .collect();
        }
        let mut candidates = Vec::new();
        // A path on this machine counts only inside the project.
        let root = std::path::absolute(self.project.root);
        if let Ok(root) = root
            && let Ok(rest) = path.strip_prefix(&root)
        {
            candidates.push(clean(&self.project.root.join(rest)));
        }
        for folder in INSTALLED {
            if let Ok(rest) = path.strip_prefix(folder) {
                candidates.extend(self.bases.iter().map(|base| clean(&base.join(rest))));
            }
        }
        candidates
    }

    /// A glob in a folder that is in view and holds nothing of the kind: nothing is missing.
    fn is_empty_glob(&self, text: &str) -> bool {
        is_glob(text)
            && self.candidates(text).iter().any(|candidate| {
                candidate
                    .parent()
                    .is_some_and(|folder| !is_glob(&folder.to_string_lossy()) && folder.is_dir())
            })
    }

    /// Paths that match a glob, bytewise sorted: files on disk, and files of the project.
    fn glob(&self, pattern: &Path) -> Vec<PathBuf> {
        let mut found = vec![PathBuf::new()];
        for component in pattern.components() {
            let mut next = Vec::new();
            for base in &found {
                match component {
                    Component::Normal(name) if is_glob(&name.to_string_lossy()) => {
                        let folder = if base.as_os_str().is_empty() {
                            Path::new(".")
                        } else {
                            base
                        };
                        let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
                        for entry in entries.take(MAX_GLOB) {
                            if is_like(name, &entry.file_name()) {
                                next.push(base.join(entry.file_name()));
                            }
                        }
                    }
                    component => next.push(base.join(component)),
                }
            }
            next.truncate(MAX_GLOB);
            found = next;
        }
        let known = self.project.files.iter().map(|file| file.path());
        found.extend(
            known
                .filter(|path| {
                    path.components().count() == pattern.components().count()
                        && path
                            .components()
                            .zip(pattern.components())
                            .all(|(own, glob)| is_like(glob.as_os_str(), own.as_os_str()))
                })
                .map(Path::to_path_buf),
        );
        found.sort_by(|a, b| {
            let bytes = |path: &PathBuf| path.as_os_str().as_encoded_bytes().to_vec();
            bytes(a).cmp(&bytes(b))
        });
        found.dedup();
        found
    }
}

/// Removes `.` and resolves `..` by name, so that one file has one path.
pub(super) fn clean(path: &Path) -> PathBuf {
    let mut clean = PathBuf::new();
    for component in path.components() {
        match component {
            Component::ParentDir
                if matches!(clean.components().next_back(), Some(Component::Normal(_))) =>
            {
                clean.pop();
            }
            component => clean.push(component),
        }
    }
    clean
}

pub(super) fn is_glob(text: &str) -> bool {
    text.contains(['*', '?', '['])
}

/// glob(7) for one name: `*`, `?`, `[…]`; a leading dot must be written.
pub(super) fn is_like(pattern: &OsStr, name: &OsStr) -> bool {
    let (pattern, name) = (pattern.as_encoded_bytes(), name.as_encoded_bytes());
    if name.first() == Some(&b'.') && pattern.first() != Some(&b'.') {
        return false;
    }
    // Where to go on after the last star, in pattern and name.
    let mut retry = None;
    let (mut p, mut n) = (0, 0);
    loop {
        match pattern.get(p) {
            None if n == name.len() => return true,
            Some(b'*') => {
                retry = Some((p + 1, n));
                p += 1;
                continue;
            }
            Some(b'?') if n < name.len() => {
                (p, n) = (p + 1, n + 1);
                continue;
            }
            Some(b'[') if n < name.len() => {
                if let Some((met, end)) = class(&pattern[p + 1..], name[n]) {
                    if met {
                        (p, n) = (p + 1 + end, n + 1);
                        continue;
                    }
                } else if name[n] == b'[' {
                    (p, n) = (p + 1, n + 1);
                    continue;
                }
            }
            Some(byte) if name.get(n) == Some(byte) => {
                (p, n) = (p + 1, n + 1);
                continue;
            }
            _ => {}
        }
        match retry {
            Some((after, from)) if from < name.len() => {
                retry = Some((after, from + 1));
                (p, n) = (after, from + 1);
            }
            _ => return false,
        }
    }
}

/// Is `byte` in the bracket expression whose inside `pattern` starts with? Also says where it ends.
fn class(pattern: &[u8], byte: u8) -> Option<(bool, usize)> {
    let negated = matches!(pattern.first(), Some(b'!' | b'^'));
    let mut at = usize::from(negated);
    let mut met = false;
    let start = at;
    while pattern.get(at) != Some(&b']') || at == start {
        let low = *pattern.get(at)?;
        let high = match (pattern.get(at + 1), pattern.get(at + 2)) {
            (Some(b'-'), Some(high)) if *high != b']' => {
                at += 2;
                *high
            }
            _ => low,
        };
        met |= (low..=high).contains(&byte);
        at += 1;
    }
    Some((met != negated, at + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn globs_are_those_of_the_c_library() {
        let meets = |pattern: &str, name: &str| is_like(OsStr::new(pattern), OsStr::new(name));
        for (pattern, name) in [
            ("*.conf", "a.conf"),
            ("*", "a"),
            ("a*c*e", "abcde"),
            ("?.conf", "1.conf"),
            ("[a-c]x", "bx"),
            ("[!a-c]x", "dx"),
            ("[]]", "]"),
            (".*", ".a"),
        ] {
            assert!(meets(pattern, name), "{pattern} {name}");
        }
        for (pattern, name) in [
            ("*.conf", ".a.conf"),
            ("*.conf", "a.conf.bak"),
            ("?.conf", ".conf"),
            ("[a-c]x", "dx"),
            ("{a,b}", "a"),
            ("a", "ab"),
        ] {
            assert!(!meets(pattern, name), "{pattern} {name}");
        }
    }
}
