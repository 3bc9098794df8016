//! Paths of layers: path-to-regexp 0.1 for Express 4, path-to-regexp 8 for Express 5.

use crate::limits::express::path::MAX_KEPT;
use std::cell::RefCell;
use std::collections::HashMap;

use regex::Regex;

/// The major version of Express.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Major {
    /// path-to-regexp 0.1: `*` anywhere, `(…)`, `?`.
    Four,
    /// path-to-regexp 8: `/*name`, `{optional}`.
    Five,
}

/// What paths a layer is for.
#[derive(Clone, Debug)]
pub(super) enum LayerPath {
    /// All of them.
    All,
    /// A pattern.
    Pattern {
        /// As written.
        text: String,
        /// For a whole path (routes), case-insensitive as in Express's default.
        whole: Option<Regex>,
        /// For the start of one (`app.use`).
        prefix: Option<Regex>,
    },
    /// A regular expression: pattern and flags.
    Regex(String, String),
    /// Express refuses it at start; its words.
    Refused(String, String),
}

impl LayerPath {
    /// Reads a path.
    pub(super) fn new(text: &str, major: Major) -> Self {
        if text == "/" || text.is_empty() {
            return Self::pattern(text, "/?", "");
        }
        if major == Major::Four && text == "*" {
            return Self::pattern(text, "(.*)", "(.*)");
        }
        let source = match major {
            Major::Four => Ok(four(text)),
            Major::Five => five(text),
        };
        match source {
            Ok(source) => {
                let source = source.strip_suffix('/').map_or(source.clone(), Into::into);
                Self::pattern(text, &format!("{source}/?"), &source)
            }
            Err(words) => Self::Refused(text.into(), words),
        }
    }

    fn pattern(text: &str, whole: &str, prefix: &str) -> Self {
        let whole = if text.is_empty() { "/?" } else { whole };
        Self::Pattern {
            text: text.into(),
            whole: compiled(format!("(?i)^{whole}$")),
            prefix: compiled(format!("(?i)^({prefix})(?:/|$)")),
        }
    }

    /// Does a route with this path serve the path?
    pub(super) fn is_route_of(&self, path: &str) -> bool {
        match self {
            Self::All => true,
            Self::Pattern { whole, .. } => whole.as_ref().is_some_and(|regex| regex.is_match(path)),
            Self::Regex(pattern, flags) => {
                let found = crate::syntax::javascript::regex::find(pattern, flags, path, 0);
                matches!(found, Some(Some(_)))
            }
            Self::Refused(..) => false,
        }
    }

    /// How much of the path `app.use` with this path takes off, if it serves it.
    pub(super) fn prefix_of(&self, path: &str) -> Option<usize> {
        match self {
            Self::All => Some(0),
            Self::Pattern { text, prefix, .. } => {
                if text == "/" || text.is_empty() {
                    return Some(0);
                }
                let taken = prefix.as_ref()?.captures(path)?.get(1)?;
                Some(taken.as_str().trim_end_matches('/').len())
            }
            Self::Regex(..) => self.is_route_of(path).then_some(0),
            Self::Refused(..) => None,
        }
    }

    /// A path that it serves, for the representative URL of an endpoint.
    pub(super) fn example(&self) -> String {
        match self {
            Self::All | Self::Refused(..) => String::new(),
            Self::Regex(..) => "/item".into(),
            Self::Pattern { text, .. } => example(text),
        }
    }
}

/// Is a path written as Express 5 wants a wildcard (`/{*any}`, `/*any`), which Express 4 takes for
/// the letters that it is made of?
pub(super) fn is_wildcard_of_five(text: &str) -> bool {
    let Some((_, rest)) = text.rsplit_once('*') else {
        return false;
    };
    let name = rest.strip_suffix('}').unwrap_or(rest);
    !name.is_empty() && name.chars().all(is_word)
}

/// path-to-regexp 0.1: names match a segment, `*` anything, other letters and `(…)`, `?`, `+` are
/// those of a regular expression.
fn four(text: &str) -> String {
    let mut source = String::new();
    let mut chars = text.chars().peekable();
    while let Some(next) = chars.next() {
        match next {
            ':' if chars.peek().is_some_and(|c| is_word(*c)) => {
                while chars.next_if(|c| is_word(*c)).is_some() {}
                let own = if chars.peek() == Some(&'(') {
                    group(&mut chars)
                } else {
                    "[^/]+?".into()
                };
                if chars.next_if_eq(&'?').is_some() {
                    let slash = source.ends_with('/');
                    if slash {
                        source.pop();
                    }
                    source.push_str(&format!("(?:{}(?:{own}))?", if slash { "/" } else { "" }));
                } else {
                    source.push_str(&format!("(?:{own})"));
                }
            }
            '*' if source.ends_with(')') => source.push('*'),
            '*' => source.push_str("(?:.*)"),
            '(' | ')' | '?' | '+' | '|' => source.push(next),
            other => source.push_str(&regex::escape(&other.to_string())),
        }
    }
    source
}

fn group(chars: &mut std::iter::Peekable<std::str::Chars<'_>>) -> String {
    let mut inside = String::new();
    let mut depth = 0;
    for next in chars.by_ref() {
        inside.push(next);
        match next {
            '(' => depth += 1,
            ')' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            break;
        }
    }
    inside
}

/// path-to-regexp 8, or the words with which it refuses the path.
fn five(text: &str) -> Result<String, String> {
    let mut source = String::new();
    let mut chars = text.chars().enumerate().peekable();
    let mut depth = 0;
    while let Some((at, next)) = chars.next() {
        match next {
            ':' | '*' => {
                let mut name = String::new();
                while let Some((_, c)) = chars.next_if(|(_, c)| is_word(*c)) {
                    name.push(c);
                }
                if name.is_empty() {
                    return Err(format!(
                        "Missing parameter name at index {}: {text}",
                        at + 1
                    ));
                }
                source.push_str(if next == ':' { "(?:[^/]+)" } else { "(?:.+)" });
            }
            '{' => {
                depth += 1;
                source.push_str("(?:");
            }
            '}' => {
                depth -= 1;
                if depth < 0 {
                    return Err(format!("Unexpected }} at index {at}, expected end: {text}"));
                }
                source.push_str(")?");
            }
            '(' | ')' | '[' | ']' | '+' | '?' | '!' => {
                return Err(format!(
                    "Unexpected {next} at index {at}, expected end: {text}"
                ));
            }
            '\\' => {
                if let Some((_, escaped)) = chars.next() {
                    source.push_str(&regex::escape(&escaped.to_string()));
                }
            }
            other => source.push_str(&regex::escape(&other.to_string())),
        }
    }
    if depth != 0 {
        return Err(format!(
            "Unexpected end at index {}, expected }}: {text}",
            text.len()
        ));
    }
    Ok(source)
}

const fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

fn example(text: &str) -> String {
    let mut path = String::new();
    let mut chars = text.chars().peekable();
    while let Some(next) = chars.next() {
        match next {
            ':' => {
                while chars.next_if(|c| is_word(*c)).is_some() {}
                if chars.peek() == Some(&'(') {
                    let own = group(&mut chars);
                    path.push_str(if own.contains("\\d") { "1" } else { "a" });
                } else {
                    path.push('1');
                }
                chars.next_if_eq(&'?');
            }
            '*' => {
                while chars.next_if(|c| is_word(*c)).is_some() {}
                path.push_str("item");
            }
            '(' | ')' | '?' | '+' | '{' | '}' | '\\' => {}
            other => path.push(other),
        }
    }
    path
}

/// A regex, compiled once per thread: an application is run anew for every request, with all of its
/// paths.
fn compiled(source: String) -> Option<Regex> {
    thread_local! {
        static KNOWN: RefCell<HashMap<String, Option<Regex>>> = RefCell::default();
    }
    KNOWN.with_borrow_mut(|known| {
        if let Some(regex) = known.get(&source) {
            return regex.clone();
        }
        if known.len() >= MAX_KEPT {
            known.clear();
        }
        let regex = Regex::new(&source).ok();
        known.insert(source, regex.clone());
        regex
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Expected values: `app.get(path, …)` and `app.use(path, …)` in Express 4.21 and 5.1.
    #[test]
    fn routes_serve_what_express_says() {
        use Major::{Five, Four};
        for (text, major, path, expected) in [
            ("/a", Four, "/a", true),
            ("/a", Four, "/A/", true),
            ("/a", Four, "/ab", false),
            ("/a/:id", Four, "/a/1", true),
            ("/a/:id", Five, "/a/1/b", false),
            ("/a/:id?", Four, "/a", true),
            ("*", Four, "/x/y", true),
            ("/api/*", Four, "/api/x/y", true),
            ("/api/*", Four, "/api", false),
            ("/*splat", Five, "/x/y", true),
            ("/*splat", Five, "/", false),
            ("/{*splat}", Five, "/", true),
            ("/{*any}", Four, "/", false),
            ("/a{/:b}", Five, "/a", true),
            ("/", Four, "/", true),
            ("/", Five, "/x", false),
        ] {
            let route = LayerPath::new(text, major);
            assert_eq!(route.is_route_of(path), expected, "{text} {major:?} {path}");
        }
        for text in ["*", "/api/*", "(.*)", "/a?"] {
            assert!(
                matches!(LayerPath::new(text, Five), LayerPath::Refused(..)),
                "{text}"
            );
        }
    }

    #[test]
    fn prefixes_end_at_a_slash() {
        let api = LayerPath::new("/api", Major::Four);
        assert_eq!(api.prefix_of("/api/x"), Some(4));
        assert_eq!(api.prefix_of("/api"), Some(4));
        assert_eq!(api.prefix_of("/apix"), None);
        assert_eq!(LayerPath::new("/", Major::Five).prefix_of("/x"), Some(0));
        let any = LayerPath::new("/u/:id", Major::Five);
        assert_eq!(any.prefix_of("/u/7/posts"), Some(4));
        assert_eq!(LayerPath::new("/u/:id", Major::Four).example(), "/u/1");
    }
}
