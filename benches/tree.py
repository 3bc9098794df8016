#!/usr/bin/env python3
"""Makes a large mixed tree for benches/compare.sh: `tree.py FOLDER [--files N] [--share S] [--seed X]`.

The tree is the same for the same arguments: projects of several languages with sources, documents,
data and stylesheets of realistic sizes. A share of the files sets up CORS; the others hold none of
its words.
"""

import argparse
import pathlib
import random

WORDS = (
    "account address amount apply array balance batch buffer build cache change channel check child client close "
    "column command config count create current customer data default delete detail device document domain draft "
    "edit element email empty entry error event export factory field file filter find first folder format group "
    "handle header height helper image import index input insert invoice item join kind label language last layout "
    "level limit line link list load local lock login message method model module month name node note number "
    "object offset open option order output owner page parent part password path payment people period person "
    "phone picture point position price process product profile project prompt public query queue range rate read "
    "record region release render report request result return role route row rule save schema score screen search "
    "section select send session setting shape ship size sort source stage start state status step store stream "
    "string style submit table target task team template text theme time title token total track type unit update "
    "upload user value version video view visit week width window word work write year zone"
).split()


def name(rng):
    return rng.choice(WORDS) + rng.choice(WORDS).capitalize()


def javascript(rng, lines, types=False):
    out = ["import { %s } from './%s.js';" % (name(rng), name(rng)) for _ in range(3)]
    while len(out) < lines:
        parameter = name(rng)
        note = ": Record<string, unknown>" if types else ""
        out.append("")
        out.append("/** %s. */" % " ".join(rng.choices(WORDS, k=9)).capitalize())
        out.append("export function %s(%s%s) {" % (name(rng), parameter, note))
        for _ in range(rng.randint(3, 14)):
            value = name(rng)
            out.append("  const %s = %s.%s('%s') ?? %d;" % (value, parameter, rng.choice(WORDS), rng.choice(WORDS), rng.randint(0, 999)))
            out.append("  if (%s > %d) { return { %s, %s: '%s' }; }" % (value, rng.randint(0, 99), value, rng.choice(WORDS), rng.choice(WORDS)))
        out.append("}")
    return "\n".join(out) + "\n"


def python(rng, lines):
    out = ["import %s_lib" % rng.choice(WORDS) for _ in range(3)]
    while len(out) < lines:
        parameter = rng.choice(WORDS)
        out += ["", "", "def %s_%s(%s, %s=None):" % (rng.choice(WORDS), rng.choice(WORDS), parameter, rng.choice(WORDS))]
        out.append('    """%s."""' % " ".join(rng.choices(WORDS, k=9)).capitalize())
        for _ in range(rng.randint(3, 14)):
            value = rng.choice(WORDS) + "_" + rng.choice(WORDS)
            out.append("    %s = %s.get(%r, %d)" % (value, parameter, rng.choice(WORDS), rng.randint(0, 999)))
            out.append("    if %s > %d:\n        return {%r: %s}" % (value, rng.randint(0, 99), rng.choice(WORDS), value))
    return "\n".join(out) + "\n"


def java(rng, lines):
    class_name = name(rng).capitalize()
    out = ["package com.example.%s;" % rng.choice(WORDS), "", "public class %s {" % class_name]
    while len(out) < lines:
        out.append("    /** %s. */" % " ".join(rng.choices(WORDS, k=9)).capitalize())
        out.append("    public String %s(String %s) {" % (name(rng), rng.choice(WORDS)))
        for _ in range(rng.randint(2, 10)):
            out.append('        String %s = "%s" + %d;' % (name(rng), " ".join(rng.choices(WORDS, k=3)), rng.randint(0, 999)))
        out += ["        return null;", "    }", ""]
    return "\n".join(out + ["}"]) + "\n"


def prose(rng, lines):
    return "\n".join(" ".join(rng.choices(WORDS, k=12)).capitalize() + "." for _ in range(lines)) + "\n"


def data(rng, lines):
    rows = ('  {"%s": %d, "%s": "%s"}' % (rng.choice(WORDS), rng.randint(0, 9999), rng.choice(WORDS), rng.choice(WORDS)) for _ in range(lines))
    return "[\n" + ",\n".join(rows) + "\n]\n"


def style(rng, lines):
    return "".join(".%s-%s { width: %dpx; color: #%06x; }\n" % (rng.choice(WORDS), rng.choice(WORDS), rng.randint(1, 999), rng.randint(0, 0xFFFFFF)) for _ in range(lines))


def nginx(rng, lines):
    out = ["server {", "  listen 80;", "  server_name %s.example.com;" % rng.choice(WORDS)]
    while len(out) < lines:
        out.append("  location /%s/%s/ {\n    proxy_pass http://127.0.0.1:%d;\n    proxy_read_timeout %ds;\n  }" % (rng.choice(WORDS), rng.choice(WORDS), rng.randint(1024, 65535), rng.randint(1, 99)))
    return "\n".join(out + ["}"]) + "\n"


def cors_express(rng):
    return """import express from 'express';
import cors from 'cors';
const app = express();
app.use(cors({ origin: ['https://%s.example.com'], credentials: true }));
app.get('/%s', (req, res) => res.json({}));
app.listen(3000);
""" % (rng.choice(WORDS), rng.choice(WORDS)) + javascript(rng, rng.randint(20, 200)).replace("import {", "// import {")


def cors_fastapi(rng):
    return """from fastapi import FastAPI
from fastapi.middleware.cors import CORSMiddleware

app = FastAPI()
app.add_middleware(CORSMiddleware, allow_origins=["https://%s.example.com"], allow_methods=["GET"])


@app.get("/%s")
def read():
    return {}
""" % (rng.choice(WORDS), rng.choice(WORDS)) + python(rng, rng.randint(20, 200))


def cors_spring(rng):
    return """package com.example;

import org.springframework.web.bind.annotation.CrossOrigin;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RestController;

@RestController
public class %sController {
    @CrossOrigin(origins = "https://%s.example.com")
    @GetMapping("/%s")
    public String read() { return ""; }
}
""" % (rng.choice(WORDS).capitalize(), rng.choice(WORDS), rng.choice(WORDS))


def cors_nginx(rng):
    return """server {
  listen 80;
  location /%s/ {
    add_header Access-Control-Allow-Origin https://%s.example.com always;
    proxy_pass http://127.0.0.1:9000;
  }
}
""" % (rng.choice(WORDS), rng.choice(WORDS)) + nginx(rng, rng.randint(10, 100))


# Ending, weight, generator, average lines.
KINDS = [
    (".ts", 22, lambda rng, n: javascript(rng, n, True), 190),
    (".js", 16, javascript, 190),
    (".py", 14, python, 190),
    (".java", 14, java, 190),
    (".md", 8, prose, 150),
    (".json", 9, data, 320),
    (".css", 6, style, 260),
    (".txt", 6, prose, 200),
    (".conf", 1, nginx, 60),
    (".html", 4, prose, 150),
]
CORS = [("server", ".js", cors_express), ("main", ".py", cors_fastapi), ("Controller", ".java", cors_spring), ("site", ".conf", cors_nginx)]
MARKERS = ["package.json", "pyproject.toml", "pom.xml", "nginx.conf"]


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("folder", type=pathlib.Path)
    arguments.add_argument("--files", type=int, default=100_000)
    arguments.add_argument("--share", type=float, default=0.001, help="share of the files that set up CORS")
    arguments.add_argument("--seed", type=int, default=1)
    options = arguments.parse_args()
    rng = random.Random(options.seed)
    kinds = [kind for kind in KINDS for _ in range(kind[1])]
    # Bodies are drawn from a pool: making each anew would take longer than all benchmarks.
    pool = {kind[0]: [kind[2](rng, rng.randint(kind[3] // 3, kind[3] * 2)) for _ in range(60)] for kind in KINDS}
    files = total = seeds = project = 0
    folder = options.folder
    while files < options.files:
        project += 1
        root = options.folder / ("team%02d" % (project % 40)) / ("service%04d" % project)
        root.mkdir(parents=True, exist_ok=True)
        marker = MARKERS[project % len(MARKERS)]
        content = {"package.json": '{"name": "service", "dependencies": {"express": "^4.21.0", "cors": "^2.8.5"}}\n', "pyproject.toml": '[project]\nname = "service"\n', "pom.xml": "<project></project>\n", "nginx.conf": "events {}\nhttp {\n  include *.conf;\n}\n"}
        (root / marker).write_text(content[marker])
        files += 1
        for index in range(rng.randint(50, 350)):
            if files >= options.files:
                break
            if index % 12 == 0:
                folder = root / "src" / rng.choice(WORDS) / rng.choice(WORDS)
                folder.mkdir(parents=True, exist_ok=True)
            if rng.random() < options.share:
                stem, ending, make = CORS[project % len(CORS)] if rng.random() < 0.7 else rng.choice(CORS)
                text = make(rng)
                path = root / ("%s%d%s" % (stem, index, ending))
                seeds += 1
            else:
                ending = rng.choice(kinds)[0]
                text = rng.choice(pool[ending])
                path = folder / ("%s%d%s" % (name(rng), index, ending))
            path.write_text(text)
            files += 1
            total += len(text)
    print("%d files, %.2f GB, %d with CORS, in %d projects" % (files, total / 1e9, seeds, project))


if __name__ == "__main__":
    main()
