"""AWS Lambda authorizers for API Gateway's REST APIs and HTTP APIs, and for AppSync. An instance is a handler::

    verifier = TokenVerifier("eu-west-1_AbCd12345", client_id="...", token_use="access")
    verifier.hydrate()  # the initialization of the function pays for the fetch of the keys, and no request waits for it
    handler = RestApiAuthorizer(verifier)

All deny by default: an event of another shape, a header that is missing or there twice, an empty token and one that is
not accepted. Only where there are no keys to verify with (TransportError), or the program is at fault, they raise: the
service then answers 500 and remembers nothing, while a denial would be remembered for this token, which may be good,
for as long as the authorizer caches.

What is cached outlives the token: it may be used until the cache forgets it, after ``exp`` has passed too. Choose a
time to live that you would add to the token's own. API Gateway caches by the authorizer's identity sources: name the
Authorization header, and nothing in its place.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import TYPE_CHECKING, Any, TypeAlias, cast

from ..clock import Clock, system_clock
from ..exceptions import ConfigurationError, GroupMismatch, ScopeMismatch, TokenVerificationException
from ..tokens.claims import Claims
from ..tokens.policy import Overrides, seconds, strings
from ..tokens.verifier import TokenVerifier
from .aws_events import Unauthorized, authorization, mapping, rest_authorization, whole_stage
from .bearer import bearer_token, demands, sync_verifier
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
    """Return what the authorizers pass on by default: who calls, through which app client, and what they may do.

    ``sub``, ``username``, ``client_id`` (of an ID token its ``aud``), ``token_use`` and ``scope`` where the token has
    them; ``groups`` with spaces between them, which no group's name has.
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
        self._verifier = sync_verifier(verifier)
        self._make_context = context
        self._bare = bare
        self._overrides = demands(overrides)

    def _claims(self, authorization: list[str]) -> Claims:
        token = bearer_token([f"Bearer {value}" for value in authorization] if self._bare else authorization)
        if token is None:
            raise Unauthorized
        return self._verifier.verify(token, **self._overrides)

    def _context(self, claims: Claims) -> dict[str, Scalar]:
        context = dict(self._make_context(claims))
        for name, value in context.items():
            if not isinstance(name, str) or not isinstance(value, (str, int, float)):  # pyright: ignore[reportUnnecessaryIsInstance]
                raise ConfigurationError("context must return strings, numbers and booleans by name: no list, no None")
        return context


class RestApiAuthorizer(_Authorizer):
    """Authorize for a REST API of API Gateway, or a WebSocket API: authorizers of the types TOKEN and REQUEST.

    Args:
        verifier: whose ``verify`` decides.
        context: what to pass on to the integration, as a function of the claims; strings, numbers, booleans.
        bare: whether the header has the token alone, without ``Bearer``, as clients of API Gateway's own authorizer
            for user pools send it. It is one or the other, never both.
        resource: the ARN or ARNs that the policy allows, as a function of the ARN of the method and the claims.
        overrides: what is demanded in the place of what the verifier was made with, such as ``scope=``.

    Raises:
        ConfigurationError: *verifier* is no TokenVerifier, or an override cannot be used.
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
        """Return the policy that allows the caller the API, or denies a caller who lacks a group or a scope.

        Raises:
            Unauthorized: no token, or one that is not accepted.
            TransportError: there are no keys to verify it with.
            ConfigurationError: ``context`` or ``resource`` returned what cannot be used.
        """
        # 401 by raising, not a policy of Deny: it is what a client acts on by getting a new token, and it is not
        # cached. A token with a key that is new, or not valid yet, is good in a minute; a Deny would stand for minutes,
        # and for other tokens too where the cache has another key than the token. Deny is left for what a verified
        # token lacks, for that does not change.
        members = mapping(event)
        method_arn = members.get("methodArn")
        if not isinstance(method_arn, str):
            raise Unauthorized
        stage = whole_stage(method_arn, {})
        try:
            claims = self._claims(rest_authorization(members))
            principal = subject(claims)
        except (GroupMismatch, ScopeMismatch):
            return _policy("refused", "Deny", stage)
        except TokenVerificationException:
            raise Unauthorized from None
        resource = strings("resource", self._resource(method_arn, claims))
        if resource is None:
            raise ConfigurationError("resource must be an ARN or several, and not None")
        policy = _policy(principal, "Allow", resource if isinstance(resource, str) else [*resource])
        return {**policy, "context": self._context(claims)}


class HttpApiAuthorizer(_Authorizer):
    """Authorize for an HTTP API of API Gateway: payload format version 2.0 with simple responses enabled.

    A denial is answered with 403 and cached as an admission is, where the authorizer caches.

    Args:
        verifier: whose ``verify`` decides.
        context: what to pass on to the integration, as a function of the claims; strings, numbers, booleans.
        bare: whether the header has the token alone, without ``Bearer``. It is one or the other, never both.
        overrides: what is demanded in the place of what the verifier was made with, such as ``scope=``.

    Raises:
        ConfigurationError: *verifier* is no TokenVerifier, or an override cannot be used.
    """

    def __call__(self, event: object, _: object = None) -> dict[str, Any]:
        """Return ``isAuthorized``, and for a caller who is let in ``context``.

        Raises:
            TransportError: there are no keys to verify the token with.
            ConfigurationError: ``context`` returned what cannot be passed on.
        """
        try:
            members = mapping(event)
            if members.get("version") != "2.0":
                raise Unauthorized
            # This format joins headers of one name with a comma, which no token has.
            claims = self._claims(authorization(members.get("headers")))
        except (Unauthorized, TokenVerificationException):
            return {"isAuthorized": False}
        return {"isAuthorized": True, "context": self._context(claims)}


class AppSyncAuthorizer(_Authorizer):
    """Authorize for AppSync, of type AWS_LAMBDA.

    A denial is not cached. An admission is cached as the API says, or for ``ttl`` seconds, and then never beyond the
    token's ``exp``.

    Args:
        verifier: whose ``verify`` decides.
        context: what resolvers see as ``$ctx.identity.resolverContext``, as a function of the claims; strings,
            numbers, booleans.
        bare: whether the token comes alone, as AppSync wants it, or after ``Bearer``. It is one or the other.
        denied_fields: the fields that resolve to null for this caller, as ``Type.field`` or by ARN, as a function of
            the claims.
        ttl: seconds for which AppSync may cache an admission (``ttlOverride``), 0 for not at all; None leaves it to
            the API.
        clock: the time in seconds since the epoch.
        overrides: what is demanded in the place of what the verifier was made with, such as ``scope=``.

    Raises:
        ConfigurationError: *verifier* is no TokenVerifier, or an argument cannot be used.
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
        """Return ``isAuthorized``, and for a caller who is let in ``resolverContext`` and ``deniedFields``.

        Raises:
            TransportError: there are no keys to verify the token with.
            ConfigurationError: ``context`` or ``denied_fields`` returned what cannot be passed on.
        """
        try:
            token = mapping(event).get("authorizationToken")
            claims = self._claims([token] if isinstance(token, str) else [])
        except (Unauthorized, TokenVerificationException):
            return {"isAuthorized": False, "ttlOverride": 0}
        answer: dict[str, Any] = {"isAuthorized": True, "resolverContext": self._context(claims)}
        if self._denied_fields is not None:
            answer["deniedFields"] = _fields(self._denied_fields(claims))
        if self._ttl is not None:
            answer["ttlOverride"] = max(0, min(int(self._ttl), int(claims["exp"] - self._clock())))
        return answer


def _fields(denied: object) -> list[str]:
    if isinstance(denied, str) or not isinstance(denied, Collection):
        # One name would be read as a list of its letters, and deny nothing.
        raise ConfigurationError("denied_fields must return the names of fields: several, not one string")
    several = [*cast(Collection[object], denied)]
    if not all(isinstance(field, str) and field for field in several):
        raise ConfigurationError("denied_fields must return the names of fields, and none of them empty")
    return cast(list[str], several)


def _policy(principal: str, effect: str, resource: str | list[str]) -> dict[str, Any]:
    statement = {"Action": "execute-api:Invoke", "Effect": effect, "Resource": resource}
    return {"principalId": principal, "policyDocument": {"Version": "2012-10-17", "Statement": [statement]}}
