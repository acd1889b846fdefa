"""The protocol as generators ("flows"), one subject in each module. They do no I/O.

A flow sends every request with :func:`ask` or :func:`fetch`. :mod:`srpcore.driver` runs a flow over a transport.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..exceptions.base import TransportError
from ..exceptions.reply import service_error
from ..protocol import Fetch, Flow, JsonObject, Operation, Reply

__all__ = ["ask", "fetch"]


# A parameter that is None is left out of the request, except for these. None for one of them is a mistake of the
# program. If it were left out, an operation for which the member is optional would do something else than the program
# wants: ChangePassword, for example, also works without PreviousPassword. So the None stays, and the transport refuses
# it.
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
    """Send the operation *name* and return the document of the reply.

    Args:
        name: the operation's name in the API reference.
        parameters: the members of the request. Those that are None are left out, except names, passwords, codes and
            access tokens.
        signed: whether to sign the request, as in :class:`Operation`.

    Raises:
        ServiceError: the service answered with an error.
    """
    given = {key: value for key, value in parameters.items() if value is not None or key in _NEVER_LEFT_OUT}
    reply: Reply = yield Operation(name, given, signed=signed)
    if reply.error is not None:
        raise service_error(reply, name)
    return reply.document


def fetch(url: str) -> Flow[bytes]:
    """Return the body of a GET of *url*.

    Raises:
        TransportError: the body could not be fetched.
    """
    try:
        body: bytes = yield Fetch(url)
    except TransportError as error:
        raise error.for_fetch() from error.__cause__
    return body
