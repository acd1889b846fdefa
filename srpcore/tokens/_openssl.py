"""``s^e mod n`` for a public key, by ``BN_mod_exp_mont`` of the libcrypto that Python has loaded, through ctypes.

Unlike the exponentiation of :mod:`srpcore.crypto._openssl`, everything here is public: the short exponent decides the
time, and what depends on the key alone (the Montgomery form of *n*) is made once a key.
"""

from __future__ import annotations

import ctypes
import weakref
from collections.abc import Callable
from functools import cache

from ..crypto._openssl import library_file

__all__ = ["opener"]

_POINTER = ctypes.c_void_p

_SIGNATURES: dict[str, tuple[object, list[object]]] = {
    "BN_CTX_new": (_POINTER, []),
    "BN_CTX_free": (None, [_POINTER]),
    "BN_new": (_POINTER, []),
    "BN_free": (None, [_POINTER]),
    "BN_bin2bn": (_POINTER, [ctypes.c_char_p, ctypes.c_int, _POINTER]),
    "BN_bn2binpad": (ctypes.c_int, [_POINTER, ctypes.c_char_p, ctypes.c_int]),
    "BN_MONT_CTX_new": (_POINTER, []),
    "BN_MONT_CTX_set": (ctypes.c_int, [_POINTER] * 3),
    "BN_MONT_CTX_free": (None, [_POINTER]),
    "BN_mod_exp_mont": (ctypes.c_int, [_POINTER] * 6),
}


def opener(n: int, e: int) -> Callable[[bytes], bytes]:
    """Return ``s -> s^e mod n``, both as big-endian bytes as long as *n*, for ``s < n`` and *n* odd.

    It is thread-safe: what a call changes is its own. It releases the GIL while OpenSSL computes.

    Raises:
        OSError, AttributeError, ImportError: there is no libcrypto to be had, or it lacks a function.
        ArithmeticError: the libcrypto gives a wrong answer.
    """
    return _Opener(_library(), n, e)


@cache
def _library() -> ctypes.CDLL:
    library = ctypes.CDLL(str(library_file()))
    for name, (result, arguments) in _SIGNATURES.items():
        function = getattr(library, name)
        function.restype, function.argtypes = result, arguments
    n = 2**2048 - 1942289
    if _Opener(library, n, 65537)(b"\x02" * 256) != pow(int.from_bytes(b"\x02" * 256, "big"), 65537, n).to_bytes(256):
        raise ArithmeticError("libcrypto's BN_mod_exp_mont gives a wrong answer")
    return library


class _Opener:
    def __init__(self, library: ctypes.CDLL, n: int, e: int) -> None:
        self._library = library
        self._size = (n.bit_length() + 7) // 8
        self._n, self._e, self._montgomery = _new_bn(library, n), _new_bn(library, e), _new(library.BN_MONT_CTX_new())
        # Nothing above is freed if it raises: memory has run out then.
        weakref.finalize(self, _free, library, self._n, self._e, self._montgomery)
        context = _new(library.BN_CTX_new())
        _new(library.BN_MONT_CTX_set(self._montgomery, self._n, context))
        library.BN_CTX_free(context)

    def __call__(self, s: bytes) -> bytes:
        library, size = self._library, self._size
        context, base, result = library.BN_CTX_new(), library.BN_bin2bn(s, len(s), None), library.BN_new()
        output = ctypes.create_string_buffer(size)
        try:
            if not (
                context
                and base
                and result
                and library.BN_mod_exp_mont(result, base, self._e, self._n, context, self._montgomery)
                and library.BN_bn2binpad(result, output, size) == size
            ):
                raise MemoryError("libcrypto could not compute a modular exponentiation")
            return output.raw
        finally:
            library.BN_free(base)
            library.BN_free(result)
            library.BN_CTX_free(context)


def _new_bn(library: ctypes.CDLL, value: int) -> int:
    data = value.to_bytes((value.bit_length() + 7) // 8, "big")
    return _new(library.BN_bin2bn(data, len(data), None))


def _new(result: int | None) -> int:
    if not result:
        raise MemoryError("libcrypto has no memory")
    return result


def _free(library: ctypes.CDLL, n: int, e: int, montgomery: int) -> None:
    library.BN_free(n)
    library.BN_free(e)
    library.BN_MONT_CTX_free(montgomery)
