"""What is stored of a login: its tokens, its device, and what a refresh needs; and the JSON form of it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, cast

from .._values import Value
from ..crypto.device import Device
from ..crypto.encoding import utf8
from ..exceptions.base import ConfigurationError

__all__ = ["Login", "Tokens", "check_key", "decode", "encode"]

# Every JSON parser reads integers up to this one exactly (RFC 8259, section 6). It is later than any date.
_FURTHEST_TIME = 2**53


class Tokens(Value):
    """The tokens of one login.

    ``expires_at`` is the time when the access token expires, in seconds since the epoch, if it is known.

    Raises:
        ConfigurationError: a value has the wrong type, or cannot be written as JSON.
    """

    __slots__ = (
        "access_token",
        "expires_at",
        "id_token",
        "refresh_token",
        "token_type",
    )
    _hidden = frozenset({"id_token", "access_token", "refresh_token"})

    id_token: str | None
    access_token: str | None
    refresh_token: str | None
    token_type: str | None
    expires_at: float | None

    def __init__(
        self,
        id_token: str | None = None,
        access_token: str | None = None,
        refresh_token: str | None = None,
        token_type: str | None = None,
        expires_at: float | None = None,
    ) -> None:
        self._set(
            id_token=id_token,
            access_token=access_token,
            refresh_token=refresh_token,
            token_type=token_type,
            expires_at=expires_at,
        )
        for name in ("id_token", "access_token", "refresh_token", "token_type"):
            _check_string(getattr(self, name), name)
        if expires_at is not None and not _is_time(expires_at):
            raise ConfigurationError("expires_at must be a finite number of seconds since the epoch, or None")

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form. The tokens are in it: store it as safely as a password."""
        return self._fields()

    @classmethod
    def from_dict(cls, document: Mapping[str, object]) -> Tokens:
        """Return the tokens for their JSON form *document*. Unknown members are ignored.

        Raises:
            ConfigurationError: *document* is not a JSON object, or a member has the wrong type.
        """
        members = _require_object(document, "tokens")
        return cls(**{name: members[name] for name in _TOKENS if name in members})


class Login(Value):
    """What is stored of one login. Another program can go on with it, or log in again from the same device.

    ``username`` is the canonical username, which SECRET_HASH is computed over. ``refresh_way`` is the way that
    :func:`srpcore.flows.refresh.refresh` returned. ``tokens`` may be None: then only the device is known.

    Raises:
        ConfigurationError: a value has the wrong type, or cannot be written as JSON.
    """

    __slots__ = ("device", "refresh_way", "tokens", "username")

    tokens: Tokens | None
    device: Device | None
    username: str | None
    refresh_way: str | None

    def __init__(
        self,
        tokens: Tokens | None = None,
        device: Device | None = None,
        username: str | None = None,
        refresh_way: str | None = None,
    ) -> None:
        _check_type(tokens, Tokens, "tokens")
        _check_type(device, Device, "device")
        if device is not None:
            _check_device(device)
        _check_string(username, "username")
        _check_string(refresh_way, "refresh_way")
        self._set(tokens=tokens, device=device, username=username, refresh_way=refresh_way)

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form. The tokens and the device password are in it: store it as safely as a password."""
        device = self.device
        return {
            "tokens": None if self.tokens is None else self.tokens.to_dict(),
            "device": None if device is None else {name: getattr(device, name) for name in _DEVICE},
            "username": self.username,
            "refresh_way": self.refresh_way,
        }

    @classmethod
    def from_dict(cls, document: Mapping[str, object]) -> Login:
        """Return the login for its JSON form *document*. Unknown members are ignored.

        Raises:
            ConfigurationError: *document* is not a JSON object, or a member has the wrong type.
        """
        members = _require_object(document, "login")
        tokens, device = members.get("tokens"), members.get("device")
        return cls(
            tokens=None if tokens is None else Tokens.from_dict(tokens),
            device=None if device is None else _parse_device(device),
            username=members.get("username"),
            refresh_way=members.get("refresh_way"),
        )


_TOKENS = ("id_token", "access_token", "refresh_token", "token_type", "expires_at")
_DEVICE = ("key", "group_key", "password")


def check_key(key: str) -> bytes:
    """Return *key* as UTF-8.

    Raises:
        ConfigurationError: *key* is empty, is not a string, or cannot be encoded as UTF-8.
    """
    data = utf8(key, name="key")
    if not data:
        raise ConfigurationError("key is empty: make one with store_key")
    return data


def encode(key: str, login: Login) -> bytes:
    """Return *key* and *login* as JSON, in ASCII.

    Raises:
        ConfigurationError: *key* is empty or not a string, or *login* is not a :class:`Login`.
    """
    check_key(key)
    if not isinstance(login, Login):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise ConfigurationError(f"login must be a Login, not {type(login).__name__}")
    return json.dumps({"key": key, **login.to_dict()}).encode("ascii")


def decode(key: str, data: bytes) -> Login:
    """Return the login in *data*, which :func:`encode` has made with the same *key*.

    Raises:
        ConfigurationError: *data* was not made by :func:`encode`, or with another key. The message does not quote it.
    """
    members = _require_object(_parse_json(data), "login")
    if members.get("key") != key:
        raise ConfigurationError("it belongs to another key")
    return Login.from_dict(members)


def _parse_json(data: bytes) -> object:
    try:
        return json.loads(data)
    except (ValueError, RecursionError):
        pass
    # The parser's error holds all of the data, tokens included. Raised in the `except` block, our error would carry
    # that one as its context (`__context__`), and it could be logged. So raise here, after the block.
    raise ConfigurationError("not JSON")


def _parse_device(document: object) -> Device:
    members = _require_object(document, "device")
    device = Device(*(members.get(name, "") for name in _DEVICE))
    _check_device(device)
    return device


def _check_device(device: Device) -> None:
    for name in _DEVICE:
        if not utf8(getattr(device, name), name=f"device {name}"):
            raise ConfigurationError(f"device {name} is missing or empty")


def _require_object(document: object, name: str) -> Mapping[str, Any]:
    if not isinstance(document, Mapping):
        raise ConfigurationError(f"{name} must be a JSON object, not {type(document).__name__}")
    return cast(Mapping[str, Any], document)


def _check_string(value: object, name: str) -> None:
    if value is not None:
        utf8(cast(str, value), name=name)


def _check_type(value: object, kind: type, name: str) -> None:
    if value is not None and not isinstance(value, kind):
        raise ConfigurationError(f"{name} must be a {kind.__name__} or None, not {type(value).__name__}")


def _is_time(value: object) -> bool:
    # The comparison is false for NaN, for both infinities, and for integers that are too big for a float.
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return is_number and -_FURTHEST_TIME < cast(float, value) < _FURTHEST_TIME
