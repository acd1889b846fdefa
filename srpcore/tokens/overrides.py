"""The type of the arguments of ``verify`` that override a verifier's policy.

This is a module of its own because a TypedDict compiles its annotations when it is made. A process that only verifies
tokens does not import it: the verifier needs it for type checkers only.
"""

from __future__ import annotations

from typing import TypedDict

from .policy import CustomCheck, Strings, TokenUse

__all__ = ["Overrides"]


class Overrides(TypedDict, total=False):
    """The parts of a verifier's policy that one call of ``verify`` can override."""

    client_id: Strings | None
    token_use: TokenUse | None
    groups: Strings | None
    scope: Strings | None
    leeway: float
    custom_check: CustomCheck | None
    issuers: Strings | None
