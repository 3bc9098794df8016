//! Making classes and instances.

use std::sync::Arc;

use super::functions::Args;
use super::heap::{Id, Object, ObjectKind, V, Val};
use super::{Abrupt, Host, Injection, Machine, Result};
use crate::source::Span;
use crate::syntax::jvm::ast::{
    self, Body, Class, ClassKind, Expr, ExprKind, Field, Language, Method, Name, Stmt, Type,
};

/// Why a place holds something that cannot be told.
const INJECTED: &str = "it is given by code that is not in view";

impl<H: Host> Machine<'_, H> {
    /// A new instance with these arguments.
    ///
    /// # Errors
    /// What its constructor throws, or the end of the budget.
    pub fn instantiate(&mut self, class: &Arc<Class>, args: &[Val], span: Span) -> Result<Val> {
        self.instantiate_with(class, &Args::positional(args), None, span)
    }

    /// A new instance with arguments that have names.
    ///
    /// # Errors
    /// What its constructor throws, or the end of the budget.
    pub fn instantiate_named(
        &mut self,
        class: &Arc<Class>,
        args: &[Val],
        names: &[Option<Name>],
        span: Span,
    ) -> Result<Val> {
        let mut given = Args::default();
        for (val, name) in args.iter().zip(names) {
            given.push(name.clone(), val.clone());
        }
        self.instantiate_with(class, &given, None, span)
    }

    /// A static field or constant of a class; nothing if there is none or the budget is spent.
    pub fn static_value(&mut self, class: &Arc<Class>, name: &str, span: Span) -> Option<Val> {
        self.static_field(class, name, span).ok().flatten()
    }

    /// A new instance as a container makes it: parameters and fields through [`Host::inject`].
    ///
    /// # Errors
    /// What its constructor throws, or the end of the budget.
    pub fn create(&mut self, class: &Arc<Class>, span: Span) -> Result<Val> {
        self.step()?;
        if !self.budget.enter() {
            return Ok(Val::unknown("what it needs is nested too deeply", span));
        }
        // What it needs is made first, and what that needs.
        let result = stacker::maybe_grow(super::RED_ZONE, super::STACK, || {
            self.create_now(class, span)
        });
        self.budget.leave();
        result
    }

    fn create_now(&mut self, class: &Arc<Class>, span: Span) -> Result<Val> {
        let constructor = container_constructor(class).cloned();
        let mut args = Args::default();
        if let Some(constructor) = &constructor {
            args = self.injected(class, constructor);
        } else {
            for field in lombok_fields(class) {
                let val = self.fill(class, field, false);
                let val = val.unwrap_or(Val::unknown(INJECTED, field.span));
                args.push(Some(Arc::clone(&field.name)), val);
            }
        }
        let this = self.instantiate_with(class, &args, None, span)?;
        self.complete(&this, class, span)?;
        Ok(this)
    }

    /// Gives an instance what a container gives to every bean: fields through [`Host::inject`], then
    /// the calls of its annotated methods.
    ///
    /// # Errors
    /// What a method throws, or the end of the budget.
    pub fn complete(&mut self, this: &Val, class: &Arc<Class>, span: Span) -> Result<()> {
        let ancestry = self.program.ancestry(class, self.sources);
        for class in ancestry.iter().rev() {
            for field in class.fields.iter().filter(|field| !field.is_static) {
                if field.annotations.is_empty() && !field.is_late {
                    continue;
                }
                let val = self.fill(class, field, true);
                let val = val.or_else(|| field.is_late.then(|| Val::unknown(INJECTED, field.span)));
                if let (Some(val), Some(id)) = (val, this.as_id()) {
                    self.objects.get_mut(id).set(&field.name, val);
                }
            }
        }
        for class in ancestry.iter().rev() {
            for method in &class.methods {
                let annotated = |name| method.annotation(name).is_some();
                if annotated("Autowired") || annotated("Value") || annotated("PostConstruct") {
                    self.invoke_injected(this, class, method, span)?;
                }
            }
        }
        Ok(())
    }

    fn fill(&mut self, class: &Arc<Class>, field: &Arc<Field>, is_field: bool) -> Option<Val> {
        H::inject(
            self,
            &Injection {
                class,
                annotations: &field.annotations,
                ty: &field.ty,
                name: &field.name,
                span: field.span,
                is_field,
            },
        )
    }

    /// The arguments that a container gives to a method or constructor.
    fn injected(&mut self, class: &Arc<Class>, method: &Method) -> Args {
        let mut args = Args::default();
        for param in &method.params {
            let place = Injection {
                class,
                annotations: &param.annotations,
                ty: &param.ty,
                name: &param.name,
                span: param.span,
                is_field: false,
            };
            match H::inject(self, &place) {
                Some(val) => args.push(Some(Arc::clone(&param.name)), val),
                None if param.default.is_some() => {}
                None => {
                    let val = Val::unknown(INJECTED, param.span);
                    args.push(Some(Arc::clone(&param.name)), val);
                }
            }
        }
        args
    }

    /// Calls a method as a container does: its parameters through [`Host::inject`].
    ///
    /// # Errors
    /// What it throws, or the end of the budget.
    pub fn invoke_injected(
        &mut self,
        this: &Val,
        class: &Arc<Class>,
        method: &Arc<Method>,
        span: Span,
    ) -> Result<Val> {
        let args = self.injected(class, method);
        self.invoke_with(this, class, method, &args, span)
    }

    /// A new instance of a class, in the scope in which a local or anonymous class was declared.
    pub(super) fn instantiate_with(
        &mut self,
        class: &Arc<Class>,
        args: &Args,
        scope: Option<Id>,
        span: Span,
    ) -> Result<Val> {
        self.step()?;
        let this = self.allocate(ObjectKind::Instance(Arc::clone(class), scope), span);
        // A class that makes itself makes two of itself as well: what is tried again at every level
        // would double with each.
        if !self.budget.enter() {
            return Err(Abrupt::Stop);
        }
        let result = stacker::maybe_grow(super::RED_ZONE, super::STACK, || {
            self.construct_on(&this, class, args, span)
        });
        self.budget.leave();
        result?;
        Ok(this)
    }

    /// Runs a constructor of a class on an instance.
    pub(super) fn construct_on(
        &mut self,
        this: &Val,
        class: &Arc<Class>,
        args: &Args,
        span: Span,
    ) -> Result<()> {
        self.construct_by(this, class, args, None, span)
    }

    /// The same by another constructor than the one that calls it.
    fn construct_by(
        &mut self,
        this: &Val,
        class: &Arc<Class>,
        args: &Args,
        caller: Option<Span>,
        span: Span,
    ) -> Result<()> {
        if !self.budget.enter() {
            return Err(Abrupt::Stop);
        }
        let result = stacker::maybe_grow(super::RED_ZONE, super::STACK, || {
            self.construct_now(this, class, args, caller, span)
        });
        self.budget.leave();
        result
    }

    fn construct_now(
        &mut self,
        this: &Val,
        class: &Arc<Class>,
        args: &Args,
        caller: Option<Span>,
        span: Span,
    ) -> Result<()> {
        let fits = |method: &&Arc<Method>| args.fits(method) && Some(method.span) != caller;
        let constructor = class.constructors.iter().find(fits);
        let scope = self.method_scope(this, class);
        let Some(constructor) = constructor.or_else(|| class.constructors.first()).cloned() else {
            self.construct_parent(this, class, &class.super_args, args, scope, span)?;
            self.initialize(this, class, scope)?;
            for (at, field) in lombok_fields(class).enumerate() {
                let given = args.named(&field.name).or_else(|| args.positional_at(at));
                if let (Some(val), Some(id)) = (given.cloned(), this.as_id()) {
                    self.objects.get_mut(id).set(&field.name, val);
                }
            }
            return Ok(());
        };
        self.bind_params(&constructor, args, scope, span)?;
        if let Some((to_this, call)) = &constructor.delegates {
            let args = self.args(call, scope)?;
            if *to_this {
                self.construct_by(this, class, &args, Some(constructor.span), span)?;
            } else {
                self.construct_parent_with(this, class, &args, span)?;
                self.initialize(this, class, scope)?;
            }
            return self.construct_body(&constructor, scope, 0);
        }
        let first = match &constructor.body {
            Some(Body::Block(statements)) => statements.first(),
            _ => None,
        };
        let explicit = match first {
            Some(Stmt::Expr(Expr {
                kind: ExprKind::Call(None, name, _, args),
                ..
            })) if matches!(&**name, "this" | "super") => Some((&**name == "this", args.clone())),
            _ => None,
        };
        match &explicit {
            Some((true, call)) => {
                let args = self.args(call, scope)?;
                self.construct_by(this, class, &args, Some(constructor.span), span)?;
            }
            Some((false, call)) => {
                let args = self.args(call, scope)?;
                self.construct_parent_with(this, class, &args, span)?;
                let outer = self.method_scope(this, class);
                self.initialize(this, class, outer)?;
            }
            None => {
                let none = Args::default();
                self.construct_parent(this, class, &class.super_args, &none, scope, span)?;
                if constructor.is_primary && class.kind != ClassKind::Record {
                    self.keep_params(this, class, &constructor, scope);
                    self.initialize(this, class, scope)?;
                } else {
                    let outer = self.method_scope(this, class);
                    self.initialize(this, class, outer)?;
                }
            }
        }
        self.construct_body(&constructor, scope, usize::from(explicit.is_some()))?;
        if constructor.is_primary {
            self.keep_params(this, class, &constructor, scope);
        }
        Ok(())
    }

    fn construct_body(&mut self, constructor: &Method, scope: Id, skip: usize) -> Result<()> {
        let Some(Body::Block(statements)) = &constructor.body else {
            return Ok(());
        };
        match self.exec_all(&statements[skip..], scope) {
            Err(Abrupt::Return(..)) | Ok(_) => Ok(()),
            Err(other) => Err(other),
        }
    }

    /// The parameters of a primary constructor become fields.
    fn keep_params(&mut self, this: &Val, class: &Class, constructor: &Method, scope: Id) {
        for param in &constructor.params {
            let val = self.variable(scope, &param.name);
            if let (Some(val), Some(id), Some(_)) = (val, this.as_id(), class.field(&param.name)) {
                let known = self.objects.get(id).field(&param.name);
                // A class body may have changed it since.
                let changed = known.is_some_and(|known| !matches!(known.v, V::Null))
                    && class.kind != ClassKind::Record
                    && constructor.language == Language::Kotlin;
                if !changed {
                    self.objects.get_mut(id).set(&param.name, val);
                }
            }
        }
    }

    fn construct_parent(
        &mut self,
        this: &Val,
        class: &Arc<Class>,
        call: &[ast::Arg],
        fallback: &Args,
        scope: Id,
        span: Span,
    ) -> Result<()> {
        let args = if call.is_empty() && class.name.is_empty() {
            fallback.clone()
        } else {
            self.args(call, scope)?
        };
        self.construct_parent_with(this, class, &args, span)
    }

    fn construct_parent_with(
        &mut self,
        this: &Val,
        class: &Arc<Class>,
        args: &Args,
        span: Span,
    ) -> Result<()> {
        let Some(parent) = &class.superclass else {
            return Ok(());
        };
        match self.program.superclass(class, self.sources) {
            Some(parent) if !matches!(parent.kind, ClassKind::Interface) => {
                if !self.budget.enter() {
                    return Err(Abrupt::Stop);
                }
                let result = self.construct_on(this, &parent, args, span);
                self.budget.leave();
                result
            }
            Some(_) => Ok(()),
            None => {
                let call = args.call(this, "super", parent.span, span);
                match H::call(self, &call) {
                    Some(Err(error)) => Err(error),
                    _ => Ok(()),
                }
            }
        }
    }

    /// Fields and blocks of an instance, in order.
    fn initialize(&mut self, this: &Val, class: &Arc<Class>, scope: Id) -> Result<()> {
        let Some(id) = this.as_id() else {
            return Ok(());
        };
        for field in class.fields.iter().filter(|field| !field.is_static) {
            if self.objects.get(id).field(&field.name).is_some() && field.init.is_none() {
                continue;
            }
            let val = match &field.init {
                Some(init) => self.field_value(init, scope)?,
                None if field.getter.is_some() => continue,
                None => default_of(&field.ty, field.span),
            };
            self.objects.get_mut(id).set(&field.name, val);
        }
        for block in class.initializers.iter().filter(|block| !block.is_static) {
            self.exec_all(&block.body, scope)?;
        }
        Ok(())
    }

    fn field_value(&mut self, init: &Expr, scope: Id) -> Result<Val> {
        match self.eval(init, scope) {
            Err(Abrupt::Throw(_)) => Ok(Val::unknown("its initialiser throws", init.span)),
            Ok(val) => Ok(val),
            Err(other) => Err(other),
        }
    }

    /// The scope of a method's or constructor's parameters.
    pub(super) fn method_scope(&mut self, this: &Val, class: &Arc<Class>) -> Id {
        let outer = match self.object(this).map(|object| &object.kind) {
            Some(ObjectKind::Instance(own, scope)) if own.span == class.span => *scope,
            _ => None,
        };
        let scope = self.scope(outer);
        let inner = self.scopes.get_mut(scope);
        inner.this = Some(this.clone());
        inner.class = Some(Arc::clone(class));
        scope
    }

    /// The scope of a class' static members.
    pub(super) fn static_scope(&mut self, class: &Arc<Class>) -> Id {
        let this = Val::new(V::Class(Arc::clone(class)), class.name_span);
        self.method_scope(&this, class)
    }

    /// The object that holds the static fields of a class; made on first use.
    ///
    /// # Errors
    /// The end of the budget.
    pub(super) fn statics(&mut self, class: &Arc<Class>) -> Result<Id> {
        if let Some(known) = self.statics.get(&class.path) {
            return Ok(*known);
        }
        let id = self.objects.add(Object {
            kind: ObjectKind::Statics,
            fields: Vec::new(),
            span: class.span,
        });
        Arc::make_mut(&mut self.statics).insert(Arc::clone(&class.path), id);
        let scope = self.static_scope(class);
        let mut ordinal = 0.0;
        for field in class.fields.iter().filter(|field| field.is_static) {
            let val = match (&field.constant, &field.init) {
                (Some(args), _) => {
                    let args = self.args(args, scope)?;
                    let val = match self.instantiate_with(class, &args, None, field.name_span) {
                        Err(Abrupt::Throw(_)) => Val::unknown("it throws", field.span),
                        other => other?,
                    };
                    if let Some(constant) = val.as_id() {
                        let constant = self.objects.get_mut(constant);
                        let name = Val::string(Arc::clone(&field.name), field.name_span);
                        constant.set(&"name()".into(), name);
                        let at = Val::number(ordinal, field.name_span);
                        constant.set(&"ordinal()".into(), at);
                        ordinal += 1.0;
                    }
                    val
                }
                (None, Some(init)) => self.field_value(init, scope)?,
                (None, None) if field.getter.is_some() => continue,
                (None, None) => {
                    // Whoever fills it, `@Value` on a setter for instance, is not seen here.
                    if field.is_final || field.ty.name.is_empty() || field.is_late {
                        continue;
                    }
                    default_of(&field.ty, field.span)
                }
            };
            self.objects.get_mut(id).set(&field.name, val);
        }
        for block in class.initializers.iter().filter(|block| block.is_static) {
            if let Err(Abrupt::Stop) = self.exec_all(&block.body, scope) {
                return Err(Abrupt::Stop);
            }
        }
        Ok(id)
    }

    /// A static field of a class or of what it extends, Kotlin's companion included.
    pub(super) fn static_field(
        &mut self,
        class: &Arc<Class>,
        name: &str,
        span: Span,
    ) -> Result<Option<Val>> {
        let Some((owner, field)) = self.find_static(class, name) else {
            return Ok(None);
        };
        let statics = self.statics(&owner)?;
        if let Some(val) = self.objects.get(statics).field(name) {
            return Ok(Some(val.clone()));
        }
        let scope = self.static_scope(&owner);
        let val = match (&field.getter, &field.init) {
            (Some(getter), _) => self.run_body(getter, scope, span)?,
            // It is asked for while the class is being made.
            (None, Some(init)) if self.budget.enter() => {
                let val = self.field_value(init, scope);
                self.budget.leave();
                val?
            }
            _ => Val::unknown(INJECTED, field.span),
        };
        Ok(Some(val))
    }

    /// Sets a static field; `false` if there is none.
    pub(super) fn set_static(
        &mut self,
        class: &Arc<Class>,
        name: &Name,
        val: &Val,
    ) -> Result<bool> {
        let Some((owner, _)) = self.find_static(class, name) else {
            return Ok(false);
        };
        let statics = self.statics(&owner)?;
        self.objects.get_mut(statics).set(name, val.clone());
        Ok(true)
    }

    fn find_static(&self, class: &Arc<Class>, name: &str) -> Option<(Arc<Class>, Arc<Field>)> {
        let ancestry = self.program.ancestry(class, self.sources);
        ancestry.iter().find_map(|class| {
            let own = class.field(name).filter(|field| field.is_static);
            if let Some(field) = own.cloned() {
                return Some((Arc::clone(class), field));
            }
            let companion = class.companion()?;
            let field = companion.field(name)?.clone();
            Some((Arc::clone(companion), field))
        })
    }
}

/// The constructor that a container calls.
fn container_constructor(class: &Class) -> Option<&Arc<Method>> {
    let wired = class.constructors.iter().find(|constructor| {
        ["Autowired", "Inject", "ConstructorBinding"]
            .iter()
            .any(|name| constructor.annotation(name).is_some())
    });
    let plain = || {
        let without = class.constructors.iter();
        without
            .clone()
            .find(|constructor| constructor.params.is_empty())
            .filter(|_| class.constructors.len() > 1)
            .or_else(|| class.constructors.iter().find(|found| found.is_primary))
            .or_else(|| class.constructors.first())
    };
    wired.or_else(plain)
}

/// The fields that are parameters of the constructor that Lombok generates.
fn lombok_fields(class: &Class) -> impl Iterator<Item = &Arc<Field>> {
    let has = |name| class.annotation(name).is_some();
    let all = has("AllArgsConstructor") || has("Value") || has("Builder");
    let required = has("RequiredArgsConstructor") || has("Data");
    class.fields.iter().filter(move |field| {
        let needed = field.init.is_none() && !field.is_static;
        let final_or_marked = field.is_final || field.annotation("NonNull").is_some();
        needed && (all || (required && final_or_marked))
    })
}

/// What a field holds that nobody sets.
fn default_of(ty: &Type, span: Span) -> Val {
    if ty.array {
        return Val::null(span);
    }
    match &*ty.name {
        "boolean" => Val::bool(false, span),
        "int" | "long" | "short" | "byte" | "double" | "float" => Val::number(0.0, span),
        _ => Val::null(span),
    }
}
