//! Deployment conditions: profiles, and properties that decide which beans there are.

use crate::frameworks::boot::{Environment, Settings};
use crate::model::{Condition, World};
use crate::source::Span;
use crate::syntax::jvm::ast::{Annotation, AnnotationArg, Class, Expr, ExprKind, simple};
use crate::syntax::value::{Conditions, Kind};

/// Profiles that are active only while developing, by their usual names.
const DEVELOPMENT: [&str; 10] = [
    "dev",
    "develop",
    "development",
    "local",
    "localhost",
    "test",
    "testing",
    "debug",
    "it",
    "mock",
];

/// The conditions of a project.
#[derive(Clone, Debug, Default)]
pub(super) struct Plan {
    pub(super) conditions: Conditions,
    /// Profiles with the number of their condition.
    profiles: Vec<(String, usize)>,
    /// Properties that no file in view sets, each with a value that beans ask for (nothing: any) and
    /// the number of its condition.
    properties: Vec<(String, String, usize)>,
    /// Placeholders with a default that may be set from outside, with the number of their condition.
    placeholders: Vec<(String, usize)>,
    /// The active profiles, if the environment says which these are.
    fixed: Option<Vec<String>>,
}

impl Plan {
    /// Looks for what the classes and property files of an application depend on.
    pub(super) fn new(classes: &[std::sync::Arc<Class>], environment: &Environment) -> Self {
        let active = environment.active();
        let mut plan = Self {
            fixed: active.map(|names| names.iter().map(ToString::to_string).collect()),
            ..Self::default()
        };
        let settings = environment.settings(&[]);
        for class in classes {
            let methods = class.methods.iter().flat_map(|method| &method.annotations);
            for annotation in class.annotations.iter().chain(methods) {
                plan.look_at(annotation, &settings);
            }
        }
        for name in environment.profiles() {
            plan.add_profile(name, None);
        }
        plan
    }

    fn look_at(&mut self, annotation: &Annotation, settings: &Settings) {
        match simple(&annotation.name) {
            "Profile" => {
                for text in annotation.arg("value").map(texts_of).unwrap_or_default() {
                    for name in text.split(['&', '|', '!', '(', ')', ' ']) {
                        if !name.is_empty() {
                            self.add_profile(name, Some(annotation.span));
                        }
                    }
                }
            }
            "ConditionalOnProperty" => {
                // It is active where the property is missing, which is a world of its own.
                if matches_missing(annotation) {
                    return;
                }
                let having = having_value(annotation);
                for key in property_names(annotation) {
                    let mut known = self.properties.iter();
                    if settings.get(&key).is_some()
                        || known.any(|(name, value, _)| *name == key && *value == having)
                    {
                        continue;
                    }
                    let text = if having.is_empty() {
                        format!("`{key}` is set as `@ConditionalOnProperty` asks")
                    } else {
                        format!("`{key}` is `{having}`")
                    };
                    let condition = Condition {
                        text,
                        span: Some(annotation.span),
                        development: false,
                    };
                    if let Some(at) = self.conditions.atom(condition) {
                        self.properties.push((key, having.clone(), at));
                    }
                }
            }
            _ => {}
        }
    }

    fn add_profile(&mut self, name: &str, span: Option<Span>) {
        if self.fixed.is_some()
            || name == "default"
            || self.profiles.iter().any(|(known, _)| known == name)
        {
            return;
        }
        let lower = name.to_lowercase();
        let condition = Condition {
            text: format!("the profile `{name}` is active"),
            span,
            development: DEVELOPMENT.contains(&lower.as_str()),
        };
        if let Some(at) = self.conditions.atom(condition) {
            self.profiles.push((name.to_owned(), at));
        }
    }

    /// The profiles that are active in a world. Of those for deployments one at a time: they stand
    /// for places, and a service runs in one.
    pub(super) fn active<'p>(&'p self, world: &World) -> Vec<&'p str> {
        if let Some(fixed) = &self.fixed {
            return fixed.iter().map(String::as_str).collect();
        }
        let holds = |at: usize| world.holds.get(at).copied().unwrap_or(false);
        let conditions = self.conditions.as_slice();
        let mut active: Vec<&str> = Vec::new();
        let mut placed = false;
        for (name, at) in &self.profiles {
            let development = conditions
                .get(*at)
                .is_some_and(|condition| condition.development);
            if holds(*at) && (development || !placed) {
                placed |= !development;
                active.push(name);
            }
        }
        active
    }

    /// Tells worlds in which a placeholder has its default from those in which it is set from
    /// outside.
    pub(super) fn add_placeholder(&mut self, name: &str, span: Span) {
        let condition = Condition {
            text: format!("`{name}` is set"),
            span: Some(span),
            development: false,
        };
        if let Some(at) = self.conditions.atom(condition) {
            self.placeholders.push((name.to_owned(), at));
        }
    }

    /// The placeholders that are set from outside in a world.
    pub(super) fn set<'p>(&'p self, world: &World) -> Vec<&'p str> {
        let holds = |at: usize| world.holds.get(at).copied().unwrap_or(false);
        let placeholders = self.placeholders.iter();
        placeholders
            .filter(|(_, at)| holds(*at))
            .map(|(name, _)| name.as_str())
            .collect()
    }

    /// The value of a property in a world, of which it has one at a time; nothing: it is missing.
    fn property(&self, key: &str, world: &World) -> Option<&str> {
        let holds = |at: usize| world.holds.get(at).copied().unwrap_or(false);
        let mut properties = self.properties.iter();
        let (_, value, _) = properties.find(|(known, _, at)| known == key && holds(*at))?;
        Some(value)
    }
}

/// The conditions in one world.
pub(super) struct Deployment<'a> {
    pub(super) plan: &'a Plan,
    pub(super) world: &'a World,
    pub(super) active: Vec<String>,
    pub(super) settings: &'a Settings,
}

impl Deployment<'_> {
    /// Do the annotations of a class or method let it be a bean?
    pub(super) fn allows(&self, annotations: &[Annotation]) -> bool {
        annotations
            .iter()
            .all(|annotation| match simple(&annotation.name) {
                "Profile" => {
                    let texts = annotation.arg("value").map(texts_of).unwrap_or_default();
                    texts.is_empty() || texts.iter().any(|text| self.profile(text))
                }
                "ConditionalOnProperty" => self.property(annotation),
                _ => true,
            })
    }

    /// A profile expression: `!`, `&`, `|`.
    fn profile(&self, text: &str) -> bool {
        let text = text.trim().trim_start_matches('(').trim_end_matches(')');
        if let Some((left, right)) = text.split_once('|') {
            return self.profile(left) || self.profile(right);
        }
        if let Some((left, right)) = text.split_once('&') {
            return self.profile(left) && self.profile(right);
        }
        let text = text.trim();
        match text.strip_prefix('!') {
            Some(rest) => !self.profile(rest),
            None if text == "default" => self.active.is_empty(),
            None => self.active.iter().any(|name| name == text),
        }
    }

    fn property(&self, annotation: &Annotation) -> bool {
        let having = having_value(annotation);
        property_names(annotation).iter().all(|key| {
            let text = match self.settings.get(key).map(|value| value.kind) {
                None => match self.plan.property(key, self.world) {
                    None => return matches_missing(annotation),
                    Some(text) => text.to_owned(),
                },
                Some(Kind::String(text)) => text,
                Some(Kind::Bool(value)) => value.to_string(),
                Some(Kind::Number(number)) => number.to_string(),
                Some(_) => return true,
            };
            if having.is_empty() {
                !text.eq_ignore_ascii_case("false")
            } else {
                text.eq_ignore_ascii_case(&having)
            }
        })
    }
}

/// The value that `@ConditionalOnProperty` asks for; nothing: any but `false`.
fn having_value(annotation: &Annotation) -> String {
    let value = annotation.arg("havingValue").map(texts_of);
    let first = value.and_then(|texts| texts.into_iter().next());
    first.unwrap_or_default()
}

fn matches_missing(annotation: &Annotation) -> bool {
    annotation
        .arg("matchIfMissing")
        .is_some_and(|arg| matches!(arg.value.kind, ExprKind::Bool(true)))
}

fn property_names(annotation: &Annotation) -> Vec<String> {
    let prefix = annotation
        .arg("prefix")
        .and_then(|arg| texts_of(arg).into_iter().next())
        .map(|prefix| format!("{}.", prefix.trim_end_matches('.')))
        .unwrap_or_default();
    let names = ["value", "name"]
        .iter()
        .filter_map(|name| annotation.arg(name))
        .flat_map(texts_of);
    names.map(|name| format!("{prefix}{name}")).collect()
}

/// The literal texts of an annotation's argument.
pub(super) fn texts_of(arg: &AnnotationArg) -> Vec<String> {
    fn collect(expr: &Expr, found: &mut Vec<String>) {
        match &expr.kind {
            ExprKind::String(text) => found.push(text.to_string()),
            ExprKind::Array(items) => items.iter().for_each(|item| collect(item, found)),
            _ => {}
        }
    }
    let mut found = Vec::new();
    collect(&arg.value, &mut found);
    found
}
