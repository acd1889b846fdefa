"""An embedded user pool: the server side of Amazon Cognito, with real SRP and real RS256 tokens.

:class:`LocalUserPool` is a transport for calls in the same process, and can also serve the pool over HTTP. It checks
requests as the service does and answers with the service's exception names.

Raises:
    ModuleNotFoundError: PyJWT, cryptography or msgspec is not installed (extra ``srpcore[local]``).
"""

from __future__ import annotations

# The packages and modules. Each imports only those above it (tests/transports/local/test_layers.py):
#
#   api           the API of the service: shapes of requests, validation, errors
#   model         records, and the rules that need nothing but data
#   steps         handlers that compute outside of their transaction
#   triggers      Lambda triggers: call them, and check what they return
#   storage       tables in SQLite; Service (what all requests share) and State (what one request sees)
#   auth          what several operations need for a login: next step, factors, tokens
#   operations    the operations, their table, and the dispatch of one call
#   http          the server: sockets, requests, signatures, page, control endpoint
#   well_known    the public documents of a pool: key set, OpenID configuration
#   embedded      LocalUserPool, the transport
#   user_pool     UserPool: shortcuts for tests
#   cli           srpcore serve, srpcore demo, srpcore pool

try:
    import cryptography as _cryptography  # noqa: F401 # pyright: ignore[reportUnusedImport]
    import jwt as _jwt  # noqa: F401 # pyright: ignore[reportUnusedImport]
    import msgspec as _msgspec  # noqa: F401 # pyright: ignore[reportUnusedImport]
except ModuleNotFoundError as error:
    # The module jwt is in the package PyJWT. The package that has the name jwt is a different one.
    _package = "PyJWT" if error.name == "jwt" else error.name
    _message = f"srpcore_transports.local needs {_package}: pip install 'srpcore[local]'"
    raise ModuleNotFoundError(_message, name=error.name) from error

from .embedded import LocalUserPool
from .http.server import LocalServer
from .model.outbox import Message, Outbox
from .triggers.configuration import Triggers
from .user_pool import UserPool

__all__ = ["LocalServer", "LocalUserPool", "Message", "Outbox", "Triggers", "UserPool"]
