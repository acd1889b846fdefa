"""``srpcore mfa``: the second factors of the user who is logged in."""

from __future__ import annotations

import argparse

from ..client import Cognito
from ..exceptions.base import ConfigurationError
from ..exceptions.service_exceptions import (
    CodeMismatchException,
    EnableSoftwareTokenMFAException,
    InvalidParameterException,
)
from .output import as_json, note, print_json, print_members
from .prompt import ask_totp_code, at_terminal
from .qr_code import show_totp_secret
from .session import fresh_login
from .settings import settings_of

__all__ = ["off", "setup", "status"]


def setup(arguments: argparse.Namespace) -> int:
    """Set up an authenticator app, and prefer it as the second factor.

    Raises:
        SrpcoreError: nobody is logged in, or the service refused the code.
    """
    settings = settings_of(arguments)
    with fresh_login(settings) as user:
        show_totp_secret(user.associate_software_token(), settings.username, settings.user_pool_id)
        _verify(user, arguments.device_name)
        user.set_user_mfa_preference(sms_mfa=None, software_token_mfa=True, preferred="SOFTWARE_TOKEN")
    note("The authenticator app is the second factor of the next login.")
    return 0


def _verify(user: Cognito, device_name: str) -> None:
    """Ask for a code of the app, and at a terminal again after a wrong one: the secret is still the same.

    At a terminal the code has six digits, so an InvalidParameterException is about another parameter there, and another
    code would not help.
    """
    while True:
        code = ask_totp_code()
        try:
            if not user.verify_software_token(code, device_name):
                raise ConfigurationError(
                    "the code is wrong: nothing was changed; run the command again, which makes a new secret"
                )
        except (CodeMismatchException, EnableSoftwareTokenMFAException, InvalidParameterException) as error:
            if not at_terminal() or isinstance(error, InvalidParameterException):
                error.hint = "nothing was changed; the next run of srpcore mfa setup makes a new secret"
                raise
            note("That code is wrong: enter the newest one.")
        else:
            return


def status(arguments: argparse.Namespace) -> int:
    """Show the second factors.

    Raises:
        SrpcoreError: nobody is logged in, or the service refused the request.
    """
    with fresh_login(settings_of(arguments)) as user:
        reply = user.client.get_user(AccessToken=user.tokens.access_token)
    shown = {"factors": reply.get("UserMFASettingList", []), "preferred": reply.get("PreferredMfaSetting")}
    if as_json(arguments):
        print_json(shown)
    else:
        print_members(shown)
    return 0


def off(arguments: argparse.Namespace) -> int:
    """Turn the authenticator app off.

    Raises:
        SrpcoreError: nobody is logged in, or the pool requires a second factor.
    """
    with fresh_login(settings_of(arguments)) as user:
        user.set_user_mfa_preference(sms_mfa=None, software_token_mfa=False)
    note("The authenticator app is off.")
    return 0
