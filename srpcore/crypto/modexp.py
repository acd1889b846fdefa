"""Modular exponentiation with a secret exponent. Three engines can do it:

- ``openssl``: ``BN_mod_exp_mont_consttime`` of the libcrypto that Python itself has loaded, through ctypes.
- ``gmpy2``: ``powmod_sec`` (the extra ``srpcore[fast]``).
- ``python``: the built-in ``pow``. It is *not* constant-time.

The time that the first two take does not depend on the bits of the exponent. This is true for the exponentiation only:
Python integers, and their conversion to and from bytes, are not constant-time, and Python cannot erase them.

Each engine is tested once with a known answer. If an engine is missing or its answer is wrong, the next one is used.
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
"""The names of the engines, the preferred one first."""


def modexp(base: int, exponent: int, modulus: int) -> int:
    """Return ``base ^ exponent mod modulus``, in constant time if the engine can do that.

    Args:
        base: any integer. It is reduced modulo *modulus* first.
        exponent: the secret exponent, 0 or more.
        modulus: an odd number, 3 or more.

    Raises:
        ConfigurationError: *exponent* is negative, or *modulus* is even or below 3.
    """
    if exponent < 0 or modulus < 3 or modulus % 2 == 0:
        raise ConfigurationError(
            "invalid modexp arguments: use an exponent of 0 or more and an odd modulus of 3 or more"
        )
    _, compute = _selected or _default_engine()
    return compute(base % modulus, exponent, modulus)


def engine() -> str:
    """Return the name of the engine in use: ``openssl``, ``gmpy2`` or ``python``."""
    return (_selected or _default_engine())[0]


def available() -> tuple[str, ...]:
    """Return the names of the engines that are installed and passed the test, the preferred one first."""
    return tuple(name for name in ENGINES if _load(name) is not None)


def select(name: str | None) -> None:
    """Use the engine *name* from now on in all threads. None goes back to the best available engine.

    Raises:
        ConfigurationError: *name* is not an engine, or it is missing or failed the test. The old engine stays in use.
    """
    global _selected
    if name is None:
        _selected = None
        return
    if name not in ENGINES:
        raise ConfigurationError(f"engine {name!r} does not exist: choose one of {', '.join(ENGINES)}")
    found = _load(name)
    if found is None:
        raise ConfigurationError(
            f"engine {name!r} is missing or computes wrong results on this computer: use {', '.join(available())}"
        )
    _selected = (name, found)


_selected: tuple[str, Engine] | None = None
_loaded: dict[str, Engine | None] = {}
_lock = ForkSafeLock()


def _default_engine() -> tuple[str, Engine]:
    # Do not store the result in _selected: this thread could overwrite what another thread has selected meanwhile.
    for name in ENGINES[:-1]:
        found = _load(name)
        if found is not None:
            return name, found
    return ENGINES[-1], pow


def _load(name: str) -> Engine | None:
    with _lock.lock:
        if name not in _loaded:
            try:
                candidate = _LOADERS[name]()
                _loaded[name] = candidate if _gives_known_answer(candidate) else None
            except Exception:  # noqa: BLE001 - loading a library can fail in any way; the next engine is used then
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
    # Import it by name, because the type stubs in gmpy2's wheels lack powmod_sec.
    powmod_sec = import_module("gmpy2").powmod_sec

    def powmod(base: int, exponent: int, modulus: int) -> int:
        # powmod_sec accepts positive exponents only.
        return int(powmod_sec(base, exponent, modulus)) if exponent else 1

    return powmod


_LOADERS: dict[str, Callable[[], Engine]] = {
    "openssl": _load_openssl,
    "gmpy2": _load_gmpy2,
    "python": lambda: pow,
}
