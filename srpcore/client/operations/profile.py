"""The user who is logged in, and one user as an administrator sees it: attributes, verification, deletion."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from ... import tokens
from ...exceptions.tokens import MalformedToken
from ...flows import ask
from ...protocol import Flow, JsonObject
from ...users import UserObj, dict_to_cognito
from ..attributes import CognitoAttributes
from ..base import AsyncCognitoBase, CognitoBase
from ..login_state import settled
from ..sync_async import async_method, sync_method, through

__all__ = ["AsyncProfileMethods", "ProfileMethods", "account_metadata"]


class ProfileState(CognitoAttributes):
    """Users as objects."""

    user_class: type[Any] = UserObj

    def get_user_obj(
        self,
        username: str | None = None,
        attribute_list: Any = None,
        metadata: dict[str, Any] | None = None,
        attr_map: Mapping[str, str] | None = None,
    ) -> Any:
        """Return an object of ``user_class`` for the attributes as the service lists them."""
        return self.user_class(
            username=username,
            attribute_list=attribute_list or [],
            cognito_obj=self,
            metadata=metadata,
            attr_map=attr_map,
        )

    def is_logged_in_as(self, username: str | None, sub: str | None = None) -> bool:
        """Say whether the user of that name or ``sub`` is the one that the access token here names (unverified)."""
        claims: Mapping[str, Any] = {}
        if self.access_token:
            with suppress(MalformedToken):
                claims = tokens.unverified_claims(self.access_token)
        # What the token says counts: the name here may be another's, as an administrator's methods set it.
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
    """Return what an administrator sees of a user besides the attributes, under pycognito's names."""
    return {
        "username": user.get("Username"),
        "enabled": user.get("Enabled"),
        "user_status": user.get("UserStatus"),
        "create_date": user.get("UserCreateDate"),
        "modified_date": user.get("UserLastModifiedDate"),
    }


class ProfileMethods(ProfileState, CognitoBase):
    """Read, change, verify and delete one user's profile."""

    @sync_method
    def get_user(self, attr_map: Mapping[str, str] | None = None) -> Flow[Any]:
        """Return the user who is logged in, as an object of ``user_class``.

        Raises:
            AccessTokenRequired: nobody is logged in; nothing was sent.
            ServiceError: the service refused.
        """
        user = yield from ask("GetUser", {"AccessToken": self._require_access_token()})
        return self.get_user_obj(
            username=self.username,
            attribute_list=user.get("UserAttributes"),
            metadata=self._user_metadata(user),
            attr_map=attr_map,
        )

    @sync_method
    def admin_get_user(self, attr_map: Mapping[str, str] | None = None) -> Flow[Any]:
        """Return this user as an administrator sees it, as an object of ``user_class``. It needs AWS credentials.

        Raises:
            ServiceError: the service refused.
        """
        user = yield from ask("AdminGetUser", {"UserPoolId": self.user_pool_id, "Username": self.username})
        metadata = self._user_metadata(user, **account_metadata(user))
        return self.get_user_obj(
            username=self.username,
            attribute_list=user.get("UserAttributes"),
            metadata=metadata,
            attr_map=attr_map,
        )

    @sync_method
    def update_profile(self, attrs: Mapping[str, Any], attr_map: Mapping[str, str] | None = None) -> Flow[None]:
        """Set attributes of the user who is logged in.

        Raises:
            AccessTokenRequired: nobody is logged in; nothing was sent.
            ServiceError: the service refused.
        """
        attributes = dict_to_cognito(attrs, attr_map)
        yield from ask(
            "UpdateUserAttributes", {"UserAttributes": attributes, "AccessToken": self._require_access_token()}
        )

    @sync_method
    def admin_update_profile(
        self,
        attrs: Mapping[str, Any],
        attr_map: Mapping[str, str] | None = None,
        *,
        username: str | None = None,
    ) -> Flow[None]:
        """Set attributes of this user, or of *username*, as an administrator. It needs AWS credentials.

        Raises:
            ServiceError: the service refused.
        """
        yield from ask(
            "AdminUpdateUserAttributes",
            {
                "UserPoolId": self.user_pool_id,
                "Username": self.username if username is None else username,
                "UserAttributes": dict_to_cognito(attrs, attr_map),
            },
        )

    @sync_method
    def send_verification(self, attribute: str = "email") -> Flow[None]:
        """Have a code sent to verify *attribute*; an expired access token is refreshed first.

        Raises:
            AccessTokenRequired: nobody is logged in; nothing was sent.
            ServiceError: the service refused.
        """
        yield from through(self, "check_token")
        parameters = {"AccessToken": self.access_token, "AttributeName": attribute}
        yield from ask("GetUserAttributeVerificationCode", parameters)

    @sync_method
    def validate_verification(self, confirmation_code: str, attribute: str = "email") -> Flow[JsonObject]:
        """Verify *attribute* with the code that was sent, and return the service's reply.

        Raises:
            AccessTokenRequired: nobody is logged in; nothing was sent.
            ServiceError: the service refused, a wrong code for one.
        """
        yield from through(self, "check_token")
        parameters = {"AccessToken": self.access_token, "AttributeName": attribute, "Code": confirmation_code}
        return (yield from ask("VerifyUserAttribute", parameters))

    @sync_method
    def delete_user(self) -> Flow[None]:
        """Delete the account of the user who is logged in.

        Raises:
            AccessTokenRequired: nobody is logged in; nothing was sent.
            ServiceError: the service refused.
        """
        yield from ask("DeleteUser", {"AccessToken": self._require_access_token()})

    @sync_method
    def admin_delete_user(self, *, username: str | None = None) -> Flow[None]:
        """Delete the account of this user, or of *username*, as an administrator. It needs AWS credentials.

        Raises:
            ServiceError: the service refused.
        """
        yield from ask(
            "AdminDeleteUser",
            {"UserPoolId": self.user_pool_id, "Username": self.username if username is None else username},
        )


class AsyncProfileMethods(ProfileState, AsyncCognitoBase):
    """Read, change, verify and delete one user's profile, on an event loop."""

    get_user = async_method(ProfileMethods.get_user)
    admin_get_user = async_method(ProfileMethods.admin_get_user)
    update_profile = async_method(ProfileMethods.update_profile)
    admin_update_profile = async_method(ProfileMethods.admin_update_profile)
    send_verification = async_method(ProfileMethods.send_verification)
    validate_verification = async_method(ProfileMethods.validate_verification)
    delete_user = async_method(ProfileMethods.delete_user)
    admin_delete_user = async_method(ProfileMethods.admin_delete_user)
