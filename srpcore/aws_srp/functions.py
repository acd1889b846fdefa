"""pycognito's module-level functions. They pad hexadecimal *strings*, as pycognito's callers expect.

srpcore's own code encodes integers (:mod:`srpcore.crypto.encoding`) and uses none of them.
"""

from __future__ import annotations

import hashlib
import secrets

from ..crypto import cognito
from ..crypto.device import device_verifier, new_device_password
from ..crypto.hkdf import hkdf

__all__ = [
    "G_HEX",
    "N_HEX",
    "calculate_u",
    "compute_hkdf",
    "generate_hash_device",
    "get_random",
    "hash_sha256",
    "hex_hash",
    "hex_to_long",
    "long_to_hex",
    "pad_hex",
]

N_HEX = f"{cognito.GROUP.N:X}"
G_HEX = f"{cognito.GROUP.g:x}"


def hash_sha256(buf: bytes | bytearray) -> str:
    """Return SHA-256 of *buf* as 64 hex digits."""
    return hashlib.sha256(buf).hexdigest()


def hex_hash(hex_string: str) -> str:
    """Return SHA-256 of the bytes that *hex_string* spells, as 64 hex digits."""
    return hash_sha256(bytes.fromhex(hex_string))


def hex_to_long(hex_string: str) -> int:
    """Return the integer that *hex_string* spells."""
    return int(hex_string, 16)


def long_to_hex(long_num: int) -> str:
    """Return *long_num* as minimal hexadecimal."""
    return f"{long_num:x}"


def get_random(nbytes: int) -> int:
    """Return an integer of *nbytes* random bytes."""
    return secrets.randbits(8 * nbytes)


def pad_hex(long_int: int | str) -> str:
    """Return hexadecimal of even length whose top bit is clear: ``00`` or ``0`` is put in front where needed."""
    text = long_int if isinstance(long_int, str) else long_to_hex(long_int)
    if len(text) % 2 == 1:
        return f"0{text}"
    return f"00{text}" if text[0] in "89ABCDEFabcdef" else text


def compute_hkdf(ikm: bytes | bytearray, salt: bytes | bytearray) -> bytes:
    """Return the dialect's 16-byte key for *ikm* and *salt*."""
    return hkdf(bytes(ikm), salt=bytes(salt), info=cognito.INFO, length=cognito.KEY_LENGTH)


def calculate_u(big_a: int, big_b: int) -> int:
    """Return ``u = SHA-256(pad(A) | pad(B))``."""
    return cognito.scrambling(big_a, big_b)


def generate_hash_device(device_group_key: str, device_key: str) -> tuple[str, dict[str, str]]:
    """Return a fresh device password, and DeviceSecretVerifierConfig for ConfirmDevice."""
    password = new_device_password()
    return password, device_verifier(device_group_key, device_key, password).as_parameter()
