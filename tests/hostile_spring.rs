//! Java, Kotlin, property files and XML that nobody wrote by hand, or that nobody meant: bounded,
//! counted, never a panic, and nothing outside of them is read.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use corslint::report::Report;

use crate::support::{self, TempDir, rules};

const OPEN: &str = "@RestController\n@CrossOrigin(originPatterns = \"*\", allowCredentials = \"true\")\n\
    public class ItemController {\n    @GetMapping(\"/items\")\n    public String items() { return \"\"; }\n}\n";
const OPEN_KOTLIN: &str = "@RestController\n@CrossOrigin(originPatterns = [\"*\"], allowCredentials = \"true\")\n\
    class ItemController {\n    @GetMapping(\"/items\")\n    fun items() = \"\"\n}\n";
const ACTUATOR: &str = "management:\n  endpoints:\n    web:\n      cors:\n        allowed-origin-patterns: \"*\"\n        allow-credentials: true\n";
const BUILD: &str = "<project><parent><groupId>org.springframework.boot</groupId><artifactId>spring-boot-starter-parent</artifactId>\
    <version>4.1.1</version></parent><dependencies>\
    <dependency><groupId>org.springframework.boot</groupId><artifactId>spring-boot-starter-web</artifactId></dependency>\
    <dependency><groupId>org.springframework.boot</groupId><artifactId>spring-boot-starter-actuator</artifactId></dependency>\
    </dependencies></project>";
const FOUND: [&str; 1] = ["any-origin-with-credentials"];

fn report(files: &[(&str, &[u8])]) -> Report {
    let files = files.iter().map(|(name, text)| (*name, *text));
    let files: Vec<(&str, &[u8])> = [("pom.xml", BUILD.as_bytes())]
        .into_iter()
        .chain(files)
        .collect();
    let start = Instant::now();
    let report = support::report(&files);
    // Nothing here takes a second, even on a busy machine and unoptimised.
    assert!(start.elapsed() < Duration::from_secs(60));
    report
}

/// Why a file was skipped.
fn reason(report: &Report, name: &str) -> String {
    let mut skipped = report.skipped.iter();
    let found = skipped.find(|problem| {
        let path = problem.path.as_ref();
        path.is_some_and(|path| path.ends_with(name))
    });
    found.map_or_else(String::new, |problem| problem.text.clone())
}

#[test]
fn what_stands_around_a_syntax_error_is_read() {
    for (name, text) in [
        (
            "A.java",
            format!("{OPEN}class Broken {{ void f( {{ int = ; }}\n"),
        ),
        ("A.java", format!("@@ ) }}\n{OPEN}")),
    ] {
        assert_eq!(rules(&report(&[(name, text.as_bytes())])), FOUND, "{text}");
    }
    // An error in Kotlin may be one of the grammar: the file is read as far as it goes.
    let kotlin = format!("{OPEN_KOTLIN}class Broken {{ fun f( = }} when\n");
    report(&[("A.kt", kotlin.as_bytes())]);
    // Cut anywhere, it is read without a panic.
    for text in [OPEN, OPEN_KOTLIN] {
        let name = if text == OPEN { "A.java" } else { "A.kt" };
        for end in (0..text.len()).step_by(11) {
            report(&[(name, &text.as_bytes()[..end])]);
        }
    }
}

#[test]
fn nesting_without_end_is_bounded() {
    for (open, close) in [("(", ")"), ("{", "}"), ("new int[]{", "}"), ("!", "")] {
        let (open, close) = (open.repeat(20_000), close.repeat(20_000));
        let java = format!("{OPEN}class Deep {{ Object deep = {open}0{close}; }}\n");
        report(&[("A.java", java.as_bytes())]);
        // What is Java's is a heap of errors in Kotlin.
        let kotlin = format!("{OPEN_KOTLIN}val deep = {open}0{close}\n");
        report(&[("A.kt", kotlin.as_bytes())]);
    }
    let classes = format!("{OPEN}{}{}", "class A { ".repeat(5_000), "}".repeat(5_000));
    report(&[("A.java", classes.as_bytes())]);
    let calls = format!("{OPEN}class A {{ Object a = b{}; }}", ".c()".repeat(20_000));
    report(&[("A.java", calls.as_bytes())]);
}

#[test]
fn programs_without_end_are_given_up() {
    let java = format!(
        "{OPEN}
@Configuration
class WebConfig implements WebMvcConfigurer {{
    public void addCorsMappings(CorsRegistry registry) {{
        while (true) {{ registry.addMapping(\"/**\"); }}
    }}
    Object again() {{ return again(); }}
    @Bean Filter filter() {{ again(); for (;;) {{ }} }}
}}
class A extends B {{ }}
class B extends A {{ static final String X = B.X + A.X; }}
"
    );
    // What is known of it is known, and the rest is not.
    let rules = rules(&report(&[("A.java", java.as_bytes())])).len();
    assert!(rules <= 2);
}

#[test]
fn classes_that_make_themselves_are_given_up() {
    let fields = "    A a = new A(a0);\n".repeat(4);
    let java = format!(
        "@Configuration\npublic class A {{\n{fields}    @Bean\n    \
        public CorsFilter filter() {{ return new CorsFilter(null); }}\n}}\n"
    );
    let open = "@Configuration
public class WebConfig implements WebMvcConfigurer {
    public void addCorsMappings(CorsRegistry registry) {
        registry.addMapping(\"/**\").allowedOriginPatterns(\"*\").allowCredentials(true);
    }
}
";
    let files = [
        ("A.java", java.as_bytes()),
        ("WebConfig.java", open.as_bytes()),
    ];
    let report = report(&files);
    // There is a filter of which nothing is known: it may answer before the mappings do.
    assert!(report.findings.is_empty(), "{:?}", rules(&report));
}

#[test]
fn matchers_that_double_are_bounded() {
    let doubled = [
        ("RequestMatcher", "new OrRequestMatcher(m, m)"),
        ("RequestMatcher", "new AndRequestMatcher(m, m)"),
        (
            "RequestMatcher",
            "new NegatedRequestMatcher(new OrRequestMatcher(m, m))",
        ),
        ("RequestPredicate", "m.and(m)"),
        (
            "RouterFunction<ServerResponse>",
            "RouterFunctions.nest(RequestPredicates.path(\"/a\"), m.and(m))",
        ),
    ];
    for (ty, twice) in doubled {
        let one = match ty {
            "RequestMatcher" => "new NegatedRequestMatcher(new AntPathRequestMatcher(\"/a\"))",
            "RequestPredicate" => "RequestPredicates.path(\"/a\")",
            _ => "RouterFunctions.route(RequestPredicates.path(\"/a\"), request -> null)",
        };
        let java = format!(
            "{OPEN}
@Configuration
class Doubling {{
    @Bean SecurityFilterChain chain(HttpSecurity http) {{
        {ty} m = {one};
        for (int i = 0; i < 60; i++) {{ m = {twice}; }}
        final {ty} all = m;
        return http.authorizeHttpRequests(a -> a.requestMatchers(all).permitAll()).build();
    }}
}}
"
        );
        let java = format!("import org.springframework.web.servlet.function.*;\n{java}");
        // Nothing is said of what is not known.
        let report = report(&[("A.java", java.as_bytes())]);
        let found = rules(&report);
        assert!(
            found.iter().all(|rule| FOUND.contains(&&**rule)),
            "{twice}: {found:?}"
        );
    }
}

#[test]
fn anchors_and_merge_keys_are_followed() {
    let yaml = "defaults: &open\n  allowed-origin-patterns: \"*\"\n  allow-credentials: true\n\
        management:\n  endpoints:\n    web:\n      cors:\n        <<: *open\n";
    assert_eq!(
        rules(&report(&[("application.yml", yaml.as_bytes())])),
        FOUND
    );
}

#[test]
fn a_bomb_of_aliases_is_bounded() {
    let mut yaml = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for at in 1..30 {
        let last = format!("*a{}", at - 1);
        let _ = writeln!(yaml, "a{at}: &a{at} [{}]", vec![last; 10].join(", "));
    }
    report(&[("application.yml", yaml.as_bytes())]);
    let circle = format!("a: &a\n  b: *a\n{ACTUATOR}");
    report(&[("application.yml", circle.as_bytes())]);
}

#[test]
fn property_files_that_boot_refuses_are_named() {
    for (text, why) in [
        ("management:\n\tendpoints: x\n# cors\n", "line 2"),
        ("cors:\n  a: 1\n  a: 2\n", "line 3"),
        ("cors: [1, 2\n", "line"),
        ("cors: *unknown\n", "line 1"),
    ] {
        let report = report(&[("application.yml", text.as_bytes())]);
        let reason = reason(&report, "application.yml");
        assert!(reason.contains(why), "{text}: {reason:?}");
        assert_eq!(rules(&report), [""; 0]);
    }
}

#[test]
fn one_broken_file_does_not_hide_the_others() {
    let report = report(&[
        ("application.yml", b"cors: [1, 2\n"),
        ("A.java", OPEN.as_bytes()),
        ("web.xml", b"<web-app><filter-class></web-app>"),
        ("Binary.java", b"@CrossOrigin \0\xff\xfe"),
    ]);
    assert_eq!(rules(&report), FOUND);
}

#[test]
fn huge_files_are_read_or_named() {
    let mut list =
        String::from("management.endpoints.web.cors.allowed-origins=https://app.example.com");
    for at in 0..20_000 {
        let _ = write!(list, ",https://a{at}.example.com");
    }
    assert_eq!(
        rules(&report(&[("application.properties", list.as_bytes())])),
        [""; 0]
    );
    let keys: String = (0..20_000).map(|at| format!("key{at}: value\n")).collect();
    let yaml = format!("{keys}{ACTUATOR}");
    assert_eq!(
        rules(&report(&[("application.yml", yaml.as_bytes())])),
        FOUND
    );
    let padding = "// x\n".repeat(3_000_000);
    let huge = report(&[
        ("A.java", OPEN.as_bytes()),
        (
            "Huge.java",
            format!("{padding}@CrossOrigin class X {{ }}").as_bytes(),
        ),
    ]);
    assert_eq!(rules(&huge), FOUND);
    assert!(!reason(&huge, "Huge.java").is_empty());
}

#[test]
fn entities_of_xml_are_never_expanded() {
    let secret = TempDir::new();
    secret.write("secret.txt", "*");
    let path = secret.path().join("secret.txt");
    let mapping = |value: &str| {
        format!(
            "<beans xmlns=\"http://www.springframework.org/schema/beans\" xmlns:mvc=\"http://www.springframework.org/schema/mvc\">\
             <mvc:cors><mvc:mapping path=\"/**\" allowed-origin-patterns=\"{value}\" allow-credentials=\"true\"/></mvc:cors></beans>"
        )
    };
    assert_eq!(
        rules(&report(&[("mvc.xml", mapping("*").as_bytes())])),
        FOUND
    );
    let external = format!(
        "<!DOCTYPE beans [<!ENTITY e SYSTEM \"file://{}\">]>{}",
        path.display(),
        mapping("&e;")
    );
    let mut laughs = String::from("<!DOCTYPE beans [<!ENTITY l0 \"*\">");
    for at in 1..30 {
        let last = format!("&l{};", at - 1);
        let _ = write!(laughs, "<!ENTITY l{at} \"{}\">", last.repeat(10));
    }
    let laughs = format!("{laughs}]>{}", mapping("&l29;"));
    for text in [external, laughs, mapping("&unknown;")] {
        let report = report(&[("mvc.xml", text.as_bytes())]);
        assert_eq!(rules(&report), [""; 0], "{text}");
        assert!(reason(&report, "mvc.xml").starts_with("line"), "{text}");
    }
    let deep = format!(
        "{}{}{}",
        "<beans xmlns:mvc=\"http://www.springframework.org/schema/mvc\">",
        "<mvc:cors>".repeat(5_000),
        "</mvc:cors>".repeat(5_000)
    );
    report(&[("mvc.xml", format!("{deep}</beans>").as_bytes())]);
}

#[test]
fn line_breaks_and_marks_of_windows_change_nothing() {
    for (name, text) in [
        ("A.java", OPEN),
        ("A.kt", OPEN_KOTLIN),
        ("application.yml", ACTUATOR),
    ] {
        let windows = format!("\u{feff}{}", text.replace('\n', "\r\n"));
        let report = report(&[(name, windows.as_bytes())]);
        assert_eq!(rules(&report), FOUND, "{name}");
        let span = report.findings[0].primary.span;
        assert!(
            report.sources.get(span.file).slice(span).contains('*'),
            "{name}"
        );
    }
    let properties = "\u{feff}# of Windows\r\nmanagement.endpoints.web.cors.allowed-origin-patterns=*\r\n\
        management.endpoints.web.cors.allow-credentials=true\r\n";
    let report = report(&[("application.properties", properties.as_bytes())]);
    assert_eq!(rules(&report), FOUND);
}
