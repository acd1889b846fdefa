"""Starlette: claims of a request by ``await bearer(request)``, and a backend for its AuthenticationMiddleware.

::

    bearer = CognitoBearer(AsyncTokenVerifier("eu-west-1_AbCd12345", client_id="...", token_use="access"))

    async def me(request):
        claims = await bearer(request)  # or 401, 403, 503
        return JSONResponse({"sub": claims["sub"]})

For FastAPI there is :mod:`srpcore.frameworks.fastapi`.
"""

# Annotations are evaluated here: FastAPI, which this works in too, reads those of __call__ from an object without a
# module to look names up in.
from functools import partial
from typing import NoReturn, Unpack

from starlette.authentication import AuthCredentials, AuthenticationBackend, AuthenticationError, BaseUser
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException, WebSocketException
from starlette.requests import HTTPConnection
from starlette.responses import PlainTextResponse, Response

from ..exceptions import ConfigurationError
from ..tokens.async_verifier import AsyncTokenVerifier
from ..tokens.claims import Claims
from ..tokens.policy import Overrides
from ..tokens.verifier import TokenVerifier
from .bearer import Refused, bearer_token, demands, needed_token, refusing
from .principal import scopes, subject, username

__all__ = ["CognitoBackend", "CognitoBearer", "CognitoUser", "RefusedToken", "on_error"]

_WEBSOCKET_POLICY, _WEBSOCKET_TRY_AGAIN = 1008, 1013  # RFC 6455, section 7.4.1; IANA's registry of close codes


class _Guard:
    """A verifier of either kind, and what is demanded beyond it."""

    def __init__(self, verifier: TokenVerifier | AsyncTokenVerifier, overrides: Overrides) -> None:
        if not isinstance(verifier, (TokenVerifier, AsyncTokenVerifier)):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise ConfigurationError("verifier must be an AsyncTokenVerifier or a TokenVerifier")
        self._verifier = verifier
        self._overrides = demands(overrides, awaited=isinstance(verifier, AsyncTokenVerifier))

    async def verify(self, token: str) -> Claims:
        """Return the claims of *token*, with the event loop free while keys are fetched."""
        if isinstance(self._verifier, AsyncTokenVerifier):
            return await self._verifier.verify(token, **self._overrides)
        # In a thread always: from outside, nobody can tell the token that makes it fetch keys from one that does not.
        return await run_in_threadpool(partial(self._verifier.verify, token, **self._overrides))


class CognitoBearer:
    """Return the claims of the token that a request brings, or refuse the request.

    Await it in an endpoint, ``await bearer(request)``, or depend on it in FastAPI. Without the ``await`` nothing is
    verified: put :class:`CognitoBackend` before all routes where one forgotten line must not open one.

    Args:
        verifier: AsyncTokenVerifier; or TokenVerifier, which runs in a thread, since it waits while it fetches keys.
        overrides: what this route demands in the place of what the verifier was made with, such as ``scope=``.

    Raises:
        ConfigurationError: *verifier* is none, or an override cannot be used.
    """

    def __init__(self, verifier: TokenVerifier | AsyncTokenVerifier, **overrides: Unpack[Overrides]) -> None:
        self._guard = _Guard(verifier, overrides)

    def __deepcopy__(self, _: object) -> NoReturn:
        # FastAPI copies the default of a plain parameter for each request: "claims=bearer", with Depends forgotten,
        # would otherwise let everybody in. Now no request succeeds, and the mistake is seen at the first.
        raise ConfigurationError("a CognitoBearer as a default does nothing: write Depends(...) around it")

    def __get_pydantic_core_schema__(self, *_: object) -> NoReturn:
        # And "claims: Annotated[Claims, bearer]" would take the claims from the body of the request.
        raise ConfigurationError("a CognitoBearer as an annotation does nothing: write Depends(...) around it")

    async def __call__(self, request: HTTPConnection) -> Claims:
        """Return the claims of the token in *request*, or in the handshake of a WebSocket.

        Raises:
            HTTPException: 401, 403 or 503, with ``WWW-Authenticate``; a WebSocket has WebSocketException instead.
        """
        try:
            with refusing():
                return await self._guard.verify(needed_token(request.headers.getlist("authorization")))
        except Refused as refused:
            raise http_error(request, refused) from refused.__cause__


def http_error(connection: HTTPConnection, refused: Refused) -> HTTPException | WebSocketException:
    """Return what to raise for *refused*: over HTTP an answer, of a WebSocket the end."""
    if connection.scope["type"] == "websocket":
        code = _WEBSOCKET_TRY_AGAIN if refused.status == 503 else _WEBSOCKET_POLICY
        return WebSocketException(code, refused.description)
    return HTTPException(refused.status, refused.description, _headers(refused))


class CognitoUser(BaseUser):
    """The user of a verified token: ``identity`` is ``sub``, ``display_name`` the user name; ``claims`` has the rest.

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
    """What :class:`CognitoBackend` raises; ``refused`` says what to answer."""

    def __init__(self, refused: Refused) -> None:
        super().__init__(refused.description)
        self.refused = refused


class CognitoBackend(AuthenticationBackend):
    """Authenticate every request: ``request.user`` is a :class:`CognitoUser`, ``request.auth.scopes`` the token's.

    To the scopes ``authenticated`` is added, for Starlette's ``@requires("authenticated")``: a request without a bearer
    token goes on as nobody's, so each route must say what it requires. Use it with :func:`on_error`, since Starlette's
    own answers 400::

        Middleware(AuthenticationMiddleware, backend=CognitoBackend(verifier), on_error=on_error)

    Raises:
        ConfigurationError: *verifier* is none, or an override cannot be used.
    """

    def __init__(self, verifier: TokenVerifier | AsyncTokenVerifier, **overrides: Unpack[Overrides]) -> None:
        self._guard = _Guard(verifier, overrides)

    async def authenticate(self, conn: HTTPConnection) -> tuple[AuthCredentials, BaseUser] | None:
        """Return the scopes and the user of the token that *conn* brings, None where it brings none.

        Raises:
            RefusedToken: it is not accepted, or there are no keys to verify it with.
        """
        try:
            with refusing():
                token = bearer_token(conn.headers.getlist("authorization"))
                if token is None:
                    return None
                claims = await self._guard.verify(token)
                return AuthCredentials(["authenticated", *scopes(claims)]), CognitoUser(claims)
        except Refused as refused:
            raise RefusedToken(refused) from refused.__cause__


def on_error(_: HTTPConnection, error: AuthenticationError) -> Response:
    """Return the answer to a request that :class:`CognitoBackend` refused: 401, 403 or 503."""
    if not isinstance(error, RefusedToken):
        return PlainTextResponse("the request is refused", 401, {"WWW-Authenticate": "Bearer"})
    return PlainTextResponse(error.refused.description, error.refused.status, _headers(error.refused))


def _headers(refused: Refused) -> dict[str, str]:
    return {} if refused.challenge is None else {"WWW-Authenticate": refused.challenge}
