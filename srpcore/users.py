"""Users and groups as objects, and their attributes between the service's lists and Python's dictionaries."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, cast

from .exceptions.base import ConfigurationError

__all__ = ["GroupObj", "UserObj", "camel_to_snake", "cognito_to_dict", "dict_to_cognito", "snake_to_camel"]

_BOOLEANS = {"true": True, "false": False}


def cognito_to_dict(
    attr_list: Iterable[Mapping[str, Any]], attr_map: Mapping[str, str] | None = None
) -> dict[str | None, Any]:
    """Return a list of ``{"Name": ..., "Value": ...}`` as a dictionary; ``"true"`` and ``"false"`` become booleans.

    *attr_map* says under which name an attribute of the service is shown.
    """
    shown = attr_map or {}
    attributes: dict[str | None, Any] = {}
    for attribute in attr_list:
        name, value = attribute.get("Name"), attribute.get("Value")
        attributes[shown.get(cast(str, name), name)] = _BOOLEANS.get(value, value) if isinstance(value, str) else value
    return attributes


def dict_to_cognito(attributes: Mapping[str, Any], attr_map: Mapping[str, str] | None = None) -> list[dict[str, Any]]:
    """Return *attributes* as the service's list; booleans become ``"true"`` and ``"false"``. Nothing given is changed.

    *attr_map* is :func:`cognito_to_dict`'s: the service's name to the name shown.
    """
    renamed = dict(attributes)
    for name, shown in (attr_map or {}).items():
        if shown in renamed:
            renamed[name] = renamed.pop(shown)
    return [{"Name": name, "Value": _text(value)} for name, value in renamed.items()]


def _text(value: Any) -> Any:
    return str(value).lower() if isinstance(value, bool) else value


def camel_to_snake(camel_str: str) -> str:
    """Return ``snake_case`` of *camel_str*."""
    words = re.sub("(.)([A-Z][a-z]+)", r"\1_\2", camel_str)
    return re.sub("([a-z0-9])([A-Z])", r"\1_\2", words).lower()


def snake_to_camel(snake_str: str) -> str:
    """Return ``CamelCase`` of *snake_str*."""
    return "".join(word.title() for word in snake_str.split("_"))


class UserObj:
    """One user: the attributes by their names (or those of *attr_map*), and the metadata by theirs.

    *cognito_obj* is the facade that the user came from; with an AsyncCognito, :meth:`save` and :meth:`delete` return
    what is to be awaited.
    """

    def __init__(
        self,
        username: str | None,
        attribute_list: Iterable[Mapping[str, Any]],
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
        # By way of __dict__: an object that is being copied or unpickled has no attributes yet.
        for values in (self.__dict__.get("_data", {}), self.__dict__.get("_metadata", {})):
            if name in values:
                return values[name]
        raise AttributeError(name)

    def __setattr__(self, name: str, value: Any) -> None:
        if name in self.__dict__.get("_data", {}):
            self._data[name] = value
        else:
            super().__setattr__(name, value)

    def save(self, admin: bool = False) -> Any:
        """Write the attributes back: as this user, or with *admin* and AWS credentials for any user.

        Raises:
            ConfigurationError: without *admin*, if somebody else is logged in; nothing was sent.
            ServiceError: the service refused.
        """
        if admin:
            return self._cognito.admin_update_profile(self._data, self._attr_map, **self._of_another())
        self._refuse_another()
        return self._cognito.update_profile(self._data, self._attr_map)

    def delete(self, admin: bool = False) -> Any:
        """Delete the account: as this user, or with *admin* and AWS credentials that of any user.

        Raises:
            ConfigurationError: without *admin*, if somebody else is logged in; nothing was sent.
            ServiceError: the service refused.
        """
        if admin:
            return self._cognito.admin_delete_user(**self._of_another())
        self._refuse_another()
        return self._cognito.delete_user()

    def _of_another(self) -> dict[str, Any]:
        if self.username is None:
            raise ConfigurationError("this user has no username: there is nobody to act on")
        # Left out where it says nothing new: a subclass of the facade may have pycognito's signature.
        return {} if self.username == self._cognito.username else {"username": self.username}

    def _refuse_another(self) -> None:
        if not self._cognito.is_logged_in_as(self.username, self.sub):
            raise ConfigurationError("another user is logged in: save and delete act on that one; use admin=True")


class GroupObj:
    """One group of the pool. *group_data* is the service's; it is not changed."""

    def __init__(self, group_data: Mapping[str, Any], cognito_obj: Any) -> None:
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
