"""``AWSSRP``, and the functions of pycognito's module ``aws_srp``, under the names that pycognito uses."""

from __future__ import annotations

from .client import AWSSRP
from .device_response import DeviceResponse
from .functions import (
    G_HEX,
    INFO_BITS,
    MONTH_NAMES,
    N_HEX,
    WEEKDAY_NAMES,
    calculate_u,
    compute_hkdf,
    generate_hash_device,
    get_random,
    hash_sha256,
    hex_hash,
    hex_to_long,
    long_to_hex,
    pad_hex,
)

__all__ = [
    "AWSSRP",
    "G_HEX",
    "INFO_BITS",
    "MONTH_NAMES",
    "N_HEX",
    "WEEKDAY_NAMES",
    "DeviceResponse",
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
