//! The places of an application where another policy may apply.

use super::model::{Access, Application, Handler, Link, Mapping, Source, What, any_matches};
use crate::model::Route;
use crate::source::{FileId, Span};

/// Where something begins: bytes of different files may have the same number.
pub(super) type Place = (FileId, u32);

/// What decides about the answers to a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Signature {
    /// Of the application, as numbers.
    pub(super) numbers: Vec<usize>,
    /// Of a handler: its configuration, and its code if that sets headers.
    pub(super) handler: Option<[Option<Place>; 2]>,
}

/// One policy area.
#[derive(Clone, Debug)]
pub(super) struct Area {
    pub(super) path: String,
    pub(super) method: String,
    pub(super) name: String,
    pub(super) span: Span,
    pub(super) routes: Vec<Route>,
    pub(super) management: bool,
    pub(super) reads: Vec<String>,
    pub(super) signature: Signature,
    /// The place of the handler's code, if that sets headers.
    pub(super) code: Option<Place>,
    /// The signatures of the areas that answer alike and are told by this one.
    pub(super) others: Vec<Signature>,
}

impl Area {
    /// Takes over the routes of an area that answers alike.
    pub(super) fn take(&mut self, other: Self) {
        if self.method != "GET" && other.method == "GET" {
            self.path = other.path;
            self.method = other.method;
            self.name = other.name;
            self.span = other.span;
        }
        if other.signature != self.signature {
            self.others.push(other.signature);
        }
        self.others.extend(other.others);
        for route in other.routes {
            if !self.routes.iter().any(|known| known.method == route.method) {
                self.routes.push(route);
            }
        }
        for read in other.reads {
            if !self.reads.contains(&read) {
                self.reads.push(read);
            }
        }
    }
}

/// Every place of an application where another policy may apply.
pub(super) fn candidates(app: &Application) -> Vec<Area> {
    let mut areas = Vec::new();
    for handler in &app.handlers {
        let Some(pattern) = handler.patterns.first() else {
            continue;
        };
        let path = pattern.example();
        let methods: Vec<String> = if handler.methods.is_empty() {
            vec!["GET".into()]
        } else {
            handler.methods.clone()
        };
        let method = if methods.iter().any(|method| method == "GET") {
            "GET".to_owned()
        } else {
            methods[0].clone()
        };
        let named = !handler.methods.is_empty();
        let routes = methods.iter().filter(|_| named).map(|method| Route {
            method: method.clone(),
            span: handler.span,
        });
        let signature = Signature {
            numbers: signature(app, &path, &method),
            handler: Some(signature_of(handler)),
        };
        let mut reads = handler.reads.clone();
        if takes_token(app, &path, &method) && !reads.iter().any(|name| name == "authorization") {
            reads.push("authorization".into());
        }
        areas.push(Area {
            name: format!("{method} {}", pattern.text()),
            path,
            method,
            span: handler.span,
            routes: routes.collect(),
            management: false,
            reads,
            signature,
            code: signature_of(handler)[1],
            others: Vec::new(),
        });
    }
    let mut add = |path: String, method: &str, name: String, span: Span, management: bool| {
        let numbers = signature(app, &path, method);
        let known = areas
            .iter()
            .any(|area| area.signature.numbers == numbers && area.management == management);
        if !known {
            areas.push(Area {
                path,
                method: method.to_owned(),
                name,
                span,
                routes: Vec::new(),
                management,
                reads: Vec::new(),
                signature: Signature {
                    numbers,
                    handler: None,
                },
                code: None,
                others: Vec::new(),
            });
        }
    };
    if let Some(actuator) = &app.actuator {
        let name = actuator.exposed.iter().find(|id| *id != "*");
        let name = name.map_or("health", String::as_str);
        let path = format!("{}/{name}", actuator.base);
        add(path.clone(), "GET", path, actuator.span, true);
    }
    for area in &app.areas {
        let method = area.methods.first().copied().unwrap_or("GET");
        let name = format!("{} {}", area.name, area.pattern.text());
        add(area.pattern.example(), method, name, area.span, false);
    }
    if let Some(gateway) = &app.gateway {
        for route in &gateway.routes {
            let method = route.methods.first().map_or("GET", String::as_str);
            let name = route.pattern.text().to_owned();
            add(route.pattern.example(), method, name, route.span, false);
        }
        for mapping in &gateway.mappings {
            let name = mapping.pattern.text().to_owned();
            add(mapping.pattern.example(), "GET", name, mapping.span, false);
        }
    }
    for mappings in all_mappings(app) {
        for mapping in mappings {
            let name = mapping.pattern.text().to_owned();
            add(mapping.pattern.example(), "GET", name, mapping.span, false);
        }
    }
    for chain in &app.chains {
        let pattern = chain
            .matchers
            .iter()
            .find_map(|matcher| matcher.pattern.as_ref());
        let path = pattern.map_or_else(|| "/".to_owned(), super::path::PathPattern::example);
        let name = pattern.map_or("every path", |pattern| pattern.text());
        add(path, "GET", name.to_owned(), chain.span, false);
    }
    add("/".into(), "GET", "every path".into(), app.place, false);
    if let Some(gateway) = &app.gateway {
        // What a route does to a response is done for origins that are let in.
        for area in &mut areas {
            let mut routes = gateway.routes.iter();
            let route = routes.find(|route| route.pattern.matches(&area.path, false));
            area.code = route
                .filter(|route| !route.filters.is_empty())
                .map_or(area.code, |route| Some(place(route.span)));
        }
    }
    areas
}

/// Does a request need a token in its `Authorization` header?
fn takes_token(app: &Application, path: &str, method: &str) -> bool {
    let mut chains = app.chains.iter();
    let chain = chains
        .find(|chain| any_matches(&chain.matchers, method, path, false) != Some(false))
        .filter(|chain| chain.by_token);
    let links = chain.into_iter().flat_map(|chain| &chain.links);
    let mut rules = links.filter_map(|link| match link {
        Link::Authorize(rules, ..) => Some(rules),
        _ => None,
    });
    rules.any(|rules| {
        let mut rules = rules.iter();
        let rule =
            rules.find(|rule| any_matches(&rule.matchers, method, path, false) != Some(false));
        rule.is_some_and(|rule| rule.access == Access::Authenticated)
    })
}

/// All lists of mappings: the registry's, those of filters and of chains.
pub(super) fn all_mappings(app: &Application) -> Vec<&[Mapping]> {
    let mut lists: Vec<&[Mapping]> = vec![&app.global];
    for filter in &app.filters {
        if let What::Cors(Source::Map(mappings)) = &filter.what {
            lists.push(mappings);
        }
    }
    for link in app.chains.iter().flat_map(|chain| &chain.links) {
        if let Link::Cors(Source::Map(mappings), _) = link {
            lists.push(mappings);
        }
    }
    lists
}

/// What of the application decides about the answers to a request, as numbers.
pub(super) fn signature(app: &Application, path: &str, method: &str) -> Vec<usize> {
    let index = |mappings: &[Mapping]| {
        let found = mappings
            .iter()
            .position(|mapping| mapping.pattern.matches(path, false));
        found.map_or(0, |at| at + 1)
    };
    let mut signature: Vec<usize> = all_mappings(app).into_iter().map(index).collect();
    if let Some(gateway) = &app.gateway {
        signature.push(index(&gateway.mappings));
        let mut routes = gateway.routes.iter();
        let route = routes.position(|route| route.pattern.matches(path, false));
        signature.push(route.map_or(0, |at| at + 1));
    }
    for filter in &app.filters {
        let applies = filter.patterns.is_empty()
            || filter
                .patterns
                .iter()
                .any(|pattern| pattern.matches(path, false));
        signature.push(usize::from(applies));
    }
    let matching = app
        .chains
        .iter()
        .enumerate()
        .find(|(_, chain)| any_matches(&chain.matchers, method, path, false) != Some(false));
    signature.push(matching.map_or(0, |(at, _)| at + 1));
    let rules = matching.into_iter().flat_map(|(_, chain)| &chain.links);
    for link in rules {
        if let Link::Authorize(rules, ..) = link {
            for (method, preflight) in [(method, false), ("OPTIONS", true)] {
                let rule = rules.iter().position(|rule| {
                    any_matches(&rule.matchers, method, path, preflight) != Some(false)
                });
                signature.push(rule.map_or(0, |at| at + 1));
            }
        }
    }
    signature
}

/// What a handler adds to that.
pub(super) fn signature_of(handler: &Handler) -> [Option<Place>; 2] {
    let cors = handler.cors.as_ref().and_then(|cors| cors.span);
    let code = handler.code.as_ref().map(super::model::Code::span);
    [cors.map(place), code.map(place)]
}

const fn place(span: Span) -> Place {
    (span.file, span.start)
}
