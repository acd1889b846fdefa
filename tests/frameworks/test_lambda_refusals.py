"""Why an authorizer refuses: one log line and the hook, without the token; and the events of more kinds of API."""

from __future__ import annotations

import logging
import pickle
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest

from srpcore import ConfigurationError, TokenVerifier, TransportError
from srpcore.exceptions import (
    GroupMismatch,
    InvalidClaim,
    InvalidSignature,
    ScopeMismatch,
    TokenExpired,
    TokenVerificationException,
)
from srpcore.frameworks.aws_lambda import AppSyncAuthorizer, HttpApiAuthorizer, RestApiAuthorizer, Unauthorized
from support.key_server import Keys, mint, serve
from support.loopback import answer as response
from support.minting import KID, access_claims
from support.sites import verifier_of

from .lambda_events import KINDS, STAGE, appsync, http, permitted, rest_request, rest_token

SUB = access_claims()["sub"]


@pytest.fixture(scope="module")
def keys() -> Iterator[Keys]:
    with serve() as keys:
        yield keys


@pytest.fixture(scope="module")
def verifier(keys: Keys) -> Iterator[TokenVerifier]:
    with verifier_of(keys) as verifier:
        verifier.hydrate()
        yield verifier


def refuse(authorizer: Any, event: Any) -> None:
    """Check that *authorizer* refuses *event*."""
    answer: dict[str, Any] = {"isAuthorized": False}
    with suppress(Unauthorized):
        answer = authorizer(event)
    if "policyDocument" in answer:
        assert not permitted(answer, f"{STAGE}/GET/request")
    else:
        assert answer["isAuthorized"] is False


def http_with_policies(verifier: TokenVerifier, **arguments: Any) -> HttpApiAuthorizer:
    return HttpApiAuthorizer(verifier, simple_responses=False, **arguments)


ALL = {**KINDS, "http-policy": (http_with_policies, KINDS["http"][1])}


@pytest.mark.parametrize("kind", ALL)
@pytest.mark.parametrize(
    ("token", "overrides", "cause", "reason"),
    [
        (lambda: mint(access_claims(exp=1)), {}, TokenExpired, "expired"),
        (lambda: mint(name="other", kid=KID), {}, InvalidSignature, "signature"),
        (mint, {"groups": "admins"}, GroupMismatch, "group"),
        (mint, {"scope": "orders/write"}, ScopeMismatch, "scope"),
        (lambda: "x", {}, TokenVerificationException, ""),
    ],
)
def test_the_reason_is_logged_once_and_passed_to_the_hook(
    kind: str,
    verifier: TokenVerifier,
    caplog: pytest.LogCaptureFixture,
    token: Any,
    overrides: Any,
    cause: type[TokenVerificationException],
    reason: str,
) -> None:
    make, event = ALL[kind]
    minted = token()
    seen: list[Unauthorized] = []
    authorizer = make(verifier, on_refused=seen.append, **overrides)
    with caplog.at_level(logging.DEBUG, "srpcore"):
        refuse(authorizer, event(minted))
    (refused,) = seen
    assert isinstance(refused.__cause__, cause)
    assert reason in refused.reason
    assert refused.reason == str(refused.__cause__)
    assert [(record.levelname, record.name) for record in caplog.records] == [("DEBUG", "srpcore")]
    assert refused.reason in caplog.text
    parts = [part for part in minted.split(".") if len(part) > 1]
    assert [part for part in parts if part in caplog.text or part in refused.reason or part in repr(refused)] == []


@pytest.mark.parametrize(
    ("make", "event", "reason"),
    [
        (RestApiAuthorizer, None, "not a JSON object"),
        (RestApiAuthorizer, rest_request(), "use bare=True"),
        (RestApiAuthorizer, {**rest_token("Bearer x"), "methodArn": "x"}, "no ARN of a method"),
        (RestApiAuthorizer, http(f"Bearer {mint()}"), "no ARN of a method"),
        (RestApiAuthorizer, rest_request(headers={"Authorization": 1}), "not a string"),
        (RestApiAuthorizer, rest_request("Bearer x", "Bearer y"), "more than one Authorization header"),
        (HttpApiAuthorizer, {"version": "1.0"}, "use RestApiAuthorizer for format 1.0"),
        (HttpApiAuthorizer, http("Basic YTpi"), "no Authorization header with a token after 'Bearer'"),
        (http_with_policies, rest_token(f"Bearer {mint()}"), "no ARN of a method"),
        (AppSyncAuthorizer, appsync(None), "contains no token"),
    ],
)
def test_the_reason_says_what_is_wrong_with_the_event(
    verifier: TokenVerifier, make: Any, event: Any, reason: str
) -> None:
    seen: list[Unauthorized] = []
    refuse(make(verifier, on_refused=seen.append), event)
    assert [reason in refused.reason for refused in seen] == [True], seen[0].reason


def test_a_token_without_a_subject_is_reported(verifier: TokenVerifier) -> None:
    seen: list[Unauthorized] = []
    refuse(RestApiAuthorizer(verifier, on_refused=seen.append), rest_token(f"Bearer {mint(access_claims(sub=None))}"))
    assert [type(refused.__cause__) for refused in seen] == [InvalidClaim]


@pytest.mark.parametrize("kind", ALL)
def test_accepted_requests_and_missing_keys_are_not_reported(
    kind: str, verifier: TokenVerifier, caplog: pytest.LogCaptureFixture
) -> None:
    make, event = ALL[kind]
    seen: list[Unauthorized] = []
    with caplog.at_level(logging.DEBUG, "srpcore"):
        make(verifier, on_refused=seen.append)(event(mint()))
    assert (seen, caplog.records) == ([], [])
    with serve() as keys, verifier_of(keys) as without_keys:
        keys.instead = lambda: response(b"", 500)
        with pytest.raises(TransportError):
            make(without_keys, on_refused=seen.append)(event(mint()))
    assert seen == []


@pytest.mark.parametrize("kind", ALL)
def test_an_exception_of_the_hook_propagates(kind: str, verifier: TokenVerifier) -> None:
    def fail(_: Unauthorized) -> None:
        raise KeyError("metrics")

    make, event = ALL[kind]
    with pytest.raises(KeyError, match="metrics"):
        make(verifier, on_refused=fail)(event("x"))
    with pytest.raises(ConfigurationError, match="on_refused"):
        make(verifier, on_refused="print")


def test_a_refusal_pickles_with_its_reason() -> None:
    copied = pickle.loads(pickle.dumps(Unauthorized("the event contains no token")))
    assert (str(copied), copied.reason) == ("Unauthorized", "the event contains no token")


# serverless-offline: github.com/dherault/serverless-offline/issues/973. The account of a WebSocket API was seen as null.
STAGES = [
    "arn:aws:execute-api:us-east-1:random-account-id:random-api-id/dev",
    "arn:aws:execute-api:undefined:random-account-id:random-api-id/localhost",
    "arn:aws:execute-api:eu-west-1:null:abcdef123/production",
    "arn:aws:execute-api:us-east-1:123456789012:abcdef123/$default",
]


@pytest.mark.parametrize("stage", STAGES)
def test_arns_of_emulators_and_of_web_socket_apis_are_read(verifier: TokenVerifier, stage: str) -> None:
    authorizer = RestApiAuthorizer(verifier)
    for method in ("GET/orders/{id}", "$connect", "GET/"):
        answer = authorizer({**rest_token(f"Bearer {mint()}"), "methodArn": f"{stage}/{method}"})
        assert answer["policyDocument"]["Statement"][0]["Resource"] == f"{stage}/*"


@pytest.mark.parametrize(
    "stage", ["arn:aws:execute-api:eu-west-1:nu*:a/test", "arn:aws:execute-api:eu-west-1:1:a?/test"]
)
def test_an_arn_with_a_wildcard_is_refused(verifier: TokenVerifier, stage: str) -> None:
    with pytest.raises(Unauthorized):
        RestApiAuthorizer(verifier)({**rest_token(f"Bearer {mint()}"), "methodArn": f"{stage}/GET/"})


def format_1(*values: str) -> dict[str, Any]:
    """Return an event of payload format 1.0, as the page http-api-lambda-authorizer of API Gateway shows it."""
    return {
        "version": "1.0",
        "type": "REQUEST",
        "methodArn": f"{STAGE}/GET/request",
        "identitySource": ",".join(values),
        "authorizationToken": ",".join(values),
        "resource": "/request",
        "path": "/request",
        "httpMethod": "GET",
        "headers": {"Authorization": values[-1]} if values else {},
        "queryStringParameters": {},
        "pathParameters": {},
        "stageVariables": {},
        "requestContext": {"path": "/request", "accountId": "123456789012", "stage": "test", "apiId": "s4x3opwd6i"},
    }


def test_payload_format_1_of_an_http_api_is_answered_with_a_policy(verifier: TokenVerifier) -> None:
    authorizer = RestApiAuthorizer(verifier)
    answer = authorizer(format_1(f"Bearer {mint()}"))
    assert answer["principalId"] == SUB
    assert permitted(answer, f"{STAGE}/GET/request")
    for event in (format_1(), format_1("Bearer x"), format_1(f"Bearer {mint(access_claims(exp=1))}")):
        with pytest.raises(Unauthorized):
            authorizer(event)


def test_payload_format_2_without_simple_responses_is_answered_with_a_policy(verifier: TokenVerifier) -> None:
    authorizer = HttpApiAuthorizer(verifier, simple_responses=False, groups="admins")
    answer = authorizer(http(f"Bearer {mint(access_claims(**{'cognito:groups': ['admins']}))}"))
    assert answer["principalId"] == SUB
    assert answer["context"]["groups"] == "admins"
    assert permitted(answer, f"{STAGE}/GET/request")
    assert not permitted(answer, f"{STAGE.replace('/test', '/prod')}/GET/request")
    denied = authorizer(http(f"Bearer {mint()}"))
    assert denied["policyDocument"]["Statement"][0]["Effect"] == "Deny"
    for event in (http(), http("Bearer x"), {**http(f"Bearer {mint()}"), "version": "1.0"}):
        with pytest.raises(Unauthorized):
            authorizer(event)


def test_a_resource_of_the_programs_own_is_in_the_policy(verifier: TokenVerifier) -> None:
    authorizer = HttpApiAuthorizer(
        verifier, simple_responses=False, resource=lambda arn, claims: f"{arn}/{claims['username']}"
    )
    answer = authorizer(http(f"Bearer {mint()}"))
    assert answer["policyDocument"]["Statement"][0]["Resource"] == f"{STAGE}/GET/request/alice"
