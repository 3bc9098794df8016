//! `corslint config`.

use std::io::{self, Write};

use serde::Serialize as _;

use super::Exit;
use super::args::ShowConfigArguments;
use super::streams::{self, Failure};
use crate::config::{Config, Configs, SCHEMA, Settings};
use crate::report::Paths;
use crate::report::text::line;

pub(super) fn run(arguments: &ShowConfigArguments) -> Result<Exit, Failure> {
    if arguments.schema {
        streams::write(|out| out.write_all(SCHEMA.as_bytes()))?;
        return Ok(Exit::Clean);
    }
    let said = |text: String| Failure::Said(text);
    let configs = Configs::new(&arguments.config.lookup());
    let configs = configs.map_err(|error| said(error.to_string()))?;
    let path = arguments.path.canonicalize();
    let path = path.map_err(|error| said(format!("{}: {error}", arguments.path.display())))?;
    let settings = if path.is_dir() {
        configs.of_folder(&path)
    } else {
        configs.of_file(&path)
    };
    let checked = configs.check();
    checked.map_err(|error| said(error.to_string()))?;
    streams::write(|out| write(settings.as_deref(), &Paths::here(), out))?;
    Ok(Exit::Clean)
}

/// Writes every key with its value and where that comes from, as TOML.
fn write(settings: Option<&Settings>, paths: &Paths, out: &mut dyn Write) -> io::Result<()> {
    let default = Config::default();
    let config = settings.map_or(&default, Settings::config);
    match settings {
        Some(settings) => writeln!(out, "# {} is in force", paths.show(settings.path()))?,
        None => writeln!(out, "# no configuration file is in force")?,
    }
    let table = toml::Table::try_from(config).map_err(io::Error::other)?;
    // Options that are absent have no place in the table.
    let mut rows: Vec<(&str, String)> = vec![("fail-on", "\"warning\"".into())];
    for (key, value) in &table {
        let mut text = String::new();
        let serializer = toml::ser::ValueSerializer::new(&mut text);
        value.serialize(serializer).map_err(io::Error::other)?;
        rows.retain(|(known, _)| known != key);
        rows.push((key, text));
    }
    rows.sort();
    for (key, value) in rows {
        let place = settings.and_then(|settings| {
            let (row, _) = settings.place(&[key])?;
            Some(format!("{}:{row}", paths.show(settings.path())))
        });
        let why = place.unwrap_or_else(|| "default".into());
        writeln!(out, "{key} = {}  # {why}", line(&value))?;
    }
    Ok(())
}
