//! Groups of origins that an endpoint may let in without meaning to: look-alikes of trusted ones,
//! insecure ones, those of development, of shared hosts, and those that no policy names.

use std::collections::HashSet;

use super::ask::{FOREIGN, Subject};
use super::exchange::{ACAO, decision_of, written};
use super::facts::{FactSource, Node};
use super::schema;
use crate::limits::rules::origins::MAX_LISTED;
use crate::model::{
    self, Allows, Decision, DevelopmentHost, HostKind, Known, Lookalike, Origin, Response,
};
use crate::source::Span;

impl Subject {
    /// Is this origin sent back?
    fn accepts(&self, origin: &str) -> Option<Response> {
        let response = self.answer(&self.actual(Some(origin)))?;
        let allowed = response.value(ACAO).known().flatten();
        let refused = response.status().is_some_and(|status| status >= 400);
        (!refused && allowed.as_deref() == Some(origin)).then_some(response)
    }

    /// Is every origin allowed, as far as a foreign one shows?
    fn accepts_everybody(&self) -> bool {
        let Some(response) = self.answer(&self.actual(Some(FOREIGN))) else {
            return true;
        };
        let refused = response.status().is_some_and(|status| status >= 400);
        match response.value(ACAO) {
            Known::Known(None) => false,
            Known::Known(Some(allowed)) => !refused && (allowed == FOREIGN || allowed == "*"),
            Known::Unknown => !refused,
        }
    }

    /// Can a text that is not listed be accepted at all?
    fn has_patterns(&self) -> bool {
        let origins = &self.endpoint().settings.origins;
        origins.iter().any(|entry| {
            matches!(
                entry.allows,
                Allows::Pattern(_) | Allows::Predicate(_) | Allows::Unknown
            )
        })
    }

    pub(super) fn lookalikes(&self) -> Vec<Node> {
        if !self.has_patterns() || self.accepts_everybody() {
            return Vec::new();
        }
        // Every name of a shared host, or a domain that is written somewhere: that is meant.
        let texts = self.texts();
        let shared_hosts: Vec<_> = model::shared_host_probes(&texts)
            .into_iter()
            .filter(|probe| !probe.affixed && self.accepts(&probe.origin).is_some())
            .map(|probe| format!(".{}", probe.below))
            .collect();
        let is_meant = |origin: &str| {
            let parsed = Origin::parse(origin).ok();
            let domain = parsed.as_ref().and_then(Origin::registrable_domain);
            domain.is_some_and(|domain| {
                model::mentions(&texts, domain)
                    || shared_hosts.iter().any(|host| domain.ends_with(host))
            })
        };
        let candidates = model::lookalikes(&self.trusted().all);
        let accepted = candidates.into_iter().filter_map(|lookalike| {
            if is_meant(&lookalike.origin) {
                return None;
            }
            let response = self.accepts(&lookalike.origin)?;
            let decision = decision_of(&response).cloned();
            Some(self.lookalike(lookalike, decision))
        });
        accepted.collect()
    }

    fn lookalike(&self, lookalike: Lookalike, decision: Option<Decision>) -> Node {
        let span = decision.as_ref().map(|decision| decision.span);
        let source = LookalikeFacts {
            subject: self.clone(),
            lookalike,
            decision,
        };
        Node::map(&schema::LOOKALIKE, source).at(span)
    }

    pub(super) fn variants(&self, candidates: Vec<Candidate>) -> Node {
        Node::list(self.variant_nodes(candidates, Self::accepts))
    }

    /// The candidates to which `accepts` gives the response that accepts them.
    fn variant_nodes(
        &self,
        candidates: Vec<Candidate>,
        accepts: impl Fn(&Self, &str) -> Option<Response>,
    ) -> Vec<Node> {
        let mut known: Vec<String> = Vec::new();
        let mut nodes = Vec::new();
        for candidate in candidates {
            if known.contains(&candidate.origin) {
                continue;
            }
            known.push(candidate.origin.clone());
            let Some(response) = accepts(self, &candidate.origin) else {
                continue;
            };
            let decision = decision_of(&response).cloned();
            let line = response
                .lines(ACAO)
                .next()
                .map(|line| line.value_span.unwrap_or(line.span));
            let listed = candidate.listed;
            let span = listed
                .or_else(|| decision.as_ref().map(|decision| decision.span))
                .or(line);
            let source = VariantFacts {
                subject: self.clone(),
                candidate,
                decision,
            };
            nodes.push(Node::map(&schema::VARIANT, source).at(span));
        }
        nodes
    }

    /// Listed origins, in order, as candidates of a group.
    fn listed(&self) -> impl Iterator<Item = (Origin, Candidate)> {
        let entries = self.endpoint().settings.origins.iter().take(MAX_LISTED);
        entries.filter_map(|entry| match &entry.allows {
            Allows::Exact(text) if !entry.negated => {
                let origin = Origin::parse(text).ok()?;
                let candidate = Candidate {
                    listed: Some(entry.span),
                    ..Candidate::new(text, text)
                };
                Some((origin, candidate))
            }
            _ => None,
        })
    }

    pub(super) fn insecure(&self) -> Vec<Candidate> {
        if self.accepts_everybody() {
            return Vec::new();
        }
        let listed = self
            .listed()
            .filter(|(origin, _)| origin.scheme() == Some("http"));
        let mut candidates: Vec<_> = listed.map(|(_, candidate)| candidate).collect();
        if self.has_patterns() {
            let trusted = &self.trusted().all;
            let variants = model::insecure_variants(trusted);
            candidates.extend(variants.iter().map(|origin| Candidate::new(origin, origin)));
        }
        candidates
    }

    pub(super) fn development(&self) -> Vec<Candidate> {
        if self.accepts_everybody() {
            return Vec::new();
        }
        let is_development = |origin: &Origin| origin.development_host().is_some();
        let listed = self.listed().filter(|(origin, _)| is_development(origin));
        let mut candidates: Vec<_> = listed.map(|(_, candidate)| candidate).collect();
        if self.has_patterns() {
            let origins = model::development_origins();
            candidates.extend(origins.iter().map(|origin| Candidate::new(origin, origin)));
        }
        candidates
    }

    /// Accepted origins, one for each place that lets them in, that the project's policy does not name.
    pub(super) fn untrusted(&self) -> Vec<Node> {
        let Some(policy) = self.policy() else {
            return Vec::new();
        };
        let mut candidates: Vec<Candidate> = Vec::new();
        if self.accepts_everybody() {
            candidates.push(Candidate::new(FOREIGN, FOREIGN));
        } else {
            candidates.extend(self.listed().map(|(_, candidate)| candidate));
            let trusted = &self.trusted().all;
            let look_alike = model::lookalikes(trusted);
            let look_alike = look_alike.iter().map(|lookalike| &lookalike.origin);
            let made = trusted.iter().chain(look_alike);
            candidates.extend(made.map(|origin| Candidate::new(origin, origin)));
            candidates.extend(self.subdomains());
            candidates.push(Candidate::new("null", "null"));
        }
        candidates.retain(|candidate| !policy.trusts(&candidate.origin));
        let mut places = HashSet::new();
        let mut nodes = self.variant_nodes(candidates, |subject, origin| {
            let response = subject.answer(&subject.actual(Some(origin)))?;
            let allowed = response.value(ACAO).known().flatten();
            let refused = response.status().is_some_and(|status| status >= 400);
            let everybody = allowed.as_deref() == Some("*");
            (!refused && (everybody || allowed.as_deref() == Some(origin))).then_some(response)
        });
        nodes.retain(|node| places.insert(node.span));
        nodes
    }

    pub(super) fn subdomains(&self) -> Vec<Candidate> {
        if !self.has_patterns() || self.accepts_everybody() {
            return Vec::new();
        }
        let probes = model::subdomain_probes(&self.trusted().all).into_iter();
        probes
            .map(|probe| Candidate::new(&probe.origin, &probe.below))
            .collect()
    }

    /// Everything that the settings write about origins.
    fn texts(&self) -> Vec<&str> {
        let mut texts: Vec<&str> = Vec::new();
        for entry in &self.endpoint().settings.origins {
            match &entry.allows {
                Allows::Exact(text) | Allows::Pattern(text) => texts.push(text),
                Allows::Predicate(constants) => texts.extend(constants.iter().map(String::as_str)),
                Allows::Any | Allows::Unknown => {}
            }
        }
        texts
    }

    pub(super) fn shared_hosts(&self) -> Vec<Candidate> {
        if !self.has_patterns() || self.accepts_everybody() {
            return Vec::new();
        }
        let texts = self.texts();
        let probes = model::shared_host_probes(&texts).into_iter();
        probes
            .map(|probe| Candidate {
                affixed: probe.affixed,
                ..Candidate::new(&probe.origin, &probe.below)
            })
            .collect()
    }
}

/// An origin that a group tries.
#[derive(Clone, Debug)]
pub(super) struct Candidate {
    origin: String,
    of: String,
    listed: Option<Span>,
    affixed: bool,
}

impl Candidate {
    fn new(origin: &str, of: &str) -> Self {
        Self {
            origin: origin.into(),
            of: of.into(),
            listed: None,
            affixed: false,
        }
    }
}

struct VariantFacts {
    subject: Subject,
    candidate: Candidate,
    decision: Option<Decision>,
}

impl FactSource for VariantFacts {
    fn fact(&self, name: &str) -> Option<Node> {
        let Candidate {
            origin,
            of,
            listed,
            affixed,
        } = &self.candidate;
        let parsed = Origin::parse(origin).ok();
        match name {
            "origin" => Some(Node::text(origin)),
            "of" => Some(Node::text(of)),
            "host" => Some(Node::optional_text(parsed.as_ref().and_then(Origin::host))),
            "host_kind" => {
                let kind = parsed.as_ref().and_then(Origin::host_kind);
                Some(Node::optional_text(kind.map(HostKind::name)))
            }
            "listed" => Some(Node::bool(listed.is_some())),
            "tunnel" => {
                let host = parsed.as_ref().and_then(Origin::development_host);
                let tunnel = matches!(
                    host,
                    Some(DevelopmentHost::Tunnel | DevelopmentHost::Playground)
                );
                Some(Node::bool(tunnel))
            }
            "affixed" => Some(Node::bool(*affixed)),
            "written" => self.decision.as_ref().map(written),
            "actual" => self.subject.exchange(self.subject.actual(Some(origin))),
            _ => None,
        }
    }
}

struct LookalikeFacts {
    subject: Subject,
    lookalike: Lookalike,
    decision: Option<Decision>,
}

impl FactSource for LookalikeFacts {
    fn fact(&self, name: &str) -> Option<Node> {
        let Lookalike {
            origin,
            trusted,
            defect,
            ..
        } = &self.lookalike;
        match name {
            "origin" => Some(Node::text(origin)),
            "of" => Some(Node::text(trusted)),
            "host" => {
                let parsed = Origin::parse(origin).ok();
                Some(Node::optional_text(parsed.as_ref().and_then(Origin::host)))
            }
            "defect" => Some(Node::text(*defect).at(self.defect_span())),
            "written" => self.decision.as_ref().map(written),
            "actual" => self.subject.exchange(self.subject.actual(Some(origin))),
            _ => None,
        }
    }
}

impl LookalikeFacts {
    /// The place inside the pattern at which the defect sits, or the whole entry.
    fn defect_span(&self) -> Option<Span> {
        let decision = self.decision.as_ref()?;
        let narrow = || {
            let offset = decision.offset? as usize;
            let range = model::locate_defect(&decision.text, &self.lookalike)?;
            Some(decision.span.part(offset + range.start, offset + range.end))
        };
        decision
            .pattern
            .then(narrow)
            .flatten()
            .or(Some(decision.span))
    }
}
