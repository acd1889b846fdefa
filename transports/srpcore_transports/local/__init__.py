"""The embedded local user pool: the server's half of everything, with real SRP and real RS256 tokens.

:class:`LocalUserPool` is a transport in process, and serves HTTP. It refuses what the service refuses.
"""

from __future__ import annotations

from .custom_auth import CustomAuth
from .embedded import LocalUserPool
from .http_server import LocalServer
from .outbox import Message, Outbox

__all__ = ["CustomAuth", "LocalServer", "LocalUserPool", "Message", "Outbox"]
