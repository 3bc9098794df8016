//! A run: find the files, read them as sites, judge the sites.

mod fingerprint;
mod fixing;
mod nearest;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use rayon::prelude::*;

use crate::baseline::{self, Entry, Outcome};
use crate::config::{ConfigError, Configs, Lookup, Policy, Settings, deployments};
use crate::discover::{self, Discovery, Excludes, Project};
use crate::fixes::Fixing;
use crate::frameworks;
use crate::model::{Environment, Finding, Severity, Site};
use crate::progress::{Progress, Work};
use crate::report::{Problem, Report};
use crate::rules::{Judge, Judged, Pedantic, RuleError, RuleSet};
use crate::source::{SourceFile, Sources, Span, read_text};
use crate::suppress::{self, Suppressions};
use fingerprint::{fingerprint, from_base, order};

pub use nearest::nearest;
pub(crate) use nearest::nearest_of;

/// What to check, and how.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Files and folders.
    pub paths: Vec<PathBuf>,
    /// A text to check, with the name of the file that it stands for.
    pub stdin: Option<(PathBuf, String)>,
    /// Ids of the only rules to report; empty: those that the configuration selects.
    pub select: Vec<String>,
    /// Ids of rules not to report, besides those that the configuration ignores.
    pub ignore: Vec<String>,
    /// Report pedantic rules too.
    pub pedantic: bool,
    /// Folders with added rules, besides those of the configuration.
    pub rules_dirs: Vec<PathBuf>,
    /// What the environment of the deployment will hold.
    pub environment: Environment,
    /// Which configuration files are in force.
    pub config: Lookup,
    /// The mildest severity that makes the run fail; `None`: what the configuration says.
    pub fail_on: Option<Severity>,
    /// Leave out what the configuration excludes even if it was named.
    pub force_exclude: bool,
    /// The file with the findings that are known; `None`: the one that the configuration names.
    pub baseline: Option<PathBuf>,
    /// Make a new baseline of what is found instead.
    pub write_baseline: bool,
    /// Read every file of a known kind, whether it holds words of CORS or not. It changes the time that a
    /// run takes and no finding about CORS: the tests compare.
    pub every_file: bool,
    /// What to do about repairs.
    pub fix: Fixing,
    /// Told how far the run is.
    pub progress: Arc<Progress>,
    /// The day on which `until=` of suppressions is looked at; `None`: today, in UTC.
    pub today: Option<jiff::civil::Date>,
}

/// Why a run could not start.
#[derive(Debug)]
pub enum Error {
    /// A configuration file cannot be used.
    Config(ConfigError),
    /// A rule file cannot be used.
    Rules(RuleError),
    /// A baseline cannot be used: the file, and why.
    Baseline(PathBuf, String),
    /// No rule has this id; the nearest one that exists.
    UnknownRule(String, Option<String>),
    /// The working directory cannot be told.
    Folder(std::io::Error),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Config(error) => write!(f, "{error}"),
            Self::Rules(error) => write!(f, "{error}"),
            Self::Baseline(path, why) => {
                write!(f, "{}: {why}", crate::report::Paths::here().show(path))
            }
            Self::UnknownRule(id, None) => write!(f, "there is no rule `{id}`"),
            Self::UnknownRule(id, Some(near)) => {
                write!(f, "there is no rule `{id}`; did you mean `{near}`?")
            }
            Self::Folder(error) => write!(f, "cannot tell the working directory: {error}"),
        }
    }
}

impl std::error::Error for Error {}

impl From<ConfigError> for Error {
    fn from(error: ConfigError) -> Self {
        Self::Config(error)
    }
}

/// Checks `options.paths` and what belongs to them.
///
/// # Errors
/// Only what keeps the run from starting; what goes wrong with single files is part of the report.
pub fn check(options: &Options) -> Result<Report, Error> {
    let begin = Instant::now();
    let run = Run::new(options)?;
    let sources = Sources::new();
    let stdin = options.stdin.as_ref();
    let stdin = stdin.map(|(path, text)| (path.as_path(), text.as_str()));
    let excludes = Excludes {
        are: &|path, is_folder| run.configs.excludes(path, is_folder),
        any_in: &|folder, holds| run.configs.excludes_in(folder, holds),
        even_named: options.force_exclude,
        nothing_by_words: options.every_file,
    };
    let discovery = discover::discover(&options.paths, stdin, &sources, excludes);
    let Discovery {
        mut projects,
        skipped,
        errors,
        examined,
        excluded,
    } = discovery.map_err(Error::Folder)?;
    run.configs.check()?;
    let found = Instant::now();
    let start = || {
        let mut report = Report {
            skipped: skipped.clone(),
            errors: errors.clone(),
            ..Report::default()
        };
        report.summary.examined = examined;
        report.summary.excluded = excluded;
        report
    };
    let (mut report, sources) = run.fix(&mut projects, sources, &start)?;
    report.sources = sources;
    report.times.discovering = found - begin;
    report.times.checking = found.elapsed();
    report.rule_pages = run
        .here
        .as_ref()
        .and_then(|settings| settings.config().rule_pages.clone());
    let rules = run.rules.into_inner();
    let rules = rules.unwrap_or_else(PoisonError::into_inner);
    report.rules = rules.into_values().collect();
    Ok(report)
}

/// What came of reading and judging a project.
struct Looked {
    /// Before the configuration has its say.
    findings: Vec<Finding>,
    /// The sites of each deployment.
    sites: Vec<Vec<Arc<dyn Site>>>,
    /// How often each rule stayed undecided.
    undecided: BTreeMap<String, usize>,
    /// Numbers, skipped files and rules that are wrong.
    report: Report,
}

/// What all projects of a run share.
struct Run<'a> {
    options: &'a Options,
    configs: Configs,
    /// What is in force in the working directory.
    here: Option<Arc<Settings>>,
    /// The rules, loaded when the first endpoint is met, by the folders that add to them.
    rules: Mutex<HashMap<Vec<PathBuf>, Arc<RuleSet>>>,
}

impl<'a> Run<'a> {
    fn new(options: &'a Options) -> Result<Self, Error> {
        let configs = Configs::new(&options.config)?;
        let folder = std::env::current_dir().and_then(|folder| folder.canonicalize());
        let here = configs.of_folder(&folder.map_err(Error::Folder)?);
        configs.check()?;
        let run = Self {
            options,
            configs,
            here,
            rules: Mutex::default(),
        };
        let typed = options.select.iter().chain(&options.ignore);
        if run.here.is_some() || !options.rules_dirs.is_empty() || typed.clone().next().is_some() {
            let rules = run.rules(run.here.as_deref())?;
            if let Some(settings) = &run.here {
                settings.check_ids(|id| known(id, &rules).map_err(|error| error.to_string()))?;
            }
            typed.into_iter().try_for_each(|id| known(id, &rules))?;
        }
        Ok(run)
    }

    /// Reads and judges all projects, and adds what came of it to `report`.
    fn judge(
        &self,
        projects: &[Project],
        sources: &Sources,
        mut report: Report,
    ) -> Result<Report, Error> {
        let files = projects.iter().map(|project| project.files.len());
        self.options.progress.found(files.sum());
        // One project needs no threads but those of its endpoints.
        let parts: Vec<_> = match projects {
            [project] => vec![self.project(project, sources)],
            _ => projects
                .par_iter()
                .map(|project| self.project(project, sources))
                .collect(),
        };
        for part in parts {
            report.append(part?);
        }
        order(&mut report.findings, sources);
        fingerprint(&mut report.findings, projects, sources);
        self.suppress(projects, sources, &mut report)?;
        self.subtract_baseline(projects, sources, &mut report)?;
        report.failing = report.findings.iter().any(|finding| {
            let path = sources.get(finding.primary.span.file);
            let settings = self.configs.of_file(path.path());
            let configured = settings.and_then(|settings| settings.config().fail_on);
            let threshold = self.options.fail_on.or(configured);
            finding.severity >= threshold.unwrap_or(Severity::Warning)
        });
        Ok(report)
    }

    /// Takes out what comments suppress, and reports comments that suppress nothing.
    fn suppress(
        &self,
        projects: &[Project],
        sources: &Sources,
        report: &mut Report,
    ) -> Result<(), Error> {
        // An included file may lie outside of all projects.
        let project = |path: &Path| {
            let around = projects
                .iter()
                .filter(|project| path.starts_with(&project.root));
            around.max_by_key(|project| project.root.as_os_str().len())
        };
        let settings = |path: &Path| self.configs.of_folder(&project(path)?.root);
        let rules = |path: &Path| self.rules(settings(path).as_deref()).ok();
        let context = suppress::Context {
            today: self.options.today.unwrap_or_else(today),
            require_reason: &|file| {
                let settings = self.configs.of_file(file.path());
                settings.is_some_and(|settings| settings.config().require_reason)
            },
            is_rule: &|file, id| match rules(file.path()) {
                Some(rules) if rules.get(id).is_none() => Err(nearest(id, &rules)),
                _ => Ok(()),
            },
            is_judged: &|file, id| {
                let path = file.path();
                let pedantic = settings(path).is_some_and(|settings| settings.config().pedantic);
                let asked = pedantic || self.options.pedantic;
                let is_quiet = |rules: Arc<RuleSet>| {
                    let rule = rules.get(id);
                    rule.is_none_or(|rule| {
                        matches!(rule.definition.pedantic, Pedantic::Fixed(true))
                    })
                };
                self.wants(id, path) && (asked || !rules(path).is_none_or(is_quiet))
            },
        };
        let mut suppressions = Suppressions::read(sources.files().into_iter(), &context);
        report.suppressed = suppressions.apply(&mut report.findings);
        if suppressions.is_empty() || !report.errors.is_empty() {
            return Ok(());
        }
        let is_complete = |file: &SourceFile| {
            project(file.path())
                .is_some_and(|project| project.complete && project.names(file.path()))
        };
        let (comments, mut fixes) = suppressions.observe(&context, is_complete);
        let site: Arc<dyn Site> = Arc::new(comments);
        let judged = Judge::new(&*self.rules(None)?, self.options.pedantic).site(&site);
        let mut findings = judged.findings;
        findings.retain_mut(|finding| {
            let span = finding.primary.span;
            finding.fixes.extend(fixes.remove(&span));
            let project = project(sources.get(span.file).path());
            project.is_some_and(|project| self.is_wanted(finding, project, sources))
        });
        fingerprint(&mut findings, projects, sources);
        report.findings.append(&mut findings);
        order(&mut report.findings, sources);
        Ok(())
    }

    /// Takes out what the baseline holds, or makes a new one.
    fn subtract_baseline(
        &self,
        projects: &[Project],
        sources: &Sources,
        report: &mut Report,
    ) -> Result<(), Error> {
        let folder = std::env::current_dir().and_then(|folder| folder.canonicalize());
        let folder = folder.map_err(Error::Folder)?;
        let configured = || {
            let settings = self.here.as_ref()?;
            let path = settings.config().baseline.as_ref()?;
            Some(settings.path_of(path))
        };
        let typed = self.options.baseline.clone();
        let writes = self.options.write_baseline;
        let Some(path) = typed.clone().or_else(configured) else {
            let why = "names no file; give --baseline FILE, or `baseline` in corslint.toml";
            let error = Error::Baseline("--write-baseline".into(), why.into());
            return if writes { Err(error) } else { Ok(()) };
        };
        let failed = |why: String| Error::Baseline(path.clone(), why);
        let mut known = match read_text(&path) {
            Ok(text) => baseline::read(&text).map_err(failed)?,
            // The one that a configuration names may not have been written yet.
            Err(_) if (writes || typed.is_none()) && !path.exists() => BTreeMap::new(),
            Err(why) => return Err(failed(why.to_string())),
        };
        let entry = |finding: &Finding| {
            let file = sources.get(finding.primary.span.file);
            Entry::new(finding, from_base(file.path(), projects))
        };
        let scope = Scope::new(&self.options.paths, projects, &folder);
        let filtered = !self.options.select.is_empty() || !self.options.ignore.is_empty();
        let is_whole = !filtered && report.errors.is_empty();
        if writes {
            let mut entries: Vec<Entry> = report.findings.iter().map(entry).collect();
            // What was not looked at stays.
            known.retain(|_, entry| !is_whole || !scope.holds(&entry.path));
            entries.extend(known.into_values());
            report.baseline = Some(Outcome {
                known: entries.len(),
                stale: Vec::new(),
            });
            report.new_baseline = Some((path, baseline::write(entries)));
            report.findings.clear();
            return Ok(());
        }
        let before = report.findings.len();
        report
            .findings
            .retain(|finding| known.remove(&finding.fingerprint).is_none());
        for entry in &report.suppressed {
            known.remove(&entry.finding.fingerprint);
        }
        known.retain(|_, entry| is_whole && scope.holds(&entry.path));
        report.baseline = Some(Outcome {
            known: before - report.findings.len(),
            stale: known.into_values().collect(),
        });
        Ok(())
    }

    /// The built-in rules and the added ones.
    fn rules(&self, settings: Option<&Settings>) -> Result<Arc<RuleSet>, Error> {
        let mut folders = settings.map(Settings::rules_dirs).unwrap_or_default();
        folders.extend(self.options.rules_dirs.iter().cloned());
        let mut known = self.rules.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(rules) = known.get(&folders) {
            return Ok(Arc::clone(rules));
        }
        let rules = match folders.as_slice() {
            [] => RuleSet::builtin(),
            folders => RuleSet::load(folders).map(Arc::new),
        };
        let rules = rules.map_err(Error::Rules)?;
        known.insert(folders, Arc::clone(&rules));
        Ok(rules)
    }

    fn project(&self, project: &Project, sources: &Sources) -> Result<Report, Error> {
        let settings = self.configs.of_folder(&project.root);
        self.check_configs(project, settings.as_ref())?;
        let files = project.files.iter();
        let files: Vec<_> = files.map(|found| Arc::clone(&found.file)).collect();
        let mut looked = self.look(project, &files, sources, &|_| true)?;
        let mut findings = looked.findings.clone();
        findings.retain_mut(|finding| self.is_wanted(finding, project, sources));
        let mut report = std::mem::take(&mut looked.report);
        if self.options.fix != Fixing::No {
            let begin = Instant::now();
            self.offer(project, &looked, sources, &mut findings);
            report.times.repairing = begin.elapsed();
        }
        self.options.progress.judged(project.files.len());
        Ok(Report { findings, ..report })
    }

    /// Reads `files`, which stand for those of a project, by the frameworks that `reads` names, and
    /// judges the sites.
    fn look(
        &self,
        project: &Project,
        files: &[Arc<SourceFile>],
        sources: &Sources,
        reads: &dyn Fn(&str) -> bool,
    ) -> Result<Looked, Error> {
        let settings = self.configs.of_folder(&project.root);
        let configured = settings
            .as_ref()
            .is_some_and(|settings| settings.config().pedantic);
        let policy = |span: Span| -> Option<Arc<Policy>> {
            let settings = self.configs.of_file(sources.get(span.file).path())?;
            settings.policy().map(Arc::clone)
        };
        let rules = self.rules(settings.as_deref())?;
        let pedantic = configured || self.options.pedantic;
        let judge = Judge::new(&rules, pedantic)
            .thorough(self.options.every_file)
            .comparing_with(&policy);
        let deployments = deployments(settings.as_deref(), &self.options.environment);
        let mut report = Report::default();
        let mut undecided: BTreeMap<String, usize> = BTreeMap::new();
        let mut found = Vec::new();
        let mut all = Vec::new();
        for (index, (name, environment)) in deployments.iter().enumerate() {
            let read = frameworks::Project {
                root: &project.root,
                files,
                sources,
                environment,
            };
            // Every deployment has the same files and endpoints: the first one is counted.
            let mut other = Report::default();
            let counted = if index == 0 { &mut report } else { &mut other };
            let (findings, sites) = read_and_judge(read, judge, reads, counted);
            for (rule, count) in &counted.summary.undecided {
                *undecided.entry(rule.clone()).or_default() += count;
            }
            report.times.append(std::mem::take(&mut other.times));
            found.push((name.clone(), judge.merge(findings)));
            all.push(sites);
        }
        Ok(Looked {
            findings: united(found),
            sites: all,
            undecided,
            report,
        })
    }

    /// Checks the configuration files that are in force for the files of a project.
    fn check_configs(
        &self,
        project: &Project,
        settings: Option<&Arc<Settings>>,
    ) -> Result<(), Error> {
        let files = project.files.iter();
        let found = files.filter_map(|found| self.configs.of_file(found.file.path()));
        let mut all: Vec<Arc<Settings>> = Vec::new();
        for other in found.chain(settings.map(Arc::clone)) {
            if !all.iter().any(|known| Arc::ptr_eq(known, &other)) {
                all.push(other);
            }
        }
        self.configs.check()?;
        if all.is_empty() {
            return Ok(());
        }
        let rules = self.rules(settings.map(Arc::as_ref))?;
        for other in all {
            other.check_ids(|id| known(id, &rules).map_err(|error| error.to_string()))?;
            if settings.is_none_or(|settings| !Arc::ptr_eq(settings, &other)) {
                other.check_below()?;
            }
        }
        Ok(())
    }

    /// Is a rule asked for in a file?
    fn wants(&self, rule: &str, path: &Path) -> bool {
        let Options { select, ignore, .. } = self.options;
        let named = |list: &[String]| list.iter().any(|id| id == rule);
        if named(ignore) {
            return false;
        }
        match self.configs.of_file(path) {
            Some(settings) => settings.wants(rule, path, select),
            None => select.is_empty() || named(select),
        }
    }

    /// Is a finding to be reported? Gives it the severity that the configuration wants.
    fn is_wanted(&self, finding: &mut Finding, project: &Project, sources: &Sources) -> bool {
        let mut places = std::iter::once(&finding.primary).chain(&finding.related);
        let mut touches_named =
            || places.any(|label| project.names(sources.get(label.span.file).path()));
        if project.partial && !touches_named() {
            return false;
        }
        let file = sources.get(finding.primary.span.file);
        let path = file.path();
        if !self.wants(&finding.rule, path) {
            return false;
        }
        let Some(settings) = self.configs.of_file(path) else {
            return true;
        };
        if settings.excludes(path) && !project.names(path) {
            return false;
        }
        if let Some(severity) = settings.severity(&finding.rule, path) {
            let mut conditions = finding.conditions.iter();
            let development = conditions.any(|(condition, holds)| condition.development && *holds);
            // What holds only while developing stays as mild as it is.
            if !development || severity < finding.severity {
                finding.severity = severity;
            }
        }
        true
    }
}

/// Reads a project's files, of which each framework gets those that it claims, and judges the sites.
fn read_and_judge(
    project: frameworks::Project<'_>,
    judge: Judge<'_>,
    reads: &dyn Fn(&str) -> bool,
    report: &mut Report,
) -> (Vec<Finding>, Vec<Arc<dyn Site>>) {
    let mut read = HashSet::new();
    let mut findings = Vec::new();
    let mut sites = Vec::new();
    for framework in frameworks::ALL
        .iter()
        .filter(|framework| reads(framework.name))
    {
        let files = project.files.iter();
        let claimed: Vec<_> = files
            .filter(|file| (framework.detect)(file.path(), file.text()))
            .map(Arc::clone)
            .collect();
        if claimed.is_empty() {
            continue;
        }
        let mut work = Work::default();
        let begin = Instant::now();
        let reading = (framework.read)(frameworks::Project {
            files: &claimed,
            ..project
        });
        work.reading = begin.elapsed();
        let begin = Instant::now();
        read.extend(reading.files.iter().map(|file| file.id()));
        let skipped = reading.skipped.into_iter().map(|(path, text)| Problem {
            path: Some(path),
            text,
        });
        report.skipped.extend(skipped);
        for site in reading.sites {
            let site: Arc<dyn Site> = Arc::from(site);
            let mut judged = judge.site(&site);
            findings.append(&mut judged.findings);
            count(judged, site.as_ref(), report);
            sites.push(site);
        }
        work.judging = begin.elapsed();
        report.times.add(framework.name, work);
    }
    report.summary.files += read.len();
    (findings, sites)
}

/// The findings of all deployments: those with the same rule and primary place are one, as bad as the
/// worst, and say in which deployments they hold if not in all.
fn united(found: Vec<(String, Vec<Finding>)>) -> Vec<Finding> {
    let all = found.len();
    let mut united: Vec<(Finding, Vec<String>)> = Vec::new();
    let mut known: HashMap<(String, Span), usize> = HashMap::new();
    for (name, findings) in found {
        for finding in findings {
            let key = (finding.rule.clone(), finding.primary.span);
            match known.get(&key) {
                None => {
                    known.insert(key, united.len());
                    united.push((finding, vec![name.clone()]));
                }
                Some(index) => {
                    let (kept, names) = &mut united[*index];
                    names.push(name.clone());
                    if finding.severity > kept.severity {
                        *kept = finding;
                    }
                }
            }
        }
    }
    let named = united.into_iter().map(|(mut finding, names)| {
        if names.len() < all {
            let names: Vec<_> = names.iter().map(|name| format!("`{name}`")).collect();
            finding
                .notes
                .push(format!("in the environment {}", names.join(", ")));
        }
        finding
    });
    named.collect()
}

/// What a run looked at.
struct Scope {
    /// What paths in fingerprints may start from.
    bases: Vec<PathBuf>,
    /// Named files, and all that lies in named folders.
    named: Vec<PathBuf>,
}

impl Scope {
    fn new(paths: &[PathBuf], projects: &[Project], folder: &Path) -> Self {
        let repository = folder.ancestors().find(|above| above.join(".git").exists());
        let mut bases = vec![repository.unwrap_or(folder).to_path_buf()];
        bases.extend(projects.iter().map(|project| project.base.clone()));
        let named = paths.iter().filter_map(|path| path.canonicalize().ok());
        Self {
            named: named.collect(),
            bases,
        }
    }

    /// Was this path, written from a project's base, looked at, or would it have been?
    fn holds(&self, path: &str) -> bool {
        self.bases.iter().any(|base| {
            let path = base.join(path);
            self.named.iter().any(|named| path.starts_with(named))
        })
    }
}

/// Today, in UTC.
fn today() -> jiff::civil::Date {
    let epoch = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let seconds = epoch.map_or(0, |since| since.as_secs());
    date_of(seconds).unwrap_or_default()
}

/// The day, in UTC, of a time in seconds since 1970.
pub(crate) fn date_of(seconds: u64) -> Option<jiff::civil::Date> {
    let timestamp = jiff::Timestamp::from_second(i64::try_from(seconds).ok()?);
    Some(jiff::tz::Offset::UTC.to_datetime(timestamp.ok()?).date())
}

/// Is there a rule of this id?
fn known(id: &str, rules: &RuleSet) -> Result<(), Error> {
    match rules.get(id) {
        Some(_) => Ok(()),
        None => Err(Error::UnknownRule(id.to_owned(), nearest(id, rules))),
    }
}

/// Counts what came of one site, and reports the rules that are wrong.
fn count(judged: Judged, site: &dyn Site, report: &mut Report) {
    let summary = &mut report.summary;
    summary.endpoints += judged.endpoints;
    summary.partly += judged.partly;
    summary.facts += judged.facts;
    summary.unknown += site.unknowns().len();
    for (rule, count) in judged.undecided {
        summary.unknown += count;
        *summary.undecided.entry(rule).or_default() += count;
    }
    for (rule, words) in judged.wrong {
        let problem = Problem {
            path: None,
            text: format!("the rule `{rule}` is wrong: {words}"),
        };
        if !report.errors.contains(&problem) {
            report.errors.push(problem);
        }
    }
}
