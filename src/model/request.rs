//! Requests: what a browser, a cache or a stranger sends.

use super::Known;
use std::fmt;
use std::sync::Arc;

/// Where a request goes.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Url {
    /// `http` or `https`.
    pub scheme: String,
    /// Host name as in the `Host` header, without port, lower case.
    pub host: String,
    /// Port, if it is not the scheme's default.
    pub port: Option<u16>,
    /// Path, starting with `/`, percent-encoded as sent.
    pub path: String,
    /// Query without `?`.
    pub query: Option<String>,
}

impl Url {
    /// The http or https URL of a parsed one; nothing of another scheme, or without a host. What
    /// stands behind `#`, and a user's name, are not sent.
    #[must_use]
    pub fn of(url: &url::Url) -> Option<Self> {
        if !matches!(url.scheme(), "http" | "https") {
            return None;
        }
        Some(Self {
            scheme: url.scheme().into(),
            host: url.host_str()?.into(),
            port: url.port(),
            path: url.path().into(),
            query: url.query().map(Into::into),
        })
    }

    /// The origin, as browsers serialize it.
    #[must_use]
    pub fn origin(&self) -> String {
        let port = self.port.map(|port| format!(":{port}"));
        format!(
            "{}://{}{}",
            self.scheme,
            self.host,
            port.unwrap_or_default()
        )
    }
}

impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.scheme, self.host)?;
        if let Some(port) = self.port {
            write!(f, ":{port}")?;
        }
        f.write_str(&self.path)?;
        self.query
            .as_ref()
            .map_or(Ok(()), |query| write!(f, "?{query}"))
    }
}

/// What the application behind the configuration would do with the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Application {
    /// The handler answers with this status itself (200 is a success, 404 or 500 its own error).
    Answers(u16),
    /// The handler throws and nobody catches it.
    Throws,
    /// There is none to answer: the server in front makes the error (502, 504).
    Unreachable,
}

/// One request. Header names are lower case.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Request {
    /// Target.
    pub url: Url,
    /// Method, exactly as sent.
    pub method: String,
    /// The `Origin` header: a serialized origin, `null`, or absent.
    pub origin: Option<String>,
    /// The origin stands for one that is in every list whose content is unknown.
    pub symbolic: bool,
    /// `Access-Control-Request-Method`; makes an `OPTIONS` a CORS-preflight request.
    pub requested_method: Option<String>,
    /// `Access-Control-Request-Headers`, lower case and sorted, as browsers send them.
    pub requested_headers: Vec<String>,
    /// Further headers: lower-case name, value.
    pub headers: Vec<(String, String)>,
    /// A `Cookie` header is sent.
    pub cookies: bool,
    /// What the application behind would answer.
    pub application: Application,
    /// The status that the application behind gives to `OPTIONS`, where somebody knows it (a live
    /// server whose upstream is ours). No configuration tells it, so a probe leaves it unknown.
    pub options_status: Known<u16>,
    /// The header lines that the application answers with, where somebody knows them (a live server
    /// whose upstream is ours). No configuration tells them, so a probe leaves them unknown.
    pub application_headers: Known<Vec<(String, String)>>,
    /// The files that exist, where somebody knows the file system (a live server on a folder of
    /// ours): paths as the configuration names them, without a leading `/`. A probe leaves them
    /// unknown; then the file that a URL stands for exists if the application answers it with 2xx.
    pub files: Known<Arc<[String]>>,
    /// What is not stated here is absent, as in a request that was really sent. A probe says
    /// `false`: a cookie, argument or further header that it does not name may be there or not.
    pub exact: bool,
}

impl Request {
    /// A `GET` from `origin` that the application answers with 200.
    #[must_use]
    pub fn actual(url: Url, origin: Option<&str>) -> Self {
        Self {
            url,
            method: "GET".into(),
            origin: origin.map(Into::into),
            symbolic: false,
            requested_method: None,
            requested_headers: Vec::new(),
            headers: Vec::new(),
            cookies: false,
            application: Application::Answers(200),
            options_status: Known::Unknown,
            application_headers: Known::Unknown,
            files: Known::Unknown,
            exact: false,
        }
    }

    /// The CORS-preflight request for `method` with the unsafe header names `headers`.
    #[must_use]
    pub fn preflight(url: Url, origin: &str, method: &str, headers: &[&str]) -> Self {
        Self {
            method: "OPTIONS".into(),
            requested_method: Some(method.into()),
            requested_headers: headers.iter().map(|name| (*name).into()).collect(),
            ..Self::actual(url, Some(origin))
        }
    }

    /// Is this a CORS-preflight request (Fetch standard, "CORS-preflight request")?
    #[must_use]
    pub fn is_preflight(&self) -> bool {
        self.method == "OPTIONS" && self.origin.is_some() && self.requested_method.is_some()
    }

    /// The value of a request header by lower-case name, as one line, if it is sent.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<String> {
        match name {
            "origin" => self.origin.clone(),
            "host" => Some(match self.url.port {
                Some(port) => format!("{}:{port}", self.url.host),
                None => self.url.host.clone(),
            }),
            "access-control-request-method" => self.requested_method.clone(),
            "access-control-request-headers" => {
                (!self.requested_headers.is_empty()).then(|| self.requested_headers.join(","))
            }
            "cookie" if self.cookies => Some("session=1".into()),
            _ => self
                .headers
                .iter()
                .find(|(other, _)| other == name)
                .map(|(_, value)| value.clone()),
        }
    }
}
