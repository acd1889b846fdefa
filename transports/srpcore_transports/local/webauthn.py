"""Check what passkeys say (W3C Web Authentication, level 3, sections 7.1 and 7.2); attestation is not asked for."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias, cast
from urllib.parse import urlsplit

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

from . import cbor
from .errors import Refusal

__all__ = ["ALGORITHMS", "AuthenticatorData", "PublicKey", "RelyingParty", "check_signature", "client_data", "decode"]

PublicKey: TypeAlias = ec.EllipticCurvePublicKey | rsa.RSAPublicKey

ALGORITHMS = (-7, -257)
"""ES256 and RS256, by their numbers in COSE (RFC 9053; RFC 8812)."""

_USER_PRESENT, _USER_VERIFIED, _HAS_CREDENTIAL, _HAS_EXTENSIONS = 0x01, 0x04, 0x40, 0x80
_LONGEST_ID = 1023


@dataclass(frozen=True)
class RelyingParty:
    """For whom credentials are: the id, a domain, and whether its users must be verified and not just present."""

    id: str
    verifies_users: bool = False


@dataclass(frozen=True)
class AuthenticatorData:
    """What an authenticator signs beside the client's data; ``id`` and ``key`` are there at a registration."""

    user_verified: bool
    sign_count: int
    id: bytes | None = None
    key: PublicKey | None = field(default=None, repr=False)


def decode(values: Mapping[str, Any], name: str) -> bytes:
    """Return a member that is base64url, padded or not.

    Raises:
        Refusal: it is absent or something else.
    """
    value = values.get(name)
    if not isinstance(value, str) or not value:
        raise malformed(f"{name} is missing")
    try:
        text = value.rstrip("=").encode("ascii").translate(bytes.maketrans(b"-_+/", b"+/!!"))
        return base64.b64decode(text + b"=" * (-len(text) % 4), validate=True)
    except (binascii.Error, UnicodeEncodeError):
        raise malformed(f"{name} is not base64url") from None


def client_data(data: bytes, kind: str, challenge: str, party: RelyingParty) -> bytes:
    """Check clientDataJSON, of *kind* ``webauthn.create`` or ``webauthn.get``, and return its SHA-256.

    Raises:
        Refusal: the type, the challenge or the origin is another.
    """
    try:
        document: object = json.loads(data.decode("utf-8"))
    except (ValueError, RecursionError):
        raise malformed("clientDataJSON is not JSON") from None
    values = cast(dict[str, Any], document) if isinstance(document, dict) else {}
    if values.get("type") != kind:
        raise malformed(f"the client's data is not of the type {kind}")
    given = str(values.get("challenge")).rstrip("=")
    if not hmac.compare_digest(given.encode("utf-8", "replace"), challenge.encode("ascii")):
        raise Refusal("WebAuthnChallengeNotFoundException", "The challenge is not the one that was given.")
    if values.get("crossOrigin") is True or not _is_origin_of(party, values.get("origin")):
        raise Refusal("WebAuthnOriginNotAllowedException", "The origin is not the relying party's.")
    return hashlib.sha256(data).digest()


def _is_origin_of(party: RelyingParty, origin: object) -> bool:
    try:
        parts = urlsplit(origin if isinstance(origin, str) else "")
        host = parts.hostname or ""
    except ValueError:
        return False
    local = host == "localhost" or host.endswith(".localhost")
    secure = parts.scheme == "https" or (parts.scheme == "http" and local)
    return secure and not parts.path and (host == party.id or host.endswith(f".{party.id}"))


def authenticator_data(data: bytes, party: RelyingParty) -> AuthenticatorData:
    """Check authenticator data and return what is in it.

    Raises:
        Refusal: it is malformed, for another relying party, or the user was not there or, where needed, not verified.
    """
    if len(data) < 37:
        raise malformed("the authenticator's data is too short")
    if not hmac.compare_digest(data[:32], hashlib.sha256(party.id.encode("utf-8")).digest()):
        raise Refusal("WebAuthnRelyingPartyMismatchException", "The credential is for another relying party.")
    flags, rest = data[32], data[37:]
    if not flags & _USER_PRESENT:
        raise malformed("the user was not present")
    verified = bool(flags & _USER_VERIFIED)
    if party.verifies_users and not verified:
        raise malformed("the user was not verified")
    try:
        identifier, key, rest = _credential(rest) if flags & _HAS_CREDENTIAL else (None, None, rest)
        if flags & _HAS_EXTENSIONS:
            _, rest = cbor.decode(rest)
    except ValueError:
        raise malformed("the authenticator's data is not what its flags say") from None
    if rest:
        raise malformed("the authenticator's data is too long")
    return AuthenticatorData(verified, int.from_bytes(data[33:37], "big"), identifier, key)


def _credential(data: bytes) -> tuple[bytes, PublicKey, bytes]:
    length = int.from_bytes(data[16:18], "big")
    identifier = data[18 : 18 + length]
    if not 0 < length <= _LONGEST_ID or len(identifier) < length:
        raise ValueError("a credential's id has 1 to 1023 bytes")
    key, rest = cbor.decode(data[18 + length :])
    return identifier, _public_key(key), rest


def _public_key(key: object) -> PublicKey:
    values = cast(dict[object, Any], key) if isinstance(key, dict) else {}
    kind, algorithm = values.get(1), values.get(3)
    if (kind, algorithm, values.get(-1)) == (2, -7, 1):
        x, y = _require_bytes(values.get(-2)), _require_bytes(values.get(-3))
        # Refuses what is not on the curve.
        return ec.EllipticCurvePublicNumbers(_to_int(x), _to_int(y), ec.SECP256R1()).public_key()
    if (kind, algorithm) == (3, -257):
        e, n = _require_bytes(values.get(-2)), _require_bytes(values.get(-1))
        return rsa.RSAPublicNumbers(_to_int(e), _to_int(n)).public_key()
    raise Refusal("WebAuthnCredentialNotSupportedException", "The credential's algorithm is neither ES256 nor RS256.")


def _require_bytes(value: object) -> bytes:
    if not isinstance(value, bytes):
        raise ValueError("a key's coordinate is a byte string")
    return value


def _to_int(value: bytes) -> int:
    return int.from_bytes(value, "big")


def check_attestation(attestation: bytes, party: RelyingParty) -> AuthenticatorData:
    """Check an attestation object of the format ``none``, and return the authenticator's data in it.

    Raises:
        Refusal: it is malformed, of another format, or its data is refused.
    """
    try:
        value, rest = cbor.decode(attestation)
    except ValueError:
        raise malformed("the attestation object is not CBOR") from None
    values = cast(dict[object, Any], value) if isinstance(value, dict) and not rest else {}
    data = values.get("authData")
    if not isinstance(data, bytes):
        raise malformed("the attestation object has no authenticator data")
    if values.get("fmt") != "none" or values.get("attStmt") != {}:
        raise Refusal("WebAuthnCredentialNotSupportedException", "Attestation was not asked for.")
    return authenticator_data(data, party)


def check_signature(key: PublicKey, signature: bytes, signed: bytes) -> None:
    """Check an assertion's signature over *signed*, the authenticator's data and the SHA-256 of the client's.

    Raises:
        Refusal: it is not this key's.
    """
    try:
        if isinstance(key, rsa.RSAPublicKey):
            key.verify(signature, signed, padding.PKCS1v15(), hashes.SHA256())
        else:
            key.verify(signature, signed, ec.ECDSA(hashes.SHA256()))
    except InvalidSignature:
        raise malformed("the signature is not the credential's") from None


def malformed(reason: str) -> Refusal:
    """Return the refusal of a credential."""
    return Refusal("InvalidParameterException", f"Invalid credential: {reason}.")
