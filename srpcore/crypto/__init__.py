"""The cryptography: pure Python with no I/O and no required dependency.

- :mod:`.srp`: generic SRP-6a, both sides, with any group and hash.
- :mod:`.cognito` and :mod:`.device`: Cognito's dialect of it for users and for devices, both sides.
- :mod:`.modexp`: modular exponentiation. It is the only module that computes with secret exponents.
- :mod:`.encoding`: the conversion of integers and strings to bytes and back. No other module does it for the dialect.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import ModuleType

    from . import cognito, device, groups, hkdf, modexp, randomness, secret_hash, srp, totp

# The public modules. They are imported lazily, because a process that only verifies tokens needs none of them.
__all__ = ["cognito", "device", "groups", "hkdf", "modexp", "randomness", "secret_hash", "srp", "totp"]

if not TYPE_CHECKING:

    def __getattr__(name: str) -> ModuleType:
        if name in __all__:
            return import_module(f"{__name__}.{name}")
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
