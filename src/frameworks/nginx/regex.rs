//! Regular expressions, run by the engine that nginx itself uses.

use crate::limits::nginx::MATCH_LIMITS;
use crate::limits::nginx::STRIKES;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU8, Ordering};

use pcre2::bytes::{Regex, RegexBuilder};

/// A pattern, compiled when it is first needed.
#[derive(Debug)]
pub(super) struct Pattern {
    text: String,
    caseless: bool,
    compiled: OnceLock<Option<Regex>>,
    strikes: AtomicU8,
}

/// Byte ranges of a match: the whole, then each group.
pub(super) type Groups = Vec<Option<(usize, usize)>>;

/// What a match attempt gave.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// It matches; group 0 is the whole match.
    Match(Groups),
    /// It does not match.
    NoMatch,
    /// The engine gave up, or cannot compile the pattern.
    Unknown,
}

impl Pattern {
    /// A pattern as the engine sees it (without nginx's `~`).
    pub(super) fn new(text: &str, caseless: bool) -> Self {
        Self {
            text: text.to_owned(),
            caseless,
            compiled: OnceLock::new(),
            strikes: AtomicU8::new(0),
        }
    }

    /// The pattern's text.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// Upper and lower case are the same to it.
    pub(super) const fn is_caseless(&self) -> bool {
        self.caseless
    }

    fn regex(&self) -> Option<&Regex> {
        self.compiled
            .get_or_init(|| {
                RegexBuilder::new()
                    .caseless(self.caseless)
                    .build(&format!("{MATCH_LIMITS}{}", self.text))
                    .ok()
            })
            .as_ref()
            .filter(|_| self.strikes.load(Ordering::Relaxed) < STRIKES)
    }

    fn strike(&self) {
        self.strikes.fetch_add(1, Ordering::Relaxed);
    }

    /// Matches and gives the groups. A pattern without groups gives group 0 only.
    pub(super) fn find(&self, subject: &str) -> Outcome {
        let Some(regex) = self.regex() else {
            return Outcome::Unknown;
        };
        if regex.captures_len() == 1 {
            return match regex.find(subject.as_bytes()) {
                Ok(Some(found)) => Outcome::Match(vec![Some((found.start(), found.end()))]),
                Ok(None) => Outcome::NoMatch,
                Err(_) => {
                    self.strike();
                    Outcome::Unknown
                }
            };
        }
        let mut locations = regex.capture_locations();
        match regex.captures_read(&mut locations, subject.as_bytes()) {
            Ok(Some(_)) => Outcome::Match(
                (0..locations.len())
                    .map(|group| locations.get(group))
                    .collect(),
            ),
            Ok(None) => Outcome::NoMatch,
            Err(_) => {
                self.strike();
                Outcome::Unknown
            }
        }
    }

    /// Named groups: name (as written) and number.
    pub(super) fn named(&self) -> impl Iterator<Item = (&str, usize)> {
        self.regex()
            .map_or(&[][..], Regex::capture_names)
            .iter()
            .enumerate()
            .filter_map(|(group, name)| name.as_deref().map(|name| (name, group)))
    }
}

/// The names of a pattern's named groups, found without compiling it.
pub(super) fn group_names(pattern: &str) -> Vec<&str> {
    let mut names = Vec::new();
    let mut rest = pattern;
    while let Some(at) = rest.find("(?") {
        rest = rest.get(at + 2..).unwrap_or_default();
        let body = rest.strip_prefix('P').unwrap_or(rest);
        let (body, close) = match body.as_bytes().first() {
            Some(b'<') => (&body[1..], '>'),
            Some(b'\'') => (&body[1..], '\''),
            _ => continue,
        };
        if let Some(end) = body.find(close) {
            let name = &body[..end];
            let word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
            if !name.is_empty() && name.bytes().all(word) {
                names.push(name);
            }
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_runaway_pattern_is_unknown_and_given_up() {
        let pattern = Pattern::new("^(a+)+$", false);
        let subject = format!("{}b", "a".repeat(60));
        for _ in 0..10 {
            assert_eq!(pattern.find(&subject), Outcome::Unknown);
        }
        let wrong = Pattern::new("(", false);
        assert_eq!(wrong.find("("), Outcome::Unknown);
    }

    #[test]
    fn groups_and_their_names() {
        let pattern = Pattern::new(r"^https://(?<sub>[a-z]+)\.(x)?", true);
        assert_eq!(
            pattern.find("HTTPS://abc.d"),
            Outcome::Match(vec![Some((0, 12)), Some((8, 11)), None])
        );
        assert_eq!(pattern.named().collect::<Vec<_>>(), [("sub", 1)]);
        assert_eq!(
            group_names(r"(?<a>x)(?:y)(?P<b>z)(?<=c)(?'d'e)"),
            ["a", "b", "d"]
        );
    }
}
