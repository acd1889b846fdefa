"""Passwords: change one's own, get over a forgotten one, have one reset."""

from __future__ import annotations

from ...flows import ask
from ...protocol import Flow
from ..base import AsyncCognitoBase, CognitoBase
from ..sync_async import async_method, sync_method, through

__all__ = ["AsyncPasswordMethods", "PasswordMethods"]


class PasswordMethods(CognitoBase):
    """Change, recover and reset passwords."""

    @sync_method
    def change_password(self, previous_password: str, proposed_password: str) -> Flow[None]:
        """Change the password of the user who is logged in; an expired access token is refreshed first.

        Raises:
            AccessTokenRequired: nobody is logged in; nothing was sent.
            ConfigurationError: a password has no UTF-8 form; nothing was sent.
            ServiceError: the service refused.
        """
        self._check_text(previous_password, name="previous_password")
        self._check_text(proposed_password, name="proposed_password")
        yield from through(self, "check_token")
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
        """Have a code sent to this user, with which :meth:`confirm_forgot_password` sets a new password.

        Raises:
            ServiceError: the service refused.
        """
        parameters = {"ClientId": self._client_id, "Username": self.username, "ClientMetadata": client_metadata}
        self._add_secret_hash(parameters, "SecretHash")
        yield from ask("ForgotPassword", parameters)

    @sync_method
    def confirm_forgot_password(self, confirmation_code: str, password: str) -> Flow[None]:
        """Set a new password with the code that was sent.

        Raises:
            ConfigurationError: the password has no UTF-8 form; nothing was sent.
            ServiceError: the service refused, a wrong code for one.
        """
        self._check_text(password, name="password")
        parameters = {
            "ClientId": self._client_id,
            "Username": self.username,
            "ConfirmationCode": confirmation_code,
            "Password": password,
        }
        self._add_secret_hash(parameters, "SecretHash")
        response = yield from ask("ConfirmForgotPassword", parameters)
        self._set_attributes(response, {"password": password})

    @sync_method
    def admin_reset_password(self, username: str, client_metadata: dict[str, str] | None = None) -> Flow[None]:
        """Make the password of *username* void and have a code sent to the user. It needs AWS credentials.

        Raises:
            ServiceError: the service refused.
        """
        yield from ask(
            "AdminResetUserPassword",
            {"UserPoolId": self.user_pool_id, "Username": username, "ClientMetadata": client_metadata or {}},
        )


class AsyncPasswordMethods(AsyncCognitoBase):
    """Change, recover and reset passwords, on an event loop."""

    change_password = async_method(PasswordMethods.change_password)
    initiate_forgot_password = async_method(PasswordMethods.initiate_forgot_password)
    confirm_forgot_password = async_method(PasswordMethods.confirm_forgot_password)
    admin_reset_password = async_method(PasswordMethods.admin_reset_password)
