"""The same flows over a transport on an event loop."""

from __future__ import annotations

import asyncio

import srpcore
from srpcore import exceptions
from srpcore.driver import arun
from srpcore.flows.login_context import AppClient, LoginContext
from srpcore.flows.refresh import refresh
from srpcore.flows.srp import Prover, user_srp
from srpcore.pool import Pool
from srpcore.protocol import Operation, Reply
from srpcore_transports.local import LocalUserPool
from support.users import PASSWORD


class AsyncPool:
    """A pool as an asynchronous transport. Other tasks run before each reply."""

    def __init__(self, pool: LocalUserPool) -> None:
        self.pool = pool

    async def call(self, operation: Operation) -> Reply:
        await asyncio.sleep(0)
        return self.pool.call(operation)

    async def fetch(self, url: str) -> bytes:
        await asyncio.sleep(0)
        return self.pool.fetch(url)

    async def close(self) -> None:
        self.pool.close()


def test_log_in_and_refresh_run_concurrently_on_an_event_loop() -> None:
    async def log_in(pool: LocalUserPool, password: str) -> str:
        srp = srpcore.AWSSRP("alice", password, pool.user_pool_id, pool.client_id, client=pool)
        app = AppClient(Pool(pool.user_pool_id), pool.client_id)
        transport = AsyncPool(pool)
        prover = Prover(srp.get_auth_params, srp.process_challenge)
        reply = await arun(user_srp(LoginContext(app, "alice"), prover), transport)
        token = reply["AuthenticationResult"]["RefreshToken"]
        renewed, _ = await arun(refresh(app, token, username="alice"), transport)
        return str(renewed["AuthenticationResult"]["AccessToken"])

    async def both(pool: LocalUserPool) -> tuple[str | BaseException, str | BaseException]:
        return await asyncio.gather(log_in(pool, PASSWORD), log_in(pool, "wrong"), return_exceptions=True)

    with LocalUserPool() as pool:
        user = srpcore.Cognito(pool.user_pool_id, pool.client_id, transport=pool)
        user.register("alice", PASSWORD)
        user.admin_confirm_sign_up()
        token, refused = asyncio.run(both(pool))
        user.verify_token(str(token), "access_token", "access")
        assert isinstance(refused, exceptions.NotAuthorizedException)
