"""Flask: a decorator for one view, and a function for all views of an app or a blueprint. They set ``g.claims``.

::

    @app.get("/me")
    @bearer_token(verifier)  # below the route: Flask registers the function below its own decorator
    def me():
        return {"sub": g.claims["sub"]}

    admin.before_request(require_token(verifier, groups="admins"))  # all views of a blueprint
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from flask import Request, current_app, g, request
from werkzeug.exceptions import Forbidden, HTTPException, ServiceUnavailable, Unauthorized

from ..tokens.overrides import Overrides
from ..tokens.verifier import TokenVerifier
from .bearer import (
    GetToken,
    Refused,
    check_get_token,
    check_overrides,
    require_sync_verifier,
    token_is_missing,
    translate_errors,
)
from .bearer import bearer_token as find_bearer_token

if TYPE_CHECKING:
    from typing import Unpack

__all__ = ["bearer_token", "require_token"]

_P = ParamSpec("_P")
_R = TypeVar("_R")


def bearer_token(
    verifier: TokenVerifier,
    *,
    get_token: GetToken[Request] | None = None,
    optional: bool = False,
    **overrides: Unpack[Overrides],
) -> Callable[[Callable[_P, _R]], Callable[_P, _R]]:
    """Return a decorator for a view, plain or ``async``, that refuses requests without an accepted token.

    Put it below ``@app.route``. It protects all methods of the view, HEAD included. Flask itself answers OPTIONS
    without calling the view; that answer needs no token.

    Args:
        verifier: the verifier of the tokens.
        get_token: a function of the request that returns the token, or None if there is none, instead of reading the
            Authorization header: ``get_token=lambda request: request.cookies.get("access_token")``. Browsers send
            cookies with requests of other sites too, so protect the views against them (CSRF).
        optional: whether to accept a request without a token; ``g.claims`` is None then. A token that is not accepted
            is refused.
        overrides: replace arguments of the same name of the verifier, for example ``scope=``.

    Raises:
        ConfigurationError: *verifier* has a wrong type, or an override has a wrong type or value.
    """
    check = require_token(verifier, get_token=get_token, optional=optional, **overrides)

    def decorator(view: Callable[_P, _R]) -> Callable[_P, _R]:
        @wraps(view)
        def guarded(*arguments: _P.args, **named: _P.kwargs) -> _R:
            check()
            response: _R = current_app.ensure_sync(view)(*arguments, **named)
            return response

        return guarded

    return decorator


def require_token(
    verifier: TokenVerifier,
    *,
    get_token: GetToken[Request] | None = None,
    optional: bool = False,
    **overrides: Unpack[Overrides],
) -> Callable[[], None]:
    """Return a function for ``before_request`` of an app or a blueprint that protects all of its views.

    It refuses every method without a token, OPTIONS included. If browsers send preflight requests (CORS), answer them
    in a function that is registered before this one.

    Args:
        verifier: the verifier of the tokens.
        get_token: a function of the request that returns the token, or None if there is none, instead of reading the
            Authorization header: ``get_token=lambda request: request.cookies.get("access_token")``. Browsers send
            cookies with requests of other sites too, so protect the views against them (CSRF).
        optional: whether to accept a request without a token; ``g.claims`` is None then. A token that is not accepted
            is refused.
        overrides: replace arguments of the same name of the verifier, for example ``groups=``.

    Raises:
        ConfigurationError: *verifier* has a wrong type, or an override has a wrong type or value.
    """
    checked_verifier, checked_overrides = require_sync_verifier(verifier), check_overrides(overrides)
    find_token = _header_token if get_token is None else check_get_token(get_token)

    def check() -> None:
        g.pop("claims", None)
        try:
            with translate_errors():
                token = find_token(request)
                if token is None and not optional:
                    raise token_is_missing()
                g.claims = None if token is None else checked_verifier.verify(token, **checked_overrides)
        except Refused as refused:
            raise _ERRORS[refused.status](refused) from refused.__cause__

    return check


def _header_token(request: Request) -> str | None:
    return find_bearer_token(request.headers.getlist("Authorization"))


class _ErrorWithChallenge(HTTPException):
    """An error with the header ``WWW-Authenticate``, which the app's own handlers for its status still catch."""

    def __init__(self, refused: Refused) -> None:
        super().__init__(refused.description)
        self._challenge = refused.challenge

    def get_headers(self, environ: Any = None, scope: Any = None) -> list[tuple[str, str]]:
        """Return the headers of the response."""
        headers = super().get_headers(environ, scope)
        return headers if self._challenge is None else [*headers, ("WWW-Authenticate", self._challenge)]


class _Unauthorized(_ErrorWithChallenge, Unauthorized):
    pass


class _Forbidden(_ErrorWithChallenge, Forbidden):
    pass


class _Unavailable(_ErrorWithChallenge, ServiceUnavailable):
    pass


_ERRORS: dict[int, type[_ErrorWithChallenge]] = {401: _Unauthorized, 403: _Forbidden, 503: _Unavailable}
