//! Files: `try_files`, `index`, `autoindex`, the static handler.
//!
//! Where nobody knows the file system, the file that the request's own path stands for exists if the
//! application answers with success, and what the configuration itself names as a page exists.

use std::borrow::Cow;

use super::complex::Complex;
use super::config::{Fallback, Level, LevelKind, Matching};
use super::phases::{Made, Step, split_args};
use super::run::Run;
use super::value::Value;
use crate::model::{Answer, Application, Disabled, Known};
use crate::source::Span;

/// What a path is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Entry {
    File,
    Folder,
    Missing,
}

impl<'a> Run<'a> {
    /// Goes to another file, or leaves the choice to the content handler.
    pub(super) fn try_files(&mut self) -> Option<Step> {
        let level = &self.config.levels[self.level];
        if level.kind == LevelKind::If
            && let Some(id) = self.location
            && let Some(tried) = &self.config.levels[self.config.locations[id].level].try_files
        {
            // With `=404` as its last word nothing is lost.
            if !matches!(tried.last, Fallback::Status(_)) {
                self.disabled.push(Disabled {
                    name: "try_files".into(),
                    span: tried.span,
                    by: level.span,
                });
            }
            return None;
        }
        let tried = level.try_files.as_ref()?;
        let elsewhere = !matches!(tried.last, Fallback::Status(_));
        for (file, folder) in &tried.files {
            let path = self.complex(file);
            let found = if let Known::Known(_) = self.request.files {
                self.try_known(&path, *folder)
            } else {
                self.try_assumed(&path, *folder, elsewhere, tried.span)
            };
            if found {
                return None;
            }
        }
        Some(match &tried.last {
            Fallback::Status(status) => {
                let kind = if *status == 404 {
                    Answer::NotFound
                } else {
                    Answer::Static
                };
                let made = Made::new(Known::Known(*status), kind, Some(tried.span));
                Step::Special(*status, made)
            }
            Fallback::Named(name) => Step::Named(name.clone()),
            Fallback::Uri(uri) => {
                let value = self.complex(uri);
                let Known::Known(text) = value.text else {
                    return Some(Step::Send(Made::untold(Some(tried.span))));
                };
                self.rewritten = Some(value.sources);
                let (path, args) = split_args(&text);
                self.file_exists = path != self.uri;
                Step::Internal(path, args)
            }
        })
    }

    /// Is it there? Then it is what the content handler gets.
    fn try_known(&mut self, path: &Value<'a>, folder: bool) -> bool {
        let Some(text) = path.known_text() else {
            return false;
        };
        let prefix = self.alias_prefix();
        let below = match prefix {
            Some(prefix) => text.strip_prefix(prefix).unwrap_or(text),
            None => text,
        };
        let Some(base) = self.base() else {
            return false;
        };
        let wanted = if folder { Entry::Folder } else { Entry::File };
        if self.entry(&format!("{base}{below}")) != wanted {
            return false;
        }
        let uri = format!("{}{below}", prefix.unwrap_or_default());
        if uri != self.uri {
            self.uri = Cow::Owned(uri);
            self.rewritten = Some(path.sources);
        }
        true
    }

    fn try_assumed(&mut self, path: &Value<'a>, folder: bool, elsewhere: bool, span: Span) -> bool {
        let own = path.known_text() == Some(&*self.uri);
        let slash = self.uri.ends_with('/');
        if folder {
            // A folder without its slash is redirected to; a path of the application is none.
            return own && slash && (self.uri == "/" || self.succeeds());
        }
        if !own || slash || !(self.file_exists || self.succeeds()) {
            return false;
        }
        !elsewhere
            || self.file_exists
            || self.request.exact
            || self
                .oracle
                .borrow_mut()
                .ask("the file exists".into(), Some(span), true)
    }

    /// Does the application (or the file system) have what is asked for?
    const fn succeeds(&self) -> bool {
        matches!(
            self.request.application,
            Application::Answers(200..=299) | Application::Unreachable
        )
    }

    /// What the current URI stands for.
    fn own_entry(&self) -> Entry {
        if let Known::Known(_) = self.request.files {
            return self
                .filename()
                .map_or(Entry::Missing, |name| self.entry(&name));
        }
        if self.uri.ends_with('/') {
            return if self.uri == "/" || self.file_exists || self.succeeds() {
                Entry::Folder
            } else {
                Entry::Missing
            };
        }
        if self.file_exists || self.succeeds() {
            Entry::File
        } else {
            Entry::Missing
        }
    }

    /// The handlers for files: dav, index, autoindex, static.
    pub(super) fn files(&mut self) -> Step {
        let dav = self
            .config
            .nearest(self.level, |level| level.dav_methods.as_ref());
        if let Some((_, span)) =
            dav.and_then(|methods| methods.iter().find(|(method, _)| *method == self.method))
        {
            let exists = self.own_entry() != Entry::Missing || self.method == "PUT";
            let status = if exists { 204 } else { 404 };
            let made = Made::new(Known::Known(status), Answer::Handler, Some(*span));
            return Step::Special(status, made);
        }
        let span = self.location.map(|id| self.config.locations[id].span);
        if !matches!(&*self.method, "GET" | "HEAD" | "POST") {
            return self.not_allowed(span);
        }
        let entry = self.own_entry();
        if self.uri.ends_with('/') {
            return self.folder(entry == Entry::Folder, span);
        }
        match entry {
            Entry::Folder => self.redirect_to_folder(span),
            Entry::Missing => self.missing(span),
            Entry::File if self.method == "POST" => self.not_allowed(span),
            Entry::File => Step::Send(Made::new(Known::Known(200), Answer::Static, span)),
        }
    }

    fn missing(&self, span: Option<Span>) -> Step {
        let status = match (&self.request.files, self.request.application) {
            (Known::Unknown, Application::Answers(status)) if status >= 400 => status,
            (Known::Unknown, Application::Throws) => 500,
            _ => 404,
        };
        let kind = if status == 404 {
            Answer::NotFound
        } else {
            Answer::Static
        };
        Step::Special(status, Made::new(Known::Known(status), kind, span))
    }

    fn folder(&mut self, exists: bool, span: Option<Span>) -> Step {
        if let Some(target) = self.index(exists) {
            self.file_exists = true;
            return Step::Internal(target, None);
        }
        if !exists {
            return self.missing(span);
        }
        let listed = self.config.nearest(self.level, |level| level.autoindex);
        if listed == Some(true) && self.method != "POST" {
            return Step::Send(Made::new(Known::Known(200), Answer::Static, span));
        }
        Step::Special(403, Made::new(Known::Known(403), Answer::Static, span))
    }

    /// The page of a folder.
    fn index(&mut self, exists: bool) -> Option<String> {
        let config = self.config;
        let names = config.nearest(self.level, |level| level.index.as_ref());
        let below = |uri: &str, name: &str| {
            if name.starts_with('/') {
                name.to_owned()
            } else {
                format!("{uri}{name}")
            }
        };
        if let Known::Known(_) = self.request.files {
            let base = self.filename()?;
            let Some(names) = names else {
                let found = self.entry(&format!("{base}index.html")) == Entry::File;
                return found.then(|| below(&self.uri, "index.html"));
            };
            for name in names {
                let Known::Known(name) = self.complex(name).text else {
                    continue;
                };
                // An absolute name is taken unseen.
                if name.starts_with('/') || self.entry(&format!("{base}{name}")) == Entry::File {
                    return Some(below(&self.uri, &name));
                }
            }
            return None;
        }
        if !exists || !self.succeeds() {
            return None;
        }
        let name = match names {
            None => "index.html",
            Some(names) => {
                let mut constants = names.iter().filter_map(Complex::constant);
                constants
                    .clone()
                    .find(|name| *name == "index.html")
                    .or_else(|| constants.next())?
            }
        };
        Some(below(&self.uri, name))
    }

    /// `root` or `alias`, and whether it is an alias.
    fn root(&self) -> (Option<&'a Complex>, bool) {
        let config = self.config;
        let found = config.nearest(self.level, |level: &'a Level| level.root.as_ref());
        match found {
            Some((path, alias)) => (Some(path), *alias),
            None => (None, false),
        }
    }

    /// The path that file names start with, without its leading slash.
    fn base(&mut self) -> Option<String> {
        let (root, _) = self.root();
        match root {
            None => Some("html".into()),
            Some(root) => {
                let Known::Known(text) = self.complex(root).text else {
                    return None;
                };
                Some(text.trim_start_matches('/').to_owned())
            }
        }
    }

    /// The constant root.
    pub(super) fn root_text(&self) -> Option<&'a str> {
        match self.root().0 {
            None => Some("html"),
            Some(root) => root.constant(),
        }
    }

    /// The URI prefix that an alias replaces.
    fn alias_prefix(&self) -> Option<&'a str> {
        let location = &self.config.locations[self.location.filter(|_| self.root().1)?];
        match location.matching {
            Matching::Exact | Matching::Prefix { .. } => Some(&location.name),
            _ => None,
        }
    }

    /// The file name of the current URI.
    pub(super) fn filename(&self) -> Option<String> {
        let (_, alias) = self.root();
        // Only constant roots have known files.
        let base = self.root_text()?.trim_start_matches('/');
        if !alias {
            return Some(format!("{base}{}", self.uri));
        }
        let location = &self.config.locations[self.location?];
        match location.matching {
            Matching::Exact | Matching::Prefix { .. } => {
                Some(format!("{base}{}", self.uri.get(location.name.len()..)?))
            }
            _ => Some(base.to_owned()),
        }
    }

    /// What a file name stands for.
    fn entry(&self, name: &str) -> Entry {
        let Known::Known(files) = &self.request.files else {
            return Entry::Missing;
        };
        let slash = name.ends_with('/');
        let mut path = String::with_capacity(name.len());
        for part in name.split('/').filter(|part| !part.is_empty()) {
            if !path.is_empty() {
                path.push('/');
            }
            path.push_str(part);
        }
        let mut folder = false;
        for file in files.iter() {
            match file.strip_prefix(path.as_str()) {
                Some("") if !slash => return Entry::File,
                Some(rest) if path.is_empty() || rest.starts_with('/') => folder = true,
                _ => {}
            }
        }
        if folder {
            Entry::Folder
        } else {
            Entry::Missing
        }
    }

    /// A file test of `if`; `None` if nobody knows.
    pub(super) fn test_file(&mut self, kind: u8, path: &'a Complex) -> Option<bool> {
        let Known::Known(_) = self.request.files else {
            return None;
        };
        self.names_files = true;
        let path = self.complex(path);
        self.names_files = false;
        let entry = self.entry(path.known_text()?.trim_start_matches('/'));
        Some(match kind {
            b'f' => entry == Entry::File,
            b'd' => entry == Entry::Folder,
            b'e' => entry != Entry::Missing,
            _ => return None,
        })
    }
}
