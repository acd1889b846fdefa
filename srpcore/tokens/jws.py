"""Parse a JSON Web Signature in compact form (RFC 7515, section 7.1) without verifying it.

::

    base64url(header) . base64url(payload) . base64url(signature)
    |____________ signing input _________|
"""

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
"""The only algorithm that user pools sign with, and therefore the only one that is accepted."""

MAX_TOKEN_LENGTH = 256 * 1024
"""The longest accepted token, in characters.

The largest possible ID token has about 140,000: fifty custom attributes of 2048 ASCII characters each.
"""

MAX_HEADER_LENGTH = 4096
"""The longest accepted header, in characters of base64url. User pools write about 90.

The limit is low because the header must be parsed before anything is verified.
"""


class Jws:
    """The parts of a token. NOTHING IS VERIFIED.

    ``signing_input`` is what the issuer signed: the header and the payload in base64url, with the dot between them.
    """

    # Deliberately not a tuple: its repr would leak the token.
    __slots__ = ("header", "kid", "payload", "signature", "signing_input")

    def __init__(
        self, kid: str, header: Mapping[str, object], signing_input: bytes, payload: bytes, signature: bytes
    ) -> None:
        self.kid = kid
        self.header = header
        self.signing_input = signing_input
        self.payload = payload
        self.signature = signature

    def __repr__(self) -> str:
        return f"Jws(kid={self.kid!r}, header={dict(self.header)!r})"

    def claims(self) -> dict[str, Any]:
        """Return the payload as a JSON object. Call it after the signature is verified.

        Raises:
            MalformedToken: the payload is not a JSON object, or is ambiguous (see :mod:`srpcore.tokens.strict_json`).
        """
        return parse_claims(self.payload)


def parse(token: str) -> Jws:
    """Return the parts of *token* after checking its header: ``alg`` is RS256, ``kid`` a string, no ``crit``.

    Raises:
        MalformedToken: *token* is not a compact JWS, or is ambiguous (see :mod:`srpcore.tokens.strict_json`).
        UnsupportedAlgorithm: ``alg`` is not RS256, or the header requires an extension (``crit``, ``b64``).
    """
    kid, _, signing_input, payload, signature = split_token(token)
    # A header of its own for each caller. The cached one is shared, and lists or objects in it can be changed.
    header = MappingProxyType(_decode_object(token.partition(".")[0], "header"))
    return Jws(kid, header, signing_input, payload, signature)


def split_token(token: str) -> tuple[str, Mapping[str, Any], bytes, bytes, bytes]:
    """Return ``(kid, header, signing_input, payload, signature)`` of *token*, as :func:`parse` does.

    It makes no :class:`Jws`, which would be slower. Verifiers call it for every token. The header is shared by all
    tokens that have the same one: do not change it, or give it to a program.

    Raises:
        MalformedToken, UnsupportedAlgorithm: see :func:`parse`.
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
        raise MalformedToken(f"token payload or signature is {error}") from None


def parse_claims(payload: bytes) -> dict[str, Any]:
    """Return the claims in *payload*, the decoded second part of a token.

    Raises:
        MalformedToken: *payload* is not a JSON object, or is ambiguous (see :mod:`srpcore.tokens.strict_json`).
    """
    try:
        return json_object(payload)
    except ValueError as error:
        raise MalformedToken(f"token payload is {error}") from None


def unverified_payload(token: str) -> dict[str, Any]:
    """Return the payload of *token* as a JSON object, with NOTHING VERIFIED, not even the form of the header.

    Raises:
        MalformedToken: *token* does not have three parts, or the second is not a JSON object.
    """
    if not isinstance(token, str) or len(token) > MAX_TOKEN_LENGTH or not token.isascii():  # pyright: ignore[reportUnnecessaryIsInstance]
        raise _unreadable_token(token)
    segments = token.split(".")
    if len(segments) != 3:
        raise _wrong_part_count(token)
    return _decode_object(segments[1], "payload")


def _unreadable_token(token: object) -> MalformedToken:
    if not isinstance(token, str):
        return MalformedToken("token is not a string", expected="str", actual=type(token).__name__)
    if len(token) > MAX_TOKEN_LENGTH:
        return MalformedToken("token is too long", expected=MAX_TOKEN_LENGTH, actual=len(token))
    return MalformedToken("token is not ASCII")


def _wrong_part_count(token: str) -> MalformedToken:
    actual = token.count(".") + 1
    return MalformedToken("token is not a JWT: it must have 3 parts with dots between them", expected=3, actual=actual)


# All tokens of one key have the same header, so parsing it once is enough. But an attacker chooses the headers that are
# sent here: the cache is small, and a long header is refused before it is parsed.
@lru_cache(maxsize=64)
def _parse_header(segment: str) -> tuple[str, Mapping[str, Any]]:
    """Return the ``kid`` and all members of the header in *segment*."""
    if segment[:7].lower() == "bearer ":
        raise MalformedToken("token still has its 'Bearer ' prefix: pass only the part after it")
    if len(segment) > MAX_HEADER_LENGTH:
        raise MalformedToken("token header is too long", expected=MAX_HEADER_LENGTH, actual=len(segment))
    header = _decode_object(segment, "header")
    algorithm = header.get("alg")
    if algorithm != ALGORITHM:
        raise UnsupportedAlgorithm("token is not signed with RS256", expected=ALGORITHM, actual=algorithm)
    # crit (RFC 7515, section 4.1.11) lists extensions that a verifier must understand, and this one supports none. b64
    # (RFC 7797) changes what is signed. Refuse it even if crit does not list it, because another implementation could
    # read the same token in a different way.
    if "crit" in header or "b64" in header:
        raise UnsupportedAlgorithm("token header requires an extension (crit or b64), and none is supported")
    kid = header.get("kid")
    if not isinstance(kid, str) or not kid:
        raise MalformedToken("kid in the token header is missing, empty or not a string")
    return kid, MappingProxyType(header)


def _decode_object(segment: str, name: str) -> dict[str, Any]:
    try:
        return json_object(base64url(segment))
    except ValueError as error:
        raise MalformedToken(f"token {name} is {error}") from None
