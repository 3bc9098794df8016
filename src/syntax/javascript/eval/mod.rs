//! Evaluating programs: a small abstract machine for JavaScript.
//!
//! It runs what it knows and calls everything else unknown. What a framework's objects do is the
//! [`Host`]'s business. One run belongs to one world: where the program asks for a deployment
//! condition, the host decides.

mod builtins;
mod collections;
mod expressions;
pub mod heap;
mod members;
mod modules;
mod operators;
mod statements;
mod strings;
mod values;

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;
use std::sync::Arc;

use heap::{Arena, Id, Object, ObjectKind, Scope, V, Val};
pub use modules::{Library, Loaded};

use super::ast::{Body, Function, Name, Pattern, Reach};
use crate::limits::javascript::ITEMS_PER_STEP;
use crate::model::Condition;
use crate::source::{Sources, Span};
use crate::syntax::value::Budget;

/// What ends an evaluation early.
#[derive(Debug)]
pub enum Abrupt {
    /// A value is thrown.
    Throw(Val),
    /// The budget is spent, or the process ends.
    Stop,
}

/// The result of an expression.
pub type Result<T> = std::result::Result<T, Abrupt>;

/// What the machine asks before it takes one of two ways.
#[derive(Debug)]
pub enum Question<'a> {
    /// A deployment condition.
    Condition(&'a Condition),
    /// Something unknown; the text of the test and its place.
    Unknown(&'a str, Span),
}

/// A call of something that the machine does not know.
#[derive(Debug)]
pub struct Call<'a> {
    /// What is called.
    pub callee: &'a Val,
    /// `this`.
    pub this: &'a Val,
    /// Arguments.
    pub args: &'a [Val],
    /// Places of the arguments in the call.
    pub arg_spans: &'a [Span],
    /// The whole call.
    pub span: Span,
    /// With `new`.
    pub new: bool,
}

/// What a framework adds to the language.
pub trait Host: Sized {
    /// Which way to take; `true` if the test holds.
    fn decide(&mut self, question: &Question<'_>) -> bool;

    /// A property of a host object or a foreign value, if the framework knows it.
    fn member(machine: &mut Machine<'_, Self>, object: &Val, name: &str, span: Span)
    -> Option<Val>;

    /// An assignment to a property of a host object; `false` if it is nothing special.
    fn assign(machine: &mut Machine<'_, Self>, object: &Val, name: &str, value: &Val) -> bool;

    /// A call of a host function or something foreign, if the framework knows it.
    fn call(machine: &mut Machine<'_, Self>, call: &Call<'_>) -> Option<Result<Val>>;

    /// A variable that nobody declares.
    fn global(machine: &mut Machine<'_, Self>, name: &str, span: Span) -> Option<Val>;

    /// An unknown function is called with these arguments. `true`: functions among them are called
    /// at once, `false`: when all else is done.
    fn escape(machine: &mut Machine<'_, Self>, args: &[Val], span: Span) -> bool;

    /// The value of a call that is a statement: nobody uses it.
    fn discard(machine: &mut Machine<'_, Self>, val: &Val);

    /// Does this text stand for a member of every list whose content is unknown?
    fn is_member(&self, text: &str) -> bool;

    /// Is this the text, or a part of it, that the program is asked to judge?
    fn is_subject(&self, text: &str) -> bool;

    /// What the program is asked to judge was compared with something.
    fn compared(&mut self, subject: &str, with: &Val, how: Comparison, holds: bool);

    /// What the program makes of what it is asked to judge cannot be told, because of this.
    fn judged_unknown(&mut self, with: &Val);
}

/// How two texts are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// As a whole.
    Equal,
    /// One holds the other.
    Part,
    /// With a regular expression.
    Pattern,
}

/// Stack that must be left before going deeper, and how much is added then.
const RED_ZONE: usize = 256 * 1024;
const STACK: usize = 4 * 1024 * 1024;

/// The abstract machine.
#[derive(Debug)]
pub struct Machine<'s, H> {
    /// The framework's part.
    pub host: H,
    /// Objects.
    pub objects: Arena<Object>,
    /// Scopes.
    pub scopes: Arena<Scope>,
    /// What may still be done.
    pub budget: Budget,
    /// Deployment conditions that values speak of.
    pub conditions: Arc<Vec<Condition>>,
    /// Modules by path: their `module` object.
    loaded: HashMap<PathBuf, Id>,
    loading: Vec<PathBuf>,
    deferred: Vec<(Val, Span)>,
    library: Arc<Library>,
    is_loading: bool,
    sources: Option<&'s Sources>,
    called: HashSet<Span>,
}

/// A program after it was loaded, shared by all requests.
#[derive(Clone, Debug)]
pub struct Image {
    objects: Arc<Vec<Object>>,
    scopes: Arc<Vec<Scope>>,
    conditions: Arc<Vec<Condition>>,
    library: Arc<Library>,
}

impl<'s, H: Host> Machine<'s, H> {
    /// A machine with nothing on its heap.
    pub fn new(
        host: H,
        library: Arc<Library>,
        sources: Option<&'s Sources>,
        budget: Budget,
    ) -> Self {
        Self {
            host,
            objects: Arena::default(),
            scopes: Arena::default(),
            budget,
            conditions: Arc::default(),
            loaded: HashMap::new(),
            loading: Vec::new(),
            deferred: Vec::new(),
            library,
            is_loading: true,
            sources,
            called: HashSet::new(),
        }
    }

    /// A machine over a loaded program.
    pub fn over(image: &Image, host: H, budget: Budget) -> Self {
        let library = Arc::clone(&image.library);
        Self {
            objects: Arena::over(&image.objects),
            scopes: Arena::over(&image.scopes),
            conditions: Arc::clone(&image.conditions),
            is_loading: false,
            ..Self::new(host, library, None, budget)
        }
    }

    /// Ends loading: the program as it is now, and the framework's part.
    pub fn freeze(self) -> (Image, H) {
        let image = Image {
            objects: self.objects.freeze(),
            scopes: self.scopes.freeze(),
            conditions: self.conditions,
            library: self.library,
        };
        (image, self.host)
    }

    /// Is the program being loaded, not asked?
    #[must_use]
    pub const fn loading(&self) -> bool {
        self.is_loading
    }

    /// The source text of a span.
    #[must_use]
    pub fn text(&self, span: Span) -> String {
        self.library.text(span)
    }

    fn step(&mut self) -> Result<()> {
        if self.budget.step() {
            Ok(())
        } else {
            Err(Abrupt::Stop)
        }
    }

    /// Pays for work on so many elements; `false` if no step is left.
    pub fn pay(&mut self, items: usize) -> bool {
        self.budget.spend(1 + items / ITEMS_PER_STEP)
    }

    /// Puts an object on the heap.
    pub fn allocate(&mut self, kind: ObjectKind, span: Span) -> Val {
        let id = self.objects.add(Object::new(kind, span));
        Val::new(V::Object(id), span)
    }

    /// An array.
    pub fn array(&mut self, items: Vec<Val>, open: bool, span: Span) -> Val {
        self.allocate(ObjectKind::Array(items, open), span)
    }

    /// The object behind a value, if it is one.
    #[must_use]
    pub fn object(&self, val: &Val) -> Option<&Object> {
        val.as_id().map(|id| self.objects.get(id))
    }

    /// What the environment is known to hold under a name.
    #[must_use]
    pub fn environment(&self, name: &str) -> Option<&str> {
        self.library.environment.get(name)
    }

    /// A function value's definition.
    #[must_use]
    pub fn function(&self, val: &Val) -> Option<Arc<Function>> {
        match &self.object(val)?.kind {
            ObjectKind::Function(function, _) => Some(Arc::clone(function)),
            ObjectKind::Bound(function, ..) => self.function(function),
            _ => None,
        }
    }

    /// Is it something that can be called, as far as can be told?
    #[must_use]
    pub fn is_callable(&self, val: &Val) -> bool {
        match &val.v {
            V::Object(id) => matches!(
                self.objects.get(*id).kind,
                ObjectKind::Function(..) | ObjectKind::Bound(..) | ObjectKind::Class(..)
            ),
            V::Host(..) | V::Native(_) => true,
            _ => false,
        }
    }

    /// Which condition a text stands for.
    pub(crate) fn condition(&mut self, text: String, span: Span, development: bool) -> usize {
        let known = self.conditions.iter().position(|known| known.text == text);
        known.unwrap_or_else(|| {
            let condition = Condition {
                text,
                span: Some(span),
                development,
            };
            Arc::make_mut(&mut self.conditions).push(condition);
            self.conditions.len() - 1
        })
    }

    fn holds(&mut self, condition: usize) -> bool {
        let conditions = Arc::clone(&self.conditions);
        self.host
            .decide(&Question::Condition(&conditions[condition]))
    }

    fn is_about_subject(&self, val: &Val) -> bool {
        val.as_str().is_some_and(|text| self.host.is_subject(text))
    }

    fn note(&mut self, subject: &Val, with: &Val, how: Comparison, holds: Option<bool>) {
        let Some(text) = subject.as_str().filter(|text| self.host.is_subject(text)) else {
            return;
        };
        let Some(holds) = holds else {
            self.host.judged_unknown(with);
            return;
        };
        if with.as_str().is_some() || with.is_opaque() {
            self.host.compared(text, with, how, holds);
        }
    }

    /// Was a function called while the program was loaded?
    #[must_use]
    pub fn was_called(&self, function: &Function) -> bool {
        self.called.contains(&function.span)
    }

    /// The plain value behind a choice or a test.
    pub fn force(&mut self, val: Val) -> Val {
        let mut val = val;
        loop {
            match &val.v {
                V::Choice(choice) => {
                    let choice = Arc::clone(choice);
                    let holds = self.holds(choice.condition);
                    val = if holds {
                        choice.yes.clone()
                    } else {
                        choice.no.clone()
                    };
                }
                V::Test(condition, negated) => {
                    let (condition, negated) = (*condition, *negated);
                    let holds = self.holds(condition);
                    return Val::bool(holds != negated, val.span);
                }
                _ => return val,
            }
        }
    }

    /// The truth value, if it can be told without asking.
    #[must_use]
    pub fn truth(&self, val: &Val) -> Option<bool> {
        Some(match &val.v {
            V::Undefined | V::Null => false,
            V::Bool(value) => *value,
            V::Number(value) => *value != 0.0 && !value.is_nan(),
            V::String(text) => !text.is_empty(),
            V::Object(_) | V::Native(_) | V::Host(..) => true,
            V::Unknown(unknown) => return unknown.truthy,
            V::Foreign(_) | V::Env(_) | V::Test(..) | V::Choice(_) => return None,
        })
    }

    /// Decides a test; asks the host if it must.
    pub fn decide(&mut self, val: &Val, span: Span) -> bool {
        if let V::Env(name) = &val.v {
            let condition = self.is_set(&Arc::clone(name), span);
            return self.holds(condition);
        }
        let val = self.force(val.clone());
        if let V::Env(_) = val.v {
            return self.decide(&val, span);
        }
        self.truth(&val).unwrap_or_else(|| {
            let text = self.text(span);
            self.host.decide(&Question::Unknown(&text, span))
        })
    }

    pub(crate) fn is_set(&mut self, name: &str, span: Span) -> usize {
        self.condition(format!("{name} is set"), span, false)
    }

    /// A new scope inside another.
    pub(crate) fn scope(&mut self, parent: Option<Id>) -> Id {
        self.scopes.add(Scope {
            parent,
            ..Scope::default()
        })
    }

    /// A scope of a block inside of another.
    pub(super) fn block(&mut self, around: Id) -> Id {
        self.scopes.add(Scope {
            parent: Some(around),
            is_block: true,
            ..Scope::default()
        })
    }

    /// The scope in which a declaration makes its names.
    pub(super) fn reached(&self, reach: Reach, scope: Id) -> Id {
        let mut at = scope;
        while reach == Reach::Function && self.scopes.get(at).is_block {
            match self.scopes.get(at).parent {
                Some(parent) => at = parent,
                None => break,
            }
        }
        at
    }

    pub(crate) fn declare(&mut self, scope: Id, name: &Name, val: Val) {
        self.scopes
            .get_mut(scope)
            .variables
            .insert(Arc::clone(name), val);
    }

    /// The value of a variable.
    #[must_use]
    pub fn lookup(&self, scope: Id, name: &str) -> Option<Val> {
        let mut at = Some(scope);
        while let Some(id) = at {
            let scope = self.scopes.get(id);
            if let Some(val) = scope.variables.get(name) {
                return Some(val.clone());
            }
            at = scope.parent;
        }
        None
    }

    fn set_variable(&mut self, scope: Id, name: &Name, val: Val) {
        let mut at = Some(scope);
        while let Some(id) = at {
            if self.scopes.get(id).variables.contains_key(name) {
                self.declare(id, name, val);
                return;
            }
            at = self.scopes.get(id).parent;
        }
        self.declare(scope, name, val);
    }

    /// Calls a value.
    ///
    /// # Errors
    /// What it throws, or the end of the budget.
    pub fn call(&mut self, callee: &Val, this: &Val, args: &[Val], span: Span) -> Result<Val> {
        let spans: Vec<Span> = args.iter().map(|arg| arg.span).collect();
        self.call_with(&Call {
            callee,
            this,
            args,
            arg_spans: &spans,
            span,
            new: false,
        })
    }

    pub(crate) fn call_with(&mut self, call: &Call<'_>) -> Result<Val> {
        self.step()?;
        let callee = self.force(call.callee.clone());
        let call = &Call {
            callee: &callee,
            ..*call
        };
        if let V::Object(id) = callee.v {
            match self.objects.get(id).kind.clone() {
                ObjectKind::Function(function, scope) => {
                    return self.apply(&function, scope, call.this, call.args, call.span);
                }
                ObjectKind::Bound(function, this, mut bound) => {
                    self.pay(bound.len());
                    bound.extend(call.args.iter().cloned());
                    return self.call(&function, &this, &bound, call.span);
                }
                ObjectKind::Class(..) if call.new => return self.instantiate(id, call),
                _ => {}
            }
        }
        if let V::Native(name) = &callee.v {
            let name = Arc::clone(name);
            if let Some(result) = self.call_native(&name, call) {
                return result;
            }
        }
        if let Some(result) = H::call(self, call) {
            return result;
        }
        self.call_unknown(call)
    }

    /// Somebody out of view is called: what it is given may be called back.
    fn call_unknown(&mut self, call: &Call<'_>) -> Result<Val> {
        let at_once = H::escape(self, call.args, call.span);
        for arg in call.args {
            if self.function(arg).is_none() {
                continue;
            }
            if at_once {
                self.call_back(arg, call.span)?;
            } else if self.deferred.len() < 10_000 {
                self.deferred.push((arg.clone(), call.span));
            }
        }
        let member = |val: &Val| val.as_str().is_some_and(|text| self.host.is_member(text));
        let about_member = call.args.iter().any(member) || member(call.this);
        let v = match &call.callee.v {
            V::Foreign(path) if path.len() < 200 => V::Foreign(format!("{path}()").into()),
            _ if about_member => V::Bool(true),
            _ => {
                return Ok(Val::unknown(
                    "it comes from code that is not in view",
                    call.span,
                ));
            }
        };
        let v = if about_member { V::Bool(true) } else { v };
        Ok(Val::new(v, call.span))
    }

    /// Calls a function with arguments that cannot be told.
    ///
    /// # Errors
    /// The end of the budget; what it throws goes to somebody out of view.
    pub fn call_back(&mut self, function: &Val, span: Span) -> Result<()> {
        let count = self
            .function(function)
            .map_or(0, |found| found.params.len());
        let args = vec![Val::unknown("it is given by code that is not in view", span); count];
        match self.call(function, &Val::undefined(span), &args, span) {
            Err(Abrupt::Stop) if self.budget.is_spent() => Err(Abrupt::Stop),
            _ => Ok(()),
        }
    }

    /// Calls a function when all else is done.
    pub fn defer(&mut self, function: Val, span: Span) {
        self.deferred.push((function, span));
    }

    /// Calls what was given to code out of view, in order.
    pub fn run_deferred(&mut self) {
        for _ in 0..4 {
            for (function, span) in std::mem::take(&mut self.deferred) {
                if self.call_back(&function, span).is_err() {
                    return;
                }
            }
        }
    }

    fn apply(
        &mut self,
        function: &Arc<Function>,
        scope: Id,
        this: &Val,
        args: &[Val],
        span: Span,
    ) -> Result<Val> {
        if function.generator {
            return Ok(Val::unknown("generators are not evaluated", span));
        }
        if !self.budget.enter() {
            return Ok(Val::unknown("calls are nested too deeply", span));
        }
        if self.is_loading {
            self.called.insert(function.span);
        }
        let result = stacker::maybe_grow(RED_ZONE, STACK, || {
            self.apply_now(function, scope, this, args, span)
        });
        self.budget.leave();
        match result {
            Err(Abrupt::Throw(error)) if function.is_async => {
                Ok(self.allocate(ObjectKind::Rejected(Box::new(error)), span))
            }
            other => other,
        }
    }

    fn apply_now(
        &mut self,
        function: &Arc<Function>,
        scope: Id,
        this: &Val,
        args: &[Val],
        span: Span,
    ) -> Result<Val> {
        let scope = self.scope(Some(scope));
        if !function.arrow {
            self.declare(scope, &"this".into(), this.clone());
            let arguments = self.array(args.to_vec(), false, span);
            self.declare(scope, &"arguments".into(), arguments);
        }
        for (at, param) in function.params.iter().enumerate() {
            let given = if param.rest {
                let rest = args.get(at..).unwrap_or_default().to_vec();
                self.array(rest, false, span)
            } else {
                args.get(at).cloned().unwrap_or(Val::undefined(span))
            };
            let val = match &param.default {
                Some(default) if matches!(given.v, V::Undefined) => self.eval(default, scope)?,
                _ => given,
            };
            if let (Some(property), Some(id)) = (&param.property, this.as_id()) {
                self.objects
                    .get_mut(id)
                    .set(property, val.span, val.clone());
            }
            self.bind(&param.pattern, val, scope)?;
        }
        match &function.body {
            Body::Expr(expr) => self.eval(expr, scope),
            Body::Block(statements) => match self.exec_all(statements, scope)? {
                statements::Flow::Return(val) => Ok(val),
                _ => Ok(Val::undefined(span)),
            },
        }
    }

    /// Binds the names of a pattern as new variables.
    pub(crate) fn bind(&mut self, pattern: &Pattern, val: Val, scope: Id) -> Result<()> {
        self.assign_pattern(pattern, val, scope, true)
    }
}
