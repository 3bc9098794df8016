//! Facts of one exchange: a request, the response to it, and what a browser makes of them.

use super::facts::{FactSource, Node};
use super::schema;
use crate::fetch::{self, Browser, Check, Context, Initiator};
use crate::model::{Application, Decision, Dropped, HeaderLine, Outcome, Request, Response};

pub(super) const ACAO: &str = "access-control-allow-origin";
const ACAC: &str = "access-control-allow-credentials";

/// A request and the response to it.
pub(crate) struct Exchange {
    pub(super) request: Request,
    response: Response,
    /// Without and with credentials.
    verdicts: [Check; 2],
}

impl Exchange {
    pub(super) fn new(request: Request, response: Response) -> Self {
        let preflight = request.is_preflight();
        let verdict = |include| {
            if preflight {
                fetch::preflight_check(&request, &response, include)
            } else {
                fetch::cors_check(&request, &response, include)
            }
        };
        let verdicts = [verdict(false), verdict(true)];
        Self {
            request,
            response,
            verdicts,
        }
    }

    /// The request as people are told of it: that the application answers with an error is left out
    /// if the answer is not the application's.
    pub(super) fn shown_request(&self) -> Request {
        let mut request = self.request.clone();
        if let Application::Answers(asked) = request.application
            && self.response.status().is_some_and(|status| status != asked)
        {
            request.application = Application::Answers(200);
        }
        request
    }

    /// The facts, at what answered.
    pub(super) fn node(self) -> Node {
        let span = self.response.answered_by.span;
        Node::map(&schema::EXCHANGE, self).at(span)
    }

    /// What Chrome prints when it blocks a `fetch()` by this response; one with credentials only if
    /// it lets one without pass and the response speaks of credentials.
    pub(super) fn console(&self) -> Option<String> {
        let include = self.verdicts[0] == Check::Pass;
        if include && self.response.lines(ACAC).next().is_none() {
            return None;
        }
        let Check::Fail(failure) = self.verdicts[usize::from(include)] else {
            return None;
        };
        let context = Context {
            initiator: Initiator::Fetch,
            page: self.request.origin.as_deref()?,
            url: &self.request.url.to_string(),
            redirected_from: None,
            include,
            request: &self.request,
            response: &self.response,
        };
        fetch::console(failure, Browser::Chrome, &context)
    }

    /// A header's combined value, at the line that sends it.
    fn header(&self, name: &str) -> Option<Node> {
        let value = self.response.value(name).known()?;
        let line = self.response.lines(name).next();
        let span = line.map(|line| line.value_span.unwrap_or(line.span));
        Some(
            Node::optional_text(value)
                .at(span)
                .within(line.map(|line| line.span)),
        )
    }

    /// The members of a list header; `None` if unknown or if it cannot be parsed.
    fn members(&self, name: &str, lower: bool) -> Option<Node> {
        let node = match self.response.value(name).known()? {
            None => Node::null(),
            Some(value) => {
                let members = fetch::parse_list(&value)?;
                Node::texts(members.iter().map(|member| {
                    if lower {
                        member.to_ascii_lowercase()
                    } else {
                        (*member).to_owned()
                    }
                }))
            }
        };
        let line = self.response.lines(name).next();
        Some(node.at(line.map(|line| line.value_span.unwrap_or(line.span))))
    }

    fn is_list(&self, name: &str) -> Option<Node> {
        let value = self.response.value(name).known()?;
        let valid = value.is_none_or(|value| fetch::parse_list(&value).is_some());
        Some(Node::bool(valid))
    }
}

fn check_ok(check: Check) -> Option<Node> {
    match check {
        Check::Pass => Some(Node::bool(true)),
        Check::Fail(_) => Some(Node::bool(false)),
        Check::Unknown => None,
    }
}

fn check_failure(check: Check) -> Option<Node> {
    match check {
        Check::Pass => Some(Node::null()),
        Check::Fail(failure) => Some(Node::text(failure.name())),
        Check::Unknown => None,
    }
}

impl FactSource for Exchange {
    fn exchange(&self) -> Option<&Exchange> {
        Some(self)
    }

    fn fact(&self, name: &str) -> Option<Node> {
        let response = &self.response;
        match name {
            "outcome" => Some(Node::text(match response.outcome {
                Outcome::Status(_) => "status",
                Outcome::NeverAnswers => "never-answers",
                Outcome::Throws(_) => "throws",
            })),
            "throws" => Some(match &response.outcome {
                Outcome::Throws(words) => Node::text(words),
                _ => Node::null(),
            }),
            "status" => match response.outcome {
                Outcome::Status(status) => Some(Node::int(i64::from(status.known()?))),
                _ => Some(Node::int(0)),
            }
            .map(|node| node.at(response.answered_by.span)),
            "allow_origin" => self.header(ACAO),
            "allow_origin_lines" => {
                let lines: Vec<_> = response.lines(ACAO).collect();
                if lines.is_empty() && response.may_have_unseen(ACAO) {
                    return None;
                }
                // The second line is the one too many.
                let span = lines.get(1).or(lines.first()).map(|line| line.span);
                let count = i64::try_from(lines.len()).unwrap_or(i64::MAX);
                Some(
                    Node::int(count)
                        .at(span)
                        .within(lines.first().map(|line| line.span)),
                )
            }
            "allow_origin_second" => {
                let mut lines = response.lines(ACAO);
                let first = lines.next();
                if first.is_none() && response.may_have_unseen(ACAO) {
                    return None;
                }
                match lines.next() {
                    None => Some(Node::null()),
                    Some(line) => {
                        let value = line.value.as_ref().known()?;
                        let span = line.value_span.unwrap_or(line.span);
                        Some(Node::text(value).at(Some(span)).within(Some(line.span)))
                    }
                }
            }
            "allow_origin_withheld" => Some(Node::bool(response.withholds_origin)),
            "allow_origin_sources" => {
                let line = response.lines(ACAO).next();
                if line.is_none() && response.may_have_unseen(ACAO) {
                    return None;
                }
                let sources = response.lines(ACAO).flat_map(|line| &line.sources);
                let span = line.map(|line| line.value_span.unwrap_or(line.span));
                Some(Node::texts(sources.map(|source| source.name())).at(span))
            }
            "allow_credentials" => self.header(ACAC),
            "allow_methods" => self.header("access-control-allow-methods"),
            "methods" => self.members("access-control-allow-methods", false),
            "methods_valid" => self.is_list("access-control-allow-methods"),
            "allow_headers" => self.header("access-control-allow-headers"),
            "headers" => self.members("access-control-allow-headers", true),
            "headers_valid" => self.is_list("access-control-allow-headers"),
            "expose_headers" => self.header("access-control-expose-headers"),
            "exposed" => self.members("access-control-expose-headers", true),
            "max_age" => self.header("access-control-max-age"),
            "max_age_seconds" => {
                let value = response.value("access-control-max-age").known()??;
                Some(Node::int(value.trim().parse().unwrap_or(-1)))
            }
            "private_network" => self.header("access-control-allow-private-network"),
            "vary" => {
                let value = response.value("vary").known()?;
                let members = value.iter().flat_map(|value| value.split(','));
                let members = members
                    .map(|member| member.trim().to_ascii_lowercase())
                    .filter(|member| !member.is_empty());
                let span = response.lines("vary").next().map(|line| line.span);
                Some(Node::texts(members).at(span))
            }
            "cache_control" => self.header("cache-control"),
            "location" => self.header("location"),
            "cacheable" => response.cacheable.known().map(Node::bool),
            "stored" => Some(match &response.stored {
                None => Node::null(),
                Some(cache) => Node::map(&schema::STORED, cache.clone()).at(Some(cache.span)),
            }),
            "answered_by" => {
                let answered = &response.answered_by;
                Some(Node::map(&schema::ANSWERED_BY, answered.clone()).at(answered.span))
            }
            "decided_by" => Some(match decision_of(response) {
                None => Node::null(),
                Some(decision) => {
                    Node::map(&schema::DECISION, decision.clone()).at(Some(decision.span))
                }
            }),
            "lines" => {
                let lines = response.headers.iter().map(|line| {
                    let span = line.value_span.unwrap_or(line.span);
                    Node::map(&schema::LINE, line.clone())
                        .at(Some(span))
                        .within(Some(line.span))
                });
                Some(Node::list(lines.collect()))
            }
            "dropped" => {
                let name = if self.request.is_preflight() {
                    "preflight"
                } else {
                    "actual"
                };
                Some(Node::list(dropped_lines(
                    response,
                    name,
                    &self.request.method,
                )))
            }
            "disabled" => {
                let disabled = response.disabled.iter().map(|disabled| {
                    Node::map(&schema::DISABLED, disabled.clone()).at(Some(disabled.span))
                });
                Some(Node::list(disabled.collect()))
            }
            "ok" => check_ok(self.verdicts[0]),
            "failure" => check_failure(self.verdicts[0]),
            "credentialed" => Some(Node::map(&schema::VERDICT, Credentialed(self.verdicts[1]))),
            _ => None,
        }
    }
}

struct Credentialed(Check);

impl FactSource for Credentialed {
    fn fact(&self, name: &str) -> Option<Node> {
        match name {
            "ok" => check_ok(self.0),
            "failure" => check_failure(self.0),
            _ => None,
        }
    }
}

impl FactSource for crate::model::SharedCache {
    fn fact(&self, name: &str) -> Option<Node> {
        match name {
            "keyed_by_origin" => self.keyed_by_origin.known().map(Node::bool),
            "honours_vary" => Some(Node::bool(self.honours_vary)),
            "stores_origin" => self.stores_origin.known().map(Node::bool),
            "evidence" => Some(match self.evidence {
                Some(span) => Node::text("here").at(Some(span)),
                None => Node::null(),
            }),
            _ => None,
        }
    }
}

impl FactSource for crate::model::AnsweredBy {
    fn fact(&self, name: &str) -> Option<Node> {
        match name {
            "kind" => Some(Node::text(self.kind.name()).at(self.span)),
            "before_cors" => Some(Node::bool(self.before_cors)),
            "inner" => Some(Node::bool(self.inner)),
            _ => None,
        }
    }
}

impl FactSource for Decision {
    fn fact(&self, name: &str) -> Option<Node> {
        match name {
            "text" => Some(written(self)),
            "pattern" => Some(Node::bool(self.pattern)),
            _ => None,
        }
    }
}

impl FactSource for HeaderLine {
    fn fact(&self, name: &str) -> Option<Node> {
        let span = self.value_span.unwrap_or(self.span);
        match name {
            "name" => Some(Node::text(self.name.to_ascii_lowercase()).at(Some(self.span))),
            "written" => Some(Node::text(&self.name).at(Some(self.span))),
            "value" => {
                let value = self.value.as_ref().known()?;
                Some(Node::text(value).at(Some(span)).within(Some(self.span)))
            }
            "sources" => {
                let sources = self.sources.iter().map(|source| source.name());
                Some(Node::texts(sources).at(Some(span)))
            }
            _ => None,
        }
    }
}

impl FactSource for DroppedFacts {
    fn fact(&self, name: &str) -> Option<Node> {
        let dropped = &self.dropped;
        let span = Some(dropped.span);
        match name {
            "name" => Some(Node::text(dropped.name.to_ascii_lowercase()).at(span)),
            "written" => Some(Node::text(&dropped.name).at(span)),
            "value" => dropped.value.as_ref().known().map(Node::text),
            "reason" => Some(Node::text(dropped.reason.name()).at(span)),
            "by" => Some(match dropped.by {
                Some(span) => Node::text("here").at(Some(span)),
                None => Node::null(),
            }),
            "response" => Some(Node::text(self.response)),
            "method" => Some(Node::text(&self.method)),
            "sent" => Some(Node::bool(self.sent)),
            "by_cors" => Some(Node::bool(dropped.by_cors)),
            _ => None,
        }
    }
}

impl FactSource for crate::model::Disabled {
    fn fact(&self, name: &str) -> Option<Node> {
        match name {
            "name" => Some(Node::text(&self.name).at(Some(self.span))),
            "by" => Some(Node::text("here").at(Some(self.by))),
            _ => None,
        }
    }
}

/// The lines that a response loses.
pub(super) fn dropped_lines(response: &Response, name: &'static str, method: &str) -> Vec<Node> {
    let dropped = response.dropped.iter().map(|dropped| {
        let facts = DroppedFacts {
            sent: response.lines(&dropped.name).next().is_some(),
            response: name,
            method: method.to_owned(),
            dropped: dropped.clone(),
        };
        Node::map(&schema::DROPPED, facts).at(Some(dropped.span))
    });
    dropped.collect()
}

struct DroppedFacts {
    dropped: Dropped,
    response: &'static str,
    method: String,
    sent: bool,
}

/// What decided about the origin that a response sends back.
pub(super) fn decision_of(response: &Response) -> Option<&Decision> {
    response
        .lines(ACAO)
        .find_map(|line| line.decided_by.as_ref())
}

pub(super) fn written(decision: &Decision) -> Node {
    Node::text(&decision.text).at(Some(decision.span))
}
