//! What nginx 1.22.1 says of each of these; the live suite asks it of many more.

use super::{Scope, check};
use crate::source::Sources;
use crate::syntax::nginx::parse;
use crate::syntax::nginx::table::Context;

fn messages(context: Context, complete: bool, text: &str) -> Vec<String> {
    let parsed = parse(&Sources::new().add("nginx.conf".into(), text.into()));
    assert_eq!(parsed.errors, [], "{text}");
    let errors = check(&parsed.directives, Scope { context, complete });
    errors.into_iter().map(|error| error.message).collect()
}

#[track_caller]
fn accepts(context: Context, texts: &[&str]) {
    for text in texts {
        assert_eq!(messages(context, false, text), [""; 0], "{text}");
    }
}

#[track_caller]
fn refuses(context: Context, cases: &[(&str, &str)]) {
    for (text, message) in cases {
        assert_eq!(messages(context, false, text), [*message], "{text}");
    }
}

/// The context inside which a statement of the table in the semantics is tried.
const CONTEXTS: [Context; 6] = [
    Context::Http,
    Context::Server,
    Context::ServerIf,
    Context::Location,
    Context::LocationIf,
    Context::LimitExcept,
];

#[test]
fn directives_stand_where_they_may() {
    let cases = [
        ("add_header A b;", "yynyyn"),
        ("add_header_inherit merge;", "yynyyn"),
        ("add_trailer A b;", "yynyyn"),
        ("expires 1d;", "yynyyn"),
        ("more_set_headers 'A: b';", "yynyyn"),
        ("more_clear_headers A;", "yynyyn"),
        ("error_page 404 /a;", "yynyyn"),
        ("root /a;", "yynyyn"),
        ("gzip on;", "yynyyn"),
        ("proxy_hide_header A;", "yynynn"),
        ("proxy_pass_header A;", "yynynn"),
        ("proxy_set_header A b;", "yynynn"),
        ("satisfy any;", "yynynn"),
        ("auth_request /a;", "yynynn"),
        ("auth_basic a;", "yynyny"),
        ("allow all;", "yynyny"),
        ("deny all;", "yynyny"),
        ("set $a b;", "nyyyyn"),
        ("return 204;", "nyyyyn"),
        ("break;", "nyyyyn"),
        ("rewrite a /b;", "nyyyyn"),
        ("if ($host) { }", "nynynn"),
        ("proxy_pass http://a;", "nnnyyy"),
        ("try_files $uri /a;", "nynynn"),
        ("limit_except GET { }", "nnnynn"),
        ("internal;", "nnnynn"),
        ("map $host $a { }", "ynnnnn"),
    ];
    for (text, allowed) in cases {
        let name = text.split([' ', ';']).next().unwrap();
        for (context, allowed) in CONTEXTS.into_iter().zip(allowed.chars()) {
            let found = messages(context, false, text);
            let refusal = format!("\"{name}\" directive is not allowed here");
            let expected = if allowed == 'y' {
                vec![]
            } else {
                vec![refusal]
            };
            assert_eq!(found, expected, "{text} in {context:?}");
        }
    }
}

#[test]
fn blocks_and_statements() {
    refuses(
        Context::Http,
        &[
            (
                "add_header A b { }",
                r#"directive "add_header" is not terminated by ";""#,
            ),
            ("server;", r#"directive "server" has no opening "{""#),
            (
                "add_header A;",
                r#"invalid number of arguments in "add_header" directive"#,
            ),
            (
                "add_header A b c d;",
                r#"invalid number of arguments in "add_header" directive"#,
            ),
            ("add_header A b Always;", r#"invalid parameter "Always""#),
            ("gzip on; gzip off;", r#""gzip" directive is duplicate"#),
            (
                "gzip yes;",
                r#"invalid value "yes" in "gzip" directive, it must be "on" or "off""#,
            ),
            ("gzip_comp_level 10;", "value must be between 1 and 9"),
            (
                "client_max_body_size 1x;",
                r#""client_max_body_size" directive invalid value"#,
            ),
            (
                "send_timeout 1x;",
                r#""send_timeout" directive invalid value"#,
            ),
        ],
    );
    accepts(
        Context::Http,
        &[
            "add_header A b always; add_header A b;",
            "add_header $uri '';",
            "gzip ON;",
            "no_such_directive a { add_header; } and_another;",
            r#""add_header" 'A' "b";"#,
        ],
    );
}

#[test]
fn dollars_in_values() {
    refuses(
        Context::Http,
        &[
            ("add_header A $;", "invalid variable name"),
            ("add_header A a$-b;", "invalid variable name"),
            (
                "add_header A ${a;",
                r#"the closing bracket in "a" variable is missing"#,
            ),
        ],
    );
    accepts(
        Context::Http,
        &[r"add_header A \$v;", "add_header A ${v}x$Http_Origin$1;"],
    );
}

#[test]
fn conditions() {
    let accepted = [
        "$a",
        "$a = b",
        "$a != b",
        "$a = ''",
        "$a ~ b",
        "$a ~* b",
        "$a !~ b",
        "$a !~* b",
        r#"$a ~ "^(?<x>b)$""#,
        "-f $a",
        "!-f $a",
        "-d a",
        "!-d a",
        "-e a",
        "!-e a",
        "-x a",
        "!-x a",
        "$a = $b",
        "$a=b",
    ];
    for condition in accepted {
        accepts(
            Context::Server,
            &[
                format!("if ({condition}) {{ }}").as_str(),
                format!("if ( {condition} ) {{ }}").as_str(),
                format!("if ({condition} ) {{ }}").as_str(),
            ],
        );
    }
    let invalid = |text: &str| format!(r#"invalid condition "{text}""#);
    let refused = [
        ("($a == b)", r#"unexpected "==" in condition"#.to_owned()),
        ("($a && $b)", r#"unexpected "&&" in condition"#.to_owned()),
        ("($a and $b)", r#"unexpected "and" in condition"#.to_owned()),
        ("($a || $b)", r#"unexpected "||" in condition"#.to_owned()),
        ("($a = b && $c)", invalid("$a")),
        ("($a ~*b)", invalid("$a")),
        ("(!$a)", invalid("!$a")),
        ("($a =)", invalid("$a")),
        ("($)", invalid("$")),
        ("()", invalid("")),
        ("(a = b)", invalid("a")),
        ("(-z a)", invalid("-z")),
        ("(-f)", invalid("-f")),
        ("$a", invalid("$a")),
        ("($a", invalid("$a")),
    ];
    for (condition, message) in refused {
        refuses(
            Context::Server,
            &[(format!("if {condition} {{ }}").as_str(), &message)],
        );
    }
    // A quote right behind the parenthesis belongs to the word.
    refuses(
        Context::Server,
        &[(r#"if ("$a" = x) { }"#, r#"invalid condition ""$a"""#)],
    );
    refuses(
        Context::Server,
        &[(
            "if ($a ~ (b) { }",
            r#"pcre2_compile() failed: missing closing parenthesis in "(b""#,
        )],
    );
}

#[test]
fn glued_conditions_name_variables() {
    let text = "http { server { if ($a=b) { } } }";
    assert_eq!(
        messages(Context::Main, true, text),
        [r#"unknown "a=b" variable"#]
    );
    let text = "http { server { if ($http_origin=b) { } } }";
    assert_eq!(messages(Context::Main, true, text), [""; 0]);
}

#[test]
fn rewrites() {
    refuses(
        Context::Server,
        &[
            ("return 1000;", r#"invalid return code "1000""#),
            ("return x;", r#"invalid return code "x""#),
            ("return -1 a;", r#"invalid return code "-1""#),
            ("set a b;", r#"invalid variable name "a""#),
            ("set $ b;", r#"invalid variable name "$""#),
            ("set $host b;", r#"the duplicate "host" variable"#),
            ("set $a $;", "invalid variable name"),
            ("rewrite a '';", "empty replacement"),
            ("rewrite a /b Last;", r#"invalid parameter "Last""#),
            (
                "rewrite a( /b;",
                r#"pcre2_compile() failed: missing closing parenthesis in "a(""#,
            ),
            (
                "rewrite a)b /b;",
                r#"pcre2_compile() failed: unmatched closing parenthesis in "a)b" at ")b""#,
            ),
            ("rewrite (?<host>a) /b;", r#"the duplicate "host" variable"#),
        ],
    );
    accepts(
        Context::Server,
        &[
            "return 444;",
            "return 999;",
            "return 200 $a;",
            "return https://a$b;",
            "return $scheme://a;",
            "set $args a;",
            "set $a=b c;",
            "set $limit_rate 1;",
            "rewrite ^ /a? permanent;",
            "rewrite (?<name>a) /$name;",
        ],
    );
}

#[test]
fn locations() {
    refuses(
        Context::Server,
        &[
            (
                "location = /a { } location =/a { }",
                r#"duplicate location "/a""#,
            ),
            (
                "location /a { } location ^~ /a { }",
                r#"duplicate location "/a""#,
            ),
            ("location == /a { }", r#"invalid location modifier "==""#),
            (
                "location = /a { location /a/b { } }",
                r#"location "/a/b" cannot be inside the exact location "/a""#,
            ),
            (
                "location @a { location /b { } }",
                r#"location "/b" cannot be inside the named location "@a""#,
            ),
            (
                "location / { location @a { } }",
                r#"named location "@a" can be on the server level only"#,
            ),
            (
                "location /a/ { location /b { } }",
                r#"location "/b" is outside location "/a/""#,
            ),
            (
                "location ~ a) { }",
                r#"pcre2_compile() failed: unmatched closing parenthesis in "a)" at ")""#,
            ),
            (
                "location / { alias /a; root /b; }",
                r#""root" directive is duplicate, "alias" directive was specified earlier"#,
            ),
            (
                "location / { limit_except FOO { } }",
                r#"invalid method "FOO""#,
            ),
        ],
    );
    accepts(
        Context::Server,
        &[
            "location /a { } location = /a { } location ~ /a { } location ~ /a { }",
            "location @a { } location @a { }",
            "location /a { location ~ b { location ~ c { } } }",
            "location /a { location ^~ /a/b { } }",
            "location ~^/glued { } location ~*^/glued { } location ^~/a { }",
            "location / { limit_except get options { } }",
        ],
    );
}

#[test]
fn proxied_uris() {
    let uri = r#""proxy_pass" cannot have URI part in location given by regular expression, or inside named location, or inside "if" statement, or inside "limit_except" block"#;
    refuses(
        Context::Server,
        &[
            ("location ~ a { proxy_pass http://b/; }", uri),
            ("location @a { proxy_pass http://b/; }", uri),
            ("location / { if ($a) { proxy_pass http://b/; } }", uri),
            (
                "location / { limit_except GET { proxy_pass http://b/; } }",
                uri,
            ),
            ("location / { proxy_pass b; }", "invalid URL prefix"),
            (
                "location / { proxy_pass http://; }",
                r#"no host in upstream """#,
            ),
            (
                "location / { proxy_pass http://b:x; }",
                r#"invalid port in upstream "b:x""#,
            ),
            (
                "location / { proxy_pass http://b; proxy_pass http://b; }",
                r#""proxy_pass" directive is duplicate"#,
            ),
        ],
    );
    accepts(
        Context::Server,
        &[
            "location ~ a { proxy_pass http://b; }",
            "location ~ a { proxy_pass http://b$uri; }",
            "location / { proxy_pass http://b/c; }",
        ],
    );
}

#[test]
fn error_pages() {
    refuses(
        Context::Http,
        &[
            (
                "error_page 200 /a;",
                r#"value "200" must be between 300 and 599"#,
            ),
            ("error_page 499 /a;", r#"invalid value "499""#),
            ("error_page x /a;", r#"invalid value "x""#),
            ("error_page =200 /a;", r#"invalid value "=200""#),
            ("error_page 404 =x /a;", r#"invalid value "=x""#),
        ],
    );
    accepts(
        Context::Http,
        &[
            "error_page 404 405 =200 /a;",
            "error_page 404 = @a;",
            "error_page 300 $a;",
        ],
    );
}

#[test]
fn maps() {
    refuses(
        Context::Http,
        &[
            ("map $a b { }", r#"invalid variable name "b""#),
            ("map $a $host { }", r#"the duplicate "host" variable"#),
            (
                "map $a $b { default 1; default 2; }",
                "duplicate default map parameter",
            ),
            ("map $a $b { A 1; a 2; }", r#"conflicting parameter "a""#),
            ("map $a $b { a; }", "invalid number of the map parameters"),
            (
                "map $a $b { ~ a b; }",
                "invalid number of the map parameters",
            ),
            ("map $a $b { a { } }", r#"unexpected "{""#),
            (
                "map $a $b { ~( c; }",
                r#"pcre2_compile() failed: missing closing parenthesis in "(""#,
            ),
            (
                "map $a $b { hostnames; https://*.c 1; }",
                r#"invalid hostname or wildcard "https://*.c""#,
            ),
            (
                "map $a $b { hostnames; .c 1; *.c 2; }",
                r#"conflicting parameter "*.c""#,
            ),
            ("map $a $b { a $; }", "invalid variable name"),
        ],
    );
    accepts(
        Context::Http,
        &[
            r#"map $a $b { volatile; hostnames; default 0; "" 1; null 2; "~a{2}" 3; ~*B 4; \default 5; \~x 6; .c 7; d.* 8; }"#,
            "map $a $b { *.c 1; *.d 2; include x; }",
            "map $a $b { } map $a $b { }",
            r#"map "$a:$b" $c { "~(?<d>e)" $d; }"#,
        ],
    );
}

#[test]
fn what_is_used_must_be_defined_in_a_whole_configuration() {
    let unknown = |inner: &str| {
        let text = format!("http {{ server {{ {inner} }} }}");
        messages(Context::Main, true, &text)
    };
    assert_eq!(unknown("return 200 $a;"), [r#"unknown "a" variable"#]);
    for fine in [
        "return 200 $Host$arg_a$cookie_b$http_c$sent_http_d$upstream_http_e$request_id;",
        "return 200 $a; location / { set $A b; }",
        "return 200 $a; location ~ (?<a>b) { }",
        "return 200 $a; include x;",
        "return 200 $a; third_party_directive;",
        "return 200 $1;",
    ] {
        assert_eq!(unknown(fine), [""; 0], "{fine}");
    }
    assert_eq!(
        unknown("limit_req zone=a;"),
        [r#"zero size shared memory zone "a""#]
    );
    assert_eq!(
        unknown("location / { proxy_cache a; }"),
        [r#""proxy_cache" zone "a" is unknown"#]
    );
    assert_eq!(unknown("access_log a b;"), [r#"unknown log format "b""#]);
    assert_eq!(
        unknown("location / { fastcgi_pass a; }"),
        [r#"no port in upstream "a""#]
    );
}

#[test]
fn servers() {
    refuses(
        Context::Http,
        &[
            ("upstream a { }", "no servers are inside upstream"),
            (
                "upstream a { server b; } upstream A { server b; }",
                r#"duplicate upstream "A""#,
            ),
            (
                "upstream a { server http://b; }",
                r#"invalid host in upstream "http://b""#,
            ),
            (
                "upstream a { server b weight=0; }",
                r#"invalid parameter "weight=0""#,
            ),
            (
                "server { listen 80; listen *:80; }",
                "a duplicate listen 0.0.0.0:80",
            ),
            (
                "server { listen 80 default_server; } server { listen 80 default_server; }",
                "a duplicate default server for 0.0.0.0:80",
            ),
            (
                "server { listen 80 backlog=1; } server { listen 80 backlog=1; }",
                "duplicate listen options for 0.0.0.0:80",
            ),
            ("server { listen 80 foo; }", r#"invalid parameter "foo""#),
            (
                "server { listen 0; }",
                r#"invalid port in "0" of the "listen" directive"#,
            ),
            (
                "server { server_name *a; }",
                r#"server name "*a" is invalid"#,
            ),
            (
                "server { server_name a.*.b; }",
                r#"invalid server name or wildcard "a.*.b""#,
            ),
            (
                "upstream a { server b; } server { location / { proxy_pass http://a:80; } }",
                r#"upstream "a" may not have port 80"#,
            ),
            (
                "server { location / { valid_referers server_names a.b/x; } server_name a.b; }",
                r#"conflicting parameter "a.b""#,
            ),
            (
                "server { location / { valid_referers server_names /; } }",
                r#"conflicting parameter """#,
            ),
            (
                "server { server_name .a.b; location / { valid_referers server_names *.A.b; } }",
                r#"conflicting parameter ".a.b""#,
            ),
        ],
    );
    accepts(
        Context::Http,
        &[
            "server { listen 443 ssl http2; listen 443 quic reuseport; listen [::]:443 ssl; }",
            "server { listen 80; } server { listen 80; listen unix:/a; }",
            r#"server { server_name a *.b .c d.* "" _ $hostname ~^x(?<y>.)$; }"#,
            "server { server_name a.b; location / { valid_referers server_names / c.d ~a.b; } }",
            "server { server_name a.b ~c; location / { valid_referers a.b none; } }",
            "upstream a { server b:80 weight=5 backup; server unix:/c; keepalive 5; }",
        ],
    );
}

#[test]
fn headers_more_and_lua() {
    refuses(
        Context::Location,
        &[
            (
                "more_set_headers -x 'A: b';",
                r#"more_set_headers: invalid option name: "-x""#,
            ),
            (
                "more_set_headers 'A: b' -s;",
                "more_set_headers: option -s takes an argument.",
            ),
            (
                "more_set_headers -s 4x 'A: b';",
                r#"more_set_headers: invalid digit "x" found in the status code list "4x""#,
            ),
            ("more_set_headers 'A: $';", "invalid variable name"),
            (
                "content_by_lua_block { } content_by_lua 'a';",
                r#""content_by_lua" directive is duplicate"#,
            ),
            (
                "content_by_lua_block {}",
                "invalid location config: no runnable Lua code",
            ),
        ],
    );
    accepts(
        Context::Location,
        &[
            "more_set_headers -s '404 500' -t text/html 'A: b' A: b;",
            "more_clear_headers A 'B*' $;",
            "set_by_lua_block $a { return 1 } access_by_lua_block { }",
        ],
    );
}

#[test]
fn an_error_in_a_file_included_twice_is_told_once() {
    let parsed = parse(&Sources::new().add("a".into(), "return x;".into()));
    let mut twice = parsed.directives.clone();
    twice.push(parsed.directives[0].clone());
    let scope = Scope {
        context: Context::Server,
        complete: false,
    };
    let errors = check(&twice, scope);
    assert_eq!(errors.len(), 1, "{errors:?}");
}

#[test]
fn contexts_that_a_file_implies() {
    use crate::syntax::nginx::table::implied;
    let of = |text: &str| {
        let parsed = parse(&Sources::new().add("a".into(), text.into()));
        let implied = implied(&parsed.directives);
        Context::ALL
            .into_iter()
            .filter(|context| implied.contains(*context))
            .collect::<Vec<_>>()
    };
    assert_eq!(of("events { } http { }"), [Context::Main]);
    assert_eq!(of("map $a $b { } add_header A b;"), [Context::Http]);
    assert_eq!(of("location / { }"), [Context::Server, Context::Location]);
    assert_eq!(of("server a; keepalive 5;"), [Context::Upstream]);
    assert_eq!(of("location / { } events { }"), []);
    assert_eq!(of("foo; { }").len(), Context::ALL.len());
}
