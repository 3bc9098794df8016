//! The facts that rules read off an endpoint's answers and settings.

use std::collections::HashSet;

use super::alike::ending;
use super::ask::{FOREIGN, Subject};
use super::exchange::dropped_lines;
use super::facts::{FactSource, Node};
use super::schema;
use crate::model::{AllowedOrigin, Allows, Application, Dropped, Setting};

const FOREIGN_HTTP: &str = "http://evil.example";

impl FactSource for Subject {
    fn fact(&self, name: &str) -> Option<Node> {
        let probe = |origin: Option<String>| {
            Node::map(
                &schema::PROBE,
                Probe {
                    subject: self.clone(),
                    origin,
                },
            )
        };
        let endpoint = self.endpoint();
        Some(match name {
            "trusted" => {
                let origin = Some(self.trusted().origin.clone());
                let subject = self.clone();
                Node::map(&schema::TRUSTED, Probe { subject, origin })
            }
            "foreign" => probe(Some(FOREIGN.into())),
            "foreign_http" => probe(Some(FOREIGN_HTTP.into())),
            "opaque" => probe(Some("null".into())),
            "none" => probe(None),
            "same_origin" => {
                let url = &endpoint.url;
                let port = url.port.map(|port| format!(":{port}")).unwrap_or_default();
                probe(Some(format!("{}://{}{port}", url.scheme, url.host)))
            }
            "lookalikes" => Node::list(self.lookalikes()),
            "insecure" => self.variants(self.insecure()),
            "shared_hosts" => self.variants(self.shared_hosts()),
            "subdomains" => self.variants(self.subdomains()),
            "development" => self.variants(self.development()),
            "untrusted" => Node::list(self.untrusted()),
            "settings" => {
                Node::map(&schema::SETTINGS, SettingsFacts(self.clone())).at(Some(endpoint.span))
            }
            "routes" => Node::list(
                (0..endpoint.routes.len())
                    .map(|index| {
                        let subject = self.clone();
                        let span = endpoint.routes[index].span;
                        Node::map(&schema::ROUTE, RouteFacts { subject, index }).at(Some(span))
                    })
                    .collect(),
            ),
            "endpoint" => {
                Node::map(&schema::ENDPOINT, EndpointFacts(self.clone())).at(Some(endpoint.span))
            }
            _ => return None,
        })
    }
}

struct Probe {
    subject: Subject,
    origin: Option<String>,
}

impl FactSource for Probe {
    fn fact(&self, name: &str) -> Option<Node> {
        let origin = self.origin.as_deref();
        let actual = |application| {
            let mut request = self.subject.actual(origin);
            request.application = application;
            self.subject.exchange(request)
        };
        let preflight = |method: &str, headers: &[&str]| {
            let request = self.subject.preflight(origin?, method, headers);
            self.subject.exchange(request)
        };
        match name {
            "origin" => Some(Node::optional_text(origin)),
            "dropped" => Some(Node::list(self.dropped())),
            "symbolic" => Some(Node::bool(self.subject.is_symbolic(origin))),
            "actual" => actual(Application::Answers(200)),
            "error" => actual(Application::Answers(404)),
            "uncaught" => actual(Application::Throws),
            "front_error" => actual(Application::Unreachable),
            "preflight" => preflight("GET", &[]),
            "preflight_headers" => {
                // Some libraries answer with headers only if they allow the method, too.
                let routes = &self.subject.endpoint().routes;
                let post = routes.is_empty() || routes.iter().any(|route| route.method == "POST");
                let method = match routes.first().filter(|_| !post) {
                    Some(route) => route.method.clone(),
                    None => "POST".into(),
                };
                preflight(&method, &["authorization", "content-type"])
            }
            _ => None,
        }
    }
}

impl Probe {
    /// What the actual responses, one for each method in use, and the preflight response lose.
    fn dropped(&self) -> Vec<Node> {
        let Some(origin) = self.origin.as_deref() else {
            return Vec::new();
        };
        let mut asked = vec![
            ("actual", self.subject.actual(Some(origin))),
            ("preflight", self.subject.preflight(origin, "GET", &[])),
        ];
        for route in &self.subject.endpoint().routes {
            asked.push(("actual", self.subject.actual_with(&route.method, origin)));
        }
        let mut nodes = Vec::new();
        let mut told = HashSet::new();
        for (name, request) in asked {
            if let Some(mut response) = self.subject.answer(&request) {
                let is_new = |line: &Dropped| told.insert((name, line.span, line.by));
                response.dropped.retain(is_new);
                nodes.extend(dropped_lines(&response, name, &request.method));
            }
        }
        nodes
    }
}

struct SettingsFacts(Subject);

impl FactSource for SettingsFacts {
    fn fact(&self, name: &str) -> Option<Node> {
        let settings = &self.0.endpoint().settings;
        let setting = |setting: &Option<Setting>| {
            Some(match setting {
                None => Node::null(),
                Some(setting) => Node::map(&schema::SETTING, setting.clone()).at(setting.span),
            })
        };
        match name {
            "origins" => {
                let origins = settings
                    .origins
                    .iter()
                    .map(|entry| Node::map(&schema::ORIGIN, entry.clone()).at(Some(entry.span)));
                Some(Node::list(origins.collect()))
            }
            "credentials" => setting(&settings.credentials),
            "methods" => setting(&settings.methods),
            "headers" => setting(&settings.headers),
            "exposed_headers" => setting(&settings.exposed_headers),
            "max_age" => setting(&settings.max_age),
            "private_network" => setting(&settings.private_network),
            "inherited" => Some(Node::bool(settings.inherited)),
            _ => None,
        }
    }
}

impl FactSource for Setting {
    fn fact(&self, name: &str) -> Option<Node> {
        match name {
            "values" => Some(Node::texts(&self.values).at(self.span)),
            "text" => Some(Node::text(self.values.join(", ")).at(self.span)),
            "written" => Some(Node::bool(self.span.is_some())),
            _ => None,
        }
    }
}

impl FactSource for AllowedOrigin {
    fn fact(&self, name: &str) -> Option<Node> {
        match name {
            "kind" => Some(Node::text(match self.allows {
                Allows::Exact(_) => "exact",
                Allows::Any => "any",
                Allows::Pattern(_) => "pattern",
                Allows::Predicate(_) => "predicate",
                Allows::Unknown => "unknown",
            })),
            "text" => Some(match &self.allows {
                Allows::Exact(text) | Allows::Pattern(text) => Node::text(text).at(Some(self.span)),
                Allows::Predicate(constants) => Node::text(constants.join(", ")),
                Allows::Any => Node::text("*"),
                Allows::Unknown => return None,
            }),
            "problem" => Some(Node::optional_text(
                self.problem.map(|problem| problem.text()),
            )),
            "suggestion" => Some(match &self.allows {
                Allows::Exact(text) => Node::optional_text(crate::model::suggestion(text)),
                _ => Node::null(),
            }),
            "negated" => Some(Node::bool(self.negated)),
            "fixed" => Some(Node::bool(self.fixed)),
            _ => None,
        }
    }
}

struct RouteFacts {
    subject: Subject,
    index: usize,
}

impl FactSource for RouteFacts {
    fn fact(&self, name: &str) -> Option<Node> {
        let route = self.subject.endpoint().routes.get(self.index)?;
        match name {
            "method" => Some(Node::text(&route.method).at(Some(route.span))),
            "preflight" => {
                let origin = self.subject.trusted().origin.clone();
                let request = self.subject.preflight(&origin, &route.method, &[]);
                self.subject.exchange(request)
            }
            _ => None,
        }
    }
}

struct EndpointFacts(Subject);

impl FactSource for EndpointFacts {
    fn fact(&self, name: &str) -> Option<Node> {
        let endpoint = self.0.endpoint();
        match name {
            "name" => Some(Node::text(&endpoint.name).at(Some(endpoint.span))),
            "path" => Some(Node::text(&endpoint.url.path)),
            "ending" => Some(Node::text(ending(&endpoint.url.path))),
            "host" => Some(Node::text(&endpoint.url.host)),
            "secure" => endpoint.secure.known().map(Node::bool),
            "exposure" => Some(Node::text(endpoint.exposure.name())),
            "management" => Some(Node::bool(endpoint.management)),
            "reads_headers" => Some(Node::texts(&endpoint.reads_headers)),
            "methods" => Some(Node::texts(
                endpoint.routes.iter().map(|route| &route.method),
            )),
            _ => None,
        }
    }
}
