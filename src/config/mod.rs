//! `corslint.toml`, and `[tool.corslint]` in `pyproject.toml`.

mod find;
mod policy;

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use toml::de::{DeTable, DeValue};

use crate::check::nearest_of;
use crate::model::Severity;

pub use find::{Configs, Lookup, Settings, deployments};
pub use policy::Policy;

/// The names of the files that can hold a configuration.
pub const FILE_NAMES: [&str; 2] = ["corslint.toml", "pyproject.toml"];

/// The JSON Schema of [`Config`], for editors.
pub const SCHEMA: &str = include_str!("../../docs/corslint.schema.json");

/// What a configuration file says. Paths in it are relative to the folder of the file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {
    /// The only rules to report; empty: all.
    pub select: Vec<String>,
    /// Rules not to report.
    pub ignore: Vec<String>,
    /// Report also what is right but could be better.
    pub pedantic: bool,
    /// Another severity for the findings of a rule.
    pub severity: BTreeMap<String, Severity>,
    /// The mildest severity that makes a run fail; `warning` if absent.
    pub fail_on: Option<Severity>,
    /// Files and folders not to look into, as patterns of `.gitignore`.
    pub exclude: Vec<String>,
    /// Folders with rules of your own (`*.toml`).
    pub rules: Vec<String>,
    /// A suppression without a reason suppresses nothing.
    pub require_reason: bool,
    /// The file with the findings that are known and not to be reported.
    pub baseline: Option<String>,
    /// Where the pages of the built-in rules can be read, with `{rule}` for the id of a rule
    /// (`https://docs.example.com/corslint/{rule}.html`): terminals and SARIF link to it.
    pub rule_pages: Option<String>,
    /// Which origins this project means to trust.
    pub policy: Option<PolicyTable>,
    /// Other settings for some paths. Of several that fit a file, all count; of contradicting ones
    /// the last.
    pub overrides: Vec<Override>,
    /// Named sets of environment variables. Each is judged as a deployment of its own.
    pub environments: BTreeMap<String, BTreeMap<String, String>>,
}

/// What a project means to trust.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct PolicyTable {
    /// The origins that may be allowed: `https://app.example.com`; `https://*.example.com` for every
    /// host below a domain; `http://localhost:*` for every port. Every endpoint is compared with them.
    pub origins: Vec<String>,
}

/// Settings for some paths.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Override {
    /// Which files: patterns of `.gitignore`.
    pub paths: Vec<String>,
    /// The only rules to report there.
    #[serde(default)]
    pub select: Vec<String>,
    /// More rules not to report there.
    #[serde(default)]
    pub ignore: Vec<String>,
    /// Another severity there.
    #[serde(default)]
    pub severity: BTreeMap<String, Severity>,
}

/// What is wrong with a configuration file, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError {
    /// The file.
    pub path: PathBuf,
    /// Line and column from 1, if it is about a place in the file.
    pub place: Option<(usize, usize)>,
    /// What is wrong and what to do, for people.
    pub text: String,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = crate::report::Paths::here().show(&self.path);
        match self.place {
            Some((line, column)) => write!(f, "{path}:{line}:{column}: {}", self.text),
            None => write!(f, "{path}: {}", self.text),
        }
    }
}

impl std::error::Error for ConfigError {}

/// A configuration file with its text, for places.
#[derive(Clone, Debug)]
pub struct File {
    /// The file.
    pub path: PathBuf,
    text: String,
    /// The keys under which the configuration stands.
    prefix: &'static [&'static str],
    /// What it says.
    pub config: Config,
}

/// The part of a `pyproject.toml` that is of interest.
#[derive(Default, Deserialize)]
struct PyProject {
    #[serde(default)]
    tool: Tool,
}

#[derive(Default, Deserialize)]
struct Tool {
    corslint: Option<Config>,
}

impl File {
    /// Reads the text of a file; `None` for a `pyproject.toml` without a part for corslint.
    ///
    /// # Errors
    /// What is wrong with its syntax, or a key that is none.
    pub fn parse(path: &Path, text: String) -> Result<Option<Self>, ConfigError> {
        let is_pyproject = path.file_name().is_some_and(|name| name == FILE_NAMES[1]);
        let (parsed, prefix): (_, &[&str]) = if is_pyproject {
            if !text.contains("corslint") {
                return Ok(None);
            }
            let parsed = toml::from_str(&text).map(|PyProject { tool }| tool.corslint);
            (parsed, &["tool", "corslint"])
        } else {
            (toml::from_str(&text).map(Some), &[])
        };
        let config = parsed.map_err(|error| ConfigError {
            path: path.to_path_buf(),
            place: error.span().map(|span| position(&text, span.start)),
            text: words(error.message()),
        })?;
        let path = path.to_path_buf();
        Ok(config.map(|config| Self {
            path,
            text,
            prefix,
            config,
        }))
    }

    /// An error at a value: names of tables and keys, and indexes of lists in digits.
    pub(crate) fn error(&self, at: &[&str], text: String) -> ConfigError {
        ConfigError {
            path: self.path.clone(),
            place: self.place(at),
            text,
        }
    }

    /// Line and column of a value.
    pub(crate) fn place(&self, at: &[&str]) -> Option<(usize, usize)> {
        let table = DeTable::parse(&self.text).ok()?;
        let mut value = DeValue::Table(table.into_inner());
        let mut span: Range<usize> = 0..0;
        for step in self.prefix.iter().chain(at) {
            let next = match value {
                DeValue::Table(table) => {
                    let mut entries = table.into_iter();
                    let (key, value) = entries.find(|(key, _)| key.get_ref() == step)?;
                    span = key.span();
                    value
                }
                DeValue::Array(list) => {
                    let value = list.into_iter().nth(step.parse().ok()?)?;
                    span = value.span();
                    value
                }
                _ => return None,
            };
            value = next.into_inner();
        }
        Some(position(&self.text, span.start))
    }
}

/// Line and column of a byte, from 1; the column in characters.
fn position(text: &str, byte: usize) -> (usize, usize) {
    let before = text.get(..byte).unwrap_or(text);
    let start = before.rfind('\n').map_or(0, |at| at + 1);
    let line = before.bytes().filter(|byte| *byte == b'\n').count() + 1;
    (line, before[start..].chars().count() + 1)
}

/// serde's words with a suggestion in place of a list of everything.
fn words(message: &str) -> String {
    let names: Vec<&str> = message.split('`').skip(1).step_by(2).collect();
    let kind = if message.starts_with("unknown field") {
        "key"
    } else if message.starts_with("unknown variant") {
        "value"
    } else {
        return message.trim().replace('\n', "; ");
    };
    let [wrong, known @ ..] = names.as_slice() else {
        return message.to_owned();
    };
    match nearest_of(wrong, known.iter().copied()) {
        Some(near) => format!("unknown {kind} `{wrong}`; did you mean `{near}`?"),
        None => format!("unknown {kind} `{wrong}`; known are {}", known.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(name: &str, text: &str) -> String {
        let file = File::parse(Path::new(name), text.to_owned());
        file.expect_err("an error").to_string()
    }

    #[test]
    fn unknown_keys_are_errors_with_a_place_and_a_suggestion() {
        for (text, expected) in [
            (
                "pedantic = true\nselct = []\n",
                "corslint.toml:2:1: unknown key `selct`; did you mean `select`?",
            ),
            (
                "[[overrides]]\npaths = []\n\n  ignores = []\n",
                "corslint.toml:4:3: unknown key `ignores`; did you mean `ignore`?",
            ),
            (
                "[policy]\norigin = []\n",
                "corslint.toml:2:1: unknown key `origin`; did you mean `origins`?",
            ),
            (
                "fail-on = \"eror\"\n",
                "corslint.toml:1:11: unknown value `eror`; did you mean `error`?",
            ),
            (
                "pedantic = \"yes\"\n",
                "corslint.toml:1:12: invalid type: string \"yes\", expected a boolean",
            ),
        ] {
            assert_eq!(error("corslint.toml", text), expected);
        }
        let text = "[project]\nname = \"x\"\n[tool.corslint]\nx = 1\n";
        let words = error("pyproject.toml", text);
        assert!(
            words.starts_with("pyproject.toml:4:1: unknown key `x`; known are select, ignore"),
            "{words}"
        );
    }

    #[test]
    fn only_the_own_part_of_a_pyproject_counts() {
        let read = |text: &str| {
            let file = File::parse(Path::new("pyproject.toml"), text.to_owned());
            file.expect("no error").map(|file| file.config)
        };
        assert_eq!(read("[tool.ruff]\nselect = 1\n"), None);
        assert_eq!(read("[project]\nname = \"corslint\"\n"), None);
        let config = read("[tool.corslint]\nignore = [\"missing-vary\"]\n").expect("a config");
        assert_eq!(config.ignore, ["missing-vary"]);
        // A file of somebody else that is broken is none of our business.
        assert_eq!(read("[tool.ruff\n"), None);
    }

    #[test]
    fn values_have_places() {
        let text = "[tool.corslint]\nignore = [\n  \"a\",\n  \"b\",\n]\n[tool.corslint.severity]\nc = \"error\"\n";
        let file = File::parse(Path::new("pyproject.toml"), text.to_owned());
        let file = file.expect("no error").expect("a config");
        assert_eq!(file.place(&["ignore", "1"]), Some((4, 3)));
        assert_eq!(file.place(&["severity", "c"]), Some((7, 1)));
        assert_eq!(file.place(&["select"]), None);
    }

    /// An editor with the schema and corslint are of one mind about a file.
    #[test]
    fn the_schema_accepts_what_is_read() {
        let schema: serde_json::Value = serde_json::from_str(SCHEMA).expect("JSON");
        let schema = jsonschema::validator_for(&schema).expect("a schema");
        for (text, right) in [
            ("", true),
            (
                "select = [\"missing-vary\", \"rule-of-ours\"]\nignore = []\npedantic = true\n",
                true,
            ),
            (
                "fail-on = \"note\"\nexclude = [\"/x\"]\nrules = [\"r\"]\nrequire-reason = true\n",
                true,
            ),
            (
                "baseline = \"b.txt\"\nrule-pages = \"https://a.example/{rule}\"\n",
                true,
            ),
            (
                "[severity]\nmissing-vary = \"error\"\n[policy]\norigins = []\n",
                true,
            ),
            (
                "[[overrides]]\npaths = [\"a\"]\nselect = [\"x\"]\nignore = []\nseverity = { x = \"note\" }\n",
                true,
            ),
            (
                "[environments.production]\nNODE_ENV = \"production\"\n[environments.empty]\n",
                true,
            ),
            ("selct = []\n", false),
            ("select = \"missing-vary\"\n", false),
            ("ignore = [1]\n", false),
            ("pedantic = \"yes\"\n", false),
            ("fail-on = \"never\"\n", false),
            ("baseline = 1\n", false),
            ("rule-pages = []\n", false),
            ("[severity]\nmissing-vary = \"fatal\"\n", false),
            ("[policy]\n", false),
            ("[policy]\norigins = \"*\"\n", false),
            ("[policy]\norigins = []\nmore = 1\n", false),
            ("[[overrides]]\nignore = []\n", false),
            ("[[overrides]]\npaths = []\npedantic = true\n", false),
            ("[overrides]\npaths = []\n", false),
            ("[environments]\nproduction = \"x\"\n", false),
            ("[environments.production]\nPORT = 80\n", false),
        ] {
            let read = File::parse(Path::new("corslint.toml"), text.to_owned());
            assert_eq!(read.is_ok(), right, "{text}\n{read:?}");
            let value: toml::Value = toml::from_str(text).expect("TOML");
            let value = serde_json::to_value(value).expect("JSON");
            assert_eq!(schema.is_valid(&value), right, "{text}");
        }
    }

    /// The schema for editors: rule ids are offered, others are allowed (added rules).
    #[test]
    fn the_schema_is_up_to_date() {
        let mut schema = schemars::schema_for!(Config).to_value();
        let rules = crate::rules::RuleSet::builtin().expect("the rules are right");
        let mut ids: Vec<_> = rules.rules().map(|rule| &rule.definition.id).collect();
        ids.sort();
        let id = serde_json::json!({ "anyOf": [{ "enum": ids }, { "type": "string" }] });
        schema["title"] = "corslint.toml".into();
        schema["$defs"]["Rule"] = id;
        let reference = serde_json::json!({ "$ref": "#/$defs/Rule" });
        for pointer in ["", "/$defs/Override"] {
            for list in ["select", "ignore"] {
                let items = schema.pointer_mut(&format!("{pointer}/properties/{list}/items"));
                *items.expect("a list of rules") = reference.clone();
            }
            let names = schema.pointer_mut(&format!("{pointer}/properties/severity"));
            names.expect("a map of rules")["propertyNames"] = reference.clone();
        }
        let text = serde_json::to_string_pretty(&schema).expect("JSON") + "\n";
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/corslint.schema.json");
        if std::env::var_os("CORSLINT_BLESS").is_some_and(|value| value == "1") {
            std::fs::write(&path, &text).expect("docs/ can be written");
        }
        let known = std::fs::read_to_string(&path).expect("the schema");
        assert!(known == text, "{} is stale", path.display());
    }
}
