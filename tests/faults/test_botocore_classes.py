"""A network error is of the class that botocore raises for the same fault, on every transport."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from typing import Any, cast

import botocore.exceptions
import pytest
import requests

from srpcore import exceptions

from .catalogue import FAULTS, OPERATIONS, Asked, Fault
from .clients import client_of, outcome_of
from .kinds import KINDS, Kind, Pool

pytestmark = pytest.mark.counterpart

BOTOCORE = next(kind for kind in KINDS if kind.botocore)
LIST_USERS = next(asked for asked in OPERATIONS if asked.name == "list users")
KEY_SET = next(asked for asked in OPERATIONS if asked.at == "GET")
NETWORK = [
    fault
    for fault in FAULTS
    if not fault.slow and fault.group in ("connection", "TLS", "proxy", "loss") and fault.outcome.error is not None
]


def raised_by_botocore(fault: Fault, pool: Pool) -> Any:
    """Return the exception of a client of botocore without srpcore, or None if it takes the answer as a good one."""
    with client_of(BOTOCORE, pool, fault, {}) as (service, client), ExitStack() as stack:
        stack.callback(service.behave)
        client.start(LIST_USERS)
        service.misbehave(fault.does, LIST_USERS.at)
        return error_of(lambda: client.transport.client.list_users(UserPoolId=pool.local.user_pool_id))


def raised_by_requests(fault: Fault, pool: Pool) -> Any:
    with client_of(BOTOCORE, pool, fault, {}) as (service, client), ExitStack() as stack:
        stack.callback(service.behave)
        client.start(KEY_SET)
        service.misbehave(fault.does, KEY_SET.at)
        url, authority = f"{client.user.user_pool_url}/.well-known/jwks.json", os.environ["AWS_CA_BUNDLE"]
        return error_of(lambda: requests.get(url, timeout=10, verify=authority))


def error_of(act: Callable[[], object]) -> Any:
    try:
        act()
    except (botocore.exceptions.BotoCoreError, requests.RequestException) as error:
        # The frames of the traceback hold the connection open.
        error.__traceback__ = error.__context__ = error.__cause__ = None
        return error
    return None


def raised(kind: Kind, fault: Fault, pool: Pool, asked: Asked) -> tuple[Any, str]:
    """Return our exception for *fault*, and the URL of the service."""
    with client_of(kind, pool, fault, {}) as (service, client), ExitStack() as stack:
        stack.callback(service.behave)
        client.start(asked)
        service.misbehave(fault.does, asked.at)
        return outcome_of(lambda: client.do(asked)), service.url


every_kind = pytest.mark.parametrize("kind", KINDS, ids=str)


@every_kind
@pytest.mark.parametrize("fault", NETWORK, ids=lambda fault: fault.name)
def test_a_network_error_is_the_one_that_botocore_raises(kind: Kind, fault: Fault, pool: Pool) -> None:
    theirs = raised_by_botocore(fault, pool)
    ours, url = raised(kind, fault, pool, LIST_USERS)
    assert isinstance(ours, exceptions.TransportError)
    if theirs is None:
        # botocore takes a truncated answer for a good one.
        assert isinstance(ours, botocore.exceptions.HTTPClientError)
        return
    assert isinstance(ours, type(theirs)), ours.reason
    assert ours.kwargs.keys() == theirs.kwargs.keys()
    assert ours.kwargs["error"]
    assert ours.kwargs.get("endpoint_url") in (None, f"{url}/")
    assert "proxy_url" not in theirs.kwargs or re.fullmatch(r"http://127\.0\.0\.1:\d+", ours.kwargs["proxy_url"])


@every_kind
@pytest.mark.parametrize("fault", NETWORK, ids=lambda fault: fault.name)
def test_an_error_of_the_key_fetch_is_that_of_requests_too(kind: Kind, fault: Fault, pool: Pool) -> None:
    theirs = raised_by_requests(fault, pool)
    ours, _ = raised(kind, fault, pool, KEY_SET)
    assert isinstance(ours, exceptions.TransportError)
    assert isinstance(ours, botocore.exceptions.BotoCoreError)
    assert isinstance(ours, requests.ConnectionError)
    if fault.group != "loss":  # requests takes some truncated answers for good ones
        assert isinstance(ours, type(theirs)), ours.reason


@every_kind
@pytest.mark.parametrize(
    ("name", "of_botocore", "of_requests"),
    [
        ("timeout: connect", botocore.exceptions.ConnectTimeoutError, requests.ConnectTimeout),
        ("timeout: first byte", botocore.exceptions.ReadTimeoutError, requests.ReadTimeout),
    ],
)
def test_a_timeout_is_the_one_of_botocore_and_requests(
    kind: Kind, name: str, of_botocore: type, of_requests: type, pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("srpcore_transports.botocore._TIMEOUT_SECONDS", 1.5)
    fault = next(each for each in FAULTS if each.name == name)
    for asked in (LIST_USERS, KEY_SET):
        limits = {"connect_timeout": 1.5, "read_timeout": 1.5} if kind.botocore else {"total_timeout": 1.5}
        with client_of(kind, pool, fault, limits) as (service, client), ExitStack() as stack:
            stack.callback(service.behave)
            client.start(asked)
            service.misbehave(fault.does, asked.at)
            ours = outcome_of(partial(client.do, asked))
        assert isinstance(ours, exceptions.TransportTimeout)
        assert isinstance(ours, of_botocore)
        assert cast(Any, ours).kwargs.keys() == {"endpoint_url", "error"}
        assert isinstance(ours, of_requests) is (asked is KEY_SET)
