//! corslint only reads: its system calls over all fixtures, seen by strace.

use std::path::Path;
use std::process::Command;

use crate::support::TempDir;

/// Calls that start something, reach a network, or change a file. `clone3` makes threads.
const TRACED: &str = "trace=execve,execveat,fork,vfork,%network,open,openat,openat2,creat,rename,renameat,renameat2,\
unlink,unlinkat,mkdir,mkdirat,rmdir,link,linkat,symlink,symlinkat,truncate,ftruncate,chmod,fchmod,fchmodat,chown,\
fchown,fchownat,mknod,mknodat,mount,ptrace,kill,setxattr";

/// The traced calls of a run in `folder`, without the one that starts the program and what strace says.
fn calls(folder: &Path, arguments: &[&str]) -> Vec<String> {
    let outside = TempDir::new();
    let log = outside.path().join("calls");
    let output = Command::new("strace")
        .args(["-f", "-qq", "-y", "-e", TRACED, "-o"])
        .arg(&log)
        .arg(env!("CARGO_BIN_EXE_corslint"))
        .args(arguments)
        .current_dir(folder)
        .output()
        .expect("strace is installed");
    assert!(
        matches!(output.status.code(), Some(0 | 1)),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let log = std::fs::read_to_string(&log).expect("a log");
    let calls = log.lines().enumerate().filter_map(|(index, line)| {
        let (_, call) = line.split_once(' ')?;
        let call = call.trim_start();
        let own = index == 0 && call.starts_with("execve(") || call.starts_with("+++");
        (!own).then(|| call.to_owned())
    });
    calls.collect()
}

/// Does a call open something, and for reading only?
fn only_reads(call: &str) -> bool {
    let opens = call.starts_with("open") || call.starts_with("<... open");
    let writes = ["O_WRONLY", "O_RDWR", "O_CREAT", "O_TRUNC", "O_APPEND"];
    opens && !writes.iter().any(|flag| call.contains(flag))
}

#[test]
fn nothing_is_executed_connected_or_written() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let calls = calls(root, &["--pedantic", "fixtures"]);
    for call in &calls {
        assert!(only_reads(call), "{call}");
    }
    assert!(calls.len() > 500, "{} files opened", calls.len());
}

/// What may be written is made beside its place, under a name of corslint's, and then put there; nothing
/// else is touched.
#[test]
fn only_what_was_asked_for_is_written_and_whole() {
    let bad = "server {\n    location / {\n        add_header Access-Control-Allow-Origin https://app.example.com;\n        \
               proxy_pass http://127.0.0.1:9000;\n    }\n}\n";
    let cases: [(&[&str], &[&str]); 6] = [
        (&["--fix"], &["conf.d/one.conf", "conf.d/two.conf"]),
        (&["--fix", "conf.d/one.conf"], &["conf.d/one.conf"]),
        (&["--diff"], &[]),
        (&["--diff", "--output", "fixes.patch"], &["fixes.patch"]),
        (&["--output", "out/report.sarif"], &["out/report.sarif"]),
        (
            &["--baseline", "out/known.txt", "--write-baseline"],
            &["out/known.txt"],
        ),
    ];
    for (arguments, written) in cases {
        let folder = TempDir::new();
        folder.write("conf.d/one.conf", bad);
        folder.write("conf.d/two.conf", bad);
        folder.write("conf.d/good.conf", bad.replace("com;", "com always;"));
        folder.write("out/other.txt", "");
        let mut placed = Vec::new();
        for call in calls(folder.path(), arguments) {
            if only_reads(&call) {
                continue;
            }
            let texts: Vec<&str> = call.split('"').skip(1).step_by(2).collect();
            let is_own = |path: &str| {
                let path = Path::new(path);
                let name = path.file_name().unwrap_or_default().to_string_lossy();
                let beside = written.iter().any(|target| {
                    folder.path().join(target).parent() == path.parent()
                        || Path::new(target).parent() == path.parent()
                });
                beside && name.starts_with(".corslint-")
            };
            if call.starts_with("open") {
                assert!(is_own(texts[0]), "{arguments:?}: {call}");
                assert!(call.contains("O_CREAT|O_EXCL"), "{arguments:?}: {call}");
            } else if call.starts_with("rename") {
                assert!(is_own(texts[0]), "{arguments:?}: {call}");
                let target = Path::new(texts[1]);
                let target = target.strip_prefix(folder.path()).unwrap_or(target);
                placed.push(target.to_string_lossy().into_owned());
            } else {
                // Permissions of the new file, by its descriptor.
                let temporary = call
                    .split_once('<')
                    .and_then(|(_, rest)| Some(rest.split_once('>')?.0));
                let own = call.starts_with("fchmod(") && temporary.is_some_and(is_own);
                assert!(own, "{arguments:?}: {call}");
            }
        }
        placed.sort();
        assert_eq!(placed, written, "{arguments:?}");
    }
}
