//! `corslint completions` and `corslint man`: made of the arguments themselves.

use clap::{Args, Command, CommandFactory as _};
use clap_complete::Shell;

use super::Exit;
use super::args::Arguments;
use super::streams::{self, Failure};

/// Behind the options of `completions`.
pub(super) const HELP: &str = "\
Where shells look for them:
  bash        corslint completions bash > ~/.local/share/bash-completion/completions/corslint
  zsh         corslint completions zsh > \"${fpath[1]}/_corslint\"
  fish        corslint completions fish > ~/.config/fish/completions/corslint.fish
  PowerShell  corslint completions powershell | Out-String | Invoke-Expression";

/// Behind the options of `man`.
pub(super) const MAN_HELP: &str = "\
Examples:
  corslint man | man -l -               read it
  corslint man > ~/.local/share/man/man1/corslint.1
  corslint man try > ~/.local/share/man/man1/corslint-try.1";

/// Arguments of `completions`.
#[derive(Args, Debug)]
pub(super) struct CompletionsArguments {
    /// The shell
    #[arg(value_enum, value_name = "SHELL")]
    shell: Shell,
}

/// Arguments of `man`.
#[derive(Args, Debug)]
pub(super) struct ManArguments {
    /// The sub-command, for a page of its own
    #[arg(value_name = "COMMAND")]
    command: Option<String>,
}

/// Prints completions.
pub(super) fn completions(arguments: &CompletionsArguments) -> Result<Exit, Failure> {
    let mut text = Vec::new();
    clap_complete::generate(
        arguments.shell,
        &mut Arguments::command(),
        "corslint",
        &mut text,
    );
    streams::write(|out| out.write_all(&text))?;
    Ok(Exit::Clean)
}

/// Prints a man page.
pub(super) fn man(arguments: &ManArguments) -> Result<Exit, Failure> {
    let page = page(arguments.command.as_deref())?;
    let mut text = Vec::new();
    let rendered = clap_mangen::Man::new(page)
        .source(concat!("corslint ", env!("CARGO_PKG_VERSION")))
        .render(&mut text);
    rendered.map_err(|error| Failure::Said(error.to_string()))?;
    streams::write(|out| out.write_all(&text))?;
    Ok(Exit::Clean)
}

/// What a page is about: the program, or one of its sub-commands under the program's name.
fn page(name: Option<&str>) -> Result<Command, Failure> {
    let mut program = Arguments::command();
    program.build();
    let Some(name) = name else {
        return Ok(program);
    };
    let command = program.find_subcommand(name);
    let missing = || Failure::Said(format!("there is no sub-command `{}`", name.escape_debug()));
    let command = command.ok_or_else(missing)?.clone();
    Ok(command)
}
