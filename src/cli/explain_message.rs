//! `corslint explain` of a console message.

use std::io::{self, Write};

use serde::Serialize;

use super::Exit;
use super::args::Format;
use super::exchange::{self, AssumptionJson, Range, Style, TargetJson, View, assumptions};
use super::explain::ExplainArguments;
use super::streams::{self, Failure};
use crate::check::{Options, check};
use crate::explain::{Evidence, Kind, Message, evidence, kind};
use crate::fetch;
use crate::model::{Application, Finding};
use crate::report::text::{line, lines};
use crate::report::{Paths, Report};
use crate::simulate::{Opened, Target, deciding};

/// More endpoints, and more findings, are counted only.
const MAX_SHOWN: usize = 10;

pub(super) fn run(arguments: &ExplainArguments, messages: &[Message]) -> Result<Exit, Failure> {
    let project = if arguments.paths.is_empty() {
        None
    } else {
        let opened = exchange::read(&arguments.paths, &arguments.environment, &arguments.config)?;
        let report = check(&Options {
            paths: arguments.paths.clone(),
            pedantic: true,
            rules_dirs: arguments.rules.folders.clone(),
            environment: arguments.environment.read()?,
            config: arguments.config.lookup(),
            ..Options::default()
        })?;
        Some((opened, report))
    };
    let explained: Vec<Explained<'_>> = messages
        .iter()
        .map(|message| Explained::new(message, project.as_ref()))
        .collect();
    let style = Style::new(arguments.color.color.decide());
    let paths = Paths::here();
    streams::write(|out| match arguments.format {
        Format::Terminal => {
            for (number, explained) in explained.iter().enumerate() {
                if number > 0 {
                    writeln!(out)?;
                }
                explained.write(&paths, style, out)?;
            }
            Ok(())
        }
        Format::Json => {
            let messages = explained.iter();
            let document = Document {
                version: 1,
                messages: messages
                    .map(|message| message.json(&paths, style))
                    .collect(),
            };
            serde_json::to_writer_pretty(&mut *out, &document)?;
            writeln!(out)
        }
    })?;
    Ok(Exit::Clean)
}

/// A message with what it means and what speaks for it.
struct Explained<'a> {
    message: &'a Message,
    kinds: Vec<&'static Kind>,
    project: Option<&'a (Opened, Report)>,
    evidence: Vec<Evidence>,
}

impl<'a> Explained<'a> {
    fn new(message: &'a Message, project: Option<&'a (Opened, Report)>) -> Self {
        let evidence = project.map(|(opened, _)| evidence(message, &opened.sites));
        Self {
            message,
            kinds: message.kinds.iter().filter_map(|name| kind(name)).collect(),
            project,
            evidence: evidence.unwrap_or_default(),
        }
    }

    /// The findings that speak for a cause: of the endpoints that would produce the message, if any
    /// would.
    fn findings(&self) -> Vec<&'a Finding> {
        let Some((opened, report)) = self.project else {
            return Vec::new();
        };
        let names: Vec<&str> = self
            .evidence
            .iter()
            .filter_map(|found| match found.target {
                Target::Endpoint(index) => {
                    let endpoints = opened.sites[found.site].endpoints();
                    Some(endpoints[index].name.as_str())
                }
                Target::Unrouted => None,
            })
            .collect();
        let rules: Vec<&str> = self
            .kinds
            .iter()
            .flat_map(|kind| kind.causes_of(self.message))
            .flat_map(|cause| cause.rules.iter().map(String::as_str))
            .collect();
        let mut found: Vec<(usize, &Finding)> = report
            .findings
            .iter()
            .filter_map(|finding| {
                let rank = rules.iter().position(|rule| *rule == finding.rule)?;
                let mut endpoints = finding.endpoints.iter();
                let fits = finding.endpoints.is_empty()
                    || names.is_empty()
                    || endpoints.any(|name| names.contains(&name.as_str()));
                fits.then_some((rank, finding))
            })
            .collect();
        found.sort_by_key(|(rank, _)| *rank);
        found.into_iter().map(|(_, finding)| finding).collect()
    }

    fn write(&self, paths: &Paths, style: Style, out: &mut dyn Write) -> io::Result<()> {
        let Style { bold, reset, .. } = style;
        let message = self.message;
        let facts = [
            ("URL", &message.url),
            ("redirected from", &message.redirected_from),
            ("page", &message.origin),
            ("method", &message.method),
            ("header", &message.header),
            ("value", &message.value),
        ];
        for (number, kind) in self.kinds.iter().enumerate() {
            let title = line(&kind.title);
            if number == 0 {
                writeln!(out, "{bold}{}: {title}{reset}", kind.name)?;
                for (name, value) in &facts {
                    if let Some(value) = value {
                        writeln!(out, "  {name}: {}", line(value))?;
                    }
                }
                if message.preflight {
                    writeln!(out, "  it is the preflight that failed")?;
                }
                writeln!(out, "\n{}", lines(kind.explanation.trim()))?;
            } else {
                writeln!(out, "\nor {}: {title}", kind.name)?;
            }
            if number == 0 {
                writeln!(
                    out,
                    "\n{bold}Possible causes, the most probable first{reset}"
                )?;
                for (number, cause) in kind.causes_of(message).iter().enumerate() {
                    writeln!(out, "  {}. {}", number + 1, line(&cause.text))?;
                    if !cause.rules.is_empty() {
                        writeln!(out, "     rules: {}", cause.rules.join(", "))?;
                    }
                }
            }
        }
        match self.project {
            Some((opened, report)) => self.write_project(opened, report, paths, style, out),
            None if self.kinds.iter().all(|kind| kind.server_cannot_help) => Ok(()),
            None => writeln!(
                out,
                "\nAdd files or folders with the configuration to see which endpoints produce it."
            ),
        }
    }

    fn write_project(
        &self,
        opened: &Opened,
        report: &Report,
        paths: &Paths,
        style: Style,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        let Style { bold, reset, .. } = style;
        let view = View {
            sources: &opened.sources,
            paths,
            style,
        };
        if self.evidence.is_empty() {
            writeln!(out, "\n{bold}No endpoint in view would produce it.{reset}")?;
        } else {
            writeln!(out, "\n{bold}What would produce it here{reset}")?;
        }
        for found in self.evidence.iter().take(MAX_SHOWN) {
            let site = opened.sites[found.site].as_ref();
            writeln!(
                out,
                "  {}",
                view.target(site, found.target, &found_in(opened, found))
            )?;
            if found.takes_url {
                writeln!(out, "    it takes the URL of the message")?;
            }
            writeln!(out, "    {}: {}", found.failure.name(), words(found))?;
            if let Some(by) = found.way.outcome.steps.last().and_then(deciding) {
                writeln!(out, "    at {}: {}", view.place(by.span), line(&by.text))?;
                writeln!(out, "      {}", view.source(by.span))?;
            }
            if let Some(origin) = &found.allowed {
                writeln!(out, "    the same request is allowed from {}", line(origin))?;
            }
            write!(out, "{}", view.conditions(&found.way, "    "))?;
        }
        more(self.evidence.len(), "endpoint", out)?;
        let findings = self.findings();
        if !findings.is_empty() {
            writeln!(out, "\n{bold}Findings that fit{reset}")?;
        }
        let view = View {
            sources: &report.sources,
            paths,
            style,
        };
        for finding in findings.iter().take(MAX_SHOWN) {
            let place = view.place(finding.primary.span);
            writeln!(
                out,
                "  {place} {}: {}",
                finding.rule,
                line(&finding.message)
            )?;
            writeln!(out, "      {}", view.source(finding.primary.span))?;
            if let Some(help) = &finding.help {
                let help = lines(help.trim()).replace('\n', "\n            ");
                writeln!(out, "      help: {help}")?;
            }
        }
        more(findings.len(), "finding", out)
    }

    fn json(&self, paths: &Paths, style: Style) -> MessageJson<'a> {
        let first = self.kinds.first();
        MessageJson {
            browser: self.message.browser.as_deref(),
            kinds: &self.message.kinds,
            preflight: self.message.preflight,
            url: self.message.url.as_deref(),
            redirected_from: self.message.redirected_from.as_deref(),
            origin: self.message.origin.as_deref(),
            initiator: self.message.initiator.as_deref(),
            method: self.message.method.as_deref(),
            header: self.message.header.as_deref(),
            value: self.message.value.as_deref(),
            status: self.message.status,
            title: first.map(|kind| kind.title.as_str()),
            explanation: first.map(|kind| kind.explanation.trim()),
            server_cannot_help: self.kinds.iter().all(|kind| kind.server_cannot_help),
            causes: first.map_or(Vec::new(), |kind| {
                let causes = kind.causes_of(self.message).into_iter();
                let causes = causes.map(|cause| CauseJson {
                    text: &cause.text,
                    rules: &cause.rules,
                });
                causes.collect()
            }),
            evidence: self.project.map(|(opened, _)| {
                let view = View {
                    sources: &opened.sources,
                    paths,
                    style,
                };
                let all = self.evidence.iter();
                all.map(|found| evidence_json(found, opened, &view))
                    .collect()
            }),
            findings: self.project.map(|(_, report)| {
                let view = View {
                    sources: &report.sources,
                    paths,
                    style,
                };
                let findings = self.findings().into_iter();
                let findings = findings.map(|finding| FindingJson {
                    rule: &finding.rule,
                    path: view.path(finding.primary.span),
                    range: view.range(finding.primary.span),
                    message: &finding.message,
                });
                findings.collect()
            }),
        }
    }
}

fn more(count: usize, what: &str, out: &mut dyn Write) -> io::Result<()> {
    match count.checked_sub(MAX_SHOWN) {
        None | Some(0) => Ok(()),
        Some(1) => writeln!(out, "  and 1 more {what}"),
        Some(more) => writeln!(out, "  and {more} more {what}s"),
    }
}

/// When an endpoint would produce the message.
fn words(found: &Evidence) -> String {
    let step = found.way.outcome.steps.last();
    let request = step.map(|step| &step.request);
    let what = match request {
        Some(request) if request.is_preflight() => "the preflight of",
        _ => "the response to",
    };
    let with = if found.include {
        " with credentials"
    } else {
        ""
    };
    let when = match found.application {
        _ if request.is_some_and(|request| request.is_preflight()) => String::new(),
        Application::Answers(200) => String::new(),
        Application::Answers(status) => format!(", when the application answers {status}"),
        Application::Throws => ", when the application throws".into(),
        Application::Unreachable => ", when the application is not reachable".into(),
    };
    format!("{what} a request{with} from {}{when}", line(&found.origin))
}

/// The environment in which something was found, if the configuration names some.
fn found_in(opened: &Opened, found: &Evidence) -> Vec<String> {
    let name = opened.environments[found.site].clone();
    name.into_iter().collect()
}

fn evidence_json(found: &Evidence, opened: &Opened, view: &View<'_>) -> EvidenceJson {
    let site = opened.sites[found.site].as_ref();
    let deciding = found.way.outcome.steps.last().and_then(deciding);
    EvidenceJson {
        target: view.target_json(site, found.target, found_in(opened, found)),
        takes_url: found.takes_url,
        failure: found.failure.name(),
        reason: fetch::reason(found.failure),
        origin: found.origin.clone(),
        credentials: found.include,
        application_status: match found.application {
            Application::Answers(status) => Some(status),
            _ => None,
        },
        allowed_from: found.allowed.clone(),
        decided_at: deciding.as_ref().map(|by| view.range(by.span)),
        decided_by: deciding.map(|by| by.text),
        assumes: assumptions(&found.way),
    }
}

#[derive(Serialize)]
struct Document<'a> {
    version: u32,
    messages: Vec<MessageJson<'a>>,
}

#[derive(Serialize)]
struct MessageJson<'a> {
    browser: Option<&'a str>,
    /// The most probable first; title, explanation and causes are of the first.
    kinds: &'a [String],
    preflight: bool,
    url: Option<&'a str>,
    redirected_from: Option<&'a str>,
    origin: Option<&'a str>,
    initiator: Option<&'a str>,
    method: Option<&'a str>,
    header: Option<&'a str>,
    value: Option<&'a str>,
    status: Option<u16>,
    title: Option<&'static str>,
    explanation: Option<&'static str>,
    server_cannot_help: bool,
    causes: Vec<CauseJson>,
    /// Null: no paths were given.
    evidence: Option<Vec<EvidenceJson>>,
    findings: Option<Vec<FindingJson<'a>>>,
}

#[derive(Serialize)]
struct CauseJson {
    text: &'static str,
    rules: &'static [String],
}

#[derive(Serialize)]
struct EvidenceJson {
    #[serde(flatten)]
    target: TargetJson,
    takes_url: bool,
    failure: &'static str,
    reason: &'static str,
    origin: String,
    credentials: bool,
    /// Null: the application throws, or is not reachable.
    application_status: Option<u16>,
    allowed_from: Option<String>,
    decided_at: Option<Range>,
    decided_by: Option<String>,
    assumes: Vec<AssumptionJson>,
}

#[derive(Serialize)]
struct FindingJson<'a> {
    rule: &'a str,
    path: String,
    range: Range,
    message: &'a str,
}
