"""Replace everything in requests and replies that must not be written to a disk.

A string is kept only if the allowlist of :mod:`.vocabulary` has it; every other string becomes a placeholder. A token
becomes an object of its claims, redacted in the same way, with times in seconds after ``iat``, so that a second
recording is equal to the first one and a wrong clock does not matter. Dates become whole seconds after the start of the
recording.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any, Final, cast

from srpcore.exceptions.base import ConfigurationError
from srpcore.exceptions.tokens import MalformedToken
from srpcore.pool import Pool
from srpcore.service_model import MAP_MEMBERS, TIMESTAMP_MEMBERS
from srpcore.tokens import unverified_claims

from . import vocabulary
from .placeholders import AT_HASH, JSON, KEY, PATTERN, Placeholders
from .sentences import redact_sentence
from .shapes import SHAPES, shape_of

__all__ = ["ISSUER", "NEWER_ISSUER", "TIMES", "Redactor", "parse_inner", "pool_id_at"]

TIMES: Final = ("auth_time", "exp", "iat", "nbf")
"""The claims that are times (RFC 7519, OpenID Connect Core): recorded as seconds after ``iat``."""

ISSUER: Final = "https://cognito-idp/"
NEWER_ISSUER: Final = "https://issuer-cognito-idp/"
"""What precedes the pool's placeholder in ``iss``. The issuer of an emulator contains its address, which is of no use
at replay, so it becomes the issuer of AWS, which verifiers accept as well."""

_POOL_ID: Final = re.compile(r"([a-z]{2,4}(-[a-z]+)+-[0-9]|local)_[0-9A-Za-z]{1,55}")


def pool_id_at(url: str) -> str | None:
    """Return the user pool id at the end of the URL of an issuer or key set, or None."""
    name = url.removesuffix("/.well-known/jwks.json").rpartition("/")[2]
    return name if _POOL_ID.fullmatch(name) else None


class Redactor:
    """Redacts the calls of one recording. The same value becomes the same placeholder in all of them.

    Args:
        keep: the names of members whose strings stay in the clear, in any of the service's spellings.

    Raises:
        ConfigurationError: *keep* names a secret.
    """

    def __init__(self, keep: Collection[str] = ()) -> None:
        if isinstance(keep, str):
            raise ConfigurationError("keep must be a set of names of members, not a string")
        self.placeholders = Placeholders()
        self.kept: set[str] = set()
        self.seen: set[str] = set()
        self.pools: dict[str, str] = {}
        self.start = 0.0
        self._keep = {name if vocabulary.label_of(name) == "Text" else vocabulary.label_of(name) for name in keep}
        secrets = sorted(self._keep & vocabulary.SECRETS)
        if secrets:
            raise ConfigurationError(f"{', '.join(secrets)} cannot be kept in the clear: secret")

    def request(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """Return the redacted parameters of an operation."""
        return self._object(parameters, free=False)

    def reply(self, document: Mapping[str, Any], now: float) -> dict[str, Any]:
        """Return a reply's redacted document, without ``ResponseMetadata``; *now* is in seconds since 1970."""
        apart = {"ResponseMetadata", "Error", *vocabulary.MESSAGES}
        redacted = self._object({name: value for name, value in document.items() if name not in apart}, free=False)
        redacted |= {name: self._sentence(str(document[name])) for name in vocabulary.MESSAGES & document.keys()}
        error = document.get("Error")
        if isinstance(error, Mapping):
            redacted["Error"] = self._error(cast(Mapping[str, Any], error))
        result = document.get("AuthenticationResult")
        if isinstance(result, Mapping):
            for name in ("AccessToken", "IdToken"):
                self._token(redacted["AuthenticationResult"], name, cast(Mapping[str, Any], result).get(name), now)
        return redacted

    def pool(self, user_pool_id: str) -> str:
        """Return the placeholder of a user pool id, and store the id, which is public."""
        placeholder = self.placeholders.of(user_pool_id, "UserPoolId")
        self.pools[placeholder] = user_pool_id
        return placeholder

    def _error(self, error: Mapping[str, Any]) -> dict[str, Any]:
        code, message = str(error.get("Code", "")), str(error.get("Message", ""))
        known = not code or vocabulary.is_error_code(code)
        return {"Code": code if known else self._hide(code, "ErrorCode"), "Message": self._sentence(message)}

    def _token(self, result: dict[str, Any], name: str, token: object, now: float) -> None:
        try:
            claims = unverified_claims(token) if isinstance(token, str) else None
        except MalformedToken:
            claims = None
        if claims is not None:
            result[name] = {result[name]: self._claims(claims, now)}

    def _claims(self, claims: Mapping[str, Any], now: float) -> dict[str, Any]:
        issued = claims.get("iat")
        base = int(now) if isinstance(issued, bool) or not isinstance(issued, (int, float)) else issued
        redacted = self._object(claims, free=True)
        for name in TIMES:
            value = claims.get(name)
            if isinstance(value, (int, float)) and not isinstance(value, bool):
                redacted[name] = value - base
        if "at_hash" in claims:
            redacted["at_hash"] = AT_HASH
        return redacted

    def _object(self, members: Mapping[str, Any], *, free: bool) -> dict[str, Any]:
        name = members.get("Name")
        if set(members) == {"Name", "Value"} and isinstance(name, str) and vocabulary.is_attribute(name):
            return {"Name": name, "Value": self._value(members["Value"], name, free=False)}
        texts = {str(key): value for key, value in members.items()}
        # In the order in which replay compares them, so that placeholders are bound in the order of their numbers.
        known = sorted(key for key in texts if self._is_published_key(key, free))
        shown = {key: self._value(texts.pop(key), key, free) for key in known}
        return shown | {self._hide(key, KEY): self._value(value, key, free) for key, value in texts.items()}

    def _is_published_key(self, key: str, free: bool) -> bool:
        plain = key.removeprefix("userAttributes.")
        published = plain in vocabulary.KEYS or vocabulary.is_attribute(plain) or key in self._keep
        return published or (not free and vocabulary.is_member(key))

    def _value(self, value: Any, member: str, free: bool) -> Any:
        if isinstance(value, str):
            return self._text(value, member)
        if isinstance(value, Mapping):
            return self._object(cast(Mapping[str, Any], value), free=free or member in MAP_MEMBERS)
        if isinstance(value, (list, tuple)):
            return [self._value(item, member, free) for item in cast(list[Any], value)]
        if isinstance(value, datetime) and member in TIMESTAMP_MEMBERS:
            return round(value.timestamp() - self.start)
        if value is None or isinstance(value, bool) or (isinstance(value, (int, float)) and self._is_number(member)):
            return value
        return self._hide(str(value), vocabulary.label_of(member))

    def _is_number(self, member: str) -> bool:
        # A custom attribute or claim of the pool may be a number that identifies a person, such as a customer number.
        label = vocabulary.label_of(member)
        published = vocabulary.is_member(member) or member in vocabulary.KEYS
        return (published and label not in vocabulary.SECRETS) or label in self._keep or member in self._keep

    def _text(self, text: str, member: str) -> Any:
        if not text:
            return text
        for kind in (self._shape, self._inner_json, self._published, self._public):
            redacted = kind(text, member)
            if redacted is not None:
                return redacted
        label = vocabulary.label_of(member)
        if (label in self._keep or member in self._keep) and _is_writable(text):
            self.kept.add(text)
            return text
        return self._hide(text, label)

    def _shape(self, text: str, member: str) -> str | None:
        if member not in SHAPES or not SHAPES[member](text):
            return None
        self.seen.add(text)
        return shape_of(member)

    def _inner_json(self, text: str, member: str) -> dict[str, Any] | None:
        inner = parse_inner(text) if member in vocabulary.JSON_STRINGS else None
        return None if inner is None else {JSON: self._value(inner, member, free=True)}

    def _published(self, text: str, member: str) -> str | None:
        words = vocabulary.FACTORS if member == "ANSWER" else vocabulary.WORDS
        harmless = member in vocabulary.HARMLESS and all(word in words for word in text.split(" "))
        attribute = member in vocabulary.ATTRIBUTE_LISTS and vocabulary.is_attribute(
            text.removeprefix("userAttributes.")
        )
        return text if harmless or attribute else None

    def _public(self, text: str, member: str) -> str | None:
        if member == "UserPoolId" and _POOL_ID.fullmatch(text):
            return self.pool(text)
        pool_id = pool_id_at(text) if member == "iss" else None
        if pool_id is None:
            return None
        return (NEWER_ISSUER if text == Pool(pool_id).issuers[1] else ISSUER) + self.pool(pool_id)

    def _sentence(self, text: str) -> str:
        return redact_sentence(text, self.placeholders)

    def _hide(self, text: str, label: str) -> str:
        return self.placeholders.of(text, label)


def parse_inner(text: str) -> Any:
    """Return the list or object that *text* contains as JSON, or None."""
    try:
        inner = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return cast(Any, inner) if isinstance(inner, (dict, list)) else None


def _is_writable(text: str) -> bool:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return PATTERN.search(text) is None and text not in (JSON, AT_HASH, *map(shape_of, SHAPES))
