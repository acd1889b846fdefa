"""FastAPI: a dependency that returns the claims, ``claims: Annotated[Claims, Depends(CognitoBearer(verifier))]``."""

# Do not add "from __future__ import annotations": FastAPI reads the annotations of __call__ from an instance, which has
# no module in which it could look up names, so the annotations must be objects and not strings.
from typing import Unpack

from fastapi.openapi.models import HTTPBearer
from fastapi.security import SecurityScopes
from fastapi.security.base import SecurityBase
from starlette.requests import HTTPConnection

from ..exceptions import ScopeMismatch
from ..tokens.async_verifier import AsyncTokenVerifier
from ..tokens.claims import Claims
from ..tokens.policy import Overrides
from ..tokens.verifier import TokenVerifier
from . import starlette
from .bearer import Refused, translate_errors
from .principal import scopes

__all__ = ["CognitoBearer"]


class CognitoBearer(starlette.CognitoBearer, SecurityBase):
    """A dependency that returns the claims of the token in a request, or refuses the request with 401, 403 or 503.

    ``Security(bearer, scopes=[...])`` requires all of these scopes; ``scope=`` requires at least one of its scopes. The
    OpenAPI document of the app contains the security scheme.

    Args:
        verifier: an AsyncTokenVerifier; or a TokenVerifier, which runs in a thread because it blocks during a fetch.
        scheme_name: the name of the scheme in the OpenAPI document.
        overrides: replace arguments of the same name of the verifier, for example ``scope=``.

    Raises:
        ConfigurationError: *verifier* has a wrong type, or an override has a wrong type or value.
    """

    def __init__(
        self,
        verifier: TokenVerifier | AsyncTokenVerifier,
        *,
        scheme_name: str = "CognitoBearer",
        **overrides: Unpack[Overrides],
    ) -> None:
        super().__init__(verifier, **overrides)
        self.model = HTTPBearer(bearerFormat="JWT")
        self.scheme_name = scheme_name

    async def __call__(self, request: HTTPConnection, security_scopes: SecurityScopes) -> Claims:  # type: ignore[override]  # FastAPI gives both
        """Return the claims of the token in *request*. FastAPI calls this.

        Raises:
            HTTPException: 401, 403 or 503, with ``WWW-Authenticate``; for a WebSocket a WebSocketException.
        """
        claims = await super().__call__(request)
        try:
            with translate_errors():
                _check_all(security_scopes.scopes, claims)
        except Refused as refused:
            raise starlette.http_error(request, refused) from refused.__cause__
        return claims


def _check_all(wanted: list[str], claims: Claims) -> None:
    actual = scopes(claims)
    if not {*wanted} <= {*actual}:
        raise ScopeMismatch("token lacks a required scope", expected=wanted, actual=actual)
