//! What only reading shows: checks, old names, order, and the lists beside CORS.

use super::policy::split;
use super::read::{ALIASES, Values};
use super::respond::CORS;
use crate::frameworks::python::evidence::SessionCookie;
use crate::frameworks::python::{leaves, truthy};
use crate::model::{Observation, ObservationKind, Origin, World};
use crate::source::Span;
use crate::spelling::nearest;
use crate::syntax::python::pattern::{self, How};
use crate::syntax::python::version::Versions;
use crate::syntax::value::{Conditions, Kind, Value};

/// The place of the middleware in the list.
pub(super) fn cors_entry(values: &Values) -> Option<Span> {
    let mut found = Vec::new();
    leaves(values.get("MIDDLEWARE"), &mut found);
    found.iter().find_map(|value| {
        let items = value.as_list()?.items.iter();
        let mut items = items.filter(|item| item.as_str() == Some(CORS));
        items.next().map(|item| item.span)
    })
}

/// Settings that are true or false, with the check that says so.
const BOOLEANS: [(&str, &str); 4] = [
    ("CORS_ALLOW_ALL_ORIGINS", "corsheaders.E005"),
    ("CORS_ORIGIN_ALLOW_ALL", "corsheaders.E005"),
    ("CORS_ALLOW_CREDENTIALS", "corsheaders.E003"),
    ("CORS_ALLOW_PRIVATE_NETWORK", "corsheaders.E015"),
];

/// The settings that a name may have been meant for.
const KNOWN: [&str; 10] = [
    "CORS_ALLOWED_ORIGINS",
    "CORS_ALLOWED_ORIGIN_REGEXES",
    "CORS_ALLOW_ALL_ORIGINS",
    "CORS_ALLOW_CREDENTIALS",
    "CORS_ALLOW_METHODS",
    "CORS_ALLOW_HEADERS",
    "CORS_EXPOSE_HEADERS",
    "CORS_PREFLIGHT_MAX_AGE",
    "CORS_URLS_REGEX",
    "CORS_ALLOW_PRIVATE_NETWORK",
];

struct Observer<'v> {
    values: &'v Values,
    worlds: Vec<World>,
    /// Only the old names exist.
    old: bool,
    found: Vec<Observation>,
}

/// What the settings alone do not tell.
#[derive(Default)]
pub(super) struct Beside {
    /// Names that begin with `CORS_`, that the package does not have and nobody reads.
    pub(super) unknown_names: Vec<(String, Span)>,
    /// Settings that are sets.
    pub(super) sets: Vec<(&'static str, Span)>,
    /// The root URL configuration has paths by language.
    pub(super) localized: bool,
}

pub(super) fn observe(
    values: &Values,
    conditions: &Conditions,
    versions: Versions,
    beside: &Beside,
) -> Vec<Observation> {
    let mut observer = Observer {
        values,
        worlds: conditions.worlds(),
        old: versions.since((3, 5, 0)) == Some(false),
        found: Vec::new(),
    };
    observer.attached();
    observer.names();
    observer.unknown_names(&beside.unknown_names);
    observer.types();
    observer.checks();
    observer.sets(&beside.sets);
    observer.origins();
    observer.overridden();
    observer.paths();
    observer.order(beside.localized);
    observer.csrf();
    observer.cookies();
    observer.found
}

impl Observer<'_> {
    fn add(
        &mut self,
        kind: ObservationKind,
        span: Span,
        name: &str,
        text: &str,
    ) -> &mut Observation {
        let known = self
            .found
            .iter()
            .position(|known| known.kind == kind && known.span == span);
        let at = known.unwrap_or_else(|| {
            self.found.push(Observation {
                kind,
                span,
                name: name.to_owned(),
                text: text.to_owned(),
                suggestion: None,
                related: Vec::new(),
                severe: false,
            });
            self.found.len() - 1
        });
        &mut self.found[at]
    }

    fn forms(&self, name: &str) -> Vec<Value> {
        let mut found = Vec::new();
        leaves(self.values.get(name), &mut found);
        found.into_iter().cloned().collect()
    }

    /// Is a statement true in every world?
    fn always(&self, holds: impl Fn(&Values) -> bool) -> bool {
        self.worlds
            .iter()
            .all(|world| holds(&self.values.in_world(world)))
    }

    fn attached(&mut self) {
        let without = |value: &Value| match &value.kind {
            Kind::List(list) => {
                !list.open
                    && list.items.iter().all(|item| {
                        item.as_str()
                            .is_some_and(|text| text != CORS && !text.ends_with("CorsMiddleware"))
                    })
            }
            _ => false,
        };
        let middleware = self.forms("MIDDLEWARE");
        if middleware.is_empty() || !middleware.iter().all(without) {
            return;
        }
        let written = [
            "CORS_ALLOWED_ORIGINS",
            "CORS_ORIGIN_WHITELIST",
            "CORS_ALLOW_ALL_ORIGINS",
            "CORS_ORIGIN_ALLOW_ALL",
            "CORS_ALLOWED_ORIGIN_REGEXES",
            "CORS_ORIGIN_REGEX_WHITELIST",
        ];
        let set = written.iter().find_map(|name| {
            let value = self.values.get(name);
            (value.kind != Kind::Undefined).then_some((*name, value.span))
        });
        let Some((name, span)) = set else { return };
        let place = self.values.name_span(name, span);
        let text = "`corsheaders.middleware.CorsMiddleware` is not in `MIDDLEWARE`";
        let middleware = middleware[0].span;
        let added = self.add(ObservationKind::Unattached, place, name, text);
        added
            .related
            .push((middleware, "the middleware is missing here".into()));
        added.suggestion = Some(format!("\"{CORS}\""));
    }

    fn names(&mut self) {
        for (new, old) in ALIASES {
            for value in self.forms(old) {
                if value.kind == Kind::Undefined || self.old {
                    continue;
                }
                let span = self.values.name_span(old, value.span);
                let text = format!("it is called `{new}` since 3.5");
                let added = self.add(ObservationKind::Renamed, span, old, &text);
                added.suggestion = Some(new.to_owned());
            }
            let both = self.always(|values| {
                values
                    .by_name
                    .get(old)
                    .is_some_and(|value| value.kind != Kind::Undefined)
            }) && self.always(|values| values.get(new).kind != Kind::Undefined)
                && self.values.get(new).kind != Kind::Undefined;
            if both {
                let (value, winner) = (self.values.get(old).span, self.values.get(new).span);
                let span = self.values.name_span(old, value);
                let text = format!("`{new}` is set too, and the new name wins");
                let added = self.add(ObservationKind::Overridden, span, old, &text);
                added.related.push((winner, "this one is used".into()));
            }
        }
        for (name, check) in [
            ("CORS_MODEL", "corsheaders.E012"),
            ("CORS_REPLACE_HTTPS_REFERER", "corsheaders.E013"),
        ] {
            let value = self.values.get(name).clone();
            if value.kind != Kind::Undefined {
                let span = self.values.name_span(name, value.span);
                let text =
                    format!("the setting was removed, and `manage.py check` refuses it ({check})");
                self.add(ObservationKind::Rejected, span, name, &text);
            }
        }
    }

    fn types(&mut self) {
        for (name, check) in BOOLEANS {
            for value in self.forms(name) {
                let Some(text) = value.as_str() else { continue };
                if text.is_empty() {
                    continue;
                }
                let off = matches!(
                    text.to_ascii_lowercase().as_str(),
                    "false" | "no" | "off" | "0"
                );
                let words = if off {
                    "a text that is not empty is true, whatever it says"
                } else {
                    "`True` or `False` belongs here; any text that is not empty is true"
                };
                let words = format!("{words} (`manage.py check` reports {check})");
                let added = self.add(ObservationKind::WrongType, value.span, name, &words);
                added.severe = off;
                added.suggestion = Some(if off { "False" } else { "True" }.into());
            }
        }
        for (name, check) in [
            ("CORS_ALLOWED_ORIGINS", "corsheaders.E006"),
            ("CORS_ORIGIN_WHITELIST", "corsheaders.E006"),
            ("CORS_ALLOWED_ORIGIN_REGEXES", "corsheaders.E007"),
            ("CORS_ORIGIN_REGEX_WHITELIST", "corsheaders.E007"),
        ] {
            for value in self.forms(name) {
                match &value.kind {
                    Kind::String(text) if !text.is_empty() => {
                        let words = if check.ends_with('6') {
                            "a text is read letter by letter, so no origin is allowed"
                        } else {
                            "a text is read letter by letter, and every letter is a pattern of its own"
                        };
                        let suggestion = format!("[{}]", self.values.slice(value.span));
                        let added = self.add(ObservationKind::WrongType, value.span, name, words);
                        added.severe = true;
                        added.suggestion = Some(suggestion);
                    }
                    Kind::Null => {
                        let words = format!(
                            "every request with an Origin ends in a TypeError; `manage.py check` reports {check}"
                        );
                        let added = self.add(ObservationKind::Rejected, value.span, name, &words);
                        added.severe = true;
                    }
                    _ => {}
                }
            }
        }
        for (name, what) in [
            ("CORS_ALLOW_METHODS", "methods"),
            ("CORS_ALLOW_HEADERS", "names"),
            ("CORS_EXPOSE_HEADERS", "names"),
        ] {
            for value in self.forms(name) {
                let Some(text) = value.as_str() else { continue };
                if text.chars().count() < 2 {
                    continue;
                }
                let words =
                    format!("a text is read letter by letter, and its letters are the {what}");
                let suggestion = format!("[{}]", self.values.slice(value.span));
                let added = self.add(ObservationKind::WrongType, value.span, name, &words);
                added.severe = true;
                added.suggestion = Some(suggestion);
            }
        }
        for name in ["CORS_ALLOWED_ORIGIN_REGEXES", "CORS_ORIGIN_REGEX_WHITELIST"] {
            for value in self.forms(name) {
                let Some(list) = value.as_list() else {
                    continue;
                };
                for item in &list.items {
                    if item.as_str().is_some_and(pattern::is_invalid) {
                        let words = "the pattern cannot be compiled: every request whose Origin reaches it ends in an re.error and status 500";
                        let added = self.add(ObservationKind::Rejected, item.span, name, words);
                        added.severe = true;
                    }
                }
            }
        }
    }

    /// What the package's own system checks refuse although a server would start with it.
    fn checks(&mut self) {
        for (name, check) in BOOLEANS {
            for value in self.forms(name) {
                if matches!(
                    value.kind,
                    Kind::Number(_) | Kind::Null | Kind::List(_) | Kind::Map(_)
                ) {
                    self.refuse(&value, name, "`True` or `False` belongs here", check);
                }
            }
        }
        for value in self.forms("CORS_PREFLIGHT_MAX_AGE") {
            let words = match value.kind {
                Kind::String(_) | Kind::Null => "a number of seconds belongs here",
                Kind::Number(number) if number < 0.0 => "it cannot be negative",
                _ => continue,
            };
            self.refuse(&value, "CORS_PREFLIGHT_MAX_AGE", words, "corsheaders.E004");
        }
        for value in self.forms("CORS_URLS_REGEX") {
            if matches!(
                value.kind,
                Kind::Number(_) | Kind::Null | Kind::List(_) | Kind::Bool(_)
            ) {
                let words = "one pattern belongs here";
                self.refuse(&value, "CORS_URLS_REGEX", words, "corsheaders.E009");
            }
        }
    }

    /// Sets work, but the package's checks ask for a list or tuple.
    fn sets(&mut self, sets: &[(&'static str, Span)]) {
        for (name, span) in sets {
            let check = match *name {
                "CORS_ALLOWED_ORIGINS" | "CORS_ORIGIN_WHITELIST" => "corsheaders.E006",
                "CORS_ALLOWED_ORIGIN_REGEXES" | "CORS_ORIGIN_REGEX_WHITELIST" => "corsheaders.E007",
                "CORS_ALLOW_METHODS" => "corsheaders.E002",
                "CORS_ALLOW_HEADERS" => "corsheaders.E001",
                "CORS_EXPOSE_HEADERS" => "corsheaders.E008",
                _ => continue,
            };
            let words = format!("`manage.py check` refuses a set ({check}); write a list");
            self.add(ObservationKind::Rejected, *span, name, &words);
        }
    }

    fn refuse(&mut self, value: &Value, name: &str, words: &str, check: &str) {
        let words = format!("{words}, and `manage.py check` refuses anything else ({check})");
        self.add(ObservationKind::Rejected, value.span, name, &words);
    }

    /// Settings that look like one of the package and are none.
    pub(super) fn unknown_names(&mut self, names: &[(String, Span)]) {
        for (name, span) in names {
            let Some(known) = nearest(name, KNOWN.into_iter(), 3) else {
                continue;
            };
            let words =
                format!("django-cors-headers does not know it, and `{known}` keeps its default");
            let added = self.add(ObservationKind::UnknownOption, *span, name, &words);
            added.suggestion = Some(known.to_owned());
        }
    }

    fn origins(&mut self) {
        for name in ["CORS_ALLOWED_ORIGINS", "CORS_ORIGIN_WHITELIST"] {
            for value in self.forms(name) {
                let Some(list) = value.as_list() else {
                    continue;
                };
                for item in &list.items {
                    let Some(text) = item.as_str() else { continue };
                    if text.contains('*') {
                        let words = "the list is compared as it stands; a pattern belongs into `CORS_ALLOWED_ORIGIN_REGEXES`";
                        self.add(ObservationKind::LiteralWildcard, item.span, text, words);
                        continue;
                    }
                    let Some((scheme, place)) = split(text) else {
                        continue;
                    };
                    if scheme.is_empty() || place.is_empty() || text == "null" {
                        continue;
                    }
                    let rest = text.split_once("://").map_or("", |(_, rest)| rest);
                    if rest.contains(['/', '?', '#'])
                        && Origin::parse(&format!("{scheme}://{place}")).is_ok()
                    {
                        let words =
                            "`manage.py check` refuses an origin with a path (corsheaders.E014)";
                        let added = self.add(ObservationKind::Rejected, item.span, text, words);
                        added.suggestion = Some(format!("{scheme}://{place}"));
                    }
                }
            }
        }
    }

    fn overridden(&mut self) {
        let all = self.always(|values| truthy(values.get("CORS_ALLOW_ALL_ORIGINS")) == Some(true));
        if !all {
            return;
        }
        let winner = ["CORS_ALLOW_ALL_ORIGINS", "CORS_ORIGIN_ALLOW_ALL"]
            .iter()
            .map(|name| self.values.get(name).clone())
            .find(|value| value.kind != Kind::Undefined);
        for name in [
            "CORS_ALLOWED_ORIGINS",
            "CORS_ORIGIN_WHITELIST",
            "CORS_ALLOWED_ORIGIN_REGEXES",
            "CORS_ORIGIN_REGEX_WHITELIST",
        ] {
            let value = self.values.get(name).clone();
            let Kind::List(list) = &value.kind else {
                continue;
            };
            if list.items.is_empty() {
                continue;
            }
            let span = self.values.name_span(name, value.span);
            let text = "every origin is allowed anyway";
            let added = self.add(ObservationKind::Overridden, span, name, text);
            if let Some(winner) = &winner {
                added
                    .related
                    .push((winner.span, "this allows every origin".into()));
            }
            added.severe = true;
        }
    }

    fn paths(&mut self) {
        for value in self.forms("CORS_URLS_REGEX") {
            let Some(text) = value.as_str() else { continue };
            let first = text.trim_start_matches('^').chars().next();
            let dead = first.is_some_and(|c| c.is_ascii_alphanumeric() || c == '_')
                && !text.contains('|')
                && pattern::matches(text, "", "/", How::Match) == Some(false);
            if dead {
                let words =
                    "a path begins with `/`, so this matches none and CORS is off everywhere";
                let added = self.add(
                    ObservationKind::PathScope,
                    value.span,
                    "CORS_URLS_REGEX",
                    words,
                );
                added.suggestion = Some(format!("^/{}", text.trim_start_matches('^')));
                added.severe = true;
            }
        }
    }

    fn order(&mut self, localized: bool) {
        let slashes = self.forms("APPEND_SLASH");
        let redirects = slashes
            .iter()
            .any(|value| matches!(value.kind, Kind::Undefined | Kind::Bool(true)));
        let static_files = self.forms("WHITENOISE_ALLOW_ALL_ORIGINS");
        let static_files = static_files
            .iter()
            .any(|value| truthy(value) != Some(false) || value.kind == Kind::Undefined);
        for value in self.forms("MIDDLEWARE") {
            let Some(list) = value.as_list() else {
                continue;
            };
            let cors = list
                .items
                .iter()
                .position(|item| item.as_str() == Some(CORS));
            let Some(cors) = cors else { continue };
            let place = list.items[cors].span;
            for item in &list.items[..cors] {
                let words = match item.as_str() {
                    Some("django.middleware.common.CommonMiddleware") if redirects => {
                        "redirects to the path with a slash"
                    }
                    Some("django.middleware.locale.LocaleMiddleware") if localized => {
                        "redirects to the path with a language"
                    }
                    // By default it sends `*` itself.
                    Some("whitenoise.middleware.WhiteNoiseMiddleware") if !static_files => {
                        "answers for static files"
                    }
                    _ => continue,
                };
                let name = item.as_str().and_then(|path| path.rsplit('.').next());
                let name = name.unwrap_or_default();
                let text = format!("`{name}` stands before it and {words}, without CORS headers");
                let added = self.add(ObservationKind::Order, place, "CorsMiddleware", &text);
                added.severe = true;
                added.related.push((item.span, words.to_owned()));
            }
        }
    }

    /// Origins that are allowed with credentials and that Django's own check refuses.
    fn csrf(&mut self) {
        let credentials =
            self.always(|values| truthy(values.get("CORS_ALLOW_CREDENTIALS")) == Some(true));
        let checks = self.forms("MIDDLEWARE").iter().any(|value| {
            let items = value.as_list().map(|list| list.items.as_slice());
            items
                .unwrap_or_default()
                .iter()
                .any(|item| item.as_str() == Some("django.middleware.csrf.CsrfViewMiddleware"))
        });
        if !credentials || !checks || cors_entry(self.values).is_none() {
            return;
        }
        let trusted = self.values.get("CSRF_TRUSTED_ORIGINS").clone();
        let texts: Vec<String> = match &trusted.kind {
            Kind::List(list) if !list.open => {
                let texts = list.items.iter().filter_map(Value::as_str);
                let texts: Vec<String> = texts.map(ToOwned::to_owned).collect();
                if texts.len() < list.items.len() {
                    return;
                }
                texts
            }
            // Nothing is set: then nothing is meant to be posted from elsewhere by cookie alone.
            _ => return,
        };
        let covers = |text: &str, origin: &str| match text.split_once("://*.") {
            Some((scheme, domain)) => {
                origin.starts_with(&format!("{scheme}://"))
                    && origin.ends_with(&format!(".{domain}"))
            }
            None => text.trim_end_matches('/') == origin,
        };
        for value in self.forms("CORS_ALLOWED_ORIGINS") {
            let Some(list) = value.as_list() else {
                continue;
            };
            for item in &list.items {
                let Some(text) = item.as_str() else { continue };
                let parsed = Origin::parse(text);
                let public = parsed.is_ok_and(|origin| origin.development_host().is_none());
                if public && !texts.iter().any(|trusted| covers(trusted, text)) {
                    let words = "`CSRF_TRUSTED_ORIGINS` does not have it";
                    let added = self.add(ObservationKind::Csrf, item.span, text, words);
                    added
                        .related
                        .push((trusted.span, "it is missing here".into()));
                }
            }
        }
    }

    fn cookies(&mut self) {
        let credentials =
            self.always(|values| truthy(values.get("CORS_ALLOW_CREDENTIALS")) == Some(true));
        if !credentials || cors_entry(self.values).is_none() {
            return;
        }
        let same_site = self.values.get("SESSION_COOKIE_SAMESITE");
        let same_site = match &same_site.kind {
            Kind::Undefined => Some("Lax"),
            Kind::String(text) => Some(text.as_str()),
            // `False` leaves it out.
            Kind::Bool(false) | Kind::Null => None,
            _ => return,
        };
        let secure = self.values.get("SESSION_COOKIE_SECURE");
        let secure = match secure.kind {
            Kind::Undefined => Some(false),
            _ => truthy(secure),
        };
        let Some(secure) = secure else { return };
        let hosts: Vec<Value> = self.forms("ALLOWED_HOSTS");
        let [hosts] = hosts.as_slice() else { return };
        let Kind::List(list) = &hosts.kind else {
            return;
        };
        let known: Vec<&str> = list.items.iter().filter_map(Value::as_str).collect();
        if list.open || known.len() < list.items.len() {
            return;
        }
        let cookie = SessionCookie {
            hosts: &known,
            hosts_span: hosts.span,
            hosts_name: "ALLOWED_HOSTS",
            same_site,
            secure,
            repair: "SESSION_COOKIE_SAMESITE = \"None\"",
        };
        let origins = self.forms("CORS_ALLOWED_ORIGINS");
        let origins: Vec<&Value> = origins.iter().collect();
        for found in cookie.observations(&origins) {
            let known = |known: &Observation| known.kind == found.kind && known.span == found.span;
            if !self.found.iter().any(known) {
                self.found.push(found);
            }
        }
    }
}
