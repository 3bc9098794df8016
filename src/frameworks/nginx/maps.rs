//! `map`: lookup in nginx's order (`ngx_http_map_find`).

use super::config::Map;
use super::regex::Outcome;
use super::run::Run;
use super::value::{Doubt, Sources, Value};
use super::variables::Captures;
use crate::limits::nginx::MAX_MAPS;
use crate::model::{Known, ValueSource};

/// Which entry a text meets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Hit {
    Entry(usize),
    None,
    Unknown,
}

impl<'a> Run<'a> {
    /// The value of a map's variable.
    pub(super) fn map(&mut self, map: &'a Map) -> Value<'a> {
        if self.depth_of_maps > MAX_MAPS {
            // A map that leads back to itself: nginx answers 500.
            return Value::unknown(Sources::NONE, Doubt::Foreign);
        }
        self.depth_of_maps += 1;
        let input = self.complex(&map.source);
        let value = self.look_up(map, &input);
        self.depth_of_maps -= 1;
        value
    }

    fn look_up(&mut self, map: &'a Map, input: &Value<'a>) -> Value<'a> {
        let Known::Known(text) = &input.text else {
            return self.any_entry(map, input);
        };
        let hit = match map.find_keys(text) {
            Hit::None => {
                let mut hit = Hit::None;
                // nginx tries no regex on the empty text.
                for (pattern, entry) in map.regexes.iter().filter(|_| !text.is_empty()) {
                    match pattern.find(text) {
                        Outcome::NoMatch => {}
                        Outcome::Unknown => {
                            hit = Hit::Unknown;
                            break;
                        }
                        Outcome::Match(groups) => {
                            self.captures = Some(Captures {
                                subject: input.clone(),
                                pattern,
                                groups,
                                path: true,
                                escaped: false,
                            });
                            self.set_named();
                            hit = Hit::Entry(*entry);
                            break;
                        }
                    }
                }
                hit
            }
            hit => hit,
        };
        let entry = match hit {
            Hit::Entry(entry) => Some(entry),
            Hit::Unknown => return Value::unknown(input.sources, Doubt::Foreign),
            // Entries out of view may hold it.
            Hit::None if map.unseen.is_some() => {
                return Value::unknown(input.sources, Doubt::Placeholder);
            }
            Hit::None => map.default,
        };
        let Some(entry) = entry.and_then(|entry| map.entries.get(entry)) else {
            return Value::empty();
        };
        let mut value = self.complex(&entry.value);
        if input.decided.is_some() {
            value.decided = input.decided;
        } else if input.sources.has(ValueSource::Origin) {
            value.decided = Some(&entry.decision);
        }
        value
    }

    /// The value for an input that is not known: known only if all entries agree.
    fn any_entry(&mut self, map: &'a Map, input: &Value<'a>) -> Value<'a> {
        if map.unseen.is_some() {
            return Value::unknown(input.sources, Doubt::Placeholder);
        }
        let mut result: Option<Value<'a>> = map.default.is_none().then(Value::empty);
        for entry in &map.entries {
            // Captures of a regex that may have matched are not known.
            let value = if has_capture(entry) {
                Value::unknown(input.sources, input.doubt)
            } else {
                self.complex(&entry.value)
            };
            result = Some(match result {
                None => value,
                Some(mut old) => {
                    if old.text != value.text || value.text == Known::Unknown {
                        old.text = Known::Unknown;
                        old.doubt = old.doubt.max(input.doubt);
                    }
                    old.sources = old.sources.and(value.sources);
                    old
                }
            });
        }
        result.unwrap_or_else(Value::empty)
    }
}

fn has_capture(entry: &super::config::Entry) -> bool {
    entry
        .value
        .parts
        .iter()
        .any(|part| matches!(part, super::complex::Part::Capture(_)))
}

impl Map {
    /// Exact keys and `hostnames` wildcards, which go before regexes.
    fn find_keys(&self, text: &str) -> Hit {
        let mut text = text;
        if self.hostnames {
            text = text.strip_suffix('.').unwrap_or(text);
        }
        if self.exact.is_empty() && self.head.is_empty() && self.tail.is_empty() {
            return Hit::None;
        }
        let lower;
        let text = if text.bytes().any(|byte| byte.is_ascii_uppercase()) {
            lower = text.to_ascii_lowercase();
            lower.as_str()
        } else {
            text
        };
        if let Some(entry) = self.exact.get(text) {
            return Hit::Entry(*entry);
        }
        if !self.head.is_empty() {
            // The longest suffix stands first.
            for (at, _) in text.match_indices('.').filter(|(at, _)| *at > 0) {
                if let Some(entry) = self.head.get(&text[at..]) {
                    return Hit::Entry(*entry);
                }
            }
        }
        if !self.tail.is_empty() {
            for (at, _) in text
                .rmatch_indices('.')
                .filter(|(at, _)| at + 1 < text.len())
            {
                if let Some(entry) = self.tail.get(&text[..=at]) {
                    return Hit::Entry(*entry);
                }
            }
        }
        Hit::None
    }
}
