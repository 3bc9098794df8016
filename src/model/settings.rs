//! Settings: what was written, normalised over all frameworks.

use super::OriginProblem;
use crate::source::Span;

/// What one entry of the allowed origins lets in.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Allows {
    /// Exactly this text under the stack's own comparison.
    Exact(String),
    /// Every origin (`*`, or an echo).
    Any,
    /// A regular expression; its text as the engine sees it.
    Pattern(String),
    /// Code or a condition that decides; the constants that it compares with.
    Predicate(Vec<String>),
    /// Content that is not in view.
    Unknown,
}

/// One entry of the allowed origins.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct AllowedOrigin {
    /// What it lets in.
    pub allows: Allows,
    /// The token.
    pub span: Span,
    /// Why the entry can never equal a browser's `Origin` under this stack's comparison.
    pub problem: Option<OriginProblem>,
    /// The entry is named only to be treated as "not allowed" (a negated test).
    pub negated: bool,
    /// The literal is sent to every requester as it stands, whatever their origin.
    pub fixed: bool,
}

/// A setting other than the origins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// Its value or values as written.
    pub values: Vec<String>,
    /// Where; `None` for a default of the framework.
    pub span: Option<Span>,
}

/// What an endpoint's policy says, as written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// Allowed origins.
    pub origins: Vec<AllowedOrigin>,
    /// Credentials.
    pub credentials: Option<Setting>,
    /// Methods.
    pub methods: Option<Setting>,
    /// Request headers.
    pub headers: Option<Setting>,
    /// Exposed response headers.
    pub exposed_headers: Option<Setting>,
    /// Max-Age, in seconds as text.
    pub max_age: Option<Setting>,
    /// Private Network Access, which browsers asked for once.
    pub private_network: Option<Setting>,
    /// All of it stands in an outer block that speaks for other endpoints as well.
    pub inherited: bool,
}
