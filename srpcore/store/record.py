"""What is kept of a login: its tokens, its device, and what a refresh needs to know; and its JSON form."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from ..crypto.device import Device
from ..crypto.encoding import utf8
from ..exceptions.base import ConfigurationError

__all__ = ["Login", "Tokens", "check_key", "decode", "encode"]

# An exact integer in every JSON reader (RFC 8259, section 6), and far beyond any date.
_FURTHEST_TIME = 2**53


@dataclass(frozen=True, slots=True)
class Tokens:
    """The tokens of one login. ``expires_at`` is the access token's, in seconds since the epoch, if it is known.

    Raises:
        ConfigurationError: a value is of another type, or has no JSON form.
    """

    id_token: str | None = field(default=None, repr=False)
    access_token: str | None = field(default=None, repr=False)
    refresh_token: str | None = field(default=None, repr=False)
    token_type: str | None = None
    expires_at: float | None = None

    def __post_init__(self) -> None:
        for name in ("id_token", "access_token", "refresh_token", "token_type"):
            _check_text(getattr(self, name), name)
        if self.expires_at is not None and not _is_time(self.expires_at):
            raise ConfigurationError("expires_at must be a finite number of seconds since the epoch, or None")

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form. It holds the tokens: keep it as safe as a password."""
        return {name: getattr(self, name) for name in _TOKENS}

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> Tokens:
        """Return the tokens that *document* is the JSON form of; members it does not know are passed over.

        Raises:
            ConfigurationError: *document* is no such form.
        """
        members = _members(document, "tokens")
        return cls(**{name: members[name] for name in _TOKENS if name in members})


@dataclass(frozen=True, slots=True)
class Login:
    """What is kept of one login: enough to go on with it in another program, or to log in again from this device.

    ``username`` is the canonical one, which SECRET_HASH is over; ``refresh_way`` is what
    :func:`srpcore.flows.refresh.refresh` said had worked. A login whose tokens are spent may still have its device.

    Raises:
        ConfigurationError: a value is of another type, or has no JSON form.
    """

    tokens: Tokens | None = None
    device: Device | None = None
    username: str | None = None
    refresh_way: str | None = None

    def __post_init__(self) -> None:
        _check_type(self.tokens, Tokens, "tokens")
        _check_type(self.device, Device, "device")
        if self.device is not None:
            _check_device(self.device)
        _check_text(self.username, "username")
        _check_text(self.refresh_way, "refresh_way")

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form. It holds the tokens and the device's password: keep it as safe as a password."""
        device = self.device
        return {
            "tokens": None if self.tokens is None else self.tokens.to_dict(),
            "device": None if device is None else {name: getattr(device, name) for name in _DEVICE},
            "username": self.username,
            "refresh_way": self.refresh_way,
        }

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> Login:
        """Return the login that *document* is the JSON form of; members it does not know are passed over.

        Raises:
            ConfigurationError: *document* is no such form.
        """
        members = _members(document, "login")
        tokens, device = members.get("tokens"), members.get("device")
        return cls(
            tokens=None if tokens is None else Tokens.from_dict(tokens),
            device=None if device is None else _device(device),
            username=members.get("username"),
            refresh_way=members.get("refresh_way"),
        )


_TOKENS = ("id_token", "access_token", "refresh_token", "token_type", "expires_at")
_DEVICE = ("key", "group_key", "password")


def check_key(key: str) -> bytes:
    """Return *key* as UTF-8.

    Raises:
        ConfigurationError: *key* is empty, no text, or has no UTF-8 form.
    """
    data = utf8(key, name="key")
    if not data:
        raise ConfigurationError("key is empty: make one with store_key")
    return data


def encode(key: str, login: Login) -> bytes:
    """Return the JSON text, in ASCII, that keeps *login* under *key*.

    Raises:
        ConfigurationError: *key* is no key, or *login* is no :class:`Login`.
    """
    check_key(key)
    if not isinstance(login, Login):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise ConfigurationError(f"login must be a Login, not {type(login).__name__}")
    return json.dumps({"key": key, **login.to_dict()}).encode("ascii")


def decode(key: str, data: bytes) -> Login:
    """Return the login that *data*, made by :func:`encode`, keeps under *key*.

    Raises:
        ConfigurationError: *data* is something else, or another key's; the message quotes nothing of it.
    """
    members = _members(_parsed(data), "login")
    if members.get("key") != key:
        raise ConfigurationError("it is another key's")
    return Login.from_dict(members)


def _parsed(data: bytes) -> object:
    try:
        return json.loads(data)
    except (ValueError, RecursionError):
        pass
    # Out here, since the parser's error holds the whole text and would stay behind as the context of ours.
    raise ConfigurationError("not JSON")


def _device(document: object) -> Device:
    members = _members(document, "device")
    device = Device(*(members.get(name, "") for name in _DEVICE))
    _check_device(device)
    return device


def _check_device(device: Device) -> None:
    for name in _DEVICE:
        if not utf8(getattr(device, name), name=f"device {name}"):
            raise ConfigurationError(f"the device has no {name}")


def _members(document: object, name: str) -> Mapping[str, Any]:
    if not isinstance(document, Mapping):
        raise ConfigurationError(f"{name} must be a JSON object, not {type(document).__name__}")
    return cast(Mapping[str, Any], document)


def _check_text(value: object, name: str) -> None:
    if value is not None:
        utf8(cast(str, value), name=name)


def _check_type(value: object, kind: type, name: str) -> None:
    if value is not None and not isinstance(value, kind):
        raise ConfigurationError(f"{name} must be a {kind.__name__} or None, not {type(value).__name__}")


def _is_time(value: object) -> bool:
    # Not a number, the infinities and integers too big for a float all fail the comparison.
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return is_number and -_FURTHEST_TIME < cast(float, value) < _FURTHEST_TIME
