"""How long do both sides of SRP take, with each engine and in each group, and how much do two threads gain?

    python benchmarks/srp_engines.py [--rounds 10] [--bits 0]

This runs ``srpcore bench``, with more rounds, and with one group only if its size is given. Results go to the screen,
to ``benchmarks/results/srp_engines.json`` and ``.md``, and for pyperf to ``pyperf/``.
"""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import _perf
from _perf import Aim
from _rounds import options, publish, table, versions


def measure(rounds: int, bits: int, output: str) -> dict[str, Any]:
    command = [sys.executable, "-m", "srpcore", "bench", "--json", f"--rounds={rounds}", f"--output={output}"]
    command += [f"--bits={bits}"] if bits else []
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(done.stderr)
    document: dict[str, Any] = json.loads(done.stdout)
    return document


def main() -> int:
    chosen = options("Run srpcore bench, and write its results down.", rounds=10, bits=0)
    raw = chosen.results / "pyperf" / "srp_engines.json"
    raw.parent.mkdir(parents=True, exist_ok=True)
    document = measure(chosen.rounds, chosen.bits, str(raw))
    _perf.scrub(raw)
    rows = [{"name": f"{row['engine']}, {row['bits']} bits", **row} for row in document["rows"]]
    cells = [[row["name"], row["client_ms"], row["server_ms"], *row["logins_per_second"].values()] for row in rows]
    cognito = {row["engine"]: row["logins_per_second"] for row in rows if row["bits"] == 3072}
    found = [
        Aim(
            "logins per second with OpenSSL in 3072 bits, two threads / one",
            rates["2"] / rates["1"],
            at_least=1.6,
        )
        for engine, rates in cognito.items()
        if engine == "openssl"
    ]
    lines = [
        "# SRP by engine and group",
        "",
        f"Medians of {chosen.rounds} rounds; client and server in processor time, logins per second by the clock.",
        "Made by `python benchmarks/srp_engines.py`.",
        "",
        *table(("", "client, ms", "server, ms", "logins/s, 1 thread", "logins/s, 2 threads"), cells),
        "",
        *_perf.aims_as_markdown(found),
    ]
    facts = {"rounds": chosen.rounds, "machine": document["machine"], "results": rows}
    used = versions("gmpy2")
    publish(chosen.results, "srp_engines", lines, used, **facts, aims=[aim.as_dict() for aim in found])
    return 0


if __name__ == "__main__":
    sys.exit(main())
