"""Log in: by password over SRP, with a new password, with a code."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from ..aws_srp import AWSSRP
from ..exceptions.base import ConfigurationError
from ..exceptions.challenges import MFAChallengeException
from ..flows.challenges import answer_code, raise_challenge
from ..wire import Document
from .tokens import TokenMethods

__all__ = ["SignInMethods"]


class SignInMethods(TokenMethods):
    """Log in, and answer what the service asks on the way."""

    def authenticate(self, password: str, client_metadata: dict[str, str] | None = None) -> None:
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
        srp = self._srp(password)
        try:
            reply = srp.authenticate_user(client_metadata=client_metadata)
        except MFAChallengeException as challenge:
            self.mfa_tokens = challenge.get_tokens()
            raise
        finally:
            self._learn_from(srp)
        self._set_tokens(reply)

    def new_password_challenge(
        self, password: str, new_password: str, required_attributes: dict[str, str] | None = None
    ) -> None:
        """Log in with *password*, choose *new_password* as the service demands, and set the tokens.

        *required_attributes* are those that ``ForceChangePasswordException.required_attributes`` names.

        Raises:
            ConfigurationError: a required attribute is missing, or a text cannot be used.
            MFAChallengeException: the service wants a code as well.
            ServiceError: the service refused.
        """
        srp = self._srp(password)
        try:
            # With one argument where there are no attributes: pycognito's signature, which people autospec.
            reply = srp.set_new_password_challenge(
                new_password, **({"required_attributes": required_attributes} if required_attributes else {})
            )
        finally:
            self._learn_from(srp)
        self._finish(reply)

    def respond_to_software_token_mfa_challenge(self, code: str | int, mfa_tokens: Document | None = None) -> None:
        """Answer SOFTWARE_TOKEN_MFA with the authenticator app's *code*, and set the tokens.

        *mfa_tokens* is ``get_tokens()`` of the exception, if another object caught it.

        Raises:
            ConfigurationError: there is no challenge to answer, or the code is empty; nothing was sent.
            ServiceError: the service refused, a wrong code for one.
        """
        self._answer_code("SOFTWARE_TOKEN_MFA", code, mfa_tokens)

    def respond_to_sms_mfa_challenge(self, code: str | int, mfa_tokens: Document | None = None) -> None:
        """Answer SMS_MFA with the *code* that the user got, and set the tokens.

        *mfa_tokens* is ``get_tokens()`` of the exception, if another object caught it.

        Raises:
            ConfigurationError: there is no challenge to answer, or the code is empty; nothing was sent.
            ServiceError: the service refused, a wrong code for one.
        """
        self._answer_code("SMS_MFA", code, mfa_tokens)

    def _answer_code(self, name: str, code: str | int, mfa_tokens: Document | None) -> None:
        tokens = mfa_tokens or self.mfa_tokens
        if not tokens or not tokens.get("Session"):
            raise ConfigurationError("there is no challenge to answer: log in first, or give mfa_tokens")
        conversation = self._conversation(challenge=tokens)
        self._finish(self._run(answer_code(conversation, {**tokens, "ChallengeName": name}, str(code))))

    def _finish(self, reply: Document) -> None:
        try:
            raise_challenge(reply)
        except MFAChallengeException:
            self.mfa_tokens = reply
            raise
        self._set_tokens(reply)

    def _srp(self, password: str) -> AWSSRP:
        device = self.device
        remembered: Mapping[str, str] = (
            {}
            if device is None
            else {
                "device_key": device.key,
                "device_group_key": device.group_key,
                "device_password": device.password,
            }
        )
        return AWSSRP(
            username=cast(str, self.username),
            password=password,
            pool_id=self.user_pool_id,
            client_id=self.client_id,
            client=self.client,
            client_secret=self.client_secret,
            clock=self._clock,
            random_bits=self._random_bits,
            **remembered,
        )

    def _learn_from(self, srp: AWSSRP) -> None:
        self._canonical_username = srp.canonical_username or self._canonical_username
        if srp.device_key is None:
            self.device = None
