"""Cognito's dialect of SRP-6a, both sides: proves a password, or a remembered device, without sending a secret.

Theory of operation
===================

The client knows the password *P*; the service stores the salt and the verifier *v*::

    client                                                            service
    a = random, A = g^a mod N
                 InitiateAuth(USER_SRP_AUTH: USERNAME, SRP_A) ------>
                                                                      b = random, B = k*v + g^b mod N
                 <------ PASSWORD_VERIFIER: SRP_B, SALT, SECRET_BLOCK, USER_ID_FOR_SRP
    check 0 < B < N, u != 0
    S = (B - k*g^x)^(a + u*x) mod N                                   S = (A * v^u)^b mod N
    K = HKDF(S), claim                                                K = HKDF(S), the same claim
                 RespondToAuthChallenge(PASSWORD_VERIFIER: TIMESTAMP,
                     PASSWORD_CLAIM_SECRET_BLOCK,
                     PASSWORD_CLAIM_SIGNATURE) --------------------->
                                                                      compare the claims
                 <------------------------- the tokens, or a further challenge

The steps for a remembered device are the same. They use the challenges DEVICE_SRP_AUTH and DEVICE_PASSWORD_VERIFIER,
the password of the device, and a fresh pair *(a, A)*.

The values, where ``|`` joins bytes and ``H`` is SHA-256::

    N, g   = the 3072-bit group of RFC 3526, g = 2
    k      = H(tc(N) | tc(g)) = H(00 | N | 02)
    u      = H(tc(A) | tc(B))
    x      = H(tc(salt) | H(identity | ":" | P))
    v      = g^x mod N
    K      = HKDF-SHA-256(tc(S); salt = tc(u), info = "Caldera Derived Key", 16 bytes)
    claim  = base64(HMAC-SHA-256(K, identity | secret block | TIMESTAMP))

- *k*, *u* and *x* are hashes that are read as unsigned big-endian integers.
- ``tc`` is :func:`~srpcore.crypto.encoding.to_bytes`: minimal big-endian two's complement. It puts a zero byte in front
  if the highest bit is set, and it does not pad to the length of *N*. SALT may be negative.
- *identity* is the part of the pool id after ``_`` followed by USER_ID_FOR_SRP (``AbCd12345alice``); for a device, its
  group key followed by its key. *identity*, *P* and TIMESTAMP are encoded as UTF-8.
- *secret block* is SECRET_BLOCK decoded from base64. It goes back to the service as it came, in base64.
- A and B are sent as hexadecimal numbers.

Differences from RFC 5054:

========  ==============================================  ========================================
value     RFC 5054                                        Cognito
========  ==============================================  ========================================
group     3072 bits with g = 5                            the same N with g = 2
hash      SHA-1                                           SHA-256
k, u      arguments are padded to the length of N         arguments are tc(), not padded
x         the identity is the user name                   the identity contains the pool or group
K         the premaster secret of TLS is S                HKDF of S with u as the salt, 16 bytes
proofs    the Finished messages of TLS, both sides        an HMAC of the client only
========  ==============================================  ========================================

The service does not prove that it knows *v*. The client relies on TLS, and on the signature of the tokens, for that.

Source: the JavaScript clients of AWS (amazon-cognito-identity-js, Amplify).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from datetime import datetime, timezone

from ..exceptions.base import UnsafeServerValue
from . import key_exchange
from .encoding import to_bytes, utf8
from .groups import MODP_3072
from .hkdf import hkdf
from .modexp import modexp

__all__ = [
    "GROUP",
    "claim",
    "client_key",
    "client_pair",
    "format_timestamp",
    "private_key",
    "scrambling",
    "server_key",
    "server_pair",
    "verifier",
]

GROUP = MODP_3072
INFO = b"Caldera Derived Key"
KEY_LENGTH = 16

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def _hash_int(*parts: bytes) -> int:
    return int.from_bytes(hashlib.sha256(b"".join(parts)).digest(), "big")


k = _hash_int(to_bytes(GROUP.N), to_bytes(GROUP.g))
"""The multiplier ``SHA-256(00 | N | 02)``, as an integer."""


def private_key(identity: str, password: str, salt: int) -> int:
    """Return ``x = SHA-256(tc(salt) | SHA-256(identity | ":" | password))``, the private key.

    Args:
        identity: the pool's suffix and the user's id, or the device's group key and key (see the module).
        password: the password of the user or of the device.
        salt: the salt as an integer; it may be negative.

    Raises:
        ConfigurationError: *identity* or *password* is not a string that can be encoded as UTF-8.
    """
    inner = hashlib.sha256(utf8(identity, name="username") + b":" + utf8(password, name="password")).digest()
    return _hash_int(to_bytes(salt), inner)


def verifier(x: int) -> int:
    """Return ``v = g^x mod N``, the verifier, which a server stores instead of the password."""
    return modexp(GROUP.g, x, GROUP.N)


def scrambling(A: int, B: int) -> int:
    """Return ``u = SHA-256(tc(A) | tc(B))``, the scrambling parameter."""
    return _hash_int(to_bytes(A), to_bytes(B))


def client_pair(a: int | None = None) -> key_exchange.Ephemeral:
    """Return the client's pair ``(a, A = g^a mod N)`` for one exchange, with a random *a* unless you pass it."""
    return key_exchange.client_pair(GROUP, a)


def server_pair(verifier: int, b: int | None = None) -> key_exchange.Ephemeral:
    """Return the server's pair ``(b, B = k*v + g^b mod N)`` for one exchange, with a random *b* unless you pass it."""
    return key_exchange.server_pair(GROUP, k, verifier, b)


def client_key(pair: key_exchange.Ephemeral, B: int, x: int) -> bytes:
    """Return *K*, the 16-byte key, as the client computes it from its *pair*, the server's *B* and the private key *x*.

    Raises:
        UnsafeServerValue: *B* is not between 1 and N-1, or *u* is 0. This is checked before *x* is used.
    """
    if not 0 < B < GROUP.N:
        raise UnsafeServerValue("unsafe value from the server: B must be between 1 and N-1")
    u = scrambling(pair.public, B)
    return _derive_key(key_exchange.client_premaster(GROUP, k, pair, B, x, u), u)


def server_key(pair: key_exchange.Ephemeral, A: int, verifier: int) -> bytes:
    """Return *K*, the 16-byte key, as the server computes it from its *pair*, the client's *A* and the *verifier*.

    Raises:
        UnsafeServerValue: *A* is not between 1 and N-1, or *u* is 0. A client could log in without a password then.
    """
    if not 0 < A < GROUP.N:
        raise UnsafeServerValue("unsafe value from the client: A must be between 1 and N-1")
    u = scrambling(A, pair.public)
    return _derive_key(key_exchange.server_premaster(GROUP, pair, A, verifier, u), u)


def _derive_key(premaster: int, u: int) -> bytes:
    return hkdf(to_bytes(premaster), salt=to_bytes(u), info=INFO, length=KEY_LENGTH)


def claim(key: bytes, identity: str, secret_block: bytes, timestamp: str) -> str:
    """Return PASSWORD_CLAIM_SIGNATURE: ``base64(HMAC-SHA-256(key, identity | secret block | timestamp))``.

    Args:
        key: *K*, 16 bytes.
        identity: the same as in :func:`private_key`.
        secret_block: the decoded SECRET_BLOCK.
        timestamp: the TIMESTAMP that is sent together with the claim.

    Raises:
        ConfigurationError: *identity* or *timestamp* is not a string that can be encoded as UTF-8.
    """
    message = utf8(identity, name="username") + secret_block + utf8(timestamp, name="timestamp")
    return base64.b64encode(hmac.digest(key, message, "sha256")).decode("ascii")


def format_timestamp(time: datetime) -> str:
    """Return *time* as TIMESTAMP: ``EEE MMM d HH:mm:ss UTC yyyy``, in English in every locale.

    If *time* has a time zone, it is converted to UTC. If it has none, it is already UTC, as with pycognito.
    """
    t = time if time.tzinfo is None else time.astimezone(timezone.utc)
    return f"{_DAYS[t.weekday()]} {_MONTHS[t.month - 1]} {t.day} {t:%H:%M:%S} UTC {t.year}"
