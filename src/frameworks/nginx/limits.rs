//! What bounds the work on one configuration, so that no input takes for ever or fills the memory.
//! What goes beyond a limit is unknown, never guessed.
//!
//! The limits of the reader itself (tokens, nesting, errors) are in `syntax::nginx`.

/// Files included one in another deeper than this are not read (nginx stops at the number of files
/// that it may open).
pub(super) const MAX_INCLUDE_DEPTH: usize = 24;

/// Directives that files may add to one configuration by being included more than once.
pub(super) const MAX_REPEATED: usize = 100_000;

/// Files that one glob may name.
pub(super) const MAX_GLOB: usize = 10_000;

/// A text with more files than this is no dump.
pub(super) const MAX_SECTIONS: usize = 1000;

/// Regex attempts that checking the URLs of one configuration may cost.
pub(super) const MAX_ATTEMPTS: usize = 3_000_000;

/// Longest path that is sampled from a pattern.
pub(super) const MAX_PATH: usize = 256;

/// How much work one match may do; nginx itself allows 10,000,000 steps and then answers 500.
pub(super) const MATCH_LIMITS: &str = "(*LIMIT_MATCH=50000)(*LIMIT_DEPTH=5000)(*LIMIT_HEAP=20000)";

/// After so many matches that hit the limit, a pattern is not tried again.
pub(super) const STRIKES: u8 = 3;

/// Longest value that is put together, in bytes; a longer one is unknown. Assignments such as
/// `set $a $a$a;` double it every time.
pub(super) const MAX_VALUE: usize = 64 * 1024;

/// At this many internal redirects nginx gives up (`NGX_HTTP_MAX_URI_CHANGES` and one).
pub(super) const MAX_CHANGES: u8 = 11;

/// Proxies in a row that are followed.
pub(super) const MAX_PROXIES: usize = 4;

/// More possible responses than this become one in which everything that differs is unknown.
pub(super) const MAX_RESPONSES: usize = 16;

/// Maps that are evaluated one for another; more lead back to themselves.
pub(super) const MAX_MAPS: usize = 16;

/// Variables set one from another that are followed back to the Origin.
pub(super) const MAX_COPIES: usize = 4;
