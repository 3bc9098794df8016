//! Configurations as trees of directives, to make, write and shrink them.

/// A directive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Node {
    /// Its words as they are written.
    pub(crate) words: String,
    pub(crate) body: Body,
}

/// What stands behind the words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Body {
    None,
    Block(Vec<Node>),
    /// The directives stand in a file of their own, and `include` with its name here.
    File(Vec<Node>),
}

impl Node {
    pub(crate) fn new(words: impl Into<String>) -> Self {
        Self {
            words: words.into(),
            body: Body::None,
        }
    }

    pub(crate) fn block(words: impl Into<String>, inner: Vec<Self>) -> Self {
        Self {
            words: words.into(),
            body: Body::Block(inner),
        }
    }

    pub(crate) fn include(name: impl Into<String>, inner: Vec<Self>) -> Self {
        Self {
            words: name.into(),
            body: Body::File(inner),
        }
    }

    fn inner(&self) -> &[Self] {
        match &self.body {
            Body::None => &[],
            Body::Block(inner) | Body::File(inner) => inner,
        }
    }

    fn inner_mut(&mut self) -> Option<&mut Vec<Self>> {
        match &mut self.body {
            Body::None => None,
            Body::Block(inner) | Body::File(inner) => Some(inner),
        }
    }
}

/// The files: `nginx.conf` first, then the included ones.
pub(crate) fn files(nodes: &[Node]) -> Vec<(String, String)> {
    let mut files = vec![("nginx.conf".to_owned(), String::new())];
    let text = text(nodes, 0, &mut files);
    files[0].1 = text;
    files
}

fn text(nodes: &[Node], depth: usize, files: &mut Vec<(String, String)>) -> String {
    let mut written = String::new();
    let indent = "    ".repeat(depth);
    for node in nodes {
        let words = &node.words;
        match &node.body {
            Body::None => written.push_str(&format!("{indent}{words};\n")),
            Body::Block(inner) => {
                let inner = text(inner, depth + 1, files);
                written.push_str(&format!("{indent}{words} {{\n{inner}{indent}}}\n"));
            }
            Body::File(inner) => {
                let inner = text(inner, 0, files);
                files.push((words.clone(), inner));
                written.push_str(&format!("{indent}include {words};\n"));
            }
        }
    }
    written
}

/// All trees with one step taken away, the largest steps first: a directive deleted, a block
/// replaced by what stands in it, a last word dropped.
pub(crate) fn smaller(nodes: &[Node]) -> Vec<Vec<Node>> {
    let mut paths = Vec::new();
    collect(nodes, &mut Vec::new(), &mut paths);
    let mut trees: Vec<Vec<Node>> = Vec::new();
    for path in &paths {
        trees.extend(edited(nodes, path, |_| Some(Vec::new())));
    }
    for path in &paths {
        trees.extend(edited(nodes, path, |node| {
            (!node.inner().is_empty()).then(|| node.inner().to_vec())
        }));
        trees.extend(edited(nodes, path, |node| {
            let (words, _) = node.words.rsplit_once(' ')?;
            // A directive without any argument is of no use.
            words.contains(' ').then_some(())?;
            Some(vec![Node {
                words: words.into(),
                body: node.body.clone(),
            }])
        }));
    }
    trees
}

/// Paths to all directives, outer ones first.
fn collect(nodes: &[Node], path: &mut Vec<usize>, paths: &mut Vec<Vec<usize>>) {
    for (index, node) in nodes.iter().enumerate() {
        path.push(index);
        paths.push(path.clone());
        collect(node.inner(), path, paths);
        path.pop();
    }
}

fn edited(
    nodes: &[Node],
    path: &[usize],
    replace: impl FnOnce(&Node) -> Option<Vec<Node>>,
) -> Option<Vec<Node>> {
    let mut tree = nodes.to_vec();
    let (last, outer) = path.split_last()?;
    let mut list = &mut tree;
    for index in outer {
        list = list.get_mut(*index)?.inner_mut()?;
    }
    let new = replace(list.get(*last)?)?;
    list.splice(*last..=*last, new);
    Some(tree)
}

#[test]
fn a_tree_is_written_and_shrunk() {
    let tree = vec![Node::block(
        "location /",
        vec![
            Node::new("return 204"),
            Node::include("a.inc", vec![Node::new("expires -1")]),
        ],
    )];
    let written = files(&tree);
    assert_eq!(
        written[0].1,
        "location / {\n    return 204;\n    include a.inc;\n}\n"
    );
    assert_eq!(written[1], ("a.inc".into(), "expires -1;\n".into()));
    let smaller = smaller(&tree);
    assert!(smaller.contains(&Vec::new()));
    assert!(
        smaller
            .iter()
            .any(|tree| files(tree)[0].1 == "location / {\n    return 204;\n}\n")
    );
}
