//! Which view serves a URL (django/urls/resolvers.py).

use std::sync::{Arc, OnceLock};

use fancy_regex::Regex;

use super::methods::{self, ViewOf};
use crate::frameworks::python::path::{Dialect, PathPattern};
use crate::limits::django::urls::{MAX_DEPTH, MAX_MODULES, STEPS};
use crate::source::Sources;
use crate::syntax::python::ast::SequenceKind;
use crate::syntax::python::object::{K, Val};
use crate::syntax::python::pattern::{self, How};
use crate::syntax::python::{Native, Program};

/// A pattern of a URL.
#[derive(Clone, Debug)]
enum Form {
    /// `path("items/<int:pk>/", …)`.
    Path(PathPattern),
    /// `re_path(r"^items/$", …)`.
    Regex(String, OnceLock<Option<Arc<Regex>>>),
}

impl Form {
    fn regex(text: &str) -> Self {
        Self::Regex(text.to_owned(), OnceLock::new())
    }

    /// How much of a path it takes from the start, if any. Nothing if that cannot be told.
    fn taken(&self, path: &str) -> Option<Option<usize>> {
        match self {
            Self::Path(path_pattern) => path_pattern.taken(path),
            Self::Regex(text, compiled) => {
                let compile = || pattern::compiled(text, "", How::Search);
                let regex = compiled.get_or_init(compile).as_ref();
                let found = regex?.find(path).ok()?;
                Some(found.map(|found| found.end()))
            }
        }
    }

    /// Does a route of it serve a path?
    fn serves(&self, path: &str) -> Option<bool> {
        match self {
            Self::Path(path_pattern) => path_pattern.matches(path),
            Self::Regex(..) => self.taken(path).map(|taken| taken.is_some()),
        }
    }

    /// A path that it takes, as far as that is plain.
    fn sample(&self) -> Option<String> {
        match self {
            Self::Path(path) => Some(path.sample()),
            Self::Regex(text, _) => {
                let text = text.trim_start_matches('^');
                let text = text.strip_suffix('$').unwrap_or(text);
                let plain = |c: char| c.is_ascii_alphanumeric() || "/-_".contains(c);
                text.chars().all(plain).then(|| text.to_owned())
            }
        }
    }
}

#[derive(Clone, Debug)]
enum Node {
    View(Form, ViewOf),
    Include(Form, Vec<Node>),
    /// What stands there, or below it, is not in view.
    Unseen(Option<Form>),
}

/// What routing comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Routed<'u> {
    View(&'u ViewOf),
    NotFound,
    /// Something out of view serves it, or may.
    Unknown,
}

/// The URL configuration of a project.
#[derive(Clone, Debug, Default)]
pub(super) struct Urls {
    nodes: Vec<Node>,
}

impl Urls {
    /// What serves the path of a URL.
    pub(super) fn route(&self, path: &str) -> Routed<'_> {
        route(&self.nodes, path.strip_prefix('/').unwrap_or(path))
    }

    /// Paths that views serve, with the views, in their order.
    pub(super) fn samples(&self) -> Vec<(String, &ViewOf)> {
        let mut found = Vec::new();
        samples(&self.nodes, "/", &mut |path, node| {
            if let Node::View(_, view) = node {
                found.push((path, view));
            }
        });
        found.retain(
            |(path, view)| matches!(self.route(path), Routed::View(known) if known == *view),
        );
        found
    }

    /// Paths that something out of view serves, or may.
    pub(super) fn unseen(&self) -> Vec<String> {
        let mut found = Vec::new();
        samples(&self.nodes, "/", &mut |path, node| {
            if matches!(node, Node::Unseen(_)) {
                found.push(path);
            }
        });
        found.retain(|path| self.route(path) == Routed::Unknown);
        found
    }
}

fn route<'u>(nodes: &'u [Node], path: &str) -> Routed<'u> {
    for node in nodes {
        match node {
            Node::View(form, view) => match form.serves(path) {
                Some(true) => return Routed::View(view),
                Some(false) => {}
                None => return Routed::Unknown,
            },
            Node::Include(form, inner) => match form.taken(path) {
                Some(Some(taken)) => match route(inner, &path[taken..]) {
                    Routed::NotFound => {}
                    found => return found,
                },
                Some(None) => {}
                None => return Routed::Unknown,
            },
            Node::Unseen(None) => return Routed::Unknown,
            Node::Unseen(Some(form)) => {
                if form.taken(path) != Some(None) {
                    return Routed::Unknown;
                }
            }
        }
    }
    Routed::NotFound
}

/// Hands over each view, and whatever is out of view, with a path that leads there.
fn samples<'u>(nodes: &'u [Node], before: &str, found: &mut dyn FnMut(String, &'u Node)) {
    for node in nodes {
        let form = match node {
            Node::View(form, _) | Node::Include(form, _) | Node::Unseen(Some(form)) => {
                form.sample()
            }
            Node::Unseen(None) => Some(String::new()),
        };
        let Some(path) = form.map(|path| format!("{before}{path}")) else {
            continue;
        };
        match node {
            Node::Include(_, inner) => samples(inner, &path, found),
            Node::View(..) | Node::Unseen(_) => found(path, node),
        }
    }
}

/// Reads the module that `ROOT_URLCONF` of a module of settings names, with what it includes.
/// Nothing if it is not in view. Views are read only `with_views`: if it matters which methods they
/// serve, or code of the project sets headers; else their names are enough.
pub(super) fn read(
    program: &mut Program,
    settings: usize,
    with_views: bool,
    sources: &Sources,
) -> Option<Urls> {
    let names = program.modules()[settings].names;
    let root = program.peek(names, "ROOT_URLCONF")?;
    let root = root.as_text()?.to_owned();
    program.native = Some(Native(Arc::new(|program, path, arguments, span| {
        // Nothing, or patterns below a prefix while developing.
        if path != "django.conf.urls.static.static" {
            return None;
        }
        let call = program.record(path, None, arguments.clone(), span);
        Some(program.list(SequenceKind::List, vec![call], false, span))
    })));
    let mut reader = Reader {
        program,
        sources,
        modules: 0,
        with_views,
    };
    let nodes = reader.module(&root, settings, 0);
    program.native = None;
    nodes.map(|nodes| Urls { nodes })
}

struct Reader<'p> {
    program: &'p mut Program,
    sources: &'p Sources,
    modules: usize,
    /// Read the views, too.
    with_views: bool,
}

impl Reader<'_> {
    /// The patterns of a module that another one names.
    fn module(&mut self, dotted: &str, from: usize, depth: usize) -> Option<Vec<Node>> {
        if self.modules >= MAX_MODULES || depth > MAX_DEPTH {
            return None;
        }
        self.modules += 1;
        self.program.refill(STEPS);
        let index = match self.with_views {
            true => self.program.load_beside(dotted, from, self.sources)?,
            false => self.program.load_alone(dotted, from, self.sources)?,
        };
        let module = &self.program.modules()[index];
        let (names, span) = (module.names, module.file.span());
        let patterns = self.program.get_name(names, "urlpatterns", span);
        Some(self.listed(&patterns, index, depth))
    }

    fn listed(&mut self, list: &Val, module: usize, depth: usize) -> Vec<Node> {
        let Some((items, open)) = self.program.items_of_all(list) else {
            return vec![Node::Unseen(None)];
        };
        let mut nodes: Vec<Node> = items
            .iter()
            .map(|item| self.node(item, module, depth))
            .collect();
        if open {
            nodes.push(Node::Unseen(None));
        }
        nodes
    }

    fn node(&mut self, item: &Val, module: usize, depth: usize) -> Node {
        let call = item.call().and_then(|at| self.program.calls.get(at));
        let Some(call) = call.cloned() else {
            return Node::Unseen(None);
        };
        let route = call.arguments.get(0, "route");
        let route = route.or_else(|| call.arguments.keyword("regex"));
        let Some(text) = route.and_then(Val::as_text) else {
            return Node::Unseen(None);
        };
        let form = match &*call.path {
            "django.urls.path" | "django.urls.conf.path" => {
                Form::Path(PathPattern::new(Dialect::Django, text))
            }
            "django.urls.re_path" | "django.urls.conf.re_path" | "django.conf.urls.url" => {
                Form::regex(text)
            }
            "django.conf.urls.static.static" => {
                let prefix = pattern::escaped(text.trim_start_matches('/'));
                return Node::Unseen(Some(Form::regex(&format!("^{prefix}"))));
            }
            _ => return Node::Unseen(None),
        };
        let Some(view) = call.arguments.get(1, "view").cloned() else {
            return Node::Unseen(Some(form));
        };
        self.view(form, &view, module, depth)
    }

    /// What stands behind a pattern: a view, or what `include` gave.
    fn view(&mut self, form: Form, view: &Val, module: usize, depth: usize) -> Node {
        match &view.kind {
            // `(patterns, app_name)`, which `admin.site.urls` is, too.
            K::Ref(_) => {
                let pair = self.program.items(view).map(|(items, _)| items);
                let first = pair.as_ref().and_then(|pair| pair.first()).cloned();
                return match first {
                    Some(first) => Node::Include(form, self.listed(&first, module, depth)),
                    None => Node::Unseen(Some(form)),
                };
            }
            K::Foreign(_) | K::Function(_) => {}
            K::Class(_) | K::Method(..) => return Node::View(form, ViewOf::default()),
            _ => return Node::Unseen(Some(form)),
        }
        let path = view.path().unwrap_or_default();
        if path.ends_with(".urls") || path.ends_with("urlpatterns") {
            return Node::Unseen(Some(form));
        }
        let call = view.call().and_then(|at| self.program.calls.get(at));
        let Some(call) = call.filter(|call| call.path.ends_with("include")).cloned() else {
            let view = methods::view(self.program, view);
            return Node::View(form, view.unwrap_or_default());
        };
        let Some(included) = call.arguments.get(0, "arg").cloned() else {
            return Node::Unseen(Some(form));
        };
        let inner = match &included.kind {
            K::Text(dotted) => self.module(dotted, module, depth + 1),
            K::Ref(_) => {
                let items = self.program.items(&included).map(|(items, _)| items);
                // `(patterns or module, app_name)`.
                let first = items.as_ref().and_then(|items| items.first());
                match (first.map(|first| &first.kind), items.as_ref().map(Vec::len)) {
                    (Some(K::Text(dotted)), Some(2)) => {
                        let dotted = dotted.to_string();
                        self.module(&dotted, module, depth + 1)
                    }
                    (Some(K::Ref(_)), Some(2)) => {
                        let first = first.cloned();
                        first.map(|first| self.listed(&first, module, depth + 1))
                    }
                    _ => Some(self.listed(&included, module, depth + 1)),
                }
            }
            K::Module(index) => {
                let names = self.program.modules()[*index].names;
                let patterns = self.program.get_name(names, "urlpatterns", included.span);
                Some(self.listed(&patterns, *index, depth + 1))
            }
            _ => None,
        };
        match inner {
            Some(inner) => Node::Include(form, inner),
            None => Node::Unseen(Some(form)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Dialect, Form, Node, PathPattern, Routed, Urls, ViewOf};

    fn path(text: &str) -> Form {
        Form::Path(PathPattern::new(Dialect::Django, text))
    }

    fn view(function: usize) -> ViewOf {
        ViewOf {
            function: Some(function),
            ..ViewOf::default()
        }
    }

    /// Expected values: Django 5.2.
    #[test]
    fn urls_are_resolved_as_by_django() {
        let urls = Urls {
            nodes: vec![
                Node::View(path(""), view(0)),
                Node::View(path("items/<int:pk>/"), view(1)),
                Node::View(Form::regex(r"^old/(?P<pk>\d+)/$"), view(2)),
                Node::View(Form::regex("loose"), view(3)),
                Node::Include(
                    path("api/<slug:version>/"),
                    vec![
                        Node::View(path("users"), view(4)),
                        Node::Include(
                            Form::regex("^deep/"),
                            vec![Node::View(Form::regex("^$"), view(5))],
                        ),
                    ],
                ),
                Node::Unseen(Some(path("admin/"))),
                Node::View(path("years/<four:year>"), view(6)),
            ],
        };
        for (path, expected) in [
            ("/", Routed::View(&view(0))),
            ("/items/7/", Routed::View(&view(1))),
            ("/items/x/", Routed::NotFound),
            ("/old/7/", Routed::View(&view(2))),
            ("/old/7", Routed::NotFound),
            ("/x/loose/y", Routed::View(&view(3))),
            ("/api/v1/users", Routed::View(&view(4))),
            ("/api/v1/users/", Routed::NotFound),
            ("/api/v1/deep/", Routed::View(&view(5))),
            ("/admin/login", Routed::Unknown),
            ("/years/2020", Routed::Unknown),
        ] {
            assert_eq!(urls.route(path), expected, "{path}");
        }
        let samples = urls.samples();
        let paths: Vec<&str> = samples.iter().map(|(path, _)| path.as_str()).collect();
        assert_eq!(
            paths,
            ["/", "/items/1/", "/loose", "/api/1/users", "/api/1/deep/"]
        );
    }
}
