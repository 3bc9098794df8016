//! Java and Kotlin that nobody wrote by hand, or that nobody meant: bounded, counted, never a panic.

use crate::support::{Run, TempDir, run};

const GOOD: &str = "package x\nimport org.springframework.web.bind.annotation.*\n@RestController\nclass Good {\n    \
    @CrossOrigin(origins = [\"*\"], allowCredentials = \"true\")\n    @GetMapping(\"/\")\n    fun read() = \"\"\n}\n";

#[track_caller]
fn beside_a_good_one(name: &str, text: &str) -> Run {
    let folder = TempDir::new();
    folder.write("pom.xml", "<project></project>\n");
    folder.write("Good.kt", GOOD);
    folder.write(name, text);
    let run = run(folder.path(), &["--color", "never"]);
    assert_eq!(run.code, 1, "{}{}", run.stdout, run.stderr);
    assert!(run.stdout.contains("Good.kt"), "{}", run.stdout);
    run
}

#[test]
fn a_file_may_end_with_an_annotation() {
    // The scanner of the grammar looks for the end of the line, for ever.
    for end in ["@", "@Get", "@Get(\"/x\"", "@file:Get"] {
        let text =
            format!("@RestController\nclass A {{\n    @CrossOrigin\n    val a = 1\n    {end}");
        beside_a_good_one("A.kt", &text);
    }
}

#[test]
fn nesting_without_end_is_bounded() {
    for (name, open, close) in [
        ("A.java", "(", ")"),
        ("A.java", "{", "}"),
        ("A.java", "!", ""),
        ("A.java", "new int[] {", "}"),
        ("A.kt", "(", ")"),
        ("A.kt", "listOf(", ")"),
        ("A.kt", "{ ", "}"),
    ] {
        let deep = format!("{}1{}", open.repeat(5000), close.repeat(5000));
        let text = format!(
            "import org.springframework.web.cors.CorsConfiguration;\nclass A {{ Object cors = {deep}; }}\n"
        );
        beside_a_good_one(name, &text);
    }
}

#[test]
fn configuring_with_itself_ends() {
    let case = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/fixtures/spring/reactive-cors-disabled"
    );
    for customizer in ["http", "http::cors", "c -> http.cors(c)", "http.cors()"] {
        let folder = TempDir::new();
        for entry in std::fs::read_dir(case).expect("a fixture") {
            let path = entry.expect("an entry").path();
            let text = std::fs::read_to_string(&path).expect("a text");
            let text = text.replace("ServerHttpSecurity.CorsSpec::disable", customizer);
            folder.write(path.file_name().expect("a name"), text);
        }
        let run = run(folder.path(), &["--color", "never"]);
        assert!((0..=1).contains(&run.code), "{customizer}: {}", run.stderr);
    }
}

#[test]
fn a_file_that_takes_too_much_work_is_named_and_hides_what_it_may_say() {
    let folder = TempDir::new();
    folder.write("app/pom.xml", "<project></project>\n");
    folder.write("app/Good.kt", GOOD.replace("origins", "originPatterns"));
    folder.write(
        "app/Idle.java",
        "@Configuration\nclass Idle {\n    @Bean\n    CorsConfigurationSource cors() { return null; }\n}\n",
    );
    let before = run(folder.path(), &["--color", "never"]);
    assert!(before.stdout.contains("error[any-origin-with-credentials]"));
    assert!(before.stdout.contains("error[cors-not-active]"));
    // The scanner of the grammar looks for the end of a text block behind every word.
    let text = format!(
        "@CrossOrigin\nclass A {{\n{}{}",
        " ) ".repeat(3000),
        "x ".repeat(40_000)
    );
    folder.write("app/A.kt", &text);
    let run = run(folder.path(), &["--color", "never"]);
    assert_eq!(run.code, 0, "{}", run.stdout);
    let named = "skipped: app/A.kt: takes too much work to parse\n";
    assert!(run.stderr.contains(named), "{}", run.stderr);
    assert!(run.stdout.contains("1 file skipped"), "{}", run.stdout);
}
