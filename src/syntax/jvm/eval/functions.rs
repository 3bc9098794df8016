//! Calling methods, lambdas and whatever else can be called.

use std::sync::Arc;

use super::heap::{Id, ObjectKind, Sequence, V, Val};
use super::{Abrupt, Call, Host, Machine, RED_ZONE, Result, STACK};
use crate::source::Span;
use crate::syntax::jvm::ast::{Annotation, Arg, Body, Class, Expr, Lambda, Language, Method, Name};

/// Evaluated arguments.
#[derive(Clone, Debug, Default)]
pub(super) struct Args {
    pub(super) values: Vec<Val>,
    /// Kotlin: their names; empty if none has one.
    pub(super) names: Vec<Option<Name>>,
    /// There may be more.
    pub(super) open: bool,
}

impl Args {
    pub(super) fn positional(values: &[Val]) -> Self {
        Self {
            values: values.to_vec(),
            ..Self::default()
        }
    }

    pub(super) fn push(&mut self, name: Option<Name>, val: Val) {
        if name.is_some() || !self.names.is_empty() {
            self.names.resize(self.values.len(), None);
            self.names.push(name);
        }
        self.values.push(val);
    }

    pub(super) fn named(&self, name: &str) -> Option<&Val> {
        let mut names = self.names.iter();
        let at = names.position(|known| known.as_deref() == Some(name))?;
        self.values.get(at)
    }

    pub(super) fn positional_at(&self, at: usize) -> Option<&Val> {
        let positional = self.names.get(at).is_none_or(Option::is_none);
        self.values.get(at).filter(|_| positional)
    }

    /// Can a method be called with these?
    pub(super) fn fits(&self, method: &Method) -> bool {
        let params = &method.params;
        let many = params.last().is_some_and(|param| param.varargs);
        let count = self.values.len();
        let known = |name: &Option<Name>| {
            name.as_ref()
                .is_none_or(|name| params.iter().any(|param| param.name == *name))
        };
        let optional = |param: &&crate::syntax::jvm::ast::Param| {
            param.default.is_none() && !param.varargs && self.named(&param.name).is_none()
        };
        let needed = params.iter().filter(optional).count();
        let positional = self.names.iter().filter(|name| name.is_some()).count();
        let positional = count - positional.min(count);
        (self.open || positional >= needed)
            && (many || count <= params.len())
            && self.names.iter().all(known)
    }

    pub(super) fn call<'a>(
        &'a self,
        receiver: &'a Val,
        method: &'a str,
        name_span: Span,
        span: Span,
    ) -> Call<'a> {
        Call {
            receiver,
            method,
            name_span,
            args: &self.values,
            names: &self.names,
            open: self.open,
            span,
        }
    }
}

impl<H: Host> Machine<'_, H> {
    /// Evaluates arguments.
    pub(super) fn args(&mut self, args: &[Arg], scope: Id) -> Result<Args> {
        let mut result = Args::default();
        for arg in args {
            let val = self.eval(&arg.value, scope)?;
            if !arg.spread {
                result.push(arg.name.clone(), val);
                continue;
            }
            match self.items(&val) {
                Some((items, open)) => {
                    for item in items {
                        result.push(None, item);
                    }
                    result.open |= open;
                }
                None => {
                    let why = "the list that is given is not in view";
                    result.push(None, Val::unknown(why, val.span));
                    result.open = true;
                }
            }
        }
        Ok(result)
    }

    /// Calls a method of the project on a value; for static ones, [`V::Class`].
    ///
    /// # Errors
    /// What it throws, or the end of the budget.
    pub fn invoke(
        &mut self,
        this: &Val,
        class: &Arc<Class>,
        method: &Arc<Method>,
        args: &[Val],
        span: Span,
    ) -> Result<Val> {
        self.invoke_with(this, class, method, &Args::positional(args), span)
    }

    pub(super) fn invoke_with(
        &mut self,
        this: &Val,
        class: &Arc<Class>,
        method: &Arc<Method>,
        args: &Args,
        span: Span,
    ) -> Result<Val> {
        self.step()?;
        if let Some(result) = H::intercept(self, this, class, method, &args.values) {
            return result;
        }
        let scope = self.method_scope(this, class);
        self.run_method(method, args, scope, span)
    }

    /// Runs a method whose `this` is in the scope.
    pub(super) fn run_method(
        &mut self,
        method: &Arc<Method>,
        args: &Args,
        scope: Id,
        span: Span,
    ) -> Result<Val> {
        let Some(body) = &method.body else {
            return Ok(Val::unknown("the method is not in view", span));
        };
        if !self.budget.enter() {
            return Ok(Val::unknown("calls are nested too deeply", span));
        }
        let result = stacker::maybe_grow(RED_ZONE, STACK, || {
            self.bind_params(method, args, scope, span)?;
            self.run_body(body, scope, span)
        });
        self.budget.leave();
        result
    }

    /// Runs a body to its `return`.
    pub(super) fn run_body(&mut self, body: &Body, scope: Id, span: Span) -> Result<Val> {
        match body {
            Body::Expr(expr) => match self.eval(expr, scope) {
                Err(Abrupt::Return(val, None)) => Ok(val),
                other => other,
            },
            Body::Block(statements) => match self.exec_all(statements, scope) {
                Ok(_) => Ok(Val::void(span)),
                Err(Abrupt::Return(val, _)) => Ok(val),
                Err(Abrupt::Break(_) | Abrupt::Continue) => Ok(Val::void(span)),
                Err(other) => Err(other),
            },
        }
    }

    /// Declares the parameters of a method.
    pub(super) fn bind_params(
        &mut self,
        method: &Method,
        args: &Args,
        scope: Id,
        span: Span,
    ) -> Result<()> {
        for (at, param) in method.params.iter().enumerate() {
            let val = if param.varargs {
                let rest: Vec<Val> = (at..args.values.len())
                    .filter_map(|at| args.positional_at(at).cloned())
                    .chain(args.named(&param.name).cloned())
                    .collect();
                match rest.as_slice() {
                    // An array may be given as it is.
                    [one] if self.is_array(one) => one.clone(),
                    _ => self.array(rest, args.open, span),
                }
            } else {
                match args.named(&param.name).or_else(|| args.positional_at(at)) {
                    Some(val) => val.clone(),
                    None => match &param.default {
                        Some(default) => self.eval(default, scope)?,
                        None => Val::unknown("it is given by code that is not in view", span),
                    },
                }
            };
            self.declare(scope, &param.name, val);
        }
        Ok(())
    }

    fn is_array(&self, val: &Val) -> bool {
        self.object(val).is_some_and(|object| {
            let kind = Sequence::Array;
            matches!(object.kind, ObjectKind::List { kind: found, .. } if found == kind)
        })
    }

    /// Is it something that can be called like a function?
    #[must_use]
    pub fn is_function(&self, val: &Val) -> bool {
        self.object(val).is_some_and(|object| {
            matches!(
                object.kind,
                ObjectKind::Lambda(..) | ObjectKind::Function(..) | ObjectKind::Reference(..)
            )
        })
    }

    /// Calls a lambda, a method reference, or an instance of an interface with one method.
    /// `receiver` is what `this` is in a Kotlin block.
    ///
    /// # Errors
    /// What it throws, or the end of the budget.
    pub fn call_function(
        &mut self,
        function: &Val,
        receiver: Option<&Val>,
        args: &[Val],
        span: Span,
    ) -> Result<Val> {
        self.call_value(function, receiver, &Args::positional(args), span)
    }

    pub(super) fn call_value(
        &mut self,
        function: &Val,
        receiver: Option<&Val>,
        args: &Args,
        span: Span,
    ) -> Result<Val> {
        self.step()?;
        // What is called may be the framework's, which calls what it is given: itself, for all we know.
        if !self.budget.enter() {
            return Ok(Val::unknown("calls are nested too deeply", span));
        }
        let result = stacker::maybe_grow(RED_ZONE, STACK, || {
            self.call_kind(function, receiver, args, span)
        });
        self.budget.leave();
        result
    }

    fn call_kind(
        &mut self,
        function: &Val,
        receiver: Option<&Val>,
        args: &Args,
        span: Span,
    ) -> Result<Val> {
        let kind = self.object(function).map(|object| object.kind.clone());
        match kind {
            Some(ObjectKind::Lambda(lambda, scope)) => {
                self.apply(&lambda, scope, receiver, &args.values, span)
            }
            Some(ObjectKind::Function(method, scope)) => {
                let scope = self.scope(Some(scope));
                if let Some(receiver) = receiver {
                    self.scopes.get_mut(scope).this = Some(receiver.clone());
                }
                self.run_method(&method, args, scope, span)
            }
            Some(ObjectKind::Reference(of, name, scope)) => {
                self.call_reference(of.as_ref(), &name, scope, receiver, args, span)
            }
            Some(ObjectKind::Instance(class, _)) => {
                let ancestry = self.program.ancestry(&class, self.sources);
                let count = args.values.len();
                let methods = ancestry.iter().flat_map(|class| &class.methods);
                let mut methods = methods.filter(|method| method.body.is_some());
                let single = |method: &&Arc<Method>| {
                    !method.is_static
                        && (method.params.len() == count || &*method.name == "invoke")
                        && !matches!(&*method.name, "toString" | "hashCode" | "equals")
                };
                let found = methods.find(single).cloned();
                match found {
                    Some(method) => self.invoke_with(function, &class, &method, args, span),
                    None => self.call_host(&args.call(function, "invoke", span, span)),
                }
            }
            _ => self.call_host(&args.call(function, "invoke", span, span)),
        }
    }

    fn apply(
        &mut self,
        lambda: &Arc<Lambda>,
        scope: Id,
        receiver: Option<&Val>,
        args: &[Val],
        span: Span,
    ) -> Result<Val> {
        let scope = self.scope(Some(scope));
        if let Some(receiver) = receiver
            && lambda.language == Language::Kotlin
        {
            self.scopes.get_mut(scope).this = Some(receiver.clone());
        }
        let given = |at: usize| {
            let why = "it is given by code that is not in view";
            args.get(at).cloned().unwrap_or(Val::unknown(why, span))
        };
        if !lambda.has_params && (!args.is_empty() || receiver.is_none()) {
            self.declare(scope, &"it".into(), given(0));
        }
        for (at, names) in lambda.params.iter().enumerate() {
            match names.as_slice() {
                [name] => self.declare(scope, name, given(at)),
                names => self.destructure(names, &given(at), scope)?,
            }
        }
        match self.exec_all(&lambda.body, scope) {
            Err(Abrupt::Return(val, label)) if lambda.is_function || label.is_some() => Ok(val),
            Ok(last) => Ok(last.unwrap_or(Val::void(span))),
            Err(other) => Err(other),
        }
    }

    fn call_reference(
        &mut self,
        of: Option<&Val>,
        name: &Name,
        scope: Id,
        receiver: Option<&Val>,
        args: &Args,
        span: Span,
    ) -> Result<Val> {
        let mut args = args.clone();
        if let Some(receiver) = receiver
            && args.values.is_empty()
        {
            args.values.push(receiver.clone());
        }
        let Some(of) = of else {
            return self.call_unqualified(name, span, &args, scope, span);
        };
        if &**name == "new" {
            return self.construct(of, &args, span);
        }
        let first = |args: &Args| {
            let mut rest = args.clone();
            let receiver = (!rest.values.is_empty()).then(|| rest.values.remove(0));
            (receiver, rest)
        };
        match &of.v {
            V::Class(class) => {
                let count = Some(args.values.len());
                let found = self.program.method(class, name, count, self.sources);
                if found.is_some_and(|(_, method)| method.is_static) {
                    return self.call_method(&args.call(of, name, span, span));
                }
                match first(&args) {
                    (Some(receiver), rest) => {
                        self.call_method(&rest.call(&receiver, name, span, span))
                    }
                    _ => Ok(Val::unknown("a method without a receiver", span)),
                }
            }
            V::Foreign(_) => match self.library_static(&args.call(of, name, span, span))? {
                Some(val) => Ok(val),
                None => {
                    if let Some(result) = H::call(self, &args.call(of, name, span, span)) {
                        return result;
                    }
                    match first(&args) {
                        (Some(receiver), rest) => {
                            self.call_method(&rest.call(&receiver, name, span, span))
                        }
                        _ => Ok(Val::unknown("a method without a receiver", span)),
                    }
                }
            },
            _ => self.call_method(&args.call(of, name, span, span)),
        }
    }

    /// Gives a call to the framework, and else to code out of view.
    pub(super) fn call_host(&mut self, call: &Call<'_>) -> Result<Val> {
        if let Some(result) = H::call(self, call) {
            return result;
        }
        self.call_unknown(call)
    }

    /// Somebody out of view is called.
    pub(super) fn call_unknown(&mut self, call: &Call<'_>) -> Result<Val> {
        H::escape(self, call.args, call.span);
        let member = |val: &Val| val.as_str().is_some_and(|text| self.host.is_member(text));
        let asks = call.method.starts_with("contains")
            || call.method.starts_with("is")
            || call.method.ends_with("Match")
            || call.method.starts_with("matches");
        if asks && (call.args.iter().any(member) || member(call.receiver)) {
            return Ok(Val::bool(true, call.span));
        }
        for arg in call.args {
            if arg.as_str().is_some_and(|text| self.host.is_subject(text)) {
                self.host.judged_unknown(call.receiver);
            }
        }
        match &call.receiver.v {
            V::Foreign(path) if path.len() < 200 => {
                let path = format!("{path}.{}()", call.method);
                Ok(Val::foreign(path, call.span))
            }
            _ => Ok(Val::unknown(
                "it comes from code that is not in view",
                call.span,
            )),
        }
    }

    /// An argument of an annotation, if it is written, or else the default that the project's
    /// annotation gives it.
    pub fn annotation(&mut self, annotation: &Annotation, arg: &str) -> Option<Val> {
        let value = annotation.arg(arg)?.value.clone();
        self.eval_at(&value).ok()
    }

    /// The value of an expression that stands outside methods: an annotation's argument, an
    /// initialiser.
    ///
    /// # Errors
    /// What it throws, or the end of the budget.
    pub fn eval_at(&mut self, expr: &Expr) -> Result<Val> {
        let class = self.program.around(expr.span).into_iter().next();
        let scope = match class {
            Some(class) => self.static_scope(&class),
            None => self.scope(None),
        };
        self.eval(expr, scope)
    }
}
