//! Looking into files: one read each, into a buffer that every thread keeps.

use std::cell::RefCell;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::kinds::{Content, Kind};
use crate::limits::discover::MAX_HELD_BYTES;
use crate::source::{Buffer, Unreadable};

/// A file that matters.
pub(super) struct Looked {
    /// Why.
    pub(super) content: Content,
    /// Its text, unless too much is held already: then it is read again if it is needed.
    pub(super) text: Option<String>,
}

/// Looks into files; shared by all threads.
pub(super) struct Eye {
    /// Look for words; else every file matters.
    words: bool,
    /// Bytes of text that are held.
    held: AtomicUsize,
}

thread_local! {
    static BUFFER: RefCell<Buffer> = RefCell::default();
}

impl Eye {
    pub(super) const fn new(words: bool) -> Self {
        Self {
            words,
            held: AtomicUsize::new(0),
        }
    }

    /// What a regular file of a kind is; nothing if it does not matter.
    ///
    /// # Errors
    /// It cannot be read, or is no text.
    pub(super) fn look(&self, path: &Path, kind: &Kind) -> Result<Option<Looked>, Unreadable> {
        BUFFER.with_borrow_mut(|buffer| {
            let bytes = buffer.read(path, kind.max_bytes)?;
            let (content, text) = kind.look_into(bytes, self.words)?;
            if content == Content::Other {
                return Ok(None);
            }
            let before = self.held.fetch_add(text.len(), Ordering::Relaxed);
            let fits = before + text.len() <= MAX_HELD_BYTES;
            // Only texts of interest are taken out of the buffer.
            let text = fits.then(|| text.to_owned());
            Ok(Some(Looked { content, text }))
        })
    }
}
