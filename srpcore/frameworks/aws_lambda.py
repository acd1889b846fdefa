"""AWS Lambda authorizers for REST APIs and HTTP APIs of API Gateway, and for AppSync. An instance is a handler::

    verifier = TokenVerifier("eu-west-1_AbCd12345", client_id="...", token_use="access")
    verifier.hydrate()  # fetches the keys while the function is initialized, so that no request waits for them
    handler = RestApiAuthorizer(verifier)

Which class fits which setting of API Gateway::

    REST API, type TOKEN or REQUEST                            RestApiAuthorizer
    WebSocket API (its authorizers have type REQUEST)          RestApiAuthorizer
    HTTP API, payload format 1.0                               RestApiAuthorizer
    HTTP API, payload format 2.0, simple responses enabled     HttpApiAuthorizer
    HTTP API, payload format 2.0, simple responses disabled    HttpApiAuthorizer(simple_responses=False)
    AppSync, AWS_LAMBDA                                        AppSyncAuthorizer

They refuse by default: a malformed event, a header that is missing or occurs twice, an empty token, and a token that is
not accepted. The reason of each refusal is logged at DEBUG by the logger ``srpcore`` and passed to ``on_refused``. It
never contains the token.

They raise an exception other than Unauthorized only if the keys cannot be fetched (TransportError) or the program has
an error. API Gateway then answers 500 and caches nothing. A denial would be cached, although the token may be valid.

API Gateway caches the result of an authorizer for its time to live (TTL), even if the token expires meanwhile. So a
token can be used until ``exp`` plus the TTL: choose a TTL that is acceptable as a longer life of the token. The cache
key is made of the identity sources of the authorizer. Therefore one of them must be the Authorization header: without
it, the cached result of one token would be used for another.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import TYPE_CHECKING, Any, cast

from ..clock import Clock, system_clock
from ..exceptions import ConfigurationError
from ..tokens.claims import Claims
from ..tokens.overrides import Overrides
from ..tokens.policy import seconds
from ..tokens.verifier import TokenVerifier
from .aws_authorizer import Authorizer, Event, MakeContext, MakeResource, OnRefused, context_of
from .aws_events import (
    Unauthorized,
    authorization_headers,
    require_json_object,
    rest_api_authorization_headers,
    whole_stage,
)
from .bearer import GetToken

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


class RestApiAuthorizer(Authorizer):
    """An authorizer for a REST API (type TOKEN or REQUEST), a WebSocket API, or an HTTP API with payload format 1.0.

    Args:
        verifier: the verifier of the tokens.
        context: a function that returns the context for the integration from the claims: strings, numbers, booleans.
        bare: whether the header contains only the token, without ``Bearer``. Clients that were written for the built-in
            Cognito authorizer of API Gateway send it so. Only one of the two forms is accepted.
        resource: a function of the ARN of the method and the claims that returns the ARN or ARNs which the policy
            allows.
        get_token: a function of the event that returns the token, or None if there is none, instead of reading the
            Authorization header: for a token in a cookie, a query string or a WebSocket subprotocol. The place of the
            token must be an identity source of the authorizer; otherwise turn its cache off.
        on_refused: a function that is called with the :class:`Unauthorized` of every request that is refused. Its
            ``reason`` says why. If the function raises an exception, the authorizer raises it too.
        overrides: replace arguments of the same name of the verifier, for example ``scope=``.

    Raises:
        ConfigurationError: *verifier* is not a TokenVerifier, or an override has a wrong type or value.
    """

    def __init__(
        self,
        verifier: TokenVerifier,
        *,
        context: MakeContext = context_of,
        bare: bool = False,
        resource: MakeResource = whole_stage,
        get_token: GetToken[Event] | None = None,
        on_refused: OnRefused | None = None,
        **overrides: Unpack[Overrides],
    ) -> None:
        super().__init__(
            verifier, context=context, bare=bare, get_token=get_token, on_refused=on_refused, overrides=overrides
        )
        self._resource = resource

    def __call__(self, event: object, _: object = None) -> dict[str, Any]:
        """Return a policy that allows the caller to use the API, or denies it if a group or a scope is missing.

        Raises:
            Unauthorized: the event has no token, or the token is not accepted.
            TransportError: the key set could not be fetched, so the token was not verified.
            ConfigurationError: ``context``, ``get_token`` or ``resource`` returned a value of a wrong type.
        """
        return self._policy_response(event, "methodArn", rest_api_authorization_headers, self._resource)


class HttpApiAuthorizer(Authorizer):
    """An authorizer of payload format 2.0 for an HTTP API of API Gateway. For format 1.0 use RestApiAuthorizer.

    With simple responses API Gateway answers 403 if a request is refused. API Gateway caches refusals as well as
    acceptances.

    Args:
        verifier: the verifier of the tokens.
        simple_responses: the setting ``EnableSimpleResponses`` of the authorizer in API Gateway. If it is False, the
            answer is an IAM policy, like that of :class:`RestApiAuthorizer`.
        context: a function that returns the context for the integration from the claims: strings, numbers, booleans.
        bare: whether the header contains only the token, without ``Bearer``. Only one of the two forms is accepted.
        resource: a function of the ARN of the route and the claims that returns the ARN or ARNs which the policy
            allows, without simple responses.
        get_token: a function of the event that returns the token, or None if there is none, instead of reading the
            Authorization header: for a token in a cookie, a query string or a WebSocket subprotocol. The place of the
            token must be an identity source of the authorizer; otherwise turn its cache off.
        on_refused: a function that is called with the :class:`Unauthorized` of every request that is refused. Its
            ``reason`` says why. If the function raises an exception, the authorizer raises it too.
        overrides: replace arguments of the same name of the verifier, for example ``scope=``.

    Raises:
        ConfigurationError: *verifier* is not a TokenVerifier, or an override has a wrong type or value.
    """

    def __init__(
        self,
        verifier: TokenVerifier,
        *,
        simple_responses: bool = True,
        context: MakeContext = context_of,
        bare: bool = False,
        resource: MakeResource = whole_stage,
        get_token: GetToken[Event] | None = None,
        on_refused: OnRefused | None = None,
        **overrides: Unpack[Overrides],
    ) -> None:
        super().__init__(
            verifier, context=context, bare=bare, get_token=get_token, on_refused=on_refused, overrides=overrides
        )
        self._simple_responses = simple_responses
        self._resource = resource

    def __call__(self, event: object, _: object = None) -> dict[str, Any]:
        """Return ``isAuthorized``, and ``context`` if the token is accepted; or a policy, without simple responses.

        Raises:
            Unauthorized: without simple responses, if the event has no token, or the token is not accepted.
            TransportError: the key set could not be fetched, so the token was not verified.
            ConfigurationError: ``context``, ``get_token`` or ``resource`` returned a value of a wrong type.
        """
        if not self._simple_responses:
            return self._policy_response(event, "routeArn", _http_api_headers, self._resource)
        try:
            claims = self._claims(require_json_object(event), _http_api_headers)
        except Unauthorized as refused:
            self._report(refused)
            return {"isAuthorized": False}
        return {"isAuthorized": True, "context": self._context(claims)}


class AppSyncAuthorizer(Authorizer):
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
        get_token: a function of the event that returns the token, or None if there is none. AppSync caches results by
            ``authorizationToken``, so if the token is elsewhere, set ``ttl=0``.
        on_refused: a function that is called with the :class:`Unauthorized` of every request that is refused. Its
            ``reason`` says why. If the function raises an exception, the authorizer raises it too.
        overrides: replace arguments of the same name of the verifier, for example ``scope=``.

    Raises:
        ConfigurationError: *verifier* is not a TokenVerifier, or an argument has a wrong type or value.
    """

    def __init__(
        self,
        verifier: TokenVerifier,
        *,
        context: MakeContext = context_of,
        bare: bool = True,
        denied_fields: Callable[[Claims], Collection[str]] | None = None,
        ttl: int | None = None,
        clock: Clock = system_clock,
        get_token: GetToken[Event] | None = None,
        on_refused: OnRefused | None = None,
        **overrides: Unpack[Overrides],
    ) -> None:
        super().__init__(
            verifier, context=context, bare=bare, get_token=get_token, on_refused=on_refused, overrides=overrides
        )
        if ttl is not None:
            seconds("ttl", ttl)
        self._denied_fields = denied_fields
        self._ttl = ttl
        self._clock = clock

    def __call__(self, event: object, _: object = None) -> dict[str, Any]:
        """Return ``isAuthorized``, and ``resolverContext`` and ``deniedFields`` if the token is accepted.

        Raises:
            TransportError: the key set could not be fetched, so the token was not verified.
            ConfigurationError: ``context``, ``get_token`` or ``denied_fields`` returned a value of a wrong type.
        """
        try:
            claims = self._claims(require_json_object(event), _appsync_headers)
        except Unauthorized as refused:
            self._report(refused)
            return {"isAuthorized": False, "ttlOverride": 0}
        answer: dict[str, Any] = {"isAuthorized": True, "resolverContext": self._context(claims)}
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


def _http_api_headers(event: Event) -> list[str]:
    if event.get("version") != "2.0":
        raise Unauthorized("the event does not have payload format 2.0: use RestApiAuthorizer for format 1.0")
    # Payload format 2.0 joins headers of the same name with commas. A token contains no comma, so two Authorization
    # headers are refused.
    return authorization_headers(event.get("headers"))


def _appsync_headers(event: Event) -> list[str]:
    token = event.get("authorizationToken")
    return [token] if isinstance(token, str) else []
