"""Log in as pycognito does: by password over SRP, with a new password, with a code; challenges are exceptions."""

from __future__ import annotations

from typing import cast

from ..aws_srp import AWSSRP
from ..exceptions.base import ConfigurationError
from ..exceptions.challenges import MFAChallengeException
from ..flows import ask
from ..flows.challenges import Answer, Challenge, challenge_of, raise_challenge
from ..flows.sign_in import answer, begin
from ..wire import Document, Flow
from .keeping import KeepingState
from .tokens import AsyncTokenMethods, TokenMethods
from .twins import awaited, blocking

__all__ = ["AsyncLogInMethods", "LogInMethods"]


class LogInState(KeepingState):
    """What both facades do at log-in between two requests."""

    def _make_srp(self, password: str, client: object) -> AWSSRP:
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
            client=client,
            client_secret=self.client_secret,
            clock=self._clock,
            random_bits=self._random_bits,
            **remembered,
        )

    def _learn_from(self, srp: AWSSRP) -> None:
        self._canonical_username = srp.canonical_username or self._canonical_username
        if srp.device_key is None:
            self._forget_stale_device(None)

    def _log_in(self, password: str, client_metadata: dict[str, str] | None) -> Flow[Document]:
        raise NotImplementedError

    def _log_in_anew(self, password: str, new_password: str, attributes: dict[str, str] | None) -> Flow[Document]:
        raise NotImplementedError

    def _let_botocore_refuse(self) -> Flow[None]:
        """Have botocore refuse what is missing, with its own ParamValidationError, where it is the transport."""
        if self._botocore_refuses and (self.username is None or self.client_id is None):  # pyright: ignore[reportUnnecessaryComparison]
            parameters = {"USERNAME": self.username, "SRP_A": ""}
            yield from ask(
                "InitiateAuth",
                {"AuthFlow": "USER_SRP_AUTH", "AuthParameters": parameters, "ClientId": self.client_id},
            )

    def _answer_code(self, name: str, code: str | int, mfa_tokens: Document | None) -> Flow[None]:
        tokens = mfa_tokens or self.mfa_tokens
        if not tokens or not tokens.get("Session"):
            raise ConfigurationError("there is no challenge to answer: log in first, or give mfa_tokens")
        self._begin_log_in()
        conversation = self._conversation(challenge=tokens)
        # The administrator's Session is answered by the administrator's operation.
        conversation.admin = tokens["Session"] == self._admin_session
        challenge = cast(Challenge, challenge_of(conversation, {**tokens, "ChallengeName": name}))
        try:
            reply = yield from answer(conversation, challenge, Answer(code=_digits(code)))
        finally:
            self._forget_stale_device(conversation.device)
        self._admin_session = reply.get("Session") if conversation.admin else None
        yield from self._finish(reply)

    def _answer_as_admin(self, asked: Document, new_password: str, attributes: dict[str, str] | None) -> Flow[Document]:
        """Answer what admin_authenticate was asked: its Session is the administrator's to answer, and good once."""
        conversation = self._conversation(challenge=asked)
        conversation.admin = True
        challenge = cast(Challenge, challenge_of(conversation, asked))
        reply = yield from answer(conversation, challenge, Answer(new_password=new_password, attributes=attributes))
        self._admin_reply, self._admin_session = None, reply.get("Session")
        return reply

    def _finish(self, reply: Document) -> Flow[None]:
        try:
            raise_challenge(reply)
        except MFAChallengeException as challenge:
            self.mfa_tokens = challenge.get_tokens()
            raise
        yield from self._through("_set_tokens", reply)


class LogInMethods(LogInState, TokenMethods):
    """Log in, and answer what the service asks on the way."""

    @blocking
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
        self._begin_log_in()
        reply = yield from self._log_in(password, client_metadata)
        yield from self._finish(reply)

    @blocking
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
        self._begin_log_in()
        if self._admin_reply is None:
            reply = yield from self._log_in_anew(password, new_password, required_attributes)
        else:
            reply = yield from self._answer_as_admin(self._admin_reply, new_password, required_attributes)
        yield from self._finish(reply)

    @blocking
    def respond_to_software_token_mfa_challenge(
        self, code: str | int, mfa_tokens: Document | None = None
    ) -> Flow[None]:
        """Answer SOFTWARE_TOKEN_MFA with the authenticator app's *code*, and set the tokens.

        *mfa_tokens* is ``get_tokens()`` of the exception, if another object caught it.

        Raises:
            ConfigurationError: there is no challenge to answer, or the code is empty; nothing was sent.
            ServiceError: the service refused, a wrong code for one.
        """
        yield from self._answer_code("SOFTWARE_TOKEN_MFA", code, mfa_tokens)

    @blocking
    def respond_to_sms_mfa_challenge(self, code: str | int, mfa_tokens: Document | None = None) -> Flow[None]:
        """Answer SMS_MFA with the *code* that the user got, and set the tokens.

        *mfa_tokens* is ``get_tokens()`` of the exception, if another object caught it.

        Raises:
            ConfigurationError: there is no challenge to answer, or the code is empty; nothing was sent.
            ServiceError: the service refused, a wrong code for one.
        """
        yield from self._answer_code("SMS_MFA", code, mfa_tokens)

    @blocking
    def admin_authenticate(self, password: str, client_metadata: dict[str, str] | None = None) -> Flow[None]:
        """Log in with AWS credentials and the password, which is sent (ADMIN_NO_SRP_AUTH), and set the tokens.

        Raises:
            ForceChangePasswordException, MFAChallengeException: the service asks for more, as in :meth:`authenticate`.
            ServiceError: the service refused, a wrong password for one.
            ConfigurationError: the name or the password cannot be used; nothing was sent.
        """
        yield from self._let_botocore_refuse()
        self._begin_log_in()
        conversation = self._conversation(client_metadata)
        conversation.admin, conversation.canonical = True, None
        try:
            reply = yield from begin(conversation, "ADMIN_NO_SRP_AUTH", password)
        finally:
            self._forget_stale_device(conversation.device)
        self._canonical_username = conversation.canonical or self._canonical_username
        self._admin_session = reply.get("Session")
        self._admin_reply = reply if reply.get("ChallengeName") == "NEW_PASSWORD_REQUIRED" else None
        yield from self._finish(reply)

    # pycognito's programs patch and override AWSSRP's own methods: the synchronous facade goes through them.

    def _log_in(self, password: str, client_metadata: dict[str, str] | None) -> Flow[Document]:
        yield from ()
        srp = self._make_srp(password, self.client)
        try:
            return srp.authenticate_user(client_metadata=client_metadata)
        except MFAChallengeException as challenge:
            self.mfa_tokens = challenge.get_tokens()
            raise
        finally:
            self._learn_from(srp)

    def _log_in_anew(self, password: str, new_password: str, attributes: dict[str, str] | None) -> Flow[Document]:
        yield from ()
        srp = self._make_srp(password, self.client)
        try:
            # With one argument where there are no attributes: pycognito's signature, which people autospec.
            more = {"required_attributes": attributes} if attributes else {}
            return srp.set_new_password_challenge(new_password, **more)
        finally:
            self._learn_from(srp)


class AsyncLogInMethods(LogInState, AsyncTokenMethods):
    """Log in, and answer what the service asks on the way, on an event loop."""

    authenticate = awaited(LogInMethods.authenticate)
    new_password_challenge = awaited(LogInMethods.new_password_challenge)
    respond_to_software_token_mfa_challenge = awaited(LogInMethods.respond_to_software_token_mfa_challenge)
    respond_to_sms_mfa_challenge = awaited(LogInMethods.respond_to_sms_mfa_challenge)
    admin_authenticate = awaited(LogInMethods.admin_authenticate)

    def _log_in(self, password: str, client_metadata: dict[str, str] | None) -> Flow[Document]:
        srp = self._make_srp(password, self._transport)
        try:
            return (yield from srp.log_in(client_metadata))
        finally:
            self._learn_from(srp)

    def _log_in_anew(self, password: str, new_password: str, attributes: dict[str, str] | None) -> Flow[Document]:
        srp = self._make_srp(password, self._transport)
        try:
            return (yield from srp.log_in_with_new_password(new_password, attributes))
        finally:
            self._learn_from(srp)


def _digits(code: str | int | None) -> str:
    # A number has lost its leading zeros: the codes of both factors have six digits.
    return f"{code:06d}" if isinstance(code, int) else code or ""
