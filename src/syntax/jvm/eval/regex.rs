//! Regular expressions (`java.util.regex`).

use std::sync::Arc;

use super::heap::{ObjectKind, V, Val};
use super::{Call, Comparison, Host, Machine, Result};
use crate::limits::jvm::regex::MAX_STEPS;
use crate::source::Span;
use crate::syntax::kept::Kept;

fn compile(pattern: &str) -> Option<Arc<fancy_regex::Regex>> {
    thread_local! {
        static KNOWN: Kept<Option<Arc<fancy_regex::Regex>>> = Kept::default();
    }
    KNOWN.with(|known| known.get(pattern.to_owned(), |pattern| build(pattern).map(Arc::new)))
}

fn build(pattern: &str) -> Option<fancy_regex::Regex> {
    let mut pattern = pattern.to_owned();
    // `\Q…\E` is not known to the engine.
    while let Some(start) = pattern.find("\\Q") {
        let rest = &pattern[start + 2..];
        let (quoted, after) = rest.split_once("\\E").unwrap_or((rest, ""));
        pattern = format!(
            "{}{}{after}",
            &pattern[..start],
            fancy_regex::escape(quoted)
        );
    }
    fancy_regex::RegexBuilder::new(&pattern)
        .backtrack_limit(MAX_STEPS)
        .build()
        .ok()
}

impl<H: Host> Machine<'_, H> {
    /// The text of a pattern, given as one or compiled.
    fn pattern(&self, val: &Val) -> Option<String> {
        match (&val.v, self.object(val).map(|object| &object.kind)) {
            (V::String(text), _) => Some(text.to_string()),
            (_, Some(ObjectKind::Regex(pattern))) => Some(pattern.to_string()),
            _ => None,
        }
    }

    /// Does a pattern match the whole of a text?
    pub(super) fn matches_whole(&mut self, pattern: &Val, text: &Val, span: Span) -> Val {
        let source = self.pattern(pattern);
        let whole = source.map(|source| format!("\\A(?:{source})\\z"));
        self.matched(whole, pattern, text, span)
    }

    /// Does a pattern match somewhere in a text?
    pub(super) fn found_in(&mut self, pattern: &Val, text: &Val, span: Span) -> Val {
        let source = self.pattern(pattern);
        self.matched(source, pattern, text, span)
    }

    fn matched(&mut self, source: Option<String>, pattern: &Val, text: &Val, span: Span) -> Val {
        let regex = source.as_deref().and_then(compile);
        let found = match (&regex, text.as_str()) {
            (Some(regex), Some(text)) => regex.is_match(text).ok(),
            _ => None,
        };
        let shown = match self.pattern(pattern) {
            Some(shown) => Val::string(shown, pattern.span),
            None => pattern.clone(),
        };
        self.note(text, &shown, Comparison::Pattern, found);
        if let Some(found) = found {
            return Val::bool(found, span);
        }
        if text.as_str().is_some_and(|text| self.host.is_member(text)) {
            return Val::bool(true, span);
        }
        Val::unknown("a match that cannot be told", span)
    }

    /// The parts of a text between matches.
    pub(super) fn split_by(&self, pattern: &str, text: &str) -> Option<Vec<String>> {
        let regex = compile(pattern)?;
        let parts = regex.split(text).take(1000);
        parts.map(|part| part.ok().map(ToOwned::to_owned)).collect()
    }

    /// `replaceAll` and `replaceFirst`.
    pub(super) fn replace(
        &mut self,
        pattern: &str,
        text: &str,
        with: &str,
        call: &Call<'_>,
    ) -> Result<Val> {
        let Some(regex) = compile(pattern) else {
            return Ok(Val::unknown("a pattern that is not evaluated", call.span));
        };
        let count = usize::from(call.method == "replaceFirst");
        let replaced = regex.try_replacen(text, count, with);
        Ok(match replaced {
            Ok(text) => Val::string(text.as_ref(), call.receiver.span),
            Err(_) => Val::unknown("a match that cannot be told", call.span),
        })
    }

    /// A method of a compiled pattern.
    pub(super) fn call_regex(&mut self, pattern: &str, call: &Call<'_>) -> Result<Val> {
        Ok(match (call.method, call.args) {
            ("matcher", [text]) => {
                let kind = ObjectKind::Matcher(pattern.into(), text.clone());
                let span = call.receiver.span;
                self.allocate(kind, span)
            }
            ("matches" | "matchEntire", [text]) => {
                self.matches_whole(call.receiver, text, call.span)
            }
            ("containsMatchIn", [text]) => self.found_in(call.receiver, text, call.span),
            ("asPredicate" | "asMatchPredicate", []) => {
                let name = if call.method == "asPredicate" {
                    "containsMatchIn"
                } else {
                    "matches"
                };
                let scope = self.scope(None);
                let of = Some(call.receiver.clone());
                self.allocate(ObjectKind::Reference(of, name.into(), scope), call.span)
            }
            ("pattern" | "toString", []) => Val::string(pattern, call.receiver.span),
            _ => return self.call_host(call),
        })
    }

    /// A method of a pattern with its text.
    pub(super) fn call_matcher(
        &mut self,
        pattern: &str,
        text: &Val,
        call: &Call<'_>,
    ) -> Result<Val> {
        let pattern = Val::string(pattern, call.receiver.span);
        Ok(match call.method {
            "matches" => self.matches_whole(&pattern, text, call.span),
            "find" => self.found_in(&pattern, text, call.span),
            "lookingAt" => {
                let source = pattern.as_str().map(|source| format!("\\A(?:{source})"));
                self.matched(source, &pattern, text, call.span)
            }
            _ => Val::unknown("a match that cannot be told", call.span),
        })
    }
}
