//! Spring's XML: `<mvc:cors>` (`CorsBeanDefinitionParser`), and the filters of `web.xml`.

use std::path::PathBuf;
use std::sync::Arc;

use super::beans::{self, Known};
use super::build::{acts, component, filter_bean, is_configurer, speaks};
use super::cors::{Cors, Entries, Entry, List, Written};
use super::exchange::Policy;
use super::host::{Node, servlet_pattern};
use super::model::{Application, Filter, Mapping, Source, What, put};
use super::path::PathPattern;
use crate::limits::spring::xml::MAX_DEPTH;
use crate::model::Known as Fact;
use crate::source::{SourceFile, Span};
use crate::syntax::jvm::ast::simple;
use crate::syntax::xml::{self, Attribute, Element};

/// Filters of `web.xml` stand outside of all others, in their own order.
const OUTSIDE: i64 = -1_000_000;

/// The XML files of an application that can be read.
#[derive(Debug, Default)]
pub(super) struct Documents {
    roots: Vec<Element>,
    /// The others, with the reason for people.
    pub(super) problems: Vec<(PathBuf, String)>,
}

impl Documents {
    /// Reads the XML files among `files`.
    pub(super) fn read(files: &[Arc<SourceFile>]) -> Self {
        let mut documents = Self::default();
        let is_xml = |file: &&Arc<SourceFile>| {
            file.path()
                .extension()
                .is_some_and(|ending| ending.eq_ignore_ascii_case("xml"))
        };
        for file in files.iter().filter(is_xml) {
            match xml::parse(file) {
                Ok(root) => documents.roots.push(root),
                Err(problem) => documents.problems.push((
                    file.path().to_path_buf(),
                    format!("line {}: {}", problem.line, problem.text),
                )),
            }
        }
        documents
    }

    /// The container's own description, which Spring Boot has no use for.
    pub(super) fn container(&self) -> Option<&Element> {
        self.roots.iter().find(|root| root.name == "web-app")
    }

    /// Elements of one of Spring's namespaces: `mvc`, `security`.
    fn of_spring(&self, namespace: &str, name: &str) -> Vec<&Element> {
        let end = format!("springframework.org/schema/{namespace}");
        let mut found = Vec::new();
        let mut open: Vec<(&Element, u32)> = self.roots.iter().map(|root| (root, 0)).collect();
        while let Some((element, depth)) = open.pop() {
            if element.name == name && element.namespace.ends_with(&end) {
                found.push(element);
            }
            if depth < MAX_DEPTH {
                let children = element.children.iter().rev();
                open.extend(children.map(|child| (child, depth + 1)));
            }
        }
        found
    }

    /// Where XML configures Spring Security, of which nothing more is read.
    pub(super) fn security(&self) -> Option<Span> {
        let elements = self.of_spring("security", "http");
        elements.first().map(|element| element.span)
    }
}

/// Are there beans in XML, of which no more is read, that may decide about CORS: those of Spring's CORS
/// classes, and those of classes of the project that configure Spring MVC or write responses?
pub(super) fn hides(m: &Node<'_>, documents: &Documents) -> bool {
    let beans = documents.of_spring("beans", "bean").into_iter();
    let mut classes = beans.filter_map(|bean| bean.attribute("class"));
    classes.any(|class| {
        let path = class.value.trim();
        if simple(path).contains("Cors") {
            return true;
        }
        let own = m.program().class(path, m.sources());
        own.is_some_and(|own| speaks(m, own.span) || is_configurer(m, &own))
    })
}

/// The mappings of every `<mvc:cors>`.
pub(super) fn mappings(m: &mut Node<'_>, documents: &Documents, app: &mut Application) {
    let versions = m.host.versions;
    for cors in documents.of_spring("mvc", "cors") {
        let mut made: Vec<Mapping> = Vec::new();
        if cors.child("mapping").is_none() {
            let mut policy = Cors::new(cors.span);
            policy.apply_permit_defaults();
            made.push(Mapping {
                pattern: PathPattern::all(),
                policy: Policy::Is(policy),
                span: cors.span,
            });
        }
        for mapping in cors.children_of("mapping") {
            let policy = configuration(m, mapping);
            if let Some(words) = policy.refusal(versions) {
                let star = policy.origins.as_ref().and_then(Entries::star);
                let span = star.and_then(|star| star.span).unwrap_or(mapping.span);
                app.refusal.get_or_insert((words.to_owned(), span));
            }
            let path = mapping.attribute("path");
            let path = path.map_or("", |attribute| attribute.value.as_str());
            let Some(pattern) = PathPattern::parse(path) else {
                continue;
            };
            let span = mapping
                .attribute("path")
                .map_or(mapping.span, |attribute| attribute.span);
            let mapping = Mapping {
                pattern,
                policy: Policy::Is(policy),
                span,
            };
            put(&mut made, mapping);
        }
        app.global.extend(made);
    }
}

/// One `<mvc:mapping>`.
fn configuration(m: &Node<'_>, mapping: &Element) -> Cors {
    let versions = m.host.versions;
    let mut cors = Cors::new(mapping.span);
    let lists = [
        ("allowed-origins", List::Origins),
        ("allowed-origin-patterns", List::Patterns),
        ("allowed-methods", List::Methods),
        ("allowed-headers", List::Headers),
        ("exposed-headers", List::Exposed),
    ];
    for (name, list) in lists {
        if let Some(attribute) = mapping.attribute(name) {
            cors.set(list, Some(entries(attribute)), versions);
        }
    }
    cors.credentials = mapping
        .attribute("allow-credentials")
        .map(|attribute| Written {
            value: if attribute.value.contains("${") {
                Fact::Unknown
            } else {
                Fact::Known(attribute.value.eq_ignore_ascii_case("true"))
            },
            span: Some(attribute.span),
        });
    cors.max_age = mapping.attribute("max-age").map(|attribute| Written {
        value: attribute.value.trim().parse().ok().into(),
        span: Some(attribute.span),
    });
    cors.apply_permit_defaults();
    if versions.credentials_by_default() {
        cors.credentials.get_or_insert(Written {
            value: Fact::Known(true),
            span: None,
        });
    }
    cors
}

/// The parts of an attribute between commas (`StringUtils.tokenizeToStringArray`).
fn entries(attribute: &Attribute) -> Entries {
    let mut entries = Entries::default();
    let length = (attribute.span.end - attribute.span.start) as usize;
    // What is written with references to characters has other places.
    let exact = length == attribute.value.len();
    let mut at = 0;
    for part in attribute.value.split(',') {
        let start = at + part.len() - part.trim_start().len();
        at += part.len() + 1;
        let text = part.trim();
        if text.is_empty() {
            continue;
        }
        if text.contains("${") {
            entries.open = true;
            continue;
        }
        let span = if exact {
            attribute.span.part(start, start + text.len())
        } else {
            attribute.span
        };
        entries.items.push(Entry {
            text: text.to_owned(),
            span: Some(span),
        });
    }
    entries
}

/// The filters of `web.xml`, in the order of their mappings.
pub(super) fn filters(
    m: &mut Node<'_>,
    known: &Arc<Known>,
    documents: &Documents,
    app: &mut Application,
) {
    let Some(root) = documents.container() else {
        return;
    };
    // Mappings by paths come before those by servlets (Servlet specification, section 6.2.4).
    let mappings = root.children_of("filter-mapping");
    let (by_path, by_servlet): (Vec<_>, Vec<_>) =
        mappings.partition(|mapping| mapping.child("url-pattern").is_some());
    for (at, mapping) in by_path.into_iter().chain(by_servlet).enumerate() {
        let name = mapping.text_of("filter-name");
        let filter = root
            .children_of("filter")
            .find(|filter| filter.text_of("filter-name") == name);
        let Some(filter) = filter else { continue };
        let order = OUTSIDE + i64::try_from(at).unwrap_or(0);
        let patterns: Vec<PathPattern> = mapping
            .children_of("url-pattern")
            .filter(|pattern| pattern.text.trim() != "/*")
            .filter_map(|pattern| servlet_pattern(pattern.text.trim()))
            .collect();
        let place = filter
            .child("filter-class")
            .and_then(|class| class.text_span)
            .unwrap_or(filter.span);
        add_filter(m, known, filter, (order, patterns, place), app);
    }
}

fn add_filter(
    m: &mut Node<'_>,
    known: &Arc<Known>,
    filter: &Element,
    (order, patterns, place): (i64, Vec<PathPattern>, Span),
    app: &mut Application,
) {
    let class = filter.text_of("filter-class");
    if class.ends_with(".DelegatingFilterProxy") {
        let name = target_of(filter);
        if name == "springSecurityFilterChain" {
            app.security_order = Some(order);
        } else if let Some(at) = known.named(&name)
            && let Some(val) = beans::bean(m, at)
        {
            let before = app.filters.len();
            filter_bean(m, &val, Some(Fact::Known(order)), place, app);
            for filter in app.filters.iter_mut().skip(before) {
                filter.order = Fact::Known(order);
                filter.patterns.clone_from(&patterns);
            }
        } else if let Some(class) = known.component_named(&name).cloned() {
            add_class(m, &class, order, patterns, app);
        } else {
            add_unknown(&name, order, patterns, place, app);
        }
        return;
    }
    let own = m.program().class(class, m.sources());
    if let Some(own) = own {
        add_class(m, &own, order, patterns, app);
        return;
    }
    // Filters of the container and of libraries, which do as their parameters say.
    add_unknown(class, order, patterns, place, app);
}

/// A filter that is not in view, if its name says that it has to do with CORS.
fn add_unknown(
    name: &str,
    order: i64,
    patterns: Vec<PathPattern>,
    place: Span,
    app: &mut Application,
) {
    let lower = name.to_lowercase();
    if lower.contains("cors") || lower.contains("crossorigin") {
        app.filters.push(Filter {
            what: What::Cors(Source::Unknown),
            order: Fact::Known(order),
            patterns,
            span: place,
        });
    }
}

/// The bean behind a `DelegatingFilterProxy`.
fn target_of(filter: &Element) -> String {
    let mut params = filter.children_of("init-param");
    let named = params.find(|param| param.text_of("param-name") == "targetBeanName");
    let name = named.map_or_else(
        || filter.text_of("filter-name"),
        |param| param.text_of("param-value"),
    );
    name.to_owned()
}

fn add_class(
    m: &mut Node<'_>,
    class: &Arc<crate::syntax::jvm::ast::Class>,
    order: i64,
    patterns: Vec<PathPattern>,
    app: &mut Application,
) {
    if !acts(m, class.span) {
        return;
    }
    let instance = component(m, class);
    app.filters.retain(|known| known.span != class.name_span);
    app.filters.push(Filter {
        what: What::Hand(instance),
        order: Fact::Known(order),
        patterns,
        span: class.name_span,
    });
}
