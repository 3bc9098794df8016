//! CORS that is written in property files: the actuator, GraphQL, the gateway; and keys that
//! nothing reads.

use super::build::Notes;
use super::cors::{Cors, Entries, Entry, List, Written};
use super::exchange::Policy;
use super::gateway;
use super::host::Node;
use super::model::{Actuator, Application, Area, Mapping};
use super::path::PathPattern;
use crate::frameworks::boot::{Build, Settings};
use crate::model::Known;
use crate::spelling::nearest;
use crate::syntax::value::{Kind, Value};

/// Reads what the property files say about CORS.
pub(super) fn apply(m: &mut Node<'_>, build: &Build, app: &mut Application, notes: &mut Notes) {
    let settings = std::sync::Arc::clone(&m.host.settings);
    actuator(m, &settings, build, app, notes);
    graphql(m, &settings, build, app, notes);
    gateway::apply(m, &settings, build, app, notes);
    for key in [
        "spring.mvc.cors",
        "spring.web.cors",
        "spring.webflux.cors",
        "spring.cors",
    ] {
        let Some(span) = settings.has(key) else {
            continue;
        };
        // Properties that the application reads itself do what it makes of them.
        let units = m.program().units();
        if units.iter().any(|unit| unit.file.text().contains(key)) {
            continue;
        }
        let text = "Spring Boot has no such properties, and no code in view reads them".to_owned();
        notes.unattached.push((span, key.to_owned(), text, None));
    }
}

/// The properties below a prefix as a configuration; nothing if no origin is named.
pub(super) fn configuration(m: &Node<'_>, settings: &Settings, prefix: &str) -> Option<Cors> {
    let span = settings.has(prefix)?;
    let key = |name: &str| format!("{prefix}.{name}");
    let mut cors = Cors::new(span);
    let lists = [
        ("allowed-origins", List::Origins),
        ("allowed-origin-patterns", List::Patterns),
        ("allowed-methods", List::Methods),
        ("allowed-headers", List::Headers),
        ("exposed-headers", List::Exposed),
    ];
    for (name, list) in lists {
        let value = settings.list(&key(name));
        let Some(entries) = value.as_ref().and_then(entries_of) else {
            continue;
        };
        if !entries.items.is_empty() || entries.open {
            cors.set(list, Some(entries), m.host.versions);
        }
    }
    cors.credentials = flag(settings.get(&key("allow-credentials")));
    cors.private_network = flag(settings.get(&key("allow-private-network")));
    cors.max_age = settings.get(&key("max-age")).map(|value| Written {
        value: duration(&value).into(),
        span: Some(value.span),
    });
    Some(cors)
}

/// The names of a configuration's properties, as Spring Boot's own classes and the gateway bind them.
const KEYS: [&str; 8] = [
    "allowed-origins",
    "allowed-origin-patterns",
    "allowed-methods",
    "allowed-headers",
    "exposed-headers",
    "allow-credentials",
    "allow-private-network",
    "max-age",
];

/// Keys below a prefix that no property has: they are left out without a word.
pub(super) fn unknown_keys(settings: &Settings, prefix: &str, notes: &mut Notes) {
    let plain = |name: &str| name.replace(['-', '_'], "").to_lowercase();
    let known: Vec<String> = KEYS.iter().map(|key| plain(key)).collect();
    for (name, span) in settings.children(prefix) {
        let asked = plain(&name);
        if known.contains(&asked) {
            continue;
        }
        let near = nearest(&asked, known.iter().map(String::as_str), 3);
        let meant = near.and_then(|near| KEYS.iter().find(|key| plain(key) == near));
        let camel = name.contains(|c: char| c.is_ascii_uppercase());
        let meant = meant.map(|meant| {
            if camel {
                in_camel_case(meant)
            } else {
                (*meant).to_owned()
            }
        });
        let quotes = 2;
        let suggestion = match (span.end - span.start) as usize {
            length if length == name.len() => meant,
            // A property file has the whole name in one place.
            length if length > name.len() + quotes => {
                meant.map(|meant| format!("{prefix}.{meant}"))
            }
            _ => None,
        };
        notes
            .unknown_keys
            .push((span, name.to_string(), suggestion));
    }
}

fn in_camel_case(name: &str) -> String {
    let mut words = name.split('-');
    let mut text = words.next().unwrap_or_default().to_owned();
    for word in words {
        let (first, rest) = word.split_at(word.len().min(1));
        text.push_str(&first.to_uppercase());
        text.push_str(rest);
    }
    text
}

pub(super) fn entries_of(value: &Value) -> Option<Entries> {
    let list = match &value.kind {
        Kind::List(list) => list,
        Kind::Unknown(_) => {
            return Some(Entries {
                open: true,
                ..Entries::default()
            });
        }
        _ => return None,
    };
    let mut entries = Entries {
        open: list.open,
        ..Entries::default()
    };
    for item in &list.items {
        match text(item) {
            Some(text) => entries.items.push(Entry {
                text,
                span: Some(item.span),
            }),
            None => entries.open = true,
        }
    }
    Some(entries)
}

pub(super) fn text(value: &Value) -> Option<String> {
    match &value.kind {
        Kind::String(text) => Some(text.clone()),
        Kind::Bool(value) => Some(value.to_string()),
        Kind::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

pub(super) fn flag(value: Option<Value>) -> Option<Written<bool>> {
    let value = value?;
    let known = match text(&value).as_deref().map(str::trim) {
        Some(text)
            if ["true", "on", "yes", "1"]
                .iter()
                .any(|yes| text.eq_ignore_ascii_case(yes)) =>
        {
            Known::Known(true)
        }
        Some(_) => Known::Known(false),
        None => Known::Unknown,
    };
    Some(Written {
        value: known,
        span: Some(value.span),
    })
}

/// Seconds of a duration as Boot reads it: `10m`, `PT10M`, plain seconds.
fn duration(value: &Value) -> Option<i64> {
    let text = text(value)?.trim().to_lowercase();
    if let Ok(seconds) = text.parse::<i64>() {
        return Some(seconds);
    }
    let (body, iso) = match text.strip_prefix("pt") {
        Some(rest) => (rest, true),
        None => (text.as_str(), false),
    };
    let split = body.find(|c: char| !c.is_ascii_digit())?;
    let (number, unit) = body.split_at(split);
    let number: i64 = number.parse().ok()?;
    let factor = match unit {
        "ms" if !iso => return Some(number / 1000),
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        "d" if !iso => 86400,
        _ => return None,
    };
    number.checked_mul(factor)
}

/// The prefix of the actuator's properties until Spring Boot 2.0, and since.
const ACTUATOR: [&str; 2] = ["endpoints.cors", "management.endpoints.web.cors"];

fn actuator(
    m: &mut Node<'_>,
    settings: &Settings,
    build: &Build,
    app: &mut Application,
    notes: &mut Notes,
) {
    let [old, new] = ACTUATOR;
    let since_2 = build.boot.map(|version| version.0 >= 2);
    if since_2 == Some(true)
        && let Some(span) = settings.has(old)
    {
        let text = format!("Spring Boot 2.0 and later read `{new}`");
        notes.renamed.push((span, old.to_owned(), text));
    }
    let prefixes = match since_2 {
        Some(true) => vec![new],
        Some(false) => vec![old],
        None => vec![new, old],
    };
    let written = prefixes
        .iter()
        .find(|prefix| settings.has(prefix).is_some());
    if let Some(prefix) = written {
        unknown_keys(settings, prefix, notes);
    }
    if !build.starters.actuator && (build.known || written.is_none()) {
        return;
    }
    let base = settings
        .get("management.endpoints.web.base-path")
        .and_then(|value| text(&value))
        .unwrap_or_else(|| "/actuator".into());
    let include = settings.list("management.endpoints.web.exposure.include");
    let include = include.as_ref().and_then(entries_of);
    let exposed = include.as_ref().map_or_else(
        || vec!["health".to_owned()],
        |list| list.items.iter().map(|item| item.text.clone()).collect(),
    );
    let mut cors = written.and_then(|prefix| configuration(m, settings, prefix));
    // Off until somebody is let in.
    cors = cors.filter(|cors| cors.origins.is_some() || cors.patterns.is_some());
    if let Some(cors) = &mut cors {
        cors.max_age.get_or_insert(Written {
            value: Known::Known(1800),
            span: None,
        });
    }
    if let Some(cors) = &cors
        && let Some(words) = cors.refusal(m.host.versions)
        && let Some(span) = cors
            .origins
            .as_ref()
            .and_then(Entries::star)
            .and_then(|star| star.span)
    {
        app.refusal.get_or_insert((words.to_owned(), span));
    }
    let span = cors
        .as_ref()
        .and_then(|cors| cors.span)
        .unwrap_or(app.place);
    app.actuator = Some(Actuator {
        base: base.trim_end_matches('/').to_owned(),
        all: exposed.iter().any(|id| id == "*") || include.is_some_and(|list| list.open),
        exposed,
        cors,
        span,
    });
}

/// `spring.graphql.cors.*`: a mapping for the path of the endpoint, over the registry's defaults.
fn graphql(
    m: &mut Node<'_>,
    settings: &Settings,
    build: &Build,
    app: &mut Application,
    notes: &mut Notes,
) {
    let prefix = "spring.graphql.cors";
    if settings.has(prefix).is_none() && !build.starters.graphql {
        return;
    }
    let path = ["spring.graphql.http.path", "spring.graphql.path"]
        .iter()
        .find_map(|key| settings.get(key))
        .and_then(|value| text(&value))
        .unwrap_or_else(|| "/graphql".into());
    let Some(pattern) = PathPattern::parse(&path) else {
        return;
    };
    unknown_keys(settings, prefix, notes);
    let own = configuration(m, settings, prefix);
    let own = own.filter(|cors| cors.origins.is_some() || cors.patterns.is_some());
    let span = own.as_ref().and_then(|cors| cors.span).unwrap_or(app.place);
    if let Some(own) = own {
        let mut cors = Cors::new(span);
        cors.apply_permit_defaults();
        app.global.push(Mapping {
            pattern: pattern.clone(),
            policy: Policy::Is(cors.combine(Some(&own))),
            span,
        });
    }
    app.areas.push(Area {
        name: "GraphQL",
        pattern,
        methods: &["POST"],
        mappings: Vec::new(),
        span,
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Sources;

    /// Expected values: Boot's documentation, "Converting Durations".
    #[test]
    fn durations_are_read_as_boot_does() {
        let span = Sources::new().add("a".into(), "text".into()).span();
        for (text, expected) in [
            ("1800", Some(1800)),
            ("10m", Some(600)),
            ("30s", Some(30)),
            ("1h", Some(3600)),
            ("1d", Some(86400)),
            ("1500ms", Some(1)),
            ("PT10M", Some(600)),
            ("soon", None),
            ("", None),
        ] {
            assert_eq!(duration(&Value::string(text, span)), expected, "{text}");
        }
    }
}
