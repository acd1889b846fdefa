"""The pool's users and groups, as an administrator sees them: AWS credentials needed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...flows import ask
from ...flows.paging import collect
from ...protocol import Flow, JsonObject
from ...service_model import PAGES
from ...users import GroupObj, dict_to_cognito
from ..base import AsyncCognitoBase, CognitoBase
from ..sync_async import async_method, sync_method
from .profile import AsyncProfileMethods, ProfileMethods, ProfileState, account_metadata

__all__ = ["AsyncDirectoryMethods", "DirectoryMethods"]


class DirectoryState(ProfileState):
    """Groups as objects."""

    group_class: type[Any] = GroupObj

    def get_group_obj(self, group_data: Mapping[str, Any]) -> Any:
        """Return an object of ``group_class`` for the group as the service describes it."""
        return self.group_class(group_data=group_data, cognito_obj=self)

    def _listed_user(self, user: JsonObject, attr_map: Mapping[str, str] | None) -> Any:
        """Return an object of ``user_class`` for a user as ListUsers describes it."""
        return self.get_user_obj(
            user.get("Username"),
            attribute_list=user.get("Attributes"),
            metadata=account_metadata(user),
            attr_map=attr_map,
        )

    def _of(self, username: str) -> dict[str, Any]:
        return {"UserPoolId": self.user_pool_id, "Username": username}


class DirectoryMethods(DirectoryState, ProfileMethods, CognitoBase):
    """Administer users and groups."""

    @sync_method
    def get_users(self, attr_map: Mapping[str, str] | None = None) -> Flow[list[Any]]:
        """Return every user of the pool, as objects of ``user_class``.

        Raises:
            ServiceError: the service refused.
        """
        users = yield from collect("ListUsers", {"UserPoolId": self.user_pool_id})
        return [self._listed_user(user, attr_map) for user in users]

    @sync_method
    def admin_create_user(
        self,
        /,
        username: str,
        temporary_password: str = "",
        additional_kwargs: Mapping[str, Any] | None = None,
        attr_map: Mapping[str, str] | None = None,
        **kwargs: Any,
    ) -> Flow[JsonObject]:
        """Create a user with the attributes *kwargs*, set them and the name on this object, and return the reply.

        Without *temporary_password* the service makes one up and sends it; *additional_kwargs* are more parameters of
        AdminCreateUser, such as ``{"MessageAction": "SUPPRESS"}``.

        Raises:
            ServiceError: the service refused.
        """
        parameters = {**self._of(username), "UserAttributes": dict_to_cognito(kwargs, attr_map)}
        parameters |= additional_kwargs or {}
        if temporary_password:
            parameters["TemporaryPassword"] = temporary_password
        response = dict((yield from ask("AdminCreateUser", parameters)))
        self._set_attributes(response, {**kwargs, "username": username})
        response.pop("ResponseMetadata", None)
        return response

    @sync_method
    def admin_enable_user(self, username: str) -> Flow[None]:
        """Let *username* log in again.

        Raises:
            ServiceError: the service refused.
        """
        yield from ask("AdminEnableUser", self._of(username))

    @sync_method
    def admin_disable_user(self, username: str) -> Flow[None]:
        """Let *username* log in no more.

        Raises:
            ServiceError: the service refused.
        """
        yield from ask("AdminDisableUser", self._of(username))

    @sync_method
    def get_group(self, group_name: str) -> Flow[Any]:
        """Return a group, as an object of ``group_class``.

        Raises:
            ServiceError: the service refused.
        """
        reply = yield from ask("GetGroup", {"GroupName": group_name, "UserPoolId": self.user_pool_id})
        return self.get_group_obj(reply["Group"])

    @sync_method
    def get_groups(self) -> Flow[list[Any]]:
        """Return every group of the pool, of every page, as objects of ``group_class``.

        Raises:
            ServiceError: the service refused.
        """
        groups = yield from collect("ListGroups", {"UserPoolId": self.user_pool_id})
        return [self.get_group_obj(group) for group in groups]

    @sync_method
    def admin_add_user_to_group(self, username: str, group_name: str) -> Flow[None]:
        """Put *username* in the group.

        Raises:
            ServiceError: the service refused.
        """
        yield from ask("AdminAddUserToGroup", {**self._of(username), "GroupName": group_name})

    @sync_method
    def admin_remove_user_from_group(self, username: str, group_name: str) -> Flow[None]:
        """Take *username* out of the group.

        Raises:
            ServiceError: the service refused.
        """
        yield from ask("AdminRemoveUserFromGroup", {**self._of(username), "GroupName": group_name})

    @sync_method
    def admin_list_groups_for_user(self, username: str) -> Flow[list[str]]:
        """Return the names of the groups that *username* is in, of every page.

        Raises:
            ServiceError: the service refused.
        """
        operation = "AdminListGroupsForUser"
        groups = yield from collect(operation, self._of(username), PAGES[operation].max_size)
        return [group["GroupName"] for group in groups]


class AsyncDirectoryMethods(DirectoryState, AsyncProfileMethods, AsyncCognitoBase):
    """Administer users and groups, on an event loop."""

    get_users = async_method(DirectoryMethods.get_users)
    admin_create_user = async_method(DirectoryMethods.admin_create_user)
    admin_enable_user = async_method(DirectoryMethods.admin_enable_user)
    admin_disable_user = async_method(DirectoryMethods.admin_disable_user)
    get_group = async_method(DirectoryMethods.get_group)
    get_groups = async_method(DirectoryMethods.get_groups)
    admin_add_user_to_group = async_method(DirectoryMethods.admin_add_user_to_group)
    admin_remove_user_from_group = async_method(DirectoryMethods.admin_remove_user_from_group)
    admin_list_groups_for_user = async_method(DirectoryMethods.admin_list_groups_for_user)
