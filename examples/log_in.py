"""A program that logs in once, and stays logged in until the refresh token expires.

    python log_in.py eu-west-1_AbCd12345 4dn6jbcbhqcofxyczo3ms9z4cc alice

The first run asks for the password, and for a code or a new password if the pool demands it. Later runs use the login
that is stored in ~/.example/logins.
"""

import sys
from getpass import getpass
from pathlib import Path

from srpcore import Cognito, FileStore, SignIn
from srpcore.exceptions import (
    AccessTokenRevoked,
    CodeMismatchException,
    EnableSoftwareTokenMFAException,
    ExpiredCodeException,
    InvalidParameterException,
    InvalidRefreshToken,
    RefreshTokenExpired,
    RefreshTokenRevoked,
    SrpcoreError,
)

# The stored login cannot be used any more: it is too old, or the user was logged out.
LOGIN_ENDED = (AccessTokenRevoked, InvalidRefreshToken, RefreshTokenExpired, RefreshTokenRevoked)

# The first is the usual one. The others are raised while an app is set up: for a wrong code, and not six digits.
WRONG_CODE = (CodeMismatchException, EnableSoftwareTokenMFAException, InvalidParameterException)


def answer(step: SignIn) -> SignIn:
    """Ask for what the login needs next."""
    match step.needs:
        case "code":
            origin = f"sent to {step.destination}" if step.destination else "of the authenticator app"
            code = getpass(f"Code {origin}: ").replace(" ", "")  # many apps show "123 456"
            try:
                return step.answer(code=code) if code else step
            except WRONG_CODE:
                print("That code is wrong.", file=sys.stderr)
                return step  # the same step may be answered again
            except ExpiredCodeException:
                print("That code was used already or has expired: enter the next one.", file=sys.stderr)
                return step
        case "new_password":
            attributes = {name: input(f"{name}: ") for name in step.required_attributes}
            return step.answer(new_password=getpass("New password: "), attributes=attributes)
        case "choice":
            return step.answer(choice=input(f"One of {', '.join(step.choices)}: "))
        case "set_up":
            secret, step = step.set_up_totp()  # from now on the step needs a code
            print(f"Enter this secret in your authenticator app: {secret}", file=sys.stderr)
            return step
        case needs:
            sys.exit(f"this program cannot answer {needs}")


def log_in(user: Cognito) -> None:
    step = user.sign_in(getpass("Password: "))
    while not step.done:
        step = answer(step)
    if user.new_device_metadata is not None:  # the pool tracks devices: without this, refresh stops working
        user.confirm_device("an example", remember=False)


def main(pool_id: str, client_id: str, username: str, endpoint_url: str | None = None) -> None:
    store = FileStore(Path.home() / ".example" / "logins")
    with Cognito(pool_id, client_id, username=username, endpoint_url=endpoint_url, store=store) as user:
        try:
            if not user.restore():
                log_in(user)
            try:
                user.check_token()  # refreshes tokens that have expired
                profile = user.get_user()
            except LOGIN_ENDED:
                print("The login has ended: log in again.", file=sys.stderr)
                log_in(user)
                profile = user.get_user()
        except SrpcoreError as error:
            sys.exit("\n".join([str(error), *getattr(error, "__notes__", ())]))  # the notes say what to do
        print(f"logged in as {profile.sub}")


if __name__ == "__main__":
    if len(sys.argv) not in (4, 5):
        sys.exit(__doc__)
    main(*sys.argv[1:])
