"""FastAPI only: the OpenAPI document, Security with scopes, and a forgotten Depends."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from copy import deepcopy
from typing import Annotated, Any

import pytest
from fastapi import Depends, FastAPI, Security
from fastapi.exceptions import FastAPIError

from srpcore import AsyncTokenVerifier, ConfigurationError, TokenVerifier
from srpcore.frameworks import fastapi, starlette
from srpcore.tokens import Claims
from support.key_server import POOL, Keys, mint, serve
from support.minting import access_claims, id_claims
from support.sites import Site, fastapi_app, over_asgi, sub_of, verifier_of

from .wrong_overrides import WRONG

VERIFIER = TokenVerifier(POOL, client_id=None, token_use=None)


@pytest.fixture
def keys() -> Iterator[Keys]:
    with serve() as keys:
        yield keys


def test_the_openapi_document_shows_the_scheme() -> None:
    document = fastapi_app(VERIFIER).openapi()
    assert document["components"]["securitySchemes"] == {
        "CognitoBearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}
    }
    for route in document["paths"].values():
        assert route["get"]["security"] == [{"CognitoBearer": []}]
        assert "parameters" not in route["get"]
        assert "requestBody" not in route["get"]


def site_of(dependency: Any) -> Any:
    app = FastAPI()

    @app.get("/me")
    async def endpoint(claims: Claims = dependency) -> dict[str, str]:
        return {"sub": claims["sub"]}

    return over_asgi(app)


def test_security_requires_every_scope_that_it_names(keys: Keys) -> None:
    with verifier_of(keys, True) as verifier:
        bearer = fastapi.CognitoBearer(verifier, token_use=None, scheme_name="Pool")
        with site_of(Security(bearer, scopes=["orders/read", "orders/write"])) as site:
            assert sub_of(site.bearer("me", mint(access_claims(scope="orders/write x orders/read"))))
            for claims in (access_claims(scope="orders/read"), access_claims(scope=""), id_claims()):
                answer = site.bearer("me", mint(claims))
                assert answer.status == 403
                assert answer.challenges[0].endswith('scope="orders/read orders/write"')
            assert site.ask("me").status == 401


def test_the_other_class_is_a_dependency_too(keys: Keys) -> None:
    with verifier_of(keys, True) as verifier, site_of(Depends(starlette.CognitoBearer(verifier))) as site:
        assert sub_of(site.bearer("me", mint()))
        assert site.ask("me").status == 401


@pytest.mark.parametrize("overrides", WRONG, ids=repr)
def test_a_wrong_requirement_is_refused_when_the_route_is_defined(overrides: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError):
        fastapi.CognitoBearer(VERIFIER, **overrides)


CLASSES = [fastapi.CognitoBearer, starlette.CognitoBearer]


@pytest.mark.parametrize("verifier", [VERIFIER, AsyncTokenVerifier(POOL, client_id=None, token_use=None)])
@pytest.mark.parametrize("cls", CLASSES)
def test_without_depends_no_request_succeeds(cls: Callable[..., Any], verifier: Any) -> None:
    bearer = cls(verifier)
    app = FastAPI(openapi_url=None)

    @app.get("/me")
    async def endpoint(claims: Any = bearer) -> dict[str, bool]:
        return {"open": True}

    with over_asgi(app) as site:
        for authorization in ([], [f"Bearer {mint()}"]):
            answer = site.ask("me", *authorization)
            assert (answer.status, b"open" in answer.body) == (500, False)
    with pytest.raises(ConfigurationError, match="write Depends"):
        deepcopy(bearer)


@pytest.mark.parametrize("cls", CLASSES)
def test_an_annotation_without_depends_is_refused_when_the_route_is_defined(cls: Callable[..., Any]) -> None:
    bearer = cls(VERIFIER)

    def endpoint(claims: Any) -> None: ...

    endpoint.__annotations__["claims"] = Annotated[Claims, bearer]
    with pytest.raises(ConfigurationError):
        FastAPI().get("/me")(endpoint)


@pytest.mark.parametrize("cls", CLASSES)
def test_depending_on_the_class_is_refused_when_the_route_is_defined(cls: Callable[..., Any]) -> None:
    with pytest.raises(FastAPIError):
        site_of(Depends(cls))


def test_head_of_a_get_route_needs_a_token(keys: Keys) -> None:
    with verifier_of(keys, True) as verifier, site_of(Depends(fastapi.CognitoBearer(verifier))) as site:
        assert isinstance(site, Site)
        assert site.ask("me", method="HEAD").status in (401, 405)
