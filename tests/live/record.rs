//! Asks the real nginx what a case's requests get.

use std::collections::BTreeMap;

use crate::client;
use crate::fidelity::{Answer, Ask, Case, Record, Row, split_url, standard_kinds};
use crate::nginx::{self, Nginx};
use crate::prepare::{port_of, prepare};
use crate::upstream::Upstream;

/// nginx running on a case, with an upstream behind it.
pub(crate) struct Session {
    _server: Nginx,
    upstream: Upstream,
    ports: BTreeMap<String, u16>,
}

impl Session {
    /// Starts nginx; again with other ports if somebody else took one in between.
    ///
    /// # Errors
    /// What nginx wrote when it refused the configuration.
    pub(crate) fn start(case: &Case) -> Result<Self, String> {
        let upstream = Upstream::start(case.plan.upstream.clone());
        let mut log = String::new();
        for _ in 0..3 {
            let prepared = prepare(case, upstream.port);
            let ports: Vec<u16> = prepared.ports.values().copied().collect();
            if ports.is_empty() {
                return Err("no server".into());
            }
            match Nginx::start(prepared.folder, &ports) {
                Ok(server) => {
                    return Ok(Self {
                        _server: server,
                        upstream,
                        ports: prepared.ports,
                    });
                }
                Err(words) => log = words,
            }
            if !log.contains("bind()") {
                break;
            }
        }
        Err(log)
    }

    /// Sends one request; `None` if no server listens on the URL's port.
    pub(crate) fn send(&self, ask: &Ask) -> Option<Answer> {
        let (scheme, _, port, _) = split_url(&ask.url);
        let default = if scheme == "https" { 443 } else { 80 };
        let port = port_of(&self.ports, port.unwrap_or(default))?;
        Some(client::send(port, ask, &self.ports))
    }

    /// Sends everything that `case` asks for, for all `origins`.
    pub(crate) fn record(&self, case: &Case, origins: &[Option<String>]) -> Record {
        let mut rows: Vec<Row> = Vec::new();
        for target in case.targets() {
            // Asks one kind for every origin; says whether the upstream was asked.
            let mut ask = |kind: &str| {
                let before = self.upstream.requests();
                for origin in origins {
                    let ask = target.ask(kind, origin.as_deref());
                    let answer = self.send(&ask);
                    let answer = answer.unwrap_or_else(|| panic!("nobody listens: {}", ask.url));
                    rows.push(Row { ask, answer });
                }
                self.upstream.requests() > before
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
        Record {
            server: format!("nginx {}", nginx::version()),
            rows,
        }
    }
}
