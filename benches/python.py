#!/usr/bin/env python3
"""Writes a Python monorepo: python.py FOLDER LINES [SEED].

Every service is a Django site (settings as a package, views, URLs, a middleware of its own), a Flask
application (a factory, blueprints) or a FastAPI service (routers, settings from the environment), each
with a policy of its own, and modules beside it that have nothing to do with CORS: about 1,900 lines in
all. The same seed writes the same tree."""

import pathlib
import random
import sys

BASE = """import os

DEBUG = os.environ.get("DEBUG", "") == "1"
INSTALLED_APPS = ["corsheaders", "%(name)s"]
MIDDLEWARE = [
    "corsheaders.middleware.CorsMiddleware",
    "django.middleware.common.CommonMiddleware",
    "%(name)s.middleware.Timing",
]
ROOT_URLCONF = "%(name)s.urls"
CORS_ALLOWED_ORIGINS = os.environ.get("ORIGINS", "%(origins)s").split(",")
"""

PRODUCTION = """from .base import *

CORS_ALLOW_CREDENTIALS = %(credentials)s
CORS_ALLOW_METHODS = %(methods)r
CORS_ALLOWED_ORIGIN_REGEXES = [r"^https://[a-z]+\\.%(name)s\\.example\\.com$"]
if DEBUG:
    CORS_ALLOWED_ORIGINS += ["http://localhost:3000"]
"""

MIDDLEWARE = """import time


class Timing:
    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        start = time.monotonic()
        response = self.get_response(request)
        response["Server-Timing"] = str(time.monotonic() - start)
        return response
"""

VIEW = """

@require_http_methods(%(methods)r)
def items%(number)d(request, pk=None):
    if request.method == "GET":
        return JsonResponse({"items": store.all(), "of": pk})
    return JsonResponse(store.add(request.body), status=201)
"""

FLASK = """from flask import Flask
from flask_cors import CORS

%(imports)s
cors = CORS()


def create_app():
    app = Flask(__name__)
    app.config["CORS_ORIGINS"] = %(origins)r
    cors.init_app(app, supports_credentials=%(credentials)s, max_age=%(age)d)
%(registers)s    return app


app = create_app()
"""

BLUEPRINT = """from flask import Blueprint, jsonify, request

from .parts.%(name)spart0 import Store

%(name)s = Blueprint("%(name)s", __name__, url_prefix="/%(name)s")
store = Store()


@%(name)s.route("/items", methods=%(methods)r)
def items():
    return jsonify(store.all())


@%(name)s.route("/items/<int:number>")
def item(number):
    return jsonify(store.one(number))


@%(name)s.post("/items")
def add():
    return jsonify(store.add(request.json)), 201
"""

FASTAPI = """import os

from fastapi import FastAPI
from fastapi.middleware.cors import CORSMiddleware

%(imports)s
ORIGINS = [origin.strip() for origin in os.getenv("ORIGINS", "%(origins)s").split(",")]
app = FastAPI()
%(registers)sapp.add_middleware(
    CORSMiddleware,
    allow_origins=ORIGINS,
    allow_credentials=%(credentials)s,
    allow_methods=%(methods)r,
    max_age=%(age)d,
)
"""

ROUTER = """from fastapi import APIRouter

from .parts.%(name)spart0 import Store

%(name)s = APIRouter(prefix="/%(name)s")
store = Store()


@%(name)s.get("/items")
async def items():
    return store.all()


@%(name)s.get("/items/{number}")
async def item(number: int):
    return store.one(number)


@%(name)s.post("/items")
async def add(body: dict):
    return store.add(body)
"""

PART = '''"""Nothing that the network has to do with."""

from dataclasses import dataclass, field
from datetime import datetime


@dataclass
class Record:
    number: int
    title: str
    tags: list[str] = field(default_factory=list)
    changed: datetime | None = None


class Store:
    """Records by their number, in memory."""

    def __init__(self):
        self.known: dict[int, Record] = {}

    def all(self):
        return sorted(self.known.values(), key=lambda record: record.title)

    def one(self, number):
        found = self.known.get(number)
        if found is None or not found.tags:
            return None
        return {"number": found.number, "title": found.title.strip()}

    def add(self, given):
        for tag in given.get("tags", []):
            if len(tag) > %(limit)d:
                raise ValueError(f"the tag {tag} is too long")
        number = len(self.known) + 1
        self.known[number] = Record(number, given["title"], given.get("tags", []), datetime.now())
        return {"number": number}
'''


class Tree:
    def __init__(self, root: pathlib.Path, seed: int) -> None:
        self.root = root
        self.lines = 0
        self.random = random.Random(seed)

    def write(self, path: str, text: str) -> None:
        self.lines += text.count("\n")
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def policy(self, name: str) -> dict:
        methods = ["GET", "POST", *self.random.sample(["PUT", "PATCH", "DELETE", "HEAD"], 2)]
        origins = [f"https://{part}.{name}.example.com" for part in ("app", "docs", "admin")]
        origins = origins[: self.random.randint(1, 3)]
        age = self.random.choice([600, 3600, 86400])
        credentials = self.random.random() < 0.5
        return {"name": name, "methods": methods, "origins": ",".join(origins), "age": age, "credentials": credentials}

    def parts(self, folder: str, name: str) -> None:
        for part in range(10):
            self.write(f"{folder}/parts/{name}part{part}.py", PART % {"limit": self.random.randint(20, 60)})

    def django(self, folder: str, name: str) -> None:
        policy = self.policy(name)
        self.write(f"{folder}/manage.py", "# the project starts here\n")
        self.write(f"{folder}/requirements.txt", "Django==5.2.19\ndjango-cors-headers==4.9.0\n")
        self.write(f"{folder}/settings/__init__.py", "")
        self.write(f"{folder}/settings/base.py", BASE % policy)
        self.write(f"{folder}/settings/production.py", PRODUCTION % policy)
        package = f"{folder}/{name}"
        self.write(f"{package}/__init__.py", "")
        self.write(f"{package}/middleware.py", MIDDLEWARE)
        views = "from django.http import JsonResponse\nfrom django.views.decorators.http import require_http_methods\n\n"
        views += f"from .parts.{name}part0 import Store\n\nstore = Store()\n"
        urls = "from django.urls import path\n\nfrom . import views\n\nurlpatterns = [\n"
        for number in range(10):
            views += VIEW % {"number": number, "methods": self.policy(name)["methods"]}
            urls += f'    path("items{number}/", views.items{number}),\n'
        self.write(f"{package}/views.py", views)
        self.write(f"{package}/urls.py", urls + "]\n")
        for kind in range(5):
            self.parts(package, name if kind == 0 else f"{name}{kind}")

    def routed(self, folder: str, name: str, main: str, router: str, register: str, pins: str) -> None:
        policy = self.policy(name)
        names = [f"{name}r{number}" for number in range(5)]
        policy["imports"] = "".join(f"from {name}.{each} import {each}\n" for each in names)
        policy["registers"] = "".join(register % each for each in names)
        if "flask" in pins:
            policy["origins"] = policy["origins"].split(",")
        self.write(f"{folder}/requirements.txt", pins)
        self.write(f"{folder}/main.py", main % policy)
        self.write(f"{folder}/{name}/__init__.py", "")
        for each in names:
            self.write(f"{folder}/{name}/{each}.py", router % {"name": each, "methods": self.policy(name)["methods"]})
            self.parts(f"{folder}/{name}", each)


def main() -> None:
    root = pathlib.Path(sys.argv[1])
    wanted = int(sys.argv[2])
    seed = int(sys.argv[3]) if len(sys.argv) > 3 else 1
    tree = Tree(root, seed)
    number = 0
    while tree.lines < wanted:
        name = f"service{number}"
        if number % 3 == 0:
            tree.django(name, name)
        elif number % 3 == 1:
            tree.routed(name, name, FLASK, BLUEPRINT, "    app.register_blueprint(%s)\n", "Flask==3.1.3\nflask-cors==6.0.5\n")
        else:
            tree.routed(name, name, FASTAPI, ROUTER, "app.include_router(%s)\n", "fastapi==0.165.0\nstarlette==1.10.0\n")
        number += 1
    print(f"{tree.lines} lines")


if __name__ == "__main__":
    main()
