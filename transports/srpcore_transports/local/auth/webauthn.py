"""Check the data that an authenticator signs (W3C Web Authentication, level 3, sections 7.1 and 7.2).

Attestation, a proof of the authenticator's model, is not requested and not accepted.
"""

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

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

from ..api.errors import Refusal, invalid_parameter
from ..model.secret_values import equal
from . import cbor

__all__ = [
    "ALGORITHMS",
    "AuthenticatorData",
    "PublicKey",
    "RelyingParty",
    "authenticator_response",
    "check_attestation",
    "check_authenticator_data",
    "check_client_data",
    "check_signature",
    "decode",
    "decode_key",
    "encode_base64url",
    "encode_key",
    "malformed",
]

PublicKey: TypeAlias = ec.EllipticCurvePublicKey | rsa.RSAPublicKey

ALGORITHMS = (-7, -257)
"""The COSE numbers of the supported algorithms: ES256 (RFC 9053) and RS256 (RFC 8812)."""

_USER_PRESENT, _USER_VERIFIED, _HAS_CREDENTIAL, _HAS_EXTENSIONS = 0x01, 0x04, 0x40, 0x80
_LONGEST_ID = 1023


@dataclass(frozen=True)
class RelyingParty:
    """The website that credentials are for.

    Attributes:
        id: a domain, for example ``example.com``.
        verifies_users: the authenticator must verify the user, for example with a PIN, not only test for presence.
    """

    id: str
    verifies_users: bool = False


@dataclass(frozen=True)
class AuthenticatorData:
    """The authenticator data (Web Authentication, section 6.1).

    Attributes:
        user_verified: the authenticator has verified the user, for example with a PIN.
        sign_count: the signature counter; 0 if the authenticator does not count.
        id: the credential id, only at a registration.
        key: the public key, only at a registration.
    """

    user_verified: bool
    sign_count: int
    id: bytes | None = None
    key: PublicKey | None = field(default=None, repr=False)


def decode(values: Mapping[str, Any], name: str) -> bytes:
    """Return the decoded value of a member that is a base64url string, with or without padding.

    Raises:
        Refusal: the member is absent, empty or not base64url.
    """
    value = values.get(name)
    if not isinstance(value, str) or not value:
        raise malformed(f"{name} is missing")
    try:
        # Convert to plain base64. "+" and "/" are not base64url: convert them to "!", which the decoder refuses.
        data = value.rstrip("=").encode("ascii").translate(bytes.maketrans(b"-_+/", b"+/!!"))
        return base64.b64decode(data + b"=" * (-len(data) % 4), validate=True)
    except (binascii.Error, UnicodeEncodeError):
        raise malformed(f"{name} is not base64url") from None


def encode_base64url(data: bytes) -> str:
    """Return *data* as a base64url string without padding."""
    return base64.urlsafe_b64encode(data).decode("ascii").rstrip("=")


def authenticator_response(credential: dict[str, Any]) -> dict[str, Any]:
    """Return the member ``response`` of a credential.

    Raises:
        Refusal: the credential is not of the type ``public-key``, or has no such member.
    """
    response: object = credential.get("response")
    if credential.get("type") != "public-key" or not isinstance(response, dict):
        raise malformed("type must be public-key, and response must be an object")
    return cast(dict[str, Any], response)


def check_client_data(data: bytes, kind: str, challenge: str, party: RelyingParty) -> bytes:
    """Check clientDataJSON, and return its SHA-256, which is a part of what the authenticator signs.

    Args:
        data: clientDataJSON, decoded from base64url.
        kind: the type that it must have: ``webauthn.create`` or ``webauthn.get``.
        challenge: the challenge that was sent, in base64url without padding.

    Raises:
        Refusal: the type or the challenge is not the expected one, or the origin does not belong to the relying party.
    """
    try:
        document: object = json.loads(data.decode("utf-8"))
    except (ValueError, RecursionError):
        raise malformed("clientDataJSON is not JSON") from None
    values = cast(dict[str, Any], document) if isinstance(document, dict) else {}
    if values.get("type") != kind:
        raise malformed(f"clientDataJSON does not have the type {kind}")
    given = str(values.get("challenge")).rstrip("=")
    if not equal(given, challenge):
        raise Refusal("WebAuthnChallengeNotFoundException", "The challenge is not the one that was sent.")
    if values.get("crossOrigin") is True or not _is_origin_of(party, values.get("origin")):
        raise Refusal(
            "WebAuthnOriginNotAllowedException", f"The origin does not belong to the relying party {party.id}."
        )
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


def check_authenticator_data(data: bytes, party: RelyingParty) -> AuthenticatorData:
    """Check authenticator data, and return the values in it.

    Raises:
        Refusal: the data is malformed or for another relying party, the user was not present, or the user was not
            verified although the relying party requires it.
    """
    if len(data) < 37:
        raise malformed("authenticator data is too short: it needs at least 37 bytes")
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
        raise malformed("authenticator data does not match its flags") from None
    if rest:
        raise malformed("authenticator data is too long")
    return AuthenticatorData(verified, int.from_bytes(data[33:37], "big"), identifier, key)


def _credential(data: bytes) -> tuple[bytes, PublicKey, bytes]:
    length = int.from_bytes(data[16:18], "big")
    identifier = data[18 : 18 + length]
    if not 0 < length <= _LONGEST_ID or len(identifier) < length:
        raise ValueError(f"credential id must have 1 to {_LONGEST_ID} bytes")
    key, rest = cbor.decode(data[18 + length :])
    return identifier, _public_key(key), rest


def _public_key(key: object) -> PublicKey:
    values = cast(dict[object, Any], key) if isinstance(key, dict) else {}
    kind, algorithm = values.get(1), values.get(3)
    if (kind, algorithm, values.get(-1)) == (2, -7, 1):
        x, y = _require_bytes(values.get(-2)), _require_bytes(values.get(-3))
        # public_key() raises ValueError if the point is not on the curve.
        return ec.EllipticCurvePublicNumbers(_to_int(x), _to_int(y), ec.SECP256R1()).public_key()
    if (kind, algorithm) == (3, -257):
        e, n = _require_bytes(values.get(-2)), _require_bytes(values.get(-1))
        return rsa.RSAPublicNumbers(_to_int(e), _to_int(n)).public_key()
    raise Refusal("WebAuthnCredentialNotSupportedException", "The credential's algorithm is neither ES256 nor RS256.")


def _require_bytes(value: object) -> bytes:
    if not isinstance(value, bytes):
        raise ValueError("parameter of a COSE key is not a byte string")
    return value


def _to_int(value: bytes) -> int:
    return int.from_bytes(value, "big")


def check_attestation(attestation: bytes, party: RelyingParty) -> AuthenticatorData:
    """Check an attestation object of the format ``none``, and return the authenticator data in it.

    Raises:
        Refusal: the object is malformed or has another format, or :func:`check_authenticator_data` refuses its data.
    """
    try:
        value, rest = cbor.decode(attestation)
    except ValueError:
        raise malformed("attestationObject is not CBOR") from None
    values = cast(dict[object, Any], value) if isinstance(value, dict) and not rest else {}
    data = values.get("authData")
    if not isinstance(data, bytes):
        raise malformed("attestationObject has no authenticator data")
    if values.get("fmt") != "none" or values.get("attStmt") != {}:
        raise Refusal(
            "WebAuthnCredentialNotSupportedException", "Attestation is not supported: use the attestation format none."
        )
    return check_authenticator_data(data, party)


def encode_key(key: PublicKey) -> bytes:
    """Return *key* as a DER-encoded SubjectPublicKeyInfo."""
    return key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def decode_key(encoded_key: bytes) -> PublicKey:
    """Return the public key that :func:`encode_key` encoded.

    Raises:
        Refusal: it is damaged, or not the public key of an algorithm which registration accepts.
    """
    try:
        key = serialization.load_der_public_key(encoded_key)
    except (ValueError, UnsupportedAlgorithm):
        raise malformed("the public key of the passkey is damaged") from None
    if isinstance(key, rsa.RSAPublicKey):
        return key
    if isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, ec.SECP256R1):
        return key
    raise malformed("the public key of the passkey is neither RSA nor EC on the curve P-256")


def check_signature(encoded_key: bytes, signature: bytes, signed: bytes) -> None:
    """Check the signature of a login with a passkey.

    Args:
        encoded_key: the public key of the passkey, as :func:`encode_key` returned it.
        signed: the authenticator data, followed by the SHA-256 of clientDataJSON.

    Raises:
        Refusal: the signature was not made with the private key that belongs to the public key *encoded_key*, or that
            is not the public key of an algorithm which registration accepts.
    """
    key = decode_key(encoded_key)
    try:
        if isinstance(key, rsa.RSAPublicKey):
            key.verify(signature, signed, padding.PKCS1v15(), hashes.SHA256())
        else:
            key.verify(signature, signed, ec.ECDSA(hashes.SHA256()))
    except InvalidSignature:
        raise malformed("signature does not match the public key of the passkey") from None


def malformed(reason: str) -> Refusal:
    """Return the refusal of a credential: InvalidParameterException with *reason*."""
    return invalid_parameter(f"Invalid credential: {reason}.")
