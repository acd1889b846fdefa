"""The interface between the protocol and I/O: requests, replies, and the two kinds of transport.

A *flow* is a generator. It yields a request and is resumed with the answer; at the end it returns its result. It does
no I/O: :mod:`srpcore.driver` carries out the requests::

    the flow yields         what the driver does                    the answer
    Operation               transport.call: the service             Reply
    Fetch                   transport.fetch: a GET                  the body, as bytes
    CallMethod              calls a method that a program replaced  its result
    CallBlocking            calls a function that may block         its result
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from typing import Any, NoReturn, Protocol, TypeAlias, TypeVar, cast

from ._values import Value
from .service_model import UNSIGNED

__all__ = [
    "AsyncTransport",
    "CallBlocking",
    "CallMethod",
    "Fetch",
    "Flow",
    "JsonObject",
    "Operation",
    "Reply",
    "Request",
    "Transport",
    "is_operation_name",
]

T = TypeVar("T")

JsonObject: TypeAlias = dict[str, Any]
"""A JSON object of the service. Dates in it are aware datetimes."""


class Operation:
    """One call of the Cognito user pools API. Immutable.

    Args:
        name: the operation's name in the API reference, for example ``InitiateAuth``.
        parameters: the members of the request.
        signed: whether to sign the request with SigV4. By default the service model decides. An operation that the
            model does not have, because it is newer, is signed.
    """

    __slots__ = ("name", "parameters", "signed")

    name: str
    parameters: Mapping[str, Any]
    signed: bool

    def __init__(self, name: str, parameters: Mapping[str, object], *, signed: bool | None = None) -> None:
        object.__setattr__(self, "name", name)
        object.__setattr__(self, "parameters", parameters)
        object.__setattr__(self, "signed", name not in UNSIGNED if signed is None else signed)

    def __setattr__(self, attribute: str, value: object) -> NoReturn:
        raise AttributeError(f"cannot assign to {attribute!r}: an Operation is immutable")

    def __delattr__(self, attribute: str) -> NoReturn:
        raise AttributeError(f"cannot delete {attribute!r}: an Operation is immutable")

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Operation):
            return NotImplemented
        return (self.name, self.parameters, self.signed) == (other.name, other.parameters, other.signed)

    def __hash__(self) -> int:
        return hash((self.name, self.signed))

    def __repr__(self) -> str:
        # Leave the parameters out, because some of them are secrets.
        return f"Operation(name={self.name!r})"

    def __reduce__(self) -> tuple[Any, ...]:
        return _operation, (self.name, self.parameters, self.signed)


def is_operation_name(name: object) -> bool:
    """Return whether *name* has the form of an operation's name: up to 128 ASCII letters and digits, a letter first.

    A transport must check this before it uses the name in a header or as a method name.
    """
    return isinstance(name, str) and name.isascii() and name.isalnum() and name[0].isalpha() and len(name) <= 128


def _operation(name: str, parameters: Mapping[str, object], signed: bool) -> Operation:
    return Operation(name, parameters, signed=signed)


class Fetch(Value):
    """A GET request for a JSON Web Key Set, without authentication."""

    __slots__ = ("url",)

    url: str

    def __init__(self, url: str) -> None:
        self._set(url=url)


class Reply:
    """A reply of the service, in the shape that botocore gives it.

    An error is a reply too. Then ``document`` has the member ``Error``, with ``Code`` and ``Message``.

    Attributes:
        error: None if the operation succeeded, else the member ``Error`` of the document. It is empty if the document
            has no such object, for example because a program's test raised an error without one.

    Args:
        document: the JSON object, with the member ``ResponseMetadata`` added.
        raised: the class of the exception that the client under the transport (botocore) raised for this reply, or
            None. A reply with an exception is always an error.
        failed: whether the reply is an error. By default it is one if the document has the member ``Error``. A
            transport that knows it otherwise must give it, because the document may be any object, such as a mock.
    """

    # Not a dataclass: the module `dataclasses` takes longer to load than the whole protocol, and cold starts load this.
    __slots__ = ("document", "error", "raised")

    document: JsonObject
    error: Mapping[str, str] | None
    raised: type[Exception] | None

    def __init__(
        self, document: JsonObject, raised: type[Exception] | None = None, *, failed: bool | None = None
    ) -> None:
        if failed is None:
            # A mock is not an error, although it has every member.
            has_error = isinstance(document, dict) and document.get("Error") is not None  # pyright: ignore[reportUnnecessaryIsInstance]
            failed = raised is not None or has_error
        object.__setattr__(self, "document", document)
        object.__setattr__(self, "error", _member(document, "Error") if failed else None)
        object.__setattr__(self, "raised", raised)

    def __setattr__(self, attribute: str, value: object) -> NoReturn:
        raise AttributeError(f"cannot assign to {attribute!r}: a Reply is immutable")

    def __delattr__(self, attribute: str) -> NoReturn:
        raise AttributeError(f"cannot delete {attribute!r}: a Reply is immutable")

    # Without __hash__, because the document can be changed: a class with __eq__ alone is not hashable.
    def __eq__(self, other: object) -> bool:
        return self.document == other.document if isinstance(other, Reply) else NotImplemented

    def __reduce__(self) -> tuple[Any, ...]:
        return _reply, (self.document, self.raised, self.error is not None)

    def __repr__(self) -> str:
        # Without the document: it contains tokens.
        return "Reply()"

    @property
    def status(self) -> int:
        """The HTTP status, or 200 if the transport did not provide one."""
        status = _member(self.document, "ResponseMetadata").get("HTTPStatusCode")
        return status if isinstance(status, int) else 200

    @property
    def request_id(self) -> str | None:
        """The service's id of the request. AWS support asks for it."""
        request_id = _member(self.document, "ResponseMetadata").get("RequestId")
        return None if request_id is None else str(request_id)


def _reply(document: JsonObject, raised: type[Exception] | None, failed: bool) -> Reply:
    return Reply(document, raised, failed=failed)


def _member(document: object, name: str) -> JsonObject:
    """Return the JSON object *name* in *document*, or an empty dictionary if there is none."""
    found = cast(JsonObject, document).get(name) if isinstance(document, dict) else None
    return cast(JsonObject, found) if isinstance(found, dict) else {}


class CallMethod:
    """A request to call a method that a subclass or a program has replaced.

    On an event loop the method is a coroutine method, and the driver awaits its result.
    """

    __slots__ = ("function",)

    def __init__(self, function: Callable[[], object]) -> None:
        self.function = function


class CallBlocking:
    """A request to call a function that may block, for example because it writes a file.

    :func:`~srpcore.driver.run` calls it directly, :func:`~srpcore.driver.arun` by its *offload*, normally in a thread.
    """

    __slots__ = ("function",)

    def __init__(self, function: Callable[[], object]) -> None:
        self.function = function


Request: TypeAlias = Operation | Fetch | CallMethod | CallBlocking

# The type of the answer depends on the request (a Reply for an Operation, bytes for a Fetch). The annotation of a
# generator cannot express that, so it is Any. The code that yields a request annotates the answer.
Flow: TypeAlias = Generator[Request, Any, T]


class Transport(Protocol):
    """A synchronous transport. The transports of this package are context managers as well.

    A transport may also have a method ``prepare(*, connect: bool)``, which ``Cognito.prepare()`` calls.
    """

    def call(self, operation: Operation) -> Reply:
        """Send *operation* and return the reply, even if it is an error. Without a reply, raise TransportError."""
        ...

    def fetch(self, url: str) -> bytes:
        """Send a GET request and return the body. Without a reply of status 200, raise TransportError."""
        ...

    def close(self) -> None:
        """Release the connections. A later call opens them again."""
        ...


class AsyncTransport(Protocol):
    """An asynchronous transport, for an event loop. ``prepare``, if it has one, is a coroutine method."""

    async def call(self, operation: Operation) -> Reply:
        """Send *operation* and return the reply, even if it is an error. Without a reply, raise TransportError."""
        ...

    async def fetch(self, url: str) -> bytes:
        """Send a GET request and return the body. Without a reply of status 200, raise TransportError."""
        ...

    async def close(self) -> None:
        """Release the connections. A later call opens them again."""
        ...
