//! corslint only reads: its system calls over all fixtures, seen by strace.

use std::path::Path;
use std::process::Command;

use crate::support::TempDir;

/// Calls that start something, reach a network, or change a file. `clone3` makes threads.
const TRACED: &str = "trace=execve,execveat,fork,vfork,%network,open,openat,openat2,creat,rename,renameat,renameat2,\
unlink,unlinkat,mkdir,mkdirat,rmdir,link,linkat,symlink,symlinkat,truncate,ftruncate,chmod,fchmod,fchmodat,chown,\
fchown,fchownat,mknod,mknodat,mount,ptrace,kill,setxattr";

#[test]
fn nothing_is_executed_connected_or_written() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = TempDir::new();
    let log = folder.path().join("calls");
    let status = Command::new("strace")
        .args(["-f", "-qq", "-e", TRACED, "-o"])
        .arg(&log)
        .arg(env!("CARGO_BIN_EXE_corslint"))
        .args(["--pedantic", "fixtures"])
        .current_dir(root)
        .output()
        .expect("strace is installed");
    assert!(
        !status.stdout.is_empty(),
        "it reports what the fixtures hold"
    );
    let log = std::fs::read_to_string(&log).expect("a log");
    let mut opened = 0;
    for (index, line) in log.lines().enumerate() {
        let call = line
            .split_once(' ')
            .map_or(line, |(_, call)| call.trim_start());
        // The program itself, and what strace says of its end.
        if index == 0 && call.starts_with("execve(") || call.starts_with("+++") {
            continue;
        }
        assert!(
            call.starts_with("open") || call.starts_with("<... open"),
            "{line}"
        );
        opened += 1;
        for flag in ["O_WRONLY", "O_RDWR", "O_CREAT", "O_TRUNC", "O_APPEND"] {
            assert!(!call.contains(flag), "{line}");
        }
    }
    assert!(opened > 500, "{opened} files opened");
}
