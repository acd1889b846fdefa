"""Take a key set that is given and not fetched: as a value, from a file, or from ``COGNITO_JWKS``."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import Any, TypeAlias, cast

from ..exceptions.base import ConfigurationError
from ..exceptions.tokens import InvalidKey
from .jwks import MAX_DOCUMENT_LENGTH, KeySet, parse_key_set
from .strict_json import json_object

__all__ = ["JwksSource", "members_of_environment", "read_jwks"]

JwksSource: TypeAlias = Mapping[str, Any] | bytes | str | os.PathLike[str]


def read_jwks(source: JwksSource | None) -> KeySet:
    """Return the key set that *source* is: a mapping, bytes of JSON, the path of a file, or None for ``COGNITO_JWKS``.

    Raises:
        ConfigurationError: the file cannot be read, or ``COGNITO_JWKS`` is not set or no key set's text.
        InvalidKey: it is no key set that can be used.
    """
    if isinstance(source, (bytes, Mapping)):
        return parse_key_set(source)
    if source is not None:
        return parse_key_set(_read_file(source))
    members = members_of_environment()
    if members is None:
        raise ConfigurationError("COGNITO_JWKS is not set: set it, or give the key set")
    return parse_key_set(members)


def members_of_environment() -> Mapping[str, Any] | None:
    """Return the key set that ``COGNITO_JWKS`` holds as JSON or, as pycognito has it, as a Python literal.

    Raises:
        ConfigurationError: it is neither.
        InvalidKey: it is too large, or JSON that can be read in more than one way.
    """
    text = os.environ.get("COGNITO_JWKS")
    if not text:
        return None
    if len(text) > MAX_DOCUMENT_LENGTH:
        raise InvalidKey("the key set is too large", expected=MAX_DOCUMENT_LENGTH, actual=len(text))
    try:
        is_object = isinstance(json.loads(text), dict)
    except (ValueError, RecursionError):
        return _parse_python_literal(text)
    if not is_object:
        raise ConfigurationError(_NOT_A_DOCUMENT)
    try:
        return json_object(text.encode("utf-8", "surrogatepass"))
    except ValueError as error:
        raise InvalidKey(f"the key set is {error}") from None


_NOT_A_DOCUMENT = "COGNITO_JWKS is neither a JSON object nor a Python dictionary: give the key set"


def _parse_python_literal(text: str) -> Mapping[str, Any]:
    import ast  # it takes longer than all the rest, and few need it

    try:
        literal = ast.literal_eval(text)
    except (ValueError, TypeError, SyntaxError, RecursionError, MemoryError):
        literal = None
    if not isinstance(literal, dict):
        raise ConfigurationError(_NOT_A_DOCUMENT)
    return cast(dict[str, Any], literal)


def _read_file(path: str | os.PathLike[str]) -> bytes:
    try:
        with open(path, "rb") as file:  # noqa: PTH123 - any path will do
            return file.read(MAX_DOCUMENT_LENGTH + 1)
    except (OSError, ValueError, TypeError) as error:
        raise ConfigurationError(
            f"the file of the key set cannot be read ({type(error).__name__}): give its path, or bytes, or a mapping"
        ) from None
