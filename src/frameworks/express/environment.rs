//! Packages that read the environment for a program: zod, Joi, envalid, t3-env, `@nestjs/config`.
//!
//! What they give stands for the variables themselves: `z.object({ X: z.string().default('a') })`
//! says of `process.env` what `process.env.X ?? 'a'` says.

use super::host::{self, Node};
use super::model::{function, object};
use crate::source::Span;
use crate::syntax::javascript::eval::heap::{ObjectKind, V, Val};
use crate::syntax::javascript::eval::{Abrupt, Call, Result};

/// How a variable, or an object of them, is read.
#[derive(Clone, Debug)]
pub(super) struct Schema {
    kind: Kind,
    steps: Vec<Step>,
    /// A variable that is not set stops the program.
    required: bool,
    /// What is not named is kept.
    open: bool,
}

#[derive(Clone, Debug)]
enum Kind {
    /// The text of the variable.
    Text,
    /// Something made of it: a number, a truth value.
    Other,
    /// An object with a schema for each name.
    Fields(Val),
}

/// What is done with a value, in order.
#[derive(Clone, Debug)]
enum Step {
    /// It stands for a variable that is not set.
    Default(Val),
    /// The same, but unless the program runs in production.
    Development(Val),
    /// A function is called with it.
    Transform(Val),
}

/// What methods of schemas do.
const METHODS: [(Method, &[&str]); 11] = [
    (Method::Default, &["default", "prefault"]),
    (Method::Catch, &["catch"]),
    (Method::Optional, &["optional", "nullish"]),
    (Method::Required, &["required"]),
    (Method::Transform, &["transform"]),
    (Method::Parse, &["parse", "parseAsync", "validateAsync"]),
    (Method::SafeParse, &["safeParse", "safeParseAsync"]),
    (Method::Validate, &["validate"]),
    (Method::Fields, &["keys"]),
    (Method::Open, &["unknown", "passthrough", "loose"]),
    (Method::Same, &SAME),
];

/// Methods that look at a value and pass it on.
const SAME: [&str; 37] = [
    "nullable",
    "min",
    "max",
    "length",
    "url",
    "uri",
    "email",
    "hostname",
    "domain",
    "regex",
    "pattern",
    "nonempty",
    "startsWith",
    "endsWith",
    "includes",
    "int",
    "integer",
    "port",
    "positive",
    "nonnegative",
    "valid",
    "describe",
    "description",
    "strict",
    "strip",
    "prefs",
    "refine",
    "superRefine",
    "trim",
    "toLowerCase",
    "allow",
    "empty",
    "label",
    "messages",
    "uuid",
    "readonly",
    "brand",
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Method {
    Default,
    Catch,
    Optional,
    Required,
    Transform,
    Parse,
    SafeParse,
    Validate,
    Fields,
    Open,
    Same,
}

/// A method of a schema.
pub(super) fn member(number: u32, name: &str, span: Span) -> Option<Val> {
    let at = METHODS
        .iter()
        .position(|(_, names)| names.contains(&name))?;
    let at = u16::try_from(at).ok()?;
    Some(Val::new(V::Host(function::SCHEMA + at, number), span))
}

/// A call of a function of one of the packages that makes or applies schemas.
pub(super) fn call(machine: &mut Node<'_>, path: &str, call: &Call<'_>) -> Option<Result<Val>> {
    if !machine.loading() {
        return None;
    }
    let first = call.args.first().cloned().map(|val| machine.force(val));
    if let Some(maker) = path.strip_prefix("envalid.") {
        return match maker {
            "cleanEnv" => Some(clean_env(machine, call)),
            "str" | "email" | "host" | "url" => Some(Ok(validator(machine, first, true, call))),
            "num" | "bool" | "port" | "json" => Some(Ok(validator(machine, first, false, call))),
            _ => None,
        };
    }
    if matches!(
        path,
        "@t3-oss/env-core.createEnv" | "@t3-oss/env-nextjs.createEnv"
    ) {
        return Some(create_env(machine, &first?, call.span));
    }
    let zod = [
        "zod.z.",
        "zod/v4.z.",
        "zod/v3.z.",
        "zod/v4.",
        "zod/v3.",
        "zod.",
    ];
    let zod = zod.iter().find_map(|prefix| path.strip_prefix(prefix));
    let joi = ["joi.", "Joi.", "@hapi/joi."];
    let joi = joi.iter().find_map(|prefix| path.strip_prefix(prefix));
    let maker = zod.or(joi)?;
    let (kind, open) = match maker {
        "object" | "strictObject" => (
            Kind::Fields(first.unwrap_or(Val::undefined(call.span))),
            false,
        ),
        "looseObject" => (Kind::Fields(first?), true),
        "string" | "enum" | "nativeEnum" | "url" | "email" | "httpUrl" | "coerce.string" => {
            (Kind::Text, false)
        }
        "number" | "boolean" | "coerce.number" | "coerce.boolean" | "stringbool" | "array" => {
            (Kind::Other, false)
        }
        _ => return None,
    };
    let schema = Schema {
        kind,
        steps: Vec::new(),
        // Joi takes what is missing unless it is told otherwise.
        required: zod.is_some(),
        open,
    };
    Some(Ok(value(machine, schema, call.span)))
}

fn value(machine: &mut Node<'_>, schema: Schema, span: Span) -> Val {
    let schemas = &mut machine.host.change().schemas;
    schemas.push(schema);
    let number = u32::try_from(schemas.len() - 1).unwrap_or(u32::MAX);
    machine.allocate(ObjectKind::Host(object::SCHEMA, number), span)
}

/// A call of a method of a schema.
pub(super) fn call_method(
    machine: &mut Node<'_>,
    method: u16,
    number: u32,
    call: &Call<'_>,
) -> Option<Result<Val>> {
    let (method, _) = METHODS.get(usize::from(method))?;
    let schema = machine.host.program.schemas.get(number as usize)?.clone();
    let arg = call.args.first().cloned();
    let arg = arg.unwrap_or(Val::undefined(call.span));
    let changed = |change: &dyn Fn(&mut Schema)| {
        let mut schema = schema.clone();
        change(&mut schema);
        schema
    };
    let schema = match method {
        Method::Parse => return Some(apply(machine, &schema, &arg, call.span)),
        Method::SafeParse | Method::Validate => {
            let result = apply(machine, &schema, &arg, call.span);
            let name = match method {
                Method::Validate => "value",
                _ => "data",
            };
            return Some(result.map(|given| passed(machine, name, given, call.span)));
        }
        Method::Same => schema,
        // What a failed check gives is not told apart.
        Method::Catch => changed(&|schema| schema.kind = Kind::Other),
        Method::Optional => {
            let differs = Val::unknown("the releases of the package differ", call.span);
            changed(&|schema| {
                // One release of zod gives nothing for what is optional, the next the default.
                let default = schema
                    .steps
                    .iter()
                    .any(|step| matches!(step, Step::Default(_)));
                if schema.required && default {
                    schema.steps.push(Step::Default(differs.clone()));
                }
                schema.required = false;
            })
        }
        Method::Required => changed(&|schema| schema.required = true),
        Method::Open => changed(&|schema| schema.open = true),
        Method::Fields => changed(&|schema| schema.kind = Kind::Fields(arg.clone())),
        Method::Default => {
            let default = match given_by(machine, arg, call.span) {
                Ok(default) => default,
                Err(abrupt) => return Some(Err(abrupt)),
            };
            changed(&|schema| schema.steps.push(Step::Default(default.clone())))
        }
        Method::Transform => changed(&|schema| schema.steps.push(Step::Transform(arg.clone()))),
    };
    Some(Ok(value(machine, schema, call.span)))
}

/// A default: a function is called for it, by Joi with the object around it.
fn given_by(machine: &mut Node<'_>, default: Val, span: Span) -> Result<Val> {
    if machine.function(&default).is_none() {
        return Ok(default);
    }
    let around = Val::unknown("it is the object around it", span);
    machine.call(&default, &Val::undefined(span), &[around], span)
}

/// What a check gives that has passed: one that has not stops the program.
fn passed(machine: &mut Node<'_>, name: &str, given: Val, span: Span) -> Val {
    let result = machine.allocate(ObjectKind::Plain, span);
    if let Some(id) = result.as_id() {
        let result = machine.objects.get_mut(id);
        result.set("success", span, Val::bool(true, span));
        result.set("error", span, Val::undefined(span));
        result.set(name, span, given);
    }
    result
}

/// Reads a value by a schema.
fn apply(machine: &mut Node<'_>, schema: &Schema, input: &Val, span: Span) -> Result<Val> {
    if !machine.budget.step() {
        return Err(Abrupt::Stop);
    }
    let required = schema.required
        && !schema
            .steps
            .iter()
            .any(|step| matches!(step, Step::Default(_)));
    after(machine, schema, schema.steps.len(), input, required, span)
}

/// The value after some of a schema's steps.
fn after(
    machine: &mut Node<'_>,
    schema: &Schema,
    steps: usize,
    input: &Val,
    required: bool,
    span: Span,
) -> Result<Val> {
    let Some(step) = steps.checked_sub(1).and_then(|at| schema.steps.get(at)) else {
        return read(machine, schema, input, required, span);
    };
    let steps = steps - 1;
    match step {
        Step::Transform(function) => {
            let given = after(machine, schema, steps, input, required, span)?;
            machine.call(function, &Val::undefined(span), &[given], span)
        }
        Step::Default(default) => {
            let transformed = schema.steps[..steps]
                .iter()
                .any(|step| matches!(step, Step::Transform(_)));
            // One release passes the default through what stands before it, the next does not.
            let default = if transformed {
                Val::unknown("the releases of the package differ", span)
            } else {
                default.clone()
            };
            or_else(machine, schema, steps, input, default, span)
        }
        Step::Development(development) => {
            let unset = after(machine, schema, steps, input, required, span)?;
            let default = by_environment(machine, development.clone(), unset, span);
            or_else(machine, schema, steps, input, default, span)
        }
    }
}

/// The value that is read, or another if the variable is not set.
fn or_else(
    machine: &mut Node<'_>,
    schema: &Schema,
    steps: usize,
    input: &Val,
    default: Val,
    span: Span,
) -> Result<Val> {
    match &input.v {
        V::Undefined => Ok(default),
        // In every deployment it is something, and what is compared with it are its names.
        V::Env(name) if &**name == "NODE_ENV" => Ok(input.clone()),
        V::Env(name) => {
            let condition = machine.is_set(&name.clone(), default.span);
            let set = Val::something("the environment gives it", input.span);
            let set = after(machine, schema, steps, &set, false, span)?;
            Ok(Val::choice(condition, set, default, span))
        }
        _ => after(machine, schema, steps, input, false, span),
    }
}

/// One value while developing, another in production.
fn by_environment(machine: &mut Node<'_>, development: Val, production: Val, span: Span) -> Val {
    let name = environment(machine, "NODE_ENV", span);
    let is_production = machine.equals(&name, &Val::string("production", span), false, span);
    match is_production.v {
        V::Test(condition, true) => Val::choice(condition, development, production, span),
        V::Bool(true) => production,
        V::Bool(false) => development,
        _ => Val::unknown("it depends on the environment", span),
    }
}

/// The value before any step.
fn read(
    machine: &mut Node<'_>,
    schema: &Schema,
    input: &Val,
    required: bool,
    span: Span,
) -> Result<Val> {
    let fields = match &schema.kind {
        Kind::Fields(fields) => fields,
        Kind::Text => {
            return Ok(match &input.v {
                V::Env(name) if required && &**name != "NODE_ENV" => {
                    Val::something("the environment gives it", input.span)
                }
                _ => input.clone(),
            });
        }
        Kind::Other => {
            return Ok(Val::unknown(
                "it is made of a text that is not in view",
                span,
            ));
        }
    };
    let fields = machine.force(fields.clone());
    let result = machine.allocate(ObjectKind::Plain, span);
    let Some(id) = result.as_id() else {
        return Ok(result);
    };
    machine.objects.get_mut(id).open =
        schema.open || machine.object(&fields).is_none_or(|found| found.open);
    for (name, at) in machine.own_keys(&fields) {
        let Some(field) = machine.own(&fields, &name) else {
            continue;
        };
        let field = machine.force(field);
        let value = match schema_of(machine, &field) {
            Some(schema) => {
                let given = machine.member(input, &name, field.span, field.span)?;
                apply(machine, &schema, &given, field.span)?
            }
            None => Val::unknown("how it is read is not in view", field.span),
        };
        machine.objects.get_mut(id).set(&name, at, value);
    }
    Ok(result)
}

fn schema_of(machine: &Node<'_>, val: &Val) -> Option<Schema> {
    match host::host_object(machine, val)? {
        (object::SCHEMA, number) => machine.host.program.schemas.get(number as usize).cloned(),
        _ => None,
    }
}

/// `str({ default, devDefault })` and the like of envalid.
fn validator(machine: &mut Node<'_>, options: Option<Val>, text: bool, call: &Call<'_>) -> Val {
    let option = |name: &str| machine.own(options.as_ref()?, name);
    let (default, development) = (option("default"), option("devDefault"));
    let mut steps = Vec::new();
    steps.extend(default.map(Step::Default));
    steps.extend(development.map(Step::Development));
    let schema = Schema {
        kind: if text { Kind::Text } else { Kind::Other },
        steps,
        required: true,
        open: false,
    };
    value(machine, schema, call.span)
}

/// `cleanEnv(process.env, { … })` of envalid.
fn clean_env(machine: &mut Node<'_>, call: &Call<'_>) -> Result<Val> {
    let span = call.span;
    let (Some(input), Some(fields)) = (call.args.first(), call.args.get(1)) else {
        return Ok(Val::unknown("it lacks arguments", span));
    };
    let schema = Schema {
        kind: Kind::Fields(fields.clone()),
        steps: Vec::new(),
        required: true,
        open: false,
    };
    let result = apply(machine, &schema, input, span)?;
    for (name, environment) in [
        ("isProduction", "production"),
        ("isProd", "production"),
        ("isDevelopment", "development"),
        ("isDev", "development"),
        ("isTest", "test"),
    ] {
        let node = self::environment(machine, "NODE_ENV", span);
        let is = machine.equals(&node, &Val::string(environment, span), false, span);
        if let Some(id) = result.as_id() {
            machine.objects.get_mut(id).set(name, span, is);
        }
    }
    Ok(result)
}

/// `createEnv({ server: { … }, runtimeEnv: process.env })` of t3-env.
fn create_env(machine: &mut Node<'_>, options: &Val, span: Span) -> Result<Val> {
    let given = machine
        .own(options, "runtimeEnv")
        .map(|given| machine.force(given));
    let input = given.unwrap_or_else(|| Val::new(V::Native("process.env".into()), span));
    let result = machine.allocate(ObjectKind::Plain, span);
    for part in ["server", "client", "shared"] {
        let Some(fields) = machine.own(options, part) else {
            continue;
        };
        let schema = Schema {
            kind: Kind::Fields(fields),
            steps: Vec::new(),
            required: true,
            open: false,
        };
        let read = apply(machine, &schema, &input, span)?;
        for (name, at) in machine.own_keys(&read) {
            if let (Some(value), Some(id)) = (machine.own(&read, &name), result.as_id()) {
                machine.objects.get_mut(id).set(&name, at, value);
            }
        }
    }
    Ok(result)
}

/// A variable of the environment, as a program reads it.
fn environment(machine: &mut Node<'_>, name: &str, span: Span) -> Val {
    let all = Val::new(V::Native("process.env".into()), span);
    let value = machine.member(&all, name, span, span);
    value.unwrap_or_else(|_| Val::unknown("the environment gives it", span))
}

/// The path of what stands for NestJS's service that reads the environment.
const CONFIG_SERVICE: &str = "@nestjs/config.ConfigService";

/// Calls of `@nestjs/config`.
pub(super) fn nest(machine: &mut Node<'_>, path: &str, call: &Call<'_>) -> Option<Result<Val>> {
    let name = path.strip_prefix("@nestjs/config.")?;
    match name {
        "registerAs" if machine.loading() => {
            let token = call.args.first()?.as_str()?.to_owned();
            let factory = call.args.get(1)?.clone();
            let key = Val::string(format!("CONFIGURATION({token})"), call.span);
            machine
                .objects
                .get_mut(factory.as_id()?)
                .set("KEY", call.span, key);
            register(machine, token, factory.clone());
            Some(Ok(factory))
        }
        "ConfigModule.forRoot" if machine.loading() => {
            let options = machine.force(call.args.first()?.clone());
            let load = machine.own(&options, "load")?;
            let (factories, _) = machine.items(&load)?;
            for factory in factories {
                if machine.own(&factory, "KEY").is_none() {
                    register(machine, String::new(), factory);
                }
            }
            None
        }
        _ => {
            let method = path.strip_prefix(CONFIG_SERVICE)?.strip_prefix("().")?;
            if !matches!(method, "get" | "getOrThrow") {
                return None;
            }
            configured(machine, method == "getOrThrow", call)
        }
    }
}

fn register(machine: &mut Node<'_>, token: String, factory: Val) {
    let known = &mut machine.host.change().configurations;
    if known.len() < 1000
        && !known
            .iter()
            .any(|(_, same)| same.as_id() == factory.as_id())
    {
        known.push((token, factory));
    }
}

/// What `ConfigService` gives under a name: what loaded files say, else the environment.
fn configured(machine: &mut Node<'_>, throws: bool, call: &Call<'_>) -> Option<Result<Val>> {
    let path = machine.force(call.args.first()?.clone());
    let path = path.as_str()?.to_owned();
    let span = call.span;
    let default = call
        .args
        .get(1)
        .cloned()
        .map(|default| machine.force(default));
    let default = default.filter(|default| machine.own(default, "infer").is_none());
    let loaded = loaded(machine, &path, span);
    let value = match loaded {
        Some(value) if !matches!(value.v, V::Undefined) => value,
        _ if is_variable(&path) => environment(machine, &path, span),
        _ => return None,
    };
    Some(Ok(match (&value.v, default) {
        (V::Env(name), Some(default)) => {
            let condition = machine.is_set(&name.clone(), span);
            let set = Val::something("the environment gives it", span);
            Val::choice(condition, set, default, span)
        }
        (V::Env(name), None) if throws && &**name != "NODE_ENV" => {
            Val::something("the environment gives it", span)
        }
        _ => value,
    }))
}

/// Is a name one of those that variables of the environment have?
fn is_variable(path: &str) -> bool {
    let upper = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
    !path.is_empty() && path.chars().all(upper)
}

/// What the files that a module loads say under a path. Nothing if none of them does, or if several do.
fn loaded(machine: &mut Node<'_>, path: &str, span: Span) -> Option<Val> {
    let known = machine.host.program.configurations.clone();
    let mut found = None;
    for (token, factory) in known {
        let below = match token.as_str() {
            "" => path,
            token if path == token => "",
            token => match path
                .strip_prefix(token)
                .and_then(|rest| rest.strip_prefix('.'))
            {
                Some(rest) => rest,
                None => continue,
            },
        };
        let mut value = machine
            .call(&factory, &Val::undefined(span), &[], span)
            .ok()?;
        for name in below.split('.').filter(|name| !name.is_empty()) {
            value = machine.force(value);
            if value.is_nullish() {
                value = Val::undefined(span);
                break;
            }
            value = machine.member(&value, name, span, span).ok()?;
        }
        match (&value.v, &found) {
            (V::Undefined, _) => {}
            (_, None) => found = Some(value),
            (_, Some(_)) => return Some(Val::unknown("several files say it", span)),
        }
    }
    found
}

/// What an application gives for a class or a key that it is asked for: an instance of
/// `ConfigService`, or a part of the configuration.
pub(super) fn provided(machine: &mut Node<'_>, class: &Val, span: Span) -> Option<Val> {
    if matches!(&class.v, V::Foreign(path) if &**path == CONFIG_SERVICE) {
        return Some(Val::new(
            V::Foreign(format!("{CONFIG_SERVICE}()").into()),
            span,
        ));
    }
    let token = class
        .as_str()?
        .strip_prefix("CONFIGURATION(")?
        .strip_suffix(')')?;
    loaded(machine, token, span)
}
