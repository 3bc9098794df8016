//! Statements: what is put in front of them, and entries of lists that change places.

use tree_sitter::{Node, Tree};

use super::languages::Language;
use crate::limits::fixes::MAX_IFS;
use crate::model::Edit;
use crate::source::{SourceFile, Span};
use crate::syntax::nginx::{self, Body, Directive};

/// What holds statements, in all grammars.
const BLOCKS: [&str; 9] = [
    "block",
    "function_body",
    "lambda_body",
    "module",
    "program",
    "source_file",
    "statement_block",
    "statements",
    "switch_block_statement_group",
];

/// What adds to `Vary` in Django, and its module.
const VARY_FUNCTION: &str = "patch_vary_headers";
const VARY_MODULE: &str = "django.utils.cache";

/// The ways to send `Vary: Origin` where a header line is sent, each as edits.
pub(super) fn vary(
    language: Language,
    framework: &str,
    file: &SourceFile,
    span: Span,
) -> Vec<Vec<Edit>> {
    if language == Language::Nginx {
        return directives(file, span);
    }
    let Some(tree) = language.tree(file) else {
        return Vec::new();
    };
    let (start, end) = (span.start as usize, span.end as usize);
    let Some(node) = tree.root_node().descendant_for_byte_range(start, end) else {
        return Vec::new();
    };
    let Some(statement) = statement(node) else {
        return Vec::new();
    };
    let Some(object) = object(node, statement) else {
        return Vec::new();
    };
    let Some(receiver) = receiver(file, object) else {
        return Vec::new();
    };
    let ended = file.text()[statement.byte_range()].ends_with(';') || language == Language::Java;
    let end = if ended { ";" } else { "" };
    let mut import = None;
    let code = match (language, framework) {
        (Language::JavaScript, _) => format!("{receiver}.vary('Origin'){end}"),
        (Language::Python, "flask") => format!("{receiver}.headers.add(\"Vary\", \"Origin\")"),
        (Language::Python, "starlette") => {
            format!("{receiver}.headers.add_vary_header(\"Origin\")")
        }
        (Language::Python, "django") => {
            let Some(known) = imported(&tree, file, VARY_MODULE, VARY_FUNCTION) else {
                return Vec::new();
            };
            import = known;
            format!("{VARY_FUNCTION}({receiver}, [\"Origin\"])")
        }
        (Language::Java | Language::Kotlin, _) => match headers(file, object) {
            Some(headers) => format!("{headers}.add(\"Vary\", \"Origin\"){end}"),
            None => format!("{receiver}.addHeader(\"Vary\", \"Origin\"){end}"),
        },
        _ => return Vec::new(),
    };
    let way = |at: Node<'_>| {
        let call = before(file, at.start_byte(), &code);
        import.iter().cloned().chain([call]).collect()
    };
    let mut ways = vec![way(statement)];
    let mut inner = statement;
    for _ in 0..MAX_IFS {
        let Some(outer) = around(inner) else { break };
        ways.push(way(outer));
        inner = outer;
    }
    ways
}

/// What makes a name of a module known in a Python file: nothing if it is, no way if the name stands for
/// something else.
fn imported(tree: &Tree, file: &SourceFile, module: &str, name: &str) -> Option<Option<Edit>> {
    let line = format!("from {module} import {name}");
    let (mut last, mut first) = (None, None);
    let mut known = false;
    let root = tree.root_node();
    for node in root.named_children(&mut root.walk()) {
        let text = &file.text()[node.byte_range()];
        match node.kind() {
            "import_statement" | "future_import_statement" => last = Some(node),
            "import_from_statement" => {
                let from = node.child_by_field_name("module_name");
                let from = from.map(|from| &file.text()[from.byte_range()]);
                let mut cursor = node.walk();
                let names = node.children_by_field_name("name", &mut cursor);
                let mut names = names.map(|name| &file.text()[name.byte_range()]);
                known |= from == Some(module) && names.any(|known| known == name);
                last = Some(node);
            }
            "comment" => {}
            // What a file says of itself.
            "expression_statement" if first.is_none() && text.starts_with(['"', '\'']) => {
                last = Some(node)
            }
            _ => {
                first = first.or(Some(node));
                break;
            }
        }
    }
    if known {
        return Some(None);
    }
    if !names(file, name).is_empty() {
        return None;
    }
    Some(Some(match (last, first) {
        (Some(last), _) => {
            let end = last.end_byte();
            let blank = if last.kind() == "expression_statement" {
                2
            } else {
                1
            };
            let text = format!("{}{line}", line_break(file, end).repeat(blank));
            insertion(file, end, text)
        }
        (None, Some(first)) => before(file, first.start_byte(), &line),
        (None, None) => return None,
    }))
}

/// The statement that a node belongs to.
fn statement(node: Node<'_>) -> Option<Node<'_>> {
    let mut node = node;
    loop {
        let parent = node.parent()?;
        if BLOCKS.contains(&parent.kind()) {
            return Some(node);
        }
        node = parent;
    }
}

/// The next `if` around a statement, as a statement of its own.
fn around(statement: Node<'_>) -> Option<Node<'_>> {
    let mut node = statement.parent()?;
    loop {
        if matches!(node.kind(), "if_statement" | "if_expression") {
            let whole = self::statement(node)?;
            return Some(whole);
        }
        let is_function = ["function", "method", "lambda", "class"]
            .iter()
            .any(|word| node.kind().contains(word));
        if is_function && !BLOCKS.contains(&node.kind()) {
            return None;
        }
        node = node.parent()?;
    }
}

/// What stands before the last `.` or `[` of what sets a header.
fn object<'t>(node: Node<'t>, statement: Node<'t>) -> Option<Node<'t>> {
    let mut node = node;
    // The outermost call or assignment up to the statement.
    let mut found = None;
    loop {
        let object = match node.kind() {
            "call_expression" => node
                .child_by_field_name("function")
                .or_else(|| node.named_child(0)),
            "call" => node.child_by_field_name("function"),
            "method_invocation" => node.child_by_field_name("object"),
            "assignment" => node
                .child_by_field_name("left")
                .and_then(|left| left.child_by_field_name("value")),
            _ => None,
        };
        found = object.or(found);
        if node == statement {
            break;
        }
        node = node.parent()?;
    }
    found
}

/// The headers of a response that are set at an object, as it is written: those of WebFlux.
fn headers(file: &SourceFile, object: Node<'_>) -> Option<String> {
    let object = match object.kind() {
        "navigation_expression" => object.named_child(0)?,
        _ => object,
    };
    let text = &file.text()[object.byte_range()];
    let plain = |c: char| c.is_alphanumeric() || matches!(c, '_' | '.' | '(' | ')');
    let are_headers = text.ends_with(".getHeaders()") || text.ends_with(".headers");
    (are_headers && text.chars().all(plain)).then(|| text.to_owned())
}

/// The response on which a header is set, as it is written.
fn receiver(file: &SourceFile, object: Node<'_>) -> Option<String> {
    let mut object = object;
    // To the left end of `res.status(200).header(…)`, `response.headers.add(…)`.
    loop {
        let inner = match object.kind() {
            "member_expression" => object.child_by_field_name("object"),
            "attribute" => object.child_by_field_name("object"),
            "call_expression" | "call" => object.child_by_field_name("function"),
            "method_invocation" => object.child_by_field_name("object"),
            "navigation_expression" => object.named_child(0),
            _ => None,
        };
        match inner {
            Some(inner) if inner.kind() == "this" || inner.kind() == "self" => break,
            Some(inner) => object = inner,
            None => break,
        }
    }
    let text = &file.text()[object.byte_range()];
    let plain = text
        .chars()
        .all(|c| c.is_alphanumeric() || matches!(c, '_' | '.' | '$'));
    (plain && !text.is_empty()).then(|| text.to_owned())
}

/// Code in front of what stands at `at`, on a line of its own if that begins one.
fn before(file: &SourceFile, at: usize, code: &str) -> Edit {
    let (indent, alone) = indent(file, at);
    let text = if alone {
        format!("{code}{}{indent}", line_break(file, at))
    } else {
        format!("{code} ")
    };
    insertion(file, at, text)
}

/// The white space before a place on its line, and whether nothing else stands there.
fn indent(file: &SourceFile, at: usize) -> (&str, bool) {
    let line = file.text()[..at].rfind('\n').map_or(0, |end| end + 1);
    let before = &file.text()[line..at];
    let indent = before.len() - before.trim_start().len();
    (&before[..indent], indent == before.len())
}

/// How lines end where something is put in.
fn line_break(file: &SourceFile, at: usize) -> &'static str {
    let text = file.text();
    let end = text[at..].find('\n').map(|end| at + end);
    let end = end.or_else(|| text[..at].rfind('\n'));
    match end {
        Some(end) if text[..end].ends_with('\r') => "\r\n",
        _ => "\n",
    }
}

fn insertion(file: &SourceFile, at: usize, text: String) -> Edit {
    let at = u32::try_from(at).unwrap_or(u32::MAX);
    Edit {
        span: Span::new(file.id(), at, at),
        text,
    }
}

/// `always` for each `add_header` of a header of CORS, or of `Vary`, among the places.
pub(super) fn always(file: &SourceFile, spans: &[Span]) -> Vec<Edit> {
    let edits = spans
        .iter()
        .filter(|span| span.file == file.id())
        .filter_map(|span| {
            let text = file.slice(*span);
            let inner = text.strip_suffix(';')?;
            let mut words = inner.split_whitespace();
            let directive = words.next()?;
            let name = words.next()?.trim_matches(['"', '\'']).to_ascii_lowercase();
            let concerns = name.starts_with("access-control-") || name == "vary";
            let known = words.last()? == "always";
            (directive == "add_header" && concerns && !known).then(|| {
                let at = span.start as usize + inner.trim_end().len();
                insertion(file, at, " always".into())
            })
        });
    edits.collect()
}

/// `add_header Vary Origin always;` behind the directive at a place, in front of the `if` around it, or
/// both.
fn directives(file: &SourceFile, span: Span) -> Vec<Vec<Edit>> {
    let parsed = nginx::parse(file);
    let mut path = Vec::new();
    find(&parsed.directives, span, &mut path);
    let Some((inner, outer)) = path.split_last() else {
        return Vec::new();
    };
    let line = match inner.name.text.as_str() {
        "add_header" => "add_header Vary Origin always;",
        "more_set_headers" => "more_set_headers \"Vary: Origin\";",
        _ => return Vec::new(),
    };
    let end = inner.span.end as usize;
    let (indent, alone) = indent(file, inner.span.start as usize);
    let behind = if alone {
        format!("{}{indent}{line}", line_break(file, end))
    } else {
        format!(" {line}")
    };
    let behind = insertion(file, end, behind);
    let mut ways = vec![vec![behind.clone()]];
    let condition = outer
        .iter()
        .rev()
        .take_while(|block| block.name.text == "if")
        .last();
    if let Some(condition) = condition {
        let front = before(file, condition.span.start as usize, line);
        ways.push(vec![front.clone()]);
        ways.push(vec![front, behind]);
    }
    ways
}

/// The directives around a place, from the outermost.
fn find<'d>(directives: &'d [Directive], span: Span, path: &mut Vec<&'d Directive>) {
    let around = |directive: &&Directive| {
        directive.span.start <= span.start && span.end <= directive.span.end
    };
    if let Some(directive) = directives.iter().find(around) {
        path.push(directive);
        if let Body::Block(inner) = &directive.body {
            find(inner, span, path);
        }
    }
}

/// Every place of a Python file at which a name stands as a name.
pub(super) fn names(file: &SourceFile, name: &str) -> Vec<Span> {
    let Some(tree) = Language::Python.tree(file) else {
        return Vec::new();
    };
    let mut found = Vec::new();
    let mut open = vec![tree.root_node()];
    while let Some(node) = open.pop() {
        if node.kind() == "identifier" && file.text()[node.byte_range()] == *name {
            let at = |byte: usize| u32::try_from(byte).unwrap_or(u32::MAX);
            found.push(Span::new(
                file.id(),
                at(node.start_byte()),
                at(node.end_byte()),
            ));
        }
        open.extend(node.children(&mut node.walk()));
    }
    found.sort_unstable();
    found
}

/// The texts and regular expressions that are written inside a place.
pub(super) fn literals(tree: &Tree, span: Span) -> Vec<Span> {
    let (start, end) = (span.start as usize, span.end as usize);
    let Some(node) = tree.root_node().descendant_for_byte_range(start, end) else {
        return Vec::new();
    };
    let mut found = Vec::new();
    let mut open = vec![node];
    while let Some(node) = open.pop() {
        if matches!(
            node.kind(),
            "string" | "string_literal" | "regex" | "template_string"
        ) {
            let at = |byte: usize| u32::try_from(byte).unwrap_or(u32::MAX);
            found.push(Span::new(
                span.file,
                at(node.start_byte()),
                at(node.end_byte()),
            ));
        } else {
            open.extend(node.children(&mut node.walk()));
        }
    }
    found
}

/// Puts the entry of a Python list or tuple at `entry` in front of the one at `other`.
pub(super) fn reorder(file: &SourceFile, entry: Span, other: Span) -> Option<Vec<Edit>> {
    let tree = Language::Python.tree(file)?;
    let find = |span: Span| {
        let (start, end) = (span.start as usize, span.end as usize);
        let mut node = tree.root_node().descendant_for_byte_range(start, end)?;
        while !matches!(node.parent()?.kind(), "list" | "tuple") {
            node = node.parent()?;
        }
        Some(node)
    };
    let (moved, first) = (find(entry)?, find(other)?);
    if moved.parent() != first.parent() || moved.start_byte() <= first.start_byte() {
        return None;
    }
    let text = file.text();
    let code = &text[moved.byte_range()];
    let (indent, alone) = self::indent(file, moved.start_byte());
    let comma = moved.next_sibling().filter(|next| next.kind() == ",");
    let end = comma.map_or(moved.end_byte(), |comma| comma.end_byte());
    let rest = text[end..].split_inclusive('\n').next().unwrap_or_default();
    let at = |byte: usize| u32::try_from(byte).unwrap_or(u32::MAX);
    let note = rest.trim_end();
    let whole = alone && (note.is_empty() || note.trim_start().starts_with('#'));
    // The whole line goes, or the entry with the comma that parts it from its neighbour.
    let gone = if whole {
        moved.start_byte() - indent.len()..end + rest.len()
    } else if comma.is_some() {
        let blanks = rest.len() - rest.trim_start_matches([' ', '\t']).len();
        moved.start_byte()..end + blanks
    } else {
        let before = moved.prev_sibling().filter(|before| before.kind() == ",")?;
        before.start_byte()..end
    };
    // A comment needs the rest of a line of its own.
    let note = if whole && self::indent(file, first.start_byte()).1 {
        note
    } else {
        ""
    };
    Some(vec![
        before(file, first.start_byte(), &format!("{code},{note}")),
        Edit {
            span: Span::new(file.id(), at(gone.start), at(gone.end)),
            text: String::new(),
        },
    ])
}
