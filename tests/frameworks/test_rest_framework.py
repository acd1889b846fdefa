"""Django REST framework's own: other authentication classes, users, throttles, and its conventions."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, ClassVar

import pytest
from django.contrib.auth.models import User
from rest_framework.authentication import BaseAuthentication
from rest_framework.permissions import AllowAny, IsAuthenticated
from rest_framework.response import Response
from rest_framework.throttling import UserRateThrottle
from rest_framework.views import APIView

from srpcore import AsyncTokenVerifier, ConfigurationError, TokenVerifier
from srpcore.exceptions import TokenExpired
from srpcore.frameworks.rest_framework import CognitoAuthentication, Principal
from support.key_server import POOL, Keys, mint, serve
from support.minting import access_claims
from support.sites import over_django, rest_view, verifier_of

from .wrong_overrides import WRONG

VERIFIER = TokenVerifier(POOL, client_id=None, token_use=None)


@pytest.fixture
def keys() -> Iterator[Keys]:
    with serve() as keys:
        yield keys


@pytest.fixture
def verifier(keys: Keys) -> Iterator[TokenVerifier]:
    with verifier_of(keys) as verifier:
        yield verifier


@pytest.fixture
def authentication(verifier: TokenVerifier) -> type[CognitoAuthentication]:
    class Authentication(CognitoAuthentication, verifier=verifier):
        pass

    return Authentication


@pytest.mark.parametrize("overrides", WRONG, ids=repr)
def test_a_wrong_requirement_is_refused_when_the_class_is_defined(overrides: Any) -> None:
    with pytest.raises(ConfigurationError):
        type("Wrong", (CognitoAuthentication,), {}, verifier=VERIFIER, **overrides)


@pytest.mark.parametrize("verifier", [AsyncTokenVerifier(POOL, client_id=None, token_use=None), object()])
def test_a_wrong_verifier_is_refused_when_the_class_is_defined(verifier: Any) -> None:
    with pytest.raises(ConfigurationError):
        type("Wrong", (CognitoAuthentication,), {}, verifier=verifier)
    with pytest.raises(ConfigurationError):
        type("Wrong", (CognitoAuthentication,), {"verifier": verifier})


@pytest.mark.parametrize("name", ["scope", "groups", "client_id"])
def test_a_requirement_as_a_class_attribute_is_refused(name: str) -> None:
    with pytest.raises(ConfigurationError, match=rf"write class Name\(Base, {name}="):
        type("Wrong", (CognitoAuthentication,), {name: "x"}, verifier=VERIFIER)


def test_a_verifier_is_required() -> None:
    with pytest.raises(ConfigurationError, match="verifier=TokenVerifier"):
        CognitoAuthentication()


def test_a_subclass_adds_requirements(authentication: type[CognitoAuthentication]) -> None:
    Writers = type("Writers", (authentication,), {}, scope="orders/write")
    Admins: Any = type("Admins", (Writers,), {}, groups="admins")

    admins = {"cognito:groups": ["admins"]}
    with over_django({"me": rest_view(Admins), "all": rest_view(authentication)}) as site:
        assert site.bearer("me", mint(access_claims(scope="orders/write", **admins))).status == 200
        assert site.bearer("me", mint(access_claims(scope="orders/write"))).status == 403
        assert site.bearer("me", mint(access_claims(**admins))).status == 403
        assert site.bearer("all", mint()).status == 200


def test_without_a_permission_a_request_without_a_token_is_anonymous(
    authentication: type[CognitoAuthentication],
) -> None:
    view = rest_view(
        authentication, permission_classes=[AllowAny], get=lambda self, request: Response(str(request.user))
    )
    with over_django({"me": view}) as site:
        assert site.ask("me").body == b'"AnonymousUser"'
        assert site.bearer("me", mint()).body == b'"alice"'
        assert site.bearer("me", mint(access_claims(exp=1))).status == 401


class Tickets(BaseAuthentication):
    def authenticate(self, request: Any) -> Any:
        ticket = request.META.get("HTTP_AUTHORIZATION", "")
        return (Principal("1", ticket, (), {}), {"sub": "1"}) if ticket.startswith("Ticket ") else None

    def authenticate_header(self, request: Any) -> str:
        return "Ticket"


def test_other_authentication_classes_are_tried(authentication: type[CognitoAuthentication]) -> None:
    orders: list[list[Any]] = [[authentication, Tickets], [Tickets, authentication]]
    for classes in orders:
        with over_django({"me": rest_view(authentication, authentication_classes=classes)}) as site:
            assert json.loads(site.ask("me", "Ticket x").body)["user"] == "Ticket x"
            assert json.loads(site.bearer("me", mint()).body)["user"] == "alice"
            assert site.ask("me").challenges == [classes[0]().authenticate_header(None)]
            answer = site.bearer("me", mint(access_claims(exp=1)))
            assert answer.status == 401
            assert answer.challenges == ['Bearer error="invalid_token", error_description="the token has expired"']


def test_a_program_can_make_its_own_user(verifier: TokenVerifier) -> None:
    class Known(CognitoAuthentication, verifier=verifier):
        users: ClassVar[dict[str, Principal]] = {"alice": Principal("7", "Alice", (), {})}

        def get_user(self, claims: Any) -> Any:
            return self.users.get(claims["username"])

    with over_django({"me": rest_view(Known, permission_classes=[AllowAny])}) as site:
        assert json.loads(site.bearer("me", mint()).body)["user"] == "Alice"
        answer = site.bearer("me", mint(access_claims(username="mallory")))
        assert answer.status == 401
        assert b"mallory" not in answer.body


def test_the_default_user_has_the_claims(authentication: type[CognitoAuthentication]) -> None:
    claims = access_claims(**{"cognito:groups": ["a", "b"]})
    user = authentication().get_user(claims)
    assert (user.pk, user.username, user.groups, user.claims) == (claims["sub"], "alice", ("a", "b"), claims)
    assert (user.is_authenticated, user.is_anonymous, user.is_active) == (True, False, True)
    assert claims["jti"] not in repr(user)
    assert hash(user) == hash(authentication().get_user(dict(claims)))


def test_a_token_without_a_subject_is_refused(authentication: type[CognitoAuthentication]) -> None:
    claims = access_claims()
    del claims["sub"]
    with over_django({"me": rest_view(authentication)}) as site:
        assert site.bearer("me", mint(claims)).status == 401


def test_throttles_count_by_user(authentication: type[CognitoAuthentication]) -> None:
    class Once(UserRateThrottle):
        rate = "1/day"

    with over_django({"me": rest_view(authentication, throttle_classes=[Once])}) as site:
        for sub in ("throttled-1", "throttled-2"):
            token = mint(access_claims(sub=sub))
            assert [site.bearer("me", token).status for _ in range(2)] == [200, 429]


def test_the_handler_of_the_application_gets_the_reason(authentication: type[CognitoAuthentication]) -> None:
    causes: list[BaseException | None] = []

    def handler(error: Any, _: Any) -> Response:
        causes.append(error.__cause__)
        return Response("no", error.status_code, headers={"WWW-Authenticate": error.auth_header})

    view = rest_view(authentication, get_exception_handler=lambda self: handler)
    with over_django({"me": view}) as site:
        assert site.bearer("me", mint(access_claims(exp=1))).challenges[0].startswith('Bearer error="invalid_token"')
    assert isinstance(causes[0], TokenExpired)


def test_an_exception_of_a_custom_check_reaches_the_application(verifier: TokenVerifier) -> None:
    class Banned(Exception):
        pass

    def check(_: object) -> None:
        raise Banned

    class Checked(CognitoAuthentication, verifier=verifier, custom_check=check):
        pass

    caught: list[Exception] = []

    class View(APIView):
        authentication_classes: ClassVar[list[Any]] = [Checked]
        permission_classes: ClassVar[list[Any]] = [IsAuthenticated]

        def handle_exception(self, exc: Exception) -> Response:
            caught.append(exc)
            return Response(status=451)

        def get(self, request: Any) -> Response:
            return Response("in")

    with over_django({"me": View}) as site:
        assert site.bearer("me", mint()).status == 451
    assert isinstance(caught[0], Banned)


def test_a_deactivated_user_is_refused(verifier: TokenVerifier) -> None:
    class Gone(CognitoAuthentication, verifier=verifier):
        def get_user(self, claims: Any) -> Any:
            return User(username=claims["username"], is_active=claims["username"] != "mallory")

    with over_django({"me": rest_view(Gone)}) as site:
        assert site.bearer("me", mint()).status == 200
        assert site.bearer("me", mint(access_claims(username="mallory"))).status == 401


def test_two_base_classes_require_what_both_require(verifier: TokenVerifier) -> None:
    class Writers(CognitoAuthentication, verifier=verifier, scope="orders/write"):
        pass

    class Admins(CognitoAuthentication, verifier=verifier, groups="admins"):
        pass

    class WritingAdmins(Writers, Admins):
        pass

    admins = {"cognito:groups": ["admins"]}
    with over_django({"me": rest_view(WritingAdmins)}) as site:
        assert site.bearer("me", mint(access_claims(scope="orders/write", **admins))).status == 200
        assert site.bearer("me", mint(access_claims(scope="orders/write"))).status == 403
        assert site.bearer("me", mint(access_claims(**admins))).status == 403


def test_two_base_classes_that_contradict_each_other_are_refused(verifier: TokenVerifier) -> None:
    class Writers(CognitoAuthentication, verifier=verifier, scope="orders/write"):
        pass

    class Readers(CognitoAuthentication, verifier=verifier, scope="orders/read"):
        pass

    with pytest.raises(ConfigurationError, match="different values of scope"):
        type("Both", (Writers, Readers), {})
    chosen: Any = type("Both", (Writers, Readers), {}, scope="orders/all")
    assert chosen._token_overrides["scope"] == "orders/all"
    other = TokenVerifier(POOL, client_id="another", token_use="access")
    elsewhere: Any = type("Elsewhere", (CognitoAuthentication,), {}, verifier=other)
    with pytest.raises(ConfigurationError, match="different values of verifier"):
        type("Both", (Writers, elsewhere), {})
