//! A run: find the files, read them as sites, judge the sites.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use sha2::{Digest, Sha256};

use crate::discover::{self, Discovery, Project};
use crate::frameworks;
use crate::model::{Environment, Finding, Site};
use crate::report::{Problem, Report};
use crate::rules::{Judge, Judged, RuleError, RuleSet};
use crate::source::{SourceFile, Sources, Span};
use crate::spelling::edit_distance;

/// What to check, and how.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Files and folders.
    pub paths: Vec<PathBuf>,
    /// A text to check, with the name of the file that it stands for.
    pub stdin: Option<(PathBuf, String)>,
    /// Ids of the only rules to report; empty: all.
    pub select: Vec<String>,
    /// Ids of rules not to report.
    pub ignore: Vec<String>,
    /// Report pedantic rules too.
    pub pedantic: bool,
    /// Folders with added rules.
    pub rules_dirs: Vec<PathBuf>,
    /// What the environment of the deployment will hold.
    pub environment: Environment,
}

/// Why a run could not start.
#[derive(Debug)]
pub enum Error {
    /// A rule file cannot be used.
    Rules(RuleError),
    /// No rule has this id; the nearest one that exists.
    UnknownRule(String, Option<String>),
    /// The working directory cannot be told.
    Folder(std::io::Error),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rules(error) => write!(f, "{error}"),
            Self::UnknownRule(id, None) => write!(f, "there is no rule `{id}`"),
            Self::UnknownRule(id, Some(near)) => {
                write!(f, "there is no rule `{id}`; did you mean `{near}`?")
            }
            Self::Folder(error) => write!(f, "cannot tell the working directory: {error}"),
        }
    }
}

impl std::error::Error for Error {}

/// Checks `options.paths` and what belongs to them.
///
/// # Errors
/// Only what keeps the run from starting; what goes wrong with single files is part of the report.
pub fn check(options: &Options) -> Result<Report, Error> {
    let lazy = Lazy::new(options)?;
    let sources = Sources::new();
    let stdin = options.stdin.as_ref();
    let stdin = stdin.map(|(path, text)| (path.as_path(), text.as_str()));
    let discovery = discover::discover(&options.paths, stdin, &sources).map_err(Error::Folder)?;
    let mut report = Report::default();
    let Discovery {
        projects,
        skipped,
        errors,
        examined,
        excluded,
    } = discovery;
    report.skipped = skipped;
    report.errors = errors;
    report.summary.examined = examined;
    report.summary.excluded = excluded;
    for project in &projects {
        check_project(project, &sources, &lazy, &mut report)?;
    }
    order(&mut report.findings, &sources);
    fingerprint(&mut report.findings, &projects, &sources);
    report.sources = sources;
    Ok(report)
}

/// The rules, loaded when the first endpoint is met.
struct Lazy<'a> {
    options: &'a Options,
    rules: std::cell::OnceCell<RuleSet>,
}

impl<'a> Lazy<'a> {
    fn new(options: &'a Options) -> Result<Self, Error> {
        let lazy = Self {
            options,
            rules: std::cell::OnceCell::new(),
        };
        if !options.rules_dirs.is_empty()
            || !options.select.is_empty()
            || !options.ignore.is_empty()
        {
            let rules = lazy.rules()?;
            for id in options.select.iter().chain(&options.ignore) {
                if rules.get(id).is_none() {
                    return Err(Error::UnknownRule(id.clone(), nearest(id, rules)));
                }
            }
        }
        Ok(lazy)
    }

    fn rules(&self) -> Result<&RuleSet, Error> {
        if let Some(rules) = self.rules.get() {
            return Ok(rules);
        }
        let rules = RuleSet::load(&self.options.rules_dirs).map_err(Error::Rules)?;
        Ok(self.rules.get_or_init(|| rules))
    }

    fn wants(&self, rule: &str) -> bool {
        let Options { select, ignore, .. } = self.options;
        let named = |list: &[String]| list.iter().any(|id| id == rule);
        (select.is_empty() || named(select)) && !named(ignore)
    }
}

/// The id of the rule that was probably meant: the one of which `id` is the start or another part,
/// or the one that is fewest edits away, if few.
#[must_use]
pub fn nearest(id: &str, rules: &RuleSet) -> Option<String> {
    let ids = || rules.rules().map(|rule| rule.definition.id.as_str());
    let part = ids().find(|other| id.len() > 3 && other.contains(id));
    let near = || {
        let near = ids().map(|other| (edit_distance(id, other), other)).min()?;
        (near.0 <= id.len().div_ceil(3)).then_some(near.1)
    };
    part.or_else(near).map(str::to_owned)
}

fn check_project(
    project: &Project,
    sources: &Sources,
    lazy: &Lazy<'_>,
    report: &mut Report,
) -> Result<(), Error> {
    let files: Vec<Arc<SourceFile>> = project
        .files
        .iter()
        .map(|found| Arc::clone(&found.file))
        .collect();
    let mut read = HashSet::new();
    let mut findings = Vec::new();
    for framework in frameworks::ALL {
        let claimed: Vec<_> = files
            .iter()
            .filter(|file| (framework.detect)(file.path(), file.text()))
            .map(Arc::clone)
            .collect();
        if claimed.is_empty() {
            continue;
        }
        let reading = (framework.read)(frameworks::Project {
            root: &project.root,
            files: &claimed,
            sources,
            environment: &lazy.options.environment,
        });
        read.extend(reading.files.iter().map(|file| file.id()));
        report
            .skipped
            .extend(reading.skipped.into_iter().map(|(path, text)| Problem {
                path: Some(path),
                text,
            }));
        for site in reading.sites {
            let site: Arc<dyn Site> = Arc::from(site);
            let mut judged = Judge::new(lazy.rules()?, lazy.options.pedantic).site(&site);
            findings.append(&mut judged.findings);
            count(judged, site.as_ref(), report);
        }
    }
    report.summary.files += read.len();
    if findings.is_empty() {
        return Ok(());
    }
    let touches_named = |finding: &Finding| {
        let mut places = std::iter::once(&finding.primary).chain(&finding.related);
        places.any(|label| project.names(sources.get(label.span.file).path()))
    };
    let findings = Judge::new(lazy.rules()?, lazy.options.pedantic).merge(findings);
    report
        .findings
        .extend(findings.into_iter().filter(|finding| {
            lazy.wants(&finding.rule) && (!project.partial || touches_named(finding))
        }));
    Ok(())
}

/// Counts what came of one site, and reports the rules that are wrong.
fn count(judged: Judged, site: &dyn Site, report: &mut Report) {
    let summary = &mut report.summary;
    summary.endpoints += site.endpoints().len();
    summary.partly += judged.partly;
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

/// Path, place, rule.
fn order(findings: &mut [Finding], sources: &Sources) {
    let files = findings.iter().map(|finding| finding.primary.span.file);
    let mut files: Vec<_> = files.collect::<HashSet<_>>().into_iter().collect();
    files.sort_by_cached_key(|file| sources.get(*file).path().to_path_buf());
    let ranks: HashMap<_, usize> = files.into_iter().zip(0..).collect();
    findings.sort_by(|a, b| {
        let key = |finding: &Finding| {
            let span = finding.primary.span;
            (ranks.get(&span.file).copied(), span.start, span.end)
        };
        key(a).cmp(&key(b)).then_with(|| a.rule.cmp(&b.rule))
    });
}

/// Lines longer than this, in bytes, are no part of a fingerprint; the token alone is.
const MAX_FINGERPRINT_LINE: usize = 1000;

/// Gives every finding a fingerprint: the first 32 hexadecimal digits of the SHA-256 of rule, path
/// (from the project's base, `/` between folders), the primary token with the line that it stands
/// on, white space folded, and a number that tells equal ones apart. No line numbers, and nothing
/// that depends on where or with which arguments the run was started.
fn fingerprint(findings: &mut [Finding], projects: &[Project], sources: &Sources) {
    let mut paths: HashMap<_, String> = HashMap::new();
    let mut seen: HashMap<String, usize> = HashMap::new();
    for finding in findings {
        let file = sources.get(finding.primary.span.file);
        let path = paths
            .entry(file.id())
            .or_insert_with(|| from_base(file.path(), projects));
        let line = line_of(&file, finding.primary.span);
        let line = if line.len() > MAX_FINGERPRINT_LINE {
            ""
        } else {
            line
        };
        let token = file.slice(finding.primary.span);
        let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        let content = format!(
            "{}\0{path}\0{}\0{}",
            finding.rule,
            words(line),
            words(token)
        );
        let count = seen.entry(content.clone()).or_default();
        let digest = Sha256::digest(format!("{content}\0{count}"));
        *count += 1;
        finding.fingerprint = digest[..16]
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
    }
}

/// The path from the base of the nearest project around it.
fn from_base(path: &Path, projects: &[Project]) -> String {
    let bases = projects.iter().map(|project| project.base.as_path());
    let nearest = bases
        .filter_map(|base| path.strip_prefix(base).ok())
        .min_by_key(|rest| rest.as_os_str().len());
    let path = nearest.unwrap_or(path);
    path.to_string_lossy().replace('\\', "/")
}

fn line_of(file: &SourceFile, span: Span) -> &str {
    let position = file.position(span.start);
    let starts = file.line_starts();
    let start = starts.get(position.line - 1).copied().unwrap_or_default();
    let end = starts
        .get(position.line)
        .copied()
        .unwrap_or(file.span().end);
    file.slice(Span::new(file.id(), start, end))
}
