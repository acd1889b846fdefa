"""The device of a login: find it, or add a new one."""

from __future__ import annotations

import uuid

from ..api.errors import not_found
from ..model.auth_sessions import AuthSession
from ..model.pools import PoolRecord
from ..model.records import random_string
from ..model.users import DeviceRecord, User
from ..storage.state import State

__all__ = ["add", "of_login", "replaces_second_factor"]


def add(state: State, pool: PoolRecord, user: User) -> DeviceRecord:
    """Add a device with a new key to *user* and return it; it is not confirmed yet."""
    now = state.clock()
    key, group_key = f"{pool.region}_{uuid.uuid4()}", f"-{random_string(8)}"
    device = DeviceRecord(key, group_key, now, modified=now, authenticated=now)
    user.devices[key] = device
    return device


def of_login(auth_session: AuthSession, user: User) -> DeviceRecord | None:
    """Return the device that the client has named in this login, or None if it has not named one.

    Raises:
        Refusal: *user* does not have the device, or it is not confirmed.
    """
    if not auth_session.device_key:
        return None
    device = user.devices.get(auth_session.device_key)
    if device is None or not device.confirmed:
        raise not_found("Device does not exist.")
    return device


def replaces_second_factor(auth_session: AuthSession, device: DeviceRecord | None) -> bool:
    """Return whether the login does not need a second factor, because *device* is remembered.

    That is so in a pool with the setting ChallengeRequiredOnNewDevice.
    """
    section = auth_session.pool.section("DeviceConfiguration")
    return device is not None and device.remembered and bool(section.get("ChallengeRequiredOnNewDevice"))
