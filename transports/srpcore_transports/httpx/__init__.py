"""The transports over httpx: a blocking one, and one that runs on the event loop itself.

They need the extra ``httpx``, which the first call loads and not this package: on an event loop even that would block.
"""

from __future__ import annotations

from .blocking import HttpxTransport
from .event_loop import AsyncHttpxTransport

__all__ = ["AsyncHttpxTransport", "HttpxTransport"]
