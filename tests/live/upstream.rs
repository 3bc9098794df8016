//! A tiny HTTP server that does what the request's `x-answer` header says.

use std::io::{BufRead as _, BufReader, Write as _};
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

/// Answers one request and closes; a client that goes away in between is no concern.
fn serve(mut stream: TcpStream, shared: &Shared) {
    let _ = stream.set_read_timeout(Some(Duration::from_secs(5)));
    let Ok(reading) = stream.try_clone() else {
        return;
    };
    let mut lines = BufReader::new(reading).lines().map_while(Result::ok);
    let first = lines.next().unwrap_or_default();
    let headers: Vec<(String, String)> = lines
        .take_while(|line| !line.is_empty())
        .filter_map(|line| {
            let (name, value) = line.split_once(": ")?;
            Some((name.to_lowercase(), value.to_owned()))
        })
        .collect();
    shared.requests.fetch_add(1, Ordering::AcqRel);
    let header = |name: &str| {
        let found = headers.iter().find(|(other, _)| other == name);
        found.map(|(_, value)| value.as_str())
    };
    let path = first.split(' ').nth(1).unwrap_or_default();
    let rule = shared
        .rules
        .iter()
        .find(|rule| path.starts_with(&rule.path));
    let needs = rule.and_then(|rule| rule.needs.as_deref());
    let status = match needs {
        Some(name) if header(name).is_some() => "204",
        Some(_) => "401",
        None => header("x-answer").unwrap_or("200"),
    };
    if status == "close" {
        return;
    }
    let mut text = format!("HTTP/1.1 {status} Answer\r\nConnection: close\r\n");
    for line in rule.map_or(&[][..], |rule| &rule.headers) {
        let line = match header("origin") {
            Some(origin) => line.replace("{origin}", origin),
            None if line.contains("{origin}") => continue,
            None => line.clone(),
        };
        text.push_str(&line);
        text.push_str("\r\n");
    }
    let bare = first.starts_with("HEAD ") || matches!(status, "204" | "304");
    let body = if bare {
        ""
    } else {
        "an answer of the application\n"
    };
    if !bare {
        text.push_str("Content-Type: text/plain\r\n");
        text.push_str(&format!("Content-Length: {}\r\n", body.len()));
    }
    text.push_str("\r\n");
    text.push_str(body);
    let _ = stream.write_all(text.as_bytes());
}
