//! Evidence: the endpoints that would produce a message.

use std::sync::Arc;

use super::Message;
use crate::fetch::{Browser, Call, Check, Failure, Initiator, Mode, Played};
use crate::limits::explain::evidence::MAX_ENDPOINTS;
use crate::model::{Application, Request, Site, Url, World};
use crate::rules::trusted_origin;
use crate::simulate::{Target, Way, exchanges, target_of};

/// An endpoint that would produce a message.
#[derive(Clone, Debug)]
pub struct Evidence {
    /// Its site's place among the sites.
    pub site: usize,
    /// What answers there.
    pub target: Target,
    /// It is what takes the message's URL.
    pub takes_url: bool,
    /// The page's origin that was tried.
    pub origin: String,
    /// The request was tried with credentials.
    pub include: bool,
    /// What the application behind does for it to happen.
    pub application: Application,
    /// An origin with which the same request is allowed.
    pub allowed: Option<String>,
    /// The exchange.
    pub way: Way<Played>,
    /// The kind of failure.
    pub failure: Failure,
}

/// The endpoints that would produce a message, each once; those that take its URL first. Where one
/// that takes the URL does, others are left out.
#[must_use]
pub fn evidence(message: &Message, sites: &[Arc<dyn Site>]) -> Vec<Evidence> {
    let url = message.redirected_from.as_ref().or(message.url.as_ref());
    let url = url.and_then(|url| url::Url::parse(url).ok());
    let taking = sites.iter().map(|site| {
        let url = Url::of(url.as_ref()?)?;
        let request = Request {
            method: message.method.clone().unwrap_or_else(|| "GET".into()),
            ..Request::actual(url, message.origin.as_deref())
        };
        target_of(site.as_ref(), &request)
    });
    let taking: Vec<Option<Target>> = taking.collect();
    let is_routed = |target: &Option<Target>| matches!(target, Some(Target::Endpoint(_)));
    let somebody_takes_it = taking.iter().any(is_routed);
    let mut found = Vec::new();
    for (number, (site, taking)) in sites.iter().zip(taking).enumerate() {
        let count = site.endpoints().len().min(MAX_ENDPOINTS);
        let mut targets: Vec<Target> = (0..count).map(Target::Endpoint).collect();
        if taking == Some(Target::Unrouted) && !somebody_takes_it {
            targets.push(Target::Unrouted);
        }
        for target in targets {
            let takes_url = taking == Some(target);
            let at = match (target, &url) {
                (_, Some(url)) if takes_url => Some(url.clone()),
                (Target::Endpoint(index), _) => {
                    url::Url::parse(&site.endpoints()[index].url.to_string()).ok()
                }
                (Target::Unrouted, _) => None,
            };
            let asked = at.and_then(|at| Asked::new(message, site, target, at));
            if let Some(mut evidence) = asked.and_then(|asked| asked.find()) {
                (evidence.site, evidence.takes_url) = (number, takes_url);
                found.push(evidence);
            }
        }
    }
    if found.iter().any(|evidence| evidence.takes_url) {
        found.retain(|evidence| evidence.takes_url);
    }
    found
}

/// One endpoint, and what is asked of it.
struct Asked<'a> {
    message: &'a Message,
    site: &'a Arc<dyn Site>,
    target: Target,
    url: url::Url,
    origin: String,
    trusted: String,
}

impl<'a> Asked<'a> {
    fn new(
        message: &'a Message,
        site: &'a Arc<dyn Site>,
        target: Target,
        url: url::Url,
    ) -> Option<Self> {
        Url::of(&url)?;
        let world = World {
            holds: vec![false; site.conditions().len()],
        };
        let index = match target {
            Target::Endpoint(index) => index,
            Target::Unrouted => 0,
        };
        let trusted = trusted_origin(site, index, &world).origin;
        Some(Self {
            message,
            site,
            target,
            url,
            origin: message.origin.clone().unwrap_or_else(|| trusted.clone()),
            trusted,
        })
    }

    /// The first of the calls that may have led to the message which does.
    fn find(&self) -> Option<Evidence> {
        let applications = match self.message.status {
            Some(status @ 200..=599) if !self.message.preflight => {
                vec![Application::Answers(status)]
            }
            _ => vec![
                Application::Answers(200),
                Application::Answers(404),
                Application::Answers(500),
                Application::Throws,
            ],
        };
        for application in applications {
            for call in self.calls() {
                let ways = exchanges(self.site.as_ref(), &call, Browser::Chrome, application);
                for way in ways {
                    let Some(failure) = self.fits(&way.outcome) else {
                        continue;
                    };
                    return Some(Evidence {
                        site: 0,
                        target: self.target,
                        takes_url: false,
                        origin: call.origin.clone(),
                        include: call.include,
                        application,
                        allowed: self.allowed(&call, application),
                        way,
                        failure,
                    });
                }
            }
        }
        None
    }

    /// Does the exchange end as the message says?
    fn fits(&self, played: &Played) -> Option<Failure> {
        let Check::Fail(failure) = played.check else {
            return None;
        };
        let step = played.steps.last()?;
        let is_preflight = step.request.is_preflight();
        let says = self.message.kinds.iter().any(|kind| kind == failure.name());
        // Chrome says of its own accord when a preflight failed the check.
        let told = self.message.browser.as_deref() != Some("chrome")
            || self.message.preflight == is_preflight;
        (says && told).then_some(failure)
    }

    /// An origin that fares better, if the page's own is not the one that is meant.
    fn allowed(&self, call: &Call, application: Application) -> Option<String> {
        if self.trusted == call.origin {
            return None;
        }
        let call = Call {
            origin: self.trusted.clone(),
            ..call.clone()
        };
        let ways = exchanges(self.site.as_ref(), &call, Browser::Chrome, application);
        let mut ways = ways.iter();
        let all = ways.all(|way| way.outcome.check == Check::Pass);
        all.then_some(call.origin)
    }

    /// The calls that may have led to the message, the plainest first.
    fn calls(&self) -> Vec<Call> {
        let about = |names: &[&str]| {
            let mut kinds = self.message.kinds.iter();
            kinds.any(|kind| names.contains(&kind.as_str()))
        };
        let plain = Call {
            initiator: Initiator::Fetch,
            origin: self.origin.clone(),
            url: self.url.clone(),
            method: self.message.method.clone().unwrap_or_else(|| "GET".into()),
            headers: Vec::new(),
            include: false,
            mode: Mode::Cors,
            follow: true,
            force_preflight: false,
        };
        let mut calls = Vec::new();
        if let Some(header) = &self.message.header {
            let value = if header.eq_ignore_ascii_case("content-type") {
                "application/json"
            } else {
                "x"
            };
            calls.push(Call {
                headers: vec![(header.clone(), value.into())],
                ..plain.clone()
            });
        } else if self.message.preflight && self.message.method.is_none() {
            let json = ("content-type".to_owned(), "application/json".to_owned());
            let token = ("authorization".to_owned(), "x".to_owned());
            let post = |headers| Call {
                method: "POST".into(),
                headers,
                ..plain.clone()
            };
            let put = |method: &str| Call {
                method: method.into(),
                ..plain.clone()
            };
            calls.extend([
                Call {
                    force_preflight: true,
                    ..plain.clone()
                },
                post(vec![json.clone()]),
                post(vec![json, token]),
                put("PUT"),
                put("DELETE"),
                put("PATCH"),
            ]);
        } else {
            calls.push(plain);
        }
        let with = calls.iter().map(|call| Call {
            include: true,
            ..call.clone()
        });
        let with: Vec<Call> = with.collect();
        if about(&["acao-wildcard-credentials", "acac-not-true"]) {
            return with;
        }
        calls.extend(with);
        calls
    }
}
