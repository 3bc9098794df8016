//! Making patterns tighter.

/// Something put into a pattern: the offset, and the text.
pub(super) type Insertion = (usize, &'static str);

/// What can be done to a pattern, the smallest change first; with what it does, in the imperative.
pub(super) fn tightenings(pattern: &str) -> Vec<(&'static str, Vec<Insertion>)> {
    let parts = Parts::of(pattern);
    let mut ways = Vec::new();
    let mut add = |title, pieces: &[&[Insertion]]| {
        let mut insertions: Vec<Insertion> = pieces.concat();
        insertions.sort_unstable();
        if pieces.iter().all(|piece| !piece.is_empty()) {
            ways.push((title, insertions));
        }
    };
    let Parts {
        starts,
        ends,
        dots,
        boundaries,
    } = &parts;
    add("escape the dots of the pattern", &[dots]);
    add("anchor the end of the pattern", &[ends]);
    add("anchor the pattern", &[starts]);
    add("anchor the pattern", &[starts, ends]);
    add("anchor the pattern and escape its dots", &[ends, dots]);
    add("anchor the pattern and escape its dots", &[starts, dots]);
    add(
        "anchor the pattern and escape its dots",
        &[starts, ends, dots],
    );
    add("end the name before the domain with a dot", &[boundaries]);
    add(
        "end the name before the domain with a dot, and escape the dots",
        &[boundaries, dots],
    );
    add(
        "end the name before the domain with a dot, and anchor the pattern",
        &[boundaries, ends],
    );
    add(
        "end the name before the domain with a dot, anchor the pattern and escape its dots",
        &[boundaries, ends, dots],
    );
    ways
}

/// What a pattern lacks.
#[derive(Debug, Default, PartialEq, Eq)]
struct Parts {
    /// `^` before each alternative that begins with a scheme.
    starts: Vec<Insertion>,
    /// `$` behind each alternative.
    ends: Vec<Insertion>,
    /// A backslash before each dot that stands for one character.
    dots: Vec<Insertion>,
    /// A dot between any name and the domain behind it.
    boundaries: Vec<Insertion>,
}

impl Parts {
    fn of(pattern: &str) -> Self {
        let mut parts = Self::default();
        // `https://*.example.com` was meant as a glob: a tighter pattern would mean as little.
        if ["//*", "\\/\\/*"].iter().any(|glob| pattern.contains(glob)) {
            return parts;
        }
        let bytes = pattern.as_bytes();
        let mut depth = 0_usize;
        let mut class = false;
        let mut from = 0;
        let mut at = 0;
        while at < bytes.len() {
            let next = bytes.get(at + 1).copied();
            match bytes[at] {
                b'\\' => at += 1,
                b'[' if !class => class = true,
                b']' if class => class = false,
                _ if class => {}
                b'(' => depth += 1,
                b')' => depth = depth.saturating_sub(1),
                b'|' if depth == 0 => {
                    parts.alternative(pattern, from, at);
                    from = at + 1;
                }
                b'.' => match next {
                    Some(b'*' | b'+') => parts.boundary(pattern, at),
                    Some(b'?' | b'{') => {}
                    _ => parts.dots.push((at, "\\")),
                },
                _ => {}
            }
            at += 1;
        }
        parts.alternative(pattern, from, bytes.len());
        parts
    }

    fn alternative(&mut self, pattern: &str, from: usize, to: usize) {
        let text = pattern.get(from..to).unwrap_or_default();
        if text.trim_start_matches(['(', '?', ':']).starts_with("http") {
            self.starts.push((from, "^"));
        }
        let ended =
            ["$", "\\z", "\\Z"].iter().any(|end| text.ends_with(end)) && !text.ends_with("\\$");
        // Behind `.*` an end changes nothing.
        let open = [".*", ".+"].iter().any(|end| text.ends_with(end));
        if !ended && !open && !text.is_empty() {
            self.ends.push((to, "$"));
        }
    }

    /// `.*example` or `.+example` right behind `//`.
    fn boundary(&mut self, pattern: &str, at: usize) {
        let before = &pattern[..at];
        let behind = pattern.get(at + 2..).unwrap_or_default();
        let slashes = before.ends_with("//") || before.ends_with("\\/\\/");
        if !slashes || !behind.starts_with(|c: char| c.is_ascii_alphanumeric()) {
            return;
        }
        if pattern.as_bytes()[at + 1] == b'*' {
            self.boundaries.push((at, "(?:"));
            self.boundaries.push((at + 2, "\\.)?"));
        } else {
            self.boundaries.push((at + 2, "\\."));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(pattern: &str, insertions: &[Insertion]) -> String {
        let mut text = pattern.to_owned();
        for (at, piece) in insertions.iter().rev() {
            text.insert_str(*at, piece);
        }
        text
    }

    #[test]
    fn what_is_missing_is_found() {
        let all = |pattern: &str| {
            let parts = Parts::of(pattern);
            let mut all = [parts.starts, parts.ends, parts.dots, parts.boundaries].concat();
            all.sort_unstable();
            with(pattern, &all)
        };
        for (pattern, tight) in [
            ("^https://app.example.com$", r"^https://app\.example\.com$"),
            (
                r"^https://app\.example\.com",
                r"^https://app\.example\.com$",
            ),
            (
                r"https://a\.com|https://b\.com",
                r"^https://a\.com$|^https://b\.com$",
            ),
            (r"^https://(a|b)\.com$", r"^https://(a|b)\.com$"),
            (r"^https://[a.]+\.com$", r"^https://[a.]+\.com$"),
            (
                r"^https://.*example\.com$",
                r"^https://(?:.*\.)?example\.com$",
            ),
            (
                r"^https:\/\/.+example\.com$",
                r"^https:\/\/.+\.example\.com$",
            ),
            (r"^https://.*\.example\.com$", r"^https://.*\.example\.com$"),
            (r"^https://a\.com.*", r"^https://a\.com.*"),
            ("https://*.example.com", "https://*.example.com"),
            (r"https:\/\/*.example.com", r"https:\/\/*.example.com"),
        ] {
            assert_eq!(all(pattern), tight, "{pattern}");
        }
    }

    #[test]
    fn the_smallest_change_comes_first() {
        let pattern = "^https://a.com";
        let ways: Vec<_> = tightenings(pattern)
            .into_iter()
            .map(|(_, way)| with(pattern, &way))
            .collect();
        assert_eq!(
            ways,
            [r"^https://a\.com", "^https://a.com$", r"^https://a\.com$"]
        );
    }
}
