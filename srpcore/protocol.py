"""What crosses the line between logic and I/O: requests, replies, and the two transport protocols.

A *flow* is a generator. It yields an :class:`Operation` (answered by a :class:`Reply`) or a :class:`Fetch`
(answered by bytes), and returns its result. It does no I/O; :mod:`srpcore.driver` carries the values.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from typing import Any, NamedTuple, NoReturn, Protocol, TypeAlias, TypeVar

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
]

T = TypeVar("T")

JsonObject: TypeAlias = dict[str, Any]
"""A JSON object as the service sends it; dates are aware datetimes."""


class Operation:
    """One call of the Cognito user pools API, by the name that the API reference gives it. Immutable.

    Args:
        name: the operation's name, for example ``InitiateAuth``.
        parameters: the request, as the API reference describes it.
        signed: whether the service demands a SigV4 signature. The service model knows this for every operation that
            it has; an operation that is newer than the model is signed unless you say otherwise.
    """

    __slots__ = ("name", "parameters", "signed")

    name: str
    parameters: Mapping[str, Any]
    signed: bool

    def __init__(self, name: str, parameters: Mapping[str, Any], *, signed: bool | None = None) -> None:
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
        # Without the parameters: there are secrets among them.
        return f"Operation(name={self.name!r})"

    def __reduce__(self) -> tuple[Any, ...]:
        return _operation, (self.name, self.parameters, self.signed)


def _operation(name: str, parameters: Mapping[str, Any], signed: bool) -> Operation:
    return Operation(name, parameters, signed=signed)


class Fetch(NamedTuple):
    """One unauthenticated GET, of a JSON Web Key Set."""

    url: str


class Reply:
    """One answer of the service in botocore's shape: the document, with ``ResponseMetadata`` in it.

    An error is a reply too: its document has ``Error`` with ``Code`` and ``Message``.
    ``raised`` is the exception class of the client under the transport, where it raised one for this answer.
    """

    # Not a dataclass: the module `dataclasses` takes longer to load than the whole protocol, and cold starts load this.
    __slots__ = ("document", "raised")

    document: JsonObject
    raised: type[Exception] | None

    def __init__(self, document: JsonObject, raised: type[Exception] | None = None) -> None:
        object.__setattr__(self, "document", document)
        object.__setattr__(self, "raised", raised)

    def __setattr__(self, attribute: str, value: object) -> NoReturn:
        raise AttributeError(f"cannot assign to {attribute!r}: a Reply is immutable")

    def __delattr__(self, attribute: str) -> NoReturn:
        raise AttributeError(f"cannot delete {attribute!r}: a Reply is immutable")

    # Without __hash__, because the document can be changed: a class with __eq__ alone is not hashable.
    def __eq__(self, other: object) -> bool:
        return self.document == other.document if isinstance(other, Reply) else NotImplemented

    def __reduce__(self) -> tuple[Any, ...]:
        return Reply, (self.document, self.raised)

    def __repr__(self) -> str:
        # Without the document: it contains tokens.
        return "Reply()"

    @property
    def status(self) -> int:
        """The HTTP status; 200 where the transport named none."""
        return int(self.document.get("ResponseMetadata", {}).get("HTTPStatusCode", 200))

    @property
    def request_id(self) -> str | None:
        """The service's id of the request, for a support case."""
        request_id = self.document.get("ResponseMetadata", {}).get("RequestId")
        return None if request_id is None else str(request_id)

    @property
    def error(self) -> Mapping[str, str] | None:
        """``{"Code": ..., "Message": ...}`` of an error document, else None."""
        error: Mapping[str, str] | None = self.document.get("Error")
        return error


class CallMethod:
    """A request to call a method of the program's object: one that a subclass or a program has put in place of ours.

    On an event loop the method is a coroutine function, and the driver awaits what it returns.
    """

    __slots__ = ("function",)

    def __init__(self, function: Callable[[], Any]) -> None:
        self.function = function


class CallBlocking:
    """A request to call a function that may block, such as one that writes a file; in a thread on an event loop."""

    __slots__ = ("function",)

    def __init__(self, function: Callable[[], Any]) -> None:
        self.function = function


Request: TypeAlias = Operation | Fetch | CallMethod | CallBlocking

# The type of what is sent in depends on what was yielded (a Reply or bytes), which no annotation of a generator
# can say; flows.ask and flows.fetch are the two places that yield, and they give it its type back.
Flow: TypeAlias = Generator[Request, Any, T]


class Transport(Protocol):
    """What carries a flow's requests, synchronously. Every transport is also a context manager."""

    def call(self, operation: Operation) -> Reply:
        """Return the service's answer, an error document included; raise TransportError where there is none."""
        ...

    def fetch(self, url: str) -> bytes:
        """Return the body of a GET that answered 200; raise TransportError otherwise."""
        ...

    def close(self) -> None:
        """Release what the transport holds; a later call opens it anew."""
        ...


class AsyncTransport(Protocol):
    """What carries a flow's requests on an event loop."""

    async def call(self, operation: Operation) -> Reply:
        """Return the service's answer, an error document included; raise TransportError where there is none."""
        ...

    async def fetch(self, url: str) -> bytes:
        """Return the body of a GET that answered 200; raise TransportError otherwise."""
        ...

    async def close(self) -> None:
        """Release what the transport holds; a later call opens it anew."""
        ...
