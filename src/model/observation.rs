//! Observations: what `read` learned that no response shows.

use crate::source::Span;

/// What kind of thing was learned. Framework-neutral and closed: a rule chooses by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ObservationKind {
    /// The framework refuses the configuration.
    Rejected,
    /// A renamed or removed setting is used.
    Renamed,
    /// A setting has no effect.
    Ignored,
    /// One setting silently overrides another.
    Overridden,
    /// A policy that nothing applies.
    Unattached,
    /// A value of a type that is read differently.
    WrongType,
    /// An option that the library does not know.
    UnknownOption,
    /// A wildcard where the comparison is literal.
    LiteralWildcard,
    /// A header name or value that nobody will read as meant.
    MalformedHeader,
    /// A response header is put on a request.
    RequestHeader,
    /// A proxy rewrites `Origin` towards its upstream.
    ForgedOrigin,
    /// A path pattern that does not cover what it evidently means.
    PathScope,
    /// A pattern with state between requests.
    StatefulPattern,
    /// A WebSocket endpoint accepts every origin.
    WebSocket,
    /// A framework's own CSRF origin list refuses an allowed origin.
    Csrf,
    /// A cookie that the browser will not send along.
    Cookie,
    /// Client code reads an opaque response.
    OpaqueResponse,
    /// A middleware that answers first.
    Order,
    /// The file is not valid in its own language: the server itself would refuse it.
    Syntax,
    /// A comment that is to suppress a finding suppresses nothing.
    UnusedSuppression,
    /// A comment names a rule that does not exist.
    UnknownRule,
}

impl ObservationKind {
    /// All kinds, in the order of their names' declaration.
    pub const ALL: [Self; 21] = [
        Self::Rejected,
        Self::Renamed,
        Self::Ignored,
        Self::Overridden,
        Self::Unattached,
        Self::WrongType,
        Self::UnknownOption,
        Self::LiteralWildcard,
        Self::MalformedHeader,
        Self::RequestHeader,
        Self::ForgedOrigin,
        Self::PathScope,
        Self::StatefulPattern,
        Self::WebSocket,
        Self::Csrf,
        Self::Cookie,
        Self::OpaqueResponse,
        Self::Order,
        Self::Syntax,
        Self::UnusedSuppression,
        Self::UnknownRule,
    ];

    /// The name rules use.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Rejected => "rejected",
            Self::Renamed => "renamed",
            Self::Ignored => "ignored",
            Self::Overridden => "overridden",
            Self::Unattached => "unattached",
            Self::WrongType => "wrong-type",
            Self::UnknownOption => "unknown-option",
            Self::LiteralWildcard => "literal-wildcard",
            Self::MalformedHeader => "malformed-header",
            Self::RequestHeader => "request-header",
            Self::ForgedOrigin => "forged-origin",
            Self::PathScope => "path-scope",
            Self::StatefulPattern => "stateful-pattern",
            Self::WebSocket => "websocket",
            Self::Csrf => "csrf",
            Self::Cookie => "cookie",
            Self::OpaqueResponse => "opaque-response",
            Self::Order => "order",
            Self::Syntax => "syntax",
            Self::UnusedSuppression => "unused-suppression",
            Self::UnknownRule => "unknown-rule",
        }
    }
}

/// Something that `read` learned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Observation {
    /// What kind.
    pub kind: ObservationKind,
    /// The token to change.
    pub span: Span,
    /// The name it is about (a header, a setting, a variable).
    pub name: String,
    /// What is wrong with it, one clause in plain words; goes into messages.
    pub text: String,
    /// The correct spelling or value, where one is certain.
    pub suggestion: Option<String>,
    /// The other half of the story: place and label.
    pub related: Vec<(Span, String)>,
    /// What is left in force is open to everybody, or breaks (rules choose severity by it).
    pub severe: bool,
}
