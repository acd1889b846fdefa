"""``srpcore groups``: manage groups and their users, as an administrator."""

from __future__ import annotations

import argparse

from .output import as_json, note, print_json, print_table
from .settings import settings_of
from .users import flat_user, for_each

__all__ = ["add", "create", "delete", "list_groups", "members", "remove"]


def list_groups(arguments: argparse.Namespace) -> int:
    """List the groups.

    Raises:
        SrpcoreError: the service refused the request, or did not answer.
    """
    with settings_of(arguments).administrator() as pool:
        groups = [
            {"name": group.group_name, "description": group.description, "precedence": group.precedence}
            for group in pool.get_groups()
        ]
    if as_json(arguments):
        print_json(groups)
    else:
        print_table(("NAME", "DESCRIPTION", "PRECEDENCE"), [[*group.values()] for group in groups])
    return 0


def members(arguments: argparse.Namespace) -> int:
    """List the users in a group.

    Raises:
        ResourceNotFoundException: the group does not exist.
        SrpcoreError: the service refused the request, or did not answer.
    """
    with settings_of(arguments).administrator() as pool:
        pages = pool.client.get_paginator("list_users_in_group").paginate(
            UserPoolId=pool.user_pool_id, GroupName=arguments.group
        )
        users = [flat_user(user) for page in pages for user in page["Users"]]
    if as_json(arguments):
        print_json(users)
    else:
        rows = [(user["username"], user["status"], user["enabled"], user["attributes"].get("email")) for user in users]
        print_table(("USERNAME", "STATUS", "ENABLED", "EMAIL"), rows)
    return 0


def create(arguments: argparse.Namespace) -> int:
    """Create a group.

    Raises:
        SrpcoreError: the service refused the request, or did not answer.
    """
    with settings_of(arguments).administrator() as pool:
        more = {"Description": arguments.text} if arguments.text else {}
        pool.client.create_group(UserPoolId=pool.user_pool_id, GroupName=arguments.group, **more)
    note(f"{arguments.group} was created")
    return 0


def delete(arguments: argparse.Namespace) -> int:
    """Delete a group. Its users remain.

    Raises:
        SrpcoreError: the service refused the request, or did not answer.
    """
    with settings_of(arguments).administrator() as pool:
        pool.client.delete_group(UserPoolId=pool.user_pool_id, GroupName=arguments.group)
    note(f"{arguments.group} was deleted")
    return 0


def add(arguments: argparse.Namespace) -> int:
    """Add users to a group.

    Raises:
        SrpcoreError: the service refused a request, or did not answer; the users before it were added.
    """
    return for_each(
        arguments,
        f"added to {arguments.group}",
        lambda pool, name: pool.admin_add_user_to_group(name, arguments.group),
    )


def remove(arguments: argparse.Namespace) -> int:
    """Remove users from a group.

    Raises:
        SrpcoreError: the service refused a request, or did not answer; the users before it were removed.
    """
    return for_each(
        arguments,
        f"removed from {arguments.group}",
        lambda pool, name: pool.admin_remove_user_from_group(name, arguments.group),
    )
