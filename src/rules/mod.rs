//! Rules are data: one TOML file per rule, judged over facts.
//!
//! A rule speaks of responses, settings and observations, never of a framework. [`RuleSet`] loads
//! and checks rules, `judge` decides them for an endpoint or a site and writes the findings.

mod alike;
mod ask;
mod definition;
mod endpoint_facts;
mod exchange;
mod expression;
mod facts;
mod judge;
mod origins;
mod repair;
mod schema;
mod site_facts;
#[cfg(test)]
mod tests;
mod texts;
mod trusted;

use std::collections::HashMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock, OnceLock};

use cel::Context;

pub(crate) use ask::{FOREIGN, trusted_origins};
pub use ask::{TrustedOrigins, trusted_origin};
pub use definition::{
    Change, Definition, Docs, Example, Help, Level, LevelCase, Paths, Pedantic, Place, Places,
    Text, TextCase, Texts,
};
pub use facts::FactsRead;
pub(crate) use judge::worlds;
pub use judge::{Judge, Judged};

use crate::model::Severity;
use expression::{Expression, Names, path_kind};
use schema::{ENDPOINT_SCOPE, Kind, SITE_SCOPE};

/// The rules that come with the program: file name, the engine's part as JSON, the whole text.
static BUILTIN: &[(&str, &str, &str)] = include!(concat!(env!("OUT_DIR"), "/rules.rs"));

/// Rules that are loaded and ready to judge.
pub struct RuleSet {
    /// In the order of judging: a rule stands behind those it names in `unless`.
    rules: Vec<Rule>,
    by_id: HashMap<String, usize>,
    context: OnceLock<Context<'static, 'static>>,
    /// Some rule reads the path of an endpoint, so that no two are alike.
    by_path: bool,
}

/// One rule.
#[derive(Debug)]
pub struct Rule {
    /// What its file says.
    pub definition: Definition,
    /// It came with the program.
    pub builtin: bool,
    /// Indexes of the rules in `unless`.
    unless: Vec<usize>,
    compiled: OnceLock<Result<Compiled, String>>,
    /// The text of a built-in rule's file.
    text: &'static str,
    docs: OnceLock<Result<Docs, String>>,
}

/// The expressions of a rule, checked.
#[derive(Debug)]
struct Compiled {
    site: bool,
    each: Option<String>,
    when: Expression,
    severity: Vec<(Option<Expression>, Severity)>,
    pedantic: Option<Expression>,
}

/// A rule file that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleError {
    /// The file, or the built-in rule's file name.
    pub path: PathBuf,
    /// What is wrong with it, for people.
    pub text: String,
}

impl fmt::Display for RuleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path.display(), self.text)
    }
}

impl std::error::Error for RuleError {}

impl fmt::Debug for RuleSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.by_id.keys()).finish()
    }
}

impl RuleSet {
    /// The rules that come with the program, loaded and compiled once for the process.
    ///
    /// # Errors
    /// Only if one of them is broken, which the tests rule out.
    pub fn builtin() -> Result<Arc<Self>, RuleError> {
        static LOADED: LazyLock<Result<Arc<RuleSet>, RuleError>> =
            LazyLock::new(|| RuleSet::load(&[]).map(Arc::new));
        LOADED.clone()
    }

    /// The built-in rules and those of `directories` (every `*.toml` in them, not below). Added
    /// rules are checked at once; an added rule may not take the id of another.
    ///
    /// # Errors
    /// The first file that cannot be read, parsed or understood.
    pub fn load(directories: &[PathBuf]) -> Result<Self, RuleError> {
        let mut rules = Vec::with_capacity(BUILTIN.len());
        for (name, core, text) in BUILTIN {
            rules.push(Rule::builtin(name, core, text)?);
        }
        for directory in directories {
            for path in rule_files(directory)? {
                let text = std::fs::read_to_string(&path).map_err(|error| RuleError {
                    path: path.clone(),
                    text: format!("cannot be read: {error}"),
                })?;
                rules.push(Rule::added(&path, &text)?);
            }
        }
        let set = Self::ordered(rules)?;
        for rule in set.rules.iter().filter(|rule| !rule.builtin) {
            rule.check().map_err(|text| rule.error(text))?;
        }
        Ok(set)
    }

    /// Every rule, in the order of judging.
    pub fn rules(&self) -> impl Iterator<Item = &Rule> + Clone {
        self.rules.iter()
    }

    /// The rule of an id.
    #[must_use]
    pub fn get(&self, id: &str) -> Option<&Rule> {
        self.by_id.get(id).map(|index| &self.rules[*index])
    }

    /// Puts rules behind those that they name in `unless`.
    fn ordered(rules: Vec<Rule>) -> Result<Self, RuleError> {
        let mut by_id = HashMap::new();
        for (index, rule) in rules.iter().enumerate() {
            if by_id.insert(rule.definition.id.clone(), index).is_some() {
                return Err(rule.error(format!("the id `{}` is taken", rule.definition.id)));
            }
        }
        let mut order = Vec::with_capacity(rules.len());
        let mut state = vec![Visit::New; rules.len()];
        for index in 0..rules.len() {
            visit(index, &rules, &by_id, &mut state, &mut order)?;
        }
        let mut slots: Vec<_> = rules.into_iter().map(Some).collect();
        let mut rules: Vec<Rule> = Vec::with_capacity(order.len());
        rules.extend(order.iter().filter_map(|index| slots[*index].take()));
        let by_id: HashMap<String, usize> = rules
            .iter()
            .enumerate()
            .map(|(index, rule)| (rule.definition.id.clone(), index))
            .collect();
        for rule in &mut rules {
            let unless = rule.definition.unless.iter();
            rule.unless = unless.filter_map(|id| by_id.get(id).copied()).collect();
        }
        let by_path = rules
            .iter()
            .any(|rule| rule.definition.when.contains("endpoint.path"));
        Ok(Self {
            rules,
            by_id,
            context: OnceLock::new(),
            by_path,
        })
    }

    /// The CEL environment that all rules share.
    fn context(&self) -> &Context<'static, 'static> {
        self.context.get_or_init(Context::default)
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Visit {
    New,
    Open,
    Done,
}

fn visit(
    index: usize,
    rules: &[Rule],
    by_id: &HashMap<String, usize>,
    state: &mut [Visit],
    order: &mut Vec<usize>,
) -> Result<(), RuleError> {
    match state[index] {
        Visit::Done => return Ok(()),
        Visit::Open => return Err(rules[index].error("`unless` goes in a circle".into())),
        Visit::New => state[index] = Visit::Open,
    }
    for id in &rules[index].definition.unless {
        let other = by_id.get(id).ok_or_else(|| {
            rules[index].error(format!("`unless` names `{id}`, which is no rule"))
        })?;
        visit(*other, rules, by_id, state, order)?;
    }
    state[index] = Visit::Done;
    order.push(index);
    Ok(())
}

/// The engine's part of a rule file, and the readers'.
fn split(text: &str) -> Result<(toml::Table, toml::Table), toml::de::Error> {
    let table: toml::Table = toml::from_str(text)?;
    Ok(table
        .into_iter()
        .partition(|(key, _)| !Docs::KEYS.contains(&key.as_str())))
}

fn rule_files(directory: &Path) -> Result<Vec<PathBuf>, RuleError> {
    let error = |error: std::io::Error| RuleError {
        path: directory.to_path_buf(),
        text: format!("cannot list the rules in it: {error}"),
    };
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(directory).map_err(error)? {
        let path = entry.map_err(error)?.path();
        if path
            .extension()
            .is_some_and(|extension| extension == "toml")
            && path.is_file()
        {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}

impl Rule {
    fn builtin(name: &str, core: &str, text: &'static str) -> Result<Self, RuleError> {
        let path = Path::new(name);
        let definition = serde_json::from_str(core).map_err(|error| RuleError {
            path: path.to_path_buf(),
            text: error.to_string(),
        })?;
        Self::new(path, definition, text, None)
    }

    /// Reads the text of a rule file; the file's name must be the rule's id. Its expressions are looked
    /// at by [`Rule::check`].
    ///
    /// # Errors
    /// What is wrong with its syntax, or a key that is none.
    pub fn added(path: &Path, text: &str) -> Result<Self, RuleError> {
        let parts = || {
            let (definition, docs) = split(text)?;
            Ok((definition.try_into()?, docs.try_into()?))
        };
        let (definition, docs) = parts().map_err(|error: toml::de::Error| RuleError {
            path: path.to_path_buf(),
            text: error.to_string(),
        })?;
        Self::new(path, definition, "", Some(docs))
    }

    fn new(
        path: &Path,
        definition: Definition,
        text: &'static str,
        docs: Option<Docs>,
    ) -> Result<Self, RuleError> {
        let stem = path.file_stem().map(|stem| stem.to_string_lossy());
        if stem.as_deref() != Some(definition.id.as_str()) {
            return Err(RuleError {
                path: path.to_path_buf(),
                text: format!(
                    "the id `{}` and the file's name must be the same",
                    definition.id
                ),
            });
        }
        Ok(Self {
            definition,
            builtin: docs.is_none(),
            unless: Vec::new(),
            compiled: OnceLock::new(),
            text,
            docs: docs.map_or_else(OnceLock::new, |docs| Ok(docs).into()),
        })
    }

    /// What the rule says to readers.
    ///
    /// # Errors
    /// What is wrong with a built-in rule's file, which the tests rule out.
    pub fn docs(&self) -> Result<&Docs, &str> {
        let read = || {
            let (_, docs) = split(self.text)?;
            docs.try_into()
        };
        let docs = self
            .docs
            .get_or_init(|| read().map_err(|error: toml::de::Error| error.to_string()));
        docs.as_ref().map_err(String::as_str)
    }

    fn error(&self, text: String) -> RuleError {
        RuleError {
            path: PathBuf::from(format!("{}.toml", self.definition.id)),
            text,
        }
    }

    fn compiled(&self) -> Result<&Compiled, &str> {
        let compiled = self.compiled.get_or_init(|| self.compile());
        compiled.as_ref().map_err(String::as_str)
    }

    fn names(&self) -> Result<Names, String> {
        let site = self.is_about_sites();
        let mut names = Names {
            scope: if site { &SITE_SCOPE } else { &ENDPOINT_SCOPE },
            each: None,
        };
        if let Some(path) = &self.definition.each {
            match path_kind(path, names)? {
                Kind::List(element) => names.each = Some(*element),
                _ => return Err(format!("`each = \"{path}\"` does not name a list")),
            }
        }
        Ok(names)
    }

    /// Is it judged once for a site, rather than for each endpoint?
    fn is_about_sites(&self) -> bool {
        self.definition.each.as_deref() == Some("observations")
    }

    fn compile(&self) -> Result<Compiled, String> {
        let definition = &self.definition;
        let names = self.names()?;
        let severity = match &definition.severity {
            Level::Fixed(severity) => vec![(None, *severity)],
            Level::Cases(cases) => cases
                .iter()
                .map(|case| {
                    let when = case.when.as_deref();
                    let when = when
                        .map(|when| Expression::compile(when, names))
                        .transpose()?;
                    Ok((when, case.level))
                })
                .collect::<Result<_, String>>()?,
        };
        if severity.last().is_none_or(|(when, _)| when.is_some()) {
            return Err("the last case of `severity` must have no `when`".into());
        }
        let pedantic = match &definition.pedantic {
            Pedantic::Fixed(true) => Some("true"),
            Pedantic::Fixed(false) => None,
            Pedantic::When(when) => Some(when.as_str()),
        };
        Ok(Compiled {
            site: self.is_about_sites(),
            each: definition.each.clone(),
            when: Expression::compile(&definition.when, names)?,
            severity,
            pedantic: pedantic
                .map(|when| Expression::compile(when, names))
                .transpose()?,
        })
    }

    /// Checks everything that is otherwise looked at only when needed: expressions, paths of
    /// labels, placeholders.
    ///
    /// # Errors
    /// What is wrong, for people.
    pub fn check(&self) -> Result<(), String> {
        self.compiled().map_err(str::to_owned)?;
        self.docs().map_err(str::to_owned)?;
        let names = self.names()?;
        let definition = &self.definition;
        check_texts(&definition.message, names)?;
        for place in definition
            .primary
            .as_slice()
            .iter()
            .chain(&definition.related)
        {
            check_place(place, names)?;
        }
        if let Some(request) = &definition.request {
            path_kind(request, names)?;
        }
        for note in &definition.notes {
            check_text(note, names)?;
        }
        definition
            .fix
            .iter()
            .try_for_each(|change| repair::check(change, names))?;
        match &definition.help {
            Some(Help::Any(texts)) => check_texts(texts, names),
            Some(Help::PerFramework(map)) => {
                map.values().try_for_each(|texts| check_texts(texts, names))
            }
            None => Ok(()),
        }
    }
}

fn check_place(place: &Place, names: Names) -> Result<(), String> {
    match &place.at {
        Paths::One(path) => path_kind(path, names).map(drop)?,
        Paths::Many(paths) => {
            for path in paths {
                path_kind(path, names)?;
            }
        }
    }
    if let Some(when) = &place.when {
        Expression::compile(when, names)?;
    }
    place
        .text
        .as_ref()
        .map_or(Ok(()), |texts| check_texts(texts, names))
}

fn check_texts(texts: &Texts, names: Names) -> Result<(), String> {
    match texts {
        Texts::One(text) => check_placeholders(text, names),
        Texts::Many(texts) => texts.iter().try_for_each(|text| check_text(text, names)),
    }
}

fn check_text(text: &Text, names: Names) -> Result<(), String> {
    match text {
        Text::Plain(text) => check_placeholders(text, names),
        Text::Case(case) => {
            if let Some(when) = &case.when {
                Expression::compile(when, names)?;
            }
            check_placeholders(&case.text, names)
        }
    }
}

fn check_placeholders(text: &str, names: Names) -> Result<(), String> {
    for path in texts::placeholders(text) {
        path_kind(path, names).map_err(|error| format!("placeholder `{{{path}}}`: {error}"))?;
    }
    Ok(())
}
