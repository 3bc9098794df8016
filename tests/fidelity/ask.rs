//! Requests in one textual form for the client, the record and the model.

use corslint::model;

use super::sketch::split_url;

/// What the upstream does with a request (or which of its files a static path stands for).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Application {
    /// Answers with this status.
    Answers(u16),
    /// Closes the connection.
    Closes,
    /// Raises an exception that nobody catches (applications in process).
    Throws,
}

/// One request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Ask {
    pub(crate) url: String,
    /// The method; of a preflight `OPTIONS>` and the method it asks for.
    pub(crate) method: String,
    pub(crate) application: Application,
    pub(crate) origin: Option<String>,
    /// Further header lines, `name: value`, lower-case names.
    pub(crate) headers: Vec<String>,
}

impl Ask {
    /// Everything but URL and origin, as one text: `OPTIONS>POST 200 cookie: a=b`.
    pub(crate) fn kind(&self) -> String {
        let answer = match self.application {
            Application::Answers(status) => status.to_string(),
            Application::Closes => "close".into(),
            Application::Throws => "throw".into(),
        };
        let mut kind = format!("{} {answer}", self.method);
        for header in &self.headers {
            kind.push_str(" | ");
            kind.push_str(header);
        }
        kind
    }

    /// The reverse of [`Ask::kind`].
    pub(crate) fn of_kind(kind: &str, url: &str, origin: Option<&str>) -> Self {
        let mut parts = kind.split(" | ");
        let (method, answer) = parts.next().unwrap().split_once(' ').unwrap();
        let application = match answer {
            "close" => Application::Closes,
            "throw" => Application::Throws,
            status => Application::Answers(status.parse().unwrap()),
        };
        Self {
            url: url.into(),
            method: method.into(),
            application,
            origin: origin.map(Into::into),
            headers: parts.map(Into::into).collect(),
        }
    }

    /// Method and, for a preflight, the method asked for.
    pub(crate) fn methods(&self) -> (&str, Option<&str>) {
        match self.method.split_once('>') {
            Some((method, requested)) => (method, Some(requested)),
            None => (&self.method, None),
        }
    }

    /// All header lines but `Host`.
    pub(crate) fn header_lines(&self) -> Vec<String> {
        let mut lines: Vec<String> = Vec::new();
        lines.extend(self.origin.iter().map(|origin| format!("origin: {origin}")));
        if let (_, Some(requested)) = self.methods() {
            lines.push(format!("access-control-request-method: {requested}"));
            lines.push(format!(
                "access-control-request-headers: {}",
                UNSAFE.join(",")
            ));
        }
        lines.extend(self.headers.iter().cloned());
        lines
    }

    /// The request as the model has it.
    pub(crate) fn request(&self) -> model::Request {
        let (method, requested) = self.methods();
        let headers = self.headers.iter().map(|line| {
            let (name, value) = line.split_once(": ").unwrap();
            (name.to_owned(), value.to_owned())
        });
        let (scheme, host, port, target) = split_url(&self.url);
        let (path, query) = match target.split_once('?') {
            Some((path, query)) => (path, Some(query.to_owned())),
            None => (target, None),
        };
        let url = model::Url {
            scheme: scheme.into(),
            host: host.into(),
            port,
            path: path.into(),
            query,
        };
        let unsafe_names = requested.map_or(&[][..], |_| &UNSAFE);
        let options_status = match self.application {
            Application::Answers(status) if method == "OPTIONS" => model::Known::Known(status),
            _ => model::Known::Unknown,
        };
        model::Request {
            options_status,
            exact: true,
            method: method.into(),
            requested_method: requested.map(Into::into),
            requested_headers: unsafe_names.iter().map(|name| (*name).into()).collect(),
            cookies: self.headers.iter().any(|line| line.starts_with("cookie: ")),
            headers: headers.collect(),
            application: match self.application {
                Application::Answers(status) => model::Application::Answers(status),
                Application::Closes => model::Application::Unreachable,
                Application::Throws => model::Application::Throws,
            },
            ..model::Request::actual(url, self.origin.as_deref())
        }
    }
}

/// The header names that every preflight asks for.
const UNSAFE: [&str; 2] = ["authorization", "content-type"];

/// The standard requests to a URL: what an upstream answers with its success, and, where an
/// upstream is behind the URL, with an error or not at all.
pub(crate) fn standard_kinds() -> [(&'static str, &'static [&'static str]); 4] {
    [
        ("GET 200", &["GET 404", "GET 500", "GET close"]),
        ("OPTIONS>PUT 200", &["OPTIONS>PUT 405"]),
        ("POST 200", &["POST 500"]),
        ("DELETE 200", &["DELETE 404"]),
    ]
}

/// The origins that ask: nobody, the trusted ones, a foreign one, the opaque one, and look-alikes
/// of the first trusted one.
pub(crate) fn origins_for(trusted: &[String]) -> Vec<Option<String>> {
    let mut origins: Vec<Option<String>> = vec![None];
    let mut add = |origin: String| {
        let origin = Some(origin);
        if !origins.contains(&origin) {
            origins.push(origin);
        }
    };
    trusted.iter().for_each(|origin| add(origin.clone()));
    add("https://evil.example".into());
    add("null".into());
    let Some((scheme, host)) = trusted.first().and_then(|first| first.split_once("://")) else {
        return origins;
    };
    let domain = host.split(':').next().unwrap_or(host);
    let parent = domain.split_once('.').map_or(domain, |(_, parent)| parent);
    let other = if scheme == "https" { "http" } else { "https" };
    add(format!("{scheme}://{domain}.evil.example"));
    add(format!("{scheme}://evil{domain}"));
    add(format!("{scheme}://evil{parent}"));
    add(format!("{scheme}://sub.{domain}"));
    add(format!("{scheme}://{}", domain.replacen('.', "-", 1)));
    add(format!("{other}://{host}"));
    add(format!("{scheme}://{domain}:8443"));
    add(format!("{scheme}://{}", host.to_uppercase()));
    origins
}
