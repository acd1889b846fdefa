"""A real site on 127.0.0.1 for each framework, with the same routes, and a client that says what it is told to."""

from __future__ import annotations

import asyncio
import json
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from threading import Thread
from typing import Any, ClassVar, cast
from wsgiref.simple_server import WSGIRequestHandler, make_server

import django
import uvicorn
import werkzeug.serving
from django.conf import settings

from srpcore.tokens import Claims
from support.key_server import Keys, serve

if not settings.configured:
    settings.configure(
        ALLOWED_HOSTS=["127.0.0.1"],
        INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", "rest_framework"],
        DATABASES={},
        LOGGING_CONFIG=None,
    )
    django.setup()

from django.core.handlers.wsgi import WSGIHandler
from django.test.utils import override_settings
from django.urls import path
from fastapi import Depends, FastAPI
from flask import Flask, g
from rest_framework.permissions import IsAuthenticated
from rest_framework.response import Response as RestResponse
from rest_framework.views import APIView
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from srpcore.frameworks import fastapi as for_fastapi
from srpcore.frameworks import flask as for_flask
from srpcore.frameworks import starlette as for_starlette
from srpcore.frameworks.rest_framework import CognitoAuthentication

ROUTES: dict[str, dict[str, Any]] = {
    "me": {},
    "write": {"scope": ["orders/write", "orders/admin"]},
    "admins": {"groups": "admins"},
    "anybody": {"client_id": None},
}
"""Each path, and what it demands beyond the verifier."""


@dataclass(frozen=True)
class Answer:
    status: int
    headers: list[tuple[str, str]]
    body: bytes

    @property
    def challenges(self) -> list[str]:
        return [value for name, value in self.headers if name.lower() == "www-authenticate"]

    @property
    def text(self) -> str:
        """All that the client gets."""
        return f"{self.headers} {self.body.decode('utf-8', 'replace')}"


@dataclass(frozen=True)
class Site:
    port: int

    def ask(self, name: str, *authorization: str | bytes, method: str = "GET") -> Answer:
        """Ask for /*name* with these Authorization headers, in this order."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            connection.putrequest(method, f"/{name}")
            for value in authorization:
                connection.putheader("Authorization", value)
            connection.putheader("Connection", "close")
            connection.endheaders()
            response = connection.getresponse()
            return Answer(response.status, response.getheaders(), response.read())
        finally:
            connection.close()

    def bearer(self, name: str, token: str, method: str = "GET") -> Answer:
        return self.ask(name, f"Bearer {token}", method=method)


class _Server(uvicorn.Server):
    """uvicorn's server, which ends within 5 ms of ``should_exit`` instead of 100."""

    async def main_loop(self) -> None:
        await self.on_tick(0)
        while not self.should_exit:
            await asyncio.sleep(0.005)


@contextmanager
def over_asgi(app: Any) -> Iterator[Site]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        config = uvicorn.Config(app, log_config=None, lifespan="off", ws="none", timeout_graceful_shutdown=5)
        server = _Server(config)
        thread = Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            while not server.started:
                assert thread.is_alive()
                time.sleep(0.005)
            yield Site(listener.getsockname()[1])
        finally:
            server.should_exit = True
            thread.join(60)
            assert not thread.is_alive()


@contextmanager
def over_wsgi(server: Any) -> Iterator[Site]:
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield Site(server.server_address[1])
    finally:
        server.shutdown()
        thread.join(60)
        server.server_close()
        assert not thread.is_alive()


def starlette_site(verifier: Any) -> AbstractContextManager[Site]:
    def route(name: str, demands: dict[str, Any]) -> Route:
        bearer = for_starlette.CognitoBearer(verifier, **demands)

        async def endpoint(request: Request) -> JSONResponse:
            claims = await bearer(request)
            return JSONResponse({"sub": claims["sub"]})

        return Route(f"/{name}", endpoint)

    return over_asgi(Starlette(routes=[route(name, demands) for name, demands in ROUTES.items()]))


def fastapi_app(verifier: Any) -> FastAPI:
    app = FastAPI()

    def add(name: str, demands: dict[str, Any]) -> None:
        dependency = Depends(for_fastapi.CognitoBearer(verifier, **demands))

        @app.get(f"/{name}")
        @app.head(f"/{name}")
        async def endpoint(claims: Claims = dependency) -> dict[str, str]:
            return {"sub": claims["sub"]}

    for name, demands in ROUTES.items():
        add(name, demands)
    return app


def fastapi_site(verifier: Any) -> AbstractContextManager[Site]:
    return over_asgi(fastapi_app(verifier))


def over_flask(app: Flask) -> AbstractContextManager[Site]:
    return over_wsgi(werkzeug.serving.make_server("127.0.0.1", 0, app, threaded=True))


def flask_site(verifier: Any) -> AbstractContextManager[Site]:
    app = Flask("site")

    def add(name: str, demands: dict[str, Any]) -> None:
        @app.get(f"/{name}", endpoint=name)
        @for_flask.bearer_token(verifier, **demands)
        def view() -> dict[str, str]:
            return {"sub": g.claims["sub"]}

    for name, demands in ROUTES.items():
        add(name, demands)
    return over_flask(app)


class Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *arguments: Any) -> None:
        pass


@contextmanager
def over_django(views: dict[str, type[APIView]]) -> Iterator[Site]:
    urls = tuple(path(name, view.as_view()) for name, view in views.items())
    with override_settings(ROOT_URLCONF=urls):
        server = make_server("127.0.0.1", 0, WSGIHandler(), handler_class=Quiet)
        with over_wsgi(server) as site:
            yield site


def rest_view(authentication: type[CognitoAuthentication], **members: Any) -> type[APIView]:
    class View(APIView):
        authentication_classes: ClassVar[list[Any]] = [authentication]
        permission_classes: ClassVar[list[Any]] = [IsAuthenticated]

        def get(self, request: Any) -> RestResponse:
            return RestResponse({"sub": request.auth["sub"], "user": str(request.user)})

        head = get

    return cast(type[APIView], type("View", (View,), members))


def rest_framework_site(verifier: Any) -> AbstractContextManager[Site]:
    class Authentication(CognitoAuthentication, verifier=verifier):
        pass

    def view(demands: dict[str, Any]) -> type[APIView]:
        class Demanding(Authentication, **demands):
            pass

        return rest_view(Demanding)

    return over_django({name: view(demands) for name, demands in ROUTES.items()})


SITES: dict[str, tuple[Callable[[Any], AbstractContextManager[Site]], bool]] = {
    "starlette": (starlette_site, True),
    "starlette-sync": (starlette_site, False),
    "fastapi": (fastapi_site, True),
    "fastapi-sync": (fastapi_site, False),
    "flask": (flask_site, False),
    "rest_framework": (rest_framework_site, False),
}
"""How to run each site, and whether its verifier is asynchronous."""


@contextmanager
def verifier_of(keys: Keys, asynchronous: bool = False, **changes: Any) -> Iterator[Any]:
    """Make a verifier that asks the server of *keys*, and close it at the end."""
    if asynchronous:
        verifier = keys.async_verifier(**changes)
        yield verifier
        asyncio.run(verifier.close())
    else:
        with keys.verifier(**changes) as sync:
            yield sync


@contextmanager
def running(name: str) -> Iterator[tuple[Keys, Site]]:
    """Run a server of keys and the site *name*, whose verifier asks it."""
    run, asynchronous = SITES[name]
    with serve() as keys, verifier_of(keys, asynchronous) as verifier, run(verifier) as site:
        yield keys, site


def sub_of(answer: Answer) -> str:
    assert answer.status == 200, answer
    return cast(str, json.loads(answer.body)["sub"])


def websocket_messages(
    app: Any, *headers: tuple[bytes, bytes], path: str = "/", query: bytes = b""
) -> list[dict[str, Any]]:
    """Return what *app* sends to a client that opens a WebSocket and sends nothing, as messages of ASGI."""
    sent: list[dict[str, Any]] = []
    incoming: list[dict[str, Any]] = [{"type": "websocket.connect"}, {"type": "websocket.disconnect", "code": 1000}]
    scope: dict[str, Any] = {
        "type": "websocket",
        "asgi": {"version": "3.0"},
        "path": path,
        "raw_path": path.encode(),
        "query_string": query,
        "headers": list(headers),
        "subprotocols": [],
        "scheme": "ws",
        "root_path": "",
        "state": {},
    }

    async def receive() -> dict[str, Any]:
        return incoming.pop(0)

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    asyncio.run(app(scope, receive, send))
    return sent
