//! What is said of Python projects whose policy is not wholly in view.

use std::path::Path;

use crate::support::run;

/// What wraps Django's application may send any header: nobody can say who may read.
#[test]
fn what_speaks_asgi_itself_makes_everything_unknown() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/project");
    let shown = run(&root.join("python-asgi-wrapper"), &["show", "."]).stdout;
    let row = shown.lines().find(|line| line.starts_with("Django "));
    let row = row.expect("the endpoint").split_whitespace();
    let may_read = row.into_iter().nth(1);
    assert_eq!(may_read, Some("unknown"), "{shown}");
}
