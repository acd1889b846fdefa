"""Logins kept in the system's keyring, over the package ``keyring`` (extra ``srpcore[keyring]``)."""

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

# Windows keeps at most 2560 bytes in one entry, in UTF-16; a login has some five thousand characters.
_MAX_CHARACTERS = 1200 if sys.platform == "win32" else None
_HEAD = re.compile(r"pieces:([01]):([1-9][0-9]{0,3})", re.ASCII)

T = TypeVar("T")


class _Keyring(Protocol):
    def get_password(self, service_name: str, username: str) -> str | None: ...

    def set_password(self, service_name: str, username: str, password: str) -> None: ...

    def delete_password(self, service_name: str, username: str) -> None: ...


class KeyringStore:
    """Keep logins in the keyring that the package ``keyring`` is set up for, as passwords of the service *service*.

    Where the keyring's entries are small (*max_characters*; Windows), a login is kept in several, and the first, which
    names the others, is written last: a program that is killed leaves the old login or the new one.

    Keyrings have no locks. Files in *lock_folder* stand in for them; it is ``~/.srpcore/locks`` unless it is given,
    whatever the environment, so that all programs of a user find the same.

    Raises:
        ConfigurationError: the package ``keyring`` is missing, or there is no home folder.
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
        """Return the login kept under *key*, or None.

        Raises:
            ConfigurationError: *key* is no key.
            StoreCorrupt: the entry holds something else; it is left as it is.
            StoreError: the keyring cannot be read, or another program held it until the timeout.
        """
        with self._using(key):
            text = self._read(key)
        if text is None:
            return None
        try:
            return decode(key, text.encode("utf-8", "surrogatepass"))
        except ConfigurationError as error:
            raise self._corrupt(str(error)) from None

    def save(self, key: str, login: Login) -> None:
        """Keep *login* under *key*, in place of what was there.

        Raises:
            ConfigurationError: *key* is no key, or *login* is no :class:`Login`.
            StoreError: the keyring cannot be written, or another program held it until the timeout.
        """
        text = encode(key, login).decode("ascii")
        with self._using(key):
            old = self._generation(key)
            new = None if self._fits(text) else 1 - (old or 0)
            self._set(key, text if new is None else self._set_pieces(key, new, text))
            self._remove_pieces(key, old, but=new)

    def delete(self, key: str) -> None:
        """Forget what is kept under *key*, if anything is, whatever it is.

        Raises:
            ConfigurationError: *key* is no key.
            StoreError: the keyring cannot be written, or another program held it until the timeout.
        """
        with self._using(key):
            old = self._generation(key)
            self._remove(key)
            self._remove_pieces(key, old, but=None)

    @contextmanager
    def lock(self, key: str) -> Generator[None, None, None]:
        """Keep all other threads and programs out of the lock of *key*, by the kernel's lock on a file.

        Raises:
            ConfigurationError: *key* is no key.
            StoreLocked: somebody else held it until the timeout.
            StoreError: the lock file cannot be made or locked, or is not safe.
        """
        with self._locked(key, "lock"):
            yield

    @contextmanager
    def _using(self, key: str) -> Generator[None, None, None]:
        # Several entries are no more read and written at one stroke than a keyring has locks.
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
            raise self._corrupt("a piece of it is missing")
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

    def _remove_pieces(self, key: str, old: int | None, *, but: int | None) -> None:
        if old is None and self._max_characters is None:
            return
        for generation in {0, 1} - {but}:
            count = 0
            while self._get(_piece(key, generation, count)) is not None:
                count += 1
            for index in reversed(range(count)):  # the last first: what a kill leaves is found again
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
        except Exception as error:  # noqa: BLE001 - a backend raises whatever its platform does
            # Not its text, nor it as the cause: some name the value that they could not keep.
            kind = type(error).__name__
        raise StoreError(f"the keyring could not {verb} an entry ({kind}): see `keyring diagnose`, or use a FileStore")

    def _corrupt(self, why: str) -> StoreCorrupt:
        return StoreCorrupt(
            f"an entry of {self.service!r} in the keyring is no login ({why}): delete it, and log in again"
        )


def _load_keyring() -> _Keyring:
    try:
        return cast(_Keyring, import_module("keyring"))
    except ImportError:
        raise ConfigurationError("KeyringStore needs the package keyring: pip install 'srpcore[keyring]'") from None


def _piece(key: str, generation: int, index: int) -> str:
    return f"{key}#{generation}.{index}"
