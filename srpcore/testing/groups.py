"""Groups for SRP: those of RFC 5054, and small ones in which a test can try every value."""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from ..crypto.groups import RFC5054_GROUPS, Group

__all__ = ["rfc5054_groups", "safe_prime_groups", "small_groups"]


def rfc5054_groups(max_bits: int = 8192) -> SearchStrategy[Group]:
    """Return the groups of RFC 5054, appendix A, whose prime has at most *max_bits* bits, the smallest first."""
    return st.sampled_from([group for bits, group in RFC5054_GROUPS.items() if bits <= max_bits])


def safe_prime_groups(below: int = 300) -> list[Group]:
    """Return a group for each safe prime ``N = 2q + 1`` less than *below*, with the smallest generator of the group.

    They are for tests only: anybody can compute a logarithm in them. ``g`` generates all numbers from 1 to N-1, so that
    a loop over the exponents reaches every public value. From N = 263 on, N has two bytes and most values have one, so
    that padding to the length of N matters.
    """
    primes = [n for n in range(5, below) if _is_prime(n) and _is_prime((n - 1) // 2)]
    return [Group(f"safe prime {n}", n, _generator(n)) for n in primes]


def small_groups() -> SearchStrategy[Group]:
    """Return groups with a safe prime of 3 to 24 bits, the smallest first: those of :func:`safe_prime_groups` and more.

    They are for tests only: anybody can compute a logarithm in them.
    """
    larger = [Group(f"safe prime {n}", n, _generator(n)) for n in (_MAX_16_BITS, _MIN_17_BITS, _MAX_24_BITS)]
    return st.sampled_from([*safe_prime_groups(), *larger])


# The largest safe primes of 16 and 24 bits and the smallest of 17 bits: with the top bit of the first byte set or not.
_MAX_16_BITS, _MIN_17_BITS, _MAX_24_BITS = 65267, 65543, 16776899


def _is_prime(n: int) -> bool:
    return n > 1 and all(n % divisor for divisor in range(2, int(n**0.5) + 1))


def _generator(n: int) -> int:
    """Return the smallest generator of the numbers from 1 to *n* - 1, for a safe prime *n*."""
    order = n - 1  # = 2q: a number generates the group if its order is neither 2 nor q
    return next(g for g in range(2, n) if pow(g, 2, n) != 1 and pow(g, order // 2, n) != 1)
