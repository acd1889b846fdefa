"""Secrets that were sent or received, everything that was written, and a search for the former in the latter."""

from __future__ import annotations

import base64
import gc
import json
import logging
import re
import traceback
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from types import BuiltinFunctionType, CodeType, FrameType, FunctionType, MethodType, ModuleType, TracebackType
from typing import Any, cast
from urllib.parse import quote, quote_plus

from srpcore.exceptions import MFAChallengeException

__all__ = ["Journal", "Ledger", "leaks", "reachable"]

# A part of anything longer counts as the whole, if it has PART characters (and a few more, since not each is tried).
PART = 16
STRIDE = 8
SHORTEST = 4

PUBLIC = frozenset(
    """
    AttributeDataType AttributeName AuthFlow AuthenticatorAttachment AuthenticatorTransports AvailableChallenges
    CHALLENGE_NAME CODE_DELIVERY_DELIVERY_MEDIUM ChallengeName ClientId ClientName ConfiguredUserAuthFactors DeletionProtection DeliveryMedium Error
    ExplicitAuthFlows Feature MFAS_CAN_CHOOSE MFAS_CAN_SETUP Message MessageAction MfaConfiguration Name
    PREFERRED_CHALLENGE PreferredMfaSetting PreventUserExistenceErrors ProviderType ResponseMetadata Status TokenType
    TokenValidityUnits UserMFASettingList UserPoolId UserStatus alg attestation authenticatorAttachment kty message
    residentKey transports type use userVerification
    """.split()
)
"""Members that hold no secret: the words of the API, and the ids of the pool and the app client."""

DETAILS = frozenset(
    """
    CODE_DELIVERY_DESTINATION CredentialId DEVICE_KEY Description Destination DeviceGroupKey DeviceKey DeviceName
    DeviceRememberedStatus FRIENDLY_DEVICE_NAME FriendlyCredentialName FriendlyDeviceName GroupName ProviderName RelyingPartyId SALT SRP_A
    SRP_B Salt SessionId USER_ID_FOR_SRP USERNAME UserSub Username Value access_key_id allowCredentials
    attestationObject canonical clientDataJSON device_key displayName excludeCredentials id name question rawId rp rpId
    user userHandle username
    """.split()
)
"""Members that say who and what, and open nothing: for no log and no span, but an object may show what it is of."""

WORDS = frozenset(["PASSWORD", "PASSWORD_SRP", "EMAIL_OTP", "SMS_OTP", "SMS_MFA", "SOFTWARE_TOKEN_MFA", "WEB_AUTHN"])
"""Answers that are choices of the API's own."""


class Ledger:
    """All that must not be written anywhere (``secrets``), and what must be in no log and no span (``details``)."""

    def __init__(self) -> None:
        self.secrets: set[str] = set()
        self.details: set[str] = set()

    def hear(self, value: object, member: str = "") -> None:
        """Keep every text in *value*, a parameter or a part of a reply, unless its *member* is one of PUBLIC."""
        if isinstance(value, Mapping):
            for key, inner in cast(Mapping[str, object], value).items():
                if key not in PUBLIC:
                    self.hear(inner, member if member in DETAILS else key)
        elif isinstance(value, (list, tuple)):
            for inner in cast(Iterable[object], value):
                self.hear(inner, member)
        elif isinstance(value, bytes):
            self.hear(value.hex(), member)
        elif isinstance(value, int) and not isinstance(value, bool) and value > 2**64:
            self.hear([f"{value:x}", str(value)], member)
        elif isinstance(value, str) and len(value) >= SHORTEST and value not in WORDS:
            document = _parsed(value)
            if document is not None:
                self.hear(document, member)
            else:
                (self.details if member in DETAILS else self.secrets).add(value)


def _parsed(text: str) -> object:
    try:
        return json.loads(text) if text.startswith(("{", "[")) else None
    except ValueError:
        return None


class Journal(logging.Handler):
    """All that was written: every record of every logger, and the texts of exceptions, objects, events and spans."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.setFormatter(logging.Formatter("%(name)s %(levelname)s %(threadName)s %(message)s"))
        self.lines: list[str] = []
        self.of_errors: list[str] = []
        self.of_objects: set[str] = set()
        self.of_events: list[str] = []
        self._seen: set[str] = set()

    def emit(self, record: logging.LogRecord) -> None:
        # What a program that logs as JSON would have, too: the arguments one by one.
        self.lines.append(f"{self.format(record)} {vars(record)!r}")

    def error(self, error: BaseException) -> None:
        """Write down what programs print of *error*, and what a program that reports errors finds behind it."""
        self.of_errors += [str(error), repr(error), *traceback.format_exception(error), *reachable(error)]

    def objects(self) -> None:
        """Write down what every object of ours that is alive says of itself."""
        ours = {kind for kind in _subclasses(object, set()) if str(kind.__module__).startswith("srpcore")}
        for thing in [thing for thing in gc.get_objects() if type(thing) in ours]:
            with suppress(AttributeError):  # one that another thread is making
                self.of_objects.add(repr(thing))

    def objects_after(self, step: str) -> None:
        """Do so the first time that there was such a *step*: it takes its time."""
        if step not in self._seen:
            self._seen.add(step)
            self.objects()

    @property
    def log(self) -> str:
        """All log records as one text."""
        return "\n".join(self.lines)


def _subclasses(kind: type, found: set[type]) -> set[type]:
    subclasses: list[type] = type.__subclasses__(kind)
    for subclass in subclasses:
        if subclass not in found:
            found.add(subclass)
            _subclasses(subclass, found)
    return found


# Modules, classes and code are the same for every error. A traceback leads to the local variables of all callers, which
# hold the secrets by right.
_NOT_OF_AN_ERROR = (
    BuiltinFunctionType, CodeType, FrameType, FunctionType, MethodType, ModuleType, TracebackType, type,
)  # fmt: skip


def reachable(error: BaseException) -> list[str]:
    """Return every string and byte string that *error* leads to.

    It leads to its ``__context__``, even if that is suppressed, and to its ``__cause__``; to the attributes of all of
    them, and to what these contain. Only the reply that a challenge is raised with is left out.
    """
    found: list[str] = []
    pending: list[tuple[object, int]] = [(error, 0)]
    seen: dict[int, object] = {}
    while pending:
        value, depth = pending.pop()
        if id(value) in seen or depth > 8 or isinstance(value, _NOT_OF_AN_ERROR):
            continue
        seen[id(value)] = value
        if isinstance(value, str):
            found.append(value)
        elif isinstance(value, (bytes, bytearray)):
            found.append(bytes(value).decode("latin-1"))
        else:
            pending += [(part, depth + 1) for part in _parts(value)]
    return found


def _parts(value: object) -> Iterator[object]:
    if isinstance(value, Mapping):
        for item in list(cast(Mapping[object, object], value).items()):
            yield from item
    elif isinstance(value, (list, tuple, set, frozenset)):
        yield from list(cast(Iterable[object], value))
    elif isinstance(value, BaseException):
        # Not error.__context__, which a class could hide.
        yield from (getattr(BaseException, name).__get__(value) for name in ("__context__", "__cause__"))
        if not isinstance(value, MFAChallengeException):
            yield from _attributes(value, [name for name in dir(value) if not name.startswith("__")])
    else:
        slots = [name for kind in type(value).__mro__ for name in vars(kind).get("__slots__", ())]
        yield from _attributes(value, [*getattr(value, "__dict__", ()), *slots])


def _attributes(value: object, names: Iterable[str]) -> Iterator[object]:
    for name in names:
        with suppress(Exception):  # an attribute that is not set, or a property that fails
            yield getattr(value, name)


def leaks(text: str, secrets: Iterable[str]) -> list[str]:
    """Return those of *secrets* that are in *text*: whole, in part, or encoded."""
    parts = {text[start : start + PART] for start in range(len(text) - PART + 1)}
    return sorted({secret for secret in secrets if any(_is_in(form, text, parts) for form in _forms(secret))})


def _is_in(form: str, text: str, parts: set[str]) -> bool:
    if len(form) >= PART:
        return not parts.isdisjoint(form[start : start + PART] for start in range(0, len(form) - PART + 1, STRIDE))
    # A code of six digits may well be a part of a request id.
    return form in text and re.search(rf"(?<![\w.]){re.escape(form)}(?![\w.]\w)", text) is not None


def _forms(secret: str) -> Iterator[str]:
    yield secret
    yield from {repr(secret)[1:-1], json.dumps(secret)[1:-1], quote(secret, safe=""), quote_plus(secret)} - {secret}
    if len(secret) < 6:
        return
    for data in _octets(secret):
        yield from (data.hex(), data.hex().upper(), repr(data)[2:-1])
        for before in range(3):
            for encode in (base64.b64encode, base64.urlsafe_b64encode):
                # Only the characters that hold no bit of what stands before or after.
                encoded = encode(bytes(before) + data).decode().rstrip("=")
                whole = encoded[[0, 2, 3][before] : (before + len(data)) * 8 // 6]
                if len(whole) >= 6:
                    yield whole


def _octets(secret: str) -> Iterator[bytes]:
    """Yield what *secret* may be the text of: UTF-8, hexadecimal digits, base64."""
    yield secret.encode()
    if re.fullmatch(r"(?:[0-9a-fA-F]{2}){8,}", secret):
        yield bytes.fromhex(secret)
    elif re.fullmatch(r"[\w+/-]{22,}=*", secret):
        with suppress(ValueError):
            yield base64.urlsafe_b64decode(secret.replace("+", "-").replace("/", "_").rstrip("=") + "==")


def everything(journal: Journal) -> Mapping[str, Any]:
    """Return the texts of *journal* by what they are of."""
    return {
        "log": journal.log,
        "events": "\n".join(journal.of_events),
        "errors": "\n".join(journal.of_errors),
        "objects": "\n".join(sorted(journal.of_objects)),
    }
