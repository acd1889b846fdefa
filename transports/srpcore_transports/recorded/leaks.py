"""The last look before a file is written: is any value that was seen in it after all?

The allowlist should let none through; this refuses to write if it did, or if a text that was kept holds a secret.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from typing import Any, cast
from urllib.parse import quote

from .errors import SecretInCassette
from .placeholders import PATTERN, label_and_number
from .redaction import ISSUER, NEWER_ISSUER, Redactor
from .sentences import is_harmless
from .vocabulary import KEYS, SECRETS, WORDS, is_attribute

__all__ = ["refuse_leaks"]

_SHORTEST = 4
_NAMES = frozenset(["operation", "failure", "Code"])


def refuse_leaks(document: Mapping[str, Any], redactor: Redactor) -> None:
    """Refuse *document*, a file's JSON value, if a value of four characters or more that was seen is in it.

    As it is, or in base64, hexadecimal or URL encoding. Published words are no leak, even where a user's name is one.

    Raises:
        SecretInCassette: there is one; the message does not say which, for it would be in a log.
    """
    secret, other = _seen(redactor)
    for text, is_key in _texts(document):
        rest = PATTERN.sub("\0", text)
        if is_key and rest in secret:
            raise _refused()
        # A kept text may hold a name that is not kept (an address the user's): only secrets are looked for in it.
        unwanted = secret if text in redactor.kept else secret | (other - set(redactor.pools.values()))
        if not is_key and not _is_published(rest) and _has_any(rest, unwanted):
            raise _refused()


def _refused() -> SecretInCassette:
    return SecretInCassette(
        "a value that must be a placeholder is in the cassette, perhaps within a text that was kept: "
        "no file was written; keep fewer members"
    )


def _seen(redactor: Redactor) -> tuple[set[str], set[str]]:
    """Return the values seen that are secrets whatever was kept, and the others that were not kept."""
    secret, other = set(redactor.seen), redactor.placeholders.keys()
    for value, placeholder in redactor.placeholders.values().items():
        label, _ = label_and_number(placeholder)
        if label in SECRETS - {"Text"}:
            secret.add(value)
        elif value not in redactor.kept:
            other.add(value)
    return {value for value in secret if len(value) >= _SHORTEST}, {value for value in other if len(value) >= _SHORTEST}


def _texts(value: object) -> Iterator[tuple[str, bool]]:
    if isinstance(value, str):
        yield value, False
    elif isinstance(value, Mapping):
        for key, member in cast(Mapping[str, object], value).items():
            yield key, True
            # The names of operations and errors are as published as members' names.
            yield from ((text, is_key or key in _NAMES) for text, is_key in _texts(member))
    elif isinstance(value, (list, tuple)):
        for item in cast(list[object], value):
            yield from _texts(item)


def _is_published(text: str) -> bool:
    if text in (f"{ISSUER}\0", f"{NEWER_ISSUER}\0"):
        return True
    words = text.replace("\0", " ").split()
    return is_harmless(" ".join(words)) or all(
        word in WORDS or word in KEYS or is_attribute(word.removeprefix("userAttributes.")) for word in words
    )


def _has_any(text: str, values: set[str]) -> bool:
    return any(form in text for value in values for form in _forms(value))


def _forms(value: str) -> tuple[str, ...]:
    data = value.encode("utf-8", "surrogatepass")
    encoded = [function(data).decode("ascii").rstrip("=") for function in (base64.b64encode, base64.urlsafe_b64encode)]
    return (value, quote(data, safe=""), data.hex(), *encoded)
