//! The facts about a site as a whole.

use super::facts::{FactSource, Node};
use super::schema::{self, SITE_SCOPE};
use crate::model::{Observation, Site};

/// The root facts of a site as a whole.
pub(crate) fn site_facts(site: &dyn Site) -> Node {
    let observations = site.observations().iter().map(|observation| {
        Node::map(&schema::OBSERVATION, observation.clone()).at(Some(observation.span))
    });
    Node::map(&SITE_SCOPE, SiteFacts(Node::list(observations.collect())))
}

struct SiteFacts(Node);

impl FactSource for SiteFacts {
    fn fact(&self, name: &str) -> Option<Node> {
        (name == "observations").then(|| self.0.clone())
    }
}

impl FactSource for Observation {
    fn fact(&self, name: &str) -> Option<Node> {
        match name {
            "kind" => Some(Node::text(self.kind.name())),
            "name" => Some(Node::text(&self.name).at(Some(self.span))),
            "text" => Some(Node::text(&self.text).at(Some(self.span))),
            "suggestion" => Some(Node::optional_text(self.suggestion.as_ref())),
            "severe" => Some(Node::bool(self.severe)),
            _ => None,
        }
    }
}
