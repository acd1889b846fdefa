"""Do time and memory for each item stay the same from 10 items to 1,000,000?

    python benchmarks/growth.py [--most 1000000]

- tokens: one ``TokenVerifier`` verifies so many different tokens and remembers 1000 signatures; and without remembered
  signatures, and with PyJWT's ``jwt.decode()``, up to 100,000 tokens;
- users: ``Cognito.iter_users()`` goes through so many users, from a transport that answers from memory, 60 on a page;
- keys: ``TokenVerifier.load_jwks()`` reads a key set with so many keys. More than 100 are refused, so this is the time
  of the refusal.

Each figure is from a process of its own, which does the work once. The memory is the most that the process had
resident; it includes about 35 MiB of Python, pyperf and the tokens' signer. Results go to the screen, to
``benchmarks/results/growth.json`` and ``.md``, and for pyperf to ``pyperf/``.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from functools import partial
from itertools import islice
from time import process_time
from typing import Any

import jwt

import _perf
from _fast_tokens import FastSigner
from _perf import Aim, Prepare, Results, processor_time
from _rounds import publish, table, versions
from _tokens import CLIENT, ISSUER, POOL
from srpcore import Cognito, TokenVerifier
from srpcore.client.operations import streams
from srpcore.exceptions import InvalidKey
from srpcore.protocol import Operation, Reply
from srpcore.tokens.jwks import MAX_KEYS

COUNTS = tuple(10**power for power in range(1, 7))
REMEMBERED, BATCH, PAGE = 1000, 1000, 60
TOKENS, CACHED, PYJWT = "tokens", f"tokens, {REMEMBERED} remembered", "tokens, PyJWT"
USERS, KEYS = "users", "keys"
# For each subject, the highest number of items.
SUBJECTS = {TOKENS: 10**5, CACHED: 10**6, PYJWT: 10**5, USERS: 10**6, KEYS: 10**6}
REPEATED = {10: 100, 100: 10}  # short work is repeated


def verifier(signer: FastSigner, cache_size: int) -> Callable[[str], object]:
    made = TokenVerifier(POOL, client_id=CLIENT, token_use="access", cache_size=cache_size)
    made.load_jwks(signer.jwks)
    return made.verify


def with_pyjwt(signer: FastSigner) -> Callable[[str], object]:
    key = jwt.PyJWKSet.from_dict(signer.jwks).keys[0]
    return lambda token: jwt.decode(token, key, algorithms=["RS256"], issuer=ISSUER)


def verify_all(make: Callable[[FastSigner], Callable[[str], object]], count: int) -> _perf.TimeFunction:
    """Return a time function of the verification of *count* tokens. They are signed in between, in batches."""
    signer = FastSigner()
    verify = make(signer)

    def seconds(loops: int) -> float:
        tokens, total = signer.tokens(loops * count), 0.0
        while batch := list(islice(tokens, BATCH)):
            start = process_time()
            for token in batch:
                verify(token)
            total += process_time() - start
        return total

    return seconds


class Pages:
    """A transport that answers ListUsers from memory."""

    def __init__(self, count: int) -> None:
        self._count = count
        attributes = [{"Name": "sub", "Value": "6bd2a4a8-60d2"}, {"Name": "email", "Value": "alice@example.com"}]
        self._users = [
            {"Username": f"user{number}", "Attributes": attributes, "Enabled": True, "UserStatus": "CONFIRMED"}
            for number in range(PAGE)
        ]

    def call(self, operation: Operation) -> Reply:
        start = int(operation.parameters.get("PaginationToken", "0"))
        end = min(start + PAGE, self._count)
        document: dict[str, Any] = {"Users": self._users[: end - start], "ResponseMetadata": {"HTTPStatusCode": 200}}
        return Reply(document | ({"PaginationToken": str(end)} if end < self._count else {}))

    def fetch(self, url: str) -> bytes:
        raise NotImplementedError(url)

    def close(self) -> None:
        pass


def iterate(count: int) -> None:
    # An iterator requests at most 20 pages a second, because of the quota of the service. This transport has none, and
    # a million users would take a quarter of an hour, most of it without processor time.
    streams.PAGES_PER_SECOND = math.inf
    user = Cognito(POOL, CLIENT, transport=Pages(count))
    found = sum(1 for _ in user.iter_users())
    assert found == count


def key_set(count: int) -> bytes:
    if count > MAX_KEYS:
        return b'{"keys": [' + b",".join([b'{"kid": "x"}'] * count) + b"]}"
    (jwk,) = FastSigner().jwks["keys"]
    return json.dumps({"keys": [{**jwk, "kid": f"key {number}"} for number in range(count)]}).encode()


def load_keys(document: bytes) -> None:
    with suppress(InvalidKey):
        TokenVerifier(POOL, client_id=CLIENT, token_use="access").load_jwks(document)


def prepare(subject: str, count: int) -> _perf.TimeFunction:
    if subject == USERS:
        return processor_time(partial(iterate, count))
    if subject == KEYS:
        return processor_time(partial(load_keys, key_set(count)))
    makers: dict[str, Callable[[FastSigner], Callable[[str], object]]] = {
        TOKENS: partial(verifier, cache_size=0),
        CACHED: partial(verifier, cache_size=REMEMBERED),
        PYJWT: with_pyjwt,
    }
    return verify_all(makers[subject], count)


def contestants(most: int) -> Mapping[str, Prepare]:
    return {f"{subject}, {count}": partial(prepare, subject, count) for subject, count in work(most)}


def work(most: int) -> Iterator[tuple[str, int]]:
    for subject, limit in SUBJECTS.items():
        for count in COUNTS:
            if count <= min(most, limit):
                yield subject, count


def measure(chosen: argparse.Namespace) -> Results:
    if chosen.quick:
        return _perf.measure(__file__, contestants(chosen.most), chosen, data=chosen.most)
    results: Results = {}
    chosen.rounds = 1
    for subject, count in work(chosen.most):
        name, loops = f"{subject}, {count}", REPEATED.get(count, 1)
        results |= _perf.measure(__file__, [name], chosen, data=chosen.most, values=1, loops=loops, warmups=0)
    return results


def as_rows(results: Results, most: int) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    for subject, count in work(most):
        benchmark = results[f"{subject}, {count}"]
        seconds, peak = benchmark.median(), benchmark.get_metadata()["mem_max_rss"]
        row = {"name": f"{subject}, {count}", "subject": subject, "count": count}
        rows.append(row | {"us_each": round(seconds / count * 1e6, 3), "peak_mib": round(peak / 2**20, 1)})
    return rows


def aims(rows: list[dict[str, Any]]) -> list[Aim]:
    """Return how much more memory the most items take than a thousand do: the remembered signatures are full then."""
    found: list[Aim] = []
    for subject in (TOKENS, CACHED, USERS):
        peaks = {row["count"]: row["peak_mib"] for row in rows if row["subject"] == subject}
        base = min(1000, max(peaks))
        most = max(peaks)
        what = f"peak memory, {subject}: {most:,} / {base:,} items"
        found.append(Aim(what, peaks[most] / peaks[base], at_most=1.1))
    return found


def main() -> int:
    if _perf.is_worker():
        _perf.work(contestants)
        return 0
    chosen = _perf.options("Measure the growth of time and memory.", most=10**6)
    results = measure(chosen)
    rows = as_rows(results, chosen.most)
    found, used = aims(rows), versions("PyJWT")
    lines = [
        "# From 10 items to 1,000,000",
        "",
        "Processor time for each item, and the peak of the resident memory, one process each. Key sets with more than",
        "100 keys are refused. Made by `python benchmarks/growth.py`.",
        "",
        *table(
            ("", "items", "µs for each", "peak memory, MiB"),
            ([row[column] for column in ("subject", "count", "us_each", "peak_mib")] for row in rows),
        ),
        "",
        *_perf.aims_as_markdown(found),
    ]
    _perf.save(chosen.results, "growth", results)
    facts = {"most": chosen.most, "machine": _perf.machine(results), "results": rows}
    publish(chosen.results, "growth", lines, used, **facts, aims=[aim.as_dict() for aim in found])
    return 0


if __name__ == "__main__":
    sys.exit(main())
