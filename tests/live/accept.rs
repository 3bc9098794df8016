//! Accept and reject: corslint refuses a file if and only if `nginx -t` does.
//!
//! Hand-written seeds that nginx accepts are changed in small ways by a generator with a fixed
//! seed. Cases that nginx refuses for what lies outside the file, or for a directive that
//! corslint accepts unread, are skipped and counted. `ACCEPT_CASES` sets the number of cases of
//! each seed, `ACCEPT_SEED` another seed.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use corslint::source::Sources;
use corslint::syntax::nginx::check::{Scope, check};
use corslint::syntax::nginx::parse;
use corslint::syntax::nginx::table::{self, Context};

use crate::nginx::{Folder, modules_for, program};

/// What nginx says of things outside the file, of its platform, and of sizes whose bounds depend
/// on both.
const ASIDE: [&str; 34] = [
    "specified too late",
    "missing the capture error log patch",
    "no \"ssl_certificate_key\"",
    "no ssl configured",
    "ENGINE_by_id(",
    "are not enough for",
    "SSL_CTX_",
    "SSL_CONF_cmd",
    "X509_LOOKUP",
    "read() ",
    "unsupported on this platform",
    "_buffers\" minus one buffer",
    "_buffer_size\" and one of the \"",
    "the pool size must",
    "\"connection_pool_size\"",
    "is too small",
    "the same path name",
    "utimes",
    "chmod() ",
    "getrlimit",
    "host not found",
    "no \"events\" section",
    "no resolver defined",
    "open() ",
    "mkdir() ",
    "bind() to",
    "cannot load",
    "getpwnam(",
    "getgrnam(",
    "dlopen() ",
    "could not build ",
    "no \"ssl_certificate\"",
    "is not binary compatible",
    "conf file",
];

/// Refusals of what newer versions or NGINX Plus allow.
const NEWER: [&str; 4] = [
    "invalid number of arguments in \"keepalive\" directive",
    "no servers are inside upstream",
    "\"resolver\" directive is not allowed here",
    "\"resolver_timeout\" directive is not allowed here",
];

/// What a program says of a file: nothing, or why it refuses.
type Verdict = Result<(), String>;

/// The small and well-known SplitMix64.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % end.max(1) as u64).unwrap()
    }

    fn pick<'t, T: ?Sized>(&mut self, from: &[&'t T]) -> &'t T {
        from[self.below(from.len())]
    }
}

/// Asks nginx about a configuration.
fn nginx(folder: &Folder, text: &str) -> Verdict {
    // On the first line, so that the lines of messages stay the same.
    let modules = modules_for("_by_lua more_").replace('\n', "");
    folder.write("nginx.conf", &format!("{modules} pid nginx.pid; {text}"));
    let output = Command::new(program())
        .args(["-t", "-q", "-c", "nginx.conf", "-p"])
        .arg(folder.path())
        .output()
        .unwrap();
    let words = String::from_utf8_lossy(&output.stderr);
    if output.status.success() {
        return Ok(());
    }
    // What is no warning, without time, process, file and line; it may have several lines.
    let start = ["[emerg] ", "[error] "]
        .iter()
        .find_map(|level| words.find(level));
    let refusal = start.map_or(words.as_ref(), |start| &words[start + "[emerg] ".len()..]);
    let process = |c: char| c.is_ascii_digit() || c == '#';
    let refusal = refusal
        .trim_start_matches(process)
        .strip_prefix(": ")
        .unwrap_or(refusal);
    let end = refusal.find(" in /").or(refusal.find("\nnginx: "));
    let refusal = refusal[..end.unwrap_or(refusal.len())].trim_end_matches('\n');
    Err(refusal.to_owned())
}

/// Asks corslint; the errors in order, or `None` for a template.
fn corslint(text: &str) -> Option<Vec<String>> {
    let parsed = parse(&Sources::new().add("nginx.conf".into(), text.to_owned()));
    let scope = Scope {
        context: Context::Main,
        complete: true,
    };
    let checked = check(&parsed.directives, scope);
    let errors = parsed.errors.into_iter().chain(checked);
    (!parsed.template).then(|| errors.map(|error| error.message).collect())
}

/// Is it a refusal that corslint has no opinion on?
fn is_aside(refusal: &str, text: &str) -> bool {
    let unknown = refusal.strip_prefix("unknown directive \"");
    let name = unknown.and_then(|rest| rest.strip_suffix('"'));
    let is_unread =
        name.is_some_and(|name| table::variants(name).is_empty() && !text.starts_with('\u{feff}'));
    is_unread || NEWER.contains(&refusal) || ASIDE.iter().any(|aside| refusal.contains(aside))
}

/// Words, punctuation and the blanks between them.
fn tokens(text: &str) -> Vec<&str> {
    let kind = |c: char| match c {
        c if c.is_whitespace() => 0,
        ';' | '{' | '}' | '"' | '\'' | '(' | ')' => 1,
        _ => 2,
    };
    let mut found = Vec::new();
    let mut start = 0;
    let mut last = None;
    for (at, c) in text.char_indices() {
        let kind = kind(c);
        if last.is_some_and(|last| last != kind || kind == 1) {
            found.push(&text[start..at]);
            start = at;
        }
        last = Some(kind);
    }
    found.push(&text[start..]);
    found
}

/// One small change.
fn mutate(text: &str, random: &mut Random) -> String {
    const SIGNS: [&str; 19] = [
        "{", "}", ";", ";;", "\"", "'", "\\", "$", "#", " ", "\n", "(", ")", "~", "*", "=", "!",
        "${", "\u{feff}",
    ];
    const WORDS: [&str; 32] = [
        "always",
        "on",
        "off",
        "default",
        "$host",
        "$http_origin",
        "$nope",
        "0",
        "1",
        "-1",
        "200",
        "404",
        "499",
        "1000",
        "10k",
        "10x",
        "30s",
        "last",
        "if",
        "location",
        "server",
        "set",
        "return",
        "add_header",
        "proxy_pass",
        "/",
        "@x",
        "~",
        "^~",
        "=",
        "(a",
        "http://127.0.0.1/x",
    ];
    let mut lines: Vec<&str> = text.split_inclusive('\n').collect();
    let mut words = tokens(text);
    let at = random.below(words.len());
    let line = random.below(lines.len());
    match random.below(12) {
        0 => {
            words.remove(at);
        }
        1 => words.insert(at, words[at]),
        2 => {
            let other = random.below(words.len());
            words.swap(at, other);
        }
        3 => words.insert(at, random.pick(&SIGNS)),
        4 => words[at] = random.pick(&WORDS),
        5 => {
            let word = random.pick(&WORDS);
            return [&words[..at], &[" ", word, " "], &words[at..]]
                .concat()
                .concat();
        }
        6 => {
            lines.remove(line);
            return lines.concat();
        }
        7 => {
            lines.insert(line, lines[line]);
            return lines.concat();
        }
        8 => {
            let moved = lines.remove(line);
            lines.insert(random.below(lines.len()), moved);
            return lines.concat();
        }
        9 => {
            // A character goes.
            let places: Vec<_> = text.char_indices().collect();
            let (place, c) = places[random.below(places.len())];
            return text[..place].to_owned() + &text[place + c.len_utf8()..];
        }
        10 => {
            let word = words[at].to_ascii_uppercase();
            let word = if word == words[at] {
                word.to_ascii_lowercase()
            } else {
                word
            };
            return words[..at].concat() + &word + &words[at + 1..].concat();
        }
        _ => {
            // Two words of the file trade places with what stands before and behind.
            let other = words[random.below(words.len())];
            words[at] = other;
        }
    }
    words.concat()
}

fn number(name: &str, default: u64) -> u64 {
    let value = std::env::var(name).ok();
    value
        .and_then(|value| value.parse().ok())
        .unwrap_or(default)
}

fn seeds() -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/live/seeds");
    let mut seeds: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap())
        .map(|entry| {
            let name = entry.file_name().to_string_lossy().into_owned();
            (name, std::fs::read_to_string(entry.path()).unwrap())
        })
        .collect();
    seeds.sort();
    seeds
}

/// Compares both verdicts about one text.
#[derive(Default)]
struct Tally {
    accepted: usize,
    refused: usize,
    same_words: usize,
    skipped: usize,
    other_words: BTreeMap<String, usize>,
    wrong: Vec<String>,
}

impl Tally {
    fn compare(&mut self, folder: &Folder, (name, seed): &(String, String), text: &str) {
        let Some(found) = corslint(text) else {
            self.skipped += 1;
            return;
        };
        match nginx(folder, text) {
            Err(refusal) if is_aside(&refusal, text) => self.skipped += 1,
            Ok(()) if found.is_empty() => self.accepted += 1,
            Err(refusal) if !found.is_empty() => {
                self.refused += 1;
                if found.contains(&refusal) {
                    self.same_words += 1;
                } else {
                    let both = format!("{refusal} <> {}", found[0]);
                    *self.other_words.entry(both).or_default() += 1;
                }
            }
            verdict => {
                let is_new = |line: &&str| !seed.lines().any(|old| old == *line);
                let new: Vec<_> = text.lines().filter(is_new).collect();
                let new = new.join("\n");
                self.wrong.push(format!(
                    "{name}: nginx {verdict:?}, corslint {found:?}, changed lines:\n{new}"
                ));
            }
        }
    }

    fn finish(&self) {
        println!(
            "{} accepted, {} refused ({} in the same words), {} skipped",
            self.accepted, self.refused, self.same_words, self.skipped
        );
        if std::env::var_os("ACCEPT_WORDS").is_some() {
            println!("{:#?}", self.other_words);
        }
        assert!(
            self.wrong.is_empty(),
            "{} disagreements, the first of them:\n{}",
            self.wrong.len(),
            self.wrong[..self.wrong.len().min(20)].join("\n\n")
        );
    }
}

/// The seeds themselves are valid.
#[test]
fn seeds_are_accepted() {
    let folder = Folder::new();
    for (name, text) in seeds() {
        assert_eq!(nginx(&folder, &text), Ok(()), "{name}");
        assert_eq!(corslint(&text), Some(vec![]), "{name}");
    }
}

/// Changed seeds get the same verdict from both.
#[test]
fn changed_seeds_agree_with_nginx() {
    let cases = number("ACCEPT_CASES", 100);
    let mut random = Random(number("ACCEPT_SEED", 1));
    let folder = Folder::new();
    let mut tally = Tally::default();
    for seed in seeds() {
        for _ in 0..cases {
            let mut text = mutate(&seed.1, &mut random);
            if random.below(3) == 0 {
                text = mutate(&text, &mut random);
            }
            tally.compare(&folder, &seed, &text);
        }
    }
    tally.finish();
    assert!(tally.accepted + tally.refused >= 500 || cases < 100);
}

/// A configuration with a statement in a context.
fn within(context: Context, statement: &str) -> String {
    let server = |inner: &str| format!("http {{ server {{ listen 127.0.0.1:1; {inner} }} }}");
    let location = |inner: &str| server(&format!("location / {{ {inner} }}"));
    let text = match context {
        Context::Main => statement.to_owned(),
        Context::Events => return format!("events {{ {statement} }}"),
        Context::Http => format!("http {{ {statement} }}"),
        Context::Server => server(statement),
        Context::ServerIf => server(&format!("if ($host) {{ {statement} }}")),
        Context::Location => location(statement),
        Context::LocationIf => location(&format!("if ($host) {{ {statement} }}")),
        Context::LimitExcept => location(&format!("limit_except GET {{ {statement} }}")),
        Context::Upstream => {
            format!("http {{ upstream u {{ server 127.0.0.1; {statement} }} }}")
        }
        _ => unreachable!("no such module here"),
    };
    if statement.starts_with("events") {
        text
    } else {
        format!("events {{}} {text}")
    }
}

/// The directives that this nginx knows: contexts, argument counts, blocks.
#[test]
fn the_table_agrees_with_nginx() {
    let folder = Folder::new();
    let mut names: Vec<_> = table::names().collect();
    names.sort_unstable();
    let mut wrong = Vec::new();
    let mut known = 0;
    for name in names {
        if is_unknown(&folder, name) {
            continue;
        }
        known += 1;
        for context in &Context::ALL[..9] {
            let refusal = nginx(&folder, &within(*context, &format!("{name};")));
            let refusal = refusal.err().unwrap_or_default();
            let is_allowed = !refusal.ends_with("directive is not allowed here");
            let Some(variant) = table::variant(name, *context) else {
                if is_allowed {
                    wrong.push(format!("{name} is allowed in {context:?}"));
                }
                continue;
            };
            if !is_allowed && NEWER.contains(&refusal.as_str()) {
                continue;
            }
            if !is_allowed {
                wrong.push(format!("{name} is not allowed in {context:?}"));
                continue;
            }
            if refusal.ends_with("has no opening \"{\"") != variant.syntax.is_block() {
                wrong.push(format!("{name} in {context:?}: {refusal}"));
            }
            let counts = format!("invalid number of arguments in \"{name}\" directive");
            for count in [0, 1, 2, 3, 4, 5, 8] {
                let end = if variant.syntax.is_block() { "{}" } else { ";" };
                let statement = format!("{name} {} {end}", "1 ".repeat(count));
                let refusal = nginx(&folder, &within(*context, &statement));
                let is_newer = refusal.as_ref().is_err_and(|r| NEWER.contains(&r.as_str()));
                let is_count = refusal != Err(counts.clone());
                if !is_newer && is_count != variant.arity.allows(count) {
                    wrong.push(format!("{name} in {context:?} with {count}: {refusal:?}"));
                }
            }
        }
    }
    println!("{known} directives compared");
    assert!(known > 400);
    assert_eq!(wrong, Vec::<String>::new());
}

/// Does this nginx lack a directive?
fn is_unknown(folder: &Folder, name: &str) -> bool {
    let refusal = nginx(folder, &format!("events {{}} {name};"));
    refusal.is_err_and(|refusal| refusal.starts_with("unknown directive"))
}

/// One value or two for every directive: what is a number, a size, a flag, a text.
#[test]
fn values_agree_with_nginx() {
    const VALUES: [&str; 19] = [
        "on",
        "OFF",
        "1",
        "0",
        "70000",
        "4k",
        "1g",
        "10s",
        "5ms",
        "1y",
        "''",
        "x",
        "$host",
        "$",
        "user:rw",
        "127.0.0.1",
        "1 1k",
        "on on",
        "$nope x",
    ];
    // What newer versions ignore or extend, what the frame already has, and one without a message.
    const LEFT_OUT: [&str; 9] = [
        "http2_max_concurrent_pushes",
        "http2_push",
        "http2_push_preload",
        "proxy_limit_rate",
        "fastcgi_limit_rate",
        "uwsgi_limit_rate",
        "scgi_limit_rate",
        "modern_browser",
        "pid",
    ];
    let folder = Folder::new();
    let mut names: Vec<_> = table::names().collect();
    names.sort_unstable();
    names.retain(|name| !LEFT_OUT.contains(name));
    let mut tally = Tally::default();
    for name in names {
        let variant_of = |context: &&Context| table::variant(name, **context).is_some();
        let Some(context) = Context::ALL[..9].iter().rfind(variant_of) else {
            continue;
        };
        if is_unknown(&folder, name) {
            continue;
        }
        for value in VALUES {
            let statement = match table::variant(name, *context) {
                Some(variant) if variant.syntax.is_block() => continue,
                _ => format!("{name} {value};"),
            };
            let text = within(*context, &statement);
            let twice = within(*context, &format!("{statement} {statement}"));
            let seed = (name.to_owned(), String::new());
            let before = tally.accepted;
            tally.compare(&folder, &seed, &text);
            if tally.accepted > before {
                tally.compare(&folder, &seed, &twice);
            }
        }
    }
    tally.finish();
}
