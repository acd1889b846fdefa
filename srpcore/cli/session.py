"""``srpcore token``, ``whoami``, ``logout``: use the stored login, and end it."""

from __future__ import annotations

import argparse
from collections.abc import Generator
from contextlib import contextmanager

from ..client import Cognito
from ..exceptions.service_exceptions import NotAuthorizedException
from ..store import store_key
from .exit_status import NotLoggedIn
from .output import as_json, format_time, note, print_json, print_members
from .settings import Settings, logged_in, settings_of

__all__ = ["fresh_login", "logout", "token", "whoami"]


@contextmanager
def fresh_login(settings: Settings) -> Generator[Cognito, None, None]:
    """Yield a client with the stored login, whose tokens were refreshed if they had expired.

    Raises:
        NotLoggedIn: no login is stored, or the stored one has no refresh token any more.
        SrpcoreError: the tokens could not be refreshed.
    """
    with logged_in(settings) as user:
        if user.refresh_token is None and user.check_token(renew=False):
            raise NotLoggedIn("the stored login has expired and has no refresh token: run srpcore login")
        user.check_token()
        yield user


def token(arguments: argparse.Namespace) -> int:
    """Print a token of the stored login, refreshed if it has expired.

    Raises:
        SrpcoreError: nobody is logged in, or the token could not be refreshed.
    """
    with fresh_login(settings_of(arguments)) as user:
        print(user.tokens.access_token if arguments.use == "access" else user.tokens.id_token)
    return 0


def whoami(arguments: argparse.Namespace) -> int:
    """Show the user of the stored login, from the verified tokens.

    Raises:
        SrpcoreError: nobody is logged in, or its tokens are not accepted.
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
    """End the stored login, and delete it.

    Raises:
        SrpcoreError: nobody is logged in, or the service did not answer; the login is still stored then.
    """
    settings = settings_of(arguments)
    with logged_in(settings) as user:
        try:
            if arguments.everywhere:
                user.check_token()
                user.logout()
            elif user.refresh_token is not None:
                user.revoke_token()
        except NotAuthorizedException as error:
            # The service does not know the login any more, so there is nothing to end.
            note(f"The service had ended the login already: {error.message}")
        store = settings.token_store()
        if store is not None:
            key = store_key(settings.user_pool_id, settings.client_id, settings.username)
            with store.lock(key):
                store.delete(key)
    note(f"{settings.username} is logged out")
    return 0
