"""AWS Lambda authorizers for REST APIs and HTTP APIs of API Gateway, and for AppSync. An instance is a handler::

    verifier = TokenVerifier("eu-west-1_AbCd12345", client_id="...", token_use="access")
    verifier.hydrate()  # fetches the keys while the function is initialized, so that no request waits for them
    handler = RestApiAuthorizer(verifier)

They refuse by default: a malformed event, a header that is missing or occurs twice, an empty token, and a token that is
not accepted. They raise an exception only if the keys cannot be fetched (TransportError) or the program has an error.
API Gateway then answers 500 and caches nothing. A denial, however, would be cached for this token, which may be valid.

API Gateway caches the result of an authorizer for its time to live (TTL), even if the token expires meanwhile. So a
token can be used until ``exp`` plus the TTL: choose a TTL that is acceptable as a longer life of the token. The cache
key is made of the identity sources of the authorizer. Therefore one of them must be the Authorization header: without
it, the cached result of one token would be used for another.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import TYPE_CHECKING, Any, TypeAlias, cast

from ..clock import Clock, system_clock
from ..exceptions import ConfigurationError, GroupMismatch, ScopeMismatch, TokenVerificationException
from ..tokens.claims import Claims
from ..tokens.policy import Overrides, seconds, strings
from ..tokens.verifier import TokenVerifier
from .aws_events import (
    Unauthorized,
    authorization_headers,
    require_json_object,
    rest_api_authorization_headers,
    whole_stage,
)
from .bearer import bearer_token, check_overrides, require_sync_verifier
from .principal import app_client, groups, subject, username

if TYPE_CHECKING:
    from typing import Unpack

__all__ = [
    "AppSyncAuthorizer",
    "HttpApiAuthorizer",
    "RestApiAuthorizer",
    "Unauthorized",
    "context_of",
    "whole_stage",
]

Scalar: TypeAlias = str | int | float | bool


def context_of(claims: Claims) -> dict[str, Scalar]:
    """Return the default context of the authorizers: the user, the app client, and what they are allowed to do.

    It contains ``sub``, ``username``, ``client_id`` (``aud`` of an ID token), ``token_use`` and ``scope``, if the token
    has them, and ``groups``, separated by spaces. The name of a group cannot contain a space.
    """
    members = {
        "sub": claims.get("sub"),
        "username": username(claims),
        "client_id": app_client(claims),
        "token_use": claims.get("token_use"),
        "scope": claims.get("scope"),
        "groups": " ".join(groups(claims)),
    }
    return {name: value for name, value in members.items() if isinstance(value, str) and value}


class _Authorizer:
    def __init__(
        self,
        verifier: TokenVerifier,
        *,
        context: Callable[[Claims], Mapping[str, Scalar]] = context_of,
        bare: bool = False,
        **overrides: Unpack[Overrides],
    ) -> None:
        self._verifier = require_sync_verifier(verifier)
        self._make_context = context
        self._bare = bare
        self._overrides = check_overrides(overrides)

    def _verify(self, authorization: list[str]) -> Claims:
        token = bearer_token([f"Bearer {value}" for value in authorization] if self._bare else authorization)
        if token is None:
            raise Unauthorized
        return self._verifier.verify(token, **self._overrides)

    def _check_context(self, claims: Claims) -> dict[str, Scalar]:
        context = dict(self._make_context(claims))
        for name, value in context.items():
            if not isinstance(name, str) or not isinstance(value, (str, int, float)):  # pyright: ignore[reportUnnecessaryIsInstance]
                raise ConfigurationError("context must return a mapping of names to strings, numbers or booleans")
        return context


class RestApiAuthorizer(_Authorizer):
    """An authorizer of type TOKEN or REQUEST for a REST API or a WebSocket API of API Gateway.

    Args:
        verifier: the verifier of the tokens.
        context: a function that returns the context for the integration from the claims: strings, numbers, booleans.
        bare: whether the header contains only the token, without ``Bearer``. Clients that were written for the built-in
            Cognito authorizer of API Gateway send it so. Only one of the two forms is accepted.
        resource: a function of the ARN of the method and the claims that returns the ARN or ARNs which the policy
            allows.
        overrides: replace arguments of the same name of the verifier, for example ``scope=``.

    Raises:
        ConfigurationError: *verifier* is not a TokenVerifier, or an override has a wrong type or value.
    """

    def __init__(
        self,
        verifier: TokenVerifier,
        *,
        context: Callable[[Claims], Mapping[str, Scalar]] = context_of,
        bare: bool = False,
        resource: Callable[[str, Claims], str | Collection[str]] = whole_stage,
        **overrides: Unpack[Overrides],
    ) -> None:
        super().__init__(verifier, context=context, bare=bare, **overrides)
        self._resource = resource

    def __call__(self, event: object, _: object = None) -> dict[str, Any]:
        """Return a policy that allows the caller to use the API, or denies it if a group or a scope is missing.

        Raises:
            Unauthorized: the event has no token, or the token is not accepted.
            TransportError: the key set could not be fetched, so the token was not verified.
            ConfigurationError: ``context`` or ``resource`` returned a value of a wrong type.
        """
        # Raise Unauthorized for a token that is not accepted, instead of returning a policy with Deny. Raising gives
        # 401, after which clients get a new token, and API Gateway does not cache it. A token that is not valid yet, or
        # is signed with a new key, may be accepted a minute later, but a cached Deny would stay for minutes. If the
        # cache key is not the token, it would even deny other tokens.
        # Return Deny only if a verified token lacks a group or a scope, because that cannot change.
        members = require_json_object(event)
        method_arn = members.get("methodArn")
        if not isinstance(method_arn, str):
            raise Unauthorized
        stage = whole_stage(method_arn, {})
        try:
            claims = self._verify(rest_api_authorization_headers(members))
            principal = subject(claims)
        except (GroupMismatch, ScopeMismatch):
            return _policy("refused", "Deny", stage)
        except TokenVerificationException:
            raise Unauthorized from None
        resource = strings("resource", self._resource(method_arn, claims))
        if resource is None:
            raise ConfigurationError("resource must return one ARN or several, not None")
        policy = _policy(principal, "Allow", resource if isinstance(resource, str) else [*resource])
        return {**policy, "context": self._check_context(claims)}


class HttpApiAuthorizer(_Authorizer):
    """An authorizer for an HTTP API of API Gateway: payload format version 2.0 with simple responses enabled.

    API Gateway answers 403 if a request is refused. If the authorizer has a cache, both results are cached.

    Args:
        verifier: the verifier of the tokens.
        context: a function that returns the context for the integration from the claims: strings, numbers, booleans.
        bare: whether the header contains only the token, without ``Bearer``. Only one of the two forms is accepted.
        overrides: replace arguments of the same name of the verifier, for example ``scope=``.

    Raises:
        ConfigurationError: *verifier* is not a TokenVerifier, or an override has a wrong type or value.
    """

    def __call__(self, event: object, _: object = None) -> dict[str, Any]:
        """Return ``isAuthorized``, and ``context`` if the token is accepted.

        Raises:
            TransportError: the key set could not be fetched, so the token was not verified.
            ConfigurationError: ``context`` returned a value of a wrong type.
        """
        try:
            members = require_json_object(event)
            if members.get("version") != "2.0":
                raise Unauthorized
            # Payload format 2.0 joins headers of the same name with commas. A token contains no comma, so two
            # Authorization headers are refused.
            claims = self._verify(authorization_headers(members.get("headers")))
        except (Unauthorized, TokenVerificationException):
            return {"isAuthorized": False}
        return {"isAuthorized": True, "context": self._check_context(claims)}


class AppSyncAuthorizer(_Authorizer):
    """An authorizer of type AWS_LAMBDA for AppSync.

    A refusal is not cached. An acceptance is cached for the time that is set in the API. If you pass ``ttl``, it is
    cached for that time, but never longer than the token is valid.

    Args:
        verifier: the verifier of the tokens.
        context: a function that returns ``$ctx.identity.resolverContext`` from the claims: strings, numbers, booleans.
        bare: whether the header contains only the token, as is usual with AppSync, or the token after ``Bearer``. Only
            one of the two forms is accepted.
        denied_fields: a function that returns from the claims the fields that are null for this caller, as
            ``Type.field`` or as ARN.
        ttl: the seconds for which AppSync may cache an acceptance (``ttlOverride``); 0 turns the cache off, and None
            uses the setting of the API.
        clock: a function that returns the seconds since the epoch.
        overrides: replace arguments of the same name of the verifier, for example ``scope=``.

    Raises:
        ConfigurationError: *verifier* is not a TokenVerifier, or an argument has a wrong type or value.
    """

    def __init__(
        self,
        verifier: TokenVerifier,
        *,
        context: Callable[[Claims], Mapping[str, Scalar]] = context_of,
        bare: bool = True,
        denied_fields: Callable[[Claims], Collection[str]] | None = None,
        ttl: int | None = None,
        clock: Clock = system_clock,
        **overrides: Unpack[Overrides],
    ) -> None:
        super().__init__(verifier, context=context, bare=bare, **overrides)
        if ttl is not None:
            seconds("ttl", ttl)
        self._denied_fields = denied_fields
        self._ttl = ttl
        self._clock = clock

    def __call__(self, event: object, _: object = None) -> dict[str, Any]:
        """Return ``isAuthorized``, and ``resolverContext`` and ``deniedFields`` if the token is accepted.

        Raises:
            TransportError: the key set could not be fetched, so the token was not verified.
            ConfigurationError: ``context`` or ``denied_fields`` returned a value of a wrong type.
        """
        try:
            token = require_json_object(event).get("authorizationToken")
            claims = self._verify([token] if isinstance(token, str) else [])
        except (Unauthorized, TokenVerificationException):
            return {"isAuthorized": False, "ttlOverride": 0}
        answer: dict[str, Any] = {"isAuthorized": True, "resolverContext": self._check_context(claims)}
        if self._denied_fields is not None:
            answer["deniedFields"] = _check_denied_fields(self._denied_fields(claims))
        if self._ttl is not None:
            answer["ttlOverride"] = max(0, min(int(self._ttl), int(claims["exp"] - self._clock())))
        return answer


def _check_denied_fields(denied: object) -> list[str]:
    if isinstance(denied, str) or not isinstance(denied, Collection):
        # A single string would be iterated over as a list of letters, so no field would be denied.
        raise ConfigurationError("denied_fields must return a list of field names, not a string")
    fields = [*cast(Collection[object], denied)]
    if not all(isinstance(field, str) and field for field in fields):
        raise ConfigurationError("denied_fields must return field names that are not empty")
    return cast(list[str], fields)


def _policy(principal: str, effect: str, resource: str | list[str]) -> dict[str, Any]:
    statement = {"Action": "execute-api:Invoke", "Effect": effect, "Resource": resource}
    return {"principalId": principal, "policyDocument": {"Version": "2012-10-17", "Statement": [statement]}}
