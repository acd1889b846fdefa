"""How long does a log-in's arithmetic take, beside pycognito's and beside the bare exponentiations?

    python benchmarks/srp_log_in.py [--rounds 60]

One round does each contestant's whole client side once, in turn, so that what disturbs the machine disturbs all:

- srpcore with each engine: ``client_pair()``, ``private_key()``, ``client_key()``;
- pycognito's ``AWSSRP``: ``generate_random_small_a()``, ``calculate_a()``, ``get_password_authentication_key()``;
- the floor: ``BN_mod_exp_mont_consttime`` three times, with exponents of 256, 256 and 512 bits, numbers converted and
  Montgomery context made beforehand.

Medians go to the screen, and to ``benchmarks/results/srp_log_in.json`` and ``.md``.
"""

from __future__ import annotations

import ctypes
import secrets
import statistics
import sys
from functools import partial
from importlib import import_module
from typing import Any

from _rounds import Times, Work, chart, measure, options, publish, table, timed, versions
from srpcore.crypto import cognito, modexp
from srpcore.crypto._openssl import library_file

N, g = cognito.GROUP.N, cognito.GROUP.g
POOL, SUFFIX, USERNAME, PASSWORD, SALT = "eu-west-1_AbCd1234", "AbCd1234", "alice", "Passw0rd!", 0x7A32E3484BBF07C504D1
B = cognito.server_pair(cognito.verifier(cognito.private_key(SUFFIX + USERNAME, PASSWORD, SALT))).public


def log_in_with_srpcore(engine: str) -> object:
    modexp.select(engine)
    pair = cognito.client_pair()
    return cognito.client_key(pair, B, cognito.private_key(SUFFIX + USERNAME, PASSWORD, SALT))


def pycognito_log_in() -> Work | None:
    try:
        aws_srp = import_module("pycognito.aws_srp")
    except ImportError:
        return None
    client = aws_srp.AWSSRP(USERNAME, PASSWORD, POOL, "client id", client=object())

    def log_in() -> object:
        client.small_a_value = client.generate_random_small_a()
        client.large_a_value = client.calculate_a()
        return client.get_password_authentication_key(USERNAME, PASSWORD, B, f"{SALT:x}")

    return log_in


def floor() -> Work | None:
    if "openssl" not in modexp.available():
        return None
    pointer = ctypes.c_void_p
    library = ctypes.CDLL(library_file())
    for name in ("BN_new", "BN_CTX_new", "BN_MONT_CTX_new"):
        getattr(library, name).restype = pointer
    library.BN_bin2bn.restype, library.BN_bin2bn.argtypes = pointer, [ctypes.c_char_p, ctypes.c_int, pointer]
    library.BN_MONT_CTX_set.argtypes = [pointer] * 3
    library.BN_mod_exp_mont_consttime.argtypes = [pointer] * 6
    library.BN_set_flags.argtypes = [pointer, ctypes.c_int]

    def number(value: int) -> int:
        data = value.to_bytes((value.bit_length() + 7) // 8, "big")
        return int(library.BN_bin2bn(data, len(data), None))

    def exponent(bits: int) -> int:
        made = number(secrets.randbits(bits) | 1 << (bits - 1))
        library.BN_set_flags(made, 4)  # BN_FLG_CONSTTIME
        return made

    modulus, context, montgomery = number(N), library.BN_CTX_new(), library.BN_MONT_CTX_new()
    if not library.BN_MONT_CTX_set(montgomery, modulus, context):
        raise MemoryError("libcrypto made no Montgomery context")
    result, base, server = library.BN_new(), number(g), number(B)
    work = [(base, exponent(256)), (base, exponent(256)), (server, exponent(512))]

    def exponentiate() -> None:
        for power, secret in work:
            library.BN_mod_exp_mont_consttime(result, power, secret, modulus, context, montgomery)

    return exponentiate


def contestants() -> dict[str, Work]:
    found: dict[str, Work | None] = {"floor (three BN_mod_exp_mont_consttime)": floor()}
    for engine in modexp.available():
        found[f"srpcore, {engine}"] = partial(log_in_with_srpcore, engine)
    found["pycognito"] = pycognito_log_in()
    return {name: work for name, work in found.items() if work is not None}


def as_rows(times: Times) -> list[dict[str, object]]:
    medians = {name: statistics.median(values) for name, values in times.items()}
    slowest = medians.get("pycognito", max(medians.values()))
    return [
        {
            "name": name,
            "median_ms": round(medians[name] * 1000, 3),
            "fastest_ms": round(min(values) * 1000, 3),
            "times_faster_than_pycognito": round(slowest / medians[name], 1),
        }
        for name, values in times.items()
    ]


def as_markdown(rows: list[dict[str, Any]], rounds: int) -> list[str]:
    columns = ("name", "median_ms", "fastest_ms", "times_faster_than_pycognito")
    heads = ("", "median, ms", "fastest, ms", "times faster than pycognito")
    return [
        "# The arithmetic of one SRP log-in, client side",
        "",
        f"Medians of {rounds} rounds in one run, taken in turn. Made by `python benchmarks/srp_log_in.py`.",
        "",
        *table(heads, ([row[column] for column in columns] for row in rows)),
        *chart({row["name"]: row["median_ms"] for row in rows}, "ms"),
    ]


def main() -> int:
    chosen = options("Time the arithmetic of an SRP log-in.", rounds=60)
    times = measure({name: timed(work) for name, work in contestants().items()}, chosen.rounds)
    modexp.select(None)
    rows = as_rows(times)
    lines, used = as_markdown(rows, chosen.rounds), versions("gmpy2", "pycognito")
    publish(chosen.results, "srp_log_in", lines, used, rounds=chosen.rounds, results=rows)
    return 0


if __name__ == "__main__":
    sys.exit(main())
