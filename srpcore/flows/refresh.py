"""New tokens for a refresh token, and the end of one: GetTokensFromRefreshToken, REFRESH_TOKEN_AUTH, RevokeToken."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from ..crypto.encoding import utf8
from ..exceptions.base import ConfigurationError
from ..exceptions.service import ServiceError
from ..protocol import Flow, JsonObject
from . import ask
from .login_context import AppClient

__all__ = ["GET_TOKENS", "REFRESH_TOKEN_AUTH", "refresh", "revoke"]

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
    """Return the reply with new tokens, and which of the two ways worked: give that as *first* the next time.

    Without a client secret, REFRESH_TOKEN_AUTH comes first and GetTokensFromRefreshToken follows only where the answer
    says that the flow is off (as rotation demands). With a secret the reverse: GetTokensFromRefreshToken takes the
    plain secret, so an alias does no harm, and REFRESH_TOKEN_AUTH follows only where the operation is unknown; its
    SECRET_HASH is over *username*, which must be the canonical one. Nothing follows any other error or a timeout: the
    token may have been spent.

    Raises:
        ConfigurationError: there is no refresh token; nothing was sent.
        ServiceError: the service refused.
    """
    if not refresh_token or not utf8(refresh_token, name="refresh_token"):
        raise ConfigurationError("there is no refresh token: log in first")
    way = first or (REFRESH_TOKEN_AUTH if app.client_secret is None else GET_TOKENS)
    try:
        reply = yield from _by(way, app, refresh_token, username, device_key, client_metadata)
    except ServiceError as error:
        if not _is_unavailable(way, error):
            raise
        way = GET_TOKENS if way == REFRESH_TOKEN_AUTH else REFRESH_TOKEN_AUTH
        reply = yield from _by(way, app, refresh_token, username, device_key, client_metadata)
    return reply, way


def _by(
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


def _is_unavailable(way: str, error: ServiceError) -> bool:
    if way == GET_TOKENS:
        return error.code in ("UnknownOperationException", "UnknownOperation", "InvalidAction")
    if error.code == "InvalidParameterException":
        return any(words in error.message.lower() for words in ("not enabled", "rotation"))
    return error.code in ("UnsupportedOperationException", "OperationNotEnabledException")


def revoke(app: AppClient, refresh_token: str) -> Flow[JsonObject]:
    """Revoke *refresh_token* and the access tokens that came of it.

    Raises:
        ConfigurationError: there is no refresh token; nothing was sent.
        ServiceError: the service refused.
    """
    if not refresh_token:
        raise ConfigurationError("there is no refresh token: log in first")
    parameters = {"Token": refresh_token, "ClientId": app.client_id, "ClientSecret": app.client_secret}
    return (yield from ask("RevokeToken", parameters))
