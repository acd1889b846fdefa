"""The source of random bits that srpcore uses if the program gives none."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TypeAlias

__all__ = ["RandomBits", "system_random_bits"]

RandomBits: TypeAlias = Callable[[int], int]
"""A function of a number of bits that returns an integer of so many secret random bits."""


def system_random_bits(bits: int) -> int:
    """Return an integer of *bits* random bits from the operating system, by ``os.urandom()``.

    This is what ``secrets.randbits()`` does, without the modules ``secrets`` and ``random``, which are slow to import.
    The function is looked up in :mod:`os` at every call. A parameter whose default is ``os.urandom`` itself would keep
    the original function even if a test replaces it.
    """
    length = (bits + 7) // 8
    return int.from_bytes(os.urandom(length), "big") >> (8 * length - bits)
