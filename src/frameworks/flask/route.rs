//! Which rule serves a URL: Werkzeug's state machine (werkzeug/routing/matcher.py, rules.py).

use std::collections::HashMap;
use std::sync::Arc;

use fancy_regex::Regex;

use crate::frameworks::python::path::{Converter, Part, PathPattern};
use crate::syntax::python::pattern::{self, How};

/// What a rule says beside its path.
#[derive(Clone, Debug)]
pub(super) struct Rule {
    /// Upper case, `HEAD` and `OPTIONS` among them; nothing if that cannot be told.
    pub(super) methods: Option<Vec<String>>,
    /// A URL without the rule's last slash is redirected, not served.
    pub(super) strict_slashes: bool,
}

/// What routing comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Routed {
    /// The rule with this number serves it.
    Rule(usize),
    /// To this path.
    Redirect(String),
    /// Rules have the path, this first, and none the method.
    MethodNotAllowed(usize),
    NotFound,
    /// A rule in the way has a converter that is not known.
    Unknown,
}

/// A step from one state to the next, as a pattern.
#[derive(Clone, Debug)]
struct Step {
    content: String,
    regex: Option<Arc<Regex>>,
    /// It takes all that remains of the path.
    is_final: bool,
    /// A slash at the end may be missing.
    suffixed: bool,
    weight: Weight,
    ranges: Vec<Option<(f64, f64)>>,
    known: bool,
}

/// Smaller ones are tried first: texts, then their lengths, converters, then their weights.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Weight(i32, Vec<(usize, i32)>, i32, Vec<i32>);

#[derive(Debug, Default)]
struct State {
    fixed: HashMap<String, State>,
    steps: Vec<(Step, State)>,
    rules: Vec<usize>,
}

enum Segment {
    Fixed(String),
    Step(Box<Step>),
}

/// All rules of an application.
#[derive(Debug, Default)]
pub(super) struct Map {
    rules: Vec<Rule>,
    root: State,
}

/// Why a search ends before its end.
enum Stop {
    SlashRequired,
    /// The rule is found, and a converter refuses a value.
    Refused,
    Unknown,
}

struct Search<'r> {
    rules: &'r [Rule],
    method: &'r str,
    refused: Option<usize>,
}

impl Map {
    /// Adds a rule; it has the next number.
    pub(super) fn add(&mut self, path: &PathPattern, rule: Rule) {
        let mut state = &mut self.root;
        for segment in segments(path) {
            state = match segment {
                Segment::Fixed(text) => state.fixed.entry(text).or_default(),
                Segment::Step(step) => state.step(*step),
            };
        }
        state.rules.push(self.rules.len());
        self.rules.push(rule);
    }

    /// Puts the rules into the order in which they are tried; due before [`Map::route`].
    pub(super) fn sorted(mut self) -> Self {
        self.root.sort();
        self
    }

    pub(super) fn route(&self, path: &str, method: &str) -> Routed {
        let path = format!("/{}", path.trim_start_matches('/'));
        let mut search = Search {
            rules: &self.rules,
            method,
            refused: None,
        };
        let found = match search.search(&self.root, &path) {
            Ok(found) => found,
            Err(routed) => return routed,
        };
        if let Some(rule) = found {
            return Routed::Rule(rule);
        }
        let merged = merged(&path);
        let again = match search.search(&self.root, &merged) {
            Ok(found) => found,
            Err(routed) => return routed,
        };
        match again {
            Some(_) => Routed::Redirect(merged),
            None => search.nothing(),
        }
    }
}

/// The path without slashes that follow slashes.
fn merged(path: &str) -> String {
    let mut merged = String::with_capacity(path.len());
    for c in path.chars() {
        if c != '/' || !merged.ends_with('/') {
            merged.push(c);
        }
    }
    merged
}

impl State {
    fn step(&mut self, step: Step) -> &mut Self {
        let known = self.steps.iter().position(|(known, _)| {
            known.content == step.content
                && known.is_final == step.is_final
                && known.suffixed == step.suffixed
                && known.weight == step.weight
                && known.ranges == step.ranges
        });
        let at = known.unwrap_or_else(|| {
            self.steps.push((step, Self::default()));
            self.steps.len() - 1
        });
        &mut self.steps[at].1
    }

    fn sort(&mut self) {
        self.steps
            .sort_by(|(one, _), (other, _)| one.weight.cmp(&other.weight));
        self.fixed.values_mut().for_each(Self::sort);
        self.steps.iter_mut().for_each(|(_, state)| state.sort());
    }
}

impl Search<'_> {
    fn search(&mut self, root: &State, path: &str) -> Result<Option<usize>, Routed> {
        let parts: Vec<&str> = path.split('/').collect();
        match self.follow(root, &parts) {
            Ok(found) => Ok(found),
            Err(Stop::SlashRequired) => Err(Routed::Redirect(format!("{path}/"))),
            Err(Stop::Refused) => Err(self.nothing()),
            Err(Stop::Unknown) => Err(Routed::Unknown),
        }
    }

    fn nothing(&self) -> Routed {
        self.refused
            .map_or(Routed::NotFound, Routed::MethodNotAllowed)
    }

    /// May this rule answer the method?
    fn serves(&self, rule: usize) -> bool {
        let methods = self.rules[rule].methods.as_ref();
        methods.is_none_or(|methods| methods.iter().any(|known| known == self.method))
    }

    fn follow(&mut self, state: &State, parts: &[&str]) -> Result<Option<usize>, Stop> {
        let Some((part, rest)) = parts.split_first() else {
            for rule in &state.rules {
                if self.serves(*rule) {
                    return Ok(Some(*rule));
                }
                self.refused = self.refused.or(Some(*rule));
            }
            let slashed = state.fixed.get("").map_or(&[][..], |state| &state.rules);
            if let Some(rule) = slashed.iter().find(|rule| self.serves(**rule)) {
                if self.rules[*rule].strict_slashes {
                    return Err(Stop::SlashRequired);
                }
                return Ok(Some(*rule));
            }
            return Ok(None);
        };
        if let Some(next) = state.fixed.get(*part)
            && let Some(found) = self.follow(next, rest)?
        {
            return Ok(Some(found));
        }
        for (step, next) in &state.steps {
            if !step.known {
                return Err(Stop::Unknown);
            }
            let whole;
            let (target, mut remaining) = if step.is_final {
                whole = parts.join("/");
                (whole.as_str(), &[][..])
            } else {
                (*part, rest)
            };
            let found = step.regex.as_ref().map(|regex| regex.captures(target));
            let Some(Ok(found)) = found else {
                return Err(Stop::Unknown);
            };
            let Some(groups) = found else { continue };
            if step.suffixed
                && groups
                    .get(groups.len() - 1)
                    .is_some_and(|suffix| suffix.as_str() == "/")
            {
                remaining = &[""];
            }
            let values: Vec<&str> = (1..=step.ranges.len())
                .filter_map(|at| groups.get(at).map(|group| group.as_str()))
                .collect();
            if let Some(found) = self.follow(next, remaining)? {
                let within = step.ranges.iter().zip(values).all(|(range, value)| {
                    let value: f64 = value.parse().unwrap_or(0.0);
                    range.is_none_or(|(least, most)| value >= least && value <= most)
                });
                // A value that its converter refuses ends the search: nothing else is tried.
                return if within {
                    Ok(Some(found))
                } else {
                    Err(Stop::Refused)
                };
            }
        }
        if parts == [""] {
            for rule in &state.rules {
                if self.rules[*rule].strict_slashes {
                    continue;
                }
                if self.serves(*rule) {
                    return Ok(Some(*rule));
                }
                self.refused = self.refused.or(Some(*rule));
            }
        }
        Ok(None)
    }
}

/// The steps that a rule makes of its path.
fn segments(path: &PathPattern) -> Vec<Segment> {
    let mut found = Vec::new();
    let mut open = Open::default();
    for part in &path.parts {
        match part {
            Part::Text(text) => {
                for (at, text) in text.split('/').enumerate() {
                    if at > 0 {
                        open.slash(&mut found);
                    }
                    open.text(text);
                }
            }
            Part::Value(converter) => open.value(Some(converter)),
            Part::Foreign => open.value(None),
        }
    }
    let suffixed = open.is_final && open.content.ends_with('/');
    if suffixed {
        open.content.pop();
        open.content.push_str("(?<!/)(/?)");
    }
    found.push(open.close(suffixed));
    if suffixed {
        found.push(Segment::Fixed(String::new()));
    }
    found
}

/// A segment that is being read.
#[derive(Default)]
struct Open {
    content: String,
    is_pattern: bool,
    is_final: bool,
    texts: Vec<(usize, i32)>,
    converters: Vec<i32>,
    ranges: Vec<Option<(f64, f64)>>,
    foreign: bool,
}

impl Open {
    fn text(&mut self, text: &str) {
        if text.is_empty() {
            return;
        }
        let length = i32::try_from(text.len()).unwrap_or(i32::MAX);
        self.texts.push((self.texts.len(), -length));
        if self.is_pattern {
            self.content.push_str(&pattern::escaped(text));
        } else {
            self.content.push_str(text);
        }
    }

    fn value(&mut self, converter: Option<&Converter>) {
        if !self.is_pattern {
            self.content = pattern::escaped(&self.content);
        }
        self.is_pattern = true;
        self.is_final |= converter.is_some_and(|converter| converter.slashes);
        let regex = converter.map_or("[^/]+", |converter| converter.regex.as_str());
        self.content.push_str(&format!("({regex})"));
        self.converters
            .push(converter.map_or(100, |converter| converter.weight));
        self.ranges
            .push(converter.and_then(|converter| converter.range));
        self.foreign |= converter.is_none();
    }

    fn slash(&mut self, found: &mut Vec<Segment>) {
        if self.is_final {
            self.content.push('/');
        } else {
            found.push(std::mem::take(self).close(false));
        }
    }

    fn close(self, suffixed: bool) -> Segment {
        if !self.is_pattern {
            return Segment::Fixed(self.content);
        }
        let count = |length: usize| -i32::try_from(length).unwrap_or(i32::MAX);
        Segment::Step(Box::new(Step {
            regex: pattern::compiled(&self.content, "", How::Full),
            is_final: self.is_final,
            suffixed,
            weight: Weight(
                count(self.texts.len()),
                self.texts,
                count(self.converters.len()),
                self.converters,
            ),
            ranges: self.ranges,
            known: !self.foreign,
            content: self.content,
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::{Map, PathPattern, Routed, Rule};
    use crate::frameworks::python::path::Dialect;

    /// Expected values: Werkzeug 3.1.
    #[test]
    fn urls_are_routed_as_by_werkzeug() {
        let rules: [(&str, &[&str]); 10] = [
            ("/", &["GET", "HEAD", "OPTIONS"]),
            ("/items/", &["GET", "HEAD", "OPTIONS"]),
            ("/items/<int(max=9):pk>", &["GET", "HEAD", "OPTIONS"]),
            ("/items/<int(max=9):pk>", &["PUT", "OPTIONS"]),
            ("/items/<name>", &["DELETE", "OPTIONS"]),
            ("/items/new", &["GET", "HEAD", "OPTIONS"]),
            ("/files/<path:name>", &["GET", "HEAD", "OPTIONS"]),
            ("/files/<path:name>/edit/", &["GET", "HEAD", "OPTIONS"]),
            ("/v<int:a>.<int:b>/x", &["GET", "HEAD", "OPTIONS"]),
            ("/own/<list:x>", &["GET", "HEAD", "OPTIONS"]),
        ];
        let mut map = Map::default();
        for (path, methods) in rules {
            let methods = methods.iter().map(|method| (*method).to_owned()).collect();
            let rule = Rule {
                methods: Some(methods),
                strict_slashes: true,
            };
            map.add(&PathPattern::new(Dialect::Flask, path), rule);
        }
        let map = map.sorted();
        let to = |path: &str| Routed::Redirect(path.into());
        for (method, path, expected) in [
            ("GET", "/", Routed::Rule(0)),
            ("GET", "/items/", Routed::Rule(1)),
            ("OPTIONS", "/items", to("/items/")),
            ("GET", "/items", to("/items/")),
            ("POST", "/items", Routed::NotFound),
            ("POST", "/items/", Routed::MethodNotAllowed(1)),
            ("GET", "/items/7", Routed::Rule(2)),
            ("PUT", "/items/7", Routed::Rule(3)),
            ("DELETE", "/items/7", Routed::Rule(4)),
            ("OPTIONS", "/items/7", Routed::Rule(2)),
            ("PATCH", "/items/7", Routed::MethodNotAllowed(2)),
            ("GET", "/items/77", Routed::NotFound),
            ("GET", "/items/new", Routed::Rule(5)),
            ("GET", "/items/x", Routed::MethodNotAllowed(4)),
            ("GET", "/items/7/", Routed::NotFound),
            ("GET", "//items/7", Routed::Rule(2)),
            ("GET", "/items//7", to("/items/7")),
            ("GET", "/files/a/b", Routed::Rule(6)),
            ("GET", "/files/a/b/edit/", Routed::Rule(7)),
            ("GET", "/files/a/b/edit", to("/files/a/b/edit/")),
            ("GET", "/v1.2/x", Routed::Rule(8)),
            ("GET", "/v1-2/x", Routed::NotFound),
            ("GET", "/own/x", Routed::Unknown),
            ("GET", "/nowhere", Routed::NotFound),
        ] {
            assert_eq!(map.route(path, method), expected, "{method} {path}");
        }
    }
}
