"""Manage the pool's users and groups as an administrator. These operations need AWS credentials."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...flows import ask, require_object, require_string, user_attributes
from ...flows.paging import collect
from ...protocol import Flow, JsonObject
from ...service_model import PAGES
from ...users import GroupObj, UserObj, dict_to_cognito
from ..base import CognitoBase
from ..sync_async import sync_method
from .profile import ProfileMethods, SharedProfile, account_metadata

__all__ = ["DirectoryMethods"]


class SharedDirectory(SharedProfile):
    """Make objects of the users and groups in a reply."""

    group_class: type[GroupObj] = GroupObj

    def get_group_obj(self, group_data: Mapping[str, Any]) -> GroupObj:
        """Return an object of ``group_class`` for *group_data*, a GroupType of the service."""
        return self.group_class(group_data=group_data, cognito_obj=self)

    def _listed_user(self, user: JsonObject, attr_map: Mapping[str, str] | None) -> Any:
        """Return an object of ``user_class`` for *user*, a UserType of ListUsers."""
        return self.get_user_obj(
            user.get("Username"),
            attribute_list=user_attributes(user, "Attributes"),
            metadata=account_metadata(user),
            attr_map=attr_map,
        )

    def _user_parameters(self, username: str) -> dict[str, Any]:
        return {"UserPoolId": self.user_pool_id, "Username": username}


class DirectoryMethods(SharedDirectory, ProfileMethods, CognitoBase):
    """Manage users and groups."""

    @sync_method
    def get_users(self, attr_map: Mapping[str, str] | None = None) -> Flow[list[UserObj]]:
        """Return all users of the pool, from every page, as objects of ``user_class``.

        Args:
            attr_map: the service's name of an attribute to the name under which the object shows it.

        Raises:
            ServiceError: the service refused the request.
            UnsafeServerValue: a page is malformed, or has the token of its own request: the pages would never end.
            TransportError: the service did not answer.
        """
        users = yield from collect("ListUsers", {"UserPoolId": self.user_pool_id})
        return [self._listed_user(user, attr_map) for user in users]

    @sync_method
    def admin_create_user(
        self,
        /,
        username: str,
        temporary_password: str = "",
        additional_kwargs: Mapping[str, object] | None = None,
        attr_map: Mapping[str, str] | None = None,
        **kwargs: object,
    ) -> Flow[JsonObject]:
        """Create a user, set the name and the attributes on this object, and return the reply.

        Args:
            username: the name of the new user.
            temporary_password: the first password. If it is empty, the service generates one. Either way the service
                sends it to the user.
            additional_kwargs: more parameters of AdminCreateUser, for example ``{"MessageAction": "SUPPRESS"}``.
            attr_map: the service's name of an attribute to the name that *kwargs* uses.
            kwargs: the user's attributes.

        Raises:
            ServiceError: the service refused the request.
            TransportError: the service did not answer.
        """
        parameters = {**self._user_parameters(username), "UserAttributes": dict_to_cognito(kwargs, attr_map)}
        parameters |= additional_kwargs or {}
        if temporary_password:
            parameters["TemporaryPassword"] = temporary_password
        response = dict((yield from ask("AdminCreateUser", parameters)))
        self._set_attributes(response, {**kwargs, "username": username})
        response.pop("ResponseMetadata", None)
        return response

    @sync_method
    def admin_enable_user(self, username: str) -> Flow[None]:
        """Enable the account of *username*, so that the user can log in again.

        Raises:
            ServiceError: the service refused the request.
            TransportError: the service did not answer.
        """
        yield from ask("AdminEnableUser", self._user_parameters(username))

    @sync_method
    def admin_disable_user(self, username: str) -> Flow[None]:
        """Disable the account of *username*, so that the user cannot log in.

        Raises:
            ServiceError: the service refused the request.
            TransportError: the service did not answer.
        """
        yield from ask("AdminDisableUser", self._user_parameters(username))

    @sync_method
    def get_group(self, group_name: str) -> Flow[GroupObj]:
        """Return a group, as an object of ``group_class``.

        Raises:
            ServiceError: the service refused the request.
            UnsafeServerValue: the reply has no group.
            TransportError: the service did not answer.
        """
        reply = yield from ask("GetGroup", {"GroupName": group_name, "UserPoolId": self.user_pool_id})
        return self.get_group_obj(require_object(reply, "Group"))

    @sync_method
    def get_groups(self) -> Flow[list[GroupObj]]:
        """Return all groups of the pool, from every page, as objects of ``group_class``.

        Raises:
            ServiceError: the service refused the request.
            UnsafeServerValue: a page is malformed, or has the token of its own request: the pages would never end.
            TransportError: the service did not answer.
        """
        groups = yield from collect("ListGroups", {"UserPoolId": self.user_pool_id})
        return [self.get_group_obj(group) for group in groups]

    @sync_method
    def admin_add_user_to_group(self, username: str, group_name: str) -> Flow[None]:
        """Add *username* to the group.

        Raises:
            ServiceError: the service refused the request.
            TransportError: the service did not answer.
        """
        yield from ask("AdminAddUserToGroup", {**self._user_parameters(username), "GroupName": group_name})

    @sync_method
    def admin_remove_user_from_group(self, username: str, group_name: str) -> Flow[None]:
        """Remove *username* from the group.

        Raises:
            ServiceError: the service refused the request.
            TransportError: the service did not answer.
        """
        yield from ask("AdminRemoveUserFromGroup", {**self._user_parameters(username), "GroupName": group_name})

    @sync_method
    def admin_list_groups_for_user(self, username: str) -> Flow[list[str]]:
        """Return the names of all groups that *username* is in, from every page.

        Raises:
            ServiceError: the service refused the request.
            UnsafeServerValue: a page is malformed, or has the token of its own request: the pages would never end.
            TransportError: the service did not answer.
        """
        operation = "AdminListGroupsForUser"
        groups = yield from collect(operation, self._user_parameters(username), PAGES[operation].max_size)
        return [require_string(group, "GroupName") for group in groups]
