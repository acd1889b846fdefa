"""Checks of the numbers that a program passes to a transport."""

from __future__ import annotations

import math

from srpcore.exceptions.base import ConfigurationError

__all__ = ["seconds", "whole_number"]


def seconds(name: str, value: float, *, allow_infinity: bool = False) -> float:
    """Return *value* as a float if it is a positive number of seconds.

    Args:
        name: the argument's name, for the message.
        value: the number.
        allow_infinity: whether ``math.inf`` is accepted, which means no limit.

    Raises:
        ConfigurationError: *value* is not a positive number.
    """
    # The exact types: bool is a subclass of int, and timeout=True is a mistake.
    if type(value) not in (int, float) or not value > 0 or (math.isinf(value) and not allow_infinity):
        raise ConfigurationError(f"{name} must be a positive number of seconds")
    return float(value)


def whole_number(name: str, value: int, *, at_least: int) -> int:
    """Return *value* if it is an ``int`` of *at_least* or more.

    Args:
        name: the argument's name, for the message.
        value: the number.
        at_least: the smallest accepted number.

    Raises:
        ConfigurationError: *value* is not an integer, or is too small.
    """
    if type(value) is not int or value < at_least:
        raise ConfigurationError(f"{name} must be a whole number, {at_least} or more")
    return value
