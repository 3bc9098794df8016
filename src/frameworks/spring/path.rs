//! Path patterns: `PathPattern` (spring-web, `org.springframework.web.util.pattern`).

use std::sync::Arc;

use regex::Regex;

/// A parsed pattern. Copies share what was parsed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct PathPattern {
    text: Arc<str>,
    segments: Arc<[Segment]>,
    /// It ends in a slash.
    slash: bool,
}

/// The regular expression of a variable, compiled once.
#[derive(Clone, Debug)]
struct Variable {
    text: String,
    /// Nothing if it is none that is understood.
    regex: Option<Regex>,
}

impl PartialEq for Variable {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Variable {}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Segment {
    /// Texts between stars; one without a star is compared as a whole. `?` stands for one character.
    Glob(Vec<String>),
    /// `**`, `{*rest}`: any number of segments.
    Rest,
    /// A variable with a regular expression, or more than one in a segment.
    Regex(Option<Variable>),
}

impl PathPattern {
    /// A pattern as written. Nothing if Spring refuses it: `**` or `{*x}` in the middle.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let parsed = Self::read(text);
        let last = parsed.segments.len().saturating_sub(1);
        let mut rests = parsed.segments.iter().enumerate();
        let refused = rests.any(|(at, segment)| *segment == Segment::Rest && at != last && at != 0);
        (!refused).then_some(parsed)
    }

    /// A pattern of `AntPathMatcher`, which takes `**` everywhere.
    pub(super) fn parse_ant(text: &str) -> Self {
        Self::read(text)
    }

    fn read(text: &str) -> Self {
        let body = text.strip_prefix('/').unwrap_or(text);
        let slash = text.len() > 1 && text.ends_with('/');
        let body = body.strip_suffix('/').unwrap_or(body);
        let mut segments = Vec::new();
        for part in split_segments(body) {
            segments.push(Segment::parse(&part));
        }
        Self {
            text: text.into(),
            segments: segments.into(),
            slash,
        }
    }

    /// `/**`.
    pub(super) fn all() -> Self {
        Self {
            text: "/**".into(),
            segments: [Segment::Rest].into(),
            slash: false,
        }
    }

    /// The pattern as written.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// Does it match a path? `strict`: a slash at the end makes a difference.
    pub(super) fn matches(&self, path: &str, strict: bool) -> bool {
        if !self.text.starts_with('/') && !self.text.is_empty() {
            return false;
        }
        let body = path.strip_prefix('/').unwrap_or(path);
        let ends = path.len() > 1 && path.ends_with('/');
        let body = body.strip_suffix('/').unwrap_or(body);
        if strict && ends != self.slash && !self.is_open() {
            return false;
        }
        matches_segments(&self.segments, (!body.is_empty()).then_some(body))
    }

    /// Does it match paths of any length?
    fn is_open(&self) -> bool {
        self.segments.contains(&Segment::Rest)
    }

    /// Does more follow `**` at its start?
    pub(super) fn begins_open(&self) -> bool {
        self.segments.len() > 1 && self.segments[0] == Segment::Rest
    }

    /// A path that the pattern matches.
    pub(super) fn example(&self) -> String {
        let mut path = String::new();
        for segment in &*self.segments {
            match segment {
                Segment::Glob(parts) => {
                    path.push('/');
                    let text = parts.join("x").replace('?', "x");
                    path.push_str(if text.is_empty() { "x" } else { &text });
                }
                Segment::Rest => {}
                Segment::Regex(_) => path.push_str("/1"),
            }
        }
        if path.is_empty() {
            path.push('/');
        }
        path
    }

    /// Does every path that `other` matches, as far as its example shows, match this one?
    pub(super) fn covers(&self, other: &Self) -> bool {
        let example = other.example();
        let deeper = format!("{}/x/y", example.trim_end_matches('/'));
        self.matches(&example, false) && (!other.is_open() || self.matches(&deeper, false))
    }

    /// How special it is: literal characters first (`PathPattern.compareTo`, roughly).
    pub(super) fn specificity(&self) -> (bool, usize, usize) {
        let open = self.is_open();
        let literal = self.segments.iter().map(|segment| match segment {
            Segment::Glob(parts) => parts.iter().map(String::len).sum(),
            _ => 0_usize,
        });
        let plain = self
            .segments
            .iter()
            .filter(|segment| matches!(segment, Segment::Glob(parts) if parts.len() == 1));
        (!open, plain.count(), literal.sum())
    }
}

impl Segment {
    fn parse(part: &str) -> Self {
        if part == "**" || (part.starts_with("{*") && part.ends_with('}')) {
            return Self::Rest;
        }
        let variable = part
            .strip_prefix('{')
            .and_then(|rest| rest.strip_suffix('}'))
            .filter(|inner| !inner.contains(['{', '}']) || inner.contains(':'));
        match variable {
            Some(inner) => match inner.split_once(':') {
                Some((_, pattern)) => Self::Regex(Some(Variable {
                    text: pattern.to_owned(),
                    regex: regex::RegexBuilder::new(&format!("^(?:{pattern})$"))
                        .size_limit(1 << 20)
                        .build()
                        .ok(),
                })),
                None => Self::Glob(vec![String::new(), String::new()]),
            },
            None if part.contains('{') => Self::Regex(None),
            None => Self::Glob(part.split('*').map(str::to_owned).collect()),
        }
    }

    fn matches(&self, part: &str) -> bool {
        match self {
            Self::Rest => true,
            Self::Glob(parts) => !part.is_empty() && glob(parts, part),
            Self::Regex(Some(variable)) => variable
                .regex
                .as_ref()
                .is_some_and(|regex| regex.is_match(part)),
            Self::Regex(None) => !part.is_empty(),
        }
    }
}

/// Segments of a pattern; a slash inside braces separates nothing.
fn split_segments(body: &str) -> Vec<String> {
    let mut parts = Vec::new();
    let (mut part, mut depth) = (String::new(), 0_u32);
    for c in body.chars() {
        match c {
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            '/' if depth == 0 => {
                parts.push(std::mem::take(&mut part));
                continue;
            }
            _ => {}
        }
        part.push(c);
    }
    if !part.is_empty() || !parts.is_empty() {
        parts.push(part);
    }
    parts
}

/// `path`: what is left of the path without a slash before it; nothing: it is at its end.
fn matches_segments(pattern: &[Segment], path: Option<&str>) -> bool {
    let Some((segment, rest)) = pattern.split_first() else {
        return path.is_none();
    };
    if *segment == Segment::Rest {
        let mut left = path;
        loop {
            if rest.is_empty() || matches_segments(rest, left) {
                return true;
            }
            let Some(text) = left else { return false };
            left = text.split_once('/').map(|(_, after)| after);
        }
    }
    let Some(path) = path else { return false };
    match path.split_once('/') {
        Some((part, after)) => segment.matches(part) && matches_segments(rest, Some(after)),
        None => segment.matches(path) && matches_segments(rest, None),
    }
}

/// Do texts with stars between them match? `?` stands for one character.
fn glob(parts: &[String], text: &str) -> bool {
    let Some((first, rest)) = parts.split_first() else {
        return text.is_empty();
    };
    let Some(mut text) = after(first, text) else {
        return false;
    };
    let Some((last, middle)) = rest.split_last() else {
        return text.is_empty();
    };
    for part in middle {
        // The leftmost place is as good as any other.
        let found = text
            .char_indices()
            .map(|(at, _)| at)
            .chain([text.len()])
            .find_map(|at| after(part, &text[at..]));
        match found {
            Some(rest) => text = rest,
            None => return false,
        }
    }
    let length = last.chars().count();
    let start = match length.checked_sub(1) {
        None => Some(text.len()),
        Some(back) => text.char_indices().rev().nth(back).map(|(at, _)| at),
    };
    start.is_some_and(|start| after(last, &text[start..]) == Some(""))
}

/// What follows `part` at the start of a text.
fn after<'t>(part: &str, text: &'t str) -> Option<&'t str> {
    if !part.contains('?') {
        return text.strip_prefix(part);
    }
    let mut rest = text.chars();
    for known in part.chars() {
        let c = rest.next()?;
        if known != '?' && known != c {
            return None;
        }
    }
    Some(rest.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Expected values: `PathPatternTests`.
    #[test]
    fn patterns_match_as_spring_says() {
        for (pattern, path, expected) in [
            ("/api/**", "/api", true),
            ("/api/**", "/api/", true),
            ("/api/**", "/api/a/b", true),
            ("/api/**", "/apix", false),
            ("/api/*", "/api/a", true),
            ("/api/*", "/api", false),
            ("/api/*", "/api/", false),
            ("/api/*", "/api/a/b", false),
            ("/*", "/a", true),
            ("/*", "/", false),
            ("/*", "/a/b", false),
            ("/**", "/", true),
            ("/**", "/a/b", true),
            ("*", "/a", false),
            ("**", "/a", false),
            ("/api", "/api", true),
            ("/api", "/api/", false),
            ("/api", "/api/a", false),
            ("/a/{id}", "/a/7", true),
            ("/a/{id}", "/a", false),
            ("/a/{id:\\d+}", "/a/7", true),
            ("/a/{id:\\d+}", "/a/x", false),
            ("/a/{*rest}", "/a/b/c", true),
            ("/a/{*rest}", "/a", true),
            ("/a?c", "/abc", true),
            ("/*.html", "/a.html", true),
            ("/*.html", "/a.htm", false),
            ("/a*b*c", "/axbxc", true),
            ("/a*b*c", "/abcd", false),
            ("/a*a", "/a", false),
            ("/*é?", "/xéy", true),
            ("/**/x", "/a/x/b", false),
            ("/a//b", "/a/b", false),
            ("/", "/", true),
            ("", "/", true),
            ("/**/x", "/a/b/x", true),
        ] {
            let parsed = PathPattern::parse(pattern).expect("a pattern");
            assert_eq!(parsed.matches(path, true), expected, "{pattern} {path}");
        }
        assert!(PathPattern::parse("/a/**/b").is_none());
        assert!(PathPattern::parse("/a/{*b}/c").is_none());
        // `AntPathMatcherTests`
        let ant = PathPattern::parse_ant("/a/**/b");
        assert!(ant.matches("/a/x/y/b", false) && ant.matches("/a/b", false));
        assert!(!ant.matches("/a/b/c", false));
        let old = PathPattern::parse("/api").expect("a pattern");
        assert!(old.matches("/api/", false));
    }

    #[test]
    fn examples_match_their_pattern() {
        for pattern in [
            "/**",
            "/api/**",
            "/a/*/b",
            "/a/{id}",
            "/x?y/*.json",
            "/a/{n:\\d}",
        ] {
            let parsed = PathPattern::parse(pattern).expect("a pattern");
            assert!(parsed.matches(&parsed.example(), true), "{pattern}");
        }
    }

    #[test]
    fn the_more_special_pattern_comes_first() {
        let rank = |text: &str| PathPattern::parse(text).expect("a pattern").specificity();
        assert!(rank("/api/items") > rank("/api/{id}"));
        assert!(rank("/api/{id}") > rank("/api/**"));
        assert!(rank("/api/**") > rank("/**"));
    }
}
