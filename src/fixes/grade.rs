//! What an edit does to people: who may read before, who after.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::config::Policy;
use crate::fetch::{Check, cors_check, preflight_check};
use crate::limits::fixes::{MAX_ENDPOINTS, MAX_TRUSTED};
use crate::limits::rules::judge::MAX_CONDITIONS;
use crate::model::{
    Allows, Application, Request, Site, World, development_origins, insecure_variants, lookalikes,
    shared_host_probes, subdomain_probes, suggestion,
};
use crate::rules::{FOREIGN, trusted_origins, worlds};
use crate::source::Span;

/// What an edit does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Effect {
    /// Nobody who is trusted loses, and no stranger gains.
    Harmless,
    /// Somebody who is trusted loses.
    Narrows,
    /// A stranger gains, everybody loses, or it cannot be told.
    Harmful,
}

/// The policy of the project that a place belongs to.
pub(crate) type PolicyAt<'a> = &'a (dyn Fn(Span) -> Option<Arc<Policy>> + Sync);

/// What is asked of an endpoint, and what was answered before the edit.
pub(crate) struct Known {
    sites: Vec<Arc<dyn Site>>,
    asked: Vec<Asked>,
}

struct Asked {
    site: usize,
    endpoint: usize,
    world: World,
    origins: Vec<Asker>,
    /// One for each of `origins`.
    rights: Vec<Rights>,
}

/// Somebody who asks.
struct Asker {
    origin: String,
    trusted: bool,
    symbolic: bool,
}

/// What somebody may do at an endpoint: one entry per question.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Rights(Vec<Right>);

/// May it, in all and in some of the possible responses?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Right {
    always: bool,
    sometimes: bool,
    /// It cannot be told.
    perhaps: bool,
    /// Questions of one group ask for the same: to read any response.
    group: u8,
}

impl Known {
    /// Asks the sites of a project; `None` if there are too many endpoints.
    pub(crate) fn ask(sites: &[Arc<dyn Site>], policy: PolicyAt<'_>) -> Option<Self> {
        let mut asked = Vec::new();
        for (index, site) in sites.iter().enumerate() {
            for endpoint in 0..site.endpoints().len() {
                for world in worlds(site.conditions().len().min(MAX_CONDITIONS)) {
                    if asked.len() == MAX_ENDPOINTS {
                        return None;
                    }
                    let policy = policy(site.endpoints()[endpoint].span);
                    let origins = origins(site, endpoint, &world, policy.as_ref());
                    let rights = origins
                        .iter()
                        .map(|asker| rights(site.as_ref(), endpoint, &world, asker));
                    let rights = rights.collect();
                    asked.push(Asked {
                        site: index,
                        endpoint,
                        world,
                        origins,
                        rights,
                    });
                }
            }
        }
        Some(Self {
            sites: sites.to_vec(),
            asked,
        })
    }

    /// Asks the same of the edited sites, which are those of the frameworks that `reads` names.
    pub(crate) fn compare(&self, edited: &[Arc<dyn Site>], reads: &dyn Fn(&str) -> bool) -> Effect {
        let alike = |(old, new): (&Arc<dyn Site>, &Arc<dyn Site>)| {
            let endpoints = |site: &Arc<dyn Site>| {
                let names = site
                    .endpoints()
                    .iter()
                    .map(|endpoint| endpoint.name.clone());
                names.collect::<Vec<_>>()
            };
            let conditions = |site: &Arc<dyn Site>| {
                let texts = site
                    .conditions()
                    .iter()
                    .map(|condition| condition.text.clone());
                texts.collect::<Vec<_>>()
            };
            old.framework() == new.framework()
                && endpoints(old) == endpoints(new)
                && conditions(old) == conditions(new)
        };
        // Code that is not understood any more hides what it does.
        let old: Vec<usize> = (0..self.sites.len())
            .filter(|at| reads(self.sites[*at].framework()))
            .collect();
        let unknowns = |sites: &[Arc<dyn Site>]| {
            let sites = sites.iter().filter(|site| reads(site.framework()));
            sites.map(|site| site.unknowns().len()).sum::<usize>()
        };
        if unknowns(edited) > unknowns(&self.sites) {
            return Effect::Harmful;
        }
        // Some sites have observations only.
        let answers = |site: &Arc<dyn Site>| !site.endpoints().is_empty();
        let old: Vec<usize> = old
            .into_iter()
            .filter(|at| answers(&self.sites[*at]))
            .collect();
        let edited: Vec<_> = edited.iter().filter(|site| answers(site)).collect();
        let both = || {
            old.iter()
                .map(|at| &self.sites[*at])
                .zip(edited.iter().copied())
        };
        if old.len() != edited.len() || !both().all(alike) {
            return Effect::Harmful;
        }
        let mut effect = Effect::Harmless;
        for asked in &self.asked {
            let Some(at) = old.iter().position(|at| *at == asked.site) else {
                continue;
            };
            let site = edited[at].as_ref();
            let mut kept = false;
            let mut lost = false;
            for (asker, before) in asked.origins.iter().zip(&asked.rights) {
                let after = rights(site, asked.endpoint, &asked.world, asker);
                if asker.trusted {
                    lost |= before.loses(&after);
                    kept |= after.0.iter().any(|right| right.sometimes);
                } else if before.gains(&after) {
                    return Effect::Harmful;
                }
            }
            // Where everybody was let in, those count whom the edit names.
            let kept = kept
                || lost && {
                    let site = edited[at];
                    let named = trusted_origins(site, asked.endpoint, &asked.world, None);
                    let asker = Asker {
                        origin: named.origin,
                        trusted: true,
                        symbolic: named.symbolic,
                    };
                    let rights = rights(site.as_ref(), asked.endpoint, &asked.world, &asker);
                    rights.0.iter().any(|right| right.sometimes)
                };
            match (lost, kept) {
                (true, false) => return Effect::Harmful,
                (true, true) => effect = Effect::Narrows,
                _ => {}
            }
        }
        effect
    }
}

impl Rights {
    fn loses(&self, after: &Self) -> bool {
        let mut pairs = self.0.iter().zip(&after.0);
        self.0.len() != after.0.len()
            || pairs.any(|(before, after)| {
                (before.always && !after.always) || (before.sometimes && !after.sometimes)
            })
    }

    /// Is there something that could not be done before, whatever the status of the response?
    fn gains(&self, after: &Self) -> bool {
        let some = |rights: &Self, group: u8, what: fn(&Right) -> bool| {
            rights
                .0
                .iter()
                .any(|right| right.group == group && what(right))
        };
        let groups: BTreeSet<u8> = after.0.iter().map(|right| right.group).collect();
        groups.into_iter().any(|group| {
            let before = some(self, group, |right| right.sometimes);
            let unsure = some(self, group, |right| right.perhaps);
            let now = some(after, group, |right| right.sometimes);
            let perhaps = some(after, group, |right| right.perhaps);
            !before && (now || (perhaps && !unsure))
        })
    }
}

/// Those who are meant: listed origins, also where their spelling keeps them out, samples of
/// patterns, the project's policy. And strangers.
fn origins(
    site: &Arc<dyn Site>,
    endpoint: usize,
    world: &World,
    policy: Option<&Arc<Policy>>,
) -> Vec<Asker> {
    let known = trusted_origins(site, endpoint, world, policy);
    let settings = &site.endpoints()[endpoint].settings;
    let mut trusted: BTreeSet<String> = known.all.iter().cloned().collect();
    trusted.insert(known.origin.clone());
    for entry in settings.origins.iter().filter(|entry| !entry.negated) {
        if let Allows::Exact(text) = &entry.allows {
            trusted.extend(suggestion(text));
        }
    }
    let first: Vec<String> = known.all.iter().take(MAX_TRUSTED).cloned().collect();
    let texts = settings
        .origins
        .iter()
        .filter_map(|entry| match &entry.allows {
            Allows::Exact(text) | Allows::Pattern(text) => Some(text.as_str()),
            _ => None,
        });
    let texts: Vec<&str> = texts.take(MAX_TRUSTED).collect();
    let mut strangers: BTreeSet<String> = ["null", FOREIGN].map(str::to_owned).into();
    strangers.insert(FOREIGN.replace("https:", "http:"));
    strangers.extend(
        lookalikes(&first)
            .into_iter()
            .map(|lookalike| lookalike.origin),
    );
    strangers.extend(insecure_variants(&first));
    strangers.extend(
        subdomain_probes(&first)
            .into_iter()
            .map(|below| below.origin),
    );
    strangers.extend(
        shared_host_probes(&texts)
            .into_iter()
            .map(|below| below.origin),
    );
    strangers.extend(development_origins());
    strangers.retain(|origin| {
        !trusted.contains(origin) && !policy.is_some_and(|policy| policy.trusts(origin))
    });
    let asker = |trusted| {
        let symbolic = known.symbolic;
        let member = known.origin.clone();
        move |origin: String| Asker {
            symbolic: symbolic && origin == member,
            origin,
            trusted,
        }
    };
    let strangers = strangers.into_iter().map(asker(false));
    trusted
        .into_iter()
        .map(asker(true))
        .chain(strangers)
        .collect()
}

fn rights(site: &dyn Site, endpoint: usize, world: &World, asker: &Asker) -> Rights {
    let here = &site.endpoints()[endpoint];
    let url = || here.url.clone();
    let mut rights = Vec::new();
    let mut ask = |mut request: Request, group: u8| {
        request.symbolic = asker.symbolic;
        let responses = site.respond(endpoint, &request, world);
        for include in [false, true] {
            let checks = responses.iter().map(|response| {
                if request.is_preflight() {
                    preflight_check(&request, response, include)
                } else {
                    cors_check(&request, response, include)
                }
            });
            let checks: Vec<Check> = checks.collect();
            rights.push(Right {
                always: checks.iter().all(|check| *check == Check::Pass),
                sometimes: checks.contains(&Check::Pass),
                perhaps: checks.contains(&Check::Unknown),
                group: group * 2 + u8::from(include),
            });
        }
    };
    for application in [Application::Answers(200), Application::Answers(404)] {
        let request = Request::actual(url(), Some(&asker.origin));
        let request = Request {
            application,
            ..request
        };
        ask(request, 0);
    }
    ask(Request::preflight(url(), &asker.origin, "GET", &[]), 1);
    let headers = ["authorization", "content-type"];
    ask(
        Request::preflight(url(), &asker.origin, "POST", &headers),
        2,
    );
    for (index, route) in here.routes.iter().enumerate() {
        let group = u8::try_from(index % 100).unwrap_or(0) + 3;
        ask(
            Request::preflight(url(), &asker.origin, &route.method, &[]),
            group,
        );
        ask(
            Request {
                method: route.method.clone(),
                ..Request::actual(url(), Some(&asker.origin))
            },
            group,
        );
    }
    Rights(rights)
}
