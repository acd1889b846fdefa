"""A model of a user pool: what the service must answer to each request, and which state it then has.

The model is small because it has no cryptography: a password is compared with the password, and a token is an object.
A method of the model is one request. It changes the state, or raises :class:`Refused` with the exact class of the
exception that a client gets. If several reasons to refuse a request hold, the first one in the method counts.

::

    SignUp ──► UNCONFIRMED ──ConfirmSignUp, AdminConfirmSignUp──► CONFIRMED ◄──ConfirmForgotPassword── RESET_REQUIRED
                                                                    ▲  └────AdminResetUserPassword────────►▲
    AdminCreateUser ──► FORCE_CHANGE_PASSWORD ──NEW_PASSWORD_REQUIRED──┘

    AdminSetUserPassword leads from any state to CONFIRMED (permanent) or FORCE_CHANGE_PASSWORD (temporary).
"""

from __future__ import annotations

from collections.abc import Callable

from srpcore import exceptions

from .records import Code, Refused, Settings, User

__all__ = ["DAY", "NAMES", "Accounts"]

DAY = 86400
NAMES = ("ann", "bob")
SHORTEST_PASSWORD = 8
CODE_LIFETIMES = {"sign_up": DAY, "attribute": DAY, "reset": 3600}
MOST_WRONG_CODES = 5
FREE_WRONG_PASSWORDS, LONGEST_LOCK, FORGIVEN_AFTER = 5, 900, 900


class Accounts:
    """The users, and the requests on their accounts that need no token.

    The app client has PreventUserExistenceErrors, so a request that anybody can send does not reveal whether a user
    exists: the login of an unknown user has a wrong password, and a code for an unknown user seems to be sent.

    Attributes:
        sent: the codes that were sent and that the test has not read yet.
    """

    def __init__(self, settings: Settings, clock: Callable[[], float]) -> None:
        self.settings = settings
        self.clock = clock
        self.users: dict[str, User] = {}
        self.strangers: dict[str, User] = {}
        self.sent: list[Code] = []

    # What several requests have in common

    def find(self, name: str) -> User:
        """Return the user, for an administrator's request."""
        if name not in self.users:
            raise Refused(exceptions.UserNotFoundException)
        return self.users[name]

    @staticmethod
    def check_policy(password: str) -> None:
        """Refuse a password that is too short; the tests use no other password that breaks the policy."""
        if len(password) < SHORTEST_PASSWORD:
            raise Refused(exceptions.InvalidPasswordException)

    def set_password(self, user: User, password: str, status: str) -> None:
        """Set the password. Wrong passwords that were tried before no longer count."""
        user.earlier.append(user.password)
        user.password, user.status, user.failures = password, status, 0
        user.password_set = self.clock()

    def check_password(
        self,
        user: User | None,
        name: str,
        password: str,
        locked: type[Exception] = exceptions.PasswordAttemptsExceeded,
    ) -> None:
        """Check a password, sent or proved by SRP, and count the wrong ones.

        The status of the user is checked before: by public reports, a wrong password of an unconfirmed user is answered
        like the right one.

        After five wrong passwords in a row the user is locked out: for one second, and twice as long each time. So is
        the name of an unknown user.

        Args:
            locked: the exception while the user is locked out.
        """
        known = user is not None
        user = user or self._known_or_stranger(name)
        if known and user.status == "UNCONFIRMED":
            raise Refused(exceptions.UserNotConfirmedException if user.enabled else exceptions.UserDisabled)
        now = self.clock()
        if now - user.last_failure >= FORGIVEN_AFTER:
            user.failures = 0
        if user.failures >= FREE_WRONG_PASSWORDS:
            lock = min(2 ** (user.failures - FREE_WRONG_PASSWORDS), LONGEST_LOCK)
            if now < user.last_failure + lock:
                raise Refused(locked)
        if not known or password != user.password:
            user.failures, user.last_failure = user.failures + 1, now
            raise Refused(exceptions.WrongPassword)
        user.failures = 0
        if user.status == "RESET_REQUIRED":
            raise Refused(exceptions.PasswordResetRequiredException)

    def send_code(self, user: User, purpose: str, attribute: str = "email") -> None:
        """Send a code. It replaces the code that was sent before for the same purpose."""
        address = user.attributes[attribute]
        code = Code(user.name, purpose, self.clock() + CODE_LIFETIMES[purpose], attribute=attribute, address=address)
        user.codes[purpose] = code
        self.sent.append(code)

    def check_code(self, user: User, purpose: str, given: str) -> None:
        """Check a code, which can be used once, and count the wrong ones."""
        code = user.codes.get(purpose)
        if code is None or code.expires <= self.clock() or not code.reaches(user):
            raise Refused(exceptions.ExpiredCodeException)
        self.require_tries(user, purpose, exceptions.LimitExceededException)
        if code.wrong >= MOST_WRONG_CODES:
            raise Refused(exceptions.LimitExceededException)
        if given != code.value:
            code.wrong += 1
            user.tries[purpose].append(self.clock())
            raise Refused(exceptions.CodeMismatchException)
        del user.codes[purpose]

    def require_tries(
        self, user: User, purpose: str, locked: type[Exception] = exceptions.NotAuthorizedException
    ) -> None:
        """Refuse a code if ten in a row were wrong, over all codes and Sessions, the last less than an hour ago."""
        tries = user.tries.setdefault(purpose, [])
        if tries and self.clock() - tries[-1] >= 3600:
            tries.clear()
        if len(tries) >= 10:
            raise Refused(locked)

    # Sign up

    def sign_up(self, name: str, password: str, attributes: dict[str, str]) -> None:
        """SignUp: the user must confirm the account with the code that is sent to the e-mail address."""
        self.check_policy(password)
        if name in self.users:
            raise Refused(exceptions.UsernameExistsException)
        user = self.users[name] = User(name, "UNCONFIRMED", password, self.clock(), dict(attributes))
        self.send_code(user, "sign_up")

    def confirm_sign_up(self, name: str, code: str) -> None:
        """ConfirmSignUp: this also verifies the e-mail address that the code was sent to."""
        user = self.users.get(name)
        if user is None or not user.enabled:
            raise Refused(exceptions.ExpiredCodeException)
        if user.status != "UNCONFIRMED":
            raise Refused(exceptions.NotAuthorizedException)
        self.check_code(user, "sign_up", code)
        user.status = "CONFIRMED"
        user.attributes["email_verified"] = "true"

    def resend_code(self, name: str) -> None:
        """ResendConfirmationCode."""
        user = self.users.get(name)
        if user is None or not user.enabled:
            return
        if user.status != "UNCONFIRMED":
            raise Refused(exceptions.InvalidParameterException)
        self.send_code(user, "sign_up")

    # Forgotten passwords

    def forgot_password(self, name: str) -> None:
        """ForgotPassword: send a code, if the user has a verified address to send it to."""
        user = self.users.get(name)
        if user is not None and user.enabled and self._can_recover(user):
            self._send_reset_code(user)
        else:
            # The pool pretends to send a code, which nothing matches.
            code = Code(name, "reset", self.clock() + CODE_LIFETIMES["reset"])
            self._known_or_stranger(name).codes["reset"] = code

    def confirm_forgot_password(self, name: str, code: str, password: str) -> None:
        """ConfirmForgotPassword: set a new password with the code. The tokens of the user stay valid."""
        self.check_policy(password)
        self.check_code(self._known_or_stranger(name), "reset", code)
        user = self.users.get(name)
        if user is None or not user.enabled:
            raise Refused(exceptions.CodeMismatchException)
        self.set_password(user, password, "CONFIRMED")

    def _known_or_stranger(self, name: str) -> User:
        unknown = User(name, "UNCONFIRMED", "", self.clock(), {})
        return self.users.get(name) or self.strangers.setdefault(name, unknown)

    @staticmethod
    def _can_recover(user: User) -> bool:
        return user.verified("phone_number") or user.verified("email")

    def _send_reset_code(self, user: User) -> None:
        if user.status == "FORCE_CHANGE_PASSWORD":
            raise Refused(exceptions.NotAuthorizedException)
        if not self._can_recover(user):
            raise Refused(exceptions.InvalidParameterException)
        self.send_code(user, "reset", "phone_number" if user.verified("phone_number") else "email")

    # Requests of an administrator

    def admin_create(self, name: str, password: str, attributes: dict[str, str]) -> None:
        """AdminCreateUser, without an invitation: the password is temporary."""
        self.check_policy(password)
        if name in self.users:
            raise Refused(exceptions.UsernameExistsException)
        self.users[name] = User(name, "FORCE_CHANGE_PASSWORD", password, self.clock(), dict(attributes))

    def admin_confirm(self, name: str) -> None:
        """AdminConfirmSignUp. It does not verify the e-mail address."""
        user = self.find(name)
        if user.status != "UNCONFIRMED":
            raise Refused(exceptions.NotAuthorizedException)
        user.status = "CONFIRMED"

    def admin_set_password(self, name: str, password: str, *, permanent: bool) -> None:
        """AdminSetUserPassword."""
        user = self.find(name)
        self.check_policy(password)
        self.set_password(user, password, "CONFIRMED" if permanent else "FORCE_CHANGE_PASSWORD")

    def admin_reset_password(self, name: str) -> None:
        """AdminResetUserPassword: the password cannot be used any more, and a code for a new one is sent."""
        user = self.find(name)
        if not user.enabled:
            raise Refused(exceptions.UserDisabled)
        if user.status == "UNCONFIRMED":
            raise Refused(exceptions.NotAuthorizedException)
        self._send_reset_code(user)
        user.status = "RESET_REQUIRED"

    def admin_enable(self, name: str) -> None:
        """AdminEnableUser. Tokens from the time before the user was disabled stay revoked."""
        self.find(name).enabled = True

    def admin_update(self, name: str, attributes: dict[str, str]) -> None:
        """AdminUpdateUserAttributes. No code is sent."""
        self.change_attributes(self.find(name), attributes)

    # Attributes

    @staticmethod
    def change_attributes(user: User, given: dict[str, str]) -> list[str]:
        """Set attributes, or remove those whose value is empty. Return the addresses that must be verified again.

        A changed address is not verified, and a code that was sent for the old one is useless.
        """
        changed = [
            name for name in ("email", "phone_number") if name in given and given[name] != user.attributes.get(name)
        ]
        for name in changed:
            user.attributes[f"{name}_verified"] = "false"
            if name == "email":
                user.codes.pop("attribute", None)
        user.attributes = {name: value for name, value in {**user.attributes, **given}.items() if value}
        for name in ("email", "phone_number"):
            if name not in user.attributes:
                user.attributes.pop(f"{name}_verified", None)
        return [name for name in changed if name in user.attributes and not user.verified(name)]
