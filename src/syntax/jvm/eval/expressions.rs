//! Expressions.

use std::sync::Arc;

use super::functions::Args;
use super::heap::{Id, ObjectKind, Sequence, V, Val};
use super::{Abrupt, Host, Machine, RED_ZONE, Result, STACK};
use crate::source::Span;
use crate::syntax::jvm::ast::{
    Arg, Binary, Class, Expr, ExprKind, Name, Test, Type, Unary, When, simple,
};

/// What stands left of Kotlin's `?.`.
const SUBJECT: &str = "?.";

impl<H: Host> Machine<'_, H> {
    /// Evaluates an expression in a scope.
    pub(super) fn eval(&mut self, expr: &Expr, scope: Id) -> Result<Val> {
        self.step()?;
        stacker::maybe_grow(RED_ZONE, STACK, || self.eval_now(expr, scope))
    }

    fn eval_now(&mut self, expr: &Expr, scope: Id) -> Result<Val> {
        let span = expr.span;
        Ok(match &expr.kind {
            ExprKind::Null => Val::null(span),
            ExprKind::Bool(value) => Val::bool(*value, span),
            ExprKind::Number(value) => Val::number(*value, span),
            ExprKind::String(text) => Val::string(Arc::clone(text), span),
            ExprKind::Template(parts) => {
                let mut joined = Val::string("", span);
                for part in parts {
                    let part = self.eval(part, scope)?;
                    joined = self.concat(&joined, &part, span);
                }
                joined
            }
            ExprKind::Name(name) => self.name(name, scope, span)?,
            ExprKind::This(of) => {
                let this = self.this(scope, of.as_deref());
                this.unwrap_or(Val::unknown("there is no `this`", span))
            }
            ExprKind::Super => {
                let this = self.this(scope, None);
                this.unwrap_or(Val::unknown("there is no `super`", span))
            }
            ExprKind::Member(of, name, _) => self.member(of, name, scope, span)?,
            ExprKind::Call(of, name, name_span, args) => {
                let span = Span::new(span.file, name_span.start, span.end.max(name_span.end));
                self.call(of.as_deref(), name, *name_span, args, scope, span)?
            }
            ExprKind::Invoke(callee, args) => {
                let callee = self.eval(callee, scope)?;
                let args = self.args(args, scope)?;
                self.call_value(&callee, None, &args, span)?
            }
            ExprKind::New(ty, args, class) => {
                self.new_object(ty, args, class.as_ref(), scope, span)?
            }
            ExprKind::Array(items) => {
                let items: Result<Vec<Val>> =
                    items.iter().map(|item| self.eval(item, scope)).collect();
                let items = items?;
                self.array(items, false, span)
            }
            ExprKind::NewArray(size) => {
                let size = match size {
                    Some(size) => self.eval(size, scope)?.as_number(),
                    None => None,
                };
                match size {
                    Some(size) if (0.0..=100.0).contains(&size) => {
                        let items = vec![Val::null(span); size as usize];
                        self.array(items, false, span)
                    }
                    _ => self.array(Vec::new(), true, span),
                }
            }
            ExprKind::Index(of, at) => {
                let of = self.eval(of, scope)?;
                let at = self.eval(at, scope)?;
                let args = Args::positional(&[at]);
                self.call_method(&args.call(&of, "get", span, span))?
            }
            ExprKind::Unary(operator, operand) => self.unary(*operator, operand, scope, span)?,
            ExprKind::Binary(operator, left, right) => {
                self.binary(*operator, left, right, scope, span)?
            }
            ExprKind::Assign(target, operator, value) => {
                self.assign(target, *operator, value, scope, span)?
            }
            ExprKind::If(test, yes, no) => {
                let holds = self.eval(test, scope)?;
                let branch = if self.decide(&holds, test.span) {
                    yes
                } else {
                    no
                };
                let val = self.block(branch, scope)?;
                val.unwrap_or(Val::void(span))
            }
            ExprKind::When(when) => self.when(when, scope, span)?,
            ExprKind::Lambda(lambda) => {
                self.allocate(ObjectKind::Lambda(Arc::clone(lambda), scope), span)
            }
            ExprKind::Reference(of, name) => {
                let of = match of {
                    Some(of) => Some(self.eval(of, scope)?),
                    None => None,
                };
                self.allocate(ObjectKind::Reference(of, Arc::clone(name), scope), span)
            }
            ExprKind::Safe(of, then) => {
                let of = self.eval(of, scope)?;
                if of.is_null() {
                    return Ok(Val::null(span));
                }
                let scope = self.scope(Some(scope));
                self.declare(scope, &SUBJECT.into(), of);
                self.eval(then, scope)?
            }
            ExprKind::Subject => {
                let subject = self.variable(scope, SUBJECT);
                subject.unwrap_or(Val::unknown("nothing stands there", span))
            }
            ExprKind::Cast(inner, _) => self.eval(inner, scope)?,
            ExprKind::Is(inner, ty, name) => {
                let val = self.eval(inner, scope)?;
                let is = self.is_of(&val, ty, span);
                if let Some(name) = name {
                    self.declare(scope, name, val);
                }
                is
            }
            ExprKind::Class(ty) => {
                if let Some(class) = self.local_class(ty, scope) {
                    Val::new(V::Class(class), span)
                } else {
                    let path = self.program.resolve(ty.span, &ty.name, self.sources);
                    match self.program.class(&path, self.sources) {
                        Some(class) => Val::new(V::Class(class), span),
                        None => Val::foreign(path, span),
                    }
                }
            }
            ExprKind::Return(value, label) => {
                let val = match value {
                    Some(value) => self.eval(value, scope)?,
                    None => Val::void(span),
                };
                return Err(Abrupt::Return(val, label.clone()));
            }
            ExprKind::Throw(value) => {
                let val = self.eval(value, scope)?;
                return Err(Abrupt::Throw(val));
            }
            ExprKind::Break(value) => {
                let val = match value {
                    Some(value) => Some(self.eval(value, scope)?),
                    None => None,
                };
                return Err(Abrupt::Break(val));
            }
            ExprKind::Continue => return Err(Abrupt::Continue),
            ExprKind::Block(statements) => {
                let val = self.block(statements, scope)?;
                val.unwrap_or(Val::void(span))
            }
            ExprKind::Unknown(why) => Val::unknown(why, span),
        })
    }

    /// The class that a type names, if it was declared in a method around.
    fn local_class(&self, ty: &Type, scope: Id) -> Option<Arc<Class>> {
        match self.variable(scope, &ty.name)?.v {
            V::Class(class) => Some(class),
            _ => None,
        }
    }

    fn member(&mut self, of: &Expr, name: &Name, scope: Id, span: Span) -> Result<Val> {
        if let Some(path) = self.package_path(of, scope) {
            let path: Name = format!("{path}.{name}").into();
            return Ok(match self.program.class(&path, self.sources) {
                Some(class) => Val::new(V::Class(class), span),
                None => Val::foreign(path, span),
            });
        }
        let of = self.eval(of, scope)?;
        self.property(&of, name, span)
    }

    /// The text of `a.b` where `a` is no variable: a package.
    fn package_path(&mut self, expr: &Expr, scope: Id) -> Option<String> {
        match &expr.kind {
            ExprKind::Name(name) => {
                let package = name
                    .chars()
                    .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
                if !package || self.variable(scope, name).is_some() {
                    return None;
                }
                let class = self.current_class(scope);
                let field = class.and_then(|class| self.program.field(&class, name, self.sources));
                let known = matches!(
                    &**name,
                    "com" | "org" | "net" | "io" | "de" | "java" | "javax" | "jakarta" | "kotlin"
                );
                (field.is_none() && known).then(|| name.to_string())
            }
            ExprKind::Member(of, name, _) => {
                let lower = name.starts_with(|c: char| c.is_ascii_lowercase());
                let path = self.package_path(of, scope).filter(|_| lower)?;
                Some(format!("{path}.{name}"))
            }
            _ => None,
        }
    }

    fn call(
        &mut self,
        of: Option<&Expr>,
        name: &Name,
        name_span: Span,
        args: &[Arg],
        scope: Id,
        span: Span,
    ) -> Result<Val> {
        let Some(of) = of else {
            let args = self.args(args, scope)?;
            return self.call_unqualified(name, name_span, &args, scope, span);
        };
        if matches!(of.kind, ExprKind::Super) {
            let args = self.args(args, scope)?;
            return self.call_super(name, name_span, &args, scope, span);
        }
        let receiver = match self.package_path(of, scope) {
            Some(path) => Val::foreign(path, of.span),
            None => self.eval(of, scope)?,
        };
        let args = self.args(args, scope)?;
        self.call_method(&args.call(&receiver, name, name_span, span))
    }

    fn call_super(
        &mut self,
        name: &Name,
        name_span: Span,
        args: &Args,
        scope: Id,
        span: Span,
    ) -> Result<Val> {
        let Some(this) = self.this(scope, None) else {
            return Ok(Val::unknown("there is no `super`", span));
        };
        let count = Some(args.values.len());
        if let Some(class) = self.current_class(scope) {
            let ancestry = self.program.ancestry(&class, self.sources);
            for parent in ancestry.iter().skip(1) {
                let found = self.program.method(parent, name, count, self.sources);
                if let Some((owner, method)) = found.filter(|(_, method)| method.body.is_some()) {
                    return self.invoke_with(&this, &owner, &method, args, span);
                }
            }
        }
        self.call_host(&args.call(&this, name, name_span, span))
    }

    fn new_object(
        &mut self,
        ty: &Type,
        args: &[Arg],
        class: Option<&Arc<Class>>,
        scope: Id,
        span: Span,
    ) -> Result<Val> {
        let args = self.args(args, scope)?;
        if let Some(class) = class {
            return self.instantiate_with(class, &args, Some(scope), span);
        }
        if let Some(class) = self.local_class(ty, scope) {
            return self.instantiate_with(&class, &args, Some(scope), span);
        }
        let path = self.program.resolve(ty.span, &ty.name, self.sources);
        match self.program.class(&path, self.sources) {
            Some(class) => {
                let outer = (!class.is_static).then_some(scope);
                self.instantiate_with(&class, &args, outer, span)
            }
            None => self.construct(&Val::foreign(path, ty.span), &args, span),
        }
    }

    /// A new object of what stands for a class.
    pub(super) fn construct(&mut self, class: &Val, args: &Args, span: Span) -> Result<Val> {
        match &class.v {
            V::Class(class) => self.instantiate_with(class, args, None, span),
            V::Foreign(path) => {
                let path = Arc::clone(path);
                let call = args.call(class, "new", class.span, span);
                if let Some(val) = self.library_new(&path, &call)? {
                    return Ok(val);
                }
                if let Some(result) = H::construct(self, &path, &call) {
                    return result;
                }
                H::escape(self, &args.values, span);
                if path.ends_with("Exception") || path.ends_with("Error") {
                    return Ok(Val::foreign(path, span));
                }
                Ok(Val::unknown("it comes from code that is not in view", span))
            }
            _ => Ok(Val::unknown("a class that is not in view", span)),
        }
    }

    fn unary(&mut self, operator: Unary, operand: &Expr, scope: Id, span: Span) -> Result<Val> {
        let val = self.eval(operand, scope)?;
        Ok(match (operator, &val.v) {
            (Unary::Not, V::Bool(value)) => Val::bool(!value, span),
            (Unary::Not, _) => {
                let holds = self.decide(&val, operand.span);
                Val::bool(!holds, span)
            }
            (Unary::NotNull, V::Null) => {
                let error = Val::foreign("java.lang.NullPointerException", span);
                return Err(Abrupt::Throw(error));
            }
            (Unary::NotNull, _) => val,
            (Unary::Minus, V::Number(value)) => Val::number(-value, span),
            (Unary::Plus, V::Number(value)) => Val::number(*value, span),
            (Unary::Step(by, before), V::Number(value)) => {
                let (old, new) = (*value, value + f64::from(by));
                self.store(operand, Val::number(new, span), scope)?;
                Val::number(if before { new } else { old }, span)
            }
            _ => Val::unknown("an operation on something that is not in view", span),
        })
    }

    fn binary(
        &mut self,
        operator: Binary,
        left: &Expr,
        right: &Expr,
        scope: Id,
        span: Span,
    ) -> Result<Val> {
        let first = self.eval(left, scope)?;
        match operator {
            Binary::And | Binary::Or => {
                let decides = operator == Binary::Or;
                match self.truth(&first) {
                    Some(holds) if holds == decides => return Ok(Val::bool(decides, span)),
                    Some(_) => return self.eval(right, scope),
                    None => {}
                }
                // The right side decides alone only if it can be told.
                let second = self.eval(right, scope)?;
                if self.truth(&second) == Some(decides) {
                    return Ok(Val::bool(decides, span));
                }
                if self.truth(&second) == Some(!decides) {
                    return Ok(first);
                }
                return Ok(Val::unknown(
                    "a test of something that is not in view",
                    span,
                ));
            }
            Binary::Elvis if !first.is_null() => return Ok(first),
            Binary::Elvis => return self.eval(right, scope),
            _ => {}
        }
        let second = self.eval(right, scope)?;
        self.operate(operator, &first, &second, span)
    }

    fn assign(
        &mut self,
        target: &Expr,
        operator: Option<Binary>,
        value: &Expr,
        scope: Id,
        span: Span,
    ) -> Result<Val> {
        let mut val = self.eval(value, scope)?;
        if let Some(operator) = operator {
            let old = self.eval(target, scope)?;
            if operator == Binary::Add && self.items(&old).is_some() && self.items(&val).is_none() {
                // Kotlin: `list += element`.
                let args = Args::positional(std::slice::from_ref(&val));
                return self.call_method(&args.call(&old, "add", span, span));
            }
            val = self.operate(operator, &old, &val, span)?;
        }
        self.store(target, val.clone(), scope)?;
        Ok(val)
    }

    /// Assigns a value.
    fn store(&mut self, target: &Expr, val: Val, scope: Id) -> Result<()> {
        match &target.kind {
            ExprKind::Name(name) => self.store_name(name, val, scope, target.span),
            ExprKind::Member(of, name, _) => {
                let of = self.eval(of, scope)?;
                self.store_property(&of, name, val, target.span).map(|_| ())
            }
            ExprKind::Index(of, at) => {
                let of = self.eval(of, scope)?;
                let at = self.eval(at, scope)?;
                self.store_element(&of, &at, val, target.span)
            }
            ExprKind::Safe(of, then) => {
                let of = self.eval(of, scope)?;
                if of.is_null() {
                    return Ok(());
                }
                let scope = self.scope(Some(scope));
                self.declare(scope, &SUBJECT.into(), of);
                self.store(then, val, scope)
            }
            _ => Ok(()),
        }
    }

    fn store_name(&mut self, name: &Name, val: Val, scope: Id, span: Span) -> Result<()> {
        let mut at = Some(scope);
        while let Some(id) = at {
            let here = self.scopes.get(id);
            if here.variables.iter().any(|(known, _)| known == name) {
                self.declare(id, name, val);
                return Ok(());
            }
            let (this, class, parent) = (here.this.clone(), here.class.clone(), here.parent);
            if let Some(this) = this {
                let known = match &this.v {
                    V::Object(object) => {
                        let object = self.objects.get(*object);
                        object.field(name).is_some() || matches!(object.kind, ObjectKind::Host(..))
                    }
                    _ => false,
                };
                if known && self.store_property(&this, name, val.clone(), span)? {
                    return Ok(());
                }
            }
            if let Some(class) = class {
                if self.set_static(&class, name, &val)? {
                    return Ok(());
                }
                for outer in self.program.around(class.span) {
                    if self.set_static(&outer, name, &val)? {
                        return Ok(());
                    }
                }
            }
            at = parent;
        }
        Ok(())
    }

    /// Sets a field or property; `false` if there is none.
    fn store_property(&mut self, of: &Val, name: &Name, val: Val, span: Span) -> Result<bool> {
        let setter = || {
            let mut letters = name.chars();
            let first: String = letters
                .next()
                .into_iter()
                .flat_map(char::to_uppercase)
                .collect();
            format!("set{first}{}", letters.as_str())
        };
        match &of.v {
            V::Object(id) => {
                let id = *id;
                match self.objects.get(id).kind.clone() {
                    ObjectKind::Instance(class, _) => {
                        let field = self.program.field(&class, name, self.sources);
                        if field.is_some() || self.objects.get(id).field(name).is_some() {
                            self.objects.get_mut(id).set(name, val);
                            return Ok(true);
                        }
                        let setter = setter();
                        let args = Args::positional(&[val]);
                        self.call_method(&args.call(of, &setter, span, span))?;
                        Ok(true)
                    }
                    ObjectKind::Host(..) => {
                        let setter = setter();
                        let args = Args::positional(&[val]);
                        let result = H::call(self, &args.call(of, &setter, span, span));
                        match result {
                            Some(result) => result.map(|_| true),
                            None => Ok(false),
                        }
                    }
                    _ => Ok(false),
                }
            }
            V::Class(class) => {
                let class = Arc::clone(class);
                self.set_static(&class, name, &val)
            }
            _ => Ok(false),
        }
    }

    /// `of[at] = val`; of anything but collections it is Kotlin's `of.set(at, val)`.
    fn store_element(&mut self, of: &Val, at: &Val, val: Val, span: Span) -> Result<()> {
        let Some(id) = of.as_id() else { return Ok(()) };
        let equal = |machine: &Self, key: &Val| machine.equal(key, at);
        match self.objects.get(id).kind.clone() {
            ObjectKind::List {
                mut items,
                open,
                kind,
            } => {
                match at.as_number().map(|at| at as usize) {
                    Some(at) if at < items.len() => items[at] = val,
                    _ => items.push(val),
                }
                self.objects.get_mut(id).kind = ObjectKind::List { items, open, kind };
            }
            ObjectKind::Map { mut entries, open } => {
                let place = entries
                    .iter()
                    .position(|(key, _)| equal(self, key) == Some(true));
                match place {
                    Some(place) => entries[place].1 = val,
                    None => entries.push((at.clone(), val)),
                }
                self.objects.get_mut(id).kind = ObjectKind::Map { entries, open };
            }
            ObjectKind::Host(..) | ObjectKind::Instance(..) => {
                let args = Args::positional(&[at.clone(), val]);
                self.call_method(&args.call(of, "set", span, span))?;
            }
            _ => {}
        }
        Ok(())
    }

    fn when(&mut self, when: &When, scope: Id, span: Span) -> Result<Val> {
        let scope = self.scope(Some(scope));
        let subject = match &when.subject {
            Some((name, subject)) => {
                let val = self.eval(subject, scope)?;
                if let Some(name) = name {
                    self.declare(scope, name, val.clone());
                }
                Some(val)
            }
            None => None,
        };
        let mut taken = None;
        'arms: for (at, arm) in when.arms.iter().enumerate() {
            for test in &arm.tests {
                if self.test(test, subject.as_ref(), scope)? {
                    taken = Some(at);
                    break 'arms;
                }
            }
        }
        // `default` need not be the last one.
        let default = || {
            let mut arms = when.arms.iter();
            arms.position(|arm| arm.tests.iter().any(|test| matches!(test, Test::Else)))
        };
        let Some(start) = taken.or_else(default) else {
            return Ok(Val::void(span));
        };
        let end = if when.falls_through {
            when.arms.len()
        } else {
            start + 1
        };
        let mut val = None;
        for arm in &when.arms[start..end] {
            match self.block(&arm.body, scope) {
                Ok(last) => val = last,
                Err(Abrupt::Break(given)) => {
                    val = given;
                    break;
                }
                Err(other) => return Err(other),
            }
        }
        Ok(val.unwrap_or(Val::void(span)))
    }

    fn test(&mut self, test: &Test, subject: Option<&Val>, scope: Id) -> Result<bool> {
        let (val, span) = match (test, subject) {
            (Test::Else, _) => return Ok(false),
            (Test::Equal(expr), None) => (self.eval(expr, scope)?, expr.span),
            (Test::Equal(expr), Some(subject)) => {
                let val = match &expr.kind {
                    // A constant of the subject's own type.
                    ExprKind::Name(name) => {
                        let own = self.class_of(subject);
                        let own = match own {
                            Some(class) => self.static_field(&class, name, expr.span)?,
                            None => None,
                        };
                        match (own, &subject.v) {
                            (Some(val), _) => val,
                            (None, V::Foreign(path)) if super::values::constant(path).is_some() => {
                                let class = path.rsplit_once('.').map_or("", |(class, _)| class);
                                Val::foreign(format!("{class}.{name}"), expr.span)
                            }
                            _ => self.eval(expr, scope)?,
                        }
                    }
                    _ => self.eval(expr, scope)?,
                };
                (
                    self.operate(Binary::Equal, subject, &val, expr.span)?,
                    expr.span,
                )
            }
            (Test::In(expr, positive), subject) => {
                let list = self.eval(expr, scope)?;
                let Some(subject) = subject else {
                    return Ok(false);
                };
                let val = self.operate(Binary::In, subject, &list, expr.span)?;
                return Ok(self.decide(&val, expr.span) == *positive);
            }
            (Test::Is(ty, positive), subject) => {
                let Some(subject) = subject else {
                    return Ok(false);
                };
                let val = self.is_of(subject, ty, ty.span);
                return Ok(self.decide(&val, ty.span) == *positive);
            }
        };
        Ok(self.decide(&val, span))
    }

    /// Is a value of a type?
    fn is_of(&mut self, val: &Val, ty: &Type, span: Span) -> Val {
        let name = ty.simple();
        let known = match &val.v {
            V::Null => Some(false),
            // A host's object of exactly this class.
            V::Foreign(path) if path.starts_with("instance.") => {
                Some(simple(path) == name || matches!(name, "Object" | "Any"))
            }
            V::String(_) => Some(matches!(name, "String" | "CharSequence" | "Object" | "Any")),
            V::Bool(_) => Some(matches!(name, "Boolean" | "Object" | "Any")),
            V::Object(id) => match &self.objects.get(*id).kind {
                ObjectKind::Instance(class, _) => {
                    let is = self.program.is_a(class, name, self.sources);
                    // What a library's superclass is besides is not in view.
                    let open = class.superclass.is_some() || !class.interfaces.is_empty();
                    (is || !open || matches!(name, "Object" | "Any")).then_some(is || !open)
                }
                ObjectKind::List { kind, .. } => Some(match name {
                    "List" | "MutableList" | "ArrayList" => *kind == Sequence::List,
                    "Set" => *kind == Sequence::Set,
                    "Collection" | "Iterable" => *kind != Sequence::Array,
                    _ => ty.array,
                }),
                // A request is what it is cast to.
                ObjectKind::Host(..) => Some(true),
                _ => None,
            },
            _ => None,
        };
        match known {
            Some(known) => Val::bool(known, span),
            None => Val::unknown("a value that is not in view", span),
        }
    }
}
