//! Spring Cloud Gateway: `globalcors`, the routes, their metadata and what they do to headers.
//!
//! Facts: spring-cloud-gateway-server (`GlobalCorsProperties`, `CorsGatewayFilterApplicationListener`,
//! the `…ResponseHeaderGatewayFilterFactory` classes).

use super::build::{Notes, everything};
use super::exchange::{Exchange, Policy};
use super::host::Node;
use super::model::{Application, Gateway, GatewayRoute, Mapping, ResponseFilter, Retain};
use super::path::PathPattern;
use super::properties::{configuration, entries_of, flag, text, unknown_keys};
use crate::frameworks::boot::{Build, Settings};
use crate::model::{DropReason, HeaderLine, Known};
use crate::source::Span;
use crate::syntax::value::Value;

/// Spring Cloud Gateway: `globalcors`, and the routes' metadata.
pub(super) fn apply(
    m: &mut Node<'_>,
    settings: &Settings,
    build: &Build,
    app: &mut Application,
    notes: &mut Notes,
) {
    let bases = [
        "spring.cloud.gateway.server.webflux",
        "spring.cloud.gateway",
    ];
    let used = bases.iter().filter(|base| {
        ["globalcors", "routes"]
            .iter()
            .any(|part| settings.has(&format!("{base}.{part}")).is_some())
    });
    let used: Vec<&&str> = used.collect();
    if used.is_empty() && !build.starters.gateway {
        return;
    }
    let mut gateway = Gateway {
        mappings: Vec::new(),
        simple: false,
        routes: Vec::new(),
        open: false,
        span: app.place,
    };
    let [new, old] = bases;
    if build.starters.gateway_server
        && let Some(span) = settings.has(&format!("{old}.globalcors"))
    {
        let text = format!("Spring Cloud 2025.0 and later read `{new}.globalcors`");
        notes
            .renamed
            .push((span, format!("{old}.globalcors"), text));
    }
    for base in used {
        // With the new starter, old names are left out without a word (Spring Cloud 2025.0, release
        // notes).
        if *base == old && build.starters.gateway_server && !build.starters.migrator {
            continue;
        }
        routes(m, settings, base, &mut gateway, &mut notes.said);
        let prefix = format!("{base}.globalcors.cors-configurations");
        for (path, span) in settings.children(&prefix) {
            let bracketed = format!("{prefix}.[{path}]");
            let plain = format!("{prefix}.{path}");
            let cors = configuration(m, settings, &bracketed);
            let key = if cors.is_some() { &bracketed } else { &plain };
            unknown_keys(settings, key, notes);
            let cors = cors.or_else(|| configuration(m, settings, &plain));
            let Some(pattern) = PathPattern::parse(&path) else {
                continue;
            };
            gateway.mappings.push(Mapping {
                pattern,
                policy: cors.map_or(Policy::Unknown, Policy::Is),
                span,
            });
        }
        let simple = flag(settings.get(&format!(
            "{base}.globalcors.add-to-simple-url-handler-mapping"
        )));
        gateway.simple |= simple.is_some_and(|simple| simple.value == Known::Known(true));
        // A route for each service that is registered somewhere.
        let locator = flag(settings.get(&format!("{base}.discovery.locator.enabled")));
        gateway.open |= locator.is_some_and(|locator| locator.value != Known::Known(false));
    }
    app.reactive = true;
    app.gateway = Some(gateway);
}

fn routes(
    m: &Node<'_>,
    settings: &Settings,
    base: &str,
    gateway: &mut Gateway,
    said: &mut Vec<Said>,
) {
    said_of(settings, &format!("{base}.default-filters"), said);
    for (index, span) in settings.children(&format!("{base}.routes")) {
        let prefix = format!("{base}.routes[{index}]");
        let predicates = definitions(settings, &format!("{prefix}.predicates"));
        let named = |name: &str, field: &str| {
            let mut predicates = predicates.iter();
            let predicate = predicates.find(|predicate| predicate.name == name)?;
            match &predicate.args {
                Arguments::Short(text) => Some(text.clone()),
                Arguments::Named(key) => {
                    let key = format!("{key}.{field}");
                    let list = settings.list(&key);
                    let list = list.as_ref().and_then(entries_of);
                    list.map(|list| list.texts().join(","))
                }
            }
        };
        let mut filters = filters_of(settings, &format!("{base}.default-filters"));
        filters.extend(filters_of(settings, &format!("{prefix}.filters")));
        said_of(settings, &format!("{prefix}.filters"), said);
        let paths = named("Path", "patterns").unwrap_or_else(|| "/**".to_owned());
        let methods: Vec<String> = named("Method", "methods")
            .map(|list| list.split(',').map(|name| name.trim().to_owned()).collect())
            .unwrap_or_default();
        let first = paths
            .split(',')
            .next()
            .unwrap_or_default()
            .trim()
            .to_owned();
        for path in paths.split(',') {
            gateway.routes.push(GatewayRoute {
                pattern: PathPattern::parse(path.trim()).unwrap_or_else(everything),
                methods: methods.clone(),
                filters: filters.clone(),
                span,
            });
        }
        metadata(
            m,
            settings,
            &format!("{prefix}.metadata.cors"),
            &first,
            gateway,
            span,
        );
    }
}

/// A route's own configuration wins over a global one of the same path.
fn metadata(
    m: &Node<'_>,
    settings: &Settings,
    prefix: &str,
    path: &str,
    gateway: &mut Gateway,
    span: Span,
) {
    let Some(mut cors) = configuration(m, settings, prefix) else {
        return;
    };
    // This one is not read there.
    cors.private_network = None;
    let Some(pattern) = PathPattern::parse(path) else {
        return;
    };
    gateway
        .mappings
        .retain(|known| known.pattern.text() != path);
    gateway.mappings.insert(
        0,
        Mapping {
            pattern,
            policy: Policy::Is(cors),
            span,
        },
    );
}

/// A predicate or filter of a route (`PredicateDefinition`, `FilterDefinition`).
struct Definition {
    name: String,
    args: Arguments,
    span: Span,
}

enum Arguments {
    /// What follows `=`.
    Short(String),
    /// The key below which they stand by their names.
    Named(String),
}

impl Definition {
    /// Its first two arguments; `second` is the second one's name. Nothing if they are not in view.
    fn two(&self, settings: &Settings, second: &str) -> Option<(String, Option<String>)> {
        match &self.args {
            Arguments::Short(text) => {
                let mut args = text.splitn(2, ',').map(|arg| arg.trim().to_owned());
                Some((args.next()?, args.next()))
            }
            Arguments::Named(key) => {
                let arg = |name: &str| settings.get(&format!("{key}.{name}"));
                let known = |value: &Value| text(value).filter(|text| !text.contains("${"));
                let first = known(&arg("name")?)?;
                match arg(second) {
                    Some(value) => Some((first, Some(known(&value)?))),
                    None => Some((first, None)),
                }
            }
        }
    }
}

/// The entries of a list: `AddResponseHeader=X-A, b`, or `name:` and `args:`.
fn definitions(settings: &Settings, key: &str) -> Vec<Definition> {
    let short = |text: &str, span| {
        let (name, args) = text.split_once('=')?;
        Some(Definition {
            name: name.trim().to_owned(),
            args: Arguments::Short(args.to_owned()),
            span,
        })
    };
    let mut found: Vec<Definition> = Vec::new();
    let indices = settings.children(key);
    for (index, span) in &indices {
        let name = settings.get(&format!("{key}[{index}].name"));
        if let Some(name) = name.as_ref().and_then(text) {
            found.push(Definition {
                name,
                args: Arguments::Named(format!("{key}[{index}].args")),
                span: *span,
            });
        } else if let Some(value) = settings.get(&format!("{key}[{index}]")) {
            let text = text(&value).unwrap_or_default();
            found.extend(short(&text, value.span));
        }
    }
    if indices.is_empty() {
        let list = settings.list(key);
        let items = list.as_ref().and_then(entries_of).unwrap_or_default().items;
        found.extend(
            items
                .iter()
                .filter_map(|item| short(&item.text, item.span?)),
        );
    }
    found
}

/// The filters of a list that change headers of the response.
fn filters_of(settings: &Settings, key: &str) -> Vec<ResponseFilter> {
    let filters = definitions(settings, key).into_iter().filter_map(|filter| {
        let second = match filter.name.as_str() {
            "AddResponseHeader" | "SetResponseHeader" => "value",
            "DedupeResponseHeader" => "strategy",
            "RemoveResponseHeader" => "",
            _ => return None,
        };
        match filter.two(settings, second) {
            Some((first, second)) => {
                response_filter(&filter.name, &first, second.as_deref(), filter.span)
            }
            None => Some(ResponseFilter::Unknown(filter.span)),
        }
    });
    filters.collect()
}

/// A filter of a route that changes headers of the response; nothing for any other.
pub(super) fn response_filter(
    name: &str,
    first: &str,
    second: Option<&str>,
    span: Span,
) -> Option<ResponseFilter> {
    let line = |value: &str| HeaderLine {
        name: first.to_owned(),
        value: Known::Known(value.to_owned()),
        span,
        value_span: None,
        sources: Vec::new(),
        decided_by: None,
    };
    Some(match name {
        "AddResponseHeader" => ResponseFilter::Add(line(second?)),
        "SetResponseHeader" => ResponseFilter::Set(line(second?)),
        "RemoveResponseHeader" => ResponseFilter::Remove(first.to_owned(), span),
        "DedupeResponseHeader" => {
            let retain = match second {
                Some("RETAIN_LAST") => Retain::Last,
                Some("RETAIN_UNIQUE") => Retain::Unique,
                _ => Retain::First,
            };
            let names = first.split(' ').map(str::to_owned);
            ResponseFilter::Dedupe(
                names.filter(|name| !name.is_empty()).collect(),
                retain,
                span,
            )
        }
        _ => return None,
    })
}

/// What a filter tells the upstream: the place, the header, and whether it is `Origin`.
#[derive(Clone, Debug)]
pub(super) struct Said {
    pub(super) span: Span,
    pub(super) header: String,
    /// `Origin`, which every request then seems to have; else a header that belongs to responses.
    pub(super) forged: bool,
}

/// A filter that puts a header on the request that does not belong there.
pub(super) fn request_filter(
    name: &str,
    header: &str,
    value: Option<&str>,
    span: Span,
) -> Option<Said> {
    if !matches!(name, "AddRequestHeader" | "SetRequestHeader") {
        return None;
    }
    let forged = header.eq_ignore_ascii_case("origin")
        && name == "SetRequestHeader"
        && value.is_some_and(|value| value.starts_with("http"));
    let allows = header
        .get(..21)
        .is_some_and(|start| start.eq_ignore_ascii_case("access-control-allow-"));
    (forged || allows).then(|| Said {
        span,
        header: header.to_owned(),
        forged,
    })
}

/// What the filters of a list tell the upstream.
fn said_of(settings: &Settings, key: &str, said: &mut Vec<Said>) {
    for filter in definitions(settings, key) {
        if let Some((header, value)) = filter.two(settings, "value") {
            let value = value.as_deref();
            said.extend(request_filter(&filter.name, &header, value, filter.span));
        }
    }
}

/// What the filters of a route do once the upstream has answered: the last one comes first.
pub(super) fn filter(exchange: &mut Exchange, filters: &[ResponseFilter]) {
    for filter in filters.iter().rev() {
        match filter {
            ResponseFilter::Add(line) => exchange.add(line.clone()),
            ResponseFilter::Set(line) => exchange.set(line.clone()),
            ResponseFilter::Remove(name, span) => {
                exchange.remove(name, *span, DropReason::Hidden);
                exchange.hide(name, *span);
            }
            ResponseFilter::Dedupe(names, retain, span) => {
                for name in names {
                    dedupe(exchange, name, *retain, *span);
                }
            }
            ResponseFilter::Unknown(span) => {
                for name in RESPONSE_HEADERS {
                    exchange.remove(name, *span, DropReason::Hidden);
                    exchange.hide(name, *span);
                }
            }
        }
    }
}

/// What a filter for headers that are not in view may change.
const RESPONSE_HEADERS: [&str; 3] = [
    "Access-Control-Allow-Origin",
    "Access-Control-Allow-Credentials",
    "Vary",
];

fn dedupe(exchange: &mut Exchange, name: &str, retain: Retain, span: Span) {
    let same = |line: &HeaderLine| line.name.eq_ignore_ascii_case(name);
    let lines: Vec<HeaderLine> = exchange
        .headers
        .iter()
        .filter(|line| same(line))
        .cloned()
        .collect();
    if lines.len() < 2 {
        return;
    }
    let kept: Vec<HeaderLine> = match retain {
        Retain::First => lines.into_iter().take(1).collect(),
        Retain::Last => lines.into_iter().next_back().into_iter().collect(),
        Retain::Unique => {
            let mut kept: Vec<HeaderLine> = Vec::new();
            for line in lines {
                if !kept.iter().any(|known| known.value == line.value) {
                    kept.push(line);
                }
            }
            kept
        }
    };
    exchange.remove(name, span, DropReason::Overwritten);
    for line in kept {
        exchange.add(line);
    }
}
