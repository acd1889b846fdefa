"""The cryptography: pure, with no I/O and no third-party dependency.

:mod:`.srp` is generic SRP-6a, :mod:`.cognito` and :mod:`.device` the service's dialect, both sides of each;
:mod:`.modexp` is the one place where a secret exponent is used, :mod:`.encoding` the one place where integers and
texts become bytes.
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
