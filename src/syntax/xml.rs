//! XML with places. Nothing outside of the text is ever read: a document type declaration with
//! entities is refused.

use roxmltree::{Document, Node, ParsingOptions};

use crate::limits::xml::{MAX_DEPTH, MAX_NODES};
use crate::source::{SourceFile, Span};

/// An element.
#[derive(Clone, Debug)]
pub struct Element {
    /// Its name without a prefix.
    pub name: String,
    /// The URI that its prefix stands for.
    pub namespace: String,
    /// Its attributes.
    pub attributes: Vec<Attribute>,
    /// The elements in it.
    pub children: Vec<Self>,
    /// The text directly in it.
    pub text: String,
    /// The whole element.
    pub span: Span,
    /// The text in it, if nothing else is.
    pub text_span: Option<Span>,
}

/// An attribute.
#[derive(Clone, Debug)]
pub struct Attribute {
    /// Its name without a prefix.
    pub name: String,
    /// Its value.
    pub value: String,
    /// The value in its quotes.
    pub span: Span,
}

/// Why a text is no XML that is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The reason in words.
    pub text: String,
    /// Line, from 1.
    pub line: u32,
}

impl Element {
    /// The first element of a name in it.
    #[must_use]
    pub fn child(&self, name: &str) -> Option<&Self> {
        self.children.iter().find(|child| child.name == name)
    }

    /// The elements of a name in it.
    pub fn children_of<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Self> {
        self.children.iter().filter(move |child| child.name == name)
    }

    /// The text of the first element of a name in it; empty if there is none.
    #[must_use]
    pub fn text_of(&self, name: &str) -> &str {
        self.child(name).map_or("", |child| child.text.trim())
    }

    /// An attribute.
    #[must_use]
    pub fn attribute(&self, name: &str) -> Option<&Attribute> {
        self.attributes
            .iter()
            .find(|attribute| attribute.name == name)
    }
}

/// The root element of a file.
///
/// # Errors
/// [`Problem`] says why there is none.
pub fn parse(file: &SourceFile) -> Result<Element, Problem> {
    let text = file.text();
    let skipped = text.len() - text.trim_start_matches('\u{feff}').len();
    let options = ParsingOptions {
        // A declaration without entities is harmless and common in old files.
        allow_dtd: !text.contains("<!ENTITY"),
        nodes_limit: MAX_NODES,
        ..ParsingOptions::default()
    };
    let document = Document::parse_with_options(&text[skipped..], options).map_err(|error| {
        let text = match &error {
            roxmltree::Error::DtdDetected => "entities are not read".to_owned(),
            other => other.to_string(),
        };
        Problem {
            text,
            line: error.pos().row,
        }
    })?;
    let reader = Reader { file, skipped };
    Ok(reader.element(document.root_element(), 0))
}

struct Reader<'a> {
    file: &'a SourceFile,
    skipped: usize,
}

impl Reader<'_> {
    fn span(&self, range: std::ops::Range<usize>) -> Span {
        let at = |byte: usize| u32::try_from(byte + self.skipped).unwrap_or(u32::MAX);
        Span::new(self.file.id(), at(range.start), at(range.end))
    }

    fn element(&self, node: Node<'_, '_>, depth: u32) -> Element {
        let attributes = node.attributes().map(|attribute| Attribute {
            name: attribute.name().to_owned(),
            value: attribute.value().to_owned(),
            span: self.span(attribute.range_value()),
        });
        let mut children = Vec::new();
        let mut text = String::new();
        let mut text_span = None;
        for child in node.children() {
            if child.is_element() && depth < MAX_DEPTH {
                children.push(self.element(child, depth + 1));
            } else if child.is_text() {
                text.push_str(child.text().unwrap_or_default());
                text_span = Some(self.span(child.range()));
            }
        }
        Element {
            name: node.tag_name().name().to_owned(),
            namespace: node.tag_name().namespace().unwrap_or_default().to_owned(),
            attributes: attributes.collect(),
            text_span: text_span.filter(|_| children.is_empty()),
            children,
            text,
            span: self.span(node.range()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::source::Sources;

    fn file(text: &str) -> Arc<SourceFile> {
        Sources::new().add("no-such-folder/a.xml".into(), text.into())
    }

    #[test]
    fn elements_have_places() {
        let text = "<?xml version=\"1.0\"?>\n<beans xmlns:mvc=\"urn:m\"><mvc:cors><mvc:mapping path=\"/a/**\" allowed-origins='x, y'/></mvc:cors><t> v </t></beans>";
        let file = file(text);
        let root = parse(&file).expect("a document");
        let cors = root.child("cors").expect("an element");
        assert_eq!(cors.namespace, "urn:m");
        let origins = cors.children[0]
            .attribute("allowed-origins")
            .expect("an attribute");
        assert_eq!(
            (origins.value.as_str(), file.slice(origins.span)),
            ("x, y", "x, y")
        );
        assert_eq!(root.text_of("t"), "v");
    }

    #[test]
    fn entities_are_never_read() {
        for text in [
            "<!DOCTYPE x [<!ENTITY e SYSTEM \"file:///etc/passwd\">]><x>&e;</x>",
            "<!DOCTYPE x [<!ENTITY a \"aa\"><!ENTITY b \"&a;&a;\">]><x>&b;</x>",
            "<x>&unknown;</x>",
            "<x><y></x>",
            "",
        ] {
            assert!(parse(&file(text)).is_err(), "{text}");
        }
        let declared = "<!DOCTYPE web-app PUBLIC \"-//X\" \"http://x.example/web.dtd\"><web-app/>";
        assert_eq!(
            parse(&file(declared)).map(|root| root.name),
            Ok("web-app".into())
        );
    }

    #[test]
    fn deep_texts_are_survived() {
        let text = format!("{}{}", "<a>".repeat(5000), "</a>".repeat(5000));
        let _ = parse(&file(&text));
        let text = "<a>".repeat(100_000);
        assert!(parse(&file(&text)).is_err());
    }
}
