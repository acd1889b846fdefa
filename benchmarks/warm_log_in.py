"""How long does a login take in a process that has logged in before, as a function in AWS Lambda does for each event?

    python benchmarks/warm_log_in.py [--rounds 8]

A user pool is served over TLS by another process on this machine. Each login verifies both tokens, with a key set that
is fetched:

- one transport for all logins, at the module level, with an open connection;
- a new ``Cognito()`` with a new transport, so with a new connection, for each login;
- the same, and the CA bundle is read again each time, as it would be without the SSL contexts that transports share.

The CA bundle is that of the system, with the authority of the pool's certificate added to it. The processor time
of the client is measured. Results go to the screen, to ``benchmarks/results/warm_log_in.json`` and ``.md``, and for
pyperf to ``pyperf/``.
"""

from __future__ import annotations

import argparse
import os
import ssl
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import trustme

import _perf
from _perf import Aim, Prepare, Results, processor_time
from _rounds import chart, publish, table, versions
from srpcore import Cognito
from srpcore_transports import tls
from srpcore_transports.https import HttpsTransport

PASSWORD = "Correct-Horse-1"
SHARED, OWN, READ_AGAIN = "one transport", "a new transport each", "a new transport and SSL context each"
AIM = 2.0

SERVER = str(Path(__file__).with_name("_tls_pool.py"))


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
            [sys.executable, SERVER, str(server_file), PASSWORD],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        with server:
            assert server.stdout is not None
            url, pool, client = server.stdout.readline().split()
            yield url, pool, client, str(bundle)


def ways_to_log_in(url: str, pool: str, client: str, bundle: str) -> dict[str, Callable[[], None]]:
    """Return the login of each contestant."""

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
    return {SHARED: lambda: log_in(shared), OWN: with_own_transport, READ_AGAIN: with_own_context}


def contestants(data: list[str]) -> Mapping[str, Prepare]:
    url, pool, client, bundle = data
    ways = ways_to_log_in(url, pool, client, bundle)
    return {name: partial(processor_time, log_in) for name, log_in in ways.items()}


def run_all(chosen: argparse.Namespace) -> tuple[Results, int]:
    """Return the results, and how many authorities the bundle has."""
    with serving() as served:
        results = _perf.measure(__file__, (SHARED, OWN, READ_AGAIN), chosen, data=served)
        authorities = Path(served[-1]).read_bytes().count(b"BEGIN CERTIFICATE")
    return results, authorities


def main() -> int:
    os.environ.pop("COGNITO_JWKS", None)
    if _perf.is_worker():
        _perf.work(contestants)
        return 0
    chosen = _perf.options("Measure a login of a process that has logged in before.", rounds=8)
    results, authorities = run_all(chosen)
    rows: list[dict[str, Any]] = [
        {
            "name": name,
            "processor_ms": round(_perf.median(results, name) * 1000, 2),
            "ratio": round(_perf.ratio(results, name, SHARED), 2),
        }
        for name in results
    ]
    found = [Aim("new transport for each login / one for all", _perf.ratio(results, OWN, SHARED), at_most=AIM)]
    lines = [
        "# A login of a process that has logged in before",
        "",
        f"Medians of {chosen.rounds} rounds in one run, taken in turn; processor time of the client.",
        f"The CA bundle has {authorities} certificates. Made by `python benchmarks/warm_log_in.py`.",
        "",
        *table(("", "time, ms", "of one transport"), (row.values() for row in rows)),
        *chart({row["name"]: row["processor_ms"] for row in rows}, "ms"),
        *_perf.aims_as_markdown(found),
    ]
    _perf.save(chosen.results, "warm_log_in", results)
    facts = {"rounds": chosen.rounds, "machine": _perf.machine(results), "results": rows, "authorities": authorities}
    publish(chosen.results, "warm_log_in", lines, versions(), **facts, aims=[aim.as_dict() for aim in found])
    return 0


if __name__ == "__main__":
    sys.exit(main())
