//! Cases of `fixtures/express`: whole applications, with the answers of the real Express.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use corslint::frameworks::{Project, express};
use corslint::model::{Environment, Site};
use corslint::source::{SourceFile, Sources};
use serde::Deserialize;

use super::{Answer, Ask, Disagreement, Tally, compare_routed, origins_for, trusted_origins};

/// `requests.toml`: what a case needs beyond the standard requests.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Plan {
    /// Why the real Express cannot be asked (TypeScript, client code, a package that is not there).
    pub(crate) not_live: Option<String>,
    /// Paths to ask instead of those that stand in the text.
    pub(crate) paths: Vec<String>,
    /// Further request kinds, as [`Ask::kind`] writes them.
    pub(crate) kinds: Vec<String>,
    /// The construct is documented as unknown.
    pub(crate) unknown: Option<String>,
    /// Report pedantic rules, too (`tests/fixtures.rs`).
    pub(crate) pedantic: bool,
}

/// One application.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) folder: PathBuf,
    /// The program files.
    pub(crate) files: Vec<PathBuf>,
    pub(crate) plan: Plan,
    /// `4` or `5`.
    pub(crate) major: char,
}

/// All cases, by name.
pub(crate) fn cases() -> Vec<Case> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/express");
    let mut folders: Vec<PathBuf> = std::fs::read_dir(root)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_dir())
        .collect();
    folders.sort();
    folders.iter().map(|folder| Case::load(folder)).collect()
}

impl Case {
    /// The case of a folder.
    pub(crate) fn load(folder: &Path) -> Self {
        let name = folder.file_name().unwrap().to_string_lossy().into_owned();
        let plan = match std::fs::read_to_string(folder.join("requests.toml")) {
            Ok(text) => toml::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}")),
            Err(_) => Plan::default(),
        };
        let package = std::fs::read_to_string(folder.join("package.json")).unwrap_or_default();
        let major = if package.contains("\"express\": \"^5") {
            '5'
        } else {
            '4'
        };
        let mut files = Vec::new();
        collect(folder, &mut files);
        files.sort();
        Self {
            name,
            folder: folder.to_path_buf(),
            files,
            plan,
            major,
        }
    }

    fn texts(&self) -> Vec<String> {
        let texts = self.files.iter();
        texts
            .map(|path| std::fs::read_to_string(path).unwrap())
            .collect()
    }

    /// The origins that ask.
    pub(crate) fn origins(&self) -> Vec<Option<String>> {
        let texts = self.texts();
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        origins_for(&trusted_origins(&texts))
    }

    /// Everything that is asked.
    pub(crate) fn asks(&self) -> Vec<Ask> {
        const KINDS: [&str; 5] = [
            "GET 200",
            "OPTIONS>PUT 200",
            "OPTIONS 200",
            "PUT 200",
            "POST 200 | authorization: Bearer x",
        ];
        let mut paths = self.plan.paths.clone();
        if paths.is_empty() {
            paths = self
                .texts()
                .iter()
                .flat_map(|text| paths_in(text))
                .collect();
            paths.push("/missing".into());
            let mut seen = Vec::new();
            paths.retain(|path| {
                !seen.contains(path) && {
                    seen.push(path.clone());
                    true
                }
            });
            paths.truncate(4);
        }
        let further = self.plan.kinds.iter().map(String::as_str);
        let kinds: Vec<&str> = KINDS.into_iter().chain(further).collect();
        let origins = self.origins();
        let mut asks = Vec::new();
        for path in &paths {
            let url = format!("http://service.example{path}");
            for kind in &kinds {
                for origin in &origins {
                    asks.push(Ask::of_kind(kind, &url, origin.as_deref()));
                }
            }
        }
        asks
    }

    /// What corslint makes of it.
    pub(crate) fn read(&self) -> Vec<Box<dyn Site>> {
        let sources = Sources::new();
        let files: Vec<Arc<SourceFile>> = self
            .files
            .iter()
            .map(|path| sources.load(path).unwrap())
            .filter(|file| express::detect(file.path(), file.text()))
            .collect();
        let reading = express::read(Project {
            root: &self.folder,
            files: &files,
            sources: &sources,
            environment: &Environment::default(),
        });
        reading.sites
    }
}

/// Compares one real answer with the first application of a case.
///
/// # Errors
/// The disagreement.
pub(crate) fn compare(
    sites: &[Box<dyn Site>],
    ask: &Ask,
    expected: &Answer,
) -> Result<Tally, Box<Disagreement>> {
    let request = ask.request();
    let routed = sites.iter().find(|site| site.route(&request).is_some());
    match routed.or(sites.first()) {
        Some(site) => compare_routed(site.as_ref(), &request, ask, expected),
        None => Err(Box::new(Disagreement {
            ask: ask.clone(),
            expected: expected.clone(),
            got: vec!["no site".into()],
        })),
    }
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let extension = path.extension().and_then(|text| text.to_str());
        if path.is_dir() {
            collect(&path, files);
        } else if extension.is_some_and(|text| matches!(text, "js" | "ts" | "mjs" | "cjs")) {
            files.push(path);
        }
    }
}

/// The paths of routes in a text.
fn paths_in(text: &str) -> Vec<String> {
    let route = regex::Regex::new(
        r#"\.(?:get|post|put|delete|patch|all|route)\(\s*['"`](/[A-Za-z0-9/:_-]*)['"`]"#,
    );
    let parameter = regex::Regex::new(r":\w+").unwrap();
    route
        .unwrap()
        .captures_iter(text)
        .map(|found| parameter.replace_all(&found[1], "1").into_owned())
        .collect()
}
