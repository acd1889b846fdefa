"""Make a reply for a program from a recorded reply.

Placeholders get values, tokens are signed again with current times, and dates are moved by the time since the
recording.
"""

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
    """Makes one reply.

    Args:
        bindings: the values of the placeholders.
        now: the current time, in seconds since 1970. The times of tokens are relative to it.
        start: when the replay began, in seconds since 1970. Dates are relative to it.
    """

    def __init__(self, bindings: Bindings, now: float, start: float) -> None:
        self._bindings = bindings
        self._now = now
        self._start = start
        self._access_token: str | None = None

    def document(self, recorded: Mapping[str, Any], *, dated: bool = True) -> dict[str, Any]:
        """Return a reply's document, or an object inside one, with all placeholders replaced.

        Args:
            recorded: the recorded object.
            dated: whether numbers in members that the service model has as dates are dates.

        Raises:
            ConfigurationError: there are tokens to sign, and PyJWT or cryptography is not installed.
            CassetteError: a date of the cassette is out of range.
        """
        return {self._string(key): self._value(value, key, dated) for key, value in recorded.items()}

    def _value(self, value: Any, member: str, dated: bool) -> Any:
        if isinstance(value, Mapping):
            return self._object(cast(Mapping[str, Any], value), member, dated)
        if isinstance(value, list):
            return [self._value(item, member, dated) for item in cast(list[Any], value)]
        if isinstance(value, str):
            return self._string(value)
        if dated and member in TIMESTAMP_MEMBERS and isinstance(value, (int, float)) and not isinstance(value, bool):
            return self._date(value)
        return value

    def _date(self, seconds: float) -> datetime:
        try:
            return datetime.fromtimestamp(int(self._start) + seconds, tz=timezone.utc)
        except (ValueError, OverflowError, OSError):
            raise CassetteError("a date of the cassette is out of range: record it again") from None

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
        # The members are sorted in the file, so the access token has been made before the ID token.
        if claims.get("at_hash") == AT_HASH and self._access_token is not None:
            claims["at_hash"] = access_token_hash(self._access_token)
        token = self._bindings.bind(placeholder, sign(claims))
        if member == "AccessToken":
            self._access_token = token
        return token

    def _issuer(self, recorded: str) -> str:
        for prefix, index in ((ISSUER, 0), (NEWER_ISSUER, 1)):
            if recorded.startswith(prefix):
                return Pool(self._string(recorded.removeprefix(prefix))).issuers[index]
        return self._string(recorded)

    def _string(self, recorded: str) -> str:
        return PATTERN.sub(lambda match: self._bindings.value_of(match[0]), recorded)
