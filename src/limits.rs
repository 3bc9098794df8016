//! Every bound on time and memory, in one place.
//!
//! What would exceed one is unknown, skipped or reported, as the item says; never wrong.

/// The largest file that is read, in bytes. A larger one is skipped and counted, or an error if it was
/// named.
pub(crate) const MAX_FILE_BYTES: u64 = 16 * 1024 * 1024;

/// Finding files.
pub(crate) mod discover {
    /// The largest file of a language with a grammar of tree-sitter that a walk looks into, in bytes: a
    /// program of this size was made by a tool. A larger one is skipped and counted, unless it was named.
    pub(crate) const MAX_PROGRAM_BYTES: u64 = 1024 * 1024;

    /// How much text of walked files is kept, in bytes; what comes later, in order of the paths, is skipped
    /// and counted.
    pub(crate) const MAX_TOTAL_BYTES: usize = 512 * 1024 * 1024;

    /// How much text is held until it is known which projects matter, in bytes; what is beyond is read a
    /// second time.
    pub(crate) const MAX_HELD_BYTES: usize = 32 * 1024 * 1024;

    /// Longer lines of an ignore file, in bytes, are no patterns for paths that can exist.
    pub(crate) const MAX_IGNORE_LINE: usize = 4096;

    /// Further lines of an ignore file are not read: every pattern becomes a part of an automaton.
    pub(crate) const MAX_IGNORE_LINES: usize = 10_000;
}

/// Parsing.
pub(crate) mod syntax {
    /// How deep expressions, statements and blocks of programs may nest; what is deeper is unknown.
    pub(crate) const MAX_DEPTH: u32 = 250;

    /// How often tree-sitter may ask whether to go on (it does after every 100 steps), besides once for
    /// every byte of the text. Then the file is not understood.
    pub(crate) const MAX_PARSE_CHECKS: usize = 100_000;
}

/// JavaScript and TypeScript.
pub(crate) mod javascript {
    /// Items that a list may get from others; a longer one has items that are unknown.
    pub(crate) const MAX_ITEMS: usize = 100_000;
}
