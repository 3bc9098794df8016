//! What the suites of random programs share: how many and which, who asks, and what is told.
//!
//! `CORSLINT_LIVE_SEED` chooses the first program of every suite; how many there are is chosen by
//! `CORSLINT_LIVE_CASES`, and by `CORSLINT_EXPRESS_CASES`, `CORSLINT_EXPRESS_PATHS` and
//! `CORSLINT_REGEX_CASES` for those of Express.

use std::ops::Range;

use crate::fidelity::{Disagreement, Tally};

/// Counter-examples that are shown, the shortest first.
const SHOWN: usize = 6;

/// The origins that ask in every suite: none, a trusted one, a foreign one, the opaque one, a look-alike.
const ORIGINS: [Option<&str>; 5] = [
    None,
    Some("https://app.example.com"),
    Some("https://evil.example"),
    Some("null"),
    Some("https://app.example.com.evil.example"),
];

/// The origins that ask, and a suite's own.
pub(crate) fn origins(own: &[&'static str]) -> Vec<Option<&'static str>> {
    let own = own.iter().map(|origin| Some(*origin));
    ORIGINS.into_iter().chain(own).collect()
}

fn number(name: &str, default: u64) -> u64 {
    match std::env::var(name) {
        Ok(text) => text
            .parse()
            .unwrap_or_else(|_| panic!("{name} must be a number: {text}")),
        Err(_) => default,
    }
}

/// The programs of a run: as many as `variable` says, else `count`, from `CORSLINT_LIVE_SEED`, else `seed`.
pub(crate) fn seeds(variable: &str, count: u64, seed: u64) -> Range<u64> {
    let first = number("CORSLINT_LIVE_SEED", seed);
    first..first + number(variable, count)
}

/// What came of a run.
#[derive(Default)]
pub(crate) struct Run {
    total: Tally,
    refused: u64,
    wrong: Vec<String>,
}

impl Run {
    /// Answers were compared.
    pub(crate) fn add(&mut self, tally: Tally) {
        self.total.add(tally);
    }

    /// A program does not start.
    pub(crate) fn refuse(&mut self) {
        self.refused += 1;
    }

    /// Is a further counter-example worth making smaller?
    pub(crate) fn is_open(&self) -> bool {
        self.wrong.len() < SHOWN
    }

    /// The answers to a program differ.
    pub(crate) fn differs(&mut self, name: &str, text: &str, differs: &Disagreement) {
        self.wrong.push(format!("{name}\n{text}\n{differs}\n"));
    }

    /// Tells the result of `count` programs, of which one in `part` may be refused: what does not
    /// start tests little.
    pub(crate) fn end(mut self, what: &str, count: u64, part: u64) {
        let refused = self.refused;
        println!("{count} {what}, {refused} do not start; {}", self.total);
        self.wrong.sort_by_key(String::len);
        let failed = self.wrong.len();
        self.wrong.truncate(SHOWN);
        let shown = self.wrong.join("\n");
        assert!(failed == 0, "{shown}\n{failed} of {count} {what} differ");
        assert!(refused * part <= count, "{refused} of {count} do not start");
    }
}
