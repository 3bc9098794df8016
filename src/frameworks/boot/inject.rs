//! What Spring puts into fields and parameters: values, bound property classes, components.

use std::sync::Arc;

use super::Settings;
use super::text::split_at_commas;
use crate::limits::boot::inject::{MAX_DEPTH, MAX_ELEMENTS};
use crate::source::Span;
use crate::syntax::jvm::ast::{Class, ClassKind, Name, Param, Type, annotation, simple};
use crate::syntax::jvm::eval::heap::{ObjectKind, V, Val};
use crate::syntax::jvm::eval::{Call, Host, Injection, Machine, Result};
use crate::syntax::value::{Kind, Value};

/// The annotations that make a class a component.
const COMPONENTS: [&str; 9] = [
    "Component",
    "Service",
    "Repository",
    "Configuration",
    "Controller",
    "RestController",
    "ControllerAdvice",
    "RestControllerAdvice",
    "SpringBootApplication",
];

const OUTSIDE: &str = "it is set outside of the project";

/// The path of what stands for Spring's `Environment`.
const ENVIRONMENT: &str = "org.springframework.core.env.Environment";

/// The objects that were made, one for each class.
#[derive(Clone, Debug, Default)]
pub struct Beans(Vec<(Span, Option<Val>)>);

/// A framework that knows the properties of its world.
pub trait Wired: Host {
    /// The properties.
    fn settings(&self) -> &Settings;
    /// What was made so far.
    fn beans(&mut self) -> &mut Beans;
}

/// The one object of a class: bound to its properties if it is annotated so, and else made with
/// what its constructor asks for. Unknown while it is being made.
pub fn bean_of_class<H: Wired>(m: &mut Machine<'_, H>, class: &Arc<Class>, span: Span) -> Val {
    let known = m
        .host
        .beans()
        .0
        .iter()
        .find(|(known, _)| *known == class.span);
    if let Some((_, val)) = known {
        let why = "it needs itself";
        return val.clone().unwrap_or(Val::unknown(why, span));
    }
    m.host.beans().0.push((class.span, None));
    let prefix = class.annotation("ConfigurationProperties").cloned();
    let val = match prefix {
        Some(annotation) => {
            let prefix = ["value", "prefix"]
                .iter()
                .find_map(|name| m.annotation(&annotation, name));
            let prefix = prefix
                .as_ref()
                .and_then(Val::as_str)
                .unwrap_or("")
                .to_owned();
            bound(m, class, &prefix, span, MAX_DEPTH)
        }
        None => m.create(class, span).ok(),
    };
    let val = val.unwrap_or(Val::unknown("it cannot be made", span));
    if let Some(bean) = m
        .host
        .beans()
        .0
        .iter_mut()
        .find(|(known, _)| *known == class.span)
    {
        bean.1 = Some(val.clone());
    }
    val
}

/// What a place holds: `@Value`, the `Environment`, bound property classes and components of the
/// project. Nothing if none of them fits.
pub fn inject<H: Wired>(m: &mut Machine<'_, H>, place: &Injection<'_>) -> Option<Val> {
    if let Some(value) = annotation(place.annotations, "Value") {
        let arg = m.annotation(value, "value")?;
        let Some(text) = arg.as_str().map(ToOwned::to_owned) else {
            return Some(Val::unknown(OUTSIDE, place.span));
        };
        let value = m.host.settings().expand(&text, arg.span);
        let place_of = single_key(&text).and_then(|key| m.host.settings().get(key));
        let span = place_of.map_or(arg.span, |found| found.span);
        return Some(converted(m, &Value { span, ..value }, place.ty));
    }
    let name = place.ty.simple();
    if matches!(
        name,
        "Environment" | "ConfigurableEnvironment" | "PropertyResolver"
    ) {
        return Some(Val::foreign(ENVIRONMENT, place.span));
    }
    if name == "Optional" {
        let inner = place.ty.args.first()?;
        let val = component(m, inner, place.span)?;
        return Some(m.allocate(ObjectKind::Optional(Some(val)), place.span));
    }
    if matches!(name, "ObjectProvider" | "List" | "Set" | "Collection") {
        let inner = place.ty.args.first()?;
        let program = Arc::clone(m.program());
        let class = program.class_at(inner.span, &inner.name, m.sources())?;
        let mut items = Vec::new();
        for component in components(m, &class) {
            items.push(bean_of_class(m, &component, place.span));
        }
        // Methods annotated with `@Bean` may make more of them.
        return Some(m.list(items, true, place.span));
    }
    if place.is_field
        && !["Autowired", "Inject", "Resource"]
            .iter()
            .any(|name| annotation(place.annotations, name).is_some())
    {
        return None;
    }
    component(m, place.ty, place.span)
}

/// The key of a text that is one placeholder.
fn single_key(text: &str) -> Option<&str> {
    let inner = text.strip_prefix("${")?.strip_suffix('}')?;
    let key = inner.split(':').next().unwrap_or(inner);
    (!key.contains(['$', '{', '}'])).then_some(key)
}

/// The component of the project that a type asks for.
fn component<H: Wired>(m: &mut Machine<'_, H>, ty: &Type, span: Span) -> Option<Val> {
    let program = Arc::clone(m.program());
    let class = program.class_at(ty.span, &ty.name, m.sources())?;
    if is_component(&class) && !class.is_abstract {
        return Some(bean_of_class(m, &class, span));
    }
    if !class.is_abstract {
        return None;
    }
    match components(m, &class).as_slice() {
        [only] => Some(bean_of_class(m, only, span)),
        _ => None,
    }
}

/// The components that are of a type of the project.
fn components<H: Wired>(m: &Machine<'_, H>, class: &Arc<Class>) -> Vec<Arc<Class>> {
    let classes = m.program().descendants(&class.name, m.sources());
    classes
        .iter()
        .filter(|other| !other.is_abstract && is_component(other))
        .cloned()
        .collect()
}

fn is_component(class: &Arc<Class>) -> bool {
    class.annotation("ConfigurationProperties").is_some()
        || COMPONENTS
            .iter()
            .any(|name| class.annotation(name).is_some())
}

/// A call of Spring's `Environment` or `Binder`; nothing if it is none.
pub fn call<H: Wired>(m: &mut Machine<'_, H>, call: &Call<'_>) -> Option<Result<Val>> {
    let is_environment = call.receiver.as_foreign() == Some(ENVIRONMENT);
    if !is_environment {
        return None;
    }
    let key = call
        .args
        .first()
        .and_then(Val::as_str)
        .map(ToOwned::to_owned);
    Some(Ok(match call.method {
        "getProperty" | "getRequiredProperty" | "get" => {
            let Some(key) = key else {
                return Some(Ok(Val::unknown(OUTSIDE, call.span)));
            };
            let found = m.host.settings().get(&key);
            let ty = call.args.iter().find_map(|arg| {
                let class = arg.as_foreign().map(simple)?;
                (class != "Environment").then(|| Type {
                    name: class.trim_end_matches("[]").into(),
                    args: Vec::new(),
                    array: class.ends_with("[]"),
                    span: arg.span,
                })
            });
            let string = Type::unwritten(call.span);
            let ty = ty.unwrap_or(string);
            let default = call
                .args
                .iter()
                .skip(1)
                .find(|arg| arg.as_foreign().is_none());
            match (found, default) {
                (Some(value), _) => converted(m, &value, &ty),
                (None, Some(default)) => default.clone(),
                (None, None) => Val::unknown(OUTSIDE, call.span),
            }
        }
        "containsProperty" => match key {
            Some(key) if m.host.settings().get(&key).is_some() => Val::bool(true, call.span),
            _ => Val::unknown(OUTSIDE, call.span),
        },
        _ => Val::unknown(OUTSIDE, call.span),
    }))
}

/// A text as the type of a place wants it.
fn converted<H: Wired>(m: &mut Machine<'_, H>, value: &Value, ty: &Type) -> Val {
    let span = value.span;
    let list = ty.array
        || matches!(
            ty.simple(),
            "List" | "Set" | "Collection" | "Array" | "MutableList"
        );
    match &value.kind {
        Kind::Unknown(why) => Val::unknown(why, span),
        Kind::String(text) if list => {
            let parts: Vec<Val> = split_at_commas(text)
                .map(|(_, part)| Val::string(part, span))
                .collect();
            sequence(m, parts, false, ty, span)
        }
        Kind::String(text) => scalar(text, ty, span),
        Kind::List(list) => {
            let parts: Vec<Val> = list
                .items
                .iter()
                .map(|item| match &item.kind {
                    Kind::String(text) => Val::string(text.as_str(), item.span),
                    _ => Val::unknown(OUTSIDE, item.span),
                })
                .collect();
            sequence(m, parts, list.open, ty, span)
        }
        Kind::Bool(value) => Val::bool(*value, span),
        Kind::Number(value) => Val::number(*value, span),
        _ => Val::unknown(OUTSIDE, span),
    }
}

fn sequence<H: Wired>(
    m: &mut Machine<'_, H>,
    items: Vec<Val>,
    open: bool,
    ty: &Type,
    span: Span,
) -> Val {
    if ty.array || ty.simple() == "Array" {
        m.array(items, open, span)
    } else {
        m.list(items, open, span)
    }
}

fn scalar(text: &str, ty: &Type, span: Span) -> Val {
    let trimmed = text.trim();
    match ty.simple() {
        "boolean" | "Boolean" => {
            let on = ["true", "on", "yes", "1"];
            Val::bool(
                on.iter().any(|word| trimmed.eq_ignore_ascii_case(word)),
                span,
            )
        }
        "int" | "Integer" | "long" | "Long" | "Int" | "Short" | "short" | "double" | "Double" => {
            match trimmed.parse() {
                Ok(number) => Val::number(number, span),
                Err(_) => Val::unknown("a number that is not understood", span),
            }
        }
        "Duration" => match seconds(trimmed) {
            Some(number) => Val::number(number, span),
            None => Val::unknown("a duration that is not understood", span),
        },
        _ => Val::string(text, span),
    }
}

/// The seconds of a duration as Spring Boot reads it: `10m`, `PT10M`, milliseconds without a unit.
fn seconds(text: &str) -> Option<f64> {
    let text = text.to_ascii_lowercase();
    let iso = text.strip_prefix("pt");
    let body = iso.unwrap_or(&text);
    let end = body
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(body.len());
    let number: f64 = body[..end].parse().ok()?;
    Some(match (&body[end..], iso.is_some()) {
        ("ms" | "", false) => number / 1000.0,
        ("s", _) => number,
        ("m", _) => number * 60.0,
        ("h", _) => number * 3600.0,
        ("d", false) => number * 86400.0,
        _ => return None,
    })
}

/// Binds the properties below a prefix to an object: fields of an instance of the project, and
/// setters of anything else.
pub fn bind<H: Wired>(m: &mut Machine<'_, H>, object: &Val, prefix: &str) -> Result<()> {
    bind_into(m, object, prefix, MAX_DEPTH)
}

/// A new object of a property class.
fn bound<H: Wired>(
    m: &mut Machine<'_, H>,
    class: &Arc<Class>,
    prefix: &str,
    span: Span,
    depth: u32,
) -> Option<Val> {
    let wired = class
        .constructors
        .iter()
        .find(|found| found.annotation("ConstructorBinding").is_some());
    let by_constructor = class.kind == ClassKind::Record || wired.is_some();
    let only = match class.constructors.as_slice() {
        [only] if !only.params.is_empty() => Some(only),
        _ => None,
    };
    let constructor = wired
        .or(only)
        .or_else(|| by_constructor.then(|| class.constructors.first()).flatten());
    let Some(constructor) = constructor.cloned() else {
        let this = m.instantiate(class, &[], span).ok()?;
        bind_into(m, &this, prefix, depth).ok()?;
        return Some(this);
    };
    let mut names = Vec::new();
    let mut args = Vec::new();
    for param in &constructor.params {
        let key = format!("{prefix}.{}", param.name);
        match property(m, &param.ty, &key, None, depth) {
            Some(val) => {
                names.push(Some(Arc::clone(&param.name)));
                args.push(val);
            }
            None if param.default.is_some() => {}
            None => {
                let val = default_of(m, param, span);
                names.push(Some(Arc::clone(&param.name)));
                args.push(val);
            }
        }
    }
    let this = m.instantiate_named(class, &args, &names, span).ok()?;
    // Fields of the body are bound by their setters.
    bind_into(m, &this, prefix, depth).ok()?;
    Some(this)
}

fn default_of<H: Wired>(m: &mut Machine<'_, H>, param: &Param, span: Span) -> Val {
    if let Some(default) = annotation(&param.annotations, "DefaultValue") {
        let val = m.annotation(default, "value");
        let texts = val
            .as_ref()
            .map(|val| m.flattened(std::slice::from_ref(val)).0);
        let texts = texts.unwrap_or_default();
        let list = param.ty.array || matches!(param.ty.simple(), "List" | "Set" | "Collection");
        return match texts.as_slice() {
            [one] if !list => match one.as_str() {
                Some(text) => scalar(text, &param.ty, one.span),
                None => one.clone(),
            },
            _ => sequence(m, texts, false, &param.ty, span),
        };
    }
    match param.ty.simple() {
        "boolean" | "Boolean" if param.ty.name.starts_with('b') => Val::bool(false, span),
        "int" | "long" | "short" | "double" => Val::number(0.0, span),
        _ => Val::null(span),
    }
}

fn bind_into<H: Wired>(
    m: &mut Machine<'_, H>,
    object: &Val,
    prefix: &str,
    depth: u32,
) -> Result<()> {
    let Some(class) = m.class_of(object) else {
        for (name, span) in m.host.settings().children(prefix) {
            set_foreign(m, object, prefix, &name, span)?;
        }
        return Ok(());
    };
    let program = Arc::clone(m.program());
    for class in program.ancestry(&class, m.sources()).iter() {
        for field in class.fields.iter().filter(|field| !field.is_static) {
            let key = format!("{prefix}.{}", field.name);
            let current = m
                .object(object)
                .and_then(|object| object.field(&field.name))
                .cloned();
            let inferred = current.as_ref().is_some_and(|val| m.items(val).is_some());
            let ty = if field.ty.name.is_empty() && inferred {
                Type {
                    name: "List".into(),
                    ..field.ty.clone()
                }
            } else {
                field.ty.clone()
            };
            if let Some(val) = property(m, &ty, &key, current.as_ref(), depth)
                && let Some(id) = object.as_id()
            {
                m.objects.get_mut(id).set(&field.name, val);
            }
        }
    }
    Ok(())
}

/// Sets a property of a library's object: a list if it is written as one, and else a text.
fn set_foreign<H: Wired>(
    m: &mut Machine<'_, H>,
    object: &Val,
    prefix: &str,
    name: &str,
    span: Span,
) -> Result<()> {
    let key = format!("{prefix}.{name}");
    let camel = camel(name);
    let setter = format!("set{}{}", camel[..1].to_uppercase(), &camel[1..]);
    let plural = setter.ends_with('s') && setter != "setAllowCredentials";
    let value = if plural {
        m.host.settings().list(&key)
    } else {
        m.host.settings().get(&key)
    };
    let Some(value) = value else { return Ok(()) };
    let ty = match setter.as_str() {
        "setAllowCredentials" | "setAllowPrivateNetwork" => "Boolean",
        "setMaxAge" => "Long",
        _ if plural => "List",
        _ => "String",
    };
    let ty = Type {
        name: ty.into(),
        ..Type::unwritten(span)
    };
    let args = [converted(m, &value, &ty)];
    let call = Call {
        receiver: object,
        method: &setter,
        name_span: span,
        args: &args,
        names: &[],
        open: false,
        span: value.span,
    };
    match H::call(m, &call) {
        Some(result) => result.map(|_| ()),
        None => Ok(()),
    }
}

/// `allowed-origins` as Java writes it.
pub(crate) fn camel(name: &str) -> String {
    let mut result = String::new();
    let mut up = false;
    for c in name.chars() {
        if matches!(c, '-' | '_') {
            up = !result.is_empty();
        } else if up {
            result.extend(c.to_uppercase());
            up = false;
        } else {
            result.push(c);
        }
    }
    if result.is_empty() {
        "x".into()
    } else {
        result
    }
}

/// The value of one property; nothing if no file sets it.
fn property<H: Wired>(
    m: &mut Machine<'_, H>,
    ty: &Type,
    key: &str,
    current: Option<&Val>,
    depth: u32,
) -> Option<Val> {
    let span = m.host.settings().has(key)?;
    if depth == 0 {
        return Some(Val::unknown("it is nested too deeply", span));
    }
    let program = Arc::clone(m.program());
    let class_of = |m: &Machine<'_, H>, ty: &Type| program.class_at(ty.span, &ty.name, m.sources());
    let list = ty.array
        || matches!(
            ty.simple(),
            "List" | "Set" | "Collection" | "MutableList" | "Array"
        );
    if list {
        let inner = if ty.array { Some(ty) } else { ty.args.first() };
        if let Some(class) = inner.and_then(|inner| class_of(m, inner))
            && class.kind != ClassKind::Enum
        {
            let children = m.host.settings().children(key);
            let mut items = Vec::new();
            for (index, span) in children.iter().take(MAX_ELEMENTS) {
                let inner = format!("{key}[{index}]");
                items.extend(bound(m, &class, &inner, *span, depth - 1));
            }
            return Some(sequence(m, items, false, ty, span));
        }
        let value = m.host.settings().list(key)?;
        return Some(converted(m, &value, ty));
    }
    if matches!(
        ty.simple(),
        "Map" | "MutableMap" | "HashMap" | "LinkedHashMap"
    ) {
        let string = Type::unwritten(ty.span);
        let inner = ty.args.get(1).cloned().unwrap_or(string);
        let mut entries = Vec::new();
        for (name, span) in m
            .host
            .settings()
            .children(key)
            .into_iter()
            .take(MAX_ELEMENTS)
        {
            let written = bracketed(&name);
            let child = format!("{key}{written}");
            if let Some(val) = property(m, &inner, &child, None, depth - 1) {
                entries.push((Val::string(Name::clone(&name), span), val));
            }
        }
        return Some(m.map(entries, false, span));
    }
    if let Some(class) = class_of(m, ty) {
        if class.kind == ClassKind::Enum {
            let value = m.host.settings().get(key)?;
            let text = value.as_str()?.to_owned();
            let same = |a: &str| {
                let plain = |text: &str| text.replace(['-', '_'], "").to_lowercase();
                plain(a) == plain(&text)
            };
            let constant = class.fields.iter().find(|field| same(&field.name))?;
            return m.static_value(&class, &constant.name, value.span);
        }
        return match current.filter(|val| matches!(val.v, V::Object(_))) {
            Some(current) => {
                bind_into(m, current, key, depth - 1).ok()?;
                Some(current.clone())
            }
            None => bound(m, &class, key, span, depth - 1),
        };
    }
    if let Some(current) = current.filter(|val| m.as_host(val).is_some()) {
        bind_into(m, current, key, depth - 1).ok()?;
        return Some(current.clone());
    }
    if let Some(value) = m.host.settings().get(key) {
        return Some(converted(m, &value, ty));
    }
    if ty.name.is_empty() {
        return None;
    }
    // Something of a library with properties of its own.
    let path = program.resolve(ty.span, &ty.name, m.sources());
    let receiver = Val::foreign(Arc::clone(&path), span);
    let call = Call {
        receiver: &receiver,
        method: "new",
        name_span: span,
        args: &[],
        names: &[],
        open: false,
        span,
    };
    let object = H::construct(m, &path, &call)?.ok()?;
    bind_into(m, &object, key, depth - 1).ok()?;
    Some(object)
}

/// A segment below a key: in brackets if it is no plain name.
fn bracketed(name: &str) -> String {
    let plain = name
        .chars()
        .all(|c| c.is_alphanumeric() || matches!(c, '-' | '_'));
    if plain && !name.is_empty() && !name.bytes().all(|byte| byte.is_ascii_digit()) {
        format!(".{name}")
    } else {
        format!("[{name}]")
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::super::Environment;
    use super::*;
    use crate::source::Sources;
    use crate::syntax::jvm::eval::Abrupt;
    use crate::syntax::jvm::program::Program;
    use crate::syntax::value::Budget;

    /// A framework whose objects write down what is set.
    struct Log {
        settings: Settings,
        beans: Beans,
        set: Vec<String>,
    }

    impl Host for Log {
        fn decide(&mut self, _: &str, _: Span) -> bool {
            true
        }

        fn construct(m: &mut Machine<'_, Self>, _: &str, call: &Call<'_>) -> Option<Result<Val>> {
            Some(Ok(m.host_object(0, 0, call.span)))
        }

        fn call(m: &mut Machine<'_, Self>, call: &Call<'_>) -> Option<Result<Val>> {
            if let Some(result) = super::call(m, call) {
                return Some(result);
            }
            m.as_host(call.receiver)?;
            let args: Vec<_> = call.args.iter().map(|arg| show(&m.value(arg))).collect();
            m.host
                .set
                .push(format!("{}({})", call.method, args.join(" ")));
            Some(Ok(Val::void(call.span)))
        }

        fn member(_: &mut Machine<'_, Self>, _: &Val, _: &str, _: Span) -> Option<Val> {
            None
        }

        fn inject(m: &mut Machine<'_, Self>, place: &Injection<'_>) -> Option<Val> {
            inject(m, place)
        }
    }

    impl Wired for Log {
        fn settings(&self) -> &Settings {
            &self.settings
        }

        fn beans(&mut self) -> &mut Beans {
            &mut self.beans
        }
    }

    fn show(value: &Value) -> String {
        match &value.kind {
            Kind::String(text) => text.clone(),
            Kind::Bool(value) => value.to_string(),
            Kind::Number(value) => value.to_string(),
            Kind::Null => "null".into(),
            Kind::List(list) => {
                let items: Vec<String> = list.items.iter().map(show).collect();
                format!("[{}]", items.join(" "))
            }
            Kind::Map(map) => {
                let entries = map.entries.iter();
                let entries: Vec<String> = entries
                    .map(|entry| format!("{}={}", entry.key, show(&entry.value)))
                    .collect();
                format!("{{{}}}", entries.join(" "))
            }
            _ => "?".into(),
        }
    }

    fn run(files: &[(&str, &str)]) -> (String, Vec<String>) {
        let sources = Sources::new();
        let files: Vec<_> = files
            .iter()
            .map(|(path, text)| {
                sources.add(format!("no-such-folder/{path}").into(), (*text).into())
            })
            .collect();
        let program = Arc::new(Program::new(Path::new("no-such-folder"), &files));
        let classes = program.classes();
        let main = classes.iter().find(|class| &*class.name == "Main");
        let main = Arc::clone(main.expect("a class Main"));
        let method = Arc::clone(main.method("value").expect("a method"));
        let host = Log {
            settings: Environment::read(&files, &crate::model::Environment::default())
                .settings(&[]),
            beans: Beans::default(),
            set: Vec::new(),
        };
        let mut m = Machine::new(host, program, Some(&sources), Budget::new(100_000, 100));
        let this = bean_of_class(&mut m, &main, main.span);
        let shown = match m.invoke_injected(&this, &main, &method, main.span) {
            Ok(val) => show(&m.value(&val)),
            Err(Abrupt::Throw(val)) => format!("throws {}", show(&m.value(&val))),
            Err(_) => "stops".into(),
        };
        (shown, m.host.set)
    }

    const YAML: &str = "
app:
  cors:
    mapping: /api/**
    allowed-origins: [https://a.example, https://b.example]
    allowed-methods: GET,PUT
    allow-credentials: true
    max-age: 1h
    nested: {name: n}
    routes:
      - path: /x
      - path: /y
    sites: {'[/s]': q}
    config: {allowed-origins: '*', max-age: 60}
";

    #[test]
    fn values_are_converted_to_the_type_of_their_place() {
        let main = r##"@Component class Main {
            @Value("${app.cors.mapping}") String mapping;
            @Value("${app.cors.allowed-methods}") String[] methods;
            @Value("${app.cors.allow-credentials:false}") boolean credentials;
            @Value("${none:7}") int number;
            @Value("#{'${app.cors.allowed-methods}'.split(',')}") List<String> split;
            private final Environment env;
            Main(Environment env) { this.env = env; }
            Object value(@Value("${none.at.all}") String outside) {
                return List.of(mapping, methods, credentials, number, split, env.getProperty("app.cors.mapping"), env.getProperty("none", "d"), outside);
            }
        }"##;
        let (shown, _) = run(&[("Main.java", main), ("application.yml", YAML)]);
        assert_eq!(shown, "[/api/** [GET PUT] true 7 [GET PUT] /api/** d ?]");
    }

    #[test]
    fn property_classes_are_bound() {
        let main = r#"@Configuration class Main {
            private final Props props;
            private final Rec rec;
            Main(Props props, Rec rec) { this.props = props; this.rec = rec; }
            Object value() {
                return List.of(props.getMapping(), props.getAllowedOrigins(), props.isAllowCredentials(), props.getMaxAge(), props.getNested().getName(),
                    props.getNested().other, props.getRoutes().get(1).getPath(), props.getSites(), props.kept,
                    rec.mapping(), rec.allowedMethods(), rec.none());
            }
        }"#;
        let props = r#"@Data @ConfigurationProperties(prefix = "app.cors") class Props {
            private String mapping; private List<String> allowedOrigins = new ArrayList<>(); private boolean allowCredentials;
            private Duration maxAge; private Nested nested = new Nested(); private List<Route> routes; private Map<String, String> sites;
            String kept = "kept"; private final CorsConfiguration config = new CorsConfiguration();
            @Data static class Nested { String name; String other = "o"; }
            @Data static class Route { String path; }
        }"#;
        let rec = r#"@ConfigurationProperties("app.cors") record Rec(String mapping, List<String> allowedMethods, @DefaultValue({"x", "y"}) List<String> none) {}"#;
        let (shown, set) = run(&[
            ("Main.java", main),
            ("Props.java", props),
            ("Rec.java", rec),
            ("application.yml", YAML),
        ]);
        assert_eq!(
            shown,
            "[/api/** [https://a.example https://b.example] true 3600 n o /y {/s=q} kept /api/** [GET PUT] [x y]]"
        );
        assert_eq!(set, ["setAllowedOrigins([*])", "setMaxAge(60)"]);
    }

    #[test]
    fn components_are_made_once_and_circles_end() {
        let main = r#"@Component class Main {
            @Autowired Shape shape; @Autowired Main self; @Autowired ObjectProvider<Shape> all;
            Object value() { List<String> names = new ArrayList<>(); all.orderedStream().forEach(s -> names.add(s.name())); return List.of(shape.name(), self, names); }
        }
        interface Shape { String name(); }
        @Service class Square implements Shape { @Autowired Main main; public String name() { return "square"; } }"#;
        let (shown, _) = run(&[("Main.java", main)]);
        assert_eq!(shown, "[square ? [square ?]]");
    }
}
