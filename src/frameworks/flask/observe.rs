//! What only reading shows.

use super::policy::{OPTIONS, Options, is_regex};
use super::read::Reader;
use super::respond::{Hook, HookKind, RouteOf};
use crate::frameworks::python::evidence::observe_once;
use crate::frameworks::python::leaves;
use crate::model::{Observation, ObservationKind, Origin};
use crate::source::Span;
use crate::spelling::nearest;
use crate::syntax::python::object::Val;
use crate::syntax::value::{List, Value};

impl Reader<'_> {
    pub(super) fn unknown_option(&mut self, name: &str, span: Span, call: Span) {
        if self.observations.iter().any(|known| known.span == span) {
            return;
        }
        let meant = match name {
            "origin" | "allow_origins" | "allowed_origins" | "allow_origin" => Some("origins"),
            "credentials" | "allow_credentials" => Some("supports_credentials"),
            "headers" | "allowed_headers" => Some("allow_headers"),
            _ => nearest(name, OPTIONS.into_iter(), 3),
        };
        let severe = meant == Some("origins");
        let text = if severe {
            "Flask-CORS does not know it, and every origin stays allowed"
        } else {
            "Flask-CORS does not know it, and the default stays in force"
        };
        self.observations.push(Observation {
            kind: ObservationKind::UnknownOption,
            span,
            name: name.to_owned(),
            text: text.to_owned(),
            suggestion: meant.map(ToOwned::to_owned),
            related: vec![(call, "the options are given here".into())],
            severe,
        });
    }

    /// `CORS_HEADERS` of tutorials for Flask-CORS 1, which nothing reads since 2.0.
    pub(super) fn old_headers(&mut self, value: &Val) {
        let observation = Observation {
            kind: ObservationKind::Renamed,
            span: value.span,
            name: "CORS_HEADERS".into(),
            text: "the setting is `CORS_ALLOW_HEADERS`, and nothing reads this name".into(),
            suggestion: Some("CORS_ALLOW_HEADERS".into()),
            related: Vec::new(),
            severe: false,
        };
        observe_once(&mut self.observations, observation);
    }

    pub(super) fn observe(&mut self, hook: &Hook) {
        let HookKind::Cors {
            base, resources, ..
        } = &hook.kind
        else {
            return;
        };
        for resource in resources {
            self.observe_options(&resource.options, "the application does not start");
        }
        self.observe_options(base, "the application does not start");
    }

    fn add(&mut self, kind: ObservationKind, span: Span, name: &str, text: &str, severe: bool) {
        if self
            .observations
            .iter()
            .any(|known| known.span == span && known.kind == kind)
        {
            return;
        }
        self.observations.push(Observation {
            kind,
            span,
            name: name.to_owned(),
            text: text.to_owned(),
            suggestion: None,
            related: Vec::new(),
            severe,
        });
    }

    /// Origins beside a `*`.
    fn observe_star(&mut self, list: &List) {
        let star = |item: &&Value| matches!(item.as_str(), Some("*" | ".*"));
        let Some(star) = list.items.iter().find(star) else {
            return;
        };
        for item in &list.items {
            let Some(text) = item.as_str().filter(|text| Origin::parse(text).is_ok()) else {
                continue;
            };
            let before = self.observations.len();
            let words = "`*` in the same list allows every origin";
            self.add(ObservationKind::Overridden, item.span, text, words, true);
            if let Some(added) = self.observations.get_mut(before) {
                let related = (star.span, "this allows every origin".into());
                added.related.push(related);
            }
        }
    }

    /// Keys of `resources` that cover other paths than they seem to.
    pub(super) fn observe_paths(&mut self, hook: &Hook, routes: &[RouteOf]) {
        let HookKind::Cors { resources, .. } = &hook.kind else {
            return;
        };
        let paths: Vec<String> = routes.iter().map(|route| route.path.sample()).collect();
        for resource in resources.iter().filter(|resource| !resource.compiled) {
            let text = resource.pattern.as_str();
            let below = |path: &str, base: &str| {
                path.strip_prefix(base)
                    .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
            };
            let covered = |path: &String| {
                resources
                    .iter()
                    .any(|resource| resource.covers(path) != Some(false))
            };
            if !is_regex(text) {
                let base = text.trim_end_matches('/');
                let meant = paths
                    .iter()
                    .find(|path| below(path, base) && !covered(path));
                if let (Some(path), false) = (meant, paths.iter().any(|path| path == text)) {
                    let words = format!("it is this path alone, so `{path}` gets no CORS headers");
                    let suggestion = format!("{base}/.*");
                    self.path_scope(resource.span, text, &words, suggestion);
                }
            } else if let Some(base) = text.strip_suffix("/*").filter(|base| !is_regex(base)) {
                let other = paths.iter().find(|path| {
                    !base.is_empty() && !below(path, base) && resource.covers(path) == Some(true)
                });
                if let Some(path) = other {
                    let words = format!(
                        "it is a regular expression in which the slash may be missing, so `{path}` is covered, too"
                    );
                    let suggestion = format!("{base}/.*");
                    self.path_scope(resource.span, text, &words, suggestion);
                }
            }
        }
    }

    fn path_scope(&mut self, span: Span, text: &str, words: &str, suggestion: String) {
        let before = self.observations.len();
        self.add(ObservationKind::PathScope, span, text, words, false);
        if let Some(added) = self.observations.get_mut(before) {
            added.suggestion = Some(suggestion);
        }
    }

    /// `refused`: what happens if the options are.
    pub(super) fn observe_options(&mut self, options: &Options, refused: &str) {
        if let Some(words) = options.failure().filter(|_| options.rejected.is_none()) {
            let span = options.invalid().unwrap_or(options.span);
            let text = format!("{refused}: {words}");
            self.add(ObservationKind::Rejected, span, "CORS", &text, true);
        }
        let mut found = Vec::new();
        leaves(options.get("origins"), &mut found);
        for list in found.iter().filter_map(|value| value.as_list()) {
            self.observe_star(list);
        }
        let mut found = Vec::new();
        leaves(options.get("supports_credentials"), &mut found);
        for value in found {
            let off = value.as_str().is_some_and(|text| {
                matches!(
                    text.to_ascii_lowercase().as_str(),
                    "false" | "no" | "off" | "0"
                )
            });
            if off {
                let text = "a text that is not empty is true: credentials are allowed";
                self.add(
                    ObservationKind::WrongType,
                    value.span,
                    "supports_credentials",
                    text,
                    true,
                );
            }
        }
        let mut found = Vec::new();
        leaves(options.get("methods"), &mut found);
        for value in found {
            let star = value.as_str() == Some("*")
                || value
                    .as_list()
                    .is_some_and(|list| list.items.iter().any(|item| item.as_str() == Some("*")));
            if star {
                let text =
                    "the list is searched for the method as it stands, and no method is called `*`";
                self.add(
                    ObservationKind::LiteralWildcard,
                    value.span,
                    "*",
                    text,
                    true,
                );
            }
        }
    }
}
