//! What can be typed.

use std::ffi::OsString;
use std::io::IsTerminal as _;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use super::curl::CurlArguments;
use super::environment::EnvironmentArguments;
use super::explain::ExplainArguments;
use super::generate::{CompletionsArguments, ManArguments};
use super::show::ShowArguments;
use super::try_::TryArguments;
use crate::config::Lookup;
use crate::model::Severity;

/// Finds CORS mistakes in server and framework configuration before a browser does.
///
/// corslint works out what a configuration would answer to cross-origin requests and reports, at
/// the place in the source where it was made, every mistake that lets a foreign website in or
/// makes a browser block what was meant to work. Nothing is executed and nothing is sent.
///
/// `corslint PATHS` is short for `corslint check PATHS`.
#[derive(Debug, Parser)]
#[command(name = "corslint", version, args_conflicts_with_subcommands = true)]
#[command(after_long_help = AFTER_HELP)]
pub(super) struct Arguments {
    #[command(subcommand)]
    pub(super) command: Option<Command>,

    #[command(flatten)]
    pub(super) check: CheckArguments,
}

const AFTER_HELP: &str = "\
Examples:
  corslint                              check the working directory
  corslint check nginx/ deploy/api.conf check a folder and a file
  corslint ./rules                      check a folder that is called like a sub-command
  corslint - --stdin-filename nginx.conf < nginx.conf
                                        check a text as if it were that file
  corslint --output report.sarif        write findings for programs
  corslint --baseline known.txt --write-baseline
                                        adopt corslint; then check with --baseline known.txt
  corslint --diff                       see what --fix would change
  corslint --fix                        repair what can be repaired safely
  corslint --fail-on error              exit with 0 if there are only warnings and notes
  corslint --ignore missing-vary,missing-always
                                        leave two rules out
  corslint explain lookalike-origin     learn what a finding means
  corslint explain \"Access to fetch at …\" nginx/
                                        find what makes a browser say so
  corslint try URL --origin ORIGIN      play a request as browsers would
  corslint curl -H 'Origin: …' URL      see the response, each header with its place
  corslint show                         see the policy of every endpoint

Which files:
  Folders are searched for files that can matter by name and content. Hidden files, what
  .gitignore and .ignore name, and folders like node_modules, vendor and target are passed by. A
  file that is named is always looked at; the rest of its project is read too, but only findings
  that touch a named file or folder are reported.

Configuration:
  corslint.toml, or [tool.corslint] in pyproject.toml; the nearest one at or above a file or its
  project is in force, not beyond the repository. Arguments are stronger.

Suppression:
  A comment `corslint: ignore[rule, rule] until=2027-01-31 reason` on a line of a finding or above it;
  `ignore-file[rule] reason` for the whole file. Comments that suppress nothing are reported.

Environment:
  NO_COLOR, CLICOLOR_FORCE, CLICOLOR=0  as usual; --color is stronger
  FORCE_HYPERLINK=1, FORCE_HYPERLINK=0  links from rules to their pages also in pipes, or nowhere
  SOURCE_DATE_EPOCH                     the time at which `until=` of suppressions is looked at

Exit codes:
  0  clean: no finding as bad as --fail-on; with --fix, none is left; with --diff, nothing to change
  1  findings; with --diff, something to change
  2  the job could not be done, or not all of it: wrong arguments, configuration or rules, a named
     path that cannot be read, output or a repaired file that cannot be written, an internal error";

/// Names of sub-commands: the same words later on the line are paths.
pub(super) const COMMANDS: [&str; 10] = [
    "check",
    "completions",
    "config",
    "curl",
    "explain",
    "help",
    "man",
    "rules",
    "show",
    "try",
];

/// Options that may stand before a sub-command, and whether a value follows.
const LEADING: [(&str, bool); 5] = [
    ("--color", true),
    ("--config", true),
    ("--no-config", false),
    ("--env", true),
    ("--env-file", true),
];

/// Moves options that stand before a sub-command behind it, where clap wants them.
pub(super) fn in_order(mut typed: Vec<OsString>) -> Vec<OsString> {
    let mut at = 1;
    while let Some(option) = typed.get(at).and_then(|word| word.to_str()) {
        let name = option.split('=').next().unwrap_or_default();
        match LEADING.iter().find(|(known, _)| *known == name) {
            Some((_, true)) if !option.contains('=') => at += 2,
            Some(_) => at += 1,
            None => break,
        }
    }
    let is_command = |word: &OsString| COMMANDS.iter().any(|name| word == name);
    if at > 1 && typed.get(at).is_some_and(is_command) {
        let command = typed.remove(at);
        typed.insert(1, command);
    }
    typed
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Check files and folders
    #[command(after_long_help = AFTER_HELP)]
    Check(CheckArguments),
    /// List all rules
    Rules(RulesArguments),
    /// Explain a rule, or a message of a browser's console
    ///
    /// A message of Chrome, Firefox or Safari, of today or of older versions, is recognised with its URL
    /// and origin in it: what failed, and the possible causes, the most probable first. With PATHS,
    /// corslint plays the request against the configurations there and names the endpoints that would
    /// produce the message, the line that decides, and the findings that fit. An argument that is
    /// exactly the id of a rule is a rule: what it finds, why that matters, bad and good examples.
    #[command(after_long_help = super::explain::HELP)]
    Explain(ExplainArguments),
    /// Show the configuration that is in force for a path, and why
    Config(ShowConfigArguments),
    /// Show the policy of every endpoint as a table
    ///
    /// Who may read, whether with credentials, which methods and headers a preflight allows, what answers
    /// preflights, what Vary says, and where it is written: as the answers of the endpoint show it.
    #[command(after_long_help = super::show::HELP)]
    Show(ShowArguments),
    /// Show what a configuration would answer to a curl command
    ///
    /// Paste a curl command behind `corslint` and see the response that the configuration would send,
    /// each header followed by the place that it comes from. Every server or application in view that
    /// takes the URL answers, by its own routing of the path, and nginx of the host. Nothing is sent,
    /// and no file is read but those of --in and --env-file.
    #[command(after_long_help = super::curl::HELP)]
    Curl(CurlArguments),
    /// Play a request of a page as browsers would, and show who decides what
    ///
    /// Plays the whole exchange: the preflight if one is needed, the actual request, redirects. Shows it
    /// step by step with the verdict, the line of source that decides, which response headers the
    /// script can read, and what Chrome, Firefox and Safari print. Chrome's words are those of a real
    /// Chromium; Firefox's and Safari's follow their sources. A value that is not in view makes the
    /// verdict unknown. Nothing is sent.
    #[command(after_long_help = super::try_::HELP)]
    Try(Box<TryArguments>),
    /// Print completions for a shell
    #[command(after_help = super::generate::HELP)]
    Completions(CompletionsArguments),
    /// Print the manual as a man page
    #[command(after_help = super::generate::MAN_HELP)]
    Man(ManArguments),
}

/// Arguments of `check`.
#[derive(Args, Debug)]
pub(super) struct CheckArguments {
    /// Files and folders to check; `-` is standard input
    #[arg(value_name = "PATHS", default_value = ".", hide_default_value = false)]
    pub(super) paths: Vec<PathBuf>,

    /// The file that standard input stands for; it need not exist
    #[arg(long, value_name = "FILE")]
    pub(super) stdin_filename: Option<PathBuf>,

    /// How to write the report [default: terminal; with --output, what the name of the file stands
    /// for: sarif for *.sarif, json for *.json]
    #[arg(long, value_enum)]
    pub(super) format: Option<ReportFormat>,

    /// Write the report to a file instead of standard output
    #[arg(long, short, value_name = "FILE")]
    pub(super) output: Option<PathBuf>,

    /// Write how often each rule found something instead of the findings: `[*]` where --fix repairs all
    /// of them, `[-]` some (terminal and json only)
    #[arg(long, conflicts_with_all = ["diff", "write_baseline"])]
    pub(super) statistics: bool,

    /// Write to standard error how long the parts of the run took; those that are indented, and those of
    /// the frameworks, are sums over projects, which are worked on side by side
    #[arg(long, conflicts_with = "diff")]
    pub(super) timings: bool,

    /// Show what comments suppress as well, marked as such (sarif only)
    #[arg(long)]
    pub(super) show_suppressed: bool,

    /// Do not report what this file holds
    #[arg(long, value_name = "FILE")]
    pub(super) baseline: Option<PathBuf>,

    /// Write all that is found to the baseline, and report nothing
    #[arg(long)]
    pub(super) write_baseline: bool,

    /// Repair what can be repaired safely, and report what is left: no trusted origin loses by it, no
    /// foreign one gains
    #[arg(long, conflicts_with_all = ["write_baseline"])]
    pub(super) fix: bool,

    /// With --fix or --diff: also repairs that narrow who is allowed, or move code
    #[arg(long)]
    pub(super) unsafe_fixes: bool,

    /// Write what --fix would change as a unified diff, and change nothing; exit with 1 if there is
    /// something to change
    #[arg(long, conflicts_with_all = ["fix", "write_baseline", "format"])]
    pub(super) diff: bool,

    /// The mildest severity that makes the exit code 1 [default: what the configuration says, or
    /// warning]
    #[arg(long, value_enum, value_name = "SEVERITY")]
    pub(super) fail_on: Option<FailOn>,

    /// Report only these rules; may be repeated
    #[arg(long, value_name = "RULE", value_delimiter = ',')]
    pub(super) select: Vec<String>,

    /// Leave these rules out; may be repeated
    #[arg(long, value_name = "RULE", value_delimiter = ',')]
    pub(super) ignore: Vec<String>,

    /// Report also what is right but could be better
    #[arg(long)]
    pub(super) pedantic: bool,

    #[command(flatten)]
    pub(super) environment: EnvironmentArguments,

    #[command(flatten)]
    pub(super) rules: RuleFolders,

    #[command(flatten)]
    pub(super) config: ConfigArguments,

    /// Leave out what the configuration excludes even if it is named (for hooks)
    #[arg(long)]
    pub(super) force_exclude: bool,

    #[command(flatten)]
    pub(super) color: ColorArgument,
}

/// Arguments of `config`.
#[derive(Args, Debug)]
pub(super) struct ShowConfigArguments {
    /// The file or folder to ask for
    #[arg(value_name = "PATH", default_value = ".")]
    pub(super) path: PathBuf,

    /// Print the JSON Schema of corslint.toml instead
    #[arg(long)]
    pub(super) schema: bool,

    #[command(flatten)]
    pub(super) config: ConfigArguments,
}

/// Which configuration is in force.
#[derive(Args, Debug)]
pub(super) struct ConfigArguments {
    /// The configuration file, instead of the nearest corslint.toml or pyproject.toml with
    /// [tool.corslint]
    #[arg(long = "config", value_name = "FILE", conflicts_with = "no_config")]
    file: Option<PathBuf>,

    /// Use no configuration file
    #[arg(long)]
    no_config: bool,
}

impl ConfigArguments {
    /// Takes over what was typed later.
    pub(super) fn merge(&mut self, later: Self) {
        self.no_config |= later.no_config;
        self.file = later.file.or(self.file.take());
    }

    /// Where settings come from.
    pub(super) fn lookup(&self) -> Lookup {
        match &self.file {
            Some(file) => Lookup::File(file.clone()),
            None if self.no_config => Lookup::Off,
            None => Lookup::Nearest,
        }
    }
}

/// Arguments of `rules`.
#[derive(Args, Debug)]
pub(super) struct RulesArguments {
    /// How to write the list
    #[arg(long, value_enum, default_value_t = Format::Terminal)]
    pub(super) format: Format,

    #[command(flatten)]
    pub(super) rules: RuleFolders,

    #[command(flatten)]
    pub(super) color: ColorArgument,
}

/// Where rules are.
#[derive(Args, Debug)]
pub(super) struct RuleFolders {
    /// A folder with rules of your own (*.toml); may be repeated
    #[arg(long = "rules", value_name = "DIR")]
    pub(super) folders: Vec<PathBuf>,
}

/// Whether to use colours.
#[derive(Args, Debug)]
pub(super) struct ColorArgument {
    /// When to use colours
    #[arg(long, value_enum, value_name = "WHEN", default_value_t = Color::Auto)]
    pub(super) color: Color,
}

/// How to write a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum ReportFormat {
    /// For people
    Terminal,
    /// For people and editors: one line per finding
    Concise,
    /// For programs: versioned JSON
    Json,
    /// For code scanning services: SARIF 2.1.0
    Sarif,
    /// For GitHub Actions: workflow commands, which become annotations
    Github,
    /// For GitLab: Code Quality
    Gitlab,
    /// For build servers: JUnit's XML
    Junit,
    /// For build servers: Checkstyle's XML
    Checkstyle,
}

/// How to write something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// For people
    Terminal,
    /// For programs: versioned JSON
    Json,
}

/// A severity as typed.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum FailOn {
    /// Errors only
    Error,
    /// Warnings and errors
    Warning,
    /// Every finding
    Note,
}

impl From<FailOn> for Severity {
    fn from(typed: FailOn) -> Self {
        match typed {
            FailOn::Error => Self::Error,
            FailOn::Warning => Self::Warning,
            FailOn::Note => Self::Note,
        }
    }
}

/// When to use colours.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum Color {
    /// If standard output is a terminal and the environment does not say otherwise
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

impl Color {
    /// Should standard output be coloured?
    pub(super) fn decide(self) -> bool {
        // https://no-color.org and https://bixense.com/clicolors
        let set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        let zero = |name| std::env::var_os(name).is_some_and(|value| value == "0");
        match self {
            Self::Always => true,
            Self::Never => false,
            Self::Auto if set("NO_COLOR") => false,
            Self::Auto if set("CLICOLOR_FORCE") && !zero("CLICOLOR_FORCE") => true,
            Self::Auto if zero("CLICOLOR") => false,
            Self::Auto => {
                let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
                std::io::stdout().is_terminal() && !dumb
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_arguments_make_sense() {
        Arguments::command().debug_assert();
        let mut names: Vec<_> = Arguments::command()
            .get_subcommands()
            .map(|command| command.get_name().to_owned())
            .chain(["help".into()])
            .collect();
        names.sort();
        assert_eq!(names, COMMANDS);
    }

    #[test]
    fn options_may_stand_before_a_sub_command() {
        for (typed, expected) in [
            (
                "corslint --color never explain x",
                "corslint explain --color never x",
            ),
            (
                "corslint --no-config --env A=b show d",
                "corslint show --no-config --env A=b d",
            ),
            (
                "corslint --color=never curl -X PUT u",
                "corslint curl --color=never -X PUT u",
            ),
            // A folder that is called like a sub-command.
            (
                "corslint --color never d explain",
                "corslint --color never d explain",
            ),
            ("corslint --select x explain", "corslint --select x explain"),
            (
                "corslint explain --color never x",
                "corslint explain --color never x",
            ),
            ("corslint --color", "corslint --color"),
        ] {
            let words = |text: &str| text.split(' ').map(OsString::from).collect::<Vec<_>>();
            assert_eq!(in_order(words(typed)), words(expected), "{typed}");
        }
    }
}
