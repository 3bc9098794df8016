//! Near misses of names.

/// The response headers of the CORS protocol, as they are usually written.
const RESPONSE_HEADERS: [&str; 7] = [
    "Access-Control-Allow-Origin",
    "Access-Control-Allow-Credentials",
    "Access-Control-Allow-Methods",
    "Access-Control-Allow-Headers",
    "Access-Control-Expose-Headers",
    "Access-Control-Max-Age",
    "Access-Control-Allow-Private-Network",
];

/// The header of the CORS protocol that a name which nobody knows nearly is.
pub(crate) fn misspelt_header(name: &str) -> Option<&'static str> {
    let lower = name.to_ascii_lowercase();
    let is_known = |known: &&str| known.eq_ignore_ascii_case(name);
    if !lower.starts_with("access-") || RESPONSE_HEADERS.iter().any(is_known) {
        return None;
    }
    let distances = RESPONSE_HEADERS.iter().map(|known| {
        let known_lower = known.to_ascii_lowercase();
        (edit_distance(&lower, &known_lower), *known)
    });
    let (edits, nearest) = distances.min()?;
    (edits == 1 || edits == 2).then_some(nearest)
}

/// Of some names, the one that was probably meant: the one that is fewest edits away, if they are no
/// more than `most`, or one of which `name` is a part, or that is a part of it.
pub(crate) fn nearest<'n>(
    name: &str,
    known: impl Iterator<Item = &'n str> + Clone,
    most: usize,
) -> Option<&'n str> {
    let distances = known
        .clone()
        .map(|other| (edit_distance(name, other), other));
    let near = distances.min().filter(|(edits, _)| *edits <= most);
    let mut known = known;
    let part = || {
        known.find(|other| {
            let shorter = name.len().min(other.len());
            shorter > 3 && (other.contains(name) || name.contains(other))
        })
    };
    near.map(|(_, other)| other).or_else(part)
}

/// How many insertions, deletions and replacements make `a` into `b` (Levenshtein distance).
pub(crate) fn edit_distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(x != *y);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::{edit_distance, misspelt_header, nearest};

    #[test]
    fn edits_are_counted() {
        assert_eq!(edit_distance("missing-vary", "missing-vary"), 0);
        assert_eq!(edit_distance("mising-vary", "missing-vary"), 1);
        assert_eq!(edit_distance("", "abc"), 3);
        assert_eq!(edit_distance("kitten", "sitting"), 3);
    }

    #[test]
    fn the_name_that_was_meant_is_found() {
        let known = ["missing-vary", "missing-always", "any-origin", "origins"];
        let near = |name: &str| nearest(name, known.into_iter(), 3);
        assert_eq!(near("mising-vary"), Some("missing-vary"));
        assert_eq!(near("always"), Some("missing-always"));
        assert_eq!(near("cors_origins"), Some("origins"));
        assert_eq!(near("any"), None);
        assert_eq!(near("something"), None);
    }

    #[test]
    fn a_near_miss_of_a_header_is_found() {
        let meant = misspelt_header("Access-Control-Allow-Orgin");
        assert_eq!(meant, Some("Access-Control-Allow-Origin"));
        assert_eq!(misspelt_header("Access-Control-Allow-Origin"), None);
        assert_eq!(misspelt_header("Access-Control-Request-Method"), None);
        assert_eq!(misspelt_header("Content-Type"), None);
    }
}
