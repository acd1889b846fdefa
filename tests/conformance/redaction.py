"""Redaction: what may be kept of a request or an answer of somebody's AWS account.

A string is kept only if the member that has it is on a list of harmless members. Every other string is replaced by a
description of its form, such as ``<string of 1100 characters>``. Ids, names and dates are replaced by a label, such as
``<date 1>``, and equal values get the same label, so that relations stay visible: "both dates are equal". Messages of
errors are kept, without what they quote of the account.

At the end :meth:`Redactor.check` searches the whole recording for every value that was replaced, and for what looks like a
token, a key or the number of an account.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any, cast

__all__ = ["Leak", "Redactor"]

# Members whose strings are words of the API or of the probes themselves.
_HARMLESS = frozenset(
    """
    __type AttributeDataType AttributeName AuthFlow AvailableChallenges ChallengeName ConfiguredUserAuthFactors
    DefaultEmailOption DeletionProtection DeliveryMedium EmailSendingAccount Enforcement ExplicitAuthFlows Feature
    FeatureType MaxLength MaxValue MessageAction MfaConfiguration MinLength MinValue PreferredMfaSetting
    PreventUserExistenceErrors ProviderType Status TermsSource TokenType UserMFASettingList UserPoolTier UserStatus
    UserVerification AutoVerifiedAttributes AliasAttributes
    UsernameAttributes AllowedFirstAuthFactors AttributesRequireVerificationBeforeUpdate AllowedOAuthFlows
    AllowedOAuthScopes ReadAttributes WriteAttributes SupportedIdentityProviders AttributesToGet UserAttributeNames
    MFAS_CAN_SETUP MFAS_CAN_CHOOSE ANSWER CHALLENGE_NAME PREFERRED_CHALLENGE CODE_DELIVERY_DELIVERY_MEDIUM
    requiredAttributes DeviceRememberedStatus Filter CSVHeader
    """.split()
)
# The lists whose entries have the name of an attribute or of a mechanism as their Name.
_NAMED = frozenset(
    "SchemaAttributes Schema CustomAttributes UserAttributes Attributes DeviceAttributes RecoveryMechanisms".split()
)
# All of them can be the name of a user, and get labels of one kind.
_USERS = frozenset({"Username", "USERNAME", "USER_ID_FOR_SRP", "UserSub"})
_FLAGS = frozenset({"email_verified", "phone_number_verified", "device_status"})
_DATE = re.compile(r"(Date|date|_time|Expiration)$")
_IDS = re.compile(r"(Id|ID|Arn|ARN|Name|Username|USERNAME|USER_ID_FOR_SRP|Identifier|Key|DEVICE_KEY|UserSub)$")
_SECRET = (
    ("token", re.compile(r"eyJ[A-Za-z0-9_-]{10,}")),
    ("number of an account", re.compile(r"(?<!\d)\d{12}(?!\d)")),
    ("access key", re.compile(r"\b(?:AKIA|ASIA)[A-Z0-9]{12,}")),
    ("user pool id", re.compile(r"\b[a-z]{2}(?:-[a-z]+)+-\d_[0-9A-Za-z]{5,}")),
)
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_ADDRESS = re.compile(r"[\w.+*-]+@[\w.*-]+")
_REQUEST_ID = re.compile(r"(?i)(request ?id: ?)[\w-]+")


class Leak(Exception):
    """The redacted recording has something that must not leave the machine. The message does not quote it."""


class Redactor:
    """Redacts documents, with one set of labels for all of them.

    Args:
        secrets: strings that must not be in the recording in any case, for example the keys of the account.
    """

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._labels: dict[tuple[str, str], str] = {}
        self._counts: dict[str, int] = {}
        self._replaced: set[str] = {secret for secret in secrets if secret}

    def document(self, document: Mapping[str, Any]) -> dict[str, Any]:
        """Return a redacted copy of a request or an answer."""
        # First everything but the message, so that the message loses what the rest of the document names.
        message = {name: value for name, value in document.items() if name.lower() == "message"}
        rest = {name: value for name, value in document.items() if name not in message}
        result = cast(dict[str, Any], self._value("", rest, ""))
        return result | {name: self.text(str(value)) for name, value in message.items()}

    def _value(self, name: str, value: Any, parent: str) -> Any:
        if isinstance(value, Mapping):
            return self._mapping(name, cast(Mapping[str, Any], value))
        if isinstance(value, list):
            return [self._value(name, item, parent) for item in cast(list[Any], value)]
        if isinstance(value, str):
            return self._string(name, value, parent)
        if isinstance(value, (int, float)) and not isinstance(value, bool) and _DATE.search(name):
            return self._label("date", repr(value))
        return value

    def _mapping(self, name: str, value: Mapping[str, Any]) -> dict[str, Any]:
        if set(value) == {"Name", "Value"} and value["Name"] in _FLAGS:
            return dict(value)
        if set(value) == {"Name", "Value"} and value["Name"] == "sub":
            return {"Name": "sub", "Value": self._label("user", str(value["Value"]))}
        return {key: self._value(key, item, name) for key, item in value.items()}

    def _string(self, name: str, value: str, parent: str) -> str:
        if not value or value.startswith("<") or name in _HARMLESS or (name == "Name" and parent in _NAMED):
            return self.text(value)
        if parent == "TokenValidityUnits":
            return value
        if name == "Destination":
            return "<masked address>" if "*" in value else "<address that is not masked>"
        self._replaced.add(value)
        if name == "SALT":
            return f"<hexadecimal, {len(value)} digits, begins with {value[:2]}>"
        if _IDS.search(name) and len(value) < 200:
            return self._label("user" if name in _USERS else name, value)
        return f"<{_form(value)} of {len(value)} characters>"

    def text(self, text: str) -> str:
        """Return the message *text* without what was replaced elsewhere, and without ids, addresses and tokens."""
        for value in sorted((value for value in self._replaced if value in text), key=len, reverse=True):
            if len(value) >= 4:
                # As a whole word: "read", the name of a scope, is also in "already".
                text = re.sub(rf"(?<![\w-]){re.escape(value)}(?![\w-])", "<value>", text)
        text = _REQUEST_ID.sub(r"\1<id>", _UUID.sub("<uuid>", _ADDRESS.sub("<address>", text)))
        for kind, pattern in _SECRET:
            text = pattern.sub(f"<{kind}>", text)
        return text

    def _label(self, kind: str, value: str) -> str:
        self._replaced.add(value)
        if (kind, value) not in self._labels:
            self._counts[kind] = self._counts.get(kind, 0) + 1
            self._labels[kind, value] = f"<{kind} {self._counts[kind]}>"
        return self._labels[kind, value]

    def check(self, text: str) -> None:
        """Check that a recording has nothing that was replaced.

        Raises:
            Leak: it has.
        """
        strings = set(_strings(json.loads(text)))
        for value in self._replaced:
            # A short value, such as the name of a group, may be a word of the API by chance.
            if (len(value) >= 16 and value in text) or (len(value) >= 8 and value in strings):
                raise Leak("a value that was replaced is still in the recording")
        for kind, pattern in _SECRET:
            if pattern.search(text):
                raise Leak(f"the recording has what looks like a {kind}")


def _form(value: str) -> str:
    if value.count(".") == 2 and value.startswith("eyJ"):
        return "JWT"
    if re.fullmatch("[0-9a-fA-F]+", value):
        return "hexadecimal string"
    return "base64 string" if re.fullmatch("[A-Za-z0-9+/]{40,}={0,2}", value) else "string"


def _strings(value: Any) -> Iterable[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for item in cast(list[Any], value):
            yield from _strings(item)
    elif isinstance(value, dict):
        for item in cast(dict[str, Any], value).values():
            yield from _strings(item)
