//! `corslint try`.

use std::io::{self, Write};

use clap::Args;
use serde::Serialize;

use super::Exit;
use super::args::{ColorArgument, Format};
use super::exchange::{
    self, AssumptionJson, Range, RequestJson, ResponseJson, SourceArguments, Style, TargetJson,
    View, assumptions, request_json,
};
use super::streams::{self, Failure};
use super::typed;
use crate::fetch::{
    self, Browser, Call, Check, Initiator, Mode, Played, Step, exposes,
    is_forbidden_request_header, unsafe_names,
};
use crate::model::{Application, Known, Origin, Site, Url};
use crate::report::Paths;
use crate::report::text::{line, lines};
use crate::simulate::{Opened, Target, Way, deciding, exchanges, is_step_assumed, target_of};

/// Behind the options.
pub(super) const HELP: &str = "\
Examples:
  corslint try https://api.example.com/items --origin https://app.example.com
  corslint try https://api.example.com/items --origin http://localhost:3000 --method PUT \\
      --header 'Content-Type: application/json' --credentials --in nginx/
  corslint try https://api.example.com/items --origin https://app.example.com --status 500
                                        what if the application answers with an error?
  corslint try https://api.example.com/ --origin null
                                        a sandboxed frame, a file, a data: URL

A redirect to a host that no file in view knows makes the verdict unknown. A status marked `assumed`
is not read anywhere: it is what the application behind is taken to answer, 200 unless --status says
otherwise. Chrome's messages are recorded; those of Firefox and Safari follow their sources, and where
these do not tell the words, it is said.

--format json:
  {version, request, notes, endpoints: [{framework, name, path, range, exchanges:
    [{preflight, actual, redirects, verdict: {outcome, failure, reason, decided_at, decided_by,
      readable_headers, browsers}, assumes}]}]}
  preflight and actual are {request, response, verdict, failure}, or null if not sent.

Exit codes:
  0  no endpoint in view blocks the request for certain
  1  one does
  2  wrong arguments, a path that cannot be read, or no configuration in view";

/// Arguments of `try`.
#[derive(Args, Debug)]
pub(super) struct TryArguments {
    /// The URL that the page asks
    #[arg(value_name = "URL", value_parser = |typed: &str| typed::url(typed, false))]
    pub(super) url: url::Url,

    /// The origin of the page: scheme, host and port, or `null`
    #[arg(long, value_name = "ORIGIN", value_parser = typed::origin)]
    pub(super) origin: String,

    /// The method, as the script writes it
    #[arg(long, value_name = "METHOD", default_value = "GET", value_parser = typed::script_method)]
    pub(super) method: String,

    /// A header that the script or its body sets; may be repeated
    #[arg(long, value_name = "NAME: VALUE", value_parser = typed::header)]
    pub(super) header: Vec<(String, String)>,

    /// Send credentials: cookies, HTTP authentication, client certificates
    ///
    /// As `credentials: "include"` in fetch and `withCredentials` in XMLHttpRequest.
    #[arg(long)]
    pub(super) credentials: bool,

    /// Ask with XMLHttpRequest instead of fetch
    #[arg(long)]
    pub(super) xhr: bool,

    /// Send a stream, or listen for the progress of the upload: a preflight in any case
    #[arg(long)]
    pub(super) upload: bool,

    /// The status with which the application behind answers [default: 200]
    #[arg(long, value_name = "N", value_parser = exchange::status)]
    pub(super) status: Option<u16>,

    #[command(flatten)]
    pub(super) sources: SourceArguments,

    /// How to write the exchange
    #[arg(long, value_enum, default_value_t = Format::Terminal)]
    pub(super) format: Format,

    #[command(flatten)]
    pub(super) color: ColorArgument,
}

/// The browsers, by the order of being shown. Only Chromium's words were recorded.
const BROWSERS: [(Browser, &str); 3] = [
    (Browser::Chrome, "Chrome"),
    (Browser::Firefox, "Firefox"),
    (Browser::Safari, "Safari"),
];

pub(super) fn run(arguments: TryArguments) -> Result<Exit, Failure> {
    let call = Call {
        initiator: if arguments.xhr {
            Initiator::Xhr
        } else {
            Initiator::Fetch
        },
        origin: arguments.origin,
        url: arguments.url,
        method: arguments.method,
        headers: arguments.header,
        include: arguments.credentials,
        mode: Mode::Cors,
        follow: true,
        force_preflight: arguments.upload,
    };
    for (name, value) in &call.headers {
        if is_forbidden_request_header(name, value) {
            streams::warn(&format!(
                "note: no script can set `{}`; browsers leave it out",
                line(name)
            ));
        }
    }
    let sources = &arguments.sources;
    let opened = exchange::read(&sources.paths, &sources.environment, &sources.config)?;
    let tried = Tried::new(&call, arguments.status, &opened);
    let paths = Paths::here();
    let view = View {
        sources: &opened.sources,
        paths: &paths,
        style: Style::new(arguments.color.color.decide()),
    };
    streams::write(|out| match arguments.format {
        Format::Terminal => tried.write(&view, out),
        Format::Json => tried.write_json(&view, out),
    })?;
    let blocked = tried.endpoints.iter().any(|endpoint| {
        let mut ways = endpoint.ways.iter();
        ways.any(|way| way.outcome.check.failure().is_some())
    });
    Ok(if blocked { Exit::Findings } else { Exit::Clean })
}

struct Tried<'a> {
    call: &'a Call,
    application: Application,
    endpoints: Vec<Endpoint<'a>>,
}

struct Endpoint<'a> {
    site: &'a dyn Site,
    /// Those of the configuration in which this is so; none: all.
    environments: Vec<String>,
    target: Target,
    /// In Chrome.
    ways: Vec<Way<Played>>,
    /// In Firefox and Safari, for the same ways in the same order.
    others: [Vec<Way<Played>>; 2],
}

impl<'a> Tried<'a> {
    fn new(call: &'a Call, status: Option<u16>, opened: &'a Opened) -> Self {
        let url = Url::of(&call.url);
        let application = exchange::application(status);
        let endpoints = opened.sites.iter().enumerate().filter_map(|(index, site)| {
            let site = site.as_ref();
            let request = crate::model::Request {
                method: fetch::normalize_method(&call.method),
                application,
                ..crate::model::Request::actual(url.clone()?, Some(&call.origin))
            };
            let target = target_of(site, &request)?;
            let play = |browser| exchanges(site, call, browser, application);
            let all = BROWSERS.map(|(browser, _)| play(browser));
            Some((index, (target, all)))
        });
        let endpoints = exchange::together(endpoints.collect(), opened, |a, b| a == b);
        let endpoints = endpoints
            .into_iter()
            .map(|(site, (target, all), environments)| {
                let [ways, firefox, safari] = all;
                Endpoint {
                    site: opened.sites[site].as_ref(),
                    environments,
                    target,
                    ways,
                    others: [firefox, safari],
                }
            });
        Self {
            call,
            application,
            endpoints: endpoints.collect(),
        }
    }

    fn write(&self, view: &View<'_>, out: &mut dyn Write) -> io::Result<()> {
        let call = self.call;
        let Style { bold, reset, .. } = view.style;
        let with = if call.include { "with" } else { "without" };
        writeln!(
            out,
            "{bold}{} {}{reset} asked by a page of {}, {with} credentials",
            line(&call.method),
            line(call.url.as_str()),
            line(&call.origin)
        )?;
        for note in self.notes() {
            writeln!(out, "note: {note}")?;
        }
        if self.endpoints.is_empty() {
            writeln!(out, "\nNo endpoint takes this URL.")?;
        }
        for endpoint in &self.endpoints {
            writeln!(
                out,
                "\n{}",
                view.target(endpoint.site, endpoint.target, &endpoint.environments)
            )?;
            for (index, way) in endpoint.ways.iter().enumerate() {
                if index > 0 {
                    writeln!(out)?;
                }
                write!(out, "{}", view.conditions(way, "  "))?;
                self.steps(endpoint.site, &way.outcome, view, out)?;
                self.verdict(endpoint, index, view, out)?;
            }
        }
        Ok(())
    }

    fn steps(
        &self,
        site: &dyn Site,
        played: &Played,
        view: &View<'_>,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        for (index, step) in played.steps.iter().enumerate() {
            let is_preflight = step.request.is_preflight();
            let redirected =
                index > 0 && !is_preflight && !played.steps[index - 1].request.is_preflight();
            let title = match (is_preflight, step.same_origin, redirected) {
                (true, ..) => format!("preflight: {}", self.why_preflight(step)),
                (_, true, _) => "request to the page's own origin: nothing is checked".into(),
                (.., true) => "the redirect is followed".into(),
                _ if index > 0 => "actual request".into(),
                _ => "actual request: it needs no preflight".into(),
            };
            writeln!(out, "\n  {}. {title}", index + 1)?;
            write!(out, "{}", view.request(&step.request, "     > "))?;
            let is_assumed = is_step_assumed(site, self.call, self.application, step);
            let response = view.response(&step.response, is_assumed, "     < ");
            write!(out, "{response}")?;
            let outcome = match step.check {
                Check::Pass if step.same_origin => continue,
                Check::Pass => "passes",
                Check::Fail(_) => "fails",
                Check::Unknown => "cannot be told",
            };
            writeln!(out, "     {outcome}")?;
        }
        Ok(())
    }

    /// What makes the preflight necessary.
    fn why_preflight(&self, step: &Step) -> String {
        let method = step.request.requested_method.as_deref().unwrap_or_default();
        let mut why = Vec::new();
        if !fetch::is_safelisted_method(method) {
            why.push(format!("the method {}", line(method)));
        }
        let names = step.request.requested_headers.iter();
        why.extend(names.map(|name| format!("the header {}", line(name))));
        if why.is_empty() {
            why.push("the upload".into());
        }
        let verb = if why.len() == 1 { "needs" } else { "need" };
        format!("{} {verb} it", why.join(" and "))
    }

    fn verdict(
        &self,
        endpoint: &Endpoint<'_>,
        way: usize,
        view: &View<'_>,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        let played = &endpoint.ways[way].outcome;
        let Style {
            red,
            green,
            bold,
            reset,
            ..
        } = view.style;
        match played.check {
            Check::Pass => {
                writeln!(out, "\n  {green}allowed{reset}")?;
                writeln!(out, "  {}", self.readable(played))?;
            }
            Check::Unknown => writeln!(
                out,
                "\n  {bold}unknown{reset}: a value that decides is not in view"
            )?,
            Check::Fail(failure) => writeln!(
                out,
                "\n  {red}blocked{reset}: {} ({})",
                fetch::reason(failure),
                failure.name()
            )?,
        }
        if let Some(by) = played.steps.last().and_then(deciding) {
            writeln!(
                out,
                "  decided at {}: {}",
                view.place(by.span),
                line(&by.text)
            )?;
            writeln!(out, "    {}", view.source(by.span))?;
        }
        for (browser, played) in by_browser(endpoint, way) {
            let differs = played.check != endpoint.ways[way].outcome.check;
            if differs {
                writeln!(out, "  {browser} differs: {}", verdict_name(played.check))?;
            }
            if let Some(console) = &played.console {
                let console = lines(console).replace('\n', "\n    ");
                let by = if browser == "Chrome" {
                    ""
                } else {
                    ", by its sources"
                };
                writeln!(out, "  {browser} prints{by}:\n    {console}")?;
            } else if let Check::Fail(failure) = played.check {
                writeln!(out, "  {}", wordless(browser, failure))?;
            }
        }
        Ok(())
    }

    fn readable(&self, played: &Played) -> String {
        let names = readable_headers(self.call, played);
        let names: Vec<_> = names.iter().map(|name| line(name).into_owned()).collect();
        if names.is_empty() {
            "the script can read the status and the body".into()
        } else {
            format!(
                "the script can read the status, the body and {}",
                names.join(", ")
            )
        }
    }

    /// What is said about the call itself.
    fn notes(&self) -> Vec<String> {
        let call = self.call;
        let mut notes = Vec::new();
        let headers = call.headers.iter();
        let headers: Vec<_> = headers.map(|(name, value)| (&**name, &**value)).collect();
        let normal = fetch::normalize_method(&call.method);
        if normal == "patch" || normal.eq_ignore_ascii_case("patch") && normal != "PATCH" {
            notes.push(
                "`patch` is sent as it is written, and only the same spelling in \
                 Access-Control-Allow-Methods allows it; write `PATCH`"
                    .to_owned(),
            );
        }
        if !call.url.username().is_empty() || call.url.password().is_some() {
            notes.push(
                "`fetch` refuses a URL with a user name or password in it; only other ways to ask, \
                 such as XMLHttpRequest, take it"
                    .to_owned(),
            );
        }
        if unsafe_names(&headers, Browser::Firefox).contains(&"authorization".to_owned()) {
            notes.push(
                "browsers let `*` in Access-Control-Allow-Headers cover Authorization, the \
                 standard does not: list it by name"
                    .to_owned(),
            );
        }
        let hints = unsafe_names(&headers, Browser::Chrome).len();
        if hints != unsafe_names(&headers, Browser::Firefox).len() {
            notes.push(
                "Chrome sends some of these headers without a preflight, or not at all; others do \
                 not"
                .to_owned(),
            );
        }
        let page = Origin::parse(&call.origin).ok();
        let is_near = |kind| {
            matches!(
                kind,
                crate::model::HostKind::Loopback | crate::model::HostKind::Private
            )
        };
        let target = call.url.host_str().map(crate::model::HostKind::of);
        let from = page.as_ref().and_then(Origin::host_kind);
        if target.is_some_and(is_near) && from == Some(crate::model::HostKind::Public) {
            notes.push(
                "a public page asks a private or local address: Chrome asks the visitor for \
                 permission first (Local Network Access), and no header helps"
                    .to_owned(),
            );
        }
        notes
    }

    fn write_json(&self, view: &View<'_>, out: &mut dyn Write) -> io::Result<()> {
        let endpoints = self.endpoints.iter().map(|endpoint| EndpointJson {
            target: view.target_json(
                endpoint.site,
                endpoint.target,
                endpoint.environments.clone(),
            ),
            exchanges: (0..endpoint.ways.len())
                .map(|way| self.exchange_json(endpoint, way, view))
                .collect(),
        });
        let document = Document {
            version: 1,
            request: CallJson {
                url: self.call.url.to_string(),
                origin: self.call.origin.clone(),
                method: self.call.method.clone(),
                headers: self.call.headers.clone(),
                credentials: self.call.include,
            },
            notes: self.notes(),
            endpoints: endpoints.collect(),
        };
        serde_json::to_writer_pretty(&mut *out, &document)?;
        writeln!(out)
    }

    fn exchange_json(&self, endpoint: &Endpoint<'_>, way: usize, view: &View<'_>) -> ExchangeJson {
        let played = &endpoint.ways[way].outcome;
        let step = |step: &Step| StepJson {
            request: request_json(&step.request),
            response: view.response_json(
                &step.response,
                is_step_assumed(endpoint.site, self.call, self.application, step),
                Vec::new(),
            ),
            verdict: verdict_name(step.check),
            failure: step.check.failure().map(fetch::Failure::name),
        };
        let steps = &played.steps;
        let preflight = steps.first().filter(|step| step.request.is_preflight());
        let first = steps.iter().position(|step| !step.request.is_preflight());
        let deciding = steps.last().and_then(deciding);
        let failure = played.check.failure();
        ExchangeJson {
            preflight: preflight.map(step),
            actual: first.map(|at| step(&steps[at])),
            redirects: first.map_or(Vec::new(), |at| steps[at + 1..].iter().map(step).collect()),
            verdict: VerdictJson {
                outcome: verdict_name(played.check),
                failure: failure.map(fetch::Failure::name),
                reason: failure.map(fetch::reason),
                decided_at: deciding.as_ref().map(|by| view.range(by.span)),
                decided_by: deciding.map(|by| by.text),
                readable_headers: (played.check == Check::Pass)
                    .then(|| readable_headers(self.call, played)),
                browsers: by_browser(endpoint, way)
                    .map(|(browser, played)| BrowserJson {
                        browser,
                        outcome: verdict_name(played.check),
                        console: played.console.clone(),
                    })
                    .collect(),
            },
            assumes: assumptions(&endpoint.ways[way]),
        }
    }
}

/// Why no message of a browser is shown for a failure.
fn wordless(browser: &str, failure: fetch::Failure) -> String {
    if browser == "Chrome" && fetch::is_network_error(failure) {
        format!("{browser} prints no message about CORS, only the failure of the request")
    } else {
        format!("{browser} prints a message whose words are not known for certain")
    }
}

/// What each browser makes of a way.
fn by_browser<'a>(
    endpoint: &'a Endpoint<'_>,
    way: usize,
) -> impl Iterator<Item = (&'static str, &'a Played)> {
    let [firefox, safari] = &endpoint.others;
    let ways = [&endpoint.ways, firefox, safari];
    let all = BROWSERS.into_iter().zip(ways);
    all.filter_map(move |((_, name), ways)| Some((name, &ways.get(way)?.outcome)))
}

/// The headers of the final response that the script can read.
fn readable_headers(call: &Call, played: &Played) -> Vec<String> {
    let Some(response) = played.response() else {
        return Vec::new();
    };
    let same_origin = played.steps.last().is_some_and(|step| step.same_origin);
    let mut names: Vec<String> = Vec::new();
    for sent in &response.headers {
        let name = sent.name.to_ascii_lowercase();
        let exposed = exposes(response, &name, call.include) == Known::Known(true);
        if (same_origin || exposed) && !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

const fn verdict_name(check: Check) -> &'static str {
    match check {
        Check::Pass => "allowed",
        Check::Fail(_) => "blocked",
        Check::Unknown => "unknown",
    }
}

#[derive(Serialize)]
struct Document {
    version: u32,
    request: CallJson,
    notes: Vec<String>,
    endpoints: Vec<EndpointJson>,
}

#[derive(Serialize)]
struct CallJson {
    url: String,
    origin: String,
    method: String,
    headers: Vec<(String, String)>,
    credentials: bool,
}

#[derive(Serialize)]
struct EndpointJson {
    #[serde(flatten)]
    target: TargetJson,
    /// One for each way that the exchange may go.
    exchanges: Vec<ExchangeJson>,
}

#[derive(Serialize)]
struct ExchangeJson {
    /// Null: none is sent.
    preflight: Option<StepJson>,
    /// Null: the preflight failed.
    actual: Option<StepJson>,
    /// What follows a redirect, preflights included.
    redirects: Vec<StepJson>,
    verdict: VerdictJson,
    assumes: Vec<AssumptionJson>,
}

#[derive(Serialize)]
struct StepJson {
    request: RequestJson,
    response: ResponseJson,
    verdict: &'static str,
    failure: Option<&'static str>,
}

#[derive(Serialize)]
struct VerdictJson {
    /// `allowed`, `blocked` or `unknown`, in Chrome.
    outcome: &'static str,
    failure: Option<&'static str>,
    reason: Option<&'static str>,
    decided_at: Option<Range>,
    decided_by: Option<String>,
    readable_headers: Option<Vec<String>>,
    browsers: Vec<BrowserJson>,
}

#[derive(Serialize)]
struct BrowserJson {
    browser: &'static str,
    outcome: &'static str,
    console: Option<String>,
}
