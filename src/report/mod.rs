//! Showing findings. Knows findings, and nothing of where they come from.

mod concise;
mod github;
mod gitlab;
mod json;
pub(crate) mod pages;
mod place;
mod sarif;
mod snippets;
mod statistics;
mod terminal;
pub mod text;
mod xml;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use crate::baseline::Outcome;
use crate::fixes::apply::Fixed;
use crate::model::{Finding, Severity};
use crate::progress::Times;
use crate::rules::{FactsRead, RuleSet};
use crate::source::Sources;
use crate::suppress::Suppressed;

pub use concise::write as write_concise;
pub use github::write as write_github;
pub use gitlab::write as write_gitlab;
pub use json::write as write_json;
pub use sarif::write as write_sarif;
pub use statistics::{write as write_statistics, write_list as write_statistics_json};
pub(crate) use terminal::FIXABLE;
pub use terminal::{Style, write as write_terminal};
pub use text::Paths;
pub use xml::{write_checkstyle, write_junit};

/// The result of a run.
#[derive(Debug, Default)]
pub struct Report {
    /// Everything that was read; spans point into it.
    pub sources: Sources,
    /// Findings in order of path, place and rule.
    pub findings: Vec<Finding>,
    /// Findings that comments suppress, in the same order.
    pub suppressed: Vec<Suppressed>,
    /// Numbers for the summary.
    pub summary: Summary,
    /// What could not be done; makes the exit code 2.
    pub errors: Vec<Problem>,
    /// Files that were met and not linted, with the reason; counted, no error.
    pub skipped: Vec<Problem>,
    /// There is a finding that is bad enough to fail.
    pub failing: bool,
    /// What the baseline did, if there is one.
    pub baseline: Option<Outcome>,
    /// The text of the baseline that would hold what is reported, if it was asked for.
    pub new_baseline: Option<(PathBuf, String)>,
    /// What was repaired, in memory, if it was asked for; the findings are those that are left.
    pub fixed: Option<Fixed>,
    /// Where the pages of the built-in rules stand, with `{rule}` for the id, if a configuration says it.
    pub rule_pages: Option<String>,
    /// How long the parts of the run took.
    pub times: Times,
    /// The rules that were judged, for what they say to readers.
    pub rules: Vec<Arc<RuleSet>>,
}

/// Something about a path that could not be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The path, if it is about one.
    pub path: Option<PathBuf>,
    /// What is wrong and what to do, for people.
    pub text: String,
}

/// Numbers of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Files that were read as part of a site.
    pub files: usize,
    /// Endpoints judged.
    pub endpoints: usize,
    /// Endpoints for which some rule stayed undecided, because something that decides their responses
    /// is not in view.
    pub partly: usize,
    /// Facts that could not be told and rule expressions that stayed undecided because of it.
    pub unknown: usize,
    /// The undecided expressions by rule.
    pub undecided: BTreeMap<String, usize>,
    /// The facts that the rules read.
    pub facts: FactsRead,
    /// Files of a kind that corslint reads that were looked into, with or without CORS in them.
    pub examined: usize,
    /// Folders that were not looked into because of their names (`node_modules`, …).
    pub excluded: usize,
}

impl Report {
    /// Adds what came of another part of the run; its sources are the same.
    pub(crate) fn append(&mut self, part: Self) {
        self.findings.extend(part.findings);
        self.skipped.extend(part.skipped);
        self.times.append(part.times);
        for problem in part.errors {
            if !self.errors.contains(&problem) {
                self.errors.push(problem);
            }
        }
        let summary = &mut self.summary;
        summary.files += part.summary.files;
        summary.endpoints += part.summary.endpoints;
        summary.partly += part.summary.partly;
        summary.unknown += part.summary.unknown;
        summary.facts += part.summary.facts;
        for (rule, count) in part.summary.undecided {
            *summary.undecided.entry(rule).or_default() += count;
        }
    }

    /// How many findings have a severity.
    #[must_use]
    pub fn count(&self, severity: Severity) -> usize {
        let findings = self.findings.iter();
        findings.filter(|f| f.severity == severity).count()
    }
}
