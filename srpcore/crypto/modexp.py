"""Modular exponentiation with a secret exponent: one seam, three engines.

- ``openssl``: ``BN_mod_exp_mont_consttime`` through ctypes, of the libcrypto that Python's own ``_hashlib`` has loaded.
- ``gmpy2``: ``powmod_sec`` (the extra ``srpcore[fast]``).
- ``python``: the built-in ``pow``. It is *not* constant-time.

The first two take a time that does not depend on the exponent's bits. That is claimed of the exponentiation alone:
never of Python's integers, of their conversion, or of their erasure. Every engine proves itself once with a known
answer; one that is missing or wrong steps aside for the next.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import TypeAlias

from .._fork import ForkSafeLock
from ..exceptions.base import ConfigurationError
from .groups import RFC5054_GROUPS

__all__ = ["ENGINES", "available", "engine", "modexp", "select"]

Engine: TypeAlias = Callable[[int, int, int], int]

ENGINES = ("openssl", "gmpy2", "python")
"""The engines by name, in the order of preference."""


def modexp(base: int, exponent: int, modulus: int) -> int:
    """Return ``base ^ exponent mod modulus``, in constant time where the engine offers it.

    Args:
        base: any integer; it is reduced modulo *modulus* first.
        exponent: 0 or more; secret.
        modulus: odd, over 1.

    Raises:
        ConfigurationError: the exponent is negative, or the modulus is even or below 3.
    """
    if exponent < 0 or modulus < 3 or modulus % 2 == 0:
        raise ConfigurationError("modexp needs an exponent of 0 or more and an odd modulus over 1")
    chosen = _chosen or _best()
    return chosen[1](base % modulus, exponent, modulus)


def engine() -> str:
    """Return the name of the engine in use: ``openssl``, ``gmpy2`` or ``python``."""
    return (_chosen or _best())[0]


def available() -> tuple[str, ...]:
    """Return the names of the engines that are there and give the known answer, best first."""
    return tuple(name for name in ENGINES if _load(name) is not None)


def select(name: str | None) -> None:
    """Use the engine *name* from now on in every thread, or with None the best there is.

    Raises:
        ConfigurationError: there is no such engine here; the engine in use stays.
    """
    global _chosen
    if name is None:
        _chosen = None
        return
    if name not in ENGINES:
        raise ConfigurationError(f"there is no engine {name!r}: choose one of {', '.join(ENGINES)}")
    found = _load(name)
    if found is None:
        raise ConfigurationError(
            f"the engine {name!r} is missing or wrong here: available are {', '.join(available())}"
        )
    _chosen = (name, found)


_chosen: tuple[str, Engine] | None = None
_loaded: dict[str, Engine | None] = {}
_lock = ForkSafeLock()


def _best() -> tuple[str, Engine]:
    # Kept apart from what was chosen, so that no thread that comes here undoes another's select().
    for name in ENGINES[:-1]:
        found = _load(name)
        if found is not None:
            return name, found
    return ENGINES[-1], pow


def _load(name: str) -> Engine | None:
    with _lock:
        if name not in _loaded:
            try:
                candidate = _LOADERS[name]()
                _loaded[name] = candidate if _gives_known_answer(candidate) else None
            except Exception:  # noqa: BLE001 - whatever a foreign library does while loading, the next engine serves
                _loaded[name] = None
        return _loaded[name]


def _gives_known_answer(candidate: Engine) -> bool:
    # RFC 5054, appendix B: A = g^a mod N in the 1024-bit group.
    group = RFC5054_GROUPS[1024]
    a = 0x60975527035CF2AD1989806F0407210BC81EDC04E2762A56AFD529DDDA2D4393
    expected = int(
        "61D5E490F6F1B79547B0704C436F523DD0E560F0C64115BB72557EC44352E890"
        "3211C04692272D8B2D1A5358A2CF1B6E0BFCF99F921530EC8E39356179EAE45E"
        "42BA92AEACED825171E1E8B9AF6D9C03E1327F44BE087EF06530E69F66615261"
        "EEF54073CA11CF5858F0EDFDFE15EFEAB349EF5D76988A3672FAC47B0769447B",
        16,
    )
    return candidate(group.g, a, group.N) == expected


def _load_openssl() -> Engine:
    from . import _openssl

    return _openssl.load()


def _load_gmpy2() -> Engine:
    # By name: gmpy2's wheels carry stubs that lack powmod_sec.
    powmod_sec = import_module("gmpy2").powmod_sec

    def powmod(base: int, exponent: int, modulus: int) -> int:
        # powmod_sec takes positive exponents only.
        return int(powmod_sec(base, exponent, modulus)) if exponent else 1

    return powmod


_LOADERS: dict[str, Callable[[], Engine]] = {
    "openssl": _load_openssl,
    "gmpy2": _load_gmpy2,
    "python": lambda: pow,
}
