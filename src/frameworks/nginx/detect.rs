//! Is this file nginx's?

use std::path::Path;
use std::sync::LazyLock;

use regex::bytes::Regex;

/// Statements that only nginx writes like this. Without Unicode's classes, which take far longer to
/// compile than a usual file to search.
static STATEMENT: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r#"(?xm-u) (?: ^ | [;{}] ) \s* (?:
            (?: add_header (?:_inherit)? | more_(?:set|clear)_headers
              | (?:proxy|fastcgi|uwsgi|scgi|grpc) _ (?: pass | (?:hide|set|pass)_header )
              | try_files | server_name | error_page | auth_request | auth_basic | fastcgi_param
              | ssl_certificate | listen | client_max_body_size
            ) \s+ [^\s;{}=] [^;{}]* ;
          | set \s+ ["']? \$ [^;{}]* ;
          | return \s+ (?: [0-9]{3} | ["']? (?: https?: | \$ ) ) [^;{}]* ;
          | location [\ \t]+ [^\s;{}] [^;{}\n]* \s* \{
          | map \s+ ["']? \$ [^;{}]* \{
          | if \s* \( \s* (?: \$ | !?-[fdex]\s )
          | limit_except \s [^;{}]* \{
          | (?: http | server | events ) \s* \{
        )"#,
    )
    .ok()
});

/// Statements of Apache, lighttpd, HAProxy, systemd and supervisor, which share the ending `.conf`.
static FOREIGN: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r"(?xm-u) ^\s* (?:
            </?(?:VirtualHost|Directory|Location|IfModule|Files|Proxy)\b
          | (?:Header|RequestHeader) \s+ (?:always\s+)? (?:set|add|append|merge|unset) \s
          | \[ [A-Za-z][\w:. -]* \] \s* $
          | server\.[\w-]+ \s* = | setenv\.[\w-]+ \s* =
        )",
    )
    .ok()
});

fn is_match(pattern: &LazyLock<Option<Regex>>, text: &str) -> bool {
    pattern
        .as_ref()
        .is_some_and(|pattern| pattern.is_match(text.as_bytes()))
}

/// Is this file an nginx configuration, or a piece of one?
#[must_use]
pub fn detect(path: &Path, text: &str) -> bool {
    let name = path
        .file_name()
        .map(|name| name.to_string_lossy().to_ascii_lowercase())
        .unwrap_or_default();
    let other = [
        ".md",
        ".markdown",
        ".rst",
        ".txt",
        ".html",
        ".js",
        ".mjs",
        ".cjs",
        ".jsx",
        ".ts",
        ".tsx",
        ".py",
        ".java",
        ".kt",
        ".json",
        ".toml",
        ".yaml",
        ".yml",
        ".sh",
        ".go",
        ".rb",
        ".php",
        ".rs",
        ".lua",
    ];
    if other.iter().any(|ending| name.ends_with(ending)) {
        return false;
    }
    is_match(&STATEMENT, text) && !is_match(&FOREIGN, text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nginx_is_told_from_its_neighbours() {
        let is = |name: &str, text: &str| detect(Path::new(name), text);
        assert!(is("nginx.conf", "events {} http { server { listen 80; } }"));
        assert!(is(
            "cors.conf",
            "add_header Access-Control-Allow-Origin *;\n"
        ));
        assert!(is(
            "default",
            "server {\n  location / { proxy_pass http://a; }\n}\n"
        ));
        assert!(is(
            "x.conf.template",
            "map $http_origin $cors {\n default '';\n}\n"
        ));
        // Dovecot's.
        assert!(!is(
            "folders.conf",
            "namespace inbox {\n  location =\n  separator = /\n  mailbox \"x\" {\n  }\n}\n"
        ));
        assert!(!is(
            "README.md",
            "```\nlocation / { proxy_pass http://a; }\n```\n"
        ));
        assert!(!is(
            "httpd.conf",
            "<VirtualHost *:80>\n Header set Access-Control-Allow-Origin \"*\"\n</VirtualHost>\n"
        ));
        assert!(!is(
            "app.conf",
            "[program:app]\ncommand=/bin/app --listen 80;\n"
        ));
        assert!(!is("redis.conf", "bind 127.0.0.1\nport 6379\n"));
        assert!(!is(
            "lighttpd.conf",
            "server.port = 80\nsetenv.add-response-header = ()\n"
        ));
    }
}
