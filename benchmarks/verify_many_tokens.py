"""Does a verifier's memory stay the same however many different tokens it sees?

    python benchmarks/verify_many_tokens.py [--tokens 100000]

All tokens are good and differ; they are made beforehand, into a file. Each contestant is a process of its own that
verifies them one after the other: ``TokenVerifier`` without the cache of verdicts and with one of 1000, and PyJWT.
After a tenth of the tokens and after all it tells how many blocks of memory Python has in use
(``sys.getallocatedblocks()``, which is exact) and the most that the process ever had resident.

Results go to the screen, and to ``benchmarks/results/verify_many_tokens.json`` and ``.md``.
"""

from __future__ import annotations

import gc
import json
import resource
import subprocess
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import jwt

from _rounds import options, publish, table, versions
from _tokens import CLIENT, ISSUER, POOL, Minter
from srpcore import TokenVerifier

CACHE = 1000
HEADS = {
    "name": "",
    "blocks_after_a_tenth": "blocks after a tenth",
    "blocks_after_all": "blocks after all",
    "blocks_per_token": "more by a token",
    "resident_kib_after_a_tenth": "resident after a tenth, KiB",
    "resident_kib_after_all": "resident after all, KiB",
}


def with_srpcore(jwks: dict[str, Any], cache_size: int) -> Callable[[str], object]:
    verifier = TokenVerifier(POOL, client_id=CLIENT, token_use="access", cache_size=cache_size)
    verifier.load_jwks(jwks)
    return verifier.verify


def with_pyjwt(jwks: dict[str, Any]) -> Callable[[str], object]:
    key = jwt.PyJWKSet.from_dict(jwks).keys[1]
    return lambda token: jwt.decode(token, key, algorithms=["RS256"], issuer=ISSUER)


CONTESTANTS: dict[str, Callable[[dict[str, Any]], Callable[[str], object]]] = {
    "srpcore": partial(with_srpcore, cache_size=0),
    f"srpcore, with a cache of {CACHE} verdicts": partial(with_srpcore, cache_size=CACHE),
    "PyJWT": with_pyjwt,
}


def verify_all(name: str, jwks: dict[str, Any], tokens: Path, count: int) -> dict[str, Any]:
    """Verify the tokens in the file, one a line, and return what was in use after a tenth of them and after all."""
    verify = CONTESTANTS[name](jwks)
    with tokens.open("rb") as lines:
        for line in islice(lines, count // 10):
            verify(line.decode("ascii").strip())
        early = _in_use()
        for line in lines:
            verify(line.decode("ascii").strip())
        late = _in_use()
    return {
        "name": name,
        "blocks_after_a_tenth": early[0],
        "blocks_after_all": late[0],
        "blocks_per_token": round((late[0] - early[0]) / (count - count // 10), 3),
        "resident_kib_after_a_tenth": early[1],
        "resident_kib_after_all": late[1],
    }


def _in_use() -> tuple[int, int]:
    gc.collect()
    kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // (1024 if sys.platform == "darwin" else 1)
    return sys.getallocatedblocks(), kib


def mint(minter: Minter, path: Path, count: int) -> None:
    with path.open("w", encoding="ascii") as file:
        for _ in range(count):
            print(minter.token(), file=file)


def in_own_process(name: str, jwks: dict[str, Any], tokens: Path, count: int) -> dict[str, Any]:
    request = json.dumps({"name": name, "jwks": jwks, "tokens": str(tokens), "count": count})
    command = [sys.executable, __file__, "--one"]
    done = subprocess.run(command, input=request, stdout=subprocess.PIPE, text=True, check=True)
    row: dict[str, Any] = json.loads(done.stdout)
    return row


def main() -> int:
    if sys.argv[1:] == ["--one"]:
        given = json.load(sys.stdin)
        print(json.dumps(verify_all(given["name"], given["jwks"], Path(given["tokens"]), given["count"])))
        return 0
    chosen = options("Watch the memory of a verifier over many tokens.", tokens=100_000)
    minter = Minter()
    with tempfile.TemporaryDirectory() as folder:
        tokens = Path(folder) / "tokens"
        mint(minter, tokens, chosen.tokens)
        rows = [in_own_process(name, minter.jwks, tokens, chosen.tokens) for name in CONTESTANTS]
    lines = [
        "# Memory over many different tokens",
        "",
        f"{chosen.tokens} good tokens of about 1 kB, each verified once. Blocks are those that Python has in use;",
        "resident is the most there ever was. Made by `python benchmarks/verify_many_tokens.py`.",
        "",
        *table(HEADS.values(), ([row[column] for column in HEADS] for row in rows)),
        "",
    ]
    used = versions("cryptography", "PyJWT")
    publish(chosen.results, "verify_many_tokens", lines, used, tokens=chosen.tokens, results=rows)
    return 0


if __name__ == "__main__":
    sys.exit(main())
