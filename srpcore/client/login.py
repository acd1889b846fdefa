"""Log in as pycognito does: with a password over SRP. A challenge that needs the user is raised as an exception.

The program catches the exception, asks the user, and calls the method that answers the challenge::

    authenticate(password) ──► tokens are set
        │ raises ForceChangePasswordException         ──► new_password_challenge(password, new_password)
        │ raises SoftwareTokenMFAChallengeException   ──► respond_to_software_token_mfa_challenge(code)
        │ raises SMSMFAChallengeException             ──► respond_to_sms_mfa_challenge(code)
        │ raises UnsupportedChallenge as error        ──► resume_sign_in(error.to_json()).answer(...)

pycognito has no exception for the other challenges, for example EMAIL_OTP, SELECT_MFA_TYPE and MFA_SETUP. They are an
UnsupportedChallenge, whose message names the way to answer it.

An answer may lead to the next challenge, which is raised in the same way. :mod:`srpcore.client.steps` is the other
interface to the same flows: there each challenge is a value.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MethodType
from typing import Any, cast

from ..aws_srp.client import AWSSRP, present_class
from ..exceptions.base import ConfigurationError
from ..exceptions.challenges import MFAChallengeException
from ..flows import ask
from ..flows.challenge import Answer, Challenge, challenge_of, raise_challenge, unsupported
from ..flows.login import answer_challenge, start_login
from ..protocol import CallMethod, Flow, JsonObject
from .login_state import AdminChallenge, LoggingIn, challenged, named, settled
from .persistence import SharedPersistence
from .sync_async import sync_method
from .tokens import TokenMethods

__all__ = ["LoginMethods"]

# AWSSRP's own methods. If the class has another method under the name, the program has replaced it.
_AUTHENTICATE_USER = AWSSRP.authenticate_user
_SET_NEW_PASSWORD_CHALLENGE = AWSSRP.set_new_password_challenge


class SharedLogin(SharedPersistence):
    """The parts of a login that ``Cognito`` and ``AsyncCognito`` share."""

    def _make_srp(self, password: str) -> AWSSRP:
        kind = present_class()
        # A replacement has pycognito's constructor at most, and the tests of some programs check the call.
        more: dict[str, Any] = {"clock": self._clock, "random_bits": self._random_bits} if kind is AWSSRP else {}
        if self.device is not None:
            more["device_key"], more["device_group_key"] = self.device.key, self.device.group_key
            more["device_password"] = self.device.password
        srp: AWSSRP = kind(
            username=self.username,
            password=password,
            pool_id=self.user_pool_id,
            client_id=self.client_id,
            client=self.client,
            client_secret=self.client_secret,
            **more,
        )
        return srp

    def _run_srp(
        self,
        srp: AWSSRP,
        flow: Callable[[], Flow[JsonObject]],
        present: MethodType,
        ours: object,
        call: Callable[[], JsonObject],
    ) -> Flow[JsonObject]:
        """Return the reply that ends the login by AWSSRP's *flow*.

        If a program has replaced the class or the method (the *present* method is not *ours*), the driver runs *call*,
        which calls the replacement, instead of the flow.
        """
        replaced = getattr(present, "__func__", None) is not ours
        try:
            reply: JsonObject = (yield CallMethod(call)) if replaced else (yield from flow())
        except MFAChallengeException as challenge:
            self.mfa_tokens = challenge.get_tokens()
            yield from self._note_outcome(srp)
            raise
        except Exception:
            yield from self._note_outcome(srp)
            self._login = settled(self._login)
            raise
        yield from self._note_outcome(srp)
        return reply

    def _note_outcome(self, srp: AWSSRP) -> Flow[None]:
        """Store the canonical username, and drop the device if the service no longer knows it."""
        # A program may have replaced the class, with a mock or with one that has pycognito's attributes only.
        canonical: object = getattr(srp, "canonical_username", None)
        if not isinstance(srp, AWSSRP) or not (canonical is None or isinstance(canonical, str)):  # pyright: ignore[reportUnnecessaryIsInstance]
            return
        self._login = named(self._login, canonical)
        if srp.device_key is None and self.device is not None:
            yield from self._drop_stale_device(None)

    def _log_in(self, password: str, client_metadata: dict[str, str] | None) -> Flow[JsonObject]:
        srp = self._make_srp(password)
        return (
            yield from self._run_srp(
                srp,
                lambda: srp.log_in(client_metadata),
                cast(MethodType, srp.authenticate_user),
                _AUTHENTICATE_USER,
                lambda: srp.authenticate_user(client_metadata=client_metadata),
            )
        )

    def _log_in_with_new_password(
        self,
        password: str,
        new_password: str,
        attributes: Mapping[str, str | float | bool] | None,
        client_metadata: dict[str, str] | None,
    ) -> Flow[JsonObject]:
        srp = self._make_srp(password)
        # Without attributes, call with one argument, as pycognito does: the tests of some programs check the call.
        more: dict[str, Any] = {"required_attributes": attributes} if attributes else {}
        more |= {"client_metadata": client_metadata} if client_metadata else {}
        return (
            yield from self._run_srp(
                srp,
                lambda: srp.log_in_with_new_password(new_password, attributes, client_metadata),
                cast(MethodType, srp.set_new_password_challenge),
                _SET_NEW_PASSWORD_CHALLENGE,
                lambda: srp.set_new_password_challenge(new_password, **more),
            )
        )

    def _validate_with_botocore(self) -> Flow[None]:
        """Send an incomplete request if a name is missing and botocore is the transport.

        Botocore then raises its own ParamValidationError, which programs written for pycognito expect.
        """
        if (self.username is None or self.client_id is None) and self._botocore_validates:  # pyright: ignore[reportUnnecessaryComparison]
            parameters = {"USERNAME": self.username, "SRP_A": ""}
            yield from ask(
                "InitiateAuth",
                {"AuthFlow": "USER_SRP_AUTH", "AuthParameters": parameters, "ClientId": self.client_id},
            )

    @property
    def _admin_challenge(self) -> AdminChallenge | None:
        return self._login.admin if isinstance(self._login, LoggingIn) else None

    def _answer_code(
        self, name: str, code: str | int, mfa_tokens: JsonObject | None, client_metadata: Mapping[str, str] | None
    ) -> Flow[None]:
        tokens = mfa_tokens or self.mfa_tokens
        if not tokens or not tokens.get("Session"):
            raise ConfigurationError("no challenge to answer: log in first, or give mfa_tokens")
        _require_factor(tokens, name)
        yield from self._prepare_login(answering=True)
        context = self._login_context(client_metadata, tokens)
        # A Session that began with an administrator's operation must be answered with one.
        admin = self._admin_challenge
        context.admin = admin is not None and tokens["Session"] == admin.session
        challenge = cast(Challenge, challenge_of(context, {**tokens, "ChallengeName": name}))
        reply = yield from self._run_login_step(
            context, answer_challenge(context, challenge, Answer(code=_digits(code))), first=False
        )
        self._login = challenged(self._login, reply if context.admin else None)
        yield from self._finish(reply)

    def _answer_as_admin(
        self, asked: JsonObject, given: Answer, client_metadata: Mapping[str, str] | None
    ) -> Flow[JsonObject]:
        """Answer the challenge that ``admin_authenticate`` got, and return the next reply.

        Its Session is accepted by the administrator's operation only, and only once.
        """
        context = self._login_context(client_metadata, asked)
        context.admin = True
        challenge = cast(Challenge, challenge_of(context, asked))
        reply = yield from answer_challenge(context, challenge, given)
        self._login = challenged(self._login, reply)
        return reply

    def _finish(self, reply: JsonObject) -> Flow[None]:
        try:
            raise_challenge(reply)
        except MFAChallengeException as challenge:
            self.mfa_tokens = challenge.get_tokens()
            raise
        if reply.get("ChallengeName") is not None:
            context = self._login_context(challenge=reply)
            context.admin = self._admin_challenge is not None
            raise unsupported(cast(Challenge, challenge_of(context, reply)))
        yield from self._finish_login(reply)


class LoginMethods(SharedLogin, TokenMethods):
    """Log in, and answer the challenges of the service."""

    @sync_method
    def authenticate(self, password: str, client_metadata: dict[str, str] | None = None) -> Flow[None]:
        """Log in with USER_SRP_AUTH, verify the tokens and set them. The password itself is never sent.

        If there is a remembered ``device``, its challenge is answered too. If the service no longer knows the device,
        the device is dropped and the login goes on without it.

        Args:
            password: the user's password.
            client_metadata: passed to the pool's Lambda triggers.

        Raises:
            ForceChangePasswordException: the user must choose a new password: call :meth:`new_password_challenge`.
            SoftwareTokenMFAChallengeException: the service wants a code of the user's authenticator app: call
                :meth:`respond_to_software_token_mfa_challenge`.
            SMSMFAChallengeException: the service has sent a code by SMS: call :meth:`respond_to_sms_mfa_challenge`.
            UnsupportedChallenge: the service sent another challenge, for example EMAIL_OTP. Continue with
                ``resume_sign_in(error.to_json())``.
            ServiceError: the service refused the login, for example because the password is wrong.
            TokenVerificationException: the new tokens failed verification; the old tokens are kept.
            ConfigurationError: the username or the password is missing or cannot be encoded; nothing was sent.
            TransportError: the service did not answer.
            UnexpectedChallenge: the service sent a challenge that must not follow; nothing more was sent.
            UnsafeServerValue: the service sent an unsafe or malformed value; it was not used.
            StoreError: the store cannot be read, written or locked.
        """
        yield from self._validate_with_botocore()
        yield from self._prepare_login()
        reply = yield from self._log_in(password, client_metadata)
        yield from self._finish(reply)

    @sync_method
    def new_password_challenge(
        self,
        password: str,
        new_password: str,
        required_attributes: Mapping[str, str | float | bool] | None = None,
        *,
        client_metadata: dict[str, str] | None = None,
    ) -> Flow[None]:
        """Log in with *password*, answer NEW_PASSWORD_REQUIRED with *new_password*, and set the tokens.

        Args:
            password: the temporary password.
            new_password: the password that the user has chosen.
            required_attributes: a value for each name in ``ForceChangePasswordException.required_attributes``. The
                names may have the prefix ``userAttributes.``.
            client_metadata: passed to the pool's Lambda triggers, with the login and with the answer.

        Raises:
            ConfigurationError: a required attribute is missing, or a string cannot be encoded.
            MFAChallengeException: the service wants a code as well. The password has been changed.
            UnsupportedChallenge: the service sent another challenge, as in :meth:`authenticate`. The password has been
                changed.
            ServiceError: the service refused the login or the new password.
            TransportError: the service did not answer.
            UnexpectedChallenge: the service sent a challenge that must not follow; nothing more was sent.
            UnsafeServerValue: the service sent an unsafe or malformed value; it was not used.
            TokenVerificationException: the new tokens failed verification; the old tokens are kept.
            StoreError: the store cannot be read, written or locked.
        """
        yield from self._validate_with_botocore()
        admin = self._admin_challenge
        if admin is not None and admin.reply.get("ChallengeName") == "NEW_PASSWORD_REQUIRED":
            yield from self._prepare_login(answering=True)
            given = Answer(new_password=new_password, attributes=required_attributes)
            reply = yield from self._answer_as_admin(admin.reply, given, client_metadata)
        else:
            yield from self._prepare_login()
            reply = yield from self._log_in_with_new_password(
                password, new_password, required_attributes, client_metadata
            )
        yield from self._finish(reply)

    @sync_method
    def respond_to_software_token_mfa_challenge(
        self,
        code: str | int,
        mfa_tokens: JsonObject | None = None,
        *,
        client_metadata: Mapping[str, str] | None = None,
    ) -> Flow[None]:
        """Answer SOFTWARE_TOKEN_MFA with the *code* that the authenticator app shows, and set the tokens.

        Args:
            code: the six digits, as a string or an integer.
            mfa_tokens: ``get_tokens()`` of the exception, if another object raised it.
            client_metadata: passed to the pool's Lambda triggers.

        Raises:
            ConfigurationError: no challenge was received, it is for another factor, or the code is empty; nothing was
                sent.
            ServiceError: the service refused the answer, for example because the code is wrong.
            ForceChangePasswordException, MFAChallengeException: the service sent another challenge.
            TransportError: the service did not answer.
            UnexpectedChallenge: the service sent a challenge that must not follow; nothing more was sent.
            UnsafeServerValue: the service sent an unsafe or malformed value; it was not used.
            UnsupportedChallenge: the service sent a challenge that only :meth:`sign_in` can answer.
            TokenVerificationException: the new tokens failed verification; the old tokens are kept.
            StoreError: the store cannot be read, written or locked.
        """
        yield from self._answer_code("SOFTWARE_TOKEN_MFA", code, mfa_tokens, client_metadata)

    @sync_method
    def respond_to_sms_mfa_challenge(
        self,
        code: str | int,
        mfa_tokens: JsonObject | None = None,
        *,
        client_metadata: Mapping[str, str] | None = None,
    ) -> Flow[None]:
        """Answer SMS_MFA with the *code* that the user received, and set the tokens.

        Args:
            code: the code, as a string or an integer.
            mfa_tokens: ``get_tokens()`` of the exception, if another object raised it.
            client_metadata: passed to the pool's Lambda triggers.

        Raises:
            ConfigurationError: no challenge was received, it is for another factor, or the code is empty; nothing was
                sent.
            ServiceError: the service refused the answer, for example because the code is wrong.
            ForceChangePasswordException, MFAChallengeException: the service sent another challenge.
            TransportError: the service did not answer.
            UnexpectedChallenge: the service sent a challenge that must not follow; nothing more was sent.
            UnsafeServerValue: the service sent an unsafe or malformed value; it was not used.
            UnsupportedChallenge: the service sent a challenge that only :meth:`sign_in` can answer.
            TokenVerificationException: the new tokens failed verification; the old tokens are kept.
            StoreError: the store cannot be read, written or locked.
        """
        yield from self._answer_code("SMS_MFA", code, mfa_tokens, client_metadata)

    @sync_method
    def admin_authenticate(
        self,
        password: str,
        client_metadata: dict[str, str] | None = None,
        *,
        auth_flow: str = "ADMIN_NO_SRP_AUTH",
    ) -> Flow[None]:
        """Log the user in as an administrator, and set the tokens. This needs AWS credentials.

        Args:
            password: the user's password.
            client_metadata: passed to the pool's Lambda triggers.
            auth_flow: ADMIN_NO_SRP_AUTH, or ADMIN_USER_PASSWORD_AUTH, its newer name: the password itself is sent to
                the service. USER_SRP_AUTH: the password is proved by SRP and never sent.

        Raises:
            ForceChangePasswordException, MFAChallengeException: the service sent a challenge, as in
                :meth:`authenticate`.
            ServiceError: the service refused the login, for example because the password is wrong.
            ConfigurationError: the username or the password is missing or cannot be encoded; nothing was sent.
            TransportError: the service did not answer.
            UnexpectedChallenge: the service sent a challenge that must not follow; nothing more was sent.
            UnsafeServerValue: the service sent an unsafe or malformed value; it was not used.
            UnsupportedChallenge: the service sent a challenge that only :meth:`sign_in` can answer.
            TokenVerificationException: the new tokens failed verification; the old tokens are kept.
            StoreError: the store cannot be read, written or locked.
        """
        yield from self._validate_with_botocore()
        yield from self._prepare_login()
        context = self._login_context(client_metadata)
        context.admin, context.canonical = True, None
        reply = yield from self._run_login_step(context, start_login(context, auth_flow, password))
        self._login = challenged(named(self._login, context.canonical), reply)
        yield from self._finish(reply)


def _require_factor(tokens: Mapping[str, Any], name: str) -> None:
    """Refuse *tokens* of another challenge than *name*. Sending them would use up the Session."""
    other = tokens.get("ChallengeName")
    if other not in (None, name):
        method = _METHODS.get(str(other), "answer_challenge()")
        raise ConfigurationError(
            f"the tokens belong to the challenge {other}, not to {name}: answer with {method}. "
            "Nothing was sent, so the Session can still be used"
        )


_METHODS = {
    "SMS_MFA": "respond_to_sms_mfa_challenge()",
    "SOFTWARE_TOKEN_MFA": "respond_to_software_token_mfa_challenge()",
    "NEW_PASSWORD_REQUIRED": "new_password_challenge()",
}


def _digits(code: str | int | None) -> str:
    # An integer has lost its leading zeros. The codes of both factors have six digits.
    return f"{code:06d}" if isinstance(code, int) else code or ""
