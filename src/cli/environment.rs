//! `--env` and `--env-file`: what the environment of the deployment will hold.

use std::path::{Path, PathBuf};

use clap::Args;

use super::streams::Failure;
use crate::model::Environment;
use crate::source::read_text;

/// Arguments of every command that reads configurations.
#[derive(Args, Debug)]
pub(super) struct EnvironmentArguments {
    /// What an environment variable will hold; may be repeated
    ///
    /// Makes `process.env.NAME`, `os.environ["NAME"]`, `${NAME}` in templates and the like known.
    /// What is not given stays unknown; the environment of corslint itself is never looked at.
    /// Wins over --env-file.
    #[arg(long = "env", value_name = "NAME=VALUE", value_parser = pair)]
    pub(super) variables: Vec<(String, String)>,

    /// A file with lines NAME=VALUE; may be repeated, later files win
    ///
    /// `#` starts a comment, `export` in front of a name is passed by, values may stand in quotes. A
    /// value that speaks of other variables (`${OTHER}`, outside single quotes) is passed by, for
    /// programs do not agree on what it means. No `.env` file is read unless it is named here.
    #[arg(long = "env-file", value_name = "FILE")]
    pub(super) files: Vec<PathBuf>,
}

impl EnvironmentArguments {
    /// What was typed, and what the named files say.
    pub(super) fn read(&self) -> Result<Environment, Failure> {
        let mut pairs = Vec::new();
        for path in &self.files {
            let text = read_text(path).map_err(|why| said(path, &why.to_string()))?;
            let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
            for (number, line) in lines(text) {
                let parsed = assignment(&line);
                let wrong = |why| said(path, &format!("line {number}: {why}"));
                pairs.extend(parsed.map_err(wrong)?);
            }
        }
        pairs.extend(self.variables.iter().cloned());
        Ok(pairs.into_iter().collect())
    }
}

fn said(path: &Path, why: &str) -> Failure {
    Failure::Said(format!("{}: {why}", path.display()))
}

/// `NAME=VALUE` as typed.
fn pair(typed: &str) -> Result<(String, String), String> {
    let (name, value) = typed
        .split_once('=')
        .ok_or("a value is missing: NAME=VALUE")?;
    is_name(name)?;
    Ok((name.to_owned(), value.to_owned()))
}

fn is_name(name: &str) -> Result<(), String> {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-');
    let starts = name
        .bytes()
        .next()
        .is_some_and(|byte| !byte.is_ascii_digit());
    if starts && name.bytes().all(fits) {
        Ok(())
    } else {
        Err(format!("`{name}` is no name of a variable"))
    }
}

/// The lines of a file with their numbers; a quoted value may go over several.
fn lines(text: &str) -> Vec<(usize, String)> {
    let mut found: Vec<(usize, String)> = Vec::new();
    let mut open: Option<char> = None;
    for (index, line) in text.lines().enumerate() {
        match (open, found.last_mut()) {
            (Some(quote), Some((_, last))) => {
                last.push('\n');
                last.push_str(line);
                if line.contains(quote) {
                    open = None;
                }
            }
            _ => {
                let value = line
                    .split_once('=')
                    .map_or("", |(_, value)| value.trim_start());
                let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''));
                let is_comment = line.trim_start().starts_with('#');
                open = quote.filter(|quote| !is_comment && !value[1..].contains(*quote));
                found.push((index + 1, line.to_owned()));
            }
        }
    }
    found
}

/// What a line says: nothing, or a variable's name and value.
fn assignment(line: &str) -> Result<Option<(String, String)>, String> {
    let line = line.trim();
    if line.is_empty() || line.starts_with('#') {
        return Ok(None);
    }
    let line = line.strip_prefix("export ").unwrap_or(line);
    let Some((name, value)) = line.split_once('=') else {
        return Err("no `NAME=VALUE`".into());
    };
    let name = name.trim();
    is_name(name)?;
    let value = value.trim();
    let quoted = |quote: char| {
        let inside = value.strip_prefix(quote)?;
        let (inside, behind) = inside.split_once(quote)?;
        let behind = behind.trim_start();
        (behind.is_empty() || behind.starts_with('#')).then_some(inside)
    };
    if let Some(text) = quoted('\'') {
        return Ok(Some((name.to_owned(), text.to_owned())));
    }
    if value.starts_with(['"', '\'']) && quoted('"').is_none() {
        return Err(format!("the quotes of `{name}` do not close"));
    }
    let text = match quoted('"') {
        Some(text) => text.replace("\\n", "\n"),
        None => {
            let comment = value.find(" #").or_else(|| value.find("\t#"));
            let text = comment.map_or(value, |at| &value[..at]).trim_end();
            if text.starts_with('#') {
                String::new()
            } else {
                text.to_owned()
            }
        }
    };
    Ok((!text.contains("${")).then(|| (name.to_owned(), text)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Vec<(String, String)> {
        let lines = lines(text);
        let pairs = lines
            .iter()
            .map(|(_, line)| assignment(line).expect("a right line"));
        pairs.flatten().collect()
    }

    #[test]
    fn a_file_of_variables() {
        let text = "# comment\nA=1\n\n export B = \"two # 2\" # why\nC='${A}'\nD=x # y\nE=${A}\nF=\n\
                    G=\"a\nb=1\"\nH=a#b\r\nI= # none\n";
        let pairs = parsed(text);
        let pairs: Vec<_> = pairs
            .iter()
            .map(|(a, b)| (a.as_str(), b.as_str()))
            .collect();
        assert_eq!(
            pairs,
            [
                ("A", "1"),
                ("B", "two # 2"),
                ("C", "${A}"),
                ("D", "x"),
                ("F", ""),
                ("G", "a\nb=1"),
                ("H", "a#b"),
                ("I", ""),
            ]
        );
    }

    #[test]
    fn wrong_lines_are_told() {
        for line in ["A", "1A=x", "A B=x", "A=\"x", "A='x' y", "=x"] {
            assert!(assignment(line).is_err(), "{line}");
        }
    }

    #[test]
    fn typed_pairs() {
        assert_eq!(pair("A=b=c"), Ok(("A".into(), "b=c".into())));
        assert_eq!(pair("A="), Ok(("A".into(), String::new())));
        for typed in ["A", "=x", "A B=c", ""] {
            assert!(pair(typed).is_err(), "{typed}");
        }
    }
}
