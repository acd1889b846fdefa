"""``srpcore demo``: a guided demo. A user signs up, logs in and logs out on a user pool in the same process.

All cryptography and token verification are real. Nothing is sent over the network.
"""

from __future__ import annotations

import json
import secrets
import sys
import time
from collections.abc import Callable, Iterator

from srpcore import Cognito
from srpcore.crypto import modexp
from srpcore.crypto.totp import STEP, totp
from srpcore.exceptions import NotAuthorizedException, SoftwareTokenMFAChallengeException
from srpcore.exceptions.base import SrpcoreError
from srpcore.text import Style

from ...credentials import Credentials
from ..embedded import LocalUserPool

__all__ = ["demo"]

_NAME = "alice"
_WIDTH = 78
_TITLES = 21
_ENGINES = {"openssl": "OpenSSL, constant time", "gmpy2": "gmpy2, constant time", "python": "Python's pow"}


def demo() -> int:
    """Run the demo, print a line with the duration of each step, and return the exit status: 1 if a step failed."""
    style = Style(sys.stdout)
    print(f"\n  {style.paint('A guided demo', 'bold')} {style.sign('dot')} on a user pool in this process\n")
    started, count = time.perf_counter(), 0
    for title, step in _Demo().steps():
        before = time.perf_counter()
        try:
            result = step()
        except SrpcoreError as error:
            print(f"  {style.paint(style.sign('cross'), 'red')} {style.paint(title, 'bold')}", flush=True)
            print(f"srpcore: the step {title!r} failed: {error}", file=sys.stderr)
            return 1
        print(_line(style, title, result, time.perf_counter() - before), flush=True)
        count += 1
    total = f"{count} steps in {_milliseconds(time.perf_counter() - started).strip()}, client and service together"
    print(f"\n  {style.paint(total, 'bold')}")
    print(style.paint(f"  modular exponentiation by {_ENGINES[modexp.engine()]}\n", "dim"))
    return 0


def _line(style: Style, title: str, result: str, seconds: float) -> str:
    tick = style.paint(style.sign("tick"), "green")
    time_taken = _milliseconds(seconds)
    room = _WIDTH - 4 - _TITLES - len(time_taken)
    return f"  {tick} {style.paint(f'{title:<{_TITLES}}', 'bold')}{result:<{room}}{style.paint(time_taken, 'dim')}"


def _milliseconds(seconds: float) -> str:
    return f"{seconds * 1000:7.1f} ms"


class UnexpectedOutcome(SrpcoreError):
    """A step succeeded that should have been refused, or had another result than it must have."""


class _Demo:
    """The steps of the demo, which all use one pool and one user. Each returns the line that is printed for it."""

    def __init__(self) -> None:
        # Every setting is given explicitly, so that environment variables do not change the demo.
        self.pool = LocalUserPool(
            credentials=Credentials("demo", secrets.token_hex(16)),
            pool_settings={
                "DeviceConfiguration": {"ChallengeRequiredOnNewDevice": True, "DeviceOnlyRememberedOnUserPrompt": False}
            },
        )
        self.user = Cognito(self.pool.user_pool_id, self.pool.client_id, username=_NAME, transport=self.pool)
        self.password = f"{secrets.token_urlsafe(12)}-aA1"
        self.totp_secret = ""

    def steps(self) -> Iterator[tuple[str, Callable[[], str]]]:
        """Yield the title and the function of each step, in order."""
        yield "open a pool", self.open_pool
        yield "sign up", self.sign_up
        yield "confirm", self.confirm
        yield "wrong password", self.wrong_password
        yield "log in", self.log_in
        yield "verify the tokens", self.verify
        yield "enrol TOTP", self.enrol_totp
        yield "log in again", self.log_in_again
        yield "remember the device", self.remember_device
        yield "log in by device", self.log_in_by_device
        yield "refresh", self.refresh
        yield "log out", self.log_out

    def open_pool(self) -> str:
        """Generate the pool's key, and set the key set of the user explicitly: COGNITO_JWKS could name another one."""
        self.user.pool_jwk = json.loads(self.pool.fetch(f"{self.user.user_pool_url}/.well-known/jwks.json"))
        return "with a new RSA key for its tokens"

    def sign_up(self) -> str:
        """Register the user."""
        self.user.set_base_attributes(email=f"{_NAME}@example.com")
        delivery = self.user.register(_NAME, self.password)["CodeDeliveryDetails"]
        return f"{_NAME}; a code is sent to {delivery['Destination']}"

    def confirm(self) -> str:
        """Confirm the account with the code that was sent."""
        code = self.pool.outbox.latest(_NAME).code
        self.user.confirm_sign_up(code)
        return f"with the code {code}"

    def wrong_password(self) -> str:
        """Check that a wrong password is refused."""
        _expect_refusal(lambda: self.user.authenticate(f"{self.password}?"))
        return "refused, as expected"

    def log_in(self) -> str:
        """Log in by SRP."""
        self.user.authenticate(self.password)
        return "by SRP: the password is never sent"

    def verify(self) -> str:
        """Verify the ID token and the access token again."""
        self.user.verify_tokens()
        claims = self.user.access_claims or {}
        return f"RS256, issuer, expiry; for the user {claims['username']}"

    def enrol_totp(self) -> str:
        """Enrol an authenticator app, and require its codes at each login."""
        self.totp_secret = self.user.associate_software_token()
        code = totp(self.totp_secret, time.time())
        self.user.verify_software_token(code, "the demo's authenticator")
        self.user.set_user_mfa_preference(False, True, "SOFTWARE_TOKEN")
        return f"an authenticator app shows {code}"

    def log_in_again(self) -> str:
        """Log in with the password and the app's code."""
        try:
            self.user.authenticate(self.password)
        except SoftwareTokenMFAChallengeException:
            # A code can be used once, and enrolling has used the current one. The service also accepts the codes of the
            # time steps before and after the current one, so use the next code.
            code = totp(self.totp_secret, time.time() + STEP)
            self.user.respond_to_software_token_mfa_challenge(code)
            return f"by SRP and the app's next code, {code}"
        raise UnexpectedOutcome("login needed no code, although an authenticator app is enrolled")

    def remember_device(self) -> str:
        """Confirm the device, so that it can log in with its own key."""
        device = self.user.confirm_device("the demo's device")
        return f"{device.key[:18]}{'.' * 3} has its own key"

    def log_in_by_device(self) -> str:
        """Log in with the password; the device proves its key, which replaces the second factor."""
        self.user.authenticate(self.password)
        if self.user.device is None:
            raise UnexpectedOutcome("device was not used: the pool no longer knows it")
        return "the device proves its key; no code needed"

    def refresh(self) -> str:
        """Exchange the refresh token for new tokens."""
        before = self.user.access_token
        self.user.renew_access_token()
        if self.user.access_token == before:
            raise UnexpectedOutcome("access token did not change")
        return "new tokens, verified"

    def log_out(self) -> str:
        """Log out of every app client, and check that the refresh token is then refused."""
        refresh_token = self.user.refresh_token
        self.user.logout()
        self.user.refresh_token = refresh_token
        _expect_refusal(self.user.renew_access_token)
        self.user.refresh_token = None
        return "everywhere; the refresh token is refused"


def _expect_refusal(step: Callable[[], None]) -> None:
    try:
        step()
    except NotAuthorizedException:
        return
    raise UnexpectedOutcome("request was accepted, but should have been refused")
