"""How long does a log-in take in a process that has logged in before, as a function in AWS Lambda does for each event?

    python benchmarks/warm_log_in.py [--rounds 60]

A user pool is served over TLS by another process on this machine. One round logs in once in each way, in turn; each
log-in verifies both tokens, with a key set that is fetched:

- one transport for all log-ins, at the module level, with an open connection;
- a new ``Cognito()`` with a new transport, so with a new connection, for each log-in;
- the same, and the CA bundle is read again each time, as it would be without the SSL contexts that transports share.

The CA bundle is that of the system, with the authority of the pool's certificate added to it. Results go to the screen,
and to ``benchmarks/results/warm_log_in.json`` and ``.md``.
"""

from __future__ import annotations

import os
import ssl
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import process_time
from typing import Any

import trustme

from _rounds import Timed, Times, chart, measure, options, publish, ratio, table, timed, versions
from srpcore import Cognito
from srpcore_transports import tls
from srpcore_transports.https import HttpsTransport

PASSWORD = "Correct-Horse-1"
SHARED, OWN, READ_AGAIN = "one transport", "a new transport each", "a new transport and SSL context each"
AIM = 2.0

# sys.argv: the file of the server's certificate and key, the password. Serves until its input ends.
SERVER = """
import ssl, sys
from srpcore.protocol import Operation
from srpcore_transports.local import LocalUserPool

context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(sys.argv[1])
with LocalUserPool(region="eu-west-1", issuer="https://cognito-idp.eu-west-1.amazonaws.com") as pool:
    with pool.serve() as server:
        listener = server._server.socket
        server._server.socket = context.wrap_socket(listener, server_side=True, do_handshake_on_connect=False)
        user = {"UserPoolId": pool.user_pool_id, "Username": "alice"}
        pool.call(Operation("AdminCreateUser", {**user, "MessageAction": "SUPPRESS"}))
        pool.call(Operation("AdminSetUserPassword", {**user, "Password": sys.argv[2], "Permanent": True}))
        url = server.url.replace("http://127.0.0.1", "https://localhost")
        print(url, pool.user_pool_id, pool.client_id, flush=True)
        sys.stdin.read()
"""


@contextmanager
def serving() -> Iterator[tuple[str, str, str, str]]:
    """Serve a pool, and yield its URL, its id, the id of its app client, and the path of the CA bundle to use."""
    authority = trustme.CA()
    certificate = authority.issue_cert("localhost")
    with tempfile.TemporaryDirectory() as folder:
        bundle, server_file = Path(folder) / "bundle.pem", Path(folder) / "server.pem"
        system = ssl.get_default_verify_paths().cafile
        bundle.write_bytes((Path(system).read_bytes() if system else b"") + b"\n" + authority.cert_pem.bytes())
        server_file.write_bytes(certificate.private_key_and_cert_chain_pem.bytes())
        server = subprocess.Popen(
            [sys.executable, "-c", SERVER, str(server_file), PASSWORD],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        with server:
            assert server.stdout is not None
            url, pool, client = server.stdout.readline().split()
            yield url, pool, client, str(bundle)


def ways_to_log_in(url: str, pool: str, client: str, bundle: str, used: Times) -> Iterator[tuple[str, Timed]]:
    """Yield the name of each contestant, and its log-in. What a log-in takes of the processor is added to *used*."""

    def way(name: str, log_in: Any) -> tuple[str, Timed]:
        def run() -> float:
            start = process_time()
            taken = timed(log_in)()
            used.setdefault(name, []).append(process_time() - start)
            return taken

        return name, run

    def log_in(transport: HttpsTransport) -> None:
        Cognito(pool, client, username="alice", transport=transport).authenticate(PASSWORD)

    def with_own_transport() -> None:
        with HttpsTransport("eu-west-1", url, ca_bundle=bundle) as transport:
            log_in(transport)

    def with_own_context() -> None:
        kept, tls._contexts = tls._contexts, tls._Cache()
        try:
            with_own_transport()
        finally:
            tls._contexts = kept

    shared = HttpsTransport("eu-west-1", url, ca_bundle=bundle)
    yield way(SHARED, lambda: log_in(shared))
    yield way(OWN, with_own_transport)
    yield way(READ_AGAIN, with_own_context)


def run_all(rounds: int) -> tuple[Times, Times, int]:
    """Return the times by the clock and of the processor, and how many authorities the bundle has."""
    used: Times = {}
    with serving() as (url, pool, client, bundle):
        clock = measure(dict(ways_to_log_in(url, pool, client, bundle, used)), rounds, warm_up=min(5, rounds))
        authorities = Path(bundle).read_bytes().count(b"BEGIN CERTIFICATE")
    return clock, {name: times[-rounds:] for name, times in used.items()}, authorities


def main() -> int:
    os.environ.pop("COGNITO_JWKS", None)
    chosen = options("Time a log-in of a process that has logged in before.", rounds=60)
    clock, used, authorities = run_all(chosen.rounds)
    rows: list[dict[str, Any]] = [
        {"name": name}
        | {
            column: round(statistics.median(times[name]) * 1000, 1)
            for column, times in {"clock_ms": clock, "processor_ms": used}.items()
        }
        for name in clock
    ]
    ratios = {name: ratio(used, name, SHARED) for name in (OWN, READ_AGAIN)}
    aims = [
        f"- {OWN}: {ratios[OWN]:.2f} times {SHARED}, of the processor{', MISSED' if ratios[OWN] > AIM else ''}",
        f"- {READ_AGAIN}: {ratios[READ_AGAIN]:.2f} times",
    ]
    lines = [
        "# A log-in of a process that has logged in before",
        "",
        f"Medians of {chosen.rounds} rounds in one run, taken in turn. The CA bundle has {authorities} certificates.",
        "Made by `python benchmarks/warm_log_in.py`.",
        "",
        *table(("", "by the clock, ms", "of the processor, ms"), (row.values() for row in rows)),
        *chart({row["name"]: row["processor_ms"] for row in rows}, "ms of the processor"),
        f"Aimed at: a new transport for each log-in takes at most {AIM:g} times as long as one for all.",
        "",
        *aims,
        "",
    ]
    publish(
        chosen.results,
        "warm_log_in",
        lines,
        versions(),
        rounds=chosen.rounds,
        results=rows,
        aims=aims,
        authorities=authorities,
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
