"""What the AWS Lambda authorizers have in common: find the token, verify it, and say why a request is refused."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

from ..exceptions import ConfigurationError, GroupMismatch, ScopeMismatch, TokenVerificationException
from ..tokens.claims import Claims
from ..tokens.overrides import Overrides
from ..tokens.policy import strings
from ..tokens.verifier import TokenVerifier
from .aws_events import Unauthorized, require_json_object, whole_stage
from .bearer import GetToken, bearer_token, check_get_token, check_overrides, require_sync_verifier
from .principal import app_client, groups, subject, username

if TYPE_CHECKING:
    from collections.abc import Collection

__all__ = ["Authorizer", "Event", "MakeContext", "MakeResource", "OnRefused", "context_of"]

Scalar: TypeAlias = str | int | float | bool
Event: TypeAlias = Mapping[str, object]
MakeContext: TypeAlias = Callable[[Claims], Mapping[str, Scalar]]
MakeResource: TypeAlias = "Callable[[str, Claims], str | Collection[str]]"
OnRefused: TypeAlias = Callable[[Unauthorized], object]


_NO_BEARER_TOKEN = (
    "the event contains no Authorization header with a token after 'Bearer': if clients send the token alone, "
    "use bare=True"
)


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


class Authorizer:
    """The arguments that all authorizers have, and the steps that they share."""

    def __init__(
        self,
        verifier: TokenVerifier,
        *,
        context: MakeContext,
        bare: bool,
        get_token: GetToken[Event] | None,
        on_refused: OnRefused | None,
        overrides: Overrides,
    ) -> None:
        self._verifier = require_sync_verifier(verifier)
        self._make_context = context
        self._bare = bare
        self._get_token = None if get_token is None else check_get_token(get_token)
        if on_refused is not None and not callable(on_refused):
            raise ConfigurationError("on_refused must be a function of the refusal")
        self._on_refused = on_refused
        self._overrides = check_overrides(overrides)
        # An authorizer is made while the function is initialized. Without this, its first request would load the engine
        # if the keys were given by load_jwks().
        self._verifier.load_engine()

    def _claims(self, event: Event, authorization: Callable[[Event], list[str]]) -> Claims:
        """Return the claims of the token in *event*; *authorization* returns the values of its Authorization headers.

        Raises:
            Unauthorized: there is no token, or it is not accepted.
            TransportError: the key set could not be fetched, so the token was not verified.
            ConfigurationError: ``get_token`` returned neither a string nor None.
        """
        try:
            token = self._get_token(event) if self._get_token else self._header_token(authorization(event))
            if token is None:
                raise Unauthorized("the event contains no token" if self._get_token or self._bare else _NO_BEARER_TOKEN)
            return self._verifier.verify(token, **self._overrides)
        except TokenVerificationException as error:
            raise Unauthorized(str(error)) from error

    def _header_token(self, authorization: list[str]) -> str | None:
        return bearer_token([f"Bearer {value}" for value in authorization] if self._bare else authorization)

    def _report(self, refused: Unauthorized) -> None:
        import logging  # slow to import, and most requests are accepted

        logging.getLogger("srpcore").debug("authorizer refused a request: %s", refused.reason)
        if self._on_refused is not None:
            self._on_refused(refused)

    def _context(self, claims: Claims) -> dict[str, Scalar]:
        context = dict(self._make_context(claims))
        for name, value in context.items():
            if not isinstance(name, str) or not isinstance(value, (str, int, float)):  # pyright: ignore[reportUnnecessaryIsInstance]
                raise ConfigurationError("context must return a mapping of names to strings, numbers or booleans")
        return context

    def _policy_response(
        self, event: object, arn_member: str, authorization: Callable[[Event], list[str]], make_resource: MakeResource
    ) -> dict[str, Any]:
        """Return the answer with an IAM policy to *event*, whose member *arn_member* is the ARN of the method."""
        # Raise Unauthorized for a token that is not accepted, instead of returning a policy with Deny. Raising gives
        # 401, after which clients get a new token, and API Gateway does not cache it. A token that is not valid yet, or
        # is signed with a new key, may be accepted a minute later, but a cached Deny would stay for minutes. If the
        # cache key is not the token, it would even deny other tokens.
        # Return Deny only if a verified token lacks a group or a scope, because that cannot change.
        stage = ""
        try:
            members = require_json_object(event)
            method_arn = str(members.get(arn_member))
            stage = whole_stage(method_arn, {})
            claims = self._claims(members, authorization)
            principal = _principal(claims)
        except Unauthorized as refused:
            self._report(refused)
            if isinstance(refused.__cause__, (GroupMismatch, ScopeMismatch)):
                # API Gateway requires a principal, and a refused token has none that counts.
                return _policy("refused", "Deny", stage)
            raise
        resource = strings("resource", make_resource(method_arn, claims))
        if resource is None:
            raise ConfigurationError("resource must return one ARN or several, not None")
        policy = _policy(principal, "Allow", resource if isinstance(resource, str) else [*resource])
        return {**policy, "context": self._context(claims)}


def _policy(principal: str, effect: str, resource: str | list[str]) -> dict[str, Any]:
    statement = {"Action": "execute-api:Invoke", "Effect": effect, "Resource": resource}
    return {"principalId": principal, "policyDocument": {"Version": "2012-10-17", "Statement": [statement]}}


def _principal(claims: Claims) -> str:
    try:
        return subject(claims)
    except TokenVerificationException as error:
        raise Unauthorized(str(error)) from error
