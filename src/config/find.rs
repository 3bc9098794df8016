//! Which configuration file is in force where: the nearest one.

use std::collections::HashMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use foldhash::fast::RandomState;
use ignore::gitignore::{Gitignore, GitignoreBuilder};

use super::{Config, ConfigError, FILE_NAMES, File, Policy};
use crate::discover::Holds;
use crate::model::{Environment, Severity};
use crate::report::pages;
use crate::source::read_text;

/// Where settings come from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Lookup {
    /// Nowhere.
    #[default]
    Off,
    /// Each file and each project has the nearest configuration file in its folder or above, not
    /// beyond the folder of its repository.
    Nearest,
    /// This file is in force everywhere.
    File(PathBuf),
}

/// The configuration files of a run, each read when it is first asked for.
#[derive(Debug)]
pub struct Configs {
    lookup: Lookup,
    /// The file of [`Lookup::File`].
    fixed: Option<Arc<Settings>>,
    /// What is in force in a folder.
    known: Mutex<Known>,
    /// The first file that is wrong.
    error: Mutex<Option<ConfigError>>,
}

/// By the path's text: it is asked for every folder, and a path's own hash looks at its parts.
type Known = HashMap<OsString, Option<Arc<Settings>>, RandomState>;

/// One configuration file, checked and ready.
#[derive(Debug)]
pub struct Settings {
    file: File,
    folder: PathBuf,
    excludes: Gitignore,
    overrides: Vec<Gitignore>,
    policy: Option<Arc<Policy>>,
}

impl Configs {
    /// Nothing is read yet, unless `lookup` names a file.
    ///
    /// # Errors
    /// The named file cannot be read or is wrong.
    pub fn new(lookup: &Lookup) -> Result<Self, ConfigError> {
        let fixed = match lookup {
            Lookup::File(path) => {
                let failure = |text: String| ConfigError {
                    path: path.clone(),
                    place: None,
                    text,
                };
                let text = read_text(path).map_err(|why| failure(why.to_string()))?;
                let absolute = path
                    .canonicalize()
                    .map_err(|error| failure(error.to_string()))?;
                let settings = Settings::read(&absolute, text)?;
                let missing = || failure("holds no `[tool.corslint]`".into());
                Some(Arc::new(settings.ok_or_else(missing)?))
            }
            Lookup::Off | Lookup::Nearest => None,
        };
        Ok(Self {
            lookup: lookup.clone(),
            fixed,
            known: Mutex::default(),
            error: Mutex::default(),
        })
    }

    /// What is in force in a folder, an absolute path.
    #[must_use]
    pub fn of_folder(&self, folder: &Path) -> Option<Arc<Settings>> {
        self.of_listed(folder, &|name| folder.join(name).exists())
    }

    /// What is in force in a folder, of which it is known what it holds.
    fn of_listed(&self, folder: &Path, holds: Holds<'_>) -> Option<Arc<Settings>> {
        match self.lookup {
            Lookup::Off => return None,
            Lookup::File(_) => return self.fixed.clone(),
            Lookup::Nearest => {}
        }
        if let Some(known) = lock(&self.known).get(folder.as_os_str()) {
            return known.clone();
        }
        let found = match self.read(folder, holds) {
            Some(settings) => Some(Arc::new(settings)),
            None if holds(".git") => None,
            None => folder.parent().and_then(|above| self.of_folder(above)),
        };
        lock(&self.known).insert(folder.into(), found.clone());
        found
    }

    /// What is in force for a file, an absolute path.
    #[must_use]
    pub fn of_file(&self, path: &Path) -> Option<Arc<Settings>> {
        self.of_folder(path.parent()?)
    }

    /// Is this path not to be looked into?
    #[must_use]
    pub fn excludes(&self, path: &Path, is_folder: bool) -> bool {
        let settings = self.of_file(path);
        settings.is_some_and(|settings| is_match(&settings.excludes, path, is_folder))
    }

    /// May anything in this folder, which holds these names, be excluded?
    #[must_use]
    pub fn excludes_in(&self, folder: &Path, holds: Holds<'_>) -> bool {
        let settings = self.of_listed(folder, holds);
        settings.is_some_and(|settings| !settings.excludes.is_empty())
    }

    /// The first file that was met and is wrong.
    ///
    /// # Errors
    /// That is what it gives.
    pub fn check(&self) -> Result<(), ConfigError> {
        lock(&self.error).clone().map_or(Ok(()), Err)
    }

    /// The configuration in a folder itself.
    fn read(&self, folder: &Path, holds: Holds<'_>) -> Option<Settings> {
        let mut found: Option<Settings> = None;
        for name in FILE_NAMES {
            let path = folder.join(name);
            if !holds(name) || !path.is_file() {
                continue;
            }
            let read = match read_text(&path) {
                Ok(text) => Settings::read(&path, text),
                // Somebody else's file may be as broken as it likes.
                Err(_) if name == FILE_NAMES[1] => Ok(None),
                Err(why) => Err(ConfigError {
                    path,
                    place: None,
                    text: why.to_string(),
                }),
            };
            let settings = match (read, &found) {
                (Ok(Some(settings)), Some(_)) => Err(settings.file.error(
                    &[],
                    format!(
                        "{} in the same folder is a configuration as well; keep one",
                        FILE_NAMES[0]
                    ),
                )),
                (Ok(Some(settings)), None) => {
                    found = Some(settings);
                    continue;
                }
                (Ok(None), _) => continue,
                (Err(error), _) => Err::<Settings, _>(error),
            };
            if let Err(error) = settings {
                let mut known = lock(&self.error);
                // Folders are met in any order.
                if known.as_ref().is_none_or(|known| error.path < known.path) {
                    *known = Some(error);
                }
            }
        }
        found
    }
}

impl Settings {
    /// Reads and checks what can be checked without the rules.
    fn read(path: &Path, text: String) -> Result<Option<Self>, ConfigError> {
        let Some(file) = File::parse(path, text)? else {
            return Ok(None);
        };
        let folder = path.parent().unwrap_or(Path::new("/")).to_path_buf();
        let config = &file.config;
        let excludes = matcher(&file, &folder, &config.exclude, &["exclude"])?;
        let overrides = config.overrides.iter().enumerate().map(|(index, entry)| {
            let at = ["overrides", &index.to_string(), "paths"];
            if entry.paths.is_empty() {
                return Err(file.error(&at, "no paths, so this is for no file".into()));
            }
            matcher(&file, &folder, &entry.paths, &at)
        });
        let overrides = overrides.collect::<Result<_, _>>()?;
        if let Some(pages) = &config.rule_pages {
            pages::check(pages).map_err(|why| file.error(&["rule-pages"], why))?;
        }
        let policy = config.policy.as_ref().map(|policy| {
            Policy::new(&policy.origins).map_err(|(index, why)| {
                let index = index.to_string();
                file.error(&["policy", "origins", &index], why)
            })
        });
        let policy = policy.transpose()?.map(Arc::new);
        let settings = Self {
            folder,
            excludes,
            overrides,
            policy,
            file,
        };
        settings.contradictions()?;
        Ok(Some(settings))
    }

    /// A rule that is both asked for and not.
    fn contradictions(&self) -> Result<(), ConfigError> {
        let config = self.config();
        let root = (&config.select, &config.ignore, Vec::new());
        let overrides = config.overrides.iter().enumerate().map(|(index, entry)| {
            let at = vec!["overrides".to_owned(), index.to_string()];
            (&entry.select, &entry.ignore, at)
        });
        for (select, ignore, at) in std::iter::once(root).chain(overrides) {
            let both = ignore.iter().position(|id| select.contains(id));
            if let Some(index) = both {
                let index = index.to_string();
                let mut at: Vec<&str> = at.iter().map(String::as_str).collect();
                at.extend(["ignore", &index]);
                let id = &ignore[index.parse::<usize>().unwrap_or_default()];
                let text = format!("`{id}` is named by `select` as well");
                return Err(self.file.error(&at, text));
            }
        }
        Ok(())
    }

    /// Checks every rule id against the rules that exist.
    ///
    /// # Errors
    /// The first id that `check` refuses, with its words.
    pub fn check_ids(&self, check: impl Fn(&str) -> Result<(), String>) -> Result<(), ConfigError> {
        let config = self.config();
        let list = |at: &[&str], ids: &[String]| {
            ids.iter().enumerate().try_for_each(|(index, id)| {
                let index = index.to_string();
                let at = [at, &[&index]].concat();
                check(id).map_err(|text| self.file.error(&at, text))
            })
        };
        let map = |at: &[&str], ids: &std::collections::BTreeMap<String, Severity>| {
            ids.keys().try_for_each(|id| {
                let at = [at, &[id.as_str()]].concat();
                check(id).map_err(|text| self.file.error(&at, text))
            })
        };
        list(&["select"], &config.select)?;
        list(&["ignore"], &config.ignore)?;
        map(&["severity"], &config.severity)?;
        for (index, entry) in config.overrides.iter().enumerate() {
            let index = index.to_string();
            list(&["overrides", &index, "select"], &entry.select)?;
            list(&["overrides", &index, "ignore"], &entry.ignore)?;
            map(&["overrides", &index, "severity"], &entry.severity)?;
        }
        Ok(())
    }

    /// Refuses what only the file of a whole project can say.
    ///
    /// # Errors
    /// It says it.
    pub fn check_below(&self) -> Result<(), ConfigError> {
        let config = self.config();
        let keys = [
            ("rules", !config.rules.is_empty()),
            ("environments", !config.environments.is_empty()),
            ("pedantic", config.pedantic),
        ];
        match keys.into_iter().find(|(_, used)| *used) {
            None => Ok(()),
            Some((key, _)) => {
                let words = format!(
                    "`{key}` counts for a whole project, and this file lies inside one; move it to the configuration of the project's own folder or above"
                );
                Err(self.file.error(&[key], words))
            }
        }
    }

    /// What the file says.
    #[must_use]
    pub fn config(&self) -> &Config {
        &self.file.config
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.file.path
    }

    /// Line and column at which the file says something, from 1: names of tables and keys, and
    /// indexes of lists in digits.
    #[must_use]
    pub fn place(&self, at: &[&str]) -> Option<(usize, usize)> {
        self.file.place(at)
    }

    /// A path of the file, absolute.
    #[must_use]
    pub fn path_of(&self, text: &str) -> PathBuf {
        self.folder.join(text)
    }

    /// The folders with added rules.
    #[must_use]
    pub fn rules_dirs(&self) -> Vec<PathBuf> {
        let folders = self.config().rules.iter();
        folders.map(|folder| self.path_of(folder)).collect()
    }

    /// The policy that endpoints are compared with.
    #[must_use]
    pub fn policy(&self) -> Option<&Arc<Policy>> {
        self.policy.as_ref()
    }

    /// Are findings in this file to be left out?
    #[must_use]
    pub fn excludes(&self, path: &Path) -> bool {
        is_match(&self.excludes, path, false)
    }

    /// Is a rule wanted in a file? `only` replaces what the file selects.
    #[must_use]
    pub fn wants(&self, rule: &str, path: &Path, only: &[String]) -> bool {
        let named = |list: &[String]| list.iter().any(|id| id == rule);
        let config = self.config();
        let mut select = &config.select;
        for entry in self.overrides(path) {
            if named(&entry.ignore) {
                return false;
            }
            if !entry.select.is_empty() {
                select = &entry.select;
            }
        }
        let select = if only.is_empty() { select } else { only };
        (select.is_empty() || named(select)) && !named(&config.ignore)
    }

    /// The severity that the file gives to findings of a rule in a file.
    #[must_use]
    pub fn severity(&self, rule: &str, path: &Path) -> Option<Severity> {
        let overrides = self.overrides(path).filter_map(|e| e.severity.get(rule));
        let severity = overrides
            .last()
            .or_else(|| self.config().severity.get(rule));
        severity.copied()
    }

    /// The overrides that are in force for a file.
    fn overrides(&self, path: &Path) -> impl Iterator<Item = &super::Override> {
        let entries = self.config().overrides.iter().zip(&self.overrides);
        let fitting = entries.filter(|(_, paths)| is_match(paths, path, false));
        fitting.map(|(entry, _)| entry)
    }
}

/// The environments that a project is looked at in, each with its name: those that its configuration
/// names, with what was `typed` on top; else only that, without a name.
#[must_use]
pub fn deployments(settings: Option<&Settings>, typed: &Environment) -> Vec<(String, Environment)> {
    let named = settings.map(|settings| &settings.config().environments);
    let named = named.into_iter().flatten().map(|(name, variables)| {
        let variables = variables.iter().map(|(name, value)| (&**name, &**value));
        let variables = variables.chain(typed.iter());
        let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned()));
        (name.clone(), variables.collect())
    });
    let deployments: Vec<_> = named.collect();
    if deployments.is_empty() {
        return vec![(String::new(), typed.clone())];
    }
    deployments
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn matcher(
    file: &File,
    folder: &Path,
    patterns: &[String],
    at: &[&str],
) -> Result<Gitignore, ConfigError> {
    let mut builder = GitignoreBuilder::new(folder);
    for (index, pattern) in patterns.iter().enumerate() {
        let error = |text: String| {
            let index = index.to_string();
            file.error(&[at, &[&index]].concat(), text)
        };
        if pattern.trim().is_empty() || pattern.starts_with('#') {
            return Err(error(format!("`{pattern}` is no pattern for paths")));
        }
        builder
            .add_line(None, pattern)
            .map_err(|why| error(format!("`{pattern}` is no pattern for paths: {why}")))?;
    }
    let built = builder.build();
    built.map_err(|why| file.error(at, why.to_string()))
}

fn is_match(patterns: &Gitignore, path: &Path, is_folder: bool) -> bool {
    let inside = || path.starts_with(patterns.path());
    !patterns.is_empty()
        && inside()
        && patterns
            .matched_path_or_any_parents(path, is_folder)
            .is_ignore()
}
