//! Which texts can matter, told by their words: `grammars/<language>/words.txt`.
//!
//! This is asked of every file of a walk, so it has to cost no more than a search: a few bytes of
//! each word are looked for all at once with vector instructions, and only where they stand is the
//! word itself compared.

use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, packed};

/// What the words of a text say about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Content {
    /// Nothing of interest.
    Other,
    /// May matter beside a seed of the same project: there the absence of CORS is the evidence.
    Companion,
    /// Has to do with CORS.
    Seed,
}

/// The words of nginx's configuration.
pub static NGINX: LazyLock<Words> =
    LazyLock::new(|| Words::parse(include_str!("../../grammars/nginx/words.txt")));
/// The words of JavaScript and TypeScript.
pub static JAVASCRIPT: LazyLock<Words> =
    LazyLock::new(|| Words::parse(include_str!("../../grammars/javascript/words.txt")));
/// The words of Python.
pub static PYTHON: LazyLock<Words> =
    LazyLock::new(|| Words::parse(include_str!("../../grammars/python/words.txt")));

/// The words of Java and Kotlin.
pub static JAVA: LazyLock<Words> =
    LazyLock::new(|| Words::parse(include_str!("../../grammars/java/words.txt")));
/// The words of Spring Boot's property files.
pub static SETTINGS: LazyLock<Words> =
    LazyLock::new(|| Words::parse(include_str!("../../grammars/settings/words.txt")));
/// The words of Spring's XML.
pub static XML: LazyLock<Words> =
    LazyLock::new(|| Words::parse(include_str!("../../grammars/xml/words.txt")));

/// How many bytes of a word are looked for at first.
const WINDOW: usize = 4;

/// More spellings than this are not looked for with vector instructions (`aho_corasick::packed`).
#[cfg(test)]
const MAX_SPELLINGS: usize = 64;

/// The words of one language.
#[derive(Debug)]
pub struct Words {
    words: Vec<Word>,
    /// Finds the spellings of the windows.
    search: Search,
    /// The word of each spelling.
    owners: Vec<usize>,
}

#[derive(Debug)]
enum Search {
    Packed(packed::Searcher),
    /// On processors without the instructions.
    Automaton(AhoCorasick),
    /// No words: a mistake in the data, which the tests would show.
    Nothing,
}

#[derive(Debug)]
struct Word {
    text: &'static str,
    content: Content,
    any_case: bool,
    /// No letter, digit or `_` may stand before it.
    start: bool,
    /// Nor after it.
    end: bool,
    /// Where its window starts, in bytes.
    window: usize,
}

impl Words {
    /// The words of a data file; lines that are none are left out.
    fn parse(data: &'static str) -> Self {
        let words: Vec<Word> = data.lines().filter_map(Word::parse).collect();
        let mut spellings = Vec::new();
        let mut owners = Vec::new();
        for (index, word) in words.iter().enumerate() {
            let before = spellings.len();
            word.spellings(&mut spellings);
            owners.resize(owners.len() + spellings.len() - before, index);
        }
        let search = match packed::Searcher::new(&spellings) {
            Some(search) => Search::Packed(search),
            None => AhoCorasick::new(&spellings).map_or(Search::Nothing, Search::Automaton),
        };
        Self {
            words,
            search,
            owners,
        }
    }

    /// What the words of `text` say about it. The time is linear in its length.
    #[must_use]
    pub fn judge(&self, text: &[u8]) -> Content {
        let mut content = Content::Other;
        let mut from = 0;
        while let Some((start, pattern)) = self.find(text, from) {
            for word in self.words_of(pattern) {
                if word.content > content
                    && start >= word.window
                    && word.stands_at(text, start - word.window)
                {
                    content = word.content;
                }
            }
            if content == Content::Seed {
                break;
            }
            from = start + 1;
        }
        content
    }

    /// Where the next spelling begins at or after `from`, and its number.
    fn find(&self, text: &[u8], from: usize) -> Option<(usize, usize)> {
        let found = match &self.search {
            Search::Packed(search) => search.find_in(text, (from..text.len()).into()),
            Search::Automaton(search) => search.find(&text[from..]),
            Search::Nothing => None,
        }?;
        let offset = if matches!(self.search, Search::Packed(_)) {
            0
        } else {
            from
        };
        Some((found.start() + offset, found.pattern().as_usize()))
    }

    /// The words that have this spelling as their window: two words may share one.
    fn words_of(&self, pattern: usize) -> impl Iterator<Item = &Word> {
        let owner = &self.words[self.owners[pattern]];
        self.words
            .iter()
            .filter(|word| word.window_text().eq_ignore_ascii_case(owner.window_text()))
    }
}

impl Word {
    fn parse(line: &'static str) -> Option<Self> {
        let mut parts = line.split_whitespace();
        let content = match parts.next()? {
            "seed" => Content::Seed,
            "companion" => Content::Companion,
            _ => return None,
        };
        let text = parts.next()?;
        let flags: Vec<&str> = parts.collect();
        let has = |flag: &str| flags.contains(&flag);
        let any_case = has("any-case");
        let letters = |window: &[u8]| {
            window
                .iter()
                .filter(|byte| byte.is_ascii_alphabetic())
                .count()
        };
        // The fewer letters, the fewer spellings.
        let windows = text.as_bytes().windows(WINDOW).enumerate();
        let (window, _) =
            windows.min_by_key(|(at, window)| (any_case.then(|| letters(window)), *at))?;
        Some(Self {
            text,
            content,
            any_case,
            start: has("whole") || has("start"),
            end: has("whole"),
            window,
        })
    }

    fn window_text(&self) -> &str {
        &self.text[self.window..self.window + WINDOW]
    }

    /// Every way to write the window.
    fn spellings(&self, all: &mut Vec<Vec<u8>>) {
        let mut own = vec![Vec::new()];
        for byte in self.window_text().bytes() {
            let both = [byte.to_ascii_lowercase(), byte.to_ascii_uppercase()];
            let ways = match (self.any_case, both[0] == both[1]) {
                (true, false) => &both[..],
                (true, true) => &both[..1],
                (false, _) => &[byte],
            };
            own = own
                .iter()
                .flat_map(|start| ways.iter().map(|way| [&start[..], &[*way]].concat()))
                .collect();
        }
        all.append(&mut own);
    }

    fn stands_at(&self, text: &[u8], at: usize) -> bool {
        let end = at + self.text.len();
        let Some(here) = text.get(at..end) else {
            return false;
        };
        let same = if self.any_case {
            here.eq_ignore_ascii_case(self.text.as_bytes())
        } else {
            here == self.text.as_bytes()
        };
        let in_word = |byte: Option<&u8>| {
            byte.is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_')
        };
        let before = at.checked_sub(1).and_then(|before| text.get(before));
        same && !(self.start && in_word(before)) && !(self.end && in_word(text.get(end)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_found_in_every_spelling() {
        for (words, text, content) in [
            (&JAVASCRIPT, "app.use(cors())", Content::Seed),
            (&JAVASCRIPT, "const CORS = 1", Content::Seed),
            (&JAVASCRIPT, "scorson no corset", Content::Other),
            (&JAVASCRIPT, "cors_1 is none, cors-1 is", Content::Seed),
            (&JAVASCRIPT, "res.set('aCCESS-cONTROL-x')", Content::Seed),
            (&JAVASCRIPT, "Access-Contro", Content::Other),
            (&JAVASCRIPT, "enableCors", Content::Seed),
            (&JAVASCRIPT, "enablecors", Content::Other),
            (&JAVASCRIPT, "require('express')", Content::Companion),
            (
                &JAVASCRIPT,
                "expression, express_, expresss",
                Content::Other,
            ),
            (&JAVASCRIPT, "x = express(); cors", Content::Seed),
            (&JAVA, "it.accessControlAllowOrigin = o", Content::Seed),
            (&PYTHON, "CORS_ALLOW", Content::Seed),
            (&PYTHON, "XCORS_ALLOW", Content::Other),
            (&PYTHON, "MIDDLEWARE = []", Content::Companion),
            (&PYTHON, "MY_MIDDLEWARE", Content::Other),
            (&PYTHON, "CorsMiddleware", Content::Seed),
            (&NGINX, "$http_ORIGIN", Content::Seed),
            (&NGINX, "proxy_set_header Origin ''", Content::Seed),
            (&NGINX, "original origins", Content::Other),
            (&NGINX, "", Content::Other),
        ] {
            assert_eq!(words.judge(text.as_bytes()), content, "{text}");
        }
    }

    #[test]
    fn the_portable_search_finds_the_same() {
        let mut portable = Words::parse(include_str!("../../grammars/javascript/words.txt"));
        let spellings = {
            let mut all = Vec::new();
            portable
                .words
                .iter()
                .for_each(|word| word.spellings(&mut all));
            all
        };
        portable.search = Search::Automaton(AhoCorasick::new(spellings).expect("an automaton"));
        for text in [
            "xx no-cors",
            "ccors cors",
            "express",
            "x",
            "ACCESS-CONTROL-",
            "socket.io",
        ] {
            let text = text.as_bytes();
            assert_eq!(portable.judge(text), JAVASCRIPT.judge(text));
        }
    }

    #[test]
    fn the_words_are_few_enough_for_the_fast_search() {
        for words in [&NGINX, &JAVASCRIPT, &PYTHON] {
            assert!(
                words.owners.len() <= MAX_SPELLINGS,
                "{}",
                words.owners.len()
            );
        }
    }

    #[test]
    fn every_line_of_the_data_is_a_word() {
        for data in [
            include_str!("../../grammars/nginx/words.txt"),
            include_str!("../../grammars/javascript/words.txt"),
            include_str!("../../grammars/python/words.txt"),
        ] {
            for line in data.lines().filter(|line| !line.starts_with('#')) {
                assert!(Word::parse(line).is_some(), "{line}");
                let flags = line.split_whitespace().skip(2);
                for flag in flags {
                    assert!(["any-case", "whole", "start"].contains(&flag), "{line}");
                }
            }
        }
    }
}
