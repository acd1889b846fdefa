"""What a pool records about a sign-in, or another event of a user, if its threat protection is on."""

from __future__ import annotations

from .records import Fixed

__all__ = ["AuthEvent", "Feedback"]


class Feedback(Fixed, frozen=True):
    """The opinion of an administrator about an event: ``Valid`` or ``Invalid``."""

    value: str
    provider: str
    date: float


class AuthEvent(Fixed, frozen=True):
    """An event of a user.

    Attributes:
        id: for a sign-in, the claim ``event_id`` of its tokens.
        kind: ``SignIn``, ``SignUp``, ``ForgotPassword``, ``PasswordChange`` or ``ResendCode``.
        response: ``Pass``, ``Fail``, or ``InProgress`` while a sign-in waits for another challenge.
        challenges: what the user was asked for (``Password`` or ``Mfa``), and the result (``Success`` or ``Failure``).
        address: the IP address in UserContextData or ContextData of the last request, if there was one.
    """

    id: str
    kind: str
    created: float
    response: str
    challenges: tuple[tuple[str, str], ...] = ()
    address: str | None = None
    feedback: Feedback | None = None
