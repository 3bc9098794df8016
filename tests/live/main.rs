//! Runs real servers on loopback and compares them with what corslint says they do.
//!
//! Needs Debian's `nginx`, `libnginx-mod-http-headers-more-filter` and `libnginx-mod-http-lua`.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "in a test a panic is the report"
)]
#![allow(clippy::print_stdout, reason = "tests print what they counted")]

mod nginx;

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
