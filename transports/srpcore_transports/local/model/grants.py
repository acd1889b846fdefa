"""What the pool stores about completed logins: the grant that all tokens of a login share, and its refresh tokens."""

from __future__ import annotations

from dataclasses import dataclass

from .pools import AppClient, PoolRecord
from .records import Record
from .users import DeviceRecord, User

__all__ = ["Grant", "GrantRecord", "RefreshRecord"]


class GrantRecord(Record):
    """One completed login. All its tokens have the same ``origin_jti``, and are revoked together.

    Attributes:
        expires: when the last of its tokens expires, in seconds since the epoch.
    """

    _shown = ("origin_jti", "sub", "revoked")

    origin_jti: str
    pool_id: str
    client_id: str
    sub: str
    auth_time: int
    device_key: str | None
    event_id: str
    session_id: str
    last_active: float
    expires: float
    revoked: bool = False


class RefreshRecord(Record):
    """What the pool stores about a refresh token, but not the token.

    Attributes:
        expires: when it expires, in seconds since the epoch.
        rotated: when another token replaced it (rotation), in seconds since the epoch; None if it is the current one.
    """

    _shown = ("origin_jti", "expires", "rotated")

    origin_jti: str
    expires: float
    rotated: float | None = None


@dataclass(frozen=True, slots=True)
class Grant:
    """A completed login, with the records that belong to it."""

    pool: PoolRecord
    client: AppClient
    user: User
    record: GrantRecord

    @property
    def device(self) -> DeviceRecord | None:
        """The device of the login, if the user still has it."""
        return self.user.devices.get(self.record.device_key or "")
