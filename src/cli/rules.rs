//! `corslint rules`.

use std::io::{self, Write};

use serde::Serialize;

use super::Exit;
use super::args::{Format, RulesArguments};
use super::streams::{self, Failure};
use crate::model::{Category, Severity};
use crate::report::text::line;
use crate::rules::{Definition, Docs, Level, Pedantic, Rule, RuleSet};

pub(super) fn run(arguments: &RulesArguments) -> Result<Exit, Failure> {
    let rules = load(&arguments.rules.folders)?;
    let mut rules: Vec<&Rule> = rules.rules().collect();
    rules.sort_by(|a, b| a.definition.id.cmp(&b.definition.id));
    let docs = rules.iter().map(|rule| docs(rule));
    let docs = docs.collect::<Result<Vec<_>, _>>()?;
    let rules: Vec<(&Rule, &Docs)> = rules.into_iter().zip(docs).collect();
    let color = arguments.color.color.decide();
    streams::write(|out| match arguments.format {
        Format::Terminal => write_table(&rules, color, out),
        Format::Json => write_json(&rules, out),
    })?;
    Ok(Exit::Clean)
}

/// The built-in rules and those of `folders`.
pub(super) fn load(folders: &[std::path::PathBuf]) -> Result<RuleSet, Failure> {
    RuleSet::load(folders).map_err(|error| Failure::Said(error.to_string()))
}

/// The severities that findings of a rule can have, from bad to mild.
fn severities(definition: &Definition) -> Vec<Severity> {
    let mut severities = match &definition.severity {
        Level::Fixed(severity) => vec![*severity],
        Level::Cases(cases) => cases.iter().map(|case| case.level).collect(),
    };
    severities.sort();
    severities.dedup();
    severities.reverse();
    severities
}

/// `error or warning`, `note, pedantic`.
pub(super) fn severity_words(definition: &Definition) -> String {
    let names: Vec<_> = severities(definition).iter().map(|s| s.name()).collect();
    let mut words = match names.as_slice() {
        [first, second, third] => format!("{first}, {second} or {third}"),
        names => names.join(" or "),
    };
    match definition.pedantic {
        Pedantic::Fixed(false) => {}
        Pedantic::Fixed(true) => words.push_str(", pedantic"),
        Pedantic::When(_) => words.push_str(", partly pedantic"),
    }
    words
}

/// The first sentence of a rule's explanation, as one line.
fn summary(docs: &Docs) -> String {
    let words: Vec<_> = docs.summary().split_whitespace().collect();
    words.join(" ")
}

/// What a rule says to readers.
pub(super) fn docs(rule: &Rule) -> Result<&Docs, Failure> {
    let said = |words: &str| Failure::Said(format!("{}: {words}", rule.definition.id));
    rule.docs().map_err(said)
}

fn write_table(rules: &[(&Rule, &Docs)], color: bool, out: &mut dyn Write) -> io::Result<()> {
    let rows: Vec<[String; 4]> = rules
        .iter()
        .map(|(rule, docs)| {
            let definition = &rule.definition;
            [
                line(&definition.id).into_owned(),
                definition.category.name().to_owned(),
                severity_words(definition),
                line(&summary(docs)).into_owned(),
            ]
        })
        .collect();
    let width = |column: usize| {
        let cells = rows.iter().map(|row| row[column].chars().count());
        cells.max().unwrap_or_default()
    };
    let (id, category, severity) = (width(0), width(1), width(2));
    let (bold, reset) = if color {
        ("\u{1b}[1m", "\u{1b}[0m")
    } else {
        ("", "")
    };
    for row in &rows {
        writeln!(
            out,
            "{bold}{:id$}{reset}  {:category$}  {:severity$}  {}",
            row[0], row[1], row[2], row[3]
        )?;
    }
    Ok(())
}

#[derive(Serialize)]
struct Document<'a> {
    version: u32,
    rules: Vec<Row<'a>>,
}

#[derive(Serialize)]
struct Row<'a> {
    id: &'a str,
    category: Category,
    /// From bad to mild.
    severities: Vec<Severity>,
    pedantic: &'static str,
    builtin: bool,
    since: &'a str,
    summary: String,
    explanation: &'a str,
    references: &'a [String],
}

pub(super) fn write_json(rules: &[(&Rule, &Docs)], out: &mut dyn Write) -> io::Result<()> {
    let rules = rules.iter().map(|(rule, docs)| {
        let definition = &rule.definition;
        Row {
            id: &definition.id,
            category: definition.category,
            severities: severities(definition),
            pedantic: match definition.pedantic {
                Pedantic::Fixed(false) => "never",
                Pedantic::Fixed(true) => "always",
                Pedantic::When(_) => "sometimes",
            },
            builtin: rule.builtin,
            since: &docs.since,
            summary: summary(docs),
            explanation: docs.explanation.trim(),
            references: &docs.references,
        }
    });
    let document = Document {
        version: 1,
        rules: rules.collect(),
    };
    serde_json::to_writer_pretty(&mut *out, &document)?;
    writeln!(out)
}
