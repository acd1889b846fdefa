"""ServiceError, the base class of the errors of the service.

While botocore is loaded, an error must also be an instance of botocore's ``ClientError``, because programs that were
written for boto3 catch that class. botocore is an optional dependency, so :func:`with_base` makes the combined class at
run time.
"""

from __future__ import annotations

import sys
from functools import lru_cache
from typing import Any, ClassVar, cast

from .base import SrpcoreError

__all__ = ["ServiceError"]


class ServiceError(SrpcoreError):
    """The service answered with an error. Each exception name of the service model has a subclass.

    Attributes:
        code: the exception name, for example ``"NotAuthorizedException"``.
        message: the message of the service.
        operation: the name of the operation, for example ``"InitiateAuth"``. ``operation_name`` is botocore's name for
            it.
        status: the HTTP status, or None.
        request_id: the id that AWS support asks for, or None.
        response: the whole reply in the form that botocore uses.
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
        # Do not call super(): if ClientError is a base class, it would parse the reply again, and raise another error
        # if the reply is malformed.
        Exception.__init__(self, str(self))

    def __str__(self) -> str:
        where = self.operation if self.status is None else f"HTTP {self.status}, {self.operation}"
        return f"{self.code} ({where}): {self.message}"

    def __repr__(self) -> str:
        return f"<{self}>"

    def __reduce__(self) -> tuple[Any, ...]:
        # pickle finds a class by its name, and a class from with_base() is not stored under a name. Pickle the plain
        # class instead; _unpickle() combines it with botocore's class again.
        plain = vars(type(self)).get("_plain") or type(self)
        return _unpickle, (plain, self.response, self.operation), vars(self)


def member(document: object, name: str) -> dict[str, Any]:
    """Return the JSON object *name* in *document*, or an empty dictionary if *document* does not have it."""
    member = cast(dict[str, Any], document).get(name) if isinstance(document, dict) else None
    return cast(dict[str, Any], member) if isinstance(member, dict) else {}


def _unpickle(cls: type[ServiceError], response: dict[str, Any], operation: str) -> ServiceError:
    return with_base(cls, client_error())(response, operation)


def client_error() -> type[Exception] | None:
    """Return botocore's ClientError while botocore is loaded."""
    # The attribute is missing while another thread is still importing the module. In a test the module may be None.
    found: type[Exception] | None = getattr(sys.modules.get("botocore.exceptions"), "ClientError", None)
    return found


def with_base(cls: type[ServiceError], other: type[Exception] | None) -> type[ServiceError]:
    """Return a subclass of *cls* and *other*, with the name of *cls*; or *cls* itself if *other* is None."""
    return cls if other is None else _make_class((cls, other))


@lru_cache(maxsize=256)  # limited, because every botocore session makes its own exception classes
def _make_class(bases: tuple[type[ServiceError], type[Exception]]) -> type[ServiceError]:
    cls = bases[0]
    namespace = {"__doc__": cls.__doc__, "__module__": cls.__module__, "_plain": cls}
    return cast(type[ServiceError], type(cls.__name__, bases, namespace))
