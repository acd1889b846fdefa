"""An embedded user pool: the server side of Amazon Cognito, with real SRP and real RS256 tokens.

:class:`LocalUserPool` is a transport for calls in the same process, and can also serve the pool over HTTP. It checks
requests as the service does and answers with the service's exception names.

Raises:
    ModuleNotFoundError: PyJWT, cryptography or msgspec is not installed (extra ``srpcore[local]``).
"""

from __future__ import annotations

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
from .triggers.invocation import Triggers
from .user_pool import UserPool

__all__ = ["LocalServer", "LocalUserPool", "Message", "Outbox", "Triggers", "UserPool"]
