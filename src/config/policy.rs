//! Which origins a project means to trust: `[policy] origins`.

use crate::model::Origin;

/// The origins that may be allowed anywhere in a project.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Policy {
    entries: Vec<Entry>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Entry {
    /// Exactly this origin, `null` included.
    Exact(String),
    /// Every host below a domain, or every port of a host, or both.
    Pattern {
        scheme: String,
        /// Without the leading `*.`, if there was one.
        host: String,
        below: bool,
        /// `None`: every port; else what stands behind the host, with its colon, or nothing.
        port: Option<String>,
    },
}

impl Policy {
    /// Reads the entries: an origin as a browser sends it, `https://*.example.com` for every host
    /// below that domain, `http://localhost:*` for every port, `null` for the opaque origin.
    ///
    /// # Errors
    /// The index of the first entry that can match nothing, and why.
    pub fn new(origins: &[String]) -> Result<Self, (usize, String)> {
        let entries = origins.iter().enumerate().map(|(index, text)| {
            let entry = entry(text);
            entry.map_err(|why| (index, why))
        });
        let entries = entries.collect::<Result<_, _>>()?;
        Ok(Self { entries })
    }

    /// Does the project trust this origin?
    #[must_use]
    pub fn trusts(&self, origin: &str) -> bool {
        self.entries.iter().any(|entry| entry.matches(origin))
    }

    /// The entries that name one origin of a site.
    pub fn named(&self) -> impl Iterator<Item = &str> {
        self.entries.iter().filter_map(|entry| match entry {
            Entry::Exact(text) if text != "null" => Some(text.as_str()),
            _ => None,
        })
    }
}

fn entry(text: &str) -> Result<Entry, String> {
    if !text.contains('*') {
        return match Origin::parse(text) {
            Ok(_) => Ok(Entry::Exact(text.to_owned())),
            Err(problem) => Err(format!(
                "`{text}` can never equal an origin: {}",
                problem.text()
            )),
        };
    }
    let wrong = || {
        format!(
            "`{text}` is no origin; a `*` stands for what is below a domain (`https://*.example.com`) or for every port (`http://localhost:*`)"
        )
    };
    let (scheme, rest) = text.split_once("://").ok_or_else(wrong)?;
    let (host, port) = match rest.strip_suffix(":*") {
        Some(host) => (host, None),
        None => {
            let colon = rest.rfind(':').unwrap_or(rest.len());
            (&rest[..colon], Some(rest[colon..].to_owned()))
        }
    };
    let (host, below) = match host.strip_prefix("*.") {
        Some(host) => (host, true),
        None => (host, false),
    };
    let sample = format!("{scheme}://{host}{}", port.as_deref().unwrap_or_default());
    if Origin::parse(&sample).is_err() {
        return Err(wrong());
    }
    Ok(Entry::Pattern {
        scheme: scheme.to_owned(),
        host: host.to_owned(),
        below,
        port,
    })
}

impl Entry {
    fn matches(&self, origin: &str) -> bool {
        let (scheme, host, below, port) = match self {
            Self::Exact(text) => return text == origin,
            Self::Pattern {
                scheme,
                host,
                below,
                port,
            } => (scheme, host, *below, port),
        };
        let rest = origin
            .strip_prefix(scheme.as_str())
            .and_then(|rest| rest.strip_prefix("://"));
        let Some(rest) = rest else { return false };
        let colon = rest
            .rfind(':')
            .filter(|colon| rest[colon + 1..].bytes().all(|byte| byte.is_ascii_digit()));
        let (name, found) = rest.split_at(colon.unwrap_or(rest.len()));
        if port.as_ref().is_some_and(|port| port != found) {
            return false;
        }
        if below {
            let label = name.strip_suffix(host.as_str());
            label.is_some_and(|label| label.len() > 1 && label.ends_with('.'))
        } else {
            name == host
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_trust_what_they_say() {
        let trusts = |entry: &str, origin: &str| {
            let policy = Policy::new(&[entry.to_owned()]).expect("a right entry");
            policy.trusts(origin)
        };
        for (entry, origin, trusted) in [
            ("https://a.example", "https://a.example", true),
            ("https://a.example", "https://a.example:8443", false),
            ("https://a.example", "http://a.example", false),
            ("null", "null", true),
            ("https://*.a.example", "https://x.a.example", true),
            ("https://*.a.example", "https://x.y.a.example", true),
            ("https://*.a.example", "https://a.example", false),
            ("https://*.a.example", "https://xa.example", false),
            ("https://*.a.example", "https://.a.example", false),
            ("https://*.a.example", "https://x.a.example:1", false),
            ("https://*.a.example:*", "https://x.a.example:1", true),
            ("https://*.a.example:1", "https://x.a.example:1", true),
            ("http://localhost:*", "http://localhost:3000", true),
            ("http://localhost:*", "http://localhost", true),
            ("http://localhost:*", "http://localhost.evil:1", false),
            ("http://[::1]:*", "http://[::1]:3000", true),
        ] {
            assert_eq!(trusts(entry, origin), trusted, "{entry} {origin}");
        }
    }

    #[test]
    fn entries_that_match_nothing_are_refused() {
        for entry in [
            "https://a.example/",
            "a.example",
            "*",
            "https://*",
            "https://a.*.example",
            "https://*.A.example",
            "",
        ] {
            let policy = Policy::new(&["null".to_owned(), entry.to_owned()]);
            assert_eq!(policy.map_err(|(index, _)| index), Err(1), "{entry}");
        }
    }
}
