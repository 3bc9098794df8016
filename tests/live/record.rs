//! Asks the real nginx what a case's requests get.

use crate::client;
use crate::fidelity::{Ask, Case, Record, Row, origins_for, split_url, standard_kinds};
use crate::nginx::{self, Nginx};
use crate::prepare::prepare;
use crate::upstream::Upstream;

/// Runs nginx on a case and asks everything.
pub(crate) fn record(case: &Case) -> Record {
    let upstream = Upstream::start(case.plan.upstream.clone());
    let (server, ports) = start(case, &upstream);
    let origins = origins_for(&case.trusted());
    let mut rows: Vec<Row> = Vec::new();
    for target in case.targets() {
        let (scheme, _, port, _) = split_url(&target.url);
        let default = if scheme == "https" { 443 } else { 80 };
        let port = ports(port.unwrap_or(default));
        // Asks one kind for every origin; says whether the upstream was asked.
        let mut ask = |kind: &str| {
            let before = upstream.requests();
            for origin in &origins {
                let ask: Ask = target.ask(kind, origin.as_deref());
                let answer = client::send(port, &ask);
                rows.push(Row { ask, answer });
            }
            upstream.requests() > before
        };
        for (kind, errors) in standard_kinds() {
            if ask(kind) && !case.plan.keeps_answers {
                errors.iter().for_each(|kind| {
                    ask(kind);
                });
            }
        }
        target.further.iter().for_each(|kind| {
            ask(kind);
        });
    }
    drop(server);
    Record {
        server: format!("nginx {}", nginx::version()),
        rows,
    }
}

/// Starts nginx; again with other ports if somebody else took one in between.
fn start(case: &Case, upstream: &Upstream) -> (Nginx, impl Fn(u16) -> u16 + use<>) {
    let mut log = String::new();
    for _ in 0..3 {
        let prepared = prepare(case, upstream.port);
        let all: Vec<u16> = prepared.ports.values().copied().collect();
        let ports = prepared.ports.clone();
        match Nginx::start(prepared.folder, &all) {
            Ok(server) => return (server, move |port| crate::prepare::port_of(&ports, port)),
            Err(words) => log = words,
        }
        if !log.contains("bind()") {
            break;
        }
    }
    panic!("{}: nginx does not start:\n{log}", case.name);
}
