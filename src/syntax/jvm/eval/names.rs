//! What names stand for: variables, fields, properties, methods, classes.

use std::sync::Arc;

use super::functions::Args;
use super::heap::{Id, ObjectKind, V, Val};
use super::values::constant;
use super::{Call, Host, Machine, Result};
use crate::source::Span;
use crate::syntax::jvm::ast::{Class, Language, Name, simple};

/// The method that reads a property.
fn getters(name: &str) -> [String; 2] {
    let mut letters = name.chars();
    let capital: String = letters
        .next()
        .map(|first| first.to_uppercase().chain(letters).collect())
        .unwrap_or_default();
    [format!("get{capital}"), format!("is{capital}")]
}

/// The property that a method reads or writes, after `prefix`.
fn property(method: &str, prefix: &str) -> Option<String> {
    let rest = method.strip_prefix(prefix)?;
    let mut letters = rest.chars();
    let first = letters.next().filter(|first| first.is_uppercase())?;
    // `getURL` reads `URL`.
    if letters.as_str().starts_with(char::is_uppercase) {
        return Some(rest.to_owned());
    }
    Some(first.to_lowercase().chain(letters).collect())
}

impl<H: Host> Machine<'_, H> {
    fn is_kotlin(&self, at: Span) -> bool {
        let unit = self.program.unit(at);
        unit.is_some_and(|unit| unit.language == Language::Kotlin)
    }

    /// A variable of a scope or of those around.
    pub(super) fn variable(&self, scope: Id, name: &str) -> Option<Val> {
        let mut at = Some(scope);
        while let Some(id) = at {
            let scope = self.scopes.get(id);
            let found = scope.variables.iter().find(|(known, _)| &**known == name);
            if let Some((_, val)) = found {
                return Some(val.clone());
            }
            at = scope.parent;
        }
        None
    }

    /// `this`, or that of the class with a name.
    pub(super) fn this(&self, scope: Id, of: Option<&str>) -> Option<Val> {
        let mut at = Some(scope);
        while let Some(id) = at {
            let scope = self.scopes.get(id);
            if let Some(this) = &scope.this {
                let fits = match of {
                    None => true,
                    Some(name) => {
                        let class = self.class_of(this);
                        let class = class.or_else(|| match &this.v {
                            V::Class(class) => Some(Arc::clone(class)),
                            _ => None,
                        });
                        class.is_some_and(|class| &*class.name == name)
                    }
                };
                if fits {
                    return Some(this.clone());
                }
            }
            at = scope.parent;
        }
        None
    }

    /// The class whose code runs.
    pub(super) fn current_class(&self, scope: Id) -> Option<Arc<Class>> {
        let mut at = Some(scope);
        while let Some(id) = at {
            let scope = self.scopes.get(id);
            if let Some(class) = &scope.class {
                return Some(Arc::clone(class));
            }
            at = scope.parent;
        }
        None
    }

    /// A name on its own.
    pub(super) fn name(&mut self, name: &Name, scope: Id, span: Span) -> Result<Val> {
        let mut at = Some(scope);
        let kotlin = self.is_kotlin(span);
        while let Some(id) = at {
            let here = self.scopes.get(id).clone();
            let found = here.variables.iter().find(|(known, _)| known == name);
            if let Some((_, val)) = found {
                return Ok(val.clone());
            }
            if let Some(this) = &here.this
                && let Some(val) = self.own_member(this, name, kotlin, span)?
            {
                return Ok(val);
            }
            if let Some(class) = &here.class {
                if let Some(val) = self.static_field(class, name, span)? {
                    return Ok(val);
                }
                for outer in self.program.around(class.span) {
                    if let Some(val) = self.static_field(&outer, name, span)? {
                        return Ok(val);
                    }
                }
            }
            at = here.parent;
        }
        if let Some(val) = self.imported(name, span)? {
            return Ok(val);
        }
        let is_class = name.starts_with(|c: char| c.is_uppercase());
        // No property of a library begins like a class.
        let hosts = self.hosts(scope).into_iter().filter(|_| !is_class);
        for host in hosts {
            if let Some(val) = self.host_property(&host, name, span)? {
                return Ok(val);
            }
        }
        if is_class {
            let path = self.program.resolve(span, name, self.sources);
            return Ok(match self.program.class(&path, self.sources) {
                Some(class) => Val::new(V::Class(class), span),
                None => Val::foreign(path, span),
            });
        }
        Ok(Val::unknown("a name that is not in view", span))
    }

    /// What of the framework is `this` here, innermost first.
    fn hosts(&self, scope: Id) -> Vec<Val> {
        let mut hosts = Vec::new();
        let mut at = Some(scope);
        while let Some(id) = at {
            let here = self.scopes.get(id);
            let host = here
                .this
                .as_ref()
                .filter(|this| self.as_host(this).is_some());
            hosts.extend(host.cloned());
            at = here.parent;
        }
        hosts
    }

    /// A member of what `this` is, by its name alone.
    fn own_member(
        &mut self,
        this: &Val,
        name: &Name,
        kotlin: bool,
        span: Span,
    ) -> Result<Option<Val>> {
        match &this.v {
            V::Object(id) => match &self.objects.get(*id).kind {
                ObjectKind::Instance(class, _) => {
                    let class = Arc::clone(class);
                    if let Some(val) = self.objects.get(*id).field(name) {
                        return Ok(Some(val.clone()));
                    }
                    if self.program.field(&class, name, self.sources).is_some() {
                        return self.property(this, name, span).map(Some);
                    }
                    let inherits = class.superclass.is_some() || !class.interfaces.is_empty();
                    if kotlin && inherits {
                        for getter in getters(name) {
                            let found = self.program.method(&class, &getter, Some(0), self.sources);
                            if let Some((owner, method)) = found {
                                let val = self.invoke(this, &owner, &method, &[], span)?;
                                return Ok(Some(val));
                            }
                        }
                        let getter = &getters(name)[0];
                        let call = Args::default();
                        let call = call.call(this, getter, span, span);
                        return H::call(self, &call).transpose();
                    }
                    Ok(None)
                }
                // What the project says comes first.
                ObjectKind::Host(..) => Ok(None),
                _ if kotlin => {
                    let this = this.clone();
                    let val = self.property(&this, name, span)?;
                    Ok((!val.is_opaque()).then_some(val))
                }
                _ => Ok(None),
            },
            _ => Ok(None),
        }
    }

    /// A property of something of the framework.
    fn host_property(&mut self, of: &Val, name: &str, span: Span) -> Result<Option<Val>> {
        if let Some(val) = H::member(self, of, name, span) {
            return Ok(Some(val));
        }
        if !self.is_kotlin(span) {
            return Ok(None);
        }
        for getter in getters(name) {
            let call = Args::default();
            if let Some(result) = H::call(self, &call.call(of, &getter, span, span)) {
                return result.map(Some);
            }
        }
        Ok(None)
    }

    /// Something that an import or the package brings: a static member, or what a Kotlin file
    /// declares outside classes.
    fn imported(&mut self, name: &Name, span: Span) -> Result<Option<Val>> {
        let Some(unit) = self.program.unit(span) else {
            return Ok(None);
        };
        if let Some(class) = self.program.outside(&unit.package, name, self.sources)
            && let Some(val) = self.static_field(&class, name, span)?
        {
            return Ok(Some(val));
        }
        for import in &unit.imports {
            if !import.wildcard && import.name() == Some(name) {
                let Some((owner, member)) = import.path.rsplit_once('.') else {
                    continue;
                };
                if let Some(class) = self.program.class(owner, self.sources) {
                    if let Some(val) = self.static_field(&class, member, span)? {
                        return Ok(Some(val));
                    }
                } else if let Some(class) = self.program.outside(owner, member, self.sources) {
                    if let Some(val) = self.static_field(&class, member, span)? {
                        return Ok(Some(val));
                    }
                } else if import.is_static || constant(&import.path).is_some() {
                    let owner = Val::foreign(owner, span);
                    return self.property(&owner, &member.into(), span).map(Some);
                }
            } else if import.wildcard {
                if let Some(class) = self.program.class(&import.path, self.sources)
                    && let Some(val) = self.static_field(&class, name, span)?
                {
                    return Ok(Some(val));
                }
                if let Some(class) = self.program.outside(&import.path, name, self.sources)
                    && let Some(val) = self.static_field(&class, name, span)?
                {
                    return Ok(Some(val));
                }
                if import.is_static {
                    let owner = Val::foreign(Arc::clone(&import.path), span);
                    if let Some(val) = H::member(self, &owner, name, span) {
                        return Ok(Some(val));
                    }
                    // The only thing it can be, if nothing else is imported like that.
                    let stars = unit.imports.iter();
                    let stars = stars.filter(|import| import.is_static && import.wildcard);
                    let path = format!("{}.{name}", import.path);
                    if stars.count() == 1 && constant(&path).is_some() {
                        return Ok(Some(Val::foreign(path, span)));
                    }
                }
            }
        }
        Ok(None)
    }

    /// A field or property of a value.
    pub(super) fn property(&mut self, of: &Val, name: &Name, span: Span) -> Result<Val> {
        match &of.v {
            V::Object(id) => {
                let id = *id;
                match self.objects.get(id).kind.clone() {
                    ObjectKind::Instance(class, _) => {
                        self.instance_property(of, id, &class, name, span)
                    }
                    ObjectKind::Host(..) => {
                        let val = self.host_property(of, name, span)?;
                        Ok(val.unwrap_or(Val::unknown("a field that is not in view", span)))
                    }
                    _ => {
                        let args = Args::default();
                        self.call_method(&args.call(of, name, span, span))
                    }
                }
            }
            V::Class(class) => {
                let class = Arc::clone(class);
                if let Some(val) = self.static_field(&class, name, span)? {
                    return Ok(val);
                }
                let nested = class.nested.iter().find(|inner| inner.name == *name);
                if let Some(inner) = nested {
                    return Ok(Val::new(V::Class(Arc::clone(inner)), span));
                }
                Ok(match &**name {
                    "Companion" | "INSTANCE" => of.clone(),
                    "java" | "javaObjectType" => of.clone(),
                    "entries" => self.constants(&class, span)?,
                    _ => Val::unknown("a field that is not in view", span),
                })
            }
            V::Foreign(path) => {
                // `java.lang.Boolean` is two objects.
                if simple(path) == "Boolean" && matches!(&**name, "TRUE" | "FALSE") {
                    return Ok(Val::bool(&**name == "TRUE", span));
                }
                let path = format!("{path}.{name}");
                if let Some(class) = self.program.class(&path, self.sources) {
                    return Ok(Val::new(V::Class(class), span));
                }
                if let Some(val) = H::member(self, of, name, span) {
                    return Ok(val);
                }
                // `HttpMethod.GET.name`
                if let (Some(text), "name") = (of.as_foreign().and_then(constant), &**name) {
                    return Ok(Val::string(text, span));
                }
                if matches!(&**name, "java" | "Companion") || path.len() > 200 {
                    return Ok(of.clone());
                }
                Ok(Val::foreign(path, span))
            }
            V::Unknown(why) => Ok(Val::unknown(why, span)),
            V::Null => Err(super::Abrupt::Throw(Val::foreign(
                "java.lang.NullPointerException",
                span,
            ))),
            V::String(_) | V::Number(_) | V::Bool(_) | V::Void => {
                let args = Args::default();
                self.call_method(&args.call(of, name, span, span))
            }
        }
    }

    fn instance_property(
        &mut self,
        of: &Val,
        id: Id,
        class: &Arc<Class>,
        name: &Name,
        span: Span,
    ) -> Result<Val> {
        if let Some(val) = self.objects.get(id).field(name) {
            return Ok(val.clone());
        }
        if let Some((owner, field)) = self.program.field(class, name, self.sources)
            && let Some(getter) = &field.getter
        {
            let scope = self.method_scope(of, &owner);
            if !self.budget.enter() {
                return Ok(Val::unknown("calls are nested too deeply", span));
            }
            let val = self.run_body(getter, scope, span);
            self.budget.leave();
            return val;
        }
        let [get, is] = getters(name);
        for getter in [get.as_str(), is.as_str(), name] {
            let found = self.program.method(class, getter, Some(0), self.sources);
            if let Some((owner, method)) = found {
                return self.invoke(of, &owner, &method, &[], span);
            }
        }
        if let Some(val) = self.static_field(class, name, span)? {
            return Ok(val);
        }
        if matches!(&**name, "name" | "ordinal")
            && let Some(val) = self.objects.get(id).field(&format!("{name}()"))
        {
            return Ok(val.clone());
        }
        if let Some(val) = H::member(self, of, name, span) {
            return Ok(val);
        }
        let args = Args::default();
        self.call_host(&args.call(of, &get, span, span))
    }

    /// The constants of an enumeration.
    pub(super) fn constants(&mut self, class: &Arc<Class>, span: Span) -> Result<Val> {
        let mut items = Vec::new();
        for field in class.fields.iter().filter(|field| field.constant.is_some()) {
            items.extend(self.static_field(class, &field.name, span)?);
        }
        Ok(self.array(items, false, span))
    }

    /// A call without anything before the name.
    pub(super) fn call_unqualified(
        &mut self,
        name: &Name,
        name_span: Span,
        args: &Args,
        scope: Id,
        span: Span,
    ) -> Result<Val> {
        let mut at = Some(scope);
        let kotlin = self.is_kotlin(span);
        let count = Some(args.values.len());
        let mut receivers: Vec<Val> = Vec::new();
        while let Some(id) = at {
            let here = self.scopes.get(id).clone();
            let found = here.variables.iter().find(|(known, _)| known == name);
            if let Some((_, val)) = found.filter(|_| kotlin) {
                let val = val.clone();
                return self.call_value(&val, None, args, span);
            }
            if let Some(this) = &here.this {
                if let Some(result) =
                    self.call_on_this(this, &args.call(this, name, name_span, span), args, kotlin)?
                {
                    return Ok(result);
                }
                receivers.push(this.clone());
            }
            if let Some(class) = &here.class {
                let around = self.program.around(class.span);
                for class in std::iter::once(Arc::clone(class)).chain(around) {
                    if let Some(val) = self.call_static(&class, name, args, count, span)? {
                        return Ok(val);
                    }
                }
            }
            at = here.parent;
        }
        let call_without = Val::foreign("", span);
        for host in self.hosts(scope) {
            if let Some(result) = H::call(self, &args.call(&host, name, name_span, span)) {
                return result;
            }
        }
        if let Some(val) = self.call_imported(name, name_span, args, kotlin, span)? {
            return Ok(val);
        }
        if kotlin {
            let call = args.call(&call_without, name, name_span, span);
            if let Some(val) = self.kotlin_function(&call, receivers.first())? {
                return Ok(val);
            }
            if name.starts_with(|c: char| c.is_uppercase()) {
                let class = self.name(name, scope, name_span)?;
                return self.construct(&class, args, span);
            }
        }
        // A method that a class of the project inherits from a library.
        for receiver in &receivers {
            let inherits = self
                .class_of(receiver)
                .is_some_and(|class| class.superclass.is_some() || !class.interfaces.is_empty());
            if inherits
                && let Some(result) = H::call(self, &args.call(receiver, name, name_span, span))
            {
                return result;
            }
        }
        self.call_host(&args.call(&call_without, name, name_span, span))
    }

    fn call_on_this(
        &mut self,
        this: &Val,
        call: &Call<'_>,
        args: &Args,
        kotlin: bool,
    ) -> Result<Option<Val>> {
        match self.object(this).map(|object| object.kind.clone()) {
            Some(ObjectKind::Instance(class, _)) => {
                let count = Some(args.values.len());
                let found = self
                    .program
                    .method(&class, call.method, count, self.sources);
                if let Some((owner, method)) = found {
                    if method.receiver.is_some() {
                        return Ok(None);
                    }
                    return self
                        .invoke_with(this, &owner, &method, args, call.span)
                        .map(Some);
                }
                let field = self
                    .object(this)
                    .and_then(|object| object.field(call.method));
                if kotlin && let Some(function) = field.cloned() {
                    return self.call_value(&function, None, args, call.span).map(Some);
                }
                self.accessor(this, call)
            }
            Some(ObjectKind::List { .. } | ObjectKind::Map { .. } | ObjectKind::Builder(_))
                if kotlin =>
            {
                let val = self.call_method(call)?;
                Ok((!val.is_opaque()).then_some(val))
            }
            _ => Ok(None),
        }
    }

    /// A static method of a class or of what it extends, Kotlin's companion included.
    pub(super) fn call_static(
        &mut self,
        class: &Arc<Class>,
        name: &str,
        args: &Args,
        count: Option<usize>,
        span: Span,
    ) -> Result<Option<Val>> {
        let mut found = self.program.method(class, name, count, self.sources);
        if found.as_ref().is_none_or(|(_, method)| !method.is_static) {
            found = class
                .companion()
                .and_then(|companion| self.program.method(companion, name, count, self.sources));
        }
        match found {
            Some((owner, method)) if method.is_static && method.receiver.is_none() => {
                let this = Val::new(V::Class(Arc::clone(&owner)), span);
                self.invoke_with(&this, &owner, &method, args, span)
                    .map(Some)
            }
            _ => Ok(None),
        }
    }

    fn call_imported(
        &mut self,
        name: &Name,
        name_span: Span,
        args: &Args,
        kotlin: bool,
        span: Span,
    ) -> Result<Option<Val>> {
        let Some(unit) = self.program.unit(span) else {
            return Ok(None);
        };
        let count = Some(args.values.len());
        if kotlin
            && let Some(class) = self.program.outside(&unit.package, name, self.sources)
            && let Some(val) = self.call_static(&class, name, args, count, span)?
        {
            return Ok(Some(val));
        }
        for import in &unit.imports {
            let brings = import.wildcard || import.name() == Some(name);
            if !brings || !(import.is_static || kotlin) {
                continue;
            }
            let (owner, member) = match import.path.rsplit_once('.') {
                Some((owner, member)) if !import.wildcard => (owner, member),
                _ => (&*import.path, &**name),
            };
            let class = self.program.class(owner, self.sources);
            let class = class.or_else(|| self.program.outside(owner, member, self.sources));
            if let Some(class) = class {
                if let Some(val) = self.call_static(&class, member, args, count, span)? {
                    return Ok(Some(val));
                }
                continue;
            }
            if import.wildcard && kotlin {
                continue;
            }
            let is_class = member.starts_with(|c: char| c.is_uppercase());
            // What is imported as static is a method, however it is spelt: `GET("/x")`.
            if (is_class && !import.is_static) || owner.starts_with("kotlin") {
                continue;
            }
            let owner = Val::foreign(owner, name_span);
            let call = args.call(&owner, member, name_span, span);
            if let Some(val) = self.library_static(&call)? {
                return Ok(Some(val));
            }
            if let Some(result) = H::call(self, &call) {
                return result.map(Some);
            }
            if !import.wildcard {
                return self.call_unknown(&call).map(Some);
            }
        }
        Ok(None)
    }

    /// `getX()`, `isX()`, `x()` and `setX(…)` that nobody wrote: Kotlin's properties, records and
    /// what Lombok generates.
    pub(super) fn accessor(&mut self, this: &Val, call: &Call<'_>) -> Result<Option<Val>> {
        let (Some(id), Some(class)) = (this.as_id(), self.class_of(this)) else {
            return Ok(None);
        };
        if call.args.is_empty() {
            let names = [
                property(call.method, "get"),
                property(call.method, "is"),
                Some(call.method.to_owned()),
            ];
            for name in names.iter().flatten() {
                if self.program.field(&class, name, self.sources).is_some() {
                    let name: Name = name.as_str().into();
                    return self.property(this, &name, call.span).map(Some);
                }
            }
            return Ok(None);
        }
        let [value] = call.args else { return Ok(None) };
        let name = property(call.method, "set").or_else(|| {
            // A fluent setter.
            let lombok = class.annotation("Accessors").is_some();
            lombok.then(|| call.method.to_owned())
        });
        let Some(name) = name else { return Ok(None) };
        let Some((_, field)) = self.program.field(&class, &name, self.sources) else {
            return Ok(None);
        };
        self.objects.get_mut(id).set(&field.name, value.clone());
        let fluent = class.annotation("Accessors").is_some();
        Ok(Some(if fluent {
            this.clone()
        } else {
            Val::void(call.span)
        }))
    }

    /// A function of the project that Kotlin adds to other types.
    pub(super) fn extension(&mut self, call: &Call<'_>, args: &Args) -> Result<Option<Val>> {
        let Some(unit) = self.program.unit(call.span) else {
            return Ok(None);
        };
        if unit.language != Language::Kotlin {
            return Ok(None);
        }
        let name = call.method;
        let around = self.program.around(call.span);
        let mut owners: Vec<Arc<Class>> = around;
        owners.extend(self.program.outside(&unit.package, name, self.sources));
        for import in &unit.imports {
            let owner = if import.wildcard {
                &*import.path
            } else if import.name() == Some(name) {
                import.path.rsplit_once('.').map_or("", |(owner, _)| owner)
            } else {
                continue;
            };
            let member = if import.wildcard {
                name
            } else {
                simple(&import.path)
            };
            owners.extend(self.program.outside(owner, member, self.sources));
        }
        for owner in owners {
            let found = owner.methods.iter().find(|method| {
                &*method.name == name && method.receiver.is_some() && args.fits(method)
            });
            if let Some(method) = found.cloned() {
                let outer = self.static_scope(&owner);
                let scope = self.scope(Some(outer));
                self.scopes.get_mut(scope).this = Some(call.receiver.clone());
                return self.run_method(&method, args, scope, call.span).map(Some);
            }
        }
        Ok(None)
    }
}
