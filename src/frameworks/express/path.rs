//! Paths of layers: path-to-regexp 0.1 for Express 4, path-to-regexp 8 for Express 5.

use super::five;
use crate::syntax::javascript::regex::{self, Regex};

/// The major version of Express.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Major {
    /// path-to-regexp 0.1: `*` anywhere, `(…)`, `?`.
    Four,
    /// path-to-regexp 8: `/*name`, `{optional}`.
    Five,
}

/// How a router compares paths (`caseSensitive` and `strict` of `express.Router`, the settings
/// `case sensitive routing` and `strict routing` of an application).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Comparing {
    /// Upper case is not lower case.
    pub(super) sensitive: bool,
    /// A route without a slash at the end does not serve a path with one.
    pub(super) strict: bool,
}

/// What paths a layer is for.
#[derive(Clone, Debug)]
pub(super) enum LayerPath {
    /// All of them.
    All,
    /// A path as written.
    Pattern {
        /// As written.
        text: String,
        /// For a whole path (routes).
        route: Matcher,
        /// For the start of one (`app.use`).
        mount: Matcher,
        /// The version that reads it.
        major: Major,
    },
    /// A regular expression: pattern and flags.
    Regex(String, String, Major),
    /// One of several.
    AnyOf(Vec<LayerPath>),
    /// Express refuses it at start; its words.
    Refused(String, String),
}

/// Compares a path.
#[derive(Clone, Debug)]
pub(super) enum Matcher {
    /// Any path, and nothing of it is taken off: `app.use('/')`.
    Any,
    /// This text, with what may follow it.
    Text {
        text: String,
        sensitive: bool,
        tail: Tail,
    },
    /// A regular expression of ECMAScript.
    Regex(Option<Regex>),
}

/// What may follow a text in a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tail {
    /// Nothing.
    Nothing,
    /// A slash that ends the path, or nothing.
    Slash,
    /// The rest of the path from a slash on. A slash is taken off with the text if it ends the path
    /// or, in Express 4, if another one follows.
    Below(Major),
}

/// Where a path matches.
pub(super) enum Match {
    /// Nowhere.
    No,
    /// From this byte up to that one.
    At(usize, usize),
    /// It does, but a parameter is badly encoded: Express answers with 400.
    BadEncoding,
}

impl Matcher {
    fn find(&self, path: &str) -> Match {
        match self {
            Self::Any => Match::At(0, 0),
            Self::Text {
                text,
                sensitive,
                tail,
            } => {
                let Some(head) = path.get(..text.len()) else {
                    return Match::No;
                };
                let same = if *sensitive {
                    head == text
                } else {
                    head.eq_ignore_ascii_case(text)
                };
                let rest = &path[head.len()..];
                let taken = match tail {
                    _ if !same => None,
                    Tail::Nothing => rest.is_empty().then_some(0),
                    Tail::Slash => (rest.is_empty() || rest == "/").then_some(rest.len()),
                    Tail::Below(Major::Four) if rest.starts_with("//") => Some(1),
                    Tail::Below(_) if rest == "/" => Some(1),
                    Tail::Below(_) => (rest.is_empty() || rest.starts_with('/')).then_some(0),
                };
                taken.map_or(Match::No, |taken| Match::At(0, head.len() + taken))
            }
            Self::Regex(regex) => match regex.as_ref().and_then(|regex| regex.find(path)) {
                Some(Some(found)) => matched(&found),
                _ => Match::No,
            },
        }
    }
}

/// What a match of a regular expression is worth to a router.
fn matched(found: &regex::Match) -> Match {
    let groups = found.groups.iter().flatten().skip(1);
    let mut groups = groups.flatten();
    if groups.any(|group| !is_decodable(group)) {
        Match::BadEncoding
    } else {
        Match::At(found.start, found.end)
    }
}

/// Does `decodeURIComponent` take a text?
fn is_decodable(text: &str) -> bool {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let mut digit = || rest.next().and_then(|byte| char::from(byte).to_digit(16));
        let (Some(high), Some(low)) = (digit(), digit()) else {
            return false;
        };
        bytes.extend(u8::try_from(high * 16 + low));
    }
    std::str::from_utf8(&bytes).is_ok()
}

impl LayerPath {
    /// Reads a path.
    pub(super) fn new(text: &str, major: Major, comparing: Comparing) -> Self {
        let read = match major {
            Major::Four => four_path(text, comparing),
            Major::Five => five_path(text, comparing),
        };
        match read {
            Ok((route, mount)) => Self::Pattern {
                text: text.into(),
                route,
                mount,
                major,
            },
            Err(words) => Self::Refused(text.into(), words),
        }
    }

    /// One of several paths, as Express reads a list of them.
    pub(super) fn any_of(mut paths: Vec<Self>, major: Major, comparing: Comparing) -> Self {
        if paths.len() == 1 {
            return paths.swap_remove(0);
        }
        for path in &mut paths {
            match path {
                // In a list it is no short cut for every path.
                Self::Pattern { text, mount, .. } if text == "/" => {
                    *mount = Matcher::Text {
                        text: if major == Major::Five { "/" } else { "" }.into(),
                        sensitive: comparing.sensitive,
                        tail: Tail::Below(major),
                    };
                }
                // path-to-regexp 0.1 takes the source of the expressions only.
                Self::Regex(_, flags, Major::Four) => {
                    *flags = if comparing.sensitive { "" } else { "i" }.into();
                }
                _ => {}
            }
        }
        Self::AnyOf(paths)
    }

    /// How a route with this path takes the path.
    pub(super) fn route(&self, path: &str) -> Match {
        self.find(path, true)
    }

    /// How `app.use` with this path takes the path: what it takes off stands at the start.
    pub(super) fn mount(&self, path: &str) -> Match {
        let (start, end) = match self.find(path, false) {
            Match::At(start, end) => (start, end),
            other => return other,
        };
        // Whatever an expression says, a mount is a start of the path and ends at a slash.
        let text = &path[start..end];
        let fits = match path.as_bytes().get(text.len()) {
            _ if text.is_empty() => true,
            _ if !path.starts_with(text) => false,
            None | Some(b'/') => true,
            Some(other) => *other == b'.' && self.major() == Major::Four,
        };
        if fits {
            Match::At(0, text.len())
        } else {
            Match::No
        }
    }

    fn find(&self, path: &str, whole: bool) -> Match {
        match self {
            Self::All => Match::At(0, 0),
            Self::Pattern { route, .. } if whole => route.find(path),
            Self::Pattern { mount, .. } => mount.find(path),
            Self::Regex(pattern, flags, _) => match regex::find(pattern, flags, path, 0) {
                Some(Some(found)) => matched(&found),
                _ => Match::No,
            },
            Self::AnyOf(paths) => {
                let found = paths.iter().map(|known| known.find(path, whole));
                let mut found = found.filter(|found| !matches!(found, Match::No));
                // Express 4 makes one expression of a list, which matches where it can first.
                let best = match self.major() {
                    Major::Four => found.min_by_key(|found| match found {
                        Match::At(start, _) => *start,
                        _ => 0,
                    }),
                    Major::Five => found.next(),
                };
                best.unwrap_or(Match::No)
            }
            Self::Refused(..) => Match::No,
        }
    }

    fn major(&self) -> Major {
        match self {
            Self::Pattern { major, .. } | Self::Regex(_, _, major) => *major,
            Self::AnyOf(paths) => paths.first().map_or(Major::Five, Self::major),
            Self::All | Self::Refused(..) => Major::Five,
        }
    }

    /// Paths that it serves, for the representative URL of an endpoint.
    pub(super) fn examples(&self) -> Vec<String> {
        match self {
            Self::All | Self::Refused(..) => vec![String::new()],
            Self::Regex(..) => vec!["/item".into()],
            Self::Pattern { text, .. } => vec![example(text)],
            Self::AnyOf(paths) => paths.iter().flat_map(Self::examples).collect(),
        }
    }
}

/// Is a path its own text, whatever the version?
fn is_plain(text: &str) -> bool {
    !text.contains(|c: char| "\\()[]{}*+?!:|^$".contains(c))
}

/// How Express 4 compares a path: as a route, and as a mount.
fn four_path(text: &str, comparing: Comparing) -> Result<(Matcher, Matcher), String> {
    let Comparing { sensitive, strict } = comparing;
    let plain = |text: &str, tail| Matcher::Text {
        text: text.into(),
        sensitive,
        tail,
    };
    if is_plain(text) {
        let base = text.strip_suffix('/').unwrap_or(text);
        let route = if strict {
            plain(text, Tail::Nothing)
        } else {
            plain(base, Tail::Slash)
        };
        let mount = if text == "/" {
            Matcher::Any
        } else {
            plain(base, Tail::Below(Major::Four))
        };
        return Ok((route, mount));
    }
    let source = four(text);
    let slash = if source.ends_with('/') { "?" } else { "/?" };
    let flags = if sensitive { "" } else { "i" };
    let route = format!("^{source}{}$", if strict { "" } else { slash });
    let mount = format!("^{source}{slash}(?=/|$)");
    Ok((compiled(route, flags), compiled(mount, flags)))
}

/// How Express 5 compares a path: as a route, and as a mount.
fn five_path(text: &str, comparing: Comparing) -> Result<(Matcher, Matcher), String> {
    let Comparing { sensitive, strict } = comparing;
    let loose = match text {
        "/" => text,
        text => text.trim_end_matches('/'),
    };
    let whole = if strict { text } else { loose };
    let plain = |text: &str, tail| Matcher::Text {
        text: text.into(),
        sensitive,
        tail,
    };
    if is_plain(text) {
        let tail = if strict { Tail::Nothing } else { Tail::Slash };
        let mount = if text == "/" {
            Matcher::Any
        } else {
            plain(loose, Tail::Below(Major::Five))
        };
        return Ok((plain(whole, tail), mount));
    }
    let flags = if sensitive { "" } else { "i" };
    let trailing = if strict { "" } else { "(?:/$)?" };
    let route = format!("^(?:{}){trailing}$", five::source(whole)?);
    let mount = format!("^(?:{})(?:/$)?(?=/|$)", five::source(loose)?);
    Ok((compiled(route, flags), compiled(mount, flags)))
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

/// The expression that path-to-regexp 0.1 makes of a path: names match a segment, `*` anything, a
/// dot itself; all else is taken as it is.
fn four(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let at = |index: usize| chars.get(index).copied();
    let mut source = String::new();
    // What stands between the last slash and here, so that a name ends before it.
    let mut backtrack = String::new();
    let (mut index, mut last) = (0, 0);
    while let Some(next) = at(index) {
        if next == '\\' && at(index + 1).is_some() {
            let both: String = chars[index..index + 2].iter().collect();
            backtrack.push_str(&both);
            source.push_str(&both);
            index += 2;
            last += 2;
            continue;
        }
        if let Some(name) = Name::at(&chars, index) {
            if name.slash || name.dot {
                backtrack.clear();
            } else {
                backtrack.extend(&chars[last..index]);
            }
            source.push_str(&name.source(&chars, &backtrack));
            index = name.end;
            last = index;
            continue;
        }
        match next {
            '.' => {
                backtrack.push_str("\\.");
                source.push_str("\\.");
                last += 1;
            }
            '*' => {
                backtrack.extend(&chars[last..index]);
                source.push_str("(.*)");
                last = index + 1;
            }
            '/' if at(index + 1) == Some('(') => {
                backtrack.extend(&chars[last..index]);
                backtrack.push('/');
                source.push_str("/(?:");
                index += 1;
                last = index + 1;
            }
            other => source.push(other),
        }
        index += 1;
    }
    source
}

/// A parameter of a path of Express 4: `/:name(…)*?`.
struct Name {
    slash: bool,
    dot: bool,
    /// The group of its own, with the parentheses.
    own: Option<std::ops::Range<usize>>,
    star: bool,
    optional: bool,
    end: usize,
}

impl Name {
    fn at(chars: &[char], start: usize) -> Option<Self> {
        let is = |index: usize, c: char| chars.get(index) == Some(&c);
        let slash = is(start, '/');
        let dot = is(start + usize::from(slash), '.');
        let colon = start + usize::from(slash) + usize::from(dot);
        if !is(colon, ':') {
            return None;
        }
        let word = chars[colon + 1..].iter().take_while(|c| is_word(**c));
        let mut end = colon + 1 + word.count();
        if end == colon + 1 {
            return None;
        }
        let close = chars[end..].iter().position(|c| *c == ')');
        let own = match close {
            Some(close) if is(end, '(') => Some(end..end + close + 1),
            _ => None,
        };
        end = own.as_ref().map_or(end, |own| own.end);
        let star = is(end, '*');
        end += usize::from(star);
        let optional = is(end, '?');
        end += usize::from(optional);
        Some(Self {
            slash,
            dot,
            own,
            star,
            optional,
            end,
        })
    }

    fn source(&self, chars: &[char], backtrack: &str) -> String {
        let slash = if self.slash { "/" } else { "" };
        let dot = if self.dot { "\\." } else { "" };
        let own = match &self.own {
            Some(own) => {
                let own: String = chars[own.clone()].iter().collect();
                stars(&own)
            }
            None if backtrack.is_empty() => format!("([^/{dot}]+?)"),
            None => format!("((?:(?!/|{backtrack}).)+?)"),
        };
        let star = if self.star {
            format!("((?:[/{dot}].+?)?)")
        } else {
            String::new()
        };
        let optional = if self.optional { "?" } else { "" };
        format!("(?:{dot}{slash}{own}{star}){optional}")
    }
}

/// `*` in a group of its own stands for anything.
fn stars(own: &str) -> String {
    let mut source = String::new();
    let mut chars = own.chars();
    while let Some(next) = chars.next() {
        match next {
            '\\' => {
                source.push(next);
                source.extend(chars.next());
            }
            '*' => source.push_str("(.*)"),
            other => source.push(other),
        }
    }
    source
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

/// A regular expression of ECMAScript, compiled once per thread.
fn compiled(source: String, flags: &str) -> Matcher {
    Matcher::Regex(Regex::new(&source, flags))
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
            let route = LayerPath::new(text, major, Comparing::default());
            let serves = !matches!(route.route(path), Match::No);
            assert_eq!(serves, expected, "{text} {major:?} {path}");
        }
        for text in ["*", "/api/*", "(.*)", "/a?"] {
            assert!(
                matches!(
                    LayerPath::new(text, Five, Comparing::default()),
                    LayerPath::Refused(..)
                ),
                "{text}"
            );
        }
    }

    #[test]
    fn mounts_take_off_what_express_says() {
        use Major::{Five, Four};
        for (text, major, path, expected) in [
            ("/api", Four, "/api/x", Some(4)),
            ("/api", Four, "/api", Some(4)),
            ("/api", Four, "/apix", None),
            ("/api", Four, "/API/", Some(5)),
            ("/api", Four, "/api//x", Some(5)),
            ("/api", Five, "/api//x", Some(4)),
            ("/", Five, "/x", Some(0)),
            ("/u/:id", Five, "/u/7/posts", Some(4)),
            ("/u/:id", Four, "/u/7/posts", Some(4)),
        ] {
            let layer = LayerPath::new(text, major, Comparing::default());
            let found = match layer.mount(path) {
                Match::At(_, end) => Some(end),
                _ => None,
            };
            assert_eq!(found, expected, "{text} {major:?} {path}");
        }
        let id = LayerPath::new("/u/:id", Four, Comparing::default());
        assert_eq!(id.examples(), ["/u/1"]);
    }
}
