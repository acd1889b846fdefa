"""Flask's own: async views, a check before a whole blueprint, error handlers, and OPTIONS."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Blueprint, Flask, g
from flask.views import MethodView
from werkzeug.exceptions import HTTPException, Unauthorized

from srpcore import ConfigurationError, TokenVerifier
from srpcore.exceptions import TokenExpired
from srpcore.frameworks.flask import bearer_token, require_token
from support.key_server import Keys, mint, serve
from support.minting import access_claims
from support.sites import over_flask, sub_of, verifier_of

from .wrong_overrides import WRONG


@pytest.fixture
def keys() -> Iterator[Keys]:
    with serve() as keys:
        yield keys


@pytest.fixture
def verifier(keys: Keys) -> Iterator[TokenVerifier]:
    with verifier_of(keys) as verifier:
        yield verifier


@pytest.mark.parametrize("make", [bearer_token, require_token])
@pytest.mark.parametrize("overrides", WRONG, ids=repr)
def test_a_wrong_requirement_is_refused_when_the_view_is_defined(
    make: Any, verifier: TokenVerifier, overrides: Any
) -> None:
    with pytest.raises(ConfigurationError):
        make(verifier, **overrides)


@pytest.mark.parametrize("make", [bearer_token, require_token])
def test_an_asynchronous_verifier_or_none_is_refused_when_the_view_is_defined(make: Any, keys: Keys) -> None:
    def view() -> str:
        return "open"

    for wrong in (keys.async_verifier(), view, None):  # a view: @bearer_token without its verifier
        with pytest.raises(ConfigurationError):
            make(wrong)


def test_an_async_view_is_protected(verifier: TokenVerifier) -> None:
    app = Flask("site")

    @app.get("/me")
    @bearer_token(verifier)
    async def me() -> dict[str, str]:
        return {"sub": g.claims["sub"]}

    with over_flask(app) as site:
        assert sub_of(site.bearer("me", mint())) == access_claims()["sub"]
        assert site.ask("me").status == 401


def test_the_view_keeps_its_name_and_arguments(verifier: TokenVerifier) -> None:
    app = Flask("site")

    @app.get("/<name>")
    @bearer_token(verifier)
    def greet(name: str) -> str:
        """Greet."""
        return f"{name} {g.claims['username']}"

    assert (greet.__name__, greet.__doc__) == ("greet", "Greet.")
    with over_flask(app) as site:
        assert site.bearer("hello", mint()).body == b"hello alice"


def test_a_class_of_views_is_protected(verifier: TokenVerifier) -> None:
    class Orders(MethodView):
        decorators = [bearer_token(verifier)]  # noqa: RUF012 - as Flask documents it

        def get(self) -> str:
            return "read"

        def post(self) -> str:
            return "written"

    app = Flask("site")
    app.add_url_rule("/orders", view_func=Orders.as_view("orders"))
    with over_flask(app) as site:
        for method in ("GET", "HEAD", "POST"):
            assert site.ask("orders", method=method).status == 401
            assert site.bearer("orders", mint(), method=method).status == 200


def test_every_view_of_a_blueprint_is_protected(verifier: TokenVerifier) -> None:
    admin = Blueprint("admin", "admin", url_prefix="/admin")
    admin.before_request(require_token(verifier, groups="admins"))
    app = Flask("site")

    @admin.get("/users")
    def users() -> dict[str, str]:
        return {"sub": g.claims["sub"]}

    @app.get("/public")
    def public() -> str:
        return "open"

    app.register_blueprint(admin)
    with over_flask(app) as site:
        assert site.ask("public").status == 200
        for method in ("GET", "HEAD", "OPTIONS"):
            assert site.ask("admin/users", method=method).status == 401
        assert site.bearer("admin/users", mint()).status == 403
        assert sub_of(site.bearer("admin/users", mint(access_claims(**{"cognito:groups": ["admins"]}))))


def test_handlers_of_the_application_keep_the_challenge_and_get_the_reason(verifier: TokenVerifier) -> None:
    app = Flask("site")
    causes: list[BaseException | None] = []

    @app.errorhandler(HTTPException)
    def as_json(error: HTTPException) -> Any:
        causes.append(error.__cause__)
        assert isinstance(error, Unauthorized)
        response = error.get_response()
        response.data = json.dumps({"error": error.description})
        return response

    @app.get("/me")
    @bearer_token(verifier)
    def me() -> str:
        return "in"

    with over_flask(app) as site:
        answer = site.bearer("me", mint(access_claims(exp=1)))
    assert json.loads(answer.body) == {"error": "the token has expired"}
    assert answer.challenges == ['Bearer error="invalid_token", error_description="the token has expired"']
    assert isinstance(causes[0], TokenExpired)


def test_claims_of_an_earlier_check_do_not_stay(verifier: TokenVerifier) -> None:
    app = Flask("site")

    @app.errorhandler(403)
    def claims(_: Exception) -> Any:
        return {"claims": "claims" in g}, 403

    app.before_request(require_token(verifier))

    @app.get("/write")
    @bearer_token(verifier, scope="orders/write")
    def write() -> str:
        return "written"

    with over_flask(app) as site:
        assert json.loads(site.bearer("write", mint()).body) == {"claims": False}
        assert site.bearer("write", mint(access_claims(scope="orders/write"))).status == 200


def test_exceptions_of_a_custom_check_and_of_a_view_reach_the_application(verifier: TokenVerifier) -> None:
    class Banned(Exception):
        pass

    def check(claims: Any) -> None:
        if claims["username"] != "alice":
            raise Banned

    app = Flask("site")

    @app.errorhandler(Banned)
    def banned(_: Exception) -> Any:
        return "banned", 451

    @app.get("/me")
    @bearer_token(verifier, custom_check=check)
    def me() -> str:
        raise TokenExpired("of another token")

    @app.errorhandler(TokenExpired)
    def another(_: Exception) -> Any:
        return "the view's", 418

    with over_flask(app) as site:
        assert site.bearer("me", mint(access_claims(username="mallory"))).status == 451
        assert site.bearer("me", mint()).status == 418
