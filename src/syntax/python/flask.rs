//! `app.config` of Flask, where a program reads it back (flask/config.py).

use super::call::{Call, Effect};
use super::object::{K, Val};
use super::program::Program;
use crate::source::Span;

const NOT_IN_VIEW: &str = "a setting that is not in view";

impl Program {
    /// What `app.config.get(key, default)` gives for the application that call `app` made.
    pub(super) fn flask_setting(&mut self, app: usize, key: &str, default: Val, span: Span) -> Val {
        let base = format!("#{app}.config");
        let before: Vec<Call> = self.calls.iter().cloned().collect();
        for call in before.iter().rev() {
            let Some(rest) = call.path.strip_prefix(&base) else {
                continue;
            };
            let Some(value) = self.given_by(call, rest, key) else {
                continue;
            };
            // Set on another way than this one: it may be what counts, or not.
            let mut needs = call.conditions.iter();
            return match needs.all(|known| self.path.contains(known)) {
                true => value,
                false => Val::unknown(NOT_IN_VIEW, span),
            };
        }
        // Flask has settings of its own, with defaults.
        match key.contains("CORS") || key.contains("ORIGIN") {
            true => default,
            false => Val::unknown(NOT_IN_VIEW, span),
        }
    }

    /// What a call on the configuration sets a key to, if it may set it.
    fn given_by(&mut self, call: &Call, rest: &str, key: &str) -> Option<Val> {
        let unknown = || Val::unknown(NOT_IN_VIEW, call.span);
        let first = call.arguments.positional.first();
        match (call.effect, rest) {
            (Effect::SetItem, _) => {
                let set = rest.strip_prefix('[')?.strip_suffix(']')?;
                first.filter(|_| set == key).cloned()
            }
            (Effect::Call, ".update" | ".from_mapping") => {
                if let Some(value) = call.arguments.keyword(key) {
                    return Some(value.clone());
                }
                let entries = match first {
                    Some(first) => self.entries(first),
                    None => Some(Vec::new()),
                };
                let Some(entries) = entries.filter(|_| !call.arguments.open) else {
                    return Some(unknown());
                };
                let mut entries = entries.into_iter().rev();
                let found = entries.find(|(name, _)| name.as_text() == Some(key));
                found.map(|(_, value)| value)
            }
            (Effect::Call, ".from_object") => {
                let given = call.arguments.get(0, "obj").cloned();
                let given = match given.as_ref().and_then(Val::as_text) {
                    Some(dotted) => Some(self.named(dotted, call.module, call.span)),
                    None => given,
                };
                let missing = Val::new(K::Missing, call.span);
                let Some(given) = given else {
                    return Some(unknown());
                };
                let value = self.each(&given, &mut |program, given| match given.kind {
                    K::Class(class) | K::Instance(class, _) => program
                        .class_attribute(class, key, call.span)
                        .unwrap_or_else(|| missing.clone()),
                    K::Module(index) => {
                        let names = program.modules[index].names;
                        program.get_name(names, key, call.span)
                    }
                    _ => Val::unknown(NOT_IN_VIEW, call.span),
                });
                (value.kind != K::Missing).then_some(value)
            }
            (
                Effect::Call,
                ".from_pyfile" | ".from_envvar" | ".from_json" | ".from_file"
                | ".from_prefixed_env",
            ) => Some(unknown()),
            _ => None,
        }
    }
}
