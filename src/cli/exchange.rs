//! What `curl`, `try`, `show` and `explain` share: reading configurations, showing requests and
//! responses with their places, and the same for programs.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::PathBuf;

use clap::Args;
use serde::Serialize;

use super::args::ConfigArguments;
use super::environment::EnvironmentArguments;
use super::streams::{self, Failure};
use crate::model::{Application, Known, Outcome, Request, Response, Site};
use crate::report::Paths;
use crate::report::text::{assumption, line};
use crate::simulate::{Opened, Target, Way, open, why_dropped};
use crate::source::{Sources, Span};

/// Places stand no further right than this, in characters.
const MAX_COLUMN: usize = 72;

/// Arguments of commands that ask configurations.
#[derive(Args, Debug)]
pub(super) struct SourceArguments {
    /// A file or folder with configuration; may be repeated [default: the working directory]
    #[arg(long = "in", value_name = "PATH")]
    pub(super) paths: Vec<PathBuf>,

    #[command(flatten)]
    pub(super) environment: EnvironmentArguments,

    #[command(flatten)]
    pub(super) config: ConfigArguments,
}

/// Reads the configurations of `paths`; the working directory's if there are none.
pub(super) fn read(
    paths: &[PathBuf],
    environment: &EnvironmentArguments,
    config: &ConfigArguments,
) -> Result<Opened, Failure> {
    let here = [PathBuf::from(".")];
    let paths = if paths.is_empty() { &here } else { paths };
    let environment = environment.read()?;
    let opened = open(paths, &environment, &config.lookup());
    let opened = opened.map_err(|error| Failure::Said(error.to_string()))?;
    let shown = Paths::here();
    if let Some((last, others)) = opened.errors.split_last() {
        let words = |problem: &crate::report::Problem| match &problem.path {
            Some(path) => format!("{}: {}", shown.show(path), problem.text),
            None => problem.text.clone(),
        };
        for problem in others {
            streams::complain(&words(problem));
        }
        return Err(Failure::Said(words(last)));
    }
    if opened.sites.is_empty() {
        let names: Vec<_> = paths.iter().map(|path| shown.show(path)).collect();
        return Err(Failure::Said(format!(
            "no CORS configuration found in {}",
            names.join(", ")
        )));
    }
    Ok(opened)
}

/// The application's answer by a typed status.
pub(super) fn status(typed: &str) -> Result<u16, String> {
    let status = typed.parse::<u16>().ok();
    status
        .filter(|status| (200..=599).contains(status))
        .ok_or_else(|| "a final status is a number from 200 to 599".into())
}

/// What the application behind does.
pub(super) fn application(status: Option<u16>) -> Application {
    Application::Answers(status.unwrap_or(200))
}

/// Bold text, if colours are wanted.
#[derive(Clone, Copy)]
pub(super) struct Style {
    pub(super) bold: &'static str,
    pub(super) red: &'static str,
    pub(super) green: &'static str,
    pub(super) dim: &'static str,
    pub(super) reset: &'static str,
}

impl Style {
    pub(super) const fn new(color: bool) -> Self {
        if color {
            Self {
                bold: "\u{1b}[1m",
                red: "\u{1b}[1;31m",
                green: "\u{1b}[1;32m",
                dim: "\u{1b}[2m",
                reset: "\u{1b}[0m",
            }
        } else {
            Self {
                bold: "",
                red: "",
                green: "",
                dim: "",
                reset: "",
            }
        }
    }
}

/// Shows places of files that were read.
#[derive(Clone, Copy)]
pub(super) struct View<'a> {
    pub(super) sources: &'a Sources,
    pub(super) paths: &'a Paths,
    pub(super) style: Style,
}

impl View<'_> {
    /// `path:line`.
    pub(super) fn place(&self, span: Span) -> String {
        let file = self.sources.get(span.file);
        let line = file.position(span.start).line;
        format!("{}:{line}", self.paths.show(file.path()))
    }

    /// The path of a place's file.
    pub(super) fn path(&self, span: Span) -> String {
        let file = self.sources.get(span.file);
        let path = self.paths.relative(file.path());
        path.to_string_lossy().into_owned()
    }

    /// The line of source at a place, without the space around it.
    pub(super) fn source(&self, span: Span) -> String {
        let file = self.sources.get(span.file);
        let position = file.position(span.start);
        let starts = file.line_starts();
        let start = starts.get(position.line - 1).copied().unwrap_or_default();
        let end = starts.get(position.line).copied();
        let end = end.unwrap_or(file.span().end);
        let text = file.slice(Span::new(file.id(), start, end));
        crate::report::text::short_line(text.trim()).into_owned()
    }

    /// The heading of what answers, and in which environments it does, if not in all.
    pub(super) fn target(
        &self,
        site: &dyn Site,
        target: Target,
        environments: &[String],
    ) -> String {
        let Style { bold, reset, .. } = self.style;
        let framework = site.framework();
        let shown = match target {
            Target::Endpoint(index) => {
                let known = &site.endpoints()[index];
                let (name, place) = (line(&known.name), self.place(known.span));
                format!("{bold}{name}{reset} ({framework}, {place})")
            }
            Target::Unrouted => {
                let why = "no route with a policy takes this path and method";
                format!("{bold}no endpoint{reset} ({framework}): {why}")
            }
        };
        in_environments(shown, environments)
    }

    /// The lines of a response, each followed by its place.
    pub(super) fn response(&self, response: &Response, is_assumed: bool, indent: &str) -> String {
        let by = response.answered_by.span.map(|span| self.place(span));
        let by = match by {
            Some(place) => format!("answered by {}, {place}", response.answered_by.kind.name()),
            None => format!("answered by {}", response.answered_by.kind.name()),
        };
        let by = if is_assumed {
            format!("assumed, see --status; {by}")
        } else {
            by
        };
        let mut rows = match &response.outcome {
            Outcome::Status(status) => vec![(status_line(*status), by)],
            Outcome::NeverAnswers => vec![("(no response: the request hangs)".into(), by)],
            Outcome::Throws(words) => {
                vec![(format!("(the framework throws: {})", line(words)), by)]
            }
        };
        for sent in &response.headers {
            let value = match &sent.value {
                Known::Known(value) => line(value).into_owned(),
                Known::Unknown => "(unknown)".into(),
            };
            let row = format!("{}: {value}", line(&sent.name));
            rows.push((row, self.place(sent.span)));
        }
        let widths = rows.iter().map(|(text, _)| text.chars().count());
        let width = widths.filter(|width| *width <= MAX_COLUMN).max();
        let width = width.unwrap_or_default();
        let Style { dim, reset, .. } = self.style;
        let mut shown = String::new();
        for (text, place) in rows {
            let _ = writeln!(shown, "{indent}{text:width$}  {dim}# {place}{reset}");
        }
        for lost in &response.dropped {
            let name = line(&lost.name);
            let (place, why) = (self.place(lost.span), why_dropped(lost));
            let text = format!("{dim}# not sent: {name} ({place}): {why}{reset}");
            let _ = writeln!(shown, "{indent}{text}");
        }
        if !response.unseen.is_empty() {
            let whose = if response.unseen.iter().any(|name| name == "*") {
                "further headers".to_owned()
            } else {
                unseen(response).join(", ")
            };
            let text = "may come from what is not in view";
            let _ = writeln!(shown, "{indent}{dim}# {}: {text}{reset}", line(&whose));
        }
        shown
    }

    /// The lines of a request.
    pub(super) fn request(&self, request: &Request, indent: &str) -> String {
        let query = request.url.query.as_ref().map(|query| format!("?{query}"));
        let (method, path) = (line(&request.method), line(&request.url.path));
        let query = query.unwrap_or_default();
        let mut shown = format!("{indent}{method} {path}{} HTTP/1.1\n", line(&query));
        for (name, value) in headers(request) {
            let _ = writeln!(shown, "{indent}{}: {}", title(&name), line(&value));
        }
        shown
    }

    /// The conditions of a way, one line each.
    pub(super) fn conditions<T>(&self, way: &Way<T>, indent: &str) -> String {
        let mut shown = String::new();
        let deployment = way.conditions.iter();
        let deployment = deployment.map(|(known, holds)| (&known.text, *holds, known.span));
        let request = way.assumes.iter();
        let request = request.map(|known| (&known.text, known.holds, known.span));
        for (text, holds, span) in deployment.chain(request) {
            let assumed = assumption(&line(text), holds);
            let place = span.map(|span| format!(" ({})", self.place(span)));
            let place = place.unwrap_or_default();
            let _ = writeln!(shown, "{indent}{assumed}{place}");
        }
        shown
    }
}

/// A heading with the environments that it is for; nothing is added for all of them.
pub(super) fn in_environments(heading: String, environments: &[String]) -> String {
    if environments.is_empty() {
        return heading;
    }
    let names = environments.iter().map(|name| format!("`{}`", line(name)));
    let names: Vec<_> = names.collect();
    format!("{heading} in the environment {}", names.join(", "))
}

/// What is shown once for every environment, with equal ones put together: each with the environments
/// that it is for, none if it is for all that its project has.
pub(super) fn together<T>(
    items: Vec<(usize, T)>,
    opened: &Opened,
    same: impl Fn(&T, &T) -> bool,
) -> Vec<(usize, T, Vec<String>)> {
    let span = |site: usize| {
        opened.sites[site]
            .endpoints()
            .first()
            .map(|known| known.span)
    };
    let framework = |site: usize| opened.sites[site].framework();
    let mut found: Vec<(usize, T, Vec<String>)> = Vec::new();
    for (site, item) in items {
        let name = opened.environments[site].clone();
        let known = found.iter_mut().find(|(other, known, names)| {
            name.as_ref().is_some_and(|name| !names.contains(name))
                && (framework(*other), span(*other)) == (framework(site), span(site))
                && same(known, &item)
        });
        match known {
            Some((.., names)) => names.extend(name),
            None => found.push((site, item, name.into_iter().collect())),
        }
    }
    for (site, _, names) in &mut found {
        let same_site =
            |other: &usize| (framework(*other), span(*other)) == (framework(*site), span(*site));
        let all: BTreeSet<_> = (0..opened.sites.len())
            .filter(same_site)
            .filter_map(|other| opened.environments[other].clone())
            .collect();
        if names.len() == all.len() {
            names.clear();
        }
    }
    found
}

/// The headers that are sent, CORS first.
fn headers(request: &Request) -> Vec<(String, String)> {
    let known = [
        "host",
        "origin",
        "access-control-request-method",
        "access-control-request-headers",
        "cookie",
    ];
    let mut found = Vec::new();
    for name in known {
        found.extend(request.header(name).map(|value| (name.to_owned(), value)));
    }
    let others = request.headers.iter();
    found.extend(
        others
            .filter(|(name, _)| !known.contains(&&**name))
            .cloned(),
    );
    found
}

/// `content-type` as people write it.
fn title(name: &str) -> String {
    let parts = line(name);
    let parts = parts.split('-').map(|part| {
        let mut letters = part.chars();
        let first = letters.next().map(|c| c.to_ascii_uppercase());
        first.into_iter().chain(letters).collect::<String>()
    });
    parts.collect::<Vec<_>>().join("-")
}

fn status_line(status: Known<u16>) -> String {
    match status {
        Known::Known(status) => format!("HTTP/1.1 {status} {}", phrase(status))
            .trim_end()
            .into(),
        Known::Unknown => "HTTP/1.1 (status unknown)".into(),
    }
}

/// Headers that may come from what is not in view, each once.
fn unseen(response: &Response) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for name in &response.unseen {
        if !names.contains(name) {
            names.push(name.clone());
        }
    }
    names
}

/// The reason phrases of RFC 9110 and RFC 6585 that servers send.
const fn phrase(status: u16) -> &'static str {
    match status {
        200 => "OK",
        201 => "Created",
        202 => "Accepted",
        204 => "No Content",
        206 => "Partial Content",
        301 => "Moved Permanently",
        302 => "Found",
        303 => "See Other",
        304 => "Not Modified",
        307 => "Temporary Redirect",
        308 => "Permanent Redirect",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        409 => "Conflict",
        413 => "Content Too Large",
        415 => "Unsupported Media Type",
        422 => "Unprocessable Content",
        429 => "Too Many Requests",
        500 => "Internal Server Error",
        501 => "Not Implemented",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        _ => "",
    }
}

/// A place for programs: lines and columns count from 1, bytes from 0.
#[derive(Serialize)]
pub(super) struct Range {
    path: String,
    start: Position,
    end: Position,
}

#[derive(Serialize)]
struct Position {
    line: usize,
    column: usize,
    byte: usize,
}

/// What answers, for programs; null: no endpoint does.
#[derive(Serialize)]
pub(super) struct TargetJson {
    framework: &'static str,
    name: Option<String>,
    path: Option<String>,
    range: Option<Range>,
    /// The environments of the configuration in which it answers so; empty: in all.
    environments: Vec<String>,
}

/// A request for programs.
#[derive(Serialize)]
pub(super) struct RequestJson {
    method: String,
    url: String,
    headers: Vec<(String, String)>,
}

/// A response for programs.
#[derive(Serialize)]
pub(super) struct ResponseJson {
    /// Null: unknown, or there is no response.
    status: Option<u16>,
    /// Is the status only what the application behind is said to answer (`--status`)?
    status_assumed: bool,
    /// `status`, `never-answers` or `throws`.
    outcome: &'static str,
    /// Name and value; null: unknown.
    headers: Vec<(String, Option<String>)>,
    /// Where each header comes from.
    from: Vec<Range>,
    /// Headers that may come from what is not in view; `*`: any.
    unseen: Vec<String>,
    /// What was written and is not sent.
    dropped: Vec<DroppedJson>,
    answered_by: &'static str,
    assumes: Vec<AssumptionJson>,
}

#[derive(Serialize)]
struct DroppedJson {
    name: String,
    from: Range,
    why: &'static str,
}

/// A condition for programs.
#[derive(Serialize)]
pub(super) struct AssumptionJson {
    text: String,
    holds: bool,
    /// `deployment`: the same for every request; `request`: may differ between requests.
    kind: &'static str,
}

impl View<'_> {
    /// A place for programs.
    pub(super) fn range(&self, span: Span) -> Range {
        let file = self.sources.get(span.file);
        let position = |byte| {
            let crate::source::Position { line, column, byte } = file.position(byte);
            Position { line, column, byte }
        };
        let path = self.paths.relative(file.path());
        Range {
            path: path.to_string_lossy().into_owned(),
            start: position(span.start),
            end: position(span.end.max(span.start)),
        }
    }

    /// What answers, for programs.
    pub(super) fn target_json(
        &self,
        site: &dyn Site,
        target: Target,
        environments: Vec<String>,
    ) -> TargetJson {
        let known = match target {
            Target::Endpoint(index) => site.endpoints().get(index),
            Target::Unrouted => None,
        };
        TargetJson {
            framework: site.framework(),
            name: known.map(|known| known.name.clone()),
            path: known.map(|known| self.path(known.span)),
            range: known.map(|known| self.range(known.span)),
            environments,
        }
    }

    pub(super) fn response_json(
        &self,
        response: &Response,
        is_assumed: bool,
        assumes: Vec<AssumptionJson>,
    ) -> ResponseJson {
        let headers = response.headers.iter();
        ResponseJson {
            status: response.status(),
            status_assumed: is_assumed,
            outcome: match response.outcome {
                Outcome::Status(_) => "status",
                Outcome::NeverAnswers => "never-answers",
                Outcome::Throws(_) => "throws",
            },
            headers: headers
                .map(|sent| (sent.name.clone(), sent.value.clone().known()))
                .collect(),
            from: response
                .headers
                .iter()
                .map(|sent| self.range(sent.span))
                .collect(),
            unseen: unseen(response),
            dropped: response
                .dropped
                .iter()
                .map(|lost| DroppedJson {
                    name: lost.name.clone(),
                    from: self.range(lost.span),
                    why: why_dropped(lost),
                })
                .collect(),
            answered_by: response.answered_by.kind.name(),
            assumes,
        }
    }
}

pub(super) fn request_json(request: &Request) -> RequestJson {
    RequestJson {
        method: request.method.clone(),
        url: request.url.to_string(),
        headers: headers(request),
    }
}

pub(super) fn assumptions<T>(way: &Way<T>) -> Vec<AssumptionJson> {
    let deployment = way.conditions.iter().map(|(known, holds)| AssumptionJson {
        text: known.text.clone(),
        holds: *holds,
        kind: "deployment",
    });
    let request = way.assumes.iter().map(|known| AssumptionJson {
        text: known.text.clone(),
        holds: known.holds,
        kind: "request",
    });
    deployment.chain(request).collect()
}
