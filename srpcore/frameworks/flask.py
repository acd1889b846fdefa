"""Flask: a decorator for a view, and a check before all views of an app or a blueprint; the claims are ``g.claims``.

::

    @app.get("/me")
    @bearer_token(verifier)  # below the route: Flask serves what stands under its own decorator
    def me():
        return {"sub": g.claims["sub"]}

    admin.before_request(require_token(verifier, groups="admins"))  # a whole blueprint: no view of it can be forgotten
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from flask import current_app, g, request
from werkzeug.exceptions import Forbidden, HTTPException, ServiceUnavailable, Unauthorized

from ..tokens.policy import Overrides
from ..tokens.verifier import TokenVerifier
from .bearer import Refused, demands, sync_verifier, verified

if TYPE_CHECKING:
    from typing import Unpack

__all__ = ["bearer_token", "require_token"]

_P = ParamSpec("_P")
_R = TypeVar("_R")


def bearer_token(
    verifier: TokenVerifier, **overrides: Unpack[Overrides]
) -> Callable[[Callable[_P, _R]], Callable[_P, _R]]:
    """Return a decorator for a view, plain or ``async``, that lets in only who brings a token that is accepted.

    Put it below ``@app.route``. It guards what the view is called for, HEAD too; the answer to OPTIONS that Flask gives
    by itself has nothing of the view and needs no token.

    Args:
        verifier: whose ``verify`` decides.
        overrides: what this view demands in the place of what the verifier was made with, such as ``scope=``.

    Raises:
        ConfigurationError: *verifier* is none, or an override cannot be used.
    """
    check = require_token(verifier, **overrides)

    def decorator(view: Callable[_P, _R]) -> Callable[_P, _R]:
        @wraps(view)
        def guarded(*arguments: _P.args, **named: _P.kwargs) -> _R:
            check()
            answer: _R = current_app.ensure_sync(view)(*arguments, **named)
            return answer

        return guarded

    return decorator


def require_token(verifier: TokenVerifier, **overrides: Unpack[Overrides]) -> Callable[[], None]:
    """Return a function for ``before_request`` of an app or a blueprint: no view of it is reached without a token.

    It refuses every method, OPTIONS too: what answers a browser's preflight request must come before it.

    Args:
        verifier: whose ``verify`` decides.
        overrides: what is demanded in the place of what the verifier was made with, such as ``groups=``.

    Raises:
        ConfigurationError: *verifier* is none, or an override cannot be used.
    """
    checked, demanded = sync_verifier(verifier), demands(overrides)

    def check() -> None:
        g.pop("claims", None)
        try:
            g.claims = verified(checked, request.headers.getlist("Authorization"), demanded)
        except Refused as refused:
            raise _ERRORS[refused.status](refused) from refused.__cause__

    return check


class _Challenge(HTTPException):
    """An error that carries ``WWW-Authenticate``, and is still caught by the app's own handlers of its status."""

    def __init__(self, refused: Refused) -> None:
        super().__init__(refused.description)
        self._challenge = refused.challenge

    def get_headers(self, environ: Any = None, scope: Any = None) -> list[tuple[str, str]]:
        """Return the headers of the answer."""
        headers = super().get_headers(environ, scope)
        return headers if self._challenge is None else [*headers, ("WWW-Authenticate", self._challenge)]


class _Unauthorized(_Challenge, Unauthorized):
    pass


class _Forbidden(_Challenge, Forbidden):
    pass


class _Unavailable(_Challenge, ServiceUnavailable):
    pass


_ERRORS: dict[int, type[_Challenge]] = {401: _Unauthorized, 403: _Forbidden, 503: _Unavailable}
