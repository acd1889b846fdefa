"""Tokens from a cookie, a query string or a WebSocket subprotocol, and routes that accept requests without a token."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from http.client import HTTPConnection as Client
from typing import Any, ClassVar

import pytest
from fastapi import Depends, FastAPI, Security, WebSocket
from fastapi.openapi.models import APIKey
from flask import Flask, g
from rest_framework.permissions import AllowAny, IsAuthenticated
from rest_framework.response import Response
from rest_framework.views import APIView
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.authentication import AuthenticationMiddleware
from starlette.requests import HTTPConnection, Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from srpcore import ConfigurationError, TokenVerifier
from srpcore.frameworks import aws_lambda, fastapi, flask, starlette
from srpcore.frameworks.rest_framework import CognitoAuthentication
from srpcore.tokens import Claims
from support.key_server import POOL, mint, serve
from support.minting import access_claims
from support.sites import Site, over_asgi, over_django, over_flask, sub_of, verifier_of, websocket_messages

from .lambda_events import http, rest_request

pytestmark = pytest.mark.slow  # for `make check`, which runs at every save

SUB = access_claims()["sub"]
EXPIRED = access_claims(exp=1)


@pytest.fixture(scope="module")
def verifier() -> Iterator[TokenVerifier]:
    with serve() as keys, verifier_of(keys) as verifier:
        yield verifier


def from_cookie(request: Any) -> str | None:
    """Read the cookie in Starlette, FastAPI and Flask."""
    token: str | None = request.cookies.get("access_token")
    return token


def sub(claims: Claims | None) -> str:
    return "nobody" if claims is None else str(claims["sub"])


# Each site has a route /me, which needs a token in a cookie, and a route /maybe, which accepts requests without one.
def on_starlette(verifier: TokenVerifier) -> AbstractContextManager[Site]:
    required = starlette.CognitoBearer(verifier, get_token=from_cookie)
    optional = starlette.OptionalCognitoBearer(verifier, get_token=from_cookie)

    async def me(request: Request) -> JSONResponse:
        return JSONResponse({"sub": sub(await required(request))})

    async def maybe(request: Request) -> JSONResponse:
        return JSONResponse({"sub": sub(await optional(request))})

    return over_asgi(Starlette(routes=[Route("/me", me), Route("/maybe", maybe)]))


def on_fastapi(verifier: TokenVerifier) -> AbstractContextManager[Site]:
    app = FastAPI()
    required = Depends(fastapi.CognitoBearer(verifier, get_token=from_cookie))
    optional = Depends(fastapi.OptionalCognitoBearer(verifier, get_token=from_cookie))

    @app.get("/me")
    async def me(claims: Claims = required) -> dict[str, str]:
        return {"sub": sub(claims)}

    @app.get("/maybe")
    async def maybe(claims: Claims | None = optional) -> dict[str, str]:
        return {"sub": sub(claims)}

    return over_asgi(app)


def on_flask(verifier: TokenVerifier) -> AbstractContextManager[Site]:
    app = Flask("site")

    @app.get("/me")
    @flask.bearer_token(verifier, get_token=from_cookie)
    def me() -> dict[str, str]:
        return {"sub": sub(g.claims)}

    @app.get("/maybe")
    @flask.bearer_token(verifier, get_token=from_cookie, optional=True)
    def maybe() -> dict[str, str]:
        return {"sub": sub(g.claims)}

    return over_flask(app)


def on_rest_framework(verifier: TokenVerifier) -> AbstractContextManager[Site]:
    class FromCookie(CognitoAuthentication, verifier=verifier):
        def get_token(self, request: Any) -> str | None:
            token: str | None = request.COOKIES.get("access_token")
            return token

    class View(APIView):
        authentication_classes: ClassVar[list[Any]] = [FromCookie]

        def get(self, request: Any) -> Response:
            return Response({"sub": sub(request.auth)})

    def with_permission(permission: Any) -> Any:
        return type("View", (View,), {"permission_classes": [permission]})

    return over_django({"me": with_permission(IsAuthenticated), "maybe": with_permission(AllowAny)})


SITES: list[Callable[[TokenVerifier], AbstractContextManager[Site]]] = [
    on_starlette,
    on_fastapi,
    on_flask,
    on_rest_framework,
]


@pytest.fixture(params=SITES, ids=lambda site: site.__name__)
def site(request: pytest.FixtureRequest, verifier: TokenVerifier) -> Iterator[Site]:
    with request.param(verifier) as site:
        yield site


def ask(site: Site, name: str, headers: dict[str, str]) -> tuple[int, bytes]:
    connection = Client("127.0.0.1", site.port, timeout=20)
    try:
        connection.request("GET", f"/{name}", headers={"Connection": "close", **headers})
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


def test_a_token_in_a_cookie_is_accepted(site: Site) -> None:
    status, body = ask(site, "me", {"Cookie": f"theme=dark; access_token={mint()}"})
    assert status == 200
    assert SUB in body.decode()


def test_with_get_token_the_header_is_not_read(site: Site) -> None:
    assert site.bearer("me", mint()).status == 401
    status, _ = ask(site, "me", {"Cookie": f"access_token={mint(EXPIRED)}", "Authorization": f"Bearer {mint()}"})
    assert status == 401


@pytest.mark.parametrize("headers", [{}, {"Cookie": "access_token="}, {"Cookie": "theme=dark"}])
def test_a_request_without_a_token_is_refused_unless_it_is_optional(site: Site, headers: dict[str, str]) -> None:
    assert ask(site, "me", headers)[0] == 401
    status, body = ask(site, "maybe", headers)
    assert status == 200
    assert b"nobody" in body


@pytest.mark.parametrize("token", ["x", "x.y.z", EXPIRED, access_claims(client_id="another")])
def test_a_token_that_is_not_accepted_is_refused_even_if_it_is_optional(site: Site, token: Any) -> None:
    minted = token if isinstance(token, str) else mint(token)
    assert ask(site, "maybe", {"Cookie": f"access_token={minted}"})[0] == 401


async def coroutine_function(_: Any) -> str:
    return ""


@pytest.mark.parametrize("wrong", ["access_token", coroutine_function, 1])
def test_an_unusable_get_token_is_refused_when_the_route_is_defined(verifier: TokenVerifier, wrong: Any) -> None:
    for make in (
        starlette.CognitoBearer,
        starlette.OptionalCognitoBearer,
        starlette.CognitoBackend,
        fastapi.CognitoBearer,
        fastapi.OptionalCognitoBearer,
        flask.bearer_token,
        flask.require_token,
        aws_lambda.RestApiAuthorizer,
        aws_lambda.HttpApiAuthorizer,
        aws_lambda.AppSyncAuthorizer,
    ):
        with pytest.raises(ConfigurationError, match="get_token"):
            make(verifier, get_token=wrong)


def test_a_get_token_that_returns_something_else_is_an_error_of_the_program(verifier: TokenVerifier) -> None:
    authorizer = aws_lambda.HttpApiAuthorizer(verifier, get_token=lambda _: mint().encode())  # type: ignore[arg-type,return-value]  # is wrong
    with pytest.raises(ConfigurationError, match="must return a string or None, not bytes"):
        authorizer(http())


def test_a_backend_reads_the_cookie_too(verifier: TokenVerifier) -> None:
    async def me(request: Request) -> JSONResponse:
        return JSONResponse({"sub": request.user.identity if request.user.is_authenticated else "nobody"})

    backend = starlette.CognitoBackend(verifier, get_token=from_cookie)
    middleware = Middleware(AuthenticationMiddleware, backend=backend, on_error=starlette.on_error)
    with over_asgi(Starlette(routes=[Route("/me", me)], middleware=[middleware])) as site:
        assert SUB in ask(site, "me", {"Cookie": f"access_token={mint()}"})[1].decode()
        assert sub_of(site.bearer("me", mint())) == "nobody"


def from_query(connection: HTTPConnection) -> str | None:
    return connection.query_params.get("token")


def from_subprotocol(connection: HTTPConnection) -> str | None:
    """Return the second subprotocol: a browser can write ``new WebSocket(url, ["bearer", token])``."""
    scheme, _, token = connection.headers.get("sec-websocket-protocol", "").partition(", ")
    return token if scheme == "bearer" else None


def query(token: str) -> dict[str, Any]:
    return {"query": f"token={token}".encode()}


def subprotocol(token: str) -> dict[str, Any]:
    return {"header": (b"sec-websocket-protocol", f"bearer, {token}".encode())}


@pytest.mark.parametrize(("get_token", "place"), [(from_query, query), (from_subprotocol, subprotocol)])
def test_a_web_socket_takes_the_token_from_the_query_or_a_cookie(
    verifier: TokenVerifier, get_token: Any, place: Callable[[str], dict[str, Any]]
) -> None:
    app = FastAPI()
    bearer = Depends(fastapi.CognitoBearer(verifier, get_token=get_token))

    @app.websocket("/socket")
    async def socket(websocket: WebSocket, claims: Claims = bearer) -> None:
        await websocket.accept()
        await websocket.send_text(str(claims["sub"]))

    def messages(token: str) -> list[dict[str, Any]]:
        placed = place(token)
        headers = [placed["header"]] if "header" in placed else []
        return websocket_messages(app, *headers, path="/socket", query=placed.get("query", b""))

    accepted = messages(mint())
    assert [message["type"] for message in accepted][:2] == ["websocket.accept", "websocket.send"]
    assert accepted[1]["text"] == SUB
    (refused,) = messages(mint(EXPIRED))
    assert (refused["type"], refused["code"]) == ("websocket.close", 1008)
    (missing,) = messages("")
    assert missing["code"] == 1008


def test_optional_security_still_requires_the_scopes_of_a_token_that_is_there(verifier: TokenVerifier) -> None:
    app = FastAPI()
    optional = Security(fastapi.OptionalCognitoBearer(verifier), scopes=["orders/read"])

    @app.get("/me")
    async def me(claims: Claims | None = optional) -> dict[str, str]:
        return {"sub": sub(claims)}

    with over_asgi(app) as site:
        assert sub_of(site.ask("me")) == "nobody"
        assert sub_of(site.bearer("me", mint(access_claims(scope="orders/read")))) == SUB
        assert site.bearer("me", mint(access_claims(scope="orders/write"))).status == 403


def test_the_openapi_document_shows_the_scheme_that_was_given() -> None:
    app = FastAPI()
    scheme = APIKey.model_validate({"in": "cookie", "name": "access_token"})
    verifier = TokenVerifier(POOL, client_id=None, token_use=None)
    bearer = Depends(fastapi.CognitoBearer(verifier, scheme=scheme, scheme_name="Cookie", get_token=from_cookie))

    @app.get("/me")
    async def me(claims: Claims = bearer) -> dict[str, str]:
        return {"sub": sub(claims)}

    assert app.openapi()["components"]["securitySchemes"] == {
        "Cookie": {"type": "apiKey", "in": "cookie", "name": "access_token"}
    }


def test_an_authorizer_takes_the_token_from_a_cookie_or_the_query(verifier: TokenVerifier) -> None:
    def cookie(event: Any) -> str | None:
        return next((c.partition("=")[2] for c in event.get("cookies", []) if c.startswith("access_token=")), None)

    authorizer = aws_lambda.HttpApiAuthorizer(verifier, get_token=cookie)
    assert authorizer(http(cookies=["theme=dark", f"access_token={mint()}"]))["isAuthorized"] is True
    assert authorizer(http(f"Bearer {mint()}", cookies=["theme=dark"])) == {"isAuthorized": False}

    def query(event: Any) -> str | None:
        token: str | None = event["queryStringParameters"].get("access_token")
        return token

    rest = aws_lambda.RestApiAuthorizer(verifier, get_token=query)
    assert rest(rest_request())["principalId"] == SUB
    with pytest.raises(aws_lambda.Unauthorized):
        rest(rest_request(f"Bearer {mint()}", queryStringParameters={"access_token": "x"}))
