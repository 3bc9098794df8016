use std::path::Path;
use std::sync::Arc;

use super::heap::{V, Val};
use super::{Call, Comparison, Host, Injection, Machine, Result};
use crate::source::{Sources, Span};
use crate::syntax::jvm::program::Program;
use crate::syntax::value::{Budget, Kind, Value};

/// A framework that writes down what it is asked.
#[derive(Default)]
pub(super) struct Log {
    calls: Vec<String>,
    compared: Vec<String>,
}

impl Host for Log {
    fn decide(&mut self, test: &str, _: Span) -> bool {
        self.calls.push(format!("? {test}"));
        true
    }

    fn construct(
        machine: &mut Machine<'_, Self>,
        path: &str,
        call: &Call<'_>,
    ) -> Option<Result<Val>> {
        let args: Vec<String> = call
            .args
            .iter()
            .map(|arg| show(&machine.value(arg)))
            .collect();
        machine
            .host
            .calls
            .push(format!("new {path}({})", args.join(", ")));
        path.ends_with("Config")
            .then(|| Ok(machine.host_object(1, 0, call.span)))
    }

    fn call(machine: &mut Machine<'_, Self>, call: &Call<'_>) -> Option<Result<Val>> {
        let args: Vec<String> = call
            .args
            .iter()
            .map(|arg| show(&machine.value(arg)))
            .collect();
        let receiver = match &call.receiver.v {
            V::Foreign(path) => path.to_string(),
            _ => machine
                .as_host(call.receiver)
                .map_or("?".into(), |_| "host".into()),
        };
        let line = format!("{receiver}.{}({})", call.method, args.join(", "));
        machine.host.calls.push(line);
        machine.as_host(call.receiver)?;
        if let Some(block) = call.args.last().filter(|arg| machine.is_function(arg)) {
            let (block, receiver) = (block.clone(), call.receiver.clone());
            let _ = machine.call_function(
                &block,
                Some(&receiver),
                std::slice::from_ref(&receiver),
                call.span,
            );
        }
        Some(Ok(call.receiver.clone()))
    }

    fn member(_: &mut Machine<'_, Self>, _: &Val, _: &str, _: Span) -> Option<Val> {
        None
    }

    fn inject(_: &mut Machine<'_, Self>, place: &Injection<'_>) -> Option<Val> {
        (place.ty.simple() == "String")
            .then(|| Val::string(format!("<{}>", place.name), place.span))
    }

    fn is_subject(&self, text: &str) -> bool {
        text == "https://asked.example"
    }

    fn compared(&mut self, subject: &str, with: &Val, how: Comparison, holds: bool) {
        let with = with.as_str().unwrap_or("?").to_owned();
        self.compared
            .push(format!("{subject} {how:?} {with} {holds}"));
    }
}

/// A value in short.
fn show(value: &Value) -> String {
    match &value.kind {
        Kind::String(text) => format!("'{text}'"),
        Kind::Bool(value) => value.to_string(),
        Kind::Number(value) => value.to_string(),
        Kind::Null => "null".into(),
        Kind::Undefined => "void".into(),
        Kind::Unknown(_) => "?".into(),
        Kind::Object(name) => format!("<{name}>"),
        Kind::List(list) => {
            let items: Vec<String> = list.items.iter().map(show).collect();
            format!("[{}{}]", items.join(" "), if list.open { " …" } else { "" })
        }
        Kind::Map(map) => {
            let entries = map.entries.iter();
            let entries: Vec<String> = entries
                .map(|entry| format!("{}={}", entry.key, show(&entry.value)))
                .collect();
            format!("{{{}}}", entries.join(" "))
        }
        other => format!("{other:?}"),
    }
}

/// The value of the static or instance method `value` of the class `Main`.
pub(super) fn run(files: &[(&str, &str)]) -> (String, Log) {
    let sources = Sources::new();
    let files: Vec<_> = files
        .iter()
        .map(|(path, text)| sources.add(format!("no-such-folder/{path}").into(), (*text).into()))
        .collect();
    let program = Arc::new(Program::new(Path::new("no-such-folder"), &files));
    let mut classes = program.classes().into_iter();
    let Some(main) = classes.find(|class| &*class.name == "Main") else {
        return ("no class".into(), Log::default());
    };
    let method = Arc::clone(main.method("value").expect("a method value"));
    let budget = Budget::new(100_000, 100);
    let mut machine = Machine::new(Log::default(), program, Some(&sources), budget);
    let this = if method.is_static {
        Val::new(V::Class(Arc::clone(&main)), main.span)
    } else {
        machine.create(&main, main.span).expect("an instance")
    };
    let val = match machine.invoke_injected(&this, &main, &method, main.span) {
        Ok(val) => show(&machine.value(&val)),
        Err(error) => format!("{error:?}"),
    };
    (val, machine.host)
}

fn java(body: &str) -> String {
    let text =
        format!("import java.util.*;\nimport java.util.stream.*;\nclass Main {{\n{body}\n}}\n");
    run(&[("Main.java", &text)]).0
}

fn expression(text: &str) -> String {
    java(&format!("static Object value() {{ return {text}; }}"))
}

#[test]
fn expressions_have_values() {
    for (text, value) in [
        (r#""a" + 1 + 'c' + true + null"#, "'a1ctruenull'"),
        (r#""a" + unknown()"#, "?"),
        ("1 + 2 * 3 - 4 / 2", "5"),
        (r#"1 < 2 ? "yes" : "no""#, "'yes'"),
        (r#"List.of("a", "b")"#, "['a' 'b']"),
        (r#"Arrays.asList("a,b".split(","))"#, "['a' 'b']"),
        (r#"new String[] {"a", "b"}"#, "['a' 'b']"),
        (r#"Collections.singletonList("*")"#, "['*']"),
        (
            r#"Collections.unmodifiableList(new ArrayList<>(Set.of("a")))"#,
            "['a']",
        ),
        (
            r#"Stream.of("a ", " ").map(String::trim).filter(s -> !s.isEmpty()).toList()"#,
            "['a']",
        ),
        (
            r#"Arrays.stream("a, b".split(",")).map(String::trim).collect(Collectors.toList())"#,
            "['a' 'b']",
        ),
        (
            r#"Arrays.stream("a|b".split("\\|")).toArray(String[]::new)"#,
            "['a' 'b']",
        ),
        (
            r#"Stream.of("a", "b").collect(Collectors.joining("-"))"#,
            "'a-b'",
        ),
        (r#"String.join(",", List.of("a", "b"))"#, "'a,b'"),
        (
            r#"String.format("https://%s:%d", "x", 80)"#,
            "'https://x:80'",
        ),
        (r#""%s!".formatted("a")"#, "'a!'"),
        (r#"Map.of("a", 1).get("a")"#, "1"),
        (r#"Optional.ofNullable(null).orElse("x")"#, "'x'"),
        (r#"Optional.of("a").map(s -> s + "b").get()"#, "'ab'"),
        ("java.time.Duration.ofHours(1).getSeconds()", "3600"),
        ("HttpMethod.GET.name()", "'GET'"),
        ("org.x.HttpMethod.PUT", "<org.x.HttpMethod.PUT>"),
        (r#""a".equals("a") && "A".equalsIgnoreCase("a")"#, "true"),
        (r#"unknown() && false"#, "false"),
        (r#""https://a.b".matches("https://.*\\.b")"#, "true"),
        (r#"(String) "a""#, "'a'"),
        (
            r#"switch ("b") { case "a" -> 1; case "b", "c" -> 2; default -> 3; }"#,
            "2",
        ),
        ("List.of(1, 2).stream().anyMatch(n -> n == 2)", "true"),
        (
            r#"new StringBuilder("a").append("b").append(1).toString()"#,
            "'ab1'",
        ),
        (r#"Objects.requireNonNull("a")"#, "'a'"),
        ("\"\"\"\n  a\n  b\"\"\"", "'a\nb'"),
        (r#"Boolean.parseBoolean("TRUE")"#, "true"),
        ("Boolean.TRUE.equals(Boolean.FALSE)", "false"),
        ("Boolean.TRUE.equals(null)", "false"),
        ("Boolean.FALSE.equals(1 > 2)", "true"),
        ("java.lang.Boolean.TRUE", "true"),
    ] {
        assert_eq!(expression(text), value, "{text}");
    }
}

#[test]
fn statements_run_in_order() {
    let value = java(
        r#"static Object value() {
            List<String> origins = new ArrayList<>();
            for (String s : new String[] {"a", "", "b"}) {
                if (s.isEmpty()) { continue; }
                origins.add(s);
            }
            int i = 0;
            while (i < 2) { i++; }
            for (int j = 0; j < 3; ++j) { i += j; if (j == 1) break; }
            var more = List.of("c");
            origins.addAll(more);
            more.forEach(origins::add);
            try { throw new IllegalStateException("x"); }
            catch (IllegalStateException e) { origins.add("caught"); }
            finally { origins.add("finally" + i); }
            switch (i) { case 3: origins.add("three"); case 4: origins.add("four"); break; default: origins.add("no"); }
            return origins;
        }"#,
    );
    assert_eq!(
        value,
        "['a' 'b' 'c' 'c' 'caught' 'finally3' 'three' 'four']"
    );
}

#[test]
fn constants_are_found_across_files() {
    let main = r#"package app.web;
        import static app.Names.FIRST;
        import app.*;
        import app.Kind;
        class Main {
            private static final String[] ALL = {FIRST, Names.SECOND, Names.Inner.THIRD, Base.LATER};
            static Object value() { return Arrays.asList(ALL[0], ALL[1], ALL[2], ALL[3], Kind.B.name(), Kind.A.text(), Kind.valueOf("B").text); }
        }"#;
    let names = r#"package app;
        public final class Names {
            public static final String FIRST = "1" + "!";
            public static final String SECOND;
            static { SECOND = "2"; }
            public static class Inner { static final String THIRD = FIRST + SECOND; }
        }"#;
    let kind = r#"package app;
        public enum Kind { A("a"), B("b"); final String text; Kind(String text) { this.text = text; } String text() { return text; } }"#;
    let base = r#"package app.web; interface Base { String LATER = "later"; }"#;
    let (value, _) = run(&[
        ("app/web/Main.java", main),
        ("app/Names.java", names),
        ("app/Kind.java", kind),
        ("app/web/Base.java", base),
    ]);
    assert_eq!(value, "['1!' '2' '1!2' 'later' 'B' 'a' 'b']");
}

#[test]
fn instances_have_fields_constructors_and_helpers() {
    let value = java(
        r#"
        interface Shape { String name(); default String shout() { return name() + "!"; } }
        static abstract class Base implements Shape {
            protected final String prefix;
            Base(String prefix) { this.prefix = prefix; }
        }
        static class Square extends Base {
            private int side = 2;
            Square() { this("sq"); side++; }
            Square(String p) { super(p); }
            public String name() { return prefix + side; }
        }
        record Point(int x, int y) { Point { if (x < 0) throw new RuntimeException(); } int sum() { return x + y(); } }
        private final String injected;
        @Autowired Main(String injected) { this.injected = injected; }
        Object value() {
            Shape anonymous = new Shape() { public String name() { return helper("anonymous"); } };
            return List.of(new Square().shout(), anonymous.shout(), new Point(1, 2).sum(), injected);
        }
        private String helper(String s) { return s + 1; }
        "#,
    );
    assert_eq!(value, "['sq3!' 'anonymous1!' 3 '<injected>']");
}

#[test]
fn lombok_and_container_fill_fields() {
    let (value, _) = run(&[(
        "Main.java",
        r#"@RequiredArgsConstructor class Main {
            private final String one;
            @Value("${x}") private String two;
            private String three;
            private final Props props = new Props();
            Object value() { props.setOrigin("o"); return List.of(one, two, three == null, props.getOrigin(), props.isOn()); }
        }
        @Data class Props { private String origin; private boolean on = true; }"#,
    )]);
    assert_eq!(value, "['<one>' '<two>' true 'o' true]");
}

#[test]
fn the_framework_is_called_with_values_and_places() {
    let (_, log) = run(&[(
        "Main.java",
        r#"import org.lib.Config;
        import static org.lib.Customizer.withDefaults;
        class Main {
            static final List<String> ORIGINS = List.of("a", "b");
            Object value() {
                Config config = new Config("x");
                ORIGINS.forEach(config::addOrigin);
                for (String o : ORIGINS) config.add(o);
                config.nested(c -> c.inner(1).other(withDefaults()));
                config.names(ORIGINS.toArray(new String[0]));
                config.unknown(somebody.elses());
                if (somebody.elses()) config.taken();
                return null;
            }
        }"#,
    )]);
    assert_eq!(
        log.calls,
        [
            "new org.lib.Config('x')",
            "host.addOrigin('a')",
            "host.addOrigin('b')",
            "host.add('a')",
            "host.add('b')",
            "host.nested(<an object>)",
            "host.inner(1)",
            "org.lib.Customizer.withDefaults()",
            "host.other(<org.lib.Customizer.withDefaults()>)",
            "host.names(['a' 'b'])",
            "host.unknown(?)",
            "? somebody.elses()",
            "host.taken()",
        ]
    );
}

#[test]
fn comparisons_are_told() {
    let (value, log) = run(&[(
        "Main.java",
        r#"class Main {
            static Object value() {
                String origin = "https://asked.example";
                boolean a = List.of("https://one.example").contains(origin);
                boolean b = origin.endsWith(".example") && Pattern.compile("^https://.*$").matcher(origin).find();
                return a || b;
            }
        }"#,
    )]);
    assert_eq!(value, "true");
    assert_eq!(
        log.compared,
        [
            "https://asked.example Equal https://one.example false",
            "https://asked.example Part .example true",
            "https://asked.example Pattern ^https://.*$ true",
        ]
    );
}

#[test]
fn what_has_no_end_is_unknown() {
    for body in [
        "static Object value() { return value(); }",
        "static class A { A(int a) { this(\"x\"); } A(String b) { this(1); } } static Object value() { return new A(1); }",
        "static class A { A a = new A(); } static Object value() { return new A(); }",
        "static Object value() { while (true) { int i = 0; i++; } }",
        "static Object value() { String s = \"aaaaaaaa\"; for (int i = 0; i < 60; i++) s = s + s; return s; }",
        "static List<Object> l = new ArrayList<>(); static Object value() { for (int i = 0; i < 9; i++) { l.addAll(List.of(l, l, l)); l.add(l); } return l; }",
    ] {
        let value = java(body);
        assert!(value.len() < 100_000, "{body}");
    }
}

#[test]
fn broken_and_deep_texts_are_survived() {
    let deep = format!(
        "static Object value() {{ return {}1{}; }}",
        "(".repeat(5000),
        ")".repeat(5000)
    );
    assert_eq!(java(&deep), "?");
    let sum = format!(
        "static Object value() {{ return {}1; }}",
        "1 + ".repeat(200)
    );
    assert_eq!(java(&sum), "201");
    let open = "static Object value() { String s = \"a; return 1; }\n Object other() { }";
    assert!(["void", "?", "no class"].contains(&&*java(open)));
    assert_eq!(java("static Object value() { int x = ; return 2; }"), "2");
}

fn kotlin(body: &str) -> String {
    run(&[("Main.kt", &format!("class Main {{\n{body}\n}}\n"))]).0
}

#[test]
fn kotlin_expressions_have_values() {
    for (text, value) in [
        (r#""a$n-${n + 1}\$n""#, "'a1-2$n'"),
        (r#""""raw $n ${n}""""#, "'raw 1 1'"),
        (r#"listOf("a", "b")"#, "['a' 'b']"),
        (
            r#"arrayOf("a", *listOf("b", "c").toTypedArray())"#,
            "['a' 'b' 'c']",
        ),
        (r#"mapOf("a" to 1)["a"]"#, "1"),
        ("if (n > 1) \"x\" else \"y\"", "'y'"),
        ("if (n > 0) { val z = n; \"x$z\" } else { \"y\" }", "'x1'"),
        (
            "when (n) { 0, 2 -> \"a\"\n in 1..3 -> \"b\"\n else -> \"c\" }",
            "'b'",
        ),
        ("when { n > 5 -> \"a\"\n else -> \"c\" }", "'c'"),
        ("none?.length ?: \"d\"", "'d'"),
        ("text?.uppercase()?.let { it + \"!\" }", "'T!'"),
        ("!text.isEmpty()", "true"),
        ("-text.length", "-1"),
        ("\"t\" in listOf(\"t\") && \"u\" !in listOf(\"t\")", "true"),
        (
            "listOf(\"a\", \"\").filter { it.isNotEmpty() }.map { s -> s + n }",
            "['a1']",
        ),
        ("text.split(\",\").map(String::trim)", "['t']"),
        ("Sub(\"x\", b = 3).run { a + b }", "'x3'"),
        ("Sub(\"x\").copyOfIt()", "'x2'"),
        ("Main.CONST + TOP + Names.first", "'constTOPfirst'"),
        ("\"x\".shout()", "'x!'"),
        (
            "buildList { add(\"a\"); addAll(listOf(\"b\")) }",
            "['a' 'b']",
        ),
        ("Kind.B.text + Kind.A.name", "'bA'"),
        ("lazyOne", "1"),
        ("computed", "'c1'"),
        (
            "try { throw IllegalStateException(\"x\") } catch (e: Exception) { \"caught\" }",
            "'caught'",
        ),
        // `error` throws an IllegalStateException, `TODO` a NotImplementedError, which is an Error.
        (
            "try { error(\"x\") } catch (e: IllegalArgumentException) { \"argument\" } catch (e: Exception) { \"caught\" }",
            "'caught'",
        ),
        (
            "try { Integer.parseInt(\"x\") } catch (e: IllegalArgumentException) { \"argument\" }",
            "'argument'",
        ),
        (
            "try { TODO() } catch (e: Exception) { \"exception\" } catch (e: Error) { \"error\" }",
            "'error'",
        ),
        (
            "try { TODO(\"x\") } catch (e: NotImplementedError) { \"todo\" }",
            "'todo'",
        ),
        (
            "try { TODO() } catch (e: IllegalStateException) { \"state\" } catch (e: Throwable) { \"any\" }",
            "'any'",
        ),
    ] {
        let body = format!(
            "val n = 1\nval text: String = \"t\"\nval none: String? = null\nval lazyOne by lazy {{ 1 }}\nval computed: String get() = \"c$n\"\nfun value(): Any? {{\n return {text}\n}}\ncompanion object {{\n const val CONST = \"const\"\n}}"
        );
        let main = format!(
            "package app\nconst val TOP = \"TOP\"\nfun String.shout() = this + \"!\"\nclass Main {{\n{body}\n}}\n"
        );
        let others = "package app\ndata class Sub(val a: String, val b: Int = 2) {\n fun copyOfIt() = a + b\n}\nobject Names {\n val first = \"first\"\n}\nenum class Kind(val text: String) {\n A(\"a\"), B(\"b\")\n}\n";
        let (found, _) = run(&[("app/Main.kt", &main), ("app/Others.kt", others)]);
        assert_eq!(found, value, "{text}");
    }
}

#[test]
fn kotlin_blocks_configure_the_framework() {
    let (_, log) = run(&[(
        "Main.kt",
        r#"import org.lib.Config

class Main {
    private val origins = listOf("a", "b")

    fun value(): Any {
        val http = Config()
        http {
            cors { }
            csrf { disable() }
        }
        val config = Config().apply {
            allowedOrigins = origins
            allowCredentials = true
            maxAge = 3600L
        }
        config.names(*origins.toTypedArray())
        origins.forEach(config::add)
        origins.forEach { o -> config.add(o) }
        for (o in origins) config.add(o)
        Holder<Config>(config)
        return config
    }
}
"#,
    )]);
    assert_eq!(
        log.calls,
        [
            "new org.lib.Config()",
            "host.invoke(<an object>)",
            "host.cors(<an object>)",
            "host.csrf(<an object>)",
            "host.disable()",
            "new org.lib.Config()",
            "host.setAllowedOrigins(['a' 'b'])",
            "host.setAllowCredentials(true)",
            "host.setMaxAge(3600)",
            "host.names('a', 'b')",
            "host.add('a')",
            "host.add('b')",
            "host.add('a')",
            "host.add('b')",
            "host.add('a')",
            "host.add('b')",
            "new *.Holder(<an object>)",
        ]
    );
}

#[test]
fn kotlin_classes_are_injected() {
    let (value, _) = run(&[(
        "Main.kt",
        r#"
open class Base(val x: String) {
    fun shown() = x + "!"
}

@Component
class Main(@Value("\${a}") private val one: String, val two: String) : Base(one) {
    @Autowired
    lateinit var three: String

    init {
        println(one)
    }

    fun value(): Any = listOf(one, two, three, shown())
}
"#,
    )]);
    assert_eq!(value, "['<one>' '<two>' '<three>' '<one>!']");
}

#[test]
fn kotlin_on_one_line_is_read() {
    let main = "class Main { fun value(): Any = listOf(O.a, E.A.f(), Main.X); companion object { const val X = \"x\" } }\nobject O { val a = 1 }\nenum class E(val s: String) { A(\"a\"), B(\"b\"); fun f() = s }\n";
    assert_eq!(run(&[("Main.kt", main)]).0, "[1 'a' 'x']");
}

#[test]
fn broken_kotlin_is_survived() {
    let deep = format!(
        "fun value(): Any {{ return {}1{} }}",
        "(".repeat(3000),
        ")".repeat(3000)
    );
    assert!(["?", "no class", "void"].contains(&&*kotlin(&deep)));
    let _ = kotlin("fun value(): Any { val x = ; return 2 }");
    let _ = kotlin("fun value( { \"${");
}

#[test]
fn annotations_in_front_of_kotlins_classes_are_theirs() {
    let main = "package app\n\n@Component\n@Order(Main.FIRST)\nclass Main : Filter() {\n \
        override fun f(r: Q) {\n  r.a(\"b\")\n }\n companion object { const val FIRST = 1 }\n}\n\n\
        @Other\nclass Second {\n @Get(\"/i\")\n fun items() = \"\"\n}\n\n@Third(\"x\") @Fourth(2) @Fifth\nobject Last\n";
    let file = Sources::new().add("no-such-folder/app/Main.kt".into(), main.into());
    let program = Program::new(Path::new("no-such-folder"), &[file]);
    let classes = program.classes();
    let annotated: Vec<String> = classes
        .iter()
        .map(|class| {
            let names = class.annotations.iter();
            let names: Vec<String> = names
                .map(|annotation| format!("{}/{}", annotation.name, annotation.args.len()))
                .collect();
            format!("{}: {}", class.name, names.join(" "))
        })
        .collect();
    assert_eq!(
        annotated,
        [
            "Main: Component/0 Order/1",
            "Companion: ",
            "Second: Other/0",
            "Last: Third/1 Fourth/1 Fifth/0"
        ]
    );
}
