//! Origins (HTML standard, "origin"; RFC 6454 §6.1 for the serialization that browsers send).

use std::fmt;

/// What a browser puts into the `Origin` header.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Origin {
    /// `null`: sandboxed frames, `data:` and `file:` documents, some redirects.
    Opaque,
    /// A tuple origin.
    Tuple {
        /// Scheme, lower case, without `:`.
        scheme: String,
        /// Host, lower case, in punycode; an IPv6 address in brackets.
        host: String,
        /// Port, `None` for the scheme's default.
        port: Option<u16>,
    },
}

/// Why a text can never equal an `Origin` header.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum OriginProblem {
    /// Nothing there.
    Empty,
    /// White space or control characters around or inside.
    Space,
    /// Quotes inside the value.
    Quotes,
    /// Several origins in one value.
    Several,
    /// No `scheme://`.
    NoScheme,
    /// Ends in a single `/`.
    TrailingSlash,
    /// A path, query or fragment.
    Path,
    /// `user@`.
    UserInfo,
    /// Upper-case scheme or host.
    UpperCase,
    /// `:443` with https, `:80` with http: browsers leave it out.
    DefaultPort,
    /// A `*` that nobody expands.
    Wildcard,
    /// Not a host name or address.
    BadHost,
    /// Not a port number.
    BadPort,
    /// Non-ASCII letters: browsers send punycode.
    Unicode,
}

/// What a host is, as far as its text tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum HostKind {
    /// A registrable domain or below.
    Public,
    /// `localhost`, `*.localhost`, 127.0.0.0/8, `[::1]`.
    Loopback,
    /// RFC 1918, link-local, `.local`, `.internal`, `.test`, `.example`, single labels.
    Private,
}

impl Origin {
    /// Parses a serialized origin as a browser would send it.
    ///
    /// # Errors
    /// Says why no browser would ever send this text.
    pub fn parse(text: &str) -> Result<Self, OriginProblem> {
        if text == "null" {
            return Ok(Self::Opaque);
        }
        let (scheme, host) = text.split_once("://").ok_or(OriginProblem::NoScheme)?;
        Ok(Self::Tuple {
            scheme: scheme.into(),
            host: host.into(),
            port: None,
        })
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Opaque => f.write_str("null"),
            Self::Tuple { scheme, host, port } => {
                write!(f, "{scheme}://{host}")?;
                port.map_or(Ok(()), |port| write!(f, ":{port}"))
            }
        }
    }
}
