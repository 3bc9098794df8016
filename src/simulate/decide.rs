//! The place in the source that decides a verdict.

use crate::fetch::{Check, Failure, Step};
use crate::model::{Answer, DropReason, Dropped, HeaderLine, Response};
use crate::source::Span;

/// The place that decides, and what it does there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deciding {
    /// The place.
    pub span: Span,
    /// What happens there, in words.
    pub text: String,
}

/// The place at which it is decided what a browser makes of a step.
#[must_use]
pub fn deciding(step: &Step) -> Option<Deciding> {
    let response = &step.response;
    let acao = "access-control-allow-origin";
    let acac = "access-control-allow-credentials";
    match step.check {
        Check::Pass if step.same_origin => answered(response),
        Check::Pass | Check::Unknown => {
            written(first(response, acao)).or_else(|| answered(response))
        }
        Check::Fail(failure) => match failure {
            Failure::AcaoMissing => dropped(response, acao)
                .or_else(|| refused(response))
                .or_else(|| answered(response)),
            Failure::AcaoMultiple => {
                written(response.lines(acao).last()).or_else(|| answered(response))
            }
            Failure::AcaoMismatch | Failure::AcaoInvalid | Failure::AcaoWildcardCredentials => {
                written(first(response, acao)).or_else(|| answered(response))
            }
            Failure::AcacNotTrue => written(first(response, acac))
                .or_else(|| dropped(response, acac))
                .or_else(|| written(first(response, acao))),
            Failure::Method | Failure::MethodsSyntax => {
                listed(response, "access-control-allow-methods")
            }
            Failure::Header | Failure::HeadersSyntax => {
                listed(response, "access-control-allow-headers")
            }
            _ => answered(response),
        },
    }
}

fn first<'a>(response: &'a Response, name: &'a str) -> Option<&'a HeaderLine> {
    response.lines(name).next()
}

fn listed(response: &Response, name: &str) -> Option<Deciding> {
    written(first(response, name))
        .or_else(|| dropped(response, name))
        .or_else(|| answered(response))
}

fn written(line: Option<&HeaderLine>) -> Option<Deciding> {
    let line = line?;
    let text = match &line.decided_by {
        Some(decision) => format!("`{}` decides about the origin", decision.text),
        None => format!("{} is written here", line.name),
    };
    let decision = line.decided_by.as_ref();
    Some(Deciding {
        span: decision.map_or(line.value_span.unwrap_or(line.span), |by| by.span),
        text,
    })
}

fn dropped(response: &Response, name: &str) -> Option<Deciding> {
    let mut lines = response.dropped.iter();
    let line = lines.find(|line| line.name.eq_ignore_ascii_case(name))?;
    Some(Deciding {
        span: line.span,
        text: format!(
            "{} is written here and not sent: {}",
            line.name,
            why_dropped(line)
        ),
    })
}

/// The place of `Vary: Origin` on a response without CORS headers: what looked at the origin. Spring
/// sends it with two others on every response, whatever it looked at.
fn refused(response: &Response) -> Option<Deciding> {
    let is = |line: &HeaderLine, name: &str| {
        line.value.as_ref().known().is_some_and(|value| {
            let mut names = value.split(',');
            names.any(|known| known.trim().eq_ignore_ascii_case(name))
        })
    };
    let mut lines = response.lines("vary");
    if lines.any(|line| is(line, "access-control-request-method")) {
        return None;
    }
    let line = response.lines("vary").find(|line| is(line, "origin"))?;
    Some(Deciding {
        span: line.span,
        text: "the answer depends on the Origin, and this one gets no \
               Access-Control-Allow-Origin"
            .into(),
    })
}

/// Why a line is not sent, in words.
#[must_use]
pub const fn why_dropped(line: &Dropped) -> &'static str {
    match line.reason {
        DropReason::Status => "only some statuses get it, and this one does not",
        DropReason::InnerBlock => "an inner block has headers of its own, which replace it",
        DropReason::Hidden => "a proxy removes it",
        DropReason::Overwritten => "a later setting replaces it",
    }
}

fn answered(response: &Response) -> Option<Deciding> {
    let by = &response.answered_by;
    let text = match by.kind {
        Answer::Handler => "the handler answers",
        Answer::Fixed => "a fixed answer stands here",
        Answer::Upstream => "the application behind answers",
        Answer::Cors => "the CORS layer answers",
        Answer::Authentication => "authentication answers",
        Answer::Redirect => "a redirect answers",
        Answer::Static => "the handler for static files answers",
        Answer::NotFound => "nobody takes the path",
        Answer::MethodNotAllowed => "nobody takes the method",
        Answer::ErrorPage => "an error page answers",
    };
    Some(Deciding {
        span: by.span?,
        text: text.into(),
    })
}
