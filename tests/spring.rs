//! The recorded answers of complete Spring Boot applications (`fixtures/spring/recorded`).

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "in a test a panic is the report"
)]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use corslint::frameworks::{Project, spring};
use corslint::model::{
    Application, Environment, Known, Outcome, Request, Response, Site, Url, World,
};
use corslint::source::Sources;
use serde::Deserialize;

use crate::support::TempDir;

/// `exchanges.json` of a case.
#[derive(Debug, Deserialize)]
struct Recording {
    #[serde(default)]
    libraries: Vec<String>,
    #[serde(default = "base")]
    base: String,
    exchanges: Vec<Recorded>,
    #[serde(default)]
    also: Vec<Also>,
}

fn base() -> String {
    "http://api.example.com".into()
}

/// Another release line, and what it answered differently.
#[derive(Debug, Deserialize)]
struct Also {
    version: String,
    differs: BTreeMap<String, Answer>,
}

#[derive(Debug, Deserialize)]
struct Recorded {
    request: Asked,
    response: Answer,
}

#[derive(Debug, Deserialize)]
struct Asked {
    method: String,
    path: String,
    origin: Option<String>,
    request_method: Option<String>,
    request_headers: Vec<String>,
    cookie: bool,
    #[serde(default)]
    private_network: bool,
}

#[derive(Clone, Debug, Deserialize)]
struct Answer {
    status: Option<u16>,
    #[serde(default)]
    headers: Vec<(String, String)>,
    error: Option<String>,
}

/// The release lines, with what a build file would say.
const LINES: [(&str, &str); 3] = [
    ("Spring Framework 7.0.9", "4.1.1"),
    ("Spring Framework 6.2", "3.5.16"),
    ("Spring Framework 7.1", "4.2.0-M1"),
];

/// One recorded application.
#[derive(Debug)]
struct Case {
    name: String,
    folder: PathBuf,
    security: bool,
    recording: Recording,
}

/// All of them, by name.
fn cases() -> Vec<Case> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/spring/recorded");
    let mut cases = Vec::new();
    for group in ["framework", "security"] {
        let mut folders: Vec<PathBuf> = std::fs::read_dir(root.join(group))
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .collect();
        folders.sort();
        for folder in folders {
            let text = std::fs::read_to_string(folder.join("exchanges.json")).unwrap();
            let name = folder.file_name().unwrap().to_string_lossy().into_owned();
            cases.push(Case {
                recording: serde_json::from_str(&text)
                    .unwrap_or_else(|why| panic!("{name}: {why}")),
                name: format!("{group}/{name}"),
                folder,
                security: group == "security",
            });
        }
    }
    cases
}

/// How many exchanges were compared, and how many of their facts corslint calls unknown.
#[derive(Clone, Copy, Debug, Default)]
struct Tally {
    exchanges: usize,
    unknown: usize,
}

impl Case {
    /// Compares every exchange on every release line; the disagreements.
    fn replay(&self, tally: &mut Tally) -> Vec<String> {
        let mut failures = Vec::new();
        for (line, boot) in LINES {
            let also = self
                .recording
                .also
                .iter()
                .find(|also| also.version.starts_with(line));
            // Cases with further libraries were recorded on one line less.
            if !self.recording.libraries.is_empty() && boot.starts_with('3') {
                continue;
            }
            let sites = self.read(boot);
            for (at, recorded) in self.recording.exchanges.iter().enumerate() {
                let differs = also.and_then(|also| also.differs.get(&at.to_string()));
                let expected = differs.unwrap_or(&recorded.response);
                tally.exchanges += 1;
                match self.compare(&sites, recorded, expected) {
                    Ok(unknown) => tally.unknown += unknown,
                    Err(got) => {
                        let asked = &recorded.request;
                        failures.push(format!(
                            "{line} {at}: {} {} {:?} {:?}\n  expected {expected:?}\n  got      {got}",
                            asked.method, asked.path, asked.origin, asked.request_method
                        ));
                    }
                }
            }
        }
        failures
    }

    fn read(&self, boot: &str) -> Vec<Box<dyn Site>> {
        let mut starters = vec!["web"];
        if self.security {
            starters.push("security");
        }
        starters.extend(self.recording.libraries.iter().map(String::as_str));
        read(&self.folder, boot, &starters)
    }

    fn compare(
        &self,
        sites: &[Box<dyn Site>],
        recorded: &Recorded,
        expected: &Answer,
    ) -> Result<usize, String> {
        let request = request(&self.recording.base, &recorded.request);
        agrees(&answer(sites, &request)?, expected, true)
    }
}

/// What the first application answers in the world in which no deployment condition holds.
fn answer(sites: &[Box<dyn Site>], request: &Request) -> Result<Response, String> {
    let site = sites.first().ok_or("no site")?;
    let world = World {
        holds: vec![false; site.conditions().len()],
    };
    let mut responses = match site.route(request) {
        Some(endpoint) => site.respond(endpoint, request, &world),
        None => site.unrouted(request, &world),
    };
    match (responses.pop(), responses.len()) {
        (Some(response), 0) => Ok(response),
        (_, more) => Err(format!("{} responses", more + 1)),
    }
}

/// Files that stand beside a case and are no part of it.
const BESIDE: [&str; 3] = ["exchanges.json", "answers.txt", "expected.txt"];

/// Reads a case as a project that a build file of this release of Boot builds.
fn read(case: &Path, boot: &str, starters: &[&str]) -> Vec<Box<dyn Site>> {
    let folder = TempDir::new();
    folder.write("pom.xml", pom(boot, starters));
    read_folder(case, folder.path())
}

/// Reads the files of a case, as if they stood below `root`.
fn read_folder(case: &Path, root: &Path) -> Vec<Box<dyn Site>> {
    let sources = Sources::new();
    let mut names: Vec<PathBuf> = std::fs::read_dir(case)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| !BESIDE.iter().any(|beside| path.ends_with(beside)))
        .collect();
    names.sort();
    let mut files = Vec::new();
    for path in names {
        let text = std::fs::read_to_string(&path).unwrap();
        let file = sources.add(root.join(path.file_name().unwrap()), text);
        if spring::detect(file.path(), file.text()) {
            files.push(Arc::clone(&file));
        }
    }
    let project = Project {
        root,
        files: &files,
        sources: &sources,
        environment: &Environment::default(),
    };
    spring::read(project).sites
}

fn pom(boot: &str, starters: &[&str]) -> String {
    let mut text = format!(
        "<project><parent><groupId>org.springframework.boot</groupId>\
             <artifactId>spring-boot-starter-parent</artifactId><version>{boot}</version></parent><dependencies>"
    );
    for starter in starters {
        let _ = write!(
            text,
            "<dependency><groupId>org.springframework.boot</groupId>\
                 <artifactId>spring-boot-starter-{starter}</artifactId></dependency>"
        );
    }
    text + "</dependencies></project>"
}

/// What the controllers of the recorded applications do with a request.
fn application(asked: &Asked) -> Application {
    match (asked.method.as_str(), asked.path.as_str()) {
        (_, path) if path.ends_with("/boom") => Application::Throws,
        ("POST", "/api/items") => Application::Answers(201),
        ("PUT", "/api/items") => Application::Answers(204),
        _ => Application::Answers(200),
    }
}

fn request(base: &str, asked: &Asked) -> Request {
    let (scheme, host) = base.split_once("://").unwrap();
    let url = Url {
        scheme: scheme.into(),
        host: host.into(),
        port: None,
        path: asked.path.clone(),
        query: None,
    };
    let mut headers = Vec::new();
    if asked.private_network {
        headers.push((
            "access-control-request-private-network".to_owned(),
            "true".to_owned(),
        ));
    }
    Request {
        method: asked.method.clone(),
        requested_method: asked.request_method.clone(),
        requested_headers: asked.request_headers.clone(),
        headers,
        cookies: asked.cookie,
        application: application(asked),
        exact: true,
        ..Request::actual(url, asked.origin.as_deref())
    }
}

/// Compares header by header; how many facts are unknown.
fn agrees(response: &Response, expected: &Answer, vary: bool) -> Result<usize, String> {
    let mut unknown = 0;
    match (&response.outcome, expected.status, &expected.error) {
        (Outcome::Throws(words), None, Some(error)) if words == error || !vary => return Ok(0),
        (Outcome::Status(Known::Known(status)), Some(known), _) if *status == known => {}
        (Outcome::Status(Known::Unknown), Some(_), _) => unknown += 1,
        _ => return Err(shown(response)),
    }
    let is_vary = |name: &str| name.eq_ignore_ascii_case("vary");
    let matters = |name: &str| {
        let name = name.to_ascii_lowercase();
        name.starts_with("access-control-") || name == "location"
    };
    let mut wanted: Vec<(String, String)> = expected
        .headers
        .iter()
        .filter(|(name, _)| matters(name))
        .cloned()
        .collect();
    let mut got = Vec::new();
    for line in response.headers.iter().filter(|line| matters(&line.name)) {
        let name = line.name.to_ascii_lowercase();
        match &line.value {
            Known::Known(value) => got.push((name, value.clone())),
            Known::Unknown => {
                unknown += 1;
                wanted.retain(|(known, _)| *known != name);
            }
        }
    }
    if response.unseen.is_empty() {
        wanted.sort();
        got.sort();
        if wanted != got {
            return Err(shown(response));
        }
    } else {
        unknown += 1;
    }
    let members = |headers: Vec<&str>| {
        let mut members: Vec<String> = headers
            .iter()
            .flat_map(|value| value.split(','))
            .map(|member| member.trim().to_ascii_lowercase())
            .filter(|member| member == "origin" || member.starts_with("access-control-request"))
            .collect();
        members.sort();
        members.dedup();
        members
    };
    let wanted = expected.headers.iter().filter(|(name, _)| is_vary(name));
    let wanted = members(wanted.map(|(_, value)| value.as_str()).collect());
    let got = response.headers.iter().filter(|line| is_vary(&line.name));
    let got = got.filter_map(|line| match &line.value {
        Known::Known(value) => Some(value.as_str()),
        Known::Unknown => None,
    });
    if vary && wanted != members(got.collect()) && response.unseen.is_empty() {
        return Err(shown(response));
    }
    Ok(unknown)
}

fn shown(response: &Response) -> String {
    let mut text = format!("{:?}", response.outcome);
    for line in &response.headers {
        let _ = write!(text, " [{}: {:?}]", line.name, line.value);
    }
    let _ = write!(
        text,
        " by {:?} unseen {:?}",
        response.answered_by.kind, response.unseen
    );
    text
}

#[test]
fn recorded_answers_of_spring_agree() {
    let mut failures = String::new();
    let mut tally = Tally::default();
    let cases = cases();
    for case in &cases {
        for failure in case.replay(&mut tally) {
            let _ = writeln!(failures, "{}: {failure}", case.name);
        }
    }
    assert_eq!(cases.len(), 87);
    assert!(failures.is_empty(), "{failures}");
    // 974 exchanges on the main line; those with further libraries on two lines, the rest on three.
    assert!(tally.exchanges > 2800, "{tally:?}");
    assert_eq!(tally.unknown, 0, "{tally:?}");
}

/// One line of `answers.txt`: `METHOD path origin [>METHOD] [headers] -> status | name: value; …`.
/// An origin `-` is none; `vary: none` is no such header, and where nothing is said of it, it is not
/// compared; an answer `?` is not in view; the status `throws` means that the application does not start.
fn parse(line: &str) -> (Asked, Answer) {
    let (asked, answer) = line.split_once(" -> ").unwrap();
    let words: Vec<&str> = asked.split_whitespace().collect();
    let requested = words.get(3).and_then(|word| word.strip_prefix('>'));
    let asked = Asked {
        method: words[0].into(),
        path: words[1].into(),
        origin: (words[2] != "-").then(|| words[2].into()),
        request_method: requested.map(str::to_owned),
        request_headers: words
            .get(4)
            .map(|list| list.split(',').map(str::to_owned).collect())
            .unwrap_or_default(),
        cookie: false,
        private_network: false,
    };
    let (status, headers) = answer.split_once(" | ").unwrap_or((answer, ""));
    let headers = headers
        .split("; ")
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_owned(), value.to_owned()));
    let answer = Answer {
        status: status.trim().parse().ok(),
        headers: headers.collect(),
        error: (status.trim() == "throws").then(String::new),
    };
    (asked, answer)
}

/// Nothing is claimed to be known of the CORS headers, sent or not.
fn hidden(response: &Response) -> Result<(), String> {
    let is_cors = |name: &str| name.to_ascii_lowercase().starts_with("access-control-");
    let told = response.headers.iter().any(|line| is_cors(&line.name));
    if response.unseen.iter().any(|name| name == "*") && !told {
        Ok(())
    } else {
        Err(shown(response))
    }
}

/// Cases of our own: the answers follow from the source or documentation that `answers.txt` names.
#[test]
fn reasoned_answers_of_spring_agree() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/spring");
    let mut folders: Vec<PathBuf> = std::fs::read_dir(root)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.join("answers.txt").is_file())
        .collect();
    folders.sort();
    let mut failures = String::new();
    for folder in &folders {
        let name = folder.file_name().unwrap().to_string_lossy();
        let text = std::fs::read_to_string(folder.join("answers.txt")).unwrap();
        let source = text
            .lines()
            .next()
            .and_then(|line| line.strip_prefix("# source: "));
        assert!(
            source.is_some_and(|source| !source.is_empty()),
            "{name} names no source"
        );
        let sites = read_folder(folder, folder);
        for line in text.lines().filter(|line| line.contains(" -> ")) {
            let (asked, expected) = parse(line);
            let mut request = request(&base(), &asked);
            request.application = Application::Answers(200);
            if line.ends_with(" -> ?") {
                if let Err(got) = answer(&sites, &request).and_then(|response| hidden(&response)) {
                    let _ = writeln!(failures, "{name}: {line}\n    got {got}");
                }
                continue;
            }
            let result = answer(&sites, &request).and_then(|response| {
                let unknown = agrees(&response, &expected, line.contains("vary: "))?;
                if unknown == 0 {
                    Ok(())
                } else {
                    Err(format!("unknown: {}", shown(&response)))
                }
            });
            if let Err(got) = result {
                let _ = writeln!(failures, "{name}: {line}\n    got {got}");
            }
        }
    }
    assert!(folders.len() >= 80, "{} cases", folders.len());
    assert!(failures.is_empty(), "{failures}");
}

/// URLs lead to endpoints by Spring's own patterns: the most special one of those that match
/// (`PathPattern#compareTo`), variables with their expressions, and the methods of the mappings.
#[test]
fn urls_are_routed_by_springs_patterns() {
    let controller = "@RestController\n@RequestMapping(\"/api\")\nclass ItemController {\n\
        @CrossOrigin(\"https://a.example.com\") @GetMapping(\"/items/{id}\") String one() { return \"\"; }\n\
        @CrossOrigin(\"https://b.example.com\") @GetMapping(\"/items/new\") String make() { return \"\"; }\n\
        @CrossOrigin(\"https://c.example.com\") @PutMapping(\"/items/{id}\") void put() { }\n\
        @CrossOrigin(\"https://d.example.com\") @GetMapping(\"/numbers/{n:\\\\d+}\") String number() { return \"\"; }\n\
        @CrossOrigin(\"https://e.example.com\") @GetMapping(\"/files/**\") String file() { return \"\"; }\n}\n";
    let folder = TempDir::new();
    folder.write("ItemController.java", controller);
    folder.write("pom.xml", pom("4.1.1", &["web"]));
    let sites = read_all(folder.path());
    let site = sites.first().unwrap();
    let routed = |method: &str, path: &str| {
        let url = Url {
            path: path.into(),
            ..Url {
                scheme: "https".into(),
                host: "h".into(),
                port: None,
                path: String::new(),
                query: None,
            }
        };
        let request = Request {
            method: method.into(),
            exact: true,
            ..Request::actual(url, None)
        };
        let endpoint = site.route(&request);
        let name = endpoint.map(|endpoint| site.endpoints()[endpoint].name.clone());
        name.unwrap_or_else(|| {
            let responses = site.unrouted(&request, &World::default());
            format!("{:?}", responses[0].outcome)
        })
    };
    for (method, path, expected) in [
        ("GET", "/api/items/7", "GET /api/items/{id}"),
        ("GET", "/api/items/new", "GET /api/items/new"),
        ("PUT", "/api/items/7", "PUT /api/items/{id}"),
        ("GET", "/api/numbers/12", "GET /api/numbers/{n:\\d+}"),
        ("GET", "/api/files", "GET /api/files/**"),
        ("GET", "/api/files/a/b.txt", "GET /api/files/**"),
        // Nobody maps the path: `ResourceHttpRequestHandler` finds no file.
        ("GET", "/api/numbers/x", "Status(Known(404))"),
        ("GET", "/nowhere", "Status(Known(404))"),
    ] {
        assert_eq!(routed(method, path), expected, "{method} {path}");
    }
}

/// Before 5.3, and where the property says so, paths are matched by `AntPathMatcher`.
#[test]
fn older_releases_match_paths_as_ant_does() {
    let controller = "@RestController\nclass ItemController {\n\
        @CrossOrigin(\"https://a.example.com\") @GetMapping(\"/a/**/b\") String one() { return \"\"; }\n}\n";
    let folder = TempDir::new();
    folder.write("ItemController.java", controller);
    let answers = |boot: &str, path: &str| {
        folder.write("pom.xml", pom(boot, &["web"]));
        let asked = Asked {
            method: "GET".into(),
            path: path.into(),
            origin: Some("https://a.example.com".into()),
            request_method: None,
            request_headers: Vec::new(),
            cookie: false,
            private_network: false,
        };
        let sites = read_all(folder.path());
        let response = answer(&sites, &request(&base(), &asked)).unwrap();
        response
            .headers
            .iter()
            .any(|line| line.name == "Access-Control-Allow-Origin")
    };
    assert!(answers("2.3.12.RELEASE", "/a/x/y/b"));
    assert!(answers("2.3.12.RELEASE", "/a/b"));
    assert!(!answers("2.3.12.RELEASE", "/a/b/c"));
    assert!(!answers("4.1.1", "/a/x/y/b"));
}

/// Reads the files of a folder.
fn read_all(root: &Path) -> Vec<Box<dyn Site>> {
    read_folder(root, root)
}

/// Of what a browser looks at in an answer, how much is unknown over all cases.
#[test]
fn little_of_the_answers_is_unknown() {
    const NAMES: [&str; 6] = [
        "origin",
        "credentials",
        "methods",
        "headers",
        "expose-headers",
        "max-age",
    ];
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/spring");
    let (mut all, mut unknown) = (0, 0);
    for entry in std::fs::read_dir(root).unwrap() {
        let folder = entry.unwrap().path();
        // Cases of several folders are read by the program only.
        let flat = || {
            std::fs::read_dir(&folder)
                .unwrap()
                .all(|entry| entry.unwrap().path().is_file())
        };
        if !folder.is_dir() || !flat() {
            continue;
        }
        for site in read_all(&folder) {
            for (at, endpoint) in site.endpoints().iter().enumerate() {
                let url = endpoint.url.clone();
                for origin in ["https://app.example.com", "https://evil.example"] {
                    for request in [
                        Request::actual(url.clone(), Some(origin)),
                        Request::preflight(url.clone(), origin, "PUT", &["content-type"]),
                    ] {
                        let world = World {
                            holds: vec![false; site.conditions().len()],
                        };
                        let response = site.respond(at, &request, &world).remove(0);
                        all += 1 + NAMES.len();
                        unknown += usize::from(matches!(
                            response.outcome,
                            Outcome::Status(Known::Unknown)
                        ));
                        let is_unknown = |name: &&&str| {
                            let mut lines = response.headers.iter().filter(|line| {
                                line.name.to_lowercase().ends_with(&format!("-{name}"))
                            });
                            response
                                .unseen
                                .iter()
                                .any(|unseen| unseen == "*" || unseen.ends_with(**name))
                                || lines.any(|line| line.value == Known::Unknown)
                        };
                        unknown += NAMES.iter().filter(is_unknown).count();
                    }
                }
            }
        }
    }
    assert!(all > 5000, "{all} facts");
    assert!(unknown * 10 < all, "{unknown} of {all} facts are unknown");
}
