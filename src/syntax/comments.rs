//! Where the comments of a file are, by the syntax of its language.

use std::ops::Range;
use std::path::Path;
use std::sync::OnceLock;

use tree_sitter::{Query, QueryCursor, StreamingIterator as _};

use super::tree::{self, Grammar};

const JAVASCRIPT: &str = include_str!("../../grammars/javascript/comments.scm");
const JAVA: &str = include_str!("../../grammars/java/comments.scm");
const KOTLIN: &str = include_str!("../../grammars/kotlin/comments.scm");
const PYTHON: &str = include_str!("../../grammars/python/comments.scm");

/// The comments of a text, with their signs, in order. The language is told by the path's ending; a
/// file without a known one is nginx's.
#[must_use]
pub fn comments(path: &Path, text: &str) -> Vec<Range<usize>> {
    let ending = path.extension().and_then(|ending| ending.to_str());
    let ending = ending.unwrap_or_default().to_ascii_lowercase();
    match ending.as_str() {
        "js" | "cjs" | "mjs" | "jsx" | "ts" | "cts" | "mts" | "tsx" => {
            parsed(super::javascript::grammar(path), text)
        }
        "py" | "pyw" => parsed(Grammar::Python, text),
        "java" => parsed(Grammar::Java, text),
        "kt" => parsed(Grammar::Kotlin, text),
        "xml" => xml(text),
        "yaml" | "yml" => yaml(text),
        "properties" => properties(text),
        _ => super::nginx::comments(text),
    }
}

/// The query of a grammar, compiled once.
fn query(grammar: Grammar) -> Option<&'static Query> {
    static QUERIES: [OnceLock<Option<Query>>; Grammar::COUNT] =
        [const { OnceLock::new() }; Grammar::COUNT];
    let text = match grammar {
        Grammar::Java => JAVA,
        Grammar::JavaScript | Grammar::Tsx | Grammar::TypeScript => JAVASCRIPT,
        Grammar::Kotlin => KOTLIN,
        Grammar::Python => PYTHON,
    };
    let compile = || Query::new(&grammar.language(), text).ok();
    QUERIES[grammar as usize].get_or_init(compile).as_ref()
}

/// The nodes that the query of a grammar captures.
fn parsed(grammar: Grammar, text: &str) -> Vec<Range<usize>> {
    let Some((query, tree)) = query(grammar).zip(tree::parse(grammar, text)) else {
        return Vec::new();
    };
    let mut found = Vec::new();
    let mut cursor = QueryCursor::new();
    let mut captures = cursor.captures(query, tree.root_node(), text.as_bytes());
    while let Some((captured, index)) = captures.next() {
        found.push(captured.captures()[*index].node.byte_range());
    }
    found
}

fn xml(text: &str) -> Vec<Range<usize>> {
    let starts = text.match_indices("<!--").map(|(start, _)| start);
    let mut end = 0;
    let mut found = Vec::new();
    for start in starts {
        if start >= end {
            let length = text[start..].find("-->").map(|length| length + 3);
            end = length.map_or(text.len(), |length| start + length);
            found.push(start..end);
        }
    }
    found
}

/// A `#` at the start of a line or behind white space, not in quotes on its line.
fn yaml(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    for (start, line) in lines(text) {
        let mut quote = None;
        let mut before = ' ';
        for (at, c) in line.char_indices() {
            match (quote, c) {
                (None, '#') if before.is_whitespace() => {
                    found.push(start + at..start + line.len());
                    break;
                }
                (None, '"' | '\'') if !before.is_alphanumeric() => quote = Some(c),
                (Some(open), _) if open == c && before != '\\' => quote = None,
                _ => {}
            }
            before = c;
        }
    }
    found
}

/// A line whose first sign is `#` or `!`.
fn properties(text: &str) -> Vec<Range<usize>> {
    let comments = lines(text).filter_map(|(start, line)| {
        let sign = line.find(|c: char| !c.is_whitespace())?;
        line[sign..]
            .starts_with(['#', '!'])
            .then(|| start + sign..start + line.len())
    });
    comments.collect()
}

/// Lines without their breaks, with their starts.
fn lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut start = 0;
    text.split_inclusive('\n').map(move |line| {
        let at = start;
        start += line.len();
        (at, line.trim_end_matches(['\n', '\r']))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(name: &str, text: &str, expected: &[&str]) {
        let found = comments(Path::new(name), text);
        let found: Vec<&str> = found.into_iter().map(|range| &text[range]).collect();
        assert_eq!(found, expected, "{name}");
    }

    #[test]
    fn every_language_has_its_own_comments() {
        check(
            "nginx.conf",
            "# a\nadd_header X \"# b\" always; # c\nset $x y#d; #e",
            &["# a", "# c", "#e"],
        );
        check(
            "a.ts",
            "// a\nconst x: string = '// b'; /* c\n d */ `// e`; /\\/\\/ f/;",
            &["// a", "/* c\n d */"],
        );
        check(
            "a.py",
            "# a\nx = '# b' # c\n'''\n# d\n'''\n",
            &["# a", "# c"],
        );
        check(
            "A.java",
            "// a\nString x = \"// b\"; /* c */ char y = '\"'; // d\n\"\"\"\n// e\n\"\"\"",
            &["// a", "/* c */", "// d"],
        );
        check("a.kt", "val x = \"\\\" // a\" // b", &["// b"]);
        check(
            "a.xml",
            "<a><!-- b\n c --><d/><!--e",
            &["<!-- b\n c -->", "<!--e"],
        );
        check(
            "a.yml",
            "# a\nb: \"# c\" # d\ne: f#g\nh: it's # i\n",
            &["# a", "# d", "# i"],
        );
        check("a.properties", "# a\n  ! b\nc=d # e\n", &["# a", "! b"]);
    }

    #[test]
    fn unfinished_and_odd_texts_have_an_end() {
        for name in [
            "x.conf",
            "x.js",
            "x.py",
            "x.java",
            "x.xml",
            "x.yml",
            "x.properties",
        ] {
            for text in ["", "\"", "/*", "'''", "<!--", "#", "é\"\\", "\r\n#é\r\n"] {
                for range in comments(Path::new(name), text) {
                    assert!(text.get(range).is_some(), "{name} {text:?}");
                }
            }
        }
    }
}
