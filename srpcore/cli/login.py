"""``srpcore login``: log in at the terminal, and print the tokens.

The login is a sequence of steps: the service sends a challenge, and the command prompts for the answer. What the
challenge needs decides the prompt::

    code            the code of an authenticator app, or one that was sent by SMS or e-mail
    new_password    the new password, twice, and the attributes that the pool requires
    choice          one of the factors that the service names
    set_up          a factor to set up: an authenticator app (its secret is shown) or an e-mail address
    answer          the answer to the pool's own challenge
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Mapping
from typing import Final

from ..client import Cognito, SignIn
from ..exceptions.base import ConfigurationError
from ..flows.challenge import Challenge, unsupported
from ..pool import Pool
from ..text import printable
from .prompt import ask, ask_secret

__all__ = ["login"]


def login(arguments: argparse.Namespace) -> int:
    """Log in, prompt for the answers to the challenges, and print the tokens.

    Raises:
        SrpcoreError: the login failed.
    """
    # Prompt only after the other arguments were checked: a user should not have to type a password before learning that
    # an option was wrong. Cognito checks the pool id only when it is used.
    Pool(arguments.user_pool_id)
    with Cognito(
        arguments.user_pool_id,
        arguments.client_id,
        client_secret=os.environ.get("SRPCORE_CLIENT_SECRET") or None,
        endpoint_url=arguments.endpoint_url,
        allow_http=arguments.allow_http or None,
    ) as user:
        user.username = arguments.username or ask("Username: ")
        step = user.sign_in(ask_secret("Password: "))
        while step.challenge is not None:
            step = _answer(step, step.challenge)
    tokens = {
        "id_token": user.id_token,
        "access_token": user.access_token,
        "refresh_token": user.refresh_token,
        "token_type": user.token_type,
        "expires_in": user.expires_in,
    }
    print(tokens[f"{arguments.token}_token"] if arguments.token else json.dumps(tokens, indent=2))
    return 0


def _answer(step: SignIn, challenge: Challenge) -> SignIn:
    answer = _ANSWERS.get(challenge.needs)
    if answer is None:
        raise _unanswerable(challenge)
    return answer(step, challenge)


def _answer_code(step: SignIn, challenge: Challenge) -> SignIn:
    if challenge.name == "SOFTWARE_TOKEN_MFA":
        return step.answer(code=ask_secret("Code of the authenticator app: "))
    return step.answer(code=ask_secret(f"Code sent to {challenge.destination or 'you'}: "))


def _answer_new_password(step: SignIn, challenge: Challenge) -> SignIn:
    new_password = ask_secret("New password: ")
    if ask_secret("New password again: ") != new_password:
        raise ConfigurationError("the two new passwords differ: the password was not changed; log in again")
    attributes = {name: ask(f"{name}: ") for name in challenge.required_attributes}
    return step.answer(new_password=new_password, attributes=attributes)


def _answer_choice(step: SignIn, challenge: Challenge) -> SignIn:
    return step.answer(choice=_choose("Second factor", challenge.choices))


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
    print(f"Secret for the authenticator app: {printable(secret)}", file=sys.stderr)
    return step.answer(code=ask_secret("Code of the authenticator app: "))


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
    "choice": _answer_choice,
    "set_up": _answer_set_up,
    "answer": _answer_custom,
}
