"""ServiceError, the base class of the errors of the service."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, cast

from .base import SrpcoreError, safe_text
from .compat import Compatible, combined, loaded

__all__ = ["ServiceError"]


class ServiceError(Compatible, SrpcoreError):
    """The service answered with an error. Each exception name of the service model has a subclass.

    ``type(error).__name__`` is the exception name, also for a subclass such as ``WrongPassword`` and for a name that
    the service model does not have. While botocore is loaded, the error is also a ``botocore.exceptions.ClientError``,
    with the same ``str()``: "An error occurred (X) when calling the Y operation: message".

    Attributes:
        code: the exception name, for example ``"NotAuthorizedException"``.
        message: the message of the service, at most 4096 characters, with ``?`` for each control character. The
            original is in ``response``.
        operation: the name of the operation, for example ``"InitiateAuth"``. ``operation_name`` is botocore's name for
            it.
        status: the HTTP status, or None.
        request_id: the id that AWS support asks for, or None.
        response: the whole reply in the form that botocore uses.
        hint: what often causes this error and what to check, or an empty string. It is also a note of the exception, so
            a traceback shows it; ``str()`` does not.
    """

    def __init__(
        self,
        response: dict[str, Any] | None = None,
        operation: str = "",
        *,
        error_response: Mapping[str, object] | None = None,
        operation_name: str = "",
    ) -> None:
        # error_response and operation_name are botocore's names of the two arguments.
        response = self.response = cast(dict[str, Any], error_response if response is None else response)
        operation = operation or operation_name
        self.operation = self.operation_name = operation
        error = member(response, "Error")
        metadata = member(response, "ResponseMetadata")
        self.code: str = str(error.get("Code", "Unknown"))
        self.message: str = safe_text(str(error.get("Message", "")))
        self.status: int | None = metadata.get("HTTPStatusCode")
        self.request_id: str | None = metadata.get("RequestId")
        self.hint = ""
        # Do not call super(): if ClientError is a base class, it would parse the reply again, and raise another error
        # if the reply is malformed.
        Exception.__init__(self, self._text(error, metadata))

    def _text(self, error: dict[str, Any], metadata: dict[str, Any]) -> str:
        code = safe_text(self.code, 128)
        client_error = loaded("botocore.exceptions", "ClientError")
        if client_error is None or not isinstance(self, client_error):
            where = self.operation if self.status is None else f"HTTP {self.status}, {self.operation}"
            return f"{code} ({where}): {self.message}"
        # The text of botocore's ClientError, with its words for a missing message and for retries.
        retries = ""
        if metadata.get("MaxAttemptsReached") and "RetryAttempts" in metadata:
            retries = f" (reached max retries: {metadata['RetryAttempts']})"
        message = self.message if "Message" in error else "Unknown"
        return f"An error occurred ({code}) when calling the {self.operation} operation{retries}: {message}"

    def __repr__(self) -> str:
        return f"<{self}>"

    def __reduce__(self) -> tuple[Any, ...]:
        return self.plain_class(), (self.response, self.operation), vars(self)

    @classmethod
    def _class_for(cls, response: object = None, *_: Any, **keywords: Any) -> type[Any]:
        name = ""
        if cls.plain_class() is ServiceError:
            given = keywords.get("response") or keywords.get("error_response") or response
            code = member(given, "Error").get("Code")
            # The server chooses the code, so accept only what could be the name of a class.
            name = code if isinstance(code, str) and re.fullmatch(r"[A-Za-z][A-Za-z0-9_]{0,127}", code) else ""
        return combined(cls, "service", name=name)


def member(document: object, name: str) -> dict[str, Any]:
    """Return the JSON object *name* in *document*, or an empty dictionary if *document* does not have it."""
    member = cast(dict[str, Any], document).get(name) if isinstance(document, dict) else None
    return cast(dict[str, Any], member) if isinstance(member, dict) else {}
