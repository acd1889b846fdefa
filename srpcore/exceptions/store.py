"""Errors of the stores that keep a login. They never contain anything of the stored login."""

from __future__ import annotations

from .base import SrpcoreError

__all__ = ["StoreConflict", "StoreCorrupt", "StoreError", "StoreLocked", "StoreUnsafe"]


class StoreError(SrpcoreError):
    """The store cannot be read or written. Its old content is unchanged.

    If a database did not answer, it has the old content or the new one.
    """


class StoreUnsafe(StoreError):
    """The file or folder of the store is a link, belongs to another user, or is accessible to others.

    It was neither read nor written. Check who changed it, then delete it and log in again.
    """


class StoreCorrupt(StoreError, ValueError):
    """The content of the store is not a login. It was not changed."""


class StoreLocked(StoreError, TimeoutError):
    """Another thread or process holds the lock of the store and did not release it in time."""


class StoreConflict(StoreError):
    """Another process has changed a login while the caller held its lock, or after that lock had ended by itself.

    The newer login was not replaced: load it again. Only stores whose lock ends by itself raise this. A refresh handles
    it: it uses the newer login.
    """
