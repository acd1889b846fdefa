"""The key pairs and the premaster secret of SRP-6a: what is the same in every dialect.

:mod:`srpcore.crypto.srp` and :mod:`srpcore.crypto.cognito` call these functions with their own *k*, *x* and *u*. A
login imports this module, and not the generic protocol in :mod:`srpcore.crypto.srp`, which also exports these names.
"""

from __future__ import annotations

from .._values import Value
from ..exceptions.base import UnsafeServerValue
from .groups import Group
from .modexp import modexp
from .randomness import RandomBits, system_random_bits

__all__ = [
    "Ephemeral",
    "client_pair",
    "client_premaster",
    "secret_exponent",
    "server_pair",
    "server_premaster",
]

SECRET_BITS = 256
"""The number of random bits in *a* and *b*. RFC 5054, sections 2.5.3 and 2.5.4, requires 256 or more."""


class Ephemeral(Value):
    """The key pair of one side: the secret exponent and the public value. Use it for one exchange only."""

    __slots__ = ("public", "secret")
    _hidden = frozenset({"secret"})

    secret: int
    public: int

    def __init__(self, secret: int, public: int) -> None:
        self._set(secret=secret, public=public)


def secret_exponent(random_bits: RandomBits = system_random_bits) -> int:
    """Return a new secret exponent: a 1 bit followed by 256 bits from *random_bits*.

    The engines do not hide the length of an exponent. With the 1 bit in front every exponent has 257 bits, so its
    length reveals nothing.
    """
    return 1 << SECRET_BITS | random_bits(SECRET_BITS)


def client_pair(group: Group, a: int | None = None) -> Ephemeral:
    """Return the client's pair ``(a, A = g^a mod N)``, with 256 random bits in *a* unless you pass it.

    Pass *a* in tests only. An *a* that is used twice can reveal the secret that it protects.
    """
    secret = secret_exponent() if a is None else a
    return Ephemeral(secret, modexp(group.g, secret, group.N))


def server_pair(group: Group, k: int, verifier: int, b: int | None = None) -> Ephemeral:
    """Return the server's pair ``(b, B = k*v + g^b mod N)``, with a random *b* unless you pass it (RFC 5054, 2.5.3)."""
    secret = secret_exponent() if b is None else b
    return Ephemeral(secret, (k * verifier + modexp(group.g, secret, group.N)) % group.N)


def client_premaster(group: Group, k: int, pair: Ephemeral, B: int, x: int, u: int) -> int:
    """Return ``S = (B - k * g^x) ^ (a + u * x) mod N`` (RFC 5054, section 2.6).

    Raises:
        UnsafeServerValue: *B* is 0 modulo N, or *u* is 0. An answer would help an attacker to guess the password.
    """
    if B % group.N == 0 or u == 0:
        raise UnsafeServerValue("unsafe value from the server: B must not be 0 modulo N, and u must not be 0")
    return modexp(B - k * modexp(group.g, x, group.N), pair.secret + u * x, group.N)


def server_premaster(group: Group, pair: Ephemeral, A: int, verifier: int, u: int) -> int:
    """Return ``S = (A * v^u) ^ b mod N`` (RFC 5054, section 2.6).

    Raises:
        UnsafeServerValue: *A* is 0 modulo N, or *u* is 0. Anybody could log in without a password then.
    """
    if A % group.N == 0 or u == 0:
        raise UnsafeServerValue("unsafe value from the client: A must not be 0 modulo N, and u must not be 0")
    return modexp(A * modexp(verifier, u, group.N), pair.secret, group.N)
