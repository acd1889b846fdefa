"""A snapshot of the process (AWS Lambda SnapStart): what must not be in two processes is not in it.

The hooks are called as the runtime interface client of AWS calls them.
"""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from support.lambda_runtime import SNAP_START

ROOT = Path(__file__).resolve().parents[1]

pytestmark = [pytest.mark.slow, pytest.mark.counterpart]

HEAD = """
import gc, sys, time
sys.path[:0] = {path!r}
from awslambdaric.lambda_runtime_hooks_runner import run_after_restore, run_before_snapshot
from srpcore import _fork
from srpcore.protocol import Operation

def alive(kind):
    "Return the objects of this type that the process still has in memory."
    gc.collect()
    return [one for one in gc.get_objects() if type(one) is kind]
"""

SERVER = """
from support.loopback import LoopbackServer, answer, authority, tls
import os, ssl, tempfile
file = tempfile.NamedTemporaryFile(suffix=".pem")
authority().cert_pem.write_to_path(file.name)
server = LoopbackServer(lambda request, connection: answer(), tls("localhost"))
server.__enter__()
SIGN_IN = Operation("InitiateAuth", {"AuthFlow": "USER_SRP_AUTH", "ClientId": "client"})

def wait_until_all_connections_are_closed(but=0):
    end = time.monotonic() + 20
    while len(server._open) > but:
        assert time.monotonic() < end, "a connection is still open"
        time.sleep(0.002)
"""

CASES = {
    "temporary credentials are fetched again": """
        from srpcore_transports.credentials import Credentials
        from srpcore_transports.credentials.refreshing import RefreshingCredentials, Temporary
        fetched = []
        def fetch():
            fetched.append(1)
            return Temporary(Credentials("AKID", "secret", "token"), time.time() + 3600)
        provider = RefreshingCredentials(fetch)
        provider(), provider()
        assert (len(fetched), len(alive(Temporary))) == (1, 1)
        run_before_snapshot()
        assert alive(Temporary) == alive(Credentials) == []
        run_after_restore()
        provider()
        assert len(fetched) == 2
    """,
    "the default credentials are looked for again": """
        import json, os, tempfile
        from support.loopback import LoopbackServer, answer
        from srpcore_transports.credentials import Credentials, DefaultCredentials
        count = 0
        def handle(request, connection):
            global count
            count += 1
            return answer(json.dumps({
                "AccessKeyId": f"AKID{count}", "SecretAccessKey": "secret", "Token": "token",
                "Expiration": "2099-01-01T00:00:00Z",
            }).encode())
        os.environ.update(AWS_CONFIG_FILE=os.devnull, AWS_SHARED_CREDENTIALS_FILE=os.devnull)
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE", "AWS_DEFAULT_PROFILE"):
            os.environ.pop(name, None)
        with LoopbackServer(handle) as endpoint:
            os.environ["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = endpoint.url
            provider = DefaultCredentials("eu-west-1")
            assert provider().access_key_id == provider().access_key_id == "AKID1"
            run_before_snapshot()
            assert alive(Credentials) == []
            run_after_restore()
            assert provider().access_key_id == "AKID2"
    """,
    "credentials that botocore has resolved are looked for again": """
        import os, tempfile
        from pathlib import Path
        folder = Path(tempfile.mkdtemp())
        (folder / "process.py").write_text(
            "import json, time; print(json.dumps(dict(Version=1, AccessKeyId=f'AKID{time.time_ns()}', "
            "SecretAccessKey='secret', SessionToken='token', Expiration='2099-01-01T00:00:00Z')))"
        )
        (folder / "config").write_text(f"[default]\\ncredential_process = {sys.executable} {folder / 'process.py'}\\n")
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE", "AWS_DEFAULT_PROFILE"):
            os.environ.pop(name, None)
        os.environ.update(AWS_CONFIG_FILE=str(folder / "config"), AWS_SHARED_CREDENTIALS_FILE=os.devnull)
        from srpcore_transports.credentials import DefaultCredentials
        provider = DefaultCredentials("eu-west-1")
        first = provider().access_key_id
        assert provider().access_key_id == first
        run_before_snapshot()
        run_after_restore()
        assert provider().access_key_id != first
    """,
    "keys for signatures are derived again": """
        # with a server
        from srpcore_transports import sigv4
        from srpcore_transports.credentials import Credentials
        from srpcore_transports.https import HttpsTransport
        transport = HttpsTransport("eu-west-1", server.url, lambda: Credentials("AKID", "secret"), ca_bundle=file.name)
        transport.call(Operation("AdminGetUser", {}))
        assert (len(sigv4._DERIVED), len(alive(Credentials)), len(alive(sigv4.Signer))) == (1, 1, 1)
        run_before_snapshot()
        assert (sigv4._DERIVED, alive(Credentials), alive(sigv4.Signer)) == ({}, [], [])
        server.__exit__()
    """,
    "what is fetched after our hook is forgotten after the restore": """
        from srpcore_transports.credentials import Credentials
        from srpcore_transports.credentials.refreshing import RefreshingCredentials, Temporary
        provider = RefreshingCredentials(lambda: Temporary(Credentials("AKID", "secret"), time.time() + 3600))
        run_before_snapshot()
        provider()
        run_after_restore()
        assert alive(Credentials) == []
    """,
    "the pair of AWSSRP is forgotten, and a challenge to it is not answered": """
        import srpcore
        from srpcore.crypto import cognito
        pool = "eu-west-1_AbCd12345"
        srp = srpcore.AWSSRP("alice", "password", pool, "client", client=object())
        sent = srp.get_auth_params()["SRP_A"]
        challenge = {
            "USER_ID_FOR_SRP": "alice", "SALT": "ab", "SECRET_BLOCK": "AAAA", "USERNAME": "alice",
            "SRP_B": "%x" % cognito.server_pair(cognito.verifier(5)).public,
        }
        run_before_snapshot()
        assert srp._pair_state.values == {}
        run_after_restore()
        try:
            srp.process_challenge(challenge, {"USERNAME": "alice"})
        except srpcore.ConfigurationError as error:
            assert "before a snapshot" in str(error)
        else:
            raise AssertionError("a challenge to the old pair was answered")
        assert srp.get_auth_params()["SRP_A"] != sent
        assert srp.process_challenge(challenge, {"USERNAME": "alice"})
        run_after_restore()  # also forgets what was made since the first hook
        assert srp._pair_bound.answered == {}
    """,
    "connections and TLS sessions are closed, and certificate authorities stay": """
        # with a server
        import ssl
        from srpcore_transports.http_connection import Connection
        from srpcore_transports.https import HttpsTransport
        transport = HttpsTransport("eu-west-1", server.url, ca_bundle=file.name)
        transport.call(SIGN_IN)
        shared = transport._tls()
        assert len(alive(ssl.SSLSession)) == 1
        run_before_snapshot()
        wait_until_all_connections_are_closed()
        assert alive(ssl.SSLSession) == alive(Connection) == []
        run_after_restore()
        assert transport._tls() is shared
        transport.call(SIGN_IN)
        assert server.connections == 2
        server.__exit__()
    """,
    "a prepared connection is closed": """
        # with a server
        from srpcore_transports.https import HttpsTransport
        transport = HttpsTransport("eu-west-1", server.url, ca_bundle=file.name)
        transport.prepare()
        run_before_snapshot()
        wait_until_all_connections_are_closed()
        run_after_restore()
        transport.call(SIGN_IN)
        assert server.connections == 2
        server.__exit__()
    """,
    "connections of httpx are closed": """
        # with a server
        from srpcore_transports.httpx import HttpxTransport
        transport = HttpxTransport("eu-west-1", server.url, ca_bundle=file.name)
        transport.call(SIGN_IN)
        run_before_snapshot()
        wait_until_all_connections_are_closed()
        run_after_restore()
        transport.call(SIGN_IN)
        assert server.connections == 2
        server.__exit__()
    """,
    "connections of httpx on event loops are closed": """
        # with a server
        import asyncio, threading
        from srpcore_transports.httpx import AsyncHttpxTransport
        transport = AsyncHttpxTransport("eu-west-1", server.url, ca_bundle=file.name)
        kept, ended, busy = asyncio.new_event_loop(), asyncio.new_event_loop(), asyncio.new_event_loop()
        threading.Thread(target=busy.run_forever, daemon=True).start()
        asyncio.run_coroutine_threadsafe(transport.call(SIGN_IN), busy).result(20)
        for loop in (kept, ended):
            loop.run_until_complete(transport.call(SIGN_IN))
        assert server.connections == 3
        ended.close()
        gc.disable()
        run_before_snapshot()
        wait_until_all_connections_are_closed(but=1)
        gc.collect()  # the connection of the closed event loop
        wait_until_all_connections_are_closed()
        run_after_restore()
        kept.run_until_complete(transport.call(SIGN_IN))
        assert server.connections == 4
        server.__exit__()
        os._exit(0)  # the loop of the other thread still runs
    """,
    "connections of httpx are not used again if another event loop runs in the thread of the hooks": """
        # with a server
        import asyncio
        from srpcore_transports.httpx import AsyncHttpxTransport
        transport = AsyncHttpxTransport("eu-west-1", server.url, ca_bundle=file.name)
        loop = asyncio.new_event_loop()
        loop.run_until_complete(transport.call(SIGN_IN))
        async def take_snapshot():
            await transport.call(SIGN_IN)  # a connection of the loop that runs
            run_before_snapshot()
            run_after_restore()
            await transport.call(SIGN_IN)
        asyncio.run(take_snapshot())
        loop.run_until_complete(transport.call(SIGN_IN))
        assert server.connections == 4
        gc.collect()  # a coroutine that nobody awaited would print a warning
        loop.run_until_complete(transport.close())
        loop.close()
        os._exit(0)
    """,
    "a hook that fails does not keep the others from being called": """
        import ssl
        class Thing: pass
        things, called = [Thing() for _ in range(3)], []
        def forget(thing):
            called.append(things.index(thing))
            if thing is not things[2]:
                raise ValueError(called[-1])
        for thing in things:
            _fork.forget_in_snapshot(thing, forget)
        ssl.RAND_add = lambda *_: called.append("seeded")
        for hooks, expected in [(run_before_snapshot, [0, 1, 2]), (run_after_restore, ["seeded", 0, 1, 2])]:
            called.clear()
            try:
                hooks()
            except ValueError as error:
                assert error.args == (0,)
            else:
                raise AssertionError("the error of the hook was not raised")
            assert called == expected
    """,
    "connections of botocore are closed": """
        # with a server
        import boto3
        from srpcore_transports.botocore import BotocoreTransport
        client = boto3.client("cognito-idp", region_name="eu-west-1", endpoint_url=server.url, verify=file.name)
        transport = BotocoreTransport(client)
        transport.call(SIGN_IN)
        run_before_snapshot()
        wait_until_all_connections_are_closed()
        run_after_restore()
        transport.call(SIGN_IN)
        assert server.connections == 2
        server.__exit__()
    """,
    "keys stay": """
        from srpcore import TokenVerifier
        from support.key_server import POOL, mint, serve
        from support.minting import CLIENT, access_claims
        with serve() as keys:
            verifier = TokenVerifier(POOL, client_id=CLIENT, token_use="access", endpoint_url=keys.server.url)
            verifier.hydrate()
            run_before_snapshot()
            run_after_restore()
            verifier.verify(mint(access_claims(exp=2**40)))
            assert keys.count == 1
    """,
    "keys are fetched again if they are too old by the wall clock": """
        from srpcore import TokenVerifier
        from srpcore.exceptions import UnknownKey
        from support.key_server import POOL, mint, serve
        from support.minting import CLIENT, access_claims
        later = 0
        with serve() as keys:
            verifier = TokenVerifier(
                POOL, client_id=CLIENT, token_use="access", endpoint_url=keys.server.url,
                clock=lambda: time.time() + later,
            )
            verifier.hydrate()
            run_before_snapshot()
            later, keys.names[POOL] = 30 * 86400, ["other"]
            run_after_restore()
            try:
                verifier.verify(mint(access_claims(exp=2**40)))
            except UnknownKey:
                pass
            else:
                raise AssertionError("a withdrawn key was accepted")
            verifier.verify(mint(access_claims(exp=2**40), "other"))
            assert keys.count == 2
    """,
    "the generator of OpenSSL is seeded again": """
        import ssl
        added = []
        ssl.RAND_add = lambda data, entropy: added.append(data)
        run_before_snapshot()
        assert added == []
        run_after_restore()
        assert [len(data) for data in added] == [32]
    """,
    "what is not used any more is not kept for the hooks": """
        from srpcore import _fork
        from srpcore_transports.credentials.refreshing import RefreshingCredentials
        provider = RefreshingCredentials(lambda: None)
        before = len(_fork._FORGETTING)
        del provider
        gc.collect()
        assert len(_fork._FORGETTING) == before - 1
    """,
}


def run(program: str, environment: dict[str, str]) -> None:
    path = [str(ROOT), str(ROOT / "transports"), str(ROOT / "tests")]
    done = subprocess.run(
        [sys.executable, "-c", HEAD.format(path=path) + textwrap.dedent(program).replace("# with a server\n", SERVER)],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("case", CASES)
def test_in_a_snapshot(case: str) -> None:
    run(CASES[case], SNAP_START)


def test_no_hook_is_registered_without_snap_start() -> None:
    run(
        """
        import srpcore
        from snapshot_restore_py import get_after_restore, get_before_snapshot
        from srpcore import _fork
        from srpcore_transports.https import HttpsTransport
        transport = HttpsTransport("eu-west-1")
        assert get_before_snapshot() == get_after_restore() == []
        assert len(_fork._FORGETTING) == 0
        """,
        {"AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand"},
    )


def test_a_runtime_without_the_library_of_the_hooks_is_accepted() -> None:
    run(
        """
        for name in [name for name in sys.modules if name.startswith("srpcore")]:
            del sys.modules[name]
        sys.modules["snapshot_restore_py"] = None
        from srpcore_transports.https import HttpsTransport
        HttpsTransport("eu-west-1").close()
        """,
        SNAP_START,
    )
