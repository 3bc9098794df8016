//! Trees that somebody made to knock a reader over: bounded, counted, never a panic, nothing raw on a
//! terminal.
#![cfg(unix)]

use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::io::Write as _;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::support::{Run, TempDir, corslint, run};

const BAD: &str = "server {\n  location / {\n    add_header Access-Control-Allow-Origin * always;\n    \
    add_header Access-Control-Allow-Credentials true always;\n    return 200;\n  }\n}\n";

/// What a run may take here, in KiB of address space and seconds: a debug build on a busy machine.
const MEMORY: u32 = 4 * 1024 * 1024;
const SECONDS: u64 = 120;

/// Runs with little memory and time; more of either makes it fail.
#[track_caller]
fn bounded(folder: &Path, arguments: &[&str]) -> Run {
    let start = Instant::now();
    let plain = corslint(folder);
    let run = Command::new("sh")
        .args(["-c", "ulimit -v \"$0\"; exec timeout \"$@\""])
        .arg(MEMORY.to_string())
        .arg(SECONDS.to_string())
        .arg(plain.get_program())
        .args(["--color", "never"])
        .args(arguments)
        .current_dir(folder)
        .env_clear()
        .output()
        .expect("a shell");
    let run = Run::from(run);
    assert!(
        start.elapsed() < Duration::from_secs(SECONDS),
        "out of time"
    );
    assert!(
        (0..=2).contains(&run.code) && !run.stderr.contains("internal error"),
        "{}: {}{}",
        run.code,
        run.stdout,
        run.stderr
    );
    run
}

#[track_caller]
fn says(run: &Run, words: &str) {
    let text = run.stdout.clone() + &run.stderr;
    assert!(text.contains(words), "{words}\n{text}");
}

fn link(folder: &TempDir, target: &str, name: &str) {
    let link = folder.path().join(name);
    fs::create_dir_all(link.parent().expect("a folder")).expect("folders");
    std::os::unix::fs::symlink(target, link).expect("a link");
}

#[test]
fn links_in_circles_end() {
    let folder = TempDir::new();
    folder.write("good.conf", BAD);
    link(&folder, "..", "a/up");
    link(&folder, "../b", "a/b");
    link(&folder, "../a", "b/a");
    link(&folder, "two.conf", "one.conf");
    link(&folder, "one.conf", "two.conf");
    link(&folder, ".", "self");
    let run = bounded(folder.path(), &["."]);
    assert_eq!(run.code, 1);
    assert_eq!(run.stdout.matches("error[").count(), 1, "{}", run.stdout);
    says(&run, "skipped: one.conf: a link that leads nowhere");
    says(&run, "skipped: two.conf: a link that leads nowhere");
}

#[test]
fn devices_pipes_and_sockets_are_counted_and_never_opened() {
    let folder = TempDir::new();
    folder.write("good.conf", BAD);
    let pipe = folder.path().join("pipe.conf");
    let made = Command::new("mkfifo").arg(&pipe).status();
    assert!(made.is_ok_and(|status| status.success()), "mkfifo");
    let socket = folder.path().join("socket.conf");
    let _socket = std::os::unix::net::UnixListener::bind(socket).expect("a socket");
    // Only root makes devices; anybody can link to them.
    let zero = folder.path().join("zero.conf");
    let mut made = Command::new("mknod");
    let made = made.arg(&zero).args(["c", "1", "5"]).output();
    let device = made.is_ok_and(|made| made.status.success());
    link(&folder, "/dev/zero", "endless.conf");
    let run = bounded(folder.path(), &["."]);
    assert_eq!(run.code, 1);
    says(&run, "skipped: pipe.conf: not a regular file");
    says(&run, "skipped: socket.conf: not a regular file");
    says(&run, "skipped: endless.conf: a link to something outside");
    let mut named = vec!["pipe.conf", "socket.conf", "endless.conf", "/dev/zero"];
    if device {
        says(&run, "skipped: zero.conf: not a regular file");
        named.push("zero.conf");
    }
    for name in named {
        let run = bounded(folder.path(), &[name]);
        assert_eq!(run.code, 2, "{name}");
        says(&run, &format!("{name}: not a regular file"));
    }
}

#[test]
fn folders_deeper_than_a_path_can_be_are_reported() {
    let folder = TempDir::new();
    folder.write("good.conf", BAD);
    // Each step from inside the one before: no path to the end could be written down.
    let made = Command::new("python3")
        .args([
            "-c",
            "import os\nfor _ in range(40):\n    os.mkdir('d' * 200)\n    os.chdir('d' * 200)\n\
             open('deep.conf', 'w').write('add_header Access-Control-Allow-Origin *;')",
        ])
        .current_dir(folder.path())
        .status();
    assert!(made.is_ok_and(|status| status.success()), "python3");
    let run = bounded(folder.path(), &["."]);
    assert_eq!(run.code, 1);
    assert_eq!(run.stdout.matches("error[").count(), 1, "{}", run.stdout);
    says(&run, "cannot be read: File name too long");
}

/// Names that say something to a terminal, or nothing at all in UTF-8.
fn names() -> Vec<OsString> {
    let names: [&[u8]; 7] = [
        b"\x1b]0;title\x07\x1b[2J.conf",
        b"new\nline\r.conf",
        b"\xff\xfe.conf",
        b"tab\tbell\x08.conf",
        "turn\u{202e}fnoc.conf".as_bytes(),
        "csi\u{9b}31m.conf".as_bytes(),
        b"<&\"'>]]>%0A::error::.conf",
    ];
    names.map(|name| OsString::from_vec(name.to_vec())).into()
}

#[test]
fn names_are_never_written_raw_in_any_format() {
    let folder = TempDir::new();
    for name in names() {
        folder.write(&name, BAD);
        // What is skipped is named as well.
        let skipped = [b"skip", name.as_bytes()].concat();
        link(
            &folder,
            "/nowhere",
            OsStr::from_bytes(&skipped).to_str().unwrap_or("x.conf"),
        );
    }
    for format in [
        "terminal",
        "concise",
        "json",
        "sarif",
        "github",
        "gitlab",
        "junit",
        "checkstyle",
    ] {
        let run = bounded(folder.path(), &["--format", format, "."]);
        assert_eq!(run.code, 1);
        let text = run.stdout.clone() + &run.stderr;
        let raw = |c: char| (c.is_control() && c != '\n') || c == '\u{202e}';
        assert!(!text.contains(raw), "{format}: {text:?}");
        assert!(!text.contains("new\nline"), "{format}: {text:?}");
        // A line of its own would be a command to GitHub.
        assert!(!text.contains("\n::error::.conf"), "{format}");
        match format {
            "json" | "sarif" | "gitlab" => {
                serde_json::from_str::<serde_json::Value>(&run.stdout).expect("JSON");
            }
            "junit" | "checkstyle" => {
                roxmltree::Document::parse(&run.stdout).expect("XML");
            }
            _ => {}
        }
    }
    for name in names() {
        let run = corslint(folder.path()).arg(&name).output().expect("a run");
        assert_eq!(run.status.code(), Some(1), "{name:?}");
    }
}

#[test]
fn files_that_come_grow_and_go_during_the_run_are_no_errors() {
    let folder = TempDir::new();
    folder.write("good.conf", BAD);
    for number in 0..50 {
        folder.write(format!("steady/{number}.conf"), BAD);
    }
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut number = 0;
            while !done.load(Ordering::Relaxed) {
                number += 1;
                let name = format!("moving{}/{}.conf", number % 5, number % 20);
                let path = folder.write(&name, BAD);
                let mut file = File::options().append(true).open(&path).expect("our file");
                for _ in 0..50 {
                    let _ = file.write_all(BAD.as_bytes());
                }
                let _ = match number % 3 {
                    0 => fs::remove_dir_all(path.parent().expect("a folder")),
                    1 => fs::remove_file(&path),
                    _ => file.set_len(10),
                };
            }
        });
        for _ in 0..10 {
            let run = run(folder.path(), &["--format", "concise", "."]);
            if run.code != 1 {
                done.store(true, Ordering::Relaxed);
            }
            assert_eq!(run.code, 1, "{}{}", run.stdout, run.stderr);
            assert!(run.stdout.contains("good.conf"));
        }
        done.store(true, Ordering::Relaxed);
    });
}

#[test]
fn a_sparse_file_costs_nothing() {
    let folder = TempDir::new();
    folder.write("good.conf", BAD);
    for name in ["large.conf", "large.js", "corslint.toml.bak"] {
        let file = File::create(folder.path().join(name)).expect("a file");
        file.set_len(10 << 30)
            .expect("a file system with sparse files");
    }
    let run = bounded(folder.path(), &["."]);
    assert_eq!(run.code, 1);
    says(
        &run,
        "skipped: large.conf: 10737418240 bytes, larger than the limit",
    );
    says(
        &run,
        "skipped: large.js: 10737418240 bytes, larger than the limit",
    );
    let run = bounded(folder.path(), &["large.conf"]);
    assert_eq!(run.code, 2);
}

#[test]
fn programs_that_nobody_wrote_by_hand_are_counted_as_skipped() {
    let folder = TempDir::new();
    let code = "const cors = require('cors');\nconst app = require('express')();\n\
                app.use(cors({ origin: true, credentials: true }));\n";
    let limit = usize::try_from(corslint::limits::discover::MAX_PROGRAM_BYTES).expect("a size");
    // Short lines: long ones are a sign of their own.
    let padded = |size: usize| {
        let mut text = code.to_owned() + &"// lines\n".repeat(size / 9);
        text.truncate(size);
        text
    };
    folder.write("fits.js", padded(limit));
    folder.write("bundle.js", padded(limit + 1));
    let run = bounded(folder.path(), &["--format", "concise", "."]);
    assert_eq!(run.code, 1);
    assert!(run.stdout.contains("fits.js:3:"), "{}", run.stdout);
    assert!(!run.stdout.contains("bundle.js"), "{}", run.stdout);
    let words = format!(
        "skipped: bundle.js: {} bytes, larger than the limit of {limit}",
        limit + 1
    );
    says(&run, &words);
    let json = bounded(folder.path(), &["--format", "json", "."]);
    let json: serde_json::Value = serde_json::from_str(&json.stdout).expect("JSON");
    assert_eq!(json["summary"]["skipped"], 1);
    // Who names it wants it read.
    let named = bounded(folder.path(), &["--format", "concise", "bundle.js"]);
    assert!(named.stdout.contains("bundle.js:3:"), "{named:?}");
}

#[test]
fn patterns_that_backtrack_for_ever_are_given_up() {
    const PATTERN: &str = "^https://(([a-z]+)*)*[0-9]$";
    let folder = TempDir::new();
    folder.write("good.conf", BAD);
    folder.write(
        "app.js",
        format!(
            "const app = require('express')();\napp.use(require('cors')({{ origin: /{}/, credentials: true }}));\n\
             app.get('/', (req, res) => res.json([]));\n",
            PATTERN.replace('/', "\\/")
        ),
    );
    folder.write(
        "main.py",
        format!(
            "from fastapi import FastAPI\nfrom fastapi.middleware.cors import CORSMiddleware\napp = FastAPI()\n\
             app.add_middleware(CORSMiddleware, allow_origin_regex=r'{PATTERN}', allow_credentials=True)\n\
             @app.get('/')\ndef read():\n    return {{}}\n"
        ),
    );
    folder.write(
        "flask_app.py",
        format!(
            "from flask import Flask\nfrom flask_cors import CORS\napp = Flask(__name__)\n\
             CORS(app, origins=[r'{PATTERN}'], supports_credentials=True)\n@app.route('/')\ndef read():\n    return ''\n"
        ),
    );
    // Sizes that double, in patterns that are small.
    folder.write(
        "large.js",
        "const app = require('express')();\napp.use(require('cors')({ origin: /^((((a{1,99}){1,99}){1,99}){1,99})$/ }));\n\
         app.get('/', (req, res) => res.json([]));\n",
    );
    let run = bounded(folder.path(), &["."]);
    assert_eq!(run.code, 1);
}

#[test]
fn aliases_entities_and_placeholders_that_multiply_are_bounded() {
    let folder = TempDir::new();
    folder.write("good.conf", BAD);
    let mut yaml = String::from("a0: &a0 [\"https://a.example\", \"*\"]\n");
    for level in 1..30 {
        let list = vec![format!("*a{}", level - 1); 9].join(", ");
        yaml += &format!("a{level}: &a{level} [{list}]\n");
    }
    yaml += "management:\n  endpoints:\n    web:\n      cors:\n        allowed-origins: *a29\n";
    folder.write("service/src/main/resources/application.yml", yaml);
    let mut properties = String::from("a0=https://a.example\n");
    for level in 1..40 {
        let before = level - 1;
        properties += &format!("a{level}=${{a{before}}},${{a{before}}},${{a{before}}}\n");
    }
    properties += "management.endpoints.web.cors.allowed-origins=${a39}\nloop=${loop}\none=${two}\ntwo=${one}\n";
    folder.write(
        "service/src/main/resources/application-x.properties",
        properties,
    );
    let mut entities = String::from("<!DOCTYPE beans [\n<!ENTITY e0 \"cors\">\n");
    for level in 1..30 {
        entities += &format!(
            "<!ENTITY e{level} \"{}\">\n",
            format!("&e{};", level - 1).repeat(9)
        );
    }
    entities += "]>\n<beans xmlns:mvc=\"http://www.springframework.org/schema/mvc\"><mvc:cors>\
        <mvc:mapping path=\"/**\" allowed-origins=\"&e29;\"/></mvc:cors></beans>\n";
    folder.write("service/src/main/webapp/beans.xml", entities);
    folder.write("service/pom.xml", "<project></project>\n");
    folder.write(
        "service/src/main/java/App.java",
        "import org.springframework.web.bind.annotation.*;\n@RestController\npublic class App {\n  \
         @CrossOrigin(origins = \"*\")\n  @GetMapping(\"/\")\n  public String read() { return \"\"; }\n}\n",
    );
    let run = bounded(folder.path(), &["."]);
    assert_eq!(run.code, 1);
    assert!(run.stdout.contains("good.conf"));
}

#[test]
fn values_that_double_in_programs_are_bounded() {
    let folder = TempDir::new();
    folder.write("good.conf", BAD);
    let doubling = |line: &str| format!("{line}\n").repeat(60);
    folder.write(
        "app.js",
        format!(
            "let o = ['https://a.example'];\n{}let s = 'https://a.example';\n{}const app = require('express')();\n\
             app.use(require('cors')({{ origin: [...o, s] }}));\napp.get('/', (req, res) => res.json([]));\n",
            doubling("o = [...o, ...o];"),
            doubling("s = s + s;")
        ),
    );
    folder.write(
        "main.py",
        format!(
            "from fastapi import FastAPI\nfrom fastapi.middleware.cors import CORSMiddleware\no = ['https://a.example']\n{}\
             s = 'https://a.example'\n{}n = 'a' * 10 ** 12\napp = FastAPI()\n\
             app.add_middleware(CORSMiddleware, allow_origins=o + [s, n])\n@app.get('/')\ndef read():\n    return {{}}\n",
            doubling("o = o + o"),
            doubling("s = s + s")
        ),
    );
    folder.write("service/pom.xml", "<project></project>\n");
    folder.write(
        "service/App.java",
        format!(
            "import org.springframework.web.bind.annotation.*;\nimport org.springframework.web.cors.*;\n@RestController\n\
             public class App {{\n  @org.springframework.context.annotation.Bean\n  CorsConfigurationSource source() {{\n    \
             String s = \"https://a.example\";\n{}    CorsConfiguration c = new CorsConfiguration();\n    \
             c.addAllowedOrigin(s.repeat(2000000000));\n    UrlBasedCorsConfigurationSource u = new UrlBasedCorsConfigurationSource();\n    \
             u.registerCorsConfiguration(\"/**\", c);\n    return u;\n  }}\n  @GetMapping(\"/\")\n  public String read() {{ return \"\"; }}\n}}\n",
            doubling("    s = s + s;")
        ),
    );
    let run = bounded(folder.path(), &["."]);
    assert_eq!(run.code, 1);
    assert!(run.stdout.contains("good.conf"));
}
