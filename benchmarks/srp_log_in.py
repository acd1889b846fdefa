"""How long does the arithmetic of an SRP login take, client and server, beside the peers and bare exponentiations?

    python benchmarks/srp_log_in.py [--rounds 8]

All in the group of 3072 bits. In Cognito's dialect each contestant does its whole client side:

- srpcore with each engine: ``client_pair()``, ``private_key()``, ``client_key()``;
- pycognito's ``AWSSRP``: ``generate_random_small_a()``, ``calculate_a()``, ``get_password_authentication_key()``;
- amazon-cognito-identity-js: ``getLargeAValue()``, ``getPasswordAuthenticationKey()``, timed within Node.js;
- the floor: ``BN_mod_exp_mont_consttime`` three times, with exponents of 256, 256 and 512 bits, numbers converted and
  Montgomery context made beforehand.

In generic SRP-6a with SHA-256, srpcore, srp and srptools do the client's side and the server's.

Results go to the screen, to ``benchmarks/results/srp_log_in.json`` and ``.md``, and for pyperf to ``pyperf/``.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import _node
import _perf
from _openssl_floor import three_exponentiations
from _perf import Aim, Prepare, Results, processor_time
from _rounds import chart, publish, table, versions
from srpcore.crypto import cognito, modexp, srp
from srpcore.crypto.groups import RFC5054_GROUPS

N, g = cognito.GROUP.N, cognito.GROUP.g
POOL, SUFFIX, USERNAME, PASSWORD, SALT = "eu-west-1_AbCd1234", "AbCd1234", "alice", "Passw0rd!", 0x7A32E3484BBF07C504D1
FLOOR, OURS, PYCOGNITO, JAVASCRIPT = "floor", "srpcore, openssl", "pycognito", "amazon-cognito-identity-js"
GENERIC, SALT_BYTES = srp.Parameters(RFC5054_GROUPS[3072]), SALT.to_bytes(10, "big")

# The contestants of generic SRP-6a, and the modules that must be installed.
SIDES = [f"{name}, {side}" for side in ("client", "server") for name in ("srpcore", "srp", "srptools")]


def server_value() -> int:
    verifier = cognito.verifier(cognito.private_key(SUFFIX + USERNAME, PASSWORD, SALT))
    return cognito.server_pair(verifier).public


# Cognito's dialect


def floor() -> Callable[[], None]:
    return three_exponentiations(N, g, server_value())


def with_srpcore(engine: str) -> Callable[[], object]:
    modexp.select(engine)
    B = server_value()

    def log_in() -> object:
        pair = cognito.client_pair()
        return cognito.client_key(pair, B, cognito.private_key(SUFFIX + USERNAME, PASSWORD, SALT))

    return log_in


def with_pycognito() -> Callable[[], object]:
    client = import_module("pycognito.aws_srp").AWSSRP(USERNAME, PASSWORD, POOL, "client id", client=object())
    B = server_value()

    def log_in() -> object:
        client.small_a_value = client.generate_random_small_a()
        client.large_a_value = client.calculate_a()
        return client.get_password_authentication_key(USERNAME, PASSWORD, B, f"{SALT:x}")

    return log_in


def in_javascript() -> _perf.TimeFunction:
    ask = _node.start("srp_log_in.cjs")
    ask(poolName=SUFFIX, username=USERNAME, password=PASSWORD, serverB=f"{server_value():x}", salt=f"{SALT:x}")
    return _node.time_function(ask, warm_up=3)


# Generic SRP-6a


def srpcore_client() -> Callable[[], object]:
    B = srp.server_pair(GENERIC.group, GENERIC.k, _verifier()).public
    return lambda: srp.Client(GENERIC, USERNAME, PASSWORD).prove(SALT_BYTES, B)


def srpcore_server() -> Callable[[], object]:
    verifier, client = _verifier(), srp.Client(GENERIC, USERNAME, PASSWORD)
    pair = srp.server_pair(GENERIC.group, GENERIC.k, verifier)
    proof = client.prove(SALT_BYTES, pair.public)

    def answer() -> object:
        # The pair that is made is not that of the proof: the client would have to make a proof for each.
        srp.server_pair(GENERIC.group, GENERIC.k, verifier)
        return srp.Server(GENERIC, USERNAME, SALT_BYTES, verifier, pair).verify(client.A, proof)

    return answer


def srp_client() -> Callable[[], object]:
    package, custom = _srp_package()
    B = _bytes(srp.server_pair(GENERIC.group, GENERIC.k, _verifier()).public)

    def log_in() -> None:
        user = package.User(USERNAME, PASSWORD, **custom)
        user.start_authentication()
        assert user.process_challenge(SALT_BYTES, B) is not None

    return log_in


def srp_server() -> Callable[[], object]:
    package, custom = _srp_package()
    verifier, A = _bytes(_verifier()), _bytes(srp.client_pair(GENERIC.group).public)

    def answer() -> None:
        server = package.Verifier(USERNAME, SALT_BYTES, verifier, A, **custom)
        assert server.get_challenge()[1] is not None
        server.verify_session(bytes(32))

    return answer


def srptools_client() -> Callable[[], object]:
    package, context = _srptools(PASSWORD)
    B = f"{srp.server_pair(GENERIC.group, GENERIC.k, _verifier()).public:x}"

    def log_in() -> object:
        session = package.SRPClientSession(context)
        assert session.public
        session.process(B, SALT_BYTES)
        return session.key_proof

    return log_in


def srptools_server() -> Callable[[], object]:
    package, context = _srptools(None)
    verifier, A = f"{_verifier():x}", f"{srp.client_pair(GENERIC.group).public:x}"

    def answer() -> object:
        session = package.SRPServerSession(context, password_verifier=verifier)
        assert session.public
        session.process(A, SALT_BYTES)
        return session.verify_proof("00" * 32)

    return answer


def _verifier() -> int:
    return GENERIC.verifier(GENERIC.private_key(USERNAME, PASSWORD, SALT_BYTES))


def _bytes(number: int) -> bytes:
    return number.to_bytes(GENERIC.group.length, "big")


def _srp_package() -> tuple[Any, dict[str, Any]]:
    package = import_module("srp")
    group = {"n_hex": f"{GENERIC.group.N:x}".encode(), "g_hex": f"{GENERIC.group.g:x}".encode()}
    return package, {"hash_alg": package.SHA256, "ng_type": package.NG_CUSTOM, **group}


def _srptools(password: str | None) -> tuple[Any, Any]:
    package, sha256 = import_module("srptools"), import_module("hashlib").sha256
    numbers = {"prime": f"{GENERIC.group.N:x}", "generator": f"{GENERIC.group.g:x}"}
    return package, package.SRPContext(USERNAME, password, **numbers, hash_func=sha256, bits_random=256)


def contestants(_data: object = None) -> Mapping[str, Prepare]:
    makers: dict[str, Callable[[], Callable[[], object]]] = {FLOOR: floor}
    makers |= {f"srpcore, {engine}": partial(with_srpcore, engine) for engine in modexp.available()}
    if find_spec("pycognito"):
        makers[PYCOGNITO] = with_pycognito
    functions = (srpcore_client, srp_client, srptools_client, srpcore_server, srp_server, srptools_server)
    makers |= {name: maker for name, maker in zip(SIDES, functions, strict=True) if find_spec(name.partition(",")[0])}
    if "openssl" not in modexp.available():
        del makers[FLOOR]
    found: dict[str, Prepare] = {name: partial(_processor_time, maker) for name, maker in makers.items()}
    return found | ({JAVASCRIPT: in_javascript} if _node.installed(JAVASCRIPT) else {})


def _processor_time(maker: Callable[[], Callable[[], object]]) -> _perf.TimeFunction:
    return processor_time(maker())


def as_rows(results: Results) -> list[dict[str, Any]]:
    def row(name: str) -> dict[str, Any]:
        times = {"median_ms": _perf.median(results, name), "fastest_ms": _perf.fastest(results, name)}
        faster = round(_perf.ratio(results, PYCOGNITO, name), 1) if PYCOGNITO in results and name not in SIDES else None
        kind = name.rpartition(", ")[2] if name in SIDES else "Cognito, client"
        milliseconds = {column: round(seconds * 1000, 3) for column, seconds in times.items()}
        return {"name": name, "kind": kind, **milliseconds, "times_faster_than_pycognito": faster}

    return [row(name) for name in results]


def aims(results: Results) -> list[Aim]:
    found: list[Aim] = []
    if FLOOR in results:
        ours = _perf.ratio(results, OURS, FLOOR)
        found.append(Aim("srpcore with OpenSSL / three bare exponentiations", ours, at_most=1.15))
    if PYCOGNITO in results and OURS in results:
        faster = _perf.ratio(results, PYCOGNITO, OURS)
        found.append(Aim("pycognito / srpcore with OpenSSL", faster, at_least=16))
    return found


def as_markdown(rows: list[dict[str, Any]], found: list[Aim], rounds: int) -> list[str]:
    dialect, generic = ([row for row in rows if (row["name"] in SIDES) is there] for there in (False, True))
    columns = ("name", "median_ms", "fastest_ms", "times_faster_than_pycognito")
    heads = ("", "median, ms", "fastest, ms", "times faster than pycognito")
    return [
        "# The arithmetic of one SRP login",
        "",
        f"Medians of {rounds} rounds in one run, taken in turn, processor time; Node.js by the clock.",
        "Made by `python benchmarks/srp_log_in.py`.",
        "",
        "The client's side, Cognito's dialect:",
        "",
        *table(heads, ([row[column] for column in columns] for row in dialect)),
        *chart({row["name"]: row["median_ms"] for row in dialect}, "ms"),
        "Generic SRP-6a, 3072 bits, SHA-256:",
        "",
        *table(heads[:3], ([row[column] for column in columns[:3]] for row in generic)),
        "",
        *_perf.aims_as_markdown(found),
    ]


def main() -> int:
    if _perf.is_worker():
        _perf.work(contestants)
        return 0
    chosen = _perf.options("Measure the arithmetic of an SRP login.", rounds=8)
    results = _perf.measure(__file__, contestants(), chosen)
    rows, found = as_rows(results), aims(results)
    used = versions("gmpy2", "pycognito", "srp", "srptools")
    if JAVASCRIPT in results:
        used[JAVASCRIPT] = _node.version(JAVASCRIPT)
    facts = {"rounds": chosen.rounds, "machine": _perf.machine(results), "results": rows}
    _perf.save(chosen.results, "srp_log_in", results)
    lines = as_markdown(rows, found, chosen.rounds)
    publish(chosen.results, "srp_log_in", lines, used, **facts, aims=[aim.as_dict() for aim in found])
    return 0


if __name__ == "__main__":
    sys.exit(main())
