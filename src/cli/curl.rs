//! `corslint curl`.

use std::io::{self, Write};

use clap::{Args, Parser};
use serde::Serialize;

use super::Exit;
use super::args::{Color, Format};
use super::curl_command::{self, CurlCommand};
use super::exchange::{
    self, RequestJson, ResponseJson, SourceArguments, Style, TargetJson, View, assumptions,
    request_json,
};
use super::streams::{self, Failure};
use crate::model::{Request, Response};
use crate::report::Paths;
use crate::report::text::line;
use crate::simulate::{Opened, Target, Way, is_status_assumed, responses, target_of};

/// Options of its own; everything else is curl's.
const OWN: [&str; 7] = [
    "--in",
    "--status",
    "--format",
    "--color",
    "--env",
    "--env-file",
    "--no-config",
];

/// Behind the options.
pub(super) const HELP: &str = "\
Examples:
  corslint curl -i -H 'Origin: https://app.example.com' https://api.example.com/items
  corslint curl -X OPTIONS -H 'Origin: https://app.example.com' \\
      -H 'Access-Control-Request-Method: PUT' https://api.example.com/items --in nginx/
  corslint curl curl 'https://api.example.com/items' -H 'Origin: null' --status 500
                                        a pasted command may keep its `curl`

Options of corslint (--in, --status, --format, --color, --env, --env-file, --no-config) may stand
anywhere; --config FILE stands before the curl command, for curl has an option of that name.

What is shown as curl would print it: the status line and the headers in the order of sending. Bodies
are not known. `(unknown)` is a value that no file in view tells; a line `assumed:` names a
condition under which the answer is this one. A status marked `assumed` is not read anywhere: it is
what the application behind is taken to answer, 200 unless --status says otherwise.

--format json:
  {version, request, endpoints: [{framework, name, path, range, responses:
    [{status, status_assumed, headers: [[name, value]], from: [range],
      assumes: [{text, holds, kind}]}]}]}
  Unknown values and statuses are null. Lines and columns count from 1, bytes from 0.

Exit codes:
  0  answered
  2  wrong arguments, a path that cannot be read, or no configuration in view";

/// Arguments of `curl`.
#[derive(Args, Debug)]
pub(super) struct CurlArguments {
    #[command(flatten)]
    pub(super) own: CurlOptions,

    /// A curl command without its `curl`: options and one URL
    ///
    /// Understood: -X -H -I -i -v -s -d -b -u -A -e -F -G --request --header --head --include
    /// --verbose --silent --data (and its relatives) --json --cookie --user --user-agent --referer
    /// --form --get --url. Others are ignored with a note. What makes curl read a file (-d @FILE,
    /// -T, -K, …) is an error.
    #[arg(
        value_name = "CURL ARGUMENTS",
        trailing_var_arg = true,
        allow_hyphen_values = true,
        required = true
    )]
    pub(super) curl: Vec<String>,
}

/// What is not curl's.
#[derive(Args, Debug)]
pub(super) struct CurlOptions {
    #[command(flatten)]
    pub(super) sources: SourceArguments,

    /// The status with which the application behind answers [default: 200]
    #[arg(long, value_name = "N", value_parser = exchange::status)]
    pub(super) status: Option<u16>,

    /// How to write the answer
    #[arg(long, value_enum, value_name = "FORMAT")]
    pub(super) format: Option<Format>,

    /// When to use colours [default: auto]
    #[arg(long, value_enum, value_name = "WHEN")]
    pub(super) color: Option<Color>,
}

/// Options of its own that stand among curl's.
#[derive(Debug, Parser)]
#[command(
    name = "corslint curl",
    no_binary_name = true,
    disable_help_flag = true
)]
struct More {
    #[command(flatten)]
    own: CurlOptions,
}

/// Parts what is curl's from options of its own that stand behind the first of curl's.
fn part(arguments: Vec<String>) -> Result<(Vec<String>, CurlOptions), Failure> {
    let (mut theirs, mut own) = (Vec::new(), Vec::new());
    let mut rest = arguments.into_iter();
    while let Some(argument) = rest.next() {
        let name = argument.split('=').next().unwrap_or_default();
        if !OWN.contains(&name) {
            theirs.push(argument);
            continue;
        }
        let with_value = argument.contains('=') || name == "--no-config";
        own.push(argument);
        if !with_value {
            own.extend(rest.next());
        }
    }
    let more = More::try_parse_from(own);
    let more = more.map_err(|error| {
        let text = error.render().to_string();
        let text = text.trim_end();
        Failure::Said(text.strip_prefix("error: ").unwrap_or(text).into())
    })?;
    Ok((theirs, more.own))
}

pub(super) fn run(arguments: CurlArguments) -> Result<Exit, Failure> {
    let CurlArguments { own, curl } = arguments;
    let (curl, more) = part(curl)?;
    let command = curl_command::parse(&curl).map_err(Failure::Said)?;
    let mut sources = own.sources;
    sources.paths.extend(more.sources.paths);
    sources.config.merge(more.sources.config);
    let added = more.sources.environment;
    sources.environment.variables.extend(added.variables);
    sources.environment.files.extend(added.files);
    let mut request = command.request.clone();
    request.application = exchange::application(more.status.or(own.status));
    let opened = exchange::read(&sources.paths, &sources.environment, &sources.config)?;
    let format = more.format.or(own.format).unwrap_or(Format::Terminal);
    let asked = Asked {
        command: &command,
        request: &request,
        opened: &opened,
    };
    for option in &command.ignored {
        streams::warn(&format!("note: `{option}` is ignored"));
    }
    let paths = Paths::here();
    let view = View {
        sources: &opened.sources,
        paths: &paths,
        style: Style::new(more.color.or(own.color).unwrap_or(Color::Auto).decide()),
    };
    streams::write(|out| match format {
        Format::Terminal => asked.write(&view, out),
        Format::Json => asked.write_json(&view, out),
    })?;
    Ok(Exit::Clean)
}

/// A site's place among the sites, what of it answers, how, and in which environments.
type Answer = (usize, (Target, Vec<Way<Response>>), Vec<String>);

struct Asked<'a> {
    command: &'a CurlCommand,
    request: &'a Request,
    opened: &'a Opened,
}

impl Asked<'_> {
    /// What takes the request, with what it answers and the environments in which it does.
    fn answers(&self) -> Vec<Answer> {
        let sites = self.opened.sites.iter().enumerate();
        let answers = sites.filter_map(|(index, site)| {
            let site = site.as_ref();
            let target = target_of(site, self.request)?;
            Some((index, (target, responses(site, target, self.request))))
        });
        exchange::together(answers.collect(), self.opened, |a, b| a == b)
    }

    fn write(&self, view: &View<'_>, out: &mut dyn Write) -> io::Result<()> {
        if self.command.verbose {
            writeln!(out, "{}", view.request(self.request, "> "))?;
        }
        let mut is_first = true;
        for (site, (target, ways), environments) in self.answers() {
            let site = self.opened.sites[site].as_ref();
            if !is_first {
                writeln!(out)?;
            }
            is_first = false;
            writeln!(out, "{}", view.target(site, target, &environments))?;
            for (index, way) in ways.iter().enumerate() {
                if index > 0 {
                    writeln!(out)?;
                }
                write!(out, "{}", view.conditions(way, ""))?;
                let is_assumed = is_status_assumed(site, self.request, &way.outcome);
                write!(out, "{}", view.response(&way.outcome, is_assumed, ""))?;
            }
        }
        if is_first {
            let url = self.request.url.to_string();
            writeln!(out, "No endpoint takes {}.", line(&url))?;
        }
        Ok(())
    }

    fn write_json(&self, view: &View<'_>, out: &mut dyn Write) -> io::Result<()> {
        let answers = self.answers().into_iter();
        let endpoints = answers.map(|(site, (target, ways), environments)| {
            let site = self.opened.sites[site].as_ref();
            EndpointJson {
                target: view.target_json(site, target, environments),
                responses: ways
                    .iter()
                    .map(|way| {
                        let is_assumed = is_status_assumed(site, self.request, &way.outcome);
                        view.response_json(&way.outcome, is_assumed, assumptions(way))
                    })
                    .collect(),
            }
        });
        let document = Document {
            version: 1,
            request: request_json(self.request),
            endpoints: endpoints.collect(),
        };
        serde_json::to_writer_pretty(&mut *out, &document)?;
        writeln!(out)
    }
}

#[derive(Serialize)]
struct Document {
    version: u32,
    request: RequestJson,
    endpoints: Vec<EndpointJson>,
}

#[derive(Serialize)]
struct EndpointJson {
    #[serde(flatten)]
    target: TargetJson,
    responses: Vec<ResponseJson>,
}
