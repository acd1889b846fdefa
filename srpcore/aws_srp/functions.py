"""The functions of pycognito's module ``aws_srp``. They pad hexadecimal *strings*, as pycognito does.

They exist for programs that were written for pycognito. This package does not use them: it encodes integers
(:mod:`srpcore.crypto.encoding`).
"""

from __future__ import annotations

import hashlib

from ..crypto import cognito
from ..crypto.device import device_verifier, new_device_password
from ..crypto.hkdf import hkdf
from ..crypto.randomness import system_random_bits

__all__ = [
    "G_HEX",
    "INFO_BITS",
    "MONTH_NAMES",
    "N_HEX",
    "WEEKDAY_NAMES",
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
INFO_BITS = bytearray(cognito.INFO)
WEEKDAY_NAMES = "Mon Tue Wed Thu Fri Sat Sun".split()
MONTH_NAMES = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()


def hash_sha256(buf: bytes | bytearray) -> str:
    """Return SHA-256 of *buf* as 64 hex digits."""
    return hashlib.sha256(buf).hexdigest()


def hex_hash(hex_string: str) -> str:
    """Return SHA-256 of the bytes that *hex_string* encodes, as 64 hex digits."""
    return hash_sha256(bytes.fromhex(hex_string))


def hex_to_long(hex_string: str) -> int:
    """Return the integer that *hex_string* encodes."""
    return int(hex_string, 16)


def long_to_hex(long_num: int) -> str:
    """Return *long_num* in hexadecimal, without leading zeros."""
    return f"{long_num:x}"


def get_random(nbytes: int) -> int:
    """Return an integer of *nbytes* random bytes."""
    return system_random_bits(8 * nbytes)


def pad_hex(long_int: int | str) -> str:
    """Return *long_int* in hexadecimal, with leading zeros so that the length is even and the top bit is 0."""
    digits = long_int if isinstance(long_int, str) else long_to_hex(long_int)
    if len(digits) % 2 == 1:
        return f"0{digits}"
    return f"00{digits}" if digits[0] in "89ABCDEFabcdef" else digits


def compute_hkdf(ikm: bytes | bytearray, salt: bytes | bytearray) -> bytes:
    """Return the first 16 bytes of HKDF-SHA-256 (RFC 5869) of *ikm* and *salt*, with Cognito's info string."""
    return hkdf(bytes(ikm), salt=bytes(salt), info=cognito.INFO, length=cognito.KEY_LENGTH)


def calculate_u(big_a: int, big_b: int) -> int:
    """Return ``u = SHA-256(pad(A) | pad(B))``."""
    return cognito.scrambling(big_a, big_b)


def generate_hash_device(device_group_key: str, device_key: str) -> tuple[str, dict[str, str]]:
    """Return a new device password, and the DeviceSecretVerifierConfig for it, a parameter of ConfirmDevice."""
    password = new_device_password()
    return password, device_verifier(device_group_key, device_key, password).as_parameter()
