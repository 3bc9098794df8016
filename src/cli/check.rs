//! `corslint check`.

use std::io::{Read as _, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use super::Exit;
use super::args::{COMMANDS, CheckArguments, ReportFormat};
use super::fix;
use super::progress::{self, Bar};
use super::streams::{self, Failure};
use crate::check::{Options, check, date_of};
use crate::fixes::Fixing;
use crate::model::Severity;
use crate::report::{
    Paths, Problem, Report, Style, write_checkstyle, write_concise, write_github, write_gitlab,
    write_json, write_junit, write_sarif, write_statistics, write_statistics_json, write_terminal,
};
use crate::source::{MAX_FILE_BYTES, Unreadable, text_of};
use crate::write::replace;

/// The most skipped files that are named one by one.
const MAX_SKIPPED: usize = 20;

pub(super) fn run(arguments: CheckArguments) -> Result<Exit, Failure> {
    let format = format(&arguments);
    let output = arguments.output.clone();
    let suppressed = arguments.show_suppressed;
    let style = Style {
        color: arguments.color.color.decide() && output.is_none(),
        links: supports_hyperlinks::on(supports_hyperlinks::Stream::Stdout) && output.is_none(),
    };
    let (diff, timings) = (arguments.diff, arguments.timings);
    if arguments.unsafe_fixes && !arguments.fix && !diff {
        let words = "`--unsafe-fixes` needs `--fix` or `--diff`";
        return Err(Failure::Said(words.into()));
    }
    let statistics = arguments.statistics;
    if statistics && !format.has_statistics() {
        let words =
            "`--statistics` can be written with `--format terminal` and `--format json` only";
        return Err(Failure::Said(words.into()));
    }
    let mut options = options(arguments)?;
    if options.fix == Fixing::No && format.shows_fixes() {
        options.fix = Fixing::Offer;
    }
    let bar = Bar::start(&options.progress);
    let report = check(&options);
    drop(bar);
    let report = report?;
    let checked = Instant::now();
    let paths = Paths::here();
    if diff {
        return fix::show(&report, &paths, output.as_deref());
    }
    fix::write(&report, &paths)?;
    problems(&report, &paths, format);
    if let Some((path, text)) = &report.new_baseline {
        let shown = paths.show(path);
        replace(path, text.as_bytes())
            .map_err(|error| Failure::Said(format!("{shown}: cannot be written: {error}")))?;
        let known = report.baseline.as_ref().map_or(0, |outcome| outcome.known);
        streams::warn(&format!("{shown}: {known} known findings"));
    }
    let content = |out: &mut dyn Write| match format {
        ReportFormat::Json if statistics => write_statistics_json(&report, out),
        _ if statistics => write_statistics(&report, out),
        ReportFormat::Terminal => write_terminal(&report, &paths, style, out),
        ReportFormat::Concise => write_concise(&report, &paths, out),
        ReportFormat::Json => write_json(&report, &paths, out),
        ReportFormat::Sarif => write_sarif(&report, &paths, suppressed, out),
        ReportFormat::Github => write_github(&report, &paths, out),
        ReportFormat::Gitlab => write_gitlab(&report, &paths, out),
        ReportFormat::Junit => write_junit(&report, &paths, out),
        ReportFormat::Checkstyle => write_checkstyle(&report, &paths, out),
    };
    match &output {
        None => streams::write(content)?,
        Some(path) => {
            let mut text = Vec::new();
            let written = content(&mut text).and_then(|()| replace(path, &text));
            written.map_err(|error| {
                Failure::Said(format!("{}: cannot be written: {error}", paths.show(path)))
            })?;
        }
    }
    let reporting = checked.elapsed();
    if format == ReportFormat::Terminal {
        for line in fix::summary(&report) {
            streams::warn(&line);
        }
    }
    if timings {
        progress::times(&report, reporting);
    }
    Ok(if !report.errors.is_empty() {
        Exit::Failed
    } else if report.failing {
        Exit::Findings
    } else {
        Exit::Clean
    })
}

impl ReportFormat {
    /// Do fixes stand in it, or beside it on standard error?
    const fn shows_fixes(self) -> bool {
        matches!(self, Self::Terminal | Self::Json | Self::Sarif)
    }

    /// Is there a way to write `--statistics` in it?
    const fn has_statistics(self) -> bool {
        matches!(self, Self::Terminal | Self::Json)
    }
}

/// The format that was asked for; else, of a file, the one that its name stands for.
fn format(arguments: &CheckArguments) -> ReportFormat {
    let ending = || arguments.output.as_ref()?.extension()?.to_str();
    match (arguments.format, ending()) {
        (Some(format), _) => format,
        (None, Some("sarif")) => ReportFormat::Sarif,
        (None, Some("json")) => ReportFormat::Json,
        (None, _) => ReportFormat::Terminal,
    }
}

/// What was typed as what the library needs.
fn options(arguments: CheckArguments) -> Result<Options, Failure> {
    let is_stdin = |path: &PathBuf| path == Path::new("-");
    let (stdin, paths): (Vec<_>, Vec<_>) = arguments.paths.into_iter().partition(is_stdin);
    let stdin = match (stdin.is_empty(), arguments.stdin_filename) {
        (true, None) => None,
        (false, Some(_)) if arguments.fix => {
            let words = "`--fix` changes files; for standard input there is `--diff`";
            return Err(Failure::Said(words.into()));
        }
        (false, Some(name)) => Some((name, read_stdin()?)),
        (false, None) => {
            let words = "`-` needs `--stdin-filename FILE`, which tells what kind of file it is";
            return Err(Failure::Said(words.into()));
        }
        (true, Some(_)) => {
            let words = "`--stdin-filename` needs the path `-`, which stands for standard input";
            return Err(Failure::Said(words.into()));
        }
    };
    let environment = arguments.environment.read()?;
    Ok(Options {
        paths,
        stdin,
        select: arguments.select,
        ignore: arguments.ignore,
        pedantic: arguments.pedantic,
        rules_dirs: arguments.rules.folders,
        environment,
        config: arguments.config.lookup(),
        fail_on: arguments.fail_on.map(Severity::from),
        force_exclude: arguments.force_exclude,
        baseline: arguments.baseline,
        write_baseline: arguments.write_baseline,
        every_file: false,
        progress: Arc::default(),
        fix: match (arguments.fix || arguments.diff, arguments.unsafe_fixes) {
            (false, _) => Fixing::No,
            (true, false) => Fixing::Safe,
            (true, true) => Fixing::All,
        },
        today: today()?,
    })
}

/// The day that `SOURCE_DATE_EPOCH` stands for, so that a run can be repeated
/// (<https://reproducible-builds.org/docs/source-date-epoch/>).
fn today() -> Result<Option<jiff::civil::Date>, Failure> {
    let Some(seconds) = std::env::var_os("SOURCE_DATE_EPOCH") else {
        return Ok(None);
    };
    let seconds = seconds.to_str().and_then(|text| text.parse().ok());
    let date = seconds.and_then(date_of);
    let words = "SOURCE_DATE_EPOCH is no number of seconds since 1970";
    date.map(Some).ok_or_else(|| Failure::Said(words.into()))
}

fn read_stdin() -> Result<String, Failure> {
    let failure = |words: String| Failure::Said(format!("standard input: {words}"));
    let mut bytes = Vec::new();
    let input = std::io::stdin().lock();
    let result = input.take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes);
    let size = result.map_err(|error| failure(error.to_string()))? as u64;
    if size > MAX_FILE_BYTES {
        return Err(failure(
            Unreadable::TooLarge(size, MAX_FILE_BYTES).to_string(),
        ));
    }
    text_of(bytes).map_err(|why| failure(why.to_string()))
}

/// Tells on standard error what could not be done and, to people, what was left out.
fn problems(report: &Report, paths: &Paths, format: ReportFormat) {
    let told = |problem: &Problem| match &problem.path {
        Some(path) => format!("{}: {}", paths.show(path), problem.text),
        None => problem.text.clone(),
    };
    for problem in &report.errors {
        streams::complain(&told(problem));
        let path = problem.path.as_deref().and_then(Path::to_str);
        if let Some(name) = path.filter(|path| COMMANDS.contains(path)) {
            streams::warn(&format!(
                "  `{name}` is a sub-command only as the first word"
            ));
        }
    }
    for entry in report.baseline.iter().flat_map(|outcome| &outcome.stale) {
        streams::warn(&format!(
            "baseline: `{}` is not found in {} any more; --write-baseline takes it out",
            entry.rule, entry.path
        ));
    }
    if format == ReportFormat::Json {
        return;
    }
    for problem in report.skipped.iter().take(MAX_SKIPPED) {
        streams::warn(&format!("skipped: {}", told(problem)));
    }
    if let Some(more) = report
        .skipped
        .len()
        .checked_sub(MAX_SKIPPED)
        .filter(|more| *more > 0)
    {
        streams::warn(&format!("skipped: and {more} more"));
    }
}
