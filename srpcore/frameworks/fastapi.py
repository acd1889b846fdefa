"""FastAPI: a dependency that returns the claims, ``claims: Annotated[Claims, Depends(CognitoBearer(verifier))]``."""

# Do not add "from __future__ import annotations": FastAPI reads the annotations of __call__ from an instance, which has
# no module in which it could look up names, so the annotations must be objects and not strings.
from typing import Unpack

from fastapi.openapi.models import HTTPBearer
from fastapi.openapi.models import SecurityBase as SecurityScheme
from fastapi.security import SecurityScopes
from fastapi.security.base import SecurityBase
from starlette.requests import HTTPConnection

from ..exceptions import ScopeMismatch
from ..tokens.async_verifier import AsyncTokenVerifier
from ..tokens.claims import Claims
from ..tokens.overrides import Overrides
from ..tokens.verifier import TokenVerifier
from . import starlette
from .bearer import GetToken, Refused, translate_errors
from .principal import scopes

__all__ = ["CognitoBearer", "OptionalCognitoBearer"]


class _DocumentedBearer(starlette.Bearer, SecurityBase):
    # FastAPI reads both attributes when it makes the OpenAPI document.
    model: SecurityScheme
    scheme_name: str

    def __init__(
        self,
        verifier: TokenVerifier | AsyncTokenVerifier,
        *,
        scheme_name: str = "CognitoBearer",
        scheme: SecurityScheme | None = None,
        get_token: GetToken[HTTPConnection] | None = None,
        **overrides: Unpack[Overrides],
    ) -> None:
        super().__init__(verifier, get_token=get_token, **overrides)
        self.model = scheme or HTTPBearer(bearerFormat="JWT")
        self.scheme_name = scheme_name


class CognitoBearer(_DocumentedBearer, starlette.CognitoBearer):
    """A dependency that returns the claims of the token in a request, or refuses the request with 401, 403 or 503.

    ``Security(bearer, scopes=[...])`` requires all of these scopes; ``scope=`` requires at least one of its scopes. The
    OpenAPI document of the app contains the security scheme.

    Args:
        verifier: an AsyncTokenVerifier; or a TokenVerifier, which runs in a thread because it blocks during a fetch.
        scheme_name: the name of the scheme in the OpenAPI document.
        scheme: the scheme in the OpenAPI document, if the token is not in the Authorization header: for example
            ``fastapi.openapi.models.APIKey.model_validate({"in": "cookie", "name": "access_token"})``.
        get_token: a function of the request that returns the token, or None: see
            :class:`srpcore.frameworks.starlette.CognitoBearer`.
        overrides: replace arguments of the same name of the verifier, for example ``scope=``.

    Raises:
        ConfigurationError: *verifier* has a wrong type, or an override has a wrong type or value.
    """

    async def __call__(self, request: HTTPConnection, security_scopes: SecurityScopes) -> Claims:  # type: ignore[override]  # FastAPI gives both
        """Return the claims of the token in *request*. FastAPI calls this.

        Raises:
            HTTPException: 401 or 403 with ``WWW-Authenticate``, or 503; for a WebSocket, a WebSocketException.
            ConfigurationError: ``get_token`` returned neither a string nor None.
        """
        return _require_all(request, await super().__call__(request), security_scopes)


class OptionalCognitoBearer(_DocumentedBearer, starlette.OptionalCognitoBearer):
    """A dependency like :class:`CognitoBearer`, but it returns None for a request without a token.

    It has the same arguments. A token that is not accepted, or that lacks a scope of ``Security(...)``, is still
    refused.
    """

    async def __call__(self, request: HTTPConnection, security_scopes: SecurityScopes) -> Claims | None:  # type: ignore[override]  # FastAPI gives both
        """Return the claims of the token in *request*, or None if it has no token. FastAPI calls this.

        Raises:
            HTTPException: 401 or 403 with ``WWW-Authenticate``, or 503; for a WebSocket, a WebSocketException.
            ConfigurationError: ``get_token`` returned neither a string nor None.
        """
        claims = await super().__call__(request)
        return None if claims is None else _require_all(request, claims, security_scopes)


def _require_all(request: HTTPConnection, claims: Claims, security_scopes: SecurityScopes) -> Claims:
    wanted, actual = security_scopes.scopes, scopes(claims)
    try:
        with translate_errors():
            if not {*wanted} <= {*actual}:
                raise ScopeMismatch("token lacks a required scope", expected=wanted, actual=actual)
    except Refused as refused:
        raise starlette.http_error(request, refused) from refused.__cause__
    return claims
