//! Origins (HTML standard, "origin"; RFC 6454 §6.1 for the serialization that browsers send).

use super::host::{DevelopmentHost, HostKind, is_scheme, opaque_host, web_host};
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
        /// Host; of http and https in lower case and punycode; an IPv6 address in brackets;
        /// empty for `file`.
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
    /// A scheme that no page has (`wss`, `ftp`, `data`).
    NotAPage,
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
    /// Not a host name or address, or not as browsers write it.
    BadHost,
    /// Not a port number.
    BadPort,
    /// Non-ASCII letters: browsers send punycode.
    Unicode,
}

impl OriginProblem {
    /// The name rules use.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::Space => "space",
            Self::Quotes => "quotes",
            Self::Several => "several",
            Self::NoScheme => "no-scheme",
            Self::NotAPage => "not-a-page",
            Self::TrailingSlash => "trailing-slash",
            Self::Path => "path",
            Self::UserInfo => "user-info",
            Self::UpperCase => "upper-case",
            Self::DefaultPort => "default-port",
            Self::Wildcard => "wildcard",
            Self::BadHost => "bad-host",
            Self::BadPort => "bad-port",
            Self::Unicode => "unicode",
        }
    }

    /// One clause for people, whose subject is the text.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Self::Empty => "is empty",
            Self::Space => "holds white space, which no browser sends",
            Self::Quotes => "holds quotes, which no browser sends",
            Self::Several => "names several origins, and a browser sends one",
            Self::NoScheme => "does not start with a scheme such as `https://`",
            Self::NotAPage => {
                "has a scheme that no page has: a browser sends the origin of the page"
            }
            Self::TrailingSlash => "ends in a slash, which no browser sends",
            Self::Path => "goes on after the host, and browsers send scheme, host and port only",
            Self::UserInfo => "holds a user name, which no browser sends",
            Self::UpperCase => "has upper-case letters, and browsers send lower case",
            Self::DefaultPort => "names the scheme's default port, which browsers leave out",
            Self::Wildcard => "holds a `*`, which is compared as it stands",
            Self::BadHost => "has a host that no browser sends in this form",
            Self::BadPort => "has a port that is not a number up to 65535",
            Self::Unicode => "has letters outside ASCII, and browsers send punycode",
        }
    }
}

impl Origin {
    /// Parses a serialized origin as a browser would send it.
    ///
    /// # Errors
    /// Says why no browser would ever send this text; of several reasons, one that a small repair
    /// leaves standing comes first.
    pub fn parse(text: &str) -> Result<Self, OriginProblem> {
        if text == "null" {
            return Ok(Self::Opaque);
        }
        if text.is_empty() {
            return Err(OriginProblem::Empty);
        }
        if let Some(problem) = problem_of_whole(text) {
            return Err(problem);
        }
        match Parts::of(text) {
            Some(parts) => parts.parse(),
            None if text.contains('*') => Err(OriginProblem::Wildcard),
            None => Err(OriginProblem::NoScheme),
        }
    }

    /// The scheme, without `:`; nothing for the opaque origin.
    #[must_use]
    pub fn scheme(&self) -> Option<&str> {
        match self {
            Self::Opaque => None,
            Self::Tuple { scheme, .. } => Some(scheme),
        }
    }

    /// The host; nothing for the opaque origin.
    #[must_use]
    pub fn host(&self) -> Option<&str> {
        match self {
            Self::Opaque => None,
            Self::Tuple { host, .. } => Some(host),
        }
    }

    /// The host, if the scheme is http or https.
    #[must_use]
    pub fn web_host(&self) -> Option<&str> {
        self.host()
            .filter(|_| matches!(self.scheme(), Some("http" | "https")))
    }

    /// What the host is; nothing for the opaque origin.
    #[must_use]
    pub fn host_kind(&self) -> Option<HostKind> {
        self.host()?;
        Some(self.web_host().map_or(HostKind::Application, HostKind::of))
    }

    /// Whether developers put pages there: the own machine, a tunnel, a playground.
    #[must_use]
    pub fn development_host(&self) -> Option<DevelopmentHost> {
        self.web_host().and_then(DevelopmentHost::of)
    }

    /// The registrable domain: the public suffix (ICANN or private) and one label, without a dot at
    /// the end. Nothing for addresses, single labels, public suffixes themselves and other schemes
    /// than http and https.
    #[must_use]
    pub fn registrable_domain(&self) -> Option<&str> {
        registrable_domain(self.web_host()?)
    }

    /// The shared host that this host stands directly below: a public suffix of the list's private
    /// section (`github.io`, `vercel.app`), where anyone can get a name.
    #[must_use]
    pub fn shared_suffix(&self) -> Option<&str> {
        let host = self.web_host()?;
        let domain = registrable_domain(host)?;
        let suffix = private_suffix(host)?;
        (domain.len() == host.strip_suffix('.').unwrap_or(host).len()).then_some(suffix)
    }

    /// Does the host stand directly below a [shared host](Self::shared_suffix)?
    #[must_use]
    pub fn is_shared_suffix(&self) -> bool {
        self.shared_suffix().is_some()
    }
}

/// The registrable domain of a host by the public suffix list, if it has one.
pub(crate) fn registrable_domain(host: &str) -> Option<&str> {
    // An address has no domain, and the list does not know addresses.
    let last = host.strip_suffix('.').unwrap_or(host).rsplit('.').next()?;
    if last.bytes().all(|byte| byte.is_ascii_digit()) || host.starts_with('[') {
        return None;
    }
    psl::domain_str(host)
}

/// The public suffix of a host, if it is of the list's private section.
pub(crate) fn private_suffix(host: &str) -> Option<&str> {
    let suffix = psl::suffix(host.as_bytes())?.trim();
    (suffix.typ() == Some(psl::Type::Private))
        .then(|| std::str::from_utf8(suffix.as_bytes()).ok())?
}

/// The certain repair of a text that is no origin: the origin that its author can only have meant.
#[must_use]
pub fn suggestion(text: &str) -> Option<String> {
    let repaired = text.trim().trim_matches(['"', '\'', '`']).trim();
    // `null` in another case is a slip, but no advice: any site can obtain that origin.
    if problem_of_whole(repaired).is_some() {
        return None;
    }
    let Parts {
        scheme, host, port, ..
    } = Parts::of(repaired)?;
    let scheme = scheme.to_ascii_lowercase();
    let port = match port {
        None | Some("") => None,
        Some(digits) => Some(port_number(digits)?),
    };
    let host = match scheme.as_str() {
        "http" | "https" => web_host(host)?,
        _ => host.into(),
    };
    let origin = Origin::Tuple {
        port: port.filter(|port| default_port(&scheme) != Some(*port)),
        scheme,
        host,
    }
    .to_string();
    (origin != text && Origin::parse(&origin).is_ok()).then_some(origin)
}

/// Problems that are seen before the text is taken apart.
fn problem_of_whole(text: &str) -> Option<OriginProblem> {
    let several = |separator: fn(char) -> bool, is_one: fn(&str) -> bool| {
        let mut pieces = text
            .split(separator)
            .map(str::trim)
            .filter(|piece| !piece.is_empty())
            .peekable();
        pieces.next().is_some_and(is_one) && pieces.peek().is_some() && pieces.all(is_one)
    };
    let has_scheme = |piece: &str| piece.contains("://") || piece == "null";
    let has_host = |piece: &str| piece.contains("://") || piece.contains('.') || piece == "null";
    if several(|c| c == ',', has_host)
        || several(
            |c| c.is_whitespace() || matches!(c, ',' | '|' | ';'),
            has_scheme,
        )
    {
        Some(OriginProblem::Several)
    } else if text.chars().any(|c| c.is_whitespace() || c.is_control()) {
        Some(OriginProblem::Space)
    } else if text.contains(['"', '\'']) || text.starts_with('`') || text.ends_with('`') {
        Some(OriginProblem::Quotes)
    } else if text.eq_ignore_ascii_case("null") {
        Some(OriginProblem::UpperCase)
    } else {
        None
    }
}

/// `scheme://[userinfo@]host[:port][rest]`, not yet judged.
struct Parts<'a> {
    scheme: &'a str,
    user_info: bool,
    host: &'a str,
    port: Option<&'a str>,
    rest: &'a str,
}

impl<'a> Parts<'a> {
    fn of(text: &'a str) -> Option<Self> {
        let (scheme, after) = text.split_once("://")?;
        if !is_scheme(scheme) {
            return None;
        }
        let end = after.find(['/', '?', '#', '\\']).unwrap_or(after.len());
        let (authority, rest) = after.split_at(end);
        let (user_info, authority) = match authority.rsplit_once('@') {
            Some((_, authority)) => (true, authority),
            None => (false, authority),
        };
        // The colons of an IPv6 address stand inside its brackets.
        let bracket = authority.rfind(']').unwrap_or(0);
        let (host, port) = match authority[bracket..].find(':') {
            Some(at) => {
                let (host, port) = authority.split_at(bracket + at);
                (host, Some(&port[1..]))
            }
            None => (authority, None),
        };
        Some(Self {
            scheme,
            user_info,
            host,
            port,
            rest,
        })
    }

    fn parse(&self) -> Result<Origin, OriginProblem> {
        let scheme = self.scheme.to_ascii_lowercase();
        if NOT_PAGES.contains(&scheme.as_str()) {
            return Err(OriginProblem::NotAPage);
        }
        if self.host.contains('*') || self.port.is_some_and(|port| port.contains('*')) {
            return Err(OriginProblem::Wildcard);
        }
        if self.user_info {
            return Err(OriginProblem::UserInfo);
        }
        if !self.host.is_ascii() {
            return Err(OriginProblem::Unicode);
        }
        let host = match scheme.as_str() {
            "http" | "https" => web_host(self.host),
            // Browsers send `null` for files, but web views of applications send `file://`.
            "file" => self.host.is_empty().then(String::new),
            _ => opaque_host(self.host),
        }
        .filter(|host| host.eq_ignore_ascii_case(self.host))
        .ok_or(OriginProblem::BadHost)?;
        let port = match self.port {
            None => None,
            Some(digits) => Some(
                port_number(digits)
                    .filter(|port| port.to_string() == digits && scheme != "file")
                    .ok_or(OriginProblem::BadPort)?,
            ),
        };
        if self.rest == "/" {
            return Err(OriginProblem::TrailingSlash);
        }
        if !self.rest.is_empty() {
            return Err(OriginProblem::Path);
        }
        if scheme != self.scheme || host != self.host {
            return Err(OriginProblem::UpperCase);
        }
        if port.is_some() && port == default_port(&scheme) {
            return Err(OriginProblem::DefaultPort);
        }
        Ok(Origin::Tuple { scheme, host, port })
    }
}

/// Schemes with a host of which no page is made today; their documents, where there are any, have
/// the opaque origin or that of the page that made them.
const NOT_PAGES: [&str; 9] = [
    "about",
    "blob",
    "data",
    "ftp",
    "javascript",
    "mailto",
    "tcp",
    "ws",
    "wss",
];

fn default_port(scheme: &str) -> Option<u16> {
    match scheme {
        "http" => Some(80),
        "https" => Some(443),
        _ => None,
    }
}

/// A port of digits only.
fn port_number(digits: &str) -> Option<u16> {
    digits
        .bytes()
        .all(|byte| byte.is_ascii_digit())
        .then(|| digits.parse().ok())?
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

#[cfg(test)]
mod tests {
    use super::*;
    use OriginProblem::{
        BadHost, BadPort, DefaultPort, Empty, NoScheme, NotAPage, Path, Quotes, Several, Space,
        TrailingSlash, Unicode, UpperCase, UserInfo, Wildcard,
    };

    #[test]
    fn what_browsers_send_parses_and_prints_the_same() {
        for text in [
            "null",
            "https://example.com",
            "https://example.com.",
            "http://localhost",
            "http://localhost:3000",
            "https://example.com:8443",
            "https://example.com:80",
            "http://example.com:443",
            "http://127.0.0.1:8080",
            "http://[::1]:3000",
            "https://[2001:db8::1]",
            "https://xn--bcher-kva.example",
            "https://under_score.example.com",
            "https://-a.example.com",
            "https://a{b}.example.com",
            "https://app.example.com_.evil.example",
            "https://app.example.com`.evil.example",
            "http://intranet",
            "http://localhost:0",
            "capacitor://localhost",
            "ionic://localhost",
            "tauri://localhost",
            "app://.",
            "app://obsidian.md",
            "luna://com.example.app",
            "chrome-extension://abcdefghijklmnopabcdefghijklmnop",
            "moz-extension://2c127fa4-62c7-7e4f-90e5-472b45eecfdc",
            "safari-web-extension://2C127FA4-62C7-7E4F-90E5-472B45EECFDC",
            "vscode-webview://1abc",
            "wails://wails.localhost:34115",
            "file://",
        ] {
            let origin = Origin::parse(text);
            assert_eq!(origin.map(|origin| origin.to_string()), Ok(text.to_owned()));
        }
    }

    #[test]
    fn what_browsers_never_send_says_why_and_how_to_repair_it() {
        for (text, problem, repaired) in [
            ("", Empty, None),
            (" ", Space, None),
            ("https://example.com ", Space, Some("https://example.com")),
            ("\thttps://example.com", Space, Some("https://example.com")),
            ("https://exa mple.com", Space, None),
            ("https://example.com\0", Space, None),
            (
                "\"https://example.com\"",
                Quotes,
                Some("https://example.com"),
            ),
            (
                "'https://example.com/'",
                Quotes,
                Some("https://example.com"),
            ),
            ("'*'", Quotes, None),
            ("https://a.example, https://b.example", Several, None),
            ("https://a.example,https://b.example", Several, None),
            ("https://a.example https://b.example", Several, None),
            ("https://a.example|https://b.example", Several, None),
            ("https://a.example; https://b.example", Several, None),
            ("a.example,b.example", Several, None),
            ("https://a.example, null", Several, None),
            ("example.com", NoScheme, None),
            ("//example.com", NoScheme, None),
            ("localhost:3000", NoScheme, None),
            ("https:example.com", NoScheme, None),
            ("https?://example.com", NoScheme, None),
            ("$scheme://example.com", NoScheme, None),
            ("blob:https://example.com", NoScheme, None),
            ("wss://example.com", NotAPage, None),
            ("WS://example.com", NotAPage, None),
            ("ftp://example.com", NotAPage, None),
            (
                "https://example.com/",
                TrailingSlash,
                Some("https://example.com"),
            ),
            (
                "capacitor://localhost/",
                TrailingSlash,
                Some("capacitor://localhost"),
            ),
            ("file:///", TrailingSlash, Some("file://")),
            ("https://example.com//", Path, Some("https://example.com")),
            ("https://example.com/app", Path, Some("https://example.com")),
            ("https://example.com?x", Path, Some("https://example.com")),
            ("https://example.com#x", Path, Some("https://example.com")),
            (
                "https://example.com/?u=https://b.example",
                Path,
                Some("https://example.com"),
            ),
            (
                "https://user@example.com",
                UserInfo,
                Some("https://example.com"),
            ),
            (
                "https://user:secret@example.com",
                UserInfo,
                Some("https://example.com"),
            ),
            (
                "https://Example.com",
                UpperCase,
                Some("https://example.com"),
            ),
            (
                "HTTPS://example.com",
                UpperCase,
                Some("https://example.com"),
            ),
            (
                "HTTPS://Example.com:443/",
                TrailingSlash,
                Some("https://example.com"),
            ),
            (
                "http://[2001:DB8::1]",
                UpperCase,
                Some("http://[2001:db8::1]"),
            ),
            ("NULL", UpperCase, None),
            (
                "https://example.com:443",
                DefaultPort,
                Some("https://example.com"),
            ),
            (
                "http://example.com:80",
                DefaultPort,
                Some("http://example.com"),
            ),
            (
                "https://example.com:443/x",
                Path,
                Some("https://example.com"),
            ),
            ("https://*.example.com", Wildcard, None),
            ("https://*.example.com/", Wildcard, None),
            ("https://example.com:*", Wildcard, None),
            ("https://", BadHost, None),
            ("https:///", BadHost, None),
            ("https://.example.com", BadHost, None),
            ("https://a..example.com", BadHost, None),
            ("https://exa%6dple.com", BadHost, None),
            ("https://^example.com", BadHost, None),
            ("https://1.2.3", BadHost, Some("https://1.2.0.3")),
            ("https://1.2.3.4.5", BadHost, None),
            ("https://[::1", BadHost, None),
            ("https://[0::1]", BadHost, Some("https://[::1]")),
            ("capacitor://", BadHost, None),
            ("file://server", BadHost, None),
            ("https://example.com:", BadPort, Some("https://example.com")),
            ("https://example.com:http", BadPort, None),
            ("https://example.com:65536", BadPort, None),
            ("https://example.com:+1", BadPort, None),
            (
                "https://example.com:08443",
                BadPort,
                Some("https://example.com:8443"),
            ),
            ("https://bücher.example", Unicode, None),
        ] {
            assert_eq!(Origin::parse(text), Err(problem), "{text:?}");
            assert_eq!(suggestion(text).as_deref(), repaired, "{text:?}");
        }
    }

    #[test]
    fn a_bare_star_is_a_wildcard() {
        assert_eq!(Origin::parse("*"), Err(Wildcard));
        assert_eq!(Origin::parse("*.example.com"), Err(Wildcard));
        assert_eq!(suggestion("*"), None);
    }

    #[test]
    fn an_origin_needs_no_suggestion() {
        assert_eq!(suggestion("https://example.com"), None);
        assert_eq!(suggestion("null"), None);
    }

    #[test]
    fn registrable_domains() {
        for (text, domain, shared) in [
            ("https://example.com", Some("example.com"), None),
            (
                "https://a.b.example.co.uk:8443",
                Some("example.co.uk"),
                None,
            ),
            ("https://example.com.", Some("example.com"), None),
            (
                "https://team.github.io",
                Some("team.github.io"),
                Some("github.io"),
            ),
            ("https://a.team.github.io", Some("team.github.io"), None),
            ("https://github.io", None, None),
            (
                "https://app.vercel.app",
                Some("app.vercel.app"),
                Some("vercel.app"),
            ),
            ("https://co.uk", None, None),
            ("https://evil.example", Some("evil.example"), None),
            ("http://localhost", None, None),
            ("http://127.0.0.1", None, None),
            ("http://[::1]", None, None),
            ("capacitor://app.example.com", None, None),
            ("null", None, None),
        ] {
            let origin = Origin::parse(text).unwrap();
            assert_eq!(origin.registrable_domain(), domain, "{text}");
            assert_eq!(origin.shared_suffix(), shared, "{text}");
            assert_eq!(origin.is_shared_suffix(), shared.is_some(), "{text}");
        }
    }

    #[test]
    fn kinds_of_origins() {
        for (text, kind) in [
            ("https://example.com", Some(HostKind::Public)),
            ("http://localhost:3000", Some(HostKind::Loopback)),
            ("http://intranet", Some(HostKind::Private)),
            ("capacitor://localhost", Some(HostKind::Application)),
            ("null", None),
        ] {
            assert_eq!(Origin::parse(text).unwrap().host_kind(), kind, "{text}");
        }
        let tunnel = Origin::parse("https://abc.ngrok.io").unwrap();
        assert_eq!(tunnel.development_host(), Some(DevelopmentHost::Tunnel));
    }
}
