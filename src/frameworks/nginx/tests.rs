//! Responses to small configurations; what is expected was observed on nginx 1.22.1 and 1.31.5.

use std::path::Path;

use crate::frameworks::{Project, Reading};
use crate::model::{Request, Response, Site, World};
use crate::source::Sources;

/// Reads one file.
fn reading(text: &str) -> Reading {
    let sources = Sources::new();
    let file = sources.add("nginx.conf".into(), text.into());
    super::read(Project {
        root: Path::new(""),
        files: &[file],
        sources: &sources,
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
    });
    assert_eq!(reading.files.len(), 9);
    assert_eq!(reading.sites.len(), 1);
}
