//! Just enough of nginx's grammar to find directives in our own fixtures; not what is tested.

use regex_syntax::hir::{Class, Hir, HirKind};

/// A directive and where it stands.
#[derive(Clone, Debug)]
pub(crate) struct Sketch {
    pub(crate) name: String,
    pub(crate) args: Vec<String>,
    /// Offset of the name.
    pub(crate) start: usize,
    /// One past `;` or `}`.
    pub(crate) end: usize,
    /// One past `{`, with what stands inside.
    pub(crate) block: Option<(usize, Vec<Sketch>)>,
}

impl Sketch {
    /// Calls `f` for this directive and all inside, with the names of the blocks around it.
    pub(crate) fn walk(&self, around: &mut Vec<String>, f: &mut dyn FnMut(&Self, &[String])) {
        f(self, around);
        if let Some((_, inner)) = &self.block {
            around.push(self.name.clone());
            inner.iter().for_each(|child| child.walk(around, f));
            around.pop();
        }
    }

    /// The directives of a name directly inside.
    pub(crate) fn inner<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Self> {
        let inner = self.block.as_ref().map_or(&[][..], |(_, inner)| inner);
        inner.iter().filter(move |child| child.name == name)
    }
}

/// Reads a file.
pub(crate) fn sketch(text: &str) -> Vec<Sketch> {
    let mut at = 0;
    statements(text, &mut at)
}

fn statements(text: &str, at: &mut usize) -> Vec<Sketch> {
    let mut found = Vec::new();
    let mut words: Vec<String> = Vec::new();
    let mut start = *at;
    let bytes = text.as_bytes();
    while let Some(byte) = bytes.get(*at) {
        match byte {
            b' ' | b'\t' | b'\r' | b'\n' => *at += 1,
            b'#' => *at = text[*at..].find('\n').map_or(text.len(), |end| *at + end),
            b'}' if words.is_empty() => {
                *at += 1;
                return found;
            }
            b';' | b'{' => {
                *at += 1;
                let inside = *at;
                let lua = words
                    .first()
                    .is_some_and(|name| name.ends_with("_lua_block"));
                let block = (*byte == b'{').then(|| {
                    if lua {
                        skip_block(bytes, at);
                        return (inside, Vec::new());
                    }
                    (inside, statements(text, at))
                });
                let mut words = std::mem::take(&mut words).into_iter();
                found.push(Sketch {
                    name: words.next().unwrap_or_default(),
                    args: words.collect(),
                    start,
                    end: *at,
                    block,
                });
            }
            _ => {
                if words.is_empty() {
                    start = *at;
                }
                words.push(word(text, at));
            }
        }
    }
    found
}

/// Skips a Lua block: braces count outside comments and quoted strings.
fn skip_block(bytes: &[u8], at: &mut usize) {
    let mut depth = 1;
    while depth > 0 && *at < bytes.len() {
        let skip_to = |end: u8| {
            let found = bytes[*at + 1..].iter().position(|byte| *byte == end);
            found.map_or(bytes.len(), |found| *at + 1 + found)
        };
        match bytes[*at] {
            b'{' => depth += 1,
            b'}' => depth -= 1,
            b'-' if bytes.get(*at + 1) == Some(&b'-') => *at = skip_to(b'\n'),
            quote @ (b'"' | b'\'') => *at = skip_to(quote),
            _ => {}
        }
        *at += 1;
    }
}

fn word(text: &str, at: &mut usize) -> String {
    let mut chars = text[*at..].char_indices().peekable();
    let quote = chars
        .next_if(|(_, first)| matches!(first, '"' | '\''))
        .map(|(_, quote)| quote);
    let mut word = String::new();
    while let Some((offset, next)) = chars.next() {
        let ends = match quote {
            Some(quote) => next == quote,
            None => match next {
                ' ' | '\t' | '\r' | '\n' | ';' => true,
                '{' => !word.ends_with('$'),
                _ => false,
            },
        };
        if ends {
            *at += offset + usize::from(quote.is_some());
            return word;
        }
        if next == '\\' {
            match chars.next() {
                Some((_, shielded @ ('"' | '\'' | '\\'))) => word.push(shielded),
                Some((_, shielded)) => word.extend(['\\', shielded]),
                None => {}
            }
        } else {
            word.push(next);
        }
    }
    *at = text.len();
    word
}

/// Replaces `start..end` by `text`.
#[derive(Clone, Debug)]
pub(crate) struct Edit {
    pub(crate) start: usize,
    pub(crate) end: usize,
    pub(crate) text: String,
}

/// Applies edits that do not overlap.
pub(crate) fn apply(text: &str, mut edits: Vec<Edit>) -> String {
    edits.sort_by_key(|edit| (edit.start, edit.end));
    let mut result = String::new();
    let mut at = 0;
    for edit in edits {
        result.push_str(&text[at..edit.start]);
        result.push_str(&edit.text);
        at = edit.end;
    }
    result + &text[at..]
}

/// Scheme, host, port unless default, path and query.
pub(crate) fn split_url(url: &str) -> (&str, &str, Option<u16>, &str) {
    let (scheme, rest) = url.split_once("://").unwrap();
    let (authority, target) = rest.split_at(rest.find('/').unwrap());
    match authority.rsplit_once(':') {
        Some((host, port)) => (scheme, host, Some(port.parse().unwrap()), target),
        None => (scheme, authority, None, target),
    }
}

/// Scheme and authority of a server block: `http://api.example.com:8080`.
fn authority(server: &Sketch) -> String {
    let listen = server
        .inner("listen")
        .find(|listen| !listen.args[0].contains('['));
    let args = listen.map_or(&[][..], |listen| &listen.args);
    let secure = args.iter().any(|arg| arg == "ssl");
    let address = args.first().map_or("80", String::as_str);
    let port = address
        .rsplit(':')
        .next()
        .filter(|port| port.parse::<u16>().is_ok());
    let names = server.inner("server_name").flat_map(|names| &names.args);
    let mut hosts = names.filter(|name| !name.contains(['*', '~', '_', '$']) && !name.is_empty());
    let host = hosts.next().map_or("example.com", String::as_str);
    let host = host.strip_prefix('.').unwrap_or(host);
    let scheme = if secure { "https" } else { "http" };
    match port.unwrap_or("80") {
        "443" if secure => format!("https://{host}"),
        "80" if !secure => format!("http://{host}"),
        port => format!("{scheme}://{host}:{port}"),
    }
}

/// A URL for every server and every location of these files.
pub(crate) fn urls(files: &[&str]) -> Vec<String> {
    let mut urls = Vec::new();
    for text in files {
        for directive in sketch(text) {
            directive.walk(&mut Vec::new(), &mut |server, _| {
                if server.name == "server" && server.block.is_some() {
                    let base = authority(server);
                    urls.push(format!("{base}/"));
                    location_paths(server, &mut |path| urls.push(format!("{base}{path}")));
                }
            });
        }
    }
    let mut seen = Vec::new();
    urls.retain(|url| {
        !seen.contains(url) && {
            seen.push(url.clone());
            true
        }
    });
    urls
}

fn location_paths(block: &Sketch, found: &mut dyn FnMut(String)) {
    for location in block.inner("location") {
        let path = match location.args.as_slice() {
            [prefix] if prefix.starts_with('/') => path_below(prefix),
            [modifier, path] if modifier == "=" => Some(path.clone()),
            [modifier, path] if modifier == "^~" => path_below(path),
            [modifier, pattern] if modifier == "~" || modifier == "~*" => path_matching(pattern),
            _ => None,
        };
        path.into_iter().for_each(&mut *found);
        location_paths(location, found);
    }
}

fn path_below(prefix: &str) -> Option<String> {
    let item = if prefix.ends_with('/') { "item" } else { "" };
    Some(format!("{prefix}{item}"))
}

/// A path that a simple pattern matches.
fn path_matching(pattern: &str) -> Option<String> {
    let hir = regex_syntax::parse(pattern).ok()?;
    let text = sample(&hir);
    Some(if text.starts_with('/') {
        text
    } else if pattern.starts_with('^') {
        return None;
    } else {
        format!("/item{text}")
    })
}

fn sample(hir: &Hir) -> String {
    match hir.kind() {
        HirKind::Literal(literal) => String::from_utf8_lossy(&literal.0).into_owned(),
        HirKind::Class(Class::Unicode(class)) => ('a'..='z')
            .chain('0'..='9')
            .find(|c| {
                class
                    .ranges()
                    .iter()
                    .any(|range| range.start() <= *c && *c <= range.end())
            })
            .or_else(|| class.ranges().first().map(|range| range.start()))
            .map_or_else(String::new, String::from),
        HirKind::Repetition(repetition) => {
            sample(&repetition.sub).repeat(repetition.min.max(1) as usize)
        }
        HirKind::Capture(capture) => sample(&capture.sub),
        HirKind::Concat(parts) => parts.iter().map(sample).collect(),
        HirKind::Alternation(choices) => choices.first().map(sample).unwrap_or_default(),
        _ => String::new(),
    }
}

/// Origins that stand in the text, escaped or not, other than where requests are sent to.
pub(crate) fn trusted_origins(files: &[&str]) -> Vec<String> {
    const TARGETS: [&str; 6] = [
        "proxy_pass",
        "return",
        "rewrite",
        "server_name",
        "proxy_redirect",
        "error_page",
    ];
    let origin = regex::Regex::new(r"https?://[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*(:\d+)?").unwrap();
    let mut found: Vec<String> = Vec::new();
    for text in files {
        for line in text.lines() {
            let line = line.trim_start();
            if line.starts_with('#') || TARGETS.iter().any(|name| line.starts_with(name)) {
                continue;
            }
            for origin in origin.find_iter(&line.replace("\\.", ".")) {
                let origin = origin.as_str().to_owned();
                if !found.contains(&origin) {
                    found.push(origin);
                }
            }
        }
    }
    if found.is_empty() {
        found.push("https://app.example.com".into());
    }
    found.truncate(4);
    found
}
