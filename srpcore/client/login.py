"""Log in as pycognito does: by password over SRP, with a new password, with a code; challenges are exceptions."""

from __future__ import annotations

from collections.abc import Callable
from types import MethodType
from typing import cast

from ..aws_srp import AWSSRP
from ..exceptions.base import ConfigurationError
from ..exceptions.challenges import MFAChallengeException
from ..flows import ask
from ..flows.challenge import Answer, Challenge, challenge_of, raise_challenge
from ..flows.login import answer, begin
from ..protocol import CallMethod, Flow, JsonObject
from .login_state import AdminChallenge, LoggingIn, challenged, named, settled
from .persistence import PersistenceState
from .sync_async import async_method, sync_method, through
from .tokens import AsyncTokenMethods, TokenMethods

__all__ = ["AsyncLoginMethods", "LoginMethods"]

# AWSSRP's own methods, to tell them from those that a program has put in their place.
_AUTHENTICATE_USER = AWSSRP.authenticate_user
_SET_NEW_PASSWORD_CHALLENGE = AWSSRP.set_new_password_challenge


class LoginSteps(PersistenceState):
    """What both classes do at a login between two requests."""

    def _make_srp(self, password: str) -> AWSSRP:
        remembered: dict[str, str] = {}
        if self.device is not None:
            remembered = {
                "device_key": self.device.key,
                "device_group_key": self.device.group_key,
                "device_password": self.device.password,
            }
        return AWSSRP(
            username=self.username,
            password=password,
            pool_id=self.user_pool_id,
            client_id=self.client_id,
            client=self.client,
            client_secret=self.client_secret,
            clock=self._clock,
            random_bits=self._random_bits,
            **remembered,
        )

    def _by_srp(
        self, srp: AWSSRP, flow: Flow[JsonObject], theirs: MethodType, ours: object, call: Callable[[], JsonObject]
    ) -> Flow[JsonObject]:
        """Go on with AWSSRP's *flow*; if its method is not *ours*, have the driver *call* the program's instead."""
        replaced = getattr(theirs, "__func__", None) is not ours
        try:
            reply: JsonObject = (yield CallMethod(call)) if replaced else (yield from flow)
        except MFAChallengeException as challenge:
            self.mfa_tokens = challenge.get_tokens()
            yield from self._learn_from(srp)
            raise
        except Exception:
            yield from self._learn_from(srp)
            self._login = settled(self._login)
            raise
        yield from self._learn_from(srp)
        return reply

    def _learn_from(self, srp: AWSSRP) -> Flow[None]:
        self._login = named(self._login, srp.canonical_username)
        if srp.device_key is None:
            yield from self._drop_stale_device(None)

    def _log_in(self, password: str, client_metadata: dict[str, str] | None) -> Flow[JsonObject]:
        srp = self._make_srp(password)
        return (
            yield from self._by_srp(
                srp,
                srp.log_in(client_metadata),
                cast(MethodType, srp.authenticate_user),
                _AUTHENTICATE_USER,
                lambda: srp.authenticate_user(client_metadata=client_metadata),
            )
        )

    def _log_in_with_new_password(
        self, password: str, new_password: str, attributes: dict[str, str] | None
    ) -> Flow[JsonObject]:
        srp = self._make_srp(password)
        # With one argument if there are no attributes: pycognito's signature, which people autospec.
        more = {"required_attributes": attributes} if attributes else {}
        return (
            yield from self._by_srp(
                srp,
                srp.log_in_with_new_password(new_password, attributes),
                cast(MethodType, srp.set_new_password_challenge),
                _SET_NEW_PASSWORD_CHALLENGE,
                lambda: srp.set_new_password_challenge(new_password, **more),
            )
        )

    def _let_botocore_refuse(self) -> Flow[None]:
        """Have botocore refuse what is missing, with its own ParamValidationError, if it is the transport."""
        if self._botocore_refuses and (self.username is None or self.client_id is None):  # pyright: ignore[reportUnnecessaryComparison]
            parameters = {"USERNAME": self.username, "SRP_A": ""}
            yield from ask(
                "InitiateAuth",
                {"AuthFlow": "USER_SRP_AUTH", "AuthParameters": parameters, "ClientId": self.client_id},
            )

    @property
    def _admin_challenge(self) -> AdminChallenge | None:
        return self._login.admin if isinstance(self._login, LoggingIn) else None

    def _answer_code(self, name: str, code: str | int, mfa_tokens: JsonObject | None) -> Flow[None]:
        tokens = mfa_tokens or self.mfa_tokens
        if not tokens or not tokens.get("Session"):
            raise ConfigurationError("there is no challenge to answer: log in first, or give mfa_tokens")
        yield from self._begin_login(answering=True)
        context = self._login_context(challenge=tokens)
        # The Session of an administrator's login is answered by the administrator's operation.
        admin = self._admin_challenge
        context.admin = admin is not None and tokens["Session"] == admin.session
        challenge = cast(Challenge, challenge_of(context, {**tokens, "ChallengeName": name}))
        reply = yield from self._without_stale_device(
            context, answer(context, challenge, Answer(code=_digits(code))), first=False
        )
        self._login = challenged(self._login, AdminChallenge(reply) if context.admin else None)
        yield from self._finish(reply)

    def _answer_as_admin(
        self, asked: JsonObject, new_password: str, attributes: dict[str, str] | None
    ) -> Flow[JsonObject]:
        """Answer the challenge to admin_authenticate: only the administrator can answer its Session, and once only."""
        context = self._login_context(challenge=asked)
        context.admin = True
        challenge = cast(Challenge, challenge_of(context, asked))
        reply = yield from answer(context, challenge, Answer(new_password=new_password, attributes=attributes))
        self._login = challenged(self._login, AdminChallenge(reply))
        return reply

    def _finish(self, reply: JsonObject) -> Flow[None]:
        try:
            raise_challenge(reply)
        except MFAChallengeException as challenge:
            self.mfa_tokens = challenge.get_tokens()
            raise
        yield from through(self, "_set_tokens", reply)


class LoginMethods(LoginSteps, TokenMethods):
    """Log in, and answer what the service asks on the way."""

    @sync_method
    def authenticate(self, password: str, client_metadata: dict[str, str] | None = None) -> Flow[None]:
        """Log in by SRP, verify the tokens and set them. The password itself is never sent.

        A remembered ``device`` is proven on the way, and dropped if the service no longer knows it.

        Raises:
            ForceChangePasswordException: the user must choose a new password: :meth:`new_password_challenge`.
            SoftwareTokenMFAChallengeException: answer with :meth:`respond_to_software_token_mfa_challenge`.
            SMSMFAChallengeException: answer with :meth:`respond_to_sms_mfa_challenge`.
            ServiceError: the service refused, a wrong password for one.
            TokenVerificationException: the tokens are not accepted.
            ConfigurationError: the name or the password cannot be used; nothing was sent.
        """
        yield from self._let_botocore_refuse()
        yield from self._begin_login()
        reply = yield from self._log_in(password, client_metadata)
        yield from self._finish(reply)

    @sync_method
    def new_password_challenge(
        self, password: str, new_password: str, required_attributes: dict[str, str] | None = None
    ) -> Flow[None]:
        """Log in with *password*, choose *new_password* as the service demands, and set the tokens.

        *required_attributes* are those that ``ForceChangePasswordException.required_attributes`` names.

        Raises:
            ConfigurationError: a required attribute is missing, or a text cannot be used.
            MFAChallengeException: the service wants a code as well.
            ServiceError: the service refused.
        """
        yield from self._let_botocore_refuse()
        admin = self._admin_challenge
        if admin is not None and admin.reply.get("ChallengeName") == "NEW_PASSWORD_REQUIRED":
            yield from self._begin_login(answering=True)
            reply = yield from self._answer_as_admin(admin.reply, new_password, required_attributes)
        else:
            yield from self._begin_login()
            reply = yield from self._log_in_with_new_password(password, new_password, required_attributes)
        yield from self._finish(reply)

    @sync_method
    def respond_to_software_token_mfa_challenge(
        self, code: str | int, mfa_tokens: JsonObject | None = None
    ) -> Flow[None]:
        """Answer SOFTWARE_TOKEN_MFA with the authenticator app's *code*, and set the tokens.

        *mfa_tokens* is ``get_tokens()`` of the exception, if another object caught it.

        Raises:
            ConfigurationError: there is no challenge to answer, or the code is empty; nothing was sent.
            ServiceError: the service refused, a wrong code for one.
        """
        yield from self._answer_code("SOFTWARE_TOKEN_MFA", code, mfa_tokens)

    @sync_method
    def respond_to_sms_mfa_challenge(self, code: str | int, mfa_tokens: JsonObject | None = None) -> Flow[None]:
        """Answer SMS_MFA with the *code* that the user got, and set the tokens.

        *mfa_tokens* is ``get_tokens()`` of the exception, if another object caught it.

        Raises:
            ConfigurationError: there is no challenge to answer, or the code is empty; nothing was sent.
            ServiceError: the service refused, a wrong code for one.
        """
        yield from self._answer_code("SMS_MFA", code, mfa_tokens)

    @sync_method
    def admin_authenticate(self, password: str, client_metadata: dict[str, str] | None = None) -> Flow[None]:
        """Log in with AWS credentials and the password, which is sent (ADMIN_NO_SRP_AUTH), and set the tokens.

        Raises:
            ForceChangePasswordException, MFAChallengeException: the service asks for more, as in :meth:`authenticate`.
            ServiceError: the service refused, a wrong password for one.
            ConfigurationError: the name or the password cannot be used; nothing was sent.
        """
        yield from self._let_botocore_refuse()
        yield from self._begin_login()
        context = self._login_context(client_metadata)
        context.admin, context.canonical = True, None
        reply = yield from self._without_stale_device(context, begin(context, "ADMIN_NO_SRP_AUTH", password))
        self._login = challenged(named(self._login, context.canonical), AdminChallenge(reply))
        yield from self._finish(reply)


class AsyncLoginMethods(LoginSteps, AsyncTokenMethods):
    """Log in, and answer what the service asks on the way, on an event loop."""

    authenticate = async_method(LoginMethods.authenticate)
    new_password_challenge = async_method(LoginMethods.new_password_challenge)
    respond_to_software_token_mfa_challenge = async_method(LoginMethods.respond_to_software_token_mfa_challenge)
    respond_to_sms_mfa_challenge = async_method(LoginMethods.respond_to_sms_mfa_challenge)
    admin_authenticate = async_method(LoginMethods.admin_authenticate)


def _digits(code: str | int | None) -> str:
    # A number has lost its leading zeros: the codes of both factors have six digits.
    return f"{code:06d}" if isinstance(code, int) else code or ""
