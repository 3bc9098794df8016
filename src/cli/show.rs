//! `corslint show`.

use std::io::{self, Write};
use std::path::PathBuf;

use clap::Args;
use serde::Serialize;

use super::Exit;
use super::args::{ColorArgument, ConfigArguments, Format};
use super::environment::EnvironmentArguments;
use super::exchange::{self, AssumptionJson, Range, Style, View, assumptions, in_environments};
use super::streams::{self, Failure};
use crate::model::Known;
use crate::report::Paths;
use crate::report::text::line;
use crate::simulate::{Opened, Policy, Way, policies};

/// Cells are cut to this, in characters.
const MAX_CELL: usize = 44;

/// The titles of the columns.
const TITLES: [&str; 8] = [
    "ENDPOINT",
    "MAY READ",
    "CREDENTIALS",
    "METHODS",
    "HEADERS",
    "PREFLIGHT",
    "VARY",
    "SOURCE",
];

/// Behind the table's options.
pub(super) const HELP: &str = "\
Examples:
  corslint show                         all endpoints below the working directory
  corslint show nginx/ --env API_HOST=api.example.com
  corslint show --format json | jq '.endpoints[] | select(.policies[].everyone)'

Reading the table:
  MAY READ     origins that are accepted, patterns as written (/…/), `everyone`, `nobody`
  CREDENTIALS  yes: also what is sent with cookies; -: nobody may read at all
  METHODS, HEADERS  what a preflight lists; (as asked): whatever is asked for; -: nothing
  PREFLIGHT    what answers a preflight, and with which status
  unknown      the value is not in view; --env and --env-file tell what the environment will hold

An endpoint has several rows where a deployment condition, named below the row, makes a difference.";

/// Arguments of `show`.
#[derive(Args, Debug)]
pub(super) struct ShowArguments {
    /// Files and folders with configuration [default: the working directory]
    #[arg(value_name = "PATHS")]
    pub(super) paths: Vec<PathBuf>,

    #[command(flatten)]
    pub(super) environment: EnvironmentArguments,

    #[command(flatten)]
    pub(super) config: ConfigArguments,

    /// How to write the policies
    #[arg(long, value_enum, default_value_t = Format::Terminal)]
    pub(super) format: Format,

    #[command(flatten)]
    pub(super) color: ColorArgument,
}

pub(super) fn run(arguments: &ShowArguments) -> Result<Exit, Failure> {
    let opened = exchange::read(&arguments.paths, &arguments.environment, &arguments.config)?;
    let paths = Paths::here();
    let view = View {
        sources: &opened.sources,
        paths: &paths,
        style: Style::new(arguments.color.color.decide()),
    };
    streams::write(|out| match arguments.format {
        Format::Terminal => write(&opened, &view, out),
        Format::Json => write_json(&opened, &view, out),
    })?;
    Ok(Exit::Clean)
}

/// A site's place among the sites, the policies of its endpoints, and the environments with these.
type Shown = (usize, Vec<Vec<Way<Policy>>>, Vec<String>);

fn all(opened: &Opened) -> Vec<Shown> {
    let sites = opened.sites.iter().enumerate();
    let policies = sites.map(|(number, site)| {
        let endpoints = 0..site.endpoints().len();
        let policies = endpoints.map(|index| policies(site, index));
        (number, policies.collect())
    });
    exchange::together(policies.collect(), opened, |a, b| a == b)
}

fn write(opened: &Opened, view: &View<'_>, out: &mut dyn Write) -> io::Result<()> {
    for (number, (site, policies, environments)) in all(opened).into_iter().enumerate() {
        let site = &opened.sites[site];
        if number > 0 {
            writeln!(out)?;
        }
        let Style { bold, reset, .. } = view.style;
        let mut rows = vec![(TITLES.map(str::to_owned), String::new())];
        for (endpoint, ways) in site.endpoints().iter().zip(policies) {
            for way in ways {
                let policy = &way.outcome;
                let row = [
                    cell(&endpoint.name),
                    cell(&readers(policy)),
                    credentials(policy).into(),
                    cell(&value(&policy.methods)),
                    cell(&if policy.headers_echo {
                        "(as asked)".into()
                    } else {
                        value(&policy.headers)
                    }),
                    preflight(policy),
                    cell(&value(&policy.vary)),
                    view.place(endpoint.span),
                ];
                rows.push((row, view.conditions(&way, "    ")));
            }
        }
        let width = |column: usize| {
            let cells = rows.iter().map(|(row, _)| row[column].chars().count());
            cells.max().unwrap_or_default()
        };
        let widths: Vec<usize> = (0..TITLES.len()).map(width).collect();
        let title = format!("{bold}{}{reset}", site.framework());
        writeln!(out, "{}", in_environments(title, &environments))?;
        for (row, conditions) in &rows {
            let cells = row.iter().zip(&widths);
            let cells = cells.map(|(cell, width)| format!("{cell:width$}"));
            let text = cells.collect::<Vec<_>>().join("  ");
            writeln!(out, "{}", text.trim_end())?;
            write!(out, "{conditions}")?;
        }
    }
    Ok(())
}

fn cell(text: &str) -> String {
    let text = line(text);
    match text.char_indices().nth(MAX_CELL) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.into_owned(),
    }
}

fn readers(policy: &Policy) -> String {
    match policy.everyone {
        Known::Known(true) => return "everyone".into(),
        Known::Unknown if policy.origins.is_empty() && policy.patterns.is_empty() => {
            return "unknown".into();
        }
        _ => {}
    }
    let mut all: Vec<String> = [&policy.origins[..], &policy.patterns].concat();
    if policy.null == Known::Known(true) && !all.iter().any(|text| text == "null") {
        all.push("null".into());
    }
    if policy.unknown {
        all.push("unknown origins".into());
    }
    if all.is_empty() {
        "nobody".into()
    } else {
        all.join(", ")
    }
}

const fn credentials(policy: &Policy) -> &'static str {
    match policy.credentials {
        Known::Known(Some(true)) => "yes",
        Known::Known(Some(false)) => "no",
        Known::Known(None) => "-",
        Known::Unknown => "unknown",
    }
}

fn value(value: &Known<Option<String>>) -> String {
    match value {
        Known::Known(Some(value)) => value.clone(),
        Known::Known(None) => "-".into(),
        Known::Unknown => "unknown".into(),
    }
}

fn preflight(policy: &Policy) -> String {
    let by = policy.preflight_by.unwrap_or("unknown");
    match policy.preflight_status {
        Known::Known(status) => format!("{by} {status}"),
        Known::Unknown => by.into(),
    }
}

fn write_json(opened: &Opened, view: &View<'_>, out: &mut dyn Write) -> io::Result<()> {
    let shown = all(opened);
    let endpoints = shown.iter().flat_map(|(site, policies, environments)| {
        let site = &opened.sites[*site];
        let endpoints = site.endpoints().iter().zip(policies);
        endpoints.map(move |(endpoint, ways)| EndpointJson {
            framework: site.framework(),
            name: endpoint.name.clone(),
            path: view.path(endpoint.span),
            range: view.range(endpoint.span),
            environments: environments.clone(),
            url: endpoint.url.to_string(),
            policies: ways
                .iter()
                .map(|way| policy_json(&way.outcome, assumptions(way)))
                .collect(),
        })
    });
    let document = Document {
        version: 1,
        endpoints: endpoints.collect(),
    };
    serde_json::to_writer_pretty(&mut *out, &document)?;
    writeln!(out)
}

fn policy_json(policy: &Policy, assumes: Vec<AssumptionJson>) -> PolicyJson {
    let header = |value: &Known<Option<String>>| HeaderJson {
        known: *value != Known::Unknown,
        value: value.clone().known().flatten(),
    };
    PolicyJson {
        everyone: policy.everyone.known(),
        origins: policy.origins.clone(),
        patterns: policy.patterns.clone(),
        null_origin: policy.null.known(),
        unknown_origins: policy.unknown,
        credentials: policy.credentials.known().flatten(),
        methods: header(&policy.methods),
        headers: header(&policy.headers),
        headers_as_asked: policy.headers_echo,
        exposed_headers: header(&policy.exposed),
        max_age: header(&policy.max_age),
        preflight: PreflightJson {
            status: policy.preflight_status.known(),
            answered_by: policy.preflight_by,
        },
        vary: header(&policy.vary),
        assumes,
    }
}

#[derive(Serialize)]
struct Document {
    version: u32,
    endpoints: Vec<EndpointJson>,
}

#[derive(Serialize)]
struct EndpointJson {
    framework: &'static str,
    name: String,
    path: String,
    range: Range,
    /// The environments of the configuration in which it is so; empty: in all.
    environments: Vec<String>,
    /// A URL that leads here.
    url: String,
    /// One for each set of deployment conditions that makes a difference.
    policies: Vec<PolicyJson>,
}

/// Null: unknown, or does not apply.
#[derive(Serialize)]
struct PolicyJson {
    everyone: Option<bool>,
    origins: Vec<String>,
    patterns: Vec<String>,
    null_origin: Option<bool>,
    unknown_origins: bool,
    credentials: Option<bool>,
    methods: HeaderJson,
    headers: HeaderJson,
    headers_as_asked: bool,
    exposed_headers: HeaderJson,
    max_age: HeaderJson,
    preflight: PreflightJson,
    vary: HeaderJson,
    assumes: Vec<AssumptionJson>,
}

/// A header's value; null: absent, if it is known.
#[derive(Serialize)]
struct HeaderJson {
    known: bool,
    value: Option<String>,
}

#[derive(Serialize)]
struct PreflightJson {
    status: Option<u16>,
    answered_by: Option<&'static str>,
}
