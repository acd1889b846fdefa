"""What does it cost to verify one access token, beside the peers and beside OpenSSL's verification of its signature?

    python benchmarks/verify_tokens.py [--rounds 8]

Every contestant verifies the same 16 tokens over and over. A token has about 1 kB, the key 2048 bits, and every
contestant has the parsed key at hand, in the way its documentation recommends; those that are called cold make a new
verifier from a parsed key set for each token. Every one must check the signature, ``iss``, ``exp``, ``client_id`` and
``token_use``: what it does not check itself is compared by hand, and before anything is timed each has to refuse a
token that is wrong in one of them.

The floor is ``public_key.verify()`` of ``cryptography``, with key, signature and signed bytes at hand. A peer that is
not installed is left out and named; aws-jwt-verify is looked for in the folder that SRPCORE_NODE names, else ``.node``.

Results go to the screen, to ``benchmarks/results/verify_tokens.json`` and ``.md``, and for pyperf to ``pyperf/``.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from typing import Any
from unittest import mock

import _node
import _perf
from _peers import NODE_PEER, PEERS, Contestant, Keys, Verify, floor, in_javascript, in_python
from _perf import Aim, Prepare, Results
from _rounds import chart, publish, table, versions
from _tokens import CLIENT, ISSUER, POOL, Minter
from srpcore import ConfigurationError, TokenVerifier
from srpcore.tokens import KeySet, parse, parse_key_set, rsa, verify, verify_rs256

FLOOR, OURS, CACHED = "floor", "srpcore", "srpcore, remembered"
COLD, PYJWT_COLD = "srpcore, cold", "PyJWT, cold"
TOKENS = 16


@dataclass(frozen=True)
class Data:
    """What the workers get: the same keys and tokens for all."""

    jwk: dict[str, str]
    jwks: dict[str, Any]
    tokens: list[str]


def srpcore_verifier(keys: Keys, cache_size: int = 0) -> Verify:
    verifier = TokenVerifier(POOL, client_id=CLIENT, token_use="access", cache_size=cache_size)
    verifier.load_jwks(keys.jwks)
    return verifier.verify


def cold(make: Callable[[Keys], Verify], keys: Keys) -> Verify:
    return lambda token: make(keys)(token)


def srpcore_function(keys: KeySet) -> Verify:
    policy = partial(verify, keys=keys, issuers=ISSUER, client_id=CLIENT, token_use="access")
    return lambda token: policy(token, now=time.time())


def engines(token: str, keys: KeySet) -> Iterator[str]:
    """Yield the engines that are installed, except the default."""
    jws = parse(token)
    for engine in rsa.ENGINES:
        try:
            verify_rs256(keys.key(jws.kid), jws.signing_input, jws.signature, engine=engine)
        except ConfigurationError:
            continue
        if engine != rsa.default_engine():
            yield engine


def on_engine(engine: str, keys: Keys, token: str) -> Verify:
    """Return a verifier that was made to use *engine*: it chooses at a key's first token, and stays with it."""
    verify_token = srpcore_verifier(keys)
    with mock.patch.object(rsa, "default_engine", return_value=engine):
        verify_token(token)
    return verify_token


def makers(data: Data) -> dict[str, Callable[[], Contestant]]:
    """Return what makes each contestant, the absent peers left out."""
    keys = parse_key_set(data.jwks)

    def python(make: Callable[[], Verify], remark: str) -> Callable[[], Contestant]:
        return lambda: in_python(make(), data.tokens, remark)

    default = rsa.default_engine()
    found: dict[str, Callable[[], Contestant]] = {
        FLOOR: partial(floor, data, data.tokens),
        OURS: python(partial(srpcore_verifier, data), f"TokenVerifier; the engine is {default}"),
        CACHED: python(partial(srpcore_verifier, data, len(data.tokens)), "TokenVerifier that has seen every token"),
        COLD: python(partial(cold, srpcore_verifier, data), "a new TokenVerifier, and load_jwks(), for each token"),
        "srpcore.tokens.verify": python(partial(srpcore_function, keys), "the function, with a KeySet"),
    }
    for engine in engines(data.tokens[0], keys):
        made = partial(on_engine, engine, data, data.tokens[0])
        found[f"srpcore on {engine}"] = python(made, f"TokenVerifier; the engine is {engine}")
    for name, (module, make, remark) in PEERS.items():
        if find_spec(module) is not None:
            found[name] = python(partial(make, data), remark)
    found[PYJWT_COLD] = python(partial(cold, PEERS["PyJWT"][1], data), "a new PyJWK for each token")
    return found | ({NODE_PEER: partial(in_javascript, data, data.tokens)} if _node.installed(NODE_PEER) else {})


def contestants(data: Any) -> Mapping[str, Prepare]:
    made = makers(Data(**data))
    return {name: partial(_time_function, maker) for name, maker in made.items()}


def _time_function(maker: Callable[[], Contestant]) -> _perf.TimeFunction:
    return maker().seconds


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


def aims(results: Results) -> list[Aim]:
    return [
        Aim("whole verification / floor", _perf.ratio(results, OURS, FLOOR), at_most=1.5),
        Aim("token that was verified before / floor", _perf.ratio(results, CACHED, FLOOR), at_most=0.3),
    ]


def standing(results: Results) -> str:
    """Return the peers that srpcore is ahead of, and those that it is behind."""
    peers = [name for name in results if name not in (FLOOR, PYJWT_COLD) and not name.startswith(OURS)]
    ahead = [name for name in peers if _perf.ratio(results, OURS, name) < 1]
    behind = [name for name in peers if name not in ahead]
    return f"- Ahead of {', '.join(ahead) or 'nobody'}" + (f"; BEHIND {', '.join(behind)}" if behind else "")


def as_rows(results: Results, remarks: Mapping[str, str]) -> list[dict[str, Any]]:
    return [
        {
            "name": name,
            "median_us": round(_perf.median(results, name) * 1e6, 2),
            "fastest_us": round(_perf.fastest(results, name) * 1e6, 2),
            "ratio_to_floor": round(_perf.ratio(results, name, FLOOR), 2),
            "remark": remarks[name],
        }
        for name in results
    ]


def as_markdown(rows: list[dict[str, Any]], found: list[Aim], last: list[str], rounds: int, size: int) -> list[str]:
    columns = ("name", "median_us", "fastest_us", "ratio_to_floor")
    heads = ("", "median, µs", "fastest, µs", "ratio to the floor")
    return [
        "# Verifying one access token",
        "",
        f"Medians of {rounds} rounds in one run, taken in turn; a token of {size} characters, a key of 2048 bits.",
        "Processor time; Node.js by the clock. Ratios are medians of those within a round. All except the floor check",
        "the signature, `iss`, `exp`, `client_id` and `token_use`, and have refused a token for each.",
        "Made by `python benchmarks/verify_tokens.py`.",
        "",
        *table(heads, ([row[column] for column in columns] for row in rows)),
        *chart({row["name"]: row["median_us"] for row in rows}, "µs"),
        *(f"- {row['name']}: {row['remark']}." for row in rows),
        "",
        *_perf.aims_as_markdown(found)[:-1],
        *last,
        "",
    ]


def main() -> int:
    if _perf.is_worker():
        _perf.work(contestants, inner_loops=TOKENS)
        return 0
    chosen = _perf.options("Measure the verification of an access token.", rounds=8)
    minter = Minter()
    data = Data(minter.jwk, minter.jwks, [minter.token() for _ in range(TOKENS)])
    made = {name: maker() for name, maker in makers(data).items()}
    must_judge_alike(made, minter)
    results = _perf.measure(__file__, made, chosen, data=vars(data))
    rows = as_rows(results, {name: contestant.remark for name, contestant in made.items()})
    absent = [name for name in (*PEERS, NODE_PEER) if name not in made]
    last = [standing(results), *(f"- {name}: not installed here, left out." for name in absent)]
    found, used = aims(results), versions("cryptography", "PyJWT", "joserfc", "Authlib", "python-jose", "pycognito")
    _perf.save(chosen.results, "verify_tokens", results)
    lines = as_markdown(rows, found, last, chosen.rounds, len(data.tokens[0]))
    facts = {"rounds": chosen.rounds, "machine": _perf.machine(results), "results": rows, "absent": absent}
    publish(chosen.results, "verify_tokens", lines, used, **facts, aims=[aim.as_dict() for aim in found])
    return 0


if __name__ == "__main__":
    sys.exit(main())
