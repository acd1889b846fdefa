"""What the events of API Gateway and AppSync say, and the one answer to an event that says something else."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import cast

from ..exceptions import SrpcoreError
from ..tokens.claims import Claims

__all__ = ["Unauthorized", "authorization", "mapping", "rest_authorization", "whole_stage"]

# A wildcard in the id or the stage is none that API Gateway would write.
_METHOD_ARN = re.compile(r"(arn:[a-z-]+:execute-api:[a-z0-9-]+:\d+:[A-Za-z0-9]+/[\w$-]+)/.*", re.ASCII | re.DOTALL)


class Unauthorized(SrpcoreError):
    """The request is not let in. API Gateway answers 401 to this very text, and 500 to any other."""

    def __init__(self) -> None:
        super().__init__("Unauthorized")


def whole_stage(method_arn: str, _: Claims) -> str:
    """Return the resource of all methods in the API and stage of *method_arn*.

    API Gateway applies a cached policy to whatever method the same token calls next, and the verdict is the same for
    all of them. A policy for the one method that was called first would deny the others until the cache forgets it.

    Raises:
        Unauthorized: it is no method's ARN.
    """
    parts = _METHOD_ARN.fullmatch(method_arn)
    if parts is None:
        raise Unauthorized
    return f"{parts[1]}/*"


def mapping(value: object) -> Mapping[str, object]:
    """Return *value* as a JSON object.

    Raises:
        Unauthorized: it is none.
    """
    if not isinstance(value, Mapping):
        raise Unauthorized
    return cast(Mapping[str, object], value)


def rest_authorization(members: Mapping[str, object]) -> list[str]:
    """Return the values of the Authorization headers in *members*, an event of a REST API, of type TOKEN or REQUEST.

    Raises:
        Unauthorized: the headers are not as API Gateway writes them.
    """
    if members.get("type") == "TOKEN":
        token = members.get("authorizationToken")
        return [token] if isinstance(token, str) else []
    if members.get("type") != "REQUEST":
        return []
    # "headers" has the last value of each name, "multiValueHeaders" all; a value that is in one alone counts too.
    several = authorization(members.get("multiValueHeaders") or {})
    return [*several, *(value for value in authorization(members.get("headers") or {}) if value not in several)]


def authorization(headers: object) -> list[str]:
    """Return the values of the Authorization headers in *headers*: a string by name, or several in a list.

    Raises:
        Unauthorized: it is no JSON object, or a value is no string.
    """
    values: list[str] = []
    for name, value in mapping(headers).items():
        if str(name).lower() == "authorization":
            for one in cast(list[object], value) if isinstance(value, list) else [value]:
                if not isinstance(one, str):
                    raise Unauthorized
                values.append(one)
    return values
