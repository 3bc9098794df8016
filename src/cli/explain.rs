//! `corslint explain`.

use std::io::{self, Write};

use super::Exit;
use super::args::ExplainArguments;
use super::rules::{docs, load, severity_words};
use super::streams::{self, Failure};
use crate::check::{Error, nearest};
use crate::report::text::{line, lines};
use crate::rules::{Definition, Docs, Example};

pub(super) fn run(arguments: &ExplainArguments) -> Result<Exit, Failure> {
    let rules = load(&arguments.rules.folders)?;
    let Some(rule) = rules.get(&arguments.rule) else {
        let near = nearest(&arguments.rule, &rules);
        return Err(Error::UnknownRule(arguments.rule.clone(), near).into());
    };
    let docs = docs(rule)?;
    let color = arguments.color.color.decide();
    streams::write(|out| write(&rule.definition, docs, color, out))?;
    Ok(Exit::Clean)
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
