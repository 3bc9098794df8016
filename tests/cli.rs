//! The command line: arguments, streams, exit codes. Runs the real binary.

use std::fs;
use std::io::{Read as _, Write as _};
use std::path::Path;
use std::process::Stdio;

use crate::support::{Run, TempDir, assert_snapshot, corslint, run};

/// A server whose every origin is echoed with credentials.
const ECHO: &str = "\
server {
    listen 443 ssl;
    server_name api.example.com;
    location / {
        add_header Access-Control-Allow-Origin $http_origin always;
        add_header Access-Control-Allow-Credentials true always;
        add_header Vary Origin always;
        proxy_pass http://127.0.0.1:8080;
    }
}
";

#[track_caller]
fn assert_run(run: &Run, code: i32, stdout: &str, stderr: &str) {
    assert_eq!(run.stderr, stderr);
    assert_eq!(run.stdout, stdout);
    assert_eq!(run.code, code);
}

/// Runs with `input` on standard input.
fn run_with_input(folder: &Path, arguments: &[&str], input: &[u8]) -> Run {
    let mut child = corslint(folder)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary starts");
    let mut stdin = child.stdin.take().expect("a pipe");
    // It may refuse the arguments without reading.
    let _ = stdin.write_all(input);
    drop(stdin);
    child.wait_with_output().expect("it ends").into()
}

#[test]
fn help_is_as_written() {
    let folder = TempDir::new();
    let help = run(folder.path(), &["--help"]);
    assert_eq!((help.code, help.stderr.as_str()), (0, ""));
    let expected = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/snapshots/help.txt");
    assert_snapshot(&expected, &help.stdout);
    let version = run(folder.path(), &["--version"]);
    let line = format!("corslint {}\n", env!("CARGO_PKG_VERSION"));
    assert_run(&version, 0, &line, "");
}

#[test]
fn an_empty_folder_is_clean() {
    let folder = TempDir::new();
    let nothing = "Nothing to check: no CORS configuration found (0 files looked into).\n";
    assert_run(&run(folder.path(), &[]), 0, nothing, "");
    assert_run(&run(folder.path(), &["."]), 0, nothing, "");
    assert_run(&run(folder.path(), &["check"]), 0, nothing, "");
}

#[test]
fn folders_may_be_called_like_sub_commands() {
    let folder = TempDir::new();
    for name in ["rules", "check", "explain"] {
        folder.write(format!("{name}/nginx.conf"), "\0");
        let skipped = format!("skipped: {name}/nginx.conf: holds NUL bytes, so it is not text\n");
        for arguments in [&[&*format!("./{name}")][..], &["check", name]] {
            let run = run(folder.path(), arguments);
            assert_eq!(
                (run.code, run.stderr),
                (0, skipped.clone()),
                "{arguments:?}"
            );
        }
    }
    let run = run(folder.path(), &["nowhere", "check"]);
    assert_eq!(run.code, 2);
    assert!(run.stderr.starts_with("error: nowhere: "), "{}", run.stderr);
}

#[test]
fn wrong_arguments_are_refused() {
    let folder = TempDir::new();
    for (arguments, words) in [
        (&["--bogus"][..], "unexpected argument '--bogus'"),
        (&["--fail-on", "fatal"], "invalid value 'fatal'"),
        (&["--format", "xml"], "invalid value 'xml'"),
        (&["--color", "blue"], "invalid value 'blue'"),
        (&["explain"], "required arguments"),
        (&["rules", "x"], "unexpected argument 'x'"),
        (&["-"], "`-` needs `--stdin-filename FILE`"),
        (&["--stdin-filename", "x"], "needs the path `-`"),
        (
            &["--select", "any-origin-with-credential"],
            "there is no rule `any-origin-with-credential`; did you mean `any-origin-with-credentials`?",
        ),
        (
            &["--ignore", "any-origin-with-credentials,x"],
            "there is no rule `x`",
        ),
        (&["explain", "zzzzz"], "there is no rule `zzzzz`\n"),
        (&["--rules", "nowhere"], "nowhere"),
        (&["nowhere.conf"], "nowhere.conf: No such file"),
    ] {
        let run = run(folder.path(), arguments);
        assert_eq!(run.code, 2, "{arguments:?}");
        assert!(run.stderr.starts_with("error: "), "{}", run.stderr);
        assert!(run.stderr.contains(words), "{}", run.stderr);
    }
}

#[test]
fn arguments_cannot_speak_to_the_terminal() {
    let folder = TempDir::new();
    let name = "\u{1b}[31m\u{202e}\n.conf";
    for arguments in [
        &[name][..],
        &["--select", name],
        &["--fail-on", name],
        &[&*format!("--{name}")],
        &["explain", name],
        &["--rules", name],
    ] {
        let run = run(folder.path(), arguments);
        assert_eq!(run.code, 2);
        let all = run.stdout + &run.stderr;
        assert!(!all.contains(['\u{1b}', '\u{202e}']), "{all:?}");
    }
    folder.write(name, "\0");
    let run = run(folder.path(), &[]);
    assert_eq!(
        run.stderr,
        "skipped: \\x1b[31m\\u{202e}\\n.conf: holds NUL bytes, so it is not text\n"
    );
}

#[test]
fn rules_are_listed_and_explained() {
    let folder = TempDir::new();
    let list = run(folder.path(), &["rules"]);
    assert_eq!((list.code, list.stderr.as_str()), (0, ""));
    let ids: Vec<&str> = list
        .stdout
        .lines()
        .filter_map(|line| line.split_whitespace().next())
        .collect();
    assert!(ids.contains(&"any-origin-with-credentials"), "{ids:?}");
    assert!(ids.is_sorted(), "{ids:?}");

    let list = run(folder.path(), &["rules", "--format", "json"]);
    let value: serde_json::Value = serde_json::from_str(&list.stdout).expect("JSON");
    assert_eq!(value["version"], 1);
    let rules = value["rules"].as_array().expect("a list");
    let listed: Vec<&str> = rules
        .iter()
        .filter_map(|rule| rule["id"].as_str())
        .collect();
    assert_eq!(listed, ids);

    for id in ids {
        let page = run(folder.path(), &["explain", id]);
        assert_eq!((page.code, page.stderr.as_str()), (0, ""), "{id}");
        assert!(
            page.stdout.starts_with(&format!("{id}\n")),
            "{}",
            page.stdout
        );
        assert!(page.stdout.contains("\nBad ("), "{}", page.stdout);
        assert!(page.stdout.contains("\nGood ("), "{}", page.stdout);
        assert!(!page.stdout.contains(&format!("~ {id}")), "{}", page.stdout);
        assert!(!page.stdout.contains('\u{1b}'), "{}", page.stdout);
    }
}

#[test]
fn colours_come_when_asked_for() {
    let folder = TempDir::new();
    let colored = |arguments: &[&str], variables: &[(&str, &str)]| {
        let mut command = corslint(folder.path());
        command.args(["explain", "any-origin-with-credentials"]);
        let output = command
            .args(arguments)
            .envs(variables.iter().copied())
            .output();
        Run::from(output.expect("the binary starts"))
            .stdout
            .contains("\u{1b}[")
    };
    // Standard output is no terminal here.
    assert!(!colored(&[], &[]));
    assert!(colored(&["--color", "always"], &[("NO_COLOR", "1")]));
    assert!(colored(&[], &[("CLICOLOR_FORCE", "1")]));
    assert!(!colored(&[], &[("CLICOLOR_FORCE", "0")]));
    assert!(!colored(&[], &[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")]));
    assert!(colored(&[], &[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "")]));
    assert!(!colored(&["--color", "never"], &[("CLICOLOR_FORCE", "1")]));
}

#[test]
fn named_files_that_cannot_be_read_are_errors_and_the_rest_is_checked() {
    let folder = TempDir::new();
    folder.write("good.conf", ECHO);
    folder.write("binary.conf", "\0");
    let run = run(
        folder.path(),
        &["binary.conf", "good.conf", "--format", "json"],
    );
    assert_eq!(run.code, 2);
    assert_eq!(
        run.stderr,
        "error: binary.conf: holds NUL bytes, so it is not text\n"
    );
    let value: serde_json::Value = serde_json::from_str(&run.stdout).expect("JSON");
    assert_eq!(value["errors"][0]["path"], "binary.conf");
    assert_eq!(value["summary"]["examined"], 1);
}

#[test]
fn standard_input_must_be_text() {
    let folder = TempDir::new();
    let arguments = ["-", "--stdin-filename", "nginx.conf"];
    for (input, words) in [
        (&b"a\0b"[..], "standard input: holds NUL bytes"),
        (b"caf\xe9", "standard input: not UTF-8 (byte 3)"),
    ] {
        let run = run_with_input(folder.path(), &arguments, input);
        assert_eq!(run.code, 2);
        assert!(run.stderr.contains(words), "{}", run.stderr);
    }
    let huge = vec![b' '; 16 * 1024 * 1024 + 1];
    let run = run_with_input(folder.path(), &arguments, &huge);
    assert_eq!(run.code, 2);
    assert!(
        run.stderr.contains("larger than the limit"),
        "{}",
        run.stderr
    );
}

#[test]
fn readers_may_go_away() {
    let folder = TempDir::new();
    let mut child = corslint(folder.path())
        .arg("--help")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary starts");
    drop(child.stdout.take());
    let mut words = String::new();
    let mut stderr = child.stderr.take().expect("a pipe");
    stderr.read_to_string(&mut words).expect("text");
    let code = child.wait().expect("it ends").code();
    assert_eq!((code, words.as_str()), (Some(0), ""));
}

#[cfg(target_os = "linux")]
#[test]
fn output_that_cannot_be_written_is_a_failure() {
    let folder = TempDir::new();
    for arguments in [&["."][..], &["rules"], &["--help"], &["--format", "json"]] {
        let full = fs::OpenOptions::new().write(true).open("/dev/full");
        let output = corslint(folder.path())
            .args(arguments)
            .stdout(full.expect("/dev/full"))
            .output();
        let run = Run::from(output.expect("the binary starts"));
        assert_eq!(run.code, 2, "{arguments:?}");
        assert!(
            run.stderr.starts_with("error: cannot write the output: "),
            "{}",
            run.stderr
        );
    }
}

/// Ids and severities of the findings of a JSON report.
fn findings(run: &Run) -> Vec<(String, String)> {
    let value: serde_json::Value = serde_json::from_str(&run.stdout).expect("JSON");
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    let findings = value["findings"].as_array().expect("a list");
    findings
        .iter()
        .map(|finding| (text(&finding["rule"]), text(&finding["severity"])))
        .collect()
}

#[test]
fn findings_decide_the_exit_code() {
    let folder = TempDir::new();
    folder.write("echo.conf", ECHO);
    let code = |arguments: &[&str]| run(folder.path(), arguments).code;
    assert_eq!(code(&[]), 1);
    assert_eq!(code(&["--fail-on", "error"]), 1);
    assert_eq!(code(&["--format", "json"]), 1);
    assert_eq!(
        code(&[
            "--ignore",
            "any-origin-with-credentials",
            "--fail-on",
            "error"
        ]),
        0
    );
    let only = [
        "--select",
        "any-origin-with-credentials",
        "--format",
        "json",
    ];
    let only = run(folder.path(), &only);
    assert_eq!(
        findings(&only),
        [("any-origin-with-credentials".into(), "error".into())]
    );
    // What was not looked at weighs more than what was found.
    assert_eq!(code(&[".", "nowhere.conf"]), 2);
}

#[test]
fn a_report_is_the_same_from_everywhere() {
    let folder = TempDir::new();
    folder.write(".git/HEAD", "");
    folder.write("sub/echo.conf", ECHO);
    let sub = folder.path().join("sub");
    let here = run(&sub, &[]);
    assert!(here.stdout.contains("┌─ echo.conf:5:"), "{}", here.stdout);
    assert_eq!(run(&sub, &["echo.conf"]).stdout, here.stdout);
    let absolute = sub.join("echo.conf");
    let absolute = absolute.to_str().expect("a name in UTF-8");
    assert_eq!(run(&sub, &[absolute]).stdout, here.stdout);
    let input = ["-", "--stdin-filename", "echo.conf"];
    assert_eq!(
        run_with_input(&sub, &input, ECHO.as_bytes()).stdout,
        here.stdout
    );
    let above = run(folder.path(), &[]);
    assert_eq!(
        above.stdout.replace("sub/echo.conf", "echo.conf"),
        here.stdout
    );

    let fingerprints = |run: &Run| {
        let value: serde_json::Value = serde_json::from_str(&run.stdout).expect("JSON");
        let findings = value["findings"].as_array().cloned().unwrap_or_default();
        let all = findings
            .iter()
            .map(|finding| finding["fingerprint"].clone());
        all.collect::<Vec<_>>()
    };
    let before = run(&sub, &["--format", "json"]);
    assert_ne!(fingerprints(&before), [] as [serde_json::Value; 0]);
    folder.write("sub/echo.conf", format!("# moved\n\n{ECHO}"));
    let after = run(folder.path(), &["--format", "json"]);
    assert_ne!(before.stdout, after.stdout);
    assert_eq!(fingerprints(&before), fingerprints(&after));
}

#[test]
fn one_bad_file_does_not_hide_the_others() {
    let folder = TempDir::new();
    folder.write("a.conf", b"\xff");
    folder.write("b.conf", ECHO);
    folder.write(
        "c.conf",
        "server { location / { add_header Access-Control-Allow-Origin\n",
    );
    let run = run(folder.path(), &["--format", "json"]);
    let rules = findings(&run);
    let expected = ("any-origin-with-credentials".into(), "error".into());
    assert!(rules.contains(&expected), "{rules:?}");
    assert_eq!(run.code, 1);
}

#[test]
fn only_findings_that_touch_a_named_file_are_reported() {
    let folder = TempDir::new();
    folder.write("nginx.conf", "events {}\nhttp { include conf.d/*.conf; }\n");
    folder.write("conf.d/echo.conf", ECHO);
    folder.write("conf.d/other.conf", ECHO.replace("api.", "www."));
    let paths = |arguments: &[&str]| {
        let run = run(folder.path(), arguments);
        let value: serde_json::Value = serde_json::from_str(&run.stdout).expect("JSON");
        let findings = value["findings"].as_array().cloned().unwrap_or_default();
        let paths = findings.iter().map(|finding| finding["path"].to_string());
        paths
            .collect::<std::collections::BTreeSet<_>>()
            .into_iter()
            .collect::<Vec<_>>()
    };
    let (echo, other) = ("\"conf.d/echo.conf\"", "\"conf.d/other.conf\"");
    assert_eq!(paths(&["--format", "json"]), [echo, other]);
    assert_eq!(paths(&["--format", "json", "conf.d/echo.conf"]), [echo]);
}

#[test]
fn findings_are_counted_by_rule() {
    let folder = TempDir::new();
    let header = "add_header Access-Control-Allow-Origin https://app.example.com";
    let location =
        |header: &str| format!("server {{ location / {{ {header}; proxy_pass http://b; }} }}\n");
    folder.write("a.conf", location(header));
    folder.write("b.conf", location(header));
    folder.write("echo.conf", ECHO);
    let plain = run(folder.path(), &["--statistics"]);
    assert_eq!(plain.code, 1);
    assert_eq!(
        plain.stdout,
        "2  warning  [*] missing-always\n\
         1  error    [ ] any-origin-with-credentials\n\
         Found 1 error and 2 warnings in 3 files (3 endpoints, all of them partly unknown).\n"
    );
    assert_eq!(plain.stderr, "[*] 2 fixable with `--fix`.\n");
    let list = run(folder.path(), &["--statistics", "--format", "json"]);
    assert_eq!((list.code, list.stderr.as_str()), (1, ""));
    let list: serde_json::Value = serde_json::from_str(&list.stdout).expect("JSON");
    assert_eq!(
        list,
        serde_json::json!([
            { "rule": "missing-always", "severity": "warning", "count": 2, "fixable": 2 },
            { "rule": "any-origin-with-credentials", "severity": "error", "count": 1, "fixable": 0 },
        ])
    );
    for format in [
        "concise",
        "sarif",
        "github",
        "gitlab",
        "junit",
        "checkstyle",
    ] {
        let refused = run(folder.path(), &["--statistics", "--format", format]);
        let why = "error: `--statistics` can be written with `--format terminal` and `--format json` only\n";
        assert_run(&refused, 2, "", why);
    }
    let output = ["--statistics", "--output", "x.sarif"];
    assert_eq!(run(folder.path(), &output).code, 2);
    assert!(!folder.path().join("x.sarif").exists());
    let empty = TempDir::new();
    let none = run(empty.path(), &["--statistics", "--format", "json"]);
    assert_run(&none, 0, "[]\n", "");
}

#[test]
fn times_are_told_on_standard_error() {
    let folder = TempDir::new();
    folder.write("echo.conf", ECHO);
    let json = ["--format", "json"];
    let plain = run(folder.path(), &json);
    let timed = run(folder.path(), &["--timings", "--format", "json"]);
    assert_eq!((timed.code, &timed.stdout), (plain.code, &plain.stdout));
    assert_eq!(plain.stderr, "");
    let names: Vec<_> = timed
        .stderr
        .lines()
        .filter_map(|line| line.split_whitespace().next())
        .collect();
    let parts = ["discovering", "checking", "reading", "judging", "repairs"];
    assert_eq!(names, [&parts[..], &["reporting", "all", "nginx"]].concat());
    assert!(
        timed.stderr.contains(" ms for 1 files, "),
        "{}",
        timed.stderr
    );
}
