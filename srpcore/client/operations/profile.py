"""One user's profile: read and change attributes, verify them, delete the account; as the user or an administrator."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any, Protocol, TypeVar

from ... import tokens
from ...exceptions.tokens import MalformedToken
from ...flows import ask, user_attributes
from ...protocol import Flow, JsonObject
from ...users import AsyncUserObj, UserObj, dict_to_cognito
from ..attributes import CognitoAttributes
from ..base import CognitoBase
from ..login_state import settled
from ..sync_async import call_method, sync_method

__all__ = ["ProfileMethods", "account_metadata"]


# The class of a user: UserObj on Cognito, AsyncUserObj on AsyncCognito.
U = TypeVar("U", bound=UserObj | AsyncUserObj, covariant=True)


class HasUserClass(Protocol[U]):
    """``Cognito`` or ``AsyncCognito``, for a type checker: which class its users have."""

    @property
    def user_class(self) -> type[U]: ...


class SharedProfile(CognitoAttributes):
    """Make objects of the users in a reply."""

    user_class: type[Any]

    def get_user_obj(
        self: HasUserClass[U],
        username: str | None = None,
        attribute_list: Iterable[Mapping[str, object]] | None = None,
        metadata: dict[str, Any] | None = None,
        attr_map: Mapping[str, str] | None = None,
    ) -> U:
        """Return an object of ``user_class`` for a user. *attribute_list* is the service's list of attributes."""
        return self.user_class(
            username=username,
            attribute_list=attribute_list or [],
            cognito_obj=self,
            metadata=metadata,
            attr_map=attr_map,
        )

    def is_logged_in_as(self, username: str | None, sub: str | None = None) -> bool:
        """Return whether *username* or *sub* is the user of the present access token, which is not verified here.

        Without an access token, the names that this object knows are compared.
        """
        claims: Mapping[str, Any] = {}
        if self.access_token:
            with suppress(MalformedToken):
                claims = tokens.unverified_claims(self.access_token)
        # The token decides. `self.username` may be another user's name: admin_create_user and register set it.
        named = {claims.get("username"), claims.get("sub")} - {None}
        known = named or {self.username, settled(self._login).account.username} - {None}
        return username in known or sub in known

    def _user_metadata(self, user: JsonObject, **more: Any) -> dict[str, Any]:
        return {
            **more,
            "username": user.get("Username"),
            "id_token": self.id_token,
            "access_token": self.access_token,
            "refresh_token": self.refresh_token,
        }


def account_metadata(user: JsonObject) -> dict[str, Any]:
    """Return the fields that an administrator sees besides the attributes, under pycognito's names."""
    return {
        "username": user.get("Username"),
        "enabled": user.get("Enabled"),
        "user_status": user.get("UserStatus"),
        "create_date": user.get("UserCreateDate"),
        "modified_date": user.get("UserLastModifiedDate"),
    }


class ProfileMethods(SharedProfile, CognitoBase):
    """Read, change, verify and delete one user's profile."""

    user_class: type[UserObj] = UserObj

    @sync_method
    def get_user(self, attr_map: Mapping[str, str] | None = None) -> Flow[UserObj]:
        """Return the user who is logged in, as an object of ``user_class``.

        Raises:
            AccessTokenRequired: the object has no access token; nothing was sent.
            ServiceError: the service refused the request.
            UnsafeServerValue: the attributes in the reply are malformed.
            TransportError: the service did not answer.
        """
        user = yield from ask("GetUser", {"AccessToken": self._require_access_token()})
        return self.get_user_obj(
            username=self.username,
            attribute_list=user_attributes(user, "UserAttributes"),
            metadata=self._user_metadata(user),
            attr_map=attr_map,
        )

    @sync_method
    def admin_get_user(self, attr_map: Mapping[str, str] | None = None) -> Flow[UserObj]:
        """Return this user as an administrator sees it, as an object of ``user_class``. This needs AWS credentials.

        Raises:
            ServiceError: the service refused the request.
            UnsafeServerValue: the attributes in the reply are malformed.
            TransportError: the service did not answer.
        """
        user = yield from ask("AdminGetUser", {"UserPoolId": self.user_pool_id, "Username": self.username})
        metadata = self._user_metadata(user, **account_metadata(user))
        return self.get_user_obj(
            username=self.username,
            attribute_list=user_attributes(user, "UserAttributes"),
            metadata=metadata,
            attr_map=attr_map,
        )

    @sync_method
    def update_profile(
        self,
        attrs: Mapping[str, object],
        attr_map: Mapping[str, str] | None = None,
        *,
        client_metadata: Mapping[str, str] | None = None,
    ) -> Flow[None]:
        """Set attributes of the user who is logged in.

        *client_metadata* is passed to the pool's Lambda triggers.

        Raises:
            AccessTokenRequired: the object has no access token; nothing was sent.
            ServiceError: the service refused the request.
            TransportError: the service did not answer.
        """
        yield from ask(
            "UpdateUserAttributes",
            {
                "UserAttributes": dict_to_cognito(attrs, attr_map),
                "AccessToken": self._require_access_token(),
                "ClientMetadata": client_metadata,
            },
        )

    @sync_method
    def admin_update_profile(
        self,
        attrs: Mapping[str, object],
        attr_map: Mapping[str, str] | None = None,
        *,
        username: str | None = None,
        client_metadata: Mapping[str, str] | None = None,
    ) -> Flow[None]:
        """Set attributes of *username*, by default of this user, as an administrator. This needs AWS credentials.

        *client_metadata* is passed to the pool's Lambda triggers.

        Raises:
            ServiceError: the service refused the request.
            TransportError: the service did not answer.
        """
        yield from ask(
            "AdminUpdateUserAttributes",
            {
                "UserPoolId": self.user_pool_id,
                "Username": self.username if username is None else username,
                "UserAttributes": dict_to_cognito(attrs, attr_map),
                "ClientMetadata": client_metadata,
            },
        )

    @sync_method
    def send_verification(
        self, attribute: str = "email", *, client_metadata: Mapping[str, str] | None = None
    ) -> Flow[None]:
        """Let the service send a code to verify *attribute*. An expired access token is refreshed first.

        *client_metadata* is passed to the pool's Lambda triggers.

        Raises:
            AccessTokenRequired: the object has no access token; nothing was sent.
            ServiceError: the service refused the request.
            ConfigurationError: the token must be refreshed, and there is no refresh token.
            TransportError: the service did not answer.
            TokenVerificationException: the new tokens failed verification.
            StoreError: the store cannot be read, written or locked.
        """
        yield from call_method(self, "check_token")
        yield from ask(
            "GetUserAttributeVerificationCode",
            {"AccessToken": self.access_token, "AttributeName": attribute, "ClientMetadata": client_metadata},
        )

    @sync_method
    def validate_verification(self, confirmation_code: str, attribute: str = "email") -> Flow[JsonObject]:
        """Verify *attribute* with the code from :meth:`send_verification`, and return the service's reply.

        Raises:
            AccessTokenRequired: the object has no access token; nothing was sent.
            ServiceError: the service refused the request, for example because the code is wrong.
            ConfigurationError: the token must be refreshed, and there is no refresh token.
            TransportError: the service did not answer.
            TokenVerificationException: the new tokens failed verification.
            StoreError: the store cannot be read, written or locked.
        """
        yield from call_method(self, "check_token")
        parameters = {"AccessToken": self.access_token, "AttributeName": attribute, "Code": confirmation_code}
        return (yield from ask("VerifyUserAttribute", parameters))

    @sync_method
    def delete_user(self) -> Flow[None]:
        """Delete the account of the user who is logged in.

        Raises:
            AccessTokenRequired: the object has no access token; nothing was sent.
            ServiceError: the service refused the request.
            TransportError: the service did not answer.
        """
        yield from ask("DeleteUser", {"AccessToken": self._require_access_token()})

    @sync_method
    def admin_delete_user(self, *, username: str | None = None) -> Flow[None]:
        """Delete the account of *username*, by default of this user, as an administrator. This needs AWS credentials.

        Raises:
            ServiceError: the service refused the request.
            TransportError: the service did not answer.
        """
        yield from ask(
            "AdminDeleteUser",
            {"UserPoolId": self.user_pool_id, "Username": self.username if username is None else username},
        )
