//! nginx: a configuration tree with phases, inherited header lists and lazily computed variables.
//!
//! [`detect()`] knows the files, [`read()`] makes sites of them: `include` puts the files together,
//! `compile` keeps what decides a response, `endpoint` lists what can be asked, `observe` tells what
//! no response shows. `respond` runs a request through nginx's phases (`phases`) and header filters
//! (`headers`); every open condition on the way is walked both ways (`oracle`).

mod access;
mod compile;
mod complex;
mod conditions;
mod config;
mod detect;
mod directives;
mod dump;
mod endpoint;
mod files;
mod headers;
mod include;
mod location;
mod maps;
mod observe;
mod oracle;
mod phases;
mod read;
mod regex;
mod run;
mod settings;
mod upstream;
mod value;
mod variables;

#[cfg(test)]
mod tests;

pub use detect::detect;
pub use read::read;

use std::collections::HashMap;
use std::sync::OnceLock;

use crate::model::{Condition, Endpoint, Known, Observation, Request, Response, Site, World};
use crate::source::Span;
use config::{Config, LocationId, ServerId};
use endpoint::Entrance;
use location::Found;
use phases::Start;
use run::Run;

/// One nginx configuration.
struct Nginx {
    config: Config,
    /// Nobody may ask for those of a configuration without a policy.
    survey: OnceLock<Survey>,
    observations: Vec<Observation>,
    unknowns: Vec<(Span, String)>,
    /// Some file of it holds words of CORS.
    has_policy: bool,
}

/// What can be asked.
struct Survey {
    endpoints: Vec<Endpoint>,
    entrances: Vec<Entrance>,
    by_location: HashMap<LocationId, usize>,
    /// The endpoint of each server's own part, or its first one.
    by_server: Vec<Option<usize>>,
}

impl Survey {
    fn new(config: &Config) -> Self {
        let (endpoints, entrances) = endpoint::endpoints(config);
        let mut by_location = HashMap::with_capacity(entrances.len());
        let mut by_server = vec![None; config.servers.len()];
        for (at, entrance) in entrances.iter().enumerate() {
            match entrance.location {
                Some(id) => {
                    by_location.insert(id, at);
                    by_server[entrance.server].get_or_insert(at);
                }
                None => by_server[entrance.server] = Some(at),
            }
        }
        Self {
            endpoints,
            entrances,
            by_location,
            by_server,
        }
    }
}

impl Nginx {
    fn new(
        config: Config,
        observations: Vec<Observation>,
        unknowns: Vec<(Span, String)>,
        has_policy: bool,
    ) -> Self {
        Self {
            config,
            survey: OnceLock::new(),
            observations,
            unknowns,
            has_policy,
        }
    }

    fn survey(&self) -> &Survey {
        self.survey.get_or_init(|| Survey::new(&self.config))
    }

    /// The server that a request reaches.
    fn server(&self, request: &Request) -> Option<ServerId> {
        let url = &request.url;
        let port = url
            .port
            .unwrap_or(if url.scheme == "https" { 443 } else { 80 });
        let servers = &self.config.servers;
        match self.config.ports.get(&port) {
            Some(port) => port.choose(&self.config, &url.host).map(|(id, _)| id),
            // A port that is not in view (a template's) may be any.
            None => servers
                .iter()
                .position(|server| server.listens.iter().all(|listen| listen.port.is_none())),
        }
    }
}

impl Site for Nginx {
    fn framework(&self) -> &'static str {
        "nginx"
    }

    fn conditions(&self) -> &[Condition] {
        &[]
    }

    fn endpoints(&self) -> &[Endpoint] {
        &self.survey().endpoints
    }

    fn has_policy(&self) -> bool {
        self.has_policy
    }

    fn route(&self, request: &Request) -> Option<usize> {
        let server = self.server(request)?;
        let survey = self.survey();
        let settings = &self.config.servers[server];
        let uri = location::normalise(&request.url.path, settings.merge_slashes);
        let found = match location::find(&self.config, &settings.table, &uri) {
            Found::Location(id, _) | Found::Redirect(id) => survey.by_location.get(&id).copied(),
            Found::Server | Found::Unknown => None,
        };
        found.or(survey.by_server[server])
    }

    fn respond(&self, endpoint: usize, request: &Request, _world: &World) -> Vec<Response> {
        let survey = self.survey();
        let (Some(entrance), Some(known)) = (
            survey.entrances.get(endpoint),
            survey.endpoints.get(endpoint),
        ) else {
            return vec![headers::unknown()];
        };
        if entrance.handed_over && request.is_preflight() && !request.exact {
            return vec![headers::unknown()];
        }
        let start = match entrance.location {
            Some(id) if request.url.path == known.url.path => match entrance.forced {
                false => Start::Routed(id, entrance.groups.as_ref()),
                // A request that was really sent came through the front door.
                true if request.exact => Start::Server,
                true => Start::Forced(id),
            },
            _ => Start::Server,
        };
        let mut responses = oracle::explore(|oracle| {
            Run::new(&self.config, entrance.server, request, oracle).respond(start)
        });
        if entrance.handed_over {
            // nginx keeps the Cache-Control of the answer that led here with X-Accel-Redirect.
            for response in &mut responses {
                if response.cacheable == Known::Known(true) {
                    response.cacheable = Known::Unknown;
                }
            }
        }
        responses
    }

    fn observations(&self) -> &[Observation] {
        &self.observations
    }

    fn unknowns(&self) -> &[(Span, String)] {
        &self.unknowns
    }
}
