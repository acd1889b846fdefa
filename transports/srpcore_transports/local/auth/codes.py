"""Codes that are sent by e-mail or SMS: create them, put them into the outbox, and check them."""

from __future__ import annotations

import hmac
from typing import Literal

from ..api.errors import Refusal, code_mismatch, expired_code
from ..model.outbox import Message
from ..model.records import Code, User
from ..storage.state import State

__all__ = ["check", "deliver", "issue", "masked"]

_LIFETIMES = {"sign_up": 86400, "attribute": 86400, "reset": 3600}
_MOST_TRIES = 5


def masked(attribute: str, value: str) -> str:
    """Return an address masked as the service masks it: ``a***@e***`` or ``+*******1234``."""
    if attribute == "email":
        name, _, domain = value.partition("@")
        return f"{name[:1]}***@{domain[:1]}***"
    return f"+{'*' * 7}{value[-4:]}"


def deliver(state: State, user: User, attribute: str, purpose: str, code: str) -> dict[str, str]:
    """Put *code* into the outbox and return CodeDeliveryDetails."""
    medium: Literal["EMAIL", "SMS"] = "EMAIL" if attribute == "email" else "SMS"
    destination = user.attributes[attribute]
    state.outbox.send(Message(user.username, destination, medium, attribute, purpose, code))
    return {
        "Destination": masked(attribute, destination),
        "DeliveryMedium": medium,
        "AttributeName": attribute,
    }


def issue(state: State, user: User, purpose: str, attribute: str) -> dict[str, str]:
    """Create and send a code for *purpose* (``sign_up``, ``reset`` or ``attribute``); return CodeDeliveryDetails."""
    code = Code(state.code(), state.clock() + _LIFETIMES[purpose], attribute)
    user.codes[_slot(purpose, attribute)] = code
    return deliver(state, user, attribute, purpose, code.value)


def _slot(purpose: str, attribute: str) -> str:
    return f"{purpose}:{attribute}" if purpose == "attribute" else purpose


def check(state: State, user: User, purpose: str, given: str, attribute: str = "") -> Code:
    """Return the code that *given* matches, and remove it: a code can be used once.

    Raises:
        Refusal: *given* is wrong, no code was sent, the code has expired, or too many wrong ones were tried.
    """
    code = user.codes.get(_slot(purpose, attribute))
    if code is None or code.expires <= state.clock():
        raise expired_code()
    if code.wrong >= _MOST_TRIES:
        raise Refusal("LimitExceededException", "Attempt limit exceeded, please try after some time.")
    if not hmac.compare_digest(code.value.encode("utf-8"), given.encode("utf-8")):
        code.wrong += 1
        raise code_mismatch()
    del user.codes[_slot(purpose, attribute)]
    return code
