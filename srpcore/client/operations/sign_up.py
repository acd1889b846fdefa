"""Sign up: register a user, confirm the account, request another confirmation code."""

from __future__ import annotations

from collections.abc import Mapping

from ...flows import ask
from ...protocol import Flow, JsonObject
from ...users import dict_to_cognito
from ..attributes import CognitoAttributes
from ..base import CognitoBase
from ..sync_async import sync_method

__all__ = ["SignUpMethods"]


class SharedSignUp(CognitoAttributes):
    """The attributes that a user is registered with."""

    def set_base_attributes(self, **kwargs: object) -> None:
        """Set the standard attributes that :meth:`register` sends, for example ``email``."""
        self.base_attributes = kwargs

    def add_custom_attributes(self, **kwargs: object) -> None:
        """Set the custom attributes that :meth:`register` sends. Leave the prefix ``custom:`` out of their names."""
        self.custom_attributes = {f"custom:{name}": value for name, value in kwargs.items()}


class SignUpMethods(SharedSignUp, CognitoBase):
    """Register a user and confirm the account."""

    @sync_method
    def register(
        self,
        username: str,
        password: str,
        attr_map: Mapping[str, str] | None = None,
        client_metadata: dict[str, str] | None = None,
    ) -> Flow[JsonObject]:
        """Sign a user up, set the name and the attributes on this object, and return the reply.

        ``UserConfirmed`` in the reply tells whether :meth:`confirm_sign_up` is still needed.

        Args:
            username: the name of the new user.
            password: the user's password.
            attr_map: the service's name of an attribute to the name that the attributes here use.
            client_metadata: passed to the pool's Lambda triggers.

        Raises:
            ConfigurationError: the name or the password is not a string or cannot be encoded as UTF-8; nothing was
                sent.
            ServiceError: the service refused the request.
            TransportError: the service did not answer.
        """
        self._check_string(username, name="username")
        self._check_string(password, name="password")
        attributes = {**(self.base_attributes or {}), **(self.custom_attributes or {})}
        parameters = {
            "ClientId": self._client_id,
            "Username": username,
            "Password": password,
            "UserAttributes": dict_to_cognito(attributes, attr_map),
            "ClientMetadata": client_metadata,
        }
        self._add_secret_hash(parameters, "SecretHash")
        response = dict((yield from ask("SignUp", parameters)))
        self._set_attributes(response, {**attributes, "username": username, "password": password})
        response.pop("ResponseMetadata", None)
        return response

    @sync_method
    def confirm_sign_up(
        self,
        confirmation_code: str,
        username: str | None = None,
        *,
        client_metadata: Mapping[str, str] | None = None,
    ) -> Flow[None]:
        """Confirm the account of *username*, by default of this user, with the code that the service sent.

        *client_metadata* is passed to the pool's Lambda triggers.

        Raises:
            ServiceError: the service refused the request, for example because the code is wrong.
            ConfigurationError: the username is missing or cannot be encoded as UTF-8; nothing was sent.
            TransportError: the service did not answer.
        """
        parameters = {
            "ClientId": self._client_id,
            "Username": username or self.username,
            "ConfirmationCode": confirmation_code,
            "ClientMetadata": client_metadata,
        }
        self._add_secret_hash(parameters, "SecretHash")
        yield from ask("ConfirmSignUp", parameters)

    @sync_method
    def admin_confirm_sign_up(
        self, username: str | None = None, *, client_metadata: Mapping[str, str] | None = None
    ) -> Flow[None]:
        """Confirm the account of *username*, by default of this user, without a code. This needs AWS credentials.

        *client_metadata* is passed to the pool's Lambda triggers.

        Raises:
            ServiceError: the service refused the request.
            TransportError: the service did not answer.
        """
        parameters = {"UserPoolId": self.user_pool_id, "Username": username or self.username}
        yield from ask("AdminConfirmSignUp", {**parameters, "ClientMetadata": client_metadata})

    @sync_method
    def resend_confirmation_code(
        self, username: str, *, client_metadata: Mapping[str, str] | None = None
    ) -> Flow[None]:
        """Let the service send *username* another code for :meth:`confirm_sign_up`.

        *client_metadata* is passed to the pool's Lambda triggers.

        Raises:
            ServiceError: the service refused the request.
            ConfigurationError: the username is missing or cannot be encoded as UTF-8; nothing was sent.
            TransportError: the service did not answer.
        """
        parameters = {"ClientId": self._client_id, "Username": username, "ClientMetadata": client_metadata}
        self._add_secret_hash(parameters, "SecretHash")
        yield from ask("ResendConfirmationCode", parameters)
