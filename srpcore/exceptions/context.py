"""Remove the original exception from an error of ours (``__context__``), because it may contain secrets.

``raise ... from None`` only hides the original exception: it is still the ``__context__`` of the new one, and a program
that reports errors with all their attributes would show it. The exceptions of parsers, codecs and HTTP clients contain
what they could not process: a password, a request, or half an answer with tokens.
"""

from __future__ import annotations

from contextlib import ContextDecorator
from types import TracebackType

from .base import SrpcoreError

__all__ = ["drop_context", "without_cause", "without_context"]


def drop_context(error: BaseException, *, cause: bool = False) -> None:
    """If *error* is a SrpcoreError that was raised with ``from``, remove its ``__context__``.

    With *cause*, remove its ``__cause__`` too. Call this only after *error* was raised: ``raise`` sets ``__context__``.
    """
    if isinstance(error, SrpcoreError) and error.__suppress_context__:
        error.__context__ = None
        if cause and error.__cause__ is not None:
            _release(error.__cause__)
            error.__cause__ = None


def _release(error: BaseException) -> None:
    """Clear the local variables of the functions that raised *error* and the exceptions behind it.

    urllib3 and botocore keep exceptions in local variables of the functions that raised them. Such a cycle would leave
    the failed connection open until the garbage collector runs.
    """
    from traceback import clear_frames  # slow to import

    seen: set[int] = set()
    chain: list[BaseException | None] = [error]
    while chain:
        behind = chain.pop()
        if behind is not None and id(behind) not in seen:
            seen.add(id(behind))
            clear_frames(behind.__traceback__)
            chain += [behind.__cause__, behind.__context__]


class _WithoutContext(ContextDecorator):
    """Calls :func:`drop_context` with each error that leaves the block or the function."""

    def __init__(self, *, cause: bool = False) -> None:
        self._cause = cause

    def __enter__(self) -> None:
        pass

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if error is not None:
            drop_context(error, cause=self._cause)


without_context = _WithoutContext()
"""Use it as ``with without_context:`` or ``@without_context``, around code that raises with ``from None``."""

without_cause = _WithoutContext(cause=True)
"""The same for ``raise ... from error``, if *error* may contain a secret."""
