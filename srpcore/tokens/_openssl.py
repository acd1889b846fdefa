"""``s^e mod n`` for a public key, by ``RSA_public_decrypt`` of the libcrypto that Python has loaded, through ctypes.

Unlike the exponentiation of :mod:`srpcore.crypto._openssl`, everything here is public. With no padding asked for the
function only exponentiates; OpenSSL 3 calls it deprecated, and has nothing else that does so much in one call.
"""

from __future__ import annotations

import ctypes
import weakref
from collections.abc import Callable
from functools import cache

from ..crypto._openssl import library_file

__all__ = ["make_rsavp1"]

_POINTER = ctypes.c_void_p
_NO_PADDING = 3  # RSA_NO_PADDING of openssl/rsa.h

_SIGNATURES: dict[str, tuple[object, list[object]]] = {
    "BN_bin2bn": (_POINTER, [ctypes.c_char_p, ctypes.c_int, _POINTER]),
    "RSA_new": (_POINTER, []),
    "RSA_free": (None, [_POINTER]),
    "RSA_set0_key": (ctypes.c_int, [_POINTER] * 4),
}


def make_rsavp1(n: int, e: int) -> Callable[[bytes], bytes]:
    """Return ``s -> s^e mod n``, both as big-endian bytes as long as *n*, for ``s < n`` and *n* odd.

    It is thread-safe: OpenSSL keeps what depends on the key alone under a lock. It releases the GIL meanwhile.

    Raises:
        OSError, AttributeError, ImportError: there is no libcrypto to be had, or it lacks a function.
        ArithmeticError: the libcrypto gives a wrong answer.
    """
    return _make_rsavp1(_library(), n, e)


@cache
def _library() -> ctypes.CDLL:
    library = ctypes.CDLL(library_file())
    for name, (result, arguments) in _SIGNATURES.items():
        function = getattr(library, name)
        function.restype, function.argtypes = result, arguments
    n = 2**2048 - 1942289
    if _make_rsavp1(library, n, 65537)(b"\x02" * 256) != pow(int.from_bytes(b"\x02" * 256, "big"), 65537, n).to_bytes(
        256
    ):
        raise ArithmeticError("libcrypto's RSA_public_decrypt gives a wrong answer")
    return library


def _make_rsavp1(library: ctypes.CDLL, n: int, e: int) -> Callable[[bytes], bytes]:
    size = (n.bit_length() + 7) // 8
    key = _RsaKey(library, n, e)
    decrypt, output_type = library.RSA_public_decrypt, ctypes.c_char * size
    # What is of the function's types already need not be converted in each call.
    length, no_padding = ctypes.c_int(size), ctypes.c_int(_NO_PADDING)

    def rsavp1(s: bytes) -> bytes:
        output = output_type()
        if decrypt(length, s, output, key.pointer, no_padding) != size:
            raise MemoryError("libcrypto could not compute a modular exponentiation")
        return output.raw

    return rsavp1


class _RsaKey:
    """An ``RSA`` of OpenSSL, freed with this object; it owns its numbers."""

    def __init__(self, library: ctypes.CDLL, n: int, e: int) -> None:
        self.pointer = _POINTER(_checked(library.RSA_new()))
        # Not at the interpreter's exit: a thread may verify with it to the last.
        weakref.finalize(self, library.RSA_free, self.pointer).atexit = False
        _checked(library.RSA_set0_key(self.pointer, _to_bignum(library, n), _to_bignum(library, e), None))


def _to_bignum(library: ctypes.CDLL, value: int) -> int:
    data = value.to_bytes((value.bit_length() + 7) // 8, "big")
    return _checked(library.BN_bin2bn(data, len(data), None))


def _checked(result: int | None) -> int:
    if not result:
        raise MemoryError("libcrypto has no memory")
    return result
