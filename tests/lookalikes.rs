//! Patterns as people write them, judged by the engine that nginx uses: what is trusted, which
//! look-alikes get in, and where the pattern says so.

use corslint::model::{Lookalike, locate_defect, lookalikes, sample_pattern};
use pcre2::bytes::Regex;

/// The accepted samples, and the look-alikes of them that the pattern lets in.
fn probe(pattern: &str) -> (Vec<String>, Vec<Lookalike>) {
    let regex = Regex::new(pattern).expect("a pattern");
    let accepts = |origin: &str| regex.is_match(origin.as_bytes()).expect("a match");
    let trusted: Vec<_> = sample_pattern(pattern, 32)
        .into_iter()
        .filter(|origin| accepts(origin))
        .collect();
    let admitted = lookalikes(&trusted)
        .into_iter()
        .filter(|lookalike| accepts(&lookalike.origin))
        .collect();
    (trusted, admitted)
}

#[test]
fn loose_patterns_let_a_stranger_in() {
    for (pattern, witness, defect, marked) in [
        (
            r"^https://app\.example\.com",
            "https://app.example.com.evil.example",
            "no end anchor",
            "m",
        ),
        (
            r"^https?://(localhost|foo\.bar|.+\.foo\.bar)",
            "http://foo.bar.evil.example",
            "no end anchor",
            ")",
        ),
        (
            r"^https://a\.x\.com|https://b\.x\.com$",
            "https://a.x.com.evil.example",
            "no end anchor",
            "m",
        ),
        (
            r"^https://app\.example\.com.*$",
            "https://app.example.com.evil.example",
            "no end anchor",
            ".*",
        ),
        (
            r"^https://app.example.com$",
            "https://appxexample.com",
            "unescaped dot",
            ".",
        ),
        (
            r"^https://(www.)?example\.com$",
            "https://wwwxexample.com",
            "unescaped dot",
            ".",
        ),
        (
            r"^https://.*.example\.com$",
            "https://evilexample.com",
            "no boundary before the domain",
            ".",
        ),
        (
            r"^https://(.*)example\.com$",
            "https://evilexample.com",
            "no boundary before the domain",
            "(.*)",
        ),
        (
            r"example\.com$",
            "https://evilexample.com",
            "no boundary before the domain",
            "e",
        ),
        (
            r"(example|foo)\.com$",
            "https://evilfoo.com",
            "no boundary before the domain",
            "f",
        ),
        (
            r"^https://(www\.)?example\.[a-z]+$",
            "https://example.com",
            "prefix",
            "[a-z]+",
        ),
        (
            r"^https://[a-z]+\.com$",
            "https://evil.com",
            "suffix",
            "[a-z]+",
        ),
    ] {
        let (trusted, admitted) = probe(pattern);
        assert!(!trusted.is_empty(), "{pattern}");
        let first = admitted.first().expect(pattern);
        let place = locate_defect(pattern, first).map(|range| &pattern[range]);
        assert_eq!(
            (first.origin.as_str(), first.defect, place),
            (witness, defect, Some(marked)),
            "{pattern} {trusted:?}"
        );
    }
}

#[test]
fn tight_patterns_let_nobody_in() {
    for pattern in [
        r"^https://(.*\.)?example\.(com|org)$",
        r"^https://([a-z0-9-]+\.)*example\.com(:\d+)?$",
        r"^https://.*\.example\.com$",
        r"^https://[^/]+\.example\.com$",
        r"^https://(?:app|www)\.example\.com$",
        r"^https?://(app|www)\.example\.co\.uk$",
        r"^https://(app\.example\.com|app\.example\.net|example\.org)$",
        r"^http://localhost(:\d+)?$",
        r"^https?://(localhost|127\.0\.0\.1|\[::1\])(:[0-9]+)?$",
        r"^https://app\.example\.com(:[0-9]{2,5})?$",
        r"^https://myapp-[a-z0-9]+\.vercel\.app$",
        r"^https://[a-z0-9-]+\.app\.example\.com$",
        // The dot before the public suffix stands for nothing that anyone can register.
        r"^https://example.com$",
        r"^(https://a\.example\.com|https://b\.example\.com)$",
        r"^https://(?!evil)[\w-]+\.example\.com$",
        r"\Ahttps://app\.example\.com\z",
        r"^capacitor://localhost$",
        // More digits are another port of the same machine.
        r"^http://localhost:3000|https://app\.example\.com$",
    ] {
        let (trusted, admitted) = probe(pattern);
        assert!(!trusted.is_empty(), "{pattern}");
        assert_eq!(admitted, [], "{pattern} {trusted:?}");
    }
}
