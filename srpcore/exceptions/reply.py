"""Make an exception from an error reply of the service."""

from __future__ import annotations

from ..protocol import Reply
from . import service_exceptions
from .compat import combined
from .hints import hint_for
from .not_authorized import not_authorized_class
from .service import ServiceError, member
from .service_exceptions import NotAuthorizedException

__all__ = ["service_error"]

_BY_CODE: dict[str, type[ServiceError]] = {
    name: getattr(service_exceptions, name) for name in service_exceptions.__all__
}


def service_error(reply: Reply, operation: str, auth_flow: object = None) -> ServiceError:
    """Return the exception for an error *reply* to *operation*.

    While ``botocore.exceptions`` is loaded, the exception is also a botocore ``ClientError``. On the botocore transport
    it is also an instance of the class ``client.exceptions.X`` that the client raised. If the cause is a frequent one,
    the exception has a ``hint``. *auth_flow* is the AuthFlow of the request, which the hint may name.
    """
    error = member(reply.document, "Error")
    cls = _BY_CODE.get(str(error.get("Code")), ServiceError)
    if cls is NotAuthorizedException:
        cls = not_authorized_class(str(error.get("Message", "")))
    made: ServiceError = combined(cls, "service", raised=reply.raised)(reply.document, operation)
    made.hint = hint_for(made, auth_flow)
    if made.hint:
        made.add_note(f"Hint: {made.hint}")
    return made
