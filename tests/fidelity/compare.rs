//! `Site::respond` against a real answer.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use corslint::frameworks::{self, Project};
use corslint::model::{Environment, Known, Outcome, Request, Response, Site, World};
use corslint::source::{SourceFile, Sources};

use super::{Answer, Application, Ask, Case, UpstreamRule};

/// What corslint makes of a case.
pub(crate) struct Reading<'a> {
    pub(crate) sites: Vec<Box<dyn Site>>,
    case: &'a Case,
    /// The files below its roots.
    documents: Arc<[String]>,
    /// The upstream sees another `Origin` than the request's own.
    forges_origin: bool,
    /// Headers are set by the response's type, which is not told: where they stand is open.
    order_is_open: bool,
}

/// Reads a case's files as nginx configurations.
pub(crate) fn read(case: &Case) -> Reading<'_> {
    read_as(case, "nginx")
}

/// Reads a case's files as a framework's.
pub(crate) fn read_as<'a>(case: &'a Case, framework: &str) -> Reading<'a> {
    let framework = frameworks::ALL
        .iter()
        .find(|known| known.name == framework)
        .unwrap();
    let sources = Sources::new();
    let root = case.folder.as_path();
    let files: Vec<Arc<SourceFile>> = case
        .files
        .iter()
        .map(|(name, text)| sources.add(root.join(PathBuf::from(name)), text.clone()))
        .filter(|file| (framework.detect)(file.path(), file.text()))
        .collect();
    let reading = (framework.read)(Project {
        root,
        files: &files,
        sources: &sources,
        environment: &Environment::default(),
    });
    Reading {
        sites: reading.sites,
        case,
        documents: case.documents().into(),
        order_is_open: case
            .texts()
            .iter()
            .any(|text| text.contains("more_set_headers -t")),
        forges_origin: case
            .texts()
            .iter()
            .any(|text| text.contains("proxy_set_header Origin")),
    }
}

/// What the model is told beyond the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Told {
    /// What the application answers, and which files exist.
    All,
    /// What the application answers. Whether the file of the request exists follows from it, as it
    /// does in a probe of the linter.
    NoFiles,
}

impl Reading<'_> {
    /// The request as the model has it, with what our upstream answers to it.
    fn request(&self, ask: &Ask, told: Told) -> Request {
        let mut request = ask.request();
        if told == Told::All {
            request.files = Known::Known(Arc::clone(&self.documents));
        }
        let Application::Answers(status) = ask.application else {
            return request;
        };
        let plan = &self.case.plan;
        let rule = plan
            .upstream
            .iter()
            .find(|rule| request.url.path.starts_with(&rule.path));
        let hidden = plan.keeps_answers || rule.is_some_and(|rule| rule.needs.is_some());
        let lines = rule.map_or_else(Vec::new, |rule| rule.lines(ask.origin.as_deref()));
        let reflects = rule.is_some_and(UpstreamRule::reflects);
        if hidden || (reflects && self.forges_origin) {
            return request;
        }
        let mut headers: Vec<(String, String)> = lines
            .iter()
            .filter_map(|line| line.split_once(": "))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        if UpstreamRule::has_body(&request.method, status) {
            headers.push(("Content-Type".into(), UpstreamRule::CONTENT_TYPE.into()));
        }
        request.application_headers = Known::Known(headers);
        request
    }
}

/// How many facts were compared, and how many corslint calls unknown.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Tally {
    pub(crate) facts: usize,
    pub(crate) unknown: usize,
    pub(crate) exchanges: usize,
    /// Exchanges for which `respond` names more than one possible response.
    pub(crate) several: usize,
}

impl Tally {
    pub(crate) fn add(&mut self, other: Self) {
        self.facts += other.facts;
        self.unknown += other.unknown;
        self.exchanges += other.exchanges;
        self.several += other.several;
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let percent = |part: usize, of: usize| 100.0 * part as f64 / of.max(1) as f64;
        write!(
            f,
            "{} exchanges ({:.1} % with several answers), {} facts ({:.1} % unknown)",
            self.exchanges,
            percent(self.several, self.exchanges),
            self.facts,
            percent(self.unknown, self.facts)
        )
    }
}

/// A known fact that differs from the real answer.
#[derive(Clone, Debug)]
pub(crate) struct Disagreement {
    pub(crate) ask: Ask,
    pub(crate) expected: Answer,
    /// What corslint says instead, one text per possible response.
    pub(crate) got: Vec<String>,
}

impl fmt::Display for Disagreement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let origin = self.ask.origin.as_deref().unwrap_or("-");
        writeln!(
            f,
            "request:  {} {} origin {origin}",
            self.ask.kind(),
            self.ask.url
        )?;
        writeln!(f, "expected: {}", self.expected.texts(None).join(" ; "))?;
        for got in &self.got {
            writeln!(f, "got:      {got}")?;
        }
        Ok(())
    }
}

/// What went wrong, by configuration, with only the first few of each shown.
#[derive(Debug, Default)]
pub(crate) struct Failures(std::collections::BTreeMap<String, Vec<String>>);

impl Failures {
    pub(crate) fn add(&mut self, name: &str, what: impl fmt::Display) {
        self.0
            .entry(name.into())
            .or_default()
            .push(what.to_string());
    }

    /// Panics with what went wrong, if anything did.
    pub(crate) fn report(&self) {
        const SHOWN: usize = 3;
        let mut text = String::new();
        for (name, failures) in &self.0 {
            text.push_str(&format!("\n{name}: {}\n", failures.len()));
            failures
                .iter()
                .take(SHOWN)
                .for_each(|what| text.push_str(&format!("{what}\n")));
        }
        assert!(self.0.is_empty(), "{text}\n{} configurations", self.0.len());
    }
}

/// Compares one real answer with what corslint says.
///
/// # Errors
/// The disagreement.
pub(crate) fn compare(
    reading: &Reading<'_>,
    ask: &Ask,
    expected: &Answer,
    told: Told,
) -> Result<Tally, Box<Disagreement>> {
    let request = reading.request(ask, told);
    let routed = reading
        .sites
        .iter()
        .find_map(|site| site.route(&request).map(|endpoint| (site, endpoint)));
    let Some((site, endpoint)) = routed else {
        return Err(Box::new(Disagreement {
            ask: ask.clone(),
            expected: expected.clone(),
            got: vec!["no endpoint".into()],
        }));
    };
    let responses = answers(site.as_ref(), endpoint, &request);
    judge(&responses, ask, expected, reading.order_is_open)
}

/// Compares one real answer with what a site says, by its own routing.
///
/// # Errors
/// The disagreement.
pub(crate) fn compare_routed(
    site: &dyn Site,
    request: &Request,
    ask: &Ask,
    expected: &Answer,
) -> Result<Tally, Box<Disagreement>> {
    let responses = match site.route(request) {
        Some(endpoint) => answers(site, endpoint, request),
        None => site.unrouted(request, &in_production(site)),
    };
    judge(&responses, ask, expected, false)
}

/// The world in which no deployment condition holds.
fn in_production(site: &dyn Site) -> World {
    World {
        holds: vec![false; site.conditions().len()],
    }
}

fn answers(site: &dyn Site, endpoint: usize, request: &Request) -> Vec<Response> {
    site.respond(endpoint, request, &in_production(site))
}

/// Does one of the possible responses agree with the real one?
fn judge(
    responses: &[Response],
    ask: &Ask,
    expected: &Answer,
    order_is_open: bool,
) -> Result<Tally, Box<Disagreement>> {
    let disagreement = |got| {
        Err(Box::new(Disagreement {
            ask: ask.clone(),
            expected: expected.clone(),
            got,
        }))
    };
    let (_, own) = own_base(&ask.url);
    let views: Vec<View> = responses
        .iter()
        .map(|response| View::new(response, own))
        .collect();
    // The least unknown of those that agree: that is the one whose assumptions hold here.
    let best = views
        .iter()
        .filter_map(|view| view.agrees(expected, order_is_open))
        .min_by_key(|tally| tally.unknown);
    match best {
        Some(tally) => Ok(Tally {
            exchanges: 1,
            several: usize::from(views.len() > 1),
            ..tally
        }),
        None => disagreement(
            views
                .iter()
                .zip(responses)
                .map(|(view, response)| format!("{view} {}", assumptions(response)))
                .collect(),
        ),
    }
}

/// The URL's path and its `scheme://host[:port]`.
pub(crate) fn own_base(url: &str) -> (&str, &str) {
    let start = url.find("://").map_or(0, |at| at + 3);
    let at = url[start..].find('/').map_or(url.len(), |at| start + at);
    (&url[at..], &url[..at])
}

fn assumptions(response: &Response) -> String {
    let texts: Vec<String> = response
        .assumes
        .iter()
        .map(|assumed| {
            format!(
                "{}{}",
                if assumed.holds { "" } else { "not " },
                assumed.text
            )
        })
        .collect();
    if texts.is_empty() {
        String::new()
    } else {
        format!("(if {})", texts.join(" and "))
    }
}

/// Stands for an unknown value in a line.
const UNKNOWN: &str = "\u{1}";

/// A response of the model in the same normal form.
struct View {
    /// `None` if the status is unknown.
    status: Option<Option<u16>>,
    answer: Answer,
    unseen: Vec<String>,
}

impl View {
    fn new(response: &Response, own: &str) -> Self {
        let status = match response.outcome {
            Outcome::Status(Known::Known(status)) => Some(Some(status)),
            Outcome::Status(Known::Unknown) => None,
            Outcome::NeverAnswers | Outcome::Throws(_) => Some(None),
        };
        let mut head = String::new();
        for line in &response.headers {
            let value = match &line.value {
                Known::Known(value) => value,
                Known::Unknown => UNKNOWN,
            };
            head.push_str(&format!("{}: {value}\n", line.name));
        }
        let answer = match status {
            Some(None) => Answer::CLOSED,
            _ => Answer::parse(0, &head, own),
        };
        Self {
            status,
            answer,
            unseen: response.unseen.clone(),
        }
    }

    /// May somebody out of view have sent a line of this name?
    fn unseen(&self, name: &str) -> bool {
        self.unseen
            .iter()
            .any(|unseen| unseen == "*" || unseen.eq_ignore_ascii_case(name))
    }

    fn agrees(&self, real: &Answer, order_is_open: bool) -> Option<Tally> {
        let mut tally = Tally::default();
        let mut fact = |known: bool| {
            tally.facts += 1;
            tally.unknown += usize::from(!known);
        };
        fact(self.status.is_some());
        if self.status.is_some_and(|status| status != real.status) {
            return None;
        }
        if real.status.is_none() {
            return self.status.is_some().then_some(tally);
        }
        // Lines that the view has, in the real order; others must come from out of view.
        // A line of unknown value may be empty, and then it is not sent.
        let ordered = |lines: &[(String, String)]| {
            let mut lines = lines.to_vec();
            // A line that is replaced stays where the one out of view stood.
            if order_is_open || !self.unseen.is_empty() {
                lines.sort_by(|(one, _), (other, _)| one.cmp(other));
            }
            lines
        };
        let (mine, real_lines) = (ordered(&self.answer.cors), ordered(&real.cors));
        let mut mine = mine.iter().peekable();
        for (name, value) in &real_lines {
            let is_it =
                |(other, text): &(String, String)| other == name && text_agrees(text, value);
            while mine
                .next_if(|line| line.1 == UNKNOWN && !is_it(line))
                .is_some()
            {
                fact(false);
            }
            let same = mine.next_if(|line| is_it(line));
            match same {
                Some((_, text)) => fact(text != UNKNOWN),
                None if self.unseen(name) => fact(false),
                None => return None,
            }
        }
        for (_, value) in mine {
            if value != UNKNOWN {
                return None;
            }
            fact(false);
        }
        if real.cors.is_empty() {
            fact(!self.unseen("access-control-allow-origin"));
        }
        // Whether a response is compressible decides nothing about origins.
        let real_vary: Vec<&String> = real
            .vary
            .iter()
            .filter(|member| *member != "accept-encoding")
            .collect();
        let unknown_member = |member: &String| member.contains(UNKNOWN);
        let open = self.unseen("vary") || self.answer.vary.iter().any(unknown_member);
        fact(!open);
        let known_are_there = self
            .answer
            .vary
            .iter()
            .filter(|member| *member != "accept-encoding")
            .all(|member| unknown_member(member) || real.vary.contains(member));
        let real_are_known = real_vary
            .iter()
            .all(|member| self.answer.vary.contains(member));
        if !known_are_there || !(open || real_are_known) {
            return None;
        }
        match (&self.answer.location, &real.location) {
            (Some(mine), Some(real)) if text_agrees(mine, real) => fact(mine != UNKNOWN),
            (None, None) => {}
            (None, Some(_)) if self.unseen("location") => fact(false),
            _ => return None,
        }
        Some(tally)
    }
}

fn text_agrees(mine: &str, real: &str) -> bool {
    mine == UNKNOWN || mine == real
}

impl fmt::Display for View {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let status = match self.status {
            Some(Some(status)) => status.to_string(),
            Some(None) => "closed".into(),
            None => "?".into(),
        };
        let mut texts = self.answer.texts(None);
        texts[0] = status;
        write!(f, "{}", texts.join(" ; ").replace(UNKNOWN, "?"))?;
        if !self.unseen.is_empty() {
            write!(f, " ; unseen {}", self.unseen.join(","))?;
        }
        Ok(())
    }
}
