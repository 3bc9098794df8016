//! The baseline: what is known is not reported, what is new is.

use std::fs;

use crate::support::{Run, TempDir, run};

fn location(name: &str, always: &str) -> String {
    format!(
        " location /{name}/ {{\n  add_header Access-Control-Allow-Origin https://{name}.example{always};\n  proxy_pass http://127.0.0.1:1;\n }}\n"
    )
}

fn site(locations: &[String]) -> String {
    format!("server {{\n{}}}\n", locations.concat())
}

fn value(run: &Run) -> serde_json::Value {
    assert!(run.code < 2, "{}", run.stderr);
    serde_json::from_str(&run.stdout).expect("JSON")
}

/// New findings, known ones, stale entries.
fn counts(run: &Run) -> (usize, u64, usize) {
    let value = value(run);
    (
        value["findings"].as_array().map_or(0, Vec::len),
        value["summary"]["baselined"].as_u64().unwrap_or_default(),
        value["summary"]["stale"].as_array().map_or(0, Vec::len),
    )
}

const CHECK: [&str; 4] = ["--format", "json", "--baseline", "known.txt"];

#[test]
fn known_findings_are_not_reported_and_new_ones_are() {
    let folder = TempDir::new();
    let (a, b, c) = (location("a", ""), location("b", ""), location("c", ""));
    folder.write("x.conf", site(&[a.clone(), b.clone()]));
    let missing = run(folder.path(), &CHECK);
    assert_eq!(missing.code, 2, "a baseline that is typed must exist");
    let written = run(
        folder.path(),
        &["--baseline", "known.txt", "--write-baseline"],
    );
    assert_eq!(
        (written.code, written.stderr.as_str()),
        (0, "known.txt: 2 known findings\n")
    );
    let text = fs::read_to_string(folder.path().join("known.txt")).expect("a baseline");
    assert_eq!(
        text.lines()
            .filter(|line| line.ends_with(" missing-always x.conf"))
            .count(),
        2
    );

    let same = run(folder.path(), &CHECK);
    assert_eq!((same.code, counts(&same)), (0, (0, 2, 0)));
    // Moving code changes nothing.
    folder.write(
        "x.conf",
        format!("# new\n\n{}", site(&[b.clone(), a.clone()])),
    );
    assert_eq!(counts(&run(folder.path(), &CHECK)), (0, 2, 0));
    // One more is one more, and only that one.
    folder.write("x.conf", site(&[a.clone(), b.clone(), c.clone()]));
    let more = run(folder.path(), &CHECK);
    assert_eq!((more.code, counts(&more)), (1, (1, 2, 0)));
    assert!(value(&more)["findings"][0]["message"].is_string());
    assert_eq!(value(&more)["findings"][0]["range"]["start"]["line"], 11);
    // One repaired and another made is seen, although the number is the same.
    folder.write("x.conf", site(&[location("a", " always"), b.clone(), c]));
    let swap = run(folder.path(), &CHECK);
    assert_eq!((swap.code, counts(&swap)), (1, (1, 1, 1)));
    assert!(
        swap.stderr
            .contains("`missing-always` is not found in x.conf any more"),
        "{}",
        swap.stderr
    );
    // Repaired: nothing fails, and the entry is called stale until it is taken out.
    folder.write("x.conf", site(&[location("a", " always"), b]));
    let stale = run(folder.path(), &CHECK);
    assert_eq!((stale.code, counts(&stale)), (0, (0, 1, 1)));
    run(
        folder.path(),
        &["--baseline", "known.txt", "--write-baseline"],
    );
    assert_eq!(counts(&run(folder.path(), &CHECK)), (0, 1, 0));
    // A file that is gone.
    fs::remove_file(folder.path().join("x.conf")).expect("it was there");
    assert_eq!(counts(&run(folder.path(), &CHECK)), (0, 0, 1));
}

/// Of text that is the same to the letter, only the place is another one.
#[test]
fn a_swap_between_copies_is_seen() {
    let nginx = |wrong: &str| {
        let location = |name: &str| {
            let always = if name == wrong { "" } else { " always" };
            location("copy", always).replacen("copy", name, 1)
        };
        site(&[location("a"), location("b")])
    };
    let java = |wrong: &str| {
        let method = |name: &str| {
            let origins = if name == wrong {
                "https://a.example:443"
            } else {
                "https://a.example"
            };
            format!(
                "    @CrossOrigin(\"{origins}\")\n    @GetMapping(\"/{name}\")\n    public String {name}() {{\n        return \"\";\n    }}\n"
            )
        };
        format!(
            "import org.springframework.web.bind.annotation.*;\n\n@RestController\npublic class Items {{\n{}{}}}\n",
            method("a"),
            method("b")
        )
    };
    let express = |wrong: &str| {
        let route = |name: &str| {
            let origin = if name == wrong {
                "https://a.example/"
            } else {
                "https://a.example"
            };
            format!(
                "app.get('/{name}', (req, res) => {{\n  res.set('Access-Control-Allow-Origin', '{origin}');\n\n  res.json([]);\n}});\n"
            )
        };
        format!(
            "const app = require('express')();\n{}{}",
            route("a"),
            route("b")
        )
    };
    type Text<'a> = &'a dyn Fn(&str) -> String;
    let cases: [(&str, Text); 3] = [
        ("x.conf", &nginx),
        ("Items.java", &java),
        ("x.js", &express),
    ];
    for (name, text) in cases {
        let folder = TempDir::new();
        folder.write(name, text("a"));
        let write = ["--baseline", "known.txt", "--write-baseline"];
        assert_eq!(
            run(folder.path(), &write).stderr,
            "known.txt: 1 known findings\n",
            "{name}"
        );
        // Nothing but what moves, and a comment.
        folder.write(name, format!("\n\n{}", text("a")));
        assert_eq!(counts(&run(folder.path(), &CHECK)), (0, 1, 0), "{name}");
        folder.write(name, text("b"));
        let swap = run(folder.path(), &CHECK);
        assert_eq!((swap.code, counts(&swap)), (1, (1, 0, 1)), "{name}");
    }
}

#[test]
fn what_was_not_looked_at_is_not_stale_and_stays() {
    let folder = TempDir::new();
    folder.write(".git/HEAD", "");
    folder.write("a/x.conf", site(&[location("a", "")]));
    folder.write("b/x.conf", site(&[location("b", "")]));
    folder.write("corslint.toml", "baseline = \"known.txt\"\n");
    let none = run(folder.path(), &["--format", "json"]);
    assert_eq!(counts(&none), (2, 0, 0), "it may not have been written yet");
    assert_eq!(run(folder.path(), &["--write-baseline"]).code, 0);
    let part = run(folder.path(), &["--format", "json", "a"]);
    assert_eq!(counts(&part), (0, 1, 0));
    let other_rule = run(
        folder.path(),
        &["--format", "json", "--select", "missing-vary"],
    );
    assert_eq!(counts(&other_rule), (0, 0, 0));
    run(folder.path(), &["--write-baseline", "a/x.conf"]);
    assert_eq!(
        counts(&run(folder.path(), &["--format", "json"])),
        (0, 2, 0)
    );
}

#[test]
fn wrong_baselines_are_refused() {
    let folder = TempDir::new();
    folder.write("x.conf", site(&[location("a", "")]));
    for (text, words) in [
        (
            "# corslint baseline, version 7\n",
            "known.txt: a baseline of version 7",
        ),
        ("[]\n", "known.txt: no baseline"),
        (
            "# corslint baseline, version 1\n=======\n",
            "known.txt: line 2 is no entry",
        ),
    ] {
        folder.write("known.txt", text);
        for extra in [&[][..], &["--write-baseline"]] {
            let refused = run(folder.path(), &[&CHECK, extra].concat());
            assert_eq!((refused.code, refused.stdout.as_str()), (2, ""));
            assert!(refused.stderr.contains(words), "{}", refused.stderr);
            let now = fs::read_to_string(folder.path().join("known.txt")).expect("the file");
            assert_eq!(now, text, "it is not written over");
        }
    }
    let nowhere = run(folder.path(), &["--write-baseline"]);
    assert_eq!(nowhere.code, 2);
    assert!(
        nowhere.stderr.contains("--baseline FILE"),
        "{}",
        nowhere.stderr
    );
    let unwritable = run(
        folder.path(),
        &["--baseline", "no/known.txt", "--write-baseline"],
    );
    assert_eq!(unwritable.code, 2);
    assert!(
        unwritable.stderr.contains("cannot be written"),
        "{}",
        unwritable.stderr
    );
}
