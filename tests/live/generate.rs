//! Random configurations from the constructs that decide a CORS header.
//!
//! Everything here is what nginx accepts, apart from rare clashes (the same location twice) that
//! the caller skips. Names are few on purpose: what is written in one place should meet what is
//! written in another.

use crate::tree::Node;

/// Splitmix64 (Steele, Lea, Flood 2014): small, and the same everywhere.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `bound`.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % bound as u64).unwrap_or(0)
    }

    pub(crate) fn percent(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    pub(crate) fn pick<'a>(&mut self, choices: &[&'a str]) -> &'a str {
        choices[self.below(choices.len())]
    }
}

const NAMES: [&str; 10] = [
    "Access-Control-Allow-Origin",
    "Access-Control-Allow-Origin",
    "Access-Control-Allow-Origin",
    "Access-Control-Allow-Origin",
    "access-control-allow-origin",
    "Access-Control-Allow-Credentials",
    "Access-Control-Allow-Methods",
    "Access-Control-Max-Age",
    "Vary",
    "X-Other",
];

const VALUES: [&str; 27] = [
    "*",
    "$http_origin",
    "$http_origin",
    "https://app.example.com",
    "\"https://www.example.com\"",
    "true",
    "Origin",
    "'GET, PUT'",
    "\"\"",
    "$v0",
    "$v1",
    "x$v0-$v1",
    "$1",
    "$scheme://$host",
    "$uri",
    "$status",
    "$request_method",
    "$arg_x",
    "$upstream_http_access_control_allow_origin",
    "$sent_http_access_control_allow_origin",
    "$request_uri",
    "$cookie_x",
    "$args",
    "${http_origin}x",
    "$server_name",
    "$document_uri$is_args$query_string",
    "\"a, $v1\"",
];

const SOURCES: [&str; 8] = [
    "$http_origin",
    "$http_origin",
    "$http_origin",
    "$request_method",
    "\"$request_method:$http_origin\"",
    "$arg_x",
    "$uri",
    "$v0",
];

const KEYS: [&str; 20] = [
    "https://app.example.com",
    "\"https://APP.example.com\"",
    "https://evil.example",
    "\"\"",
    "null",
    "OPTIONS",
    "GET:https://app.example.com",
    "1",
    "0",
    "/a/x",
    "~example\\.com",
    "\"~^https://(app|www)\\.example\\.com$\"",
    "~*^HTTPS://APP",
    "~^OPTIONS",
    "~^(?<named>https?)://",
    "~^(.)(.)",
    "~.",
    "~^$",
    "*.example.com",
    "~*\\.example$",
];

const CONDITIONS: [&str; 27] = [
    "$http_origin",
    "$http_origin = https://app.example.com",
    "$http_origin != \"https://app.example.com\"",
    "$http_origin ~ \"^https://(app|www)\\.example\\.com$\"",
    "$http_origin ~* (APP|evil)",
    "$http_origin !~ example\\.com",
    "$http_origin !~* \"^https://\"",
    "$http_origin = null",
    "$http_origin = \"\"",
    "$request_method = OPTIONS",
    "$request_method = OPTIONS",
    "$request_method = OPTIONS",
    "$request_method = 'GET'",
    "$request_method !~ ^(GET|POST)$",
    "$request_method ~ ^(P)(O)",
    "$v0",
    "$v0 = 1",
    "$v1 != \"\"",
    "$v0 = 11",
    "$arg_x",
    "$cookie_x",
    "$uri ~ ^/(a|b)/(.*)$",
    "-f $request_filename",
    "!-e $request_filename",
    "$args",
    "$host != api.example.com",
    "$scheme = http",
];

const PREFIXES: [&str; 16] = [
    "/",
    "/",
    "/",
    "= /",
    "/a/",
    "/a/",
    "/a/b/",
    "= /a/x",
    "^~ /a/",
    "/b/",
    "/c",
    "~ \\.json$",
    "~* ^/(A|b)/",
    "~ ^/a/(.*)$",
    "^~ /c/",
    "= /c/index.html",
];

const PATHS: [&str; 6] = [
    "/a/x",
    "/a/b/y.json",
    "/b/z",
    "/c/index.html",
    "/err.json",
    "/",
];

const REWRITES: [&str; 12] = [
    "^/a/(.*)$ /b/$1",
    "^/b/(.*)$ /a/b/$1",
    "^/a/ /c/index.html",
    "^ /err.json",
    "^/(.)/(.*)$ /a/x?from=$1",
    "^/c/(.*)$ /$1?",
    "x$ /b/z",
    "^/a/x$ https://www.example.com/moved",
    "json http://api.example.com/$http_origin",
    "^/zzz /a/x",
    "^/(.*)y(.*)$ /$2$1",
    "^/a/(?<rest>.*)$ /b/$rest",
];

const RETURNS: [&str; 20] = [
    "204",
    "204",
    "200",
    "200 ok",
    "200 $v0",
    "202",
    "403",
    "403",
    "404",
    "401",
    "405",
    "418",
    "500",
    "503",
    "444",
    "301 /b/z",
    "302 https://www.example.com$request_uri",
    "307 https://$host$uri",
    "https://www.example.com/$http_origin",
    "308 /a/x",
];

/// What is asked of every random configuration.
pub(crate) const URLS: [&str; 5] = ["/a/x", "/a/b/y.json", "/b/z?x=1", "/c/index.html", "/"];
/// The same, of files that do not exist.
pub(crate) const MISSING: [&str; 2] = ["/zzz", "/a/none"];

/// Makes one configuration.
pub(crate) struct Generator {
    random: Random,
    maps: usize,
    included: usize,
    named: Vec<String>,
    /// What some locations proxy to.
    application: &'static str,
}

/// An application out of view.
const APPLICATION: &str = "http://app:3000";

impl Generator {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            random: Random::new(seed),
            maps: 0,
            included: 0,
            named: Vec::new(),
            application: APPLICATION,
        }
    }

    /// The main file's directives.
    pub(crate) fn configuration(mut self) -> Vec<Node> {
        let mut http = Vec::new();
        self.maps = self.random.below(4);
        for index in 0..self.maps {
            http.push(self.map(index));
        }
        if self.maps > 0 && self.random.percent(5) {
            http.push(self.map(0));
        }
        self.some(15, &mut http, Self::header);
        self.some(5, &mut http, Self::more);
        self.some(4, &mut http, Self::error_page);
        self.named = (0..self.random.below(3))
            .map(|index| format!("@n{index}"))
            .collect();
        // A server that the other one proxies to; the other way round they would never end.
        let inner = self.random.percent(25);
        if inner {
            let server = self.server("listen 127.0.0.1:8080", "inner.example.com");
            http.push(server);
        }
        self.application = if inner {
            "http://127.0.0.1:8080"
        } else {
            APPLICATION
        };
        let server = self.server("listen 80", "api.example.com");
        http.push(server);
        if self.random.percent(10) {
            http.insert(0, Node::new("proxy_intercept_errors on"));
        }
        // Variables that nobody sets would be refused.
        let unused = Node::block(
            "server",
            vec![
                Node::new("listen 80"),
                Node::new("server_name unused.example.com"),
                Node::new("set $v0 1"),
                Node::new("set $v1 1"),
            ],
        );
        http.push(unused);
        vec![Node::block("events", Vec::new()), Node::block("http", http)]
    }

    /// Adds `make` with this probability, up to three times.
    fn some(&mut self, percent: usize, to: &mut Vec<Node>, make: fn(&mut Self) -> Node) {
        for _ in 0..3 {
            if !self.random.percent(percent) {
                return;
            }
            to.push(make(self));
        }
    }

    fn map(&mut self, index: usize) -> Node {
        let source = if index > 0 && self.random.percent(25) {
            format!("$m{}", self.random.below(index))
        } else {
            self.random.pick(&SOURCES).to_owned()
        };
        let mut entries = Vec::new();
        if self.random.percent(15) {
            entries.push(Node::new("hostnames"));
        }
        if self.random.percent(5) {
            entries.push(Node::new("volatile"));
        }
        let mut keys: Vec<&str> = Vec::new();
        for _ in 0..=self.random.below(4) {
            let key = self.random.pick(&KEYS);
            let folded = |key: &str| key.trim_matches('"').to_lowercase();
            if keys.iter().all(|other| folded(other) != folded(key)) {
                keys.push(key);
            }
        }
        if self.random.percent(60) {
            keys.insert(self.random.below(keys.len() + 1), "default");
        }
        for key in keys {
            let value = self.map_value();
            entries.push(Node::new(format!("{key} {value}")));
        }
        if self.random.percent(10) {
            let file = self.file();
            let tail = entries.split_off(entries.len() / 2);
            let (flags, tail): (Vec<Node>, Vec<Node>) = tail
                .into_iter()
                .partition(|entry| !entry.words.contains(' '));
            entries.extend(flags);
            entries.push(Node::include(file, tail));
        }
        Node::block(format!("map {source} $m{index}"), entries)
    }

    fn map_value(&mut self) -> String {
        const CHOICES: [&str; 12] = [
            "$http_origin",
            "$http_origin",
            "$http_origin",
            "\"\"",
            "*",
            "1",
            "0",
            "https://www.example.com",
            "$1",
            "\"$1-$2\"",
            "true",
            "Origin",
        ];
        self.random.pick(&CHOICES).to_owned()
    }

    fn file(&mut self) -> String {
        self.included += 1;
        format!("part{}.inc", self.included)
    }

    fn value(&mut self) -> String {
        if self.maps > 0 && self.random.percent(25) {
            return format!("$m{}", self.random.below(self.maps));
        }
        self.random.pick(&VALUES).to_owned()
    }

    fn header(&mut self) -> Node {
        if self.random.percent(3) {
            return Node::new("add_header \"\" \"\"");
        }
        let name = self.random.pick(&NAMES);
        let value = self.value();
        let always = if self.random.percent(55) {
            " always"
        } else {
            ""
        };
        Node::new(format!("add_header {name} {value}{always}"))
    }

    fn more(&mut self) -> Node {
        let name = self.random.pick(&NAMES);
        if self.random.percent(20) {
            const CLEARED: [&str; 3] = ["Access-Control-*", "Access-Control-Allow-Origin", "Vary"];
            return Node::new(format!(
                "more_clear_headers '{}'",
                self.random.pick(&CLEARED)
            ));
        }
        let value = self.value();
        let value = value.trim_matches(['"', '\'']);
        let limits = [
            "",
            "",
            "",
            "",
            " -s 404",
            " -s '200 204'",
            " -s '403 500'",
            " -t text/plain",
        ];
        let limits = self.random.pick(&limits);
        Node::new(format!("more_set_headers{limits} \"{name}: {value}\""))
    }

    fn error_page(&mut self) -> Node {
        let codes = [
            "404",
            "403",
            "405",
            "404 500 502",
            "401",
            "418",
            "500 502 503",
        ];
        let codes = self.random.pick(&codes);
        let change = self
            .random
            .pick(&["", "", "", " =", " =200", " =404", " =204"]);
        let target = if !self.named.is_empty() && self.random.percent(40) {
            self.named[self.random.below(self.named.len())].clone()
        } else if self.random.percent(10) {
            "https://www.example.com/error".into()
        } else {
            self.random.pick(&PATHS).to_owned()
        };
        Node::new(format!("error_page {codes}{change} {target}"))
    }

    fn proxy_header(&mut self) -> Node {
        const CHOICES: [&str; 6] = [
            "proxy_hide_header Access-Control-Allow-Origin",
            "proxy_hide_header access-control-allow-credentials",
            "proxy_hide_header X-Powered-By",
            "proxy_hide_header Vary",
            "proxy_pass_header Access-Control-Allow-Origin",
            "proxy_set_header Origin \"\"",
        ];
        Node::new(self.random.pick(&CHOICES))
    }

    fn expires(&mut self) -> Node {
        Node::new(format!(
            "expires {}",
            self.random.pick(&["1h", "-1", "off", "max"])
        ))
    }

    fn access(&mut self) -> Vec<Node> {
        const CHOICES: [&[&str]; 9] = [
            &["auth_request /auth"],
            &["auth_request /auth", "satisfy any", "deny all"],
            &["deny all"],
            &["allow 127.0.0.1", "deny all"],
            &["deny 10.0.0.0/8", "allow all"],
            &["auth_basic Area", "auth_basic_user_file .htpasswd"],
            &[
                "satisfy any",
                "deny all",
                "auth_basic Area",
                "auth_basic_user_file .htpasswd",
            ],
            &["auth_basic $v0", "auth_basic_user_file .htpasswd"],
            &["auth_basic off"],
        ];
        CHOICES[self.random.below(CHOICES.len())]
            .iter()
            .map(|words| Node::new(*words))
            .collect()
    }

    fn set(&mut self) -> Node {
        const CHOICES: [&str; 10] = [
            "$v0 1",
            "$v0 \"${v0}1\"",
            "$v1 $http_origin",
            "$v0 \"\"",
            "$v1 ''",
            "$v0 0",
            "$v1 $1",
            "$v0 $v1",
            "$v1 1",
            "$v0 $uri",
        ];
        if self.maps > 0 && self.random.percent(20) {
            return Node::new(format!("set $v1 $m{}", self.random.below(self.maps)));
        }
        Node::new(format!("set {}", self.random.pick(&CHOICES)))
    }

    fn rewrite(&mut self) -> Node {
        let change = self.random.pick(&REWRITES);
        let flag = self.random.pick(&[
            "",
            "",
            " last",
            " last",
            " break",
            " redirect",
            " permanent",
        ]);
        Node::new(format!("rewrite {change}{flag}"))
    }

    fn returns(&mut self) -> Node {
        Node::new(format!("return {}", self.random.pick(&RETURNS)))
    }

    fn condition(&mut self) -> String {
        if self.maps > 0 && self.random.percent(20) {
            let map = self.random.below(self.maps);
            let test = self
                .random
                .pick(&["", " = 1", " != ''", " = $http_origin", " ~ app"]);
            return format!("if ($m{map}{test})");
        }
        format!("if ({})", self.random.pick(&CONDITIONS))
    }

    fn if_in_server(&mut self) -> Node {
        let mut body = Vec::new();
        self.some(40, &mut body, Self::set);
        self.some(10, &mut body, Self::rewrite);
        self.some(25, &mut body, Self::returns);
        self.some(5, &mut body, |_| Node::new("break"));
        Node::block(self.condition(), body)
    }

    fn if_in_location(&mut self) -> Node {
        let mut body = Vec::new();
        self.some(50, &mut body, Self::header);
        self.some(10, &mut body, Self::more);
        self.some(30, &mut body, Self::set);
        self.some(8, &mut body, Self::rewrite);
        self.some(25, &mut body, Self::returns);
        self.some(8, &mut body, |_| Node::new("break"));
        if self.random.percent(4) {
            body.push(self.expires());
        }
        if self.random.percent(6) {
            body.push(Node::new(format!("proxy_pass {APPLICATION}")));
        }
        self.some(4, &mut body, Self::error_page);
        if self.random.percent(4) {
            let file = self.file();
            body = vec![Node::include(file, body)];
        }
        Node::block(self.condition(), body)
    }

    fn limit_except(&mut self) -> Node {
        let methods = self
            .random
            .pick(&["GET", "GET POST", "OPTIONS", "get options", "POST"]);
        let mut body = match self.random.below(3) {
            0 => vec![Node::new("deny all")],
            1 => vec![Node::new("allow all")],
            _ => vec![
                Node::new("auth_basic Area"),
                Node::new("auth_basic_user_file .htpasswd"),
            ],
        };
        if self.random.percent(8) {
            body.push(Node::new(format!("proxy_pass {APPLICATION}")));
        }
        Node::block(format!("limit_except {methods}"), body)
    }

    fn try_files(&mut self) -> Node {
        let first = self
            .random
            .pick(&["$uri", "$uri $uri/", "$uri.none $uri", "/none", "$uri/"]);
        let last = if !self.named.is_empty() && self.random.percent(35) {
            self.named[self.random.below(self.named.len())].clone()
        } else {
            self.random
                .pick(&[
                    "=404",
                    "=204",
                    "=403",
                    "/c/index.html?x=3",
                    "/a/x",
                    "/err.json",
                ])
                .to_owned()
        };
        Node::new(format!("try_files {first} {last}"))
    }

    /// Directives that may stand in a server and in a location.
    fn common(&mut self, to: &mut Vec<Node>) {
        self.some(35, to, Self::header);
        self.some(8, to, Self::more);
        self.some(8, to, Self::error_page);
        self.some(8, to, Self::proxy_header);
        if self.random.percent(4) {
            to.push(self.expires());
        }
        if self.random.percent(6) {
            to.extend(self.access());
        }
        if self.random.percent(8) {
            to.push(Node::new("proxy_intercept_errors on"));
        }
        if self.random.percent(4) {
            to.push(Node::new("recursive_error_pages on"));
        }
        if self.random.percent(4) {
            to.push(Node::new("absolute_redirect off"));
        }
        if self.random.percent(6) {
            to.push(Node::new(format!(
                "index {}",
                self.random
                    .pick(&["index.html", "none.html index.html", "none.html", "/a/x"])
            )));
        }
        self.some(15, to, Self::set);
        self.some(6, to, Self::rewrite);
    }

    fn server(&mut self, listen: &str, name: &str) -> Node {
        let mut body = vec![
            Node::new(listen),
            Node::new(format!("server_name {name}")),
            Node::new("root /var/www/html"),
        ];
        self.common(&mut body);
        self.some(20, &mut body, Self::if_in_server);
        if self.random.percent(2) {
            body.push(self.returns());
        }
        if self.random.percent(4) {
            body.push(self.try_files());
        }
        for _ in 0..=self.random.below(4) {
            let path = self.random.pick(&PREFIXES);
            let bare = |words: &str| words.replace("location ", "").replace("^~ ", "");
            if body.iter().all(|node| bare(&node.words) != bare(path)) {
                let location = self.location(path, 0);
                body.push(location);
            }
        }
        let guard = [
            "proxy_pass http://auth:9000/verify",
            "return 204",
            "return 403",
            "return 401",
        ];
        let guard = self.random.pick(&guard);
        let guard = vec![Node::new("internal"), self.header(), Node::new(guard)];
        body.push(Node::block("location = /auth", guard));
        for name in self.named.clone() {
            let location = self.location(&name, 2);
            body.push(location);
        }
        if self.random.percent(10) {
            let mut headers = Vec::new();
            self.some(90, &mut headers, Self::header);
            let file = self.file();
            body.push(Node::include(file, headers));
        }
        Node::block("server", body)
    }

    fn location(&mut self, path: &str, depth: usize) -> Node {
        let mut body = Vec::new();
        self.common(&mut body);
        for _ in 0..4 {
            if self.random.percent(40) {
                body.push(self.if_in_location());
            }
        }
        if self.random.percent(6) {
            let at = self.random.below(body.len() + 1);
            body.insert(at, Node::new("break"));
        }
        if self.random.percent(12) {
            body.push(self.limit_except());
        }
        if self.random.percent(12) {
            body.push(self.try_files());
        }
        if self.random.percent(3) {
            body.push(Node::new("internal"));
        }
        match self.random.below(10) {
            0 if !path.contains(['~', '@']) => {
                body.push(Node::new(format!("proxy_pass {}/base/", self.application)));
            }
            1 => body.push(Node::new(format!("proxy_pass {}", self.application))),
            0..5 => body.push(Node::new(format!("proxy_pass {APPLICATION}"))),
            5..7 => {
                let at = self.random.below(body.len() + 1);
                let returns = self.returns();
                body.insert(at, returns);
            }
            _ => {}
        }
        if self.random.percent(5) {
            let file = self.file();
            body = vec![Node::include(file, body)];
        }
        if depth < 2 && !path.starts_with(['@', '=']) && self.random.percent(20) {
            let inner = match path.trim_start_matches("^~ ") {
                "/" => self.random.pick(&["/a/", "/b/", "~ \\.json$", "= /a/x"]),
                "/a/" => self.random.pick(&["/a/b/", "~ x$", "= /a/x", "/a/none"]),
                "/b/" => self.random.pick(&["/b/z", "~* Z"]),
                pattern if pattern.starts_with('~') => "~ x",
                _ => "~ index",
            };
            let nested = self.location(inner, depth + 1);
            body.push(nested);
        }
        Node::block(format!("location {path}"), body)
    }
}
