//! Conditions that a request leaves open: every path through them is walked, within bounds.

use crate::limits::nginx::MAX_RESPONSES;
use std::cell::RefCell;

use crate::model::{Assumption, Known, Outcome, Response};
use crate::source::Span;

#[derive(Clone, Debug)]
struct Choice {
    assumption: Assumption,
    /// The client decides; else it is a fact of the deployment that is not in view.
    client: bool,
}

/// Answers to open questions for one path.
#[derive(Debug, Default)]
pub(super) struct Oracle {
    trail: Vec<Choice>,
    used: usize,
}

impl Oracle {
    /// Does this hold? Asked again with the same text, the answer is the same.
    pub(super) fn ask(&mut self, text: String, span: Option<Span>, client: bool) -> bool {
        if let Some(known) = self.trail[..self.used]
            .iter()
            .find(|choice| choice.assumption.text == text)
        {
            return known.assumption.holds;
        }
        if self.used == self.trail.len() {
            self.trail.push(Choice {
                assumption: Assumption {
                    text,
                    holds: true,
                    span,
                },
                client,
            });
        }
        let holds = self.trail[self.used].assumption.holds;
        self.used += 1;
        holds
    }

    /// Turns to the next path; `false` if there is none.
    fn next(&mut self) -> bool {
        self.trail.truncate(self.used);
        self.used = 0;
        while let Some(last) = self.trail.last_mut() {
            if last.assumption.holds {
                last.assumption.holds = false;
                return true;
            }
            self.trail.pop();
        }
        false
    }
}

/// All responses that `respond` gives on the paths through open conditions.
pub(super) fn explore(mut respond: impl FnMut(&RefCell<Oracle>) -> Response) -> Vec<Response> {
    let shared = RefCell::new(Oracle::default());
    let mut responses = Vec::with_capacity(1);
    let mut blurred = false;
    loop {
        let mut response = respond(&shared);
        let mut oracle = shared.borrow_mut();
        if oracle.used == 0 && responses.is_empty() {
            return vec![response];
        }
        let asked = &oracle.trail[..oracle.used];
        blurred |= asked.iter().any(|choice| !choice.client);
        response.assumes = asked
            .iter()
            .map(|choice| choice.assumption.clone())
            .collect();
        responses.push(response);
        if responses.len() > MAX_RESPONSES {
            return vec![blur(responses)];
        }
        if !oracle.next() {
            break;
        }
    }
    if blurred {
        return vec![blur(responses)];
    }
    merge(&mut responses);
    responses
}

/// Joins responses that differ in one assumption only: it does not matter.
fn merge(responses: &mut Vec<Response>) {
    let mut again = true;
    while again {
        again = false;
        'pairs: for first in 0..responses.len() {
            for second in first + 1..responses.len() {
                if let Some(joined) = joined(&responses[first], &responses[second]) {
                    responses[first] = joined;
                    responses.remove(second);
                    again = true;
                    break 'pairs;
                }
            }
        }
    }
}

fn joined(first: &Response, second: &Response) -> Option<Response> {
    let mut difference = None;
    if first.assumes.len() != second.assumes.len() {
        return None;
    }
    for (at, (one, two)) in first.assumes.iter().zip(&second.assumes).enumerate() {
        if one.text != two.text || (one.holds != two.holds && difference.replace(at).is_some()) {
            return None;
        }
    }
    let at = difference?;
    let strip = |response: &Response| {
        let mut response = response.clone();
        response.assumes.remove(at);
        response
    };
    let (first, second) = (strip(first), strip(second));
    (first == second).then_some(first)
}

/// One response in which everything is unknown that differs between these.
fn blur(responses: Vec<Response>) -> Response {
    let mut responses = responses.into_iter();
    let Some(mut blurred) = responses.next() else {
        return Response::new(Known::Unknown, crate::model::Answer::Handler, None);
    };
    blurred.assumes = Vec::new();
    for other in responses {
        if blurred.outcome != other.outcome {
            blurred.outcome = Outcome::Status(Known::Unknown);
        }
        let mut names: Vec<String> = Vec::new();
        for line in blurred.headers.iter().chain(&other.headers) {
            let name = line.name.to_ascii_lowercase();
            if !names.contains(&name) {
                names.push(name);
            }
        }
        for name in names {
            let values = |response: &Response| -> Vec<Known<String>> {
                response
                    .lines(&name)
                    .map(|line| line.value.clone())
                    .collect()
            };
            let (ours, theirs) = (values(&blurred), values(&other));
            if ours == theirs {
                continue;
            }
            if ours.len() == theirs.len() {
                for line in &mut blurred.headers {
                    if line.name.eq_ignore_ascii_case(&name) {
                        line.value = Known::Unknown;
                    }
                }
                continue;
            }
            blurred
                .headers
                .retain(|line| !line.name.eq_ignore_ascii_case(&name));
            if !blurred.unseen.contains(&name) {
                blurred.unseen.push(name);
            }
        }
        for name in other.unseen {
            if !blurred.unseen.contains(&name) {
                blurred.unseen.push(name);
            }
        }
        blurred
            .dropped
            .retain(|dropped| other.dropped.contains(dropped));
        blurred
            .disabled
            .retain(|disabled| other.disabled.contains(disabled));
        if blurred.cacheable != other.cacheable {
            blurred.cacheable = Known::Unknown;
        }
        if blurred.stored != other.stored {
            blurred.stored = None;
        }
    }
    blurred
}
