"""The transport that runs on an event loop: nothing blocks it, a call may be cancelled, and each loop is its own."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import socket
import subprocess
import sys
import threading
import time
from typing import Any

import pytest

import srpcore
from srpcore.exceptions import ConfigurationError, TransportError, TransportTimeout
from srpcore.protocol import Operation
from srpcore_transports.credentials import Credentials
from srpcore_transports.httpx import AsyncHttpxTransport
from support.loopback import Drop, LoopbackServer, Request, answer, proxy_server, tls
from support.serving_aws import ADMIN, KEYS, SIGN_IN, echo

pytestmark = pytest.mark.usefixtures("bare_environment", "no_leaks")


def others() -> set[asyncio.Task[Any]]:
    return {task for task in asyncio.all_tasks() if task is not asyncio.current_task()}


async def settled() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


# Cancellation.


def slowly(request: Request, connection: socket.socket) -> bytes:
    """Answer in pieces, so that a call can be cancelled in every phase."""
    response = answer(request.body + b" " * 4000)
    for start in (0, 20, 60, 1000):
        connection.sendall(response[start : {0: 20, 20: 60, 60: 1000}.get(start, -1)])
        time.sleep(0.001)
    return response[-1:]


@pytest.mark.slow
@pytest.mark.parametrize("way", ["direct", "tunnel", "plain"])
def test_a_call_can_be_cancelled_in_any_phase(bundle: str, way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async def story() -> None:
        arguments: dict[str, Any] = {"ca_bundle": bundle, "max_connections": 2, "timeout": 60, "max_attempts": 1}
        async with AsyncHttpxTransport("eu-west-1", server.url, **arguments) as transport:
            await transport.call(SIGN_IN)
            ended = 0
            for step in range(60):
                if step % 10 == 0:
                    await transport.close()  # so that connecting is cancelled too
                task = asyncio.ensure_future(transport.call(Operation("SignUp", {})))
                await asyncio.sleep(step % 20 * 0.0015)
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    ended += (await task).status == 200
            assert ended < 60
            replies = await asyncio.gather(*(transport.call(SIGN_IN) for _ in range(8)))
            assert {reply.document["AuthFlow"] for reply in replies} == {"USER_SRP_AUTH"}
            await settled()
            assert others() == set()

    with LoopbackServer(slowly, None if way == "plain" else tls("localhost")) as server, proxy_server() as proxy:
        if way == "tunnel":
            monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{proxy.port}")
        asyncio.run(story())


def test_a_handshake_that_is_cancelled_leaves_no_socket(bundle: str) -> None:
    async def story(url: str) -> None:
        async with AsyncHttpxTransport("eu-west-1", url, ca_bundle=bundle) as transport:
            task = asyncio.ensure_future(transport.call(SIGN_IN))
            loop = asyncio.get_running_loop()
            taken, _ = await loop.sock_accept(listener)
            with taken:
                taken.setblocking(False)
                assert (await loop.sock_recv(taken, 1)) == b"\x16"  # the first byte of a TLS handshake
                task.cancel()
                await asyncio.wait([task])
                assert task.cancelled()
                while await loop.sock_recv(taken, 1000):  # until the client has closed the connection
                    pass

    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setblocking(False)
        asyncio.run(story(f"https://localhost:{listener.getsockname()[1]}"))


@pytest.mark.parametrize("steps", range(1, 7))
def test_closing_that_is_cancelled_leaves_no_socket(bundle: str, steps: int) -> None:
    """Closing takes a step of the event loop for each connection. A task may be cancelled after any of them."""
    together = threading.Barrier(4)

    def at_once(request: Request, connection: socket.socket) -> bytes:
        together.wait(30)
        return answer(b"{}")

    async def story(url: str) -> None:
        transport = AsyncHttpxTransport("eu-west-1", url, ca_bundle=bundle)
        await asyncio.gather(*(transport.call(SIGN_IN) for _ in range(4)))
        closing = asyncio.ensure_future(transport.close())
        for _ in range(steps):
            await asyncio.sleep(0)
        closing.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await closing
        await settled()
        assert others() == set()

    with LoopbackServer(at_once) as server:
        asyncio.run(story(server.url))
        assert server.connections == 4


@pytest.mark.slow
@pytest.mark.parametrize("connected", [False, True], ids=["new connection", "kept connection"])
def test_connection_of_a_cancelled_call_does_not_stay_in_use(bundle: str, connected: bool) -> None:
    async def cancel_after(steps: int, url: str) -> bool:
        async with AsyncHttpxTransport(
            "eu-west-1", url, ca_bundle=bundle, max_connections=1, max_attempts=1
        ) as transport:
            await transport.call(SIGN_IN)
            if not connected:
                await transport.close()
            task = asyncio.ensure_future(transport.call(SIGN_IN))
            for _ in range(steps):
                await asyncio.sleep(0)
                time.sleep(0.002)  # what the server sends is there at the next step
            task.cancel()
            await asyncio.wait([task])
            async with asyncio.timeout(30):
                assert (await transport.call(SIGN_IN)).status == 200
            return task.cancelled()

    with LoopbackServer(echo) as server:
        steps = 0
        while asyncio.run(cancel_after(steps, server.url)):
            steps += 1
        assert steps > 5


def test_cancelling_the_first_call_does_not_cancel_the_loading(bundle: str) -> None:
    async def story() -> None:
        async with AsyncHttpxTransport("eu-west-1", server.url, ca_bundle=bundle) as transport:
            tasks = [asyncio.ensure_future(transport.call(SIGN_IN)) for _ in range(5)]
            await asyncio.sleep(0)
            tasks[0].cancel()
            results = await asyncio.gather(*tasks, return_exceptions=True)
            assert isinstance(results[0], asyncio.CancelledError)
            assert [reply.status for reply in results[1:] if not isinstance(reply, BaseException)] == [200] * 4

    with LoopbackServer(echo, tls("localhost")) as server:
        asyncio.run(story())


def test_loading_that_fails_after_all_calls_were_cancelled_logs_nothing(tmp_path: Any) -> None:
    async def story() -> None:
        surprises: list[Any] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, context: surprises.append(context))
        transport = AsyncHttpxTransport("eu-west-1", "https://localhost:1", ca_bundle=tmp_path / "missing")
        task = asyncio.ensure_future(transport.call(SIGN_IN))
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task])
        while others():
            await asyncio.wait(others())
        gc.collect()
        with pytest.raises(ConfigurationError):
            await transport.call(SIGN_IN)
        assert surprises == []

    asyncio.run(story())


# Many at once.


@pytest.mark.long
def test_a_thousand_tasks_each_get_their_own_answer() -> None:
    async def ask(transport: AsyncHttpxTransport, number: int) -> bool:
        name = f"user-{number}"
        return bool((await transport.call(Operation("SignUp", {"Username": name}))).document["Username"] == name)

    async def story() -> None:
        async with AsyncHttpxTransport(
            "eu-west-1", server.url, max_connections=16, timeout=300, total_timeout=300
        ) as transport:
            assert all(await asyncio.gather(*(ask(transport, number) for number in range(1000))))

    with LoopbackServer(echo) as server:
        asyncio.run(story())
    assert server.connections < 50


@pytest.mark.slow
def test_no_free_connection_is_a_timeout_before_anything_is_sent() -> None:
    async def story() -> None:
        async with AsyncHttpxTransport(
            "eu-west-1", server.url, max_connections=1, connect_timeout=1, max_attempts=1
        ) as transport:
            first = asyncio.ensure_future(transport.call(SIGN_IN))
            while not server.requests:
                await asyncio.sleep(0.01)
            with pytest.raises(TransportTimeout, match=r"no connection to 127\.0\.0\.1 was free") as caught:
                await transport.call(SIGN_IN)
            assert not caught.value.may_have_arrived
            answered.set()
            assert (await first).status == 200
            assert (await transport.call(SIGN_IN)).status == 200
        assert server.connections == 1

    def handler(request: Request, connection: socket.socket) -> bytes:
        answered.wait(60)
        return answer()

    answered = threading.Event()
    # Without TLS, whose handshake may take longer than the timeout on a busy machine.
    with LoopbackServer(handler) as server:
        asyncio.run(story())


def test_close_lets_running_calls_finish(bundle: str) -> None:
    async def story() -> None:
        transport = AsyncHttpxTransport("eu-west-1", server.url, ca_bundle=bundle)
        first = asyncio.ensure_future(transport.call(SIGN_IN))
        while not server.requests:
            await asyncio.sleep(0.01)
        await transport.close()
        answered.set()
        assert (await first).status == 200
        assert (await transport.call(SIGN_IN)).status == 200
        transport.close_now()
        await settled()
        assert (await transport.call(SIGN_IN)).status == 200
        await transport.close()

    def handler(request: Request, connection: socket.socket) -> bytes:
        answered.wait(60)
        return answer()

    answered = threading.Event()
    with LoopbackServer(handler, tls("localhost")) as server:
        asyncio.run(story())
    assert [request.connection for request in server.requests] == [0, 1, 2]


# Several loops.


def test_each_loop_has_its_own_connections(bundle: str) -> None:
    async def call() -> None:
        assert (await transport.call(SIGN_IN)).status == 200
        assert (await transport.call(SIGN_IN)).status == 200
        await transport.close()

    with LoopbackServer(echo, tls("localhost")) as server:
        transport = AsyncHttpxTransport("eu-west-1", server.url, ca_bundle=bundle)
        asyncio.run(call())
        asyncio.run(call())
        assert len(transport._loops) == 1
        thread = threading.Thread(target=lambda: asyncio.run(call()))
        thread.start()
        thread.join(60)
        transport.close_now()  # no loop is running: there is nothing to do
    assert [request.connection for request in server.requests] == [0, 0, 1, 1, 2, 2]


@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_loop_that_ended_without_close_does_not_affect_the_next(bundle: str) -> None:
    async def call() -> int:
        return (await transport.call(SIGN_IN)).status

    with LoopbackServer(echo, tls("localhost")) as server:
        transport = AsyncHttpxTransport("eu-west-1", server.url, ca_bundle=bundle)
        assert asyncio.run(call()) == 200
        assert asyncio.run(call()) == 200
        assert len(transport._loops) == 1
        asyncio.run(transport.close())
        gc.collect()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork on this system")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_child_process_has_its_own_connections(bundle: str) -> None:
    async def story() -> None:
        await transport.call(SIGN_IN)
        child = os.fork()
        if child == 0:
            status = 1
            try:
                status = 0 if asyncio.run(transport.call(SIGN_IN)).status == 200 else 2
            finally:
                os._exit(status)
        while os.waitpid(child, os.WNOHANG) == (0, 0):
            await asyncio.sleep(0.01)
        await transport.call(SIGN_IN)
        await transport.close()

    with LoopbackServer(echo, tls("localhost")) as server:
        transport = AsyncHttpxTransport("eu-west-1", server.url, ca_bundle=bundle)
        asyncio.run(story())
    assert [request.connection for request in server.requests] == [0, 1, 0]


# Nothing blocks.


PROGRAM = """
import asyncio, sys, threading
import srpcore

pool_id, client_id, url, bundle, name = sys.argv[1:]
blocking = []
watching = False

def watch(event, arguments):
    if watching and threading.current_thread() is threading.main_thread():
        if event in ("import", "open", "socket.getaddrinfo", "subprocess.Popen", "time.sleep"):
            if arguments[0] != "sniffio":  # httpcore looks at each step whether it is there
                blocking.append((event, arguments[0]))

async def main():
    global watching
    await asyncio.to_thread(int)  # asyncio's own modules
    keys = {"access_key": "AKIDLOCAL", "secret_key": "secret"} if name == "keys" else {}
    user = srpcore.AsyncCognito(pool_id, client_id, username="alice", transport="httpx", endpoint_url=url, **keys)
    watching = True
    try:
        await user.client.get_user(AccessToken="no token")
    except srpcore.ServiceError:
        pass
    try:
        await user.client.admin_get_user(UserPoolId=pool_id, Username="alice")
    except srpcore.SrpcoreError:
        pass
    await user.close()
    watching = False

import os
os.environ["AWS_CA_BUNDLE"] = bundle
sys.addaudithook(watch)
asyncio.run(main())
assert "httpx" in sys.modules
assert not blocking, blocking
"""


@pytest.mark.slow
@pytest.mark.parametrize("keys", ["keys", "a profile"])
def test_nothing_blocks_the_event_loop(bundle: str, tmp_path: Any, keys: str) -> None:
    def handler(request: Request, connection: socket.socket) -> bytes:
        return answer(b'{"__type":"NotAuthorizedException","message":"no"}', 400)

    profile = tmp_path / "credentials"
    profile.write_text("[default]\naws_access_key_id = AKID\naws_secret_access_key = secret\n")
    with LoopbackServer(handler, tls("localhost")) as server:
        subprocess.run(
            [sys.executable, "-W", "error", "-c", PROGRAM, "eu-west-1_abc", "client", server.url, bundle, keys],
            check=True,
            timeout=60,
            env={
                "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
                "AWS_SHARED_CREDENTIALS_FILE": str(profile),
                "AWS_EC2_METADATA_DISABLED": "true",
            },
        )
    assert len(server.requests) == 2
    assert "authorization" in server.requests[1].headers


def test_a_provider_that_waits_does_not_stop_the_loop(bundle: str) -> None:
    def provider() -> Credentials:
        asked.append(threading.current_thread())
        released.wait(60)
        return KEYS

    async def story() -> None:
        async with AsyncHttpxTransport("eu-west-1", server.url, provider, ca_bundle=bundle) as transport:
            task = asyncio.ensure_future(transport.call(ADMIN))
            while not asked:
                await asyncio.sleep(0.01)
            assert (await transport.call(SIGN_IN)).status == 200
            released.set()
            assert (await task).status == 200

    asked: list[threading.Thread] = []
    released = threading.Event()
    with LoopbackServer(echo, tls("localhost")) as server:
        asyncio.run(story())
    assert asked[0] is not threading.current_thread()


@pytest.mark.slow
def test_a_provider_that_waits_too_long_ends_at_the_deadline(bundle: str) -> None:
    def provider() -> Credentials:
        released.wait(60)
        return KEYS

    async def story() -> None:
        async with AsyncHttpxTransport(
            "eu-west-1", server.url, provider, ca_bundle=bundle, total_timeout=0.3
        ) as transport:
            with pytest.raises(TransportTimeout, match="before the request was sent") as caught:
                await transport.call(ADMIN)
            assert not caught.value.may_have_arrived
        released.set()

    released = threading.Event()
    with LoopbackServer(echo, tls("localhost")) as server:
        asyncio.run(story())
    assert server.connections == 0


def test_a_timeout_within_a_provider_is_reported_as_such(bundle: str) -> None:
    def provider() -> Credentials:
        raise TimeoutError("of the provider")

    async def story() -> None:
        async with AsyncHttpxTransport("eu-west-1", "https://localhost:1", provider, ca_bundle=bundle) as transport:
            with pytest.raises(TimeoutError, match="of the provider"):
                await transport.call(ADMIN)

    asyncio.run(story())


def test_a_fault_does_not_close_the_connections_of_other_calls(bundle: str) -> None:
    def handler(request: Request, connection: socket.socket) -> bytes:
        if b"drop" in request.body:
            raise Drop
        return answer()

    async def story() -> None:
        async with AsyncHttpxTransport("eu-west-1", server.url, ca_bundle=bundle, max_attempts=1) as transport:
            await transport.call(SIGN_IN)
            one, two = await asyncio.gather(
                transport.call(SIGN_IN),
                transport.call(Operation("SignUp", {"Username": "drop"})),
                return_exceptions=True,
            )
            assert not isinstance(one, BaseException)
            assert isinstance(two, TransportError)
            await transport.call(SIGN_IN)

    with LoopbackServer(handler, tls("localhost")) as server:
        asyncio.run(story())
    assert server.connections == 2


def test_async_cognito_works_over_the_transport() -> None:
    from srpcore_transports.local import LocalUserPool

    async def story(pool: LocalUserPool, url: str) -> None:
        async with srpcore.AsyncCognito(
            pool.user_pool_id,
            pool.client_id,
            access_key="AKIDLOCAL",
            secret_key="secret",
            transport="httpx",
            endpoint_url=url,
        ) as user:
            await user.register("alice", "Correct-Horse-1")
            await user.admin_confirm_sign_up()
            await user.authenticate("Correct-Horse-1")
            await user.verify_tokens()
            user.client = user.client  # takes the transport up again
            await user.renew_access_token()
            await user.client.close()

    with LocalUserPool(credentials=Credentials("AKIDLOCAL", "secret")) as pool, pool.serve() as server:
        asyncio.run(story(pool, server.url))
