"""Confirm a new device, mark it as remembered or not, and delete it."""

from __future__ import annotations

from ..crypto.device import Device, device_verifier, new_device_password
from ..protocol import Flow, JsonObject
from . import ask

__all__ = ["confirm_device", "forget_device", "update_device_status"]


def confirm_device(
    access_token: str, device_key: str, group_key: str, *, name: str | None = None, password: str | None = None
) -> Flow[tuple[JsonObject, Device]]:
    """Confirm the device that NewDeviceMetadata named, and return the reply and the device to store.

    Only a verifier of the device password is sent. If the reply has ``UserConfirmationNecessary``, the device is not
    remembered until :func:`update_device_status` is called.

    Args:
        access_token: the user's access token.
        device_key: DeviceKey of NewDeviceMetadata.
        group_key: DeviceGroupKey of NewDeviceMetadata.
        name: the name to show to the user; the name of this computer by default.
        password: the device password; 40 fresh random bytes in base64 by default.

    Raises:
        ServiceError: the service refused the request.
    """
    import platform  # only here, because it is slow to import, and few logins confirm a device

    device = Device(device_key, group_key, new_device_password() if password is None else password)
    verifier = device_verifier(group_key, device_key, device.password)
    reply = yield from ask(
        "ConfirmDevice",
        {
            "AccessToken": access_token,
            "DeviceKey": device_key,
            # The service refuses an empty name, and some computers do not have a name.
            "DeviceName": name or platform.node() or "unnamed",
            "DeviceSecretVerifierConfig": verifier.as_parameter(),
        },
    )
    return reply, device


def update_device_status(access_token: str, device_key: str, *, remembered: bool) -> Flow[JsonObject]:
    """Mark the device as remembered, or as not remembered.

    Raises:
        ServiceError: the service refused the request.
    """
    status = "remembered" if remembered else "not_remembered"
    parameters = {"AccessToken": access_token, "DeviceKey": device_key, "DeviceRememberedStatus": status}
    return (yield from ask("UpdateDeviceStatus", parameters))


def forget_device(access_token: str, device_key: str) -> Flow[JsonObject]:
    """Delete the device from the service.

    Raises:
        ServiceError: the service refused the request.
    """
    return (yield from ask("ForgetDevice", {"AccessToken": access_token, "DeviceKey": device_key}))
