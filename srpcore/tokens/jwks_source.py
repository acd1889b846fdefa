"""Read a key set that is not fetched: from a value, from a file, or from the variable ``COGNITO_JWKS``."""

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
"""A JSON Web Key Set as a mapping, as bytes of JSON, or as the path of its file."""


def read_jwks(source: JwksSource | None) -> KeySet:
    """Return the key set in *source*: a mapping, bytes of JSON, the path of a file, or None for ``COGNITO_JWKS``.

    Raises:
        ConfigurationError: the file cannot be read, or ``COGNITO_JWKS`` is not set, or it contains neither a JSON
            object nor a Python dictionary.
        InvalidKey: the document is not a usable key set.
    """
    if isinstance(source, (bytes, Mapping)):
        return parse_key_set(source)
    if source is not None:
        return parse_key_set(_read_file(source))
    members = members_of_environment()
    if members is None:
        raise ConfigurationError("COGNITO_JWKS is not set: set it, or pass the key set as an argument")
    return parse_key_set(members)


def members_of_environment() -> Mapping[str, Any] | None:
    """Return the key set in the environment variable ``COGNITO_JWKS``, or None if it is not set.

    It is a JSON object or, as in pycognito, the literal of a Python dictionary.

    Raises:
        ConfigurationError: the value is neither of the two.
        InvalidKey: the value is too large, or it is ambiguous JSON (see :mod:`srpcore.tokens.strict_json`).
    """
    text = os.environ.get("COGNITO_JWKS")
    if not text:
        return None
    if len(text) > MAX_DOCUMENT_LENGTH:
        raise InvalidKey("key set in COGNITO_JWKS is too large", expected=MAX_DOCUMENT_LENGTH, actual=len(text))
    try:
        is_object = isinstance(json.loads(text), dict)
    except (ValueError, RecursionError):
        return _parse_python_literal(text)
    if not is_object:
        raise ConfigurationError(_NOT_A_DOCUMENT)
    try:
        return json_object(text.encode("utf-8", "surrogatepass"))
    except ValueError as error:
        raise InvalidKey(f"key set in COGNITO_JWKS is {error}") from None


_NOT_A_DOCUMENT = "COGNITO_JWKS must contain the key set as a JSON object or as a Python dictionary"


def _parse_python_literal(text: str) -> Mapping[str, Any]:
    import ast  # importing it is slow, and few programs need it

    try:
        literal = ast.literal_eval(text)
    except (ValueError, TypeError, SyntaxError, RecursionError, MemoryError):
        literal = None
    if not isinstance(literal, dict):
        raise ConfigurationError(_NOT_A_DOCUMENT)
    return cast(dict[str, Any], literal)


def _read_file(path: str | os.PathLike[str]) -> bytes:
    try:
        with open(path, "rb") as file:  # noqa: PTH123 - importing pathlib is slow
            return file.read(MAX_DOCUMENT_LENGTH + 1)
    except (OSError, ValueError, TypeError) as error:
        raise ConfigurationError(
            f"key set file {path!r:.200} cannot be read ({type(error).__name__}): pass its path, bytes of JSON, or a "
            "mapping (`srpcore keys POOL_ID --output FILE` writes the file)"
        ) from None
