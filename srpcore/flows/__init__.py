"""The protocol as generators ("flows"), one subject in each module. They do no I/O.

A flow sends every request with :func:`ask` or :func:`fetch`. :mod:`srpcore.driver` runs a flow over a transport.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, cast

from ..exceptions.base import TransportError, UnsafeServerValue
from ..protocol import Fetch, Flow, JsonObject, Operation, Reply

__all__ = ["ask", "fetch", "is_json", "object_list", "require_object", "require_string", "user_attributes"]


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
        # Imported here, because it makes the 70 classes of the service's errors, and most logins succeed.
        from ..exceptions.reply import service_error

        raise service_error(reply, name, given.get("AuthFlow"))
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


# No transport compares a reply with the service model. The functions below do it for the members that we use. A value
# that is not of a JSON type is returned as it is: it cannot be from the service, but is a mock of a program's test.


def is_json(value: object) -> bool:
    """Return whether *value* has a type that a member of a JSON object can have."""
    return value is None or isinstance(value, str | int | float | list | Mapping)


def require_string(document: Mapping[str, Any], name: str) -> str:
    """Return the string *name* of *document*.

    Raises:
        UnsafeServerValue: it is missing, empty or not a string.
    """
    value: object = document.get(name)
    if is_json(value) and (not isinstance(value, str) or not value):
        raise UnsafeServerValue(f"unsafe value from the server: {name} must be a string that is not empty")
    return cast(str, value)


def require_object(document: JsonObject, name: str) -> JsonObject:
    """Return the JSON object *name* of *document*.

    Raises:
        UnsafeServerValue: it is missing or not a JSON object.
    """
    value: object = document.get(name)
    if is_json(value) and not isinstance(value, Mapping):
        raise UnsafeServerValue(f"unsafe value from the server: {name} must be a JSON object")
    return cast(JsonObject, value)


def object_list(document: JsonObject, name: str) -> list[JsonObject]:
    """Return the list of JSON objects *name* of *document*, which is empty if it is missing.

    Raises:
        UnsafeServerValue: it is not a list of JSON objects.
    """
    values: object = document.get(name)
    if values is None:
        return []
    if not is_json(values):
        return list(cast(Iterable[JsonObject], values))
    if not isinstance(values, list) or not all(isinstance(item, Mapping) for item in cast(list[object], values)):
        raise UnsafeServerValue(f"unsafe value from the server: {name} must be a list of JSON objects")
    return cast(list[JsonObject], values)


def user_attributes(user: JsonObject, name: str) -> list[dict[str, Any]]:
    """Return the user's attributes *name* of *user*: a list of objects, each with Name and Value.

    Raises:
        UnsafeServerValue: it is not such a list, or the name of an attribute is not a string.
    """
    attributes = object_list(user, name)
    if not all(isinstance(attribute.get("Name"), str | None) for attribute in attributes):
        raise UnsafeServerValue(f"unsafe value from the server: {name} has a Name that is not a string")
    return attributes
