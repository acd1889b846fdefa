"""The clients of a life: Cognito or AsyncCognito objects over one transport, and a journal of what they did.

An actor calls methods by name and reports each result as an :class:`Outcome`. The journal contains only plain values
and numbers of objects, so another actor can do the same over another transport, for example over a replay.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from srpcore import exceptions
from srpcore.crypto.totp import totp

__all__ = ["Actor", "Outcome"]

CHALLENGES: dict[type[Exception], str] = {
    exceptions.ForceChangePasswordException: "NEW_PASSWORD_REQUIRED",
    exceptions.SoftwareTokenMFAChallengeException: "SOFTWARE_TOKEN_MFA",
    exceptions.SMSMFAChallengeException: "SMS_MFA",
}


class Outcome(NamedTuple):
    """What a request led to: an exception of the class *error*, or the *value*; *step* is the number of a step."""

    error: type[Exception] | None = None
    value: object = None
    step: int = -1


class Actor:
    """Clients of one user pool.

    Args:
        make: makes a Cognito or AsyncCognito object from keyword arguments.
        await_: returns the result of a coroutine.
        advance: moves the clock by a number of seconds.
        now: returns the time.
    """

    def __init__(
        self,
        make: Callable[..., Any],
        await_: Callable[[Any], Any],
        advance: Callable[[float], object],
        now: Callable[[], float],
    ) -> None:
        self.journal: list[tuple[str, tuple[Any, ...], Outcome]] = []
        self._make = make
        self._await = await_
        self._advance = advance
        self._now = now
        self._users: list[Any] = []
        self._steps: list[Any] = []
        self._kept: list[tuple[str | None, str | None, str | None]] = []
        self._totp_secrets: dict[int, str] = {}
        self._admin = make()

    def do(self, action: str, *arguments: Any) -> Outcome:
        """Do *action*, the name of a method below, and write it into the journal."""
        outcome = self.attempt(action, *arguments)
        self.journal.append((action, arguments, outcome))
        return outcome

    def attempt(self, action: str, *arguments: Any) -> Outcome:
        """Do *action*, and return its outcome."""
        step = len(self._steps)
        try:
            value = getattr(self, action)(*arguments)
        except Exception as error:
            kind = _kind(error)
            if kind is None:
                raise
            return Outcome(kind)
        return Outcome(None, value, step if len(self._steps) > step else -1)

    def _got(self, result: Any) -> Any:
        return self._await(result) if inspect.isawaitable(result) else result

    def advance(self, seconds: float) -> None:
        """Move the clock."""
        self._advance(seconds)

    # Clients

    def new_client(self, name: str, device_of: int | None = None, kept: int | None = None) -> int:
        """Make a client. It has the device of another client, or tokens that were kept."""
        access, identity, refresh = (None, None, None) if kept is None else self._kept[kept]
        device = None if device_of is None else self._users[device_of].device
        self._users.append(
            self._make(username=name, device=device, access_token=access, id_token=identity, refresh_token=refresh)
        )
        return len(self._users) - 1

    def keep_tokens(self, client: int) -> int:
        """Keep the tokens of a client, and return their number."""
        user = self._users[client]
        self._kept.append((user.access_token, user.id_token, user.refresh_token))
        return len(self._kept) - 1

    def admin(self, method: str, arguments: tuple[Any, ...], keywords: Mapping[str, Any]) -> None:
        """Call a method of the administrator's client."""
        self._got(getattr(self._admin, method)(*arguments, **keywords))

    def admin_operation(self, operation: str, parameters: Mapping[str, Any]) -> None:
        """Send an operation that has no method, by ``Cognito.client``."""
        self._got(getattr(self._admin.client, operation)(UserPoolId=self._admin.user_pool_id, **parameters))

    def call(self, client: int, method: str, *arguments: Any) -> None:
        """Call a method of a client."""
        self._got(getattr(self._users[client], method)(*arguments))

    def set_base_attributes(self, client: int, attributes: Mapping[str, str]) -> None:
        """Set the attributes of the next sign-up."""
        self._users[client].set_base_attributes(**attributes)

    def attributes(self, client: int) -> dict[str, Any]:
        """Return the attributes that GetUser shows, without ``sub``."""
        user = self._got(self._users[client].get_user())
        verified = {name: getattr(user, name) for name in ("email_verified", "phone_number_verified")}
        shown = {name: value for name, value in user._data.items() if name != "sub"}
        return shown | {name: value for name, value in verified.items() if value is not None}

    def devices(self, client: int) -> int:
        """Return the number of devices that ListDevices shows."""
        return len(self._got(self._users[client].list_devices()))

    # Logins

    def sign_in(self, client: int, password: str, flow: str) -> str | None:
        """Log in, and return the name of the challenge, or None if the user is logged in."""
        return self._step(self._got(self._users[client].sign_in(password, auth_flow=flow)))

    def authenticate(self, client: int, password: str, method: str) -> str | None:
        """Log in by pycognito's interface, which raises a challenge as an exception."""
        user = self._users[client]
        try:
            self._got(getattr(user, method)(password))
        except exceptions.UnsupportedChallenge as error:
            return self._step(self._got(user.resume_sign_in(error.to_json())))
        except tuple(CHALLENGES) as error:
            name = next(name for kind, name in CHALLENGES.items() if isinstance(error, kind))
            if name != "NEW_PASSWORD_REQUIRED":
                self._steps.append((name, user.mfa_tokens))
            return name
        return None

    def answer(self, client: int, step: int, given: str, needs: str) -> str | None:
        """Answer a challenge: see :meth:`sign_in` for the result."""
        user, asked = self._users[client], self._steps[step]
        if not isinstance(asked, tuple):
            return self._step(self._got(asked.answer(**{needs: given})))
        method = "respond_to_sms_mfa_challenge" if asked[0] == "SMS_MFA" else "respond_to_software_token_mfa_challenge"
        self._got(getattr(user, method)(given, asked[1]))
        return None

    def _step(self, step: Any) -> str | None:
        if step.done:
            return None
        self._steps.append(step)
        name: str = step.challenge.name
        return name

    # Authenticator apps

    def associate_totp(self, client: int) -> None:
        """Begin to register an authenticator app."""
        self._totp_secrets[client] = self._got(self._users[client].associate_software_token())

    def set_up_totp(self, client: int, step: int) -> str | None:
        """Begin MFA_SETUP with an authenticator app: see :meth:`sign_in` for the result."""
        self._totp_secrets[client], following = self._got(self._steps[step].set_up_totp())
        return self._step(following)

    def prefer(self, client: int, factor: str, on: bool, preferred: bool) -> None:
        """Enable or disable one second factor."""
        enabled = {"SMS": (on, None, None), "SOFTWARE_TOKEN": (None, on, None), "EMAIL": (None, None, on)}
        sms, software, email = enabled[factor]
        chosen = factor if on and preferred else None
        self._got(self._users[client].set_user_mfa_preference(sms, software, chosen, email_mfa=email))

    def totp_secret(self, client: int) -> str | None:
        """Return the secret that :meth:`associate_totp` got last."""
        return self._totp_secrets.get(client)

    def totp_code(self, secret: str | None, *, right: bool) -> str:
        """Return the code that an app with *secret* shows now, or one that is wrong."""
        near = {totp(secret, self._now() + seconds) for seconds in (-60, -30, 0, 30, 60)} if secret else set[str]()
        if right and secret:
            return totp(secret, self._now())
        return next(code for code in ("000000", "111111", "222222", "333333", "444444", "555555") if code not in near)


def _kind(error: Exception) -> type[Exception] | None:
    """Return our exception class for an error: ours, or one of botocore. Return None for any other error."""
    if isinstance(error, exceptions.SrpcoreError):
        # A class with `_plain` combines ours with one of botocore.
        return next(kind for kind in type(error).__mro__ if "_plain" not in vars(kind))
    if type(error).__name__ == "ParamValidationError" and "parameter AccessToken" in str(error):
        return exceptions.AccessTokenRequired  # botocore validates before we do, as in pycognito
    response: Any = getattr(error, "response", None) or {}
    return getattr(exceptions, str(response.get("Error", {}).get("Code")), None)
