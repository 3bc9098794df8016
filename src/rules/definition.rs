//! One rule, as its file in `rules/` says it.

use serde::Deserialize;

use crate::model::{Category, RepairKind, Severity};

/// What a rule file says to the engine. The rest of the file is [`Docs`].
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Definition {
    /// The id, equal to the file's name.
    pub id: String,
    /// What the reader gets; decides in how many deployment worlds the rule must hold.
    pub category: Category,
    /// How bad it is, or a list of cases tried in order.
    pub severity: Level,
    /// Quiet unless asked for: always, or where an expression holds.
    #[serde(default)]
    pub pedantic: Pedantic,
    /// Path of a list; the rule is judged once per element, called `each`.
    pub each: Option<String>,
    /// The CEL expression that must hold.
    pub when: String,
    /// Silent, rather than a note, where all that shows it is a development condition.
    #[serde(default)]
    pub silent_in_development: bool,
    /// Rules that tell the same story better; where one of them speaks, this one is silent.
    #[serde(default)]
    pub unless: Vec<String>,
    /// One sentence about this code, lower case, no trailing dot.
    pub message: Texts,
    /// The exact token to change.
    pub primary: Places,
    /// The other half of the story.
    #[serde(default)]
    pub related: Vec<Place>,
    /// Path of the exchange whose request shows it; that of `primary` if absent.
    pub request: Option<String>,
    /// What a browser does about it.
    #[serde(default)]
    pub notes: Vec<Text>,
    /// The smallest correct change.
    pub help: Option<Help>,
    /// What a program may change; of several the best one is offered.
    #[serde(default)]
    pub fix: Vec<Change>,
}

/// What a rule file says to readers. Looked at only when somebody asks.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Docs {
    /// The version that brought the rule.
    pub since: String,
    /// Addresses and weakness ids.
    #[serde(default)]
    pub references: Vec<String>,
    /// Markdown: what it does, why it is bad. The first sentence stands for the rule in lists.
    pub explanation: String,
    /// Code in which exactly the marked lines are reported by this rule.
    #[serde(default)]
    pub bad: Vec<Example>,
    /// Code on which this rule is silent.
    #[serde(default)]
    pub good: Vec<Example>,
}

/// A severity, or cases tried in order.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub enum Level {
    /// Always this.
    Fixed(Severity),
    /// The first whose `when` holds; the last has none.
    Cases(Vec<LevelCase>),
}

impl Level {
    /// The severities from bad to mild, for lists: `error` or `error, warning`.
    #[must_use]
    pub fn names(&self) -> String {
        match self {
            Self::Fixed(severity) => severity.name().to_owned(),
            Self::Cases(cases) => {
                let mut levels: Vec<_> = cases.iter().map(|case| case.level).collect();
                levels.sort_by(|a, b| b.cmp(a));
                levels.dedup();
                let names: Vec<_> = levels.iter().map(|level| level.name()).collect();
                names.join(", ")
            }
        }
    }
}

/// One case of a severity.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LevelCase {
    /// CEL; absent: always.
    pub when: Option<String>,
    /// The severity then.
    pub level: Severity,
}

/// When a rule is quiet.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub enum Pedantic {
    /// Always or never.
    Fixed(bool),
    /// Where this CEL expression holds.
    When(String),
}

impl Default for Pedantic {
    fn default() -> Self {
        Self::Fixed(false)
    }
}

/// A text with `{path}` placeholders, perhaps for some cases only.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub enum Text {
    /// For every case in which its placeholders are known.
    Plain(String),
    /// Only where `when` holds.
    Case(TextCase),
}

/// A text for some cases.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TextCase {
    /// CEL; absent: always.
    pub when: Option<String>,
    /// The text.
    pub text: String,
}

/// One text, or several tried in order: the first whose case holds and whose placeholders are known.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub enum Texts {
    /// One.
    One(String),
    /// Several.
    Many(Vec<Text>),
}

/// A path, or several tried in order: the first that leads to a place in the source.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub enum Paths {
    /// One.
    One(String),
    /// Several.
    Many(Vec<String>),
}

/// A labelled place.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Place {
    /// Where: a path of the fact table.
    pub at: Paths,
    /// What to say there.
    pub text: Option<Texts>,
    /// CEL; the place is left out where it does not hold.
    pub when: Option<String>,
}

/// A change that repairs it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Change {
    /// What to do.
    pub kind: RepairKind,
    /// Where: a path of the fact table, or a list whose elements have places.
    pub at: Paths,
    /// The new text.
    pub text: Option<Texts>,
    /// CEL; the change is not proposed where it does not hold.
    pub when: Option<String>,
}

/// One place, or several tried in order: the first whose case holds and that is in the source.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub enum Places {
    /// One.
    One(Place),
    /// Several.
    Many(Vec<Place>),
}

impl Places {
    /// All of them, in order.
    #[must_use]
    pub fn as_slice(&self) -> &[Place] {
        match self {
            Self::One(place) => std::slice::from_ref(place),
            Self::Many(places) => places,
        }
    }
}

/// How to repair it.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub enum Help {
    /// The same words for every framework.
    Any(Texts),
    /// In the file's own language: framework name, or `framework.spelling`, to text; `any` for the
    /// rest.
    PerFramework(std::collections::BTreeMap<String, Texts>),
}

/// An executed example.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Example {
    /// Whose code it is.
    pub framework: String,
    /// A file name that the framework claims; the framework's usual one if absent.
    pub file: Option<String>,
    /// The `corslint.toml` beside it.
    pub config: Option<String>,
    /// What it shows, for the docs.
    pub title: Option<String>,
    /// The code; `# ~ rule-id` at the end of a line (in that language's comment) marks a report.
    pub code: String,
}

impl Docs {
    /// The keys of a rule file that are not the engine's.
    pub(super) const KEYS: [&str; 5] = ["since", "references", "explanation", "bad", "good"];

    /// The first sentence of the explanation.
    #[must_use]
    pub fn summary(&self) -> &str {
        let text = self.explanation.trim_start();
        let paragraph = text.split("\n\n").next().unwrap_or(text);
        let end = paragraph.find(". ").or_else(|| paragraph.find(".\n"));
        end.map_or(paragraph.trim_end(), |end| &paragraph[..=end])
    }
}
