"""The token of a user with requests, httpx (both kinds) and aiohttp, against a real server that checks it."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import aiohttp
import httpx
import pytest
import requests

from srpcore import AsyncCognito, Cognito
from srpcore.exceptions import ConfigurationError, NotAuthorizedException
from srpcore.http_auth.aiohttp import send_token
from srpcore.http_auth.httpx import CognitoAuth as HttpxAuth
from srpcore.http_auth.requests import CognitoAuth as RequestsAuth
from srpcore.protocol import Operation
from srpcore_transports.local import UserPool
from support.users import PASSWORD

pytestmark = pytest.mark.slow


class Api:
    """A server that answers 401 to every request without one of the accepted tokens, and records the requests."""

    def __init__(self) -> None:
        self.accepted: set[str] = set()
        self.accepts_all_but: set[str] | None = None
        self.requests: list[tuple[str, str | None, bytes]] = []
        api = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                while "chunked" in self.headers.get("Transfer-Encoding", "") and (
                    size := int(self.rfile.readline(), 16) + 2
                ):
                    body += self.rfile.read(size)[:-2]
                    if size == 2:
                        break
                authorization = self.headers.get("Authorization")
                api.requests.append((self.path, authorization, body))
                status = 200 if api.accepts(authorization) else 401
                if self.path.startswith("/redirect/"):
                    self.send_response(307)
                    self.send_header("Location", self.path.removeprefix("/redirect/"))
                    self.send_header("Content-Length", "0")
                    self.end_headers()
                    return
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            do_GET = do_POST  # noqa: N815

            def log_message(self, format: str, *arguments: object) -> None: ...

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def accepts(self, authorization: str | None) -> bool:
        token = (authorization or "").removeprefix("Bearer ")
        if self.accepts_all_but is not None:
            return bool(token) and token not in self.accepts_all_but
        return token in self.accepted

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@pytest.fixture
def api() -> Iterator[Api]:
    api = Api()
    yield api
    api.close()


@pytest.fixture
def other_api() -> Iterator[Api]:
    api = Api()
    yield api
    api.close()


class Client:
    """A logged-in user and an HTTP client, each of its kind, with one way to send a request."""

    def __init__(self, pool: UserPool, kind: str, **options: Any) -> None:
        self.kind, self._pool, self._options = kind, pool, options
        if kind in ("requests", "httpx"):
            self.user: Any = Cognito(pool.user_pool_id, pool.client_id, username="alice", transport=pool)
        else:
            self.user = AsyncCognito(pool.user_pool_id, pool.client_id, username="alice", transport=pool)

    def run(self, *steps: Callable[[], Any]) -> list[Any]:
        """Log in if there is nobody logged in, then call each of *steps* and await what it returns."""

        async def run() -> list[Any]:
            return [await self.settled(step()) for step in steps]

        return asyncio.run(run())

    @staticmethod
    async def settled(result: Any) -> Any:
        return await result if asyncio.iscoroutine(result) else result

    def log_in(self) -> Any:
        return self.user.authenticate(PASSWORD)

    def post(self, url: str, data: Any = b"the body") -> Any:
        """Return the status of the answer and its body."""
        return getattr(self, f"_{self.kind}")(url, data)

    def _requests(self, url: str, data: Any) -> tuple[int, bytes]:
        with requests.Session() as session:
            session.trust_env = False
            session.auth = RequestsAuth(self.user, **self._options)
            answer = session.post(url, data=data, timeout=30)
            return answer.status_code, answer.content

    def _httpx(self, url: str, data: Any) -> tuple[int, bytes]:
        auth = HttpxAuth(self.user, **self._options)
        with httpx.Client(auth=auth, trust_env=False, follow_redirects=True) as client:
            answer = client.post(url, content=data)
            return answer.status_code, answer.content

    async def _async_httpx(self, url: str, data: Any) -> tuple[int, bytes]:
        auth = HttpxAuth(self.user, **self._options)
        async with httpx.AsyncClient(auth=auth, trust_env=False, follow_redirects=True) as client:
            answer = await client.post(url, content=data)
            return answer.status_code, answer.content

    async def _aiohttp(self, url: str, data: Any) -> tuple[int, bytes]:
        options = {"origins": url.split("/redirect/")[0] if "/redirect/" in url else url, **self._options}
        options["origins"] = options["origins"] if isinstance(options["origins"], list) else _origin(options["origins"])
        async with (
            aiohttp.ClientSession(middlewares=[send_token(self.user, **options)]) as session,
            session.post(url, data=data) as answer,
        ):
            return answer.status, await answer.read()


def _origin(url: str) -> str:
    return "/".join(url.split("/")[:3])


KINDS = ["requests", "httpx", "async_httpx", "aiohttp"]


@pytest.fixture(params=KINDS)
def client(request: pytest.FixtureRequest, user_pool: UserPool) -> Client:
    user_pool.add_user("alice", password=PASSWORD)
    return Client(user_pool, request.param)


def test_the_token_is_sent(client: Client, api: Api) -> None:
    api.accepts_all_but = set()
    (_, answer) = client.run(client.log_in, lambda: client.post(api.url))
    assert answer == (200, b"the body")
    assert [authorization for _, authorization, _ in api.requests] == [f"Bearer {client.user.access_token}"]


def test_expired_tokens_are_refreshed_before_the_request(
    client: Client, api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    api.accepts_all_but = set()
    expired: list[str] = []

    def wait_for_two_hours() -> None:
        later = time.time() + 7200
        monkeypatch.setattr(time, "time", lambda: later)
        expired.append(client.user.access_token)

    client.run(client.log_in, wait_for_two_hours, lambda: client.post(api.url))
    assert [authorization for _, authorization, _ in api.requests] == [f"Bearer {client.user.access_token}"]
    assert client.user.access_token != expired[0]


def test_after_a_401_the_tokens_are_refreshed_once_and_the_request_is_repeated(client: Client, api: Api) -> None:
    def refuse_the_present_token() -> None:
        api.accepts_all_but = {client.user.access_token}

    answers = client.run(client.log_in, refuse_the_present_token, lambda: client.post(api.url))
    assert answers[-1] == (200, b"the body")
    assert [body for _, _, body in api.requests] == [b"the body"] * 2
    old, new = (authorization for _, authorization, _ in api.requests)
    assert old != new == f"Bearer {client.user.access_token}"


def test_a_second_401_is_returned(client: Client, api: Api) -> None:
    answers = client.run(client.log_in, lambda: client.post(api.url))
    assert answers[-1][0] == 401
    assert len(api.requests) == 2


def test_a_401_after_another_thread_has_refreshed_needs_no_refresh(client: Client, api: Api) -> None:
    """The token that was refused is not the present one any more."""
    renewed: list[object] = []
    renew = client.user.renew_access_token

    def counted() -> Any:
        renewed.append(None)
        return renew()

    def refuse_and_replace() -> None:
        api.accepts_all_but = {client.user.access_token}
        client.user.renew_access_token = counted
        accepts = api.accepts

        def accepts_and_refreshes(authorization: str | None) -> bool:
            # While the server answers, another task of the program refreshes.
            api.accepts = accepts  # type: ignore[method-assign]
            client.user.access_token = client._pool.token("alice")
            return accepts(authorization)

        api.accepts = accepts_and_refreshes  # type: ignore[method-assign]

    answers = client.run(client.log_in, refuse_and_replace, lambda: client.post(api.url))
    assert answers[-1] == (200, b"the body")
    assert renewed == []


def test_a_login_that_has_ended_is_the_error_of_the_refresh(client: Client, api: Api) -> None:
    def sign_out() -> None:
        signed_out = {"UserPoolId": client._pool.user_pool_id, "Username": "alice"}
        assert client._pool.call(Operation("AdminUserGlobalSignOut", signed_out)).status == 200

    with pytest.raises(NotAuthorizedException):
        client.run(client.log_in, sign_out, lambda: client.post(api.url))
    assert len(api.requests) == 1


def test_without_a_login_nothing_is_sent(client: Client, api: Api) -> None:
    with pytest.raises(ConfigurationError, match="access_token"):
        client.run(lambda: client.post(api.url))
    assert api.requests == []


def test_a_redirect_to_another_server_does_not_get_the_token(client: Client, api: Api, other_api: Api) -> None:
    client.run(
        client.log_in, lambda: client.post(f"{api.url}/redirect/{other_api.url.replace('127.0.0.1', 'localhost')}/x")
    )
    assert other_api.requests
    assert {authorization for _, authorization, _ in other_api.requests} == {None}


@pytest.mark.parametrize("kind", KINDS)
def test_only_the_named_origins_get_the_token(kind: str, user_pool: UserPool, api: Api, other_api: Api) -> None:
    user_pool.add_user("alice", password=PASSWORD)
    client = Client(user_pool, kind, origins=[api.url.upper().replace("HTTP", "http") + "/"])
    client.run(client.log_in, lambda: client.post(api.url), lambda: client.post(other_api.url))
    assert api.requests[0][1] == f"Bearer {client.user.access_token}" or len(api.requests) == 2
    assert [authorization for _, authorization, _ in other_api.requests] == [None]


def test_a_stream_is_sent_once(client: Client, api: Api) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        yield b"the "
        yield b"body"

    def stream() -> Any:
        return iter((b"the ", b"body")) if client.kind in ("requests", "httpx") else pieces()

    answers = client.run(client.log_in, lambda: client.post(api.url, stream()))
    assert answers[-1][0] == 401
    assert len(api.requests) == 1


def test_a_file_is_read_again(user_pool: UserPool, api: Api, tmp_path: Any) -> None:
    user_pool.add_user("alice", password=PASSWORD)
    client = Client(user_pool, "requests")
    client.run(client.log_in)
    api.accepts_all_but = {client.user.access_token}
    path = tmp_path / "file"
    path.write_bytes(b"skipped, sent")
    with path.open("rb") as file:
        file.seek(9)
        assert client.run(lambda: client.post(api.url, file)) == [(200, b"sent")]
    assert [body for _, _, body in api.requests] == [b"sent"] * 2


@pytest.mark.parametrize("kind", ["requests", "httpx"])
def test_threads_that_are_refused_together_refresh_once(kind: str, user_pool: UserPool, api: Api) -> None:
    user_pool.add_user("alice", password=PASSWORD)
    client = Client(user_pool, kind)
    client.run(client.log_in)
    old = client.user.access_token
    api.accepts_all_but = {old}
    barrier = threading.Barrier(8)
    accepts = api.accepts

    def together(authorization: str | None) -> bool:
        if authorization == f"Bearer {old}":
            barrier.wait(30)
        return accepts(authorization)

    api.accepts = together  # type: ignore[method-assign]
    refreshes = count(user_pool)
    answers: list[tuple[int, bytes]] = []
    threads = [threading.Thread(target=lambda: answers.append(client.post(api.url))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert answers == [(200, b"the body")] * 8
    assert len(refreshes) == 1


def count(pool: UserPool) -> list[str]:
    """Record the operations that refresh."""
    refreshes: list[str] = []
    call = pool.call

    def counted(operation: Operation) -> Any:
        flow = operation.parameters.get("AuthFlow")
        if operation.name == "GetTokensFromRefreshToken" or flow == "REFRESH_TOKEN_AUTH":
            refreshes.append(operation.name)
        return call(operation)

    pool.call = counted  # type: ignore[method-assign]
    return refreshes


@contextmanager
def refused(match: str) -> Iterator[None]:
    with pytest.raises(ConfigurationError, match=match):
        yield


def test_wrong_arguments_are_refused_when_the_object_is_made(user_pool: UserPool) -> None:
    user = Cognito(user_pool.user_pool_id, user_pool.client_id, transport=user_pool)
    other = AsyncCognito(user_pool.user_pool_id, user_pool.client_id, transport=user_pool)
    wrong: Any = "refresh"
    for make in (RequestsAuth, HttpxAuth):
        with refused("invalid token use 'refresh'"):
            make(user, use=wrong)
        for origin in ("api.example.com", "ftp://a", "https://a/path", "https://", "https://u@a", "https://a?b", 1, ""):
            with refused("invalid origin"):
                make(user, origins=[origin])  # type: ignore[list-item]
        with refused("origins is empty"):
            make(user, origins=[])
        with refused("must be a"):
            make(None)  # type: ignore[arg-type]
    with refused("AsyncCognito"):
        send_token(user, origins="https://a")  # type: ignore[arg-type]
    with refused("Cognito"):
        RequestsAuth(other)  # type: ignore[arg-type]
    with refused("httpx.AsyncClient"), httpx.Client(auth=HttpxAuth(other)) as client:
        client.get("http://127.0.0.1:1")


def test_an_asynchronous_client_with_a_synchronous_user_is_refused(user_pool: UserPool) -> None:
    user = Cognito(user_pool.user_pool_id, user_pool.client_id, transport=user_pool)

    async def get() -> None:
        async with httpx.AsyncClient(auth=HttpxAuth(user)) as client:
            await client.get("http://127.0.0.1:1")

    with refused("AsyncCognito"):
        asyncio.run(get())
