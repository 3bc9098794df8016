//! The formats for programs: what standards and services ask of them. The same inputs as those of
//! the terminal go through each.

use std::path::Path;
use std::sync::LazyLock;

use corslint::report::{
    Paths, Report, write_checkstyle, write_concise, write_github, write_gitlab, write_json,
    write_junit, write_sarif,
};
use serde_json::Value;

use crate::support::{Run, TempDir, assert_snapshot, corslint, run};

/// A schema of `tests/schemas`.
struct Schema(&'static str, jsonschema::Validator);

impl Schema {
    fn new(name: &'static str, text: &str) -> Self {
        let schema: Value = serde_json::from_str(text).expect("JSON");
        Self(name, jsonschema::validator_for(&schema).expect("a schema"))
    }

    #[track_caller]
    fn check(&self, text: &str) -> Value {
        let value: Value = serde_json::from_str(text).expect("JSON");
        let errors: Vec<String> = self
            .1
            .iter_errors(&value)
            .map(|error| format!("{}: {error}", error.instance_path()))
            .collect();
        assert!(errors.is_empty(), "{}: {errors:#?}\n{text}", self.0);
        value
    }
}

// One pattern of the published schema, for a language tag that we do not write, has a bracket too
// many for a validator that holds to ECMA-262 with Unicode.
static SARIF: LazyLock<Schema> = LazyLock::new(|| {
    let text = include_str!("schemas/sarif-2.1.0.json");
    Schema::new("SARIF", &text.replace("[a-zA-Z]{2}]?$", "[a-zA-Z]{2}$"))
});
static GITLAB: LazyLock<Schema> =
    LazyLock::new(|| Schema::new("GitLab", include_str!("schemas/gitlab-code-quality.json")));
static OWN: LazyLock<Schema> =
    LazyLock::new(|| Schema::new("JSON", include_str!("schemas/report-1.json")));

type Write = fn(&Report, &Paths, &mut dyn std::io::Write) -> std::io::Result<()>;

/// The report as `corslint` in `/site` would write it.
fn text(write: Write, report: &Report) -> String {
    let mut out = Vec::new();
    let paths = Paths::from(Path::new("/site"));
    write(report, &paths, &mut out).expect("a vector takes everything");
    String::from_utf8(out).expect("UTF-8")
}

const ALL: [(&str, Write); 6] = [
    ("sarif", |report, paths, out| {
        write_sarif(report, paths, true, out)
    }),
    ("github", write_github),
    ("gitlab.json", write_gitlab),
    ("junit.xml", write_junit),
    ("checkstyle.xml", write_checkstyle),
    ("concise", write_concise),
];

/// Compares every format with its file, and asks the schemas.
#[track_caller]
pub(crate) fn assert_formats(name: &str, report: &Report) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/snapshots");
    for (ending, write) in ALL {
        let text = text(write, report);
        assert_snapshot(&folder.join(format!("{name}.{ending}")), &text);
    }
    assert_valid(report);
}

/// Asks everything that can judge a format but for our own texts.
#[track_caller]
pub(crate) fn assert_valid(report: &Report) {
    OWN.check(&text(write_json, report));
    SARIF.check(&text(ALL[0].1, report));
    GITLAB.check(&text(write_gitlab, report));
    for write in [write_junit as Write, write_checkstyle] {
        let text = text(write, report);
        let error = roxmltree::Document::parse(&text).err();
        assert!(error.is_none(), "{error:?}\n{text}");
    }
    let lines = text(write_github, report);
    assert!(lines.lines().all(|line| line.starts_with("::")), "{lines}");
    assert_eq!(lines.lines().count(), report.findings.len());
    let lines = text(write_concise, report);
    assert_eq!(lines.lines().count(), report.findings.len(), "{lines}");
    assert!(!lines.contains('\u{1b}'));
}

#[test]
fn a_report_of_nothing_is_valid() {
    let report = Report::default();
    assert_valid(&report);
    assert!(text(write_junit, &report).contains("<testcase name=\"no findings\""));
    assert_eq!(text(write_gitlab, &report), "[]\n");
}

const SITE: &str = "\
server {
    location / {
        add_header Access-Control-Allow-Origin $http_origin always;
        add_header Access-Control-Allow-Credentials true always;
        add_header Vary Origin always;
    }
    location /a/ {
        # corslint: ignore[missing-always] monitoring reads it
        add_header Access-Control-Allow-Origin https://a.example;
        proxy_pass http://127.0.0.1:1;
    }
}
";

#[test]
fn sarif_says_what_code_scanning_asks_for() {
    let folder = TempDir::new();
    folder.write("a b/é.conf", SITE);
    let sarif = |arguments: &[&str]| {
        let all = [&["--format", "sarif"], arguments].concat();
        SARIF.check(&run(folder.path(), &all).stdout)
    };
    let log = sarif(&[]);
    let run = &log["runs"][0];
    assert_eq!(log["version"], "2.1.0");
    let results = run["results"].as_array().expect("results");
    assert_eq!(results.len(), 1);
    let result = &results[0];
    let rule = &run["tool"]["driver"]["rules"][0];
    assert_eq!(rule["id"], result["ruleId"]);
    assert_eq!(rule["properties"]["security-severity"], "8.1");
    assert!(
        rule["help"]["markdown"]
            .as_str()
            .is_some_and(|text| text.len() > 100)
    );
    let location = &result["locations"][0]["physicalLocation"];
    assert_eq!(location["artifactLocation"]["uri"], "a%20b/%C3%A9.conf");
    assert_eq!(location["artifactLocation"]["uriBaseId"], "SRCROOT");
    assert_eq!(location["region"]["startLine"], 3);
    let base = run["originalUriBaseIds"]["SRCROOT"]["uri"].as_str();
    assert!(base.is_some_and(|base| base.starts_with("file:///") && base.ends_with('/')));
    let prints = result["partialFingerprints"]["corslint/v1"].as_str();
    assert_eq!(prints.map(str::len), Some(32));
    assert!(
        result["codeFlows"][0]["threadFlows"][0]["locations"][0]["location"]["message"]["text"]
            .as_str()
            .is_some_and(|text| text.contains("Origin: https://evil.example"))
    );
    // What comments suppress comes only when asked for.
    let all = sarif(&["--show-suppressed"]);
    let results = all["runs"][0]["results"].as_array().expect("results");
    assert_eq!(results.len(), 2);
    let suppression = &results[1]["suppressions"][0];
    assert_eq!(suppression["kind"], "inSource");
    assert_eq!(suppression["justification"], "monitoring reads it");
}

#[test]
fn reports_go_into_files_whole_or_not_at_all() {
    let folder = TempDir::new();
    folder.write("x.conf", SITE);
    let read = |name: &str| std::fs::read_to_string(folder.path().join(name)).expect(name);
    let written = run(folder.path(), &["--output", "r.sarif"]);
    assert_eq!((written.code, written.stdout.as_str()), (1, ""));
    SARIF.check(&read("r.sarif"));
    assert_eq!(run(folder.path(), &["-o", "r.json"]).code, 1);
    OWN.check(&read("r.json"));
    // What was asked for is stronger than the name.
    run(folder.path(), &["-o", "r.json", "--format", "gitlab"]);
    GITLAB.check(&read("r.json"));
    run(folder.path(), &["-o", "r.txt", "--color", "always"]);
    assert!(read("r.txt").starts_with("error[any-origin-with-credentials]"));
    for path in ["nowhere/r.json", "."] {
        let failed = run(folder.path(), &["--output", path]);
        assert_eq!(failed.code, 2, "{path}");
        assert!(
            failed.stderr.contains("cannot be written"),
            "{}",
            failed.stderr
        );
    }
    let path = folder.path().join("r.txt");
    let whole = read("r.txt");
    let mut permissions = std::fs::metadata(&path).expect("the file").permissions();
    permissions.set_readonly(true);
    std::fs::set_permissions(&path, permissions).expect("permissions");
    let failed = run(folder.path(), &["--output", "r.txt", "--format", "json"]);
    assert_eq!(failed.code, 2);
    assert!(failed.stderr.contains("cannot be written"), "{failed:?}");
    assert_eq!(read("r.txt"), whole);
    let names = std::fs::read_dir(folder.path()).expect("the folder");
    let names = names.map(|entry| entry.expect("an entry").file_name());
    assert_eq!(names.count(), 4, "nothing temporary is left");
}

#[test]
fn no_format_is_chosen_by_the_environment() {
    let folder = TempDir::new();
    folder.write("x.conf", SITE);
    let plain = run(folder.path(), &[]).stdout;
    for variable in ["GITHUB_ACTIONS", "GITLAB_CI", "CI"] {
        let mut command = corslint(folder.path());
        let output = command.env(variable, "true").output();
        assert_eq!(Run::from(output.expect("it starts")).stdout, plain);
    }
}
