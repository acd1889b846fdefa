"""Change a password, reset a forgotten one, and reset a user's password as an administrator."""

from __future__ import annotations

from collections.abc import Mapping

from ...flows import ask
from ...protocol import Flow
from ..base import CognitoBase
from ..sync_async import call_method, sync_method

__all__ = ["PasswordMethods"]


class PasswordMethods(CognitoBase):
    """Change and reset passwords."""

    @sync_method
    def change_password(self, previous_password: str, proposed_password: str) -> Flow[None]:
        """Change the password of the user who is logged in. An expired access token is refreshed first.

        Raises:
            AccessTokenRequired: the object has no access token; nothing was sent.
            ConfigurationError: a password is not a string or cannot be encoded as UTF-8; nothing was sent.
            ServiceError: the service refused the request.
            TransportError: the service did not answer.
            TokenVerificationException: the new tokens failed verification.
            StoreError: the store cannot be read, written or locked.
        """
        self._check_string(previous_password, name="previous_password")
        self._check_string(proposed_password, name="proposed_password")
        yield from call_method(self, "check_token")
        response = yield from ask(
            "ChangePassword",
            {
                "PreviousPassword": previous_password,
                "ProposedPassword": proposed_password,
                "AccessToken": self.access_token,
            },
        )
        self._set_attributes(response, {"password": proposed_password})

    @sync_method
    def initiate_forgot_password(self, client_metadata: dict[str, str] | None = None) -> Flow[None]:
        """Let the service send a code to this user. :meth:`confirm_forgot_password` needs it.

        *client_metadata* is passed to the pool's Lambda triggers.

        Raises:
            ServiceError: the service refused the request.
            ConfigurationError: the username is missing or cannot be encoded as UTF-8; nothing was sent.
            TransportError: the service did not answer.
        """
        parameters = {"ClientId": self._client_id, "Username": self.username, "ClientMetadata": client_metadata}
        self._add_secret_hash(parameters, "SecretHash")
        yield from ask("ForgotPassword", parameters)

    @sync_method
    def confirm_forgot_password(
        self, confirmation_code: str, password: str, *, client_metadata: Mapping[str, str] | None = None
    ) -> Flow[None]:
        """Set a new password, with the code from :meth:`initiate_forgot_password`.

        *client_metadata* is passed to the pool's Lambda triggers.

        Raises:
            ConfigurationError: the password is not a string or cannot be encoded as UTF-8; nothing was sent.
            ServiceError: the service refused the request, for example because the code is wrong.
            TransportError: the service did not answer.
        """
        self._check_string(password, name="password")
        parameters = {
            "ClientId": self._client_id,
            "Username": self.username,
            "ConfirmationCode": confirmation_code,
            "Password": password,
            "ClientMetadata": client_metadata,
        }
        self._add_secret_hash(parameters, "SecretHash")
        response = yield from ask("ConfirmForgotPassword", parameters)
        self._set_attributes(response, {"password": password})

    @sync_method
    def admin_reset_password(self, username: str, client_metadata: dict[str, str] | None = None) -> Flow[None]:
        """Invalidate the password of *username*, and let the service send the user a code. This needs AWS credentials.

        Raises:
            ServiceError: the service refused the request.
            TransportError: the service did not answer.
        """
        yield from ask(
            "AdminResetUserPassword",
            {"UserPoolId": self.user_pool_id, "Username": username, "ClientMetadata": client_metadata or {}},
        )
