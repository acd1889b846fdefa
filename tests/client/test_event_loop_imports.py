"""Nothing is imported on a running event loop: an import reads files, and the event loop would wait for that."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap

import pytest

from srpcore_transports.credentials import Credentials
from srpcore_transports.local import LocalUserPool
from support.users import PASSWORD

# A new process for each transport, because a module is imported once only. It prints what this package imports in the
# thread of the event loop while that runs: the module and the file that imports it. What other libraries import, for
# example httpx, is not counted.
PROGRAM = """
    import asyncio, json, sys, threading

    from srpcore import AsyncCognito, AsyncTokenVerifier, MemoryStore, exceptions

    kind, url, pool_id, client_id, password = sys.argv[1:]
    imported = []
    event_loop_thread = None

    class Finder:
        def find_spec(self, name, path=None, target=None):
            if threading.get_ident() == event_loop_thread:
                frame = sys._getframe(1)
                while "importlib" in frame.f_code.co_filename:
                    frame = frame.f_back
                if "srpcore" in frame.f_code.co_filename:
                    imported.append((name, frame.f_code.co_filename))
            return None

    async def story():
        global event_loop_thread
        event_loop_thread = threading.get_ident()
        arguments = {"endpoint_url": url, "access_key": "AKID", "secret_key": "secret", "store": MemoryStore()}
        async with AsyncCognito(pool_id, client_id, transport=kind, **arguments) as user:
            try:
                await user.client.get_user(AccessToken="wrong")
            except exceptions.SrpcoreError as error:
                assert error.code == "NotAuthorizedException", error
            await user.register("bob", password)
            await user.admin_confirm_sign_up()
            await user.authenticate(password)
            await user.check_token()
            await user.renew_access_token()
            await user.restore()
            await user.get_user()
            assert [found.username async for found in user.iter_users()] == ["bob"]
            await user.client.get_user(AccessToken=user.access_token)
            try:
                await user.authenticate("wrong")
            except exceptions.NotAuthorizedException:
                pass
            step = await user.sign_in(password)
            assert step.done
            arguments = {"client_id": client_id, "token_use": "access", "endpoint_url": url}
            async with AsyncTokenVerifier(pool_id, **arguments) as verifier:
                await verifier.verify(user.access_token)
            await user.logout()
        event_loop_thread = None

    sys.meta_path.insert(0, Finder())
    asyncio.run(story())
    print(json.dumps(imported))
"""


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["https", "httpx", pytest.param("botocore", marks=pytest.mark.counterpart)])
def test_nothing_is_imported_on_the_event_loop(kind: str) -> None:
    with LocalUserPool(credentials=Credentials("AKID", "secret")) as pool, pool.serve() as server:
        program = [sys.executable, "-c", textwrap.dedent(PROGRAM), kind]
        arguments = [server.url, pool.user_pool_id, pool.client_id, PASSWORD]
        done = subprocess.run([*program, *arguments], capture_output=True, text=True, check=True, timeout=60)
    assert json.loads(done.stdout) == []
