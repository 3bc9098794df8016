//! The evaluator: state, branches, expressions.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use super::ast::{
    Class, Comparison, Comprehension, Expr, ExprKind, Function, Module, Name, SequenceKind,
};
use super::call::{Arguments, Call};
use super::object::{Id, K, Obj, Tree, Val};
use crate::model::{Condition, Environment, World};
use crate::source::{SourceFile, Sources, Span};
use crate::syntax::value::{Budget, Conditions, Entry, Kind, List, Map, OneOf, Regex, Value};

/// Steps of one project.
const STEPS: u32 = 600_000;
/// How deep expressions, blocks and calls may nest altogether.
const DEPTH: u32 = 160;
/// The most conditions that are told apart while evaluating.
const MAX_ATOMS: usize = 400;
/// The longest list or text that is built.
pub(super) const MAX_LENGTH: usize = 4096;
/// How deep a value may be exported.
const MAX_EXPORT: usize = 12;

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

/// A program that is being, or was, evaluated.
#[derive(Clone, Debug)]
pub struct Program {
    pub(super) heap: Vec<Arc<Tree>>,
    pub(super) functions: Vec<Defined>,
    pub(super) classes: Vec<DefinedClass>,
    pub(super) modules: Vec<Loaded>,
    pub(super) by_path: HashMap<PathBuf, usize>,
    /// What the program did to things foreign, in order.
    pub calls: Vec<Call>,
    pub(super) atoms: Vec<Condition>,
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
    pub(super) roots: Vec<PathBuf>,
    pub(super) given: HashMap<PathBuf, (Arc<SourceFile>, Arc<Module>)>,
    /// Attributes and items set on things foreign.
    pub(super) foreign: Id,
    /// Answers calls of things foreign while a request is answered.
    pub native: Option<Native>,
    /// What `os.environ` is known to hold.
    pub(super) environment: Environment,
}

impl Program {
    /// An empty program of files below `roots`, and of what they import.
    #[must_use]
    pub fn new(roots: Vec<PathBuf>, files: &[Arc<SourceFile>], sources: &Sources) -> Self {
        let mut program = Self {
            heap: Vec::new(),
            functions: Vec::new(),
            classes: Vec::new(),
            modules: Vec::new(),
            by_path: HashMap::new(),
            calls: Vec::new(),
            atoms: Vec::new(),
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
            roots,
            given: HashMap::new(),
            foreign: 0,
            native: None,
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

    /// Forgets what was spent: what comes next has a budget of its own.
    pub fn refill(&mut self, steps: u32) {
        self.budget = Budget::new(steps, DEPTH);
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

    /// A name of an object, if it has one value here.
    #[must_use]
    pub fn peek(&self, id: Id, name: &str) -> Option<Val> {
        match self.heap.get(id)?.as_ref() {
            Tree::Leaf(Obj::Names { names, .. }) => names.get(name).cloned(),
            _ => None,
        }
    }

    /// The object that a value refers to, if it has one form here.
    #[must_use]
    pub fn object(&self, value: &Val) -> Option<Obj> {
        match value.kind {
            K::Ref(id) => self.plain(id),
            _ => None,
        }
    }

    // ---- heap ----

    pub(super) fn alloc(&mut self, obj: Obj) -> Id {
        self.heap.push(Arc::new(Tree::Leaf(obj)));
        self.heap.len() - 1
    }

    pub(super) fn names(&mut self) -> Id {
        self.alloc(Obj::Names {
            names: BTreeMap::new(),
            open: false,
        })
    }

    /// A new list.
    pub fn list(&mut self, kind: SequenceKind, items: Vec<Val>, open: bool, span: Span) -> Val {
        let id = self.alloc(Obj::List { kind, items, open });
        Val::new(K::Ref(id), span)
    }

    /// A new dictionary.
    pub fn dict(&mut self, entries: Vec<(Val, Val)>, open: bool, span: Span) -> Val {
        let id = self.alloc(Obj::Dict { entries, open });
        Val::new(K::Ref(id), span)
    }

    /// Sets a name of an object.
    pub fn set_name(&mut self, id: Id, name: &str, value: Val) {
        let name: Name = Arc::from(name);
        self.update(id, &mut |_, obj| {
            let mut obj = obj.clone();
            if let Obj::Names { names, .. } = &mut obj {
                names.insert(Arc::clone(&name), value.clone());
            }
            obj
        });
    }

    /// A name of an object; [`K::Missing`] if it has none.
    pub fn get_name(&mut self, id: Id, name: &str, span: Span) -> Val {
        self.read(id, span, &mut |_, obj| match obj {
            Obj::Names { names, open } => match names.get(name) {
                Some(value) => value.clone(),
                None if *open => Val::unknown("what it is imported from is not in view", span),
                None => Val::new(K::Missing, span),
            },
            _ => Val::new(K::Missing, span),
        })
    }

    /// Changes an object, in all the forms it may have.
    pub(super) fn update(&mut self, id: Id, f: &mut dyn FnMut(&mut Self, &Obj) -> Obj) {
        let Some(tree) = self.heap.get(id).cloned() else {
            return;
        };
        let tree = self.updated(&tree, f);
        self.heap[id] = tree;
    }

    fn updated(
        &mut self,
        tree: &Arc<Tree>,
        f: &mut dyn FnMut(&mut Self, &Obj) -> Obj,
    ) -> Arc<Tree> {
        match tree.as_ref() {
            Tree::Leaf(obj) => Arc::new(Tree::Leaf(f(self, obj))),
            Tree::Split(condition, yes, no) => match self.decided(*condition) {
                Some(true) => self.updated(yes, f),
                Some(false) => self.updated(no, f),
                None => {
                    let (yes, no) = (self.updated(yes, f), self.updated(no, f));
                    Arc::new(Tree::Split(*condition, yes, no))
                }
            },
        }
    }

    /// Reads an object, in all the forms it may have.
    pub(super) fn read(
        &mut self,
        id: Id,
        span: Span,
        f: &mut dyn FnMut(&mut Self, &Obj) -> Val,
    ) -> Val {
        let Some(tree) = self.heap.get(id).cloned() else {
            return Val::unknown(SPENT, span);
        };
        self.read_tree(&tree, span, f)
    }

    fn read_tree(
        &mut self,
        tree: &Tree,
        span: Span,
        f: &mut dyn FnMut(&mut Self, &Obj) -> Val,
    ) -> Val {
        match tree {
            Tree::Leaf(obj) => f(self, obj),
            Tree::Split(condition, yes, no) => {
                let join = |condition, yes, no| Val::one_of(condition, yes, no, span);
                self.branch(
                    *condition,
                    &mut |program, holds| program.read_tree(if holds { yes } else { no }, span, f),
                    join,
                )
            }
        }
    }

    // ---- conditions ----

    pub(super) fn decided(&self, condition: usize) -> Option<bool> {
        let known = self.path.iter().rev().find(|(at, _)| *at == condition);
        known.map(|(_, holds)| *holds)
    }

    /// The index of a condition; nothing if there are too many.
    pub fn atom(&mut self, text: String, span: Span, development: bool) -> Option<usize> {
        if let Some(at) = self.atoms.iter().position(|atom| atom.text == text) {
            return Some(at);
        }
        if self.atoms.len() >= MAX_ATOMS {
            return None;
        }
        self.atoms.push(Condition {
            text,
            span: Some(span),
            development,
        });
        Some(self.atoms.len() - 1)
    }

    /// The condition with an index.
    #[must_use]
    pub fn condition(&self, atom: usize) -> &Condition {
        &self.atoms[atom]
    }

    /// Runs something once if the condition holds and once if not, and joins state and results.
    pub fn branch<R>(
        &mut self,
        condition: usize,
        run: &mut dyn FnMut(&mut Self, bool) -> R,
        join: impl FnOnce(usize, R, R) -> R,
    ) -> R {
        if let Some(holds) = self.decided(condition) {
            return run(self, holds);
        }
        let base = self.heap.clone();
        let depth = self.path.len();
        self.path.push((condition, true));
        let yes = run(self, true);
        self.path.truncate(depth);
        let mut then = std::mem::take(&mut self.heap);
        self.heap = base;
        let known = self.heap.len();
        self.heap.extend(then[known..].iter().cloned());
        self.path.push((condition, false));
        let no = run(self, false);
        self.path.truncate(depth);
        then.truncate(known);
        let span = self.atoms.get(condition).and_then(|atom| atom.span);
        for (at, yes) in then.iter().enumerate() {
            if !Arc::ptr_eq(yes, &self.heap[at])
                && let Some(span) = span
            {
                self.heap[at] = Tree::merge(condition, yes, &self.heap[at], span);
            }
        }
        join(condition, yes, no)
    }

    /// Applies `f` to every plain value that this may be, each under its conditions.
    pub fn each(&mut self, value: &Val, f: &mut dyn FnMut(&mut Self, &Val) -> Val) -> Val {
        match &value.kind {
            K::OneOf(condition, yes, no) => {
                let span = value.span;
                self.branch(
                    *condition,
                    &mut |program, holds| {
                        if !program.budget.step() {
                            return Val::unknown(SPENT, span);
                        }
                        program.each(if holds { yes } else { no }, f)
                    },
                    |condition, yes, no| Val::one_of(condition, yes, no, span),
                )
            }
            _ => f(self, value),
        }
    }

    /// Applies `f` to two values.
    pub(super) fn each_two(
        &mut self,
        left: &Val,
        right: &Val,
        f: &mut dyn FnMut(&mut Self, &Val, &Val) -> Val,
    ) -> Val {
        self.each(left, &mut |program, left| {
            program.each(right, &mut |program, right| f(program, left, right))
        })
    }

    /// Turns a value into one whose leaves are `True` or `False` wherever that can be told;
    /// what cannot becomes a condition of its own, named by `text`.
    pub(super) fn truth(&mut self, value: &Val, text: &str, span: Span) -> Val {
        self.each(value, &mut |program, value| {
            let known = match &value.kind {
                K::Missing | K::None => Some(false),
                K::Bool(known) => Some(*known),
                K::Number(number) => Some(*number != 0.0),
                K::Text(text) => Some(!text.is_empty()),
                K::SomeText(name) => {
                    let words = match name {
                        Some(name) => format!("`{name}` is not empty"),
                        None => format!("`{text}` is not empty"),
                    };
                    return program.condition_value(words, span, false, true);
                }
                K::Ref(id) => {
                    let id = *id;
                    return program.read(id, span, &mut |program, obj| {
                        let (empty, open) = match obj {
                            Obj::List { items, open, .. } => (items.is_empty(), *open),
                            Obj::Dict { entries, open } => (entries.is_empty(), *open),
                            _ => (true, true),
                        };
                        if empty && open {
                            let words = format!("`{text}` is not empty");
                            return program.condition_value(words, span, false, true);
                        }
                        Val::new(K::Bool(!empty), span)
                    });
                }
                K::Function(_) | K::Class(_) | K::Module(_) | K::Method(..) | K::Regex(..) => {
                    Some(true)
                }
                K::Instance(..) => Some(true),
                _ => None,
            };
            match known {
                Some(known) => Val::new(K::Bool(known), span),
                None => {
                    let development = super::environment::means_development(text);
                    let (words, dev, holds) = match development {
                        Some(true) => (text.to_owned(), true, true),
                        Some(false) => (format!("not {text}"), true, false),
                        None => (format!("`{text}`"), false, true),
                    };
                    program.condition_value(words, span, dev, holds)
                }
            }
        })
    }

    /// `True` if the condition holds (or the reverse).
    pub(super) fn condition_value(
        &mut self,
        text: String,
        span: Span,
        development: bool,
        holds: bool,
    ) -> Val {
        let Some(atom) = self.atom(text, span, development) else {
            return Val::unknown("it depends on too many conditions", span);
        };
        let truth = |value| Val::new(K::Bool(value), span);
        match self.decided(atom) {
            Some(decided) => truth(decided == holds),
            None => Val::one_of(atom, truth(holds), truth(!holds), span),
        }
    }

    // ---- expressions ----

    /// Evaluates an expression.
    pub fn eval(&mut self, expr: &Expr) -> Val {
        if !self.budget.step() || !self.budget.enter() {
            return Val::unknown(SPENT, expr.span);
        }
        let value = self.eval_kind(expr);
        self.budget.leave();
        value
    }

    fn eval_kind(&mut self, expr: &Expr) -> Val {
        let span = expr.span;
        match &expr.kind {
            ExprKind::None => Val::new(K::None, span),
            ExprKind::Bool(value) => Val::new(K::Bool(*value), span),
            ExprKind::Number(value) => Val::new(K::Number(*value), span),
            ExprKind::Text(text) => Val::new(K::Text(Arc::clone(text)), span),
            ExprKind::Name(name) => self.variable(name, span),
            ExprKind::Attribute(object, name) => {
                let object = self.eval(object);
                self.attribute(&object, name, span)
            }
            ExprKind::Item(object, key) => {
                let object = self.eval(object);
                let key = self.eval(key);
                self.item(&object, &key, span)
            }
            ExprKind::Slice(object, bounds) => self.slice(object, bounds, span),
            ExprKind::Call(callee, arguments) => self.call_expression(callee, arguments, span),
            ExprKind::Sequence(kind, items) => {
                let (items, open) = self.elements(items);
                self.list(*kind, items, open, span)
            }
            ExprKind::Dict(entries) => self.dictionary(entries, span),
            ExprKind::Format(parts) => self.format(parts, span),
            ExprKind::Binary(left, operator, right) => {
                let (left, right) = (self.eval(left), self.eval(right));
                self.binary(&left, operator, &right, span)
            }
            ExprKind::Unary(operator, value) => {
                let value = self.eval(value);
                self.each(&value, &mut |_, value| match (&**operator, &value.kind) {
                    ("-", K::Number(number)) => Val::new(K::Number(-number), span),
                    ("+", K::Number(number)) => Val::new(K::Number(*number), span),
                    _ => Val::unknown("an operator on something unknown", span),
                })
            }
            ExprKind::Not(inner) => {
                let value = self.eval(inner);
                let text = self.source(inner.span);
                let truth = self.truth(&value, &text, inner.span);
                self.each(&truth, &mut |_, truth| match truth.kind {
                    K::Bool(known) => Val::new(K::Bool(!known), span),
                    _ => truth.clone(),
                })
            }
            ExprKind::Compare(left, comparison, right) => {
                let (a, b) = (self.eval(left), self.eval(right));
                self.compare(&a, *comparison, &b, span)
            }
            ExprKind::And(left, right) => self.junction(left, right, true, span),
            ExprKind::Or(left, right) => self.junction(left, right, false, span),
            ExprKind::Conditional(test, yes, no) => {
                let value = self.eval(test);
                let text = self.source(test.span);
                let truth = self.truth(&value, &text, test.span);
                self.each(&truth, &mut |program, truth| match truth.kind {
                    K::Bool(true) => program.eval(yes),
                    K::Bool(false) => program.eval(no),
                    _ => Val::unknown("it depends on something unknown", span),
                })
            }
            ExprKind::Lambda(function) => self.define(function, Vec::new(), span),
            ExprKind::Comprehension(comprehension) => self.comprehension(comprehension, span),
            ExprKind::Star(inner) | ExprKind::Await(inner) => self.eval(inner),
            ExprKind::Walrus(name, value) => {
                let value = self.eval(value);
                self.bind(name, value.clone());
                value
            }
            ExprKind::Unknown(why) => Val::unknown(why, span),
        }
    }

    /// The source text of a span, on one line.
    pub(super) fn source(&self, span: Span) -> String {
        let module = self
            .modules
            .iter()
            .find(|module| module.file.id() == span.file);
        let text = module.map_or("", |module| module.file.slice(span));
        let words: Vec<_> = text.split_whitespace().collect();
        let text = words.join(" ");
        text.chars().take(60).collect()
    }

    fn elements(&mut self, items: &[Expr]) -> (Vec<Val>, bool) {
        let (mut values, mut open) = (Vec::new(), false);
        for item in items {
            let ExprKind::Star(inner) = &item.kind else {
                values.push(self.eval(item));
                continue;
            };
            let value = self.eval(inner);
            match self.items(&value) {
                Some((items, more)) => {
                    values.extend(items);
                    open |= more;
                }
                None => open = true,
            }
            if values.len() > MAX_LENGTH {
                return (values, true);
            }
        }
        (values, open)
    }

    /// The items of a list whose form is certain, and whether there may be more.
    pub fn items(&self, value: &Val) -> Option<(Vec<Val>, bool)> {
        match &value.kind {
            K::Ref(id) => match self.plain(*id)? {
                Obj::List { items, open, .. } => Some((items, open)),
                Obj::Dict { entries, open } => {
                    Some((entries.into_iter().map(|(key, _)| key).collect(), open))
                }
                _ => None,
            },
            K::Text(text) => {
                let items = text.chars().map(|c| Val::text(&c.to_string(), value.span));
                Some((items.collect(), false))
            }
            K::OneOf(condition, yes, no) => match self.decided(*condition) {
                Some(true) => self.items(yes),
                Some(false) => self.items(no),
                None => None,
            },
            _ => None,
        }
    }

    /// The object, if it has one form here.
    pub(super) fn plain(&self, id: Id) -> Option<Obj> {
        let mut tree = self.heap.get(id)?.as_ref();
        loop {
            match tree {
                Tree::Leaf(obj) => return Some(obj.clone()),
                Tree::Split(condition, yes, no) => {
                    tree = if self.decided(*condition)? { yes } else { no };
                }
            }
        }
    }

    fn dictionary(&mut self, entries: &[(Option<Expr>, Expr)], span: Span) -> Val {
        let mut known: Vec<(Val, Val)> = Vec::new();
        let mut open = false;
        for (key, value) in entries {
            let value = self.eval(value);
            match key {
                Some(key) => {
                    let key = self.eval(key);
                    insert(&mut known, key, value);
                }
                None => match &value.kind {
                    K::Ref(id) => match self.plain(*id) {
                        Some(Obj::Dict {
                            entries,
                            open: more,
                        }) => {
                            for (key, value) in entries {
                                insert(&mut known, key, value);
                            }
                            open |= more;
                        }
                        _ => open = true,
                    },
                    _ => open = true,
                },
            }
        }
        self.dict(known, open, span)
    }

    fn format(&mut self, parts: &[Expr], span: Span) -> Val {
        let mut text = Val::text("", span);
        for part in parts {
            let part = self.eval(part);
            let part = self.each(&part, &mut |_, part| match &part.kind {
                K::Number(number) => Val::text(&number_text(*number), span),
                K::None => Val::text("None", span),
                K::Bool(true) => Val::text("True", span),
                K::Bool(false) => Val::text("False", span),
                K::Text(_) => part.clone(),
                _ => Val::new(K::SomeText(None), span),
            });
            text = self.binary(&text, "+", &part, span);
        }
        text.at(span)
    }

    pub(super) fn binary(&mut self, left: &Val, operator: &str, right: &Val, span: Span) -> Val {
        self.each_two(left, right, &mut |program, left, right| {
            program.binary_plain(left, operator, right, span)
        })
    }

    fn binary_plain(&mut self, left: &Val, operator: &str, right: &Val, span: Span) -> Val {
        let unknown = Val::unknown("an operator on something unknown", span);
        match (operator, &left.kind, &right.kind) {
            ("+", K::Text(a), K::Text(b)) if a.len() + b.len() <= MAX_LENGTH * 16 => {
                Val::text(&format!("{a}{b}"), span)
            }
            ("+", K::Text(_) | K::SomeText(_), K::Text(_) | K::SomeText(_)) => {
                Val::new(K::SomeText(None), span)
            }
            ("%", K::Text(_), _) => Val::new(K::SomeText(None), span),
            ("+" | "|", K::Ref(a), K::Ref(b)) => {
                let (a, b) = (*a, *b);
                self.read(a, span, &mut |program, a| {
                    program.read(b, span, &mut |program, b| program.concatenated(a, b, span))
                })
            }
            // A list and something unknown is a list with more in it.
            ("+", K::Ref(a), K::Unknown(_) | K::Foreign(_)) => {
                self.read(*a, span, &mut |program, a| match a {
                    Obj::List { kind, items, .. } => program.list(*kind, items.clone(), true, span),
                    _ => unknown.clone(),
                })
            }
            ("+", K::Unknown(_) | K::Foreign(_), K::Ref(b)) => {
                self.read(*b, span, &mut |program, b| match b {
                    Obj::List { kind, items, .. } => program.list(*kind, items.clone(), true, span),
                    _ => unknown.clone(),
                })
            }
            ("+", K::Number(a), K::Number(b)) => Val::new(K::Number(a + b), span),
            ("-", K::Number(a), K::Number(b)) => Val::new(K::Number(a - b), span),
            ("*", K::Number(a), K::Number(b)) => Val::new(K::Number(a * b), span),
            ("/", K::Foreign(_), _) => {
                // pathlib.
                Val::unknown("a path of the file system", span)
            }
            _ => unknown,
        }
    }

    fn concatenated(&mut self, a: &Obj, b: &Obj, span: Span) -> Val {
        match (a, b) {
            (
                Obj::List { kind, items, open },
                Obj::List {
                    items: more,
                    open: other,
                    ..
                },
            ) if items.len() + more.len() <= MAX_LENGTH => {
                let items = items.iter().chain(more).cloned().collect();
                self.list(*kind, items, *open || *other, span)
            }
            (
                Obj::Dict { entries, open },
                Obj::Dict {
                    entries: more,
                    open: other,
                },
            ) => {
                let mut entries = entries.clone();
                for (key, value) in more {
                    insert(&mut entries, key.clone(), value.clone());
                }
                self.dict(entries, *open || *other, span)
            }
            _ => Val::unknown("an operator on something unknown", span),
        }
    }

    fn junction(&mut self, left: &Expr, right: &Expr, and: bool, span: Span) -> Val {
        let value = self.eval(left);
        self.each(&value, &mut |program, value| {
            let text = program.source(left.span);
            let truth = program.truth(value, &text, left.span);
            program.each(&truth, &mut |program, truth| match truth.kind {
                K::Bool(holds) if holds == and => program.eval(right),
                // What is empty is known to be falsy, and the reverse.
                K::Bool(holds) => match &value.kind {
                    K::SomeText(_) if !holds => Val::text("", value.span),
                    K::Unknown(_) | K::Foreign(_) => {
                        if and {
                            Val::new(K::Bool(false), span)
                        } else {
                            value.clone()
                        }
                    }
                    _ => value.clone(),
                },
                _ => Val::unknown("it depends on something unknown", span),
            })
        })
    }

    pub(super) fn compare(
        &mut self,
        left: &Val,
        comparison: Comparison,
        right: &Val,
        span: Span,
    ) -> Val {
        self.each_two(left, right, &mut |program, left, right| match program
            .compare_plain(left, comparison, right)
        {
            Some(known) => Val::new(K::Bool(known), span),
            None => program.compare_unknown(left, comparison, right, span),
        })
    }

    fn compare_plain(&mut self, left: &Val, comparison: Comparison, right: &Val) -> Option<bool> {
        match comparison {
            Comparison::Equal => self.equal(left, right),
            Comparison::NotEqual => self.equal(left, right).map(|equal| !equal),
            Comparison::In => self.contains(right, left),
            Comparison::NotIn => self.contains(right, left).map(|found| !found),
            _ => match (&left.kind, &right.kind) {
                (K::Number(a), K::Number(b)) => Some(match comparison {
                    Comparison::Less => a < b,
                    Comparison::LessEqual => a <= b,
                    Comparison::Greater => a > b,
                    _ => a >= b,
                }),
                _ => None,
            },
        }
    }

    /// Are two plain values equal?
    pub(super) fn equal(&self, left: &Val, right: &Val) -> Option<bool> {
        Some(match (&left.kind, &right.kind) {
            (K::Unknown(_) | K::Foreign(_) | K::OneOf(..) | K::Missing, _)
            | (_, K::Unknown(_) | K::Foreign(_) | K::OneOf(..) | K::Missing) => return None,
            (K::SomeText(_), K::Text(_) | K::SomeText(_)) | (K::Text(_), K::SomeText(_)) => {
                return None;
            }
            (K::Text(a), K::Text(b)) => a == b,
            (K::Number(a), K::Number(b)) => a == b,
            (K::Bool(a), K::Bool(b)) => a == b,
            (K::None, K::None) => true,
            (K::Ref(a), K::Ref(b)) if a == b => true,
            (K::Ref(_), K::Ref(_)) | (K::Instance(..), _) | (_, K::Instance(..)) => return None,
            (a, b) => a == b,
        })
    }

    /// Does a container hold a value?
    pub(super) fn contains(&mut self, container: &Val, value: &Val) -> Option<bool> {
        match (&container.kind, &value.kind) {
            (K::Text(text), K::Text(part)) => Some(text.contains(&**part)),
            (K::Ref(id), _) => {
                let (items, open) = match self.plain(*id)? {
                    Obj::List { items, open, .. } => (items, open),
                    Obj::Dict { entries, open } => {
                        (entries.into_iter().map(|(key, _)| key).collect(), open)
                    }
                    _ => return None,
                };
                let mut certain = !open;
                for item in &items {
                    match self.equal(item, value) {
                        Some(true) => return Some(true),
                        Some(false) => {}
                        None => certain = false,
                    }
                }
                certain.then_some(false)
            }
            _ => None,
        }
    }

    fn comprehension(&mut self, comprehension: &Comprehension, span: Span) -> Val {
        let scope = self.names();
        self.scopes.insert(0, scope);
        let mut found = Vec::new();
        let mut open = false;
        self.clause(comprehension, 0, &mut found, &mut open);
        self.scopes.remove(0);
        if comprehension.value.is_some() {
            let entries = found
                .chunks(2)
                .filter_map(|pair| Some((pair.first()?.clone(), pair.get(1)?.clone())));
            let entries = entries.collect();
            return self.dict(entries, open, span);
        }
        self.list(comprehension.kind, found, open, span)
    }

    fn clause(
        &mut self,
        comprehension: &Comprehension,
        at: usize,
        found: &mut Vec<Val>,
        open: &mut bool,
    ) {
        let Some((target, items, tests)) = comprehension.clauses.get(at) else {
            let element = self.eval(&comprehension.element);
            found.push(element);
            if let Some(value) = &comprehension.value {
                let value = self.eval(value);
                found.push(value);
            }
            return;
        };
        let items = self.eval(items);
        let Some((items, more)) = self.items(&items) else {
            *open = true;
            return;
        };
        *open |= more;
        for item in items {
            if !self.budget.step() || found.len() > MAX_LENGTH {
                *open = true;
                return;
            }
            self.assign(target, item);
            let mut keep = true;
            for test in tests {
                let value = self.eval(test);
                let text = self.source(test.span);
                match self.truth(&value, &text, test.span).kind {
                    K::Bool(true) => {}
                    K::Bool(false) => keep = false,
                    _ => {
                        keep = false;
                        *open = true;
                    }
                }
            }
            if keep {
                self.clause(comprehension, at + 1, found, open);
            }
        }
    }

    fn slice(&mut self, object: &Expr, bounds: &[Option<Box<Expr>>; 2], span: Span) -> Val {
        let object = self.eval(object);
        let mut at = [None, None];
        for (bound, at) in bounds.iter().zip(&mut at) {
            if let Some(bound) = bound {
                let K::Number(number) = self.eval(bound).kind else {
                    return Val::unknown("a part whose bounds are unknown", span);
                };
                let number = number as i64;
                *at = Some(number);
            }
        }
        let range = |length: usize| {
            let length = i64::try_from(length).unwrap_or(i64::MAX);
            let bound = |at: i64| if at < 0 { at + length } else { at }.clamp(0, length);
            let (start, end) = (at[0].map_or(0, bound), at[1].map_or(length, bound));
            let as_index = |at: i64| usize::try_from(at).unwrap_or_default();
            as_index(start)..as_index(end.max(start))
        };
        self.each(&object, &mut |program, object| match &object.kind {
            K::Text(text) => {
                let chars: Vec<char> = text.chars().collect();
                let part: String = chars[range(chars.len())].iter().collect();
                Val::text(&part, span)
            }
            K::SomeText(_) => Val::new(K::SomeText(None), span),
            K::Ref(id) => program.read(*id, span, &mut |program, obj| match obj {
                Obj::List {
                    kind,
                    items,
                    open: false,
                } => {
                    let part = items[range(items.len())].to_vec();
                    program.list(*kind, part, false, span)
                }
                Obj::List { kind, .. } => program.list(*kind, Vec::new(), true, span),
                _ => Val::unknown("a part of something unknown", span),
            }),
            _ => Val::unknown("a part of something unknown", span),
        })
    }

    // ---- to the shared value ----

    /// The value for a framework. Conditions that it depends on are registered in `conditions`.
    pub fn export(&self, value: &Val, conditions: &mut Conditions) -> Value {
        self.export_at(value, conditions, 0, &mut self.path.clone())
    }

    fn export_at(
        &self,
        value: &Val,
        conditions: &mut Conditions,
        depth: usize,
        path: &mut Vec<(usize, bool)>,
    ) -> Value {
        let span = value.span;
        if depth > MAX_EXPORT {
            return Value::unknown("it is nested too deeply", span);
        }
        let kind = match &value.kind {
            K::Missing => Kind::Undefined,
            K::None => Kind::Null,
            K::Bool(value) => Kind::Bool(*value),
            K::Number(value) => Kind::Number(*value),
            K::Text(text) => Kind::String((**text).to_owned()),
            K::SomeText(_) => Kind::Unknown("a text that is not in view"),
            K::Ref(id) => {
                let Some(tree) = self.heap.get(*id) else {
                    return Value::unknown(SPENT, span);
                };
                return self.export_tree(tree, span, conditions, depth, path);
            }
            K::Function(index) => Kind::Function(*index),
            K::Class(index) => Kind::Object(self.classes[*index].class.name.to_string()),
            K::Instance(index, _) => Kind::Object(self.classes[*index].class.name.to_string()),
            K::Module(_) => Kind::Object("module".into()),
            K::Foreign(_) => Kind::Unknown("it comes from a library"),
            K::Method(..) => Kind::Object("method".into()),
            K::Regex(pattern, flags) => Kind::Regex(Regex {
                pattern: (**pattern).to_owned(),
                flags: (**flags).to_owned(),
                offset: None,
            }),
            K::OneOf(atom, yes, no) => {
                if let Some((_, holds)) = path.iter().find(|(at, _)| at == atom) {
                    let chosen = if *holds { yes } else { no };
                    return self.export_at(chosen, conditions, depth + 1, path);
                }
                return self.split(
                    *atom,
                    span,
                    conditions,
                    path,
                    &mut |conditions, path, holds| {
                        self.export_at(if holds { yes } else { no }, conditions, depth + 1, path)
                    },
                );
            }
            K::Unknown(why) => Kind::Unknown(why),
        };
        Value::new(kind, span)
    }

    fn split(
        &self,
        atom: usize,
        span: Span,
        conditions: &mut Conditions,
        path: &mut Vec<(usize, bool)>,
        side: &mut Side<'_>,
    ) -> Value {
        let mut run = |conditions: &mut Conditions, holds| {
            path.push((atom, holds));
            let value = side(conditions, path, holds);
            path.pop();
            value
        };
        let (yes, no) = (run(conditions, true), run(conditions, false));
        if yes == no {
            return yes;
        }
        match conditions.atom(self.atoms[atom].clone()) {
            Some(condition) => {
                let one_of = OneOf { condition, yes, no };
                Value::new(Kind::OneOf(Box::new(one_of)), span)
            }
            None => Value::unknown("it depends on too many conditions", span),
        }
    }

    fn export_tree(
        &self,
        tree: &Tree,
        span: Span,
        conditions: &mut Conditions,
        depth: usize,
        path: &mut Vec<(usize, bool)>,
    ) -> Value {
        let obj = match tree {
            Tree::Leaf(obj) => obj,
            Tree::Split(atom, yes, no) => {
                if let Some((_, holds)) = path.iter().find(|(at, _)| at == atom) {
                    let chosen = if *holds { yes } else { no };
                    return self.export_tree(chosen, span, conditions, depth, path);
                }
                return self.split(
                    *atom,
                    span,
                    conditions,
                    path,
                    &mut |conditions, path, holds| {
                        let side = if holds { yes } else { no };
                        self.export_tree(side, span, conditions, depth + 1, path)
                    },
                );
            }
        };
        let kind = match obj {
            Obj::List { items, open, .. } => Kind::List(List {
                items: items
                    .iter()
                    .take(MAX_LENGTH)
                    .map(|item| self.export_at(item, conditions, depth + 1, path))
                    .collect(),
                open: *open || items.len() > MAX_LENGTH,
            }),
            Obj::Dict { entries, open } => {
                let mut map = Map {
                    entries: Vec::new(),
                    open: *open,
                };
                for (key, value) in entries {
                    match key.as_text() {
                        Some(text) => map.set(Entry {
                            key: text.to_owned(),
                            key_span: key.span,
                            value: self.export_at(value, conditions, depth + 1, path),
                        }),
                        None => map.open = true,
                    }
                }
                Kind::Map(map)
            }
            Obj::Names { .. } => Kind::Object("object".into()),
            Obj::Unknown(why) => Kind::Unknown(why),
        };
        Value::new(kind, span)
    }

    /// Decides everything that the world decides. `conditions` are those of [`Program::export`].
    pub fn assume(&mut self, conditions: &[Condition], world: &World) {
        for (condition, holds) in conditions.iter().zip(&world.holds) {
            for (at, atom) in self.atoms.iter().enumerate() {
                if atom.text == condition.text || (atom.development && condition.development) {
                    self.path.push((at, *holds));
                }
            }
        }
    }
}

/// Exports one side of a condition.
type Side<'s> = dyn FnMut(&mut Conditions, &mut Vec<(usize, bool)>, bool) -> Value + 's;

/// Sets a key of a dictionary.
pub(super) fn insert(entries: &mut Vec<(Val, Val)>, key: Val, value: Val) {
    match entries.iter_mut().find(|(known, _)| known.kind == key.kind) {
        Some((_, known)) => *known = value,
        None => entries.push((key, value)),
    }
}

/// A number as `str` writes it.
pub(super) fn number_text(number: f64) -> String {
    format!("{number}")
}
