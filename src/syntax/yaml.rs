//! YAML: texts to documents with places.
//!
//! The limits (nesting, aliases, no key twice) are those of SnakeYAML as Spring Boot uses it, which
//! also bound the work.

use std::collections::HashMap;
use std::sync::Arc;

use saphyr_parser::{Event, Parser, ScalarStyle};

use crate::limits::yaml::{MAX_DEPTH, MAX_NODES};
use crate::source::{SourceFile, Span};

/// A node with its place.
#[derive(Clone, Debug)]
pub struct Node {
    /// What it is.
    pub kind: Kind,
    /// Where it is written.
    pub span: Span,
}

/// What a node is.
#[derive(Clone, Debug)]
pub enum Kind {
    /// A scalar: its text, and whether it is written in quotes or as a block.
    Scalar(String, bool),
    /// A sequence.
    Sequence(Vec<Arc<Node>>),
    /// A mapping, merge keys resolved; keys that are no scalars are left out.
    Mapping(Vec<Pair>),
}

/// An entry of a mapping.
#[derive(Clone, Debug)]
pub struct Pair {
    /// The key.
    pub key: String,
    /// Where the key is.
    pub key_span: Span,
    /// The value.
    pub value: Arc<Node>,
}

/// Why a text is no YAML that Spring Boot would read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The reason in words.
    pub text: String,
    /// Line, from 1.
    pub line: usize,
}

/// A mapping or sequence that is being read.
enum Open {
    Sequence(Vec<Arc<Node>>),
    Mapping(Vec<(Arc<Node>, Arc<Node>)>, Option<Arc<Node>>),
}

struct Frame {
    open: Open,
    start: usize,
    anchor: usize,
}

/// The documents of a file.
///
/// # Errors
/// [`Problem`] says why there are none.
pub fn parse(file: &SourceFile) -> Result<Vec<Arc<Node>>, Problem> {
    let text = file.text();
    let skipped = text.len() - text.trim_start_matches('\u{feff}').len();
    let text = &text[skipped..];
    let bytes = Bytes::new(text, skipped);
    let mut reader = Reader {
        file,
        bytes,
        anchors: HashMap::new(),
        frames: Vec::new(),
        documents: Vec::new(),
        nodes: 0,
        line: 1,
    };
    // Maven puts values in place of `@name@`, which is no YAML by itself.
    let filtered = without_filters(text);
    for event in Parser::new_from_str(&filtered) {
        let (event, span) = event.map_err(|error| Problem {
            text: words(error.info()),
            line: error.marker().line().max(1),
        })?;
        reader.line = span.start.line();
        reader.event(&event, span.start.index(), span.end.index())?;
    }
    Ok(reader.documents)
}

fn words(info: &str) -> String {
    if info.contains("tab") {
        return "tabs cannot indent YAML".to_owned();
    }
    info.to_owned()
}

/// The text with other letters of the same length in place of the signs around `@name@`.
fn without_filters(text: &str) -> String {
    let mut result = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('@') {
        let (before, after) = rest.split_at(at);
        result.push_str(before);
        let name = after[1..].find('@').map(|end| &after[1..=end]);
        let is_name = |name: &&str| {
            let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
            !name.is_empty() && name.len() < 80 && name.chars().all(fits)
        };
        match name.filter(is_name) {
            Some(name) => {
                result.push('_');
                result.push_str(name);
                result.push('_');
                rest = &after[name.len() + 2..];
            }
            None => {
                result.push('@');
                rest = &after[1..];
            }
        }
    }
    result.push_str(rest);
    result
}

/// Byte offsets of characters.
struct Bytes {
    starts: Option<Vec<u32>>,
    skipped: usize,
    length: usize,
}

impl Bytes {
    fn new(text: &str, skipped: usize) -> Self {
        let starts = (!text.is_ascii()).then(|| {
            let starts = text.char_indices();
            starts
                .map(|(at, _)| u32::try_from(at).unwrap_or(u32::MAX))
                .collect()
        });
        Self {
            starts,
            skipped,
            length: text.len(),
        }
    }

    fn at(&self, character: usize) -> u32 {
        let byte = match &self.starts {
            Some(starts) => starts.get(character).map_or(self.length, |at| *at as usize),
            None => character.min(self.length),
        };
        u32::try_from(byte + self.skipped).unwrap_or(u32::MAX)
    }
}

struct Reader<'a> {
    file: &'a SourceFile,
    bytes: Bytes,
    anchors: HashMap<usize, Arc<Node>>,
    frames: Vec<Frame>,
    documents: Vec<Arc<Node>>,
    nodes: usize,
    line: usize,
}

impl Reader<'_> {
    fn problem(&self, text: impl Into<String>) -> Problem {
        Problem {
            text: text.into(),
            line: self.line,
        }
    }

    fn span(&self, start: usize, end: usize) -> Span {
        let (start, end) = (self.bytes.at(start), self.bytes.at(end));
        let span = Span::new(self.file.id(), start, end.max(start));
        let source = self.file.slice(span);
        // What follows a mapping or a plain text on its lines is no part of it.
        let trimmed = source.trim_end().len();
        span.part(0, trimmed)
    }

    fn event(&mut self, event: &Event<'_>, start: usize, end: usize) -> Result<(), Problem> {
        self.nodes += 1;
        if self.nodes > MAX_NODES {
            return Err(self.problem("it holds too many values"));
        }
        match event {
            Event::Scalar(text, style, anchor, _) => {
                let mut span = self.span(start, end);
                let quoted = *style != ScalarStyle::Plain;
                let quotes = matches!(style, ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted);
                if quotes {
                    // The parser counts what follows on the line as well.
                    span = span.part(0, quoted_length(self.file.slice(span)));
                }
                let source = self.file.slice(span);
                // The text as it was before filters were hidden.
                let text = match text.contains('_') && source.contains('@') && !quoted {
                    true => source.to_owned(),
                    false => text.to_string(),
                };
                let node = Arc::new(Node {
                    kind: Kind::Scalar(text, quoted),
                    span,
                });
                self.finished(node, *anchor)?;
            }
            Event::SequenceStart(anchor, _) | Event::MappingStart(anchor, _) => {
                if self.frames.len() >= MAX_DEPTH {
                    return Err(self.problem("it is nested too deeply"));
                }
                let open = match event {
                    Event::SequenceStart(..) => Open::Sequence(Vec::new()),
                    _ => Open::Mapping(Vec::new(), None),
                };
                self.frames.push(Frame {
                    open,
                    start,
                    anchor: *anchor,
                });
            }
            Event::SequenceEnd | Event::MappingEnd => {
                let Some(frame) = self.frames.pop() else {
                    return Ok(());
                };
                let span = self.span(frame.start, end);
                let kind = match frame.open {
                    Open::Sequence(items) => Kind::Sequence(items),
                    Open::Mapping(pairs, _) => Kind::Mapping(self.mapping(&pairs)?),
                };
                self.finished(Arc::new(Node { kind, span }), frame.anchor)?;
            }
            Event::Alias(anchor) => {
                let Some(node) = self.anchors.get(anchor).cloned() else {
                    return Err(self.problem("an alias without an anchor before it"));
                };
                self.nodes += size(&node, MAX_NODES);
                self.finished(node, 0)?;
            }
            Event::Nothing
            | Event::StreamStart
            | Event::StreamEnd
            | Event::DocumentStart(_)
            | Event::DocumentEnd => {}
        }
        Ok(())
    }

    fn finished(&mut self, node: Arc<Node>, anchor: usize) -> Result<(), Problem> {
        if self.nodes > MAX_NODES {
            return Err(self.problem("its aliases stand for too many values"));
        }
        if anchor > 0 {
            self.anchors.insert(anchor, Arc::clone(&node));
        }
        match self.frames.last_mut().map(|frame| &mut frame.open) {
            Some(Open::Sequence(items)) => items.push(node),
            Some(Open::Mapping(pairs, key)) => match key.take() {
                Some(key) => pairs.push((key, node)),
                None => *key = Some(node),
            },
            None => self.documents.push(node),
        }
        Ok(())
    }

    fn mapping(&self, pairs: &[(Arc<Node>, Arc<Node>)]) -> Result<Vec<Pair>, Problem> {
        let mut result: Vec<Pair> = Vec::new();
        let mut places: HashMap<String, usize> = HashMap::new();
        let mut merged = Vec::new();
        for (key, value) in pairs {
            let Kind::Scalar(text, quoted) = &key.kind else {
                continue;
            };
            if text == "<<" && !quoted {
                merged.push(value);
                continue;
            }
            let pair = Pair {
                key: text.clone(),
                key_span: key.span,
                value: Arc::clone(value),
            };
            if places.insert(text.clone(), result.len()).is_some() {
                let position = self.file.position(key.span.start);
                return Err(Problem {
                    text: format!("the key `{text}` stands twice in one mapping"),
                    line: position.line,
                });
            }
            result.push(pair);
        }
        for value in merged {
            let sources: Vec<&Arc<Node>> = match &value.kind {
                Kind::Sequence(items) => items.iter().collect(),
                _ => vec![value],
            };
            for source in sources {
                let Kind::Mapping(pairs) = &source.kind else {
                    continue;
                };
                for pair in pairs {
                    if !places.contains_key(&pair.key) {
                        places.insert(pair.key.clone(), result.len());
                        result.push(pair.clone());
                    }
                }
            }
        }
        Ok(result)
    }
}

/// The length of a text in quotes, which stands at the start.
fn quoted_length(text: &str) -> usize {
    let mut bytes = text.bytes().enumerate();
    let Some((_, quote)) = bytes.next() else {
        return 0;
    };
    while let Some((at, byte)) = bytes.next() {
        if byte == b'\\' && quote == b'"' {
            bytes.next();
        } else if byte == quote {
            if quote == b'\'' && text.as_bytes().get(at + 1) == Some(&quote) {
                bytes.next();
                continue;
            }
            return at + 1;
        }
    }
    text.len()
}

/// How many nodes a node holds, up to a limit.
fn size(node: &Node, limit: usize) -> usize {
    let mut count = 0;
    let mut open = vec![node];
    while let Some(node) = open.pop() {
        count += 1;
        if count >= limit {
            return count;
        }
        match &node.kind {
            Kind::Scalar(..) => {}
            Kind::Sequence(items) => open.extend(items.iter().map(|item| &**item)),
            Kind::Mapping(pairs) => open.extend(pairs.iter().map(|pair| &*pair.value)),
        }
    }
    count
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Sources;

    fn show(node: &Node) -> String {
        match &node.kind {
            Kind::Scalar(text, true) => format!("'{text}'"),
            Kind::Scalar(text, false) => text.clone(),
            Kind::Sequence(items) => {
                let items: Vec<String> = items.iter().map(|item| show(item)).collect();
                format!("[{}]", items.join(" "))
            }
            Kind::Mapping(pairs) => {
                let pairs = pairs.iter();
                let pairs: Vec<String> = pairs
                    .map(|pair| format!("{}: {}", pair.key, show(&pair.value)))
                    .collect();
                format!("{{{}}}", pairs.join(", "))
            }
        }
    }

    fn read(text: &str) -> Result<String, String> {
        let file = Sources::new().add("no-such-folder/a.yml".into(), text.into());
        let documents =
            parse(&file).map_err(|problem| format!("{}: {}", problem.line, problem.text))?;
        let shown: Vec<String> = documents.iter().map(|node| show(node)).collect();
        Ok(shown.join(" --- "))
    }

    #[test]
    fn documents_anchors_and_merge_keys_are_read() {
        for (text, shown) in [
            (
                "a: 1\nb:\n  - x\n  - 'y'\n---\nc: |\n  d\n",
                "{a: 1, b: [x 'y']} --- {c: 'd\n'}",
            ),
            (
                "x: &x {a: 1, b: 2}\ny:\n  <<: *x\n  b: 3\n",
                "{x: {a: 1, b: 2}, y: {b: 3, a: 1}}",
            ),
            ("x: *x", ""),
            (
                "v: @project.version@\nw: a@b.c\n",
                "{v: @project.version@, w: a@b.c}",
            ),
            ("\u{feff}ä: ö\nb: c", "{ä: ö, b: c}"),
            ("'[/**]': {o: \"*\"}", "{[/**]: {o: '*'}}"),
            ("a:", "{a: }"),
        ] {
            match read(text) {
                Ok(found) => assert_eq!(found, shown, "{text}"),
                Err(_) => assert_eq!(shown, "", "{text}"),
            }
        }
    }

    #[test]
    fn places_are_bytes() {
        let text = "ä:\n  b: \"ö\" # c\n  d: e f \n";
        let file = Sources::new().add("no-such-folder/a.yml".into(), text.into());
        let document = parse(&file).expect("a document").remove(0);
        let Kind::Mapping(pairs) = &document.kind else {
            panic!("a mapping");
        };
        let Kind::Mapping(inner) = &pairs[0].value.kind else {
            panic!("a mapping");
        };
        assert_eq!(file.slice(pairs[0].key_span), "ä");
        assert_eq!(file.slice(inner[0].value.span), "\"ö\"");
        assert_eq!(file.slice(inner[1].value.span), "e f");
    }

    #[test]
    fn what_spring_refuses_is_refused() {
        let bomb = (0..30).fold("a0: &a0 [x]\n".to_owned(), |text, at| {
            format!("{text}a{}: &a{} [*a{at}, *a{at}, *a{at}]\n", at + 1, at + 1)
        });
        for text in [
            "a: 1\na: 2\n",
            "a:\n\tb: c\n",
            "a: [b\n",
            "a: {{ .Values.x }}: b: c\n",
            &bomb,
            &"[".repeat(100_000),
            &"- ".repeat(10_000),
            &"? ".repeat(10_000),
        ] {
            assert!(read(text).is_err(), "{}", text.get(..20).unwrap_or(text));
        }
        assert_eq!(
            read("a: 1\nb: 2\na: 2\n"),
            Err("3: the key `a` stands twice in one mapping".into())
        );
    }
}
