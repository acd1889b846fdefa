"""The last check before a cassette is written: it must not contain any value that was seen and not kept.

The redaction should have replaced all of them. This check finds mistakes in it, and kept strings that contain a secret.
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
    """Refuse a file that contains a value of four or more characters that was seen and must not be kept.

    The value is searched for in the clear, and in base64, hexadecimal and URL encoding. A word that the service
    publishes is not a leak, even if it is also a user's name.

    Args:
        document: the file's JSON value.
        redactor: the values that were seen, and those that may be kept.

    Raises:
        SecretInCassette: a value was found. The message does not quote it, because it would be written to a log.
    """
    secret, other = _seen(redactor)
    for text, is_key in _strings(document):
        rest = PATTERN.sub("\0", text)
        if is_key and rest in secret:
            raise _refused()
        # A kept string may contain a name that is not kept: an e-mail address may contain the user's name. So only
        # secrets are searched for in it.
        unwanted = secret if text in redactor.kept else secret | (other - set(redactor.pools.values()))
        if not is_key and not _is_published(rest) and _has_any(rest, unwanted):
            raise _refused()


def _refused() -> SecretInCassette:
    return SecretInCassette(
        "a value that must be a placeholder is in the cassette, perhaps inside a string that was kept: "
        "no file was written; keep fewer members"
    )


def _seen(redactor: Redactor) -> tuple[set[str], set[str]]:
    """Return the values that are secrets in any case, and the other values that were not kept."""
    secret, other = set(redactor.seen), redactor.placeholders.keys()
    for value, placeholder in redactor.placeholders.values().items():
        label, _ = label_and_number(placeholder)
        if label in SECRETS - {"Text"}:
            secret.add(value)
        elif value not in redactor.kept:
            other.add(value)
    return {value for value in secret if len(value) >= _SHORTEST}, {value for value in other if len(value) >= _SHORTEST}


def _strings(value: object) -> Iterator[tuple[str, bool]]:
    if isinstance(value, str):
        yield value, False
    elif isinstance(value, Mapping):
        for key, member in cast(Mapping[str, object], value).items():
            yield key, True
            # The names of operations and errors are published, as those of members are.
            yield from ((text, is_key or key in _NAMES) for text, is_key in _strings(member))
    elif isinstance(value, (list, tuple)):
        for item in cast(list[object], value):
            yield from _strings(item)


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
