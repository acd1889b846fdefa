"""Codes that are sent by e-mail or SMS: create them, put them into the outbox, and check them.

A message is composed first, which calls the trigger CustomMessage, and then sent. If the trigger raises an exception,
nothing has changed yet.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass, field
from functools import partial

from ..api.errors import code_mismatch, expired_code
from ..model.addresses import MEDIUMS
from ..model.attributes import looks_like
from ..model.clock import DAY
from ..model.outbox import Message
from ..model.pools import PoolRecord
from ..model.secret_values import equal
from ..model.users import Code, Stranger, User
from ..steps import Step
from ..storage import directory
from ..storage.state import State
from ..triggers import messages
from . import tries
from .caller import Caller

__all__ = [
    "ComposedMessage",
    "compose",
    "compose_and_send",
    "deliver",
    "fake_address",
    "masked",
    "pending_address",
    "put_back",
    "redeem",
    "send",
    "store_unmatchable",
]

_LIFETIMES = {"sign_up": DAY, "attribute": DAY, "reset": 3600}


@dataclass(frozen=True)
class ComposedMessage:
    """A message that was composed, but not sent.

    Attributes:
        attribute: the attribute that has the address: ``email`` or ``phone_number``.
        text: the text that the trigger wrote; None for the pool's own.
    """

    attribute: str
    address: str = field(repr=False)
    code: str = field(repr=False)
    text: str | None = field(default=None, repr=False)
    subject: str | None = field(default=None, repr=False)


def masked(attribute: str, value: str) -> str:
    """Return an address masked as the service masks it: ``a***@e***`` or ``+*******1234``."""
    if attribute == "email":
        name, _, domain = value.partition("@")
        return f"{name[:1]}***@{domain[:1]}***"
    return f"+{'*' * 7}{value[-4:]}"


def fake_address(pool: PoolRecord, name: str, attribute: str) -> str:
    """Return the address to show, masked, for *name*, which does not exist, as if a message was sent to it.

    It is *name* itself if that is an address. Otherwise what the mask shows of the domain or number is derived from
    *name* and a secret of the pool: it is the same at each try, like that of a real user, and nobody can compute it.

    Args:
        attribute: ``email`` or ``phone_number``.
    """
    if looks_like(attribute, name):
        return name
    digest = hmac.digest(pool.secret, f"{attribute}:{pool.fold(name)}".encode(), "sha256")
    if attribute == "email":
        return f"{pool.fold(name)[:1]}@{chr(ord('a') + digest[0] % 26)}"
    return f"+{int.from_bytes(digest[:4], 'big') % 10_000:04d}"


def compose(
    state: State,
    caller: Caller,
    user: User,
    attribute: str,
    cause: messages.Cause,
    *,
    code: str | None = None,
    address: str | None = None,
) -> Step[ComposedMessage]:
    """Compose a message to *user*, with the text of the trigger CustomMessage if the pool has it.

    Args:
        attribute: the attribute that has the address: ``email`` or ``phone_number``.
        cause: why the message is sent, in the words of the trigger's event.
        code: the code or the temporary password in it; None for a new code.
        address: None for the address that the user has.
    """
    # The user may get another address while the trigger runs. Then the code is refused (see redeem).
    code, address = code or state.code(), address or user.attributes[attribute]
    texts = yield from messages.custom_message(caller.triggers(state), cause, caller.subject(user))
    text = texts.email if attribute == "email" else texts.sms
    filled = None if text is None else messages.fill(text, code=code, username=user.username)
    return ComposedMessage(attribute, address, code, filled, texts.subject if attribute == "email" else None)


def deliver(state: State, user: User, purpose: str, composed: ComposedMessage) -> dict[str, str]:
    """Put *composed* into the outbox and return CodeDeliveryDetails.

    The message appears there when the transaction is committed: if it is undone, the code is not stored either.
    """
    medium = MEDIUMS[composed.attribute]
    message = Message(
        user.username,
        composed.address,
        medium,
        composed.attribute,
        purpose,
        composed.code,
        composed.text,
        composed.subject,
    )
    state.work.when_committed(partial(state.service.outbox.send, message))
    return {
        "Destination": masked(composed.attribute, composed.address),
        "DeliveryMedium": medium,
        "AttributeName": composed.attribute,
    }


def send(state: State, user: User, purpose: str, composed: ComposedMessage, *, pending: bool = False) -> dict[str, str]:
    """Store the code of *composed* and deliver it; return CodeDeliveryDetails.

    Args:
        purpose: ``sign_up``, ``reset`` or ``attribute``.
        pending: the attribute gets the address only when the code is entered.
    """
    code = Code(composed.code, state.clock() + _LIFETIMES[purpose], composed.attribute, address=composed.address)
    code.pending = composed.address if pending else None
    user.codes[_slot(purpose, composed.attribute)] = code
    return deliver(state, user, purpose, composed)


def pending_address(state: State, user: User, attribute: str) -> str | None:
    """Return the address that *attribute* gets when a code that was sent is entered, or None."""
    code = user.codes.get(_slot("attribute", attribute))
    return None if code is None or code.expires <= state.clock() else code.pending


def _has_moved(user: User, code: Code) -> bool:
    """Return whether *code* was sent to an address that *user* does not have any more.

    Somebody else may read it there. Such a code counts as expired, not as wrong: its message asks for a new code, which
    is sent to the new address.
    """
    return code.pending is None and code.address not in (None, user.attributes.get(code.attribute))


def put_back(user: User, purpose: str, code: Code) -> None:
    """Put back a code that :func:`redeem` has removed, so that it can be used again."""
    user.codes[_slot(purpose, code.attribute)] = code


def compose_and_send(
    state: State, caller: Caller, user: User, purpose: str, attribute: str, cause: messages.Cause
) -> Step[dict[str, str]]:
    """Compose and send a code for *purpose* (``sign_up``, ``reset`` or ``attribute``); return CodeDeliveryDetails.

    Raises:
        Refusal: the trigger has failed, or the user was deleted meanwhile.
    """
    composed = yield from compose(state, caller, user, attribute, cause)
    directory.require_stored(state, user)
    return send(state, user, purpose, composed)


def _slot(purpose: str, attribute: str) -> str:
    return f"{purpose}:{attribute}" if purpose == "attribute" else purpose


def store_unmatchable(state: State, guesser: User | Stranger, purpose: str) -> None:
    """Store a code that nothing matches, for a response that claims that a message was sent."""
    guesser.codes[_slot(purpose, "")] = Code("", state.clock() + _LIFETIMES[purpose], "email")


def redeem(state: State, user: User | Stranger, purpose: str, given: str, attribute: str = "") -> Code:
    """Return the code that *given* matches, and remove it: a code can be used once.

    Raises:
        Refusal: *given* is wrong, no code was sent, the code has expired, the user has another address now, or too many
            wrong codes were tried.
    """
    code = user.codes.get(_slot(purpose, attribute))
    if code is None or code.expires <= state.clock() or (isinstance(user, User) and _has_moved(user, code)):
        raise expired_code()
    tries.require_code(state, user, purpose)
    tries.require_tries_left(code)
    if not code.value or not equal(given, code.value):
        code.wrong += 1
        tries.count_wrong(state, user, purpose)
        raise code_mismatch()
    del user.codes[_slot(purpose, attribute)]
    return code
