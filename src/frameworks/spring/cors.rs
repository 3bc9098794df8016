//! `CorsConfiguration`: what it allows, how two become one, and what it refuses
//! (spring-web, `org.springframework.web.cors.CorsConfiguration`, tags 4.2 to 7.1).

use crate::frameworks::spring::version::Versions;
use crate::model::{Decision, Known};
use crate::source::Span;

const ALL: &str = "*";
/// What `validateAllowCredentials` throws.
pub(super) const STAR_WITH_CREDENTIALS: &str = "IllegalArgumentException: When allowCredentials is true, \
     allowedOrigins cannot contain the special value \"*\" since that cannot be set on the \
     \"Access-Control-Allow-Origin\" response header. To allow credentials to a set of origins, \
     list them explicitly or consider using \"allowedOriginPatterns\" instead.";
/// What `validateAllowPrivateNetwork` throws.
pub(super) const STAR_WITH_PRIVATE_NETWORK: &str = "IllegalArgumentException: When allowPrivateNetwork is \
     true, allowedOrigins cannot contain the special value \"*\" as it is not recommended from a \
     security perspective. To allow private network access to a set of origins, list them \
     explicitly or consider using \"allowedOriginPatterns\" instead.";

/// One text of a list, as Spring keeps it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) text: String,
    /// The token; nothing for Spring's defaults.
    pub(super) span: Option<Span>,
}

/// A list of a configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Entries {
    pub(super) items: Vec<Entry>,
    /// There may be more that are not in view.
    pub(super) open: bool,
    /// It is one of the constants of `applyPermitDefaultValues`, which yield to lists of others.
    pub(super) is_default: bool,
}

impl Entries {
    /// A list that Spring itself sets.
    pub(super) fn default_of(texts: &[&str]) -> Self {
        let items = texts.iter().map(|text| Entry {
            text: (*text).to_owned(),
            span: None,
        });
        Self {
            items: items.collect(),
            open: false,
            is_default: true,
        }
    }

    pub(super) fn has(&self, text: &str) -> bool {
        self.items.iter().any(|item| item.text == text)
    }

    pub(super) fn star(&self) -> Option<&Entry> {
        self.items.iter().find(|item| item.text == ALL)
    }

    fn is_empty(&self) -> bool {
        self.items.is_empty() && !self.open
    }

    pub(super) fn texts(&self) -> Vec<&str> {
        self.items.iter().map(|item| item.text.as_str()).collect()
    }
}

/// A flag or number as written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Written<T> {
    pub(super) value: Known<T>,
    /// The token; nothing for Spring's defaults.
    pub(super) span: Option<Span>,
}

/// One `CorsConfiguration`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Cors {
    pub(super) origins: Option<Entries>,
    pub(super) patterns: Option<Entries>,
    pub(super) methods: Option<Entries>,
    pub(super) headers: Option<Entries>,
    pub(super) exposed: Option<Entries>,
    pub(super) credentials: Option<Written<bool>>,
    pub(super) private_network: Option<Written<bool>>,
    pub(super) max_age: Option<Written<i64>>,
    /// Where it is made: the constructor's call, the annotation, the mapping.
    pub(super) span: Option<Span>,
}

/// Is an origin let in?
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Check {
    /// This value is sent; what decided.
    Allowed(String, Option<Decision>, Option<Span>),
    Refused,
    /// It depends on entries that are not in view.
    Unknown,
    /// The check throws.
    Throws(&'static str),
}

/// Which of the lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum List {
    Origins,
    Patterns,
    Methods,
    Headers,
    Exposed,
}

impl Cors {
    /// `new CorsConfiguration()`.
    pub(super) fn new(span: Span) -> Self {
        Self {
            span: Some(span),
            ..Self::default()
        }
    }

    /// What preflights that several handlers match are answered with
    /// (`AbstractHandlerMethodMapping.ALLOW_CORS_CONFIG`).
    pub(super) fn allow_everything(span: Span) -> Self {
        let all = || {
            Some(Entries {
                is_default: false,
                ..Entries::default_of(&[ALL])
            })
        };
        Self {
            patterns: all(),
            methods: all(),
            headers: all(),
            credentials: Some(Written {
                value: Known::Known(true),
                span: None,
            }),
            ..Self::new(span)
        }
    }

    pub(super) const fn list(&self, list: List) -> Option<&Entries> {
        match list {
            List::Origins => self.origins.as_ref(),
            List::Patterns => self.patterns.as_ref(),
            List::Methods => self.methods.as_ref(),
            List::Headers => self.headers.as_ref(),
            List::Exposed => self.exposed.as_ref(),
        }
    }

    const fn list_mut(&mut self, list: List) -> &mut Option<Entries> {
        match list {
            List::Origins => &mut self.origins,
            List::Patterns => &mut self.patterns,
            List::Methods => &mut self.methods,
            List::Headers => &mut self.headers,
            List::Exposed => &mut self.exposed,
        }
    }

    /// `setAllowedOrigins` and the like. `None` is Java's `null`.
    pub(super) fn set(&mut self, list: List, entries: Option<Entries>, versions: Versions) {
        let Some(entries) = entries else {
            *self.list_mut(list) = None;
            return;
        };
        *self.list_mut(list) = Some(Entries {
            open: entries.open,
            ..Entries::default()
        });
        let open = entries.open;
        for entry in entries.items {
            self.add(list, entry, versions);
        }
        if open {
            self.open(list);
        }
    }

    /// `addAllowedOrigin` and the like.
    pub(super) fn add(&mut self, list: List, entry: Entry, versions: Versions) {
        let entries = self.list_mut(list).get_or_insert_default();
        // The shared constant is copied before something is added to it.
        entries.is_default = false;
        match list {
            List::Origins | List::Patterns => {
                for part in split(entry, versions) {
                    entries.items.push(part);
                }
            }
            _ => entries.items.push(entry),
        }
        if list == List::Patterns
            && self
                .origins
                .as_ref()
                .is_some_and(|origins| origins.is_default)
        {
            self.origins = None;
        }
    }

    /// The list has further entries that are not in view.
    pub(super) fn open(&mut self, list: List) {
        self.list_mut(list).get_or_insert_default().open = true;
        let origins = self.origins.as_ref();
        if list == List::Patterns && origins.is_some_and(|origins| origins.is_default) {
            self.origins = None;
        }
    }

    /// `applyPermitDefaultValues`.
    pub(super) fn apply_permit_defaults(&mut self) {
        if self.origins.is_none() && self.patterns.is_none() {
            self.origins = Some(Entries::default_of(&[ALL]));
        }
        self.methods
            .get_or_insert_with(|| Entries::default_of(&["GET", "HEAD", "POST"]));
        self.headers
            .get_or_insert_with(|| Entries::default_of(&[ALL]));
        self.max_age.get_or_insert(Written {
            value: Known::Known(1800),
            span: None,
        });
    }

    /// Are requests let in with credentials?
    pub(super) fn allows_credentials(&self) -> Known<bool> {
        self.credentials
            .map_or(Known::Known(false), |written| written.value)
    }

    /// What `validateAllowCredentials` and `validateAllowPrivateNetwork` throw (since 5.3).
    pub(super) fn refusal(&self, versions: Versions) -> Option<&'static str> {
        if !versions.has_patterns() {
            return None;
        }
        self.origins.as_ref()?.star()?;
        let private = self.private_network.map(|written| written.value);
        if self.allows_credentials() == Known::Known(true) {
            Some(STAR_WITH_CREDENTIALS)
        } else if private == Some(Known::Known(true)) {
            Some(STAR_WITH_PRIVATE_NETWORK)
        } else {
            None
        }
    }

    /// `combine`: this one is global, `other` local.
    pub(super) fn combine(&self, other: Option<&Self>) -> Self {
        let Some(other) = other else {
            return self.clone();
        };
        let origins = combine(self.origins.as_ref(), other.origins.as_ref());
        let patterns = combine(self.patterns.as_ref(), other.patterns.as_ref());
        let yields = origins.is_default && !patterns.is_empty();
        Self {
            origins: (!yields).then_some(origins),
            patterns: Some(patterns),
            methods: Some(combine(self.methods.as_ref(), other.methods.as_ref())),
            headers: Some(combine(self.headers.as_ref(), other.headers.as_ref())),
            exposed: Some(combine(self.exposed.as_ref(), other.exposed.as_ref())),
            credentials: other.credentials.or(self.credentials),
            private_network: other.private_network.or(self.private_network),
            max_age: other.max_age.or(self.max_age),
            span: other.span.or(self.span),
        }
    }

    /// `checkOrigin`. `symbolic`: the origin stands for a member of every list that is not in view.
    pub(super) fn check_origin(&self, origin: &str, symbolic: bool, versions: Versions) -> Check {
        if origin.trim().is_empty() || has_bad_port(origin) {
            return Check::Refused;
        }
        let trimmed = if versions.trims_slash() {
            without_slash(origin)
        } else {
            origin
        };
        if let Some(star) = self.origins.as_ref().and_then(Entries::star) {
            if let Some(words) = self.refusal(versions) {
                return Check::Throws(words);
            }
            let reflects = !versions.has_patterns();
            return match (reflects, self.allows_credentials()) {
                (true, Known::Known(true)) => Check::Allowed(origin.to_owned(), None, star.span),
                (true, Known::Unknown) => Check::Unknown,
                _ => Check::Allowed(ALL.to_owned(), None, star.span),
            };
        }
        let decided = |entry: &Entry| {
            entry.span.map(|span| Decision {
                span,
                text: entry.text.clone(),
                offset: None,
                pattern: false,
            })
        };
        let listed = self.origins.iter().flat_map(|list| &list.items);
        for entry in listed {
            if trimmed.eq_ignore_ascii_case(&entry.text) {
                return Check::Allowed(origin.to_owned(), decided(entry), entry.span);
            }
        }
        for entry in self.patterns.iter().flat_map(|list| &list.items) {
            if entry.text == ALL {
                return Check::Allowed(origin.to_owned(), None, entry.span);
            }
            if matches_pattern(&entry.text, trimmed) {
                return Check::Allowed(origin.to_owned(), decided(entry), entry.span);
            }
        }
        let lists = [self.origins.as_ref(), self.patterns.as_ref()];
        if !lists.into_iter().flatten().any(|list| list.open) {
            Check::Refused
        } else if symbolic {
            Check::Allowed(origin.to_owned(), None, None)
        } else {
            Check::Unknown
        }
    }

    /// `checkHttpMethod`: the methods to send, or nothing if this one is refused. The outer nothing:
    /// it cannot be told.
    pub(super) fn check_method(
        &self,
        method: &str,
        versions: Versions,
    ) -> Option<Option<Vec<String>>> {
        let list = self.methods.as_ref().filter(|list| !list.is_empty());
        let Some(list) = list else {
            let default = ["GET", "HEAD"].map(str::to_owned).to_vec();
            return Some(
                default
                    .iter()
                    .any(|known| known == method)
                    .then_some(default),
            );
        };
        if list.star().is_some() {
            return Some(Some(vec![method.to_owned()]));
        }
        let resolved: Vec<String> = list
            .items
            .iter()
            .filter(|item| !item.text.trim().is_empty())
            .map(|item| versions.method(&item.text))
            .collect();
        match (resolved.iter().any(|known| known == method), list.open) {
            (true, false) => Some(Some(resolved)),
            (false, false) => Some(None),
            (_, true) => None,
        }
    }

    /// `checkHeaders`: the names to send, or nothing if all are refused. The outer nothing: it
    /// cannot be told.
    pub(super) fn check_headers(&self, requested: &[String]) -> Option<Option<Vec<String>>> {
        if requested.is_empty() {
            return Some(Some(Vec::new()));
        }
        let list = self.headers.as_ref().filter(|list| !list.is_empty());
        let Some(list) = list else {
            return Some(None);
        };
        let any = list.star().is_some();
        if list.open && !any {
            return None;
        }
        let allowed: Vec<String> = requested
            .iter()
            .map(|name| name.trim())
            .filter(|name| {
                !name.is_empty()
                    && (any
                        || list
                            .items
                            .iter()
                            .any(|item| item.text.eq_ignore_ascii_case(name)))
            })
            .map(str::to_owned)
            .collect();
        Some((!allowed.is_empty()).then_some(allowed))
    }
}

fn combine(source: Option<&Entries>, other: Option<&Entries>) -> Entries {
    let (source, other) = match (source, other) {
        (None, None) => return Entries::default(),
        (Some(only), None) | (None, Some(only)) => return only.clone(),
        (Some(source), Some(other)) => (source, other),
    };
    if source.is_default {
        return other.clone();
    }
    if other.is_default {
        return source.clone();
    }
    // The star of the local one is what its author wrote last.
    if let Some(star) = other.star().or_else(|| source.star()) {
        return Entries {
            items: vec![star.clone()],
            ..Entries::default()
        };
    }
    let mut items = source.items.clone();
    for item in &other.items {
        if !items.iter().any(|known| known.text == item.text) {
            items.push(item.clone());
        }
    }
    Entries {
        items,
        open: source.open || other.open,
        is_default: false,
    }
}

/// An origin that `CorsUtils.isCorsRequest` cannot read is refused.
fn has_bad_port(origin: &str) -> bool {
    let host = origin.split_once("://").map_or("", |(_, host)| host);
    let after = host.rfind(']').map_or(host, |at| &host[at..]);
    after
        .split_once(':')
        .is_some_and(|(_, port)| !port.bytes().all(|byte| byte.is_ascii_digit()))
}

fn without_slash(text: &str) -> &str {
    text.strip_suffix('/').unwrap_or(text)
}

/// The entries that one text is (`parseCommaDelimitedOrigin`): split at commas outside `[…]` since
/// 6.0, each without a slash at its end since 5.3.7.
fn split(entry: Entry, versions: Versions) -> Vec<Entry> {
    let mut parts = Vec::new();
    if versions.splits_commas() && entry.text.contains(',') {
        let (mut start, mut in_ports) = (0, false);
        for (at, c) in entry.text.char_indices() {
            match c {
                '[' => in_ports = true,
                ']' => in_ports = false,
                ',' if !in_ports => {
                    parts.push(entry.text[start..at].trim());
                    start = at + 1;
                }
                _ => {}
            }
        }
        if start < entry.text.len() {
            parts.push(entry.text[start..].trim());
        }
    } else {
        parts.push(entry.text.as_str());
    }
    let trim = |part: &str| {
        let part = if versions.trims_slash() {
            without_slash(part)
        } else {
            part
        };
        part.to_owned()
    };
    parts
        .into_iter()
        .map(|part| Entry {
            text: trim(part),
            span: entry.span,
        })
        .collect()
}

/// A pattern without its port list, and the list (`*` or numbers).
fn ports(pattern: &str) -> (&str, Option<&str>) {
    let parsed = || {
        let rest = pattern.strip_suffix(']')?;
        let (host, list) = rest.rsplit_once(":[")?;
        let numbers = || {
            list.split(',')
                .all(|port| !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()))
        };
        (list == ALL || numbers()).then_some((host, list))
    };
    parsed().map_or((pattern, None), |(host, list)| (host, Some(list)))
}

/// Does an origin match an `allowedOriginPatterns` entry as a whole?
pub(super) fn matches_pattern(pattern: &str, origin: &str) -> bool {
    let (host, ports) = ports(pattern);
    let Some(ports) = ports else {
        return matches_glob(host, origin);
    };
    let with_port = origin
        .rsplit_once(':')
        .filter(|(_, port)| !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()));
    match (ports, with_port) {
        (ALL, Some((before, _))) => matches_glob(host, before) || matches_glob(host, origin),
        (ALL, None) => matches_glob(host, origin),
        (list, Some((before, port))) => {
            list.split(',').any(|known| known == port) && matches_glob(host, before)
        }
        (_, None) => false,
    }
}

/// `*` stands for any characters, everything else for itself.
fn matches_glob(glob: &str, text: &str) -> bool {
    let mut parts = glob.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else {
        return false;
    };
    let mut middle: Vec<&str> = parts.collect();
    let Some(last) = middle.pop() else {
        return rest.is_empty();
    };
    for part in middle {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    // Java's dot does not match a line break; no origin has one.
    rest.ends_with(last)
}

/// Is a text written as a regular expression, which no pattern is?
pub(super) fn is_regex(text: &str) -> bool {
    text.starts_with('^')
        || text.ends_with('$')
        || text.contains(['\\', '('])
        || [".+", "//.*", "[^", "[a-z", "[A-Z", "[0-9"]
            .iter()
            .any(|sign| text.contains(sign))
}

/// A pattern as a regular expression of the usual kind.
pub(super) fn regex_of(pattern: &str) -> String {
    let (host, ports) = ports(pattern);
    let parts: Vec<String> = host.split('*').map(regex::escape).collect();
    let ports = match ports {
        None => String::new(),
        Some(ALL) => r"(:\d+)?".to_owned(),
        Some(list) => format!(":({})", list.replace(',', "|")),
    };
    format!("^{}{ports}$", parts.join(".*"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entries(texts: &[&str]) -> Entries {
        Entries {
            is_default: false,
            ..Entries::default_of(texts)
        }
    }

    fn allows(cors: &Cors, origin: &str) -> bool {
        matches!(
            cors.check_origin(origin, false, Versions::NEWEST),
            Check::Allowed(..)
        )
    }

    fn with(list: List, texts: &[&str]) -> Cors {
        let mut cors = Cors::default();
        cors.set(list, Some(entries(texts)), Versions::NEWEST);
        cors
    }

    /// Expected values: `CorsConfigurationTests#checkOriginPatternAllowed` and the like.
    #[test]
    fn patterns_are_globs_with_port_lists() {
        for (pattern, origin, expected) in [
            ("https://*.domain1.com", "https://app.domain1.com", true),
            ("https://*.domain1.com", "https://domain1.com", false),
            ("https://*.domain1.com", "https://App.Domain1.com", false),
            (
                "https://*.domain1.com:[8080,8081]",
                "https://a.domain1.com:8081",
                true,
            ),
            (
                "https://*.domain1.com:[8080,8081]",
                "https://a.domain1.com",
                false,
            ),
            (
                "https://*.domain1.com:[8080,8081]",
                "https://a.domain1.com:80",
                false,
            ),
            ("https://*.domain1.com:[*]", "https://a.domain1.com", true),
            ("https://*.domain1.com:[*]", "https://a.domain1.com:1", true),
            (
                "https://*.domain1.com:[*]",
                "https://a.domain1.com.x",
                false,
            ),
            (
                "http://localhost:*",
                "http://localhost:3000.evil.example",
                true,
            ),
            ("*", "null", true),
            ("*://*", "null", false),
            ("^https://.*$", "https://a", false),
            ("https://a*b*c", "https://abbcbc", true),
            ("https://a*b*c", "https://abbcb", false),
            ("https://aa*aa", "https://aaa", false),
        ] {
            assert_eq!(
                matches_pattern(pattern, origin),
                expected,
                "{pattern} {origin}"
            );
            if pattern != "*" {
                let regex = regex::Regex::new(&regex_of(pattern)).expect("a pattern");
                assert_eq!(regex.is_match(origin), expected, "{pattern} {origin}");
            }
        }
    }

    #[test]
    fn origins_are_compared_without_case_and_slash() {
        let cors = with(
            List::Origins,
            &["https://App.Example.com/", "a,b , https://c.example"],
        );
        assert!(allows(&cors, "https://app.example.com"));
        assert!(allows(&cors, "https://c.example"));
        assert!(!allows(&cors, "https://www.example.com"));
        let old = Versions::framework((5, 2, 0));
        let mut cors = Cors::default();
        cors.set(List::Origins, Some(entries(&["https://a.example/"])), old);
        assert_eq!(
            cors.check_origin("https://a.example", false, old),
            Check::Refused
        );
    }

    #[test]
    fn a_star_with_credentials_throws_since_5_3() {
        let mut cors = with(List::Origins, &["*"]);
        cors.credentials = Some(Written {
            value: Known::Known(true),
            span: None,
        });
        assert_eq!(
            cors.check_origin("https://a.example", false, Versions::NEWEST),
            Check::Throws(STAR_WITH_CREDENTIALS)
        );
        let old = Versions::framework((5, 2, 0));
        let check = cors.check_origin("https://a.example", false, old);
        assert_eq!(
            check,
            Check::Allowed("https://a.example".into(), None, None)
        );
    }

    /// `CorsConfigurationTests#combineWithDefaultPermitValues` and its neighbours.
    #[test]
    fn defaults_yield_and_stars_swallow() {
        let mut default = Cors::default();
        default.apply_permit_defaults();
        let strict = with(List::Origins, &["https://a.example"]);
        let combined = strict.combine(Some(&default));
        assert_eq!(
            combined
                .origins
                .map(|list| list.texts().join(" "))
                .as_deref(),
            Some("https://a.example")
        );
        let star = with(List::Origins, &["*"]);
        let combined = strict.combine(Some(&star));
        assert!(combined.origins.is_some_and(|list| list.texts() == ["*"]));
        let pattern = with(List::Patterns, &["https://*.b.example"]);
        let combined = default.combine(Some(&pattern));
        assert!(combined.origins.is_none());
        let two = with(List::Origins, &["https://b.example"]);
        let combined = strict.combine(Some(&two));
        assert!(allows(&combined, "https://a.example") && allows(&combined, "https://b.example"));
    }

    #[test]
    fn patterns_displace_the_default_star_only() {
        let mut cors = Cors::default();
        cors.apply_permit_defaults();
        cors.set(
            List::Patterns,
            Some(entries(&["https://*.a.example"])),
            Versions::NEWEST,
        );
        assert!(cors.origins.is_none());
        let mut cors = with(List::Origins, &["*"]);
        cors.set(
            List::Patterns,
            Some(entries(&["https://*.a.example"])),
            Versions::NEWEST,
        );
        assert!(cors.origins.is_some());
    }

    #[test]
    fn methods_and_headers() {
        let cors = with(List::Methods, &["get", "PUT"]);
        let line = Versions::framework((7, 0, 0));
        assert_eq!(cors.check_method("GET", line), Some(None));
        assert!(matches!(
            cors.check_method("GET", Versions::NEWEST),
            Some(Some(_))
        ));
        let bare = Cors::default();
        assert!(matches!(bare.check_method("HEAD", line), Some(Some(_))));
        assert_eq!(bare.check_method("POST", line), Some(None));
        assert_eq!(bare.check_headers(&["x".into()]), Some(None));
        assert_eq!(bare.check_headers(&[]), Some(Some(vec![])));
        let cors = with(List::Headers, &["X-A", "content-type"]);
        let requested = ["x-a".to_owned(), "x-b".to_owned()];
        assert_eq!(
            cors.check_headers(&requested),
            Some(Some(vec!["x-a".into()]))
        );
    }
}
