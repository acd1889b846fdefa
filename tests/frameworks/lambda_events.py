"""The events of the AWS Lambda authorizers, and the policies that they return."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from moto.iam.access_control import IAMPolicy, PermissionResult

from srpcore.frameworks.aws_lambda import AppSyncAuthorizer, HttpApiAuthorizer, RestApiAuthorizer
from support.key_server import mint

STAGE = "arn:aws:execute-api:eu-west-1:123456789012:s4x3opwd6i/test"


def rest_token(value: object) -> dict[str, Any]:
    return {"type": "TOKEN", "authorizationToken": value, "methodArn": f"{STAGE}/GET/request"}


def rest_request(*values: str, name: str = "Authorization", **changes: Any) -> dict[str, Any]:
    single = {name: values[-1]} if values else {}
    several = {name: [*values]} if values else {}
    return {
        "type": "REQUEST",
        "methodArn": f"{STAGE}/GET/request",
        "resource": "/request",
        "path": "/request",
        "httpMethod": "GET",
        "headers": {"Accept": "*/*", **single},
        "multiValueHeaders": {"Accept": ["*/*"], **several},
        "queryStringParameters": {"access_token": mint()},
        "pathParameters": {},
        "stageVariables": {"StageVar1": "stageValue1"},
        "requestContext": {"path": "/request", "stage": "test", "httpMethod": "GET", "apiId": "s4x3opwd6i"},
        **changes,
    }


def http(*values: str, **changes: Any) -> dict[str, Any]:
    headers = {"authorization": ",".join(values)} if values else {}
    return {
        "version": "2.0",
        "type": "REQUEST",
        "routeArn": f"{STAGE}/GET/request",
        "identitySource": [*values],
        "routeKey": "$default",
        "rawPath": "/request",
        "rawQueryString": "",
        "headers": {"accept": "*/*", **headers},
        "requestContext": {"apiId": "s4x3opwd6i", "http": {"method": "GET", "path": "/request"}, "stage": "test"},
        **changes,
    }


def appsync(value: object) -> dict[str, Any]:
    context: dict[str, Any] = {
        "apiId": "a",
        "accountId": "1",
        "requestId": "r",
        "queryString": "query { a }",
        "variables": {},
    }
    return {"authorizationToken": value, "requestContext": context}


KINDS: dict[str, tuple[Any, Callable[[str], dict[str, Any]]]] = {
    "rest-token": (RestApiAuthorizer, lambda token: rest_token(f"Bearer {token}")),
    "rest-request": (RestApiAuthorizer, lambda token: rest_request(f"Bearer {token}")),
    "http": (HttpApiAuthorizer, lambda token: http(f"Bearer {token}")),
    "appsync": (AppSyncAuthorizer, appsync),
}
"""Each authorizer, and a function that returns its event with a given token."""


def permitted(answer: dict[str, Any], resource: str) -> bool:
    """Return whether the policy in *answer* allows the caller to invoke *resource*, according to moto's IAM."""
    policy = IAMPolicy(json.dumps(answer["policyDocument"]))
    return policy.is_action_permitted("execute-api:Invoke", resource) == PermissionResult.PERMITTED
