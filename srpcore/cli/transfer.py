"""``srpcore users export`` and ``import``: all users of a pool to a file, and back.

Both can be interrupted. Beside the file they keep a second one, ``<file>.progress``, with how far they came, and
delete it at the end::

    export    after each page, in this order: the lines of the page are written to the file and flushed;
              the size of the file and the token of the next page are written to the progress file.
              To go on, the file is cut to that size, because a part of the next page may be in it.
    import    if the user exists, it is left as it is. Otherwise, in this order: the name is written to the progress
              file; the user is created, gets a password and is added to the groups; the number of the line is
              written to the progress file. To go on, the lines up to that number are skipped. If the user whose
              name is in the file exists now, this command created it, and does the rest.

The progress file is replaced as a whole, so it is never half-written.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import secrets
import string
from collections.abc import Generator, Iterable
from pathlib import Path
from typing import Any, BinaryIO, Final, cast

from ..client import Cognito
from ..exceptions.base import ConfigurationError
from ..exceptions.service import ServiceError
from ..exceptions.service_exceptions import UsernameExistsException, UserNotFoundException
from ..protocol import JsonObject
from ..text import printable
from .exit_status import ExitStatus
from .output import note, progress
from .settings import settings_of
from .user_files import UserFile
from .users import pages_of_users

__all__ = ["export_users", "import_users"]

_NOT_IMPORTED: Final = ("sub", "identities", "cognito:mfa_enabled", "cognito:user_status")
"""Attributes that the service sets itself."""


class _Progress:
    """How far a transfer came, in a file beside the file of users."""

    def __init__(self, path: Path, *, restart: bool) -> None:
        self._path = path.with_name(f"{path.name}.progress")
        if restart:
            self.end()

    def load(self) -> dict[str, Any]:
        """Return what was saved last, or an empty object.

        Raises:
            ConfigurationError: the file is damaged.
        """
        try:
            document: object = json.loads(self._path.read_text("utf-8"))
        except FileNotFoundError:
            return {}
        except (OSError, ValueError) as error:
            raise ConfigurationError(f"could not read {self._path} ({error}): pass --restart to begin again") from None
        return cast("dict[str, Any]", document) if isinstance(document, dict) else {}

    def save(self, **members: object) -> None:
        """Save *members* instead of what was saved last."""
        temporary = self._path.with_name(f"{self._path.name}.tmp")
        temporary.write_text(json.dumps(members), "utf-8")
        temporary.replace(self._path)

    def end(self) -> None:
        """Delete the file."""
        self._path.unlink(missing_ok=True)


def export_users(arguments: argparse.Namespace) -> int:
    """Write all users to a file.

    Raises:
        ConfigurationError: the name of the file is invalid, or a file of that name exists already.
        SrpcoreError: the service refused a request, or did not answer; the same command goes on from there.
    """
    settings = settings_of(arguments)
    with settings.administrator() as pool:
        UserFile(arguments.file)  # refuse a wrong name before anything is sent
        file = UserFile(arguments.file, _custom_attributes(pool))
        saved = _Progress(file.path, restart=arguments.restart)
        came = saved.load()
        if not came and file.path.exists() and not arguments.restart:
            raise ConfigurationError(
                f"{file.path} exists already: choose another name, or pass --restart to replace it"
            )
        if came and (came["pool"], came["filter"]) != (pool.user_pool_id, arguments.filter):
            raise ConfigurationError(
                f"{file.path} is an unfinished export of something else: pass --restart to replace it"
            )
        done = _export(pool, file, saved, came, arguments)
    note(f"{done} users were written to {file.path}")
    return 0


def _export(
    pool: Cognito, file: UserFile, saved: _Progress, came: dict[str, Any], arguments: argparse.Namespace
) -> int:
    done = int(came.get("done", 0))
    if done:
        note(f"Going on after {done} users.")
    scope = {"pool": pool.user_pool_id, "filter": arguments.filter}
    if not came:
        # Before the file is made: otherwise the command would refuse it if it is interrupted in the first page.
        saved.save(**scope, page_token=None, size=0, done=0)
    # The mode is 0600: the file has personal data.
    with _explained_interrupt(), _opened(file.path, came) as output, progress("users") as show:
        if not came.get("size"):
            output.write(file.head().encode())
        for page, page_token in _pages(pool, arguments.filter, came):
            if arguments.groups:
                page = [{**user, "groups": pool.admin_list_groups_for_user(user["username"])} for user in page]
            output.write(file.lines(page).encode())
            output.flush()
            done += len(page)
            saved.save(**scope, page_token=page_token, size=output.tell(), done=done)
            show(done)
    saved.end()
    return done


def _pages(pool: Cognito, filter: str | None, came: dict[str, Any]) -> Iterable[tuple[list[JsonObject], str | None]]:
    """Return the pages that are still to be written. If the last one was written already, there is none."""
    page_token = came.get("page_token")
    return () if came.get("size") and page_token is None else pages_of_users(pool, filter, page_token)


@contextlib.contextmanager
def _opened(path: Path, came: dict[str, Any]) -> Generator[BinaryIO, None, None]:
    path.touch(mode=0o600)
    with path.open("r+b") as output:
        output.truncate(int(came.get("size", 0)))
        output.seek(0, 2)
        yield output


@contextlib.contextmanager
def _explained_interrupt() -> Generator[None, None, None]:
    """After Ctrl-C, print how to go on."""
    try:
        yield
    except KeyboardInterrupt:
        note("Interrupted: run the same command again to go on, or with --restart to begin again.")
        raise


def _custom_attributes(pool: Cognito) -> list[str]:
    described = pool.client.describe_user_pool(UserPoolId=pool.user_pool_id)["UserPool"]
    return [str(attribute["Name"]) for attribute in described.get("SchemaAttributes", [])]


def import_users(arguments: argparse.Namespace) -> int:
    """Create the users in a file.

    The whole file is checked before the first user is created. A user that the service refuses is reported, and the
    others are created all the same.

    Raises:
        ConfigurationError: a line of the file is invalid, or the pool does not have a group of the file.
        SrpcoreError: the service did not answer, or refused the administrator; the same command goes on from there.
    """
    file = UserFile(arguments.file)
    groups: list[set[str]] = [{*user.get("groups", [])} for _, user in file.read()]
    saved = _Progress(file.path, restart=arguments.restart)
    counts = {"created": 0, "existed": 0, "refused": 0, "incomplete": 0}
    pool = settings_of(arguments).administrator()
    with pool, _explained_interrupt(), progress("users", len(groups)) as show:
        _require_groups(pool, set[str]().union(*groups), arguments)
        came = {} if arguments.dry_run else saved.load()
        skipped = int(came.get("line", 0))
        if came:
            note(f"Going on after line {skipped}.")
        for done, (number, user) in enumerate(file.read(), 1):
            if number > skipped:
                counts[_import_one(pool, user, number, saved, arguments)] += 1
                if not arguments.dry_run:
                    saved.save(line=number)
            show(done)
    saved.end()
    words = "would be created" if arguments.dry_run else "created"
    incomplete = f", {counts['incomplete']} created incompletely" if counts["incomplete"] else ""
    note(f"{counts['created']} {words}{incomplete}, {counts['existed']} existed already, {counts['refused']} refused")
    return ExitStatus.REFUSED if counts["refused"] or counts["incomplete"] else 0


def _require_groups(pool: Cognito, groups: set[str], arguments: argparse.Namespace) -> None:
    """Create the groups that the pool does not have, or refuse the file because of them."""
    missing = sorted(groups - {group.group_name for group in pool.get_groups()}) if groups else []
    if missing and not arguments.create_groups:
        raise ConfigurationError(
            f"the pool does not have the groups of the file: {', '.join(missing)}. Pass --create-groups, or create "
            "them with: srpcore groups create"
        )
    for group in [] if arguments.dry_run else missing:
        pool.client.create_group(UserPoolId=pool.user_pool_id, GroupName=group)


def _import_one(
    pool: Cognito, user: dict[str, Any], number: int, saved: _Progress, arguments: argparse.Namespace
) -> str:
    name = user["username"]
    began = not arguments.dry_run and saved.load().get("creating") == name
    outcome = "refused"
    try:
        exists = _exists(pool, name)
        if exists and not began:
            return "existed"
        outcome = "created"
        if arguments.dry_run:
            return outcome
        if not exists:
            outcome = "refused"
            saved.save(line=number - 1, creating=name)
            _create(pool, user, arguments)
        outcome = "incomplete"
        _complete(pool, user, arguments)
    except UsernameExistsException:
        return "existed"
    except ServiceError as error:
        if error.code in ("AccessDeniedException", "UnrecognizedClientException", "InvalidSignatureException"):
            raise  # it would be the same for every user
        note(f"line {number}, {name}: {printable(str(error))}")
        return outcome
    return "created"


def _exists(pool: Cognito, name: str) -> bool:
    try:
        pool.client.admin_get_user(UserPoolId=pool.user_pool_id, Username=name)
    except UserNotFoundException:
        return False
    return True


def _create(pool: Cognito, user: dict[str, Any], arguments: argparse.Namespace) -> None:
    name = user["username"]
    attributes = [
        {"Name": attribute, "Value": value}
        for attribute, value in user.get("attributes", {}).items()
        if attribute not in _NOT_IMPORTED
    ]
    named = {"UserPoolId": pool.user_pool_id, "Username": name}
    quietly = {} if arguments.messages else {"MessageAction": "SUPPRESS"}
    pool.client.admin_create_user(**named, UserAttributes=attributes, **quietly)


def _complete(pool: Cognito, user: dict[str, Any], arguments: argparse.Namespace) -> None:
    """Do what follows the creation of a user. Each step may be repeated."""
    name = user["username"]
    if arguments.confirm:
        pool.client.admin_set_user_password(
            UserPoolId=pool.user_pool_id, Username=name, Password=_random_password(), Permanent=True
        )
    for group in user.get("groups", []):
        pool.admin_add_user_to_group(name, group)
    if user.get("enabled") is False:
        pool.admin_disable_user(name)


def _random_password() -> str:
    """Return a password with 128 random bits and a character of each kind that a pool may demand."""
    return secrets.token_urlsafe(24) + "".join(
        secrets.choice(kind) for kind in (string.ascii_lowercase, string.ascii_uppercase, string.digits, "!#$%&*+?")
    )
