"""``srpcore login``: log in at the terminal, keep the login, and print a summary or the tokens.

The login is a sequence of steps: the service sends a challenge, and the command prompts for the answer. What the
challenge needs decides the prompt::

    code            the code of an authenticator app, or one that was sent by SMS or e-mail
    new_password    the new password, twice, and the attributes that the pool requires
    choice          one of the factors that the service names
    set_up          a factor to set up: an authenticator app (its secret is shown) or an e-mail address
    password        the password, by SRP
    clear_password  the password itself is sent; only after USER_AUTH
    answer          the answer to the pool's own challenge

At a terminal another code may be entered after one that is wrong, has expired or was used before, until the service
ends the Session. A code that cannot be right, because it is empty or an authenticator app never shows it, is not sent.
"""

from __future__ import annotations

import argparse
import platform
import sys
from collections.abc import Callable, Mapping
from typing import Final

from ..client import Cognito, SignIn
from ..exceptions.base import ConfigurationError
from ..exceptions.not_authorized import InvalidSession, SessionExpired
from ..exceptions.service_exceptions import (
    CodeMismatchException,
    EnableSoftwareTokenMFAException,
    ExpiredCodeException,
)
from ..flows.challenge import Challenge, unsupported
from ..pool import Pool
from ..text import Style, printable
from .output import as_json, format_time, note, print_json
from .prompt import ask, ask_code, ask_secret, ask_totp_code, at_terminal
from .qr_code import show_totp_secret
from .settings import Settings, settings_of

__all__ = ["login"]

_PASSWORD_FIRST = ("USER_SRP_AUTH", "USER_PASSWORD_AUTH", "ADMIN_USER_PASSWORD_AUTH")


def login(arguments: argparse.Namespace) -> int:
    """Log in, prompt for the answers to the challenges, and print the result.

    Raises:
        SrpcoreError: the login failed.
    """
    settings = settings_of(arguments)
    # Prompt only after the other arguments were checked: a user should not have to type a password before learning that
    # an option was wrong. Cognito checks the pool id only when it is used.
    Pool(settings.required("user_pool_id"))
    settings.required("client_id")
    if not settings.username:
        settings = settings._replace(username=ask("Username: "))
    elif at_terminal() and not arguments.username:
        note(f"Username: {settings.username}")  # so the user sees whose password is asked for
    with settings.client(stored=True) as user:
        password = ask_secret("Password: ") if arguments.auth_flow in _PASSWORD_FIRST else None
        step = user.sign_in(password, auth_flow=arguments.auth_flow, preferred=arguments.preferred)
        while step.challenge is not None:
            step = _answer(step, step.challenge)
        _confirm_device(user, settings, remember=arguments.remember_device)
        if settings.store != "none":
            settings.remember()
        _print(user, settings, arguments)
    return 0


def _confirm_device(user: Cognito, settings: Settings, *, remember: bool) -> None:
    """Confirm the device if the pool tracks devices, because refresh works with a confirmed device only."""
    if user.new_device_metadata is not None and (remember or settings.store != "none"):
        user.confirm_device(f"srpcore on {platform.node()}"[:128], remember=remember)


def _print(user: Cognito, settings: Settings, arguments: argparse.Namespace) -> None:
    tokens = {
        "id_token": user.id_token,
        "access_token": user.access_token,
        "refresh_token": user.refresh_token,
        "token_type": user.token_type,
        "expires_in": user.expires_in,
    }
    if arguments.token:
        print(tokens[f"{arguments.token}_token"])
    elif as_json(arguments):
        if not arguments.refresh_token:
            del tokens["refresh_token"]
        print_json(tokens)
    else:
        style = Style(sys.stdout)
        name = printable(str((user.id_claims or {}).get("cognito:username", user.username)))
        print(f"{style.paint(style.sign('tick'), 'green')} logged in as {style.paint(name, 'bold')}")
        print(f"  the access token expires {format_time(float((user.access_claims or {})['exp']))}")
        if settings.store != "none":
            print("  srpcore token prints it, refreshed if it has expired:")
            print('  curl -H "Authorization: Bearer $(srpcore token)" URL')


def _answer(step: SignIn, challenge: Challenge) -> SignIn:
    answer = _ANSWERS.get(challenge.needs)
    if answer is None:
        raise _unanswerable(challenge)
    return answer(step, challenge)


def _answer_code(step: SignIn, challenge: Challenge) -> SignIn:
    if challenge.name == "SOFTWARE_TOKEN_MFA":
        return _answer_with_code(step, ask_totp_code)
    return _answer_with_code(step, lambda: ask_code(f"Code sent to {challenge.destination or 'you'}: "))


def _answer_with_code(step: SignIn, ask_for_it: Callable[[], str]) -> SignIn:
    """Ask for a code, and again after one that is wrong, has expired or was used before."""
    wrong: CodeMismatchException | EnableSoftwareTokenMFAException | ExpiredCodeException | None = None
    while True:
        try:
            return step.answer(code=ask_for_it())
        # EnableSoftwareTokenMFAException is a wrong code while the authenticator app is set up.
        except (CodeMismatchException, EnableSoftwareTokenMFAException, ExpiredCodeException) as error:
            if not at_terminal():
                raise
            wrong = error
            note(
                "That code was used already or has expired: enter the next one."
                if isinstance(error, ExpiredCodeException)
                else "That code is wrong: enter the newest one."
            )
        except (InvalidSession, SessionExpired):
            # The service ends the Session after some wrong codes. Then the code is what was wrong.
            if wrong is None:
                raise
            raise wrong from None


def _answer_new_password(step: SignIn, challenge: Challenge) -> SignIn:
    new_password = ask_secret("New password: ")
    if ask_secret("New password again: ") != new_password:
        raise ConfigurationError("the two new passwords differ: the password was not changed; log in again")
    attributes = {name: ask(f"{name}: ") for name in challenge.required_attributes}
    return step.answer(new_password=new_password, attributes=attributes)


def _answer_password(step: SignIn, _challenge: Challenge) -> SignIn:
    return step.answer(password=ask_secret("Password: "))


def _answer_choice(step: SignIn, challenge: Challenge) -> SignIn:
    question = "Second factor" if challenge.name == "SELECT_MFA_TYPE" else "Factor"
    return step.answer(choice=_choose(question, challenge.choices))


def _answer_set_up(step: SignIn, challenge: Challenge) -> SignIn:
    """Set up a second factor, which the pool requires and the user does not have yet."""
    possible = [name for name in challenge.choices if name in ("SOFTWARE_TOKEN_MFA", "EMAIL_OTP", "EMAIL_MFA")]
    if not possible:
        # For SMS the user needs a phone number, and only an administrator can set it before the login.
        raise ConfigurationError(
            f"this login must set up a second factor ({', '.join(challenge.choices) or 'none is named'}), and this "
            "command can set up an authenticator app or an e-mail address only: let an administrator set the user's "
            "phone_number, or allow another factor in the pool"
        )
    if _choose("Second factor to set up", tuple(possible)) != "SOFTWARE_TOKEN_MFA":
        return step.answer(attributes={"email": ask("E-mail address: ")})
    secret, step = step.set_up_totp()
    show_totp_secret(secret, "")
    return _answer_with_code(step, ask_totp_code)


def _answer_custom(step: SignIn, challenge: Challenge) -> SignIn:
    # The pool's Lambda trigger decides which parameters there are. Those in capitals are the service's own.
    for name, value in challenge.parameters.items():
        if not name.isupper():
            print(printable(f"{name}: {value}"), file=sys.stderr)
    return step.answer(answer=ask_secret("Answer: "))


def _choose(question: str, choices: tuple[str, ...]) -> str:
    """Return the user's choice. If there is one possibility only, return that without a question."""
    if len(choices) == 1:
        return choices[0]
    return ask(f"{question} ({', '.join(choices)}): ").strip()


def _unanswerable(challenge: Challenge) -> ConfigurationError:
    if challenge.needs == "device":
        return ConfigurationError(
            f"the service wants a remembered device to answer {challenge.name}, and this command has none: "
            "log in from a program, with Cognito(..., device=...) or with a store"
        )
    return ConfigurationError(
        f"{challenge.name} cannot be answered at a terminal: log in from a program; {unsupported(challenge).way}"
    )


_ANSWERS: Final[Mapping[str, Callable[[SignIn, Challenge], SignIn]]] = {
    "code": _answer_code,
    "new_password": _answer_new_password,
    "password": _answer_password,
    "clear_password": _answer_password,
    "choice": _answer_choice,
    "set_up": _answer_set_up,
    "answer": _answer_custom,
}
