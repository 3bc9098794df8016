//! What the bytes of an input stand for.
//!
//! A text, as it would stand in a file. Where more than one is needed, NUL bytes separate: a text,
//! the name of the next file, its text, and so on. The name `?` stands for no file: its text holds the
//! lines of a request: method, origin, path, requested method, requested headers.

use std::path::PathBuf;
use std::sync::Arc;

use corslint::model::{Application, Request, Url};
use corslint::source::{SourceFile, Sources};

/// A folder that does not exist: nothing on the disk is part of an input.
pub const ROOT: &str = "/corslint-fuzz";

/// An input, taken apart.
pub struct Input<'a> {
    /// Names and texts, in order of the names, each once.
    pub files: Vec<(&'a str, &'a str)>,
    /// The lines of the request.
    request: Option<&'a str>,
}

impl<'a> Input<'a> {
    /// Takes bytes apart; the first text is that of the file `name`. `None` if they are no UTF-8: such
    /// files are not read.
    pub fn of(name: &'a str, data: &'a [u8]) -> Option<Self> {
        let text = std::str::from_utf8(data).ok()?;
        let mut parts = text.split('\0');
        let mut files = vec![(name, parts.next()?)];
        let mut request = None;
        while let (Some(name), Some(text)) = (parts.next(), parts.next()) {
            match name {
                "?" => request = Some(text),
                // Names lead to nothing outside.
                _ if name.split('/').any(|part| matches!(part, "" | "." | "..")) => {}
                _ => files.push((name, text)),
            }
        }
        files.sort_by_key(|(name, _)| *name);
        files.dedup_by_key(|(name, _)| *name);
        Some(Self { files, request })
    }

    /// The files as those of a run.
    pub fn add_to(&self, sources: &Sources) -> Vec<Arc<SourceFile>> {
        let files = self.files.iter();
        let files = files.map(|(name, text)| {
            let path = PathBuf::from(ROOT).join(name);
            sources.add(path, (*text).to_owned())
        });
        files.collect()
    }

    /// What to ask at an endpoint's URL: the input's own request and some that every run asks.
    pub fn requests(&self, url: &Url) -> Vec<Request> {
        let mut requests = vec![
            Request::actual(url.clone(), None),
            Request::actual(url.clone(), Some("https://app.example.com")),
            Request::preflight(url.clone(), "null", "PUT", &["x-token"]),
        ];
        let Some(lines) = self.request else {
            return requests;
        };
        let mut lines = lines.split('\n');
        let mut line = || lines.next().filter(|line| !line.is_empty());
        let method = line().unwrap_or("GET");
        let mut request = Request::actual(url.clone(), line());
        request.method = method.to_owned();
        if let Some(path) = line() {
            request.url.path = format!("/{path}");
        }
        request.requested_method = line().map(str::to_owned);
        request.requested_headers = line().map_or_else(Vec::new, |names| {
            names.split(',').map(str::to_owned).collect()
        });
        request.cookies = method.len().is_multiple_of(2);
        request.exact = !request.requested_headers.len().is_multiple_of(2);
        if request.requested_method.is_some() && method.len() > 4 {
            request.application = Application::Throws;
        }
        requests.push(request);
        requests
    }
}
