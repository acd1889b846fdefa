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

The progress file also has the kind of the transfer, the options that change the result, and for an import a digest of
the lines up to that number. A transfer goes on with the same options and lines only: otherwise a file would have the
groups of some users only, for example. A file that an export has not finished is not imported.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import json
import secrets
import string
from collections.abc import Generator, Iterable
from pathlib import Path
from typing import Any, BinaryIO, Final

from ..client import Cognito
from ..exceptions.base import ConfigurationError
from ..exceptions.service import ServiceError
from ..exceptions.service_exceptions import UsernameExistsException, UserNotFoundException
from ..protocol import JsonObject
from ..text import printable
from .exit_status import ExitStatus
from .output import Progress, note, progress
from .settings import settings_of
from .transfer_progress import TransferProgress, require_same_options
from .user_files import UserFile
from .users import pages_of_users

__all__ = ["export_users", "import_users"]

_NOT_IMPORTED: Final = ("sub", "identities", "cognito:mfa_enabled", "cognito:user_status")
"""Attributes that the service sets itself."""


def export_users(arguments: argparse.Namespace) -> int:
    """Write all users to a file.

    Raises:
        ConfigurationError: the name of the file is invalid, a file of that name exists already or belongs to an
            unfinished import, or the export was begun with other options or has lost lines that it wrote.
        SrpcoreError: the service refused a request, or did not answer; the same command goes on from there.
    """
    settings = settings_of(arguments)
    path = UserFile(arguments.file).path  # refuse a wrong name before anything is sent
    with settings.administrator() as pool:
        saved = TransferProgress(path, "export", restart=arguments.restart)
        came = saved.load()
        if not came and path.exists() and not arguments.restart:
            raise ConfigurationError(f"{path} exists already: choose another name, or pass --restart to replace it")
        options = {"user_pool_id": pool.user_pool_id, "filter": arguments.filter, "groups": arguments.groups}
        require_same_options(str(path), came, options)
        _require_written(path, int(came.get("size", 0)))
        with saved.explained():
            done = _export(pool, path, saved, came, options)
    note(f"{done} users were written to {path}")
    return 0


def _require_written(path: Path, size: int) -> None:
    """Refuse to go on if the file has not all *size* bytes that were written: users would be missing at the end."""
    if size and (not path.exists() or path.stat().st_size < size):
        raise ConfigurationError(
            f"{path} is missing or shorter than when the export stopped ({size} bytes): put it back, or pass --restart"
        )


def _export(pool: Cognito, path: Path, saved: TransferProgress, came: dict[str, Any], options: dict[str, Any]) -> int:
    described = pool.client.describe_user_pool(UserPoolId=pool.user_pool_id)["UserPool"]
    # The columns stay as they were when the file was begun, even if the pool has another attribute since.
    attributes: list[str] = [str(attribute["Name"]) for attribute in described.get("SchemaAttributes", [])]
    custom = came.get("custom", attributes)
    file, scope, done = UserFile(str(path), custom), {**options, "custom": custom}, int(came.get("done", 0))
    if done:
        note(f"Going on after {done} users.")
    if not came:
        # Before the file is made: otherwise the command would refuse it if it is interrupted in the first page.
        saved.save(**scope, page_token=None, size=0, done=0)
    total = None if options["filter"] else described.get("EstimatedNumberOfUsers") or None
    # The mode is 0600: the file has personal data.
    with _opened(path, came) as output, progress("users", total) as show:
        if not came.get("size"):
            output.write(file.head().encode())
        for page, page_token in _pages(pool, options["filter"], came):
            if options["groups"]:
                page = list(_with_groups(pool, page, done, show))
            output.write(file.lines(page).encode())
            output.flush()
            done += len(page)
            saved.save(**scope, page_token=page_token, size=output.tell(), done=done)
            show(done)
    saved.end()
    return done


def _with_groups(pool: Cognito, page: list[JsonObject], done: int, show: Progress) -> Iterable[JsonObject]:
    """Yield the users of *page* with their groups. It takes a request for each, so the progress is shown for each."""
    for number, user in enumerate(page, done + 1):
        yield {**user, "groups": pool.admin_list_groups_for_user(user["username"])}
        show(number)


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


def import_users(arguments: argparse.Namespace) -> int:
    """Create the users in a file.

    The whole file is checked before the first user is created. A user that the service refuses is reported, and the
    others are created all the same.

    Raises:
        ConfigurationError: a line of the file is invalid, the file is an unfinished export, the pool does not have a
            group of the file, or the import was begun with other options or other lines.
        SrpcoreError: the service did not answer, or refused the administrator; the same command goes on from there.
    """
    counts = _Import(UserFile(arguments.file), arguments).run()
    words = "would be created" if arguments.dry_run else "created"
    incomplete = f", {counts['incomplete']} created incompletely" if counts["incomplete"] else ""
    note(f"{counts['created']} {words}{incomplete}, {counts['existed']} existed already, {counts['refused']} refused")
    return ExitStatus.REFUSED if counts["refused"] or counts["incomplete"] else 0


class _Import:
    """One import of a *file*, from its beginning or after an interruption."""

    def __init__(self, file: UserFile, arguments: argparse.Namespace) -> None:
        self._file = file
        self._arguments = arguments
        restart, dry_run = arguments.restart, arguments.dry_run
        # Before the file is read: the last line of an unfinished export may be incomplete.
        self._saved = TransferProgress(file.path, "import", restart=restart, dry_run=dry_run)
        self._groups, self._total, unreachable = set[str](), 0, 0
        for _, user in file.read():
            self._total += 1
            self._groups.update(user.get("groups", []))
            unreachable += not _has_verified_address(user)
        if arguments.confirm and unreachable:
            _warn_of_unreachable(unreachable)
        self._pool = settings_of(arguments).administrator()
        names = ("confirm", "messages", "update_groups")
        self._options = {name: getattr(arguments, name) for name in names}
        came = self._came = self._saved.load()
        counts = dict.fromkeys(("created", "existed", "refused", "incomplete"), 0)
        self._counts: dict[str, int] = {**counts, **came.get("counts", {})}

    def run(self) -> dict[str, int]:
        """Create the users, and return the number of each outcome, with those before an interruption."""
        options = {"user_pool_id": self._pool.user_pool_id, **self._options}
        require_same_options(f"the import of {self._file.path}", self._came, options)
        skipped = int(self._came.get("line", 0))
        self._require_same_lines(skipped)
        with self._pool, self._saved.explained(), progress("users", self._total) as show:
            self._require_groups()
            if self._came:
                note(f"Going on after line {skipped}.")
            digest = hashlib.sha256()
            scope = {**options, "counts": self._counts}
            for done, (number, user) in enumerate(self._file.read(), 1):
                came = {**scope, "line": number - 1, "digest": digest.hexdigest()}
                digest.update(_digested(number, user))
                if number > skipped:
                    self._counts[self._import_one(user, number, came)] += 1
                    self._saved.save(**scope, line=number, digest=digest.hexdigest())
                show(done)
        self._saved.end()
        return self._counts

    def _require_same_lines(self, skipped: int) -> None:
        digest = hashlib.sha256()
        for number, user in self._file.read() if skipped else ():
            if number <= skipped:
                digest.update(_digested(number, user))
        if skipped and digest.hexdigest() != self._came.get("digest"):
            raise ConfigurationError(
                f"{self._file.path} was changed in the first {skipped} lines, which were imported already: pass "
                "--restart to begin again (users that exist are left as they are)"
            )

    def _require_groups(self) -> None:
        """Create the groups that the pool does not have, or refuse the file because of them."""
        groups = {group.group_name for group in self._pool.get_groups()} if self._groups else set[str]()
        missing = sorted(self._groups - groups)
        if missing and not self._arguments.create_groups:
            raise ConfigurationError(
                f"the pool does not have the groups of the file: {', '.join(missing)}. Pass --create-groups, or create "
                "them with: srpcore groups create"
            )
        for group in [] if self._arguments.dry_run else missing:
            self._pool.client.create_group(UserPoolId=self._pool.user_pool_id, GroupName=group)

    def _import_one(self, user: dict[str, Any], number: int, came: dict[str, Any]) -> str:
        """Import one user, and return the outcome. *came* is what to save before the user is created."""
        name = user["username"]
        began = self._came.get("creating") == name and self._came.get("line") == number - 1
        outcome = "existed"
        try:
            exists = self._exists(name)
            if self._arguments.dry_run:
                return "existed" if exists else "created"
            if exists and not began:
                if self._arguments.update_groups:
                    self._add_to_groups(user)
                return outcome
            if not exists:
                outcome = "refused"
                self._saved.save(**came, creating=name)
                self._create(user)
            outcome = "incomplete"
            self._complete(user)
        except UsernameExistsException:
            return "existed"
        except ServiceError as error:
            if _same_for_every_user(error):
                raise
            note(f"line {number}, {name}: {printable(str(error))}")
            return "refused" if outcome == "existed" else outcome
        return "created"

    def _exists(self, name: str) -> bool:
        try:
            self._pool.client.admin_get_user(UserPoolId=self._pool.user_pool_id, Username=name)
        except UserNotFoundException:
            return False
        return True

    def _create(self, user: dict[str, Any]) -> None:
        attributes = [
            {"Name": attribute, "Value": value}
            for attribute, value in user.get("attributes", {}).items()
            if attribute not in _NOT_IMPORTED
        ]
        named = {"UserPoolId": self._pool.user_pool_id, "Username": user["username"]}
        quietly = {} if self._arguments.messages else {"MessageAction": "SUPPRESS"}
        self._pool.client.admin_create_user(**named, UserAttributes=attributes, **quietly)

    def _complete(self, user: dict[str, Any]) -> None:
        """Do what follows the creation of a user. Each step may be repeated."""
        name = user["username"]
        if self._arguments.confirm:
            self._pool.client.admin_set_user_password(
                UserPoolId=self._pool.user_pool_id, Username=name, Password=_random_password(), Permanent=True
            )
        self._add_to_groups(user)
        if user.get("enabled") is False:
            self._pool.admin_disable_user(name)

    def _add_to_groups(self, user: dict[str, Any]) -> None:
        for group in user.get("groups", []):
            self._pool.admin_add_user_to_group(user["username"], group)


def _same_for_every_user(error: ServiceError) -> bool:
    """Return whether the credentials or the pool are wrong, and not something about one user or one of the groups."""
    if error.code == "ResourceNotFoundException":
        return error.operation in ("AdminGetUser", "AdminCreateUser")
    return error.code in ("AccessDeniedException", "UnrecognizedClientException", "InvalidSignatureException")


def _has_verified_address(user: dict[str, Any]) -> bool:
    """Return whether the service can send the user a code to set a password with."""
    attributes: dict[str, str] = user.get("attributes", {})
    return any(
        attributes.get(name) and attributes.get(f"{name}_verified", "").lower() == "true"
        for name in ("email", "phone_number")
    )


def _warn_of_unreachable(number: int) -> None:
    users = "1 user of the file has" if number == 1 else f"{number} users of the file have"
    note(
        f"Warning: {users} no verified address. The service sends such a user no code, so `password forgot` does not "
        "work: write true in the column email_verified or phone_number_verified."
    )


def _digested(number: int, user: dict[str, Any]) -> bytes:
    return json.dumps([number, user], sort_keys=True).encode()


def _random_password() -> str:
    """Return a password with 128 random bits and a character of each kind that a pool may demand."""
    return secrets.token_urlsafe(24) + "".join(
        secrets.choice(kind) for kind in (string.ascii_lowercase, string.ascii_uppercase, string.digits, "!#$%&*+?")
    )
