"""``srpcore token``, ``whoami``, ``logout``: use the stored login, and end it."""

from __future__ import annotations

import argparse
from collections.abc import Generator
from contextlib import contextmanager

from ..client import Cognito
from ..exceptions.base import SrpcoreError, TransportError
from ..exceptions.not_authorized import (
    AccessTokenRevoked,
    InvalidRefreshToken,
    RefreshTokenExpired,
    RefreshTokenRevoked,
)
from ..exceptions.service_exceptions import NotAuthorizedException, ResourceNotFoundException
from ..exceptions.store import StoreError
from ..exceptions.tokens import UnknownKey
from ..store import store_key
from .exit_status import NotLoggedIn, NotRevoked
from .output import as_json, format_time, note, print_json, print_members
from .settings import Settings, logged_in, settings_of

__all__ = ["fresh_login", "logout", "token", "whoami"]


@contextmanager
def fresh_login(settings: Settings) -> Generator[Cognito, None, None]:
    """Yield a client with the stored login, whose tokens were refreshed if they had expired.

    Raises:
        NotLoggedIn: no login is stored, the stored one has no refresh token any more, or the pool does not know it.
        SrpcoreError: the tokens could not be refreshed, or the caller's block raised this error.
    """
    with logged_in(settings) as user:
        if user.refresh_token is None and user.check_token(renew=False):
            raise NotLoggedIn("the stored login has expired and has no refresh token: run srpcore login")
        try:
            user.check_token()
            yield user
        except SrpcoreError as error:
            if not _of_another_pool(error):
                raise
            raise NotLoggedIn(
                f"the stored login of {settings.username} is not of this pool (was a local pool restarted without "
                "--state?): run srpcore login, with the new ids if the pool has others"
            ) from error


def _of_another_pool(error: SrpcoreError) -> bool:
    """Return whether *error* means that the service does not know the stored login at all.

    A local pool that is started again without its state has new keys, and new ids unless they are given. Its answer is
    the same as to a forged token, so the command must name the likely cause.
    """
    if isinstance(error, TransportError):
        return error.fetching and error.status == 404  # the key set of a pool that does not exist
    if isinstance(error, ResourceNotFoundException):
        return "user pool" in error.message.lower()  # or the app client; not for example a device
    if isinstance(error, NotAuthorizedException):
        # The service has two messages for an access token that the pool did not sign.
        phrases = ("invalid access token", "could not verify signature for access token")
        return isinstance(error, InvalidRefreshToken) or any(phrase in error.message.lower() for phrase in phrases)
    return isinstance(error, UnknownKey)


def token(arguments: argparse.Namespace) -> int:
    """Print a token of the stored login, refreshed if it has expired.

    Raises:
        SrpcoreError: nobody is logged in, or the token could not be refreshed.
    """
    with fresh_login(settings_of(arguments)) as user:
        print(user.tokens.access_token if arguments.use == "access" else user.tokens.id_token)
    return 0


def whoami(arguments: argparse.Namespace) -> int:
    """Show the user of the stored login, from its tokens, which are verified with the pool's key set.

    Raises:
        SrpcoreError: nobody is logged in, the tokens are not accepted, or the service did not answer.
    """
    settings = settings_of(arguments)
    with fresh_login(settings) as user:
        user.verify_tokens()
        claims = user.id_claims or {}
        expires = float((user.access_claims or {})["exp"])
        shown: dict[str, object] = {
            "username": claims.get("cognito:username", settings.username),
            "sub": claims.get("sub"),
            "email": claims.get("email"),
            "groups": claims.get("cognito:groups", []),
            "user_pool_id": settings.user_pool_id,
            "client_id": settings.client_id,
        }
    if as_json(arguments):
        print_json({**shown, "access_token_expires_at": int(expires)})
    else:
        print_members({**shown, "access token expires": format_time(expires)})
    return 0


def logout(arguments: argparse.Namespace) -> int:
    """End the stored login at the service, and delete it here, even if the service could not be asked.

    A user who runs this command wants no login to stay on this computer, and a login whose pool is gone could not be
    removed otherwise. Its refresh token may still be valid, so that is an error all the same.

    Raises:
        NotLoggedIn: no login is stored.
        NotRevoked: the login was deleted here, but was not revoked at the service.
        StoreError: the login could not be deleted.
    """
    settings = settings_of(arguments)
    failure: SrpcoreError | None = None
    with logged_in(settings) as user:
        try:
            _revoke(user, everywhere=arguments.everywhere)
        except StoreError:
            raise
        except SrpcoreError as error:
            failure = error
        _delete(settings)
    if failure is not None:
        raise _not_revoked(settings, failure) from failure
    note(f"{settings.username} is logged out")
    return 0


def _revoke(user: Cognito, *, everywhere: bool) -> None:
    try:
        if everywhere:
            user.check_token()
            user.logout()
        elif user.refresh_token is not None:
            user.revoke_token()
    except (AccessTokenRevoked, RefreshTokenExpired, RefreshTokenRevoked) as error:
        note(f"The service had ended the login already: {error.message}")
        if everywhere:
            note("Other logins of the user may go on: to end them, run srpcore login and srpcore logout --everywhere.")


def _delete(settings: Settings) -> None:
    store = settings.token_store()
    if store is not None:
        key = store_key(settings.user_pool_id, settings.client_id, settings.username)
        with store.lock(key):
            store.delete(key)


def _not_revoked(settings: Settings, failure: SrpcoreError) -> NotRevoked:
    deleted = f"the stored login of {settings.username} was deleted, but it was not revoked"
    if _of_another_pool(failure):
        gone = NotLoggedIn(
            f"{deleted}: it is not of this pool (was a local pool restarted without --state?); if you gave another "
            "pool or endpoint than at the login, its refresh token is still valid"
        )
        return NotRevoked(str(gone), gone)
    return NotRevoked(
        f"{deleted}, so its refresh token may still be valid: {str(failure).strip()}; to revoke it later, run srpcore "
        "login and srpcore logout --everywhere",
        failure,
    )
