"""An authenticator and the browser before it, in software, after W3C Web Authentication level 3: ES256 and RS256."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa


def b64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def head(major: int, length: int) -> bytes:
    if length < 24:
        return bytes([major << 5 | length])
    return bytes([major << 5 | 24, length]) if length < 256 else bytes([major << 5 | 25]) + length.to_bytes(2, "big")


def cbor(value: Any) -> bytes:
    """Encode what authenticators send."""
    if isinstance(value, int):
        return head(0, value) if value >= 0 else head(1, -1 - value)
    if isinstance(value, bytes):
        return head(2, len(value)) + value
    if isinstance(value, str):
        return head(3, len(value.encode())) + value.encode()
    return head(5, len(value)) + b"".join(cbor(key) + cbor(item) for key, item in value.items())


@dataclass
class Authenticator:
    """One credential. Attributes may be set to what a test wants to see refused."""

    origin: str = "http://localhost:8000"
    rs256: bool = False
    flags: int = 0x05  # user present, user verified
    sign_count: int = 0
    counts: bool = True
    fmt: str = "none"
    id: bytes = field(default_factory=lambda: secrets.token_bytes(16))
    client_data: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.ec_key = ec.generate_private_key(ec.SECP256R1())
        self.rsa_key = rsa.generate_private_key(65537, 2048) if self.rs256 else None
        self.user_handle = ""

    def cose_key(self) -> dict[int, Any]:
        if self.rsa_key is not None:
            numbers = self.rsa_key.public_key().public_numbers()
            return {1: 3, 3: -257, -1: numbers.n.to_bytes(256, "big"), -2: numbers.e.to_bytes(3, "big")}
        point = self.ec_key.public_key().public_numbers()
        return {1: 2, 3: -7, -1: 1, -2: point.x.to_bytes(32, "big"), -3: point.y.to_bytes(32, "big")}

    def data(self, party: str, flags: int, credential: bytes = b"") -> bytes:
        return (
            hashlib.sha256(party.encode()).digest() + bytes([flags]) + self.sign_count.to_bytes(4, "big") + credential
        )

    def collected(self, kind: str, challenge: str) -> bytes:
        values = {"type": kind, "challenge": challenge, "origin": self.origin, "crossOrigin": False}
        return json.dumps({**values, **self.client_data}).encode()

    def create(self, options: Mapping[str, Any]) -> dict[str, Any]:
        """Answer ``navigator.credentials.create`` with a RegistrationResponseJSON."""
        self.user_handle = options["user"]["id"]
        key = bytes(16) + len(self.id).to_bytes(2, "big") + self.id + cbor(self.cose_key())
        attestation = {
            "fmt": self.fmt,
            "attStmt": {},
            "authData": self.data(options["rp"]["id"], self.flags | 0x40, key),
        }
        response = {
            "clientDataJSON": b64url(self.collected("webauthn.create", options["challenge"])),
            "attestationObject": b64url(cbor(attestation)),
            "transports": ["internal"],
        }
        return {**self._credential(), "authenticatorAttachment": "platform", "response": response}

    def get(self, options: Mapping[str, Any]) -> dict[str, Any]:
        """Answer ``navigator.credentials.get`` with an AuthenticationResponseJSON."""
        self.sign_count += self.counts
        data, collected = self.data(options["rpId"], self.flags), self.collected("webauthn.get", options["challenge"])
        signed = data + hashlib.sha256(collected).digest()
        if self.rsa_key is not None:
            signature = self.rsa_key.sign(signed, padding.PKCS1v15(), hashes.SHA256())
        else:
            signature = self.ec_key.sign(signed, ec.ECDSA(hashes.SHA256()))
        response = {
            "clientDataJSON": b64url(collected),
            "authenticatorData": b64url(data),
            "signature": b64url(signature),
            "userHandle": self.user_handle,
        }
        return {**self._credential(), "response": response}

    def _credential(self) -> dict[str, Any]:
        name = b64url(self.id)
        return {"id": name, "rawId": name, "type": "public-key", "clientExtensionResults": {}}
