//! Findings: what is reported.

use super::{Assumption, Condition, Request};
use crate::source::Span;
use serde::{Deserialize, Serialize};

/// What the reader gets from a rule; decides in how many deployment worlds it must hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Category {
    /// A foreign page reads or poisons what it should not.
    Security,
    /// The browser blocks what was meant to work.
    Broken,
    /// The setting does nothing.
    NoEffect,
    /// Works, but costs, hides errors or will break.
    Hygiene,
}

impl Category {
    /// `security`, `broken`, `no-effect` or `hygiene`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Security => "security",
            Self::Broken => "broken",
            Self::NoEffect => "no-effect",
            Self::Hygiene => "hygiene",
        }
    }
}

/// How bad it is. Ordered from mild to bad.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// Never fails a run by default.
    Note,
    /// Fails a run by default.
    Warning,
    /// Fails a run by default.
    Error,
}

impl Severity {
    /// `error`, `warning` or `note`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// Does the finding rest on assumptions?
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Certainty {
    /// Holds whatever is unknown.
    Certain,
    /// Holds under the named conditions.
    Conditional,
}

/// A place with what it has to do with the finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    /// The place.
    pub span: Span,
    /// What it tells; may be empty for a primary place.
    pub text: String,
}

/// A stretch of source and what to write in its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edit {
    /// What is replaced; empty for an insertion.
    pub span: Span,
    /// What stands there afterwards.
    pub text: String,
}

/// A repair.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fix {
    /// What it does, in the imperative.
    pub title: String,
    /// In one file or several; none overlaps another.
    pub edits: Vec<Edit>,
    /// No trusted origin loses by it and no foreign one gains.
    pub safe: bool,
}

/// What a rule proposes to change. `fixes` makes edits of it, as the language of the file wants them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RepairKind {
    /// Send header lines with every status.
    Always,
    /// Send `Vary: Origin` where a header line is sent.
    Vary,
    /// Write another text in the place of one.
    Text,
    /// Write another name in the place of one, everywhere in the file.
    Name,
    /// Anchor a pattern, and escape its dots.
    Pattern,
    /// Put an entry of a list in front of another one.
    Order,
}

/// A change that a rule proposes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Repair {
    /// What is to be done.
    pub kind: RepairKind,
    /// Where; never empty.
    pub spans: Vec<Span>,
    /// The new text or name; for a pattern, what it is now.
    pub text: Option<String>,
    /// The framework that the site belongs to.
    pub framework: &'static str,
}

/// One problem, at its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The rule's id.
    pub rule: String,
    /// The rule's category.
    pub category: Category,
    /// How bad it is here.
    pub severity: Severity,
    /// Whether it rests on assumptions.
    pub certainty: Certainty,
    /// One sentence, lower case, no trailing dot.
    pub message: String,
    /// The exact token to change.
    pub primary: Label,
    /// The other half of the story.
    pub related: Vec<Label>,
    /// What a browser does about it, other endpoints with the same finding, and the like.
    pub notes: Vec<String>,
    /// The smallest correct change.
    pub help: Option<String>,
    /// Repairs that can be made by a program.
    pub fixes: Vec<Fix>,
    /// What the rule proposes; the run makes `fixes` of it.
    pub repairs: Vec<Repair>,
    /// The request that shows it.
    pub request: Option<Request>,
    /// The deployment conditions that the finding needs, with the value each must have.
    pub conditions: Vec<(Condition, bool)>,
    /// The request conditions that the finding needs.
    pub assumes: Vec<Assumption>,
    /// Stable over line moves: 32 hexadecimal digits.
    pub fingerprint: String,
    /// Names of the endpoints that share it, the first one included.
    pub endpoints: Vec<String>,
}
