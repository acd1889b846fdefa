"""Log in step by step: challenges are values, which another process can answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..exceptions.base import ConfigurationError
from ..flows.challenges import Answer, Challenge, challenge_of
from ..flows.conversation import Conversation
from ..flows.sign_in import answer, begin, set_up_totp
from ..wire import Document, Flow
from .keeping import KeepingState
from .tokens import AsyncTokenMethods, TokenMethods
from .twins import awaited, blocking

__all__ = ["AsyncSignInMethods", "SignIn", "SignInMethods"]


class SignIn:
    """A log-in under way: ``challenge`` is what the service asks, None when it is ``done`` and the tokens are set.

    With an AsyncCognito, :meth:`answer` and :meth:`set_up_totp` return what is to be awaited.
    """

    def __init__(self, cognito: Any, challenge: Challenge | None) -> None:
        self._cognito = cognito
        self.challenge = challenge

    def __repr__(self) -> str:
        return f"<SignIn: {'done' if self.challenge is None else self.challenge.name}>"

    @property
    def done(self) -> bool:
        """Whether the user is logged in."""
        return self.challenge is None

    @property
    def needs(self) -> str | None:
        """What to give :meth:`answer`: see ``Challenge.needs``; None when done."""
        return None if self.challenge is None else self.challenge.needs

    def answer(
        self,
        *,
        code: str | None = None,
        new_password: str | None = None,
        attributes: Mapping[str, str] | None = None,
        choice: str | None = None,
        password: str | None = None,
        answer: str | None = None,
        credential: str | Mapping[str, Any] | None = None,
        client_metadata: Mapping[str, str] | None = None,
        user_context: Mapping[str, Any] | None = None,
    ) -> Any:
        """Give what the challenge needs, and return the next :class:`SignIn`.

        Raises:
            ConfigurationError: nothing is asked, or something else; nothing was sent.
            ServiceError: the service refused.
        """
        given = Answer(code, new_password, attributes, choice, password, answer, credential)
        return self._cognito.answer_challenge(
            self._asked(), given, client_metadata=client_metadata, user_context=user_context
        )

    def set_up_totp(self) -> Any:
        """Begin MFA_SETUP with an authenticator app: return its secret, and the :class:`SignIn` to answer by a code.

        Raises:
            ConfigurationError: that is not what is asked; nothing was sent.
            ServiceError: the service refused.
        """
        return self._cognito.set_up_totp(self._asked())

    def to_json(self) -> str:
        """Return the challenge as JSON, for ``resume_sign_in`` in another process. The Session in it is a secret.

        Raises:
            ConfigurationError: nothing is asked.
        """
        return self._asked().to_json()

    def _asked(self) -> Challenge:
        if self.challenge is None:
            raise ConfigurationError("the user is logged in: there is nothing to answer")
        return self.challenge


class SignInState(KeepingState):
    """What both facades do with a log-in between two requests."""

    def resume_sign_in(self, text: str) -> SignIn:
        """Return the log-in that ``SignIn.to_json()`` wrote, in whatever process, to be answered by this object.

        Raises:
            ConfigurationError: *text* is not of its making, or is another user's log-in.
        """
        challenge = Challenge.from_json(text)
        if self.username not in (None, challenge.username):
            raise ConfigurationError("this is another user's log-in: resume it on an object of that user, or of none")
        self.username = challenge.username
        return SignIn(self, challenge)

    def _resumed(self, challenge: Challenge, client_metadata: Mapping[str, str] | None) -> Conversation:
        conversation = self._conversation(client_metadata)
        conversation.username, conversation.admin = challenge.username, challenge.admin
        conversation.canonical = challenge.canonical
        return conversation

    def _next_step(self, conversation: Conversation, reply: Document) -> Flow[SignIn]:
        self._canonical_username = conversation.canonical or self._canonical_username
        challenge = challenge_of(conversation, reply)
        if challenge is None:
            yield from self._through("_set_tokens", reply)
        return SignIn(self, challenge)


class SignInMethods(SignInState, TokenMethods):
    """Begin a log-in by any flow, and answer any challenge."""

    @blocking
    def sign_in(
        self,
        password: str | None = None,
        *,
        auth_flow: str = "USER_SRP_AUTH",
        preferred: str | None = None,
        client_metadata: Mapping[str, str] | None = None,
        user_context: Mapping[str, Any] | None = None,
    ) -> Flow[SignIn]:
        """Begin to log in, and return the log-in: done, or with the challenge that it needs answered.

        *auth_flow* is USER_SRP_AUTH, USER_PASSWORD_AUTH, CUSTOM_AUTH (with a password by SRP, else without),
        USER_AUTH (with a *preferred* first challenge, if any), or ADMIN_USER_PASSWORD_AUTH with AWS credentials.
        *user_context* is UserContextData (ContextData for the administrator's flows).

        Raises:
            ConfigurationError: the flow needs a password, or a text cannot be used; nothing was sent.
            ServiceError: the service refused, a wrong password for one.
            TokenVerificationException: the tokens are not accepted.
        """
        self._begin_log_in()
        conversation = self._conversation(client_metadata)
        # Whoever was logged in before: the name as typed begins.
        conversation.canonical = None
        conversation.admin, conversation.user_context = str(auth_flow).startswith("ADMIN_"), user_context
        try:
            reply = yield from begin(conversation, auth_flow, password, preferred=preferred)
        finally:
            self._forget_stale_device(conversation.device)
        return (yield from self._next_step(conversation, reply))

    @blocking
    def answer_challenge(
        self,
        challenge: Challenge,
        given: Answer,
        *,
        client_metadata: Mapping[str, str] | None = None,
        user_context: Mapping[str, Any] | None = None,
    ) -> Flow[SignIn]:
        """Answer *challenge* with what was *given*, and return the log-in: done, or with the next challenge.

        ``SignIn.answer`` is the short form.

        Raises:
            ConfigurationError: what the challenge needs was not given, or cannot be used; nothing was sent.
            ServiceError: the service refused.
            TokenVerificationException: the tokens are not accepted.
        """
        conversation = self._resumed(challenge, client_metadata)
        conversation.user_context = user_context
        self._begin_log_in()
        try:
            reply = yield from answer(conversation, challenge, given)
        finally:
            self._forget_stale_device(conversation.device)
        return (yield from self._next_step(conversation, reply))

    @blocking
    def set_up_totp(self, challenge: Challenge) -> Flow[tuple[str, SignIn]]:
        """Begin MFA_SETUP with an authenticator app: return its secret (base32), and the log-in to answer with a code.

        Raises:
            ConfigurationError: the challenge is another; nothing was sent.
            ServiceError: the service refused.
        """
        secret, following = yield from set_up_totp(challenge)
        return secret, SignIn(self, following)


class AsyncSignInMethods(SignInState, AsyncTokenMethods):
    """Begin a log-in by any flow, and answer any challenge, on an event loop."""

    sign_in = awaited(SignInMethods.sign_in)
    answer_challenge = awaited(SignInMethods.answer_challenge)
    set_up_totp = awaited(SignInMethods.set_up_totp)
