"""The seed of a local pool: pools, app clients, groups and users that are added at the start, from a JSON or TOML file.

The classes here are the schema. It is checked strictly: an unknown key is an error, with its place in the file.
"""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec
from msgspec import field

from srpcore.exceptions.base import ConfigurationError
from srpcore.pool import Pool

from .records import Fixed

__all__ = ["Seed", "SeedClient", "SeedGroup", "SeedPool", "SeedSource", "SeedUser", "name_of", "read_seed"]

SeedSource = str | os.PathLike[str] | Mapping[str, object]


class SeedClient(Fixed, frozen=True, forbid_unknown_fields=True):
    """An app client; ``settings`` has parameters of CreateUserPoolClient."""

    id: str
    secret: str | None = None
    settings: dict[str, Any] = field(default_factory=dict[str, Any])


class SeedGroup(Fixed, frozen=True, forbid_unknown_fields=True):
    """A group."""

    name: str
    description: str | None = None
    precedence: int | None = None
    role: str | None = None


class SeedUser(Fixed, frozen=True, forbid_unknown_fields=True):
    """A user.

    Attributes:
        password: the user's password.
        temporary_password: instead of ``password``: the user must change it at the first login.
        sub: the user's ``sub``, a UUID; None for a random one.
        totp_secret: the secret of an authenticator app, in base32. It becomes the preferred second factor.
    """

    username: str
    password: str | None = None
    temporary_password: str | None = None
    sub: str | None = None
    attributes: dict[str, str | bool] = field(default_factory=dict[str, str | bool])
    groups: list[str] = field(default_factory=list[str])
    totp_secret: str | None = None
    enabled: bool = True


class SeedPool(Fixed, frozen=True, forbid_unknown_fields=True):
    """A pool; ``settings`` has parameters of CreateUserPool and SetUserPoolMfaConfig."""

    id: str
    settings: dict[str, Any] = field(default_factory=dict[str, Any])
    clients: list[SeedClient] = field(default_factory=list[SeedClient])
    groups: list[SeedGroup] = field(default_factory=list[SeedGroup])
    users: list[SeedUser] = field(default_factory=list[SeedUser])


class Seed(Fixed, frozen=True, forbid_unknown_fields=True):
    """The whole file."""

    pools: list[SeedPool]


_CLASSES: dict[str, type[Fixed]] = {
    "": Seed,
    "pools": SeedPool,
    "clients": SeedClient,
    "groups": SeedGroup,
    "users": SeedUser,
}
_UNKNOWN = re.compile(r"Object contains unknown field `(?P<key>.*?)`(?: - at `\$(?P<place>[^`]*)`)?", re.DOTALL)
_PLACED = re.compile(r"(?P<problem>.*) - at `(?P<place>[^`]*)`", re.DOTALL)


def read_seed(source: SeedSource) -> Seed:
    """Return the seed in a file whose name ends with ``.json`` or ``.toml``, or in a dictionary of the same form.

    Raises:
        ConfigurationError: the file cannot be read, or is not a seed.
    """
    try:
        seed = _decode(source)
    except OSError as error:
        raise ConfigurationError(f"cannot read {name_of(source)}: {error.strerror}") from None
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise ConfigurationError(f"invalid {name_of(source)}: {_explain(error)}") from None
    for number, pool in enumerate(seed.pools):
        try:
            Pool(pool.id)
        except ConfigurationError as error:
            raise ConfigurationError(f"invalid {name_of(source)}: pools[{number}]: {error}") from None
    for place in _duplicates(seed):
        raise ConfigurationError(f"invalid {name_of(source)}: {place} has the same name or id as an earlier entry")
    return seed


def _decode(source: SeedSource) -> Seed:
    if isinstance(source, Mapping):
        return msgspec.convert(dict(source), Seed)
    path = Path(source)
    if path.suffix.lower() == ".json":
        return msgspec.json.decode(path.read_bytes(), type=Seed)
    if path.suffix.lower() == ".toml":
        return msgspec.toml.decode(path.read_bytes(), type=Seed)
    raise ConfigurationError(f"invalid {name_of(source)}: the name must end with .json or .toml")


def _duplicates(seed: Seed) -> Iterator[str]:
    """Yield the place of each entry that has the same name or id as an earlier entry of its list."""
    lists = {"pools": [pool.id for pool in seed.pools]}
    for number, pool in enumerate(seed.pools):
        lists[f"pools[{number}].clients"] = [client.id for client in pool.clients]
        lists[f"pools[{number}].groups"] = [group.name for group in pool.groups]
        lists[f"pools[{number}].users"] = [user.username for user in pool.users]
    for place, names in lists.items():
        seen: set[str] = set()
        for number, name in enumerate(names):
            if name in seen:
                yield f"{place}[{number}]"
            seen.add(name)


def name_of(source: SeedSource) -> str:
    """Return the name of *source* for error messages."""
    return "seed" if isinstance(source, Mapping) else f"seed {os.fspath(source)!r:.200}"


def _explain(error: Exception) -> str:
    """Return what is wrong, with the place in the file first, and a suggestion for an unknown key."""
    message = str(error)
    unknown = _UNKNOWN.fullmatch(message)
    if unknown is not None:
        place = (unknown["place"] or "").removeprefix(".")
        known = _CLASSES[re.sub(r"\[.*?\]", "", place).rpartition(".")[2]].__struct_fields__
        near = difflib.get_close_matches(unknown["key"], known, 1)
        hint = f"did you mean {near[0]!r}?" if near else f"use {', '.join(known)}"
        return f"{f'{place}: ' if place else ''}unknown key {unknown['key']!r:.80}; {hint}"
    placed = _PLACED.fullmatch(message)
    return message if placed is None else f"{placed['place'].removeprefix('$').removeprefix('.')}: {placed['problem']}"
