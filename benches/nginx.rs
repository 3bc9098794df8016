//! nginx configurations: lexing and parsing, and a whole run by number of locations.

use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;

use corslint::check::{Options, check};
use corslint::source::Sources;
use corslint::syntax::nginx::parse;
use divan::Bencher;
use divan::counter::{BytesCount, ItemsCount};

/// A server with `count` locations, each with a policy of its own, as a generated gateway has them.
fn configuration(count: usize) -> String {
    let mut text = String::from(
        "events {}\nhttp {\n    map $http_origin $cors {\n        default \"\";\n        \
         \"https://app.example.com\" $http_origin;\n        \"~^https://[a-z]+\\.example\\.com$\" $http_origin;\n    }\n    \
         server {\n        listen 443 ssl;\n        server_name api.example.com;\n",
    );
    for index in 0..count {
        let _ = write!(
            text,
            "        location /service-{index}/ {{\n            \
             add_header Access-Control-Allow-Origin $cors always;\n            \
             add_header Access-Control-Allow-Credentials true always;\n            \
             add_header Vary Origin always;\n            \
             if ($request_method = OPTIONS) {{\n                return 204;\n            }}\n            \
             proxy_pass http://10.0.{}.{}:8080;\n        }}\n",
            index / 250 % 250,
            index % 250
        );
    }
    text.push_str("    }\n}\n");
    text
}

#[divan::bench]
fn parse_10_000_locations(bencher: Bencher<'_, '_>) {
    let sources = Sources::new();
    let file = sources.add("nginx.conf".into(), configuration(10_000));
    bencher
        .counter(BytesCount::of_str(file.text()))
        .bench_local(|| parse(&file));
}

/// Every construct of the language, again and again.
#[divan::bench]
fn parse_all_constructs(bencher: Bencher<'_, '_>) {
    const FILES: [&str; 4] = [
        include_str!("../tests/live/seeds/lexer.conf"),
        include_str!("../tests/live/seeds/recipe.conf"),
        include_str!("../tests/live/seeds/proxies.conf"),
        include_str!("../tests/live/seeds/lua.conf"),
    ];
    let sources = Sources::new();
    let file = sources.add("nginx.conf".into(), FILES.concat().repeat(500));
    bencher
        .counter(BytesCount::of_str(file.text()))
        .bench_local(|| parse(&file));
}

#[divan::bench(args = [1, 2_500, 5_000, 10_000, 20_000], sample_count = 5)]
fn check_locations(bencher: Bencher<'_, '_>, count: usize) {
    let folder =
        std::env::temp_dir().join(format!("corslint-bench-{}-{count}", std::process::id()));
    fs::create_dir_all(&folder).expect("a temporary folder");
    fs::write(folder.join("nginx.conf"), configuration(count)).expect("a file in it");
    let options = Options {
        paths: vec![PathBuf::from(&folder)],
        ..Options::default()
    };
    bencher
        .counter(ItemsCount::new(count))
        .bench_local(|| check(&options).expect("the rules are right"));
    let _ = fs::remove_dir_all(&folder);
}
