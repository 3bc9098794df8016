//! nginx files that nobody means: each gets a clear word, and nothing is lost for its neighbours.

use crate::support::{Run, TempDir, run};

/// Lints a folder with `text` as `bad.conf` beside a file with a finding, which must stay.
#[track_caller]
fn beside_a_good_one(text: &[u8]) -> Run {
    let folder = TempDir::new();
    folder.write("bad.conf", text);
    folder.write(
        "good.conf",
        "server {\n  location / {\n    add_header Access-Control-Allow-Origin * always;\n    \
         add_header Access-Control-Allow-Credentials true always;\n    return 200;\n  }\n}\n",
    );
    let run = run(folder.path(), &["--color", "never"]);
    assert_eq!(run.code, 1, "{}{}", run.stdout, run.stderr);
    assert!(
        run.stdout.contains("wildcard-with-credentials") && run.stdout.contains("good.conf:3"),
        "{}{}",
        run.stdout,
        run.stderr
    );
    run
}

#[track_caller]
fn says(run: &Run, words: &str) {
    let text = run.stdout.clone() + &run.stderr;
    assert!(text.contains(words), "{text}");
}

#[test]
fn a_million_nested_braces_are_refused_once() {
    let text = "server { listen 80; add_header Access-Control-Allow-Origin *;\n".to_owned()
        + &"location / { ".repeat(1_000_000);
    let run = beside_a_good_one(text.as_bytes());
    assert_eq!(
        run.stdout.matches("syntax-error").count(),
        1,
        "{}",
        run.stdout
    );
}

#[test]
fn a_word_longer_than_a_buffer_is_refused() {
    let text = format!(
        "server {{\n  listen 80;\n  add_header Access-Control-Allow-Origin {};\n}}\n",
        "x".repeat(5000)
    );
    says(&beside_a_good_one(text.as_bytes()), "syntax-error");
}

#[test]
fn a_pattern_that_cannot_be_compiled_is_refused() {
    let text = "events {}\nhttp {\n  server {\n    listen 80;\n    if ($http_origin ~ \"(\") {\n      \
                return 403;\n    }\n  }\n}\n";
    let run = beside_a_good_one(text.as_bytes());
    says(&run, "missing closing parenthesis");
}

#[test]
fn a_pattern_that_backtracks_for_ever_is_given_up() {
    let text = "server {\n  listen 80;\n  location / {\n    if ($http_origin ~ \"^https://(([a-z]+)*)*[0-9]$\") {\n      \
                add_header Access-Control-Allow-Origin $http_origin;\n    }\n    return 200;\n  }\n}\n";
    beside_a_good_one(text.as_bytes());
}

#[test]
fn files_that_include_each_other_end() {
    let folder = TempDir::new();
    folder.write("nginx.conf", "events {}\nhttp { include a.conf; }\n");
    folder.write(
        "a.conf",
        "add_header Access-Control-Allow-Origin *;\ninclude b.conf;\n",
    );
    folder.write("b.conf", "include a.conf;\n");
    let run = run(folder.path(), &["--color", "never"]);
    assert_eq!(run.code, 1, "{}{}", run.stdout, run.stderr);
    says(&run, "include");
}

#[test]
fn what_is_empty_or_no_text_is_passed_by() {
    for text in [
        &b""[..],
        b"\xef\xbb\xbf",
        b"add_header Access-Control-Allow-Origin \xff;",
        b"add_header Access-Control-Allow-Origin \0;",
        b"server {",
        b"}",
        b"\"",
    ] {
        let run = beside_a_good_one(text);
        assert!(!run.stderr.contains("panicked"), "{}", run.stderr);
    }
}

#[test]
fn a_folder_may_be_called_like_a_file() {
    let folder = TempDir::new();
    folder.write(
        "x.conf/y.conf",
        "server { location / { add_header Access-Control-Allow-Origin * always; add_header \
         Access-Control-Allow-Credentials true always; return 200; } }\n",
    );
    let run = run(folder.path(), &["--color", "never"]);
    says(&run, "x.conf/y.conf:1");
}
