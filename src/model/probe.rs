//! Probes: the origins that every policy is asked about.
//!
//! Only origins that a browser can send are made ([`Origin::parse`] takes all of them), and only
//! origins that a stranger can hold are look-alikes: a registrable domain that is none of the
//! trusted ones, below a public suffix that is open to everybody.

use super::host::{HostKind, PLAYGROUNDS, TUNNELS};
use super::origin::{Origin, private_suffix, registrable_domain};
use crate::limits::model::probe::{MAX_LOOKALIKES, MAX_PER_TRUSTED, MAX_PROBES};
use std::collections::HashSet;

/// An origin that resembles a trusted one and that somebody else may hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lookalike {
    /// The serialized origin.
    pub origin: String,
    /// The trusted origin that it was made from.
    pub trusted: String,
    /// What must be missing in a policy that lets it in: one of [`DEFECTS`].
    pub defect: &'static str,
}

/// Something follows the trusted host (`https://example.com.evil.example`).
pub(crate) const NO_END_ANCHOR: &str = "no end anchor";
/// Something stands directly before the registrable domain (`https://evilexample.com`).
pub(crate) const NO_BOUNDARY: &str = "no boundary before the domain";
/// Another character stands for a dot (`https://appxexample.com`).
pub(crate) const UNESCAPED_DOT: &str = "unescaped dot";
/// Only the name before the public suffix is compared (`https://example.net`).
pub(crate) const PREFIX: &str = "prefix";
/// Only the public suffix is compared (`https://evil.com`).
pub(crate) const SUFFIX: &str = "suffix";
/// The origin is a part of the trusted text (`https://example.co`).
pub(crate) const SUBSTRING: &str = "substring";

/// All values of [`Lookalike::defect`].
pub const DEFECTS: [&str; 6] = [
    NO_END_ANCHOR,
    NO_BOUNDARY,
    UNESCAPED_DOT,
    PREFIX,
    SUFFIX,
    SUBSTRING,
];

/// A stranger's domain (RFC 2606 reserves it).
const STRANGER: &str = "evil.example";

/// A label that no list names: letters only, so that the narrowest wildcards match it too.
const UNLISTED: &str = "anyone";

/// Look-alikes of `trusted` origins. Plain ones come before those that only odd policies accept
/// (a single character more, rare host characters), then the shortest. At most 64 for each trusted
/// origin and 256 altogether; where that is too few, every trusted origin gets its first ones.
#[must_use]
pub fn lookalikes(trusted: &[String]) -> Vec<Lookalike> {
    let origins: Vec<_> = trusted
        .iter()
        .filter_map(|text| Some((text, Origin::parse(text).ok()?)))
        .collect();
    let known: HashSet<&str> = origins
        .iter()
        .filter_map(|(_, origin)| origin.registrable_domain())
        .collect();
    let mut queues: Vec<_> = origins
        .iter()
        .map(|(text, origin)| {
            candidates(origin)
                .into_iter()
                .filter(|candidate| is_strangers(&candidate.origin, &known))
                .take(MAX_PER_TRUSTED)
                .map(|candidate| (*text, candidate))
        })
        .collect();
    let mut seen = HashSet::new();
    let mut chosen = Vec::new();
    'full: loop {
        let mut exhausted = true;
        for (text, candidate) in queues.iter_mut().filter_map(Iterator::next) {
            exhausted = false;
            if !seen.insert(candidate.origin.clone()) {
                continue;
            }
            chosen.push((
                candidate.odd,
                Lookalike {
                    origin: candidate.origin,
                    trusted: text.clone(),
                    defect: candidate.defect,
                },
            ));
            if chosen.len() == MAX_LOOKALIKES {
                break 'full;
            }
        }
        if exhausted {
            break;
        }
    }
    chosen.sort_by_key(|(odd, lookalike)| (*odd, lookalike.origin.len()));
    chosen.into_iter().map(|(_, lookalike)| lookalike).collect()
}

struct Candidate {
    origin: String,
    defect: &'static str,
    odd: bool,
}

/// What resembles an origin, whoever can hold it; plain forms first.
fn candidates(trusted: &Origin) -> Vec<Candidate> {
    let Origin::Tuple { scheme, host, port } = trusted else {
        return Vec::new();
    };
    // Pages of applications and extensions have no neighbours that a stranger could be.
    if trusted.web_host().is_none() || host.starts_with('[') {
        return Vec::new();
    }
    let host = host.strip_suffix('.').unwrap_or(host);
    let domain = registrable_domain(host);
    let mut found = Vec::new();
    let mut add = |host: String, defect, odd| {
        if let Some(port) = port {
            found.push(Candidate {
                origin: format!("{scheme}://{host}:{port}"),
                defect,
                odd,
            });
        }
        found.push(Candidate {
            origin: format!("{scheme}://{host}"),
            defect,
            odd,
        });
    };

    add(format!("{host}.{STRANGER}"), NO_END_ANCHOR, false);
    if let Some(domain) = domain {
        let before = host.strip_suffix(domain).unwrap_or_default();
        add(format!("evil{domain}"), NO_BOUNDARY, false);
        for (at, _) in host.match_indices('.') {
            for other in ["x", "-"] {
                add(
                    format!("{}{other}{}", &host[..at], &host[at + 1..]),
                    UNESCAPED_DOT,
                    false,
                );
            }
        }
        add(format!("{domain}.{STRANGER}"), NO_END_ANCHOR, false);
        add(format!("{before}evil{domain}"), NO_BOUNDARY, false);
        if let Some((name, suffix)) = domain.split_once('.') {
            for other in ["com", "net", "org"] {
                add(format!("{before}{name}.{other}"), PREFIX, false);
            }
            add(format!("{before}{name}.{STRANGER}"), PREFIX, false);
            if private_suffix(domain).is_none() && anyone_registers_below(suffix) {
                add(format!("evil.{suffix}"), SUFFIX, false);
            }
        }
        for end in (1..host.len()).rev() {
            // Most beginnings are no registrable names; the filter for strangers drops them.
            let rest = host.get(..end).unwrap_or_default();
            if psl::suffix(rest.as_bytes()).is_some_and(|suffix| suffix.is_known()) {
                add(rest.into(), SUBSTRING, false);
            }
        }
        for glued in ["x", "evil-"] {
            add(format!("{glued}{domain}"), NO_BOUNDARY, true);
        }
    }
    for continued in ["x", "-", "-x", "_"] {
        add(format!("{host}{continued}.{STRANGER}"), NO_END_ANCHOR, true);
    }
    for odd in "~!$&+=();{}`".chars() {
        add(format!("{host}{odd}.{STRANGER}"), NO_END_ANCHOR, true);
    }
    found
}

/// Can a stranger hold this origin, given the registrable domains that are `trusted`?
fn is_strangers(origin: &str, trusted: &HashSet<&str>) -> bool {
    let Ok(origin) = Origin::parse(origin) else {
        return false;
    };
    origin.host_kind() == Some(HostKind::Public)
        && origin.registrable_domain().is_some_and(|domain| {
            !trusted.contains(domain)
                && domain
                    .split_once('.')
                    .is_some_and(|(_, suffix)| anyone_registers_below(suffix))
        })
}

/// Can everybody get a name directly below this public suffix? Unknown suffixes are nobody's, and
/// those of governments, armies and universities are closed.
fn anyone_registers_below(suffix: &str) -> bool {
    let closed = ["ac", "arpa", "edu", "gov", "int", "mil"];
    let is_public = psl::suffix(suffix.as_bytes()).is_some_and(|found| found.is_known());
    suffix == "example"
        || (is_public && !closed.contains(&suffix.split('.').next().unwrap_or_default()))
}

/// The `http:` forms of http and https origins with public hosts: what somebody on the network
/// between can pretend to be. At most 64.
#[must_use]
pub fn insecure_variants(trusted: &[String]) -> Vec<String> {
    let variants = trusted
        .iter()
        .filter_map(|text| Origin::parse(text).ok())
        .filter(|origin| origin.host_kind() == Some(HostKind::Public));
    let texts = variants.filter_map(|origin| match origin {
        Origin::Tuple { host, port, .. } => Some(
            Origin::Tuple {
                scheme: "http".into(),
                host,
                port: port.filter(|port| *port != 80),
            }
            .to_string(),
        ),
        Origin::Opaque => None,
    });
    distinct(texts)
}

fn distinct(texts: impl Iterator<Item = String>) -> Vec<String> {
    let mut seen = HashSet::new();
    texts
        .filter(|text| seen.insert(text.clone()))
        .take(MAX_PROBES)
        .collect()
}

/// An origin directly below something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Below {
    /// The serialized origin; nobody can guess its first label.
    pub origin: String,
    /// The registrable domain or public suffix that it stands below.
    pub below: String,
    /// Fixed characters of the policy stand at the beginning or end of the label.
    pub affixed: bool,
}

/// Probes for every shared host that occurs in the texts of a policy (patterns, globs, origins):
/// one with a label that no list names, and, where the text has fixed characters around a wildcard inside
/// that label (`app-*.vercel.app`), one with such a part between them. At most 64.
#[must_use]
pub fn shared_host_probes(texts: &[&str]) -> Vec<Below> {
    let mut probes: Vec<Below> = Vec::new();
    for text in texts {
        let text = unescaped(text);
        let scheme = if text.contains("https") || !text.contains("http") {
            "https"
        } else {
            "http"
        };
        for (at, suffix) in shared_suffixes(&text) {
            let (prefix, end) = label_frame(&text[..at]);
            for (label_prefix, label_suffix) in [("", ""), (prefix, end)] {
                let probe = Below {
                    origin: format!("{scheme}://{label_prefix}{UNLISTED}{label_suffix}.{suffix}"),
                    below: suffix.into(),
                    affixed: !(label_prefix.is_empty() && label_suffix.is_empty()),
                };
                if probes.len() < MAX_PROBES
                    && Origin::parse(&probe.origin).is_ok_and(|origin| origin.is_shared_suffix())
                    && !probes.contains(&probe)
                {
                    probes.push(probe);
                }
            }
        }
    }
    probes
}

/// The text in lower case with `\.`, `\-`, `\/` and `[.]` as the characters that they stand for.
fn unescaped(text: &str) -> String {
    text.to_ascii_lowercase()
        .replace("[.]", ".")
        .replace("\\.", ".")
        .replace("\\-", "-")
        .replace("\\/", "/")
}

/// Shared hosts in a text with the offset of the dot before each.
fn shared_suffixes(text: &str) -> Vec<(usize, &str)> {
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b"-.".contains(&byte);
    let bytes = text.as_bytes();
    let mut found = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let length = bytes[at..]
            .iter()
            .take_while(|byte| is_name(**byte))
            .count();
        if length == 0 {
            at += 1;
            continue;
        }
        // A dot that a quantifier follows is a wildcard and no part of a name.
        let wild = matches!(bytes.get(at + length), Some(b'*' | b'+' | b'?' | b'{'));
        let end = at + length - usize::from(wild && text[at..at + length].ends_with('.'));
        let name = &text[at..end.max(at)];
        let longest = name.match_indices('.').find(|(dot, _)| {
            let suffix = &name[dot + 1..];
            suffix.len() <= 253 && private_suffix(suffix) == Some(suffix)
        });
        if let Some((dot, _)) = longest {
            found.push((at + dot, &name[dot + 1..]));
        }
        at += length;
    }
    found
}

/// The fixed characters at the beginning and end of the label that ends the text, if there is a
/// wildcard between them.
fn label_frame(before: &str) -> (&str, &str) {
    let is_literal = |c: char| c.is_ascii_alphanumeric() || c == '-';
    let end_from = before.trim_end_matches(is_literal).len();
    let end = &before[end_from..];
    let start = before[..end_from].rfind('/').map_or(0, |slash| slash + 1);
    let label = &before[start..end_from];
    let prefix_length = label.find(|c| !is_literal(c)).unwrap_or(label.len());
    // Another label, or no wildcard: nothing is framed.
    if label.is_empty() || label.ends_with('.') {
        return ("", "");
    }
    // A dot that a quantifier follows is part of the wildcard; any other one ends the label before.
    let wildcard = &label[prefix_length..];
    let is_one_label = wildcard
        .match_indices('.')
        .all(|(dot, _)| wildcard[dot + 1..].starts_with(['*', '+', '?', '{']))
        || wildcard.starts_with(['[', '(']);
    if is_one_label {
        (&label[..prefix_length], end)
    } else {
        ("", end)
    }
}

/// One probe below each registrable domain of `trusted` origins. At most 64.
#[must_use]
pub fn subdomain_probes(trusted: &[String]) -> Vec<Below> {
    let mut seen = HashSet::new();
    let origins = trusted.iter().filter_map(|text| Origin::parse(text).ok());
    origins
        .filter_map(|origin| {
            let domain = origin.registrable_domain()?;
            let port = match &origin {
                Origin::Tuple {
                    port: Some(port), ..
                } => format!(":{port}"),
                _ => String::new(),
            };
            Some(Below {
                origin: format!("{}://{UNLISTED}.{domain}{port}", origin.scheme()?),
                below: domain.into(),
                affixed: false,
            })
        })
        .filter(|probe| seen.insert(probe.origin.clone()))
        .take(MAX_PROBES)
        .collect()
}

/// Loopback, tunnel and playground origins to try on every policy.
#[must_use]
pub fn development_origins() -> Vec<String> {
    let loopback = ["localhost", "127.0.0.1"].into_iter().flat_map(|host| {
        ["", ":3000", ":4200", ":5000", ":5173", ":8000", ":8080"]
            .into_iter()
            .map(move |port| format!("http://{host}{port}"))
    });
    let secure = [
        "https://localhost",
        "https://localhost:3000",
        "http://[::1]:3000",
    ];
    let tunnels = TUNNELS
        .iter()
        .map(|name| format!("https://{UNLISTED}.{name}"));
    let playgrounds = PLAYGROUNDS.iter().flat_map(|name| {
        [
            format!("https://{name}"),
            format!("https://{UNLISTED}.{name}"),
        ]
    });
    loopback
        .chain(secure.into_iter().map(Into::into))
        .chain(tunnels)
        .chain(playgrounds)
        .collect()
}

/// Is the registrable domain named in one of the texts (patterns, globs, origins) of a policy, as a
/// whole name or as the end of one? Such a domain is meant, however it is let in.
#[must_use]
pub fn mentions(texts: &[&str], domain: &str) -> bool {
    let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'-';
    texts.iter().any(|text| {
        let text = unescaped(text);
        text.match_indices(domain).any(|(at, _)| {
            let bytes = text.as_bytes();
            let before = at.checked_sub(1).and_then(|before| bytes.get(before));
            let after = bytes.get(at + domain.len());
            !before.is_some_and(is_name) && !after.is_some_and(is_name)
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owned(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|text| (*text).into()).collect()
    }

    fn found(trusted: &[&str]) -> Vec<(String, &'static str)> {
        lookalikes(&owned(trusted))
            .into_iter()
            .map(|lookalike| (lookalike.origin, lookalike.defect))
            .collect()
    }

    #[test]
    fn patterns_may_hold_any_characters() {
        for text in [
            "🦀\"\"",
            "https://app.ex€mple.com",
            "app-é*🦀.vercel.app",
            "é.é*.vercel.app",
        ] {
            let _ = shared_host_probes(&[text]);
        }
        assert_eq!(shared_host_probes(&["é https://*.vercel.app"]).len(), 1);
    }

    #[test]
    fn the_adversarial_set_of_a_host_below_a_domain() {
        let all = found(&["https://app.example.com"]);
        for (origin, defect) in [
            ("https://app.example.com.evil.example", NO_END_ANCHOR),
            ("https://example.com.evil.example", NO_END_ANCHOR),
            ("https://app.example.comx.evil.example", NO_END_ANCHOR),
            ("https://app.example.com_.evil.example", NO_END_ANCHOR),
            ("https://app.example.com`.evil.example", NO_END_ANCHOR),
            ("https://evilexample.com", NO_BOUNDARY),
            ("https://xexample.com", NO_BOUNDARY),
            ("https://app.evilexample.com", NO_BOUNDARY),
            ("https://appxexample.com", UNESCAPED_DOT),
            ("https://app-example.com", UNESCAPED_DOT),
            ("https://app.example.co", SUBSTRING),
            ("https://app.example.net", PREFIX),
            ("https://evil.com", SUFFIX),
        ] {
            assert!(all.contains(&(origin.into(), defect)), "{origin}: {all:#?}");
        }
        for same_domain in [
            "https://evilapp.example.com",
            "https://example.com",
            "https://evil.app.example.com",
        ] {
            assert!(all.iter().all(|(origin, _)| origin != same_domain));
        }
    }

    #[test]
    fn every_lookalike_is_a_strangers_and_can_be_sent() {
        for trusted in [
            "https://app.example.com",
            "https://example.co.uk:8443",
            "https://team.github.io",
            "http://localhost:3000",
            "http://192.168.0.1",
            "https://example.com.",
            "https://agency.gov",
        ] {
            let domain = Origin::parse(trusted).unwrap();
            for (origin, defect) in found(&[trusted]) {
                let other = Origin::parse(&origin).unwrap();
                assert_eq!(other.to_string(), origin);
                assert_ne!(other.registrable_domain(), domain.registrable_domain());
                assert_eq!(other.host_kind(), Some(HostKind::Public), "{origin}");
                assert!(DEFECTS.contains(&defect));
            }
        }
    }

    #[test]
    fn a_trusted_neighbour_is_no_stranger() {
        let all = found(&["https://app.example.com", "https://example.net"]);
        assert!(
            all.iter()
                .all(|(origin, _)| origin != "https://app.example.net")
        );
    }

    #[test]
    fn plain_forms_come_first_then_the_shortest() {
        let all = found(&["https://app.example.com"]);
        let at = |origin: &str| all.iter().position(|(other, _)| other == origin).unwrap();
        assert!(at("https://evilexample.com") < at("https://xexample.com"));
        assert!(at("https://appxexample.com") < at("https://app.example.com.evil.example"));
    }

    #[test]
    fn dots_inside_a_public_suffix_count_too() {
        let all = found(&["https://example.co.uk"]);
        assert!(all.contains(&("https://examplexco.uk".into(), UNESCAPED_DOT)));
        assert!(
            found(&["https://example.com"])
                .iter()
                .all(|(_, defect)| *defect != UNESCAPED_DOT)
        );
    }

    #[test]
    fn hosts_without_a_domain_can_only_be_extended() {
        let all = found(&["http://localhost:3000"]);
        assert_eq!(
            all[0],
            ("http://localhost.evil.example".into(), NO_END_ANCHOR)
        );
        assert!(all.contains(&("http://localhost.evil.example:3000".into(), NO_END_ANCHOR)));
        assert!(all.iter().all(|(_, defect)| *defect == NO_END_ANCHOR));
        for none in ["http://[::1]", "capacitor://localhost", "null", "nonsense"] {
            assert_eq!(found(&[none]), [], "{none}");
        }
    }

    #[test]
    fn nobody_registers_below_gov() {
        assert!(
            found(&["https://agency.gov"])
                .iter()
                .all(|(origin, _)| !origin.ends_with(".gov"))
        );
    }

    #[test]
    fn the_number_is_bounded_and_every_trusted_origin_has_its_share() {
        let trusted: Vec<_> = (0..100)
            .map(|number| format!("https://app.site{number}.com"))
            .collect();
        let all = lookalikes(&trusted);
        assert_eq!(all.len(), MAX_LOOKALIKES);
        for origin in &trusted {
            assert!(all.iter().any(|lookalike| &lookalike.trusted == origin));
        }
        let long = format!("https://{}.example.com:8443", ["a.b"; 40].join("."));
        assert!(lookalikes(&[long]).len() <= MAX_PER_TRUSTED);
    }

    #[test]
    fn insecure_forms_of_public_origins() {
        let trusted = owned(&[
            "https://example.com",
            "http://example.com",
            "https://example.org:8443",
            "https://localhost",
            "https://10.0.0.1",
            "capacitor://localhost",
            "null",
        ]);
        assert_eq!(
            insecure_variants(&trusted),
            ["http://example.com", "http://example.org:8443"]
        );
    }

    #[test]
    fn shared_hosts_in_texts() {
        for (text, expected) in [
            (
                r"^https://.*\.vercel\.app$",
                vec![("https://anyone.vercel.app", false)],
            ),
            (
                "https://app-*.vercel.app",
                vec![
                    ("https://anyone.vercel.app", false),
                    ("https://app-anyone.vercel.app", true),
                ],
            ),
            (
                r"^https:\/\/[a-z0-9-]+-team\.vercel\.app$",
                vec![
                    ("https://anyone.vercel.app", false),
                    ("https://anyone-team.vercel.app", true),
                ],
            ),
            (
                r"^https://app-(.*)-team\.netlify\.app$",
                vec![
                    ("https://anyone.netlify.app", false),
                    ("https://app-anyone-team.netlify.app", true),
                ],
            ),
            (
                r"^http://.+\.github\.io$",
                vec![("http://anyone.github.io", false)],
            ),
            (
                "https://team.github.io",
                vec![("https://anyone.github.io", false)],
            ),
            ("https://*.example.com", vec![]),
            ("", vec![]),
        ] {
            let probes = shared_host_probes(&[text]);
            let probes: Vec<_> = probes
                .iter()
                .map(|probe| (probe.origin.as_str(), probe.affixed))
                .collect();
            assert_eq!(probes, expected, "{text}");
        }
    }

    #[test]
    fn subdomains_of_registrable_domains() {
        let probes = subdomain_probes(&owned(&[
            "https://a.b.example.com",
            "https://example.com",
            "http://localhost",
        ]));
        assert_eq!(
            probes,
            [Below {
                origin: "https://anyone.example.com".into(),
                below: "example.com".into(),
                affixed: false,
            }]
        );
    }

    #[test]
    fn development_origins_are_what_they_say() {
        for text in development_origins() {
            let origin = Origin::parse(&text).unwrap();
            assert!(origin.development_host().is_some(), "{text}");
        }
    }

    #[test]
    fn mentioned_domains() {
        assert!(mentions(&[r"^https://(a|b)\.example\.com$"], "example.com"));
        assert!(mentions(&["https://example.com"], "example.com"));
        assert!(!mentions(&[r"^https://.*myexample\.com$"], "example.com"));
        assert!(!mentions(&["https://example.community"], "example.com"));
        assert!(!mentions(&[], "example.com"));
    }
}
