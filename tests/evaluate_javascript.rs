//! Each construct of the language that set-ups use, on its own: the options are made with it, and the
//! application must be known to let in one origin and no other.

use std::path::Path;
use std::sync::Arc;

use corslint::frameworks::{Project, express};
use corslint::model::{Environment, Known, Request, Url, World};
use corslint::source::{SourceFile, Sources};

use crate::support::TempDir;

const TRUSTED: &str = "https://app.example.com";
const FOREIGN: &str = "https://evil.example";

/// The ACAO that an application sends to an origin, in the world in which no condition holds.
fn allowed(files: &[(&str, &str)], origin: &str) -> Known<Option<String>> {
    let folder = TempDir::new();
    for (name, text) in files {
        folder.write(name, text);
    }
    let sources = Sources::new();
    let is_program = |name: &str| !name.ends_with(".json");
    let loaded: Vec<Arc<SourceFile>> = files
        .iter()
        .filter(|(name, _)| is_program(name))
        .map(|(name, _)| {
            sources
                .load(&folder.path().join(Path::new(name)))
                .expect("a file")
        })
        .filter(|file| express::detect(file.path(), file.text()))
        .collect();
    let reading = express::read(Project {
        root: folder.path(),
        files: &loaded,
        sources: &sources,
        environment: &Environment::default(),
    });
    let url = Url {
        scheme: "https".into(),
        host: "service.example".into(),
        port: None,
        path: "/items".into(),
        query: None,
    };
    let request = Request::actual(url, Some(origin));
    let site = reading.sites.first().expect("an application");
    let endpoint = site.route(&request).expect("a route");
    let world = World {
        holds: vec![false; site.conditions().len()],
    };
    let responses = site.respond(endpoint, &request, &world);
    assert_eq!(responses.len(), 1);
    responses[0].value("access-control-allow-origin")
}

fn assert_allows_one(what: &str, files: &[(&str, &str)]) {
    let trusted = allowed(files, TRUSTED);
    assert_eq!(trusted, Known::Known(Some(TRUSTED.to_owned())), "{what}");
    let foreign = allowed(files, FOREIGN);
    assert_eq!(foreign, Known::Known(None), "{what}");
}

fn app(before: &str, options: &str) -> String {
    format!(
        "import express from 'express';\nimport cors from 'cors';\n{before}\nconst app = express();\n\
         app.use(cors({options}));\napp.get('/items', (req, res) => res.json([]));\napp.listen(3000);\n"
    )
}

#[test]
fn values_are_evaluated() {
    for (what, before, options) in [
        ("a literal", "", "{ origin: ['https://app.example.com'] }"),
        (
            "a template",
            "const host = 'app';",
            "{ origin: [`https://${host}.example.com`] }",
        ),
        (
            "concatenation",
            "const base = 'example.com';",
            "{ origin: ['https://app.' + base] }",
        ),
        (
            "nested lists",
            "const list = [['https://app.example.com']];",
            "{ origin: list[0] }",
        ),
        (
            "objects",
            "const config = { cors: { origin: ['https://app.example.com'] } };",
            "config.cors",
        ),
        (
            "a computed key that is written",
            "const config = { ['or' + 'igin']: ['https://app.example.com'] };",
            "config",
        ),
        (
            "spread of lists",
            "const some = ['https://app.example.com'];",
            "{ origin: [...some, 'https://www.example.com'] }",
        ),
        (
            "spread of objects",
            "const base = { origin: ['https://app.example.com'] };",
            "{ ...base, credentials: true }",
        ),
        (
            "destructuring",
            "const { web: [first] } = { web: ['https://app.example.com'] };",
            "{ origin: [first] }",
        ),
        (
            "let",
            "let list = ['https://app.example.com'];",
            "{ origin: list }",
        ),
        (
            "let that is assigned once more",
            "let list = true;\nlist = ['https://app.example.com'];",
            "{ origin: list }",
        ),
        (
            "||",
            "",
            "{ origin: process.env.ORIGINS || ['https://app.example.com'] }",
        ),
        (
            "??",
            "",
            "{ origin: process.env.ORIGINS ?? ['https://app.example.com'] }",
        ),
        ("&&", "", "{ origin: true && ['https://app.example.com'] }"),
        (
            "?:",
            "",
            "{ origin: process.env.OPEN ? true : ['https://app.example.com'] }",
        ),
        (
            "split and map",
            "",
            "{ origin: 'https://app.example.com, https://x.example'.split(',').map((text) => text.trim()) }",
        ),
        (
            "filter",
            "",
            "{ origin: ['', 'https://app.example.com'].filter(Boolean) }",
        ),
        (
            "filter by a function",
            "",
            "{ origin: ['https://app.example.com', 'https://evil.example'].filter((o) => !o.includes('evil')) }",
        ),
        (
            "concat",
            "",
            "{ origin: ['https://x.example'].concat('https://app.example.com') }",
        ),
        (
            "a set",
            "const set = new Set(['https://app.example.com']);",
            "{ origin: [...set] }",
        ),
        (
            "a map",
            "const map = new Map([['web', 'https://app.example.com']]);",
            "{ origin: [map.get('web')] }",
        ),
        (
            "an environment variable with a default",
            "const { ORIGIN = 'https://app.example.com' } = process.env;",
            "{ origin: [ORIGIN] }",
        ),
        (
            "a function",
            "function options() { return { origin: ['https://app.example.com'] }; }",
            "options()",
        ),
        (
            "an arrow function with a parameter",
            "const make = (...hosts) => hosts.map((host) => `https://${host}.example.com`);",
            "{ origin: make('app') }",
        ),
        (
            "an immediately called function",
            "",
            "(() => { const origin = ['https://app.example.com']; return { origin }; })()",
        ),
        (
            "a class field",
            "class Config { origin = ['https://app.example.com']; }",
            "new Config()",
        ),
        (
            "this",
            "class Config { host = 'app'; get origin() { return [`https://${this.host}.example.com`]; } }",
            "{ origin: new Config().origin }",
        ),
        (
            "a static field",
            "class Config { static origin = ['https://app.example.com']; }",
            "{ origin: Config.origin }",
        ),
        (
            "Object.freeze and Object.values",
            "const hosts = Object.freeze({ app: 'https://app.example.com' });",
            "{ origin: Object.values(hosts) }",
        ),
        (
            "optional chaining",
            "const config = { cors: { origin: ['https://app.example.com'] } };",
            "{ origin: config?.cors?.origin }",
        ),
        (
            "a loop over a list",
            "const list = [];\nfor (const host of ['app']) list.push(`https://${host}.example.com`);",
            "{ origin: list }",
        ),
        (
            "await at the top",
            "const list = await Promise.resolve(['https://app.example.com']);",
            "{ origin: list }",
        ),
    ] {
        let text = app(before, options);
        assert_allows_one(what, &[("app.js", &text)]);
    }
}

#[test]
fn types_say_nothing() {
    for (what, before, options) in [
        (
            "an enum",
            "enum Site { App = 'https://app.example.com' }",
            "{ origin: [Site.App] }",
        ),
        (
            "as const",
            "const list = ['https://app.example.com'] as const;",
            "{ origin: [...list] }",
        ),
        (
            "satisfies",
            "const options = { origin: ['https://app.example.com'] } satisfies CorsOptions;",
            "options",
        ),
        (
            "a cast and !",
            "const options = <CorsOptions>{ origin: ['https://app.example.com'] };",
            "options!",
        ),
        (
            "parameter properties",
            "class Config { constructor(readonly origin: string[]) {} }",
            "{ origin: new Config(['https://app.example.com']).origin }",
        ),
        (
            "generics",
            "function id<T>(value: T): T { return value; }",
            "{ origin: id<string[]>(['https://app.example.com']) }",
        ),
    ] {
        let text = app(before, options);
        assert_allows_one(what, &[("app.ts", &text)]);
    }
}

#[test]
fn modules_are_followed() {
    let commonjs = "const express = require('express');\nconst cors = require('cors');\nconst { options } = require('./config');\n\
        const app = express();\napp.use(cors(options));\napp.get('/items', (req, res) => res.json([]));\n";
    let exported = "exports.options = { origin: ['https://app.example.com'] };";
    assert_allows_one("require", &[("app.js", commonjs), ("config.js", exported)]);
    assert_allows_one(
        "an index file",
        &[("app.js", commonjs), ("config/index.js", exported)],
    );
    assert_allows_one(
        "module.exports",
        &[
            ("app.js", commonjs),
            (
                "config.js",
                "module.exports = { options: { origin: ['https://app.example.com'] } };",
            ),
        ],
    );
    assert_allows_one(
        "JSON",
        &[
            ("app.js", commonjs),
            (
                "config.json",
                r#"{ "options": { "origin": ["https://app.example.com"] } }"#,
            ),
        ],
    );
    for (what, import, options, name, text) in [
        (
            "a named import",
            "import { list } from './list.js';",
            "{ origin: list }",
            "list.js",
            "export const list = ['https://app.example.com'];",
        ),
        (
            "a default import",
            "import list from './list';",
            "{ origin: list }",
            "list.js",
            "export default ['https://app.example.com'];",
        ),
        (
            "a namespace",
            "import * as config from './list';",
            "{ origin: config.list }",
            "list.js",
            "export const list = ['https://app.example.com'];",
        ),
        (
            "another name",
            "import { list as origin } from './list';",
            "{ origin }",
            "list.js",
            "const all = ['https://app.example.com'];\nexport { all as list };",
        ),
    ] {
        let app = app(import, options);
        assert_allows_one(what, &[("app.js", &app), (name, text)]);
    }
    let passed_on = app("import { list } from './lib';", "{ origin: list }");
    assert_allows_one(
        "exported again",
        &[
            ("app.js", &passed_on),
            ("lib/index.js", "export * from './list';"),
            (
                "lib/list.js",
                "export const list = ['https://app.example.com'];",
            ),
        ],
    );
    let by_path = app("import { list } from '@config/list';", "{ origin: list }");
    assert_allows_one(
        "paths of tsconfig.json",
        &[
            (
                "tsconfig.json",
                r#"{ "compilerOptions": { "baseUrl": ".", "paths": { "@config/*": ["src/config/*"] } } }"#,
            ),
            ("src/app.ts", &by_path),
            (
                "src/config/list.ts",
                "export const list: string[] = ['https://app.example.com'];",
            ),
        ],
    );
    assert_allows_one(
        "paths of settings that are extended",
        &[
            ("tsconfig.json", r#"{ "extends": "./config/strict" }"#),
            (
                "config/strict.json",
                r#"{ "extends": ["./none.json", "./base.json"], "compilerOptions": { "strict": true } }"#,
            ),
            (
                "config/base.json",
                r#"{ "extends": "./base.json", "compilerOptions": { "paths": { "@config/*": ["../src/config/*"] } } }"#,
            ),
            ("src/app.ts", &by_path),
            (
                "src/config/list.ts",
                "export const list: string[] = ['https://app.example.com'];",
            ),
        ],
    );
    let circle = app("import { options } from './one.js';", "options()");
    assert_allows_one(
        "imports in a circle",
        &[
            ("app.js", &circle),
            (
                "one.js",
                "import { list } from './two.js';\nexport const host = 'app';\nexport function options() { return { origin: list }; }",
            ),
            (
                "two.js",
                "import { options } from './one.js';\nexport const list = ['https://app.example.com'];\nexport const again = () => options();",
            ),
        ],
    );
    // What a module of the circle has not exported yet is bound later, which is not followed.
    let bound_later = [
        ("app.js", circle.as_str()),
        (
            "one.js",
            "import { list } from './two.js';\nexport const host = 'app';\nexport function options() { return { origin: list() }; }",
        ),
        (
            "two.js",
            "import { host } from './one.js';\nexport function list() { return [`https://${host}.example.com`]; }",
        ),
    ];
    assert_eq!(allowed(&bound_later, FOREIGN), Known::Unknown);
}

#[test]
fn origin_callbacks_are_called() {
    const BEFORE: &str = "const list = ['https://app.example.com'];\nconst set = new Set(list);\nconst no = new Error('no');";
    for (what, function) in [
        (
            "includes",
            "(origin, cb) => cb(null, list.includes(origin))",
        ),
        (
            "a function with early returns",
            "function (origin, cb) { if (!origin) return cb(null, false); if (list.indexOf(origin) !== -1) return cb(null, true); cb(null, false); }",
        ),
        (
            "an error",
            "(origin, cb) => (list.includes(origin) ? cb(null, true) : cb(no))",
        ),
        (
            "async",
            "async (origin, cb) => { cb(null, list.includes(origin)); }",
        ),
        (
            "indexOf > -1",
            "(origin, cb) => cb(null, list.indexOf(origin) > -1)",
        ),
        ("a set", "(origin, cb) => cb(null, set.has(origin))"),
        (
            "some",
            "(origin, cb) => cb(null, list.some((o) => o === origin))",
        ),
        (
            "some with startsWith",
            "(origin, cb) => cb(null, list.some((o) => origin.startsWith(o)))",
        ),
        (
            "endsWith",
            "(origin, cb) => cb(null, origin.endsWith('.example.com'))",
        ),
        (
            "includes of a text",
            "(origin, cb) => cb(null, origin.includes('app.example.com'))",
        ),
        (
            "the host of a URL",
            "(origin, cb) => cb(null, new URL(origin).hostname === 'app.example.com')",
        ),
        (
            "a pattern's test",
            "(origin, cb) => cb(null, /^https:\\/\\/app\\.example\\.com$/.test(origin))",
        ),
        (
            "match",
            "(origin, cb) => cb(null, !!origin.match(/app\\.example\\.com$/))",
        ),
        (
            "the environment",
            "(origin, cb) => cb(null, process.env.OPEN === 'yes' || list.includes(origin))",
        ),
        ("a helper elsewhere", "(origin, cb) => check(origin, cb)"),
        (
            "a promise",
            "(origin, cb) => { Promise.resolve(list).then((all) => cb(null, all.includes(origin))); }",
        ),
        (
            "toLowerCase",
            "(origin, cb) => cb(null, list.includes(origin.toLowerCase()))",
        ),
        (
            "a loop",
            "(origin, cb) => { for (const one of list) { if (one === origin) return cb(null, true); } return cb(null, false); }",
        ),
        (
            "switch",
            "(origin, cb) => { switch (origin) { case 'https://app.example.com': return cb(null, true); default: return cb(null, false); } }",
        ),
        (
            "try",
            "(origin, cb) => { try { if (!list.includes(origin)) throw no; cb(null, origin); } catch { cb(null, false); } }",
        ),
    ] {
        let helper = "function check(origin, done) { done(null, list.includes(origin)); }";
        let text = app(
            &format!("{BEFORE}\n{helper}"),
            &format!("{{ origin: {function} }}"),
        );
        assert_allows_one(what, &[("app.js", &text)]);
    }
    for (what, delegate) in [
        (
            "a delegate",
            "(req, cb) => cb(null, { origin: list.includes(req.header('Origin')) })",
        ),
        (
            "an async delegate",
            "async (req, cb) => { const options = { origin: list.includes(req.headers.origin) }; cb(null, options); }",
        ),
    ] {
        let text = app(BEFORE, delegate);
        assert_allows_one(what, &[("app.js", &text)]);
    }
}

/// What is not evaluated is unknown, never wrong.
#[test]
fn what_is_not_evaluated_is_unknown() {
    for (what, before, options) in [
        (
            "code out of view",
            "import list from 'some-package';",
            "{ origin: list }",
        ),
        (
            "an environment variable as a list",
            "",
            "{ origin: JSON.parse(process.env.ORIGINS) }",
        ),
        (
            "a key that nobody knows",
            "const all = { a: true, b: ['https://app.example.com'] };",
            "{ origin: all[process.argv[2]] }",
        ),
        (
            "the clock",
            "const open = Date.now() % 2 === 0;",
            "{ origin: open ? true : false }",
        ),
    ] {
        let text = app(before, options);
        let foreign = allowed(&[("app.js", &text)], FOREIGN);
        assert_eq!(foreign, Known::Unknown, "{what}");
    }
}
