"""The floor of an SRP login: OpenSSL's constant-time exponentiation, with nothing around it."""

from __future__ import annotations

import ctypes
import secrets
from collections.abc import Callable

from srpcore.crypto._openssl import library_file

_CONSTANT_TIME = 4  # BN_FLG_CONSTTIME


def three_exponentiations(N: int, g: int, B: int) -> Callable[[], None]:
    """Return a function that exponentiates as a client must: *g* twice to 256 bits, and *B* to 512 bits.

    Numbers are converted, and the Montgomery context is made, before.
    """
    library = _library()

    def number(value: int) -> int:
        data = value.to_bytes((value.bit_length() + 7) // 8, "big")
        return int(library.BN_bin2bn(data, len(data), None))

    def exponent(bits: int) -> int:
        made = number(secrets.randbits(bits) | 1 << (bits - 1))
        library.BN_set_flags(made, _CONSTANT_TIME)
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


def _library() -> ctypes.CDLL:
    pointer = ctypes.c_void_p
    library = ctypes.CDLL(library_file())
    for name in ("BN_new", "BN_CTX_new", "BN_MONT_CTX_new"):
        getattr(library, name).restype = pointer
    library.BN_bin2bn.restype, library.BN_bin2bn.argtypes = pointer, [ctypes.c_char_p, ctypes.c_int, pointer]
    library.BN_MONT_CTX_set.argtypes = [pointer] * 3
    library.BN_mod_exp_mont_consttime.argtypes = [pointer] * 6
    library.BN_set_flags.argtypes = [pointer, ctypes.c_int]
    return library
