"""Powertools for AWS Lambda: a middleware for the resolvers of API Gateway, function URLs and load balancers.

::

    app = APIGatewayHttpResolver()
    bearer = cognito_middleware(verifier)

    @app.get("/me", middlewares=[bearer])
    def me():
        return {"sub": app.context["claims"]["sub"]}

    app.use(middlewares=[bearer])  # or: all routes
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeAlias, cast

from aws_lambda_powertools.event_handler import Response, content_types
from aws_lambda_powertools.event_handler.api_gateway import ApiGatewayResolver
from aws_lambda_powertools.event_handler.middlewares import NextMiddleware

from ..tokens.overrides import Overrides
from ..tokens.verifier import TokenVerifier
from .bearer import (
    GetToken,
    Refused,
    bearer_token,
    check_get_token,
    check_overrides,
    require_sync_verifier,
    token_is_missing,
    translate_errors,
)

if TYPE_CHECKING:
    from typing import Unpack

__all__ = ["cognito_middleware"]

_Middleware: TypeAlias = Callable[[ApiGatewayResolver, NextMiddleware], "Response[Any]"]


def cognito_middleware(
    verifier: TokenVerifier,
    *,
    get_token: GetToken[ApiGatewayResolver] | None = None,
    optional: bool = False,
    **overrides: Unpack[Overrides],
) -> _Middleware:
    """Return a middleware that refuses requests without an accepted token, and sets ``app.context["claims"]``.

    Args:
        verifier: the verifier of the tokens.
        get_token: a function of the app that returns the token, or None if there is none, instead of reading the
            Authorization header: ``get_token=lambda app: app.current_event.headers.get("x-token")``.
        optional: whether to accept a request without a token; the claims are None then. A token that is not accepted is
            refused.
        overrides: replace arguments of the same name of the verifier, for example ``groups=``.

    Raises:
        ConfigurationError: *verifier* has a wrong type, or an override has a wrong type or value.
    """
    checked_verifier, checked_overrides = require_sync_verifier(verifier), check_overrides(overrides)
    find_token = _header_token if get_token is None else check_get_token(get_token)

    def middleware(app: ApiGatewayResolver, next_middleware: NextMiddleware) -> Response[Any]:
        context = cast("dict[str, object]", app.context)  # pyright: ignore[reportUnknownMemberType]
        context.pop("claims", None)
        try:
            with translate_errors():
                token = find_token(app)
                if token is None and not optional:
                    raise token_is_missing()
                claims = None if token is None else checked_verifier.verify(token, **checked_overrides)
        except Refused as refused:
            return _answer(refused)
        context["claims"] = claims
        return cast("Response[Any]", next_middleware(app))

    return middleware


def _header_token(app: ApiGatewayResolver) -> str | None:
    # REST APIs have all values of a header in multiValueHeaders, HTTP APIs have joined them with a comma, and so have
    # function URLs. A joined value is not one token, and is refused.
    event = app.current_event
    several: dict[str, list[str]] = event.get("multiValueHeaders") or {}
    values = [value for name, given in several.items() if name.lower() == "authorization" for value in given]
    single: dict[str, str] = event.get("headers") or {}
    return bearer_token(values or [value for name, value in single.items() if name.lower() == "authorization"])


def _answer(refused: Refused) -> Response[Any]:
    headers = {} if refused.challenge is None else {"WWW-Authenticate": refused.challenge}
    body = {"statusCode": refused.status, "message": refused.description}
    return Response(refused.status, content_types.APPLICATION_JSON, body, headers)
