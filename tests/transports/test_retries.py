"""Which requests are retried, beside the service model and botocore's own figures."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from email.utils import format_datetime
from types import SimpleNamespace
from typing import Any

import botocore.exceptions
import botocore.retries.quota
import botocore.retries.standard
import pytest
from hypothesis import given
from hypothesis import strategies as st

from srpcore.exceptions import ConfigurationError, TransportError, TransportTimeout
from srpcore.protocol import Fetch, Operation, Reply
from srpcore.service_model import ENUMS, OPERATIONS, READ_ONLY
from srpcore_transports.retries import REPEATABLE, REPEATABLE_FLOWS, THROTTLED, Retries, RetryQuota, may_be_repeated

READ = Operation("GetUser", {})
FETCH = Fetch("https://localhost/keys")
NEVER = [
    Operation(name, {})
    for name in ("SignUp", "ConfirmSignUp", "ConfirmForgotPassword", "RespondToAuthChallenge", "ChangePassword")
] + [
    Operation("AdminRespondToAuthChallenge", {}),
    Operation("InitiateAuth", {"AuthFlow": "USER_PASSWORD_AUTH"}),
    Operation("InitiateAuth", {"AuthFlow": "CUSTOM_AUTH"}),
    Operation("InitiateAuth", {"AuthFlow": "USER_AUTH"}),
    Operation("InitiateAuth", {}),
    Operation("AdminInitiateAuth", {"AuthFlow": "ADMIN_USER_PASSWORD_AUTH"}),
    Operation("InitiateAuth", {"AuthFlow": ["USER_SRP_AUTH"]}),
    Operation("AnOperationOfTomorrow", {}),
]


def reply(code: str = "", status: int = 400, **headers: str) -> Reply:
    error = {"Error": {"Code": code, "Message": ""}} if code else {}
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Reply({**error, "ResponseMetadata": {"HTTPStatusCode": status, "HTTPHeaders": named}})


def retries(attempts: int = 3, random: float = 1.0) -> Retries:
    return Retries(attempts, lambda: random)


def test_read_only_and_idempotent_operations_may_be_repeated() -> None:
    assert READ_ONLY < REPEATABLE
    assert {
        "AdminAddUserToGroup",
        "AdminDisableUser",
        "AdminEnableUser",
        "AdminRemoveUserFromGroup",
        "GetTokensFromRefreshToken",
        "RevokeToken",
    } == REPEATABLE - READ_ONLY
    assert set(OPERATIONS.values()) >= REPEATABLE


def test_the_flows_are_in_the_model() -> None:
    flows = set(ENUMS["AuthFlowType"])
    assert flows >= REPEATABLE_FLOWS
    for flow in flows:
        for name in ("InitiateAuth", "AdminInitiateAuth"):
            assert may_be_repeated(Operation(name, {"AuthFlow": flow})) is (flow in REPEATABLE_FLOWS)


def test_the_throttling_codes_equal_those_of_botocore_except_for_other_services() -> None:
    checker: Any = botocore.retries.standard.ThrottledRetryableChecker
    theirs = set(checker._THROTTLED_ERROR_CODES)
    assert theirs - THROTTLED == {
        "EC2ThrottledException",
        "LimitExceededException",  # in Cognito: the user has tried too often
        "ProvisionedThroughputExceededException",
        "TransactionInProgressException",
    }
    assert theirs >= THROTTLED


LOST = TransportError("lost", transient=True)
LATE = TransportTimeout("late")
MAYBE = [LOST, LATE, *(reply("InternalErrorException", status) for status in (500, 502, 503, 504))]
SURELY_NOT = [
    TransportError("refused", transient=True, may_have_arrived=False),
    TransportTimeout("no connection", may_have_arrived=False),
    reply("TooManyRequestsException"),
    reply("ThrottlingException", 503),
    reply("AnyException", 429),
]
NEITHER = [
    reply(status=200),
    reply("NotAuthorizedException"),
    reply("LimitExceededException"),
    reply("InternalErrorException", 501),
    TransportError("wrong certificate"),
    TransportError("wrong certificate", may_have_arrived=False),
]


@pytest.mark.parametrize("outcome", MAYBE, ids=str)
def test_a_request_that_may_have_arrived_is_repeated_only_if_it_is_repeatable(outcome: Any) -> None:
    for request in (READ, FETCH, Operation("InitiateAuth", {"AuthFlow": "USER_SRP_AUTH"})):
        assert retries().pause(request, outcome, 1) is not None
    for request in NEVER:
        assert retries().pause(request, outcome, 1) is None


@pytest.mark.parametrize("outcome", SURELY_NOT, ids=str)
def test_a_request_that_did_not_arrive_is_always_repeated(outcome: Any) -> None:
    for request in [READ, *NEVER]:
        assert retries().pause(request, outcome, 1) is not None


@pytest.mark.parametrize("outcome", NEITHER, ids=str)
def test_other_answers_are_not_retried(outcome: Any) -> None:
    for request in [READ, *NEVER]:
        assert retries().pause(request, outcome, 1) is None


ADAPTER = botocore.retries.standard.RetryEventAdapter()
DETECTOR = botocore.retries.standard.ThrottlingErrorDetector(ADAPTER)


def seen_by_botocore(outcome: Any, attempt: int) -> Any:
    """Return the context in which botocore sees *outcome*."""
    lost = isinstance(outcome, TransportError)
    return botocore.retries.standard.RetryContext(
        attempt_number=attempt,
        parsed_response=None if lost else outcome.document,
        http_response=None if lost else SimpleNamespace(status_code=outcome.status, headers={}),
        caught_exception=botocore.exceptions.ConnectionClosedError(endpoint_url="x") if lost else None,
    )


@pytest.mark.parametrize("outcome", [LOST, LATE, reply("ThrottlingException"), reply("InternalErrorException", 500)])
@given(random=st.floats(0, 1, exclude_max=True), attempt=st.integers(1, 40))
def test_the_pause_equals_the_exponential_backoff_of_botocore(outcome: Any, random: float, attempt: int) -> None:
    backoff: Any = botocore.retries.standard.ExponentialBackoff
    theirs = backoff(20, lambda: random, "cognito-idp", DETECTOR)
    expected = theirs.delay_amount(seen_by_botocore(outcome, attempt))
    assert retries(41, random).pause(READ, outcome, attempt) == expected


def test_no_attempt_follows_the_last() -> None:
    assert retries(3).pause(READ, LOST, 2) is not None
    assert retries(3).pause(READ, LOST, 3) is None
    assert retries(1).pause(READ, LOST, 1) is None


@pytest.mark.parametrize(
    ("header", "pause"),
    [
        ("0", 0.5),
        ("7", 7.0),
        ("20", 20.0),
        ("21", None),
        ("9" * 400, None),
        ("", 0.5),
        ("-3", 0.5),
        ("soon", 0.5),
        ("1.5", 0.5),
        ("٣", 0.5),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 0.5),
        ("Wed, 21 Oct 2015 07:28:00", 0.5),
        ("Mon, 01 Jan 2030 00:00:00 +9999999999999", 0.5),
        (format_datetime(datetime(2999, 1, 1, tzinfo=timezone.utc), usegmt=True), None),
    ],
)
def test_retry_after_sets_the_pause(header: str, pause: float | None) -> None:
    assert retries(random=0.5).pause(READ, reply("ThrottlingException", 429, retry_after=header), 1) == pause
    stranger = TransportError("a gateway", transient=True, may_have_arrived=False, retry_after=header)
    assert retries(random=0.5).pause(READ, stranger, 1) == (0.025 if pause == 0.5 else pause)


def test_retry_after_may_be_a_date() -> None:
    soon = format_datetime(datetime.now(timezone.utc) + timedelta(seconds=10), usegmt=True)
    pause = retries().pause(READ, reply("ThrottlingException", 429, retry_after=soon), 1)
    assert pause is not None
    assert 5 < pause <= 10


@given(st.lists(st.tuples(st.booleans(), st.sampled_from([1, 5, 10])), max_size=300))
def test_the_quota_equals_that_of_botocore(steps: list[tuple[bool, int]]) -> None:
    ours, theirs = RetryQuota(), botocore.retries.quota.RetryQuota()
    for takes, units in steps:
        if takes:
            assert ours.take(units) is theirs.acquire(units)
        else:
            ours.give_back(units)
            theirs.release(units)


@pytest.mark.parametrize("outcome", [LOST, LATE, reply("ThrottlingException"), reply("InternalErrorException", 500)])
def test_the_costs_equal_those_of_botocore(outcome: Any) -> None:
    quota = botocore.retries.quota.RetryQuota()
    checker: Any = botocore.retries.standard.RetryQuotaChecker
    assert checker(quota, DETECTOR).acquire_retry_quota(seen_by_botocore(outcome, 1))
    assert Retries.cost(outcome) == RetryQuota.CAPACITY - quota.available_capacity


def test_the_quota_is_used_up_and_given_back() -> None:
    quota = RetryQuota()
    assert quota.left == RetryQuota.CAPACITY == 500
    assert quota.take(500)
    assert quota.left == 0
    assert not quota.take(1)
    quota.give_back(3)
    assert not quota.take(4)
    assert quota.take(3)
    quota.give_back(501)
    assert quota.left == 500
    assert (Retries.cost(LOST), Retries.cost(reply("ThrottlingException"))) == (14, 5)


def test_the_jitter_is_a_number_from_0_to_1() -> None:
    pauses = [Retries(3).pause(READ, LOST, 2) for _ in range(50)]
    assert all(pause is not None and 0 <= pause <= 0.1 for pause in pauses)
    assert len({*pauses}) > 1


@pytest.mark.parametrize("attempts", [0, -1, 1.0, True, None, "3"])
def test_an_invalid_number_of_attempts_is_refused(attempts: Any) -> None:
    with pytest.raises(ConfigurationError, match=r"^max_attempts"):
        Retries(attempts)


def test_a_throttling_gateway_gets_the_pause_of_throttling() -> None:
    page = TransportError("HTTP 429", transient=True, may_have_arrived=False, status=429)
    assert retries().pause(READ, page, 1) == retries().pause(READ, reply("ThrottlingException", 429), 1) == 1.0
    assert Retries.cost(page) == Retries.cost(reply("ThrottlingException"))
