"""Log in step by step: each challenge is a value that the program, or another process, answers.

::

    step = user.sign_in(password)              AsyncCognito: step = await user.sign_in(password)
    while not step.done:
        step = step.answer(code=...)                         step = await step.answer(code=...)

``step.needs`` names the argument to give (see ``Challenge``). Another object or process can go on with
``step.to_json()``.
"""

from __future__ import annotations

from collections.abc import Mapping

from .._pickling import NotPickled
from ..exceptions.base import ConfigurationError
from ..flows.challenge import Answer, Challenge, challenge_of
from ..flows.login import answer_challenge, set_up_totp, start_login
from ..flows.login_context import LoginContext
from ..protocol import Flow, JsonObject
from .login_state import named
from .persistence import SharedPersistence
from .sync_async import by_hand
from .tokens import TokenMethods

__all__ = ["SignIn", "SignInMethods"]


class Step(NotPickled):
    """A login under way. ``challenge`` is the service's challenge, or None if the login is done and tokens are set."""

    _instead_of_pickling = "use to_json(), and resume_sign_in() on another object"

    def __init__(self, challenge: Challenge | None) -> None:
        self.challenge = challenge

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {'done' if self.challenge is None else self.challenge.name}>"

    @property
    def done(self) -> bool:
        """Whether the user is logged in."""
        return self.challenge is None

    @property
    def needs(self) -> str | None:
        """The argument that ``answer`` needs: see ``Challenge.needs``. None if the login is done."""
        return None if self.challenge is None else self.challenge.needs

    @property
    def choices(self) -> tuple[str, ...]:
        """The names to choose from, if ``needs`` is ``choice`` or ``set_up``, else an empty tuple.

        Raises:
            UnsafeServerValue: the service's list is not a JSON list.
        """
        return () if self.challenge is None else self.challenge.choices

    @property
    def destination(self) -> str | None:
        """The phone number or e-mail address that a code was sent to; the service shows only a part of it."""
        return None if self.challenge is None else self.challenge.destination

    @property
    def required_attributes(self) -> tuple[str, ...]:
        """The attributes that must be given together with the new password, if ``needs`` is ``new_password``."""
        return () if self.challenge is None else self.challenge.required_attributes

    def to_json(self) -> str:
        """Return the challenge as JSON, for ``resume_sign_in`` in another process. The Session in it is a secret.

        Raises:
            ConfigurationError: the login is done, so it has no challenge.
        """
        return self._require_challenge().to_json()

    def _require_challenge(self) -> Challenge:
        if self.challenge is None:
            raise ConfigurationError("the login is done: there is nothing to answer")
        return self.challenge


class SignIn(Step):
    """A login under way. See :meth:`Cognito.sign_in`."""

    def __init__(self, cognito: SignInMethods, challenge: Challenge | None) -> None:
        super().__init__(challenge)
        self._cognito = cognito

    def answer(
        self,
        *,
        code: str | None = None,
        new_password: str | None = None,
        attributes: Mapping[str, str | float | bool] | None = None,
        choice: str | None = None,
        password: str | None = None,
        answer: str | None = None,
        credential: str | Mapping[str, object] | None = None,
        client_metadata: Mapping[str, str] | None = None,
        user_context: Mapping[str, object] | None = None,
    ) -> SignIn:
        """Answer the challenge with what it needs, and return the next step.

        Args:
            code: the code of an MFA or one-time-password challenge.
            new_password: the password that the user has chosen.
            attributes: the attributes that the pool requires with a new password, by name, with or without the prefix
                ``userAttributes.``; or ``email`` for MFA_SETUP. Numbers and booleans are sent as the service's strings.
            choice: one of ``Challenge.choices``.
            password: the password, if the challenge or the choice needs it. It is proved by SRP, except if ``needs``
                is ``clear_password`` or if *choice* is PASSWORD: then the password itself is sent.
            answer: the answer to a custom challenge.
            credential: the browser's passkey assertion, as JSON or as a dictionary.
            client_metadata: passed to the pool's Lambda triggers.
            user_context: UserContextData (ContextData in the administrator's flows).

        Raises:
            ConfigurationError: the login is done, or the challenge needs another argument; nothing was sent.
            UnsupportedChallenge: the challenge cannot be answered, for example because it needs a device that this
                object does not have; nothing was sent.
            ServiceError: the service refused the answer.
            UnexpectedChallenge: the service sent a challenge that must not follow; nothing more was sent.
            TransportError: the service did not answer.
            UnsafeServerValue: the service sent an unsafe or malformed value; it was not used.
            TokenVerificationException: the new tokens failed verification; the old tokens are kept.
            StoreError: the store cannot be read, written or locked.
        """
        given = Answer(code, new_password, attributes, choice, password, answer, credential)
        return self._cognito.answer_challenge(
            self._require_challenge(), given, client_metadata=client_metadata, user_context=user_context
        )

    def set_up_totp(self) -> tuple[str, SignIn]:
        """Begin MFA_SETUP with an authenticator app. Return its secret (base32), and the step to answer with a code.

        Raises:
            ConfigurationError: the challenge is not MFA_SETUP; nothing was sent.
            ServiceError: the service refused the request.
            TransportError: the service did not answer.
        """
        return self._cognito.set_up_totp(self._require_challenge())


class SharedSignIn(SharedPersistence):
    """The flows that both classes run. Each returns the next challenge, or None if the login is done."""

    def _begin_sign_in(
        self,
        password: str | None,
        auth_flow: str,
        preferred: str | None,
        client_metadata: Mapping[str, str] | None,
        user_context: Mapping[str, object] | None,
        admin: bool,
    ) -> Flow[Challenge | None]:
        yield from self._prepare_login()
        context = self._login_context(client_metadata)
        # A login begins with the name as the user typed it. The canonical name of an earlier login may belong to
        # another user.
        context.canonical = None
        context.admin, context.user_context = admin or str(auth_flow).startswith("ADMIN_"), user_context
        reply = yield from self._run_login_step(context, start_login(context, auth_flow, password, preferred=preferred))
        return (yield from self._next_challenge(context, reply))

    def _answer_challenge(
        self,
        challenge: Challenge,
        given: Answer,
        client_metadata: Mapping[str, str] | None,
        user_context: Mapping[str, object] | None,
    ) -> Flow[Challenge | None]:
        context = self._login_context(client_metadata)
        context.username, context.admin = challenge.username, challenge.admin
        context.canonical, context.user_context = challenge.canonical, user_context
        yield from self._prepare_login(answering=True)
        reply = yield from self._run_login_step(context, answer_challenge(context, challenge, given), first=False)
        return (yield from self._next_challenge(context, reply))

    def _next_challenge(self, context: LoginContext, reply: JsonObject) -> Flow[Challenge | None]:
        self._login = named(self._login, context.canonical)
        challenge = challenge_of(context, reply)
        if challenge is None:
            yield from self._finish_login(reply)
        return challenge

    def _load_challenge(self, text: str) -> Challenge:
        challenge = Challenge.from_json(text)
        if self.username not in (None, challenge.username):
            raise ConfigurationError(
                "this login belongs to another user: resume it on an object of that user, or on one without a username"
            )
        self.username = challenge.username
        return challenge


class SignInMethods(SharedSignIn, TokenMethods):
    """Begin a login by any flow, and answer any challenge."""

    @by_hand
    def sign_in(
        self,
        password: str | None = None,
        *,
        auth_flow: str = "USER_SRP_AUTH",
        preferred: str | None = None,
        client_metadata: Mapping[str, str] | None = None,
        user_context: Mapping[str, object] | None = None,
        admin: bool = False,
    ) -> SignIn:
        """Begin to log in, and return the login, which is done or has a challenge to answer.

        Args:
            password: the password, for the flows that use one.
            auth_flow: USER_SRP_AUTH; USER_PASSWORD_AUTH; CUSTOM_AUTH (with a password it begins with SRP); USER_AUTH;
                or ADMIN_USER_PASSWORD_AUTH, which needs AWS credentials.
            preferred: the challenge to begin with, for USER_AUTH only.
            client_metadata: passed to the pool's Lambda triggers.
            user_context: UserContextData (ContextData in the administrator's flows).
            admin: whether to log the user in as an administrator, which needs AWS credentials. The flows whose names
                begin with ADMIN do that in any case. With USER_SRP_AUTH the password is proved by SRP and never sent.

        Raises:
            ConfigurationError: the flow needs a password and got none, or a value cannot be encoded; nothing was sent.
            ServiceError: the service refused the login, for example because the password is wrong.
            UnexpectedChallenge: the service sent a challenge that must not follow, for example PASSWORD after
                USER_SRP_AUTH; nothing more was sent.
            TokenVerificationException: the new tokens failed verification; the old tokens are kept.
            TransportError: the service did not answer.
            UnsafeServerValue: the service sent an unsafe or malformed value; it was not used.
            StoreError: the store cannot be read, written or locked.
        """
        flow = self._begin_sign_in(password, auth_flow, preferred, client_metadata, user_context, admin)
        return SignIn(self, self._run(flow))

    @by_hand
    def answer_challenge(
        self,
        challenge: Challenge,
        given: Answer,
        *,
        client_metadata: Mapping[str, str] | None = None,
        user_context: Mapping[str, object] | None = None,
    ) -> SignIn:
        """Answer *challenge* with *given*, and return the login, which is done or has the next challenge.

        ``SignIn.answer`` is the short form.

        Raises:
            ConfigurationError: *given* lacks what the challenge needs, or a value cannot be encoded; nothing was sent.
            UnsupportedChallenge: the challenge cannot be answered, for example because it needs a device that this
                object does not have; nothing was sent.
            ServiceError: the service refused the answer.
            TokenVerificationException: the new tokens failed verification; the old tokens are kept.
            TransportError: the service did not answer.
            UnexpectedChallenge: the service sent a challenge that must not follow; nothing more was sent.
            UnsafeServerValue: the service sent an unsafe or malformed value; it was not used.
            StoreError: the store cannot be read, written or locked.
        """
        flow = self._answer_challenge(challenge, given, client_metadata, user_context)
        return SignIn(self, self._run(flow))

    @by_hand
    def set_up_totp(self, challenge: Challenge) -> tuple[str, SignIn]:
        """Begin MFA_SETUP with an authenticator app. Return its secret (base32), and the step to answer with a code.

        Raises:
            ConfigurationError: *challenge* is not MFA_SETUP; nothing was sent.
            ServiceError: the service refused the request.
            TransportError: the service did not answer.
        """
        secret, following = self._run(set_up_totp(challenge))
        return secret, SignIn(self, following)

    @by_hand
    def resume_sign_in(self, text: str) -> SignIn:
        """Return the login that ``SignIn.to_json()`` returned, in this process or in another one.

        ``username`` is set to the name in the challenge.

        Raises:
            ConfigurationError: *text* was not made by ``to_json()``, or it is the login of another user.
        """
        return SignIn(self, self._load_challenge(text))
