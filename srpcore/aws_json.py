"""The service's wire format, AWS JSON 1.1: encode an operation as a request body, decode a response. No I/O.

Every transport that speaks HTTP itself uses :func:`encode` and :func:`decode`, so all of them return the same replies.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any, cast

from .exceptions.base import ConfigurationError, InvalidRequest, TransportError
from .exceptions.context import without_context
from .protocol import Operation, Reply, is_operation_name
from .service_model import CONTENT_TYPE, STRING_PARAMETERS, TARGET_PREFIX, TIMESTAMP_MEMBERS

__all__ = ["check_operation_name", "decode", "encode", "with_dates"]


@without_context
def encode(operation: Operation) -> tuple[dict[str, str], bytes]:
    """Return the headers and the body of the POST request for *operation*.

    Raises:
        InvalidRequest: a member that must be a string by the service model is not a string.
        ConfigurationError: the name of the operation is not letters and digits, or a parameter cannot be encoded as
            JSON or UTF-8. The message does not quote a value.
    """
    check_operation_name(operation.name)
    for member in STRING_PARAMETERS & operation.parameters.keys():
        value = operation.parameters[member]
        if value is None and member == "Username":
            raise InvalidRequest(f"{operation.name}: no username: pass username= to Cognito; nothing was sent")
        if not isinstance(value, str):
            raise InvalidRequest(f"{operation.name}: {member} must be a string; nothing was sent")
    try:
        text = json.dumps(operation.parameters, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
        body = text.encode("utf-8")
    except (TypeError, ValueError, RecursionError):
        # Do not chain the cause: its message may quote a value, which may be a secret.
        raise ConfigurationError(
            f"{operation.name}: a parameter cannot be encoded as JSON; "
            "use strings, numbers, booleans, lists and dictionaries"
        ) from None
    return {"Content-Type": CONTENT_TYPE, "X-Amz-Target": TARGET_PREFIX + operation.name}, body


def check_operation_name(name: str) -> None:
    """Check the name of an operation before it becomes a part of a header, or the name of a method.

    Raises:
        ConfigurationError: *name* is not letters and digits. The message does not quote it.
    """
    if not is_operation_name(name):
        raise ConfigurationError("invalid operation name: use ASCII letters and digits, for example 'ListUsers'")


def decode(status: int, headers: Mapping[str, str], body: bytes) -> Reply:
    """Return the reply in an HTTP response, in the shape that botocore gives it.

    Args:
        status: the HTTP status.
        headers: the headers of the response, with names in lower case.
        body: the body of the response.

    Raises:
        TransportError: the body is not a JSON object, or the status is an error and the body is not an error document
            of the service (it is probably from a proxy), or a date in it is out of range.
    """
    document = _parse_object(status, headers, body)
    code = _error_code(headers, document)
    if code is None and status >= 300:
        raise _unexpected_response(status, headers, "without an error document of the service")
    # Callers recognise an error by the member Error, which is added below. Remove one that came in the body: no output
    # shape of the service model has a member of this name.
    document.pop("Error", None)
    if code is not None:
        message = document.get("message") or document.get("Message") or ""
        document = {**document, "Error": {"Code": code, "Message": str(message)}}
        document.pop("__type", None)
    metadata: dict[str, Any] = {"HTTPStatusCode": status, "HTTPHeaders": dict(headers), "RetryAttempts": 0}
    request_id = headers.get("x-amzn-requestid")
    if request_id is not None:
        metadata["RequestId"] = request_id
    try:
        dated = with_dates(document)
    except (ValueError, OverflowError, OSError, RecursionError):
        raise TransportError(f"HTTP {status} with a body that is nested too deeply or has an invalid date") from None
    return Reply({**dated, "ResponseMetadata": metadata})


def _parse_object(status: int, headers: Mapping[str, str], body: bytes) -> dict[str, Any]:
    if not body.strip():
        return {}
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict):
        raise _unexpected_response(status, headers, "with a body that is not a JSON object")
    return cast(dict[str, Any], document)


def _unexpected_response(status: int, headers: Mapping[str, str], what: str) -> TransportError:
    """Return the error for a response that is not from the service, but probably from a gateway or a proxy.

    Such a response may be temporary; the status decides.
    """
    return TransportError(
        f"HTTP {status} {what}: check the endpoint URL and the proxy settings",
        may_have_arrived=status != 429,
        transient=status in (429, 500, 502, 503, 504),
        status=status,
        retry_after=headers.get("retry-after", ""),
    )


def _error_code(headers: Mapping[str, str], document: Mapping[str, Any]) -> str | None:
    # `__type` in the body may have a namespace before the name ("prefix#Name"). The header may have a URL after it
    # ("Name:http://...").
    raw = headers.get("x-amzn-errortype") or document.get("__type")
    if not isinstance(raw, str) or not raw:
        return None
    return raw.rsplit("#", 1)[-1].split(":", 1)[0]


def with_dates(value: Any, name: str = "") -> Any:
    """Return the JSON *value*, with the numbers in timestamp members replaced by aware datetimes (UTC)."""
    if isinstance(value, dict):
        return {key: with_dates(member, key) for key, member in cast(dict[str, Any], value).items()}
    if isinstance(value, list):
        return [with_dates(item) for item in cast(list[Any], value)]
    if name in TIMESTAMP_MEMBERS and isinstance(value, (int, float)) and not isinstance(value, bool):
        return datetime.fromtimestamp(value, tz=timezone.utc)
    return value
