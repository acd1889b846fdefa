"""The messages that the service would send by e-mail or SMS, kept where a test or a person can read them."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

__all__ = ["Message", "Outbox"]


@dataclass(frozen=True, slots=True)
class Message:
    """One message: to whom, how, for what (``sign_up``, ``invitation``, ``reset``, ``attribute``, ``mfa``), the code.

    ``code`` of an invitation is the temporary password.
    """

    username: str
    destination: str = field(repr=False)
    medium: Literal["EMAIL", "SMS"]
    attribute: str
    purpose: str
    code: str = field(repr=False)


class Outbox:
    """Every message, oldest first; ``on_message`` is called with each new one, and may use the pool."""

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self.on_message: Callable[[Message], None] | None = None
        self._unannounced: deque[Message] = deque()

    def send(self, message: Message) -> None:
        """Keep *message*; ``on_message`` hears of it once the pool's lock is free."""
        self.messages.append(message)
        self._unannounced.append(message)

    def announce(self) -> None:
        """Hand the messages that are new to ``on_message``."""
        while self._unannounced:
            try:
                message = self._unannounced.popleft()
            except IndexError:  # another thread was faster
                return
            if self.on_message is not None:
                self.on_message(message)

    def latest(self, username: str) -> Message:
        """Return the last message to the user of that canonical name, or to that address.

        Raises:
            LookupError: there is none.
        """
        for message in reversed(self.messages):
            if username in (message.username, message.destination):
                return message
        raise LookupError("no message was sent to that user")

    def __repr__(self) -> str:
        return f"<Outbox of {len(self.messages)} messages>"
