"""Make a reply of a recorded one: values for its placeholders, tokens signed anew and current, dates moved along."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any, cast

from srpcore.pool import Pool
from srpcore.service_model import TIMESTAMP_MEMBERS
from srpcore.tokens.claims import access_token_hash

from .errors import CassetteError
from .matching import Bindings
from .placeholders import AT_HASH, JSON, PATTERN
from .redaction import ISSUER, NEWER_ISSUER, TIMES
from .signing import sign

__all__ = ["Expansion"]


class Expansion:
    """Expands one reply at the time *now*; dates count from *start*. Both are seconds since the epoch."""

    def __init__(self, bindings: Bindings, now: float, start: float) -> None:
        self._bindings = bindings
        self._now = now
        self._start = start
        self._access_token: str | None = None

    def document(self, recorded: Mapping[str, Any], *, dated: bool = True) -> dict[str, Any]:
        """Return the reply's document, or another object in it, where members may be no dates.

        Raises:
            ConfigurationError: there are tokens to sign, and PyJWT or cryptography is not installed.
            CassetteError: a date of the cassette is in no calendar.
        """
        return {self._text(key): self._value(value, key, dated) for key, value in recorded.items()}

    def _value(self, value: Any, member: str, dated: bool) -> Any:
        if isinstance(value, Mapping):
            return self._object(cast(Mapping[str, Any], value), member, dated)
        if isinstance(value, list):
            return [self._value(item, member, dated) for item in cast(list[Any], value)]
        if isinstance(value, str):
            return self._text(value)
        if dated and member in TIMESTAMP_MEMBERS and isinstance(value, (int, float)) and not isinstance(value, bool):
            return self._date(value)
        return value

    def _date(self, seconds: float) -> datetime:
        try:
            return datetime.fromtimestamp(int(self._start) + seconds, tz=timezone.utc)
        except (ValueError, OverflowError, OSError):
            raise CassetteError("a date of the cassette is in no calendar: record it again") from None

    def _object(self, members: Mapping[str, Any], member: str, dated: bool) -> Any:
        if JSON in members:
            return json.dumps(self._value(members[JSON], member, False), separators=(",", ":"))
        if member in ("AccessToken", "IdToken") and len(members) == 1:
            ((placeholder, claims),) = members.items()
            if isinstance(claims, Mapping) and PATTERN.fullmatch(placeholder):
                return self._token(placeholder, cast(Mapping[str, Any], claims), member)
        return self.document(members, dated=dated)

    def _token(self, placeholder: str, recorded: Mapping[str, Any], member: str) -> str:
        claims = self.document(recorded, dated=False)
        for name in TIMES:
            if isinstance(claims.get(name), (int, float)):
                claims[name] += int(self._now)
        if isinstance(recorded.get("iss"), str):
            claims["iss"] = self._issuer(recorded["iss"])
        # A reply's members are sorted in the file: the access token comes before the ID token.
        if claims.get("at_hash") == AT_HASH and self._access_token is not None:
            claims["at_hash"] = access_token_hash(self._access_token)
        token = self._bindings.bind(placeholder, sign(claims))
        if member == "AccessToken":
            self._access_token = token
        return token

    def _issuer(self, recorded: str) -> str:
        for prefix, index in ((ISSUER, 0), (NEWER_ISSUER, 1)):
            if recorded.startswith(prefix):
                return Pool(self._text(recorded.removeprefix(prefix))).issuers[index]
        return self._text(recorded)

    def _text(self, text: str) -> str:
        return PATTERN.sub(lambda match: self._bindings.value_of(match[0]), text)
