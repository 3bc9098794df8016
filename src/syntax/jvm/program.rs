//! The classes of a project, and what names in it stand for.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::ast::{Class, ClassKind, Field, Import, Method, Name, Unit, join, simple};
use crate::limits::jvm::program::{MAX_ANCESTORS, MAX_FOLDERS, MAX_LOADED};
use crate::source::{FileId, SourceFile, Sources, Span};

/// The classes of a project. Files that were not given are read when a name leads to them.
#[derive(Debug)]
pub struct Program {
    root: PathBuf,
    given: usize,
    index: Mutex<Index>,
}

#[derive(Debug, Default)]
struct Index {
    units: Vec<Arc<Unit>>,
    by_file: HashMap<FileId, usize>,
    classes: HashMap<Name, Arc<Class>>,
    /// What Kotlin files of a package declare outside classes.
    files: HashMap<Name, Vec<Arc<Class>>>,
    /// The folders of a package.
    folders: HashMap<Name, Vec<PathBuf>>,
    /// Folders in which packages start.
    roots: Vec<PathBuf>,
    /// All modules were looked for.
    searched: bool,
    missing: HashSet<Name>,
    /// The first two segments of the packages of the project.
    own: HashSet<String>,
    /// What classes extend, by their places.
    ancestries: HashMap<Span, Arc<Vec<Arc<Class>>>>,
    /// The same as far as it is in view, until more is.
    ancestries_in_view: HashMap<Span, Arc<Vec<Arc<Class>>>>,
    /// The given classes that extend or implement a type of this simple name.
    descendants: HashMap<Name, Arc<[Arc<Class>]>>,
    tried: HashSet<PathBuf>,
    /// The names of the source files in a folder.
    listed: HashMap<PathBuf, Arc<HashSet<String>>>,
    loaded: usize,
    /// Files whose parse would take too much work.
    given_up: Vec<PathBuf>,
}

/// Parses a file by the language of its name.
fn parse(file: &Arc<SourceFile>) -> Option<Unit> {
    match file.path().extension()?.to_str()? {
        "java" => crate::syntax::java::parse(file),
        "kt" => crate::syntax::kotlin::parse(file),
        _ => None,
    }
}

/// Is it a file that [`parse`] knows the language of?
fn is_source(path: &Path) -> bool {
    path.extension()
        .is_some_and(|ending| ending == "java" || ending == "kt")
}

impl Program {
    /// The classes of the `.java` and `.kt` files among `files`; `root` is the folder below which
    /// others may be read.
    #[must_use]
    pub fn new(root: &Path, files: &[Arc<SourceFile>]) -> Self {
        let mut index = Index::default();
        for file in files {
            if let Some(unit) = parse(file) {
                index.tried.insert(file.path().to_path_buf());
                index.add(unit);
            } else if is_source(file.path()) {
                index.given_up.push(file.path().to_path_buf());
            }
        }
        Self {
            root: root.to_path_buf(),
            given: index.units.len(),
            index: Mutex::new(index),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Index> {
        self.index.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The given files, in their order.
    #[must_use]
    pub fn given(&self) -> Vec<Arc<Unit>> {
        self.lock().units[..self.given].to_vec()
    }

    /// The files that would take too much work to parse, so that what they declare is not in view.
    #[must_use]
    pub fn given_up(&self) -> Vec<PathBuf> {
        self.lock().given_up.clone()
    }

    /// All files that were read.
    #[must_use]
    pub fn units(&self) -> Vec<Arc<Unit>> {
        self.lock().units.clone()
    }

    /// The classes of the given files, those inside others included.
    #[must_use]
    pub fn classes(&self) -> Vec<Arc<Class>> {
        let mut result = Vec::new();
        for unit in &self.lock().units[..self.given] {
            for class in &unit.classes {
                nested(class, &mut result);
            }
        }
        result
    }

    /// The file that a place is in.
    #[must_use]
    pub fn unit(&self, at: Span) -> Option<Arc<Unit>> {
        let index = self.lock();
        let place = *index.by_file.get(&at.file)?;
        index.units.get(place).cloned()
    }

    /// A class by its full path. With `sources`, its file is read if that was not done yet.
    #[must_use]
    pub fn class(&self, path: &str, sources: Option<&Sources>) -> Option<Arc<Class>> {
        let mut index = self.lock();
        index.find(path, &self.root, sources)
    }

    /// The full path of a type or class name as written at a place. Of what is not in the project:
    /// `org.x.Y` by its import, `*.Y` if no import names it.
    #[must_use]
    pub fn resolve(&self, at: Span, name: &str, sources: Option<&Sources>) -> Name {
        let mut index = self.lock();
        index.resolve(at, name, &self.root, sources)
    }

    /// The project's class that a name at a place stands for.
    #[must_use]
    pub fn class_at(&self, at: Span, name: &str, sources: Option<&Sources>) -> Option<Arc<Class>> {
        if name.is_empty() {
            return None;
        }
        let path = self.resolve(at, name, sources);
        self.class(&path, sources)
    }

    /// The project's superclass of a class.
    #[must_use]
    pub fn superclass(&self, class: &Class, sources: Option<&Sources>) -> Option<Arc<Class>> {
        let parent = class.superclass.as_ref()?;
        self.class_at(parent.span, &parent.name, sources)
            .filter(|parent| parent.span != class.span)
    }

    /// A class, its superclasses and interfaces as far as the project has them, nearest first.
    #[must_use]
    pub fn ancestry(&self, class: &Arc<Class>, sources: Option<&Sources>) -> Vec<Arc<Class>> {
        self.lineage(class, sources).to_vec()
    }

    fn lineage(&self, class: &Arc<Class>, sources: Option<&Sources>) -> Arc<Vec<Arc<Class>>> {
        {
            let index = self.lock();
            let mut known = index.ancestries.get(&class.span);
            if sources.is_none() {
                known = known.or_else(|| index.ancestries_in_view.get(&class.span));
            }
            if let Some(known) = known {
                return Arc::clone(known);
            }
        }
        let result = Arc::new(self.climbed(class, sources));
        let mut index = self.lock();
        // Without sources, a class may be missing that is found later.
        let known = match sources {
            Some(_) => &mut index.ancestries,
            None => &mut index.ancestries_in_view,
        };
        known.insert(class.span, Arc::clone(&result));
        result
    }

    fn climbed(&self, class: &Arc<Class>, sources: Option<&Sources>) -> Vec<Arc<Class>> {
        let mut result = vec![Arc::clone(class)];
        let mut at = 0;
        while at < result.len() && result.len() < MAX_ANCESTORS {
            let class = Arc::clone(&result[at]);
            let parents = class.superclass.iter().chain(&class.interfaces);
            for parent in parents {
                if let Some(found) = self.class_at(parent.span, &parent.name, sources)
                    && !result.iter().any(|known| known.span == found.span)
                {
                    result.push(found);
                }
            }
            at += 1;
        }
        result
    }

    /// Does a class extend or implement a type of this simple name, be it directly or through
    /// classes of the project?
    #[must_use]
    pub fn is_a(&self, class: &Arc<Class>, name: &str, sources: Option<&Sources>) -> bool {
        self.lineage(class, sources).iter().any(|class| {
            let mut parents = class.superclass.iter().chain(&class.interfaces);
            &*class.name == name || parents.any(|parent| parent.simple() == name)
        })
    }

    /// The classes of the given files that extend or implement a type of this simple name, or have
    /// it themselves.
    #[must_use]
    pub fn descendants(&self, name: &Name, sources: Option<&Sources>) -> Arc<[Arc<Class>]> {
        if let Some(known) = self.lock().descendants.get(name) {
            return Arc::clone(known);
        }
        let mut classes = self.classes();
        classes.retain(|class| self.is_a(class, name, sources));
        let classes: Arc<[Arc<Class>]> = classes.into();
        if sources.is_some() {
            let mut index = self.lock();
            index
                .descendants
                .insert(Arc::clone(name), Arc::clone(&classes));
        }
        classes
    }

    /// A method by name and number of arguments, in the class or what it extends. With several
    /// of them, the first.
    #[must_use]
    pub fn method(
        &self,
        class: &Arc<Class>,
        name: &str,
        args: Option<usize>,
        sources: Option<&Sources>,
    ) -> Option<(Arc<Class>, Arc<Method>)> {
        let fits = |method: &Method| {
            args.is_none_or(|args| {
                let needed = method
                    .params
                    .iter()
                    .filter(|param| param.default.is_none() && !param.varargs)
                    .count();
                let many = method.params.last().is_some_and(|param| param.varargs);
                args >= needed && (many || args <= method.params.len())
            })
        };
        let mut without_body = None;
        for class in self.lineage(class, sources).iter() {
            let mut methods = class.methods.iter();
            let found = methods.find(|method| &*method.name == name && fits(method));
            if let Some(method) = found {
                if method.body.is_some() {
                    return Some((Arc::clone(class), Arc::clone(method)));
                }
                without_body =
                    without_body.or_else(|| Some((Arc::clone(class), Arc::clone(method))));
            }
        }
        without_body
    }

    /// The field of a name, in the class or what it extends.
    #[must_use]
    pub fn field(
        &self,
        class: &Arc<Class>,
        name: &str,
        sources: Option<&Sources>,
    ) -> Option<(Arc<Class>, Arc<Field>)> {
        self.lineage(class, sources).iter().find_map(|class| {
            let field = class.field(name).cloned()?;
            Some((Arc::clone(class), field))
        })
    }

    /// The classes around a place, innermost first.
    #[must_use]
    pub fn around(&self, at: Span) -> Vec<Arc<Class>> {
        self.lock().around(at)
    }

    /// Kotlin: what files of a package declare outside classes, if one of them has this name.
    #[must_use]
    pub fn outside(
        &self,
        package: &str,
        name: &str,
        sources: Option<&Sources>,
    ) -> Option<Arc<Class>> {
        let mut index = self.lock();
        index.outside(package, name, &self.root, sources)
    }
}

fn nested(class: &Arc<Class>, result: &mut Vec<Arc<Class>>) {
    result.push(Arc::clone(class));
    for class in &class.nested {
        nested(class, result);
    }
}

impl Index {
    fn add(&mut self, unit: Unit) {
        self.ancestries_in_view.clear();
        let place = self.units.len();
        let unit = Arc::new(unit);
        self.own.insert(start(&unit.package).to_owned());
        self.by_file.insert(unit.file.id(), place);
        for class in &unit.classes {
            let mut all = Vec::new();
            nested(class, &mut all);
            for class in all {
                if class.kind == ClassKind::File {
                    let files = self.files.entry(Arc::clone(&unit.package)).or_default();
                    files.push(class);
                } else {
                    self.missing.remove(&class.path);
                    let path = Arc::clone(&class.path);
                    self.classes.entry(path).or_insert(class);
                }
            }
        }
        if let Some(folder) = unit.file.path().parent() {
            let folders = self.folders.entry(Arc::clone(&unit.package)).or_default();
            if !folders.iter().any(|known| known == folder) {
                folders.push(folder.to_path_buf());
            }
            let depth = unit
                .package
                .split('.')
                .filter(|part| !part.is_empty())
                .count();
            let path: PathBuf = unit.package.split('.').collect();
            if folder.ends_with(&path)
                && let Some(root) = folder.ancestors().nth(depth)
                && !self.roots.iter().any(|known| known == root)
            {
                self.roots.push(root.to_path_buf());
            }
        }
        self.units.push(unit);
    }

    /// Is it a package whose first segments are those of a package of the project?
    fn is_own(&self, package: &str) -> bool {
        self.own.contains(start(package))
    }

    fn find(&mut self, path: &str, root: &Path, sources: Option<&Sources>) -> Option<Arc<Class>> {
        if let Some(class) = self.classes.get(path) {
            return Some(Arc::clone(class));
        }
        let sources = sources?;
        if path.starts_with('*') || self.missing.contains(path) {
            return None;
        }
        let is_class = |part: &&str| part.starts_with(|c: char| c.is_uppercase());
        let parts: Vec<&str> = path.split('.').collect();
        let at = parts.iter().position(is_class);
        let at = at.unwrap_or(parts.len().saturating_sub(1));
        let package = parts[..at].join(".");
        if self.is_own(&package) {
            self.load(&package, parts[at], root, sources);
        }
        let found = self.classes.get(path).cloned();
        if found.is_none() {
            self.missing.insert(path.into());
        }
        found
    }

    /// Reads the file that declares a name of a package, if there is one.
    fn load(&mut self, package: &str, name: &str, root: &Path, sources: &Sources) {
        let mut folders = self.folders_of(package);
        if !self.load_from(&folders, name, sources) && !self.searched {
            self.searched = true;
            self.search(root);
            folders = self.folders_of(package);
            self.load_from(&folders, name, sources);
        }
    }

    fn folders_of(&self, package: &str) -> Vec<PathBuf> {
        let mut folders = self.folders.get(package).cloned().unwrap_or_default();
        let path: PathBuf = package.split('.').collect();
        for root in &self.roots {
            let folder = root.join(&path);
            if !folders.contains(&folder) {
                folders.push(folder);
            }
        }
        folders
    }

    fn load_from(&mut self, folders: &[PathBuf], name: &str, sources: &Sources) -> bool {
        for folder in folders {
            let listed = self.list(folder);
            for ending in ["java", "kt"] {
                let file = format!("{name}.{ending}");
                if listed.contains(&file) && self.read(&folder.join(file), sources) {
                    return true;
                }
            }
            // A Kotlin file may be called anything.
            let mut others: Vec<&String> =
                listed.iter().filter(|file| file.ends_with(".kt")).collect();
            others.sort();
            let mut found = false;
            for file in others {
                let path = folder.join(file);
                if !self.tried.contains(&path)
                    && sources
                        .load(&path)
                        .is_ok_and(|file| declares(file.text(), name))
                {
                    found |= self.read(&path, sources);
                }
            }
            if found {
                return true;
            }
        }
        false
    }

    fn list(&mut self, folder: &Path) -> Arc<HashSet<String>> {
        if let Some(known) = self.listed.get(folder) {
            return Arc::clone(known);
        }
        let mut names = HashSet::new();
        if self.listed.len() < MAX_FOLDERS
            && let Ok(entries) = std::fs::read_dir(folder)
        {
            let files = entries.flatten().map(|entry| entry.file_name());
            names.extend(
                files
                    .filter_map(|name| name.into_string().ok())
                    .filter(|name| name.ends_with(".java") || name.ends_with(".kt")),
            );
        }
        let names = Arc::new(names);
        self.listed.insert(folder.to_path_buf(), Arc::clone(&names));
        names
    }

    fn read(&mut self, path: &Path, sources: &Sources) -> bool {
        if !self.tried.insert(path.to_path_buf()) || self.loaded >= MAX_LOADED {
            return false;
        }
        self.loaded += 1;
        let Ok(file) = sources.load(path) else {
            return false;
        };
        match parse(&file) {
            Some(unit) if !self.by_file.contains_key(&unit.file.id()) => {
                self.add(unit);
                true
            }
            Some(_) => false,
            None => {
                self.given_up.push(path.to_path_buf());
                false
            }
        }
    }

    /// Finds the folders in which packages of any module start.
    fn search(&mut self, root: &Path) {
        let mut folders = vec![(root.to_path_buf(), 0)];
        let mut seen = 0;
        while let Some((folder, depth)) = folders.pop() {
            seen += 1;
            if seen > MAX_FOLDERS {
                return;
            }
            for language in ["java", "kotlin"] {
                let source = folder.join("src/main").join(language);
                if source.is_dir() && !self.roots.contains(&source) {
                    self.roots.push(source);
                }
            }
            let Ok(entries) = std::fs::read_dir(&folder) else {
                continue;
            };
            if depth >= 3 {
                continue;
            }
            let mut inner: Vec<PathBuf> = entries
                .flatten()
                .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()))
                .filter(|entry| {
                    let name = entry.file_name();
                    let name = name.to_string_lossy();
                    !name.starts_with('.')
                        && !matches!(&*name, "src" | "node_modules" | "target" | "build" | "out")
                })
                .map(|entry| entry.path())
                .collect();
            inner.sort();
            folders.extend(inner.into_iter().rev().map(|folder| (folder, depth + 1)));
        }
    }

    fn around(&self, at: Span) -> Vec<Arc<Class>> {
        let mut result = Vec::new();
        let Some(unit) = self.by_file.get(&at.file).map(|place| &self.units[*place]) else {
            return result;
        };
        let holds = |class: &&Arc<Class>| class.span.start <= at.start && at.end <= class.span.end;
        let outside = |class: &&Arc<Class>| class.kind != ClassKind::File;
        let mut classes = &unit.classes;
        while let Some(class) = classes.iter().filter(outside).find(holds) {
            result.insert(0, Arc::clone(class));
            classes = &class.nested;
        }
        result
    }

    fn resolve(&mut self, at: Span, name: &str, root: &Path, sources: Option<&Sources>) -> Name {
        if let Some((first, rest)) = name.split_once('.') {
            if first.starts_with(|c: char| c.is_lowercase()) {
                return name.into();
            }
            let first = self.resolve(at, first, root, sources);
            return format!("{first}.{rest}").into();
        }
        for class in self.around(at) {
            if &*class.name == name {
                return Arc::clone(&class.path);
            }
            if let Some(inner) = class.nested.iter().find(|inner| &*inner.name == name) {
                return Arc::clone(&inner.path);
            }
        }
        let Some(unit) = self.by_file.get(&at.file) else {
            return format!("*.{name}").into();
        };
        let unit = Arc::clone(&self.units[*unit]);
        if let Some(class) = unit.classes.iter().find(|class| &*class.name == name) {
            return Arc::clone(&class.path);
        }
        let named = |import: &&Import| import.name() == Some(name);
        if let Some(import) = unit.imports.iter().find(named) {
            return Arc::clone(&import.path);
        }
        let same = join(&unit.package, name);
        if self.find(&same, root, sources).is_some() {
            return same;
        }
        for import in unit.imports.iter().filter(|import| import.wildcard) {
            let path = join(&import.path, name);
            if self.find(&path, root, sources).is_some() {
                return path;
            }
        }
        format!("*.{name}").into()
    }

    fn outside(
        &mut self,
        package: &str,
        name: &str,
        root: &Path,
        sources: Option<&Sources>,
    ) -> Option<Arc<Class>> {
        let has = |class: &&Arc<Class>| class.method(name).is_some() || class.field(name).is_some();
        let known = |index: &Self| index.files.get(package)?.iter().find(has).cloned();
        if let Some(class) = known(self) {
            return Some(class);
        }
        let sources = sources?;
        let key: Name = format!("{package}.{name}()").into();
        if !self.missing.insert(key) || !self.is_own(package) {
            return None;
        }
        self.load(package, name, root, sources);
        known(self)
    }
}

/// The first two segments of a package.
fn start(package: &str) -> &str {
    let mut dots = package.match_indices('.');
    dots.nth(1).map_or(package, |(at, _)| &package[..at])
}

/// Does a Kotlin text declare this name, roughly?
fn declares(text: &str, name: &str) -> bool {
    text.match_indices(name).any(|(at, _)| {
        let before = text[..at].trim_end_matches([' ', '.']);
        let after = text[at + name.len()..].chars().next();
        ["class", "interface", "object", "fun", "val", "typealias"]
            .iter()
            .any(|word| before.ends_with(word))
            && !after.is_some_and(|c| c.is_alphanumeric() || c == '_')
    })
}

/// Is this, by its last segment, the library's class of this name?
#[must_use]
pub fn is_named(path: &str, name: &str) -> bool {
    simple(path) == name
}
