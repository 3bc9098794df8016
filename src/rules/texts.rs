//! Texts of findings: `{path}` placeholders and cases.

use super::definition::{Text, Texts};
use super::expression::{Decision, Expression, Names, Scope};
use cel::Context;

/// The paths in a text's placeholders. A `{` that no path follows (code has many) is a plain
/// character: a path is made of lower-case names, `.`, `_` and `[digits]`.
pub(super) fn placeholders(text: &str) -> impl Iterator<Item = &str> {
    split(text).filter_map(|piece| match piece {
        Piece::Path(path) => Some(path),
        Piece::Plain(_) => None,
    })
}

enum Piece<'a> {
    Plain(&'a str),
    Path(&'a str),
}

fn split(text: &str) -> impl Iterator<Item = Piece<'_>> {
    let mut rest = text;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        if let Some((path, behind)) = leading_path(rest) {
            rest = behind;
            return Some(Piece::Path(path));
        }
        let from = rest.chars().next().map_or(0, char::len_utf8);
        let mut end = rest.len();
        for (at, _) in rest.match_indices('{') {
            if at >= from && leading_path(&rest[at..]).is_some() {
                end = at;
                break;
            }
        }
        let (plain, behind) = rest.split_at(end);
        rest = behind;
        Some(Piece::Plain(plain))
    })
}

/// `{a.b[0]}` at the start of a text: the path, and what follows. One name alone is no path, so
/// that `{name}` in code stays as it is.
fn leading_path(text: &str) -> Option<(&str, &str)> {
    let inner = text.strip_prefix('{')?;
    let end = inner.find('}')?;
    let path = &inner[..end];
    let fits =
        |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"._[]".contains(&byte);
    let is_path = path.contains('.')
        && path.bytes().all(fits)
        && path.as_bytes().first().is_some_and(u8::is_ascii_lowercase);
    is_path.then(|| (path, &inner[end + 1..]))
}

/// Where texts get their facts from.
#[derive(Clone, Copy)]
pub(super) struct Writer<'a> {
    pub(super) context: &'a Context<'static, 'static>,
    pub(super) scope: Scope<'a>,
    pub(super) names: Names,
}

impl Writer<'_> {
    /// The first text whose case holds and whose placeholders are known.
    pub(super) fn texts(&self, texts: &Texts) -> Option<String> {
        match texts {
            Texts::One(text) => self.fill(text),
            Texts::Many(texts) => texts.iter().find_map(|text| self.text(text)),
        }
    }

    pub(super) fn text(&self, text: &Text) -> Option<String> {
        match text {
            Text::Plain(text) => self.fill(text),
            Text::Case(case) => {
                let holds = case.when.as_deref().is_none_or(|when| self.holds(when));
                holds.then(|| self.fill(&case.text)).flatten()
            }
        }
    }

    /// Does a condition of a text certainly hold?
    pub(super) fn holds(&self, when: &str) -> bool {
        Expression::compile(when, self.names)
            .is_ok_and(|when| when.decide(self.context, &self.scope) == Decision::Holds)
    }

    fn fill(&self, text: &str) -> Option<String> {
        let mut filled = String::with_capacity(text.len());
        for piece in split(text) {
            match piece {
                Piece::Plain(plain) => filled.push_str(plain),
                Piece::Path(path) => filled.push_str(&self.scope.path(path)?.display()?),
            }
        }
        Some(filled)
    }
}

#[cfg(test)]
mod tests {
    use super::placeholders;

    #[test]
    fn code_is_not_mistaken_for_placeholders() {
        let found = |text| placeholders(text).collect::<Vec<_>>();
        assert_eq!(found("sent to {foreign.origin}!"), ["foreign.origin"]);
        assert_eq!(
            found("{lookalikes[0].origin}{a.b}"),
            ["lookalikes[0].origin", "a.b"]
        );
        assert!(found("if ($x) { return 204; } ${name} {} {é}").is_empty());
        assert_eq!(found("map { {each.text} x; }"), ["each.text"]);
    }
}
