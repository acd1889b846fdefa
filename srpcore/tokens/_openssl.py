"""Compute ``s^e mod n`` for a public key with OpenSSL: ``RSA_public_decrypt`` through ctypes.

The libcrypto is the one that Python itself has loaded. All values here are public, so nothing needs constant time;
secret exponents are handled in :mod:`srpcore.crypto._openssl`.

With ``RSA_NO_PADDING`` the function only computes the power and leaves the padding to the caller. OpenSSL 3 marks it as
deprecated, but its replacement (``EVP_PKEY_verify_recover``) needs many more calls for the same result.
"""

from __future__ import annotations

import ctypes
import weakref
from collections.abc import Callable
from functools import cache
from hashlib import sha256

from ..crypto._openssl import library_file

__all__ = ["make_rsavp1"]

_POINTER = ctypes.c_void_p
_NO_PADDING = 3  # RSA_NO_PADDING of openssl/rsa.h

# SHA-256 of the 256 bytes of s^e mod n, with s = 0x0202...02, e = 65537 and n = 2^2048 - 1942289, computed with pow().
_KNOWN_ANSWER = "722b23f1638b717f71288b8b85be96b2811a052b5989ac11dae73912cabf51e3"

_SIGNATURES: dict[str, tuple[object, list[object]]] = {
    "BN_bin2bn": (_POINTER, [ctypes.c_char_p, ctypes.c_int, _POINTER]),
    "RSA_new": (_POINTER, []),
    "RSA_free": (None, [_POINTER]),
    "RSA_set0_key": (ctypes.c_int, [_POINTER] * 4),
}


def make_rsavp1(n: int, e: int) -> Callable[[bytes], bytes]:
    """Return the function RSAVP1 of RFC 8017, section 5.2.2: ``s -> s^e mod n``.

    Its argument and its result are big-endian bytes of the length of *n*; ``s < n``, and *n* is odd. Several threads
    may call it at the same time, because OpenSSL protects the values that it precomputes for a key with a lock. The
    GIL is released during the computation.

    Raises:
        OSError, AttributeError, ImportError: libcrypto cannot be loaded, or it lacks a function.
        ArithmeticError: the known-answer test failed: this libcrypto computes a wrong result.
    """
    return _make_rsavp1(_library(), n, e)


@cache
def _library() -> ctypes.CDLL:
    library = ctypes.CDLL(library_file())
    for name, (result, arguments) in _SIGNATURES.items():
        function = getattr(library, name)
        function.restype, function.argtypes = result, arguments
    if sha256(_make_rsavp1(library, 2**2048 - 1942289, 65537)(b"\x02" * 256)).hexdigest() != _KNOWN_ANSWER:
        raise ArithmeticError("libcrypto's RSA_public_decrypt failed its known-answer test")
    return library


def _make_rsavp1(library: ctypes.CDLL, n: int, e: int) -> Callable[[bytes], bytes]:
    size = (n.bit_length() + 7) // 8
    key = _RsaKey(library, n, e)
    decrypt, output_type = library.RSA_public_decrypt, ctypes.c_char * size
    # These arguments never change, so convert them to C types once instead of at every call.
    length, no_padding = ctypes.c_int(size), ctypes.c_int(_NO_PADDING)

    def rsavp1(s: bytes) -> bytes:
        output = output_type()
        if decrypt(length, s, output, key.pointer, no_padding) != size:
            raise MemoryError("libcrypto could not compute a modular exponentiation")
        return output.raw

    return rsavp1


class _RsaKey:
    """An ``RSA`` structure of OpenSSL, which also owns *n* and *e*. It is freed together with this object."""

    def __init__(self, library: ctypes.CDLL, n: int, e: int) -> None:
        self.pointer = _POINTER(_checked(library.RSA_new()))
        # Do not free it while the interpreter exits: a daemon thread may still be verifying with it.
        weakref.finalize(self, library.RSA_free, self.pointer).atexit = False
        _checked(library.RSA_set0_key(self.pointer, _to_bignum(library, n), _to_bignum(library, e), None))


def _to_bignum(library: ctypes.CDLL, value: int) -> int:
    data = value.to_bytes((value.bit_length() + 7) // 8, "big")
    return _checked(library.BN_bin2bn(data, len(data), None))


def _checked(result: int | None) -> int:
    if not result:
        raise MemoryError("libcrypto could not allocate memory")
    return result
