"""Read environment variables, as AWS SDKs do: an empty one counts as not set."""

from __future__ import annotations

import os

__all__ = ["flag", "variable"]


def variable(*names: str) -> str | None:
    """Return the value of the first variable of *names* that is set and not empty, or None."""
    return next((os.environ[name] for name in names if os.environ.get(name)), None)


def flag(name: str) -> bool:
    """Return whether the variable *name* is ``true``, in upper or lower case."""
    return os.environ.get(name, "").lower() == "true"
