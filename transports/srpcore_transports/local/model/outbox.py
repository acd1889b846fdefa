"""The outbox: messages that the service would send by e-mail or SMS, kept for tests and people to read."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

__all__ = ["PURPOSES", "Message", "Outbox"]

PURPOSES = {
    "sign_up": "code to confirm the sign-up",
    "invitation": "temporary password",
    "reset": "code to reset the password",
    "attribute": "code to verify the address",
    "mfa": "code to log in",
    "sign_in": "code to log in",
    "welcome": "welcome message, without a code",
}
"""What a message is for, in words, by ``Message.purpose``."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Message:
    """One message.

    Attributes:
        username: the canonical name of the user.
        destination: the e-mail address or phone number.
        attribute: the attribute that has the destination: ``email`` or ``phone_number``.
        purpose: ``sign_up``, ``invitation``, ``reset``, ``attribute``, ``mfa``, ``sign_in``, or ``welcome`` for a user
            whom the trigger UserMigration has added.
        code: the code in the message; the temporary password if the purpose is ``invitation``, and empty for
            ``welcome``.
        text: what the trigger CustomMessage wrote, with the code filled in; None for the pool's own text.
        subject: the subject of an e-mail that the trigger wrote; None for the pool's own.
    """

    username: str
    destination: str = field(repr=False)
    medium: Literal["EMAIL", "SMS"]
    attribute: str
    purpose: str
    code: str = field(repr=False)
    text: str | None = field(default=None, repr=False)
    subject: str | None = field(default=None, repr=False)


class Outbox:
    """All messages of a server.

    Attributes:
        messages: the messages, oldest first.
        on_message: a function that is called with each new message. It may call the pool: the lock is not held. If it
            raises an exception, the exception is logged: the request that sent the message is already committed.
    """

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self.on_message: Callable[[Message], None] | None = None
        self._unannounced: deque[Message] = deque()

    def send(self, message: Message) -> None:
        """Store *message*. ``on_message`` is called later, by :meth:`announce`, when the pool's lock is free."""
        self.messages.append(message)
        self._unannounced.append(message)

    def announce(self) -> None:
        """Call ``on_message`` with each message that is new."""
        while self._unannounced:
            try:
                message = self._unannounced.popleft()
            except IndexError:  # another thread has taken it
                return
            if self.on_message is not None:
                try:
                    self.on_message(message)
                except Exception:  # noqa: BLE001 - the program of the user raised it
                    _log.exception("outbox.on_message raised an exception: the message stays in outbox.messages")

    def latest(self, username: str) -> Message:
        """Return the last message to a user.

        Args:
            username: the canonical name of the user, or the address that the message was sent to.

        Raises:
            LookupError: no message was sent to that user or address.
        """
        for message in reversed(self.messages):
            if username in (message.username, message.destination):
                return message
        raise LookupError(f"no message was sent to {username!r}: use the canonical user name or the address")

    def __repr__(self) -> str:
        return f"<Outbox of {len(self.messages)} messages>"
