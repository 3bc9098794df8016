//! What only a real terminal gets, seen on a pseudo-terminal (Debian's `script`).

use std::path::Path;
use std::process::Command;

use crate::support::TempDir;

/// Slows every opened file down (strace), so that a run of a few files lasts longer than a second.
const SLOW: &str =
    "strace -f -qq -o /dev/null -e trace=openat -e inject=openat:delay_enter=100000 ";

/// What a terminal gets of a command for the shell in which `$C` is corslint.
fn terminal(command: &str, environment: &[(&str, &str)]) -> String {
    let output = Command::new("script")
        .args(["-qec", command, "/dev/null"])
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/tour/nginx"))
        .env_clear()
        .env("PATH", std::env::var_os("PATH").expect("a PATH"))
        .env("C", env!("CARGO_BIN_EXE_corslint"))
        .env("SHELL", "/bin/sh")
        .env("TERM", "xterm")
        .envs(environment.iter().copied())
        .stdin(std::process::Stdio::null())
        .output()
        .expect("script is installed");
    String::from_utf8(output.stdout).expect("UTF-8")
}

#[test]
fn long_runs_show_their_progress_to_people_only() {
    let folder = TempDir::new();
    let report = folder.path().join("report.txt");
    let arguments = format!("$C --format concise --output {}", report.display());
    let slow = format!("{SLOW}{arguments}");
    let shown = terminal(&slow, &[]);
    assert!(shown.contains("looking for files"), "{shown:?}");
    // Nothing of it is left in the end.
    assert!(shown.ends_with("\r\x1b[2K"), "{shown:?}");
    assert!(report.exists());
    for (command, environment) in [
        (arguments.as_str(), ("LANG", "C")),
        (&slow, ("CI", "true")),
        (&slow, ("TERM", "dumb")),
    ] {
        assert_eq!(terminal(command, &[environment]), "", "{environment:?}");
    }
    let piped = terminal(&format!("{SLOW}$C --format concise . | cat"), &[]);
    assert!(
        !piped.contains('\x1b') && !piped.contains("looking"),
        "{piped:?}"
    );
    assert!(piped.contains("error[lookalike-origin]"), "{piped:?}");
    let piped = terminal(
        &format!("{SLOW}$C --format concise . 2>&1 >/dev/null | cat"),
        &[],
    );
    assert_eq!(piped, "");
}

#[test]
fn rules_are_links_in_terminals_that_know_links() {
    let link = "\x1b]8;;https://";
    let vscode = ("TERM_PROGRAM", "vscode");
    assert!(terminal("$C .", &[vscode]).contains(link));
    for (command, environment) in [
        ("$C .", &[][..]),
        ("$C .", &[vscode, ("FORCE_HYPERLINK", "0")]),
        ("$C . | cat", &[vscode]),
    ] {
        let shown = terminal(command, environment);
        assert!(shown.contains("lookalike-origin"), "{shown:?}");
        assert!(!shown.contains("\x1b]8"), "{command} {environment:?}");
    }
    assert!(terminal("$C . | cat", &[("FORCE_HYPERLINK", "1")]).contains(link));
}
