//! Is a text nginx's? Apache, lighttpd, HOCON, supervisor and others use the ending `.conf` too.

/// Directives that end with `;` and that nobody else writes like this.
const SIMPLE: [&str; 34] = [
    "access_log",
    "add_header",
    "add_header_inherit",
    "auth_basic",
    "auth_request",
    "client_max_body_size",
    "error_log",
    "error_page",
    "expires",
    "fastcgi_hide_header",
    "fastcgi_param",
    "fastcgi_pass",
    "fastcgi_pass_header",
    "grpc_hide_header",
    "grpc_pass",
    "grpc_pass_header",
    "grpc_set_header",
    "keepalive_timeout",
    "listen",
    "more_clear_headers",
    "more_set_headers",
    "proxy_hide_header",
    "proxy_pass",
    "proxy_pass_header",
    "proxy_set_header",
    "scgi_hide_header",
    "scgi_pass",
    "scgi_pass_header",
    "server_name",
    "ssl_certificate",
    "try_files",
    "uwsgi_hide_header",
    "uwsgi_pass",
    "uwsgi_pass_header",
];

/// Does a text hold a statement of nginx's, and none of those that share its file names? The time
/// is linear in its length.
#[must_use]
pub fn is_nginx(text: &str) -> bool {
    has_statement(text) && !text.lines().any(|line| is_foreign(line.trim_start()))
}

/// Is this the text of a main file, one with the outermost blocks?
#[must_use]
pub fn is_main(text: &str) -> bool {
    starts(text).any(|rest| {
        let (word, rest) = word(rest);
        matches!(word, "events" | "http") && rest.trim_start().starts_with('{')
    })
}

fn has_statement(text: &str) -> bool {
    starts(text).any(is_statement)
}

/// What follows each place where a statement may start: a line, or after `;`, `{` and `}`.
fn starts(text: &str) -> impl Iterator<Item = &str> {
    let ends = text.bytes().enumerate();
    let ends = ends.filter(|(_, byte)| matches!(byte, b'\n' | b';' | b'{' | b'}'));
    std::iter::once(0)
        .chain(ends.map(|(at, _)| at + 1))
        .map(|at| text[at..].trim_start_matches([' ', '\t', '\r', '\u{feff}']))
}

/// The word that a text starts with, and the rest.
fn word(text: &str) -> (&str, &str) {
    let is_end = |c: char| !(c.is_ascii_lowercase() || c == '_');
    text.split_at(text.find(is_end).unwrap_or(text.len()))
}

fn is_statement(text: &str) -> bool {
    let (word, rest) = word(text);
    if word.is_empty() {
        return false;
    }
    let value = rest.trim_start();
    let spaced = value.len() < rest.len();
    let unquoted = value.strip_prefix(['"', '\'']).unwrap_or(value);
    match word {
        "set" => spaced && unquoted.starts_with('$') && ends_with(value, ';'),
        "return" => spaced && is_returned(value) && ends_with(value, ';'),
        "location" => {
            let name = rest.trim_start_matches([' ', '\t']);
            let end = name.find(['\n', ';', '{', '}']).unwrap_or(name.len());
            name.len() < rest.len()
                && !name[..end].trim_end().is_empty()
                && name[end..].trim_start().starts_with('{')
        }
        "map" => spaced && unquoted.starts_with('$') && ends_with(value, '{'),
        "if" => value.strip_prefix('(').is_some_and(|condition| {
            let condition = condition.trim_start();
            let test = condition.strip_prefix('!').unwrap_or(condition);
            condition.starts_with('$')
                || ["-f ", "-d ", "-e ", "-x "]
                    .iter()
                    .any(|start| test.starts_with(start))
        }),
        "limit_except" => spaced && ends_with(value, '{'),
        "http" | "server" | "events" => value
            .strip_prefix('{')
            .and_then(|inside| inside.find(['{', '}', ';']).map(|at| inside.as_bytes()[at]))
            .is_some_and(|end| end != b'}'),
        _ => {
            SIMPLE.binary_search(&word).is_ok()
                && spaced
                && !value.starts_with([';', '{', '}', '='])
                && ends_with(value, ';')
        }
    }
}

/// Is `end` the first of nginx's own marks in a text?
fn ends_with(text: &str, end: char) -> bool {
    text.chars().find(|c| matches!(c, ';' | '{' | '}')) == Some(end)
}

/// Is this what `return` takes: a status, an address or a variable?
fn is_returned(value: &str) -> bool {
    let digits = value.bytes().take_while(u8::is_ascii_digit).count();
    let unquoted = value.strip_prefix(['"', '\'']).unwrap_or(value);
    digits == 3
        || ["http:", "https:", "$"]
            .iter()
            .any(|start| unquoted.starts_with(start))
}

/// Lines of Apache, lighttpd, systemd and supervisor.
fn is_foreign(line: &str) -> bool {
    if let Some(tag) = line.strip_prefix('<') {
        let known = [
            "VirtualHost",
            "Directory",
            "Location",
            "IfModule",
            "Files",
            "Proxy",
        ];
        return known.contains(&name(tag.strip_prefix('/').unwrap_or(tag)).0);
    }
    if let Some(section) = line.strip_prefix('[') {
        let section = section.trim_end().strip_suffix(']');
        let named = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | ':' | '.' | ' ' | '-');
        return section.is_some_and(|title| {
            title.starts_with(|c: char| c.is_ascii_alphabetic()) && title.chars().all(named)
        });
    }
    for scope in ["server.", "setenv."] {
        if let Some(setting) = line.strip_prefix(scope) {
            let (key, rest) = name(setting);
            return !key.is_empty() && rest.trim_start().starts_with('=');
        }
    }
    for directive in ["Header", "RequestHeader"] {
        let mut words = line.split_whitespace();
        if words.next() == Some(directive) {
            let mut action = words.next();
            if action == Some("always") {
                action = words.next();
            }
            let known = ["set", "add", "append", "merge", "unset"];
            return action.is_some_and(|action| known.contains(&action)) && words.next().is_some();
        }
    }
    false
}

/// The name that a text starts with, and the rest.
fn name(text: &str) -> (&str, &str) {
    let is_end = |c: char| !c.is_ascii_alphanumeric() && c != '_' && c != '-';
    text.split_at(text.find(is_end).unwrap_or(text.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_simple_directives_are_sorted() {
        assert!(SIMPLE.is_sorted());
    }

    #[test]
    fn statements_of_nginx_are_known() {
        for text in [
            "add_header Access-Control-Allow-Origin *;",
            "map $http_origin $o { default ''; }",
            "\tproxy_set_header Origin '';",
            "include cors;\nreturn 204;",
            "return 301 https://a.example$request_uri;",
            "http{include sites/*;}",
            "location = / {\n}",
            "location /a\n{\n}",
            "location ~ \\.css$ {",
            "x{if ($a) {}}",
            "if (!-f $request_filename) { break; }",
            "limit_except GET { deny all; }",
            "set $cors '';",
            "server {\n  listen 80;\n}",
            "\u{feff}listen 80;",
            "# nginx\r\nserver_name\ta.example\r\n  b.example;\r\n",
        ] {
            assert!(is_nginx(text), "{text}");
        }
    }

    #[test]
    fn the_languages_of_others_are_left_alone() {
        for text in [
            "",
            "server {\n cors = \"*\"\n}\n",
            "listen = 9000\n; about cors\n",
            "bind 127.0.0.1\nport 6379\n",
            "namespace inbox {\n  location =\n  separator = /\n  mailbox \"x\" {\n  }\n}\n",
            "<VirtualHost *:80>\n Header set Access-Control-Allow-Origin \"*\"\n listen 80;\n</VirtualHost>\n",
            "Header always set A b\nlisten 80;\n",
            "[program:app]\ncommand=/bin/app\nlisten 80;\n",
            "server.port = 80\nlisten 80;\n",
            "set x = 1;",
            "return code;",
            "map x to y {",
        ] {
            assert!(!is_nginx(text), "{text}");
        }
    }

    #[test]
    fn a_main_file_has_the_outermost_blocks() {
        assert!(is_main("user x;\nevents {}\n"));
        assert!(is_main("user x; http{ }"));
        assert!(is_main("http\n{\n}"));
        assert!(!is_main("server { location / { } }"));
        assert!(!is_main("# the http { block\nserver {}"));
    }
}
