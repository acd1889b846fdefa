"""How long does a new process take from its first import to its first verified token, and how much memory?

    python benchmarks/cold_start.py [--rounds 8]

Each contestant is started as a process of its own, and given an access token and the key set: as a file, or as the URL
of a server on this machine. It verifies the token's signature, ``iss``, ``exp``, ``client_id`` and ``token_use``, and
prints the processor time since just before its first import. The memory is the most that the process ever had resident,
the median of three runs. What Python compiles is there from the warm-up, for all contestants.

Results go to the screen, to ``benchmarks/results/cold_start.json`` and ``.md``, and for pyperf to ``pyperf/``.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.util import find_spec
from pathlib import Path
from threading import Thread
from typing import Any

import _perf
from _perf import Aim, Prepare, Results
from _rounds import chart, publish, table, versions
from _tokens import CLIENT, ISSUER, POOL, Minter

BEFORE = "from time import process_time; start = process_time(); import sys\n"
# On Linux the peak that getrusage() reports is at least that of the process that started this one.
AFTER = """
seconds = process_time() - start
if sys.platform == "linux":
    with open("/proc/self/status") as file:
        kib = next(int(line.split()[1]) for line in file if line.startswith("VmHWM"))
else:
    import resource
    kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
print(seconds, kib)
"""
CLAIMS = f"assert claims['client_id'] == '{CLIENT}' and claims['token_use'] == 'access'"
FLOOR = "bare Python"

# sys.argv: the token, the file of the key set, the endpoint of the server.
SRPCORE = f"""
from srpcore import TokenVerifier
verifier = TokenVerifier("{POOL}", client_id="{CLIENT}", token_use="access")
verifier.load_jwks(sys.argv[2])
verifier.verify(sys.argv[1])
"""
SRPCORE_URL = f"""
from srpcore import TokenVerifier
verifier = TokenVerifier(
    "{POOL}", client_id="{CLIENT}", token_use="access", issuers="{ISSUER}", endpoint_url=sys.argv[3], timeout=30
)
verifier.verify(sys.argv[1])
"""
PYJWT = f"""
import json, jwt
with open(sys.argv[2]) as file:
    keys = jwt.PyJWKSet.from_dict(json.load(file))
key = keys[jwt.get_unverified_header(sys.argv[1])["kid"]]
claims = jwt.decode(sys.argv[1], key, algorithms=["RS256"], issuer="{ISSUER}", options={{"require": ["exp", "iss"]}})
{CLAIMS}
"""
PYJWT_URL = f"""
import jwt
key = jwt.PyJWKClient(sys.argv[3] + "/{POOL}/.well-known/jwks.json").get_signing_key_from_jwt(sys.argv[1])
claims = jwt.decode(sys.argv[1], key, algorithms=["RS256"], issuer="{ISSUER}", options={{"require": ["exp", "iss"]}})
{CLAIMS}
"""
JOSERFC = f"""
import json
from joserfc import jwt, jwk
with open(sys.argv[2]) as file:
    keys = jwk.KeySet.import_key_set(json.load(file))
demands = {{"iss": "{ISSUER}", "client_id": "{CLIENT}", "token_use": "access"}}
registry = jwt.JWTClaimsRegistry(
    exp={{"essential": True}}, **{{name: {{"essential": True, "value": value}} for name, value in demands.items()}}
)
registry.validate(jwt.decode(sys.argv[1], keys, algorithms=["RS256"]).claims)
"""
PYCOGNITO = f"""
import json, pycognito
user = pycognito.Cognito("{POOL}", "{CLIENT}", access_key="unused", secret_key="unused")
with open(sys.argv[2]) as file:
    user.pool_jwk = json.load(file)
claims = user.verify_token(sys.argv[1], "access_token", "access")
{CLAIMS}
"""
# By name: the module that must be there, and the program.
PROGRAMS = {
    FLOOR: ("sys", ""),
    "srpcore, keys from a file": ("srpcore", SRPCORE),
    "PyJWT, keys from a file": ("jwt", PYJWT),
    "joserfc, keys from a file": ("joserfc", JOSERFC),
    "pycognito, keys from a file": ("pycognito", PYCOGNITO),
    "srpcore, keys fetched": ("srpcore", SRPCORE_URL),
    "PyJWT, keys fetched": ("jwt", PYJWT_URL),
}
PAIRS = ("keys from a file", "keys fetched")


def run(source: str, arguments: list[str]) -> tuple[float, int]:
    """Run a program in a new process. Return its processor time since its first import, and its peak memory in KiB."""
    # What is compiled must be kept: an installed program has it.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    command = [sys.executable, "-c", BEFORE + source + AFTER, *arguments]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, env=environment, check=False)
    if done.returncode != 0:
        raise SystemExit(f"a contestant failed: {source}")
    seconds, peak = done.stdout.split()
    return float(seconds), int(peak)


def installed() -> dict[str, str]:
    return {name: source for name, (module, source) in PROGRAMS.items() if find_spec(module) is not None}


def contestants(arguments: list[str]) -> Mapping[str, Prepare]:
    return {name: partial(_time_function, source, arguments) for name, source in installed().items()}


def _time_function(source: str, arguments: list[str]) -> _perf.TimeFunction:
    return lambda loops: sum(run(source, arguments)[0] for _ in range(loops))


@contextmanager
def serving(document: bytes) -> Iterator[str]:
    """Serve *document* at every path of the URL that is yielded."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(document)))
            self.end_headers()
            self.wfile.write(document)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def run_all(chosen: argparse.Namespace) -> tuple[Results, dict[str, int]]:
    """Return the results, and the peak memory of each contestant in KiB."""
    minter = Minter()
    document = json.dumps(minter.jwks).encode()
    with tempfile.TemporaryDirectory() as folder, serving(document) as url:
        file = Path(folder) / "jwks.json"
        file.write_bytes(document)
        arguments = [minter.token(), str(file), url]
        # One process for each value: what happens once in a process cannot be repeated in it.
        results = _perf.measure(__file__, installed(), chosen, data=arguments, loops=1)
        peaks = {
            name: round(statistics.median(run(source, arguments)[1] for _ in range(1 if chosen.quick else 3)))
            for name, source in installed().items()
        }
    return results, peaks


def as_rows(results: Results, peaks: Mapping[str, int]) -> list[dict[str, Any]]:
    return [
        {
            "name": name,
            "processor_ms": round(_perf.median(results, name) * 1000, 1),
            "peak_mib": round(peaks[name] / 1024, 1),
        }
        for name in results
    ]


def aims(results: Results) -> list[Aim]:
    found: list[Aim] = []
    for pair in PAIRS:
        ours = _perf.ratio(results, f"srpcore, {pair}", f"PyJWT, {pair}")
        found.append(Aim(f"{pair}: srpcore / PyJWT", ours, at_most=0.5))
    return found


def as_markdown(rows: list[dict[str, Any]], found: list[Aim], absent: list[str], rounds: int) -> list[str]:
    return [
        "# From the first import to the first verified token",
        "",
        f"Medians of {rounds} rounds in one run, taken in turn, a new process for each value; processor time.",
        "Made by `python benchmarks/cold_start.py`.",
        "",
        *table(("", "time, ms", "peak memory, MiB"), (row.values() for row in rows)),
        *chart({row["name"]: row["processor_ms"] for row in rows}, "ms"),
        *(f"- {name}: not installed here, left out." for name in absent),
        "",
        *_perf.aims_as_markdown(found),
    ]


def main() -> int:
    if _perf.is_worker():
        _perf.work(contestants)
        return 0
    chosen = _perf.options("Measure the first verification of a new process.", rounds=8)
    results, peaks = run_all(chosen)
    rows, found = as_rows(results, peaks), aims(results)
    absent = [name for name in PROGRAMS if name not in results]
    _perf.save(chosen.results, "cold_start", results)
    lines, used = (
        as_markdown(rows, found, absent, chosen.rounds),
        versions("cryptography", "PyJWT", "joserfc", "pycognito"),
    )
    facts = {"rounds": chosen.rounds, "machine": _perf.machine(results), "results": rows, "absent": absent}
    publish(chosen.results, "cold_start", lines, used, **facts, aims=[aim.as_dict() for aim in found])
    return 0


if __name__ == "__main__":
    sys.exit(main())
