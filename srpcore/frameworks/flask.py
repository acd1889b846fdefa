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

from flask import current_app, g, request
from werkzeug.exceptions import Forbidden, HTTPException, ServiceUnavailable, Unauthorized

from ..tokens.policy import Overrides
from ..tokens.verifier import TokenVerifier
from .bearer import Refused, check_overrides, require_sync_verifier, verify_request

if TYPE_CHECKING:
    from typing import Unpack

__all__ = ["bearer_token", "require_token"]

_P = ParamSpec("_P")
_R = TypeVar("_R")


def bearer_token(
    verifier: TokenVerifier, **overrides: Unpack[Overrides]
) -> Callable[[Callable[_P, _R]], Callable[_P, _R]]:
    """Return a decorator for a view, plain or ``async``, that refuses requests without an accepted token.

    Put it below ``@app.route``. It protects all methods of the view, HEAD included. Flask itself answers OPTIONS
    without calling the view; that answer needs no token.

    Args:
        verifier: the verifier of the tokens.
        overrides: replace arguments of the same name of the verifier, for example ``scope=``.

    Raises:
        ConfigurationError: *verifier* has a wrong type, or an override has a wrong type or value.
    """
    check = require_token(verifier, **overrides)

    def decorator(view: Callable[_P, _R]) -> Callable[_P, _R]:
        @wraps(view)
        def guarded(*arguments: _P.args, **named: _P.kwargs) -> _R:
            check()
            response: _R = current_app.ensure_sync(view)(*arguments, **named)
            return response

        return guarded

    return decorator


def require_token(verifier: TokenVerifier, **overrides: Unpack[Overrides]) -> Callable[[], None]:
    """Return a function for ``before_request`` of an app or a blueprint that protects all of its views.

    It refuses every method without a token, OPTIONS included. If browsers send preflight requests (CORS), answer them
    in a function that is registered before this one.

    Args:
        verifier: the verifier of the tokens.
        overrides: replace arguments of the same name of the verifier, for example ``groups=``.

    Raises:
        ConfigurationError: *verifier* has a wrong type, or an override has a wrong type or value.
    """
    checked_verifier, checked_overrides = require_sync_verifier(verifier), check_overrides(overrides)

    def check() -> None:
        g.pop("claims", None)
        try:
            g.claims = verify_request(checked_verifier, request.headers.getlist("Authorization"), checked_overrides)
        except Refused as refused:
            raise _ERRORS[refused.status](refused) from refused.__cause__

    return check


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
