"""Users and groups as objects, and the conversion of attributes between the service's lists and dictionaries."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, cast

from ._pickling import NotPickled
from .exceptions.base import ConfigurationError

__all__ = [
    "AsyncUserObj",
    "GroupObj",
    "UserObj",
    "attribute_value",
    "camel_to_snake",
    "cognito_to_dict",
    "dict_to_cognito",
    "snake_to_camel",
]

_BOOLEANS = {"true": True, "false": False}


def cognito_to_dict(
    attr_list: Iterable[Mapping[str, object]], attr_map: Mapping[str, str] | None = None
) -> dict[str | None, Any]:
    """Return the service's list of ``{"Name": ..., "Value": ...}`` as a dictionary.

    The values ``"true"`` and ``"false"`` become booleans. *attr_map* maps the service's name of an attribute to the
    name in the result.
    """
    shown = attr_map or {}
    attributes: dict[str | None, Any] = {}
    for attribute in attr_list:
        name, value = cast("str | None", attribute.get("Name")), attribute.get("Value")
        attributes[shown.get(cast(str, name), name)] = _BOOLEANS.get(value, value) if isinstance(value, str) else value
    return attributes


def dict_to_cognito(
    attributes: Mapping[str, object], attr_map: Mapping[str, str] | None = None
) -> list[dict[str, Any]]:
    """Return *attributes* as the service's list. Booleans become ``"true"`` and ``"false"``, numbers their digits.

    *attr_map* is as in :func:`cognito_to_dict`: it maps the service's name to the name in *attributes*. The arguments
    are not changed.
    """
    renamed = dict(attributes)
    for name, shown in (attr_map or {}).items():
        if shown in renamed:
            renamed[name] = renamed.pop(shown)
    return [{"Name": name, "Value": attribute_value(value)} for name, value in renamed.items()]


def attribute_value(value: Any) -> Any:
    """Return *value* as the service wants it in an attribute: a boolean or a number becomes a string.

    All attributes are strings in the API, even those that the pool's schema declares as Number or Boolean. Anything
    else is returned as it is, for the service or botocore to refuse.
    """
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return str(value).lower()
    # `Number` covers Decimal as well, which DynamoDB's client returns for every number.
    from numbers import Number  # only here, because a login seldom needs it

    return str(value) if isinstance(value, Number) else value


def camel_to_snake(camel_str: str) -> str:
    """Return *camel_str*, for example ``UserStatus``, in snake case: ``user_status``."""
    words = re.sub("(.)([A-Z][a-z]+)", r"\1_\2", camel_str)
    return re.sub("([a-z0-9])([A-Z])", r"\1_\2", words).lower()


def snake_to_camel(snake_str: str) -> str:
    """Return *snake_str*, for example ``user_status``, in camel case: ``UserStatus``."""
    return "".join(word.title() for word in snake_str.split("_"))


class _User(NotPickled):
    """What both classes of users share: the attributes, and whether the user may be changed."""

    _instead_of_pickling = "it has a Cognito with connections. Keep the username, and get the user again with get_user"

    def __init__(
        self,
        username: str | None,
        attribute_list: Iterable[Mapping[str, object]],
        cognito_obj: Any,
        metadata: dict[str, Any] | None = None,
        attr_map: Mapping[str, str] | None = None,
    ) -> None:
        self.username = username
        self._cognito = cognito_obj
        self._attr_map: Mapping[str, str] = {} if attr_map is None else attr_map
        self._data = cognito_to_dict(attribute_list, self._attr_map)
        self.sub = self._data.pop("sub", None)
        self.email_verified = self._data.pop("email_verified", None)
        self.phone_number_verified = self._data.pop("phone_number_verified", None)
        self._metadata: dict[str, Any] = {} if metadata is None else metadata

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {self.__unicode__()}>"

    def __unicode__(self) -> str | None:
        return self.username

    def __getattr__(self, name: str) -> Any:
        # Use __dict__: while an object is copied or unpickled, `_data` does not exist yet, and looking it up as an
        # attribute would call this method again, without end.
        for values in (self.__dict__.get("_data", {}), self.__dict__.get("_metadata", {})):
            if name in values:
                return values[name]
        raise AttributeError(name)

    def __setattr__(self, name: str, value: Any) -> None:
        if name in self.__dict__.get("_data", {}):
            self._data[name] = value
        else:
            super().__setattr__(name, value)

    def _username_argument(self) -> dict[str, Any]:
        if self.username is None:
            raise ConfigurationError("user has no username: get the user with admin_get_user or get_users")
        # Leave the argument out if it would not change anything: a subclass of Cognito may override the method with
        # pycognito's signature, which does not have it.
        return {} if self.username == self._cognito.username else {"username": self.username}

    def _require_own_login(self) -> None:
        if not self._cognito.is_logged_in_as(self.username, self.sub):
            raise ConfigurationError(
                "another user is logged in, and save() and delete() would change that user: use admin=True"
            )


class UserObj(_User):
    """One user. The user's attributes and metadata are attributes of this object.

    Args:
        username: the user's name.
        attribute_list: the attributes, as the service lists them.
        cognito_obj: the ``Cognito`` that the user came from.
        metadata: more values, for example ``user_status``.
        attr_map: maps the service's name of an attribute to its name on this object.
    """

    def save(self, admin: bool = False) -> None:
        """Write the attributes to the service.

        Without *admin*, this user must be the one who is logged in. With *admin* it can be any user, but AWS
        credentials are needed.

        Raises:
            ConfigurationError: *admin* is false, and another user is logged in; or *admin* is true, and the user has no
                name. Nothing was sent.
            AccessTokenRequired: *admin* is false, and the ``Cognito`` has no access token; nothing was sent.
            ServiceError: the service refused the request.
            TransportError: the service did not answer.
        """
        if admin:
            self._cognito.admin_update_profile(self._data, self._attr_map, **self._username_argument())
        else:
            self._require_own_login()
            self._cognito.update_profile(self._data, self._attr_map)

    def delete(self, admin: bool = False) -> None:
        """Delete the account.

        Without *admin*, this user must be the one who is logged in. With *admin* it can be any user, but AWS
        credentials are needed.

        Raises:
            ConfigurationError: *admin* is false, and another user is logged in; or *admin* is true, and the user has no
                name. Nothing was sent.
            AccessTokenRequired: *admin* is false, and the ``Cognito`` has no access token; nothing was sent.
            ServiceError: the service refused the request.
            TransportError: the service did not answer.
        """
        if admin:
            self._cognito.admin_delete_user(**self._username_argument())
        else:
            self._require_own_login()
            self._cognito.delete_user()


class AsyncUserObj(_User):
    """One user, as ``AsyncCognito`` returns it. The arguments are those of :class:`UserObj`."""

    async def save(self, admin: bool = False) -> None:
        """Write the attributes to the service: the async version of :meth:`UserObj.save`.

        Raises:
            ConfigurationError: *admin* is false, and another user is logged in; or *admin* is true, and the user has no
                name. Nothing was sent.
            AccessTokenRequired: *admin* is false, and the ``AsyncCognito`` has no access token; nothing was sent.
            ServiceError: the service refused the request.
            TransportError: the service did not answer.
        """
        if admin:
            await self._cognito.admin_update_profile(self._data, self._attr_map, **self._username_argument())
        else:
            self._require_own_login()
            await self._cognito.update_profile(self._data, self._attr_map)

    async def delete(self, admin: bool = False) -> None:
        """Delete the account: the async version of :meth:`UserObj.delete`.

        Raises:
            ConfigurationError: *admin* is false, and another user is logged in; or *admin* is true, and the user has no
                name. Nothing was sent.
            AccessTokenRequired: *admin* is false, and the ``AsyncCognito`` has no access token; nothing was sent.
            ServiceError: the service refused the request.
            TransportError: the service did not answer.
        """
        if admin:
            await self._cognito.admin_delete_user(**self._username_argument())
        else:
            self._require_own_login()
            await self._cognito.delete_user()


class GroupObj(NotPickled):
    """One group of the pool. *group_data* is a GroupType of the service. It is not changed."""

    _instead_of_pickling = "it has a Cognito with connections. Keep the group's name, and get it again with get_group"

    def __init__(self, group_data: Mapping[str, Any], cognito_obj: object) -> None:
        self._data = dict(group_data)
        self._cognito = cognito_obj
        self.group_name: str | None = self._data.pop("GroupName", None)
        self.description = self._data.pop("Description", None)
        self.creation_date = self._data.pop("CreationDate", None)
        self.last_modified_date = self._data.pop("LastModifiedDate", None)
        self.role_arn = self._data.pop("RoleArn", None)
        self.precedence = self._data.pop("Precedence", None)

    def __unicode__(self) -> str | None:
        return self.group_name

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {self.__unicode__()}>"
