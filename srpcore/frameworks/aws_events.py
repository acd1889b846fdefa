"""Read the token and the method from the events of API Gateway and AppSync, and refuse malformed events."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import cast

from ..exceptions import SrpcoreError
from ..tokens.claims import Claims

__all__ = [
    "Unauthorized",
    "authorization_headers",
    "require_json_object",
    "rest_api_authorization_headers",
    "whole_stage",
]

# API Gateway never writes a wildcard in the account, the API id or the stage. Accepting one would make the policy too
# wide. The account is usually a number, but "null" was seen for WebSocket APIs, and serverless-offline writes
# "random-account-id" and "random-api-id" (github.com/dherault/serverless-offline/issues/973).
_METHOD_ARN = re.compile(
    r"(arn:[a-z-]+:execute-api:[a-z0-9-]+:[A-Za-z0-9-]+:[A-Za-z0-9-]+/[\w$-]+)/.*", re.ASCII | re.DOTALL
)


class Unauthorized(SrpcoreError):
    """The request is refused. API Gateway answers 401 if the message is exactly ``Unauthorized``, else 500.

    ``reason`` says why, without the token, for logs. If the token was not accepted, ``__cause__`` is the
    TokenVerificationException.
    """

    def __init__(self, reason: str = "no reason is known") -> None:
        super().__init__("Unauthorized")
        self.reason = reason


def whole_stage(method_arn: str, _: Claims) -> str:
    """Return the ARN of all methods in the API and stage of *method_arn*.

    API Gateway caches a policy for each token, and applies it to every method that is called with the same token. A
    policy for only the first method would deny all others until the cache entry expires.

    Raises:
        Unauthorized: *method_arn* is not the ARN of a method.
    """
    parts = _METHOD_ARN.fullmatch(method_arn)
    if parts is None:
        raise Unauthorized("the event contains no ARN of a method: check the type of the authorizer and its payload")
    return f"{parts[1]}/*"


def require_json_object(value: object) -> Mapping[str, object]:
    """Return *value* if it is a JSON object.

    Raises:
        Unauthorized: *value* is something else.
    """
    if not isinstance(value, Mapping):
        raise Unauthorized("the event, or its headers, is not a JSON object")
    return cast(Mapping[str, object], value)


def rest_api_authorization_headers(members: Mapping[str, object]) -> list[str]:
    """Return the values of the Authorization headers in *members*, an event of a REST API of type TOKEN or REQUEST.

    Raises:
        Unauthorized: the headers do not have the form in which API Gateway writes them.
    """
    if members.get("type") == "TOKEN":
        token = members.get("authorizationToken")
        return [token] if isinstance(token, str) else []
    if members.get("type") != "REQUEST":
        return []
    # "headers" contains the last value of each header, "multiValueHeaders" all values. Combine both, so that a second
    # Authorization header is noticed wherever it is.
    values = authorization_headers(members.get("multiValueHeaders") or {})
    return [*values, *(value for value in authorization_headers(members.get("headers") or {}) if value not in values)]


def authorization_headers(headers: object) -> list[str]:
    """Return the values of the Authorization headers in *headers*, a JSON object of strings or of lists of strings.

    Raises:
        Unauthorized: *headers* is not a JSON object, or a value of Authorization is not a string.
    """
    values: list[str] = []
    for name, value in require_json_object(headers).items():
        if str(name).lower() == "authorization":
            for item in cast(list[object], value) if isinstance(value, list) else [value]:
                if not isinstance(item, str):
                    raise Unauthorized("an Authorization header of the event is not a string")
                values.append(item)
    return values
