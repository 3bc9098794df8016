//! What a deployment sets from outside: environment variables and what reads them.

use std::sync::Arc;

use super::ast::{Comparison, Name, SequenceKind};
use super::call::Arguments;
use super::eval::Program;
use super::object::{K, Val};
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
        if cast == Cast::Bool && means_development(name) == Some(true) {
            return self.condition_value(format!("`{name}`"), span, true, true);
        }
        let set = match cast {
            Cast::Text => Val::new(K::SomeText(Some(Arc::from(name))), span),
            Cast::Bool => self.condition_value(format!("`{name}` is on"), span, false, true),
            Cast::List => self.list(SequenceKind::List, Vec::new(), true, span),
            Cast::Other => Val::unknown("an environment variable", span),
        };
        let Some(default) = default else { return set };
        let Some(atom) = self.atom(format!("`{name}` is set"), span, false) else {
            return Val::unknown("it depends on too many conditions", span);
        };
        match self.decided(atom) {
            Some(true) => set,
            Some(false) => default,
            None => Val::one_of(atom, set, default, span),
        }
    }

    /// `os.environ["NAME"]`.
    pub(super) fn environment_item(&mut self, path: &str, key: &Val, span: Span) -> Option<Val> {
        if path != "os.environ" {
            return None;
        }
        let name = key.as_text()?.to_owned();
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
            "os.environ.setdefault" => return Some(none()),
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
        let name = name.unwrap_or("an environment variable").to_owned();
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
