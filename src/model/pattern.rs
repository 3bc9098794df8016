//! Where in a regular expression over origins a defect is written.

use super::origin::Origin;
use super::probe::{Lookalike, NO_BOUNDARY, NO_END_ANCHOR, PREFIX, SUFFIX, UNESCAPED_DOT};
use std::ops::Range;

/// Where in the pattern the defect is written that lets the look-alike in: the dot that should be
/// escaped, the wildcard or first letter before which a boundary is missing, the end that is open.
/// Nothing if the text does not show it.
#[must_use]
pub fn locate_defect(pattern: &str, lookalike: &Lookalike) -> Option<Range<usize>> {
    let trusted = Origin::parse(&lookalike.trusted).ok()?;
    let host = trusted.web_host()?;
    let tokens = tokens(pattern);
    let domain = trusted.registrable_domain().unwrap_or(host);
    let name = domain.split('.').next()?;
    let place = || {
        find(pattern, &tokens, host)
            .or_else(|| find(pattern, &tokens, domain))
            .or_else(|| find(pattern, &tokens, name))
    };
    match lookalike.defect {
        UNESCAPED_DOT => unescaped_dot(pattern, &tokens, host, &lookalike.origin),
        NO_END_ANCHOR => open_end(pattern, &tokens, place().map_or(0, |found| found.end)),
        PREFIX => {
            let from = find(pattern, &tokens, name)?.end;
            let end = alternative_end(pattern, &tokens, from);
            (from + 1..=end)
                .find_map(|at| wildcard_before(pattern, &tokens, at))
                .or_else(|| open_end(pattern, &tokens, from))
        }
        NO_BOUNDARY => {
            let found = find(pattern, &tokens, domain).or_else(|| find(pattern, &tokens, name))?;
            // An unescaped dot there separates nothing either.
            let dot = || {
                let before = tokens.get(found.start.checked_sub(1)?)?;
                (&pattern[before.clone()] == ".").then(|| before.clone())
            };
            wildcard_before(pattern, &tokens, found.start)
                .or_else(dot)
                .or_else(|| Some(tokens[found.start].clone()))
        }
        SUFFIX => {
            let suffix = domain.split_once('.')?.1;
            let found = find(pattern, &tokens, suffix)?;
            let before = found.start.checked_sub(1)?;
            wildcard_before(pattern, &tokens, before)
                .or_else(|| wildcard_before(pattern, &tokens, found.start))
        }
        _ => None,
    }
}

/// The pattern cut into byte ranges: an escape, a class, `(?:` and the like, a quantifier or one
/// character each.
pub(crate) fn tokens(pattern: &str) -> Vec<Range<usize>> {
    let bytes = pattern.as_bytes();
    let mut tokens = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let rest = &bytes[at..];
        let length = match rest[0] {
            b'\\' => 1 + pattern[at + 1..].chars().next().map_or(0, char::len_utf8),
            b'[' => {
                let mut end = 1;
                end += usize::from(rest.get(end) == Some(&b'^'));
                end += usize::from(rest.get(end) == Some(&b']'));
                loop {
                    match rest.get(end) {
                        Some(b'\\') => end += 2,
                        Some(b']') => break end + 1,
                        Some(_) => end += 1,
                        // Not closed: then it is one character.
                        None => break 1,
                    }
                }
            }
            b'{' if is_counted(&pattern[at..]) => {
                rest.iter().position(|byte| *byte == b'}').unwrap_or(0) + 1
            }
            _ => pattern[at..].chars().next().map_or(1, char::len_utf8),
        };
        tokens.push(at..(at + length).min(bytes.len()));
        at += length;
    }
    tokens
}

/// The character that a token certainly or nearly stands for: itself, escaped, or in a class alone.
fn literal(token: &str) -> Option<char> {
    let mut characters = token.chars();
    match (characters.next()?, characters.next(), characters.next()) {
        (only, None, _) => Some(only),
        ('\\', Some(escaped), _) if !escaped.is_ascii_alphanumeric() => Some(escaped),
        ('[', Some(only), Some(']')) if token.len() == 3 => Some(only),
        _ => None,
    }
}

/// The range of tokens that spell the name, whether its dots are escaped or not.
fn find(pattern: &str, tokens: &[Range<usize>], name: &str) -> Option<Range<usize>> {
    let wanted: Vec<char> = name.chars().collect();
    let is_name = |at: usize| {
        tokens
            .get(at)
            .and_then(|token| literal(&pattern[token.clone()]))
            .is_some_and(|c| c.is_ascii_alphanumeric() || c == '-')
    };
    let spelled = |start: usize| {
        wanted.iter().enumerate().all(|(offset, c)| {
            tokens
                .get(start + offset)
                .and_then(|token| literal(&pattern[token.clone()]))
                .is_some_and(|found| found.eq_ignore_ascii_case(c))
        })
    };
    let starts: Vec<_> = (0..tokens.len()).filter(|start| spelled(*start)).collect();
    // A whole name is better than a part of a longer one.
    starts
        .iter()
        .copied()
        .find(|start| !is_name(start + wanted.len()) && !start.checked_sub(1).is_some_and(is_name))
        .or_else(|| starts.first().copied())
        .map(|start| start..start + wanted.len())
}

/// Does the token repeat the one before it?
fn is_quantifier(token: &str) -> bool {
    matches!(token, "*" | "+" | "?") || (token.len() > 1 && token.starts_with('{'))
}

/// Does the token stand for most characters of a host?
fn is_wide(token: &str) -> bool {
    matches!(token, "." | "\\w" | "\\S" | "\\D") || (token.len() > 3 && token.starts_with('['))
}

fn unescaped_dot(
    pattern: &str,
    tokens: &[Range<usize>],
    host: &str,
    other: &str,
) -> Option<Range<usize>> {
    let (_, other) = other.split_once("://")?;
    let at = host
        .bytes()
        .zip(other.bytes())
        .position(|(wanted, found)| wanted != found)?;
    let (left, right) = (host.get(..at)?, host.get(at + 1..)?);
    let left = left.rsplit('.').next()?;
    let right = right.split('.').next()?;
    let text = |at: usize| tokens.get(at).map(|token| &pattern[token.clone()]);
    let is_lone_dot = |at: usize| text(at) == Some(".") && !text(at + 1).is_some_and(is_quantifier);
    let starts_with = |at: usize, name: &str| {
        find(pattern, &tokens[at.min(tokens.len())..], name).is_some_and(|found| found.start == 0)
    };
    let ends_with = |at: usize, name: &str| {
        at.checked_sub(name.len()).is_some_and(|start| {
            find(pattern, &tokens[start..at], name).is_some_and(|found| found.start == 0)
        })
    };
    // The group that makes the dot optional may end between it and the label.
    let behind_group = |at: usize| {
        let is_group = |at: &usize| {
            text(*at).is_some_and(|token| matches!(token, "(" | ")" | "?" | ":" | "*" | "+"))
        };
        (at + 1..).find(|at| !is_group(at)).unwrap_or(at + 1)
    };
    let dots: Vec<_> = (0..tokens.len())
        .filter(|at| is_lone_dot(*at) && starts_with(behind_group(*at), right))
        .collect();
    // The label before it may be made by a class or group.
    dots.iter()
        .copied()
        .find(|at| ends_with(*at, left))
        .or_else(|| dots.first().copied())
        .map(|at| tokens[at].clone())
}

/// The wildcard that ends the alternative in which token `from` stands, or its last character if
/// no anchor ends it.
fn open_end(pattern: &str, tokens: &[Range<usize>], from: usize) -> Option<Range<usize>> {
    let end = alternative_end(pattern, tokens, from);
    let last = end.checked_sub(1)?;
    let anchored = matches!(&pattern[tokens[last].clone()], "$" | "\\z" | "\\Z");
    let body = if anchored { last } else { end };
    wildcard_before(pattern, tokens, body).or_else(|| (!anchored).then(|| tokens[last].clone()))
}

/// The first token behind the alternative, outside all groups, in which token `from` stands.
fn alternative_end(pattern: &str, tokens: &[Range<usize>], from: usize) -> usize {
    (from..tokens.len())
        .find(|at| &pattern[tokens[*at].clone()] == "|" && depth_before(pattern, tokens, *at) == 0)
        .unwrap_or(tokens.len())
}

/// How many groups are open before token `at`.
fn depth_before(pattern: &str, tokens: &[Range<usize>], at: usize) -> usize {
    tokens[..at]
        .iter()
        .fold(0usize, |depth, token| match &pattern[token.clone()] {
            "(" => depth + 1,
            ")" => depth.saturating_sub(1),
            _ => depth,
        })
}

/// The repeated class, dot or group of them that ends directly before token `at`.
fn wildcard_before(pattern: &str, tokens: &[Range<usize>], at: usize) -> Option<Range<usize>> {
    let text = |at: usize| &pattern[tokens[at].clone()];
    let end = at;
    let mut at = at.checked_sub(1)?;
    let mut quantified = false;
    while is_quantifier(text(at)) {
        quantified = true;
        at = at.checked_sub(1)?;
    }
    let token = text(at);
    let start = if token == ")" {
        let mut depth = 0usize;
        let open = (0..=at).rev().find(|at| {
            match text(*at) {
                ")" => depth += 1,
                "(" => depth = depth.saturating_sub(1),
                _ => {}
            }
            depth == 0
        })?;
        let holds_wildcard =
            (open + 1..at).any(|at| is_wide(text(at)) && is_quantifier(text(at + 1)));
        // A group with a name in it is more than a wildcard.
        let holds_name =
            (open + 1..at).any(|at| literal(text(at)).is_some_and(|c| c.is_ascii_alphanumeric()));
        (holds_wildcard && !holds_name).then_some(open)?
    } else if is_wide(token) && quantified {
        at
    } else {
        return None;
    };
    Some(tokens[start].start..tokens[end - 1].end)
}

/// Does the text start with `{n}`, `{n,}` or `{n,m}`?
pub(crate) fn is_counted(text: &str) -> bool {
    let Some(inside) = text[1..].split('}').next() else {
        return false;
    };
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let (min, max) = inside.split_once(',').unwrap_or((inside, ""));
    inside.len() + 1 < text.len() && !min.is_empty() && digits(min) && digits(max)
}

#[cfg(test)]
mod tests {
    use super::super::probe::{SUBSTRING, lookalikes};
    use super::*;

    fn located(pattern: &str, trusted: &str, origin: &str) -> Option<String> {
        let all = lookalikes(&[trusted.into()]);
        let lookalike = all.iter().find(|lookalike| lookalike.origin == origin);
        let lookalike = lookalike.unwrap_or_else(|| panic!("{origin} in {all:#?}"));
        let range = locate_defect(pattern, lookalike)?;
        Some(format!(
            "{}[{}]{}",
            &pattern[..range.start],
            &pattern[range.clone()],
            &pattern[range.end..]
        ))
    }

    #[test]
    fn defects_are_found_in_patterns() {
        for (trusted, origin, marked) in [
            (
                "https://example.com",
                "https://evilexample.com",
                r"^https://[.*]example\.com$",
            ),
            (
                "https://example.com",
                "https://evilexample.com",
                r"^https://[(.*)]example\.com$",
            ),
            (
                "https://example.com",
                "https://evilexample.com",
                r"[e]xample\.com$",
            ),
            (
                "https://app.example.com",
                "https://evilexample.com",
                r"^https://[.*]example.com$",
            ),
            (
                "https://app.example.com",
                "https://appxexample.com",
                r"^https://app[.]example.com$",
            ),
            (
                "https://www.example.com",
                "https://wwwxexample.com",
                r"^https://(www[.])?example.com$",
            ),
            (
                "https://app.example.com",
                "https://app-example.com",
                r"^https://.*[.]example\.com$",
            ),
            (
                "https://app.example.com",
                "https://app.example.com.evil.example",
                r"^https://app\.example\.co[m]",
            ),
            (
                "https://app.example.com",
                "https://app.example.com.evil.example",
                r"^https://app\.example\.com[.*]$",
            ),
            (
                "http://localhost",
                "http://localhost.evil.example",
                r"^https?://(localhost|foo\.bar|.+\.foo\.bar[)]",
            ),
            (
                "https://a.x.com",
                "https://a.x.com.evil.example",
                r"^https://a\.x\.co[m]|https://b\.x\.com$",
            ),
            (
                "https://example.com",
                "https://example.com.evil.example",
                r"^https://example\.com(:\d+)[?]",
            ),
            (
                "https://example.com",
                "https://example.net",
                r"^https://example\.[.*]$",
            ),
            (
                "https://example.com",
                "https://example.net",
                r"^https://example\.([\w+])(:\d+)?$",
            ),
            (
                "https://app.com",
                "https://evil.com",
                r"^https://[.*]\.com$",
            ),
        ] {
            let pattern = unmarked(marked);
            assert_eq!(
                located(&pattern, trusted, origin).as_deref(),
                Some(marked),
                "{pattern}"
            );
        }
    }

    /// Without the first pair of brackets that holds a mark.
    fn unmarked(marked: &str) -> String {
        let start = marked.find('[').unwrap();
        let end = start + marked[start..].find(']').unwrap();
        format!(
            "{}{}{}",
            &marked[..start],
            &marked[start + 1..end],
            &marked[end + 1..]
        )
    }

    #[test]
    fn a_defect_that_is_not_in_the_text_has_no_place() {
        let lookalike = |defect| Lookalike {
            origin: "https://appxexample.com".into(),
            trusted: "https://app.example.com".into(),
            defect,
        };
        assert_eq!(
            locate_defect(r"^https://app\.example\.com$", &lookalike(UNESCAPED_DOT)),
            None
        );
        assert_eq!(
            locate_defect(r"^https://app\.example\.com$", &lookalike(NO_END_ANCHOR)),
            None
        );
        assert_eq!(locate_defect("", &lookalike(NO_END_ANCHOR)), None);
        assert_eq!(locate_defect("x", &lookalike(SUBSTRING)), None);
    }
}
