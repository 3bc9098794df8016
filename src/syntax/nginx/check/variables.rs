//! Variables: which exist, how a text names them (`ngx_http_script_compile`,
//! `ngx_http_variables_init_vars`).

use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

use super::super::{SyntaxError, Word};
use super::{Outcome, refuse};
use crate::source::Span;

/// What nginx's own modules define.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Fixed,
    Changeable,
    Prefix,
}

static BUILT_IN: LazyLock<HashMap<&'static str, Kind>> = LazyLock::new(|| {
    let mut kind = Kind::Fixed;
    let mut found = HashMap::new();
    for line in include_str!("../../../../grammars/nginx/variables.txt").lines() {
        match line {
            "fixed" => kind = Kind::Fixed,
            "changeable" => kind = Kind::Changeable,
            "prefix" => kind = Kind::Prefix,
            line if line.starts_with('#') => {}
            line => found.extend(line.split_whitespace().map(|name| (name, kind))),
        }
    }
    found
});

/// The variables of a configuration; names in lower case.
#[derive(Debug, Default)]
pub(super) struct Variables {
    defined: HashSet<String>,
    /// Each name's first use.
    used: HashMap<String, Span>,
}

impl Variables {
    /// A directive defines a variable; `name` is without `$`.
    pub(super) fn define(&mut self, name: &str, span: Span) -> Outcome {
        if name.is_empty() {
            return refuse(span, r#"invalid variable name "$""#);
        }
        let lower = name.to_ascii_lowercase();
        if BUILT_IN.get(lower.as_str()) == Some(&Kind::Fixed) {
            return refuse(span, format!(r#"the duplicate "{name}" variable"#));
        }
        self.defined.insert(lower);
        Ok(())
    }

    /// A directive reads a variable; `name` is without `$`.
    pub(super) fn use_name(&mut self, name: &str, span: Span) -> Outcome {
        if name.is_empty() {
            return refuse(span, r#"invalid variable name "$""#);
        }
        self.used.entry(name.to_ascii_lowercase()).or_insert(span);
        Ok(())
    }

    /// A text with variables and captures.
    pub(super) fn use_text(&mut self, text: &str, span: Span) -> Outcome {
        self.scan(text, span, true)
    }

    /// A part of `log_format`, which knows no captures.
    pub(super) fn use_log_format(&mut self, word: &Word) -> Outcome {
        self.scan(&word.text, word.span, false)
    }

    fn scan(&mut self, text: &str, span: Span, captures: bool) -> Outcome {
        let mut rest = text;
        while let Some(at) = rest.find('$') {
            rest = &rest[at + 1..];
            if captures && rest.starts_with(|c| matches!(c, '1'..='9')) {
                continue;
            }
            let (braced, name) = match rest.strip_prefix('{') {
                Some(inside) => (true, inside),
                None => (false, rest),
            };
            let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
            let length = name.find(|c| !is_name(c)).unwrap_or(name.len());
            let (name, behind) = name.split_at(length);
            if braced && !behind.starts_with('}') && !(name.is_empty() && behind.is_empty()) {
                return refuse(
                    span,
                    format!(r#"the closing bracket in "{name}" variable is missing"#),
                );
            }
            if name.is_empty() {
                return if captures {
                    refuse(span, "invalid variable name")
                } else {
                    refuse(span, format!(r#"invalid parameter "{text}""#))
                };
            }
            self.use_name(name, span)?;
            rest = behind;
        }
        Ok(())
    }

    /// [`Self::use_text`] of a word.
    pub(super) fn use_word(&mut self, word: &Word) -> Outcome {
        self.use_text(&word.text, word.span)
    }

    /// What is used and not defined anywhere.
    pub(super) fn unknown(self) -> impl Iterator<Item = SyntaxError> {
        let prefixes: Vec<_> = BUILT_IN
            .iter()
            .filter(|(_, kind)| **kind == Kind::Prefix)
            .map(|(name, _)| *name)
            .collect();
        let defined = self.defined;
        let is_known = move |name: &str| {
            BUILT_IN.contains_key(name)
                || defined.contains(name)
                || prefixes.iter().any(|prefix| name.starts_with(prefix))
        };
        let unknown = self
            .used
            .into_iter()
            .filter(move |(name, _)| !is_known(name));
        unknown.map(|(name, span)| SyntaxError {
            span,
            message: format!(r#"unknown "{name}" variable"#),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Sources;

    fn unknown(text: &str) -> Result<Vec<String>, String> {
        let span = Sources::new().add("x".into(), String::new()).span();
        let mut variables = Variables::default();
        let used = variables.use_text(text, span);
        used.map_err(|error| error.message)?;
        let mut names: Vec<_> = variables.unknown().map(|error| error.message).collect();
        names.sort();
        Ok(names)
    }

    #[test]
    fn names_in_texts() {
        assert_eq!(
            unknown("a$1b$http_x$Host${args}$"),
            Err("invalid variable name".into())
        );
        assert_eq!(unknown("a$1b$http_x$Host${args}/"), Ok(vec![]));
        assert_eq!(
            unknown("$a-${b}c"),
            Ok(vec![
                "unknown \"a\" variable".into(),
                "unknown \"b\" variable".into()
            ])
        );
        assert_eq!(
            unknown("${a"),
            Err("the closing bracket in \"a\" variable is missing".into())
        );
        assert_eq!(
            unknown("${a b}"),
            Err("the closing bracket in \"a\" variable is missing".into())
        );
        for text in ["$", "$$", "$-", "${", "${}"] {
            assert_eq!(unknown(text), Err("invalid variable name".into()), "{text}");
        }
        assert_eq!(unknown("$0"), Ok(vec!["unknown \"0\" variable".into()]));
    }

    #[test]
    fn definitions() {
        let span = Sources::new().add("x".into(), String::new()).span();
        let mut variables = Variables::default();
        assert!(variables.define("host", span).is_err());
        assert!(variables.define("", span).is_err());
        assert!(variables.define("args", span).is_ok());
        assert!(variables.define("MyVar", span).is_ok());
        variables.use_name("myvar", span).unwrap();
        assert_eq!(variables.unknown().count(), 0);
    }
}
