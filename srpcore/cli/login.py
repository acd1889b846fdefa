"""``srpcore login``: log in at the terminal, and print the tokens."""

from __future__ import annotations

import argparse
import json
import os

from ..client import Cognito
from ..exceptions.base import ConfigurationError
from ..exceptions.challenges import (
    ForceChangePasswordException,
    MFAChallengeException,
    SoftwareTokenMFAChallengeException,
)
from .prompt import ask, ask_secret

__all__ = ["login"]


def login(arguments: argparse.Namespace) -> int:
    """Log in, prompt for the answers to the challenges, and print the tokens.

    Raises:
        SrpcoreError: the login failed.
    """
    with Cognito(
        arguments.user_pool_id,
        arguments.client_id,
        client_secret=os.environ.get("SRPCORE_CLIENT_SECRET") or None,
        endpoint_url=arguments.endpoint_url,
        allow_http=arguments.allow_http or None,
    ) as user:
        # Prompt only after the other arguments were checked: a user should not have to type a password before learning
        # that an option was wrong.
        user.username = arguments.username or ask("Username: ")
        _log_in(user, ask_secret("Password: "))
    tokens = {
        "id_token": user.id_token,
        "access_token": user.access_token,
        "refresh_token": user.refresh_token,
        "token_type": user.token_type,
        "expires_in": user.expires_in,
    }
    print(tokens[f"{arguments.token}_token"] if arguments.token else json.dumps(tokens, indent=2))
    return 0


def _log_in(user: Cognito, password: str) -> None:
    try:
        try:
            user.authenticate(password)
        except ForceChangePasswordException as challenge:
            new_password = _new_password()
            attributes = {name: ask(f"{name}: ") for name in challenge.required_attributes}
            user.new_password_challenge(password, new_password, attributes)
    except MFAChallengeException as challenge:
        _answer(user, challenge)


def _new_password() -> str:
    first = ask_secret("New password: ")
    if ask_secret("New password again: ") != first:
        raise ConfigurationError("the two new passwords differ: the password was not changed; log in again")
    return first


def _answer(user: Cognito, challenge: MFAChallengeException) -> None:
    if isinstance(challenge, SoftwareTokenMFAChallengeException):
        user.respond_to_software_token_mfa_challenge(ask_secret("Code of the authenticator app: "))
        return
    sent_to = challenge.get_tokens().get("ChallengeParameters", {}).get("CODE_DELIVERY_DESTINATION", "your phone")
    user.respond_to_sms_mfa_challenge(ask_secret(f"Code sent to {sent_to}: "))
