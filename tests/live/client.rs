//! A plain HTTP/1.1 client: one request, one response head.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use crate::fidelity::{Answer, Ask, own_base};

const TIMEOUT: Duration = Duration::from_secs(30);
const MAX_HEAD: usize = 64 * 1024;

/// Sends `ask` to a port and reads the answer. `ports` are the addresses that the configuration
/// listens on, with the ports that stand for them: an answer that names one is shown as if it named
/// the other.
pub(crate) fn send(port: u16, ask: &Ask, ports: &BTreeMap<String, u16>) -> Answer {
    let (target, own) = own_base(&ask.url);
    let host = own.split("://").nth(1).unwrap();
    let (method, _) = ask.methods();
    let mut text = format!("{method} {target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n");
    for line in ask.header_lines() {
        text.push_str(&line);
        text.push_str("\r\n");
    }
    text.push_str(&format!("x-answer: {}\r\n", answer_of(ask)));
    text.push_str("\r\n");
    let head = exchange(port, text.as_bytes());
    let Some(head) = head else {
        return Answer::CLOSED;
    };
    let (first, lines) = head.split_once('\n').unwrap_or((&head, ""));
    let status = first
        .split(' ')
        .nth(1)
        .and_then(|status| status.parse().ok());
    let status = status.unwrap_or_else(|| panic!("no status in {first:?}"));
    // nginx names the port that it listens on when it redirects to itself.
    let (_, host) = own.split_once("://").unwrap();
    let name = host.split(':').next().unwrap();
    let mut lines = lines.replace(&format!("http://{name}:{port}/"), &format!("{own}/"));
    for (address, port) in ports {
        let named = address.rsplit(':').next().unwrap_or(address);
        lines = lines.replace(&format!("127.0.0.1:{port}"), &format!("127.0.0.1:{named}"));
    }
    Answer::parse(status, &lines, own)
}

fn answer_of(ask: &Ask) -> String {
    let kind = ask.kind();
    kind.split(' ').nth(1).unwrap().to_owned()
}

/// The bytes up to the empty line; `None` if the connection ends before the first one.
fn exchange(port: u16, request: &[u8]) -> Option<String> {
    let address = SocketAddr::from(([127, 0, 0, 1], port));
    let mut stream = TcpStream::connect_timeout(&address, TIMEOUT).unwrap();
    stream.set_read_timeout(Some(TIMEOUT)).unwrap();
    stream.set_write_timeout(Some(TIMEOUT)).unwrap();
    stream.write_all(request).unwrap();
    let mut bytes = Vec::new();
    let mut buffer = [0; 8192];
    loop {
        // A reset is how a connection closed with unread input ends.
        let count = match stream.read(&mut buffer) {
            Ok(count) => count,
            Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => 0,
            Err(error) => panic!("no answer from nginx: {error}"),
        };
        bytes.extend_from_slice(&buffer[..count]);
        let text = String::from_utf8_lossy(&bytes);
        if let Some(end) = text.find("\r\n\r\n") {
            return Some(text[..end].to_owned());
        }
        if count == 0 || bytes.len() > MAX_HEAD {
            assert!(bytes.is_empty(), "half a response: {text:?}");
            return None;
        }
    }
}
