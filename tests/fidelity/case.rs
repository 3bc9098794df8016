//! Cases: folders of `fixtures/nginx`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::{Application, Ask, own_base, sketch, split_url, trusted_origins, urls};

/// `requests.toml`: what a case needs beyond the standard requests.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Plan {
    /// Why the real nginx cannot be asked (a template, a newer directive).
    pub(crate) not_live: Option<String>,
    /// The application refuses to start.
    pub(crate) refused: bool,
    /// Report pedantic rules, too (`tests/fixtures.rs`).
    pub(crate) pedantic: bool,
    /// Use only `urls` and `missing`, none found in the text.
    pub(crate) only: bool,
    /// The server keeps answers, so that an error after a success would not be seen: ask for none.
    pub(crate) keeps_answers: bool,
    /// Requests whose answer depends on what no request and no configuration tells.
    pub(crate) not_compared: Vec<NotCompared>,
    /// Further URLs, or paths on the first server.
    pub(crate) urls: Vec<String>,
    /// URLs or paths whose file does not exist.
    pub(crate) missing: Vec<String>,
    /// The trusted origins, if the text does not show them.
    pub(crate) trusted: Vec<String>,
    /// Files to create, with their content.
    pub(crate) files: BTreeMap<String, String>,
    /// What the upstream answers.
    pub(crate) upstream: Vec<UpstreamRule>,
    /// Further requests, sent for every origin.
    pub(crate) ask: Vec<FurtherAsk>,
}

/// How the upstream answers requests below a path.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct UpstreamRule {
    /// The path prefix; all paths if empty.
    pub(crate) path: String,
    /// Header lines of every answer; `{origin}` is the `Origin` that the upstream sees, and a line
    /// with it is left out if there is none.
    pub(crate) headers: Vec<String>,
    /// Header lines of the answers to requests with an `Origin`.
    pub(crate) headers_with_origin: Vec<String>,
    /// Answers 401 without one of these request headers (`a, b`) and 204 with it, whatever the
    /// request asks for.
    pub(crate) needs: Option<String>,
}

impl UpstreamRule {
    pub(crate) const CONTENT_TYPE: &'static str = "text/plain";

    /// The header lines of the answer to a request that arrives with this `Origin`.
    pub(crate) fn lines(&self, origin: Option<&str>) -> Vec<String> {
        let conditional = self.headers_with_origin.iter().filter(|_| origin.is_some());
        self.headers
            .iter()
            .chain(conditional)
            .filter(|line| origin.is_some() || !line.contains("{origin}"))
            .map(|line| line.replace("{origin}", origin.unwrap_or_default()))
            .collect()
    }

    /// Do the lines depend on the request's `Origin`?
    pub(crate) fn reflects(&self) -> bool {
        !self.headers_with_origin.is_empty()
            || self.headers.iter().any(|line| line.contains("{origin}"))
    }

    /// Does an answer have a body, and so a `Content-Type`?
    pub(crate) fn has_body(method: &str, status: u16) -> bool {
        method != "HEAD" && !matches!(status, 204 | 304)
    }
}

/// Requests that are recorded and not compared.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NotCompared {
    /// A path.
    path: String,
    /// As [`Ask::kind`] writes it; all if absent.
    kind: Option<String>,
    /// What it depends on.
    #[serde(rename = "depends_on")]
    _depends_on: String,
}

/// A request beyond the standard ones.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FurtherAsk {
    /// The URL, or a path on the first server; every URL if absent.
    url: Option<String>,
    /// As [`Ask::kind`] writes it.
    kind: String,
}

impl FurtherAsk {
    /// The kind of request.
    pub(crate) fn kind(&self) -> &str {
        &self.kind
    }

    /// A request to every URL.
    pub(crate) fn everywhere(kind: &str) -> Self {
        Self {
            url: None,
            kind: kind.into(),
        }
    }
}

/// One case.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) folder: PathBuf,
    /// The configuration files: path below the folder, text.
    pub(crate) files: Vec<(String, String)>,
    pub(crate) plan: Plan,
}

/// All cases, by name.
pub(crate) fn cases() -> Vec<Case> {
    cases_of("nginx")
}

/// All cases of a framework, by name.
pub(crate) fn cases_of(framework: &str) -> Vec<Case> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fixtures")
        .join(framework);
    let mut folders: Vec<PathBuf> = std::fs::read_dir(root)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_dir())
        .collect();
    folders.sort();
    folders.into_iter().map(Case::load).collect()
}

impl Case {
    /// The case of a folder.
    pub(crate) fn load(folder: PathBuf) -> Self {
        let name = folder.file_name().unwrap().to_string_lossy().into_owned();
        let plan = match std::fs::read_to_string(folder.join("requests.toml")) {
            Ok(text) => toml::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}")),
            Err(_) => Plan::default(),
        };
        let mut files = Vec::new();
        collect(&folder, &folder, &mut files);
        files.sort();
        Self {
            name,
            folder,
            files,
            plan,
        }
    }

    /// The texts of all files.
    pub(crate) fn texts(&self) -> Vec<&str> {
        self.files.iter().map(|(_, text)| text.as_str()).collect()
    }

    /// The files that exist for a run: those that the plan names, and those that its URLs may stand
    /// for, below every root and alias of the case; without a leading `/`.
    pub(crate) fn documents(&self) -> Vec<String> {
        let named = self.plan.files.keys();
        let mut documents: Vec<String> = named
            .map(|name| name.trim_start_matches('/').to_owned())
            .collect();
        let targets = self.targets();
        for target in targets.iter().filter(|target| target.exists) {
            let (_, _, _, path) = split_url(&target.url);
            self.stands_for(path.split('?').next().unwrap_or(path), &mut documents);
        }
        documents
    }

    /// Adds the files that a path may stand for.
    fn stands_for(&self, path: &str, documents: &mut Vec<String>) {
        let mut bases = vec![("", "html".to_owned())];
        for directive in self.texts().into_iter().flat_map(sketch) {
            directive.walk(&mut Vec::new(), &mut |inner, _| {
                bases.extend(inner.inner("root").map(|root| ("", root.args[0].clone())));
                let prefix = inner.args.last().map_or("", String::as_str);
                bases.extend(inner.inner("alias").filter_map(|alias| {
                    let prefix = path.get(..prefix.len()).filter(|start| *start == prefix)?;
                    Some((prefix, alias.args[0].clone()))
                }));
            });
        }
        for (prefix, base) in bases.iter().filter(|(_, base)| !base.contains('$')) {
            let below = path[prefix.len()..].trim_start_matches('/');
            let index = if path.ends_with('/') {
                "index.html"
            } else {
                ""
            };
            let name = format!("{}/{below}{index}", base.trim_matches('/'));
            // A path may be a file for one URL and a folder for another; the first wins.
            let clashes = documents.iter().any(|other| {
                other == &name
                    || other
                        .strip_prefix(&name)
                        .is_some_and(|rest| rest.starts_with('/'))
                    || name
                        .strip_prefix(other.as_str())
                        .is_some_and(|rest| rest.starts_with('/'))
            });
            if !clashes && !name.ends_with('/') {
                documents.push(name);
            }
        }
    }

    /// Is the answer to this request one that corslint could know?
    pub(crate) fn compares(&self, ask: &Ask) -> bool {
        !self.plan.not_compared.iter().any(|not| {
            own_base(&ask.url).0 == not.path
                && not.kind.as_ref().is_none_or(|kind| *kind == ask.kind())
        })
    }

    /// The trusted origins.
    pub(crate) fn trusted(&self) -> Vec<String> {
        if self.plan.trusted.is_empty() {
            trusted_origins(&self.texts())
        } else {
            self.plan.trusted.clone()
        }
    }

    /// The URLs to ask, each with the kinds that are asked there whatever the standard ones show.
    pub(crate) fn targets(&self) -> Vec<Target> {
        let found = urls(&self.texts());
        let base = found.first().map_or("http://localhost", |first| {
            first.strip_suffix('/').unwrap_or(first)
        });
        let full = |url: &String| {
            if url.starts_with('/') {
                format!("{base}{url}")
            } else {
                url.clone()
            }
        };
        let mut targets: Vec<Target> = Vec::new();
        let mut add = |url: String, exists: bool| {
            if targets.iter().all(|target| target.url != url) {
                targets.push(Target {
                    url,
                    exists,
                    further: Vec::new(),
                });
            }
        };
        self.plan
            .missing
            .iter()
            .for_each(|url| add(full(url), false));
        if !self.plan.only {
            found.iter().for_each(|url| add(url.clone(), true));
        }
        self.plan.urls.iter().for_each(|url| add(full(url), true));
        for further in &self.plan.ask {
            let url = further.url.as_ref().map(full);
            if let Some(url) = &url {
                assert!(
                    targets.iter().any(|target| target.url == *url),
                    "{}: {url} is asked but not among the URLs",
                    self.name
                );
            }
            for target in &mut targets {
                if url.as_ref().is_none_or(|url| *url == target.url) {
                    target.further.push(further.kind.clone());
                }
            }
        }
        targets
    }
}

/// A URL to ask.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    pub(crate) url: String,
    /// The file that it may stand for exists.
    pub(crate) exists: bool,
    /// Kinds beyond the standard ones.
    pub(crate) further: Vec<String>,
}

impl Target {
    /// A request of a kind; of a missing file the application's answer is 404.
    pub(crate) fn ask(&self, kind: &str, origin: Option<&str>) -> Ask {
        let mut ask = Ask::of_kind(kind, &self.url, origin);
        if !self.exists {
            ask.application = Application::Answers(404);
        }
        ask
    }
}

fn collect(root: &Path, folder: &Path, files: &mut Vec<(String, String)>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path
            .strip_prefix(root)
            .unwrap()
            .to_string_lossy()
            .into_owned();
        if path.is_dir() {
            collect(root, &path, files);
        } else if !BESIDE
            .iter()
            .any(|other| name == *other || name.ends_with(".expected"))
        {
            files.push((name, std::fs::read_to_string(path).unwrap()));
        }
    }
}

/// Files of a case that are no configuration.
const BESIDE: [&str; 4] = [
    "requests.toml",
    "recorded.json",
    "expected.txt",
    "expected.json",
];
