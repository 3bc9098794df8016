"""Asks real applications, in process.

Reads one JSON document from standard input:
    {"framework": "starlette", "cases": [{"folder": …, "asks": [{"url", "method", "headers", "answer"}]}]}
and writes one JSON line for each case: a list of [status or null, [[name, value], …]], or {"error": text}.
Each case runs in a process of its own. "answer" is what the handler does: a status, or "throw".
"""

import importlib
import json
import logging
import os
import sys
from urllib.parse import urlsplit

ANSWER = "corslint.answer"


class Uncaught(Exception):
    """What no handler expects."""


# ---- Starlette and FastAPI ----


def patch_starlette():
    from starlette.responses import PlainTextResponse
    from starlette.routing import Route

    handle = Route.handle

    async def patched(self, scope, receive, send):
        answer = scope.get(ANSWER, 200)
        refused = self.methods and scope["method"] not in self.methods
        if answer == 200 or refused:
            return await handle(self, scope, receive, send)
        if answer == "throw":
            raise Uncaught
        await PlainTextResponse("", status_code=answer)(scope, receive, send)

    Route.handle = patched

    # Routes of included routers are not asked through `handle`.
    from fastapi.routing import APIRoute

    get_route_handler = APIRoute.get_route_handler

    def patched_handler(self):
        inner = get_route_handler(self)

        async def handler(request):
            answer = request.scope.get(ANSWER, 200)
            if answer == "throw":
                raise Uncaught
            if answer != 200:
                return PlainTextResponse("", status_code=answer)
            return await inner(request)

        return handler

    APIRoute.get_route_handler = patched_handler


def ask_asgi(app, ask):
    import asyncio

    url = urlsplit(ask["url"])
    headers = [(b"host", url.netloc.encode())]
    headers += [(n.encode(), v.encode("latin-1")) for n, v in ask["headers"]]
    scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": ask["method"],
        "scheme": url.scheme,
        "path": url.path,
        "raw_path": url.path.encode(),
        "query_string": url.query.encode(),
        "root_path": "",
        "headers": headers,
        "client": ("127.0.0.1", 1),
        "server": (url.hostname, url.port or 443),
        ANSWER: ask["answer"],
    }
    sent = []
    body = [{"type": "http.request", "body": b"", "more_body": False}]

    async def receive():
        return body.pop() if body else {"type": "http.disconnect"}

    async def send(message):
        sent.append(message)

    try:
        asyncio.run(app(scope, receive, send))
    except Exception:
        pass
    starts = [message for message in sent if message["type"] == "http.response.start"]
    if not starts:
        return [None, []]
    headers = [[n.decode("latin-1"), v.decode("latin-1")] for n, v in starts[0]["headers"]]
    return [starts[0]["status"], headers]


# ---- WSGI ----


def ask_wsgi(app, ask):
    url = urlsplit(ask["url"])
    import io

    environ = {
        "REQUEST_METHOD": ask["method"],
        "SCRIPT_NAME": "",
        "PATH_INFO": url.path,
        "QUERY_STRING": url.query,
        "SERVER_NAME": url.hostname,
        "SERVER_PORT": str(url.port or (443 if url.scheme == "https" else 80)),
        "SERVER_PROTOCOL": "HTTP/1.1",
        "HTTP_HOST": url.netloc,
        "REMOTE_ADDR": "127.0.0.1",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": url.scheme,
        "wsgi.input": io.BytesIO(),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": False,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
        ANSWER: ask["answer"],
    }
    for name, value in ask["headers"]:
        environ["HTTP_" + name.upper().replace("-", "_")] = value
    got = []

    def start_response(status, headers, exc_info=None):
        got[:] = [int(status.split()[0]), [list(header) for header in headers]]

    try:
        result = app(environ, start_response)
        for _ in result:
            pass
        if hasattr(result, "close"):
            result.close()
    except Exception:
        return [None, []]
    return got or [None, []]


def patch_flask():
    import flask

    dispatch = flask.Flask.ensure_sync

    def ensure_sync(self, function):
        inner = dispatch(self, function)
        inside = hasattr(function, "answers_inside")
        if inside or function not in self.view_functions.values():
            return inner

        def view(*args, **kwargs):
            answer = flask.request.environ.get(ANSWER, 200)
            if answer == "throw":
                raise Uncaught
            if answer != 200:
                return "", answer
            return inner(*args, **kwargs)

        return view

    flask.Flask.ensure_sync = ensure_sync

    # The handler that answers otherwise stands inside of its decorator.
    import functools

    import flask_cors

    cross_origin = flask_cors.cross_origin

    def patched(*args, **kwargs):
        decorate = cross_origin(*args, **kwargs)

        def decorator(function):
            # Another one stands inside already.
            if hasattr(function, "answers_inside"):
                return decorate(function)

            @functools.wraps(function)
            def view(*args, **kwargs):
                answer = flask.request.environ.get(ANSWER, 200)
                if answer == "throw":
                    raise Uncaught
                if answer != 200:
                    return "", answer
                return function(*args, **kwargs)

            view.answers_inside = True
            return decorate(view)

        return decorator

    flask_cors.cross_origin = patched


def django_app(folder):
    import django
    from django.core.handlers.wsgi import WSGIHandler

    package = os.path.isdir(os.path.join(folder, "settings"))
    module = "settings.production" if package else "settings"
    os.environ["DJANGO_SETTINGS_MODULE"] = module
    from django.conf import settings

    settings.ALLOWED_HOSTS = ["*"]
    settings.MIDDLEWARE = list(settings.MIDDLEWARE) + ["serve.Answering"]
    if not settings.is_overridden("SECRET_KEY") or not settings.SECRET_KEY:
        settings.SECRET_KEY = "x"
    settings.DEBUG = False
    settings.LOGGING_CONFIG = None
    if not settings.is_overridden("ROOT_URLCONF"):
        settings.ROOT_URLCONF = "serve"
    django.setup()
    return WSGIHandler()


class Answering:
    """Django middleware that answers in place of the view."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        return self.get_response(request)

    def process_view(self, request, view, args, kwargs):
        from django.http import HttpResponse

        answer = request.META.get(ANSWER, 200)
        if answer == "throw":
            raise Uncaught
        if answer != 200:
            return HttpResponse(status=answer)
        return None


class Patterns:
    def __iter__(self):
        from django.http import HttpResponse
        from django.urls import path
        from django.views.decorators.csrf import csrf_exempt

        view = csrf_exempt(lambda request: HttpResponse("ok"))
        return iter([path("items", view), path("slash/", view), path("api/items", view)])


def find_app(folder):
    for name in ("main", "app", "application"):
        if os.path.exists(os.path.join(folder, name + ".py")):
            module = importlib.import_module(name)
            break
    for name in ("app", "application", "create_app"):
        found = getattr(module, name, None)
        if found is not None:
            return found() if name == "create_app" else found
    raise LookupError("no application")


def run(framework, case):
    sys.path.insert(0, case["folder"])
    os.chdir(case["folder"])
    if framework == "django":
        app, ask = django_app(case["folder"]), ask_wsgi
    else:
        app = find_app(case["folder"])
        ask = ask_asgi if framework == "starlette" else ask_wsgi
    return [ask(app, one) for one in case["asks"]]


def main():
    job = json.load(sys.stdin)
    framework = job["framework"]
    logging.disable(logging.CRITICAL)
    sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
    os.environ.pop("DEBUG", None)
    if framework == "starlette":
        import fastapi  # noqa: F401

        patch_starlette()
    elif framework == "flask":
        patch_flask()
    else:
        import corsheaders.middleware  # noqa: F401
    for case in job["cases"]:
        read_end, write_end = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(read_end)
            try:
                result = run(framework, case)
            except BaseException as error:
                result = {"error": f"{type(error).__name__}: {error}"}
            with os.fdopen(write_end, "w") as out:
                json.dump(result, out)
            os._exit(0)
        os.close(write_end)
        with os.fdopen(read_end) as inside:
            text = inside.read()
        os.waitpid(child, 0)
        print(text, flush=True)


if __name__ == "__main__":
    main()
else:
    urlpatterns = Patterns()
