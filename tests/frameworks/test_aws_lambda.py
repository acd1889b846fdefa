"""Authorizers for AWS Lambda, on events of the shapes that the services' documentation shows.

REST: docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-lambda-authorizer-input.html and -output.html;
HTTP: .../http-api-lambda-authorizer.html; AppSync: docs.aws.amazon.com/appsync/latest/devguide/security-authz.html.
The policies are evaluated by moto's IAM.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from srpcore import ConfigurationError, SrpcoreError, TokenVerifier, TransportError
from srpcore.frameworks.aws_lambda import (
    AppSyncAuthorizer,
    HttpApiAuthorizer,
    RestApiAuthorizer,
    Unauthorized,
    whole_stage,
)
from support.key_server import OTHER_ISSUER, Keys, mint, serve
from support.loopback import answer as response
from support.minting import CLIENT, access_claims, id_claims
from support.sites import verifier_of

from .lambda_events import KINDS, STAGE, appsync, http, permitted, rest_request, rest_token
from .wrong_overrides import WRONG

SUB = access_claims()["sub"]


@pytest.fixture(scope="module")
def keys() -> Iterator[Keys]:
    with serve() as keys:
        yield keys


@pytest.fixture(scope="module")
def verifier(keys: Keys) -> Iterator[TokenVerifier]:
    with verifier_of(keys) as verifier:
        yield verifier


def lets_in(authorizer: Any, event: Any) -> bool:
    try:
        answer = authorizer(event, None)
    except Unauthorized:
        return False
    json.dumps(answer, allow_nan=False)
    if "policyDocument" in answer:
        return permitted(answer, f"{STAGE}/GET/request")
    assert isinstance(answer["isAuthorized"], bool)
    return answer["isAuthorized"] is True


@pytest.mark.parametrize("kind", KINDS)
def test_a_valid_token_is_accepted(kind: str, verifier: TokenVerifier, keys: Keys) -> None:
    make, event = KINDS[kind]
    assert lets_in(make(verifier), event(mint()))
    assert keys.count == 1


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "token",
    [
        lambda: mint(access_claims(exp=1)),
        lambda: mint(access_claims(nbf=2**40)),
        lambda: mint(access_claims(client_id="stranger")),
        lambda: mint(access_claims(iss=OTHER_ISSUER), "other"),
        lambda: mint(id_claims()),
        lambda: mint(kid="unknown"),
        lambda: mint()[:-8],
        lambda: f"{mint()} {mint()}",
        lambda: f"{mint()},{mint()}",
        lambda: f"Bearer {mint()}",
        lambda: "A" * 300_000,
        lambda: "",
        lambda: " ",
        lambda: "tökén",
    ],
)
def test_an_invalid_token_is_denied_and_not_shown(kind: str, verifier: TokenVerifier, token: Any) -> None:
    make, event = KINDS[kind]
    minted = token()
    authorizer = make(verifier)
    assert not lets_in(authorizer, event(minted))
    try:
        said = repr(authorizer(event(minted)))
    except Unauthorized as error:
        said = repr(error)
    assert [part for part in minted.split(".") if len(part) > 1 and part in said] == []


EVENTS: list[Any] = [
    None,
    [],
    "event",
    {},
    {"version": "2.0"},
    {"type": "TOKEN"},
    {"type": "REQUEST", "methodArn": f"{STAGE}/GET/"},
    rest_token(None),
    rest_token(""),
    rest_token(["Bearer x"]),
    rest_token("Basic YTpi"),
    rest_request(),
    rest_request(headers=None, multiValueHeaders=None),
    rest_request(headers="authorization", multiValueHeaders=["x"]),
    rest_request(headers={"Authorization": 1}, multiValueHeaders=None),
    rest_request(headers=None, multiValueHeaders={"Authorization": [None]}),
    http(headers={"authorization": None}),
    http(),
    http(headers=None),
    http("Basic YTpi"),
    appsync(None),
    appsync(""),
    appsync({"token": "x"}),
]


@pytest.mark.parametrize("make", [RestApiAuthorizer, HttpApiAuthorizer, AppSyncAuthorizer])
@pytest.mark.parametrize("event", EVENTS, ids=lambda event: str(event)[:60])
def test_an_event_of_another_shape_is_denied(make: Any, event: Any, verifier: TokenVerifier) -> None:
    assert not lets_in(make(verifier), event)


def test_a_token_must_be_a_string(verifier: TokenVerifier) -> None:
    class Text:
        def __str__(self) -> str:
            return mint()

    assert not lets_in(AppSyncAuthorizer(verifier), appsync(Text()))
    assert not lets_in(RestApiAuthorizer(verifier, bare=True), rest_token(Text()))
    assert not lets_in(HttpApiAuthorizer(verifier, bare=True), http(headers={"authorization": Text()}))


def test_a_valid_token_in_an_event_of_another_kind_is_denied(verifier: TokenVerifier) -> None:
    good = f"Bearer {mint()}"
    rest, simple, sync = RestApiAuthorizer(verifier), HttpApiAuthorizer(verifier), AppSyncAuthorizer(verifier)
    for event in (rest_token(good), rest_request(good), http(good, version="1.0"), http(good, version=2.0)):
        assert not lets_in(simple, event)
    for event in (http(good), {**rest_token(good), "type": "token"}, {**rest_request(good), "type": None}):
        assert not lets_in(rest, event)
    for event in (rest_token(good), rest_request(good), http(good)):
        assert not lets_in(sync, event)


@pytest.mark.parametrize("name", ["Authorization", "authorization", "AUTHORIZATION"])
def test_the_name_of_the_header_may_have_any_case(name: str, verifier: TokenVerifier) -> None:
    rest, good = RestApiAuthorizer(verifier), f"Bearer {mint()}"
    assert lets_in(rest, rest_request(good, name=name))
    assert lets_in(rest, rest_request(good, name=name, multiValueHeaders=None))
    assert lets_in(rest, rest_request(good, name=name, headers=None))
    assert lets_in(HttpApiAuthorizer(verifier), http(headers={name: good}))


def test_two_headers_are_denied(verifier: TokenVerifier) -> None:
    rest, good = RestApiAuthorizer(verifier), f"Bearer {mint()}"
    another = f"Bearer {mint(access_claims(jti='another'))}"
    twice = {"Authorization": good, "authorization": good}
    for event in (
        rest_request(good, good),
        rest_request(another, good),
        rest_request("Basic YTpi", good),
        rest_request(good, "Basic YTpi"),
        rest_request(good, headers={"Authorization": another}),
        rest_request(good, multiValueHeaders={"authorization": [another]}),
        rest_request(headers=twice),
        rest_request(headers={}, multiValueHeaders={name: [value] for name, value in twice.items()}),
        rest_request(headers={"Authorization": [good, good]}),
        rest_request(headers={"Authorization": 1}, multiValueHeaders={"Authorization": [good]}),
        rest_request(headers={}, multiValueHeaders={"Authorization": [good, None]}),
    ):
        assert not lets_in(rest, event)
    assert not lets_in(HttpApiAuthorizer(verifier), http(good, good))
    assert not lets_in(HttpApiAuthorizer(verifier), http(headers=twice))


@pytest.mark.parametrize(("make", "bring"), [(RestApiAuthorizer, rest_token), (RestApiAuthorizer, rest_request),
                                             (HttpApiAuthorizer, http), (AppSyncAuthorizer, appsync)])  # fmt: skip
def test_a_token_is_accepted_with_and_without_bearer(make: Any, bring: Any, verifier: TokenVerifier) -> None:
    bare, scheme = make(verifier, bare=True), make(verifier, bare=False)
    token = mint()
    assert lets_in(bare, bring(token))
    assert not lets_in(bare, bring(f"Bearer {token}"))
    assert lets_in(scheme, bring(f"bearer {token}"))
    assert not lets_in(scheme, bring(token))
    assert not lets_in(bare, bring(""))


@pytest.mark.parametrize("kind", KINDS)
def test_missing_keys_are_an_error_and_not_a_policy_that_would_be_cached(kind: str) -> None:
    make, event = KINDS[kind]
    with serve() as keys, verifier_of(keys) as verifier:
        keys.instead = lambda: response(b"", 500)
        authorizer = make(verifier)
        with pytest.raises(TransportError):
            authorizer(event(mint()))
        assert not lets_in(authorizer, event("x.y.z"))
        keys.instead = None
        keys.clock.now += 120
        assert lets_in(authorizer, event(mint()))


@pytest.mark.parametrize("kind", KINDS)
def test_a_missing_scope_or_group_is_denied(kind: str, verifier: TokenVerifier) -> None:
    make, event = KINDS[kind]
    for demand, enough in (
        ({"scope": "orders/write"}, {"scope": "openid orders/write"}),
        ({"groups": ["admins"]}, {"cognito:groups": ["admins", "x"]}),
    ):
        authorizer = make(verifier, **demand)
        assert lets_in(authorizer, event(mint(access_claims(**enough))))
        assert not lets_in(authorizer, event(mint()))
        if make is RestApiAuthorizer:
            # An answer and no error: 403, and the same for this token as long as it lives.
            (statement,) = authorizer(event(mint()))["policyDocument"]["Statement"]
            assert (statement["Effect"], statement["Resource"]) == ("Deny", f"{STAGE}/*")
            with pytest.raises(Unauthorized, match=r"^Unauthorized$"):
                authorizer(event(mint(access_claims(exp=1))))


def test_a_policy_covers_the_whole_stage_and_no_other(verifier: TokenVerifier) -> None:
    authorizer = RestApiAuthorizer(verifier)
    answer = authorizer(rest_token(f"Bearer {mint()}"))
    assert answer["principalId"] == SUB
    for method in ("GET/request", "DELETE/other/deep/path", "POST/"):
        assert permitted(answer, f"{STAGE}/{method}")
    for other in (STAGE.replace("/test", "/prod"), STAGE.replace("s4x3", "other"), STAGE.replace("1234", "9999")):
        assert not permitted(answer, f"{other}/GET/request")
    document = answer["policyDocument"]
    assert document["Version"] == "2012-10-17"
    assert [*document["Statement"][0]] == ["Action", "Effect", "Resource"]


@pytest.mark.parametrize("value", ["GET/request", "GET/a*b?c", "POST/", "GET/a\nb"])
@pytest.mark.parametrize("partition", ["aws", "aws-cn", "aws-us-gov"])
def test_the_path_of_the_caller_is_not_in_the_policy(value: str, partition: str, verifier: TokenVerifier) -> None:
    stage = STAGE.replace("arn:aws:", f"arn:{partition}:")
    assert whole_stage(f"{stage}/{value}", {}) == f"{stage}/*"
    event = {**rest_token(f"Bearer {mint()}"), "methodArn": f"{stage}/{value}"}
    assert RestApiAuthorizer(verifier)(event)["policyDocument"]["Statement"][0]["Resource"] == f"{stage}/*"


@pytest.mark.parametrize(
    "arn",
    [
        None,
        1,
        "",
        "*",
        STAGE,
        f"{STAGE.rpartition('/')[0]}/*/GET/",
        f"{STAGE.rpartition(':')[0]}:*/test/GET/",
        "arn:aws:execute-api:*:123456789012:a/test/GET/",
        "arn:aws:execute-api:eu-west-1:*:a/test/GET/",
        "arn:aws:s3:eu-west-1:123456789012:a/test/GET/",
        f"x{STAGE}/GET/",
    ],
)
def test_an_invalid_method_arn_is_denied(arn: object, verifier: TokenVerifier) -> None:
    with pytest.raises(Unauthorized):
        RestApiAuthorizer(verifier)({**rest_token(f"Bearer {mint()}"), "methodArn": arn})


def test_a_program_can_choose_the_resource(verifier: TokenVerifier) -> None:
    def resource(method_arn: str, claims: Any) -> list[str]:
        return [f"{STAGE}/GET/{claims['username']}/*", f"{STAGE}/GET/public"]

    answer = RestApiAuthorizer(verifier, resource=resource)(rest_token(f"Bearer {mint()}"))
    assert permitted(answer, f"{STAGE}/GET/alice/orders")
    assert permitted(answer, f"{STAGE}/GET/public")
    assert not permitted(answer, f"{STAGE}/GET/bob/orders")
    for wrong in (None, "", [], [""], 1):
        with pytest.raises(ConfigurationError):
            RestApiAuthorizer(verifier, resource=lambda _, __, wrong=wrong: wrong)(rest_token(f"Bearer {mint()}"))  # type: ignore[misc]  # is wrong


def context_in(answer: dict[str, Any]) -> Any:
    return answer["resolverContext"] if "resolverContext" in answer else answer["context"]


@pytest.mark.parametrize("kind", KINDS)
def test_the_context_is_flat_and_has_no_token(kind: str, verifier: TokenVerifier) -> None:
    make, event = KINDS[kind]
    token = mint(access_claims(**{"cognito:groups": ["admins", "users"]}))
    answer = make(verifier, token_use=None)(event(token))
    assert context_in(answer) == {
        "sub": SUB,
        "username": "alice",
        "client_id": CLIENT,
        "token_use": "access",
        "scope": "aws.cognito.signin.user.admin",
        "groups": "admins users",
    }
    assert token.split(".")[2] not in repr(answer)
    claims = id_claims(**{"cognito:username": "bob"})
    del claims["username"]
    of_id = context_in(make(verifier, token_use=None)(event(mint(claims))))
    assert of_id == {"sub": SUB, "username": "bob", "client_id": CLIENT, "token_use": "id"}


@pytest.mark.parametrize("kind", KINDS)
def test_a_program_can_choose_the_context(kind: str, verifier: TokenVerifier) -> None:
    make, event = KINDS[kind]
    own: dict[str, Any] = {"name": "alice", "age": 42, "share": 0.5, "admin": True}
    assert context_in(make(verifier, context=lambda claims: own)(event(mint()))) == own
    wrongs: list[Any] = [{"a": ["b"]}, {"a": {"b": "c"}}, {"a": None}, {1: "a"}, {"a": b"b"}]
    for wrong in wrongs:
        with pytest.raises(ConfigurationError):
            make(verifier, context=lambda claims, wrong=wrong: wrong)(event(mint()))


def test_a_token_without_a_subject_is_denied(verifier: TokenVerifier) -> None:
    claims = access_claims()
    del claims["sub"]
    assert not lets_in(RestApiAuthorizer(verifier), rest_token(f"Bearer {mint(claims)}"))


def test_appsync_denies_fields_and_caches_no_longer_than_the_token_lives(verifier: TokenVerifier, keys: Keys) -> None:
    plain = AppSyncAuthorizer(verifier)(appsync(mint()))
    assert [*plain] == ["isAuthorized", "resolverContext"]
    denied = AppSyncAuthorizer(verifier, denied_fields=lambda claims: {"Mutation.deleteOrder"})
    assert denied(appsync(mint()))["deniedFields"] == ["Mutation.deleteOrder"]
    cached = AppSyncAuthorizer(verifier, ttl=300, clock=keys.clock)
    assert cached(appsync(mint()))["ttlOverride"] == 300
    assert cached(appsync(mint(access_claims(exp=keys.clock() + 10))))["ttlOverride"] == 10
    late = AppSyncAuthorizer(verifier, leeway=60, ttl=300, clock=keys.clock)
    assert late(appsync(mint(access_claims(exp=keys.clock() - 10))))["ttlOverride"] == 0
    assert AppSyncAuthorizer(verifier, ttl=0)(appsync(mint()))["ttlOverride"] == 0
    assert cached(appsync("x.y.z")) == {"isAuthorized": False, "ttlOverride": 0}
    wrongs: list[Any] = ["Mutation.deleteOrder", None, [""], [1]]
    for wrong in wrongs:
        with pytest.raises(ConfigurationError):
            AppSyncAuthorizer(verifier, denied_fields=lambda claims, wrong=wrong: wrong)(appsync(mint()))  # type: ignore[misc]  # is wrong


@pytest.mark.parametrize("make", [RestApiAuthorizer, HttpApiAuthorizer, AppSyncAuthorizer])
@pytest.mark.parametrize("overrides", WRONG, ids=repr)
def test_a_wrong_requirement_is_refused_when_the_authorizer_is_made(
    make: Any, overrides: Any, verifier: TokenVerifier
) -> None:
    with pytest.raises(ConfigurationError):
        make(verifier, **overrides)


@pytest.mark.parametrize("make", [RestApiAuthorizer, HttpApiAuthorizer, AppSyncAuthorizer])
def test_an_asynchronous_verifier_is_refused_when_the_authorizer_is_made(make: Any, keys: Keys) -> None:
    with pytest.raises(ConfigurationError):
        make(keys.async_verifier())


@pytest.mark.parametrize("ttl", [-1, float("inf"), True, "300"])
def test_a_wrong_time_to_live_is_refused_when_the_authorizer_is_made(ttl: Any, verifier: TokenVerifier) -> None:
    with pytest.raises(ConfigurationError):
        AppSyncAuthorizer(verifier, ttl=ttl)


def test_an_exception_of_a_custom_check_propagates(verifier: TokenVerifier) -> None:
    class Banned(Exception):
        pass

    def check(_: object) -> None:
        raise Banned

    for make, event in KINDS.values():
        with pytest.raises(Banned):
            make(verifier, custom_check=check)(event(mint()))
    assert issubclass(Unauthorized, SrpcoreError)
