//! What a deployment sets from outside: environment variables and what reads them.

use std::sync::Arc;

use super::ast::{Comparison, Name, SequenceKind};
use super::call::Arguments;
use super::object::{K, Val};
use super::program::Program;
use crate::source::Span;

/// Words in names of settings that are on while developing.
const DEVELOPMENT: [&str; 8] = [
    "debug",
    "dev",
    "develop",
    "development",
    "local",
    "test",
    "testing",
    "localdev",
];
/// Values of an environment's name while developing.
const DEVELOPMENT_VALUES: [&str; 9] = [
    "dev",
    "develop",
    "development",
    "local",
    "localhost",
    "test",
    "testing",
    "debug",
    "ci",
];
/// Values of an environment's name in production.
const PRODUCTION_VALUES: [&str; 5] = ["production", "prod", "live", "release", "staging"];

/// Does a test of this text hold only while developing (`true`), only otherwise (`false`), or can
/// that not be told?
pub(super) fn means_development(text: &str) -> Option<bool> {
    let name = text.split(['(', '[']).next().unwrap_or(text);
    let name = name.rsplit('.').next().unwrap_or(name);
    let words: Vec<String> = name
        .split(|c: char| !c.is_ascii_alphanumeric())
        .map(str::to_ascii_lowercase)
        .collect();
    if text.contains(' ') {
        return None;
    }
    if words
        .iter()
        .any(|word| DEVELOPMENT.contains(&word.as_str()))
    {
        return Some(true);
    }
    let production = |word: &String| matches!(word.as_str(), "production" | "prod");
    words.iter().any(production).then_some(false)
}

fn value_means_development(value: &str) -> Option<bool> {
    let value = value.to_ascii_lowercase();
    if DEVELOPMENT_VALUES.contains(&value.as_str()) {
        Some(true)
    } else if PRODUCTION_VALUES.contains(&value.as_str()) {
        Some(false)
    } else {
        None
    }
}

/// What a reader of the environment makes of a variable.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Cast {
    Text,
    Bool,
    List,
    Other,
}

impl Program {
    /// A comparison that cannot be decided: a condition of the deployment.
    pub(super) fn compare_unknown(
        &mut self,
        left: &Val,
        comparison: Comparison,
        right: &Val,
        span: Span,
    ) -> Val {
        self.watch(left, right);
        self.watch(right, left);
        let words = self.source(span);
        let is_test = matches!(comparison, Comparison::Equal | Comparison::In);
        let is_refusal = matches!(comparison, Comparison::NotEqual | Comparison::NotIn);
        let values = self.compared(left, right);
        let name = match (&left.kind, &right.kind) {
            (K::SomeText(Some(name)), _) | (_, K::SomeText(Some(name))) => name.to_string(),
            _ => String::new(),
        };
        let named = match means_development(&name) {
            Some(true) => {
                let on = |value: &String| {
                    let value = value.to_ascii_lowercase();
                    matches!(value.as_str(), "1" | "true" | "yes" | "on" | "t" | "y")
                };
                let off = |value: &String| {
                    let value = value.to_ascii_lowercase();
                    matches!(
                        value.as_str(),
                        "0" | "false" | "no" | "off" | "f" | "n" | ""
                    )
                };
                if !values.is_empty() && values.iter().all(on) {
                    Some(true)
                } else if !values.is_empty() && values.iter().all(off) {
                    Some(false)
                } else {
                    None
                }
            }
            _ => None,
        };
        let meant = named.or_else(|| {
            let mut meanings = values.iter().map(|value| value_means_development(value));
            let first = meanings.next()??;
            meanings.all(|other| other == Some(first)).then_some(first)
        });
        if is_test || is_refusal {
            let subject = if name.is_empty() {
                self.source(left.span)
            } else {
                name
            };
            let text = if values.is_empty() {
                words
            } else {
                format!("`{subject}` is {}", quoted(&values))
            };
            return match meant {
                // The test holds in production only.
                Some(false) => {
                    let text = format!("not: {text}");
                    self.condition_value(text, span, true, is_refusal)
                }
                Some(true) => self.condition_value(text, span, true, is_test),
                None => self.condition_value(text, span, false, is_test),
            };
        }
        self.condition_value(format!("`{words}`"), span, false, true)
    }

    /// The constants that something unknown is compared with.
    fn compared(&mut self, left: &Val, right: &Val) -> Vec<String> {
        for side in [right, left] {
            if let Some(text) = side.as_text() {
                return vec![text.to_owned()];
            }
            if let K::Ref(_) = side.kind
                && let Some((items, _)) = self.items(side)
            {
                let texts = items.iter().filter_map(Val::as_text);
                return texts.map(ToOwned::to_owned).collect();
            }
        }
        Vec::new()
    }

    /// A variable: what it is if it is set, and else the default.
    fn variable_or(
        &mut self,
        name: Option<&str>,
        cast: Cast,
        default: Option<Val>,
        span: Span,
    ) -> Val {
        let Some(name) = name else {
            return Val::unknown("a variable whose name is unknown", span);
        };
        if let Some(text) = self.environment.get(name).map(str::to_owned) {
            return self.known_variable(&text, cast, span);
        }
        if cast == Cast::Bool && means_development(name) == Some(true) {
            return self.condition_value(format!("`{name}`"), span, true, true);
        }
        if cast == Cast::Bool && means_development(name) == Some(false) {
            return self.condition_value(format!("not `{name}`"), span, true, false);
        }
        let set = match cast {
            Cast::Text => Val::new(K::SomeText(Some(Arc::from(name))), span),
            Cast::Bool => self.condition_value(format!("`{name}` is on"), span, false, true),
            Cast::List => self.list(SequenceKind::List, Vec::new(), true, span),
            Cast::Other => Val::unknown("an environment variable", span),
        };
        let Some(default) = default else { return set };
        // A default that only a developer's machine has: where it holds, somebody develops.
        if self.is_loopback(&default) {
            let Some(atom) = self.atom(format!("`{name}` is not set"), span, true) else {
                return Val::unknown("it depends on too many conditions", span);
            };
            return match self.decided(atom) {
                Some(true) => default,
                Some(false) => set,
                None => Val::one_of(atom, default, set, span),
            };
        }
        let Some(atom) = self.atom(format!("`{name}` is set"), span, false) else {
            return Val::unknown("it depends on too many conditions", span);
        };
        match self.decided(atom) {
            Some(true) => set,
            Some(false) => default,
            None => Val::one_of(atom, set, default, span),
        }
    }

    /// Does a value name the machine itself, and nothing else?
    fn is_loopback(&self, value: &Val) -> bool {
        let is_local = |text: &str| text.contains("://localhost") || text.contains("://127.0.0.1");
        match value.as_text() {
            Some(text) => text.split(',').all(is_local),
            None => match self.items(value) {
                Some((items, false)) => {
                    !items.is_empty()
                        && items
                            .iter()
                            .all(|item| item.as_text().is_some_and(is_local))
                }
                _ => false,
            },
        }
    }

    /// A variable that is set to this. How readers split and judge texts differs; what they do not
    /// agree on stays unknown.
    fn known_variable(&mut self, text: &str, cast: Cast, span: Span) -> Val {
        match cast {
            Cast::Text => Val::text(text, span),
            Cast::Bool => match truth_of(text) {
                Some(on) => Val::new(K::Bool(on), span),
                None => Val::unknown("a variable that is neither on nor off", span),
            },
            Cast::List => {
                let parts: Vec<&str> = text.split(',').collect();
                let plain = |part: &&str| !part.is_empty() && part.trim() == *part;
                let plain = parts.iter().all(plain) && !text.starts_with(['[', '(']);
                let items = parts.iter().map(|part| Val::text(part, span));
                let items = if plain { items.collect() } else { Vec::new() };
                self.list(SequenceKind::List, items, !plain && !text.is_empty(), span)
            }
            Cast::Other => Val::unknown("an environment variable", span),
        }
    }

    /// A field of pydantic settings that is set to this: lists are written in JSON.
    fn known_field(&mut self, text: &str, kind: &str, cast: Cast, span: Span) -> Val {
        // A URL type writes its value anew.
        if kind.contains("url") {
            return Val::unknown("an environment variable", span);
        }
        if cast != Cast::List {
            return self.known_variable(text, cast, span);
        }
        let items = serde_json::from_str::<Vec<String>>(text);
        let open = items.is_err();
        let items = items.unwrap_or_default();
        let items = items.iter().map(|item| Val::text(item, span)).collect();
        self.list(SequenceKind::List, items, open, span)
    }

    /// What the environment is known to hold for a field of pydantic settings. Fields that are
    /// renamed are not looked for.
    fn field_variable(
        &mut self,
        class: usize,
        name: &str,
        default: Option<&Val>,
        span: Span,
    ) -> Option<String> {
        let call = |program: &Self, value: Option<&Val>, keyword: &str| {
            let call = program.calls.get(value?.call()?)?;
            call.arguments.keyword(keyword).cloned()
        };
        let aliases = ["alias", "validation_alias", "env"];
        for keyword in aliases {
            if let Some(alias) = call(self, default, keyword) {
                let name = alias.as_text()?;
                return self.environment.get_ignoring_case(name).map(str::to_owned);
            }
        }
        let config = self.class_attribute(class, "model_config", span);
        let prefix = call(self, config.as_ref(), "env_prefix").or_else(|| {
            // Before pydantic 2.
            let config = self.class_attribute(class, "Config", span)?;
            let K::Class(config) = config.kind else {
                return None;
            };
            self.class_attribute(config, "env_prefix", span)
        });
        let prefix = match prefix {
            Some(prefix) => prefix.as_text()?.to_owned(),
            None => String::new(),
        };
        let name = format!("{prefix}{name}");
        self.environment.get_ignoring_case(&name).map(str::to_owned)
    }

    /// `os.environ["NAME"]`.
    pub(super) fn environment_item(&mut self, path: &str, key: &Val, span: Span) -> Option<Val> {
        if path != "os.environ" {
            return None;
        }
        let name = key.as_text()?.to_owned();
        if let Some(text) = self.environment.get(&name) {
            return Some(Val::text(text, span));
        }
        if self.catching
            && let Some(atom) = self.atom(format!("`{name}` is set"), span, false)
        {
            self.optional_environment.push(atom);
        }
        Some(Val::new(K::SomeText(Some(Arc::from(name))), span))
    }

    /// A call that reads the environment.
    pub(super) fn environment_call(
        &mut self,
        path: &str,
        receiver: Option<usize>,
        arguments: &Arguments,
        span: Span,
    ) -> Option<Val> {
        let name = arguments.positional.first().and_then(Val::as_text);
        let none = || Val::new(K::None, span);
        match path {
            "os.environ.get" | "os.getenv" => {
                let default = arguments.get(1, "default").cloned().unwrap_or_else(none);
                return Some(self.variable_or(name, Cast::Text, Some(default), span));
            }
            "os.environ.setdefault" => {
                // Whether it is set already is not asked for: its value is seldom looked at.
                return Some(self.variable_or(name, Cast::Text, None, span));
            }
            "decouple.config" | "decouple.AutoConfig()" => {
                return Some(self.cast_variable(name, arguments, span));
            }
            "decouple.Csv" => return Some(Val::foreign("csv", span)),
            "csv" => {
                let value = arguments.positional.first()?.clone();
                return Some(self.csv(&value, span));
            }
            "starlette.datastructures.CommaSeparatedStrings" => {
                let value = arguments.positional.first()?.clone();
                return Some(self.csv(&value, span));
            }
            _ => {}
        }
        if path.starts_with("configurations.values.") {
            return Some(self.configured(path, arguments, span));
        }
        let creator = self.calls.get(receiver?)?.path.to_string();
        let method = path.split_once('.').map_or("", |(_, method)| method);
        match creator.as_str() {
            "environ.Env" | "environs.Env" | "environ.FileAwareEnv" => {
                let cast = match method {
                    "" | "str" | "unicode" | "url" => Cast::Text,
                    "bool" => Cast::Bool,
                    "list" | "tuple" => Cast::List,
                    "read_env" | "read_envfile" => return Some(none()),
                    _ => Cast::Other,
                };
                let schema = (method.is_empty())
                    .then(|| self.schema(receiver?, name?))
                    .flatten();
                let at = 2 - usize::from(creator.starts_with("environs"));
                let (cast, default) = match schema {
                    Some((cast, default)) => (cast, default),
                    None => (cast, None),
                };
                let cast = match arguments.keyword("cast").and_then(Val::path) {
                    Some("bool") => Cast::Bool,
                    Some("list") => Cast::List,
                    Some(_) => Cast::Other,
                    None => cast,
                };
                let given = arguments.get(at, "default").cloned();
                let default = given.or(default);
                Some(self.variable_or(name, cast, default, span))
            }
            "flask.Flask" | "flask.app.Flask" if method == "config.get" => {
                let default = arguments.get(1, "default").cloned().unwrap_or_else(none);
                let key = name?.to_owned();
                Some(self.flask_setting(receiver?, &key, default, span))
            }
            "starlette.config.Config" | "decouple.Config" if method.is_empty() => {
                Some(self.cast_variable(name, arguments, span))
            }
            _ => None,
        }
    }

    /// The cast and default that `environ.Env(NAME=(cast, default))` gives.
    fn schema(&mut self, env: usize, name: &str) -> Option<(Cast, Option<Val>)> {
        let entry = self.calls.get(env)?.arguments.keyword(name)?.clone();
        let cast_of = |value: &Val| match (&value.kind, value.path()) {
            (_, Some("bool")) => Cast::Bool,
            (_, Some("str")) => Cast::Text,
            (_, Some("list" | "tuple")) | (K::Ref(_), _) => Cast::List,
            _ => Cast::Other,
        };
        match self.items(&entry) {
            Some((items, false)) if items.len() == 2 => {
                Some((cast_of(&items[0]), Some(items[1].clone())))
            }
            _ => Some((cast_of(&entry), None)),
        }
    }

    fn cast_variable(&mut self, name: Option<&str>, arguments: &Arguments, span: Span) -> Val {
        let default = arguments.get(1, "default").cloned();
        let position = arguments.positional.get(1);
        let default = arguments.keyword("default").cloned().or(default);
        let cast = arguments.keyword("cast").cloned();
        let cast = cast.or_else(|| position.filter(|value| value.path().is_some()).cloned());
        match cast.as_ref() {
            None => self.variable_or(name, Cast::Text, default, span),
            Some(cast) => match cast.path() {
                Some("bool") => {
                    let default = default.map(|value| self.boolean(&value, span));
                    self.variable_or(name, Cast::Bool, default, span)
                }
                Some("str") => self.variable_or(name, Cast::Text, default, span),
                Some("csv" | "starlette.datastructures.CommaSeparatedStrings") => {
                    let default = default.map(|value| self.csv(&value, span));
                    self.variable_or(name, Cast::List, default, span)
                }
                Some(_) => self.variable_or(name, Cast::Other, default, span),
                None => {
                    let text = self.variable_or(name, Cast::Text, default, span);
                    let arguments = Arguments {
                        positional: vec![text],
                        ..Arguments::default()
                    };
                    self.call(cast, &arguments, span)
                }
            },
        }
    }

    fn boolean(&mut self, value: &Val, span: Span) -> Val {
        self.each(value, &mut |_, value| match value.as_text() {
            Some(text) => {
                let text = text.to_ascii_lowercase();
                let on = matches!(text.as_str(), "1" | "true" | "yes" | "on" | "t" | "y");
                Val::new(K::Bool(on), span)
            }
            None => value.clone(),
        })
    }

    /// Comma separated parts without the space around them.
    fn csv(&mut self, value: &Val, span: Span) -> Val {
        self.each(value, &mut |program, value| match value.as_text() {
            Some(text) => {
                let parts = text.split(',').map(str::trim);
                let parts = parts.filter(|part| !part.is_empty());
                let items = parts.map(|part| Val::text(part, value.span)).collect();
                program.list(SequenceKind::List, items, false, span)
            }
            None => match value.kind {
                K::Ref(_) => value.clone(),
                _ => program.list(SequenceKind::List, Vec::new(), true, span),
            },
        })
    }

    /// `values.ListValue([…])` of django-configurations.
    fn configured(&mut self, path: &str, arguments: &Arguments, span: Span) -> Val {
        let cast = match path.rsplit('.').next() {
            Some("BooleanValue") => Cast::Bool,
            Some("ListValue" | "TupleValue" | "SetValue") => Cast::List,
            Some("Value") => Cast::Text,
            _ => Cast::Other,
        };
        let default = arguments.get(0, "default").cloned();
        let name = arguments.keyword("environ_name").and_then(Val::as_text);
        let name = match name {
            Some(name) if arguments.keyword("environ_prefix").is_none() => format!("DJANGO_{name}"),
            Some(name) => name.to_owned(),
            None => "an environment variable".to_owned(),
        };
        self.variable_or(Some(&name), cast, default, span)
    }

    /// A field of a pydantic settings class: from the environment, or its default.
    pub(super) fn settings_field(&mut self, class: usize, name: &Name, span: Span) -> Option<Val> {
        let bases = self.foreign_bases(class);
        let is_settings = |base: &String| base.ends_with("BaseSettings");
        if !bases.iter().any(is_settings) {
            return None;
        }
        let annotation = self.annotation(class, name, 0)?;
        let default = self.class_attribute(class, name, span);
        let known = self.field_variable(class, name, default.as_ref(), span);
        let default = default.map(|default| self.field_default(&default, span));
        let kind: String = annotation.chars().filter(|c| !c.is_whitespace()).collect();
        let kind = kind.to_ascii_lowercase();
        let cast = if kind.starts_with("bool") || kind.contains("optional[bool") {
            Cast::Bool
        } else if kind.contains("list") || kind.contains("set[") || kind.contains("tuple") {
            Cast::List
        } else if kind.starts_with("str") || kind.starts_with("optional[str") {
            Cast::Text
        } else {
            Cast::Other
        };
        let default = default.filter(|value| !matches!(value.kind, K::Unknown(_)));
        let name = name.to_string();
        if let Some(text) = known {
            return Some(self.known_field(&text, &kind, cast, span));
        }
        Some(self.variable_or(Some(&name), cast, default, span))
    }

    fn annotation(&self, class: usize, name: &Name, depth: usize) -> Option<Arc<str>> {
        let defined = &self.classes[class];
        let own = defined
            .annotated
            .iter()
            .rev()
            .find(|(field, _)| field == name);
        if let Some((_, annotation)) = own {
            return Some(Arc::clone(annotation));
        }
        if depth > 20 {
            return None;
        }
        defined.bases.iter().find_map(|base| match base.kind {
            K::Class(index) if index != class => self.annotation(index, name, depth + 1),
            _ => None,
        })
    }

    /// The default in `Field(default=…)` and `Field(default_factory=…)`, or the value itself.
    fn field_default(&mut self, value: &Val, span: Span) -> Val {
        let Some(call) = value.call().and_then(|at| self.calls.get(at)) else {
            return value.clone();
        };
        if !call.path.ends_with(".Field") {
            return Val::unknown("a default that is not in view", span);
        }
        if let Some(factory) = call.arguments.keyword("default_factory").cloned() {
            return self.call(&factory, &Arguments::default(), span);
        }
        match call.arguments.get(0, "default") {
            Some(default) => default.clone(),
            None => Val::unknown("a default that is not in view", span),
        }
    }
}

/// Is a variable of this text on, by the words on which readers of the environment agree?
fn truth_of(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "1" | "true" | "yes" | "on" | "t" | "y" => Some(true),
        "0" | "false" | "no" | "off" | "f" | "n" => Some(false),
        _ => None,
    }
}

fn quoted(values: &[String]) -> String {
    let quoted: Vec<String> = values.iter().take(4).map(|v| format!("\"{v}\"")).collect();
    quoted.join(" or ")
}

#[cfg(test)]
mod tests {
    use super::means_development;

    #[test]
    fn names_that_mean_development() {
        for (name, meaning) in [
            ("DEBUG", Some(true)),
            ("settings.DEBUG", Some(true)),
            ("APP_DEBUG", Some(true)),
            ("IS_DEV", Some(true)),
            ("settings.is_production", Some(false)),
            ("LATEST", None),
            ("DEVICE", None),
            ("settings.cors_origins", None),
        ] {
            assert_eq!(means_development(name), meaning, "{name}");
        }
    }
}
