"""Compute ``base ^ exponent mod modulus`` in constant time with OpenSSL: ``BN_mod_exp_mont_consttime`` through ctypes.

The libcrypto is the one that Python itself has loaded. Opening the file of the extension module ``_hashlib`` makes the
symbols of the libcrypto available that it is linked with, so no library has to be searched for. On Windows the file is
``libcrypto-3*.dll`` in the folder of Python. A static build of Python has no such file: then :func:`load` raises, and
:mod:`srpcore.crypto.modexp` uses another engine.
"""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Callable

__all__ = ["library_file", "load"]

_BN_FLG_CONSTTIME = 0x04

_SIGNATURES: dict[str, tuple[object, list[object]]] = {
    "BN_CTX_new": (ctypes.c_void_p, []),
    "BN_CTX_free": (None, [ctypes.c_void_p]),
    "BN_new": (ctypes.c_void_p, []),
    "BN_clear_free": (None, [ctypes.c_void_p]),
    "BN_set_flags": (None, [ctypes.c_void_p, ctypes.c_int]),
    "BN_bin2bn": (ctypes.c_void_p, [ctypes.c_char_p, ctypes.c_int, ctypes.c_void_p]),
    "BN_bn2binpad": (ctypes.c_int, [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int]),
    "BN_mod_exp_mont_consttime": (ctypes.c_int, [ctypes.c_void_p] * 6),
}


def load() -> Callable[[int, int, int], int]:
    """Return ``(base, exponent, modulus) -> base ^ exponent mod modulus`` for ``0 <= base < modulus``, modulus odd.

    The function is thread-safe, because each call makes its own BN_CTX. It releases the GIL while OpenSSL computes.

    Raises:
        OSError, AttributeError, ImportError: libcrypto cannot be loaded, or it lacks a function.
    """
    # CDLL releases the GIL during a call; PyDLL does not.
    library = ctypes.CDLL(library_file())
    for name, (result, arguments) in _SIGNATURES.items():
        function = getattr(library, name)
        function.restype, function.argtypes = result, arguments
    return lambda base, exponent, modulus: _modexp(library, base, exponent, modulus)


def library_file() -> str:
    """Return the path of a library that gives access to the libcrypto that Python has loaded.

    Raises:
        OSError, AttributeError, ImportError: this build of Python has no such file.
    """
    import _hashlib  # pyright: ignore[reportMissingModuleSource]

    own_file = _hashlib.__file__
    if sys.platform != "win32":
        return own_file
    from pathlib import Path  # imported only on Windows: it slows down a cold start

    for folder in (Path(own_file).parent, Path(sys.base_prefix)):
        for path in folder.glob("libcrypto-3*.dll"):
            return str(path)
    raise OSError("no libcrypto-3*.dll found in the folder of Python")


def _modexp(library: ctypes.CDLL, base: int, exponent: int, modulus: int) -> int:
    length = (modulus.bit_length() + 7) // 8
    numbers: list[int] = []
    context = library.BN_CTX_new()
    try:
        for value in (base, exponent, modulus):
            numbers.append(_to_bignum(library, value))
        numbers.append(_checked(library.BN_new()))
        base_bn, exponent_bn, modulus_bn, result_bn = numbers
        library.BN_set_flags(exponent_bn, _BN_FLG_CONSTTIME)
        _checked(context)
        # The last argument could be a precomputed Montgomery context. Without it OpenSSL computes one at each call, and
        # spends 1 to 2 percent of the time on it. A cache of contexts would need a lock and a limit on its size.
        _checked(library.BN_mod_exp_mont_consttime(result_bn, base_bn, exponent_bn, modulus_bn, context, None))
        output = ctypes.create_string_buffer(length)
        _checked(library.BN_bn2binpad(result_bn, output, length) == length)
        return int.from_bytes(output.raw, "big")
    finally:
        for number in numbers:
            library.BN_clear_free(number)
        library.BN_CTX_free(context)


def _to_bignum(library: ctypes.CDLL, value: int) -> int:
    data = value.to_bytes((value.bit_length() + 7) // 8, "big")
    return _checked(library.BN_bin2bn(data, len(data), None))


def _checked(result: int | None) -> int:
    if not result:
        raise MemoryError("libcrypto could not compute a modular exponentiation")
    return result
