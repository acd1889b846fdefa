"""The values that replay uses for placeholders: well-formed, made up, and recognizable as such."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from srpcore.crypto.cognito import GROUP

from .placeholders import label_and_number

__all__ = ["synthetic_value"]


def _uuid(number: int) -> str:
    return f"00000000-0000-4000-8000-{number:012d}"


_BY_LABEL: Final[Mapping[str, Callable[[int], str]]] = MappingProxyType(
    {
        # Any B between 0 and N works, because the proof is not checked.
        "SRP_B": lambda number: f"{GROUP.N // 2 + number:x}",
        "SALT": lambda number: f"{number:032x}",
        "SecretBlock": lambda number: base64.b64encode(f"replayed secret block {number}".encode()).decode(),
        "SecretCode": lambda number: base64.b32encode(f"replayed secret {number:04d}".encode()).decode(),
        "Code": lambda number: f"{number:06d}",
        "DeviceKey": lambda number: f"us-east-1_{_uuid(number)}",
        "DeviceGroupKey": lambda number: f"-replayed{number}",
        # The service model requires at least 20 characters.
        "Session": lambda number: f"replayed-session-number-{number}",
        "UserPoolId": lambda number: f"us-east-1_Replayed{number}",
        "ClientId": lambda number: f"replayedclient{number}",
        "sub": _uuid,
        "email": lambda number: f"email-{number}@example.com",
        "phone_number": lambda number: f"+1555{number:07d}",
    }
)


def synthetic_value(placeholder: str) -> str:
    """Return a value for *placeholder*, for the case that the program has not sent one."""
    label, number = label_and_number(placeholder)
    make = _BY_LABEL.get(label)
    return f"{label}-{number}" if make is None else make(number)
