from __future__ import annotations

import ctypes
from collections.abc import Callable
from importlib import import_module
from types import ModuleType

import pytest

from srpcore.crypto.groups import MODP_3072, RFC5054_GROUPS, Group

try:
    powmod: Callable[[int, int, int], int] = import_module("gmpy2").powmod
except ImportError:
    powmod = pow

ALL = [*RFC5054_GROUPS.values(), MODP_3072]

# RFC 3526, sections 4 to 7: the addend to floor(2^(n - 130) * pi).
ADDENDS = {3072: 1690314, 4096: 240904, 6144: 929484, 8192: 4743158}

# RFC 5054, appendix A.
GENERATORS = {1024: 2, 1536: 2, 2048: 2, 3072: 5, 4096: 5, 6144: 5, 8192: 19}


def inverse_tangent(denominator: int, one: int) -> int:
    """Return arctan(1/denominator) * one by its Taylor series."""
    term = one // denominator
    total, n, sign = term, 3, -1
    while term:
        term //= denominator * denominator
        total += sign * (term // n)
        n, sign = n + 2, -sign
    return total


def pi(bits: int) -> int:
    """Return floor(2^bits * pi) by Machin's formula."""
    guard = 64
    one = 1 << (bits + guard)
    return (16 * inverse_tangent(5, one) - 4 * inverse_tangent(239, one)) >> guard


@pytest.mark.parametrize("bits", list(ADDENDS))
def test_the_large_primes_follow_the_formula_of_rfc_3526(bits: int) -> None:
    expected = 2**bits - 2 ** (bits - 64) - 1 + 2**64 * (pi(bits - 130) + ADDENDS[bits])
    assert expected == RFC5054_GROUPS[bits].N


def test_the_generators_equal_those_of_rfc_5054_and_rfc_3526() -> None:
    assert {bits: group.g for bits, group in RFC5054_GROUPS.items()} == GENERATORS
    assert (MODP_3072.N, MODP_3072.g) == (RFC5054_GROUPS[3072].N, 2)


def is_strong_probable_prime(n: int, base: int) -> bool:
    """Apply one round of Miller and Rabin."""
    odd, twos = n - 1, 0
    while odd % 2 == 0:
        odd, twos = odd // 2, twos + 1
    x = powmod(base, odd, n)
    for _ in range(twos):
        if x in (1, n - 1):
            return True
        x = x * x % n
    return x == 1


@pytest.mark.parametrize("group", ALL, ids=lambda group: group.name)
def test_the_primes_are_safe(group: Group) -> None:
    q = (group.N - 1) // 2
    for base in (2, 3) if group.N.bit_length() <= 3072 else (3,):
        assert is_strong_probable_prime(q, base)
    # Where q is prime, this makes N prime (Pocklington), not only probably so.
    assert powmod(4, q, group.N) == 1


@pytest.mark.parametrize("group", ALL, ids=lambda group: group.name)
def test_the_generators_have_the_order_of_the_group_or_of_its_large_subgroup(group: Group) -> None:
    assert group.g % group.N not in (0, 1, group.N - 1)
    order_q = powmod(group.g, (group.N - 1) // 2, group.N)
    assert order_q in (1, group.N - 1)
    # 2 is a square modulo RFC 3526's primes, which are 7 modulo 8; RFC 5054's generators are none.
    assert (order_q == 1) is (group is MODP_3072)


@pytest.mark.parametrize(("bits", "group"), RFC5054_GROUPS.items(), ids=lambda value: str(value))
def test_the_bits_and_lengths_match_the_name(bits: int, group: Group) -> None:
    assert group.N.bit_length() == bits
    assert group.length == bits // 8
    assert str(bits) in group.name


def test_a_group_has_the_values_that_it_was_made_with() -> None:
    group = Group("tiny", N=23, g=5)
    assert (group.name, group.N, group.g) == ("tiny", 23, 5)


def test_a_length_is_rounded_up_to_whole_bytes() -> None:
    assert Group("toy", 23, 5).length == 1
    assert Group("toy", 257, 3).length == 2


def libcrypto() -> ctypes.CDLL | None:
    hashlib_module: ModuleType = pytest.importorskip("_hashlib")
    path = getattr(hashlib_module, "__file__", None)
    library = ctypes.CDLL(path) if path else None
    return library if hasattr(library, "SRP_get_default_gN") else None


class SrpGroup(ctypes.Structure):
    """OpenSSL's SRP_gN."""

    _fields_ = (("id", ctypes.c_char_p), ("g", ctypes.c_void_p), ("N", ctypes.c_void_p))


@pytest.mark.parametrize("bits", list(RFC5054_GROUPS))
def test_the_groups_equal_those_of_openssl(bits: int) -> None:
    library = libcrypto()
    if library is None:
        pytest.skip("this Python's libcrypto is not to be had, or was built without SRP")
    library.SRP_get_default_gN.restype = ctypes.POINTER(SrpGroup)
    library.BN_bn2hex.restype, library.BN_bn2hex.argtypes = ctypes.c_void_p, [ctypes.c_void_p]
    library.CRYPTO_free.restype, library.CRYPTO_free.argtypes = None, [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int]

    def integer(number: int) -> int:
        text = library.BN_bn2hex(number)
        try:
            return int(ctypes.string_at(text), 16)
        finally:
            library.CRYPTO_free(text, b"", 0)

    theirs = library.SRP_get_default_gN(str(bits).encode()).contents
    ours = RFC5054_GROUPS[bits]
    assert (integer(theirs.N), integer(theirs.g)) == (ours.N, ours.g)


@pytest.mark.counterpart
@pytest.mark.parametrize("bits", [1024, 1536, 2048, 3072, 4096, 6144])  # it has no more
def test_the_groups_equal_those_of_srptools(bits: int) -> None:
    constants = pytest.importorskip("srptools.constants")
    prime = int("".join(getattr(constants, f"PRIME_{bits}").split()), 16)
    generator = int(getattr(constants, f"PRIME_{bits}_GEN"), 16)
    assert (RFC5054_GROUPS[bits].N, RFC5054_GROUPS[bits].g) == (prime, generator)
