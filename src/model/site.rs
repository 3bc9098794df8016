//! Sites and endpoints: what answers requests.

use super::{Known, Observation, Request, Response, Settings, Url};
use crate::source::Span;

/// A deployment condition: decided once per deployment, the same for every request.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Condition {
    /// In words (`NODE_ENV is "production"`).
    pub text: String,
    /// Where it is asked first.
    pub span: Option<Span>,
    /// It holds only while developing (`DEBUG`, a `dev` profile).
    pub development: bool,
}

/// One assignment of all deployment conditions of a site.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct World {
    /// One value for each of [`Site::conditions`], in their order.
    pub holds: Vec<bool>,
}

/// Who can reach a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Exposure {
    /// Everybody, as far as the configuration tells.
    Public,
    /// Loopback addresses only.
    Loopback,
    /// Private addresses only.
    Private,
}

impl Exposure {
    /// The name rules use.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::Loopback => "loopback",
            Self::Private => "private",
        }
    }
}

/// A method that an endpoint's own routes need.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Route {
    /// The method, exactly as the application expects it.
    pub method: String,
    /// Where the application says so.
    pub span: Span,
}

/// One policy area of a site.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// For people (`location /api/`).
    pub name: String,
    /// Where it is declared.
    pub span: Span,
    /// A URL that the site routes here.
    pub url: Url,
    /// Is the service reached over plain http only, https, or cannot it be told?
    pub secure: Known<bool>,
    /// Who can reach it.
    pub exposure: Exposure,
    /// It manages the service (Spring's actuator).
    pub management: bool,
    /// Lower-case names of request headers that the same application evidently reads.
    pub reads_headers: Vec<String>,
    /// Methods that the routes need.
    pub routes: Vec<Route>,
    /// What was written.
    pub settings: Settings,
}

/// What answers requests: an nginx configuration, an application. Pure and shared between threads.
pub trait Site: Send + Sync {
    /// The framework's name as in `fixtures/` (`nginx`).
    fn framework(&self) -> &'static str;

    /// The name of the spelling at a place, for help texts in its own words; nothing: the
    /// framework's usual one.
    fn dialect(&self, span: Span) -> Option<&'static str> {
        let _ = span;
        None
    }

    /// The deployment conditions that `respond` depends on, at most six (64 worlds); what would
    /// need more is unknown.
    fn conditions(&self) -> &[Condition];

    /// All policy areas, in source order.
    fn endpoints(&self) -> &[Endpoint];

    /// May any of its responses have to do with CORS? If not, no endpoint is judged; they can be asked all
    /// the same.
    fn has_policy(&self) -> bool {
        true
    }

    /// The index of the endpoint whose policy meets the request, by the framework's own routing;
    /// `None` if it is known that none does.
    fn route(&self, request: &Request) -> Option<usize>;

    /// What would be sent to a request that [`Site::route`] gives no endpoint for: the framework's own
    /// answer where no route serves the path, or that of something without a policy. Empty: it
    /// cannot be told, or somebody else is asked.
    fn unrouted(&self, _request: &Request, _world: &World) -> Vec<Response> {
        Vec::new()
    }

    /// What would be sent. Several responses only for request conditions; each names those that
    /// it assumes. Never empty. `endpoint` is an index of [`Site::endpoints`]; the request's URL is
    /// the endpoint's own, or one that `route` leads to it.
    fn respond(&self, endpoint: usize, request: &Request, world: &World) -> Vec<Response>;

    /// What was learned while reading.
    fn observations(&self) -> &[Observation];

    /// Facts the framework could not tell, in words with their place; counted, never reported.
    fn unknowns(&self) -> &[(Span, String)];
}
