//! Which server and which location a request meets.

use std::collections::HashMap;

use super::config::{Config, Location, LocationId, Matching, ServerId, ServerName};
use super::regex::{Groups, Outcome, Pattern};

/// The locations of one server or location.
///
/// nginx searches a tree; since it sorts `/` before every other character
/// (`ngx_filename_cmp`), its answer is that of this table.
#[derive(Debug, Default)]
pub(super) struct Table {
    names: HashMap<String, Named>,
    /// Lengths of inclusive prefixes, longest first.
    lengths: Vec<usize>,
    /// Some location redirects to the form with a slash.
    redirects: bool,
    regexes: Vec<LocationId>,
}

/// The locations of one name.
#[derive(Debug, Default)]
struct Named {
    exact: Option<LocationId>,
    inclusive: Option<LocationId>,
    redirects: bool,
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
    /// There is no location to choose.
    pub(super) fn is_empty(&self) -> bool {
        self.names.is_empty() && self.regexes.is_empty()
    }

    /// The table of these locations (named ones are left out).
    pub(super) fn build(ids: &[LocationId], locations: &[Location]) -> Self {
        let mut table = Self::default();
        for &id in ids {
            let location = &locations[id];
            let exact = match location.matching {
                Matching::Exact => true,
                Matching::Prefix { .. } => false,
                Matching::Regex(_) => {
                    table.regexes.push(id);
                    continue;
                }
                Matching::Named => continue,
            };
            let named = table.names.entry(location.name.clone()).or_default();
            named.redirects |= location.auto_redirect;
            table.redirects |= location.auto_redirect;
            // nginx refuses a second location of the same name; the first one stands.
            if exact {
                named.exact.get_or_insert(id);
            } else {
                named.inclusive.get_or_insert(id);
                table.lengths.push(location.name.len());
            }
        }
        table.lengths.sort_unstable_by(|a, b| b.cmp(a));
        table.lengths.dedup();
        table
    }

    /// How many regexes a search may have to try here.
    pub(super) fn regexes(&self) -> usize {
        self.regexes.len()
    }

    /// `ngx_http_core_find_static_location`.
    fn find_static(&self, uri: &str) -> Static {
        if let Some(named) = self.names.get(uri) {
            match (named.exact, named.inclusive) {
                (Some(exact), _) => return Static::Final(exact),
                (None, Some(inclusive)) => return Static::Inclusive(inclusive),
                (None, None) => {}
            }
        }
        if self.redirects
            && let Some(named) = self.names.get(&format!("{uri}/"))
            && named.redirects
            && let Some(id) = named.exact.or(named.inclusive)
        {
            return Static::Redirect(id);
        }
        self.lengths
            .iter()
            .filter_map(|length| self.names.get(uri.get(..*length)?)?.inclusive)
            .next()
            .map_or(Static::None, Static::Inclusive)
    }
}

/// The location for a normalised URI (`ngx_http_core_find_location`).
pub(super) fn find(config: &Config, table: &Table, uri: &str) -> Found {
    let mut search = Search {
        config,
        uri,
        location: None,
        groups: None,
    };
    match (search.run(table), search.location) {
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
    fn run(&mut self, table: &Table) -> Step {
        let mut no_regex = false;
        match table.find_static(self.uri) {
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
                let step = self.run(&location.table);
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
                    return match self.run(&location.table) {
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
