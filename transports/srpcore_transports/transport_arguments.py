"""The type of the keyword arguments of the HTTP transports, for their signatures.

This is a module of its own because a TypedDict compiles its annotations when it is made. The transports import it for
type checkers only.
"""

from __future__ import annotations

import os
from typing import TypedDict

from .events import OnRequest, OnResponse

__all__ = ["TransportArguments"]


class TransportArguments(TypedDict, total=False):
    """The keyword arguments of :class:`~srpcore_transports.options.TransportOptions`."""

    use_fips: bool | None
    use_dualstack: bool | None
    timeout: float
    connect_timeout: float | None
    read_timeout: float | None
    total_timeout: float
    max_attempts: int
    ca_bundle: str | os.PathLike[str] | None
    whole_ca_bundle: bool | None
    max_response_size: int
    allow_http: bool | None
    on_request: OnRequest | None
    on_response: OnResponse | None
