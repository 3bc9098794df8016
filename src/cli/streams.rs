//! Standard output and standard error.

use std::io::{self, BufWriter, Write};

use super::Exit;
use crate::report::text::lines;

/// Why a command did not come to its end.
#[derive(Debug)]
pub(super) enum Failure {
    /// Nobody reads the output any more (`| head`).
    Hangup,
    /// What to tell people.
    Said(String),
}

/// Writes to standard output, all of it or not at all.
pub(super) fn write(content: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<(), Failure> {
    let mut out = BufWriter::with_capacity(1 << 16, io::stdout().lock());
    content(&mut out)
        .and_then(|()| out.flush())
        .map_err(|error| match error.kind() {
            io::ErrorKind::BrokenPipe => Failure::Hangup,
            _ => Failure::Said(format!("cannot write the output: {error}")),
        })
}

/// Writes lines to standard error. That nobody can read them is nothing that could be told anybody.
pub(super) fn warn(text: &str) {
    let _ = writeln!(io::stderr().lock(), "{}", lines(text));
}

/// Tells what went wrong.
pub(super) fn complain(text: &str) {
    warn(&format!("error: {text}"));
}

/// Tells a failure and gives the exit that it means.
pub(super) fn end(failure: Failure) -> Exit {
    match failure {
        Failure::Hangup => Exit::Clean,
        Failure::Said(text) => {
            complain(&text);
            Exit::Failed
        }
    }
}
