"""Store logins in the keyring of the operating system, with the package ``keyring`` (extra ``srpcore[keyring]``).

Theory of operation
===================

A Windows entry is too small for a login. There, the login is cut into pieces, and each piece is an entry of its own::

    <key>                 "pieces:1:3"       the head: use the 3 pieces of generation 1
    <key>#1.0             first piece
    <key>#1.1             second piece
    <key>#1.2             third piece

A new login is written under the other generation (0 or 1). The head is written after the pieces, and the old pieces are
removed last. So a program that is killed leaves the old login or the new one, never a mixture.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Protocol, TypeVar, cast

from ..crypto.encoding import utf8
from ..exceptions.base import ConfigurationError
from ..exceptions.store import StoreCorrupt, StoreError
from .base import LOCK_TIMEOUT, check_timeout
from .file import file_name
from .folder import Folder, folder_path
from .locks import file_lock
from .record import Login, check_key, decode, encode

__all__ = ["KeyringStore"]

# Windows stores at most 2560 bytes in one entry, in UTF-16. A login has about five thousand characters.
_MAX_CHARACTERS = 1200 if sys.platform == "win32" else None
_HEAD = re.compile(r"pieces:([01]):([1-9][0-9]{0,3})", re.ASCII)

T = TypeVar("T")


class _Keyring(Protocol):
    def get_password(self, service_name: str, username: str) -> str | None: ...

    def set_password(self, service_name: str, username: str, password: str) -> None: ...

    def delete_password(self, service_name: str, username: str) -> None: ...


class KeyringStore:
    """A store that keeps logins in the keyring that the package ``keyring`` is set up for.

    A keyring does not have locks, so this store locks files in *lock_folder*. All programs of a user must use the same
    folder. So the default does not depend on the environment of a program.

    Args:
        service: the service name of the entries in the keyring.
        lock_folder: the folder for the lock files; ``~/.srpcore/locks`` by default.
        lock_timeout: seconds to wait for a lock.
        max_characters: the highest number of characters in one entry. A longer login is cut into several entries.

    Raises:
        ConfigurationError: the package ``keyring`` is not installed, or the home folder cannot be found.
    """

    def __init__(
        self,
        service: str = "srpcore",
        *,
        lock_folder: str | Path | None = None,
        lock_timeout: float = LOCK_TIMEOUT,
        max_characters: int | None = _MAX_CHARACTERS,
    ) -> None:
        utf8(service, name="service")
        self.service = service
        self._keyring = _load_keyring()
        self._lock_folder = folder_path("~/.srpcore/locks" if lock_folder is None else lock_folder)
        self._lock_timeout = check_timeout(lock_timeout)
        self._max_characters = max_characters

    def __repr__(self) -> str:
        return f"KeyringStore({self.service!r})"

    def load(self, key: str) -> Login | None:
        """Return the login stored under *key*, or None.

        Raises:
            ConfigurationError: *key* is empty or not a string.
            StoreCorrupt: the entry does not contain a login. It is not changed.
            StoreError: the keyring cannot be read, or another program held its lock until the timeout.
        """
        with self._entry_lock(key):
            text = self._read(key)
        if text is None:
            return None
        try:
            return decode(key, text.encode("utf-8", "surrogatepass"))
        except ConfigurationError as error:
            raise self._corrupt(str(error)) from None

    def save(self, key: str, login: Login) -> None:
        """Store *login* under *key*, instead of what was there.

        Raises:
            ConfigurationError: *key* is empty or not a string, or *login* is not a :class:`Login`.
            StoreError: the keyring cannot be written, or another program held its lock until the timeout.
        """
        text = encode(key, login).decode("ascii")
        with self._entry_lock(key):
            old = self._generation(key)
            new = None if self._fits(text) else 1 - (old or 0)
            self._set(key, text if new is None else self._set_pieces(key, new, text))
            self._remove_pieces(key, old, keep=new)

    def delete(self, key: str) -> None:
        """Delete what is stored under *key*, if there is anything, even if it is not a login.

        Raises:
            ConfigurationError: *key* is empty or not a string.
            StoreError: the keyring cannot be written, or another program held its lock until the timeout.
        """
        with self._entry_lock(key):
            old = self._generation(key)
            self._remove(key)
            self._remove_pieces(key, old, keep=None)

    @contextmanager
    def lock(self, key: str) -> Generator[None, None, None]:
        """Hold the lock of *key* against all other threads and programs. It is an operating system lock on a file.

        Raises:
            ConfigurationError: *key* is empty or not a string.
            StoreLocked: another thread or program held the lock until the timeout.
            StoreError: the lock file cannot be made or locked, or is not safe.
        """
        with self._locked(key, "lock"):
            yield

    @contextmanager
    def _entry_lock(self, key: str) -> Generator[None, None, None]:
        # The keyring cannot read or write several entries in one atomic step, so each method holds this lock meanwhile.
        # It is not the lock of `lock()`, which the caller may be holding.
        with self._locked(key, "use.lock"):
            yield

    @contextmanager
    def _locked(self, key: str, suffix: str) -> Generator[None, None, None]:
        check_key(key)
        name = f"{file_name(f'{len(self.service)}:{self.service}{key}')}.{suffix}"
        with Folder.opened(self._lock_folder, make=True) as folder, file_lock(folder, name, self._lock_timeout):
            yield

    def _read(self, key: str) -> str | None:
        head = self._get(key)
        found = _HEAD.fullmatch(head or "")
        if found is None:
            return head
        pieces = [self._get(_piece(key, int(found[1]), index)) for index in range(int(found[2]))]
        if None in pieces:
            raise self._corrupt("a piece is missing")
        return "".join(cast(list[str], pieces))

    def _generation(self, key: str) -> int | None:
        found = _HEAD.fullmatch(self._get(key) or "")
        return int(found[1]) if found else None

    def _fits(self, text: str) -> bool:
        return self._max_characters is None or len(text) <= self._max_characters

    def _set_pieces(self, key: str, generation: int, text: str) -> str:
        size = self._max_characters or len(text)
        starts = range(0, len(text), size)
        for index, start in enumerate(starts):
            self._set(_piece(key, generation, index), text[start : start + size])
        return f"pieces:{generation}:{len(starts)}"

    def _remove_pieces(self, key: str, old: int | None, *, keep: int | None) -> None:
        if old is None and self._max_characters is None:
            return
        for generation in {0, 1} - {keep}:
            count = 0
            while self._get(_piece(key, generation, count)) is not None:
                count += 1
            # Begin with the last piece. If the program is killed, the next call finds the remaining ones from index 0.
            for index in reversed(range(count)):
                self._remove(_piece(key, generation, index))

    def _get(self, name: str) -> str | None:
        return self._call("read", lambda: self._keyring.get_password(self.service, name))

    def _set(self, name: str, text: str) -> None:
        self._call("write", lambda: self._keyring.set_password(self.service, name, text))

    def _remove(self, name: str) -> None:
        if self._get(name) is not None:
            self._call("delete", lambda: self._keyring.delete_password(self.service, name))

    def _call(self, verb: str, function: Callable[[], T]) -> T:
        try:
            return function()
        except Exception as error:  # noqa: BLE001 - a backend may raise any error of its platform
            # Neither quote the error's message nor chain the error: some backends name the value that they could not
            # store, and that is a token.
            kind = type(error).__name__
        raise StoreError(f"the keyring could not {verb} an entry ({kind}): see `keyring diagnose`, or use a FileStore")

    def _corrupt(self, why: str) -> StoreCorrupt:
        return StoreCorrupt(
            f"an entry of {self.service!r} in the keyring is not a login ({why}): delete it, and log in again"
        )


def _load_keyring() -> _Keyring:
    try:
        return cast(_Keyring, import_module("keyring"))
    except ImportError:
        raise ConfigurationError("KeyringStore needs the package keyring: pip install 'srpcore[keyring]'") from None


def _piece(key: str, generation: int, index: int) -> str:
    return f"{key}#{generation}.{index}"
