//! Modules: which file an import means, and what it brings.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::ast::{Name, Stmt, StmtKind};
use super::call::Call;
use super::lower::parse;
use super::object::{K, Obj, Val};
use super::program::{Loaded, Program};
use crate::limits::python::import::{MAX_BYTES, MAX_MODULES, MAX_PARTS};
use crate::source::{SourceFile, Sources, Span};

/// Libraries whose parts the frameworks read by name.
const LIBRARIES: [&str; 7] = [
    "corsheaders",
    "django",
    "fastapi",
    "flask",
    "flask_cors",
    "pydantic",
    "starlette",
];

impl Program {
    /// Reads files and what they import from the project, and parses it all.
    pub(super) fn gather(&mut self, files: &[Arc<SourceFile>], sources: &Sources) {
        let mut todo: Vec<PathBuf> = files.iter().map(|file| file.path().to_path_buf()).collect();
        let known: HashMap<&Path, &Arc<SourceFile>> =
            files.iter().map(|file| (file.path(), file)).collect();
        let mut seen: HashSet<PathBuf> = todo.iter().cloned().collect();
        todo.reverse();
        while let Some(path) = todo.pop() {
            if self.given.len() >= MAX_MODULES {
                return;
            }
            let file = known.get(path.as_path()).map(|file| Arc::clone(file));
            let Some(file) = file.or_else(|| sources.load(&path).ok()) else {
                continue;
            };
            if file.text().len() > MAX_BYTES {
                continue;
            }
            let module = Arc::new(parse(&file));
            let mut imports = Vec::new();
            imported(&module.body, &mut imports);
            imports.extend(named_objects(file.text()));
            for part in named_parts(&path, file.text()) {
                if seen.insert(part.clone()) {
                    todo.push(part);
                }
            }
            Arc::make_mut(&mut self.given).insert(path.clone(), (file, module));
            for (dots, dotted) in imports {
                if let Some(found) = self.resolve_from(&path, dots, &dotted)
                    && seen.insert(found.clone())
                {
                    todo.push(found);
                }
            }
        }
    }

    /// Evaluates a module, if it was not yet; its index.
    pub fn load(&mut self, path: &Path) -> Option<usize> {
        if let Some(index) = self.by_path.get(path) {
            return Some(*index);
        }
        if self.modules.len() >= MAX_MODULES {
            return None;
        }
        let (file, module) = self.given.get(path).cloned()?;
        let names = self.names();
        Arc::make_mut(&mut self.modules).push(Loaded {
            file,
            names,
            imports_all_of: Vec::new(),
            parts: Vec::new(),
        });
        let index = self.modules.len() - 1;
        Arc::make_mut(&mut self.by_path).insert(path.to_path_buf(), index);
        let scopes = std::mem::replace(&mut self.scopes, vec![names]);
        let outer = std::mem::replace(&mut self.module, index);
        let class = self.class.take();
        let globals = std::mem::take(&mut self.globals);
        let catching = std::mem::replace(&mut self.catching, false);
        if self.budget.enter() {
            self.block(&module.body);
            self.budget.leave();
        }
        self.catching = catching;
        self.globals = globals;
        self.class = class;
        self.module = outer;
        self.scopes = scopes;
        Some(index)
    }

    /// Is a call a statement of its own, so that nobody takes what it gives?
    #[must_use]
    pub fn is_discarded(&self, call: &Call) -> bool {
        let module = self.modules.get(call.module);
        let parsed = module.and_then(|module| self.given.get(module.file.path()));
        parsed.is_some_and(|(_, module)| stands_alone(&module.body, call.span))
    }

    /// Evaluates a module that a text in another one names, and reads nothing that it imports.
    pub fn load_alone(&mut self, dotted: &str, from: usize, sources: &Sources) -> Option<usize> {
        let here = self.modules.get(from)?.file.path().to_path_buf();
        let path = self.resolve_from(&here, 0, dotted)?;
        if !self.given.contains_key(&path) {
            let file = sources.load(&path).ok()?;
            if file.text().len() > MAX_BYTES {
                return None;
            }
            let module = Arc::new(parse(&file));
            Arc::make_mut(&mut self.given).insert(path.clone(), (file, module));
        }
        self.load(&path)
    }

    /// Evaluates a module that a text in another one names, with what it imports itself, and reads
    /// nothing that this imports.
    pub fn load_beside(&mut self, dotted: &str, from: usize, sources: &Sources) -> Option<usize> {
        let here = self.modules.get(from)?.file.path().to_path_buf();
        let path = self.resolve_from(&here, 0, dotted)?;
        let file = sources.load(&path).ok()?;
        let module = Arc::new(parse(&file));
        let mut imports = Vec::new();
        imported(&module.body, &mut imports);
        for (dots, dotted) in imports {
            let Some(path) = self.resolve_from(&path, dots, &dotted) else {
                continue;
            };
            let full = self.given.len() >= MAX_MODULES;
            if full || self.given.contains_key(&path) {
                continue;
            }
            let file = sources.load(&path).ok();
            let Some(file) = file.filter(|file| file.text().len() <= MAX_BYTES) else {
                continue;
            };
            let module = Arc::new(parse(&file));
            Arc::make_mut(&mut self.given).insert(path, (file, module));
        }
        self.load_alone(dotted, from, sources)
    }

    /// The file of a dotted name, seen from the current module.
    fn resolve(&self, dots: usize, dotted: &str) -> Option<PathBuf> {
        let here = self.modules.get(self.module)?.file.path().to_path_buf();
        let found = self.resolve_from(&here, dots, dotted)?;
        self.given.contains_key(&found).then_some(found)
    }

    fn resolve_from(&self, here: &Path, dots: usize, dotted: &str) -> Option<PathBuf> {
        let parts: Vec<&str> = dotted.split('.').filter(|part| !part.is_empty()).collect();
        if dots > 0 {
            let mut folder = here.parent()?;
            for _ in 1..dots {
                folder = folder.parent()?;
            }
            return self.module_file(folder, &parts);
        }
        // A package of the project that is named like a library is not what they mean.
        let is_library = parts.first().is_some_and(|first| LIBRARIES.contains(first));
        let folders = here
            .ancestors()
            .skip(1)
            .take(if is_library { 0 } else { 8 });
        let inside =
            folders.take_while(|folder| self.roots.iter().any(|root| folder.starts_with(root)));
        let inside: Vec<PathBuf> = inside.map(Path::to_path_buf).collect();
        let mut folders: Vec<PathBuf> = inside.iter().rev().cloned().collect();
        for root in self.roots.iter().filter(|_| !is_library) {
            folders.push(root.join("src"));
            folders.push(root.join("app"));
            folders.push(root.join("backend"));
        }
        folders
            .iter()
            .find_map(|folder| self.module_file(folder, &parts))
    }

    fn module_file(&self, folder: &Path, parts: &[&str]) -> Option<PathBuf> {
        let mut path = folder.to_path_buf();
        path.extend(parts);
        let exists = |path: &Path| self.given.contains_key(path) || self.folders.is_file(path);
        if !parts.is_empty() {
            let file = path.with_extension("py");
            if exists(&file) {
                return Some(file);
            }
        }
        let package = path.join("__init__.py");
        exists(&package).then_some(package)
    }

    fn module_value(&mut self, dots: usize, dotted: &str, span: Span) -> Option<Val> {
        let path = self.resolve(dots, dotted)?;
        let index = self.load(&path)?;
        Some(Val::new(K::Module(index), span))
    }

    pub(super) fn import(&mut self, names: &[(Name, Option<Name>)], span: Span) {
        for (dotted, alias) in names {
            let first = dotted.split('.').next().unwrap_or(dotted);
            let (bound, wanted) = match alias {
                Some(alias) => (alias.clone(), &**dotted),
                None => (Name::from(first), first),
            };
            let value = self.module_value(0, wanted, span);
            let value = value.unwrap_or_else(|| Val::foreign(&canonical(wanted), span));
            self.bind(&bound, value);
            if alias.is_none() && first.len() < dotted.len() {
                self.module_value(0, dotted, span);
            }
        }
    }

    pub(super) fn import_from(
        &mut self,
        dots: usize,
        dotted: &str,
        names: &[(Name, Name)],
        everything: bool,
        span: Span,
    ) {
        let module = self.module_value(dots, dotted, span);
        if everything {
            self.import_everything(module.as_ref(), span);
        }
        for (name, alias) in names {
            let value = match &module {
                Some(module) => self.attribute(module, name, span),
                None => {
                    // A module of a package that was not read itself.
                    let path = join(dotted, name);
                    let module = self.module_value(dots, &path, span);
                    module.unwrap_or_else(|| match dots {
                        0 => Val::foreign(&canonical(&path), span),
                        _ => Val::unknown("a module that is not in view", span),
                    })
                }
            };
            self.bind(alias, value);
        }
    }

    fn import_everything(&mut self, module: Option<&Val>, _span: Span) {
        let scope = self.scopes.first().copied();
        let (Some(scope), module) = (scope, module) else {
            return;
        };
        let names = match module.map(|module| &module.kind) {
            Some(K::Module(index)) => {
                Arc::make_mut(&mut self.modules)[self.module]
                    .imports_all_of
                    .push(*index);
                self.plain(self.modules[*index].names)
            }
            // Local overrides that a deployment may have are no part of the program.
            _ if self.catching => return,
            _ => None,
        };
        match names {
            Some(Obj::Names { names, open }) => {
                let exported = names.get("__all__").and_then(|all| self.items(all));
                let is_exported = |name: &str| match &exported {
                    Some((all, more)) => {
                        *more || all.iter().any(|item| item.as_text() == Some(name))
                    }
                    None => !name.starts_with('_'),
                };
                for (name, value) in names.iter().filter(|(name, _)| is_exported(name)) {
                    self.set_name(scope, name, value.clone());
                }
                if open {
                    self.open(scope);
                }
            }
            _ => self.open(scope),
        }
    }

    /// The module, or the attribute of a module, that a dotted path names in a module.
    pub fn named(&mut self, dotted: &str, module: usize, span: Span) -> Val {
        self.module = module;
        if let Some(module) = self.module_value(0, dotted, span) {
            return module;
        }
        let unknown = Val::unknown("a module that is not in view", span);
        let Some((module, name)) = dotted.rsplit_once('.') else {
            return unknown;
        };
        match self.module_value(0, module, span) {
            Some(module) => self.attribute(&module, &Name::from(name), span),
            None => unknown,
        }
    }

    /// `split_settings.tools.include`: runs files as if they were written here.
    pub(super) fn include_parts(&mut self, arguments: &[Val]) {
        let Some(scope) = self.scopes.last().copied() else {
            return;
        };
        let here = self.modules[self.module].file.path().to_path_buf();
        for argument in arguments {
            // `optional("local.py")`.
            let optional = argument.call().and_then(|at| self.calls.get(at));
            let inner = optional.and_then(|call| call.arguments.positional.first());
            let Some(name) = inner.unwrap_or(argument).as_text() else {
                self.open(scope);
                continue;
            };
            let mut parts: Vec<PathBuf> = self
                .given
                .keys()
                .filter(|path| is_part(&here, name, path))
                .cloned()
                .collect();
            parts.sort();
            for path in parts {
                self.run_part(&path, scope);
            }
        }
    }

    fn run_part(&mut self, path: &Path, scope: usize) {
        let Some((file, module)) = self.given.get(path).cloned() else {
            return;
        };
        let outer = self.module;
        let known = self.by_path.get(path).copied();
        if known == Some(outer) || self.modules.len() >= MAX_MODULES {
            return;
        }
        let modules = Arc::make_mut(&mut self.modules);
        let index = modules.len();
        modules.push(Loaded {
            file,
            names: scope,
            imports_all_of: Vec::new(),
            parts: Vec::new(),
        });
        modules[outer].parts.push(index);
        modules[outer].imports_all_of.push(index);
        modules[outer].imports_all_of.extend(known);
        if self.budget.enter() {
            self.module = index;
            self.block(&module.body);
            self.module = outer;
            self.budget.leave();
        }
    }

    /// There may be more names.
    fn open(&mut self, scope: usize) {
        self.update(scope, &mut |_, obj| {
            let mut obj = obj.clone();
            if let Obj::Names { open, .. } = &mut obj {
                *open = true;
            }
            obj
        });
    }

    /// A module inside a package.
    pub(super) fn submodule(&mut self, package: usize, name: &Name, span: Span) -> Val {
        let path = self.modules[package].file.path().to_path_buf();
        let found = path.parent().and_then(|folder| {
            let is_package = path.file_name().is_some_and(|file| file == "__init__.py");
            is_package
                .then(|| self.module_file(folder, &[name]))
                .flatten()
        });
        match found.and_then(|path| self.load(&path)) {
            Some(index) => Val::new(K::Module(index), span),
            None => Val::unknown("a name that the module does not have", span),
        }
    }
}

fn join(dotted: &str, name: &str) -> String {
    if dotted.is_empty() {
        name.to_owned()
    } else {
        format!("{dotted}.{name}")
    }
}

/// One name for what libraries export under several.
fn canonical(path: &str) -> String {
    const RENAMED: [(&str, &str); 4] = [
        ("fastapi.middleware", "starlette.middleware"),
        ("fastapi.responses", "starlette.responses"),
        ("fastapi.requests", "starlette.requests"),
        ("flask.ext.cors", "flask_cors"),
    ];
    for (from, to) in RENAMED {
        if let Some(rest) = path.strip_prefix(from) {
            return format!("{to}{rest}");
        }
    }
    path.to_owned()
}

/// What statements import: dots and dotted names.
fn imported(body: &[Stmt], found: &mut Vec<(usize, String)>) {
    for stmt in body {
        match &stmt.kind {
            StmtKind::Import(names) => {
                for (name, _) in names {
                    found.push((0, name.split('.').next().unwrap_or(name).to_owned()));
                    found.push((0, name.to_string()));
                }
            }
            StmtKind::From(dots, dotted, names, _) => {
                found.push((*dots, dotted.to_string()));
                let inner = names.iter().map(|(name, _)| (*dots, join(dotted, name)));
                found.extend(inner);
            }
            StmtKind::If(tests, rest) => {
                tests.iter().for_each(|(_, body)| imported(body, found));
                imported(rest, found);
            }
            StmtKind::Try(body, handlers, otherwise, finally) => {
                imported(body, found);
                handlers.iter().for_each(|(_, body)| imported(body, found));
                imported(otherwise, found);
                imported(finally, found);
            }
            StmtKind::For(_, _, body)
            | StmtKind::Loop(body)
            | StmtKind::With(_, body)
            | StmtKind::Unknown(body) => imported(body, found),
            StmtKind::Function(_, function) => imported(&function.body, found),
            StmtKind::Class(_, class) => imported(&class.body, found),
            _ => {}
        }
    }
}

/// Is an expression a statement of its own?
fn stands_alone(body: &[Stmt], span: Span) -> bool {
    let below = |body: &[Stmt]| stands_alone(body, span);
    body.iter().any(|stmt| match &stmt.kind {
        StmtKind::Expr(expr) => expr.span == span,
        StmtKind::If(tests, rest) => tests.iter().any(|(_, body)| below(body)) || below(rest),
        StmtKind::Try(body, handlers, otherwise, finally) => {
            below(body)
                || handlers.iter().any(|(_, body)| below(body))
                || below(otherwise)
                || below(finally)
        }
        StmtKind::For(_, _, body)
        | StmtKind::Loop(body)
        | StmtKind::With(_, body)
        | StmtKind::Unknown(body) => below(body),
        StmtKind::Function(_, function) => below(&function.body),
        StmtKind::Class(_, class) => below(&class.body),
        _ => false,
    })
}

/// Does a name that `include` is given mean a file? `*` stands for a part of a file's name.
fn is_part(here: &Path, name: &str, path: &Path) -> bool {
    let Some(folder) = here.parent() else {
        return false;
    };
    let Ok(rest) = path.strip_prefix(folder) else {
        return false;
    };
    let rest = rest.to_string_lossy().replace('\\', "/");
    match name.split_once('*') {
        Some((before, after)) => {
            let inner = rest
                .strip_prefix(before)
                .and_then(|rest| rest.strip_suffix(after));
            inner.is_some_and(|inner| !inner.contains('/'))
        }
        None => rest == name,
    }
}

/// The files that a module of django-split-settings names, as far as they exist.
fn named_parts(here: &Path, text: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let Some(folder) = here.parent().filter(|_| text.contains("split_settings")) else {
        return found;
    };
    for quoted in text
        .split(['"', '\''])
        .filter(|quoted| quoted.ends_with(".py"))
    {
        let (inner, name) = quoted.rsplit_once('/').unwrap_or(("", quoted));
        let plain = |part: &str| !part.is_empty() && part != ".." && !part.contains(['*', '{']);
        if !inner.is_empty() && !inner.split('/').all(plain) {
            continue;
        }
        let folder = folder.join(inner);
        if !name.contains(['*', '{']) {
            found.push(folder.join(name));
            continue;
        }
        let files = std::fs::read_dir(&folder).into_iter().flatten().flatten();
        let files = files.map(|entry| entry.path());
        found.extend(files.filter(|path| path.extension().is_some_and(|ending| ending == "py")));
    }
    found.sort();
    found.dedup();
    found.truncate(MAX_PARTS);
    found
}

/// The modules of objects that are named by texts: `from_object("package.module.Class")`.
fn named_objects(text: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (at, call) in text.match_indices("from_object(") {
        let rest = text[at + call.len()..].trim_start();
        let Some(quote) = rest.chars().next().filter(|c| matches!(c, '"' | '\'')) else {
            continue;
        };
        let Some((dotted, _)) = rest[1..].split_once(quote) else {
            continue;
        };
        let is_path = |c: char| c.is_alphanumeric() || matches!(c, '_' | '.');
        if dotted.len() < 200 && dotted.chars().all(is_path) {
            found.push((0, dotted.to_owned()));
            if let Some((module, _)) = dotted.rsplit_once('.') {
                found.push((0, module.to_owned()));
            }
        }
    }
    found
}
