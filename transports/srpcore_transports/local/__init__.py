"""An embedded user pool: the server side of Amazon Cognito, with real SRP and real RS256 tokens, in memory.

:class:`LocalUserPool` is a transport for calls in the same process, and can also serve the pool over HTTP. It checks
requests as the service does and answers with the service's exception names.
"""

from __future__ import annotations

from .custom_auth import CustomAuth
from .embedded import LocalUserPool
from .http_server import LocalServer
from .outbox import Message, Outbox
from .user_pool import UserPool

__all__ = ["CustomAuth", "LocalServer", "LocalUserPool", "Message", "Outbox", "UserPool"]
