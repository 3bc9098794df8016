//! A tiny server that does what the request's `x-answer` header says, over HTTP, FastCGI or uwsgi.

use std::io::{BufRead as _, BufReader, Read, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use crate::fidelity::UpstreamRule;

/// A running upstream, stopped on drop.
pub(crate) struct Upstream {
    pub(crate) port: u16,
    shared: Arc<Shared>,
}

struct Shared {
    rules: Vec<UpstreamRule>,
    requests: AtomicUsize,
    stopped: AtomicBool,
}

impl Upstream {
    pub(crate) fn start(rules: Vec<UpstreamRule>) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let shared = Arc::new(Shared {
            rules,
            requests: AtomicUsize::new(0),
            stopped: AtomicBool::new(false),
        });
        let serving = Arc::clone(&shared);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                if serving.stopped.load(Ordering::Acquire) {
                    break;
                }
                let (Ok(stream), serving) = (stream, Arc::clone(&serving)) else {
                    continue;
                };
                std::thread::spawn(move || serve(stream, &serving));
            }
        });
        Self { port, shared }
    }

    /// How many requests came so far.
    pub(crate) fn requests(&self) -> usize {
        self.shared.requests.load(Ordering::Acquire)
    }
}

impl Drop for Upstream {
    fn drop(&mut self) {
        self.shared.stopped.store(true, Ordering::Release);
        let _ = TcpStream::connect(("127.0.0.1", self.port));
    }
}

/// A request as any of the protocols brings it.
#[derive(Default)]
struct Incoming {
    method: String,
    path: String,
    /// Lower-case names.
    headers: Vec<(String, String)>,
}

impl Incoming {
    fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(other, _)| other == name);
        found.map(|(_, value)| value.as_str())
    }

    /// Takes a CGI variable (RFC 3875): `HTTP_X_ANSWER` is the header `x-answer`.
    fn variable(&mut self, name: &str, value: &str) {
        match name {
            "REQUEST_METHOD" => self.method = value.into(),
            "REQUEST_URI" => self.path = value.into(),
            _ => {
                if let Some(header) = name.strip_prefix("HTTP_") {
                    let name = header.to_lowercase().replace('_', "-");
                    self.headers.push((name, value.into()));
                }
            }
        }
    }
}

/// Answers one request and closes; a client that goes away in between is no concern.
fn serve(mut stream: TcpStream, shared: &Shared) {
    let _ = stream.set_read_timeout(Some(Duration::from_secs(30)));
    let Ok(reading) = stream.try_clone() else {
        return;
    };
    let mut reading = BufReader::new(reading);
    let Ok(first) = reading.fill_buf().map(|bytes| bytes.first().copied()) else {
        return;
    };
    let (incoming, protocol) = match first {
        Some(1) => (fastcgi_request(&mut reading), Protocol::FastCgi),
        Some(0) => (uwsgi_request(&mut reading), Protocol::Uwsgi),
        _ => (http_request(reading), Protocol::Http),
    };
    let Some(incoming) = incoming else {
        return;
    };
    shared.requests.fetch_add(1, Ordering::AcqRel);
    let Some(text) = answer(&incoming, protocol, &shared.rules) else {
        return;
    };
    let bytes = match protocol {
        Protocol::FastCgi => fastcgi_records(text.as_bytes()),
        Protocol::Http | Protocol::Uwsgi => text.into_bytes(),
    };
    let _ = stream.write_all(&bytes);
}

/// What nginx speaks to this upstream.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Protocol {
    Http,
    FastCgi,
    Uwsgi,
}

/// The response; `None` closes the connection instead.
fn answer(incoming: &Incoming, protocol: Protocol, rules: &[UpstreamRule]) -> Option<String> {
    let rule = rules
        .iter()
        .find(|rule| incoming.path.starts_with(&rule.path));
    let needs = rule.and_then(|rule| rule.needs.as_deref());
    let status = match needs {
        Some(names)
            if names
                .split(", ")
                .any(|name| incoming.header(name).is_some()) =>
        {
            "204"
        }
        Some(_) => "401",
        None => incoming.header("x-answer").unwrap_or("200"),
    };
    if status == "close" {
        return None;
    }
    let mut text = match protocol {
        Protocol::FastCgi => format!("Status: {status} Answer\r\n"),
        Protocol::Http | Protocol::Uwsgi => {
            format!("HTTP/1.1 {status} Answer\r\nConnection: close\r\n")
        }
    };
    for line in rule.map_or_else(Vec::new, |rule| rule.lines(incoming.header("origin"))) {
        text.push_str(&line);
        text.push_str("\r\n");
    }
    if UpstreamRule::has_body(&incoming.method, status.parse().unwrap_or(200)) {
        let body = "an answer of the application\n";
        text.push_str(&format!("Content-Type: {}\r\n", UpstreamRule::CONTENT_TYPE));
        text.push_str(&format!("Content-Length: {}\r\n\r\n{body}", body.len()));
    } else {
        text.push_str("\r\n");
    }
    Some(text)
}

fn http_request(reading: BufReader<TcpStream>) -> Option<Incoming> {
    let mut lines = reading.lines().map_while(Result::ok);
    let first = lines.next()?;
    let mut words = first.split(' ');
    let mut incoming = Incoming {
        method: words.next()?.into(),
        path: words.next()?.into(),
        headers: Vec::new(),
    };
    for line in lines.take_while(|line| !line.is_empty()) {
        if let Some((name, value)) = line.split_once(": ") {
            incoming.headers.push((name.to_lowercase(), value.into()));
        }
    }
    Some(incoming)
}

/// Reads records up to the end of the parameters (FastCGI specification §3.3, §3.4).
fn fastcgi_request(reading: &mut impl Read) -> Option<Incoming> {
    const PARAMS: u8 = 4;
    let mut params = Vec::new();
    loop {
        let mut header = [0; 8];
        reading.read_exact(&mut header).ok()?;
        let length = usize::from(u16::from_be_bytes([header[4], header[5]]));
        let mut content = vec![0; length + usize::from(header[6])];
        reading.read_exact(&mut content).ok()?;
        content.truncate(length);
        match (header[1], length) {
            (PARAMS, 0) => break,
            (PARAMS, _) => params.extend(content),
            _ => {}
        }
    }
    let mut incoming = Incoming::default();
    let mut rest = params.as_slice();
    while !rest.is_empty() {
        let name = fastcgi_length(&mut rest)?;
        let value = fastcgi_length(&mut rest)?;
        let (pair, after) = rest.split_at_checked(name + value)?;
        let (name, value) = pair.split_at(name);
        incoming.variable(
            &String::from_utf8_lossy(name),
            &String::from_utf8_lossy(value),
        );
        rest = after;
    }
    Some(incoming)
}

fn fastcgi_length(rest: &mut &[u8]) -> Option<usize> {
    let (&first, after) = rest.split_first()?;
    if first < 0x80 {
        *rest = after;
        return Some(first.into());
    }
    let (bytes, after) = rest.split_first_chunk::<4>()?;
    *rest = after;
    usize::try_from(u32::from_be_bytes(*bytes) & 0x7fff_ffff).ok()
}

/// One stdout record, its end, and the end of the request.
fn fastcgi_records(content: &[u8]) -> Vec<u8> {
    let record = |kind: u8, content: &[u8]| {
        let length = u16::try_from(content.len()).unwrap().to_be_bytes();
        let header = [1, kind, 0, 1, length[0], length[1], 0, 0];
        [&header, content].concat()
    };
    [record(6, content), record(6, &[]), record(3, &[0; 8])].concat()
}

/// Reads a packet of variables (uwsgi protocol: modifier, size, modifier; sizes little-endian).
fn uwsgi_request(reading: &mut impl Read) -> Option<Incoming> {
    let mut header = [0; 4];
    reading.read_exact(&mut header).ok()?;
    let mut content = vec![0; usize::from(u16::from_le_bytes([header[1], header[2]]))];
    reading.read_exact(&mut content).ok()?;
    let mut rest = content.as_slice();
    let mut text = || {
        let (size, after) = rest.split_first_chunk::<2>()?;
        let (text, after) = after.split_at_checked(u16::from_le_bytes(*size).into())?;
        rest = after;
        Some(String::from_utf8_lossy(text).into_owned())
    };
    let mut incoming = Incoming::default();
    while let Some(name) = text() {
        incoming.variable(&name, &text()?);
    }
    Some(incoming)
}
