"""The error that a reply of the service stands for."""

from __future__ import annotations

from ..protocol import Reply
from . import service_exceptions
from .not_authorized import refined
from .service import ServiceError, beside, client_error, member
from .service_exceptions import NotAuthorizedException

__all__ = ["service_error"]

_BY_CODE: dict[str, type[ServiceError]] = {
    name: getattr(service_exceptions, name) for name in service_exceptions.__all__
}


def service_error(reply: Reply, operation: str) -> ServiceError:
    """Return the error that an error *reply* to *operation* stands for.

    While ``botocore.exceptions`` is loaded, the error is a botocore ``ClientError`` too, and on the botocore transport
    the very ``client.exceptions.X`` that the client raised: programs that came from boto3 catch those.
    """
    error = member(reply.document, "Error")
    cls = _BY_CODE.get(str(error.get("Code")), ServiceError)
    if cls is NotAuthorizedException:
        cls = refined(str(error.get("Message", "")))
    return beside(cls, reply.raised or client_error())(reply.document, operation)
