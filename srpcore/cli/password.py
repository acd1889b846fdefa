"""``srpcore password``: change a password, or set a new one if it was forgotten."""

from __future__ import annotations

import argparse

from ..client import Cognito
from ..exceptions.base import ConfigurationError
from ..exceptions.service_exceptions import CodeMismatchException
from .output import note
from .prompt import ask, ask_code, ask_secret, at_terminal
from .session import fresh_login
from .settings import settings_of

__all__ = ["ask_new_password", "change", "forgot", "reset"]


def ask_new_password() -> str:
    """Ask for a new password, twice.

    Raises:
        ConfigurationError: the two answers differ.
    """
    password = ask_secret("New password: ")
    if ask_secret("New password again: ") != password:
        raise ConfigurationError("the two new passwords differ: nothing was changed")
    return password


def change(arguments: argparse.Namespace) -> int:
    """Change the password of the stored login.

    Raises:
        SrpcoreError: nobody is logged in, or the service refused one of the passwords.
    """
    with fresh_login(settings_of(arguments)) as user:
        user.change_password(ask_secret("Present password: "), ask_new_password())
    note("The password was changed.")
    return 0


def forgot(arguments: argparse.Namespace) -> int:
    """Let the service send a code, and set a new password with it.

    Raises:
        SrpcoreError: the service refused the user, the code or the password.
    """
    settings = settings_of(arguments)
    settings.required("user_pool_id")
    settings = settings._replace(username=settings.username or ask("Username: "))
    with settings.client() as user:
        user.initiate_forgot_password()
        question = "Code (it is sent if the user has a verified address): "
        code = ask_code(question)
        _confirm(user, question, code, ask_new_password())
    note("The password was changed: log in with srpcore login.")
    return 0


def _confirm(user: Cognito, question: str, code: str, password: str) -> None:
    """Set the new password. At a terminal ask for the code again if it is wrong: the right one is still valid."""
    while True:
        try:
            return user.confirm_forgot_password(code, password)
        except CodeMismatchException:
            if not at_terminal():
                raise
            note("That code is wrong: enter the newest one.")
            code = ask_code(question)


def reset(arguments: argparse.Namespace) -> int:
    """As an administrator, invalidate a user's password. The service sends the user a code.

    Raises:
        SrpcoreError: the service refused the request.
    """
    with settings_of(arguments).administrator() as pool:
        pool.admin_reset_password(arguments.name)
    note(f"A code was sent to {arguments.name}, who can set a new password with: srpcore password forgot")
    return 0
