//! Path patterns: `PathPattern` (spring-web, `org.springframework.web.util.pattern`).

/// A parsed pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct PathPattern {
    text: String,
    segments: Vec<Segment>,
    /// It ends in a slash.
    slash: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Segment {
    /// Texts between stars; one without a star is compared as a whole. `?` stands for one character.
    Glob(Vec<String>),
    /// `**`, `{*rest}`: any number of segments.
    Rest,
    /// A variable with a regular expression, or more than one in a segment.
    Regex(Option<String>),
}

impl PathPattern {
    /// A pattern as written. Nothing if Spring refuses it: `**` or `{*x}` in the middle.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let body = text.strip_prefix('/').unwrap_or(text);
        let slash = text.len() > 1 && text.ends_with('/');
        let body = body.strip_suffix('/').unwrap_or(body);
        let mut segments = Vec::new();
        for part in split_segments(body) {
            segments.push(Segment::parse(&part));
        }
        let last = segments.len().saturating_sub(1);
        let refused = segments
            .iter()
            .enumerate()
            .any(|(at, segment)| *segment == Segment::Rest && at != last && at != 0);
        (!refused).then(|| Self {
            text: text.to_owned(),
            segments,
            slash,
        })
    }

    /// `/**`.
    pub(super) fn all() -> Self {
        Self {
            text: "/**".into(),
            segments: vec![Segment::Rest],
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
        let parts: Vec<&str> = if body.is_empty() {
            Vec::new()
        } else {
            body.split('/').collect()
        };
        let open = self.segments.contains(&Segment::Rest);
        if strict && !open && ends != self.slash {
            return false;
        }
        matches_segments(&self.segments, &parts)
    }

    /// A path that the pattern matches.
    pub(super) fn example(&self) -> String {
        let mut path = String::new();
        for segment in &self.segments {
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
        self.matches(&example, false)
            && (!other.segments.contains(&Segment::Rest) || self.matches(&deeper, false))
    }

    /// How special it is: literal characters first (`PathPattern.compareTo`, roughly).
    pub(super) fn specificity(&self) -> (bool, usize, usize) {
        let open = self.segments.contains(&Segment::Rest);
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
                Some((_, pattern)) => Self::Regex(Some(pattern.to_owned())),
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
            Self::Regex(Some(pattern)) => regex::RegexBuilder::new(&format!("^(?:{pattern})$"))
                .size_limit(1 << 20)
                .build()
                .is_ok_and(|regex| regex.is_match(part)),
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

fn matches_segments(pattern: &[Segment], parts: &[&str]) -> bool {
    match pattern.split_first() {
        None => parts.is_empty(),
        Some((Segment::Rest, [])) => true,
        Some((Segment::Rest, rest)) => {
            (0..=parts.len()).any(|skip| matches_segments(rest, &parts[skip..]))
        }
        Some((segment, rest)) => parts
            .split_first()
            .is_some_and(|(part, others)| segment.matches(part) && matches_segments(rest, others)),
    }
}

fn glob(parts: &[String], text: &str) -> bool {
    let text: Vec<char> = text.chars().collect();
    let parts: Vec<Vec<char>> = parts.iter().map(|part| part.chars().collect()).collect();
    fn at(parts: &[Vec<char>], text: &[char], first: bool) -> bool {
        let Some((part, rest)) = parts.split_first() else {
            return text.is_empty();
        };
        let fits = |from: usize| {
            text.len() >= from + part.len()
                && part
                    .iter()
                    .zip(&text[from..])
                    .all(|(known, c)| known == c || *known == '?')
        };
        if first {
            return fits(0) && at(rest, &text[part.len()..], false);
        }
        if rest.is_empty() {
            return text.len() >= part.len() && fits(text.len() - part.len());
        }
        // The leftmost place is as good as any other.
        (0..=text.len())
            .find(|from| fits(*from))
            .is_some_and(|from| at(rest, &text[from + part.len()..], false))
    }
    at(&parts, &text, true)
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
            ("/", "/", true),
            ("", "/", true),
            ("/**/x", "/a/b/x", true),
        ] {
            let parsed = PathPattern::parse(pattern).expect("a pattern");
            assert_eq!(parsed.matches(path, true), expected, "{pattern} {path}");
        }
        assert!(PathPattern::parse("/a/**/b").is_none());
        assert!(PathPattern::parse("/a/{*b}/c").is_none());
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
