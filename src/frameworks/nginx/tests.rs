//! Responses to small configurations; what is expected was observed on nginx 1.22.1 and 1.31.5.

use std::path::Path;

use crate::frameworks::{Project, Reading};
use crate::model::{Environment, Request, Response, Site, World};
use crate::source::Sources;

/// Reads one file.
fn reading(text: &str) -> Reading {
    let sources = Sources::new();
    let file = sources.add("nginx.conf".into(), text.into());
    super::read(Project {
        root: Path::new(""),
        files: &[file],
        sources: &sources,
        environment: &Environment::default(),
    })
}

/// The site of one main configuration with this inside `http`.
fn site(inside: &str) -> Box<dyn Site> {
    let mut reading = reading(&format!("events {{}}\nhttp {{\n{inside}\n}}\n"));
    assert_eq!(reading.sites.len(), 1);
    reading.sites.remove(0)
}

/// The only response to a request as it was really sent.
fn respond(site: &dyn Site, mut request: Request) -> Response {
    request.exact = true;
    let endpoint = site.route(&request).unwrap();
    let mut responses = site.respond(endpoint, &request, &World::default());
    assert_eq!(responses.len(), 1, "{responses:?}");
    responses.remove(0)
}

fn get(path: &str, origin: &str) -> Request {
    let url = crate::model::Url {
        scheme: "http".into(),
        host: "localhost".into(),
        port: None,
        path: path.into(),
        query: None,
    };
    Request::actual(url, Some(origin))
}

fn options(path: &str, origin: &str) -> Request {
    Request::preflight(get(path, origin).url, origin, "PUT", &[])
}

/// `status name=value …`, CORS headers and `Vary` only.
fn told(response: &Response) -> String {
    let mut text = response
        .status()
        .map_or("?".to_owned(), |status| status.to_string());
    for line in &response.headers {
        let name = line.name.to_ascii_lowercase();
        let short = match name.as_str() {
            "access-control-allow-origin" => "acao",
            "access-control-allow-credentials" => "acac",
            "access-control-max-age" => "acma",
            "vary" => "vary",
            _ => continue,
        };
        let value = line.value.as_ref().known().map_or("?", String::as_str);
        text.push_str(&format!(" {short}={value}"));
    }
    text
}

const APP: &str = "https://app.example.com";
const EVIL: &str = "https://evil.example";

#[test]
fn the_popular_recipe_loses_its_headers_on_the_preflight() {
    let site = site(
        "server { location / {
            add_header Access-Control-Allow-Origin * always;
            if ($request_method = OPTIONS) { add_header Access-Control-Max-Age 5; return 204; }
            proxy_pass http://app;
        } }",
    );
    assert_eq!(told(&respond(&*site, options("/", APP))), "204 acma=5");
    assert_eq!(told(&respond(&*site, get("/", APP))), "200 acao=*");
    let dropped = respond(&*site, options("/", APP)).dropped;
    assert_eq!(dropped.len(), 1);
    assert_eq!(dropped[0].name, "Access-Control-Allow-Origin");
    assert!(dropped[0].by_cors);
}

#[test]
fn a_map_decides_by_key_without_regard_to_case() {
    let site = site(
        r#"map $http_origin $cors {
            default "";
            https://app.example.com $http_origin;
            "~^https://(?<name>[a-z]+)\.example\.org$" $name;
        }
        server { return 200 ok; add_header Access-Control-Allow-Origin $cors; }"#,
    );
    assert_eq!(
        told(&respond(&*site, get("/", "https://APP.example.com"))),
        "200 acao=https://APP.example.com"
    );
    assert_eq!(told(&respond(&*site, get("/", EVIL))), "200");
    let response = respond(&*site, get("/", "https://abc.example.org"));
    assert_eq!(told(&response), "200 acao=abc");
    let decision = response.headers[0].decided_by.as_ref().unwrap();
    assert!(decision.pattern);
    assert_eq!(decision.text, r"^https://(?<name>[a-z]+)\.example\.org$");
    assert_eq!(decision.offset, Some(2));
}

#[test]
fn a_header_without_always_is_missing_on_errors_and_listed_as_dropped() {
    let site = site(
        "server { location / {
            add_header Access-Control-Allow-Origin *;
            proxy_pass http://app;
        } }",
    );
    let mut request = get("/", APP);
    request.application = crate::model::Application::Answers(404);
    let response = respond(&*site, request);
    assert_eq!(told(&response), "404");
    assert_eq!(response.dropped.len(), 1);
}

#[test]
fn values_that_double_are_unknown_before_they_fill_the_memory() {
    let doubled = "set $a $a$a;".repeat(60);
    let site = site(&format!(
        "server {{ location / {{ set $a $http_origin; {doubled} \
         add_header Access-Control-Allow-Origin $a; return 200; }} }}"
    ));
    let response = respond(site.as_ref(), get("/", "https://a.example"));
    assert_eq!(told(&response), "200 acao=?");
}

#[test]
fn files_included_again_and_again_are_bounded() {
    let sources = Sources::new();
    for level in 0..8 {
        let text = match level {
            0 => "add_header X-A b;\n".repeat(100),
            _ => format!("include {}.conf;\n", level - 1).repeat(100),
        };
        sources.add(format!("{level}.conf").into(), text);
    }
    let text = "events {}\nhttp { server { location / { include 7.conf; } } }";
    let file = sources.add("nginx.conf".into(), text.into());
    let reading = super::read(Project {
        root: Path::new(""),
        files: &[file],
        sources: &sources,
        environment: &Environment::default(),
    });
    assert_eq!(reading.files.len(), 9);
    assert_eq!(reading.sites.len(), 1);
}

/// What a probe gets: all possible responses, with what each assumes.
fn probe(site: &dyn Site, endpoint: usize, request: &Request) -> Vec<(String, String)> {
    let mut told_of: Vec<(String, String)> = site
        .respond(endpoint, request, &World::default())
        .iter()
        .map(|response| {
            let assumes: Vec<String> = response
                .assumes
                .iter()
                .map(|assumed| {
                    let not = if assumed.holds { "" } else { "not " };
                    format!("{not}{}", assumed.text)
                })
                .collect();
            (told(response), assumes.join(" and "))
        })
        .collect();
    told_of.sort();
    told_of
}

/// The endpoint of a name.
fn endpoint(site: &dyn Site, name: &str) -> usize {
    let names: Vec<&str> = site
        .endpoints()
        .iter()
        .map(|endpoint| endpoint.name.as_str())
        .collect();
    site.endpoints()
        .iter()
        .position(|endpoint| endpoint.name == name)
        .unwrap_or_else(|| panic!("{name} is not among {names:?}"))
}

/// An actual request as probes send it, to an endpoint's own URL.
fn asked(site: &dyn Site, endpoint: usize, origin: Option<&str>) -> Request {
    Request::actual(site.endpoints()[endpoint].url.clone(), origin)
}

#[test]
fn a_condition_that_a_probe_leaves_open_gives_two_responses() {
    let site = site(
        "server { location / {
            if ($cookie_debug) { add_header Access-Control-Allow-Origin *; }
            proxy_pass http://app;
        } }",
    );
    let at = endpoint(&*site, "location /");
    assert_eq!(
        probe(&*site, at, &asked(&*site, at, Some(APP))),
        [
            ("200".to_owned(), "not `$cookie_debug` is set".to_owned()),
            ("200 acao=*".to_owned(), "`$cookie_debug` is set".to_owned()),
        ]
    );
}

#[test]
fn a_condition_that_changes_nothing_is_not_assumed() {
    let site = site(
        "server { location / {
            set $skip 0;
            if ($http_user_agent ~ bot) { set $skip 1; }
            add_header Access-Control-Allow-Origin *;
            proxy_pass http://app;
        } }",
    );
    let at = endpoint(&*site, "location /");
    assert_eq!(
        probe(&*site, at, &asked(&*site, at, Some(APP))),
        [("200 acao=*".to_owned(), String::new())]
    );
}

#[test]
fn too_many_open_conditions_become_one_unknown_response() {
    let ifs: String = (0..8)
        .map(|at| format!("if ($arg_a{at}) {{ add_header Access-Control-Max-Age {at}; }}\n"))
        .collect();
    let site = site(&format!("server {{ location / {{ {ifs} return 200; }} }}"));
    let at = endpoint(&*site, "location /");
    let request = asked(&*site, at, Some(APP));
    let responses = site.respond(at, &request, &World::default());
    assert_eq!(responses.len(), 1);
    assert_eq!(
        responses[0].value("access-control-max-age"),
        crate::model::Known::Unknown
    );
    assert_eq!(responses[0].status(), Some(200));
}

#[test]
fn a_list_out_of_view_holds_the_symbolic_origin_and_tells_nothing_of_others() {
    let reading = reading(
        r#"server {
            listen 80;
            location / {
                if ($http_origin = "${ALLOWED_ORIGIN}") {
                    add_header Access-Control-Allow-Origin $http_origin;
                }
                add_header Access-Control-Expose-Headers X-A;
                return 200;
            }
        }"#,
    );
    let site = reading.sites.first().unwrap();
    let at = endpoint(&**site, "location /");
    let mut member = asked(&**site, at, Some(APP));
    member.symbolic = true;
    assert_eq!(
        probe(&**site, at, &member),
        [(format!("200 acao={APP}"), String::new())]
    );
    let foreign = asked(&**site, at, Some(EVIL));
    let responses = site.respond(at, &foreign, &World::default());
    assert_eq!(responses.len(), 1);
    assert_eq!(
        responses[0].value("access-control-allow-origin"),
        crate::model::Known::Unknown
    );
}

#[test]
fn preflights_to_an_application_out_of_view_have_an_unknown_status() {
    let site = site(
        "server { location / {
            add_header Access-Control-Allow-Origin * always;
            proxy_pass http://app;
        } }",
    );
    let at = endpoint(&*site, "location /");
    let url = site.endpoints()[at].url.clone();
    let preflight = Request::preflight(url, APP, "PUT", &[]);
    assert_eq!(
        probe(&*site, at, &preflight),
        [("? acao=*".to_owned(), String::new())]
    );
}

#[test]
fn what_code_does_is_not_told() {
    let site = site(
        "server {
            location /filter { header_filter_by_lua_block { x() } root /srv; }
            location /access { access_by_lua_block { x() } root /srv; }
            location /plain { root /srv; }
        }",
    );
    for (path, unseen) in [("/filter", true), ("/access", true), ("/plain", false)] {
        let at = endpoint(&*site, &format!("location {path}"));
        let request = asked(&*site, at, Some(APP));
        let response = &site.respond(at, &request, &World::default())[0];
        assert_eq!(
            response.may_have_unseen("access-control-allow-origin"),
            unseen,
            "{path}"
        );
    }
    assert_eq!(site.unknowns().len(), 3);
}

#[test]
fn an_upstream_out_of_view_may_send_anything_but_where_nginx_does_cors() {
    let site = site(
        "server {
            location /open/ { proxy_pass http://app; }
            location /cors/ { add_header Access-Control-Allow-Origin *; proxy_pass http://app; }
            location /hide/ { proxy_hide_header Access-Control-Allow-Origin; proxy_pass http://app; }
            location /options/ {
                if ($request_method = OPTIONS) { add_header Access-Control-Allow-Origin *; return 204; }
                proxy_pass http://app;
            }
        }",
    );
    for (path, unseen) in [
        ("/open/", true),
        ("/cors/", false),
        ("/hide/", false),
        ("/options/", true),
    ] {
        let at = endpoint(&*site, &format!("location {path}"));
        let request = asked(&*site, at, Some(APP));
        let response = &site.respond(at, &request, &World::default())[0];
        assert_eq!(
            response.may_have_unseen("access-control-allow-origin"),
            unseen,
            "{path}"
        );
    }
}

#[test]
fn includes_are_relative_to_the_main_file_and_sorted_bytewise() {
    let sources = Sources::new();
    let files: Vec<_> = [
        (
            "etc/nginx.conf",
            "events {} http { include conf.d/*.conf; include /etc/nginx/extra; }",
        ),
        (
            "etc/conf.d/10.conf",
            "server { server_name a; include snippets/cors; return 200; }",
        ),
        ("etc/conf.d/9.conf", "server { server_name b; return 200; }"),
        ("etc/conf.d/.hidden.conf", "server { server_name hidden; }"),
        (
            "etc/snippets/cors",
            "add_header Access-Control-Allow-Origin *;",
        ),
        ("etc/extra", "server { server_name c; return 200; }"),
    ]
    .into_iter()
    .map(|(path, text)| sources.add(path.into(), text.into()))
    .collect();
    let reading = super::read(Project {
        root: Path::new("etc"),
        files: &files,
        sources: &sources,
        environment: &Environment::default(),
    });
    assert_eq!(reading.sites.len(), 2, "the hidden file stands alone");
    let site = &reading.sites[0];
    let names: Vec<&str> = site
        .endpoints()
        .iter()
        .map(|endpoint| endpoint.name.as_str())
        .collect();
    assert_eq!(names, ["server a", "server b", "server c"]);
    assert_eq!(told(&respond(&**site, get("/", APP))), "200 acao=*");
    assert!(site.unknowns().is_empty());
}

#[test]
fn what_is_not_in_view_is_counted_and_loops_are_refused() {
    let sources = Sources::new();
    let files: Vec<_> = [
        (
            "nginx.conf",
            "events {} http { server { include gone.conf; include a.conf; } }",
        ),
        ("a.conf", "add_header X-A b; include a.conf;"),
    ]
    .into_iter()
    .map(|(path, text)| sources.add(path.into(), text.into()))
    .collect();
    let reading = super::read(Project {
        root: Path::new(""),
        files: &files,
        sources: &sources,
        environment: &Environment::default(),
    });
    let site = &reading.sites[0];
    assert_eq!(site.unknowns().len(), 1);
    let kinds: Vec<_> = site
        .observations()
        .iter()
        .map(|observation| observation.kind)
        .collect();
    assert_eq!(kinds, [crate::model::ObservationKind::Syntax]);
    let response = &site.respond(0, &get("/", APP), &World::default())[0];
    assert!(response.may_have_unseen("access-control-allow-origin"));
}

#[test]
fn snippets_are_read_in_the_context_that_they_imply() {
    for (text, name, told_of) in [
        (
            "server { listen 8080; location /a/ { add_header Access-Control-Allow-Origin *; return 200; } }",
            "location /a/",
            "200 acao=*",
        ),
        (
            "location /a/ { add_header Access-Control-Allow-Origin *; return 200; }",
            "location /a/",
            "200 acao=*",
        ),
        (
            "add_header Access-Control-Allow-Origin *;",
            "location /",
            "200 acao=*",
        ),
    ] {
        let reading = reading(text);
        let site = &reading.sites[0];
        let at = endpoint(&**site, name);
        let request = asked(&**site, at, Some(APP));
        assert_eq!(probe(&**site, at, &request)[0].0, told_of, "{text}");
    }
}

#[test]
fn the_test_that_lets_an_origin_in_is_named() {
    let site = site(
        r#"server { location / {
            set $cors "";
            if ($http_origin ~* (app|www)\.example\.com$) { set $cors "yes"; }
            if ($request_method = OPTIONS) { set $cors "${cors}-options"; }
            if ($cors = "yes") {
                add_header Access-Control-Allow-Origin $http_origin;
                add_header Access-Control-Allow-Credentials true;
            }
            return 200;
        } }"#,
    );
    let response = respond(&*site, get("/", APP));
    assert_eq!(told(&response), format!("200 acao={APP} acac=true"));
    for line in &response.headers {
        let decision = line.decided_by.as_ref().unwrap();
        assert_eq!(decision.text, r"(app|www)\.example\.com$");
        assert_eq!(decision.offset, Some(0));
    }
    assert_eq!(told(&respond(&*site, get("/", EVIL))), "200");
}

#[test]
fn values_know_what_a_stranger_chooses() {
    use crate::model::ValueSource;
    let site = site(
        "server {
            location = /fixed { add_header X-A $uri; return 200; }
            location /prefix/ { add_header X-A $uri; return 200; }
            location ~ ^/(?<name>[^/]+)/segment { add_header X-A $name; return 200; }
            location ~ ^/letters/([a-z]+)/ { add_header X-A $1; return 200; }
            location /args/ { add_header X-A $arg_x; return 200; }
            location /encoded/ { add_header X-A $request_uri; return 200; }
        }",
    );
    for (path, sources) in [
        ("/fixed", vec![]),
        ("/prefix/", vec![ValueSource::DecodedPath]),
        ("/x/segment", vec![ValueSource::DecodedPath]),
        ("/letters/abc/", vec![ValueSource::EncodedPath]),
        ("/encoded/", vec![ValueSource::EncodedPath]),
    ] {
        let response = respond(&*site, get(path, APP));
        assert_eq!(response.headers[0].sources, sources, "{path}");
    }
    let at = endpoint(&*site, "location /args/");
    let request = asked(&*site, at, Some(APP));
    let response = &site.respond(at, &request, &World::default())[0];
    assert_eq!(response.headers[0].sources, [ValueSource::Query]);
}

#[test]
fn a_true_if_disables_try_files_and_says_so() {
    let site = site(
        "server { root /srv; location / {
            if ($http_origin) { add_header Access-Control-Allow-Origin *; }
            try_files $uri /index.html;
        } }",
    );
    let mut request = get("/page", APP);
    request.application = crate::model::Application::Answers(404);
    let response = respond(&*site, request.clone());
    assert_eq!(response.status(), Some(404));
    assert_eq!(response.disabled.len(), 1);
    request.origin = None;
    assert_eq!(respond(&*site, request).status(), Some(200));
}

#[test]
fn every_location_has_a_url_that_leads_to_it() {
    let site = site(
        r#"server {
            location = /exact { return 200; }
            location ^~ /first/ { return 200; location ~ \.json$ { return 200; } }
            location ~* \.(woff2?|ttf)$ { return 200; }
            location ~ ^/api/v(\d+)/(users|items)/ { return 200; }
            location ~ "^/(?!admin)[a-z]{3,8}/x$" { return 200; }
            location / { return 200; }
        }"#,
    );
    assert_eq!(site.endpoints().len(), 7);
    for (at, endpoint) in site.endpoints().iter().enumerate() {
        let request = Request::actual(endpoint.url.clone(), None);
        assert_eq!(site.route(&request), Some(at), "{}", endpoint.name);
    }
}

#[test]
fn settings_name_every_constant_that_the_origin_is_compared_with() {
    let site = site(
        r#"map $http_origin $cors {
            default "";
            HTTPS://app.example.com/ $http_origin;
            ~^https://[a-z]+\.example\.com$ $http_origin;
            https://no.example.com "";
        }
        server {
            location /map/ { add_header Access-Control-Allow-Origin $cors; return 200; }
            location /if/ {
                if ($http_origin = "https://www.example.com") { set $o $http_origin; }
                add_header Access-Control-Allow-Origin $o;
                return 200;
            }
            location /any/ { add_header Access-Control-Allow-Origin $http_origin; return 200; }
            location /refuse/ {
                if ($http_origin !~ ^https://a\.example$) { return 403; }
                add_header Access-Control-Allow-Origin $http_origin;
                return 200;
            }
            location /fixed/ { add_header Access-Control-Allow-Origin https://a.example; return 200; }
        }"#,
    );
    use crate::model::{Allows, OriginProblem};
    let origins = |name: &str| {
        let at = endpoint(&*site, name);
        let origins = site.endpoints()[at].settings.origins.iter();
        origins
            .map(|entry| {
                let allows = match &entry.allows {
                    Allows::Exact(text) | Allows::Pattern(text) => text.clone(),
                    other => format!("{other:?}"),
                };
                (allows, entry.problem, entry.negated, entry.fixed)
            })
            .collect::<Vec<_>>()
    };
    let entry = |text: &str, problem, fixed| (text.to_owned(), problem, false, fixed);
    assert_eq!(
        origins("location /map/"),
        [
            entry(
                "https://app.example.com/",
                Some(OriginProblem::TrailingSlash),
                false
            ),
            entry(r"^https://[a-z]+\.example\.com$", None, false),
        ]
    );
    assert_eq!(
        origins("location /if/"),
        [entry("https://www.example.com", None, false)]
    );
    assert_eq!(origins("location /any/"), [entry("Any", None, false)]);
    assert_eq!(
        origins("location /refuse/"),
        [entry(r"^https://a\.example$", None, false)]
    );
    assert_eq!(
        origins("location /fixed/"),
        [entry("https://a.example", None, true)]
    );
}

#[test]
fn a_cache_keeps_what_an_upstream_says_to_one_origin() {
    use crate::model::Known;
    let site = site(
        "server {
            listen 80;
            proxy_cache zone;
            location /keyed/ { proxy_cache_key $uri$http_origin; proxy_pass http://127.0.0.1:8080; }
            location /plain/ { proxy_pass http://127.0.0.1:8080; }
            location /off/ { proxy_cache off; proxy_pass http://127.0.0.1:8080; }
        }
        server {
            listen 8080;
            add_header Access-Control-Allow-Origin $http_origin;
            return 200;
        }",
    );
    let stored = |path: &str| respond(&*site, get(path, APP)).stored;
    let plain = stored("/plain/").unwrap();
    assert_eq!(plain.keyed_by_origin, Known::Known(false));
    assert_eq!(plain.stores_origin, Known::Known(true));
    assert_eq!(
        stored("/keyed/").unwrap().keyed_by_origin,
        Known::Known(true)
    );
    assert_eq!(stored("/off/"), None);
}
