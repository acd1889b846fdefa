"""The middleware for Powertools for AWS Lambda, with an event of each kind."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from typing import Any

import pytest
from aws_lambda_powertools.event_handler import (
    ALBResolver,
    APIGatewayHttpResolver,
    APIGatewayRestResolver,
    LambdaFunctionUrlResolver,
)

from srpcore import ConfigurationError, TokenVerifier
from srpcore.frameworks.powertools import cognito_middleware
from support.key_server import Keys, mint, serve
from support.minting import NOW, access_claims
from support.sites import verifier_of

from .wrong_overrides import WRONG

pytestmark = pytest.mark.slow


@pytest.fixture
def keys() -> Iterator[Keys]:
    with serve() as keys:
        yield keys


@pytest.fixture
def verifier(keys: Keys) -> Iterator[TokenVerifier]:
    with verifier_of(keys) as verifier:
        yield verifier


def rest_event(headers: dict[str, list[str]]) -> dict[str, Any]:
    single = {name: values[-1] for name, values in headers.items()}
    context = {"stage": "$default", "requestId": "1"}
    event = {"httpMethod": "GET", "path": "/me", "resource": "/me", "requestContext": context, "body": None}
    return {**event, "headers": single, "multiValueHeaders": headers}


def http_event(headers: dict[str, list[str]]) -> dict[str, Any]:
    joined = {name.lower(): ",".join(values) for name, values in headers.items()}
    context = {"http": {"method": "GET", "path": "/me"}, "stage": "$default"}
    return {"version": "2.0", "rawPath": "/me", "headers": joined, "requestContext": context}


def alb_event(headers: dict[str, list[str]]) -> dict[str, Any]:
    single = {name.lower(): values[-1] for name, values in headers.items()}
    return {"httpMethod": "GET", "path": "/me", "headers": single, "requestContext": {"elb": {}}, "body": ""}


KINDS: dict[str, tuple[type[Any], Any]] = {
    "REST API": (APIGatewayRestResolver, rest_event),
    "HTTP API": (APIGatewayHttpResolver, http_event),
    "function URL": (LambdaFunctionUrlResolver, http_event),
    "load balancer": (ALBResolver, alb_event),
}


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


class App:
    def __init__(self, kind: str, verifier: TokenVerifier, **options: Any) -> None:
        resolver, self._event = KINDS[kind]
        app = self.app = resolver()
        self.called: list[Any] = []

        @app.get("/me", middlewares=[cognito_middleware(verifier, **options)])  # type: ignore[untyped-decorator]
        def me() -> dict[str, Any]:
            self.called.append(app.context.get("claims"))
            return {"sub": None if app.context["claims"] is None else app.context["claims"]["sub"]}

    def __call__(self, *authorization: str, name: str = "Authorization") -> dict[str, Any]:
        event = self._event({name: [*authorization]} if authorization else {})
        answer: dict[str, Any] = self.app.resolve(event, None)
        if answer.get("isBase64Encoded"):
            answer["body"] = base64.b64decode(answer["body"]).decode()
        return answer


def header(answer: dict[str, Any], name: str) -> str | None:
    several = answer.get("multiValueHeaders") or {}
    single = answer.get("headers") or {}
    found = {key.lower(): value for key, value in {**single, **several}.items()}.get(name.lower())
    return found[0] if isinstance(found, list) else found


def test_an_accepted_token_gives_the_claims(kind: str, keys: Keys, verifier: TokenVerifier) -> None:
    app = App(kind, verifier)
    claims = access_claims(sub="the-sub")
    answer = app(f"Bearer {mint(claims)}")
    assert (answer["statusCode"], json.loads(answer["body"])) == (200, {"sub": "the-sub"})


def test_other_requests_are_refused_before_the_route(kind: str, keys: Keys, verifier: TokenVerifier) -> None:
    app = App(kind, verifier)
    token = mint(access_claims())
    for authorization, challenge in (
        ((), "Bearer"),
        (("Basic abc",), "Bearer"),
        (("Bearer abc",), 'Bearer error="invalid_token"'),
        ((f"Bearer {token[:-4]}AAAA",), 'Bearer error="invalid_token"'),
        ((f"Bearer {mint(access_claims(exp=NOW - 1))}",), 'Bearer error="invalid_token"'),
    ):
        answer = app(*authorization)
        assert answer["statusCode"] == 401
        assert str(header(answer, "WWW-Authenticate")).startswith(challenge)
        assert token not in json.dumps(answer)
    assert app.called == []


def test_two_headers_are_refused(keys: Keys, verifier: TokenVerifier) -> None:
    token = mint(access_claims())
    for kind in ("REST API", "HTTP API", "function URL"):
        app = App(kind, verifier)
        assert app(f"Bearer {token}", f"Bearer {token}")["statusCode"] == 401
        assert app.called == []


def test_a_missing_scope_is_403(kind: str, keys: Keys, verifier: TokenVerifier) -> None:
    app = App(kind, verifier, scope="orders/read")
    assert app(f"Bearer {mint(access_claims())}")["statusCode"] == 403
    assert app(f"Bearer {mint(access_claims(scope='orders/read'))}")["statusCode"] == 200


def test_a_token_may_be_optional(kind: str, keys: Keys, verifier: TokenVerifier) -> None:
    app = App(kind, verifier, optional=True)
    assert app()["statusCode"] == 200
    assert app("Bearer abc")["statusCode"] == 401
    assert app.called == [None]


def test_claims_do_not_stay_for_the_next_request(kind: str, keys: Keys, verifier: TokenVerifier) -> None:
    app = App(kind, verifier, optional=True)
    app(f"Bearer {mint(access_claims())}")
    app()
    assert [claims is None for claims in app.called] == [False, True]


def test_the_token_may_be_in_another_place(kind: str, keys: Keys, verifier: TokenVerifier) -> None:
    def get_token(app: Any) -> str | None:
        headers: dict[str, str] = app.current_event["headers"]
        return headers.get("x-token") or headers.get("X-Token")

    app = App(kind, verifier, get_token=get_token)
    assert app(mint(access_claims()), name="X-Token")["statusCode"] == 200
    assert app(f"Bearer {mint(access_claims())}")["statusCode"] == 401


def test_keys_that_cannot_be_fetched_are_503(kind: str, keys: Keys, verifier: TokenVerifier) -> None:
    token = mint(access_claims())
    keys.instead = lambda: b"HTTP/1.1 500 no\r\nContent-Length: 0\r\n\r\n"
    answer = App(kind, verifier)(f"Bearer {token}")
    assert answer["statusCode"] == 503
    assert header(answer, "WWW-Authenticate") is None


@pytest.mark.parametrize("overrides", WRONG, ids=repr)
def test_a_wrong_requirement_is_refused_when_the_middleware_is_made(verifier: TokenVerifier, overrides: Any) -> None:
    with pytest.raises(ConfigurationError):
        cognito_middleware(verifier, **overrides)


def test_an_asynchronous_verifier_is_refused(keys: Keys) -> None:
    wrong: Any
    for wrong in (keys.async_verifier(), None):
        with pytest.raises(ConfigurationError):
            cognito_middleware(wrong)
