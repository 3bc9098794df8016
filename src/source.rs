//! Files and places in them.
//!
//! Everything behind this module speaks of bytes ([`Span`]); lines and columns
//! are computed only where something is shown to a person or a machine.

mod folders;

use std::collections::HashMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

pub(crate) use folders::Folders;

/// The largest file that is read, in bytes. A larger one is skipped and counted.
pub const MAX_FILE_BYTES: u64 = crate::limits::MAX_FILE_BYTES;

/// Names one file of a [`Sources`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileId(u32);

/// A stretch of one file: byte offsets, `start` included, `end` not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    /// The file.
    pub file: FileId,
    /// First byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

impl Span {
    /// A span of `file`; `start` must not exceed `end`.
    #[must_use]
    pub const fn new(file: FileId, start: u32, end: u32) -> Self {
        Self { file, start, end }
    }

    /// The smallest span that holds both; `self` if they are in different files.
    #[must_use]
    pub fn to(self, other: Self) -> Self {
        if self.file == other.file {
            Self::new(
                self.file,
                self.start.min(other.start),
                self.end.max(other.end),
            )
        } else {
            self
        }
    }

    /// The bytes `start..end` counted from this span's start, kept inside it.
    #[must_use]
    pub fn part(self, start: usize, end: usize) -> Self {
        let at = |offset: usize| {
            let offset = u32::try_from(offset).unwrap_or(u32::MAX);
            self.start.saturating_add(offset).min(self.end)
        };
        Self::new(self.file, at(start), at(end).max(at(start)))
    }
}

/// A place for people: 1-based line and column, the column in Unicode characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// Line, from 1.
    pub line: usize,
    /// Column, from 1, in characters (Unicode scalar values).
    pub column: usize,
    /// Byte offset in the file, from 0.
    pub byte: usize,
}

/// One file, read once.
#[derive(Debug)]
pub struct SourceFile {
    id: FileId,
    path: PathBuf,
    text: String,
    line_starts: OnceLock<Vec<u32>>,
    /// How many characters begin before each multiple of [`STRIDE`]: columns in a file without
    /// line breaks must not cost its length each.
    characters: OnceLock<Vec<usize>>,
}

/// Distance of the counts in [`SourceFile::characters`], in bytes.
const STRIDE: usize = 4096;

impl SourceFile {
    /// The file's name in its [`Sources`].
    #[must_use]
    pub fn id(&self) -> FileId {
        self.id
    }

    /// The path as it was found or named.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The whole text, a byte order mark included.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The span of the whole file.
    #[must_use]
    pub fn span(&self) -> Span {
        Span::new(
            self.id,
            0,
            u32::try_from(self.text.len()).unwrap_or(u32::MAX),
        )
    }

    /// The text of a span; empty if the span does not lie in this file on character boundaries.
    #[must_use]
    pub fn slice(&self, span: Span) -> &str {
        self.text
            .get(span.start as usize..span.end as usize)
            .filter(|_| span.file == self.id)
            .unwrap_or_default()
    }

    /// Byte offsets at which lines start. A line ends after `\n`.
    pub fn line_starts(&self) -> &[u32] {
        self.line_starts.get_or_init(|| {
            let newlines = self
                .text
                .bytes()
                .enumerate()
                .filter(|(_, byte)| *byte == b'\n');
            std::iter::once(0)
                .chain(newlines.map(|(at, _)| u32::try_from(at + 1).unwrap_or(u32::MAX)))
                .collect()
        })
    }

    /// Line and column of a byte offset. An offset inside a character counts as its start; one
    /// past the end as the end. A byte order mark has no column.
    #[must_use]
    pub fn position(&self, byte: u32) -> Position {
        let mut byte = (byte as usize).min(self.text.len());
        while !self.text.is_char_boundary(byte) {
            byte -= 1;
        }
        let starts = self.line_starts();
        let line = starts.partition_point(|start| *start as usize <= byte);
        let start = starts
            .get(line.saturating_sub(1))
            .map_or(0, |start| *start as usize);
        let mark = usize::from(start == 0 && byte > 0 && self.text.starts_with('\u{feff}'));
        let column = self.characters_before(byte) - self.characters_before(start) - mark + 1;
        Position { line, column, byte }
    }

    /// How many characters begin before a byte offset.
    fn characters_before(&self, byte: usize) -> usize {
        let bytes = self.text.as_bytes();
        let begins = |bytes: &[u8]| bytes.iter().filter(|byte| **byte & 0xc0 != 0x80).count();
        let counts = self.characters.get_or_init(|| {
            let mut sum = 0;
            let strides = bytes.chunks(STRIDE).map(|chunk| {
                sum += begins(chunk);
                sum
            });
            std::iter::once(0).chain(strides).collect()
        });
        let stride = byte / STRIDE;
        counts[stride] + begins(&bytes[stride * STRIDE..byte])
    }
}

/// Why a file cannot be looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unreadable {
    /// The operating system refused; its words.
    Io(String),
    /// A FIFO, socket, device or directory.
    NotAFile,
    /// Too large; its size and the limit, in bytes.
    TooLarge(u64, u64),
    /// Holds NUL bytes.
    Binary,
    /// Not UTF-8; the offset of the first wrong byte.
    NotUtf8(usize),
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(words) => f.write_str(words),
            Self::NotAFile => f.write_str("not a regular file"),
            Self::TooLarge(size, limit) => {
                write!(f, "{size} bytes, larger than the limit of {limit} bytes")
            }
            Self::Binary => f.write_str("holds NUL bytes, so it is not text"),
            Self::NotUtf8(at) => write!(f, "not UTF-8 (byte {at})"),
        }
    }
}

/// All files of a run. Shared between threads; a file is read at most once, whatever links and
/// spellings of its path lead to it.
#[derive(Debug, Default)]
pub struct Sources {
    inner: Mutex<Inner>,
    folders: Arc<Folders>,
}

#[derive(Debug, Default)]
struct Inner {
    files: Vec<Arc<SourceFile>>,
    by_path: HashMap<PathBuf, Result<FileId, Unreadable>>,
}

impl Sources {
    /// No files yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads `path`, or gives what an earlier read of it gave.
    ///
    /// # Errors
    /// [`Unreadable`] says why there is no text to look at.
    pub fn load(&self, path: &Path) -> Result<Arc<SourceFile>, Unreadable> {
        let known = self.lock().by_path.get(path).cloned();
        match known {
            Some(Ok(id)) => return Ok(self.get(id)),
            Some(Err(why)) => return Err(why),
            None => {}
        }
        match read_text(path) {
            Ok(text) => Ok(self.add(path.to_path_buf(), text)),
            Err(why) => {
                self.lock()
                    .by_path
                    .insert(path.to_path_buf(), Err(why.clone()));
                Err(why)
            }
        }
    }

    /// Adds a text under a name, as if it had been read from there. If the file that the name
    /// leads to is known already, that is what comes back.
    pub fn add(&self, path: PathBuf, text: String) -> Arc<SourceFile> {
        let real = path.canonicalize().ok();
        self.add_real(path, real, text)
    }

    /// Like [`Sources::add`], where it is known which file the name leads to.
    pub(crate) fn add_real(
        &self,
        path: PathBuf,
        real: Option<PathBuf>,
        text: String,
    ) -> Arc<SourceFile> {
        let mut inner = self.lock();
        let known = |path: &PathBuf| match inner.by_path.get(path) {
            Some(Ok(id)) => Some(*id),
            _ => None,
        };
        if let Some(id) = known(&path).or_else(|| real.as_ref().and_then(known)) {
            inner.by_path.insert(path, Ok(id));
            return Arc::clone(&inner.files[id.0 as usize]);
        }
        let id = FileId(u32::try_from(inner.files.len()).unwrap_or(u32::MAX));
        let file = Arc::new(SourceFile {
            id,
            path: path.clone(),
            text,
            line_starts: OnceLock::new(),
            characters: OnceLock::new(),
        });
        inner.files.push(Arc::clone(&file));
        inner.by_path.extend(real.map(|real| (real, Ok(id))));
        inner.by_path.insert(path, Ok(id));
        file
    }

    /// The same files under the same ids, some with another text, as if they had been read so. The
    /// original stays as it is.
    #[must_use]
    pub fn edited(&self, texts: &HashMap<FileId, String>) -> Self {
        let inner = self.lock();
        let files = inner.files.iter().map(|file| match texts.get(&file.id) {
            None => Arc::clone(file),
            Some(text) => Arc::new(SourceFile {
                id: file.id,
                path: file.path.clone(),
                text: text.clone(),
                line_starts: OnceLock::new(),
                characters: OnceLock::new(),
            }),
        });
        Self {
            inner: Mutex::new(Inner {
                files: files.collect(),
                by_path: inner.by_path.clone(),
            }),
            folders: Arc::clone(&self.folders),
        }
    }

    /// What the folders of the files hold.
    pub(crate) fn folders(&self) -> &Arc<Folders> {
        &self.folders
    }

    /// The file of an id that this collection gave out.
    #[must_use]
    pub fn get(&self, id: FileId) -> Arc<SourceFile> {
        Arc::clone(&self.lock().files[id.0 as usize])
    }

    /// Every file that was read or added, in that order.
    #[must_use]
    pub fn files(&self) -> Vec<Arc<SourceFile>> {
        self.lock().files.clone()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The text of a file of at most [`MAX_FILE_BYTES`].
///
/// # Errors
/// [`Unreadable`] says why there is no text to look at.
pub fn read_text(path: &Path) -> Result<String, Unreadable> {
    text_of(read_bytes(path)?)
}

/// The content of a file of at most [`MAX_FILE_BYTES`].
pub(crate) fn read_bytes(path: &Path) -> Result<Vec<u8>, Unreadable> {
    // Asked before opening: to open a device may do something.
    let metadata = std::fs::metadata(path).map_err(|error| Unreadable::Io(error.to_string()))?;
    if !metadata.is_file() {
        return Err(Unreadable::NotAFile);
    }
    let mut buffer = Buffer::default();
    let size = buffer.read(path, MAX_FILE_BYTES)?.len();
    let mut bytes = buffer.bytes;
    bytes.truncate(size);
    Ok(bytes)
}

/// Keeps its memory from one file to the next.
#[derive(Default)]
pub(crate) struct Buffer {
    bytes: Vec<u8>,
}

impl Buffer {
    /// More memory than this, in bytes, is not kept.
    const KEPT: usize = 2 * 1024 * 1024;

    /// The content of a file of at most `limit` bytes, which was a regular one a moment ago.
    pub(crate) fn read(&mut self, path: &Path, limit: u64) -> Result<&[u8], Unreadable> {
        use std::io::Read as _;
        let io = |error: std::io::Error| Unreadable::Io(error.to_string());
        let mut file = open(path).map_err(io)?;
        let metadata = file.metadata().map_err(io)?;
        if !metadata.is_file() {
            return Err(Unreadable::NotAFile);
        }
        if metadata.len() > limit {
            return Err(Unreadable::TooLarge(metadata.len(), limit));
        }
        let size = usize::try_from(metadata.len()).unwrap_or(usize::MAX);
        if self.bytes.len() > Self::KEPT {
            self.bytes = Vec::new();
        }
        // One byte more shows the end of the file in the same read.
        let wanted = size.saturating_add(1);
        if self.bytes.len() < wanted {
            self.bytes.resize(wanted.next_power_of_two(), 0);
        }
        let mut filled = 0;
        loop {
            match file.read(&mut self.bytes[filled..]) {
                Ok(0) => break,
                Ok(count) => filled += count,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(io(error)),
            }
            if filled as u64 > limit {
                return Err(Unreadable::TooLarge(filled as u64, limit));
            }
            if filled >= size && filled < self.bytes.len() {
                break;
            }
            // It grows while it is read.
            if filled == self.bytes.len() {
                self.bytes.resize(2 * filled, 0);
            }
        }
        Ok(&self.bytes[..filled])
    }
}

/// Opens a file without waiting: it may have become a FIFO.
fn open(path: &Path) -> std::io::Result<std::fs::File> {
    let mut options = std::fs::File::options();
    options.read(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY);
    }
    options.open(path)
}

/// The text of a file's bytes.
///
/// # Errors
/// [`Unreadable::Binary`] or [`Unreadable::NotUtf8`].
pub fn text_of(bytes: Vec<u8>) -> Result<String, Unreadable> {
    if bytes.contains(&0) {
        return Err(Unreadable::Binary);
    }
    String::from_utf8(bytes).map_err(|error| Unreadable::NotUtf8(error.utf8_error().valid_up_to()))
}

/// Like [`text_of`].
pub(crate) fn str_of(bytes: &[u8]) -> Result<&str, Unreadable> {
    if bytes.contains(&0) {
        return Err(Unreadable::Binary);
    }
    std::str::from_utf8(bytes).map_err(|error| Unreadable::NotUtf8(error.valid_up_to()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_count_characters_from_one() {
        let sources = Sources::new();
        let file = sources.add("a".into(), "\u{feff}aé\r\nb".into());
        let at = |byte| {
            let position = file.position(byte);
            (position.line, position.column)
        };
        assert_eq!(at(3), (1, 1));
        assert_eq!(at(4), (1, 2));
        assert_eq!(at(5), (1, 2), "inside é");
        assert_eq!(at(6), (1, 3));
        assert_eq!(at(8), (2, 1));
        assert_eq!(at(99), (2, 2));
    }

    #[test]
    fn columns_count_over_many_strides() {
        let sources = Sources::new();
        let file = sources.add("a".into(), format!("é\n{}x", "é".repeat(STRIDE)));
        let end = u32::try_from(file.text().len()).expect("a short text");
        assert_eq!(file.position(end - 1).column, STRIDE + 1);
        assert_eq!(file.position(end).column, STRIDE + 2);
    }

    /// A pipe that has taken the place of a file since that was looked at: opening must not wait for
    /// somebody who writes.
    #[cfg(unix)]
    #[test]
    fn a_pipe_in_the_place_of_a_file_is_not_waited_for() {
        let folder = tempfile::tempdir().expect("a folder");
        let pipe = folder.path().join("nginx.conf");
        let made = std::process::Command::new("mkfifo").arg(&pipe).status();
        assert!(made.is_ok_and(|status| status.success()), "mkfifo");
        let (sender, receiver) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            let read = Buffer::default().read(&pipe, MAX_FILE_BYTES).err();
            sender.send(read.map(|why| why.to_string()))
        });
        let read = receiver.recv_timeout(std::time::Duration::from_secs(20));
        assert_eq!(read, Ok(Some(Unreadable::NotAFile.to_string())));
    }

    #[test]
    fn a_path_is_read_once() {
        let sources = Sources::new();
        let first = sources.add("a".into(), "x".into());
        let second = sources.add("a".into(), "y".into());
        assert_eq!(first.id(), second.id());
        assert_eq!(second.text(), "x");
    }

    #[test]
    fn bytes_that_are_not_text_are_refused() {
        assert_eq!(text_of(vec![b'a', 0]), Err(Unreadable::Binary));
        assert_eq!(text_of(vec![b'a', 0xff]), Err(Unreadable::NotUtf8(1)));
    }
}
