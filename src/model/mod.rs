//! The framework-neutral model: requests, responses, and what stands between them.
//!
//! Names follow the Fetch standard and RFC 9110. This module knows HTTP and nothing of any
//! framework; frameworks build these values, `rules` judges them.

mod environment;
mod finding;
mod host;
mod observation;
mod origin;
mod pattern;
mod probe;
mod request;
mod response;
mod sample;
mod settings;
mod site;

pub use environment::Environment;
pub use finding::{Category, Certainty, Edit, Finding, Fix, Label, Repair, RepairKind, Severity};
pub(crate) use host::is_parsable_url;
pub use host::{DevelopmentHost, HostKind};
pub use observation::{Observation, ObservationKind};
pub use origin::{Origin, OriginProblem, suggestion};
pub use pattern::locate_defect;
pub use probe::{
    Below, DEFECTS, Lookalike, development_origins, insecure_variants, lookalikes, mentions,
    shared_host_probes, subdomain_probes,
};
pub use request::{Application, Request, Url};
pub use response::{
    Answer, AnsweredBy, Assumption, Decision, Disabled, DropReason, Dropped, HeaderLine, Outcome,
    Response, SharedCache, ValueSource,
};
pub use sample::sample_pattern;
pub use settings::{AllowedOrigin, Allows, Setting, Settings};
pub use site::{Condition, Endpoint, Exposure, Route, Site, World};

/// A fact that may be unknown. Unknown never means "every possible value": rules stay silent on it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Known<T> {
    /// It is this.
    Known(T),
    /// It cannot be told from the configuration.
    #[default]
    Unknown,
}

impl<T> Known<T> {
    /// The value, if known.
    pub fn known(self) -> Option<T> {
        match self {
            Self::Known(value) => Some(value),
            Self::Unknown => None,
        }
    }

    /// A view that borrows.
    pub const fn as_ref(&self) -> Known<&T> {
        match self {
            Self::Known(value) => Known::Known(value),
            Self::Unknown => Known::Unknown,
        }
    }

    /// Applies `f` to a known value.
    pub fn map<U>(self, f: impl FnOnce(T) -> U) -> Known<U> {
        match self {
            Self::Known(value) => Known::Known(f(value)),
            Self::Unknown => Known::Unknown,
        }
    }
}

impl<T> From<Option<T>> for Known<T> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Unknown, Self::Known)
    }
}

/// The answer to "is this origin accepted?".
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// Certainly.
    Yes,
    /// Certainly not.
    No,
    /// Cannot be told: foreign code, a step limit, content that is not in view.
    Unknown,
}
