//! The words in comments that suppress findings.
//!
//! ```text
//! corslint: ignore[rule, rule] until=2027-01-31 reason
//! corslint: ignore-file[rule] reason
//! ```

use std::ops::Range;
use std::path::Path;

use jiff::civil::Date;

use crate::spelling::edit_distance;
use crate::syntax::comments::comments;

/// What stands in front of every directive.
const MARK: &str = "corslint:";

/// One directive; places are byte offsets in its file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Directive {
    /// The ids with their places.
    pub rules: Vec<(String, Range<usize>)>,
    /// For the whole file, not for a finding beside it.
    pub file_wide: bool,
    /// The last day on which it counts.
    pub until: Option<Date>,
    /// Why the findings are no mistakes.
    pub reason: String,
    /// From the mark to the end of the reason.
    pub range: Range<usize>,
    /// The comment around it.
    pub comment: Range<usize>,
    /// What keeps it from doing anything.
    pub problem: Option<String>,
}

/// All directives of a file, in order.
pub fn directives(path: &Path, text: &str) -> Vec<Directive> {
    if !text.contains(MARK) {
        return Vec::new();
    }
    let comments = comments(path, text).into_iter();
    let found = comments.flat_map(|comment| {
        let inner = &text[comment.clone()];
        let closing = ["*/", "-->"];
        let closing = closing.iter().find(|sign| inner.ends_with(**sign));
        let inner = &inner[..inner.len() - closing.map_or(0, |sign| sign.len())];
        let mut start = comment.start;
        let lines = inner.split_inclusive('\n').map(|line| {
            let at = start;
            start += line.len();
            (at, line)
        });
        let found = lines.filter_map(|(at, line)| directive(line, at, comment.clone()));
        found.collect::<Vec<_>>()
    });
    found.collect()
}

/// The directive on one line of a comment.
fn directive(line: &str, start: usize, comment: Range<usize>) -> Option<Directive> {
    let line = line.trim_end();
    let at = line.match_indices(MARK).map(|(at, _)| at).find(|at| {
        // A word of its own: not in quotes.
        let before = line[..*at].chars().next_back();
        before.is_none_or(|c| c.is_whitespace() || matches!(c, '#' | '/' | '*' | '!' | '-'))
    })?;
    let behind = &line[at + MARK.len()..];
    let words = behind.trim_start();
    let end = words.find(|c: char| !(c.is_alphanumeric() || c == '-' || c == '_'));
    let (word, rest) = words.split_at(end.unwrap_or(words.len()));
    let list = rest.trim_start().starts_with('[');
    if !list && !word.to_ascii_lowercase().starts_with("ignor") {
        return None;
    }
    let mut directive = Directive {
        rules: Vec::new(),
        file_wide: word == "ignore-file",
        until: None,
        reason: String::new(),
        range: start + at..start + line.len(),
        comment,
        problem: None,
    };
    let rest_at = start + line.len() - rest.len();
    directive.problem = read(&mut directive, word, rest, rest_at).err();
    Some(directive)
}

fn read(directive: &mut Directive, word: &str, rest: &str, at: usize) -> Result<(), String> {
    if word != "ignore" && word != "ignore-file" {
        return Err(format!(
            "`{word}` is no directive; there are `ignore[…]` and `ignore-file[…]`"
        ));
    }
    let inner = rest.strip_prefix('[').ok_or_else(|| {
        format!(
            "`{word}` needs the ids of rules in brackets right behind it: `{word}[missing-vary]`"
        )
    })?;
    let (list, reason) = inner
        .split_once(']')
        .ok_or("the list of rules has no `]`")?;
    let mut start = at + 1;
    for item in list.split(',') {
        let id = item.trim();
        let from = start + item.len() - item.trim_start().len();
        if id.is_empty() {
            return Err("the list of rules has an empty place".into());
        }
        directive.rules.push((id.to_owned(), from..from + id.len()));
        start += item.len() + 1;
    }
    let mut words = Vec::new();
    for word in reason.split_whitespace() {
        match word.strip_prefix("until=") {
            None if means_until(words.last().copied().unwrap_or_default(), word) => {
                return Err(format!(
                    "`{word}` reads like a day on which it ends; write it as `until=2027-01-31`"
                ));
            }
            None => words.push(word),
            Some(_) if directive.until.is_some() => return Err("`until=` stands twice".into()),
            Some(date) => {
                let wrong = || format!("`{word}` is no date; write it as `until=2027-01-31`");
                let plain = date.len() == 10 && date.bytes().filter(|b| *b == b'-').count() == 2;
                let date = plain.then(|| date.parse().ok()).flatten();
                directive.until = Some(date.ok_or_else(wrong)?);
            }
        }
    }
    let reason = words.join(" ");
    directive.reason = reason
        .trim_start_matches([':', '-', '–', '—', ' '])
        .to_owned();
    Ok(())
}

/// Was `until=` meant: another name for it with a value (`untill=…`), or a date that follows it (`until 2027-01-31`)?
fn means_until(before: &str, word: &str) -> bool {
    let is_until = |name: &str| edit_distance(&name.to_ascii_lowercase(), "until") <= 2;
    let is_date = |text: &str| {
        let plain = text
            .bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b'-');
        plain && text.bytes().filter(|byte| *byte == b'-').count() == 2
    };
    match word.split_once(['=', ':']) {
        Some((name, value)) => !value.is_empty() && (is_until(name) || is_date(value)),
        None => is_date(word) && is_until(before.trim_end_matches([':', '='])),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(comment: &str) -> Option<Directive> {
        let mut found = directives(Path::new("nginx.conf"), comment);
        assert!(found.len() <= 1, "{found:?}");
        found.pop()
    }

    #[test]
    fn spellings_that_count() {
        for (text, rules, file_wide, until, reason) in [
            ("# corslint: ignore[a]", "a", false, None, ""),
            ("# corslint:ignore[a]", "a", false, None, ""),
            ("#corslint: ignore[a-b, c ,d]", "a-b c d", false, None, ""),
            (
                "## corslint: ignore[a] it is fine",
                "a",
                false,
                None,
                "it is fine",
            ),
            (
                "# corslint: ignore[a]: it is fine",
                "a",
                false,
                None,
                "it is fine",
            ),
            ("# corslint: ignore[a] -- fine", "a", false, None, "fine"),
            (
                "# corslint: ignore[a] ticket:20270101 since 2020-01-01, until they move",
                "a",
                false,
                None,
                "ticket:20270101 since 2020-01-01, until they move",
            ),
            ("# see T-1 corslint: ignore[a]", "a", false, None, ""),
            ("# corslint: ignore-file[a] x", "a", true, None, "x"),
            (
                "# corslint: ignore[a] until=2027-01-31 x",
                "a",
                false,
                Some("2027-01-31"),
                "x",
            ),
            (
                "# corslint: ignore[a] x until=2028-02-29",
                "a",
                false,
                Some("2028-02-29"),
                "x",
            ),
        ] {
            let found = one(text).expect(text);
            assert_eq!(found.problem, None, "{text}");
            let ids: Vec<_> = found.rules.iter().map(|(id, _)| id.as_str()).collect();
            assert_eq!(ids.join(" "), rules, "{text}");
            for (id, range) in &found.rules {
                assert_eq!(&text[range.clone()], id);
            }
            assert_eq!(found.file_wide, file_wide, "{text}");
            let date = found.until.map(|date| date.to_string());
            assert_eq!(date.as_deref(), until, "{text}");
            assert_eq!(found.reason, reason, "{text}");
            assert_eq!(
                &text[found.range],
                &text[text.find(MARK).expect("a mark")..]
            );
        }
    }

    #[test]
    fn spellings_that_suppress_nothing() {
        for text in [
            "# corslint: ignore",
            "# corslint: ignore missing-vary",
            "# corslint: ignore []",
            "# corslint: ignore[]",
            "# corslint: ignore[a,]",
            "# corslint: ignore[,a]",
            "# corslint: ignore[a",
            "# corslint: ignored[a]",
            "# corslint: Ignore[a]",
            "# corslint: ignore-line[a]",
            "# corslint: disable[a]",
            "# corslint: ignore[a] until=tomorrow",
            "# corslint: ignore[a] until=2027-02-30",
            "# corslint: ignore[a] until=2027-1-1",
            "# corslint: ignore[a] until=2027-01-01T00:00",
            "# corslint: ignore[a] until=2027-01-01 until=2028-01-01",
            "# corslint: ignore[a] untill=2027-01-01",
            "# corslint: ignore[a] UNTIL=2027-01-01 reason",
            "# corslint: ignore[a] until:2027-01-01",
            "# corslint: ignore[a] reason until: 2027-01-01",
            "# corslint: ignore[a] until 2027-01-01 reason",
            "# corslint: ignore[a] expires=2027-01-01",
        ] {
            let found = one(text).expect(text);
            assert!(found.problem.is_some(), "{text}");
        }
    }

    #[test]
    fn prose_is_no_directive() {
        for text in [
            "# corslint: a linter",
            "# the word `corslint: ignore[a]` is explained below",
            "# corslint ignore[a]",
            "add_header X \"# corslint: ignore[a]\";",
            "",
        ] {
            assert_eq!(one(text), None, "{text}");
        }
    }

    #[test]
    fn blocks_may_hold_several() {
        let text = "/*\n * corslint: ignore[a] x\n * corslint: ignore-file[b]\n */\nf(); /* corslint: ignore[c] y */";
        let found = directives(Path::new("a.js"), text);
        let ids: Vec<_> = found
            .iter()
            .map(|found| found.rules[0].0.as_str())
            .collect();
        assert_eq!(ids, ["a", "b", "c"]);
        assert_eq!(found[2].reason, "y");
    }
}
