"""A local user pool with one user, served over TLS."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.client import HTTPConnection
from typing import NamedTuple

from srpcore.protocol import Operation
from srpcore_transports.local import LocalUserPool
from support.loopback import LoopbackServer, Request, answer, tls
from support.users import PASSWORD

__all__ = ["TlsPool", "tls_pool"]

ISSUER = "https://cognito-idp.eu-west-1.amazonaws.com"
_OF_THE_CONNECTION = ("connection", "content-length", "transfer-encoding")


class TlsPool(NamedTuple):
    """What a client needs for a login. Its user is alice, with PASSWORD."""

    url: str
    user_pool_id: str
    client_id: str


@contextmanager
def tls_pool() -> Iterator[TlsPool]:
    """Run a pool behind a server whose certificate is from the authority of this test run."""
    with LocalUserPool(region="eu-west-1", issuer=ISSUER) as pool, pool.serve() as server:
        user = {"UserPoolId": pool.user_pool_id, "Username": "alice"}
        pool.call(Operation("AdminCreateUser", {**user, "MessageAction": "SUPPRESS"}))
        pool.call(Operation("AdminSetUserPassword", {**user, "Password": PASSWORD, "Permanent": True}))
        with LoopbackServer(lambda request, _: _forward(request, server.url), tls("localhost")) as front:
            yield TlsPool(front.url, pool.user_pool_id, pool.client_id)


def _forward(request: Request, url: str) -> bytes:
    """Return the response of the pool at *url*."""
    with closing(HTTPConnection(url.removeprefix("http://"))) as connection:
        connection.request(request.method, request.target, request.body, dict(request.headers))
        response = connection.getresponse()
        headers = {name: value for name, value in response.getheaders() if name.lower() not in _OF_THE_CONNECTION}
        return answer(response.read(), response.status, **headers)
