"""The shared files of the AWS tools: the profile that applies, and its settings."""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping
from configparser import Error, RawConfigParser
from dataclasses import dataclass, field
from pathlib import Path

from srpcore.exceptions.base import ConfigurationError
from srpcore.exceptions.context import without_context

from .values import Credentials

__all__ = ["Profile", "load_profile", "profile_region", "profile_setting", "static_keys"]

_Sections = dict[str, dict[str, str]]


@dataclass(frozen=True, slots=True)
class Profile:
    """One profile. The sections contain secrets, so the repr does not show them.

    Attributes:
        name: the profile's name.
        shared: its section of the credentials file, or None if it is absent.
        config: its section of the configuration file, or None if it is absent.
        looked_at: the paths of the files and whether they exist, for messages.
    """

    name: str
    shared: Mapping[str, str] | None = field(repr=False)
    config: Mapping[str, str] | None = field(repr=False)
    looked_at: str

    @property
    def settings(self) -> dict[str, str]:
        """The settings of both sections. As in botocore, those of the credentials file take precedence."""
        return {**(self.config or {}), **(self.shared or {})}


def load_profile() -> Profile:
    """Return the profile that ``AWS_DEFAULT_PROFILE`` or ``AWS_PROFILE`` names, or the profile ``default``.

    The files are those that ``AWS_SHARED_CREDENTIALS_FILE`` and ``AWS_CONFIG_FILE`` name, or those in ``~/.aws``. The
    precedence of variables, files and sections is that of botocore (``configprovider``, ``configloader`` and
    ``session.full_config``). The profile ``default`` may be empty.

    Raises:
        ConfigurationError: a file cannot be parsed, or a variable names a profile that is in neither file.
    """
    named = os.environ.get("AWS_DEFAULT_PROFILE") or os.environ.get("AWS_PROFILE")
    profile = _profile(named or "default")
    if named and profile.shared is None and profile.config is None:
        raise ConfigurationError(
            f"there is no profile {named!r}, which AWS_PROFILE names: looked at {profile.looked_at}"
        )
    return profile


def profile_region() -> str | None:
    """Return the ``region`` of the profile, or None if the profile or its region is missing.

    Raises:
        ConfigurationError: a file cannot be parsed.
    """
    return profile_setting("region")


def profile_setting(setting: str) -> str | None:
    """Return a setting of the profile, or None if the profile or the setting is missing or empty.

    Raises:
        ConfigurationError: a file cannot be parsed.
    """
    name = os.environ.get("AWS_DEFAULT_PROFILE") or os.environ.get("AWS_PROFILE") or "default"
    return _profile(name).settings.get(setting) or None


def static_keys(section: Mapping[str, str] | None, name: str) -> Credentials | None:
    """Return the keys in *section* of the profile *name*, or None if it has no ``aws_access_key_id``.

    Raises:
        ConfigurationError: the secret is missing, or a value contains a character that is not allowed.
    """
    if section is None or "aws_access_key_id" not in section:
        return None
    if "aws_secret_access_key" not in section:
        raise ConfigurationError(f"profile {name!r} has aws_access_key_id but no aws_secret_access_key")
    # As in botocore, the older name of the token takes precedence.
    token = section.get("aws_security_token", section.get("aws_session_token"))
    return Credentials(section["aws_access_key_id"], section["aws_secret_access_key"], token or None)


def _profile(name: str) -> Profile:
    shared_file = os.environ.get("AWS_SHARED_CREDENTIALS_FILE", "~/.aws/credentials")
    config_file = os.environ.get("AWS_CONFIG_FILE", "~/.aws/config")
    shared, config = _sections(shared_file), _sections(config_file)
    looked_at = " and ".join(
        f"{file or 'no file'} ({'not there' if sections is None else 'read'})"
        for file, sections in ((shared_file, shared), (config_file, config))
    )
    return Profile(name, (shared or {}).get(name), _profiles(config or {}).get(name), looked_at)


@without_context
def _sections(file: str) -> _Sections | None:
    path = Path(os.path.expanduser(os.path.expandvars(file)))  # noqa: PTH111 - unlike Path's, it never raises
    if not path.is_file():
        return None
    parser = RawConfigParser()
    try:
        parser.read([path], encoding="utf-8")
    except (Error, UnicodeDecodeError) as error:
        # Without the parser's message, and not `from error`: both quote lines of the file, which contain secrets.
        raise ConfigurationError(f"{file} is not a file of sections and keys ({type(error).__name__})") from None
    return {name: dict(parser.items(name)) for name in parser.sections()}


def _profiles(sections: _Sections) -> _Sections:
    """Return the sections of the configuration file that are profiles: ``[default]`` and ``[profile name]``."""
    found: _Sections = {}
    for title, section in sections.items():
        if title == "default":
            found[title] = section
        elif title.startswith("profile"):
            found.update(dict.fromkeys(_second_word(title), section))
    return found


def _second_word(title: str) -> list[str]:
    try:
        words = shlex.split(title)
    except ValueError:
        return []
    return words[1:] if len(words) == 2 else []
