"""``srpcore users``: list, show, create, disable, enable and delete users, as an administrator."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from typing import Any, cast

from ..client import Cognito
from ..exceptions.base import ConfigurationError
from ..protocol import JsonObject
from .output import as_json, note, print_json, print_members, print_table
from .password import ask_new_password
from .prompt import ask
from .settings import settings_of

__all__ = ["create", "delete", "disable", "enable", "flat_user", "for_each", "get", "list_users", "pages_of_users"]


def flat_user(user: Mapping[str, Any]) -> dict[str, Any]:
    """Return a user of ListUsers or AdminGetUser as one object with the attributes as a member. Values are strings."""
    attributes = user.get("Attributes", user.get("UserAttributes", []))
    return {
        "username": user.get("Username"),
        "status": user.get("UserStatus"),
        "enabled": user.get("Enabled"),
        "created": user.get("UserCreateDate"),
        "modified": user.get("UserLastModifiedDate"),
        "attributes": {attribute["Name"]: attribute.get("Value") for attribute in attributes},
    }


def pages_of_users(
    pool: Cognito, filter: str | None = None, page_token: str | None = None
) -> Iterator[tuple[list[JsonObject], str | None]]:
    """Yield each page of users, with the token of the next page, or None after the last one."""
    while True:
        parameters = {"UserPoolId": pool.user_pool_id, "Filter": filter, "PaginationToken": page_token}
        reply = pool.client.list_users(**{name: value for name, value in parameters.items() if value is not None})
        page_token = cast("str | None", reply.get("PaginationToken"))
        yield [flat_user(user) for user in reply["Users"]], page_token
        if page_token is None:
            return


def list_users(arguments: argparse.Namespace) -> int:
    """List users.

    Raises:
        SrpcoreError: the service refused the request, or did not answer.
    """
    with settings_of(arguments).administrator() as pool:
        every = (user for page, _ in pages_of_users(pool, arguments.filter) for user in page)
        users = [*islice(every, arguments.limit)]
    if as_json(arguments):
        print_json(users)
    else:
        rows = [
            (user["username"], user["status"], user["enabled"], user["attributes"].get("email"), user["created"])
            for user in users
        ]
        print_table(("USERNAME", "STATUS", "ENABLED", "EMAIL", "CREATED"), rows)
    return 0


def get(arguments: argparse.Namespace) -> int:
    """Show one user, with the groups.

    Raises:
        UserNotFoundException: the user does not exist.
        SrpcoreError: the service refused the request, or did not answer.
    """
    with settings_of(arguments).administrator() as pool:
        user = flat_user(pool.client.admin_get_user(UserPoolId=pool.user_pool_id, Username=arguments.name))
        user["groups"] = pool.admin_list_groups_for_user(arguments.name)
    if as_json(arguments):
        print_json(user)
    else:
        attributes = user.pop("attributes")
        print_members({**user, **attributes})
    return 0


def create(arguments: argparse.Namespace) -> int:
    """Create a user.

    Raises:
        ConfigurationError: an attribute does not have the form NAME=VALUE, or the two passwords differ.
        SrpcoreError: the service refused the request, or did not answer.
    """
    attributes = [_attribute(given) for given in arguments.attribute]
    password = ask_new_password() if arguments.permanent else None
    with settings_of(arguments).administrator() as pool:
        user = {"UserPoolId": pool.user_pool_id, "Username": arguments.name}
        quietly = {"MessageAction": "SUPPRESS"} if arguments.permanent else {}
        reply = pool.client.admin_create_user(**user, UserAttributes=attributes, **quietly)
        if password is not None:
            pool.client.admin_set_user_password(**user, Password=password, Permanent=True)
        for group in arguments.group:
            pool.admin_add_user_to_group(arguments.name, group)
    if as_json(arguments):
        print_json(flat_user(reply["User"]))
    else:
        print(f"{arguments.name} was created")
    return 0


def _attribute(given: str) -> dict[str, str]:
    name, sign, value = given.partition("=")
    if not (name and sign):
        raise ConfigurationError(f"invalid attribute {given!r}: write NAME=VALUE, for example email=alice@example.com")
    return {"Name": name, "Value": value}


def disable(arguments: argparse.Namespace) -> int:
    """Disable users.

    Raises:
        SrpcoreError: the service refused a request, or did not answer; the users before it are disabled.
    """
    return for_each(arguments, "disabled", lambda pool, name: pool.admin_disable_user(name))


def enable(arguments: argparse.Namespace) -> int:
    """Enable users.

    Raises:
        SrpcoreError: the service refused a request, or did not answer; the users before it are enabled.
    """
    return for_each(arguments, "enabled", lambda pool, name: pool.admin_enable_user(name))


def delete(arguments: argparse.Namespace) -> int:
    """Delete users, after a question.

    Raises:
        ConfigurationError: the question was not answered with yes.
        SrpcoreError: the service refused a request, or did not answer; the users before it are deleted.
    """
    if not arguments.yes:
        answer = ask(f"Delete {', '.join(arguments.names)}? This cannot be undone. (yes/no): ")
        if answer.strip().lower() not in ("y", "yes"):
            raise ConfigurationError("nothing was deleted: answer yes, or pass --yes")
    return for_each(arguments, "deleted", lambda pool, name: pool.admin_delete_user(username=name))


def for_each(arguments: argparse.Namespace, done: str, change: Callable[[Cognito, str], None]) -> int:
    """Call *change* for each of ``arguments.names``, print that it is *done*, and return the exit status.

    Raises:
        SrpcoreError: the service refused a request, or did not answer; the users before it are changed.
    """
    with settings_of(arguments).administrator() as pool:
        for name in arguments.names:
            change(pool, name)
            note(f"{name}: {done}")
    return 0
