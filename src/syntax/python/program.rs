//! The program: what was read, and the state of its evaluation.

use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use super::ast::{Class, Function, Module, Name};
use super::call::{Arguments, Call};
use super::object::{Id, K, Obj, Tree, Val};
use super::table::Table;
pub(super) use crate::limits::python::program::MAX_ATOMS;
pub(super) use crate::limits::python::program::MAX_LENGTH;
use crate::limits::python::program::{DEPTH, MAX_CAPTURED, MAX_WATCHED, STEPS};
use crate::model::{Condition, Environment};
use crate::source::{Folders, SourceFile, Sources, Span};
use crate::syntax::value::Budget;

/// The name of a text (see [`super::object::K::SomeText`]) whose comparisons are
/// remembered.
pub const WATCHED: &str = "Origin";

/// What is spent is unknown.
pub(super) const SPENT: &str = "it takes too many steps";

/// A function of the program.
#[derive(Clone, Debug)]
pub struct Defined {
    /// Its syntax.
    pub function: Arc<Function>,
    /// The module it stands in.
    pub module: usize,
    /// The names around it, nearest first.
    pub(super) scopes: Vec<Id>,
    /// Defaults of the parameters, in their order.
    pub(super) defaults: Vec<Option<Val>>,
    /// The class it is a method of.
    pub class: Option<usize>,
    /// Its decorators, outermost first.
    pub decorators: Vec<Val>,
    /// It was called by the program.
    pub(super) called: bool,
}

/// A class of the program.
#[derive(Clone, Debug)]
pub struct DefinedClass {
    /// Its syntax.
    pub class: Arc<Class>,
    /// What it derives from.
    pub bases: Vec<Val>,
    /// Its names.
    pub names: Id,
    /// Annotated names without or with a value: type and place, in order.
    pub(super) annotated: Vec<(Name, Arc<str>)>,
    /// Its decorators.
    pub decorators: Vec<Val>,
}

/// A module of the program.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// Its file.
    pub file: Arc<SourceFile>,
    /// Its names.
    pub names: Id,
    /// Modules of which it imports everything.
    pub imports_all_of: Vec<usize>,
    /// Modules that were run in it, as if they were written there.
    pub parts: Vec<usize>,
}

/// What a framework supplies for something foreign while a request is answered: path and
/// arguments to a value, or nothing if it does not know the path.
#[derive(Clone)]
pub struct Native(pub Arc<NativeFn>);

type NativeFn = dyn Fn(&mut Program, &str, &Arguments, Span) -> Option<Val> + Send + Sync;

impl fmt::Debug for Native {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Native")
    }
}

type Parsed = (Arc<SourceFile>, Arc<Module>);

/// A program that is being, or was, evaluated.
#[derive(Clone, Debug)]
pub struct Program {
    pub(super) heap: Table<Arc<Tree>>,
    /// What stood on the heap before it was changed, since the outermost open branch.
    pub(super) journal: Vec<(Id, Arc<Tree>)>,
    /// How many branches are open.
    pub(super) branches: usize,
    pub(super) functions: Table<Defined>,
    pub(super) classes: Table<DefinedClass>,
    pub(super) modules: Arc<Vec<Loaded>>,
    pub(super) by_path: Arc<HashMap<PathBuf, usize>>,
    /// What the program did to things foreign, in order.
    pub calls: Table<Call>,
    pub(super) atoms: Arc<Vec<Condition>>,
    /// Conditions that are decided here.
    pub(super) path: Vec<(usize, bool)>,
    pub(super) budget: Budget,
    /// The names at hand, nearest first; the last is the module's.
    pub(super) scopes: Vec<Id>,
    pub(super) globals: Vec<Name>,
    pub(super) module: usize,
    pub(super) class: Option<usize>,
    pub(super) optional_environment: Vec<usize>,
    pub(super) catching: bool,
    /// A request is being answered: what fails is not assumed away.
    pub answering: bool,
    pub(super) stack: Vec<usize>,
    pub(super) roots: Arc<[PathBuf]>,
    pub(super) folders: Arc<Folders>,
    pub(super) given: Arc<HashMap<PathBuf, Parsed>>,
    /// Attributes and items set on things foreign.
    pub(super) foreign: Id,
    /// Answers calls of things foreign while a request is answered.
    pub native: Option<Native>,
    /// The origin of the request that is answered.
    pub origin: Option<Arc<str>>,
    /// Conditions of which the origin of the request decides.
    pub(super) of_origin: Arc<BTreeSet<usize>>,
    /// What a text called [`WATCHED`] was compared with; shared by all copies.
    pub(super) watched: Arc<Mutex<Vec<Val>>>,
    /// What `os.environ` is known to hold.
    pub(super) environment: Environment,
}

impl Program {
    /// An empty program of files below `roots`, and of what they import.
    #[must_use]
    pub fn new(roots: Vec<PathBuf>, files: &[Arc<SourceFile>], sources: &Sources) -> Self {
        let mut program = Self {
            heap: Table::default(),
            journal: Vec::new(),
            branches: 0,
            functions: Table::default(),
            classes: Table::default(),
            modules: Arc::default(),
            by_path: Arc::default(),
            calls: Table::default(),
            atoms: Arc::default(),
            path: Vec::new(),
            budget: Budget::new(STEPS, DEPTH),
            scopes: Vec::new(),
            globals: Vec::new(),
            module: 0,
            class: None,
            optional_environment: Vec::new(),
            catching: false,
            answering: false,
            stack: Vec::new(),
            roots: roots.into(),
            folders: Arc::clone(sources.folders()),
            given: Arc::default(),
            foreign: 0,
            native: None,
            origin: None,
            of_origin: Arc::default(),
            watched: Arc::default(),
            environment: Environment::default(),
        };
        program.foreign = program.names();
        program.gather(files, sources);
        program
    }

    /// The same program, which will find this in its environment.
    #[must_use]
    pub fn with_environment(self, environment: &Environment) -> Self {
        Self {
            environment: environment.clone(),
            ..self
        }
    }

    /// Makes copies cheap: they share everything that was read until now.
    #[must_use]
    pub fn frozen(mut self) -> Self {
        self.heap.freeze();
        self.functions.freeze();
        self.classes.freeze();
        self.calls.freeze();
        self
    }

    /// Forgets what was spent: what comes next has a budget of its own.
    pub fn refill(&mut self, steps: u32) {
        self.budget = Budget::new(steps, DEPTH);
    }

    /// The texts and patterns that the watched text was compared with since the last call.
    #[must_use]
    pub fn take_watched(&self) -> Vec<Val> {
        let mut watched = self.watched.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut watched)
    }

    /// Remembers what `text` is compared with, if it is watched.
    pub(super) fn watch(&self, text: &Val, other: &Val) {
        if !matches!(&text.kind, K::SomeText(Some(name)) if &**name == WATCHED) {
            return;
        }
        let mut found = vec![other.clone()];
        if let K::Ref(_) = other.kind {
            found = self.items(other).map_or_else(Vec::new, |(items, _)| items);
        }
        let mut watched = self.watched.lock().unwrap_or_else(PoisonError::into_inner);
        for value in found {
            let is_constant = matches!(value.kind, K::Text(_) | K::Regex(..));
            if is_constant && watched.len() < MAX_WATCHED && !watched.contains(&value) {
                watched.push(value);
            }
        }
    }

    /// The modules that were loaded.
    #[must_use]
    pub fn modules(&self) -> &[Loaded] {
        &self.modules
    }

    /// A function of the program.
    #[must_use]
    pub fn function(&self, index: usize) -> &Defined {
        &self.functions[index]
    }

    /// A class of the program.
    #[must_use]
    pub fn class(&self, index: usize) -> &DefinedClass {
        &self.classes[index]
    }

    /// The functions that a class defines itself.
    #[must_use]
    pub fn functions_of(&self, class: usize) -> Vec<usize> {
        let all = 0..self.functions.len();
        all.filter(|index| self.functions[*index].class == Some(class))
            .collect()
    }

    /// The functions that a function finds in those around it, as far as they are looked through.
    #[must_use]
    pub fn captured_functions(&self, index: usize) -> Vec<usize> {
        let Some((_, around)) = self.functions[index].scopes.split_last() else {
            return Vec::new();
        };
        let names = around.iter().filter_map(|scope| self.heap.get(*scope));
        let names = names.filter_map(|scope| match scope.as_ref() {
            Tree::Leaf(Obj::Names { names, .. }) => Some(names.iter()),
            _ => None,
        });
        let names = names.flatten().take(MAX_CAPTURED);
        let functions = names.filter_map(|(_, value)| match value.kind {
            K::Function(function) if function != index => Some(function),
            _ => None,
        });
        functions.collect()
    }

    /// How many functions there are.
    #[must_use]
    pub fn function_count(&self) -> usize {
        self.functions.len()
    }

    /// The conditions that are decided.
    #[must_use]
    pub fn decisions(&self) -> Vec<usize> {
        self.path.iter().map(|(atom, _)| *atom).collect()
    }

    /// Sets what a foreign path is from now on.
    pub fn set_foreign_value(&mut self, path: &str, value: Val) {
        self.set_name(self.foreign, path, value);
    }
}
