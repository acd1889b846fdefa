"""ServiceError: the base of the service's errors, and how it becomes one of botocore's while botocore is loaded."""

from __future__ import annotations

import sys
from functools import lru_cache
from typing import Any, ClassVar, cast

from .base import SrpcoreError

__all__ = ["ServiceError"]


class ServiceError(SrpcoreError):
    """The service answered with an error; an exception name that has no class of its own is a plain ServiceError.

    ``code`` and ``message`` are the service's words, ``operation`` the call's name, ``response`` the document in
    botocore's shape. ``operation_name`` is botocore's name for ``operation``.
    """

    _plain: ClassVar[type[ServiceError] | None] = None

    def __init__(self, response: dict[str, Any], operation: str) -> None:
        self.response = response
        self.operation = self.operation_name = operation
        error = member(response, "Error")
        metadata = member(response, "ResponseMetadata")
        self.code: str = str(error.get("Code", "Unknown"))
        self.message: str = str(error.get("Message", ""))
        self.status: int | None = metadata.get("HTTPStatusCode")
        self.request_id: str | None = metadata.get("RequestId")
        # Not super(): ClientError, where it is a base, would parse the document again, and fail on an odd one.
        Exception.__init__(self, str(self))

    def __str__(self) -> str:
        where = self.operation if self.status is None else f"HTTP {self.status}, {self.operation}"
        return f"{self.code} ({where}): {self.message}"

    def __repr__(self) -> str:
        return f"<{self}>"

    def __reduce__(self) -> tuple[Any, ...]:
        # A class made beside botocore's cannot be found by its name: its plain one is, and goes beside botocore's anew.
        plain = vars(type(self)).get("_plain") or type(self)
        return _restored, (plain, self.response, self.operation), vars(self)


def member(document: object, name: str) -> dict[str, Any]:
    """Return the object at *name*, empty where a document is not of the service's shape."""
    member = cast(dict[str, Any], document).get(name) if isinstance(document, dict) else None
    return cast(dict[str, Any], member) if isinstance(member, dict) else {}


def _restored(cls: type[ServiceError], response: dict[str, Any], operation: str) -> ServiceError:
    return beside(cls, client_error())(response, operation)


def client_error() -> type[Exception] | None:
    """Return botocore's ClientError while botocore is loaded."""
    # Not there while another thread is still importing the module, or where a test has put None in its place.
    found: type[Exception] | None = getattr(sys.modules.get("botocore.exceptions"), "ClientError", None)
    return found


def beside(cls: type[ServiceError], other: type[Exception] | None) -> type[ServiceError]:
    """Return *cls* as a class that is *other*, too; itself where there is no other."""
    return cls if other is None else _class_over((cls, other))


@lru_cache(maxsize=256)  # bounded: every botocore session has exception classes of its own
def _class_over(bases: tuple[type[ServiceError], type[Exception]]) -> type[ServiceError]:
    cls = bases[0]
    namespace = {"__doc__": cls.__doc__, "__module__": cls.__module__, "_plain": cls}
    return cast(type[ServiceError], type(cls.__name__, bases, namespace))
