//! `--env` and `--env-file`: what they say becomes known to every front end, and nothing else does.

use crate::support::{Run, TempDir, run};

fn check(file: &str, content: &str, arguments: &[&str]) -> Run {
    let folder = TempDir::new();
    folder.write(file, content);
    // Its value has a finding of its own; nobody asked for it.
    folder.write(
        ".env",
        "ORIGINS=https://unasked.example/\nAPP_ORIGINS=[\"https://unasked.example/\"]\n",
    );
    folder.write(
        "said.env",
        "# said\nexport ORIGINS='https://said.example/'\n",
    );
    folder.write(
        "package.json",
        r#"{"dependencies":{"express":"^4","cors":"^2","@nestjs/core":"^10"}}"#,
    );
    let arguments = [&["check", "--color", "never", "."], arguments].concat();
    run(folder.path(), &arguments)
}

const EXPRESS: &str = "\
const express = require('express');
const cors = require('cors');
const app = express();
app.use(cors({ origin: process.env.ORIGINS.split(',') }));
app.get('/', (req, res) => res.send('x'));
app.listen(3000);
";

fn express(origin: &str) -> String {
    format!(
        "import process, {{ env }} from 'node:process';\nimport express from 'express';\n\
         import cors from 'cors';\nconst app = express();\n\
         app.use(cors({{ origin: {origin} }}));\n\
         app.get('/', (req, res) => res.send('x'));\napp.listen(3000);\n"
    )
}

fn validated(origin: &str) -> String {
    format!(
        "import express from 'express';\nimport cors from 'cors';\nimport {{ z }} from 'zod';\n\
         import {{ cleanEnv, str }} from 'envalid';\nimport Joi from 'joi';\n\
         import {{ createEnv }} from '@t3-oss/env-core';\nconst app = express();\n\
         app.use(cors({{ origin: {origin} }}));\n\
         app.get('/', (req, res) => res.send('x'));\napp.listen(3000);\n"
    )
}

fn nest(origin: &str) -> String {
    format!(
        "import {{ Controller, Get, Module }} from '@nestjs/common';\n\
         import {{ ConfigModule, ConfigService }} from '@nestjs/config';\n\
         import {{ NestFactory }} from '@nestjs/core';\n\
         @Controller() class Home {{ @Get() home() {{ return 'x'; }} }}\n\
         @Module({{ imports: [ConfigModule.forRoot()], controllers: [Home] }}) class AppModule {{}}\n\
         async function bootstrap() {{\n  \
             const app = await NestFactory.create(AppModule);\n  \
             const config = app.get(ConfigService);\n  \
             app.enableCors({{ origin: {origin} }});\n  \
             await app.listen(3000);\n}}\nbootstrap();\n"
    )
}

fn django(before: &str, origins: &str) -> String {
    format!(
        "import os\n{before}\nROOT_URLCONF = 'urls'\nINSTALLED_APPS = ['corsheaders']\n\
         MIDDLEWARE = ['corsheaders.middleware.CorsMiddleware',\n    \
             'django.middleware.common.CommonMiddleware']\n\
         CORS_ALLOWED_ORIGINS = {origins}\n"
    )
}

fn starlette(origins: &str) -> String {
    format!(
        "import json, os\nfrom decouple import Csv, config\nfrom fastapi import FastAPI\n\
         from fastapi.middleware.cors import CORSMiddleware\n\
         from pydantic_settings import BaseSettings, SettingsConfigDict\n\
         class Settings(BaseSettings):\n    \
             model_config = SettingsConfigDict(env_prefix='APP_')\n    \
             origins: list[str] = []\n\
         settings = Settings()\napp = FastAPI()\n\
         app.add_middleware(CORSMiddleware, allow_origins={origins})\n\
         @app.get('/')\ndef root(): return {{}}\n"
    )
}

const NGINX: &str = "\
server {
    listen 80;
    location / {
        add_header Access-Control-Allow-Origin ${ORIGINS} always;
        proxy_pass http://app;
    }
}
";

/// File, content, the variable, and the value whose slash is a mistake.
fn cases() -> Vec<(&'static str, String, &'static str)> {
    let list = "ORIGINS=https://ok.example,https://a.example/";
    let one = "ORIGINS=https://a.example/";
    let of = |file, contents: Vec<String>, variable| {
        let contents = contents.into_iter();
        contents.map(move |content| (file, content, variable))
    };
    let mut cases = vec![
        (
            "main.py",
            starlette("json.loads(os.environ['ORIGINS'])"),
            "ORIGINS=[\"https://a.example/\"]",
        ),
        (
            "main.py",
            starlette("settings.origins"),
            "APP_ORIGINS=[\"https://a.example/\"]",
        ),
        ("app.js", EXPRESS.into(), list),
        ("default.conf.template", NGINX.into(), one),
        (
            "nginx.conf.template",
            format!(
                "events {{}}\nhttp {{ {} }}\n",
                NGINX.replace("${ORIGINS}", "\"$ORIGINS\"")
            ),
            one,
        ),
        (
            "main.py",
            starlette("[os.environ.setdefault('ORIGINS', 'https://d.example')]"),
            one,
        ),
    ];
    let lists = [
        "os.environ['ORIGINS'].split(',')",
        "os.getenv('ORIGINS', '').split(',')",
        "os.environ.get('ORIGINS', '').split(',')",
        "os.environ['ORIGINS'].split(',') if 'ORIGINS' in os.environ else []",
        "[] if 'ORIGINS' not in os.environ else os.environ['ORIGINS'].split(',')",
        "[o.strip() for o in os.getenv('ORIGINS', '').split(',') if o.strip()]",
        "config('ORIGINS', cast=Csv())",
        "config('ORIGINS', default='', cast=lambda v: [s.strip() for s in v.split(',')])",
    ];
    cases.extend(of("main.py", lists.map(starlette).into(), list));
    let environ = "import environ\nenv = environ.Env(ORIGINS=(list, []))";
    let settings = vec![
        django(environ, "env('ORIGINS')"),
        django(environ, "env.list('ORIGINS', default=[])"),
        django(
            "from decouple import config, Csv",
            "config('ORIGINS', default='', cast=Csv())",
        ),
        django(
            "ALLOWED = []\nif 'ORIGINS' in os.environ:\n    ALLOWED = os.environ['ORIGINS'].split(',')",
            "ALLOWED",
        ),
    ];
    cases.extend(of("settings.py", settings, list));
    let origins = [
        "process.env['ORIGINS'] || 'https://d.example'",
        "'ORIGINS' in process.env ? process.env.ORIGINS : 'https://d.example'",
        "env.ORIGINS ?? 'https://d.example'",
        "import.meta.env.ORIGINS",
        "import.meta.env.ORIGINS ?? 'https://d.example'",
        "Bun.env.ORIGINS",
    ];
    cases.extend(of("app.mjs", origins.map(express).into(), one));
    let origins = [
        "z.object({ ORIGINS: z.string().url() }).parse(process.env).ORIGINS",
        "z.object({ ORIGINS: z.string().default('https://d.example') }).safeParse(process.env).data.ORIGINS",
        "cleanEnv(process.env, { ORIGINS: str({ default: 'https://d.example' }) }).ORIGINS",
        "Joi.object({ ORIGINS: Joi.string().required() }).unknown().validate(process.env).value.ORIGINS",
        "createEnv({ server: { ORIGINS: z.string().min(1) }, runtimeEnv: process.env }).ORIGINS",
    ];
    cases.extend(of("app.ts", origins.map(validated).into(), one));
    let origins = [
        "config.get('ORIGINS')",
        "config.get<string>('ORIGINS', 'https://d.example')",
        "config.getOrThrow('ORIGINS')",
        "new ConfigService().get('ORIGINS')",
    ];
    cases.extend(of("main.ts", origins.map(nest).into(), one));
    let split = nest("config.get<string>('ORIGINS')?.split(',') ?? []");
    cases.push(("main.ts", split, list));
    cases
}

#[test]
fn what_is_said_becomes_known() {
    for (file, content, variable) in cases() {
        let silent = check(file, &content, &[]);
        assert_eq!(
            silent.code, 0,
            "{content}\n{}{}",
            silent.stdout, silent.stderr
        );
        assert!(!silent.stdout.contains("unasked"), "{}", silent.stdout);
        let told = check(file, &content, &["--env", variable]);
        assert_eq!(told.code, 1, "{content}\n{}{}", told.stdout, told.stderr);
        let rule = match file {
            "settings.py" => "rejected-by-framework",
            _ => "invalid-origin",
        };
        assert!(told.stdout.contains(rule), "{content}\n{}", told.stdout);
        assert!(
            told.stdout.contains("`https://a.example/`"),
            "{}",
            told.stdout
        );
    }
}

#[test]
fn a_named_file_is_read_and_loses_against_the_command_line() {
    let from_file = check("app.js", EXPRESS, &["--env-file", "said.env"]);
    assert!(
        from_file.stdout.contains("`https://said.example/`"),
        "{}",
        from_file.stdout
    );
    let both = [
        "--env",
        "ORIGINS=https://a.example/",
        "--env-file",
        "said.env",
    ];
    let both = check("app.js", EXPRESS, &both);
    assert!(
        both.stdout.contains("`https://a.example/`"),
        "{}",
        both.stdout
    );
    assert!(!both.stdout.contains("said.example"), "{}", both.stdout);
}

#[test]
fn the_environment_of_the_run_is_not_looked_at() {
    let folder = TempDir::new();
    folder.write("app.js", EXPRESS);
    let output = crate::support::corslint(folder.path())
        .env("ORIGINS", "https://a.example/")
        .output()
        .expect("the binary starts");
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn a_value_that_would_break_a_directive_stays_a_placeholder() {
    let run = check(
        "default.conf.template",
        NGINX,
        &["--env", "ORIGINS=a b; evil"],
    );
    assert_eq!(run.code, 0, "{}", run.stdout);
}

#[test]
fn what_cannot_be_read_is_told() {
    let folder = TempDir::new();
    folder.write("bad.env", "A=1\nnonsense\n");
    folder.write("nul.env", b"A=\0");
    for (arguments, words) in [
        (["--env", "A"], "NAME=VALUE"),
        (["--env", "=x"], "is no name of a variable"),
        (["--env-file", "none.env"], "none.env"),
        (["--env-file", "bad.env"], "bad.env: line 2"),
        (["--env-file", "nul.env"], "NUL"),
        (["--env-file", "."], "not a regular file"),
    ] {
        let run = run(folder.path(), &arguments);
        assert_eq!(run.code, 2, "{arguments:?}");
        assert!(run.stderr.contains(words), "{}", run.stderr);
        assert_eq!(run.stdout, "");
    }
}

/// Placeholders of Spring, by the variable's own name and by the relaxed names of a property; the
/// value wins over a default and over the file.
#[test]
fn variables_fill_the_placeholders_of_spring() {
    let controller = |origin: &str| {
        format!(
            "@RestController\n@CrossOrigin(originPatterns = \"{origin}\", allowCredentials = \"true\")\n\
             class Items {{ @GetMapping(\"/items\") String items() {{ return \"\"; }} }}\n"
        )
    };
    let found = |files: &[(&str, String)], arguments: &[&str]| {
        let folder = TempDir::new();
        for (name, text) in files {
            folder.write(name, text);
        }
        let arguments = [&["check", "--color", "never", "."], arguments].concat();
        run(folder.path(), &arguments)
            .stdout
            .contains("any-origin-with-credentials")
    };
    let properties = (
        "application.properties",
        "app.web.allowed-origin=https://app.example.com\n".to_owned(),
    );
    for (files, argument) in [
        (vec![("Items.java", controller("${ORIGINS}"))], "ORIGINS=*"),
        (
            vec![(
                "Items.java",
                controller("${ORIGINS:https://app.example.com}"),
            )],
            "ORIGINS=*",
        ),
        (
            vec![
                ("Items.java", controller("${app.web.allowed-origin}")),
                properties.clone(),
            ],
            "APP_WEB_ALLOWEDORIGIN=*",
        ),
        (
            vec![
                ("Items.java", controller("${app.web.allowed-origin}")),
                properties,
            ],
            "APP_WEB_ALLOWED_ORIGIN=*",
        ),
        (
            vec![
                ("Items.java", controller("${app.origin}")),
                ("application.properties", "app.origin=${ORIGINS}\n".into()),
            ],
            "ORIGINS=*",
        ),
    ] {
        assert!(!found(&files, &[]), "{argument} {files:?}");
        assert!(found(&files, &["--env", argument]), "{argument} {files:?}");
        assert!(
            !found(&files, &["--env", "OTHER=*"]),
            "{argument} {files:?}"
        );
    }
    // A profile that the environment makes active is no condition any more.
    let profiles = [
        ("Items.java", controller("${app.origin}")),
        (
            "application.properties",
            "app.origin=https://app.example.com\n".into(),
        ),
        ("application-open.properties", "app.origin=*\n".into()),
    ];
    assert!(found(&profiles, &[]));
    assert!(found(&profiles, &["--env", "SPRING_PROFILES_ACTIVE=open"]));
    assert!(!found(
        &profiles,
        &["--env", "SPRING_PROFILES_ACTIVE=other"]
    ));
}
