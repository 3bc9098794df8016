//! Numbers, sizes, times and addresses as nginx reads them (`ngx_string.c`, `ngx_parse.c`,
//! `ngx_inet.c`).

use std::net::{Ipv4Addr, Ipv6Addr};

/// Digits only, at least one.
pub(super) fn number(text: &str) -> Option<i64> {
    let is_digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    is_digits.then(|| text.parse().ok())?
}

fn scaled(text: &str, units: &[(u8, i64)]) -> Option<i64> {
    let last = text.bytes().last()?.to_ascii_lowercase();
    match units.iter().find(|(unit, _)| *unit == last) {
        Some((_, scale)) => number(&text[..text.len() - 1])?.checked_mul(*scale),
        None => number(text),
    }
}

/// Bytes, with `k` or `m`.
pub(super) fn size(text: &str) -> Option<i64> {
    scaled(text, &[(b'k', 1 << 10), (b'm', 1 << 20)])
}

/// Bytes, with `k`, `m` or `g`.
pub(super) fn offset(text: &str) -> Option<i64> {
    scaled(text, &[(b'k', 1 << 10), (b'm', 1 << 20), (b'g', 1 << 30)])
}

/// A time in seconds, or in milliseconds if not `seconds`; units go from large to small.
pub(super) fn time(text: &str, seconds: bool) -> Option<i64> {
    const SECOND: u8 = 7;
    const MILLISECOND: u8 = 8;
    const LAST: u8 = 9;
    let mut bytes = text.bytes().peekable();
    let mut step = if seconds { 0 } else { 2 };
    let (mut value, mut total, mut valid) = (0i64, 0i64, false);
    while let Some(byte) = bytes.next() {
        if byte.is_ascii_digit() {
            value = value.checked_mul(10)?.checked_add(i64::from(byte - b'0'))?;
            valid = true;
            continue;
        }
        let (unit, scale) = match byte {
            b'y' if step == 0 => (1, 60 * 60 * 24 * 365),
            b'M' if step < 2 => (2, 60 * 60 * 24 * 30),
            b'w' if step < 3 => (3, 60 * 60 * 24 * 7),
            b'd' if step < 4 => (4, 60 * 60 * 24),
            b'h' if step < 5 => (5, 60 * 60),
            b'm' if bytes.peek() == Some(&b's') => {
                bytes.next();
                if seconds || step >= MILLISECOND {
                    return None;
                }
                (MILLISECOND, 1)
            }
            b'm' if step < 6 => (6, 60),
            b's' if step < SECOND => (SECOND, 1),
            b' ' if step < SECOND => (LAST, 1),
            _ => return None,
        };
        step = unit;
        let scale = if step == MILLISECOND || seconds {
            scale
        } else {
            scale * 1000
        };
        total = total.checked_add(value.checked_mul(scale)?)?;
        value = 0;
        while bytes.next_if_eq(&b' ').is_some() {}
    }
    let scale = if seconds { 1 } else { 1000 };
    let sum = total.checked_add(value.checked_mul(scale)?)?;
    valid.then_some(sum)
}

/// An IPv4 address as `ngx_inet_addr` reads it: an empty octet is 0.
pub(super) fn ipv4(text: &str) -> Option<Ipv4Addr> {
    let mut octets = [0u8; 4];
    let mut parts = text.split('.');
    for octet in &mut octets {
        let part = parts.next()?;
        let digits = part.trim_start_matches('0');
        let is_number = part.bytes().all(|byte| byte.is_ascii_digit()) && digits.len() <= 3;
        *octet = match digits {
            "" if is_number => 0,
            _ if is_number => digits.parse().ok()?,
            _ => return None,
        };
    }
    parts.next().is_none().then(|| Ipv4Addr::from(octets))
}

/// An IPv6 address without brackets.
fn ipv6(text: &str) -> Option<Ipv6Addr> {
    text.parse().ok()
}

/// Is it an address with an optional mask? Host bits that the mask hides are allowed.
pub(super) fn is_cidr(text: &str) -> bool {
    let (address, mask) = match text.split_once('/') {
        Some((address, mask)) => (address, Some(mask)),
        None => (text, None),
    };
    let bits = match (ipv4(address), ipv6(address)) {
        (Some(_), _) => 32,
        (None, Some(_)) => 128,
        (None, None) => return false,
    };
    mask.is_none_or(|mask| number(mask).is_some_and(|mask| mask <= bits))
}

/// Is it an address, with or without a port?
pub(super) fn is_address(text: &str) -> bool {
    let is_port = |port: &str| number(port).is_some_and(|port| (1..=65535).contains(&port));
    if ipv4(text).is_some() || ipv6(text).is_some() {
        return true;
    }
    if let Some(rest) = text.strip_prefix('[') {
        return rest
            .split_once("]:")
            .is_some_and(|(host, port)| ipv6(host).is_some() && is_port(port));
    }
    text.split_once(':')
        .is_some_and(|(host, port)| ipv4(host).is_some() && is_port(port))
}

/// Where a socket listens or connects.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Host {
    /// An IPv4 address; unspecified for `*` or a port alone.
    V4(Ipv4Addr),
    /// An IPv6 address.
    V6(Ipv6Addr),
    /// The path of a Unix socket.
    Unix(String),
    /// A name, which is looked up.
    Name(String),
}

/// What `ngx_parse_url` makes of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Url {
    pub(super) host: Host,
    /// The text of the host.
    pub(super) name: String,
    /// The first port, if one is written.
    pub(super) port: Option<i64>,
    /// The last port of a range, or the same.
    pub(super) last_port: Option<i64>,
    /// Something follows host and port.
    pub(super) has_uri: bool,
}

/// How to read a URL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum UrlKind {
    /// The address of `listen`.
    Listen,
    /// Host and port.
    Host,
    /// Host, port and perhaps a URI.
    WithUri,
}

/// Reads host, port and URI, without a scheme.
pub(super) fn url(text: &str, kind: UrlKind) -> Result<Url, &'static str> {
    if text
        .get(..5)
        .is_some_and(|start| start.eq_ignore_ascii_case("unix:"))
    {
        unix_url(&text[5..], kind)
    } else if let Some(rest) = text.strip_prefix('[') {
        inet6_url(rest, kind)
    } else {
        inet_url(text, kind)
    }
}

fn unix_url(text: &str, kind: UrlKind) -> Result<Url, &'static str> {
    let (path, has_uri) = match text.split_once(':') {
        Some((path, uri)) if kind == UrlKind::WithUri => (path, !uri.is_empty()),
        _ => (text, false),
    };
    if path.is_empty() {
        return Err("no path in the unix domain socket");
    }
    // `sun_path` holds 108 bytes on Linux, 104 elsewhere; the larger one is surely too long.
    if path.len() + 1 > 108 {
        return Err("too long path in the unix domain socket");
    }
    Ok(Url {
        host: Host::Unix(path.to_owned()),
        name: path.to_owned(),
        port: None,
        last_port: None,
        has_uri,
    })
}

type Ports = (Option<i64>, Option<i64>);

/// A port, or a range of ports where one listens.
fn ports(text: &str, kind: UrlKind) -> Result<Ports, &'static str> {
    let valid = |text: &str| number(text).filter(|port| (1..=65535).contains(port));
    let (first, last) = match text.split_once('-') {
        Some((first, last)) if kind == UrlKind::Listen => {
            (first, Some(valid(last).ok_or("invalid port")?))
        }
        _ => (text, None),
    };
    let first = valid(first).ok_or("invalid port")?;
    if last.is_some_and(|last| first > last) {
        return Err("invalid port range");
    }
    Ok((Some(first), Some(last.unwrap_or(first))))
}

fn split_uri<'t>(
    text: &'t str,
    signs: &[char],
    kind: UrlKind,
) -> Result<(&'t str, bool), &'static str> {
    match text.find(signs) {
        None => Ok((text, false)),
        Some(_) if kind != UrlKind::WithUri => Err("invalid host"),
        Some(at) => Ok((&text[..at], true)),
    }
}

fn inet6_url(text: &str, kind: UrlKind) -> Result<Url, &'static str> {
    let (host, rest) = text.split_once(']').ok_or("invalid host")?;
    let (rest, has_uri) = split_uri(rest, &['/'], kind)?;
    let (port, last_port) = match rest.strip_prefix(':') {
        Some(port) => ports(port, kind)?,
        None if rest.is_empty() => (None, None),
        None => return Err("invalid host"),
    };
    if host.is_empty() {
        return Err("no host");
    }
    let address = ipv6(host).ok_or("invalid IPv6 address")?;
    Ok(Url {
        host: Host::V6(address),
        name: format!("[{host}]"),
        port,
        last_port,
        has_uri,
    })
}

fn inet_url(text: &str, kind: UrlKind) -> Result<Url, &'static str> {
    let (text, has_uri) = split_uri(text, &['/', '?'], kind)?;
    let any = |ports: Ports| Url {
        host: Host::V4(Ipv4Addr::UNSPECIFIED),
        name: "*".to_owned(),
        port: ports.0,
        last_port: ports.1,
        has_uri,
    };
    let (host, (port, last_port)) = match text.split_once(':') {
        Some((host, port)) => (host, ports(port, kind)?),
        None => {
            let first = text.split('-').next().unwrap_or_default();
            let rest = text.split_once('-').map(|(_, last)| last);
            let is_port = number(first).is_some() && rest.is_none_or(|last| number(last).is_some());
            if kind == UrlKind::Listen && is_port {
                return ports(text, kind).map(any);
            }
            (text, (None, None))
        }
    };
    if host.is_empty() {
        return Err("no host");
    }
    if kind == UrlKind::Listen && host == "*" {
        return Ok(any((port, last_port)));
    }
    let address = ipv4(host).map_or_else(|| Host::Name(host.to_ascii_lowercase()), Host::V4);
    Ok(Url {
        host: address,
        name: host.to_owned(),
        port,
        last_port,
        has_uri,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_sizes() {
        assert_eq!(number("10"), Some(10));
        for text in ["", "-1", "+1", "1x", " 1", "99999999999999999999"] {
            assert_eq!(number(text), None, "{text}");
        }
        assert_eq!(size("4k"), Some(4096));
        assert_eq!(size("1M"), Some(1 << 20));
        assert_eq!((size("1g"), size("k"), size("")), (None, None, None));
        assert_eq!(offset("2G"), Some(2 << 30));
        assert_eq!(size("9999999999999999m"), None);
    }

    #[test]
    fn times() {
        assert_eq!(time("60", true), Some(60));
        assert_eq!(time("60", false), Some(60_000));
        assert_eq!(time("1d12h", true), Some(36 * 3600));
        assert_eq!(time("1h 30m", true), Some(5400));
        assert_eq!(time("10ms", false), Some(10));
        assert_eq!(time("1m500ms", false), Some(60_500));
        assert_eq!(time("1y", true), Some(31_536_000));
        assert_eq!(time("1M", true), Some(2_592_000));
        assert_eq!(time("1M", false), None);
        for text in ["", "s", "1x", "1s1m", "10ms"] {
            assert_eq!(time(text, true), None, "{text}");
        }
        assert_eq!(time("1y", false), None);
        assert_eq!(time("1m1m", true), None);
    }

    #[test]
    fn addresses() {
        for text in [
            "10.0.0.0/8",
            "1.2.3.4",
            "::1",
            "2001:db8::/32",
            "10.1.2.3/8",
            "0.0.0.0/0",
        ] {
            assert!(is_cidr(text), "{text}");
        }
        for text in [
            "10.0.0",
            "256.0.0.1",
            "10.0.0.0/33",
            "::/129",
            "localhost",
            "10.0.0.0/",
        ] {
            assert!(!is_cidr(text), "{text}");
        }
        assert!(is_address("127.0.0.1:80") && is_address("[::1]:80") && is_address("::1"));
        assert!(!is_address("localhost") && !is_address("127.0.0.1:0"));
    }

    #[test]
    fn urls() {
        let listen =
            |text| url(text, UrlKind::Listen).map(|url| (url.host, url.port, url.last_port));
        let any = Host::V4(Ipv4Addr::UNSPECIFIED);
        assert_eq!(listen("80"), Ok((any.clone(), Some(80), Some(80))));
        assert_eq!(
            listen("*:8000-8010"),
            Ok((any.clone(), Some(8000), Some(8010)))
        );
        assert_eq!(listen("80-81"), Ok((any, Some(80), Some(81))));
        assert_eq!(
            listen("[::]:80"),
            Ok((Host::V6(Ipv6Addr::UNSPECIFIED), Some(80), Some(80)))
        );
        assert_eq!(listen("0"), Err("invalid port"));
        assert_eq!(listen("81-80"), Err("invalid port range"));
        assert_eq!(listen("http://x"), Err("invalid host"));
        assert_eq!(listen("[::]80"), Err("invalid host"));
        assert_eq!(listen("unix:"), Err("no path in the unix domain socket"));
        let upstream = |text| url(text, UrlKind::WithUri).map(|url| (url.name, url.has_uri));
        assert_eq!(upstream("a.b:80/x"), Ok(("a.b".into(), true)));
        assert_eq!(upstream("a?b"), Ok(("a".into(), true)));
        assert_eq!(upstream("unix:/a:/b"), Ok(("/a".into(), true)));
        assert_eq!(upstream("a:x/"), Err("invalid port"));
        assert_eq!(upstream("/x"), Err("no host"));
        assert_eq!(url("a/b", UrlKind::Host), Err("invalid host"));
    }
}
