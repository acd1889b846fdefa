"""Serve a user pool over TLS, with the user alice. The server of warm_log_in.py and cold_log_in.py.

    python benchmarks/_tls_pool.py FILE PASSWORD

FILE has the server's certificate and key. The program prints the URL, the id of the pool and that of its app client. It
ends with its input. The server of the pool cannot speak TLS, so a relay in front of it does.
"""

from __future__ import annotations

import ssl
import sys
from collections.abc import Generator
from contextlib import contextmanager
from select import select
from socket import create_connection, socket
from socketserver import BaseRequestHandler, ThreadingTCPServer
from threading import Thread
from urllib.parse import urlsplit

from srpcore.protocol import Operation
from srpcore_transports.local import LocalUserPool


class _Relay(ThreadingTCPServer):
    daemon_threads = True
    block_on_close = False

    def handle_error(self, request: object, client_address: object) -> None:
        """Print nothing: the clients close connections."""


@contextmanager
def relay(url: str, context: ssl.SSLContext) -> Generator[str]:
    """Relay to the server at *url*, and yield the URL with ``https`` at which it can be reached."""
    target = urlsplit(url)

    class Handler(BaseRequestHandler):
        def handle(self) -> None:
            # The handshake is made here, in the thread of the connection.
            with (
                context.wrap_socket(self.request, server_side=True) as client,
                create_connection((target.hostname or "", target.port or 80)) as server,
            ):
                while _copy(client, server):
                    pass

    with _Relay(("127.0.0.1", 0), Handler) as front:
        Thread(target=front.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        try:
            yield f"https://localhost:{front.server_address[1]}"
        finally:
            front.shutdown()


def _copy(client: ssl.SSLSocket, server: socket) -> bool:
    """Copy what has arrived from either side to the other. Return whether both sides are still open."""
    # What OpenSSL has read already does not make the socket readable.
    readable = [client] if client.pending() else select([client, server], [], [])[0]
    for source, target in ((client, server), (server, client)):
        if source in readable:
            data = source.recv(65536)
            if not data:
                return False
            target.sendall(data)
    return True


def main(file: str, password: str) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    issuer = "https://cognito-idp.eu-west-1.amazonaws.com"
    with (
        LocalUserPool(region="eu-west-1", issuer=issuer) as pool,
        pool.serve() as server,
        relay(server.url, context) as url,
    ):
        user = {"UserPoolId": pool.user_pool_id, "Username": "alice"}
        pool.call(Operation("AdminCreateUser", {**user, "MessageAction": "SUPPRESS"}))
        pool.call(Operation("AdminSetUserPassword", {**user, "Password": password, "Permanent": True}))
        print(url, pool.user_pool_id, pool.client_id, flush=True)
        sys.stdin.read()


main(*sys.argv[1:])
