"""Remembered devices: confirm, change the status, forget."""

from __future__ import annotations

import platform

from ..crypto.device import Device, device_verifier, new_device_password
from ..protocol import Flow, JsonObject
from . import ask

__all__ = ["confirm_device", "forget_device", "update_device_status"]


def confirm_device(
    access_token: str, device_key: str, group_key: str, *, name: str | None = None, password: str | None = None
) -> Flow[tuple[JsonObject, Device]]:
    """Confirm the device that NewDeviceMetadata named, and return the reply and the device to keep.

    Only the verifier is sent; *password* is 40 fresh random bytes (base64) unless it is given, *name* the host's.
    ``UserConfirmationNecessary`` in the reply means that :func:`update_device_status` is still needed.

    Raises:
        ServiceError: the service refused.
    """
    device = Device(device_key, group_key, new_device_password() if password is None else password)
    verifier = device_verifier(group_key, device_key, device.password)
    reply = yield from ask(
        "ConfirmDevice",
        {
            "AccessToken": access_token,
            "DeviceKey": device_key,
            # The service refuses an empty name, and some hosts have none.
            "DeviceName": name or platform.node() or "unnamed",
            "DeviceSecretVerifierConfig": verifier.as_parameter(),
        },
    )
    return reply, device


def update_device_status(access_token: str, device_key: str, *, remembered: bool) -> Flow[JsonObject]:
    """Mark the device as remembered, or as not remembered.

    Raises:
        ServiceError: the service refused.
    """
    status = "remembered" if remembered else "not_remembered"
    parameters = {"AccessToken": access_token, "DeviceKey": device_key, "DeviceRememberedStatus": status}
    return (yield from ask("UpdateDeviceStatus", parameters))


def forget_device(access_token: str, device_key: str) -> Flow[JsonObject]:
    """Make the service forget the device.

    Raises:
        ServiceError: the service refused.
    """
    return (yield from ask("ForgetDevice", {"AccessToken": access_token, "DeviceKey": device_key}))
