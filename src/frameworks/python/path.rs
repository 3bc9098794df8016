//! Paths with parameters, as the three families write them.

use std::sync::{Arc, OnceLock};

use fancy_regex::Regex;

use crate::syntax::python::pattern::{self, How};

/// Whose words stand for the parts of a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// `items/<int:pk>/` (django/urls/converters.py).
    Django,
    /// `/items/<int(min=1):pk>` (werkzeug/routing/converters.py).
    Flask,
    /// `/items/{pk:int}` (starlette/convertors.py).
    Starlette,
}

/// A part of a path.
#[derive(Clone, Debug)]
pub(crate) enum Part {
    /// Stands for itself.
    Text(String),
    /// A parameter.
    Value(Converter),
    /// A parameter of a converter that the program defines.
    Foreign,
}

/// What a parameter may be.
#[derive(Clone, Debug)]
pub(crate) struct Converter {
    /// The pattern of a text for it.
    pub(crate) regex: String,
    /// A text for it.
    pub(crate) sample: String,
    /// The order in which Werkzeug tries converters.
    pub(crate) weight: i32,
    /// It may hold a `/`.
    pub(crate) slashes: bool,
    /// A number is no smaller and no greater than these.
    pub(crate) range: Option<(f64, f64)>,
}

const UUID: &str = "123e4567-e89b-12d3-a456-426614174000";

impl Converter {
    fn new(regex: &str, sample: &str, weight: i32) -> Self {
        Self {
            regex: regex.to_owned(),
            sample: sample.to_owned(),
            weight,
            slashes: false,
            range: None,
        }
    }

    fn of_path(regex: &str) -> Self {
        Self {
            slashes: true,
            ..Self::new(regex, "1", 200)
        }
    }

    /// The converter of a name, with arguments in Flask's brackets.
    fn named(dialect: Dialect, name: &str, arguments: &str) -> Option<Self> {
        let uuid = |regex: &str| Self::new(regex, UUID, 100);
        Some(match (dialect, name) {
            (Dialect::Django, "str") | (Dialect::Starlette, "str") => Self::new("[^/]+", "1", 100),
            (Dialect::Django | Dialect::Starlette, "int") => Self::new("[0-9]+", "1", 50),
            (Dialect::Django, "slug") => Self::new("[-a-zA-Z0-9_]+", "1", 100),
            (Dialect::Django, "path") => Self::of_path(".+"),
            (Dialect::Django, "uuid") => {
                uuid("[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
            }
            (Dialect::Starlette, "float") => Self::new(r"[0-9]+(\.[0-9]+)?", "1", 50),
            (Dialect::Starlette, "path") => Self::of_path(".*"),
            (Dialect::Starlette, "uuid") => uuid(
                "[0-9a-fA-F]{8}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{12}",
            ),
            (Dialect::Flask, _) => return Self::of_werkzeug(name, arguments),
            _ => return None,
        })
    }

    fn of_werkzeug(name: &str, arguments: &str) -> Option<Self> {
        let given: Vec<(Option<&str>, &str)> = arguments
            .split(',')
            .map(str::trim)
            .filter(|argument| !argument.is_empty())
            .map(|argument| match argument.split_once('=') {
                Some((name, value)) => (Some(name.trim()), value.trim()),
                None => (None, argument),
            })
            .collect();
        let number = |at: usize, name: &str| {
            let named = given.iter().find(|(known, _)| *known == Some(name));
            let value = named.or_else(|| given.get(at).filter(|(known, _)| known.is_none()));
            value.and_then(|(_, value)| value.parse::<f64>().ok())
        };
        Some(match name {
            "default" | "string" => {
                let (least, most) = (number(0, "minlength"), number(1, "maxlength"));
                match number(2, "length") {
                    Some(length) => Self {
                        sample: "1".repeat(length.clamp(1.0, 100.0) as usize),
                        ..Self::new(&format!("[^/]{{{length}}}"), "", 100)
                    },
                    None => {
                        let least = least.unwrap_or(1.0);
                        let most = most.map_or_else(String::new, |most| format!("{most}"));
                        Self {
                            sample: "1".repeat(least.clamp(1.0, 100.0) as usize),
                            ..Self::new(&format!("[^/]{{{least},{most}}}"), "", 100)
                        }
                    }
                }
            }
            "any" => {
                let items: Vec<&str> = given
                    .iter()
                    .map(|(_, item)| item.trim_matches(['"', '\'']))
                    .collect();
                let patterns: Vec<String> =
                    items.iter().map(|item| pattern::escaped(item)).collect();
                let regex = format!("(?:{})", patterns.join("|"));
                Self::new(&regex, items.first()?, 100)
            }
            "path" => Self::of_path("[^/].*?"),
            "int" | "float" => {
                let (digits, sample) = match name {
                    "int" => (r"\d+", "1"),
                    _ => (r"\d+\.\d+", "1.5"),
                };
                let signed = given.contains(&(Some("signed"), "True"));
                let sign = if signed { "-?" } else { "" };
                let fixed = given
                    .iter()
                    .any(|(known, _)| *known == Some("fixed_digits"));
                // Positions differ between the two, and nobody counts them.
                if fixed || given.iter().any(|(known, _)| known.is_none()) {
                    return None;
                }
                let (least, most) = (
                    number(usize::MAX, "min").unwrap_or(f64::NEG_INFINITY),
                    number(usize::MAX, "max").unwrap_or(f64::INFINITY),
                );
                let within = |text: &str| {
                    let value: f64 = text.parse().unwrap_or(0.0);
                    value >= least && value <= most
                };
                let sample = if within(sample) {
                    sample.to_owned()
                } else if name == "int" {
                    format!("{}", if least.is_finite() { least } else { most })
                } else {
                    return None;
                };
                Self {
                    sample,
                    range: Some((least, most)),
                    ..Self::new(&format!("{sign}{digits}"), "", 50)
                }
            }
            "uuid" => Self::new(
                "[A-Fa-f0-9]{8}-[A-Fa-f0-9]{4}-[A-Fa-f0-9]{4}-[A-Fa-f0-9]{4}-[A-Fa-f0-9]{12}",
                UUID,
                100,
            ),
            _ => return None,
        })
    }
}

/// A path with its parts.
#[derive(Clone, Debug)]
pub(crate) struct PathPattern {
    /// As written.
    pub(crate) text: String,
    /// What it is made of.
    pub(crate) parts: Vec<Part>,
    whole: OnceLock<Option<Arc<Regex>>>,
    start: OnceLock<Option<Arc<Regex>>>,
}

impl PathPattern {
    pub(crate) fn new(dialect: Dialect, text: &str) -> Self {
        Self {
            text: text.to_owned(),
            parts: parts(dialect, text),
            whole: OnceLock::new(),
            start: OnceLock::new(),
        }
    }

    /// A path that it matches; with a guess for what a foreign converter takes.
    pub(crate) fn sample(&self) -> String {
        let texts = self.parts.iter().map(|part| match part {
            Part::Text(text) => text.as_str(),
            Part::Value(converter) => converter.sample.as_str(),
            Part::Foreign => "1",
        });
        texts.collect()
    }

    /// The regular expression of the parts; nothing if a converter is not known.
    fn regex(&self) -> Option<String> {
        let regexes = self.parts.iter().map(|part| match part {
            Part::Text(text) => Some(pattern::escaped(text)),
            Part::Value(converter) => Some(format!("(?:{})", converter.regex)),
            Part::Foreign => None,
        });
        regexes.collect()
    }

    /// Does it match all of a path? Nothing if that cannot be told.
    pub(crate) fn matches(&self, path: &str) -> Option<bool> {
        match self.parts.as_slice() {
            [] => return Some(path.is_empty()),
            [Part::Text(text)] => return Some(text == path),
            [Part::Text(text), ..] if !path.starts_with(text) => return Some(false),
            _ => {}
        }
        let compile = || pattern::compiled(&self.regex()?, "", How::Full);
        let regex = self.whole.get_or_init(compile).as_ref();
        regex?.is_match(path).ok()
    }

    /// How many bytes of a path it takes from the start, if any. Nothing if that cannot be told.
    pub(crate) fn taken(&self, path: &str) -> Option<Option<usize>> {
        match self.parts.as_slice() {
            [] => return Some(Some(0)),
            [Part::Text(text)] => return Some(path.starts_with(text).then_some(text.len())),
            [Part::Text(text), ..] if !path.starts_with(text) => return Some(None),
            _ => {}
        }
        let compile = || pattern::compiled(&self.regex()?, "", How::Match);
        let regex = self.start.get_or_init(compile).as_ref();
        let found = regex?.find(path).ok()?;
        Some(found.map(|found| found.end()))
    }
}

fn parts(dialect: Dialect, text: &str) -> Vec<Part> {
    let (open, close) = match dialect {
        Dialect::Starlette => ('{', '}'),
        _ => ('<', '>'),
    };
    let mut found = Vec::new();
    let mut literal = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(open) {
        let Some(inner) = rest[at + 1..]
            .find(close)
            .map(|end| &rest[at + 1..at + 1 + end])
        else {
            break;
        };
        literal.push_str(&rest[..at]);
        if !literal.is_empty() {
            found.push(Part::Text(std::mem::take(&mut literal)));
        }
        let (converter, arguments) = match dialect {
            Dialect::Starlette => (inner.split_once(':').map_or("str", |(_, name)| name), ""),
            Dialect::Django => (inner.rsplit_once(':').map_or("str", |(name, _)| name), ""),
            Dialect::Flask => match inner.rsplit_once(':') {
                None => ("default", ""),
                Some((converter, _)) => match converter.split_once('(') {
                    Some((name, arguments)) => (name, arguments.trim_end_matches(')')),
                    None => (converter, ""),
                },
            },
        };
        found.push(match Converter::named(dialect, converter, arguments) {
            Some(converter) => Part::Value(converter),
            None => Part::Foreign,
        });
        rest = &rest[at + inner.len() + 2..];
    }
    literal.push_str(rest);
    if !literal.is_empty() {
        found.push(Part::Text(literal));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::{Dialect, PathPattern};

    /// Expected values: Django 5.2, Werkzeug 3.1 and Starlette 1.10.
    #[test]
    fn paths_match_as_in_the_frameworks() {
        for (dialect, pattern, path, expected) in [
            (Dialect::Django, "items/<int:pk>/", "items/7/", Some(true)),
            (Dialect::Django, "items/<int:pk>/", "items/x/", Some(false)),
            (Dialect::Django, "items/<int:pk>/", "items/7", Some(false)),
            (Dialect::Django, "<slug:a>/<path:b>", "x-1/a/b", Some(true)),
            (Dialect::Django, "<name>", "a/b", Some(false)),
            (Dialect::Django, "<four:year>", "2020", None),
            (Dialect::Django, "", "", Some(true)),
            (
                Dialect::Flask,
                "/<string(length=2):code>",
                "/de",
                Some(true),
            ),
            (
                Dialect::Flask,
                "/<string(length=2):code>",
                "/deu",
                Some(false),
            ),
            (Dialect::Flask, "/<any(a, \"b.c\"):x>", "/b.c", Some(true)),
            (Dialect::Flask, "/<any(a, \"b.c\"):x>", "/bxc", Some(false)),
            (Dialect::Flask, "/<float:x>", "/1", Some(false)),
            (Dialect::Flask, "/<int(signed=True):x>", "/-1", Some(true)),
            (Dialect::Flask, "/<list:x>", "/1", None),
            (Dialect::Starlette, "/{a}-{b:int}", "/x-7", Some(true)),
            (Dialect::Starlette, "/{a}-{b:int}", "/x-y", Some(false)),
            (Dialect::Starlette, "/files/{p:path}", "/files/", Some(true)),
            (Dialect::Starlette, "/{x:float}", "/1.5", Some(true)),
            (Dialect::Starlette, "/a.b", "/axb", Some(false)),
        ] {
            let parsed = PathPattern::new(dialect, pattern);
            assert_eq!(parsed.matches(path), expected, "{pattern} {path}");
        }
    }

    #[test]
    fn samples_are_matched() {
        for (dialect, pattern) in [
            (Dialect::Django, "a/<uuid:x>/<slug:y>/<path:z>/<w>/"),
            (
                Dialect::Flask,
                "/<string(minlength=3):a>/<any(u, v):b>/<path:c>",
            ),
            (Dialect::Flask, "/<int(min=5):a>/<float:b>/<uuid:c>"),
            (Dialect::Starlette, "/{a:float}/{b:uuid}/{c:path}"),
        ] {
            let parsed = PathPattern::new(dialect, pattern);
            assert_eq!(parsed.matches(&parsed.sample()), Some(true), "{pattern}");
        }
    }

    #[test]
    fn prefixes_take_what_they_match() {
        let parsed = PathPattern::new(Dialect::Django, "users/<int:pk>/");
        assert_eq!(parsed.taken("users/12/items"), Some(Some(9)));
        assert_eq!(parsed.taken("users/x/items"), Some(None));
        let parsed = PathPattern::new(Dialect::Django, "users/<four:pk>/");
        assert_eq!(parsed.taken("users/12/items"), None);
    }
}
