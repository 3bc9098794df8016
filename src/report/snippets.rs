//! The lines of source that a diagnostic shows.
//!
//! codespan-reporting writes source text and labels out as they are. So it never sees a file: it
//! gets a small text per file that holds the lines to show only, made [fit to be shown](super::text),
//! with the parts of long lines that no label is near cut out.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Arc;

use codespan_reporting::diagnostic::{Label, LabelStyle};
use codespan_reporting::files::{Error, Files};

use super::Paths;
use super::text::{escape, short_line};
use crate::model;
use crate::source::{SourceFile, Sources, Span};

/// The longest line that is shown whole, in characters.
const LONG_LINE: usize = 200;

/// What is shown before and after a label in a longer line, in characters.
const AROUND: usize = 40;

/// The lines of all files that a diagnostic shows.
pub(super) struct Snippets {
    files: Vec<Snippet>,
}

/// The lines of one file.
struct Snippet {
    source: Arc<SourceFile>,
    name: String,
    /// The lines, each with its line break.
    text: String,
    /// Line number from 0 to the line's place in `text`, without the line break.
    lines: BTreeMap<usize, Range<usize>>,
    /// Starts of labels in `text`, with their columns in the file.
    columns: BTreeMap<usize, usize>,
}

/// A label on one line of one file.
struct Place<'a> {
    file: usize,
    line: usize,
    /// Bytes of the line.
    range: Range<usize>,
    column: usize,
    style: LabelStyle,
    text: Cow<'a, str>,
}

impl Snippets {
    /// The lines for `labels`, and the labels as places in them.
    pub(super) fn new<'a>(
        labels: impl Iterator<Item = (LabelStyle, &'a model::Label)>,
        sources: &Sources,
        paths: &Paths,
    ) -> (Self, Vec<Label<usize>>) {
        let mut files: Vec<Snippet> = Vec::new();
        let mut places = Vec::new();
        for (style, label) in labels {
            let known = files.iter().position(|f| f.source.id() == label.span.file);
            let file = known.unwrap_or_else(|| {
                files.push(Snippet::new(sources.get(label.span.file), paths));
                files.len() - 1
            });
            let source = &files[file].source;
            let (line, range) = on_one_line(source, label.span);
            let start = u32::try_from(range.start).unwrap_or(u32::MAX);
            let line_start = source.line_starts()[line] as usize;
            places.push(Place {
                file,
                line,
                column: source.position(start).column,
                range: range.start - line_start..range.end - line_start,
                style,
                text: short_line(&label.text),
            });
        }
        let mut labels: Vec<Option<Label<usize>>> = places.iter().map(|_| None).collect();
        for (file, snippet) in files.iter_mut().enumerate() {
            let mut by_line: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
            for (index, place) in places.iter().enumerate() {
                if place.file == file {
                    by_line.entry(place.line).or_default().push(index);
                }
            }
            // codespan shows a single line between two others instead of a break.
            let between: Vec<usize> = by_line
                .keys()
                .map(|line| line + 1)
                .filter(|line| !by_line.contains_key(line) && by_line.contains_key(&(line + 1)))
                .collect();
            for line in between {
                by_line.entry(line).or_default();
            }
            for (line, indexes) in by_line {
                let ranges: Vec<_> = indexes.iter().map(|i| places[*i].range.clone()).collect();
                let shown = snippet.show(line, &ranges);
                for (index, range) in indexes.into_iter().zip(shown) {
                    let place = &places[index];
                    snippet.columns.insert(range.start, place.column);
                    labels[index] = Some(
                        Label::new(place.style, file, range).with_message(place.text.as_ref()),
                    );
                }
            }
        }
        (Self { files }, labels.into_iter().flatten().collect())
    }

    fn file(&self, id: usize) -> Result<&Snippet, Error> {
        self.files.get(id).ok_or(Error::FileMissing)
    }
}

impl Snippet {
    fn new(source: Arc<SourceFile>, paths: &Paths) -> Self {
        Self {
            name: paths.show(source.path()),
            source,
            text: String::new(),
            lines: BTreeMap::new(),
            columns: BTreeMap::new(),
        }
    }

    /// Adds a line; gives where parts of it are in the text.
    fn show(&mut self, line: usize, parts: &[Range<usize>]) -> Vec<Range<usize>> {
        let source = Arc::clone(&self.source);
        let raw = line_text(&source, line);
        let start = self.text.len();
        // Where the ends of the parts come to stand.
        let mut ends: BTreeMap<usize, usize> = BTreeMap::new();
        let wanted: BTreeSet<usize> = parts.iter().flat_map(|p| [p.start, p.end]).collect();
        let kept = kept(raw, &wanted);
        let mut shown_to = 0;
        for keep in kept {
            if keep.start > shown_to {
                self.text.push('…');
            }
            for (at, c) in raw[keep.clone()].char_indices() {
                let at = keep.start + at;
                if wanted.contains(&at) {
                    ends.insert(at, self.text.len());
                }
                match escape(c).filter(|_| c != '\t') {
                    Some(escape) => self.text.push_str(&escape),
                    None => self.text.push(c),
                }
            }
            if wanted.contains(&keep.end) {
                ends.insert(keep.end, self.text.len());
            }
            shown_to = keep.end;
        }
        if shown_to < raw.len() {
            self.text.push('…');
        }
        self.lines.insert(line, start..self.text.len());
        self.text.push('\n');
        let place = |at: usize| ends.get(&at).copied().unwrap_or(start);
        let shown = parts.iter();
        shown
            .map(|part| place(part.start)..place(part.end))
            .collect()
    }
}

/// Which bytes of a line are shown: everything, or the surroundings of `ends` if it is long.
fn kept(raw: &str, ends: &BTreeSet<usize>) -> Vec<Range<usize>> {
    if raw.char_indices().nth(LONG_LINE).is_none() {
        let whole = 0..raw.len();
        return vec![whole];
    }
    let mut kept: Vec<Range<usize>> = Vec::new();
    let first = std::iter::once(&0).filter(|_| ends.is_empty());
    for end in first.chain(ends) {
        let (before, after) = raw.split_at(*end);
        let start = before.char_indices().rev().nth(AROUND - 1);
        let start = start.map_or(0, |(at, _)| at);
        let stop = after.char_indices().nth(AROUND);
        let stop = stop.map_or(raw.len(), |(at, _)| end + at);
        match kept.last_mut() {
            Some(last) if last.end >= start => last.end = stop,
            _ => kept.push(start..stop),
        }
    }
    kept
}

/// A line without its line break.
fn line_text(source: &SourceFile, line: usize) -> &str {
    let starts = source.line_starts();
    let start = starts.get(line).map_or(0, |start| *start as usize);
    let end = starts
        .get(line + 1)
        .map_or(source.text().len(), |end| *end as usize);
    let text = source.text().get(start..end).unwrap_or_default();
    let text = text.strip_suffix('\n').unwrap_or(text);
    text.strip_suffix('\r').unwrap_or(text)
}

/// The line that a span begins on, from 0, and the span's part of it, as bytes of the file.
///
/// A span that is wrong (past the end, inside a character) is moved to what it can have meant: a
/// report with a misplaced mark is better than none.
fn on_one_line(source: &SourceFile, span: Span) -> (usize, Range<usize>) {
    let position = source.position(span.start);
    let line = position.line - 1;
    let line_start = source.line_starts()[line] as usize;
    let line_end = line_start + line_text(source, line).len();
    let start = position.byte.min(line_end);
    let end = source.position(span.end).byte.clamp(start, line_end);
    (line, start..end)
}

impl<'a> Files<'a> for Snippets {
    type FileId = usize;
    type Name = &'a str;
    type Source = &'a str;

    fn name(&'a self, id: usize) -> Result<&'a str, Error> {
        Ok(&self.file(id)?.name)
    }

    fn source(&'a self, id: usize) -> Result<&'a str, Error> {
        Ok(&self.file(id)?.text)
    }

    fn line_index(&'a self, id: usize, byte: usize) -> Result<usize, Error> {
        let mut lines = self.file(id)?.lines.iter();
        let line = lines.find(|(_, range)| byte <= range.end);
        line.map(|(line, _)| *line).ok_or(Error::FileMissing)
    }

    fn column_number(&'a self, id: usize, _line: usize, byte: usize) -> Result<usize, Error> {
        let column = self.file(id)?.columns.get(&byte);
        column
            .copied()
            .ok_or(Error::InvalidCharBoundary { given: byte })
    }

    fn line_range(&'a self, id: usize, line: usize) -> Result<Range<usize>, Error> {
        let range = self.file(id)?.lines.get(&line).cloned();
        range
            .map(|range| range.start..range.end + 1)
            .ok_or(Error::LineTooLarge {
                given: line,
                max: 0,
            })
    }
}
