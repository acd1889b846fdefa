"""How long does a new process take from its first import to its first verified token?

    python benchmarks/cold_start.py [--rounds 20]

In one round each contestant in turn is started as a process of its own, given an access token and the key set: as a
file, or as the URL of a server on this machine. It verifies the token's signature, ``iss``, ``exp``, ``client_id`` and
``token_use``, and tells what it took from just before its first import: by the clock, and of the processor. Beside
that stands what the whole process took of the processor, the interpreter's own start and end included; a process that
imports nothing is the floor. What Python compiles is there from the rounds that warm up, for everybody.

Results go to the screen, and to ``benchmarks/results/cold_start.json`` and ``.md``.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.util import find_spec
from pathlib import Path
from threading import Thread
from typing import Any

from _rounds import Times, chart, measure, options, publish, ratio, table, versions
from _tokens import CLIENT, ISSUER, POOL, Minter

BEFORE = "from time import perf_counter, process_time; start = perf_counter(), process_time(); import sys\n"
AFTER = "\nprint(perf_counter() - start[0], process_time() - start[1])"
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


class Program:
    """Runs one program in a new process each time, and keeps what each run took of the processor."""

    def __init__(self, source: str, arguments: list[str]) -> None:
        self._command = [sys.executable, "-c", BEFORE + source + AFTER, *arguments]
        # What is compiled must be kept: an installed program has it.
        self._environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        self.own: list[float] = []
        self.whole: list[float] = []

    def run(self) -> float:
        """Return the seconds by the clock from the first import to the verified token."""
        with subprocess.Popen(self._command, stdout=subprocess.PIPE, text=True, env=self._environment) as process:
            assert process.stdout is not None
            words = process.stdout.read().split()
            _, status, used = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            raise SystemExit(f"a contestant failed: {self._command[2]}")
        self.own.append(float(words[1]))
        self.whole.append(used.ru_utime + used.ru_stime)
        return float(words[0])


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


def run_all(rounds: int) -> tuple[Times, Times, Times]:
    """Return the times by the clock, of the processor, and of the processor for whole processes."""
    minter = Minter()
    document = json.dumps(minter.jwks).encode()
    with tempfile.TemporaryDirectory() as folder, serving(document) as url:
        file = Path(folder) / "jwks.json"
        file.write_bytes(document)
        arguments = [minter.token(), str(file), url]
        there = {name: source for name, (module, source) in PROGRAMS.items() if find_spec(module) is not None}
        programs = {name: Program(source, arguments) for name, source in there.items()}
        clock = measure({name: program.run for name, program in programs.items()}, rounds, warm_up=min(2, rounds))
    # The rounds that warm up are not counted.
    own = {name: program.own[-rounds:] for name, program in programs.items()}
    whole = {name: program.whole[-rounds:] for name, program in programs.items()}
    return clock, own, whole


def as_rows(clock: Times, own: Times, whole: Times) -> list[dict[str, Any]]:
    columns = {"clock_ms": clock, "processor_ms": own, "whole_process_processor_ms": whole}
    return [
        {"name": name} | {column: round(statistics.median(times[name]) * 1000, 1) for column, times in columns.items()}
        for name in clock
    ]


def verdicts(clock: Times, own: Times) -> list[str]:
    lines: list[str] = []
    for pair in PAIRS:
        ours, theirs = f"srpcore, {pair}", f"PyJWT, {pair}"
        by_clock, of_processor = ratio(clock, ours, theirs), ratio(own, ours, theirs)
        missed = "" if max(by_clock, of_processor) <= 0.5 else ", MISSED"
        lines.append(f"- {pair}: {by_clock:.2f} of PyJWT's by the clock, {of_processor:.2f} of the processor{missed}")
    return lines


def as_markdown(rows: list[dict[str, Any]], aims: list[str], absent: list[str], rounds: int) -> list[str]:
    heads = ("", "by the clock, ms", "of the processor, ms", "of the processor, whole process, ms")
    return [
        "# From the first import to the first verified token",
        "",
        f"Medians of {rounds} rounds in one run, taken in turn, a new process each. The last column has the",
        "interpreter's own start and end in it. Made by `python benchmarks/cold_start.py`.",
        "",
        *table(heads, (row.values() for row in rows)),
        *chart({row["name"]: row["processor_ms"] for row in rows}, "ms of the processor"),
        *(f"- {name}: not installed here, left out." for name in absent),
        "",
        "Aimed at: at most 0.5 of PyJWT's.",
        "",
        *aims,
        "",
    ]


def main() -> int:
    chosen = options("Time the first verification of a new process.", rounds=20)
    clock, own, whole = run_all(chosen.rounds)
    rows, aims, absent = (
        as_rows(clock, own, whole),
        verdicts(clock, own),
        [name for name in PROGRAMS if name not in clock],
    )
    lines = as_markdown(rows, aims, absent, chosen.rounds)
    used = versions("cryptography", "PyJWT", "joserfc", "pycognito")
    publish(chosen.results, "cold_start", lines, used, rounds=chosen.rounds, results=rows, aims=aims, absent=absent)
    return 0


if __name__ == "__main__":
    sys.exit(main())
