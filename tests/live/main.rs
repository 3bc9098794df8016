//! Runs real servers on loopback and compares them with what corslint says they do.
//!
//! Needs Debian's `nginx`, `libnginx-mod-http-headers-more-filter`, `libnginx-mod-http-lua` and `strace`.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "in a test a panic is the report"
)]
#![allow(clippy::print_stdout, reason = "tests print what they counted")]

mod accept;
mod browser;
mod client;
mod express;
mod express_paths;
mod express_random;
mod express_regex;
#[path = "../fidelity/mod.rs"]
mod fidelity;
mod fixes;
mod generate;
mod harmless;
mod nginx;
mod prepare;
mod python;
mod python_random;
mod random;
mod record;
mod runs;
#[path = "../support.rs"]
mod support;
mod terminal;
mod tree;
mod upstream;

use fidelity::{Failures, Tally, Told, cases, compare, origins_for, read};

/// Records every case anew and compares the answers with corslint's.
#[test]
fn fixtures_agree_with_nginx() {
    let mut failures = Failures::default();
    let mut shares: std::collections::BTreeMap<String, Tally> = Default::default();
    for case in cases().iter().filter(|case| case.plan.not_live.is_none()) {
        let origins = origins_for(&case.trusted());
        if case.plan.refused {
            if let Err(differs) = is_refused(case) {
                failures.add(&case.name, differs);
            }
            continue;
        }
        let session = record::Session::start(case)
            .unwrap_or_else(|log| panic!("{}: nginx does not start:\n{log}", case.name));
        let record = session.record(case, &origins);
        drop(session);
        let path = case.folder.join("recorded.json");
        let text = record.text(&origins);
        let before = std::fs::read_to_string(&path).ok();
        if before.as_ref().is_some_and(|before| *before != text) {
            failures.add(&case.name, "the recorded answers changed");
        }
        std::fs::write(&path, text).unwrap();
        let reading = read(case);
        let construct = case.name.split('-').next().unwrap_or_default();
        let share = shares.entry(construct.to_owned()).or_default();
        for row in record.rows.iter().filter(|row| case.compares(&row.ask)) {
            match compare(&reading, &row.ask, &row.answer, Told::All) {
                Ok(tally) => share.add(tally),
                Err(differs) => failures.add(&case.name, differs),
            }
        }
    }
    for (construct, tally) in shares {
        println!("{construct:<14} {tally}");
    }
    failures.report();
}

/// nginx refuses the case, and corslint says so in nginx's words.
fn is_refused(case: &fidelity::Case) -> Result<(), String> {
    let Err(log) = record::Session::start(case) else {
        return Err("nginx starts".into());
    };
    let options = corslint::check::Options {
        paths: vec![case.folder.clone()],
        select: vec!["syntax-error".into()],
        ..Default::default()
    };
    let report = corslint::check::check(&options).unwrap();
    let said = report.findings.iter().any(|finding| {
        let words = finding.message.trim_start_matches("nginx refuses this: ");
        log.contains(words)
    });
    let messages: Vec<_> = report.findings.iter().map(|found| &found.message).collect();
    said.then_some(())
        .ok_or_else(|| format!("nginx says {log}, corslint {messages:?}"))
}

#[test]
fn a_server_starts_and_stops() {
    let port = nginx::free_port();
    let conf = format!(
        "events {{}} http {{ access_log off; server {{ listen 127.0.0.1:{port}; return 204; }} }}"
    );
    let folder = nginx::Folder::new();
    folder.write("nginx.conf", &conf);
    let server = nginx::Nginx::start(folder, &[port]).unwrap();
    assert!(std::net::TcpStream::connect(("127.0.0.1", port)).is_ok());
    drop(server);
    assert!(std::net::TcpStream::connect(("127.0.0.1", port)).is_err());
}

#[test]
fn modules_are_there() {
    println!("nginx {}", nginx::version());
    let text = "events {} http { more_set_headers 'A: b'; init_by_lua_block { x = 1 } }";
    let folder = nginx::Folder::new();
    folder.write("nginx.conf", &(nginx::modules_for(text) + text));
    assert_eq!(nginx::accepts(&folder), Ok(()));
    folder.write("nginx.conf", "events {} http { no_such_thing; }");
    let refusal = nginx::accepts(&folder).unwrap_err();
    assert!(refusal.contains("no_such_thing"), "{refusal}");
}
