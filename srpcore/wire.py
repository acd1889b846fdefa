"""What crosses the line between logic and I/O: requests, replies, and the two transport protocols.

A *flow* is a generator. It yields an :class:`Operation` (answered by a :class:`Reply`) or a :class:`Fetch`
(answered by bytes), and returns its result. It does no I/O; :mod:`srpcore.drive` carries the values.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Generator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeAlias, TypeVar

__all__ = [
    "UNSIGNED",
    "AsyncTransport",
    "Awaiting",
    "Document",
    "Fetch",
    "Flow",
    "Operation",
    "Reply",
    "Request",
    "Transport",
]

T = TypeVar("T")

Document: TypeAlias = dict[str, Any]
"""A JSON object as the service sends it; dates are aware datetimes."""

UNSIGNED = frozenset(
    """
    AssociateSoftwareToken ChangePassword CompleteWebAuthnRegistration ConfirmDevice ConfirmForgotPassword
    ConfirmSignUp DeleteUser DeleteUserAttributes DeleteWebAuthnCredential ForgetDevice ForgotPassword GetDevice
    GetTokensFromRefreshToken GetUser GetUserAttributeVerificationCode GetUserAuthFactors GlobalSignOut InitiateAuth
    ListDevices ListUserSessions ListWebAuthnCredentials ResendConfirmationCode RespondToAuthChallenge RevokeToken
    RevokeUserSession SetUserMFAPreference SetUserSettings SignUp StartWebAuthnRegistration UpdateAuthEventFeedback
    UpdateDeviceStatus UpdateUserAttributes VerifySoftwareToken VerifyUserAttribute
    """.split()
)
"""The operations that the service model marks as needing no AWS signature: log in looks for no credentials."""


@dataclass(frozen=True, slots=True)
class Operation:
    """One call of the Cognito user pools API, by the name the API reference gives it."""

    name: str
    parameters: Mapping[str, Any] = field(repr=False)

    @property
    def signed(self) -> bool:
        """Whether the service demands a SigV4 signature: a property of the operation, never of the caller."""
        return self.name not in UNSIGNED


@dataclass(frozen=True, slots=True)
class Fetch:
    """One unauthenticated GET, of a JSON Web Key Set."""

    url: str


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer of the service in botocore's shape: the document, with ``ResponseMetadata`` in it.

    An error is a reply too: its document has ``Error`` with ``Code`` and ``Message``.
    ``raised`` is the exception class of the client under the transport, where it raised one for this answer.
    """

    document: Document = field(repr=False)
    raised: type[Exception] | None = field(default=None, repr=False, compare=False)

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


@dataclass(frozen=True, slots=True)
class Awaiting:
    """A coroutine function of an asynchronous facade's own, for the asynchronous driver to call and await."""

    function: Callable[[], Awaitable[Any]]


Request: TypeAlias = Operation | Fetch | Awaiting

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
