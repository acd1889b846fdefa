"""Get new tokens for a refresh token, and revoke one.

The service has two ways to refresh, and an app client may allow only one of them. :func:`refresh` tries the second way
only if the service answers that the first one is not available::

                                first                       second, if the first is not available
    without a client secret     REFRESH_TOKEN_AUTH          GetTokensFromRefreshToken
    with a client secret        GetTokensFromRefreshToken   REFRESH_TOKEN_AUTH

With refresh token rotation, REFRESH_TOKEN_AUTH is not available. With a client secret, REFRESH_TOKEN_AUTH needs a
SECRET_HASH over the canonical username. GetTokensFromRefreshToken takes the plain secret, so it also works if only an
alias is known.

An emulator may not have GetTokensFromRefreshToken at all: moto's decorator raises NotImplementedError, its server
answers HTTP 500 with an HTML page, and a mock of a client returns another mock. These count as "not available" too, the
HTTP 500 only if the pool has an endpoint other than AWS's.

After any other error, or a timeout, no second request is sent: the refresh token may already have been used up.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from ..crypto.encoding import utf8
from ..exceptions.base import InvalidRequest, TransportError
from ..exceptions.service import ServiceError
from ..protocol import Flow, JsonObject
from . import ask
from .login_context import AppClient

__all__ = ["GET_TOKENS", "REFRESH_TOKEN_AUTH", "refresh", "require_refresh_token", "revoke"]

GET_TOKENS: Final = "GetTokensFromRefreshToken"
REFRESH_TOKEN_AUTH: Final = "REFRESH_TOKEN_AUTH"


def refresh(
    app: AppClient,
    refresh_token: str,
    *,
    username: str,
    device_key: str | None = None,
    client_metadata: Mapping[str, str] | None = None,
    first: str | None = None,
) -> Flow[tuple[JsonObject, str]]:
    """Return the reply with new tokens, and the way that worked. Give that way as *first* the next time.

    Args:
        app: the app client that the refresh token was issued to.
        refresh_token: the refresh token.
        username: the canonical username, for the SECRET_HASH of REFRESH_TOKEN_AUTH.
        device_key: the key of the device, if the pool tracks devices.
        client_metadata: passed to the pool's Lambda triggers.
        first: the way to try first, ``GET_TOKENS`` or ``REFRESH_TOKEN_AUTH``. The default depends on the app client:
            see the table above.

    Raises:
        InvalidRequest: *refresh_token* is empty; nothing was sent.
        ServiceError: the service refused the refresh.
    """
    require_refresh_token(refresh_token)
    way = first or (REFRESH_TOKEN_AUTH if app.client_secret is None else GET_TOKENS)
    try:
        reply = yield from _refresh_by(way, app, refresh_token, username, device_key, client_metadata)
        # A mock of a botocore client returns a mock from an operation that the test has not prepared.
        if way == REFRESH_TOKEN_AUTH or isinstance(reply, dict):  # pyright: ignore[reportUnnecessaryIsInstance]
            return reply, way
    except (ServiceError, TransportError, NotImplementedError) as error:
        if not _is_unavailable(way, app, error):
            raise
    way = GET_TOKENS if way == REFRESH_TOKEN_AUTH else REFRESH_TOKEN_AUTH
    return (yield from _refresh_by(way, app, refresh_token, username, device_key, client_metadata)), way


def require_refresh_token(refresh_token: str | None) -> str:
    """Return *refresh_token* if it is a string that is not empty.

    Raises:
        InvalidRequest: it is missing or empty.
        ConfigurationError: it cannot be encoded.
    """
    if not refresh_token or not utf8(refresh_token, name="refresh_token"):
        raise InvalidRequest("no refresh token: log in first")
    return refresh_token


def _refresh_by(
    way: str,
    app: AppClient,
    refresh_token: str,
    username: str,
    device_key: str | None,
    client_metadata: Mapping[str, str] | None,
) -> Flow[JsonObject]:
    common = {"ClientId": app.client_id, "ClientMetadata": client_metadata}
    if way == GET_TOKENS:
        own = {"RefreshToken": refresh_token, "ClientSecret": app.client_secret, "DeviceKey": device_key}
        return (yield from ask("GetTokensFromRefreshToken", {**common, **own}))
    parameters = {
        "REFRESH_TOKEN": refresh_token,
        "SECRET_HASH": app.secret_hash(username),
        "DEVICE_KEY": device_key,
    }
    given = {key: value for key, value in parameters.items() if value is not None}
    return (yield from ask("InitiateAuth", {**common, "AuthFlow": REFRESH_TOKEN_AUTH, "AuthParameters": given}))


_NO_SUCH_OPERATION: Final = frozenset(
    {
        "InvalidAction",
        "NotImplemented",
        "UnknownOperation",
        "UnknownOperationException",
        "Unsupported",
        "UnsupportedOperation",
        "UnsupportedOperationException",
    }
)
"""The codes with which the service, or an emulator of it, answers an operation that it does not have."""


def _is_unavailable(way: str, app: AppClient, error: Exception) -> bool:
    """Return whether *error* proves that *way* is not available, so that the refresh token was not used."""
    if way == GET_TOKENS:
        if isinstance(error, ServiceError):
            return error.code in _NO_SUCH_OPERATION or (error.code == "InternalFailure" and error.status == 501)
        if isinstance(error, TransportError):
            return error.status in (500, 501) and app.pool.endpoint_url is not None
        return True  # NotImplementedError, raised by an emulator in this process
    if not isinstance(error, ServiceError):
        return False
    if error.code == "InvalidParameterException":
        return any(words in error.message.lower() for words in ("not enabled", "rotation"))
    return error.code in ("UnsupportedOperationException", "OperationNotEnabledException")


def revoke(app: AppClient, refresh_token: str) -> Flow[JsonObject]:
    """Revoke *refresh_token* and the access tokens that were obtained with it.

    Raises:
        InvalidRequest: *refresh_token* is empty; nothing was sent.
        ServiceError: the service refused the request.
    """
    if not refresh_token:
        raise InvalidRequest("no refresh token: log in first")
    parameters = {"Token": refresh_token, "ClientId": app.client_id, "ClientSecret": app.client_secret}
    return (yield from ask("RevokeToken", parameters))
