//! The command line: arguments, standard streams, exit codes.
//!
//! Standard output gets the report and nothing else, standard error what went wrong. One file per
//! sub-command; nothing here knows what is checked, or how.

mod args;
mod check;
mod config;
mod curl;
mod curl_command;
mod environment;
mod exchange;
mod explain;
mod explain_message;
mod fix;
mod generate;
mod progress;
mod rules;
mod show;
mod streams;
mod try_;
mod typed;

use std::panic::{self, AssertUnwindSafe};
use std::process::ExitCode;

use clap::Parser as _;

use crate::check::Error;
use args::{Arguments, Command};
use streams::Failure;

/// How a run ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Exit {
    /// Nothing to complain about.
    Clean = 0,
    /// Findings.
    Findings = 1,
    /// The job could not be done, or not all of it.
    Failed = 2,
}

/// Runs the program with the arguments and streams of the process.
#[must_use]
pub fn main() -> ExitCode {
    panic::set_hook(Box::new(|panic| {
        let payload = panic.payload();
        let text = payload.downcast_ref::<&str>().copied();
        let message = text.or_else(|| payload.downcast_ref::<String>().map(String::as_str));
        let message = message.unwrap_or("no message");
        let place = panic.location().map(ToString::to_string);
        streams::complain(&format!(
            "internal error: {message} ({})\n\
             This is a bug in corslint. Please report it, if you can with the file that leads to it.",
            place.unwrap_or_default()
        ));
    }));
    ExitCode::from(guarded(run) as u8)
}

/// The result of `work`, or of its panic, which the hook has reported already.
fn guarded(work: impl FnOnce() -> Exit) -> Exit {
    panic::catch_unwind(AssertUnwindSafe(work)).unwrap_or(Exit::Failed)
}

fn run() -> Exit {
    let arguments = match Arguments::try_parse_from(args::in_order(std::env::args_os().collect())) {
        Ok(arguments) => arguments,
        Err(error) => return usage(&error),
    };
    let command = arguments.command.unwrap_or(Command::Check(arguments.check));
    let result = match command {
        Command::Check(arguments) => check::run(arguments),
        Command::Rules(arguments) => rules::run(&arguments),
        Command::Explain(arguments) => explain::run(&arguments),
        Command::Config(arguments) => config::run(&arguments),
        Command::Show(arguments) => show::run(&arguments),
        Command::Curl(arguments) => curl::run(arguments),
        Command::Try(arguments) => try_::run(*arguments),
        Command::Completions(arguments) => generate::completions(&arguments),
        Command::Man(arguments) => generate::man(&arguments),
    };
    match result {
        Ok(exit) => exit,
        Err(failure) => streams::end(failure),
    }
}

/// Shows what clap has to say: help and version, or what is wrong with the arguments.
fn usage(error: &clap::Error) -> Exit {
    let text = error.render();
    if error.use_stderr() {
        streams::warn(text.to_string().trim_end());
        return Exit::Failed;
    }
    let color = args::Color::Auto.decide();
    let text = if color {
        text.ansi().to_string()
    } else {
        text.to_string()
    };
    match streams::write(|out| out.write_all(text.as_bytes())) {
        Ok(()) => Exit::Clean,
        Err(failure) => streams::end(failure),
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Said(error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_no_silent_end() {
        assert_eq!(guarded(|| panic!("on purpose")), Exit::Failed);
        assert_eq!(guarded(|| Exit::Findings), Exit::Findings);
    }
}
