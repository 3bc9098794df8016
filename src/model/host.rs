//! Hosts of origins: the URL standard's host parser as far as origins need it, and what a host is.

use std::net::{Ipv4Addr, Ipv6Addr};

/// What a host is, as far as its text tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum HostKind {
    /// A registrable domain or below, or a public address.
    Public,
    /// `localhost`, `*.localhost`, 127.0.0.0/8, `[::1]`, and the unspecified addresses, which
    /// browsers connect to the same machine.
    Loopback,
    /// RFC 1918, RFC 4193, RFC 6598 and link-local addresses, `.local`, `.internal`, `.test` and
    /// the like, single labels.
    Private,
    /// Not a host of the web: the page of an application or a browser extension
    /// (`capacitor://localhost`, `chrome-extension://…`).
    Application,
}

impl HostKind {
    /// The name rules use.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::Loopback => "loopback",
            Self::Private => "private",
            Self::Application => "application",
        }
    }

    /// The kind of an http or https URL's host; IPv6 addresses are in brackets.
    #[must_use]
    pub fn of(host: &str) -> Self {
        if let Some(address) = ipv6(host) {
            return Self::of_ipv6(address);
        }
        let host = host.strip_suffix('.').unwrap_or(host);
        if let Ok(address) = host.parse::<Ipv4Addr>() {
            return Self::of_ipv4(address);
        }
        if is_or_below(host, "localhost") {
            Self::Loopback
        } else if !host.contains('.') || PRIVATE_DOMAINS.iter().any(|name| is_or_below(host, name))
        {
            Self::Private
        } else {
            Self::Public
        }
    }

    fn of_ipv4(address: Ipv4Addr) -> Self {
        let [a, b, ..] = address.octets();
        if address.is_loopback() || address.is_unspecified() {
            Self::Loopback
        } else if address.is_private()
            || address.is_link_local()
            || (a == 100 && (64..128).contains(&b))
        {
            Self::Private
        } else {
            Self::Public
        }
    }

    fn of_ipv6(address: Ipv6Addr) -> Self {
        if let Some(mapped) = address.to_ipv4_mapped() {
            Self::of_ipv4(mapped)
        } else if address.is_loopback() || address.is_unspecified() {
            Self::Loopback
        } else if address.is_unique_local() || address.is_unicast_link_local() {
            Self::Private
        } else {
            Self::Public
        }
    }
}

/// Names that public DNS never serves: RFC 6761, RFC 6762 §3 and appendix G, RFC 8375, and ICANN's
/// reservation of `internal`. Not `example`: in a configuration it stands for a public name.
const PRIVATE_DOMAINS: [&str; 12] = [
    "corp",
    "home",
    "home.arpa",
    "internal",
    "intranet",
    "invalid",
    "lan",
    "local",
    "localdomain",
    "onion",
    "private",
    "test",
];

/// Where developers put pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DevelopmentHost {
    /// The developer's own machine.
    Loopback,
    /// A tunnel to somebody's machine; anyone can open one.
    Tunnel,
    /// A site on which anyone can run a page of their own.
    Playground,
}

impl DevelopmentHost {
    /// The name rules use.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Loopback => "loopback",
            Self::Tunnel => "tunnel",
            Self::Playground => "playground",
        }
    }

    /// What development host a host of the web is, if it is one.
    #[must_use]
    pub fn of(host: &str) -> Option<Self> {
        let below = |names: &[&str]| names.iter().any(|name| is_or_below(host, name));
        if below(&TUNNELS) {
            Some(Self::Tunnel)
        } else if below(&PLAYGROUNDS) {
            Some(Self::Playground)
        } else {
            (HostKind::of(host) == HostKind::Loopback).then_some(Self::Loopback)
        }
    }
}

/// Domains below which tunnelling services hand out names.
pub(crate) const TUNNELS: [&str; 23] = [
    "bore.pub",
    "devtunnels.ms",
    "lhr.life",
    "lhr.rocks",
    "loca.lt",
    "localhost.run",
    "localtunnel.me",
    "loclx.io",
    "ngrok-free.app",
    "ngrok-free.dev",
    "ngrok.app",
    "ngrok.dev",
    "ngrok.io",
    "pagekite.me",
    "pinggy.io",
    "pinggy.link",
    "pinggy.online",
    "serveo.net",
    "serveousercontent.com",
    "sharedwithexpose.com",
    "share.zrok.io",
    "trycloudflare.com",
    "tunnelmole.net",
];

/// Domains at or below which playgrounds run their users' pages.
pub(crate) const PLAYGROUNDS: [&str; 22] = [
    "app.github.dev",
    "cdpn.io",
    "codepen.dev",
    "codepen.io",
    "codesandbox.io",
    "csb.app",
    "fiddle.jshell.net",
    "githubpreview.dev",
    "gitpod.io",
    "glitch.me",
    "jsbin.com",
    "jsfiddle.net",
    "playcode.io",
    "plnkr.co",
    "repl.co",
    "replit.dev",
    "scrimba.com",
    "stackblitz.com",
    "stackblitz.io",
    "webcontainer-api.io",
    "webcontainer.io",
    "w3schools.com",
];

/// Is `host` the domain `name` or below it?
pub(crate) fn is_or_below(host: &str, name: &str) -> bool {
    host.strip_suffix(name)
        .is_some_and(|before| before.is_empty() || before.ends_with('.'))
}

/// The host of an http or https URL as browsers serialize it (URL standard, "host parser" and "host
/// serializer"), or nothing if no page can have it: forbidden characters, or a name that DNS cannot
/// hold. Only ASCII is looked at; characters outside it give nothing.
pub(crate) fn web_host(text: &str) -> Option<String> {
    if text.starts_with('[') {
        return ipv6(text).map(|address| format!("[{}]", ipv6_text(address)));
    }
    let host = text.to_ascii_lowercase();
    if host.bytes().any(is_forbidden_domain_byte) {
        return None;
    }
    if ends_in_a_number(&host) {
        return ipv4(&host).map(|address| address.to_string());
    }
    // One dot at the end is the root and stays: `https://example.com.` is an origin of its own.
    let name = host.strip_suffix('.').unwrap_or(&host);
    let labels_fit = name
        .split('.')
        .all(|label| !label.is_empty() && label.len() <= 63);
    (labels_fit && name.len() <= 253).then_some(host)
}

/// The host of another scheme's URL (URL standard, "opaque-host parser"), or nothing.
pub(crate) fn opaque_host(text: &str) -> Option<String> {
    if text.starts_with('[') {
        return web_host(text);
    }
    let fits = !text.is_empty()
        && text.bytes().all(|byte| {
            byte.is_ascii_graphic() && (byte == b'%' || !is_forbidden_domain_byte(byte))
        });
    fits.then(|| text.into())
}

/// The URL standard's forbidden domain code points, and everything outside ASCII.
fn is_forbidden_domain_byte(byte: u8) -> bool {
    !byte.is_ascii_graphic() || b"#/:<>?@[\\]^|%".contains(&byte)
}

/// URL standard, "ends in a number checker".
fn ends_in_a_number(host: &str) -> bool {
    let host = host.strip_suffix('.').unwrap_or(host);
    let last = host.rsplit('.').next().unwrap_or_default();
    !last.is_empty()
        && (last.bytes().all(|byte| byte.is_ascii_digit()) || ipv4_number(last).is_some())
}

/// URL standard, "IPv4 parser".
fn ipv4(host: &str) -> Option<Ipv4Addr> {
    let host = host.strip_suffix('.').unwrap_or(host);
    let parts = host
        .split('.')
        .map(ipv4_number)
        .collect::<Option<Vec<_>>>()?;
    let (last, front) = parts.split_last()?;
    if front.len() > 3 || front.iter().any(|part| *part > 255) {
        return None;
    }
    let free_bits = 8 * (4 - u32::try_from(front.len()).ok()?);
    if *last >= 1u64 << free_bits {
        return None;
    }
    let high = front
        .iter()
        .zip([24, 16, 8])
        .fold(0, |sum, (part, shift)| sum | (*part << shift));
    u32::try_from(high | last).ok().map(Ipv4Addr::from)
}

/// URL standard, "IPv4 number parser".
fn ipv4_number(text: &str) -> Option<u64> {
    let (digits, radix) = match text.strip_prefix("0x") {
        Some("") => return Some(0),
        Some(hexadecimal) => (hexadecimal, 16),
        None if text.len() > 1 && text.starts_with('0') => (&text[1..], 8),
        None => (text, 10),
    };
    // `from_str_radix` would take a sign.
    digits
        .bytes()
        .all(|byte| byte.is_ascii_hexdigit())
        .then(|| u64::from_str_radix(digits, radix).ok())?
}

/// Is it a URL's scheme (RFC 3986 §3.1)?
pub(crate) fn is_scheme(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
}

/// Would a browser parse the text as an absolute URL, however odd? (URL standard's parser, as far as
/// it decides about validity; browsers tell a wrong Access-Control-Allow-Origin from an invalid one
/// by it.)
pub(crate) fn is_parsable_url(text: &str) -> bool {
    let Some((scheme, after)) = text.split_once(':') else {
        return false;
    };
    let special = ["file", "ftp", "http", "https", "ws", "wss"]
        .iter()
        .any(|special| scheme.eq_ignore_ascii_case(special));
    let authority = if special {
        after.trim_start_matches(['/', '\\'])
    } else if let Some(authority) = after.strip_prefix("//") {
        authority
    } else {
        return is_scheme(scheme);
    };
    let authority = authority.split(['/', '?', '#']).next().unwrap_or_default();
    let authority = authority.rsplit('@').next().unwrap_or_default();
    let bracket = authority.rfind(']').unwrap_or(0);
    let (host, port) = match authority[bracket..].split_once(':') {
        Some((_, port)) => (&authority[..authority.len() - port.len() - 1], port),
        None => (authority, ""),
    };
    let host_is_fine = if host.is_empty() {
        !special || scheme.eq_ignore_ascii_case("file")
    } else if host.starts_with('[') {
        ipv6(host).is_some()
    } else {
        let numeric = special && ends_in_a_number(&host.to_ascii_lowercase());
        host.bytes()
            .all(|byte| !byte.is_ascii() || byte == b'%' || !is_forbidden_domain_byte(byte))
            && (!numeric || ipv4(&host.to_ascii_lowercase()).is_some())
    };
    is_scheme(scheme) && host_is_fine && (port.is_empty() || port.parse::<u16>().is_ok())
}

fn ipv6(host: &str) -> Option<Ipv6Addr> {
    host.strip_prefix('[')?.strip_suffix(']')?.parse().ok()
}

/// URL standard, "IPv6 serializer": like RFC 5952, but never with a dotted IPv4 part.
fn ipv6_text(address: Ipv6Addr) -> String {
    let pieces = address.segments();
    let (mut skip_from, mut skip) = (0, 0);
    for from in 0..pieces.len() {
        let zeros = pieces[from..].iter().take_while(|piece| **piece == 0);
        let zeros = zeros.count();
        if zeros > skip.max(1) {
            (skip_from, skip) = (from, zeros);
        }
    }
    let join = |pieces: &[u16]| {
        let texts: Vec<_> = pieces.iter().map(|piece| format!("{piece:x}")).collect();
        texts.join(":")
    };
    if skip == 0 {
        return join(&pieces);
    }
    format!(
        "{}::{}",
        join(&pieces[..skip_from]),
        join(&pieces[skip_from + skip..])
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Expected values: the URL standard's algorithms by hand, and its examples.
    #[test]
    fn hosts_are_serialized_as_the_url_standard_says() {
        for (text, expected) in [
            ("example.com", Some("example.com")),
            ("EXAMPLE.com", Some("example.com")),
            ("example.com.", Some("example.com.")),
            ("ex_ample.com", Some("ex_ample.com")),
            (
                "a{b}~!$&'()+;=`\".example",
                Some("a{b}~!$&'()+;=`\".example"),
            ),
            ("xn--bcher-kva.example", Some("xn--bcher-kva.example")),
            ("", None),
            (".", None),
            ("example..com", None),
            (".example.com", None),
            ("exa mple.com", None),
            ("exa%20mple.com", None),
            ("exa|mple.com", None),
            ("exa\\mple.com", None),
            ("bücher.example", None),
            ("127.0.0.1", Some("127.0.0.1")),
            ("127.0.0.1.", Some("127.0.0.1")),
            ("127.1", Some("127.0.0.1")),
            ("0x7f.1", Some("127.0.0.1")),
            ("0X7F.1", Some("127.0.0.1")),
            ("2130706433", Some("127.0.0.1")),
            ("0300.0250.1", Some("192.168.0.1")),
            ("0x", Some("0.0.0.0")),
            ("1.2.3", Some("1.2.0.3")),
            ("256.1.1.1", None),
            ("1.2.3.256", None),
            ("1.2.3.4.5", None),
            ("08.1.1.1", None),
            ("example.123", None),
            ("4294967296", None),
            ("1.2.3.4x", Some("1.2.3.4x")),
            ("[::1]", Some("[::1]")),
            ("[0:0:0:0:0:0:0:1]", Some("[::1]")),
            ("[2001:DB8::1]", Some("[2001:db8::1]")),
            ("[::ffff:1.2.3.4]", Some("[::ffff:102:304]")),
            ("[1:0:0:2:0:0:0:3]", Some("[1:0:0:2::3]")),
            ("[1:0:2:3:4:5:6:7]", Some("[1:0:2:3:4:5:6:7]")),
            ("[::]", Some("[::]")),
            ("[::1", None),
            ("[::1%eth0]", None),
            ("[1.2.3.4]", None),
        ] {
            assert_eq!(web_host(text).as_deref(), expected, "{text}");
        }
        assert_eq!(web_host(&"a".repeat(63)), Some("a".repeat(63)));
        assert_eq!(web_host(&"a".repeat(64)), None);
        assert_eq!(web_host(&["a"; 127].join(".")), Some(["a"; 127].join(".")));
        assert_eq!(web_host(&["a"; 128].join(".")), None);
    }

    #[test]
    fn kinds_of_hosts() {
        use HostKind::{Loopback, Private, Public};
        for (host, kind) in [
            ("example.com", Public),
            ("app.example", Public),
            ("8.8.8.8", Public),
            ("172.32.0.1", Public),
            ("[2001:db8::1]", Public),
            ("localhost.example.com", Public),
            ("notlocalhost", Private),
            ("localhost", Loopback),
            ("localhost.", Loopback),
            ("app.localhost", Loopback),
            ("127.255.0.1", Loopback),
            ("0.0.0.0", Loopback),
            ("[::1]", Loopback),
            ("[::ffff:7f00:1]", Loopback),
            ("10.0.0.1", Private),
            ("172.16.0.1", Private),
            ("192.168.1.1", Private),
            ("169.254.1.1", Private),
            ("100.64.0.1", Private),
            ("[fe80::1]", Private),
            ("[fd00::1]", Private),
            ("printer.local", Private),
            ("app.internal", Private),
            ("app.test", Private),
            ("router.home.arpa", Private),
            ("intranet", Private),
        ] {
            assert_eq!(HostKind::of(host), kind, "{host}");
        }
    }

    #[test]
    fn urls_that_parse() {
        for text in [
            "https://Example.com/",
            "http://me@localhost:1",
            "http://*.example.com",
            "localhost:3000",
            "foo:",
            "file:///x",
            "https:/example.com",
            "http://bücher.example:80",
            "http://[::1]:1/x",
            "app://.",
        ] {
            assert!(is_parsable_url(text), "{text}");
        }
        for text in [
            "",
            "localhost",
            "//example.com",
            "*.example.com",
            "http://localhost:*",
            "http://localhost:1;",
            "http://localhost:70000",
            "^http://localhost",
            "https://",
            "http://a<b",
            "http://[::1",
            "http://1.2.3.999",
            "\"https://example.com\"",
        ] {
            assert!(!is_parsable_url(text), "{text}");
        }
    }

    #[test]
    fn development_hosts() {
        use DevelopmentHost::{Loopback, Playground, Tunnel};
        for (host, kind) in [
            ("localhost", Some(Loopback)),
            ("127.0.0.1", Some(Loopback)),
            ("abc.ngrok.io", Some(Tunnel)),
            ("abc.eu.ngrok.io", Some(Tunnel)),
            ("xngrok.io", None),
            ("abc.trycloudflare.com", Some(Tunnel)),
            ("jsfiddle.net", Some(Playground)),
            ("abc.csb.app", Some(Playground)),
            ("example.com", None),
            ("10.0.0.1", None),
        ] {
            assert_eq!(DevelopmentHost::of(host), kind, "{host}");
        }
    }
}
