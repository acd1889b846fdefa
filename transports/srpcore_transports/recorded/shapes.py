"""Values that are new at every login, so replay checks only their form: SRP's proof, the time, a device's verifier.

The client's secret *a* is never recorded. Together with B, the salt and the claim it would allow to test guesses of the
password offline.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from srpcore.crypto.cognito import GROUP
from srpcore.crypto.encoding import parse_public_value
from srpcore.exceptions.base import UnsafeServerValue

__all__ = ["SHAPES", "shape_of"]

_TIMESTAMP: Final = re.compile(
    r"(Mon|Tue|Wed|Thu|Fri|Sat|Sun) (Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) "
    r"([1-9]|[12][0-9]|3[01]) ([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9] UTC [0-9]{4}"
)
_CLAIM_BYTES = 32
_MAX_SALT_BYTES = 64


def _is_public_value(text: str) -> bool:
    try:
        return parse_public_value(text, GROUP.N, name="SRP_A") > 1
    except UnsafeServerValue:
        return False


def _bytes(text: str) -> bytes:
    try:
        return base64.b64decode(text.encode("ascii"), validate=True)
    except (binascii.Error, UnicodeEncodeError):
        return b""


def _is_claim(text: str) -> bool:
    return len(_bytes(text)) == _CLAIM_BYTES


def _is_verifier(text: str) -> bool:
    return 1 < int.from_bytes(_bytes(text), "big") < GROUP.N


def _is_salt(text: str) -> bool:
    return 0 < len(_bytes(text)) <= _MAX_SALT_BYTES


SHAPES: Final[Mapping[str, Callable[[str], bool]]] = MappingProxyType(
    {
        "SRP_A": _is_public_value,
        "PASSWORD_CLAIM_SIGNATURE": _is_claim,
        "TIMESTAMP": lambda text: bool(_TIMESTAMP.fullmatch(text)),
        "PasswordVerifier": _is_verifier,
        "Salt": _is_salt,
    }
)
"""The members of requests that are new every time, each with a function that checks the form of a value."""


def shape_of(member: str) -> str:
    """Return what replaces a value of *member* that has the right form in a cassette, such as ``<SRP_A>``."""
    return f"<{member}>"
