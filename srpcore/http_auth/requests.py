"""requests: ``requests.get(url, auth=CognitoAuth(user))``, or ``session.auth = CognitoAuth(user, origins=...)``."""

from __future__ import annotations

from typing import Any, cast

from requests import PreparedRequest, Response
from requests.auth import AuthBase

from ..client import Cognito
from ..exceptions.base import ConfigurationError
from .bearer import Origins, TokenUse, check_token_use, fresh_token, origin_of, parse_origins, renewed_token

__all__ = ["CognitoAuth"]


class CognitoAuth(AuthBase):
    """Authentication for requests with the token of a logged-in user. Threads may share it.

    The tokens are refreshed if they have expired. If the server answers 401, they are refreshed and the request is sent
    once more, unless its body was a stream that cannot be read again.

    Args:
        user: who is logged in: after ``authenticate``, ``restore`` or with tokens that were given to the constructor.
        use: the token to send.
        origins: the servers that may get the token, for a session that also sends requests to others. By default every
            request with this authentication gets it.

    Raises:
        ConfigurationError: *user* is not a Cognito, or *use* or an origin is invalid.
    """

    def __init__(self, user: Cognito, *, use: TokenUse = "access", origins: Origins | None = None) -> None:
        if not isinstance(user, Cognito):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise ConfigurationError(f"user must be a Cognito, not {type(user).__name__}")
        self._user = user
        self._use: TokenUse = check_token_use(use)
        self._origins = None if origins is None else parse_origins(origins)

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        """Set the header of *request*, and return the request.

        Raises:
            ConfigurationError: nobody is logged in.
            SrpcoreError: the tokens have expired and could not be refreshed: see ``Cognito.check_token``.
        """
        if self._origins is not None and origin_of(str(request.url)) not in self._origins:
            return request
        token = fresh_token(self._user, self._use)
        request.headers["Authorization"] = f"Bearer {token}"
        cast(Any, request).register_hook("response", _Repeat(self._user, self._use, token, _position(request.body)))
        return request


class _Repeat:
    """Called with the answer to a request: sends the request once more after a 401."""

    def __init__(self, user: Cognito, use: TokenUse, token: str, position: int | None) -> None:
        self._user = user
        self._use: TokenUse = use
        self._token, self._position = token, position

    def __call__(self, response: Response, **settings: Any) -> Response:
        request = response.request
        # requests calls this for the answers to redirects too. If it was a redirect to another origin, requests has
        # removed the header, and that server must not get it.
        if response.status_code != 401 or request.headers.get("Authorization") != f"Bearer {self._token}":
            return response
        if not _rewind(request.body, self._position):
            return response
        response.content  # noqa: B018 - read it, so that the connection can be used again
        response.close()
        token = renewed_token(self._user, self._use, self._token)
        again = request.copy()
        again.hooks["response"] = [hook for hook in again.hooks["response"] if not isinstance(hook, _Repeat)]
        again.headers["Authorization"] = f"Bearer {token}"
        answer: Response = cast(Any, response).connection.send(again, **settings)
        answer.history.append(response)
        answer.request = again
        return answer


def _position(body: object) -> int | None:
    """Return where a file begins to be read, or None if *body* is not a file that can be read again."""
    try:
        position: int = cast(Any, body).tell()
    except (AttributeError, OSError, ValueError):
        return None
    return position


def _rewind(body: object, position: int | None) -> bool:
    """Go back to the beginning of *body*, and return whether it can be sent again."""
    if body is None or isinstance(body, (bytes, str)):
        return True
    if position is None:
        return False
    cast(Any, body).seek(position)
    return True
