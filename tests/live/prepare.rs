//! Makes a realistic configuration run on loopback, in a folder, beside nothing else.
//!
//! Only what ties a file to its machine is changed: ports, upstream addresses, certificates,
//! absolute paths, logs and the process's own settings.

use std::collections::BTreeMap;

use crate::fidelity::{Case, Edit, Sketch, apply, sketch};
use crate::nginx::{self, Folder};

/// Directives of the process or of TLS that a run on loopback does not have.
const REMOVED: [&str; 10] = [
    "user",
    "pid",
    "error_log",
    "daemon",
    "master_process",
    "worker_processes",
    "load_module",
    "access_log",
    "http2",
    "http3",
];

/// Directives whose first argument is a path or an address of a file.
const PATHS: [&str; 5] = [
    "root",
    "alias",
    "auth_basic_user_file",
    "include",
    "proxy_cache_path",
];

const HTTP: &str = "\n    access_log off; client_body_temp_path temp/body; proxy_temp_path temp/proxy; \
    fastcgi_temp_path temp/fastcgi; uwsgi_temp_path temp/uwsgi; scgi_temp_path temp/scgi;\n";

/// A folder ready to start nginx in.
pub(crate) struct Prepared {
    pub(crate) folder: Folder,
    /// The port of each `listen` address as written; `80` also for servers without `listen`.
    pub(crate) ports: BTreeMap<String, u16>,
}

/// The port that stands for the port of a URL, if a server listens on that.
pub(crate) fn port_of(ports: &BTreeMap<String, u16>, port: u16) -> Option<u16> {
    let port = port.to_string();
    let mut found = ports
        .iter()
        .filter(|(address, _)| !address.contains('[') && address.rsplit(':').next() == Some(&port));
    found.next().map(|(_, port)| *port)
}

/// What the addresses and paths of a configuration become.
struct Machine {
    /// The folder that stands for `/`.
    root: String,
    /// The port of the upstream that stands for all applications.
    upstream: u16,
    /// The names of `upstream` blocks.
    pools: Vec<String>,
    /// The port of each `listen` address.
    ports: BTreeMap<String, u16>,
}

impl Machine {
    fn new(case: &Case, folder: &Folder, upstream: u16) -> Self {
        let mut machine = Self {
            root: folder.path().display().to_string(),
            upstream,
            pools: Vec::new(),
            ports: BTreeMap::new(),
        };
        for directive in case.texts().into_iter().flat_map(sketch) {
            directive.walk(&mut Vec::new(), &mut |inner, _| {
                let first = inner.args.first().cloned();
                match inner.name.as_str() {
                    "upstream" => machine.pools.extend(first),
                    "listen" => {
                        let address = first.unwrap_or_default();
                        machine.ports.insert(address, nginx::free_port());
                    }
                    _ => {}
                }
            });
        }
        machine
    }

    /// Where requests to `address` go: to a server of this configuration, else to the upstream.
    fn target(&self, address: &str) -> u16 {
        let port = match address.rsplit_once(':') {
            Some(("127.0.0.1" | "localhost", port)) => port,
            _ => return self.upstream,
        };
        let inner = self
            .ports
            .iter()
            .find(|(listen, _)| !listen.contains('[') && listen.rsplit(':').next() == Some(port));
        inner.map_or(self.upstream, |(_, port)| *port)
    }
}

/// Writes a case into a fresh folder.
pub(crate) fn prepare(case: &Case, upstream: u16) -> Prepared {
    let folder = Folder::new();
    let mut machine = Machine::new(case, &folder, upstream);
    let mut modules = String::new();
    for (name, text) in &case.files {
        modules.push_str(text);
        folder.write(name, &rewrite(text, &mut machine));
    }
    let modules = nginx::modules_for(&modules);
    let main = match case.files.iter().find(|(name, _)| name == "nginx.conf") {
        Some(_) => std::fs::read_to_string(folder.path().join("nginx.conf")).unwrap(),
        None => {
            let text = wrapper(case);
            rewrite(&text, &mut machine)
        }
    };
    folder.write("nginx.conf", &(modules + &main));
    for known in [
        "mime.types",
        "fastcgi_params",
        "uwsgi_params",
        "proxy_params",
    ] {
        if !folder.path().join(known).exists() {
            let text = std::fs::read_to_string(format!("/etc/nginx/{known}"));
            folder.write(known, &text.unwrap_or_default());
        }
    }
    for text in case.texts() {
        for directive in sketch(text) {
            directive.walk(&mut Vec::new(), &mut |inner, _| {
                if inner.name == "proxy_cache_path" {
                    folder.write(&format!("{}/.keep", inner.args[0]), "");
                }
            });
        }
    }
    for name in case.documents() {
        let content = case
            .plan
            .files
            .iter()
            .find(|(path, _)| path.trim_start_matches('/') == name);
        folder.write(&name, content.map_or("a file\n", |(_, content)| content));
    }
    Prepared {
        folder,
        ports: machine.ports,
    }
}

/// A main file around a lone piece of configuration.
fn wrapper(case: &Case) -> String {
    let files = case.files.iter().filter(|(name, _)| !name.contains('/'));
    let mut text = String::new();
    for (name, content) in files {
        let inside = sketch(content).iter().any(|directive| {
            matches!(directive.name.as_str(), "server" | "map" | "upstream")
                && directive.block.is_some()
        });
        let include = format!("include {name};");
        text.push_str(&if inside {
            include
        } else {
            format!("server {{ listen 80; {include} }}")
        });
    }
    format!("events {{}} http {{ {text} }}")
}

fn rewrite(text: &str, machine: &mut Machine) -> String {
    let directives = sketch(text);
    let mut edits = Vec::new();
    for directive in &directives {
        directive.walk(&mut Vec::new(), &mut |inner, around| {
            let around = around.last().map_or("", String::as_str);
            if let Some(new) = replacement(inner, around, machine) {
                edits.push(Edit {
                    start: inner.start,
                    end: inner.end,
                    text: new,
                });
            }
            let Some((inside, _)) = &inner.block else {
                return;
            };
            let mut insert = |text: String| {
                edits.push(Edit {
                    start: *inside,
                    end: *inside,
                    text,
                });
            };
            if inner.name == "http" {
                insert(HTTP.into());
            } else if inner.name == "server" && inner.inner("listen").next().is_none() {
                let ports = &mut machine.ports;
                let port = *ports.entry("80".into()).or_insert_with(nginx::free_port);
                insert(format!(" listen 127.0.0.1:{port};"));
            }
        });
    }
    apply(text, edits)
}

fn replacement(directive: &Sketch, around: &str, machine: &mut Machine) -> Option<String> {
    let name = directive.name.as_str();
    let first = directive.args.first().map_or("", String::as_str);
    if REMOVED.contains(&name) || name.starts_with("ssl_") {
        return Some(String::new());
    }
    let rest = |from: usize| {
        let quoted = directive.args.iter().skip(from).map(|arg| {
            let bare = arg
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || "_-./:=$".contains(c));
            if bare {
                format!(" {arg}")
            } else {
                format!(" \"{arg}\"")
            }
        });
        quoted.collect::<String>()
    };
    match name {
        "listen" => {
            let ports = &mut machine.ports;
            let port = *ports.entry(first.into()).or_insert_with(nginx::free_port);
            let default = directive.args.iter().any(|arg| arg == "default_server");
            let default = if default { " default_server" } else { "" };
            Some(format!("listen 127.0.0.1:{port}{default};"))
        }
        // An upstream that closes a connection must not be taken for dead.
        "server" if around == "upstream" => {
            let port = machine.target(first);
            Some(format!("server 127.0.0.1:{port} max_fails=0;"))
        }
        "fastcgi_pass" | "uwsgi_pass" => {
            let port = machine.upstream;
            Some(format!("{name} 127.0.0.1:{port};"))
        }
        "proxy_pass" => {
            let (_, target) = first.split_once("://")?;
            let (host, path) = target.split_at(target.find(['/', '$']).unwrap_or(target.len()));
            let known = machine.pools.iter().any(|pool| pool == host) || host.is_empty();
            let host = if known {
                host.into()
            } else {
                format!("127.0.0.1:{}", machine.target(host))
            };
            Some(format!("proxy_pass http://{host}{path};"))
        }
        _ if PATHS.contains(&name) && first.starts_with('/') => {
            let path = first.strip_prefix("/etc/nginx/").map_or_else(
                || format!("{}{first}", machine.root),
                |below| format!("{}/{below}", machine.root),
            );
            Some(format!("{name} {path}{};", rest(1)))
        }
        _ => None,
    }
}
