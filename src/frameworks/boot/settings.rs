//! Property files: what a key is set to when some profiles are active.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use super::outside::Outside;
use super::profile;
use super::text::{closing, evaluated, is_filtered, split_at_commas, top_level_colon};
use crate::limits::boot::settings::{MAX_DEPTH, MAX_ELEMENTS, MAX_TEXT};
use crate::source::{SourceFile, Span};
use crate::syntax::jvm::ast::Name;
use crate::syntax::value::{Kind, List, Value};
use crate::syntax::{properties, yaml};

const OUTSIDE: &str = "it is set outside of the project";

/// One segment of a key: by its canonical form, and as it is written.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Segment {
    canonical: Name,
    written: Name,
}

/// One value.
#[derive(Clone, Debug)]
struct Entry {
    key: Vec<Segment>,
    key_span: Span,
    value: String,
    span: Span,
    /// The text stands in its place byte for byte from this offset.
    offset: Option<u32>,
}

/// Entries that hold together.
#[derive(Clone, Debug)]
struct Document {
    /// The profile that the file's name says.
    profile: Option<Name>,
    /// The profile expression in it.
    on_profile: Option<String>,
    entries: Vec<Entry>,
}

/// The property files of one application.
#[derive(Debug, Default)]
pub struct Environment {
    /// Those that win come last.
    documents: Vec<Arc<Document>>,
    problems: Vec<(PathBuf, String)>,
    profiles: Vec<Name>,
    outside: Outside,
}

impl Environment {
    /// Reads the `application` and `bootstrap` files among `files`; others are left out.
    /// What `variables` hold wins over what is in them.
    #[must_use]
    pub fn read(files: &[Arc<SourceFile>], variables: &crate::model::Environment) -> Self {
        let mut ordered: Vec<(u32, Option<Name>, &Arc<SourceFile>)> = files
            .iter()
            .filter_map(|file| {
                let (rank, profile) = rank(file.path())?;
                Some((rank, profile, file))
            })
            .collect();
        // What is written for a profile wins over what is not, whatever folder it is in.
        ordered.sort_by_key(|(rank, profile, _)| (profile.is_some(), *rank));
        let mut result = Self {
            outside: Outside::new(variables),
            ..Self::default()
        };
        for (_, profile, file) in ordered {
            let is_yaml = file
                .path()
                .extension()
                .is_none_or(|ending| ending != "properties");
            let documents = if is_yaml {
                match yaml_documents(file) {
                    Ok(documents) => documents,
                    // A template of something else that is filled in before anybody reads it.
                    Err(_) if file.text().contains("{{") => continue,
                    Err(problem) => {
                        let text = format!("line {}: {}", problem.line, problem.text);
                        result.problems.push((file.path().to_path_buf(), text));
                        continue;
                    }
                }
            } else {
                properties_documents(file)
            };
            for entries in documents {
                result.add(profile.clone(), entries);
            }
        }
        result
    }

    fn add(&mut self, profile: Option<Name>, entries: Vec<Entry>) {
        let condition = ["spring.config.activate.on-profile", "spring.profiles"];
        let conditions = condition.iter().find_map(|key| {
            let key = segments(key);
            let texts: Vec<&str> = entries
                .iter()
                .filter(|entry| {
                    let index = entry.key.len() == key.len() + 1
                        && entry
                            .key
                            .last()
                            .is_some_and(|last| is_index(&last.canonical));
                    (entry.key.len() == key.len() || index) && starts_with(&entry.key, &key)
                })
                .map(|entry| entry.value.as_str())
                .collect();
            (!texts.is_empty()).then(|| texts.join(","))
        });
        let named = profile.as_deref().into_iter();
        let named = named.chain(conditions.as_deref().map_or(Vec::new(), profile::names));
        let named: Vec<Name> = named
            .filter(|name| *name != "default")
            .map(Name::from)
            .collect();
        for name in named {
            if !self.profiles.contains(&name) {
                self.profiles.push(name);
            }
        }
        self.documents.push(Arc::new(Document {
            profile,
            on_profile: conditions,
            entries,
        }));
    }

    /// Files that Spring Boot could not read either, with the reason for people.
    #[must_use]
    pub fn problems(&self) -> &[(PathBuf, String)] {
        &self.problems
    }

    /// The profiles that files or documents are for, but for `default`.
    #[must_use]
    pub fn profiles(&self) -> &[Name] {
        &self.profiles
    }

    /// The profiles that the environment's variables make active, if they say so.
    #[must_use]
    pub fn active(&self) -> Option<Vec<Name>> {
        let text = self.outside.get("spring.profiles.active")?;
        let names = split_at_commas(text).map(|(_, name)| Name::from(name));
        Some(names.collect())
    }

    /// What holds when these profiles are active; none is the `default` profile.
    #[must_use]
    pub fn settings(&self, active: &[&str]) -> Settings {
        self.settings_with(active, &[])
    }

    /// The same while these placeholders, which no file sets, are set from outside.
    #[must_use]
    pub fn settings_with(&self, active: &[&str], set: &[&str]) -> Settings {
        let mut active = self.groups(active);
        if active.is_empty() {
            active.push("default".into());
        }
        let names: Vec<&str> = active.iter().map(|name| &**name).collect();
        let documents = self.documents.iter().filter(|document| {
            let file = document.profile.as_deref();
            let by_file = file.is_none_or(|name| names.contains(&name));
            let condition = document.on_profile.as_deref();
            by_file && condition.is_none_or(|text| profile::holds(text, &names))
        });
        let mut documents: Vec<Arc<Document>> = documents.cloned().collect();
        // Of two files for profiles, that of the profile named last wins.
        documents.sort_by_key(|document| {
            let place = document.profile.as_deref();
            place.and_then(|profile| names.iter().position(|name| *name == profile))
        });
        Settings {
            documents,
            set: set.iter().map(|name| Name::from(*name)).collect(),
            asked: Arc::default(),
            outside: self.outside.clone(),
        }
    }

    /// The profiles with those that their groups bring.
    fn groups(&self, active: &[&str]) -> Vec<Name> {
        let mut result: Vec<Name> = active.iter().map(|name| Name::from(*name)).collect();
        let base = Settings {
            documents: self
                .documents
                .iter()
                .filter(|document| document.profile.is_none() && document.on_profile.is_none())
                .cloned()
                .collect(),
            set: Vec::new(),
            asked: Arc::default(),
            outside: self.outside.clone(),
        };
        let mut at = 0;
        while at < result.len() && result.len() < 64 {
            let key = format!("spring.profiles.group.{}", result[at]);
            for name in texts(base.list(&key)) {
                if !result.iter().any(|known| **known == *name) {
                    result.push(name.into());
                }
            }
            at += 1;
        }
        for name in texts(base.list("spring.profiles.include")) {
            if !result.iter().any(|known| **known == *name) {
                result.insert(0, name.into());
            }
        }
        result
    }
}

fn texts(value: Option<Value>) -> Vec<String> {
    let list = value.as_ref().and_then(Value::as_list);
    let items = list.map_or(&[][..], |list| &list.items);
    let texts = items.iter().filter_map(Value::as_str);
    texts.map(ToOwned::to_owned).collect()
}

/// Which files win, and the profile that a file is for; nothing if it is no property file.
fn rank(path: &Path) -> Option<(u32, Option<Name>)> {
    let stem = path.file_stem()?.to_str()?;
    let ending = path.extension()?.to_str()?.to_ascii_lowercase();
    // `.properties` win over YAML in the same folder.
    let by_ending = match ending.as_str() {
        "yml" | "yaml" => 0,
        "properties" => 1,
        _ => return None,
    };
    let (base, profile) = match stem.split_once('-') {
        Some((base, profile)) => (base, Some(Name::from(profile))),
        None => (stem, None),
    };
    let by_name = match base {
        "bootstrap" => 0,
        "application" => 2,
        _ => return None,
    };
    let in_config = path
        .parent()
        .is_some_and(|folder| folder.ends_with("config"));
    Some((by_name * 4 + u32::from(in_config) * 2 + by_ending, profile))
}

fn properties_documents(file: &SourceFile) -> Vec<Vec<Entry>> {
    let mut documents: Vec<Vec<Entry>> = Vec::new();
    for entry in properties::parse(file) {
        documents.resize_with(documents.len().max(entry.document + 1), Vec::new);
        let exact = file.slice(entry.value_span) == entry.value;
        documents[entry.document].push(Entry {
            key: segments(&entry.key),
            key_span: entry.key_span,
            value: entry.value,
            span: entry.value_span,
            offset: exact.then_some(0),
        });
    }
    documents
}

fn yaml_documents(file: &SourceFile) -> Result<Vec<Vec<Entry>>, yaml::Problem> {
    let documents = yaml::parse(file)?;
    let flat = |node: &Arc<yaml::Node>| {
        let mut entries = Vec::new();
        flatten(file, node, "", node.span, &mut entries);
        entries
    };
    Ok(documents.iter().map(flat).collect())
}

fn flatten(file: &SourceFile, node: &yaml::Node, path: &str, key: Span, result: &mut Vec<Entry>) {
    let mut push = |value: &str, offset| {
        result.push(Entry {
            key: segments(path),
            key_span: key,
            value: value.to_owned(),
            span: node.span,
            offset,
        });
    };
    match &node.kind {
        yaml::Kind::Scalar(text, quoted) => {
            let null = !quoted && matches!(text.as_str(), "~" | "null" | "Null" | "NULL");
            let text = if null { "" } else { text };
            let source = file.slice(node.span);
            let offset = u32::from(*quoted);
            let exact = source
                .get(offset as usize..)
                .is_some_and(|rest| rest.starts_with(text));
            push(text, exact.then_some(offset));
        }
        yaml::Kind::Sequence(items) if items.is_empty() => push("", None),
        yaml::Kind::Mapping(pairs) if pairs.is_empty() => push("", None),
        yaml::Kind::Sequence(items) => {
            for (at, item) in items.iter().enumerate() {
                flatten(file, item, &format!("{path}[{at}]"), item.span, result);
            }
        }
        yaml::Kind::Mapping(pairs) => {
            for pair in pairs {
                let inner = if path.is_empty() || pair.key.starts_with('[') {
                    format!("{path}{}", pair.key)
                } else {
                    format!("{path}.{}", pair.key)
                };
                flatten(file, &pair.value, &inner, pair.key_span, result);
            }
        }
    }
}

/// The segments of a key (Spring Boot's `ConfigurationPropertyName`).
fn segments(key: &str) -> Vec<Segment> {
    let mut result = Vec::new();
    let mut rest = key;
    while !rest.is_empty() {
        if let Some(inner) = rest.strip_prefix('[') {
            let (name, after) = inner.split_once(']').unwrap_or((inner, ""));
            result.push(Segment {
                canonical: name.into(),
                written: name.into(),
            });
            rest = after.strip_prefix('.').unwrap_or(after);
            continue;
        }
        let end = rest.find(['.', '[']).unwrap_or(rest.len());
        let (name, after) = rest.split_at(end);
        if !name.is_empty() {
            result.push(Segment {
                canonical: canonical(name),
                written: name.into(),
            });
        }
        rest = after.strip_prefix('.').unwrap_or(after);
    }
    result
}

/// A segment as relaxed binding compares it.
fn canonical(name: &str) -> Name {
    let letters = name.chars().filter(|c| c.is_alphanumeric());
    letters
        .flat_map(char::to_lowercase)
        .collect::<String>()
        .into()
}

fn is_index(segment: &str) -> bool {
    !segment.is_empty() && segment.bytes().all(|byte| byte.is_ascii_digit())
}

fn starts_with(key: &[Segment], prefix: &[Segment]) -> bool {
    key.len() >= prefix.len()
        && key
            .iter()
            .zip(prefix)
            .all(|(a, b)| a.canonical == b.canonical || *a.canonical == *canonical(&b.written))
}

/// The properties of one world.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    documents: Vec<Arc<Document>>,
    set: Vec<Name>,
    asked: Arc<Mutex<Vec<(Name, Span)>>>,
    outside: Outside,
}

impl Settings {
    /// The text that a key is set to, in any of its spellings, with placeholders filled in; unknown
    /// if one of them is set outside of the project. Nothing if no file sets it.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<Value> {
        self.value(key, None, MAX_DEPTH)
    }

    /// `at`: where it is asked for, if that is known.
    fn value(&self, key: &str, at: Option<Span>, depth: u32) -> Option<Value> {
        let segments = segments(key);
        let entry = self.entry(&segments);
        if let Some(text) = self.outside.get(key) {
            let span = entry.map(|entry| entry.span).or(at);
            let span = span.or_else(|| self.place())?;
            let text = self.fill(text, span, depth.checked_sub(1)?);
            return Some(match text {
                Some(text) => Value::string(text, span),
                None => Value::unknown(OUTSIDE, span),
            });
        }
        entry.map(|entry| self.filled(entry, depth))
    }

    /// The first place in the files.
    fn place(&self) -> Option<Span> {
        let mut documents = self.documents.iter();
        documents.find_map(|document| document.entries.first().map(|entry| entry.key_span))
    }

    fn entry(&self, key: &[Segment]) -> Option<&Entry> {
        self.documents.iter().rev().find_map(|document| {
            let mut entries = document.entries.iter().rev();
            entries.find(|entry| entry.key.len() == key.len() && starts_with(&entry.key, key))
        })
    }

    fn filled(&self, entry: &Entry, depth: u32) -> Value {
        if is_filtered(&entry.value) {
            return Value::unknown("the build puts it in", entry.span);
        }
        match self.fill(&entry.value, entry.span, depth) {
            Some(text) => Value::string(text, entry.span),
            None => Value::unknown(OUTSIDE, entry.span),
        }
    }

    /// The elements that a key is set to: a text is split at commas, as Spring Boot does.
    #[must_use]
    pub fn list(&self, key: &str) -> Option<Value> {
        let prefix = segments(key);
        if let Some(list) = self.list_from_outside(key) {
            return Some(list);
        }
        for document in self.documents.iter().rev() {
            let below = |entry: &&Entry| {
                entry.key.len() > prefix.len()
                    && starts_with(&entry.key, &prefix)
                    && is_index(&entry.key[prefix.len()].canonical)
            };
            let mut elements: Vec<(usize, &Entry)> = document
                .entries
                .iter()
                .filter(below)
                .filter_map(|entry| {
                    let at = entry.key[prefix.len()].canonical.parse().ok()?;
                    Some((at, entry))
                })
                .collect();
            if !elements.is_empty() {
                elements.sort_by_key(|(at, _)| *at);
                let span = elements[0].1.span;
                let span = elements
                    .iter()
                    .fold(span, |span, (_, entry)| span.to(entry.span));
                let mut items = Vec::new();
                for (_, entry) in &elements {
                    if entry.key.len() > prefix.len() + 1 {
                        items.push(Value::new(
                            Kind::Object("properties".into()),
                            entry.key_span,
                        ));
                    } else {
                        items.push(self.filled(entry, MAX_DEPTH));
                    }
                }
                let list = List { items, open: false };
                return Some(Value::new(Kind::List(list), span));
            }
            let mut entries = document.entries.iter().rev();
            let own = entries
                .find(|entry| entry.key.len() == prefix.len() && starts_with(&entry.key, &prefix));
            if let Some(entry) = own {
                return Some(self.split(entry));
            }
        }
        None
    }

    /// The elements that variables of the environment hold.
    fn list_from_outside(&self, key: &str) -> Option<Value> {
        let texts: Vec<String> = match self.outside.get(key) {
            Some(text) => split_at_commas(text)
                .map(|(_, part)| part.to_owned())
                .collect(),
            None => (0..MAX_ELEMENTS)
                .map_while(|at| self.outside.get(&format!("{key}[{at}]")))
                .map(ToOwned::to_owned)
                .collect(),
        };
        if texts.is_empty() && self.outside.get(key).is_none() {
            return None;
        }
        let span = self.has(key).or_else(|| self.place())?;
        let items = texts
            .into_iter()
            .map(|text| Value::string(text, span))
            .collect();
        let list = List { items, open: false };
        Some(Value::new(Kind::List(list), span))
    }

    /// The parts of a text between commas.
    fn split(&self, entry: &Entry) -> Value {
        let filled = self.filled(entry, MAX_DEPTH);
        let Kind::String(text) = &filled.kind else {
            let list = List {
                items: Vec::new(),
                open: true,
            };
            return Value::new(Kind::List(list), entry.span);
        };
        let exact = entry.offset.filter(|_| *text == entry.value);
        let items = split_at_commas(text).map(|(start, part)| {
            let span = match exact {
                Some(offset) => {
                    let start = start + offset as usize;
                    entry.span.part(start, start + part.len())
                }
                None => entry.span,
            };
            Value::string(part, span)
        });
        let list = List {
            items: items.collect(),
            open: false,
        };
        Value::new(Kind::List(list), entry.span)
    }

    /// The segments that follow a key somewhere, as they are written (what stands in brackets
    /// without them), with the place of the first.
    #[must_use]
    pub fn children(&self, key: &str) -> Vec<(Name, Span)> {
        let prefix = segments(key);
        let mut result: Vec<(Name, Span)> = Vec::new();
        let mut known = HashSet::new();
        for entry in self.below(&prefix) {
            if let Some(segment) = entry.key.get(prefix.len())
                && known.insert(Arc::clone(&segment.canonical))
            {
                result.push((Arc::clone(&segment.written), entry.key_span));
            }
        }
        result
    }

    fn below<'a>(&'a self, prefix: &'a [Segment]) -> impl Iterator<Item = &'a Entry> {
        let documents = self.documents.iter();
        let entries = documents.flat_map(|document| &document.entries);
        entries.filter(move |entry| starts_with(&entry.key, prefix))
    }

    /// Where a key, or one below it, is set.
    #[must_use]
    pub fn has(&self, prefix: &str) -> Option<Span> {
        let prefix = segments(prefix);
        self.below(&prefix).next().map(|entry| entry.key_span)
    }

    /// A text with the values of its placeholders: `${key}`, `${key:default}`. Unknown if one of
    /// them is set outside of the project. Of the expression language, a list of constants and a
    /// text that is split are understood.
    #[must_use]
    pub fn expand(&self, text: &str, span: Span) -> Value {
        let Some(text) = self.fill(text, span, MAX_DEPTH) else {
            return Value::unknown(OUTSIDE, span);
        };
        match text
            .trim()
            .strip_prefix("#{")
            .and_then(|rest| rest.strip_suffix('}'))
        {
            Some(expression) => evaluated(expression.trim(), span),
            None if text.contains("#{") => {
                Value::unknown("an expression that is not evaluated", span)
            }
            None => Value::string(text, span),
        }
    }

    /// Placeholders whose default was taken because no file sets them.
    #[must_use]
    pub fn asked(&self) -> Vec<(Name, Span)> {
        let asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        asked.clone()
    }

    fn fill(&self, text: &str, span: Span, depth: u32) -> Option<String> {
        if depth == 0 || text.len() > MAX_TEXT {
            return None;
        }
        let mut result = String::new();
        let mut rest = text;
        while let Some(at) = rest.find("${") {
            result.push_str(&rest[..at]);
            let inner = &rest[at + 2..];
            let Some(end) = closing(inner) else {
                result.push_str(&rest[at..]);
                return Some(result);
            };
            result.push_str(&self.placeholder(&inner[..end], span, depth)?);
            if result.len() > MAX_TEXT {
                return None;
            }
            rest = &inner[end + 1..];
        }
        result.push_str(rest);
        Some(result)
    }

    fn placeholder(&self, inner: &str, span: Span, depth: u32) -> Option<String> {
        let (key, default) = match top_level_colon(inner) {
            Some(at) => (&inner[..at], Some(&inner[at + 1..])),
            None => (inner, None),
        };
        let key = self.fill(key, span, depth - 1)?;
        if let Some(value) = self.value(&key, Some(span), depth - 1) {
            return match value.kind {
                Kind::String(text) => Some(text),
                _ => None,
            };
        }
        let default = default?;
        if self.set.iter().any(|known| **known == *key) {
            return None;
        }
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        if !asked.iter().any(|(known, _)| **known == *key) && asked.len() < 1000 {
            asked.push((key.as_str().into(), span));
        }
        drop(asked);
        self.fill(default, span, depth - 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Sources;

    fn environment(files: &[(&str, &str)]) -> Environment {
        let sources = Sources::new();
        let files: Vec<_> = files
            .iter()
            .map(|(path, text)| {
                sources.add(format!("no-such-folder/{path}").into(), (*text).into())
            })
            .collect();
        Environment::read(&files, &crate::model::Environment::default())
    }

    fn get(settings: &Settings, key: &str) -> String {
        match settings.get(key).map(|value| value.kind) {
            Some(Kind::String(text)) => text,
            Some(_) => "?".into(),
            None => "-".into(),
        }
    }

    #[test]
    fn every_spelling_of_a_key_is_one() {
        let yaml = "app:\n  corsOrigins: a\n  UPPER_CASE: b\n  list:\n    - x\n    - y\n  map:\n    '[/a/**]': c\nmy.dotted-key: d\n";
        let settings = environment(&[("application.yml", yaml)]).settings(&[]);
        for (key, value) in [
            ("app.cors-origins", "a"),
            ("app.cors_origins", "a"),
            ("APP.CORSORIGINS", "a"),
            ("app.upper-case", "b"),
            ("app.list[1]", "y"),
            ("app.map[/a/**]", "c"),
            ("my.dottedKey", "d"),
            ("app.none", "-"),
        ] {
            assert_eq!(get(&settings, key), value, "{key}");
        }
        let children = settings.children("app.map");
        assert_eq!(&*children[0].0, "/a/**");
        assert!(settings.has("app.list").is_some() && settings.has("app.li").is_none());
    }

    #[test]
    fn profiles_and_files_win_in_boots_order() {
        let files = [
            ("bootstrap.yml", "a: 0\nz: 0"),
            (
                "application.yml",
                "a: 1\nb: 1\nc: 1\nspring.profiles.group.all: [prod, eu]\n---\nspring.config.activate.on-profile: prod\nc: prod\n---\nspring:\n  profiles: [eu, us]\nd: eu",
            ),
            ("application.properties", "b=2"),
            ("config/application.yml", "e: 3\nb: 3"),
            ("application-prod.properties", "a=prod"),
            ("logback.yml", "a: 9"),
        ];
        let environment = environment(&files);
        let profiles: Vec<&str> = environment.profiles().iter().map(|name| &**name).collect();
        assert_eq!(profiles, ["prod", "eu", "us"]);
        let all = |active: &[&str]| {
            let settings = environment.settings(active);
            ["a", "b", "c", "d", "e", "z"]
                .map(|key| get(&settings, key))
                .join(" ")
        };
        assert_eq!(all(&[]), "1 3 1 - 3 0");
        assert_eq!(all(&["prod"]), "prod 3 prod - 3 0");
        assert_eq!(all(&["us"]), "1 3 1 eu 3 0");
        assert_eq!(all(&["all"]), "prod 3 prod eu 3 0");
    }

    #[test]
    fn placeholders_are_filled() {
        let text = "host=x.example\nurl=https://${host}\nd=${none:y:${host}}\nu=${none}\nloop=${loop}\nv=@project.version@\n";
        let settings = environment(&[("application.properties", text)]).settings(&[]);
        for (key, value) in [
            ("url", "https://x.example"),
            ("d", "y:x.example"),
            ("u", "?"),
            ("loop", "?"),
            ("v", "?"),
        ] {
            assert_eq!(get(&settings, key), value, "{key}");
        }
        assert_eq!(&*settings.asked()[0].0, "none");
    }

    #[test]
    fn a_default_is_not_taken_if_the_value_is_set_outside() {
        let environment = environment(&[("application.yml", "a: ${X:y}")]);
        assert_eq!(get(&environment.settings(&[]), "a"), "y");
        assert_eq!(get(&environment.settings_with(&[], &["X"]), "a"), "?");
    }

    #[test]
    fn lists_have_places() {
        let sources = Sources::new();
        let text = "a: \"x, y\"\nb:\n  - z\nc: ${D:1,2}\n";
        let file = sources.add("no-such-folder/application.yml".into(), text.into());
        let settings =
            Environment::read(&[Arc::clone(&file)], &crate::model::Environment::default())
                .settings(&[]);
        let parts = |key: &str| {
            let value = settings.list(key).expect("a list");
            let items = value.as_list().expect("a list").items.clone();
            let show =
                |item: Value| format!("{}={}", item.as_str().unwrap_or("?"), file.slice(item.span));
            items.into_iter().map(show).collect::<Vec<_>>()
        };
        assert_eq!(parts("a"), ["x=x", "y=y"]);
        assert_eq!(parts("b"), ["z=z"]);
        assert_eq!(parts("c"), ["1=${D:1,2}", "2=${D:1,2}"]);
    }

    #[test]
    fn expressions_of_lists_are_understood() {
        let settings = environment(&[("application.properties", "o=a,b")]).settings(&[]);
        let span = Sources::new()
            .add("no-such-folder/x".into(), "text".into())
            .span();
        let show = |text: &str| match settings.expand(text, span).kind {
            Kind::List(list) => format!(
                "{:?}",
                list.items.iter().map(Value::as_str).collect::<Vec<_>>()
            ),
            Kind::String(text) => text,
            _ => "?".into(),
        };
        assert_eq!(show("#{'${o}'.split(',')}"), r#"[Some("a"), Some("b")]"#);
        assert_eq!(show("#{{'a','b'}}"), r#"[Some("a"), Some("b")]"#);
        assert_eq!(show("#{bean.value}"), "?");
        assert_eq!(show("${o}!"), "a,b!");
    }

    #[test]
    fn a_file_that_boot_refuses_is_named() {
        let environment = environment(&[
            ("application.yml", "a: 1\na: 2\n"),
            (
                "templates/application-config.yml",
                "{{- if .Values.x }}\na: b\n{{ end }}\n",
            ),
        ]);
        assert_eq!(environment.problems().len(), 1);
        assert_eq!(
            environment.problems()[0].1,
            "line 2: the key `a` stands twice in one mapping"
        );
    }
}
