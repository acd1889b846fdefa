"""What does it cost to verify one access token, beside the peers and beside OpenSSL's verification of its signature?

    python benchmarks/verify_tokens.py [--rounds 60] [--calls 200]

In one round each contestant in turn verifies the same 64 tokens over and over, *calls* times. A token has about
1 kB, the key 2048 bits, and every contestant has the parsed key at hand, in the way its documentation recommends.
Every one must check the signature, ``iss``, ``exp``, ``client_id`` and ``token_use``: what it does not check itself is
compared by hand, and before anything is timed each has to refuse a token that is wrong in one of them.

The floor is ``public_key.verify()`` of ``cryptography``, with key, signature and signed bytes at hand. A peer that is
not installed is left out, aloud; aws-jwt-verify is looked for in the folder that SRPCORE_NODE names, else ``.node``.

Results go to the screen, and to ``benchmarks/results/verify_tokens.json`` and ``.md``.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Iterator
from functools import partial
from typing import Any
from unittest import mock

from _peers import NODE_PEER, PEERS, Contestant, Verify, floor, in_python, node_peer
from _rounds import Times, chart, measure, options, publish, ratio, table, versions
from _tokens import CLIENT, ISSUER, POOL, Minter
from srpcore import ConfigurationError, TokenVerifier
from srpcore.tokens import KeySet, parse, parse_key_set, rsa, verify, verify_rs256

FLOOR, OURS, CACHED = "floor", "srpcore", "srpcore, with the cache of verdicts"


def srpcore_verifier(minter: Minter, cache_size: int = 0) -> Verify:
    verifier = TokenVerifier(POOL, client_id=CLIENT, token_use="access", cache_size=cache_size)
    verifier.load_jwks(minter.jwks)
    return verifier.verify


def srpcore_function(keys: KeySet) -> Verify:
    demands = partial(verify, keys=keys, issuers=ISSUER, client_id=CLIENT, token_use="access")
    return lambda token: demands(token, now=time.time())


def srpcore_engines(token: str, keys: KeySet) -> Iterator[str]:
    jws = parse(token)
    for engine in rsa.ENGINES:
        try:
            verify_rs256(keys.key(jws.kid), jws.signing_input, jws.signature, engine=engine)
        except ConfigurationError:
            continue
        yield engine


def on_engine(engine: str, minter: Minter, token: str) -> Verify:
    """Return a verifier that was made to use *engine*: it chooses at a key's first token, and stays with it."""
    verify = srpcore_verifier(minter)
    with mock.patch.object(rsa, "default_engine", return_value=engine):
        verify(token)
    return verify


def python_contestants(minter: Minter, tokens: list[str]) -> Iterator[tuple[str, Contestant | None]]:
    keys = parse_key_set(minter.jwks)
    yield FLOOR, floor(minter, tokens)
    default = rsa.default_engine()
    yield OURS, in_python(srpcore_verifier(minter), tokens, f"TokenVerifier; the engine is {default}")
    yield CACHED, in_python(srpcore_verifier(minter, len(tokens)), tokens, "TokenVerifier that has seen every token")
    yield "srpcore.tokens.verify", in_python(srpcore_function(keys), tokens, "the function, with a KeySet")
    for engine in srpcore_engines(tokens[0], keys):
        if engine != default:
            verify_on_engine = on_engine(engine, minter, tokens[0])
            yield f"srpcore on {engine}", in_python(verify_on_engine, tokens, f"TokenVerifier; the engine is {engine}")
    for name, (make, remark) in PEERS.items():
        try:
            yield name, in_python(make(minter), tokens, remark)
        except ImportError:
            yield name, None


def must_judge_alike(contestants: dict[str, Contestant], minter: Minter) -> None:
    """Stop if a contestant refuses a good token, or accepts one that is wrong in what all must check."""
    good = minter.token()
    wrong = {
        "signature": good[:-100] + ("A" if good[-100] != "A" else "B") + good[-99:],
        "iss": minter.token(iss=f"{ISSUER}x"),
        "exp": minter.token(exp=int(time.time()) - 10),
        "client_id": minter.token(client_id="another"),
        "token_use": minter.token(token_use="id"),
    }
    for name, contestant in contestants.items():
        if not contestant.accepts(good):
            sys.exit(f"{name} refuses a good token")
        for what, token in wrong.items():
            if (what == "signature" or name != FLOOR) and contestant.accepts(token):
                sys.exit(f"{name} accepts a token whose {what} is wrong: it does less than the others")


def verdicts(times: Times) -> list[str]:
    """Return what was aimed at, and whether it is so in this run."""
    peers = [name for name in times if name != FLOOR and not name.startswith(OURS)]
    alone, cached = ratio(times, OURS, FLOOR), ratio(times, CACHED, FLOOR)
    ahead = [name for name in peers if ratio(times, OURS, name) < 1]
    behind = [name for name in peers if name not in ahead]
    return [
        f"- Every token verified whole, at most 1.5 of the floor: {alone:.2f}{'' if alone <= 1.5 else ', MISSED'}",
        f"- A token verified before, at most 0.3 of the floor: {cached:.2f}{'' if cached <= 0.3 else ', MISSED'}",
        f"- Ahead of {', '.join(ahead) or 'nobody'}" + (f"; BEHIND {', '.join(behind)}" if behind else ""),
    ]


def as_rows(times: Times, contestants: dict[str, Contestant], calls: int) -> list[dict[str, Any]]:
    return [
        {
            "name": name,
            "median_us": round(statistics.median(taken) / calls * 1e6, 2),
            "fastest_us": round(min(taken) / calls * 1e6, 2),
            "ratio_to_floor": round(ratio(times, name, FLOOR), 2),
            "remark": contestants[name].remark,
        }
        for name, taken in times.items()
    ]


def as_markdown(rows: list[dict[str, Any]], aims: list[str], absent: list[str], rounds: int, size: int) -> list[str]:
    columns = ("name", "median_us", "fastest_us", "ratio_to_floor")
    heads = ("", "median, µs", "fastest, µs", "ratio to the floor")
    return [
        "# Verifying one access token",
        "",
        f"Medians of {rounds} rounds in one run, taken in turn; a token of {size} characters, a key of 2048 bits.",
        "Ratios are medians of those within a round. Made by `python benchmarks/verify_tokens.py`. Everyone but the",
        "floor checks the signature, `iss`, `exp`, `client_id` and `token_use`, and has refused a token for each.",
        "",
        *table(heads, ([row[column] for column in columns] for row in rows)),
        *chart({row["name"]: row["median_us"] for row in rows}, "µs"),
        *(f"- {row['name']}: {row['remark']}." for row in rows),
        *(f"- {name}: not installed here, left out." for name in absent),
        "",
        "Aimed at:",
        "",
        *aims,
        "",
    ]


def main() -> int:
    chosen = options("Time the verification of an access token.", rounds=60, calls=200)
    minter = Minter()
    tokens = [minter.token() for _ in range(64)]
    with node_peer(minter, tokens) as node:
        everybody = dict([*python_contestants(minter, tokens), (NODE_PEER, node)])
        contestants = {name: contestant for name, contestant in everybody.items() if contestant is not None}
        must_judge_alike(contestants, minter)
        # Ten rounds to warm up: node compiles what is called often.
        timed_calls = {name: contestant.calls(chosen.calls) for name, contestant in contestants.items()}
        times = measure(timed_calls, chosen.rounds, warm_up=min(10, chosen.rounds))
    rows, absent = as_rows(times, contestants, chosen.calls), [name for name in everybody if name not in contestants]
    aims = verdicts(times)
    used = versions("cryptography", "PyJWT", "joserfc", "Authlib", "python-jose", "pycognito")
    lines = as_markdown(rows, aims, absent, chosen.rounds, len(tokens[0]))
    facts = {"rounds": chosen.rounds, "calls": chosen.calls, "results": rows, "aims": aims, "absent": absent}
    publish(chosen.results, "verify_tokens", lines, used, **facts)
    return 0


if __name__ == "__main__":
    sys.exit(main())
