"""Why a store of logins cannot be used. None of these holds anything of what is in the store."""

from __future__ import annotations

from .base import SrpcoreError

__all__ = ["StoreCorrupt", "StoreError", "StoreLocked", "StoreUnsafe"]


class StoreError(SrpcoreError):
    """The store cannot be read or written: what it held before is still in it."""


class StoreUnsafe(StoreError):
    """The store's file or folder is a link, another user's, or open to others: it was neither read nor written."""


class StoreCorrupt(StoreError, ValueError):
    """What is in the store is no login. It was left as it is."""


class StoreLocked(StoreError, TimeoutError):
    """Another thread or program held the lock for too long."""
