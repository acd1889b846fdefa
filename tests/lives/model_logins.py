"""The model of logins: challenges, tokens, devices, second factors, and the requests that need an access token.

The steps of a login, in this order::

    the password is right
    temporary password ──────────────────────────────► NEW_PASSWORD_REQUIRED
    a device is named, but the pool does not know it ─► refused; the client forgets the device and starts again
    second factors are enabled ──────────────────────► the preferred one; SELECT_MFA_TYPE if there are several
    the pool requires one, and there is none ────────► MFA_SETUP: associate an authenticator app, verify its code
    otherwise ───────────────────────────────────────► tokens; a remembered device is proved before, without the user
"""

from __future__ import annotations

from collections.abc import Callable

from srpcore import exceptions

from .model import DAY, Accounts
from .records import AccessToken, Client, Code, Device, Login, RefreshToken, Refused, Session, Settings, User

__all__ = ["Pool"]

ACCESS_SECONDS, REFRESH_SECONDS, SESSION_SECONDS = 3600, 30 * DAY, 180
TEMPORARY_PASSWORD_SECONDS = 7 * DAY
TOTP_SECONDS = 30
MOST_WRONG_ANSWERS = 5
WRONG_CODE = (
    exceptions.CodeMismatchException,
    exceptions.ExpiredCodeException,
    exceptions.EnableSoftwareTokenMFAException,
)
"""The refusals of a code that may be corrected."""
FACTORS = ("SMS_MFA", "SOFTWARE_TOKEN_MFA", "EMAIL_OTP")
"""The second factors, in the order in which the service lists them."""


class Pool(Accounts):
    """The whole model: accounts, logins and tokens."""

    def __init__(self, settings: Settings, clock: Callable[[], float]) -> None:
        super().__init__(settings, clock)
        self.logins: list[Login] = []

    # Logins

    def log_in(self, client: Client, password: str) -> Session | None:
        """Log in, and return the challenge to answer, or None: then *client* has tokens.

        If the pool does not know the device of *client*, the client drops it and logs in without it.
        """
        user = self.users.get(client.name)
        self.check_password(user, client.name, password)
        assert user is not None
        try:
            return self._advance(client, Session(user, client.device, "", 0.0))
        except Refused as refused:
            if refused.error is not exceptions.ResourceNotFoundException:
                raise
        client.device = None
        return self._advance(client, Session(user, None, "", 0.0))

    def answer(self, client: Client, session: Session, given: str) -> Session | None:
        """Answer a challenge with a code, a new password or a factor: see :meth:`log_in` for the result.

        A Session can be used once. After a wrong code or a password that breaks the policy it can be used again. But
        after the fifth wrong code the login is over.
        """
        self._take(session)
        answered = Session(session.user, client.device or session.device, "", 0.0)
        try:
            if session.challenge == "SELECT_MFA_TYPE":
                return self._select(answered, given)
            self._check_answer(session, given)
        except Refused as refused:
            self._reopen(session, refused.error)
            raise
        second_factor_done = session.challenge != "NEW_PASSWORD_REQUIRED"
        try:
            return self._advance(client, answered, second_factor_done=second_factor_done)
        except Refused as refused:
            if refused.error is exceptions.ResourceNotFoundException:
                client.device = None
            raise

    def _check_answer(self, session: Session, given: str) -> None:
        if session.challenge == "NEW_PASSWORD_REQUIRED":
            self._set_first_password(session.user, given)
        elif session.challenge == "MFA_SETUP":
            self._verify_set_up(session, given)
        elif session.challenge == "SOFTWARE_TOKEN_MFA":
            self._check_totp(session.user, given)
        else:
            if session.code is not None and not session.code.reaches(session.user):
                raise Refused(exceptions.ExpiredCodeException)
            self.require_tries(session.user, session.challenge)
            if session.code is None or given != session.code.value:
                session.user.tries[session.challenge].append(self.clock())
                raise Refused(exceptions.CodeMismatchException)
            session.user.tries[session.challenge].clear()

    def _take(self, session: Session) -> None:
        if not session.open or session.user.deleted:
            raise Refused(exceptions.InvalidSession)
        session.open = False
        if session.expires <= self.clock():
            raise Refused(exceptions.SessionExpired)

    def set_up_totp(self, session: Session) -> Session:
        """Begin MFA_SETUP with an authenticator app (AssociateSoftwareToken), and return the challenge to answer."""
        self._take(session)
        if not session.user.enabled:
            raise Refused(exceptions.UserDisabled)
        return self._challenge(session, "MFA_SETUP")

    def _verify_set_up(self, session: Session, code: str) -> None:
        """Verify the app, which is enabled at once: the login needs it."""
        if not session.user.enabled:
            raise Refused(exceptions.UserDisabled)
        self._verify_app(session.user, code)
        session.user.enabled_mfa.add("SOFTWARE_TOKEN_MFA")

    @staticmethod
    def _reopen(session: Session, error: type[Exception]) -> None:
        if error in (exceptions.InvalidPasswordException, exceptions.InvalidParameterException):
            session.open = True
        elif error in WRONG_CODE:
            session.wrong += 1
            session.open = session.wrong < MOST_WRONG_ANSWERS

    def _set_first_password(self, user: User, password: str) -> None:
        self._check_can_log_in(user)
        if user.status != "FORCE_CHANGE_PASSWORD":
            raise Refused(exceptions.InvalidSession)  # an administrator has set a password meanwhile
        self.check_policy(password)
        self.set_password(user, password, "CONFIRMED")

    def _check_totp(self, user: User, code: str) -> None:
        self.require_tries(user, "SOFTWARE_TOKEN_MFA")
        if user.totp is None or code != "right":
            user.tries["SOFTWARE_TOKEN_MFA"].append(self.clock())
            raise Refused(exceptions.CodeMismatchException)
        step = int(self.clock() // TOTP_SECONDS)
        if step <= user.totp_step:
            raise Refused(exceptions.ExpiredCodeException)
        user.totp_step = step
        user.tries["SOFTWARE_TOKEN_MFA"].clear()

    def _select(self, answered: Session, factor: str) -> Session:
        if factor not in self._factors(answered.user):
            raise Refused(exceptions.InvalidParameterException)
        return self._challenge(answered, factor)

    def _check_can_log_in(self, user: User) -> None:
        if not user.enabled:
            raise Refused(exceptions.UserDisabled)
        if user.status == "UNCONFIRMED":
            raise Refused(exceptions.UserNotConfirmedException)
        if user.status == "RESET_REQUIRED":
            raise Refused(exceptions.PasswordResetRequiredException)
        expires = user.password_set + TEMPORARY_PASSWORD_SECONDS
        if user.status == "FORCE_CHANGE_PASSWORD" and self.clock() >= expires:
            raise Refused(exceptions.NotAuthorizedException)

    def _advance(self, client: Client, state: Session, *, second_factor_done: bool = False) -> Session | None:
        user, device = state.user, state.device
        self._check_can_log_in(user)
        if user.status == "FORCE_CHANGE_PASSWORD":
            return self._challenge(state, "NEW_PASSWORD_REQUIRED")
        if device is not None and (device not in user.devices or not device.confirmed):
            raise Refused(exceptions.ResourceNotFoundException)
        replaced = device is not None and device.remembered and self.settings.device_replaces_mfa
        if not second_factor_done and not replaced:
            factors = self._factors(user)
            if user.preferred_mfa in factors:
                return self._challenge(state, user.preferred_mfa)
            if len(factors) > 1:
                return self._challenge(state, "SELECT_MFA_TYPE", tuple(factors))
            if factors:
                return self._challenge(state, factors[0])
            if self.settings.mfa == "ON":
                return self._challenge(state, "MFA_SETUP")
        self._complete(client, user, device)
        return None

    def _factors(self, user: User) -> list[str]:
        """Return the factors that the user can use. A pool that requires one also accepts a verified address."""
        if self.settings.mfa == "OFF":
            return []
        enabled = set(user.enabled_mfa)
        if self.settings.mfa == "ON" and "SOFTWARE_TOKEN_MFA" not in enabled:
            enabled |= {"SMS_MFA"} if user.verified("phone_number") else set()
            enabled |= {"EMAIL_OTP"} if user.verified("email") else set()
        return [factor for factor in FACTORS if factor in enabled and self._has(user, factor)]

    @staticmethod
    def _has(user: User, factor: str) -> bool:
        if factor == "SOFTWARE_TOKEN_MFA":
            return user.totp is not None
        return ("phone_number" if factor == "SMS_MFA" else "email") in user.attributes

    def _challenge(self, state: Session, name: str, choices: tuple[str, ...] = ()) -> Session:
        code = None
        if name in ("SMS_MFA", "EMAIL_OTP"):
            attribute = "phone_number" if name == "SMS_MFA" else "email"
            code = Code(state.user.name, "mfa", attribute=attribute, address=state.user.attributes[attribute])
            self.sent.append(code)
        return Session(state.user, state.device, name, self.clock() + SESSION_SECONDS, code=code, choices=choices)

    def _complete(self, client: Client, user: User, device: Device | None) -> None:
        client.new_device = None
        if device is None and self.settings.devices is not None:
            device = client.new_device = Device()
            user.devices.append(device)
        login = Login(user, device)
        self.logins.append(login)
        client.access = AccessToken(login, self.clock() + ACCESS_SECONDS)
        client.refresh = RefreshToken(login, self.clock() + REFRESH_SECONDS)

    # Tokens

    def refresh(self, client: Client) -> None:
        """Refresh the tokens. With rotation there is a new refresh token, which lives no longer than the old one.

        A token that was rotated is accepted for the grace period. A token of a device is accepted as long as the device
        is registered and confirmed.
        """
        token = client.refresh
        if token is None:
            raise Refused(exceptions.InvalidRequest)
        login, now = token.login, self.clock()
        if not login.user.enabled and not login.user.deleted:
            raise Refused(exceptions.UserDisabled)
        if login.revoked or login.user.deleted:
            raise Refused(exceptions.RefreshTokenRevoked)
        if token.expires <= now:
            raise Refused(exceptions.RefreshTokenExpired)
        if login.device is not None and (login.device not in login.user.devices or not login.device.confirmed):
            raise Refused(exceptions.InvalidRefreshToken)
        grace = self.settings.rotation
        if token.rotated is not None and token.rotated + (grace or 0) <= now:
            raise Refused(exceptions.RefreshTokenReuseException)
        if grace is not None:
            token.rotated = now if token.rotated is None else token.rotated
            client.refresh = RefreshToken(login, token.expires)
        client.access, client.new_device = AccessToken(login, now + ACCESS_SECONDS), None

    def check_access(self, access: AccessToken | None) -> User:
        """Return the user of an access token; without one the client sends nothing."""
        if access is None:
            raise Refused(exceptions.AccessTokenRequired)
        user = access.login.user
        if access.expires <= self.clock():
            raise Refused(exceptions.AccessTokenExpired)
        if user.deleted:
            raise Refused(exceptions.UserNotFoundException)
        if not user.enabled:
            raise Refused(exceptions.UserDisabled)
        if access.login.revoked:
            raise Refused(exceptions.AccessTokenRevoked)
        return user

    def _refresh_if_expired(self, client: Client) -> None:
        """Do what some methods of the client do first. A token is still used in the second in which it expires."""
        if client.access is not None and self.clock() > client.access.expires:
            self.refresh(client)

    def revoke(self, client: Client) -> None:
        """RevokeToken: revoke the refresh token, and the access tokens of the same login."""
        if client.refresh is None:
            raise Refused(exceptions.InvalidRequest)
        client.refresh.login.revoked = True
        client.drop_tokens()

    def log_out(self, client: Client) -> None:
        """GlobalSignOut."""
        self._revoke_all(self.check_access(client.access))
        client.drop_tokens()

    def admin_log_out(self, name: str) -> None:
        """AdminUserGlobalSignOut."""
        self._revoke_all(self.find(name))

    def admin_disable(self, name: str) -> None:
        """AdminDisableUser: the user cannot log in or refresh, and the tokens are revoked."""
        user = self.find(name)
        user.enabled = False
        self._revoke_all(user)

    def admin_delete(self, name: str) -> None:
        """AdminDeleteUser. A later user of the same name is another user."""
        self._delete(self.find(name))

    def delete(self, client: Client) -> None:
        """DeleteUser."""
        self._delete(self.check_access(client.access))

    def _delete(self, user: User) -> None:
        self._revoke_all(user)
        user.deleted = True
        del self.users[user.name]

    def _revoke_all(self, user: User) -> None:
        for login in self.logins:
            if login.user is user:
                login.revoked = True

    # The account of the user who is logged in

    def change_password(self, client: Client, previous: str, proposed: str) -> None:
        """ChangePassword. The tokens stay valid."""
        self._refresh_if_expired(client)
        user = self.check_access(client.access)
        self.check_password(user, user.name, previous, exceptions.LimitExceededException)
        self.check_policy(proposed)
        self.set_password(user, proposed, user.status)

    def update_profile(self, client: Client, given: dict[str, str]) -> None:
        """UpdateUserAttributes: a code is sent to a changed e-mail address."""
        user = self.check_access(client.access)
        if "email" in self.change_attributes(user, given):
            self.send_code(user, "attribute")

    def verify_email(self, client: Client, code: str) -> None:
        """VerifyUserAttribute."""
        self._refresh_if_expired(client)
        user = self.check_access(client.access)
        self.check_code(user, "attribute", code)
        user.attributes["email_verified"] = "true"

    # Second factors

    def associate_totp(self, client: Client) -> User:
        """AssociateSoftwareToken. The authenticator app of before works until the new one is verified."""
        user = self.check_access(client.access)
        if self.settings.mfa == "OFF":
            raise Refused(exceptions.SoftwareTokenMFANotFoundException)
        return user

    def verify_totp(self, client: Client, code: str) -> None:
        """VerifySoftwareToken. The code that proves the app cannot be used for a login."""
        self._verify_app(self.check_access(client.access), code)

    def _verify_app(self, user: User, code: str) -> None:
        self.require_tries(user, "set up an app")
        if user.totp_pending is None or code != "right":
            user.tries["set up an app"].append(self.clock())
            raise Refused(exceptions.EnableSoftwareTokenMFAException)
        user.tries["set up an app"].clear()
        user.totp, user.totp_pending = user.totp_pending, None
        user.totp_step = int(self.clock() // TOTP_SECONDS)

    def prefer(self, client: Client, factor: str, *, on: bool, preferred: bool) -> None:
        """SetUserMFAPreference for one factor."""
        user = self.check_access(client.access)
        if on and (self.settings.mfa == "OFF" or not self._has(user, factor)):
            raise Refused(exceptions.InvalidParameterException)
        user.enabled_mfa = user.enabled_mfa - {factor} | ({factor} if on else set())
        if on and preferred:
            user.preferred_mfa = factor
        elif user.preferred_mfa == factor:
            user.preferred_mfa = None

    # Devices

    def confirm_device(self, client: Client) -> None:
        """ConfirmDevice; then, if the pool lets the user decide, UpdateDeviceStatus."""
        device = client.new_device
        if device is None:
            raise Refused(exceptions.ConfigurationError)
        user = self.check_access(client.access)
        if device not in user.devices:
            raise Refused(exceptions.ResourceNotFoundException)
        device.confirmed = device.remembered = True
        client.device, client.new_device = device, None

    def set_remembered(self, client: Client, *, remembered: bool) -> None:
        """UpdateDeviceStatus."""
        self._device_of(client).remembered = remembered

    def forget_device(self, client: Client) -> None:
        """ForgetDevice. Tokens of the device cannot be refreshed any more."""
        device = self._device_of(client)
        device_user = self.check_access(client.access)
        device_user.devices.remove(device)
        client.device = None

    def _device_of(self, client: Client) -> Device:
        if client.access is None:
            raise Refused(exceptions.AccessTokenRequired)
        if client.device is None:
            raise Refused(exceptions.ConfigurationError)
        user = self.check_access(client.access)
        if client.device not in user.devices:
            raise Refused(exceptions.ResourceNotFoundException)
        return client.device
