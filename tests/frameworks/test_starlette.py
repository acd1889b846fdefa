"""Starlette's own: the event loop stays free, WebSockets, the backend, and an application's own handlers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from threading import Thread
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.authentication import AuthenticationError, requires
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.authentication import AuthenticationMiddleware
from starlette.requests import HTTPConnection, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket

from srpcore import ConfigurationError
from srpcore.exceptions import InvalidClaim, TokenExpired
from srpcore.frameworks.starlette import CognitoBackend, CognitoBearer, CognitoUser, on_error
from support.key_server import Keys, mint, serve
from support.minting import access_claims, id_claims
from support.sites import Site, over_asgi, running, verifier_of, websocket_messages

from .wrong_overrides import WRONG

pytestmark = pytest.mark.slow  # for `make check`, which runs at every save


@pytest.fixture
def keys() -> Iterator[Keys]:
    with serve() as keys:
        yield keys


@pytest.mark.parametrize("cls", [CognitoBearer, CognitoBackend])
@pytest.mark.parametrize("overrides", WRONG, ids=repr)
def test_a_wrong_requirement_is_refused_when_the_route_is_defined(
    keys: Keys, cls: Any, overrides: dict[str, Any]
) -> None:
    with pytest.raises(ConfigurationError):
        cls(keys.async_verifier(), **overrides)


@pytest.mark.parametrize("cls", [CognitoBearer, CognitoBackend])
@pytest.mark.parametrize("verifier", [None, object(), lambda token: {}])
def test_a_wrong_verifier_is_refused_when_the_route_is_defined(cls: Any, verifier: Any) -> None:
    with pytest.raises(ConfigurationError):
        cls(verifier)


@pytest.mark.parametrize("name", ["starlette-sync", "fastapi-sync", "starlette", "fastapi"])
def test_other_requests_are_answered_while_keys_are_fetched(name: str) -> None:
    with running(name) as (keys, site):
        release = keys.hold()
        first: list[int] = []
        waiting = Thread(target=lambda: first.append(site.bearer("me", mint()).status))
        waiting.start()
        try:
            # The fetch goes on until it is released, so an answer shows that the loop is free.
            assert site.ask("me").status == 401
            while not keys.count:
                assert waiting.is_alive()
            assert site.ask("me").status == 401
            assert first == []
        finally:
            release.set()
            waiting.join(20)
        assert first == [200]


def test_a_websocket_without_a_token_is_closed_before_it_opens(keys: Keys) -> None:
    with verifier_of(keys) as verifier:
        bearer = CognitoBearer(verifier)

        async def endpoint(websocket: WebSocket) -> None:
            claims = await bearer(websocket)
            await websocket.accept()
            await websocket.send_text(claims["sub"])
            await websocket.close()

        app = Starlette(routes=[WebSocketRoute("/", endpoint)])
        good = (b"authorization", f"Bearer {mint()}".encode())
        (refused,) = websocket_messages(app)
        assert (refused["type"], refused["code"]) == ("websocket.close", 1008)
        (expired,) = websocket_messages(app, (b"authorization", f"Bearer {mint(access_claims(exp=1))}".encode()))
        assert (expired["code"], expired["reason"]) == (1008, "the token has expired")
        assert [message["type"] for message in websocket_messages(app, good)][:2] == [
            "websocket.accept",
            "websocket.send",
        ]
    keys.instead = lambda: b"HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n"
    with verifier_of(keys) as verifier:
        bearer = CognitoBearer(verifier)
        (unavailable,) = websocket_messages(Starlette(routes=[WebSocketRoute("/", endpoint)]), good)
        assert (unavailable["type"], unavailable["code"]) == ("websocket.close", 1013)


def test_only_an_asynchronous_verifier_accepts_a_coroutine_check(keys: Keys) -> None:
    class Banned(Exception):
        pass

    async def check(_: object) -> None:
        raise Banned

    async def handler(_: Request, __: Exception) -> Response:
        return PlainTextResponse("banned", 451)

    with pytest.raises(ConfigurationError):
        CognitoBearer(keys.verifier(), custom_check=check)
    with verifier_of(keys, True) as verifier:
        bearer = CognitoBearer(verifier, custom_check=check)

        async def endpoint(request: Request) -> Response:
            await bearer(request)
            return PlainTextResponse("in")

        with over_asgi(Starlette(routes=[Route("/me", endpoint)], exception_handlers={Banned: handler})) as site:
            assert site.bearer("me", mint()).status == 451


def test_a_handler_of_the_application_gets_the_reason_as_the_cause(keys: Keys) -> None:
    causes: list[BaseException | None] = []

    async def handler(_: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        causes.append(error.__cause__)
        return PlainTextResponse("no", error.status_code, error.headers)

    with verifier_of(keys) as verifier:
        bearer = CognitoBearer(verifier)

        async def endpoint(request: Request) -> Response:
            return JSONResponse(dict(await bearer(request)))

        with over_asgi(Starlette(routes=[Route("/me", endpoint)], exception_handlers={HTTPException: handler})) as site:
            assert site.bearer("me", mint(access_claims(exp=1))).status == 401
            assert site.ask("me").status == 401
    assert isinstance(causes[0], TokenExpired)
    assert causes[1] is None


def test_an_exception_of_a_custom_check_reaches_the_handler_of_the_application(keys: Keys) -> None:
    class Banned(Exception):
        pass

    def check(_: object) -> None:
        raise Banned

    async def handler(_: Request, __: Exception) -> Response:
        return PlainTextResponse("banned", 451)

    for asynchronous in (True, False):
        with verifier_of(keys, asynchronous) as verifier:
            bearer = CognitoBearer(verifier, custom_check=check)

            async def endpoint(request: Request) -> Response:
                await bearer(request)  # noqa: B023 - each application is done before the next is made
                return PlainTextResponse("in")

            with over_asgi(Starlette(routes=[Route("/me", endpoint)], exception_handlers={Banned: handler})) as site:
                assert site.bearer("me", mint()).status == 451


@pytest.fixture(params=[True, False], ids=["async", "sync"])
def backend_site(keys: Keys, request: pytest.FixtureRequest) -> Iterator[Site]:
    async def anybody(request: Request) -> Response:
        return JSONResponse({"in": request.user.is_authenticated, "scopes": request.auth.scopes})

    @requires("authenticated", status_code=401)
    async def me(request: Request) -> Response:
        return JSONResponse({"id": request.user.identity, "name": request.user.display_name})

    @requires("orders/write")
    async def write(request: Request) -> Response:
        return PlainTextResponse("written")

    routes = [Route("/anybody", anybody), Route("/me", me), Route("/write", write)]
    with verifier_of(keys, request.param) as verifier:
        middleware = Middleware(AuthenticationMiddleware, backend=CognitoBackend(verifier), on_error=on_error)
        with over_asgi(Starlette(routes=routes, middleware=[middleware])) as site:
            yield site


def test_the_backend_makes_a_user(backend_site: Site) -> None:
    token = mint(access_claims(scope="openid orders/write"))
    assert json.loads(backend_site.bearer("me", token).body) == {"id": access_claims()["sub"], "name": "alice"}
    answer = json.loads(backend_site.bearer("anybody", token).body)
    assert answer == {"in": True, "scopes": ["authenticated", "openid", "orders/write"]}
    assert backend_site.bearer("write", token).body == b"written"
    assert backend_site.bearer("write", mint()).status == 403


def test_the_backend_leaves_requests_without_a_token_anonymous(backend_site: Site) -> None:
    for authorization in ([], ["Basic YTpi"]):
        assert json.loads(backend_site.ask("anybody", *authorization).body) == {"in": False, "scopes": []}
        assert backend_site.ask("me", *authorization).status == 401
        assert backend_site.ask("write", *authorization).status == 403


def test_the_backend_refuses_an_invalid_token_even_on_open_routes(backend_site: Site, keys: Keys) -> None:
    answer = backend_site.bearer("anybody", mint(access_claims(exp=1)))
    assert (answer.status, answer.body) == (401, b"the token has expired")
    assert answer.challenges == ['Bearer error="invalid_token", error_description="the token has expired"']
    without_sub = access_claims()
    del without_sub["sub"]
    assert backend_site.bearer("anybody", mint(without_sub)).status == 401
    assert backend_site.ask("anybody", f"Bearer {mint()}", f"Bearer {mint()}").status == 401


def test_the_backend_without_keys_is_503(backend_site: Site, keys: Keys) -> None:
    keys.instead = lambda: b"HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n"
    answer = backend_site.bearer("anybody", mint())
    assert (answer.status, answer.challenges) == (503, [])


def test_on_error_does_not_show_the_message_of_another_backend() -> None:
    response = on_error(HTTPConnection({"type": "http"}), AuthenticationError("secret of another backend"))
    assert (response.status_code, response.headers["www-authenticate"]) == (401, "Bearer")
    assert b"secret" not in response.body


def test_users_of_machines_and_of_id_tokens_have_names() -> None:
    machine = access_claims(sub="client")
    del machine["username"]
    assert CognitoUser(machine).display_name == "client"
    of_id = id_claims(**{"cognito:username": "bob"})
    del of_id["username"]
    assert CognitoUser(of_id).display_name == "bob"
    for nobody in ({"username": "alice"}, {"sub": ""}, {"sub": 1}):
        with pytest.raises(InvalidClaim):
            CognitoUser(nobody)
