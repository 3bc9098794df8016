//! Console messages about CORS: recognising them, and what they mean.
//!
//! Texts and meanings are data, in `grammars/browser/`.

mod evidence;

pub use evidence::{Evidence, evidence};

use crate::limits::explain::{MAX_MESSAGES, MAX_TEXT};
use std::sync::LazyLock;

use regex::{Captures, Regex};
use serde::Deserialize;

const MESSAGES: &str = include_str!("../../grammars/browser/messages.toml");
const KINDS: &str = include_str!("../../grammars/browser/kinds.toml");

/// What a kind of message means.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Kind {
    /// As [`crate::fetch::Failure::name`], or of what is no failure of an exchange.
    pub name: String,
    /// In one line.
    pub title: String,
    /// In a few.
    pub explanation: String,
    /// No configuration of the server that is asked changes anything.
    #[serde(default)]
    pub server_cannot_help: bool,
    /// In order of probability.
    pub causes: Vec<Cause>,
}

/// A possible cause.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cause {
    /// In words.
    pub text: String,
    /// Ids of the rules whose findings speak for it.
    pub rules: Vec<String>,
    /// It explains messages about this kind of request only.
    #[serde(default)]
    pub when: Option<When>,
}

/// A kind of request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum When {
    /// A CORS-preflight request.
    Preflight,
    /// The actual request.
    Actual,
}

impl Kind {
    /// The causes that can explain a message, the most probable first.
    #[must_use]
    pub fn causes_of(&self, message: &Message) -> Vec<&Cause> {
        // Chrome always says that it was a preflight; others do where only one can fail so.
        let excluded = match (message.preflight, message.browser.as_deref()) {
            (true, _) => Some(When::Actual),
            (false, Some("chrome")) => Some(When::Preflight),
            (false, _) => None,
        };
        let causes = self.causes.iter();
        let fits = |cause: &&Cause| cause.when.is_none() || cause.when != excluded;
        let mut causes: Vec<_> = causes.filter(fits).collect();
        if message.preflight {
            causes.sort_by_key(|cause| cause.when != Some(When::Preflight));
        }
        causes
    }
}

/// A message that was recognised.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Message {
    /// `chrome`, `firefox` or `safari`; nothing if the text is not of one browser only.
    pub browser: Option<String>,
    /// Names of the kinds that it may stand for, the most probable first.
    pub kinds: Vec<String>,
    /// It certainly speaks of a preflight.
    pub preflight: bool,
    /// The URL that was asked.
    pub url: Option<String>,
    /// The URL at which redirects started.
    pub redirected_from: Option<String>,
    /// The origin of the page.
    pub origin: Option<String>,
    /// What made the request (`fetch`, `XMLHttpRequest`, `font`).
    pub initiator: Option<String>,
    /// The value of the header that is at fault.
    pub value: Option<String>,
    /// The method that is not allowed.
    pub method: Option<String>,
    /// The request header that is not allowed.
    pub header: Option<String>,
    /// The status of the response.
    pub status: Option<u16>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    context: Vec<Context>,
    detail: Vec<Detail>,
    message: Vec<Pattern>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Context {
    browser: String,
    pattern: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Detail {
    pattern: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Pattern {
    kinds: Vec<String>,
    #[serde(default)]
    preflight: bool,
    pattern: String,
}

#[derive(Deserialize)]
struct Meanings {
    kind: Vec<Kind>,
}

struct Compiled {
    contexts: Vec<(String, Regex)>,
    details: Vec<Regex>,
    messages: Vec<(Vec<String>, bool, Regex)>,
    kinds: Vec<Kind>,
}

/// The tables, which a test compiles.
static TABLES: LazyLock<Result<Compiled, String>> = LazyLock::new(|| {
    let file: File = toml::from_str(MESSAGES).map_err(|error| error.to_string())?;
    let meanings: Meanings = toml::from_str(KINDS).map_err(|error| error.to_string())?;
    let regex = |pattern: &str| Regex::new(pattern).map_err(|error| error.to_string());
    let contexts = file.context.into_iter();
    let details = file.detail.iter();
    let messages = file.message.into_iter();
    Ok(Compiled {
        contexts: contexts
            .map(|context| Ok((context.browser, regex(&context.pattern)?)))
            .collect::<Result<_, String>>()?,
        details: details
            .map(|detail| regex(&detail.pattern))
            .collect::<Result<_, _>>()?,
        messages: messages
            .map(|message| Ok((message.kinds, message.preflight, regex(&message.pattern)?)))
            .collect::<Result<_, String>>()?,
        kinds: meanings.kind,
    })
});

fn tables() -> Option<&'static Compiled> {
    TABLES.as_ref().ok()
}

/// What a kind means.
#[must_use]
pub fn kind(name: &str) -> Option<&'static Kind> {
    tables()?.kinds.iter().find(|kind| kind.name == name)
}

/// The messages in a text, in its order, equal ones once.
#[must_use]
pub fn recognise(text: &str) -> Vec<Message> {
    let Some(tables) = tables() else {
        return Vec::new();
    };
    let mut end = text.len().min(MAX_TEXT);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let text = plain(&text[..end]);
    let mut found: Vec<Message> = Vec::new();
    for segment in segments(&text, tables).into_iter().take(MAX_MESSAGES) {
        if let Some(message) = tables.message(segment)
            && !found.contains(&message)
        {
            found.push(message);
        }
    }
    // A line without any detail (`net::ERR_FAILED`) repeats what another tells better.
    let tells = |message: &Message| message.kinds.iter().any(|kind| kind != "network");
    if found.iter().any(tells) {
        found.retain(tells);
    }
    found
}

/// With its white space folded and its quotes made plain.
fn plain(text: &str) -> String {
    let quotes = |c| match c {
        '‘' | '’' | '´' => '\'',
        '“' | '”' | '„' => '"',
        c => c,
    };
    let text: String = text.chars().map(quotes).collect();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The parts of a text that hold one message each. Safari's last line, which names the URL, belongs to
/// what stands before it.
fn segments<'t>(text: &'t str, tables: &Compiled) -> Vec<&'t str> {
    let mut cuts = vec![0];
    for (browser, context) in &tables.contexts {
        for found in context.find_iter(text) {
            cuts.push(if browser == "safari" {
                found.end()
            } else {
                found.start()
            });
        }
    }
    cuts.push(text.len());
    cuts.sort_unstable();
    cuts.dedup();
    let pairs = cuts.windows(2);
    pairs
        .filter_map(|pair| text.get(pair[0]..pair[1]))
        .collect()
}

impl Compiled {
    fn message(&self, segment: &str) -> Option<Message> {
        let mut message = Message::default();
        for (browser, context) in &self.contexts {
            if let Some(captures) = context.captures(segment) {
                message.take(&captures, context);
                message.browser = Some(browser.clone());
                break;
            }
        }
        let found = self
            .messages
            .iter()
            .find_map(|(kinds, preflight, pattern)| {
                let captures = pattern.captures(segment)?;
                Some((kinds, *preflight, captures, pattern))
            });
        let (kinds, preflight, captures, pattern) = found?;
        message.take(&captures, pattern);
        message.kinds.clone_from(kinds);
        message.preflight = preflight || segment.to_ascii_lowercase().contains("preflight");
        for detail in &self.details {
            if let Some(captures) = detail.captures(segment) {
                message.take(&captures, detail);
            }
        }
        Some(message)
    }
}

impl Message {
    /// Takes over what a pattern's groups hold, unless it is known already.
    fn take(&mut self, captures: &Captures<'_>, pattern: &Regex) {
        for name in pattern.capture_names().flatten() {
            let Some(text) = captures.name(name).map(|found| found.as_str().to_owned()) else {
                continue;
            };
            let field = match name.trim_end_matches(|c: char| c.is_ascii_digit()) {
                "url" => &mut self.url,
                "from" => &mut self.redirected_from,
                "origin" => &mut self.origin,
                "api" => &mut self.initiator,
                "value" => &mut self.value,
                "method" => &mut self.method,
                "header" => &mut self.header,
                "status" => {
                    self.status = self.status.or(text.parse().ok());
                    continue;
                }
                _ => continue,
            };
            field.get_or_insert(text);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fetch::Failure;
    use crate::rules::RuleSet;

    #[test]
    fn the_tables_fit_together() {
        let tables = TABLES.as_ref().expect("right tables");
        let rules = RuleSet::builtin().expect("right rules");
        for (kinds, ..) in &tables.messages {
            for name in kinds {
                assert!(kind(name).is_some(), "{name}");
            }
        }
        for known in &tables.kinds {
            assert!(!known.title.is_empty() && !known.explanation.trim().is_empty());
            assert!(!known.causes.is_empty(), "{}", known.name);
            for rule in known.causes.iter().flat_map(|cause| &cause.rules) {
                assert!(rules.get(rule).is_some(), "{rule}");
            }
        }
        for failure in Failure::ALL {
            assert!(kind(failure.name()).is_some(), "{}", failure.name());
        }
    }

    fn one(text: &str) -> Message {
        let mut found = recognise(text);
        assert_eq!(found.len(), 1, "{text}\n{found:?}");
        found.remove(0)
    }

    #[test]
    fn chrome_then_and_now() {
        let now = one(
            "app.js:7 Access to fetch at 'https://api.example.com/a' (redirected from \
             'https://api.example.com/') from origin 'https://app.example.com' has been blocked by \
             CORS policy: Response to preflight request doesn't pass access control check: No \
             'Access-Control-Allow-Origin' header is present on the requested resource. If an \
             opaque response serves your needs, set the request's mode to 'no-cors' to fetch the \
             resource with CORS disabled.\nGET https://api.example.com/a net::ERR_FAILED",
        );
        assert_eq!(now.browser.as_deref(), Some("chrome"));
        assert_eq!(now.kinds, ["acao-missing"]);
        assert_eq!(now.url.as_deref(), Some("https://api.example.com/a"));
        assert_eq!(
            now.redirected_from.as_deref(),
            Some("https://api.example.com/")
        );
        assert_eq!(now.origin.as_deref(), Some("https://app.example.com"));
        assert_eq!(now.initiator.as_deref(), Some("fetch"));
        assert!(now.preflight);
        let then = one(
            "XMLHttpRequest cannot load http://api.example.com/a. No 'Access-Control-Allow-Origin' \
             header is present on the requested resource. Origin 'http://localhost:3000' is \
             therefore not allowed access. The response had HTTP status code 404.",
        );
        assert_eq!(then.kinds, ["acao-missing"]);
        assert_eq!(then.url.as_deref(), Some("http://api.example.com/a"));
        assert_eq!(then.origin.as_deref(), Some("http://localhost:3000"));
        assert_eq!(then.status, Some(404));
        assert!(!then.preflight);
        let between = one(
            "Failed to load https://api.example.com/a: Response for preflight has invalid HTTP \
             status code 405.",
        );
        assert_eq!(between.kinds, ["preflight-status"]);
        assert_eq!(between.status, Some(405));
    }

    #[test]
    fn firefox_with_any_quotes() {
        for text in [
            "Cross-Origin Request Blocked: The Same Origin Policy disallows reading the remote \
             resource at https://api.example.com/a. (Reason: header ‘x-a’ is not allowed according \
             to header ‘Access-Control-Allow-Headers’ from CORS preflight response).",
            "Cross-Origin Request Blocked: The Same Origin Policy disallows reading the remote \
             resource at https://api.example.com/a. (Reason: missing token 'x-a' in CORS header \
             'Access-Control-Allow-Headers' from CORS preflight channel).",
        ] {
            let message = one(text);
            assert_eq!(message.browser.as_deref(), Some("firefox"));
            assert_eq!(message.kinds, ["header"]);
            assert_eq!(message.header.as_deref(), Some("x-a"));
            assert_eq!(message.url.as_deref(), Some("https://api.example.com/a"));
        }
    }

    #[test]
    fn safari_tells_little() {
        let message = one(
            "[Error] Origin https://app.example.com is not allowed by Access-Control-Allow-Origin. \
             Status code: 200\n[Error] Fetch API cannot load https://api.example.com/a due to \
             access control checks.",
        );
        assert_eq!(message.browser.as_deref(), Some("safari"));
        assert_eq!(message.kinds[..2], ["acao-missing", "acao-mismatch"]);
        assert_eq!(message.origin.as_deref(), Some("https://app.example.com"));
        assert_eq!(message.url.as_deref(), Some("https://api.example.com/a"));
        assert_eq!(message.status, Some(200));
    }

    #[test]
    fn causes_fit_the_request() {
        let missing = kind("acao-missing").expect("a kind");
        let rules = |preflight, browser: &str| {
            let message = Message {
                preflight,
                browser: Some(browser.into()),
                ..Message::default()
            };
            let causes = missing.causes_of(&message);
            causes
                .into_iter()
                .flat_map(|cause| cause.rules.clone())
                .collect::<Vec<_>>()
        };
        let of_preflight = rules(true, "chrome");
        assert_eq!(of_preflight[0], "preflight-without-headers");
        assert!(!of_preflight.contains(&"missing-always".to_owned()));
        let of_actual = rules(false, "chrome");
        assert_eq!(of_actual[0], "missing-always");
        assert!(!of_actual.contains(&"preflight-after-auth".to_owned()));
        assert!(rules(false, "safari").contains(&"preflight-after-auth".to_owned()));
    }

    #[test]
    fn several_messages_and_none() {
        let text = "Access to fetch at 'http://a/' from origin 'http://b' has been blocked by CORS \
                    policy: Method PUT is not allowed by Access-Control-Allow-Methods in preflight \
                    response. x Access to fetch at 'http://c/' from origin 'http://b' has been \
                    blocked by CORS policy: Request header field x-a is not allowed by \
                    Access-Control-Allow-Headers in preflight response.";
        let found = recognise(text);
        let kinds: Vec<_> = found
            .iter()
            .map(|message| message.kinds.join(" "))
            .collect();
        assert_eq!(kinds, ["method", "header"]);
        assert_eq!(found[0].method.as_deref(), Some("PUT"));
        assert!(recognise("hello, world").is_empty());
        assert!(recognise("").is_empty());
    }
}
