//! The browser's side: the CORS protocol of the Fetch standard over the model.

use crate::model::{Request, Response};

/// Why a browser blocks an exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Failure {
    /// No Access-Control-Allow-Origin.
    AcaoMissing,
}

impl Failure {
    /// The name rules use (`acao-missing`, …).
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::AcaoMissing => "acao-missing",
        }
    }
}

/// What a browser makes of a response.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Check {
    /// It lets the script go on.
    Pass,
    /// It blocks.
    Fail(Failure),
    /// A header or status that decides is unknown.
    Unknown,
}

/// The CORS check (Fetch standard, `#cors-check`) on a response to `request`;
/// `include`: the request's credentials mode is `include`.
#[must_use]
pub fn cors_check(_request: &Request, _response: &Response, _include: bool) -> Check {
    Check::Unknown
}

/// The checks of a CORS-preflight fetch (Fetch standard, `#cors-preflight-fetch-0`) on the response
/// to the preflight `request`, for the method and headers that it asks for.
#[must_use]
pub fn preflight_check(_request: &Request, _response: &Response, _include: bool) -> Check {
    Check::Unknown
}
