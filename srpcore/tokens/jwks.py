"""Parse JSON Web Keys and Key Sets (RFC 7517; RSA members: RFC 7518, section 6.3.1)."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, cast

from .._values import Value
from ..exceptions.base import TransportError
from ..exceptions.tokens import InvalidKey, UnknownKey
from .jws import ALGORITHM
from .rsa import PublicKey
from .strict_json import base64url, json_object

__all__ = [
    "MAX_DOCUMENT_LENGTH",
    "MAX_KEYS",
    "UNKNOWN_KEY",
    "KeySet",
    "parse_fetched_key_set",
    "parse_key",
    "parse_key_set",
]

MAX_DOCUMENT_LENGTH = 256 * 1024
"""The largest accepted key set document, in bytes. The document of a user pool has two keys and about 900 bytes."""

MAX_KEYS = 100
"""The largest accepted number of keys in a key set, including keys of other types."""


UNKNOWN_KEY = "token is signed with an unknown key (kid): check the user pool id"
"""The message of :class:`~srpcore.exceptions.UnknownKey`."""


class KeySet(Value):
    """The RS256 keys of one issuer, by key id (``kid``)."""

    __slots__ = ("keys",)

    keys: Mapping[str, PublicKey]

    def __init__(self, keys: Mapping[str, PublicKey]) -> None:
        self._set(keys=keys)

    def key(self, kid: str) -> PublicKey:
        """Return the key whose id is *kid*.

        Raises:
            UnknownKey: the key set has no key with this id.
        """
        try:
            return self.keys[kid]
        except KeyError:
            raise UnknownKey(UNKNOWN_KEY, expected=[*self.keys], actual=kid) from None

    def load_engine(self) -> None:
        """Convert all keys for the default engine: see :meth:`~srpcore.tokens.PublicKey.load_engine`."""
        for key in self.keys.values():
            key.load_engine()


def parse_key_set(document: bytes | str | Mapping[str, object]) -> KeySet:
    """Return the RS256 keys in a JSON Web Key Set; keys of another type, use or algorithm are ignored.

    Unusable keys are left out: one of them must not make the tokens of all other keys invalid. If two different keys
    have the same id, both are left out, because it is not known which one is meant.

    Raises:
        InvalidKey: *document* is not a key set or is too large, or it has no RS256 key that can be used. Then the error
            is about the first unusable one.
    """
    keys: dict[str, PublicKey] = {}
    ambiguous: set[str] = set()
    refused: list[InvalidKey] = []
    for jwk in _key_list(_parse_document(document)):
        try:
            kid, key = _parse_entry(jwk)
        except _IgnoredKey:
            continue
        except InvalidKey as error:
            refused.append(error)
            continue
        if keys.setdefault(kid, key) != key:
            ambiguous.add(kid)
            refused.append(InvalidKey("key set has two different keys with the same kid", actual=kid))
    usable = {kid: key for kid, key in keys.items() if kid not in ambiguous}
    if not usable:
        raise _first_of(refused)
    return KeySet(MappingProxyType(usable))


def parse_fetched_key_set(body: bytes, url: str) -> KeySet:
    """Return the keys in *body*, the document that was fetched from *url*. See :func:`parse_key_set`.

    Raises:
        TransportError: *body* is not a usable key set. Something other than the user pool has probably answered.
    """
    try:
        return parse_key_set(body)
    except InvalidKey as error:
        reason = str(error)
    # Raised outside of the except block, so that the InvalidKey is not the context of the error.
    raise TransportError(
        f"the document that was fetched is not a usable key set: {reason}: check the endpoint and the proxy",
        reason="document",
        url=url,
        fetching=True,
    )


class _IgnoredKey(Exception):
    pass


def _parse_entry(jwk: object) -> tuple[str, PublicKey]:
    if not isinstance(jwk, Mapping):
        raise InvalidKey("key set has a key that is not a JSON object")
    members = cast(Mapping[str, object], jwk)
    if not _is_for_rs256(members):
        raise _IgnoredKey
    return _require_kid(members), parse_key(members)


def _first_of(refused: list[InvalidKey]) -> InvalidKey:
    if not refused:
        return InvalidKey("key set has no RS256 key")
    first = refused[0]
    return InvalidKey(first.message, expected=first.expected, actual=first.actual)


def parse_key(jwk: Mapping[str, object]) -> PublicKey:
    """Return the RSA public key in *jwk*, for verifying RS256. Private members such as ``d`` are ignored.

    Raises:
        InvalidKey: ``kty``, ``use``, ``key_ops`` or ``alg`` does not allow verifying RS256; or ``n`` or ``e`` is not
            canonical base64url of a minimal big-endian integer; or :class:`~srpcore.tokens.PublicKey` refuses them.
    """
    if not _is_for_rs256(jwk):
        actual = {name: jwk[name] for name in _FOR_RS256 if name in jwk}
        raise InvalidKey("key is not for verifying RS256", expected=_FOR_RS256, actual=actual)
    return PublicKey(_decode_integer(jwk, "n"), _decode_integer(jwk, "e"))


_FOR_RS256 = {"kty": "RSA", "use": "sig", "key_ops": ["verify"], "alg": ALGORITHM}


def _is_for_rs256(jwk: Mapping[str, object]) -> bool:
    operations = jwk.get("key_ops", ["verify"])
    return (
        jwk.get("kty") == "RSA"
        and jwk.get("use", "sig") == "sig"
        and jwk.get("alg", ALGORITHM) == ALGORITHM
        and isinstance(operations, list)
        and "verify" in operations
    )


def _parse_document(document: bytes | str | Mapping[str, object]) -> Mapping[str, Any]:
    if isinstance(document, str):
        document = document.encode("utf-8", "surrogatepass")
    if isinstance(document, Mapping):
        return document
    if not isinstance(document, bytes):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise InvalidKey("key set must be bytes, a string or a mapping")
    if len(document) > MAX_DOCUMENT_LENGTH:
        raise InvalidKey("key set is too large", expected=MAX_DOCUMENT_LENGTH, actual=len(document))
    try:
        return json_object(document)
    except ValueError as error:
        raise InvalidKey(f"key set is {error}") from None


def _key_list(members: Mapping[str, Any]) -> list[object]:
    entries = members.get("keys")
    if not isinstance(entries, list):
        raise InvalidKey("key set has no list 'keys'")
    entries = cast(list[object], entries)
    if len(entries) > MAX_KEYS:
        raise InvalidKey("key set has too many keys", expected=MAX_KEYS, actual=len(entries))
    return entries


def _require_kid(jwk: Mapping[str, object]) -> str:
    kid = jwk.get("kid")
    if not isinstance(kid, str) or not kid:
        raise InvalidKey("key set has a key whose kid is missing, empty or not a string")
    return kid


def _decode_integer(jwk: Mapping[str, object], name: str) -> int:
    text = jwk.get(name)
    if not isinstance(text, str):
        raise InvalidKey(f"key member {name!r} is missing or not a string")
    try:
        data = base64url(text)
    except ValueError as error:
        raise InvalidKey(f"key member {name!r} is {error}") from None
    if data[:1] in (b"", b"\0"):
        raise InvalidKey(f"key member {name!r} is empty or starts with a zero byte")
    return int.from_bytes(data, "big")
