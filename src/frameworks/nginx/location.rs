//! Which server and which location a request meets.
//!
//! The tree of prefixes is nginx's own (`ngx_http_init_static_location_trees`), with its quirk that
//! a redirect to the form with a slash is found only on the way that the search happens to take.

use std::collections::HashMap;

use super::config::{Config, Location, LocationId, Matching, ServerId, ServerName};
use super::regex::{Groups, Outcome, Pattern};

/// Prefixes that are prefixes of one another deeper than this are not searched: a location's name
/// has at most 4096 bytes, and nobody nests that far.
const MAX_DEPTH: usize = 1000;

/// The locations of one server or location.
#[derive(Debug, Default)]
pub(super) struct Table {
    nodes: Vec<Node>,
    root: Option<usize>,
    regexes: Vec<LocationId>,
}

#[derive(Debug)]
struct Node {
    name: String,
    exact: Option<LocationId>,
    inclusive: Option<LocationId>,
    auto_redirect: bool,
    left: Option<usize>,
    right: Option<usize>,
    tree: Option<usize>,
}

/// A name with its exact and inclusive location, before the tree is built.
struct Entry<'a> {
    name: &'a str,
    exact: Option<LocationId>,
    inclusive: Option<LocationId>,
    below: Vec<Entry<'a>>,
}

/// What the search gave.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// No location; the server's own settings hold.
    Server,
    /// This one, with the groups of its regex.
    Location(LocationId, Option<Groups>),
    /// A redirect to the URI with a slash, answered by this one.
    Redirect(LocationId),
    /// A regex could not be decided.
    Unknown,
}

enum Static {
    None,
    Final(LocationId),
    Inclusive(LocationId),
    Redirect(LocationId),
}

impl Table {
    /// The table of these locations (named ones are left out).
    pub(super) fn build(ids: &[LocationId], locations: &[Location]) -> Self {
        let mut table = Self::default();
        let mut entries: Vec<Entry<'_>> = Vec::new();
        let mut prefixes: Vec<LocationId> = Vec::new();
        for &id in ids {
            match locations[id].matching {
                Matching::Exact | Matching::Prefix { .. } => prefixes.push(id),
                Matching::Regex(_) => table.regexes.push(id),
                Matching::Named => {}
            }
        }
        prefixes.sort_by(|a, b| {
            locations[*a]
                .name
                .as_bytes()
                .cmp(locations[*b].name.as_bytes())
        });
        for id in prefixes {
            let name = locations[id].name.as_str();
            let exact = matches!(locations[id].matching, Matching::Exact);
            if entries.last().is_none_or(|last| last.name != name) {
                entries.push(Entry {
                    name,
                    exact: None,
                    inclusive: None,
                    below: Vec::new(),
                });
            }
            if let Some(entry) = entries.last_mut() {
                let place = if exact {
                    &mut entry.exact
                } else {
                    &mut entry.inclusive
                };
                // nginx refuses a second location of the same name; the first one stands.
                place.get_or_insert(id);
            }
        }
        table.root = table.grow(group(entries, 0), 0, locations, 0);
        table
    }

    fn grow(
        &mut self,
        mut entries: Vec<Entry<'_>>,
        prefix: usize,
        locations: &[Location],
        depth: usize,
    ) -> Option<usize> {
        if entries.is_empty() || depth > MAX_DEPTH {
            return None;
        }
        let right = entries.split_off(entries.len() / 2 + 1);
        let middle = entries.pop()?;
        let redirects =
            |id: Option<LocationId>| id.is_some_and(|id: LocationId| locations[id].auto_redirect);
        let at = self.nodes.len();
        self.nodes.push(Node {
            name: middle.name.get(prefix..).unwrap_or_default().to_owned(),
            exact: middle.exact,
            inclusive: middle.inclusive,
            auto_redirect: redirects(middle.exact) || redirects(middle.inclusive),
            left: None,
            right: None,
            tree: None,
        });
        let length = middle.name.len();
        let left = self.grow(entries, prefix, locations, depth + 1);
        let right = self.grow(right, prefix, locations, depth + 1);
        let tree = self.grow(middle.below, length, locations, depth + 1);
        let node = &mut self.nodes[at];
        (node.left, node.right, node.tree) = (left, right, tree);
        Some(at)
    }

    /// How many regexes a search may have to try here.
    pub(super) fn regexes(&self) -> usize {
        self.regexes.len()
    }

    /// `ngx_http_core_find_static_location`.
    fn find_static(&self, uri: &[u8]) -> Static {
        let mut found = Static::None;
        let mut rest = uri;
        let mut next = self.root;
        while let Some(at) = next {
            let node = &self.nodes[at];
            let name = node.name.as_bytes();
            let shared = rest.len().min(name.len());
            match rest[..shared].cmp(&name[..shared]) {
                std::cmp::Ordering::Less => next = node.left,
                std::cmp::Ordering::Greater => next = node.right,
                std::cmp::Ordering::Equal if rest.len() > name.len() => {
                    if let Some(inclusive) = node.inclusive {
                        found = Static::Inclusive(inclusive);
                        rest = &rest[shared..];
                        next = node.tree;
                    } else {
                        next = node.right;
                    }
                }
                std::cmp::Ordering::Equal if rest.len() == name.len() => {
                    return match (node.exact, node.inclusive) {
                        (Some(exact), _) => Static::Final(exact),
                        (None, Some(inclusive)) => Static::Inclusive(inclusive),
                        (None, None) => found,
                    };
                }
                std::cmp::Ordering::Equal => {
                    if rest.len() + 1 == name.len()
                        && node.auto_redirect
                        && let Some(id) = node.exact.or(node.inclusive)
                    {
                        found = Static::Redirect(id);
                    }
                    next = node.left;
                }
            }
        }
        found
    }
}

/// Puts names below the inclusive location that is a prefix of them.
fn group(entries: Vec<Entry<'_>>, depth: usize) -> Vec<Entry<'_>> {
    let mut grouped: Vec<Entry<'_>> = Vec::new();
    for entry in entries {
        match grouped.last_mut() {
            Some(last) if last.inclusive.is_some() && entry.name.starts_with(last.name) => {
                last.below.push(entry);
            }
            _ => grouped.push(entry),
        }
    }
    if depth < MAX_DEPTH {
        for entry in &mut grouped {
            let below = std::mem::take(&mut entry.below);
            entry.below = if below.is_empty() {
                below
            } else {
                group(below, depth + 1)
            };
        }
    }
    grouped
}

/// The location for a normalised URI (`ngx_http_core_find_location`).
pub(super) fn find(config: &Config, table: &Table, uri: &str) -> Found {
    let mut search = Search {
        config,
        uri,
        location: None,
        groups: None,
    };
    match (search.run(table, 0), search.location) {
        (Step::Unknown, _) => Found::Unknown,
        (_, None) => Found::Server,
        (Step::Done, Some(id)) => Found::Redirect(id),
        (_, Some(id)) => Found::Location(id, search.groups),
    }
}

struct Search<'a> {
    config: &'a Config,
    uri: &'a str,
    location: Option<LocationId>,
    groups: Option<Groups>,
}

/// nginx's return codes of the search.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Step {
    /// `NGX_OK`: decided.
    Ok,
    /// `NGX_DONE`: a redirect.
    Done,
    /// `NGX_AGAIN`, `NGX_DECLINED`: regexes further out may still win.
    Open,
    Unknown,
}

impl Search<'_> {
    fn run(&mut self, table: &Table, depth: usize) -> Step {
        if depth > MAX_DEPTH {
            return Step::Unknown;
        }
        let mut no_regex = false;
        match table.find_static(self.uri.as_bytes()) {
            Static::None => {}
            Static::Final(id) => {
                self.location = Some(id);
                return Step::Ok;
            }
            Static::Redirect(id) => {
                self.location = Some(id);
                return Step::Done;
            }
            Static::Inclusive(id) => {
                self.location = Some(id);
                let location = &self.config.locations[id];
                no_regex = matches!(location.matching, Matching::Prefix { no_regex: true });
                let step = self.run(&location.table, depth + 1);
                if step != Step::Open {
                    return step;
                }
            }
        }
        if no_regex {
            return Step::Open;
        }
        for &id in &table.regexes {
            let location = &self.config.locations[id];
            let Matching::Regex(pattern) = &location.matching else {
                continue;
            };
            match pattern.find(self.uri) {
                Outcome::NoMatch => {}
                Outcome::Unknown => return Step::Unknown,
                Outcome::Match(groups) => {
                    self.location = Some(id);
                    self.groups = Some(groups);
                    return match self.run(&location.table, depth + 1) {
                        Step::Unknown => Step::Unknown,
                        _ => Step::Ok,
                    };
                }
            }
        }
        Step::Open
    }
}

/// Servers of one port.
#[derive(Debug, Default)]
pub(super) struct Port {
    /// All, in file order.
    pub(super) servers: Vec<ServerId>,
    /// The one for names that nobody has.
    pub(super) default: Option<ServerId>,
    exact: HashMap<String, ServerId>,
    wild: Vec<ServerId>,
}

impl Port {
    /// Adds a server that listens here.
    pub(super) fn add(&mut self, id: ServerId, names: &[ServerName], default: bool) {
        if self.servers.last() == Some(&id) {
            return;
        }
        self.servers.push(id);
        if default || self.default.is_none() {
            self.default = Some(id);
        }
        let mut wild = false;
        for name in names {
            if let ServerName::Exact(name) = name {
                self.exact.entry(name.clone()).or_insert(id);
            } else {
                wild = true;
            }
        }
        if wild {
            self.wild.push(id);
        }
    }

    /// The server for a host name, with the groups if a regex chose it.
    pub(super) fn choose<'a>(
        &self,
        config: &'a Config,
        host: &str,
    ) -> Option<(ServerId, Option<(&'a Pattern, Groups)>)> {
        if let Some(id) = self.exact.get(host) {
            return Some((*id, None));
        }
        let mut best: Option<(ServerId, usize, bool)> = None;
        for &id in &self.wild {
            for name in &config.servers[id].names {
                let (length, head) = match name {
                    ServerName::Suffix(suffix) if host.ends_with(suffix.as_str()) => {
                        (suffix.len(), true)
                    }
                    ServerName::Prefix(prefix) if host.starts_with(prefix.as_str()) => {
                        (prefix.len(), false)
                    }
                    _ => continue,
                };
                let better = best.is_none_or(|(_, old, old_head)| (head, length) > (old_head, old));
                if better && length < host.len() {
                    best = Some((id, length, head));
                }
            }
        }
        if let Some((id, ..)) = best {
            return Some((id, None));
        }
        for &id in &self.wild {
            for name in &config.servers[id].names {
                if let ServerName::Regex(pattern) = name
                    && let Outcome::Match(groups) = pattern.find(host)
                {
                    return Some((id, Some((pattern, groups))));
                }
            }
        }
        self.default.map(|id| (id, None))
    }
}

/// Decodes and cleans a path as nginx does before it chooses a location
/// (`ngx_http_parse_complex_uri`): percent-decoding, dot segments, and double slashes.
pub(super) fn normalise(path: &str, merge_slashes: bool) -> String {
    let bytes = path.as_bytes();
    let mut decoded: Vec<u8> = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let hex = |at: usize| {
            bytes
                .get(at)
                .and_then(|byte| char::from(*byte).to_digit(16))
                .and_then(|digit| u8::try_from(digit).ok())
        };
        match (bytes[at], hex(at + 1), hex(at + 2)) {
            (b'%', Some(high), Some(low)) => {
                decoded.push(high * 16 + low);
                at += 3;
            }
            (byte, ..) => {
                decoded.push(byte);
                at += 1;
            }
        }
    }
    let text = String::from_utf8(decoded).unwrap_or_else(|error| {
        error
            .into_bytes()
            .iter()
            .map(|byte| char::from(*byte))
            .collect()
    });
    let clean = !text.contains("/.") && (!merge_slashes || !text.contains("//"));
    if clean {
        return text;
    }
    let mut segments: Vec<&str> = Vec::new();
    let mut ends_in_slash = true;
    for segment in text.split('/').skip(1) {
        ends_in_slash = true;
        match segment {
            "." => {}
            ".." => {
                segments.pop();
            }
            "" if merge_slashes => {}
            segment => {
                segments.push(segment);
                ends_in_slash = segment.is_empty();
            }
        }
    }
    let mut clean = String::with_capacity(text.len());
    for segment in &segments {
        clean.push('/');
        clean.push_str(segment);
    }
    if clean.is_empty() || (ends_in_slash && !clean.ends_with('/')) {
        clean.push('/');
    }
    clean
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_cleaned_as_nginx_does() {
        for (path, clean) in [
            ("/a%2Fb", "/a/b"),
            ("/a/./b/../c", "/a/c"),
            ("/a//b///", "/a/b/"),
            ("/a/..", "/"),
            ("/a/.", "/a/"),
            ("/%zz", "/%zz"),
            ("/.well-known/x", "/.well-known/x"),
            ("/%0d%0a", "/\r\n"),
        ] {
            assert_eq!(normalise(path, true), clean, "{path}");
        }
        assert_eq!(normalise("/a//b/.", false), "/a//b/");
    }
}
