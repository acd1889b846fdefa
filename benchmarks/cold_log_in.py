"""How long does a new process take to log in over TLS, and how much memory?

    python benchmarks/cold_log_in.py [--rounds 8]

Each contestant is started as a process of its own, which logs in once by SRP, and verifies the tokens with a key set
that it fetches. A user pool is served over TLS by another process on this machine. The CA bundle is that of the system,
with the authority of the pool's certificate added to it. The contestants:

- the floor: a program written by hand on the standard library (``_cold_floor.py``), which verifies and checks nothing;
- srpcore, to another endpoint than AWS's: it loads the whole CA bundle, as the floor does;
- srpcore, to AWS: of the bundle it loads only the authorities of the endpoint's certificates;
- pycognito. Its key set is in the environment, because it can fetch one from AWS only.

The processor time of the whole process is measured, with the start and the end of the interpreter. The memory is the
most that the process ever had resident, the median of three runs. What Python compiles is there from the warm-up.

Results go to the screen, to ``benchmarks/results/cold_log_in.json`` and ``.md``, and for pyperf to ``pyperf/``.
"""

from __future__ import annotations

import argparse
import os
import ssl
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from functools import partial
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import trustme

import _perf
from _perf import Aim, Prepare, Results
from _rounds import chart, publish, table, versions
from srpcore.crypto.groups import MODP_3072
from warm_log_in import PASSWORD, SERVER

FLOOR, PYCOGNITO = "floor", "pycognito"
OURS, TO_AWS = "srpcore, to another endpoint", "srpcore, to AWS"

# On Linux the peak that getrusage() reports is at least that of the process that started this one.
AFTER = """
if sys.platform == "linux":
    with open("/proc/self/status") as file:
        print(next(int(line.split()[1]) for line in file if line.startswith("VmHWM")))
else:
    import resource
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
"""
# sys.argv: the endpoint, the pool, the app client, the user, the password, N, the fingerprint of the authority.
SRPCORE = """
import sys
from srpcore import Cognito
Cognito(*sys.argv[2:4], username=sys.argv[4], endpoint_url=sys.argv[1]).authenticate(sys.argv[5])
"""
OF_THE_ENDPOINT = f"""
import sys
from srpcore_transports import trust_anchors
trust_anchors._OTHER_HOSTS["localhost"] = frozenset([sys.argv[7]])
{SRPCORE}"""
OF_PYCOGNITO = """
import sys
from pycognito import Cognito
user = Cognito(*sys.argv[2:4], username=sys.argv[4], access_key="unused", secret_key="unused",
    user_pool_region="eu-west-1")
user.authenticate(sys.argv[5])
"""
FLOOR_PROGRAM = Path(__file__).with_name("_cold_floor.py").read_text("utf-8")

# By name: the module that must be there, and the source.
PROGRAMS = {
    FLOOR: ("sys", FLOOR_PROGRAM),
    OURS: ("srpcore", SRPCORE),
    TO_AWS: ("srpcore", OF_THE_ENDPOINT),
    PYCOGNITO: ("pycognito", OF_PYCOGNITO),
}


def installed() -> dict[str, str]:
    return {name: source for name, (module, source) in PROGRAMS.items() if find_spec(module) is not None}


def run(name: str, arguments: list[str], environment: dict[str, str]) -> tuple[float, int]:
    """Run a program in a new process. Return its processor time in seconds, and its peak memory in KiB."""
    # What is compiled must be kept: an installed program has it.
    kept = {key: value for key, value in os.environ.items() if key not in ("PYTHONDONTWRITEBYTECODE", "COGNITO_JWKS")}
    added = environment if name == PYCOGNITO else {"AWS_CA_BUNDLE": environment["AWS_CA_BUNDLE"]}
    command = [sys.executable, "-c", installed()[name] + AFTER, *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=kept | added) as process:
        assert process.stdout is not None
        printed = process.stdout.read()
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise SystemExit(f"a contestant failed: {name}")
    return used.ru_utime + used.ru_stime, int(printed)


def contestants(data: dict[str, Any]) -> Mapping[str, Prepare]:
    return {name: partial(_time_function, name, data) for name in installed()}


def _time_function(name: str, data: dict[str, Any]) -> _perf.TimeFunction:
    return lambda loops: sum(run(name, **data)[0] for _ in range(loops))


@contextmanager
def serving() -> Generator[tuple[dict[str, Any], int]]:
    """Serve a pool. Yield what the programs need, and how many authorities the CA bundle has."""
    authority = trustme.CA()
    with tempfile.TemporaryDirectory() as folder:
        bundle, server_file = Path(folder) / "bundle.pem", Path(folder) / "server.pem"
        system = ssl.get_default_verify_paths().cafile
        bundle.write_bytes((Path(system).read_bytes() if system else b"") + b"\n" + authority.cert_pem.bytes())
        server_file.write_bytes(authority.issue_cert("localhost").private_key_and_cert_chain_pem.bytes())
        command = [sys.executable, SERVER, str(server_file), PASSWORD]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
            assert server.stdout is not None
            url, pool, client = server.stdout.readline().split()
            context = ssl.create_default_context(cafile=str(bundle))
            with urlopen(f"{url}/{pool}/.well-known/jwks.json", context=context) as response:
                keys = response.read().decode()
            fingerprint = sha256(ssl.PEM_cert_to_DER_cert(authority.cert_pem.bytes().decode())).hexdigest()
            yield (
                {
                    "arguments": [url, pool, client, "alice", PASSWORD, f"{MODP_3072.N:x}", fingerprint],
                    "environment": {
                        "AWS_CA_BUNDLE": str(bundle),
                        "AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER": url,
                        "COGNITO_JWKS": keys,
                    },
                },
                bundle.read_bytes().count(b"BEGIN CERTIFICATE"),
            )


def run_all(chosen: argparse.Namespace) -> tuple[Results, dict[str, int], int]:
    """Return the results, the peak memory of each contestant in KiB, and the number of authorities."""
    with serving() as (data, authorities):
        # One process for each value: what happens once in a process cannot be repeated in it.
        results = _perf.measure(__file__, installed(), chosen, data=data, loops=1)
        times = 1 if chosen.quick else 3
        peaks = {name: round(statistics.median(run(name, **data)[1] for _ in range(times))) for name in results}
    return results, peaks, authorities


def aims(results: Results, peaks: Mapping[str, int]) -> list[Aim]:
    found = [
        Aim("login to another endpoint / floor", _perf.ratio(results, OURS, FLOOR), at_most=1.25),
        Aim("login to AWS / floor", _perf.ratio(results, TO_AWS, FLOOR), at_most=1.0),
        Aim("peak memory of a login, MiB", peaks[OURS] / 1024, at_most=22.5),
    ]
    if PYCOGNITO in results:
        found.append(Aim("login to another endpoint / pycognito", _perf.ratio(results, OURS, PYCOGNITO), at_most=0.2))
    return found


def main() -> int:
    if _perf.is_worker():
        _perf.work(contestants)
        return 0
    chosen = _perf.options("Measure the login of a new process.", rounds=8)
    results, peaks, authorities = run_all(chosen)
    rows: list[dict[str, Any]] = [
        {
            "name": name,
            "processor_ms": round(_perf.median(results, name) * 1000, 1),
            "ratio_to_floor": round(_perf.ratio(results, name, FLOOR), 2),
            "peak_mib": round(peaks[name] / 1024, 1),
        }
        for name in results
    ]
    found, absent = aims(results, peaks), [name for name in PROGRAMS if name not in results]
    lines = [
        "# The login of a new process",
        "",
        f"Medians of {chosen.rounds} rounds in one run, taken in turn, a new process for each value; processor time of",
        f"the whole process. The CA bundle has {authorities} certificates. Made by `python benchmarks/cold_log_in.py`.",
        "",
        *table(("", "time, ms", "times the floor", "peak memory, MiB"), (row.values() for row in rows)),
        *chart({row["name"]: row["processor_ms"] for row in rows}, "ms"),
        *(f"- {name}: not installed here, left out." for name in absent),
        "",
        *_perf.aims_as_markdown(found),
    ]
    _perf.save(chosen.results, "cold_log_in", results)
    facts = {"rounds": chosen.rounds, "machine": _perf.machine(results), "results": rows, "absent": absent}
    used = versions("pycognito", "boto3", "cryptography")
    written = [aim.as_dict() for aim in found]
    publish(chosen.results, "cold_log_in", lines, used, **facts, authorities=authorities, aims=written)
    return 0


if __name__ == "__main__":
    sys.exit(main())
