"""Protect the routes of a web framework with bearer tokens: one small module for each framework.

Each module imports only its own framework, and ``import srpcore`` imports none of them. The common part is in
:mod:`~srpcore.frameworks.bearer`: it takes the token from a request and maps errors to HTTP statuses.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import ModuleType

    from . import aws_lambda, fastapi, flask, powertools, rest_framework, starlette

# The public modules. They are imported lazily, because each needs its framework.
__all__ = ["aws_lambda", "fastapi", "flask", "powertools", "rest_framework", "starlette"]

if not TYPE_CHECKING:

    def __getattr__(name: str) -> ModuleType:
        if name in __all__:
            return import_module(f"{__name__}.{name}")
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
