"""Every fault, over every transport, under both facades, at every operation."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial

import pytest

from srpcore import exceptions
from srpcore._values import replace

from .catalogue import (
    EXCEPTION_NAMES,
    FAULTS,
    GOES_ANOTHER_WAY,
    OPERATIONS,
    Asked,
    Fault,
    Outcome,
    always,
    ends_login,
    sent_thrice,
)
from .clients import client_of, outcome_of
from .kinds import KINDS, Client, Kind, Pool
from .serving import FaultyService, refusal

# It takes minutes, and botocore.
pytestmark = pytest.mark.counterpart

QUICK = [fault for fault in FAULTS if not fault.slow]
SLOW = [fault for fault in FAULTS if fault.slow]

every_kind = pytest.mark.parametrize("kind", KINDS, ids=str)


def expected(fault: Fault, kind: Kind, asked: Asked) -> Outcome:
    if asked.at == "GET":
        return fault.document_botocore if kind.botocore else fault.document
    return fault.botocore if kind.botocore else fault.outcome


def assert_outcome(error: Exception | None, outcome: Outcome) -> None:
    if outcome.error is None:
        assert error is None
        return
    assert isinstance(error, getattr(exceptions, outcome.error))
    # A class of its own would be as good, but for those that say more.
    assert isinstance(error, exceptions.TransportTimeout) is (outcome.error == "TransportTimeout")
    assert isinstance(error, exceptions.TransportError) or type(error).__qualname__ == outcome.error
    if isinstance(error, exceptions.TransportError):
        assert error.may_have_arrived is outcome.may_have_arrived, error
        if outcome.transient is not None:
            assert error.transient is outcome.transient, error


def happens(fault: Fault, client: Client, service: FaultyService, asked: Asked) -> None:
    """Let *fault* happen, see what comes of it, and that all is well afterwards."""
    outcome = expected(fault, client.kind, asked)
    attempts = outcome.attempts[0 if asked.repeatable else 1]
    client.start(asked)
    before = client.tokens
    service.misbehave(fault.does, asked.at)
    error = outcome_of(lambda: client.do(asked))
    tried, arrived = client.attempts_at(asked.at), service.arrived[asked.at]
    service.behave()
    assert_outcome(error, outcome)
    assert tried == attempts
    assert arrived == (attempts if fault.arrives else 0)
    if error is not None:
        assert client.tokens == before
    if fault.last:
        # A reset that comes after a good answer may be noticed by the next call only, and cost it.
        for _ in range(3):
            if outcome_of(lambda: client.do(asked)) is None:
                break
    assert_well(client, asked)


def assert_well(client: Client, asked: Asked) -> None:
    """The next call succeeds, with one request for each of its operations."""
    before, tried = client.user.tokens, client.attempts_at(asked.at)
    result = client.do(asked)
    if asked.at != "GET" or client.user.pool_jwk is None:
        assert client.attempts_at(asked.at) == tried + 1
    if asked.name == "list users":
        assert [user.username for user in result] == ["alice", "bob"]
    if asked.at in ("InitiateAuth", "RespondToAuthChallenge"):
        assert client.user.access_token != before.access_token
        assert client.user.access_claims["username"] == "alice"
    here, kept = client.tokens
    assert here == kept
    assert None not in (here.access_token, here.id_token, here.refresh_token)


@every_kind
@pytest.mark.parametrize("fault", QUICK, ids=lambda fault: fault.name)
def test_each_fault_has_the_documented_outcome(kind: Kind, fault: Fault, pool: Pool) -> None:
    with client_of(kind, pool, fault, {}) as (service, client):
        for asked in OPERATIONS:
            if fault.last and asked.at == "InitiateAuth" and asked.name != "refresh":
                continue
            with told(asked):
                happens(fault, client, service, asked)


@contextmanager
def told(asked: Asked, what: str = "") -> Iterator[None]:
    try:
        yield
    except Exception as error:
        error.add_note(f"at: {asked.name} {what}")
        raise


LIMITS = {
    "timeout: connect": {"connect_timeout": 2.4},
    "timeout: TLS handshake": {"connect_timeout": 2.4},
    # botocore, or urllib3, sends within the time for connecting.
    "timeout: sending": {"connect_timeout": 2.4, "read_timeout": 2.4, "max_response_size": 2**24},
    "timeout: first byte": {"read_timeout": 2.4},
    "timeout: headers": {"read_timeout": 2.4},
    "timeout: body": {"read_timeout": 2.4},
}


@pytest.mark.long
@every_kind
def test_a_slow_answer_is_a_timeout(kind: Kind, pool: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    """All at a time: what they do is wait."""
    monkeypatch.setattr("srpcore_transports.botocore._TIMEOUT_SECONDS", 2.4)

    def one(fault: Fault, asked: Asked) -> None:
        if fault.name == "timeout: sending" and asked.repeatable:
            return  # only an answer to a challenge is as long as the service likes
        with client_of(kind, pool, fault, LIMITS[fault.name]) as (service, client), told(asked, fault.name):
            happens(fault, client, service, asked)

    with ThreadPoolExecutor(16) as workers:
        running = [workers.submit(one, fault, asked) for fault in SLOW for asked in OPERATIONS]
    failures = [error for error in (done.exception() for done in running) if isinstance(error, Exception)]
    if failures:
        raise ExceptionGroup("what takes too long", failures)


@every_kind
@pytest.mark.parametrize("asked", [asked for asked in OPERATIONS if asked.at != "GET"], ids=lambda asked: asked.name)
def test_every_exception_name_becomes_its_class(kind: Kind, asked: Asked, pool: Pool) -> None:
    with FaultyService(pool.local) as service, Client(kind, pool, service) as client:
        for name in EXCEPTION_NAMES:
            with told(asked, name):
                refused_by(name, client, service, asked)
        client.start(asked)
        assert_well(client, asked)


def refused_by(name: str, client: Client, service: FaultyService, asked: Asked) -> None:
    client.start(asked)
    before = client.tokens
    service.misbehave(always(refusal(name)), asked.at)
    error = outcome_of(lambda: client.do(asked))
    arrived = service.arrived[asked.at]
    service.behave()
    again = sent_thrice(name) and not client.kind.botocore
    assert arrived == (3 if again else 1)
    if asked.name == "refresh" and name in GOES_ANOTHER_WAY:
        assert service.arrived["GetTokensFromRefreshToken"] == 1
        login = client.user._login
        client.user._login = replace(login, account=replace(login.account, refresh_way=None))
        return
    assert type(error).__name__ == name
    assert isinstance(error, getattr(exceptions, name))
    assert (error.code, error.message, error.operation) == (name, "m", asked.at if asked.at != "GET" else "")
    if client.kind.botocore:
        assert isinstance(error, getattr(client.transport.client.exceptions, name))
    if asked.name == "refresh" and ends_login(name):
        here, kept = client.tokens
        assert (here.access_token, here.id_token, here.refresh_token, kept) == (None, None, None, None)
    else:
        assert client.tokens == before


LOST = [fault for fault in FAULTS if fault.lost]


@every_kind
@pytest.mark.parametrize("fault", LOST, ids=lambda fault: fault.name)
def test_faults_on_a_reused_connection_have_the_same_outcome(kind: Kind, fault: Fault, pool: Pool) -> None:
    """It may have been closed for its age, which https makes up for at once: one request more, and no attempt."""
    with FaultyService(pool.local) as service, Client(kind, pool, service) as client:
        for asked in OPERATIONS:
            # The answer to a challenge comes on the connection of what was asked before.
            if asked.at in ("ListUsers", "GET"):
                client.start(asked)
                client.run(client.user.get_users())
                client.attempts.clear()
                service.misbehave(fault.does, asked.at)
                error = outcome_of(partial(client.do, asked))
                attempts = expected(fault, kind, asked).attempts[0]
                assert isinstance(error, exceptions.TransportError)
                assert client.attempts_at(asked.at) == attempts
                assert service.arrived[asked.at] == attempts + (1 if kind.resends else 0)
                service.behave()
                assert_well(client, asked)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if not kind.asynchronous and not kind.botocore], ids=str)
def test_an_error_does_not_keep_its_source_alive(kind: Kind, pool: Pool) -> None:
    """Neither passwords nor connections wait for a garbage collection."""
    gc.collect()
    gc.disable()
    try:
        for fault in QUICK:
            with client_of(kind, pool, fault, {}) as (service, client):
                client.start(OPERATIONS[3])
                service.misbehave(fault.does, "ListUsers")
                kept = reference_of(client)
                service.behave()
                assert kept is None or kept() is None, fault.name
    finally:
        gc.enable()


def reference_of(client: Client) -> weakref.ref[Exception] | None:
    try:
        client.do(OPERATIONS[3])
    except exceptions.SrpcoreError as error:
        return weakref.ref(error)
    return None
