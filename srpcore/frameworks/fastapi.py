"""FastAPI: ``claims: Annotated[Claims, Depends(CognitoBearer(verifier))]``, and the scheme in the OpenAPI document."""

# Annotations are evaluated here: FastAPI reads those of __call__ from an object without a module to look names up in.
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
from .bearer import Refused, refusing
from .principal import scopes

__all__ = ["CognitoBearer"]


class CognitoBearer(starlette.CognitoBearer, SecurityBase):
    """Depend on the claims of the token that a request brings: 401, 403 or 503 where it brings none that is accepted.

    ``Security(bearer, scopes=[...])`` demands every scope that it names; ``scope=`` demands one of those it names.

    Args:
        verifier: AsyncTokenVerifier; or TokenVerifier, which runs in a thread, since it waits while it fetches keys.
        scheme_name: the name of the scheme in the OpenAPI document.
        overrides: what is demanded in the place of what the verifier was made with, such as ``scope=``.

    Raises:
        ConfigurationError: *verifier* is none, or an override cannot be used.
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
        """Return the claims of the token in *request*; FastAPI calls it.

        Raises:
            HTTPException: 401, 403 or 503, with ``WWW-Authenticate``; a WebSocket has WebSocketException instead.
        """
        claims = await super().__call__(request)
        try:
            with refusing():
                _check_all(security_scopes.scopes, claims)
        except Refused as refused:
            raise starlette.http_error(request, refused) from refused.__cause__
        return claims


def _check_all(wanted: list[str], claims: Claims) -> None:
    actual = scopes(claims)
    if not {*wanted} <= {*actual}:
        raise ScopeMismatch("the token lacks a scope", expected=wanted, actual=actual)
