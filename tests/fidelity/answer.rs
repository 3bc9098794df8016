//! What of a response head is compared.

/// The status and the headers that matter, in one normal form for both sides.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Answer {
    /// The status; `None` if the connection was closed without an answer.
    pub(crate) status: Option<u16>,
    /// `access-control-*` lines in order: lower-case name, value.
    pub(crate) cors: Vec<(String, String)>,
    /// Members of all `Vary` lines, lower case, sorted, each once.
    pub(crate) vary: Vec<String>,
    /// `Location`, without scheme and host if they are the request's own.
    pub(crate) location: Option<String>,
}

/// Stands for the request's own origin in a recorded line.
pub(crate) const ORIGIN: &str = "{origin}";

impl Answer {
    /// No answer at all.
    pub(crate) const CLOSED: Self = Self {
        status: None,
        cors: Vec::new(),
        vary: Vec::new(),
        location: None,
    };

    /// Reads the header part of a response. `own` is the request's `scheme://host[:port]`.
    pub(crate) fn parse(status: u16, head: &str, own: &str) -> Self {
        let mut answer = Self {
            status: Some(status),
            ..Self::CLOSED
        };
        for (name, value) in lines(head) {
            let name = name.to_ascii_lowercase();
            if name == "vary" {
                let members = value.split(',').map(|member| member.trim().to_lowercase());
                answer
                    .vary
                    .extend(members.filter(|member| !member.is_empty()));
            } else if name == "location" {
                let path = value.strip_prefix(own).filter(|path| path.starts_with('/'));
                answer.location = Some(path.unwrap_or(&value).to_owned());
            } else if name.starts_with("access-control-") {
                answer.cors.push((name, value));
            }
        }
        answer.vary.sort();
        answer.vary.dedup();
        answer
    }

    /// One text per fact, with the request's own origin replaced by [`ORIGIN`].
    pub(crate) fn texts(&self, origin: Option<&str>) -> Vec<String> {
        let Some(status) = self.status else {
            return vec!["closed".into()];
        };
        let mut texts = vec![status.to_string()];
        for (name, value) in &self.cors {
            let value = if Some(value.as_str()) == origin {
                ORIGIN
            } else {
                value
            };
            texts.push(format!("{name}: {value}"));
        }
        if !self.vary.is_empty() {
            texts.push(format!("vary: {}", self.vary.join(", ")));
        }
        texts.extend(self.location.iter().map(|to| format!("location: {to}")));
        texts
    }

    /// The reverse of [`Answer::texts`].
    pub(crate) fn from_texts(texts: &[String], origin: Option<&str>) -> Self {
        let status = texts.first().and_then(|text| text.parse().ok());
        let Some(status) = status else {
            return Self::CLOSED;
        };
        let mut answer = Self {
            status: Some(status),
            ..Self::CLOSED
        };
        for text in texts.iter().skip(1) {
            let (name, value) = text.split_once(": ").unwrap();
            match name {
                "vary" => answer.vary = value.split(", ").map(Into::into).collect(),
                "location" => answer.location = Some(value.into()),
                _ => {
                    let own = value == ORIGIN;
                    let value = origin.filter(|_| own).unwrap_or(value);
                    answer.cors.push((name.into(), value.into()));
                }
            }
        }
        answer
    }
}

/// Header lines with folded continuation lines joined by a space (RFC 9112 §5.2).
fn lines(head: &str) -> Vec<(String, String)> {
    let mut lines: Vec<(String, String)> = Vec::new();
    for line in head.split('\n') {
        let line = line.strip_suffix('\r').unwrap_or(line);
        if line.starts_with([' ', '\t']) {
            if let Some((_, value)) = lines.last_mut() {
                value.push(' ');
                value.push_str(line.trim_matches([' ', '\t']));
            }
        } else if let Some((name, value)) = line.split_once(':') {
            lines.push((name.into(), value.trim_matches([' ', '\t']).into()));
        }
    }
    lines
}
