"""Starlette: a callable that returns the claims of a request, and a backend for AuthenticationMiddleware.

::

    bearer = CognitoBearer(AsyncTokenVerifier("eu-west-1_AbCd12345", client_id="...", token_use="access"))

    async def me(request):
        claims = await bearer(request)  # or 401, 403, 503
        return JSONResponse({"sub": claims["sub"]})

For FastAPI use :mod:`srpcore.frameworks.fastapi`.
"""

# Do not add "from __future__ import annotations": this class works in FastAPI too. FastAPI reads the annotations of
# __call__ from an instance, which has no module in which it could look up names, so they must be objects, not strings.
from functools import partial
from typing import NoReturn, Unpack, cast

from starlette.authentication import AuthCredentials, AuthenticationBackend, AuthenticationError, BaseUser
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException, WebSocketException
from starlette.requests import HTTPConnection
from starlette.responses import PlainTextResponse, Response

from ..exceptions import ConfigurationError
from ..tokens.async_verifier import AsyncTokenVerifier
from ..tokens.claims import Claims
from ..tokens.overrides import Overrides
from ..tokens.verifier import TokenVerifier
from .bearer import (
    GetToken,
    Refused,
    bearer_token,
    check_get_token,
    check_overrides,
    token_is_missing,
    translate_errors,
)
from .principal import scopes, subject, username

__all__ = ["CognitoBackend", "CognitoBearer", "CognitoUser", "OptionalCognitoBearer", "RefusedToken", "on_error"]

_WEBSOCKET_POLICY, _WEBSOCKET_TRY_AGAIN = 1008, 1013  # RFC 6455, section 7.4.1; IANA's registry of close codes


def _header_token(connection: HTTPConnection) -> str | None:
    return bearer_token(connection.headers.getlist("authorization"))


class _Guard:
    """A verifier of either kind, with the settings of one route."""

    def __init__(
        self,
        verifier: TokenVerifier | AsyncTokenVerifier,
        get_token: GetToken[HTTPConnection] | None,
        overrides: Overrides,
    ) -> None:
        if not isinstance(verifier, (TokenVerifier, AsyncTokenVerifier)):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise ConfigurationError("verifier must be an AsyncTokenVerifier or a TokenVerifier")
        self._verifier = verifier
        self._get_token = _header_token if get_token is None else check_get_token(get_token)
        self._overrides = check_overrides(overrides, is_async=isinstance(verifier, AsyncTokenVerifier))

    async def claims(self, connection: HTTPConnection) -> Claims | None:
        """Return the claims of the token in *connection*, or None if it has none.

        Raises:
            Refused: the token is not accepted, or the key set could not be fetched.
        """
        with translate_errors():
            token = self._get_token(connection)
            return None if token is None else await self._verify(token)

    async def _verify(self, token: str) -> Claims:
        if isinstance(self._verifier, AsyncTokenVerifier):
            return await self._verifier.verify(token, **self._overrides)
        # Always use a thread, because it is not known before the call whether the verifier will fetch keys.
        return await run_in_threadpool(partial(self._verifier.verify, token, **self._overrides))


class Bearer:
    """What the two callables share: the verifier and its settings."""

    def __init__(
        self,
        verifier: TokenVerifier | AsyncTokenVerifier,
        *,
        get_token: GetToken[HTTPConnection] | None = None,
        **overrides: Unpack[Overrides],
    ) -> None:
        self._guard = _Guard(verifier, get_token, overrides)

    def __deepcopy__(self, _: object) -> NoReturn:
        # FastAPI copies the default value of a plain parameter for each request. If an endpoint is written with
        # "claims=bearer" and without Depends, everybody would be accepted. Raising here makes every request fail, so
        # that the mistake is noticed at the first one.
        raise ConfigurationError(
            f"{type(self).__name__} as a default value verifies nothing: write Depends(...) around it"
        )

    def __get_pydantic_core_schema__(self, *_: object) -> NoReturn:
        # "claims: Annotated[Claims, bearer]", without Depends, would read the claims from the body of the request.
        raise ConfigurationError(
            f"{type(self).__name__} as an annotation verifies nothing: write Depends(...) around it"
        )

    async def _claims(self, request: HTTPConnection, *, optional: bool) -> Claims | None:
        try:
            claims = await self._guard.claims(request)
            if claims is None and not optional:
                raise token_is_missing()
        except Refused as refused:
            raise http_error(request, refused) from refused.__cause__
        return claims


class CognitoBearer(Bearer):
    """A callable that returns the claims of the token in a request, or refuses the request.

    Await it in an endpoint: ``claims = await bearer(request)``. In FastAPI use it as a dependency. If you forget the
    ``await``, nothing is verified. To protect all routes even if one endpoint forgets it, use :class:`CognitoBackend`.

    Args:
        verifier: an AsyncTokenVerifier; or a TokenVerifier, which runs in a thread because it blocks during a fetch.
        get_token: a function of the request that returns the token, or None if there is none, instead of reading the
            Authorization header. A browser cannot set headers when it opens a WebSocket:
            ``get_token=lambda connection: connection.query_params.get("token")``. Browsers send cookies with requests
            of other sites too: if the token is in a cookie, protect the routes against such requests (CSRF).
        overrides: replace arguments of the same name of the verifier, for example ``scope=``.

    Raises:
        ConfigurationError: *verifier* has a wrong type, or an override has a wrong type or value.
    """

    async def __call__(self, request: HTTPConnection) -> Claims:
        """Return the claims of the token in *request*, or in the opening request of a WebSocket.

        Raises:
            HTTPException: 401 or 403 with ``WWW-Authenticate``, or 503; for a WebSocket, a WebSocketException.
            ConfigurationError: ``get_token`` returned neither a string nor None.
        """
        return cast(Claims, await self._claims(request, optional=False))


class OptionalCognitoBearer(Bearer):
    """A callable like :class:`CognitoBearer`, but it returns None for a request without a token.

    It has the same arguments. A token that is not accepted is still refused, so that a client notices that its token
    has expired.
    """

    async def __call__(self, request: HTTPConnection) -> Claims | None:
        """Return the claims of the token in *request*, or None if it has no token.

        Raises:
            HTTPException: 401 or 403 with ``WWW-Authenticate``, or 503; for a WebSocket, a WebSocketException.
            ConfigurationError: ``get_token`` returned neither a string nor None.
        """
        return await self._claims(request, optional=True)


def http_error(connection: HTTPConnection, refused: Refused) -> HTTPException | WebSocketException:
    """Return the exception for *refused*: an HTTP error, or one that closes a WebSocket."""
    if connection.scope["type"] == "websocket":
        code = _WEBSOCKET_TRY_AGAIN if refused.status == 503 else _WEBSOCKET_POLICY
        return WebSocketException(code, refused.description)
    return HTTPException(refused.status, refused.description, _headers(refused))


class CognitoUser(BaseUser):
    """The user of a verified token: ``identity`` is ``sub``, ``display_name`` the user name, ``claims`` all claims.

    Raises:
        InvalidClaim: the claims have no ``sub``.
    """

    def __init__(self, claims: Claims) -> None:
        self.claims = claims
        self._subject = subject(claims)

    @property
    def is_authenticated(self) -> bool:
        """True."""
        return True

    @property
    def display_name(self) -> str:
        """The user name, else ``sub``."""
        return username(self.claims) or self._subject

    @property
    def identity(self) -> str:
        """``sub``."""
        return self._subject


class RefusedToken(AuthenticationError):
    """The error that :class:`CognitoBackend` raises. ``refused`` contains the status and the message to send."""

    def __init__(self, refused: Refused) -> None:
        super().__init__(refused.description)
        self.refused = refused


class CognitoBackend(AuthenticationBackend):
    """Authenticate every request: ``request.user`` is a :class:`CognitoUser`, ``request.auth.scopes`` its scopes.

    A request without a bearer token is passed on with an anonymous user, so protect each route with Starlette's
    ``@requires``. The scope ``authenticated`` is added to those of the token, for ``@requires("authenticated")``. Use
    the backend with :func:`on_error`, because Starlette's default error handler answers 400::

        Middleware(AuthenticationMiddleware, backend=CognitoBackend(verifier), on_error=on_error)

    ``get_token`` is that of :class:`CognitoBearer`.

    Raises:
        ConfigurationError: *verifier* has a wrong type, or an override has a wrong type or value.
    """

    def __init__(
        self,
        verifier: TokenVerifier | AsyncTokenVerifier,
        *,
        get_token: GetToken[HTTPConnection] | None = None,
        **overrides: Unpack[Overrides],
    ) -> None:
        self._guard = _Guard(verifier, get_token, overrides)

    async def authenticate(self, conn: HTTPConnection) -> tuple[AuthCredentials, BaseUser] | None:
        """Return the scopes and the user of the token in *conn*, or None if it has no bearer token.

        Raises:
            RefusedToken: the token is not accepted, or the key set could not be fetched.
            ConfigurationError: ``get_token`` returned neither a string nor None.
        """
        try:
            claims = await self._guard.claims(conn)
            if claims is None:
                return None
            with translate_errors():
                return AuthCredentials(["authenticated", *scopes(claims)]), CognitoUser(claims)
        except Refused as refused:
            raise RefusedToken(refused) from refused.__cause__


def on_error(_: HTTPConnection, error: AuthenticationError) -> Response:
    """Return the response to a request that :class:`CognitoBackend` refused: 401, 403 or 503."""
    if not isinstance(error, RefusedToken):
        return PlainTextResponse("request is refused", 401, {"WWW-Authenticate": "Bearer"})
    return PlainTextResponse(error.refused.description, error.refused.status, _headers(error.refused))


def _headers(refused: Refused) -> dict[str, str]:
    return {} if refused.challenge is None else {"WWW-Authenticate": refused.challenge}
