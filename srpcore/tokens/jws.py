"""Take a JSON Web Signature in compact form apart (RFC 7515, section 7.1), and trust nothing in it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Any

from ..exceptions.tokens import MalformedToken, UnsupportedAlgorithm
from .strict_json import base64url, json_object

__all__ = [
    "ALGORITHM",
    "MAX_HEADER_LENGTH",
    "MAX_TOKEN_LENGTH",
    "Jws",
    "parse",
    "parse_claims",
    "split_token",
    "unverified_payload",
]

ALGORITHM = "RS256"
"""The one algorithm that a user pool signs with."""

MAX_TOKEN_LENGTH = 256 * 1024
"""Characters of a token. The largest ID token, fifty custom attributes of 2048 ASCII characters, has about 140,000."""

MAX_HEADER_LENGTH = 4096
"""Characters of the header's segment, which is parsed before anything is verified. A user pool's has about 90."""


class Jws:
    """A token taken apart. Nothing of it is verified.

    ``signing_input`` is what was signed: the first two segments with the dot between them.
    """

    # No tuple: whoever writes out what is in one would write the token.
    __slots__ = ("header", "kid", "payload", "signature", "signing_input")

    def __init__(
        self, kid: str, header: Mapping[str, Any], signing_input: bytes, payload: bytes, signature: bytes
    ) -> None:
        self.kid = kid
        self.header = header
        self.signing_input = signing_input
        self.payload = payload
        self.signature = signature

    def __repr__(self) -> str:
        return f"Jws(kid={self.kid!r}, header={dict(self.header)!r})"

    def claims(self) -> dict[str, Any]:
        """Return the payload as a JSON object; call it once the signature is verified.

        Raises:
            MalformedToken: the payload is no JSON object, or one that can be read in more than one way.
        """
        return parse_claims(self.payload)


def parse(token: str) -> Jws:
    """Take *token* apart, with its header checked: ``alg`` is RS256, ``kid`` a string, and there is no ``crit``.

    Raises:
        MalformedToken: *token* is not a compact JWS, or is one that can be read in more than one way.
        UnsupportedAlgorithm: ``alg`` is another, or the header wants extensions (``crit``, ``b64``).
    """
    return Jws(*split_token(token))


def split_token(token: str) -> tuple[str, Mapping[str, Any], bytes, bytes, bytes]:
    """Return the members of a :class:`Jws`, which itself costs time to make.

    Raises:
        MalformedToken, UnsupportedAlgorithm: as :func:`parse` does.
    """
    if not isinstance(token, str) or len(token) > MAX_TOKEN_LENGTH or not token.isascii():  # pyright: ignore[reportUnnecessaryIsInstance]
        raise _unreadable_token(token)
    signing_input, _, signature = token.rpartition(".")
    header, dot, payload = signing_input.partition(".")
    if not dot or "." in payload:
        raise _wrong_part_count(token)
    kid, members = _parse_header(header)
    try:
        return kid, members, signing_input.encode("ascii"), base64url(payload), base64url(signature)
    except ValueError as error:
        raise MalformedToken(f"the token's payload or signature is {error}") from None


def parse_claims(payload: bytes) -> dict[str, Any]:
    """Return *payload* as a JSON object.

    Raises:
        MalformedToken: it is none, or one that can be read in more than one way.
    """
    try:
        return json_object(payload)
    except ValueError as error:
        raise MalformedToken(f"the token's payload is {error}") from None


def unverified_payload(token: str) -> dict[str, Any]:
    """Return the payload of *token* as a JSON object, whatever signed it: NOTHING IS VERIFIED.

    Raises:
        MalformedToken: *token* has not three segments, or the second is no JSON object.
    """
    if not isinstance(token, str) or len(token) > MAX_TOKEN_LENGTH or not token.isascii():  # pyright: ignore[reportUnnecessaryIsInstance]
        raise _unreadable_token(token)
    segments = token.split(".")
    if len(segments) != 3:
        raise _wrong_part_count(token)
    return _decode_object(segments[1], "payload")


def _unreadable_token(token: object) -> MalformedToken:
    if not isinstance(token, str):
        return MalformedToken("the token is not a string", expected="str", actual=type(token).__name__)
    if len(token) > MAX_TOKEN_LENGTH:
        return MalformedToken("the token is too long", expected=MAX_TOKEN_LENGTH, actual=len(token))
    return MalformedToken("the token is not ASCII")


def _wrong_part_count(token: str) -> MalformedToken:
    actual = token.count(".") + 1
    return MalformedToken("the token has not three segments with dots between them", expected=3, actual=actual)


# All tokens of one key have the same header. It is the sender's choice, so few are kept, and none is long.
@lru_cache(maxsize=64)
def _parse_header(segment: str) -> tuple[str, Mapping[str, Any]]:
    """Return the ``kid`` and all members of the header that *segment* is."""
    if len(segment) > MAX_HEADER_LENGTH:
        raise MalformedToken("the token's header is too long", expected=MAX_HEADER_LENGTH, actual=len(segment))
    header = _decode_object(segment, "header")
    algorithm = header.get("alg")
    if algorithm != ALGORITHM:
        raise UnsupportedAlgorithm("the token is not signed with RS256", expected=ALGORITHM, actual=algorithm)
    # b64 (RFC 7797) changes what is signed, and must be refused where it stands without crit too.
    if "crit" in header or "b64" in header:
        raise UnsupportedAlgorithm("the token's header wants an extension (crit or b64)")
    kid = header.get("kid")
    if not isinstance(kid, str) or not kid:
        raise MalformedToken("the token's header has no kid that is a string")
    return kid, MappingProxyType(header)


def _decode_object(segment: str, name: str) -> dict[str, Any]:
    try:
        return json_object(base64url(segment))
    except ValueError as error:
        raise MalformedToken(f"the token's {name} is {error}") from None
