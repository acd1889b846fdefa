"""The commands of an administrator and their options: ``users`` and ``groups``."""

from __future__ import annotations

import argparse

from .options import Commands, add_administrator, add_command, add_group, add_json

__all__ = ["add_groups", "add_users"]


def add_users(commands: Commands) -> None:
    """Add ``srpcore users``."""
    users = add_group(commands, "users", "manage users (needs AWS credentials)")
    shown = add_command(users, "list", "users:list_users", "list users")
    shown.add_argument("--filter", help='a filter of ListUsers, for example: email ^= "a"')
    shown.add_argument("--limit", type=_positive, help="the highest number of users (default: all)")
    add_administrator(shown)
    add_json(shown)
    one = add_command(users, "get", "users:get", "show one user, with the groups")
    one.add_argument("name", metavar="USER", help="the user")
    add_administrator(one)
    add_json(one)
    create = add_command(
        users,
        "create",
        "users:create",
        "create a user",
        "Create a user. The service sends the user a temporary password. With --permanent, a password is asked for and "
        "set, and nothing is sent.",
    )
    create.add_argument("name", metavar="USER", help="the name of the new user")
    create.add_argument(
        "--attribute", action="append", default=[], metavar="NAME=VALUE", help="an attribute; may be repeated"
    )
    create.add_argument("--group", action="append", default=[], metavar="GROUP", help="add the user; may be repeated")
    create.add_argument("--permanent", action="store_true", help="ask for a permanent password, and send nothing")
    add_administrator(create)
    add_json(create)
    for name, verb in (("disable", "disable"), ("enable", "enable"), ("delete", "delete")):
        several = add_command(users, name, f"users:{verb}", f"{verb} users")
        several.add_argument("names", metavar="USER", nargs="+", help="the users")
        if name == "delete":
            several.add_argument("--yes", action="store_true", help="do not ask")
        add_administrator(several)
    _add_transfer(users)


def _add_transfer(users: Commands) -> None:
    export = add_command(
        users,
        "export",
        "transfer:export_users",
        "write all users to a file",
        "Write all users to a file, as JSON lines or CSV. If the command is interrupted or stopped by an error, the "
        "same command continues the file. Passwords cannot be exported.",
    )
    export.add_argument("file", metavar="FILE", help="the file to write; its name ends in .jsonl or .csv")
    export.add_argument("--filter", help='a filter of ListUsers, for example: email ^= "a"')
    export.add_argument("--groups", action="store_true", help="write the groups too: one more request for each user")
    export.add_argument("--restart", action="store_true", help="begin again, also if an export was interrupted")
    add_administrator(export)
    load = add_command(
        users,
        "import",
        "transfer:import_users",
        "create the users in a file",
        "Create the users in a file of `users export`. Users that exist are left as they are, so the command may be "
        "run again. If it is interrupted or stopped by an error, the same command continues.",
    )
    load.add_argument("file", metavar="FILE", help="the file to read; its name ends in .jsonl or .csv")
    load.add_argument("--dry-run", action="store_true", help="check all but the attributes, and change nothing")
    load.add_argument("--messages", action="store_true", help="let the service send each new user a temporary password")
    load.add_argument(
        "--confirm",
        action="store_true",
        help="give each new user a random permanent password, so that `password forgot` works for users with a "
        "verified e-mail address or phone number",
    )
    load.add_argument("--create-groups", action="store_true", help="create the groups that the pool does not have")
    load.add_argument(
        "--update-groups", action="store_true", help="add users that exist to their groups in the file, too"
    )
    load.add_argument("--restart", action="store_true", help="begin again, also if an import was interrupted")
    add_administrator(load)


def add_groups(commands: Commands) -> None:
    """Add ``srpcore groups``."""
    groups = add_group(commands, "groups", "manage groups (needs AWS credentials)")
    shown = add_command(groups, "list", "groups:list_groups", "list the groups")
    add_administrator(shown)
    add_json(shown)
    members = add_command(groups, "members", "groups:members", "list the users in a group")
    members.add_argument("group", metavar="GROUP", help="the group")
    add_administrator(members)
    add_json(members)
    create = add_command(groups, "create", "groups:create", "create a group")
    create.add_argument("group", metavar="GROUP", help="the name of the new group")
    create.add_argument("--description", dest="text", default="", help="what the group is for")
    add_administrator(create)
    delete = add_command(groups, "delete", "groups:delete", "delete a group; its users remain")
    delete.add_argument("group", metavar="GROUP", help="the group")
    add_administrator(delete)
    for name, summary in (("add", "add users to a group"), ("remove", "remove users from a group")):
        changed = add_command(groups, name, f"groups:{name}", summary)
        changed.add_argument("group", metavar="GROUP", help="the group")
        changed.add_argument("names", metavar="USER", nargs="+", help="the users")
        add_administrator(changed)


def _positive(number: str) -> int:
    if not (number.isdecimal() and int(number) > 0):
        raise argparse.ArgumentTypeError(f"invalid number {number!r}: use a number from 1")
    return int(number)
