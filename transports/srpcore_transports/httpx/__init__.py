"""The transports over httpx: a blocking one, and one that runs on the event loop.

They need the extra ``httpx``. Importing this package does not import httpx, because that would block an event loop; the
first call does, in a thread if it is made on an event loop.
"""

from __future__ import annotations

from .blocking import HttpxTransport
from .event_loop import AsyncHttpxTransport

__all__ = ["AsyncHttpxTransport", "HttpxTransport"]
