//! Random Express applications, options × callbacks × order, against the real Express and `cors`.

use std::path::PathBuf;

use crate::express::{Express, tempfile};
use crate::fidelity::express::{Case, compare};
use crate::fidelity::{Ask, Disagreement, Tally};
use crate::generate::Random;
use crate::runs::{Run, origins, seeds};

/// Applications in a normal run.
const CASES: u64 = 300;
/// The first seed of a normal run.
const SEED: u64 = 20_260_301;
const KINDS: [&str; 4] = [
    "GET 200",
    "OPTIONS>PUT 200",
    "OPTIONS 200",
    "PUT 200 | authorization: Bearer x",
];

const PATHS: [&str; 4] = ["/items", "/api/items", "/open", "/missing"];

const FIRST: &str = "const express = require('express');
const cors = require('cors');
const app = express();
const list = ['https://app.example.com', 'https://www.example.com'];
const set = new Set(list);
const patterns = [/^https:\\/\\/app\\.example\\.com$/, /\\.example\\.org$/];
const base = { origin: list, credentials: true };
const isAllowed = (origin) => list.some((entry) => entry === origin);
";

const ORIGIN: [&str; 41] = [
    "'*'",
    "'https://app.example.com'",
    "'https://app.example.com/'",
    "true",
    "false",
    "undefined",
    "null",
    "''",
    "list",
    "['https://app.example.com']",
    "['*']",
    "[]",
    "[list, 'https://x.example']",
    "patterns",
    "[...list, /example\\.com$/]",
    "1",
    "{}",
    "[true]",
    "/example\\.com$/",
    "/^https:\\/\\/app\\.example\\.com/",
    "/^https?:\\/\\/(app|www)\\.example\\.com$/i",
    "new RegExp('^https://.*\\\\.example\\\\.com$')",
    "process.env.NODE_ENV === 'production' ? list : true",
    "process.env.NO_SUCH_NAME",
    "process.env.NO_SUCH_NAME || list",
    "'https://app.example.com, https://www.example.com'.split(',')",
    "'https://app.example.com, https://www.example.com'.split(',').map((text) => text.trim())",
    "(origin, cb) => cb(null, true)",
    "(origin, cb) => cb(null, origin)",
    "(origin, cb) => cb(null, list.includes(origin))",
    "(origin, cb) => cb(null, list.indexOf(origin) !== -1)",
    "(origin, cb) => cb(null, list.indexOf(origin))",
    "(origin, cb) => cb(null, set.has(origin) ? origin : '*')",
    "(origin, cb) => cb(null, patterns.some((pattern) => pattern.test(origin)))",
    "(origin, cb) => (!origin || isAllowed(origin) ? cb(null, true) : cb(new Error('no')))",
    "function (origin, callback) {
    if (!origin) return callback(null, true);
    if (list.indexOf(origin) === -1) {
      return callback(new Error('Not allowed by CORS'), false);
    }
    return callback(null, true);
  }",
    "(origin, cb) => {
    try {
      const { hostname } = new URL(origin);
      cb(null, hostname === 'example.com' || hostname.endsWith('.example.com'));
    } catch (error) {
      cb(null, false);
    }
  }",
    "(origin, cb) => cb(null, !!origin && origin.endsWith('example.com'))",
    "(origin, cb) => cb(null, !!origin && origin.startsWith('https://app.example.com'))",
    "async (origin, cb) => cb(null, [origin].filter(Boolean).some((o) => o.includes('example.com')))",
    "(origin, cb) => cb(null, list.find((entry) => entry === origin))",
];

const OTHERS: [&str; 24] = [
    "credentials: true",
    "credentials: true",
    "credentials: true",
    "credentials: 'true'",
    "credentials: false",
    "methods: 'GET,POST'",
    "methods: ['GET', 'PUT']",
    "methods: []",
    "methods: ''",
    "methods: 'get'",
    "methods: undefined",
    "allowedHeaders: 'Content-Type'",
    "allowedHeaders: ['Content-Type', 'Authorization']",
    "allowedHeaders: []",
    "allowedHeaders: '*'",
    "headers: 'X-Old'",
    "exposedHeaders: ['X-Total']",
    "exposedHeaders: ''",
    "maxAge: 600",
    "maxAge: 0",
    "maxAge: '86400'",
    "preflightContinue: true",
    "optionsSuccessStatus: 200",
    "origins: list",
];

const HAND: [&str; 12] = [
    "res.header('Access-Control-Allow-Origin', '*');\n  next();",
    "res.header('Access-Control-Allow-Origin', req.headers.origin);\n  res.header('Access-Control-Allow-Credentials', true);\n  next();",
    "res.setHeader('Access-Control-Allow-Origin', req.headers.origin || '*');\n  next();",
    "res.setHeader('Access-Control-Allow-Origin', req.headers.origin);\n  next();",
    "if (list.includes(req.get('origin'))) {\n    res.set('Access-Control-Allow-Origin', req.get('Origin'));\n    res.vary('Origin');\n  }\n  next();",
    "res.set({ 'Access-Control-Allow-Origin': 'https://app.example.com', 'Access-Control-Allow-Methods': 'GET, PUT' });\n  if (req.method === 'OPTIONS') return res.sendStatus(204);\n  next();",
    "if (req.method === 'OPTIONS') {\n    res.header('Access-Control-Allow-Origin', '*');\n    return res.status(200).end();\n  }\n  next();",
    "res.append('Access-Control-Allow-Origin', 'https://app.example.com');\n  next();",
    "res.append('Vary', 'Accept');\n  next();",
    "res.setHeader('Vary', 'Accept');\n  next();",
    "res.removeHeader('Access-Control-Allow-Origin');\n  next();",
    "const { origin } = req.headers;\n  switch (origin) {\n    case 'https://app.example.com':\n    case 'null':\n      res.header('Access-Control-Allow-Origin', origin);\n      break;\n    default:\n      res.header('Access-Control-Allow-Origin', 'https://www.example.com');\n  }\n  next();",
];

const BETWEEN: [&str; 8] = [
    "app.use((req, res, next) => {\n  if (!req.headers.authorization) return res.status(401).json({ error: 'log in' });\n  next();\n});",
    "app.use((req, res, next) => {\n  if (req.method !== 'OPTIONS' && !req.headers.authorization) return res.sendStatus(403);\n  next();\n});",
    "app.use((req, res) => res.status(404).send('none'));",
    "app.use((error, req, res, next) => res.status(500).json({ error: error.message }));",
    "app.use('/api', (req, res, next) => {\n  if (req.path === '/old') return res.redirect('/items');\n  next();\n});",
    "app.get('/open', (req, res) => { throw new Error('broken'); });",
    "app.use((req, res, next) => next(req.path === '/open' ? new Error('closed') : undefined));",
    "app.options('/items', (req, res) => res.set('Allow', 'GET').status(200).end());",
];

const ROUTES: [&str; 8] = [
    "app.get('/items', (req, res) => res.json([]));",
    "app.put('/items', (req, res) => res.json({}));",
    "app.route('/items').get((req, res) => res.json([])).put((req, res) => res.json({}));",
    "app.all('/open', (req, res) => res.send('open'));",
    "app.get('/open', (req, res) => {\n  res.header('Access-Control-Allow-Origin', '*');\n  res.send('open');\n});",
    "app.get('/open', (req, res) => {\n  res.writeHead(200, { 'Access-Control-Allow-Origin': 'https://app.example.com' });\n  res.end('open');\n});",
    "app.get(['/items', '/open'], (req, res) => res.json([]));",
    "app.get('/api/items', (req, res) => res.json([]));",
];

/// The options of one call of the package, or a delegate.
fn options(random: &mut Random) -> String {
    if random.percent(8) {
        return "".into();
    }
    let mut parts = Vec::new();
    if random.percent(10) {
        parts.push("...base".to_owned());
    }
    if random.percent(85) {
        parts.push(format!("origin: {}", random.pick(&ORIGIN)));
    }
    for _ in 0..random.below(4) {
        let other = random.pick(&OTHERS).to_owned();
        let key = |part: &String| part.split(':').next().map(str::to_owned);
        if !parts.iter().any(|part| key(part) == key(&other)) {
            parts.push(other);
        }
    }
    let object = format!("{{ {} }}", parts.join(", "));
    match random.below(20) {
        0 => format!("(req, cb) => cb(null, {object})"),
        1 => format!(
            "(req, cb) => cb(null, list.includes(req.header('Origin')) ? {object} : {{ origin: false }})"
        ),
        2 => format!("Object.assign({{}}, base, {object})"),
        3 => random
            .pick(&[
                "null",
                "'https://app.example.com'",
                "list",
                "undefined",
                "base",
            ])
            .to_owned(),
        _ => object,
    }
}

fn statement(random: &mut Random, five: bool) -> String {
    let options = options(random);
    match random.below(14) {
        0..=3 => format!("app.use(cors({options}));"),
        4 => format!("app.use('/api', cors({options}));"),
        5 => {
            let path = if five { "'/{*any}'" } else { "'*'" };
            format!("app.options({path}, cors({options}));")
        }
        6 => format!("app.get('/items', cors({options}), (req, res) => res.json([]));"),
        7 => format!(
            "{{\n  const router = express.Router();\n  router.use(cors({options}));\n  router.get('/items', (req, res) => res.json([]));\n  app.use('/api', router);\n}}"
        ),
        8 | 9 => {
            let path = random.pick(&["", "", "'/api', "]);
            let body = random.pick(&HAND);
            format!("app.use({path}(req, res, next) => {{\n  {body}\n}});")
        }
        10 | 11 => random.pick(&BETWEEN).to_owned(),
        _ => random.pick(&ROUTES).to_owned(),
    }
}

/// The statements of an application.
fn statements(seed: u64, five: bool) -> Vec<String> {
    let mut random = Random::new(seed);
    let mut found: Vec<String> = (0..1 + random.below(5))
        .map(|_| statement(&mut random, five))
        .collect();
    let at = random.below(found.len() + 1);
    found.insert(at, ROUTES[0].to_owned());
    if random.percent(60) {
        found.push(random.pick(&ROUTES).to_owned());
    }
    found
}

fn text(statements: &[String]) -> String {
    format!("{FIRST}{}\napp.listen(3000);\n", statements.join("\n"))
}

/// A folder with the application.
struct Folder(PathBuf);

impl Folder {
    fn new(text: &str, five: bool) -> Self {
        let folder = tempfile();
        let version = if five { "^5.1.0" } else { "^4.21.2" };
        let package = format!("{{ \"dependencies\": {{ \"express\": \"{version}\" }} }}");
        std::fs::write(folder.join("package.json"), package).unwrap();
        std::fs::write(folder.join("app.js"), text).unwrap();
        Self(folder)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn asks() -> Vec<Ask> {
    let mut asks = Vec::new();
    for path in PATHS {
        for kind in KINDS {
            for origin in origins(&["http://evilexample.com"]) {
                asks.push(Ask::of_kind(
                    kind,
                    &format!("http://service.example{path}"),
                    origin,
                ));
            }
        }
    }
    asks
}

/// The tally and the first disagreement; `None` if the application does not start.
pub(crate) fn run(
    express: &mut Express,
    text: &str,
    five: bool,
    asks: &[Ask],
) -> Option<(Tally, Option<Disagreement>)> {
    let folder = Folder::new(text, five);
    let case = Case::load(&folder.0);
    let answers = express.ask(case.major, &folder.0, asks)?;
    let sites = case.read();
    let mut tally = Tally::default();
    let mut first = None;
    for (ask, answer) in asks.iter().zip(answers) {
        match compare(&sites, ask, &answer) {
            Ok(one) => tally.add(one),
            Err(differs) => first = first.or(Some(*differs)),
        }
    }
    Some((tally, first))
}

#[test]
fn random_applications_agree_with_express() {
    let seeds = seeds("CORSLINT_EXPRESS_CASES", CASES, SEED);
    let count = seeds.end - seeds.start;
    let mut express = Express::start();
    let asks = asks();
    let mut result = Run::default();
    for seed in seeds {
        let five = seed % 2 == 1;
        let mut kept = statements(seed, five);
        let Some((tally, differs)) = run(&mut express, &text(&kept), five, &asks) else {
            result.refuse();
            continue;
        };
        result.add(tally);
        let Some(mut differs) = differs else { continue };
        let mut at = 0;
        while result.is_open() && at < kept.len() && kept.len() > 1 {
            let mut fewer = kept.clone();
            fewer.remove(at);
            match run(&mut express, &text(&fewer), five, &asks) {
                Some((_, Some(other))) => (kept, differs) = (fewer, other),
                _ => at += 1,
            }
        }
        result.differs(&format!("seed {seed}"), &kept.join("\n"), &differs);
    }
    result.end("applications", count, 5);
}
