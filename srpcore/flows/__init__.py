"""What to ask the service, as generators: one subject a file. They yield through :func:`ask` and :func:`fetch`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..exceptions.reply import service_error
from ..protocol import Fetch, Flow, JsonObject, Operation, Reply

__all__ = ["ask", "fetch"]


# None for one of these is a mistake for the client to refuse, where the model happens to make the member optional too.
_NEVER_LEFT_OUT = frozenset(
    {
        "AccessToken",
        "Code",
        "ConfirmationCode",
        "GroupName",
        "Password",
        "PreviousPassword",
        "ProposedPassword",
        "UserCode",
        "Username",
    }
)


def ask(name: str, parameters: Mapping[str, Any], *, signed: bool | None = None) -> Flow[JsonObject]:
    """Ask for the operation *name* and return the answer's document; parameters that are None are left out.

    Those that say who asks, about whom and by what password or code never are. *signed* is as in :class:`Operation`.

    Raises:
        ServiceError: the service answered with an error.
    """
    given = {key: value for key, value in parameters.items() if value is not None or key in _NEVER_LEFT_OUT}
    reply: Reply = yield Operation(name, given, signed=signed)
    if reply.error is not None:
        raise service_error(reply, name)
    return reply.document


def fetch(url: str) -> Flow[bytes]:
    """Ask for the body at *url*."""
    body: bytes = yield Fetch(url)
    return body
