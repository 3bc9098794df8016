//! Modules: finding, loading, importing, exporting.

use std::collections::HashMap;
use std::path::{Component, Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use super::heap::{Id, ObjectKind, V, Val};
use super::{Abrupt, Host, Machine, Result};
use crate::limits::javascript::modules::{MAX_BYTES, MAX_EXTENDS, MAX_FILES, MAX_FOLDERS};
use crate::model::Environment;
use crate::source::{Folders, SourceFile, Sources, Span};
use crate::syntax::javascript::ast::{Export, Import, Module, Name, Stmt};
use crate::syntax::javascript::{EXTENSIONS, parse};

/// The files of a project, parsed at most once.
#[derive(Debug, Default)]
pub struct Library {
    root: PathBuf,
    folders: Arc<Folders>,
    files: Mutex<HashMap<PathBuf, Option<Loaded>>>,
    texts: Mutex<HashMap<crate::source::FileId, Arc<SourceFile>>>,
    /// `paths` of the project's tsconfig.json: prefix, whether it ended in `*`, folder or file.
    aliases: Vec<(String, bool, PathBuf)>,
    base: Option<PathBuf>,
    /// What `process.env` is known to hold.
    pub(super) environment: Environment,
}

/// A file and what it says.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The text.
    pub file: Arc<SourceFile>,
    /// The syntax.
    pub module: Arc<Module>,
}

impl Library {
    /// The library of the project at `root`, whose files are among `sources`.
    #[must_use]
    pub fn new(root: &Path, sources: &Sources) -> Self {
        let mut library = Self {
            root: root.to_path_buf(),
            folders: Arc::clone(sources.folders()),
            ..Self::default()
        };
        let names = ["tsconfig.json", "jsconfig.json"];
        let mut configs = root
            .ancestors()
            .take(MAX_FOLDERS)
            .flat_map(|folder| names.map(|name| folder.join(name)));
        if let Some(path) = configs.find(|path| library.folders.is_file(path)) {
            library.read_paths(&Compiler::read(&path, MAX_EXTENDS));
        }
        library
    }

    /// The same library, whose programs will find this in `process.env`.
    #[must_use]
    pub fn with_environment(self, environment: &Environment) -> Self {
        Self {
            environment: environment.clone(),
            ..self
        }
    }

    fn read_paths(&mut self, compiler: &Compiler) {
        let Some((paths, folder)) = &compiler.paths else {
            self.base.clone_from(&compiler.base);
            return;
        };
        let base = compiler.base.as_ref().unwrap_or(folder);
        for (pattern, targets) in paths.as_object().into_iter().flatten() {
            let Some(target) = targets[0].as_str() else {
                continue;
            };
            let star = pattern.ends_with('*');
            let prefix = pattern.trim_end_matches('*').to_owned();
            let target = base.join(target.trim_end_matches('*'));
            self.aliases.push((prefix, star, clean(&target)));
        }
        self.base.clone_from(&compiler.base);
    }

    /// The source text of a span of a loaded file.
    pub(super) fn text(&self, span: Span) -> String {
        let texts = self.texts.lock().unwrap_or_else(PoisonError::into_inner);
        let file = texts.get(&span.file);
        file.map_or_else(String::new, |file| file.slice(span).to_owned())
    }

    /// The path of a loaded file.
    pub(super) fn path(&self, span: Span) -> Option<PathBuf> {
        let texts = self.texts.lock().unwrap_or_else(PoisonError::into_inner);
        texts.get(&span.file).map(|file| file.path().to_path_buf())
    }

    /// The files that were read.
    #[must_use]
    pub fn files(&self) -> Vec<Arc<SourceFile>> {
        let files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        let loaded = files.values().flatten();
        loaded.map(|loaded| Arc::clone(&loaded.file)).collect()
    }

    /// A file of the project.
    pub fn load(&self, path: &Path, sources: &Sources) -> Option<Loaded> {
        let path = clean(path);
        let mut files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = files.get(&path) {
            return known.clone();
        }
        if files.len() >= MAX_FILES {
            return None;
        }
        let file = sources.load(&path).ok();
        let file = file.filter(|file| file.text().len() <= MAX_BYTES);
        let loaded = file.and_then(|file| {
            let mut texts = self.texts.lock().unwrap_or_else(PoisonError::into_inner);
            texts.insert(file.id(), Arc::clone(&file));
            let module = if path.extension().is_some_and(|text| text == "json") {
                Module {
                    body: Vec::new(),
                    span: file.span(),
                    has_errors: false,
                }
            } else {
                parse(&file)?
            };
            let module = Arc::new(module);
            Some(Loaded { file, module })
        });
        files.insert(path, loaded.clone());
        loaded
    }

    /// The file that an import means, if it belongs to the project.
    fn resolve(&self, from: &Path, source: &str) -> Option<PathBuf> {
        let folder = from.parent().unwrap_or(&self.root);
        if source.starts_with('.') {
            return self.find(&clean(&folder.join(source)));
        }
        for (prefix, star, target) in &self.aliases {
            if *star && source.starts_with(prefix.as_str()) {
                let found = self.find(&clean(&target.join(&source[prefix.len()..])));
                if found.is_some() {
                    return found;
                }
            } else if source == prefix {
                return self.find(target);
            }
        }
        if let Some(base) = &self.base {
            return self.find(&clean(&base.join(source)));
        }
        None
    }

    /// The file of a module's path: itself, with an ending, or the folder's index.
    fn find(&self, path: &Path) -> Option<PathBuf> {
        let named = |path: PathBuf| self.folders.is_file(&path).then_some(path);
        let with = |path: &Path, ending: &str| {
            let mut name = path.as_os_str().to_owned();
            name.push(".");
            name.push(ending);
            named(PathBuf::from(name))
        };
        let known = |path: &Path| {
            let extension = path.extension().and_then(|text| text.to_str());
            extension.is_some_and(|text| EXTENSIONS.contains(&text) || text == "json")
        };
        if known(path) && self.folders.is_file(path) {
            return Some(path.to_path_buf());
        }
        // TypeScript imports `./a.js` where the file is `a.ts`.
        for (written, real) in [("js", "ts"), ("js", "tsx"), ("mjs", "mts"), ("cjs", "cts")] {
            if path.extension().is_some_and(|text| text == written) {
                let found = named(path.with_extension(real));
                if found.is_some() {
                    return found;
                }
            }
        }
        let endings = || EXTENSIONS.iter().copied().chain(["json"]);
        endings()
            .find_map(|ending| with(path, ending))
            .or_else(|| endings().find_map(|ending| with(&path.join("index"), ending)))
    }
}

/// `a/./b/../c` is `a/c`.
fn clean(path: &Path) -> PathBuf {
    let mut result = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir if result.file_name().is_some() => {
                result.pop();
            }
            other => result.push(other),
        }
    }
    result
}

/// What tsconfig.json says about modules, and those that it extends.
#[derive(Debug, Default)]
struct Compiler {
    /// `paths`, and the folder of the file that they stand in.
    paths: Option<(serde_json::Value, PathBuf)>,
    /// `baseUrl`.
    base: Option<PathBuf>,
}

impl Compiler {
    /// `left`: how many files may still be read behind one another.
    fn read(path: &Path, left: u32) -> Self {
        let text = crate::source::read_text(path).ok();
        let config = text.and_then(|text| json(&text));
        let (Some(config), Some(folder), 1..) = (config, path.parent(), left) else {
            return Self::default();
        };
        let mut found = Self::default();
        let extended = match &config["extends"] {
            serde_json::Value::Array(list) => list.iter().collect(),
            one => vec![one],
        };
        // What comes later wins. Packages are not looked into.
        let extended = extended.into_iter().filter_map(serde_json::Value::as_str);
        for name in extended.filter(|name| name.starts_with('.')) {
            let mut path = clean(&folder.join(name));
            if !path.is_file() {
                path.as_mut_os_string().push(".json");
            }
            let other = Self::read(&path, left - 1);
            found.paths = other.paths.or(found.paths);
            found.base = other.base.or(found.base);
        }
        let options = &config["compilerOptions"];
        if let Some(base) = options["baseUrl"].as_str() {
            found.base = Some(clean(&folder.join(base)));
        }
        if options["paths"].is_object() {
            found.paths = Some((options["paths"].clone(), folder.to_path_buf()));
        }
        found
    }
}

/// JSON with comments and trailing commas, as in tsconfig.json.
fn json(text: &str) -> Option<serde_json::Value> {
    let mut plain = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    let mut in_string = false;
    while let Some(next) = chars.next() {
        match next {
            '"' => {
                in_string = !in_string;
                plain.push(next);
            }
            '\\' if in_string => {
                plain.push(next);
                plain.extend(chars.next());
            }
            '/' if !in_string && chars.peek() == Some(&'/') => {
                while chars.next_if(|c| *c != '\n').is_some() {}
            }
            '/' if !in_string && chars.peek() == Some(&'*') => {
                let mut last = ' ';
                chars.next();
                for c in chars.by_ref() {
                    if last == '*' && c == '/' {
                        break;
                    }
                    last = c;
                }
            }
            '}' | ']' if !in_string => {
                let kept = plain.trim_end().trim_end_matches(',').len();
                plain.truncate(kept);
                plain.push(next);
            }
            _ => plain.push(next),
        }
    }
    serde_json::from_str(&plain).ok()
}

impl<H: Host> Machine<'_, H> {
    /// Loads a file of the project, if it is not loaded yet.
    pub fn load(&mut self, path: &Path) {
        let path = clean(path);
        if self.loaded.contains_key(&path) {
            return;
        }
        let Some(loaded) = self.parsed(&path) else {
            return;
        };
        // Whether it threw does not matter to those who ask.
        let _ = self.run_module(&path, &loaded);
    }

    fn parsed(&self, path: &Path) -> Option<Loaded> {
        self.library.load(path, self.sources?)
    }

    fn run_module(&mut self, path: &Path, loaded: &Loaded) -> Result<Id> {
        let span = loaded.module.span;
        let module = self.allocate(ObjectKind::Plain, span);
        let Some(id) = module.as_id() else {
            return Err(Abrupt::Stop);
        };
        self.loaded.insert(path.to_path_buf(), id);
        let exports = self.allocate(ObjectKind::Plain, span);
        self.objects
            .get_mut(id)
            .set("exports", span, exports.clone());
        if path.extension().is_some_and(|text| text == "json") {
            if let Ok(value) = serde_json::from_str(loaded.file.text()) {
                let val = self.json_value(&value, span, 0);
                self.objects.get_mut(id).set("exports", span, val);
            }
            return Ok(id);
        }
        let scope = self.scope(None);
        self.declare(scope, &"module".into(), module.clone());
        self.declare(scope, &"exports".into(), exports.clone());
        self.declare(scope, &"this".into(), exports);
        let at = Val::string(path.to_string_lossy(), span);
        self.declare(scope, &"__filename".into(), at);
        let folder = path.parent().unwrap_or(path);
        let folder = Val::string(folder.to_string_lossy(), span);
        self.declare(scope, &"__dirname".into(), folder);
        self.loading.push(path.to_path_buf());
        let result = self.run_statements(loaded, scope);
        self.loading.pop();
        match result {
            Err(Abrupt::Stop) => Err(Abrupt::Stop),
            _ => Ok(id),
        }
    }

    fn run_statements(&mut self, loaded: &Loaded, scope: Id) -> Result<()> {
        let body = &loaded.module.body;
        self.hoist(body, scope);
        // What others import from a module that waits for them.
        for statement in body {
            if let Stmt::Export(Export::Declaration(inner)) = statement
                && let Stmt::Function(..) = **inner
            {
                self.exec(statement, scope)?;
            }
        }
        for statement in body {
            match statement {
                Stmt::Import(import) => self.import(import, scope)?,
                Stmt::Export(Export::Names(_, Some(source)) | Export::All(source, _)) => {
                    let from = self.require(source, loaded.module.span)?;
                    self.re_export(statement, &from, scope)?;
                }
                _ => {}
            }
        }
        for statement in body {
            // A statement that throws does not end a module: something unknown may be behind it.
            match self.exec(statement, scope) {
                Ok(_) | Err(Abrupt::Throw(_)) => {}
                Err(Abrupt::Stop) => return Err(Abrupt::Stop),
            }
        }
        for statement in body {
            if let Stmt::Export(Export::Names(_, None)) = statement {
                self.exec(statement, scope)?;
            }
        }
        Ok(())
    }

    fn import(&mut self, import: &Import, scope: Id) -> Result<()> {
        let from = self.require(&import.source, import.span)?;
        if let Some(name) = &import.namespace {
            self.declare(scope, name, from.clone());
        }
        if let Some(name) = &import.default {
            let val = self.default_export(&from);
            self.declare(scope, name, val);
        }
        for (exported, local) in &import.names {
            let val = if &**exported == "default" {
                self.default_export(&from)
            } else {
                self.exported(&from, exported, import.span)?
            };
            self.declare(scope, local, val);
        }
        Ok(())
    }

    fn exported(&mut self, from: &Val, name: &Name, span: Span) -> Result<Val> {
        let val = self.member(from, name, span, span)?;
        if matches!(val.v, V::Undefined) {
            // Perhaps the module is not done yet, or has it from out of view.
            return Ok(Val::unknown("the module does not say what it is", span));
        }
        Ok(val)
    }

    fn default_export(&self, from: &Val) -> Val {
        self.own(from, "default").unwrap_or_else(|| from.clone())
    }

    /// What a module exports.
    pub(super) fn require(&mut self, source: &str, span: Span) -> Result<Val> {
        let foreign = || {
            let name = source.strip_prefix("node:").unwrap_or(source);
            let v = match name {
                "process" => V::Native("process".into()),
                _ => V::Foreign(name.into()),
            };
            Val::new(v, span)
        };
        let Some(from) = self.library.path(span) else {
            return Ok(foreign());
        };
        let Some(path) = self.library.resolve(&from, source) else {
            return Ok(foreign());
        };
        let id = match self.loaded.get(&path) {
            Some(id) => *id,
            None => {
                let unknown = Val::unknown("the module cannot be read", span);
                if self.loading.len() > 200 {
                    return Ok(unknown);
                }
                match self.parsed(&path) {
                    Some(loaded) => stacker::maybe_grow(super::RED_ZONE, super::STACK, || {
                        self.run_module(&path, &loaded)
                    })?,
                    None => return Ok(unknown),
                }
            }
        };
        let module = Val::new(V::Object(id), span);
        Ok(self.own(&module, "exports").unwrap_or(module))
    }

    /// `require(…)` and `import(…)` where they are called.
    pub(super) fn import_value(&mut self, source: &Val, span: Span) -> Val {
        let Some(name) = source.as_str().map(str::to_owned) else {
            return Val::unknown("the module's name is computed", span);
        };
        self.require(&name, span)
            .unwrap_or_else(|_| Val::unknown("the module cannot be read", span))
    }

    fn exports_of(&self, scope: Id) -> Option<Id> {
        let module = self.lookup(scope, "module")?;
        self.own(&module, "exports")?.as_id()
    }

    pub(super) fn export(&mut self, export: &Export, scope: Id) -> Result<()> {
        let Some(exports) = self.exports_of(scope) else {
            return Ok(());
        };
        match export {
            Export::Declaration(statement) => {
                self.exec(statement, scope)?;
                for name in declared(statement) {
                    if let Some(val) = self.lookup(scope, &name) {
                        self.objects.get_mut(exports).set(&name, val.span, val);
                    }
                }
            }
            Export::Default(value) => {
                let val = self.eval(value, scope)?;
                // `export default function app() {}` declares it as well.
                if let Some(name) = self
                    .function(&val)
                    .and_then(|function| function.name.clone())
                    && self.lookup(scope, &name).is_none()
                {
                    self.declare(scope, &name, val.clone());
                }
                self.objects.get_mut(exports).set("default", val.span, val);
            }
            Export::Assign(value) => {
                let val = self.eval(value, scope)?;
                if let Some(module) = self.lookup(scope, "module").and_then(|val| val.as_id()) {
                    self.objects.get_mut(module).set("exports", val.span, val);
                }
            }
            Export::Names(names, None) => {
                for (local, exported) in names {
                    if let Some(val) = self.lookup(scope, local) {
                        self.objects.get_mut(exports).set(exported, val.span, val);
                    }
                }
            }
            Export::Names(_, Some(_)) | Export::All(..) => {}
        }
        Ok(())
    }

    fn re_export(&mut self, statement: &Stmt, from: &Val, scope: Id) -> Result<()> {
        let Some(exports) = self.exports_of(scope) else {
            return Ok(());
        };
        match statement {
            Stmt::Export(Export::Names(names, _)) => {
                for (inner, outer) in names {
                    let val = if &**inner == "default" {
                        self.default_export(from)
                    } else {
                        self.exported(from, inner, from.span)?
                    };
                    self.objects.get_mut(exports).set(outer, val.span, val);
                }
            }
            Stmt::Export(Export::All(_, Some(name))) => {
                let target = self.objects.get_mut(exports);
                target.set(name, from.span, from.clone());
            }
            _ => self.spread_into(exports, from),
        }
        Ok(())
    }

    pub(super) fn json_value(&mut self, value: &serde_json::Value, span: Span, depth: u32) -> Val {
        use serde_json::Value as Json;
        match value {
            Json::Null => Val::new(V::Null, span),
            Json::Bool(value) => Val::bool(*value, span),
            Json::Number(number) => Val::number(number.as_f64().unwrap_or(f64::NAN), span),
            Json::String(text) => Val::string(text.as_str(), span),
            _ if depth > 32 => Val::unknown("it is nested too deeply", span),
            Json::Array(items) => {
                let items = items.iter().take(10_000);
                let items = items.map(|item| self.json_value(item, span, depth + 1));
                let items: Vec<Val> = items.collect();
                self.array(items, false, span)
            }
            Json::Object(entries) => {
                let object = self.allocate(ObjectKind::Plain, span);
                for (key, entry) in entries.iter().take(10_000) {
                    let val = self.json_value(entry, span, depth + 1);
                    if let Some(id) = object.as_id() {
                        self.objects.get_mut(id).set(key, span, val);
                    }
                }
                object
            }
        }
    }

    /// The exports of every loaded module, in the order of their paths.
    #[must_use]
    pub fn exports(&self) -> Vec<(PathBuf, Val)> {
        let mut all: Vec<(PathBuf, Val)> = Vec::new();
        for (path, id) in &self.loaded {
            if let Some(slot) = self.objects.get(*id).slot("exports") {
                all.push((path.clone(), slot.value.clone()));
            }
        }
        all.sort_by(|a, b| a.0.cmp(&b.0));
        all
    }
}

/// The names that a declaration declares.
fn declared(statement: &Stmt) -> Vec<Name> {
    use crate::syntax::javascript::ast::Pattern;
    fn names(pattern: &Pattern, found: &mut Vec<Name>) {
        match pattern {
            Pattern::Name(name, _) => found.push(Arc::clone(name)),
            Pattern::Object(entries, rest) => {
                entries
                    .iter()
                    .for_each(|(_, target, _)| names(target, found));
                rest.iter().for_each(|rest| names(rest, found));
            }
            Pattern::Array(items, rest) => {
                let items = items.iter().flatten();
                items.for_each(|(target, _)| names(target, found));
                rest.iter().for_each(|rest| names(rest, found));
            }
            Pattern::Member(_) | Pattern::Unknown => {}
        }
    }
    match statement {
        Stmt::Declare(_, declarators) => {
            let mut found = Vec::new();
            for (pattern, _) in declarators {
                names(pattern, &mut found);
            }
            found
        }
        Stmt::Function(name, _) | Stmt::Class(name, _) | Stmt::Enum(name, ..) => {
            vec![Arc::clone(name)]
        }
        _ => Vec::new(),
    }
}
