//! `corslint explain`.

use std::io::{self, Read as _, Write};
use std::path::PathBuf;

use clap::Args;

use super::Exit;
use super::args::{ColorArgument, ConfigArguments, Format, RuleFolders};
use super::environment::EnvironmentArguments;
use super::explain_message;
use super::rules::{docs, load, severity_words, write_json};
use super::streams::{self, Failure};
use crate::check::{Error, nearest};
use crate::explain::recognise;
use crate::report::text::{line, lines};
use crate::rules::{Definition, Docs, Example};

/// Behind the options.
pub(super) const HELP: &str = "\
Examples:
  corslint explain missing-always       learn what a finding means
  corslint explain \"Access to fetch at 'https://api.example.com/items' from origin
  'https://app.example.com' has been blocked by CORS policy: No 'Access-Control-Allow-Origin'
  header is present on the requested resource.\" nginx/
                                        find what in nginx/ makes Chrome say so
  pbpaste | corslint explain - .        a message from the clipboard

Quote the whole message, or pass it on standard input: it holds quotes itself.

Exit codes:
  0  explained
  2  neither a rule nor a message about CORS, or a path that cannot be read";

/// More of standard input is not read, in bytes.
const MAX_INPUT: u64 = 1024 * 1024;

/// Arguments of `explain`.
#[derive(Args, Debug)]
pub(super) struct ExplainArguments {
    /// The rule's id, as it stands in brackets in a report, or a message of a browser's console;
    /// `-` reads the message from standard input
    #[arg(value_name = "RULE or TEXT")]
    pub(super) text: String,

    /// With a message: files and folders in which to look for what produces it
    #[arg(value_name = "PATHS")]
    pub(super) paths: Vec<PathBuf>,

    #[command(flatten)]
    pub(super) environment: EnvironmentArguments,

    #[command(flatten)]
    pub(super) config: ConfigArguments,

    /// How to write the explanation
    #[arg(long, value_enum, default_value_t = Format::Terminal)]
    pub(super) format: Format,

    #[command(flatten)]
    pub(super) rules: RuleFolders,

    #[command(flatten)]
    pub(super) color: ColorArgument,
}

pub(super) fn run(arguments: &ExplainArguments) -> Result<Exit, Failure> {
    let rules = load(&arguments.rules.folders)?;
    let text = match arguments.text.as_str() {
        "-" => stdin()?,
        text => text.to_owned(),
    };
    if let Some(rule) = rules.get(text.trim()) {
        if !arguments.paths.is_empty() {
            let words =
                "paths go with a message; `corslint check --select RULE PATHS` looks for a rule";
            return Err(Failure::Said(words.into()));
        }
        let docs = docs(rule)?;
        let color = arguments.color.color.decide();
        streams::write(|out| match arguments.format {
            Format::Terminal => write(&rule.definition, docs, color, out),
            Format::Json => write_json(&[(rule, docs)], out),
        })?;
        return Ok(Exit::Clean);
    }
    let messages = recognise(&text);
    if messages.is_empty() {
        let is_word = !text.trim().contains(char::is_whitespace);
        if is_word && !text.trim().is_empty() {
            let near = nearest(text.trim(), &rules);
            return Err(Error::UnknownRule(text.trim().into(), near).into());
        }
        return Err(Failure::Said(
            "this is neither the id of a rule nor a message about CORS that Chrome, Firefox or Safari \
             prints; put the whole message in double quotes (it holds single ones, which a shell \
             takes away otherwise), or pass it on standard input with `-`"
                .into(),
        ));
    }
    explain_message::run(arguments, &messages)
}

fn stdin() -> Result<String, Failure> {
    let mut bytes = Vec::new();
    let input = io::stdin().lock().take(MAX_INPUT);
    let said = |why: String| Failure::Said(format!("standard input: {why}"));
    let mut input = input;
    input
        .read_to_end(&mut bytes)
        .map_err(|error| said(error.to_string()))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn write(rule: &Definition, docs: &Docs, color: bool, out: &mut dyn Write) -> io::Result<()> {
    let (bold, reset) = if color {
        ("\u{1b}[1m", "\u{1b}[0m")
    } else {
        ("", "")
    };
    writeln!(out, "{bold}{}{reset}", line(&rule.id))?;
    let category = rule.category.name();
    writeln!(
        out,
        "{category}, {}, since {}",
        severity_words(rule),
        line(&docs.since)
    )?;
    writeln!(out, "\n{}", lines(docs.explanation.trim()))?;
    for (title, examples) in [("Bad", &docs.bad), ("Good", &docs.good)] {
        for example in examples {
            write_example(&rule.id, &format!("{bold}{title}{reset}"), example, out)?;
        }
    }
    if !docs.references.is_empty() {
        writeln!(out, "\n{bold}References{reset}")?;
    }
    for reference in &docs.references {
        writeln!(out, "  {}", line(reference))?;
    }
    Ok(())
}

fn write_example(id: &str, title: &str, example: &Example, out: &mut dyn Write) -> io::Result<()> {
    write!(out, "\n{title} ({}", line(&example.framework))?;
    if let Some(file) = &example.file {
        write!(out, ", {}", line(file))?;
    }
    match &example.title {
        Some(words) => writeln!(out, "): {}\n", line(words))?,
        None => writeln!(out, ")\n")?,
    }
    if let Some(config) = &example.config {
        for row in config.trim_matches('\n').lines() {
            writeln!(out, "    {}", lines(row.trim_end()))?;
        }
        writeln!(out)?;
    }
    for code in example.code.trim_matches('\n').lines() {
        // The mark of the tests, in words.
        let code = code.replace(&format!("~ {id}"), "<- reported here");
        writeln!(out, "    {}", lines(code.trim_end()))?;
    }
    Ok(())
}
