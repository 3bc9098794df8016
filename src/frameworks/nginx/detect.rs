//! Is this file nginx's?

use crate::syntax::nginx::sniff;
use std::path::Path;

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
    sniff::is_nginx(text)
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
