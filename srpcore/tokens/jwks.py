"""Parse JSON Web Keys and Key Sets (RFC 7517; RSA members: RFC 7518, section 6.3.1)."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple, cast

from ..exceptions.tokens import InvalidKey, UnknownKey
from .jws import ALGORITHM
from .rsa import PublicKey
from .strict_json import base64url, json_object

__all__ = ["MAX_DOCUMENT_LENGTH", "MAX_KEYS", "KeySet", "parse_key", "parse_key_set"]

MAX_DOCUMENT_LENGTH = 256 * 1024
"""Bytes of a key set's document. A user pool's has two keys and about 900 bytes."""

MAX_KEYS = 100
"""Keys of a key set, those of other kinds included."""


class KeySet(NamedTuple):
    """An issuer's keys for RS256 by their ids."""

    keys: Mapping[str, PublicKey]

    def key(self, kid: str) -> PublicKey:
        """Return the key whose id is *kid*.

        Raises:
            UnknownKey: there is none.
        """
        try:
            return self.keys[kid]
        except KeyError:
            raise UnknownKey("no key of the issuer has the token's kid", expected=[*self.keys], actual=kid) from None


def parse_key_set(document: bytes | str | Mapping[str, Any]) -> KeySet:
    """Return the keys for RS256 in a JSON Web Key Set; keys of another type, use or algorithm are passed over.

    Raises:
        InvalidKey: *document* is no key set or too large, a key for RS256 in it is unusable, two different ones have
            the same id, or there is none.
    """
    keys: dict[str, PublicKey] = {}
    for jwk in _key_list(_parse_document(document)):
        if not _is_for_rs256(jwk):
            continue
        kid, key = _require_kid(jwk), parse_key(jwk)
        if keys.setdefault(kid, key) != key:
            raise InvalidKey("the key set has two different keys of one kid", actual=kid)
    if not keys:
        raise InvalidKey("the key set has no key for RS256")
    return KeySet(MappingProxyType(keys))


def parse_key(jwk: Mapping[str, Any]) -> PublicKey:
    """Return the RSA key that *jwk* is, for verifying RS256. Private members are not looked at.

    Raises:
        InvalidKey: it is not for that: ``kty``, ``use``, ``key_ops`` or ``alg`` is another; or ``n`` and ``e`` are
            not canonical base64url of minimal big-endian integers, or make no key that may be used (see PublicKey).
    """
    if not _is_for_rs256(jwk):
        actual = {name: jwk[name] for name in _FOR_RS256 if name in jwk}
        raise InvalidKey("the key is not for verifying RS256", expected=_FOR_RS256, actual=actual)
    return PublicKey(_decode_integer(jwk, "n"), _decode_integer(jwk, "e"))


_FOR_RS256 = {"kty": "RSA", "use": "sig", "key_ops": ["verify"], "alg": ALGORITHM}


def _is_for_rs256(jwk: Mapping[str, Any]) -> bool:
    operations = jwk.get("key_ops", ["verify"])
    return (
        jwk.get("kty") == "RSA"
        and jwk.get("use", "sig") == "sig"
        and jwk.get("alg", ALGORITHM) == ALGORITHM
        and isinstance(operations, list)
        and "verify" in operations
    )


def _parse_document(document: bytes | str | Mapping[str, Any]) -> Mapping[str, Any]:
    if isinstance(document, str):
        document = document.encode("utf-8", "surrogatepass")
    if isinstance(document, Mapping):
        return document
    if not isinstance(document, bytes):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise InvalidKey("the key set is neither bytes nor a string nor a mapping")
    if len(document) > MAX_DOCUMENT_LENGTH:
        raise InvalidKey("the key set is too large", expected=MAX_DOCUMENT_LENGTH, actual=len(document))
    try:
        return json_object(document)
    except ValueError as error:
        raise InvalidKey(f"the key set is {error}") from None


def _key_list(members: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    entries = members.get("keys")
    if not isinstance(entries, list):
        raise InvalidKey("the key set has no list of keys")
    entries = cast(list[Any], entries)
    if len(entries) > MAX_KEYS:
        raise InvalidKey("the key set has too many keys", expected=MAX_KEYS, actual=len(entries))
    if not all(isinstance(entry, Mapping) for entry in entries):
        raise InvalidKey("the key set has a key that is no JSON object")
    return entries


def _require_kid(jwk: Mapping[str, Any]) -> str:
    kid = jwk.get("kid")
    if not isinstance(kid, str) or not kid:
        raise InvalidKey("the key set has a key without a kid that is a string")
    return kid


def _decode_integer(jwk: Mapping[str, Any], name: str) -> int:
    text = jwk.get(name)
    if not isinstance(text, str):
        raise InvalidKey(f"the key has no {name} that is a string")
    try:
        data = base64url(text)
    except ValueError as error:
        raise InvalidKey(f"the key's {name} is {error}") from None
    if data[:1] in (b"", b"\0"):
        raise InvalidKey(f"the key's {name} is empty or starts with a zero byte")
    return int.from_bytes(data, "big")
