"""A local user pool with one user, served over TLS."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from srpcore.protocol import Operation
from srpcore_transports.local import LocalUserPool
from support.loopback import tls
from support.users import PASSWORD

__all__ = ["TlsPool", "tls_pool"]

ISSUER = "https://cognito-idp.eu-west-1.amazonaws.com"


class TlsPool(NamedTuple):
    """What a client needs for a login. Its user is alice, with PASSWORD."""

    url: str
    user_pool_id: str
    client_id: str


@contextmanager
def tls_pool() -> Iterator[TlsPool]:
    """Run a pool whose certificate is from the authority of this test run."""
    with LocalUserPool(region="eu-west-1", issuer=ISSUER) as pool, pool.serve() as server:
        # The handshake is made in the thread of the connection, and not in the one that accepts connections.
        listener = server._server.socket
        server._server.socket = tls("localhost").wrap_socket(listener, server_side=True, do_handshake_on_connect=False)
        user = {"UserPoolId": pool.user_pool_id, "Username": "alice"}
        pool.call(Operation("AdminCreateUser", {**user, "MessageAction": "SUPPRESS"}))
        pool.call(Operation("AdminSetUserPassword", {**user, "Password": PASSWORD, "Permanent": True}))
        yield TlsPool(server.url.replace("http://127.0.0.1", "https://localhost"), pool.user_pool_id, pool.client_id)
