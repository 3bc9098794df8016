//! Controllers: handler methods, their paths and methods, and `@CrossOrigin`
//! (`RequestMappingHandlerMapping`).

use std::sync::Arc;

use super::beans::Known;
use super::cors::{Cors, Entry, List, Written};
use super::host::{Node, text_of};
use super::model::{Code, Handler};
use super::path::PathPattern;
use crate::limits::spring::controllers::MAX_HANDLERS;
use crate::model::Known as Fact;
use crate::source::Span;
use crate::syntax::jvm::ast::{Annotation, Class, Method, simple};
use crate::syntax::jvm::eval::heap::Val;
use crate::syntax::value::Kind;

const MAPPINGS: [(&str, &str); 6] = [
    ("GetMapping", "GET"),
    ("PostMapping", "POST"),
    ("PutMapping", "PUT"),
    ("PatchMapping", "PATCH"),
    ("DeleteMapping", "DELETE"),
    ("RequestMapping", ""),
];

/// Every handler method of the application.
pub(super) fn handlers(
    m: &mut Node<'_>,
    known: &Arc<Known>,
    refusal: &mut Option<(String, Span)>,
) -> Vec<Handler> {
    let program = Arc::clone(m.program());
    let mut handlers = Vec::new();
    for class in &known.components {
        let family = program.ancestry(class, m.sources());
        let family = with_interfaces(m, family);
        let is_controller = ["Controller", "RestController", "RequestMapping"]
            .iter()
            .any(|name| find(&family, name).is_some())
            || is_meta(m, class, "Controller")
            || is_meta(m, class, "RestController");
        if !is_controller || class.annotation("FeignClient").is_some() {
            continue;
        }
        let prefix = find(&family, "RequestMapping");
        let prefixes = prefix.as_ref().map_or_else(Vec::new, |at| paths(m, at));
        let class_methods = prefix.as_ref().map_or_else(Vec::new, |at| verbs(m, at));
        let on_class = cross_origin(
            m,
            &family
                .iter()
                .flat_map(|c| c.annotations.clone())
                .collect::<Vec<_>>(),
        );
        let mut done: Vec<(String, usize)> = Vec::new();
        for owner in &family {
            for method in &owner.methods {
                let key = (method.name.to_string(), method.params.len());
                let Some((annotation, verb)) = mapping_of(&method.annotations) else {
                    continue;
                };
                if done.contains(&key) || handlers.len() >= MAX_HANDLERS {
                    continue;
                }
                done.push(key);
                let handler = handler(
                    m,
                    Parts {
                        class,
                        family: &family,
                        method,
                        annotation,
                        verb,
                        prefixes: &prefixes,
                        class_methods: &class_methods,
                        on_class: on_class.as_ref(),
                    },
                    refusal,
                );
                handlers.extend(handler);
            }
        }
    }
    handlers
}

/// What one handler is made from.
struct Parts<'a> {
    class: &'a Arc<Class>,
    family: &'a [Arc<Class>],
    method: &'a Arc<Method>,
    annotation: &'a Annotation,
    verb: &'static str,
    prefixes: &'a [Option<String>],
    class_methods: &'a [String],
    on_class: Option<&'a Annotation>,
}

fn handler(
    m: &mut Node<'_>,
    parts: Parts<'_>,
    refusal: &mut Option<(String, Span)>,
) -> Option<Handler> {
    let own = paths(m, parts.annotation);
    let mut methods = parts.class_methods.to_vec();
    if parts.verb.is_empty() {
        methods.extend(verbs(m, parts.annotation));
    } else {
        methods.push(parts.verb.to_owned());
    }
    methods.dedup();
    let strategy = m
        .host
        .settings
        .get("spring.mvc.pathmatch.matching-strategy");
    let strategy = strategy.as_ref().and_then(|value| value.as_str());
    let ant = match strategy.map(|text| text.to_lowercase().replace(['-', '_'], "")) {
        Some(strategy) => strategy == "antpathmatcher",
        None => m.host.versions.matches_paths_as_ant(),
    };
    let patterns = joined(parts.prefixes, &own, ant);
    let same_name = |class: &Arc<Class>| {
        let mut methods = class.methods.iter();
        methods
            .find(|other| {
                other.name == parts.method.name && other.params.len() == parts.method.params.len()
            })
            .map(|other| other.annotations.clone())
    };
    let on_method: Vec<Annotation> = parts
        .family
        .iter()
        .filter_map(same_name)
        .flatten()
        .collect();
    let on_method = cross_origin(m, &on_method);
    let cors = match (parts.on_class, &on_method) {
        (None, None) => None,
        (class, method) => Some(configuration(m, class, method.as_ref(), &methods, refusal)),
    };
    // The one that runs is the class' own.
    let (owner, runs) = parts
        .family
        .iter()
        .find_map(|class| {
            let mut methods = class.methods.iter();
            let found = methods.find(|other| {
                other.name == parts.method.name
                    && other.params.len() == parts.method.params.len()
                    && other.body.is_some()
            });
            Some((Arc::clone(class), Arc::clone(found?)))
        })
        .unwrap_or_else(|| (Arc::clone(parts.class), Arc::clone(parts.method)));
    let speaks = super::build::speaks(m, runs.span);
    let reads = reads(m, parts.method);
    Some(Handler {
        patterns,
        methods,
        cors,
        span: parts.annotation.span,
        reads,
        has_body: has_body(parts.family, &runs),
        code: speaks.then_some(Code::Method(owner, runs)),
    })
}

/// The request headers that a handler asks for, in lower case.
fn reads(m: &mut Node<'_>, method: &Method) -> Vec<String> {
    let mut found = Vec::new();
    for param in &method.params {
        if param.annotation("RequestBody").is_some() {
            found.push("content-type".to_owned());
        }
        let Some(annotation) = param.annotation("RequestHeader") else {
            continue;
        };
        let named = attribute(m, annotation, &["value", "name"]);
        let named = named.and_then(|names| names.into_iter().next());
        let name = named.map_or_else(|| Some(param.name.to_string()), |(name, _)| name);
        found.extend(name.map(|name| name.to_ascii_lowercase()));
    }
    found
}

/// Is what a handler returns written as the body?
fn has_body(family: &[Arc<Class>], method: &Method) -> bool {
    let on_class = family.iter().any(|class| {
        class.annotation("RestController").is_some() || class.annotation("ResponseBody").is_some()
    });
    let entity = method
        .returns
        .as_ref()
        .is_some_and(|ty| matches!(ty.simple(), "ResponseEntity" | "HttpEntity"));
    on_class || entity || method.annotation("ResponseBody").is_some()
}

fn mapping_of(annotations: &[Annotation]) -> Option<(&Annotation, &'static str)> {
    annotations.iter().find_map(|annotation| {
        let name = simple(&annotation.name);
        let found = MAPPINGS.iter().find(|(known, _)| *known == name);
        found.map(|(_, verb)| (annotation, *verb))
    })
}

/// A class with those that it extends, and the interfaces of the project that they implement.
fn with_interfaces(m: &Node<'_>, classes: Vec<Arc<Class>>) -> Vec<Arc<Class>> {
    let mut all = classes;
    let mut at = 0;
    while at < all.len() && all.len() < 40 {
        let class = Arc::clone(&all[at]);
        for ty in &class.interfaces {
            let found = m.program().class_at(class.span, &ty.name, m.sources());
            if let Some(found) = found
                && !all.iter().any(|known| known.span == found.span)
            {
                all.push(found);
            }
        }
        at += 1;
    }
    all
}

fn find(family: &[Arc<Class>], name: &str) -> Option<Annotation> {
    family
        .iter()
        .find_map(|class| class.annotation(name).cloned())
}

/// Does an annotation of the project stand for a stereotype?
fn is_meta(m: &Node<'_>, class: &Class, name: &str) -> bool {
    class.annotations.iter().any(|annotation| {
        m.program()
            .class_at(annotation.span, &annotation.name, m.sources())
            .is_some_and(|own| own.annotation(name).is_some())
    })
}

/// `@CrossOrigin`, its own or that of an annotation of the project.
fn cross_origin(m: &Node<'_>, annotations: &[Annotation]) -> Option<Annotation> {
    let direct = annotations
        .iter()
        .find(|annotation| simple(&annotation.name) == "CrossOrigin");
    if let Some(direct) = direct {
        return Some(direct.clone());
    }
    annotations.iter().find_map(|annotation| {
        let name = simple(&annotation.name);
        if name.ends_with("Mapping") || name.ends_with("Controller") {
            return None;
        }
        let own = m
            .program()
            .class_at(annotation.span, &annotation.name, m.sources())?;
        own.annotation("CrossOrigin").cloned()
    })
}

/// The texts of an annotation's attribute, placeholders filled in; nothing for one that is not in
/// view.
fn attribute(
    m: &mut Node<'_>,
    annotation: &Annotation,
    names: &[&str],
) -> Option<Vec<(Option<String>, Span)>> {
    let val = names
        .iter()
        .find_map(|name| m.annotation(annotation, name))?;
    let (items, open) = m.flattened(std::slice::from_ref(&val));
    let mut texts: Vec<(Option<String>, Span)> = items
        .iter()
        .map(|item| (resolved(m, item), item.span))
        .collect();
    if open {
        texts.push((None, val.span));
    }
    Some(texts)
}

/// A text with `${…}` filled in.
fn resolved(m: &Node<'_>, val: &Val) -> Option<String> {
    let text = text_of(m, val)?;
    if !text.contains("${") && !text.contains("#{") {
        return Some(text);
    }
    match m.host.settings.expand(&text, val.span).kind {
        Kind::String(text) => Some(text),
        _ => None,
    }
}

/// The paths of a mapping; nothing for one that is not in view.
fn paths(m: &mut Node<'_>, annotation: &Annotation) -> Vec<Option<String>> {
    let texts = attribute(m, annotation, &["value", "path"]).unwrap_or_default();
    texts.into_iter().map(|(text, _)| text).collect()
}

fn verbs(m: &mut Node<'_>, annotation: &Annotation) -> Vec<String> {
    let Some(val) = m.annotation(annotation, "method") else {
        return Vec::new();
    };
    let (items, _) = m.flattened(&[val]);
    items
        .iter()
        .filter_map(|item| {
            let text = text_of(m, item).or_else(|| item.as_foreign().map(str::to_owned))?;
            Some(simple(&text).to_owned())
        })
        .collect()
}

/// Class and method paths as one.
fn joined(prefixes: &[Option<String>], own: &[Option<String>], ant: bool) -> Vec<PathPattern> {
    let none = [Some(String::new())];
    let prefixes = if prefixes.is_empty() { &none } else { prefixes };
    let own = if own.is_empty() { &none } else { own };
    let mut patterns = Vec::new();
    for prefix in prefixes {
        for path in own {
            let with_slash = |text: &Option<String>| match text.as_deref() {
                // A part that is not in view stands for one segment.
                None => "/{unknown}".to_owned(),
                Some("") => String::new(),
                Some(text) if text.starts_with('/') => text.to_owned(),
                Some(text) => format!("/{text}"),
            };
            let prefix = with_slash(prefix);
            let path = with_slash(path);
            let whole = format!("{}{path}", prefix.trim_end_matches('/'));
            let whole = if whole.is_empty() {
                "/".to_owned()
            } else {
                whole
            };
            if ant {
                patterns.push(PathPattern::parse_ant(&whole));
            } else {
                patterns.extend(PathPattern::parse(&whole));
            }
        }
    }
    patterns
}

/// `initCorsConfiguration`.
fn configuration(
    m: &mut Node<'_>,
    on_class: Option<&Annotation>,
    on_method: Option<&Annotation>,
    methods: &[String],
    refusal: &mut Option<(String, Span)>,
) -> Cors {
    let versions = m.host.versions;
    let mut cors = Cors::default();
    for annotation in [on_class, on_method].into_iter().flatten() {
        update(m, &mut cors, annotation, refusal);
        cors.span = Some(annotation.span);
    }
    if cors
        .methods
        .as_ref()
        .is_none_or(|list| list.items.is_empty())
    {
        for method in methods {
            let entry = Entry {
                text: method.clone(),
                span: None,
            };
            cors.add(List::Methods, entry, versions);
        }
    }
    cors.apply_permit_defaults();
    if versions.credentials_by_default() {
        cors.credentials.get_or_insert(Written {
            value: Fact::Known(true),
            span: None,
        });
    }
    if let Some(words) = cors.refusal(versions)
        && let Some(span) = cors.span
    {
        refusal.get_or_insert((words.to_owned(), span));
    }
    cors
}

/// `updateCorsConfig`.
fn update(
    m: &mut Node<'_>,
    cors: &mut Cors,
    annotation: &Annotation,
    refusal: &mut Option<(String, Span)>,
) {
    let versions = m.host.versions;
    let lists: [(&[&str], List); 5] = [
        (&["origins", "value"], List::Origins),
        (&["originPatterns"], List::Patterns),
        (&["methods"], List::Methods),
        (&["allowedHeaders"], List::Headers),
        (&["exposedHeaders"], List::Exposed),
    ];
    for (names, list) in lists {
        for (text, span) in attribute(m, annotation, names).unwrap_or_default() {
            match text {
                Some(text) => {
                    let text = if list == List::Methods {
                        simple(&text).to_owned()
                    } else {
                        text
                    };
                    let entry = Entry {
                        text,
                        span: Some(span),
                    };
                    cors.add(list, entry, versions);
                }
                None => cors.open(list),
            }
        }
    }
    for (name, private) in [("allowCredentials", false), ("allowPrivateNetwork", true)] {
        let Some(val) = m.annotation(annotation, name) else {
            continue;
        };
        // Before 5.0 it was a boolean.
        let text = resolved(m, &val).or_else(|| val.as_bool().map(|value| value.to_string()));
        let value = match text.as_deref() {
            None => Fact::Unknown,
            Some("") => continue,
            Some(text) if text.eq_ignore_ascii_case("true") => Fact::Known(true),
            Some(text) if text.eq_ignore_ascii_case("false") => Fact::Known(false),
            Some(text) => {
                let words = format!(
                    "IllegalStateException: @CrossOrigin's {name} value must be \"true\", \"false\", \
                     or an empty string (\"\"): current value is [{text}]"
                );
                refusal.get_or_insert((words, val.span));
                continue;
            }
        };
        let written = Some(Written {
            value,
            span: Some(val.span),
        });
        if private {
            cors.private_network = written;
        } else {
            cors.credentials = written;
        }
    }
    if let Some(val) = m.annotation(annotation, "maxAge") {
        #[expect(clippy::cast_possible_truncation, reason = "no age is that long")]
        let seconds = val.as_number().map(|number| number as i64);
        if seconds.is_none_or(|seconds| seconds >= 0) {
            cors.max_age = Some(Written {
                value: seconds.into(),
                span: Some(val.span),
            });
        }
    }
}
