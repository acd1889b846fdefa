"""The service's wire format, AWS JSON 1.1, without I/O: an operation to a request body, a response to a reply.

Every transport that speaks HTTP itself goes through :func:`encode` and :func:`decode`, so their replies are equal.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any, cast

from .exceptions.base import ConfigurationError, TransportError
from .protocol import Operation, Reply
from .service_model import CONTENT_TYPE, STRING_PARAMETERS, TARGET_PREFIX, TIMESTAMP_MEMBERS

__all__ = ["decode", "encode", "with_dates"]


def encode(operation: Operation) -> tuple[dict[str, str], bytes]:
    """Return the headers and the body of the POST that *operation* is.

    Raises:
        ConfigurationError: a member that the service model calls a string is not one, or a parameter has no JSON
            form, or a string in it has no UTF-8 form. The message quotes no value.
    """
    for member in STRING_PARAMETERS & operation.parameters.keys():
        if not isinstance(operation.parameters[member], str):
            raise ConfigurationError(f"{operation.name}: {member} must be a string; nothing was sent")
    try:
        text = json.dumps(operation.parameters, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
        body = text.encode("utf-8")
    except (TypeError, ValueError, RecursionError):
        # Without the cause: it may quote a value.
        raise ConfigurationError(
            f"{operation.name}: a parameter has no JSON form; use strings, numbers, booleans, lists and dictionaries"
        ) from None
    return {"Content-Type": CONTENT_TYPE, "X-Amz-Target": TARGET_PREFIX + operation.name}, body


def decode(status: int, headers: Mapping[str, str], body: bytes) -> Reply:
    """Return the reply that an HTTP response is, in botocore's shape; *headers* have lower-case names.

    Raises:
        TransportError: the response is neither a JSON object nor an error of the service (a proxy's page, most likely),
            or has a date that no calendar has.
    """
    document = _object(status, headers, body)
    code = _error_code(headers, document)
    if code is None and status >= 300:
        raise _stranger(status, headers, "without an error document of the service")
    # No output of the model has a member of this name: only an error may make a reply look like one.
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
        raise TransportError(f"HTTP {status} whose body has a date out of range or is nested too deeply") from None
    return Reply({**dated, "ResponseMetadata": metadata})


def _object(status: int, headers: Mapping[str, str], body: bytes) -> dict[str, Any]:
    if not body.strip():
        return {}
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict):
        raise _stranger(status, headers, "whose body is not a JSON object")
    return cast(dict[str, Any], document)


def _stranger(status: int, headers: Mapping[str, str], what: str) -> TransportError:
    """Return the error that an answer of somebody else is: a gateway's or a proxy's that may do better soon, or not."""
    return TransportError(
        f"HTTP {status} {what}: look at the proxy or endpoint",
        may_have_arrived=status != 429,
        transient=status in (429, 500, 502, 503, 504),
        status=status,
        retry_after=headers.get("retry-after", ""),
    )


def _error_code(headers: Mapping[str, str], document: Mapping[str, Any]) -> str | None:
    # The body's __type may carry a namespace ("prefix#Name"), the header a suffix ("Name:http://...").
    raw = headers.get("x-amzn-errortype") or document.get("__type")
    if not isinstance(raw, str) or not raw:
        return None
    return raw.rsplit("#", 1)[-1].split(":", 1)[0]


def with_dates(value: Any, name: str = "") -> Any:
    """Return the JSON *value* with the numbers of timestamp members turned into aware datetimes (UTC)."""
    if isinstance(value, dict):
        return {key: with_dates(member, key) for key, member in cast(dict[str, Any], value).items()}
    if isinstance(value, list):
        return [with_dates(item) for item in cast(list[Any], value)]
    if name in TIMESTAMP_MEMBERS and isinstance(value, (int, float)) and not isinstance(value, bool):
        return datetime.fromtimestamp(value, tz=timezone.utc)
    return value
