"""Which pool, app client and user a command is about: from options, the environment, a profile, or the last login.

Theory of operation
===================

Each setting comes from the first of these places that has it::

    1. an option                   --user-pool-id ...
    2. an environment variable     SRPCORE_USER_POOL_ID ...
    3. the profile                 [profiles.NAME] in the file of profiles; NAME is --profile, SRPCORE_PROFILE,
                                   or `default` in that file
    4. the last login              unless the places above name another pool or another app client. So `srpcore token`
                                   after `srpcore login --user-pool-id ...` needs no options

The file of profiles is written by the user (``~/.config/srpcore/config.toml``)::

    default = "work"

    [profiles.work]
    user_pool_id = "eu-west-1_AbCd12345"
    client_id = "4dn6jbcbhqcofxyczo3ms9z4cc"
    username = "alice"

The last login is written by ``srpcore login`` (``~/.local/state/srpcore/last-login.json``), beside the stored logins.
It contains no secret.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Final, NamedTuple, cast

from ..client import Cognito
from ..exceptions.base import ConfigurationError
from ..pool import Pool, default_endpoint
from ..store import FileStore, TokenStore
from .exit_status import NotLoggedIn

__all__ = ["Settings", "logged_in", "profiles_path", "settings_of", "state_folder"]

_STRINGS: Final = ("user_pool_id", "client_id", "username", "endpoint_url", "region", "aws_profile", "store")
_STORES: Final = ("file", "keyring", "none")
_LAST: Final = "last-login.json"


class Settings(NamedTuple):
    """What the commands need to know. An empty string is a setting that no place has."""

    user_pool_id: str
    client_id: str
    client_secret: str
    username: str
    endpoint_url: str
    region: str
    store: str
    allow_http: bool

    def token_store(self) -> TokenStore | None:
        """Return the store of logins, or None if logins are not stored."""
        if self.store == "none":
            return None
        if self.store == "keyring":
            from ..store import KeyringStore

            return KeyringStore()
        return FileStore(state_folder() / "logins")

    def client(self, *, stored: bool = False) -> Cognito:
        """Return a client for the pool and the user. If *stored*, it uses the store of logins.

        Raises:
            ConfigurationError: the pool or the app client is not known, or a setting is invalid.
        """
        self.required("client_id")
        return self._client(self.token_store() if stored else None)

    def administrator(self) -> Cognito:
        """Return a client for an administrator's operations, which need no app client.

        Raises:
            ConfigurationError: the pool is not known, or a setting is invalid.
        """
        return self._client(None)

    def _client(self, store: TokenStore | None) -> Cognito:
        return Cognito(
            Pool(self.required("user_pool_id")).user_pool_id,
            self.client_id,
            self.region or None,
            username=self.username or None,
            client_secret=self.client_secret or None,
            endpoint_url=self.endpoint_url or None,
            allow_http=self.allow_http or None,
            store=store,
        )

    def required(self, name: str) -> str:
        """Return the setting *name*.

        Raises:
            ConfigurationError: no place has it.
        """
        value: str = getattr(self, name)
        if not value:
            option = name.replace("_", "-")
            raise ConfigurationError(
                f"no {name}: give --{option}, set SRPCORE_{name.upper()}, or write it to a profile in {profiles_path()}"
            )
        return value

    def trusted_endpoint(self) -> str:
        """Return the endpoint for fetching keys. No environment variable of AWS counts, because keys are trusted."""
        return self.endpoint_url or default_endpoint(Pool(self.required("user_pool_id")).region)

    def remember(self) -> None:
        """Write this pool, app client and user as the last login."""
        folder = state_folder()
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        names = ("user_pool_id", "client_id", "username", "endpoint_url", "region", "store", "allow_http")
        content = json.dumps({name: getattr(self, name) for name in names}, indent=2) + "\n"
        temporary = folder / f"{_LAST}.{os.getpid()}.tmp"
        temporary.write_text(content, "utf-8")
        temporary.replace(folder / _LAST)


def settings_of(arguments: argparse.Namespace) -> Settings:
    """Return the settings for a command with *arguments*.

    Raises:
        ConfigurationError: the file of profiles is invalid or does not have the profile.
    """
    given = {name: getattr(arguments, name, None) or _variable(name) for name in _STRINGS}
    profile = _profile(getattr(arguments, "profile", None))
    found = {name: given[name] or str(profile.get(name, "")) for name in _STRINGS}
    allow_http = getattr(arguments, "allow_http", False) or profile.get("allow_http") is True
    last = _last_login()
    if all(found[name] in ("", last.get(name)) for name in ("user_pool_id", "client_id")):
        found = {name: found[name] or str(last.get(name, "")) for name in _STRINGS}
        allow_http = allow_http or last.get("allow_http") is True
    if found["store"] not in ("", *_STORES):
        raise ConfigurationError(f"invalid store {found['store']!r}: use {', '.join(_STORES)}")
    if found["aws_profile"]:
        os.environ["AWS_PROFILE"] = found["aws_profile"]
    return Settings(
        found["user_pool_id"],
        found["client_id"],
        os.environ.get("SRPCORE_CLIENT_SECRET", ""),
        found["username"],
        found["endpoint_url"],
        found["region"],
        found["store"] or "file",
        bool(allow_http),
    )


def logged_in(settings: Settings) -> Cognito:
    """Return a client with the stored login of the user. It must be closed.

    Raises:
        NotLoggedIn: no login is stored.
        ConfigurationError: a setting is missing or invalid.
        StoreError: the store cannot be read.
    """
    if not settings.username or settings.store == "none":
        raise NotLoggedIn("not logged in: run srpcore login")
    user = settings.client(stored=True)
    with contextlib.ExitStack() as stack:
        stack.enter_context(user)
        if not user.restore():
            raise NotLoggedIn(f"no login of {settings.username} is stored: run srpcore login")
        stack.pop_all()
    return user


def state_folder() -> Path:
    """Return the folder of the stored logins: ``$XDG_STATE_HOME/srpcore`` or its default."""
    if sys.platform == "win32":
        return _home("LOCALAPPDATA", "AppData/Local") / "srpcore"
    return _home("XDG_STATE_HOME", ".local/state") / "srpcore"


def profiles_path() -> Path:
    """Return the path of the file of profiles: ``$SRPCORE_CONFIG``, or ``$XDG_CONFIG_HOME/srpcore/config.toml``."""
    if path := os.environ.get("SRPCORE_CONFIG"):
        return Path(path)
    if sys.platform == "win32":
        return _home("APPDATA", "AppData/Roaming") / "srpcore" / "config.toml"
    return _home("XDG_CONFIG_HOME", ".config") / "srpcore" / "config.toml"


def _home(variable: str, default: str) -> Path:
    return Path(os.environ.get(variable) or Path.home() / default)


def _variable(name: str) -> str:
    # Not for the endpoint: an environment variable must not change which keys are trusted. For a login, the transport
    # reads AWS's own variables for the endpoint.
    return "" if name == "endpoint_url" else os.environ.get(f"SRPCORE_{name.upper()}", "")


def _profile(name: str | None) -> Mapping[str, object]:
    path = profiles_path()
    name = name or os.environ.get("SRPCORE_PROFILE") or ""
    try:
        document: dict[str, object] = tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        if name:
            raise ConfigurationError(f"no profile {name!r}: {path} does not exist") from None
        return {}
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigurationError(f"could not read the profiles in {path}: {error}") from None
    name = name or str(document.get("default", ""))
    if not name:
        return {}
    profiles = document.get("profiles", {})
    profile = cast("dict[str, object]", profiles).get(name) if isinstance(profiles, dict) else None
    if not isinstance(profile, dict):
        raise ConfigurationError(f"no profile {name!r} in {path}: write it as [profiles.{name}]")
    return _checked(cast("dict[str, object]", profile), name, path)


def _checked(profile: dict[str, object], name: str, path: Path) -> dict[str, object]:
    kinds: dict[str, type] = {**dict.fromkeys(_STRINGS, str), "allow_http": bool}
    for setting, value in profile.items():
        if setting == "client_secret":
            raise ConfigurationError(
                f"client_secret in profile {name!r} of {path}: set SRPCORE_CLIENT_SECRET instead, because the file is "
                "not protected"
            )
        if setting not in kinds:
            raise ConfigurationError(
                f"unknown setting {setting!r} in profile {name!r} of {path}: use {', '.join(kinds)}"
            )
        if not isinstance(value, kinds[setting]):
            kind = "true or false" if kinds[setting] is bool else "a string"
            raise ConfigurationError(f"{setting} in profile {name!r} of {path} must be {kind}")
    return profile


def _last_login() -> Mapping[str, object]:
    try:
        document: object = json.loads((state_folder() / _LAST).read_text("utf-8"))
    except (OSError, ValueError):
        return {}  # it is only a convenience, so a file that cannot be read is as good as none
    return cast("dict[str, object]", document) if isinstance(document, dict) else {}
