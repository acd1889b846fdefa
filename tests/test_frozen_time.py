"""Programs freeze the time in their own tests: srpcore must then live in that time, and must not hang or fail.

Each test runs with freezegun, with time-machine and with ``mock.patch("time.time")``. An object that was made before
the time was frozen must follow it as one that was made within does: the default of a ``clock`` parameter used to be
``time.time`` itself, which was bound when the module was imported.
"""

from __future__ import annotations

import asyncio
import dataclasses
import importlib
import inspect
import json
import math
import os
import pkgutil
import random
import re
import secrets
import socket
import sys
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack
from datetime import date, datetime, timezone
from email.utils import format_datetime
from functools import partial
from pathlib import Path
from threading import Thread
from types import BuiltinFunctionType, FunctionType, MethodType, ModuleType
from typing import Any, cast
from unittest import mock

import pytest
import time_machine
from freezegun import freeze_time

import srpcore
import srpcore.clock
import srpcore_transports
from srpcore import AWSSRP, AsyncCognito, AsyncTokenVerifier, Cognito, FileStore, TokenVerifier
from srpcore.clock import monotonic_clock
from srpcore.crypto import cognito
from srpcore.exceptions import ServiceError, StoreLocked, TokenExpired
from srpcore.frameworks.aws_lambda import AppSyncAuthorizer
from srpcore.protocol import Operation, Reply, Transport
from srpcore.tokens import verify
from srpcore_transports.credentials import Credentials
from srpcore_transports.credentials.refreshing import RefreshingCredentials, Temporary
from srpcore_transports.deadline import time_limit
from srpcore_transports.https import HttpsTransport
from srpcore_transports.httpx import AsyncHttpxTransport, HttpxTransport
from srpcore_transports.local import LocalUserPool
from srpcore_transports.options import TransportOptions
from srpcore_transports.recorded import RecordingTransport, ReplayTransport
from srpcore_transports.retries import Retries
from srpcore_transports.signing import RequestSigner
from support import sites  # sets up Django, which rest_framework needs before it is imported
from support.key_server import POOL
from support.loopback import LoopbackServer, Request, answer
from support.minting import CLIENT, ISSUER, access_claims, jwk, key_set, mint
from support.users import PASSWORD

pytestmark = pytest.mark.slow  # for `make check`, which runs at every save

ALICE = {"Username": "alice"}
HOUR = 3600
KEYS = Credentials("AKIDLOCAL", "secret-of-the-tests")
SIGN_IN = Operation("InitiateAuth", {"AuthFlow": "USER_SRP_AUTH", "ClientId": CLIENT})

Freeze = Callable[[float], AbstractContextManager[object]]


def by_freezegun(moment: float) -> AbstractContextManager[object]:
    return freeze_time(datetime.fromtimestamp(moment, timezone.utc))


def by_time_machine(moment: float) -> AbstractContextManager[object]:
    return time_machine.travel(moment, tick=False)


def by_mock(moment: float) -> AbstractContextManager[object]:
    return mock.patch("time.time", return_value=moment)


@pytest.fixture(params=[by_freezegun, by_time_machine, by_mock], ids=["freezegun", "time-machine", "mock"])
def freeze(request: pytest.FixtureRequest) -> Freeze:
    """Return a function that freezes the time at a moment, given in seconds since the epoch."""
    return cast(Freeze, request.param)


@pytest.fixture(params=[HttpsTransport, HttpxTransport])
def transport_to(request: pytest.FixtureRequest) -> Callable[..., Any]:
    """Return the class of a transport that keeps connections."""
    return cast("Callable[..., Any]", request.param)


@pytest.fixture
def now() -> int:
    return int(time.time())


def token(now: float) -> str:
    """Return an access token that expires an hour after *now*."""
    return mint(access_claims(iat=int(now), exp=int(now) + HOUR))


def call(transport: Transport, name: str, **parameters: Any) -> dict[str, Any]:
    """Return the answer to the operation *name*, or raise the error that it is."""
    reply = transport.call(Operation(name, parameters))
    if reply.error is not None:
        raise srpcore.exceptions.service_error(reply, name)
    return reply.document


def pool_with_alice(**settings: Any) -> LocalUserPool:
    pool = LocalUserPool(credentials=KEYS, **settings)
    alice = {**ALICE, "UserPoolId": pool.user_pool_id}
    call(pool, "AdminCreateUser", **alice, UserAttributes=[{"Name": "email", "Value": "alice@example.com"}])
    call(pool, "AdminUpdateUserAttributes", **alice, UserAttributes=[{"Name": "email_verified", "Value": "true"}])
    call(pool, "AdminSetUserPassword", **alice, Password=PASSWORD, Permanent=True)
    return pool


def user_of(pool: LocalUserPool, **arguments: Any) -> Cognito:
    return Cognito(pool.user_pool_id, pool.client_id, username="alice", **{"transport": pool, **arguments})


def logged_in(pool: LocalUserPool, **arguments: Any) -> Cognito:
    user = user_of(pool, **arguments)
    user.authenticate(PASSWORD)
    return user


# Tokens


def test_check_token_sees_that_the_access_token_has_expired(freeze: Freeze, now: int) -> None:
    def make() -> Cognito:
        return Cognito(POOL, CLIENT, access_token=token(now))

    before = make()
    assert not before.check_token(renew=False)
    with freeze(now + 2 * HOUR):
        for user in (before, make()):
            assert user.check_token(renew=False)


def test_check_token_renews_an_access_token_that_has_expired(freeze: Freeze, now: int) -> None:
    user = logged_in(pool_with_alice())
    old = user.access_token
    with freeze(now + 2 * HOUR):
        assert user.check_token()
        assert user.access_token != old
        assert not user.check_token()
        assert cast(datetime, user.expires_datetime).timestamp() == now + 3 * HOUR


def test_cognito_verify_token_refuses_an_expired_token(freeze: Freeze, now: int) -> None:
    pool = pool_with_alice()
    before = logged_in(pool)
    issued = cast(str, before.access_token)
    before.verify_token(issued, "access_token", "access")
    with freeze(now + 2 * HOUR):
        for user in (before, user_of(pool)):
            with pytest.raises(TokenExpired):
                user.verify_token(issued, "access_token", "access")


def verifier(**arguments: Any) -> TokenVerifier:
    made = TokenVerifier(POOL, client_id=CLIENT, token_use="access", **arguments)
    made.load_jwks({"keys": [jwk()]})
    return made


def test_token_verifier_refuses_an_expired_token(freeze: Freeze, now: int) -> None:
    before, issued = verifier(), token(now)
    before.verify(issued)
    with freeze(now + 2 * HOUR):
        for one in (before, verifier()):
            with pytest.raises(TokenExpired):
                one.verify(issued)


def test_token_verifier_refuses_a_remembered_token_that_has_expired(freeze: Freeze, now: int) -> None:
    one, issued = verifier(cache_size=10), token(now)
    one.verify(issued)
    with freeze(now + 2 * HOUR), pytest.raises(TokenExpired):
        one.verify(issued)


def test_async_token_verifier_refuses_an_expired_token(freeze: Freeze, now: int) -> None:
    def make() -> AsyncTokenVerifier:
        made = AsyncTokenVerifier(POOL, client_id=CLIENT, token_use="access")
        made.load_jwks({"keys": [jwk()]})
        return made

    async def use() -> None:
        before, issued = make(), token(now)
        await before.verify(issued)
        with freeze(now + 2 * HOUR):
            for one in (before, make()):
                with pytest.raises(TokenExpired):
                    await one.verify(issued)

    asyncio.run(use())


def test_tokens_verify_refuses_an_expired_token_at_the_frozen_time(freeze: Freeze, now: int) -> None:
    keys, issued = key_set(), token(now)
    demands: dict[str, Any] = {"issuers": ISSUER, "client_id": CLIENT, "token_use": "access"}
    verify(issued, keys, now=time.time(), **demands)
    with freeze(now + 2 * HOUR), pytest.raises(TokenExpired):
        verify(issued, keys, now=time.time(), **demands)


def test_a_token_issued_at_the_frozen_time_is_accepted(freeze: Freeze, now: int) -> None:
    before, issued = verifier(), token(now + 400 * 24 * HOUR)
    with freeze(now + 400 * 24 * HOUR):
        for one in (before, verifier()):
            assert one.verify(issued)["username"] == "alice"


def test_a_key_set_is_fetched_again_when_it_is_too_old(freeze: Freeze, now: int) -> None:
    key_source = KeySource()
    one = TokenVerifier(POOL, client_id=CLIENT, token_use="access", transport=key_source)
    one.verify(token(now))
    one.verify(token(now))
    assert key_source.fetched == 1
    # Two days are longer than max_age and stale_if_error together, so the fetch happens before the answer.
    with freeze(now + 48 * HOUR):
        one.verify(token(now + 48 * HOUR))
    assert key_source.fetched == 2


class KeySource:
    """Return the key set of the tests, and count how often."""

    def __init__(self) -> None:
        self.fetched = 0

    def call(self, operation: Operation) -> Reply:
        raise AssertionError(operation.name)

    def fetch(self, url: str) -> bytes:
        self.fetched += 1
        return json.dumps({"keys": [jwk()]}).encode()

    def close(self) -> None:
        pass


def test_the_lambda_authorizer_never_caches_beyond_the_token(freeze: Freeze, now: int) -> None:
    def make() -> AppSyncAuthorizer:
        return AppSyncAuthorizer(verifier(), ttl=HOUR)

    before, event = make(), {"authorizationToken": token(now)}
    with freeze(now + HOUR - 60):
        for authorize in (before, make()):
            assert authorize(event)["ttlOverride"] == 60
    with freeze(now + 2 * HOUR):
        for authorize in (before, make()):
            assert authorize(event) == {"isAuthorized": False, "ttlOverride": 0}


# Logging in

CHALLENGE = {"USER_ID_FOR_SRP": "alice", "SALT": "ab" * 16, "SRP_B": "7" * 64, "SECRET_BLOCK": "c2VjcmV0"}


def test_the_timestamp_of_a_log_in_is_the_frozen_time(freeze: Freeze, now: int) -> None:
    def make() -> AWSSRP:
        return AWSSRP("alice", PASSWORD, POOL, CLIENT, client=object())

    before, moment = make(), now + 2 * HOUR
    with freeze(moment):
        for srp in (before, make()):
            responses = srp.process_challenge(CHALLENGE, {"USERNAME": "alice"})
            assert responses["TIMESTAMP"] == cognito.format_timestamp(datetime.fromtimestamp(moment, timezone.utc))


MOMENTS = [2 * HOUR, 400 * 24 * HOUR, -400 * 24 * HOUR]


@pytest.mark.parametrize("ahead", MOMENTS)
@pytest.mark.parametrize("transport", ["in process", "https", "httpx", "botocore"])
def test_a_log_in_works_while_the_time_is_frozen(freeze: Freeze, now: int, transport: str, ahead: int) -> None:
    pool = pool_with_alice()
    with ExitStack() as stack:
        arguments: dict[str, Any] = {}
        if transport != "in process":
            server = stack.enter_context(pool.serve())
            arguments = {"endpoint_url": server.url, "transport": transport}
        before = user_of(pool, **arguments)
        stack.enter_context(freeze(now + ahead))
        for user in (before, user_of(pool, **arguments)):
            user.authenticate(PASSWORD)
            assert not user.check_token(renew=False)
            assert cast(Mapping[str, Any], user.access_claims)["exp"] == now + ahead + HOUR
            assert user.get_user().email == "alice@example.com"
            user.renew_access_token()
            user.close()


@pytest.mark.parametrize("transport", ["https", "httpx"])
def test_a_log_in_on_an_event_loop_works_while_the_time_is_frozen(freeze: Freeze, now: int, transport: str) -> None:
    async def log_in(pool: LocalUserPool, url: str) -> None:
        async with AsyncCognito(
            pool.user_pool_id, pool.client_id, username="alice", endpoint_url=url, transport=transport
        ) as user:
            await user.authenticate(PASSWORD)
            assert not await user.check_token(renew=False)
            await user.renew_access_token()

    pool = pool_with_alice()
    with pool.serve() as server, freeze(now + 2 * HOUR):
        asyncio.run(log_in(pool, server.url))


def test_a_call_in_a_thread_works_while_the_time_is_frozen(
    freeze: Freeze, now: int, transport_to: Callable[..., Any]
) -> None:
    """freezegun gives the real time to whatever a thread reaches in a few calls, and the frozen time further down."""
    errors: list[str | None] = []
    with LoopbackServer(lambda *_: answer()) as server:
        transport = transport_to("us-east-1", server.url, on_response=lambda event: errors.append(event.error))
        with freeze(now + 400 * 24 * HOUR):
            # No function of the test may be between the thread and the transport.
            thread = Thread(target=transport.call, args=(SIGN_IN,))
            thread.start()
            thread.join(20)
        transport.close()
    assert errors == [None]


# The local pool


def refused(pool: LocalUserPool, name: str, **parameters: Any) -> str:
    """Return the error code with which *pool* refuses the operation."""
    with pytest.raises(ServiceError) as raised:
        call(pool, name, **parameters)
    return raised.value.code


def test_the_access_token_of_a_local_pool_expires(freeze: Freeze, now: int) -> None:
    before = pool_with_alice()
    issued = logged_in(before).access_token
    with freeze(now + 2 * HOUR):
        assert refused(before, "GetUser", AccessToken=issued) == "NotAuthorizedException"
        within = pool_with_alice()
        issued = logged_in(within).access_token
        call(within, "GetUser", AccessToken=issued)
    with freeze(now + 4 * HOUR):
        assert refused(within, "GetUser", AccessToken=issued) == "NotAuthorizedException"


def test_a_code_of_a_local_pool_expires(freeze: Freeze, now: int) -> None:
    def code_of(pool: LocalUserPool) -> str:
        call(pool, "ForgotPassword", ClientId=pool.client_id, Username="alice")
        return pool.outbox.messages[-1].code

    def confirm(pool: LocalUserPool, code: str) -> str:
        answers = {"ClientId": pool.client_id, "Username": "alice", "Password": PASSWORD, "ConfirmationCode": code}
        return refused(pool, "ConfirmForgotPassword", **answers)

    before = pool_with_alice()
    code = code_of(before)
    with freeze(now + 2 * HOUR):
        assert confirm(before, code) == "ExpiredCodeException"
        within = pool_with_alice()
        code = code_of(within)
    with freeze(now + 4 * HOUR):
        assert confirm(within, code) == "ExpiredCodeException"


def test_a_session_of_a_local_pool_expires(freeze: Freeze, now: int) -> None:
    def begin(pool: LocalUserPool) -> Callable[[], dict[str, Any]]:
        """Log in with a temporary password, and return the function that sets another one."""
        client, password = {"ClientId": pool.client_id}, f"Battery-{uuid.uuid4()}"
        call(pool, "AdminSetUserPassword", **ALICE, UserPoolId=pool.user_pool_id, Password=password, Permanent=False)
        answers = {"USERNAME": "alice", "PASSWORD": password}
        reply = call(pool, "InitiateAuth", **client, AuthFlow="USER_PASSWORD_AUTH", AuthParameters=answers)
        given = {"ChallengeName": "NEW_PASSWORD_REQUIRED", "Session": reply["Session"]}
        answers = {"USERNAME": "alice", "NEW_PASSWORD": f"Staple-{uuid.uuid4()}"}
        return partial(call, pool, "RespondToAuthChallenge", **client, **given, ChallengeResponses=answers)

    before = pool_with_alice()
    begin(before)()
    respond = begin(before)
    with freeze(now + HOUR):
        with pytest.raises(ServiceError, match="session"):
            respond()
        within = pool_with_alice()
        begin(within)()
        respond = begin(within)
    with freeze(now + 2 * HOUR), pytest.raises(ServiceError, match="session"):
        respond()


# Recordings


def test_replayed_tokens_are_issued_at_the_frozen_time(freeze: Freeze, now: int, tmp_path: Path) -> None:
    path = tmp_path / "log_in.json"
    with freeze(now - 100 * 24 * HOUR), RecordingTransport(pool_with_alice(), path) as recording:
        pool = cast(LocalUserPool, recording._inner)
        logged_in(pool, transport=recording)

    def replay() -> ReplayTransport:
        return ReplayTransport(path, user_pool_id=POOL)

    def log_in(transport: ReplayTransport) -> Cognito:
        user = Cognito(POOL, transport.client_id, username="bob", transport=transport)
        user.authenticate("any password")
        return user

    before = replay()
    with freeze(now + 2 * HOUR):
        users = [log_in(before), log_in(replay())]
        assert [cast(Mapping[str, Any], user.access_claims)["exp"] for user in users] == [now + 3 * HOUR] * 2
        assert not any(user.check_token(renew=False) for user in users)
    with freeze(now + 4 * HOUR):
        assert all(user.check_token(renew=False) for user in users)


# AWS credentials and signatures


def test_credentials_are_refreshed_when_they_have_expired(freeze: Freeze, now: int) -> None:
    fetched: list[float] = []

    def fetch() -> Temporary:
        fetched.append(time.time())
        return Temporary(KEYS, fetched[-1] + HOUR)

    before = RefreshingCredentials(fetch)
    before()
    before()
    assert len(fetched) == 1
    with freeze(now + 2 * HOUR):
        within = RefreshingCredentials(fetch)
        for credentials in (before, within):
            credentials()
            credentials()
    assert fetched[1:] == [now + 2 * HOUR] * 2
    with freeze(now + 4 * HOUR):
        within()
    assert fetched[3:] == [now + 4 * HOUR]


def test_the_date_of_a_signature_is_the_frozen_time(freeze: Freeze, now: int) -> None:
    def make() -> RequestSigner:
        return TransportOptions("us-east-1", credentials=KEYS).signer

    before, moment = make(), now + 2 * HOUR
    operation = Operation("ListUserPools", {"MaxResults": 1})
    with freeze(moment):
        for signer in (before, make()):
            signed = signer.signed(operation, *signer.request(operation), deadline=math.inf)
            headers = {name.lower(): value for name, value in signed.items()}
            assert headers["x-amz-date"] == f"{datetime.fromtimestamp(moment, timezone.utc):%Y%m%dT%H%M%SZ}"


def test_a_signed_call_works_while_the_time_is_frozen(freeze: Freeze, now: int) -> None:
    pool = pool_with_alice()
    with pool.serve() as server:
        before = HttpsTransport("us-east-1", server.url, KEYS)
        with freeze(now + 2 * HOUR):
            for transport in (before, HttpsTransport("us-east-1", server.url, KEYS)):
                assert len(call(transport, "ListUsers", UserPoolId=pool.user_pool_id)["Users"]) == 1
                transport.close()


# Waiting: deadlines, pauses and connections


def throttled(**headers: str) -> Reply:
    metadata = {"HTTPStatusCode": 429, "HTTPHeaders": headers}
    return Reply({"Error": {"Code": "TooManyRequestsException"}, "ResponseMetadata": metadata})


def test_a_date_in_retry_after_is_compared_with_the_frozen_time(freeze: Freeze, now: int) -> None:
    before, moment = Retries(3, random=lambda: 0.0), now + 2 * HOUR
    reply = throttled(**{"retry-after": format_datetime(datetime.fromtimestamp(moment + 10, timezone.utc))})
    with freeze(moment):
        for retries in (before, Retries(3, random=lambda: 0.0)):
            assert retries.pause(SIGN_IN, reply, 1) == 10


def test_a_throttled_call_is_sent_again_while_the_time_is_frozen(
    freeze: Freeze, now: int, transport_to: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    slept: list[float] = []
    monkeypatch.setattr("time.sleep", slept.append)

    def handler(_: Request, __: socket.socket) -> bytes:
        if len(server.requests) == 1:
            return answer(b'{"__type": "TooManyRequestsException"}', 429, Retry_After="2")
        return answer()

    with LoopbackServer(handler) as server, freeze(now + 2 * HOUR):
        transport = transport_to("us-east-1", server.url)
        assert transport.call(SIGN_IN).error is None
        transport.close()
    assert slept == [2]


def test_a_call_on_an_event_loop_is_sent_again_if_freezegun_leaves_asyncio_alone(now: int) -> None:
    """Without ``real_asyncio`` freezegun stops the timers of the event loop: any ``asyncio.sleep()`` waits for ever."""

    async def use(url: str) -> Reply:
        async with AsyncHttpxTransport("us-east-1", url) as transport:
            return await transport.call(SIGN_IN)

    def handler(_: Request, __: socket.socket) -> bytes:
        return answer(b'{"__type": "InternalErrorException"}', 500) if len(server.requests) == 1 else answer()

    moment = datetime.fromtimestamp(now + 2 * HOUR, timezone.utc)
    with LoopbackServer(handler) as server, freeze_time(moment, real_asyncio=True):
        assert asyncio.run(use(server.url)).error is None
    assert len(server.requests) == 2


def test_a_connection_is_not_used_again_after_the_time_has_moved(
    freeze: Freeze, now: int, transport_to: Callable[..., Any]
) -> None:
    with LoopbackServer(lambda *_: answer()) as server:
        transport = transport_to("us-east-1", server.url)
        transport.call(SIGN_IN)
        with freeze(now + 2 * HOUR):
            transport.call(SIGN_IN)
            transport.call(SIGN_IN)
        # Back in the real time nothing hangs and nothing fails.
        transport.call(SIGN_IN)
        transport.close()
    assert [request.connection for request in server.requests][:3] == [0, 1, 1]


def test_a_client_that_was_last_used_in_the_future_is_not_used_again(now: int) -> None:
    """httpx would keep its connection: freezegun has frozen the clock that it keeps the age by."""
    with LoopbackServer(lambda *_: answer()) as server:
        transport = HttpxTransport("us-east-1", server.url)
        with by_freezegun(now + 2 * HOUR):
            transport.call(SIGN_IN)
        transport.call(SIGN_IN)
        transport.close()
    assert [request.connection for request in server.requests] == [0, 1]


def test_a_time_limit_from_before_the_time_was_frozen_still_holds(
    freeze: Freeze, now: int, transport_to: Callable[..., Any]
) -> None:
    with LoopbackServer(lambda *_: answer()) as server:
        transport = transport_to("us-east-1", server.url)
        with time_limit(30), freeze(now + 2 * HOUR):
            assert transport.call(SIGN_IN).error is None
        transport.close()


def test_the_clock_of_deadlines_runs_while_the_time_is_frozen(freeze: Freeze, now: int) -> None:
    before = monotonic_clock()
    with freeze(now + 2 * HOUR):
        within = monotonic_clock()
        deadline = within + 0.05
        for _ in range(1000):
            if monotonic_clock() >= deadline:
                break
            time.sleep(0.01)
        assert monotonic_clock() >= deadline
    assert before <= within < before + HOUR


@pytest.mark.timeout(30)
def test_waiting_for_a_lock_ends_while_the_time_is_frozen(freeze: Freeze, now: int, tmp_path: Path) -> None:
    holder, waiting = FileStore(tmp_path), FileStore(tmp_path, lock_timeout=0.1)
    with holder.lock("alice"), freeze(now + 2 * HOUR), pytest.raises(StoreLocked), waiting.lock("alice"):
        pass


class EndlessListing:
    """Answer every operation with a page of one user, which is not the last page."""

    def call(self, operation: Operation) -> Reply:
        page = {"Users": [{"Username": "alice"}], "PaginationToken": str(uuid.uuid4())}
        return Reply({**page, "ResponseMetadata": {"HTTPStatusCode": 200}})

    def fetch(self, url: str) -> bytes:
        raise AssertionError(url)

    def close(self) -> None:
        pass


def test_a_listing_pauses_no_longer_than_usual_between_pages(
    freeze: Freeze, now: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    slept: list[float] = []
    monkeypatch.setattr("time.sleep", slept.append)
    users = Cognito(POOL, CLIENT, transport=EndlessListing()).iter_users()
    next(users)
    with freeze(now + 2 * HOUR):
        next(users)
        next(users)
    next(users)
    assert 1 <= len(slept) <= 3
    assert max(slept) < 1


# A clock that the program gives


def test_the_given_clock_wins_over_the_frozen_time(freeze: Freeze, now: int, tmp_path: Path) -> None:
    def clock() -> float:
        return float(now)

    issued = token(now)
    pool = pool_with_alice(clock=clock)
    srp = AWSSRP("alice", PASSWORD, POOL, CLIENT, client=object(), clock=clock)
    with freeze(now + 2 * HOUR):
        assert not Cognito(POOL, CLIENT, access_token=issued, clock=clock).check_token(renew=False)
        assert verifier(clock=clock).verify(issued)["username"] == "alice"
        event = {"authorizationToken": issued}
        authorize = AppSyncAuthorizer(verifier(clock=clock), ttl=2 * HOUR, clock=clock)
        assert authorize(event)["ttlOverride"] == HOUR
        timestamp = srp.process_challenge(CHALLENGE, {"USERNAME": "alice"})["TIMESTAMP"]
        assert timestamp == cognito.format_timestamp(datetime.fromtimestamp(now, timezone.utc))
        path = tmp_path / "log_in.json"
        with RecordingTransport(pool, path, clock=clock) as recording:
            user = logged_in(pool, transport=recording, clock=clock)
        assert cast(Mapping[str, Any], user.access_claims)["exp"] == now + HOUR
        replay = ReplayTransport(path, user_pool_id=POOL, clock=clock)
        user = Cognito(POOL, replay.client_id, username="bob", transport=replay, clock=clock)
        user.authenticate("any password")
        assert cast(Mapping[str, Any], user.access_claims)["exp"] == now + HOUR
        credentials = RefreshingCredentials(lambda: Temporary(KEYS, now + HOUR), clock=clock)
        assert credentials() == KEYS


# No function of the standard library may be bound where a test cannot replace it


def functions_of(module: ModuleType) -> list[object]:
    return [member for member in vars(module).values() if callable(member) and not inspect.isclass(member)]


READERS: list[object] = [
    *functions_of(time),
    *(getattr(random, name) for name in random.__all__ if not inspect.isclass(getattr(random, name))),
    *(getattr(secrets, name) for name in secrets.__all__ if name not in ("compare_digest", "SystemRandom")),
    *(datetime.now, datetime.utcnow, datetime.today, date.today),
    *(asyncio.sleep, os.urandom, uuid.uuid1, uuid.uuid4),
]
"""The functions that read a clock, wait, or draw random numbers."""


def reads(value: object) -> bool:
    """Return whether *value* is one of :data:`READERS`, or a method of a generator of random numbers."""
    # The clock of deadlines must go on while the time is frozen, so it may be bound.
    if value is monotonic_clock:
        return False
    if type(value) is partial:
        return reads(value.func)
    # By its exact type: proxies, such as flask.request, claim to be what they stand for.
    if type(value) not in (BuiltinFunctionType, FunctionType, MethodType):
        return False
    return value in READERS or isinstance(getattr(value, "__self__", None), random.Random)


def defaults_of(function: FunctionType) -> Iterator[object]:
    yield from function.__defaults__ or ()
    yield from (function.__kwdefaults__ or {}).values()


def bound_in(module: ModuleType) -> Iterator[tuple[str, object]]:
    """Yield what is bound once in *module*: its names, its classes' attributes, and all defaults, each with a label."""
    for name, value in vars(module).items():
        yield name, value
        if isinstance(value, FunctionType):
            yield from ((f"{name}()", default) for default in defaults_of(value))
        elif inspect.isclass(value) and value.__module__ == module.__name__:
            yield from bound_in_class(value)


def bound_in_class(kind: type) -> Iterator[tuple[str, object]]:
    for name, value in vars(kind).items():
        label = f"{kind.__qualname__}.{name}"
        yield label, value
        function = inspect.unwrap(value.fget) if isinstance(value, property) and value.fget else value
        function = getattr(function, "__func__", function)
        if isinstance(function, FunctionType):
            yield from ((f"{label}()", default) for default in defaults_of(inspect.unwrap(function)))
        elif inspect.isclass(value) and value.__qualname__.startswith(kind.__qualname__):
            yield from bound_in_class(value)
    if dataclasses.is_dataclass(kind):
        for field in dataclasses.fields(kind):
            yield f"{kind.__qualname__}.{field.name}", field.default
            yield f"{kind.__qualname__}.{field.name}", field.default_factory


def faults_in(module: ModuleType) -> list[str]:
    return sorted({f"{module.__name__}: {label}" for label, value in bound_in(module) if reads(value)})


def modules_of(package: ModuleType) -> list[str]:
    names = [found.name for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}.")]
    return [name for name in names if not name.endswith("__main__")]


@pytest.mark.parametrize("name", [*modules_of(srpcore), *modules_of(srpcore_transports)])
def test_no_function_of_a_clock_or_of_randomness_is_bound(name: str) -> None:
    assert sites
    assert faults_in(importlib.import_module(name)) == []


SOURCES = [path for package in (srpcore, srpcore_transports) for path in Path(package.__path__[0]).rglob("*.py")]
THE_CLOCK = Path(srpcore.clock.__file__)


@pytest.mark.parametrize(
    "path", [path for path in SOURCES if path != THE_CLOCK], ids=lambda path: f"{path.parent.name}/{path.name}"
)
def test_no_module_reads_a_clock_that_a_test_cannot_replace(path: Path) -> None:
    """``mock.patch("time.time")`` does not reach ``datetime.now()``, and freezegun stops ``time.monotonic()``."""
    source = path.read_text(encoding="utf-8")
    assert re.findall(r"\btime\.monotonic(?:_ns)?\(|\bdatetime\.(?:now|utcnow|today)\(|\bdate\.today\(", source) == []


def test_bound_functions_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    module = ModuleType("faulty")
    monkeypatch.setitem(sys.modules, "faulty", module)
    source = """
from __future__ import annotations
import functools, random, secrets, time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from time import monotonic
from typing import NamedTuple

def positional(clock=time.time): ...
def keyword(*, random_bits=secrets.randbits): ...
def partial(sleep=functools.partial(time.sleep, 1)): ...
def jitter(random=random.SystemRandom().random): ...
def good(clock=lambda: time.time(), limit=3): ...

class Plain:
    stamp = time.time_ns
    def method(self, now=datetime.now): ...
    @staticmethod
    def static(draw=random.random): ...
    @classmethod
    def of_class(cls, draw=secrets.token_hex): ...
    class Inner:
        def method(self, clock=time.perf_counter): ...

@dataclass
class Data:
    clock: Callable[[], float] = time.time
    made: float = field(default_factory=time.time)

class Row(NamedTuple):
    clock: Callable[[], float] = time.time
"""
    exec(source, vars(module))
    assert {fault.removeprefix("faulty: ") for fault in faults_in(module)} == {
        "Data.__init__()",
        "Data.clock",
        "Data.made",
        "Plain.Inner.method()",
        "Plain.method()",
        "Plain.of_class()",
        "Plain.stamp",
        "Plain.static()",
        "Row.__new__()",
        "jitter()",
        "keyword()",
        "monotonic",
        "partial()",
        "positional()",
    }
